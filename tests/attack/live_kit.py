"""The firing range: what a live-only class has at hand, and what its probes give back. A probe talks to the gateway itself (raw bytes,
own TLS, several connections, a restart of the node), which a case of catalogue.py cannot.
"""

import functools
import signal
from dataclasses import dataclass, field

from catalogue import attack
from tlswire import Refused, post

def live(name, source, refused_as=(), needs_node=True, reason=""):
    """Registers a function(range) that yields probes. <refused_as>: error names in the node's log of which each refusal must have one
    ("": the node need not log it); <reason>: a pattern that is found in what the log says besides. <needs_node>: not against somebody else's
    gateway, for it reads our node's log, restarts its process or uses its authority's key."""

    def register(make):
        @functools.wraps(make)
        def make_with_reason(range_):
            for probe in make(range_):
                probe.reason = probe.reason or ("" if probe.expect else reason)
                yield probe

        return attack(name, source, refused_as, where="node" if needs_node else "live")(make_with_reason)

    return register


@dataclass
class Probe:
    name: str
    run: callable  # Range -> Outcome
    benign: bool = False
    harmless: bool = False  # may be accepted: run() says what must not come of it (Outcome.problem)
    expect: frozenset = None  # instead of the class's
    statuses: frozenset = None  # HTTP statuses of the refusal, where the probe insists
    reason: str = ""  # pattern in the log's detail


@dataclass
class Outcome:
    """What the gateway did. <accepted>: it gave an answer that only an honest question gets."""

    accepted: bool
    status: int = 0  # of the (first) refusal, 0: no HTTP answer
    error: str = ""  # as our node logged it; "" when it logged nothing
    detail: str = ""
    problem: str = ""  # something that must not be, whatever was accepted or refused
    answer: object = field(default=None, repr=False)  # tlswire.Answer of the refusal


class Range:
    """<p1>, <p2>: TLS identities (tlswire.Identity) of the world's partners."""

    def __init__(self, target, p1, p2, world, node=None, folder=None):
        self.target, self.p1, self.p2 = target, p1, p2
        self.world, self.node, self.folder = world, node, folder
        self.shop = None  # badcerts.Workshop, with a node
        self.known = ("p1", "p2")  # partners that a foreign gateway knows
        self.last_detail = ""  # of the error that error_since found
        self.chains = {}  # certificates that the node had to hear of before it started, by name

    def honest(self, transaction="ITI-38", by="p1", **changes):
        message = self.world.fresh(transaction, by, **changes)
        return message.path, message.content_type, message.bytes()

    def mark(self):
        return self.node.mark() if self.node else 0

    def error_since(self, mark, seconds=20.0, wanted=None):
        """The name of the first error that the node logged since then."""
        if self.node is None:
            return ""

        def is_error(event):
            return event.get("error") and (wanted is None or event.get("event") in wanted)

        found = self.node.wait_for_event(mark, is_error, seconds)
        self.last_detail = found[0].get("detail", "") if found else ""
        return found[0]["error"] if found else ""

    def ask(self, identity=None, message=None, wire=None, **options):
        """One request on an own connection (or on <wire>) and its answer."""
        path, content_type, body = message or self.honest()
        if wire is not None:
            wire.send(post(path, content_type, body))
            return wire.read()
        with self.target.connect(identity or self.p1, **options) as own:
            own.send(post(path, content_type, body, [("Connection", "close")]))
            return own.read()

    def is_honest_served(self, transaction="ITI-38"):
        try:
            return is_success(self.ask(message=self.honest(transaction)))
        except (Refused, TimeoutError):
            return False


def is_success(answer):
    """A SOAP answer that is no fault. (Nothing else is served to partners.)"""
    return 200 <= answer.status < 300 and b"Fault>" not in answer.body


def judge_answer(range_, mark, answer, detail=""):
    if is_success(answer):
        return Outcome(True, answer.status, detail=detail)
    return Outcome(False, answer.status, range_.error_since(mark), detail, answer=answer)


def asking(identity=None, message=None, **options):
    """A probe's run: an honest message by some TLS identity. No handshake, no answer: refused."""

    def run(range_):
        mark = range_.mark()
        who = identity(range_) if callable(identity) else identity
        said = message(range_) if callable(message) else message
        try:
            answer = range_.ask(who, said, **options)
        except (Refused, TimeoutError) as refused:
            return Outcome(False, 0, range_.error_since(mark), str(refused))
        return judge_answer(range_, mark, answer)

    return run


def reload(range_):
    """SIGHUP, and until the node says what became of it."""
    mark = range_.mark()
    range_.node.process.send_signal(signal.SIGHUP)
    if not range_.node.wait_for_event(mark, lambda event: "reload" in event.get("event", ""), 10):
        raise RuntimeError("the node says nothing about a reload")
