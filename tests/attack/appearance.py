"""What a refused partner may see: the HTTP status, the fault and the one public text of the error's row in gateway/base/err_table.h, and
nothing else. The table is read here, so that the comparison is with what is promised, not with what is answered.
"""

import os
import re

from lxml import etree

ENV = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
DETAIL = "{urn:isthmus:fault:1}TransactionId"
SUBCODES = {
    "WSSE_INVALID_SECURITY": f"{{{WSSE}}}InvalidSecurity",
    "WSSE_INVALID_TOKEN": f"{{{WSSE}}}InvalidSecurityToken",
    "WSSE_FAILED_CHECK": f"{{{WSSE}}}FailedCheck",
    "WSSE_FAILED_AUTHENTICATION": f"{{{WSSE}}}FailedAuthentication",
}
WSA_FAULTS = ("WSA_HEADER", "WSA_ACTION")  # these say which header, as WS-Addressing wants: nothing of it is about security
CODES = {"VERSION_MISMATCH": "VersionMismatch", "MUST_UNDERSTAND": "MustUnderstand", "RECEIVER": "Receiver"}
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class Rows:
    """name -> (class, status, fault, public text)."""

    def __init__(self, root):
        with open(os.path.join(root, "gateway", "base", "err_table.h"), encoding="utf-8") as file:
            text = file.read()
        security = re.search(r'#define ERR_SECURITY_TEXT "([^"]*)"', text).group(1)
        self.of = {}
        for found in re.finditer(r'X\((\w+),\s*(\w+),\s*(\d+),\s*(\w+),\s*"[^"]*",\s*(ERR_SECURITY_TEXT|"[^"]*")\)', text):
            public = security if found.group(5) == "ERR_SECURITY_TEXT" else found.group(5)[1:-1]
            self.of[found.group(1)] = (found.group(2), int(found.group(3)), found.group(4), public)
        if len(self.of) < 50:
            raise ValueError("gateway/base/err_table.h: its rows could not be read")

    def is_security(self, error):
        return self.of.get(error, ("",))[0] == "SECURITY"


def qname(node):
    prefix, _, local = (node.text or "").strip().rpartition(":")
    return f"{{{node.nsmap.get(prefix or None)}}}{local}"


def why_wrong(rows, error, answer, message_id=None):
    """None, or what is wrong with the look of a refusal by <error>. <answer>: status, content_type, body."""
    row = rows.of.get(error)
    if row is None:
        return f"the log's error {error!r} has no row in err_table.h"
    _, status, fault, public = row
    media = answer.content_type.split(";")[0]
    if fault == "PLAIN" or media == "text/plain":
        if answer.status != status:
            return f"HTTP {answer.status} for {error}; its row says {status}"
        if answer.body != (public + "\n").encode():
            return f"the text is {answer.body[:120]!r}; the row of {error} says {public!r}"
        return why_headers_wrong(answer)
    if media != "application/soap+xml":
        return f"{error} was answered with {answer.content_type!r}"
    if answer.status != status:
        return f"HTTP {answer.status} for {error}; its row says {status}"
    return why_fault_wrong(error, fault, public, answer, message_id) or why_headers_wrong(answer)


def why_headers_wrong(answer):
    unknown = set(answer.headers) - {"date", "content-type", "content-length", "connection", "allow"}
    return f"headers that nobody needs: {', '.join(sorted(unknown))}" if unknown else None


def why_fault_wrong(error, fault, public, answer, message_id):
    try:
        root = etree.fromstring(answer.body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as problem:
        return f"the fault is not XML: {problem}"
    names = {"e": ENV, "wsa": WSA}
    faults = root.xpath("/e:Envelope/e:Body/*", namespaces=names)
    if len(faults) != 1 or faults[0].tag != f"{{{ENV}}}Fault":
        return "the Body is no fault"
    codes = [qname(value) for value in faults[0].findall(f"{{{ENV}}}Code//{{{ENV}}}Value")]
    wanted = [f"{{{ENV}}}{CODES.get(fault, 'Sender')}"] + ([SUBCODES[fault]] if fault in SUBCODES else [])
    if fault in WSA_FAULTS:
        wanted += [code for code in codes[1:] if code.startswith(f"{{{WSA}}}")]
    if codes != wanted or (fault in WSA_FAULTS and len(codes) < 2):
        return f"{error}: fault codes {codes}; expected {wanted}"
    reasons = [node.text for node in faults[0].findall(f"{{{ENV}}}Reason/{{{ENV}}}Text")]
    if reasons != [public]:
        return f"{error}: the reason is {reasons}; expected {public!r}"
    if [child.tag.rpartition("}")[2] for child in faults[0]] != ["Code", "Reason", "Detail"]:
        return "the fault has other children than Code, Reason and Detail"
    if not is_detail_known(faults[0].find(f"{{{ENV}}}Detail"), fault):
        return "the fault's Detail has more than the transaction's id"
    header = [child.tag.rpartition("}")[2] for child in root.find(f"{{{ENV}}}Header")]
    blocks = {"Action", "RelatesTo", "MessageID", "Upgrade"} | ({"NotUnderstood"} if fault == "MUST_UNDERSTAND" else set())
    if not set(header) <= blocks or len(set(header)) != len(header):
        return f"header blocks of the fault: {header}"
    related = root.findtext(f"{{{ENV}}}Header/{{{WSA}}}RelatesTo")
    if related is not None and message_id is not None and related != message_id:
        return "the fault relates to another message"
    return None


def is_detail_known(detail, fault):
    """The transaction's id; of an addressing fault also the name of the header."""
    nodes = list(detail)
    if not nodes or nodes[-1].tag != DETAIL and nodes[0].tag != DETAIL:
        return False
    for node in nodes:
        text = (node.text or "").strip()
        if node.tag == DETAIL:
            is_known = re.fullmatch(UUID, text) and not node.attrib
        elif node.tag == f"{{{WSA}}}ProblemHeaderQName":
            is_known = fault in WSA_FAULTS and re.fullmatch(r"wsa:[A-Za-z]+", text)
        else:
            is_known = fault == "WSA_ACTION" and node.tag == f"{{{WSA}}}ProblemAction"
        if not is_known:
            return False
    return True


def transaction_of(body):
    found = re.search(rb"TransactionId[^>]*>(" + UUID.encode() + rb")<", body)
    return found.group(1).decode() if found else None
