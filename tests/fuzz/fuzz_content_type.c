/*
 * Content-Type: what was read, written again in one plain way, must read as the same.
 *
 * Input: the header's value.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "soap/mime.h"

static void
append_quoted(struct buf *out, struct span value, struct diag *diag)
{
    FUZZ_MUST(is_ok(buf_append_char(out, '"', diag)), "%s", diag->text);
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\') {
            FUZZ_MUST(is_ok(buf_append_char(out, '\\', diag)), "%s", diag->text);
        }
        FUZZ_MUST(is_ok(buf_append_char(out, value.p[i], diag)), "%s", diag->text);
    }
    FUZZ_MUST(is_ok(buf_append_char(out, '"', diag)), "%s", diag->text);
}

static void
check_same(const struct content_type *a, const struct content_type *b)
{
    FUZZ_MUST(span_eq(a->media, b->media) && a->n == b->n, "read %zu, again %zu", a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        FUZZ_MUST(span_eq(a->params[i].name, b->params[i].name) &&
                      span_eq(a->params[i].value, b->params[i].value),
                  "parameter %zu differs", i);
        for (size_t k = 0; k < i; k++) {
            FUZZ_MUST(!span_eq_nocase(a->params[i].name, a->params[k].name), "twice");
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena *const arena = fuzz_arena();
    struct diag diag = {0};
    struct content_type type = {.n = 0};
    const struct status st =
        content_type_read(span_of((const char *)bytes, n), arena, &diag, &type);
    fuzz_check_refusal(st, &diag);
    if (is_ok(st)) {
        struct content_type again = {.n = 0};
        struct buf text;
        FUZZ_MUST(span_find_char(type.media, '/') != SPAN_MISSING, "no slash");
        FUZZ_MUST(type.n <= CONTENT_TYPE_PARAMS_MAX, "%zu parameters", type.n);
        buf_init(&text, 4 * n + 1024);
        FUZZ_MUST(is_ok(buf_append(&text, type.media, &diag)), "%s", diag.text);
        for (size_t i = 0; i < type.n; i++) {
            FUZZ_MUST(is_ok(buf_append_cstr(&text, "; ", &diag)) &&
                          is_ok(buf_append(&text, type.params[i].name, &diag)) &&
                          is_ok(buf_append_char(&text, '=', &diag)),
                      "%s", diag.text);
            append_quoted(&text, type.params[i].value, &diag);
        }
        FUZZ_MUST(is_ok(content_type_read(buf_span(&text), arena, &diag, &again)), "%s", diag.text);
        check_same(&type, &again);
        buf_done(&text);
    }
    arena_free(arena);
    return 0;
}
