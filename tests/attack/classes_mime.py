"""MIME, MTOM and XOP: packages that two readers would split differently, references that lead elsewhere. The root part
is a genuinely signed message; an evil one beside it has the same signatures and another payload, which they do not cover.
"""

import base64
import quopri

from lxml import etree

from catalogue import Case, attack
from messages import ACTIONS
from signing import DS, SAML, q

XOP = "http://www.w3.org/2004/08/xop/include"
ROOT = "root@red.example"
EDGE = "MIMEBoundary_41"
EVIL = "Evilsson"
MIME = {"MIME"}


# ---- packages ----


def part(content, cid=ROOT, kind='application/xop+xml; charset=UTF-8; type="application/soap+xml"', more=(), encoding="binary"):
    """A part's bytes: headers, empty line, content."""
    lines = [f"Content-Type: {kind}"] if kind else []
    lines += [f"Content-Transfer-Encoding: {encoding}"] if encoding else []
    lines += [f"Content-ID: <{cid}>"] if cid else []
    return "\r\n".join([*lines, *more]).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + content


def attachment(content=b"nothing", cid="att@red.example", **options):
    return part(content, cid, "application/octet-stream", **options)


def package(*parts, edge=EDGE):
    mark = f"--{edge}".encode("utf-8", "surrogateescape")
    return mark + b"\r\n" + (b"\r\n" + mark + b"\r\n").join(parts) + b"\r\n" + mark + b"--\r\n"


def content_type(action, edge=f'"{EDGE}"', start=f'"<{ROOT}>"', more="", kind='"application/xop+xml"', info='"application/soap+xml"'):
    fields = [("boundary", edge), ("type", kind), ("start", start), ("start-info", info), ("action", f'"{action}"' if action else None)]
    return "multipart/related" + "".join(f"; {name}={value}" for name, value in fields if value is not None) + more


def action_of(message):
    return ACTIONS[message.ask.transaction]


def packed(name, message, body=None, kind=None, benign=False, **more):
    """A case: the package <body> of <message> with the Content-Type <kind>, each the plain one when not given."""
    xml = more.pop("xml", message.bytes())
    body = package(part(message.bytes())) if body is None else body
    kind = content_type(action_of(message)) if kind is None else kind
    return Case(name, benign, body, kind, message.path, facts=message.facts, xml=xml, **more)


def twin(world, transaction="ITI-39"):
    return packed(f"{transaction}, plainly packed", world.fresh(transaction), benign=True)


def root_of(world):
    return world.genuine("ITI-55")


def evil_of(message):
    """The same signatures, another patient."""
    other = message.copy()
    for family in other.payload.iter("{*}family"):
        family.text = EVIL
    return other.bytes()


FORGED = {"family": EVIL}


# ---- the boundary ----


@attack("MIME-BOUNDARY", "A1.6", MIME)
def boundaries(world):
    """Boundaries that are absent, too long, or not what RFC 2046 allows; and a parameter that is there twice."""
    yield twin(world)
    legal = "'()+_,-./:=?" + "x" * 50
    message = world.fresh("ITI-39")
    kind = content_type(action_of(message), edge=f'"{legal}"')
    yield packed("every legal character", message, package(part(message.bytes()), edge=legal), kind, benign=True)
    message = root_of(world)
    action = action_of(message)
    yield packed("none", message, kind=content_type(action, edge=None))
    for text in ("", "x" * 71, "x" * 1000, "a b ", "a\tb", "a*b", "[a-z]+", "a\\b", "a{b}", "ä", "a;b", "a<b", "a%b", "a#b", "a@b", "a$b"):
        body = package(part(message.bytes()), edge=text)
        yield packed(f"{text[:20]!r} ({len(text)})", message, body, content_type(action, edge=f'"{text}"'))
    body = package(part(message.bytes()))
    yield packed("given twice, the same", message, body, content_type(action, more=f'; boundary="{EDGE}"'))
    yield packed("given twice, different", message, body, content_type(action, more='; boundary="other"'))
    yield packed("given twice, in capitals", message, body, content_type(action, more='; BOUNDARY="other"'))
    yield packed("an escape in it", message, package(part(message.bytes()), edge='a"b'), content_type(action, edge='"a\\"b"'))
    yield packed("an open quote", message, body, content_type(action, edge=f'"{EDGE}'))
    yield packed("in single quotes", message, body, content_type(action, edge=f"'{EDGE}'"))
    continued = content_type(action, edge=None, more='; boundary*0="MIMEBoundary"; boundary*1="_41"')
    yield packed("in two pieces (RFC 2231)", message, body, continued)
    yield packed("coded (RFC 2231)", message, body, content_type(action, edge=None, more="; boundary*=utf-8''" + EDGE))
    yield packed("in capitals", message, package(part(message.bytes()), edge=EDGE.upper()))


@attack("MIME-BOUNDARY-TWO", "A1.6", MIME, claims_signature=True, naive="the first root, by the boundary of its choice")
def two_boundaries(world):
    """Two packages in one body, each with its own boundary: the reader that takes the other one reads another patient."""
    yield twin(world)
    message = root_of(world)
    action, good, evil = action_of(message), part(message.bytes()), part(evil_of(message))
    both = package(evil, edge="other") + package(good)
    yield packed("the evil one first", message, both, content_type(action), xml=evil_of(message), forged=FORGED)
    yield packed("the evil one behind", message, package(good) + package(evil, edge="other"), content_type(action), xml=evil_of(message), forged=FORGED)
    doubled = content_type(action, more='; boundary="other"')
    yield packed("and both boundaries are named", message, both, doubled, xml=evil_of(message), forged=FORGED)
    prefix = package(evil, edge=EDGE + "x") + package(good)
    yield packed("a boundary that begins like the other", message, prefix, xml=evil_of(message), forged=FORGED)


# ---- lines ----


@attack("MIME-LINES", "A1.6", MIME)
def line_ends(world):
    """Line ends and text around the boundaries that careless readers take for boundaries, or do not."""
    yield twin(world)
    message = world.fresh("ITI-55")
    yield packed("an empty line before the first boundary", message, b"\r\n" + package(part(message.bytes())), benign=True)
    message = root_of(world)
    good = package(part(message.bytes()), attachment())
    mark = f"--{EDGE}".encode()
    for name, body in (
        ("LF everywhere", good.replace(b"\r\n", b"\n")),
        ("CR everywhere", good.replace(b"\r\n", b"\r")),
        ("LF behind the first boundary", good.replace(mark + b"\r\n", mark + b"\n", 1)),
        ("LF before the second boundary", good.replace(b"\r\n" + mark + b"\r\nContent-Type: application/octet", b"\n" + mark + b"\r\nContent-Type: application/octet")),
        ("LF at the end of part headers", good.replace(b"\r\n\r\n", b"\n\n", 1)),
        ("bare CR within a part header", good.replace(b"Content-Type: app", b"Content-Type: \rapp", 1)),
        ("text before the first boundary", b"preamble\r\n" + good),
        ("text behind the last boundary", good + b"epilogue\r\n"),
        ("a second package behind", good + good),
        ("no last boundary", good[: good.rindex(mark)]),
        ("cut within the last boundary", good[:-4]),
        ("no boundary at all", part(message.bytes())),
        ("only the last boundary", mark + b"--\r\n"),
        ("no part", mark + b"\r\n" + mark + b"--\r\n"),
        ("text behind a boundary", good.replace(mark + b"\r\n", mark + b"x\r\n", 1)),
        ("a comment behind a boundary", good.replace(mark + b"\r\n", mark + b" (first)\r\n", 1)),
        ("the last boundary goes on", good.replace(mark + b"--\r\n", mark + b"--x\r\n")),
        ("the last boundary is in the middle", package(part(message.bytes())) + mark + b"\r\n" + attachment() + b"\r\n" + mark + b"--\r\n"),
        ("NUL behind a boundary", good.replace(mark + b"\r\n", mark + b"\x00\r\n", 1)),
        ("vertical tab behind a boundary", good.replace(mark + b"\r\n", mark + b"\x0b\r\n", 1)),
        ("three dashes", good.replace(mark, b"-" + mark)),
        ("one dash", good.replace(mark, mark[1:])),
        ("empty", b""),
    ):
        yield packed(name, message, body)


@attack("MIME-PADDING", "A1.6", MIME)
def padding(world):
    """Blanks behind a boundary are transport padding (RFC 2046 5.1.1): read past, never more than that."""
    message = world.fresh("ITI-55")
    mark = f"--{EDGE}\r\n".encode()
    padded = package(part(message.bytes())).replace(mark, mark[:-2] + b" \t \r\n", 1)
    yield packed("blanks behind the first boundary", message, padded, benign=True)
    message = root_of(world)
    good = package(part(message.bytes()))
    yield packed("a no-break space", message, good.replace(mark, mark[:-2] + b"\xc2\xa0\r\n", 1))
    yield packed("a form feed", message, good.replace(mark, mark[:-2] + b"\x0c\r\n", 1))
    yield packed("blanks and a word", message, good.replace(mark, mark[:-2] + b"   x\r\n", 1))


@attack("MIME-INSIDE", "A1.6", MIME | {"XML_SYNTAX"}, claims_signature=True, naive="the part that ends at the inner boundary")
def boundary_inside(world):
    """The boundary stands within the root part, hidden in a comment or text: some readers end the part there."""
    yield twin(world)
    message = root_of(world)
    evil, good = evil_of(message), message.bytes()
    mark = f"--{EDGE}".encode()
    hidden = b"<!--\r\n" + mark + b"\r\n" + part(b"-->" + evil)
    yield packed("a package within a comment", message, package(part(good + hidden)), xml=evil, forged=FORGED)
    cut = good.replace(b"<s:Body>", b"<s:Body>\r\n" + mark + b"--\r\n")
    yield packed("the last boundary within the Body", message, package(part(cut)), xml=evil, forged=FORGED)
    for name, line in (("with LF", b"\n" + mark + b"\n"), ("with more behind", b"\r\n" + mark + b"more\r\n"), ("with a tab", b"\r\n" + mark + b"\t.\r\n")):
        body = package(part(good.replace(b"<s:Body>", b"<s:Body><!--" + line + b"-->")))
        yield packed(f"in a comment, {name}", message, body, xml=evil, forged=FORGED)


@attack("MIME-NESTED", "A1.6", MIME | {"HTTP_MEDIA_TYPE", "XML_SYNTAX"})
def nested(world):
    """A package within a package."""
    yield twin(world)
    message = root_of(world)
    inner = package(part(message.bytes()), edge="inner")
    kind = 'multipart/related; boundary="inner"; type="application/xop+xml"'
    yield packed("as the root", message, package(part(inner, kind=kind)))
    yield packed("as the root, which says that it is XOP", message, package(part(inner)))
    yield packed("with the same boundary", message, package(part(package(part(message.bytes())), kind=kind)))
    message_kind = content_type(action_of(message)).replace("multipart/related", "multipart/mixed")
    yield packed("multipart/mixed", message, kind=message_kind)
    yield packed("multipart/form-data", message, kind=message_kind.replace("mixed", "form-data"))
    yield packed("multipart/alternative", message, kind=message_kind.replace("mixed", "alternative"))
    yield packed("multipart/x-mixed-replace", message, kind=message_kind.replace("mixed", "x-mixed-replace"))
    yield packed("message/rfc822 as the root", message, package(part(message.bytes(), kind="message/rfc822")))
    yield packed("multipart as plain SOAP", message, kind="application/soap+xml", expect={"XML_SYNTAX"})


# ---- part headers ----


@attack("MIME-HEADERS", "A1.6", MIME)
def headers(world):
    """Part headers that are repeated, malformed, or too many."""
    yield twin(world)
    message = root_of(world)
    xml = message.bytes()

    def with_more(*lines):
        return package(part(xml, more=lines))

    for name, body in (
        ("Content-Type twice", with_more("Content-Type: text/plain")),
        ("Content-Type twice, in capitals", with_more("CONTENT-TYPE: text/plain")),
        ("Content-ID twice", with_more("Content-ID: <other@red.example>")),
        ("Content-Transfer-Encoding twice", with_more("Content-Transfer-Encoding: base64")),
        ("a blank before the colon", with_more("Content-Type : text/plain")),
        ("no colon", with_more("Content-Type text/plain")),
        ("no name", with_more(": x")),
        ("a control character", with_more("X: a\x01b")),
        ("NUL", with_more("X: a\x00b")),
        ("not ASCII", with_more("X: \u00e4")),
        ("a header of 9 KB", with_more("X: " + "a" * 9000)),
        ("a header of 900 KB", with_more("X: " + "a" * 900000)),
        ("9 KB in folded lines", with_more("X: a" + "\r\n a" * 4000)),
        ("33 headers", with_more(*[f"X-{i}: 1" for i in range(33)])),
        ("10,000 headers", with_more(*[f"X-{i}: 1" for i in range(10000)])),
        ("no headers and no empty line", package(xml)),
        ("no Content-Type", package(part(xml, kind=None))),
        ("a folded line first", package(b" folded\r\n" + part(xml))),
        ("a bare CR between headers", package(part(xml).replace(b"\r\nContent-ID", b"\rContent-ID", 1))),
    ):
        yield packed(name, message, body)
    no_type = package(part(xml), part(b"x", "att@red.example", None))
    yield packed("an attachment without Content-Type", message, no_type)


@attack("MIME-CID", "A1.6", MIME)
def content_ids(world):
    """Content-IDs that are missing, malformed or there twice."""
    yield twin(world)
    message = root_of(world)
    xml = message.bytes()
    for name, body in (
        ("two attachments with one id", package(part(xml), attachment(b"one"), attachment(b"two"))),
        ("an attachment with the root's id", package(part(xml), attachment(b"one", ROOT))),
        ("an attachment without an id", package(part(xml), attachment(b"one", None))),
        ("without < >", package(part(xml), attachment(b"x", None, more=["Content-ID: att@red.example"]))),
        ("< only", package(part(xml), attachment(b"x", None, more=["Content-ID: <att@red.example"]))),
        ("empty", package(part(xml), attachment(b"x", None, more=["Content-ID: <>"]))),
        ("nothing", package(part(xml), attachment(b"x", None, more=["Content-ID:"]))),
        ("the root without < >", package(part(xml, None, more=[f"Content-ID: {ROOT}"]))),
    ):
        yield packed(name, message, body)


@attack("MIME-START", "A1.6", MIME, claims_signature=True, naive="the first part")
def starts(world):
    """Which part is the root: first, by start=, by type, by id. The evil one has the genuine signatures and another payload."""
    message = world.fresh("ITI-55")
    body = package(attachment(), part(message.bytes()))
    yield packed("the second part, as start says", message, body, benign=True)
    message = root_of(world)
    action, xml, evil = action_of(message), message.bytes(), evil_of(message)
    same = package(part(evil), part(xml))
    lies = {"xml": evil, "forged": FORGED}
    yield packed("two roots with one id, the evil one first", message, same, **lies)
    yield packed("two roots with one id, the evil one last", message, package(part(xml), part(evil)), **lies)
    other = package(part(evil, "evil@red.example"), part(xml))
    more = '; start="<evil@red.example>"'
    yield packed("start twice", message, other, content_type(action, more=more), **lies)
    yield packed("start twice, in capitals", message, other, content_type(action, more=more.replace("start", "START")), **lies)
    yield packed("start coded besides", message, package(part(evil, "evil@red.example")), content_type(action, more="; start*=utf-8''%3Cevil@red.example%3E"), **lies)
    for name, start in (
        ("that names nobody", '"<nobody@red.example>"'),
        ("in capitals", f'"<{ROOT.upper()}>"'),
        ("percent-encoded", '"<root%40red.example>"'),
        ("with cid:", f'"<cid:{ROOT}>"'),
        ("with blanks", f'"< {ROOT} >"'),
        ("cut off", f'"<{ROOT}"'),
    ):
        yield packed(f"a start {name}", message, package(part(xml)), content_type(action, start=start))


@attack("MIME-START-HARMLESS", "A1.6", MIME)
def harmless_starts(world):
    """An evil part that nobody names: whoever reads it is wrong, the gateway reads the root that start= names."""
    message = world.fresh("ITI-55")
    evil = part(evil_of(message), "evil@red.example")
    yield packed("the evil part first, start names the other", message, package(evil, part(message.bytes())), benign=True)
    message = world.fresh("ITI-55")
    evil = part(evil_of(message), "evil@red.example")
    yield packed("the evil part last", message, package(part(message.bytes()), evil), benign=True)
    message = root_of(world)
    evil = part(evil_of(message), "evil@red.example")
    yield packed("the evil part last, with the root's id in other letters", message, package(part(message.bytes()), part(evil_of(message), ROOT)))


@attack("MIME-TYPES", "A1.6", {"HTTP_MEDIA_TYPE", "MIME", "XML_ENCODING", "WSA_ACTION"})
def types(world):
    """Types of the package and of its root that do not say XOP of SOAP 1.2 in UTF-8."""
    yield twin(world)
    message = root_of(world)
    action, xml = action_of(message), message.bytes()
    for name, kind in (
        ("no type", content_type(action, kind=None)),
        ("type of SOAP 1.1", content_type(action, kind='"text/xml"')),
        ("type of plain SOAP", content_type(action, kind='"application/soap+xml"')),
        ("start-info of SOAP 1.1", content_type(action, info='"text/xml"')),
        ("start-info of something else", content_type(action, info='"application/json"')),
        ("another action", content_type(ACTIONS["ITI-38"])),
        ("two actions", content_type(action, more=f'; action="{ACTIONS["ITI-38"]}"')),
        ("charset of the package", content_type(action, more="; charset=utf-16")),
        ("seventeen parameters", content_type(action, more="".join(f"; p{i}=1" for i in range(17)))),
        ("a parameter without value", content_type(action, more="; x=")),
        ("a parameter without name", content_type(action, more="; =x")),
    ):
        yield packed(name, message, kind=kind)
    for name, kind in (
        ("the root is text/xml", "text/xml"),
        ("the root is SOAP, not XOP", "application/soap+xml"),
        ("the root is XOP of SOAP 1.1", 'application/xop+xml; type="text/xml"'),
        ("the root is XOP of nothing", "application/xop+xml"),
        ("the root in UTF-16", 'application/xop+xml; charset=UTF-16; type="application/soap+xml"'),
        ("the root in UTF-7", 'application/xop+xml; charset=utf-7; type="application/soap+xml"'),
        ("the root in EBCDIC", 'application/xop+xml; charset=cp037; type="application/soap+xml"'),
        ("the root is HTML", "text/html"),
    ):
        yield packed(name, message, package(part(xml, kind=kind)))


@attack("MIME-ENCODING", "A1.6", MIME)
def encodings(world):
    """Transfer encodings that would have to be undone: what is signed is what is there, so nothing is."""
    yield twin(world)
    message = world.fresh("ITI-55")
    yield packed("8bit", message, package(part(message.bytes(), encoding="8bit")), benign=True)
    message = world.fresh("ITI-55")
    yield packed("none", message, package(part(message.bytes(), encoding=None)), benign=True)
    message = root_of(world)
    xml = message.bytes()
    for name, content in (
        ("base64", base64.encodebytes(xml)),
        ("quoted-printable", quopri.encodestring(xml)),
        ("x-gzip64", xml),
        ("uuencode", xml),
        ("BASE64", base64.encodebytes(xml)),
        ("base64 ", base64.encodebytes(xml)),
        ("binary, base64", xml),
        ("gzip", xml),
        ('"binary"', xml),
        ("\u0131dentity", xml),
    ):
        yield packed(f"the root says {name!r}", message, package(part(content, encoding=name)))
        yield packed(f"an attachment says {name!r}", message, package(part(xml), attachment(encoding=name)))


@attack("MIME-COUNT", "A1.6", MIME | {"LIMIT_XML", "LIMIT_BUFFER", "LIMIT_BODY"})
def counts(world):
    """More parts, more bytes, more emptiness than a message needs."""
    yield twin(world)
    message = world.fresh("ITI-55")
    few = package(part(message.bytes()), *[attachment(b"", f"{i}@red.example") for i in range(15)])
    yield packed("sixteen parts", message, few, benign=True)
    message = root_of(world)
    xml = message.bytes()
    for n in (16, 1000, 10000):
        body = package(part(xml), *[attachment(b"", f"{i}@red.example") for i in range(n)])
        yield packed(f"{n} empty attachments", message, body)
    yield packed("10,000 parts without anything", message, package(*([b""] * 10000)))
    yield packed("100,000 boundaries", message, f"--{EDGE}\r\n".encode() * 100000)
    near = (b"\r\n--" + EDGE[:-1].encode()) * 50000
    yield packed("1 MB of boundaries that are almost one", message, package(part(xml), attachment(near)) + b"x")
    yield packed("1 MB of line ends", message, b"\r\n" * 500000 + package(part(xml)))
    yield packed("the root is larger than its limit", message, package(part(xml + b" " * 1048576)))
    yield packed("the root is larger by a comment", message, package(part(xml + b"<!--" + b"x" * 1048576 + b"-->")))


# ---- XOP ----


def include(href):
    return etree.Element(q(XOP, "Include"), {"href": href}, nsmap={"xop": XOP})


def moved(message, element, href="cid:att@red.example"):
    """The text of <element> goes into an attachment; the attachment's bytes."""
    text, element.text = element.text, None
    element.append(include(href))
    return (text or "").encode()


HREFS = (
    ("the attachment", "cid:att@red.example"),
    ("a part that is not there", "cid:nothing@red.example"),
    ("the root itself", "cid:" + ROOT),
    ("http", "http://127.0.0.1:9/x"),
    ("a file", "file:///etc/passwd"),
    ("a bare path", "/etc/passwd"),
    ("dots", "cid:%2e%2e%2fetc%2fpasswd"),
    ("nothing", ""),
    ("FTP", "ftp://127.0.0.1/x"),
    ("data", "data:text/plain,x"),
    ("an id in the document", "#_1"),
    ("CID in capitals, percent-encoded", "CID:att%40red.example"),
)
NOT_HERE = {"XOP", "SIG_STRUCTURE", "SIG_INVALID", "SIG_NO_TRUST", "SAML_STRUCTURE", "SAML_SUBJECT", "SAML_ISSUER", "SAML_ATTRIBUTE", "WSS_STRUCTURE"}
NOT_HERE |= {"WSS_TIMESTAMP", "WSA_HEADER", "MESSAGE_CONTENT", "SOAP_STRUCTURE", "WSA_ACTION", "SAML_CONFIRMATION", "SAML_AUDIENCE", "SIG_REFERENCE"}


def with_include(world, name, find, href, transaction="ITI-55", bytes_of=None):
    message = world.fresh(transaction)
    content = moved(message, find(message), href)
    if bytes_of is not None:
        content = bytes_of
    body = package(part(message.bytes()), attachment(content))
    return packed(name, message, body, content_type(action_of(message)))


@attack("XOP-SIGNATURE", "A1.6", NOT_HERE)
def xop_in_signatures(world):
    """Values of a signature or of what is signed come from an attachment: what is verified must stand in the document."""
    yield twin(world)
    places = {
        "SignatureValue": lambda m: m.assertion_signature.find(q(DS, "SignatureValue")),
        "DigestValue": lambda m: m.assertion_signature.find(f".//{q(DS, 'DigestValue')}"),
        "X509Certificate": lambda m: m.assertion_signature.find(f".//{q(DS, 'X509Certificate')}"),
        "SignatureValue of the message": lambda m: m.message_signature.find(q(DS, "SignatureValue")),
        "Issuer": lambda m: m.assertion.find(q(SAML, "Issuer")),
        "NameID": lambda m: m.assertion.find(f".//{q(SAML, 'NameID')}"),
        "an AttributeValue": lambda m: m.assertion.find(f".//{q(SAML, 'AttributeValue')}"),
        "Audience": lambda m: m.assertion.find(f".//{q(SAML, 'Audience')}"),
        "Created": lambda m: m.timestamp[0],
        "MessageID": lambda m: m.header.find("{*}MessageID"),
        "Action": lambda m: m.header.find("{*}Action"),
        "To": lambda m: m.header.find("{*}To"),
    }
    for place, find in places.items():
        for text, href in HREFS[:5]:
            yield with_include(world, f"{place}: {text}", find, href)


@attack("XOP-PAYLOAD", "A1.6", NOT_HERE)
def xop_in_payloads(world):
    """xop:Include where a request has text. Requests carry no documents, so there is no place for one."""
    yield twin(world)
    places = {
        "ITI-55": ("family", lambda m: next(m.payload.iter("{*}family"))),
        "ITI-38": ("a parameter's Value", lambda m: next(m.payload.iter("{*}Value"))),
        "ITI-39": ("DocumentUniqueId", lambda m: next(m.payload.iter("{*}DocumentUniqueId"))),
    }
    for transaction, (place, find) in places.items():
        for text, href in HREFS:
            yield with_include(world, f"{transaction}, {place}: {text}", find, href, transaction)
        yield with_include(world, f"{transaction}, {place}: a value of 1 MB", find, HREFS[0][1], transaction, b"9" * 1048576)
    message = world.fresh("ITI-39")
    value = next(message.payload.iter("{*}DocumentUniqueId"))
    value.append(include("cid:att@red.example"))
    yield packed("ITI-39: an Include behind the text", message, package(part(message.bytes()), attachment(b".1")))
    message = world.fresh("ITI-39")
    message.payload.append(include("cid:att@red.example"))
    yield packed("ITI-39: an Include beside the DocumentRequests", message, package(part(message.bytes()), attachment()))
