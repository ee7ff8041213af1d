/*
 * The one door to the heap: counts every request and, in tests, refuses the n-th. Called by buf,
 * arena and whoever owns an object that outlives a transaction; any thread.
 */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t allocations;
static _Atomic uint64_t allocations_allowed = UINT64_MAX; /* requests beyond this number fail */
static _Atomic uint64_t allocation_refused = UINT64_MAX;  /* the request of this number fails */

static bool
may_allocate(void)
{
    const uint64_t number = atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    return number < atomic_load_explicit(&allocations_allowed, memory_order_relaxed) &&
           number != atomic_load_explicit(&allocation_refused, memory_order_relaxed);
}

void *
mem_alloc(size_t n)
{
    return may_allocate() ? calloc(1, n == 0 ? 1 : n) : NULL;
}

void *
mem_resize(void *p, size_t n)
{
    return may_allocate() ? realloc(p, n == 0 ? 1 : n) : NULL;
}

void *
mem_resize_for_library(void *p, size_t n)
{
    return realloc(p, n == 0 ? 1 : n);
}

char *
mem_strdup(const char *s)
{
    const size_t size = strlen(s) + 1;
    char *copy = mem_alloc(size);
    if (copy != NULL) {
        memcpy(copy, s, size);
    }
    return copy;
}

void
mem_free(void *p)
{
    free(p);
}

void
mem_wipe(void *p, size_t n)
{
    if (n > 0) {
        explicit_bzero(p, n);
    }
}

void
mem_fail_after(uint64_t n)
{
    const uint64_t asked = mem_allocations();
    atomic_store_explicit(&allocations_allowed, n > UINT64_MAX - asked ? UINT64_MAX : asked + n,
                          memory_order_relaxed);
}

void
mem_fail_once(uint64_t n)
{
    atomic_store_explicit(&allocation_refused, mem_allocations() + n, memory_order_relaxed);
}

uint64_t
mem_allocations(void)
{
    return atomic_load_explicit(&allocations, memory_order_relaxed);
}
