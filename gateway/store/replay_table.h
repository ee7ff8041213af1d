/*
 * What must not come twice, in memory: (owner, digest) -> until when, for the replay memory of a
 * store of one node (replay_memory.h), which holds its lock around every call. Thread: one at a
 * time. No I/O, no clock but the times that it is given.
 *
 * Costs. A look-up, an insertion and a removal take O(log n) at worst, and nothing is ever done to
 * all keys at once: the hash table grows by a bucket for each key (linear hashing), the order of
 * expiry is a leftist heap for each owner. A key takes 68 bytes (an entry of 64 and a bucket of 4).
 * Room that was used once is kept for later keys, so the table is as large as its largest moment:
 * 7 MB for each 100,000 keys.
 *
 * An owner can choose its digests (it may try values until their SHA-256 begins as it likes), so
 * the buckets go by a hash with a secret of this process.
 */
#ifndef STORE_REPLAY_TABLE_H
#define STORE_REPLAY_TABLE_H

#include "base/diag.h"
#include "base/digest.h"

#define REPLAY_OWNER_BYTES 16

struct replay_table;

/* Called within a call of the table for each key that leaves its place: expired, evicted, replaced
 * or moved. */
typedef void replay_gone_fn(void *arg, uint32_t place);

MUST_CHECK struct status replay_table_new(replay_gone_fn *gone, void *arg, struct diag *diag,
                                          struct replay_table **ret_table);
void replay_table_free(struct replay_table *table); /* NULL is fine */

/* The number of an owner, a new one when it is not known; it is never given up. */
MUST_CHECK struct status replay_table_owner(struct replay_table *table,
                                            const uint8_t id[REPLAY_OWNER_BYTES], struct diag *diag,
                                            uint32_t *ret_owner);
size_t replay_table_count(const struct replay_table *table);                       /* keys */
size_t replay_table_owner_count(const struct replay_table *table, uint32_t owner); /* its keys */

/* False when it is not there. */
bool replay_table_find(const struct replay_table *table, uint32_t owner,
                       const uint8_t digest[SHA256_BYTES], int64_t *ret_until_us);

/* Afterwards <n> keys can be put without a failure. ERR_NO_MEMORY. */
MUST_CHECK struct status replay_table_reserve(struct replay_table *table, size_t n,
                                              struct diag *diag);
/* <place>: the caller's, not 0. A key that is there is replaced. */
void replay_table_put(struct replay_table *table, uint32_t owner,
                      const uint8_t digest[SHA256_BYTES], int64_t until_us, uint32_t place);

/* Removes expired keys (until_us <= now_us), anybody's in turn, at most <most>. */
void replay_table_forget(struct replay_table *table, int64_t now_us, size_t most);
/* Removes the owner's keys that expire first, at most <most>; how many had not expired. */
size_t replay_table_evict(struct replay_table *table, uint32_t owner, int64_t now_us, size_t most);

/* ---- walking through all keys ---- */
struct replay_seen {
    uint32_t slot; /* for replay_table_move, until the next call that changes the table */
    const uint8_t *digest, *owner_id;
    int64_t until_us;
};
/* The next key whose place is at most <last_place>; looks at no more than *steps slots and takes
 * what it looked at from it. *cursor is 0 at first. False: none within *steps; when some of *steps
 * are left, there is none further on. Keys that are put meanwhile may be left out. */
bool replay_table_next(const struct replay_table *table, uint32_t last_place, uint32_t *cursor,
                       size_t *steps, struct replay_seen *ret_seen);
/* The key in <slot> has another place now. */
void replay_table_move(struct replay_table *table, uint32_t slot, uint32_t place);

#endif
