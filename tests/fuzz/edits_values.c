/*
 * The edits of names and values: what stands in a message that must not be believed, from tables.
 */
#include "fuzz/edits_parts.h"

#include <string.h>

#include "soap/namespaces.h"

static const char *const names[] = {
    "Assertion",
    "Signature",
    "SignedInfo",
    "Reference",
    "Transforms",
    "Transform",
    "DigestValue",
    "SignatureValue",
    "KeyInfo",
    "KeyValue",
    "X509Data",
    "Object",
    "Manifest",
    "Timestamp",
    "Created",
    "Expires",
    "Security",
    "Header",
    "Body",
    "Envelope",
    "Attribute",
    "Issuer",
    "NameID",
    "Subject",
    "Conditions",
    "Advice",
    "SubjectConfirmation",
    "SubjectConfirmationData",
    "AttributeStatement",
    "AttributeValue",
    "SecurityTokenReference",
    "EncryptedAssertion",
};
static const char *const spaces[] = {
    NS_DS,
    NS_SAML2,
    NS_WSSE,
    NS_WSU,
    NS_SOAP12,
    NS_WSA,
    "urn:oasis:names:tc:SAML:1.0:assertion",
    "",
    "relative",
    "urn:x",
    "http://www.w3.org/2000/09/xmldsig",
};
static const char *const ids[] = {"ID", "Id", "id", "AssertionID", "URI", "xml:id"};
static const char *const algorithms[] = {
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
    "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2000/09/xmldsig#sha1",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "http://www.w3.org/TR/1999/REC-xpath-19991116",
    "http://www.w3.org/2002/06/xmldsig-filter2",
    "http://www.w3.org/TR/1999/REC-xslt-19991116",
    "http://www.w3.org/2000/09/xmldsig#base64",
    "",
};
static const char *const values[] = {
    "",
    " ",
    "x",
    "urn:oid:2.999.66",
    "2.999.1",
    "T-TREAT",
    "2027-01-15T08:00:00Z",
    "2099-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "urn:oasis:names:tc:SAML:2.0:cm:bearer",
    "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key",
    "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches",
    "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse",
    "urn:nhin:names:saml:homeCommunityId",
    "urn:ihe:iti:xca:2010:homeCommunityId",
    "http://www.w3.org/2005/08/addressing/anonymous",
    "1",
    "true",
    "AA==",
    "\xC2\xA0",
    "\xE2\x80\xA8",
    "p1^^^&2.999.1.5&ISO",
};

#define PICK(table, choice) ((table)[(choice) % ARRAY_LEN(table)])

const char *
edit_name(uint8_t choice)
{
    return PICK(names, choice);
}

const char *
edit_space_name(uint8_t choice)
{
    return PICK(spaces, choice);
}

void
edit_set_text(struct edit_work *work, xmlNode *node, const char *text)
{
    while (node->children != NULL) {
        edit_take_out(work, node->children);
    }
    (void)xmlAddChild(node, xmlNewDocText(work->doc, (const xmlChar *)text));
}

static xmlAttr *
nth_attribute(const xmlNode *node, unsigned n)
{
    size_t count = 0;
    for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
        count++;
    }
    xmlAttr *attr = node->properties;
    for (size_t i = 0; count > 0 && i < n % count; i++) {
        attr = attr->next;
    }
    return attr;
}

void
edit_set_attribute(const xmlAttr *attr, const char *value)
{
    if (attr != NULL && attr->ns != NULL) {
        (void)xmlSetNsProp(attr->parent, attr->ns, attr->name, (const xmlChar *)value);
    } else if (attr != NULL) {
        (void)xmlSetProp(attr->parent, attr->name, (const xmlChar *)value);
    }
}

/* Into the middle of a text: what makes careless readers stop or see something else. */
static void
edit_text_piece(struct edit_work *work, const struct edit *edit, xmlNode *node)
{
    xmlNode *const text = node->children;
    if (text == NULL || text->type != XML_TEXT_NODE || text->content == NULL) {
        return;
    }
    const size_t n = strlen((const char *)text->content);
    size_t at = n == 0 ? 0 : edit->other % (n + 1);
    while (at > 0 && ((unsigned char)text->content[at] & 0xC0) == 0x80) {
        at--;
    }
    xmlNode *const head = xmlNewDocTextLen(work->doc, text->content, (int)at);
    xmlNode *const tail = xmlNewDocText(work->doc, text->content + at);
    xmlNode *piece;
    switch (edit->choice % 5) {
    case 0:
        piece = xmlNewDocComment(work->doc, (const xmlChar *)"c");
        break;
    case 1:
        piece = xmlNewDocPI(work->doc, (const xmlChar *)"p", NULL);
        break;
    case 2:
        piece = xmlNewCDataBlock(work->doc, (const xmlChar *)"d", edit->detail & 1);
        break;
    case 3:
        piece = xmlNewDocNode(work->doc, NULL, (const xmlChar *)"e", NULL);
        break;
    default:
        piece = xmlNewCDataBlock(work->doc, (const xmlChar *)PICK(values, edit->detail),
                                 (int)strlen(PICK(values, edit->detail)));
        break;
    }
    (void)xmlAddNextSibling(text, piece);
    edit_take_out(work, text); /* first: neighbouring texts are merged */
    (void)xmlAddPrevSibling(piece, head);
    (void)xmlAddNextSibling(piece, tail);
}

static void
edit_text_graft(struct edit_work *work, const struct edit_scene *scene, const struct edit *edit,
                xmlNode *node, const xmlNode *other)
{
    const size_t which = edit->detail % (scene->donors_n + 1);
    const xmlNode *const from =
        which == 0 ? other
                   : edit_nth_element(xmlDocGetRootElement(scene->donors[which - 1]), edit->other);
    xmlChar *const text = from == NULL ? NULL : xmlNodeGetContent(from);
    if (text != NULL && node->children != NULL && node->children->type == XML_TEXT_NODE) {
        edit_set_text(work, node, (const char *)text);
    }
    xmlFree(text);
}

/* The id of some element, given to another one under any of the names that ids have. */
static void
edit_id(const struct edit_work *work, const struct edit *edit, xmlNode *node, const xmlNode *other)
{
    const char *const name = PICK(ids, edit->choice);
    xmlAttr *const from = nth_attribute(other, edit->detail);
    xmlChar *const value = from == NULL ? NULL : xmlNodeListGetString(work->doc, from->children, 1);
    const xmlChar *const id = value == NULL ? (const xmlChar *)PICK(values, edit->detail) : value;
    if (strcmp(name, "xml:id") == 0) {
        (void)xmlSetNsProp(node, xmlSearchNs(work->doc, node, (const xmlChar *)"xml"),
                           (const xmlChar *)"id", id);
    } else if (strcmp(name, "Id") == 0 && edit->place % 2 == 0) {
        (void)xmlSetNsProp(node, edit_space(work, node, NS_WSU), (const xmlChar *)"Id", id);
    } else {
        (void)xmlSetProp(node, (const xmlChar *)name, id);
    }
    xmlFree(value);
}

static void
edit_uri(const struct edit *edit, xmlNode *node)
{
    static const char *const forms[] = {"",
                                        "#",
                                        "#xpointer(/)",
                                        "#xpointer(id('x'))",
                                        " #x",
                                        "#%78",
                                        "http://x.example/",
                                        "cid:x",
                                        "file:///etc/hostname"};
    if (xmlHasProp(node, (const xmlChar *)"URI") != NULL) {
        (void)xmlSetProp(node, (const xmlChar *)"URI", (const xmlChar *)PICK(forms, edit->choice));
    }
}

static void
edit_comment(const struct edit_work *work, const struct edit *edit, xmlNode *node)
{
    xmlNode *const piece = edit->choice % 2 == 0
                               ? xmlNewDocComment(work->doc, (const xmlChar *)"c")
                               : xmlNewDocPI(work->doc, (const xmlChar *)"p", NULL);
    edit_put(work, piece, node, edit->place);
}

void
edit_apply_value(struct edit_work *work, const struct edit_scene *scene, const struct edit *edit,
                 xmlNode *node, const xmlNode *other)
{
    xmlAttr *attr;
    switch (edit->kind) {
    case EDIT_RENAME:
        xmlNodeSetName(node, (edit->place & 1) != 0 ? other->name
                                                    : (const xmlChar *)PICK(names, edit->choice));
        break;
    case EDIT_NAMESPACE:
        xmlSetNs(node, edit_space(work, node,
                                  (edit->place & 1) != 0 && other->ns != NULL
                                      ? (const char *)other->ns->href
                                      : PICK(spaces, edit->choice)));
        break;
    case EDIT_ID:
        edit_id(work, edit, node, other);
        break;
    case EDIT_TEXT:
        edit_set_text(work, node, PICK(values, edit->choice));
        break;
    case EDIT_TEXT_PIECE:
        edit_text_piece(work, edit, node);
        break;
    case EDIT_TEXT_GRAFT:
        edit_text_graft(work, scene, edit, node, other);
        break;
    case EDIT_ATTRIBUTE:
        edit_set_attribute(nth_attribute(node, edit->detail), PICK(values, edit->choice));
        break;
    case EDIT_ATTRIBUTE_REMOVE:
        attr = nth_attribute(node, edit->detail);
        if (attr != NULL) {
            (void)xmlRemoveProp(attr);
        }
        break;
    case EDIT_ATTRIBUTE_ADD:
        (void)xmlSetProp(node, (const xmlChar *)PICK(names, edit->detail),
                         (const xmlChar *)PICK(values, edit->choice));
        break;
    case EDIT_ALGORITHM:
        (void)xmlSetProp(node, (const xmlChar *)"Algorithm",
                         (const xmlChar *)PICK(algorithms, edit->choice));
        break;
    case EDIT_DECLARE:
        (void)edit_space(work, node, PICK(spaces, edit->choice));
        break;
    case EDIT_URI:
        edit_uri(edit, node);
        break;
    default:
        edit_comment(work, edit, node);
        break;
    }
}
