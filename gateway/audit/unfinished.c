/*
 * Intents that were left without an outcome, because the process that asked was killed or lost its
 * machine: each gets an outcome record that says so. Called on the program's thread, right after
 * journal_open; owns its table and nothing else.
 *
 * The table holds digests and sequences only, so that it stays small however much was going on; the
 * few events that are needed again are read again.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/chain.h"
#include "audit/journal_state.h"
#include "base/mem.h"

#define TABLE_FIRST ((size_t)1024) /* rows; a power of two */
#define EVENT_ROOM  ((size_t)RECORD_PAYLOAD_MAX * 4)

struct open_intent {
    uint64_t key[2];   /* of a SHA-256 */
    uint64_t sequence; /* of the intent's record; 0: the row is free */
};

struct table {
    struct open_intent *rows;
    size_t capacity, used;
};

/* ---- the table: open addressing, rows that follow move up when one goes ---- */

static size_t
place_of(const struct table *table, const uint64_t key[2])
{
    size_t at = (size_t)key[0] & (table->capacity - 1);
    while (table->rows[at].sequence != 0 &&
           memcmp(table->rows[at].key, key, sizeof(table->rows[at].key)) != 0) {
        at = (at + 1) & (table->capacity - 1);
    }
    return at;
}

static struct status
table_grow(struct table *table, struct diag *diag)
{
    struct table larger = {.capacity = table->capacity == 0 ? TABLE_FIRST : table->capacity * 2,
                           .used = table->used};
    larger.rows = mem_alloc(larger.capacity * sizeof(*larger.rows));
    if (larger.rows == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for %zu open intents", larger.capacity);
    }
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->rows[i].sequence != 0) {
            larger.rows[place_of(&larger, table->rows[i].key)] = table->rows[i];
        }
    }
    mem_free(table->rows);
    *table = larger;
    return OK;
}

static struct status
table_add(struct table *table, const struct open_intent *intent, struct diag *diag)
{
    if (table->used * 2 >= table->capacity) {
        TRY(table_grow(table, diag));
    }
    struct open_intent *row = &table->rows[place_of(table, intent->key)];
    table->used += row->sequence == 0 ? 1 : 0;
    *row = *intent;
    return OK;
}

static void
table_remove(struct table *table, const uint64_t key[2])
{
    if (table->used == 0) {
        return;
    }
    size_t at = place_of(table, key);
    if (table->rows[at].sequence == 0) {
        return;
    }
    table->rows[at].sequence = 0;
    table->used--;
    while (table->rows[at = (at + 1) & (table->capacity - 1)].sequence != 0) {
        const struct open_intent moved = table->rows[at];
        table->rows[at].sequence = 0;
        table->rows[place_of(table, moved.key)] = moved;
    }
}

/* ---- what is open ---- */

/* What an intent and its outcome share, and no two questions do. */
static struct status
key_of(const struct audit_event *event, struct diag *diag, uint64_t ret_key[2])
{
    CLEANUP(digest_stream_free_p) struct digest_stream *stream = NULL;
    uint8_t digest[DIGEST_MAX];
    const uint8_t type = (uint8_t)event->type;
    const struct span parts[] = {
        {(const char *)&type, 1},
        event->transaction_id,
        SPAN("\n"),
        event->message_id,
        SPAN("\n"),
        event->partner,
        SPAN("\n"),
        event->destination_id,
    };
    TRY(digest_stream_new(DIGEST_SHA256, diag, &stream));
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        TRY(digest_stream_add(stream, parts[i], diag));
    }
    TRY(digest_stream_end(stream, diag, digest));
    memcpy(ret_key, digest, 2 * sizeof(ret_key[0]));
    return OK;
}

static struct status
note_event(struct table *table, struct chain *chain, struct arena *arena, struct diag *diag)
{
    struct audit_event event;
    struct open_intent intent = {.sequence = chain->head.sequence};
    struct span payload;

    TRY(chain_payload(chain, diag, &payload));
    const struct status st = audit_event_decode(payload, arena, diag, &event);

    if (st.code == ERR_JOURNAL) { /* of a newer version: nothing that this one could end */
        return OK;
    }
    TRY(st);
    TRY(key_of(&event, diag, intent.key));
    if (event.phase == AUDIT_INTENT) {
        return table_add(table, &intent, diag);
    }
    table_remove(table, intent.key);
    return OK;
}

/* The chain's next event; its bytes are the chain's. */
static struct status
next_event(struct chain *chain, struct diag *diag, bool *ret_has)
{
    do {
        TRY(chain_next(chain, diag, ret_has));
    } while (*ret_has && chain->head.type != RECORD_EVENT);
    return OK;
}

static struct status
read_open(struct chain *chain, struct table *table, struct diag *diag)
{
    bool has = true;
    for (;;) {
        TRY(next_event(chain, diag, &has));
        if (!has) {
            return OK;
        }
        struct arena *arena = arena_new(EVENT_ROOM);
        if (arena == NULL) {
            return FAIL(diag, ERR_NO_MEMORY, "no memory to read record %" PRIu64,
                        chain->head.sequence);
        }
        const struct status st = note_event(table, chain, arena, diag);
        arena_free(arena);
        TRY(st);
    }
}

/* ---- where reading begins ---- */

/* A node that stopped in order has recorded its stop behind everything else. */
static bool
is_stop(struct chain *chain)
{
    struct audit_event event;
    struct diag ignored = {0};
    struct span payload;
    struct arena *arena = arena_new(EVENT_ROOM);
    const bool is_decoded = arena != NULL && is_ok(chain_payload(chain, &ignored, &payload)) &&
                            is_ok(audit_event_decode(payload, arena, &ignored, &event));
    const bool is_the_stop = is_decoded && event.type == AUDIT_NODE_STOP;
    arena_free(arena);
    return is_the_stop;
}

/* May there be something open, and when was the last record written? */
static struct status
look_at_end(const struct journal_place *place, const char *name, struct diag *diag,
            bool *ret_may_be_open, int64_t *ret_time_us)
{
    struct chain *chain = NULL;
    bool has = false;
    TRY(chain_open_last(place, name, 1, diag, &chain));
    const struct status st = chain_next(chain, diag, &has);
    *ret_may_be_open = is_ok(st) && has && !(chain->head.type == RECORD_EVENT && is_stop(chain));
    *ret_time_us = has ? chain->head.wall_us : 0;
    chain_close(chain);
    return st;
}

/* The first record of the newest segment that was made before <since_us>: all younger records are
 * in it or behind it. */
static struct status
first_since(const struct journal *journal, int64_t since_us, struct diag *diag, uint64_t *ret_first)
{
    struct segment_list list;
    struct status st = OK;

    TRY(segment_list_read(journal->folder, diag, &list));
    for (size_t i = list.n; i > 0 && is_ok(st); i--) {
        struct segment segment;
        st =
            segment_open(journal->folder, journal->chain, list.items[i - 1], false, diag, &segment);
        if (is_ok(st)) {
            const bool is_older = segment.head.created_us < since_us;
            segment_close(&segment);
            *ret_first = list.items[i - 1];
            if (is_older) {
                break;
            }
        }
    }
    segment_list_done(&list);
    return st;
}

/* ---- ending them ---- */

static struct status
end_intent(struct journal *journal, struct chain *chain, struct arena *arena, struct diag *diag)
{
    struct audit_event event;
    struct span payload;
    TRY(chain_payload(chain, diag, &payload));
    TRY(audit_event_decode(payload, arena, diag, &event));
    event.phase = AUDIT_OUTCOME;
    event.outcome = AUDIT_SERIOUS;
    event.time_us = 0;
    event.process_id = 0;
    TRY(arena_printf(arena, diag, &event.outcome_text,
                     "outcome unknown: the process that asked ended before it was recorded (record "
                     "%" PRIu64 " is the intent)",
                     chain->head.sequence));
    return journal_append_wait(journal, &event, diag);
}

static struct status
end_at(struct journal *journal, const struct journal_place *place, uint64_t sequence,
       struct diag *diag)
{
    struct chain *chain = NULL;
    struct arena *arena = arena_new(EVENT_ROOM);
    bool has = false;
    struct status st = OK;

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to read record %" PRIu64, sequence);
    }
    st = chain_open(place, journal->chain, sequence, diag, &chain);
    if (is_ok(st)) {
        st = chain_next(chain, diag, &has);
    }
    if (is_ok(st) && has) {
        st = end_intent(journal, chain, arena, diag);
    }
    chain_close(chain);
    arena_free(arena);
    return st;
}

static int
by_sequence(const void *a, const void *b)
{
    const struct open_intent *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static struct status
end_all(struct journal *journal, const struct journal_place *place, struct table *table,
        struct diag *diag, size_t *ret_n)
{
    *ret_n = 0;
    if (table->used == 0) {
        return OK;
    }
    qsort(table->rows, table->capacity, sizeof(*table->rows), by_sequence);
    for (size_t i = table->capacity - table->used; i < table->capacity; i++) {
        TRY(end_at(journal, place, table->rows[i].sequence, diag));
        (*ret_n)++;
    }
    return OK;
}

struct status
journal_end_intents(struct journal *journal, const struct journal_place *place, int64_t window_us,
                    struct diag *diag, size_t *ret_n)
{
    struct table table = {0};
    struct chain *chain = NULL;
    uint64_t first = 0;
    int64_t time_us = 0;
    bool may_be_open = false;

    *ret_n = 0;
    TRY(look_at_end(place, journal->chain, diag, &may_be_open, &time_us));
    if (!may_be_open) {
        return OK;
    }
    TRY(first_since(journal, time_us - window_us, diag, &first));
    TRY(chain_open(place, journal->chain, first, diag, &chain));
    struct status st = read_open(chain, &table, diag);
    chain_close(chain);
    if (is_ok(st)) {
        st = end_all(journal, place, &table, diag, ret_n);
    }
    mem_free(table.rows);
    return st;
}
