/*
 * The files of a replay memory (replay_memory.h), so that it outlives the process: records are
 * appended to segments in a folder beside the database, without a sync each. What was appended
 * survives every end of the process (kill -9 included), because the kernel has it; the end of the
 * machine may lose it, which the store finds out by itself.
 *
 *   <folder>/lock                who serves with this store: its pid; locked while it does
 *   <folder>/0000000001.keys     a header of 64 bytes, then up to REPLAY_SEGMENT_RECORDS of 64
 *   <folder>/new.keys            a segment that is being made
 *
 * Every record has a CRC-32C over itself, its position, its segment's number and the memory's id:
 * one that is torn, damaged, moved or another memory's is found when it is read. A segment is
 * removed when none of its records is needed any more; its owner counts them (hold, gone).
 *
 * Folder 0700, files 0600; nothing in them but digests. Thread: one at a time. Failures of the disk
 * are ERR_STORE.
 */
#ifndef STORE_REPLAY_FILE_H
#define STORE_REPLAY_FILE_H

#include "base/diag.h"
#include "base/digest.h"

#define REPLAY_ID_BYTES        16
#define REPLAY_SEGMENT_RECORDS 16384u /* 1 MB */
#define REPLAY_APPEND_MAX      67     /* records at a time: little more than a page */
#define REPLAY_LEFT_MAX        2 /* records fewer than that in a segment that is not the youngest */

struct replay_record {
    uint8_t digest[SHA256_BYTES];
    uint8_t owner[REPLAY_ID_BYTES];
    int64_t until_us;
};

struct replay_files;

/* Makes the folder when it is missing and takes its lock, which the end of the process gives back,
 * however sudden. ERR_STORE when another node has it. */
MUST_CHECK struct status replay_files_open(const char *folder, struct diag *diag,
                                           struct replay_files **ret_files);
void replay_files_close(struct replay_files *files); /* NULL is fine */

/* Reads all that is there, oldest first. <id>: of the memory to which the files must belong.
 * <take>: is the record needed in <segment>? Its failure is the load's. */
typedef struct status replay_take_fn(void *arg, const struct replay_record *record,
                                     uint32_t segment, struct diag *diag, bool *ret_is_needed);
struct replay_found {
    size_t segments;
    bool is_damaged; /* a record could not be read, or may be missing at an end */
};
MUST_CHECK struct status replay_files_load(struct replay_files *files,
                                           const uint8_t id[REPLAY_ID_BYTES], replay_take_fn *take,
                                           void *arg, struct diag *diag,
                                           struct replay_found *ret_found);

/* What is appended next goes to a new segment, younger than all others. */
MUST_CHECK struct status replay_files_renew(struct replay_files *files, struct diag *diag);

/* So that <n> records (at most REPLAY_APPEND_MAX) fit the youngest segment; how many do is
 * *ret_room. After a load or a renewal. */
MUST_CHECK struct status replay_files_make_room(struct replay_files *files, size_t n,
                                                struct diag *diag, size_t *ret_room);
/* Appends <n> records, not more than there is room for, in one write; they are needed in the
 * youngest segment then. After a failure nothing of them is left in the file; when even that
 * fails, every later call is refused until the process starts anew. */
MUST_CHECK struct status replay_files_append(struct replay_files *files,
                                             const struct replay_record *records, size_t n,
                                             struct diag *diag);
uint32_t replay_files_youngest(const struct replay_files *files);
/* One record of <segment> is not needed any more. */
void replay_files_gone(struct replay_files *files, uint32_t segment);
/* Removes one segment of which nothing is needed, if there is one. True when it did. */
bool replay_files_drop(struct replay_files *files);

uint64_t replay_files_records(const struct replay_files *files); /* in all segments */
size_t replay_files_segments(const struct replay_files *files);

/* All of it is on the disk afterwards. */
MUST_CHECK struct status replay_files_sync(struct replay_files *files, struct diag *diag);

#endif
