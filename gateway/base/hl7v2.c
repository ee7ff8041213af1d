/*
 * Escapes values for HL7 v2 fields. Called by whoever makes XDS metadata: the reader of C-CDA and
 * the store; the thread that owns the arena.
 */
#include "base/hl7v2.h"

#include <string.h>

#define ESCAPE_BYTES 3

/* The escape sequence of a character, or NULL when it stands for itself. */
static const char *
escape_of(char c)
{
    switch (c) {
    case '|':
        return "\\F\\";
    case '^':
        return "\\S\\";
    case '&':
        return "\\T\\";
    case '~':
        return "\\R\\";
    case '\\':
        return "\\E\\";
    default:
        return NULL;
    }
}

static bool
is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7F;
}

struct status
hl7v2_escape(struct arena *arena, struct span text, struct diag *diag, struct span *ret_escaped)
{
    void *escaped = NULL;
    size_t n = text.n;
    bool is_changed = false;

    for (size_t i = 0; i < text.n; i++) {
        n += escape_of(text.p[i]) != NULL ? ESCAPE_BYTES - 1 : 0;
        is_changed |= escape_of(text.p[i]) != NULL || is_control(text.p[i]);
    }
    if (!is_changed) {
        *ret_escaped = text;
        return OK;
    }
    TRY(arena_alloc(arena, n + 1, diag, &escaped));
    char *to = escaped;

    for (size_t i = 0; i < text.n; i++) {
        const char *escape = escape_of(text.p[i]);

        if (escape != NULL) {
            memcpy(to, escape, ESCAPE_BYTES);
            to += ESCAPE_BYTES;
        } else {
            *to++ = is_control(text.p[i]) ? ' ' : text.p[i];
        }
    }
    *ret_escaped = span_of(escaped, n);
    return OK;
}
