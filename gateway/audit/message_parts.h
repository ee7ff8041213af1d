/*
 * An AuditMessage as a small tree instead of XML, for whoever renders the same facts in another
 * form (fhir.c). Made by message_write through a sink of base/xmlw.h, so there is one place only
 * that knows which rows an event has. Everything lives in the caller's arena. Thread: one at a
 * time.
 */
#ifndef AUDIT_MESSAGE_PARTS_H
#define AUDIT_MESSAGE_PARTS_H

#include "base/arena.h"
#include "base/xmlw.h"

#define PART_ATTRS_MAX 8 /* an ActiveParticipant has six */

struct part {
    const char *name; /* of the element */
    struct {
        const char *name;
        struct span value;
    } attrs[PART_ATTRS_MAX];
    size_t attrs_n;
    struct span text;
    struct part *parent, *first, *last, *next; /* children in their order */
};

struct part_sink {
    struct xmlw_sink sink; /* first member */
    struct arena *arena;
    struct part root; /* nameless; what was told are its children */
    struct part *at;
};
void part_sink_init(struct part_sink *sink, struct arena *arena);

/* The first child of <part> with this name, or the next sibling of <part> with it; NULL: none. */
const struct part *part_child(const struct part *part, const char *name);
const struct part *part_next(const struct part *part, const char *name);
/* Empty when there is none, and for NULL. */
struct span part_attr(const struct part *part, const char *name);
bool part_has_attr(const struct part *part, const char *name);

#endif
