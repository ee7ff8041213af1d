/*
 * The families of faults, and what the program tells each. Each fills in a tally; a status that is
 * not OK is the test's own trouble (no memory, no folder), never a verdict. Main thread.
 */
#ifndef FAULT_FAULT_H
#define FAULT_FAULT_H

#include "tests/fault/disk.h"
#include "tests/fault/work.h"

struct fault_plan {
    const char *dir; /* for files; empty, and emptied again */
    uint64_t count;  /* kills, states, flips; errors: calls that fail, 0: all */
    uint64_t seed;
    int64_t until_us; /* monotonic: no further try begins after this */
};
static inline bool
fault_has_time(const struct fault_plan *plan)
{
    return clock_mono_us(clock_system()) < plan->until_us;
}

MUST_CHECK struct status fault_kills(const struct fault_plan *plan, struct diag *diag,
                                     struct tally *tally);
MUST_CHECK struct status fault_states(const struct fault_plan *plan, struct diag *diag,
                                      struct tally *tally);
MUST_CHECK struct status fault_errors(const struct fault_plan *plan, struct diag *diag,
                                      struct tally *tally);
MUST_CHECK struct status fault_damage(const struct fault_plan *plan, struct diag *diag,
                                      struct tally *tally);

/* ---- what states and errors share ---- */
/* The claims that a log notes before its operation number <n>, added. */
MUST_CHECK struct status fault_take_notes(const struct disk_log *log, size_t from, size_t n,
                                          struct ledger *ledger, struct diag *diag);
/* A disk with this on it is given to the next process: it must find what the ledger claims, end
 * what is open, go on writing, and lose nothing. <depth> more power losses while it recovers. */
struct fault_state {
    const struct fault_plan *plan;
    const struct image *image;
    const struct ledger *ledger;
    const struct work_terms *terms;
    unsigned depth;
    uint64_t *random;
    const char *what; /* for people */
};
MUST_CHECK struct status fault_judge(const struct fault_state *state, struct diag *diag,
                                     struct tally *tally);

#endif
