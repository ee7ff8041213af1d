"""Signature wrapping of the SAML assertion (XSW1 to XSW8), and its permutations: 4 positions, 4 ids, 4 ways with the
signature and 6 wrappers. Names of the eight as in SAML Raider, adapted to an assertion in wsse:Security. All are sent with
the victim's own TLS identity, so that nothing but the signature's binding can refuse them.
"""

import copy

from lxml import etree

from catalogue import attack, benign, case
from signing import DS, SOAP, WSU, q
from world import evil

NAME = "UID=admin,O=red HIE"
FORGED = {"name_id": NAME}
X = "urn:example:wrapper"


def forge(message, id_mode="different"):
    """The evil twin of the message's assertion, unsigned."""
    twin = evil(message, NameID=NAME)
    if id_mode == "different":
        twin.set("ID", "_evil")
    elif id_mode == "absent":
        del twin.attrib["ID"]
    elif id_mode == "empty":
        twin.set("ID", "")
    return twin


def wrap(*children, tag=q(X, "wrapper")):
    wrapper = etree.Element(tag)
    wrapper.extend(children)
    return wrapper


def take(element):
    """Out of its tree."""
    element.getparent().remove(element)
    return element


@attack("XSW1", "A1.1", {"SIG_WRAPPED"}, claims_signature=True, naive="the first assertion, in the evil envelope")
def xsw1(world):
    """The envelope is a clone that says something else; the whole genuine one is kept as a child of its ds:Signature."""
    yield benign("twin", world.fresh())
    for name, place in (("child", None), ("object", q(DS, "Object"))):
        message = world.genuine()
        original = copy.deepcopy(message.root)
        twin = forge(message)
        message.assertion.getparent().replace(message.assertion, twin)
        message.timestamp.set(q(WSU, "Id"), "_2")
        inner = original if place is None else wrap(original, tag=place)
        message.message_signature.append(inner)
        yield case(name, message, forged=FORGED)


@attack("XSW2", "A1.1", {"SIG_WRAPPED"}, claims_signature=True, naive="the first assertion, in the evil envelope")
def xsw2(world):
    """The genuine assertion lies detached beside an evil one, and the signature stands before or behind them."""
    yield benign("twin", world.fresh())
    for name in ("before", "after"):
        message = world.genuine()
        signature, original = take(message.assertion_signature), message.assertion
        original.addprevious(forge(message))
        getattr(original, "addprevious" if name == "before" else "addnext")(signature)
        take(message.message_signature if name == "after" else message.security[-1])
        yield case(name, message, forged=FORGED, expect={"SIG_WRAPPED", "SIG_STRUCTURE"})


@attack("XSW3", "A1.1", {"SIG_WRAPPED"}, claims_signature=True, naive="the NameID of the first assertion")
def xsw3(world):
    """An evil unsigned assertion stands before the signed one, as its sibling in wsse:Security; or behind it."""
    yield benign("twin", world.fresh())
    for name in ("before", "after"):
        message = world.genuine()
        getattr(message.assertion, "addprevious" if name == "before" else "addnext")(forge(message))
        yield case(name, message, forged=FORGED)
    message = world.genuine("ITI-38")
    message.assertion.addprevious(forge(message))
    yield case("query", message, forged=FORGED)
    message = world.genuine("ITI-39")
    message.assertion.addprevious(forge(message))
    yield case("retrieve", message, forged=FORGED)


@attack("XSW4", "A1.1", {"SIG_WRAPPED"}, claims_signature=True, naive="the NameID of the outer assertion")
def xsw4(world):
    """The evil assertion has the signed one as its child."""
    yield benign("twin", world.fresh())
    for name, index in (("last", None), ("first", 0)):
        message = world.genuine()
        twin, original = forge(message), message.assertion
        message.security.replace(original, twin)
        twin.insert(len(twin) if index is None else index, original)
        forged = FORGED if index is None else {}
        yield case(name, message, forged=forged)


@attack("XSW5", "A1.1", {"SIG_WRAPPED"}, claims_signature=True, naive="the NameID of the first assertion")
def xsw5(world):
    """The evil assertion carries the signature; the genuine one, without it, lies at the end of the document."""
    yield benign("twin", world.fresh())
    for name in ("header", "security", "payload"):
        message = world.genuine()
        twin, original = forge(message), message.assertion
        twin.insert(1, take(message.assertion_signature))
        message.security.replace(original, twin)
        {"header": message.header, "security": message.security, "payload": message.payload}[name].append(original)
        yield case(name, message, forged=FORGED)


@attack("XSW6", "A1.1", {"SIG_WRAPPED"}, claims_signature=True, naive="the NameID of the outer assertion")
def xsw6(world):
    """The evil assertion carries the signature, and that holds the genuine assertion as a child."""
    yield benign("twin", world.fresh())
    for name in ("key-info", "last", "first", "signed-info"):
        message = world.genuine()
        twin, original = forge(message), message.assertion
        signature = take(message.assertion_signature)
        twin.insert(1, signature)
        message.security.replace(original, twin)
        if name in ("signed-info", "key-info"):
            signature[0 if name == "signed-info" else -1].append(original)
        else:
            signature.insert(0 if name == "first" else len(signature), original)
        yield case(name, message, forged=FORGED if name != "signed-info" else {})
    # enveloped-signature takes the whole signature away, and with it what is in it: so it must be in another one's
    message = world.genuine()
    twin, original, signature = forge(message), message.assertion, message.message_signature
    message.security.replace(original, twin)
    twin.append(take(signature))
    signature.find(q(DS, "KeyInfo")).append(original)
    yield case("other-signature", message, forged=FORGED)


@attack("XSW7", "A1.1", {"SIG_WRAPPED"}, claims_signature=True, naive="the NameID of the first assertion")
def xsw7(world):
    """An evil assertion stands where the schema allows anything: an unknown header block, another Security header."""
    yield benign("twin", world.fresh())
    message = world.fresh()
    message.header.insert(0, wrap())
    yield benign("unknown-block", message)
    for name, index in (("first", 0), ("last", None)):
        message = world.genuine()
        block = wrap(forge(message))
        message.header.insert(len(message.header) if index is None else index, block)
        yield case(f"block-{name}", message, forged=FORGED)
    message = world.genuine()
    message.security.insert(0, wrap(forge(message)))
    yield case("security", message, forged=FORGED, expect={"WSS_STRUCTURE"})
    message = world.genuine()
    block = wrap(forge(message), tag=message.security.tag)
    block.set(q(SOAP, "role"), "urn:example:somebody-else")
    message.header.insert(0, block)
    yield case("other-role", message, forged=FORGED)


@attack("XSW8", "A1.1", {"SIG_WRAPPED"}, claims_signature=True, naive="the NameID of the outer assertion")
def xsw8(world):
    """The genuine assertion lies in a ds:Object of the evil one's signature, or of the message's."""
    yield benign("twin", world.fresh())
    for name in ("own", "message"):
        message = world.genuine()
        twin, original = forge(message), message.assertion
        signature = take(message.assertion_signature)
        twin.insert(1, signature)
        message.security.replace(original, twin)
        holder = signature if name == "own" else message.message_signature
        holder.append(wrap(original, tag=q(DS, "Object")))
        yield case(name, message, forged=FORGED)


# ---- permutations ----

POSITIONS = ("before", "after", "inside", "around")
IDS = ("same", "different", "absent", "empty")
SIGNATURES = ("kept", "moved", "copied", "detached")
PERMUTED = {
    "SIG_WRAPPED", "SIG_DUPLICATE_ID", "SIG_STRUCTURE", "SIG_MISSING", "WSS_STRUCTURE", "WSS_MISSING", "SAML_STRUCTURE",
}  # fmt: skip


def container(kind, content):
    """What hides <content>, for those places that take an element of its own."""
    if kind == "fault":
        fault = wrap(wrap(wrap(content), tag=q(SOAP, "Detail")), tag=q(SOAP, "Fault"))
        return fault
    return wrap(content, tag={"object": q(DS, "Object"), "keyinfo": q(DS, "KeyInfo")}.get(kind, q(X, "wrapper")))


def hide(message, kind, content, is_first):
    """Puts <content> into the wrapper of that kind, before or behind the Security header's assertion."""
    signature = message.message_signature
    if kind in ("object", "keyinfo") and is_first:
        message.security.insert(0, signature)
    if kind == "object":
        signature.append(container(kind, content))
    elif kind == "keyinfo":
        signature.find(q(DS, "KeyInfo")).append(content)
    elif kind == "body":
        message.payload.append(container(kind, content))
    else:
        place = message.security if kind == "security" else message.header
        place.insert(0 if is_first else len(place), container(kind, content))


def place_signature(message, mode, original, twin, signature):
    """Where the genuine signature of the assertion goes."""
    if mode == "moved":
        twin.insert(1, take(signature))
    elif mode == "copied":
        twin.insert(1, copy.deepcopy(signature))
    elif mode == "detached":
        message.security.append(take(signature))


def permute(world, kind, position, id_mode, mode):
    message = world.genuine()
    original, twin = message.assertion, forge(message, id_mode)
    place_signature(message, mode, original, twin, message.assertion_signature)
    if position == "inside":  # the genuine one stays where it is
        hide(message, kind, twin, True)
        return message
    message.security.replace(original, twin)
    if position == "around":
        holder = twin.find(q(DS, "Signature"))
        if kind in ("object", "keyinfo") and holder is not None:
            target = holder.find(q(DS, "KeyInfo"))
            (target if kind == "keyinfo" else holder).append(original if kind == "keyinfo" else container(kind, original))
        else:
            twin.append(container(kind, original))
    else:
        hide(message, kind, original, position == "after")
        if kind == "body" and position == "after":
            message.payload.append(twin)
    return message


def permutations(world, kind):
    yield benign("twin", world.fresh())
    for position in POSITIONS:
        for id_mode in IDS:
            for mode in SIGNATURES:
                message = permute(world, kind, position, id_mode, mode)
                yield case(f"{position}-{id_mode}-{mode}", message, forged=FORGED)


def permutation_class(kind, text):
    def make(world):
        return permutations(world, kind)

    make.__doc__ = f"The signed assertion and an evil one, one of them hidden in {text}: 4 positions, 4 ids, 4 signatures."
    naive = "the NameID of the first assertion"
    attack(f"XSW-{kind.upper()}", "A1.1, permutations", PERMUTED, claims_signature=True, naive=naive)(make)


permutation_class("header", "an unknown header block")
permutation_class("body", "the payload")
permutation_class("security", "an unknown child of wsse:Security")
permutation_class("object", "a ds:Object")
permutation_class("keyinfo", "a ds:KeyInfo")
permutation_class("fault", "the Detail of a soap:Fault among the header blocks")
