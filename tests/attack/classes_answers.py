"""Answers of a partner to questions of ours: swapped, replayed, of another kind, confirming another signature."""

import base64
import copy

from lxml import etree

from catalogue import Case, attack
from classes_xsw import wrap
from messages import IHE, US, instant
from signing import HL7, SOAP, WSA, WSSE, WSSE11, WSU, q

QUESTION = "urn:uuid:11111111-1111-4111-8111-111111111111"
OTHER = "urn:uuid:22222222-2222-4222-8222-222222222222"
RS = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
QUERY = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
FAILURE = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"
ACTIONS = {
    "ITI-55": "urn:hl7-org:v3:PRPA_IN201306UV02:CrossGatewayPatientDiscovery",
    "ITI-38": "urn:ihe:iti:2007:CrossGatewayQueryResponse",
    "ITI-39": "urn:ihe:iti:2007:CrossGatewayRetrieveResponse",
}
PAYLOADS = {
    "ITI-55": f'<PRPA_IN201306UV02 xmlns="{HL7}"><acknowledgement><typeCode code="AA"/></acknowledgement><controlActProcess '
    f'classCode="CACT" moodCode="EVN"><subject><registrationEvent><subject1><patient><id root="2.999.1.1" extension="77"/>'
    f"<patientPerson><name><family>Ibarra</family></name></patientPerson></patient></subject1><custodian><assignedEntity>"
    f'<id root="2.999.1"/></assignedEntity></custodian></registrationEvent></subject><queryAck>'
    f'<queryId root="2.25.7" extension="q"/><queryResponseCode code="OK"/></queryAck></controlActProcess></PRPA_IN201306UV02>',
    "ITI-38": f'<q:AdhocQueryResponse xmlns:q="{QUERY}" xmlns:rs="{RS}" status="{FAILURE}"><rs:RegistryErrorList><rs:RegistryError '
    f'errorCode="XDSUnknownPatientId" codeContext="x" severity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"/>'
    f"</rs:RegistryErrorList></q:AdhocQueryResponse>",
    "ITI-39": f'<i:RetrieveDocumentSetResponse xmlns:i="{IHE}" xmlns:rs="{RS}"><rs:RegistryResponse status="{SUCCESS}"/>'
    f"<i:DocumentResponse><i:HomeCommunityId>urn:oid:2.999.1</i:HomeCommunityId><i:RepositoryUniqueId>2.999.1.2"
    f"</i:RepositoryUniqueId><i:DocumentUniqueId>2.999.77.1</i:DocumentUniqueId><i:mimeType>text/plain</i:mimeType>"
    f"<i:Document>aGVsbG8=</i:Document></i:DocumentResponse></i:RetrieveDocumentSetResponse>",
}
CONTENT = {
    "ITI-55": ["id=77", "family=Ibarra", "home=2.999.1"],
    "ITI-38": ["error=XDSUnknownPatientId"],
    "ITI-39": ["document=2.999.77.1", "home=urn:oid:2.999.1", "content=hello"],
}


class Answer:
    """What a partner answers to our question. <signature>: SignatureValue of our question's Timestamp."""

    def __init__(self, world, transaction, confirmations=(), created_us=None, expires_us=None):
        self.world, self.transaction = world, transaction
        self.signature = signature_of(world, b"ours")
        created = instant(created_us or world.now_us - US)
        expires = instant(expires_us or world.now_us + 300 * US)
        confirmed = "".join(
            f'<w11:SignatureConfirmation xmlns:w11="{WSSE11}"' + (f' Value="{value}"' if value is not None else "") + "/>"
            for value in confirmations
        )
        self.root = etree.fromstring(
            f'<s:Envelope xmlns:s="{SOAP}" xmlns:wsa="{WSA}"><s:Header><wsa:Action>{ACTIONS[transaction]}</wsa:Action>'
            f"<wsa:MessageID>{OTHER}</wsa:MessageID><wsa:RelatesTo>{QUESTION}</wsa:RelatesTo>"
            f'<wsse:Security xmlns:wsse="{WSSE}" s:mustUnderstand="1"><wsu:Timestamp xmlns:wsu="{WSU}"><wsu:Created>{created}'
            f"</wsu:Created><wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp>{confirmed}</wsse:Security></s:Header>"
            f"<s:Body>{PAYLOADS[transaction]}</s:Body></s:Envelope>"
        )

    header = property(lambda self: self.root[0])
    relates = property(lambda self: self.header.find(q(WSA, "RelatesTo")))
    security = property(lambda self: self.header.find(q(WSSE, "Security")))

    def case(self, name, benign=False, body=None, question=None, **more):
        facts = {
            "transaction": self.transaction,
            "action": ACTIONS[self.transaction],
            "relates_to": QUESTION,
            "payload": etree.QName(self.root[-1][0]).localname,
            "content": CONTENT[self.transaction],
        }
        order = {"transaction": self.transaction, "message_id": QUESTION, "query_root": "2.25.7", "query_extension": "q",
                 "signature": self.signature, **(question or {})}  # fmt: skip
        body = body if body is not None else etree.tostring(self.root)
        return Case(name, benign, body, "application/soap+xml", "", None, facts=facts, answer=order, live=False, **more)


def signature_of(world, data):
    """A SignatureValue of our own node's signing key."""
    return base64.b64encode(world.us.sign(world.us.method(), data)).decode()


@attack("WSW-10", "A1.2", {"PARTNER_ANSWER"}, naive="an answer to another question of ours")
def wsw_10(world):
    """Answers swapped between questions: RelatesTo, SignatureConfirmation or queryId are those of another one, or of none."""
    for transaction in ACTIONS:
        yield Answer(world, transaction).case(f"{transaction}-plain", True)
        ours = signature_of(world, b"ours")
        yield Answer(world, transaction, [ours]).case(f"{transaction}-confirmed", True)
        for name, text in (("another", OTHER), ("empty", ""), ("prefix", QUESTION[:-1]), ("longer", QUESTION + "1"), ("capitals", QUESTION.upper())):
            answer = Answer(world, transaction)
            answer.relates.text = text
            yield answer.case(f"{transaction}-relates-{name}")
        answer = Answer(world, transaction)
        answer.header.remove(answer.relates)
        yield answer.case(f"{transaction}-relates-not")
        answer = Answer(world, transaction)
        answer.relates.set("RelationshipType", "urn:example:other")
        yield answer.case(f"{transaction}-relates-otherwise")
        answer = Answer(world, transaction)
        hidden = wrap(copy.deepcopy(answer.relates))
        answer.relates.text = OTHER
        answer.header.append(hidden)
        yield answer.case(f"{transaction}-relates-in-wrapper")
    yield from confirmations(world)
    answer = Answer(world, "ITI-55")
    answer.root.find(".//" + q(HL7, "queryId")).set("extension", "another")
    yield answer.case("query-id")
    answer = Answer(world, "ITI-55")
    answer.root.find(".//" + q(HL7, "queryId")).set("root", "2.25.8")
    yield answer.case("query-root")


def confirmations(world):
    """SignatureConfirmations: one must be of our question; a bearer question confirms nothing."""
    ours, others = signature_of(world, b"ours"), signature_of(world, b"another question")
    wrapped = ours[:40] + "&#10; " + ours[40:]
    for name, values in (("two", [others, ours]), ("folded", [wrapped])):
        yield Answer(world, "ITI-55", values).case(f"confirmed-{name}", True)
    for name, values in (("others", [others]), ("two-others", [others, others]), ("none", [None]), ("empty", [""]),
                         ("cut", [ours[:-8]]), ("text", ["no base64 %"]), ("long", ["A" * 100000])):  # fmt: skip
        expect = {"LIMIT_XML"} if name == "long" else None  # a start tag beyond its limit
        yield Answer(world, "ITI-55", values).case(f"confirmed-{name}", expect=expect)


@attack("ANSWER-KIND", "A1.2, A2", {"PARTNER_ANSWER", "SOAP_FAULT"})
def answer_kind(world):
    """Answers of another transaction, questions and faults instead of answers; actions that disagree; structures."""
    for transaction in ACTIONS:
        yield Answer(world, transaction).case(f"{transaction}-good", True)
        for other in ACTIONS:
            if other == transaction:
                continue
            yield Answer(world, other).case(f"{transaction}-gets-{other}", question={"transaction": transaction})
            answer = Answer(world, transaction)
            answer.header[0].text = ACTIONS[other]
            yield answer.case(f"{transaction}-action-{other}")
    answer = Answer(world, "ITI-55")
    fault = f'<s:Fault xmlns:s="{SOAP}"><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text xml:lang="en">no</s:Text></s:Reason></s:Fault>'
    answer.root[-1].replace(answer.root[-1][0], etree.fromstring(fault))
    yield answer.case("fault")
    answer.header[0].text = WSA + "/fault"
    yield answer.case("fault-with-action")
    body = etree.tostring(Answer(world, "ITI-55").root)
    for name, data, expect in (
        ("doctype", b"<!DOCTYPE x>" + body, {"XML_DTD"}),
        ("two-bodies", body.replace(b"</s:Body>", b"</s:Body><s:Body/>"), {"SOAP_STRUCTURE"}),
        ("cut", body[:-20], {"XML_SYNTAX"}),
        ("html", b"<html><body>Service unavailable</body></html>", {"SOAP_STRUCTURE", "SOAP_VERSION"}),
        ("empty", b"", {"XML_SYNTAX"}),
        ("mandatory", body.replace(b"<wsa:Action>", b'<x:y xmlns:x="urn:x" s:mustUnderstand="1"/><wsa:Action>'), {"SOAP_MUST_UNDERSTAND"}),
        ("two-actions", body.replace(b"<wsa:MessageID>", b"<wsa:Action>x</wsa:Action><wsa:MessageID>"), {"WSA_HEADER"}),
    ):  # fmt: skip
        yield Answer(world, "ITI-55").case(name, body=data, expect=expect)


@attack("ANSWER-TIME", "spec 3.2", {"PARTNER_ANSWER"})
def answer_time(world):
    """The Timestamp of an answer: expired, ahead, reversed, twice, no time; absent is fine."""
    now = world.now_us
    yield Answer(world, "ITI-55").case("now", True)
    answer = Answer(world, "ITI-55")
    answer.header.remove(answer.security)
    yield answer.case("no-security", True)
    answer = Answer(world, "ITI-55")
    answer.security.remove(answer.security[0])
    yield answer.case("no-timestamp", True)
    for name, created_s, expires_s in (("expired", -600, -120), ("ahead", 120, 600), ("reversed", 30, 10), ("long-ago", -9 * 10**8, -8 * 10**8)):
        yield Answer(world, "ITI-55", (), now + created_s * US, now + expires_s * US).case(name)
    for name, text in (("no-zone", "2026-01-01T00:00:00"), ("text", "now"), ("empty", "")):
        for index in (0, 1):
            answer = Answer(world, "ITI-55")
            answer.security[0][index].text = text
            yield answer.case(f"{'created' if index == 0 else 'expires'}-{name}")
    answer = Answer(world, "ITI-55")
    answer.security.append(copy.deepcopy(answer.security[0]))
    yield answer.case("two-timestamps")
    answer = Answer(world, "ITI-55")
    answer.header.append(copy.deepcopy(answer.security))
    yield answer.case("two-security")
