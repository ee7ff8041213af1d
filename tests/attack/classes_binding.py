"""Whose message is it: TLS certificate, keys, Issuer and community must be one partner's. The attacker P2 is another
registered partner with valid certificates of its own, so every signature here is valid by somebody's key.
"""

import itertools

from catalogue import Case, attack, benign, case
from live_kit import Probe, asking, live
from messages import HCID_IHE, HCID_NHIN, HOLDER_OF_KEY, XSPA, attribute, confirmation
from signing import full_key_info
from world import set_attribute

BOUND = {"SIG_NO_TRUST", "SIG_INVALID", "SAML_ISSUER", "SAML_CONFIRMATION", "PEER_BINDING", "PEER_UNKNOWN"}
NAMES = ("p1", "p2")


def twins(world):
    for who in NAMES:
        for transaction in ("ITI-55", "ITI-38"):
            yield benign(f"{who} asks {transaction}", world.fresh(transaction, who), peer=who)


def mixed(world, assertion_key, message_key, confirmed, issuer, home, transaction="ITI-38"):
    """A message whose pieces are of the named partners."""
    party = {name: world.party(name) for name in NAMES}
    return world.fresh(
        transaction,
        "p1",
        make={"signer": party[assertion_key].signer, "message_signer": party[message_key].signer},
        issuer=party[issuer].signer.subject,
        home_community=party[home].community,
        organization_id="urn:oid:" + party[home].community,
        confirmations=confirmation(HOLDER_OF_KEY, full_key_info(party[confirmed].signer)),
    )


@attack("BIND-MIXED", "A1.8", BOUND)
def mixtures(world):
    """Every mixture of two partners' TLS certificate, assertion key, confirmation key, Timestamp key, Issuer and community, but the two
    honest ones."""
    yield from twins(world)
    for tls, *rest in itertools.product(NAMES, repeat=6):
        if {tls, *rest} == {tls}:
            continue
        names = ("assertion by", "Timestamp by", "confirmed", "Issuer", "community")
        text = ", ".join(f"{name} {who}" for name, who in zip(names, rest))
        yield case(f"TLS {tls}, {text}", mixed(world, *rest), peer=tls)


@attack("BIND-CAPTURED", "A1.8", {"SIG_NO_TRUST"}, claims_signature=True, naive="whoever is named in the message")
def captured(world):
    """A whole message of the victim, unchanged, over the attacker's connection."""
    yield from twins(world)
    for transaction in ("ITI-55", "ITI-38", "ITI-39"):
        message = world.fresh(transaction, "p1")
        yield case(f"{transaction} of p1 over the TLS of p2", message, peer="p2", forged={"home_community": world.p1.community})
        message = world.fresh(transaction, "p2")
        yield case(f"{transaction} of p2 over the TLS of p1", message, peer="p1")
        message = world.fresh(transaction, "p3")
        yield case(f"{transaction} of p3 over the TLS of p2", message, peer="p2")
    yield case("of p1 without a client certificate", world.genuine("ITI-38"), peer=None, expect={"PEER_UNKNOWN", "TLS"})


@attack("BIND-COMMUNITY", "A1.8", {"PEER_BINDING"}, claims_signature=True, naive="the homeCommunityId of the assertion")
def communities(world):
    """The attacker's own valid message, which speaks for a community that is not the attacker's."""
    yield from twins(world)
    p1, p2 = world.p1, world.p2
    for text, home in (
        ("the victim's", p1.community),
        ("ours", world.community),
        ("nobody's", "2.999.404"),
        ("what is above all", "2.999"),
        ("below its own, and not listed", p2.community + ".7"),
        ("its own with a digit more", p2.community + "0"),
        ("its own cut off", p2.community.rpartition(".")[0]),
    ):
        message = world.fresh("ITI-38", "p2", home_community=home, organization_id="urn:oid:" + p2.community)
        yield case(text, message, forged={"home_community": home})


@attack("BIND-COMMUNITY-NAMES", "A1.8", {"SAML_ATTRIBUTE", "PEER_BINDING"}, claims_signature=True, naive="the IHE attribute of the two")
def two_names(world):
    """The two names of the homeCommunityId attribute do not agree, or one of them says two things."""
    yield from twins(world)
    own, victim = f"urn:oid:{world.p2.community}", f"urn:oid:{world.p1.community}"

    def says(ihe, nhin):
        def edit(assertion):
            set_attribute(assertion, HCID_IHE, ihe)
            set_attribute(assertion, HCID_NHIN, nhin)

        return edit

    forged = {"home_community": world.p1.community}
    yield case("the victim's by IHE's name", world.edited(says(victim, own), "ITI-38", "p2"), forged=forged)
    yield case("the victim's by NHIN's name", world.edited(says(own, victim), "ITI-38", "p2"))
    yield case("the victim's by both", world.edited(says(victim, victim), "ITI-38", "p2"), forged=forged)
    for name in (HCID_IHE, HCID_NHIN):
        for extra in (victim, [own, victim], [victim, own]):
            message = world.fresh("ITI-38", "p2", more_attributes=attribute(name, extra))
            yield case(f"once more by {name[:9]}: {'and '.join([extra] if isinstance(extra, str) else extra)}", message)
    for text in (f"{victim},{own}", f"{own},{victim}", f"{own} {victim}", f"{own};{victim}"):
        yield case(f"two in one value: {text}", world.edited(says(text, text), "ITI-38", "p2"))


@attack("BIND-COMMUNITY-SPELLING", "A1.3", {"SAML_ATTRIBUTE", "PEER_BINDING"})
def spellings(world):
    """The victim's community, spelt so that a careless comparison takes it for the attacker's, or the other way round."""
    yield from twins(world)
    p1, p2 = world.p1.community, world.p2.community
    texts = [f"urn:oid:{p2}\N{ZERO WIDTH SPACE}", f"urn:oid:{p2}\N{NO-BREAK SPACE}", f"urn:oid:{p2}.", f"urn:oid:.{p2}"]
    texts += [f"urn:oid:0{p2}", f"urn:oid:{p2}.0{p1}", f"urn:oid:{p2}/../{p1}", f"urn:oid:{p2}#{p1}", f"urn:oid:{p2}?{p1}", f"urn:oid:{p2}%00"]
    texts += [f"urn:uuid:{p2}", f"urn:oid:urn:oid:{p2}", f"https://{p2}", "", "urn:oid:", f"urn:oid:{p2}..1", f"urn:oid:{p2}-1", f"urn:oid:{p2},"]
    texts += ["urn:oid:" + p2.replace("9", "\N{FULLWIDTH DIGIT NINE}"), "urn:oid:" + p2.replace("9", "\N{ARABIC-INDIC DIGIT NINE}")]
    texts += ["urn:oid:" + p2.replace(".", "\N{ONE DOT LEADER}"), "urn:oid:2.999999999999999999999999999999999." + "9" * 300]
    texts += [f"urn:oid:{p2}" + ".1" * 2000, "urn:oid:2.*", "urn:oid:%", "urn:oid:2.999._", f"urn:oid:{p2}' OR '1'='1"]
    for text in texts:

        def edit(assertion, text=text):
            set_attribute(assertion, HCID_IHE, text)
            set_attribute(assertion, HCID_NHIN, text)

        yield case(f"{text[:60]!a} ({len(text)})", world.edited(edit, "ITI-38", "p2"))


@attack("BIND-ORGANIZATION", "A1.8", {"PEER_BINDING", "SAML_ATTRIBUTE"}, claims_signature=True, naive="the organization-id")
def organizations(world):
    """The attacker's own valid message, in the name of an organization that is the victim's community or ours."""
    yield from twins(world)
    for text, party in (("the victim's", world.p1.community), ("ours", world.community), ("a third partner's", world.p3.community)):
        message = world.fresh("ITI-38", "p2", organization_id="urn:oid:" + party)
        yield case(text, message, forged={"organization_id": "urn:oid:" + party})
    name = XSPA + "organization-id"
    message = world.fresh("ITI-38", "p2", more_attributes=attribute(name, f"urn:oid:{world.p1.community}"))
    yield case("its own, and the victim's behind", message)


@attack("BIND-ISSUER", "A1.8", {"SAML_ISSUER"}, claims_signature=True, naive="the Issuer")
def issuers(world):
    """The attacker signs with its own key in the name of another issuer."""
    yield from twins(world)
    own, victim = world.p2.signer.subject, world.p1.signer.subject
    for text, issuer in (
        ("the victim", victim),
        ("the authority", "CN=Development CA,O=Development network"),
        ("itself and the victim", f"{own},{victim}"),
        ("the victim and itself", f"{victim},{own}"),
        ("itself with a space before", f" {own} x"),
        ("itself in capitals", own.upper()),
        ("itself in another order", ",".join(reversed(own.split(",")))),
        ("itself with a zero width space", own.replace("O=", "O=\N{ZERO WIDTH SPACE}")),
        ("a wildcard", "CN=*"),
    ):
        yield case(text, world.fresh("ITI-38", "p2", issuer=issuer), forged={"issuer": issuer.strip()})


@attack("BIND-DELEGATE", "A1.8", {"PEER_BINDING", "SAML_ATTRIBUTE"})
def delegates(world):
    """A request in the name of somebody for whom the partner's file does not let it ask."""
    yield from twins(world)
    for text, value in (
        ("the victim", f"Organization/{world.p1.community}"),
        ("us", f"Organization/{world.community}"),
        ("nobody", "Organization/2.999.404"),
        ("no reference at all", "everybody"),
        ("another server's", f"https://directory.example/Organization/{world.p1.community}"),
        ("a path", "Organization/../Organization/1"),
    ):
        yield case(text, world.fresh("ITI-38", "p2", more_attributes=attribute("QueryAuthGrantor", value)))
    empty = world.fresh("ITI-38", "p2", more_attributes=attribute("QueryAuthGrantor", ""))
    yield case("an empty one, which names nobody", empty, harmless=True)
    both = [f"Organization/{world.p2.community}", f"Organization/{world.p1.community}"]
    yield case("two", world.fresh("ITI-38", "p2", more_attributes=attribute("QueryAuthGrantor", both)))


def spoken_by(world, sender, organization, by="p2"):
    """ITI-55 whose sender device and its representedOrganization are somebody else's."""

    def message(_):
        made = world.fresh("ITI-55", by)
        xml = made.payload.find("{*}sender")
        ids = xml.findall(".//{*}id")
        ids[0].set("root", sender)
        ids[1].set("root", organization)
        return made.path, made.content_type, made.bytes()

    return message


@live("BIND-SENDER", "A1.8", {"PEER_BINDING", "MESSAGE_CONTENT"})
def senders(range_):
    """The payload of ITI-55 is not signed: its sender must be of the partner whose the connection and the assertion are."""
    world = range_.world
    own, victim = world.p2.community, world.p1.community
    yield Probe("its own", asking(range_.p2, spoken_by(world, own, own)), benign=True)
    for text, sender, organization in (
        ("the victim's organization", own, victim),
        ("the victim's device and organization", victim, victim),
        ("ours", own, world.community),
        ("nobody's", own, "2.999.404"),
    ):
        yield Probe(text, asking(range_.p2, spoken_by(world, sender, organization)))


@attack("BIND-CERTIFICATE", "A1.8", {"PEER_UNKNOWN", "TLS"})
def other_certificates(world):
    """The victim's message over certificates of the same authority that are no partner's TLS certificate."""
    yield from twins(world)
    for text, path in (
        ("the victim's signing certificate", world.p1.signer.path),
        ("the attacker's signing certificate", world.p2.signer.path),
        ("our own certificate", f"{world.folder}/green/pki/node.pem"),
        ("our own signing certificate", f"{world.folder}/green/pki/signing.pem"),
        ("the authority's", world.ca),
    ):
        message = world.genuine("ITI-38")
        yield Case(text, False, message.bytes(), message.content_type, message.path, peer=path, facts=message.facts)
