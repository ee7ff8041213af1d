"""Answers of an evil Responding Gateway: it is a registered partner with a valid certificate, and our
program asks it for a document. An attack is accepted when a document is kept.
"""

import base64
import gzip

from live_kit import Probe, live
from responder import CID, DOCUMENT, IHE, ROOT, RS, SUCCESS, XOP, Responder, bomb

REFUSED = {"PARTNER_ANSWER", "XOP", "MIME", "SOAP_FAULT", "SOAP_STRUCTURE", "WSA_HEADER", "WSA_ACTION", "MESSAGE_CONTENT"}


class Scene:
    """One responder for the probes of a class."""

    def __init__(self, range_):
        self.responder = Responder(range_)

    def probe(self, name, change=None, raw=None, identity=None, **options):
        def run(range_):
            self.responder.change, self.responder.raw = change, raw
            self.responder.identity = identity or range_.p2
            before = self.responder.requests
            outcome = self.responder.outcome()
            if self.responder.requests > before + 1:
                outcome.problem = f"one question was asked {self.responder.requests - before} times"
            return outcome

        return Probe(name, run, **options)

    def honest(self, name="an honest answer", change=None):
        return self.probe(name, change, benign=True)


def setting(**values):
    def change(answer):
        for name, value in values.items():
            setattr(answer, name, value(answer) if callable(value) else value)

    return change


def including(href, more=""):
    return setting(inner=f'<xop:Include xmlns:xop="{XOP}" href="{href}"/>{more}')


@live("ANSWER-XOP", "A1.6", REFUSED)
def xop(range_):
    """xop:Include that leads elsewhere: to a file, a server, another part, the root, nothing."""
    scene = Scene(range_)
    yield scene.honest()
    yield scene.honest("the id percent-encoded", including("cid:document%40black.example"))
    yield scene.honest("inline", setting(inner=base64.b64encode(DOCUMENT).decode()))
    for text, href in (
        ("http", f"http://127.0.0.1:{range_.target.port}/"),
        ("https", f"https://127.0.0.1:{range_.target.port}/"),
        ("a file", "file:///etc/passwd"),
        ("a path", "/etc/passwd"),
        ("a path with dots", "../../../../etc/passwd"),
        ("dots as an id", "cid:..%2f..%2f..%2fetc%2fpasswd"),
        ("FTP", "ftp://127.0.0.1/x"),
        ("data", "data:application/pdf;base64,JVBERg=="),
        ("a part that is not there", "cid:nothing@black.example"),
        ("the root", "cid:" + ROOT),
        ("nothing", ""),
        ("an id in capitals", "cid:" + CID.upper()),
        ("half an escape", "cid:document%4"),
        ("an id with a zero", "cid:" + CID + "%00"),
        ("an id in brackets", f"cid:&lt;{CID}&gt;"),
        ("an element", "#_1"),
        ("a package in a file", "jar:file:///tmp/x.jar!/x"),
    ):
        yield scene.probe(text, including(href))
    yield scene.probe("without href", setting(inner=f'<xop:Include xmlns:xop="{XOP}"/>'))
    yield scene.probe("of another namespace", setting(inner=f'<xop:Include xmlns:xop="urn:x" href="cid:{CID}"/>'))
    yield scene.probe("two in one Document", including("cid:" + CID, f'<xop:Include xmlns:xop="{XOP}" href="cid:{CID}"/>'))
    yield scene.probe("and text beside it", including("cid:" + CID, "QUJD"))
    yield scene.probe("with content", setting(inner=f'<xop:Include xmlns:xop="{XOP}" href="cid:{CID}">QUJD</xop:Include>'))
    yield scene.probe("with a child", setting(inner=f'<xop:Include xmlns:xop="{XOP}" href="cid:{CID}"><x/></xop:Include>'))
    yield scene.probe("within another element", setting(inner=f'<x><xop:Include xmlns:xop="{XOP}" href="cid:{CID}"/></x>'))
    twice = lambda answer: answer.response().replace(answer.document, answer.document + "9")  # noqa: E731
    yield scene.probe("one part for two documents", setting(more=twice))
    yield scene.probe("the id twice", setting(parts=[(CID, DOCUMENT), (CID, b"%PDF evil")]))
    yield scene.probe("base64 as transfer encoding", setting(part_headers=["Content-Transfer-Encoding: base64"]))
    yield scene.probe("quoted-printable", setting(part_headers=["Content-Transfer-Encoding: quoted-printable"]))
    yield scene.probe("inline and no base64", setting(inner="***"))
    yield scene.probe("nothing in the Document", setting(inner=""), harmless=True)
    scene.responder.close()


@live("ANSWER-OTHER", "A1.2", REFUSED | {"", "PARTNER_REFUSED"})
def of_another(range_):
    """WSW-10 and A1.8: an answer to another question, of another transaction, about another community's documents."""
    scene = Scene(range_)
    world = range_.world
    yield scene.honest()
    yield scene.honest("RelatesTo of ours and of another", setting(related=lambda a: a.related + '<wsa:RelatesTo RelationshipType="urn:x">urn:uuid:1</wsa:RelatesTo>'))
    other = "urn:uuid:00000000-0000-4000-8000-000000000001"
    yield scene.probe("RelatesTo of another question", setting(related=f"<wsa:RelatesTo>{other}</wsa:RelatesTo>"))
    yield scene.probe("no RelatesTo", setting(related=""))
    yield scene.probe("an empty RelatesTo", setting(related="<wsa:RelatesTo/>"))
    yield scene.probe("RelatesTo as another relation", setting(related=lambda a: a.related.replace("RelatesTo>", 'RelatesTo RelationshipType="urn:x">', 1)))
    yield scene.probe("RelatesTo cut off", setting(related=lambda a: f"<wsa:RelatesTo>{a.message_id[:-1]}</wsa:RelatesTo>"))
    yield scene.probe("the Action of the question", setting(action="urn:ihe:iti:2007:CrossGatewayRetrieve"))
    yield scene.probe("the Action of another answer", setting(action="urn:ihe:iti:2007:CrossGatewayQueryResponse"))
    yield scene.probe("a fault's Action", setting(action="http://www.w3.org/2005/08/addressing/fault"))
    for text, home in (("the victim", world.p1.community), ("us", world.community), ("nobody", "2.999.404")):
        yield scene.probe(f"a document of {text}", setting(home=f"urn:oid:{home}"))
    yield scene.probe("a document that was not asked for", setting(document="2.999.77.404"))
    yield scene.probe("of another repository", setting(repository="2.999.404.2"))
    yield scene.probe("without ids", setting(document="", repository="", home=""))
    hidden = f'<ihe:RetrieveDocumentSetResponse xmlns:ihe="{IHE}" xmlns:rs="{RS}"><rs:RegistryResponse status="{SUCCESS}"/></ihe:RetrieveDocumentSetResponse>'
    yield scene.probe("no document, and success", lambda a: setting(body=a.package(a.envelope(hidden)))(a))
    question = f'<ihe:RetrieveDocumentSetRequest xmlns:ihe="{IHE}"/>'
    yield scene.probe("the question itself", lambda a: setting(body=a.package(a.envelope(question)))(a))
    yield scene.probe("two payloads", lambda a: setting(body=a.package(a.envelope(hidden + question)))(a))
    fault = '<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang="en">\x7f&#10;forged line</s:Text></s:Reason></s:Fault>'
    yield scene.probe("a fault with hostile text", lambda a: setting(body=a.package(a.envelope(fault)))(a))
    scene.responder.close()


HTTP = {"PARTNER_ANSWER", "PARTNER_HTTP", "PARTNER_UNREACHABLE", "PARTNER_TIMEOUT", "MIME", "HTTP_MEDIA_TYPE", "HTTP_TRUNCATED", "LIMIT_BODY", "LIMIT_BUFFER"}
HTTP |= {"PARTNER_TOO_MANY", "XML_SYNTAX", "PARTNER_TLS"}


@live("ANSWER-HTTP", "A1.7", HTTP)
def http(range_):
    """HTTP answers that redirect, unpack, lie about their length, or are none."""
    scene = Scene(range_)
    yield scene.honest()
    for status in (301, 302, 303, 307, 308):
        for where in (f"https://localhost:{scene.responder.port}/elsewhere", "file:///etc/passwd"):
            yield scene.probe(f"{status} to {where.split(':')[0]}", setting(status=status, reason="Moved", headers=[f"Location: {where}"]))
    for status in (204, 205, 304, 400, 401, 403, 404, 407, 500, 503, 999):
        yield scene.probe(f"a document with status {status}", setting(status=status, reason="x"))
    yield scene.probe("compressed", setting(headers=["Content-Encoding: gzip"], body=lambda a: gzip.compress(a.package())))
    yield scene.probe("a bomb of 500 MB", setting(headers=["Content-Encoding: gzip"], body=lambda _: bomb(500000000)))
    yield scene.probe("a length that is too long", setting(headers=["Content-Length: 99999"]))
    yield scene.probe("a length that is too short", setting(headers=["Content-Length: 300"]))
    yield scene.probe("two lengths", lambda a: setting(headers=[f"Content-Length: {len(a.package())}", "Content-Length: 10"])(a))
    yield scene.probe("a length below zero", setting(headers=["Content-Length: -1"]))
    yield scene.probe("chunks that are none", setting(headers=["Transfer-Encoding: chunked"]))
    yield scene.probe("a header of 1 MB", setting(headers=["X: " + "a" * 1000000]))
    yield scene.probe("100,000 headers", setting(headers=["X: a"] * 100000))
    yield scene.probe("a thousand times 100 Continue and then nothing", raw=lambda _: b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
    yield scene.probe("HTTP/0.9", raw=lambda a: a.package())
    yield scene.probe("nothing", raw=lambda _: b"")
    yield scene.probe("noise", raw=lambda _: bytes(range(256)) * 100)
    yield scene.probe("HTML", setting(content_type="text/html", body=b"<html><body>Gateway Timeout</body></html>"))
    yield scene.probe("no Content-Type", setting(content_type=" "), expect=frozenset(HTTP | REFUSED))
    yield scene.probe("an empty body", setting(body=b""))
    scene.responder.close()


XML = {"XML_DTD", "XML_SYNTAX", "XML_ENCODING", "LIMIT_XML", "LIMIT_BUFFER", "SOAP_VERSION", "SOAP_STRUCTURE", "HTTP_MEDIA_TYPE", "PARTNER_ANSWER", "PARTNER_TOO_MANY"}


def enveloped(make):
    """The root part is made of the honest envelope's text."""

    def change(answer):
        answer.body = answer.package(make(answer.envelope()))

    return change


@live("ANSWER-XML", "A1.5", XML)
def xml(range_):
    """Root parts that parsers choke on, or that they would fetch things for."""
    scene = Scene(range_)
    yield scene.honest()
    laughs = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%s;" % (b"" if i == 1 else b"%d" % (i - 1)) * 10) for i in range(1, 10)) + b"]>"
    for name, make in (
        ("a billion laughs", lambda e: laughs + e.replace(b"application/pdf", b"&a9;")),
        ("an external entity", lambda e: b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + e.replace(b"application/pdf", b"&f;")),
        ("an external DTD", lambda e: b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">' + e),
        ("an empty DOCTYPE", lambda e: b"<!DOCTYPE x>" + e),
        ("65 levels", lambda e: e.replace(b"</s:Header>", b"<x:a xmlns:x='urn:x'>" * 70 + b"</x:a>" * 70 + b"</s:Header>")),
        ("10,000 attributes", lambda e: e.replace(b"<s:Body>", b"<s:Body " + b" ".join(b"a%d='1'" % i for i in range(10000)) + b">")),
        ("UTF-16", lambda e: e.decode().encode("utf-16")),
        ("says that it is Latin-1", lambda e: b'<?xml version="1.0" encoding="ISO-8859-1"?>' + e),
        ("broken UTF-8", lambda e: e.replace(b"application/pdf", b"application/\xc3pdf")),
        ("NUL", lambda e: e.replace(b"application/pdf", b"application/\x00pdf")),
        ("cut off", lambda e: e[:-10]),
        ("two roots", lambda e: e + e),
        ("SOAP 1.1", lambda e: e.replace(b"http://www.w3.org/2003/05/soap-envelope", b"http://schemas.xmlsoap.org/soap/envelope/")),
        ("two Bodies", lambda e: e.replace(b"<s:Body>", b"<s:Body/><s:Body>")),
        ("a processing instruction", lambda e: e.replace(b"<s:Body>", b"<?x y?><s:Body>")),
        ("33 MB of blanks", lambda e: e.replace(b"<s:Body>", b"<s:Body>" + b" " * 34000000)),
    ):
        yield scene.probe(name, enveloped(make))
    scene.responder.close()


@live("ANSWER-TLS", "A1.7", {"PARTNER_TLS", "PARTNER_UNREACHABLE", "PEER_BINDING"})
def server_certificates(range_):
    """The endpoint has a certificate that is not the partner's."""
    scene = Scene(range_)
    shop = range_.shop
    yield scene.honest()
    lookalike, _ = shop.lookalike()
    own = [shop.others, "localhost"]
    for name, identity in (
        ("another partner's", range_.p1),
        ("the authority's, for nobody", shop.make(names=["p9.example"])),
        ("this machine's name only", shop.make(names=["localhost"])),
        ("expired", shop.make(names=own, begins=shop.days(-9), ends=shop.days(-1))),
        ("not valid yet", shop.make(names=own, begins=shop.days(1))),
        ("for clients only", shop.make(names=own, ekus=(shop.client_only,))),
        ("self-signed", shop.self_signed()),
        ("of another authority of the same name", lookalike),
        ("RSA of 1024 bits", shop.make("rsa1024", names=own)),
    ):
        yield scene.probe(name, identity=identity)
    scene.responder.close()

