/*
 * Counts the heap for the attack judge: linked into that program alone. The counters are process
 * wide and not locked, as the judge has one thread.
 */
#include "attack/memory.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#endif

static size_t held, peak, at_mark;

static void
count(size_t n)
{
    held += n;
    peak = held > peak ? held : peak;
}

static void
uncount(size_t n)
{
    held -= n < held ? n : held; /* what was there before counting began */
}

void
memory_mark(void)
{
    at_mark = held;
    peak = held;
}

size_t
memory_peak(void)
{
    return peak - at_mark;
}

size_t
memory_held(void)
{
    return held > at_mark ? held - at_mark : 0;
}

#ifdef HAS_SANITIZER

int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *p);

static void
on_malloc(const volatile void *p, size_t n)
{
    (void)p;
    count(n);
}

static void
on_free(const volatile void *p)
{
    uncount(p == NULL ? 0 : __sanitizer_get_allocated_size(p));
}

void
memory_init(void)
{
    (void)__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}

const char *
memory_method(void)
{
    return "sanitizer hooks";
}

#else

/* glibc's own names of its functions. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);
void __libc_free(void *p);

void
memory_init(void)
{
}

const char *
memory_method(void)
{
    return "malloc wrapped";
}

static void *
counted(void *p)
{
    count(p == NULL ? 0 : malloc_usable_size(p));
    return p;
}

void *
malloc(size_t n)
{
    return counted(__libc_malloc(n));
}

void *
calloc(size_t n, size_t size)
{
    return counted(__libc_calloc(n, size));
}

void *
realloc(void *p, size_t n)
{
    const size_t before = p == NULL ? 0 : malloc_usable_size(p);
    void *const grown = __libc_realloc(p, n);
    if (grown != NULL || n == 0) {
        uncount(before);
        return counted(grown);
    }
    return grown;
}

void *
memalign(size_t alignment, size_t n)
{
    return counted(__libc_memalign(alignment, n));
}

void *
aligned_alloc(size_t alignment, size_t n)
{
    return counted(__libc_memalign(alignment, n));
}

int
posix_memalign(void **ret_p, size_t alignment, size_t n)
{
    void *const p = counted(__libc_memalign(alignment, n));
    if (p == NULL) {
        return ENOMEM;
    }
    *ret_p = p;
    return 0;
}

void
free(void *p)
{
    uncount(p == NULL ? 0 : malloc_usable_size(p));
    __libc_free(p);
}

#endif
