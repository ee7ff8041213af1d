"""What must be believed in every shape, and what must not be believed: SAML, signatures, WS-Addressing, TLS
(ITI TF-2 3.40, 3.19, Appendix V; WSS 1.1; WS-Addressing 1.0). Each question is one small FindDocuments.
"""

import copy
import ssl
import uuid
import warnings

from lxml import etree

from assertion import BEARER, DS, ENV, HOLDER_OF_KEY, RCE_PURPOSES, SAML, WSA, WSSE, WSU, Shape, Signer
from cases_discover import patient
from discovery import find
from messages import find_documents
from wire import NS as WIRE_NAMES
from wire import Message, Skip, expect, expect_equal

INVALID_SECURITY = f"{{{WSSE}}}InvalidSecurity"
INVALID_TOKEN = f"{{{WSSE}}}InvalidSecurityToken"
FAILED_CHECK = f"{{{WSSE}}}FailedCheck"
FAILED_AUTHENTICATION = f"{{{WSSE}}}FailedAuthentication"

NAMES = {"saml": SAML, "ds": DS, "wsu": WSU, "wsse": WSSE, "wsa": WSA, "env": ENV}


def question(world, order, **options):
    payload = find_documents(patient(world), world.home, return_type="ObjectRef")
    return Message("ITI-38", world.url, payload, order, **options)


def expect_believed(world, message, wire=None, **sending):
    world.schemas.check_ours(the(message, "wsse:Security/saml:Assertion"))
    answer = (wire or world.wire).send(message, **sending)
    payload = answer.expect_answer(message, world.schemas)
    expect_equal(world.arguments.expect_documents, len(find(payload, "rim:RegistryObjectList/*")), "documents")
    return answer


def expect_refused(world, message, *subcodes, wire=None, **sending):
    answer = (wire or world.wire).send(message, **sending)
    answer.expect_fault(message, "Sender", subcodes)
    expect(patient(world).split("^")[0] not in answer.text(), "the fault tells about the patient")
    return answer


def the(message, path):
    (found,) = message.header.xpath(path, namespaces=NAMES)
    return found


# ---- believed ----

SHAPES = (
    ("a plain header", Shape()),
    ("other prefixes", Shape(saml="a", ds="b", wsse="c", wsu="d")),
    ("default namespaces", Shape(saml="", ds="", wsse="", wsu="")),
    ("another order of attributes", Shape(reversed_attributes=True)),
    ("white space between the elements of the header", Shape(indent=True)),
    ("white space within what is signed", Shape(indent=True, indent_signed=True)),
    ("InclusiveNamespaces", Shape(inclusive_prefixes="env wsa wsse ds xs xsi")),
    ("InclusiveNamespaces with #default", Shape(saml="", inclusive_prefixes="#default env wsa")),
    ("no KeyValue", Shape(key_value=False)),
    ("no certificates, KeyValue only", Shape(certificates=False)),
    ("xsi:type as OpenSAML writes it", Shape(xsi_types=True, inclusive_prefixes="xs")),
    ("xsi:type without InclusiveNamespaces", Shape(xsi_types=True)),
    ("the Timestamp behind the assertion", Shape(timestamp_last=True)),
    ("a comment outside of what is signed", Shape(comment=True)),
    ("base64 in lines", Shape(wrapped_base64=True)),
    ("SHA-384", Shape(sha=384)),
    ("SHA-512", Shape(sha=512)),
)
SECOND_SHAPES = (
    ("a plain header", Shape()),
    ("default namespaces, white space", Shape(saml="", ds="", indent=True, indent_signed=True)),
    ("InclusiveNamespaces", Shape(inclusive_prefixes="#default env wsa wsse")),
    ("SHA-384", Shape(sha=384)),
)


def believes_shape(shape):
    def case(world):
        prefixes = ("", "adr") if shape.saml == "" else ("env", "wsa")
        expect_believed(world, question(world, world.order("/xca/query", shape=shape), prefixes=prefixes))

    return case


def second(world, **changes):
    if world.second is None:
        raise Skip("--second-pki names no folder")
    return world.second_order("/xca/query", **changes)


def believes_second_shape(shape):
    def case(world):
        order = second(world, shape=shape)
        expect(not order.signer.is_rsa, "the second partner's key is no EC key")
        expect_believed(world, question(world, order), wire=world.second_wire)

    return case


def bearer_where_the_file_says_so(world):
    order = second(world, confirmations=(BEARER,))
    expect_believed(world, question(world, order), wire=world.second_wire)


def bearer_besides_holder_of_key(world):
    for both in ((HOLDER_OF_KEY, BEARER), (BEARER, HOLDER_OF_KEY)):
        expect_believed(world, question(world, world.order("/xca/query", confirmations=both)))


def more_attributes(world):
    order = world.order(
        "/xca/query",
        repeated_attributes=True,
        user="Dr. José Müller-Ångström & Søn <\"'>",
        resource_id=patient(world),
        npi="1234567893",
    )
    expect_believed(world, question(world, order))


def consent(world):
    """The assertion within the evidence is no second assertion of the message: it is signed with the one around it."""
    expect_believed(world, question(world, world.order("/xca/query", has_consent=True)))


def escaped_content(world):
    """CDATA and character references in the payload are text as any other."""
    message = question(world, world.order("/xca/query"))
    value = message.body.xpath("//rim:Value", namespaces=WIRE_NAMES)[0]
    value.text = etree.CDATA(value.text)
    expect_believed(world, message)
    message = question(world, world.order("/xca/query"))
    expect_believed(world, message, body=message.bytes().replace(b"('urn:oasis", b"(&#39;&#x75;rn:oasis"))


def legacy_purpose_element(world):
    expect_believed(world, question(world, world.order("/xca/query", purpose_element="PurposeForUse")))


def audiences(world):
    for audience in (world.url, world.home):
        expect_believed(world, question(world, world.order("/xca/query", audience=audience)))


def clocks_that_differ(world):
    order = world.order("/xca/query", age_s=-30, timestamp_age_s=-30)
    expect_believed(world, question(world, order))


# ---- not believed ----


def no_security(world):
    expect_refused(world, question(world, None), INVALID_SECURITY)


def no_assertion(world):
    message = question(world, world.order("/xca/query"))
    assertion = the(message, "wsse:Security/saml:Assertion")
    assertion.getparent().remove(assertion)
    expect_refused(world, message, INVALID_SECURITY, INVALID_TOKEN)


def no_timestamp(world):
    message = question(world, world.order("/xca/query"))
    timestamp = the(message, "wsse:Security/wsu:Timestamp")
    timestamp.getparent().remove(timestamp)
    expect_refused(world, message, INVALID_SECURITY, FAILED_CHECK)


def refused(*subcodes, **changes):
    def case(world):
        expect_refused(world, question(world, world.order("/xca/query", **changes)), *subcodes)

    return case


def another_key(world):
    impostor = Signer.impostor(world.signer)
    expect_refused(
        world, question(world, world.order("/xca/query", signer=impostor)), FAILED_AUTHENTICATION, FAILED_CHECK
    )


def another_key_under_our_key_info(world):
    """Signed by an impostor, with the registered certificate in every KeyInfo."""
    impostor = Signer.impostor(world.signer)
    impostor.certificate, impostor.public_key = world.signer.certificate, world.signer.public_key
    expect_refused(
        world, question(world, world.order("/xca/query", signer=impostor)), FAILED_CHECK, FAILED_AUTHENTICATION
    )


def timestamp_of_another_key(world):
    order = world.order("/xca/query", timestamp_signer=Signer.impostor(world.signer))
    expect_refused(world, question(world, order), FAILED_CHECK, FAILED_AUTHENTICATION)


def confirmation_of_another_key(world):
    """The holder of an unregistered key presents an assertion of ours."""
    order = world.order("/xca/query", confirmed=Signer.impostor(world.signer))
    expect_refused(world, question(world, order), INVALID_TOKEN, FAILED_CHECK, FAILED_AUTHENTICATION)


def without_message_signature(world):
    message = question(world, world.order("/xca/query"))
    signature = the(message, "wsse:Security/ds:Signature")
    signature.getparent().remove(signature)
    expect_refused(world, message, FAILED_CHECK, INVALID_SECURITY)


def changed_after_signing(world):
    message = question(world, world.order("/xca/query"))
    the(message, "//saml:Attribute[contains(@Name, 'subject-id')]/saml:AttributeValue").text = "Somebody Else"
    expect_refused(world, message, FAILED_CHECK)


def changed_timestamp(world):
    message = question(world, world.order("/xca/query"))
    expires = the(message, "//wsu:Expires")
    expires.text = expires.text.replace("Z", ".5Z")
    expect_refused(world, message, FAILED_CHECK)


def wrapped_assertion(world):
    """The signed assertion moved away, another in its place: to the SOAP header, to the signature's Object, behind
    the other one."""
    for place in ("header", "object", "security"):
        message = question(world, world.order("/xca/query"))
        signed = the(message, "wsse:Security/saml:Assertion")
        forged = copy.deepcopy(signed)
        forged.set("ID", f"_{uuid.uuid4()}")
        name = "saml:AttributeStatement/saml:Attribute[contains(@Name, 'subject-id')]/*"
        forged.xpath(name, namespaces=NAMES)[0].text = "Somebody Else"
        security = signed.getparent()
        if place == "security":
            security.insert(security.index(signed), forged)
        else:
            security.replace(signed, forged)
            holder = message.header
            if place == "object":
                signature = the(message, "wsse:Security/saml:Assertion/ds:Signature")
                holder = etree.SubElement(signature, etree.QName(DS, "Object"))
            holder.append(signed)
        expect_refused(world, message)


def two_equal_ids(world):
    message = question(world, world.order("/xca/query"))
    message.body.set(etree.QName(WSU, "Id"), "_1")
    expect_refused(world, message)


def someone_elses_community(world):
    order = world.order("/xca/query", home_community=world.community)
    expect_refused(world, question(world, order), FAILED_AUTHENTICATION, INVALID_TOKEN)


def someone_elses_connection(world):
    """A good assertion of ours over the second partner's TLS connection."""
    second(world)
    expect_refused(
        world,
        question(world, world.order("/xca/query")),
        FAILED_AUTHENTICATION,
        INVALID_TOKEN,
        FAILED_CHECK,
        wire=world.second_wire,
    )


def purposes(world):
    """Negative test vectors of the RCE's tools: right code, wrong system; unknown code; a code nobody permitted."""
    wrong = (("T-TREAT", RCE_PURPOSES + ".199"), ("REASSURANCE", RCE_PURPOSES), ("T-PYMNT", RCE_PURPOSES))
    for purpose, system in (*wrong, ("TREATMENT", "2.16.840.1.113883.3.18.7.1")):
        message = question(world, world.order("/xca/query", purpose=purpose, purpose_system=system))
        answer = world.wire.send(message)
        if not answer.is_fault():
            payload = answer.expect_answer(message, world.schemas)
            expect(payload.get("status").endswith(":Failure"), f"{purpose} of {system} was answered")
        expect(not answer.all("//rim:ObjectRef"), f"{purpose} of {system} got documents")


def said_twice(world):
    message = question(world, world.order("/xca/query"))
    expect_believed(world, message)
    expect_refused(world, message, FAILED_CHECK)


def the_same_proof_for_another_question(world):
    message = question(world, world.order("/xca/query"))
    expect_believed(world, message)
    message.id = f"urn:uuid:{uuid.uuid4()}"
    the(message, "wsa:MessageID").text = message.id
    expect_refused(world, message, FAILED_CHECK)


# ---- addressing ----


def mandatory_header(world):
    message = question(world, world.order("/xca/query"))
    unknown = etree.SubElement(message.header, "{urn:example:unknown}Extension")
    unknown.set(etree.QName(ENV, "mustUnderstand"), "true")
    # SOAP 1.2 part 1 section 2.6: nothing of the message is processed, so its MessageID need not be known
    world.wire.send(message).expect_fault(message, "MustUnderstand", is_related=False)
    message = question(world, world.order("/xca/query"))
    etree.SubElement(message.header, "{urn:example:unknown}Extension").set(etree.QName(ENV, "mustUnderstand"), "0")
    expect_believed(world, message)


def action_and_payload(world):
    action = "urn:ihe:iti:2007:CrossGatewayRetrieve"
    message = question(world, world.order("/xca/query"), action=action)
    world.wire.send(message).expect_fault(message, "Sender", (f"{{{WSA}}}ActionNotSupported",))
    message = question(world, world.order("/xca/query"))
    message.path = "/xcpd"
    the(message, "wsa:To").text = world.url + "/xcpd"
    world.wire.send(message).expect_fault(message, "Sender", (f"{{{WSA}}}ActionNotSupported",))


def meant_for_another(world):
    message = question(world, world.order("/xca/query"), to="https://another.example/xca/query")
    subcodes = (f"{{{WSA}}}InvalidAddressingHeader", f"{{{WSA}}}DestinationUnreachable")
    world.wire.send(message).expect_fault(message, "Sender", subcodes)


def soap_1_1(world):
    message = question(world, None)
    old = message.bytes().replace(ENV.encode(), b"http://schemas.xmlsoap.org/soap/envelope/")
    answer = world.wire.send(message, body=old)
    if answer.status == 500:
        expect_equal([f"{{{ENV}}}VersionMismatch"], answer.fault_codes(), "fault of a SOAP 1.1 envelope")
    else:
        expect(answer.status in (400, 415), f"HTTP {answer.status} for a SOAP 1.1 envelope")


def not_a_message(world):
    message = question(world, None)
    for body in (
        b'<!DOCTYPE x [<!ENTITY e "x">]>' + message.bytes().partition(b"?>")[2],
        message.bytes()[:-20],
        b"",
        message.bytes().replace(b"</env:Body>", b"\xff</env:Body>"),
    ):
        answer = world.wire.send(message, body=body or b" ")
        expect_equal(400, answer.status, f"HTTP status for {body[:40]!r}")


# ---- HTTP and TLS ----


def http_variations(world):
    def chunks(data):
        yield data[:100]
        yield data[100:101]
        yield data[101:]

    message = question(world, world.order("/xca/query"))
    expect_believed(world, message, body=chunks(message.bytes()))
    for content_type in ("application/soap+xml", 'Application/SOAP+XML ;CHARSET="utf-8"'):
        expect_believed(world, question(world, world.order("/xca/query")), headers={"Content-Type": content_type})
    message = question(world, world.order("/xca/query"))
    expect_believed(world, message, body=b"\xef\xbb\xbf" + message.bytes())
    message = question(world, world.order("/xca/query"))
    expect_believed(world, message, headers={"Expect": "100-continue", "Connection": "close"})


def tls_versions(world):
    for version, text in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        expect_equal(text, world.wire.handshake(version)[0], "TLS version")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            world.wire.handshake(ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0")
        except (ssl.SSLError, OSError):
            return
    raise AssertionError("TLS 1.1 was accepted")


def tls_suites(world):
    """The four of the TLS 1.2 floor (ITI TF-2 3.19.6.2)."""
    for suite in (
        "DHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "DHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
    ):
        expect_equal(suite, world.wire.handshake(ssl.TLSVersion.TLSv1_2, suite)[1], "suite")


def no_client_certificate(world):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        try:
            world.wire.handshake(version, with_certificate=False)
        except (ssl.SSLError, OSError, AssertionError):
            continue
        raise AssertionError(f"a connection without a client certificate was served ({version.name})")


CASES = [
    *((f"believed: {text} (RSA)", believes_shape(shape)) for text, shape in SHAPES),
    *((f"believed: {text} (EC)", believes_second_shape(shape)) for text, shape in SECOND_SHAPES),
    # REQ: ITI40-bearer
    ("believed: bearer, where the partner's file says so", bearer_where_the_file_says_so),
    ("believed: bearer besides holder-of-key", bearer_besides_holder_of_key),
    # REQ: ITI40-repeated, ITI40-unknown-ignored
    ("believed: repeated and unknown attributes, several statements, other alphabets", more_attributes),
    # REQ: ITI40-consent
    ("believed: an AuthzDecisionStatement with consent as evidence", consent),
    ("believed: CDATA and character references in the payload", escaped_content),
    ("believed: PurposeForUse instead of PurposeOfUse", legacy_purpose_element),
    ("believed: the node's base URL or its community as audience", audiences),
    ("believed: a clock half a minute ahead", clocks_that_differ),
    ("zeep: ITI-40 asks, failure: no Security header", no_security),
    # REQ: ITI40-required
    ("zeep: ITI-40 asks, failure: no assertion", no_assertion),
    ("refused: no Timestamp", no_timestamp),
    # REQ: ITI40-fault
    ("refused: an expired assertion", refused(INVALID_TOKEN, age_s=7200)),
    ("refused: an assertion of tomorrow", refused(INVALID_TOKEN, age_s=-86400)),
    ("refused: an assertion for a year", refused(INVALID_TOKEN, lifetime_s=365 * 86400)),
    ("refused: no KeyInfo in the assertion's signature", refused(FAILED_AUTHENTICATION, FAILED_CHECK, shape=Shape(key_info=False))),
    ("refused: an expired Timestamp", refused(INVALID_SECURITY, timestamp_age_s=7200)),
    ("refused: a Timestamp of tomorrow", refused(INVALID_SECURITY, timestamp_age_s=-86400)),
    ("refused: an assertion that is not signed", refused(FAILED_CHECK, INVALID_TOKEN, is_signed=False)),
    ("refused: SHA-1", refused(FAILED_CHECK, shape=Shape(sha=1))),
    ("zeep: ITI-40 asks, failure: an assertion signed by another key", another_key),
    ("refused: another key behind the registered certificate", another_key_under_our_key_info),
    ("refused: a Timestamp signed by another key", timestamp_of_another_key),
    # REQ: ITI40-holder-of-key
    ("refused: a confirmation that names another key", confirmation_of_another_key),
    ("refused: holder-of-key without a message signature", without_message_signature),
    ("refused: bearer where the partner's file does not say so", refused(INVALID_TOKEN, confirmations=(BEARER,))),
    ("refused: another node's audience", refused(INVALID_TOKEN, audience="https://another.example/xca/query")),
    ("refused: another issuer", refused(INVALID_TOKEN, FAILED_AUTHENTICATION, issuer="CN=somebody else")),
    ("refused: an attribute changed after signing", changed_after_signing),
    ("refused: a Timestamp changed after signing", changed_timestamp),
    # REQ: ITI40-signed
    ("refused: a forged assertion beside the signed one", wrapped_assertion),
    ("refused: two elements with the id that is signed", two_equal_ids),
    ("refused: another community in the assertion", someone_elses_community),
    ("refused: our assertion over another partner's connection", someone_elses_connection),
    ("refused: purposes of the wrong code system, unknown, not permitted", purposes),
    ("refused: the same message a second time", said_twice),
    ("refused: the same proof for another message", the_same_proof_for_another_question),
    # REQ: WS-must-understand
    ("SOAP: a mandatory header that is not known, an optional one that is not", mandatory_header),
    # REQ: WS-action-agrees
    ("SOAP: action, payload and path must agree", action_and_payload),
    ("SOAP: wsa:To of another", meant_for_another),
    # REQ: WS-soap12
    ("SOAP: version 1.1", soap_1_1),
    # REQ: WS-no-dtd
    ("SOAP: DOCTYPE, truncated, empty, not UTF-8", not_a_message),
    ("HTTP: chunks, content types, byte order mark, Expect, Connection", http_variations),
    ("TLS: 1.2 and 1.3, not 1.1", tls_versions),
    ("TLS: the suites of ITI-19", tls_suites),
    ("TLS: no client certificate, no answer", no_client_certificate),
]
