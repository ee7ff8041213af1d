/*
 * Where large messages wait: files without a name in one folder of a real file system, within one
 * limit for the whole node. A sink takes bytes whose number nobody knows yet: in memory up to the
 * threshold, then in such a file. What comes out is a struct body; the file's room is given back
 * with the last body of it.
 *
 * A file has no name from the moment that it is made: nobody else can open it, and a crash leaves
 * nothing behind. A file system in memory (tmpfs, ramfs) is refused: there a file is memory, and
 * the limit of the folder would hide that.
 *
 * Threads: any may use a spool; one at a time a sink.
 */
#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H

#include "base/body.h"

#define SPOOL_THRESHOLD ((size_t)256 * 1024) /* bytes that a message may have in memory */
#define SPOOL_LIMIT     (UINT64_C(8) * 1024 * 1024 * 1024)

struct spool;

/* The folder is made when it is missing (0700; the one above it must exist). ERR_IO: it cannot be
 * made or written. ERR_CONFIG: its file system is memory. */
MUST_CHECK struct status spool_new(const char *dir, uint64_t limit_bytes, size_t threshold_bytes,
                                   struct diag *diag, struct spool **ret_spool);
struct spool *spool_ref(struct spool *spool);   /* NULL is fine */
void spool_unref(struct spool *spool);          /* NULL is fine */
uint64_t spool_used(const struct spool *spool); /* bytes of room that its files have */

struct sink {
    struct spool *spool; /* a reference; NULL: memory only */
    struct buf memory;   /* all bytes; once there is a file, those that are not in it yet */
    uint64_t limit, size;
    int fd;        /* -1: all is in memory */
    uint64_t room; /* taken from the spool's limit */
};

/* <spool> NULL: all in memory. At most <limit_bytes> are taken. */
void sink_init(struct sink *sink, struct spool *spool, uint64_t limit_bytes);
/* ERR_LIMIT_BUFFER: more than the limit. ERR_SPOOL_FULL: the node's limit is reached, or the file
 * system is full; the text says which. After a failure: sink_done only. */
MUST_CHECK struct status sink_append(struct sink *sink, struct span bytes, struct diag *diag);
/* Would <n> more bytes be kept in memory? */
bool sink_keeps(const struct sink *sink, size_t n);
bool sink_has_file(const struct sink *sink);
/* All that was taken; the sink is empty then, and may be finished or used again. */
MUST_CHECK struct status sink_finish(struct sink *sink, struct diag *diag, struct body *ret_body);
void sink_done(struct sink *sink); /* what it has is given up */

#endif
