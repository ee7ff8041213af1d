/*
 * The journal when the disk fails or is slow: a failure is final and reaches everybody who waits,
 * nothing is tried twice, and what was durable before stays so.
 */
#include "audit/journal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

enum { CLAIMS = 20 };

static void
wait_for_fdatasyncs(unsigned n)
{
    for (unsigned looks = 0; atomic_load(&kit_disk.fdatasyncs) < n && unit_wait(&looks);) {
    }
    CU_ASSERT_TRUE(atomic_load(&kit_disk.fdatasyncs) >= n);
}

/* Every claim was woken once and is refused, and so is whatever comes after. */
static void
check_failed(struct journal *journal, struct kit_claim *claims, const char *says)
{
    struct kit_claim late;
    for (size_t i = 0; i < CLAIMS; i++) {
        struct diag diag = {0};
        kit_claim_wait(&claims[i]);
        CHECK_ERR(&diag, ERR_JOURNAL, journal_ticket_status(journal, &claims[i].ticket, &diag));
        CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, says));
        CU_ASSERT_EQUAL(atomic_load(&claims[i].wakes), 1);
    }
    for (int i = 0; i < 3; i++) {
        struct diag diag = {0};
        CHECK_ERR(&diag, ERR_JOURNAL, kit_append(journal, 99, 0, &late, &diag));
        CU_ASSERT_FALSE(atomic_load(&late.is_woken));
    }
    CU_ASSERT_FALSE(journal_is_healthy(journal));
}

static void
test_failing_fdatasync(void)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    struct kit_claim first;
    struct kit_claim claims[CLAIMS];
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("failing-sync"));
    struct journal *journal = kit_open(dir, KIT_SIZES);
    CHECK_OK(&diag, kit_append(journal, 1, 0, &first, &diag));
    kit_claim_wait(&first);
    atomic_store(&kit_disk.is_hanging, true);
    const unsigned before = atomic_load(&kit_disk.fdatasyncs);
    for (size_t i = 0; i < CLAIMS; i++) {
        CHECK_OK(&diag, kit_append(journal, i, 0, &claims[i], &diag));
        if (i == 0) {
            wait_for_fdatasyncs(before + 1); /* the others queue behind it */
        }
    }
    const unsigned writes = atomic_load(&kit_disk.pwrites);
    atomic_store(&kit_disk.fail_sync_at, 1);
    atomic_store(&kit_disk.is_hanging, false);
    check_failed(journal, claims, "fdatasync");
    CHECK_OK(&diag, journal_ticket_status(journal, &first.ticket, &diag)); /* that was durable */
    journal_close(journal);
    CU_ASSERT_EQUAL(atomic_load(&kit_disk.fdatasyncs), before + 1); /* no second try */
    CU_ASSERT_EQUAL(atomic_load(&kit_disk.pwrites), writes);
    journal_close(kit_open(dir, KIT_SIZES)); /* a restart may go on */
}

static void
test_failing_write(void)
{
    struct diag diag = {0};
    struct kit_claim claims[CLAIMS];
    kit_disk_reset();
    struct journal *journal = kit_open(kit_folder("failing-write"), KIT_SIZES);
    CHECK_OK(&diag, kit_append_wait(journal, 1, 0, &diag));
    const unsigned syncs = atomic_load(&kit_disk.fdatasyncs);
    const unsigned writes = atomic_load(&kit_disk.pwrites);
    atomic_store(&kit_disk.fail_write_at, 1);
    CHECK_OK(&diag, kit_append(journal, 0, 0, &claims[0], &diag));
    kit_claim_wait(&claims[0]);
    for (size_t i = 1; i < CLAIMS; i++) {
        claims[i] = claims[0];
    }
    check_failed(journal, claims, "cannot write");
    journal_close(journal);
    CU_ASSERT_EQUAL(atomic_load(&kit_disk.fdatasyncs), syncs);
    CU_ASSERT_EQUAL(atomic_load(&kit_disk.pwrites), writes + 1);
}

static void
test_short_writes(void)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    struct kit_count count;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("short-writes"));
    struct journal *journal = kit_open(dir, KIT_SIZES);
    atomic_store(&kit_disk.cut_write, 97);
    for (uint64_t i = 0; i < 20; i++) {
        CHECK_OK(&diag, kit_append_wait(journal, i, 1000, &diag));
    }
    journal_close(journal);
    CHECK_OK(&diag, kit_count_records(dir, &diag, &count));
    CU_ASSERT_EQUAL(count.records, 20);
}

/* A segment that cannot be made ends the journal; what was durable stays. */
static void
test_failing_segment(void)
{
    char dir[PATH_MAX];
    struct kit_count count;
    struct diag diag = {0};
    uint64_t n = 0;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("failing-segment"));
    struct journal *journal = kit_open(dir, (struct journal_sizes){4096, 65536, 0, false});
    CU_ASSERT_EQUAL(mkdir(kit_folder("failing-segment/serve/new.tmp"), 0700), 0);
    while (n < 100 && is_ok(kit_append_wait(journal, n, 100, &diag))) {
        n++;
    }
    CU_ASSERT_EQUAL(diag.code, ERR_JOURNAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "new.tmp"));
    CU_ASSERT_FALSE(journal_is_healthy(journal));
    journal_close(journal);
    diag_clear(&diag);
    CHECK_OK(&diag, kit_count_records(dir, &diag, &count));
    CU_ASSERT_EQUAL(count.records, n);
    CU_ASSERT_EQUAL(rmdir(kit_folder("failing-segment/serve/new.tmp")), 0);
    journal = kit_open(dir, KIT_SIZES);
    diag_clear(&diag);
    CHECK_OK(&diag, kit_append_wait(journal, n, 100, &diag));
    journal_close(journal);
    CHECK_OK(&diag, kit_count_records(dir, &diag, &count));
    CU_ASSERT_EQUAL(count.records, n + 1);
}

static void
test_full_queue(void)
{
    enum { MOST = 200 };
    static struct kit_claim claims[MOST];
    struct diag diag = {0};
    size_t n = 0;
    kit_disk_reset();
    struct journal *journal =
        kit_open(kit_folder("queue"), (struct journal_sizes){16384, 16384, 0, false});
    atomic_store(&kit_disk.is_hanging, true);
    while (n < MOST && is_ok(kit_append(journal, n, 1000, &claims[n], &diag))) {
        n++;
    }
    CU_ASSERT_EQUAL(diag.code, ERR_JOURNAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "wait for the disk"));
    CU_ASSERT_TRUE(n >= 10 && n <= 32); /* one queue waits, at most one more is being written */
    CU_ASSERT_TRUE(journal_is_healthy(journal));
    atomic_store(&kit_disk.is_hanging, false);
    diag_clear(&diag);
    for (size_t i = 0; i < n; i++) {
        kit_claim_wait(&claims[i]);
        CHECK_OK(&diag, journal_ticket_status(journal, &claims[i].ticket, &diag));
    }
    CHECK_OK(&diag, kit_append_wait(journal, n, 1000, &diag));
    journal_close(journal);
}

static const struct unit_test tests[] = {
    {"a failing fdatasync is final", test_failing_fdatasync},
    {"a failing write is final", test_failing_write},
    {"short writes go on", test_short_writes},
    {"a segment that cannot be made is final", test_failing_segment},
    {"a full queue refuses and recovers", test_full_queue},
};
UNIT_MAIN("journal disk", tests)
