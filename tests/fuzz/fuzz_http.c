/*
 * The HTTP/1.1 head and body parsers: whatever the bytes are, the verdict, the facts and the
 * content must not depend on how the bytes were cut into pieces.
 *
 * Input: one byte that chooses the cuts, then what a connection carries.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "net/http1.h"

#define BODY_MAX 4096

static const struct http1_limits limits = {.head_bytes = 2048, .body_bytes = BODY_MAX};

struct head_verdict {
    enum err code;
    enum http1_progress progress;
    size_t used;
    struct http1_head head;
};

static struct head_verdict
read_head(struct span in)
{
    struct diag diag = {0};
    struct head_verdict verdict = {.progress = HTTP1_MORE};
    const struct status st =
        http1_read_head(in, &limits, &diag, &verdict.progress, &verdict.used, &verdict.head);
    fuzz_check_refusal(st, &diag);
    verdict.code = st.code;
    return verdict;
}

/* Asked again after each line feed, as a connection does. */
static struct head_verdict
read_head_slowly(struct span in)
{
    for (size_t n = 0; n < in.n; n++) {
        if (in.p[n] == '\n' || n + 1 == in.n || n > limits.head_bytes) {
            const struct head_verdict verdict = read_head(span_of(in.p, n + 1));
            if (verdict.code != ERR_NONE || verdict.progress == HTTP1_COMPLETE) {
                return verdict;
            }
        }
    }
    return read_head(in);
}

struct body_verdict {
    enum err code;
    bool is_complete;
    size_t left;
    size_t n;
    char content[BODY_MAX];
};

/* The input in pieces of <step> bytes. */
static void
read_body(const struct http1_head *head, struct span in, size_t step, struct body_verdict *verdict)
{
    struct http1_body body;
    struct diag diag = {0};
    enum http1_progress progress = HTTP1_MORE;
    *verdict = (struct body_verdict){.code = ERR_NONE};
    http1_body_init(&body, head, limits.body_bytes);
    while (in.n > 0 && progress == HTTP1_MORE && verdict->code == ERR_NONE) {
        struct span piece = span_slice(in, 0, step);
        in = span_slice(in, piece.n, in.n);
        while (piece.n > 0 && progress == HTTP1_MORE && verdict->code == ERR_NONE) {
            struct span data = SPAN_EMPTY;
            const size_t before = piece.n;
            const struct status st = http1_body_feed(&body, &piece, &diag, &progress, &data);
            fuzz_check_refusal(st, &diag);
            verdict->code = st.code;
            if (is_ok(st)) {
                FUZZ_MUST(piece.n < before || progress == HTTP1_COMPLETE, "nothing was taken");
                FUZZ_MUST(data.n <= sizeof(verdict->content) - verdict->n, "above the limit");
                memcpy(verdict->content + verdict->n, data.n > 0 ? data.p : "", data.n);
                verdict->n += data.n;
            }
        }
        verdict->left = in.n + piece.n;
    }
    verdict->is_complete = progress == HTTP1_COMPLETE;
}

static void
check_head(const struct head_verdict *verdict, struct span in)
{
    const struct http1_head *const head = &verdict->head;
    FUZZ_MUST(verdict->used <= in.n, "used %zu of %zu", verdict->used, in.n);
    FUZZ_MUST(head->headers_n <= HTTP1_HEADERS_MAX, "%zu headers", head->headers_n);
    FUZZ_MUST(head->path.n > 0 && head->path.p[0] == '/', "not origin-form");
    FUZZ_MUST(!(head->is_chunked && !head->has_body), "chunked without a body");
    FUZZ_MUST(head->method == HTTP1_POST || (!head->is_chunked && head->content_length == 0),
              "a GET with content");
    for (size_t i = 0; i < head->headers_n; i++) {
        const struct http1_header *const header = &head->headers[i];
        FUZZ_MUST(header->name.n > 0 && header->name.p >= in.p &&
                      header->name.p + header->name.n <= in.p + verdict->used,
                  "a header's name lies outside of the head");
        FUZZ_MUST(span_find_char(header->value, '\r') == SPAN_MISSING &&
                      span_find_char(header->value, '\n') == SPAN_MISSING &&
                      span_find_char(header->value, '\0') == SPAN_MISSING,
                  "a header's value has controls");
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct span in = span_of((const char *)bytes, n);
    const size_t step = 1 + fuzz_take_u8(&in) % 32;
    const struct head_verdict whole = read_head(in);
    const struct head_verdict slow = read_head_slowly(in);
    FUZZ_MUST(whole.code == slow.code && whole.progress == slow.progress, "%s at once, %s slowly",
              err_name(whole.code), err_name(slow.code));
    if (whole.code != ERR_NONE || whole.progress != HTTP1_COMPLETE) {
        return 0;
    }
    FUZZ_MUST(whole.used == slow.used, "the head ends elsewhere");
    check_head(&whole, in);
    if (whole.head.has_body) {
        static struct body_verdict at_once, slowly;
        const struct span rest = span_slice(in, whole.used, in.n);
        read_body(&whole.head, rest, rest.n + 1, &at_once);
        read_body(&whole.head, rest, step, &slowly);
        FUZZ_MUST(at_once.code == slowly.code && at_once.is_complete == slowly.is_complete,
                  "body: %s at once, %s in pieces", err_name(at_once.code), err_name(slowly.code));
        FUZZ_MUST(at_once.code != ERR_NONE ||
                      (at_once.left == slowly.left && at_once.n == slowly.n &&
                       memcmp(at_once.content, slowly.content, at_once.n) == 0),
                  "another content in pieces of %zu", step);
    }
    return 0;
}
