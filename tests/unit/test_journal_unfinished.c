/*
 * Questions whose process did not live to record their outcome: the next one records that it is
 * unknown. The processes here are real and end without closing anything.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

#define HOUR_US (3600 * US_PER_S)

struct row {
    enum audit_type type;
    enum audit_phase phase;
    const char *transaction, *message, *partner, *destination;
};

static struct audit_event
event_of(const struct row *row)
{
    static struct span patient = {"1^^^&2.999.1&ISO", 16};
    return (struct audit_event){
        .type = row->type,
        .side = AUDIT_INITIATING,
        .phase = row->phase,
        .transaction_id = span_of_cstr(row->transaction),
        .message_id = span_of_cstr(row->message),
        .partner = span_of_cstr(row->partner),
        .destination_id = span_of_cstr(row->destination),
        .query = SPAN("<q/>"),
        .patients = {&patient, 1, 1},
        .time_us = 1700000000 * US_PER_S,
    };
}

/* A process that appends <rows> and is gone. */
static void
write_and_die(const char *dir, const struct row *rows, size_t n)
{
    int status = 0;
    const pid_t child = fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        struct journal *journal = kit_open(dir, KIT_SIZES);
        struct diag diag = {0};
        for (size_t i = 0; i < n; i++) {
            const struct audit_event event = event_of(&rows[i]);
            if (!is_ok(journal_append_wait(journal, &event, &diag))) {
                _exit(1);
            }
        }
        (void)raise(SIGKILL); /* no end of a process, of which valgrind would want more */
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE_FATAL(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* What the next process finds and ends. */
static size_t
end_intents(const char *dir, int64_t window_us)
{
    struct journal *journal = kit_open(dir, KIT_SIZES);
    struct diag diag = {0};
    size_t n = SIZE_MAX;
    CHECK_OK(&diag, journal_end_intents(journal, JOURNAL_AT(dir), window_us, &diag, &n));
    journal_close(journal);
    return n;
}

struct found {
    size_t n;
    char messages[8][16]; /* message id, partner */
};

/* An outcome that nobody but the next process can have written: all but its end is the intent's. */
static bool
note_unknown(void *arg, const struct journal_record *record)
{
    struct found *found = arg;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    struct audit_event event;
    if (CHECK_OK(&diag, audit_event_decode(record->payload, arena, &diag, &event)) &&
        span_find(event.outcome_text, SPAN("outcome unknown")) != SPAN_MISSING &&
        found->n < ARRAY_LEN(found->messages)) {
        CU_ASSERT_EQUAL(event.phase, AUDIT_OUTCOME);
        CU_ASSERT_EQUAL(event.outcome, AUDIT_SERIOUS);
        CU_ASSERT_TRUE(event.time_us > 1700000000 * US_PER_S); /* it is said now */
        CU_ASSERT_EQUAL_FATAL(event.patients.n, 1);
        CHECK_SPAN(event.patients.items[0], "1^^^&2.999.1&ISO");
        CHECK_SPAN(event.query, "<q/>");
        (void)snprintf(found->messages[found->n++], sizeof(found->messages[0]), "%.*s %.*s",
                       SPAN_PRINT(event.message_id), SPAN_PRINT(event.partner));
    }
    arena_free(arena);
    return true;
}

static struct found
find_unknown(const char *dir)
{
    struct found found = {0};
    struct diag diag = {0};
    CHECK_OK(&diag, journal_read(JOURNAL_AT(dir), note_unknown, &found, &diag));
    return found;
}

static void
test_what_is_open(void)
{
    static const struct row rows[] = {
        {AUDIT_ITI_55, AUDIT_INTENT, "t1", "m1", "blue", "u"}, /* answered */
        {AUDIT_ITI_55, AUDIT_INTENT, "t1", "m2", "green", "u"},
        {AUDIT_ITI_55, AUDIT_OUTCOME, "t1", "m1", "blue", "u"},
        {AUDIT_ITI_39, AUDIT_INTENT, "t2", "m3", "blue", "u"}, /* success and failure */
        {AUDIT_ITI_39, AUDIT_OUTCOME, "t2", "m3", "blue", "u"},
        {AUDIT_ITI_39, AUDIT_OUTCOME, "t2", "m3", "blue", "u"},
        {AUDIT_ITI_38, AUDIT_INTENT, "t3", "m4", "blue", "u"}, /* asked a second time */
        {AUDIT_ITI_38, AUDIT_OUTCOME, "t3", "m4", "blue", "u"},
        {AUDIT_ITI_38, AUDIT_INTENT, "t3", "m5", "blue", "u"},
        {AUDIT_LOCAL_ACCESS, AUDIT_INTENT, "t4", "", "", ""}, /* two rounds of our own store */
        {AUDIT_LOCAL_ACCESS, AUDIT_OUTCOME, "t4", "", "", ""},
        {AUDIT_LOCAL_ACCESS, AUDIT_INTENT, "t4", "", "", ""},
        {AUDIT_ITI_38, AUDIT_OUTCOME, "t5", "m6", "red", "u"}, /* a partner's question */
        {AUDIT_ITI_55, AUDIT_OUTCOME, "t1", "m7", "green", "u"},
    };
    char dir[PATH_MAX];
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("open"));
    kit_disk_reset();
    write_and_die(dir, rows, ARRAY_LEN(rows));
    CU_ASSERT_EQUAL(end_intents(dir, HOUR_US), 3);
    const struct found found = find_unknown(dir);
    CU_ASSERT_EQUAL_FATAL(found.n, 3);
    CU_ASSERT_STRING_EQUAL(found.messages[0], "m2 green");
    CU_ASSERT_STRING_EQUAL(found.messages[1], "m5 blue");
    CU_ASSERT_STRING_EQUAL(found.messages[2], " ");
    CU_ASSERT_EQUAL(end_intents(dir, HOUR_US), 0); /* once */
    kit_check_whole(dir, ARRAY_LEN(rows) + 3);
}

static void
test_nothing_to_end(void)
{
    static const struct row stopped[] = {
        {AUDIT_ITI_55, AUDIT_INTENT, "t1", "m1", "blue", "u"},
        {AUDIT_NODE_STOP, AUDIT_OUTCOME, "", "", "", ""},
    };
    char dir[PATH_MAX];
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("nothing"));
    kit_disk_reset();
    CU_ASSERT_EQUAL(end_intents(dir, HOUR_US), 0); /* a new chain */
    write_and_die(dir, stopped, 0);
    CU_ASSERT_EQUAL(end_intents(dir, HOUR_US), 0);
    write_and_die(dir, stopped, ARRAY_LEN(stopped)); /* what stopped in order is not read again */
    CU_ASSERT_EQUAL(end_intents(dir, HOUR_US), 0);
    CU_ASSERT_EQUAL(find_unknown(dir).n, 0);
}

/* A record of a newer version stands between: it is nobody's intent here, and no reason to stay
 * down. */
static void
test_newer_records(void)
{
    static const struct row row = {AUDIT_ITI_55, AUDIT_INTENT, "t1", "m1", "blue", "u"};
    static const char type[] = "\"ITI-55\"", newer[] = "\"ITI-99\"";
    char dir[PATH_MAX];
    struct buf bytes;
    struct diag diag = {0};
    struct record_head head;

    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("newer"));
    kit_disk_reset();
    write_and_die(dir, &row, 1);
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s", kit_last_segment(dir, "serve"));
    buf_init(&bytes, 1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&bytes, path, &diag));
    char *const record = bytes.p + SEGMENT_HEAD_BYTES;
    CU_ASSERT_EQUAL_FATAL(
        record_check(span_slice(buf_span(&bytes), SEGMENT_HEAD_BYTES, bytes.n), &head),
        RECORD_GOOD);
    const size_t at =
        span_find(span_of(record + RECORD_HEAD_BYTES, head.length), span_of_cstr(type));
    CU_ASSERT_TRUE_FATAL(at != SPAN_MISSING);
    memcpy(record + RECORD_HEAD_BYTES + at, newer, strlen(newer));
    uint32_t crc = crc32c(0, record, 8); /* of the whole record without these four bytes */
    crc = crc32c(crc, record + 12, RECORD_HEAD_BYTES + head.length - 12);
    for (int i = 0; i < 4; i++) {
        record[8 + i] = (char)(crc >> (8 * i));
    }
    kit_write_file(path, buf_span(&bytes));
    buf_done(&bytes);
    CU_ASSERT_EQUAL(end_intents(dir, HOUR_US), 0);
    kit_check_whole(dir, 1);
}

/* Old segments are not read: no question lasts longer than the window. */
static void
test_window(void)
{
    static const struct row open = {AUDIT_ITI_55, AUDIT_INTENT, "t1", "m1", "blue", "u"};
    struct fake_clock clock;
    struct journal *journal = NULL;
    struct diag diag = {0};
    size_t n = 0;
    char dir[PATH_MAX];

    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("window"));
    kit_disk_reset();
    fake_clock_init(&clock, 1700000000 * US_PER_S);
    CHECK_OK(&diag, journal_open_sized(JOURNAL_AT(dir), "serve", &clock.clock, KIT_SIZES, &diag,
                                       &journal));
    const struct audit_event event = event_of(&open);
    CHECK_OK(&diag, journal_append_wait(journal, &event, &diag));
    for (uint64_t i = 0; i < 12; i++) { /* two segments more, an hour and a half later each */
        fake_clock_advance(&clock, HOUR_US / 4);
        CHECK_OK(&diag, kit_append_wait(journal, i, 4000, &diag));
    }
    CHECK_OK(&diag, journal_end_intents(journal, JOURNAL_AT(dir), HOUR_US / 8, &diag, &n));
    CU_ASSERT_EQUAL(n, 0);
    CHECK_OK(&diag, journal_end_intents(journal, JOURNAL_AT(dir), 4 * HOUR_US, &diag, &n));
    CU_ASSERT_EQUAL(n, 1);
    journal_close(journal);
}

/* More than the table has rows at first, and half of them have gone again. */
static void
test_many(void)
{
    enum { MANY = 3000 };
    static struct row rows[MANY + MANY / 2];
    static char messages[MANY][8];
    size_t n = 0;
    char dir[PATH_MAX];

    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("many"));
    kit_disk_reset();
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(messages[i], sizeof(messages[i]), "m%zu", i);
        rows[n++] = (struct row){AUDIT_ITI_55, AUDIT_INTENT, "t", messages[i], "blue", "u"};
        if (i % 2 == 1) {
            rows[n++] =
                (struct row){AUDIT_ITI_55, AUDIT_OUTCOME, "t", messages[i - 1], "blue", "u"};
        }
    }
    write_and_die(dir, rows, n);
    CU_ASSERT_EQUAL(end_intents(dir, HOUR_US), MANY / 2);
    CU_ASSERT_EQUAL(end_intents(dir, HOUR_US), 0);
    kit_check_whole(dir, n + MANY / 2);
}

/* Whatever fails on the way, each is ended once in the end. */
static void
test_without_memory(void)
{
    static const struct row rows[] = {
        {AUDIT_ITI_55, AUDIT_INTENT, "t1", "m1", "blue", "u"},
        {AUDIT_ITI_55, AUDIT_INTENT, "t1", "m2", "green", "u"},
        {AUDIT_ITI_55, AUDIT_OUTCOME, "t1", "m1", "blue", "u"},
        {AUDIT_ITI_38, AUDIT_INTENT, "t2", "m3", "blue", "u"},
    };
    char dir[PATH_MAX];
    size_t ended = 0;
    bool is_done = false;

    (void)snprintf(dir, sizeof(dir), "%s", kit_folder("memory"));
    kit_disk_reset();
    write_and_die(dir, rows, ARRAY_LEN(rows));
    for (uint64_t allowed = 0; !is_done && allowed < 1000; allowed++) {
        struct journal *journal = kit_open(dir, KIT_SIZES);
        struct diag diag = {0};
        size_t n = 0;
        mem_fail_once(allowed);
        const struct status st = journal_end_intents(journal, JOURNAL_AT(dir), HOUR_US, &diag, &n);
        mem_fail_after(UINT64_MAX);
        is_done = is_ok(st) && n == 0 && ended == 2;
        CU_ASSERT_TRUE(is_ok(st) || st.code == ERR_NO_MEMORY);
        ended += n;
        journal_close(journal);
    }
    CU_ASSERT_TRUE(is_done);
    CU_ASSERT_EQUAL(ended, 2);
    CU_ASSERT_EQUAL(find_unknown(dir).n, 2);
}

static const struct unit_test tests[] = {
    {"nothing to end", test_nothing_to_end},
    {"what is open is ended once, and nothing else", test_what_is_open},
    {"records of a newer version are nobody's", test_newer_records},
    {"no further back than the window", test_window},
    {"many", test_many},
    {"every failed allocation is survived", test_without_memory},
};
UNIT_MAIN("journal unfinished", tests)
