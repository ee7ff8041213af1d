"""Two Isthmus nodes: amber and teal ask violet as their partner (ITI-55, 38, 39, 80), teal for answers that come as messages of
their own; jade asks violet as its registry and repository (ITI-18, 43). zeep is the local system that asks them, and a node's
program; what comes is compared with the files that were imported.
"""

import re
import subprocess
import time

import program
from cases_local import NURIAS, Side
from discovery import find
from messages import get_documents
from wire import Message, Wire, expect, expect_equal

ISTHMUS, AMBER, TEAL, LOG = range(4)  # of --pair


def violet(world):
    """Amber's local listener; the documents of its partner violet."""
    return world.learn("violet's side", lambda world: Side(world, *world.arguments.partner))


def jade(world):
    """Jade's local listener; the documents of its source violet."""
    return world.learn("jade's side", lambda world: Side(world, *world.arguments.source))


def asks_violet(world):
    """As a partner that asks it itself: one of violet's registries is not there."""
    url = world.arguments.partner_url
    order = world.order("/xca/query", audience=url + "/xca/query")
    message = Message("ITI-38", url, get_documents(violet(world).home, unique_ids=[NURIAS]), order)
    payload = Wire(url, world.arguments.pki).send(message).expect_answer(message, world.schemas)
    violet(world).is_part(payload)
    expect_equal(violet(world).home, find(payload, "string(//rs:RegistryError/@location)"), "location")


def teal(world):
    """Teal's local listener; the same documents."""
    return world.learn("teal's side", lambda world: Side(world, *world.arguments.later))


def delivered(world):
    """How many answers violet has sent as messages of their own, as its log says."""
    with open(world.arguments.pair[LOG], encoding="utf-8") as file:
        return len(re.findall("answer-later.*verdict=delivered", file.read()))


def later(case):
    """A case of teal: its answer came as a message of its own, or several did."""

    def run(world):
        before = delivered(world)
        case(world)
        end = time.monotonic() + 5  # the log's line follows what was sent
        while delivered(world) == before and time.monotonic() < end:
            time.sleep(0.02)
        expect(delivered(world) > before, "violet has sent no answer as a message of its own")

    return run


def discover(ask, which, family, code, status, *words):
    """A node's program asks who it is."""

    def run(world):
        node = (world.arguments.pair[ISTHMUS], world.arguments.pair[which])
        side = violet(world)
        ask(node, side.repository.removesuffix(".2"), side.patient, family, code, status, *words)

    return run


def refused_deferred(world):
    """What the question itself lacks is said at once."""
    node = (world.arguments.pair[ISTHMUS], world.arguments.pair[TEAL])
    community = violet(world).repository.removesuffix(".2")
    said = program.program(*node, 1, "discover", "--deferred", "--purpose", "T-PYMNT", *program.person(community, "Ibarra"))
    expect("--collect" not in said and "failed" in said, f"it said: {said}")


def impostor(world):
    """The program asks the partner with a signing key that is another's."""
    isthmus, config = world.arguments.impostor
    side = violet(world)
    words = [isthmus, "query", "-c", config, "--to", side.repository.removesuffix(".2"), "--patient", side.patient, "--json"]
    ended = subprocess.run(words, capture_output=True, timeout=60, check=False)
    expect_equal(1, ended.returncode, "exit code")
    expect(b"FailedAuthentication" in ended.stdout and b"2.999.77" not in ended.stdout, f"it said: {ended.stdout} {ended.stderr}")


CASES = [
    # REQ: ITI55-answer-event, ITI55-answer-custodian
    ("Isthmus: ITI-55 asks + ITI-55 answers, success", discover(program.discover, AMBER, "Ibarra", 0, "match")),
    # REQ: ITI55-result-cases
    ("Isthmus: ITI-55 asks + ITI-55 answers, empty", discover(program.discover, AMBER, "Nobody", 0, "no-match")),
    ("Isthmus: ITI-55 asks + ITI-55 answers, failure: a purpose that it does not answer", discover(program.discover, AMBER, "Ibarra", 1, "failed", "--purpose", "T-PYMNT")),
    # REQ: WS-async-accepted, WS-async-answer, WS-async-awaited
    ("Isthmus: ITI-55 asks async + ITI-55 answers async, success", later(discover(program.discover, TEAL, "Ibarra", 0, "match"))),
    ("Isthmus: ITI-55 asks async + ITI-55 answers async, empty", later(discover(program.discover, TEAL, "Nobody", 0, "no-match"))),
    ("Isthmus: ITI-55 asks async + ITI-55 answers async, failure: a purpose that it does not answer", discover(program.discover, TEAL, "Ibarra", 1, "failed", "--purpose", "T-PYMNT")),
    # REQ: ITI55-deferred-request, ITI55-deferred-acknowledgement, ITI55-deferred-accepted
    ("Isthmus: ITI-55 asks deferred + ITI-55 answers deferred, success", later(discover(program.discover_deferred, TEAL, "Ibarra", 0, "match"))),
    ("Isthmus: ITI-55 asks deferred + ITI-55 answers deferred, empty", later(discover(program.discover_deferred, TEAL, "Nobody", 0, "no-match"))),
    ("Isthmus: ITI-55 asks deferred + ITI-55 answers deferred, failure: a purpose that it does not answer", refused_deferred),
    # REQ: WS-async-answer
    ("Isthmus: ITI-38 asks async + ITI-38 answers async, success", later(lambda world: teal(world).finds())),
    ("Isthmus: ITI-38 asks async + ITI-38 answers async, empty", later(lambda world: teal(world).finds_nothing())),
    ("Isthmus: ITI-38 asks async + ITI-38 answers async, partial", later(lambda world: teal(world).finds_part())),
    ("Isthmus: ITI-38 asks async + ITI-38 answers async, failure", later(lambda world: teal(world).finds_two_persons())),
    ("Isthmus: ITI-39 asks async + ITI-39 answers async, success", later(lambda world: teal(world).retrieves())),
    ("Isthmus: ITI-39 asks async + ITI-39 answers async, partial", later(lambda world: teal(world).retrieves_part())),
    ("Isthmus: ITI-39 asks async + ITI-39 answers async, failure", later(lambda world: teal(world).retrieves_nothing())),
    ("Isthmus: ITI-38 asks + ITI-38 answers, success: and zeep asks for it", lambda world: violet(world).finds()),
    ("Isthmus: ITI-38 asks + ITI-38 answers, empty: nothing is of this type", lambda world: violet(world).finds_nothing()),
    # REQ: SQ-status
    ("zeep: ITI-38 asks, partial: one of its registries is gone", asks_violet),
    # REQ: MERGE-partial-success
    ("zeep: ITI-18 local, partial: of a partner", lambda world: violet(world).finds_part()),
    ("Isthmus: ITI-38 asks + ITI-38 answers, partial: one of its registries is gone", lambda world: violet(world).finds_part()),
    # REQ: MERGE-all-failed
    ("Isthmus: ITI-38 asks + ITI-38 answers, failure: whole entries of two patients", lambda world: violet(world).finds_two_persons()),
    ("Isthmus: ITI-39 asks + ITI-39 answers + ITI-40 asks + ITI-40 answers, success", lambda world: violet(world).retrieves()),
    ("Isthmus: ITI-40 asks + ITI-40 answers, failure: a signing key that is another's", impostor),
    ("Isthmus: ITI-39 asks + ITI-39 answers, partial", lambda world: violet(world).retrieves_part()),
    ("Isthmus: ITI-39 asks + ITI-39 answers, failure", lambda world: violet(world).retrieves_nothing()),
    # REQ: ITI18-source
    ("Isthmus: ITI-18 local + ITI-18 source, success", lambda world: jade(world).finds()),
    ("Isthmus: ITI-18 local + ITI-18 source, empty", lambda world: jade(world).finds_nothing()),
    ("Isthmus: ITI-18 local + ITI-18 source, partial", lambda world: jade(world).finds_part()),
    ("Isthmus: ITI-18 local + ITI-18 source, failure", lambda world: jade(world).finds_two_persons()),
    ("Isthmus: ITI-43 local + ITI-43 source, success", lambda world: jade(world).retrieves()),
    ("Isthmus: ITI-43 local + ITI-43 source, partial", lambda world: jade(world).retrieves_part()),
    ("Isthmus: ITI-43 local + ITI-43 source, failure", lambda world: jade(world).retrieves_nothing()),
    # REQ: ITI80-send, ITI80-provide
    ("Isthmus: ITI-80 asks + ITI-80 answers, success: a local ITI-41 is for the partner", lambda world: violet(world).provides(violet(world).home)),
    ("Isthmus: ITI-80 asks + ITI-80 answers, failure: a stranger, a known uniqueId", lambda world: violet(world).provides_in_vain(violet(world).home)),
]
