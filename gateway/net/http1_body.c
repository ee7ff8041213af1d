/*
 * The body of an HTTP/1.1 request as a state machine: content of a given length, or chunks
 * (RFC 9112 7.1). Called by a connection (loop thread) and by tests; keeps a few numbers, never
 * bytes, so memory does not depend on the peer.
 */
#include "net/http1.h"

#include <assert.h>

#define SIZE_DIGITS_MAX 16 /* hexadecimal; what fits into 64 bits */

enum body_state {
    BODY_SIZE,          /* digits of a chunk's size */
    BODY_EXTENSION,     /* after ';', up to CR */
    BODY_SIZE_LF,       /* LF after the size line */
    BODY_DATA,          /* content */
    BODY_DATA_CR,       /* CRLF after a chunk's content */
    BODY_DATA_LF,       /* */
    BODY_TRAILER,       /* first byte of a trailer line, or the CR of the empty one */
    BODY_TRAILER_NAME,  /* up to ':' */
    BODY_TRAILER_VALUE, /* up to CR */
    BODY_TRAILER_LF,    /* LF of a trailer line */
    BODY_END_LF,        /* LF of the empty line */
    BODY_COMPLETE
};

void
http1_body_init(struct http1_body *body, const struct http1_head *head, uint64_t limit_bytes)
{
    *body = (struct http1_body){.limit = limit_bytes, .is_chunked = head->is_chunked};
    body->left = head->is_chunked ? 0 : head->content_length;
    if (head->is_chunked) {
        body->state = BODY_SIZE;
    } else {
        body->state = body->left > 0 ? BODY_DATA : BODY_COMPLETE;
    }
}

static struct status
refuse(const struct http1_body *body, const char *what, struct diag *diag)
{
    return FAIL(diag, ERR_HTTP_SYNTAX, "chunked body, after %llu bytes of content: %s",
                (unsigned long long)body->total, what);
}

static struct status
expect_byte(struct http1_body *body, char got, char want, enum body_state next, struct diag *diag)
{
    if (got != want) {
        return refuse(body, want == '\r' ? "expected CR" : "expected LF", diag);
    }
    body->state = (int)next;
    return OK;
}

/* -1 when it is none */
static int
hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const int letter = c | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static struct status
take_size(struct http1_body *body, char c, struct diag *diag)
{
    const int digit = hex_value(c);
    if (digit >= 0) {
        if (body->digits == SIZE_DIGITS_MAX) {
            return refuse(body, "a chunk's size has more than 16 digits", diag);
        }
        body->digits++;
        body->left = body->left << 4 | (unsigned)digit;
        return OK;
    }
    if (body->digits == 0) {
        return refuse(body, "expected a chunk's size in hexadecimal", diag);
    }
    if (c == ';') {
        body->state = BODY_EXTENSION;
        return OK;
    }
    return expect_byte(body, c, '\r', BODY_SIZE_LF, diag);
}

static bool
is_text_byte(char c)
{
    return ((unsigned char)c >= 0x20 && c != 0x7F) || c == '\t';
}

/* A byte of an extension or trailer: read past, up to CR. */
static struct status
take_extra(struct http1_body *body, char c, enum body_state after_cr, struct diag *diag)
{
    if (++body->extra_bytes > HTTP1_EXTRA_MAX) {
        return refuse(body, "more extensions and trailers than 4096 bytes", diag);
    }
    if (c == '\r') {
        body->state = (int)after_cr;
        return OK;
    }
    return is_text_byte(c) ? OK : refuse(body, "a control character", diag);
}

static struct status
end_size_line(struct http1_body *body, char c, struct diag *diag)
{
    TRY(expect_byte(body, c, '\n', body->left > 0 ? BODY_DATA : BODY_TRAILER, diag));
    if (body->left > body->limit - body->total) {
        return FAIL(diag, ERR_LIMIT_BODY,
                    "a chunk of %llu bytes after %llu of content is above the limit of %llu",
                    (unsigned long long)body->left, (unsigned long long)body->total,
                    (unsigned long long)body->limit);
    }
    body->digits = 0;
    return OK;
}

/* RFC 9110 6.5.1: fields that frame, route or explain a message. Whoever merged such a trailer into
 * the head would read another message than we do. */
static struct status
check_trailer(const struct http1_body *body, struct diag *diag)
{
    static const char *const forbidden[] = {
        "Host",         "Content-Length", "Transfer-Encoding", "Connection", "Trailer",
        "Content-Type", "Content-Range",  "Content-Encoding",  "Expect",     "Authorization",
        "TE",           "Cookie",         "Cache-Control",     "Upgrade",
    };
    const bool is_long = body->trailer_n > sizeof(body->trailer);
    const struct span name = span_of(body->trailer, is_long ? 0 : body->trailer_n);
    for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
        if (span_eq_nocase(name, span_of_cstr(forbidden[i]))) {
            return FAIL(diag, ERR_HTTP_SYNTAX, "%s stands in a trailer (RFC 9110 6.5.1)",
                        forbidden[i]);
        }
    }
    return OK;
}

static struct status
take_trailer_name(struct http1_body *body, char c, struct diag *diag)
{
    if (c == ':' && body->state == BODY_TRAILER_NAME) {
        body->state = BODY_TRAILER_VALUE;
        return check_trailer(body, diag);
    }
    /* no name may have white space, a control or a second line's start (obs-fold) in it */
    if (c <= ' ' || c >= 0x7F || c == ':') {
        return refuse(body, "a trailer line is not a header", diag);
    }
    if (body->state == BODY_TRAILER) {
        body->trailer_n = 0;
    }
    if (body->trailer_n < sizeof(body->trailer)) {
        body->trailer[body->trailer_n] = c;
    }
    body->trailer_n++;
    body->state = BODY_TRAILER_NAME;
    return take_extra(body, c, BODY_TRAILER_NAME, diag);
}

static struct status
take_framing(struct http1_body *body, char c, struct diag *diag)
{
    switch ((enum body_state)body->state) {
    case BODY_SIZE:
        return take_size(body, c, diag);
    case BODY_EXTENSION:
        return take_extra(body, c, BODY_SIZE_LF, diag);
    case BODY_SIZE_LF:
        return end_size_line(body, c, diag);
    case BODY_DATA_CR:
        return expect_byte(body, c, '\r', BODY_DATA_LF, diag);
    case BODY_DATA_LF:
        return expect_byte(body, c, '\n', BODY_SIZE, diag);
    case BODY_TRAILER:
        if (c == '\r') {
            body->state = BODY_END_LF;
            return OK;
        }
        return take_trailer_name(body, c, diag);
    case BODY_TRAILER_NAME:
        return take_trailer_name(body, c, diag);
    case BODY_TRAILER_VALUE:
        return take_extra(body, c, BODY_TRAILER_LF, diag);
    case BODY_TRAILER_LF:
        return expect_byte(body, c, '\n', BODY_TRAILER, diag);
    case BODY_END_LF:
        return expect_byte(body, c, '\n', BODY_COMPLETE, diag);
    case BODY_DATA:
    case BODY_COMPLETE:
        break;
    }
    assert(false);
    return FAIL(diag, ERR_INTERNAL, "http1 body state %d", body->state);
}

static struct span
take_data(struct http1_body *body, struct span *in)
{
    struct span data = span_slice(*in, 0, body->left < in->n ? (size_t)body->left : in->n);
    *in = span_of(in->p + data.n, in->n - data.n);
    body->left -= data.n;
    body->total += data.n;
    if (body->left == 0) {
        body->state = body->is_chunked ? BODY_DATA_CR : BODY_COMPLETE;
    }
    return data;
}

struct status
http1_body_feed(struct http1_body *body, struct span *in, struct diag *diag,
                enum http1_progress *ret_progress, struct span *ret_data)
{
    struct span data = SPAN_EMPTY;
    while (in->n > 0 && data.n == 0 && body->state != BODY_COMPLETE) {
        if (body->state == BODY_DATA) {
            data = take_data(body, in);
        } else {
            const char c = in->p[0];
            *in = span_of(in->p + 1, in->n - 1);
            TRY(take_framing(body, c, diag));
        }
    }
    *ret_data = data;
    *ret_progress = body->state == BODY_COMPLETE ? HTTP1_COMPLETE : HTTP1_MORE;
    return OK;
}
