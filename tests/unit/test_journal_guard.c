/*
 * The journal's rules: waits that have an end, going on without records, the reserve for a full
 * disk, and the limit of the disk. The disk is real, but for what the kit and this file let fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

#define SMALL ((struct journal_sizes){4096, 65536, 0, false})

/* ---- a disk that is full, and what df would say ---- */

static atomic_bool is_full;
static atomic_uint used_percent; /* 0: as it is */

int posix_fallocate(int fd, off_t offset, off_t n);

int
posix_fallocate(int fd, off_t offset, off_t n)
{
    struct stat facts;
    (void)offset;
    if (fstat(fd, &facts) != 0) {
        return errno;
    }
    if (facts.st_size >= n) { /* it has its room */
        return 0;
    }
    return atomic_load(&is_full) ? ENOSPC : ftruncate(fd, n) == 0 ? 0 : errno;
}

int statvfs(const char *path, struct statvfs *ret_fs);

int
statvfs(const char *path, struct statvfs *ret_fs)
{
    (void)path;
    *ret_fs = (struct statvfs){.f_blocks = 1100, .f_frsize = 4096}; /* 100 are root's */
    ret_fs->f_bavail = 1000 - 10 * atomic_load(&used_percent);
    ret_fs->f_bfree = ret_fs->f_bavail + 100;
    return 0;
}

static void
reset(void)
{
    kit_disk_reset();
    atomic_store(&is_full, false);
    atomic_store(&used_percent, 50);
}

static struct status
append_phase(struct journal *journal, enum audit_phase phase, uint64_t value, struct diag *diag)
{
    char number[24];
    struct audit_event event = kit_event(number, value, kit_padding(200));
    event.phase = phase;
    return journal_append_wait(journal, &event, diag);
}

/* ---- waits that have an end ---- */

enum { CLAIMS = 5 };

static void
append_all(struct journal *journal, struct kit_claim *claims)
{
    for (size_t i = 0; i < CLAIMS; i++) {
        struct diag diag = {0};
        CHECK_OK(&diag, kit_append(journal, i + 1, 0, &claims[i], &diag));
    }
}

static void
wait_until_durable(struct journal *journal)
{
    for (unsigned looks = 0; journal_read_lag(journal).waiting > 0 && unit_wait(&looks);) {
    }
    CU_ASSERT_EQUAL(journal_read_lag(journal).waiting, 0);
}

static void
check_late(struct journal *journal, struct kit_claim *claims, enum err wanted)
{
    for (size_t i = 0; i < CLAIMS; i++) {
        struct diag diag = {0};
        kit_claim_wait(&claims[i]);
        if (wanted == ERR_NONE) {
            CHECK_OK(&diag, journal_ticket_status(journal, &claims[i].ticket, &diag));
        } else {
            CHECK_ERR(&diag, wanted, journal_ticket_status(journal, &claims[i].ticket, &diag));
            CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "stays queued"));
        }
        CU_ASSERT_EQUAL(atomic_load(&claims[i].wakes), 1);
        CU_ASSERT_EQUAL(claims[i].order, i);
    }
}

/* The disk hangs: who waits is told so, its record stays, and is there when the disk is back. */
static void
check_stall(const char *name, bool is_degrading, enum err wanted)
{
    char dir[PATH_MAX];
    struct kit_claim claims[CLAIMS];
    struct diag diag = {0};
    const struct journal_rules rules = {.is_degrading = is_degrading, .wait_us = 20 * US_PER_MS};
    reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder(name));
    struct journal *journal = kit_open_ruled(dir, KIT_SIZES, rules);
    CU_ASSERT_TRUE(journal_takes_work(journal));
    CU_ASSERT_FALSE(kit_look(journal).is_stalled);
    atomic_store(&kit_disk.is_hanging, true);
    append_all(journal, claims);
    check_late(journal, claims, wanted);
    for (unsigned looks = 0; !kit_look(journal).is_stalled && unit_wait(&looks);) {
    }
    CU_ASSERT_TRUE(kit_look(journal).is_stalled);
    CU_ASSERT_EQUAL(journal_takes_work(journal), is_degrading);
    CU_ASSERT_TRUE(journal_is_healthy(journal));     /* slow is not failed */
    CU_ASSERT_EQUAL(kit_look(journal).missing.n, 0); /* and nothing is missing: it is queued */
    CU_ASSERT_EQUAL(journal_read_lag(journal).waiting, CLAIMS);
    struct kit_claim later;
    CHECK_OK(&diag, kit_append(journal, CLAIMS + 1, 0, &later, &diag));
    kit_claim_wait(&later);
    atomic_store(&kit_disk.is_hanging, false);
    wait_until_durable(journal);
    CHECK_OK(&diag, journal_ticket_status(journal, &later.ticket, &diag)); /* by now it is */
    CHECK_OK(&diag, kit_append_wait(journal, CLAIMS + 2, 0, &diag));
    for (unsigned looks = 0; !journal_takes_work(journal) && unit_wait(&looks);) {
    }
    CU_ASSERT_TRUE(journal_takes_work(journal));
    for (size_t i = 0; i < CLAIMS; i++) {
        CU_ASSERT_EQUAL(atomic_load(&claims[i].wakes), 1); /* no second wake */
    }
    journal_close(journal);
    kit_check_whole(dir, CLAIMS + 2);
}

static void
test_stalled_disk(void)
{
    check_stall("stall-refuse", false, ERR_JOURNAL);
    check_stall("stall-degrade", true, ERR_NONE);
}

/* Without a limit nobody is woken before the disk is done. */
static void
test_no_limit(void)
{
    struct kit_claim claims[CLAIMS];
    struct diag diag = {0};
    reset();
    struct journal *journal = kit_open_ruled(kit_folder("no-limit"), KIT_SIZES,
                                             (struct journal_rules){.wait_us = 5 * US_PER_MS});
    CHECK_OK(&diag, journal_set_rules(journal, &(struct journal_rules){0}, &diag));
    atomic_store(&kit_disk.is_hanging, true);
    append_all(journal, claims);
    for (unsigned looks = 0; looks < 20 && unit_wait(&looks);) {
    }
    for (size_t i = 0; i < CLAIMS; i++) {
        CU_ASSERT_EQUAL(atomic_load(&claims[i].wakes), 0);
    }
    CU_ASSERT_TRUE(journal_takes_work(journal));
    atomic_store(&kit_disk.is_hanging, false);
    for (size_t i = 0; i < CLAIMS; i++) {
        kit_claim_wait(&claims[i]);
        CHECK_OK(&diag, journal_ticket_status(journal, &claims[i].ticket, &diag));
        CU_ASSERT_TRUE(claims[i].synced_at_wake >= claims[i].ticket.sequence);
    }
    journal_close(journal);
}

/* ---- going on without records ---- */

static void
break_write(void)
{
    atomic_store(&kit_disk.fail_write_at, 1);
}

static void
break_sync(void)
{
    atomic_store(&kit_disk.fail_sync_at, 1);
}

static const struct fault {
    const char *name;
    void (*begin)(void);
} faults[] = {{"write", break_write}, {"sync", break_sync}};

/* What the next process of the chain finds noted. */
static uint64_t
noted(const char *dir, struct journal_missing *ret_missing)
{
    struct journal *journal = kit_open(dir, SMALL);
    *ret_missing = (struct journal_missing){0};
    const bool has = journal_missing_before(journal, ret_missing);
    CU_ASSERT_EQUAL(has, ret_missing->n > 0);
    journal_close(journal);
    return ret_missing->n;
}

/* Refusing: the same faults leave nothing that went on, so nothing is missing. */
static void
test_refusing_counts_nothing(void)
{
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        char dir[PATH_MAX];
        struct diag diag = {0};
        struct journal_missing before;
        reset();
        (void)snprintf(dir, sizeof(dir), "%s-%s", kit_folder("refusing"), faults[i].name);
        struct journal *journal = kit_open_ruled(dir, SMALL, (struct journal_rules){0});
        kit_fill(journal, 1, 2);
        faults[i].begin();
        CHECK_ERR(&diag, ERR_JOURNAL, kit_append_wait(journal, 3, 0, &diag));
        diag_clear(&diag);
        CHECK_ERR(&diag, ERR_JOURNAL, kit_append_wait(journal, 4, 0, &diag));
        CU_ASSERT_TRUE(kit_look(journal).is_failed);
        CU_ASSERT_EQUAL(kit_look(journal).missing.n, 0);
        journal_close(journal);
        CU_ASSERT_EQUAL(noted(dir, &before), 0);
    }
}

static void
check_degraded(const struct fault *fault)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    struct journal_missing before;
    const int64_t start_us = clock_wall_us(clock_system());
    reset();
    (void)snprintf(dir, sizeof(dir), "%s-%s", kit_folder("degrading"), fault->name);
    struct journal *journal =
        kit_open_ruled(dir, SMALL, (struct journal_rules){.is_degrading = true});
    kit_fill(journal, 1, 2);
    fault->begin();
    const unsigned syncs = atomic_load(&kit_disk.fdatasyncs);
    kit_fill(journal, 3, 7); /* all of them are told to go on */
    CU_ASSERT_TRUE(kit_look(journal).is_failed);
    CU_ASSERT_EQUAL(kit_look(journal).missing.n, 5);
    CU_ASSERT_TRUE(journal_takes_work(journal));
    CU_ASSERT_TRUE(atomic_load(&kit_disk.fdatasyncs) <= syncs + 1); /* nothing is tried again */
    journal_close(journal);
    CU_ASSERT_EQUAL(noted(dir, &before), 5);
    CU_ASSERT_TRUE(before.first_us >= start_us && before.last_us >= before.first_us);
    /* It happens once more before anybody has said so: then both are said. */
    journal = kit_open_ruled(dir, SMALL, (struct journal_rules){.is_degrading = true});
    break_sync();
    kit_fill(journal, 3, 4);
    journal_close(journal);
    CU_ASSERT_EQUAL(noted(dir, &before), 7);
    CU_ASSERT_TRUE(before.last_us > before.first_us);
    journal = kit_open(dir, SMALL);
    CHECK_OK(&diag, journal_forget_missing(journal, &diag));
    CU_ASSERT_FALSE(journal_missing_before(journal, &before));
    journal_close(journal);
    CU_ASSERT_EQUAL(noted(dir, &before), 0);
    CU_ASSERT_FALSE(kit_verify(dir).has_problem);
}

static void
test_degrading(void)
{
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        check_degraded(&faults[i]);
    }
}

/* Killed while it goes on without records: the note is there already. */
static void
test_note_is_written_at_once(void)
{
    char dir[PATH_MAX];
    char path[PATH_MAX];
    struct stat facts;
    reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("note"));
    struct journal *journal =
        kit_open_ruled(dir, SMALL, (struct journal_rules){.is_degrading = true});
    break_sync();
    kit_fill(journal, 1, 3);
    kit_join(path, dir, "serve/missing");
    for (unsigned looks = 0; stat(path, &facts) != 0 && unit_wait(&looks);) {
    }
    CU_ASSERT_EQUAL(stat(path, &facts), 0);
    CU_ASSERT_EQUAL(facts.st_mode & 0777, 0600);
    journal_close(journal);
}

static void
test_notes_that_nobody_wrote(void)
{
    static const struct {
        const char *text;
        uint64_t n;
    } rows[] = {
        {"", 0},
        {"isthmus-missing 1\n12 1700000000000000 1700000001000000\n", 12},
        {"isthmus-missing 1\n12 17000", 1}, /* that something was missing is known */
        {"isthmus-missing 2\n12 1 2\n", 1},
        {"\xff\xfe\x00 garbage", 1},
    };
    char dir[PATH_MAX];
    char path[PATH_MAX];
    reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("notes"));
    journal_close(kit_open(dir, SMALL));
    kit_join(path, dir, "serve/missing");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct journal_missing before;
        kit_write_file(path, span_of_cstr(rows[i].text));
        CU_ASSERT_EQUAL(noted(dir, &before), rows[i].n);
    }
}

/* The disk is not broken, but too slow: what finds no room in the queue is gone on without. */
static void
test_full_queue(void)
{
    enum { MOST = 64 };
    static struct kit_claim claims[MOST];
    char dir[PATH_MAX];
    struct diag diag = {0};
    reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("too-slow"));
    struct journal *journal = kit_open_ruled(dir, (struct journal_sizes){16384, 16384, 0, false},
                                             (struct journal_rules){.is_degrading = true});
    atomic_store(&kit_disk.is_hanging, true);
    for (uint64_t i = 0; i < MOST; i++) {
        CHECK_OK(&diag, kit_append(journal, i, 1000, &claims[i], &diag));
    }
    const uint64_t missing = kit_look(journal).missing.n;
    CU_ASSERT_TRUE(missing > 0 && missing < MOST);
    CU_ASSERT_FALSE(kit_look(journal).is_failed);
    atomic_store(&kit_disk.is_hanging, false);
    for (uint64_t i = 0; i < MOST; i++) {
        kit_claim_wait(&claims[i]);
        CHECK_OK(&diag, journal_ticket_status(journal, &claims[i].ticket, &diag));
    }
    journal_close(journal);
    kit_check_whole(dir, MOST - missing);
    struct journal_missing before;
    CU_ASSERT_EQUAL(noted(dir, &before), missing);
}

/* ---- a full disk ---- */

static void
wait_for_reserve(const char *dir, bool is_wanted)
{
    char path[PATH_MAX];
    struct stat facts;
    kit_join(path, dir, "serve/reserve");
    for (unsigned looks = 0; (stat(path, &facts) == 0) != is_wanted && unit_wait(&looks);) {
    }
    CU_ASSERT_EQUAL(stat(path, &facts) == 0, is_wanted);
}

/* Appends outcomes until the journal is short (or fails); how many. */
static uint64_t
fill_until_short(struct journal *journal, uint64_t from)
{
    uint64_t n = from;
    struct diag diag = {0};
    while (n < 200 && !kit_look(journal).is_short &&
           is_ok(append_phase(journal, AUDIT_OUTCOME, n, &diag))) {
        n++;
    }
    return n - from;
}

static void
test_reserve(void)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("reserve"));
    struct journal *journal =
        kit_open_ruled(dir, SMALL, (struct journal_rules){.keeps_reserve = true});
    wait_for_reserve(dir, true);
    atomic_store(&is_full, true);
    uint64_t n = fill_until_short(journal, 1);
    CU_ASSERT_TRUE(n > 0);
    CU_ASSERT_FATAL(kit_look(journal).is_short && journal_is_healthy(journal));
    CU_ASSERT_FALSE(journal_takes_work(journal));
    CHECK_ERR(&diag, ERR_JOURNAL, append_phase(journal, AUDIT_INTENT, 99, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "full"));
    diag_clear(&diag);
    CHECK_OK(&diag, append_phase(journal, AUDIT_OUTCOME, ++n, &diag)); /* what is in flight */
    atomic_store(&is_full, false);                                     /* somebody gave it room */
    wait_for_reserve(dir, true);
    for (unsigned looks = 0; !journal_takes_work(journal) && unit_wait(&looks);) {
    }
    CHECK_OK(&diag, append_phase(journal, AUDIT_INTENT, ++n, &diag));
    journal_close(journal);
    kit_check_whole(dir, n);
    wait_for_reserve(dir, true); /* the next process has it at once */
}

/* The reserve has its end, too: then the journal has failed, and what was recorded is there. */
static void
test_reserve_ends(void)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("reserve-ends"));
    struct journal *journal =
        kit_open_ruled(dir, SMALL, (struct journal_rules){.keeps_reserve = true});
    wait_for_reserve(dir, true);
    atomic_store(&is_full, true);
    uint64_t n = fill_until_short(journal, 1);
    uint64_t more = 0;
    while (more < 200 && is_ok(append_phase(journal, AUDIT_OUTCOME, n + more + 1, &diag))) {
        more++;
    }
    CU_ASSERT_EQUAL(diag.code, ERR_JOURNAL);
    CU_ASSERT_TRUE(more >= 3 && more < 200);
    CU_ASSERT_TRUE(kit_look(journal).is_failed);
    journal_close(journal);
    wait_for_reserve(dir, false);
    kit_check_whole(dir, n + more);
}

/* Without the rule a full disk ends the journal, as before. */
static void
test_no_reserve(void)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    uint64_t n = 0;
    reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("no-reserve"));
    struct journal *journal = kit_open_ruled(dir, SMALL, (struct journal_rules){0});
    atomic_store(&is_full, true);
    while (n < 200 && is_ok(append_phase(journal, AUDIT_OUTCOME, n + 1, &diag))) {
        n++;
    }
    CU_ASSERT_EQUAL(diag.code, ERR_JOURNAL);
    CU_ASSERT_TRUE(kit_look(journal).is_failed);
    journal_close(journal);
    kit_check_whole(dir, n);
}

/* Going on without records: new work is taken on the reserve, too, and after it without records. */
static void
test_reserve_when_degrading(void)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    const struct journal_rules rules = {.keeps_reserve = true, .is_degrading = true};
    reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("reserve-degrade"));
    struct journal *journal = kit_open_ruled(dir, SMALL, rules);
    wait_for_reserve(dir, true);
    atomic_store(&is_full, true);
    uint64_t n = fill_until_short(journal, 1);
    CU_ASSERT_TRUE(journal_takes_work(journal));
    while (n < 200 && !kit_look(journal).is_failed) {
        CHECK_OK(&diag, append_phase(journal, AUDIT_INTENT, ++n, &diag));
    }
    CU_ASSERT_EQUAL(kit_look(journal).missing.n, 1);
    journal_close(journal);
    kit_check_whole(dir, n - 1);
}

/* A node that starts on a full disk takes nothing until there is a reserve. */
static void
test_full_at_the_start(void)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("full-start"));
    journal_close(kit_open(dir, SMALL));
    journal_close(kit_open(dir, SMALL));
    struct journal *journal = kit_open(dir, SMALL);
    atomic_store(&is_full, true);
    CHECK_OK(&diag,
             journal_set_rules(journal, &(struct journal_rules){.keeps_reserve = true}, &diag));
    for (unsigned looks = 0; !kit_look(journal).is_short && unit_wait(&looks);) {
    }
    CU_ASSERT_FALSE(journal_takes_work(journal));
    wait_for_reserve(dir, false); /* no half of one */
    CHECK_OK(&diag, append_phase(journal, AUDIT_OUTCOME, 1, &diag));
    atomic_store(&is_full, false);
    for (unsigned looks = 0; !journal_takes_work(journal) && unit_wait(&looks);) {
    }
    CU_ASSERT_TRUE(journal_takes_work(journal));
    journal_close(journal);
    kit_check_whole(dir, 1);
}

/* ---- the disk's limit ---- */

static void
test_disk_limit(void)
{
    static const struct {
        unsigned percent;
        bool is_over;
    } steps[] = {{50, false}, {89, false}, {90, true},  {91, true}, {100, true}, {89, true},
                 {88, true},  {87, false}, {89, false}, {90, true}, {87, false}};
    reset();
    struct journal *journal = kit_open_ruled(kit_folder("limit"), SMALL,
                                             (struct journal_rules){.disk_limit_percent = 90});
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        atomic_store(&used_percent, steps[i].percent);
        const struct journal_condition now = kit_look(journal);
        CU_ASSERT_EQUAL(now.disk_percent, steps[i].percent);
        CU_ASSERT_EQUAL(now.is_over_limit, steps[i].is_over);
    }
    struct diag diag = {0};
    CHECK_OK(&diag, journal_set_rules(journal, &(struct journal_rules){0}, &diag));
    atomic_store(&used_percent, 100);
    CU_ASSERT_FALSE(kit_look(journal).is_over_limit); /* nobody asked */
    journal_close(journal);
}

static const struct unit_test tests[] = {
    {"a disk that hangs", test_stalled_disk},
    {"no limit, no wake before the disk is done", test_no_limit},
    {"what is refused is not missing", test_refusing_counts_nothing},
    {"going on without records", test_degrading},
    {"the note is there while it goes on", test_note_is_written_at_once},
    {"notes that nobody wrote", test_notes_that_nobody_wrote},
    {"a disk that is too slow", test_full_queue},
    {"a full disk and the reserve", test_reserve},
    {"the reserve ends", test_reserve_ends},
    {"a full disk without a reserve", test_no_reserve},
    {"a full disk, going on", test_reserve_when_degrading},
    {"a full disk at the start", test_full_at_the_start},
    {"the limit of the disk", test_disk_limit},
};
UNIT_MAIN("journal guard", tests)
