/*
 * Writers of audit records as a node has them: transactions on the node's own runner that have one
 * record each on its way and go on when it is durable.
 *
 * Owner: who runs them. Thread: one at a time.
 */
#ifndef BENCH_WRITERS_H
#define BENCH_WRITERS_H

#include "audit/journal.h"
#include "tests/bench/disk.h"

#define WRITERS_MAX 1000

struct writers_result {
    size_t records;            /* durable within the time */
    int64_t time_us;           /* of them */
    int64_t cpu_ns;            /* this process's meanwhile, the journal's thread included */
    struct meter_list wait_us; /* each: from before its append until its writer goes on */
    struct disk_noted disk;
};

struct writers_work {
    struct journal *journal;
    const struct audit_event *events; /* appended in turn */
    size_t events_n;
    struct disk_floor *floor; /* what disk.h compares with */
    unsigned threads;         /* of the runner */
    int64_t warm_us, time_us; /* before it counts, and while it counts */
};
/* <n> writers append. Times are disk_clock_us's. Ends with writers_result_done, whatever came.
 * ERR_JOURNAL: an append, or the journal, failed. */
MUST_CHECK struct status writers_run(const struct writers_work *work, size_t n, struct diag *diag,
                                     struct writers_result *ret_result);
void writers_result_done(struct writers_result *result);

#endif
