/*
 * What the journal does to its disk: every call that changes a file or folder below one root comes
 * here (the program is linked with --wrap), is counted, may be made to fail, and is written into a
 * log that medium.h replays as power losses. Syncs are noted and not made while a log is kept: what
 * a power loss leaves is computed, not tried.
 *
 * Calls elsewhere, and all calls while nothing is watched, pass through. Thread: any.
 */
#ifndef FAULT_DISK_H
#define FAULT_DISK_H

#include "tests/fault/disk_log.h"

/* What is made to fail; how. */
enum disk_error {
    DISK_EIO,
    DISK_ENOSPC,
    DISK_SHORT,        /* a write takes half; the next goes on */
    DISK_SHORT_ENOSPC, /* a write takes half, and whatever is written next fails */
    DISK_ERROR_COUNT
};
const char *disk_error_name(enum disk_error error);

/* Watches <root>, which holds <image> and nothing else, into <log> (empty; may be NULL: only count
 * and fail). The so-manieth call from now, <fail_at>, fails by <error>; 0: none. */
void disk_watch(const char *root, const struct image *image, struct disk_log *log, size_t fail_at,
                enum disk_error error);
struct disk_counts {
    size_t calls;             /* that change something or sync */
    bool has_failed;          /* the failure was injected */
    enum disk_op_kind failed; /* which call it was */
    size_t again;   /* syncs of a file whose sync had failed, without a reopening between */
    size_t written; /* writes to such a file */
};
struct disk_counts disk_unwatch(void);
/* The file was given up: what was said of failed syncs is forgotten (a new process came). */
void disk_forget_failures(void);
/* A log's note that a record was acknowledged. */
void disk_note(uint64_t sequence, uint64_t value);
/* So long each sync takes, so that others queue meanwhile. */
void disk_set_sync_us(long us);

#endif
