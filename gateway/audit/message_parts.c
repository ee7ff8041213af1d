/*
 * The tree of an AuditMessage: built by the XML writer's calls, read by fhir.c. Called on the
 * thread of whoever renders; names are literals of the program, values are copied to the arena
 * because the renderer uses one scratch buffer for all of them.
 */
#include "audit/message_parts.h"

#include <assert.h>
#include <string.h>

static struct status
take_start(struct xmlw_sink *base, const char *name, struct diag *diag)
{
    struct part_sink *sink = (struct part_sink *)base;
    struct part *part = NULL;
    TRY(ARENA_NEW(sink->arena, diag, &part));
    part->name = name;
    part->parent = sink->at;
    if (sink->at->last == NULL) {
        sink->at->first = part;
    } else {
        sink->at->last->next = part;
    }
    sink->at->last = part;
    sink->at = part;
    return OK;
}

static struct status
take_attr(struct xmlw_sink *base, const char *name, struct span value, struct diag *diag)
{
    struct part_sink *sink = (struct part_sink *)base;
    struct part *part = sink->at;
    if (part->attrs_n == PART_ATTRS_MAX) {
        return FAIL(diag, ERR_INTERNAL, "<%s> has more than %d attributes", part->name,
                    PART_ATTRS_MAX);
    }
    TRY(arena_dup(sink->arena, value, diag, &part->attrs[part->attrs_n].value));
    part->attrs[part->attrs_n++].name = name;
    return OK;
}

static struct status
take_text(struct xmlw_sink *base, struct span text, struct diag *diag)
{
    struct part_sink *sink = (struct part_sink *)base;
    void *joined = NULL;
    if (text.n == 0) {
        return OK;
    }
    const struct span before = sink->at->text;
    TRY(arena_alloc(sink->arena, before.n + text.n, diag, &joined));
    if (before.n > 0) {
        memcpy(joined, before.p, before.n);
    }
    memcpy((char *)joined + before.n, text.p, text.n);
    sink->at->text = span_of(joined, before.n + text.n);
    return OK;
}

static struct status
take_end(struct xmlw_sink *base, struct diag *diag)
{
    struct part_sink *sink = (struct part_sink *)base;
    (void)diag;
    assert(sink->at->parent != NULL); /* the writer counts what is open */
    sink->at = sink->at->parent;
    return OK;
}

void
part_sink_init(struct part_sink *sink, struct arena *arena)
{
    *sink = (struct part_sink){
        .sink = {take_start, take_attr, take_text, take_end}, .arena = arena, .root = {.name = ""}};
    sink->at = &sink->root;
}

static const struct part *
find(const struct part *from, const char *name)
{
    while (from != NULL && strcmp(from->name, name) != 0) {
        from = from->next;
    }
    return from;
}

const struct part *
part_child(const struct part *part, const char *name)
{
    return find(part->first, name);
}

const struct part *
part_next(const struct part *part, const char *name)
{
    return find(part->next, name);
}

bool
part_has_attr(const struct part *part, const char *name)
{
    for (size_t i = 0; part != NULL && i < part->attrs_n; i++) {
        if (strcmp(part->attrs[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

struct span
part_attr(const struct part *part, const char *name)
{
    for (size_t i = 0; part != NULL && i < part->attrs_n; i++) {
        if (strcmp(part->attrs[i].name, name) == 0) {
            return part->attrs[i].value;
        }
    }
    return SPAN_EMPTY;
}
