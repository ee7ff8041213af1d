"""What a foreign Initiating Gateway or local system says: bodies of ITI-38, 39, 41 and 80, made with lxml (ITI-55 is made by zeep)."""

import hashlib
import uuid

from lxml import etree

from wire import IHE, LCM, QUERY, RIM, XOP

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


# ---- submissions ----

CODES = (
    ("urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a", "34133-9", "2.16.840.1.113883.6.1"),
    ("urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f", "N", "2.16.840.1.113883.5.25"),
    ("urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d", "urn:ihe:iti:xds:2017:mimeTypeSufficient", "1.3.6.1.4.1.19376.1.2.3"),
    ("urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", "35971002", "2.16.840.1.113883.6.96"),
    ("urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead", "394802001", "2.16.840.1.113883.6.96"),
    ("urn:uuid:f0306f51-975f-434e-a61c-c59651d33983", "34133-9", "2.16.840.1.113883.6.1"),
)


def add(parent, tag, **attributes):
    return etree.SubElement(parent, etree.QName(RIM, tag), **attributes)


def add_slot(parent, name, *values):
    value_list = add(add(parent, "Slot", name=name), "ValueList")
    for value in values:
        add(value_list, "Value").text = value


def add_name(parent, text):
    add(add(parent, "Name"), "LocalizedString", value=text)


def add_code(parent, scheme, code, system):
    attributes = {"id": f"c{uuid.uuid4().hex}", "classificationScheme": scheme, "nodeRepresentation": code}
    node = add(parent, "Classification", classifiedObject=parent.get("id"), **attributes)
    add_slot(node, "codingScheme", system)
    add_name(node, f"display of {code}")


def add_identifier(parent, scheme, value, name):
    attributes = {"id": f"i{uuid.uuid4().hex}", "identificationScheme": scheme, "value": value}
    add_name(add(parent, "ExternalIdentifier", registryObject=parent.get("id"), **attributes), name)


def provide(unique_id, patient, data, target=None, slots=(), cid="document@example.org"):
    """One document in one SubmissionSet; its bytes are in the part <cid>. <target>: urn:oid of a community; <slots>: pairs
    of names and values that the entry has besides."""
    request = etree.Element(etree.QName(IHE, "ProvideAndRegisterDocumentSetRequest"), nsmap={"ihe": IHE, "rim": RIM, "lcm": LCM})
    objects = add(etree.SubElement(request, etree.QName(LCM, "SubmitObjectsRequest")), "RegistryObjectList")
    entry = add(objects, "ExtrinsicObject", id="entry", mimeType="text/plain", objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1")
    for name, value in (
        ("creationTime", "20260301120000"),
        ("hash", hashlib.sha1(data).hexdigest()),
        ("languageCode", "en-US"),
        ("size", str(len(data))),
        ("sourcePatientId", patient),
        *slots,
    ):
        add_slot(entry, name, value)
    add_name(entry, f"Delivered <{unique_id}>")
    for code in CODES:
        add_code(entry, *code)
    add_identifier(entry, "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427", patient, "XDSDocumentEntry.patientId")
    add_identifier(entry, "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab", unique_id, "XDSDocumentEntry.uniqueId")
    package = add(objects, "RegistryPackage", id="set")
    add_slot(package, "submissionTime", "20260301120000")
    if target:
        add_slot(package, "homeCommunityId", target)
    add_code(package, "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500", "34133-9", "2.16.840.1.113883.6.1")
    add_identifier(package, "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446", patient, "XDSSubmissionSet.patientId")
    add_identifier(package, "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832", "2.999.4.3", "XDSSubmissionSet.sourceId")
    set_id = f"2.25.{uuid.uuid4().int}"
    add_identifier(package, "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8", set_id, "XDSSubmissionSet.uniqueId")
    node = {"id": "node", "classificationNode": "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"}
    add(objects, "Classification", classifiedObject="set", **node)
    member = {"id": "member", "sourceObject": "set", "targetObject": "entry"}
    member["associationType"] = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
    add_slot(add(objects, "Association", **member), "SubmissionSetStatus", "Original")
    document = etree.SubElement(request, etree.QName(IHE, "Document"), id="entry")
    etree.SubElement(document, etree.QName(XOP, "Include"), href=f"cid:{cid}", nsmap={"xop": XOP})
    return request
