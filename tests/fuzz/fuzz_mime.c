/*
 * The splitter of multipart/related. Every part must lie inside the body, behind the one before; no
 * Content-ID may be there twice.
 *
 * Input: one byte (strict or lenient, with or without "start"), then the body; its boundary is "b".
 */
#include "fuzz/fuzz.h"
#include "soap/mime.h"

#define WITHOUT_START "multipart/related; boundary=b; type=\"application/xop+xml\""
#define WITH_START    WITHOUT_START "; start=\"<r>\""

static void
check_parts(const struct mime *mime, const struct message_limits *limits, struct span body)
{
    const char *from = body.p;
    FUZZ_MUST(mime->root < mime->parts.n && mime->parts.n <= limits->parts, "%zu of %zu parts",
              mime->root, mime->parts.n);
    for (size_t i = 0; i < mime->parts.n; i++) {
        const struct mime_part *const part = &mime->parts.items[i];
        FUZZ_MUST(part->content.n == 0 || (part->content.p >= from &&
                                           part->content.p + part->content.n <= body.p + body.n),
                  "part %zu lies elsewhere", i);
        FUZZ_MUST(part->content_id.n > 0 || i == mime->root || limits->is_lenient,
                  "part %zu has no Content-ID", i);
        from = part->content.n == 0 ? from : part->content.p + part->content.n;
        const struct mime_part *const found = mime_part_find(mime, part->content_id);
        FUZZ_MUST(part->content_id.n == 0 || found == part, "part %zu is not found", i);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct span body = span_of((const char *)bytes, n);
    const uint8_t how = fuzz_take_u8(&body);
    const struct message_limits limits =
        (how & 1) != 0 ? message_limits_answer() : message_limits_request((size_t)1024 * 1024);
    struct arena *const arena = fuzz_arena();
    struct diag diag = {0};
    struct content_type type;
    struct mime mime = {.root = 0};
    FUZZ_MUST(is_ok(content_type_read((how & 2) != 0 ? SPAN(WITH_START) : SPAN(WITHOUT_START),
                                      arena, &diag, &type)),
              "%s", diag.text);
    const struct status st = mime_split(body, &type, &limits, arena, &diag, &mime);
    fuzz_check_refusal(st, &diag);
    if (is_ok(st)) {
        check_parts(&mime, &limits, body);
    }
    arena_free(arena);
    return 0;
}
