"""What a foreign Initiating Gateway asks: bodies of ITI-38 and ITI-39, made with lxml (ITI-55 is made by zeep)."""

from lxml import etree

from wire import IHE, QUERY, RIM

FIND_DOCUMENTS = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
GET_DOCUMENTS = "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
DEPRECATED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated"

SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
PARTIAL = "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"
FAILURE = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"


def stored_query(query_id, slots, home, return_type="LeafClass", prefixes=("query", "rim")):
    """<slots>: pairs of a name and a list of rim:Value texts, in order; a name may come twice."""
    query, rim = prefixes
    request = etree.Element(etree.QName(QUERY, "AdhocQueryRequest"), nsmap={query or None: QUERY})
    etree.SubElement(
        request, etree.QName(QUERY, "ResponseOption"), returnComposedObjects="true", returnType=return_type
    )
    adhoc = etree.SubElement(request, etree.QName(RIM, "AdhocQuery"), nsmap={rim or None: RIM}, id=query_id)
    if home:
        adhoc.set("home", home)
    for name, values in slots:
        slot = etree.SubElement(adhoc, etree.QName(RIM, "Slot"), name=name)
        value_list = etree.SubElement(slot, etree.QName(RIM, "ValueList"))
        for value in values:
            etree.SubElement(value_list, etree.QName(RIM, "Value")).text = value
    return request


def find_documents(patient, home, more=(), status=(f"('{APPROVED}')",), **options):
    slots = [("$XDSDocumentEntryPatientId", [f"'{patient}'"]), ("$XDSDocumentEntryStatus", list(status)), *more]
    return stored_query(FIND_DOCUMENTS, slots, home, **options)


def quoted_list(values):
    return "(" + ",".join("'" + value.replace("'", "''") + "'" for value in values) + ")"


def get_documents(home, entry_uuids=(), unique_ids=(), **options):
    slots = []
    if entry_uuids:
        slots.append(("$XDSDocumentEntryEntryUUID", [quoted_list(entry_uuids)]))
    if unique_ids:
        slots.append(("$XDSDocumentEntryUniqueId", [quoted_list(unique_ids)]))
    return stored_query(GET_DOCUMENTS, slots, home, **options)


def retrieve(documents, prefix="ihe"):
    """<documents>: triples of home, repository, document; an empty home is left out."""
    request = etree.Element(etree.QName(IHE, "RetrieveDocumentSetRequest"), nsmap={prefix or None: IHE})
    for home, repository, document in documents:
        wanted = etree.SubElement(request, etree.QName(IHE, "DocumentRequest"))
        names = ("HomeCommunityId", "RepositoryUniqueId", "DocumentUniqueId")
        for name, text in zip(names, (home, repository, document)):
            if text:
                etree.SubElement(wanted, etree.QName(IHE, name)).text = text
    return request
