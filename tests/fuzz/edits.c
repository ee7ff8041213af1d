/*
 * Applies and mutates the edits of edits.h. Nodes that are taken out of the tree are kept until the
 * end of all edits, because others may still name their namespaces.
 */
#include "fuzz/edits.h"

#include <string.h>

#include "soap/namespaces.h"
#include "tests/unit/unit.h"

#define NODES_MAX 2048

enum edit_kind {
    EDIT_MOVE,
    EDIT_COPY,
    EDIT_GRAFT,
    EDIT_REPLACE,
    EDIT_REMOVE,
    EDIT_RENAME,
    EDIT_NAMESPACE,
    EDIT_ID,
    EDIT_TEXT,
    EDIT_TEXT_PIECE,
    EDIT_TEXT_GRAFT,
    EDIT_ATTRIBUTE,
    EDIT_ATTRIBUTE_REMOVE,
    EDIT_ATTRIBUTE_ADD,
    EDIT_ALGORITHM,
    EDIT_WRAP,
    EDIT_UNWRAP,
    EDIT_SWAP,
    EDIT_DECLARE,
    EDIT_URI,
    EDIT_COMMENT,
    EDIT_KINDS
};

struct edit {
    enum edit_kind kind;
    uint16_t node, other;
    uint8_t choice, detail, place;
};

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

struct work {
    xmlDoc *doc;
    xmlNode *top;
    xmlNode *taken; /* unlinked nodes, by ->next */
    xmlNode *nodes[NODES_MAX];
    size_t n;
};

static void
list_nodes(struct work *work)
{
    xmlNode *node = work->top;
    work->n = 0;
    while (node != NULL && work->n < NODES_MAX) {
        if (node->type == XML_ELEMENT_NODE) {
            work->nodes[work->n++] = node;
        }
        if (node->children != NULL && node->type == XML_ELEMENT_NODE) {
            node = node->children;
            continue;
        }
        while (node != work->top && node->next == NULL) {
            node = node->parent;
        }
        node = node == work->top ? NULL : node->next;
    }
}

static const xmlNode *
nth_element(const xmlNode *top, unsigned n)
{
    /* Twice: first to count. */
    const xmlNode *found = NULL;
    size_t count = 0, wanted = SIZE_MAX;
    for (int round = 0; round < 2 && found == NULL; round++) {
        size_t at = 0;
        const xmlNode *node = top;
        while (node != NULL) {
            if (node->type == XML_ELEMENT_NODE) {
                found = at == wanted ? node : found;
                at++;
            }
            if (node->children != NULL && node->type == XML_ELEMENT_NODE) {
                node = node->children;
                continue;
            }
            while (node != top && node->next == NULL) {
                node = node->parent;
            }
            node = node == top ? NULL : node->next;
        }
        count = at;
        wanted = count == 0 ? SIZE_MAX : n % count;
    }
    return found;
}

static bool
is_inside(const xmlNode *node, const xmlNode *ancestor)
{
    while (node != NULL && node != ancestor) {
        node = node->parent;
    }
    return node != NULL;
}

static void
take_out(struct work *work, xmlNode *node)
{
    xmlUnlinkNode(node);
    node->next = work->taken;
    work->taken = node;
}

static void
free_taken(struct work *work)
{
    while (work->taken != NULL) {
        xmlNode *const node = work->taken;
        work->taken = node->next;
        node->next = NULL;
        xmlFreeNode(node);
    }
}

/* First or last child of <at>, or before or after it. Text nodes are never given: they would be
 * merged and freed. */
static void
put(const struct work *work, xmlNode *node, xmlNode *at, unsigned place)
{
    if (at == work->top && place % 4 >= 2) {
        place = 0;
    }
    if (place % 4 == 0 && at->children != NULL) {
        (void)xmlAddPrevSibling(at->children, node);
    } else if (place % 4 <= 1) {
        (void)xmlAddChild(at, node);
    } else if (place % 4 == 2) {
        (void)xmlAddPrevSibling(at, node);
    } else {
        (void)xmlAddNextSibling(at, node);
    }
    (void)xmlReconciliateNs(work->doc, node);
}

static void
set_text(struct work *work, xmlNode *node, const char *text)
{
    while (node->children != NULL) {
        take_out(work, node->children);
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

static void
set_attribute(const xmlNode *node, xmlAttr *attr, const char *value)
{
    if (attr != NULL && attr->ns != NULL) {
        (void)xmlSetNsProp(attr->parent, attr->ns, attr->name, (const xmlChar *)value);
    } else if (attr != NULL) {
        (void)xmlSetProp(attr->parent, attr->name, (const xmlChar *)value);
    }
    (void)node;
}

#define PICK(table, choice) ((table)[(choice) % ARRAY_LEN(table)])

static xmlNs *
space_of(const struct work *work, xmlNode *node, const char *href)
{
    xmlNs *const found = xmlSearchNsByHref(work->doc, node, (const xmlChar *)href);
    if (found != NULL || href[0] == '\0') {
        return found;
    }
    char prefix[4] = "e0";
    for (prefix[1] = '0'; prefix[1] < '9'; prefix[1]++) {
        xmlNs *const made = xmlNewNs(node, (const xmlChar *)href, (const xmlChar *)prefix);
        if (made != NULL) {
            return made;
        }
    }
    return NULL;
}

/* ---- edits of structure ---- */

static void
edit_graft(struct work *work, const struct edit_scene *scene, const struct edit *edit,
           xmlNode *node)
{
    if (scene->donors_n == 0) {
        return;
    }
    xmlDoc *const donor = scene->donors[edit->detail % scene->donors_n];
    const xmlNode *const from = nth_element(xmlDocGetRootElement(donor), edit->other);
    xmlNode *const copy = xmlDocCopyNode((xmlNode *)from, work->doc, 1);
    if (copy == NULL) {
        return;
    }
    put(work, copy, node, edit->kind == EDIT_REPLACE ? 2 : edit->place);
    if (edit->kind == EDIT_REPLACE && node != work->top) {
        take_out(work, node);
    }
}

static void
edit_wrap(struct work *work, const struct edit *edit, xmlNode *node)
{
    if (node == work->top) {
        return;
    }
    xmlNode *const wrapper =
        xmlNewDocNode(work->doc, NULL, (const xmlChar *)PICK(names, edit->choice), NULL);
    (void)xmlAddPrevSibling(node, wrapper);
    xmlSetNs(wrapper, space_of(work, wrapper, PICK(spaces, edit->detail)));
    xmlUnlinkNode(node);
    (void)xmlAddChild(wrapper, node);
    (void)xmlReconciliateNs(work->doc, node);
}

static void
edit_unwrap(struct work *work, xmlNode *node)
{
    if (node == work->top) {
        return;
    }
    for (xmlNode *child = xmlFirstElementChild(node); child != NULL;
         child = xmlFirstElementChild(node)) {
        xmlUnlinkNode(child);
        (void)xmlAddPrevSibling(node, child);
        (void)xmlReconciliateNs(work->doc, child);
    }
    take_out(work, node);
}

static void
edit_swap(const struct work *work, xmlNode *node, xmlNode *other)
{
    if (node == work->top || other == work->top || is_inside(node, other) ||
        is_inside(other, node)) {
        return;
    }
    xmlNode *const mark = xmlNewDocNode(work->doc, NULL, (const xmlChar *)"mark", NULL);
    (void)xmlAddPrevSibling(node, mark);
    xmlUnlinkNode(node);
    (void)xmlAddPrevSibling(other, node);
    xmlUnlinkNode(other);
    (void)xmlAddPrevSibling(mark, other);
    xmlUnlinkNode(mark);
    xmlFreeNode(mark);
    (void)xmlReconciliateNs(work->doc, node);
    (void)xmlReconciliateNs(work->doc, other);
}

static bool
apply_structure(struct work *work, const struct edit_scene *scene, const struct edit *edit,
                xmlNode *node, xmlNode *other)
{
    xmlNode *copy;
    switch (edit->kind) {
    case EDIT_MOVE:
        if (node != work->top && !is_inside(other, node)) {
            xmlUnlinkNode(node);
            put(work, node, other, edit->place);
        }
        return true;
    case EDIT_COPY:
        copy = xmlDocCopyNode(node, work->doc, 1);
        if (copy != NULL) {
            put(work, copy, other, edit->place);
        }
        return true;
    case EDIT_GRAFT:
    case EDIT_REPLACE:
        edit_graft(work, scene, edit, node);
        return true;
    case EDIT_REMOVE:
        if (node != work->top) {
            take_out(work, node);
        }
        return true;
    case EDIT_WRAP:
        edit_wrap(work, edit, node);
        return true;
    case EDIT_UNWRAP:
        edit_unwrap(work, node);
        return true;
    case EDIT_SWAP:
        edit_swap(work, node, other);
        return true;
    default:
        return false;
    }
}

/* ---- edits of names and values ---- */

/* Into the middle of a text: what makes careless readers stop or see something else. */
static void
edit_text_piece(struct work *work, const struct edit *edit, xmlNode *node)
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
    take_out(work, text); /* first: neighbouring texts are merged */
    (void)xmlAddPrevSibling(piece, head);
    (void)xmlAddNextSibling(piece, tail);
}

static void
edit_text_graft(struct work *work, const struct edit_scene *scene, const struct edit *edit,
                xmlNode *node, const xmlNode *other)
{
    const size_t which = edit->detail % (scene->donors_n + 1);
    const xmlNode *const from =
        which == 0 ? other
                   : nth_element(xmlDocGetRootElement(scene->donors[which - 1]), edit->other);
    xmlChar *const text = from == NULL ? NULL : xmlNodeGetContent(from);
    if (text != NULL && node->children != NULL && node->children->type == XML_TEXT_NODE) {
        set_text(work, node, (const char *)text);
    }
    xmlFree(text);
}

/* The id of some element, given to another one under any of the names that ids have. */
static void
edit_id(const struct work *work, const struct edit *edit, xmlNode *node, const xmlNode *other)
{
    const char *const name = PICK(ids, edit->choice);
    xmlAttr *const from = nth_attribute(other, edit->detail);
    xmlChar *const value = from == NULL ? NULL : xmlNodeListGetString(work->doc, from->children, 1);
    const xmlChar *const id = value == NULL ? (const xmlChar *)PICK(values, edit->detail) : value;
    if (strcmp(name, "xml:id") == 0) {
        (void)xmlSetNsProp(node, xmlSearchNs(work->doc, node, (const xmlChar *)"xml"),
                           (const xmlChar *)"id", id);
    } else if (strcmp(name, "Id") == 0 && edit->place % 2 == 0) {
        (void)xmlSetNsProp(node, space_of(work, node, NS_WSU), (const xmlChar *)"Id", id);
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
edit_comment(const struct work *work, const struct edit *edit, xmlNode *node)
{
    xmlNode *const piece = edit->choice % 2 == 0
                               ? xmlNewDocComment(work->doc, (const xmlChar *)"c")
                               : xmlNewDocPI(work->doc, (const xmlChar *)"p", NULL);
    put(work, piece, node, edit->place);
}

static void
apply_value(struct work *work, const struct edit_scene *scene, const struct edit *edit,
            xmlNode *node, const xmlNode *other)
{
    xmlAttr *attr;
    switch (edit->kind) {
    case EDIT_RENAME:
        xmlNodeSetName(node, (const xmlChar *)PICK(names, edit->choice));
        break;
    case EDIT_NAMESPACE:
        xmlSetNs(node, space_of(work, node, PICK(spaces, edit->choice)));
        break;
    case EDIT_ID:
        edit_id(work, edit, node, other);
        break;
    case EDIT_TEXT:
        set_text(work, node, PICK(values, edit->choice));
        break;
    case EDIT_TEXT_PIECE:
        edit_text_piece(work, edit, node);
        break;
    case EDIT_TEXT_GRAFT:
        edit_text_graft(work, scene, edit, node, other);
        break;
    case EDIT_ATTRIBUTE:
        set_attribute(node, nth_attribute(node, edit->detail), PICK(values, edit->choice));
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
        (void)space_of(work, node, PICK(spaces, edit->choice));
        break;
    case EDIT_URI:
        edit_uri(edit, node);
        break;
    default:
        edit_comment(work, edit, node);
        break;
    }
}

/* ---- the list ---- */

static struct edit
take_edit(struct span *records)
{
    struct edit edit;
    edit.kind = (enum edit_kind)(fuzz_take_u8(records) % EDIT_KINDS);
    edit.node = fuzz_take_u16(records);
    edit.other = fuzz_take_u16(records);
    edit.choice = fuzz_take_u8(records);
    edit.detail = fuzz_take_u8(records);
    edit.place = fuzz_take_u8(records);
    return edit;
}

void
edits_apply(const struct edit_scene *scene, struct span records)
{
    struct work work = {.doc = scene->doc, .top = scene->top};
    for (size_t i = 0; i < EDITS_MAX && records.n >= EDIT_BYTES; i++) {
        const struct edit edit = take_edit(&records);
        list_nodes(&work);
        if (work.n == NODES_MAX) {
            break;
        }
        xmlNode *const node = work.nodes[edit.node % work.n];
        xmlNode *const other = work.nodes[edit.other % work.n];
        if (!apply_structure(&work, scene, &edit, node, other)) {
            apply_value(&work, scene, &edit, node, other);
        }
    }
    free_taken(&work);
}

struct span
edits_serialise(xmlDoc *doc, struct arena *arena)
{
    struct diag diag = {0};
    struct span copy = SPAN_EMPTY;
    xmlChar *text = NULL;
    int n = 0;
    xmlDocDumpMemory(doc, &text, &n);
    if (text != NULL) {
        FUZZ_MUST(is_ok(arena_dup(arena, span_of((const char *)text, (size_t)n), &diag, &copy)),
                  "%s", diag.text);
    }
    xmlFree(text);
    return copy;
}

/* ---- the mutator ---- */

static void
random_record(struct fuzz_random *random, uint8_t record[EDIT_BYTES])
{
    for (size_t i = 0; i < EDIT_BYTES; i++) {
        record[i] = (uint8_t)fuzz_random_below(random, 256);
    }
    record[0] = (uint8_t)fuzz_random_below(random, EDIT_KINDS);
    record[2] = record[4] = 0; /* few trees have more than 256 elements */
}

size_t
edits_mutate(uint8_t *bytes, size_t n, size_t max, size_t head, unsigned seed)
{
    struct fuzz_random random = fuzz_random_of(seed);
    if (max < head + EDIT_BYTES) {
        return n < max ? n : max;
    }
    if (n < head) {
        memset(bytes + n, 0, head - n);
        n = head;
    }
    size_t records = (n - head) / EDIT_BYTES;
    uint8_t *const first = bytes + head;
    const size_t room = (max - head) / EDIT_BYTES;
    const size_t at = fuzz_random_below(&random, (uint32_t)records + 1);
    const size_t victim = records == 0 ? 0 : at % records;
    switch (records == 0 ? 0 : fuzz_random_below(&random, 6)) {
    case 0: /* one more */
    case 1:
        if (records < room && records < EDITS_MAX) {
            memmove(first + (at + 1) * EDIT_BYTES, first + at * EDIT_BYTES,
                    (records - at) * EDIT_BYTES);
            random_record(&random, first + at * EDIT_BYTES);
            records++;
        }
        break;
    case 2: /* one less */
        memmove(first + victim * EDIT_BYTES, first + (victim + 1) * EDIT_BYTES,
                (records - victim - 1) * EDIT_BYTES);
        records--;
        break;
    case 3: /* another one */
        random_record(&random, first + victim * EDIT_BYTES);
        break;
    default: { /* one byte of one */
        const uint32_t which = fuzz_random_below(&random, EDIT_BYTES);
        uint8_t *const byte = first + victim * EDIT_BYTES + which;
        *byte = fuzz_random_below(&random, 2) == 0
                    ? (uint8_t)fuzz_random_below(&random, 256)
                    : (uint8_t)(*byte + fuzz_random_below(&random, 5) - 2);
        break;
    }
    }
    if (head > 0 && fuzz_random_below(&random, 8) == 0) {
        bytes[fuzz_random_below(&random, (uint32_t)head)] =
            (uint8_t)fuzz_random_below(&random, 256);
    }
    return head + records * EDIT_BYTES;
}
