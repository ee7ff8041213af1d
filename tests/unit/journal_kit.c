/*
 * The tests' disk and events; see journal_kit.h. The real calls are made by number, because the
 * names are ours here.
 */
#include "tests/unit/journal_kit.h"
#include "audit/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/unit.h"

struct kit_disk kit_disk;
static atomic_uint wakes_so_far;

void
kit_disk_reset(void)
{
    atomic_store(&kit_disk.written, 0);
    atomic_store(&kit_disk.synced, 0);
    atomic_store(&kit_disk.fdatasyncs, 0);
    atomic_store(&kit_disk.pwrites, 0);
    atomic_store(&kit_disk.sync_delay_us, 0);
    atomic_store(&kit_disk.fail_sync_at, 0);
    atomic_store(&kit_disk.fail_write_at, 0);
    atomic_store(&kit_disk.cut_write, 0);
    atomic_store(&kit_disk.is_hanging, false);
    atomic_store(&wakes_so_far, 0);
    kit_disk.on_write = NULL;
    kit_disk.on_sync = NULL;
    kit_disk.on_read = NULL;
}

static void
sleep_us(long us)
{
    const struct timespec time = {us / 1000000, us % 1000000 * 1000};
    (void)nanosleep(&time, NULL);
}

/* The highest sequence among the whole records of <bytes>. */
static void
note_sequences(struct span bytes)
{
    while (bytes.n > 0) {
        struct record_head head;
        if (record_unpack(bytes, &head) != RECORD_GOOD) {
            return;
        }
        if (bytes.n < RECORD_HEAD_BYTES + (size_t)head.length) {
            return;
        }
        if (head.sequence > atomic_load(&kit_disk.written)) {
            atomic_store(&kit_disk.written, head.sequence);
        }
        bytes = span_slice(bytes, RECORD_HEAD_BYTES + (size_t)head.length, bytes.n);
    }
}

static bool
is_due(atomic_int *countdown)
{
    return atomic_load(countdown) > 0 && atomic_fetch_sub(countdown, 1) == 1;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset);

ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
    const int most = atomic_load(&kit_disk.cut_write);
    atomic_fetch_add(&kit_disk.pwrites, 1);
    if (is_due(&kit_disk.fail_write_at)) {
        errno = EIO;
        return -1;
    }
    if (most > 0 && n > (size_t)most) {
        n = (size_t)most;
    }
    if (kit_disk.on_write != NULL) {
        kit_disk.on_write(fd, bytes, n, offset);
    }
    note_sequences(span_of(bytes, n));
    return syscall(SYS_pwrite64, fd, bytes, n, offset);
}

ssize_t pread(int fd, void *to, size_t n, off_t offset);

ssize_t
pread(int fd, void *to, size_t n, off_t offset)
{
    const ssize_t got = syscall(SYS_pread64, fd, to, n, offset);
    if (kit_disk.on_read != NULL) {
        kit_disk.on_read(offset);
    }
    return got;
}

int fdatasync(int fd);

int
fdatasync(int fd)
{
    const unsigned long long before = atomic_load(&kit_disk.written);
    atomic_fetch_add(&kit_disk.fdatasyncs, 1);
    if (atomic_load(&kit_disk.sync_delay_us) > 0) {
        sleep_us(atomic_load(&kit_disk.sync_delay_us));
    }
    while (atomic_load(&kit_disk.is_hanging)) {
        sleep_us(1000);
    }
    if (is_due(&kit_disk.fail_sync_at)) {
        errno = EIO;
        return -1;
    }
    const int result = (int)syscall(SYS_fdatasync, fd);
    if (kit_disk.on_sync != NULL) {
        kit_disk.on_sync(fd);
    }
    atomic_store(&kit_disk.synced, before);
    return result;
}

/* ---- claims ---- */

static void
wake_claim(struct park *park)
{
    struct kit_claim *claim = (struct kit_claim *)park;
    claim->synced_at_wake = atomic_load(&kit_disk.synced);
    claim->order = atomic_fetch_add(&wakes_so_far, 1);
    atomic_fetch_add(&claim->wakes, 1);
    atomic_store(&claim->is_woken, true);
}

void
kit_claim_init(struct kit_claim *claim)
{
    memset(claim, 0, sizeof(*claim));
    claim->park.wake = wake_claim;
}

void
kit_claim_wait(struct kit_claim *claim)
{
    for (int i = 0; i < UNIT_PATIENCE_S * 10000; i++) {
        if (atomic_load(&claim->is_woken)) {
            return;
        }
        sleep_us(100);
    }
    printf("\n    a claim was never woken\n");
    abort();
}

/* ---- events and files ---- */

struct audit_event
kit_event(char number[24], uint64_t value, struct span padding)
{
    (void)snprintf(number, 24, "%" PRIu64, value);
    return (struct audit_event){
        .type = AUDIT_ITI_38,
        .side = AUDIT_RESPONDING,
        .phase = AUDIT_OUTCOME,
        .partner = SPAN("blue"),
        .query_id = span_of_cstr(number),
        .query = padding,
    };
}

struct span
kit_padding(size_t n)
{
    static char bytes[65536];
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    (void)pthread_mutex_lock(&mutex);
    if (bytes[0] == '\0') {
        memset(bytes, 'x', sizeof(bytes));
    }
    (void)pthread_mutex_unlock(&mutex);
    return span_of(bytes, n < sizeof(bytes) ? n : sizeof(bytes));
}

const char *
kit_folder(const char *name)
{
    static char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s", unit_temp_dir(), name);
    return path;
}

const char *
kit_last_segment(const char *dir, const char *chain)
{
    static char path[PATH_MAX];
    char folder[PATH_MAX];
    struct segment_list list = {0};
    struct diag diag = {0};
    if (!CHECK_OK(&diag, journal_path(folder, dir, chain, &diag)) ||
        !CHECK_OK(&diag, segment_list_read(folder, &diag, &list)) || list.n == 0) {
        printf("\n    no segment in %s/%s\n", dir, chain);
        abort();
    }
    char name[SEGMENT_NAME_BYTES];
    (void)snprintf(name, sizeof(name), "%020" PRIu64 ".seg", list.items[list.n - 1]);
    segment_list_done(&list);
    (void)is_ok(journal_path(path, folder, name, &diag));
    return path;
}

static bool
count_record(void *arg, const struct journal_record *record)
{
    struct kit_count *count = arg;
    count->is_in_order = count->is_in_order && record->time_us >= count->last_time_us;
    count->last_time_us = record->time_us;
    count->last_sequence = record->sequence;
    count->records++;
    return true;
}

struct status
kit_count_records(const char *dir, struct diag *diag, struct kit_count *ret_count)
{
    *ret_count = (struct kit_count){.is_in_order = true};
    return journal_read(JOURNAL_AT(dir), count_record, ret_count, diag);
}

void
kit_join(char to[PATH_MAX], const char *folder, const char *name)
{
    struct diag diag = {0};
    CHECK_OK(&diag, journal_path(to, folder, name, &diag));
}

/* ---- images: the files of a chain as a crash would leave them ---- */

void
kit_write_file(const char *path, struct span bytes)
{
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

void
kit_fill(struct journal *journal, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i <= to; i++) {
        struct diag diag = {0};
        char number[24];
        const struct audit_event event = kit_event(number, i, kit_padding(10));
        CHECK_OK(&diag, journal_append_wait(journal, &event, &diag));
    }
}

struct journal *
kit_open(const char *dir, struct journal_sizes sizes)
{
    struct journal *journal = NULL;
    struct diag diag = {0};
    if (!CHECK_OK(&diag, journal_open_sized(JOURNAL_AT(dir), "serve", clock_system(), sizes, &diag,
                                            &journal))) {
        abort();
    }
    return journal;
}

struct journal *
kit_open_ruled(const char *dir, struct journal_sizes sizes, struct journal_rules rules)
{
    struct diag diag = {0};
    struct journal *journal = kit_open(dir, sizes);
    CU_ASSERT_FATAL(CHECK_OK(&diag, journal_set_rules(journal, &rules, &diag)));
    return journal;
}

struct journal_condition
kit_look(struct journal *journal)
{
    struct journal_condition now;
    journal_look(journal, &now);
    return now;
}

struct status
kit_append(struct journal *journal, uint64_t value, size_t padding, struct kit_claim *claim,
           struct diag *diag)
{
    char number[24];
    const struct audit_event event = kit_event(number, value, kit_padding(padding));
    kit_claim_init(claim);
    return journal_append(journal, &event, &claim->park, diag, &claim->ticket);
}

struct status
kit_append_wait(struct journal *journal, uint64_t value, size_t padding, struct diag *diag)
{
    char number[24];
    const struct audit_event event = kit_event(number, value, kit_padding(padding));
    return journal_append_wait(journal, &event, diag);
}

static void
find_offsets(struct kit_image *image)
{
    uint64_t offset = SEGMENT_HEAD_BYTES;
    for (size_t i = 0; i < KIT_RECORDS; i++) {
        struct record_head head;
        const struct span rest = span_slice(buf_span(&image->bytes), offset, image->bytes.n);
        image->offsets[i] = offset;
        CU_ASSERT_EQUAL_FATAL(record_check(rest, &head), RECORD_GOOD);
        CU_ASSERT_EQUAL(head.sequence, i + 1);
        offset += RECORD_HEAD_BYTES + (uint64_t)head.length;
    }
    image->offsets[KIT_RECORDS] = offset;
}

/* KIT_RECORDS records, each durable before the next. <is_closed>: ended properly, else as by kill
 * -9.
 */
void
kit_image_make(struct kit_image *image, const char *name, bool is_closed)
{
    struct diag diag = {0};
    kit_disk_reset();
    (void)snprintf(image->dir, sizeof(image->dir), "%s", kit_folder(name));
    struct journal *journal = kit_open(image->dir, KIT_SIZES);
    kit_fill(journal, 1, KIT_RECORDS);
    (void)snprintf(image->path, sizeof(image->path), "%s", kit_last_segment(image->dir, "serve"));
    if (is_closed) {
        journal_close(journal);
    }
    buf_init(&image->bytes, 1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&image->bytes, image->path, &diag));
    if (!is_closed) {
        journal_close(journal);
    }
    kit_write_file(image->path, buf_span(&image->bytes));
    find_offsets(image);
}

/* ---- verification, as `isthmus audit verify` does it ---- */

static void
keep_verdict(void *arg, const struct journal_chain_report *report)
{
    struct kit_verdict *verdict = arg;
    verdict->chains++;
    verdict->records = report->records;
    verdict->is_torn = report->is_torn;
    verdict->has_problem = report->problem != NULL;
    (void)snprintf(verdict->problem, sizeof(verdict->problem), "%s",
                   report->problem == NULL ? "" : report->problem);
}

struct kit_verdict
kit_verify(const char *dir)
{
    struct kit_verdict verdict = {0};
    struct diag diag = {0};
    const struct verify_rules rules = {.against = NULL};
    CHECK_OK(&diag, journal_verify(JOURNAL_AT(dir), &rules, keep_verdict, &verdict, &diag));
    CU_ASSERT_EQUAL(verdict.chains, 1);
    return verdict;
}

void
kit_check_whole(const char *dir, uint64_t records)
{
    const struct kit_verdict verdict = kit_verify(dir);
    CU_ASSERT_EQUAL(verdict.records, records);
    CU_ASSERT_FALSE(verdict.is_torn);
    if (verdict.has_problem) {
        printf("\n    %s\n", verdict.problem);
        CU_FAIL("a problem was found");
    }
}

void
kit_check_refused(const char *dir)
{
    struct journal *journal = NULL;
    struct diag diag = {0};
    CHECK_ERR(
        &diag, ERR_JOURNAL,
        journal_open_sized(JOURNAL_AT(dir), "serve", clock_system(), KIT_SIZES, &diag, &journal));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "chain serve"));
}

/* It opens, keeps <records>, and one more makes a whole chain. */
void
kit_check_recovers(const char *dir, uint64_t records)
{
    struct journal *journal = kit_open(dir, KIT_SIZES);
    kit_fill(journal, records + 1, records + 1);
    kit_check_whole(dir, records + 1);
    journal_close(journal);
    kit_check_whole(dir, records + 1);
}
