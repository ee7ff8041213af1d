#!/usr/bin/python3
"""A local system that asks through a node, with a stack of its own (requests, lxml, Python's MIME reader).

    local_client.py URL find FAMILY GIVEN BIRTH FOLDER   ITI-55, then ITI-38 and ITI-39 of what was found; documents go to FOLDER
    local_client.py URL query PATIENT [HOME]             ITI-38 FindDocuments; PATIENT is a CX
    local_client.py URL leave PATIENT SECONDS            the same, but the connection is closed after SECONDS
    local_client.py URL xds PATIENT FOLDER [HOME]        ITI-18 FindDocuments, GetDocuments of the first entry (without its home
                                                         when it is "-"), and ITI-43 of all; documents go to FOLDER

    local_client.py URL provide PATIENT FILE ID [HOME]   ITI-41 of FILE as document ID, for the node's own store or for community HOME; then
                                                         ITI-18 GetDocuments and ITI-43 give it back into FILE.back, when it was taken

With LOCAL_ASSERTION=FOLDER every message brings a bearer assertion about a user of community 2.999.5, signed with FOLDER/signing.pem.

Prints what came, one fact a line: "match COMMUNITY PATIENT", "status S", "document HOME REPOSITORY ID", "error CODE LOCATION",
"saved COMMUNITY FILE". Exit code 0 when every message could be read, whatever it said.
"""
import email
import email.policy
import hashlib
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
PROVIDE = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
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


def package(action, root, attached=None):
    """MTOM: the root part, and what is attached as cid:document."""
    boundary = f"part-{uuid.uuid4()}"
    head = (
        f'--{boundary}\r\nContent-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\n'
        "Content-Transfer-Encoding: binary\r\nContent-ID: <root@client.example>\r\n\r\n"
    )
    kind = (
        f'multipart/related; boundary="{boundary}"; type="application/xop+xml"; start="<root@client.example>"; '
        f'start-info="application/soap+xml"; action="{action}"'
    )
    body = head.encode() + root
    if attached is not None:
        part = "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <document>\r\n\r\n"
        body += f"\r\n--{boundary}\r\n{part}".encode() + attached
    return kind, body + f"\r\n--{boundary}--\r\n".encode()


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


def call(url, path, action, payload, is_mtom=False, attached=None):
    message_id, body = envelope(url + path, action, payload)
    kind = f'application/soap+xml; charset=UTF-8; action="{action}"'
    if is_mtom:
        kind, body = package(action, body, attached)
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


# ---- ITI-41 ----


def code(scheme, of, value, system):
    return (
        f'<r:Classification id="c{uuid.uuid4().hex}" classificationScheme="urn:uuid:{scheme}" classifiedObject="{of}" nodeRepresentation="{value}">'
        f'<r:Slot name="codingScheme"><r:ValueList><r:Value>{system}</r:Value></r:ValueList></r:Slot><r:Name><r:LocalizedString value="{value}"/></r:Name>'
        "</r:Classification>"
    )


def identifier(scheme, of, value, name):
    return (
        f'<r:ExternalIdentifier id="i{uuid.uuid4().hex}" identificationScheme="urn:uuid:{scheme}" registryObject="{of}" value={quoteattr(value)}>'
        f'<r:Name><r:LocalizedString value="{name}"/></r:Name></r:ExternalIdentifier>'
    )


def plain_slot(name, value):
    return f'<r:Slot name="{name}"><r:ValueList><r:Value>{escape(value)}</r:Value></r:ValueList></r:Slot>'


def submission(patient, data, unique_id, home):
    facts = {
        "creationTime": "20260301120000",
        "hash": hashlib.sha1(data).hexdigest(),
        "languageCode": "en-US",
        "size": str(len(data)),
        "sourcePatientId": patient,
    }
    kinds = (
        ("41a5887f-8865-4c09-adf7-e362475b143a", "34133-9", "2.16.840.1.113883.6.1"),
        ("f4f85eac-e6cb-4883-b524-f2705394840f", "N", "2.16.840.1.113883.5.25"),
        ("a09d5840-386c-46f2-b5ad-9c3699a4309d", "urn:ihe:iti:xds:2017:mimeTypeSufficient", "1.3.6.1.4.1.19376.1.2.3"),
        ("f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", "35971002", "2.16.840.1.113883.6.96"),
        ("cccf5598-8b07-4b77-a05e-ae952c785ead", "394802001", "2.16.840.1.113883.6.96"),
        ("f0306f51-975f-434e-a61c-c59651d33983", "34133-9", "2.16.840.1.113883.6.1"),
    )
    entry = (
        '<r:ExtrinsicObject id="entry" mimeType="application/octet-stream" objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">'
        + "".join(plain_slot(name, value) for name, value in facts.items())
        + "".join(code(scheme, "entry", value, system) for scheme, value, system in kinds)
        + identifier("58a6f841-87b3-4a3e-92fd-a8ffeff98427", "entry", patient, "XDSDocumentEntry.patientId")
        + identifier(UNIQUE_ID.removeprefix("urn:uuid:"), "entry", unique_id, "XDSDocumentEntry.uniqueId")
        + "</r:ExtrinsicObject>"
    )
    package_of_it = (
        '<r:RegistryPackage id="set">'
        + plain_slot("submissionTime", "20260301120000")
        + ("" if home is None else plain_slot("homeCommunityId", "urn:oid:" + home))
        + code("aa543740-bdda-424e-8c96-df4873be8500", "set", "34133-9", "2.16.840.1.113883.6.1")
        + identifier("6b5aea1a-874d-4603-a4bc-96a0a7b38446", "set", patient, "XDSSubmissionSet.patientId")
        + identifier("554ac39e-e3fe-47fe-b233-965d2a147832", "set", "2.999.77", "XDSSubmissionSet.sourceId")
        + identifier("96fdda7c-d067-4183-912e-bf5ee74998a8", "set", f"2.25.{uuid.uuid4().int}", "XDSSubmissionSet.uniqueId")
        + '</r:RegistryPackage><r:Classification id="node" classifiedObject="set" classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/>'
        + '<r:Association id="member" associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember" sourceObject="set" targetObject="entry">'
        + plain_slot("SubmissionSetStatus", "Original")
        + "</r:Association>"
    )
    return (
        f'<x:ProvideAndRegisterDocumentSetRequest xmlns:x="{NS["x"]}" xmlns:r="{NS["r"]}"><l:SubmitObjectsRequest '
        f'xmlns:l="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"><r:RegistryObjectList>{entry}{package_of_it}</r:RegistryObjectList></l:SubmitObjectsRequest>'
        f'<x:Document id="entry"><i:Include xmlns:i="{NS["xop"]}" href="cid:document"/></x:Document></x:ProvideAndRegisterDocumentSetRequest>'
    )


def provide(url, patient, path, unique_id, home=None):
    with open(path, "rb") as file:
        data = file.read()
    tree, _ = call(url, "/provide", PROVIDE, submission(patient, data, unique_id, home), True, data)
    if tree.findtext("s:Header/a:Action", namespaces=NS) != PROVIDE + "Response":
        sys.exit("another action than that of the answer")
    status = tree.find("s:Body/rs:RegistryResponse", NS).get("status").rsplit(":", 1)[1]
    print("provided", status)
    say_errors(tree)
    if status == "Success":
        os.makedirs(path + ".back")
        documents = ask(url, REGISTRY, get_documents(unique_id, home))
        retrieve(url, documents, path + ".back", REPOSITORY)


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
    elif what == "provide":
        provide(url, *rest)
    elif what == "leave":
        leave(url, *rest)
    else:
        sys.exit(__doc__)


main()
