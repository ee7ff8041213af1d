/*
 * The journal's promises while it runs: one writer, order, group commit, and that nothing is called
 * durable before the fdatasync that covers it, nor after one that failed. The disk is the kit's.
 */
#include "audit/journal.h"
#include "audit/verify.h"

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
                  journal_open(JOURNAL_AT(kit_folder("names")), names[i], clock_system(), &diag,
                               &journal));
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
              journal_open(JOURNAL_AT(kit_folder("a-file/audit")), "serve", clock_system(), &diag,
                           &journal));
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
    CHECK_ERR(&diag, ERR_JOURNAL,
              journal_open(JOURNAL_AT(dir), "serve", clock_system(), &diag, &journal));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, pid));
    const pid_t child = fork();
    if (child == 0) { /* another process; the exit code says what it met */
        struct diag why = {0};
        const struct status st =
            journal_open(JOURNAL_AT(dir), "serve", clock_system(), &why, &journal);
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
        if (!CHECK_OK(&diag, journal_open_free(JOURNAL_AT(dir), "cli", clock_system(), &diag,
                                               &journals[i]))) {
            return;
        }
        CU_ASSERT_STRING_EQUAL(journal_chain(journals[i]), want);
    }
    struct journal *again = NULL;
    journal_close(journals[1]);
    CHECK_OK(&diag, journal_open_free(JOURNAL_AT(dir), "cli", clock_system(), &diag, &again));
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
        CHECK_OK(&diag, kit_append_wait(journal, i * 10, (size_t)i * 20, &diag));
        CU_ASSERT_EQUAL(atomic_load(&kit_disk.synced), i);
    }
    CU_ASSERT_TRUE(journal_is_healthy(journal));
    CHECK_OK(&diag,
             journal_read(JOURNAL_AT(dir), check_record, &seen, &diag)); /* while it is open */
    CU_ASSERT_EQUAL(seen.records, 50);
    journal_close(journal);
    seen = (struct seen){0};
    CHECK_OK(&diag, journal_read(JOURNAL_AT(dir), check_record, &seen, &diag));
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
    CHECK_OK(&diag, kit_append_wait(journal, 1, 0, &diag));
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
        if (!is_ok(
                kit_append(appender->journal, appender->number * 1000U + i, 100, claim, &diag))) {
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
    struct journal_sizes sizes = JOURNAL_SIZES_NODE;
    sizes.ahead_bytes = 0;
    struct journal *journal = kit_open(dir, sizes);
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
    struct journal *journal = kit_open(dir, (struct journal_sizes){4096, 1024 * 1024, 0, false});
    struct appender *appenders = run_appenders(journal);
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_TRUE(appenders[i].is_good);
    }
    journal_close(journal);
    mem_free(appenders);
    CHECK_OK(&diag, kit_count_records(dir, &diag, &count));
    CU_ASSERT_EQUAL(count.records, THREADS * EACH);
}

/* Zeros go ahead of the records, now and then and not beyond the segment; readers take them for
 * what they are, a room that nobody has used. */
static void
test_zeros_ahead(void)
{
    enum { RECORDS = 200, PADDING = 700 };
    char dir[PATH_MAX];
    struct diag diag = {0};
    struct kit_count count;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("ahead"));
    struct journal *journal =
        kit_open(dir, (struct journal_sizes){65000, 1024 * 1024, 8192, false});
    kit_disk_reset();
    for (size_t i = 0; i < RECORDS; i++) {
        CHECK_OK(&diag, kit_append_wait(journal, i, PADDING, &diag));
    }
    const unsigned writes = atomic_load(&kit_disk.pwrites);
    CU_ASSERT(writes > RECORDS);
    CU_ASSERT(writes < RECORDS + RECORDS / 5);
    CHECK_OK(&diag, kit_count_records(dir, &diag, &count)); /* while it is open */
    CU_ASSERT_EQUAL(count.records, RECORDS);
    journal_close(journal);
    CHECK_OK(&diag, kit_count_records(dir, &diag, &count));
    CU_ASSERT_EQUAL(count.records, RECORDS);
}

/* ---- the end ---- */

enum { CLAIMS = 20 };

static void
test_close_commits(void)
{
    struct diag diag = {0};
    struct kit_claim claims[CLAIMS];
    kit_disk_reset();
    struct journal *journal = kit_open(kit_folder("close"), KIT_SIZES);
    atomic_store(&kit_disk.sync_delay_us, 5000);
    for (size_t i = 0; i < CLAIMS; i++) {
        CHECK_OK(&diag, kit_append(journal, i, 0, &claims[i], &diag));
    }
    journal_close(journal);
    for (size_t i = 0; i < CLAIMS; i++) {
        CU_ASSERT_EQUAL(atomic_load(&claims[i].wakes), 1);
        CU_ASSERT_TRUE(claims[i].synced_at_wake >= claims[i].ticket.sequence);
    }
}

/* Opening, appending, reading and verifying, with every allocation failing once. */
static bool
ignore_record(void *arg, const struct journal_record *record)
{
    (void)arg;
    (void)record;
    return true;
}

static void
ignore_report(void *arg, const struct journal_chain_report *report)
{
    (void)report;
    *(unsigned *)arg += 1;
}

static struct status
use_journal(struct diag *diag)
{
    struct journal *journal = NULL;
    unsigned chains = 0;
    TRY(journal_open_sized(JOURNAL_AT(kit_folder("torture")), "serve", clock_system(), KIT_SIZES,
                           diag, &journal));
    struct status st = kit_append_wait(journal, 1, 100, diag);
    journal_close(journal);
    TRY(st);
    TRY(journal_read(JOURNAL_AT(kit_folder("torture")), ignore_record, NULL, diag));
    const struct verify_rules rules = {.against = NULL};
    TRY(journal_verify(JOURNAL_AT(kit_folder("torture")), &rules, ignore_report, &chains, diag));
    return journal_find(JOURNAL_AT(kit_folder("torture")), "serve", 1, ignore_record, NULL, diag);
}

static void
test_without_memory(void)
{
    kit_disk_reset();
    unit_torture(use_journal);
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
    {"zeros ahead of the records", test_zeros_ahead},
    {"closing commits what is queued", test_close_commits},
    {"every failed allocation is survived", test_without_memory},
};
UNIT_MAIN("journal", tests)
