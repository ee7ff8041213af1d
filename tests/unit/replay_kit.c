/* Replay memories in folders of their own, with a clock that the test moves. One thread, but for
 * replay_kit_remember. */
#include "tests/unit/replay_kit.h"

#include <stdio.h>
#include <sys/stat.h>

struct fake_clock replay_kit_clock;
int64_t replay_kit_step_us;
const uint8_t replay_kit_id[REPLAY_ID_BYTES] = "this memory";

const char *
replay_kit_folder(void)
{
    static char folder[512];
    static int n = 0;

    (void)snprintf(folder, sizeof(folder), "%s/%d.replay", unit_temp_dir(), n++);
    fake_clock_init(&replay_kit_clock, REPLAY_KIT_NOW_US);
    return folder;
}

struct replay_memory *
replay_kit_start(const char *folder, bool is_new, bool want_lost)
{
    struct replay_memory *memory = NULL;
    struct diag diag = {0};
    bool is_lost = !want_lost;

    CHECK_OK(&diag, replay_memory_open(folder, &replay_kit_clock.clock, &diag, &memory));
    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    CHECK_OK(&diag, replay_memory_load(memory, replay_kit_id, is_new, &diag, &is_lost));
    CU_ASSERT_EQUAL(is_lost, want_lost);
    CHECK_OK(&diag, replay_memory_begin(memory, 0, &diag));
    return memory;
}

struct replay_memory *
replay_kit_start_again(struct replay_memory *memory, const char *folder, bool want_lost)
{
    replay_memory_close(memory);
    return replay_kit_start(folder, false, want_lost);
}

struct status
replay_kit_remember(struct replay_memory *memory, const char *partner, uint64_t number,
                    int64_t life_us, size_t keys_max, struct diag *diag, size_t *ret_evicted)
{
    char id[32];
    struct replay_result result = {0};

    (void)snprintf(id, sizeof(id), "%llu", (unsigned long long)number);
    const struct replay_message message = {
        .partner = partner,
        .keys = {{REPLAY_MESSAGE_ID, span_of_cstr(id), replay_kit_clock.wall_us + life_us}},
        .keys_n = 1,
        .created_us = replay_kit_clock.wall_us,
        .keys_max = keys_max};
    const struct status st = replay_memory_remember(memory, &message, diag, &result);

    *ret_evicted = result.evicted;
    return st;
}

void
replay_kit_expect(struct replay_memory *memory, const char *partner, uint64_t number,
                  int64_t life_us, enum err want)
{
    struct diag diag = {0};
    size_t evicted = 0;

    CHECK_ERR(
        &diag, want,
        replay_kit_remember(memory, partner, number, life_us, REPLAY_KIT_MOST, &diag, &evicted));
    CU_ASSERT_EQUAL(evicted, 0);
}

/* <n> messages from <first> on; how many keys they pushed out. */
size_t
replay_kit_fill(struct replay_memory *memory, const char *partner, uint64_t first, uint64_t n,
                int64_t life_us, size_t keys_max)
{
    size_t all = 0, evicted = 0, failures = 0;

    for (uint64_t i = first; i < first + n; i++) {
        struct diag diag = {0};

        failures +=
            is_ok(replay_kit_remember(memory, partner, i, life_us, keys_max, &diag, &evicted)) ? 0
                                                                                               : 1;
        all += evicted;
        fake_clock_advance(&replay_kit_clock, replay_kit_step_us);
    }
    CU_ASSERT_EQUAL(failures, 0);
    return all;
}

const char *
replay_kit_segment(const char *folder, unsigned number)
{
    static char path[700];

    (void)snprintf(path, sizeof(path), "%s/%010u.keys", folder, number);
    return path;
}

off_t
replay_kit_size(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 ? info.st_size : -1;
}
