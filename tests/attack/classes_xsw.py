"""Signature wrapping of the SAML assertion (XSW1 to XSW8), with the one that is signed somewhere else."""

from lxml import etree

from catalogue import attack, benign, case
from signing import NS, SAML, SOAP, q
from world import evil

NAME = "UID=admin,O=red HIE"
FORGED = {"name_id": NAME}


def forge(message, same_id=False):
    """The evil twin of the message's assertion, unsigned."""
    twin = evil(message, NameID=NAME)
    if not same_id:
        twin.set("ID", "_evil" + message.assertion.get("ID")[:20])
    return twin


@attack("XSW3", "A1.1", {"SIG_WRAPPED"}, claims_signature=True, naive="the NameID of the first assertion")
def xsw3(world):
    """An evil unsigned assertion stands before the signed one, as its sibling in wsse:Security."""
    yield benign("twin", world.fresh())
    message = world.genuine()
    message.assertion.addprevious(forge(message))
    yield case("before", message, forged=FORGED)
