/*
 * The families of tests/fault in a short form, so that what they are for has a name among the unit
 * tests: power losses, failing calls, kills, and damage. tests/fault/run has the large numbers.
 */
#include "tests/fault/fault.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/unit.h"

static void
run_family(struct status (*run)(const struct fault_plan *, struct diag *, struct tally *),
           const char *name, uint64_t count)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    struct tally tally = {0};
    (void)snprintf(dir, sizeof(dir), "%.2000s/%s", unit_temp_dir(), name);
    CU_ASSERT_EQUAL_FATAL(mkdir(dir, 0700), 0);
    const struct fault_plan plan = {
        .dir = dir, .count = count, .seed = 20261123, .until_us = INT64_MAX};
    CHECK_OK(&diag, run(&plan, &diag, &tally));
    CU_ASSERT_TRUE(tally.tried >= count);
    CU_ASSERT_EQUAL(tally.lost, 0);
    CU_ASSERT_EQUAL(tally.duplicates, 0);
    CU_ASSERT_EQUAL(tally.unaudited_answers, 0);
    CU_ASSERT_EQUAL(tally.unaudited_questions, 0);
    CU_ASSERT_EQUAL(tally.problems, 0);
    for (size_t i = 0; i < tally.problems && i < TALLY_SHOWN; i++) {
        printf("\n    %s\n", tally.shown[i]);
    }
    printf("%" PRIu64 " ... ", tally.tried);
}

static void
test_power_losses(void)
{
    run_family(fault_states, "states", 150);
}

static void
test_failing_calls(void)
{
    run_family(fault_errors, "errors", 8);
}

static void
test_kills(void)
{
    run_family(fault_kills, "kills", 6);
}

static void
test_damage(void)
{
    run_family(fault_damage, "damage", 60);
}

static const struct unit_test tests[] = {
    {"power losses", test_power_losses},
    {"failing calls", test_failing_calls},
    {"kills", test_kills},
    {"damage", test_damage},
};
UNIT_MAIN("journal faults", tests)
