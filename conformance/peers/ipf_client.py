#!/usr/bin/python3
"""IPF asks nodes and is asked by them: as a partner (asks, answers), as a local system of a node (local), as a registry and repository
behind one (source). What IPF says, and what it understood of an answer, ipf/Main.java passes on;
what must come is said here.

    ipf_client.py --name value ... -- java ... Main ...     the options are said where ./run starts this
"""

import argparse
import base64
import hashlib
import os
import random
import re
import subprocess
import sys

from lxml import etree

import program
from cases_query import STATUS_SLOT, Entry, patient_slot
from discovery import find
from messages import FAILURE, FIND_DOCUMENTS, PARTIAL, SUCCESS, add_slot, get_documents, provide, retrieve, stored_query
from program import CONTENT, LETTER, LOST, SCAN
from wire import RS, expect, expect_equal

GATEWAY, GATEWAY_REPOSITORY = program.COMMUNITY, program.REPOSITORY
SOURCE, SOURCE_REPOSITORY = "2.999.6", "2.999.6.2"
GREEN, AMBER, TEAL = "2.999.2", "2.999.5", "2.999.9"
NOBODYS = "2.999.404"
HERE = os.path.dirname(os.path.abspath(__file__))
ERROR = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"


class Refused(Exception):
    """A fault, or what IPF made of it; or a validator of IPF's."""


class Ipf:
    """The program in Java, which answers while it runs."""

    def __init__(self, command, folder):
        os.mkdir(folder)
        self.folder, self.asked = folder, 0
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        expect_equal(["ready"], self.read(), "what IPF says first")

    def read(self):
        lines = []
        for line in self.process.stdout:
            if line == "\n":
                return lines
            lines.append(line.rstrip("\n"))
        raise EOFError(f"IPF has ended: {lines}")

    def say(self, *words):
        self.process.stdin.write("\t".join(words) + "\n")
        self.process.stdin.flush()
        return self.read()

    def ask(self, mode, component, url, question, security=None):
        """The answer's XML. <security>: audience and lifetime, or "none"; over TLS, what is right."""
        self.asked += 1
        question_file, answer_file = (f"{self.folder}/{self.asked:03}-{component}-{kind}.xml" for kind in ("question", "answer"))
        with open(question_file, "wb") as file:
            file.write(question if isinstance(question, bytes) else etree.tostring(question))
        right = f"{url} 300" if url.startswith("https") else "none"
        said = self.say("ask", mode, component, url, security or right, question_file, answer_file)
        if said[0] == "refused":
            raise Refused("\n".join(said[1:]))
        return etree.parse(answer_file).getroot()

    def seen(self, kind=None):
        """What came to IPF since this was asked last."""
        return [line.split("\t") for line in self.say("seen")[1:] if kind in (None, line.split("\t")[0])]

    def end(self):
        self.process.stdin.close()
        return self.process.wait(timeout=30)


class Side:
    """Whom IPF asks, where and how. <patient> None: the patient's id says what IPF's gateway answers, else a type code does."""

    def __init__(self, ipf, mode, where, community, patient, repository, given):
        self.ipf, self.mode, self.community, self.patient, self.repository = ipf, mode, community, patient, repository
        self.home, self.is_local = "urn:oid:" + community, not where.startswith("https")
        self.asked = "SYNC" if self.is_local else mode
        self.find_at, self.retrieve_at = (("xds-iti18", where + "/registry"), ("xds-iti43", where + "/repository"))
        if not self.is_local:
            self.find_at, self.retrieve_at = (("xca-iti38", where + "/xca/query"), ("xca-iti39", where + "/xca/retrieve"))
        self.where, self.is_behind, self.given = where, repository in (GATEWAY_REPOSITORY, SOURCE_REPOSITORY), given

    def patient_of(self, what):
        return self.patient or f"{what}^^^&{self.community}.1&ISO"

    def question(self, what, home=None):
        slots = [patient_slot(self.patient_of(what)), STATUS_SLOT]
        if self.patient and what != "whole":
            slots.append(("$XDSDocumentEntryTypeCode", [f"('{what}^^2.999.4.9')"]))
        return stored_query(FIND_DOCUMENTS, slots, home or self.home)

    def query(self, question, **options):
        return self.ipf.ask(self.asked, *self.find_at, question, **options)

    def retrieve(self, documents):
        return self.ipf.ask(self.asked, *self.retrieve_at, retrieve(documents))


def judge(response, status, code, named=None):
    """Status; no error, or one of this code that names <named> and says why. Warnings are allowed."""
    errors = [error for error in find(response, "rs:RegistryErrorList/rs:RegistryError") if error.get("severity") == ERROR]
    said = [dict(error.attrib) for error in errors]
    expect_equal(status, response.get("status"), f"status ({said})")
    expect_equal([code] if code else [], [error["errorCode"] for error in said], "error codes")
    for error in said:
        expect(error.get("codeContext"), "no codeContext")
        expect(named is None or named in error.get("location", "") + " " + error["codeContext"], f"{named} is not named: {error}")


def refused(ask, text):
    try:
        ask()
    except Refused as why:
        expect(text in str(why), f"not the refusal: {why}")
        return
    raise AssertionError("it was answered")


def sha1(data):
    return hashlib.sha1(data).hexdigest()


BOTH, ONLY_SCAN = {sha1(CONTENT[LETTER]), sha1(CONTENT[SCAN])}, {sha1(CONTENT[SCAN])}


class Cases:
    """All cases, in their order: later ones use what earlier ones have found."""

    def __init__(self, ipf, given):
        self.ipf, self.given, self.known, self.rows = ipf, given, {}, []
        self.originals = set()
        for name in os.listdir(given.originals):
            with open(f"{given.originals}/{name}", "rb") as file:
                self.originals.add(sha1(file.read()))
        local, later = "http://" + given.local, "http://" + given.later_local
        self.green = {mode: self.side(mode, given.url, GREEN, given.patient, GREEN + ".2") for mode in ("SYNC", "ASYNC")}
        self.broker = {mode: self.side(mode, given.amber_url, SOURCE, given.local_patient, SOURCE_REPOSITORY) for mode in ("SYNC", "ASYNC")}
        self.partner = self.side("SYNC", local, GATEWAY, None, GATEWAY_REPOSITORY)
        self.partner_later = self.side("ASYNC", later, GATEWAY, None, GATEWAY_REPOSITORY)
        self.source = self.side("SYNC", local, SOURCE, given.local_patient, SOURCE_REPOSITORY)

    def side(self, mode, where, community, patient, repository):
        return Side(self.ipf, mode, where, community, patient, repository, self.given)

    def add(self, mode, name, case, *words):
        """The mode stands in the name of its cells, but ITI-40 is the same in all."""
        if mode != "SYNC":
            name = re.sub("(?<!ITI-40 )(asks|answers)(?=[, ])", rf"\1 {mode.lower()}", name)
        self.rows.append((name, lambda: case(*words)))

    # ---- ITI-38, ITI-18 ----

    def finds(self, side, what, status, code, hashes):
        self.ipf.seen()
        payload = side.query(side.question(what))
        judge(payload, status, code, side.home)
        entries = [Entry(node) for node in find(payload, "rim:RegistryObjectList/rim:ExtrinsicObject")]
        for entry in entries:
            expect_equal((side.home, side.repository), (entry.home, entry.repository), "home and repository")
            patient = entry.identifiers["urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"].get("value")
            expect_equal(side.patient_of(what), patient, "patientId")
            title = find(entry.node, "string(rim:Name/rim:LocalizedString/@value)")
            expect(not side.is_behind or title == f"Letter & scan <{entry.unique_id()}>", f"title: {title}")
            self.known[entry.unique_id()] = entry
        expect_equal(sorted(hashes), sorted(entry.hash for entry in entries), "hashes")
        self.judge_seen(side, what)

    def judge_seen(self, side, what):
        """What a node asked IPF for, and whether it wanted the answer as a message of its own."""
        seen = self.ipf.seen()
        self.who = [line[1:] for line in seen if line[0] == "assertion"]
        expect_equal([["query", "LEAF_CLASS"]] * side.is_behind, [line for line in seen if line[0] == "query"], "what IPF was asked for")
        if side.patient is None:
            expect_equal([["find", side.home, what, side.community + ".1"]], [line for line in seen if line[0] == "find"], "of whom")
        later = [line for line in seen if line[0] == "later"]
        expect_equal(side.is_local and side.mode == "ASYNC", len(later) == 1, "IPF sent its answer as a message of its own")

    def fails(self, side, question, code, fault):
        """Who wants answers elsewhere is told at once, by a fault, what is wrong with the question itself."""
        if side.asked == "SYNC":
            judge(side.query(question), FAILURE, code, side.home)
        else:
            refused(lambda: side.query(question), fault)

    def has_read_who_asks(self, organization, community):
        (said,) = self.who
        wanted = {"subject-id=Dr. Ada Example", f"organization={organization}", "role=112247003", "purposeofuse=T-TREAT"}
        wanted |= {f"homeCommunityId=urn:oid:{community}", f"audience={self.given.gateway}/xca/query"}
        expect(wanted <= set(said), f"the assertion says {said}")

    # ---- ITI-39, ITI-43 ----

    def gets(self, side, status, code, lost, *unique_ids):
        """<lost> is asked for first; then these, or all that were found."""
        wanted = [(side.home, side.repository, name) for name in unique_ids or self.known if self.known[name].home == side.home]
        self.gets_from(side, ([lost] if lost else []) + (wanted if status != FAILURE else []), status, code, lost)

    def gets_from(self, side, wanted, status, code, lost=None):
        payload = side.retrieve(wanted)
        judge(find(payload, "rs:RegistryResponse")[0], status, code, lost and lost[2])
        documents = find(payload, "ihe:DocumentResponse")
        names = [tuple(find(one, f"string(ihe:{name})") for name in ("HomeCommunityId", "RepositoryUniqueId", "DocumentUniqueId")) for one in documents]
        expect_equal([one for one in wanted if one != lost], names, "documents, in the order of the request")
        for name, one in zip(names, documents):
            entry = self.known[name[2]]
            expect_equal(entry.mime_type, find(one, "string(ihe:mimeType)"), "mimeType")
            expect_equal(entry.hash, sha1(base64.b64decode(find(one, "string(ihe:Document)"))), "SHA-1 of the bytes")

    # ---- ITI-41, ITI-80 ----

    def provides(self, component, url, unique_id, patient, data, status, code=None, target=None):
        question = provide(unique_id, patient, data)
        if target:  # IPF looks for it where the request's own slots are
            slots = etree.Element(etree.QName(RS, "RequestSlotList"))
            add_slot(slots, "homeCommunityId", target)
            find(question, "*[1]")[0].insert(0, slots)
        (document,) = find(question, "ihe:Document")
        document.remove(document[0])
        document.text = base64.b64encode(data).decode()
        judge(self.ipf.ask("SYNC", component, url, question), status, code)

    def local_provides(self, *words, **options):
        self.provides("xds-iti41", f"http://{self.given.local}/provide", *words, **options)

    def stores(self, data, status, code=None):
        self.local_provides("2.999.4.8.1", self.given.local_patient, data, status, code)
        payload = self.source.retrieve([("urn:oid:" + AMBER, AMBER + ".2", "2.999.4.8.1")])
        expect_equal(b"first", base64.b64decode(find(payload, "string(//ihe:Document)")), "what is stored")

    def passes_on(self):
        self.ipf.seen()
        self.local_provides("2.999.4.8.3", self.partner.patient_of("whole"), b"to blue", SUCCESS, target=self.partner.home)
        came = ["submission", self.partner.home, "2.999.4.8.3", "whole", sha1(b"to blue")]
        expect_equal([came], self.ipf.seen("submission"), "submissions that arrived")

    def sends(self, unique_id, target, status, code=None):
        self.provides("xcdr-iti80", self.given.url + "/xcdr", unique_id, self.given.patient, b"from blue", status, code, target)

    # ---- ITI-40 ----

    def is_refused(self, security):
        side = self.green["SYNC"]
        refused(lambda: side.query(side.question("whole"), security=security), "security could not be verified")

    def refuses(self):
        """What the other cases prove of our signatures, they prove only if this one fails without any."""
        self.ipf.seen()
        url = self.given.gateway + "/xca/query"
        refused(lambda: self.ipf.ask("SYNC", "xca-iti38", url, self.partner.question("whole"), "none"), "SoapFault")
        expect_equal([], self.ipf.seen("query"), "the route was reached")

    # ---- ITI-55 ----

    def discover(self, mode, query_id, family="Ibarra", birth="19700102"):
        with open(f"{HERE}/ipf/discover.xml", encoding="utf-8") as file:
            text = file.read()
        later = f"{self.given.gateway}/later/xcpd-iti55-deferred-response"
        respond = f'<respondTo typeCode="RSP"><telecom value="{later}"/><entityRsp classCode="ENT" determinerCode="INSTANCE" xsi:nil="true"/></respondTo>'
        born = f'<livingSubjectBirthTime><value value="{birth}"/><semanticsText>LivingSubject.birthTime</semanticsText></livingSubjectBirthTime>'
        is_deferred = mode == "DEFERRED"
        values = {"id": query_id, "now": "20260301120000", "theirs": GREEN, "ours": GATEWAY, "family": family, "birth": born if birth else ""}
        values |= {"respond": respond if is_deferred else "", "priority": "D" if is_deferred else "I"}
        for name, value in values.items():
            text = text.replace("{" + name + "}", value)
        return self.ipf.ask(mode, "xcpd-iti55", self.given.url + "/xcpd", text.encode())

    def discovers(self, mode, family, acknowledgement, response, birth="19700102"):
        query_id = f"2.25.{random.getrandbits(64)}"
        answer = self.discover(mode, query_id, family, birth)
        expect_equal(acknowledgement, find(answer, "string(hl7:acknowledgement/hl7:typeCode/@code)"), "acknowledgement")
        expect_equal(response, find(answer, "string(//hl7:queryAck/hl7:queryResponseCode/@code)"), "queryResponseCode")
        expect_equal(query_id, find(answer, "string(//hl7:targetMessage/hl7:id/@root)"), "the message that it answers")
        expect_equal({"root": query_id, "extension": "q"}, dict(find(answer, "//hl7:queryAck/hl7:queryId")[0].attrib), "the query that it answers")
        events = find(answer, "//hl7:registrationEvent")
        expect_equal(1 if response == "OK" else 0, len(events), "matches")
        for event in events:
            expect_equal(GREEN, find(event, "string(hl7:custodian/hl7:assignedEntity/hl7:id/@root)"), "community of the match")
            (patient,) = find(event, "hl7:subject1/hl7:patient/hl7:id")
            expect_equal(self.given.patient, f"{patient.get('extension')}^^^&{patient.get('root')}&ISO", "patient id")

    # ---- the rows ----

    def asks(self, mode):
        """IPF asks a partner, and one with a registry behind it."""
        green, broker, add = self.green[mode], self.broker[mode], self.add
        # REQ: ITI38-find-documents, SQ-leaf-class, META-hash
        add(mode, "IPF: ITI-38 asks + ITI-40 asks, success: the documents that were imported, and nothing else", self.finds, green, "whole", SUCCESS, None, self.originals)
        add(mode, "IPF: ITI-38 asks, empty: nothing is of this type", self.finds, green, "none", SUCCESS, None, set())
        # REQ: ITI38-home-unknown, ITI38-error-location
        add(mode, "IPF: ITI-38 asks, failure: a community that nobody is", self.fails, green, green.question("whole", "urn:oid:" + NOBODYS), "XDSUnknownCommunity", "is not served here")
        # REQ: ITI38-home-required
        add(mode, "IPF: ITI-38 asks, failure: GetDocuments without home", self.fails, green, get_documents(None, unique_ids=[NOBODYS]), "XDSMissingHomeCommunityId", "is required")
        add(mode, "IPF: ITI-38 asks, success: of a registry behind the node", self.finds, broker, "whole", SUCCESS, None, BOTH)
        add(mode, "IPF: ITI-38 asks, empty: of a registry behind the node", self.finds, broker, "none", SUCCESS, None, set())
        # REQ: MERGE-partial-success, ITI38-error-location
        add(mode, "IPF: ITI-38 asks, partial: of a registry behind the node", self.finds, broker, "part", PARTIAL, "XDSRegistryBusy", ONLY_SCAN)
        add(mode, "IPF: ITI-38 asks, failure: of a registry behind the node", self.finds, broker, "busy", FAILURE, "XDSRegistryBusy", set())
        # REQ: ITI39-retrieve, ITI39-ids-echoed, ITI39-order
        add(mode, "IPF: ITI-39 asks, success: bytes, types and ids in the order that was asked", self.gets, green, SUCCESS, None, None)
        # REQ: ITI39-partial-success, ITI39-error-location
        lost = (green.home, green.repository, NOBODYS)
        add(mode, "IPF: ITI-39 asks, partial: an unknown document is one error with its id", self.gets, green, PARTIAL, "XDSDocumentUniqueIdError", lost)
        # REQ: ITI39-repository-unknown
        nowhere = (green.home, NOBODYS, "2.999.77.1")
        add(mode, "IPF: ITI-39 asks, failure: an unknown repository", self.gets, green, FAILURE, "XDSUnknownRepositoryId", nowhere)
        lost = (broker.home, broker.repository, LOST)
        add(mode, "IPF: ITI-39 asks, success: of a repository behind the node", self.gets, broker, SUCCESS, None, None, LETTER, SCAN)
        add(mode, "IPF: ITI-39 asks, partial: of a repository behind the node", self.gets, broker, PARTIAL, "XDSDocumentUniqueIdError", lost, LETTER)
        add(mode, "IPF: ITI-39 asks, failure: of a repository behind the node", self.gets, broker, FAILURE, "XDSDocumentUniqueIdError", lost)

    def asks_who_it_is(self, mode):
        add = self.add
        # REQ: ITI55-answer-event, ITI55-answer-custodian
        add(mode, "IPF: ITI-55 asks, success: the one match, its id and its community", self.discovers, mode, "Ibarra", "AA", "OK")
        # REQ: ITI55-result-cases
        add(mode, "IPF: ITI-55 asks, empty: nobody has this name", self.discovers, mode, "Nobody", "AA", "NF")
        name = "IPF: ITI-55 asks, failure: without a birth date"
        if mode == "SYNC":
            add(mode, name, self.discovers, mode, "Ibarra", "AE", "AE", "")
        else:
            text = "the message content is invalid" if mode == "ASYNC" else "not acknowledged: AE"
            add(mode, name, refused, lambda: self.discover(mode, "2.25.55", birth=""), text)

    def asks_once(self):
        def add(*words):
            self.add("SYNC", *words)

        # REQ: ITI80-provide
        add("IPF: ITI-80 asks, success", self.sends, "2.999.4.8.6", "urn:oid:" + GREEN, SUCCESS)
        # REQ: ITI80-home
        add("IPF: ITI-80 asks, failure: for another community", self.sends, "2.999.4.8.7", "urn:oid:" + NOBODYS, FAILURE, "XDSUnknownCommunity")
        # REQ: ITI40-required
        add("IPF: ITI-40 asks, failure: no Security header", self.is_refused, "none")
        # REQ: ITI40-audience
        add("IPF: ITI-40 asks, failure: an assertion for another audience", self.is_refused, "https://other.example/xca/query 300")
        # REQ: ITI40-conditions
        add("IPF: ITI-40 asks, failure: an assertion that has expired", self.is_refused, self.given.url + "/xca/query -600")
        add("IPF: ITI-40 answers, failure: WSS4J refuses a question without a Security header", self.refuses)

    def answers(self, partner, organization, community):
        """IPF is asked by a node that asks its partners in this way."""
        mode, add, lost = partner.mode, self.add, (partner.home, partner.repository, LOST)
        # REQ: ITI18-local, ITI38-home-sent, ITI38-parameters-passed
        add(mode, "IPF: ITI-18 local + ITI-38 answers, success", self.finds, partner, "whole", SUCCESS, None, BOTH)
        # REQ: ITI40-sent
        add(mode, "IPF: ITI-40 answers, success: WSS4J has read who asks, for what and whom", self.has_read_who_asks, organization, community)
        add(mode, "IPF: ITI-18 local + ITI-38 answers, empty", self.finds, partner, "none", SUCCESS, None, set())
        # REQ: MERGE-partial-success
        add(mode, "IPF: ITI-18 local + ITI-38 answers, partial", self.finds, partner, "part", PARTIAL, "XDSRegistryBusy", ONLY_SCAN)
        # REQ: MERGE-all-failed
        add(mode, "IPF: ITI-18 local + ITI-38 answers, failure", self.finds, partner, "busy", FAILURE, "XDSRegistryBusy", set())
        # REQ: MERGE-unknown-patient-dropped
        add(mode, "IPF: ITI-18 local, empty: the partner's XDSUnknownPatientId is not passed on", self.finds, partner, "stranger", SUCCESS, None, set())
        add(mode, "IPF: ITI-43 local + ITI-39 answers, success", self.gets, partner, SUCCESS, None, None, LETTER, SCAN)
        # REQ: ITI39-partial-success
        add(mode, "IPF: ITI-43 local + ITI-39 answers, partial", self.gets, partner, PARTIAL, "XDSDocumentUniqueIdError", lost, LETTER)
        add(mode, "IPF: ITI-43 local + ITI-39 answers, failure", self.gets, partner, FAILURE, "XDSDocumentUniqueIdError", lost)

    def is_local(self):
        """IPF is a local system of amber, and the registry and repository behind it."""

        def add(*words):
            self.add("SYNC", *words)

        source, partner = self.source, self.partner
        # REQ: ITI38-home-on-results, ITI18-source
        add("IPF: ITI-18 local + ITI-18 source, success", self.finds, source, "whole", SUCCESS, None, BOTH)
        add("IPF: ITI-18 local + ITI-18 source, empty", self.finds, source, "none", SUCCESS, None, set())
        add("IPF: ITI-18 local + ITI-18 source, partial", self.finds, source, "part", PARTIAL, "XDSRegistryBusy", ONLY_SCAN)
        # REQ: MERGE-errors-passed
        add("IPF: ITI-18 local + ITI-18 source, failure", self.finds, source, "busy", FAILURE, "XDSRegistryBusy", set())
        # REQ: ITI39-several, ITI43-local, ITI43-routing
        both = [(source.home, source.repository, SCAN), (partner.home, partner.repository, LETTER)]
        add("IPF: ITI-43 local + ITI-43 source + ITI-39 answers, success: in one request", self.gets_from, source, both, SUCCESS, None)
        lost = (source.home, source.repository, LOST)
        partial = [lost, (source.home, source.repository, SCAN)]
        add("IPF: ITI-43 local + ITI-43 source, partial", self.gets_from, source, partial, PARTIAL, "XDSDocumentUniqueIdError", lost)
        add("IPF: ITI-43 local + ITI-43 source, failure", self.gets, source, FAILURE, "XDSDocumentUniqueIdError", lost)
        # REQ: ITI39-repository-unknown
        add("IPF: ITI-43 local, failure: a repository that nobody has", self.gets, source, FAILURE, "XDSUnknownRepositoryId", (source.home, NOBODYS, LETTER))
        # REQ: ITI41-provide
        add("IPF: ITI-41 local, success: into the store, and ITI-43 gives the bytes", self.stores, b"first", SUCCESS)
        # REQ: ITI41-all-or-nothing, ITI41-duplicate-id
        add("IPF: ITI-41 local, failure: a known uniqueId with other bytes changes nothing", self.stores, b"other", FAILURE, "XDSNonIdenticalHash")
        # REQ: ITI41-unknown-patient
        stranger = f"nobody^^^&{AMBER}.1&ISO"
        add("IPF: ITI-41 local, failure: a patient whom nobody knows", self.local_provides, "2.999.4.8.2", stranger, b"x", FAILURE, "XDSUnknownPatientId")
        # REQ: ITI80-send
        add("IPF: ITI-41 local + ITI-80 answers, success: it arrives whole", self.passes_on)
        words = ("2.999.4.8.4", partner.patient_of("busy"), b"x", FAILURE, "XDSRepositoryBusy")
        add("IPF: ITI-41 local + ITI-80 answers, failure", lambda: self.local_provides(*words, target=partner.home))
        strange = ("2.999.4.8.5", self.given.local_patient, b"x", FAILURE, "XDSUnknownCommunity")
        add("IPF: ITI-41 local, failure: for a community that nobody is", lambda: self.local_provides(*strange, target="urn:oid:" + NOBODYS))

    def all(self):
        self.asks("SYNC")
        self.asks("ASYNC")
        for mode in ("SYNC", "ASYNC", "DEFERRED"):
            self.asks_who_it_is(mode)
        self.asks_once()
        self.answers(self.partner, "amber HIE", AMBER)
        self.answers(self.partner_later, "teal HIE", TEAL)
        self.is_local()
        return self.rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("url", "patient", "originals", "gateway", "amber-url", "local", "local-patient", "later-local", "folder"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--program", nargs=3, required=True, metavar=("ISTHMUS", "GREEN", "TEAL"), help="the program, and two nodes' configurations")
    parser.add_argument("java", nargs="+")
    given = parser.parse_args()
    ipf = Ipf(given.java, given.folder)
    failed = 0
    cases = Cases(ipf, given).all() + program.cases(*given.program, given.folder + "/program")
    for name, case in cases:
        try:
            case()
            print(f"ok {name}", flush=True)
        except (AssertionError, Refused, KeyError, IndexError, ValueError, OSError, subprocess.SubprocessError, etree.LxmlError) as why:
            failed += 1
            print(f"not ok {name}\n    {type(why).__name__}: " + str(why).replace("\n", "\n    "), flush=True)
    if ipf.end() != 0:
        failed += 1
        print("not ok IPF ends with code 0")
    print(f"{len(cases) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
