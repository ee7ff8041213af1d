/*
 * From the records of base/registry.h to ebRIM objects, by the tables of rim_layout.c. Called by
 * the writers of answers and submissions; any thread; owns nothing.
 */
#include <inttypes.h>
#include <stddef.h>

#include "base/ids.h"
#include "soap/rim_author.h"

struct maker {
    const struct rim_layout *layout;
    struct arena *arena;
    struct diag *diag;
    struct rim_object *object;
};

/* REQ: META-object-ids */
static struct status
new_id(const struct maker *m, struct span *ret_id)
{
    char uuid[UUID_TEXT];
    uuid_new(uuid);
    return arena_printf(m->arena, m->diag, ret_id, "urn:uuid:%s", uuid);
}

static struct status
add_slot(const struct maker *m, struct rim_slot_list *slots, struct span name,
         const struct span *values, size_t n)
{
    struct rim_slot slot = {.name = name};
    for (size_t i = 0; i < n; i++) {
        if (values[i].n > 0) {
            TRY(ARENA_PUSH(m->arena, m->diag, &slot.values, values[i]));
        }
    }
    return slot.values.n == 0 ? OK : ARENA_PUSH(m->arena, m->diag, slots, slot);
}

static struct status
add_size(const struct maker *m, const void *record)
{
    const struct document_entry *const entry = record;
    struct span text;
    if (m->layout->size == RIM_NONE || !entry->has_size) {
        return OK;
    }
    TRY(arena_printf(m->arena, m->diag, &text, "%" PRIu64, entry->size));
    return add_slot(m, &m->object->slots, SPAN(RIM_SLOT_SIZE), &text, 1);
}

static struct status
add_slots(const struct maker *m, const void *record)
{
    struct rim_slot_list *slots = &m->object->slots;
    for (size_t i = 0; i < m->layout->slots.n; i++) {
        const struct rim_row *row = &m->layout->slots.items[i];
        const struct span name = span_of_cstr(row->key);
        if (row->shape == RIM_ONE) {
            TRY(add_slot(m, slots, name, rim_member(record, row->offset), 1));
        } else {
            const struct span_list *list = rim_member(record, row->offset);
            TRY(add_slot(m, slots, name, list->items, list->n));
        }
    }
    TRY(add_size(m, record));
    const struct extra_slot_list *extra = rim_member(record, m->layout->extra);
    for (size_t i = 0; i < extra->n; i++) {
        TRY(add_slot(m, slots, extra->items[i].name, extra->items[i].values.items,
                     extra->items[i].values.n));
    }
    return OK;
}

/* REQ: META-codes */
static struct status
add_code(const struct maker *m, const char *scheme, const struct code *code)
{
    struct rim_classification c = {
        .scheme = span_of_cstr(scheme),
        .object = m->object->id,
        .node = code->value,
        .name = code->display,
    };
    if (code->value.n == 0) {
        return OK;
    }
    TRY(new_id(m, &c.id));
    TRY(add_slot(m, &c.slots, SPAN(RIM_SLOT_SCHEME), &code->scheme, 1));
    return ARENA_PUSH(m->arena, m->diag, &m->object->classifications, c);
}

static struct status
add_codes(const struct maker *m, const void *record)
{
    for (size_t i = 0; i < m->layout->codes.n; i++) {
        const struct rim_row *row = &m->layout->codes.items[i];
        if (row->shape == RIM_ONE) {
            TRY(add_code(m, row->key, rim_member(record, row->offset)));
            continue;
        }
        const struct code_list *list = rim_member(record, row->offset);
        for (size_t k = 0; k < list->n; k++) {
            TRY(add_code(m, row->key, &list->items[k]));
        }
    }
    return OK;
}

static struct status
add_author_part(const struct maker *m, const struct rim_author_row *row,
                const struct author *author, struct rim_slot_list *slots)
{
    const struct span *first = rim_member(author, row->offset);
    struct span_list all = {.items = NULL};
    if (row->more == RIM_NONE) {
        return add_slot(m, slots, span_of_cstr(row->slot), first, 1);
    }
    const struct span_list *more = rim_member(author, row->more);
    TRY(ARENA_PUSH(m->arena, m->diag, &all, *first));
    for (size_t i = 0; i < more->n; i++) {
        TRY(ARENA_PUSH(m->arena, m->diag, &all, more->items[i]));
    }
    return add_slot(m, slots, span_of_cstr(row->slot), all.items, all.n);
}

/* An author is a classification without a node; its parts are slots. */
/* REQ: META-author */
static struct status
add_author(const struct maker *m, const struct author *author)
{
    struct rim_classification c = {.scheme = span_of_cstr(m->layout->author_scheme),
                                   .object = m->object->id};
    for (size_t i = 0; i < RIM_AUTHOR_ROWS; i++) {
        TRY(add_author_part(m, &rim_author_rows[i], author, &c.slots));
    }
    if (c.slots.n == 0) {
        return OK;
    }
    TRY(new_id(m, &c.id));
    return ARENA_PUSH(m->arena, m->diag, &m->object->classifications, c);
}

static struct status
add_authors(const struct maker *m, const void *record)
{
    if (m->layout->authors == RIM_NONE) {
        return OK;
    }
    const struct author_list *authors = rim_member(record, m->layout->authors);
    for (size_t i = 0; i < authors->n; i++) {
        TRY(add_author(m, &authors->items[i]));
    }
    return OK;
}

/* What it is (SubmissionSet, Folder), or that its metadata is limited. */
static struct status
add_node(const struct maker *m, const char *node)
{
    struct rim_classification c = {.class_node = span_of_cstr(node), .object = m->object->id};
    TRY(new_id(m, &c.id));
    return ARENA_PUSH(m->arena, m->diag, &m->object->classifications, c);
}

static struct status
add_nodes(const struct maker *m, const void *record)
{
    const struct rim_layout *layout = m->layout;
    if (layout->class_node != NULL) {
        TRY(add_node(m, layout->class_node));
    }
    if (layout->is_limited == RIM_NONE) {
        return OK;
    }
    const bool *is_limited = rim_member(record, layout->is_limited);
    return *is_limited ? add_node(m, layout->limited_node) : OK;
}

/* REQ: META-identifiers */
static struct status
add_identifiers(const struct maker *m, const void *record)
{
    for (size_t i = 0; i < m->layout->identifiers.n; i++) {
        const struct rim_row *row = &m->layout->identifiers.items[i];
        const struct span *value = rim_member(record, row->offset);
        struct rim_identifier identifier = {
            .object = m->object->id,
            .scheme = span_of_cstr(row->key),
            .value = *value,
            .name = span_of_cstr(row->name),
        };
        if (value->n > 0) {
            TRY(new_id(m, &identifier.id));
            TRY(ARENA_PUSH(m->arena, m->diag, &m->object->identifiers, identifier));
        }
    }
    return OK;
}

/* REQ: META-entry */
struct status
rim_from_record(const struct rim_layout *layout, const void *record, struct arena *arena,
                struct diag *diag, struct rim_object *ret_object)
{
    struct rim_object object = {.object_type = span_of_cstr(layout->object_type)};
    const struct maker m = {layout, arena, diag, &object};
    for (size_t i = 0; i < layout->attributes.n; i++) {
        const struct rim_row *row = &layout->attributes.items[i];
        const struct span *value = rim_member(record, row->offset);
        *rim_attribute(&object, row->key) = *value;
    }
    TRY(add_slots(&m, record));
    TRY(add_authors(&m, record));
    TRY(add_codes(&m, record));
    TRY(add_nodes(&m, record));
    TRY(add_identifiers(&m, record));
    *ret_object = object;
    return OK;
}
