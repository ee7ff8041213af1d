/*
 * What the journal finds after a crash: torn ends are cut, nothing acknowledged is lost. Crashes
 * are real ones (kill -9) and simulated power cuts, in which any part of what was not synced may be
 * missing.
 */
#include "audit/journal.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

/* ---- torn ends ---- */

/* A crash may leave any beginning of the last write, and anything in the blocks behind it. */
static void
test_torn_ends(void)
{
    struct kit_image image;
    kit_image_make(&image, "torn", false);
    const uint64_t last = image.offsets[KIT_RECORDS - 1];
    const size_t n = (size_t)(image.offsets[KIT_RECORDS] - last);
    char record[4096];
    CU_ASSERT_TRUE_FATAL(n <= sizeof(record));
    memcpy(record, image.bytes.p + last, n);
    for (size_t kept = 0; kept < n; kept += kept < RECORD_HEAD_BYTES ? 1 : 7) {
        memset(image.bytes.p + last, 0, n);
        memcpy(image.bytes.p + last, record, kept);
        kit_write_file(image.path, buf_span(&image.bytes));
        const struct kit_verdict verdict = kit_verify(image.dir);
        CU_ASSERT_FALSE(verdict.has_problem);
        CU_ASSERT_EQUAL(verdict.records, KIT_RECORDS - 1);
        CU_ASSERT_EQUAL(verdict.is_torn, kept > 0);
        kit_check_recovers(image.dir, KIT_RECORDS - 1);
    }
    memset(image.bytes.p + last, 0xA5, n + 1000);
    kit_write_file(image.path, buf_span(&image.bytes));
    CU_ASSERT_TRUE(kit_verify(image.dir).is_torn);
    kit_check_recovers(image.dir, KIT_RECORDS - 1);
    buf_done(&image.bytes);
}

/* Records of one batch, none of them acknowledged: the first is lost, the others are whole. That is
 * what a power cut leaves, not damage; the batch is cut. */
static void
test_torn_batch(void)
{
    enum { BATCH = 5 };
    char dir[PATH_MAX];
    char path[PATH_MAX];
    struct kit_claim claims[BATCH + 1];
    struct buf bytes;
    struct diag diag = {0};
    struct record_head head;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("torn-batch"));
    struct journal *journal = kit_open(dir, KIT_SIZES);
    kit_fill(journal, 1, 3);
    atomic_store(&kit_disk.is_hanging, true);
    for (uint64_t i = 0; i <= BATCH; i++) { /* 4 alone, then 5 to 9 in one batch */
        char number[24];
        const struct audit_event event = kit_event(number, i, SPAN_EMPTY);
        kit_claim_init(&claims[i]);
        CHECK_OK(&diag, journal_append(journal, &event, &claims[i].park, &diag, &claims[i].ticket));
        for (unsigned looks = 0;
             i == 0 && atomic_load(&kit_disk.fdatasyncs) < 4 && unit_wait(&looks);) {
        }
    }
    atomic_store(&kit_disk.is_hanging, false);
    kit_claim_wait(&claims[BATCH]);
    (void)snprintf(path, sizeof(path), "%s", kit_last_segment(dir, "serve"));
    buf_init(&bytes, 1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&bytes, path, &diag));
    journal_close(journal);
    uint64_t offset = SEGMENT_HEAD_BYTES;
    for (int i = 1; i <= 4; i++) {
        CU_ASSERT_EQUAL_FATAL(record_check(span_slice(buf_span(&bytes), offset, bytes.n), &head),
                              RECORD_GOOD);
        offset += RECORD_HEAD_BYTES + (uint64_t)head.length;
    }
    memset(bytes.p + offset, 0, RECORD_HEAD_BYTES); /* record 5 */
    kit_write_file(path, buf_span(&bytes));
    const struct kit_verdict verdict = kit_verify(dir);
    CU_ASSERT_FALSE(verdict.has_problem);
    CU_ASSERT_TRUE(verdict.is_torn && verdict.records == 4);
    kit_check_recovers(dir, 4);
    buf_done(&bytes);
}

/* What a crash leaves between two segments. */
static void
test_crash_at_rotation(void)
{
    struct kit_image image;
    kit_image_make(&image, "rotation", true); /* finished, and its successor was not made */
    char path[PATH_MAX];
    kit_join(path, image.dir, "serve/new.tmp");
    kit_write_file(path, SPAN("half a segment"));
    kit_check_recovers(image.dir, KIT_RECORDS);
    CU_ASSERT_EQUAL(kit_verify(image.dir).chains, 1);
    buf_done(&image.bytes);
}

/* ---- power cuts ---- */

enum { CUT_BYTES = 256 * 1024, CUTS = 60, SECTOR = 512, CUT_THREADS = 12, CUT_EACH = 30 };

struct cut {
    uint64_t acknowledged; /* by the time of the cut */
};

static struct {
    char bytes[CUT_BYTES]; /* the medium: what an fdatasync has put there */
    struct {
        off_t offset;
        size_t n;
    } pending[64]; /* written since; the bytes are in <cache> */
    size_t pending_n;
    char cache[CUT_BYTES]; /* what the kernel has */
    struct cut cuts[CUTS];
    size_t cuts_n;
    unsigned random;
} medium;

static unsigned
next_random(void)
{
    medium.random = medium.random * 1664525U + 1013904223U;
    return medium.random >> 8;
}

/* The medium with any subset of the sectors that were written since the last fdatasync. */
static void
cut_power(void)
{
    static char image[CUT_BYTES];
    char name[32];
    memcpy(image, medium.bytes, sizeof(image));
    const unsigned mode = next_random() % 3; /* most, half or few of the sectors made it */
    for (size_t i = 0; i < medium.pending_n; i++) {
        const size_t first = (size_t)medium.pending[i].offset / SECTOR;
        const size_t last = ((size_t)medium.pending[i].offset + medium.pending[i].n - 1) / SECTOR;
        for (size_t s = first; s <= last; s++) {
            if (next_random() % 4 > mode) {
                memcpy(image + s * SECTOR, medium.cache + s * SECTOR, SECTOR);
            }
        }
    }
    (void)snprintf(name, sizeof(name), "cut-%zu", medium.cuts_n);
    medium.cuts[medium.cuts_n++] = (struct cut){atomic_load(&kit_disk.synced)};
    kit_write_file(kit_folder(name), span_of(image, sizeof(image)));
}

static void
medium_write(int fd, const void *bytes, size_t n, off_t offset)
{
    (void)fd;
    CU_ASSERT_TRUE_FATAL(medium.pending_n < ARRAY_LEN(medium.pending));
    CU_ASSERT_TRUE_FATAL((size_t)offset + n <= CUT_BYTES);
    memcpy(medium.cache + offset, bytes, n);
    medium.pending[medium.pending_n].offset = offset;
    medium.pending[medium.pending_n].n = n;
    medium.pending_n++;
    if (medium.cuts_n < CUTS && n > SECTOR) {
        cut_power();
    }
}

static void
medium_sync(int fd)
{
    (void)fd;
    memcpy(medium.bytes, medium.cache, sizeof(medium.bytes));
    medium.pending_n = 0;
}

static void *
run_cut_thread(void *arg)
{
    for (uint64_t i = 0; i < CUT_EACH; i++) {
        struct diag diag = {0};
        char number[24];
        const struct audit_event event = kit_event(number, i, kit_padding(i * 37 % 300));
        if (!is_ok(journal_append_wait(arg, &event, &diag))) {
            return arg;
        }
    }
    return NULL;
}

static void
check_cut(size_t i, const char *name)
{
    char dir[PATH_MAX];
    char folder[PATH_MAX];
    char from[PATH_MAX];
    char to[PATH_MAX];
    char cut[32];
    struct kit_count count;
    struct diag diag = {0};
    (void)snprintf(cut, sizeof(cut), "cut-%zu", i);
    (void)snprintf(from, sizeof(from), "%s", kit_folder(cut));
    (void)snprintf(cut, sizeof(cut), "after-cut-%zu", i);
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder(cut));
    kit_join(folder, dir, "serve");
    CU_ASSERT_EQUAL_FATAL(mkdir(dir, 0700), 0);
    CU_ASSERT_EQUAL_FATAL(mkdir(folder, 0700), 0);
    kit_join(to, folder, name);
    CU_ASSERT_EQUAL_FATAL(rename(from, to), 0);
    struct journal *journal = kit_open(dir, KIT_SIZES);
    CHECK_OK(&diag, kit_count_records(dir, &diag, &count));
    if (count.records < medium.cuts[i].acknowledged) {
        printf("\n    cut %zu: %" PRIu64 " records were acknowledged, %" PRIu64 " are left\n", i,
               medium.cuts[i].acknowledged, count.records);
        CU_FAIL("an acknowledged record was lost");
    }
    kit_fill(journal, 1, 1);
    journal_close(journal);
    kit_check_whole(dir, count.records + 1);
}

static void
test_power_cuts(void)
{
    pthread_t threads[CUT_THREADS];
    char dir[PATH_MAX];
    char name[SEGMENT_NAME_BYTES];
    struct journal *journal = NULL;
    struct diag diag = {0};
    struct buf head;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("power"));
    CHECK_OK(&diag, journal_open_sized(JOURNAL_AT(dir), "serve", clock_system(),
                                       (struct journal_sizes){CUT_BYTES, 1024 * 1024, 0, false},
                                       &diag, &journal));
    buf_init(&head, 1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&head, kit_last_segment(dir, "serve"), &diag));
    CU_ASSERT_EQUAL_FATAL(head.n, CUT_BYTES);
    memset(&medium, 0, sizeof(medium));
    medium.random = 20261122;
    memcpy(medium.bytes, head.p, head.n);
    memcpy(medium.cache, head.p, head.n);
    buf_done(&head);
    kit_disk.on_write = medium_write;
    kit_disk.on_sync = medium_sync;
    atomic_store(&kit_disk.sync_delay_us, 500);
    for (size_t i = 0; i < CUT_THREADS; i++) {
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, run_cut_thread, journal), 0);
    }
    for (size_t i = 0; i < CUT_THREADS; i++) {
        void *failed = NULL;
        (void)pthread_join(threads[i], &failed);
        CU_ASSERT_PTR_NULL(failed);
    }
    journal_close(journal);
    kit_disk_reset();
    CU_ASSERT_TRUE(medium.cuts_n >= CUTS / 4);
    (void)snprintf(name, sizeof(name), "%020d.seg", 1);
    for (size_t i = 0; i < medium.cuts_n; i++) {
        check_cut(i, name);
    }
    printf("%zu cuts ... ", medium.cuts_n);
}

/* ---- kill -9 ---- */

enum { KILLS = 40, KILL_THREADS = 4 };

struct acknowledgement {
    uint64_t sequence;
    uint64_t value;
};

struct victim {
    struct journal *journal;
    int pipe;
    uint64_t number;
};

static void *
run_victim(void *arg)
{
    const struct victim *victim = arg;
    for (uint64_t i = 0;; i++) {
        struct diag diag = {0};
        struct kit_claim claim;
        char number[24];
        const uint64_t value = victim->number * 1000000 + i;
        const struct audit_event event = kit_event(number, value, kit_padding(value * 31 % 5000));
        kit_claim_init(&claim);
        if (!is_ok(journal_append(victim->journal, &event, &claim.park, &diag, &claim.ticket))) {
            _exit(3);
        }
        kit_claim_wait(&claim);
        const struct acknowledgement acknowledgement = {claim.ticket.sequence, value};
        if (!is_ok(journal_ticket_status(victim->journal, &claim.ticket, &diag)) ||
            write(victim->pipe, &acknowledgement, sizeof(acknowledgement)) == -1) {
            _exit(4);
        }
    }
    return NULL;
}

static void
be_victim(const char *dir, int pipe)
{
    struct victim victims[KILL_THREADS];
    pthread_t threads[KILL_THREADS];
    struct diag diag = {0};
    struct journal *journal = NULL;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!is_ok(journal_open_sized(JOURNAL_AT(dir), "serve", clock_system(),
                                  (struct journal_sizes){65536, 1024 * 1024, 0, false}, &diag,
                                  &journal))) {
        _exit(2);
    }
    for (size_t i = 0; i < KILL_THREADS; i++) {
        victims[i] = (struct victim){journal, pipe, i + 1};
        if (pthread_create(&threads[i], NULL, run_victim, &victims[i]) != 0) {
            _exit(5);
        }
    }
    for (;;) {
        (void)pause();
    }
}

struct expected {
    struct acknowledgement *items;
    size_t n, found;
};

static bool
check_expected(void *arg, const struct journal_record *record)
{
    struct expected *expected = arg;
    for (size_t i = 0; i < expected->n; i++) {
        if (expected->items[i].sequence == record->sequence) {
            struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
            struct diag diag = {0};
            struct audit_event event;
            char want[24];
            (void)snprintf(want, sizeof(want), "%" PRIu64, expected->items[i].value);
            CHECK_OK(&diag, audit_event_decode(record->payload, arena, &diag, &event));
            CHECK_SPAN(event.query_id, want);
            arena_free(arena);
            expected->found++;
        }
    }
    return true;
}

static void
kill_once(const char *dir, unsigned wait_us, size_t *total)
{
    static struct acknowledgement acknowledgements[100000];
    struct expected expected = {.items = acknowledgements};
    struct diag diag = {0};
    int ends[2];
    int status = 0;
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    (void)fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        be_victim(dir, ends[1]);
    }
    CU_ASSERT_TRUE_FATAL(child > 0);
    (void)close(ends[1]);
    bool is_killed = false;
    while (expected.n < ARRAY_LEN(acknowledgements) &&
           read(ends[0], &expected.items[expected.n], sizeof(*expected.items)) ==
               (ssize_t)sizeof(*expected.items)) {
        expected.n++;
        if (!is_killed) { /* it writes: now */
            (void)usleep(wait_us);
            CU_ASSERT_EQUAL(kill(child, SIGKILL), 0);
            is_killed = true;
        }
    }
    (void)close(ends[0]);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE_FATAL(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK_OK(&diag,
             journal_read(JOURNAL_AT(dir), check_expected, &expected, &diag)); /* before recovery */
    CU_ASSERT_EQUAL(expected.found, expected.n);
    expected.found = 0;
    journal_close(kit_open(dir, KIT_SIZES));
    CHECK_OK(&diag, journal_read(JOURNAL_AT(dir), check_expected, &expected, &diag));
    CU_ASSERT_EQUAL(expected.found, expected.n);
    const struct kit_verdict verdict = kit_verify(dir);
    CU_ASSERT_FALSE(verdict.has_problem);
    *total += expected.n;
}

static void
test_kill(void)
{
    char dir[PATH_MAX];
    char name[16];
    size_t total = 0;
    unsigned random = 7;
    kit_disk_reset();
    for (unsigned i = 0; i < KILLS; i++) {
        random = random * 1664525U + 1013904223U;
        (void)snprintf(name, sizeof(name), "kill-%u", i / 4); /* four each */
        (void)snprintf(dir, sizeof(dir), "%s", kit_folder(name));
        kill_once(dir, (random >> 8) % 15000, &total);
    }
    printf("%zu records acknowledged ... ", total);
}

/* ---- taking over ---- */

static uint64_t rewritten_from;
static uint64_t rewritten_to;

static void
note_rewrite(int fd, const void *bytes, size_t n, off_t offset)
{
    (void)fd;
    (void)bytes;
    if (offset >= SEGMENT_HEAD_BYTES) {
        rewritten_from = (uint64_t)offset;
        rewritten_to = (uint64_t)offset + n;
    }
}

/* The last record of a dead writer may be in memory only, and an fdatasync that failed may have
 * called its page clean: it is written again before anything builds on it. */
static void
test_unproven_is_rewritten(void)
{
    struct kit_image image;
    kit_image_make(&image, "unproven", false);
    rewritten_from = 0;
    kit_disk.on_write = note_rewrite;
    struct journal *journal = kit_open(image.dir, KIT_SIZES);
    kit_disk.on_write = NULL;
    CU_ASSERT_EQUAL(rewritten_from, image.offsets[KIT_RECORDS - 1]);
    CU_ASSERT_EQUAL(rewritten_to, image.offsets[KIT_RECORDS]);
    journal_close(journal);
    kit_check_recovers(image.dir, KIT_RECORDS);
    buf_done(&image.bytes);
}

static const struct unit_test tests[] = {
    {"torn ends of every length", test_torn_ends},
    {"a torn batch is no damage", test_torn_batch},
    {"a crash between two segments", test_crash_at_rotation},
    {"power cuts lose nothing acknowledged", test_power_cuts},
    {"kill -9 loses nothing acknowledged", test_kill},
    {"what is unproven is written again", test_unproven_is_rewritten},
};
UNIT_MAIN("journal recovery", tests)
