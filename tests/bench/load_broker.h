/*
 * Inside the load generator: what the benchmarks of the local listener share. The configuration is
 * the broker's own; the node that is named is its first simulated partner (p001) with the broker's
 * pid. Main thread only.
 */
#ifndef BENCH_LOAD_BROKER_H
#define BENCH_LOAD_BROKER_H

#include "tests/bench/load.h"

/* Questions of a local system, each with a MessageID of its own, made as they are sent. */
struct questions {
    const struct load *load;
    size_t left;
    uint64_t n;       /* that were made */
    size_t targets;   /* of each: 1 is one partner after the other, else the first so many */
    size_t partners;  /* among which the one goes round */
    struct buf *ring; /* those that may still be on their way */
    struct arena *arena;
    struct span *homes;        /* urn:oid:... of partner 1, 2, ... */
    struct meter_process most; /* of the broker, looked at now and then */
    int64_t looked_us;
    struct diag diag;
};
MUST_CHECK struct status questions_init(struct questions *questions, const struct load *load,
                                        size_t partners, struct diag *diag);
void questions_done(struct questions *questions);
bool questions_next(void *arg, struct span *ret_request); /* for struct drive_work */
void questions_look(struct questions *questions);         /* at the broker's process */

/* To the broker's local listener. */
MUST_CHECK struct status broker_connect(const struct load *load, size_t connections,
                                        struct diag *diag, struct drive **ret_drive);
/* Asks <n> questions; ERR_PARTNER_ANSWER when one was not answered in full. */
MUST_CHECK struct status broker_run(struct drive *drive, struct questions *questions, size_t n,
                                    double rate, struct drive_result *result, struct diag *diag);
/* One row of numbers that have no floor. */
void broker_row(const struct load *load, const char *text, double value, const char *unit,
                size_t n);

#endif
