/*
 * The transaction runner and the fan-out: parking, wakes before and after the park, deadlines with
 * a clock moved by hand, failures and recovery, late answers, and many transactions over several
 * workers.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "txn/fanout.h"
#include "unit.h"

struct probe {
    struct txn txn; /* first member */
    char trace[64]; /* one letter per step that ran */
    bool is_ended;
    int waits_left;
    struct park *held; /* a wake that the test owes */
};

static void
note(struct txn *txn, char letter)
{
    char *trace = ((struct probe *)txn)->trace;

    trace[strlen(trace)] = letter;
}

static void
end_probe(struct txn *txn)
{
    ((struct probe *)txn)->is_ended = true;
}

static enum txn_verdict
step_a(struct txn *txn)
{
    note(txn, 'a');
    return TXN_DONE;
}

static enum txn_verdict
step_fail(struct txn *txn)
{
    note(txn, 'f');
    (void)FAIL(&txn->diag, ERR_IO, "planned");
    return TXN_FAILED;
}

static enum txn_verdict
step_recover(struct txn *txn)
{
    note(txn, 'r');
    return TXN_DONE;
}

/* Waits for a wake that the test gives later. */
static enum txn_verdict
step_wait(struct txn *txn)
{
    struct probe *probe = (struct probe *)txn;

    note(txn, 'w');
    if (probe->held == NULL) {
        probe->held = &txn->park;
        txn_expect(txn);
        return TXN_WAIT;
    }
    return txn_is_due(txn) ? TXN_WAIT : TXN_DONE;
}

/* The wake comes before the step has returned WAIT. */
static enum txn_verdict
step_wake_early(struct txn *txn)
{
    struct probe *probe = (struct probe *)txn;

    note(txn, 'e');
    if (probe->waits_left-- > 0) {
        txn_expect(txn);
        park_wake(&txn->park);
        return TXN_WAIT;
    }
    return TXN_DONE;
}

static enum txn_verdict
step_until_deadline(struct txn *txn)
{
    note(txn, 'd');
    return txn_is_overdue(txn) ? TXN_DONE : TXN_WAIT;
}

static enum txn_verdict
step_leave_due(struct txn *txn)
{
    note(txn, 'l');
    ((struct probe *)txn)->held = &txn->park;
    txn_expect(txn);
    return TXN_DONE;
}

static void
start(struct probe *probe, struct runner *runner, const struct txn_table *table, int64_t timeout_us)
{
    struct diag diag = {0};

    memset(probe, 0, sizeof(*probe));
    CHECK_OK(&diag,
             txn_init(&probe->txn, table, runner_clock(runner), timeout_us, end_probe, &diag));
    runner_start(runner, &probe->txn);
}

static struct runner *
by_hand(struct fake_clock *clock)
{
    struct runner *runner = NULL;
    struct diag diag = {0};

    fake_clock_init(clock, 1700000000 * US_PER_S);
    CHECK_OK(&diag, runner_new(&clock->clock, 0, &diag, &runner));
    return runner;
}

static void
test_failure_goes_to_recovery_once(void)
{
    static const struct txn_step steps[] = {{"a", step_a},
                                            {"fail", step_fail},
                                            {"a", step_a},
                                            {"recover", step_recover},
                                            {"a", step_a}};
    static const struct txn_step twice[] = {
        {"fail", step_fail}, {"again", step_fail}, {"a", step_a}};
    static const struct txn_table table = {"t", steps, ARRAY_LEN(steps), 3};
    static const struct txn_table fails_twice = {"t", twice, ARRAY_LEN(twice), 1};
    struct fake_clock clock;
    struct runner *runner = by_hand(&clock);
    struct probe probe;

    start(&probe, runner, &table, US_PER_S);
    runner_run_ready(runner);
    CU_ASSERT_STRING_EQUAL(probe.trace, "afra");
    CU_ASSERT_EQUAL(probe.txn.diag.code, ERR_IO);
    CU_ASSERT(probe.is_ended);
    txn_done(&probe.txn);

    start(&probe, runner, &fails_twice, US_PER_S);
    runner_run_ready(runner);
    CU_ASSERT_STRING_EQUAL(probe.trace, "ff"); /* a failing recovery ends; it never loops */
    CU_ASSERT(probe.is_ended);
    txn_done(&probe.txn);
    runner_free(runner);
}

static void
test_parked_until_woken(void)
{
    static const struct txn_step steps[] = {{"wait", step_wait}, {"a", step_a}};
    static const struct txn_table table = {"t", steps, ARRAY_LEN(steps), 2};
    struct fake_clock clock;
    struct runner *runner = by_hand(&clock);
    struct probe probe;

    start(&probe, runner, &table, US_PER_S);
    runner_run_ready(runner);
    CU_ASSERT_STRING_EQUAL(probe.trace, "w");
    runner_run_ready(runner);
    CU_ASSERT_STRING_EQUAL(probe.trace, "w"); /* parked: costs nothing */
    park_wake(probe.held);
    runner_run_ready(runner);
    CU_ASSERT_STRING_EQUAL(probe.trace, "wwa");
    CU_ASSERT_EQUAL(runner_active(runner), 0);
    txn_done(&probe.txn);
    runner_free(runner);
}

static void
test_wake_before_park_is_not_lost(void)
{
    static const struct txn_step steps[] = {{"early", step_wake_early}, {"a", step_a}};
    static const struct txn_table table = {"t", steps, ARRAY_LEN(steps), 2};
    struct fake_clock clock;
    struct runner *runner = by_hand(&clock);
    struct probe probe;
    struct diag diag = {0};

    memset(&probe, 0, sizeof(probe));
    CHECK_OK(&diag, txn_init(&probe.txn, &table, &clock.clock, US_PER_S, end_probe, &diag));
    probe.waits_left = 3;
    runner_start(runner, &probe.txn);
    runner_run_ready(runner);
    CU_ASSERT_STRING_EQUAL(probe.trace, "eeeea");
    txn_done(&probe.txn);
    runner_free(runner);
}

static void
test_deadline_runs_a_parked_transaction(void)
{
    static const struct txn_step steps[] = {{"deadline", step_until_deadline}, {"a", step_a}};
    static const struct txn_table table = {"t", steps, ARRAY_LEN(steps), 2};
    struct fake_clock clock;
    struct runner *runner = by_hand(&clock);
    struct probe probes[20];

    /* deadlines in a scrambled order: each ends when its own time has come, none before */
    for (int i = 0; i < 20; i++) {
        start(&probes[i], runner, &table, (1 + (i * 7) % 20) * US_PER_S);
    }
    runner_run_ready(runner);
    for (int second = 1; second <= 20; second++) {
        fake_clock_advance(&clock, US_PER_S);
        runner_run_ready(runner);
        for (int i = 0; i < 20; i++) {
            CU_ASSERT_EQUAL(probes[i].is_ended, 1 + (i * 7) % 20 <= second);
        }
    }
    for (int i = 0; i < 20; i++) {
        CU_ASSERT_STRING_EQUAL(probes[i].trace, "dda");
        txn_done(&probes[i].txn);
    }
    runner_free(runner);
}

/* The time passes between the step's last look at it and the park. */
static enum txn_verdict
step_slower_than_the_deadline(struct txn *txn)
{
    note(txn, 'd');
    if (txn_is_overdue(txn)) {
        return TXN_DONE;
    }
    fake_clock_advance((struct fake_clock *)runner_clock(txn->runner), 2 * US_PER_S);
    return TXN_WAIT;
}

static void
test_a_deadline_that_passes_while_a_step_runs_is_not_lost(void)
{
    static const struct txn_step steps[] = {{"slow", step_slower_than_the_deadline}, {"a", step_a}};
    static const struct txn_table table = {"t", steps, ARRAY_LEN(steps), 2};
    struct fake_clock clock;
    struct runner *runner = by_hand(&clock);
    struct probe probe;

    start(&probe, runner, &table, US_PER_S);
    runner_run_ready(runner);
    CU_ASSERT_STRING_EQUAL(probe.trace, "dda");
    CU_ASSERT(probe.is_ended);
    runner_run_ready(runner);
    txn_done(&probe.txn);
    runner_free(runner);
}

static void
test_end_waits_for_wakes_that_are_due(void)
{
    static const struct txn_step steps[] = {{"leave", step_leave_due}};
    static const struct txn_table table = {"t", steps, ARRAY_LEN(steps), 1};
    struct fake_clock clock;
    struct runner *runner = by_hand(&clock);
    struct probe probe;

    start(&probe, runner, &table, US_PER_S);
    runner_run_ready(runner);
    CU_ASSERT_FALSE(probe.is_ended); /* somebody still holds its park */
    fake_clock_advance(&clock, 10 * US_PER_S);
    runner_run_ready(runner);
    CU_ASSERT_FALSE(probe.is_ended);
    park_wake(probe.held);
    runner_run_ready(runner);
    CU_ASSERT(probe.is_ended);
    txn_done(&probe.txn);
    runner_free(runner);
}

/* ---- fan-out ---- */

struct scripted_out {
    struct out out; /* first member */
    out_done done[8];
    void *arg[8];
    size_t n;
};

static void
hold_question(struct out *out, struct out_request *request, out_done done, void *arg)
{
    struct scripted_out *script = (struct scripted_out *)out;

    body_done(&request->body);
    script->done[script->n] = done;
    script->arg[script->n++] = arg;
}

static void
ignore_cancel(struct out *out, uint64_t ticket)
{
    (void)out;
    (void)ticket;
}

static void
answer_question(struct scripted_out *script, size_t i, int status)
{
    struct out_answer answer = {.http_status = status};

    body_init(&answer.body);
    script->done[i](script->arg[i], &answer);
}

static void
ask(struct scripted_out *script, struct fanout *fanout, size_t slot)
{
    struct out_request request;

    out_request_init(&request);
    fanout_submit(fanout, slot, &script->out, &request);
}

static void
test_fanout_takes_answers_as_they_come(void)
{
    static const struct txn_step steps[] = {{"deadline", step_until_deadline}};
    static const struct txn_table table = {"t", steps, ARRAY_LEN(steps), 1};
    struct scripted_out script = {{hold_question, ignore_cancel}, {0}, {0}, 0};
    struct fake_clock clock;
    struct runner *runner = by_hand(&clock);
    struct fanout *fanout = NULL;
    struct out_answer answer;
    size_t slot = SIZE_MAX;
    struct probe probe;
    struct diag diag = {0};

    start(&probe, runner, &table, US_PER_S);
    runner_run_ready(runner);
    CHECK_OK(&diag, fanout_new(&probe.txn, 3, UINT64_MAX, &diag, &fanout));
    for (size_t i = 0; i < 3; i++) {
        ask(&script, fanout, i);
    }
    CU_ASSERT_EQUAL(fanout_pending(fanout), 3);
    answer_question(&script, 2, 202);
    answer_question(&script, 0, 200);
    CU_ASSERT(fanout_take(fanout, &slot, &answer));
    CU_ASSERT(slot == 2 && answer.http_status == 202);
    CU_ASSERT(fanout_take(fanout, &slot, &answer));
    CU_ASSERT(slot == 0 && answer.http_status == 200);
    CU_ASSERT_FALSE(fanout_take(fanout, &slot, &answer)); /* taken once */
    fanout_cancel(fanout, 1);
    runner_run_ready(runner);
    CU_ASSERT_STRING_EQUAL(probe.trace, "ddd"); /* each answer nudged it */
    fanout_leave(fanout);
    fake_clock_advance(&clock, 2 * US_PER_S);
    runner_run_ready(runner);
    CU_ASSERT(probe.is_ended);
    txn_done(&probe.txn);
    answer_question(&script, 1, 200); /* late: meets the fan-out, not the transaction */
    runner_free(runner);
}

/* ---- threads ---- */

struct counted {
    struct txn txn; /* first member */
    int rounds;
};

static atomic_int ended;

static void
end_counted(struct txn *txn)
{
    txn_done(txn);
    mem_free(txn);
    atomic_fetch_add(&ended, 1);
}

static void *
wake_later(void *arg)
{
    usleep(100);
    park_wake(arg);
    return NULL;
}

static enum txn_verdict
step_thread_wake(struct txn *txn)
{
    struct counted *counted = (struct counted *)txn;
    pthread_t thread;

    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    if (counted->rounds-- == 0) {
        return TXN_DONE;
    }
    txn_expect(txn);
    CU_ASSERT_EQUAL(pthread_create(&thread, NULL, wake_later, &txn->park), 0);
    pthread_detach(thread);
    return TXN_WAIT;
}

static void
test_many_transactions_over_workers(void)
{
    static const struct txn_step steps[] = {{"wake", step_thread_wake}};
    static const struct txn_table table = {"t", steps, ARRAY_LEN(steps), 1};
    struct runner *runner = NULL;
    struct diag diag = {0};

    CHECK_OK(&diag, runner_new(clock_system(), 3, &diag, &runner));
    for (int i = 0; i < 100; i++) {
        struct counted *counted = mem_alloc(sizeof(*counted));

        CU_ASSERT_PTR_NOT_NULL_FATAL(counted);
        CHECK_OK(&diag, txn_init(&counted->txn, &table, clock_system(), 3600 * US_PER_S,
                                 end_counted, &diag));
        counted->rounds = 5;
        runner_start(runner, &counted->txn);
    }
    CU_ASSERT(runner_drain(runner, clock_mono_us(clock_system()) + 60 * US_PER_S));
    CU_ASSERT_EQUAL(atomic_load(&ended), 100);
    runner_free(runner);
}

/* An outbound engine with a thread of its own that answers late, in order. */
struct late_out {
    struct out out; /* first member */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct {
        out_done done;
        void *arg;
    } queue[1024];
    size_t first, last;
    bool is_stopping;
};

static void
queue_question(struct out *out, struct out_request *request, out_done done, void *arg)
{
    struct late_out *late = (struct late_out *)out;

    body_done(&request->body);
    pthread_mutex_lock(&late->lock);
    late->queue[late->last].done = done;
    late->queue[late->last++].arg = arg;
    pthread_cond_signal(&late->changed);
    pthread_mutex_unlock(&late->lock);
}

static void *
answer_late(void *arg)
{
    struct late_out *late = arg;

    pthread_mutex_lock(&late->lock);
    while (!late->is_stopping || late->first < late->last) {
        struct out_answer answer = {.http_status = 200};
        size_t at;

        if (late->first == late->last) {
            pthread_cond_wait(&late->changed, &late->lock);
            continue;
        }
        at = late->first++;
        pthread_mutex_unlock(&late->lock);
        usleep((useconds_t)(at * 37 % 400));
        body_init(&answer.body);
        late->queue[at].done(late->queue[at].arg, &answer);
        pthread_mutex_lock(&late->lock);
    }
    pthread_mutex_unlock(&late->lock);
    return NULL;
}

#define RACERS           100
#define RACER_QUESTIONS  3
#define RACER_TIMEOUT_US 8000 /* some answers are in time, others are not */

struct racer {
    struct txn txn; /* first member */
    struct late_out *late;
    struct fanout *fanout;
    size_t taken;
};

static atomic_int racers_ended, answers_taken;

static enum txn_verdict
step_race(struct txn *txn)
{
    struct racer *racer = (struct racer *)txn;
    struct out_answer answer;
    size_t slot;

    if (racer->fanout == NULL) {
        TXN_TRY(fanout_new(txn, RACER_QUESTIONS, UINT64_MAX, &txn->diag, &racer->fanout));
        for (size_t i = 0; i < RACER_QUESTIONS; i++) {
            struct out_request request;

            out_request_init(&request);
            fanout_submit(racer->fanout, i, &racer->late->out, &request);
        }
    }
    while (fanout_take(racer->fanout, &slot, &answer)) {
        racer->taken++;
        out_answer_done(&answer);
    }
    if (racer->taken < RACER_QUESTIONS && !txn_is_overdue(txn)) {
        return TXN_WAIT;
    }
    fanout_leave(racer->fanout);
    return TXN_DONE;
}

static void
end_racer(struct txn *txn)
{
    atomic_fetch_add(&answers_taken, (int)((struct racer *)txn)->taken);
    txn_done(txn);
    mem_free(txn);
    atomic_fetch_add(&racers_ended, 1);
}

static void
test_answers_race_with_the_deadline(void)
{
    static const struct txn_step steps[] = {{"race", step_race}};
    static const struct txn_table table = {"t", steps, ARRAY_LEN(steps), 1};
    static struct late_out late;
    struct runner *runner = NULL;
    struct diag diag = {0};
    pthread_t thread;

    late.out.submit = queue_question;
    late.out.cancel = ignore_cancel;
    pthread_mutex_init(&late.lock, NULL);
    pthread_cond_init(&late.changed, NULL);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, answer_late, &late), 0);
    CHECK_OK(&diag, runner_new(clock_system(), 3, &diag, &runner));
    for (int i = 0; i < RACERS; i++) {
        struct racer *racer = mem_alloc(sizeof(*racer));

        CU_ASSERT_PTR_NOT_NULL_FATAL(racer);
        CHECK_OK(&diag,
                 txn_init(&racer->txn, &table, clock_system(), RACER_TIMEOUT_US, end_racer, &diag));
        racer->late = &late;
        runner_start(runner, &racer->txn);
    }
    CU_ASSERT(runner_drain(runner, clock_mono_us(clock_system()) + 60 * US_PER_S));
    CU_ASSERT_EQUAL(atomic_load(&racers_ended), RACERS);
    CU_ASSERT(atomic_load(&answers_taken) < RACERS * RACER_QUESTIONS); /* the others came late */
    pthread_mutex_lock(&late.lock);
    late.is_stopping = true;
    pthread_cond_signal(&late.changed);
    pthread_mutex_unlock(&late.lock);
    pthread_join(thread, NULL);
    runner_free(runner);
    pthread_cond_destroy(&late.changed);
    pthread_mutex_destroy(&late.lock);
}

static const struct unit_test tests[] = {
    {"a failure goes to recovery once", test_failure_goes_to_recovery_once},
    {"parked until woken", test_parked_until_woken},
    {"a wake before the park is not lost", test_wake_before_park_is_not_lost},
    {"the deadline runs a parked transaction", test_deadline_runs_a_parked_transaction},
    {"a deadline that passes while a step runs is not lost",
     test_a_deadline_that_passes_while_a_step_runs_is_not_lost},
    {"the end waits for wakes that are due", test_end_waits_for_wakes_that_are_due},
    {"fan-out takes answers as they come", test_fanout_takes_answers_as_they_come},
    {"many transactions over workers", test_many_transactions_over_workers},
    {"answers race with the deadline", test_answers_race_with_the_deadline},
};
UNIT_MAIN("runner", tests)
