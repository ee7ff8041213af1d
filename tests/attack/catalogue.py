"""The register of attack classes. A class is a function that makes its cases; a class is one result of a run."""

import importlib
import os
from dataclasses import dataclass, field

CLASSES = {}


@dataclass
class Case:
    """One message. <benign>: must be accepted, with exactly these facts. Else it must be refused with an error of
    <expect> (None: the class's); <harmless>: it may be accepted, when every fact is what <facts> says."""

    name: str
    benign: bool
    body: bytes
    content_type: str
    path: str
    peer: str = "p1"  # p1 to p4, the path of a certificate, or None: no client certificate
    now: int = None  # wall time of the judge in microseconds
    expect: set = None
    forged: dict = field(default_factory=dict)  # what a naive reader is to read
    facts: dict = field(default_factory=dict)  # what is true
    harmless: bool = False
    xml: bytes = None  # the XML that xmlsec1 and the naive reader get, when <body> is no plain XML
    tool: tuple = ()  # more arguments for xmlsec1
    signature: str = ""  # XPath of the one that xmlsec1 must accept; else the first of the document
    live: bool = True  # may be sent to a node, too
    answer: dict = None  # our question (see judge.c), when this is an answer to us


@dataclass
class Class:
    name: str
    source: str
    refused_as: frozenset
    claims_signature: bool
    naive: str
    make: object
    where: str


def attack(name, source, refused_as, claims_signature=False, naive="", where="in process"):
    """Registers a function(world) that yields cases. <claims_signature>: it comes with a valid signature and lies all
    the same, so it must bite. <naive>: what a naive reader would believe. <where>: "live" ones are for live.py."""

    def register(make):
        if name in CLASSES:
            raise ValueError(f"two classes are named {name}")
        CLASSES[name] = Class(name, source, frozenset(refused_as), claims_signature, naive, make, where)
        return make

    return register


def load():
    """All classes, in the order of the files' names."""
    here = os.path.dirname(os.path.abspath(__file__))
    for file in sorted(os.listdir(here)):
        if file.startswith("classes_") and file.endswith(".py"):
            importlib.import_module(file[:-3])
    return CLASSES


# ---- cases from messages ----


def peer_of(message):
    """The TLS identity of the partner whose message it is."""
    return next(who for who, party in message.ask.world.parties.items() if party.id == message.ask.party.id)


def benign(name, message, **more):
    more.setdefault("peer", peer_of(message))
    return Case(name, True, message.bytes(), message.content_type, message.path, facts=message.facts, **more)


def signature_of(message):
    """XPath of the signature that refers to the genuine assertion, wherever it has got to."""
    wanted = f"#{message.ask.assertion_id}"
    path = f"//*[local-name()='Signature'][*/*[local-name()='Reference']/@URI='{wanted}']"
    return path if "'" not in wanted and message.root.xpath(path) else ""


def case(name, message, **more):
    """An attack made of a message that was changed; its facts are still those that were signed. When it forges
    something, xmlsec1 must accept the assertion's signature, unless another is named."""
    more.setdefault("facts", message.facts)
    if more.get("forged"):
        more.setdefault("signature", signature_of(message))
    more.setdefault("peer", peer_of(message))
    return Case(name, False, message.bytes(), message.content_type, message.path, **more)


def raw(name, message, body, **more):
    """An attack with bytes that no tree can hold."""
    made = case(name, message, **more)
    made.body = body
    return made


class Anything:
    """Equal to every list of content."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = None


ANY = Anything()
