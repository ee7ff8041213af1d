/*
 * The journal on a file system that is really full: a tmpfs of its own, where this program may
 * mount one. Everything else about full disks is in test_journal_guard.c, over failing calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

#define SMALL ((struct journal_sizes){16384, 65536, 0, false})

static char disk[PATH_MAX];

/* A disk of <kilobytes>; false: not here, and said so. */
static bool
mount_disk(const char *name, unsigned kilobytes)
{
    char options[32];
    kit_disk_reset();
    (void)snprintf(disk, sizeof(disk), "%s", kit_folder(name));
    (void)snprintf(options, sizeof(options), "size=%uk", kilobytes);
    if (mkdir(disk, 0700) != 0 || mount("none", disk, "tmpfs", 0, options) != 0) {
        unit_not_run("a small tmpfs cannot be mounted here: %s", strerror(errno));
        return false;
    }
    return true;
}

static void
unmount_disk(void)
{
    CU_ASSERT_EQUAL(umount2(disk, MNT_DETACH), 0);
}

static const char *
ballast_path(void)
{
    static char path[PATH_MAX];
    kit_join(path, disk, "ballast");
    return path;
}

/* Takes every block that is left. */
static void
fill_disk(void)
{
    static const char block[4096] = {1};
    const int fd = open(ballast_path(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd != -1);
    while (write(fd, block, sizeof(block)) > 0) {
    }
    CU_ASSERT_EQUAL(errno, ENOSPC);
    (void)close(fd);
}

static void
give_room(void)
{
    CU_ASSERT_EQUAL(unlink(ballast_path()), 0);
}

static struct status
append(struct journal *journal, enum audit_phase phase, uint64_t value, struct diag *diag)
{
    char number[24];
    struct audit_event event = kit_event(number, value, kit_padding(500));
    event.phase = phase;
    return journal_append_wait(journal, &event, diag);
}

static void
wait_for_work(struct journal *journal, bool is_wanted)
{
    for (unsigned looks = 0; journal_takes_work(journal) != is_wanted && unit_wait(&looks);) {
    }
    CU_ASSERT_EQUAL(journal_takes_work(journal), is_wanted);
}

static void
wait_for_reserve(void)
{
    char path[PATH_MAX];
    struct stat facts = {0};
    kit_join(path, disk, "serve/reserve");
    for (unsigned looks = 0;
         (stat(path, &facts) != 0 || facts.st_size < 16384) && unit_wait(&looks);) {
    }
    CU_ASSERT_TRUE(facts.st_blocks * 512 >= 16384); /* its room is its own */
}

static uint64_t
append_until(struct journal *journal, uint64_t from, bool (*is_over)(struct journal *journal))
{
    uint64_t n = from;
    struct diag diag = {0};
    while (n < from + 500 && !is_over(journal) &&
           is_ok(append(journal, AUDIT_OUTCOME, n + 1, &diag))) {
        n++;
    }
    return n;
}

static bool
is_short(struct journal *journal)
{
    return kit_look(journal).is_short;
}

static bool
is_failed(struct journal *journal)
{
    return kit_look(journal).is_failed;
}

static void
test_full_disk(void)
{
    struct diag diag = {0};
    if (!mount_disk("full", 256)) {
        return;
    }
    struct journal *journal =
        kit_open_ruled(disk, SMALL, (struct journal_rules){.keeps_reserve = true});
    wait_for_reserve();
    fill_disk();
    uint64_t n = append_until(journal, 0, is_short);
    CU_ASSERT_TRUE(n > 5 && n < 500); /* its segment had its room */
    CU_ASSERT_TRUE(is_short(journal) && !is_failed(journal));
    CU_ASSERT_FALSE(journal_takes_work(journal));
    CHECK_ERR(&diag, ERR_JOURNAL, append(journal, AUDIT_INTENT, 0, &diag));
    diag_clear(&diag);
    CHECK_OK(&diag, append(journal, AUDIT_OUTCOME, ++n, &diag));
    give_room();
    wait_for_work(journal, true);
    wait_for_reserve();
    CHECK_OK(&diag, append(journal, AUDIT_INTENT, ++n, &diag));
    fill_disk(); /* once more, and to the end */
    n = append_until(journal, n, is_failed);
    CU_ASSERT_TRUE(is_failed(journal));
    journal_close(journal);
    kit_check_whole(disk, n);
    give_room();
    kit_check_recovers(disk, n); /* a restart goes on */
    unmount_disk();
}

/* Going on without records: nobody is refused, all that is missing is counted, and said by a next
 * process if the disk let this one note it. */
static void
test_full_disk_degrading(void)
{
    struct diag diag = {0};
    struct journal_missing before;
    if (!mount_disk("degrade", 256)) {
        return;
    }
    struct journal *journal = kit_open_ruled(
        disk, SMALL, (struct journal_rules){.keeps_reserve = true, .is_degrading = true});
    wait_for_reserve();
    fill_disk();
    for (uint64_t i = 1; i <= 200; i++) {
        CHECK_OK(&diag, append(journal, AUDIT_INTENT, i, &diag));
    }
    const uint64_t missing = kit_look(journal).missing.n;
    CU_ASSERT_TRUE(is_failed(journal) && missing > 0 && missing < 200);
    give_room();
    CHECK_OK(&diag, append(journal, AUDIT_INTENT, 201, &diag)); /* the journal stays failed, */
    CU_ASSERT_EQUAL(kit_look(journal).missing.n, missing + 1);
    journal_close(journal); /* and its note finds room */
    kit_check_whole(disk, 200 - missing);
    journal = kit_open(disk, SMALL);
    CU_ASSERT_TRUE(journal_missing_before(journal, &before));
    CU_ASSERT_EQUAL(before.n, missing + 1);
    journal_close(journal);
    unmount_disk();
}

/* Nothing is begun on a disk that is full already; what was there is not touched. */
static void
test_opening(void)
{
    struct diag diag = {0};
    struct journal *journal = NULL;
    if (!mount_disk("open", 256)) {
        return;
    }
    fill_disk();
    CHECK_ERR(
        &diag, ERR_JOURNAL,
        journal_open_sized(JOURNAL_AT(disk), "serve", clock_system(), SMALL, &diag, &journal));
    diag_clear(&diag);
    give_room();
    kit_check_recovers(disk, 0);
    fill_disk();
    CHECK_ERR(
        &diag, ERR_JOURNAL, /* its finished segment cannot get its room again */
        journal_open_sized(JOURNAL_AT(disk), "serve", clock_system(), SMALL, &diag, &journal));
    kit_check_whole(disk, 1);
    give_room();
    kit_check_recovers(disk, 1);
    unmount_disk();
}

static const struct unit_test tests[] = {
    {"a full disk, room, and full again", test_full_disk},
    {"a full disk, going on", test_full_disk_degrading},
    {"opening on a full disk", test_opening},
};
UNIT_MAIN("journal room", tests)
