/*
 * The truth's own rules and spellings: if these were wrong, the comparison would prove nothing.
 * Expectations are written by hand from the stated rules.
 */
#include <stdio.h>

#include "base/text.h"
#include "tests/synth/rules.h"
#include "tests/synth/spelling.h"
#include "tests/unit/unit.h"

static struct arena *arena;

/* "Family/Given/Further|Second family/Given" and so on, as one line. */
static struct rules_subject
subject_of(const char *names, const char *birth, const char *sex, const char *ids)
{
    struct rules_subject subject = {.birth = span_of_cstr(birth), .sex = span_of_cstr(sex)};
    struct span rest = span_of_cstr(names), name, part;
    struct diag diag = {0};

    while (rest.n > 0 && span_split(&rest, '|', &name)) {
        struct rules_name *to = &subject.names[subject.names_n++];

        (void)span_split(&name, '/', &to->family);
        while (name.n > 0 && span_split(&name, '/', &part)) {
            to->given[to->given_n++] = part;
        }
    }
    rest = span_of_cstr(ids);
    while (rest.n > 0 && span_split(&rest, '|', &part)) {
        struct rules_id *id = &subject.ids[subject.ids_n++];

        (void)span_split(&part, '/', &id->root);
        id->extension = part;
    }
    CHECK_OK(&diag, rules_prepare(arena, &subject, &diag));
    return subject;
}

struct agree_case {
    const char *names, *birth, *sex;
    const char *other_names, *other_birth, *other_sex;
    bool agrees;
};

static const struct agree_case agree_cases[] = {
    {"Smith/John", "19620314", "M", "Smith/John", "19620315", "M", false},
    {"Smith/John", "19620314", "M", "Smith/John", "19621403", "M", false},
    {"Smith/John", "1962", "M", "Smith/John", "1962", "M", false},
    {"Smith/John", "", "M", "Smith/John", "", "M", false},
    {"Smith/John", "196203XX", "M", "Smith/John", "196203XX", "M", false},
    {"Smith/John", "19620314", "M", "Smith/John", "19620314", "F", false},
    {"Smith/John", "19620314", "M", "Smyth/John", "19620314", "M", false},
    {"Smith/John", "19620314", "M", "Smith/Jon", "19620314", "M", false},
    {"Smith/John", "19620314", "M", "Smith/J", "19620314", "M", false},
    {"Smith/John", "19620314", "M", "John/Smith", "19620314", "M", false},
    {"Smith/John", "19620314", "M", "Smith", "19620314", "M", false},
    {"/John", "19620314", "M", "/John", "19620314", "M", false},
    {"Smith/", "19620314", "M", "Smith/", "19620314", "M", false},
    {"Smith/John/Robert", "19620314", "M", "Smith/John/Michael", "19620314", "M", false},
    {"Smith/John/R.", "19620314", "M", "Smith/John/Michael", "19620314", "M", false},
    {"Smith/John/Robert/Lee", "19620314", "M", "Smith/John/Robert/Paul", "19620314", "M", false},
    {"Müller/Jan", "19620314", "M", "Mueller/Jan", "19620314", "M", false},
    {"Smith/Jean-Luc", "19620314", "M", "Smith/Jean", "19620314", "M", false},
    {"Adams/Ann", "19620314", "F", "Baker/Ann|Adam/Ann", "19620314", "F", false},

    {"Smith/John", "19620314", "M", "SMITH/john", "19620314", "M", true},
    {"Smith/John", "196203140830", "M", "Smith/John", "19620314000000.000-0600", "M", true},
    {"Smith/John", "19620314", "", "Smith/John", "19620314", "F", true},
    {"Smith/John/Robert", "19620314", "M", "Smith/John", "19620314", "M", true},
    {"Smith/John/Robert", "19620314", "M", "Smith/John/R.", "19620314", "M", true},
    {"Smith/John/Robert/Lee", "19620314", "M", "Smith/John/r", "19620314", "M", true},
    {"Núñez-Ibarra/María", "19620314", "F", "NUNEZ IBARRA/Maria", "19620314", "F", true},
    {"O'Brien/Pat", "19620314", "M", "O’Brien/Pat", "19620314", "M", true},
    {"O'Brien/Pat", "19620314", "M", "OBRIEN/PAT", "19620314", "M", true},
    {"Groß/Jan", "19620314", "M", "GROSS/Jan", "19620314", "M", true},
    {"Adams/Ann", "19620314", "F", "Baker/Ann|Adams/Ann", "19620314", "F", true},
    {"Jose\xcc\x81/Ana", "19620314", "F", "José/Ana", "19620314", "F", true},
};

static void
test_agree(void)
{
    for (size_t i = 0; i < ARRAY_LEN(agree_cases); i++) {
        const struct agree_case *row = &agree_cases[i];
        const struct rules_subject a = subject_of(row->names, row->birth, row->sex, "");
        const struct rules_subject b =
            subject_of(row->other_names, row->other_birth, row->other_sex, "");
        const bool is_good =
            rules_agree(&a, &b) == row->agrees && rules_agree(&b, &a) == row->agrees;

        if (!is_good) {
            printf("\n    case %zu: %s and %s: wanted %d\n", i, row->names, row->other_names,
                   row->agrees);
        }
        CU_ASSERT(is_good);
    }
}

/* <people> has one letter per subject: equal letters, one person. */
static void
check_groups(const struct rules_subject *subjects, size_t n, const char *people, bool is_clear)
{
    size_t persons[8];
    bool got_clear = !is_clear;
    struct diag diag = {0};

    CHECK_OK(&diag, rules_group(arena, subjects, n, &diag, persons, &got_clear));
    CU_ASSERT_EQUAL(got_clear, is_clear);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            CU_ASSERT_EQUAL(persons[i] == persons[j], people[i] == people[j]);
        }
    }
}

#define SMITH "Smith/John", "19620314", "M"
#define JONES "Jones/Ann", "19470501", "F"

static void
test_groups(void)
{
    const struct rules_subject other_numbers[] = {subject_of(SMITH, "2.999.1.10/1"),
                                                  subject_of(SMITH, "2.999.1.10/2"),
                                                  subject_of(SMITH, "2.999.1.10/1")};
    const struct rules_subject other_authority[] = {subject_of(SMITH, "2.999.1.10/1"),
                                                    subject_of(SMITH, "2.999.2.10/2"),
                                                    subject_of(SMITH, "")};
    const struct rules_subject one_in_common[] = {subject_of(SMITH, "2.999.1.10/1|2.999.1.10/2"),
                                                  subject_of(SMITH, "2.999.1.10/2")};
    /* The number 1 belongs to nobody, so it cannot tell the two of Smith apart. */
    const struct rules_subject unbelievable[] = {subject_of(SMITH, "2.999.1.10/1"),
                                                 subject_of(JONES, "2.999.1.10/1"),
                                                 subject_of(SMITH, "2.999.1.10/2")};
    const struct rules_subject shared_only[] = {subject_of(SMITH, "2.999.1.10/1"),
                                                subject_of(JONES, "2.999.1.10/1")};
    const struct rules_subject bridge[] = {subject_of("Smith/John/Robert", "19620314", "M", ""),
                                           subject_of(SMITH, ""),
                                           subject_of("Smith/John/Michael", "19620314", "M", "")};

    check_groups(other_numbers, 3, "aba", true);
    check_groups(shared_only, 2, "ab", true);
    check_groups(other_authority, 3, "aaa", true);
    check_groups(one_in_common, 2, "aa", true);
    check_groups(unbelievable, 3, "aba", true);
    check_groups(bridge, 3, "aaa", false);
}

static void
test_answers(void)
{
    const struct rules_subject asked = subject_of(SMITH, "");
    const struct rules_subject subjects[] = {subject_of(JONES, ""), subject_of(SMITH, ""),
                                             subject_of(SMITH, ""),
                                             subject_of("Smith/John/Q", "19620314", "M", "")};
    const size_t one_smith[] = {0, 1, 1, 1};
    const size_t two_smiths[] = {0, 1, 1, 3};
    size_t person = 99;

    CU_ASSERT_EQUAL(rules_ask(&asked, subjects, one_smith, 1, &person), RULES_NO_MATCH);
    CU_ASSERT_EQUAL(person, 99);
    CU_ASSERT_EQUAL(rules_ask(&asked, subjects, two_smiths, 4, &person), RULES_AMBIGUOUS);
    CU_ASSERT_EQUAL(rules_ask(&asked, subjects, one_smith, 4, &person), RULES_MATCH);
    CU_ASSERT_EQUAL(person, 1);
    CU_ASSERT_STRING_EQUAL(rules_answer_name(RULES_NO_MATCH), "no-match");
    CU_ASSERT_STRING_EQUAL(rules_answer_name(RULES_AMBIGUOUS), "ambiguous");
}

static void
test_spellings(void)
{
    static const struct {
        const char *name;
        enum spelling spelling;
        const char *want;
    } rows[] = {
        {"Núñez-Ibarra", SPELLING_PLAIN, "Núñez-Ibarra"},
        {"Núñez-Ibarra", SPELLING_UPPER, "NÚÑEZ-IBARRA"},
        {"Núñez-Ibarra", SPELLING_ASCII, "Nunez-Ibarra"},
        {"Núñez", SPELLING_DECOMPOSED,
         "Nu\xcc\x81n\xcc\x83"
         "ez"},
        {"Núñez-Ibarra", SPELLING_SPACED, "Núñez Ibarra"},
        {"O'Brien", SPELLING_JOINED, "OBrien"},
        {"Groß", SPELLING_UPPER, "GROSS"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag = {0};
        struct span got = SPAN_EMPTY;

        CHECK_OK(&diag,
                 spelling_write(arena, span_of_cstr(rows[i].name), rows[i].spelling, &diag, &got));
        CHECK_SPAN(got, rows[i].want);
    }
}

/* Two foldings, written apart, agree on every kind of name that the cases use. */
static void
test_product_folds_alike(void)
{
    static const char *const names[] = {
        "Smith",
        "Núñez-Ibarra",
        "GUTIÉRREZ OLMEDO",
        "O'Brien",
        "O’Hara",
        "Jose\xcc\x81",
        "Müller",
        "Mueller",
        "Groß",
        "GROSS",
        "Jean-Luc",
        "R.",
        "",
        "-",
        "Çelik Ånström",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct diag diag = {0};
        struct span ours = SPAN_EMPTY, product = SPAN_EMPTY;

        CHECK_OK(&diag, spelling_fold(arena, span_of_cstr(names[i]), &diag, &ours));
        CHECK_OK(&diag, text_fold(arena, span_of_cstr(names[i]), &diag, &product));
        CU_ASSERT_TRUE(span_eq(ours, product));
    }
}

static const struct unit_test tests[] = {
    {"who agrees", test_agree},
    {"groups", test_groups},
    {"answers", test_answers},
    {"spellings", test_spellings},
    {"the product folds alike", test_product_folds_alike},
};

int
main(void)
{
    arena = arena_new(ARENA_LIMIT_DEFAULT);
    const int result = unit_main("synth_rules", tests, ARRAY_LEN(tests));

    arena_free(arena);
    return result;
}
