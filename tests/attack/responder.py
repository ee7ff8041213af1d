"""A partner's Responding Gateway that answers as it is told, and the question that our program asks it: `isthmus retrieve`, with a partner
file whose endpoints are this server's. What counts is what the program keeps: documents in its folder, or the error that it names.
"""

import gzip
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import uuid

from live_kit import Outcome
from signing import SOAP, WSA

IHE = "urn:ihe:iti:xds-b:2007"
RS = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
ACTION = "urn:ihe:iti:2007:CrossGatewayRetrieveResponse"
XOP = "http://www.w3.org/2004/08/xop/include"
EDGE, ROOT, CID = "MIMEBoundary_77", "root@black.example", "document@black.example"
DOCUMENT = b"%PDF-1.4 what was asked for\r\n--\r\n\x00\xff"
SECONDS = 30


class Answer:
    """An honest answer to <message_id>, every piece of which can be replaced before bytes() is called."""

    def __init__(self, message_id, home, document):
        self.message_id, self.home, self.document = message_id, home, document
        self.action, self.related = ACTION, f"<wsa:RelatesTo>{message_id}</wsa:RelatesTo>"
        self.repository, self.mime_type = home.replace("urn:oid:", "") + ".2", "application/pdf"
        self.inner = f'<xop:Include xmlns:xop="{XOP}" href="cid:{CID}"/>'
        self.more, self.header, self.prolog = "", "", ""
        self.parts = [(CID, DOCUMENT)]
        self.part_headers = []
        self.status, self.reason, self.headers = 200, "OK", []
        self.content_type = None
        self.body = None

    def response(self):
        return (
            f"<ihe:DocumentResponse><ihe:HomeCommunityId>{self.home}</ihe:HomeCommunityId><ihe:RepositoryUniqueId>{self.repository}"
            f"</ihe:RepositoryUniqueId><ihe:DocumentUniqueId>{self.document}</ihe:DocumentUniqueId><ihe:mimeType>{self.mime_type}"
            f"</ihe:mimeType><ihe:Document>{self.inner}</ihe:Document></ihe:DocumentResponse>"
        )

    def envelope(self, body=None):
        payload = body or (
            f'<ihe:RetrieveDocumentSetResponse xmlns:ihe="{IHE}" xmlns:rs="{RS}"><rs:RegistryResponse status="{SUCCESS}"/>'
            f"{self.response()}{self.more}</ihe:RetrieveDocumentSetResponse>"
        )
        return (
            f'{self.prolog}<s:Envelope xmlns:s="{SOAP}" xmlns:wsa="{WSA}"><s:Header><wsa:Action s:mustUnderstand="1">{self.action}'
            f"</wsa:Action>{self.related}<wsa:MessageID>urn:uuid:{uuid.uuid4()}</wsa:MessageID>{self.header}</s:Header>"
            f"<s:Body>{payload}</s:Body></s:Envelope>"
        ).encode("utf-8", "surrogateescape")

    def package(self, envelope=None):
        kind = 'application/xop+xml; charset=UTF-8; type="application/soap+xml"'
        out = f'--{EDGE}\r\nContent-Type: {kind}\r\nContent-ID: <{ROOT}>\r\n\r\n'.encode() + (envelope or self.envelope())
        for cid, content in self.parts:
            lines = "".join(f"{line}\r\n" for line in self.part_headers)
            out += f"\r\n--{EDGE}\r\nContent-Type: application/pdf\r\nContent-ID: <{cid}>\r\n{lines}\r\n".encode() + content
        return out + f"\r\n--{EDGE}--\r\n".encode()

    def bytes(self):
        body = self.package() if self.body is None else self.body
        kind = self.content_type or (
            f'multipart/related; boundary="{EDGE}"; type="application/xop+xml"; start="<{ROOT}>"; start-info="application/soap+xml"'
        )
        lines = [f"HTTP/1.1 {self.status} {self.reason}", f"Content-Type: {kind}", *self.headers]
        if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in self.headers):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\nConnection: close\r\n\r\n" + body


class Responder:
    """Serves one answer after another; <change> is applied to each honest answer, or makes raw bytes."""

    def __init__(self, range_):
        self.range, world = range_, range_.world
        self.identity, self.change, self.raw, self.requests = range_.p2, None, None, 0
        self.home = f"urn:oid:{world.p2.community}"
        self.document = f"2.999.77.{world.p2.community.rpartition('.')[2]}1"
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.config = self._configure(world)
        threading.Thread(target=self._serve, daemon=True).start()

    def _configure(self, world):
        """green's configuration with this server as black, and with a journal and a store of its own."""
        green = os.path.dirname(world.config)
        os.makedirs(f"{green}/asking.d", exist_ok=True)
        os.makedirs(f"{green}/asking-var", exist_ok=True)
        for file in os.listdir(f"{world.p2.folder}/card"):
            shutil.copy(f"{world.p2.folder}/card/{file}", f"{green}/asking.d/{file}")
        path = f"{green}/asking.d/black.yaml"
        with open(path, encoding="utf-8") as file:
            text = file.read().replace("https://127.0.0.1:1/", f"https://localhost:{self.port}/")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        with open(world.config, encoding="utf-8") as file:
            text = file.read().replace("partners.d/*.yaml", "asking.d/*.yaml").replace("var/", "asking-var/")
        with open(f"{green}/asking.yaml", "w", encoding="utf-8") as file:
            file.write(text)
        return f"{green}/asking.yaml"

    def close(self):
        self.socket.close()

    def _serve(self):
        while True:
            try:
                plain, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(plain,), daemon=True).start()

    def _answer(self, plain):
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.load_cert_chain(self.identity.certificate, self.identity.key)
            plain.settimeout(SECONDS)
            with context.wrap_socket(plain, server_side=True) as stream:
                request = self._read(stream)
                self.requests += 1
                found = re.search(rb"MessageID[^>]*>([^<]+)<", request)
                answer = Answer(found.group(1).decode() if found else "", self.home, self.document)
                if self.change:
                    self.change(answer)
                stream.sendall(self.raw(answer) if self.raw else answer.bytes())
        except OSError:
            pass  # whoever asked has gone: that is its right
        finally:
            plain.close()

    @staticmethod
    def _read(stream):
        data = b""
        while b"\r\n\r\n" not in data:
            more = stream.recv(65536)
            if not more:
                return data
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if re.search(rb"(?i)expect: *100", head):
            stream.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while length and len(body) < int(length.group(1)) or not length and not body.endswith(b"0\r\n\r\n"):
            more = stream.recv(65536)
            if not more:
                break
            body += more
        return head + body

    # ---- the question ----

    def ask(self, timeout="8s"):
        """Asks for one document. The files that came, by content, and the named error."""
        out = f"{self.range.folder}/asked"
        shutil.rmtree(out, ignore_errors=True)
        wanted = f"{self.home[8:]}/{self.home[8:]}.2/{self.document}"
        command = [self.range.world.isthmus, "retrieve", "-c", self.config, "--document", wanted, "-o", out, "--json", "--timeout", timeout]
        command += ["--user", "Dr. G. Green", "--organization", "green HIE", "--organization-id", "urn:oid:2.999.2"]
        command += ["--role", "112247003", "--purpose", "T-TREAT"]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        contents = []
        for folder, _, files in os.walk(f"{out}/documents"):
            for file in files:
                with open(os.path.join(folder, file), "rb") as content:
                    contents.append(content.read())
        return contents, done

    def outcome(self):
        contents, done = self.ask()
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        try:
            index = json.loads(done.stdout)
            errors = [row["error"] for row in index["communities"] if row["error"]]
        except (ValueError, KeyError):
            errors = []
        error = errors[0].split(":")[0] if errors else ""
        result = Outcome(bool(contents), 0, error, errors[0][:300] if errors else said[:200])
        if done.returncode not in (0, 1, 3):
            result.problem = f"the program ended with {done.returncode}: {said[-600:]}"
        if contents and contents not in ([DOCUMENT], [b""]):
            result.problem = f"{len(contents)} documents that nobody sent, the first is {contents[0][:80]!r}"
        return result


def bomb(n):
    return gzip.compress(bytes(n), 9)
