"""ITI-39 Cross Gateway Retrieve over MTOM (ITI TF-2 3.39, 3.43; XOP 1.0; MTOM 1.0)."""

import base64
import hashlib
import os
import urllib.parse

from cases_query import entries
from discovery import find
from messages import FAILURE, PARTIAL, SUCCESS, retrieve
from wire import Message, Skip, expect, expect_equal, mtom

NOWHERE = "2.999.404"


def triple(entry, **changes):
    known = {"home": entry.home, "repository": entry.repository, "document": entry.unique_id(), **changes}
    return known["home"], known["repository"], known["document"]


def ask(world, documents, package=None, **options):
    message = Message("ITI-39", world.url, retrieve(documents, **options), world.order("/xca/retrieve"))
    world.schemas.check_ours(message.body[0])
    answer = world.wire.send(message, package=(package or mtom)(message))
    return answer, answer.expect_answer(message, world.schemas)


def check_package(answer):
    """multipart/related of XOP, as ITI TF-2 3.43.5.1 wants it."""
    expect_equal("multipart/related", answer.mime.get_content_type(), "media type")
    expect_equal("application/xop+xml", answer.mime.get_param("type"), "type")
    expect_equal("application/soap+xml", answer.mime.get_param("start-info"), "start-info")
    root = answer.parts[answer.mime.get_param("start")]
    expect(answer.mime.get_payload()[0] is root, "the root part is not the first")
    expect_equal("application/xop+xml", root.get_content_type(), "media type of the root part")
    expect_equal("application/soap+xml", root.get_param("type"), "type of the root part")
    expect_equal("utf-8", (root.get_param("charset") or "").lower(), "charset of the root part")
    for part in answer.mime.get_payload():
        expect_equal("binary", part["Content-Transfer-Encoding"], "Content-Transfer-Encoding")


def bytes_of(answer, response):
    """The document of one DocumentResponse, by its xop:Include."""
    (document,) = find(response, "ihe:Document")
    include = find(document, "xop:Include")
    expect_equal(1, len(include), "xop:Include in a Document")
    around = (document.text or "") + (include[0].tail or "")
    expect_equal("", around, "characters around the xop:Include")
    href = include[0].get("href")
    expect(href.startswith("cid:"), f"href of the Include: {href}")
    cid = f"<{urllib.parse.unquote(href[4:])}>"
    expect(cid in answer.parts, f"no part has the Content-ID {cid}")
    return answer.parts[cid].get_payload(decode=True)


def read_documents(answer, payload):
    """uniqueId to (DocumentResponse, bytes)."""
    check_package(answer)
    responses = find(payload, "ihe:DocumentResponse")
    expect_equal(1 + len(responses), len(answer.parts), "parts: the root and one per document")
    found = {}
    for response in responses:
        found[find(response, "string(ihe:DocumentUniqueId)")] = (response, bytes_of(answer, response))
    expect_equal(len(responses), len(found), "different documents")
    return found


def status_of(payload):
    return find(payload, "string(rs:RegistryResponse/@status)")


def check_document(world, entry, response, data):
    expect_equal(world.home, find(response, "string(ihe:HomeCommunityId)"), "HomeCommunityId")
    expect_equal(entry.repository, find(response, "string(ihe:RepositoryUniqueId)"), "RepositoryUniqueId")
    expect_equal(entry.mime_type, find(response, "string(ihe:mimeType)"), "mimeType")
    expect_equal(entry.size, len(data), "size in the metadata and of what came")
    expect_equal(entry.hash, hashlib.sha1(data).hexdigest(), "hash in the metadata and of what came")


def retrieve_all(world):
    known = {entry.unique_id(): entry for entry in entries(world)}
    answer, payload = ask(world, [triple(entry) for entry in known.values()])
    expect_equal(SUCCESS, status_of(payload), "status")
    found = read_documents(answer, payload)
    expect_equal(set(known), set(found), "documents")
    for name, (response, data) in found.items():
        check_document(world, known[name], response, data)
    world.known["bytes"] = [data for _, data in found.values()]


def retrieve_one_by_one(world):
    for entry in entries(world):
        answer, payload = ask(world, [triple(entry)], prefix="")
        found = read_documents(answer, payload)
        expect_equal({entry.unique_id()}, set(found), "documents")
        check_document(world, entry, *found[entry.unique_id()])


def equal_to_the_originals(world):
    folder = world.arguments.originals
    if not folder:
        raise Skip("--originals names no folder")
    if "bytes" not in world.known:
        retrieve_all(world)
    originals = set()
    for name in os.listdir(folder):
        with open(f"{folder}/{name}", "rb") as file:
            originals.add(file.read())
    for data in world.known["bytes"]:
        expect(data in originals, f"{len(data)} bytes came that nobody imported: {data[:60]!r}")


def expect_refused(world, documents, code, document=""):
    """Failure, no document, one error whose location names the community and the document (3.39.4.2)."""
    answer, payload = ask(world, documents)
    expect_equal(FAILURE, status_of(payload), "status")
    expect(not find(payload, "ihe:DocumentResponse"), "a document came all the same")
    check_package(answer)
    errors = find(payload, "rs:RegistryResponse/rs:RegistryErrorList/rs:RegistryError")
    expect_equal([code], [error.get("errorCode") for error in errors], "error codes")
    location = errors[0].get("location") or ""
    expect(document in location and world.home in location, f"location of the error: {location}")


def unknown_things(world):
    entry = entries(world)[0]
    name = entry.unique_id()
    expect_refused(world, [triple(entry, document=NOWHERE)], "XDSDocumentUniqueIdError", NOWHERE)
    expect_refused(world, [triple(entry, repository=NOWHERE)], "XDSUnknownRepositoryId", name)
    expect_refused(world, [triple(entry, home="urn:oid:" + NOWHERE)], "XDSUnknownCommunity", name)
    expect_refused(world, [triple(entry, home="")], "XDSMissingHomeCommunityId", name)


def partial_success(world):
    entry = entries(world)[0]
    answer, payload = ask(world, [triple(entry, document=NOWHERE), triple(entry)])
    expect_equal(PARTIAL, status_of(payload), "status")
    found = read_documents(answer, payload)
    check_document(world, entry, *found[entry.unique_id()])
    errors = find(payload, "rs:RegistryResponse/rs:RegistryErrorList/rs:RegistryError")
    expect_equal(["XDSDocumentUniqueIdError"], [error.get("errorCode") for error in errors], "error codes")
    expect(NOWHERE in errors[0].get("location"), "the error's location does not name the document")


def restricted_is_not_given(world):
    if not world.arguments.restricted:
        raise Skip("--restricted names no document")
    entry = entries(world)[0]
    wanted = [triple(entry, document=world.arguments.restricted)]
    expect_refused(world, wanted, "XDSDocumentUniqueIdError", world.arguments.restricted)


def packages_of_other_stacks(world):
    """Shapes that other stacks send: unquoted boundary, an empty line first, ids as in the sample of 3.43.5.1.2.1."""
    shapes = (
        {"quote_boundary": False, "boundary": "uuid-0123.ABC"},
        {"before": b"\r\n"},
        {"root_cid": "0.urn:uuid:A5E1A1C2A1@apache.org", "boundary": "MIMEBoundaryurn_uuid_A5E1A1C2A1"},
        {"boundary": "----=_Part_1_2'()+_,-./:=?"},
    )
    for shape in shapes:
        entry = entries(world)[0]
        answer, payload = ask(world, [triple(entry)], package=lambda message, shape=shape: mtom(message, **shape))
        check_document(world, entry, *read_documents(answer, payload)[entry.unique_id()])


def not_a_package(world):
    """A retrieve as simple SOAP, which 3.43.5.1 does not allow: refused, or answered with the whole document."""
    entry = entries(world)[0]
    message = Message("ITI-39", world.url, retrieve([triple(entry)]), world.order("/xca/retrieve"))
    answer = world.wire.send(message)
    if answer.status != 200:
        expect(answer.is_fault() or 400 <= answer.status < 500, f"HTTP {answer.status}: {answer.text()}")
        return
    payload = answer.expect_answer(message, world.schemas)
    if answer.parts:
        check_document(world, entry, *read_documents(answer, payload)[entry.unique_id()])
        return
    (response,) = find(payload, "ihe:DocumentResponse")
    data = base64.b64decode(find(response, "string(ihe:Document)"), validate=True)
    check_document(world, entry, response, data)


CASES = [
    # REQ: ITI39-ids-echoed, ITI39-response-order, MTOM-package, MTOM-root, META-hash
    ("zeep: ITI-39 asks, success: all documents in one package, hash and size as in the metadata", retrieve_all),
    # REQ: ITI38-home-accepted, MTOM-include
    ("ITI-39: one document at a time", retrieve_one_by_one),
    # REQ: ITI39-retrieve, MTOM-bytes
    ("ITI-39: the bytes are those that were imported", equal_to_the_originals),
    # REQ: ITI39-home-required, ITI39-home-unknown
    ("zeep: ITI-39 asks, failure: unknown document, repository, community; no community", unknown_things),
    ("zeep: ITI-39 asks, partial: a known and an unknown document", partial_success),
    # REQ: ITI39-document-unknown
    ("ITI-39: a restricted document is not given", restricted_is_not_given),
    # REQ: MTOM-lenient
    ("ITI-39: packages shaped as other stacks shape them", packages_of_other_stacks),
    ("ITI-39: a request as simple SOAP is refused or answered in full", not_a_package),
]
