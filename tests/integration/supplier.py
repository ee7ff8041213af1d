#!/usr/bin/python3
"""A patient index of somebody else's make: a supplier of demographics (ITI-47) and a manager of cross-references (ITI-45), on one
port of this machine, without TLS. It knows one person. Only the standard library and lxml.

    supplier.py PORT FAMILY GIVEN BIRTH SEX ID [ROOT EXTENSION]...

ID is hers in the index's own domain (2.999.50), ROOT and EXTENSION are hers elsewhere, for ITI-45. Demographics are given when the
family name agrees, ids when she is asked about by ID. Prints a line for each question: what was asked, and what was answered.
"""
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lxml import etree

DOMAIN = "2.999.50"
NS = {"s": "http://www.w3.org/2003/05/soap-envelope", "a": "http://www.w3.org/2005/08/addressing", "h": "urn:hl7-org:v3"}
PERSON = sys.argv[2:7]
OTHERS = list(zip(sys.argv[7::2], sys.argv[8::2]))


def text(tree, path):
    found = tree.xpath(path, namespaces=NS)
    return found[0] if found else ""


def registered(identifiers, person):
    """One registrationEvent; identifiers are Patient.id."""
    ids = "".join('<v3:id root="%s" extension="%s"/>' % each for each in identifiers)
    return (
        '<v3:subject typeCode="SUBJ"><v3:registrationEvent classCode="REG" moodCode="EVN"><v3:statusCode code="active"/>'
        '<v3:subject1 typeCode="SBJ"><v3:patient classCode="PAT">%s<v3:statusCode code="active"/>%s</v3:patient></v3:subject1>'
        '<v3:custodian typeCode="CST"><v3:assignedEntity classCode="ASSIGNED"><v3:id root="%s.1"/></v3:assignedEntity></v3:custodian>'
        "</v3:registrationEvent></v3:subject>" % (ids, person, DOMAIN)
    )


def demographics():
    family, given, birth, sex, _ = PERSON
    return (
        '<v3:patientPerson classCode="PSN" determinerCode="INSTANCE"><v3:name use="L"><v3:family>%s</v3:family><v3:given>%s</v3:given></v3:name>'
        '<v3:administrativeGenderCode code="%s"/><v3:birthTime value="%s"/></v3:patientPerson>' % (family, given, sex, birth)
    )


def reply(tree, name, trigger, code, events):
    query_id = tree.xpath("//h:queryByParameter/h:queryId", namespaces=NS)[0]
    echo = etree.tostring(tree.xpath("//h:queryByParameter", namespaces=NS)[0], with_tail=False).decode()
    device = '<v3:device classCode="DEV" determinerCode="INSTANCE"><v3:id root="%s"/></v3:device>'
    message = text(tree, "//h:%s/h:id/@root" % ("PRPA_IN201305UV02" if name == "PRPA_IN201306UV02" else "PRPA_IN201309UV02"))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="%s"><soap:Header xmlns:wsa="%s"><wsa:Action soap:mustUnderstand="1">'
        "urn:hl7-org:v3:%s</wsa:Action><wsa:MessageID>urn:uuid:%s</wsa:MessageID><wsa:RelatesTo>%s</wsa:RelatesTo></soap:Header><soap:Body>"
        '<v3:%s xmlns:v3="urn:hl7-org:v3" ITSVersion="XML_1.0"><v3:id root="%s"/><v3:creationTime value="20260301120000"/>'
        '<v3:interactionId root="2.16.840.1.113883.1.6" extension="%s"/><v3:processingCode code="P"/><v3:processingModeCode code="T"/>'
        '<v3:acceptAckCode code="NE"/><v3:receiver typeCode="RCV">%s</v3:receiver><v3:sender typeCode="SND">%s</v3:sender>'
        '<v3:acknowledgement><v3:typeCode code="AA"/><v3:targetMessage><v3:id root="%s"/></v3:targetMessage></v3:acknowledgement>'
        '<v3:controlActProcess classCode="CACT" moodCode="EVN"><v3:code code="%s" codeSystem="2.16.840.1.113883.1.6"/>%s'
        '<v3:queryAck><v3:queryId root="%s" extension="%s"/><v3:statusCode code="deliveredResponse"/><v3:queryResponseCode code="%s"/></v3:queryAck>%s'
        "</v3:controlActProcess></v3:%s></soap:Body></soap:Envelope>"
        % (
            NS["s"], NS["a"], name, uuid.uuid4(), text(tree, "//a:MessageID/text()"), name, "2.25.%d" % uuid.uuid4().int, name,
            device % "2.999.8", device % (DOMAIN + ".1"), message, trigger, events, query_id.get("root"), query_id.get("extension"), code,
            echo, name,
        )
    )  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, tree):
        action = text(tree, "//a:Action/text()").strip()
        if action == "urn:hl7-org:v3:PRPA_IN201305UV02":
            family = text(tree, "//h:livingSubjectName/h:value/h:family/text()")
            knows = family == PERSON[0]
            print("demographics", "found" if knows else "nobody", flush=True)
            events = registered([(DOMAIN, PERSON[4])], demographics()) if knows else ""
            return reply(tree, "PRPA_IN201306UV02", "PRPA_TE201306UV02", "OK" if knows else "NF", events)
        if action == "urn:hl7-org:v3:PRPA_IN201309UV02":
            asked = text(tree, "//h:patientIdentifier/h:value/@extension")
            wanted = tree.xpath("//h:dataSource/h:value/@root", namespaces=NS)
            ids = [each for each in OTHERS if asked == PERSON[4] and each[0] in wanted]
            print("ids", " ".join(wanted), len(ids), flush=True)
            events = registered(ids, '<v3:patientPerson><v3:name nullFlavor="NA"/></v3:patientPerson>') if ids else ""
            return reply(tree, "PRPA_IN201310UV02", "PRPA_TE201310UV02", "OK" if ids else "NF", events)
        return None

    def do_POST(self):
        tree = etree.fromstring(self.rfile.read(int(self.headers["Content-Length"])))
        answer = self.answer(tree)
        self.send_response(200 if answer else 500)
        body = (answer or "").encode()
        self.send_header("Content-Type", "application/soap+xml; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
