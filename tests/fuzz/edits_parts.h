/*
 * What the files of edits.h share. Thread: one.
 */
#ifndef FUZZ_EDITS_PARTS_H
#define FUZZ_EDITS_PARTS_H

#include "fuzz/edits.h"

#define EDIT_NODES_MAX 2048

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
    EDIT_PARTS,
    EDIT_KINDS
};

struct edit {
    enum edit_kind kind;
    uint16_t node, other;
    uint8_t choice, detail, place;
};

struct edit_work {
    xmlDoc *doc;
    xmlNode *top;
    xmlNode *taken; /* unlinked nodes, by ->next */
    xmlNode *nodes[EDIT_NODES_MAX];
    size_t n;
};

/* ---- edits.c ---- */
/* Out of the tree, and kept: others may name its namespaces. */
void edit_take_out(struct edit_work *work, xmlNode *node);
/* First or last child of <at>, or before or after it. Never a text: those are merged and freed. */
void edit_put(const struct edit_work *work, xmlNode *node, xmlNode *at, unsigned place);
/* A declaration of <href> that <node> can see, made when there is none; NULL for none. */
xmlNs *edit_space(const struct edit_work *work, xmlNode *node, const char *href);
/* Element number <n> (modulo their number) of the tree below <top>. */
const xmlNode *edit_nth_element(const xmlNode *top, unsigned n);

/* ---- edits_values.c ---- */
const char *edit_name(uint8_t choice);
const char *edit_space_name(uint8_t choice);
/* Texts that were there are kept like nodes that are taken out. */
void edit_set_text(struct edit_work *work, xmlNode *node, const char *text);
void edit_set_attribute(const xmlAttr *attr, const char *value);
void edit_apply_value(struct edit_work *work, const struct edit_scene *scene,
                      const struct edit *edit, xmlNode *node, const xmlNode *other);

/* ---- edits_parts.c ---- */
void edit_take_parts(struct edit_work *work, const struct edit_scene *scene,
                     const struct edit *edit);

#endif
