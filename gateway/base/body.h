/*
 * The bytes of a message or a document, in memory, in a file, or put together from several bodies,
 * behind one reader: whoever takes a body cannot tell which, so that large ones never need memory.
 * A body owns its bytes and may cross threads (one at a time holds it). Bodies that are slices of
 * one file share its descriptor; each is held by itself.
 */
#ifndef BASE_BODY_H
#define BASE_BODY_H

#include "base/buf.h"
#include "base/digest.h"

enum body_kind { BODY_MEMORY, BODY_FILE, BODY_LIST };

struct body_file; /* a descriptor that several bodies share; closed by the last of them */

struct body {
    enum body_kind kind;
    struct buf memory;      /* BODY_MEMORY */
    struct body_file *file; /* BODY_FILE */
    uint64_t offset;        /* BODY_FILE: where it begins in its file */
    struct body *parts;     /* BODY_LIST: one after the other */
    size_t parts_n;
    uint64_t size; /* bytes */
};

void body_init(struct body *body);                          /* empty, in memory */
void body_from_buf(struct body *body, struct buf *content); /* *content becomes empty */
/* Takes the descriptor (a regular file, read from offset 0), also on failure: it is closed then.
 * ERR_IO when its size cannot be known. */
MUST_CHECK struct status body_from_fd(struct body *body, int fd, struct diag *diag);
/* The same for a file whose size is known; <release>(<arg>), when not NULL, is called after the
 * descriptor was closed, on whatever thread gives up the last body of it, and at once on failure.
 */
MUST_CHECK struct status body_from_file(struct body *body, int fd, uint64_t size,
                                        void (*release)(void *arg), void *arg, struct diag *diag);
/* A list of the <n> bodies, which are moved into it (also on failure: finished then). */
MUST_CHECK struct status body_from_list(struct body *body, struct body *parts, size_t n,
                                        struct diag *diag);
/* Borrowed: a body over bytes that somebody else keeps. Needs no body_done. */
struct body body_over(struct span bytes);
void body_done(struct body *body);
/* *to is overwritten (initialise or finish it before), *from becomes empty. */
void body_move(struct body *to, struct body *from);

/* A part of a body: of a file it shares the descriptor, of memory it is a copy. The part must lie
 * in the body. ERR_NO_MEMORY. */
MUST_CHECK struct status body_slice(const struct body *body, uint64_t offset, uint64_t size,
                                    struct diag *diag, struct body *ret_part);
/* Bytes of memory that it holds; what is in files is not counted. */
uint64_t body_memory(const struct body *body);

/* A whole file whose bytes must have this digest: it is computed while they are read in order, and
 * whoever reads the last of them gets ERR_IO instead when it is another. ERR_NO_MEMORY. */
MUST_CHECK struct status body_expect(struct body *body, const uint8_t sha256[SHA256_BYTES],
                                     struct diag *diag);

/* Read up to <n> bytes at <offset>; *ret_n is 0 only at the end. ERR_IO when the file became
 * shorter. */
MUST_CHECK struct status body_read(const struct body *body, uint64_t offset, char *to, size_t n,
                                   struct diag *diag, size_t *ret_n);
/* The whole content as one span: memory as it is, anything else read into <scratch> (bounded by its
 * limit: ERR_LIMIT_BUFFER). Valid as long as both live. */
MUST_CHECK struct status body_span(const struct body *body, struct buf *scratch, struct diag *diag,
                                   struct span *ret_span);
/* Gives the whole content to <take>, piece by piece, until it fails. */
MUST_CHECK struct status body_each(const struct body *body,
                                   struct status (*take)(void *arg, struct span piece,
                                                         struct diag *diag),
                                   void *arg, struct diag *diag);

#endif
