/*
 * Content-Type and its parameters (RFC 2045 5.1, RFC 9110 5.6.6). Called for the HTTP header and
 * for MIME part headers; it owns nothing, values with escapes are copied into the arena.
 */
#include <string.h>

#include "soap/mime.h"

static bool
is_token_char(char c)
{
    const unsigned char byte = (unsigned char)c;
    return byte > ' ' && byte < 0x7F && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static struct span
take_token(struct span *in)
{
    size_t n = 0;
    while (n < in->n && is_token_char(in->p[n])) {
        n++;
    }
    struct span token;
    (void)span_take(in, n, &token);
    return token;
}

/* Unquoted "/", ":" and the like are against the grammar and common: type=application/xop+xml. */
static struct span
take_unquoted(struct span *in)
{
    size_t n = 0;
    while (n < in->n && (is_token_char(in->p[n]) || memchr("/:@<>?=", in->p[n], 7) != NULL)) {
        n++;
    }
    struct span value;
    (void)span_take(in, n, &value);
    return value;
}

static void
skip_blanks(struct span *in)
{
    while (in->n > 0 && (in->p[0] == ' ' || in->p[0] == '\t')) {
        in->p++;
        in->n--;
    }
}

static struct status
bad(struct diag *diag, const char *what)
{
    return FAIL(diag, ERR_MIME, "Content-Type: %s", what);
}

/* Behind the opening quote: up to the closing one. */
static struct status
take_quoted(struct span *in, struct arena *arena, struct diag *diag, struct span *ret_value)
{
    char *copy = NULL;
    size_t n = 0;
    TRY(arena_alloc(arena, in->n + 1, diag, (void **)&copy));
    while (in->n > 0 && in->p[0] != '"') {
        const bool is_escaped = in->p[0] == '\\';
        if (is_escaped && in->n < 2) {
            break;
        }
        const char c = in->p[is_escaped ? 1 : 0];
        if ((unsigned char)c < ' ' || c == 0x7F) {
            return bad(diag, "a control character in a quoted value");
        }
        copy[n++] = c;
        *in = span_slice(*in, is_escaped ? 2 : 1, SIZE_MAX);
    }
    if (in->n == 0 || in->p[0] != '"') {
        return bad(diag, "a quoted value does not end");
    }
    *in = span_slice(*in, 1, SIZE_MAX);
    *ret_value = span_of(copy, n);
    return OK;
}

static struct status
take_param(struct span *in, struct arena *arena, struct diag *diag, struct content_type *type)
{
    const struct span name = take_token(in);
    skip_blanks(in);
    if (name.n == 0 || in->n == 0 || in->p[0] != '=') {
        return bad(diag, "a parameter must be name=value");
    }
    *in = span_slice(*in, 1, SIZE_MAX);
    skip_blanks(in);
    struct span value;
    if (in->n > 0 && in->p[0] == '"') {
        *in = span_slice(*in, 1, SIZE_MAX);
        TRY(take_quoted(in, arena, diag, &value));
    } else {
        value = take_unquoted(in);
        if (value.n == 0) {
            return bad(diag, "a parameter has no value");
        }
    }
    if (type->n == CONTENT_TYPE_PARAMS_MAX) {
        return bad(diag, "too many parameters");
    }
    for (size_t i = 0; i < type->n; i++) {
        if (span_eq_nocase(type->params[i].name, name)) {
            return bad(diag, "a parameter is given twice");
        }
    }
    type->params[type->n++] = (struct content_type_param){name, value};
    return OK;
}

struct status
content_type_read(struct span value, struct arena *arena, struct diag *diag,
                  struct content_type *ret_type)
{
    struct content_type type = {.n = 0};
    struct span in = span_trim(value);
    const struct span main = take_token(&in);
    const bool has_slash = in.n > 0 && in.p[0] == '/';
    in = span_slice(in, has_slash ? 1 : 0, SIZE_MAX);
    const struct span sub = take_token(&in);
    if (main.n == 0 || !has_slash || sub.n == 0) {
        return bad(diag, "type/subtype is expected");
    }
    type.media = span_of(main.p, (size_t)(sub.p + sub.n - main.p));
    skip_blanks(&in);
    while (in.n > 0) {
        if (in.p[0] != ';') {
            return bad(diag, "';' is expected between parameters");
        }
        in = span_slice(in, 1, SIZE_MAX);
        skip_blanks(&in);
        if (in.n > 0 && in.p[0] != ';') {
            TRY(take_param(&in, arena, diag, &type));
            skip_blanks(&in);
        }
    }
    *ret_type = type;
    return OK;
}

struct span
content_type_param(const struct content_type *type, const char *name)
{
    for (size_t i = 0; i < type->n; i++) {
        if (span_eq_nocase(type->params[i].name, span_of_cstr(name))) {
            return type->params[i].value;
        }
    }
    return SPAN_EMPTY;
}

bool
media_is(struct span media, const char *wanted)
{
    struct span bare = SPAN_EMPTY;
    (void)span_split(&media, ';', &bare);
    return span_eq_nocase(span_trim(bare), span_of_cstr(wanted));
}
