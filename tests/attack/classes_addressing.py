"""WS-Addressing and SOAP headers: where answers would go, what is mandatory, whom a block is for."""

import copy

from lxml import etree

from catalogue import attack, benign, case
from classes_xsw import X
from messages import ACTIONS, ANONYMOUS
from signing import SOAP, WSA, q

EVIL = "https://evil.example/collect"
ROLES = {"next": SOAP + "/role/next", "ultimate": SOAP + "/role/ultimateReceiver", "none": SOAP + "/role/none", "other": "urn:x:y"}


def header(name, text=None, address=None, **attributes):
    element = etree.Element(q(WSA, name))
    element.text = text
    if address is not None:
        etree.SubElement(element, q(WSA, "Address")).text = address
    for key, value in attributes.items():
        element.set(q(SOAP, key), value)
    return element


def block(message, name):
    return message.header.find(q(WSA, name))


@attack("WSA-REPLY", "A1.9, WS-Addressing spoofing", {"WSA_HEADER"}, claims_signature=True, naive="where to send the answer")
def wsa_reply(world):
    """ReplyTo and FaultTo that name an address: internal hosts, files, metadata services. No address of a message is ever called."""
    yield benign("anonymous", world.fresh())
    # the profile wants a ReplyTo; without one the default of WS-Addressing is anonymous
    yield benign("no-reply-to", world.fresh(reply_to=""))
    for name, address in (
        ("evil", EVIL), ("http", "http://127.0.0.1:8080/"), ("metadata", "http://169.254.169.254/latest/meta-data/"),
        ("file", "file:///etc/passwd"), ("trap", f"{world.http_url()}/reply"), ("ourselves", world.url + "/xcpd"), ("none", WSA + "/none"),
        ("blank", " "), ("empty", ""), ("almost", ANONYMOUS + "x"), ("capitals", ANONYMOUS.upper()), ("old", "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"),
    ):  # fmt: skip
        message = world.genuine()
        block(message, "ReplyTo")[0].text = address
        yield case(f"reply-{name}", message, forged={"reply_to": address.strip()})
        message = world.genuine()
        block(message, "ReplyTo").addnext(header("FaultTo", address=address))
        yield case(f"fault-{name}", message)
    message = world.genuine()
    etree.SubElement(block(message, "ReplyTo"), q(WSA, "Address")).text = EVIL
    yield case("two-addresses", message)
    message = world.genuine()
    block(message, "ReplyTo").insert(0, etree.Element(q(X, "Address")))
    block(message, "ReplyTo")[0].text = EVIL
    yield case("foreign-address", message, forged={"reply_to": EVIL}, harmless=True)
    message = world.genuine()
    message.header.remove(block(message, "ReplyTo"))
    message.header.append(header("ReplyTo"))
    yield case("no-address", message)
    message = world.genuine()
    message.header.append(header("FaultTo", address=ANONYMOUS))
    message.facts["fault_to"] = ANONYMOUS
    yield case("fault-anonymous", message, harmless=True)


@attack("WSA-TWICE", "A1.2, A1.7", {"WSA_HEADER"}, claims_signature=True, naive="the first of two")
def wsa_twice(world):
    """An addressing header comes twice: the same, another, for another role, in another case of the namespace."""
    yield benign("once", world.fresh())
    twins = {
        "Action": (header("Action", ACTIONS["ITI-39"]), {"action": ACTIONS["ITI-39"]}),
        "To": (header("To", EVIL), {"to": EVIL}),
        "MessageID": (header("MessageID", "urn:uuid:666"), {"message_id": "urn:uuid:666"}),
        "ReplyTo": (header("ReplyTo", address=EVIL), {"reply_to": EVIL}),
    }
    for name, (twin, read) in twins.items():
        for place in ("first", "last", "same", *ROLES):
            message = world.genuine()
            other = copy.deepcopy(block(message, name) if place == "same" else twin)
            if place in ROLES:
                other.set(q(SOAP, "role"), ROLES[place])
            message.header.insert(len(message.header) if place == "last" else 0, other)
            yield case(f"{name}-{place}", message, forged=read if place not in ("last", "same") else {})
        message = world.genuine()
        other = copy.deepcopy(twin)
        for element in other.iter():
            element.tag = q("http://schemas.xmlsoap.org/ws/2004/08/addressing", etree.QName(element).localname)
        message.header.insert(0, other)
        yield case(f"{name}-old-namespace", message, forged=read, harmless=True)


@attack("WSA-TO", "A1.8", {"WSA_HEADER"}, claims_signature=True, naive="wsa:To")
def wsa_to(world):
    """wsa:To is another address than the one to which the message came."""
    yield benign("ours", world.fresh())
    yield benign("none", world.fresh(to=""))
    ours = world.url + "/xcpd"
    for name, to in (
        ("host", "https://other.example/xcpd"), ("port", "https://127.0.0.1:1/xcpd"), ("path", world.url + "/xca/query"), ("http", ours.replace("https", "http")),
        ("prefix", ours[:-1]), ("longer", ours + "/"), ("query", ours + "?wsdl"), ("fragment", ours + "#x"), ("base", world.url), ("capitals", ours.upper()),
        ("anonymous", ANONYMOUS), ("percent", ours.replace("xcpd", "%78cpd")), ("dots", world.url + "/a/../xcpd"), ("relative", "/xcpd"),
        ("community", f"urn:oid:{world.community}"), ("user", ours.replace("//", "//evil@")),
    ):  # fmt: skip
        yield case(name, world.fresh(to=to), forged={"to": to})


@attack("WSA-ID", "A1.8", {"WSA_HEADER"})
def wsa_id(world):
    """A MessageID that is missing, empty, no URI or without measure: it is the key under which replays are known."""
    yield benign("uuid", world.fresh())
    yield benign("uri", world.fresh(message_id="https://red.example/messages/1"))
    yield benign("white-space", white_space(world))
    message = world.genuine()
    message.header.remove(block(message, "MessageID"))
    yield case("missing", message)
    for name, text in (("empty", ""), ("blank", " \n ")):
        message = world.genuine()
        block(message, "MessageID").text = text
        yield case(name, message)
    yield case("long", world.fresh(message_id="urn:uuid:" + "a" * 5000), harmless=True)
    message = world.genuine()
    etree.SubElement(block(message, "MessageID"), "x")
    yield case("child", message)


def white_space(world):
    message = world.fresh()
    element = block(message, "MessageID")
    element.text = f"\n {element.text}\t"
    return message


@attack("MUST-UNDERSTAND", "SOAP 1.2 part 1, 5.2", {"SOAP_MUST_UNDERSTAND", "SOAP_STRUCTURE"})
def must_understand(world):
    """Mandatory blocks that nobody understands, mustUnderstand that is no boolean, blocks without a namespace, roles."""
    yield benign("twin", world.fresh())

    def blocked(**attributes):
        message = world.fresh()
        element = etree.Element(q(X, "block"))
        for key, value in attributes.items():
            element.set(q(SOAP, key), value)
        message.header.insert(0, element)
        return message

    for value in ("0", "false"):
        yield benign(f"optional-{value}", blocked(mustUnderstand=value))
    yield benign("for-another", blocked(mustUnderstand="1", role="urn:x:y"))
    yield benign("relay", blocked(relay="true"))
    for value in ("1", "true", " 1 "):
        yield case(f"mandatory-{value.strip() + ('-blanks' if ' ' in value else '')}", blocked(mustUnderstand=value))
        for role in ("next", "ultimate"):
            message = blocked(mustUnderstand=value, role=ROLES[role])
            yield case(f"mandatory-{value.strip()}-{role}{'-blanks' if ' ' in value else ''}", message)
    for value in ("yes", "2", "", "TRUE"):
        yield case(f"no-boolean-{value or 'empty'}", blocked(mustUnderstand=value))
    message = world.fresh()
    message.header.insert(0, etree.Element("block"))
    yield case("no-namespace", message)
    message = world.genuine()
    message.security.tag = q("http://schemas.xmlsoap.org/ws/2002/12/secext", "Security")
    yield case("old-security", message, expect={"SOAP_MUST_UNDERSTAND"})
    message = world.genuine()
    del message.security.attrib[q(SOAP, "mustUnderstand")]
    message.security.set(q(SOAP, "role"), "urn:x:y")
    yield case("security-for-another", message, expect={"WSS_MISSING"})
    message = world.genuine()
    message.header.remove(message.security)
    yield case("no-security", message, expect={"WSS_MISSING"})
    message = world.genuine()
    message.root.remove(message.header)
    yield case("no-header", message, expect={"WSA_HEADER", "WSA_ACTION", "WSS_MISSING"})
    message = world.genuine()
    for element in list(message.security):
        message.security.remove(element)
    yield case("empty-security", message, expect={"WSS_MISSING", "WSS_TIMESTAMP"})
    message = world.genuine()
    message.security.remove(message.assertion)
    yield case("no-assertion", message, expect={"WSS_MISSING"})
    message = world.genuine()
    message.security.text = "text"
    yield case("text-in-security", message, expect={"WSS_STRUCTURE"})
    for name in ("UsernameToken", "Nonce", "EncryptedData", "DerivedKeyToken", "SecurityTokenReference"):
        message = world.genuine()
        message.security.insert(0, etree.Element(q(message.security.nsmap["wsse"], name)))
        yield case(f"token-{name}", message, expect={"WSS_STRUCTURE"})
