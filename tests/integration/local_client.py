#!/usr/bin/python3
"""A local system that asks through a node, with a stack of its own (requests, lxml, Python's MIME reader).

    local_client.py URL find FAMILY GIVEN BIRTH FOLDER   ITI-55, then ITI-38 and ITI-39 of what was found; documents go to FOLDER
    local_client.py URL query PATIENT [HOME]             ITI-38 FindDocuments; PATIENT is a CX
    local_client.py URL leave PATIENT SECONDS            the same, but the connection is closed after SECONDS
    local_client.py URL xds PATIENT FOLDER [HOME]        ITI-18 FindDocuments, GetDocuments of the first entry (without its home
                                                         when it is "-"), and ITI-43 of all; documents go to FOLDER

With LOCAL_ASSERTION=FOLDER every message brings a bearer assertion about a user of community 2.999.5, signed with FOLDER/signing.pem.

Prints what came, one fact a line: "match COMMUNITY PATIENT", "status S", "document HOME REPOSITORY ID", "error CODE LOCATION",
"saved COMMUNITY FILE". Exit code 0 when every message could be read, whatever it said.
"""
import email
import email.policy
import os
import socket
import sys
import uuid
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

import requests
from lxml import etree

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://www.w3.org/2005/08/addressing",
    "h": "urn:hl7-org:v3",
    "q": "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0",
    "r": "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0",
    "rs": "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0",
    "x": "urn:ihe:iti:xds-b:2007",
    "xop": "http://www.w3.org/2004/08/xop/include",
}
DISCOVER = "urn:hl7-org:v3:PRPA_IN201305UV02:CrossGatewayPatientDiscovery"
DISCOVERED = "urn:hl7-org:v3:PRPA_IN201306UV02:CrossGatewayPatientDiscovery"
QUERY = "urn:ihe:iti:2007:CrossGatewayQuery"
RETRIEVE = "urn:ihe:iti:2007:CrossGatewayRetrieve"
REGISTRY = "urn:ihe:iti:2007:RegistryStoredQuery"
REPOSITORY = "urn:ihe:iti:2007:RetrieveDocumentSet"
UNIQUE_ID = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"


def security(url):
    folder = os.environ.get("LOCAL_ASSERTION")
    if not folder:
        return ""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../conformance/peers"))
    import assertion

    order = assertion.Order(
        signer=assertion.Signer.load(folder), home_community="2.999.5", audience=url, user="Sana Asserted", confirmations=(assertion.BEARER,)
    )
    return assertion.security_text(order).decode()


def envelope(url, action, payload):
    message_id = f"urn:uuid:{uuid.uuid4()}"
    text = (
        f'<s:Envelope xmlns:s="{NS["s"]}" xmlns:a="{NS["a"]}"><s:Header>'
        f'<a:Action s:mustUnderstand="1">{action}</a:Action><a:MessageID>{message_id}</a:MessageID><a:To>{escape(url)}</a:To>'
        f'<a:ReplyTo><a:Address>{NS["a"]}/anonymous</a:Address></a:ReplyTo>{security(url)}</s:Header><s:Body>{payload}</s:Body></s:Envelope>'
    )
    return message_id, text.encode()


def package(action, root):
    """MTOM: the root part alone."""
    boundary = f"part-{uuid.uuid4()}"
    head = (
        f'--{boundary}\r\nContent-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\n'
        "Content-Transfer-Encoding: binary\r\nContent-ID: <root@client.example>\r\n\r\n"
    )
    kind = (
        f'multipart/related; boundary="{boundary}"; type="application/xop+xml"; start="<root@client.example>"; '
        f'start-info="application/soap+xml"; action="{action}"'
    )
    return kind, head.encode() + root + f"\r\n--{boundary}--\r\n".encode()


def parts_of(answer):
    """The SOAP envelope's bytes, and the other parts by Content-ID."""
    kind = answer.headers["Content-Type"]
    if not kind.startswith("multipart/"):
        return answer.content, {}
    message = email.message_from_bytes(
        b"Content-Type: " + kind.encode() + b"\r\n\r\n" + answer.content, policy=email.policy.HTTP
    )
    parts = {part["Content-ID"].strip("<>"): part.get_payload(decode=True) for part in message.iter_parts()}
    start = message.get_param("start").strip("<>")
    return parts.pop(start), parts


def call(url, path, action, payload, is_mtom=False):
    message_id, body = envelope(url + path, action, payload)
    kind = f'application/soap+xml; charset=UTF-8; action="{action}"'
    if is_mtom:
        kind, body = package(action, body)
    answer = requests.post(url + path, data=body, headers={"Content-Type": kind}, timeout=60)
    root, parts = parts_of(answer)
    if answer.status_code != 200:
        sys.exit(f"HTTP {answer.status_code}: {root.decode(errors='replace')}")
    tree = etree.fromstring(root)
    relates_to = tree.findtext("s:Header/a:RelatesTo", namespaces=NS)
    if relates_to != message_id:
        sys.exit(f"the answer relates to {relates_to}, the question was {message_id}")
    return tree, parts


def say_errors(tree):
    for error in tree.iterfind(".//rs:RegistryError", NS):
        print("error", error.get("errorCode"), error.get("location", "-"))


# ---- ITI-55 ----


def discovery(family, given, birth):
    now = "20260101000000+0000"
    device = '<device classCode="DEV" determinerCode="INSTANCE"><id root="2.999.77"/></device>'
    return (
        '<PRPA_IN201305UV02 xmlns="urn:hl7-org:v3" ITSVersion="XML_1.0"><id root="2.999.77" extension="1"/>'
        f'<creationTime value="{now}"/><interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201305UV02"/>'
        '<processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="NE"/>'
        f'<receiver typeCode="RCV">{device}</receiver><sender typeCode="SND">{device}</sender>'
        '<controlActProcess classCode="CACT" moodCode="EVN"><code code="PRPA_TE201305UV02" codeSystem="2.16.840.1.113883.1.6"/>'
        '<queryByParameter><queryId root="2.999.77" extension="q1"/><statusCode code="new"/><responseModalityCode code="R"/>'
        '<responsePriorityCode code="I"/><parameterList>'
        f'<livingSubjectBirthTime><value value="{birth}"/><semanticsText>LivingSubject.birthTime</semanticsText></livingSubjectBirthTime>'
        f"<livingSubjectName><value><family>{escape(family)}</family><given>{escape(given)}</given></value>"
        "<semanticsText>LivingSubject.name</semanticsText></livingSubjectName></parameterList></queryByParameter>"
        "</controlActProcess></PRPA_IN201305UV02>"
    )


def discover(url, family, given, birth):
    tree, _ = call(url, "/pdq", DISCOVER, discovery(family, given, birth))
    if tree.findtext("s:Header/a:Action", namespaces=NS) != DISCOVERED:
        sys.exit("another action than that of the answer")
    found = []
    for event in tree.iterfind(".//h:registrationEvent", NS):
        patient = event.find("h:subject1/h:patient/h:id", NS)
        home = event.find("h:custodian/h:assignedEntity/h:id", NS).get("root")
        found.append((home, f"{patient.get('extension')}^^^&{patient.get('root')}&ISO"))
        print("match", *found[-1])
    print("code", tree.find(".//h:queryAck/h:queryResponseCode", NS).get("code"))
    return found


# ---- ITI-38 ----


def slot(name, value):
    return f'<r:Slot name="${name}"><r:ValueList><r:Value>{escape(value)}</r:Value></r:ValueList></r:Slot>'


def stored_query(name, home, slots):
    at = "" if home is None else f" home={quoteattr('urn:oid:' + home)}"
    return (
        f'<q:AdhocQueryRequest xmlns:q="{NS["q"]}" xmlns:r="{NS["r"]}"><q:ResponseOption returnComposedObjects="true" '
        f'returnType="LeafClass"/><r:AdhocQuery id="urn:uuid:{name}"{at}>{slots}</r:AdhocQuery></q:AdhocQueryRequest>'
    )


def find_documents(patient, home):
    approved = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
    slots = slot("XDSDocumentEntryPatientId", f"'{patient}'") + slot("XDSDocumentEntryStatus", approved)
    return stored_query("14d4debf-8f97-4251-9a74-a90016b0af0d", home, slots)


def get_documents(unique_id, home):
    return stored_query("5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4", home, slot("XDSDocumentEntryUniqueId", f"('{unique_id}')"))


def query(url, patient, home=None):
    return ask(url, QUERY, find_documents(patient, home))


def ask(url, action, payload):
    tree, _ = call(url, "/registry", action, payload)
    if tree.findtext("s:Header/a:Action", namespaces=NS) != action + "Response":
        sys.exit("another action than that of the answer")
    response = tree.find("s:Body/q:AdhocQueryResponse", NS)
    print("status", response.get("status").rsplit(":", 1)[1])
    found = []
    for entry in response.iterfind("r:RegistryObjectList/r:ExtrinsicObject", NS):
        repository = entry.findtext("r:Slot[@name='repositoryUniqueId']/r:ValueList/r:Value", namespaces=NS)
        ids = [i.get("value") for i in entry.iterfind("r:ExternalIdentifier", NS) if i.get("identificationScheme") == UNIQUE_ID]
        found.append((entry.get("home"), repository, ids[0]))
        print("document", *found[-1])
    say_errors(tree)
    return found


def leave(url, patient, seconds):
    """One connection that goes before its answer."""
    where = urlsplit(url)
    _, body = envelope(url, QUERY, find_documents(patient, None))
    head = f"POST /registry HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/soap+xml\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((where.hostname, where.port)) as connection:
        connection.sendall(head.encode() + body)
        connection.settimeout(float(seconds))
        try:
            sys.exit(f"answered before: {connection.recv(100)!r}")
        except TimeoutError:
            print("left")


# ---- ITI-39 ----


def retrieve(url, documents, folder, action=RETRIEVE):
    refs = "".join(
        "<DocumentRequest>"
        + (f"<HomeCommunityId>{escape(h)}</HomeCommunityId>" if h else "")
        + f"<RepositoryUniqueId>{escape(r)}</RepositoryUniqueId><DocumentUniqueId>{escape(u)}</DocumentUniqueId></DocumentRequest>"
        for h, r, u in documents
    )
    tree, parts = call(
        url, "/repository", action, f'<RetrieveDocumentSetRequest xmlns="{NS["x"]}">{refs}</RetrieveDocumentSetRequest>', True
    )
    response = tree.find("s:Body/x:RetrieveDocumentSetResponse", NS)
    print("status", response.find("rs:RegistryResponse", NS).get("status").rsplit(":", 1)[1])
    for n, document in enumerate(response.iterfind("x:DocumentResponse", NS)):
        include = document.find("x:Document/xop:Include", NS)
        data = parts[include.get("href").removeprefix("cid:")]
        path = os.path.join(folder, f"document-{n}")
        with open(path, "wb") as file:
            file.write(data)
        print("saved", document.findtext("x:HomeCommunityId", default="-", namespaces=NS), path)
    say_errors(tree)


def xds(url, patient, folder, home=None):
    os.makedirs(folder)
    documents = ask(url, REGISTRY, find_documents(patient, None if home == "-" else home))
    if home == "-":
        documents = [("", r, u) for _, r, u in documents]
    where, _, unique_id = documents[0]
    ask(url, REGISTRY, get_documents(unique_id, where.removeprefix("urn:oid:") or None))
    retrieve(url, documents + [("", "2.999.404.2", "2.999.404.3")], folder, REPOSITORY)


def main():
    url, what, *rest = sys.argv[1:]
    if what == "find":
        family, given, birth, folder = rest
        os.makedirs(folder)
        documents = []
        for home, patient in discover(url, family, given, birth):
            documents += query(url, patient, home)
        if documents:
            retrieve(url, documents + [("urn:oid:2.999.404", "2.999.404.2", "2.999.404.3")], folder)
    elif what == "query":
        query(url, *rest)
    elif what == "xds":
        xds(url, *rest)
    elif what == "leave":
        leave(url, *rest)
    else:
        sys.exit(__doc__)


main()
