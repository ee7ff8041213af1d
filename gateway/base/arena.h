/*
 * One arena per transaction (or per command): memory that is freed all at once.
 *
 * Owner: the transaction. Thread: whoever runs its step. Objects of libraries join with
 * arena_defer; they are released in reverse order. The limit counts our own allocations and large
 * blocks; it does not see what libxml2, OpenSSL or gSOAP allocate: those are bounded by input caps.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/diag.h"
#include "base/span.h"

struct arena;

#define ARENA_LIMIT_DEFAULT ((size_t)16 * 1024 * 1024)

/* NULL when out of memory. */
struct arena *arena_new(size_t limit_bytes);
void arena_free(struct arena *arena); /* runs the deferred functions, newest first; NULL is fine */

/* Zeroed, aligned for any object. ERR_LIMIT_ARENA beyond the limit, ERR_NO_MEMORY. */
MUST_CHECK struct status arena_alloc(struct arena *arena, size_t n, struct diag *diag,
                                     void **ret_memory);
/* Room for one <type>, or for <count> of them. */
#define ARENA_NEW(arena, diag, ret_ptr)                                                            \
    arena_alloc((arena), sizeof(**(ret_ptr)), (diag), (void **)(ret_ptr))
#define ARENA_ARRAY(arena, count, diag, ret_ptr)                                                   \
    arena_alloc_array((arena), (count), sizeof(**(ret_ptr)), (diag), (void **)(ret_ptr))
MUST_CHECK struct status arena_alloc_array(struct arena *arena, size_t count, size_t size,
                                           struct diag *diag, void **ret_memory);

/* A copy, followed by a NUL that does not count: .p may be given to C functions. */
MUST_CHECK struct status arena_dup(struct arena *arena, struct span bytes, struct diag *diag,
                                   struct span *ret_copy);
MUST_CHECK struct status arena_printf(struct arena *arena, struct diag *diag, struct span *ret_text,
                                      const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Append <item> to an array in the arena: <list> is a struct with members items, n, capacity. */
#define ARENA_PUSH(arena, diag, list, item)                                                        \
    (is_ok(arena_grow((arena), (diag), (void **)&(list)->items, &(list)->capacity, (list)->n,      \
                      sizeof(*(list)->items)))                                                     \
         ? ((list)->items[(list)->n++] = (item), OK)                                               \
         : (struct status){(diag)->code})
MUST_CHECK struct status arena_grow(struct arena *arena, struct diag *diag, void **items,
                                    size_t *capacity, size_t n, size_t item_size);

/* Call fn(object) when the arena goes. When it cannot be noted, fn(object) is called at once. */
MUST_CHECK struct status arena_defer(struct arena *arena, void (*fn)(void *), void *object,
                                     struct diag *diag);
size_t arena_used(const struct arena *arena); /* bytes that count against the limit */

#endif
