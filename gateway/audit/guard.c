/*
 * What follows from a journal's rules: records that it goes on without, the reserve for a full
 * disk, and how it is. Rules are set by whoever opened it; the reserve and the note of what is
 * missing are the journal thread's disk work, done between batches.
 *
 * The note stands beside the segments, <journal>/<chain>/missing: one line of what it is, one with
 * a number and two times. The next process records what it says and takes it away.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "audit/journal_state.h"
#include "base/log.h"

#define NOTE_NAME  "missing"
#define NOTE_NEW   "missing.tmp"
#define NOTE_HEAD  "isthmus-missing 1\n"
#define NOTE_BYTES 128
#define FILE_MODE  0600

/* ---- rules ---- */

struct status
journal_set_rules(struct journal *journal, const struct journal_rules *rules, struct diag *diag)
{
    (void)pthread_mutex_lock(&journal->mutex);
    journal->rules = *rules;
    const struct status st = rules->wait_us > 0 ? journal_watch(journal, diag) : OK;
    (void)pthread_cond_signal(&journal->work); /* the reserve */
    (void)pthread_mutex_unlock(&journal->mutex);
    return st;
}

bool
journal_takes_work(struct journal *journal)
{
    (void)pthread_mutex_lock(&journal->mutex);
    const struct journal_rules *rules = &journal->rules;
    const bool is_stalled = rules->wait_us > 0 && journal->busy_since_us != 0 &&
                            clock_mono_us(journal->clock) - journal->busy_since_us > rules->wait_us;
    const bool takes = rules->is_degrading || !(journal->is_short || is_stalled);
    (void)pthread_mutex_unlock(&journal->mutex);
    return takes;
}

/* ---- how it is ---- */

/* In percent of what is there for us, as df counts; 0 when it cannot be asked. */
static unsigned
disk_used(const char *folder)
{
    struct statvfs fs;
    if (statvfs(folder, &fs) != 0) {
        return 0;
    }
    const uint64_t used = (uint64_t)fs.f_blocks - fs.f_bfree;
    const uint64_t all = used + fs.f_bavail;
    return all == 0 ? 0 : (unsigned)((used * 100 + all - 1) / all);
}

/* Under the lock. */
static bool
is_over_limit(const struct journal *journal, unsigned percent)
{
    const unsigned limit = journal->rules.disk_limit_percent;
    if (limit == 0 || percent == 0) {
        return false;
    }
    return percent >= (journal->is_over_limit ? limit - JOURNAL_LIMIT_GAP : limit);
}

void
journal_look(struct journal *journal, struct journal_condition *ret_condition)
{
    const unsigned percent = disk_used(journal->folder);
    (void)pthread_mutex_lock(&journal->mutex);
    const int64_t since_us = journal->busy_since_us;
    const int64_t busy_us = since_us == 0 ? 0 : clock_mono_us(journal->clock) - since_us;
    journal->is_over_limit = is_over_limit(journal, percent);
    *ret_condition = (struct journal_condition){
        .rules = journal->rules,
        .is_failed = journal->is_failed,
        .is_stalled = journal->rules.wait_us > 0 && busy_us > journal->rules.wait_us,
        .busy_us = busy_us,
        .is_short = journal->is_short,
        .is_over_limit = journal->is_over_limit,
        .disk_percent = percent,
        .missing = journal->missing,
    };
    (void)pthread_mutex_unlock(&journal->mutex);
}

/* ---- records that are missing ---- */

void
journal_add_missing(struct journal *journal, uint64_t n)
{
    const int64_t now_us = clock_wall_us(journal->clock);
    if (n == 0) {
        return;
    }
    if (journal->missing.n == 0) {
        journal->missing.first_us = now_us;
    }
    journal->missing.n += n;
    journal->missing.last_us = now_us;
}

void
journal_count_lost(struct journal *journal)
{
    if (journal->rules.is_degrading) {
        journal_add_missing(journal, journal->next_sequence - 1 - journal->durable);
    }
}

void
journal_say_missing(struct journal *journal, const struct audit_event *event)
{
    (void)pthread_mutex_lock(&journal->mutex);
    const int64_t now_us = clock_mono_us(journal->clock);
    const uint64_t missing = journal->missing.n;
    const uint64_t unsaid = journal->missing_unsaid;
    const bool is_due =
        journal->missing_said_us == 0 || now_us - journal->missing_said_us >= US_PER_S;
    journal->missing_unsaid = is_due ? 0 : unsaid + 1;
    journal->missing_said_us = is_due ? now_us : journal->missing_said_us;
    (void)pthread_mutex_unlock(&journal->mutex);
    if (is_due) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-record-missing",
                  LOG_ID("type", audit_type_code(event->type)),
                  LOG_ID("phase", event->phase == AUDIT_INTENT ? "intent" : "outcome"),
                  LOG_SPAN("txn", event->transaction_id), LOG_SPAN("partner", event->partner),
                  LOG_INT("missing", (int64_t)missing), LOG_INT("unlogged", (int64_t)unsaid));
    }
}

/* ---- the note ---- */

static struct status
write_note_file(const char *path, struct span text, struct diag *diag)
{
    char why[64];
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd == -1) {
        return FAIL(diag, ERR_JOURNAL, "cannot make %s: %s", path, journal_errno(why));
    }
    struct status st = OK;
    if (write(fd, text.p, text.n) != (ssize_t)text.n || fsync(fd) == -1) {
        st = FAIL(diag, ERR_JOURNAL, "cannot write %s: %s", path, journal_errno(why));
    }
    (void)close(fd);
    return st;
}

static struct status
write_note(const struct journal *journal, const struct journal_missing *missing, struct diag *diag)
{
    char path[PATH_MAX];
    char made[PATH_MAX];
    char text[NOTE_BYTES];
    char why[64];
    const bool has_more = journal->before.n > 0;
    const int n =
        snprintf(text, sizeof(text), NOTE_HEAD "%" PRIu64 " %" PRId64 " %" PRId64 "\n",
                 missing->n + journal->before.n,
                 has_more ? journal->before.first_us : missing->first_us, missing->last_us);
    TRY(journal_path(path, journal->folder, NOTE_NAME, diag));
    TRY(journal_path(made, journal->folder, NOTE_NEW, diag));
    TRY(write_note_file(made, span_of(text, (size_t)n), diag));
    if (rename(made, path) == -1) {
        return FAIL(diag, ERR_JOURNAL, "cannot name %s: %s", path, journal_errno(why));
    }
    return journal_sync_folder(journal->folder, diag);
}

void
journal_read_note(struct journal *journal)
{
    char path[PATH_MAX];
    char text[NOTE_BYTES] = "";
    struct diag ignored = {0};
    struct journal_missing before = {0};
    if (!is_ok(journal_path(path, journal->folder, NOTE_NAME, &ignored))) {
        return;
    }
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    const ssize_t n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd != -1) {
        (void)close(fd);
    }
    if (n <= 0) {
        return;
    }
    if (sscanf(text, NOTE_HEAD "%" SCNu64 " %" SCNd64 " %" SCNd64, &before.n, &before.first_us,
               &before.last_us) != 3) {
        before.n = 1; /* that there was something is known, and no more */
    }
    journal->before = before;
}

bool
journal_missing_before(const struct journal *journal, struct journal_missing *ret_missing)
{
    if (journal->before.n == 0) {
        return false;
    }
    *ret_missing = journal->before;
    return true;
}

struct status
journal_forget_missing(struct journal *journal, struct diag *diag)
{
    char path[PATH_MAX];
    char why[64];
    TRY(journal_path(path, journal->folder, NOTE_NAME, diag));
    if (unlink(path) == -1 && errno != ENOENT) {
        return FAIL(diag, ERR_JOURNAL, "cannot remove %s: %s", path, journal_errno(why));
    }
    TRY(journal_sync_folder(journal->folder, diag));
    (void)pthread_mutex_lock(&journal->mutex);
    journal->before = (struct journal_missing){0};
    (void)pthread_mutex_unlock(&journal->mutex);
    return OK;
}

/* ---- the reserve ---- */

bool
journal_give_up_reserve(struct journal *journal)
{
    (void)pthread_mutex_lock(&journal->mutex);
    const bool had = journal->has_reserve;
    journal->is_short = journal->is_short || had;
    journal->has_reserve = false;
    (void)pthread_mutex_unlock(&journal->mutex);
    if (had) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-disk-full", LOG_ID("chain", journal->chain),
                  LOG_ID("then", "the reserve is used for what is in flight; give the journal's "
                                 "disk room"));
    }
    return had;
}

static void
keep_reserve(struct journal *journal)
{
    struct diag diag = {0};
    const struct status st = segment_reserve(journal->folder, journal->sizes.segment_bytes, &diag);
    (void)pthread_mutex_lock(&journal->mutex);
    const bool was_short = journal->is_short;
    journal->has_reserve = is_ok(st);
    journal->is_short = !is_ok(st);
    (void)pthread_mutex_unlock(&journal->mutex);
    if (!is_ok(st) && !was_short) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-no-reserve", LOG_DIAG(&diag));
    } else if (is_ok(st) && was_short) {
        LOG_EVENT(LOG_LEVEL_INFO, "audit-disk-well", LOG_ID("chain", journal->chain));
    }
}

/* ---- between batches ---- */

static bool
wants_reserve(const struct journal *journal)
{
    return journal->rules.keeps_reserve && !journal->has_reserve && !journal->is_failed;
}

bool
journal_needs_tending(const struct journal *journal)
{
    return wants_reserve(journal) || journal->missing.n != journal->noted;
}

static void
note_missing(struct journal *journal, const struct journal_missing *missing)
{
    struct diag ignored = {0}; /* then they are remembered as long as this process lives */
    if (is_ok(write_note(journal, missing, &ignored))) {
        (void)pthread_mutex_lock(&journal->mutex);
        journal->noted = missing->n;
        (void)pthread_mutex_unlock(&journal->mutex);
    }
}

void
journal_tend(struct journal *journal)
{
    (void)pthread_mutex_lock(&journal->mutex);
    const bool is_reserve_wanted = wants_reserve(journal);
    const bool is_note_old = journal->missing.n != journal->noted;
    const struct journal_missing missing = journal->missing;
    (void)pthread_mutex_unlock(&journal->mutex);
    journal->tended_us = clock_mono_us(journal->clock);
    if (is_reserve_wanted) {
        keep_reserve(journal);
    }
    if (is_note_old) {
        note_missing(journal, &missing);
    }
}
