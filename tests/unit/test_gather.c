/*
 * When the journal writes what is queued: at once, or a moment later with what is about to come.
 */
#include "audit/gather.h"

#include <stdint.h>
#include <unistd.h>

#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

static void
add(struct gather *gather, size_t n, int64_t now_us)
{
    for (size_t i = 0; i < n; i++) {
        (void)gather_add(gather, now_us);
    }
}

#define EARLIER_US INT64_C(-100000000)

/* A batch of <taken>, during which <queued> more came; it ends at 0 and took <took_us>. Those of
 * the batch before it were back after <first_us> to <return_us>. */
static struct gather
after_batch(size_t taken, size_t queued, int64_t took_us, int64_t first_us, int64_t return_us)
{
    struct gather gather = {.queued = 0};
    add(&gather, taken, EARLIER_US);
    gather_take(&gather, EARLIER_US);
    gather_end(&gather, EARLIER_US);
    if (taken > 0) {
        add(&gather, 1, EARLIER_US + first_us);
        add(&gather, taken - 1, EARLIER_US + return_us);
    }
    gather_take(&gather, -took_us);
    add(&gather, queued, -1);
    gather_end(&gather, 0);
    return gather;
}

static void
test_moments(void)
{
    static const struct {
        const char *what;
        size_t taken, queued; /* of the batch before, and meanwhile */
        int64_t took_us, first_us, return_us;
        size_t come; /* since then */
        int64_t now_us;
        int64_t want_us;
    } rows[] = {
        {"nothing is queued", 8, 0, 4000, 10, 20, 0, 0, 0},
        {"one alone is never held up", 1, 0, 4000, 10, 10, 1, 10, 0},
        {"nor is the first of all", 0, 0, 0, 0, 0, 1, 10, 0},
        {"one of two", 1, 1, 4000, 10, 10, 0, 100, 400},
        {"both", 1, 1, 4000, 10, 10, 1, 100, 0},
        {"some of those who were woken", 8, 0, 4000, 10, 20, 3, 100, 400},
        {"all of them", 8, 0, 4000, 10, 20, 8, 100, 0},
        {"more than were expected", 8, 0, 4000, 10, 20, 20, 100, 0},
        {"the other group waits", 4, 4, 4000, 10, 20, 0, 0, 500},
        {"the moment is over", 8, 0, 4000, 10, 20, 3, 500, 0},
        {"long ago", 8, 0, 4000, 10, 20, 1, 5000000, 0},
        {"a fast disk, a short moment", 8, 0, 160, 1, 10, 3, 5, 15},
        {"a disk that stands still, no longer one", 8, 0, 60000000, 10, 20, 3, 0, 1000},
        {"a quarter of them was back in such a time", 8, 4, 4000, 100, 1700, 0, 0, 500},
        {"fewer were", 8, 4, 4000, 100, 1701, 0, 0, 0},
        {"nobody was", 8, 4, 4000, 501, 600, 0, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct gather gather = after_batch(rows[i].taken, rows[i].queued, rows[i].took_us,
                                           rows[i].first_us, rows[i].return_us);
        add(&gather, rows[i].come, rows[i].now_us);
        const int64_t got_us = gather_left_us(&gather, rows[i].now_us);
        if (got_us != rows[i].want_us) {
            printf("\n    %s: wanted %lld us, got %lld", rows[i].what, (long long)rows[i].want_us,
                   (long long)got_us);
            CU_FAIL("another moment");
        }
    }
}

/* Of those who were woken some are not back when the next batch ends: that is no time to wait for
 * them. */
static void
test_who_stays_away(void)
{
    struct gather gather = after_batch(8, 4, 4000, 10, 20);
    gather_take(&gather, 0);
    add(&gather, 7, 10);
    gather_end(&gather, 4000);
    CU_ASSERT_EQUAL(gather_left_us(&gather, 4000), 0);
    gather_take(&gather, 4000);
    add(&gather, 7, 4010);
    gather_end(&gather, 8000);
    CU_ASSERT(gather_left_us(&gather, 8000) > 0); /* all seven were */
}

/* The thread is told of the one that it waits for, and of no other. */
static void
test_told_once(void)
{
    struct gather gather = {.queued = 0};
    CU_ASSERT_EQUAL(gather_left_us(&gather, 0), 0);
    CU_ASSERT(gather_add(&gather, 0)); /* it sleeps without an end */
    CU_ASSERT(!gather_add(&gather, 0));
    gather_take(&gather, -4000);
    for (int i = 0; i < 5; i++) {
        CU_ASSERT(!gather_add(&gather, 0)); /* it is at work */
    }
    gather_end(&gather, 0);
    CU_ASSERT(gather_left_us(&gather, 0) > 0); /* seven are expected, five are there */
    CU_ASSERT(!gather_add(&gather, 0));
    CU_ASSERT(gather_add(&gather, 0));
    CU_ASSERT(!gather_add(&gather, 0));
    CU_ASSERT_EQUAL(gather_left_us(&gather, 0), 0);
}

/* ---- in a journal ---- */

enum { WRITERS = 8, ROUNDS = 5 };

/* A clock that stands still but for the syncs. */
static _Atomic int64_t clock_us = 1000000;

static int64_t
read_us(const struct clock *clock)
{
    (void)clock;
    return atomic_load(&clock_us);
}

static const struct clock standing = {read_us, read_us};

#define SYNC_US   4000
#define MOMENT_US 1000

static void
let_time_pass(int fd)
{
    (void)fd;
    (void)atomic_fetch_add(&clock_us, SYNC_US);
}

static struct journal *
open_standing(const char *name)
{
    struct journal *journal = NULL;
    struct diag diag = {0};
    kit_disk_reset();
    kit_disk.on_sync = let_time_pass;
    CU_ASSERT_FATAL(CHECK_OK(&diag, journal_open_sized(JOURNAL_AT(kit_folder(name)), "serve",
                                                       &standing, KIT_SIZES, &diag, &journal)));
    return journal;
}

static void
append(struct journal *journal, struct kit_claim *claims, size_t n)
{
    struct diag diag = {0};
    for (size_t i = 0; i < n; i++) {
        CHECK_OK(&diag, kit_append(journal, i, 0, &claims[i], &diag));
    }
}

static void
wait_all(struct kit_claim *claims, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        kit_claim_wait(&claims[i]);
    }
}

static void
wait_for_syncs(unsigned n)
{
    for (unsigned looks = 0; atomic_load(&kit_disk.fdatasyncs) < n && unit_wait(&looks);) {
    }
    CU_ASSERT_EQUAL(atomic_load(&kit_disk.fdatasyncs), n);
}

/* One is being written while seven come; these wait for the one, and from then on all share a sync.
 */
static void
test_one_group(void)
{
    struct kit_claim claims[WRITERS];
    struct journal *journal = open_standing("one-group");
    const unsigned before = atomic_load(&kit_disk.fdatasyncs);
    atomic_store(&kit_disk.is_hanging, true);
    append(journal, claims, 1);
    wait_for_syncs(before + 1);
    append(journal, claims + 1, WRITERS - 1);
    atomic_store(&kit_disk.is_hanging, false);
    kit_claim_wait(&claims[0]);
    (void)usleep(50000);
    CU_ASSERT_EQUAL(atomic_load(&kit_disk.fdatasyncs), before + 1);
    append(journal, claims, 1);
    wait_all(claims, WRITERS);
    CU_ASSERT_EQUAL(atomic_load(&kit_disk.fdatasyncs), before + 2);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        append(journal, claims, WRITERS);
        wait_all(claims, WRITERS);
        CU_ASSERT_EQUAL(atomic_load(&kit_disk.fdatasyncs), before + 2 + round);
    }
    journal_close(journal);
}

/* Five do not come back: the others wait for a moment, and are expected alone from then on. One
 * alone waits for nobody. */
static void
test_moment_ends(void)
{
    struct kit_claim claims[WRITERS];
    struct journal *journal = open_standing("moment-ends");
    atomic_store(&kit_disk.is_hanging, true);
    const unsigned before = atomic_load(&kit_disk.fdatasyncs);
    append(journal, claims, 1);
    wait_for_syncs(before + 1);
    append(journal, claims + 1, 2);
    atomic_store(&kit_disk.is_hanging, false);
    kit_claim_wait(&claims[0]);
    (void)usleep(50000);
    CU_ASSERT_EQUAL(atomic_load(&kit_disk.fdatasyncs), before + 1);
    (void)atomic_fetch_add(&clock_us, MOMENT_US);
    wait_all(claims + 1, 2);
    CU_ASSERT_EQUAL(atomic_load(&kit_disk.fdatasyncs), before + 2);
    (void)atomic_fetch_add(&clock_us, MOMENT_US);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        append(journal, claims, 1);
        wait_all(claims, 1);
        CU_ASSERT_EQUAL(atomic_load(&kit_disk.fdatasyncs), before + 2 + round);
    }
    journal_close(journal);
}

/* Closing does not wait for who does not come. */
static void
test_close_in_a_moment(void)
{
    struct kit_claim claims[WRITERS];
    struct journal *journal = open_standing("close");
    atomic_store(&kit_disk.is_hanging, true);
    append(journal, claims, 1);
    wait_for_syncs(1);
    append(journal, claims + 1, 3);
    atomic_store(&kit_disk.is_hanging, false);
    kit_claim_wait(&claims[0]);
    journal_close(journal);
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT(atomic_load(&claims[i].is_woken));
    }
    kit_disk_reset();
}

static const struct unit_test tests[] = {
    {"moments", test_moments},           {"who stays away", test_who_stays_away},
    {"told once", test_told_once},       {"one group", test_one_group},
    {"a moment ends", test_moment_ends}, {"closed in a moment", test_close_in_a_moment},
};

UNIT_MAIN("gather", tests)
