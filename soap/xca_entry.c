/*
 * DocumentEntry to ExtrinsicObject and back. Called by xca_answer.c; any thread; owns nothing. What
 * stands where is in three tables (slots, classifications, external identifiers), used in both
 * directions, so that what is written is what is read.
 */
#include "soap/xca_entry.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/ids.h"

#define SCHEME_AUTHOR     "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"
#define SCHEME_PATIENT_ID "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
#define SCHEME_UNIQUE_ID  "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
#define SLOT_SIZE         "size"
#define SLOT_SCHEME       "codingScheme"

enum shape { ONE, LIST };

struct entry_row {
    const char *key; /* slot's name, or classificationScheme */
    size_t offset;
    enum shape shape;
};
#define ONE_OF(key, member)                                                                        \
    {                                                                                              \
        (key), offsetof(struct document_entry, member), ONE                                        \
    }
#define LIST_OF(key, member)                                                                       \
    {                                                                                              \
        (key), offsetof(struct document_entry, member), LIST                                       \
    }

/* struct span or struct span_list; in the order in which they are written. */
static const struct entry_row slot_rows[] = {
    ONE_OF("repositoryUniqueId", repository),
    ONE_OF("creationTime", creation_time),
    ONE_OF("serviceStartTime", service_start),
    ONE_OF("serviceStopTime", service_stop),
    ONE_OF("languageCode", language),
    ONE_OF("hash", hash),
    ONE_OF("URI", uri),
    ONE_OF("legalAuthenticator", legal_authenticator),
    ONE_OF("sourcePatientId", source_patient_id),
    LIST_OF("sourcePatientInfo", source_patient_info),
    LIST_OF("urn:ihe:iti:xds:2013:referenceIdList", reference_ids),
};

/* struct code or struct code_list. */
static const struct entry_row code_rows[] = {
    ONE_OF("urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a", class_code),
    LIST_OF("urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f", confidentiality),
    LIST_OF("urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4", event_codes),
    ONE_OF("urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d", format_code),
    ONE_OF("urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", facility_type),
    ONE_OF("urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead", practice_setting),
    ONE_OF("urn:uuid:f0306f51-975f-434e-a61c-c59651d33983", type_code),
};

static const struct {
    const char *slot;
    size_t offset; /* of a span in struct author */
} author_rows[] = {
    {"authorPerson", offsetof(struct author, person)},
    {"authorInstitution", offsetof(struct author, institution)},
    {"authorRole", offsetof(struct author, role)},
    {"authorSpecialty", offsetof(struct author, specialty)},
    {"authorTelecommunication", offsetof(struct author, telecom)},
};

/* The tables' offsets are of aligned members of the right type: nothing else uses these. */
static const void *
member(const void *record, size_t offset)
{
    return (const char *)record + offset;
}

static void *
member_of(void *record, size_t offset)
{
    return (char *)record + offset;
}

/* ---- writing ---- */

struct maker {
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
add_slot(const struct maker *m, struct rim_slot_list *slots, const char *name,
         const struct span *values, size_t n)
{
    struct rim_slot slot = {.name = span_of_cstr(name)};
    for (size_t i = 0; i < n; i++) {
        if (values[i].n > 0) {
            TRY(ARENA_PUSH(m->arena, m->diag, &slot.values, values[i]));
        }
    }
    return slot.values.n == 0 ? OK : ARENA_PUSH(m->arena, m->diag, slots, slot);
}

static struct status
add_entry_slots(const struct maker *m, const struct document_entry *entry)
{
    struct rim_slot_list *slots = &m->object->slots;
    for (size_t i = 0; i < ARRAY_LEN(slot_rows); i++) {
        const struct entry_row *row = &slot_rows[i];
        if (row->shape == ONE) {
            TRY(add_slot(m, slots, row->key, member(entry, row->offset), 1));
        } else {
            const struct span_list *list = member(entry, row->offset);
            TRY(add_slot(m, slots, row->key, list->items, list->n));
        }
    }
    if (entry->has_size) {
        struct span text;
        TRY(arena_printf(m->arena, m->diag, &text, "%" PRIu64, entry->size));
        TRY(add_slot(m, slots, SLOT_SIZE, &text, 1));
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
    TRY(add_slot(m, &c.slots, SLOT_SCHEME, &code->scheme, 1));
    return ARENA_PUSH(m->arena, m->diag, &m->object->classifications, c);
}

static struct status
add_codes(const struct maker *m, const struct document_entry *entry)
{
    for (size_t i = 0; i < ARRAY_LEN(code_rows); i++) {
        const struct entry_row *row = &code_rows[i];
        if (row->shape == ONE) {
            TRY(add_code(m, row->key, member(entry, row->offset)));
            continue;
        }
        const struct code_list *list = member(entry, row->offset);
        for (size_t k = 0; k < list->n; k++) {
            TRY(add_code(m, row->key, &list->items[k]));
        }
    }
    return OK;
}

/* An author is a classification without a node; its parts are slots. */
/* REQ: META-author */
static struct status
add_author(const struct maker *m, const struct author *author)
{
    struct rim_classification c = {.scheme = SPAN(SCHEME_AUTHOR), .object = m->object->id};
    for (size_t i = 0; i < ARRAY_LEN(author_rows); i++) {
        TRY(add_slot(m, &c.slots, author_rows[i].slot, member(author, author_rows[i].offset), 1));
    }
    if (c.slots.n == 0) {
        return OK;
    }
    TRY(new_id(m, &c.id));
    return ARENA_PUSH(m->arena, m->diag, &m->object->classifications, c);
}

/* REQ: META-identifiers */
static struct status
add_identifier(const struct maker *m, const char *scheme, const char *name, struct span value)
{
    struct rim_identifier identifier = {
        .object = m->object->id,
        .scheme = span_of_cstr(scheme),
        .value = value,
        .name = span_of_cstr(name),
    };
    if (value.n == 0) {
        return OK;
    }
    TRY(new_id(m, &identifier.id));
    return ARENA_PUSH(m->arena, m->diag, &m->object->identifiers, identifier);
}

/* REQ: META-entry */
struct status
entry_to_object(const struct document_entry *entry, struct arena *arena, struct diag *diag,
                struct rim_object *ret_object)
{
    struct rim_object object = {
        .id = entry->entry_uuid,
        .lid = entry->entry_uuid,
        .home = entry->home,
        .object_type = entry->object_type,
        .status = entry->status,
        .mime_type = entry->mime_type,
        .name = entry->title,
        .description = entry->comments,
    };
    const struct maker m = {.arena = arena, .diag = diag, .object = &object};
    if (entry->home.n == 0 || entry->entry_uuid.n == 0) {
        return FAIL(diag, ERR_INTERNAL, "a DocumentEntry of an answer has no %s",
                    entry->home.n == 0 ? "homeCommunityId" : "entryUUID");
    }
    TRY(add_entry_slots(&m, entry));
    for (size_t i = 0; i < entry->authors.n; i++) {
        TRY(add_author(&m, &entry->authors.items[i]));
    }
    TRY(add_codes(&m, entry));
    TRY(add_identifier(&m, SCHEME_PATIENT_ID, "XDSDocumentEntry.patientId", entry->patient_id));
    TRY(add_identifier(&m, SCHEME_UNIQUE_ID, "XDSDocumentEntry.uniqueId", entry->unique_id));
    *ret_object = object;
    return OK;
}

/* ---- reading ---- */

struct taker {
    struct arena *arena;
    struct diag *diag;
    struct document_entry *entry;
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

static struct status
take_slot(const struct taker *t, const struct rim_slot *slot)
{
    if (span_eq_cstr(slot->name, SLOT_SIZE)) {
        t->entry->has_size = span_to_u64(first_value(slot), INT64_MAX, &t->entry->size);
        return OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(slot_rows); i++) {
        void *to = member_of(t->entry, slot_rows[i].offset);
        if (span_eq_cstr(slot->name, slot_rows[i].key)) {
            return slot_rows[i].shape == LIST ? take_values(t, slot, to)
                                              : keep(t, first_value(slot), to);
        }
    }
    return OK;
}

static struct status
take_author(const struct taker *t, const struct rim_classification *c)
{
    struct author author = {.person = SPAN_EMPTY};
    for (size_t i = 0; i < ARRAY_LEN(author_rows); i++) {
        TRY(keep(t, find_slot(&c->slots, author_rows[i].slot),
                 member_of(&author, author_rows[i].offset)));
    }
    return ARENA_PUSH(t->arena, t->diag, &t->entry->authors, author);
}

static struct status
take_code(const struct taker *t, const struct rim_classification *c, const struct entry_row *row)
{
    struct code code = {.value = SPAN_EMPTY};
    TRY(keep(t, c->node, &code.value));
    TRY(keep(t, find_slot(&c->slots, SLOT_SCHEME), &code.scheme));
    TRY(keep(t, c->name, &code.display));
    if (code.value.n == 0) {
        return OK;
    }
    if (row->shape == LIST) {
        struct code_list *list = member_of(t->entry, row->offset);
        return ARENA_PUSH(t->arena, t->diag, list, code);
    }
    struct code *to = member_of(t->entry, row->offset);
    *to = to->value.n > 0 ? *to : code;
    return OK;
}

static struct status
take_classification(const struct taker *t, const struct rim_classification *c)
{
    if (span_eq_cstr(c->scheme, SCHEME_AUTHOR)) {
        return take_author(t, c);
    }
    for (size_t i = 0; i < ARRAY_LEN(code_rows); i++) {
        if (span_eq_cstr(c->scheme, code_rows[i].key)) {
            return take_code(t, c, &code_rows[i]);
        }
    }
    return OK;
}

static struct status
take_identifier(const struct taker *t, const struct rim_identifier *identifier)
{
    if (span_eq_cstr(identifier->scheme, SCHEME_PATIENT_ID)) {
        return keep(t, identifier->value, &t->entry->patient_id);
    }
    if (span_eq_cstr(identifier->scheme, SCHEME_UNIQUE_ID)) {
        return keep(t, identifier->value, &t->entry->unique_id);
    }
    return OK;
}

static struct status
take_attributes(const struct taker *t, const struct rim_object *object)
{
    TRY(keep(t, object->id, &t->entry->entry_uuid));
    TRY(keep(t, object->home, &t->entry->home));
    TRY(keep(t, object->object_type, &t->entry->object_type));
    TRY(keep(t, object->status, &t->entry->status));
    TRY(keep(t, object->mime_type, &t->entry->mime_type));
    TRY(keep(t, object->name, &t->entry->title));
    return keep(t, object->description, &t->entry->comments);
}

struct status
entry_from_object(const struct rim_object *object, struct arena *arena, struct diag *diag,
                  struct document_entry *ret_entry)
{
    struct document_entry entry = {.home = SPAN_EMPTY};
    const struct taker t = {.arena = arena, .diag = diag, .entry = &entry};
    TRY(take_attributes(&t, object));
    for (size_t i = 0; i < object->slots.n; i++) {
        TRY(take_slot(&t, &object->slots.items[i]));
    }
    for (size_t i = 0; i < object->classifications.n; i++) {
        TRY(take_classification(&t, &object->classifications.items[i]));
    }
    for (size_t i = 0; i < object->identifiers.n; i++) {
        TRY(take_identifier(&t, &object->identifiers.items[i]));
    }
    *ret_entry = entry;
    return OK;
}
