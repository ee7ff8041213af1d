/*
 * What the disk alone takes, at the same time: behind some of the journal's syncs the same number
 * of bytes is written and synced once more, by nothing but pwrite and fdatasync, in a file beside
 * it whose blocks are allocated and written already. Meanwhile the writers stand still, and so
 * does the clock: what is measured is as if it had not been.
 *
 * A disk that others use, too, is ten times slower in one moment than in the next: only so do both
 * see the same one.
 *
 * Thread: the journal's does all of it, between begin and end; the clock is for any.
 */
#ifndef BENCH_DISK_H
#define BENCH_DISK_H

#include <limits.h>

#include "base/diag.h"
#include "tests/bench/meter.h"

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

/* Who works while the journal syncs, to be stopped and to go on. */
struct disk_others {
    void (*hold)(void *arg);
    void (*release)(void *arg);
    void *arg;
};

struct disk_noted {
    size_t syncs;    /* of the journal */
    size_t samples;  /* how many were done once more */
    double floor_us; /* what these took */
};

/* Every sync, the journal's and the floor's, takes at least so long (below a second); 0: as long as
 * it takes. Before anything is synced. */
void disk_slow_down(int64_t least_us);
/* From now on nothing is synced, and so nothing noted: what the processors alone allow. Or as
 * before. */
void disk_skip_syncs(bool skips);
void disk_note_begin(struct disk_floor *floor, const struct disk_others *others);
/* ERR_IO when the floor's file failed. */
MUST_CHECK struct status disk_note_end(struct diag *diag, struct disk_noted *ret_noted);
int64_t disk_clock_us(void); /* monotonic, without the time of the floor */

#endif
