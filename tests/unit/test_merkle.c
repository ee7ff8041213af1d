/*
 * Merkle trees: the growing tree and the table against RFC 6962's recursive definition, written out
 * here once more; paths of every leaf of every size to 70; and every damage to a path is found.
 */
#include <string.h>

#include "audit/merkle.h"
#include "base/mem.h"
#include "unit.h"

enum { LEAVES = 70 };

static uint8_t records[LEAVES][SHA256_BYTES];

static void
make_records(void)
{
    for (size_t i = 0; i < LEAVES; i++) {
        struct diag diag = {0};
        const char text = (char)i;
        CHECK_OK(&diag, digest_sha256(span_of(&text, 1), &diag, records[i]));
    }
}

/* MTH of RFC 6962 section 2.1, word by word. */
static void
hash_of(size_t from, size_t n, uint8_t ret_hash[SHA256_BYTES])
{
    struct diag diag = {0};
    char bytes[1 + 2 * SHA256_BYTES] = {0};
    size_t used = 1 + SHA256_BYTES;
    size_t k = 1;
    if (n == 1) {
        memcpy(bytes + 1, records[from], SHA256_BYTES);
    } else {
        while (k * 2 < n) {
            k *= 2;
        }
        bytes[0] = 1;
        hash_of(from, k, (uint8_t *)bytes + 1);
        hash_of(from + k, n - k, (uint8_t *)bytes + 1 + SHA256_BYTES);
        used = sizeof(bytes);
    }
    CHECK_OK(&diag, digest_sha256(span_of(bytes, used), &diag, ret_hash));
}

static void
check_root(const uint8_t *got, size_t n)
{
    uint8_t want[SHA256_BYTES];
    hash_of(0, n, want);
    CU_ASSERT(memcmp(got, want, SHA256_BYTES) == 0);
}

static void
test_roots(void)
{
    struct merkle tree = {0};
    uint8_t root[SHA256_BYTES];
    char hex[SHA256_HEX];
    struct diag diag = {0};
    make_records();
    CHECK_OK(&diag, merkle_root(&tree, &diag, root));
    hex_encode(root, SHA256_BYTES, hex);
    CU_ASSERT_STRING_EQUAL(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t n = 1; n <= LEAVES; n++) {
        struct merkle_table table;
        CHECK_OK(&diag, merkle_add(&tree, records[n - 1], &diag));
        CHECK_OK(&diag, merkle_root(&tree, &diag, root));
        check_root(root, n);
        CHECK_OK(&diag,
                 merkle_table_make((const uint8_t(*)[SHA256_BYTES])records, n, &diag, &table));
        check_root(merkle_table_root(&table), n);
        merkle_table_done(&table);
    }
}

static struct status
check(const struct merkle_path *path, size_t n, size_t index, const uint8_t *record,
      const uint8_t *root)
{
    struct diag diag = {0};
    return merkle_check(path, n, index, record, root, &diag);
}

/* A path holds for its leaf, its place and its size, and for no other. */
static void
check_path(const struct merkle_table *table, size_t n, size_t index)
{
    struct merkle_path path;
    const uint8_t *root = merkle_table_root(table);
    merkle_table_path(table, index, &path);
    CU_ASSERT(is_ok(check(&path, n, index, records[index], root)));
    for (size_t other = 0; other < n; other++) {
        const struct status at_other = check(&path, n, other, records[index], root);
        const struct status of_other = check(&path, n, index, records[other], root);
        CU_ASSERT(is_ok(at_other) == (other == index));
        CU_ASSERT(is_ok(of_other) == (other == index));
    }
    CU_ASSERT(check(&path, n, n, records[index], root).code == ERR_JOURNAL);
    for (size_t step = 0; step < path.n; step++) {
        struct merkle_path damaged = path;
        damaged.steps[step][index % SHA256_BYTES] ^= 0x10;
        CU_ASSERT(check(&damaged, n, index, records[index], root).code == ERR_JOURNAL);
    }
    struct merkle_path longer = path;
    longer.n++;
    CU_ASSERT(check(&longer, n, index, records[index], root).code == ERR_JOURNAL);
    if (path.n > 0) {
        struct merkle_path shorter = path;
        shorter.n--;
        CU_ASSERT(check(&shorter, n, index, records[index], root).code == ERR_JOURNAL);
    }
}

static void
test_paths(void)
{
    static const size_t sizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 31, 33, 64, LEAVES};
    make_records();
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct merkle_table table;
        struct diag diag = {0};
        CHECK_OK(&diag, merkle_table_make((const uint8_t(*)[SHA256_BYTES])records, sizes[i], &diag,
                                          &table));
        for (size_t index = 0; index < sizes[i]; index++) {
            check_path(&table, sizes[i], index);
        }
        merkle_table_done(&table);
    }
}

/* A leaf cannot be taken for a node: the domains are apart. */
static void
test_domains(void)
{
    struct merkle two = {0};
    struct merkle one = {0};
    uint8_t root[SHA256_BYTES];
    uint8_t as_leaf[SHA256_BYTES];
    struct diag diag = {0};
    make_records();
    CHECK_OK(&diag, merkle_add(&two, records[0], &diag));
    CHECK_OK(&diag, merkle_add(&two, records[1], &diag));
    CHECK_OK(&diag, merkle_root(&two, &diag, root));
    CHECK_OK(&diag, merkle_add(&one, root, &diag));
    CHECK_OK(&diag, merkle_root(&one, &diag, as_leaf));
    CU_ASSERT(memcmp(root, as_leaf, SHA256_BYTES) != 0);
}

static struct status
make_and_forget(struct diag *diag)
{
    struct merkle_table table;
    TRY(merkle_table_make((const uint8_t(*)[SHA256_BYTES])records, 5, diag, &table));
    merkle_table_done(&table);
    return OK;
}

static void
test_memory(void)
{
    make_records();
    unit_torture(make_and_forget);
}

static const struct unit_test tests[] = {
    {"roots are those of RFC 6962, grown and made at once", test_roots},
    {"a path shows its leaf at its place and nothing else", test_paths},
    {"a root is no leaf", test_domains},
    {"without memory", test_memory},
};
UNIT_MAIN("merkle", tests)
