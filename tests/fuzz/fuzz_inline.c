/*
 * The scanner for inline documents. However a message is cut, verdict, text and documents must be
 * the same; where the message parses, what is left of it must parse as the same tree, in which a
 * stand-in stands for nothing but the bytes that the text says in base64.
 *
 * Input: two bytes (a window), then the message, in which the byte 1 and another, N, stand for
 * N + 1 times 1,024 characters of base64: what is moved is longer than any input.
 */
#include <string.h>

#include "base/digest.h"
#include "fuzz/fuzz.h"
#include "soap/inline_documents.h"
#include "soap/security.h"
#include "soap/xml.h"

#define RUN_BYTES   ((size_t)1024)
#define MESSAGE_MAX ((size_t)512 * 1024)

struct moved {
    struct arena *arena;
    struct inline_documents documents;
    struct buf text;
    struct status status;
    struct diag diag;
};

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct diag diag = {0};
    (void)argc;
    (void)argv;
    FUZZ_MUST(is_ok(soap_library_init(&diag)), "%s", diag.text);
    return 0;
}

static void
append(struct buf *out, struct span bytes)
{
    struct diag diag = {0};
    FUZZ_MUST(is_ok(buf_append(out, bytes, &diag)), "%s", diag.text);
}

static void
append_run(struct buf *out, size_t n)
{
    static const char characters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n && out->n + sizeof(characters) <= MESSAGE_MAX;
         i += sizeof(characters) - 1) {
        append(out, span_of(characters, sizeof(characters) - 1));
    }
}

static void
expand(struct span input, struct buf *out)
{
    buf_init(out, MESSAGE_MAX);
    while (input.n > 0 && out->n < MESSAGE_MAX) {
        const uint8_t c = fuzz_take_u8(&input);
        if (c == 1) {
            append_run(out, (fuzz_take_u8(&input) + (size_t)1) * RUN_BYTES);
        } else {
            append(out, span_of((const char *)&c, 1));
        }
    }
}

static void
move_body(const struct body *body, size_t window, struct moved *moved)
{
    *moved = (struct moved){.arena = fuzz_arena()};
    buf_init(&moved->text, 2 * MESSAGE_MAX);
    moved->status =
        inline_documents_move_window(body, window, ERR_PARTNER_ANSWER, NULL, moved->arena,
                                     &moved->diag, &moved->text, &moved->documents);
    fuzz_check_refusal(moved->status, &moved->diag);
}

static void
moved_done(struct moved *moved)
{
    buf_done(&moved->text);
    arena_free(moved->arena);
}

static struct span
bytes_of(const struct body *document)
{
    struct diag diag = {0};
    struct span bytes = SPAN_EMPTY;
    FUZZ_MUST(is_ok(body_span(document, NULL, &diag, &bytes)), "%s", diag.text);
    return bytes;
}

/* The same text, but that each has a token of its own. */
static void
check_same_text(struct span a, const char *token_a, struct span b, const char *token_b)
{
    const struct span name_a = span_of_cstr(token_a), name_b = span_of_cstr(token_b);
    FUZZ_MUST(a.n == b.n, "%zu bytes are left, cut %zu", a.n, b.n);
    for (size_t at = 0; at < a.n;) {
        const struct span rest_a = span_slice(a, at, a.n), rest_b = span_slice(b, at, b.n);
        if (span_starts_with(rest_a, name_a) && span_starts_with(rest_b, name_b)) {
            at += name_a.n;
            continue;
        }
        FUZZ_MUST(a.p[at] == b.p[at], "another text at %zu", at);
        at++;
    }
}

static void
check_window(const struct body *body, size_t window, const struct moved *want)
{
    struct moved moved;
    move_body(body, window, &moved);
    FUZZ_MUST(moved.status.code == want->status.code, "%s, by windows of %zu %s",
              err_name(want->status.code), window, err_name(moved.status.code));
    if (is_ok(moved.status)) {
        FUZZ_MUST(moved.documents.n == want->documents.n, "%zu documents, by windows %zu",
                  want->documents.n, moved.documents.n);
        for (size_t i = 0; i < moved.documents.n; i++) {
            FUZZ_MUST(
                span_eq(bytes_of(&moved.documents.items[i]), bytes_of(&want->documents.items[i])),
                "another document %zu", i);
        }
        check_same_text(buf_span(&want->text), want->documents.token, buf_span(&moved.text),
                        moved.documents.token);
    }
    moved_done(&moved);
}

/* What the text says in base64, white space apart. */
static void
check_document(struct span text, const struct body *document)
{
    struct diag diag = {0};
    struct buf packed, bytes;
    buf_init(&packed, MESSAGE_MAX);
    buf_init(&bytes, MESSAGE_MAX);
    for (size_t i = 0; i < text.n; i++) {
        if (strchr(" \t\r\n", text.p[i]) == NULL) {
            append(&packed, span_of(&text.p[i], 1));
        }
    }
    FUZZ_MUST(is_ok(base64_decode(buf_span(&packed), &bytes, &diag)), "moved, but no base64: %s",
              diag.text);
    FUZZ_MUST(span_eq(buf_span(&bytes), bytes_of(document)), "other bytes");
    FUZZ_MUST(text.n >= INLINE_LEAST / 8, "%zu characters were moved", text.n);
    buf_done(&bytes);
    buf_done(&packed);
}

static struct span
text_of(const xmlNode *node, struct arena *arena, bool *ret_is_text)
{
    struct diag diag = {0};
    struct span text = SPAN_EMPTY;
    *ret_is_text = is_ok(xml_text(node, ERR_XML_SYNTAX, arena, &diag, &text));
    return text;
}

static size_t
check_node(const xmlNode *before, const xmlNode *after, const struct moved *moved,
           struct arena *arena)
{
    bool is_text = false, is_text_after = false;
    const struct span text = text_of(before, arena, &is_text);
    const struct span left = text_of(after, arena, &is_text_after);
    FUZZ_MUST(span_eq(xml_local_name(before), xml_local_name(after)) &&
                  span_eq(xml_namespace(before), xml_namespace(after)),
              "another element");
    FUZZ_MUST(is_text == is_text_after, "children became others");
    if (!is_text) {
        return 0;
    }
    const struct body *const document = inline_documents_find(&moved->documents, left);
    if (document == NULL) {
        FUZZ_MUST(span_eq(text, left) ||
                      span_find(left, span_of_cstr(moved->documents.token)) != SPAN_MISSING,
                  "another text");
        return 0;
    }
    FUZZ_MUST(span_eq(xml_local_name(before), SPAN("Document")), "moved out of '%.*s'",
              SPAN_PRINT(xml_local_name(before)));
    check_document(text, document);
    return 1;
}

static void
check_trees(struct span message, const struct moved *moved)
{
    struct message_limits limits = message_limits_answer();
    struct arena *const arena = arena_new(MESSAGE_MAX * 32);
    struct diag diag = {0};
    xmlDoc *before = NULL, *after = NULL;
    size_t found = 0;
    if (is_ok(xml_parse(message, &limits, arena, &diag, &before))) {
        FUZZ_MUST(is_ok(xml_parse(buf_span(&moved->text), &limits, arena, &diag, &after)),
                  "it parsed, what is left does not: %s", diag.text);
        const xmlNode *a = xml_root(before), *b = xml_root(after);
        for (; a != NULL && b != NULL;
             a = xml_walk(a, xml_root(before)), b = xml_walk(b, xml_root(after))) {
            found += check_node(a, b, moved, arena);
        }
        FUZZ_MUST(a == NULL && b == NULL, "another number of elements");
        FUZZ_MUST(found <= moved->documents.n, "a document stands twice");
    }
    arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct span input = span_of((const char *)bytes, n);
    const size_t window = fuzz_take_u16(&input) + (size_t)1;
    struct buf message;
    struct moved moved;
    expand(input, &message);
    const struct body body = body_over(buf_span(&message));
    move_body(&body, SIZE_MAX, &moved);
    if (is_ok(moved.status)) {
        check_trees(buf_span(&message), &moved);
    }
    check_window(&body, window, &moved);
    check_window(&body, 1, &moved);
    moved_done(&moved);
    buf_done(&message);
    return 0;
}
