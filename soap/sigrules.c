/*
 * The shape of a signature, and what must hold for the document around it. Called by sigverify.c
 * before any arithmetic, so that the engine sees only what it needs to know. Owns nothing.
 */
#include "soap/sigrules.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"

#define EXC_C14N         "http://www.w3.org/2001/10/xml-exc-c14n#"
#define ENVELOPED        NS_DS "enveloped-signature"
#define DIGEST_BYTES_MAX ((size_t)64) /* SHA-512 */

/* MD5, HMAC, DSA and RSA-PSS are not here, so they do not exist. */
static const struct sig_method methods[] = {
    {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", SIG_KEY_RSA, false},
    {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", SIG_KEY_RSA, false},
    {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", SIG_KEY_RSA, false},
    {"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", SIG_KEY_EC, false},
    {"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", SIG_KEY_EC, false},
    {NS_DS "rsa-sha1", SIG_KEY_RSA, true},
    {"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1", SIG_KEY_EC, true},
};
static const struct digest_method {
    const char *uri;
    size_t bytes;
    bool is_sha1;
} digests[] = {
    {"http://www.w3.org/2001/04/xmlenc#sha256", 32, false},
    {"http://www.w3.org/2001/04/xmldsig-more#sha384", 48, false},
    {"http://www.w3.org/2001/04/xmlenc#sha512", 64, false},
    {NS_DS "sha1", 20, true},
};

static struct status
bad_shape(struct diag *diag, const xmlNode *at, const char *what)
{
    return FAIL(diag, ERR_SIG_STRUCTURE, "line %ld, <%s>: %s", xmlGetLineNo(at),
                (const char *)at->name, what);
}

bool
sig_is_ncname(struct span name)
{
    for (size_t i = 0; i < name.n; i++) {
        const char c = name.p[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        const bool is_other = (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!is_letter && (i == 0 || !is_other)) {
            return false;
        }
    }
    return name.n > 0;
}

/* What one signature covers. */
struct covered {
    size_t nodes, bytes;
    const xmlNode *remark; /* the first comment or processing instruction, or NULL */
};

/* Nodes and bytes of an element without those of its child elements. */
static void
count_own(const xmlNode *node, struct covered *covered)
{
    covered->nodes += 1;
    for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next) {
        covered->nodes += 2;
        covered->bytes += span_of_cstr((const char *)ns->href).n;
    }
    for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
        covered->nodes += 2;
        covered->bytes += xml_attr_value(attr).n;
    }
    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        if (child->type == XML_ELEMENT_NODE) {
            continue;
        }
        covered->nodes += 1;
        covered->bytes += span_of_cstr((const char *)child->content).n;
        if (child->type != XML_TEXT_NODE && covered->remark == NULL) {
            covered->remark = child;
        }
    }
}

struct status
sig_check_subtree(const xmlNode *top, struct diag *diag)
{
    struct covered covered = {0, 0, NULL};
    for (const xmlNode *node = top; node != NULL; node = xml_walk(node, top)) {
        count_own(node, &covered);
        if (covered.nodes > SIG_NODES_MAX || covered.bytes > SIG_BYTES_MAX) {
            return FAIL(diag, ERR_LIMIT_XML,
                        "line %ld: more than %zu nodes or %zu bytes of text in <%s>, which one "
                        "signature covers",
                        xmlGetLineNo(top), SIG_NODES_MAX, SIG_BYTES_MAX, (const char *)top->name);
        }
    }
    if (covered.remark != NULL) {
        return FAIL(diag, ERR_SIG_COMMENT,
                    "line %ld: a comment or processing instruction in <%s>, inside of what is "
                    "signed",
                    xmlGetLineNo(covered.remark), (const char *)covered.remark->parent->name);
    }
    return OK;
}

/* ---- the document around a signature ---- */

struct id_list {
    struct span *items;
    size_t n, capacity;
};

/* xmlsec and others match by local name; so does this, in every namespace. */
static bool
is_id_attribute(const xmlAttr *attr)
{
    const struct span name = span_of_cstr((const char *)attr->name);
    if (attr->ns != NULL && xmlStrEqual(attr->ns->href, XML_XML_NAMESPACE)) {
        return span_eq(name, SPAN("id"));
    }
    return span_eq(name, SPAN("ID")) || span_eq(name, SPAN("Id")) ||
           span_eq(name, SPAN("AssertionID"));
}

static int
compare_ids(const void *a, const void *b)
{
    return span_compare(*(const struct span *)a, *(const struct span *)b);
}

/* "scheme:": what is none of that makes canonicalisation fail, and a caller that overlooks it would
 * digest nothing ("void canonicalisation", CVE-2025-66568). */
static bool
is_absolute_uri(const xmlChar *href)
{
    const struct span uri = span_of_cstr((const char *)href);
    const size_t colon = span_find_char(uri, ':');
    if (uri.n == 0) {
        return true; /* xmlns="": no namespace */
    }
    for (size_t i = 0; colon != SPAN_MISSING && i < colon; i++) {
        const char c = uri.p[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && (i == 0 || ((c < '0' || c > '9') && c != '+' && c != '-' && c != '.'))) {
            return false;
        }
    }
    return colon != SPAN_MISSING && colon > 0;
}

static struct status
collect_ids(const xmlNode *root, struct arena *arena, struct diag *diag, struct id_list *ids)
{
    for (const xmlNode *node = root; node != NULL; node = xml_walk(node, root)) {
        for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next) {
            if (!is_absolute_uri(ns->href)) {
                return bad_shape(diag, node, "a namespace that is a relative URI");
            }
        }
        for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
            if (is_id_attribute(attr)) {
                TRY(ARENA_PUSH(arena, diag, ids, span_trim(xml_attr_value(attr))));
            }
        }
    }
    return OK;
}

struct status
sig_check_document(const xmlNode *root, struct arena *arena, struct diag *diag)
{
    struct id_list ids = {NULL, 0, 0};
    TRY(collect_ids(root, arena, diag, &ids));
    if (ids.n > 1) {
        qsort(ids.items, ids.n, sizeof(ids.items[0]), compare_ids);
    }
    for (size_t i = 1; i < ids.n; i++) {
        if (span_eq(ids.items[i - 1], ids.items[i])) {
            return FAIL(diag, ERR_SIG_DUPLICATE_ID, "two elements have the id '%.*s'",
                        SPAN_PRINT(span_slice(ids.items[i], 0, 80)));
        }
    }
    return OK;
}

/* ---- the signature ---- */

/* The children of <parent> are exactly these, in this order; the last may be absent when
 * <has_optional>. All are in the signature's namespace and have nothing but white space between. */
static struct status
take_children(const xmlNode *parent, const char *const *names, size_t n, bool has_optional,
              struct diag *diag, const xmlNode **ret_children)
{
    const xmlNode *child = xml_first(parent);
    if (!xml_has_element_content(parent)) {
        return bad_shape(diag, parent, "text between the child elements");
    }
    for (size_t i = 0; i < n; i++) {
        ret_children[i] = NULL;
        if (xml_is(child, NS_DS, names[i])) {
            ret_children[i] = child;
            child = xml_next(child);
        } else if (i + 1 < n || !has_optional) {
            return FAIL(diag, ERR_SIG_STRUCTURE, "line %ld, <%s>: <%s> is expected, got <%.*s>",
                        xmlGetLineNo(parent), (const char *)parent->name, names[i],
                        SPAN_PRINT(span_slice(xml_local_name(child), 0, 60)));
        }
    }
    return child == NULL ? OK : bad_shape(diag, child, "an element that has no place here");
}

static struct span
algorithm_of(const xmlNode *node)
{
    return xml_attr_text(node, "Algorithm");
}

/* A list of names: any XML white space stands between them, also what &#9; and &#10; gave. */
static size_t
count_tokens(struct span list)
{
    size_t n = 0;
    for (size_t i = 0; i < list.n; i++) {
        const bool is_first = i == 0 || xml_is_blank(span_slice(list, i - 1, 1));
        n += is_first && !xml_is_blank(span_slice(list, i, 1)) ? 1 : 0;
    }
    return n;
}

/* PrefixList of ec:InclusiveNamespaces, the only child that exclusive c14n may have. */
static struct status
check_prefixes(const xmlNode *c14n, struct diag *diag)
{
    const xmlNode *const list = xml_first(c14n);
    if (!xml_has_element_content(c14n)) {
        return bad_shape(diag, c14n, "text in a canonicalisation method");
    }
    if (list == NULL) {
        return OK;
    }
    if (!xml_is(list, EXC_C14N, "InclusiveNamespaces") || xml_next(list) != NULL ||
        list->children != NULL) {
        return FAIL(diag, ERR_SIG_TRANSFORM, "line %ld: only InclusiveNamespaces may stand here",
                    xmlGetLineNo(list));
    }
    if (count_tokens(xml_attr_text(list, "PrefixList")) > SIG_PREFIXES_MAX) {
        return FAIL(diag, ERR_SIG_TRANSFORM, "line %ld: more than %d inclusive prefixes",
                    xmlGetLineNo(list), SIG_PREFIXES_MAX);
    }
    return OK;
}

static struct status
check_c14n(const xmlNode *node, enum err code, struct diag *diag)
{
    if (!span_eq(algorithm_of(node), SPAN(EXC_C14N))) {
        return FAIL(diag, code, "line %ld, <%s>: '%.*s'; only %s is accepted", xmlGetLineNo(node),
                    (const char *)node->name, SPAN_PRINT(span_slice(algorithm_of(node), 0, 120)),
                    EXC_C14N);
    }
    return check_prefixes(node, diag);
}

/* SHA-1 collisions are cheap: only for a partner whose file names an end date, and before it. */
static struct status
check_sha1(const xmlNode *node, bool is_sha1, const struct sig_shape *shape, struct diag *diag)
{
    if (is_sha1 && !shape->may_use_sha1) {
        return FAIL(diag, ERR_SIG_ALGORITHM,
                    "line %ld, <%s>: SHA-1 is not accepted; sha1_until in the partner's file "
                    "accepts it up to a date",
                    xmlGetLineNo(node), (const char *)node->name);
    }
    return OK;
}

static struct status
find_method(const xmlNode *node, const struct sig_shape *shape, struct diag *diag,
            const struct sig_method **ret_method)
{
    const struct span uri = algorithm_of(node);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (span_eq_cstr(uri, methods[i].uri)) {
            TRY(check_sha1(node, methods[i].is_sha1, shape, diag));
            if (node->children != NULL) {
                return bad_shape(diag, node, "must be empty");
            }
            *ret_method = &methods[i];
            return OK;
        }
    }
    return FAIL(diag, ERR_SIG_ALGORITHM, "line %ld: signature method '%.*s' is not accepted",
                xmlGetLineNo(node), SPAN_PRINT(span_slice(uri, 0, 120)));
}

static struct status
find_digest(const xmlNode *node, const struct sig_shape *shape, struct diag *diag,
            const struct digest_method **ret_digest)
{
    const struct span uri = algorithm_of(node);
    for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
        if (span_eq_cstr(uri, digests[i].uri)) {
            TRY(check_sha1(node, digests[i].is_sha1, shape, diag));
            *ret_digest = &digests[i];
            return node->children == NULL ? OK : bad_shape(diag, node, "must be empty");
        }
    }
    return FAIL(diag, ERR_SIG_ALGORITHM, "line %ld: digest method '%.*s' is not accepted",
                xmlGetLineNo(node), SPAN_PRINT(span_slice(uri, 0, 120)));
}

/* A wrong size can be told before anything is digested. */
static struct status
check_digest_size(const xmlNode *node, const struct digest_method *method, struct arena *arena,
                  struct diag *diag)
{
    CLEANUP(buf_done) struct buf bytes;
    struct diag why;
    struct span text;
    diag_clear(&why);
    buf_init(&bytes, DIGEST_BYTES_MAX);
    TRY(xml_text(node, ERR_SIG_STRUCTURE, arena, diag, &text));
    const struct status st = base64_decode(text, &bytes, &why);
    if (st.code == ERR_NO_MEMORY) {
        return FAIL(diag, ERR_NO_MEMORY, "%s", why.text);
    }
    if (!is_ok(st) || bytes.n != method->bytes) {
        return FAIL(diag, ERR_SIG_INVALID, "line %ld: DigestValue: base64 of %zu bytes is expected",
                    xmlGetLineNo(node), method->bytes);
    }
    return OK;
}

/* [enveloped-signature,] exclusive c14n: any other transform could change what is signed. */
static struct status
check_transforms(const xmlNode *transforms, bool is_enveloped, struct diag *diag)
{
    const xmlNode *transform = xml_first(transforms);
    if (!xml_has_element_content(transforms)) {
        return bad_shape(diag, transforms, "text between the transforms");
    }
    if (is_enveloped) {
        if (!xml_is(transform, NS_DS, "Transform") ||
            !span_eq(algorithm_of(transform), SPAN(ENVELOPED)) || transform->children != NULL) {
            return FAIL(diag, ERR_SIG_TRANSFORM,
                        "line %ld: the first transform must be enveloped-signature",
                        xmlGetLineNo(transforms));
        }
        transform = xml_next(transform);
    }
    if (!xml_is(transform, NS_DS, "Transform") || xml_next(transform) != NULL) {
        return FAIL(diag, ERR_SIG_TRANSFORM,
                    "line %ld: the transforms must be %sexclusive c14n, and no other",
                    xmlGetLineNo(transforms), is_enveloped ? "enveloped-signature, " : "");
    }
    return check_c14n(transform, ERR_SIG_TRANSFORM, diag);
}

/* Only "#NCName": no XPointer, no whole document, nothing outside of the message. */
static struct status
read_reference_uri(const xmlNode *reference, struct diag *diag, struct span *ret_id)
{
    struct span uri;
    struct span type;
    if (!xml_attr(reference, NULL, "URI", &uri) || uri.n < 2 || uri.p[0] != '#' ||
        !sig_is_ncname(span_slice(uri, 1, SIZE_MAX))) {
        return FAIL(diag, ERR_SIG_REFERENCE, "line %ld: a Reference must have URI=\"#id\"",
                    xmlGetLineNo(reference));
    }
    if (xml_attr(reference, NULL, "Type", &type)) {
        return FAIL(diag, ERR_SIG_REFERENCE, "line %ld: a Reference must not have a Type",
                    xmlGetLineNo(reference));
    }
    *ret_id = span_slice(uri, 1, SIZE_MAX);
    return OK;
}

static struct status
read_reference(const xmlNode *reference, const struct sig_shape *shape, struct arena *arena,
               struct diag *diag, struct signature *signature)
{
    static const char *const names[] = {"Transforms", "DigestMethod", "DigestValue"};
    const xmlNode *children[ARRAY_LEN(names)];
    const struct digest_method *digest = NULL;
    TRY(read_reference_uri(reference, diag, &signature->reference));
    TRY(take_children(reference, names, ARRAY_LEN(names), false, diag, children));
    TRY(check_transforms(children[0], shape->is_enveloped, diag));
    TRY(find_digest(children[1], shape, diag, &digest));
    signature->has_sha1 = signature->has_sha1 || digest->is_sha1;
    return check_digest_size(children[2], digest, arena, diag);
}

static struct status
read_signed_info(const xmlNode *signed_info, const struct sig_shape *shape, struct arena *arena,
                 struct diag *diag, struct signature *signature)
{
    static const char *const names[] = {"CanonicalizationMethod", "SignatureMethod", "Reference"};
    const xmlNode *children[ARRAY_LEN(names)];
    if (xml_count(signed_info, NS_DS, "Reference") != 1) {
        return FAIL(diag, ERR_SIG_REFERENCE, "line %ld: %zu References; exactly one is required",
                    xmlGetLineNo(signed_info), xml_count(signed_info, NS_DS, "Reference"));
    }
    TRY(take_children(signed_info, names, ARRAY_LEN(names), false, diag, children));
    TRY(check_c14n(children[0], ERR_SIG_ALGORITHM, diag));
    TRY(find_method(children[1], shape, diag, &signature->method));
    signature->has_sha1 = signature->method->is_sha1;
    return read_reference(children[2], shape, arena, diag, signature);
}

struct status
sig_read(const xmlNode *node, const struct sig_shape *shape, struct arena *arena, struct diag *diag,
         struct signature *ret_signature)
{
    static const char *const names[] = {"SignedInfo", "SignatureValue", "KeyInfo"};
    const xmlNode *children[ARRAY_LEN(names)];
    struct signature signature = {.node = node};
    TRY(sig_check_subtree(node, diag));
    TRY(take_children(node, names, ARRAY_LEN(names), true, diag, children));
    TRY(read_signed_info(children[0], shape, arena, diag, &signature));
    TRY(xml_text_trimmed(children[1], ERR_SIG_STRUCTURE, arena, diag, &signature.value));
    if (signature.value.n == 0) {
        return bad_shape(diag, children[1], "is empty");
    }
    signature.key_info = children[2];
    *ret_signature = signature;
    return OK;
}
