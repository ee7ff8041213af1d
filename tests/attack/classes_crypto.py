"""Keys, algorithms, transforms and external references: what an engine with its defaults would believe."""

import copy
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from lxml import etree

from catalogue import attack, benign, case
from messages import HOLDER_OF_KEY, confirmation
from signing import (
    DIGESTS,
    DS,
    DSIG11,
    ENVELOPED,
    EXC,
    MORE,
    Signer,
    Style,
    b64,
    full_key_info,
    key_info,
    q,
    resign,
    rsa_value,
    transform,
    x509_data,
)
from world import set_text

NAME = "UID=admin,O=red HIE"
FORGED = {"name_id": NAME}
UNTRUSTED = {"SIG_NO_TRUST", "SIG_INVALID"}


def certificate_for(key, subject, issuer=None, issuer_key=None):
    now = datetime.datetime.utcnow()
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
    return builder.not_valid_after(now + datetime.timedelta(days=1)).sign(issuer_key or key, hashes.SHA256())


def impostor(world, key=None):
    """A key that nobody registered, in a certificate with the victim's subject and issuer."""
    if "impostor" not in world.__dict__:
        world.impostor = rsa.generate_private_key(65537, 2048)
    key = key or world.impostor
    theirs = world.p1.signer.certificate
    return Signer(certificate_for(key, theirs.subject, theirs.issuer, key), key)


def forged_by(world, signer, info, method=None):
    """The attacker signs both signatures with its own key, and says to be somebody at the victim's."""
    style = Style(key_info=info, method=method)
    make = {"signer": signer, "assertion_style": style, "message_style": copy.copy(style)}
    return world.fresh(make=make, name_id=NAME)


@attack("KEY-1", "A1.4", UNTRUSTED, claims_signature=True, naive="a signature that fits the key in its own KeyInfo")
def key_1(world):
    """The attacker signs with a key of its own and puts it into KeyValue: xmlsec with trust anchors alone says OK."""
    yield benign("twin", world.fresh())
    value = Style(key_info=key_info(rsa_value(world.p1.signer)))
    yield benign("registered-key-value", world.fresh(make={"assertion_style": value}))
    own = impostor(world)
    for peer in ("p1", "p2"):
        message = forged_by(world, own, key_info(rsa_value(own)))
        yield case(f"own-key-from-{peer}", message, peer=peer, forged=FORGED)
        message = forged_by(world, world.p2.signer, key_info(rsa_value(world.p2.signer)))
        # black may well sign, with its TLS identity: but it is not red's issuer
        yield case(f"partners-key-from-{peer}", message, peer=peer, forged=FORGED,
                   expect=UNTRUSTED | {"SAML_ISSUER", "SAML_CONFIRMATION", "PEER_BINDING"})  # fmt: skip
    message = forged_by(world, own, key_info(rsa_value(own)))
    confirmed = confirmation(HOLDER_OF_KEY, key_info(rsa_value(own)))
    style = Style(key_info=key_info(rsa_value(own)))
    message = world.fresh(make={"signer": own, "assertion_style": style, "message_style": style}, confirmations=confirmed, name_id=NAME)
    yield case("own-holder", message, forged=FORGED)


@attack("KEY-2", "A1.4", UNTRUSTED, claims_signature=True, naive="a signature that fits the certificate in its KeyInfo")
def key_2(world):
    """The attacker's certificate in X509Data: of the same authority, self-signed with the victim's name, or both keys at once."""
    yield benign("twin", world.fresh())
    yield benign("certificate-only", world.fresh(make={"assertion_style": Style(key_info=key_info(x509_data(world.p1.signer)))}))
    own, theirs, other = impostor(world), world.p1.signer, world.p2.signer
    for name, signer, info, is_trusted in (
        ("same-authority", other, key_info(x509_data(other)), True),
        ("self-signed", own, key_info(x509_data(own)), False),
        ("value-first", own, key_info(rsa_value(own), x509_data(theirs)), True),
        ("certificate-first", own, key_info(x509_data(theirs), rsa_value(own)), False),
        ("chain-with-victim", other, key_info(x509_data(other, theirs)), True),
        ("chain-with-victim-first", other, key_info(x509_data(theirs, other)), False),
        ("two-data", other, key_info(x509_data(theirs), x509_data(other)), False),
    ):
        message = forged_by(world, signer, info)
        yield case(name, message, forged=FORGED if is_trusted else {})


@attack("KEY-3", "A1.4", UNTRUSTED | {"SIG_STRUCTURE"})
def key_3(world):
    """KeyInfo names the victim's key in every way there is, but another key made the signature; or nothing is named."""
    yield benign("twin", world.fresh())
    # the testing tools expect that a signature without a certificate or key value is refused (specification digest 3.7)
    yield case("victims-without-key-info", world.fresh(make={"assertion_style": Style(key_info="")}))
    yield case("victims-with-key-name", world.fresh(make={"assertion_style": Style(key_info=key_info("<ds:KeyName>red</ds:KeyName>"))}))
    own, theirs = impostor(world), world.p1.signer
    modulus, exponent = theirs.rsa_numbers()
    subject = f"<ds:X509SubjectName>{theirs.subject}</ds:X509SubjectName>"
    serial = (
        f"<ds:X509IssuerSerial><ds:X509IssuerName>{theirs.certificate.issuer.rfc4514_string()}</ds:X509IssuerName>"
        f"<ds:X509SerialNumber>{theirs.certificate.serial_number}</ds:X509SerialNumber></ds:X509IssuerSerial>"
    )
    ski = theirs.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    for name, info in (
        ("victims-certificate", key_info(x509_data(theirs))),
        ("victims-value", key_info(rsa_value(theirs))),
        ("nothing", ""),
        ("empty", key_info()),
        ("name", key_info("<ds:KeyName>red</ds:KeyName>")),
        ("subject", key_info(f"<ds:X509Data>{subject}</ds:X509Data>")),
        ("serial", key_info(f"<ds:X509Data>{serial}</ds:X509Data>")),
        ("ski", key_info(f"<ds:X509Data><ds:X509SKI>{b64(ski)}</ds:X509SKI></ds:X509Data>")),
        ("exponent-one", key_info(rsa_value(theirs, exponent="AQ=="))),
        ("exponent-zero", key_info(rsa_value(theirs, exponent="AA=="))),
        ("modulus-even", key_info(rsa_value(theirs, modulus=b64(b"\0" + b"\2" * 256)))),
        ("negative", key_info(rsa_value(theirs, modulus="/" + modulus[1:], exponent=exponent))),
    ):
        yield case(name, forged_by(world, own, info))


@attack("KEY-4", "A1.4", {"SIG_STRUCTURE", "SIG_NO_TRUST", "LIMIT_XML", "SIG_INVALID", "SAML_CONFIRMATION"})
def key_4(world):
    """KeyInfo that fetches, nests or multiplies: RetrievalMethod, KeyInfoReference, EncryptedKey, chains of 9 and 500."""
    yield benign("twin", world.fresh())
    chain = Style(key_info=key_info(x509_data(world.p1.signer, world.p2.signer)))
    yield benign("chain-of-two", world.fresh(make={"assertion_style": chain}))
    infos = {
        "retrieval-file": '<ds:RetrievalMethod URI="file:///etc/hostname"/>',
        "retrieval-http": f'<ds:RetrievalMethod URI="{world.http_url()}/key" Type="{DS}rawX509Certificate"/>',
        "retrieval-self": f'<ds:RetrievalMethod URI="#_1" Type="{DS}X509Data"/>',
        "key-info-reference": f'<d:KeyInfoReference xmlns:d="{DSIG11}" URI="#_1"/>',
        "encrypted-key": '<x:EncryptedKey xmlns:x="http://www.w3.org/2001/04/xmlenc#">' * 20 + "</x:EncryptedKey>" * 20,
        "agreement": '<x:AgreementMethod xmlns:x="http://www.w3.org/2001/04/xmlenc#" Algorithm="urn:x"/>',
        "derived": '<x:DerivedKey xmlns:x="http://www.w3.org/2009/xmlenc11#"/>',
        "der": f'<d:DEREncodedKeyValue xmlns:d="{DSIG11}">AAAA</d:DEREncodedKeyValue>',
        "pgp": "<ds:PGPData><ds:PGPKeyID>AAAA</ds:PGPKeyID></ds:PGPData>",
        "spki": "<ds:SPKIData><ds:SPKISexp>AAAA</ds:SPKISexp></ds:SPKIData>",
        "mgmt": "<ds:MgmtData>x</ds:MgmtData>",
        "foreign": '<x:Key xmlns:x="urn:example:x"/>',
        "chain-of-9": x509_data(*[world.p1.signer] * 9),
        "chain-of-500": x509_data(*[world.p1.signer] * 500),
        "values-9": rsa_value(world.p1.signer) * 9,
        "two-values": "<ds:KeyValue>" + 2 * rsa_value(world.p1.signer)[len(f'<ds:KeyValue xmlns:ds="{DS}">') : -len("</ds:KeyValue>")] + "</ds:KeyValue>",
        "no-certificate": "<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>",
        "no-base64": "<ds:X509Data><ds:X509Certificate>%%%</ds:X509Certificate></ds:X509Data>",
        "huge-modulus": rsa_value(world.p1.signer, modulus="A" * 200000),
        "huge-certificate": f"<ds:X509Data><ds:X509Certificate>{'A' * 400000}</ds:X509Certificate></ds:X509Data>",
        "certificate-and-junk": x509_data(world.p1.signer).replace("</ds:X509Certificate>", "AAAA</ds:X509Certificate>"),
        "empty-value": "<ds:KeyValue/>",
        "ec-value": f'<ds:KeyValue><d:ECKeyValue xmlns:d="{DSIG11}"><d:NamedCurve URI="urn:oid:1.3.132.0.35"/><d:PublicKey>BAAA</d:PublicKey></d:ECKeyValue></ds:KeyValue>',
    }  # fmt: skip
    for name, info in infos.items():
        style = Style(key_info=key_info(info))
        yield case(name, world.fresh(make={"assertion_style": style}))
        if name in ("retrieval-http", "chain-of-500", "foreign", "encrypted-key"):
            message = world.fresh(confirmations=confirmation(HOLDER_OF_KEY, key_info(info)))
            yield case(f"confirmation-{name}", message)


# ---- algorithms ----

WEAK = {
    "rsa-sha1": DS + "rsa-sha1",
    "rsa-md5": MORE + "rsa-md5",
    "rsa-sha224": MORE + "rsa-sha224",
    "rsa-ripemd160": MORE + "rsa-ripemd160",
    "dsa-sha1": DS + "dsa-sha1",
    "dsa-sha256": "http://www.w3.org/2009/xmldsig11#dsa-sha256",
    "unknown": "urn:example:signature",
    "none": "none",
    "empty": "",
    "sha3": "http://www.w3.org/2007/05/xmldsig-more#sha3-256-rsa-MGF1",
}


@attack("ALG-1", "A1.4, spec 1.7", {"SIG_ALGORITHM"})
def alg_1(world):
    """Weak methods of signatures and digests, outside of any agreement: SHA-1, MD5, SHA-224, RIPEMD, DSA, none."""
    yield benign("twin", world.fresh())
    for size in (384, 512):
        style = Style(method=f"{MORE}rsa-sha{size}")
        yield benign(f"rsa-sha{size}", world.fresh(make={"assertion_style": style, "message_style": Style(method=style.method)}))
    for name, digest in (("384", MORE + "sha384"), ("512", "http://www.w3.org/2001/04/xmlenc#sha512")):
        yield benign(f"digest-{name}", world.fresh(make={"assertion_reference": {"digest": digest}}))
    yield benign("ecdsa", world.fresh("ITI-55", "p3"))
    for name, method in WEAK.items():
        for which in ("assertion_style", "message_style"):
            message = world.fresh(make={which: Style(method=method or "x#x")})
            if not method:
                signature = message.assertion_signature if which == "assertion_style" else message.message_signature
                signature[0][1].set("Algorithm", "")
            yield case(f"{name}-{which[:7].rstrip('_')}", message)
    weak_digests = [uri for uri in DIGESTS if not uri.endswith(("sha256", "sha384", "sha512"))]
    for digest in [*weak_digests, "urn:example:digest", ""]:
        name = digest.rsplit("#", 1)[-1].rsplit(":", 1)[-1] or "empty"
        for which in ("assertion_reference", "message_reference"):
            yield case(f"digest-{name}-{which[:7].rstrip('_')}", world.fresh(make={which: {"digest": digest}}))


@attack("ALG-2", "A1.4, GHSA-c27r-x354-4m68", {"SIG_ALGORITHM"})
def alg_2(world):
    """HMAC keyed with the PEM of the victim's public key, which everybody has."""
    yield benign("twin", world.fresh())
    for name in ("hmac-sha256", "hmac-sha384", "hmac-sha512"):
        for info in (None, "", key_info("<ds:KeyName>red</ds:KeyName>")):
            style = Style(method=MORE + name, key_info=info)
            tag = {None: "certificate", "": "nothing"}.get(info, "name")
            message = world.fresh(make={"assertion_style": style, "message_style": copy.copy(style)}, name_id=NAME)
            yield case(f"{name}-{tag}", message, forged=FORGED)
    message = world.fresh(make={"assertion_style": Style(method=DS + "hmac-sha1")}, name_id=NAME)
    yield case("hmac-sha1", message, forged=FORGED)


@attack("ALG-3", "A1.4, CVE-2009-0217", {"SIG_ALGORITHM", "SIG_STRUCTURE"})
def alg_3(world):
    """HMACOutputLength of 0, 1, 8 bits; parameters in a method that has none."""
    yield benign("twin", world.fresh())
    for bits in ("0", "1", "8", "-8", "4294967296"):
        length = f"<ds:HMACOutputLength>{bits}</ds:HMACOutputLength>"
        style = Style(method=MORE + "hmac-sha256", method_content=length, value="AA==")
        yield case(f"hmac-{bits}", world.fresh(make={"assertion_style": style}))
        style = Style(method_content=length)
        yield case(f"rsa-{bits}", world.fresh(make={"assertion_style": style}))


@attack("ALG-4", "A1.4", {"SIG_ALGORITHM", "SIG_NO_TRUST", "SIG_INVALID", "SIG_STRUCTURE"})
def alg_4(world):
    """Weak and odd keys and values: RSA of 512 and 1024 bits, DSA, other curves, PSS, r and s of nought, values of other sizes."""
    yield benign("twin", world.fresh())
    yield benign("p256", world.fresh("ITI-55", "p3"))
    for bits in (1024, 512):
        weak = rsa.generate_private_key(65537, bits)
        signer = Signer(certificate_for(weak, world.p1.signer.certificate.subject), weak)
        yield case(f"rsa-{bits}", forged_by(world, signer, key_info(rsa_value(signer))))
    for name, key in (("p521", ec.generate_private_key(ec.SECP521R1())), ("k1", ec.generate_private_key(ec.SECP256K1()))):
        signer = impostor(world, key)
        yield case(name, forged_by(world, signer, key_info(x509_data(signer))))
    dsa_key = dsa.generate_private_key(1024)
    signer = Signer(certificate_for(dsa_key, world.p1.signer.certificate.subject), dsa_key)
    message = forged_by(world, world.p1.signer, key_info(x509_data(signer)))
    yield case("dsa-certificate", message)
    for name in ("sha256-rsa-MGF1", "sha512-rsa-MGF1"):
        method = "http://www.w3.org/2007/05/xmldsig-more#" + name
        yield case(name, forged_by(world, world.p1.signer, None, method))
    yield case("ecdsa-method-of-rsa-key", forged_by(world, world.p1.signer, None, MORE + "ecdsa-sha256"))
    message = world.fresh("ITI-55", "p3", make={"assertion_style": Style(method=MORE + "rsa-sha256")})
    yield case("rsa-method-of-ec-key", message)
    zeros, order = bytes(64), 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    values = {
        "zero": zeros,
        "one": (1).to_bytes(32, "big") * 2,
        "order": order.to_bytes(32, "big") * 2,
        "short": bytes(10),
        "odd": bytes(63),
        "long": bytes(1000),
        "der": bytes.fromhex("3006020101020101"),
    }
    for name, value in values.items():
        message = world.fresh("ITI-55", "p3", make={"assertion_style": Style(value=b64(value))})
        yield case(f"ecdsa-{name}", message)
    for name, value in (
        ("empty", ""), ("zero", b64(bytes(256))), ("one", b64(bytes(255) + b"\1")), ("ones", b64(b"\xff" * 256)),
        ("short", b64(bytes(255))), ("long", b64(bytes(257))), ("text", "not base64"), ("padding", "===="),
    ):  # fmt: skip
        yield case(f"rsa-{name}", world.fresh(make={"assertion_style": Style(value=value)}))
        yield case(f"rsa-timestamp-{name}", world.fresh(make={"message_style": Style(value=value)}))


@attack("DIGEST", "A1.4", {"SIG_INVALID", "SIG_STRUCTURE"})
def digests(world):
    """What was signed is changed afterwards, by one letter here and there; digests are cut, empty, or of something else."""
    yield benign("twin", world.fresh())
    for name in ("NameID", "Issuer", "Audience", "AuthnContextClassRef", "DigestValue", "SignatureValue"):
        message = world.genuine()
        element = message.assertion.find(".//{*}" + name)
        text = element.text
        element.text = text[:8] + ("A" if text[8] != "A" else "B") + text[9:]
        yield case(f"changed-{name}", message)
    for name in ("NotBefore", "NotOnOrAfter", "AuthnInstant", "IssueInstant"):
        message = world.genuine()
        element = message.assertion if name == "IssueInstant" else message.find(f"//*[@{name}]")
        text = element.get(name)
        element.set(name, text[:-2] + ("1" if text[-2] != "1" else "2") + "Z")
        yield case(f"changed-{name}", message)
    message = world.genuine()
    text = message.timestamp[1].text
    message.timestamp[1].text = text[:-2] + ("1" if text[-2] != "1" else "2") + "Z"
    yield case("changed-Expires", message)
    message = world.genuine()
    statement = message.find("//saml:AttributeStatement")
    statement.remove(statement[0])
    yield case("removed-attribute", message)
    message = world.genuine()
    statement = message.find("//saml:AttributeStatement")
    statement.append(copy.deepcopy(statement[0]))
    yield case("added-attribute", message)
    for name, value in (("empty", ""), ("cut", "47DEQpj8"), ("of-nothing", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
                        ("long", "A" * 400), ("text", "no base64 %")):  # fmt: skip
        yield case(f"digest-{name}", world.fresh(make={"assertion_reference": {"digest_value": value}}))
    message = world.genuine()
    message.assertion_signature.find(".//{*}DigestMethod").set("Algorithm", MORE + "sha384")
    resign(message.assertion_signature, world.p1.signer)
    yield case("other-method", message)


# ---- transforms: the content may then be changed freely ----

XSLT = (
    '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"><xsl:output method="text"/>'
    '<xsl:template match="/">ok</xsl:template></xsl:stylesheet>'
)
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XPATH2 = "http://www.w3.org/2002/06/xmldsig-filter2"


def transformed(world, transforms, octets, which="assertion"):
    """Signed with those transforms over constant <octets>; then the content is changed."""
    reference = {"transforms": transforms, "octets": octets}
    message = world.fresh(make={f"{which}_reference": reference})
    if which == "assertion":
        set_text(message.assertion, "NameID", NAME)
    else:
        set_text(message.timestamp, "Created", "2026-01-01T00:00:00.000Z")
    return message


def transform_cases(world, variants):
    yield benign("twin", world.fresh())
    for name, (transforms, octets) in variants.items():
        message = transformed(world, transforms, octets)
        yield case(name, message, forged=FORGED)
        message = transformed(world, transforms, octets, "message")
        yield case(f"timestamp-{name}", message, expect={"SIG_TRANSFORM", "WSS_TIMESTAMP", "WSS_EXPIRED"})


@attack("TR-1", "A1.4", {"SIG_TRANSFORM"}, claims_signature=True, naive="content that an XSLT transform hides")
def tr_1(world):
    """An XSLT transform makes a constant of anything; the content was changed after signing."""
    xslt = transform("http://www.w3.org/TR/1999/REC-xslt-19991116", XSLT)
    yield from transform_cases(world, {
        "alone": (xslt, b"ok"),
        "enveloped": (transform(ENVELOPED) + xslt, b"ok"),
        "after-c14n": (transform(ENVELOPED) + transform(EXC) + xslt, b"ok"),
    })  # fmt: skip


@attack("TR-2", "A1.4", {"SIG_TRANSFORM"}, claims_signature=True, naive="content that an XPath transform takes away")
def tr_2(world):
    """XPath and XPath filter 2.0 select nothing of the content, which was changed after signing."""
    false = transform(XPATH, "<ds:XPath>false()</ds:XPath>")
    nothing = transform(XPATH2, f'<f:XPath xmlns:f="{XPATH2}" Filter="intersect">/nothing</f:XPath>')
    everything = transform(XPATH2, f'<f:XPath xmlns:f="{XPATH2}" Filter="subtract">/</f:XPath>')
    here = transform(XPATH, "<ds:XPath>count(here()) &lt; 0</ds:XPath>")
    yield from transform_cases(world, {
        "false": (false, b""),
        "false-c14n": (transform(ENVELOPED) + false + transform(EXC), b""),
        "intersect": (nothing + transform(EXC), b""),
        "subtract": (transform(ENVELOPED) + everything + transform(EXC), b""),
        "here": (here + transform(EXC), b""),
    })  # fmt: skip


@attack("TR-3", "A1.4", {"SIG_TRANSFORM"})
def tr_3(world):
    """Transforms of other worlds: base64, Relationship, decryption, XPointer, Visa3D, unknown ones."""
    yield from transform_cases(world, {
        "base64": (transform(DS + "base64"), b""),
        "relationship": (transform("http://schemas.openxmlformats.org/package/2006/RelationshipTransform"), b""),
        "decryption": (transform("http://www.w3.org/2002/07/decrypt#XML"), b""),
        "xpointer": (transform("http://www.w3.org/2001/04/xmldsig-more/xptr", "<x:XPointer xmlns:x='urn:x'>x</x:XPointer>"), b""),
        "str": (transform("http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform"), b""),
        "swa": (transform("http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Content-Signature-Transform"), b""),
        "unknown": (transform("urn:example:transform"), b""),
        "empty": (transform(""), b""),
    })  # fmt: skip
    many = "".join(transform(EXC) for _ in range(200))
    yield case("200", world.fresh(make={"assertion_reference": {"transforms": many}}))


@attack("EXT-1", "A1.4", {"SIG_REFERENCE"}, claims_signature=True, naive="a signature over something else than the message")
def ext_1(world):
    """References to files and servers: xmlsec fetches them. The run listens: nothing may come while the gateway judges."""
    yield benign("twin", world.fresh())
    with open("/etc/hostname", "rb") as file:
        hostname = file.read()
    for name, uri, octets in (
        ("http", f"{world.http_url()}/signed", world.http_body),
        ("file", "file:///etc/hostname", hostname),
        ("path", "/etc/hostname", hostname),
        ("relative", "../../../../../../../../etc/hostname", hostname),
        ("ftp", "ftp://127.0.0.1:9/x", b""),
        ("device", "file:///dev/zero", b""),
    ):
        reference = {"uri": uri, "transforms": "", "octets": octets}
        message = world.fresh(make={"assertion_reference": reference})
        set_text(message.assertion, "NameID", NAME)
        forged = FORGED if name in ("http", "file", "path") else {}
        yield case(name, message, forged=forged)
        yield case(f"timestamp-{name}", world.fresh(make={"message_reference": reference}))


@attack("OBJECT", "A1.1, A1.4", {"SIG_STRUCTURE", "SIG_WRAPPED"}, claims_signature=True, naive="the first NameID")
def objects(world):
    """Anything but SignedInfo, SignatureValue and KeyInfo in a ds:Signature: Object, properties, a second of each, other orders."""
    yield benign("twin", world.fresh())
    inner = "<saml2:NameID xmlns:saml2='urn:oasis:names:tc:SAML:2.0:assertion'>" + NAME + "</saml2:NameID>"
    for name, text in (
        ("object", f"<ds:Object>{inner}</ds:Object>"),
        ("properties", f"<ds:Object><ds:SignatureProperties>{inner}</ds:SignatureProperties></ds:Object>"),
        ("foreign", f'<x:y xmlns:x="urn:x">{inner}</x:y>'),
        ("two-objects", f"<ds:Object>{inner}</ds:Object><ds:Object/>"),
    ):
        message = world.fresh(make={"assertion_style": Style(object=text)})
        yield case(name, message, forged=FORGED)
        yield case(f"message-{name}", world.fresh(make={"message_style": Style(object=text)}))
    for name in ("SignedInfo", "SignatureValue", "KeyInfo"):
        message = world.genuine()
        signature = message.assertion_signature
        signature.append(copy.deepcopy(signature.find(q(DS, name))))
        yield case(f"second-{name}", message)
        message = world.genuine()
        signature = message.assertion_signature
        signature.insert(0, signature.find(q(DS, name)) if name != "SignedInfo" else signature[-1])
        yield case(f"order-{name}", message)
    message = world.genuine()
    twin = copy.deepcopy(message.assertion_signature)
    message.assertion_signature.addnext(twin)
    yield case("two-signatures", message, expect={"SIG_STRUCTURE", "SAML_STRUCTURE"})
    message = world.genuine()
    message.security.append(copy.deepcopy(message.message_signature))
    yield case("two-message-signatures", message)


@attack("ORDER", "A1.4", {"SIG_REFERENCE", "WSS_EXPIRED", "SIG_STRUCTURE", "SAML_AUDIENCE", "SIG_NO_TRUST"})
def order(world):
    """Expensive things behind cheap faults: the cheap one must be found first, and the cost stays small."""
    yield benign("twin", world.fresh())
    padding = etree.Element("{urn:example:padding}p")
    padding.text = "x" * 400000

    def big(message):
        message.payload.append(copy.deepcopy(padding))
        return message

    message = big(world.fresh())
    yield benign("large", message)
    message = big(world.fresh(age_s=7200, lifetime_s=300))
    yield case("expired-and-large", message, expect={"WSS_EXPIRED"})
    message = big(world.genuine())
    info = message.message_signature[0]
    for _ in range(63):
        info.append(copy.deepcopy(info[-1]))
    yield case("64-references-and-large", message, expect={"SIG_REFERENCE"})
    message = big(world.fresh(audience="https://other.example/xcpd"))
    yield case("audience-and-large", message, expect={"SAML_AUDIENCE"})
    own = impostor(world)
    yield case("unknown-key-and-large", big(forged_by(world, own, full_key_info(own))), expect={"SIG_NO_TRUST"})
