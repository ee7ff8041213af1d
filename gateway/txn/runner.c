/*
 * Runs transactions on worker threads. One lock guards the ready queue, the deadlines and every
 * transaction's parking state; steps run without it. Called by serve (workers) and by scenario
 * tests (no workers: the test's own thread). Owns no transaction's memory: on_end gives it back.
 */
#include <assert.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/thread.h"
#include "txn/deadlines.h"
#include "txn/txn.h"

#define WORKERS_MAX   64
#define DRAIN_LOOK_US (20 * US_PER_MS) /* its clock may be a test's */

struct worker {
    struct runner *runner;
    pthread_t thread;
    _Atomic int64_t busy_since_us; /* mono; 0: it waits */
};

struct runner {
    const struct clock *clock;
    pthread_mutex_t lock;
    pthread_cond_t ready;      /* something to run, a nearer deadline, or stopping */
    pthread_cond_t quiet;      /* active went down */
    struct txn *first, *last;  /* ready queue */
    _Atomic int64_t oldest_us; /* when its first came (mono); 0: empty */
    struct deadlines deadlines;
    atomic_int_fast64_t end_us; /* mono; nobody's deadline is later */
    size_t active;
    size_t uncalled;       /* made ready by workers, who called nobody for it (unlock_and_call) */
    bool is_unwatched;     /* nor for a deadline that is the nearest now (park) */
    atomic_size_t calling; /* threads between the lock and the wake of a worker */
    bool is_stopping;
    unsigned workers_n;
    struct worker workers[WORKERS_MAX];
};

static _Thread_local const struct worker *own_worker; /* NULL: this thread is none */

static bool
is_worker_of(const struct runner *runner)
{
    return own_worker != NULL && own_worker->runner == runner;
}

/* ---- parking; the runner's lock is held ---- */

/* Whoever enqueues wakes a worker (unlock_and_call): one that is woken under the lock would only
 * wait for it. */
static void
enqueue(struct runner *runner, struct txn *txn)
{
    txn->next = NULL;
    txn->ready_us = clock_mono_us(runner->clock);
    if (runner->last == NULL) {
        runner->first = txn;
        runner->oldest_us = txn->ready_us;
    } else {
        runner->last->next = txn;
    }
    runner->last = txn;
}

static struct txn *
dequeue(struct runner *runner)
{
    struct txn *txn = runner->first;

    if (txn != NULL) {
        runner->first = txn->next;
        if (runner->first == NULL) {
            runner->last = NULL;
        }
        runner->oldest_us = runner->first == NULL ? 0 : runner->first->ready_us;
    }
    return txn;
}

/* False: its step is running, and it runs once more. */
static bool
unpark(struct runner *runner, struct txn *txn)
{
    if (!txn->is_parked) {
        txn->is_woken = true;
        return false;
    }
    txn->is_parked = false;
    deadlines_remove(&runner->deadlines, txn);
    enqueue(runner, txn);
    return true;
}

/* False when a wake came while the step ran: run it again instead. <saw_deadline>: the deadline had
 * passed before the step ran, so it waits for wakes that are due, which always come; else the
 * deadline runs it once more, even when it has passed meanwhile. */
static bool
park(struct runner *runner, struct txn *txn, bool saw_deadline)
{
    if (txn->is_woken) {
        txn->is_woken = false;
        return false;
    }
    txn->is_parked = true;
    if (!saw_deadline && deadlines_add(&runner->deadlines, txn) &&
        deadlines_first(&runner->deadlines) == txn) {
        runner->is_unwatched = true; /* until this worker sleeps, or calls another to do so */
    }
    return true;
}

/* A transaction's own deadline, or the end of all. */
static int64_t
deadline_of(const struct runner *runner, const struct txn *txn)
{
    const int64_t end_us = atomic_load(&runner->end_us);

    return txn->deadline_us < end_us ? txn->deadline_us : end_us;
}

/* To the end of the ready queue; false when nobody else is ready: it goes on. The wakes that came
 * are served by its next turn. */
static bool
stand_behind(struct runner *runner, struct txn *txn)
{
    txn->is_woken = false;
    if (runner->first == NULL) {
        return false;
    }
    enqueue(runner, txn);
    return true;
}

/* By a worker, which takes one of them: who sleeps is to take the others. */
static void
unpark_overdue(struct runner *runner)
{
    struct txn *txn = deadlines_first(&runner->deadlines);

    if (txn == NULL) {
        return;
    }
    const int64_t now_us = clock_mono_us(runner->clock);
    size_t n = 0;

    while (txn != NULL && deadline_of(runner, txn) <= now_us) {
        n += unpark(runner, txn) ? 1 : 0;
        txn = deadlines_first(&runner->deadlines);
    }
    if (n > 1) {
        pthread_cond_broadcast(&runner->ready);
    }
}

/* Lets go of the lock, then wakes workers if there is something for them: <n> transactions. They
 * may have ended by then, and with them what kept the runner: runner_free waits for who is here. A
 * worker wakes nobody: it is about to end its step, and takes what is ready itself; what it leaves
 * then is another's (call_for_rest). */
static void
unlock_and_call(struct runner *runner, size_t n)
{
    if (n == 0 || is_worker_of(runner)) {
        runner->uncalled += n;
        pthread_mutex_unlock(&runner->lock);
        return;
    }
    (void)atomic_fetch_add(&runner->calling, 1);
    pthread_mutex_unlock(&runner->lock);
    if (n == 1) {
        pthread_cond_signal(&runner->ready);
    } else {
        pthread_cond_broadcast(&runner->ready);
    }
    (void)atomic_fetch_sub(&runner->calling, 1);
}

/* A worker goes to work: what it and others have left without a call is for whoever sleeps. */
static void
call_for_rest(struct runner *runner)
{
    const bool has_rest = runner->first != NULL && runner->uncalled > 0;

    if (has_rest || runner->is_unwatched) {
        pthread_cond_signal(&runner->ready);
    }
    runner->uncalled = has_rest ? runner->uncalled - 1 : 0;
    runner->is_unwatched = false;
}

/* ---- what steps and wakers call ---- */

static struct txn *
txn_of(struct park *park_of_txn)
{
    struct txn *txn = (struct txn *)((char *)park_of_txn - offsetof(struct txn, park));

    assert(txn->magic == TXN_MAGIC);
    return txn;
}

/* Under the lock. True: it is ready now. */
static bool
pay_back(struct runner *runner, struct txn *txn)
{
    assert(txn->due > 0);
    txn->due--;
    return txn->due == 0 && unpark(runner, txn);
}

static void
wake_from_park(struct park *park_of_txn)
{
    struct txn *txn = txn_of(park_of_txn);
    struct runner *runner = txn->runner;

    pthread_mutex_lock(&runner->lock);
    unlock_and_call(runner, pay_back(runner, txn) ? 1 : 0);
}

/* Those of one runner under one lock, with one call. */
static void
wake_from_parks(struct park *const *parks, size_t n)
{
    for (size_t i = 0; i < n;) {
        struct runner *runner = txn_of(parks[i])->runner;
        size_t ready = 0;

        pthread_mutex_lock(&runner->lock);
        for (; i < n && txn_of(parks[i])->runner == runner; i++) {
            ready += pay_back(runner, txn_of(parks[i])) ? 1 : 0;
        }
        unlock_and_call(runner, ready);
    }
}

void
txn_nudge(struct txn *txn)
{
    struct runner *runner = txn->runner;

    pthread_mutex_lock(&runner->lock);
    unlock_and_call(runner, unpark(runner, txn) ? 1 : 0);
}

void
txn_expect(struct txn *txn)
{
    pthread_mutex_lock(&txn->runner->lock);
    txn->due++;
    pthread_mutex_unlock(&txn->runner->lock);
}

void
txn_unexpect(struct txn *txn)
{
    pthread_mutex_lock(&txn->runner->lock);
    assert(txn->due > 0);
    txn->due--;
    pthread_mutex_unlock(&txn->runner->lock);
}

bool
txn_is_due(struct txn *txn)
{
    bool is_due;

    pthread_mutex_lock(&txn->runner->lock);
    is_due = txn->due > 0;
    pthread_mutex_unlock(&txn->runner->lock);
    return is_due;
}

bool
txn_is_overdue(const struct txn *txn)
{
    return clock_mono_us(txn->runner->clock) >= deadline_of(txn->runner, txn);
}

struct status
txn_init(struct txn *txn, const struct txn_table *table, const struct clock *clock,
         int64_t timeout_us, void (*on_end)(struct txn *txn), struct diag *diag)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of a new transaction");
    }
    *txn =
        (struct txn){.magic = TXN_MAGIC, .park = {wake_from_park, wake_from_parks}, .table = table};
    txn->arena = arena;
    txn->on_end = on_end;
    txn->started_us = clock_mono_us(clock);
    txn->deadline_us = txn->started_us + timeout_us;
    uuid_new(txn->id);
    return OK;
}

/* ---- running ---- */

enum run_end { RUN_PARKED, RUN_ENDED };

static void
advance(struct txn *txn, enum txn_verdict verdict)
{
    if (verdict == TXN_DONE) {
        txn->step++;
    } else if (txn->step < txn->table->recovery) {
        txn->step = txn->table->recovery;
    } else {
        txn->step = txn->table->steps_n;
    }
}

/* Past its last step, a transaction still waits for wakes that are due: their senders hold its
 * park. */
static enum run_end
hold_while_due(struct runner *runner, struct txn *txn)
{
    enum run_end end = RUN_ENDED;

    pthread_mutex_lock(&runner->lock);
    if (txn->due > 0) {
        txn->is_woken = false;
        txn->is_parked = true;
        end = RUN_PARKED;
    }
    pthread_mutex_unlock(&runner->lock);
    return end;
}

/* Runs steps until the transaction parks or ends; without the lock. */
static enum run_end
run_steps(struct runner *runner, struct txn *txn)
{
    while (txn->step < txn->table->steps_n) {
        const bool saw_deadline = txn_is_overdue(txn);
        const enum txn_verdict verdict = txn->table->steps[txn->step].run(txn);
        bool is_parked = false;

        if (verdict == TXN_WAIT || verdict == TXN_YIELD) {
            pthread_mutex_lock(&runner->lock);
            is_parked =
                verdict == TXN_WAIT ? park(runner, txn, saw_deadline) : stand_behind(runner, txn);
            pthread_mutex_unlock(&runner->lock);
            if (is_parked) {
                return RUN_PARKED; /* it may run elsewhere already: do not touch it any more */
            }
        } else {
            advance(txn, verdict);
        }
    }
    return hold_while_due(runner, txn);
}

static void
run_one(struct runner *runner, struct txn *txn)
{
    if (run_steps(runner, txn) == RUN_PARKED) {
        return;
    }
    txn->on_end(txn);
    pthread_mutex_lock(&runner->lock);
    runner->active--;
    pthread_cond_broadcast(&runner->quiet);
    pthread_mutex_unlock(&runner->lock);
}

static void
wait_for_work(struct runner *runner)
{
    const struct txn *txn = deadlines_first(&runner->deadlines);
    int64_t left_us;

    runner->is_unwatched = false;
    if (txn == NULL) {
        pthread_cond_wait(&runner->ready, &runner->lock);
        return;
    }
    left_us = deadline_of(runner, txn) - clock_mono_us(runner->clock);
    if (left_us > 0) {
        (void)thread_wait(&runner->ready, &runner->lock, left_us);
    }
}

static void *
work(void *arg)
{
    struct worker *worker = arg;
    struct runner *runner = worker->runner;

    own_worker = worker;
    pthread_mutex_lock(&runner->lock);
    for (;;) {
        struct txn *txn;

        unpark_overdue(runner);
        txn = dequeue(runner);
        if (txn != NULL) {
            call_for_rest(runner);
            pthread_mutex_unlock(&runner->lock);
            worker->busy_since_us = clock_mono_us(runner->clock);
            run_one(runner, txn);
            worker->busy_since_us = 0;
            pthread_mutex_lock(&runner->lock);
        } else if (runner->is_stopping) {
            break;
        } else {
            wait_for_work(runner);
        }
    }
    pthread_mutex_unlock(&runner->lock);
    return NULL;
}

void
runner_run_ready(struct runner *runner)
{
    struct txn *txn;

    assert(runner->workers_n == 0);
    pthread_mutex_lock(&runner->lock);
    unpark_overdue(runner);
    while ((txn = dequeue(runner)) != NULL) {
        pthread_mutex_unlock(&runner->lock);
        run_one(runner, txn);
        pthread_mutex_lock(&runner->lock);
        unpark_overdue(runner);
    }
    pthread_mutex_unlock(&runner->lock);
}

/* ---- life ---- */

struct status
runner_new(const struct clock *clock, unsigned workers, struct diag *diag,
           struct runner **ret_runner)
{
    struct runner *runner = mem_alloc(sizeof(*runner));

    assert(workers <= WORKERS_MAX);
    if (runner == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of the transaction runner");
    }
    runner->clock = clock;
    atomic_init(&runner->end_us, INT64_MAX);
    thread_lock_init(&runner->lock);
    thread_cond_init(&runner->ready);
    thread_cond_init(&runner->quiet);
    for (unsigned i = 0; i < workers; i++) {
        struct worker *worker = &runner->workers[i];

        worker->runner = runner;
        if (thread_start(&worker->thread, work, worker) != 0) {
            runner_free(runner);
            return FAIL(diag, ERR_INTERNAL, "cannot start worker thread %u of %u", i + 1, workers);
        }
        runner->workers_n++;
    }
    *ret_runner = runner;
    return OK;
}

void
runner_start(struct runner *runner, struct txn *txn)
{
    assert(txn->magic == TXN_MAGIC);
    txn->runner = runner;
    pthread_mutex_lock(&runner->lock);
    (void)deadlines_reserve(&runner->deadlines, ++runner->active); /* else: when it parks */
    enqueue(runner, txn);
    unlock_and_call(runner, 1);
}

void
runner_end_at(struct runner *runner, int64_t end_us)
{
    pthread_mutex_lock(&runner->lock);
    atomic_store(&runner->end_us, end_us);
    pthread_cond_broadcast(&runner->ready); /* who waits for work waits for a later time */
    pthread_mutex_unlock(&runner->lock);
}

size_t
runner_active(struct runner *runner)
{
    size_t active;

    pthread_mutex_lock(&runner->lock);
    active = runner->active;
    pthread_mutex_unlock(&runner->lock);
    return active;
}

static int64_t
age_us(const struct runner *runner, int64_t since_us)
{
    const int64_t now_us = since_us == 0 ? 0 : clock_mono_us(runner->clock);

    return now_us > since_us ? now_us - since_us : 0;
}

int64_t
runner_lag_us(const struct runner *runner)
{
    return age_us(runner, runner->oldest_us);
}

int64_t
runner_busy_us(const struct runner *runner)
{
    int64_t longest_us = 0;

    for (unsigned i = 0; i < runner->workers_n; i++) {
        const int64_t us = age_us(runner, runner->workers[i].busy_since_us);

        longest_us = us > longest_us ? us : longest_us;
    }
    return longest_us;
}

bool
runner_drain(struct runner *runner, int64_t deadline_us)
{
    bool is_quiet;

    pthread_mutex_lock(&runner->lock);
    while (runner->active > 0 && clock_mono_us(runner->clock) < deadline_us) {
        (void)thread_wait(&runner->quiet, &runner->lock, DRAIN_LOOK_US);
    }
    is_quiet = runner->active == 0;
    pthread_mutex_unlock(&runner->lock);
    return is_quiet;
}

void
runner_free(struct runner *runner)
{
    if (runner == NULL) {
        return;
    }
    pthread_mutex_lock(&runner->lock);
    assert(runner->active == 0); /* whoever owes a wake would find no runner */
    runner->is_stopping = true;
    pthread_cond_broadcast(&runner->ready);
    pthread_mutex_unlock(&runner->lock);
    for (unsigned i = 0; i < runner->workers_n; i++) {
        pthread_join(runner->workers[i].thread, NULL);
    }
    while (atomic_load(&runner->calling) > 0) {
        sched_yield();
    }
    deadlines_done(&runner->deadlines);
    pthread_cond_destroy(&runner->ready);
    pthread_cond_destroy(&runner->quiet);
    pthread_mutex_destroy(&runner->lock);
    mem_free(runner);
}

const struct clock *
runner_clock(const struct runner *runner)
{
    return runner->clock;
}
