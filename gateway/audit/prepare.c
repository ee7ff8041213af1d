/*
 * The file of the next segment, made while the present one fills: full of zeros that are on the
 * disk. A write to a block that was never written also changes what the file system says about the
 * file, and each fdatasync would have to write that, too; and making a file takes several syncs,
 * for which everybody would wait.
 *
 * A thread of the journal's own writes it, when a part of the present segment is used: a node that
 * records little never needs it. Where it is not there in time, or cannot be made, a segment is
 * made as always.
 */
#include <unistd.h>

#include "audit/journal_state.h"

#define PART 8 /* of a segment, after which the next one is prepared */

static void
prepare(struct journal *journal)
{
    struct diag ignored = {0}; /* whoever needs the segment says what is wrong */
    const struct status st = segment_prepare(journal->folder, journal->sizes.segment_bytes,
                                             &journal->is_closing, &ignored);
    (void)pthread_mutex_lock(&journal->mutex);
    journal->is_prepared = is_ok(st);
    journal->is_prepare_due = false;
    (void)pthread_mutex_unlock(&journal->mutex);
}

static void *
run(void *arg)
{
    struct journal *journal = arg;
    (void)pthread_mutex_lock(&journal->mutex);
    while (!journal->is_closing) {
        if (journal->is_prepare_due) {
            (void)pthread_mutex_unlock(&journal->mutex);
            prepare(journal);
            (void)pthread_mutex_lock(&journal->mutex);
        } else {
            (void)pthread_cond_wait(&journal->prepare, &journal->mutex);
        }
    }
    (void)pthread_mutex_unlock(&journal->mutex);
    return NULL;
}

struct status
journal_start_preparing(struct journal *journal, struct diag *diag)
{
    segment_forget_prepared(journal->folder); /* by a process that was killed: maybe half of it */
    if (journal->sizes.prepares) {
        TRY(journal_start_thread(&journal->preparer, run, journal, diag));
        journal->has_preparer = true;
    }
    return OK;
}

void
journal_end_preparing(struct journal *journal)
{
    if (journal->has_preparer) {
        (void)pthread_cond_signal(&journal->prepare);
        (void)pthread_join(journal->preparer, NULL);
        segment_forget_prepared(journal->folder);
    }
}

void
journal_prepare_next(struct journal *journal)
{
    const struct segment_head *const head = &journal->segment.head;
    if (!journal->has_preparer || journal->prepared_in == head->first_sequence ||
        journal->offset < head->size / PART) {
        return;
    }
    journal->prepared_in = head->first_sequence; /* once: the disk may be full */
    (void)pthread_mutex_lock(&journal->mutex);
    journal->is_prepare_due = !journal->is_prepared;
    (void)pthread_mutex_unlock(&journal->mutex);
    (void)pthread_cond_signal(&journal->prepare);
}

/* Somebody may have made room on the disk. */
static bool
is_still_there(const struct journal *journal)
{
    char path[PATH_MAX];
    struct diag ignored = {0};
    return is_ok(journal_path(path, journal->folder, SEGMENT_PREPARED, &ignored)) &&
           access(path, F_OK) == 0;
}

bool
journal_take_prepared(struct journal *journal, uint64_t size)
{
    (void)pthread_mutex_lock(&journal->mutex);
    const bool is_there = journal->is_prepared && size == journal->sizes.segment_bytes;
    journal->is_prepared = journal->is_prepared && !is_there;
    (void)pthread_mutex_unlock(&journal->mutex);
    return is_there && is_still_there(journal);
}
