/*
 * Searching the journal, and the accounting of disclosures, over real journals: what is found, that
 * the index follows the journal whatever happens to either, and that nothing of a damaged chain is
 * hidden.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "cli/audit_disclosure.h"
#include "cli/audit_search.h"
#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

#define DAY_US (INT64_C(24) * 3600 * US_PER_S)
#define START  (INT64_C(1795343400) * US_PER_S) /* 2026-11-22T10:30:00Z */

static const struct cli_command command = {.name = "audit test", .usage = "-c FILE"};

/* ---- a journal with something of everything ---- */

struct row {
    int day;
    enum audit_type type;
    enum audit_side side;
    enum audit_phase phase;
    enum audit_outcome outcome;
    const char *user, *organization, *partner, *purpose, *patient, *document;
};
#define ASKS  AUDIT_INITIATING
#define TELLS AUDIT_RESPONDING
/* clang-format off */
static const struct row rows[] = {
    {0, AUDIT_NODE_START, TELLS, AUDIT_OUTCOME, AUDIT_SUCCESS, "", "", "", "", "", ""},
    {1, AUDIT_ITI_55, TELLS, AUDIT_OUTCOME, AUDIT_SUCCESS, "Dr. Ada Example", "Blue HIE", "blue", "T-TREAT", "1^^^&2.999.1&ISO", ""},
    {1, AUDIT_ITI_55, TELLS, AUDIT_OUTCOME, AUDIT_SERIOUS, "Dr. Ada Example", "Blue HIE", "blue", "T-TREAT", "1^^^&2.999.1&ISO", ""},
    {2, AUDIT_ITI_38, TELLS, AUDIT_OUTCOME, AUDIT_SUCCESS, "", "=Green \"HIE\", Inc", "green", "T-PH-ECR", "1^^^&2.999.1&ISO", ""},
    {2, AUDIT_ITI_39, TELLS, AUDIT_OUTCOME, AUDIT_MINOR, "clerk", "Green HIE", "green", "T-HCO-CC", "1^^^&2.999.1&ISO", "2.999.7.1"},
    {3, AUDIT_ITI_80, ASKS, AUDIT_INTENT, AUDIT_SUCCESS, "Dr. Own", "Red HIE", "blue", "T-TREAT", "1^^^&2.999.1&ISO", ""},
    {3, AUDIT_ITI_80, ASKS, AUDIT_OUTCOME, AUDIT_SUCCESS, "Dr. Own", "Red HIE", "blue", "T-TREAT", "1^^^&2.999.1&ISO", ""},
    {4, AUDIT_ITI_38, TELLS, AUDIT_OUTCOME, AUDIT_SUCCESS, "Dr. Ada Example", "Blue HIE", "blue", "T-TREAT", "12^^^&2.999.1&ISO", ""},
    {5, AUDIT_ITI_43, TELLS, AUDIT_OUTCOME, AUDIT_SUCCESS, "Dr. Ada Example", "Blue HIE", "blue", "T-TREAT", "1^^^&2.999.11&ISO", "2.999.7.2"},
};
/* clang-format on */

static void
append(struct journal *journal, const struct row *row)
{
    struct span patient = span_of_cstr(row->patient);
    struct document_ref document = {.unique_id = span_of_cstr(row->document)};
    struct diag diag = {0};
    const struct audit_event event = {
        .type = row->type,
        .side = row->side,
        .phase = row->phase,
        .outcome = row->outcome,
        .time_us = START + row->day * DAY_US,
        .user_id = span_of_cstr(row->user),
        .organization = span_of_cstr(row->organization),
        .source_address = SPAN("192.0.2.7"),
        .destination_id = SPAN("https://blue.example/"),
        .partner = span_of_cstr(row->partner),
        .community = row->partner[0] == '\0' ? SPAN_EMPTY : SPAN("2.999.2"),
        .purpose = {.value = span_of_cstr(row->purpose)},
        .patients = {&patient, patient.n > 0 ? 1 : 0, 1},
        .documents = {&document, document.unique_id.n > 0 ? 1 : 0, 1},
    };
    CHECK_OK(&diag, journal_append_wait(journal, &event, &diag));
}

/* Each record was also written when its event was: the clock is the test's. */
static const char *
make_journal(const char *name, const char *chain, size_t from, size_t to)
{
    static char dir[PATH_MAX];
    struct fake_clock clock;
    struct journal *journal = NULL;
    struct diag diag = {0};

    (void)snprintf(dir, sizeof(dir), "%s", kit_folder(name));
    kit_disk_reset();
    fake_clock_init(&clock, START);
    CHECK_OK(&diag,
             journal_open_sized(JOURNAL_AT(dir), chain, &clock.clock, KIT_SIZES, &diag, &journal));
    for (size_t i = from; i < to; i++) {
        clock.wall_us = START + rows[i].day * DAY_US;
        append(journal, &rows[i]);
    }
    journal_close(journal);
    return dir;
}

/* ---- what is printed ---- */

struct printed {
    char text[65536];
    enum cli_exit exit_code;
};

static void
print(const char *dir, enum audit_form form, const struct audit_index_query *query,
      const struct disclosure_form *disclosures, struct printed *printed)
{
    const struct audit_view view = {.command = &command,
                                    .place = {.dir = dir},
                                    .source = {"Red HIE", "2.999.1"},
                                    .form = form,
                                    .out = tmpfile()};
    CU_ASSERT_PTR_NOT_NULL_FATAL(view.out);
    printed->exit_code = disclosures == NULL ? audit_search(&view, query, AUDIT_ORDER_NEWEST_LAST)
                                             : audit_disclosures(&view, query, disclosures);
    rewind(view.out);
    const size_t n = fread(printed->text, 1, sizeof(printed->text) - 1, view.out);
    printed->text[n] = '\0';
    (void)fclose(view.out);
}

static size_t
lines_of(const char *text)
{
    size_t n = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
        n++;
    }
    return n;
}

static struct audit_index_query
any(void)
{
    return (struct audit_index_query){.outcome = -1,
                                      .outcome_most = -1,
                                      .since_us = INT64_MIN,
                                      .until_us = INT64_MAX,
                                      .limit = 100};
}

/* How many records are found. */
static size_t
count(const char *dir, const struct audit_index_query *query)
{
    static struct printed printed;
    print(dir, AUDIT_FORM_JSON, query, NULL, &printed);
    CU_ASSERT_EQUAL(printed.exit_code, CLI_DONE);
    return lines_of(printed.text);
}

/* ---- tests ---- */

static void
test_what_is_found(void)
{
    const char *const dir = make_journal("found", "node", 0, ARRAY_LEN(rows));
    static const struct {
        const char *patient, *document, *user, *organization, *partner, *purpose, *type, *phase;
        int outcome, since_day, until_day;
        size_t want;
    } cases[] = {
        {"3^^^&2.999.1&ISO", "", "", "", "", "", "", "", -1, -1, 99, 0},
        {"", "2.999.7", "", "", "", "", "", "", -1, -1, 99, 0}, /* not the beginning of an id */
        {"", "", "100", "", "", "", "", "", -1, -1, 99, 0},
        {"", "", "", "", "", "", "", "", -1, -1, 99, ARRAY_LEN(rows)},
        {"1^^^&2.999.1&ISO", "", "", "", "", "", "", "", -1, -1, 99, 6}, /* not 12^^^, not .11 */
        {"1^^^&2.999.1", "", "", "", "", "", "", "", -1, -1, 99, 6},
        {"1^^^&2.999.1&ISO", "", "", "", "", "", "ITI-55", "", -1, -1, 99, 2},
        {"1^^^&2.999.1&ISO", "", "", "", "", "", "", "", AUDIT_SERIOUS, -1, 99, 1},
        {"1^^^&2.999.1&ISO", "2.999.7.1", "", "", "", "", "", "", -1, -1, 99, 1},
        {"", "2.999.7.2", "", "", "", "", "", "", -1, -1, 99, 1},
        {"", "", "ada", "", "", "", "", "", -1, -1, 99, 4},
        {"", "", "", "green", "", "", "", "", -1, -1, 99, 2},
        {"", "", "", "", "green", "", "", "", -1, -1, 99, 2},
        {"", "", "", "", "2.999.2", "", "", "", -1, -1, 99, 8},
        {"1", "", "", "", "", "", "", "", -1, -1, 99, 7}, /* an id without its authority */
        {"", "", "adaexample", "bluehie", "blue", "T-TREAT", "ITI-38", "outcome", 0, -1, 99, 1},
        {"", "", "", "", "", "T-TREAT", "", "", -1, -1, 99, 6},
        {"", "", "", "", "", "", "", "intent", -1, -1, 99, 1},
        {"", "", "", "", "", "", "node-start", "", -1, -1, 99, 1},
        {"", "", "", "", "", "", "", "", -1, 2, 3, 2}, /* until is not included */
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct span patient = span_of_cstr(cases[i].patient);
        struct audit_index_query query = {
            .patients = {&patient, patient.n > 0 ? 1 : 0, 1},
            .document = span_of_cstr(cases[i].document),
            .user = span_of_cstr(cases[i].user),
            .organization = span_of_cstr(cases[i].organization),
            .partner = span_of_cstr(cases[i].partner),
            .purpose = span_of_cstr(cases[i].purpose),
            .type = span_of_cstr(cases[i].type),
            .phase = span_of_cstr(cases[i].phase),
            .outcome = cases[i].outcome,
            .outcome_most = cases[i].outcome,
            .since_us = START + cases[i].since_day * DAY_US,
            .until_us = START + cases[i].until_day * DAY_US,
            .limit = 100,
        };
        const size_t got = count(dir, &query);
        if (got != cases[i].want) {
            printf("\n    case %zu: %zu, wanted %zu\n", i, got, cases[i].want);
            CU_FAIL("another number of records");
        }
    }
}

static void
test_order_and_limit(void)
{
    static struct printed printed;
    struct audit_index_query query = any();
    (void)make_journal("order", "cli-0", 0, 4); /* two chains, whose records interleave */
    const char *const dir = make_journal("order", "node", 2, ARRAY_LEN(rows));

    query.limit = 5;
    print(dir, AUDIT_FORM_TEXT, &query, NULL, &printed);
    CU_ASSERT_EQUAL(printed.exit_code, CLI_DONE);
    CU_ASSERT_EQUAL(lines_of(printed.text), 1 + 5); /* and the columns' names */
    const char *const first = strstr(printed.text, "2026-11-24");
    const char *const last = strstr(printed.text, "2026-11-27");
    CU_ASSERT_TRUE(first != NULL && last != NULL && first < last);
    CU_ASSERT_PTR_NULL(strstr(printed.text, "node-start"));
    query.limit = 100;
    CU_ASSERT_EQUAL(count(dir, &query), 4 + ARRAY_LEN(rows) - 2);
}

/* The index is brought up to date by each search, and is made again when it, or the journal that it
 * was made of, has gone. */
static void
test_index_follows(void)
{
    const struct audit_index_query query = any();
    char path[PATH_MAX], segment[PATH_MAX];
    struct stat info;

    const char *const dir = make_journal("follows", "node", 0, 3);
    CU_ASSERT_EQUAL(count(dir, &query), 3);
    (void)make_journal("follows", "node", 3, 5);
    CU_ASSERT_EQUAL(count(dir, &query), 5);
    (void)make_journal("follows", "cli-0", 0, 1);
    CU_ASSERT_EQUAL(count(dir, &query), 6);
    kit_join(path, dir, AUDIT_INDEX_NAME);
    CU_ASSERT_EQUAL(stat(path, &info), 0);
    CU_ASSERT_EQUAL(info.st_mode & 0777, 0600); /* it names patients */
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(count(dir, &query), 6);
    (void)snprintf(segment, sizeof(segment), "%s", kit_last_segment(dir, "cli-0"));
    CU_ASSERT_EQUAL(unlink(segment), 0); /* moved away: the next writer starts a new chain */
    (void)make_journal("follows", "cli-0", 7, 9);
    CU_ASSERT_EQUAL(count(dir, &query), 7);
    CU_ASSERT_EQUAL(unlink(kit_last_segment(dir, "cli-0")), 0);
    (void)make_journal("follows", "cli-0", 7, 8); /* shorter than what is known */
    CU_ASSERT_EQUAL(count(dir, &query), 6);
}

/* A file that is there in the index's place and is not one is left alone. */
static void
test_foreign_file(void)
{
    static struct printed printed;
    const struct audit_index_query query = any();
    const char *const dir = make_journal("foreign", "node", 0, 3);
    char path[PATH_MAX];

    kit_join(path, dir, AUDIT_INDEX_NAME);
    kit_write_file(path, SPAN("this is no database, and somebody may still want it\n"));
    print(dir, AUDIT_FORM_JSON, &query, NULL, &printed);
    CU_ASSERT_EQUAL(printed.exit_code, CLI_FAILED);
    CU_ASSERT_EQUAL(printed.text[0], '\0');
}

static void
test_damage_is_said(void)
{
    static struct printed printed;
    const struct audit_index_query query = any();
    const char *const dir = make_journal("damage", "node", 0, ARRAY_LEN(rows));
    struct buf bytes;
    struct diag diag = {0};
    struct record_head head;

    (void)make_journal("damage", "cli-0", 0, 2);
    const char *const path = kit_last_segment(dir, "node");
    buf_init(&bytes, 1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&bytes, path, &diag));
    uint64_t offset = SEGMENT_HEAD_BYTES;
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL_FATAL(record_check(span_slice(buf_span(&bytes), offset, bytes.n), &head),
                              RECORD_GOOD);
        offset += RECORD_HEAD_BYTES + (uint64_t)head.length;
    }
    bytes.p[offset + RECORD_HEAD_BYTES] ^= 1; /* the fifth */
    kit_write_file(path, buf_span(&bytes));
    print(dir, AUDIT_FORM_JSON, &query, NULL, &printed);
    CU_ASSERT_EQUAL(printed.exit_code, CLI_FAILED);
    CU_ASSERT_EQUAL(lines_of(printed.text), 4 + 2); /* what can still be proven, and other chains */
    bytes.p[offset + RECORD_HEAD_BYTES] ^= 1;
    kit_write_file(path, buf_span(&bytes)); /* restored: everything is found again */
    buf_done(&bytes);
    CU_ASSERT_EQUAL(count(dir, &query), ARRAY_LEN(rows) + 2);
}

static void
test_disclosures(void)
{
    static struct printed printed;
    const char *const dir = make_journal("disclosures", "node", 0, ARRAY_LEN(rows));
    struct audit_index_query query = any();
    struct span patient = SPAN("1^^^&2.999.1&ISO");
    struct disclosure_form form = {
        .style = DISCLOSURE_CSV, .community = "Red HIE", .patients = &query.patients};

    query.patients = (struct span_list){&patient, 1, 1};
    form.since_us = query.since_us = START;
    form.until_us = query.until_us = START + 30 * DAY_US;
    print(dir, AUDIT_FORM_TEXT, &query, &form, &printed);
    CU_ASSERT_EQUAL(printed.exit_code, CLI_DONE);
    CU_ASSERT_STRING_EQUAL(
        printed.text,
        "date,recipient,address,community,user,what,documents,purpose,why,exempt,record\r\n"
        "\"2026-11-23T10:30:00.000Z\",\"Blue HIE\",\"192.0.2.7\",\"2.999.2\","
        "\"Dr. Ada Example\",\"demographics and patient id, in an answer\",\"\",\"T-TREAT\","
        "\"treatment\",\"yes\",\"node/2\"\r\n"
        "\"2026-11-24T10:30:00.000Z\",\"'=Green \"\"HIE\"\", Inc\",\"192.0.2.7\",\"2.999.2\",\"\","
        "\"list of documents, in an answer\",\"\",\"T-PH-ECR\","
        "\"public health: electronic case reporting\",\"no\",\"node/4\"\r\n"
        "\"2026-11-24T10:30:00.000Z\",\"Green HIE\",\"192.0.2.7\",\"2.999.2\",\"clerk\","
        "\"documents, in an answer\",\"1\",\"T-HCO-CC\","
        "\"health care operations: care coordination\",\"yes\",\"node/5\"\r\n"
        "\"2026-11-25T10:30:00.000Z\",\"blue\",\"https://blue.example/\",\"2.999.2\",\"\","
        "\"documents, delivered\",\"\",\"T-TREAT\",\"treatment\",\"yes\",\"node/6\"\r\n");
    form.style = DISCLOSURE_TEXT;
    print(dir, AUDIT_FORM_TEXT, &query, &form, &printed);
    CU_ASSERT_EQUAL(lines_of(printed.text), 4 + 4 + 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, "Patient 1^^^&2.999.1&ISO\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, "Green HIE (clerk), 192.0.2.7: documents, in an "
                                                "answer, 1; purpose T-HCO-CC, health care "
                                                "operations: care coordination (exempt); record "
                                                "node/5"));
    form.is_accountable = true;
    print(dir, AUDIT_FORM_TEXT, &query, &form, &printed);
    CU_ASSERT_EQUAL(lines_of(printed.text), 4 + 1 + 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, "T-PH-ECR"));
    CU_ASSERT_PTR_NOT_NULL(strstr(printed.text, "\n1 disclosure\n"));
}

static void
test_disclosures_as_json(void)
{
    static struct printed printed;
    const char *const dir = make_journal("json", "node", 0, ARRAY_LEN(rows));
    struct audit_index_query query = any();
    struct span patient = SPAN("1^^^&2.999.11&ISO");
    const struct disclosure_form form = {
        .style = DISCLOSURE_JSON, .community = "Red HIE", .patients = &query.patients};

    query.patients = (struct span_list){&patient, 1, 1};
    print(dir, AUDIT_FORM_JSON, &query, &form, &printed);
    json_t *row = json_loads(printed.text, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(row, "recipient")), "Blue HIE");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(json_object_get(row, "documents"), 0)),
                           "2.999.7.2");
    CU_ASSERT_TRUE(json_is_true(json_object_get(row, "exempt")));
    json_decref(row);
}

static struct status
search_without_memory(struct diag *diag)
{
    struct audit_index *index = NULL;
    struct audit_index_position position = {0};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct audit_index_places places = {0};
    const struct audit_index_query query = any();
    bool is_cut = false;
    char path[PATH_MAX];

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no arena");
    }
    kit_join(path, unit_temp_dir(), "memory.db");
    struct status st = audit_index_open(path, diag, &index);
    if (is_ok(st)) {
        st = audit_index_position(index, "node", diag, &position);
    }
    if (is_ok(st)) {
        st = audit_index_find(index, &query, arena, diag, &places, &is_cut);
    }
    audit_index_close(index);
    arena_free(arena);
    return st;
}

static void
test_without_memory(void)
{
    unit_torture(search_without_memory);
}

static const struct unit_test tests[] = {
    {"a file that is no index is left alone", test_foreign_file},
    {"damage is said, and hides nothing else", test_damage_is_said},
    {"what is found", test_what_is_found},
    {"in order of time, the newest when there are too many", test_order_and_limit},
    {"the index follows the journal", test_index_follows},
    {"an accounting of disclosures", test_disclosures},
    {"the same for programs", test_disclosures_as_json},
    {"every failed allocation is survived", test_without_memory},
};
UNIT_MAIN("audit search", tests)
