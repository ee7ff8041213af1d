/*
 * Opening, closing and appending. Appends come from any thread: they encode on the caller's thread,
 * take a sequence and queue under the lock, and leave; the journal thread (commit.c) does the rest.
 * The ticket is the caller's, the queue and everything else the journal's.
 */
#include "audit/journal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/journal_state.h"
#include "base/mem.h"
#include "base/thread.h"

#define FREE_CHAINS_MAX 256
#define EVENT_ROOM      ((size_t)2048) /* what most events have beside their query */

/* ---- opening and closing ---- */

static struct status
journal_make(const struct journal_place *place, const char *chain, const struct clock *clock,
             struct journal_sizes sizes, struct diag *diag, struct journal **ret_journal)
{
    if (!journal_chain_is_valid(span_of_cstr(chain))) {
        return FAIL(diag, ERR_JOURNAL,
                    "a chain's name has 1 to %d letters, digits, '-', '_' or '.', and does not "
                    "start with '.'",
                    JOURNAL_CHAIN_MAX);
    }
    struct journal *journal = mem_alloc(sizeof(*journal));
    if (journal == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a journal");
    }
    journal->clock = clock;
    journal->sizes = sizes;
    journal->lock_fd = -1;
    journal->process_id = getpid();
    journal->segment.fd = -1;
    (void)snprintf(journal->chain, sizeof(journal->chain), "%s", chain);
    buf_init_secret(&journal->queue, sizes.queue_bytes);
    buf_init_secret(&journal->row, sizes.queue_bytes);
    buf_init_secret(&journal->linked, sizes.queue_bytes);
    buf_init_secret(&journal->batch, sizes.queue_bytes);
    thread_lock_init(&journal->mutex);
    thread_lock_init(&journal->linking);
    thread_cond_init(&journal->work);
    thread_cond_init(&journal->watched);
    thread_cond_init(&journal->prepare);
    *ret_journal = journal;
    TRY(journal_path(journal->folder, place->dir, chain, diag));
    const struct journal_key *key = journal_keys_writing(place->keys);
    if (key != NULL) {
        journal->key = *key;
        TRY(cipher_new(diag, &journal->cipher));
    }
    return OK;
}

static void
journal_free(struct journal *journal)
{
    segment_close(&journal->segment);
    if (journal->lock_fd != -1) {
        (void)close(journal->lock_fd);
    }
    buf_done(&journal->queue);
    buf_done(&journal->row);
    buf_done(&journal->linked);
    buf_done(&journal->batch);
    cipher_free(journal->cipher);
    mem_wipe(&journal->key, sizeof(journal->key));
    (void)pthread_cond_destroy(&journal->work);
    (void)pthread_cond_destroy(&journal->watched);
    (void)pthread_cond_destroy(&journal->prepare);
    (void)pthread_mutex_destroy(&journal->mutex);
    (void)pthread_mutex_destroy(&journal->linking);
    mem_free(journal);
}

struct status
journal_start_thread(pthread_t *thread, void *(*run)(void *arg), struct journal *journal,
                     struct diag *diag)
{
    const int error = thread_start(thread, run, journal);
    if (error != 0) {
        return FAIL(diag, ERR_JOURNAL, "cannot start a thread of the journal: error %d", error);
    }
    return OK;
}

/* The journal thread last: from then on journal_close is needed. */
static struct status
start_threads(struct journal *journal, struct diag *diag)
{
    TRY(journal_start_preparing(journal, diag));
    const struct status st = journal_start_thread(&journal->thread, journal_run, journal, diag);
    if (!is_ok(st)) {
        (void)pthread_mutex_lock(&journal->mutex);
        journal->is_closing = true;
        (void)pthread_mutex_unlock(&journal->mutex);
        journal_end_preparing(journal);
    }
    return st;
}

static struct status
open_chain(const struct journal_place *place, const char *chain, const struct clock *clock,
           struct journal_sizes sizes, struct diag *diag, bool *ret_is_held,
           struct journal **ret_journal)
{
    struct journal *journal = NULL;
    *ret_is_held = false;
    struct status st = journal_make(place, chain, clock, sizes, diag, &journal);
    if (is_ok(st)) {
        st = journal_lock(journal, place->dir, diag, ret_is_held);
    }
    if (is_ok(st)) {
        st = journal_recover(journal, place, diag);
    }
    if (is_ok(st)) {
        journal_read_note(journal);
        st = start_threads(journal, diag);
    }
    if (!is_ok(st)) {
        if (journal != NULL) {
            journal_free(journal);
        }
        return st;
    }
    *ret_journal = journal;
    return OK;
}

struct status
journal_open_sized(const struct journal_place *place, const char *chain, const struct clock *clock,
                   struct journal_sizes sizes, struct diag *diag, struct journal **ret_journal)
{
    bool is_held = false;
    return open_chain(place, chain, clock, sizes, diag, &is_held, ret_journal);
}

struct status
journal_open(const struct journal_place *place, const char *chain, const struct clock *clock,
             struct diag *diag, struct journal **ret_journal)
{
    return journal_open_sized(place, chain, clock, JOURNAL_SIZES_NODE, diag, ret_journal);
}

struct status
journal_open_free(const struct journal_place *place, const char *prefix, const struct clock *clock,
                  struct diag *diag, struct journal **ret_journal)
{
    for (int i = 0; i < FREE_CHAINS_MAX; i++) {
        char chain[2 * JOURNAL_CHAIN_MAX];
        struct diag why = {0};
        bool is_held = false;
        (void)snprintf(chain, sizeof(chain), "%.*s-%d", JOURNAL_CHAIN_MAX, prefix, i);
        const struct status st =
            open_chain(place, chain, clock, JOURNAL_SIZES_COMMAND, &why, &is_held, ret_journal);
        if (!is_held) {
            return is_ok(st) ? OK : FAIL(diag, st.code, "%s", why.text);
        }
    }
    return FAIL(diag, ERR_JOURNAL, "all %d chains %s/%s-N are being written by other processes",
                FREE_CHAINS_MAX, place->dir, prefix);
}

struct status
journal_open_idle(const struct journal_place *place, const char *chain, const struct clock *clock,
                  struct diag *diag, bool *ret_is_held, struct journal **ret_journal)
{
    return open_chain(place, chain, clock, JOURNAL_SIZES_COMMAND, diag, ret_is_held, ret_journal);
}

void
journal_close(struct journal *journal)
{
    if (journal == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&journal->mutex);
    journal->is_closing = true;
    (void)pthread_cond_signal(&journal->work);
    (void)pthread_mutex_unlock(&journal->mutex);
    journal_unwatch(journal);
    journal_end_preparing(journal);
    (void)pthread_join(journal->thread, NULL);
    if (!journal->is_failed) {
        /* Only tidiness: a file that is not cut is read as well. */
        struct diag ignored = {0};
        (void)is_ok(segment_finish(&journal->segment, journal->offset, &ignored));
    }
    journal_free(journal);
}

const char *
journal_chain(const struct journal *journal)
{
    return journal->chain;
}

/* ---- appending ---- */

static struct status
failed(const struct journal *journal, struct diag *diag)
{
    return FAIL(diag, ERR_JOURNAL,
                "the journal failed and takes no more records until a restart: %s",
                journal->failure.text);
}

/* Under the lock. */
static struct status
queue_record(struct journal *journal, enum record_type type, struct span payload, struct diag *diag)
{
    struct buf *queue = &journal->queue;
    const size_t extra = journal_extra(journal, type);
    const size_t n = RECORD_HEAD_BYTES + payload.n + extra;
    char *room = NULL;
    if (journal->is_failed) {
        return failed(journal, diag);
    }
    if (journal->queue_bytes + n > journal->sizes.queue_bytes) {
        return FAIL(diag, ERR_JOURNAL,
                    "%zu bytes of audit records wait for the disk and %zu are allowed; it is too "
                    "slow for this load",
                    journal->queue_bytes, journal->sizes.queue_bytes);
    }
    TRY(buf_reserve(queue, n, diag, &room));
    const struct record_head head = {
        .length = (uint32_t)(payload.n + extra),
        .type = type,
        .sequence = journal->next_sequence,
        .wall_us = clock_wall_us(journal->clock),
        .mono_us = clock_mono_us(journal->clock),
    };
    record_pack(&head, (uint8_t *)room);
    memcpy(room + RECORD_HEAD_BYTES + (extra == 0 ? 0 : CIPHER_NONCE_BYTES), payload.p, payload.n);
    queue->n += n;
    journal->queue_bytes += n;
    journal->queue_records++;
    journal->next_sequence++;
    return OK;
}

/* Under the lock. True: the journal thread sleeps until this one comes. */
static bool
queue_ticket(struct journal *journal, struct park *park, struct journal_ticket *ticket)
{
    *ticket = (struct journal_ticket){.sequence = journal->next_sequence - 1,
                                      .park = park,
                                      .since_us = clock_mono_us(journal->clock)};
    if (journal->waiting.first == NULL) {
        journal->waiting.first = ticket;
    } else {
        journal->waiting.last->next = ticket;
    }
    journal->waiting.last = ticket;
    return gather_add(&journal->gather, ticket->since_us);
}

static struct status
append_payload(struct journal *journal, enum record_type type, struct span payload,
               struct park *park, struct diag *diag, struct journal_ticket *ret_ticket)
{
    bool must_wake = false;
    (void)pthread_mutex_lock(&journal->mutex);
    const bool must_link = journal_begin_linking(journal);
    const struct status st = queue_record(journal, type, payload, diag);
    if (is_ok(st)) {
        must_wake = queue_ticket(journal, park, ret_ticket);
    }
    (void)pthread_mutex_unlock(&journal->mutex);
    if (must_wake) { /* not before: it would wake only to wait for the lock */
        (void)pthread_cond_signal(&journal->work);
    }
    if (must_link) {
        journal_link_ahead(journal);
    }
    return st;
}

/* What is left of the disk is for what is in flight. */
static struct status
refuse_new(struct journal *journal, const struct audit_event *event, struct diag *diag)
{
    (void)pthread_mutex_lock(&journal->mutex);
    const bool is_refused =
        event->phase == AUDIT_INTENT && journal->is_short && !journal->rules.is_degrading;
    (void)pthread_mutex_unlock(&journal->mutex);
    return is_refused ? FAIL(diag, ERR_JOURNAL,
                             "the journal's disk is full, and what is left is for questions that "
                             "were asked already; give it room")
                      : OK;
}

/* By the rules: true when it goes on without this record. Its owner is woken as for any other. */
static bool
go_on_without(struct journal *journal, const struct audit_event *event, struct park *park,
              struct journal_ticket *ret_ticket)
{
    (void)pthread_mutex_lock(&journal->mutex);
    const bool goes_on = journal->rules.is_degrading;
    if (goes_on) {
        journal_add_missing(journal, 1);
        *ret_ticket = (struct journal_ticket){.park = park};
    }
    (void)pthread_mutex_unlock(&journal->mutex);
    if (goes_on) {
        (void)pthread_cond_signal(&journal->work); /* the note */
        journal_say_missing(journal, event);
        park_wake(park);
    }
    return goes_on;
}

/* REQ: ITI20-before-leaving */
struct status
journal_append(struct journal *journal, const struct audit_event *event, struct park *park,
               struct diag *diag, struct journal_ticket *ret_ticket)
{
    struct audit_event stamped = *event;
    struct diag why = {0};
    struct buf payload;
    char *room = NULL;
    if (stamped.time_us == 0) {
        stamped.time_us = clock_wall_us(journal->clock);
    }
    if (stamped.process_id == 0) {
        stamped.process_id = journal->process_id;
    }
    TRY(refuse_new(journal, event, diag));
    buf_init_secret(&payload, RECORD_PAYLOAD_MAX - journal_extra(journal, RECORD_EVENT));
    struct status st = OK;
    if (event->query.n < RECORD_PAYLOAD_MAX - EVENT_ROOM) { /* so that most need not grow */
        st = buf_reserve(&payload, event->query.n + EVENT_ROOM, &why, &room);
    }
    if (is_ok(st)) {
        st = audit_event_encode(&stamped, &payload, &why);
    }
    if (is_ok(st)) {
        st = append_payload(journal, RECORD_EVENT, buf_span(&payload), park, &why, ret_ticket);
    }
    buf_done(&payload);
    if (st.code == ERR_JOURNAL && go_on_without(journal, event, park, ret_ticket)) {
        return OK;
    }
    if (!is_ok(st)) {
        *diag = why;
    }
    return st;
}

/* Under the lock. */
static struct status
late(const struct journal *journal, struct diag *diag)
{
    return FAIL(diag, ERR_JOURNAL,
                "the disk took longer than %lld ms to make the record durable; it stays queued",
                (long long)(journal->rules.wait_us / US_PER_MS));
}

struct status
journal_ticket_status(struct journal *journal, const struct journal_ticket *ticket,
                      struct diag *diag)
{
    struct status st = OK;
    if (ticket->sequence <= atomic_load(&journal->durable)) {
        return OK;
    }
    (void)pthread_mutex_lock(&journal->mutex);
    if (ticket->sequence > journal->durable && !journal->rules.is_degrading) {
        assert(journal->is_failed || ticket->is_late); /* else it was asked before the wake */
        st = journal->is_failed ? failed(journal, diag) : late(journal, diag);
    }
    (void)pthread_mutex_unlock(&journal->mutex);
    return st;
}

struct journal_lag
journal_read_lag(struct journal *journal)
{
    pthread_mutex_lock(&journal->mutex);
    const struct journal_lag lag = {
        .records = journal->next_sequence - 1,
        .waiting = journal->next_sequence - 1 - journal->durable,
        .queue_bytes = journal->queue_bytes,
        .queue_max = journal->sizes.queue_bytes,
    };
    pthread_mutex_unlock(&journal->mutex);
    return lag;
}

uint64_t
journal_durable(const struct journal *journal)
{
    return atomic_load(&journal->durable);
}

bool
journal_is_healthy(struct journal *journal)
{
    (void)pthread_mutex_lock(&journal->mutex);
    const bool is_healthy = !journal->is_failed;
    (void)pthread_mutex_unlock(&journal->mutex);
    return is_healthy;
}

int64_t
journal_busy_us(struct journal *journal)
{
    (void)pthread_mutex_lock(&journal->mutex);
    const int64_t since_us = journal->busy_since_us;
    (void)pthread_mutex_unlock(&journal->mutex);
    return since_us == 0 ? 0 : clock_mono_us(journal->clock) - since_us;
}

/* ---- waiting ---- */

struct waiter {
    struct park park; /* first member */
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    bool is_woken;
};

static void
wake_waiter(struct park *park)
{
    struct waiter *waiter = (struct waiter *)park;
    (void)pthread_mutex_lock(&waiter->mutex);
    waiter->is_woken = true;
    (void)pthread_cond_signal(&waiter->woken);
    (void)pthread_mutex_unlock(&waiter->mutex);
}

static void
waiter_init(struct waiter *waiter)
{
    *waiter = (struct waiter){.park = {.wake = wake_waiter}};
    (void)pthread_mutex_init(&waiter->mutex, NULL);
    (void)pthread_cond_init(&waiter->woken, NULL);
}

/* <appended>: whether the wake comes. */
static struct status
wait_for(struct journal *journal, struct waiter *waiter, struct status appended,
         const struct journal_ticket *ticket, struct diag *diag)
{
    struct status st = appended;
    if (is_ok(appended)) {
        (void)pthread_mutex_lock(&waiter->mutex);
        while (!waiter->is_woken) {
            (void)pthread_cond_wait(&waiter->woken, &waiter->mutex);
        }
        (void)pthread_mutex_unlock(&waiter->mutex);
        st = journal_ticket_status(journal, ticket, diag);
    }
    (void)pthread_cond_destroy(&waiter->woken);
    (void)pthread_mutex_destroy(&waiter->mutex);
    return st;
}

struct status
journal_append_wait(struct journal *journal, const struct audit_event *event, struct diag *diag)
{
    struct journal_ticket ticket = {0};
    struct waiter waiter;
    waiter_init(&waiter);
    const struct status appended = journal_append(journal, event, &waiter.park, diag, &ticket);
    return wait_for(journal, &waiter, appended, &ticket, diag);
}

struct status
journal_append_statement(struct journal *journal, struct span payload, struct diag *diag,
                         uint64_t *ret_sequence)
{
    struct journal_ticket ticket = {0};
    struct waiter waiter;
    waiter_init(&waiter);
    const struct status appended =
        append_payload(journal, RECORD_STATEMENT, payload, &waiter.park, diag, &ticket);
    TRY(wait_for(journal, &waiter, appended, &ticket, diag));
    *ret_sequence = ticket.sequence;
    return OK;
}
