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

/* The character of an escape sequence that the text begins with, or NUL. */
static char
escaped_at(struct span text)
{
    static const char delimiters[] = {'|', '^', '&', '~', '\\'};

    for (size_t i = 0; i < sizeof(delimiters); i++) {
        if (span_starts_with(text, span_of(escape_of(delimiters[i]), ESCAPE_BYTES))) {
            return delimiters[i];
        }
    }
    return '\0';
}

struct status
hl7v2_unescape(struct arena *arena, struct span text, struct diag *diag, struct span *ret_text)
{
    void *plain = NULL;
    struct span rest = text;

    if (span_find_char(text, '\\') == SPAN_MISSING) {
        *ret_text = text;
        return OK;
    }
    TRY(arena_alloc(arena, text.n + 1, diag, &plain));
    char *to = plain;

    while (rest.n > 0) {
        const char c = escaped_at(rest);

        *to++ = c != '\0' ? c : rest.p[0];
        rest = span_slice(rest, c != '\0' ? ESCAPE_BYTES : 1, SIZE_MAX);
    }
    *ret_text = span_of(plain, (size_t)(to - (char *)plain));
    return OK;
}
