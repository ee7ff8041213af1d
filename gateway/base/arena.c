/*
 * The arena: small objects are cut from chunks, big ones get a block of their own, and all go at
 * once. The first chunk is 4 KB, each further one twice as large up to 64 KB: ten thousand
 * transactions that wait must not hold 64 KB each. Called by whoever works on one transaction or
 * command; one thread at a time. The arena owns its blocks; deferred objects belong to it from
 * arena_defer on.
 *
 * In debug mode (a build with AddressSanitizer, or ISTHMUS_ARENA_DEBUG=1 for valgrind) every object
 * is a heap block of exactly its size, so that a byte too far is seen. The limit counts the same
 * bytes in both modes: a test that meets it meets it everywhere.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ALWAYS_DEBUG 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ALWAYS_DEBUG 1
#endif
#ifndef ARENA_ALWAYS_DEBUG
#define ARENA_ALWAYS_DEBUG 0
#endif

#define CHUNK_FIRST ((size_t)4 * 1024) /* the arena itself included */
#define CHUNK_MOST  ((size_t)64 * 1024)
#define BIG_BYTES   ((size_t)8 * 1024) /* above this an object does not share a chunk */
#define ALIGNMENT   alignof(max_align_t)
#define PRINT_BYTES 256 /* most texts that are printed are shorter: formatted once, not twice */

/* The head of every heap block; its objects follow it. */
struct block {
    struct block *next;
    alignas(max_align_t) char bytes[];
};

struct cleanup {
    struct cleanup *next;
    void (*fn)(void *);
    void *object;
};

struct arena {
    size_t limit;
    size_t used;
    struct block *blocks;     /* all but the first chunk, which holds the arena itself */
    struct cleanup *cleanups; /* newest first */
    char *room;               /* free bytes of the current chunk */
    size_t room_bytes;
    size_t chunk_bytes; /* of the next chunk, its head included */
    bool is_debug;
};

static size_t
round_up(size_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static bool
is_debug_wanted(void)
{
    const char *value = getenv("ISTHMUS_ARENA_DEBUG");
    return ARENA_ALWAYS_DEBUG || (value != NULL && strcmp(value, "1") == 0);
}

struct arena *
arena_new(size_t limit_bytes)
{
    const bool is_debug = is_debug_wanted();
    const size_t size = is_debug ? sizeof(struct arena) : CHUNK_FIRST;
    struct arena *arena = mem_resize(NULL, size);
    if (arena == NULL) {
        return NULL;
    }
    const size_t head = round_up(sizeof(*arena));
    *arena = (struct arena){
        .limit = limit_bytes,
        .is_debug = is_debug,
        .room = is_debug ? NULL : (char *)arena + head,
        .room_bytes = is_debug ? 0 : size - head,
        .chunk_bytes = 2 * CHUNK_FIRST,
    };
    return arena;
}

void
arena_free(struct arena *arena)
{
    if (arena == NULL) {
        return;
    }
    while (arena->cleanups != NULL) {
        /* Taken off before the call: a cleanup may use the arena, even defer again. */
        const struct cleanup *cleanup = arena->cleanups;
        arena->cleanups = cleanup->next;
        cleanup->fn(cleanup->object);
    }
    while (arena->blocks != NULL) {
        struct block *block = arena->blocks;
        arena->blocks = block->next;
        mem_free(block);
    }
    mem_free(arena);
}

/* A chunk is not zeroed: most of it is never used, and 64 KB of zeros for each message would push
 * the message itself out of the processor's cache. */
static struct block *
add_block(struct arena *arena, size_t n, bool is_chunk)
{
    const size_t size = offsetof(struct block, bytes) + n;
    struct block *block = is_chunk ? mem_resize(NULL, size) : mem_alloc(size);
    if (block != NULL) {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

/* The next chunk's size: one that has room for <rounded> bytes, and for others. */
static size_t
grow_chunk(struct arena *arena, size_t rounded)
{
    size_t chunk = arena->chunk_bytes;
    while (chunk - offsetof(struct block, bytes) < rounded) {
        chunk *= 2;
    }
    arena->chunk_bytes = chunk < CHUNK_MOST ? 2 * chunk : CHUNK_MOST;
    return chunk;
}

/* <rounded> bytes (at most BIG_BYTES) from the current chunk, or from a new one. NULL when out of
 * memory. */
static void *
cut_from_chunk(struct arena *arena, size_t rounded)
{
    if (rounded > arena->room_bytes) {
        const size_t bytes = grow_chunk(arena, rounded) - offsetof(struct block, bytes);
        struct block *chunk = add_block(arena, bytes, true);
        if (chunk == NULL) {
            return NULL;
        }
        arena->room = chunk->bytes;
        arena->room_bytes = bytes;
    }
    void *memory = arena->room;
    arena->room += rounded;
    arena->room_bytes -= rounded;
    return memset(memory, 0, rounded);
}

struct status
arena_alloc(struct arena *arena, size_t n, struct diag *diag, void **ret_memory)
{
    const size_t size = n == 0 ? 1 : n;
    if (size > arena->limit || round_up(size) > arena->limit - arena->used) {
        return FAIL(diag, ERR_LIMIT_ARENA,
                    "%zu more bytes would pass the memory limit of one transaction (%zu bytes, "
                    "%zu in use)",
                    n, arena->limit, arena->used);
    }
    const size_t rounded = round_up(size);
    void *memory = NULL;
    if (arena->is_debug || rounded > BIG_BYTES) {
        struct block *block = add_block(arena, size, false);
        memory = block == NULL ? NULL : block->bytes;
    } else {
        memory = cut_from_chunk(arena, rounded);
    }
    if (memory == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for %zu bytes", n);
    }
    arena->used += rounded;
    /* memcpy: the caller's pointer has another type than void *, which a plain store may not touch
     */
    memcpy(ret_memory, &memory, sizeof(memory));
    return OK;
}

struct status
arena_alloc_array(struct arena *arena, size_t count, size_t size, struct diag *diag,
                  void **ret_memory)
{
    size_t n = 0;
    if (__builtin_mul_overflow(count, size, &n)) {
        return FAIL(diag, ERR_LIMIT_ARENA, "%zu objects of %zu bytes are more than fit any memory",
                    count, size);
    }
    return arena_alloc(arena, n, diag, ret_memory);
}

struct status
arena_dup(struct arena *arena, struct span bytes, struct diag *diag, struct span *ret_copy)
{
    void *copy = NULL;
    if (bytes.n == SIZE_MAX) {
        return FAIL(diag, ERR_LIMIT_ARENA, "%zu bytes and a NUL do not fit any memory", bytes.n);
    }
    TRY(arena_alloc(arena, bytes.n + 1, diag, &copy));
    if (bytes.n > 0) {
        memcpy(copy, bytes.p, bytes.n);
    }
    *ret_copy = span_of(copy, bytes.n);
    return OK;
}

__attribute__((format(printf, 4, 0))) static struct status
print_into(struct arena *arena, struct diag *diag, struct span *ret_text, const char *format,
           va_list args)
{
    char first[PRINT_BYTES];
    void *text = NULL;
    va_list again;
    va_copy(again, args);
    const int n = vsnprintf(first, sizeof(first), format, again);
    va_end(again);
    if (n < 0) {
        return FAIL(diag, ERR_INTERNAL, "cannot format '%s'", format);
    }
    const size_t size = (size_t)n + 1;
    TRY(arena_alloc(arena, size, diag, &text));
    if (size <= sizeof(first)) {
        memcpy(text, first, size);
    } else {
        (void)vsnprintf(text, size, format, args);
    }
    *ret_text = span_of(text, (size_t)n);
    return OK;
}

struct status
arena_printf(struct arena *arena, struct diag *diag, struct span *ret_text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const struct status st = print_into(arena, diag, ret_text, format, args);
    va_end(args);
    return st;
}

struct status
arena_grow(struct arena *arena, struct diag *diag, void **items, size_t *capacity, size_t n,
           size_t item_size)
{
    enum { FIRST_CAPACITY = 4 };
    void *bigger = NULL;
    assert(n <= *capacity);
    if (n < *capacity) {
        return OK;
    }
    const size_t wanted = *capacity == 0 ? FIRST_CAPACITY : *capacity * 2;
    TRY(arena_alloc_array(arena, wanted, item_size, diag, &bigger));
    void *old = NULL;
    memcpy(&old, items, sizeof(old)); /* see arena_alloc */
    if (n > 0) {
        memcpy(bigger, old, n * item_size);
    }
    memcpy(items, &bigger, sizeof(bigger));
    *capacity = wanted;
    return OK;
}

struct status
arena_defer(struct arena *arena, void (*fn)(void *), void *object, struct diag *diag)
{
    struct cleanup *cleanup = NULL;
    const struct status st = ARENA_NEW(arena, diag, &cleanup);
    if (!is_ok(st)) {
        fn(object);
        return st;
    }
    *cleanup = (struct cleanup){arena->cleanups, fn, object};
    arena->cleanups = cleanup;
    return OK;
}

size_t
arena_used(const struct arena *arena)
{
    return arena->used;
}
