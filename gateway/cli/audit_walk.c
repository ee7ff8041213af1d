/*
 * Searching a journal without an index: every record is read and asked whether it fits. Called by
 * audit_search.c.
 */
#include "cli/audit_walk.h"

#include <string.h>

#include "base/mem.h"
#include "cli/audit_filter.h"

#define EVENT_ROOM    ((size_t)64 * 1024 * 1024)
#define RENDERED_ROOM ((size_t)64 * 1024 * 1024)

struct walk {
    struct audit_search *search;
    const struct audit_index_query *query;
    struct arena *arena;               /* of the places; NULL: they are only counted */
    struct audit_index_places *places; /* newest first: a ring of limit + 1 */
    uint64_t n;
    bool has_begun;                      /* behind <after>; newest first: not yet at it */
    const struct audit_writing *writing; /* not NULL: they are written at once */
    FILE *out;
    uint64_t written;
};

static struct status
write_record(struct walk *walk, const struct journal_record *record, struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;

    buf_init_secret(&text, RENDERED_ROOM);
    TRY(walk->writing->render(walk->writing, record, &text, diag));
    if (text.n > 0 && fwrite(text.p, 1, text.n, walk->out) != text.n) {
        return FAIL(diag, ERR_IO, "cannot write the output");
    }
    walk->written += text.n > 0 ? 1 : 0;
    return OK;
}

static struct status
keep_place(struct walk *walk, const struct journal_record *record, struct diag *diag)
{
    struct audit_index_place place = {.sequence = record->sequence};
    const size_t most = walk->query->limit + 1;

    (void)snprintf(place.chain, sizeof(place.chain), "%s", record->chain);
    walk->n++;
    if (walk->arena == NULL || (!walk->query->is_newest_first && walk->places->n == most)) {
        return OK;
    }
    if (walk->places->n < most) {
        return ARENA_PUSH(walk->arena, diag, walk->places, place);
    }
    walk->places->items[(walk->n - 1) % most] = place;
    return OK;
}

static bool
is_anchor(const struct walk *walk, const struct journal_record *record)
{
    return walk->query->after.sequence == record->sequence &&
           strcmp(walk->query->after.chain, record->chain) == 0;
}

static struct status
walk_record(struct walk *walk, const struct journal_record *record, struct diag *diag)
{
    struct audit_event event;
    bool is_one = false;
    struct arena *arena = arena_new(EVENT_ROOM);

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to read a record");
    }
    struct diag unread = {0};
    struct status st = audit_event_decode(record->payload, arena, &unread, &event);
    if (is_ok(st)) {
        st = audit_filter_matches(walk->query, record->time_us, &event, arena, diag, &is_one);
    } else {
        st = st.code == ERR_JOURNAL ? OK : FAIL(diag, st.code, "%s", unread.text);
    }
    if (is_anchor(walk, record)) {
        walk->has_begun = !walk->has_begun;
    } else if (is_ok(st) && is_one && walk->has_begun) {
        st = walk->writing != NULL ? write_record(walk, record, diag)
                                   : keep_place(walk, record, diag);
    }
    arena_free(arena);
    return st;
}

static struct status
walk_all(struct walk *walk, struct journal_reader *reader, struct diag *diag)
{
    struct journal_record record;
    bool has = true;

    while (has) {
        struct diag why = {0};
        const struct status st = journal_reader_next(reader, &why, &has, &record);

        if (st.code == ERR_JOURNAL) { /* said once for each chain; the others go on */
            cli_error(walk->search->view->command, &why);
            walk->search->has_failed = true;
            has = true;
            continue;
        }
        if (!is_ok(st)) {
            return FAIL(diag, st.code, "%s", why.text);
        }
        if (has) {
            TRY(walk_record(walk, &record, diag));
        }
    }
    return OK;
}

static struct status
walk_journal(struct walk *walk, struct diag *diag)
{
    struct journal_reader *reader = NULL;
    const bool has_after = walk->query->after.sequence > 0;

    walk->has_begun = !has_after || walk->query->is_newest_first;
    const bool begun = walk->has_begun;
    TRY(journal_reader_open(&walk->search->view->place, UINT64_MAX, diag, &reader));
    const struct status st = walk_all(walk, reader, diag);
    journal_reader_close(reader);
    TRY(st);
    if (has_after && walk->has_begun == begun) {
        return FAIL(diag, ERR_NOT_FOUND, "there is no record %s/%llu to go on behind",
                    walk->query->after.chain, (unsigned long long)walk->query->after.sequence);
    }
    return OK;
}

static void
turn_round(struct audit_index_place *items, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        const struct audit_index_place first = items[i];
        items[i] = items[n - 1 - i];
        items[n - 1 - i] = first;
    }
}

/* The newest came last, and the ring may begin anywhere. */
static void
order_newest_first(const struct walk *walk)
{
    const size_t n = walk->places->n;
    const size_t first = n == 0 ? 0 : (size_t)(walk->n % n); /* the oldest, when the ring is full */

    if (walk->n > n) {
        turn_round(walk->places->items, first);
        turn_round(walk->places->items + first, n - first);
    } else {
        turn_round(walk->places->items, n);
    }
}

struct status
audit_walk_find(struct audit_search *search, const struct audit_index_query *query,
                struct arena *arena, struct diag *diag, struct audit_index_places *ret_places,
                bool *ret_has_more)
{
    struct audit_index_places places = {0};
    struct walk walk = {.search = search, .query = query, .arena = arena, .places = &places};

    TRY(walk_journal(&walk, diag));
    if (query->is_newest_first) {
        order_newest_first(&walk);
    }
    *ret_has_more = places.n > query->limit;
    places.n = *ret_has_more ? query->limit : places.n;
    *ret_places = places;
    return OK;
}

struct status
audit_walk_count(struct audit_search *search, const struct audit_index_query *query,
                 struct diag *diag, uint64_t *ret_n)
{
    struct walk walk = {.search = search, .query = query};

    TRY(walk_journal(&walk, diag));
    *ret_n = walk.n;
    return OK;
}

struct status
audit_walk_write(struct audit_search *search, const struct audit_index_query *query,
                 const struct audit_writing *writing, FILE *out, struct diag *diag,
                 uint64_t *ret_written)
{
    struct walk walk = {.search = search, .query = query, .writing = writing, .out = out};

    TRY(walk_journal(&walk, diag));
    *ret_written = walk.written;
    return OK;
}
