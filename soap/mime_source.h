/*
 * The bytes that mime.c splits, wherever they are: in memory they are looked at in place, in a file
 * through a window that moves. What comes out never depends on where the window's borders fall.
 * Thread: whoever splits. Inside soap/ only.
 */
#ifndef SOAP_MIME_SOURCE_H
#define SOAP_MIME_SOURCE_H

#include "base/body.h"

#define MIME_WINDOW ((size_t)64 * 1024)

struct mime_source {
    const struct body *body;
    struct buf window; /* the bytes of <body> from <base> on; unused when all are in memory */
    uint64_t base;
    size_t step; /* bytes that the window is to have; 0: it is not needed */
};

/* <window_bytes> 0: the body's own memory, or a window of MIME_WINDOW when it is not in memory.
 * Tests give other widths. */
void mime_source_init(struct mime_source *source, const struct body *body, size_t window_bytes);
void mime_source_done(struct mime_source *source);

/* Up to <n> bytes at <at>: fewer only at the end. Valid until the next call. */
MUST_CHECK struct status mime_source_peek(struct mime_source *source, uint64_t at, size_t n,
                                          struct diag *diag, struct span *ret_bytes);
/* Where <needle> begins, at or after <at>; UINT64_MAX when it does not. */
MUST_CHECK struct status mime_source_find(struct mime_source *source, uint64_t at,
                                          struct span needle, struct diag *diag, uint64_t *ret_at);
/* Is there nothing but white space from <at> on? */
MUST_CHECK struct status mime_source_is_blank(struct mime_source *source, uint64_t at,
                                              struct diag *diag, bool *ret_is_blank);

#endif
