/*
 * The journal thread: takes everything that is queued (a moment later when more is about to come,
 * gather.h), seals it into the chain, writes it with one
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
#include <sys/prctl.h>

#include "base/log.h"

/* A moment (gather.h) is no longer than what the kernel adds to a wait otherwise. */
#define TIMER_SLACK_NS   1000UL
#define BATCH_KEEP_BYTES ((size_t)256 * 1024) /* a larger buffer is given back after use */

/* ---- the disk ---- */

static struct status
rotate(struct journal *journal, uint64_t first, size_t need, struct diag *diag)
{
    if (first == journal->segment.head.first_sequence) { /* too small for the very first */
        return journal_next_segment(journal, first, need, true, diag);
    }
    TRY(segment_finish(&journal->segment, journal->offset, diag));
    return journal_next_segment(journal, first, need, false, diag);
}

/* Into the chain, and encrypted in between: the hash covers what stands in the file. */
static struct status
seal(struct journal *journal, char *record, size_t n, uint64_t durable, uint32_t type,
     struct diag *diag)
{
    record_link(record, durable, journal->previous);
    if (journal->cipher != NULL && record_is_encrypted(type)) {
        TRY(cipher_seal(journal->cipher, record, n, diag));
    }
    return record_finish(record, n, diag, journal->previous);
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
        TRY(seal(journal, batch->p + at, n, durable, head.type, diag));
        at += n;
    }
    TRY(write_run(journal, from, batch->n, diag));
    TRY(write_ahead(journal, diag));
    return segment_sync(&journal->segment, diag);
}

/* ---- the queue ---- */

enum turn { TURN_BATCH, TURN_TEND, TURN_END };

/* What of the queue is being written. */
struct taken {
    uint64_t durable; /* before it */
    uint64_t last;    /* its last sequence */
};

/* Under the lock. */
static bool
is_tending_due(const struct journal *journal)
{
    return journal_needs_tending(journal) &&
           (journal->tended_us == 0 ||
            clock_mono_us(journal->clock) - journal->tended_us >= JOURNAL_TEND_US);
}

/* Under the lock. */
static void
take_batch(struct journal *journal, struct taken *ret_taken)
{
    const struct buf empty = journal->batch;
    gather_take(&journal->gather, clock_mono_us(journal->clock));
    journal->batch = journal->queue;
    journal->queue = empty;
    journal->writing = journal->waiting;
    journal->waiting = (struct journal_tickets){NULL, NULL};
    *ret_taken = (struct taken){journal->durable, journal->next_sequence - 1};
}

/* Waits for something to do; the end comes when the journal closes and nothing is queued. */
static enum turn
wait_turn(struct journal *journal, struct taken *ret_taken)
{
    enum turn turn = TURN_END;
    int64_t moment_us = 0;
    (void)pthread_mutex_lock(&journal->mutex);
    journal->busy_since_us = 0;
    while (!journal->is_closing && !is_tending_due(journal) &&
           ((moment_us = gather_left_us(&journal->gather, clock_mono_us(journal->clock))) > 0 ||
            journal->queue.n == 0)) {
        if (moment_us > 0) {
            journal_cond_wait(&journal->work, &journal->mutex, moment_us);
        } else if (journal_needs_tending(journal)) {
            journal_cond_wait(&journal->work, &journal->mutex, JOURNAL_TEND_US);
        } else {
            (void)pthread_cond_wait(&journal->work, &journal->mutex);
        }
    }
    if (is_tending_due(journal) && !journal->is_closing) {
        turn = TURN_TEND;
    } else if (journal->queue.n > 0) {
        take_batch(journal, ret_taken);
        turn = TURN_BATCH;
    }
    journal->busy_since_us = turn == TURN_END ? 0 : clock_mono_us(journal->clock);
    (void)pthread_mutex_unlock(&journal->mutex);
    return turn;
}

static void
say_durable(struct journal *journal, const struct taken *taken)
{
    (void)pthread_mutex_lock(&journal->mutex);
    gather_end(&journal->gather, clock_mono_us(journal->clock));
    journal->durable = taken->last;
    const struct journal_tickets written = journal->writing;
    journal->writing = (struct journal_tickets){NULL, NULL};
    (void)pthread_mutex_unlock(&journal->mutex);
    journal_wake_all(written);
}

/* From here on nothing is accepted; what was queued meanwhile fails too. */
static void
say_failed(struct journal *journal, const struct diag *diag)
{
    (void)pthread_mutex_lock(&journal->mutex);
    journal->is_failed = true;
    journal->failure = *diag;
    journal_count_lost(journal);
    const struct journal_tickets written = journal->writing;
    const struct journal_tickets queued = journal->waiting;
    journal->writing = (struct journal_tickets){NULL, NULL};
    journal->waiting = (struct journal_tickets){NULL, NULL};
    buf_reset(&journal->queue);
    gather_take(&journal->gather, clock_mono_us(journal->clock));
    (void)pthread_mutex_unlock(&journal->mutex);
    LOG_EVENT(LOG_LEVEL_ERROR, "journal-failed", LOG_ID("chain", journal->chain), LOG_DIAG(diag));
    journal_wake_all(written);
    journal_wake_all(queued);
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

static void
write_batch(struct journal *journal, const struct taken *taken)
{
    struct diag diag = {0};
    const struct status st = commit_batch(journal, taken->durable, &diag);
    clear_batch(journal);
    if (is_ok(st)) {
        say_durable(journal, taken);
    } else {
        say_failed(journal, &diag);
    }
}

void *
journal_run(void *arg)
{
    struct journal *journal = arg;
    (void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0UL, 0UL, 0UL);
    struct taken taken = {0, 0};
    enum turn turn = TURN_END;
    while ((turn = wait_turn(journal, &taken)) != TURN_END) {
        if (turn == TURN_TEND) {
            journal_tend(journal);
        } else {
            write_batch(journal, &taken);
        }
    }
    journal_tend(journal); /* the last note */
    return NULL;
}
