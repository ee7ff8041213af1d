/*
 * The replay memory's table against a plain list that does the same slowly: what is found, what
 * goes first, whose; and that each key that goes is told once.
 */
#include "store/replay_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/unit/unit.h"

#define PLACES 8

/* How many keys are in each place, as the calls of <gone> have it. */
static int64_t in_place[PLACES];

static void
count_gone(void *arg, uint32_t place)
{
    (void)arg;
    in_place[place]--;
}

static struct replay_table *
make_table(void)
{
    struct replay_table *table = NULL;
    struct diag diag = {0};

    memset(in_place, 0, sizeof(in_place));
    CHECK_OK(&diag, replay_table_new(count_gone, NULL, &diag, &table));
    CU_ASSERT_PTR_NOT_NULL_FATAL(table);
    return table;
}

static uint32_t
owner_of(struct replay_table *table, uint8_t name)
{
    const uint8_t id[REPLAY_OWNER_BYTES] = {name};
    struct diag diag = {0};
    uint32_t owner = UINT32_MAX;

    CHECK_OK(&diag, replay_table_owner(table, id, &diag, &owner));
    return owner;
}

/* The digests begin alike: only the buckets' secret takes the keys apart. */
static void
digest_of(uint32_t number, uint8_t ret_digest[SHA256_BYTES])
{
    memset(ret_digest, 7, SHA256_BYTES);
    memcpy(ret_digest + 8, &number, sizeof(number));
}

static void
put(struct replay_table *table, uint32_t owner, uint32_t number, int64_t until_us, uint32_t place)
{
    uint8_t digest[SHA256_BYTES];
    struct diag diag = {0};

    digest_of(number, digest);
    if (!is_ok(replay_table_reserve(table, 1, &diag))) {
        CU_FAIL_FATAL("no room");
    }
    replay_table_put(table, owner, digest, until_us, place);
    in_place[place]++;
}

/* -1: not there. */
static int64_t
until(const struct replay_table *table, uint32_t owner, uint32_t number)
{
    uint8_t digest[SHA256_BYTES];
    int64_t until_us = -1;

    digest_of(number, digest);
    (void)replay_table_find(table, owner, digest, &until_us);
    return until_us;
}

static void
what_expires_first_goes_first(void)
{
    struct replay_table *table = make_table();
    const uint32_t blue = owner_of(table, 1), green = owner_of(table, 2);

    for (uint32_t i = 0; i < 100; i++) {
        put(table, blue, i, 1000 + (i * 37) % 100, 1);
        put(table, green, i, 1, 2);
    }
    CU_ASSERT_EQUAL(replay_table_evict(table, blue, 0, 60), 60);
    for (uint32_t i = 0; i < 100; i++) {
        const int64_t us = 1000 + (i * 37) % 100;

        CU_ASSERT_EQUAL(until(table, blue, i), us < 1060 ? -1 : us);
        CU_ASSERT_EQUAL(until(table, green, i), 1); /* nobody else's */
    }
    CU_ASSERT_EQUAL(replay_table_owner_count(table, blue), 40);
    CU_ASSERT_EQUAL(replay_table_owner_count(table, green), 100);
    CU_ASSERT_EQUAL(replay_table_evict(table, blue, 1079, 30), 10); /* 20 had expired */
    CU_ASSERT_EQUAL(replay_table_evict(table, blue, 0, 30), 10);    /* there are no more */
    CU_ASSERT_EQUAL(in_place[1], 0);
    CU_ASSERT_EQUAL(in_place[2], 100);
    replay_table_free(table);
}

static void
expired_keys_go_in_turns(void)
{
    struct replay_table *table = make_table();
    const uint32_t blue = owner_of(table, 1), green = owner_of(table, 2);

    for (uint32_t i = 0; i < 50; i++) {
        put(table, blue, i, 10, 1);
        put(table, green, i, i < 25 ? 10 : 11, 1);
    }
    replay_table_forget(table, 9, 1000);
    CU_ASSERT_EQUAL(replay_table_count(table), 100);
    replay_table_forget(table, 10, 30);
    CU_ASSERT_EQUAL(replay_table_count(table), 70);
    replay_table_forget(table, 10, 30);
    CU_ASSERT_EQUAL(replay_table_count(table), 40);
    replay_table_forget(table, 10, 30);
    CU_ASSERT_EQUAL(replay_table_count(table), 25); /* those that have not expired */
    CU_ASSERT_EQUAL(replay_table_owner_count(table, green), 25);
    replay_table_free(table);
}

/* A key that has expired and comes again: its old entry goes without it. */
static void
a_replaced_key_stays(void)
{
    struct replay_table *table = make_table();
    const uint32_t blue = owner_of(table, 1);

    put(table, blue, 1, 10, 1);
    put(table, blue, 2, 20, 1);
    put(table, blue, 1, 30, 2);
    CU_ASSERT_EQUAL(replay_table_count(table), 2);
    CU_ASSERT_EQUAL(in_place[1], 1);
    CU_ASSERT_EQUAL(in_place[2], 1);
    CU_ASSERT_EQUAL(until(table, blue, 1), 30);
    replay_table_forget(table, 10, 10);
    CU_ASSERT_EQUAL(until(table, blue, 1), 30);
    CU_ASSERT_EQUAL(replay_table_evict(table, blue, 0, 1), 1); /* the next to expire: 2 */
    CU_ASSERT_EQUAL(until(table, blue, 1), 30);
    CU_ASSERT_EQUAL(until(table, blue, 2), -1);
    replay_table_free(table);
}

/* ---- against a list ---- */

#define KEYS   3000
#define OWNERS 5
#define STEPS  60000

static void
check_all(const struct replay_table *table, const uint32_t owners[OWNERS], int64_t (*list)[KEYS],
          int64_t now_us)
{
    size_t keys = 0;

    for (size_t o = 0; o < OWNERS; o++) {
        for (uint32_t i = 0; i < KEYS; i++) {
            const int64_t us = until(table, owners[o], i);

            CU_ASSERT(us == list[o][i] || (us == -1 && list[o][i] <= now_us));
            keys += us != -1 ? 1 : 0;
        }
    }
    CU_ASSERT_EQUAL(replay_table_count(table), keys);
    CU_ASSERT_EQUAL(in_place[1] + in_place[2] + in_place[3], (int64_t)keys);
}

/* The owner's key that expires first goes from the list. */
static void
evict_from_list(int64_t list[KEYS], const struct replay_table *table, uint32_t owner)
{
    uint32_t first = KEYS;

    for (uint32_t i = 0; i < KEYS; i++) {
        if (list[i] != -1 && until(table, owner, i) == -1) {
            CU_ASSERT_EQUAL(first, KEYS); /* one went */
            first = i;
        }
    }
    CU_ASSERT_NOT_EQUAL_FATAL(first, KEYS);
    for (uint32_t i = 0; i < KEYS; i++) {
        CU_ASSERT(list[i] == -1 || list[i] >= list[first]);
    }
    list[first] = -1;
}

static void
it_does_as_a_list_does(void)
{
    static int64_t list[OWNERS][KEYS];
    struct replay_table *table = make_table();
    uint32_t owners[OWNERS];
    unsigned seed = 1;
    int64_t now_us = 0;

    for (size_t o = 0; o < OWNERS; o++) {
        owners[o] = owner_of(table, (uint8_t)(200 - 30 * o));
        for (size_t i = 0; i < KEYS; i++) {
            list[o][i] = -1;
        }
    }
    for (int step = 0; step < STEPS; step++) {
        const size_t o = (size_t)rand_r(&seed) % OWNERS;
        const uint32_t i = (uint32_t)rand_r(&seed) % KEYS;

        list[o][i] = now_us + 1 + rand_r(&seed) % 20000;
        put(table, owners[o], i, list[o][i], 1 + (uint32_t)step % 3);
        now_us++;
        replay_table_forget(table, now_us, 4);
        if (step % 500 == 0 && replay_table_owner_count(table, owners[o]) > 0) {
            replay_table_forget(table, now_us, SIZE_MAX);
            for (size_t n = 0; n < OWNERS * KEYS; n++) {
                int64_t *us = &list[n / KEYS][n % KEYS];

                *us = *us <= now_us ? -1 : *us;
            }
            CU_ASSERT_EQUAL(replay_table_evict(table, owners[o], now_us, 1), 1);
            evict_from_list(list[o], table, owners[o]);
        }
        if (step % 10000 == 0) {
            check_all(table, owners, list, now_us);
        }
    }
    check_all(table, owners, list, now_us);
    for (size_t o = 0; o < OWNERS; o++) {
        CU_ASSERT_EQUAL(owner_of(table, (uint8_t)(200 - 30 * o)), owners[o]);
    }
    replay_table_free(table);
}

/* ---- walking ---- */

static void
a_walk_finds_what_is_old(void)
{
    struct replay_table *table = make_table();
    const uint32_t blue = owner_of(table, 1);
    struct replay_seen seen;
    uint32_t cursor = 0;
    size_t steps = 0, found = 0, rounds = 0;

    for (uint32_t i = 0; i < 3000; i++) {
        put(table, blue, i, 1000 + i, 1 + i % 3);
    }
    CU_ASSERT_EQUAL(replay_table_evict(table, blue, 0, 300), 300);
    do {
        for (steps = 64; replay_table_next(table, 2, &cursor, &steps, &seen); found++) {
            CU_ASSERT((seen.until_us - 1000) % 3 != 2);
            CU_ASSERT_EQUAL(until(table, blue, (uint32_t)(seen.until_us - 1000)), seen.until_us);
            replay_table_move(table, seen.slot, 4);
            in_place[4]++;
        }
        rounds++;
    } while (steps == 0);
    CU_ASSERT_EQUAL(found, 1800);
    CU_ASSERT_EQUAL(rounds, 3000 / 64 + 1);
    CU_ASSERT_EQUAL(in_place[1], 0);
    CU_ASSERT_EQUAL(in_place[2], 0);
    CU_ASSERT_EQUAL(in_place[3], 900);
    CU_ASSERT_EQUAL(replay_table_evict(table, blue, 0, 3000), 2700);
    CU_ASSERT_EQUAL(in_place[3], 0);
    CU_ASSERT_EQUAL(in_place[4], 0);
    replay_table_free(table);
}

static struct status
fill(struct diag *diag)
{
    struct replay_table *table = NULL;
    const uint8_t id[REPLAY_OWNER_BYTES] = {0};
    uint32_t owner = 0;

    TRY(replay_table_new(count_gone, NULL, diag, &table));
    struct status st = replay_table_owner(table, id, diag, &owner);

    if (is_ok(st)) {
        st = replay_table_reserve(table, 40000, diag);
    }
    replay_table_free(table);
    return st;
}

static void
no_memory_is_survived(void)
{
    unit_torture(fill);
}

static const struct unit_test tests[] = {
    {"what expires first goes first", what_expires_first_goes_first},
    {"expired keys go in turns", expired_keys_go_in_turns},
    {"a replaced key stays", a_replaced_key_stays},
    {"it does as a list does", it_does_as_a_list_does},
    {"a walk finds what is old", a_walk_finds_what_is_old},
    {"no memory is survived", no_memory_is_survived},
};

UNIT_MAIN("replay_table", tests)
