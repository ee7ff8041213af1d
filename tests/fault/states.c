/*
 * Family "states": sessions of a journal whose every call is logged, cut at every operation in
 * every way that medium.h allows (some, where there are too many), and given to the next process,
 * which is cut in its recovery, too. Called by fault.c on the main thread; sessions start threads
 * of their own and end them.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "audit/journal.h"
#include "base/mem.h"
#include "tests/fault/fault.h"
#include "tests/fault/keeper.h"
#include "tests/fault/medium.h"

#define THREADS      6
#define TRANSACTIONS 5 /* of each thread */
#define SOME_EACH    3 /* states by chance, at each operation */
#define SEEN_MAX     ((size_t)1 << 18)
#define NESTED_EVERY 6 /* of so many states one is cut again while it recovers */
#define KEEPS        3 /* checkpoints, cursors and removals while a session writes */
#define KEEPS_EVERY  4 /* of so many successors one signs, and removes old segments */
#define NESTED_CUTS  4
#define DEPTH        2 /* power losses while something recovers from one */
#define LATER_NUMBERS                                                                              \
    200 /* of transactions that follow a recovery; those of a session are fewer                    \
         */

/* ---- shared with errors.c ---- */

struct status
fault_take_notes(const struct disk_log *log, size_t from, size_t n, struct ledger *ledger,
                 struct diag *diag)
{
    for (size_t i = from; i < n; i++) {
        const struct disk_op *const op = &log->ops[i];
        if (op->kind == DISK_NOTE) {
            TRY(ledger_add(ledger, (struct claim){op->sequence, op->value}, diag));
        }
    }
    return OK;
}

static void
note(void *arg, struct claim claim)
{
    (void)arg;
    disk_note(claim.sequence, claim.value);
}

struct recovered {
    const struct ledger *known;
};

/* What recovery has kept stays: it was written again and synced. */
static bool
note_kept(void *arg, const struct journal_record *record)
{
    const struct recovered *const recovered = arg;
    for (size_t i = 0; i < recovered->known->n; i++) {
        if (recovered->known->items[i].sequence == record->sequence) {
            return true;
        }
    }
    if (work_value(record->payload) != UINT64_MAX) {
        disk_note(record->sequence, work_value(record->payload));
    }
    return true;
}

/* The next process: recovers, goes on for two transactions, ends in order. */
static struct status
live_on(const struct fault_state *state, const char *dir, struct diag *diag)
{
    struct journal *journal = NULL;
    struct worker worker;
    atomic_ullong next = LATER_NUMBERS * (DEPTH + 1 - state->depth);
    struct recovered recovered = {state->ledger};
    TRY(work_open(dir, state->terms, diag, &journal));
    struct status st = journal_read(work_place(dir), note_kept, &recovered, diag);
    worker_init(&worker, journal, &next, random_next(state->random));
    worker.left = 2;
    worker.acknowledge = note;
    if (is_ok(st)) {
        (void)worker_run(&worker);
        st = (struct status){worker.diag.code};
        *diag = worker.diag;
    }
    if (is_ok(st) && random_below(state->random, KEEPS_EVERY) == 0) {
        st = keeper_run(work_place(dir), journal, &worker, diag);
    }
    journal_close(journal);
    return st;
}

static struct status
cut_again(const struct fault_state *state, const struct disk_log *log, struct diag *diag,
          struct tally *tally)
{
    struct medium *medium = NULL;
    struct ledger ledger = {0};
    struct status st = medium_new(state->image, log, diag, &medium);
    for (size_t i = 0; i < state->ledger->n && is_ok(st); i++) {
        st = ledger_add(&ledger, state->ledger->items[i], diag);
    }
    for (size_t i = 0; i < log->n && is_ok(st); i++) {
        struct image image = {0};
        st = medium_step(medium, diag);
        if (is_ok(st)) {
            st = fault_take_notes(log, i, i + 1, &ledger, diag);
        }
        if (!is_ok(st) || random_below(state->random, log->n) >= NESTED_CUTS) {
            continue;
        }
        st = medium_cut(medium, (enum medium_loss)random_below(state->random, 3), state->random,
                        diag, &image);
        const struct fault_state nested = {state->plan,       &image,           &ledger,
                                           state->terms,      state->depth - 1, state->random,
                                           "recovery was cut"};
        if (is_ok(st)) {
            st = fault_judge(&nested, diag, tally);
        }
        image_done(&image);
    }
    ledger_done(&ledger);
    medium_free(medium);
    return st;
}

static struct status
judge_in(const struct fault_state *state, const char *dir, struct diag *diag, struct tally *tally)
{
    struct disk_log log = {0};
    struct diag why = {0};
    struct ledger ledger = {0};
    char where[200];
    (void)snprintf(where, sizeof(where), "state %" PRIu64 " (%s)", tally->tried, state->what);
    tally->tried++;
    TRY(image_write(state->image, dir, diag));
    work_check(dir, state->ledger, false, where, tally);
    disk_watch(dir, state->image, &log, 0, DISK_EIO);
    const struct status lived = live_on(state, dir, &why);
    (void)disk_unwatch();
    struct status st = log.is_broken ? FAIL(diag, ERR_INTERNAL, "the log: %s", log.why) : OK;
    if (!is_ok(lived)) {
        tally->lost += state->ledger->n;
        tally_problem(tally, "%s: the next process cannot go on: %s", where, why.text);
    }
    for (size_t i = 0; i < state->ledger->n && is_ok(st); i++) {
        st = ledger_add(&ledger, state->ledger->items[i], diag);
    }
    if (is_ok(st)) {
        st = fault_take_notes(&log, 0, log.n, &ledger, diag);
    }
    if (is_ok(st) && is_ok(lived)) {
        work_check(dir, &ledger, true, where, tally);
    }
    if (is_ok(st) && is_ok(lived) && state->depth > 0 &&
        random_below(state->random, NESTED_EVERY) == 0) {
        st = cut_again(state, &log, diag, tally);
    }
    ledger_done(&ledger);
    disk_log_done(&log);
    return st;
}

struct status
fault_judge(const struct fault_state *state, struct diag *diag, struct tally *tally)
{
    char dir[PATH_MAX];
    (void)snprintf(dir, sizeof(dir), "%.2000s/state-%u", state->plan->dir, state->depth);
    TRY(image_remove(dir, diag));
    const struct status st = judge_in(state, dir, diag, tally);
    TRY(st);
    return image_remove(dir, diag);
}

/* ---- sessions ---- */

struct session {
    const struct fault_plan *plan;
    struct work_terms terms;
    struct image start; /* nothing */
    struct disk_log log;
    uint64_t *random;
    uint64_t *seen; /* hashes of states of all sessions; 0: free */
};

static struct status
write_session(struct session *session, const char *dir, struct diag *diag)
{
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    struct journal *journal = NULL;
    atomic_ullong next = 1;
    struct status st = OK;
    TRY(work_open(dir, &session->terms, diag, &journal));
    size_t started = 0;
    for (; started < THREADS && is_ok(st); started++) {
        worker_init(&workers[started], journal, &next, random_next(session->random));
        workers[started].left = TRANSACTIONS;
        workers[started].acknowledge = note;
        if (pthread_create(&threads[started], NULL, worker_run, &workers[started]) != 0) {
            st = FAIL(diag, ERR_NO_MEMORY, "no thread to write with");
            break;
        }
    }
    for (int i = 0; i < KEEPS && is_ok(st); i++) {
        st = keeper_run(work_place(dir), journal, &workers[0], diag);
    }
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
        if (is_ok(st) && workers[i].diag.code != ERR_NONE) {
            *diag = workers[i].diag;
            st = (struct status){diag->code};
        }
    }
    journal_close(journal);
    return st;
}

static bool
is_new(struct session *session, const struct image *image, size_t claims)
{
    uint64_t hash = image_hash(image) * 31 + claims;
    hash += hash == 0 ? 1 : 0;
    for (size_t at = (size_t)hash % SEEN_MAX, tries = 0; tries < SEEN_MAX / 2; tries++) {
        if (session->seen[at] == hash) {
            return false;
        }
        if (session->seen[at] == 0) {
            session->seen[at] = hash;
            return true;
        }
        at = (at + 1) % SEEN_MAX;
    }
    return false;
}

static struct status
cut_here(struct session *session, const struct medium *medium, const struct ledger *ledger,
         const char *what, struct diag *diag, struct tally *tally)
{
    for (int i = 0; i < 2 + SOME_EACH; i++) {
        const enum medium_loss loss = i == 0   ? MEDIUM_NOTHING_KEPT
                                      : i == 1 ? MEDIUM_ALL_KEPT
                                               : MEDIUM_SOME_KEPT;
        struct image image = {0};
        struct status st = OK;
        TRY(medium_cut(medium, loss, session->random, diag, &image));
        const struct fault_state state = {session->plan, &image,          ledger, &session->terms,
                                          DEPTH,         session->random, what};
        if (tally->tried < session->plan->count && fault_has_time(session->plan) &&
            is_new(session, &image, ledger->n)) {
            st = fault_judge(&state, diag, tally);
        }
        image_done(&image);
        TRY(st);
    }
    return OK;
}

/* All of them when there is time for all; else some, and those behind what changes a size or a name
 * in any case. */
static bool
is_cut_here(const struct session *session, size_t at, const struct tally *tally)
{
    const uint64_t all = session->log.n * (2 + SOME_EACH);
    const uint64_t left = session->plan->count - tally->tried;
    const enum disk_op_kind before = at == 0 ? DISK_NOTE : session->log.ops[at - 1].kind;
    return left >= all || random_below(session->random, all) < left || before == DISK_TRUNCATE ||
           before == DISK_RENAME || before == DISK_UNLINK;
}

/* Before each operation, and at the end, with all that was acknowledged until then. */
static struct status
cut_session(struct session *session, struct ledger *ledger, struct diag *diag, struct tally *tally)
{
    struct medium *medium = NULL;
    struct status st = OK;
    TRY(medium_new(&session->start, &session->log, diag, &medium));
    for (size_t i = 0; i <= session->log.n && is_ok(st); i++) {
        const bool is_end = i == session->log.n;
        const struct disk_op *const op = is_end ? NULL : &session->log.ops[i];
        char what[120];
        (void)snprintf(what, sizeof(what), "cut at operation %zu of %zu, before %s", i,
                       session->log.n, is_end ? "the end" : disk_op_name(op->kind));
        if ((is_end || op->kind != DISK_NOTE) && tally->tried < session->plan->count &&
            is_cut_here(session, i, tally)) {
            st = cut_here(session, medium, ledger, what, diag, tally);
        }
        if (is_ok(st) && !is_end) {
            st = fault_take_notes(&session->log, i, i + 1, ledger, diag);
        }
        if (is_ok(st) && !is_end) {
            st = medium_step(medium, diag);
        }
    }
    medium_free(medium);
    return st;
}

static struct status
run_session(struct session *session, struct diag *diag, struct tally *tally)
{
    char dir[PATH_MAX];
    struct ledger ledger = {0};
    (void)snprintf(dir, sizeof(dir), "%.2000s/session", session->plan->dir);
    TRY(image_remove(dir, diag));
    TRY(image_write(&session->start, dir, diag));
    disk_set_sync_us(300); /* so that others queue meanwhile */
    disk_watch(dir, &session->start, &session->log, 0, DISK_EIO);
    struct status st = write_session(session, dir, diag);
    (void)disk_unwatch();
    disk_set_sync_us(0);
    if (is_ok(st) && session->log.is_broken) {
        st = FAIL(diag, ERR_INTERNAL, "the log: %s", session->log.why);
    }
    if (is_ok(st)) {
        st = cut_session(session, &ledger, diag, tally);
    }
    tally->acknowledged += ledger.n;
    ledger_done(&ledger);
    disk_log_done(&session->log);
    TRY(st);
    return image_remove(dir, diag);
}

struct status
fault_states(const struct fault_plan *plan, struct diag *diag, struct tally *tally)
{
    static const struct work_terms terms[] = {
        {.sizes = {8192, 1024 * 1024, 0, false}},
        {.sizes = {8192, 1024 * 1024, 2048, false}, .is_encrypted = true, .keeps_reserve = true},
        {.sizes = {16384, 1024 * 1024, 4096, true}, .keeps_reserve = true},
    };
    uint64_t random = plan->seed * 2 + 1;
    struct status st = OK;
    uint64_t *const seen = mem_alloc(SEEN_MAX * sizeof(*seen));
    if (seen == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to remember states");
    }
    for (size_t i = 0; is_ok(st) && tally->tried < plan->count && fault_has_time(plan); i++) {
        struct session session = {
            .plan = plan, .terms = terms[i % ARRAY_LEN(terms)], .random = &random, .seen = seen};
        st = run_session(&session, diag, tally);
    }
    mem_free(seen);
    return st;
}
