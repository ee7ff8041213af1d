/*
 * Writers of audit records as a node has them: transactions that have one record each on its way
 * and go on when it is durable. They are no threads: as in the node, a few threads run whichever
 * was woken.
 *
 * Owner: who runs them. Thread: one at a time.
 */
#ifndef BENCH_WRITERS_H
#define BENCH_WRITERS_H

#include "audit/journal.h"
#include "tests/bench/meter.h"

#define WRITERS_MAX 1000

struct writers_result {
    size_t records;            /* durable within the time */
    int64_t time_us;           /* of them */
    int64_t cpu_ns;            /* this process's meanwhile, the journal's thread included */
    struct meter_list wait_us; /* each: from before its append until its writer goes on */
};

/* <n> writers append <events> in turn for <warm_us> and then <time_us>, on <threads> threads; what
 * is counted, and what disk.h notes, is of the second. Ends with writers_result_done, whatever
 * came. ERR_JOURNAL: an append, or the journal, failed. */
MUST_CHECK struct status writers_run(struct journal *journal, const struct audit_event *events,
                                     size_t events_n, size_t n, size_t threads, int64_t warm_us,
                                     int64_t time_us, struct diag *diag,
                                     struct writers_result *ret_result);
void writers_result_done(struct writers_result *result);

#endif
