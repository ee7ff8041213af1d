"""The wire of a foreign SOAP client: envelopes, MTOM packages, mutual TLS, schemas, checks of what comes back.

MTOM is written here by hand and read with the standard library's e-mail parser, HTTP is python3-requests: no code of
the gateway that it talks to.
"""

import email.parser
import email.policy
import os
import re
import socket
import ssl
import tempfile
import uuid

import requests
from lxml import etree

from assertion import ENV, WSA, WSSE, add_security, indent

ANONYMOUS = WSA + "/anonymous"
XOP = "http://www.w3.org/2004/08/xop/include"
IHE = "urn:ihe:iti:xds-b:2007"
RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
RS = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
QUERY = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
HL7 = "urn:hl7-org:v3"
NS = {"env": ENV, "wsa": WSA, "wsse": WSSE, "xop": XOP, "ihe": IHE, "rim": RIM, "rs": RS, "query": QUERY, "hl7": HL7}

# transaction: path, action of the request, action of the answer, element of the answer
TRANSACTIONS = {
    "ITI-55": (
        "/xcpd",
        "urn:hl7-org:v3:PRPA_IN201305UV02:CrossGatewayPatientDiscovery",
        "urn:hl7-org:v3:PRPA_IN201306UV02:CrossGatewayPatientDiscovery",
        etree.QName(HL7, "PRPA_IN201306UV02"),
    ),
    "ITI-38": (
        "/xca/query",
        "urn:ihe:iti:2007:CrossGatewayQuery",
        "urn:ihe:iti:2007:CrossGatewayQueryResponse",
        etree.QName(QUERY, "AdhocQueryResponse"),
    ),
    "ITI-39": (
        "/xca/retrieve",
        "urn:ihe:iti:2007:CrossGatewayRetrieve",
        "urn:ihe:iti:2007:CrossGatewayRetrieveResponse",
        etree.QName(IHE, "RetrieveDocumentSetResponse"),
    ),
    "ITI-80": (
        "/xcdr",
        "urn:ihe:iti:2015:CrossGatewayDocumentProvide",
        "urn:ihe:iti:2015:CrossGatewayDocumentProvideResponse",
        etree.QName(RS, "RegistryResponse"),
    ),
    # of local systems
    "ITI-18": (
        "/registry",
        "urn:ihe:iti:2007:RegistryStoredQuery",
        "urn:ihe:iti:2007:RegistryStoredQueryResponse",
        etree.QName(QUERY, "AdhocQueryResponse"),
    ),
    "ITI-43": (
        "/repository",
        "urn:ihe:iti:2007:RetrieveDocumentSet",
        "urn:ihe:iti:2007:RetrieveDocumentSetResponse",
        etree.QName(IHE, "RetrieveDocumentSetResponse"),
    ),
    "ITI-41": (
        "/provide",
        "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b",
        "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse",
        etree.QName(RS, "RegistryResponse"),
    ),
}


class Skip(Exception):
    """A case cannot be run here; the text says why."""


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


def expect_equal(wanted, got, what):
    expect(wanted == got, f"{what}: wanted {wanted!r}, got {got!r}")


# ---- schemas ----


class Schemas:
    """The XSDs of the test data, where they can be compiled by libxml2."""

    def __init__(self, folder):
        self.envelope = self._load(f"{folder}/hl7v3/schema/soap-1.2-envelope.xsd")
        hl7 = f"{folder}/hl7v3/schema/HL7V3/NE2008/multicacheschemas"
        self.of = {
            "ITI-55": self._load(f"{hl7}/PRPA_IN201306UV02.xsd"),
            "ITI-38": self._load(f"{folder}/xds/schema/ebRS30/query.xsd"),
            "ITI-39": self._load_retrieve(f"{folder}/xds/schema"),
            "ITI-41": self._load(f"{folder}/xds/schema/ebRS30/rs.xsd"),
        }
        self.of.update({"ITI-18": self.of["ITI-38"], "ITI-43": self.of["ITI-39"], "ITI-80": self.of["ITI-41"]})
        self.discovery_request = self._load(f"{hl7}/PRPA_IN201305UV02.xsd")
        self.assertion = self._load(f"{folder}/saml/sstc-saml-schema-assertion-2.0.xsd")

    @staticmethod
    def _load(path):
        # by name: xmlsec switches the loading of files by etree.parse off
        schema = etree.XMLSchema(file=path)
        nothing = etree.Element("{urn:example:unknown}nothing")
        assert not schema.validate(nothing), f"{path} accepts everything"
        return schema

    @staticmethod
    def _load_retrieve(folder):
        """rim.xsd imports a second schema document of IHE's namespace; libxml2 takes only one per namespace, so a
        copy of IHEXDSB.xsd includes that document and the copy of rim.xsd imports the namespace alone."""
        with tempfile.TemporaryDirectory() as copy:
            ebrs = ["ebRS30/" + name for name in os.listdir(folder + "/ebRS30")]
            for name in ("xml.xsd", "IHE/xcf.xsd", "IHE/IHEXDSB.xsd", *ebrs):
                with open(f"{folder}/{name}", encoding="utf-8") as file:
                    text = file.read()
                if name == "IHE/IHEXDSB.xsd":
                    text = re.sub(r"(<xs:schema [^>]*>)", r'\1<xs:include schemaLocation="xcf.xsd"/>', text, count=1)
                if name == "ebRS30/rim.xsd":
                    text = text.replace(' schemaLocation="../IHE/xcf.xsd"', "")
                os.makedirs(os.path.dirname(f"{copy}/{name}"), exist_ok=True)
                with open(f"{copy}/{name}", "w", encoding="utf-8") as file:
                    file.write(text)
            return Schemas._load(f"{copy}/IHE/IHEXDSB.xsd")

    def check(self, transaction, envelope, payload):
        """The envelope by SOAP's schema, without its payload, whose types that schema does not know; the payload by
        its own."""
        frame = etree.fromstring(etree.tostring(envelope))
        for child in frame.find(etree.QName(ENV, "Body")):
            child.getparent().remove(child)
        self._check_one("the envelope", self.envelope, frame)
        alone = etree.fromstring(etree.tostring(payload, with_tail=False))
        self._check_one(f"the answer of {transaction}", self.of[transaction], alone)

    def check_ours(self, node):
        """A message of this program: an assertion, or a payload that goes out. A client that is wrong proves nothing."""
        alone = without_xop(node)
        local = etree.QName(alone).localname
        if local == "Assertion":
            for element in list(alone.iter()):  # what SAML's schema does not know: hl7:CE, ec:InclusiveNamespaces
                element.attrib.pop("{http://www.w3.org/2001/XMLSchema-instance}type", None)
                if element.tag == "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces":
                    element.getparent().remove(element)
        kinds = {
            "Assertion": self.assertion,
            "PRPA_IN201305UV02": self.discovery_request,
            "AdhocQueryRequest": self.of["ITI-38"],
            "RetrieveDocumentSetRequest": self.of["ITI-39"],
            "ProvideAndRegisterDocumentSetRequest": self.of["ITI-39"],
        }
        self._check_one(f"our own {local}", kinds[local], alone)

    @staticmethod
    def _check_one(what, schema, root):
        expect(schema.validate(root), f"{what} is not valid by its schema: {schema.error_log}")


# ---- requests ----


class Message:
    """A request: an envelope that is a tree until it is sent."""

    def __init__(self, transaction, url, payload, order=None, prefixes=("env", "wsa"), action=None, to=None):
        self.transaction = transaction
        self.path, self.action, *_ = TRANSACTIONS[transaction]
        self.action = action or self.action
        self.id = f"urn:uuid:{uuid.uuid4()}"
        env, wsa = prefixes
        self.envelope = etree.Element(etree.QName(ENV, "Envelope"), nsmap={env or None: ENV, wsa: WSA})
        self.header = etree.SubElement(self.envelope, etree.QName(ENV, "Header"))
        self.body = etree.SubElement(self.envelope, etree.QName(ENV, "Body"))
        self.body.append(payload)
        for name, text in (("Action", self.action), ("MessageID", self.id), ("To", to or url + self.path)):
            etree.SubElement(self.header, etree.QName(WSA, name)).text = text
        self.header[0].set(etree.QName(ENV, "mustUnderstand"), "1")
        reply_to = etree.SubElement(self.header, etree.QName(WSA, "ReplyTo"))
        etree.SubElement(reply_to, etree.QName(WSA, "Address")).text = ANONYMOUS
        if order is not None:
            add_security(self.header, order)
            if order.shape.indent:
                indent(self.header, 2)
                indent(self.envelope, 1)

    def bytes(self):
        return etree.tostring(self.envelope, xml_declaration=True, encoding="UTF-8")


def mtom(
    message, root_cid="root.message@example.org", boundary="MIMEBoundary_7c4f", quote_boundary=True, before=b"", parts=()
):
    """The message as an MTOM package, with <parts> (pairs of Content-ID and bytes) behind it: content type and body."""
    mark = f'"{boundary}"' if quote_boundary else boundary
    content_type = (
        f'multipart/related; boundary={mark}; type="application/xop+xml"; start="<{root_cid}>"; '
        f'start-info="application/soap+xml"; action="{message.action}"'
    )
    head = (
        f"--{boundary}\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n"
        f"Content-Transfer-Encoding: binary\r\nContent-ID: <{root_cid}>\r\n\r\n"
    )
    body = before + head.encode() + message.bytes()
    for cid, data in parts:
        part = f"\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{cid}>\r\n\r\n"
        body += part.encode() + data
    return content_type, body + f"\r\n--{boundary}--\r\n".encode()


def without_xop(payload):
    """XOP's infoset: what the Include stands for; the schema knows base64Binary only."""
    copy = etree.fromstring(etree.tostring(payload, with_tail=False))
    for include in copy.xpath("//xop:Include", namespaces=NS):
        parent = include.getparent()
        parent.remove(include)
        parent.text = "AAAA"
    return copy


# ---- answers ----


class Answer:
    """What came back: the HTTP answer, the envelope, and for MTOM the parts by Content-ID."""

    def __init__(self, response):
        self.status = response.status_code
        self.content_type = response.headers.get("Content-Type", "")
        self.raw = response.content
        self.parts = {}
        self.root = None
        media = self.content_type.split(";")[0].strip().lower()
        if media == "multipart/related":
            self._read_multipart()
        elif media in ("application/soap+xml", "text/xml"):
            self.root = self.raw
        self.envelope = None if self.root is None else etree.fromstring(self.root)

    def _read_multipart(self):
        head = f"MIME-Version: 1.0\r\nContent-Type: {self.content_type}\r\n\r\n".encode()
        self.mime = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + self.raw)
        expect(self.mime.is_multipart(), "the answer says multipart/related and has no parts")
        expect(not self.mime.defects, f"the package has defects: {self.mime.defects}")
        for part in self.mime.get_payload():
            cid = (part["Content-ID"] or "").strip()
            expect(cid.startswith("<") and cid.endswith(">"), f"a part's Content-ID is {cid!r}, not in < >")
            expect(cid not in self.parts, f"two parts have the Content-ID {cid}")
            self.parts[cid] = part
        start = self.mime.get_param("start") or ""
        expect(start in self.parts, f"no part has the Content-ID of start={start!r}")
        self.root = self.parts[start].get_payload(decode=True)

    def one(self, path):
        found = self.envelope.xpath(path, namespaces=NS)
        expect(len(found) == 1, f"{path}: expected one, got {len(found)} in {self.text()}")
        return found[0]

    def all(self, path):
        return self.envelope.xpath(path, namespaces=NS)

    def text(self):
        return (self.root or self.raw)[:3000].decode("utf-8", "replace")

    # ---- faults ----

    def is_fault(self):
        return self.envelope is not None and bool(self.all("/env:Envelope/env:Body/env:Fault"))

    def fault_codes(self):
        """Code and subcodes, as {namespace}name."""
        values = self.all("/env:Envelope/env:Body/env:Fault/env:Code//env:Value")
        codes = []
        for value in values:
            prefix, _, name = value.text.strip().rpartition(":")
            namespace = value.nsmap.get(prefix or None)
            expect(namespace is not None, f"the fault's code {value.text!r} has an undeclared prefix")
            codes.append(f"{{{namespace}}}{name}")
        return codes

    def expect_fault(self, message, code, subcodes=(), is_related=True):
        """<is_related> False: RelatesTo may be absent, since processing stopped before addressing was read."""
        expect(self.is_fault(), f"expected a fault, got HTTP {self.status}: {self.text()}")
        expect_equal(500, self.status, "HTTP status of a fault")
        codes = self.fault_codes()
        expect_equal(f"{{{ENV}}}{code}", codes[0], "fault code")
        if subcodes:
            expect(len(codes) == 2 and codes[1] in subcodes, f"subcode: wanted one of {subcodes}, got {codes[1:]}")
        expect(self.one("//env:Reason/env:Text").text, "the fault gives no reason")
        related = [node.text for node in self.all("/env:Envelope/env:Header/wsa:RelatesTo")]
        expect(related == [message.id] or not (is_related or related), f"RelatesTo of the fault: {related}")
        action = self.one("/env:Envelope/env:Header/wsa:Action").text
        expect(action in (WSA + "/fault", WSA + "/soap/fault"), f"Action of the fault: {action}")

    # ---- answers proper ----

    def payload(self):
        return self.one("/env:Envelope/env:Body/*")

    def expect_answer(self, message, schemas):
        """An answer to this message, inside the protocol and valid; returns its payload."""
        _, _, action, element = TRANSACTIONS[message.transaction]
        expect(not self.is_fault(), f"a fault: {self.text()}")
        expect_equal(200, self.status, "HTTP status")
        expect(self.envelope is not None, f"no SOAP answer but {self.content_type}: {self.text()}")
        got = self.one("/env:Envelope/env:Header/wsa:Action")
        expect_equal(action, got.text, "Action of the answer")
        expect_equal("1", got.get(etree.QName(ENV, "mustUnderstand")), "mustUnderstand of the Action")
        expect_equal(message.id, self.one("/env:Envelope/env:Header/wsa:RelatesTo").text, "RelatesTo")
        expect(self.all("/env:Envelope/env:Header/wsa:MessageID"), "the answer has no MessageID")
        payload = self.payload()
        expect_equal(element.text, payload.tag, "the answer's payload")
        schemas.check(message.transaction, self.envelope, without_xop(payload))
        return payload


class Wire:
    """To one node, as one partner over mutual TLS, or (<pki> None) as a local system in plain HTTP; keeps its connections open."""

    def __init__(self, url, pki, trace=None):
        self.url, self.pki, self.trace = url.rstrip("/"), pki, trace
        self.session = requests.Session()
        if pki is not None:
            self.session.cert = (f"{pki}/node.pem", f"{pki}/node.key")
            self.session.verify = f"{pki}/ca.pem"
        self.session.trust_env = False
        self.sent = 0

    def send(self, message, package=None, headers=None, body=None):
        """Sends the message (<package>: content type and bytes of an MTOM package) and reads the answer."""
        simple = f'application/soap+xml; charset=UTF-8; action="{message.action}"'
        content_type, data = package or (simple, message.bytes())
        data = body or data
        heads = {"Content-Type": content_type, "Accept": "*/*", **(headers or {})}
        response = self.session.post(self.url + message.path, data=data, headers=heads, timeout=30)
        self.sent += 1
        if self.trace:
            with open(f"{self.trace}/{self.sent:03}-{message.transaction}", "wb") as file:
                shown = data if isinstance(data, bytes) else message.bytes()
                received = response.headers.get("Content-Type", "").encode()
                file.write(shown + b"\n\n==== " + received + b"\n" + response.content)
        return Answer(response)

    def handshake(self, version, ciphers=None, with_certificate=True):
        """(protocol, suite) of a TLS handshake by exactly this version, and that a request is then answered."""
        host, _, port = self.url.partition("//")[2].partition(":")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(f"{self.pki}/ca.pem")
        context.minimum_version = context.maximum_version = version
        if ciphers:
            context.set_ciphers(ciphers)
        if with_certificate:
            context.load_cert_chain(f"{self.pki}/node.pem", f"{self.pki}/node.key")
        with socket.create_connection((host, int(port)), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname=host) as tls:
                tls.sendall(b"GET /xcpd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                expect(tls.recv(4096).startswith(b"HTTP/1.1 "), "no HTTP answer after the handshake")
                return tls.version(), tls.cipher()[0]
