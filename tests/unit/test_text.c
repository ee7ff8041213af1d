/* Text: UTF-8 that is none, names that must fold alike, widths, typing errors. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tests/unit/unit.h"

/* Unicode 15 table 3-7 from the outside: each entry is not UTF-8. */
static const char *const malformed[] = {
    "\x80",
    "\xBF",
    "\xC0\x80",
    "\xC1\xBF", /* overlong */
    "\xC3",
    "\xC3(",
    "\xE0\x80\x80",
    "\xE0\x9F\xBF", /* overlong */
    "\xED\xA0\x80",
    "\xED\xBF\xBF", /* surrogates */
    "\xE2\x82",
    "\xE2(\xA1",
    "\xF0\x80\x80\x80",
    "\xF0\x8F\xBF\xBF", /* overlong */
    "\xF4\x90\x80\x80",
    "\xF5\x80\x80\x80", /* above U+10FFFF */
    "\xF0\x9F\x98",
    "\xF8\x88\x80\x80\x80",
    "\xFE",
    "\xFF",
};

static void
test_malformed(void)
{
    struct diag diag;
    diag_clear(&diag);
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
        for (size_t before = 0; before < 18; before++) { /* where words of eight begin and end */
            struct span text;
            struct span folded = SPAN("old");
            CHECK_OK(&diag, arena_printf(arena, &diag, &text, "%.*s%s%s", (int)before,
                                         "abcdefghijklmnopqr", malformed[i], "z"));
            if (text_is_utf8(text)) {
                printf("\n    entry %zu after %zu bytes is taken for UTF-8\n", i, before);
                CU_FAIL("taken for UTF-8");
            }
            CHECK_OK(&diag, text_fold(arena, text, &diag, &folded));
            CHECK_SPAN(folded, "");
        }
    }
    arena_free(arena);
}

static void
test_valid(void)
{
    static const char *const texts[] = {
        "",
        "plain, and longer than eight",
        "\xC2\x80\xDF\xBF",
        "\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF",
        "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
        "1234567\xC3\xA9",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CU_ASSERT(text_is_utf8(span_of_cstr(texts[i])));
    }
    CU_ASSERT(text_is_utf8(SPAN_EMPTY));
    CU_ASSERT(text_is_utf8(SPAN("a\0b")));
}

static void
test_take_char(void)
{
    static const uint32_t want[] = {'a',    0xE9,    TEXT_MALFORMED, TEXT_MALFORMED, TEXT_MALFORMED,
                                    0x20AC, 0x1F600, TEXT_MALFORMED};
    struct span in = SPAN("a\xC3\xA9\xED\xA0\x80\xE2\x82\xAC\xF0\x9F\x98\x80\xC3");
    uint32_t c = 0;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        CU_ASSERT(text_take_char(&in, &c));
        CU_ASSERT_EQUAL(c, want[i]);
    }
    CU_ASSERT(!text_take_char(&in, &c));
}

static void
test_folding(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {" -'. ", ""},
        {"\xCC\x81", ""}, /* a mark alone */
        {"N\xC3\xBA\xC3\xB1"
         "ez-Ibarra",
         "nunezibarra"},
        {"Nu\xCC\x81n\xCC\x83"
         "ez Ibarra",
         "nunezibarra"}, /* the same, decomposed */
        {"O'Brien", "obrien"},
        {"O\xE2\x80\x99"
         "BRIEN",
         "obrien"}, /* U+2019 */
        {"Gro\xC3\x9F", "gross"},
        {"GROSS", "gross"},
        {"\xE1\xBA\x9E", "ss"},                                   /* capital sharp s */
        {"\xEF\xAC\x81n", "fin"},                                 /* ligature fi */
        {"\xEF\xBC\xA1\xEF\xBC\x91", "a1"},                       /* full width */
        {"\xCE\xA3\xCF\x82\xCF\x83", "\xCF\x83\xCF\x83\xCF\x83"}, /* the three sigmas */
        {"\xC4\xB0stanbul", "istanbul"},                          /* I with a dot */
        {"\xE5\xB1\xB1\xE7\x94\xB0", "\xE5\xB1\xB1\xE7\x94\xB0"}, /* letters without case */
        {"Jr.\t3\xC2\xB2\n", "jr32"},
        {"a\xE2\x80\x8D"
         "b",
         "ab"}, /* zero width joiner */
    };
    struct diag diag;
    diag_clear(&diag);
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct span folded = SPAN("old");
        struct span again = SPAN("old");
        CHECK_OK(&diag, text_fold(arena, span_of_cstr(cases[i].text), &diag, &folded));
        CHECK_SPAN(folded, cases[i].want);
        CHECK_OK(&diag, text_fold(arena, folded, &diag, &again));
        CHECK_SPAN(again, cases[i].want); /* folding twice changes nothing */
    }
    arena_free(arena);
    arena = arena_new(64);
    struct span folded = SPAN("old");
    CHECK_ERR(&diag, ERR_LIMIT_ARENA,
              text_fold(arena, SPAN("longer than the arena allows"), &diag, &folded));
    CHECK_SPAN(folded, "old");
    arena_free(arena);
}

static void
test_columns(void)
{
    CU_ASSERT_EQUAL(text_columns(SPAN_EMPTY), 0);
    CU_ASSERT_EQUAL(text_columns(SPAN("\t\n\x1b\x7f")), 0);
    CU_ASSERT_EQUAL(text_columns(SPAN("abc")), 3);
    CU_ASSERT_EQUAL(text_columns(SPAN("e\xCC\x81\xC3\xA9")), 2);
    CU_ASSERT_EQUAL(text_columns(SPAN("\xE5\xB1\xB1")), 2);
    CU_ASSERT_EQUAL(text_columns(SPAN("\xFF"
                                      "a")),
                    2);
}

static void
test_distance(void)
{
    static const struct {
        const char *a, *b;
        size_t most, want;
    } cases[] = {
        {"", "", 0, 0},
        {"", "abc", 2, 3},
        {"", "abc", 5, 3},
        {"abc", "abc", 0, 0},
        {"abc", "abd", 0, 1},
        {"endpoint", "endpiont", 3, 2},
        {"timeout", "timout", 2, 1},
        {"kitten", "sitting", 9, 3},
        {"abc", "xyz", 1, 2},
    };
    static const char long_name[200] = "x";
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct span a = span_of_cstr(cases[i].a);
        const struct span b = span_of_cstr(cases[i].b);
        CU_ASSERT_EQUAL(text_distance(a, b, cases[i].most), cases[i].want);
        CU_ASSERT_EQUAL(text_distance(b, a, cases[i].most), cases[i].want);
    }
    const struct span big = span_of(long_name, sizeof(long_name));
    CU_ASSERT_EQUAL(text_distance(big, big, 3), 0);
    CU_ASSERT_EQUAL(text_distance(big, span_of(long_name, 199), 3), 4);
    CU_ASSERT_EQUAL(text_distance(span_of(long_name, 128), span_of(long_name, 127), 3), 1);
}

static void
test_foreign_text_is_shown_safely(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"N\xC3\xBA\xC3\xB1"
         "ez",
         "N\xC3\xBA\xC3\xB1"
         "ez"},
        {"a\r\nb\tc", "a  b c"},
        {"\x1b[31mred", "?[31mred"},
        {"\xC2\x9B"
         "31mred",
         "?31mred"}, /* CSI in one character */
        {"a\xE2\x80\xAE"
         "b",
         "a?b"}, /* right-to-left override */
        {"a\xE2\x80\x8B\xEF\xBB\xBF"
         "b\x7f",
         "a??b?"}, /* invisible ones */
        {"a\xFF"
         "b",
         "a?b"},
    };
    struct diag diag = {0};
    struct buf out;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_init(&out, 100);
        CHECK_OK(&diag, text_show(span_of_cstr(rows[i].text), &out, &diag));
        CHECK_SPAN(buf_span(&out), rows[i].want);
        buf_done(&out);
        diag_clear(&diag);
        CU_ASSERT_EQUAL(FAIL(&diag, ERR_IO, "%s", rows[i].text).code, ERR_IO);
        CU_ASSERT_EQUAL(strlen(diag.text), strlen(rows[i].want)); /* the same in a diag */
        diag_clear(&diag);
    }
}

static const struct unit_test tests[] = {
    {"foreign text is shown safely", test_foreign_text_is_shown_safely},
    {"what is not UTF-8", test_malformed},
    {"what is UTF-8", test_valid},
    {"one character at a time", test_take_char},
    {"folding", test_folding},
    {"columns", test_columns},
    {"distance", test_distance},
};
UNIT_MAIN("text", tests)
