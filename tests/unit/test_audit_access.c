/*
 * Whoever reads the journal stands in it: before anything is shown, with what was asked and how
 * much was shown, or nothing is shown at all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/audit_access.h"
#include "cli/audit_filter.h"
#include "cli/audit_search.h"
#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

enum { RECORDS = 5 };

static const struct cli_command command = {.name = "audit test", .usage = "-c FILE"};
static struct span asked_patient = {"1^^^&2.999.1&ISO", 16};
static const struct span_list asked_patients = {&asked_patient, 1, 1};

/* ---- a journal, and what reading it printed ---- */

struct reading {
    char dir[PATH_MAX];
    struct audit_access access;
    struct audit_view view;
    char text[65536];
};

static void
begin(struct reading *reading, const char *name)
{
    struct journal *journal;

    kit_disk_reset();
    memset(reading, 0, sizeof(*reading));
    (void)snprintf(reading->dir, sizeof(reading->dir), "%s", kit_folder(name));
    journal = kit_open(reading->dir, KIT_SIZES);
    kit_fill(journal, 1, RECORDS);
    journal_close(journal);
    reading->view = (struct audit_view){.command = &command,
                                        .place = {.dir = reading->dir},
                                        .source = {"Red HIE", "2.999.1"},
                                        .form = AUDIT_FORM_JSON,
                                        .out = tmpfile(),
                                        .access = &reading->access};
    reading->access = (struct audit_access){.command = &command,
                                            .place = &reading->view.place,
                                            .community = "2.999.1",
                                            .verb = "search",
                                            .asker = "Officer Example",
                                            .reason = "complaint 12",
                                            .asked = SPAN("since=1d"),
                                            .patients = &asked_patients};
    CU_ASSERT_PTR_NOT_NULL_FATAL(reading->view.out);
}

static void
end(struct reading *reading)
{
    rewind(reading->view.out);
    const size_t n = fread(reading->text, 1, sizeof(reading->text) - 1, reading->view.out);
    reading->text[n] = '\0';
    (void)fclose(reading->view.out);
}

static size_t
count_of(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = text; (at = strstr(at, what)) != NULL; at++) {
        n++;
    }
    return n;
}

static struct audit_index_query
everything(void)
{
    return (struct audit_index_query){.outcome = -1,
                                      .outcome_most = -1,
                                      .since_us = INT64_MIN,
                                      .until_us = INT64_MAX,
                                      .limit = 100};
}

/* What the journal holds of those who read it. */
struct found {
    struct arena *arena;
    struct audit_event last;
    unsigned n;
};

static bool
take_access(void *arg, const struct journal_record *record)
{
    struct found *found = arg;
    struct audit_event event;
    struct diag diag = {0};

    CHECK_OK(&diag, audit_event_decode(record->payload, found->arena, &diag, &event));
    if (event.type == AUDIT_LOG_USED) {
        found->n++;
        found->last = event;
        CU_ASSERT_EQUAL(strncmp(record->chain, "access-", 7), 0);
    }
    return true;
}

static unsigned
accesses(struct reading *reading, struct arena *arena, struct audit_event *ret_last)
{
    struct found found = {.arena = arena};
    struct diag diag = {0};

    CHECK_OK(&diag, journal_read(&reading->view.place, take_access, &found, &diag));
    *ret_last = found.last;
    return found.n;
}

static void
check_text(struct span got, const char *want)
{
    if (!span_eq_cstr(got, want)) {
        printf("\n    '%.*s', wanted '%s'\n", SPAN_PRINT(got), want);
        CU_FAIL("another text");
    }
}

/* ---- tests ---- */

/* A journal that cannot be written is not shown: every way to read it. */
static void
test_nothing_is_shown(void)
{
    static struct reading reading;
    const struct audit_index_query query = everything();

    for (int way = 0; way < 4; way++) {
        begin(&reading, "refused");
        reading.view.is_encrypted = true; /* no index: the disk fails the journal alone */
        atomic_store(&kit_disk.fail_sync_at, 1);
        const enum cli_exit exit_code =
            way == 0   ? audit_search(&reading.view, &query, AUDIT_ORDER_NEWEST_LAST)
            : way == 1 ? audit_view_tail(&reading.view, 100, NULL, NULL)
            : way == 2 ? audit_view_show(&reading.view, "serve/1")
                       : audit_count(&reading.view, &query);
        end(&reading);
        kit_disk_reset();
        CU_ASSERT_EQUAL(exit_code, CLI_FAILED);
        CU_ASSERT_EQUAL(reading.text[0], '\0');
    }
}

/* Unless the node is told to go on without its journal, too. */
static void
test_going_on_without(void)
{
    static struct reading reading;
    const struct audit_index_query query = everything();

    begin(&reading, "degraded");
    reading.view.is_encrypted = true;
    reading.access.may_go_on = true;
    atomic_store(&kit_disk.fail_sync_at, 1);
    const enum cli_exit exit_code = audit_search(&reading.view, &query, AUDIT_ORDER_NEWEST_LAST);
    end(&reading);
    kit_disk_reset();
    CU_ASSERT_EQUAL(exit_code, CLI_DONE);
    CU_ASSERT_EQUAL(count_of(reading.text, "\"record\":"), RECORDS);
}

/* REQ: ITI20-log-used */
static void
test_what_is_recorded(void)
{
    static struct reading reading;
    struct audit_event event;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct audit_index_query query = everything();

    begin(&reading, "recorded");
    CU_ASSERT_EQUAL(audit_search(&reading.view, &query, AUDIT_ORDER_NEWEST_LAST), CLI_DONE);
    end(&reading);
    CU_ASSERT_EQUAL(count_of(reading.text, "\"record\":"), RECORDS); /* not its own */
    CU_ASSERT_EQUAL(accesses(&reading, arena, &event), 1);
    check_text(event.query_id, "search");
    check_text(event.query, "since=1d");
    check_text(event.user_id, "Officer Example");
    CU_ASSERT_TRUE(event.user_name.n > 0); /* the unix user */
    check_text(event.subject, reading.dir);
    CU_ASSERT_EQUAL_FATAL(event.patients.n, 1);
    check_text(event.patients.items[0], "1^^^&2.999.1&ISO");
    CU_ASSERT_EQUAL_FATAL(event.details.n, 2);
    check_text(event.details.items[0].name, "records");
    check_text(event.details.items[0].value, "5");
    check_text(event.details.items[1].value, "complaint 12");
    arena_free(arena);
}

/* Tail leaves these records out, unless they are wanted; search finds them. */
static void
test_who_sees_it(void)
{
    static struct reading reading;
    struct audit_event event;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct audit_index_query query = everything();

    begin(&reading, "seen");
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(audit_view_tail(&reading.view, 100, NULL, NULL), CLI_DONE);
    }
    query.type = span_of_cstr(audit_type_code(AUDIT_LOG_USED));
    CU_ASSERT_EQUAL(audit_search(&reading.view, &query, AUDIT_ORDER_NEWEST_LAST), CLI_DONE);
    reading.view.has_access = true;
    CU_ASSERT_EQUAL(audit_view_tail(&reading.view, 100, NULL, NULL), CLI_DONE);
    end(&reading);
    CU_ASSERT_EQUAL(count_of(reading.text, "\"chain\":"), 0);
    CU_ASSERT_EQUAL(count_of(reading.text, "\"record\":\"access-0/"), 3 + 4);
    CU_ASSERT_EQUAL(count_of(reading.text, "\"record\":\"serve/"), 4 * RECORDS);
    CU_ASSERT_EQUAL(accesses(&reading, arena, &event), 5);
    arena_free(arena);
}

static unsigned rounds;

static bool
three_rounds(void *arg)
{
    struct reading *reading = arg;
    struct journal *journal;

    if (rounds == 2) {
        journal = kit_open(reading->dir, KIT_SIZES);
        kit_fill(journal, 100, 103);
        journal_close(journal);
    }
    return rounds-- > 0;
}

/* Who follows is recorded when he begins, and again with how much came. */
static void
test_following(void)
{
    static struct reading reading;
    struct audit_event event;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);

    begin(&reading, "followed");
    rounds = 3;
    CU_ASSERT_EQUAL(audit_view_tail(&reading.view, 2, three_rounds, &reading), CLI_DONE);
    end(&reading);
    CU_ASSERT_EQUAL(count_of(reading.text, "\"record\":\"serve/"), 2 + 4);
    CU_ASSERT_EQUAL(accesses(&reading, arena, &event), 2);
    check_text(event.details.items[0].value, "4");
    arena_free(arena);
}

static const struct unit_test tests[] = {
    {"nothing is shown when it cannot be recorded", test_nothing_is_shown},
    {"unless the node goes on without, too", test_going_on_without},
    {"what is recorded", test_what_is_recorded},
    {"who sees it", test_who_sees_it},
    {"following", test_following},
};
UNIT_MAIN("audit access", tests)
