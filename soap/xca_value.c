/*
 * The value encoding of stored queries. Called by xca_query.c; any thread; values are copied to the
 * arena. Reading accepts what deployed systems send beside the standard form: white space around
 * quotes, parentheses and commas, numbers in quotes, strings without.
 */
#include "soap/xca_value.h"

/* ---- reading ---- */

struct value_reader {
    struct span rest;
    struct arena *arena;
    struct diag *diag;
    struct span name; /* of the parameter, for complaints */
    bool has_text;    /* a value was in quotes, or is no number */
};

static void
skip_space(struct value_reader *r)
{
    while (r->rest.n > 0 && span_trim(span_slice(r->rest, 0, 1)).n == 0) {
        r->rest = span_slice(r->rest, 1, r->rest.n);
    }
}

static bool
take(struct value_reader *r, char wanted)
{
    skip_space(r);
    if (r->rest.n == 0 || r->rest.p[0] != wanted) {
        return false;
    }
    r->rest = span_slice(r->rest, 1, r->rest.n);
    return true;
}

/* What it complains about is a name and a rule, never the value: values may be patients' ids. */
/* REQ: SQ-values-malformed */
static struct status
malformed(const struct value_reader *r, const char *expected)
{
    return FAIL(r->diag, ERR_MESSAGE_CONTENT, "query parameter %.*s: expected %s",
                (int)(r->name.n < 80 ? r->name.n : 80), r->name.p == NULL ? "" : r->name.p,
                expected);
}

/* Bytes up to the closing quote, or all; '' is a quote inside. */
static size_t
quoted_size(struct span text)
{
    size_t i = 0;
    for (; i < text.n; i++) {
        if (text.p[i] == '\'') {
            if (i + 1 == text.n || text.p[i + 1] != '\'') {
                break;
            }
            i++;
        }
    }
    return i;
}

/* After the opening quote: up to the closing one, and behind it. */
/* REQ: SQ-values-quoted */
static struct status
read_quoted(struct value_reader *r, struct span *ret_value)
{
    struct span written;
    char *copy = NULL;
    size_t n = 0;
    if (!span_take(&r->rest, quoted_size(r->rest), &written) || r->rest.n == 0) {
        return malformed(r, "a closing quote (quotes inside a value are doubled)");
    }
    r->rest = span_slice(r->rest, 1, r->rest.n);
    TRY(arena_alloc(r->arena, written.n + 1, r->diag, (void **)&copy));
    for (size_t i = 0; i < written.n; i++) {
        i += written.p[i] == '\'' ? 1 : 0;
        copy[n++] = written.p[i];
    }
    *ret_value = span_of(copy, n);
    return OK;
}

/* A number, or a string without quotes: up to the next comma or the end of the list. */
static struct status
read_bare(struct value_reader *r, bool is_list, struct span *ret_value)
{
    size_t end = r->rest.n;
    for (size_t i = 0; is_list && i < end; i++) {
        if (r->rest.p[i] == ',' || r->rest.p[i] == ')') {
            end = i;
        }
    }
    const struct span text = span_trim(span_slice(r->rest, 0, end));
    if (text.n == 0) {
        return malformed(r, "a value");
    }
    if (span_find_char(text, '\'') != SPAN_MISSING) {
        return malformed(r, "quotes around a whole value");
    }
    r->rest = span_slice(r->rest, end, r->rest.n);
    return arena_dup(r->arena, text, r->diag, ret_value);
}

/* Digits, with at most one point between. */
static bool
is_decimal(struct span text)
{
    size_t points = 0;
    for (size_t i = 0; i < text.n; i++) {
        const bool is_point = text.p[i] == '.' && i > 0 && i + 1 < text.n;
        points += is_point ? 1 : 0;
        if (!is_point && (text.p[i] < '0' || text.p[i] > '9')) {
            return false;
        }
    }
    return points <= 1;
}

static struct status
read_value(struct value_reader *r, bool is_list, struct span_list *values)
{
    struct span value;
    if (values->n == XCA_VALUES_MAX) {
        return FAIL(r->diag, ERR_LIMIT_ITEMS, "a query parameter has more than %zu values",
                    XCA_VALUES_MAX);
    }
    if (take(r, '\'')) {
        r->has_text = true;
        TRY(read_quoted(r, &value));
    } else {
        TRY(read_bare(r, is_list, &value));
        r->has_text = r->has_text || !is_decimal(value);
    }
    return ARENA_PUSH(r->arena, r->diag, values, value);
}

/* After the opening parenthesis. */
/* REQ: SQ-values-list */
static struct status
read_list(struct value_reader *r, struct span_list *values)
{
    if (take(r, ')')) {
        return OK;
    }
    do {
        TRY(read_value(r, true, values));
    } while (take(r, ','));
    return take(r, ')') ? OK : malformed(r, "a comma or a closing parenthesis after a value");
}

struct status
query_values_read(const struct rim_slot *slot, struct arena *arena, struct diag *diag,
                  struct query_param *ret_param)
{
    struct query_param param = {.name = slot->name};
    bool has_text = false;
    for (size_t i = 0; i < slot->values.n; i++) {
        struct value_reader r = {
            .rest = slot->values.items[i], .arena = arena, .diag = diag, .name = slot->name};
        if (span_trim(r.rest).n == 0) {
            continue;
        }
        if (take(&r, '(')) {
            param.is_multiple = true;
            TRY(read_list(&r, &param.values));
        } else {
            TRY(read_value(&r, false, &param.values));
        }
        skip_space(&r);
        if (r.rest.n > 0) {
            return malformed(&r, "nothing after the value");
        }
        has_text = has_text || r.has_text;
    }
    param.is_number = param.values.n > 0 && !has_text;
    param.is_multiple = param.is_multiple || param.values.n > 1;
    *ret_param = param;
    return OK;
}

/* ---- writing ---- */

/* Times are numbers, and so is what came as one: not quoted. */
static bool
is_number(const struct query_param *param)
{
    return param->is_number || span_ends_with(param->name, SPAN("TimeFrom")) ||
           span_ends_with(param->name, SPAN("TimeTo"));
}

static struct status
append_value(struct buf *out, struct span value, bool is_quoted, struct diag *diag)
{
    if (!is_quoted) {
        return buf_append(out, value, diag);
    }
    TRY(buf_append_char(out, '\'', diag));
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\'') {
            TRY(buf_append_char(out, '\'', diag));
        }
        TRY(buf_append_char(out, value.p[i], diag));
    }
    return buf_append_char(out, '\'', diag);
}

static struct status
flush(struct buf *text, struct arena *arena, struct diag *diag, struct rim_slot *slot)
{
    struct span copy;
    TRY(arena_dup(arena, buf_span(text), diag, &copy));
    buf_reset(text);
    return ARENA_PUSH(arena, diag, &slot->values, copy);
}

/* How many bytes the value takes when written. */
static size_t
written_size(struct span value)
{
    size_t n = value.n + 2;
    for (size_t i = 0; i < value.n; i++) {
        n += value.p[i] == '\'' ? 1 : 0;
    }
    return n;
}

static struct status
write_list(const struct query_param *param, struct buf *text, struct arena *arena,
           struct diag *diag, struct rim_slot *slot)
{
    for (size_t i = 0; i < param->values.n; i++) {
        const struct span value = param->values.items[i];
        if (text->n > 0 && text->n + written_size(value) + 2 > RIM_VALUE_MAX) {
            TRY(buf_append_char(text, ')', diag));
            TRY(flush(text, arena, diag, slot));
        }
        TRY(buf_append_char(text, text->n == 0 ? '(' : ',', diag));
        TRY(append_value(text, value, !is_number(param), diag));
    }
    TRY(buf_append_cstr(text, text->n == 0 ? "()" : ")", diag));
    return flush(text, arena, diag, slot);
}

struct status
query_values_write(const struct query_param *param, struct arena *arena, struct diag *diag,
                   struct rim_slot *ret_slot)
{
    struct rim_slot slot = {.name = param->name};
    struct buf text;
    buf_init_secret(&text, (size_t)1024 * 1024);
    struct status st = OK;
    if (param->is_multiple || param->values.n > 1) {
        st = write_list(param, &text, arena, diag, &slot);
    } else if (param->values.n == 1) {
        st = append_value(&text, param->values.items[0], !is_number(param), diag);
        st = is_ok(st) ? flush(&text, arena, diag, &slot) : st;
    }
    buf_done(&text);
    if (is_ok(st)) {
        *ret_slot = slot;
    }
    return st;
}
