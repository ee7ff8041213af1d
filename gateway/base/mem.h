/*
 * The only place that calls malloc, realloc and free for our own objects.
 *
 * Thread: any. Every call counts, and tests can make the n-th one fail (torture tests), so each
 * caller's failure path is reachable.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t n);           /* zeroed; NULL when out of memory; n == 0 is one byte */
void *mem_resize(void *p, size_t n); /* as realloc; the old block stays valid on NULL */
char *mem_strdup(const char *s);     /* NULL only when out of memory */
void mem_free(void *p);              /* NULL is fine */
/* For what a library asks for through hooks of ours: as mem_resize, but neither counted nor refused
 * in tests, like all other memory of libraries. Given back by mem_free. */
void *mem_resize_for_library(void *p, size_t n);
void mem_wipe(void *p, size_t n); /* overwrite in a way that the compiler keeps */

/* Tests: let <n> more allocations succeed and every later one fail; UINT64_MAX switches it off. */
void mem_fail_after(uint64_t n);
/* Tests: let <n> more allocations succeed, one fail, and all later ones succeed. */
void mem_fail_once(uint64_t n);
uint64_t mem_allocations(void); /* how many allocations were asked for since the start */

/* CLEANUP(fn): calls fn with the address of a local variable when it leaves its scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#endif
