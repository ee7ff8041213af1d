/* The arena: limits, failures at every allocation, order of cleanups, alignment. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "tests/unit/unit.h"

struct number_list {
    int *items;
    size_t n, capacity;
};

static char order[16];
static size_t order_n;

static void
note(void *object)
{
    order[order_n++] = *(const char *)object;
}

static void
test_limit(void)
{
    static const struct {
        size_t limit, n;
        enum err want;
    } cases[] = {
        {0, 0, ERR_LIMIT_ARENA},
        {0, 1, ERR_LIMIT_ARENA},
        {1000, 1001, ERR_LIMIT_ARENA},
        {100000, 100001, ERR_LIMIT_ARENA}, /* a big object counts too */
        {100000, SIZE_MAX, ERR_LIMIT_ARENA},
        {100000, SIZE_MAX - 8, ERR_LIMIT_ARENA},
        {1024, 1024, ERR_NONE},
        {102400, 102400, ERR_NONE},
        {1024, 0, ERR_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct diag diag;
        void *memory = NULL;
        diag_clear(&diag);
        struct arena *arena = arena_new(cases[i].limit);
        CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
        CHECK_ERR(&diag, cases[i].want, arena_alloc(arena, cases[i].n, &diag, &memory));
        CU_ASSERT_EQUAL(memory == NULL, cases[i].want != ERR_NONE);
        CU_ASSERT(arena_used(arena) <= cases[i].limit);
        arena_free(arena);
    }
}

static void
test_limit_of_many(void)
{
    struct diag diag;
    void *memory = NULL;
    diag_clear(&diag);
    struct arena *arena = arena_new(1024 * 1024);
    struct status st = OK;
    size_t n = 0;
    while (is_ok(st) && n < 100000) {
        st = arena_alloc(arena, 100, &diag, &memory);
        n += is_ok(st);
    }
    CHECK_ERR(&diag, ERR_LIMIT_ARENA, st);
    CU_ASSERT_EQUAL(n, 1024 * 1024 / 112); /* what is counted is rounded to the alignment */
    CU_ASSERT_EQUAL(arena_used(arena), n * 112);
    arena_free(arena);
}

static void
test_arrays_refused(void)
{
    struct diag diag;
    void *memory = NULL;
    diag_clear(&diag);
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    CHECK_ERR(&diag, ERR_LIMIT_ARENA, arena_alloc_array(arena, SIZE_MAX, 2, &diag, &memory));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_LIMIT_ARENA,
              arena_alloc_array(arena, SIZE_MAX / 2 + 2, 2, &diag, &memory));
    diag_clear(&diag);
    struct span copy = SPAN("old");
    CHECK_ERR(&diag, ERR_LIMIT_ARENA, arena_dup(arena, span_of("x", SIZE_MAX), &diag, &copy));
    CHECK_SPAN(copy, "old");
    CU_ASSERT_PTR_NULL(memory);
    arena_free(arena);
    arena_free(NULL);
}

/* Sizes around the borders of chunks and of big objects: zeroed, aligned, none overlaps another. */
static void
test_sizes(void)
{
    static const size_t sizes[] = {1, 15, 16, 17, 8191, 8192, 8193, 65535, 65536, 65537, 3, 60000};
    enum { ROUNDS = 8 };
    struct diag diag;
    unsigned char *objects[ROUNDS * ARRAY_LEN(sizes)];
    diag_clear(&diag);
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        const size_t n = sizes[i % ARRAY_LEN(sizes)];
        void *memory = NULL;
        CHECK_OK(&diag, arena_alloc(arena, n, &diag, &memory));
        objects[i] = memory;
        CU_ASSERT_EQUAL((uintptr_t)memory % _Alignof(max_align_t), 0);
        CU_ASSERT(objects[i][0] == 0 && memcmp(objects[i], objects[i] + 1, n - 1) == 0);
        memset(memory, (int)(i + 1), n);
    }
    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        const size_t n = sizes[i % ARRAY_LEN(sizes)];
        CU_ASSERT(objects[i][0] == i + 1 && objects[i][n - 1] == i + 1);
    }
    arena_free(arena);
}

static void
defer_more(void *object)
{
    struct arena *arena = object;
    struct diag diag;
    diag_clear(&diag);
    order[order_n++] = 'm';
    CHECK_OK(&diag, arena_defer(arena, note, "n", &diag));
}

static void
test_cleanups(void)
{
    struct diag diag;
    diag_clear(&diag);
    order_n = 0;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    CHECK_OK(&diag, arena_defer(arena, note, "a", &diag));
    CHECK_OK(&diag, arena_defer(arena, defer_more, arena, &diag));
    CHECK_OK(&diag, arena_defer(arena, note, "c", &diag));
    CU_ASSERT_EQUAL(order_n, 0);
    arena_free(arena);
    CHECK_SPAN(span_of(order, order_n), "cmna");
    /* what cannot be noted is released at once */
    order_n = 0;
    arena = arena_new(8);
    CHECK_ERR(&diag, ERR_LIMIT_ARENA, arena_defer(arena, note, "x", &diag));
    CHECK_SPAN(span_of(order, order_n), "x");
    arena_free(arena);
    CU_ASSERT_EQUAL(order_n, 1);
}

static void
test_text(void)
{
    struct diag diag;
    struct span text;
    diag_clear(&diag);
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    CHECK_OK(&diag, arena_dup(arena, SPAN_EMPTY, &diag, &text));
    CU_ASSERT_PTR_NOT_NULL_FATAL(text.p);
    CU_ASSERT_STRING_EQUAL(text.p, "");
    CHECK_OK(&diag, arena_dup(arena, span_of("abcdef", 3), &diag, &text));
    CU_ASSERT_STRING_EQUAL(text.p, "abc");
    CHECK_OK(&diag, arena_printf(arena, &diag, &text, "%s-%d", "x", 7));
    CHECK_SPAN(text, "x-7");
    CU_ASSERT_EQUAL(text.p[text.n], '\0');
    CHECK_OK(&diag,
             arena_printf(arena, &diag, &text, "%20000d", 1)); /* longer than a chunk shares */
    CU_ASSERT_EQUAL(text.n, 20000);
    arena_free(arena);
}

static struct status
fill(struct arena *arena, struct diag *diag)
{
    struct number_list list = {NULL, 0, 0};
    struct span text;
    void *big = NULL;
    for (int i = 0; i < 5000; i++) {
        TRY(ARENA_PUSH(arena, diag, &list, i));
    }
    for (int i = 0; i < 5000; i++) {
        if (list.items[i] != i) {
            return FAIL(diag, ERR_INTERNAL, "item %d is %d", i, list.items[i]);
        }
    }
    for (int i = 0; i < 200; i++) { /* more than one chunk of objects that share it */
        TRY(arena_alloc(arena, 1000, diag, &big));
    }
    TRY(arena_defer(arena, note, "d", diag));
    TRY(arena_alloc(arena, 100000, diag, &big));
    TRY(arena_dup(arena, SPAN("text"), diag, &text));
    return arena_printf(arena, diag, &text, "%d", 4);
}

static struct status
run_torture(struct diag *diag)
{
    order_n = 0;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no arena");
    }
    const struct status st = fill(arena, diag);
    arena_free(arena);
    CU_ASSERT(order_n <= 1); /* the deferred object was released once, or never handed over */
    CU_ASSERT(!is_ok(st) || order_n == 1);
    return st;
}

static void
test_torture(void)
{
    unit_torture(run_torture);
    CU_ASSERT_EQUAL(setenv("ISTHMUS_ARENA_DEBUG", "1", 1), 0); /* each object on its own */
    const uint64_t before = mem_allocations();
    unit_torture(run_torture);
    CU_ASSERT(mem_allocations() - before > 100);
    (void)unsetenv("ISTHMUS_ARENA_DEBUG");
}

/* The limit must not depend on the mode, or a test would see another limit than production. */
static void
test_modes_count_alike(void)
{
    struct diag diag;
    size_t used[2];
    diag_clear(&diag);
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(setenv("ISTHMUS_ARENA_DEBUG", i == 0 ? "0" : "1", 1), 0);
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        CHECK_OK(&diag, fill(arena, &diag));
        used[i] = arena_used(arena);
        order_n = 0;
        arena_free(arena);
    }
    CU_ASSERT_EQUAL(used[0], used[1]);
    (void)unsetenv("ISTHMUS_ARENA_DEBUG");
}

static const struct unit_test tests[] = {
    {"the limit", test_limit},
    {"the limit of many small objects", test_limit_of_many},
    {"arrays that cannot be", test_arrays_refused},
    {"every failing allocation", test_torture},
    {"sizes at the borders", test_sizes},
    {"cleanups run newest first, once", test_cleanups},
    {"text", test_text},
    {"both modes count alike", test_modes_count_alike},
};
UNIT_MAIN("arena", tests)
