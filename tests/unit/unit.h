/*
 * What every unit test shares: a main over CUnit, and checks that name the wanted and the actual
 * error. One program per module: tests/unit/test_<module>.c.
 *
 * Real documents are found through ISTHMUS_DATA (default ../shared/data from the source folder);
 * unit_data_path is the only place that knows.
 */
#ifndef UNIT_H
#define UNIT_H

#include <CUnit/CUnit.h>

#include "base/diag.h"
#include "base/span.h"

struct unit_test {
    const char *name;
    void (*run)(void);
};

/* Runs all tests of a suite; the exit status for main: 0, or 1 when one failed. */
int unit_main(const char *suite, const struct unit_test *tests, size_t n);
#define UNIT_MAIN(suite, tests)                                                                    \
    int main(void)                                                                                 \
    {                                                                                              \
        return unit_main((suite), (tests), ARRAY_LEN(tests));                                      \
    }

/* Checks a status; prints file, line, the wanted and the actual error name and the diag's text. */
#define CHECK_OK(diag, call)        unit_check(__FILE__, __LINE__, #call, (diag), ERR_NONE, (call))
#define CHECK_ERR(diag, want, call) unit_check(__FILE__, __LINE__, #call, (diag), (want), (call))
bool unit_check(const char *file, int line, const char *what, struct diag *diag, enum err want,
                struct status got);
#define CHECK_SPAN(got, want_cstr) unit_check_span(__FILE__, __LINE__, (got), (want_cstr))
bool unit_check_span(const char *file, int line, struct span got, const char *want);

/* Runs <run> with the first allocation failing, then the second, ... until it succeeds; every
 * failure must be ERR_NO_MEMORY, recorded. With the sanitizers a leak on any path is a failure too.
 */
void unit_torture(struct status (*run)(struct diag *diag));
/* ISTHMUS_TORTURE=full: every allocation is to fail, not one of so many. */
bool unit_torture_is_full(void);

/* No test fails because the machine is slow: whatever must come is waited for so long. */
#define UNIT_PATIENCE_S 90
/* For what can only be looked at: while (!has_come() && unit_wait(&looks)) {}, with <looks> at 0
 * before. Sleeps 10 ms; false when the patience is at its end. */
bool unit_wait(unsigned *looks);

/* Does this process use the memory that the program would? Sanitizers and valgrind take more, and
 * count otherwise: there a test says nothing about how much is used. */
bool unit_is_memory_plain(void);

/* <data>/<relative> in a static buffer, or NULL (and "not run: no data" printed) when the data is
 * not on this machine. A test that gets NULL returns; it counts as not run. */
const char *unit_data_path(const char *relative);
/* <root of the sources>/<relative> in a static buffer; fails the current test, and gives NULL, when
 * it is not there. */
const char *unit_source_path(const char *relative);
/* Says why the current test does not run, in words like printf's; it then returns, and does not
 * count as passed (ISTHMUS_EVIDENCE names the file for those that did). */
void unit_not_run(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A fresh directory for this test program, removed at its end. */
const char *unit_temp_dir(void);

#endif
