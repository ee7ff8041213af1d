/*
 * What readiness says when the journal's disk hangs, breaks, is full, or gets there: with both
 * answers of audit.on_unavailable, over a real journal.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/metrics.h"
#include "tests/unit/config_world.h"
#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

static struct loaded loaded;
static struct admin_view view;
static struct journal *journal;
static atomic_bool is_full;
static atomic_uint used_percent;

/* ---- the disk, as this test wants it ---- */

int posix_fallocate(int fd, off_t offset, off_t n);

int
posix_fallocate(int fd, off_t offset, off_t n)
{
    (void)offset;
    return atomic_load(&is_full) ? ENOSPC : ftruncate(fd, n) == 0 ? 0 : errno;
}

int statvfs(const char *path, struct statvfs *ret_fs);

int
statvfs(const char *path, struct statvfs *ret_fs)
{
    (void)path;
    *ret_fs = (struct statvfs){.f_blocks = 10000000, .f_frsize = 4096};
    ret_fs->f_bavail = 100000 * (100 - atomic_load(&used_percent));
    ret_fs->f_bfree = ret_fs->f_bavail;
    return 0;
}

static void
begin(const char *name, const struct journal_rules *rules)
{
    struct diag diag = {0};
    if (world.dir[0] == '\0') {
        test_make_world();
        write_main(0, NULL);
        write_blue(0, NULL);
        write_gold(0, NULL);
    }
    kit_disk_reset();
    atomic_store(&is_full, false);
    atomic_store(&used_percent, 50);
    load(&loaded);
    CU_ASSERT_FATAL(CHECK_OK(&loaded.diag, loaded.status));
    journal = kit_open(kit_folder(name), KIT_SIZES);
    CU_ASSERT_FATAL(CHECK_OK(&diag, journal_set_rules(journal, rules, &diag)));
    view = (struct admin_view){
        .config = loaded.config, .clock = &world.clock.clock, .journal = journal};
    CHECK_OK(&diag, runner_new(clock_system(), 0, &diag, &view.runner));
}

static void
end(void)
{
    runner_free(view.runner);
    journal_close(journal);
    unload(&loaded);
    metrics_done();
}

/* Asks until the status is <wanted>, which must come, and the page says <text>. */
static void
check_page(const char *path, int wanted, const char *text)
{
    struct admin_answer answer;
    bool is_right = false;
    for (unsigned looks = 0; !is_right && unit_wait(&looks);) {
        admin_answer(&view, span_of_cstr(path), SPAN_EMPTY, &answer);
        is_right = answer.http_status == wanted &&
                   span_find(buf_span(&answer.content), span_of_cstr(text)) != SPAN_MISSING;
        buf_done(&answer.content);
    }
    if (!is_right) {
        admin_answer(&view, span_of_cstr(path), SPAN_EMPTY, &answer);
        printf("\n    wanted %d and %s, got %d:\n%.*s\n", wanted, text, answer.http_status,
               SPAN_PRINT(buf_span(&answer.content)));
        buf_done(&answer.content);
        CU_FAIL("another page");
    }
}

static const struct {
    bool is_degrading;
    int status;
    const char *mark;
} answers[] = {{false, 503, "[-]"}, {true, 200, "[!]"}};

static void
test_stalled(void)
{
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct diag diag = {0};
        struct kit_claim claim;
        char text[64];
        begin(i == 0 ? "stalled-0" : "stalled-1",
              &(struct journal_rules){.is_degrading = answers[i].is_degrading,
                                      .wait_us = 20 * US_PER_MS});
        check_page("/readyz", 200, "ok\n");
        atomic_store(&kit_disk.is_hanging, true);
        CHECK_OK(&diag, kit_append(journal, 1, 0, &claim, &diag));
        (void)snprintf(text, sizeof(text), "%s journal: its disk has been at one write for ",
                       answers[i].mark);
        check_page("/readyz", answers[i].status, text);
        atomic_store(&kit_disk.is_hanging, false);
        check_page("/readyz", 200, "ok\n");
        kit_claim_wait(&claim);
        end();
    }
}

static void
test_failed(void)
{
    struct diag diag = {0};
    begin("failed-0", &(struct journal_rules){0});
    atomic_store(&kit_disk.fail_sync_at, 1);
    CHECK_ERR(&diag, ERR_JOURNAL, kit_append_wait(journal, 1, 0, &diag));
    check_page("/readyz", 503, "[-] journal: a write failed");
    check_page("/metrics", 200, "isthmus_audit_healthy 0\n");
    check_page("/metrics", 200, "isthmus_audit_unrecorded_total 0\n");
    end();
    begin("failed-1", &(struct journal_rules){.is_degrading = true});
    atomic_store(&kit_disk.fail_sync_at, 1);
    kit_fill(journal, 1, 3);
    check_page("/readyz", 200, "[!] journal: audit: degraded since 20");
    check_page("/readyz", 200, "(3 records missing)");
    check_page("/readyz", 200, "ok\n");
    check_page("/metrics", 200, "isthmus_audit_healthy 0\n");
    check_page("/metrics", 200, "isthmus_audit_unrecorded_total 3\n");
    end();
}

static void
test_full(void)
{
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct diag diag = {0};
        char text[64];
        begin(i == 0 ? "full-0" : "full-1", &(struct journal_rules){0});
        atomic_store(&is_full, true);
        CHECK_OK(&diag,
                 journal_set_rules(journal,
                                   &(struct journal_rules){.is_degrading = answers[i].is_degrading,
                                                           .keeps_reserve = true},
                                   &diag));
        (void)snprintf(text, sizeof(text), "%s journal: its disk is full", answers[i].mark);
        check_page("/readyz", answers[i].status, text);
        atomic_store(&is_full, false);
        check_page("/readyz", 200, "ok\n");
        end();
    }
}

static void
test_limit(void)
{
    begin("limit", &(struct journal_rules){.disk_limit_percent = 90});
    check_page("/metrics", 200, "isthmus_audit_disk_used_percent 50\n");
    atomic_store(&used_percent, 89);
    check_page("/readyz", 200, "ok\n");
    atomic_store(&used_percent, 90);
    check_page("/readyz", 503, "90% used, and the limit is 90% (audit.disk_limit)");
    atomic_store(&used_percent, 88);
    check_page("/readyz", 503, "88% used");
    atomic_store(&used_percent, 87);
    check_page("/readyz", 200, "ok\n");
    end();
}

static const struct unit_test tests[] = {
    {"a disk that hangs", test_stalled},
    {"a disk that broke", test_failed},
    {"a disk that is full", test_full},
    {"the limit of the disk", test_limit},
};
UNIT_MAIN("ready", tests)
