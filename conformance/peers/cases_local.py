"""A local system asks a node over plain HTTP: ITI-18 through zeep and IHE's WSDL, ITI-43 and ITI-41 over MTOM. What comes is
compared with the files that were imported (ITI TF-2 3.18, 3.41, 3.43).
"""

import hashlib
import os
import uuid

from cases_query import Entry, STATUS_SLOT, expect_success, patient_slot
from cases_retrieve import PARTIAL, FAILURE, SUCCESS, read_documents, status_of
from discovery import find
from messages import FIND_DOCUMENTS, GET_DOCUMENTS, provide, quoted_list, retrieve
from through_zeep import Query
from wire import Message, Skip, Wire, expect, expect_equal, mtom

NOBODYS = "2.999.404"
NURIAS, ANOTHERS = "2.999.77.1", "2.999.77.4"  # of two persons


class Side:
    """A node's local listener, and whose documents it is asked for."""

    def __init__(self, world, url, community, patient, originals):
        self.world, self.wire, self.patient = world, Wire(url, None, world.arguments.trace), patient
        self.home, self.repository = "urn:oid:" + community, community + ".2"
        self.receiver = patient  # of what is provided
        self.originals = {}
        for name in os.listdir(originals):
            with open(f"{originals}/{name}", "rb") as file:
                data = file.read()
            self.originals[hashlib.sha1(data).hexdigest()] = data

    # ---- ITI-18 ----

    def query(self, query_id, slots):
        answer, envelope = Query(self.world, local=self.wire).ask(query_id, slots, self.home)
        payload = find(envelope, "/env:Envelope/env:Body/*")[0]
        self.world.schemas.check("ITI-18", envelope, payload)
        expect_equal(payload.get("status"), answer.status, "status as zeep decodes it")
        return payload

    def find(self, *more):
        return self.query(FIND_DOCUMENTS, [patient_slot(self.patient), STATUS_SLOT, *more])

    def get(self, *unique_ids):
        return self.query(GET_DOCUMENTS, [("$XDSDocumentEntryUniqueId", [quoted_list(unique_ids)])])

    def check_entry(self, entry):
        expect_equal(self.home, entry.home, "home")
        expect_equal(self.repository, entry.repository, "repositoryUniqueId")
        expect(entry.hash in self.originals, f"the hash of {entry.unique_id()} is of no file: {entry.hash}")
        expect_equal(len(self.originals[entry.hash]), entry.size, "size")

    def finds(self):
        entries = [Entry(node) for node in expect_success(self.find(), len(self.originals))]
        for entry in entries:
            self.check_entry(entry)
        expect_equal(set(self.originals), {entry.hash for entry in entries}, "hashes")
        return entries

    def finds_nothing(self):
        expect_success(self.find(("$XDSDocumentEntryTypeCode", ["('00000-0^^2.16.840.1.113883.6.1')"])), 0)

    def finds_part(self):
        """One of two registries is not there."""
        self.is_part(self.get(NURIAS))

    def is_part(self, payload):
        expect_equal(PARTIAL, payload.get("status"), "status")
        (node,) = find(payload, "rim:RegistryObjectList/*")
        expect_equal(NURIAS, Entry(node).unique_id(), "uniqueId")
        self.check_entry(Entry(node))
        errors = find(payload, "rs:RegistryErrorList/rs:RegistryError")
        expect(len(errors) == 1 and errors[0].get("errorCode") == "XDSRegistryError", f"errors: {errors_of(payload)}")

    def finds_two_persons(self):
        """Whole entries of two patients are not given (3.18.4.1.3)."""
        payload = self.get(NURIAS, ANOTHERS)
        expect_equal(FAILURE, payload.get("status"), "status")
        expect(not find(payload, "rim:RegistryObjectList/*"), "a Failure with results")
        expect("XDSResultNotSinglePatient" in errors_of(payload), f"errors: {errors_of(payload)}")

    # ---- ITI-43 ----

    def retrieve(self, *unique_ids, repository=None):
        wanted = [(self.home, repository or self.repository, one) for one in unique_ids]
        message = Message("ITI-43", self.wire.url, retrieve(wanted))
        self.world.schemas.check_ours(message.body[0])
        answer = self.wire.send(message, package=mtom(message))
        payload = answer.expect_answer(message, self.world.schemas)
        return payload, read_documents(answer, payload)

    def retrieves(self):
        entries = {entry.unique_id(): entry for entry in self.finds()}
        payload, found = self.retrieve(*entries)
        expect_equal(SUCCESS, status_of(payload), "status")
        expect_equal(list(entries), list(found), "documents in the order of the request")
        for name, (response, data) in found.items():
            expect_equal(self.home, find(response, "string(ihe:HomeCommunityId)"), "HomeCommunityId")
            expect(self.originals[entries[name].hash] == data, f"{name} came with other bytes")

    def retrieves_part(self):
        payload, found = self.retrieve(NOBODYS, NURIAS)
        expect_equal(PARTIAL, status_of(payload), "status")
        expect_equal([NURIAS], list(found), "documents")
        expect(found[NURIAS][1] in self.originals.values(), "other bytes")
        expect_equal(["XDSDocumentUniqueIdError"], errors_of(payload), "error codes")
        location = find(payload, "string(//rs:RegistryError/@location)")
        expect_equal(NOBODYS, location, "location, which in ITI-43 is the document's uniqueId")

    def retrieves_nothing(self):
        payload, found = self.retrieve(NURIAS, repository=NOBODYS)
        expect_equal(FAILURE, status_of(payload), "status")
        expect_equal({}, found, "documents")
        expect_equal(["XDSUnknownRepositoryId"], errors_of(payload), "error codes")

    # ---- ITI-41 ----

    def provide(self, unique_id, data, patient=None, target=None):
        message = Message("ITI-41", self.wire.url, provide(unique_id, patient or self.receiver, data, target))
        self.world.schemas.check_ours(message.body[0])
        answer = self.wire.send(message, package=mtom(message, parts=[("document@example.org", data)]))
        payload = answer.expect_answer(message, self.world.schemas)
        return payload.get("status"), errors_of(payload)

    def provides(self, target=None):
        """What was taken is given back."""
        unique_id, data = f"2.25.{uuid.uuid4().int}", b"Dear doctor,\r\n\0\xff\r\n--MIMEBoundary\r\nregards"
        expect_equal((SUCCESS, []), self.provide(unique_id, data, target=target), "status and errors")
        payload, found = self.retrieve(unique_id)
        expect_equal(SUCCESS, status_of(payload), "status of ITI-43")
        expect_equal(data, found[unique_id][1], "the bytes")
        return unique_id

    def provides_in_vain(self, target=None):
        """A patient whom the receiver does not know; a known uniqueId with other bytes, which changes nothing."""
        unique_id = f"2.25.{uuid.uuid4().int}"
        stranger = "nobody^^^&" + self.patient.split("&")[1] + "&ISO"
        expect_equal((FAILURE, ["XDSUnknownPatientId"]), self.provide(unique_id, b"x", stranger, target), "of a stranger")
        payload, _ = self.retrieve(unique_id)
        expect_equal(FAILURE, status_of(payload), "status of ITI-43 of what was refused")
        known = self.provides(target)
        _, before = self.retrieve(known)
        other = before[known][1][::-1]
        expect_equal((FAILURE, ["XDSNonIdenticalHash"]), self.provide(known, other, target=target), "of other bytes")
        _, after = self.retrieve(known)
        expect_equal(before[known][1], after[known][1], "the stored bytes")


def errors_of(payload):
    return [error.get("errorCode") for error in find(payload, ".//rs:RegistryErrorList/rs:RegistryError")]


def own(world):
    if not world.arguments.local:
        raise Skip("--local names no node")
    side = world.learn("own side", lambda world: Side(world, *world.arguments.local))
    side.receiver = world.arguments.receivers[1]
    return side


def submit(world, unique_id, target, data=b"from red"):
    """ITI-80 to the node: (status, errors)."""
    payload = provide(unique_id, world.arguments.receivers[0], data, target)
    message = Message("ITI-80", world.url, payload, world.order("/xcdr"))
    world.schemas.check_ours(message.body[0])
    answer = world.wire.send(message, package=mtom(message, parts=[("document@example.org", data)]))
    payload = answer.expect_answer(message, world.schemas)
    return payload.get("status"), errors_of(payload)


def submits(world):
    expect_equal((SUCCESS, []), submit(world, f"2.25.{uuid.uuid4().int}", world.home), "status and errors")


def submits_in_vain(world):
    unique_id = f"2.25.{uuid.uuid4().int}"
    expect_equal((FAILURE, ["XDSUnknownCommunity"]), submit(world, unique_id, "urn:oid:" + NOBODYS), "for another community")
    expect_equal((SUCCESS, []), submit(world, unique_id, world.home, b"one"), "for this community")
    expect_equal((FAILURE, ["XDSNonIdenticalHash"]), submit(world, unique_id, world.home, b"two"), "with other bytes")


CASES = [
    # REQ: ITI18-local, SQ-find-documents
    ("zeep: ITI-18 local, success: FindDocuments of the imported files", lambda world: own(world).finds()),
    ("zeep: ITI-18 local, empty: nothing is of this type", lambda world: own(world).finds_nothing()),
    # REQ: SQ-single-patient
    ("zeep: ITI-18 local, failure: whole entries of two patients", lambda world: own(world).finds_two_persons()),
    # REQ: ITI43-local, MTOM-package
    ("zeep: ITI-43 local, success: bytes in the order of the request", lambda world: own(world).retrieves()),
    ("zeep: ITI-43 local, partial: a known and an unknown document", lambda world: own(world).retrieves_part()),
    ("zeep: ITI-43 local, failure: an unknown repository", lambda world: own(world).retrieves_nothing()),
    # REQ: ITI41-provide
    ("zeep: ITI-41 local, success: into the store and back", lambda world: own(world).provides()),
    # REQ: ITI41-unknown-patient, ITI41-duplicate-id, ITI41-all-or-nothing
    ("zeep: ITI-41 local, failure: a stranger, a known uniqueId", lambda world: own(world).provides_in_vain()),
    # REQ: ITI80-provide
    ("zeep: ITI-80 asks, success", submits),
    # REQ: ITI80-home, ITI41-duplicate-id
    ("zeep: ITI-80 asks, failure: for another community, a known uniqueId", submits_in_vain),
]
