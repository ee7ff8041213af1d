/*
 * The trees of merkle.h. Called by the sealer, by proofs and by verification, each with its own
 * tree.
 */
#include "audit/merkle.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"

#define LEAF_BYTES (1 + SHA256_BYTES)
#define NODE_BYTES (1 + 2 * SHA256_BYTES)

static struct status
hash_leaf(const uint8_t record[SHA256_BYTES], struct diag *diag, uint8_t ret_hash[SHA256_BYTES])
{
    char bytes[LEAF_BYTES] = {0};
    memcpy(bytes + 1, record, SHA256_BYTES);
    return digest_sha256(span_of(bytes, sizeof(bytes)), diag, ret_hash);
}

/* <ret_hash> may be one of the two. */
static struct status
hash_node(const uint8_t left[SHA256_BYTES], const uint8_t right[SHA256_BYTES], struct diag *diag,
          uint8_t ret_hash[SHA256_BYTES])
{
    char bytes[NODE_BYTES] = {1};
    memcpy(bytes + 1, left, SHA256_BYTES);
    memcpy(bytes + 1 + SHA256_BYTES, right, SHA256_BYTES);
    return digest_sha256(span_of(bytes, sizeof(bytes)), diag, ret_hash);
}

/* The tree of n leaves has one complete part for each bit of n. */
static size_t
parts_of(uint64_t n)
{
    size_t parts = 0;
    for (; n != 0; n &= n - 1) {
        parts++;
    }
    return parts;
}

struct status
merkle_add(struct merkle *tree, const uint8_t record[SHA256_BYTES], struct diag *diag)
{
    uint8_t hash[SHA256_BYTES];
    size_t parts = parts_of(tree->n);
    TRY(hash_leaf(record, diag, hash));
    for (uint64_t rest = tree->n; (rest & 1) != 0; rest >>= 1) {
        TRY(hash_node(tree->parts[--parts], hash, diag, hash));
    }
    memcpy(tree->parts[parts], hash, SHA256_BYTES);
    tree->n++;
    return OK;
}

struct status
merkle_root(const struct merkle *tree, struct diag *diag, uint8_t ret_root[SHA256_BYTES])
{
    uint8_t root[SHA256_BYTES];
    size_t parts = parts_of(tree->n);
    if (parts == 0) {
        return digest_sha256(SPAN_EMPTY, diag, ret_root);
    }
    memcpy(root, tree->parts[--parts], SHA256_BYTES);
    while (parts > 0) {
        TRY(hash_node(tree->parts[--parts], root, diag, root));
    }
    memcpy(ret_root, root, SHA256_BYTES);
    return OK;
}

/* ---- paths ---- */

/* All levels together: fewer than two nodes a leaf, and one for each level's odd end. */
static size_t
table_size(size_t n)
{
    size_t size = n;
    while (n > 1) {
        n = n / 2 + n % 2;
        size += n;
    }
    return size;
}

static struct status
fill_level(uint8_t (*level)[SHA256_BYTES], size_t n, struct diag *diag)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        TRY(hash_node(level[i], level[i + 1], diag, level[n + i / 2]));
    }
    if (n % 2 != 0) {
        memcpy(level[n + n / 2], level[n - 1], SHA256_BYTES);
    }
    return OK;
}

static struct status
fill_table(const uint8_t (*records)[SHA256_BYTES], struct merkle_table *table, struct diag *diag)
{
    uint8_t(*level)[SHA256_BYTES] = table->nodes;
    for (size_t i = 0; i < table->n; i++) {
        TRY(hash_leaf(records[i], diag, level[i]));
    }
    for (size_t n = table->n; n > 1; n = n / 2 + n % 2) {
        TRY(fill_level(level, n, diag));
        level += n;
    }
    return OK;
}

struct status
merkle_table_make(const uint8_t (*records)[SHA256_BYTES], size_t n, struct diag *diag,
                  struct merkle_table *ret_table)
{
    assert(n > 0);
    struct merkle_table table = {.nodes = mem_alloc(table_size(n) * SHA256_BYTES), .n = n};
    if (table.nodes == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a tree over %zu records", n);
    }
    const struct status st = fill_table(records, &table, diag);
    if (!is_ok(st)) {
        merkle_table_done(&table);
        return st;
    }
    *ret_table = table;
    return OK;
}

void
merkle_table_done(struct merkle_table *table)
{
    mem_free(table->nodes);
    *table = (struct merkle_table){.n = 0};
}

const uint8_t *
merkle_table_root(const struct merkle_table *table)
{
    return table->nodes[table_size(table->n) - 1];
}

void
merkle_table_path(const struct merkle_table *table, size_t index, struct merkle_path *ret_path)
{
    const uint8_t(*level)[SHA256_BYTES] = (const uint8_t(*)[SHA256_BYTES])table->nodes;
    struct merkle_path path = {0};
    assert(index < table->n);
    for (size_t n = table->n; n > 1; n = n / 2 + n % 2) {
        const size_t beside = index ^ 1;
        if (beside < n) {
            memcpy(path.steps[path.n++], level[beside], SHA256_BYTES);
        }
        level += n;
        index /= 2;
    }
    *ret_path = path;
}

static struct status
not_in(struct diag *diag, uint64_t n, uint64_t index, const char *why)
{
    return FAIL(diag, ERR_JOURNAL,
                "the Merkle path does not show that the record is number %" PRIu64 " of %" PRIu64
                " in the segment: %s",
                index + 1, n, why);
}

/* RFC 9162 section 2.1.3.2. */
struct status
merkle_check(const struct merkle_path *path, uint64_t n, uint64_t index,
             const uint8_t record[SHA256_BYTES], const uint8_t root[SHA256_BYTES],
             struct diag *diag)
{
    uint8_t hash[SHA256_BYTES];
    uint64_t at = index;
    uint64_t last = n - 1;
    if (index >= n || path->n > MERKLE_DEPTH_MAX) {
        return not_in(diag, n, index, "there is no such place");
    }
    TRY(hash_leaf(record, diag, hash));
    for (size_t i = 0; i < path->n; i++) {
        if (last == 0) {
            return not_in(diag, n, index, "it is too long");
        }
        if ((at & 1) != 0 || at == last) {
            TRY(hash_node(path->steps[i], hash, diag, hash));
            while ((at & 1) == 0 && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            TRY(hash_node(hash, path->steps[i], diag, hash));
        }
        at >>= 1;
        last >>= 1;
    }
    if (last != 0) {
        return not_in(diag, n, index, "it is too short");
    }
    return memcmp(hash, root, SHA256_BYTES) == 0
               ? OK
               : not_in(diag, n, index, "it leads to another root");
}
