/*
 * Several chains read as one journal: merged by time, the last records only, followed, one record
 * found, a damaged chain that does not hide the others.
 */
#include "audit/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/chain.h"
#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

#define START INT64_C(1795343400000000)

/* ---- chains with a clock that the test moves ---- */

struct writer {
    struct fake_clock clock;
    struct journal *journal;
};

static void
open_writer(struct writer *writer, const char *dir, const char *chain)
{
    struct diag diag = {0};
    fake_clock_init(&writer->clock, START);
    CHECK_OK(&diag, journal_open_sized(JOURNAL_AT(dir), chain, &writer->clock.clock,
                                       (struct journal_sizes){4096, 65536, 0, false}, &diag,
                                       &writer->journal));
}

static void
write_at(struct writer *writer, int64_t second)
{
    struct diag diag = {0};
    char number[24];
    const struct audit_event event = kit_event(number, (uint64_t)second, SPAN_EMPTY);
    writer->clock.wall_us = START + second * US_PER_S;
    CHECK_OK(&diag, journal_append_wait(writer->journal, &event, &diag));
}

/* What was read, as "chain/sequence chain/sequence ...". */
struct list {
    char text[8192];
    size_t stop_after; /* 0: never */
    size_t n;
};

static bool
note(void *arg, const struct journal_record *record)
{
    struct list *list = arg;
    const size_t used = strlen(list->text);
    (void)snprintf(list->text + used, sizeof(list->text) - used, "%s%s/%" PRIu64,
                   used == 0 ? "" : " ", record->chain, record->sequence);
    list->n++;
    return list->stop_after == 0 || list->n < list->stop_after;
}

static void
check_read(const char *dir, const char *want)
{
    struct list list = {0};
    struct diag diag = {0};
    CHECK_OK(&diag, journal_read(JOURNAL_AT(dir), note, &list, &diag));
    CU_ASSERT_STRING_EQUAL(list.text, want);
}

/* ---- tests ---- */

static void
test_no_journal(void)
{
    struct list list = {0};
    struct diag diag = {0};
    CHECK_ERR(&diag, ERR_JOURNAL,
              journal_read(JOURNAL_AT(kit_folder("nowhere")), note, &list, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "nowhere"));
    CU_ASSERT_EQUAL(mkdir(kit_folder("nothing"), 0700), 0);
    check_read(kit_folder("nothing"), "");
}

static void
test_merged_by_time(void)
{
    char dir[PATH_MAX];
    struct writer a;
    struct writer b;
    struct writer c;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("merged"));
    open_writer(&b, dir, "b");
    open_writer(&a, dir, "a");
    open_writer(&c, dir, "c.never-written");
    write_at(&a, 1);
    write_at(&b, 2);
    write_at(&b, 3);
    write_at(&a, 3); /* the same time: by name */
    write_at(&a, 9);
    write_at(&b, 4);
    write_at(&a, 5); /* the clock went back: a chain keeps its order */
    write_at(&b, 10);
    check_read(dir, "a/1 b/1 a/2 b/2 b/3 a/3 a/4 b/4");
    struct list list = {.stop_after = 3};
    struct diag diag = {0};
    CHECK_OK(&diag, journal_read(JOURNAL_AT(dir), note, &list, &diag));
    CU_ASSERT_STRING_EQUAL(list.text, "a/1 b/1 a/2");
    journal_close(a.journal);
    journal_close(b.journal);
    journal_close(c.journal);
    /* Files and folders that are no chains. */
    (void)mkdir(kit_folder("merged/.hidden"), 0700);
    (void)mkdir(kit_folder("merged/a b"), 0700);
    (void)mkdir(kit_folder("merged/empty"), 0700);
    kit_write_file(kit_folder("merged/README"), SPAN("not a chain"));
    kit_write_file(kit_folder("merged/a/notes.txt"), SPAN("not a segment"));
    check_read(dir, "a/1 b/1 a/2 b/2 b/3 a/3 a/4 b/4");
}

static size_t
read_all(struct journal_reader *reader, struct list *list)
{
    struct diag diag = {0};
    struct journal_record record;
    bool has = true;
    *list = (struct list){0};
    while (CHECK_OK(&diag, journal_reader_next(reader, &diag, &has, &record)) && has) {
        (void)note(list, &record);
    }
    return list->n;
}

static void
test_last_records(void)
{
    char dir[PATH_MAX];
    struct writer a;
    struct writer b;
    struct list list;
    struct diag diag = {0};
    struct journal_reader *reader = NULL;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("last"));
    open_writer(&a, dir, "a");
    open_writer(&b, dir, "b");
    for (int64_t i = 1; i <= 60; i++) { /* several segments */
        write_at(&a, 2 * i);
    }
    write_at(&b, 119);
    CHECK_OK(&diag, journal_reader_open(JOURNAL_AT(dir), 3, &diag, &reader));
    (void)read_all(reader, &list);
    CU_ASSERT_STRING_EQUAL(list.text, "a/58 a/59 b/1 a/60");
    journal_reader_close(reader);
    CHECK_OK(&diag, journal_reader_open(JOURNAL_AT(dir), 0, &diag, &reader));
    CU_ASSERT_EQUAL(read_all(reader, &list), 0);
    write_at(&a, 200);
    (void)read_all(reader, &list);
    CU_ASSERT_STRING_EQUAL(list.text, "a/61");
    journal_reader_close(reader);
    CHECK_OK(&diag, journal_reader_open(JOURNAL_AT(dir), 1000, &diag, &reader));
    CU_ASSERT_EQUAL(read_all(reader, &list), 62);
    journal_reader_close(reader);
    journal_close(a.journal);
    journal_close(b.journal);
}

/* Across segments, through a writer's restart, and with a chain that appears meanwhile. */
static void
test_following(void)
{
    char dir[PATH_MAX];
    struct writer a;
    struct writer b;
    struct list list;
    struct diag diag = {0};
    struct journal_reader *reader = NULL;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("follow"));
    open_writer(&a, dir, "a");
    CHECK_OK(&diag, journal_reader_open(JOURNAL_AT(dir), 0, &diag, &reader));
    for (int64_t i = 1; i <= 40; i++) {
        char want[32];
        write_at(&a, i);
        (void)snprintf(want, sizeof(want), "a/%" PRId64, i);
        CU_ASSERT_EQUAL(read_all(reader, &list), 1);
        CU_ASSERT_STRING_EQUAL(list.text, want);
        CU_ASSERT_EQUAL(read_all(reader, &list), 0);
        if (i % 7 == 0) {
            journal_close(a.journal);
            CU_ASSERT_EQUAL(read_all(reader, &list), 0);
            open_writer(&a, dir, "a");
        }
    }
    open_writer(&b, dir, "b");
    write_at(&b, 50);
    write_at(&b, 51);
    (void)read_all(reader, &list); /* finds the chain ... */
    (void)read_all(reader, &list); /* ... and reads it */
    CU_ASSERT_STRING_EQUAL(list.text, "b/1 b/2");
    journal_reader_close(reader);
    journal_close(a.journal);
    journal_close(b.journal);
}

static void
test_find(void)
{
    char dir[PATH_MAX];
    struct writer a;
    struct diag diag = {0};
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("find"));
    open_writer(&a, dir, "a");
    for (int64_t i = 1; i <= 40; i++) {
        write_at(&a, i);
    }
    for (uint64_t i = 1; i <= 40; i++) {
        struct list list = {0};
        char want[32];
        (void)snprintf(want, sizeof(want), "a/%" PRIu64, i);
        CHECK_OK(&diag, journal_find(JOURNAL_AT(dir), "a", i, note, &list, &diag));
        CU_ASSERT_STRING_EQUAL(list.text, want);
    }
    static const struct {
        const char *chain;
        uint64_t sequence;
    } absent[] = {{"a", 0}, {"a", 41}, {"a", UINT64_MAX}, {"b", 1}, {"..", 1}, {"", 1}};
    for (size_t i = 0; i < ARRAY_LEN(absent); i++) {
        struct list list = {0};
        diag_clear(&diag);
        CHECK_ERR(
            &diag, ERR_NOT_FOUND,
            journal_find(JOURNAL_AT(dir), absent[i].chain, absent[i].sequence, note, &list, &diag));
        CU_ASSERT_EQUAL(list.n, 0);
    }
    journal_close(a.journal);
}

/* The damage of one chain is said once, with the records before it; the other chain goes on. */
static void
test_damaged_chain(void)
{
    struct kit_image image;
    struct writer other;
    struct list list = {0};
    struct diag diag = {0};
    struct journal_reader *reader = NULL;
    struct journal_record record;
    bool has = true;
    int failures = 0;
    kit_image_make(&image, "damaged", true);
    image.bytes.p[image.offsets[3] + RECORD_HEAD_BYTES] ^= 1;
    kit_write_file(image.path, buf_span(&image.bytes));
    open_writer(&other, image.dir, "other");
    write_at(&other, 1000000000); /* after the image's records */
    CHECK_ERR(&diag, ERR_JOURNAL, journal_read(JOURNAL_AT(image.dir), note, &list, &diag));
    CU_ASSERT_STRING_EQUAL(list.text, "serve/1 serve/2 serve/3");
    for (uint64_t last = 2; last <= 8; last += 6) {
        memset(&list, 0, sizeof(list));
        failures = 0;
        has = true;
        diag_clear(&diag);
        CHECK_OK(&diag, journal_reader_open(JOURNAL_AT(image.dir), last, &diag, &reader));
        while (has) {
            diag_clear(&diag);
            if (!is_ok(journal_reader_next(reader, &diag, &has, &record))) {
                CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "record 4:"));
                has = ++failures < 5;
            } else if (has) {
                (void)note(&list, &record);
            }
        }
        CU_ASSERT_EQUAL(failures, 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(list.text, "serve/3 other/1"));
        journal_reader_close(reader);
    }
    journal_close(other.journal);
    buf_done(&image.bytes);
}

static void
seal_type(struct kit_image *image, size_t i, uint32_t type)
{
    struct record_head head;
    struct diag diag = {0};
    uint8_t hash[SHA256_BYTES];
    char *record = image->bytes.p + image->offsets[i];
    const size_t n = (size_t)(image->offsets[i + 1] - image->offsets[i]);
    CU_ASSERT_EQUAL(record_unpack(span_of(record, n), &head), RECORD_GOOD);
    head.type = type;
    record_pack(&head, (uint8_t *)record);
    CHECK_OK(&diag, record_seal(record, n, head.durable, head.previous, &diag, hash));
}

/* A later version's record: verified as any other, and left out of what is shown. */
static void
test_unknown_types(void)
{
    struct kit_image image;
    struct list list = {0};
    struct diag diag = {0};
    kit_image_make(&image, "types", true);
    seal_type(&image, KIT_RECORDS - 1, 4711);
    kit_write_file(image.path, buf_span(&image.bytes));
    kit_check_whole(image.dir, KIT_RECORDS);
    CHECK_OK(&diag, journal_read(JOURNAL_AT(image.dir), note, &list, &diag));
    CU_ASSERT_EQUAL(list.n, KIT_RECORDS - 1);
    kit_check_recovers(image.dir, KIT_RECORDS);
    buf_done(&image.bytes);
}

/* A reader looks, the writer finishes that record and makes the next one, the reader looks further:
 * what it saw first was unfinished, not damaged. */
static struct kit_image unfinished;

static void
finish_writing(off_t offset)
{
    if ((uint64_t)offset == unfinished.offsets[KIT_RECORDS - 2] + RECORD_HEAD_BYTES) {
        kit_disk.on_read = NULL;
        kit_write_file(unfinished.path, buf_span(&unfinished.bytes));
    }
}

static void
test_unfinished_is_no_damage(void)
{
    char half[65536];
    struct kit_count count;
    struct diag diag = {0};
    kit_image_make(&unfinished, "unfinished", false);
    const size_t n = unfinished.bytes.n;
    CU_ASSERT_TRUE_FATAL(n <= sizeof(half));
    memcpy(half, unfinished.bytes.p, n);
    const uint64_t from = unfinished.offsets[KIT_RECORDS - 2] + 100;
    memset(half + from, 0, n - from);
    kit_write_file(unfinished.path, span_of(half, n));
    kit_disk.on_read = finish_writing;
    CHECK_OK(&diag, kit_count_records(unfinished.dir, &diag, &count));
    CU_ASSERT_PTR_NULL(kit_disk.on_read);
    CU_ASSERT_EQUAL(count.records, KIT_RECORDS);
    buf_done(&unfinished.bytes);
}

/* A reader beside a writer that is as fast as it can: it must never see damage, and loses nothing.
 */
struct pressure {
    struct journal *journal;
    atomic_bool is_over;
};

static void *
press(void *arg)
{
    struct pressure *pressure = arg;
    kit_fill(pressure->journal, 1, 1500);
    atomic_store(&pressure->is_over, true);
    return NULL;
}

static void
test_beside_a_writer(void)
{
    enum { READERS_MAX = 100000 };
    char dir[PATH_MAX];
    pthread_t thread;
    struct diag diag = {0};
    struct pressure pressure = {0};
    struct kit_count count = {0};
    int reads = 0;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("beside"));
    pressure.journal = kit_open(dir, (struct journal_sizes){4096, 65536, 0, false});
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, press, &pressure), 0);
    while (!atomic_load(&pressure.is_over) && reads < READERS_MAX) {
        const uint64_t before = count.records;
        if (!CHECK_OK(&diag, kit_count_records(dir, &diag, &count))) {
            break;
        }
        CU_ASSERT_TRUE(count.records >= before);
        CU_ASSERT_TRUE(count.records >= before && count.last_sequence == count.records);
        reads++;
    }
    (void)pthread_join(thread, NULL);
    journal_close(pressure.journal);
    CHECK_OK(&diag, kit_count_records(dir, &diag, &count));
    CU_ASSERT_EQUAL(count.records, 1500);
    printf("%d reads ... ", reads);
}

static const struct unit_test tests[] = {
    {"no journal, and an empty one", test_no_journal},
    {"chains are merged by time", test_merged_by_time},
    {"the last records only", test_last_records},
    {"following", test_following},
    {"one record", test_find},
    {"a damaged chain hides no other", test_damaged_chain},
    {"records of unknown types", test_unknown_types},
    {"what is being written is no damage", test_unfinished_is_no_damage},
    {"beside a writer", test_beside_a_writer},
};
UNIT_MAIN("journal reader", tests)
