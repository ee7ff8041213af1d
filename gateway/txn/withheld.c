/*
 * See the header. Called while answers to stored queries are read, and when sources are judged; on
 * workers. Texts of objects are our own serialisation (soap/xml.h): attributes in double quotes,
 * with a space before each, nothing written as a character reference that could be in an id.
 */
#include "txn/withheld.h"

#include <stdlib.h>

/* Associations of Associations of ... that nobody honest makes: then none is given. */
#define PASSES_MAX 8

/* ---- ids ---- */

static const char urn_uuid[] = "urn:uuid:";

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int
compare_ids(const void *a, const void *b)
{
    const struct span one = *(const struct span *)a, other = *(const struct span *)b;
    const size_t n = one.n < other.n ? one.n : other.n;

    for (size_t i = 0; i < n; i++) {
        const int order = (int)lower(one.p[i]) - (int)lower(other.p[i]);

        if (order != 0) {
            return order;
        }
    }
    return one.n < other.n ? -1 : one.n > other.n ? 1 : 0;
}

static struct span
core_of(struct span id)
{
    const struct span prefix = span_slice(id, 0, sizeof(urn_uuid) - 1);

    return span_eq_nocase(prefix, SPAN(urn_uuid)) ? span_slice(id, prefix.n, SIZE_MAX) : id;
}

struct status
withheld_add(struct span_list *withheld, struct span id, struct arena *arena, struct diag *diag)
{
    const struct span core = core_of(span_trim(id));

    return core.n == 0 ? OK : ARENA_PUSH(arena, diag, withheld, core);
}

struct status
withheld_add_all(struct span_list *withheld, const struct span_list *ids, struct arena *arena,
                 struct diag *diag)
{
    for (size_t i = 0; i < ids->n; i++) {
        TRY(withheld_add(withheld, ids->items[i], arena, diag));
    }
    return OK;
}

struct status
withheld_add_document(struct span_list *withheld, const struct document_entry *entry,
                      struct arena *arena, struct diag *diag)
{
    TRY(withheld_add(withheld, entry->entry_uuid, arena, diag));
    return withheld_add(withheld, entry->unique_id, arena, diag);
}

void
withheld_sort(struct span_list *withheld)
{
    if (withheld->n > 1) {
        qsort(withheld->items, withheld->n, sizeof(withheld->items[0]), compare_ids);
    }
}

bool
withheld_has(const struct span_list *withheld, struct span id)
{
    const struct span core = core_of(span_trim(id));

    return core.n > 0 && withheld->n > 0 &&
           bsearch(&core, withheld->items, withheld->n, sizeof(withheld->items[0]), compare_ids) !=
               NULL;
}

/* ---- texts ---- */

/* What UUIDs, OIDs, urn:uuid: and OID^extension are made of. */
static bool
is_of_word(char c)
{
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '.' ||
           c == ':' || c == '^' || c == '_';
}

bool
withheld_is_named(const struct span_list *withheld, struct span text)
{
    size_t from = 0;

    for (size_t i = 0; withheld->n > 0 && i <= text.n; i++) {
        if (i < text.n && is_of_word(text.p[i])) {
            continue;
        }
        if (i > from && withheld_has(withheld, span_slice(text, from, i - from))) {
            return true;
        }
        from = i + 1;
    }
    return false;
}

/* All values of the attribute home, whatever element it is of. */
static bool
may_name_attributes(const struct asking *asking, struct leg *leg, struct span text)
{
    static const char mark[] = " home=\"";
    size_t at;

    while ((at = span_find(text, SPAN(mark))) != SPAN_MISSING) {
        text = span_slice(text, at + sizeof(mark) - 1, SIZE_MAX);
        const struct span home = span_slice(text, 0, span_find_char(text, '"'));

        if (span_trim(home).n > 0 && !leg_may_name(asking, leg, span_trim(home))) {
            return false;
        }
    }
    return true;
}

/* All values of slots homeCommunityId. */
static bool
may_name_slots(const struct asking *asking, struct leg *leg, struct span text)
{
    static const char mark[] = "\"homeCommunityId\"", urn[] = "urn:oid:";
    size_t at;

    while ((at = span_find(text, SPAN(mark))) != SPAN_MISSING) {
        text = span_slice(text, at + sizeof(mark) - 1, SIZE_MAX);
        struct span values = span_slice(text, 0, span_find(text, SPAN("Slot>")));

        while ((at = span_find(values, SPAN(urn))) != SPAN_MISSING) {
            values = span_slice(values, at, SIZE_MAX);
            const struct span home = span_slice(values, 0, span_find_char(values, '<'));

            if (!leg_may_name(asking, leg, span_trim(home))) {
                return false;
            }
            values = span_slice(values, sizeof(urn) - 1, SIZE_MAX);
        }
    }
    return true;
}

bool
withheld_may_take_other(const struct asking *asking, struct leg *leg, struct span text)
{
    return may_name_attributes(asking, leg, text) && may_name_slots(asking, leg, text);
}

/* ---- what goes with them ---- */

static struct status
take_once(struct span_list *withheld, struct arena *arena, struct diag *diag,
          struct association_list *associations)
{
    const size_t before = associations->n;
    struct span_list gone = {0};
    size_t kept = 0;

    for (size_t i = 0; i < before; i++) {
        const struct association *association = &associations->items[i];

        if (withheld_has(withheld, association->source) ||
            withheld_has(withheld, association->target)) {
            TRY(ARENA_PUSH(arena, diag, &gone, association->entry_uuid));
        } else {
            associations->items[kept++] = *association;
        }
    }
    associations->n = kept;
    TRY(withheld_add_all(withheld, &gone, arena, diag));
    withheld_sort(withheld);
    return OK;
}

struct status
withheld_take_along(struct span_list *withheld, struct arena *arena, struct diag *diag,
                    struct registry_objects *objects)
{
    struct span_list *others = &objects->others;
    size_t before, kept = 0, passes = 0;

    withheld_sort(withheld);
    do {
        before = objects->associations.n;
        TRY(take_once(withheld, arena, diag, &objects->associations));
    } while (objects->associations.n < before && ++passes < PASSES_MAX);
    if (passes == PASSES_MAX) {
        objects->associations.n = 0;
    }
    for (size_t i = 0; i < others->n; i++) {
        if (!withheld_is_named(withheld, others->items[i])) {
            others->items[kept++] = others->items[i];
        }
    }
    others->n = kept;
    return OK;
}
