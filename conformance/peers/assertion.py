"""WS-Security headers of a foreign Initiating Gateway: a Timestamp, a SAML 2.0 assertion and the message
signature, as US networks send them (holder-of-key, or bearer), and deliberate variations of their shape.

Written from the published rules alone (SAML 2.0 core, WSS SAML token profile 1.1, IHE ITI TF-2 3.40), with lxml
and xmlsec; shares nothing with the gateway that it talks to.
"""

import base64
import datetime
import uuid
from dataclasses import dataclass, field, replace

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree

ENV = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
HL7 = "urn:hl7-org:v3"
XS = "http://www.w3.org/2001/XMLSchema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

HOLDER_OF_KEY = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
X509_NAME = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
URI_NAME = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
RCE_PURPOSES = "2.16.840.1.113883.3.7204.1.5.2.1"
SNOMED = "2.16.840.1.113883.6.96"
TOKEN_PROFILE = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1"


class Signer:
    """A certificate and its private key."""

    def __init__(self, certificate_pem, key_pem):
        self.certificate = x509.load_pem_x509_certificate(certificate_pem)
        self.subject = self.certificate.subject.rfc4514_string()
        self.public_key = self.certificate.public_key()
        self.is_rsa = isinstance(self.public_key, rsa.RSAPublicKey)
        self.key = xmlsec.Key.from_memory(key_pem, xmlsec.KeyFormat.PEM)

    @classmethod
    def load(cls, folder, name="signing"):
        with open(f"{folder}/{name}.pem", "rb") as certificate, open(f"{folder}/{name}.key", "rb") as key:
            return cls(certificate.read(), key.read())

    @classmethod
    def impostor(cls, of):
        """Another key under the same subject name, in a certificate that nobody registered."""
        key = rsa.generate_private_key(65537, 2048) if of.is_rsa else ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.utcnow()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(of.certificate.subject)
            .issuer_name(of.certificate.issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        return cls(
            certificate.public_bytes(pem),
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        )

    def certificate_base64(self):
        return base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()

    def rsa_numbers(self):
        numbers = self.public_key.public_numbers()
        return [
            base64.b64encode(n.to_bytes((n.bit_length() + 7) // 8, "big")).decode() for n in (numbers.n, numbers.e)
        ]


@dataclass(frozen=True)
class Shape:
    """How a header looks without meaning anything else."""

    saml: str = "saml2"  # prefixes; "" is a default namespace
    ds: str = "ds"
    wsse: str = "wsse"
    wsu: str = "wsu"
    reversed_attributes: bool = False
    indent: bool = False  # white space between elements outside of what is signed
    indent_signed: bool = False  # and inside of what is signed, before it is signed
    inclusive_prefixes: str = ""  # InclusiveNamespaces/@PrefixList of every canonicalisation
    key_value: bool = True  # RSAKeyValue besides X509Data, where the key is RSA
    certificates: bool = True  # X509Data besides RSAKeyValue
    key_info: bool = True  # KeyInfo in the assertion's signature
    sha: int = 256
    wrapped_base64: bool = False  # line breaks within certificates
    xsi_types: bool = False  # as OpenSAML and CONNECT write: xs:string values, KeyInfoConfirmationDataType
    timestamp_last: bool = False  # behind the assertion
    comment: bool = False  # outside of what is signed


@dataclass
class Order:
    """What an assertion and its Timestamp shall say."""

    signer: Signer
    home_community: str  # bare OID
    audience: str
    organization: str = "Foreign HIE"
    user: str = "Dr. José Müller-Ångström & Søn"
    role: str = "112247003"
    purpose: str = "T-TREAT"
    purpose_system: str = RCE_PURPOSES
    purpose_element: str = "PurposeOfUse"
    resource_id: str = ""
    npi: str = ""
    confirmations: tuple = (HOLDER_OF_KEY,)
    confirmed: Signer = None  # whose key the holder-of-key confirmation names; default: the signer
    timestamp_signer: Signer = None  # who signs the Timestamp; default: the confirmed
    issuer: str = ""  # default: the signer's subject
    age_s: int = 0  # how long ago the assertion was made
    lifetime_s: int = 300
    timestamp_age_s: int = 0
    timestamp_lifetime_s: int = 300
    repeated_attributes: bool = False  # several statements, attributes that nobody knows
    has_consent: bool = False  # an AuthzDecisionStatement, the legacy form of the eHealth Exchange
    is_signed: bool = True
    shape: Shape = field(default_factory=Shape)


def instant(age_s=0, milliseconds=True):
    at = datetime.datetime.utcnow() - datetime.timedelta(seconds=age_s)
    return at.isoformat(timespec="milliseconds" if milliseconds else "seconds") + "Z"


class Maker:
    """Makes elements of one shape."""

    def __init__(self, shape):
        self.shape = shape
        self.prefixes = {WSSE: shape.wsse, WSU: shape.wsu, SAML: shape.saml, DS: shape.ds, EXC: "ec"}

    def add(self, parent, namespace, name, text=None, attributes=(), nsmap=None):
        pairs = list(attributes)
        if self.shape.reversed_attributes:
            pairs.reverse()
        prefix = self.prefixes.get(namespace, "")
        element = etree.SubElement(
            parent, etree.QName(namespace, name), nsmap={prefix or None: namespace, **(nsmap or {})}
        )
        for key, value in pairs:
            element.set(key, value)
        element.text = text
        return element


def indent(element, depth=1):
    """White space between the children of <element>."""
    children = list(element)
    if children:
        element.text = "\n" + "  " * depth
        for child in children:
            child.tail = "\n" + "  " * depth
        children[-1].tail = "\n" + "  " * (depth - 1)


def indent_deep(element, depth=1):
    if element.tag == etree.QName(SAML, "AttributeValue"):
        return
    if len(element) and not (element.text or "").strip():
        indent(element, depth)
        for child in element:
            indent_deep(child, depth + 1)


# ---- signatures ----


def add_c14n(make, parent, name):
    method = make.add(parent, DS, name, attributes=[("Algorithm", EXC)])
    if make.shape.inclusive_prefixes:
        make.add(method, EXC, "InclusiveNamespaces", attributes=[("PrefixList", make.shape.inclusive_prefixes)])


def signature_method(signer, shape):
    kind = "rsa" if signer.is_rsa else "ecdsa"
    if shape.sha == 1:
        return DS + "rsa-sha1"
    return f"http://www.w3.org/2001/04/xmldsig-more#{kind}-sha{shape.sha}"


def digest_method(shape):
    return {
        1: DS + "sha1",
        256: "http://www.w3.org/2001/04/xmlenc#sha256",
        384: "http://www.w3.org/2001/04/xmldsig-more#sha384",
        512: "http://www.w3.org/2001/04/xmlenc#sha512",
    }[shape.sha]


def sign(make, signature, signer, target, id_attribute, is_enveloped):
    """Fills the empty ds:Signature, which stands in its place in the tree already, so that it signs <target>."""
    id_name = etree.QName(id_attribute)
    info = make.add(signature, DS, "SignedInfo")
    add_c14n(make, info, "CanonicalizationMethod")
    make.add(info, DS, "SignatureMethod", attributes=[("Algorithm", signature_method(signer, make.shape))])
    reference = make.add(info, DS, "Reference", attributes=[("URI", "#" + target.get(id_attribute))])
    transforms = make.add(reference, DS, "Transforms")
    if is_enveloped:
        make.add(transforms, DS, "Transform", attributes=[("Algorithm", DS + "enveloped-signature")])
    add_c14n(make, transforms, "Transform")
    make.add(reference, DS, "DigestMethod", attributes=[("Algorithm", digest_method(make.shape))])
    make.add(reference, DS, "DigestValue")
    make.add(signature, DS, "SignatureValue")
    if make.shape.indent_signed:
        indent_deep(info, 2)
    context = xmlsec.SignatureContext()
    context.key = signer.key
    context.register_id(target, id_name.localname, id_name.namespace)
    context.sign(signature)


def add_key_info(make, parent, signer):
    key_info = make.add(parent, DS, "KeyInfo")
    if make.shape.key_value and signer.is_rsa:
        value = make.add(make.add(key_info, DS, "KeyValue"), DS, "RSAKeyValue")
        modulus, exponent = signer.rsa_numbers()
        make.add(value, DS, "Modulus", modulus)
        make.add(value, DS, "Exponent", exponent)
    if not make.shape.certificates:
        return
    text = signer.certificate_base64()
    if make.shape.wrapped_base64:
        text = "\n" + "\n".join(text[i : i + 64] for i in range(0, len(text), 64)) + "\n"
    make.add(make.add(key_info, DS, "X509Data"), DS, "X509Certificate", text)


# ---- the assertion ----


def add_attribute(make, statement, name, value, name_format=URI_NAME):
    attribute = make.add(statement, SAML, "Attribute", attributes=[("Name", name), ("NameFormat", name_format)])
    if value is None or not make.shape.xsi_types:
        return make.add(attribute, SAML, "AttributeValue", value)
    typed = make.add(attribute, SAML, "AttributeValue", value, nsmap={"xs": XS, "xsi": XSI})
    typed.set(etree.QName(XSI, "type"), "xs:string")
    return typed


def add_coded(make, statement, name, element, code, system, system_name, display):
    value = add_attribute(make, statement, name, None)
    coded = etree.SubElement(value, etree.QName(HL7, element), nsmap={None: HL7, "xsi": XSI})
    pairs = [("code", code), ("codeSystem", system), ("codeSystemName", system_name), ("displayName", display)]
    coded.set(etree.QName(XSI, "type"), "CE")
    for key, text in reversed(pairs) if make.shape.reversed_attributes else pairs:
        coded.set(key, text)


def add_subject(make, assertion, order, confirmed):
    subject = make.add(assertion, SAML, "Subject")
    name = f"UID=jmuller,O={order.organization}"
    make.add(subject, SAML, "NameID", name, [("Format", X509_NAME)])
    for method in order.confirmations:
        confirmation = make.add(subject, SAML, "SubjectConfirmation", attributes=[("Method", method)])
        if method == HOLDER_OF_KEY:
            data = make.add(confirmation, SAML, "SubjectConfirmationData", nsmap={"xsi": XSI})
            if make.shape.xsi_types:
                prefix = make.shape.saml + ":" if make.shape.saml else ""
                data.set(etree.QName(XSI, "type"), prefix + "KeyInfoConfirmationDataType")
            add_key_info(make, data, confirmed)


def add_statements(make, assertion, order, made):
    authn = make.add(assertion, SAML, "AuthnStatement", attributes=[("AuthnInstant", made), ("SessionIndex", "1")])
    make.add(authn, SAML, "SubjectLocality", attributes=[("Address", "127.0.0.1"), ("DNSName", "localhost")])
    context = make.add(authn, SAML, "AuthnContext")
    make.add(context, SAML, "AuthnContextClassRef", "urn:oasis:names:tc:SAML:2.0:ac:classes:X509")
    statement = make.add(assertion, SAML, "AttributeStatement")
    subject = "urn:oasis:names:tc:xspa:1.0:subject:"
    add_attribute(make, statement, subject + "subject-id", order.user)
    add_attribute(make, statement, subject + "organization", order.organization)
    add_attribute(make, statement, subject + "organization-id", "urn:oid:" + order.home_community)
    if order.repeated_attributes:
        add_attribute(make, statement, "urn:example:unknown", "nobody knows this")
        statement = make.add(assertion, SAML, "AttributeStatement")
    for name in ("urn:ihe:iti:xca:2010:homeCommunityId", "urn:nhin:names:saml:homeCommunityId"):
        add_attribute(make, statement, name, "urn:oid:" + order.home_community)
    role = "urn:oasis:names:tc:xacml:2.0:subject:role"
    add_coded(make, statement, role, "Role", order.role, SNOMED, "SNOMED_CT", "Medical doctor")
    if order.repeated_attributes:
        add_coded(make, statement, role, "Role", "106289002", SNOMED, "SNOMED_CT", "Dentist")
    purpose = (order.purpose_element, order.purpose, order.purpose_system, "RCE-purpose", "Treatment")
    add_coded(make, statement, subject + "purposeofuse", *purpose)
    if order.resource_id:
        add_attribute(make, statement, "urn:oasis:names:tc:xacml:2.0:resource:resource-id", order.resource_id)
    if order.npi:
        add_attribute(make, statement, subject + "npi", order.npi)


def add_consent(make, assertion, order, window):
    """AuthzDecisionStatement with an access consent policy as evidence."""
    decision = [("Decision", "Permit"), ("Resource", order.audience)]
    statement = make.add(assertion, SAML, "AuthzDecisionStatement", attributes=decision)
    rights = [("Namespace", "urn:oasis:names:tc:SAML:1.0:action:rwedc")]
    make.add(statement, SAML, "Action", "Execute", rights)
    who = [("ID", f"_{uuid.uuid4()}"), ("IssueInstant", window[0][1]), ("Version", "2.0")]
    evidence = make.add(make.add(statement, SAML, "Evidence"), SAML, "Assertion", attributes=who)
    make.add(evidence, SAML, "Issuer", order.signer.subject, [("Format", X509_NAME)])
    make.add(evidence, SAML, "Conditions", attributes=window)
    attributes = make.add(evidence, SAML, "AttributeStatement")
    add_attribute(make, attributes, "AccessConsentPolicy", "urn:oid:2.999.5", "http://www.hhs.gov/healthit/nhin")


def add_assertion(make, parent, order):
    """The signed assertion as the last child of <parent>; its signature stands right after the Issuer."""
    made = instant(order.age_s)
    confirmed = order.confirmed or order.signer
    assertion = make.add(
        parent,
        SAML,
        "Assertion",
        attributes=[("ID", f"_{uuid.uuid4()}"), ("IssueInstant", made), ("Version", "2.0")],
    )
    make.add(assertion, SAML, "Issuer", order.issuer or order.signer.subject, [("Format", X509_NAME)])
    signature = make.add(assertion, DS, "Signature") if order.is_signed else None
    add_subject(make, assertion, order, confirmed)
    window = [("NotBefore", made), ("NotOnOrAfter", instant(order.age_s - order.lifetime_s))]
    conditions = make.add(assertion, SAML, "Conditions", attributes=window)
    make.add(make.add(conditions, SAML, "AudienceRestriction"), SAML, "Audience", order.audience)
    add_statements(make, assertion, order, made)
    if order.has_consent:
        add_consent(make, assertion, order, window)
    if make.shape.indent_signed:
        indent_deep(assertion, 2)
    if order.is_signed:
        sign(make, signature, order.signer, assertion, "ID", True)
        if make.shape.key_info:
            add_key_info(make, signature, order.signer)
    return assertion


def add_message_signature(make, security, order, timestamp, assertion):
    """By the key of the holder-of-key confirmation, over the Timestamp."""
    signature = make.add(security, DS, "Signature")
    sign(
        make,
        signature,
        order.timestamp_signer or order.confirmed or order.signer,
        timestamp,
        etree.QName(WSU, "Id"),
        False,
    )
    reference = make.add(make.add(signature, DS, "KeyInfo"), WSSE, "SecurityTokenReference")
    reference.set(etree.QName(WSSE11, "TokenType"), TOKEN_PROFILE + "#SAMLV2.0")
    identifier = [("ValueType", TOKEN_PROFILE + "#SAMLID")]
    make.add(reference, WSSE, "KeyIdentifier", assertion.get("ID"), identifier)


def add_security(header, order):
    """wsse:Security as the last child of <header>. It is signed where it stands: do not move it afterwards."""
    make = Maker(order.shape)
    security = make.add(header, WSSE, "Security", nsmap={"wsu": WSU} if order.shape.wsu == "wsu" else None)
    security.set(etree.QName(ENV, "mustUnderstand"), "1")
    timestamp = make.add(security, WSU, "Timestamp")
    timestamp.set(etree.QName(WSU, "Id"), "_1")
    make.add(timestamp, WSU, "Created", instant(order.timestamp_age_s))
    make.add(timestamp, WSU, "Expires", instant(order.timestamp_age_s - order.timestamp_lifetime_s, False))
    if order.shape.indent_signed:
        indent(timestamp, 3)
    assertion = add_assertion(make, security, order)
    if order.shape.timestamp_last:
        security.append(timestamp)
    if HOLDER_OF_KEY in order.confirmations:
        add_message_signature(make, security, order, timestamp, assertion)
    if order.shape.comment:
        security.insert(1, etree.Comment(" between the parts "))
    if order.shape.indent:
        indent(security, 3)
    return security


def security_text(order):
    """The header alone, for a client that sends it as it is; it declares every namespace that it uses."""
    holder = etree.Element("holder")
    security = add_security(holder, replace(order, shape=replace(order.shape, inclusive_prefixes="")))
    return etree.tostring(security, with_tail=False)
