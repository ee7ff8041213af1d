"""Ids, text, namespaces and canonical forms: what two readers of one signed document may read differently."""

import copy
import hashlib

from lxml import etree

from catalogue import attack, benign, case, raw
from classes_xsw import FORGED, NAME, X, forge, wrap
from messages import HCID_IHE, HCID_NHIN, RESOURCE, XSPA, attribute
from signing import (
    C14N,
    C14N11,
    C14N_COMMENTS,
    DS,
    ENVELOPED,
    EXC,
    EXC_COMMENTS,
    SAML,
    SAML1,
    SHA256,
    WSU,
    Reference,
    Style,
    b64,
    canonical,
    q,
    resign,
    sign,
    token_reference,
    transform,
)
from world import set_attribute, set_text

ID = q(WSU, "Id")
XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
MESSAGE_SIGNATURE = "//*[local-name()='Security']/*[local-name()='Signature']"


def xml(message, old, new, count=1):
    """The message's bytes with one text replaced, which must be there."""
    body = message.bytes()
    if old not in body:
        raise ValueError(f"{old!r} is not in the message")
    return body.replace(old, new, count)


# ---- ids ----


@attack("ID-1", "A1.3", {"SIG_DUPLICATE_ID"})
def id_1(world):
    """Two elements have the same id value, the evil one before or behind: xmlAddID keeps the first and nobody asks."""
    yield benign("twin", world.fresh())
    for place in ("before", "after"):
        for kind in ("assertion", "timestamp", "element"):
            message = world.genuine()
            if kind == "assertion":
                twin, at = forge(message, "same"), message.assertion
            elif kind == "timestamp":
                twin, at = wrap(copy.deepcopy(message.timestamp)), message.security
            else:
                twin, at = etree.Element(q(X, "other"), ID=message.assertion.get("ID")), message.security
            (at.addprevious if place == "before" else at.addnext)(twin)
            yield case(f"{kind}-{place}", message, expect={"SIG_WRAPPED"} if kind == "assertion" else None)
    message = world.genuine()
    message.payload.set("ID", message.assertion.get("ID"))
    yield case("payload", message)
    message = world.genuine()
    message.payload.set("ID", " " + message.assertion.get("ID") + " ")
    yield case("with-blanks", message)


@attack("ID-2", "A1.3", {"SIG_DUPLICATE_ID"}, claims_signature=True, naive="the first assertion with that id")
def id_2(world):
    """The same value under other names of id attributes: Id, wsu:Id, xml:id, AssertionID."""
    yield benign("twin", world.fresh())
    message = world.fresh()
    message.payload.set("ID", "_another-value")
    yield benign("another-value", message)
    for name, key in (("Id", "Id"), ("wsu-Id", ID), ("xml-id", XML_ID), ("AssertionID", "AssertionID"), ("x-ID", q(X, "ID"))):
        for place in ("before", "payload"):
            message = world.genuine()
            twin = forge(message, "absent")
            twin.tag = q(X, "Assertion")
            twin.set(key, message.assertion.get("ID"))
            if place == "before":
                message.header.insert(0, twin)
            else:
                message.payload.append(twin)
            expect = {"SIG_DUPLICATE_ID", "XML_SYNTAX"} if key == XML_ID else None
            yield case(f"{name}-{place}", message, forged=FORGED if place == "before" else {}, expect=expect)


@attack("ID-3", "A1.3", {"SIG_REFERENCE", "SIG_WRAPPED"})
def id_3(world):
    """Reference URIs that are no #NCName: empty, XPointers, blanks, percent signs, other documents, none."""
    yield benign("twin", world.fresh())
    ask_id = "_an-id"
    for name, uri in (
        ("empty", ""),
        ("absent", False),
        ("xpointer-id", f"#xpointer(id('{ask_id}'))"),
        ("xpointer-root", "#xpointer(/)"),
        ("blank-before", f" #{ask_id}"),
        ("blank-after", f"#{ask_id} "),
        ("percent", f"#%5Fan-id"),
        ("element-scheme", "#element(/1)"),
        ("only-hash", "#"),
        ("two-hashes", f"##{ask_id}"),
        ("relative", f"x.xml#{ask_id}"),
        ("cid", f"cid:{ask_id}"),
        ("colon", f"#x:{ask_id}"),
        ("case", f"#{ask_id.upper()}"),
    ):
        message = world.fresh(make={"assertion_reference": {"uri": uri}}, assertion_id=ask_id)
        yield case(name, message)
        message = world.fresh(make={"message_reference": {"uri": uri.replace(ask_id, "_1") if uri else uri}})
        yield case(f"timestamp-{name}", message)
    message = world.fresh(make={"assertion_reference": {"type": "http://www.w3.org/2000/09/xmldsig#Object"}})
    yield case("typed", message)


def manifest(message, target, evil_uri):
    """A ds:Object with a Manifest over <target>, and the Reference to it."""
    digest = b64(hashlib.sha256(canonical(target)).digest())
    return etree.fromstring(
        f'<ds:Object xmlns:ds="{DS}"><ds:Manifest Id="manifest"><ds:Reference URI="{evil_uri}"><ds:Transforms>'
        f'<ds:Transform Algorithm="{EXC}"/></ds:Transforms><ds:DigestMethod Algorithm="{SHA256}"/>'
        f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:Manifest></ds:Object>"
    )


@attack("ID-4", "A1.3", {"SIG_REFERENCE", "SIG_STRUCTURE"}, claims_signature=True, naive="a Timestamp of the attacker's")
def id_4(world):
    """The signature covers a Manifest, which xmlsec1 does not hold the document to; or no, two, nine, 64 References."""
    yield benign("twin", world.fresh())
    message = world.genuine()
    message.security.remove(message.message_signature)
    made = manifest(message, message.timestamp, "#_1")
    text = etree.tostring(made).decode()
    reference = Reference(
        uri="#manifest",
        type="http://www.w3.org/2000/09/xmldsig#Manifest",
        transforms=transform(EXC),
        octets=canonical(made[0]),
    )
    style = Style(key_info=token_reference(message.assertion.get("ID")), object=text)
    sign(message.security, len(message.security), world.p1.signer, reference, False, style)
    set_text(message.timestamp, "Created", "2026-01-01T00:00:00.000Z")
    yield case("manifest", message, forged={"created": "2026-01-01T00:00:00.000Z"}, signature=MESSAGE_SIGNATURE,
               tool=("--id-attr:Id", f"{DS}:Manifest"), expect={"SIG_REFERENCE", "SIG_STRUCTURE", "WSS_EXPIRED", "WSS_TIMESTAMP"})  # fmt: skip
    for count in (2, 9, 64):
        message = world.genuine()
        message.security.remove(message.message_signature)
        references = [Reference(target=message.assertion, uri="#" + message.assertion.get("ID")) for _ in range(count - 1)]
        style = Style(key_info=token_reference(message.assertion.get("ID")), references=references)
        stamp = Reference(target=message.timestamp, uri="#_1")
        sign(message.security, len(message.security), world.p1.signer, stamp, False, style)
        yield case(f"{count}-references", message)
    message = world.genuine()
    info = message.assertion_signature[0]
    info.remove(info.find(q(DS, "Reference")))
    resign(message.assertion_signature, world.p1.signer)
    yield case("no-reference", message)


# ---- text ----


def with_comment(element, cut, node=None):
    """A comment (or <node>) into the text of <element>, <cut> characters from its start."""
    text = element.text
    inner = node if node is not None else etree.Comment(" ")
    element.text, inner.tail = text[:cut], text[cut:]
    element.insert(0, inner)
    return text[:cut]


@attack("TX-1-NAMES", "A1.3, CVE-2018-0489", {"SIG_COMMENT"}, claims_signature=True, naive="the text up to the comment")
def tx_1_names(world):
    """A comment is put into the signed text of NameID, Issuer or Audience; exclusive c14n does not see it."""
    yield benign("twin", world.fresh())
    message = world.fresh()
    message.header.insert(0, etree.Comment(" outside of what is signed "))
    yield benign("comment-outside", message)
    for element, fact in (("NameID", "name_id"), ("Issuer", "issuer"), ("Audience", "audience"),
                          ("AuthnContextClassRef", "authn_class")):  # fmt: skip
        for cut in (4, 8, 12):
            message = world.genuine()
            found = message.assertion.find(".//" + q(SAML, element))
            read = with_comment(found, cut)
            yield case(f"{element}-{cut}", message, forged={fact: read})
    message = world.genuine()
    found = message.assertion.find(".//" + q(SAML, "NameID"))
    found.insert(0, etree.Comment("x"))
    found[0].tail, found.text = found.text, None
    yield case("at-start", message, forged={"name_id": ""})


@attack("TX-1-ATTRIBUTES", "A1.3, CVE-2018-0489", {"SIG_COMMENT"}, claims_signature=True, naive="the text up to the comment")
def tx_1_attributes(world):
    """A comment is put into the signed text of attribute values: communities, organisations, ids."""
    more = {"resource_id": "77^^^&2.999.1&ISO", "npi": "1234567893"}
    yield benign("twin", world.fresh(**more))
    facts = ((XSPA + "subject-id", "subject_id", 4), (XSPA + "organization", "organization", 3), (RESOURCE, "resource_id", 2),
             (XSPA + "organization-id", "organization_id", 13), (XSPA + "npi", "npi", 5), (HCID_IHE, "home_community", 13))  # fmt: skip
    for name, fact, cut in facts:
        message = world.fresh(**more)
        for one in message.assertion.iter(q(SAML, "Attribute")):
            if one.get("Name") == name:
                read = with_comment(one[0], cut)
        yield case(fact, message, forged={fact: read[8:] if fact == "home_community" else read})
    for place in ("Attribute", "AttributeStatement", "Conditions", "Subject", "SubjectConfirmationData"):
        message = world.genuine()
        message.assertion.find(".//" + q(SAML, place)).append(etree.Comment("x"))
        yield case(f"in-{place}", message)


@attack("TX-1-TIMES", "A1.3", {"SIG_COMMENT", "WSS_TIMESTAMP"}, claims_signature=True, naive="the text up to the comment")
def tx_1_times(world):
    """A comment is put into the signed Timestamp, or between its times."""
    yield benign("twin", world.fresh())
    for name, fact in (("Created", "created"), ("Expires", "expires")):
        message = world.genuine()
        read = with_comment(message.timestamp.find(q(WSU, name)), 10)
        yield case(name, message, forged={fact: read}, signature=MESSAGE_SIGNATURE)
    message = world.genuine()
    message.timestamp.insert(1, etree.Comment("x"))
    yield case("between", message)


@attack("TX-1-SIGNATURE", "A1.3", {"SIG_COMMENT"}, claims_signature=True, naive="a digest up to the comment")
def tx_1_signature(world):
    """A comment is put into the signature itself: DigestValue (CVE-2025-29775), SignatureValue, SignedInfo, KeyInfo."""
    yield benign("twin", world.fresh())
    assertions = ("DigestValue", "SignatureValue", "SignedInfo", "KeyInfo", "X509Certificate", "Modulus")
    messages = ("DigestValue", "SignatureValue", "SignedInfo", "KeyInfo", "Transforms")
    for which, names in (("assertion_signature", assertions), ("message_signature", messages)):
        for name in names:
            message = world.genuine()
            element = getattr(message, which).find(".//" + q(DS, name))
            if element.text:
                with_comment(element, 4)
            else:
                element.append(etree.Comment("x"))
            signature = MESSAGE_SIGNATURE if which == "message_signature" else ""
            more = {"signature": signature} if signature else {}
            yield case(f"{which[:-10]}-{name}", message, forged={"name_id": message.ask.name_id}, **more)


@attack("TX-1-ADDRESSING", "A1.3", {"WSA_HEADER"}, claims_signature=True, naive="the text up to the comment")
def tx_1_addressing(world):
    """A comment is put into an addressing header, which nobody signed."""
    yield benign("twin", world.fresh())
    for name, fact in (("Action", "action"), ("To", "to"), ("MessageID", "message_id")):
        message = world.genuine()
        read = with_comment(message.header.find("{*}" + name), 20)
        yield case(name, message, forged={fact: read})
    message = world.genuine()
    read = with_comment(message.header.find("{*}ReplyTo")[0], 20)
    yield case("ReplyTo", message, forged={"reply_to": read})


@attack("TX-PI", "A1.3", {"SIG_COMMENT", "SOAP_STRUCTURE"}, claims_signature=True, naive="the text up to the instruction")
def tx_pi(world):
    """A processing instruction stands in text that the partner did sign."""
    yield benign("twin", world.fresh())
    for element, fact in (("NameID", "name_id"), ("Issuer", "issuer"), ("Audience", "audience")):
        read = []

        def edit(assertion, element=element, read=read):
            found = assertion.find(".//" + q(SAML, element))
            read.append(with_comment(found, 4, etree.ProcessingInstruction("x", "y")))

        message = world.edited(edit)
        yield case(element, message, forged={fact: read[0]})
    yield raw("before-root", world.genuine(), b"<?x y?>" + world.genuine().bytes())


@attack("TX-2-SAME", "A1.3", {"SIG_COMMENT", "XML_SYNTAX", "XML_ENCODING"})
def tx_2_same(world):
    """Other spellings of the same signed text: CDATA, character references, entities of XML. Refused, or read as it was signed."""
    message = world.fresh()
    message_bytes = message.bytes()
    one = benign("byte-order-mark", message)
    one.body = b"\xef\xbb\xbf" + message_bytes
    yield one
    message = world.fresh()
    one = benign("declaration", message)
    one.body = b'<?xml version="1.0" encoding="UTF-8"?>\n' + message.bytes()
    yield one
    name = world.genuine().ask.name_id.encode()
    for case_name, new in (
        ("cdata", b"<![CDATA[" + name + b"]]>"),
        ("half-cdata", name[:5] + b"<![CDATA[" + name[5:] + b"]]>"),
        ("empty-cdata", name + b"<![CDATA[]]>"),
        ("decimal", b"&#85;" + name[1:]),
        ("hexadecimal", b"&#x55;" + name[1:]),
        ("leading-zeros", b"&#x0000000055;" + name[1:]),
    ):
        message = world.genuine()
        yield raw(case_name, message, xml(message, b">" + name, b">" + new), harmless=True)


@attack("TX-2-ILLEGAL", "A1.3", {"XML_SYNTAX", "XML_ENCODING", "XML_DTD"})
def tx_2_illegal(world):
    """Text that is no XML: NUL and control characters, surrogates, bad UTF-8, entities that nobody declared, other encodings."""
    yield benign("twin", world.fresh())
    yield benign("umlauts", world.fresh(user="Dr. José Müller-Ångström 李"))
    name = world.genuine().ask.name_id.encode()
    for case_name, new in (
        ("nul-reference", b"&#0;" + name),
        ("control-reference", b"&#8;" + name),
        ("surrogate-reference", b"&#xD800;" + name),
        ("beyond-unicode", b"&#x110000;" + name),
        ("fffe-reference", b"&#xFFFE;" + name),
        ("nul", b"\0" + name),
        ("escape", b"\x1b[31m" + name),
        ("overlong", b"\xc0\xaf" + name),
        ("surrogate", b"\xed\xa0\x80" + name),
        ("five-bytes", b"\xf8\x88\x80\x80\x80" + name),
        ("cut-sequence", name + b"\xe2\x82"),
        ("latin-1", b"M\xfcller" + name),
        ("entity", b"&nbsp;" + name),
        ("bare-ampersand", b"a & b" + name),
        ("cdata-end", name + b"]]>"),
    ):
        message = world.genuine()
        yield raw(case_name, message, xml(message, b">" + name, b">" + new))
    for encoding in ("utf-16", "utf-16-be", "utf-32", "utf-7", "cp037", "latin-1"):
        message = world.genuine()
        text = message.bytes().decode()
        if encoding not in ("utf-7", "latin-1"):  # of them our text is ASCII all the same
            yield raw(f"in-{encoding}", message, text.encode(encoding))
        declared = f'<?xml version="1.0" encoding="{encoding}"?>' + text
        yield raw(f"declared-{encoding}", message, declared.encode("utf-8"))
    message = world.genuine()
    yield raw("version-1.1", message, b'<?xml version="1.1"?>' + message.bytes())
    message = world.genuine()
    message.content_type = message.content_type.replace("UTF-8", "ISO-8859-1")
    yield case("charset", message)


HOMOGRAPHS = {
    "zero-width": "urn:oid:2.999\u200b.1",
    "fullwidth": "urn:oid:2.999.\uff11",
    "arabic-digit": "urn:oid:2.999.\u0661",
    "no-break": "urn:oid:2.999.1\u00a0",
    "leading-zero": "urn:oid:2.999.01",
    "capitals": "URN:OID:2.999.1",
    "newline": "urn:oid:2.999.\n1",
    "tab": "urn:oid:\t2.999.1",
    "trailing-dot": "urn:oid:2.999.1.",
    "two-dots": "urn:oid:2..999.1",
    "plus": "urn:oid:2.999.+1",
    "iso": "urn:iso:2.999.1",
    "first-arc": "urn:oid:3.999.1",
    "slash": "urn:oid:2.999.1/../2.999.3",
    "huge": "urn:oid:2.999." + "9" * 4000,
    "list": "urn:oid:2.999.1 urn:oid:2.999.3",
    "quote": "urn:oid:2.999.1' OR '1'='1",
    "percent": "urn:oid:2.999%2e1",
    "empty": "urn:oid:",
}


@attack("TX-2-OID", "A1.3, A1.8", {"SAML_ATTRIBUTE", "PEER_BINDING"})
def tx_2_oid(world):
    """Homographs of a homeCommunityId: invisible characters, other digits, leading zeros, capitals, other arcs."""
    yield benign("twin", world.fresh())

    def both(text):
        def edit(assertion):
            set_attribute(assertion, HCID_IHE, text)
            set_attribute(assertion, HCID_NHIN, text)

        return edit

    yield benign("white-space", world.edited(both(" \n urn:oid:2.999.1\t")))
    for name, text in HOMOGRAPHS.items():
        harmless = name == "capitals"  # the same name: scheme and kind of a URN know no capitals (RFC 8141 section 3.1)
        yield case(name, world.edited(both(text)), harmless=harmless)

    def one_only(text):
        return lambda assertion: set_attribute(assertion, HCID_NHIN, text)

    for name in ("zero-width", "fullwidth", "leading-zero", "no-break"):
        yield case(f"nhin-{name}", world.edited(one_only(HOMOGRAPHS[name])))


# ---- namespaces ----


@attack("NS-1", "A1.3", {"SIG_WRAPPED", "SAML_STRUCTURE", "SAML_SUBJECT", "SAML_ATTRIBUTE"}, claims_signature=True,
        naive="elements by local name, in any namespace")  # fmt: skip
def ns_1(world):
    """Elements with the right local name in another namespace, before and inside of what is signed."""
    yield benign("twin", world.fresh())
    message = world.fresh()
    yield benign("prefixes", message)
    for name, namespace in (("unknown", X), ("none", ""), ("slash", SAML + "/"), ("capitals", SAML.upper()), ("saml1", SAML1)):
        message = world.genuine()
        twin = forge(message)
        for element in twin.iter():
            if isinstance(element.tag, str) and element.tag.startswith(q(SAML, "")):
                element.tag = q(namespace, etree.QName(element).localname) if namespace else etree.QName(element).localname
        block = wrap(twin)
        message.header.insert(0, block)
        harmless = name != "saml1"
        yield case(f"block-{name}", message, forged=FORGED, harmless=harmless)
    for element, forged in (("NameID", {"name_id": NAME}), ("Issuer", {"issuer": NAME}), ("Conditions", {})):

        def edit(assertion, element=element):
            found = assertion.find(".//" + q(SAML, element))
            twin = etree.Element(q(X, element))
            twin.text = NAME
            found.addprevious(twin)

        yield case(f"inside-{element}", world.edited(edit), forged=forged)

    def attribute_twin(assertion):
        twin = etree.fromstring(attribute(XSPA + "subject-id", "Mallory").replace(SAML, X))
        assertion.find(q(SAML, "AttributeStatement")).insert(0, twin)

    yield case("inside-Attribute", world.edited(attribute_twin), forged={"subject_id": "Mallory"}, harmless=True)


@attack("NS-2", "A1.3, CVE-2025-66568", {"SIG_STRUCTURE", "XML_SYNTAX"}, naive="an empty digest, of a canonicalisation that failed")
def ns_2(world):
    """Void canonicalisation: a relative namespace URI makes libxml2's c14n fail, and the digest is that of nothing."""
    yield benign("twin", world.fresh())
    message = world.fresh()
    message.header.insert(0, etree.Element("{urn:example:absolute}x"))
    yield benign("absolute", message)
    for name, uri in (("digit", "1"), ("path", "../x"), ("word", "relative"), ("fragment", "#x"), ("query", "?x"),
                      ("double-slash", "//host/x"), ("blank", " "), ("colon", ":x"), ("digit-scheme", "1a:x")):  # fmt: skip
        for place in ("assertion", "envelope", "timestamp"):
            message = world.genuine()
            signature = {"timestamp": message.message_signature}.get(place, message.assertion_signature)
            signature.find(".//" + q(DS, "DigestValue")).text = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
            resign(signature, world.p1.signer)
            tag = {"assertion": b"<saml2:Assertion ", "envelope": b"<s:Envelope ", "timestamp": b"<wsu:Timestamp "}[place]
            new = tag + b'xmlns:evil="' + uri.encode() + b'" '
            yield raw(f"{name}-{place}", message, xml(message, tag, new))


@attack("NS-3", "A1.3, CVE-2025-25291", {"XML_SYNTAX", "XML_DTD", "SAML_STRUCTURE", "SIG_DUPLICATE_ID", "LIMIT_XML"})
def ns_3(world):
    """Attribute pollution: the same attribute twice, by another prefix, in a namespace; undeclared prefixes; odd markup."""
    yield benign("twin", world.fresh())
    message = world.genuine()
    tag = b'Version="2.0"'
    for name, new in (
        ("twice", b'Version="2.0" Version="2.0"'),
        ("two-prefixes", b'xmlns:a="urn:x" xmlns:b="urn:x" a:Version="1" b:Version="2" Version="2.0"'),
        ("undeclared", b'evil:Version="1.1" Version="2.0"'),
        ("xmlns-twice", b'xmlns:a="urn:x" xmlns:a="urn:y" Version="2.0"'),
        ("xml-rebound", b'xmlns:xml="urn:x" Version="2.0"'),
        ("xmlns-bound", b'xmlns:xmlns="urn:x" Version="2.0"'),
        ("empty-prefix", b'xmlns:a="" Version="2.0"'),
        ("no-quotes", b"Version=2.0"),
        ("less-than", b'Version="2.0" X="<"'),
        ("no-value", b'Version="2.0" X'),
    ):
        yield raw(name, message, xml(message, tag, new))
    doctype = b'<!DOCTYPE s:Envelope [<!ATTLIST x y ID #IMPLIED>]>'
    yield raw("doctype", message, doctype + message.bytes(), expect={"XML_DTD"})
    yield raw("doctype-late", message, message.bytes() + doctype, expect={"XML_DTD", "XML_SYNTAX"})
    yield raw("two-roots", message, message.bytes() + message.bytes())
    yield raw("text-after", message, message.bytes() + b"text")
    yield raw("text-before", message, b"text" + message.bytes())
    yield raw("cut", message, message.bytes()[:-10])
    yield raw("empty", message, b"")
    yield raw("conditional", message, xml(message, b"<s:Body>", b"<![INCLUDE[<s:Body>]]>"))
    yield raw("prefixed-twin", message, xml(message, b"ID=", b'xmlns:e="urn:x" e:ID="_evil" ID='), harmless=True,
              expect={"SIG_INVALID"})  # fmt: skip


# ---- canonical forms ----


@attack("C14N-1", "A1.3", {"SIG_ALGORITHM", "SIG_TRANSFORM", "LIMIT_XML"})
def c14n_1(world):
    """Other canonicalisations than exclusive c14n, with or without comments, and PrefixLists without measure."""
    yield benign("twin", world.fresh())
    for name, prefixes in (("few", "saml2 ds xs"), ("default", "#default"), ("64", " ".join(f"p{i}" for i in range(64)))):
        style = Style(prefixes=prefixes)
        make = {"assertion_style": style, "assertion_reference": {"prefixes": prefixes}}
        yield benign(f"prefixes-{name}", world.fresh(make=make))
    for name, algorithm in (
        ("inclusive", C14N), ("inclusive-comments", C14N_COMMENTS), ("exclusive-comments", EXC_COMMENTS), ("c14n11", C14N11),
        ("unknown", "urn:example:c14n"), ("none", ""), ("minimal", "http://www.w3.org/2000/09/xmldsig#minimal"),
    ):  # fmt: skip
        message = world.fresh(make={"assertion_style": Style(canonical=algorithm or EXC)})
        if not algorithm:
            message.assertion_signature[0][0].set("Algorithm", "")
            resign(message.assertion_signature, world.p1.signer)
        yield case(f"signed-info-{name}", message, expect={"SIG_ALGORITHM"})
        transforms = transform(ENVELOPED) + transform(algorithm)
        make = {"assertion_reference": {"transforms": transforms, "canonical": algorithm or EXC}}
        yield case(f"reference-{name}", world.fresh(make=make), expect={"SIG_TRANSFORM"})
        make = {"message_reference": {"transforms": transform(algorithm), "canonical": algorithm or EXC}}
        yield case(f"timestamp-{name}", world.fresh(make=make), expect={"SIG_TRANSFORM"})
    for count in (65, 1000, 3000):
        prefixes = " ".join(f"p{i}" for i in range(count))
        for where in ("assertion_style", "message_style"):
            yield case(f"{count}-prefixes-{where[:7]}", world.fresh(make={where: Style(prefixes=prefixes)}))
        make = {"assertion_reference": {"prefixes": prefixes}}
        yield case(f"{count}-prefixes-reference", world.fresh(make=make))


@attack("C14N-2", "A1.3", {"SIG_TRANSFORM", "SIG_STRUCTURE", "SIG_ALGORITHM"})
def c14n_2(world):
    """Transforms missing, twice, in the wrong order; two InclusiveNamespaces; parameters that nobody knows."""
    yield benign("twin", world.fresh())
    exc, enveloped = transform(EXC), transform(ENVELOPED)
    for name, transforms in (
        ("none", ""), ("only-enveloped", enveloped), ("only-c14n", exc), ("wrong-order", exc + enveloped),
        ("enveloped-twice", enveloped + enveloped + exc), ("c14n-twice", enveloped + exc + exc),
        ("foreign", enveloped + f'<x:Transform xmlns:x="{X}" Algorithm="{EXC}"/>'),
        ("text", enveloped + "text" + exc),
        ("two-lists", enveloped + transform(EXC, f'<e:InclusiveNamespaces xmlns:e="{EXC}" PrefixList="a"/>' * 2)),
        ("parameter", enveloped + transform(EXC, f'<x:y xmlns:x="{X}"/>')),
        ("enveloped-parameter", transform(ENVELOPED, f'<x:y xmlns:x="{X}"/>') + exc),
    ):  # fmt: skip
        yield case(name, world.fresh(make={"assertion_reference": {"transforms": transforms}}))
    make = {"message_reference": {"transforms": enveloped + exc}}
    yield case("timestamp-enveloped", world.fresh(make=make))
