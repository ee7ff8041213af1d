/*
 * Comparing, searching and cutting borrowed ranges of bytes. Called from everywhere, any thread;
 * nothing here allocates or keeps anything.
 */
#include "base/span.h"

#include <string.h>

struct span
span_of(const char *p, size_t n)
{
    return (struct span){p, n};
}

struct span
span_of_cstr(const char *s)
{
    return s == NULL ? SPAN_EMPTY : (struct span){s, strlen(s)};
}

bool
span_eq(struct span a, struct span b)
{
    /* memcmp must not see NULL, which an empty span may hold */
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
span_eq_cstr(struct span a, const char *b)
{
    return span_eq(a, span_of_cstr(b));
}

static unsigned char
ascii_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool
span_eq_nocase(struct span a, struct span b)
{
    if (a.n != b.n) {
        return false;
    }
    for (size_t i = 0; i < a.n; i++) {
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i])) {
            return false;
        }
    }
    return true;
}

int
span_compare(struct span a, struct span b)
{
    const size_t n = a.n < b.n ? a.n : b.n;
    const int order = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (order != 0) {
        return order;
    }
    return a.n < b.n ? -1 : a.n > b.n;
}

bool
span_starts_with(struct span s, struct span prefix)
{
    return s.n >= prefix.n && span_eq(span_of(s.p, prefix.n), prefix);
}

bool
span_ends_with(struct span s, struct span suffix)
{
    if (suffix.n == 0) {
        return true;
    }
    return s.n >= suffix.n && memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0;
}

size_t
span_find(struct span s, struct span needle)
{
    if (needle.n == 0) {
        return 0;
    }
    const char *at = s.n == 0 ? NULL : memmem(s.p, s.n, needle.p, needle.n);
    return at == NULL ? SPAN_MISSING : (size_t)(at - s.p);
}

size_t
span_find_char(struct span s, char c)
{
    const char *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);
    return at == NULL ? SPAN_MISSING : (size_t)(at - s.p);
}

static bool
is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span
span_trim(struct span s)
{
    while (s.n > 0 && is_white(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_white(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

struct span
span_slice(struct span s, size_t from, size_t n)
{
    if (from >= s.n) {
        return SPAN_EMPTY;
    }
    return span_of(s.p + from, n < s.n - from ? n : s.n - from);
}

bool
span_take(struct span *in, size_t n, struct span *ret_part)
{
    if (n > in->n) {
        return false;
    }
    *ret_part = span_of(in->p, n);
    if (n > 0) {
        in->p += n;
        in->n -= n;
    }
    return true;
}

bool
span_split(struct span *in, char separator, struct span *ret_part)
{
    if (in->p == NULL) {
        return false;
    }
    const size_t at = span_find_char(*in, separator);
    if (at == SPAN_MISSING) {
        *ret_part = *in;
        *in = SPAN_EMPTY; /* p == NULL is what says "exhausted" */
        return true;
    }
    *ret_part = span_of(in->p, at);
    *in = span_of(in->p + at + 1, in->n - at - 1);
    return true;
}

bool
span_to_u64(struct span s, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (s.n == 0) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return false;
        }
        const uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (digit > max || value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}
