/*
 * The splitter of multipart/related. Every part must lie inside the body, behind the one before; no
 * Content-ID may be there twice; and through windows of every width, over memory and over a file,
 * the verdict and the parts must be the same.
 *
 * Input: one byte (strict or lenient, with or without "start"), then the body; its boundary is "b".
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "soap/mime.h"

#define WITHOUT_START "multipart/related; boundary=b; type=\"application/xop+xml\""
#define WITH_START    WITHOUT_START "; start=\"<r>\""

static void
check_parts(const struct mime *mime, const struct message_limits *limits, struct span body)
{
    uint64_t from = 0;
    FUZZ_MUST(mime->root < mime->parts.n && mime->parts.n <= limits->parts, "%zu of %zu parts",
              mime->root, mime->parts.n);
    for (size_t i = 0; i < mime->parts.n; i++) {
        const struct mime_part *const part = &mime->parts.items[i];
        FUZZ_MUST(part->offset >= from && part->offset <= body.n &&
                      part->size <= body.n - part->offset,
                  "part %zu lies elsewhere", i);
        FUZZ_MUST(part->content_id.n > 0 || i == mime->root || limits->is_lenient,
                  "part %zu has no Content-ID", i);
        from = part->offset + part->size;
        const struct mime_part *const found = mime_part_find(mime, part->content_id);
        FUZZ_MUST(part->content_id.n == 0 || found == part, "part %zu is not found", i);
    }
}

static void
check_same(const struct mime *a, const struct mime *b, size_t window)
{
    FUZZ_MUST(a->root == b->root && a->parts.n == b->parts.n, "window %zu: other parts", window);
    for (size_t i = 0; i < a->parts.n; i++) {
        const struct mime_part *const x = &a->parts.items[i], *const y = &b->parts.items[i];
        FUZZ_MUST(x->offset == y->offset && x->size == y->size &&
                      span_eq(x->content_id, y->content_id) &&
                      span_eq(x->content_type, y->content_type),
                  "window %zu: another part %zu", window, i);
    }
}

/* A file that holds the body; the caller gives it up. */
static struct body
in_file(struct span body)
{
    struct diag diag = {0};
    struct body file;
    const int fd = memfd_create("body", MFD_CLOEXEC);
    FUZZ_MUST(fd >= 0 && write(fd, body.p, body.n) == (ssize_t)body.n, "no file");
    FUZZ_MUST(is_ok(body_from_fd(&file, fd, &diag)), "%s", diag.text);
    return file;
}

/* However the bytes are cut, from memory or from a file: the same verdict, and the same parts. */
static void
check_windows(struct span body, const struct content_type *type,
              const struct message_limits *limits, struct status want, const struct mime *want_mime)
{
    static const size_t windows[] = {0, 1, 2, 3, 5, 16, 67, 1000, 0};
    const struct body over = body_over(body);
    struct body file = in_file(body);
    for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
        const bool is_file = i % 2 == 0;
        struct arena *const arena = fuzz_arena();
        struct diag diag = {0};
        struct mime mime = {.root = 0};
        const struct status st = mime_split_window(is_file ? &file : &over, windows[i], type,
                                                   limits, arena, &diag, &mime);
        FUZZ_MUST(st.code == want.code, "window %zu: %s, not %s", windows[i], err_name(st.code),
                  err_name(want.code));
        if (is_ok(st)) {
            check_same(want_mime, &mime, windows[i]);
        }
        arena_free(arena);
    }
    body_done(&file);
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
    const struct body over = body_over(body);
    const struct status st = mime_split(&over, &type, &limits, arena, &diag, &mime);
    fuzz_check_refusal(st, &diag);
    if (is_ok(st)) {
        check_parts(&mime, &limits, body);
    }
    check_windows(body, &type, &limits, st, &mime);
    arena_free(arena);
    return 0;
}
