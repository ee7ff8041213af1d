/*
 * A growing buffer with a ceiling: one without cannot be made, so no peer decides how much memory
 * we use. Owner: whoever initialised it. Thread: one at a time. The bytes are always followed by a
 * NUL that does not count.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>

#include "base/diag.h"
#include "base/span.h"

struct buf {
    char *p; /* NULL until the first append */
    size_t n;
    size_t capacity;
    size_t limit;   /* bytes; an append beyond it fails with ERR_LIMIT_BUFFER */
    bool is_secret; /* wiped before it is freed or moved */
};

void buf_init(struct buf *buf, size_t limit_bytes);
void buf_init_secret(struct buf *buf, size_t limit_bytes);
void buf_done(struct buf *buf);  /* frees; the buffer may be used again with its old limit */
void buf_reset(struct buf *buf); /* empty, memory kept (wiped when secret) */

/* What is appended must not lie in the buffer itself: growing it moves the bytes. */
MUST_CHECK struct status buf_append(struct buf *buf, struct span bytes, struct diag *diag);
MUST_CHECK struct status buf_append_cstr(struct buf *buf, const char *s, struct diag *diag);
MUST_CHECK struct status buf_append_char(struct buf *buf, char c, struct diag *diag);
MUST_CHECK struct status buf_printf(struct buf *buf, struct diag *diag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Room for <n> more bytes at the end: write there, then add to buf->n. */
MUST_CHECK struct status buf_reserve(struct buf *buf, size_t n, struct diag *diag, char **ret_room);
/* Read a whole file; ERR_IO names it, ERR_LIMIT_BUFFER when it is longer than the limit. */
MUST_CHECK struct status buf_read_file(struct buf *buf, const char *path, struct diag *diag);

static inline struct span
buf_span(const struct buf *buf)
{
    return span_of(buf->p, buf->n);
}

/* Move the content out, with its limit and secrecy: *from becomes empty, *to must be empty. */
void buf_move(struct buf *to, struct buf *from);

#endif
