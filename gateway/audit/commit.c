/*
 * The journal thread: takes everything that is queued, seals it into the chain, writes it with one
 * pwrite (more only where a segment ends, or zeros go ahead), makes it durable with one fdatasync,
 * and wakes whoever waits, in order. It alone touches the segment. The queue's lock is never held
 * over disk work.
 *
 * A failure ends the journal: after a failed fdatasync the kernel may have dropped the pages and
 * called them clean, so a second try that succeeds would prove nothing.
 */
#include "audit/journal_state.h"

#include <assert.h>
#include <string.h>

#define BATCH_KEEP_BYTES ((size_t)256 * 1024) /* a larger buffer is given back after use */

/* ---- the disk ---- */

static struct status
rotate(struct journal *journal, uint64_t first, size_t need, struct diag *diag)
{
    struct segment next;
    const uint64_t least = SEGMENT_HEAD_BYTES + (uint64_t)need + 1;
    struct segment_head head = {
        .first_sequence = first,
        .created_us = clock_wall_us(journal->clock),
        .size = journal->sizes.segment_bytes > least ? journal->sizes.segment_bytes : least,
    };
    memcpy(head.previous, journal->previous, SHA256_BYTES);
    memcpy(head.chain, journal->chain, sizeof(head.chain));
    TRY(segment_finish(&journal->segment, journal->offset, diag));
    TRY(segment_create(journal->folder, &head, diag, &next));
    segment_protect(&journal->segment);
    segment_close(&journal->segment);
    journal->segment = next;
    journal->offset = SEGMENT_HEAD_BYTES;
    journal->ahead = 0;
    return OK;
}

/* The first write to a preallocated block also changes what the file system says about the file,
 * and each fdatasync has to write that, too. So zeros go ahead of the records now and then, and
 * most batches are written over them: their fdatasync writes them and nothing else. */
static struct status
write_ahead(struct journal *journal, struct diag *diag)
{
    static const char zeros[16 * 1024];
    const uint64_t step = journal->sizes.ahead_bytes;
    if (step == 0 || journal->offset <= journal->ahead) {
        return OK;
    }
    uint64_t end = (journal->offset / step + 2) * step;
    end = end < journal->segment.head.size ? end : journal->segment.head.size;
    for (uint64_t at = journal->offset; at < end;) {
        const uint64_t n = end - at < sizeof(zeros) ? end - at : sizeof(zeros);
        TRY(segment_write(&journal->segment, at, span_of(zeros, (size_t)n), diag));
        at += n;
    }
    journal->ahead = end;
    return OK;
}

static struct status
write_run(struct journal *journal, size_t from, size_t to, struct diag *diag)
{
    const struct span run = span_slice(buf_span(&journal->batch), from, to - from);
    TRY(segment_write(&journal->segment, journal->offset, run, diag));
    journal->offset += run.n;
    return OK;
}

/* One byte of a segment always stays free: a file without a zero behind its content is a finished
 * one. */
static bool
fits(const struct journal *journal, size_t n)
{
    return journal->offset + n < journal->segment.head.size;
}

static struct status
commit_batch(struct journal *journal, uint64_t durable, struct diag *diag)
{
    struct buf *batch = &journal->batch;
    size_t from = 0;
    for (size_t at = 0; at < batch->n;) {
        struct record_head head;
        const enum record_verdict verdict =
            record_unpack(span_slice(buf_span(batch), at, batch->n), &head);
        assert(verdict == RECORD_GOOD); /* journal_append packed it */
        (void)verdict;
        const size_t n = RECORD_HEAD_BYTES + (size_t)head.length;
        if (!fits(journal, at - from + n)) {
            TRY(write_run(journal, from, at, diag));
            TRY(rotate(journal, head.sequence, n, diag));
            from = at;
        }
        TRY(record_seal(batch->p + at, n, durable, journal->previous, diag, journal->previous));
        at += n;
    }
    TRY(write_run(journal, from, batch->n, diag));
    TRY(write_ahead(journal, diag));
    return segment_sync(&journal->segment, diag);
}

/* ---- the queue ---- */

/* Waits for work; false when the journal closes and there is none. */
static bool
take_batch(struct journal *journal, struct journal_tickets *ret_tickets, uint64_t *ret_durable)
{
    (void)pthread_mutex_lock(&journal->mutex);
    journal->busy_since_us = 0;
    while (journal->queue.n == 0 && !journal->is_closing) {
        (void)pthread_cond_wait(&journal->work, &journal->mutex);
    }
    const bool has_work = journal->queue.n > 0;
    if (has_work) {
        journal->busy_since_us = clock_mono_us(journal->clock);
        const struct buf empty = journal->batch;
        journal->batch = journal->queue;
        journal->queue = empty;
        *ret_tickets = journal->waiting;
        *ret_durable = journal->durable;
        journal->waiting = (struct journal_tickets){NULL, NULL};
    }
    (void)pthread_mutex_unlock(&journal->mutex);
    return has_work;
}

static void
wake_all(struct journal_tickets tickets)
{
    struct journal_ticket *ticket = tickets.first;
    while (ticket != NULL) {
        struct journal_ticket *next = ticket->next; /* the ticket is the caller's after its wake */
        park_wake(ticket->park);
        ticket = next;
    }
}

static void
say_durable(struct journal *journal, struct journal_tickets tickets)
{
    (void)pthread_mutex_lock(&journal->mutex);
    journal->durable = tickets.last->sequence;
    (void)pthread_mutex_unlock(&journal->mutex);
    wake_all(tickets);
}

/* From here on nothing is accepted; what was queued meanwhile fails too. */
static void
say_failed(struct journal *journal, struct journal_tickets tickets, const struct diag *diag)
{
    (void)pthread_mutex_lock(&journal->mutex);
    journal->is_failed = true;
    journal->failure = *diag;
    const struct journal_tickets queued = journal->waiting;
    journal->waiting = (struct journal_tickets){NULL, NULL};
    buf_reset(&journal->queue);
    (void)pthread_mutex_unlock(&journal->mutex);
    wake_all(tickets);
    wake_all(queued);
}

static void
clear_batch(struct journal *journal)
{
    if (journal->batch.capacity > BATCH_KEEP_BYTES) {
        buf_done(&journal->batch);
    } else {
        buf_reset(&journal->batch);
    }
}

void *
journal_run(void *arg)
{
    struct journal *journal = arg;
    struct journal_tickets tickets = {NULL, NULL};
    uint64_t durable = 0;
    while (take_batch(journal, &tickets, &durable)) {
        struct diag diag = {0};
        const struct status st = commit_batch(journal, durable, &diag);
        clear_batch(journal);
        if (is_ok(st)) {
            say_durable(journal, tickets);
        } else {
            say_failed(journal, tickets, &diag);
        }
    }
    return NULL;
}
