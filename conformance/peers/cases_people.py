"""A local system asks a node for people and for their ids: ITI-47 (with continuation and cancel) and ITI-45 through zeep and
IHE's WSDLs, in plain HTTP (ITI TF-2 3.45, 3.47). What comes is validated, decoded by zeep and compared with the question.
"""

import datetime
import re
import uuid

import zeep
from zeep.plugins import HistoryPlugin

from cases_local import own
from discovery import Discovery, MixedText, find, repair_zeep
from through_zeep import Security
from wire import HL7, expect, expect_equal

UNKNOWN_DOMAIN = "2.999.404.9"
_clients = {}


def write_wsdl(world, name, schemas):
    """As discovery.write_wsdl, of another transaction."""
    path = f"{world.scratch}/{name}.wsdl"
    with open(f"{world.folder}/hl7v3/wsdl/{name}/{name}-raw.wsdl", encoding="utf-8") as file:
        text = file.read()
    imports = "".join(
        f'<xsd:import namespace="{HL7}" schemaLocation="{world.folder}/hl7v3/schema/HL7V3/NE2008/multicacheschemas/{schema}.xsd"/>'
        for schema in schemas
    )
    types = f'<types><xsd:schema elementFormDefault="qualified">{imports}</xsd:schema></types>'
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r"<types>.*</types>", types, text, count=1, flags=re.S))
    return path


class Client:
    """zeep's client of one WSDL on the path /pdq of the node's local listener."""

    def __init__(self, world, name, binding, schemas):
        repair_zeep()
        self.side = own(world)
        self.history, self.mixed = HistoryPlugin(), MixedText()
        self.client = zeep.Client(
            write_wsdl(world, name, schemas),
            transport=zeep.Transport(session=self.side.wire.session, timeout=30, operation_timeout=30),
            plugins=[self.mixed, self.history],
            wsse=Security(lambda: None),
            settings=zeep.Settings(strict=False),
        )
        self.service = self.client.create_service(binding, self.side.wire.url + "/pdq")
        self.ours = self.side.home.removeprefix("urn:oid:")

    def call(self, operation, interaction, act):
        self.message_id = {"root": "2.25." + str(uuid.uuid4().int)}
        device = Discovery._device(self.ours)
        self.service[operation](
            ITSVersion="XML_1.0",
            id=self.message_id,
            creationTime={"value": datetime.datetime.utcnow().strftime("%Y%m%d%H%M%S+0000")},
            interactionId={"root": "2.16.840.1.113883.1.6", "extension": interaction},
            processingCode={"code": "P"},
            processingModeCode={"code": "T"},
            acceptAckCode={"code": "AL"},
            receiver=[{"typeCode": "RCV", "device": device}],
            sender={"typeCode": "SND", "device": device},
            controlActProcess={"classCode": "CACT", "moodCode": "EVN", **act},
        )
        payload = find(self.history.last_received["envelope"], "/env:Envelope/env:Body/*")[0]
        target = find(payload, "hl7:acknowledgement/hl7:targetMessage/hl7:id/@root")
        expect_equal([self.message_id["root"]], target, "targetMessage")
        return payload

    def new_query(self):
        self.query_id = {"root": "2.25." + str(uuid.uuid4().int), "extension": "q-1"}
        return {
            "queryId": self.query_id,
            "statusCode": {"code": "new"},
            "responseModalityCode": {"code": "R"},
            "responsePriorityCode": {"code": "I"},
        }


class People(Client):
    """ITI-47."""

    def __init__(self, world):
        schemas = ("PRPA_IN201305UV02", "PRPA_IN201306UV02", "MCCI_IN000002UV01", "QUQI_IN000003UV01")
        super().__init__(world, "iti47", "{urn:ihe:iti:pdqv3:2007}PDSupplier_Binding_Soap12", schemas)
        self.schema = world.schemas.of["ITI-55"]

    def ask(self, family, most=None, domain=None):
        query = self.new_query()
        parameters = {
            "livingSubjectName": [{"value": [{"_value_1": [{"family": {}}]}], "semanticsText": {}}],
            "otherIDsScopingOrganization": [{"value": [{"root": domain}], "semanticsText": {}}] if domain else [],
        }
        if most:
            query["initialQuantity"] = {"value": most}
        self.mixed.texts = {
            "family": [family],
            "semanticsText": ["LivingSubject.name"] + ["OtherIDs.scopingOrganization.id"] * bool(domain),
        }
        code = {"code": "PRPA_TE201305UV02", "codeSystem": "2.16.840.1.113883.1.6"}
        act = {"code": code, "queryByParameter": {**query, "parameterList": parameters}}
        return self.check(self.call("PDSupplier_PRPA_IN201305UV02", "PRPA_IN201305UV02", act))

    def further(self, status, operation, query_id=None):
        self.mixed.texts = {}
        code = {"code": "PRPA_TE000003UV01", "codeSystem": "2.16.840.1.113883.1.6"}
        continuation = {"queryId": query_id or self.query_id, "statusCode": {"code": status}}
        act = {"code": code, "queryContinuation": continuation}
        return self.call(f"PDSupplier_QUQI_IN000003UV01_{operation}", "QUQI_IN000003UV01", act)

    def more(self, query_id=None):
        return self.check(self.further("waitContinuedQueryResponse", "Continue", query_id))

    def check(self, payload):
        expect(self.schema.validate(payload), f"the answer is not valid: {self.schema.error_log}")
        return payload


def people(world):
    if "people" not in _clients:
        _clients["people"] = People(world)
    return _clients["people"]


def codes_of(payload):
    return (
        find(payload, "string(hl7:acknowledgement/hl7:typeCode/@code)"),
        find(payload, "string(hl7:controlActProcess/hl7:queryAck/hl7:queryResponseCode/@code)"),
    )


def quantities_of(payload):
    ack = "hl7:controlActProcess/hl7:queryAck/hl7:result"
    return tuple(int(find(payload, f"string({ack}{name}Quantity/@value)")) for name in ("Total", "Current", "Remaining"))


def ids_of(payload):
    return [(node.get("root"), node.get("extension")) for node in find(payload, ".//hl7:patient/hl7:id")]


def finds_people(world):
    client = people(world)
    payload = client.ask(world.arguments.family)
    expect_equal(("AA", "OK"), codes_of(payload), "codes")
    patient = client.side.patient
    wanted = (re.search(r"&([0-9.]+)&ISO", patient)[1], patient.split("^")[0])
    expect(wanted in ids_of(payload), f"{wanted} is not among {ids_of(payload)}")
    homes = set(find(payload, ".//hl7:custodian/hl7:assignedEntity/hl7:id/@root"))
    expect_equal({client.ours}, homes, "custodian")
    return payload


def finds_nobody(world):
    payload = people(world).ask("Nobody-Of-This-Name")
    expect_equal(("AA", "NF"), codes_of(payload), "codes")
    expect_equal((0, 0, 0), quantities_of(payload), "quantities")


def finds_in_parts(world):
    """By how names begin, so that there are several."""
    client = people(world)
    seen, payload = [], client.ask(world.arguments.family[:2] + "*", most=1)
    total, current, remaining = quantities_of(payload)
    expect(total >= 1 and current == 1, f"quantities {total} {current} {remaining}")
    seen += ids_of(payload)[:1]
    while remaining:
        payload = client.more()
        expect_equal(("AA", "OK"), codes_of(payload), "codes of a further part")
        expect_equal(remaining - 1, quantities_of(payload)[2], "remaining")
        seen += ids_of(payload)[:1]
        remaining -= 1
    expect_equal(total, len(set(seen)), "different people")


def asks_wrongly(world):
    client = people(world)
    payload = client.ask(world.arguments.family, domain=UNKNOWN_DOMAIN)
    expect_equal(("AE", "AE"), codes_of(payload), "codes of an unknown domain")
    expect_equal(["204"], find(payload, ".//hl7:acknowledgementDetail/hl7:code/@code"), "detail")
    location = find(payload, "string(.//hl7:acknowledgementDetail/hl7:location)")
    expect("otherIDsScopingOrganization" in location, f"location {location}")
    payload = client.more({"root": "2.25.1", "extension": "of nobody"})
    expect_equal(("AE", "AE"), codes_of(payload), "codes of a foreign queryId")


class Ids(Client):
    """ITI-45."""

    def __init__(self, world):
        super().__init__(world, "iti45", "{urn:ihe:iti:pixv3:2007}PIXManager_Binding_Soap12", ("PRPA_IN201309UV02", "PRPA_IN201310UV02"))

    def ask(self, root, extension, domain=None):
        self.mixed.texts = {"semanticsText": ["DataSource.id"] * bool(domain) + ["Patient.id"]}
        parameters = {
            "dataSource": [{"value": [{"root": domain}], "semanticsText": {}}] if domain else [],
            "patientIdentifier": [{"value": [{"root": root, "extension": extension}], "semanticsText": {}}],
        }
        query = self.new_query()
        query.pop("responseModalityCode")
        code = {"code": "PRPA_TE201309UV02", "codeSystem": "2.16.840.1.113883.1.6"}
        act = {"code": code, "queryByParameter": {**query, "parameterList": parameters}}
        return self.call("PIXManager_PRPA_IN201309UV02", "PRPA_IN201309UV02", act)


def ids(world):
    if "ids" not in _clients:
        _clients["ids"] = Ids(world)
    return _clients["ids"]


def finds_ids(world):
    """Every id that ITI-47 says, asked for by each of them."""
    patient = find(finds_people(world), ".//hl7:patient")[0]
    known = [(node.get("root"), node.get("extension")) for node in find(patient, "hl7:id | .//hl7:asOtherIDs/hl7:id")]
    for one in known:
        payload = ids(world).ask(*one)
        others = [other for other in known if other != one]
        expect_equal(("AA", "OK" if others else "NF"), codes_of(payload), "codes")
        expect_equal(set(others), set(ids_of(payload)), f"other ids than {one}")


def finds_no_id(world):
    patient = people(world).side.patient
    root, extension = re.search(r"&([0-9.]+)&ISO", patient)[1], patient.split("^")[0]
    payload = ids(world).ask(root, extension, domain=root)
    expect_equal(("AA", "NF"), codes_of(payload), "codes: the only id of the domain is the one that was asked about")


def asks_for_unknown_ids(world):
    patient = people(world).side.patient
    root, extension = re.search(r"&([0-9.]+)&ISO", patient)[1], patient.split("^")[0]
    for payload, place in (
        (ids(world).ask(root, "nobody"), "patientIdentifier"),
        (ids(world).ask(root, extension, domain=UNKNOWN_DOMAIN), "dataSource"),
    ):
        expect_equal(("AE", "AE"), codes_of(payload), "codes")
        expect_equal(["204"], find(payload, ".//hl7:acknowledgementDetail/hl7:code/@code"), "detail")
        expect(place in find(payload, "string(.//hl7:acknowledgementDetail/hl7:location)"), f"no location of {place}")


CASES = [
    # REQ: ITI47-matches, ITI47-answer
    ("zeep: ITI-47 local, success: by the family name", finds_people),
    ("zeep: ITI-47 local, empty: nobody of the name", finds_nobody),
    # REQ: ITI47-initial-quantity, ITI47-continuation-answered
    ("zeep: ITI-47 local, partial: part by part until the end", finds_in_parts),
    # REQ: ITI47-unknown-domain
    ("zeep: ITI-47 local, failure: an unknown domain, somebody else's query", asks_wrongly),
    # REQ: ITI45-answered
    ("zeep: ITI-45 local, success: each id leads to the others", finds_ids),
    ("zeep: ITI-45 local, empty: no other id of the domain", finds_no_id),
    # REQ: ITI45-unknown-answered
    ("zeep: ITI-45 local, failure: an unknown patient, an unknown domain", asks_for_unknown_ids),
]
