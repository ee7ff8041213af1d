"""The negative assertion profiles that testing tools send, and those that must be accepted (specification digest 3.7),
and clocks and dates. All of them are properly signed by the partner: what is wrong is what they say.
"""

import datetime

from lxml import etree

from catalogue import attack, benign, case
from classes_saml import drop, evidence
from classes_xsw import X
from messages import (
    HOLDER_OF_KEY,
    PURPOSES,
    ROLE,
    SNOMED,
    US,
    XSPA,
    attribute,
    coded,
    confirmation,
    instant,
    make_message,
)
from signing import DS, SAML, WSU, Style, full_key_info, key_info, q, rsa_value, x509_data

FORMAT_11 = "urn:oasis:names:tc:SAML:1.1:nameid-format:"
FORMAT_20 = "urn:oasis:names:tc:SAML:2.0:nameid-format:"


def child(name):
    return lambda assertion: assertion.find(".//" + q(SAML, name))


def removed(name):
    def edit(assertion):
        element = child(name)(assertion)
        element.getparent().remove(element)

    return edit


def with_attributes(name, **values):
    """Sets (or, with None, removes) attributes of the first element of that name ("" for the assertion)."""

    def edit(assertion):
        element = child(name)(assertion) if name else assertion
        for key, value in values.items():
            if value is None:
                element.attrib.pop(key, None)
            else:
                element.set(key, value)

    return edit


def with_text(name, text):
    def edit(assertion):
        child(name)(assertion).text = text

    return edit


def both(*edits):
    def edit(assertion):
        for one in edits:
            one(assertion)

    return edit


@attack("PROFILE-STRUCTURE", "spec 3.7", {"SAML_STRUCTURE", "SIG_REFERENCE", "SIG_WRAPPED", "SIG_STRUCTURE"})
def profile_structure(world):
    """missing/invalid Version, ID, IssueInstant; elements missing, twice, in another order, unknown ones."""
    yield benign("twin", world.fresh())
    for name, edit in (
        ("version-missing", with_attributes("", Version=None)),
        ("version-1.1", with_attributes("", Version="1.1")),
        ("version-2", with_attributes("", Version="2")),
        ("version-2.1", with_attributes("", Version="2.1")),
        ("id-missing", with_attributes("", ID=None)),
        ("id-empty", with_attributes("", ID="")),
        ("id-digit", with_attributes("", ID="1234")),
        ("id-blank", with_attributes("", ID="a b")),
        ("id-colon", with_attributes("", ID="a:b")),
        ("id-umlaut", with_attributes("", ID="_\u00e4")),
        ("id-name", with_attributes("", ID=None, Id="_x")),
        ("issue-instant-missing", with_attributes("", IssueInstant=None)),
        ("issue-instant-text", with_attributes("", IssueInstant="yesterday")),
        ("issue-instant-no-zone", with_attributes("", IssueInstant="2026-01-01T00:00:00")),
        ("issue-instant-date", with_attributes("", IssueInstant="2026-01-01")),
        ("subject-missing", removed("Subject")),
        ("conditions-missing", removed("Conditions")),
        ("issuer-missing", removed("Issuer")),
    ):
        yield case(name, world.edited(edit), expect={"SAML_ISSUER", "SAML_STRUCTURE"} if name == "issuer-missing" else None)
    for name in ("Subject", "Conditions", "Issuer"):

        def twice(assertion, name=name):
            element = child(name)(assertion)
            element.addnext(etree.fromstring(etree.tostring(element)))

        yield case(f"two-{name}", world.edited(twice))

        def late(assertion, name=name):
            assertion.append(child(name)(assertion))

        yield case(f"late-{name}", world.edited(late))
    for name, text in (
        ("advice", f'<saml2:Advice xmlns:saml2="{SAML}"/>'),
        ("foreign", f'<x:y xmlns:x="{X}"/>'),
        ("statement", f'<saml2:Statement xmlns:saml2="{SAML}"/>'),
    ):
        yield case(f"unknown-{name}", world.fresh(extra=text))
    yield case("text-between", world.edited(lambda a: setattr(a[0], "tail", "text")))


@attack("PROFILE-ISSUER", "spec 3.3, 3.7", {"SAML_ISSUER"})
def profile_issuer(world):
    """Issuer: format missing or unknown, value not of its format, not registered for the partner, qualified entities."""
    yield benign("twin", world.fresh())
    subject = world.p1.signer.subject
    yield benign("blanks-around", world.edited(with_text("Issuer", f"\n  {subject}\n")))
    for name, form, text in (
        ("format-missing", None, subject),
        ("format-unknown", "urn:example:format", subject),
        ("format-persistent", FORMAT_20 + "persistent", subject),
        ("format-unspecified", FORMAT_11 + "unspecified", subject),
        ("format-capitals", FORMAT_11.upper() + "X509SUBJECTNAME", subject),
        ("no-email", FORMAT_11 + "emailAddress", "not an address"),
        ("no-email-2", FORMAT_11 + "emailAddress", "a@b@c"),
        ("no-dn", FORMAT_11 + "X509SubjectName", "just a name"),
        ("no-dn-2", FORMAT_11 + "X509SubjectName", "CN=a,,O=b"),
        ("no-windows", FORMAT_11 + "WindowsDomainQualifiedName", "A\\B\\C"),
        ("empty", FORMAT_11 + "X509SubjectName", ""),
        ("other-name", FORMAT_11 + "X509SubjectName", "CN=signing,O=black HIE"),
        ("prefix", FORMAT_11 + "X509SubjectName", subject + ",C=US"),
        ("order", FORMAT_11 + "X509SubjectName", ",".join(reversed(subject.split(",")))),
        ("case", FORMAT_11 + "X509SubjectName", subject.upper()),
        ("email", FORMAT_11 + "emailAddress", "signing@red.example"),
        ("entity", FORMAT_20 + "entity", "urn:oid:2.999.1"),
    ):
        edit = both(with_attributes("Issuer", Format=form), with_text("Issuer", text))
        yield case(name, world.edited(edit))
    edit = both(with_attributes("Issuer", Format=FORMAT_20 + "entity", NameQualifier="x"), with_text("Issuer", "urn:oid:2.999.1"))
    yield case("qualified-entity", world.edited(edit))


@attack("PROFILE-SUBJECT", "spec 3.3, 3.7", {"SAML_SUBJECT", "SAML_CONFIRMATION", "SAML_STRUCTURE"})
def profile_subject(world):
    """NameID and SubjectConfirmation: missing, twice, encrypted, invalid formats, missing methods and data."""
    yield benign("twin", world.fresh())
    text = "rosa@red.example"
    email = both(with_attributes("NameID", Format=FORMAT_11 + "emailAddress"), with_text("NameID", text))
    yield benign("email", world.edited(email, facts={"name_id": text, "name_id_format": FORMAT_11 + "emailAddress"}))
    alias = with_attributes("NameID", SPProvidedID="alias")
    yield benign("alias", world.edited(alias, facts={"name_id_provided": "alias"}))
    for name, edit in (
        ("name-missing", removed("NameID")),
        ("name-empty", with_text("NameID", "")),
        ("format-missing", with_attributes("NameID", Format=None)),
        ("format-unknown", with_attributes("NameID", Format="urn:example:format")),
        ("format-transient", with_attributes("NameID", Format=FORMAT_20 + "transient")),
        ("no-email", with_attributes("NameID", Format=FORMAT_11 + "emailAddress")),
        ("no-dn", with_text("NameID", "rosa")),
        ("dn-without-value", with_text("NameID", "CN=")),
        ("dn-open-quote", with_text("NameID", 'CN="rosa')),
        ("dn-open-escape", with_text("NameID", "CN=rosa\\")),
        ("windows", both(with_attributes("NameID", Format=FORMAT_11 + "WindowsDomainQualifiedName"), with_text("NameID", "\\rosa"))),
        ("confirmation-missing", removed("SubjectConfirmation")),
        ("method-missing", with_attributes("SubjectConfirmation", Method=None)),
        ("method-empty", with_attributes("SubjectConfirmation", Method="")),
        ("method-unknown", with_attributes("SubjectConfirmation", Method="urn:oasis:names:tc:SAML:2.0:cm:trust-me")),
        ("data-missing", removed("SubjectConfirmationData")),
    ):
        yield case(name, world.edited(edit))

    def two_names(assertion):
        element = child("NameID")(assertion)
        element.addprevious(etree.fromstring(etree.tostring(element).replace(b"rrot", b"admin")))

    yield case("two-names", world.edited(two_names))
    for name, edit in (
        ("text", lambda a: setattr(child("Subject")(a), "text", "admin")),
        ("unknown-last", lambda a: child("Subject")(a).append(etree.Element(q(X, "more")))),
        ("unknown-first", lambda a: child("Subject")(a).insert(0, etree.Element(q(X, "more")))),
        ("name-last", lambda a: child("Subject")(a).append(child("NameID")(a))),
    ):
        yield case(f"subject-{name}", world.edited(edit), expect={"SAML_SUBJECT"})
    held = confirmation(HOLDER_OF_KEY, full_key_info(world.p1.signer))
    for name, method in (("without-method", ""), ("with-a-word", "bearer")):
        yield case(f"second-{name}", world.fresh(confirmations=held + confirmation(method)), expect={"SAML_CONFIRMATION"})

    def encrypted(assertion):
        child("NameID")(assertion).tag = q(SAML, "EncryptedID")

    yield case("encrypted", world.edited(encrypted))

    def base_id(assertion):
        child("NameID")(assertion).tag = q(SAML, "BaseID")

    yield case("base-id", world.edited(base_id))


@attack("PROFILE-SIGNATURE", "spec 3.7", {"SIG_MISSING", "SIG_STRUCTURE", "SIG_NO_TRUST", "SIG_INVALID", "SAML_CONFIRMATION"})
def profile_signature(world):
    """unsigned, invalidsignature; KeyValue, RSAKeyValue, Modulus, Exponent missing or wrong; invalid X509Certificate; in both KeyInfos."""
    yield benign("twin", world.fresh())
    yield case("no-key-info", world.fresh(make={"assertion_style": Style(key_info="")}))
    yield case("unsigned", world.fresh(make={"sign_assertion": False}), expect={"SIG_MISSING"})
    yield case("no-timestamp-signature", world.fresh(make={"sign_message": False}), expect={"SIG_MISSING"})
    message = world.genuine()
    message.assertion_signature.find(q(DS, "SignatureValue")).text = "AAAA" * 85
    yield case("invalid-signature", message, expect={"SIG_INVALID"})
    red, black = world.p1.signer, world.p2.signer
    modulus, exponent = red.rsa_numbers()
    certificate = x509_data(red)
    infos = {
        "empty-key-value": "<ds:KeyValue/>",
        "no-rsa-key-value": "<ds:KeyValue><ds:Modulus>AA==</ds:Modulus></ds:KeyValue>",
        "no-modulus": f"<ds:KeyValue><ds:RSAKeyValue><ds:Exponent>{exponent}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>",
        "no-exponent": f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{modulus}</ds:Modulus></ds:RSAKeyValue></ds:KeyValue>",
        "empty-modulus": "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus/><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>",
        "wrong-modulus": rsa_value(red, modulus=black.rsa_numbers()[0]),
        "wrong-exponent": rsa_value(red, exponent="Aw=="),
        "wrong-certificate": x509_data(black),
        "invalid-certificate": "<ds:X509Data><ds:X509Certificate>bm90IGEgY2VydGlmaWNhdGU=</ds:X509Certificate></ds:X509Data>",
        "wrong-modulus-with-certificate": rsa_value(red, modulus=black.rsa_numbers()[0]) + certificate,
    }
    for name, info in infos.items():
        yield case(f"signature-{name}", world.fresh(make={"assertion_style": Style(key_info=key_info(info))}))
        confirmed = confirmation(HOLDER_OF_KEY, key_info(info))
        yield case(f"confirmation-{name}", world.fresh(confirmations=confirmed))


@attack("PROFILE-AUTHN", "spec 3.1, 3.7", {"SAML_AUTHN"})
def profile_authn(world):
    """AuthnStatement: missing, without instant, in the future, ended session, an AuthnContext that names nothing or nonsense."""
    yield benign("twin", world.fresh())
    base = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
    for name in ("Password", "PasswordProtectedTransport", "X509", "unspecified", "Kerberos", "TLSClient"):
        yield benign(f"class-{name}", world.edited(with_text("AuthnContextClassRef", base + name)))
    late, early = instant(world.now_us + 3600 * US), instant(world.now_us - 3600 * US)
    for name, edit in (
        ("missing", removed("AuthnStatement")),
        ("instant-missing", with_attributes("AuthnStatement", AuthnInstant=None)),
        ("instant-text", with_attributes("AuthnStatement", AuthnInstant="now")),
        ("instant-future", with_attributes("AuthnStatement", AuthnInstant=late)),
        ("session-ended", with_attributes("AuthnStatement", SessionNotOnOrAfter=early)),
        ("context-missing", removed("AuthnContext")),
        ("class-missing", removed("AuthnContextClassRef")),
        ("class-empty", with_text("AuthnContextClassRef", "")),
        ("class-text", with_text("AuthnContextClassRef", "invalid")),
        ("class-invalid", with_text("AuthnContextClassRef", "urn:invalid:authncontext")),
        ("class-misspelt", with_text("AuthnContextClassRef", base + "Passwort")),
        ("class-blank", with_text("AuthnContextClassRef", "urn: with blanks")),
    ):
        yield case(name, world.edited(edit))

    def second(*edits):
        def edit(assertion):
            statement = child("AuthnStatement")(assertion)
            twin = etree.fromstring(etree.tostring(statement))
            for one in edits:
                one(twin)
            statement.addnext(twin)

        return edit

    yield case("second-future", world.edited(second(lambda t: t.set("AuthnInstant", late))))
    yield case("second-without-class", world.edited(second(lambda t: t.remove(t[-1]))))


@attack("PROFILE-ACCEPT", "spec 3.7, 3.1", {"SAML_ATTRIBUTE", "SAML_AUTHN", "SAML_STRUCTURE"})
def profile_accept(world):
    """secondrole, secondauthncontext, withauthzconsent are accepted; secondpurposeofuse is not, as TEFCA wants exactly one."""
    role = attribute(ROLE, coded("Role", "106289002", SNOMED, "Dentist"))
    yield benign("second-role", world.fresh(more_attributes=role))

    def second_context(assertion):
        statement = child("AuthnStatement")(assertion)
        twin = etree.fromstring(etree.tostring(statement).replace(b"classes:X509", b"classes:Password"))
        statement.addnext(twin)

    yield benign("second-authn-context", world.edited(second_context))
    consents = {"acp": ["urn:oid:2.999.5"], "iacp": ["urn:oid:2.999.6"]}
    yield benign("with-authz-consent", world.fresh(extra=evidence(world), facts=consents))
    yield benign("unknown-attribute", world.fresh(more_attributes=attribute("urn:example:unknown", "x")))

    def conditions(assertion):
        element = child("Conditions")(assertion)
        etree.SubElement(element, q(SAML, "OneTimeUse"))
        etree.SubElement(element, q(SAML, "ProxyRestriction"), Count="1")

    yield benign("one-time-use", world.edited(conditions, facts={"is_one_time": True}))
    purpose = attribute(XSPA + "purposeofuse", coded("PurposeOfUse", "T-PYMNT", PURPOSES))
    yield case("second-purpose", world.fresh(more_attributes=purpose))
    for name in ("subject-id", "organization", "organization-id", "purposeofuse"):
        yield case(f"no-{name}", world.edited(drop(XSPA + name)))


# ---- clocks and dates ----

SKEW_S = 60
AT_THE_EDGE = ("not-yet", "ahead", "expired", "expired-at-skew")  # a second decides, and a live node's clock goes on


@attack("CLOCK-TIMESTAMP", "A1.8, spec 3.2", {"WSS_TIMESTAMP", "WSS_EXPIRED", "WSS_FUTURE"})
def clock_timestamp(world):
    """Created and Expires at the edges of the clocks' tolerance, in the wrong order, too far apart, missing, twice."""
    now = world.now_us

    def stamped(created_us, expires_us, facts=True):
        def edit(timestamp):
            timestamp[0].text, timestamp[1].text = instant(created_us), instant(expires_us)

        told = {"created_us": created_us // 1000 * 1000, "expires_us": expires_us // 1000 * 1000} if facts else {}
        return world.fresh(make={"edit_timestamp": edit}, facts=told)

    for name, created_s, expires_s in (("now", 0, 300), ("ahead-within-skew", SKEW_S - 1, 300), ("expired-within-skew", -300, 1 - SKEW_S),
                                       ("longest", -1, 3599), ("one-second", -1, 0)):  # fmt: skip
        yield benign(name, stamped(now + created_s * US, now + expires_s * US), live=name == "now")
    for name, created_s, expires_s in (
        ("ahead", SKEW_S + 1, 600), ("far-ahead", 86400, 86700), ("expired", -300, -SKEW_S - 1), ("expired-at-skew", -300, -SKEW_S),
        ("long-ago", -86400 * 365, -86400 * 364), ("reversed", 10, -10), ("no-time", 0, 0), ("too-long", -1, 3600), ("a-year", -1, 86400 * 365),
    ):  # fmt: skip
        yield case(name, stamped(now + created_s * US, now + expires_s * US), live=name not in AT_THE_EDGE)
    yield from broken_stamps(world)


def broken_stamps(world):
    good = instant(world.now_us - 5 * US)

    def edited(edit):
        return world.fresh(make={"edit_timestamp": edit})

    for name, text in DATES.items():
        text = text.replace("GOOD", good)

        def both_ends(timestamp, text=text):
            timestamp[0].text = text

        yield case(f"created-{name}", edited(both_ends))

        def expires(timestamp, text=text):
            timestamp[1].text = text

        yield case(f"expires-{name}", edited(expires))
    for name, edit in (
        ("no-created", lambda t: t.remove(t[0])),
        ("no-expires", lambda t: t.remove(t[1])),
        ("empty", lambda t: [t.remove(c) for c in list(t)]),
        ("two-created", lambda t: t.insert(0, etree.fromstring(etree.tostring(t[0])))),
        ("two-expires", lambda t: t.append(etree.fromstring(etree.tostring(t[1])))),
        ("other-namespace", lambda t: setattr(t[0], "tag", q(X, "Created"))),
        ("child", lambda t: t[0].append(etree.Element("x"))),
    ):
        yield case(name, edited(edit))
    message = world.genuine()
    message.security.remove(message.timestamp)
    yield case("no-timestamp", message)
    message = world.fresh()
    message.timestamp.set("other", "x")
    yield case("attribute-after-signing", message, expect={"SIG_INVALID"})
    message = world.fresh(make={"edit_timestamp": lambda t: t.append(etree.Element(q(X, "more")))})
    # WSS allows other elements in a Timestamp; what nobody understands is refused or not looked at
    yield case("unknown-child", message, harmless=True)
    message = world.fresh(make={"edit_timestamp": lambda t: t.attrib.pop(q(WSU, "Id"))})
    yield case("no-id", message, expect={"SIG_REFERENCE"})


# Texts that are no time of ours, wherever they stand. GOOD is one that would be.
DATES = {
    "no-zone": "2026-11-22T10:00:00",
    "date": "2026-11-22",
    "text": "now",
    "blank": " ",
    "year-0": "0000-01-01T00:00:00Z",
    "year-5": "12026-01-01T00:00:00Z",
    "year-minus": "-2026-01-01T00:00:00Z",
    "month-13": "2026-13-01T00:00:00Z",
    "day-0": "2026-01-00T00:00:00Z",
    "feb-30": "2026-02-30T00:00:00Z",
    "feb-29": "2025-02-29T00:00:00Z",
    "hour-25": "2026-01-01T25:00:00Z",
    "minute-60": "2026-01-01T00:60:00Z",
    "second-61": "2026-01-01T00:00:61Z",
    "zone-15": "2026-01-01T00:00:00+15:00",
    "zone-text": "2026-01-01T00:00:00UTC",
    "no-t": "2026-01-01 00:00:00Z",
    "ten-digits": "2026-01-01T00:00:00.1234567890Z",
    "no-digits": "2026-01-01T00:00:00.Z",
    "comma": "2026-01-01T00:00:00,5Z",
    "fullwidth": "\uff12026-01-01T00:00:00Z",
    "long": "2026-01-01T00:00:00." + "0" * 5000 + "Z",
    "two": "GOOD GOOD",
    "junk-after": "GOODx",
    "epoch": "1795341600",
    "week": "2026-W01-1T00:00:00Z",
}


@attack("CLOCK-FORMS", "A1.8", {"WSS_FUTURE", "WSS_EXPIRED", "WSS_TIMESTAMP"})
def clock_forms(world):
    """Times in all forms that are right: nine digits, zones, leap seconds; and the ends of time."""
    now_s = world.now_us // US
    base = instant(now_s * US)[:19]

    def stamped(text, told_us):
        def edit(timestamp):
            timestamp[0].text = text

        return world.fresh(make={"edit_timestamp": edit}, facts={"created_us": told_us})

    yield benign("seconds", stamped(base + "Z", now_s * US))
    yield benign("nine-digits", stamped(base + ".123456789Z", now_s * US + 123456))
    yield benign("zone", stamped(instant((now_s + 19800) * US)[:19] + "+05:30", now_s * US))
    yield benign("minus-zone", stamped(instant((now_s - 18000) * US)[:19] + "-05:00", now_s * US))
    minute = now_s // 60 * 60
    yield benign("leap-second", stamped(instant((minute - 60) * US)[:17] + "60Z", minute * US))
    yield benign("white-space", stamped(f"\n {base}Z\t", now_s * US))
    yield case("year-9999", stamped("9999-12-31T23:59:59Z", 0))
    yield case("year-9999-zone", stamped("9999-12-31T23:59:59-14:00", 0))
    yield case("year-1", stamped("0001-01-01T00:00:00Z", 0))
    yield case("leap-year-9999", stamped("9999-12-31T23:59:60Z", 0))


@attack("CLOCK-ASSERTION", "A1.8, spec 3.7", {"SAML_CONDITIONS", "SAML_STRUCTURE", "SAML_AUTHN", "SAML_CONFIRMATION"})
def clock_assertion(world):
    """notyetvalid, expired, missing, late IssueInstant: the assertion's times at and beyond the edges, and as no times at all."""
    now = world.now_us

    def conditions(start_s, end_s):
        start, end = (now + start_s * US) // 1000 * 1000, (now + end_s * US) // 1000 * 1000
        edit = with_attributes("Conditions", NotBefore=instant(start), NotOnOrAfter=instant(end))
        if end_s < 0:  # issued before it ended
            edit = both(edit, with_attributes("", IssueInstant=instant(start)))
        return world.edited(edit, facts={"not_before_us": start, "not_on_or_after_us": end})

    for name, start_s, end_s in (("now", 0, 300), ("ahead-within-skew", SKEW_S - 1, 300), ("expired-within-skew", -300, 1 - SKEW_S)):
        yield benign(name, conditions(start_s, end_s), live=name == "now")
    for name, start_s, end_s in (
        ("not-yet", SKEW_S + 1, 600), ("tomorrow", 86400, 86700), ("expired", -300, -SKEW_S - 1), ("expired-at-skew", -300, -SKEW_S),
        ("reversed", 10, -10), ("no-time", 0, 0), ("too-long", -1, 3600), ("a-day", -1, 86400 + 1),
    ):  # fmt: skip
        yield case(name, conditions(start_s, end_s), live=name not in AT_THE_EDGE)
    good = instant(now - 5 * US)
    for name, text in DATES.items():
        text = text.replace("GOOD", good)
        for key in ("NotBefore", "NotOnOrAfter"):
            yield case(f"{key}-{name}", world.edited(with_attributes("Conditions", **{key: text})))
        yield case(f"IssueInstant-{name}", world.edited(with_attributes("", IssueInstant=text)))
        yield case(f"AuthnInstant-{name}", world.edited(with_attributes("AuthnStatement", AuthnInstant=text)))
    for key in ("NotBefore", "NotOnOrAfter"):
        yield case(f"{key}-missing", world.edited(with_attributes("Conditions", **{key: None})))
    ahead = instant(now + (SKEW_S + 2) * US)
    yield case("IssueInstant-late", world.edited(with_attributes("", IssueInstant=ahead)), live=False)
    data = f' NotOnOrAfter="{instant(now + 86400 * 2 * US)}" NotBefore="{instant(now)}"'
    yield case("confirmation-too-long", world.fresh(confirmations=confirmation(HOLDER_OF_KEY, full_key_info(world.p1.signer), data=data)))


@attack("CLOCK-CERTIFICATE", "A1.8", {"SIG_NO_TRUST"})
def clock_certificate(world):
    """The signing certificate has run out, or does not count yet, when the message comes, though all its times fit."""
    yield benign("twin", world.fresh())
    certificate = world.p1.signer.certificate
    for name, at in (("expired", certificate.not_valid_after), ("not-yet", certificate.not_valid_before)):
        later_us = int((at - datetime.datetime(1970, 1, 1)).total_seconds()) * US
        later_us += 120 * US if name == "expired" else -7200 * US
        ask = world.ask()
        ask.now_us = later_us
        ask.__post_init__()
        yield case(name, make_message(ask), now=later_us, live=False)
