"""Documents that cost more than they weigh: entities, depth, attributes, namespaces, elements, texts, ids, encodings. What must
never reach libxml2 is refused by the look at the bytes before it; the run measures CPU time and memory of each.
"""

from catalogue import ANY, attack, benign, raw
from messages import IHE, attribute
from signing import SAML

HEAD = b'<s:Header>'
KB, MB = 1024, 1024 * 1024


def into_header(message, xml):
    """Bytes right behind the start of the Header."""
    return message.bytes().replace(HEAD, HEAD + xml, 1)


def into_payload(message, xml):
    return message.bytes().replace(b"</s:Body>", xml + b"</s:Body>", 1)


def in_block(xml):
    return b'<x:b xmlns:x="urn:x">' + xml + b"</x:b>"


LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %s "%s">' % (bytes([98 + i]), b"&%s;" % bytes([97 + i]) * 10) for i in range(9)
) + b"]>"  # fmt: skip


@attack("DOS-1", "A1.5", {"XML_DTD", "XML_SYNTAX"})
def dos_1(world):
    """Any DOCTYPE: billion laughs, quadratic blow-up, external subsets and entities, parameter entities, in odd places and spellings."""
    yield benign("twin", world.fresh())
    message = world.fresh()
    twin = benign("doctype-in-text", message)
    twin.body = into_header(message, in_block(b"<![CDATA[<!DOCTYPE x>]]>"))
    yield twin
    trap = world.http_url().encode()
    for name, doctype in (
        ("plain", b"<!DOCTYPE x>"),
        ("laughs", LAUGHS),
        ("quadratic", b'<!DOCTYPE l [<!ENTITY a "' + b"a" * 50000 + b'">]>'),
        ("external-http", b'<!DOCTYPE l SYSTEM "' + trap + b'/x.dtd">'),
        ("external-file", b'<!DOCTYPE l SYSTEM "file:///etc/passwd">'),
        ("public", b'<!DOCTYPE l PUBLIC "-//X//Y" "' + trap + b'/x.dtd">'),
        ("entity-file", b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
        ("parameter", b'<!DOCTYPE l [<!ENTITY % a SYSTEM "' + trap + b'/p"> %a;]>'),
        ("attlist", b"<!DOCTYPE l [<!ATTLIST x ID ID #IMPLIED>]>"),
        ("notation", b'<!DOCTYPE l [<!NOTATION n SYSTEM "n">]>'),
        ("small-letters", b"<!doctype x>"),
        ("open", b"<!DOCTYPE x ["),
        ("element", b"<!ELEMENT x ANY>"),
        ("entity-declaration", b'<!ENTITY a "b">'),
    ):
        message = world.genuine()
        body = message.bytes()
        if name == "laughs":
            body = body.replace(b">UID=", b">&j;UID=", 1)
        yield raw(f"{name}-first", message, doctype + body)
        yield raw(f"{name}-declared", message, b'<?xml version="1.0"?>\n<!-- x -->' + doctype + body)
        yield raw(f"{name}-inside", message, into_header(message, doctype))
        yield raw(f"{name}-last", message, body + doctype)


@attack("DOS-2", "A1.5", {"LIMIT_XML", "XML_SYNTAX"})
def dos_2(world):
    """Depth: 65, 257, 258, 100,000; elements that are never closed, and closed without being open."""
    message = world.fresh()
    twin = benign("depth-40", message)
    twin.body = into_header(message, in_block(b"<x:a>" * 40 + b"</x:a>" * 40))
    yield twin
    for depth in (65, 257, 258, 5000, 100000):
        message = world.genuine()
        yield raw(f"depth-{depth}", message, into_header(message, in_block(b"<x:a>" * depth + b"</x:a>" * depth)))
        if depth * 5 < MB:
            yield raw(f"open-{depth}", message, into_header(message, in_block(b"<x:a>" * depth)))
    message = world.genuine()
    yield raw("closed", message, into_header(message, b"</x:a>" * 1000))
    yield raw("only-open", message, b"<a>" * 300000)


@attack("DOS-3", "A1.5", {"LIMIT_XML"})
def dos_3(world):
    """Attributes on one element: 65, 1,000, 20,000, 60,000; long values; attributes on many elements."""
    message = world.fresh()
    twin = benign("40", message)
    twin.body = into_header(message, in_block(b"<x:a " + b" ".join(b'a%d=""' % i for i in range(40)) + b"/>"))
    yield twin
    for count in (65, 1000, 20000, 60000):
        message = world.genuine()
        attributes = b" ".join(b'a%d=""' % i for i in range(count))
        yield raw(f"block-{count}", message, into_header(message, in_block(b"<x:a " + attributes + b"/>")))
        body = message.bytes().replace(b"<saml2:Assertion ", b"<saml2:Assertion " + attributes + b" ", 1)
        yield raw(f"assertion-{count}", message, body)
    for size in (17 * KB, 900 * KB):
        message = world.genuine()
        yield raw(f"value-{size}", message, into_header(message, in_block(b'<x:a a="' + b"v" * size + b'"/>')))
        yield raw(f"name-{size}", message, into_header(message, in_block(b"<x:a " + b"n" * size + b'=""/>')))


@attack("DOS-4", "A1.5", {"LIMIT_XML"})
def dos_4(world):
    """Namespace declarations: 65, 20,000 on one element; one more on each of many nested and sibling elements."""
    message = world.fresh()
    twin = benign("40", message)
    twin.body = into_header(message, in_block(b"<x:a " + b" ".join(b'xmlns:p%d="urn:%d"' % (i, i) for i in range(40)) + b"/>"))
    yield twin
    for count in (65, 5000, 20000):
        message = world.genuine()
        declared = b" ".join(b'xmlns:p%d="urn:%d"' % (i, i) for i in range(count))
        yield raw(f"block-{count}", message, into_header(message, in_block(b"<x:a " + declared + b"/>")))
        body = message.bytes().replace(b"<s:Envelope ", b"<s:Envelope " + declared + b" ", 1)
        yield raw(f"envelope-{count}", message, body)
    message = world.genuine()
    many = b"".join(b'<x:a xmlns:p%d="urn:%d"/>' % (i, i) for i in range(25000))
    yield raw("siblings", message, into_header(message, in_block(many)))
    declared = b" ".join(b'xmlns:p%d="urn:%d"' % (i, i) for i in range(60))
    nested = b"".join(b"<x:a " + declared.replace(b"xmlns:p", b"xmlns:q%d" % d) + b">" for d in range(70))
    yield raw("nested", message, into_header(message, in_block(nested + b"</x:a>" * 70)))


@attack("DOS-5", "A1.5", {"LIMIT_XML", "LIMIT_BODY", "LIMIT_BUFFER"})
def dos_5(world):
    """Elements without end: 20,000 and more; root parts beyond their limit."""
    message = world.fresh()
    twin = benign("10000", message)
    twin.body = into_header(message, in_block(b"<x:a/>" * 10000))
    yield twin
    message = world.fresh()
    twin = benign("900-kb", message)
    twin.body = into_header(message, in_block(b"x" * 900 * KB))
    yield twin
    for count in (20001, 100000, 250000):
        message = world.genuine()
        yield raw(f"{count}-elements", message, into_header(message, b'<b xmlns="urn:x">' + b"<a/>" * count + b"</b>"))
    for size in (MB, 2 * MB, 20 * MB):
        message = world.genuine()
        yield raw(f"{size // MB}-mb-of-text", message, into_header(message, in_block(b"x" * size)))
        yield raw(f"{size // MB}-mb-of-elements", message, into_header(message, in_block(b"<x:a/>" * (size // 6))))


@attack("DOS-6", "A1.5", {"LIMIT_XML", "XML_SYNTAX", "MESSAGE_CONTENT"})
def dos_6(world):
    """One text without end, comments, CDATA sections, white space and instructions without end; in the payload, too."""
    yield benign("twin", world.fresh())
    for name, text in (
        ("text", b"x" * 11 * MB),
        ("comment", b"<!--" + b"x" * 2 * MB + b"-->"),
        ("cdata", b"<![CDATA[" + b"x" * 2 * MB + b"]]>"),
        ("white-space", b" " * 2 * MB),
        ("references", b"&#65;" * (MB // 4)),
        ("amps", b"&amp;" * (MB // 4)),
        ("newlines", b"\r\n" * MB),
        ("open-comment", b"<!--" + b"x" * 1000),
        ("open-cdata", b"<![CDATA[" + b"x" * 1000),
    ):
        message = world.genuine()
        yield raw(name, message, into_header(message, in_block(text)))
    for name, text, count in (("comments", b"<!---->", 140000), ("cdatas", b"<![CDATA[]]>", 80000), ("split", b"x<!---->", 110000)):
        message = world.genuine()
        yield raw(name, message, into_header(message, in_block(text * count)))


@attack("DOS-7", "A1.5", {"XML_DTD", "XML_SYNTAX", "SIG_INVALID", "SOAP_STRUCTURE"})
def dos_7(world):
    """XInclude, xml:base, schemaLocation, stylesheets: nothing of it is ever fetched or followed."""
    yield benign("twin", world.fresh())
    trap = world.http_url().encode()
    for name, xml in (
        ("xinclude", b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'),
        ("xinclude-http", b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="' + trap + b'/x"/>'),
        ("base", b'<x:a xmlns:x="urn:x" xml:base="' + trap + b'/"/>'),
        ("schema", b'<x:a xmlns:x="urn:x" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:x ' + trap + b'/x.xsd"/>'),
        ("link", b'<x:a xmlns:x="urn:x" xmlns:l="http://www.w3.org/1999/xlink" l:href="' + trap + b'/" l:actuate="onLoad"/>'),
    ):  # fmt: skip
        message = world.genuine()
        yield raw(f"block-{name}", message, into_header(message, xml), harmless=True)
        body = message.bytes().replace(b"<saml2:NameID", xml + b"<saml2:NameID", 1)
        yield raw(f"signed-{name}", message, body)
    message = world.genuine()
    sheet = b'<?xml-stylesheet type="text/xsl" href="' + trap + b'/x.xsl"?>'
    yield raw("stylesheet", message, sheet + message.bytes())
    yield raw("catalog", message, b'<?oasis-xml-catalog catalog="' + trap + b'/c"?>' + message.bytes())


@attack("DOS-8", "A1.5", {"LIMIT_XML", "XML_ENCODING", "XML_SYNTAX"})
def dos_8(world):
    """Names without end: 19,000 distinct ones in one document, long ones, colliding ones; ids without end."""
    message = world.fresh()
    twin = benign("5000-names", message)
    twin.body = into_header(message, in_block(b"".join(b"<x:a%d/>" % i for i in range(5000))))
    yield twin
    for name, xml, harmless in (
        ("19000-names", b"".join(b"<x:n%d/>" % i for i in range(19000)), True),
        ("60000-names", b"".join(b"<x:n%d/>" % i for i in range(60000)), False),
        ("100-kb-name", b"<x:" + b"n" * 100 * KB + b"/>", False),
        ("19000-ids", b"".join(b'<x:a ID="i%d"/>' % i for i in range(19000)), False),
        ("6000-ids", b"".join(b'<x:a ID="i%d"/>' % i for i in range(6000)), True),
        ("19000-attributes", b"".join(b'<x:a a%d="%d"/>' % (i, i) for i in range(19000)), False),
        ("6000-attributes", b"".join(b'<x:a a%d="%d"/>' % (i, i) for i in range(6000)), True),
        ("collisions", b"".join(b"<x:%s/>" % bytes(97 + (i >> s & 7) for s in range(0, 15, 3)) for i in range(19000)), True),
        ("prefixes", b"".join(b'<p%d:a xmlns:p%d="urn:x"/>' % (i, i) for i in range(6000)), True),
        ("15000-prefixes", b"".join(b'<p%d:a xmlns:p%d="urn:x"/>' % (i, i) for i in range(15000)), False),
    ):  # fmt: skip
        message = world.genuine()
        yield raw(name, message, into_header(message, in_block(xml)), harmless=harmless)
        if not harmless:
            continue
        body = message.bytes().replace(b"</saml2:AttributeStatement>", b"</saml2:AttributeStatement>" + in_block(xml), 1)
        yield raw(f"signed-{name}", message, body, expect={"LIMIT_XML", "SAML_STRUCTURE", "SIG_INVALID"})


@attack("DOS-9", "A1.4, A1.5", {"SAML_STRUCTURE", "SIG_STRUCTURE", "SIG_INVALID", "LIMIT_XML", "SIG_TRANSFORM", "SAML_ATTRIBUTE", "SIG_REFERENCE"})
def dos_9(world):
    """What is expensive only for a verifier: 6,000 attributes of an assertion, long texts, long base64, many statements, all signed."""
    yield benign("twin", world.fresh())
    many = "".join(attribute(f"urn:x:{i}", "x") for i in range(400))
    yield benign("400-attributes", world.fresh(more_attributes=many))
    for count in (1500, 6000):
        many = "".join(attribute(f"urn:x:{i}", "x") for i in range(count))
        yield raw(f"{count}-attributes", *with_bytes(world.fresh(more_attributes=many)))
    values = attribute("urn:oasis:names:tc:xspa:1.0:subject:subject-id", ["x"] * 9000)
    yield raw("9000-values", *with_bytes(world.fresh(more_attributes=values)))
    values = attribute("urn:oasis:names:tc:xspa:1.0:subject:organization-id", [f"urn:oid:2.999.{i}" for i in range(9000)])
    yield raw("9000-other-values", *with_bytes(world.fresh(more_attributes=values)))
    statements = f'<saml2:AttributeStatement xmlns:saml2="{SAML}"/>' * 5000
    yield raw("5000-statements", *with_bytes(world.fresh(extra=statements)))
    long_text = attribute("urn:x:long", "x" * 900 * KB)
    yield raw("900-kb-value", *with_bytes(world.fresh(more_attributes=long_text)))
    long_text = attribute("urn:x:long", "x" * 200 * KB)
    yield raw("200-kb-value", *with_bytes(world.fresh(more_attributes=long_text)), harmless=True)
    for name in ("DigestValue", "SignatureValue", "Modulus"):
        message = world.genuine()
        message.assertion_signature.find(".//{*}" + name).text = "A" * 900 * KB
        yield raw(f"900-kb-{name}", *with_bytes(message))
    message = world.genuine()
    message.message_signature.find(".//{*}SignatureValue").text = "A" * 900 * KB
    yield raw("900-kb-SignatureValue-of-the-message", *with_bytes(message))
    message = world.genuine()
    message.assertion.find("{*}Issuer").text = "CN=a," * 60000 + "CN=b"
    yield raw("long-name", *with_bytes(message))
    message = world.genuine()
    message.assertion.find("{*}Issuer").text = "CN=a," * 6000 + "CN=b"
    yield raw("name-of-30-kb", *with_bytes(message), expect={"SIG_INVALID", "SAML_ISSUER"})


@attack("DOS-10", "A1.5", {"LIMIT_XML", "LIMIT_ITEMS"})
def dos_10(world):
    """Everything at once, each just below its own limit: names, attributes, signed nodes, documents or values, bytes. This is what one
    message can cost.
    """
    yield benign("twin", world.fresh())
    signed = "".join(attribute(f"urn:x:{i}", "x") for i in range(400))
    junk = b"".join(b'<x:n%d a%d="%d"/>' % (i, i, i) for i in range(2400))
    one = (
        "<ihe:DocumentRequest><ihe:HomeCommunityId>urn:oid:{home}</ihe:HomeCommunityId><ihe:RepositoryUniqueId>{home}.2"
        "</ihe:RepositoryUniqueId><ihe:DocumentUniqueId>2.999.77.{i}</ihe:DocumentUniqueId></ihe:DocumentRequest>"
    )
    inner = "".join(one.format(home=world.community, i=i) for i in range(1000))
    body = f'<ihe:RetrieveDocumentSetRequest xmlns:ihe="{IHE}">{inner}</ihe:RetrieveDocumentSetRequest>'
    for text in (0, 600 * KB):
        message = world.fresh("ITI-39", "p2", body=body, more_attributes=signed)
        made = raw(f"retrieve-{text // KB}-kb", message, into_header(message, in_block(junk + b"x" * text)), harmless=True)
        made.facts = {**message.facts, "content": ANY}
        made.peer = "p2"
        yield made


def with_bytes(message):
    return message, message.bytes()
