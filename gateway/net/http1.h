/*
 * HTTP/1.1 as a pure parser: bytes in, facts out, no I/O, no clock. A strict subset (RFC 9112):
 * POST and GET, origin-form targets, Content-Length or chunked (never both), CRLF line ends.
 * Refused (ERR_HTTP_SYNTAX and friends, after which the connection closes): every framing
 * ambiguity, obs-fold, white space before a colon, bare CR or LF, NUL, two Content-Length or
 * Transfer-Encoding headers, any transfer coding but chunked, chunk extensions and trailers beyond
 * the limits, HTTP/0.9 and 1.0. Spans point into the caller's head buffer. Thread: any.
 */
#ifndef NET_HTTP1_H
#define NET_HTTP1_H

#include "base/buf.h"

#define HTTP1_HEADERS_MAX 64

struct http1_limits {
    size_t head_bytes; /* request line and headers */
    uint64_t body_bytes;
};

enum http1_method { HTTP1_GET, HTTP1_POST };

struct http1_header {
    struct span name, value;
};

struct http1_head {
    enum http1_method method;
    struct span path;  /* without query */
    struct span query; /* after '?', without it */
    struct span content_type;
    struct http1_header headers[HTTP1_HEADERS_MAX];
    size_t headers_n;
    bool has_body;
    bool is_chunked;
    uint64_t content_length; /* when has_body and not chunked */
    bool wants_close;        /* Connection: close */
    bool wants_continue;     /* Expect: 100-continue */
};

enum http1_progress { HTTP1_MORE, HTTP1_COMPLETE };

/* <in> starts at a request line. HTTP1_MORE: not all of the head is there yet (ERR_LIMIT_HEAD
 * beyond the limit). HTTP1_COMPLETE: *ret_used bytes were the head. */
MUST_CHECK struct status http1_read_head(struct span in, const struct http1_limits *limits,
                                         struct diag *diag, enum http1_progress *ret_progress,
                                         size_t *ret_used, struct http1_head *ret_head);

/* The body as a state machine fed with whatever has arrived. */
struct http1_body {
    bool is_chunked;
    int state;
    uint64_t left;  /* of the current chunk, or of the whole body */
    uint64_t total; /* bytes of body so far */
    uint64_t limit;
    size_t line_bytes; /* of the current chunk-size or trailer line */
};
void http1_body_init(struct http1_body *body, const struct http1_head *head, uint64_t limit_bytes);
/* Consumes from *in; *ret_data is the next piece of content (maybe empty). Call until *in is empty
 * or COMPLETE. ERR_HTTP_SYNTAX, ERR_LIMIT_BODY. */
MUST_CHECK struct status http1_body_feed(struct http1_body *body, struct span *in,
                                         struct diag *diag, enum http1_progress *ret_progress,
                                         struct span *ret_data);

struct span http1_header_value(const struct http1_head *head,
                               const char *name); /* first, or empty */
const char *http1_reason(int status);

#endif
