/*
 * What the families write into a journal, and how they look whether it is all there.
 *
 * Each transaction is a question with its intent and its outcome, as a node has them: "asks" (the
 * intent is appended; when it is durable the question may leave), then "answers" (the outcome; when
 * it is durable the answer may leave). A record's value is twice the transaction's number, plus one
 * for the outcome.
 */
#ifndef FAULT_WORK_H
#define FAULT_WORK_H

#include <semaphore.h>
#include <stdatomic.h>

#include "audit/journal_state.h"

#define WORK_CHAIN "node"

/* A record that was acknowledged. */
struct claim {
    uint64_t sequence, value;
};
struct ledger {
    struct claim *items;
    size_t n, capacity;
};
MUST_CHECK struct status ledger_add(struct ledger *ledger, struct claim claim, struct diag *diag);
void ledger_done(struct ledger *ledger);

#define TALLY_SHOWN 5

/* What a family counts, and the first things that went wrong. */
struct tally {
    uint64_t tried;
    uint64_t lost;       /* acknowledged records that are not there, or cannot be read */
    uint64_t duplicates; /* records of which there is a second one */
    uint64_t unaudited_answers, unaudited_questions;
    uint64_t acknowledged; /* all together, for people */
    uint64_t problems;     /* of any kind; 0: passed */
    char shown[TALLY_SHOWN][400];
    char remark[300]; /* for people: what the numbers do not say */
};
/* Something is wrong; the first ones are kept for people. */
void tally_problem(struct tally *tally, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- writing ---- */
struct worker {
    struct park park; /* first member */
    sem_t woken;
    struct journal *journal;
    atomic_ullong *next; /* number of the next transaction, of all threads */
    size_t left;         /* transactions; SIZE_MAX: until it is killed */
    uint64_t random;
    /* Told of each record that is durable; before the next one of the thread is appended. */
    void (*acknowledge)(void *arg, struct claim claim);
    void *arg;
    struct diag diag; /* why it ended early */
};
void worker_init(struct worker *worker, struct journal *journal, atomic_ullong *next,
                 uint64_t seed);
void *worker_run(void *worker); /* for pthread_create */
/* One record, waited for. */
MUST_CHECK struct status worker_append(struct worker *worker, uint64_t value, struct diag *diag);

/* How a journal is written. Reading takes whatever is there. */
struct work_terms {
    struct journal_sizes sizes;
    bool is_encrypted;
    bool keeps_reserve; /* for a full disk */
};
/* Opens <dir>'s chain; every intent without an outcome gets one. */
MUST_CHECK struct status work_open(const char *dir, const struct work_terms *terms,
                                   struct diag *diag, struct journal **ret_journal);
/* <dir> with the key of these tests, to read what any of them wrote. Thread: one. */
const struct journal_place *work_place(const char *dir);

/* ---- looking ---- */
/* Of a record's payload; UINT64_MAX: it is none of ours. */
uint64_t work_value(struct span payload);
/* Every claim is there with its value, in order, once, and the chain is whole; <is_ended>: and each
 * intent has its outcome. What is wrong goes into the tally, with <where> for people. */
void work_check(const char *dir, const struct ledger *ledger, bool is_ended, const char *where,
                struct tally *tally);

#endif
