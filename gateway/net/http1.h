/*
 * HTTP/1.1 as a pure parser: bytes in, facts out, no I/O, no clock. A strict subset of RFC 9112:
 * POST and GET, origin-form targets, Content-Length or chunked (never both), CRLF line ends.
 * The verdict on a message does not depend on how it was cut into pieces. Thread: any.
 *
 * Refused, after which the connection must close (ERR_HTTP_SYNTAX unless said otherwise):
 *   every ambiguity of framing (RFC 9112 6.3, 11.2): Content-Length and Transfer-Encoding together,
 *   either of them twice, a Content-Length that is not plain digits without a leading zero, a
 *   transfer coding other than exactly "chunked", a GET with content; obs-fold, white space before
 * a colon, a bare CR or LF, NUL and other controls; an empty line before the request; HTTP/0.9, 1.0
 * and 2; absolute-form targets; Host, Content-Type, Expect or Content-Encoding twice; Host missing;
 * a trailer field that belongs into a head (RFC 9110 6.5.1). ERR_HTTP_EXPECTATION: another one than
 *   100-continue. ERR_HTTP_METHOD: another method. ERR_HTTP_MEDIA_TYPE: a content coding.
 * ERR_LIMIT_HEAD: a head or a number of headers above the limit. ERR_LIMIT_BODY: a Content-Length
 * above the limit.
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

/* The spans point into the bytes that http1_read_head was given. */
struct http1_head {
    enum http1_method method;
    struct span path;  /* without query; not decoded */
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

/* <in> starts at a request line. HTTP1_MORE: not all of the head is there yet. HTTP1_COMPLETE:
 * *ret_used bytes were the head, and *ret_head is set (only then). A caller need not ask again
 * before another LF or the limit has arrived. */
MUST_CHECK struct status http1_read_head(struct span in, const struct http1_limits *limits,
                                         struct diag *diag, enum http1_progress *ret_progress,
                                         size_t *ret_used, struct http1_head *ret_head);

/* Extensions of chunks and trailers are read past (RFC 9112 7.1.1, 7.1.2: nothing may depend on
 * them); more of them than this, all in all, is ERR_HTTP_SYNTAX. */
#define HTTP1_EXTRA_MAX 4096

#define HTTP1_TRAILER_NAME_MAX 24 /* longer than every name that trailers may not have */

/* The body as a state machine fed with whatever has arrived. */
struct http1_body {
    int state;
    bool is_chunked;
    unsigned digits;                      /* of the current chunk's size */
    uint64_t left;                        /* of the current chunk, or of the whole body */
    uint64_t total;                       /* bytes of body so far */
    uint64_t limit;                       /* for total */
    size_t extra_bytes;                   /* extensions and trailers so far */
    char trailer[HTTP1_TRAILER_NAME_MAX]; /* start of the current one's name */
    size_t trailer_n;                     /* bytes of the whole name */
};
void http1_body_init(struct http1_body *body, const struct http1_head *head, uint64_t limit_bytes);
/* Takes from the front of *in; *ret_data is the next piece of content (maybe empty), a span of *in.
 * Call until COMPLETE or until *in is empty; what is left in *in then is the next request.
 * ERR_HTTP_SYNTAX, ERR_LIMIT_BODY; after a failure the machine must not be fed again. */
MUST_CHECK struct status http1_body_feed(struct http1_body *body, struct span *in,
                                         struct diag *diag, enum http1_progress *ret_progress,
                                         struct span *ret_data);

const char *http1_reason(int status); /* "OK" for 200; "" for a status that we never send */

/* The head of an answer: status line, Date (RFC 9110 6.6.1), Content-Type unless empty,
 * Content-Length, Allow unless NULL (RFC 9110 15.5.6), Retry-After unless 0 (RFC 9110 10.2.3), and
 * Connection: close when it closes. The strings must hold no controls: they are ours, never a
 * peer's. */
struct http1_answer {
    int status;
    const char *content_type;
    uint64_t content_length;
    const char *allow;
    unsigned retry_after_s;
    bool closes;
    int64_t now_us; /* wall time */
};
MUST_CHECK struct status http1_write_answer(const struct http1_answer *answer, struct buf *out,
                                            struct diag *diag);

#endif
