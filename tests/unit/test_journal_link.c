/*
 * Records that are linked into the chain by whoever appends, while the disk is at the batch before:
 * the chain is the same, and says the same of what is durable.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>

#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

enum { LATER = 40, LINKED = 32 }; /* in two rows of 16 */

/* ---- a digest that can be made to fail ---- */

static atomic_int fail_digest_at; /* the so-manieth from now; 0: none */

int
EVP_Digest(const void *data, size_t count, unsigned char *md, unsigned int *size,
           const EVP_MD *type, ENGINE *impl)
{
    typedef int digest_function(const void *, size_t, unsigned char *, unsigned int *,
                                const EVP_MD *, ENGINE *);
    digest_function *real = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "EVP_Digest");
    const bool is_due =
        atomic_load(&fail_digest_at) > 0 && atomic_fetch_sub(&fail_digest_at, 1) == 1;
    return is_due ? 0 : real(data, count, md, size, type, impl);
}

/* ---- a journal whose disk is at its first record ---- */

struct busy {
    char dir[PATH_MAX];
    struct journal *journal;
    struct kit_claim first;
    struct kit_claim later[LATER];
};

static void
make_busy(struct busy *busy, const char *name, struct journal_place place,
          struct journal_sizes sizes)
{
    struct diag diag = {0};
    kit_disk_reset();
    (void)snprintf(busy->dir, sizeof(busy->dir), "%s", kit_folder(name));
    place.dir = busy->dir;
    CU_ASSERT_FATAL(CHECK_OK(
        &diag, journal_open_sized(&place, "serve", clock_system(), sizes, &diag, &busy->journal)));
    atomic_store(&kit_disk.is_hanging, true);
    const unsigned before = atomic_load(&kit_disk.fdatasyncs);
    CHECK_OK(&diag, kit_append(busy->journal, 1, 100, &busy->first, &diag));
    for (unsigned looks = 0; atomic_load(&kit_disk.fdatasyncs) == before && unit_wait(&looks);) {
    }
}

static void
append_later(struct busy *busy)
{
    struct diag diag = {0};
    for (size_t i = 0; i < LATER; i++) {
        CHECK_OK(&diag, kit_append(busy->journal, i + 2, 100, &busy->later[i], &diag));
    }
}

static void
let_go(struct busy *busy)
{
    atomic_store(&kit_disk.is_hanging, false);
    kit_claim_wait(&busy->first);
    for (size_t i = 0; i < LATER; i++) {
        kit_claim_wait(&busy->later[i]);
    }
}

/* How many records wait and were linked; how many were not. */
static void
count_waiting(struct journal *journal, size_t *ret_linked, size_t *ret_queued)
{
    *ret_linked = 0;
    (void)pthread_mutex_lock(&journal->linking);
    struct span rest = buf_span(&journal->linked);
    struct record_head head;
    while (record_check(rest, &head) == RECORD_GOOD) {
        rest = span_slice(rest, RECORD_HEAD_BYTES + (size_t)head.length, rest.n);
        (*ret_linked)++;
    }
    CU_ASSERT_EQUAL(rest.n, 0);
    (void)pthread_mutex_unlock(&journal->linking);
    (void)pthread_mutex_lock(&journal->mutex);
    *ret_queued = journal->queue_records;
    (void)pthread_mutex_unlock(&journal->mutex);
}

/* Up to where each record of the only segment says that the chain was durable. */
static void
read_durable(const char *dir, uint64_t *durable, size_t n)
{
    struct buf bytes;
    struct diag diag = {0};
    buf_init(&bytes, 1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&bytes, kit_last_segment(dir, "serve"), &diag));
    struct span rest = span_slice(buf_span(&bytes), SEGMENT_HEAD_BYTES, bytes.n);
    for (size_t i = 0; i < n; i++) {
        struct record_head head;
        CU_ASSERT_EQUAL_FATAL(record_check(rest, &head), RECORD_GOOD);
        durable[i] = head.durable;
        rest = span_slice(rest, RECORD_HEAD_BYTES + (size_t)head.length, rest.n);
    }
    buf_done(&bytes);
}

static void
test_linked_while_the_disk_is_busy(void)
{
    struct busy busy;
    size_t linked = 0;
    size_t queued = 0;
    make_busy(&busy, "busy", (struct journal_place){NULL, NULL}, JOURNAL_SIZES_COMMAND);
    append_later(&busy);
    count_waiting(busy.journal, &linked, &queued);
    CU_ASSERT_EQUAL(linked, LINKED);
    CU_ASSERT_EQUAL(queued, LATER - LINKED);
    CU_ASSERT(!atomic_load(&busy.later[0].is_woken)); /* linked is not durable */
    let_go(&busy);
    journal_close(busy.journal);
    kit_check_whole(busy.dir, LATER + 1);
}

/* Else a damaged record of the batch before could not be told from one that a crash tore. */
static void
test_last_of_a_batch_tells_of_the_one_before(void)
{
    struct busy busy;
    uint64_t durable[LATER + 1];
    make_busy(&busy, "tells", (struct journal_place){NULL, NULL}, JOURNAL_SIZES_COMMAND);
    append_later(&busy);
    let_go(&busy);
    journal_close(busy.journal);
    read_durable(busy.dir, durable, LATER + 1);
    CU_ASSERT_EQUAL(durable[1], 0); /* the first was not yet when it was linked */
    CU_ASSERT_EQUAL(durable[LATER], 1);
}

/* The one that makes a row full is not linked with it. */
static void
test_newest_is_not_linked(void)
{
    struct busy busy;
    struct diag diag = {0};
    uint64_t durable[LINKED + 1];
    size_t linked = 0;
    size_t queued = 0;
    make_busy(&busy, "newest", (struct journal_place){NULL, NULL}, JOURNAL_SIZES_COMMAND);
    for (size_t i = 0; i < LINKED; i++) {
        CHECK_OK(&diag, kit_append(busy.journal, i + 2, 100, &busy.later[i], &diag));
    }
    count_waiting(busy.journal, &linked, &queued);
    CU_ASSERT_EQUAL(linked, LINKED / 2);
    CU_ASSERT_EQUAL(queued, LINKED / 2);
    atomic_store(&kit_disk.is_hanging, false);
    kit_claim_wait(&busy.later[LINKED - 1]);
    journal_close(busy.journal);
    read_durable(busy.dir, durable, LINKED + 1);
    CU_ASSERT_EQUAL(durable[LINKED], 1);
}

static off_t
size_of(const char *folder, uint64_t first)
{
    char path[PATH_MAX];
    struct stat info = {.st_size = 0};
    (void)snprintf(path, sizeof(path), "%.*s/%020llu.seg", PATH_MAX - 32, folder,
                   (unsigned long long)first);
    CU_ASSERT_EQUAL(stat(path, &info), 0);
    return info.st_size;
}

static void
check_sizes(const char *dir, off_t most)
{
    char folder[PATH_MAX];
    struct segment_list list;
    struct diag diag = {0};
    kit_join(folder, dir, "serve");
    CHECK_OK(&diag, segment_list_read(folder, &diag, &list));
    CU_ASSERT(list.n > 1);
    for (size_t i = 0; i < list.n; i++) {
        CU_ASSERT(size_of(folder, list.items[i]) <= most);
    }
    segment_list_done(&list);
}

/* What does not fit into the segment waits for the next one. */
static void
test_end_of_a_segment(void)
{
    struct busy busy;
    make_busy(&busy, "end", (struct journal_place){NULL, NULL},
              (struct journal_sizes){4096, 1024 * 1024, 0, false});
    append_later(&busy);
    let_go(&busy);
    journal_close(busy.journal);
    kit_check_whole(busy.dir, LATER + 1);
    check_sizes(busy.dir, 4096);
}

/* Appends two records of one size to a chain of its own; *ret_end: where the last file ends. */
static size_t
segments_of_two(const char *name, size_t segment_bytes, off_t *ret_end)
{
    const char *const dir = kit_folder(name);
    struct journal *const journal =
        kit_open(dir, (struct journal_sizes){segment_bytes, 1024 * 1024, 0, false});
    char folder[PATH_MAX];
    struct segment_list list;
    struct diag diag = {0};
    CHECK_OK(&diag, kit_append_wait(journal, 1, 1000, &diag));
    CHECK_OK(&diag, kit_append_wait(journal, 2, 1000, &diag));
    journal_close(journal);
    kit_check_whole(dir, 2);
    kit_join(folder, dir, "serve");
    CHECK_OK(&diag, segment_list_read(folder, &diag, &list));
    *ret_end = size_of(folder, list.items[list.n - 1]);
    const size_t n = list.n;
    segment_list_done(&list);
    return n;
}

/* A file that is full to its last byte looks like one that was finished. */
static void
test_last_byte_stays_free(void)
{
    off_t end = 0;
    off_t ignored = 0;
    CU_ASSERT_EQUAL(segments_of_two("roomy", 16384, &end), 1);
    CU_ASSERT_EQUAL(segments_of_two("one-more", (size_t)end + 1, &ignored), 1);
    CU_ASSERT_EQUAL(segments_of_two("exact", (size_t)end, &ignored), 2);
}

static bool
has_number(void *arg, const struct journal_record *record)
{
    uint64_t *const next = arg;
    char number[48];
    (void)snprintf(number, sizeof(number), "\"query_id\":\"%llu\"", (unsigned long long)*next);
    CU_ASSERT(span_find(record->payload, span_of_cstr(number)) != SPAN_MISSING);
    (*next)++;
    return true;
}

/* Also over the end of a segment, each of which has its own key. */
static void
test_encrypted(void)
{
    struct busy busy;
    struct diag diag = {0};
    uint64_t next = 1;
    char text[2 * JOURNAL_KEY_BYTES];
    struct journal_key key = {{0}, {0}};
    memset(text, '7', sizeof(text));
    CHECK_OK(&diag, journal_key_read(span_of(text, sizeof(text)), &diag, &key));
    const struct journal_keys keys = {&key, 1, true};
    make_busy(&busy, "encrypted", (struct journal_place){NULL, &keys},
              (struct journal_sizes){8192, 1024 * 1024, 0, false});
    append_later(&busy);
    let_go(&busy);
    journal_close(busy.journal);
    kit_check_whole(busy.dir, LATER + 1);
    const struct journal_place place = {busy.dir, &keys};
    CHECK_OK(&diag, journal_read(&place, has_number, &next, &diag));
    CU_ASSERT_EQUAL(next, LATER + 2);
}

/* Who links for others is not told of a failure; those whose record it is are. */
static void
test_failure(void)
{
    struct busy busy;
    struct diag diag = {0};
    struct kit_claim more;
    make_busy(&busy, "failure", (struct journal_place){NULL, NULL}, JOURNAL_SIZES_COMMAND);
    atomic_store(&fail_digest_at, 5);
    append_later(&busy);
    CU_ASSERT_EQUAL(atomic_load(&fail_digest_at), 0);
    let_go(&busy);
    CHECK_OK(&diag, journal_ticket_status(busy.journal, &busy.first.ticket, &diag));
    for (size_t i = 0; i < LATER; i++) {
        diag = (struct diag){0};
        CHECK_ERR(&diag, ERR_JOURNAL,
                  journal_ticket_status(busy.journal, &busy.later[i].ticket, &diag));
        CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "SHA-256"));
    }
    CHECK_ERR(&diag, ERR_JOURNAL, kit_append(busy.journal, 99, 100, &more, &diag));
    journal_close(busy.journal);
    kit_check_whole(busy.dir, 1);
}

static const struct unit_test tests[] = {
    {"linked while the disk is busy", test_linked_while_the_disk_is_busy},
    {"the last byte stays free", test_last_byte_stays_free},
    {"the last of a batch tells of the one before", test_last_of_a_batch_tells_of_the_one_before},
    {"the newest is not linked", test_newest_is_not_linked},
    {"the end of a segment", test_end_of_a_segment},
    {"encrypted", test_encrypted},
    {"a failure", test_failure},
};

UNIT_MAIN("journal-link", tests)
