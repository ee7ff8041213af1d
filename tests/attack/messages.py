"""Genuine messages of a partner, made in full and then changed: every piece can be replaced, before or after it is
signed. The facts of a message are written down by who makes it, not read back from it.
"""

import copy
import datetime
import itertools
import uuid
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from signing import (
    DS,
    HL7,
    NS,
    SAML,
    SOAP,
    WSA,
    WSSE,
    WSU,
    XSI,
    Reference,
    Style,
    full_key_info,
    q,
    sign,
    token_reference,
)

ANONYMOUS = WSA + "/anonymous"
HOLDER_OF_KEY = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SENDER_VOUCHES = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
X509_NAME = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
URI_NAME = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
XSPA = "urn:oasis:names:tc:xspa:1.0:subject:"
XSPA2 = "urn:oasis:names:tc:xspa:2.0:subject:"
HCID_IHE = "urn:ihe:iti:xca:2010:homeCommunityId"
HCID_NHIN = "urn:nhin:names:saml:homeCommunityId"
ROLE = "urn:oasis:names:tc:xacml:2.0:subject:role"
RESOURCE = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
ACP = "urn:ihe:iti:xua:2012:acp"
IACP = "urn:ihe:iti:bppc:2007:docid"
PURPOSES = "2.16.840.1.113883.3.7204.1.5.2.1"
SNOMED = "2.16.840.1.113883.6.96"

FIND_DOCUMENTS = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
QUERY = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
IHE = "urn:ihe:iti:xds-b:2007"

ACTIONS = {
    "ITI-55": "urn:hl7-org:v3:PRPA_IN201305UV02:CrossGatewayPatientDiscovery",
    "ITI-38": "urn:ihe:iti:2007:CrossGatewayQuery",
    "ITI-39": "urn:ihe:iti:2007:CrossGatewayRetrieve",
}
PATHS = {"ITI-55": "/xcpd", "ITI-38": "/xca/query", "ITI-39": "/xca/retrieve"}
PAYLOADS = {
    "ITI-55": (HL7, "PRPA_IN201305UV02"),
    "ITI-38": (QUERY, "AdhocQueryRequest"),
    "ITI-39": (IHE, "RetrieveDocumentSetRequest"),
}
US = 1000000


def instant(at_us):
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=at_us)
    return at.isoformat(timespec="milliseconds") + "Z"


# ---- pieces ----


def attribute(name, value, name_format=URI_NAME):
    """<value>: XML text of one AttributeValue's content, or a list of them."""
    values = value if isinstance(value, list) else [value]
    inner = "".join(f"<saml2:AttributeValue>{v}</saml2:AttributeValue>" for v in values)
    form = f" NameFormat={quoteattr(name_format)}" if name_format else ""
    return f'<saml2:Attribute xmlns:saml2="{SAML}" Name={quoteattr(name)}{form}>{inner}</saml2:Attribute>'


def coded(element, code, system, display="", system_name=""):
    return (
        f'<{element} xmlns="{HL7}" xmlns:xsi="{XSI}" xsi:type="CE" code={quoteattr(code)} codeSystem={quoteattr(system)} '
        f"codeSystemName={quoteattr(system_name)} displayName={quoteattr(display)}/>"
    )


def confirmation(method, *infos, data=""):
    inner = "".join(infos)
    inside = f"<saml2:SubjectConfirmationData{data}>{inner}</saml2:SubjectConfirmationData>" if infos or data else ""
    return (
        f'<saml2:SubjectConfirmation xmlns:saml2="{SAML}" Method={quoteattr(method)}>{inside}</saml2:SubjectConfirmation>'
    )


@dataclass
class Ask:
    """What a message shall say. Times are wall time in microseconds."""

    transaction: str
    party: object  # who asks (world.Party)
    world: object
    now_us: int
    user: str = "Dr. Rosa Rot"
    name_id: str = "UID=rrot,O=red HIE"
    organization: str = ""
    organization_id: str = ""
    home_community: str = ""
    issuer: str = ""
    role: tuple = ("112247003", SNOMED, "Medical doctor")
    purpose: tuple = ("T-TREAT", PURPOSES, "Treatment")
    audience: str = ""
    npi: str = ""
    resource_id: str = ""
    more_attributes: str = ""  # XML text at the end of the AttributeStatement
    confirmations: str = None  # XML text; None: holder of the party's key
    extra: str = ""  # XML text at the end of the assertion
    age_s: int = 5
    lifetime_s: int = 1800
    assertion_id: str = ""
    message_id: str = ""
    family: str = "Ibarra"
    given: str = "Nuria"
    birth: str = "19700102"
    body: str = ""  # XML text of the payload; "": the usual
    reply_to: str = ANONYMOUS
    to: str = None
    facts: dict = field(default_factory=dict)  # what replaces the facts below

    def __post_init__(self):
        party = self.party
        self.organization = self.organization or party.organization
        self.organization_id = self.organization_id or f"urn:oid:{party.community}"
        self.home_community = self.home_community or party.community
        self.issuer = self.issuer or party.signer.subject
        self.audience = self.audience or self.world.url + PATHS[self.transaction]
        self.assertion_id = self.assertion_id or f"_{uuid.uuid4()}"
        self.message_id = self.message_id or f"urn:uuid:{uuid.uuid4()}"
        if self.to is None:
            self.to = self.world.url + PATHS[self.transaction]
        self.start_us = (self.now_us // 1000 - self.age_s * 1000) * 1000
        self.end_us = self.start_us + self.lifetime_s * US


def timestamp_text(ask):
    return (
        f'<wsu:Timestamp xmlns:wsu="{WSU}" wsu:Id="_1"><wsu:Created>{instant(ask.start_us)}</wsu:Created>'
        f"<wsu:Expires>{instant(ask.end_us)}</wsu:Expires></wsu:Timestamp>"
    )


def statement_text(ask):
    parts = [
        attribute(XSPA + "subject-id", escape(ask.user)),
        attribute(XSPA + "organization", escape(ask.organization)),
        attribute(XSPA + "organization-id", escape(ask.organization_id)),
        attribute(HCID_IHE, f"urn:oid:{ask.home_community}"),
        attribute(HCID_NHIN, f"urn:oid:{ask.home_community}"),
        attribute(ROLE, coded("Role", *ask.role)),
        attribute(XSPA + "purposeofuse", coded("PurposeOfUse", *ask.purpose)),
    ]
    if ask.npi:
        parts.append(attribute(XSPA + "npi", ask.npi))
    if ask.resource_id:
        parts.append(attribute(RESOURCE, escape(ask.resource_id)))
    return f'<saml2:AttributeStatement>{"".join(parts)}{ask.more_attributes}</saml2:AttributeStatement>'


def assertion_text(ask):
    confirmed = ask.confirmations
    if confirmed is None:
        confirmed = confirmation(HOLDER_OF_KEY, full_key_info(ask.party.signer))
    start, end = instant(ask.start_us), instant(ask.end_us)
    return (
        f'<saml2:Assertion xmlns:saml2="{SAML}" ID="{ask.assertion_id}" IssueInstant="{start}" Version="2.0">'
        f'<saml2:Issuer Format="{X509_NAME}">{escape(ask.issuer)}</saml2:Issuer>'
        f'<saml2:Subject><saml2:NameID Format="{X509_NAME}">{escape(ask.name_id)}</saml2:NameID>{confirmed}</saml2:Subject>'
        f'<saml2:Conditions NotBefore="{start}" NotOnOrAfter="{end}"><saml2:AudienceRestriction>'
        f"<saml2:Audience>{escape(ask.audience)}</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>"
        f'<saml2:AuthnStatement AuthnInstant="{start}" SessionIndex="1"><saml2:SubjectLocality Address="127.0.0.1" '
        f'DNSName="localhost"/><saml2:AuthnContext><saml2:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:X509'
        f"</saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement>{statement_text(ask)}{ask.extra}"
        f"</saml2:Assertion>"
    )


# ---- payloads ----

serial = itertools.count(1)


def device(role, code, community):
    return (
        f'<{role} typeCode="{code}"><device classCode="DEV" determinerCode="INSTANCE"><id root="{community}"/>'
        f'<asAgent classCode="AGNT"><representedOrganization classCode="ORG" determinerCode="INSTANCE"><id root="{community}"/>'
        f"</representedOrganization></asAgent></device></{role}>"
    )


def discovery_text(ask, number):
    created = instant(ask.now_us)[:19].replace("-", "").replace(":", "").replace("T", "")
    return (
        f'<PRPA_IN201305UV02 xmlns="{HL7}" ITSVersion="XML_1.0"><id root="2.25.{number}"/>'
        f'<creationTime value="{created}+0000"/><interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201305UV02"/>'
        f'<processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="AL"/>'
        f'{device("receiver", "RCV", ask.world.community)}{device("sender", "SND", ask.home_community)}'
        f'<controlActProcess classCode="CACT" moodCode="EVN">'
        f'<code code="PRPA_TE201305UV02" codeSystem="2.16.840.1.113883.1.6"/><queryByParameter>'
        f'<queryId root="2.25.{number}9" extension="q-1"/><statusCode code="new"/><responseModalityCode code="R"/>'
        f'<responsePriorityCode code="I"/><parameterList><livingSubjectAdministrativeGender><value code="F"/>'
        f"<semanticsText>LivingSubject.administrativeGender</semanticsText></livingSubjectAdministrativeGender>"
        f'<livingSubjectBirthTime><value value="{ask.birth}"/><semanticsText>LivingSubject.birthTime</semanticsText>'
        f"</livingSubjectBirthTime><livingSubjectName><value><given>{escape(ask.given)}</given>"
        f"<family>{escape(ask.family)}</family></value><semanticsText>LivingSubject.name</semanticsText></livingSubjectName>"
        f"</parameterList></queryByParameter></controlActProcess></PRPA_IN201305UV02>"
    )


def discovery_content(ask, number):
    return [
        f"message=2.25.{number}^",
        f"query=2.25.{number}9^q-1",
        f"sender={ask.home_community}",
        f"receiver={ask.world.community}",
        f"family={ask.family}",
        f"given={ask.given}",
        f"birth={ask.birth}",
        "sex=F",
    ]


def query_text(ask, number):
    patient = f"{number}^^^&amp;{ask.world.community}.1&amp;ISO"
    return (
        f'<query:AdhocQueryRequest xmlns:query="{QUERY}" xmlns:rim="{RIM}"><query:ResponseOption '
        f'returnComposedObjects="true" returnType="LeafClass"/><rim:AdhocQuery id="{FIND_DOCUMENTS}" '
        f'home="urn:oid:{ask.world.community}"><rim:Slot name="$XDSDocumentEntryPatientId"><rim:ValueList>'
        f"<rim:Value>'{patient}'</rim:Value></rim:ValueList></rim:Slot><rim:Slot name=\"$XDSDocumentEntryStatus\">"
        f"<rim:ValueList><rim:Value>('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')</rim:Value></rim:ValueList>"
        f"</rim:Slot></rim:AdhocQuery></query:AdhocQueryRequest>"
    )


def query_content(ask, number):
    return [
        f"query={FIND_DOCUMENTS}",
        f"home=urn:oid:{ask.world.community}",
        "return=LeafClass",
        f"$XDSDocumentEntryPatientId={number}^^^&{ask.world.community}.1&ISO",
        "$XDSDocumentEntryStatus=urn:oasis:names:tc:ebxml-regrep:StatusType:Approved",
    ]


def retrieve_text(ask, number):
    return (
        f'<ihe:RetrieveDocumentSetRequest xmlns:ihe="{IHE}"><ihe:DocumentRequest>'
        f"<ihe:HomeCommunityId>urn:oid:{ask.world.community}</ihe:HomeCommunityId>"
        f"<ihe:RepositoryUniqueId>{ask.world.community}.2</ihe:RepositoryUniqueId>"
        f"<ihe:DocumentUniqueId>2.999.77.{number}</ihe:DocumentUniqueId></ihe:DocumentRequest>"
        f"</ihe:RetrieveDocumentSetRequest>"
    )


def retrieve_content(ask, number):
    return [
        f"home=urn:oid:{ask.world.community}",
        f"repository={ask.world.community}.2",
        f"document=2.999.77.{number}",
    ]


BODIES = {
    "ITI-55": (discovery_text, discovery_content),
    "ITI-38": (query_text, query_content),
    "ITI-39": (retrieve_text, retrieve_content),
}


def genuine_facts(ask, content, has_signature):
    facts = {
        "partner": ask.party.id,
        "transaction": ask.transaction,
        "action": ACTIONS[ask.transaction],
        "to": ask.to,
        "message_id": ask.message_id,
        "reply_to": ask.reply_to,
        "payload": PAYLOADS[ask.transaction][1],
        "payload_namespace": PAYLOADS[ask.transaction][0],
        "assertion_id": ask.assertion_id,
        "issuer": ask.issuer,
        "issuer_format": X509_NAME,
        "name_id": ask.name_id,
        "name_id_format": X509_NAME,
        "subject_id": ask.user,
        "organization": ask.organization,
        "organization_id": ask.organization_id,
        "home_community": ask.home_community,
        "npi": ask.npi,
        "resource_id": ask.resource_id,
        "not_before_us": ask.start_us,
        "not_on_or_after_us": ask.end_us,
        "authn_instant_us": ask.start_us,
        "created_us": ask.start_us,
        "expires_us": ask.end_us,
        "is_holder_of_key": has_signature,
        "role": "|".join(ask.role),
        "purpose": "|".join(ask.purpose),
        "acp": [],
        "iacp": [],
        "provider_ids": [],
        "omitted": 0,
        "has_sha1": False,
        "is_one_time": False,
        "key": ask.party.signer.sha256,
        "content": content,
    }
    facts.update(ask.facts)
    return {name: value for name, value in facts.items() if value != ""}


# ---- the whole message ----


class Message:
    """A SOAP message as a tree, and what it says. Changes are the caller's; copy() first."""

    def __init__(self, ask, root, facts):
        self.ask, self.root, self.facts = ask, root, facts
        self.path = PATHS[ask.transaction]
        self.content_type = f'application/soap+xml; charset=UTF-8; action="{ACTIONS[ask.transaction]}"'

    def copy(self):
        twin = copy.copy(self)
        twin.root, twin.facts = copy.deepcopy(self.root), copy.deepcopy(self.facts)
        return twin

    def bytes(self):
        return etree.tostring(self.root)

    def find(self, path):
        found = self.root.xpath(path, namespaces=NS)
        return found[0] if found else None

    header = property(lambda self: self.root.find(q(SOAP, "Header")))
    body = property(lambda self: self.root.find(q(SOAP, "Body")))
    payload = property(lambda self: self.body[0])
    security = property(lambda self: self.find("/s:Envelope/s:Header/wsse:Security"))
    timestamp = property(lambda self: self.find("/s:Envelope/s:Header/wsse:Security/wsu:Timestamp"))
    assertion = property(lambda self: self.find("/s:Envelope/s:Header/wsse:Security/saml:Assertion"))
    assertion_signature = property(lambda self: self.find("//wsse:Security/saml:Assertion/ds:Signature"))
    message_signature = property(lambda self: self.find("/s:Envelope/s:Header/wsse:Security/ds:Signature"))


def envelope_text(ask, body):
    to = f"<wsa:To>{escape(ask.to)}</wsa:To>" if ask.to else ""
    reply = f"<wsa:ReplyTo><wsa:Address>{escape(ask.reply_to)}</wsa:Address></wsa:ReplyTo>" if ask.reply_to else ""
    return (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:wsa="{WSA}"><s:Header>'
        f'<wsa:Action s:mustUnderstand="1">{ACTIONS[ask.transaction]}</wsa:Action>{to}'
        f"<wsa:MessageID>{ask.message_id}</wsa:MessageID>{reply}"
        f'<wsse:Security xmlns:wsse="{WSSE}" s:mustUnderstand="1">{timestamp_text(ask)}{assertion_text(ask)}'
        f"</wsse:Security></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def make_message(
    ask,
    edit=None,
    edit_timestamp=None,
    assertion_style=None,
    message_style=None,
    signer=None,
    message_signer=None,
    assertion_reference=None,
    message_reference=None,
    sign_message=True,
    sign_assertion=True,
):
    """A message of <ask>. <edit>, <edit_timestamp>: change the assertion, the Timestamp before they are signed.
    <signer>, <message_signer>: other keys than the party's. <..._reference>: members of signing.Reference."""
    number = next(serial)
    write, content = BODIES[ask.transaction]
    root = etree.fromstring(envelope_text(ask, ask.body or write(ask, number)))
    message = Message(ask, root, genuine_facts(ask, content(ask, number), sign_message))
    assertion, timestamp = message.assertion, message.timestamp
    if edit:
        edit(assertion)
    if edit_timestamp:
        edit_timestamp(timestamp)
    if sign_assertion:
        reference = Reference(target=assertion, uri="#" + (assertion.get("ID") or ""))
        vars(reference).update(assertion_reference or {})
        issuer = assertion.find(q(SAML, "Issuer"))
        index = 0 if issuer is None else assertion.index(issuer) + 1
        sign(assertion, index, signer or ask.party.signer, reference, True, assertion_style)
    if sign_message:
        reference = Reference(target=timestamp, uri="#" + (timestamp.get(q(WSU, "Id")) or ""))
        vars(reference).update(message_reference or {})
        style = message_style
        if style is None or style.key_info is None:
            style = copy.copy(style) if style else Style()
            style.key_info = token_reference(assertion.get("ID") or "")
        who = message_signer or signer or ask.party.signer
        sign(message.security, len(message.security), who, reference, False, style)
    return message
