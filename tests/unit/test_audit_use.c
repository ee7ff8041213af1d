/*
 * Thousands of records, and the questions that people have: the index gives what reading every
 * record gives, in every order and on every page; times as people write them; several who search at
 * once; an index that is damaged.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/datetime.h"
#include "cli/audit_filter.h"
#include "cli/audit_search.h"
#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

enum { CHAINS = 3, RECORDS = 400, QUERIES = 24, SEARCHERS = 4 };
#define START    (INT64_C(1795343400) * US_PER_S) /* 2026-11-22T10:30:00Z */
#define MINUTE   (60 * US_PER_S)
#define SIZES    ((struct journal_sizes){65536, 4 * 1024 * 1024, 0, false})
#define ALL_ROOM ((size_t)64 * 1024 * 1024)

static const struct cli_command command = {.name = "audit test", .usage = "-c FILE"};

/* ---- numbers that are the same each time ---- */

static uint32_t seed;

static size_t
below(size_t n)
{
    seed = seed * 1664525U + 1013904223U;
    return (size_t)(seed >> 8) % n;
}

/* ---- a journal of several chains ---- */

static const char *const users[] = {"", "Dr. Ada Example", "N\303\272\303\261ez, Inga", "clerk"};
static const char *const organizations[] = {"", "Blue HIE", "Gr\xC3\xBCn HIE, Inc."};
static const char *const partners[] = {"", "blue", "green"};
static const char *const purposes[] = {"", "T-TREAT", "T-PYMNT"};
static const char *const rules[] = {"", "treatment", "nobody"};
static const char *const patients[] = {"1^^^&2.999.1&ISO", "12^^^&2.999.1&ISO", "1^^^&2.999.11&ISO",
                                       "7^^^&2.999.2&ISO"};
static const char *const documents[] = {"2.999.7.1", "2.999.7.2", "2.999.7.11"};
static const enum audit_type types[] = {AUDIT_ITI_55, AUDIT_ITI_38, AUDIT_ITI_39, AUDIT_NODE_START};
static const enum audit_outcome outcomes[] = {AUDIT_SUCCESS, AUDIT_MINOR, AUDIT_SERIOUS,
                                              AUDIT_MAJOR};
#define ANY_OF(list) (list)[below(ARRAY_LEN(list))]

struct made {
    struct audit_event event;
    struct span patients[2];
    struct document_ref document;
    char transaction[32], message[64];
};

static void
make_event(struct made *made, int64_t time_us)
{
    *made = (struct made){0};
    for (size_t i = 0; i < ARRAY_LEN(made->patients); i++) {
        made->patients[i] = span_of_cstr(ANY_OF(patients));
    }
    made->document.unique_id = span_of_cstr(ANY_OF(documents));
    (void)snprintf(made->transaction, sizeof(made->transaction), "t-%zu", below(400));
    (void)snprintf(made->message, sizeof(made->message), "urn:uuid:m-%zu", below(400));
    made->event = (struct audit_event){
        .type = ANY_OF(types),
        .side = below(2) == 0 ? AUDIT_INITIATING : AUDIT_RESPONDING,
        .phase = below(4) == 0 ? AUDIT_INTENT : AUDIT_OUTCOME,
        .outcome = ANY_OF(outcomes),
        .time_us = time_us,
        .user_id = span_of_cstr(ANY_OF(users)),
        .organization = span_of_cstr(ANY_OF(organizations)),
        .partner = span_of_cstr(ANY_OF(partners)),
        .community = SPAN("2.999.2"),
        .purpose = {.value = span_of_cstr(ANY_OF(purposes))},
        .policy_rule = span_of_cstr(ANY_OF(rules)),
        .transaction_id = span_of_cstr(made->transaction),
        .message_id = span_of_cstr(made->message),
        .patients = {made->patients, below(3), 2},
        .documents = {&made->document, below(2), 1},
    };
}

/* Chains are written side by side; their records' times interleave, and many are equal. */
static void
write_chain(const char *dir, const char *chain, size_t n)
{
    struct fake_clock clock;
    struct journal *journal = NULL;
    struct diag diag = {0};
    struct kit_claim *claims = calloc(n, sizeof(*claims));

    CU_ASSERT_PTR_NOT_NULL_FATAL(claims);
    fake_clock_init(&clock, START);
    CHECK_OK(&diag,
             journal_open_sized(JOURNAL_AT(dir), chain, &clock.clock, SIZES, &diag, &journal));
    for (size_t i = 0; i < n; i++) {
        struct made made;

        clock.wall_us = START + (int64_t)(i / 3) * MINUTE;
        make_event(&made, clock.wall_us);
        kit_claim_init(&claims[i]);
        CHECK_OK(&diag,
                 journal_append(journal, &made.event, &claims[i].park, &diag, &claims[i].ticket));
    }
    kit_claim_wait(&claims[n - 1]); /* they wake in order */
    journal_close(journal);
    free(claims);
}

static const char *
make_journal(const char *name, size_t n)
{
    static char dir[PATH_MAX];

    seed = 17;
    kit_disk_reset();
    (void)snprintf(dir, sizeof(dir), "%s", kit_folder(name));
    for (int i = 0; i < CHAINS; i++) {
        char chain[16];

        (void)snprintf(chain, sizeof(chain), "chain-%d", i);
        write_chain(dir, chain, n);
    }
    return dir;
}

/* ---- questions ---- */

static struct audit_index_query
everything(void)
{
    return (struct audit_index_query){.outcome = -1,
                                      .outcome_most = -1,
                                      .since_us = INT64_MIN,
                                      .until_us = INT64_MAX,
                                      .limit = CHAINS * RECORDS};
}

static struct span
maybe(const char *text)
{
    return below(3) == 0 ? span_of_cstr(text) : SPAN_EMPTY;
}

static const char *const asked_patients[] = {"1", "1^^^&2.999.1", "12^^^&2.999.1&ISO", "3"};

static void
make_query(struct audit_index_query *query, struct span patient[1])
{
    static const char *const asked_users[] = {"ada", "nunez", "e", "nobody"};
    static const char *const asked_messages[] = {"m-7", "urn:uuid:m-70", "m-399"};
    static const char *const asked_transactions[] = {"t-1", "t-77", "t"};

    *query = everything();
    patient[0] = span_of_cstr(ANY_OF(asked_patients));
    query->patients = (struct span_list){patient, below(2), 1};
    query->document = maybe(ANY_OF(documents));
    query->user = maybe(ANY_OF(asked_users));
    query->organization = maybe(below(2) == 0 ? "hie" : "grunhieinc");
    query->partner = maybe(below(2) == 0 ? "blue" : "2.999.2");
    query->purpose = maybe("T-TREAT");
    query->type = maybe("ITI-38");
    query->phase = maybe(below(2) == 0 ? "intent" : "outcome");
    query->rule = maybe("treatment");
    query->message = below(8) == 0 ? span_of_cstr(ANY_OF(asked_messages)) : SPAN_EMPTY;
    query->transaction = below(8) == 0 ? span_of_cstr(ANY_OF(asked_transactions)) : SPAN_EMPTY;
    if (below(3) == 0) {
        query->outcome = AUDIT_MINOR;
        query->outcome_most = (int)ANY_OF(outcomes);
    }
    if (below(3) == 0) {
        query->since_us = START + (int64_t)below(200) * MINUTE;
        query->until_us = query->since_us + (int64_t)below(300) * MINUTE;
    }
    query->is_newest_first = below(2) == 0;
}

static struct audit_view
view_of(const char *dir, bool is_encrypted)
{
    return (struct audit_view){.command = &command,
                               .place = {.dir = dir},
                               .form = AUDIT_FORM_JSON,
                               .is_encrypted = is_encrypted};
}

static bool
are_equal(const struct audit_index_places *a, const struct audit_index_places *b)
{
    bool is_equal = a->n == b->n;

    for (size_t i = 0; i < a->n && is_equal; i++) {
        is_equal = strcmp(a->items[i].chain, b->items[i].chain) == 0 &&
                   a->items[i].sequence == b->items[i].sequence;
    }
    return is_equal;
}

static void
find_all(struct audit_search *search, const struct audit_index_query *query, struct arena *arena,
         struct audit_index_places *ret_places)
{
    struct diag diag = {0};
    bool has_more = true;
    uint64_t n = 0;

    CHECK_OK(&diag, audit_search_find(search, query, arena, &diag, ret_places, &has_more));
    CU_ASSERT_FALSE(has_more);
    CHECK_OK(&diag, audit_search_count(search, query, &diag, &n));
    CU_ASSERT_EQUAL(n, ret_places->n);
}

/* The same, by pages. */
static void
find_pages(struct audit_search *search, struct audit_index_query query, size_t page,
           struct arena *arena, struct audit_index_places *places)
{
    bool has_more = true;

    query.limit = page;
    for (size_t n = 0; has_more && n < CHAINS * RECORDS; n++) {
        struct diag diag = {0};
        struct audit_index_places next = {0};

        CHECK_OK(&diag, audit_search_find(search, &query, arena, &diag, &next, &has_more));
        for (size_t i = 0; i < next.n; i++) {
            CHECK_OK(&diag, ARENA_PUSH(arena, &diag, places, next.items[i]));
        }
        CU_ASSERT_TRUE_FATAL(next.n == page || !has_more);
        if (next.n > 0) {
            query.after = next.items[next.n - 1];
        }
    }
}

/* ---- tests ---- */

static void
test_anchors(void)
{
    const char *const dir = make_journal("anchors", 10);
    struct arena *arena = arena_new(ALL_ROOM);
    struct audit_index_query query = everything();

    query.after = (struct audit_index_place){"chain-0", 99};
    for (int i = 0; i < 2; i++) {
        const struct audit_view view = view_of(dir, i == 1);
        struct audit_search search;
        struct audit_index_places places = {0};
        struct diag diag = {0};
        bool has_more = false;

        CHECK_OK(&diag, audit_search_open(&view, &diag, &search));
        CHECK_ERR(&diag, ERR_NOT_FOUND,
                  audit_search_find(&search, &query, arena, &diag, &places, &has_more));
        audit_search_close(&search);
    }
    arena_free(arena);
}

/* What each question should find: every record is asked, once. */
struct asked {
    struct audit_index_query query;
    struct span patient[1];
    struct audit_index_places wanted; /* oldest first */
};
struct answers {
    struct asked *asked;
    struct arena *arena;
};

static bool
ask_record(void *arg, const struct journal_record *record)
{
    struct answers *answers = arg;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct audit_event event;
    struct diag diag = {0};

    CHECK_OK(&diag, audit_event_decode(record->payload, arena, &diag, &event));
    for (size_t i = 0; i < QUERIES; i++) {
        struct asked *asked = &answers->asked[i];
        struct audit_index_place place = {.sequence = record->sequence};
        bool is_one = false;

        (void)snprintf(place.chain, sizeof(place.chain), "%s", record->chain);
        CHECK_OK(&diag, audit_filter_matches(&asked->query, record->time_us, &event, arena, &diag,
                                             &is_one));
        if (is_one) {
            CHECK_OK(&diag, ARENA_PUSH(answers->arena, &diag, &asked->wanted, place));
        }
    }
    arena_free(arena);
    return true;
}

static void
make_questions(struct asked *asked)
{
    for (size_t i = 0; i < QUERIES; i++) {
        seed = (uint32_t)i * 7919U + 3;
        make_query(&asked[i].query, asked[i].patient);
        if (i < ARRAY_LEN(asked_patients)) { /* by the patient alone */
            asked[i].query = everything();
            asked[i].patient[0] = span_of_cstr(asked_patients[i]);
            asked[i].query.patients = (struct span_list){asked[i].patient, 1, 1};
        }
    }
}

static void
turn_round(struct audit_index_places *places)
{
    for (size_t i = 0, j = places->n; i + 1 < j; i++, j--) {
        const struct audit_index_place first = places->items[i];
        places->items[i] = places->items[j - 1];
        places->items[j - 1] = first;
    }
}

static void
test_index_says_what_the_journal_says(void)
{
    const char *const dir = make_journal("many", RECORDS);
    const struct audit_view view = view_of(dir, false);
    static struct asked asked[QUERIES];
    struct audit_search search;
    struct diag diag = {0};
    struct answers answers = {asked, arena_new(ALL_ROOM)};
    size_t found = 0;

    make_questions(asked);
    CHECK_OK(&diag, journal_read(JOURNAL_AT(dir), ask_record, &answers, &diag));
    CHECK_OK(&diag, audit_search_open(&view, &diag, &search));
    for (size_t i = 0; i < QUERIES; i++) {
        struct arena *arena = arena_new(ALL_ROOM);
        struct audit_index_places places = {0}, paged = {0};

        if (asked[i].query.is_newest_first) {
            turn_round(&asked[i].wanted);
        }
        find_all(&search, &asked[i].query, arena, &places);
        find_pages(&search, asked[i].query, 1 + below(700), arena, &paged);
        if (!are_equal(&places, &asked[i].wanted) || !are_equal(&places, &paged)) {
            printf("\n    query %zu: index %zu, journal %zu, pages %zu\n", i, places.n,
                   asked[i].wanted.n, paged.n);
            CU_FAIL("the index says something else");
        }
        found += places.n > 0 ? 1 : 0;
        arena_free(arena);
    }
    CU_ASSERT_TRUE(found > QUERIES / 4); /* else the questions are no test */
    audit_search_close(&search);
    arena_free(answers.arena);
}

/* Pages of a journal without an index. */
static void
test_pages_of_a_walk(void)
{
    const char *const dir = make_journal("pages", 25);
    const struct audit_view view = view_of(dir, true);
    struct audit_search walk;
    struct diag diag = {0};

    CHECK_OK(&diag, audit_search_open(&view, &diag, &walk));
    for (int i = 0; i < 2; i++) {
        struct arena *arena = arena_new(ALL_ROOM);
        struct audit_index_query query = everything();
        struct audit_index_places places = {0}, paged = {0};

        query.is_newest_first = i == 1;
        find_all(&walk, &query, arena, &places);
        find_pages(&walk, query, 17, arena, &paged);
        CU_ASSERT_EQUAL(places.n, CHAINS * 25);
        CU_ASSERT_TRUE(are_equal(&places, &paged));
        arena_free(arena);
    }
    audit_search_close(&walk);
}

static void
test_times(void)
{
    static const struct {
        const char *text, *want; /* NULL: refused */
    } cases[] = {
        {"", NULL},
        {"yesterday", NULL},
        {"2026-13-01", NULL},
        {"2026-02-30", NULL},
        {"2026-11-22T25:00", NULL},
        {"7", NULL},
        {"d", NULL},
        {"-7d", NULL},
        {"7x", NULL},
        {"2026-11-22T10:30:00Z", "2026-11-22T10:30:00.000Z"},
        {"2026-11-22T10:30:00+01:00", "2026-11-22T09:30:00.000Z"},
        {"2026-11-22", "2026-11-22T05:00:00.000Z"}, /* local time: here five hours behind */
        {"2026-11-22T10:30", "2026-11-22T15:30:00.000Z"},
        {"2026-11-22 10:30:15", "2026-11-22T15:30:15.000Z"},
        {"90s", "2026-11-22T10:28:30.000Z"},
        {"2h", "2026-11-22T08:30:00.000Z"},
        {"7d", "2026-11-15T10:30:00.000Z"},
        {"1w", "2026-11-15T10:30:00.000Z"},
    };

    (void)setenv("TZ", "EST5", 1);
    tzset();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = 0;
        char text[DATETIME_MAX] = "refused";
        const char *const want = cases[i].want == NULL ? "refused" : cases[i].want;

        if (audit_filter_read_time(cases[i].text, START, &us)) {
            datetime_write_xs(us, text);
        }
        if (strcmp(text, want) != 0) {
            printf("\n    '%s': %s, wanted %s\n", cases[i].text, text, want);
            CU_FAIL("another time");
        }
    }
    (void)unsetenv("TZ");
    tzset();
}

/* How many records a whole search shows; -1 when it fails. */
static int
search_once(const char *dir)
{
    struct audit_view view = view_of(dir, false);
    struct audit_index_query query = everything();
    char line[8192];
    int lines = 0;

    view.out = tmpfile();
    if (view.out == NULL || audit_search(&view, &query, AUDIT_ORDER_NEWEST_FIRST) != CLI_DONE) {
        return -1;
    }
    rewind(view.out);
    while (fgets(line, sizeof(line), view.out) != NULL) {
        lines++;
    }
    (void)fclose(view.out);
    return lines;
}

/* None of them has found an index: all make it, at the same time, and all find everything. */
static void
test_several_at_once(void)
{
    const char *const dir = make_journal("several", 30);
    pid_t searchers[SEARCHERS];

    for (int i = 0; i < SEARCHERS; i++) {
        searchers[i] = fork();
        CU_ASSERT_FATAL(searchers[i] != -1);
        if (searchers[i] == 0) {
            _exit(search_once(dir) == CHAINS * 30 ? 0 : 1);
        }
    }
    for (int i = 0; i < SEARCHERS; i++) {
        int how = -1;

        CU_ASSERT_EQUAL(waitpid(searchers[i], &how, 0), searchers[i]);
        CU_ASSERT_EQUAL(how, 0);
    }
    CU_ASSERT_EQUAL(search_once(dir), CHAINS * 30);
}

/* The middle of the index is overwritten, its head is what it was. */
static void
test_damaged_index(void)
{
    const char *const dir = make_journal("damaged", 30);
    char path[PATH_MAX];
    struct buf bytes;
    struct diag diag = {0};

    CU_ASSERT_EQUAL(search_once(dir), CHAINS * 30);
    kit_join(path, dir, AUDIT_INDEX_NAME);
    buf_init(&bytes, ALL_ROOM);
    CHECK_OK(&diag, buf_read_file(&bytes, path, &diag));
    for (size_t i = 100; i < bytes.n; i++) {
        bytes.p[i] = 'x';
    }
    kit_write_file(path, buf_span(&bytes));
    buf_done(&bytes);
    CU_ASSERT_EQUAL(search_once(dir), CHAINS * 30);
    CU_ASSERT_EQUAL(search_once(dir), CHAINS * 30);
}

static void
test_index_made_anew(void)
{
    const char *const dir = make_journal("anew", 20);
    struct audit_view view = view_of(dir, false);
    char path[PATH_MAX], text[256];
    struct stat before, after;

    view.out = tmpfile();
    CU_ASSERT_PTR_NOT_NULL_FATAL(view.out);
    kit_join(path, dir, AUDIT_INDEX_NAME);
    kit_write_file(path, SPAN("somebody else's file, which is not taken away"));
    CU_ASSERT_EQUAL(audit_make_index(&view, true), CLI_FAILED);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(audit_make_index(&view, false), CLI_DONE);
    CU_ASSERT_EQUAL(stat(path, &before), 0);
    CU_ASSERT_EQUAL(audit_make_index(&view, false), CLI_DONE); /* nothing new */
    CU_ASSERT_EQUAL(audit_make_index(&view, true), CLI_DONE);
    CU_ASSERT_EQUAL(stat(path, &after), 0);
    view.is_encrypted = true; /* its patients' ids would stand in the index */
    CU_ASSERT_EQUAL(audit_make_index(&view, false), CLI_USAGE);
    rewind(view.out);
    const size_t n = fread(text, 1, sizeof(text) - 1, view.out);
    text[n] = '\0';
    CU_ASSERT_STRING_EQUAL(text, "{\"chains\":3,\"added\":60}\n{\"chains\":3,\"added\":0}\n"
                                 "{\"chains\":3,\"added\":60}\n");
    (void)fclose(view.out);
}

/* An encrypted journal is searched with its key alone, and leaves no index behind. */
static void
test_encrypted(void)
{
    struct journal_key key = {.secret = {1, 2, 3}, .id = {4, 5, 6}};
    const struct journal_keys keys = {&key, 1, true};
    const char *const dir = make_journal("encrypted", 10);
    const struct journal_place place = {dir, &keys};
    struct audit_view view = view_of(dir, false);
    struct audit_index_query query = everything();
    struct span patient = SPAN("secret^^^&2.999.1&ISO");
    struct journal *journal = NULL;
    struct diag diag = {0};
    char path[PATH_MAX], text[4096];
    const struct audit_event event = {
        .type = AUDIT_ITI_38, .phase = AUDIT_OUTCOME, .patients = {&patient, 1, 1}};

    CU_ASSERT_EQUAL(search_once(dir), CHAINS * 10); /* an index, in the clear */
    CHECK_OK(&diag, journal_open(&place, "later", clock_system(), &diag, &journal));
    CHECK_OK(&diag, journal_append_wait(journal, &event, &diag));
    journal_close(journal);
    view.place = place;
    view.is_encrypted = true;
    view.out = tmpfile();
    CU_ASSERT_PTR_NOT_NULL_FATAL(view.out);
    query.patients = (struct span_list){&patient, 1, 1};
    CU_ASSERT_EQUAL(audit_search(&view, &query, AUDIT_ORDER_NEWEST_LAST), CLI_DONE);
    view.place.keys = NULL;
    CU_ASSERT_EQUAL(audit_search(&view, &query, AUDIT_ORDER_NEWEST_LAST), CLI_FAILED);
    rewind(view.out);
    const size_t n = fread(text, 1, sizeof(text) - 1, view.out);
    text[n] = '\0';
    const char *const found = strstr(text, "\"later/1\"");
    CU_ASSERT_TRUE(found != NULL && strstr(found + 1, "\"later/1\"") == NULL);
    kit_join(path, dir, AUDIT_INDEX_NAME);
    CU_ASSERT_EQUAL(access(path, F_OK), -1);
    (void)fclose(view.out);
}

static const struct unit_test tests[] = {
    {"a page behind a record that is not there", test_anchors},
    {"the index says what the journal says", test_index_says_what_the_journal_says},
    {"pages without an index", test_pages_of_a_walk},
    {"times as people write them", test_times},
    {"several who search at once", test_several_at_once},
    {"a damaged index is made anew", test_damaged_index},
    {"an index made anew when that is asked for", test_index_made_anew},
    {"an encrypted journal", test_encrypted},
};
UNIT_MAIN("audit use", tests)
