/*
 * What the disk alone takes: how many bytes the journal made durable with each fdatasync is noted
 * as it happens, and then the same bytes are written and synced in the same steps by nothing but
 * pwrite and fdatasync, in a file beside it whose blocks are allocated and written already.
 *
 * Thread: the journal's (noting), one at a time for the rest; nothing is asked while it is noted.
 */
#ifndef BENCH_DISK_H
#define BENCH_DISK_H

#include <limits.h>

#include "base/diag.h"
#include "tests/bench/meter.h"

/* Forgets what was noted, and notes from now on; or no more. */
void disk_note_begin(void);
void disk_note_end(void);
/* Bytes of records that each fdatasync covered. The disk's: valid until the next begin. */
const struct meter_list *disk_batches(void);

struct disk_floor {
    char path[PATH_MAX];
    int fd;
    char *bytes;
    size_t at; /* where the next batch goes */
};

/* <folder> is on the file system to be measured. Ends with disk_floor_close, whatever came. ERR_IO.
 */
MUST_CHECK struct status disk_floor_open(struct disk_floor *floor, const char *folder,
                                         struct diag *diag);
void disk_floor_close(struct disk_floor *floor);
/* Writes and syncs each of the batches, in order; *ret_us is the time of all. ERR_IO. */
MUST_CHECK struct status disk_floor_replay(struct disk_floor *floor,
                                           const struct meter_list *batches, struct diag *diag,
                                           double *ret_us);

#endif
