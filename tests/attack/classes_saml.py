"""What an assertion says: attributes that contradict each other, values in odd shapes, evidence, confirmations, audiences."""

import copy
from xml.sax.saxutils import escape

from lxml import etree

from catalogue import attack, benign, case
from classes_xsw import NAME, X, forge, wrap
from messages import (
    ACP,
    BEARER,
    HCID_IHE,
    HCID_NHIN,
    HOLDER_OF_KEY,
    IACP,
    PURPOSES,
    RESOURCE,
    ROLE,
    SNOMED,
    URI_NAME,
    X509_NAME,
    XSPA,
    XSPA2,
    attribute,
    coded,
    confirmation,
    instant,
)
from signing import SAML, SAML1, XSI, full_key_info, key_info, q, rsa_value, x509_data
from world import set_attribute

EVIL_HOME = "urn:oid:2.999.3"
NPI, OTHER_NPI = "1234567893", "1245319599"
PURPOSE = XSPA + "purposeofuse"


def statement(assertion):
    return assertion.find(q(SAML, "AttributeStatement"))


def drop(*names):
    """Takes attributes out before the assertion is signed."""

    def edit(assertion):
        for one in list(assertion.iter(q(SAML, "Attribute"))):
            if one.get("Name") in names:
                one.getparent().remove(one)

    return edit


def first(text):
    """An attribute before all others."""
    return lambda assertion: statement(assertion).insert(0, etree.fromstring(text))


def last(text):
    return lambda assertion: statement(assertion).append(etree.fromstring(text))


def replace(name, text):
    """Another attribute (XML text) in the place of one."""

    def edit(assertion):
        for one in list(assertion.iter(q(SAML, "Attribute"))):
            if one.get("Name") == name:
                one.getparent().replace(one, etree.fromstring(text))

    return edit


def value(name, inner):
    return replace(name, attribute(name, inner))


@attack("ATTR-HOME", "A1.8, spec 1.5", {"SAML_ATTRIBUTE", "PEER_BINDING"}, claims_signature=True, naive="the first homeCommunityId")
def attr_home(world):
    """The two homeCommunityId attributes disagree, are repeated with other values, or name another partner's community."""
    yield benign("both", world.fresh())
    yield benign("only-ihe", world.edited(drop(HCID_NHIN)))
    yield benign("only-nhin", world.edited(drop(HCID_IHE)))
    yield benign("repeated", world.edited(last(attribute(HCID_IHE, "urn:oid:2.999.1"))))
    forged = {"home_community": "2.999.3"}
    evil_ihe, evil_nhin = attribute(HCID_IHE, EVIL_HOME), attribute(HCID_NHIN, EVIL_HOME)
    for name, edit, read in (
        ("ihe-first", first(evil_ihe), True),
        ("ihe-last", last(evil_ihe), False),
        ("nhin-first", first(evil_nhin), False),
        ("nhin-last", last(evil_nhin), False),
        ("ihe-differs", lambda a: set_attribute(a, HCID_IHE, EVIL_HOME), True),
        ("nhin-differs", lambda a: set_attribute(a, HCID_NHIN, EVIL_HOME), False),
        ("two-values", value(HCID_IHE, [EVIL_HOME, "urn:oid:2.999.1"]), True),
        ("two-values-reversed", value(HCID_NHIN, ["urn:oid:2.999.1", EVIL_HOME]), False),
        ("none", drop(HCID_IHE, HCID_NHIN), False),
        ("empty", value(HCID_IHE, ""), False),
    ):
        # empty values count as absent: the other name says it
        yield case(name, world.edited(edit), forged=forged if read else {}, harmless=name == "empty")
    for name, oid in (("another-partners", "2.999.3"), ("ours", "2.999.2"), ("child", "2.999.1.7"), ("parent", "2.999"),
                      ("longer", "2.999.11"), ("unknown", "2.999.77")):  # fmt: skip
        message = world.fresh(home_community=oid)
        yield case(name, message, forged={"home_community": oid}, expect={"PEER_BINDING"})


@attack("ATTR-REPEAT", "A1.8, spec 3.1", {"SAML_ATTRIBUTE"}, claims_signature=True, naive="the first of several")
def attr_repeat(world):
    """What decides something comes several times with other values: organisation id, NPI, patient, purpose."""
    more = {"npi": NPI, "resource_id": "77^^^&2.999.1&ISO"}
    yield benign("once", world.fresh(**more))
    second = attribute(ROLE, coded("Role", "106289002", SNOMED, "Dentist"))
    yield benign("second-role", world.edited(last(second)))
    yield benign("second-user", world.edited(last(attribute(XSPA + "subject-id", "Dr. Zwei"))))
    yield benign("unknown", world.edited(last(attribute("urn:example:unknown", "x"))))
    two = f'<saml2:AttributeStatement xmlns:saml2="{SAML}">{attribute("urn:example:unknown", "x")}</saml2:AttributeStatement>'
    yield benign("second-statement", world.fresh(extra=two))
    for name, key, other, fact in (
        ("organization-id", XSPA + "organization-id", EVIL_HOME, "organization_id"),
        ("npi", XSPA + "npi", OTHER_NPI, "npi"),
        ("resource-id", RESOURCE, escape("78^^^&2.999.1&ISO"), "resource_id"),
    ):
        read = {fact: other.replace("&amp;", "&")}
        yield case(f"{name}-first", world.edited(first(attribute(key, other)), **more), forged=read)
        yield case(f"{name}-last", world.edited(last(attribute(key, other)), **more))
        yield case(f"{name}-two-values", world.edited(value(key, [other, more.get(fact, "urn:oid:2.999.1").replace("&", "&amp;")]), **more), forged=read)
        late = f'<saml2:AttributeStatement xmlns:saml2="{SAML}">{attribute(key, other)}</saml2:AttributeStatement>'
        yield case(f"{name}-second-statement", world.fresh(extra=late, **more))
    evil = coded("PurposeOfUse", "T-PYMNT", PURPOSES)
    yield case("purpose-first", world.edited(first(attribute(PURPOSE, evil))), forged={"purpose": "T-PYMNT"})
    yield case("purpose-last", world.edited(last(attribute(PURPOSE, evil))))
    yield case("purpose-two-values", world.edited(value(PURPOSE, [evil, coded("PurposeOfUse", "T-TREAT", PURPOSES)])), forged={"purpose": "T-PYMNT"})
    yield case("purpose-same", world.edited(last(attribute(PURPOSE, coded("PurposeOfUse", "T-TREAT", PURPOSES)))))
    both = evil + coded("PurposeOfUse", "T-TREAT", PURPOSES)
    yield case("purpose-two-in-value", world.edited(value(PURPOSE, both)), forged={"purpose": "T-PYMNT"})


@attack("ATTR-NPI", "spec 1.5", {"SAML_ATTRIBUTE"}, claims_signature=True, naive="the NPI of the first name")
def attr_npi(world):
    """The two names of the NPI disagree, or the number is none."""
    yield benign("one", world.fresh(npi=NPI))
    yield benign("other-name", world.edited(last(attribute(XSPA2 + "npi", NPI)), facts={"npi": NPI}))
    yield benign("both", world.edited(last(attribute(XSPA2 + "npi", NPI)), npi=NPI))
    yield case("differ", world.edited(last(attribute(XSPA2 + "npi", OTHER_NPI)), npi=NPI), forged={"npi": NPI})
    for name, number in (("letters", "12345ABCDE"), ("short", "123456789"), ("check-digit", "1234567890"), ("long", "12345678930"),
                         ("list", "1234567893 1245319599"), ("fullwidth", "123456789\uff13")):  # fmt: skip
        # ten digits are all that the specification asks for; the check digit is the registries'
        yield case(name, world.fresh(npi=number), forged={"npi": number}, harmless=name == "check-digit")


@attack("ATTR-SHAPE", "A1.3, spec 1.5", {"SAML_ATTRIBUTE", "SIG_COMMENT", "SAML_STRUCTURE"}, claims_signature=True,
        naive="text up to the first child")  # fmt: skip
def attr_shape(world):
    """Values with elements in them, codes that are no CE, other namespaces, text beside, xsi:type and xsi:nil of all kinds."""
    yield benign("twin", world.fresh())
    typed = f'<saml2:AttributeValue xmlns:saml2="{SAML}" xmlns:xsi="{XSI}" xmlns:xs="http://www.w3.org/2001/XMLSchema" xsi:type="xs:string">Dr. Rosa Rot</saml2:AttributeValue>'
    name = XSPA + "subject-id"
    text = f'<saml2:Attribute xmlns:saml2="{SAML}" Name="{name}" NameFormat="{URI_NAME}">{typed}</saml2:Attribute>'
    yield benign("xs-string", world.edited(replace(name, text)))
    yield benign("no-format", world.edited(replace(name, text.replace(f' NameFormat="{URI_NAME}"', ""))))
    legacy = value(PURPOSE, coded("PurposeForUse", "T-TREAT", PURPOSES, "Treatment"))
    yield benign("purpose-for-use", world.edited(legacy))
    for case_name, inner, read in (
        ("child", "admin<x/>istrator", "admin"),
        ("nested-value", f"admin<saml2:AttributeValue xmlns:saml2='{SAML}'>x</saml2:AttributeValue>", "admin"),
        ("nested-attribute", "admin" + attribute(HCID_IHE, EVIL_HOME), "admin"),
        ("cda", f'<name xmlns="urn:hl7-org:v3">admin</name>', ""),
    ):
        message = world.edited(value(name, inner))
        yield case(case_name, message, forged={"subject_id": read})
    for case_name, inner in (
        ("text", "T-TREAT"),
        ("no-namespace", '<PurposeOfUse code="T-TREAT" codeSystem="' + PURPOSES + '"/>'),
        ("other-namespace", coded("PurposeOfUse", "T-TREAT", PURPOSES).replace("urn:hl7-org:v3", "urn:hl7-org:v2")),
        ("other-element", coded("Purpose", "T-TREAT", PURPOSES)),
        ("role-element", coded("Role", "T-TREAT", PURPOSES)),
        ("no-code", coded("PurposeOfUse", "", PURPOSES)),
        ("no-system", coded("PurposeOfUse", "T-TREAT", "")),
        ("system-name", coded("PurposeOfUse", "T-TREAT", "RCE-purpose")),
        ("text-beside", "x" + coded("PurposeOfUse", "T-TREAT", PURPOSES)),
        ("wrapped", "<x xmlns='urn:x'>" + coded("PurposeOfUse", "T-TREAT", PURPOSES) + "</x>"),
        ("empty", ""),
        ("namespaced-code", coded("PurposeOfUse", "T-TREAT", PURPOSES).replace(" code=", ' xmlns:e="urn:x" e:code=')),
    ):
        yield case(f"purpose-{case_name}", world.edited(value(PURPOSE, inner)))
        if case_name not in ("role-element",):
            role = inner.replace("PurposeOfUse", "Role").replace("T-TREAT", "112247003")
            yield case(f"role-{case_name}", world.edited(value(ROLE, role)))
    yield case("no-values", world.edited(replace(PURPOSE, f'<saml2:Attribute xmlns:saml2="{SAML}" Name="{PURPOSE}"/>')))

    def nil(assertion):
        for one in assertion.iter(q(SAML, "Attribute")):
            if one.get("Name") == XSPA + "organization-id":
                one[0].text = None
                one[0].set(q(XSI, "nil"), "true")

    yield case("nil", world.edited(nil))


@attack("ATTR-MISSING", "spec 3.3", {"SAML_ATTRIBUTE"})
def attr_missing(world):
    """Each required attribute is left out, empty, misspelt, of another statement type, or only FriendlyName says it."""
    yield benign("twin", world.fresh())
    required = {"subject-id": XSPA + "subject-id", "organization": XSPA + "organization", "purpose": PURPOSE,
                "organization-id": XSPA + "organization-id", "role": ROLE}  # fmt: skip
    for name, key in required.items():
        yield case(f"{name}-absent", world.edited(drop(key)))
        yield case(f"{name}-empty", world.edited(value(key, "")))
        yield case(f"{name}-blank", world.edited(value(key, " \n\t ")))

        def rename(assertion, key=key):
            for one in assertion.iter(q(SAML, "Attribute")):
                if one.get("Name") == key:
                    one.set("Name", key.upper())
                    one.set("FriendlyName", key)

        yield case(f"{name}-capitals", world.edited(rename))

        def blank(assertion, key=key):
            for one in assertion.iter(q(SAML, "Attribute")):
                if one.get("Name") == key:
                    one.set("Name", key + " ")

        yield case(f"{name}-blank-in-name", world.edited(blank))
    yield case("no-statement", world.edited(lambda a: a.remove(statement(a))), expect={"SAML_ATTRIBUTE", "SAML_STRUCTURE"})


def evidence(world, more="", decision="Permit", attributes=None, assertion_id="_evidence"):
    now = world.now_us
    if attributes is None:
        attributes = attribute("AccessConsentPolicy", "urn:oid:2.999.5", "http://www.hhs.gov/healthit/nhin")
        attributes += attribute("InstanceAccessConsentPolicy", "urn:oid:2.999.6", "http://www.hhs.gov/healthit/nhin")
    window = f'NotBefore="{instant(now - 5000000)}" NotOnOrAfter="{instant(now + 600000000)}"'
    return (
        f'<saml2:AuthzDecisionStatement xmlns:saml2="{SAML}" Decision="{decision}" Resource="{world.url}/xcpd">'
        f'<saml2:Action Namespace="urn:oasis:names:tc:SAML:1.0:action:rwedc">Execute</saml2:Action><saml2:Evidence>'
        f'<saml2:Assertion ID="{assertion_id}" IssueInstant="{instant(now - 5000000)}" Version="2.0">'
        f'<saml2:Issuer Format="{X509_NAME}">{escape(world.p1.signer.subject)}</saml2:Issuer><saml2:Conditions {window}/>'
        f"<saml2:AttributeStatement>{attributes}</saml2:AttributeStatement>{more}</saml2:Assertion></saml2:Evidence>"
        f"</saml2:AuthzDecisionStatement>"
    )


@attack("EVIDENCE", "spec 3.4", {"SIG_WRAPPED", "SAML_STRUCTURE", "SIG_DUPLICATE_ID", "SAML_ATTRIBUTE"}, claims_signature=True,
        naive="the first attribute of that name, in the evidence")  # fmt: skip
def evidences(world):
    """The assertion in the evidence of a consent is a second one: nothing but consents may be taken from it, and only there."""
    consents = {"acp": ["urn:oid:2.999.5"], "iacp": ["urn:oid:2.999.6"]}
    yield benign("consent", world.fresh(extra=evidence(world), facts=consents))
    foreign = attribute(XSPA + "npi", OTHER_NPI) + attribute(RESOURCE, "78^^^&amp;2.999.1&amp;ISO") + attribute(HCID_IHE, EVIL_HOME)
    message = world.fresh(extra=evidence(world, attributes=foreign))
    yield case("other-attributes", message, forged={"npi": OTHER_NPI}, harmless=True)

    def move_first(assertion):
        assertion.insert(list(assertion).index(statement(assertion)), assertion[-1])

    message = world.edited(move_first, extra=evidence(world, attributes=foreign), npi=NPI)
    yield case("statement-first", message, forged={"npi": OTHER_NPI}, harmless=True)
    subject = f'<saml2:Subject xmlns:saml2="{SAML}"><saml2:NameID>{NAME}</saml2:NameID></saml2:Subject>'
    yield case("with-subject", world.fresh(extra=evidence(world, more=subject), facts=consents), harmless=True)

    def in_place(path, name):
        def edit(assertion):
            inner = etree.fromstring(evidence(world)).find(".//" + q(SAML, "Assertion"))
            holder = assertion.find(path) if path else assertion
            holder.append(wrap(inner, tag=q(SAML, name)) if name else inner)

        return edit

    for name, path, tag in (
        ("advice", "", "Advice"),
        ("bare", "", ""),
        ("evidence-outside", "", "Evidence"),
        ("in-attribute-value", ".//" + q(SAML, "AttributeValue"), ""),
        ("in-confirmation", ".//" + q(SAML, "SubjectConfirmationData"), ""),
        ("in-conditions", q(SAML, "Conditions"), ""),
        ("in-authn-context", ".//" + q(SAML, "AuthnContext"), "AuthnContextDecl"),
    ):
        yield case(name, world.edited(in_place(path, tag)), expect={"SIG_WRAPPED"})
    two_deep = evidence(world, more=evidence(world, assertion_id="_deep"))
    yield case("evidence-in-evidence", world.fresh(extra=two_deep), expect={"SIG_WRAPPED"})
    message = world.fresh(extra=evidence(world), facts=consents)
    message.header.insert(0, wrap(copy.deepcopy(message.find("//saml:Evidence"))))
    yield case("evidence-in-header", message)
    message = world.fresh(extra=evidence(world, assertion_id="_same"), assertion_id="_same", facts=consents)
    yield case("same-id", message, expect={"SIG_DUPLICATE_ID"})


@attack("CONSENT", "spec 1.5, 3.4", {"SAML_ATTRIBUTE", "SAML_AUTHZ"})
def consents(world):
    """Consent policies: well-formed ones are facts; Deny and Indeterminate are no consent; others than urn:oid are none."""
    attributes = attribute(ACP, "urn:oid:2.999.5") + attribute(IACP, "urn:oid:2.999.6")
    yield benign("attributes", world.fresh(more_attributes=attributes, facts={"acp": ["urn:oid:2.999.5"], "iacp": ["urn:oid:2.999.6"]}))
    for decision in ("Deny", "Indeterminate", "", "permit"):
        yield case(f"decision-{decision or 'empty'}", world.fresh(extra=evidence(world, decision=decision)))
    for name, text in (("no-oid", "urn:oid:x"), ("bare", "2.999.5"), ("url", "http://evil.example/policy"), ("text", "yes")):
        yield case(name, world.fresh(more_attributes=attribute(ACP, text)))
        yield case(f"instance-{name}", world.fresh(more_attributes=attribute(IACP, text)))


# ---- confirmations and conditions ----


@attack("HOK", "A1.2, spec 3.2", {"SAML_CONFIRMATION", "SIG_INVALID", "SIG_NO_TRUST"}, claims_signature=True,
        naive="that somebody's key is confirmed")  # fmt: skip
def holder_of_key(world):
    """KeyInfo in confirmations: none, several, of others, of both; the key that signs must be the one that is confirmed."""
    red, black = world.p1.signer, world.p2.signer
    yield benign("certificate", world.fresh(confirmations=confirmation(HOLDER_OF_KEY, key_info(x509_data(red)))))
    yield benign("value", world.fresh(confirmations=confirmation(HOLDER_OF_KEY, key_info(rsa_value(red)))))
    yield benign("both", world.fresh())
    forged = {"confirmation": HOLDER_OF_KEY}
    for name, text in (
        ("no-data", confirmation(HOLDER_OF_KEY)),
        ("no-key-info", confirmation(HOLDER_OF_KEY, data=' Address="127.0.0.1"')),
        ("empty-key-info", confirmation(HOLDER_OF_KEY, key_info())),
        ("name-only", confirmation(HOLDER_OF_KEY, key_info("<ds:KeyName>red</ds:KeyName>"))),
        ("subject-only", confirmation(HOLDER_OF_KEY, key_info(f"<ds:X509Data><ds:X509SubjectName>{red.subject}</ds:X509SubjectName></ds:X509Data>"))),
        ("attackers", confirmation(HOLDER_OF_KEY, full_key_info(black))),
        ("mixed", confirmation(HOLDER_OF_KEY, key_info(rsa_value(red), x509_data(black)))),
        ("mixed-reversed", confirmation(HOLDER_OF_KEY, key_info(rsa_value(black), x509_data(red)))),
        ("key-value-text", confirmation(HOLDER_OF_KEY, key_info("<ds:KeyValue>red</ds:KeyValue>"))),
        ("modulus-missing", confirmation(HOLDER_OF_KEY, key_info("<ds:KeyValue><ds:RSAKeyValue><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"))),
        ("none", " "),
        ("two-data", confirmation(HOLDER_OF_KEY, full_key_info(red)).replace("</saml2:SubjectConfirmation>", "<saml2:SubjectConfirmationData/></saml2:SubjectConfirmation>")),
    ):  # fmt: skip
        message = world.fresh(confirmations=text)
        yield case(name, message, forged=forged if "holder" in text else {})
    good, theirs = confirmation(HOLDER_OF_KEY, full_key_info(red)), confirmation(HOLDER_OF_KEY, full_key_info(black))
    message = world.fresh(make={"message_signer": black}, confirmations=good + theirs)
    yield case("second-confirmation", message, forged=forged, expect={"SIG_INVALID", "SIG_NO_TRUST", "SAML_CONFIRMATION"})
    yield case("unknown-beside-known", world.fresh(confirmations=good + theirs), forged=forged, expect={"SAML_CONFIRMATION"})
    for name, data in (
        ("expired", f' NotOnOrAfter="{instant(world.now_us - 3600 * 1000000)}"'),
        ("future", f' NotBefore="{instant(world.now_us + 3600 * 1000000)}"'),
        ("recipient", ' Recipient="https://other.example/xcpd"'),
        ("bad-date", ' NotOnOrAfter="tomorrow"'),
    ):
        yield case(name, world.fresh(confirmations=confirmation(HOLDER_OF_KEY, full_key_info(red), data=data)), forged=forged)
    data = f' Recipient="{world.url}/xcpd" NotOnOrAfter="{instant(world.now_us + 60 * 1000000)}"'
    yield benign("recipient-is-us", world.fresh(confirmations=confirmation(HOLDER_OF_KEY, full_key_info(red), data=data)))


@attack("BEARER", "A1.2, spec 3.6", {"SAML_CONFIRMATION", "SIG_INVALID", "SIG_NO_TRUST", "SIG_ALGORITHM"},
        claims_signature=True, naive="bearer")  # fmt: skip
def bearers(world):
    """Bearer of a partner that may use it: expired, for somebody else, with a wrong Timestamp signature; and of one that may not."""
    yield benign("unsigned", world.fresh("ITI-55", "p3", make={"sign_message": False}, confirmations=confirmation(BEARER)))
    signed = world.fresh("ITI-55", "p3", confirmations=confirmation(BEARER), facts={"is_holder_of_key": False})
    yield benign("signed", signed)
    yield benign("holder-of-key", world.fresh("ITI-55", "p3"))
    forged = {"confirmation": BEARER}
    tool = ("--pubkey-cert-pem", world.p3.signer.path)
    for name, data in (
        ("expired", f' NotOnOrAfter="{instant(world.now_us - 3600 * 1000000)}"'),
        ("recipient", ' Recipient="https://other.example/xcpd"'),
    ):
        message = world.fresh("ITI-55", "p3", make={"sign_message": False}, confirmations=confirmation(BEARER, data=data))
        yield case(name, message, forged=forged, tool=tool)
    for name, signer in (("attackers-signature", world.p2.signer), ("victims-signature", world.p1.signer)):
        message = world.fresh("ITI-55", "p3", make={"message_signer": signer}, confirmations=confirmation(BEARER))
        yield case(name, message, forged=forged, tool=tool)
    message = world.fresh("ITI-55", "p3", confirmations=confirmation(BEARER))
    message.timestamp[1].text = instant(world.now_us + 1500 * 1000000)
    yield case("changed-timestamp", message, forged=forged, tool=tool)
    message = world.fresh(make={"sign_message": False}, confirmations=confirmation(BEARER))
    yield case("not-allowed", message, forged=forged)
    message = world.fresh("ITI-55", "p3", make={"sign_message": False}, confirmations=confirmation(BEARER))
    yield case("stolen-by-p1", message, peer="p1", forged=forged, tool=tool)
    yield case("stolen-by-p2", message, peer="p2", forged=forged, tool=tool)
    mixed = confirmation(BEARER) + confirmation(HOLDER_OF_KEY, full_key_info(world.p3.signer))
    message = world.fresh("ITI-55", "p3", make={"sign_message": False}, confirmations=mixed)
    yield case("holder-without-signature", message, forged=forged, tool=tool, expect={"SIG_MISSING"})


def audiences(*groups):
    """AudienceRestrictions in place of the one that is there."""

    def edit(assertion):
        conditions = assertion.find(q(SAML, "Conditions"))
        for child in list(conditions):
            conditions.remove(child)
        for group in groups:
            restriction = etree.SubElement(conditions, q(SAML, "AudienceRestriction"))
            for text in group:
                etree.SubElement(restriction, q(SAML, "Audience")).text = text

    return edit


@attack("AUDIENCE", "A1.8, spec 3.1, 3.7", {"SAML_AUDIENCE", "SAML_CONDITIONS"}, claims_signature=True, naive="the first Audience")
def audience(world):
    """Assertions for somebody else: another host, port, path, scheme, a prefix of ours, no restriction, two of which one fails."""
    ours = world.url + "/xcpd"
    yield benign("endpoint", world.fresh())
    yield benign("base", world.fresh(audience=world.url))
    yield benign("community", world.fresh(audience=f"urn:oid:{world.community}"))
    yield benign("one-of-two", world.edited(audiences(("https://other.example/", ours))))
    yield benign("two-restrictions", world.edited(audiences((ours,), (world.url,))))
    for name, text in (
        ("other-host", "https://other.example/xcpd"), ("other-port", "https://127.0.0.1:1/xcpd"), ("http", ours.replace("https", "http")),
        ("prefix", ours[:-1]), ("longer", ours + "/x"), ("query", ours + "?x"), ("fragment", ours + "#x"), ("user", ours.replace("//", "//x@")),
        ("suffix-host", world.url + ".evil.example/xcpd"), ("capitals", ours.upper()), ("slash", ours + "/"), ("dots", world.url + "/x/../xcpd"),
        ("percent", ours.replace("xcpd", "%78cpd")), ("empty", ""), ("star", "*"), ("any", "urn:oid:2.999.3"), ("list", ours + " https://x/"),
        ("partner", "urn:oid:2.999.1"), ("shorter-oid", "urn:oid:2.999"), ("null", "null"),
    ):  # fmt: skip
        yield case(name, world.edited(audiences((text,))), forged={"audience": text})
    yield case("none", world.edited(audiences()))
    yield case("no-audience", world.edited(audiences(())))
    yield case("second-fails", world.edited(audiences((ours,), ("https://other.example/",))), forged={"audience": ours})
    yield case("first-fails", world.edited(audiences(("https://other.example/",), (ours,))))

    def unknown_condition(assertion):
        assertion.find(q(SAML, "Conditions")).append(etree.Element(q(X, "OnlyOnSundays")))

    yield case("unknown-condition", world.edited(unknown_condition))

    def foreign_audience(assertion):
        audiences(("https://other.example/",))(assertion)
        restriction = assertion.find(".//" + q(SAML, "AudienceRestriction"))
        twin = etree.Element(q(X, "Audience"))
        twin.text = ours
        restriction.insert(0, twin)

    yield case("foreign-audience", world.edited(foreign_audience), forged={"audience": ours})


# ---- purposes of use ----


@attack("PURPOSE", "spec 1.4", {"SAML_ATTRIBUTE", "POLICY_DENIED"})
def purposes(world):
    """The RCE's own negative vectors, and purposes that are no code: what is read must be what was written, never a default."""
    for code in ("T-TREAT", "T-TRTMNT", "T-PYMNT", "T-HCO", "T-HCO-CC", "T-PH", "T-IAS", "T-GOVDTRM"):
        yield benign(code, world.fresh(purpose=(code, PURPOSES, "")), live=code != "T-IAS")  # a node asks for an id_token, too
    yield benign("nhin", world.fresh(purpose=("TREATMENT", "2.16.840.1.113883.3.18.7.1", "Treatment")))
    # these are proven facts: whether they are allowed is the policy's to say, so they must be read as they are
    for name, code, system in (("wrong-oid", "T-TREAT", "2.16.840.1.113883.3.7204.1.5.2.199"), ("unknown", "REASSURANCE", PURPOSES),
                               ("legacy", "TREATMENT", PURPOSES), ("small-letters", "t-treat", PURPOSES)):  # fmt: skip
        yield case(name, world.fresh(purpose=(code, system, "")), harmless=True)
    for name, code, system in (("no-oid", "T-TREAT", "RCE-purpose"), ("bad-oid", "T-TREAT", "2.16..840"), ("urn", "T-TREAT", "urn:oid:" + PURPOSES),
                               ("no-code", "", PURPOSES), ("blank-code", "  ", PURPOSES), ("no-system", "T-TREAT", "")):  # fmt: skip
        yield case(name, world.fresh(purpose=(code, system, "")))


@attack("SECOND-ASSERTION", "A1.1, spec 3.2", {"SIG_WRAPPED", "SIG_DUPLICATE_ID", "WSS_STRUCTURE"}, claims_signature=True,
        naive="the first of them")  # fmt: skip
def second_assertion(world):
    """Two assertions that are both signed: two of the victim's, the attacker's and the victim's, SAML 1.1, an encrypted one."""
    yield benign("twin", world.fresh())
    other = world.fresh(name_id=NAME)
    theirs = world.fresh("ITI-55", "p2", name_id=NAME)
    for name, source in (("victims", other), ("attackers", theirs)):
        for place in ("before", "after"):
            message = world.genuine()
            twin = copy.deepcopy(source.assertion)
            (message.assertion.addprevious if place == "before" else message.assertion.addnext)(twin)
            yield case(f"{name}-{place}", message, forged={"name_id": NAME} if place == "before" else {})
    for name, tag in (("saml1", q(SAML1, "Assertion")), ("encrypted", q(SAML, "EncryptedAssertion"))):
        for place in ("security", "header"):
            message = world.genuine()
            twin = wrap(*list(forge(message)), tag=tag)
            (message.assertion.addprevious if place == "security" else message.header[0].addprevious)(twin)
            yield case(f"{name}-{place}", message, forged={"name_id": NAME})
    message = world.genuine()
    message.security.insert(0, copy.deepcopy(theirs.assertion))
    message.security.remove(message.message_signature)
    message.security.append(copy.deepcopy(theirs.message_signature))
    yield case("attackers-with-its-signature", message, peer="p2", forged={"name_id": NAME})


@attack("STOLEN", "A1, A1.8", {"SIG_NO_TRUST", "SIG_INVALID", "PEER_BINDING", "SAML_ISSUER", "SAML_CONFIRMATION"}, claims_signature=True,
        naive="whom the assertion names")  # fmt: skip
def stolen(world):
    """The attacker sends, with its own valid TLS identity, what the victim signed, or signs itself what only the victim may say."""
    yield benign("victim", world.fresh())
    yield benign("attacker-as-itself", world.fresh("ITI-55", "p2"))
    for transaction in ("ITI-55", "ITI-38", "ITI-39"):
        message = world.genuine(transaction)
        yield case(f"victims-{transaction}", message, peer="p2", forged={"name_id": message.ask.name_id})
    black = world.p2.signer
    tool = ("--pubkey-cert-pem", black.path)
    for name, changes in (
        ("issuer", {"issuer": world.p1.signer.subject}),
        ("home", {"home_community": "2.999.1"}),
        ("issuer-and-home", {"issuer": world.p1.signer.subject, "home_community": "2.999.1"}),
        ("our-home", {"home_community": "2.999.2"}),
    ):
        message = world.fresh("ITI-55", "p2", **changes)
        forged = {"issuer": changes["issuer"]} if "issuer" in changes else {"home_community": changes["home_community"]}
        yield case(f"own-signature-{name}", message, forged=forged, tool=tool)
        message = world.fresh(make={"signer": black}, **changes)
        yield case(f"as-victim-{name}", message, peer="p2", forged=forged, tool=tool)
    message = world.genuine()
    attackers = world.fresh("ITI-55", "p2")
    message.security.replace(message.assertion, attackers.assertion)
    yield case("attackers-assertion-victims-timestamp", message, forged={"issuer": black.subject}, tool=tool)
    message = world.genuine()
    message.security.replace(message.timestamp, copy.deepcopy(world.fresh("ITI-55", "p2", age_s=7).timestamp))
    yield case("attackers-timestamp", message)
    yield case("no-certificate", world.genuine(), peer=None, expect={"PEER_UNKNOWN"})
    yield case("our-own-certificate", world.genuine(), peer=f"{world.folder}/green/pki/node.pem", expect={"PEER_UNKNOWN"})
    yield case("signing-certificate", world.genuine(), peer=world.p1.signer.path, expect={"PEER_UNKNOWN"})
    yield case("authority", world.genuine(), peer=world.ca, expect={"PEER_UNKNOWN"})
