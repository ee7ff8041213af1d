/*
 * The files of the replay memory among themselves: what a segment looks like, and what is known of
 * it. For replay_file.c (writing) and replay_load.c (reading) only; thread: as in replay_file.h.
 */
#ifndef STORE_REPLAY_SEGMENT_H
#define STORE_REPLAY_SEGMENT_H

#include "store/replay_file.h"

/* Header and records are as long as each other and a page a multiple of them: a write that the end
 * of the process cuts off between two pages is never cut off within a record. */
#define REPLAY_BLOCK    64
#define REPLAY_NAME_MAX 16
#define REPLAY_NEW_NAME "new.keys"

struct replay_segment {
    uint32_t number;  /* from 1; higher is younger */
    uint32_t records; /* that are in it */
    uint32_t needed;  /* of those */
    bool is_dirty;    /* perhaps not on the disk yet */
    uint32_t seed;    /* of its records' checks: replay_seed */
};

struct replay_files {
    char *folder;
    int folder_fd, lock_fd, fd; /* fd: of the youngest segment */
    uint8_t id[REPLAY_ID_BYTES];
    struct replay_segment *segments; /* oldest first */
    size_t n, capacity;
    uint64_t records;
    bool may_drop;
    bool is_broken;
};

MUST_CHECK struct status replay_failed(const struct replay_files *files, const char *what,
                                       const char *name, int error, struct diag *diag);
void replay_segment_name(uint32_t number, char ret_name[REPLAY_NAME_MAX]);
MUST_CHECK struct status replay_segments_add(struct replay_files *files,
                                             const struct replay_segment *segment,
                                             struct diag *diag);

/* ---- replay_load.c: the form ---- */
void replay_write_header(const uint8_t id[REPLAY_ID_BYTES], uint32_t number,
                         uint8_t ret_bytes[REPLAY_BLOCK]);
uint32_t replay_seed(const uint8_t id[REPLAY_ID_BYTES], uint32_t number);
/* <index>: the record's place in the segment. */
void replay_write_record(uint32_t seed, uint32_t index, const struct replay_record *record,
                         uint8_t ret_bytes[REPLAY_BLOCK]);

#endif
