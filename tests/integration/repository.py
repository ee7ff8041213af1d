#!/usr/bin/python3
"""A FHIR audit record repository: takes AuditEvents over mutual TLS, single ones and batches, and keeps them in a file. Only the
standard library.

    repository.py PORT CERTIFICATE KEY AUTHORITY FILE

Appends a line to FILE for each AuditEvent before it is answered: chain, sequence, the record's UUID, and the SHA-256 of the resource.
GET / says what it is, so that one can wait for it. Answers each third batch with an error for its last entry, once.
"""
import hashlib
import json
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, CERTIFICATE, KEY, AUTHORITY, FILE = sys.argv[1:6]
LOCK = threading.Lock()
batches = 0


def keep(resource):
    record = resource["entity"][-1]
    detail = {each["type"]: each["valueString"] for each in record["detail"]}
    digest = hashlib.sha256(json.dumps(resource, sort_keys=True).encode()).hexdigest()
    with LOCK, open(FILE, "a", encoding="utf-8") as out:
        out.write("%s %s %s %s\n" % (detail["chain"], detail["sequence"], record["what"]["identifier"]["value"], digest))


def take_batch(bundle):
    global batches
    batches += 1
    entries = []
    for at, entry in enumerate(bundle["entry"]):
        assert entry["request"] == {"method": "POST", "url": "AuditEvent"}, entry["request"]
        if batches % 3 == 0 and at + 1 == len(bundle["entry"]):
            entries.append({"response": {"status": "503 Service Unavailable"}})
            continue
        keep(entry["resource"])
        entries.append({"response": {"status": "201 Created"}})
    return 200, {"resourceType": "Bundle", "type": "batch-response", "entry": entries}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, resource):
        body = json.dumps(resource).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, {"resourceType": "CapabilityStatement"})

    def do_POST(self):
        resource = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/fhir" and resource["resourceType"] == "Bundle" and resource["type"] == "batch":
            self.answer(*take_batch(resource))
        elif self.path == "/fhir/AuditEvent" and resource["resourceType"] == "AuditEvent":
            keep(resource)
            self.answer(201, {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]})
        else:
            self.answer(404, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]})


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
context.load_verify_locations(AUTHORITY)
context.verify_mode = ssl.CERT_REQUIRED
server = ThreadingHTTPServer(("127.0.0.1", int(PORT)), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
