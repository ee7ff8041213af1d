/*
 * A borrowed range of bytes: what is read from a wire or a file. Never owned, never NUL-terminated
 * by promise. An empty span may have p == NULL. Thread: any.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const char *p;
    size_t n;
};

#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})
#define SPAN_EMPTY    ((struct span){NULL, 0})
#define SPAN_PRINT(s) (int)(s).n, ((s).p == NULL ? "" : (s).p) /* for "%.*s" */
#define SPAN_MISSING  SIZE_MAX

struct span span_of(const char *p, size_t n);
struct span span_of_cstr(const char *s); /* NULL gives the empty span */

bool span_eq(struct span a, struct span b);
bool span_eq_cstr(struct span a, const char *b);
bool span_eq_nocase(struct span a, struct span b); /* ASCII letters only */
int span_compare(struct span a, struct span b);    /* bytewise, as strcmp orders */
bool span_starts_with(struct span s, struct span prefix);
bool span_ends_with(struct span s, struct span suffix);
size_t span_find(struct span s, struct span needle); /* index, or SPAN_MISSING */
size_t span_find_char(struct span s, char c);        /* index, or SPAN_MISSING */
struct span span_trim(struct span s);                /* without XML/HTTP white space at the ends */
struct span span_slice(struct span s, size_t from, size_t n); /* clipped to s */

/* Take <n> bytes from the front; false (and nothing changed) when there are fewer. */
bool span_take(struct span *in, size_t n, struct span *ret_part);
/* Cut at the next <separator>: *ret_part is what stood before it, *in what follows. False when *in
 * was exhausted before (p is NULL then). "a,b," yields "a", "b", ""; "" yields one "". */
bool span_split(struct span *in, char separator, struct span *ret_part);
/* An unsigned decimal number, digits only; false when empty, not digits or above <max>. */
bool span_to_u64(struct span s, uint64_t max, uint64_t *ret_value);

#endif
