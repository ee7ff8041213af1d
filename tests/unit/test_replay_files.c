/*
 * The files of the replay memory: what is damaged, missing, somebody else's or has no room is
 * found, and never taken for a memory that is whole.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/replay_kit.h"

/* ---- damage ---- */

static void
flip(const char *path, off_t at)
{
    const int fd = open(path, O_RDWR);
    uint8_t byte = 0;

    CU_ASSERT_FATAL(fd != -1);
    CU_ASSERT_EQUAL(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, at), 1);
    (void)close(fd);
}

enum harm {
    HARM_FLIP,
    HARM_CUT,    /* to this size */
    HARM_APPEND, /* so many bytes */
    HARM_REMOVE
};

static void
harm_file(const char *path, enum harm harm, off_t at)
{
    switch (harm) {
    case HARM_FLIP:
        flip(path, at);
        break;
    case HARM_CUT:
        CU_ASSERT_EQUAL(truncate(path, at), 0);
        break;
    case HARM_APPEND:
        CU_ASSERT_EQUAL(truncate(path, replay_kit_size(path) + at), 0);
        break;
    case HARM_REMOVE:
        CU_ASSERT_EQUAL(unlink(path), 0);
        break;
    }
}

/* Whatever is done to a file is found at the start; what can be read is still known; and the next
 * start finds nothing more. */
static void
damage_is_found(void)
{
    static const struct {
        enum harm harm;
        off_t at;
        enum err third; /* of message 3, of five */
    } rows[] = {
        {HARM_FLIP, 0, ERR_REPLAY},
        {HARM_FLIP, 9, ERR_REPLAY},
        {HARM_FLIP, 24, ERR_REPLAY},
        {HARM_FLIP, 63, ERR_REPLAY},
        {HARM_FLIP, 4 * 64, ERR_NONE},
        {HARM_FLIP, 4 * 64 + 32, ERR_NONE},
        {HARM_FLIP, 4 * 64 + 50, ERR_NONE},
        {HARM_FLIP, 4 * 64 + 57, ERR_NONE},
        {HARM_FLIP, 4 * 64 + 63, ERR_NONE},
        {HARM_FLIP, 64, ERR_REPLAY},
        {HARM_FLIP, 6 * 64 - 1, ERR_REPLAY},
        {HARM_CUT, 6 * 64 - 1, ERR_REPLAY},
        {HARM_CUT, 4 * 64 + 1, ERR_NONE},
        {HARM_CUT, 63, ERR_NONE},
        {HARM_CUT, 0, ERR_NONE},
        {HARM_APPEND, 1, ERR_REPLAY},
        {HARM_APPEND, 64, ERR_REPLAY},
        {HARM_REMOVE, 0, ERR_NONE},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *folder = replay_kit_folder();
        struct replay_memory *memory = replay_kit_start(folder, true, false);

        replay_kit_fill(memory, "blue", 0, 5, US_PER_S, REPLAY_KIT_MOST);
        replay_memory_close(memory);
        CU_ASSERT_EQUAL(replay_kit_size(replay_kit_segment(folder, 1)), 6 * 64);
        harm_file(replay_kit_segment(folder, 1), rows[i].harm, rows[i].at);
        memory = replay_kit_start(folder, false, true);
        if (rows[i].harm != HARM_REMOVE) {
            CU_ASSERT_EQUAL(replay_kit_size(replay_kit_segment(folder, 1)), -1); /* written anew */
        }
        memory = replay_kit_start_again(memory, folder, false);
        replay_kit_expect(memory, "blue", 3, US_PER_S, rows[i].third);
        replay_kit_expect(memory, "blue", 3, US_PER_S, ERR_REPLAY);
        replay_memory_close(memory);
    }
}

/* A record that was copied over another is one that nobody wrote there. */
static void
a_moved_record_is_damage(void)
{
    const char *folder = replay_kit_folder();
    struct replay_memory *memory = replay_kit_start(folder, true, false);
    uint8_t record[64];

    replay_kit_fill(memory, "blue", 0, 5, US_PER_S, REPLAY_KIT_MOST);
    replay_memory_close(memory);
    const int fd = open(replay_kit_segment(folder, 1), O_RDWR);

    CU_ASSERT_EQUAL(pread(fd, record, sizeof(record), 64), 64);
    CU_ASSERT_EQUAL(pwrite(fd, record, sizeof(record), 3 * 64), 64);
    (void)close(fd);
    memory = replay_kit_start(folder, false, true);
    replay_kit_expect(memory, "blue", 1, US_PER_S, ERR_REPLAY);
    replay_kit_expect(memory, "blue", 2, US_PER_S, ERR_NONE);
    replay_memory_close(memory);
}

/* Files of another memory are no memory of ours, also where we have none yet. */
static void
foreign_files_are_lost(void)
{
    const uint8_t other[REPLAY_ID_BYTES] = "another";
    const char *folder = replay_kit_folder();
    struct replay_memory *memory = replay_kit_start(folder, true, false);
    struct diag diag = {0};
    bool is_lost = false;

    replay_kit_fill(memory, "blue", 0, 5, US_PER_S, REPLAY_KIT_MOST);
    replay_memory_close(memory);
    memory = NULL;
    CHECK_OK(&diag, replay_memory_open(folder, &replay_kit_clock.clock, &diag, &memory));
    CHECK_OK(&diag, replay_memory_load(memory, other, true, &diag, &is_lost));
    CU_ASSERT(is_lost);
    CHECK_OK(&diag, replay_memory_begin(memory, 0, &diag));
    CU_ASSERT_EQUAL(replay_memory_count(memory).keys, 0);
    replay_memory_close(memory);
}

/* One that is not the youngest and not full has lost its end. */
static void
a_short_segment_is_damage(void)
{
    const char *folder = replay_kit_folder();
    struct replay_memory *memory = replay_kit_start(folder, true, false);

    replay_kit_fill(memory, "blue", 0, REPLAY_SEGMENT_RECORDS + 5, US_PER_S, REPLAY_KIT_MOST);
    CU_ASSERT_EQUAL(replay_memory_count(memory).segments, 2);
    memory = replay_kit_start_again(memory, folder, false);
    replay_memory_close(memory);
    harm_file(replay_kit_segment(folder, 1), HARM_CUT,
              replay_kit_size(replay_kit_segment(folder, 1)) - 64 * 3);
    memory = replay_kit_start(folder, false, true);
    CU_ASSERT_EQUAL(replay_memory_count(memory).keys, REPLAY_SEGMENT_RECORDS + 2);
    replay_kit_expect(memory, "blue", 7, US_PER_S, ERR_REPLAY);
    memory = replay_kit_start_again(memory, folder, false);
    replay_kit_expect(memory, "blue", 8, US_PER_S, ERR_REPLAY);
    replay_memory_close(memory);
}

/* ---- the disk says no ---- */

static void
limit_files(rlim_t bytes, struct rlimit *ret_before)
{
    struct rlimit limit;

    (void)signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &limit), 0);
    *ret_before = limit;
    limit.rlim_cur = bytes;
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Half of a record goes into the file, and must not stay; its key is not known either. */
static void
no_room_on_disk(void)
{
    const char *folder = replay_kit_folder();
    struct replay_memory *memory = replay_kit_start(folder, true, false);
    struct rlimit before;

    replay_kit_fill(memory, "blue", 0, 5, US_PER_S, REPLAY_KIT_MOST);
    limit_files(6 * 64 + 30, &before);
    replay_kit_expect(memory, "blue", 5, US_PER_S, ERR_STORE);
    replay_kit_expect(memory, "blue", 5, US_PER_S, ERR_STORE);
    replay_kit_expect(memory, "blue", 4, US_PER_S,
                      ERR_REPLAY); /* what is known is refused as before */
    CU_ASSERT_EQUAL(replay_kit_size(replay_kit_segment(folder, 1)), 6 * 64);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &before), 0);
    replay_kit_expect(memory, "blue", 5, US_PER_S, ERR_NONE);
    memory = replay_kit_start_again(memory, folder, false);
    replay_kit_expect(memory, "blue", 5, US_PER_S, ERR_REPLAY);
    replay_kit_expect(memory, "blue", 6, US_PER_S, ERR_NONE);
    replay_memory_close(memory);
}

/* No room for a new segment: refused, and tried again with the next message. */
static void
no_room_for_a_segment(void)
{
    const char *folder = replay_kit_folder();
    struct replay_memory *memory = replay_kit_start(folder, true, false);
    struct rlimit before;

    replay_kit_fill(memory, "blue", 0, REPLAY_SEGMENT_RECORDS, US_PER_S, REPLAY_KIT_MOST);
    limit_files(10, &before);
    replay_kit_expect(memory, "blue", REPLAY_SEGMENT_RECORDS, US_PER_S, ERR_STORE);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &before), 0);
    CU_ASSERT_EQUAL(replay_memory_count(memory).segments, 1);
    replay_kit_expect(memory, "blue", REPLAY_SEGMENT_RECORDS, US_PER_S, ERR_NONE);
    memory = replay_kit_start_again(memory, folder, false);
    replay_kit_expect(memory, "blue", REPLAY_SEGMENT_RECORDS, US_PER_S, ERR_REPLAY);
    replay_memory_close(memory);
}

/* The youngest segment's descriptor can no longer write: neither append nor take back. */
static void
make_read_only(const char *path)
{
    char link[64], name[600];
    const int read_only = open(path, O_RDONLY);

    CU_ASSERT_FATAL(read_only != -1);
    for (int fd = 3; fd < read_only; fd++) {
        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        const ssize_t n = readlink(link, name, sizeof(name) - 1);

        name[n < 0 ? 0 : n] = '\0';
        if (strcmp(name, path) == 0) {
            CU_ASSERT_EQUAL(dup2(read_only, fd), fd);
        }
    }
    (void)close(read_only);
}

static void
what_cannot_be_taken_back_stops_it(void)
{
    char *folder = realpath(unit_temp_dir(), NULL);
    char path[600];
    struct diag diag = {0};
    size_t evicted = 0;

    fake_clock_init(&replay_kit_clock, REPLAY_KIT_NOW_US);
    (void)snprintf(path, sizeof(path), "%s/broken.replay", folder);
    free(folder);
    struct replay_memory *memory = replay_kit_start(path, true, false);

    replay_kit_fill(memory, "blue", 0, 5, US_PER_S, REPLAY_KIT_MOST);
    make_read_only(replay_kit_segment(path, 1));
    replay_kit_expect(memory, "blue", 5, US_PER_S, ERR_STORE);
    CHECK_ERR(&diag, ERR_STORE,
              replay_kit_remember(memory, "blue", 6, US_PER_S, REPLAY_KIT_MOST, &diag, &evicted));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "until the node starts anew"));
    replay_kit_expect(memory, "blue", 4, US_PER_S, ERR_REPLAY);
    memory = replay_kit_start_again(memory, path, false);
    replay_kit_expect(memory, "blue", 6, US_PER_S, ERR_NONE);
    replay_memory_close(memory);
}

/* ---- one node ---- */

static void
a_second_node_is_refused(void)
{
    const char *folder = replay_kit_folder();
    struct replay_memory *memory = replay_kit_start(folder, true, false), *second = NULL;
    struct diag diag = {0};
    char pid[32];

    (void)snprintf(pid, sizeof(pid), "(pid %ld)", (long)getpid());
    CHECK_ERR(&diag, ERR_STORE,
              replay_memory_open(folder, &replay_kit_clock.clock, &diag, &second));
    CU_ASSERT_PTR_NULL(second);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, pid));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "another node"));
    replay_kit_expect(memory, "blue", 1, US_PER_S, ERR_NONE);
    memory = replay_kit_start_again(memory, folder, false); /* whose lock is gone with it */
    replay_memory_close(memory);
}

static void
files_are_the_owners_alone(void)
{
    const char *folder = replay_kit_folder();
    struct stat info;
    char lock[600];

    replay_memory_close(replay_kit_start(folder, true, false));
    CU_ASSERT_EQUAL(stat(folder, &info), 0);
    CU_ASSERT_EQUAL(info.st_mode & 0777, 0700);
    CU_ASSERT_EQUAL(stat(replay_kit_segment(folder, 1), &info), 0);
    CU_ASSERT_EQUAL(info.st_mode & 0777, 0600);
    (void)snprintf(lock, sizeof(lock), "%s/lock", folder);
    CU_ASSERT_EQUAL(stat(lock, &info), 0);
    CU_ASSERT_EQUAL(info.st_mode & 0777, 0600);
}

static const struct unit_test tests[] = {
    {"damage is found", damage_is_found},
    {"a moved record is damage", a_moved_record_is_damage},
    {"foreign files are lost", foreign_files_are_lost},
    {"a short segment is damage", a_short_segment_is_damage},
    {"no room on disk", no_room_on_disk},
    {"no room for a segment", no_room_for_a_segment},
    {"what cannot be taken back stops it", what_cannot_be_taken_back_stops_it},
    {"a second node is refused", a_second_node_is_refused},
    {"files are the owner's alone", files_are_the_owners_alone},
};

UNIT_MAIN("replay_files", tests)
