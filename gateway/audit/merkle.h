/*
 * Merkle trees over the hashes of records, as RFC 6962 section 2.1 builds them: a leaf is
 * SHA-256(00 || record's hash), a node SHA-256(01 || left || right). One root stands for a whole
 * segment, and a path of some twenty hashes shows that one record is in it, without the others.
 *
 * Pure functions over memory; a tree belongs to one thread at a time.
 */
#ifndef AUDIT_MERKLE_H
#define AUDIT_MERKLE_H

#include "base/digest.h"

#define MERKLE_DEPTH_MAX 64

/* A tree that grows: the roots of its complete parts, the largest first. Zeroed: an empty one. */
struct merkle {
    uint64_t n; /* leaves */
    uint8_t parts[MERKLE_DEPTH_MAX][SHA256_BYTES];
};
/* Only the digest can fail; the tree is unchanged then. */
MUST_CHECK struct status merkle_add(struct merkle *tree, const uint8_t record[SHA256_BYTES],
                                    struct diag *diag);
/* Of an empty tree: SHA-256 of nothing. */
MUST_CHECK struct status merkle_root(const struct merkle *tree, struct diag *diag,
                                     uint8_t ret_root[SHA256_BYTES]);

/* What stands beside the way from one leaf to the root, from below (RFC 6962 section 2.1.1). */
struct merkle_path {
    size_t n;
    uint8_t steps[MERKLE_DEPTH_MAX][SHA256_BYTES];
};
/* Every node of a finished tree, for many paths of it. Owner: whoever made it. */
struct merkle_table {
    uint8_t (*nodes)[SHA256_BYTES]; /* level by level, leaves first; an odd last one moves up */
    size_t n;                       /* leaves */
};
/* <records>: the hashes of all <n> of them, at least one. ERR_NO_MEMORY. */
MUST_CHECK struct status merkle_table_make(const uint8_t (*records)[SHA256_BYTES], size_t n,
                                           struct diag *diag, struct merkle_table *ret_table);
void merkle_table_done(struct merkle_table *table);
const uint8_t *merkle_table_root(const struct merkle_table *table); /* SHA256_BYTES, borrowed */
/* <index> < table->n */
void merkle_table_path(const struct merkle_table *table, size_t index,
                       struct merkle_path *ret_path);
/* ERR_JOURNAL: that record is not leaf <index> of the tree of <n> leaves with this root, or the
 * path has not the length that it must have. */
MUST_CHECK struct status merkle_check(const struct merkle_path *path, uint64_t n, uint64_t index,
                                      const uint8_t record[SHA256_BYTES],
                                      const uint8_t root[SHA256_BYTES], struct diag *diag);

#endif
