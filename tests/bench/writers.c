/*
 * A writer is a transaction of one step, which runs again whenever its record is durable, until the
 * time is over. A gate stands before the step: whoever compares the disk closes it, and then no
 * writer is at work.
 */
#include "tests/bench/writers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "txn/txn.h"

#define PATIENCE_US (120 * US_PER_S)

struct crew;

struct writer {
    struct txn txn; /* first member */
    struct crew *crew;
    struct journal_ticket ticket;
    int64_t began_us;          /* 0: it has nothing on its way */
    struct meter_list wait_us; /* of each record that counted */
};

struct crew {
    const struct writers_work *work;
    struct writer *writers;
    size_t n;
    pthread_rwlock_t gate;
    atomic_size_t next_event;
    atomic_bool is_counting, is_over;
};

/* ---- the step ---- */

static struct status
take_up(struct writer *writer)
{
    struct crew *const crew = writer->crew;
    const int64_t now_us = disk_clock_us();
    TRY(journal_ticket_status(crew->work->journal, &writer->ticket, &writer->txn.diag));
    if (atomic_load(&crew->is_counting)) {
        meter_list_add(&writer->wait_us, (double)(now_us - writer->began_us));
    }
    writer->began_us = 0;
    return OK;
}

static enum txn_verdict
append_next(struct writer *writer)
{
    struct crew *const crew = writer->crew;
    struct txn *const txn = &writer->txn;
    const size_t at = atomic_fetch_add(&crew->next_event, 1) % crew->work->events_n;
    writer->began_us = disk_clock_us();
    txn_expect(txn);
    return txn_settle(txn,
                      journal_append(crew->work->journal, &crew->work->events[at], &txn->park,
                                     &txn->diag, &writer->ticket),
                      ANSWER_LATER);
}

static enum txn_verdict
write_next(struct writer *writer)
{
    if (writer->began_us != 0 && !is_ok(take_up(writer))) {
        return TXN_FAILED;
    }
    return atomic_load(&writer->crew->is_over) ? TXN_DONE : append_next(writer);
}

static enum txn_verdict
run_writer(struct txn *txn)
{
    struct writer *const writer = (struct writer *)txn;
    pthread_rwlock_t *const gate = &writer->crew->gate;
    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    (void)pthread_rwlock_rdlock(gate);
    const enum txn_verdict verdict = write_next(writer);
    (void)pthread_rwlock_unlock(gate);
    return verdict;
}

static const struct txn_step steps[] = {{"write", run_writer}};
static const struct txn_table table = {"audit-append", steps, ARRAY_LEN(steps), ARRAY_LEN(steps)};

/* ---- the crew ---- */

static void
hold(void *arg)
{
    (void)pthread_rwlock_wrlock(&((struct crew *)arg)->gate);
}

static void
release(void *arg)
{
    (void)pthread_rwlock_unlock(&((struct crew *)arg)->gate);
}

static void
end_writer(struct txn *txn)
{
    (void)txn; /* the crew looks at it when all have ended */
}

static struct status
make_crew(struct crew *crew, struct diag *diag)
{
    for (size_t i = 0; i < crew->n; i++) {
        struct writer *const writer = &crew->writers[i];
        TRY(txn_init(&writer->txn, &table, clock_system(), PATIENCE_US, end_writer, diag));
        writer->crew = crew;
    }
    return OK;
}

/* On the caller's thread, while the others append. */
static struct status
count(struct crew *crew, struct diag *diag, struct writers_result *ret_result)
{
    const struct disk_others others = {hold, release, crew};
    (void)usleep((useconds_t)crew->work->warm_us);
    disk_note_begin(crew->work->floor, &others);
    atomic_store(&crew->is_counting, true);
    const int64_t start_us = disk_clock_us();
    const int64_t start_cpu_ns = meter_self_cpu_ns();
    (void)usleep((useconds_t)crew->work->time_us);
    atomic_store(&crew->is_counting, false);
    ret_result->time_us = disk_clock_us() - start_us;
    ret_result->cpu_ns = meter_self_cpu_ns() - start_cpu_ns;
    return disk_note_end(diag, &ret_result->disk);
}

static struct status
run_crew(struct crew *crew, struct diag *diag, struct writers_result *ret_result)
{
    struct runner *runner = NULL;
    TRY(runner_new(clock_system(), crew->work->threads, diag, &runner));
    for (size_t i = 0; i < crew->n; i++) {
        runner_start(runner, &crew->writers[i].txn);
    }
    const struct status st = count(crew, diag, ret_result);
    atomic_store(&crew->is_over, true);
    while (!runner_drain(runner, clock_mono_us(clock_system()) + US_PER_S)) {
        (void)fputs("waiting for writers whose records are not durable yet\n", stderr);
    }
    runner_free(runner);
    return st;
}

/* What they counted; the first failure of any. */
static struct status
gather_results(struct crew *crew, struct diag *diag, struct writers_result *result)
{
    for (size_t i = 0; i < crew->n; i++) {
        struct writer *const writer = &crew->writers[i];
        if (writer->txn.diag.code != ERR_NONE) {
            *diag = writer->txn.diag;
            return (struct status){diag->code};
        }
        for (size_t j = 0; j < writer->wait_us.n; j++) {
            meter_list_add(&result->wait_us, writer->wait_us.items[j]);
        }
    }
    result->records = result->wait_us.n;
    return OK;
}

static void
crew_done(struct crew *crew)
{
    for (size_t i = 0; i < crew->n; i++) {
        meter_list_done(&crew->writers[i].wait_us);
        if (crew->writers[i].txn.arena != NULL) {
            txn_done(&crew->writers[i].txn);
        }
    }
    mem_free(crew->writers);
    (void)pthread_rwlock_destroy(&crew->gate);
}

struct status
writers_run(const struct writers_work *work, size_t n, struct diag *diag,
            struct writers_result *ret_result)
{
    struct crew crew = {.work = work,
                        .n = n,
                        .writers = mem_alloc(n * sizeof(*crew.writers)),
                        .gate = PTHREAD_RWLOCK_INITIALIZER};
    *ret_result = (struct writers_result){.records = 0};
    if (crew.writers == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "%zu writers", n);
    }
    struct status st = make_crew(&crew, diag);
    if (is_ok(st)) {
        st = run_crew(&crew, diag, ret_result);
    }
    if (is_ok(st)) {
        st = gather_results(&crew, diag, ret_result);
    }
    crew_done(&crew);
    return st;
}

void
writers_result_done(struct writers_result *result)
{
    meter_list_done(&result->wait_us);
}
