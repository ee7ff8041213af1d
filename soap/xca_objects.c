/*
 * Objects to records (see the header). Called by xca_answer.c, xca_pieces.c and xdr.c on the thread
 * that owns the message. An object that other readers would read differently than we do is dropped,
 * or refused in a submission: see regrep_object_is_odd, and has_two_answers here.
 */
#include "soap/xca_objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define OBJECT_TEXT_MAX ((size_t)32 * 1024 * 1024)
#define OBJECT_ROOM     ((size_t)6 * 1024)

static struct status
odd(struct object_taker *t, const xmlNode *node, const char *why)
{
    if (t->is_strict) {
        return FAIL(t->diag, t->code, "an object <%s> %s", (const char *)node->name, why);
    }
    t->dropped++;
    return OK;
}

/* ---- what would be read differently ---- */

static bool
is_decisive_slot(struct span name)
{
    return span_eq_cstr(name, "repositoryUniqueId") || span_eq_cstr(name, "homeCommunityId");
}

/* The only value of all slots of that name; false when there are different ones. */
static bool
has_one_value(const struct rim_slot_list *slots, struct span name)
{
    struct span first = SPAN_EMPTY;
    for (size_t i = 0; i < slots->n; i++) {
        const struct span_list *const values = &slots->items[i].values;
        for (size_t k = 0; span_eq(slots->items[i].name, name) && k < values->n; k++) {
            const struct span value = span_trim(values->items[k]);
            if (first.p != NULL && !span_eq(first, value)) {
                return false;
            }
            first = value.n > 0 ? value : first;
        }
    }
    return true;
}

/* Which repository or community, or which of two patients or documents: whoever takes the last of
 * two values would read another one than we do. */
static bool
has_two_answers(const struct rim_object *object)
{
    const struct rim_identifier *const ids = object->identifiers.items;
    for (size_t i = 0; i < object->slots.n; i++) {
        const struct span name = object->slots.items[i].name;
        if (is_decisive_slot(name) && !has_one_value(&object->slots, name)) {
            return true;
        }
    }
    for (size_t i = 1; i < object->identifiers.n; i++) {
        for (size_t k = 0; k < i && k < 16; k++) {
            if (span_eq(ids[i].scheme, ids[k].scheme) &&
                !span_eq(span_trim(ids[i].value), span_trim(ids[k].value))) {
                return true;
            }
        }
    }
    return false;
}

/* ---- home, and the patient's other id ---- */

static struct status
edit(struct object_taker *t, struct xml_edits *edits, const xmlNode *node, const char *attribute,
     struct span value, struct span *to)
{
    struct span copy;
    if (edits->n == XML_EDITS_MAX) {
        return FAIL(t->diag, t->code, "an object names its patient %zu times", XML_EDITS_MAX);
    }
    TRY(arena_dup(t->scratch, value, t->diag, &copy));
    edits->items[edits->n++] = (struct xml_edit){node, attribute, copy.p};
    *to = copy;
    return OK;
}

static bool
is_patient_scheme(struct span scheme)
{
    static const struct rim_layout *const layouts[] = {&rim_document, &rim_submission_set,
                                                       &rim_folder};
    for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
        /* the first row of each is the patient's */
        if (span_eq_cstr(scheme, layouts[i]->identifiers.items[0].key)) {
            return true;
        }
    }
    return false;
}

static bool
is_same_patient(struct span a, struct span b)
{
    struct diag ignored = {.code = ERR_NONE};
    struct ident one, other;
    if (span_eq(a, b)) {
        return true;
    }
    return is_ok(ident_read_cx(a, &ignored, &one)) && is_ok(ident_read_cx(b, &ignored, &other)) &&
           ident_eq(&one, &other);
}

/* In the record and in the text, at the same places. */
static struct status
adapt(struct object_taker *t, const xmlNode *node, struct rim_object *object,
      struct xml_edits *edits)
{
    const struct query_reading *const reading = t->reading;
    const xmlNode *identifier = xml_child(node, NS_RIM, "ExternalIdentifier");
    if (reading->home.n > 0 && span_trim(object->home).n == 0) {
        TRY(edit(t, edits, node, "home", reading->home, &object->home));
    }
    for (size_t i = 0; reading->patient_to.n > 0 && i < object->identifiers.n; i++) {
        struct rim_identifier *const item = &object->identifiers.items[i];
        if (is_patient_scheme(item->scheme) &&
            is_same_patient(span_trim(item->value), reading->patient_from)) {
            TRY(edit(t, edits, identifier, "value", reading->patient_to, &item->value));
        }
        identifier = xml_next_named(identifier, NS_RIM, "ExternalIdentifier");
    }
    return OK;
}

/* ---- one object ---- */

static struct status
write_text(struct object_taker *t, const xmlNode *node, const struct xml_edits *edits,
           struct span *ret_text)
{
    CLEANUP(buf_done) struct buf text;
    char *room = NULL;
    buf_init_secret(&text, OBJECT_TEXT_MAX);
    TRY(buf_reserve(&text, OBJECT_ROOM, t->diag, &room)); /* so that most need not grow */
    TRY(xml_serialise_edited(node, edits, &text, t->diag));
    return arena_dup(t->facts, buf_span(&text), t->diag, ret_text);
}

static struct status
push(struct object_taker *t, const struct rim_layout *layout, const struct rim_object *object,
     struct span text)
{
    struct registry_objects *const to = &t->objects;
    if (layout == &rim_document) {
        struct document_entry entry = {.xml = text};
        TRY(rim_to_record(layout, object, t->facts, t->diag, &entry));
        return ARENA_PUSH(t->facts, t->diag, &to->documents, entry);
    }
    if (layout == &rim_submission_set) {
        struct submission_set set = {.xml = text};
        TRY(rim_to_record(layout, object, t->facts, t->diag, &set));
        return ARENA_PUSH(t->facts, t->diag, &to->submission_sets, set);
    }
    if (layout == &rim_folder) {
        struct folder folder = {.xml = text};
        TRY(rim_to_record(layout, object, t->facts, t->diag, &folder));
        return ARENA_PUSH(t->facts, t->diag, &to->folders, folder);
    }
    struct association association = {.xml = text};
    TRY(rim_to_record(layout, object, t->facts, t->diag, &association));
    return ARENA_PUSH(t->facts, t->diag, &to->associations, association);
}

struct status
objects_take(struct object_taker *t, const xmlNode *node, enum rim_kind kind,
             struct rim_object *object)
{
    const struct rim_layout *layout = NULL;
    struct xml_edits edits = {.n = 0};
    struct span text;
    if (!span_eq_cstr(xml_namespace(node), NS_RIM)) {
        return OK; /* no object of a registry (rim.xsd) */
    }
    if (regrep_object_is_odd(node)) {
        return odd(t, node, "holds what other readers would read differently");
    }
    if (object != NULL) {
        layout = kind == RIM_DOCUMENT      ? &rim_document
                 : kind == RIM_ASSOCIATION ? &rim_association
                                           : rim_package_layout(object);
        if (has_two_answers(object)) {
            return odd(t, node, "names its patient, document, repository or community twice");
        }
        TRY(adapt(t, node, object, &edits));
    }
    TRY(write_text(t, node, &edits, &text));
    if (layout == NULL) {
        return ARENA_PUSH(t->facts, t->diag, &t->objects.others, text);
    }
    return push(t, layout, object, text);
}

/* ---- classifications that stand beside their objects ---- */

static struct status
keep_slots(struct object_taker *t, const struct rim_slot_list *from, struct rim_slot_list *to)
{
    for (size_t i = 0; i < from->n; i++) {
        struct rim_slot slot = {.name = SPAN_EMPTY};
        TRY(arena_dup(t->facts, from->items[i].name, t->diag, &slot.name));
        for (size_t k = 0; k < from->items[i].values.n; k++) {
            struct span value;
            TRY(arena_dup(t->facts, from->items[i].values.items[k], t->diag, &value));
            TRY(ARENA_PUSH(t->facts, t->diag, &slot.values, value));
        }
        TRY(ARENA_PUSH(t->facts, t->diag, to, slot));
    }
    return OK;
}

struct status
objects_take_classification(struct object_taker *t, const xmlNode *node,
                            const struct rim_classification *from)
{
    struct rim_classification to = {.id = SPAN_EMPTY};
    const struct xml_edits none = {.n = 0};
    if (regrep_object_is_odd(node)) {
        return odd(t, node, "holds what other readers would read differently");
    }
    TRY(arena_dup(t->facts, span_trim(from->object), t->diag, &to.object));
    TRY(arena_dup(t->facts, from->scheme, t->diag, &to.scheme));
    TRY(arena_dup(t->facts, from->node, t->diag, &to.node));
    TRY(arena_dup(t->facts, from->class_node, t->diag, &to.class_node));
    TRY(arena_dup(t->facts, from->name, t->diag, &to.name));
    TRY(keep_slots(t, &from->slots, &to.slots));
    if (t->is_strict) { /* the submission goes on as it is */
        struct span text;
        TRY(write_text(t, node, &none, &text));
        TRY(ARENA_PUSH(t->facts, t->diag, &t->objects.classifications, text));
    }
    return ARENA_PUSH(t->facts, t->diag, &t->classifications, to);
}

struct place {
    struct span id;
    const struct rim_layout *layout;
    void *record;
};
struct place_list {
    struct place *items;
    size_t n, capacity;
};

static int
compare_places(const void *a, const void *b)
{
    const struct place *one = a, *other = b;
    return span_compare(one->id, other->id);
}

static struct status
add_place(struct object_taker *t, struct place_list *places, const struct rim_layout *layout,
          void *record)
{
    const struct span *const id = rim_member_of(record, layout->id);
    const struct place place = {*id, layout, record};
    return ARENA_PUSH(t->scratch, t->diag, places, place);
}

/* All objects, ordered by id. */
static struct status
list_places(struct object_taker *t, struct place_list *ret_places)
{
    struct registry_objects *const objects = &t->objects;
    for (size_t i = 0; i < objects->documents.n; i++) {
        TRY(add_place(t, ret_places, &rim_document, &objects->documents.items[i]));
    }
    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        TRY(add_place(t, ret_places, &rim_submission_set, &objects->submission_sets.items[i]));
    }
    for (size_t i = 0; i < objects->folders.n; i++) {
        TRY(add_place(t, ret_places, &rim_folder, &objects->folders.items[i]));
    }
    for (size_t i = 0; i < objects->associations.n; i++) {
        TRY(add_place(t, ret_places, &rim_association, &objects->associations.items[i]));
    }
    if (ret_places->n > 0) {
        qsort(ret_places->items, ret_places->n, sizeof(*ret_places->items), compare_places);
    }
    return OK;
}

static struct status
check_ids(const struct object_taker *t, const struct place_list *places)
{
    for (size_t i = 0; i < places->n; i++) {
        if (places->items[i].id.n == 0) {
            return FAIL(t->diag, t->code, "a %s has no id", places->items[i].layout->what);
        }
        if (i > 0 && span_eq(places->items[i - 1].id, places->items[i].id)) {
            return FAIL(t->diag, t->code, "two objects have one id: %s and %s",
                        places->items[i - 1].layout->what, places->items[i].layout->what);
        }
    }
    return OK;
}

/* What it says becomes the object's own: the text of an answer's object does not say it, so that
 * object is written from its record. */
static struct status
classify(struct object_taker *t, const struct place_list *places,
         const struct rim_classification *c)
{
    const struct place wanted = {.id = c->object};
    const struct place *const place =
        places->n == 0
            ? NULL
            : bsearch(&wanted, places->items, places->n, sizeof(*places->items), compare_places);
    if (place == NULL || (t->is_strict && place->layout->kind == RIM_PACKAGE)) {
        return OK; /* nobody's, or done when it was taken */
    }
    TRY(rim_add_classification(place->layout, c, t->facts, t->diag, place->record));
    if (!t->is_strict) {
        *(struct span *)rim_member_of(place->record, place->layout->xml) = SPAN_EMPTY;
    }
    return OK;
}

struct status
objects_finish(struct object_taker *t)
{
    struct place_list places = {.items = NULL};
    if (!t->is_strict && t->classifications.n == 0) {
        return OK;
    }
    TRY(list_places(t, &places));
    if (t->is_strict) {
        TRY(check_ids(t, &places));
    }
    for (size_t i = 0; i < t->classifications.n; i++) {
        TRY(classify(t, &places, &t->classifications.items[i]));
    }
    return OK;
}

/* ---- a list that gSOAP read ---- */

/* A submission mostly says beside its RegistryPackage that it is a SubmissionSet: what stands there
 * is the package's own before its kind is decided. */
static struct status
add_classifications(struct object_taker *t, const struct rim_classification_list *beside,
                    struct rim_object *package)
{
    for (size_t i = 0; i < beside->n; i++) {
        if (span_eq(span_trim(beside->items[i].object), span_trim(package->id))) {
            TRY(ARENA_PUSH(t->scratch, t->diag, &package->classifications, beside->items[i]));
        }
    }
    return OK;
}

struct cursor {
    size_t documents, packages, associations, classifications;
};

static struct status
take_next(struct object_taker *t, const xmlNode *node, const struct rim_list *records,
          struct cursor *at)
{
    const enum rim_kind kind = regrep_kind_of(node);
    const struct rim_object_list *const list = kind == RIM_DOCUMENT  ? &records->documents
                                               : kind == RIM_PACKAGE ? &records->packages
                                                                     : &records->associations;
    size_t *const i = kind == RIM_DOCUMENT  ? &at->documents
                      : kind == RIM_PACKAGE ? &at->packages
                                            : &at->associations;
    switch (kind) {
    case RIM_REF:
        return OK;
    case RIM_OTHER:
        return objects_take(t, node, kind, NULL);
    case RIM_CLASSIFICATION:
        if (at->classifications < records->classifications.n) {
            const size_t c = at->classifications++;
            return objects_take_classification(t, node, &records->classifications.items[c]);
        }
        break;
    case RIM_DOCUMENT:
    case RIM_PACKAGE:
    case RIM_ASSOCIATION:
        if (*i < list->n) {
            struct rim_object *const object = &list->items[(*i)++];
            if (t->is_strict && kind == RIM_PACKAGE) {
                TRY(add_classifications(t, &records->classifications, object));
            }
            return objects_take(t, node, kind, object);
        }
        break;
    }
    return FAIL(t->diag, ERR_INTERNAL, "gSOAP read fewer <%s> than the tree has",
                (const char *)node->name);
}

struct status
objects_take_list(struct object_taker *t, const xmlNode *list, const struct rim_list *records)
{
    struct cursor at = {0};
    for (const xmlNode *node = xml_first(list); node != NULL; node = xml_next(node)) {
        TRY(take_next(t, node, records, &at));
    }
    return OK;
}
