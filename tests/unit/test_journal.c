/*
 * The journal's promises while it runs: one writer, order, group commit, and that nothing is called
 * durable before the fdatasync that covers it, nor after one that failed. The disk is the kit's.
 */
#include "audit/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/chain.h"
#include "base/mem.h"
#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

static struct status
append(struct journal *journal, uint64_t value, size_t padding, struct kit_claim *claim,
       struct diag *diag)
{
    char number[24];
    const struct audit_event event = kit_event(number, value, kit_padding(padding));
    kit_claim_init(claim);
    return journal_append(journal, &event, &claim->park, diag, &claim->ticket);
}

static struct status
append_wait(struct journal *journal, uint64_t value, size_t padding, struct diag *diag)
{
    char number[24];
    const struct audit_event event = kit_event(number, value, kit_padding(padding));
    return journal_append_wait(journal, &event, diag);
}

/* ---- opening ---- */

static void
test_names(void)
{
    static const char *const names[] = {
        "",  ".",   "..",          ".hidden", "a/b",
        "/", "a b", "caf\xC3\xA9", "a\n",     "a-chain-name-of-forty-nine-characters-is-too-long",
    };
    kit_disk_reset();
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct journal *journal = NULL;
        struct diag diag = {0};
        CHECK_ERR(&diag, ERR_JOURNAL,
                  journal_open(kit_folder("names"), names[i], clock_system(), &diag, &journal));
    }
    CU_ASSERT_EQUAL(access(kit_folder("names"), F_OK), -1); /* nothing was made */
}

static void
test_folder_that_cannot_be(void)
{
    struct journal *journal = NULL;
    struct diag diag = {0};
    kit_disk_reset();
    FILE *file = fopen(kit_folder("a-file"), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    (void)fclose(file);
    CHECK_ERR(&diag, ERR_JOURNAL,
              journal_open(kit_folder("a-file/audit"), "serve", clock_system(), &diag, &journal));
}

static mode_t
mode_of(const char *path)
{
    struct stat info;
    CU_ASSERT_EQUAL_FATAL(stat(path, &info), 0);
    return info.st_mode & 07777;
}

static void
test_modes(void)
{
    kit_disk_reset();
    const mode_t before = umask(0);
    journal_close(kit_open(kit_folder("modes/deep/audit"), KIT_SIZES));
    (void)umask(before);
    CU_ASSERT_EQUAL(mode_of(kit_folder("modes/deep")), 0700);
    CU_ASSERT_EQUAL(mode_of(kit_folder("modes/deep/audit")), 0700);
    CU_ASSERT_EQUAL(mode_of(kit_folder("modes/deep/audit/serve")), 0700);
    CU_ASSERT_EQUAL(mode_of(kit_folder("modes/deep/audit/serve/lock")), 0600);
    CU_ASSERT_EQUAL(mode_of(kit_last_segment(kit_folder("modes/deep/audit"), "serve")), 0600);
}

static void
test_one_writer(void)
{
    char dir[PATH_MAX];
    char pid[32];
    struct journal *journal = NULL;
    struct diag diag = {0};
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("lock"));
    (void)snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
    struct journal *first = kit_open(dir, KIT_SIZES);
    CHECK_ERR(&diag, ERR_JOURNAL, journal_open(dir, "serve", clock_system(), &diag, &journal));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, pid));
    const pid_t child = fork();
    if (child == 0) { /* another process; the exit code says what it met */
        struct diag why = {0};
        const struct status st = journal_open(dir, "serve", clock_system(), &why, &journal);
        _exit(st.code == ERR_JOURNAL && strstr(why.text, pid) != NULL ? 0 : 1);
    }
    int status = -1;
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_EQUAL(status, 0);
    journal_close(first);
    journal_close(kit_open(dir, KIT_SIZES));
}

static void
test_free_chains(void)
{
    char dir[PATH_MAX];
    struct journal *journals[3];
    struct diag diag = {0};
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("free"));
    for (size_t i = 0; i < ARRAY_LEN(journals); i++) {
        char want[16];
        (void)snprintf(want, sizeof(want), "cli-%zu", i);
        if (!CHECK_OK(&diag, journal_open_free(dir, "cli", clock_system(), &diag, &journals[i]))) {
            return;
        }
        CU_ASSERT_STRING_EQUAL(journal_chain(journals[i]), want);
    }
    struct journal *again = NULL;
    journal_close(journals[1]);
    CHECK_OK(&diag, journal_open_free(dir, "cli", clock_system(), &diag, &again));
    CU_ASSERT_STRING_EQUAL(journal_chain(again), "cli-1");
    journal_close(again);
    journal_close(journals[0]);
    journal_close(journals[2]);
}

/* ---- appending ---- */

struct seen {
    uint64_t records;
    char last_hash[SHA256_HEX];
};

static bool
check_record(void *arg, const struct journal_record *record)
{
    struct seen *seen = arg;
    struct diag diag = {0};
    struct audit_event event;
    char want[24];
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    seen->records++;
    CU_ASSERT_EQUAL(record->sequence, seen->records);
    CU_ASSERT_STRING_EQUAL(record->chain, "serve");
    CU_ASSERT_STRING_NOT_EQUAL(record->hash, seen->last_hash);
    memcpy(seen->last_hash, record->hash, sizeof(seen->last_hash));
    if (CHECK_OK(&diag, audit_event_decode(record->payload, arena, &diag, &event))) {
        (void)snprintf(want, sizeof(want), "%" PRIu64, record->sequence * 10);
        CHECK_SPAN(event.query_id, want);
        CU_ASSERT_EQUAL(event.process_id, getpid());
        CU_ASSERT_TRUE(event.time_us > 0 && event.time_us <= record->time_us);
    }
    arena_free(arena);
    return true;
}

static void
test_append_and_read(void)
{
    char dir[PATH_MAX];
    struct seen seen = {0};
    struct diag diag = {0};
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("append"));
    struct journal *journal = kit_open(dir, KIT_SIZES);
    for (uint64_t i = 1; i <= 50; i++) {
        CHECK_OK(&diag, append_wait(journal, i * 10, (size_t)i * 20, &diag));
        CU_ASSERT_EQUAL(atomic_load(&kit_disk.synced), i);
    }
    CU_ASSERT_TRUE(journal_is_healthy(journal));
    CHECK_OK(&diag, journal_read(dir, check_record, &seen, &diag)); /* while it is open */
    CU_ASSERT_EQUAL(seen.records, 50);
    journal_close(journal);
    seen = (struct seen){0};
    CHECK_OK(&diag, journal_read(dir, check_record, &seen, &diag));
    CU_ASSERT_EQUAL(seen.records, 50);
}

static void
test_event_too_large(void)
{
    struct diag diag = {0};
    struct kit_claim claim;
    char number[24];
    kit_disk_reset();
    char *huge = mem_alloc(RECORD_PAYLOAD_MAX);
    CU_ASSERT_PTR_NOT_NULL_FATAL(huge);
    memset(huge, 'q', RECORD_PAYLOAD_MAX);
    struct journal *journal = kit_open(kit_folder("large"), KIT_SIZES);
    const struct audit_event event = kit_event(number, 1, span_of(huge, RECORD_PAYLOAD_MAX));
    kit_claim_init(&claim);
    CHECK_ERR(&diag, ERR_LIMIT_BUFFER,
              journal_append(journal, &event, &claim.park, &diag, &claim.ticket));
    diag_clear(&diag);
    CHECK_OK(&diag, append_wait(journal, 1, 0, &diag));
    CU_ASSERT_FALSE(atomic_load(&claim.is_woken));
    journal_close(journal);
    mem_free(huge);
}

/* ---- many threads ---- */

enum { THREADS = 64, EACH = 25 };

struct appender {
    pthread_t thread;
    struct journal *journal;
    unsigned number;
    struct kit_claim claims[EACH];
    bool is_good;
};

static void *
run_appender(void *arg)
{
    struct appender *appender = arg;
    struct diag diag = {0};
    appender->is_good = true;
    for (unsigned i = 0; i < EACH; i++) {
        struct kit_claim *claim = &appender->claims[i];
        if (!is_ok(append(appender->journal, appender->number * 1000U + i, 100, claim, &diag))) {
            appender->is_good = false;
            return NULL;
        }
        kit_claim_wait(claim);
        appender->is_good = appender->is_good &&
                            is_ok(journal_ticket_status(appender->journal, &claim->ticket, &diag));
    }
    return NULL;
}

static struct appender *
run_appenders(struct journal *journal)
{
    struct appender *appenders = mem_alloc(THREADS * sizeof(*appenders));
    CU_ASSERT_PTR_NOT_NULL_FATAL(appenders);
    for (unsigned i = 0; i < THREADS; i++) {
        appenders[i].journal = journal;
        appenders[i].number = i;
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&appenders[i].thread, NULL, run_appender, &appenders[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(appenders[i].thread, NULL);
    }
    return appenders;
}

/* Every wake came once, in the order of sequences, and after the fdatasync that covers its record.
 */
static void
check_claims(const struct appender *appenders)
{
    bool has_sequence[THREADS * EACH] = {false};
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_TRUE(appenders[i].is_good);
        for (unsigned k = 0; k < EACH; k++) {
            const struct kit_claim *claim = &appenders[i].claims[k];
            CU_ASSERT_TRUE(claim->synced_at_wake >= claim->ticket.sequence);
            CU_ASSERT_EQUAL(claim->order + 1, claim->ticket.sequence);
            CU_ASSERT_EQUAL(atomic_load(&claim->wakes), 1);
            CU_ASSERT_FALSE(has_sequence[claim->order % (THREADS * EACH)]);
            has_sequence[claim->order % (THREADS * EACH)] = true;
        }
    }
}

static void
test_group_commit(void)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    struct kit_count count;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("group"));
    struct journal *journal = kit_open(dir, JOURNAL_SIZES_NODE);
    kit_disk_reset();
    atomic_store(&kit_disk.sync_delay_us, 2000);
    struct appender *appenders = run_appenders(journal);
    check_claims(appenders);
    const unsigned syncs = atomic_load(&kit_disk.fdatasyncs);
    printf("%d records, %u fdatasyncs ... ", THREADS * EACH, syncs);
    CU_ASSERT_TRUE(syncs * 8 <= THREADS * EACH);
    CU_ASSERT_EQUAL(atomic_load(&kit_disk.pwrites), syncs); /* one for each batch */
    atomic_store(&kit_disk.sync_delay_us, 0);
    journal_close(journal);
    mem_free(appenders);
    CHECK_OK(&diag, kit_count_records(dir, &diag, &count));
    CU_ASSERT_EQUAL(count.records, THREADS * EACH);
}

/* The same with a segment's end in nearly every batch. */
static void
test_threads_and_segments(void)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    struct kit_count count;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("segments"));
    struct journal *journal = kit_open(dir, (struct journal_sizes){4096, 1024 * 1024});
    struct appender *appenders = run_appenders(journal);
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_TRUE(appenders[i].is_good);
    }
    journal_close(journal);
    mem_free(appenders);
    CHECK_OK(&diag, kit_count_records(dir, &diag, &count));
    CU_ASSERT_EQUAL(count.records, THREADS * EACH);
}

/* ---- failures of the disk ---- */

enum { CLAIMS = 20 };

static void
wait_for_fdatasyncs(unsigned n)
{
    for (int i = 0; i < 100000 && atomic_load(&kit_disk.fdatasyncs) < n; i++) {
        (void)usleep(100);
    }
    CU_ASSERT_TRUE(atomic_load(&kit_disk.fdatasyncs) >= n);
}

/* Every claim was woken once and is refused, and so is whatever comes after. */
static void
check_failed(struct journal *journal, struct kit_claim *claims, const char *says)
{
    struct kit_claim late;
    for (size_t i = 0; i < CLAIMS; i++) {
        struct diag diag = {0};
        kit_claim_wait(&claims[i]);
        CHECK_ERR(&diag, ERR_JOURNAL, journal_ticket_status(journal, &claims[i].ticket, &diag));
        CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, says));
        CU_ASSERT_EQUAL(atomic_load(&claims[i].wakes), 1);
    }
    for (int i = 0; i < 3; i++) {
        struct diag diag = {0};
        CHECK_ERR(&diag, ERR_JOURNAL, append(journal, 99, 0, &late, &diag));
        CU_ASSERT_FALSE(atomic_load(&late.is_woken));
    }
    CU_ASSERT_FALSE(journal_is_healthy(journal));
}

static void
test_failing_fdatasync(void)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    struct kit_claim first;
    struct kit_claim claims[CLAIMS];
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("failing-sync"));
    struct journal *journal = kit_open(dir, KIT_SIZES);
    CHECK_OK(&diag, append(journal, 1, 0, &first, &diag));
    kit_claim_wait(&first);
    atomic_store(&kit_disk.is_hanging, true);
    const unsigned before = atomic_load(&kit_disk.fdatasyncs);
    for (size_t i = 0; i < CLAIMS; i++) {
        CHECK_OK(&diag, append(journal, i, 0, &claims[i], &diag));
        if (i == 0) {
            wait_for_fdatasyncs(before + 1); /* the others queue behind it */
        }
    }
    const unsigned writes = atomic_load(&kit_disk.pwrites);
    atomic_store(&kit_disk.fail_sync_at, 1);
    atomic_store(&kit_disk.is_hanging, false);
    check_failed(journal, claims, "fdatasync");
    CHECK_OK(&diag, journal_ticket_status(journal, &first.ticket, &diag)); /* that was durable */
    journal_close(journal);
    CU_ASSERT_EQUAL(atomic_load(&kit_disk.fdatasyncs), before + 1); /* no second try */
    CU_ASSERT_EQUAL(atomic_load(&kit_disk.pwrites), writes);
    journal_close(kit_open(dir, KIT_SIZES)); /* a restart may go on */
}

static void
test_failing_write(void)
{
    struct diag diag = {0};
    struct kit_claim claims[CLAIMS];
    kit_disk_reset();
    struct journal *journal = kit_open(kit_folder("failing-write"), KIT_SIZES);
    CHECK_OK(&diag, append_wait(journal, 1, 0, &diag));
    const unsigned syncs = atomic_load(&kit_disk.fdatasyncs);
    const unsigned writes = atomic_load(&kit_disk.pwrites);
    atomic_store(&kit_disk.fail_write_at, 1);
    CHECK_OK(&diag, append(journal, 0, 0, &claims[0], &diag));
    kit_claim_wait(&claims[0]);
    for (size_t i = 1; i < CLAIMS; i++) {
        claims[i] = claims[0];
    }
    check_failed(journal, claims, "cannot write");
    journal_close(journal);
    CU_ASSERT_EQUAL(atomic_load(&kit_disk.fdatasyncs), syncs);
    CU_ASSERT_EQUAL(atomic_load(&kit_disk.pwrites), writes + 1);
}

static void
test_short_writes(void)
{
    char dir[PATH_MAX];
    struct diag diag = {0};
    struct kit_count count;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("short-writes"));
    struct journal *journal = kit_open(dir, KIT_SIZES);
    atomic_store(&kit_disk.cut_write, 97);
    for (uint64_t i = 0; i < 20; i++) {
        CHECK_OK(&diag, append_wait(journal, i, 1000, &diag));
    }
    journal_close(journal);
    CHECK_OK(&diag, kit_count_records(dir, &diag, &count));
    CU_ASSERT_EQUAL(count.records, 20);
}

/* A segment that cannot be made ends the journal; what was durable stays. */
static void
test_failing_segment(void)
{
    char dir[PATH_MAX];
    struct kit_count count;
    struct diag diag = {0};
    uint64_t n = 0;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("failing-segment"));
    struct journal *journal = kit_open(dir, (struct journal_sizes){4096, 65536});
    CU_ASSERT_EQUAL(mkdir(kit_folder("failing-segment/serve/new.tmp"), 0700), 0);
    while (n < 100 && is_ok(append_wait(journal, n, 100, &diag))) {
        n++;
    }
    CU_ASSERT_EQUAL(diag.code, ERR_JOURNAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "new.tmp"));
    CU_ASSERT_FALSE(journal_is_healthy(journal));
    journal_close(journal);
    diag_clear(&diag);
    CHECK_OK(&diag, kit_count_records(dir, &diag, &count));
    CU_ASSERT_EQUAL(count.records, n);
    CU_ASSERT_EQUAL(rmdir(kit_folder("failing-segment/serve/new.tmp")), 0);
    journal = kit_open(dir, KIT_SIZES);
    diag_clear(&diag);
    CHECK_OK(&diag, append_wait(journal, n, 100, &diag));
    journal_close(journal);
    CHECK_OK(&diag, kit_count_records(dir, &diag, &count));
    CU_ASSERT_EQUAL(count.records, n + 1);
}

static void
test_full_queue(void)
{
    enum { MOST = 200 };
    static struct kit_claim claims[MOST];
    struct diag diag = {0};
    size_t n = 0;
    kit_disk_reset();
    struct journal *journal = kit_open(kit_folder("queue"), (struct journal_sizes){16384, 16384});
    atomic_store(&kit_disk.is_hanging, true);
    while (n < MOST && is_ok(append(journal, n, 1000, &claims[n], &diag))) {
        n++;
    }
    CU_ASSERT_EQUAL(diag.code, ERR_JOURNAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "wait for the disk"));
    CU_ASSERT_TRUE(n >= 10 && n <= 32); /* one queue waits, at most one more is being written */
    CU_ASSERT_TRUE(journal_is_healthy(journal));
    atomic_store(&kit_disk.is_hanging, false);
    diag_clear(&diag);
    for (size_t i = 0; i < n; i++) {
        kit_claim_wait(&claims[i]);
        CHECK_OK(&diag, journal_ticket_status(journal, &claims[i].ticket, &diag));
    }
    CHECK_OK(&diag, append_wait(journal, n, 1000, &diag));
    journal_close(journal);
}

static void
test_close_commits(void)
{
    struct diag diag = {0};
    struct kit_claim claims[CLAIMS];
    kit_disk_reset();
    struct journal *journal = kit_open(kit_folder("close"), KIT_SIZES);
    atomic_store(&kit_disk.sync_delay_us, 5000);
    for (size_t i = 0; i < CLAIMS; i++) {
        CHECK_OK(&diag, append(journal, i, 0, &claims[i], &diag));
    }
    journal_close(journal);
    for (size_t i = 0; i < CLAIMS; i++) {
        CU_ASSERT_EQUAL(atomic_load(&claims[i].wakes), 1);
        CU_ASSERT_TRUE(claims[i].synced_at_wake >= claims[i].ticket.sequence);
    }
}

static const struct unit_test tests[] = {
    {"chain names that are refused", test_names},
    {"a folder that cannot be", test_folder_that_cannot_be},
    {"only the owner may read", test_modes},
    {"one writer per chain", test_one_writer},
    {"short-lived commands find a free chain", test_free_chains},
    {"what was appended is read", test_append_and_read},
    {"an event that is too large", test_event_too_large},
    {"group commit: order, and no wake before the fdatasync", test_group_commit},
    {"many threads over many segments", test_threads_and_segments},
    {"a failing fdatasync is final", test_failing_fdatasync},
    {"a failing write is final", test_failing_write},
    {"short writes go on", test_short_writes},
    {"a segment that cannot be made is final", test_failing_segment},
    {"a full queue refuses and recovers", test_full_queue},
    {"closing commits what is queued", test_close_commits},
};
UNIT_MAIN("journal", tests)
