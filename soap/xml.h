/*
 * XML trees: the one parse of a message, and how the rest of soap/ walks what came out of it.
 *
 * A tree lives in the arena that it was parsed into, and is never changed after that: a node that
 * was verified is the node that is read. libxml2 never touches the network, the file system or
 * standard error; whatever it complains about ends in the struct diag of the call.
 * Names are compared as {namespace, local name}; a prefix means nothing here.
 * Thread: whoever owns the arena.
 */
#ifndef SOAP_XML_H
#define SOAP_XML_H

#include <libxml/tree.h>

#include "base/buf.h"
#include "soap/message.h"

/* Pre-scan, then parse. Comments and processing instructions stay in the tree (the signature code
 * must see them); CDATA sections become text. ERR_XML_DTD, ERR_XML_SYNTAX (also for a prefix
 * without a declaration), ERR_XML_ENCODING, ERR_LIMIT_XML, ERR_NO_MEMORY. */
MUST_CHECK struct status xml_parse(struct span bytes, const struct message_limits *limits,
                                   struct arena *arena, struct diag *diag, xmlDoc **ret_doc);
/* The same, and whether there is a processing instruction anywhere in the document. */
MUST_CHECK struct status xml_parse_message(struct span bytes, const struct message_limits *limits,
                                           struct arena *arena, struct diag *diag,
                                           bool *ret_has_instruction, xmlDoc **ret_doc);
const xmlNode *xml_root(const xmlDoc *doc);

/* ---- walking: elements only. NULL parents and nodes give NULL, false or the empty span. ---- */

/* <ns> NULL: in no namespace. */
bool xml_is(const xmlNode *node, const char *ns, const char *local);
struct span xml_local_name(const xmlNode *node);
struct span xml_namespace(const xmlNode *node);
const xmlNode *xml_first(const xmlNode *parent); /* the first child element */
const xmlNode *xml_next(const xmlNode *node);    /* the next sibling element */
/* The first child of that name; further ones by xml_next_named. */
const xmlNode *xml_child(const xmlNode *parent, const char *ns, const char *local);
const xmlNode *xml_next_named(const xmlNode *node, const char *ns, const char *local);
size_t xml_count(const xmlNode *parent, const char *ns, const char *local); /* children */
/* Exactly one child of that name, else <code>. */
MUST_CHECK struct status xml_child_one(const xmlNode *parent, const char *ns, const char *local,
                                       enum err code, struct diag *diag, const xmlNode **ret_child);
/* None (NULL) or one child of that name, else <code>. */
MUST_CHECK struct status xml_child_optional(const xmlNode *parent, const char *ns,
                                            const char *local, enum err code, struct diag *diag,
                                            const xmlNode **ret_child);
/* The element after <node> in document order that still lies inside <top>; NULL at the end. Starts
 * with <top> itself. */
const xmlNode *xml_walk(const xmlNode *node, const xmlNode *top);
bool xml_is_blank(struct span text); /* XML white space only */
/* No text between the child elements but white space. */
bool xml_has_element_content(const xmlNode *node);

/* ---- values ---- */

/* All text of an element, in order, as it stands. Any child that is not text (an element, a
 * comment) is <code>: a reader that stops at the first piece reads something else than was signed
 * (CVE-2018-0489). The empty span when there is none. */
MUST_CHECK struct status xml_text(const xmlNode *node, enum err code, struct arena *arena,
                                  struct diag *diag, struct span *ret_text);
/* The same without white space at the ends. */
MUST_CHECK struct status xml_text_trimmed(const xmlNode *node, enum err code, struct arena *arena,
                                          struct diag *diag, struct span *ret_text);
/* An attribute's value as it stands; <ns> NULL: the attribute has no namespace. False when absent.
 */
bool xml_attr(const xmlNode *node, const char *ns, const char *local, struct span *ret_value);
/* The same for one without namespace; the empty span when absent. */
struct span xml_attr_text(const xmlNode *node, const char *local);
/* The value of an attribute node. */
struct span xml_attr_value(const xmlAttr *attr);

/* The subtree as well-formed XML that stands alone: every namespace that is in scope is declared at
 * its top (also those that only values use, as in xsi:type="II"), comments and processing
 * instructions are left out. */
MUST_CHECK struct status xml_serialise(const xmlNode *node, struct buf *out, struct diag *diag);
/* The same with other values for some attributes without namespace: replaced, or added at the end.
 */
#define XML_EDITS_MAX ((size_t)4)
struct xml_edit {
    const xmlNode *node;
    const char *attribute, *value;
};
struct xml_edits {
    struct xml_edit items[XML_EDITS_MAX];
    size_t n;
};
MUST_CHECK struct status xml_serialise_edited(const xmlNode *node, const struct xml_edits *edits,
                                              struct buf *out, struct diag *diag);

/* What libxml2 and xmlsec complain about on this thread outside of a parse goes to <diag> from now
 * on (NULL: nowhere); gives the one from before, to be put back. */
struct diag *xml_complaints_to(struct diag *diag);
void xml_complain(const char *who, int code, const char *text); /* for their callbacks */

/* Once per process, before threads; part of soap_library_init. */
MUST_CHECK struct status xml_library_init(struct diag *diag);
void xml_library_done(void);

#endif
