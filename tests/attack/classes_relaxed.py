"""What a partner may leave out, by its record: it is accepted from that partner, refused from all others, and opens nothing
else; SHA-1 from a named partner, until its day.
"""

from lxml import etree

from catalogue import attack, benign, case
from classes_profiles import both, child, removed, with_attributes, with_text
from classes_saml import audiences, drop
from messages import HCID_IHE, HCID_NHIN, PURPOSES, ROLE, US, XSPA, attribute, coded, make_message
from signing import DS, MORE, SAML, Style, key_info, q, rsa_value
from world import RELAXATIONS, SHA1_DAYS, set_attribute

SHA1 = {"method": DS + "rsa-sha1"}
SHA1_DIGEST = {"digest": DS + "sha1"}


def no_audience(assertion):
    conditions = child("Conditions")(assertion)
    conditions.remove(conditions[0])


def second_purpose(assertion):
    statement = assertion.find(q(SAML, "AttributeStatement"))
    statement.append(etree.fromstring(attribute(XSPA + "purposeofuse", coded("PurposeOfUse", "T-PYMNT", PURPOSES))))


# What is left out, what the facts then say, and how it is refused where it is not agreed.
LEFT_OUT = {
    "authn-statement": (removed("AuthnStatement"), {"authn_instant_us": 0}, "SAML_AUTHN"),
    "audience": (no_audience, {}, "SAML_AUDIENCE"),
    "not-before": (with_attributes("Conditions", NotBefore=None), {}, "SAML_CONDITIONS"),
    "issuer-format": (with_attributes("Issuer", Format=None), {"issuer_format": ""}, "SAML_ISSUER"),
    "name-syntax": (with_text("NameID", "rosa"), {"name_id": "rosa"}, "SAML_SUBJECT"),
    "subject-id": (drop(XSPA + "subject-id"), {"subject_id": ""}, "SAML_ATTRIBUTE"),
    "organization": (drop(XSPA + "organization"), {"organization": ""}, "SAML_ATTRIBUTE"),
    "organization-id": (drop(XSPA + "organization-id"), {"organization_id": ""}, "SAML_ATTRIBUTE"),
    "home-community": (drop(HCID_IHE, HCID_NHIN), {}, "SAML_ATTRIBUTE"),
    "role": (drop(ROLE), {"role": ""}, "SAML_ATTRIBUTE"),
    "second-purpose": (second_purpose, {}, "SAML_ATTRIBUTE"),
}


# Not about what an assertion says: an empty answer, and the MIME package around a request (classes MIME-*; tests/unit/test_dialects*).
ELSEWHERE = {"answer", "package"}


def make_of(name, edit):
    return {"assertion_style": Style(key_info="")} if name == "key-info" else {"edit": edit}


@attack("RELAXED", "spec 3.3, 3.7", {row[2] for row in LEFT_OUT.values()} | {"SIG_NO_TRUST"})
def relaxed(world):
    """Each thing that only lime may leave out: read as it is from lime, with its bit in the facts; refused from red and gold."""
    rows = dict(LEFT_OUT, **{"key-info": (None, {}, "SIG_NO_TRUST")})
    for number, name in enumerate(RELAXATIONS):
        if name in ELSEWHERE:
            continue
        edit, facts, refusal = rows[name]
        facts = dict(facts, omitted=1 << number)
        yield benign(name, world.fresh("ITI-55", "p4", make=make_of(name, edit), facts=facts))
        for peer in ("p1", "p3"):
            yield case(f"{name}-of-{peer}", world.fresh("ITI-55", peer, make=make_of(name, edit)), expect={refusal})
    everything = both(*(row[0] for name, row in LEFT_OUT.items()))
    facts = {key: value for row in LEFT_OUT.values() for key, value in row[1].items()}
    facts["omitted"] = (1 << len(LEFT_OUT)) - 1
    yield benign("everything", world.fresh("ITI-55", "p4", make={"edit": everything}, facts=facts))
    yield case("everything-of-p1", world.fresh("ITI-55", "p1", make={"edit": everything}))


@attack("RELAXED-WRONG", "A1.8, spec 3.3", {row[2] for row in LEFT_OUT.values()} | {"PEER_BINDING", "SIG_MISSING", "WSS_MISSING"},
        claims_signature=True, naive="what is wrong")  # fmt: skip
def relaxed_wrong(world):
    """May be absent is not may be wrong: lime's messages in which the thing is there and false; and things that nobody may omit."""
    tool = ("--pubkey-cert-pem", world.p4.signer.path)
    yield benign("complete", world.fresh("ITI-55", "p4"))

    def lime(edit, **more):
        return world.fresh("ITI-55", "p4", make={"edit": edit}, **more)

    other = "https://other.example/"
    yield case("audience", lime(audiences((other,))), forged={"audience": other}, tool=tool)
    for oid in ("2.999.1", "2.999.2", "2.999.77"):
        message = world.fresh("ITI-55", "p4", home_community=oid)
        yield case(f"home-{oid}", message, forged={"home_community": oid}, tool=tool)

    def one_home(assertion):
        drop(HCID_NHIN)(assertion)
        set_attribute(assertion, HCID_IHE, "urn:oid:2.999.1")

    yield case("one-home", lime(one_home), forged={"home_community": "2.999.1"}, tool=tool)
    yield case("home-is-none", lime(lambda a: set_attribute(a, HCID_IHE, "lime")), expect={"SAML_ATTRIBUTE"})
    yield case("homes-differ", lime(lambda a: set_attribute(a, HCID_NHIN, "urn:oid:2.999.1")), expect={"SAML_ATTRIBUTE"})
    issuer = world.p1.signer.subject
    yield case("issuer", lime(with_text("Issuer", issuer)), forged={"issuer": issuer}, tool=tool)
    yield case("issuer-without-format", lime(both(with_text("Issuer", issuer), with_attributes("Issuer", Format=None))),
               forged={"issuer": issuer}, tool=tool)  # fmt: skip
    yield case("unknown-format", lime(with_attributes("Issuer", Format="urn:x:y")), expect={"SAML_ISSUER"})
    for name, edit in (
        ("not-before-text", with_attributes("Conditions", NotBefore="soon")),
        ("no-not-on-or-after", with_attributes("Conditions", NotOnOrAfter=None)),
        ("no-conditions", removed("Conditions")),
        ("authn-without-context", removed("AuthnContext")),
        ("no-name", removed("NameID")),
        ("no-issuer", removed("Issuer")),
        ("no-purpose", drop(XSPA + "purposeofuse")),
        ("no-confirmation", removed("SubjectConfirmation")),
        ("empty-name", with_text("NameID", "")),
    ):
        expect = {"SAML_STRUCTURE", "SAML_CONDITIONS", "SAML_AUTHN", "SAML_SUBJECT", "SAML_ISSUER", "SAML_ATTRIBUTE", "SAML_CONFIRMATION"}
        yield case(name, lime(edit), expect=expect)
    yield case("unsigned", world.fresh("ITI-55", "p4", make={"sign_assertion": False}))
    for name, signer in (("red", world.p1.signer), ("black", world.p2.signer)):
        make = {"signer": signer, "assertion_style": Style(key_info="")}
        yield case(f"no-key-info-of-{name}", world.fresh("ITI-55", "p4", make=make), expect={"SIG_INVALID"})
    make = {"signer": world.p2.signer, "assertion_style": Style(key_info=key_info(rsa_value(world.p2.signer)))}
    yield case("own-key", world.fresh("ITI-55", "p4", make=make), expect={"SIG_NO_TRUST", "SIG_INVALID"})

    def three_purposes(assertion):
        second_purpose(assertion)
        statement = assertion.find(q(SAML, "AttributeStatement"))
        statement.insert(0, etree.fromstring(attribute(XSPA + "purposeofuse", "text")))

    yield case("first-purpose-is-none", lime(three_purposes), expect={"SAML_ATTRIBUTE"})


def sha1_message(world, by, now_us, both_digests=True):
    ask = world.ask("ITI-55", by, facts={"has_sha1": True})
    ask.now_us = now_us
    ask.__post_init__()
    reference = dict(SHA1_DIGEST) if both_digests else {}
    return make_message(
        ask,
        assertion_style=Style(**SHA1),
        message_style=Style(**SHA1),
        assertion_reference=dict(reference),
        message_reference=dict(reference),
    )


@attack("SHA1-WINDOW", "A1.4, spec 1.7", {"SIG_ALGORITHM"})
def sha1_window(world):
    """SHA-1 counts of lime alone, until its day; nothing weaker counts, and nobody else's."""
    now, day = world.now_us, 86400 * US
    yield benign("now", sha1_message(world, "p4", now))
    yield benign("sha256-digests", sha1_message(world, "p4", now, False))
    yield benign("before-the-end", sha1_message(world, "p4", now + (SHA1_DAYS - 2) * day), now=now + (SHA1_DAYS - 2) * day, live=False)
    yield benign("without", world.fresh("ITI-55", "p4"))
    for days in (SHA1_DAYS + 2, SHA1_DAYS + 100):
        later = now + days * day
        yield case(f"after-{days}", sha1_message(world, "p4", later), now=later, live=False)
        yield case(f"digest-after-{days}", digest_only(world, later), now=later, live=False)
    for peer in ("p1", "p2"):
        yield case(f"of-{peer}", sha1_message(world, peer, now))
        yield case(f"mixed-of-{peer}", sha1_message(world, peer, now, False))
    for name in ("rsa-md5", "rsa-ripemd160", "hmac-sha256"):
        style = Style(method=MORE + name)
        yield case(name, world.fresh("ITI-55", "p4", make={"assertion_style": style}))
        yield case(f"timestamp-{name}", world.fresh("ITI-55", "p4", make={"message_style": Style(method=MORE + name)}))
    for name in ("hmac-sha1", "dsa-sha1"):
        yield case(name, world.fresh("ITI-55", "p4", make={"assertion_style": Style(method=DS + name)}))
    yield case("md5-digest", world.fresh("ITI-55", "p4", make={"assertion_reference": {"digest": MORE + "md5"}}))


def digest_only(world, now_us):
    ask = world.ask("ITI-55", "p4", facts={"has_sha1": True})
    ask.now_us = now_us
    ask.__post_init__()
    return make_message(ask, assertion_reference=dict(SHA1_DIGEST))
