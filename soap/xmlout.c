/*
 * A subtree as XML that stands alone: for the typed codec, for the audit record, for objects that
 * are passed through. Called by soap/'s codecs. Nothing of the tree is changed (libxml2's own
 * writers would have to add namespace declarations to it).
 */
#include <string.h>

#include "soap/xml.h"

enum place { PLACE_TEXT = 1, PLACE_ATTRIBUTE = 2 };

/* Where a run of plain characters ends, by place. */
static const unsigned char ends_run[256] = {
    ['\0'] = PLACE_TEXT | PLACE_ATTRIBUTE,
    ['\t'] = PLACE_ATTRIBUTE,
    ['\n'] = PLACE_ATTRIBUTE,
    ['\r'] = PLACE_TEXT | PLACE_ATTRIBUTE,
    ['"'] = PLACE_ATTRIBUTE,
    ['&'] = PLACE_TEXT | PLACE_ATTRIBUTE,
    ['<'] = PLACE_TEXT | PLACE_ATTRIBUTE,
    ['>'] = PLACE_TEXT,
};

/* Text that stood in a tree is made of XML characters: only what would be markup is escaped
 * (Canonical XML 1.0 section 2.3). */
static struct status
put_escaped(struct buf *out, const char *text, enum place place, struct diag *diag)
{
    while (*text != '\0') {
        const char *const start = text;
        while ((ends_run[(unsigned char)*text] & place) == 0) {
            text++;
        }
        TRY(buf_append(out, span_of(start, (size_t)(text - start)), diag));
        if (*text != '\0') {
            const char *const name = *text == '&'   ? "&amp;"
                                     : *text == '<' ? "&lt;"
                                     : *text == '>' ? "&gt;"
                                     : *text == '"' ? "&quot;"
                                                    : NULL;
            TRY(name != NULL ? buf_append_cstr(out, name, diag)
                             : buf_printf(out, diag, "&#x%X;", (unsigned)*text));
            text++;
        }
    }
    return OK;
}

static struct status
put_name(struct buf *out, const xmlNs *ns, const xmlChar *local, struct diag *diag)
{
    if (ns != NULL && ns->prefix != NULL) {
        TRY(buf_append_cstr(out, (const char *)ns->prefix, diag));
        TRY(buf_append_char(out, ':', diag));
    }
    return buf_append_cstr(out, (const char *)local, diag);
}

static struct status
put_namespace(struct buf *out, const xmlNs *ns, struct diag *diag)
{
    TRY(buf_append_cstr(out, ns->prefix == NULL ? " xmlns" : " xmlns:", diag));
    TRY(buf_append_cstr(out, ns->prefix == NULL ? "" : (const char *)ns->prefix, diag));
    TRY(buf_append_cstr(out, "=\"", diag));
    TRY(put_escaped(out, ns->href == NULL ? "" : (const char *)ns->href, PLACE_ATTRIBUTE, diag));
    return buf_append_char(out, '"', diag);
}

/* Is <ns>, declared above <top>, hidden by a declaration of the same prefix below it? */
static bool
is_hidden(const xmlNs *ns, const xmlNode *declared_at, const xmlNode *top)
{
    for (const xmlNode *node = top; node != declared_at; node = node->parent) {
        for (const xmlNs *other = node->nsDef; other != NULL; other = other->next) {
            if (xmlStrEqual(other->prefix, ns->prefix)) {
                return true;
            }
        }
    }
    return false;
}

static struct status
put_inherited_namespaces(struct buf *out, const xmlNode *top, struct diag *diag)
{
    for (const xmlNode *node = top->parent; node != NULL && node->type == XML_ELEMENT_NODE;
         node = node->parent) {
        for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next) {
            const bool is_undone = ns->prefix == NULL && (ns->href == NULL || *ns->href == '\0');
            if (!is_undone && !is_hidden(ns, node, top)) {
                TRY(put_namespace(out, ns, diag));
            }
        }
    }
    return OK;
}

static const struct xml_edit *
find_edit(const struct xml_edits *edits, const xmlNode *node, const xmlAttr *attr)
{
    for (size_t i = 0; i < edits->n; i++) {
        if (edits->items[i].node == node && attr->ns == NULL &&
            xmlStrEqual(attr->name, (const xmlChar *)edits->items[i].attribute)) {
            return &edits->items[i];
        }
    }
    return NULL;
}

static struct status
put_attribute(struct buf *out, const xmlNs *ns, const xmlChar *name, const char *value,
              struct diag *diag)
{
    TRY(buf_append_char(out, ' ', diag));
    TRY(put_name(out, ns, name, diag));
    TRY(buf_append_cstr(out, "=\"", diag));
    if (value != NULL) {
        TRY(put_escaped(out, value, PLACE_ATTRIBUTE, diag));
    }
    return buf_append_char(out, '"', diag);
}

/* Those whose element has no such attribute. */
static struct status
put_new_attributes(struct buf *out, const xmlNode *node, const struct xml_edits *edits,
                   struct diag *diag)
{
    for (size_t i = 0; i < edits->n; i++) {
        const struct xml_edit *const edit = &edits->items[i];
        struct span ignored;
        if (edit->node == node && !xml_attr(node, NULL, edit->attribute, &ignored)) {
            TRY(put_attribute(out, NULL, (const xmlChar *)edit->attribute, edit->value, diag));
        }
    }
    return OK;
}

static struct status
put_start(struct buf *out, const xmlNode *node, bool is_top, const struct xml_edits *edits,
          struct diag *diag)
{
    TRY(buf_append_char(out, '<', diag));
    TRY(put_name(out, node->ns, node->name, diag));
    for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next) {
        TRY(put_namespace(out, ns, diag));
    }
    if (is_top) {
        TRY(put_inherited_namespaces(out, node, diag));
    }
    for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
        const struct xml_edit *const edit = find_edit(edits, node, attr);
        const char *const own =
            attr->children == NULL ? NULL : (const char *)attr->children->content;
        TRY(put_attribute(out, attr->ns, attr->name, edit == NULL ? own : edit->value, diag));
    }
    TRY(put_new_attributes(out, node, edits, diag));
    return buf_append_char(out, '>', diag);
}

static struct status
put_end(struct buf *out, const xmlNode *node, struct diag *diag)
{
    TRY(buf_append_cstr(out, "</", diag));
    TRY(put_name(out, node->ns, node->name, diag));
    return buf_append_char(out, '>', diag);
}

/* Without recursion: the depth of a tree never becomes depth of our stack. */
struct status
xml_serialise_edited(const xmlNode *top, const struct xml_edits *edits, struct buf *out,
                     struct diag *diag)
{
    const xmlNode *node = top;
    TRY(put_start(out, top, true, edits, diag));
    for (;;) {
        const xmlNode *next = node->type == XML_ELEMENT_NODE ? node->children : NULL;
        while (next == NULL) {
            if (node->type == XML_ELEMENT_NODE) {
                TRY(put_end(out, node, diag));
            }
            if (node == top) {
                return OK;
            }
            next = node->next;
            node = next == NULL ? node->parent : node;
        }
        node = next;
        if (node->type == XML_ELEMENT_NODE) {
            TRY(put_start(out, node, false, edits, diag));
        } else if (node->type == XML_TEXT_NODE) {
            TRY(put_escaped(out, (const char *)node->content, PLACE_TEXT, diag));
        }
    }
}

struct status
xml_serialise(const xmlNode *top, struct buf *out, struct diag *diag)
{
    return xml_serialise_edited(top, &(struct xml_edits){.n = 0}, out, diag);
}
