/* Spans: comparing, searching, cutting, numbers. */
#include "tests/unit/unit.h"

static void
test_numbers_refused(void)
{
    static const struct {
        const char *text;
        uint64_t max;
    } cases[] = {
        {"", 10},
        {" 1", 10},
        {"1 ", 10},
        {"-1", 10},
        {"+1", 10},
        {"0x1", 10},
        {"1.0", 10},
        {"11", 10},
        {"1", 0},
        {"18446744073709551616", UINT64_MAX},
        {"99999999999999999999999999", UINT64_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t value = 77;
        CU_ASSERT(!span_to_u64(span_of_cstr(cases[i].text), cases[i].max, &value));
        CU_ASSERT_EQUAL(value, 77);
    }
}

static void
test_numbers_read(void)
{
    static const struct {
        const char *text;
        uint64_t max, want;
    } cases[] = {
        {"0", 0, 0},
        {"10", 10, 10},
        {"0007", 9, 7},
        {"18446744073709551615", UINT64_MAX, UINT64_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t value = 77;
        CU_ASSERT(span_to_u64(span_of_cstr(cases[i].text), cases[i].max, &value));
        CU_ASSERT_EQUAL(value, cases[i].want);
    }
}

static void
test_take(void)
{
    struct span in = SPAN("abc");
    struct span part = SPAN("old");
    CU_ASSERT(!span_take(&in, 4, &part));
    CHECK_SPAN(part, "old");
    CHECK_SPAN(in, "abc");
    CU_ASSERT(span_take(&in, 2, &part));
    CHECK_SPAN(part, "ab");
    CU_ASSERT(span_take(&in, 1, &part));
    CHECK_SPAN(part, "c");
    CU_ASSERT(!span_take(&in, 1, &part));
    in = SPAN_EMPTY;
    CU_ASSERT(span_take(&in, 0, &part));
    CU_ASSERT(!span_take(&in, 1, &part));
}

static void
test_split(void)
{
    static const struct {
        const char *text, *parts[4];
        size_t n;
    } cases[] = {
        {NULL, {NULL}, 0},
        {"", {""}, 1},
        {"a", {"a"}, 1},
        {",", {"", ""}, 2},
        {"a,b,", {"a", "b", ""}, 3},
        {",,a", {"", "", "a"}, 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct span in = span_of_cstr(cases[i].text);
        struct span part;
        for (size_t k = 0; k < cases[i].n; k++) {
            CU_ASSERT(span_split(&in, ',', &part));
            CHECK_SPAN(part, cases[i].parts[k]);
        }
        CU_ASSERT(!span_split(&in, ',', &part));
    }
}

static void
test_compare(void)
{
    const struct span zero = {"a\0b", 3};
    const struct span zero_c = {"a\0c", 3};
    CU_ASSERT(!span_eq(zero, zero_c));
    CU_ASSERT(!span_eq(SPAN("a"), SPAN("ab")));
    CU_ASSERT(!span_eq_cstr(SPAN("a"), NULL));
    CU_ASSERT(span_eq(SPAN_EMPTY, SPAN("")));
    CU_ASSERT(span_eq_cstr(SPAN_EMPTY, ""));
    CU_ASSERT(!span_eq_nocase(SPAN("a"), SPAN("b")));
    CU_ASSERT(!span_eq_nocase(SPAN("@["), SPAN("`{"))); /* neighbours of the letters */
    CU_ASSERT(!span_eq_nocase(SPAN("\xC3\x89"), SPAN("\xC3\xA9")));
    CU_ASSERT(span_eq_nocase(SPAN("AZaz09"), SPAN("azAZ09")));
    CU_ASSERT(span_compare(SPAN("a"), SPAN("b")) < 0);
    CU_ASSERT(span_compare(SPAN("b"), SPAN("a")) > 0);
    CU_ASSERT(span_compare(SPAN("a"), SPAN("aa")) < 0);
    CU_ASSERT(span_compare(SPAN("\xFF"), SPAN("a")) > 0);
    CU_ASSERT(span_compare(SPAN_EMPTY, SPAN("a")) < 0);
    CU_ASSERT(span_compare(SPAN_EMPTY, SPAN_EMPTY) == 0);
}

static void
test_search(void)
{
    const struct span s = SPAN("urn:oid:2.999");
    CU_ASSERT_EQUAL(span_find(s, SPAN("oids")), SPAN_MISSING);
    CU_ASSERT_EQUAL(span_find(SPAN_EMPTY, SPAN("a")), SPAN_MISSING);
    CU_ASSERT_EQUAL(span_find(SPAN("a"), SPAN("ab")), SPAN_MISSING);
    CU_ASSERT_EQUAL(span_find(s, SPAN("oid")), 4);
    CU_ASSERT_EQUAL(span_find(s, SPAN_EMPTY), 0);
    CU_ASSERT_EQUAL(span_find_char(s, ';'), SPAN_MISSING);
    CU_ASSERT_EQUAL(span_find_char(SPAN_EMPTY, 'a'), SPAN_MISSING);
    CU_ASSERT_EQUAL(span_find_char(s, ':'), 3);
    CU_ASSERT(!span_starts_with(s, SPAN("urn:uuid:")));
    CU_ASSERT(!span_starts_with(SPAN("u"), SPAN("urn")));
    CU_ASSERT(span_starts_with(s, SPAN("urn:")));
    CU_ASSERT(span_starts_with(SPAN_EMPTY, SPAN_EMPTY));
    CU_ASSERT(!span_ends_with(s, SPAN("998")));
    CU_ASSERT(!span_ends_with(SPAN("9"), SPAN("99")));
    CU_ASSERT(span_ends_with(s, SPAN("999")));
    CU_ASSERT(span_ends_with(SPAN_EMPTY, SPAN_EMPTY));
}

static void
test_trim_and_slice(void)
{
    CHECK_SPAN(span_trim(SPAN(" \t\r\n")), "");
    CHECK_SPAN(span_trim(SPAN_EMPTY), "");
    CHECK_SPAN(span_trim(SPAN("\n a b\t")), "a b");
    CHECK_SPAN(span_trim(SPAN("\va\f")), "\va\f");
    CHECK_SPAN(span_slice(SPAN("abc"), 3, 1), "");
    CHECK_SPAN(span_slice(SPAN("abc"), 4, SIZE_MAX), "");
    CHECK_SPAN(span_slice(SPAN("abc"), 1, 1), "b");
    CHECK_SPAN(span_slice(SPAN("abc"), 1, SIZE_MAX), "bc");
    CHECK_SPAN(span_slice(SPAN_EMPTY, 0, 1), "");
}

static const struct unit_test tests[] = {
    {"numbers that are refused", test_numbers_refused},
    {"numbers that are read", test_numbers_read},
    {"take", test_take},
    {"split", test_split},
    {"compare", test_compare},
    {"search", test_search},
    {"trim and slice", test_trim_and_slice},
};
UNIT_MAIN("span", tests)
