"""Answers that come as messages of their own (/deferred): taken once, from the partner that was asked, while the question waits; and
questions that want theirs later: only at addresses of the partner's record, and no more than its queue holds. Live only. What waits for an
answer is put into the node's store as the node itself notes it.
"""

import contextlib
import os
import sqlite3
import time
import uuid

from lxml import etree

from live_kit import Outcome, Probe, asking, is_success, judge_answer, live, reload
from messages import ACTIONS, HL7, QUERY
from signing import SOAP, WSA, q
from tlswire import Refused

PATH = "/deferred"
SUCCESS = f'<query:AdhocQueryResponse xmlns:query="{QUERY}" status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"/>'
NOBODY = f'<PRPA_IN201306UV02 xmlns="{HL7}" ITSVersion="XML_1.0"/>'
ANSWERS = {"ITI-38": ("urn:ihe:iti:2007:CrossGatewayQueryResponse", SUCCESS), "ITI-55": ("urn:hl7-org:v3:PRPA_IN201306UV02:CrossGatewayPatientDiscovery", NOBODY)}
HOUR_US = 3600 * 1000000


def store(range_):
    return contextlib.closing(sqlite3.connect(f"{os.path.dirname(range_.world.config)}/var/isthmus.db", timeout=10))


def awaited(range_, of="p1", transaction="ITI-38", until_us=HOUR_US, kind=1):
    """A question of ours that was asked of a partner; its MessageID."""
    message_id, now_us = f"urn:uuid:{uuid.uuid4()}", int(time.time() * 1000000)
    with store(range_) as db, db:
        db.execute(
            "INSERT INTO pending (kind, message_id, transaction_name, partner, url, community, asker, query_root, query_extension, created_us,"
            " expires_us, answered_us, question, content_type, answer) VALUES (?, ?, ?, ?, 'https://partner.example/', '2.999.1', 'Dr. Ada Example',"
            " '', '', ?, ?, 0, x'', '', x'')",
            (kind, message_id, transaction, range_.world.parties[of].id, now_us, now_us + until_us),
        )
    return message_id


def kept(range_, message_id):
    """The answer that lies there; None: no such question."""
    with store(range_) as db:
        row = db.execute("SELECT answer FROM pending WHERE message_id = ?", (message_id,)).fetchone()
    return row and row[0]


def answer_to(range_, relates_to, by="p1", transaction="ITI-38", **changes):
    """A partner's answer, signed now. <relates_to>: one MessageID, or a list of them."""
    url = range_.world.url + PATH
    changes = {"to": url, "audience": url, "reply_to": ""} | changes
    action, body = ANSWERS[transaction]
    message = range_.world.fresh("ITI-38", by, body=changes.pop("body", body), **changes)
    message.header.find(q(WSA, "Action")).text = action
    for one in [relates_to] if isinstance(relates_to, str) else relates_to:
        etree.SubElement(message.header, q(WSA, "RelatesTo")).text = one
    message.path, message.content_type = PATH, f'application/soap+xml; charset=UTF-8; action="{action}"'
    return message


def wired(message):
    return message.path, message.content_type, message.bytes()


def sent(make, identity=None, of="p1", stays_empty=True, **question):
    """A question waits; what <make>(range, its id) gives is sent. A refused answer must not lie in the store."""

    def run(range_):
        asked = awaited(range_, of, **question)
        message = make(range_, asked)
        mark = range_.mark()
        try:
            answer = range_.ask(identity(range_) if identity else None, wired(message))
        except (Refused, TimeoutError) as refused:
            return Outcome(False, 0, range_.error_since(mark), str(refused))
        outcome = judge_answer(range_, mark, answer)
        if not outcome.accepted and stays_empty and kept(range_, asked) != b"":
            outcome.problem = "refused, and kept all the same"
        if outcome.accepted and not kept(range_, asked):
            outcome.problem = "taken, and not kept"
        return outcome

    return run


def again(make_second):
    """An answer is taken; then comes what <make_second>(range, the id, the first) gives. The first stays."""

    def run(range_):
        asked = awaited(range_)
        first = answer_to(range_, asked)
        if not is_success(range_.ask(message=wired(first))):
            return Outcome(False, 0, "", problem="the first, honest answer was refused")
        before = kept(range_, asked)
        mark = range_.mark()
        outcome = judge_answer(range_, mark, range_.ask(message=wired(make_second(range_, asked, first))))
        if not before or kept(range_, asked) != before:
            outcome.problem = "the first answer is not there any more"
        return outcome

    return run


@live("LATER-AWAITED", "A1.8, answers out of band", {"NOT_AWAITED"})
def nobody_awaits(_):
    """Answers to nothing, to another's question, too late, or of another transaction."""
    yield Probe("an awaited answer", sent(answer_to), benign=True)
    yield Probe("a copy, signed anew", again(lambda here, asked, _: answer_to(here, asked)), benign=True)
    yield Probe("another answer afterwards", again(lambda here, asked, _: answer_to(here, asked, body=SUCCESS.replace("Success", "Failure"))), harmless=True)
    yield Probe("to a question that nobody asked", sent(lambda here, _: answer_to(here, f"urn:uuid:{uuid.uuid4()}")))
    yield Probe("to a question of another partner", sent(lambda here, asked: answer_to(here, asked, "p2"), lambda here: here.p2))
    yield Probe("too late", sent(answer_to, until_us=-1))
    yield Probe("of another transaction", sent(lambda here, asked: answer_to(here, asked, transaction="ITI-55")))
    yield Probe("asynchronous, to a deferred question", sent(lambda here, asked: answer_to(here, asked, transaction="ITI-55"), kind=2, transaction="ITI-55"))
    yield Probe("the id in capitals", sent(lambda here, asked: answer_to(here, asked.upper())))
    yield Probe("a wildcard", sent(lambda here, _: answer_to(here, "urn:uuid:%")))
    yield Probe("an SQL text", sent(lambda here, asked: answer_to(here, f"{asked}' OR '1'='1")))


@live("LATER-HEADERS", "A1.2, WS-Addressing spoofing", {"WSA_HEADER", "WSA_ACTION"})
def headers(_):
    """RelatesTo and Action are not signed: without one, with two, with a question's, at another path."""
    yield Probe("one", sent(answer_to), benign=True)
    yield Probe("no RelatesTo", sent(lambda here, _: answer_to(here, [])))
    yield Probe("two RelatesTo", sent(lambda here, asked: answer_to(here, [asked, f"urn:uuid:{uuid.uuid4()}"])))
    yield Probe("an empty one", sent(lambda here, _: answer_to(here, "")), expect=frozenset({"NOT_AWAITED"}))

    def question(here, asked):
        message = answer_to(here, asked)
        message.header.find(q(WSA, "Action")).text = ACTIONS["ITI-38"]
        return message

    yield Probe("the action of a question", sent(question))

    def elsewhere(here, asked):
        message = answer_to(here, asked)
        message.path = "/xca/query"
        return message

    yield Probe("an answer where questions are asked", sent(elsewhere))


@live("LATER-PROOF", "A1.1, A1.8", {"WSS_MISSING", "WSS_STRUCTURE", "SIG_MISSING", "SIG_NO_TRUST", "SIG_INVALID", "SAML_AUDIENCE", "PEER_BINDING"})
def proof(_):
    """An answer is proven as a question is: who signed it, over whose connection, for whom."""
    yield Probe("proven", sent(answer_to), benign=True)

    def unsigned(here, asked):
        message = answer_to(here, asked)
        message.security.getparent().remove(message.security)
        return message

    yield Probe("unsigned", sent(unsigned))

    def half_signed(here, asked):
        message = answer_to(here, asked)
        message.security.remove(message.message_signature)
        return message

    yield Probe("without the message's signature", sent(half_signed))

    def fault(here, asked):
        message = unsigned(here, asked)
        message.body.remove(message.payload)
        message.body.append(etree.fromstring(f'<s:Fault xmlns:s="{SOAP}"><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang="en">no</s:Text></s:Reason></s:Fault>'))
        message.header.find(q(WSA, "Action")).text = "http://www.w3.org/2005/08/addressing/fault"
        return message

    yield Probe("an unsigned fault", sent(fault))
    yield Probe("over another partner's connection", sent(answer_to, lambda here: here.p2))
    yield Probe("in another partner's name", sent(lambda here, asked: answer_to(here, asked, "p2")))
    yield Probe("for another endpoint", sent(lambda here, asked: answer_to(here, asked, audience="https://evil.example/deferred")))


@live("LATER-REPLAY", "A1.8", {"REPLAY"})
def replayed(_):
    """The same bytes again, and an old proof for another question that waits."""
    yield Probe("once", sent(answer_to), benign=True)
    yield Probe("the same bytes", again(lambda _, __, first: first))

    def old_proof(here, asked):
        first = answer_to(here, awaited(here))
        if not is_success(here.ask(message=wired(first))):
            raise RuntimeError("the first, honest answer was refused")
        first.header.find(q(WSA, "RelatesTo")).text = asked
        return first

    yield Probe("for another question that waits", sent(old_proof))


# ---- questions that want their answers later ----


ASSERTS = 'asserts: {user: "Dr. Ada Example", role: "112247003", organization: green HIE, organization_id: "urn:oid:2.999.2"}'
REPLIES = 'deferred: true\nreplies: {asynchronous: "https://127.0.0.1:1/later", deferred: "https://127.0.0.1:1/later", queue: 2}\n'


def rewrite(path, change):
    """What it was."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(change(text))
    return text


def agreed(make):
    """Runs a probe while P1's record has addresses for answers and a queue of two; nobody listens there."""

    def run(range_):
        record = f"{os.path.dirname(range_.world.config)}/partners.d/{range_.world.p1.id}.yaml"
        before = rewrite(record, lambda text: text + REPLIES)
        own = rewrite(range_.node.config, lambda text: text.replace("asserts: {}", ASSERTS))
        try:
            reload(range_)
            return make(range_)
        finally:
            rewrite(record, lambda _: before)
            rewrite(range_.node.config, lambda _: own)
            reload(range_)
            with store(range_) as db, db:
                db.execute("DELETE FROM jobs")

    return run


def later(address, deferred=False):
    """A question whose answer is to go there."""

    def make(range_):
        if not deferred:
            return range_.world.fresh("ITI-38", reply_to=address)
        message = range_.world.fresh("ITI-55")
        action = "urn:hl7-org:v3:PRPA_IN201305UV02:Deferred:CrossGatewayPatientDiscovery"
        message.header.find(q(WSA, "Action")).text = action
        message.content_type = f'application/soap+xml; charset=UTF-8; action="{action}"'
        message.find("//*[local-name()='responsePriorityCode']").set("code", "D")
        receiver = message.find("//*[local-name()='receiver']")
        respond = etree.fromstring(
            f'<respondTo xmlns="{HL7}" typeCode="RSP"><telecom value="{address}"/><entityRsp classCode="ENT" determinerCode="INSTANCE" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/></respondTo>'
        )
        receiver.addnext(respond)
        return message

    return make


def wanted_at(address, deferred=False):
    @agreed
    def run(range_):
        mark = range_.mark()
        answer = range_.ask(message=wired(later(address, deferred)(range_)))
        is_taken = answer.status == 202 or b'code="CA"' in answer.body
        return Outcome(is_taken, answer.status, "" if is_taken else range_.error_since(mark))

    return run


@live("LATER-ADDRESS", "A1.9, WS-Addressing spoofing", {"WSA_HEADER", "POLICY_DENIED"})
def addresses(range_):
    """ReplyTo and respondTo must be an address of the partner's own record, letter by letter."""
    mine = "https://127.0.0.1:1/later"
    for deferred in (False, True):
        name = "respondTo" if deferred else "ReplyTo"
        yield Probe(f"{name} of the record", wanted_at(mine, deferred), benign=True)
        for address in (mine + "/", mine + "?x=1", mine.upper(), "https://evil.example/collect", "http://169.254.169.254/", "file:///etc/passwd"):
            yield Probe(f"{name} {address}", wanted_at(address, deferred))


@live("LATER-FLOOD", "A1.7, exhaustion", {"LIMIT_QUEUE"})
def flood(_):
    """More questions than the partner's queue holds: refused, and others are served."""
    yield Probe("at once", asking(), benign=True)

    @agreed
    def run(range_):
        make = later("https://127.0.0.1:1/later")
        taken = [range_.ask(message=wired(make(range_))).status for _ in range(2)]
        mark = range_.mark()
        answer = range_.ask(message=wired(make(range_)))
        # the log also says that the first two cannot be delivered
        outcome = Outcome(is_success(answer), answer.status, range_.error_since(mark, wanted=("txn-done",)))
        if taken != [202, 202]:
            outcome.problem = f"the first two were answered with {taken}; expected 202"
        elif not is_success(range_.ask(message=range_.honest())):
            outcome.problem = "the partner's other questions are not served any more"
        elif not is_success(range_.ask(range_.p2, range_.honest(by="p2"))):
            outcome.problem = "another partner is not served any more"
        return outcome

    yield Probe("the third of a queue of two", run)
