/*
 * The replay memory of a store that one node serves: a table in memory (replay_table.h) and its
 * records in files (replay_file.h). The store's engine opens it when a node starts to accept
 * messages and tells it what its own database knows: the memory's id, and when keys were lost.
 *
 * A message's keys are in the file, by one write, before replay_memory_remember answers; when that
 * fails they are not in the table either. Bounds: a call removes at most REPLAY_FORGET_MAX expired
 * keys, evicts at most REPLAY_EVICT_MAX, looks at REPLAY_MOVE_STEPS slots of the table for keys
 * that are to be written anew, and removes one file. Files hold at most about three times the keys
 * that are remembered, 64 bytes each, and 2 MB.
 *
 * Thread: any for replay_memory_remember (one lock around it: a microsecond or few); the others are
 * its owner's, before the first and after the last message.
 */
#ifndef STORE_REPLAY_MEMORY_H
#define STORE_REPLAY_MEMORY_H

#include "base/clock.h"
#include "store/replay.h"
#include "store/replay_file.h"

#define REPLAY_FORGET_MAX 64 /* more than come in, so that they go */
#define REPLAY_EVICT_MAX  64
#define REPLAY_MOVE_STEPS 64

struct replay_memory;

/* Takes the folder's lock; ERR_STORE when another node has it. <clock> outlives the memory. */
MUST_CHECK struct status replay_memory_open(const char *folder, const struct clock *clock,
                                            struct diag *diag, struct replay_memory **ret_memory);
void replay_memory_close(struct replay_memory *memory); /* NULL is fine */

/* Reads what the folder has. <is_new>: there should be nothing. *ret_is_lost: keys of this memory
 * may be missing; the engine notes that before it goes on. */
MUST_CHECK struct status replay_memory_load(struct replay_memory *memory,
                                            const uint8_t id[REPLAY_ID_BYTES], bool is_new,
                                            struct diag *diag, bool *ret_is_lost);
/* Accepts messages from here on. <lost_us>: keys of messages created before may be lost; 0: none.
 * What was damaged is written anew and removed. */
MUST_CHECK struct status replay_memory_begin(struct replay_memory *memory, int64_t lost_us,
                                             struct diag *diag);
/* As replay_remember. */
MUST_CHECK struct status replay_memory_remember(struct replay_memory *memory,
                                                const struct replay_message *message,
                                                struct diag *diag,
                                                struct replay_result *ret_result);
/* All of it is on the disk afterwards. */
MUST_CHECK struct status replay_memory_sync(struct replay_memory *memory, struct diag *diag);

/* For tests and measurements. */
struct replay_memory_counts {
    size_t keys, segments;
    uint64_t records;
};
struct replay_memory_counts replay_memory_count(struct replay_memory *memory);

#endif
