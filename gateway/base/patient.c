/*
 * Identifiers in their CX spelling and deep copies of patients. Called by the codecs, the merge and
 * the store; the thread that owns the arena. Texts of failures never hold an identifier of a
 * person.
 */
#include "base/patient.h"

#include <string.h>

#include "base/ids.h"

/* HL7 v2 delimiters and its escape character: an id that holds one cannot be spelled in CX here. */
static bool
has_delimiter(struct span text)
{
    static const char delimiters[] = "|^~\\&";
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7F ||
            span_find_char(SPAN(delimiters), text.p[i]) != SPAN_MISSING) {
            return true;
        }
    }
    return false;
}

struct status
ident_write_cx(struct arena *arena, const struct ident *id, struct diag *diag, struct span *ret_cx)
{
    if (id->extension.n == 0 || has_delimiter(id->extension)) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "an id for CX must have an extension without HL7 delimiters (| ^ ~ \\ &) and "
                    "control characters; this one has %zu bytes",
                    id->extension.n);
    }
    if (!oid_is_valid(id->root)) {
        return FAIL(diag, ERR_MESSAGE_CONTENT, "an id for CX must have an OID as its root");
    }
    return arena_printf(arena, diag, ret_cx, "%.*s^^^&%.*s&ISO", SPAN_PRINT(id->extension),
                        SPAN_PRINT(id->root));
}

/* The <n>-th part (from 0), empty when there are fewer. */
static struct span
part_of(struct span text, char separator, size_t n)
{
    struct span part = SPAN_EMPTY;
    for (size_t i = 0; i <= n; i++) {
        if (!span_split(&text, separator, &part)) {
            return SPAN_EMPTY;
        }
    }
    return part;
}

struct status
ident_read_cx(struct span cx, struct diag *diag, struct ident *ret_id)
{
    const struct span extension = part_of(cx, '^', 0);
    const struct span authority = part_of(cx, '^', 3);
    const struct span root = part_of(authority, '&', 1);
    const struct span type = part_of(authority, '&', 2);
    if (span_find_char(cx, '~') != SPAN_MISSING) {
        return FAIL(diag, ERR_MESSAGE_CONTENT, "one CX (id^^^&OID&ISO) expected, but it repeats");
    }
    if (extension.n == 0 || has_delimiter(extension)) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "CX (id^^^&OID&ISO) must start with an id without HL7 delimiters and escapes");
    }
    if (!span_eq(type, SPAN("ISO")) || !oid_is_valid(root)) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "the assigning authority of CX (id^^^&OID&ISO) must be an OID of type ISO");
    }
    *ret_id = (struct ident){root, extension, part_of(authority, '&', 0)};
    return OK;
}

bool
ident_eq(const struct ident *a, const struct ident *b)
{
    return span_eq(a->root, b->root) && span_eq(a->extension, b->extension);
}

/* Copies *text in place; what is absent stays absent. */
static struct status
own(struct arena *arena, struct diag *diag, struct span *text)
{
    if (text->n == 0) {
        *text = SPAN_EMPTY;
        return OK;
    }
    return arena_dup(arena, *text, diag, text);
}

/* Copies the array behind a list (any struct with items, n and capacity) in place; what its items
 * point to still belongs to the other arena. */
#define OWN_ITEMS(arena, diag, list)                                                               \
    own_items((arena), (diag), (list)->items, (list)->n, sizeof(*(list)->items),                   \
              (void **)&(list)->items, &(list)->capacity)
static struct status
own_items(struct arena *arena, struct diag *diag, const void *items, size_t n, size_t size,
          void **ret_items, size_t *ret_capacity)
{
    void *memory = NULL;
    if (n > 0) {
        TRY(arena_alloc_array(arena, n, size, diag, &memory));
        memcpy(memory, items, n * size);
    }
    memcpy(ret_items, &memory, sizeof(memory)); /* the list's pointer is not a void * */
    *ret_capacity = n;
    return OK;
}

static struct status
own_spans(struct arena *arena, struct diag *diag, struct span_list *list)
{
    TRY(OWN_ITEMS(arena, diag, list));
    for (size_t i = 0; i < list->n; i++) {
        TRY(own(arena, diag, &list->items[i]));
    }
    return OK;
}

static struct status
own_ids(struct arena *arena, struct diag *diag, struct ident_list *list)
{
    TRY(OWN_ITEMS(arena, diag, list));
    for (size_t i = 0; i < list->n; i++) {
        TRY(own(arena, diag, &list->items[i].root));
        TRY(own(arena, diag, &list->items[i].extension));
        TRY(own(arena, diag, &list->items[i].authority));
    }
    return OK;
}

static struct status
own_names(struct arena *arena, struct diag *diag, struct name_list *list)
{
    TRY(OWN_ITEMS(arena, diag, list));
    for (size_t i = 0; i < list->n; i++) {
        struct person_name *name = &list->items[i];
        TRY(own(arena, diag, &name->family));
        TRY(own_spans(arena, diag, &name->given));
        TRY(own(arena, diag, &name->prefix));
        TRY(own(arena, diag, &name->suffix));
        TRY(own(arena, diag, &name->use));
    }
    return OK;
}

static struct status
own_addresses(struct arena *arena, struct diag *diag, struct address_list *list)
{
    TRY(OWN_ITEMS(arena, diag, list));
    for (size_t i = 0; i < list->n; i++) {
        struct address *address = &list->items[i];
        TRY(own_spans(arena, diag, &address->street));
        TRY(own(arena, diag, &address->city));
        TRY(own(arena, diag, &address->state));
        TRY(own(arena, diag, &address->postal_code));
        TRY(own(arena, diag, &address->country));
        TRY(own(arena, diag, &address->use));
    }
    return OK;
}

static struct status
own_telecoms(struct arena *arena, struct diag *diag, struct telecom_list *list)
{
    TRY(OWN_ITEMS(arena, diag, list));
    for (size_t i = 0; i < list->n; i++) {
        TRY(own(arena, diag, &list->items[i].value));
        TRY(own(arena, diag, &list->items[i].use));
    }
    return OK;
}

struct status
patient_dup(struct arena *arena, const struct patient *from, struct diag *diag,
            struct patient *ret_patient)
{
    struct patient copy = *from; /* borrowed at first, then each part becomes our own */
    TRY(own_ids(arena, diag, &copy.ids));
    TRY(own_names(arena, diag, &copy.names));
    TRY(own(arena, diag, &copy.birth_time));
    TRY(own(arena, diag, &copy.sex));
    TRY(own_addresses(arena, diag, &copy.addresses));
    TRY(own_telecoms(arena, diag, &copy.telecoms));
    *ret_patient = copy;
    return OK;
}
