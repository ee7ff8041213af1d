/*
 * Which wake runs a step, and who is called for what a worker makes ready.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/unit.h"
#include "txn/txn.h"

static void
end_kept(struct txn *txn)
{
    txn_done(txn);
}

/* ---- several wakes ---- */

static size_t runs;
static bool has_ended;

static enum txn_verdict
step_count(struct txn *txn)
{
    if (runs++ == 0) {
        txn_expect(txn);
        txn_expect(txn);
    }
    return txn_is_due(txn) ? TXN_WAIT : TXN_DONE;
}

static void
end_noted(struct txn *txn)
{
    has_ended = true;
    txn_done(txn);
}

/* The last of several wakes runs the step, and a deadline before that. */
static void
test_the_last_wake_that_is_due_runs_the_step(void)
{
    static const struct txn_step steps[] = {{"count", step_count}};
    static const struct txn_table table = {"t", steps, ARRAY_LEN(steps), 1};
    struct fake_clock clock;
    struct runner *runner = NULL;
    struct diag diag = {0};
    struct txn txn;

    fake_clock_init(&clock, 1700000000 * US_PER_S);
    CHECK_OK(&diag, runner_new(&clock.clock, 0, &diag, &runner));
    CHECK_OK(&diag, txn_init(&txn, &table, &clock.clock, US_PER_S, end_noted, &diag));
    runner_start(runner, &txn);
    runner_run_ready(runner);
    CU_ASSERT_EQUAL(runs, 1);
    park_wake(&txn.park);
    runner_run_ready(runner);
    CU_ASSERT_EQUAL(runs, 1); /* another one is due */
    fake_clock_advance(&clock, 2 * US_PER_S);
    runner_run_ready(runner);
    CU_ASSERT_EQUAL(runs, 2);
    CU_ASSERT_FALSE(has_ended);
    park_wake(&txn.park);
    runner_run_ready(runner);
    CU_ASSERT_EQUAL(runs, 3);
    CU_ASSERT(has_ended);
    runner_free(runner);
}

/* ---- who is called ---- */

/* One starts two, and each of those ends only when the other runs: whoever started them calls
 * nobody, but the worker that takes the first has somebody called for the second. */
struct pair {
    struct txn txns[2];
    pthread_barrier_t both;
};
static struct pair pair;

static enum txn_verdict
step_meet(struct txn *txn)
{
    (void)txn;
    (void)pthread_barrier_wait(&pair.both);
    return TXN_DONE;
}

static enum txn_verdict
step_start_two(struct txn *txn)
{
    static const struct txn_step steps[] = {{"meet", step_meet}};
    static const struct txn_table table = {"t", steps, ARRAY_LEN(steps), 1};
    struct diag diag = {0};

    for (size_t i = 0; i < ARRAY_LEN(pair.txns); i++) {
        CHECK_OK(&diag,
                 txn_init(&pair.txns[i], &table, clock_system(), 3600 * US_PER_S, end_kept, &diag));
        runner_start(txn->runner, &pair.txns[i]);
    }
    return TXN_DONE;
}

static void
test_what_a_worker_starts_is_shared(void)
{
    static const struct txn_step steps[] = {{"start", step_start_two}};
    static const struct txn_table table = {"t", steps, ARRAY_LEN(steps), 1};
    struct runner *runner = NULL;
    struct diag diag = {0};

    CU_ASSERT_EQUAL_FATAL(pthread_barrier_init(&pair.both, NULL, 2), 0);
    CHECK_OK(&diag, runner_new(clock_system(), 2, &diag, &runner));
    for (int i = 0; i < 200; i++) {
        struct txn first;

        CHECK_OK(&diag, txn_init(&first, &table, clock_system(), 3600 * US_PER_S, end_kept, &diag));
        runner_start(runner, &first);
        CU_ASSERT_FATAL(runner_drain(runner, clock_mono_us(clock_system()) + 60 * US_PER_S));
    }
    runner_free(runner);
    pthread_barrier_destroy(&pair.both);
}

static atomic_uint waits; /* how often one of them was found to have to wait */

static enum txn_verdict
step_wait(struct txn *txn)
{
    (void)atomic_fetch_add(&waits, 1);
    return txn_is_due(txn) ? TXN_WAIT : TXN_DONE;
}

/* <n> steps have run, and the workers have nothing to do. From there to their sleep is a moment
 * that nobody can see: it is left to them. */
static void
wait_until_all_sleep(const struct runner *runner, unsigned n)
{
    for (unsigned looks = 0;
         (atomic_load(&waits) < n || runner_busy_us(runner) > 0) && unit_wait(&looks);) {
    }
    (void)usleep(200);
}

/* Both wait for two wakes, all four come at once, and each ends only when the other runs: as many
 * workers are called as have something to do. */
static void
test_woken_at_once(void)
{
    static const struct txn_step steps[] = {{"wait", step_wait}, {"meet", step_meet}};
    static const struct txn_table table = {"t", steps, ARRAY_LEN(steps), 2};
    struct park *const parks[] = {&pair.txns[0].park, &pair.txns[1].park, &pair.txns[0].park,
                                  &pair.txns[1].park};
    struct runner *runner = NULL;
    struct diag diag = {0};

    CU_ASSERT_EQUAL_FATAL(pthread_barrier_init(&pair.both, NULL, 2), 0);
    CHECK_OK(&diag, runner_new(clock_system(), 2, &diag, &runner));
    for (int i = 0; i < 200; i++) {
        atomic_store(&waits, 0);
        for (size_t j = 0; j < ARRAY_LEN(pair.txns); j++) {
            struct txn *const txn = &pair.txns[j];
            CHECK_OK(&diag,
                     txn_init(txn, &table, clock_system(), 3600 * US_PER_S, end_kept, &diag));
            txn->runner = runner;
            txn_expect(txn);
            txn_expect(txn);
            runner_start(runner, txn);
        }
        wait_until_all_sleep(runner, 2);
        parks[0]->wake_all(parks, ARRAY_LEN(parks));
        CU_ASSERT_FATAL(runner_drain(runner, clock_mono_us(clock_system()) + 60 * US_PER_S));
    }
    runner_free(runner);
    pthread_barrier_destroy(&pair.both);
}

static const struct unit_test tests[] = {
    {"the last wake that is due runs the step", test_the_last_wake_that_is_due_runs_the_step},
    {"what a worker starts is shared", test_what_a_worker_starts_is_shared},
    {"woken at once", test_woken_at_once},
};
UNIT_MAIN("runner_calls", tests)
