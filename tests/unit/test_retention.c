/*
 * Retention: what is old and delivered goes, whole segments, never the last, behind a signed
 * statement; the chain that is left is whole and says so; an archive holds what went and is
 * verified by itself; and a crash or a failure anywhere leaves a chain that verifies.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "seal_kit.h"
#include "unit.h"

#define SMALL 8192
#define KEEP  (30 * DAY_US)

static struct seal_kit kit;

static struct segment_list
segments(void)
{
    struct segment_list list = {.n = 0};
    struct diag diag = {0};
    char folder[PATH_MAX];
    kit_join(folder, kit.dir, SEAL_CHAIN);
    CHECK_OK(&diag, segment_list_read(folder, &diag, &list));
    return list;
}

static void
segment_path(char to[PATH_MAX], const char *folder, uint64_t first, const char *ending)
{
    char name[64];
    (void)snprintf(name, sizeof(name), SEAL_CHAIN "/%020llu%s", (unsigned long long)first, ending);
    kit_join(to, folder, name);
}

/* Several finished segments, then time passes, then some more. Returns how many are there. */
static size_t
make_old(const char *name)
{
    seal_kit_open(&kit, name, SMALL);
    seal_kit_append(&kit, 100);
    seal_kit_look(&kit, 0);
    struct segment_list list = segments();
    const size_t n = list.n;
    segment_list_done(&list);
    CU_ASSERT_FATAL(n >= 4);
    kit.settings.retention.keep_us = KEEP;
    return n;
}

static void
check_first(uint64_t first)
{
    struct segment_list list = segments();
    CU_ASSERT_FATAL(list.n > 0);
    CU_ASSERT_EQUAL(list.items[0], first);
    segment_list_done(&list);
}

static void
test_nothing_goes(void)
{
    (void)make_old("young");
    seal_kit_look(&kit, KEEP - DAY_US); /* too young */
    CU_ASSERT_EQUAL(seal_kit_state(&kit).removed, 0);
    kit.delivered = 10; /* a repository has not got the first segment */
    seal_kit_look(&kit, 2 * DAY_US);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).removed, 0);
    kit.delivered = UINT64_MAX;
    kit.settings.retention.keep_us = 0; /* never */
    seal_kit_look(&kit, DAY_US);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).removed, 0);
    kit.settings.retention.keep_us = KEEP; /* no key: nothing is said, so nothing goes */
    kit.credential = NULL;
    seal_kit_append(&kit, 1);
    seal_kit_look(&kit, DAY_US);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).removed, 0);
    kit.credential = world.red;
    check_first(1);
    seal_kit_close(&kit);
    CU_ASSERT_STRING_EQUAL(seal_kit_verify(&kit, NULL).problem, "");
}

static void
test_old_goes(void)
{
    const size_t before = make_old("old");
    seal_kit_look(&kit, KEEP + DAY_US);
    const struct sealer_state state = seal_kit_state(&kit);
    CU_ASSERT_EQUAL(state.failures, 0);
    CU_ASSERT_EQUAL(state.removed, before - 1);
    seal_kit_append(&kit, 5);
    seal_kit_close(&kit);
    struct seal_report kept = seal_kit_verify(&kit, NULL);
    CU_ASSERT_STRING_EQUAL(kept.problem, "");
    CU_ASSERT(kept.report.first > 1);
    CU_ASSERT(kept.report.removed_by > 0);
    /* Again, years later: the statement that explained the beginning goes, another takes its place.
     */
    kit.clock.wall_us += KEEP + DAY_US;
    seal_kit_reopen(&kit, SMALL);
    seal_kit_append(&kit, 60);
    seal_kit_look(&kit, 0);
    seal_kit_look(&kit, KEEP + DAY_US);
    CU_ASSERT(seal_kit_state(&kit).removed > 0);
    seal_kit_close(&kit);
    const uint64_t first = kept.report.first;
    kept = seal_kit_verify(&kit, NULL);
    CU_ASSERT_STRING_EQUAL(kept.problem, "");
    CU_ASSERT(kept.report.first > first);
}

/* Only as far as every destination has it. */
static void
test_delivered_in_part(void)
{
    (void)make_old("part");
    struct segment_list list = segments();
    const uint64_t third = list.items[2];
    segment_list_done(&list);
    kit.delivered = third - 1;
    seal_kit_look(&kit, KEEP + DAY_US);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).removed, 2);
    check_first(third);
    seal_kit_close(&kit);
    CU_ASSERT_STRING_EQUAL(seal_kit_verify(&kit, NULL).problem, "");
}

/* What is damaged is evidence. */
static void
test_damaged_stays(void)
{
    char path[PATH_MAX];
    (void)make_old("damaged");
    struct segment_list list = segments();
    segment_path(path, kit.dir, list.items[1], ".seg");
    segment_list_done(&list);
    CU_ASSERT_EQUAL_FATAL(chmod(path, 0600), 0);
    FILE *file = fopen(path, "r+");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fseek(file, SEGMENT_HEAD_BYTES + RECORD_HEAD_BYTES + 5, SEEK_SET), 0);
    CU_ASSERT_EQUAL(fputc(0, file), 0);
    CU_ASSERT_EQUAL(fclose(file), 0);
    seal_kit_look(&kit, KEEP + DAY_US);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).removed, 0);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).failures, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(seal_kit_state(&kit).why, "its CRC-32C does not fit"));
    CU_ASSERT(journal_is_healthy(kit.journal));
    check_first(1);
    seal_kit_close(&kit);
}

/* ---- archives ---- */

struct archived {
    unsigned segments, broken;
    char problem[DIAG_TEXT_MAX];
};

static void
keep_segment(void *arg, const struct journal_chain_report *report)
{
    struct archived *archived = arg;
    archived->segments++;
    if (report->problem != NULL) {
        archived->broken++;
        (void)snprintf(archived->problem, sizeof(archived->problem), "%s", report->problem);
    }
}

static struct archived
verify_archive(void)
{
    struct archived archived = {.segments = 0};
    struct diag diag = {0};
    const struct statement_judge judge = audit_judge_make(&kit.judge);
    CHECK_OK(&diag, journal_verify_archive(kit.settings.retention.archive, &judge, keep_segment,
                                           &archived, &diag));
    return archived;
}

static void
check_archive_broken(const char *words)
{
    const struct archived archived = verify_archive();
    CU_ASSERT_EQUAL(archived.broken, 1);
    if (strstr(archived.problem, words) == NULL) {
        printf("\n    wanted: %s\n    said:   %s\n", words, archived.problem);
        CU_FAIL("the problem is said in other words");
    }
}

static void
change_byte(const char *path, long at)
{
    CU_ASSERT_EQUAL_FATAL(chmod(path, 0600), 0);
    FILE *file = fopen(path, "r+");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fseek(file, at, SEEK_SET), 0);
    const int byte = fgetc(file);
    CU_ASSERT_EQUAL(fseek(file, at, SEEK_SET), 0);
    CU_ASSERT_EQUAL(fputc(byte ^ 1, file), byte ^ 1);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void
check_mode(const char *path)
{
    struct stat info = {0};
    CU_ASSERT_EQUAL(stat(path, &info), 0);
    CU_ASSERT_EQUAL(info.st_mode & 0777, 0400);
}

static void
test_archive(void)
{
    char path[PATH_MAX];
    char manifest[PATH_MAX];
    char *archive = kit.settings.retention.archive;
    const size_t before = make_old("archived");
    (void)snprintf(archive, PATH_MAX, "%s", kit_folder("archive"));
    seal_kit_look(&kit, KEEP + DAY_US);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).failures, 0);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).archived, before - 1);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).removed, 0);
    seal_kit_close(&kit);
    CU_ASSERT_STRING_EQUAL(seal_kit_verify(&kit, NULL).problem, "");
    CU_ASSERT_EQUAL(verify_archive().segments, before - 1);
    CU_ASSERT_EQUAL(verify_archive().broken, 0);
    segment_path(path, archive, 1, ".seg");
    segment_path(manifest, archive, 1, ".json");
    check_mode(path);
    check_mode(manifest);
    kit.judge.own = world.blue->leaf;
    CU_ASSERT_EQUAL(verify_archive().broken, before - 1); /* nobody signed who is believed */
    kit.judge.own = world.red->leaf;
    change_byte(path, SEGMENT_HEAD_BYTES + RECORD_HEAD_BYTES + 5);
    check_archive_broken("its CRC-32C does not fit");
    change_byte(path, SEGMENT_HEAD_BYTES + RECORD_HEAD_BYTES + 5);
    CU_ASSERT_EQUAL(verify_archive().broken, 0);
    change_byte(manifest, 40); /* within the statement */
    check_archive_broken("");
    change_byte(manifest, 40);
    CU_ASSERT_EQUAL(unlink(manifest), 0);
    check_archive_broken("the signed statement beside it cannot be read");
    CU_ASSERT_EQUAL(unlink(path), 0); /* parts of an archive may be elsewhere */
    CU_ASSERT_EQUAL(verify_archive().broken, 0);
    CU_ASSERT_EQUAL(verify_archive().segments, before - 2);
}

/* A segment of another chain of the same node, put in the place of one of this. */
static void
test_archive_exchanged(void)
{
    char path[PATH_MAX];
    char other[PATH_MAX];
    struct buf bytes;
    struct diag diag = {0};
    char *archive = kit.settings.retention.archive;
    (void)make_old("exchanged");
    (void)snprintf(archive, PATH_MAX, "%s", kit_folder("archive-exchanged"));
    seal_kit_look(&kit, KEEP + DAY_US);
    seal_kit_close(&kit);
    segment_path(path, archive, 1, ".seg");
    buf_init(&bytes, 1024 * 1024);
    /* The first segment of another journal, whole and with the same name. */
    struct seal_kit first = kit;
    seal_kit_open(&kit, "exchanged-by", SMALL);
    kit.events = 1000;
    seal_kit_append(&kit, 100);
    seal_kit_close(&kit);
    segment_path(other, kit.dir, 1, ".seg");
    CHECK_OK(&diag, buf_read_file(&bytes, other, &diag));
    kit = first;
    CU_ASSERT_EQUAL(unlink(path), 0);
    kit_write_file(path, buf_span(&bytes));
    check_archive_broken("it was replaced");
    buf_done(&bytes);
}

/* An archive that cannot be written: nothing is removed. */
static void
test_archive_fails(void)
{
    char *archive = kit.settings.retention.archive;
    (void)make_old("full");
    (void)snprintf(archive, PATH_MAX, "%s/there-is/no-such-folder", kit_folder("no-archive"));
    seal_kit_look(&kit, KEEP + DAY_US);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).archived, 0);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).failures, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(seal_kit_state(&kit).why, "cannot make the folder"));
    check_first(1);
    archive[0] = '\0'; /* deleted instead, a minute later: no hour is waited after a failure */
    seal_kit_close(&kit);
    CU_ASSERT_STRING_EQUAL(seal_kit_verify(&kit, NULL).problem, "");
}

/* ---- crashes ---- */

/* Killed after some of the files are gone: what is left begins in the middle of what was stated. */
static void
test_crash_between(void)
{
    struct buf third;
    char path[PATH_MAX];
    struct diag diag = {0};
    (void)make_old("between");
    struct segment_list list = segments();
    CU_ASSERT_FATAL(list.n >= 4);
    const uint64_t last_gone = list.items[list.n - 2];
    segment_list_done(&list);
    segment_path(path, kit.dir, last_gone, ".seg");
    buf_init(&third, 1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&third, path, &diag));
    seal_kit_look(&kit, KEEP + DAY_US);
    CU_ASSERT_EQUAL(access(path, F_OK), -1);
    kit.settings.is_on = false;
    seal_kit_close(&kit);
    kit_write_file(path, buf_span(&third)); /* it had not been removed yet */
    buf_done(&third);
    check_first(last_gone);
    CU_ASSERT_STRING_EQUAL(seal_kit_verify(&kit, NULL).problem, "");
    /* The next process takes it away. */
    kit.settings.is_on = true;
    seal_kit_reopen(&kit, SMALL);
    seal_kit_look(&kit, 0);
    CU_ASSERT(seal_kit_state(&kit).removed >= 1);
    seal_kit_close(&kit);
    CU_ASSERT_EQUAL(access(path, F_OK), -1);
    CU_ASSERT_STRING_EQUAL(seal_kit_verify(&kit, NULL).problem, "");
}

/* Whatever allocation fails: either it went behind its statement, or it is still there. */
static void
test_memory(void)
{
    char folder[32];
    (void)make_old("memory");
    kit.credential = world.blue; /* the quicker key */
    kit.judge.trust = world.plain_trust;
    for (uint64_t n = 0; n < 80; n += unit_torture_is_full() ? 1 : 19) {
        kit.settings.retention.archive[0] = '\0';
        seal_kit_append(&kit, 40);
        (void)snprintf(folder, sizeof(folder), "memory-%llu", (unsigned long long)n);
        seal_kit_look(&kit, 61 * US_PER_S);
        mem_fail_once(n);
        seal_kit_look(&kit, KEEP + DAY_US);
        mem_fail_once(UINT64_MAX); /* switched off */
        CU_ASSERT_FATAL(journal_is_healthy(kit.journal));
    }
    seal_kit_close(&kit);
    CU_ASSERT_STRING_EQUAL(seal_kit_verify(&kit, NULL).problem, "");
}

/* Everything that is signed and removed is hashes of what stands in the files: no key is needed to
 * check it, in the journal or in its archive. */
static void
test_encrypted(void)
{
    struct diag diag = {0};
    struct kit_count count;
    struct journal_key key;
    const struct journal_keys keys = {&key, 1, true};
    char *archive = kit.settings.retention.archive;
    CHECK_OK(&diag, journal_key_read(SPAN("b7e151628aed2a6abf7158809cf4f3c7"
                                          "62e7160f38b4da56a784d9045190cfef"),
                                     &diag, &key));
    seal_kit_open(&kit, "encrypted", SMALL);
    seal_kit_append(&kit, 1); /* the first segment is not */
    seal_kit_close(&kit);
    kit.place.keys = &keys;
    seal_kit_reopen(&kit, SMALL);
    seal_kit_append(&kit, 100);
    kit.settings.retention.keep_us = KEEP;
    (void)snprintf(archive, PATH_MAX, "%s", kit_folder("encrypted-archive"));
    seal_kit_look(&kit, KEEP + DAY_US);
    const struct sealer_state state = seal_kit_state(&kit);
    CU_ASSERT_EQUAL(state.failures, 0);
    CU_ASSERT(state.archived >= 3);
    seal_kit_append(&kit, 5);
    seal_kit_close(&kit);
    kit.place.keys = NULL; /* who verifies has none, and reads nothing */
    const struct seal_report kept = seal_kit_verify(&kit, NULL);
    CU_ASSERT_STRING_EQUAL(kept.problem, "");
    CU_ASSERT(kept.report.first > 1 && kept.report.removed_by > 0);
    CU_ASSERT_EQUAL(verify_archive().segments, state.archived);
    CU_ASSERT_EQUAL(verify_archive().broken, 0);
    CHECK_ERR(&diag, ERR_JOURNAL, kit_count_records(kit.dir, &diag, &count));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "encrypted with key"));
    archive[0] = '\0';
}

static const struct unit_test tests[] = {
    {"(certificates)", test_make_world},
    {"what is young, or not delivered, or not signed for", test_nothing_goes},
    {"what is old", test_old_goes},
    {"delivered in part", test_delivered_in_part},
    {"what is damaged", test_damaged_stays},
    {"an archive", test_archive},
    {"an archive with another's segment", test_archive_exchanged},
    {"an archive that cannot be written", test_archive_fails},
    {"killed in between", test_crash_between},
    {"an encrypted journal", test_encrypted},
    {"without memory", test_memory},
    {"(certificates freed)", test_free_world},
};
UNIT_MAIN("retention", tests)
