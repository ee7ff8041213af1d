/*
 * The next segment's file, made ahead: it is used when it is there, and nothing depends on it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

#define SEGMENT_SIZE 65536
#define SIZES        ((struct journal_sizes){SEGMENT_SIZE, 1024 * 1024, 8192, true})
enum { PADDING = 700, A_SEGMENT = 80 }; /* more records of that size than a segment holds */

struct kept {
    char dir[PATH_MAX];
    char prepared[PATH_MAX];
    struct journal *journal;
    uint64_t records;
};

static void
name_kept(struct kept *kept, const char *name)
{
    char folder[PATH_MAX];
    kit_disk_reset();
    *kept = (struct kept){.records = 0};
    (void)snprintf(kept->dir, sizeof(kept->dir), "%s", kit_folder(name));
    kit_join(folder, kept->dir, "serve");
    kit_join(kept->prepared, folder, SEGMENT_PREPARED);
}

static void
open_kept(struct kept *kept, const char *name, struct journal_sizes sizes)
{
    name_kept(kept, name);
    kept->journal = kit_open(kept->dir, sizes);
}

static void
append(struct kept *kept, size_t n)
{
    struct diag diag = {0};
    for (size_t i = 0; i < n; i++) {
        CHECK_OK(&diag, kit_append_wait(kept->journal, ++kept->records, PADDING, &diag));
    }
}

static bool
is_prepared(struct kept *kept)
{
    (void)pthread_mutex_lock(&kept->journal->mutex);
    const bool is_there = kept->journal->is_prepared;
    (void)pthread_mutex_unlock(&kept->journal->mutex);
    return is_there;
}

static void
wait_until_prepared(struct kept *kept)
{
    for (unsigned looks = 0; !is_prepared(kept) && unit_wait(&looks);) {
    }
    CU_ASSERT(is_prepared(kept));
}

static bool
exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void
close_whole(struct kept *kept)
{
    journal_close(kept->journal);
    CU_ASSERT(!exists(kept->prepared));
    kit_check_whole(kept->dir, kept->records);
}

static ino_t
inode_of(const char *path)
{
    struct stat info = {.st_ino = 0};
    CU_ASSERT_EQUAL(stat(path, &info), 0);
    return info.st_ino;
}

static void
check_zeros(const char *path)
{
    struct buf bytes;
    struct diag diag = {0};
    size_t zeros = 0;
    buf_init(&bytes, 2 * SEGMENT_SIZE);
    CHECK_OK(&diag, buf_read_file(&bytes, path, &diag));
    while (zeros < bytes.n && bytes.p[zeros] == '\0') {
        zeros++;
    }
    CU_ASSERT_EQUAL(zeros, SEGMENT_SIZE);
    buf_done(&bytes);
}

static void
test_becomes_the_next_segment(void)
{
    struct kept kept;
    open_kept(&kept, "next", SIZES);
    append(&kept, 2);
    CU_ASSERT(!exists(kept.prepared)); /* hardly anything is used */
    append(&kept, A_SEGMENT / 4);
    wait_until_prepared(&kept);
    check_zeros(kept.prepared);
    const ino_t prepared = inode_of(kept.prepared);
    append(&kept, A_SEGMENT);
    CU_ASSERT_EQUAL(inode_of(kit_last_segment(kept.dir, "serve")), prepared);
    close_whole(&kept);
}

/* And so on: each is used once. */
static void
test_many_segments(void)
{
    struct kept kept;
    open_kept(&kept, "many", SIZES);
    for (int i = 0; i < 5; i++) {
        append(&kept, A_SEGMENT);
        wait_until_prepared(&kept);
    }
    close_whole(&kept);
}

/* A kill leaves a file that may be anything. */
static void
test_leftover_is_not_used(void)
{
    struct kept kept;
    open_kept(&kept, "leftover", SIZES);
    append(&kept, 1);
    journal_close(kept.journal);
    kit_write_file(kept.prepared, SPAN("what is this?"));
    kept.journal = kit_open(kept.dir, SIZES);
    CU_ASSERT(!exists(kept.prepared));
    append(&kept, 2 * A_SEGMENT);
    close_whole(&kept);
}

/* Nothing can be made there: segments are made as always. */
static void
test_cannot_be_made(void)
{
    struct kept kept;
    char inside[PATH_MAX];
    open_kept(&kept, "blocked", SIZES);
    CU_ASSERT_EQUAL(mkdir(kept.prepared, 0700), 0);
    kit_join(inside, kept.prepared, "file");
    kit_write_file(inside, SPAN("x"));
    append(&kept, 3 * A_SEGMENT);
    CU_ASSERT(!is_prepared(&kept));
    CU_ASSERT_EQUAL(unlink(inside), 0);
    CU_ASSERT_EQUAL(rmdir(kept.prepared), 0);
    close_whole(&kept);
}

/* It was there and somebody took it away: the journal does not guess. */
static void
test_taken_away(void)
{
    struct kept kept;
    struct diag diag = {0};
    open_kept(&kept, "taken", SIZES);
    append(&kept, A_SEGMENT / 4);
    wait_until_prepared(&kept);
    CU_ASSERT_EQUAL(unlink(kept.prepared), 0);
    append(&kept, A_SEGMENT);
    CHECK_OK(&diag, kit_append_wait(kept.journal, ++kept.records, PADDING, &diag));
    close_whole(&kept);
}

/* A record that needs a larger segment than others gets one, and the prepared file waits. */
static void
test_large_record(void)
{
    struct kept kept;
    struct diag diag = {0};
    open_kept(&kept, "large", (struct journal_sizes){4096, 1024 * 1024, 1024, true});
    append(&kept, 2);
    wait_until_prepared(&kept);
    CHECK_OK(&diag, kit_append_wait(kept.journal, ++kept.records, 20000, &diag));
    CU_ASSERT(is_prepared(&kept));
    append(&kept, 2);
    close_whole(&kept);
}

static void
test_small_journals_prepare_nothing(void)
{
    struct kept kept;
    open_kept(&kept, "small", (struct journal_sizes){SEGMENT_SIZE, 1024 * 1024, 8192, false});
    append(&kept, A_SEGMENT / 2);
    CU_ASSERT(!kept.journal->has_preparer);
    close_whole(&kept);
}

static const struct unit_test tests[] = {
    {"it becomes the next segment", test_becomes_the_next_segment},
    {"many segments", test_many_segments},
    {"a leftover is not used", test_leftover_is_not_used},
    {"it cannot be made", test_cannot_be_made},
    {"it was taken away", test_taken_away},
    {"a large record", test_large_record},
    {"small journals prepare nothing", test_small_journals_prepare_nothing},
};

UNIT_MAIN("journal-prepare", tests)
