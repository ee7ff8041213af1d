/*
 * What the tests of the generator and of the comparer share: one small network, made once per test
 * program, and an arena that lives until its end. One thread.
 */
#ifndef UNIT_SYNTH_NETWORK_H
#define UNIT_SYNTH_NETWORK_H

#include "tests/synth/truth.h"
#include "tests/unit/unit.h"

#define NETWORK_COMMUNITIES "red,green,blue,amber,violet"

/* Main of both programs: as unit_main, with the arena around it. */
int network_main(const char *suite, const struct unit_test *tests, size_t n);
struct arena *network_arena(void);
/* A path in the test's folder. */
const char *network_temp(const char *name);
MUST_CHECK struct status network_make(uint64_t seed, const char *out, const char *communities,
                                      size_t people, struct diag *diag);
/* The shared network's folder; seed 7, five more people. */
const char *network_path(void);
void network_read_truth(const char *dir, struct truth *ret_truth);
const struct truth_question *network_question(const struct truth *truth, const char *name);

#endif
