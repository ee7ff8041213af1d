"""A deliberately naive reader: the first match by local name, wherever it stands, whatever its namespace, and the text
up to the first child. Most home-grown readers of SAML look like this. Whoever believes it is the victim.
"""

from lxml import etree

XSPA = "urn:oasis:names:tc:xspa:1.0:subject:"
ATTRIBUTES = {
    XSPA + "subject-id": "subject_id",
    XSPA + "organization": "organization",
    XSPA + "organization-id": "organization_id",
    XSPA + "npi": "npi",
    "urn:ihe:iti:xca:2010:homeCommunityId": "home_community",
    "urn:oasis:names:tc:xacml:2.0:resource:resource-id": "resource_id",
    "urn:ihe:iti:xua:2012:acp": "acp",
}
CODED = {"urn:oasis:names:tc:xacml:2.0:subject:role": "role", XSPA + "purposeofuse": "purpose"}
ELEMENTS = {
    "Issuer": "issuer",
    "NameID": "name_id",
    "Audience": "audience",
    "Created": "created",
    "Expires": "expires",
    "Action": "action",
    "To": "to",
    "MessageID": "message_id",
    "Address": "reply_to",
    "family": "family",
    "DocumentUniqueId": "document",
    "AuthnContextClassRef": "authn_class",
}


def local(element):
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def read(xml):
    """Facts by name."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, recover=True)
    root = etree.fromstring(xml, parser)
    facts = {}
    for element in root.iter():
        name = local(element)
        if name in ELEMENTS:
            facts.setdefault(ELEMENTS[name], (element.text or "").strip())
        elif name == "Assertion":
            facts.setdefault("assertion_id", element.get("ID") or element.get("AssertionID"))
        elif name == "Conditions":
            facts.setdefault("not_on_or_after", element.get("NotOnOrAfter"))
        elif name == "SubjectConfirmation":
            facts.setdefault("confirmation", element.get("Method"))
        elif name == "Body":
            children = [local(child) for child in element if local(child)]
            facts.setdefault("payload", children[0] if children else "")
        elif name == "Attribute" and len(element):
            read_attribute(element, facts)
    return facts


def read_attribute(element, facts):
    name, value = element.get("Name"), element[0]
    if name in ATTRIBUTES:
        text = (value.text or "").strip()
        facts.setdefault(ATTRIBUTES[name], text[8:] if text.startswith("urn:oid:") and "home" in name else text)
    elif name in CODED and len(value):
        facts.setdefault(CODED[name], value[0].get("code"))
