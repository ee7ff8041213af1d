/*
 * A segment: one file of a chain, <dir>/<chain>/<first sequence, 20 digits>.seg. Preallocated when
 * it is made, so that a full disk shows then and not at a commit; cut to its content when it is
 * full or its journal is closed. Made under another name and renamed: a segment that can be seen
 * has a whole head.
 *
 * Owner: the journal thread (writing) or a reader. Thread: one at a time.
 */
#ifndef AUDIT_SEGMENT_H
#define AUDIT_SEGMENT_H

#include <limits.h>
#include <stdatomic.h>

#include "audit/record.h"

#define SEGMENT_NAME_BYTES 25 /* 20 digits, ".seg", NUL */

struct segment {
    int fd; /* -1: none */
    char path[PATH_MAX];
    struct segment_head head;
};

/* The sequences that a chain's segments start with, ascending. */
struct segment_list {
    uint64_t *items;
    size_t n;
};
/* An absent folder is an empty list. ERR_JOURNAL names the folder. */
MUST_CHECK struct status segment_list_read(const char *folder, struct diag *diag,
                                           struct segment_list *ret_list);
void segment_list_done(struct segment_list *list);

/* Makes, preallocates and syncs the file and its folder: when this returns OK it survives a crash.
 */
#define SEGMENT_RESERVE  "reserve"  /* files that have their room already */
#define SEGMENT_PREPARED "prepared" /* ... and zeros on the disk */
struct segment_making {
    bool may_replace; /* in one step, one of the same name in which nothing was written */
    const char *from; /* of which of these files; NULL: of a new one */
};
/* *ret_is_full, on a failure: the disk is. */
MUST_CHECK struct status segment_create(const char *folder, const struct segment_head *head,
                                        struct segment_making making, struct diag *diag,
                                        bool *ret_is_full, struct segment *ret_segment);
/* A preallocated file, <folder>/reserve, of <size> bytes at least, for segment_create when the disk
 * is full. One that is there already serves. ERR_JOURNAL: it is not there afterwards. */
MUST_CHECK struct status segment_reserve(const char *folder, uint64_t size, struct diag *diag);
/* A file of <size> zeros, <folder>/prepared, written and synced piece by piece, so that whoever
 * syncs beside it does not wait for long. ERR_JOURNAL: it is not there afterwards; so, too, when
 * *is_ending becomes true. */
MUST_CHECK struct status segment_prepare(const char *folder, uint64_t size,
                                         const atomic_bool *is_ending, struct diag *diag);
void segment_forget_prepared(const char *folder); /* if there is one */
/* ERR_JOURNAL when the head is damaged or is not the one that the name and <chain> promise. */
MUST_CHECK struct status segment_open(const char *folder, const char *chain, uint64_t first,
                                      bool may_write, struct diag *diag,
                                      struct segment *ret_segment);
void segment_close(struct segment *segment);

/* Cut the file to its content and sync it: for a full segment and a closed journal. */
MUST_CHECK struct status segment_finish(struct segment *segment, uint64_t end, struct diag *diag);
/* Nobody writes it any more: it has a successor. Only a hint, for people and their programs. */
void segment_protect(const struct segment *segment);
/* Cut at <end>, then preallocate up to the head's size again (zeros), and sync. */
MUST_CHECK struct status segment_clear_tail(struct segment *segment, uint64_t end,
                                            struct diag *diag);
/* Write the bytes from <from> to <to> once more (not synced): after a failed fdatasync of an
 * earlier process the kernel may take pages for clean that never reached the disk. */
MUST_CHECK struct status segment_rewrite(struct segment *segment, uint64_t from, uint64_t to,
                                         struct diag *diag);
/* All bytes at <offset>; a write that fails is not tried again. */
MUST_CHECK struct status segment_write(struct segment *segment, uint64_t offset, struct span bytes,
                                       struct diag *diag);
MUST_CHECK struct status segment_sync(struct segment *segment, struct diag *diag); /* fdatasync */

/* Reads the record at <offset> into <record> (its old content goes; it must be able to hold
 * RECORD_HEAD_BYTES + RECORD_PAYLOAD_MAX). Any verdict is OK; failures are the disk's. *ret_head
 * only when GOOD. */
MUST_CHECK struct status segment_read(const struct segment *segment, uint64_t offset,
                                      struct buf *record, struct diag *diag,
                                      enum record_verdict *ret_verdict,
                                      struct record_head *ret_head);

/* What follows a place where no good record stands. */
struct segment_tail {
    bool is_blank;     /* zeros only, or nothing */
    bool is_damage;    /* what stood there was durable once: it was damaged later */
    uint64_t proof_at; /* is_damage: offset of the record that proves it; 0: the file was closed */
    struct record_head proof;
};
/* <sequence>: of the record that should stand at <offset>. In a batch that was torn by a crash a
 * later record may be whole while an earlier one is not; but no record claims that one before it
 * was durable unless it was. A finished file has no tail at all. */
MUST_CHECK struct status segment_judge_tail(const struct segment *segment, uint64_t offset,
                                            uint64_t sequence, struct diag *diag,
                                            struct segment_tail *ret_tail);

/* Path helpers; ERR_JOURNAL when the path is too long. */
MUST_CHECK struct status journal_path(char to[PATH_MAX], const char *folder, const char *name,
                                      struct diag *diag);
MUST_CHECK struct status journal_sync_folder(const char *folder, struct diag *diag);
/* errno's text, thread-safe. */
const char *journal_errno(char text[64]);

#endif
