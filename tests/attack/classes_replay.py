"""Replay: one message is accepted once, by its MessageID and by its Timestamp's signature, over every connection, in every
spelling, across reload, restart and kill -9. Assertions may be used again. Live only: the judge has no memory.
"""

import copy
import re
import threading
import time

from lxml import etree

from live_kit import Outcome, Probe, asking, is_success, judge_answer, live, reload
from messages import BODIES
from signing import DS, SAML, q
from tlswire import Refused

REPLAY = {"REPLAY"}


def wired(message):
    return message.path, message.content_type, message.bytes()


def ask(range_, message, identity=None):
    return range_.ask(identity, wired(message))


def first_then(make_second, transaction="ITI-38", before_second=None, identity=None):
    """Sends an honest message, which must be served, and then what <make_second> makes of it: that is judged."""

    def run(range_):
        message = range_.world.fresh(transaction)
        if not is_success(ask(range_, message)):
            return Outcome(False, 0, "", problem="the first, honest message was refused")
        if before_second:
            before_second(range_)
        second = make_second(range_, message)
        mark = range_.mark()
        try:
            answer = ask(range_, second, identity(range_) if identity else None)
        except (Refused, TimeoutError) as refused:
            return Outcome(False, 0, range_.error_since(mark), str(refused))
        return judge_answer(range_, mark, answer)

    return run


def same(_, message):
    return message


def set_header(message, name, text):
    message.header.find("{*}" + name).text = text
    return message


def with_new_id(range_, message):
    return set_header(message.copy(), "MessageID", range_.world.ask("ITI-38").message_id)


def with_new_proof(range_, message):
    """A new Timestamp and assertion under the old MessageID."""
    return range_.world.fresh(message.ask.transaction, message_id=message.ask.message_id)


@live("REPLAY-SAME", "A1.8", REPLAY)
def identical(_):
    """The same bytes again."""
    yield Probe("an honest message", asking(), benign=True)
    for transaction in ("ITI-55", "ITI-38", "ITI-39"):
        yield Probe(f"{transaction} again", first_then(same, transaction))

    def on_one_connection(range_):
        message = wired(range_.world.fresh("ITI-38"))
        with range_.target.connect(range_.p1) as wire:
            first = range_.ask(message=message, wire=wire)
            mark = range_.mark()
            second = range_.ask(message=message, wire=wire)
        if not is_success(first):
            return Outcome(False, 0, "", problem="the first, honest message was refused")
        return judge_answer(range_, mark, second)

    yield Probe("again on the same connection", on_one_connection)


@live("REPLAY-HALF", "A1.8", REPLAY)
def half_new(range_):
    """One of the two keys is new: MessageID or Timestamp signature."""
    yield Probe("both are new", first_then(lambda here, _: here.world.fresh("ITI-38")), benign=True)
    yield Probe("a new MessageID, the old Timestamp", first_then(with_new_id))
    yield Probe("a new Timestamp, the old MessageID", first_then(with_new_proof))

    def another_question(here, message):
        """The Body is not signed: the old proof for another question is a replay all the same."""
        write, _ = BODIES["ITI-38"]
        twin = with_new_id(here, message)
        twin.body.remove(twin.payload)
        twin.body.append(etree.fromstring(write(message.ask, 4711)))
        return twin

    yield Probe("the old proof for another question", first_then(another_question))

    def another_transaction(here, message):
        other = here.world.fresh("ITI-55")
        twin = other.copy()
        twin.security.getparent().replace(twin.security, copy.deepcopy(message.security))
        return twin

    yield Probe("the old proof for another transaction", first_then(another_transaction), expect=frozenset({"REPLAY", "SAML_AUDIENCE"}))


@live("REPLAY-SPELLING", "A1.8", REPLAY)
def spelt_anew(_):
    """The same keys in other letters: what is not signed may be spelt in many ways."""
    yield Probe("both are new", first_then(lambda here, _: here.world.fresh("ITI-38")), benign=True)

    def value_of(message):
        return message.message_signature.find(q(DS, "SignatureValue"))

    def respelt(change):
        def make(here, message):
            twin = with_new_id(here, message)
            change(value_of(twin))
            return twin

        return make

    def in_lines(value):
        value.text = "\n" + "\n".join(re.findall(".{1,20}", value.text)) + "\n"

    def with_blanks(value):
        value.text = " \t" + value.text.replace("A", " A ") + "\r\n"

    def in_cdata(value):
        value.text = etree.CDATA(value.text)

    for name, change in (("in lines", in_lines), ("with blanks", with_blanks), ("in CDATA", in_cdata)):
        yield Probe(f"SignatureValue {name}", first_then(respelt(change)))

    def padded(here, message):
        return set_header(with_new_proof(here, message), "MessageID", f" \n{message.ask.message_id}\t ")

    yield Probe("MessageID with blanks around", first_then(padded))

    def other_prefixes(here, message):
        twin = with_new_id(here, message)
        signature = twin.message_signature
        text = etree.tostring(signature, with_tail=False)
        fresh = etree.fromstring(text.replace(b"wsse:", b"w:").replace(b"xmlns:wsse=", b"xmlns:w="))
        signature.getparent().replace(signature, fresh)
        return twin

    yield Probe("other prefixes in KeyInfo", first_then(other_prefixes))


@live("REPLAY-RACE", "A1.8", REPLAY)
def race(_):
    """Eight copies at the same moment: exactly one is accepted."""
    yield Probe("one", asking(), benign=True)

    def run(range_):
        data = wired(range_.world.fresh("ITI-38"))
        gate, answers = threading.Barrier(8), []

        def one():
            with range_.target.connect(range_.p1) as wire:
                gate.wait(10)
                answers.append(range_.ask(message=data, wire=wire))

        mark = range_.mark()
        threads = [threading.Thread(target=one) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        served = sum(1 for answer in answers if is_success(answer))
        refused = range_.node.wait_for_event(mark, lambda event: event.get("error") == "REPLAY")
        outcome = Outcome(served > 1, 500, refused[0]["error"] if refused else "", f"{served} of {len(answers)} were served")
        if served != 1 or len(answers) != 8:
            outcome.problem = f"{served} of {len(answers)} copies were served; expected one of eight"
        return outcome

    for i in range(4):
        yield Probe(f"eight at once, round {i + 1}", run)


def restart(range_):
    range_.node.stop()
    range_.node.start()


def kill_and_start(range_):
    range_.node.kill()
    range_.node.start()


@live("REPLAY-END", "A1.8", REPLAY)
def ends(_):
    """What was accepted before a reload, a restart or kill -9 is not accepted after it."""
    for name, end in (("a reload", reload), ("a restart", restart), ("kill -9", kill_and_start)):
        yield Probe(f"a new message after {name}", first_then(lambda here, _: here.world.fresh("ITI-38"), before_second=end), benign=True)
        yield Probe(f"the same message after {name}", first_then(same, before_second=end))
        yield Probe(f"the old Timestamp after {name}", first_then(with_new_id, before_second=end))


@live("REPLAY-WINDOW", "A1.8", REPLAY)
def windows(range_):
    """At the edge of its life a message is accepted once; after it, it is expired."""
    aged = {"age_s": 100, "lifetime_s": 60}  # expired 40 s ago by its own clock, which may be 60 s off
    message = range_.world.fresh("ITI-38", **aged)
    began = time.monotonic()
    yield Probe("within the skew", asking(message=wired(message)), benign=True)
    yield Probe("again within the skew", asking(message=wired(message)))
    forgotten = range_.world.fresh("ITI-38", **aged)

    def later(here):
        time.sleep(max(0.0, 23 - (time.monotonic() - began)))
        return asking(message=wired(message))(here)

    expired = frozenset({"WSS_EXPIRED", "SAML_CONDITIONS"})
    yield Probe("again after the window", later, expect=expired)
    yield Probe("one that was never sent, after the window", asking(message=wired(forgotten)), expect=expired)


@live("REPLAY-ASSERTION", "A1.8", REPLAY)
def assertions(_):
    """An assertion serves a session: it may come again under a new Timestamp, but not when it says OneTimeUse."""

    def one_time(assertion):
        conditions = assertion.find(q(SAML, "Conditions"))
        etree.SubElement(conditions, q(SAML, "OneTimeUse"))

    def reused(edit=None):
        def run(range_):
            make = {"edit": edit} if edit else {}
            first = range_.world.fresh("ITI-38", make=make)
            if not is_success(ask(range_, first)):
                return Outcome(False, 0, "", problem="the first, honest message was refused")
            second = range_.world.fresh("ITI-38", assertion_id=first.ask.assertion_id)
            second.security.replace(second.assertion, copy.deepcopy(first.assertion))
            mark = range_.mark()
            return judge_answer(range_, mark, ask(range_, second))

        return run

    yield Probe("the same assertion, a new Timestamp", reused(), benign=True)
    yield Probe("the same, and it says OneTimeUse", reused(one_time))


@live("REPLAY-OTHERS", "A1.8", {"SIG_NO_TRUST", "SIG_INVALID"})
def of_others(range_):
    """What a refused forgery or another partner sends uses up nothing of the victim's."""
    honest = range_.world.fresh("ITI-38")
    forged = honest.copy()
    next(forged.assertion.iter(q(SAML, "NameID"))).text = "CN=admin"
    yield Probe("a forgery with the victim's keys", asking(message=wired(forged)))
    yield Probe("the victim's message over the attacker's connection", asking(lambda here: here.p2, wired(honest)))
    yield Probe("the victim's own message after that", asking(message=wired(honest)), benign=True)
    other = range_.world.fresh("ITI-38", "p2")
    third = range_.world.fresh("ITI-38", "p1", message_id=other.ask.message_id)
    yield Probe("the attacker's message", asking(lambda here: here.p2, wired(other)), benign=True)
    yield Probe("the victim's with the same MessageID", asking(message=wired(third)), benign=True)
