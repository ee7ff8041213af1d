/*
 * The replay memory on real files: nothing comes twice, whoever races and whatever ends in between;
 * and its costs stay bounded.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/replay_kit.h"

/* ---- bounds ---- */

static long
resident_kb(void)
{
    long pages = 0, unused = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file != NULL) {
        (void)!fscanf(file, "%ld %ld", &unused, &pages);
        (void)fclose(file);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* A million keys of one partner: others keep theirs, and memory and files stay what the limit
 * makes them. */
static void
a_flood_is_bounded(void)
{
    const uint64_t n = 1000000;
    const size_t most = 100000;
    const char *folder = replay_kit_folder();
    struct replay_memory *memory = replay_kit_start(folder, true, false);
    struct replay_memory_counts counts;

    replay_kit_expect(memory, "green", 0, 60 * US_PER_S, ERR_NONE);
    const long before_kb = resident_kb();

    replay_kit_step_us = 1;
    CU_ASSERT_EQUAL(replay_kit_fill(memory, "blue", 0, n, 60 * US_PER_S, most), n - most);
    replay_kit_step_us = 0;
    counts = replay_memory_count(memory);
    CU_ASSERT_EQUAL(counts.keys, most + 1);
    CU_ASSERT(counts.records < 3 * most + 2 * REPLAY_SEGMENT_RECORDS);
    if (unit_is_memory_plain()) {
        CU_ASSERT(resident_kb() - before_kb < 9 * 1024); /* 68 bytes a key, and some */
    }
    replay_kit_expect(memory, "green", 0, US_PER_S, ERR_REPLAY);
    replay_kit_expect(memory, "blue", n - 1, US_PER_S, ERR_REPLAY);
    replay_kit_expect(memory, "blue", n - most, US_PER_S, ERR_REPLAY);
    memory = replay_kit_start_again(memory, folder, false);
    CU_ASSERT(replay_memory_count(memory).keys <= counts.records);
    replay_kit_expect(memory, "green", 0, US_PER_S, ERR_REPLAY);
    replay_kit_expect(memory, "blue", n - most, US_PER_S, ERR_REPLAY);
    replay_memory_close(memory);
}

/* A limit that is lower than what is there takes effect bit by bit. */
static void
a_lowered_limit_takes_effect(void)
{
    struct replay_memory *memory = replay_kit_start(replay_kit_folder(), true, false);
    struct diag diag = {0};
    size_t evicted = 0;

    replay_kit_fill(memory, "blue", 0, 200, US_PER_S, REPLAY_KIT_MOST);
    for (uint64_t i = 0; i < 5; i++) {
        static const size_t want[] = {64, 64, 64, 2, 1};

        CHECK_OK(&diag,
                 replay_kit_remember(memory, "blue", 300 + i, US_PER_S, 10, &diag, &evicted));
        CU_ASSERT_EQUAL(evicted, want[i]);
    }
    CU_ASSERT_EQUAL(replay_memory_count(memory).keys, 10);
    replay_memory_close(memory);
}

/* What has expired goes with its segments, and a restart does not bring it back. */
static void
segments_go_with_their_keys(void)
{
    const char *folder = replay_kit_folder();
    struct replay_memory *memory = replay_kit_start(folder, true, false);
    const uint64_t n = 3 * (uint64_t)REPLAY_SEGMENT_RECORDS;

    replay_kit_fill(memory, "blue", 0, n + 10, 60 * US_PER_S, REPLAY_KIT_MOST);
    CU_ASSERT_EQUAL(replay_memory_count(memory).segments, 4);
    fake_clock_advance(&replay_kit_clock, 60 * US_PER_S);
    replay_kit_fill(memory, "green", 0, 10, 60 * US_PER_S, REPLAY_KIT_MOST);
    CU_ASSERT_EQUAL(replay_memory_count(memory).keys, n + 20 - 640); /* 64 a call */
    replay_kit_fill(memory, "green", 10, n / 64 + 10, 60 * US_PER_S, REPLAY_KIT_MOST);
    CU_ASSERT_EQUAL(replay_memory_count(memory).keys, n / 64 + 20);
    CU_ASSERT_EQUAL(replay_memory_count(memory).segments, 1);
    CU_ASSERT_EQUAL(replay_kit_size(replay_kit_segment(folder, 1)), -1);
    CU_ASSERT(replay_kit_size(replay_kit_segment(folder, 4)) > 0);
    memory = replay_kit_start_again(memory, folder, false);
    CU_ASSERT_EQUAL(replay_memory_count(memory).keys, n / 64 + 20);
    replay_kit_expect(memory, "green", 5, US_PER_S, ERR_REPLAY);
    replay_kit_expect(memory, "blue", 5, US_PER_S, ERR_NONE);
    replay_memory_close(memory);
}

/* A few keys that live long are in every segment: they are written anew, so that those go. */
static void
long_lives_do_not_keep_files(void)
{
    const char *folder = replay_kit_folder();
    struct replay_memory *memory = replay_kit_start(folder, true, false);
    const uint64_t rounds = 12, n = REPLAY_SEGMENT_RECORDS;
    struct replay_memory_counts counts;

    for (uint64_t i = 0; i < rounds; i++) {
        replay_kit_fill(memory, "green", 100 * i, 100, 9000 * US_PER_S, REPLAY_KIT_MOST);
        replay_kit_fill(memory, "blue", i * n, n - 100, 5 * US_PER_S, REPLAY_KIT_MOST);
        fake_clock_advance(&replay_kit_clock, 10 * US_PER_S);
        counts = replay_memory_count(memory);
        CU_ASSERT(counts.records <= 3 * counts.keys + 3 * REPLAY_SEGMENT_RECORDS);
    }
    CU_ASSERT(counts.segments <= 5);
    CU_ASSERT_EQUAL(replay_kit_size(replay_kit_segment(folder, 1)), -1);
    CU_ASSERT_EQUAL(replay_kit_size(replay_kit_segment(folder, 2)), -1);
    memory = replay_kit_start_again(memory, folder, false);
    for (uint64_t i = 0; i < rounds * 100; i += 33) {
        replay_kit_expect(memory, "green", i, 9000 * US_PER_S, ERR_REPLAY);
    }
    replay_memory_close(memory);
}

/* ---- ends and threads ---- */

/* The child accepts messages until it is killed, and says each that it has accepted. */
static void
accept_until_killed(const char *folder, int to)
{
    struct replay_memory *memory = replay_kit_start(folder, false, false);
    struct diag diag = {0};
    size_t evicted = 0;

    for (uint32_t i = 0;; i++) {
        if (!is_ok(replay_kit_remember(memory, "blue", i, 60 * US_PER_S, REPLAY_KIT_MOST, &diag,
                                       &evicted)) ||
            write(to, &i, sizeof(i)) != sizeof(i)) {
            _exit(1);
        }
    }
}

static void
what_was_accepted_survives_a_kill(void)
{
    const char *folder = replay_kit_folder();
    struct replay_memory *memory = replay_kit_start(folder, true, false);
    uint32_t last = 0;
    int said[2];

    replay_memory_close(memory);
    CU_ASSERT_FATAL(pipe(said) == 0);
    const pid_t child = fork();

    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        (void)close(said[0]);
        accept_until_killed(folder, said[1]);
    }
    (void)close(said[1]);
    while (last < 20000 && read(said[0], &last, sizeof(last)) == sizeof(last)) {
    }
    CU_ASSERT_EQUAL(kill(child, SIGKILL), 0);
    CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
    while (read(said[0], &last, sizeof(last)) == sizeof(last)) {
    }
    (void)close(said[0]);
    CU_ASSERT(last >= 20000);
    memory = replay_kit_start(folder, false, false);
    for (uint32_t i = 0; i <= last; i += 7) {
        replay_kit_expect(memory, "blue", i, 60 * US_PER_S, ERR_REPLAY);
    }
    replay_kit_expect(memory, "blue", last, 60 * US_PER_S, ERR_REPLAY);
    replay_memory_close(memory);
}

#define THREADS  4
#define MESSAGES 30000 /* more than one thread remembers before the others have begun */

struct racer {
    pthread_t thread;
    pthread_barrier_t *start;
    struct replay_memory *memory;
    size_t accepted, refused;
};

static void *
race(void *arg)
{
    struct racer *racer = arg;

    (void)pthread_barrier_wait(racer->start);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        struct diag diag = {0};
        size_t evicted = 0;
        const struct status st = replay_kit_remember(racer->memory, "blue", i, 60 * US_PER_S,
                                                     REPLAY_KIT_MOST, &diag, &evicted);

        racer->accepted += is_ok(st) ? 1 : 0;
        racer->refused += st.code == ERR_REPLAY ? 1 : 0;
    }
    return NULL;
}

static void
of_racing_copies_one_passes(void)
{
    struct replay_memory *memory = replay_kit_start(replay_kit_folder(), true, false);
    struct racer racers[THREADS] = {0};
    size_t accepted = 0, refused = 0;
    pthread_barrier_t start;

    CU_ASSERT_EQUAL_FATAL(pthread_barrier_init(&start, NULL, THREADS), 0);
    (void)alarm(UNIT_PATIENCE_S); /* a table that a race has spoilt may have no end */
    for (size_t i = 0; i < THREADS; i++) {
        racers[i].start = &start;
        racers[i].memory = memory;
        CU_ASSERT_FATAL(pthread_create(&racers[i].thread, NULL, race, &racers[i]) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(pthread_join(racers[i].thread, NULL), 0);
        accepted += racers[i].accepted;
        refused += racers[i].refused;
    }
    (void)alarm(0);
    CU_ASSERT_EQUAL(accepted, MESSAGES);
    CU_ASSERT_EQUAL(refused, (size_t)MESSAGES * (THREADS - 1));
    CU_ASSERT_EQUAL(replay_memory_count(memory).keys, MESSAGES);
    CU_ASSERT_EQUAL(pthread_barrier_destroy(&start), 0);
    replay_memory_close(memory);
}

static struct status
live_once(struct diag *diag)
{
    const char *folder = replay_kit_folder();
    struct replay_memory *memory = NULL;
    bool is_lost = false;
    size_t evicted = 0;

    TRY(replay_memory_open(folder, &replay_kit_clock.clock, diag, &memory));
    struct status st = replay_memory_load(memory, replay_kit_id, true, diag, &is_lost);

    if (is_ok(st)) {
        st = replay_memory_begin(memory, 0, diag);
    }
    if (is_ok(st)) {
        st = replay_kit_remember(memory, "blue", 1, US_PER_S, REPLAY_KIT_MOST, diag, &evicted);
    }
    replay_memory_close(memory);
    return st;
}

static void
no_memory_is_survived(void)
{
    unit_torture(live_once);
}

static const struct unit_test tests[] = {
    {"a flood is bounded", a_flood_is_bounded},
    {"a lowered limit takes effect", a_lowered_limit_takes_effect},
    {"segments go with their keys", segments_go_with_their_keys},
    {"long lives do not keep files", long_lives_do_not_keep_files},
    {"what was accepted survives a kill", what_was_accepted_survives_a_kill},
    {"of racing copies one passes", of_racing_copies_one_passes},
    {"no memory is survived", no_memory_is_survived},
};

UNIT_MAIN("replay_memory", tests)
