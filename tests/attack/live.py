"""The same attacks against a running node, over TLS: `run --live` starts one of our own, `run --against URL` takes any gateway.

Cases of the corpus are sent as they are, classes that exist here only talk to the node themselves (live_kit.py). With a node of our own the
log says why each was refused, the journal that it was recorded, and /proc what it cost; afterwards an honest request must still be answered.
Called by run; returns results in the same form as the run in process.
"""

import argparse
import os
import re
import sys
import time

import appearance
import badcerts
import classes_tls
from after import after_all
from live_kit import Probe, Range, is_success
from node import Node
from oracle import Result
from signing import Signer
from tlswire import Identity, Refused, Target, post

LOG_SECONDS = 30.0  # a line of the log that must come, on a slow machine
NEVER_SAMPLED = ("PAY-LOGGED",)  # what is looked at is the log


def read_arguments(options):
    parser = argparse.ArgumentParser(prog="run --live | run --against URL", description=__doc__.splitlines()[0])
    parser.add_argument("--live", action="store_true", help="start a node and attack it")
    parser.add_argument("--sample", type=int, metavar="N", default=6, help="attacks of each class of the corpus that are sent (6; 0: all)")
    foreign = parser.add_argument_group("against another gateway")
    foreign.add_argument("--ca", help="PEM: whose certificate the gateway has")
    foreign.add_argument("--community", help="homeCommunityId of the gateway")
    for who, what in (("victim", "in whose name the attacks are made"), ("attacker", "another registered partner")):
        foreign.add_argument(f"--{who}", metavar="FOLDER", help=f"{what}: node.pem, node.key (TLS), signing.pem, signing.key")
        foreign.add_argument(f"--{who}-community", metavar="OID")
    chosen = parser.parse_args(options.rest)
    if options.against and not (chosen.ca and chosen.community and chosen.victim and chosen.victim_community):
        parser.error("--against needs --ca, --community, --victim and --victim-community")
    if options.against and not re.fullmatch(r"https://[^/:]+(:\d+)?/?", options.against):
        parser.error("--against: https://host[:port], without a path")
    return chosen


# ---- who is attacked ----


def keep_time(world):
    """Every message is made now, and no two in the same millisecond: a Timestamp is accepted once."""
    ask = world.ask

    def ask_now(*arguments, **changes):
        world.now_us = max(int(time.time() * 1000) * 1000, world.now_us + 1000)
        return ask(*arguments, **changes)

    world.ask = ask_now


def identity_of(party):
    return Identity(party.tls_certificate, party.tls_key)


def take_identity(party, folder, community):
    """The world's partner gets keys that the foreign gateway knows."""
    party.tls_certificate, party.tls_key = f"{folder}/node.pem", f"{folder}/node.key"
    party.signer = Signer.load(f"{folder}/signing.pem", f"{folder}/signing.key")
    party.community = community or party.community


def foreign_range(options, chosen, world, folder):
    url = options.against.rstrip("/")
    host, _, port = url[len("https://") :].partition(":")
    world.url, world.community = url, chosen.community
    take_identity(world.p1, chosen.victim, chosen.victim_community)
    if chosen.attacker:
        take_identity(world.p2, chosen.attacker, chosen.attacker_community)
    target = Target(host, int(port or 443), chosen.ca)
    range_ = Range(target, identity_of(world.p1), identity_of(world.p2), world, folder=folder)
    range_.known = ("p1", "p2") if chosen.attacker else ("p1",)
    return range_


def edit_limits(text, failures=10000):
    """Most of what we send is refused: the limit of refusals has a class of its own."""
    text = re.sub(r"\n *failures_per_minute: *\d+", "", text)
    return re.sub(r"(?m)^limits:$", f"limits:\n  failures_per_minute: {failures}", text, count=1)


def own_range(world, folder):
    """A node of our own, which trusts one root more than the world's (for chains), and is not started yet."""
    shop = badcerts.Workshop(f"{folder}/shop", os.path.dirname(world.ca), "red.localhost", "black.localhost")
    range_ = Range(None, identity_of(world.p1), identity_of(world.p2), world, folder=folder)
    range_.shop = shop
    classes_tls.prepare(range_)
    green = os.path.dirname(world.config)
    node = Node(world.build, world.config, log_path=f"{folder}/serve.log", edit=lambda text: edit_limits(shop.edit_configuration(text, green)))
    range_.node, range_.target = node, Target("127.0.0.1", node.port, world.ca)
    return range_


# ---- cases of the corpus ----


class Sender:
    """Keeps one connection per identity, as a partner would; a refused connection is opened again."""

    def __init__(self, range_):
        self.range, self.wires = range_, {}

    def identity(self, case):
        """None: this case cannot be sent (we do not have the key of its certificate, or the gateway does not know this partner)."""
        if case.peer is None:
            return Identity()
        if case.peer in self.range.world.parties:
            if self.range.node is None and case.peer not in self.range.known:
                return None
            return identity_of(self.range.world.parties[case.peer])
        key = re.sub(r"\.pem$", ".key", str(case.peer))
        return Identity(case.peer, key) if key != case.peer and os.path.exists(key) else None

    def send(self, identity, case):
        """The answer; Refused when the connection was."""
        data = post(case.path, case.content_type, case.body)
        for is_new in (False, True):
            if is_new or identity not in self.wires:
                self.wires[identity] = self.range.target.connect(identity)
                is_new = True
            try:
                self.wires[identity].send(data)
                answer = self.wires[identity].read()
                if answer.headers.get("connection", "").lower() == "close":
                    self.wires.pop(identity).close()
                return answer
            except Refused:
                self.wires.pop(identity).close()
                if is_new:
                    raise
        raise AssertionError("not reached")

    def close(self):
        for wire in self.wires.values():
            wire.close()
        self.wires.clear()


def sample(cases, most):
    """Every good twin, and attacks from all over the class."""
    attacks = [case for case in cases if not case.benign]
    if not most or len(attacks) <= most:
        return cases
    step = len(attacks) / most
    kept = {id(attacks[int(i * step)]) for i in range(most)}
    return [case for case in cases if case.benign or id(case) in kept]


def end_of(range_, mark, answer):
    """How the node's log ends the exchange: the last event of a transaction or a refused connection."""
    txn = appearance.transaction_of(answer.body) if answer is not None else None

    def is_end(event):
        if event.get("event") == "txn-done":
            return txn is None or event.get("txn") == txn
        return event.get("event") == "connection-refused"

    found = range_.node.wait_for_event(mark, is_end, LOG_SECONDS)
    return found[0] if found else {}


def weigh_attack(rows, kind, case, answer, end):
    """Was an attack accepted, by what name was it refused, and what is wrong."""
    error = end.get("error", "")
    wanted = case.expect or kind.refused_as
    if answer is not None and is_success(answer) and error not in wanted and not rows.is_security(error):
        return True, error, None if case.harmless else f"accepted, though it must be refused (answered with {error or 'success'})"
    if error == "REPLAY" and "REPLAY" not in wanted:
        return True, error, None if case.harmless else "proven, and only refused as a replay"
    if error not in wanted:
        return False, error, f"refused as {error or 'nothing that is logged'} ({end.get('detail', '')}); expected {', '.join(sorted(wanted))}"
    if answer is not None and not is_success(answer):
        return False, error, appearance.why_wrong(rows, error, answer)
    return False, error, None


ABOUT_DATA = (b"XDSUnknownPatientId", b"XDSDocumentUniqueIdError", b"XDSUnknownRepositoryId", b"XDSUnknownCommunity")


def weigh_foreign(case, answer):
    """Without a log: a success, or an error that only somebody gets who was believed."""
    is_accepted = answer is not None and is_success(answer)
    if is_accepted and b"ResponseStatusType:Failure" in answer.body:
        is_accepted = any(code in answer.body for code in ABOUT_DATA)
    return is_accepted, "", "accepted, though it must be refused" if is_accepted and not case.harmless else None


def weigh_benign(answer, end):
    if answer is None:
        return "a good message got no answer"
    if not is_success(answer):
        return f"a good message was refused: HTTP {answer.status}, {end.get('error', '')} {end.get('detail', '')}"
    return None


def run_case(range_, sender, rows, kind, case, result):
    identity = sender.identity(case)
    mark, before = range_.mark(), range_.node.cpu_ms() if range_.node else 0
    answer = None
    try:
        answer = sender.send(identity, case)
    except (Refused, TimeoutError):
        pass
    end = end_of(range_, mark, answer) if range_.node else {}
    if range_.node and range_.node.is_alive():
        result.worst_cpu_ms = max(result.worst_cpu_ms, round(range_.node.cpu_ms() - before, 2))
    if case.benign:
        result.benign += 1
        return weigh_benign(answer, end)
    weighed = weigh_attack(rows, kind, case, answer, end) if range_.node else weigh_foreign(case, answer)
    count(result, weighed[0], weighed[1], case.harmless)
    return weighed[2]


def count(result, is_accepted, error, is_harmless):
    result.made += 1
    result.accepted += is_accepted and not is_harmless
    result.harmless += is_accepted and is_harmless
    result.refused += not is_accepted
    if error:
        result.errors[error] = result.errors.get(error, 0) + 1


def run_corpus_class(range_, rows, kind, most):
    result = Result(kind.name, kind.source, where="live")
    cases = [case for case in kind.make(range_.world) if case.live and case.now is None]
    sender = Sender(range_)
    for case in sample([case for case in cases if sender.identity(case) is not None], most):
        problem = run_case(range_, sender, rows, kind, case, result)
        if range_.node and not range_.node.is_alive():
            problem = f"the node died (exit code {range_.node.process.returncode})"
            range_.node.start()
            sender.close()
        if problem:
            result.failures.append(f"{kind.name}/{case.name}: {problem}")
    sender.close()
    return result


# ---- classes that exist here only ----


def weigh_probe(rows, kind, probe, outcome, range_):
    has_node = range_.node is not None
    if outcome.problem:
        return outcome.problem
    if probe.benign:
        return None if outcome.accepted else f"a good request was refused: {outcome.status} {outcome.error} {outcome.detail}"
    if outcome.accepted:
        return None if probe.harmless else f"accepted, though it must be refused: {outcome.detail}"
    wanted = probe.expect or kind.refused_as
    if has_node and outcome.error not in wanted:
        return f"refused as {outcome.error or 'nothing that is logged'}, {outcome.detail}; expected {', '.join(sorted(wanted))}"
    if has_node and not re.search(probe.reason, range_.last_detail):
        return f"refused for another reason: {range_.last_detail}; expected {probe.reason}"
    if probe.statuses and has_node and outcome.status not in probe.statuses:
        return f"HTTP {outcome.status}; expected {', '.join(map(str, probe.statuses))}"
    if has_node and outcome.answer is not None and outcome.error:
        return appearance.why_wrong(rows, outcome.error, outcome.answer)
    return None


def run_live_class(range_, rows, kind):
    result = Result(kind.name, kind.source, where=kind.where)
    for probe in kind.make(range_):
        assert isinstance(probe, Probe), f"{kind.name} yields {type(probe)}"
        before = range_.node.cpu_ms() if range_.node and range_.node.is_alive() else None
        outcome = probe.run(range_)
        problem = weigh_probe(rows, kind, probe, outcome, range_)
        if range_.node and not range_.node.is_alive():
            problem = f"the node died (exit code {range_.node.process.returncode})"
            range_.node.start()
        elif before is not None and range_.node.cpu_ms() >= before:
            result.worst_cpu_ms = max(result.worst_cpu_ms, round(range_.node.cpu_ms() - before, 2))
        if probe.benign:
            result.benign += 1
        else:
            count(result, outcome.accepted, outcome.error, probe.harmless)
        if problem:
            result.failures.append(f"{kind.name}/{probe.name}: {problem}")
    return result


# ---- the run ----


def run_class(range_, rows, kind, chosen):
    began = time.monotonic()
    high = range_.node.memory_kb()[1] if range_.node else 0
    try:
        is_corpus = kind.where == "in process"
        result = run_corpus_class(range_, rows, kind, 0 if kind.name in NEVER_SAMPLED else chosen.sample) if is_corpus else run_live_class(range_, rows, kind)
    except Exception as problem:  # noqa: BLE001 - one class's bug must not hide the others' results
        result = Result(kind.name, kind.source, where="live")
        result.failures.append(f"the class failed: {type(problem).__name__}: {problem}")
    if range_.node and range_.node.is_alive():
        result.worst_memory_kb = max(0, range_.node.memory_kb()[1] - high)
    if not result.failures and result.made and not result.benign:
        result.failures.append("the class has no benign twin, so refusing everything would pass")
    if os.environ.get("ATTACK_TIMES"):
        print(f"{time.monotonic() - began:6.1f} s {kind.name}", file=sys.stderr)
    return result


def is_wanted(kind, range_):
    return kind.where in ("in process", "live") or range_.node is not None


def run(options, world, kinds, folder):
    chosen = read_arguments(options)
    rows = appearance.Rows(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    range_ = foreign_range(options, chosen, world, folder) if options.against else own_range(world, folder)
    results = []
    keep_time(world)
    try:
        if range_.node:
            range_.node.start()
        for kind in kinds.values():
            if is_wanted(kind, range_):
                result = run_class(range_, rows, kind, chosen)
                is_sendable = range_.node is not None or result.benign > 0  # else its good twins are of partners that only we know
                if is_sendable and (result.made or result.failures):
                    results.append(result)
        return results + after_all(range_, rows)
    finally:
        if range_.node:
            range_.node.stop()
