/*
 * From ebRIM objects to the records of base/registry.h, by the tables of rim_layout.c. Called by
 * the readers of answers and submissions on the thread that owns the arena; texts are copied to it.
 */
#include <stddef.h>

#include "soap/rim_author.h"

const struct rim_author_row rim_author_rows[RIM_AUTHOR_ROWS] = {
    {"authorPerson", offsetof(struct author, person), RIM_NONE},
    {"authorInstitution", offsetof(struct author, institution),
     offsetof(struct author, more_institutions)},
    {"authorRole", offsetof(struct author, role), offsetof(struct author, more_roles)},
    {"authorSpecialty", offsetof(struct author, specialty),
     offsetof(struct author, more_specialties)},
    {"authorTelecommunication", offsetof(struct author, telecom),
     offsetof(struct author, more_telecoms)},
};

struct taker {
    const struct rim_layout *layout;
    struct arena *arena;
    struct diag *diag;
    void *record;
};

/* A trimmed copy; what is there already stays, so that the first of several wins. */
static struct status
keep(const struct taker *t, struct span text, struct span *to)
{
    const struct span trimmed = span_trim(text);
    return to->n > 0 || trimmed.n == 0 ? OK : arena_dup(t->arena, trimmed, t->diag, to);
}

static struct span
first_value(const struct rim_slot *slot)
{
    for (size_t i = 0; i < slot->values.n; i++) {
        const struct span value = span_trim(slot->values.items[i]);
        if (value.n > 0) {
            return value;
        }
    }
    return SPAN_EMPTY;
}

static struct span
find_slot(const struct rim_slot_list *slots, const char *name)
{
    for (size_t i = 0; i < slots->n; i++) {
        if (span_eq_cstr(slots->items[i].name, name)) {
            return first_value(&slots->items[i]);
        }
    }
    return SPAN_EMPTY;
}

static struct status
take_values(const struct taker *t, const struct rim_slot *slot, struct span_list *list)
{
    for (size_t i = 0; i < slot->values.n; i++) {
        struct span value = SPAN_EMPTY;
        TRY(keep(t, slot->values.items[i], &value));
        if (value.n > 0) {
            TRY(ARENA_PUSH(t->arena, t->diag, list, value));
        }
    }
    return OK;
}

/* As it came. */
static struct status
take_extra(const struct taker *t, const struct rim_slot *slot)
{
    struct extra_slot_list *list = rim_member_of(t->record, t->layout->extra);
    struct extra_slot extra = {.name = SPAN_EMPTY};
    TRY(arena_dup(t->arena, slot->name, t->diag, &extra.name));
    for (size_t i = 0; i < slot->values.n; i++) {
        struct span value;
        TRY(arena_dup(t->arena, slot->values.items[i], t->diag, &value));
        TRY(ARENA_PUSH(t->arena, t->diag, &extra.values, value));
    }
    return ARENA_PUSH(t->arena, t->diag, list, extra);
}

static struct status
take_slot(const struct taker *t, const struct rim_slot *slot)
{
    if (t->layout->size != RIM_NONE && span_eq_cstr(slot->name, RIM_SLOT_SIZE)) {
        struct document_entry *const entry = t->record;
        entry->has_size = span_to_u64(first_value(slot), INT64_MAX, &entry->size);
        return OK;
    }
    for (size_t i = 0; i < t->layout->slots.n; i++) {
        const struct rim_row *row = &t->layout->slots.items[i];
        if (span_eq_cstr(slot->name, row->key)) {
            void *to = rim_member_of(t->record, row->offset);
            return row->shape == RIM_LIST ? take_values(t, slot, to)
                                          : keep(t, first_value(slot), to);
        }
    }
    return take_extra(t, slot);
}

static struct status
take_author_part(const struct taker *t, const struct rim_slot_list *slots,
                 const struct rim_author_row *row, struct author *author)
{
    struct span_list values = {.items = NULL};
    for (size_t i = 0; i < slots->n; i++) {
        if (span_eq_cstr(slots->items[i].name, row->slot)) {
            TRY(take_values(t, &slots->items[i], &values));
        }
    }
    if (values.n > 0) {
        *(struct span *)rim_member_of(author, row->offset) = values.items[0];
    }
    if (values.n > 1 && row->more != RIM_NONE) {
        *(struct span_list *)rim_member_of(author, row->more) =
            (struct span_list){values.items + 1, values.n - 1, values.n - 1};
    }
    return OK;
}

static struct status
take_author(const struct taker *t, const struct rim_classification *c)
{
    struct author_list *authors = rim_member_of(t->record, t->layout->authors);
    struct author author = {.person = SPAN_EMPTY};
    for (size_t i = 0; i < RIM_AUTHOR_ROWS; i++) {
        TRY(take_author_part(t, &c->slots, &rim_author_rows[i], &author));
    }
    return ARENA_PUSH(t->arena, t->diag, authors, author);
}

static struct status
take_code(const struct taker *t, const struct rim_classification *c, const struct rim_row *row)
{
    struct code code = {.value = SPAN_EMPTY};
    TRY(keep(t, c->node, &code.value));
    TRY(keep(t, find_slot(&c->slots, RIM_SLOT_SCHEME), &code.scheme));
    TRY(keep(t, c->name, &code.display));
    if (code.value.n == 0) {
        return OK;
    }
    if (row->shape == RIM_LIST) {
        struct code_list *list = rim_member_of(t->record, row->offset);
        return ARENA_PUSH(t->arena, t->diag, list, code);
    }
    struct code *to = rim_member_of(t->record, row->offset);
    *to = to->value.n > 0 ? *to : code;
    return OK;
}

static struct status
take_classification(const struct taker *t, const struct rim_classification *c)
{
    const struct rim_layout *layout = t->layout;
    if (layout->is_limited != RIM_NONE &&
        span_eq_cstr(span_trim(c->class_node), layout->limited_node)) {
        *(bool *)rim_member_of(t->record, layout->is_limited) = true;
        return OK;
    }
    if (layout->authors != RIM_NONE && span_eq_cstr(c->scheme, layout->author_scheme)) {
        return take_author(t, c);
    }
    for (size_t i = 0; i < layout->codes.n; i++) {
        if (span_eq_cstr(c->scheme, layout->codes.items[i].key)) {
            return take_code(t, c, &layout->codes.items[i]);
        }
    }
    return OK;
}

static struct status
take_identifier(const struct taker *t, const struct rim_identifier *identifier)
{
    for (size_t i = 0; i < t->layout->identifiers.n; i++) {
        const struct rim_row *row = &t->layout->identifiers.items[i];
        if (span_eq_cstr(identifier->scheme, row->key)) {
            return keep(t, identifier->value, rim_member_of(t->record, row->offset));
        }
    }
    return OK;
}

struct status
rim_add_classification(const struct rim_layout *layout,
                       const struct rim_classification *classification, struct arena *arena,
                       struct diag *diag, void *record)
{
    const struct taker t = {layout, arena, diag, record};
    return take_classification(&t, classification);
}

/* REQ: META-association */
struct status
rim_to_record(const struct rim_layout *layout, const struct rim_object *object, struct arena *arena,
              struct diag *diag, void *record)
{
    const struct taker t = {layout, arena, diag, record};
    struct rim_object from = *object;
    for (size_t i = 0; i < layout->attributes.n; i++) {
        const struct rim_row *row = &layout->attributes.items[i];
        TRY(keep(&t, *rim_attribute(&from, row->key), rim_member_of(record, row->offset)));
    }
    for (size_t i = 0; i < object->slots.n; i++) {
        TRY(take_slot(&t, &object->slots.items[i]));
    }
    for (size_t i = 0; i < object->classifications.n; i++) {
        TRY(take_classification(&t, &object->classifications.items[i]));
    }
    for (size_t i = 0; i < object->identifiers.n; i++) {
        TRY(take_identifier(&t, &object->identifiers.items[i]));
    }
    return OK;
}
