/*
 * The bytes of a message or a document, in memory or in a file, behind one reader: whoever takes a
 * body cannot tell which, so that large ones never need memory. A body owns its bytes and may cross
 * threads (one at a time holds it).
 */
#ifndef BASE_BODY_H
#define BASE_BODY_H

#include "base/buf.h"

enum body_kind { BODY_MEMORY, BODY_FILE };

struct body {
    enum body_kind kind;
    struct buf memory; /* BODY_MEMORY */
    int fd;            /* BODY_FILE: open for reading; closed by body_done */
    uint64_t size;     /* bytes */
};

void body_init(struct body *body);                          /* empty, in memory */
void body_from_buf(struct body *body, struct buf *content); /* *content becomes empty */
/* Takes the descriptor (a regular file, read from offset 0), also on failure: it is closed then.
 * ERR_IO when its size cannot be known. */
MUST_CHECK struct status body_from_fd(struct body *body, int fd, struct diag *diag);
void body_done(struct body *body);
/* *to is overwritten (initialise or finish it before), *from becomes empty. */
void body_move(struct body *to, struct body *from);

/* Read up to <n> bytes at <offset>; *ret_n is 0 only at the end. ERR_IO when the file became
 * shorter. */
MUST_CHECK struct status body_read(const struct body *body, uint64_t offset, char *to, size_t n,
                                   struct diag *diag, size_t *ret_n);
/* The whole content as one span: memory as it is, a file read into <scratch> (bounded by its
 * limit: ERR_LIMIT_BUFFER). Valid as long as both live. */
MUST_CHECK struct status body_span(const struct body *body, struct buf *scratch, struct diag *diag,
                                   struct span *ret_span);

#endif
