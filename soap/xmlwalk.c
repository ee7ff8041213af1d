/*
 * Walking a parsed tree: children by {namespace, local name}, text, attributes. Called by all of
 * soap/; nothing is owned and nothing is changed.
 */
#include <string.h>

#include "soap/xml.h"

/* Most names differ in their first byte. */
static bool
is_text(const char *a, const char *b)
{
    return a[0] == b[0] && strcmp(a, b) == 0;
}

static bool
is_in(const xmlNs *ns, const char *href)
{
    const bool is_none = ns == NULL || ns->href == NULL;
    return is_none || href == NULL
               ? (is_none || ns->href[0] == '\0') && (href == NULL || *href == '\0')
               : strcmp((const char *)ns->href, href) == 0;
}

const xmlNode *
xml_root(const xmlDoc *doc)
{
    const xmlNode *node = doc == NULL ? NULL : doc->children;
    while (node != NULL && node->type != XML_ELEMENT_NODE) {
        node = node->next;
    }
    return node;
}

bool
xml_is(const xmlNode *node, const char *ns, const char *local)
{
    return node != NULL && is_text((const char *)node->name, local) && is_in(node->ns, ns);
}

struct span
xml_local_name(const xmlNode *node)
{
    return node == NULL ? SPAN_EMPTY : span_of_cstr((const char *)node->name);
}

struct span
xml_namespace(const xmlNode *node)
{
    return node == NULL || node->ns == NULL ? SPAN_EMPTY
                                            : span_of_cstr((const char *)node->ns->href);
}

static const xmlNode *
element_from(const xmlNode *node)
{
    while (node != NULL && node->type != XML_ELEMENT_NODE) {
        node = node->next;
    }
    return node;
}

const xmlNode *
xml_first(const xmlNode *parent)
{
    return parent == NULL ? NULL : element_from(parent->children);
}

const xmlNode *
xml_next(const xmlNode *node)
{
    return node == NULL ? NULL : element_from(node->next);
}

static const xmlNode *
named_from(const xmlNode *node, const char *ns, const char *local)
{
    while (node != NULL && !xml_is(node, ns, local)) {
        node = xml_next(node);
    }
    return node;
}

const xmlNode *
xml_child(const xmlNode *parent, const char *ns, const char *local)
{
    return named_from(xml_first(parent), ns, local);
}

const xmlNode *
xml_next_named(const xmlNode *node, const char *ns, const char *local)
{
    return named_from(xml_next(node), ns, local);
}

size_t
xml_count(const xmlNode *parent, const char *ns, const char *local)
{
    size_t n = 0;
    const xmlNode *child = xml_child(parent, ns, local);
    for (; child != NULL; child = xml_next_named(child, ns, local)) {
        n++;
    }
    return n;
}

struct status
xml_child_optional(const xmlNode *parent, const char *ns, const char *local, enum err code,
                   struct diag *diag, const xmlNode **ret_child)
{
    const xmlNode *const child = xml_child(parent, ns, local);
    if (child != NULL && xml_next_named(child, ns, local) != NULL) {
        return FAIL(diag, code, "line %ld: <%s> must not be repeated in <%s>", xmlGetLineNo(child),
                    local, (const char *)parent->name);
    }
    *ret_child = child;
    return OK;
}

struct status
xml_child_one(const xmlNode *parent, const char *ns, const char *local, enum err code,
              struct diag *diag, const xmlNode **ret_child)
{
    const xmlNode *child = NULL;
    TRY(xml_child_optional(parent, ns, local, code, diag, &child));
    if (child == NULL) {
        return FAIL(diag, code, "line %ld: <%s> in namespace '%s' is missing in <%.*s>",
                    parent == NULL ? 0L : xmlGetLineNo(parent), local, ns == NULL ? "" : ns,
                    SPAN_PRINT(xml_local_name(parent)));
    }
    *ret_child = child;
    return OK;
}

const xmlNode *
xml_walk(const xmlNode *node, const xmlNode *top)
{
    const xmlNode *const child = xml_first(node);
    if (child != NULL) {
        return child;
    }
    while (node != NULL && node != top) {
        const xmlNode *const next = xml_next(node);
        if (next != NULL) {
            return next;
        }
        node = node->parent;
    }
    return NULL;
}

bool
xml_is_blank(struct span text)
{
    return span_trim(text).n == 0;
}

bool
xml_has_element_content(const xmlNode *node)
{
    const xmlNode *child = node == NULL ? NULL : node->children;
    for (; child != NULL; child = child->next) {
        if (child->type == XML_TEXT_NODE &&
            !xml_is_blank(span_of_cstr((const char *)child->content))) {
            return false;
        }
    }
    return true;
}

/* ---- values ---- */

static struct status
check_text_children(const xmlNode *node, enum err code, struct diag *diag, size_t *ret_bytes)
{
    size_t bytes = 0;
    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        if (child->type != XML_TEXT_NODE) {
            return FAIL(diag, code, "line %ld: <%s> must hold text only, and has %s inside",
                        xmlGetLineNo(child), (const char *)node->name,
                        child->type == XML_ELEMENT_NODE ? "an element"
                                                        : "a comment or processing instruction");
        }
        bytes += strlen((const char *)child->content);
    }
    *ret_bytes = bytes;
    return OK;
}

struct status
xml_text(const xmlNode *node, enum err code, struct arena *arena, struct diag *diag,
         struct span *ret_text)
{
    size_t bytes = 0;
    if (node == NULL) {
        *ret_text = SPAN_EMPTY;
        return OK;
    }
    TRY(check_text_children(node, code, diag, &bytes));
    const xmlNode *child = node->children;
    if (child == NULL || child->next == NULL) {
        *ret_text = child == NULL ? SPAN_EMPTY : span_of((const char *)child->content, bytes);
        return OK;
    }
    char *joined = NULL;
    TRY(arena_alloc(arena, bytes + 1, diag, (void **)&joined));
    size_t at = 0;
    for (; child != NULL; child = child->next) {
        const size_t n = strlen((const char *)child->content);
        memcpy(joined + at, child->content, n);
        at += n;
    }
    *ret_text = span_of(joined, bytes);
    return OK;
}

struct status
xml_text_trimmed(const xmlNode *node, enum err code, struct arena *arena, struct diag *diag,
                 struct span *ret_text)
{
    struct span text;
    TRY(xml_text(node, code, arena, diag, &text));
    *ret_text = span_trim(text);
    return OK;
}

struct span
xml_attr_value(const xmlAttr *attr)
{
    /* One text node or none: xml_parse made sure. */
    return attr == NULL || attr->children == NULL
               ? SPAN_EMPTY
               : span_of_cstr((const char *)attr->children->content);
}

bool
xml_attr(const xmlNode *node, const char *ns, const char *local, struct span *ret_value)
{
    const xmlAttr *attr = node == NULL ? NULL : node->properties;
    for (; attr != NULL; attr = attr->next) {
        if (is_text((const char *)attr->name, local) && is_in(attr->ns, ns)) {
            *ret_value = xml_attr_value(attr);
            return true;
        }
    }
    return false;
}

struct span
xml_attr_text(const xmlNode *node, const char *local)
{
    struct span value;
    return xml_attr(node, NULL, local, &value) ? value : SPAN_EMPTY;
}
