/*
 * A captured file to an HTTP message. Called by cmd_decode.c on the main thread. Captures come from
 * proxies, logs and text editors, so this reads more than net/ would accept, and says what net/
 * would have refused.
 */
#include "cli/decode.h"
#include "net/http1.h"
#include "soap/envelope.h"

#define HEAD_MAX ((size_t)16 * 1024)

struct raw_head {
    struct span content_type;
    uint64_t content_length;
    bool has_length, is_chunked;
};

/* ---- lines ---- */

static struct span
take_line(struct span *rest, bool *has_bare_lf)
{
    struct span line = SPAN_EMPTY;

    (void)span_split(rest, '\n', &line);
    if (line.n > 0 && line.p[line.n - 1] == '\r') {
        line.n--;
    } else {
        *has_bare_lf = true;
    }
    return line;
}

static bool
is_field(struct span line)
{
    const size_t colon = span_find_char(line, ':');

    if (colon == SPAN_MISSING || colon == 0 || line.p[0] == '<') {
        return false;
    }
    for (size_t i = 0; i < colon; i++) {
        const char c = line.p[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!is_letter && c != '-' && !(c >= '0' && c <= '9')) {
            return false;
        }
    }
    return true;
}

static void
read_field(struct span line, struct raw_head *head)
{
    const size_t colon = span_find_char(line, ':');
    const struct span name = span_slice(line, 0, colon);
    const struct span value = span_trim(span_slice(line, colon + 1, SIZE_MAX));

    if (span_eq_nocase(name, SPAN("Content-Type"))) {
        head->content_type = value;
    } else if (span_eq_nocase(name, SPAN("Content-Length"))) {
        head->has_length = span_to_u64(value, UINT32_MAX, &head->content_length);
    } else if (span_eq_nocase(name, SPAN("Transfer-Encoding"))) {
        head->is_chunked = span_eq_nocase(value, SPAN("chunked"));
    }
}

/* Fields up to an empty line. */
static void
read_fields(struct span *rest, struct capture *capture, struct raw_head *head)
{
    while (rest->n > 0) {
        const struct span line = take_line(rest, &capture->has_bare_lf);

        if (line.n == 0) {
            return;
        }
        if (is_field(line)) {
            read_field(line, head);
        }
    }
}

/* ---- what kind of file ---- */

static struct span
peek_line(struct span bytes)
{
    bool ignored = false;

    return take_line(&bytes, &ignored);
}

static bool
has_version(struct span line)
{
    const size_t at = span_find(line, SPAN(" HTTP/"));

    return at != SPAN_MISSING && at > 0;
}

static struct span
target_path(struct span line)
{
    struct span part = SPAN_EMPTY;
    struct span path = SPAN_EMPTY;

    (void)span_split(&line, ' ', &part);
    (void)span_split(&line, ' ', &part);
    (void)span_split(&part, '?', &path);
    return path;
}

/* ---- the body ---- */

static struct status
join_chunks(struct span in, struct arena *arena, struct diag *diag, struct capture *capture)
{
    const struct http1_head head = {.has_body = true, .is_chunked = true};
    enum http1_progress progress = HTTP1_MORE;
    struct http1_body machine;
    struct diag why = {0};
    char *joined = NULL;
    size_t n = 0;

    TRY(arena_alloc(arena, in.n + 1, diag, (void **)&joined));
    http1_body_init(&machine, &head, in.n);
    while (progress == HTTP1_MORE && in.n > 0) {
        struct span piece = SPAN_EMPTY;
        const struct status st = http1_body_feed(&machine, &in, &why, &progress, &piece);

        if (!is_ok(st)) {
            TRY(arena_printf(arena, diag, &capture->note, "the chunks of the body: %s", why.text));
            break;
        }
        for (size_t i = 0; i < piece.n; i++) {
            joined[n++] = piece.p[i];
        }
    }
    if (progress == HTTP1_MORE && capture->note.n == 0) {
        capture->note = SPAN("the file ends before the last chunk");
    }
    capture->body = span_of(joined, n);
    return OK;
}

static struct status
read_body(struct span rest, const struct raw_head *head, struct arena *arena, struct diag *diag,
          struct capture *capture)
{
    capture->is_chunked = head->is_chunked;
    if (head->is_chunked) {
        return join_chunks(rest, arena, diag, capture);
    }
    capture->body = rest;
    if (head->has_length && head->content_length > rest.n) {
        return arena_printf(arena, diag, &capture->note,
                            "the file has %zu bytes of body; Content-Length says %zu", rest.n,
                            (size_t)head->content_length);
    }
    if (head->has_length && head->content_length < rest.n) {
        capture->body = span_slice(rest, 0, (size_t)head->content_length);
        return arena_printf(arena, diag, &capture->note,
                            "%zu bytes after the body are not looked at",
                            rest.n - (size_t)head->content_length);
    }
    return OK;
}

/* What net/ thinks of the head. */
static void
check_head(struct span bytes, size_t body_limit, struct capture *capture)
{
    const struct http1_limits limits = {.head_bytes = HEAD_MAX, .body_bytes = body_limit};
    enum http1_progress progress = HTTP1_MORE;
    struct http1_head head;
    size_t used = 0;

    if (!capture->has_bare_lf &&
        is_ok(http1_read_head(bytes, &limits, &capture->http, &progress, &used, &head)) &&
        progress == HTTP1_MORE) {
        (void)FAIL(&capture->http, ERR_HTTP_TRUNCATED, "the file ends inside of the HTTP head");
    }
}

/* ---- guesses ---- */

static struct status
guess_type(struct arena *arena, struct diag *diag, struct capture *capture)
{
    const struct span line = span_trim(peek_line(capture->body));

    if (capture->content_type.n > 0) {
        return OK;
    }
    capture->is_type_guessed = true;
    capture->content_type = SPAN(SOAP_CONTENT_TYPE);
    if (!span_starts_with(line, SPAN("--")) || line.n < 3) {
        return OK;
    }
    return arena_printf(arena, diag, &capture->content_type,
                        "multipart/related; type=\"application/xop+xml\"; "
                        "start-info=\"application/soap+xml\"; boundary=\"%.*s\"",
                        SPAN_PRINT(span_slice(line, 2, SIZE_MAX)));
}

struct status
capture_read(struct span bytes, struct span path, struct span content_type, size_t body_limit,
             struct arena *arena, struct diag *diag, struct capture *ret_capture)
{
    const struct span first = peek_line(bytes);
    struct capture capture = {.kind = CAPTURE_BARE, .body = bytes};
    struct raw_head head = {.content_type = SPAN_EMPTY};
    struct span rest = bytes;

    if (span_starts_with(first, SPAN("HTTP/")) || (first.p[0] != '<' && has_version(first))) {
        const bool is_answer = span_starts_with(first, SPAN("HTTP/"));

        capture.kind = is_answer ? CAPTURE_ANSWER : CAPTURE_REQUEST;
        capture.first_line = take_line(&rest, &capture.has_bare_lf);
        capture.path = is_answer ? SPAN_EMPTY : target_path(first);
    }
    if (capture.kind != CAPTURE_BARE || is_field(first)) {
        read_fields(&rest, &capture, &head);
        TRY(read_body(rest, &head, arena, diag, &capture));
    }
    if (capture.kind == CAPTURE_REQUEST) {
        check_head(bytes, body_limit, &capture);
    }
    capture.path = path.n > 0 ? path : capture.path;
    capture.content_type = content_type.n > 0 ? content_type : head.content_type;
    TRY(guess_type(arena, diag, &capture));
    *ret_capture = capture;
    return OK;
}
