/*
 * A transaction: a table of named steps that reads like the specification, run by worker threads.
 *
 * A step answers DONE (go on with the next), WAIT (park me: the last wake that is due, a nudge or
 * the deadline runs the same step again), YIELD (others first, then the same step again), or FAILED
 * (the reason is in txn->diag; the table's recovery step follows, which refuses and records). Steps
 * never block on a network, a database server or the journal. A parked transaction costs memory
 * only. The deadline is absolute and travels with the transaction; every wait has the same one.
 *
 * Waiting: before a call that may answer later, txn_expect counts one wake as due; park_wake pays
 * it back, and runs the step when no other is due. A transaction ends only when none is due, so
 * whoever holds its park may always use it.
 * Threads: one at a time runs a transaction's steps; wakes come from any.
 */
#ifndef TXN_TXN_H
#define TXN_TXN_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/park.h"

struct runner;
struct txn;

enum txn_verdict {
    TXN_DONE,
    TXN_WAIT,
    TXN_YIELD, /* run me again, after those that are ready: for steps of long computation */
    TXN_FAILED
};

struct txn_step {
    const char *name;
    enum txn_verdict (*run)(struct txn *txn);
};

struct txn_table {
    const char *name;
    const struct txn_step *steps;
    size_t steps_n;
    size_t recovery; /* step that follows a failure before it; a failure at or after it ends the
                        transaction */
};

#define TXN_MAGIC 0x74786e31u

/* First member of every transaction kind (struct inbound, struct asking). */
struct txn {
    unsigned magic;
    struct park park;
    struct runner *runner;
    const struct txn_table *table;
    struct arena *arena; /* freed by txn_done */
    struct diag diag;    /* the first failure */
    char id[UUID_TEXT];
    int64_t started_us;  /* mono */
    int64_t deadline_us; /* mono */
    /* Called once, on the worker that ran the last step; may free the transaction. */
    void (*on_end)(struct txn *txn);
    /* The runner's: */
    size_t step;
    bool is_parked, is_woken;
    unsigned due;      /* wakes not yet paid back */
    size_t timer_slot; /* in the runner's deadline heap, from 1; 0: none */
    struct txn *next;  /* in the ready queue ... */
    int64_t ready_us;  /* ... since then (mono) */
};

/* A new id and arena; ERR_NO_MEMORY. */
MUST_CHECK struct status txn_init(struct txn *txn, const struct txn_table *table,
                                  const struct clock *clock, int64_t timeout_us,
                                  void (*on_end)(struct txn *txn), struct diag *diag);
void txn_done(struct txn *txn); /* frees the arena and everything deferred to it */
const char *txn_step_name(const struct txn *txn);

/* One wake is due from now on: call before handing &txn->park to anybody. */
void txn_expect(struct txn *txn);
/* It will not come (the call answered now, or failed). */
void txn_unexpect(struct txn *txn);
/* The end of a call that may answer later, begun with txn_expect: FAILED, WAIT (the wake stays due)
 * or DONE. */
enum txn_verdict txn_settle(struct txn *txn, struct status st, enum answer answer);
/* Are wakes due? A step that was run again asks, and waits on. */
bool txn_is_due(struct txn *txn);
bool txn_is_overdue(const struct txn *txn);
/* What a step that asks the store begins with, because the deadline, too, runs a parked step again:
 * WAIT while the store's wake is due, FAILED with ERR_DEADLINE when the time is over, else DONE. */
enum txn_verdict txn_may_ask(struct txn *txn);
/* Has the step that began at <since_us> (mono) computed for so long that others should have their
 * turn? Then it answers TXN_YIELD when it can. */
#define TXN_TURN_US ((int64_t)2000)
bool txn_is_turn_over(const struct txn *txn, int64_t since_us);
/* Wake without paying back: for objects that detach themselves (struct fanout). */
void txn_nudge(struct txn *txn);

/* Leave a step (which returns enum txn_verdict) when <call> failed. */
#define TXN_TRY(call)                                                                              \
    do {                                                                                           \
        if (!is_ok(call)) {                                                                        \
            return TXN_FAILED;                                                                     \
        }                                                                                          \
    } while (0)

/* ---- the runner ---- */

/* <workers> threads; 0: the owner's thread runs everything with runner_run_ready (scenario tests).
 */
MUST_CHECK struct status runner_new(const struct clock *clock, unsigned workers, struct diag *diag,
                                    struct runner **ret_runner);
/* Takes the transaction over; its on_end will be called. */
void runner_start(struct runner *runner, struct txn *txn);
/* Without workers: run what is ready, deadlines that have passed included, until nothing is. */
void runner_run_ready(struct runner *runner);
/* Nobody's time lasts longer than <end_us> (mono): every transaction is overdue then, those that
 * start later, too. For stopping; any thread. */
void runner_end_at(struct runner *runner, int64_t end_us);
/* How many transactions have started and not ended. */
size_t runner_active(struct runner *runner);
/* How long the oldest of the ready transactions has waited for a worker; 0: none waits. Takes no
 * lock. */
int64_t runner_lag_us(const struct runner *runner);
/* How long the worker that is longest at its transaction has run it without a pause; 0: none is at
 * work. Takes no lock. */
int64_t runner_busy_us(const struct runner *runner);
/* Waits until none is active or <deadline_us> (mono) has passed; true when none is. */
bool runner_drain(struct runner *runner, int64_t deadline_us);
void runner_free(struct runner *runner); /* joins the workers; none may be active; NULL is fine */
const struct clock *runner_clock(const struct runner *runner);

#endif
