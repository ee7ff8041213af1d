/* Questions of discovery against a store: what decides, what would help, and by which index. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "store/sqlite_tables.h"
#include "tests/unit/store_fixture.h"

struct shop {
    char path[512];
    struct arena *arena;
    struct store *store;
    struct store_match_result found;
};

static void
open_shop(struct shop *shop)
{
    shop->arena = arena_new(ARENA_LIMIT_DEFAULT);
    CU_ASSERT_FATAL(shop->arena != NULL);
    shop->store = fixture_open(fixture_path(shop->path), NULL);
}

static void
close_shop(struct shop *shop)
{
    store_close(shop->store);
    arena_free(shop->arena);
}

static const char *
ask(struct shop *shop, const struct patient *question)
{
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    CHECK_OK(&diag, store_match_patient(shop->store, question, NULL, shop->arena, &diag, &answer,
                                        &shop->found));
    CU_ASSERT(answer == ANSWER_NOW);
    return shop->found.rule_name;
}

static struct patient
person(struct shop *shop, const char *name, const char *birth_date, const char *sex)
{
    return fixture_patient(shop->arena, name, birth_date, sex, NULL);
}

static void
add_address(struct shop *shop, struct patient *patient, const char *city, const char *state)
{
    const struct address address = {.city = span_of_cstr(city), .state = span_of_cstr(state)};
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(shop->arena, &diag, &patient->addresses, address));
}

static void
add_mother(struct shop *shop, struct patient *patient, const char *family)
{
    const struct person_name name = {.family = span_of_cstr(family)};
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(shop->arena, &diag, &patient->mothers_maiden_names, name));
}

static void
add_id(struct shop *shop, struct patient *patient, struct ident id)
{
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(shop->arena, &diag, &patient->ids, id));
}

/* Who is found by an index entry that is not his whole family name must still be confirmed. */
static void
names_are_found_by_spelling_and_part(void)
{
    static const struct {
        const char *asked, *rule;
    } rows[] = {{"Garcia,Maria", "FAMILY_NAME_PART"},
                {"Lopez,Maria", "FAMILY_NAME_PART"},
                {"Gar,Maria", "NO_CANDIDATE"},
                {"Garcia,Eva", "FAMILY_NAME"},
                {"Mueller,Ann", "AGREES_OTHER_SPELLING"},
                {"Muller,Ann", "AGREES"},
                {"Muellers,Ann", "NO_CANDIDATE"},
                {"Garcia-Lopez,Maria", "AGREES"}};
    struct shop shop;

    open_shop(&shop);
    const struct patient maria = person(&shop, "Garcia Lopez,Maria", "19470501", "F");
    const struct patient ann = person(&shop, "M\xC3\xBCller,Ann", "19470501", "F");

    (void)fixture_put(shop.store, shop.arena, &maria, "maria");
    (void)fixture_put(shop.store, shop.arena, &ann, "ann");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct patient question = person(&shop, rows[i].asked, "19470501", "F");

        if (strcmp(ask(&shop, &question), rows[i].rule) != 0) {
            printf("\n    '%s': wanted %s, got %s\n", rows[i].asked, rows[i].rule,
                   shop.found.rule_name);
            CU_FAIL("another rule");
        }
    }
    close_shop(&shop);
}

/* Our own id stands for its patient; somebody else's number alone for nobody. */
static void
ids_of_ours_find_their_patients(void)
{
    struct shop shop;
    struct patient only_id = {0}, foreign = {0}, wrong;

    open_shop(&shop);
    const struct patient ann =
        fixture_patient(shop.arena, "Jones,Ann", "19470501", "F", "2.999.5:1");
    const struct patient question = person(&shop, "Jones,Ann", "19470501", "F");

    (void)fixture_put(shop.store, shop.arena, &ann, "ann");
    CU_ASSERT_STRING_EQUAL(ask(&shop, &question), "AGREES");
    CU_ASSERT_FATAL(shop.found.kind == STORE_MATCH_ONE);
    CU_ASSERT(shop.found.degree == 95 && shop.found.is_plain);
    const struct ident own = shop.found.patient.ids.items[0];

    add_id(&shop, &only_id, own);
    CU_ASSERT_STRING_EQUAL(ask(&shop, &only_id), "OWN_IDENTIFIER");
    CU_ASSERT(shop.found.kind == STORE_MATCH_ONE && !shop.found.is_plain);
    wrong = person(&shop, "Jones,Eve", "19470501", "F");
    add_id(&shop, &wrong, own);
    CU_ASSERT_STRING_EQUAL(ask(&shop, &wrong), "FIRST_GIVEN_NAME");
    CU_ASSERT(shop.found.kind == STORE_MATCH_NONE);
    add_id(&shop, &foreign, ann.ids.items[0]);
    CU_ASSERT_STRING_EQUAL(ask(&shop, &foreign), "ONLY_IDENTIFIER");
    CU_ASSERT(shop.found.kind == STORE_MATCH_NONE);
    close_shop(&shop);
}

/* A married name is found through a shared number, and only then. */
static void
a_changed_family_name_is_found_by_a_number(void)
{
    struct shop shop;

    open_shop(&shop);
    const struct patient ann =
        fixture_patient(shop.arena, "Jones,Ann", "19470501", "F", "2.999.5:1");
    const struct patient married =
        fixture_patient(shop.arena, "Smith,Ann", "19470501", "F", "2.999.5:1");
    const struct patient stranger = person(&shop, "Smith,Ann", "19470501", "F");

    (void)fixture_put(shop.store, shop.arena, &ann, "ann");
    CU_ASSERT_STRING_EQUAL(ask(&shop, &stranger), "NO_CANDIDATE");
    CU_ASSERT_STRING_EQUAL(ask(&shop, &married), "FAMILY_NAME_CHANGED_CONFIRMED");
    CU_ASSERT(shop.found.kind == STORE_MATCH_ONE && shop.found.degree == 80);
    CU_ASSERT(!fixture_put(shop.store, shop.arena, &married, "married").is_new_patient);
    CU_ASSERT(fixture_count(shop.store).patients == 1);
    CU_ASSERT(fixture_count(shop.store).unreliable_ids == 0);
    CU_ASSERT_STRING_EQUAL(ask(&shop, &stranger), "AGREES");
    close_shop(&shop);
}

/* Asked for is only what tells these two apart. */
static void
what_would_help_is_said(void)
{
    struct shop shop;
    struct patient one, two, question, third;

    open_shop(&shop);
    one = person(&shop, "Jones,Ann+Q", "19470501", "F");
    add_address(&shop, &one, "Salem", "OR");
    add_mother(&shop, &one, "Brown");
    two = person(&shop, "Jones,Ann+R", "19470501", "F");
    add_address(&shop, &two, "Salem", "OR");
    add_mother(&shop, &two, "White");
    (void)fixture_put(shop.store, shop.arena, &one, "one");
    (void)fixture_put(shop.store, shop.arena, &two, "two");
    question = person(&shop, "Jones,Ann", "19470501", "F");
    CU_ASSERT_STRING_EQUAL(ask(&shop, &question), "SEVERAL");
    CU_ASSERT(shop.found.kind == STORE_MATCH_AMBIGUOUS);
    CU_ASSERT_EQUAL(shop.found.hints, 1U << MATCH_HINT_MOTHERS_MAIDEN_NAME);
    CU_ASSERT_EQUAL_FATAL(shop.found.candidates.n, 2);
    CU_ASSERT_EQUAL(shop.found.candidates.items[0].degree, 95);
    CU_ASSERT(shop.found.candidates.items[0].patient.ids.n == 1);
    add_mother(&shop, &question, "WHITE");
    CU_ASSERT_STRING_EQUAL(ask(&shop, &question), "AGREES");
    CU_ASSERT_FATAL(shop.found.kind == STORE_MATCH_ONE);
    CHECK_SPAN(shop.found.patient.mothers_maiden_names.items[0].family, "White");
    CU_ASSERT(shop.found.candidates.n == 0);
    third = person(&shop, "Jones,Ann", "19470501", "F");
    add_mother(&shop, &third, "Black");
    CU_ASSERT_STRING_EQUAL(ask(&shop, &third), "MOTHERS_MAIDEN_NAME");
    CU_ASSERT(shop.found.kind == STORE_MATCH_NONE);
    close_shop(&shop);
}

/* More people than anybody would look through: ambiguous, and none of them is given. */
static void
many_of_one_name_are_ambiguous(void)
{
    static const char *const middles[] = {"A", "B", "C", "D", "E", "F", "G", "H", "I",
                                          "J", "K", "L", "M", "N", "O", "P", "Q"};
    struct shop shop;
    char name[32];

    open_shop(&shop);
    for (size_t i = 0; i < ARRAY_LEN(middles); i++) {
        snprintf(name, sizeof(name), "Jones,Ann+%s", middles[i]);
        const struct patient ann = person(&shop, name, "19470501", "F");

        (void)fixture_put(shop.store, shop.arena, &ann, name);
    }
    CU_ASSERT(fixture_count(shop.store).patients == ARRAY_LEN(middles));
    const struct patient question = person(&shop, "Jones,Ann", "19470501", "F");
    const struct patient exact = person(&shop, "Jones,Ann+Q", "19470501", "F");

    CU_ASSERT_STRING_EQUAL(ask(&shop, &question), "SEVERAL");
    CU_ASSERT(shop.found.kind == STORE_MATCH_AMBIGUOUS && shop.found.candidates.n == 0);
    CU_ASSERT_STRING_EQUAL(ask(&shop, &exact), "AGREES");
    close_shop(&shop);
}

static void
ranges_of_birth_dates_are_searched(void)
{
    struct shop shop;
    struct patient ann, question;

    open_shop(&shop);
    ann = person(&shop, "Jones,Ann", "19470509", "F");
    add_address(&shop, &ann, "Salem", "OR");
    (void)fixture_put(shop.store, shop.arena, &ann, "ann");
    question = person(&shop, "Jones,Ann", "", "F");
    CU_ASSERT_STRING_EQUAL(ask(&shop, &question), "NO_BIRTH_DATE");
    question.birth_range = (struct time_range){.low = SPAN("19470501"), .high = SPAN("19470508")};
    CU_ASSERT_STRING_EQUAL(ask(&shop, &question), "NO_CANDIDATE");
    question.birth_range.high = SPAN("19470509");
    CU_ASSERT_STRING_EQUAL(ask(&shop, &question), "BIRTH_RANGE");
    CU_ASSERT(shop.found.kind == STORE_MATCH_AMBIGUOUS);
    CU_ASSERT_EQUAL(shop.found.hints, 1U << MATCH_HINT_ADDRESS);
    question.birth_range = (struct time_range){0};
    question.birth_time = SPAN("1947");
    CU_ASSERT_STRING_EQUAL(ask(&shop, &question), "BIRTH_RANGE");
    close_shop(&shop);
}

/* What few records say is kept, and comes back. */
static void
details_are_kept(void)
{
    const struct ident doctor = {SPAN("2.16.840.1.113883.4.6"), SPAN("1234567893"), SPAN_EMPTY};
    const struct span hospital = SPAN("Salem Hospital");
    const struct code white = {SPAN("2106-3"), SPAN("2.16.840.1.113883.6.238"), SPAN("White")};
    const struct code english = {.value = SPAN("eng")};
    struct shop shop;
    struct patient ann, question;
    struct diag diag = {0};

    open_shop(&shop);
    ann = person(&shop, "Jones,Ann", "19470501", "F");
    ann.deceased = PATIENT_YES;
    ann.deceased_time = SPAN("20200102");
    ann.multiple_birth = PATIENT_YES;
    ann.birth_order = 2;
    CHECK_OK(&diag, ARENA_PUSH(shop.arena, &diag, &ann.care_providers, doctor));
    CHECK_OK(&diag, ARENA_PUSH(shop.arena, &diag, &ann.birth_place_names, hospital));
    add_address(&shop, &ann, "Salem", "OR");
    CHECK_OK(&diag,
             ARENA_PUSH(shop.arena, &diag, &ann.birth_place_addresses, ann.addresses.items[0]));
    ann.marital_status = (struct code){SPAN("M"), SPAN("2.16.840.1.113883.5.2"), SPAN("Married")};
    ann.religion = (struct code){SPAN("1013"), SPAN("2.16.840.1.113883.5.1076"), SPAN_EMPTY};
    CHECK_OK(&diag, ARENA_PUSH(shop.arena, &diag, &ann.races, white));
    CHECK_OK(&diag, ARENA_PUSH(shop.arena, &diag, &ann.ethnicities, white));
    CHECK_OK(&diag, ARENA_PUSH(shop.arena, &diag, &ann.languages, english));
    (void)fixture_put(shop.store, shop.arena, &ann, "ann");
    ann.marital_status.value = SPAN("S"); /* the first word stands */
    (void)fixture_put(shop.store, shop.arena, &ann, "again");
    store_close(shop.store);
    shop.store = fixture_open(shop.path, NULL);
    question = person(&shop, "Jones,Ann", "19470501", "F");
    CU_ASSERT_STRING_EQUAL(ask(&shop, &question), "AGREES");
    CU_ASSERT_FATAL(shop.found.kind == STORE_MATCH_ONE);
    const struct patient *got = &shop.found.patient;

    CU_ASSERT(got->deceased == PATIENT_YES && got->multiple_birth == PATIENT_YES);
    CU_ASSERT_EQUAL(got->birth_order, 2);
    CHECK_SPAN(got->deceased_time, "20200102");
    CU_ASSERT_FATAL(got->care_providers.n == 1 && got->birth_place_names.n == 1);
    CHECK_SPAN(got->care_providers.items[0].extension, "1234567893");
    CHECK_SPAN(got->birth_place_names.items[0], "Salem Hospital");
    CU_ASSERT_FATAL(got->birth_place_addresses.n == 1);
    CHECK_SPAN(got->birth_place_addresses.items[0].city, "Salem");
    CHECK_SPAN(got->birth_place_addresses.items[0].state, "OR");
    CHECK_SPAN(got->marital_status.value, "M");
    CHECK_SPAN(got->marital_status.display, "Married");
    CU_ASSERT(got->religion.value.n == 0); /* nobody needs it */
    CU_ASSERT_FATAL(got->races.n == 1 && got->ethnicities.n == 1 && got->languages.n == 1);
    CHECK_SPAN(got->races.items[0].scheme, "2.16.840.1.113883.6.238");
    CHECK_SPAN(got->races.items[0].display, "White");
    CHECK_SPAN(got->ethnicities.items[0].value, "2106-3");
    CHECK_SPAN(got->languages.items[0].value, "eng");
    close_shop(&shop);
}

/* ---- plans ---- */

static void
expect_plan(const char *path, const char *sql, const char *want)
{
    sqlite3 *handle = NULL;
    sqlite3_stmt *stmt = NULL;
    char plan[512] = "", line[512];

    snprintf(line, sizeof(line), "EXPLAIN QUERY PLAN %s", sql);
    CU_ASSERT_FATAL(sqlite3_open(path, &handle) == SQLITE_OK);
    CU_ASSERT_FATAL(sqlite3_prepare_v2(handle, line, -1, &stmt, NULL) == SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const size_t n = strlen(plan);

        snprintf(plan + n, sizeof(plan) - n, "%s;", (const char *)sqlite3_column_text(stmt, 3));
    }
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(handle);
    CU_ASSERT_STRING_EQUAL(plan, want);
}

/* Nobody is looked at who has neither the name's key with the date nor the number; nothing is
 * sorted. */
static void
searches_use_their_index(void)
{
    struct shop shop;

    open_shop(&shop);
    expect_plan(shop.path, SQLITE_FIND_BY_KEY,
                "SEARCH person_keys USING PRIMARY KEY (key=? AND birth_date>? AND birth_date<?);");
    expect_plan(shop.path, SQLITE_FIND_BY_ID,
                "SEARCH identifiers USING INDEX identifiers_key (root=? AND extension_key=?);");
    close_shop(&shop);
}

static const struct unit_test tests[] = {
    {"names are found by spelling and part", names_are_found_by_spelling_and_part},
    {"ids of ours find their patients", ids_of_ours_find_their_patients},
    {"a changed family name is found by a number", a_changed_family_name_is_found_by_a_number},
    {"what would help is said", what_would_help_is_said},
    {"many of one name are ambiguous", many_of_one_name_are_ambiguous},
    {"ranges of birth dates are searched", ranges_of_birth_dates_are_searched},
    {"details are kept", details_are_kept},
    {"searches use their index", searches_use_their_index},
};

UNIT_MAIN("store-discovery", tests)
