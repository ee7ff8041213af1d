"""Wrapping and confusion around WS-Security: Body, Timestamp, addressing, several headers, tokens, confirmations, actions."""

import copy

from lxml import etree

from catalogue import attack, benign, case, raw
from classes_xsw import NAME, forge, wrap
from messages import (
    ACTIONS,
    BEARER,
    HOLDER_OF_KEY,
    PATHS,
    SENDER_VOUCHES,
    US,
    confirmation,
    instant,
    retrieve_text,
)
from signing import (
    DS,
    SAML,
    SOAP,
    TOKEN,
    WSA,
    WSSE,
    WSU,
    Reference,
    Style,
    full_key_info,
    key_info,
    q,
    rsa_value,
    sign,
    token_reference,
    x509_data,
)

EVIL = "Mallory"
MESSAGE_SIGNATURE = "//*[local-name()='Security']/*[local-name()='Signature']"
ID = q(WSU, "Id")


def evil_payload(message):
    payload = copy.deepcopy(message.payload)
    for element in payload.iter("{*}family"):
        element.text = EVIL
    return payload


def sign_again(message, target, only=False):
    """The partner's message signature also (or only) covers <target>, which gets the wsu:Id 'part'."""
    target.set(ID, "part")
    old = message.message_signature
    message.security.remove(old)
    part = Reference(target=target, uri="#part")
    stamp = Reference(target=message.timestamp, uri="#_1")
    style = Style(key_info=token_reference(message.assertion.get("ID")), references=[] if only else [part])
    sign(message.security, len(message.security), message.ask.party.signer, part if only else stamp, False, style)


def id_tool(name, namespace=SOAP):
    return ("--id-attr:Id", f"{namespace}:{name}")


@attack("WSW-1", "A1.2", {"SIG_REFERENCE", "SIG_WRAPPED"}, claims_signature=True, naive="the first Body's payload")
def wsw_1(world):
    """The signed Body lies in a wrapper; another one stands in its place, without an id or with another."""
    yield benign("twin", world.fresh())
    for only in (False, True):
        for name in ("no-id", "other-id", "same-id"):
            for place in ("header", "payload"):
                message = world.genuine()
                sign_again(message, message.body, only)
                original, envelope = message.body, message.root
                body = etree.Element(q(SOAP, "Body"))
                body.append(evil_payload(message))
                if name != "no-id":
                    body.set(ID, "part" if name == "same-id" else "other")
                envelope.replace(original, body)
                (message.header if place == "header" else body[0]).append(wrap(original))
                yield case(
                    f"{'only-body' if only else 'both'}-{name}-{place}",
                    message,
                    forged={"family": EVIL} if place == "payload" else {},
                    tool=id_tool("Body"),
                    signature=MESSAGE_SIGNATURE,
                    expect={"SIG_DUPLICATE_ID"} if name == "same-id" else None,
                )


@attack("WSW-2", "A1.2", {"SIG_WRAPPED"}, claims_signature=True, naive="the first Timestamp")
def wsw_2(world):
    """The signed Timestamp, long expired, lies in a wrapper; a fresh one that nobody signed stands in its place."""
    yield benign("twin", world.fresh())
    for name in ("other-id", "no-id", "same-id"):
        for place in ("header", "signature", "payload"):
            message = world.fresh(make={"edit_timestamp": lambda t: age(t, world, 7200)})
            fresh = copy.deepcopy(message.timestamp)
            age(fresh, world, 5)
            if name == "no-id":
                del fresh.attrib[ID]
            elif name == "other-id":
                fresh.set(ID, "_2")
            original = message.timestamp
            message.security.replace(original, fresh)
            holder = {"header": message.header, "payload": message.payload}.get(place)
            if holder is None:
                message.message_signature.append(wrap(original, tag=q(DS, "Object")))
            else:
                holder.append(wrap(original))
            expect = {"SIG_DUPLICATE_ID"} if name == "same-id" else {"SIG_WRAPPED", "SIG_REFERENCE"}
            yield case(
                f"{name}-{place}",
                message,
                forged={"created": fresh[0].text},
                signature=MESSAGE_SIGNATURE,
                expect=expect | ({"SIG_STRUCTURE"} if place == "signature" else set()),
            )
    message = world.fresh(make={"edit_timestamp": lambda t: age(t, world, 7200)})
    fresh = copy.deepcopy(message.timestamp)
    age(fresh, world, 5)
    fresh.set(ID, "_2")
    message.timestamp.addprevious(fresh)
    yield case("two", message, forged={"created": fresh[0].text}, expect={"WSS_TIMESTAMP"})


def age(timestamp, world, age_s, lifetime_s=300):
    start = (world.now_us // 1000 - age_s * 1000) * 1000
    timestamp[0].text, timestamp[1].text = instant(start), instant(start + lifetime_s * US)


# ---- WSW-3: one class for each addressing header ----

ADDRESSING = {
    "To": ("to", "https://evil.example/xcpd"),
    "Action": ("action", ACTIONS["ITI-39"]),
    "ReplyTo": ("reply_to", "https://evil.example/collect"),
    "MessageID": ("message_id", "urn:uuid:00000000-0000-4000-8000-000000000666"),
}
WRAPPED = {"WSA_HEADER", "WSA_ACTION", "SIG_REFERENCE", "SIG_WRAPPED", "SIG_DUPLICATE_ID"}


def addressing_header(name, text):
    element = etree.Element(q(WSA, name))
    (etree.SubElement(element, q(WSA, "Address")) if name == "ReplyTo" else element).text = text
    return element


def wrapped_addressing(world, name):
    yield benign("twin", world.fresh())
    fact, text = ADDRESSING[name]
    for only in (False, True):
        for place in ("header", "security", "payload", "sibling-first", "sibling-last", "other-role"):
            message = world.genuine()
            original = message.header.find(q(WSA, name))
            sign_again(message, original, only)
            twin = addressing_header(name, text)
            if place.startswith("sibling"):
                (original.addprevious if place == "sibling-first" else original.addnext)(twin)
            elif place == "other-role":
                original.addprevious(twin)
                original.set(q(SOAP, "role"), "urn:example:somebody-else")
            else:
                message.header.replace(original, twin)
                {"header": message.header, "security": message.security, "payload": message.payload}[place].append(
                    wrap(original)
                )
            yield case(
                f"{'only' if only else 'both'}-{place}",
                message,
                forged={fact: text} if place != "sibling-last" else {},
                tool=id_tool(name, WSA),
                signature=MESSAGE_SIGNATURE,
                expect=WRAPPED | {"WSS_STRUCTURE"} if place == "security" else None,
            )


def wsw_3(name):
    def make(world):
        return wrapped_addressing(world, name)

    make.__doc__ = f"The partner signed wsa:{name}; it lies in a wrapper or beside another one, which a naive reader takes."
    attack(f"WSW-3-{name.upper()}", "A1.2", WRAPPED, claims_signature=True, naive=f"the first wsa:{name}")(make)


for header in ADDRESSING:
    wsw_3(header)


@attack("WSW-4", "A1.2", {"SOAP_STRUCTURE"}, claims_signature=True, naive="the first Body")
def wsw_4(world):
    """Two Bodies, a Body that is not last, a Header behind the Body, foreign children of the Envelope, text between."""
    yield benign("twin", world.fresh())
    body = etree.Element(q(SOAP, "Body"))
    for name in ("two-bodies-first", "two-bodies-last", "header-after-body", "second-header", "two-payloads", "foreign"):
        message = world.genuine()
        twin = copy.deepcopy(body)
        twin.append(evil_payload(message))
        forged = {"family": EVIL}
        if name == "two-bodies-first":
            message.body.addprevious(twin)
        elif name == "two-bodies-last":
            message.body.addnext(twin)
            forged = {}
        elif name == "header-after-body":
            message.root.append(message.header)
            forged = {}
        elif name == "second-header":
            message.body.addprevious(wrap(wrap(*evil_payload(message)), tag=q(SOAP, "Header")))
        elif name == "two-payloads":
            message.payload.addprevious(evil_payload(message))
        else:
            message.body.addprevious(wrap(twin))
        yield case(name, message, forged=forged)
    for name, old, new in (
        ("text-in-envelope", b"</s:Header>", b"</s:Header>text"),
        ("text-in-body", b"<s:Body>", b"<s:Body>text"),
        ("instruction", b"<s:Body>", b"<?pi?><s:Body>"),
        ("no-body", b"s:Body", b"s:Bodi"),
        ("trailing-element", b"</s:Body>", b"</s:Body><x/>"),
    ):
        message = world.genuine()
        yield raw(name, message, message.bytes().replace(old, new))
    message = world.genuine()
    yield raw("soap-1.1", message, message.bytes().replace(SOAP.encode(), b"http://schemas.xmlsoap.org/soap/envelope/"),
              expect={"SOAP_VERSION"})  # fmt: skip


@attack("WSW-5", "A1.2", {"WSS_STRUCTURE", "SIG_WRAPPED", "SIG_DUPLICATE_ID"}, claims_signature=True,
        naive="the first Security header")  # fmt: skip
def wsw_5(world):
    """Two wsse:Security headers: another role, another mustUnderstand, copies, an empty one first."""
    yield benign("twin", world.fresh())
    message = world.fresh()
    other = wrap(tag=message.security.tag)
    other.set(q(SOAP, "role"), "urn:example:somebody-else")
    message.header.insert(0, other)
    yield benign("empty-for-another", message)
    roles = {"ours": None, "next": SOAP + "/role/next", "ultimate": SOAP + "/role/ultimateReceiver", "other": "urn:x:y"}
    for name, role in roles.items():
        for content in ("evil", "copy", "empty"):
            if (name, content) == ("other", "empty"):
                continue
            message = world.genuine()
            twin = wrap(tag=message.security.tag)
            if content == "evil":
                twin.append(forge(message))
            elif content == "copy":
                twin.extend(copy.deepcopy(list(message.security)))
                twin.find(".//" + q(SAML, "NameID")).text = NAME
            if role:
                twin.set(q(SOAP, "role"), role)
            message.security.addprevious(twin)
            yield case(f"{name}-{content}", message, forged={"name_id": NAME} if content != "empty" else {})


# ---- tokens and keys of the message signature ----


def token(signer):
    return etree.fromstring(
        f'<wsse:BinarySecurityToken xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" wsu:Id="token" '
        f'EncodingType="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary" '
        f'ValueType="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3">'
        f"{signer.der64}</wsse:BinarySecurityToken>"
    )


def direct_reference(uri="#token", value_type=""):
    kind = f' ValueType="{value_type}"' if value_type else ""
    return key_info(
        f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE}"><wsse:Reference URI="{uri}"{kind}/>'
        f"</wsse:SecurityTokenReference>"
    )


@attack("WSW-6", "A1.2", {"SIG_INVALID", "SIG_NO_TRUST", "SIG_STRUCTURE", "WSS_STRUCTURE"}, claims_signature=True,
        naive="a Timestamp that the attacker signed")  # fmt: skip
def wsw_6(world):
    """The message signature refers to the attacker's own certificate in a BinarySecurityToken."""
    yield benign("twin", world.fresh())
    for name, info in (
        ("reference", direct_reference()),
        ("typed", direct_reference(value_type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3")),
        ("and-x509", key_info(x509_data(world.p2.signer))),
        ("and-value", key_info(rsa_value(world.p2.signer))),
    ):  # fmt: skip
        for peer in ("p1", "p2"):
            style = Style(key_info=info)
            message = world.fresh(make={"message_signer": world.p2.signer, "message_style": style})
            message.security.insert(0, token(world.p2.signer))
            yield case(
                f"{name}-from-{peer}",
                message,
                peer=peer,
                forged={"created": message.timestamp[0].text},
                tool=("--pubkey-cert-pem", world.p2.signer.path),
                signature=MESSAGE_SIGNATURE,
            )


@attack("WSW-7", "A1.2", {"SIG_INVALID", "SIG_NO_TRUST"}, claims_signature=True, naive="who the assertion names")
def wsw_7(world):
    """Holder-of-key: the victim's assertion, whose confirmation names its key; the Timestamp is signed by the attacker."""
    yield benign("twin", world.fresh())
    stolen = token_reference("_stolen")
    for name, info in (
        ("saml-token", None),
        ("attackers-value", key_info(rsa_value(world.p2.signer))),
        ("attackers-certificate", key_info(x509_data(world.p2.signer))),
        ("victims-value", key_info(rsa_value(world.p1.signer))),
        ("victims-certificate", full_key_info(world.p1.signer)),
        ("no-key-info", ""),
        ("other-assertion", stolen),
    ):
        for peer in ("p1", "p2"):
            style = Style(key_info=info)
            message = world.fresh(make={"message_signer": world.p2.signer, "message_style": style})
            yield case(
                f"{name}-from-{peer}",
                message,
                peer=peer,
                forged={"name_id": message.ask.name_id},
                tool=("--pubkey-cert-pem", world.p2.signer.path),
                signature=MESSAGE_SIGNATURE if name.startswith("attackers") else "",
                expect={"SIG_REFERENCE", "SIG_NO_TRUST"} if name == "other-assertion" else None,
            )
    # a confirmation that names both keys makes the attacker a holder, but it is not the victim's to vouch for
    both = confirmation(HOLDER_OF_KEY, full_key_info(world.p1.signer), full_key_info(world.p2.signer))
    message = world.fresh(make={"message_signer": world.p2.signer}, confirmations=both)
    yield case("both-confirmed", message, forged={"name_id": message.ask.name_id})
    message = world.fresh(confirmations=confirmation(HOLDER_OF_KEY, full_key_info(world.p2.signer)))
    yield case("only-attacker-confirmed", message, expect={"SAML_CONFIRMATION"})


@attack("WSW-8", "A1.2", {"SAML_CONFIRMATION"}, claims_signature=True, naive="the confirmation method")
def wsw_8(world):
    """Holder-of-key is downgraded to bearer or sender-vouches, which this partner may not use; or its signature is left out."""
    yield benign("twin", world.fresh())
    yield benign("bearer-where-allowed", world.fresh("ITI-55", "p3", make={"sign_message": False},
                 confirmations=confirmation(BEARER)))  # fmt: skip
    hok = confirmation(HOLDER_OF_KEY, full_key_info(world.p1.signer))
    for name, method in (("bearer", BEARER), ("sender-vouches", SENDER_VOUCHES)):
        yield benign(f"{name}-beside", world.fresh(confirmations=hok + confirmation(method)))
        for signed in (True, False):
            message = world.fresh(make={"sign_message": signed}, confirmations=confirmation(method))
            yield case(f"{name}-{'signed' if signed else 'unsigned'}", message, forged={"confirmation": method})
        message = world.fresh(make={"sign_message": False}, confirmations=confirmation(method) + hok)
        yield case(f"{name}-beside-unsigned", message, forged={"confirmation": method}, expect={"SIG_MISSING"})
        message = world.genuine()
        message.find("//saml:SubjectConfirmation").set("Method", method)
        yield case(f"{name}-after-signing", message, expect={"SIG_INVALID"})
    message = world.fresh("ITI-55", "p3", make={"sign_message": False}, confirmations=confirmation(SENDER_VOUCHES))
    yield case("sender-vouches-of-p3", message, forged={"confirmation": SENDER_VOUCHES})
    message = world.genuine()
    message.security.remove(message.message_signature)
    yield case("stripped", message, expect={"SIG_MISSING"}, forged={"name_id": message.ask.name_id})
    message = world.fresh(confirmations=confirmation("urn:oasis:names:tc:SAML:2.0:cm:holder-of-key "))
    yield case("method-with-blank", message)
    message = world.fresh(confirmations=confirmation("urn:oasis:names:tc:SAML:2.0:cm:Holder-Of-Key", full_key_info(world.p1.signer)))
    yield case("method-in-capitals", message)


@attack("WSW-9", "A1.2", {"WSA_ACTION", "WSA_HEADER"}, claims_signature=True, naive="wsa:Action")
def wsw_9(world):
    """wsa:Action, the action of Content-Type, the path and the Body's element disagree: who dispatches by which?"""
    yield benign("discovery", world.fresh())
    yield benign("query", world.fresh("ITI-38"))
    yield benign("retrieve", world.fresh("ITI-39"))
    for mine in ACTIONS:
        for other in ACTIONS:
            if mine == other:
                continue
            message = world.genuine(mine)
            message.header.find(q(WSA, "Action")).text = ACTIONS[other]
            yield case(f"{mine}-header-{other}", message, forged={"action": ACTIONS[other]})
            message.content_type = message.content_type.replace(ACTIONS[mine], ACTIONS[other])
            yield case(f"{mine}-both-{other}", message, forged={"action": ACTIONS[other]})
            message = world.genuine(mine)
            message.content_type = message.content_type.replace(ACTIONS[mine], ACTIONS[other])
            yield case(f"{mine}-content-type-{other}", message)
            message = world.genuine(mine)
            message.path = PATHS[other]
            yield case(f"{mine}-path-{other}", message)
    message = world.genuine()
    message.body.replace(message.payload, etree.fromstring(retrieve_text(message.ask, 1)))
    yield case("other-payload", message, forged={"payload": "RetrieveDocumentSetRequest"})
    message = world.genuine()
    message.header.remove(message.header.find(q(WSA, "Action")))
    yield case("no-action", message)
    for name, action in (("prefix", ACTIONS["ITI-55"] + ":Deferred"), ("case", ACTIONS["ITI-55"].upper()), ("empty", "")):
        message = world.genuine()
        message.header.find(q(WSA, "Action")).text = action
        yield case(f"action-{name}", message, forged={"action": action} if action else {})
    message = world.genuine()
    message.path = "/XCPD"
    yield case("path-in-capitals", message)


@attack("STR", "A1.2, spec 3.2", {"SIG_REFERENCE", "SIG_STRUCTURE", "SIG_NO_TRUST"}, claims_signature=True,
        naive="the first assertion")  # fmt: skip
def token_references(world):
    """SecurityTokenReferences that point elsewhere: to another id, another type, a key of somebody else, something embedded."""
    yield benign("key-identifier", world.fresh())
    yield benign("certificate", world.fresh(make={"message_style": Style(key_info=full_key_info(world.p1.signer))}))
    ask_id = "_direct-reference"
    info = direct_reference(f"#{ask_id}", TOKEN + "#SAMLV2.0")
    yield benign("direct", world.fresh(make={"message_style": Style(key_info=info)}, assertion_id=ask_id))

    def with_key_info(info, **changes):
        return world.fresh(make={"message_style": Style(key_info=info)}, **changes)

    other = token_reference("_somebody-elses")
    yield case("other-id", with_key_info(other))
    message = with_key_info(token_reference("_known"), assertion_id="_known2")
    yield case("almost", message, forged={"assertion_id": "_known2"}, expect={"SIG_REFERENCE"})
    yield case("direct-elsewhere", with_key_info(direct_reference("#_1", TOKEN + "#SAMLV2.0")))
    yield case("direct-external", with_key_info(direct_reference("http://127.0.0.1:9/token", TOKEN + "#SAMLV2.0")))
    embedded = key_info(
        f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE}"><wsse:Embedded>'
        + etree.tostring(forge(world.genuine())).decode()
        + "</wsse:Embedded></wsse:SecurityTokenReference>"
    )
    yield case("embedded", with_key_info(embedded), expect={"SIG_WRAPPED"})
    nested = key_info(key_info(x509_data(world.p1.signer)))
    yield case("nested-key-info", with_key_info(nested))
    retrieval = key_info(f'<ds:RetrievalMethod xmlns:ds="{DS}" URI="#token"/>')
    yield case("retrieval", with_key_info(retrieval))


@attack("RESPONSE-IN-REQUEST", "A1.2", {"WSA_ACTION"}, claims_signature=True, naive="the payload's name")
def response_as_request(world):
    """An answer's payload and action where a question is expected; a fault; an action with an answer's name."""
    yield benign("twin", world.fresh())
    for name, payload in (
        ("answer", '<PRPA_IN201306UV02 xmlns="urn:hl7-org:v3"/>'),
        ("fault", f'<s:Fault xmlns:s="{SOAP}"><s:Code><s:Value>s:Sender</s:Value></s:Code></s:Fault>'),
        ("unknown", '<x:Anything xmlns:x="urn:example:x"/>'),
        ("no-namespace", "<PRPA_IN201305UV02/>"),
        ("other-namespace", '<PRPA_IN201305UV02 xmlns="urn:hl7-org:v2"/>'),
    ):
        message = world.genuine()
        element = etree.fromstring(payload)
        message.body.replace(message.payload, element)
        yield case(name, message, forged={"payload": etree.QName(element).localname})
