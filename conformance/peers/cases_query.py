"""ITI-38 Cross Gateway Query: FindDocuments and GetDocuments, LeafClass and ObjectRef (ITI TF-2 3.38, 3.18)."""

import re

from lxml import etree

from cases_discover import patient
from discovery import find
from messages import APPROVED, DEPRECATED, FAILURE, FIND_DOCUMENTS, SUCCESS
from messages import find_documents, get_documents, stored_query
from through_zeep import Query
from wire import RIM, Message, Skip, expect, expect_equal

STABLE = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
ON_DEMAND = "urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248"
PATIENT_ID = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
UNIQUE_ID = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
# Table 4.1.3.2-1 of ITI TF-3, what a DocumentEntry of an XDS or XCA answer must have, and by which scheme
CODES = {
    "classCode": "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a",
    "confidentialityCode": "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f",
    "formatCode": "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d",
    "healthcareFacilityTypeCode": "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1",
    "practiceSettingCode": "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead",
    "typeCode": "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983",
}
STATUS_SLOT = ("$XDSDocumentEntryStatus", [f"('{APPROVED}')"])
SLOTS = ("creationTime", "hash", "languageCode", "repositoryUniqueId", "size", "sourcePatientId")


def patient_slot(patient_id):
    return ("$XDSDocumentEntryPatientId", [f"'{patient_id}'"])


class Entry:
    """One DocumentEntry as it came."""

    def __init__(self, node):
        self.node, self.id, self.home = node, node.get("id"), node.get("home")
        self.mime_type, self.status = node.get("mimeType"), node.get("status")
        self.slots = {
            slot.get("name"): [value.text for value in find(slot, "rim:ValueList/rim:Value")]
            for slot in find(node, "rim:Slot")
        }
        self.identifiers = {
            identifier.get("identificationScheme"): identifier for identifier in find(node, "rim:ExternalIdentifier")
        }
        self.repository = self.slots.get("repositoryUniqueId", [""])[0]
        self.size = int(self.slots.get("size", ["-1"])[0])
        self.hash = self.slots.get("hash", [""])[0].lower()

    def unique_id(self):
        return self.identifiers[UNIQUE_ID].get("value")

    def code(self, name):
        (found,) = find(self.node, f"rim:Classification[@classificationScheme='{CODES[name]}']")
        return found.get("nodeRepresentation"), find(found, "string(rim:Slot[@name='codingScheme']//rim:Value)")


def check_entry(world, entry, patient_id):
    expect_equal(world.home, entry.home, "home of an ExtrinsicObject")
    expect(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", entry.id), f"id of an ExtrinsicObject: {entry.id}")
    expect_equal(APPROVED, entry.status, "status")
    expect_equal(STABLE, entry.node.get("objectType"), "objectType")
    expect(entry.mime_type, "no mimeType")
    for name in SLOTS:
        expect(entry.slots.get(name, [""])[0], f"no slot {name} in {etree.tostring(entry.node).decode()[:2000]}")
    expect(re.fullmatch("[0-9a-f]{40}", entry.hash), f"hash: {entry.hash}")
    expect(entry.size > 0, f"size: {entry.size}")
    expect(re.fullmatch(r"\d{4,14}", entry.slots["creationTime"][0]), f"creationTime: {entry.slots['creationTime']}")
    for name, scheme, value in (("patientId", PATIENT_ID, patient_id), ("uniqueId", UNIQUE_ID, None)):
        identifier = entry.identifiers[scheme]
        expect_equal(entry.id, identifier.get("registryObject"), f"registryObject of {name}")
        shown = find(identifier, "string(rim:Name/rim:LocalizedString/@value)")
        expect_equal("XDSDocumentEntry." + name, shown, f"Name of {name}")
        expect(value is None or value == identifier.get("value"), f"{name}: {identifier.get('value')}, not {value}")
    for name, scheme in CODES.items():
        for found in find(entry.node, f"rim:Classification[@classificationScheme='{scheme}']"):
            expect_equal(entry.id, found.get("classifiedObject"), f"classifiedObject of {name}")
            expect(find(found, "rim:Name/rim:LocalizedString/@value"), f"{name} has no display name")
        code, system = entry.code(name)
        expect(code and system, f"{name}: code {code!r} of {system!r}")


def answered(world, payload, order=None, wire=None):
    """The answer's payload to a query that is well-formed and well-signed."""
    message = Message("ITI-38", world.url, payload, order or world.order("/xca/query"))
    world.schemas.check_ours(message.body[0])
    return (wire or world.wire).send(message).expect_answer(message, world.schemas)


def expect_success(payload, count, what="objects"):
    expect_equal(SUCCESS, payload.get("status"), "status")
    objects = find(payload, "rim:RegistryObjectList/*")
    expect_equal(count, len(objects), what)
    return objects


def expect_failure(world, payload, code):
    """No objects, one error with this code that names the community (3.38.4.1.3)."""
    expect_equal(FAILURE, payload.get("status"), "status")
    expect(not find(payload, "rim:RegistryObjectList/*"), "a Failure with results")
    errors = find(payload, "rs:RegistryErrorList/rs:RegistryError")
    expect_equal([code], [error.get("errorCode") for error in errors], "error codes")
    expect(world.home in (errors[0].get("location") or ""), f"location of the error: {errors[0].get('location')}")
    expect(errors[0].get("codeContext"), "no codeContext")
    expect_equal("urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error", errors[0].get("severity"), "severity")


def entries(world):
    """All DocumentEntries of the patient, asked for once and through zeep."""

    def find_all(world):
        patient_id = patient(world)
        slots = [patient_slot(patient_id), STATUS_SLOT]
        answer, envelope = Query(world).ask(FIND_DOCUMENTS, slots, world.home)
        expect_equal(SUCCESS, answer.status, "status as zeep decodes it")
        payload = find(envelope, "/env:Envelope/env:Body/*")[0]
        world.schemas.check("ITI-38", envelope, payload)
        objects = expect_success(payload, world.arguments.expect_documents)
        found = [Entry(node) for node in objects]
        for entry in found:
            expect_equal(f"{{{RIM}}}ExtrinsicObject", entry.node.tag, "kind of object")
            check_entry(world, entry, patient_id)
        expect_equal(len(found), len({entry.id for entry in found}), "different ids")
        expect_equal(len(found), len({entry.unique_id() for entry in found}), "different uniqueIds")
        return found

    return world.learn("entries", find_all)


def find_leaf_class(world):
    entries(world)


def find_object_refs(world):
    payload = answered(world, find_documents(patient(world), world.home, return_type="ObjectRef"))
    refs = expect_success(payload, world.arguments.expect_documents, "ObjectRefs")
    for ref in refs:
        expect_equal(f"{{{RIM}}}ObjectRef", ref.tag, "kind of object")
        expect_equal(world.home, ref.get("home"), "home of an ObjectRef")
    expect_equal({entry.id for entry in entries(world)}, {ref.get("id") for ref in refs}, "ids")


def find_without_home(world):
    """home is optional where the patient is named (3.38.4.1.2.1)."""
    expect_success(answered(world, find_documents(patient(world), None)), world.arguments.expect_documents)


def find_with(world, more=(), wanted=None, **options):
    payload = answered(world, find_documents(patient(world), world.home, more, **options))
    expect_success(payload, world.arguments.expect_documents if wanted is None else wanted)


def filters(world):
    entry = entries(world)[0]
    code, system = entry.code("typeCode")
    same = sum(other.code("typeCode") == (code, system) for other in entries(world))
    find_with(world, [("$XDSDocumentEntryTypeCode", [f"('{code}^^{system}')"])], same)
    find_with(world, [("$XDSDocumentEntryTypeCode", [f"('{code}^^2.999.123456')"])], 0)
    find_with(world, [("$XDSDocumentEntryTypeCode", ["('00000-0^^2.16.840.1.113883.6.1')"])], 0)
    find_with(world, [("$XDSDocumentEntryTypeCode", ["('00000-0^^2.999.1')", f"('{code}^^{system}')"])], same)
    find_with(world, [("$XDSDocumentEntryCreationTimeFrom", ["19000101"])])
    find_with(world, [("$XDSDocumentEntryCreationTimeTo", ["19000101"])], 0)
    find_with(world, status=[f"('{DEPRECATED}')"], wanted=0)
    find_with(world, status=[f"('{DEPRECATED}','{APPROVED}')"])
    find_with(world, status=["('urn:oasis:names:tc:ebxml-regrep:StatusType:Unknown')", f"('{APPROVED}')"])


def creation_time_is_from_inclusive_to_exclusive(world):
    times = sorted(entry.slots["creationTime"][0] for entry in entries(world))
    least = times[0]
    find_with(world, [("$XDSDocumentEntryCreationTimeFrom", [least])])
    find_with(world, [("$XDSDocumentEntryCreationTimeTo", [least])], 0)


def document_types(world):
    """Stable ones alone by default; types that are not known are ignored (3.18.4.1.2.3.6.2)."""
    find_with(world, [("$XDSDocumentEntryType", [f"('{STABLE}')"])])
    find_with(world, [("$XDSDocumentEntryType", [f"('{STABLE}','{ON_DEMAND}')"])])
    find_with(world, [("$XDSDocumentEntryType", [f"('{ON_DEMAND}')"])], 0)


def unknown_parameters_are_ignored(world):
    find_with(world, [("$ExampleOfAnotherTime", ["'x'"])])


def get_by_uuid_and_unique_id(world):
    known = entries(world)
    payload = answered(world, get_documents(world.home, entry_uuids=[known[0].id]))
    (node,) = expect_success(payload, 1)
    expect_equal(known[0].id, node.get("id"), "id")
    expect_equal(known[0].unique_id(), Entry(node).unique_id(), "uniqueId")
    check_entry(world, Entry(node), patient(world))
    wanted = [entry.unique_id() for entry in known]
    objects = expect_success(answered(world, get_documents(world.home, unique_ids=wanted)), len(wanted))
    expect_equal(set(wanted), {Entry(node).unique_id() for node in objects}, "uniqueIds")
    refs = answered(world, get_documents(world.home, unique_ids=wanted, return_type="ObjectRef"))
    expect_equal({entry.id for entry in known}, {ref.get("id") for ref in expect_success(refs, len(wanted))}, "refs")
    none = answered(world, get_documents(world.home, unique_ids=["2.999.404"]))
    expect_success(none, 0)


def communities(world):
    known = entries(world)[0]
    payload = answered(world, get_documents(None, entry_uuids=[known.id]))
    expect_failure(world, payload, "XDSMissingHomeCommunityId")
    payload = answered(world, get_documents("urn:oid:2.999.404", entry_uuids=[known.id]))
    expect_failure(world, payload, "XDSUnknownCommunity")
    payload = answered(world, find_documents(patient(world), "urn:oid:2.999.404"))
    expect_failure(world, payload, "XDSUnknownCommunity")


def unknown_patient(world):
    """By policy either an empty Success or XDSUnknownPatientId (3.38.4.1.3)."""
    payload = answered(world, find_documents("nobody^^^&2.999.404&ISO", world.home))
    if payload.get("status") == SUCCESS:
        expect_success(payload, 0)
    else:
        expect_failure(world, payload, "XDSUnknownPatientId")


def wrong_queries(world):
    payload = answered(world, stored_query("urn:uuid:00000000-0000-4000-8000-000000000000", [], world.home))
    expect_failure(world, payload, "XDSUnknownStoredQuery")
    payload = answered(world, stored_query(FIND_DOCUMENTS, [patient_slot(patient(world))], world.home))
    expect_failure(world, payload, "XDSStoredQueryMissingParam")
    payload = answered(world, stored_query(FIND_DOCUMENTS, [STATUS_SLOT], world.home))
    expect_failure(world, payload, "XDSStoredQueryMissingParam")
    known = entries(world)[0]
    payload = answered(world, get_documents(world.home, entry_uuids=[known.id], unique_ids=[known.unique_id()]))
    expect_failure(world, payload, "XDSStoredQueryParamNumber")


def restricted_is_not_listed(world):
    if not world.arguments.restricted:
        raise Skip("--restricted names no document")
    expect(world.arguments.restricted not in {entry.unique_id() for entry in entries(world)}, "it is listed")
    expect_success(answered(world, get_documents(world.home, unique_ids=[world.arguments.restricted])), 0)


def other_prefixes(world):
    for prefixes in (("", "r"), ("q", ""), ("rim", "query")):
        expect_success(
            answered(world, find_documents(patient(world), world.home, prefixes=prefixes)),
            world.arguments.expect_documents,
        )


CASES = [
    # REQ: WS-simple-soap, SQ-leaf-class, META-entry, META-codes, META-identifiers, META-object-ids
    ("zeep: ITI-38 asks + ITI-40 asks, success: FindDocuments LeafClass, complete and valid metadata", find_leaf_class),
    # REQ: SQ-object-ref
    ("ITI-38: FindDocuments ObjectRef names the same documents", find_object_refs),
    # REQ: ITI38-home-optional
    ("ITI-38: FindDocuments needs no home", find_without_home),
    # REQ: SQ-codes, SQ-status-unknown
    ("ITI-38: type code, creation time, status filter; values split over several rim:Value", filters),
    # REQ: SQ-dates
    ("ITI-38: creation time From is inclusive, To exclusive", creation_time_is_from_inclusive_to_exclusive),
    # REQ: SQ-entry-type
    ("ITI-38: document entry types", document_types),
    # REQ: SQ-unknown-parameter
    ("ITI-38: an unknown parameter is ignored", unknown_parameters_are_ignored),
    ("ITI-38: GetDocuments by entryUUID and by uniqueId", get_by_uuid_and_unique_id),
    # REQ: ITI38-home-required, SQ-object-list, SQ-error-attributes, ITI38-error-location
    ("zeep: ITI-38 asks, failure: a missing and an unknown home are named", communities),
    # REQ: ITI38-unknown-patient
    ("zeep: ITI-38 asks, empty: an unknown patient", unknown_patient),
    # REQ: SQ-missing-parameter, SQ-parameter-number, SQ-unknown-query
    ("zeep: ITI-38 asks, failure: an unknown query, missing and contradicting parameters", wrong_queries),
    ("ITI-38: a restricted document is neither found nor got", restricted_is_not_listed),
    ("ITI-38: other prefixes mean the same", other_prefixes),
]
