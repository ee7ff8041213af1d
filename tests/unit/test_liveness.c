/*
 * What tells a node that hangs from one that works: how long work has waited for a worker, how long
 * a worker has been at one transaction, how long the disk has been at one batch, how long a call
 * has been in the store. With real threads, a real clock, a disk that hangs on demand, and somebody
 * else who keeps the database to himself.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "store/db.h"
#include "tests/unit/journal_kit.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/unit.h"
#include "txn/txn.h"

static atomic_bool holds;
static atomic_int running;

/* Until the test lets it go. */
static enum txn_verdict
hold(struct txn *txn)
{
    (void)txn;
    (void)atomic_fetch_add(&running, 1);
    while (holds) {
        (void)usleep(1000);
    }
    (void)atomic_fetch_sub(&running, 1);
    return TXN_DONE;
}

static const struct txn_step steps[] = {{"hold", hold}};
static const struct txn_table table = {"hold", steps, 1, 1};

/* Time that passes is seen: what <since_us> shows grows, however long a look takes. */
#define GROWS(since_us)                                                                            \
    do {                                                                                           \
        const int64_t before_us = (since_us);                                                      \
        for (unsigned looks = 0; (since_us) <= before_us && unit_wait(&looks);) {                  \
        }                                                                                          \
        CU_ASSERT((since_us) > before_us);                                                         \
    } while (0)

static void
end(struct txn *txn)
{
    txn_done(txn);
}

static bool
wait_until(int n)
{
    for (unsigned looks = 0; running != n && unit_wait(&looks);) {
    }
    return running == n;
}

static void
test_runner(void)
{
    static struct txn txns[3];
    struct runner *runner = NULL;
    struct diag diag = {.code = ERR_NONE};
    CU_ASSERT_FATAL(CHECK_OK(&diag, runner_new(clock_system(), 2, &diag, &runner)));
    CU_ASSERT(runner_lag_us(runner) == 0 && runner_busy_us(runner) == 0);
    holds = true;
    for (size_t i = 0; i < ARRAY_LEN(txns); i++) {
        CU_ASSERT_FATAL(
            CHECK_OK(&diag, txn_init(&txns[i], &table, clock_system(), 60 * US_PER_S, end, &diag)));
        runner_start(runner, &txns[i]);
        CU_ASSERT_FATAL(wait_until(i < 2 ? (int)i + 1 : 2));
        if (i == 0) { /* one of two is at work: nobody waits */
            GROWS(runner_busy_us(runner));
            CU_ASSERT_EQUAL(runner_lag_us(runner), 0);
        }
    }
    GROWS(runner_lag_us(runner)); /* the third has no worker */
    const int64_t lag_us = runner_lag_us(runner);
    CU_ASSERT(runner_busy_us(runner) >= lag_us);
    holds = false;
    CU_ASSERT(runner_drain(runner, clock_mono_us(clock_system()) + 60 * US_PER_S));
    for (unsigned looks = 0; runner_busy_us(runner) != 0 && unit_wait(&looks);) {
    }
    CU_ASSERT(runner_lag_us(runner) == 0 && runner_busy_us(runner) == 0);
    runner_free(runner);
}

static void
test_journal(void)
{
    struct kit_claim claim;
    struct diag diag = {.code = ERR_NONE};
    kit_disk_reset();
    struct journal *journal =
        kit_open(kit_folder("busy"), (struct journal_sizes){16384, 16384, 0, false});
    CU_ASSERT_EQUAL(journal_busy_us(journal), 0);
    atomic_store(&kit_disk.is_hanging, true);
    CU_ASSERT_FATAL(CHECK_OK(&diag, kit_append(journal, 1, 100, &claim, &diag)));
    GROWS(journal_busy_us(journal));
    CU_ASSERT(journal_is_healthy(journal)); /* slow is not failed */
    atomic_store(&kit_disk.is_hanging, false);
    kit_claim_wait(&claim);
    for (unsigned looks = 0; journal_busy_us(journal) != 0 && unit_wait(&looks);) {
    }
    CU_ASSERT_EQUAL(journal_busy_us(journal), 0);
    journal_close(journal);
}

/* ---- the store ---- */

#define CALLERS 3

struct caller {
    struct store *store;
    pthread_t thread;
    struct status status;
};

static int64_t
now_us(void)
{
    return clock_mono_us(clock_system());
}

static void *
put(void *arg)
{
    struct caller *caller = arg;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {.code = ERR_NONE};
    struct store_put_result result;
    const struct patient patient = fixture_patient(arena, "Alvarez,Ana", "19800102", "F", NULL);
    const struct document_entry entry = fixture_entry(arena);
    const struct store_document document = {
        .patient = &patient, .entry = &entry, .bytes = SPAN("bytes")};
    caller->status = store_put_document(caller->store, &document, arena, &diag, &result);
    arena_free(arena);
    return NULL;
}

/* Writers that wait for another process's write: the oldest of them is what is seen. */
static void
test_store(void)
{
    char path[512];
    struct store *store = fixture_open(fixture_path(path), clock_system());
    struct db *other = NULL;
    struct db_conn *conn = NULL;
    struct caller callers[CALLERS];
    struct diag diag = {.code = ERR_NONE};
    const struct db_options options = {path, false, 1000};
    int64_t known_us = 0; /* the first was seen to wait before */
    CU_ASSERT_EQUAL(store_busy_us(store), 0);
    CU_ASSERT_FATAL(CHECK_OK(&diag, db_open(&options, &diag, &other)));
    CU_ASSERT_FATAL(CHECK_OK(&diag, db_take(other, &diag, &conn)));
    CU_ASSERT_FATAL(CHECK_OK(&diag, db_begin_write(conn, &diag)));
    for (size_t i = 0; i < CALLERS; i++) {
        callers[i].store = store;
        const int64_t start_us = now_us();
        CU_ASSERT_EQUAL_FATAL(pthread_create(&callers[i].thread, NULL, put, &callers[i]), 0);
        GROWS(store_busy_us(store));
        (void)usleep(100000); /* it waits as well: what is seen must not be of it */
        if (i == 0) {
            CU_ASSERT(store_busy_us(store) <= now_us() - start_us);
            known_us = now_us();
        }
    }
    const int64_t before_us = now_us();
    CU_ASSERT(before_us - store_busy_us(store) <= known_us);
    db_undo(conn);
    for (size_t i = 0; i < CALLERS; i++) {
        (void)pthread_join(callers[i].thread, NULL);
        CU_ASSERT_EQUAL(callers[i].status.code, ERR_NONE);
    }
    CU_ASSERT_EQUAL(store_busy_us(store), 0);
    db_give_p(&conn);
    db_close(other);
    store_close(store);
}

static const struct unit_test tests[] = {
    {"workers", test_runner},
    {"store", test_store},
    {"journal", test_journal},
};

UNIT_MAIN("liveness", tests)
