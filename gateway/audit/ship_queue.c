/*
 * The journal as one destination sees it. Called by ship.c on the shipping thread, which owns the
 * queue. Reading is blocking disk work.
 *
 * Of the chain that this process writes only what its journal calls durable is read; of chains of
 * other processes what was read is synced here before it leaves. So no record is ever at a
 * repository that a power cut can take from the journal.
 */
#include "audit/ship_queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/chain.h"
#include "base/log.h"
#include "base/mem.h"

#define BATCH_BYTES       ((size_t)1024 * 1024) /* of payload; the record that passes it included */
#define BATCH_ARENA_BYTES ((size_t)64 * 1024 * 1024)

/* ---- the cursor ---- */

struct look {
    const struct ship_mark *mark;
    bool is_same, is_later;
};

static bool
look_at(void *arg, const struct journal_record *record)
{
    struct look *look = arg;
    look->is_same =
        record->sequence == look->mark->sequence && strcmp(record->hash, look->mark->hash) == 0;
    look->is_later = record->sequence > look->mark->sequence;
    return false;
}

/* The record itself may have gone with its segment; then the chain goes on behind it. What cannot
 * be read for another reason is said when it is to be sent. */
static bool
is_still_there(const struct journal_place *place, const struct ship_mark *mark)
{
    struct look look = {.mark = mark};
    struct diag ignored = {0};
    struct status st = journal_find(place, mark->chain, mark->sequence, look_at, &look, &ignored);
    if (is_ok(st)) {
        return look.is_same;
    }
    if (st.code != ERR_NOT_FOUND) {
        return true;
    }
    st = journal_read_chain(place, mark->chain, mark->sequence + 1, look_at, &look, &ignored);
    return !is_ok(st) || look.is_later;
}

static void
drop_replaced(struct ship_queue *queue)
{
    struct ship_cursor *cursor = &queue->proven;
    for (size_t i = cursor->n; i > 0; i--) {
        if (!is_still_there(&queue->options->place, &cursor->items[i - 1])) {
            LOG_EVENT(LOG_LEVEL_WARNING, "audit-chain-replaced",
                      LOG_ID("repository", queue->options->name),
                      LOG_ID("chain", cursor->items[i - 1].chain),
                      LOG_ID("then", "it is sent from its first record on"));
            cursor->items[i - 1] = cursor->items[--cursor->n];
            queue->is_changed = true;
        }
    }
}

static struct status
copy_cursor(const struct ship_cursor *from, struct diag *diag, struct ship_cursor *to)
{
    for (size_t i = 0; i < from->n; i++) {
        TRY(ship_cursor_set(to, &from->items[i], diag));
    }
    return OK;
}

struct status
ship_queue_open(struct ship_queue *queue, const struct ship_options *options, struct diag *diag,
                struct diag *ret_doubt)
{
    *queue = (struct ship_queue){.options = options};
    queue->own_chain = options->journal == NULL ? NULL : journal_chain(options->journal);
    const struct status st =
        ship_cursor_load(options->place.dir, options->name, ret_doubt, &queue->proven);
    if (st.code == ERR_NO_MEMORY) {
        return FAIL(diag, st.code, "%s", ret_doubt->text);
    }
    drop_replaced(queue);
    return copy_cursor(&queue->proven, diag, &queue->sent);
}

void
ship_queue_close(struct ship_queue *queue)
{
    journal_reader_close(queue->reader);
    arena_free(queue->arena);
    ship_cursor_done(&queue->proven);
    ship_cursor_done(&queue->sent);
    mem_free(queue->window);
    *queue = (struct ship_queue){.options = NULL};
}

struct status
ship_queue_save(struct ship_queue *queue, struct diag *diag)
{
    if (queue->is_changed) {
        TRY(ship_cursor_store(queue->options->place.dir, queue->options->name, &queue->proven,
                              diag));
        queue->is_changed = false;
    }
    return OK;
}

/* ---- reading ---- */

static uint64_t
proven_of(const struct ship_queue *queue, const char *chain)
{
    const struct ship_mark *mark = ship_cursor_of(&queue->proven, chain);
    return mark == NULL ? 0 : mark->sequence;
}

static bool
is_own(const struct ship_queue *queue, const char *chain)
{
    return queue->own_chain != NULL && strcmp(queue->own_chain, chain) == 0;
}

static uint64_t
read_from(void *arg, const char *chain)
{
    const uint64_t proven = proven_of(arg, chain);
    return proven == 0 ? 0 : proven + 1;
}

static uint64_t
read_until(void *arg, const char *chain)
{
    const struct ship_queue *queue = arg;
    return is_own(queue, chain) ? journal_durable(queue->options->journal) : UINT64_MAX;
}

static struct status
open_reader(struct ship_queue *queue, struct diag *diag)
{
    const struct journal_scope scope = {read_from, read_until, queue};
    if (queue->reader == NULL) {
        queue->own_read = queue->own_chain == NULL ? 0 : proven_of(queue, queue->own_chain);
        return journal_reader_open_scoped(&queue->options->place, &scope, diag, &queue->reader);
    }
    return OK;
}

static struct status
empty_batch(struct ship_queue *queue, struct diag *diag)
{
    arena_free(queue->arena);
    queue->first = 0;
    queue->n = 0;
    queue->arena = arena_new(BATCH_ARENA_BYTES);
    return queue->arena == NULL ? FAIL(diag, ERR_NO_MEMORY, "no memory for audit records to send")
                                : OK;
}

/* A record that this version cannot read (a newer one wrote it) keeps nobody waiting. */
static struct status
take_record(struct ship_queue *queue, const struct journal_record *record, struct diag *diag)
{
    const size_t at = queue->n;
    struct ship_mark *mark = &queue->marks[at];
    struct diag why = {0};
    const struct status st =
        audit_event_decode(record->payload, queue->arena, &why, &queue->events[at]);
    if (st.code == ERR_JOURNAL) {
        queue->unreadable++;
        LOG_EVENT(LOG_LEVEL_WARNING, "audit-record-unreadable",
                  LOG_ID("repository", queue->options->name), LOG_ID("chain", record->chain),
                  LOG_INT("sequence", (int64_t)record->sequence), LOG_DIAG(&why));
        return OK;
    }
    if (!is_ok(st)) {
        return FAIL(diag, st.code, "%s", why.text);
    }
    (void)snprintf(mark->chain, sizeof(mark->chain), "%s", record->chain);
    mark->sequence = record->sequence;
    memcpy(mark->hash, record->hash, sizeof(mark->hash));
    queue->records[at] = (struct ship_record){mark->chain, record->sequence, record->time_us,
                                              mark->hash, &queue->events[at]};
    queue->n++;
    return OK;
}

static struct status
read_batch(struct ship_queue *queue, struct diag *diag)
{
    size_t bytes = 0;
    bool has = true;
    while (queue->n < SHIP_BATCH_RECORDS && bytes < BATCH_BYTES) {
        struct journal_record record;
        TRY(journal_reader_next(queue->reader, diag, &has, &record));
        if (!has) {
            queue->is_at_end = true;
            return OK;
        }
        bytes += record.payload.n;
        if (is_own(queue, record.chain)) {
            queue->own_read = record.sequence;
        }
        if (record.sequence > proven_of(queue, record.chain)) {
            TRY(take_record(queue, &record, diag));
        }
    }
    return OK;
}

static bool
is_first_of_chain(const struct ship_queue *queue, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(queue->records[i].chain, queue->records[at].chain) == 0) {
            return false;
        }
    }
    return true;
}

static struct status
sync_foreign(struct ship_queue *queue, struct diag *diag)
{
    for (size_t i = 0; i < queue->n; i++) {
        if (!is_own(queue, queue->records[i].chain) && is_first_of_chain(queue, i)) {
            TRY(journal_reader_sync(queue->reader, queue->records[i].chain, diag));
        }
    }
    return OK;
}

struct status
ship_queue_fill(struct ship_queue *queue, struct diag *diag)
{
    struct diag ignored = {0};
    if (ship_queue_left(queue) > 0) {
        return OK;
    }
    const uint64_t durable =
        queue->own_chain == NULL ? 0 : journal_durable(queue->options->journal);
    queue->is_at_end = false;
    TRY(empty_batch(queue, diag));
    TRY(open_reader(queue, diag));
    const struct status st = read_batch(queue, diag);
    const struct status synced = sync_foreign(queue, is_ok(st) ? diag : &ignored);
    if (!is_ok(synced) || st.code == ERR_NO_MEMORY || st.code == ERR_LIMIT_ARENA) {
        ship_queue_rewind(queue); /* what was read past is to be read again */
        return is_ok(st) ? synced : st;
    }
    if (queue->is_at_end) {
        queue->foreign = 0;
        queue->own_read = queue->n == 0 ? durable : queue->own_read;
    }
    return st;
}

/* ---- what was sent ---- */

static struct status
reserve_window(struct ship_queue *queue, struct diag *diag)
{
    if (queue->window_first > 0) {
        memmove(queue->window, queue->window + queue->window_first,
                queue->window_n * sizeof(*queue->window));
        queue->window_first = 0;
    }
    if (queue->window_n + SHIP_BATCH_RECORDS > queue->window_capacity) {
        const size_t wanted = 2 * queue->window_capacity + SHIP_BATCH_RECORDS;
        struct ship_sent *window = mem_resize(queue->window, wanted * sizeof(*window));
        if (window == NULL) {
            return FAIL(diag, ERR_NO_MEMORY, "no memory to remember what was sent");
        }
        queue->window = window;
        queue->window_capacity = wanted;
    }
    return OK;
}

/* One entry for each chain and go. */
static void
join_window(struct ship_queue *queue, size_t from, const struct ship_mark *mark, uint64_t bytes)
{
    struct ship_sent *entry = NULL;
    for (size_t i = from; i < queue->window_n && entry == NULL; i++) {
        if (strcmp(queue->window[i].mark.chain, mark->chain) == 0) {
            entry = &queue->window[i];
        }
    }
    if (entry == NULL) {
        entry = &queue->window[queue->window_n++];
        *entry = (struct ship_sent){.sent_us = clock_mono_us(queue->options->clock),
                                    .until_bytes = bytes};
    }
    entry->mark = *mark;
    entry->records++;
}

static struct status
note_sent(struct ship_queue *queue, const struct ship_mark *mark, struct diag *diag)
{
    const struct ship_mark *before = ship_cursor_of(&queue->sent, mark->chain);
    if (before != NULL && before->sequence >= mark->sequence) {
        queue->resent++;
        return OK;
    }
    queue->delivered++;
    return ship_cursor_set(&queue->sent, mark, diag);
}

static struct status
note_proven(struct ship_queue *queue, const struct ship_mark *mark, struct diag *diag)
{
    queue->is_changed = true;
    return ship_cursor_set(&queue->proven, mark, diag);
}

struct status
ship_queue_sent(struct ship_queue *queue, size_t n, uint64_t bytes, bool is_proven,
                struct diag *diag)
{
    if (!is_proven) {
        TRY(reserve_window(queue, diag));
    }
    const size_t from = queue->window_n;
    for (size_t i = 0; i < n; i++) {
        const struct ship_mark *mark = &queue->marks[queue->first];
        TRY(note_sent(queue, mark, diag));
        if (is_proven) {
            TRY(note_proven(queue, mark, diag));
        } else {
            join_window(queue, from, mark, bytes);
        }
        queue->first++;
    }
    return OK;
}

struct status
ship_queue_age(struct ship_queue *queue, uint64_t bytes, struct diag *diag)
{
    const struct ship_limits *limits = &queue->options->limits;
    const int64_t now_us = clock_mono_us(queue->options->clock);
    while (queue->window_n > 0) {
        const struct ship_sent *oldest = &queue->window[queue->window_first];
        if (now_us - oldest->sent_us < limits->resend_age_us ||
            bytes - oldest->until_bytes < limits->resend_bytes) {
            break;
        }
        TRY(note_proven(queue, &oldest->mark, diag));
        queue->window_first++;
        queue->window_n--;
    }
    return OK;
}

struct status
ship_queue_prove(struct ship_queue *queue, struct diag *diag)
{
    for (size_t i = 0; i < queue->window_n; i++) {
        TRY(note_proven(queue, &queue->window[queue->window_first + i].mark, diag));
    }
    queue->window_n = 0;
    return OK;
}

void
ship_queue_rewind(struct ship_queue *queue)
{
    journal_reader_close(queue->reader);
    queue->reader = NULL;
    queue->first = 0;
    queue->n = 0;
    queue->is_at_end = false;
    queue->window_first = 0;
    queue->window_n = 0;
    queue->own_read = queue->own_chain == NULL ? 0 : proven_of(queue, queue->own_chain);
}

/* ---- how much ---- */

uint64_t
ship_queue_unproven(const struct ship_queue *queue)
{
    uint64_t n = 0;
    for (size_t i = 0; i < queue->window_n; i++) {
        n += queue->window[queue->window_first + i].records;
    }
    return n;
}

uint64_t
ship_queue_waiting(const struct ship_queue *queue)
{
    const uint64_t durable =
        queue->own_chain == NULL ? 0 : journal_durable(queue->options->journal);
    const uint64_t own = durable > queue->own_read ? durable - queue->own_read : 0;
    return ship_queue_left(queue) + own + queue->foreign;
}

static struct status
count_chain(void *arg, const char *name)
{
    struct ship_queue *queue = arg;
    struct chain *chain = NULL;
    struct diag ignored = {0};
    bool has = false;
    if (is_own(queue, name) ||
        !is_ok(chain_open_last(&queue->options->place, name, 1, &ignored, &chain))) {
        return OK;
    }
    if (is_ok(chain_next(chain, &ignored, &has)) && has) {
        const uint64_t proven = proven_of(queue, name);
        const uint64_t last = chain->head.sequence;
        queue->foreign += last > proven ? last - proven : 0;
    }
    chain_close(chain);
    return OK;
}

void
ship_queue_count_foreign(struct ship_queue *queue)
{
    struct diag ignored = {0};
    queue->foreign = 0;
    if (!is_ok(journal_chains(&queue->options->place, count_chain, queue, &ignored))) {
        return;
    }
    for (size_t i = queue->first; i < queue->n; i++) { /* those are counted as the batch's */
        queue->foreign -= queue->foreign > 0 && !is_own(queue, queue->records[i].chain);
    }
}
