/*
 * The end of all transactions (runner_end_at): for a node that stops.
 */
#include <unistd.h>

#include "txn/txn.h"
#include "unit.h"

struct probe {
    struct txn txn; /* first member */
    int runs;       /* of its step */
    bool is_ended;
};

static void
end_probe(struct txn *txn)
{
    ((struct probe *)txn)->is_ended = true;
}

static enum txn_verdict
step_until_deadline(struct txn *txn)
{
    ((struct probe *)txn)->runs++;
    return txn_is_overdue(txn) ? TXN_DONE : TXN_WAIT;
}

static const struct txn_step steps[] = {{"deadline", step_until_deadline}};
static const struct txn_table table = {"t", steps, ARRAY_LEN(steps), 1};

static void
start(struct probe *probe, struct runner *runner, int64_t timeout_us)
{
    struct diag diag = {0};

    *probe = (struct probe){.runs = 0};
    CHECK_OK(&diag,
             txn_init(&probe->txn, &table, runner_clock(runner), timeout_us, end_probe, &diag));
    runner_start(runner, &probe->txn);
}

static void
test_it_comes_before_any_deadline(void)
{
    struct fake_clock clock;
    struct runner *runner;
    struct probe probes[3];
    struct diag diag = {0};

    fake_clock_init(&clock, 0);
    CHECK_OK(&diag, runner_new(&clock.clock, 0, &diag, &runner));
    start(&probes[0], runner, 2 * US_PER_S);
    start(&probes[1], runner, 3600 * US_PER_S);
    runner_run_ready(runner);
    runner_end_at(runner, clock_mono_us(&clock.clock) + 5 * US_PER_S);
    fake_clock_advance(&clock, 2 * US_PER_S);
    runner_run_ready(runner);
    CU_ASSERT(probes[0].is_ended && !probes[1].is_ended); /* an earlier deadline stays */
    fake_clock_advance(&clock, 3 * US_PER_S);
    runner_run_ready(runner);
    CU_ASSERT(probes[1].is_ended);
    start(&probes[2], runner, 3600 * US_PER_S); /* too late */
    runner_run_ready(runner);
    CU_ASSERT(probes[2].is_ended);
    CU_ASSERT_EQUAL(probes[2].runs, 1);
    for (int i = 0; i < 3; i++) {
        txn_done(&probes[i].txn);
    }
    runner_free(runner);
}

static void
test_it_wakes_a_worker_that_sleeps(void)
{
    const int64_t begin_us = clock_mono_us(clock_system());
    struct diag diag = {0};
    struct runner *runner;
    struct probe probe;

    CHECK_OK(&diag, runner_new(clock_system(), 1, &diag, &runner));
    start(&probe, runner, 3600 * US_PER_S);
    usleep(20 * 1000); /* it sleeps until the hour is over */
    runner_end_at(runner, begin_us + 100 * US_PER_MS);
    CU_ASSERT(runner_drain(runner, begin_us + UNIT_PATIENCE_S * US_PER_S));
    CU_ASSERT(probe.is_ended);
    runner_free(runner);
    txn_done(&probe.txn);
}

static const struct unit_test tests[] = {
    {"it comes before any deadline", test_it_comes_before_any_deadline},
    {"it wakes a worker that sleeps", test_it_wakes_a_worker_that_sleeps},
};
UNIT_MAIN("runner-end", tests)
