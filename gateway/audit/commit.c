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
#include "base/thread.h"

/* A moment (gather.h) is no longer than what the kernel adds to a wait otherwise. */
#define TIMER_SLACK_NS 1000UL

/* ---- the disk ---- */

/* Where the segment was not prepared (prepare.c), zeros go ahead of the records now and then, and
 * most batches are written over them. */
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

/* Under <linking>: what was taken becomes the batch. From then on others may link what follows. */
static struct status
make_batch(struct journal *journal, struct diag *diag)
{
    TRY(journal_link_all(journal, diag));
    const struct buf empty = journal->batch;
    journal->batch = journal->linked;
    journal->linked = empty;
    return OK;
}

static struct status
commit_batch(struct journal *journal, struct diag *diag)
{
    const struct status st = make_batch(journal, diag);
    (void)pthread_mutex_unlock(&journal->linking);
    TRY(st);
    TRY(journal_write_run(journal, buf_span(&journal->batch), diag));
    TRY(write_ahead(journal, diag));
    return segment_sync(&journal->segment, diag);
}

/* ---- the queue ---- */

enum turn { TURN_BATCH, TURN_TEND, TURN_END };

/* Under the lock. */
static bool
is_tending_due(const struct journal *journal)
{
    return journal_needs_tending(journal) &&
           (journal->tended_us == 0 ||
            clock_mono_us(journal->clock) - journal->tended_us >= JOURNAL_TEND_US);
}

/* Under both locks. */
static void
take_batch(struct journal *journal, uint64_t *ret_last)
{
    gather_take(&journal->gather, clock_mono_us(journal->clock));
    journal_take_queue(journal);
    journal->queue_bytes = 0;
    journal->writing = journal->waiting;
    journal->waiting = (struct journal_tickets){NULL, NULL};
    *ret_last = journal->next_sequence - 1;
}

/* Waits for something to do; the end comes when the journal closes and nothing is queued. */
static enum turn
wait_turn(struct journal *journal)
{
    enum turn turn = TURN_END;
    int64_t moment_us = 0;
    (void)pthread_mutex_lock(&journal->mutex);
    journal->busy_since_us = 0;
    while (!journal->is_closing && !is_tending_due(journal) &&
           ((moment_us = gather_left_us(&journal->gather, clock_mono_us(journal->clock))) > 0 ||
            journal->queue_bytes == 0)) {
        if (moment_us > 0) {
            (void)thread_wait(&journal->work, &journal->mutex, moment_us);
        } else if (journal_needs_tending(journal)) {
            (void)thread_wait(&journal->work, &journal->mutex, JOURNAL_TEND_US);
        } else {
            (void)pthread_cond_wait(&journal->work, &journal->mutex);
        }
    }
    if (is_tending_due(journal) && !journal->is_closing) {
        turn = TURN_TEND;
    } else if (journal->queue_bytes > 0) {
        turn = TURN_BATCH;
    }
    journal->busy_since_us = turn == TURN_END ? 0 : clock_mono_us(journal->clock);
    (void)pthread_mutex_unlock(&journal->mutex);
    return turn;
}

static void
say_durable(struct journal *journal, uint64_t last)
{
    (void)pthread_mutex_lock(&journal->mutex);
    gather_end(&journal->gather, clock_mono_us(journal->clock));
    journal->durable = last;
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
    journal_clear(&journal->queue);
    journal->queue_records = 0;
    journal->queue_bytes = 0;
    gather_take(&journal->gather, clock_mono_us(journal->clock));
    (void)pthread_mutex_unlock(&journal->mutex);
    LOG_EVENT(LOG_LEVEL_ERROR, "journal-failed", LOG_ID("chain", journal->chain), LOG_DIAG(diag));
    journal_wake_all(written);
    journal_wake_all(queued);
}

static void
write_batch(struct journal *journal)
{
    struct diag diag = {0};
    uint64_t last = 0;
    (void)pthread_mutex_lock(&journal->linking);
    (void)pthread_mutex_lock(&journal->mutex);
    take_batch(journal, &last);
    (void)pthread_mutex_unlock(&journal->mutex);
    const struct status st = commit_batch(journal, &diag);
    if (is_ok(st)) {
        say_durable(journal, last);
        journal_prepare_next(journal);
    } else {
        say_failed(journal, &diag);
    }
    journal_clear(&journal->batch);
}

void *
journal_run(void *arg)
{
    struct journal *journal = arg;
    enum turn turn = TURN_END;
    (void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0UL, 0UL, 0UL);
    while ((turn = wait_turn(journal)) != TURN_END) {
        if (turn == TURN_TEND) {
            journal_tend(journal);
        } else {
            write_batch(journal);
        }
    }
    journal_tend(journal); /* the last note */
    return NULL;
}
