"""ITI-55 through zeep: the message is built by zeep from the HL7 V3 schemas of the test data, and the answer is
decoded by it. zeep knows no text in elements of mixed content (names): a plugin puts it, the caller reads it.
"""

import datetime
import re
import uuid

import zeep
from lxml import etree
from zeep.plugins import HistoryPlugin, Plugin
from zeep.xsd.types.collection import UnionType

from wire import HL7, NS

SCHEMAS = ("PRPA_IN201305UV02", "PRPA_IN201306UV02", "MCCI_IN000002UV01")


def repair_zeep():
    """zeep 4.2 cannot write or read a value of a union of unions (HL7 V3's class codes): treat it as text."""
    resolve = UnionType.resolve

    def resolve_as_text(union):
        resolved = resolve(union)
        if union.item_class is UnionType:
            union.item_class = None
        return resolved

    UnionType.resolve = resolve_as_text


def write_wsdl(schema_folder, path):
    """The WSDL of the test data declares the messages as anyType; here it imports their schemas instead."""
    with open(f"{schema_folder}/hl7v3/wsdl/iti55/iti55-raw.wsdl", encoding="utf-8") as file:
        text = file.read()
    imports = "".join(
        f'<xsd:import namespace="{HL7}" schemaLocation="{schema_folder}/hl7v3/schema/HL7V3/NE2008/'
        f'multicacheschemas/{name}.xsd"/>'
        for name in SCHEMAS
    )
    types = f'<types><xsd:schema elementFormDefault="qualified">{imports}</xsd:schema></types>'
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r"<types>.*</types>", types, text, count=1, flags=re.S))


class MixedText(Plugin):
    """Puts text into the mixed elements of a rendered message: by the element's name, in document order."""

    def __init__(self):
        self.texts = {}

    def egress(self, envelope, http_headers, operation, binding_options):
        for name, texts in self.texts.items():
            for element, text in zip(envelope.iter(f"{{{HL7}}}{name}"), texts):
                element.text = text
        return envelope, http_headers


class Discovery:
    """A zeep client for ITI-55. <security> is its wsse plugin."""

    def __init__(self, wsdl, url, session, security):
        self.history, self.mixed = HistoryPlugin(), MixedText()
        transport = zeep.Transport(session=session, timeout=30, operation_timeout=30)
        self.client = zeep.Client(
            wsdl,
            transport=transport,
            plugins=[self.mixed, self.history],
            wsse=security,
            settings=zeep.Settings(strict=False),
        )
        binding = "{urn:ihe:iti:xcpd:2009}RespondingGateway_Binding_Soap12"
        self.service = self.client.create_service(binding, url + "/xcpd")

    def ask(self, ours, theirs, family, given, birth_date, sex):
        """The decoded PRPA_IN201306UV02; the envelopes are in sent() and received()."""
        message_id = {"root": "2.25." + str(uuid.uuid4().int)}
        self.query_id = {"root": "2.25." + str(uuid.uuid4().int), "extension": "q-1"}
        parameters = {
            "livingSubjectAdministrativeGender": [{"value": [{"code": sex}], "semanticsText": {}}] if sex else [],
            "livingSubjectBirthTime": [{"value": [{"value": birth_date}], "semanticsText": {}}] if birth_date else [],
            "livingSubjectName": [
                {"value": [{"_value_1": [{"given": {}}, {"family": {}}]}], "semanticsText": {}},
            ],
        }
        self.mixed.texts = {
            "family": [family],
            "given": [given],
            "semanticsText": ["LivingSubject.administrativeGender"] * bool(sex)
            + ["LivingSubject.birthTime"] * bool(birth_date)
            + ["LivingSubject.name"],
        }
        self.message_id = message_id
        return self.service.RespondingGateway_PRPA_IN201305UV02(
            ITSVersion="XML_1.0",
            id=message_id,
            creationTime={"value": datetime.datetime.utcnow().strftime("%Y%m%d%H%M%S+0000")},
            interactionId={"root": "2.16.840.1.113883.1.6", "extension": "PRPA_IN201305UV02"},
            processingCode={"code": "P"},
            processingModeCode={"code": "T"},
            acceptAckCode={"code": "AL"},
            receiver=[{"typeCode": "RCV", "device": self._device(theirs)}],
            sender={"typeCode": "SND", "device": self._device(ours)},
            controlActProcess={
                "classCode": "CACT",
                "moodCode": "EVN",
                "code": {"code": "PRPA_TE201305UV02", "codeSystem": "2.16.840.1.113883.1.6"},
                "queryByParameter": {
                    "queryId": self.query_id,
                    "statusCode": {"code": "new"},
                    "responseModalityCode": {"code": "R"},
                    "responsePriorityCode": {"code": "I"},
                    "parameterList": parameters,
                },
            },
        )

    @staticmethod
    def _device(community):
        organization = {"classCode": "ORG", "determinerCode": "INSTANCE", "id": [{"root": community}]}
        return {
            "classCode": "DEV",
            "determinerCode": "INSTANCE",
            "id": [{"root": community}],
            "asAgent": {"classCode": "AGNT", "representedOrganization": organization},
        }

    def sent(self):
        return self.history.last_sent["envelope"]

    def received(self):
        return self.history.last_received["envelope"]


def same_content(one, other):
    """Equal but for prefixes, white space between elements and the order of attributes."""
    return (
        one.tag == other.tag
        and dict(one.attrib) == dict(other.attrib)
        and (one.text or "").strip() == (other.text or "").strip()
        and len(one) == len(other)
        and all(same_content(a, b) for a, b in zip(one, other))
    )


def find(node, path):
    return node.xpath(path, namespaces=NS)


def element_of(envelope, path):
    found = find(envelope, path)
    return found[0] if found else etree.Element("nothing")
