"""XML signatures of our own making: exclusive c14n by lxml, arithmetic by cryptography. Shares no code with the
gateway's, and signs on purpose what nobody should: other transforms, other algorithms, other references.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from lxml import etree

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAML1 = "urn:oasis:names:tc:SAML:1.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
DSIG11 = "http://www.w3.org/2009/xmldsig11#"
HL7 = "urn:hl7-org:v3"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
TOKEN = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1"
NS = {"s": SOAP, "wsa": WSA, "wsse": WSSE, "wsu": WSU, "saml": SAML, "ds": DS, "hl7": HL7}

EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
EXC_COMMENTS = EXC + "WithComments"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
C14N_COMMENTS = C14N + "#WithComments"
C14N11 = "http://www.w3.org/2006/12/xml-c14n11"
ENVELOPED = DS + "enveloped-signature"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
RSA_SHA256 = MORE + "rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
DIGESTS = {
    SHA256: "sha256",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
    MORE + "sha384": "sha384",
    MORE + "sha224": "sha224",
    MORE + "md5": "md5",
    DS + "sha1": "sha1",
    "http://www.w3.org/2001/04/xmlenc#ripemd160": "sha1",
}


def q(namespace, name):
    return f"{{{namespace}}}{name}"


def b64(data):
    return base64.b64encode(data).decode()


class Signer:
    """A certificate and its private key."""

    def __init__(self, certificate, key, path=None):
        self.certificate, self.key, self.path = certificate, key, path
        self.subject = certificate.subject.rfc4514_string()
        self.public = certificate.public_key()
        self.is_rsa = isinstance(self.public, rsa.RSAPublicKey)
        self.sha256 = certificate.fingerprint(hashes.SHA256()).hex()
        self.der64 = b64(certificate.public_bytes(serialization.Encoding.DER))

    @classmethod
    def load(cls, certificate, key):
        with open(certificate, "rb") as one, open(key, "rb") as other:
            return cls(
                x509.load_pem_x509_certificate(one.read()),
                serialization.load_pem_private_key(other.read(), None),
                certificate,
            )

    def method(self):
        return RSA_SHA256 if self.is_rsa else MORE + "ecdsa-sha256"

    def rsa_numbers(self):
        numbers = self.public.public_numbers()
        return [b64(n.to_bytes((n.bit_length() + 7) // 8, "big")) for n in (numbers.n, numbers.e)]

    def public_pem(self):
        return self.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, method, data):
        """SignatureValue bytes; HMAC is keyed with this key's public PEM, as the classic confusion does."""
        name = method.rsplit("#", 1)[-1]
        if name.startswith("hmac"):
            return hmac.new(self.public_pem(), data, name.split("-")[1]).digest()
        digest = {
            "sha1": hashes.SHA1(),
            "md5": hashes.MD5(),
            "sha224": hashes.SHA224(),
            "sha256": hashes.SHA256(),
            "sha384": hashes.SHA384(),
            "sha512": hashes.SHA512(),
        }.get(name.split("-")[1] if "-" in name else "sha1", hashes.SHA256())
        if self.is_rsa:
            if "mgf1" in name.lower() or "pss" in name:
                return self.key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
            return self.key.sign(data, padding.PKCS1v15(), digest)
        r, s = utils.decode_dss_signature(self.key.sign(data, ec.ECDSA(digest)))
        size = (self.key.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


# ---- KeyInfo ----


def rsa_value(signer, modulus=None, exponent=None):
    numbers = signer.rsa_numbers()
    return (
        f'<ds:KeyValue xmlns:ds="{DS}"><ds:RSAKeyValue><ds:Modulus>{modulus or numbers[0]}</ds:Modulus>'
        f"<ds:Exponent>{exponent or numbers[1]}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
    )


def x509_data(*signers):
    certificates = "".join(f"<ds:X509Certificate>{s.der64}</ds:X509Certificate>" for s in signers)
    return f'<ds:X509Data xmlns:ds="{DS}">{certificates}</ds:X509Data>'


def key_info(*parts):
    return f'<ds:KeyInfo xmlns:ds="{DS}">{"".join(parts)}</ds:KeyInfo>'


def full_key_info(signer):
    return key_info(rsa_value(signer) if signer.is_rsa else "", x509_data(signer))


def token_reference(assertion_id, value_type=TOKEN + "#SAMLID"):
    return key_info(
        f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE}" xmlns:wsse11="{WSSE11}" wsse11:TokenType="{TOKEN}#SAMLV2.0">'
        f'<wsse:KeyIdentifier ValueType="{value_type}">{assertion_id}</wsse:KeyIdentifier></wsse:SecurityTokenReference>'
    )


# ---- canonical form and signature ----


def canonical(element, algorithm=EXC, prefixes=None):
    exclusive = algorithm.startswith(EXC)
    comments = algorithm.endswith("WithComments")
    if not exclusive or prefixes:  # what the ancestors declare counts
        element = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(
        element,
        method="c14n",
        exclusive=exclusive,
        with_comments=comments,
        with_tail=False,
        inclusive_ns_prefixes=prefixes or None,
    )


def transform(algorithm, content=""):
    return f'<ds:Transform Algorithm="{algorithm}">{content}</ds:Transform>'


def inclusive(prefixes):
    return f'<ec:InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="{prefixes}"/>' if prefixes else ""


@dataclass
class Reference:
    """One ds:Reference. <octets>: what is digested, when it is not the canonical form of <target>."""

    target: object = None
    uri: str = None
    id: str = ""
    type: str = ""
    transforms: str = None  # XML text; None: the usual ones
    digest: str = SHA256
    octets: bytes = None
    canonical: str = EXC
    prefixes: str = ""
    digest_value: str = None


@dataclass
class Style:
    """How a signature looks."""

    method: str = None
    canonical: str = EXC
    prefixes: str = ""
    key_info: str = None  # XML text; "" for none
    object: str = ""  # XML text after KeyInfo
    method_content: str = ""  # inside of SignatureMethod
    references: list = field(default_factory=list)  # more of them, after the first
    value: str = None  # SignatureValue, whatever is right
    transform: object = None  # takes the finished SignedInfo's text, gives another, before signing


def reference_text(reference, enveloped):
    transforms = reference.transforms
    if transforms is None:
        transforms = (transform(ENVELOPED) if enveloped else "") + transform(
            reference.canonical, inclusive(reference.prefixes)
        )
    wrapped = f"<ds:Transforms>{transforms}</ds:Transforms>" if transforms else ""
    uri = "" if reference.uri is False else f' URI="{reference.uri}"'
    kind = f' Type="{reference.type}"' if reference.type else ""
    return (
        f'<ds:Reference{uri}{kind}>{wrapped}<ds:DigestMethod Algorithm="{reference.digest}"/>'
        f"<ds:DigestValue></ds:DigestValue></ds:Reference>"
    )


def sign(parent, index, signer, reference, enveloped, style=None):
    """Puts a ds:Signature into <parent> at <index> that signs <reference> (and style.references)."""
    style = style or Style()
    references = [reference, *style.references]
    method = style.method or signer.method()
    key_info_text = full_key_info(signer) if style.key_info is None else style.key_info
    text = (
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{style.canonical}">'
        f"{inclusive(style.prefixes)}</ds:CanonicalizationMethod>"
        f'<ds:SignatureMethod Algorithm="{method}">{style.method_content}</ds:SignatureMethod>'
        f'{"".join(reference_text(r, enveloped and r is reference) for r in references)}</ds:SignedInfo>'
        f"<ds:SignatureValue></ds:SignatureValue>{key_info_text}{style.object}</ds:Signature>"
    )
    signature = etree.fromstring(text)
    digests = []
    for one in references:
        octets = one.octets
        if octets is None and one.target is not None:
            octets = canonical(one.target, one.canonical, one.prefixes.split())
        digests.append(
            one.digest_value
            if one.digest_value is not None
            else b64(hashlib.new(DIGESTS.get(one.digest, "sha256"), octets or b"").digest())
        )
    for element, value in zip(signature.iter(q(DS, "DigestValue")), digests):
        element.text = value
    parent.insert(index, signature)
    if style.transform:
        style.transform(signature)
    resign(signature, signer, method, style)
    return signature


def resign(signature, signer, method=None, style=None):
    """Computes SignatureValue anew over SignedInfo as it stands."""
    style = style or Style()
    info = signature.find(q(DS, "SignedInfo"))
    octets = canonical(info, style.canonical, style.prefixes.split())
    value = style.value if style.value is not None else b64(signer.sign(method or signer.method(), octets))
    signature.find(q(DS, "SignatureValue")).text = value
