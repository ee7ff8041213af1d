/*
 * Family "errors": the same work again and again, and each time another one of its calls fails, in
 * each of the ways that a disk has: with rotation, closing and reopening in it. Then the journal is
 * looked at as it stands, and as power losses would leave it behind the failure. Called by fault.c
 * on the main thread; one writer, so that calls come in one order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/journal.h"
#include "tests/fault/fault.h"
#include "tests/fault/medium.h"

#define LIVES        3 /* the journal is opened so often */
#define TRANSACTIONS 6 /* of each life */
#define AFTER        3 /* appends behind a failed one: each must fail */
#define CUTS         4
#define OPENING      14 /* calls that make a new chain: each is tried, whatever the count */

static const struct work_terms terms = {.sizes = {8192, 1024 * 1024, 1024, false},
                                        .keeps_reserve = true};

struct attempt {
    const struct fault_plan *plan;
    const char *dir;
    size_t fail_at; /* the so-manieth call; 0: none */
    enum disk_error error;
    struct disk_log log;
    struct image start; /* nothing */
    uint64_t *random;
    char where[200];
};

static void
note(void *arg, struct claim claim)
{
    (void)arg;
    disk_note(claim.sequence, claim.value);
}

/* A journal that failed takes nothing more. (One that has no reserve refuses, until it has one.) */
static void
write_some(const struct attempt *attempt, struct journal *journal, uint64_t first,
           struct tally *tally)
{
    struct worker worker;
    atomic_ullong unused = 0;
    worker_init(&worker, journal, &unused, first); /* the same bytes every time */
    worker.acknowledge = note;
    bool has_failed = false;
    int after = 0;
    for (uint64_t i = 0; i < (uint64_t)TRANSACTIONS * 2 && after < AFTER; i++) {
        struct diag diag = {0};
        const struct status st = worker_append(&worker, first * 2 + i, &diag);
        if (is_ok(st) && has_failed) {
            tally->lost++;
            tally_problem(tally, "%s: a record was acknowledged behind a failure", attempt->where);
        }
        has_failed = has_failed || (!is_ok(st) && !journal_is_healthy(journal));
        after += has_failed ? 1 : 0;
    }
}

/* One process: opens, writes, closes. That it does not open is its right when a call fails; behind
 * the last life it must. */
static void
live(const struct attempt *attempt, uint64_t first, struct tally *tally)
{
    struct journal *journal = NULL;
    struct diag diag = {0};
    if (is_ok(work_open(attempt->dir, &terms, &diag, &journal))) {
        write_some(attempt, journal, first, tally);
        journal_close(journal);
    }
}

static struct status
cut_behind(struct attempt *attempt, struct diag *diag, struct tally *tally)
{
    struct medium *medium = NULL;
    struct ledger ledger = {0};
    struct tally ignored = {0}; /* of counts of states; what goes wrong is ours */
    struct status st = medium_new(&attempt->start, &attempt->log, diag, &medium);
    for (size_t i = 0; i < attempt->log.n && is_ok(st); i++) {
        struct image image = {0};
        const bool is_end = i + 1 == attempt->log.n;
        st = medium_step(medium, diag);
        if (is_ok(st)) {
            st = fault_take_notes(&attempt->log, i, i + 1, &ledger, diag);
        }
        if (!is_ok(st) || (!is_end && random_below(attempt->random, attempt->log.n) >= CUTS)) {
            continue;
        }
        st = medium_cut(medium,
                        is_end ? MEDIUM_NOTHING_KEPT
                               : (enum medium_loss)random_below(attempt->random, 3),
                        attempt->random, diag, &image);
        const struct fault_state state = {attempt->plan,   &image,        &ledger, &terms, 0,
                                          attempt->random, attempt->where};
        if (is_ok(st)) {
            st = fault_judge(&state, diag, &ignored);
        }
        image_done(&image);
    }
    tally->lost += ignored.lost;
    tally->duplicates += ignored.duplicates;
    tally->unaudited_answers += ignored.unaudited_answers;
    tally->unaudited_questions += ignored.unaudited_questions;
    for (size_t i = 0; i < ignored.problems; i++) {
        tally_problem(tally, "%s", ignored.shown[i < TALLY_SHOWN ? i : TALLY_SHOWN - 1]);
    }
    ledger_done(&ledger);
    medium_free(medium);
    return st;
}

static struct status
run_lives(struct attempt *attempt, struct tally *tally, struct diag *diag,
          struct disk_counts *ret_counts)
{
    struct disk_counts counts = {0};
    TRY(image_remove(attempt->dir, diag));
    TRY(image_write(&attempt->start, attempt->dir, diag));
    disk_watch(attempt->dir, &attempt->start, &attempt->log, attempt->fail_at, attempt->error);
    for (uint64_t i = 0; i < LIVES; i++) {
        live(attempt, 1 + i * 100, tally);
        disk_forget_failures();
    }
    counts = disk_unwatch();
    if (attempt->log.is_broken) {
        return FAIL(diag, ERR_INTERNAL, "the log: %s", attempt->log.why);
    }
    (void)snprintf(attempt->where, sizeof(attempt->where), "call %zu (%s): %s", attempt->fail_at,
                   counts.has_failed ? disk_op_name(counts.failed) : "none",
                   disk_error_name(attempt->error));
    if (counts.again + counts.written > 0) {
        tally_problem(tally, "%s: a file whose sync failed was synced %zu and written %zu times",
                      attempt->where, counts.again, counts.written);
    }
    *ret_counts = counts;
    return OK;
}

static struct status
try_one(struct attempt *attempt, struct tally *tally, struct diag *diag,
        struct disk_counts *ret_counts)
{
    struct ledger ledger = {0};
    struct status st = run_lives(attempt, tally, diag, ret_counts);
    if (is_ok(st)) {
        st = fault_take_notes(&attempt->log, 0, attempt->log.n, &ledger, diag);
    }
    if (is_ok(st)) {
        struct journal *journal = NULL;
        struct diag why = {0};
        if (is_ok(work_open(attempt->dir, &terms, &why, &journal))) {
            journal_close(journal);
        } else {
            tally_problem(tally, "%s: it does not open: %s", attempt->where, why.text);
        }
        work_check(attempt->dir, &ledger, true, attempt->where, tally);
        st = cut_behind(attempt, diag, tally);
    }
    tally->acknowledged += ledger.n;
    ledger_done(&ledger);
    disk_log_done(&attempt->log);
    return st;
}

struct status
fault_errors(const struct fault_plan *plan, struct diag *diag, struct tally *tally)
{
    char dir[PATH_MAX];
    uint64_t random = plan->seed * 2 + 1;
    struct disk_counts counts = {0};
    (void)snprintf(dir, sizeof(dir), "%.2000s/errors", plan->dir);
    struct attempt attempt = {.plan = plan, .dir = dir, .random = &random};
    TRY(try_one(&attempt, tally, diag, &counts)); /* as it should be */
    const size_t calls = counts.calls;
    const size_t step = plan->count == 0 || plan->count >= calls ? 1 : calls / plan->count;
    for (attempt.fail_at = 1; attempt.fail_at <= calls;
         attempt.fail_at += attempt.fail_at < OPENING ? 1 : step) {
        for (int error = 0; error < DISK_ERROR_COUNT && fault_has_time(plan); error++) {
            attempt.error = (enum disk_error)error;
            if (error >= DISK_SHORT && counts.failed != DISK_WRITE) {
                break; /* only a write can be short */
            }
            TRY(try_one(&attempt, tally, diag, &counts));
            tally->tried += counts.has_failed ? 1 : 0;
        }
    }
    return image_remove(dir, diag);
}
