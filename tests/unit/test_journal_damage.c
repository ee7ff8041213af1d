/*
 * What the journal's readers and its next writer make of files that somebody damaged or changed:
 * found wherever it is, named, and never written over.
 */
#include "audit/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

/* ---- damage ---- */

static bool
names_record(const char *problem, uint64_t sequence)
{
    char want[32];
    (void)snprintf(want, sizeof(want), "record %" PRIu64 ":", sequence);
    return strstr(problem, want) != NULL;
}

/* Every bit of every byte would be 60 000 files; each byte with one bit, chosen by its place, shows
 * every member of every record. */
static void
check_flips(const char *name, bool is_closed)
{
    struct kit_image image;
    kit_image_make(&image, name, is_closed);
    size_t record = 0;
    for (uint64_t at = 0; at < image.offsets[KIT_RECORDS]; at++) {
        const char before = image.bytes.p[at];
        while (record < KIT_RECORDS && at >= image.offsets[record]) {
            record++; /* from 1; 0: the segment's head */
        }
        image.bytes.p[at] = (char)(before ^ (1 << (at % 8)));
        kit_write_file(image.path, buf_span(&image.bytes));
        const struct kit_verdict verdict = kit_verify(image.dir);
        const bool is_last = record == KIT_RECORDS;
        if (is_last && !is_closed) {
            /* Cannot be told from a write that a crash tore: see README.md. */
            CU_ASSERT_TRUE(verdict.is_torn && verdict.records == KIT_RECORDS - 1);
        } else if (record == 0) {
            CU_ASSERT_TRUE(verdict.has_problem && verdict.records == 0);
            CU_ASSERT_PTR_NOT_NULL(strstr(verdict.problem, "head"));
        } else if (!verdict.has_problem || !names_record(verdict.problem, record) ||
                   verdict.records != record - 1) {
            printf("\n    byte %" PRIu64 " of record %zu: %s\n", at, record, verdict.problem);
            CU_FAIL("a flipped bit was not found");
        }
        if ((at % 64 == 0 || at + 1 == image.offsets[record]) && !(is_last && !is_closed)) {
            kit_check_refused(image.dir);
        }
        image.bytes.p[at] = before;
    }
    kit_write_file(image.path, buf_span(&image.bytes));
    kit_check_recovers(image.dir, KIT_RECORDS);
    buf_done(&image.bytes);
}

static void
test_flips_closed(void)
{
    check_flips("flips-closed", true);
}

static void
test_flips_live(void)
{
    check_flips("flips-live", false);
}

/* Somebody who knows the format changes a payload and its CRC: the next record tells. */
static void
test_forged_payload(void)
{
    struct kit_image image;
    struct record_head head;
    uint8_t hash[SHA256_BYTES];
    struct diag diag = {0};
    kit_image_make(&image, "forged", true);
    char *record = image.bytes.p + image.offsets[3];
    const size_t n = (size_t)(image.offsets[4] - image.offsets[3]);
    CU_ASSERT_EQUAL(record_unpack(span_of(record, n), &head), RECORD_GOOD);
    record[n - 3] = 'y';
    CHECK_OK(&diag, record_seal(record, n, head.durable, head.previous, &diag, hash));
    CU_ASSERT_EQUAL(record_check(span_of(record, n), &head), RECORD_GOOD);
    kit_write_file(image.path, buf_span(&image.bytes));
    const struct kit_verdict verdict = kit_verify(image.dir);
    CU_ASSERT_TRUE(verdict.has_problem && names_record(verdict.problem, 5));
    CU_ASSERT_PTR_NOT_NULL(strstr(verdict.problem, "hash of the record before"));
    kit_check_refused(image.dir);
    buf_done(&image.bytes);
}

static void
test_record_cut_out(void)
{
    struct kit_image image;
    kit_image_make(&image, "cut-out", true);
    const size_t n = (size_t)(image.offsets[3] - image.offsets[2]);
    memmove(image.bytes.p + image.offsets[2], image.bytes.p + image.offsets[3],
            image.bytes.n - image.offsets[3]);
    kit_write_file(image.path, span_slice(buf_span(&image.bytes), 0, image.bytes.n - n));
    const struct kit_verdict verdict = kit_verify(image.dir);
    CU_ASSERT_TRUE(verdict.has_problem && names_record(verdict.problem, 3));
    CU_ASSERT_PTR_NOT_NULL(strstr(verdict.problem, "its sequence is 4"));
    buf_done(&image.bytes);
}

/* A closed file that ends inside a record was cut later; at a record's end nothing shows it. */
static void
test_shortened_file(void)
{
    struct kit_image image;
    kit_image_make(&image, "shortened", true);
    for (uint64_t end = image.offsets[KIT_RECORDS - 1] + 1; end < image.offsets[KIT_RECORDS];
         end++) {
        kit_write_file(image.path, span_slice(buf_span(&image.bytes), 0, end));
        const struct kit_verdict verdict = kit_verify(image.dir);
        CU_ASSERT_TRUE(verdict.has_problem && names_record(verdict.problem, KIT_RECORDS));
    }
    kit_check_refused(image.dir);
    kit_write_file(image.path,
                   span_slice(buf_span(&image.bytes), 0, image.offsets[KIT_RECORDS - 1]));
    kit_check_whole(image.dir, KIT_RECORDS - 1);
    buf_done(&image.bytes);
}

/* A record in the middle that was durable becomes zeros: later ones prove that it was there. */
static void
test_hole(void)
{
    struct kit_image image;
    kit_image_make(&image, "hole", false);
    memset(image.bytes.p + image.offsets[4], 0, image.offsets[5] - image.offsets[4]);
    kit_write_file(image.path, buf_span(&image.bytes));
    const struct kit_verdict verdict = kit_verify(image.dir);
    CU_ASSERT_TRUE(verdict.has_problem && names_record(verdict.problem, 5));
    CU_ASSERT_PTR_NOT_NULL(strstr(verdict.problem, "proves"));
    kit_check_refused(image.dir);
    buf_done(&image.bytes);
}

static void
segment_path(char to[PATH_MAX], const char *folder, uint64_t first)
{
    char name[SEGMENT_NAME_BYTES];
    (void)snprintf(name, sizeof(name), "%020" PRIu64 ".seg", first);
    kit_join(to, folder, name);
}

static void
test_missing_segments(void)
{
    char dir[PATH_MAX];
    char folder[PATH_MAX];
    char path[PATH_MAX];
    struct segment_list list;
    struct diag diag = {0};
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("missing"));
    struct journal *journal = kit_open(dir, (struct journal_sizes){2048, 65536, 0, false});
    kit_fill(journal, 1, 30);
    journal_close(journal);
    kit_check_whole(dir, 30);
    (void)snprintf(folder, sizeof(folder), "%s", kit_folder("missing/serve"));
    CHECK_OK(&diag, segment_list_read(folder, &diag, &list));
    CU_ASSERT_TRUE_FATAL(list.n >= 4);
    segment_path(path, folder, list.items[1]);
    CU_ASSERT_EQUAL(unlink(path), 0);
    struct kit_verdict verdict = kit_verify(dir);
    CU_ASSERT_TRUE(verdict.has_problem && names_record(verdict.problem, list.items[1]));
    CU_ASSERT_EQUAL(verdict.records, list.items[1] - 1);
    /* Without the first too, what is left is whole, but nobody signed for its later beginning. */
    segment_path(path, folder, list.items[0]);
    CU_ASSERT_EQUAL(unlink(path), 0);
    verdict = kit_verify(dir);
    CU_ASSERT_EQUAL(verdict.records, 30 - (list.items[2] - 1));
    CU_ASSERT_TRUE(verdict.has_problem);
    CU_ASSERT_PTR_NOT_NULL(strstr(verdict.problem, "no signed removal in the chain says so"));
    /* A segment under another's name. */
    char other[PATH_MAX];
    segment_path(path, folder, list.items[2]);
    segment_path(other, folder, 1);
    CU_ASSERT_EQUAL(rename(path, other), 0);
    verdict = kit_verify(dir);
    CU_ASSERT_TRUE(verdict.has_problem);
    CU_ASSERT_PTR_NOT_NULL(strstr(verdict.problem, "not to its name"));
    segment_list_done(&list);
}

/* Any bytes anywhere, in lengths and sequences too: found, and never followed out of the file. */
static void
test_random_damage(void)
{
    enum { ROUNDS = 400, BYTES_MAX = 16 };
    struct kit_image image;
    unsigned random = 20261122;
    kit_image_make(&image, "random", true);
    char bytes[65536];
    CU_ASSERT_TRUE_FATAL(image.bytes.n <= sizeof(bytes));
    for (unsigned round = 0; round < ROUNDS; round++) {
        memcpy(bytes, image.bytes.p, image.bytes.n);
        random = random * 1664525U + 1013904223U;
        const size_t at = (random >> 8) % image.bytes.n;
        const size_t n = 1 + round % BYTES_MAX;
        for (size_t i = at; i < at + n && i < image.bytes.n; i++) {
            random = random * 1664525U + 1013904223U;
            bytes[i] = (char)(random >> 16);
        }
        bytes[at] = (char)(image.bytes.p[at] ^ (char)(1U << (round % 8)));
        kit_write_file(image.path, span_of(bytes, image.bytes.n));
        const struct kit_verdict verdict = kit_verify(image.dir);
        CU_ASSERT_TRUE(verdict.has_problem && verdict.records < KIT_RECORDS);
        if (round % 20 == 0) {
            kit_check_refused(image.dir);
        }
    }
    buf_done(&image.bytes);
}

static const struct unit_test tests[] = {
    {"a flipped bit anywhere in a closed chain", test_flips_closed},
    {"a flipped bit anywhere in a chain in use", test_flips_live},
    /* REQ: ITI20-unbroken */
    {"any damage anywhere", test_random_damage},
    {"a payload with a forged CRC", test_forged_payload},
    {"a record cut out", test_record_cut_out},
    {"a closed file shortened", test_shortened_file},
    {"a durable record turned to zeros", test_hole},
    {"segments missing or renamed", test_missing_segments},
};
UNIT_MAIN("journal damage", tests)
