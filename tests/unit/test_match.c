/*
 * The matcher: who is the same person, who is not, and by which rule. Each row is two people in a
 * short spelling and the wanted rule; every row is compared both ways round.
 */
#include "store/match.h"

#include <stdio.h>

#include "tests/unit/match_kit.h"
#include "tests/unit/unit.h"

/* ---- the table of cases ---- */

static const char *
outcome_name(enum match_outcome outcome)
{
    static const char *const names[] = {"nobody", "match", "ambiguous"};

    return names[outcome];
}

static void
check_case(const struct match_case *row, struct arena *arena)
{
    struct match_person asked, known[MATCH_CASE_PEOPLE];

    CU_ASSERT_FATAL(match_described_prepare(&row->asked, true, arena, &asked));
    for (size_t i = 0; i < row->known_n; i++) {
        CU_ASSERT_FATAL(match_described_prepare(&row->known[i], false, arena, &known[i]));
    }
    const struct match_decision got = match_decide(&asked, known, row->known_n);
    const bool is_good = got.outcome == row->want.outcome && got.rule == row->want.rule &&
                         got.at == row->want.at && got.hints == row->want.hints;

    if (!is_good) {
        printf("\n    line %u, %.*s: wanted %s %s (%zu, hints %x), got %s %s (%zu, hints %x)\n",
               row->line, SPAN_PRINT(row->name), outcome_name(row->want.outcome),
               row->want.rule == MATCH_RULE_COUNT ? "?" : match_rule_name(row->want.rule),
               row->want.at, row->want.hints, outcome_name(got.outcome), match_rule_name(got.rule),
               got.at, got.hints);
    }
    CU_ASSERT(is_good);
    /* Who compares with whom does not matter, and the rule that finds somebody has a degree. */
    for (size_t i = 0; i < row->known_n; i++) {
        CU_ASSERT(match_compare(&asked, &known[i]) == match_compare(&known[i], &asked));
    }
    CU_ASSERT((got.outcome == MATCH_ONE) == (match_rule_degree(got.rule) > 0));
}

/* REQ: XCPD-parameters-used, XCPD-hints */
static void
cases_decide(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct match_case_list cases = {0};
    bool is_decided[MATCH_RULE_COUNT] = {false};

    CU_ASSERT_FATAL(arena != NULL);
    CU_ASSERT(match_cases_read(unit_source_path("tests/unit/match_cases.txt"), arena, &cases));
    CU_ASSERT(cases.n >= 120);
    for (size_t i = 0; i < cases.n; i++) {
        check_case(&cases.items[i], arena);
        if (cases.items[i].want.rule < MATCH_RULE_COUNT) {
            is_decided[cases.items[i].want.rule] = true;
        }
    }
    for (enum match_rule rule = 0; rule < MATCH_RULE_COUNT; rule++) {
        if (!is_decided[rule]) {
            printf("\n    no case is decided by %s\n", match_rule_name(rule));
        }
        CU_ASSERT(is_decided[rule]);
    }
    arena_free(arena);
}

/* ---- answers ---- */

/* What a community answered: is it held against the question? */
static const struct returned_row {
    const char *asked, *returned;
    enum match_rule want;
    bool is_contradicted;
} returned_rows[] = {
    {"Jones,Ann|19470501|F|", "Jones,Ann|19620101|F|", MATCH_RULE_BIRTH_DATE, true},
    {"Jones,Ann|19470501|F|", "Jones,Ann|19470502|F|", MATCH_RULE_BIRTH_DATE_MISWRITTEN, true},
    {"Jones,Ann|19470501|F|", "Jones,Ann|19470501|M|", MATCH_RULE_SEX, true},
    {"Jones,Ann|19470501|F|", "Jones,Eve|19470501|F|", MATCH_RULE_FIRST_GIVEN_NAME, true},
    {"Jones,Ann|19470501|F|", "Brown,Ann|19470501|F|", MATCH_RULE_FAMILY_NAME_CHANGED, true},
    {"Jones,Ann|19470501||", "Brown,Ann|19470501|F|", MATCH_RULE_FAMILY_NAME, true},
    {"Jones,Ann|19470501|F|", "Ann,Jones|19470501|F|", MATCH_RULE_NAMES_EXCHANGED, true},
    {"Jones,Ann+Q|19470501|F|", "Jones,Ann+R|19470501|F|", MATCH_RULE_FURTHER_GIVEN_NAME, true},
    {"Jones,Ann|19470501|F|", "Jones,Ann|19470501|F|", MATCH_RULE_AGREES, false},
    {"Jones,Ann|19470501|F|1.1:1", "Jones,Ann|19470501|F|1.1:2", MATCH_RULE_AGREES, false},
    {"Jones,Ann|19470501|F|", "Jones,Ann|19470501||", MATCH_RULE_AGREES_WITHOUT_SEX, false},
    {"Jones,Ann|19470501|F|", "Jones,Ann||F|", MATCH_RULE_NO_BIRTH_DATE, false},
    {"Jones,Ann|19470501|F|", "|19470501|F|", MATCH_RULE_NO_NAME, false},
    {"Jones,Ann|19470501|F|", "Jones,A|19470501|F|", MATCH_RULE_ONLY_INITIAL, false},
    {"Jones,Ann|19470501|F|", "Jones-Brown,Ann|19470501|F|", MATCH_RULE_FAMILY_NAME_PART, false},
    {"Jones,Ann|19470501|F|", "Jones,Ann|19470501|UN|", MATCH_RULE_SEX_UNDIFFERENTIATED, false},
    {"|||1.1:1", "Jones,Ann|19470501|F|1.1:1", MATCH_RULE_NO_BIRTH_DATE, false},
};

/* ---- pairs, in a short spelling ----
 *
 * A person is "names|birth|sex|ids": names are separated by ';', each is "Family,Given[+Given...]"
 * ('+' between given elements, a space inside one); ids are "root:extension", "root:extension!" for
 * one that cannot be believed, separated by ';'. Empty parts are absent.
 */
#define IDS_MAX 8
struct described {
    struct patient patient;
    bool is_unreliable[IDS_MAX];
};

static void
read_name(struct span text, struct arena *arena, struct patient *patient)
{
    struct diag diag = {0};
    struct person_name name = {0};
    struct span given;

    (void)span_split(&text, ',', &name.family);
    while (span_split(&text, '+', &given)) {
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &name.given, given));
    }
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &patient->names, name));
}

static void
read_id(struct span text, struct arena *arena, struct described *person)
{
    struct diag diag = {0};
    struct ident id = {0};

    (void)span_split(&text, ':', &id.root);
    id.extension = text;
    CU_ASSERT_FATAL(person->patient.ids.n < IDS_MAX);
    if (span_ends_with(text, SPAN("!"))) {
        id.extension.n--;
        person->is_unreliable[person->patient.ids.n] = true;
    }
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &person->patient.ids, id));
}

static void
read_person(const char *text, struct arena *arena, struct described *person)
{
    struct span rest = span_of_cstr(text);
    struct span parts[4] = {SPAN_EMPTY};
    struct span item;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        (void)span_split(&rest, '|', &parts[i]);
    }
    *person = (struct described){0};
    while (parts[0].n > 0 && span_split(&parts[0], ';', &item)) {
        read_name(item, arena, &person->patient);
    }
    person->patient.birth_time = parts[1];
    person->patient.sex = parts[2];
    while (parts[3].n > 0 && span_split(&parts[3], ';', &item)) {
        read_id(item, arena, person);
    }
}

static void
prepare(const char *text, struct arena *arena, struct match_person *ret_person)
{
    struct described person;
    struct diag diag = {0};

    read_person(text, arena, &person);
    CHECK_OK(&diag, match_prepare(&person.patient, person.is_unreliable, arena, &diag, ret_person));
}

static const struct match_row {
    const char *a, *b;
    enum match_rule want;
} rows[] = {
    /* birth date: the first eight digits, nothing less */
    {"Jones,Ann|19470501|F|", "Jones,Ann|19470502|F|", MATCH_RULE_BIRTH_DATE_MISWRITTEN},
    {"Jones,Ann|19470501|F|", "Jones,Ann|19470105|F|", MATCH_RULE_BIRTH_DATE_MISWRITTEN},
    {"Jones,Ann|19540323|F|", "Jones,Ann|19540323000000.000-0600|F|", MATCH_RULE_AGREES},
    {"Jones,Ann|19470501120000|F|", "Jones,Ann|19470501|F|", MATCH_RULE_AGREES},
    {"Everyman,Adam|19621022|M|", "Everyman,Adam|19541125|M|", MATCH_RULE_BIRTH_DATE},
    {"Jones,Ann|194705|F|", "Jones,Ann|19470501|F|", MATCH_RULE_NO_BIRTH_DATE},
    {"Jones,Ann||F|", "Jones,Ann|19470501|F|", MATCH_RULE_NO_BIRTH_DATE},
    {"Jones,Ann||F|", "Jones,Ann||F|", MATCH_RULE_NO_BIRTH_DATE},
    {"Jones,Ann|1947-05-01|F|", "Jones,Ann|1947-05-01|F|", MATCH_RULE_NO_BIRTH_DATE},
    {"Jones,Ann||F|", "Jones,Eve|19470501|F|", MATCH_RULE_FIRST_GIVEN_NAME},
    /* sex: equal where both give one */
    {"Jones,Ann|19470501|F|", "Jones,Ann|19470501|M|", MATCH_RULE_SEX},
    {"Jones,Ann|19470501|F|", "Jones,Ann|19470501|UN|", MATCH_RULE_SEX_UNDIFFERENTIATED},
    {"Jones,Ann|19470501||", "Jones,Ann|19470501|F|", MATCH_RULE_AGREES_WITHOUT_SEX},
    {"Jones,Ann|19470501||", "Jones,Ann|19470501||", MATCH_RULE_AGREES_WITHOUT_SEX},
    {"Jones,Ann|19470501|f|", "Jones,Ann|19470501|F|", MATCH_RULE_AGREES},
    /* twins and relatives, one letter apart */
    {"Kidd,Kari|20001022|F|", "Kidd,Karl|20001022|M|", MATCH_RULE_SEX},
    {"Kidd,Kari|20001022||", "Kidd,Karl|20001022|M|", MATCH_RULE_FIRST_GIVEN_NAME},
    {"Kidd,Kari|20001022|F|", "Kidd,Karla|20001022|F|", MATCH_RULE_FIRST_GIVEN_NAME},
    {"Jones,Myra|19470501|F|4.1:123-101-5230!", "Jones,Isabella|19470501|F|4.1:123-101-5230!",
     MATCH_RULE_FIRST_GIVEN_NAME},
    {"Jones,Isabella|19470501|F|", "Jones,Isabela|19470501|F|", MATCH_RULE_FIRST_GIVEN_NAME},
    /* family names */
    {"Smith,Ann|19470501|F|", "Jones,Ann|19470501|F|", MATCH_RULE_FAMILY_NAME_CHANGED},
    {"Smith,Ann;Jones,Ann|19470501|F|", "Jones,Ann|19470501|F|", MATCH_RULE_AGREES},
    {"Smith,Ann;Jones,Ann|19470501|F|", "Jones,Ann;Brown,Ann|19470501|F|", MATCH_RULE_AGREES},
    {"Smith,Ann;Jones,Eve|19470501|F|", "Jones,Ann|19470501|F|", MATCH_RULE_FIRST_GIVEN_NAME},
    {"Smith-Jones,Ann|19470501|F|", "Smith Jones,Ann|19470501|F|", MATCH_RULE_AGREES},
    {"Smith-Jones,Ann|19470501|F|", "Smith,Ann|19470501|F|", MATCH_RULE_FAMILY_NAME_PART},
    {"O'Brien,Ann|19470501|F|", "OBRIEN,ANN|19470501|F|", MATCH_RULE_AGREES},
    /* case, accents, punctuation, other scripts */
    {"N\xC3\xBA\xC3\xB1"
     "ez,Jos\xC3\xA9|19470501|M|",
     "NUNEZ,JOSE|19470501|M|", MATCH_RULE_AGREES},
    {"Stra\xC3\x9F"
     "e,Ann|19470501|F|",
     "Strasse,Ann|19470501|F|", MATCH_RULE_AGREES},
    {"Mu\xCC\x88ller,Ann|19470501|F|", "M\xC3\xBCller,Ann|19470501|F|", MATCH_RULE_AGREES},
    {"\xD0\x98\xD0\xB2\xD0\xB0\xD0\xBD\xD0\xBE\xD0\xB2,\xD0\x90\xD0\xBD\xD0\xBD\xD0\xB0|19470501|"
     "F|",
     "\xD0\xB8\xD0\xB2\xD0\xB0\xD0\xBD\xD0\xBE\xD0\xB2,\xD0\xB0\xD0\xBD\xD0\xBD\xD0\xB0|19470501|"
     "F|",
     MATCH_RULE_AGREES},
    {"Jones,\xFF\xFE|19470501|F|", "Jones,\xFF\xFE|19470501|F|", MATCH_RULE_NO_NAME},
    {"Jones,-|19470501|F|", "Jones,-|19470501|F|", MATCH_RULE_NO_NAME},
    /* first given name */
    {"Jones,|19470501|F|", "Jones,Ann|19470501|F|", MATCH_RULE_NO_NAME},
    {"|19470501|F|", "Jones,Ann|19470501|F|", MATCH_RULE_NO_NAME},
    {"Jones,Anne-Marie|19470501|F|", "Jones,Anne+Marie|19470501|F|", MATCH_RULE_AGREES},
    {"Jones,Anne-Marie|19470501|F|", "Jones,Anne Marie|19470501|F|", MATCH_RULE_AGREES},
    {"Jones,Anne-Marie|19470501|F|", "Jones,Anne|19470501|F|", MATCH_RULE_FIRST_GIVEN_NAME},
    {"Jones,A|19470501|F|", "Jones,Ann|19470501|F|", MATCH_RULE_ONLY_INITIAL},
    {"Jones,A.|19470501|F|", "Jones,Eve|19470501|F|", MATCH_RULE_FIRST_GIVEN_NAME},
    {"Jones,Marie+Ann|19470501|F|", "Jones,Ann+Marie|19470501|F|", MATCH_RULE_FIRST_GIVEN_NAME},
    /* further given names and initials */
    {"Jones,Isabella+Isa|19470501|F|", "Jones,Isabella|19470501|F|", MATCH_RULE_AGREES},
    {"Jones,Isabella Isa|19470501|F|", "Jones,Isabella|19470501|F|", MATCH_RULE_AGREES},
    {"Everyman,Adam+TOC|19621022|M|", "Everyman,Adam|19621022|M|", MATCH_RULE_AGREES},
    {"Jones,Ann+Q.|19470501|F|", "Jones,Ann+Quentin|19470501|F|", MATCH_RULE_AGREES},
    {"Jones,Ann+Q|19470501|F|", "Jones,Ann+Robert|19470501|F|", MATCH_RULE_FURTHER_GIVEN_NAME},
    {"Jones,Ann+Q|19470501|F|", "Jones,Ann+R|19470501|F|", MATCH_RULE_FURTHER_GIVEN_NAME},
    {"Jones,Ann+Rosa+Quentin|19470501|F|", "Jones,Ann+Q|19470501|F|", MATCH_RULE_AGREES},
    {"Jones,Ann+Rosa+Quentin|19470501|F|", "Jones,Ann+Q+R|19470501|F|",
     MATCH_RULE_FURTHER_GIVEN_NAME},
    {"Jones,Ann+Qu|19470501|F|", "Jones,Ann+Quentin|19470501|F|", MATCH_RULE_FURTHER_GIVEN_NAME},
    {"Jones,Ann;Jones,Ann+Q|19470501|F|", "Jones,Ann+R|19470501|F|", MATCH_RULE_FURTHER_GIVEN_NAME},
    {"Jones,Ann+Q;Jones,Ann+R|19470501|F|", "Jones,Ann+Q|19470501|F|", MATCH_RULE_AGREES},
    {"Jones,Ann+Q;Jones,Ann+R|19470501|F|", "Jones,Ann+Q;Jones,Ann+R|19470501|F|",
     MATCH_RULE_AGREES},
    /* identifiers contradict, and never prove */
    {"Jones,Ann|19470501|F|2.999.1:1", "Jones,Ann|19470501|F|2.999.1:2", MATCH_RULE_IDENTIFIER},
    {"Jones,Ann|19470501|F|2.999.1:1", "Jones,Ann|19470501|F|2.999.2:2", MATCH_RULE_AGREES},
    {"Jones,Ann|19470501|F|2.999.1:1", "Jones,Ann|19470501|F|2.999.1:1",
     MATCH_RULE_AGREES_CONFIRMED},
    {"Jones,Ann|19470501|F|2.999.1:1;2.999.1:3", "Jones,Ann|19470501|F|2.999.1:3;2.999.1:4",
     MATCH_RULE_AGREES_CONFIRMED},
    {"Jones,Ann|19470501|F|2.999.1:1;2.999.2:7", "Jones,Ann|19470501|F|2.999.1:1;2.999.2:8",
     MATCH_RULE_IDENTIFIER},
    {"Jones,Ann|19470501|F|2.999.1:1!", "Jones,Ann|19470501|F|2.999.1:2", MATCH_RULE_AGREES},
    {"Jones,Ann|19470501|F|2.999.1:1!", "Jones,Ann|19470501|F|2.999.1:2!", MATCH_RULE_AGREES},
    {"Jones,Ann|19470501|F|4.1:111-00-2330", "Jones,Ann|19470501|F|4.1:111002330",
     MATCH_RULE_AGREES_CONFIRMED},
    {"Jones,Ann|19470501|F|4.1:111-00-2330", "Jones,Eve|19470501|F|4.1:111-00-2330",
     MATCH_RULE_FIRST_GIVEN_NAME},
    {"Jones,Ann|19470501|F|2.999.1:", "Jones,Ann|19470501|F|2.999.1:2", MATCH_RULE_AGREES},
    {"Jones,Ann||F|2.999.1:1", "Jones,Ann|19470501|F|2.999.1:2", MATCH_RULE_IDENTIFIER},
};

static void
returned_people_are_held_against_the_question(void)
{
    for (size_t i = 0; i < ARRAY_LEN(returned_rows); i++) {
        const struct returned_row *row = &returned_rows[i];
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct match_person asked, returned;

        CU_ASSERT_FATAL(arena != NULL);
        prepare(row->asked, arena, &asked);
        prepare(row->returned, arena, &returned);
        const enum match_rule got = match_returned(&asked, &returned);

        if (got != row->want || match_rule_contradicts(got) != row->is_contradicted) {
            printf("\n    row %zu: '%s' for '%s': wanted %s, got %s\n", i, row->returned,
                   row->asked, match_rule_name(row->want), match_rule_name(got));
        }
        CU_ASSERT(got == row->want);
        CU_ASSERT(match_rule_contradicts(got) == row->is_contradicted);
        arena_free(arena);
    }
}

static void
rules_decide(void)
{
    CU_ASSERT(ARRAY_LEN(rows) >= 60);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct match_person a, b;

        CU_ASSERT_FATAL(arena != NULL);
        prepare(rows[i].a, arena, &a);
        prepare(rows[i].b, arena, &b);
        const enum match_rule got = match_compare(&a, &b);

        if (got != rows[i].want || match_compare(&b, &a) != got) {
            printf("\n    row %zu: '%s' and '%s': wanted %s, got %s, reversed %s\n", i, rows[i].a,
                   rows[i].b, match_rule_name(rows[i].want), match_rule_name(got),
                   match_rule_name(match_compare(&b, &a)));
        }
        CU_ASSERT(got == rows[i].want);
        CU_ASSERT(match_compare(&b, &a) == got);
        arena_free(arena);
    }
}

/* Sharing an id: demographics alone say whether the id is to be doubted. */
static void
demographics_leave_ids_out(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct match_person ann, other_id, eve, nameless;

    CU_ASSERT_FATAL(arena != NULL);
    prepare("Jones,Ann|19470501|F|2.999.1:1", arena, &ann);
    prepare("Jones,Ann|19470501|F|2.999.1:2", arena, &other_id);
    prepare("Jones,Eve|19470501|F|2.999.1:1", arena, &eve);
    prepare("|19470501|F|2.999.1:1", arena, &nameless);
    CU_ASSERT(match_compare_demographics(&ann, &other_id) == MATCH_RULE_AGREES);
    CU_ASSERT(match_rule_verdict(match_compare_demographics(&ann, &eve)) == MATCH_DIFFERENT);
    CU_ASSERT(match_rule_verdict(match_compare_demographics(&ann, &nameless)) == MATCH_UNKNOWN);
    arena_free(arena);
}

static void
too_many_names_are_refused(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct patient patient = {0};
    struct match_person person;
    struct diag diag = {0};
    const struct person_name name = {.family = SPAN("Jones")};

    CU_ASSERT_FATAL(arena != NULL);
    for (size_t i = 0; i <= MATCH_ITEMS_MAX; i++) {
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &patient.names, name));
    }
    CHECK_ERR(&diag, ERR_MESSAGE_CONTENT, match_prepare(&patient, NULL, arena, &diag, &person));
    patient.names.n--;
    diag_clear(&diag);
    CHECK_OK(&diag, match_prepare(&patient, NULL, arena, &diag, &person));
    arena_free(arena);
}

static struct status
prepare_once(struct diag *diag)
{
    static const struct span given[] = {{"Anne Marie", 10}, {"Q.", 2}};
    static const struct ident id = {{"2.999.1", 7}, {"A-1", 3}, {NULL, 0}};
    struct person_name name = {.family = SPAN("Jones")};
    struct patient patient = {0};
    struct match_person person;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no arena");
    }
    name.given.items = (struct span *)given;
    name.given.n = ARRAY_LEN(given);
    patient.names.items = &name;
    patient.names.n = 1;
    patient.ids.items = (struct ident *)&id;
    patient.ids.n = 1;
    const struct status st = match_prepare(&patient, NULL, arena, diag, &person);

    arena_free(arena);
    return st;
}

static void
every_failed_allocation_is_survived(void)
{
    unit_torture(prepare_once);
}

static const struct unit_test tests[] = {
    {"too many names are refused", too_many_names_are_refused},
    {"cases decide", cases_decide},
    {"rules decide", rules_decide},
    {"returned people are held against the question",
     returned_people_are_held_against_the_question},
    {"demographics leave ids out", demographics_leave_ids_out},
    {"every failed allocation is survived", every_failed_allocation_is_survived},
};

UNIT_MAIN("match", tests)
