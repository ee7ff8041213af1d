/*
 * MIME multipart/related (RFC 2046, RFC 2387) as MTOM uses it, and the parameters of Content-Type.
 * Pure: places in the caller's body, the rest in the arena. Thread: any.
 */
#ifndef SOAP_MIME_H
#define SOAP_MIME_H

#include "base/body.h"
#include "soap/message.h"

#define CONTENT_TYPE_PARAMS_MAX 16
#define MIME_BOUNDARY_MAX       70 /* RFC 2046 5.1.1 */

struct content_type_param {
    struct span name;
    struct span value; /* without quotes and escapes */
};
struct content_type {
    struct span media; /* "multipart/related", as written; compare without case */
    struct content_type_param params[CONTENT_TYPE_PARAMS_MAX];
    size_t n;
};
/* ERR_MIME: no type/subtype, a parameter without value or given twice, an open quote. */
MUST_CHECK struct status content_type_read(struct span value, struct arena *arena,
                                           struct diag *diag, struct content_type *ret_type);
/* A parameter's value by name (without case); the empty span when absent. */
struct span content_type_param(const struct content_type *type, const char *name);
/* Is it "application/soap+xml"? <media> may have parameters after it. */
bool media_is(struct span media, const char *wanted);

struct mime_part {
    struct span content_id;   /* without < >; may be empty for the root part only */
    struct span content_type; /* the header's value; may be empty when lenient */
    uint64_t offset, size;    /* its content, in the body */
};
struct mime_part_list {
    struct mime_part *items;
    size_t n, capacity;
};
struct mime {
    struct mime_part_list parts;
    size_t root; /* index of the root part */
};

/* Splits a multipart/related body, which may be in a file: then no more than a window of it is ever
 * in memory. The root part is the one that "start" names, else the first. Refuses (ERR_MIME): no
 * boundary or one of foreign characters, text before the first or after the last boundary, bare LF,
 * a missing last boundary, a line that begins like a boundary and goes on, a part without
 * Content-ID, two with the same, a "start" that names none, a transfer encoding that would have to
 * be decoded, repeated or malformed part headers, more than limits->parts. limits->is_lenient: LF
 * ends lines as well, and text around the parts and parts without headers are accepted. ERR_IO: the
 * file cannot be read. */
MUST_CHECK struct status mime_split(const struct body *body, const struct content_type *type,
                                    const struct message_limits *limits, struct arena *arena,
                                    struct diag *diag, struct mime *ret_mime);
/* The same through a window of that many bytes, wherever the body is: for tests. */
MUST_CHECK struct status mime_split_window(const struct body *body, size_t window_bytes,
                                           const struct content_type *type,
                                           const struct message_limits *limits, struct arena *arena,
                                           struct diag *diag, struct mime *ret_mime);
/* By Content-ID without < >, byte for byte; NULL when there is none. */
const struct mime_part *mime_part_find(const struct mime *mime, struct span content_id);

#endif
