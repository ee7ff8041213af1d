/* The syntax of documentUniqueId and the escapes of HL7 v2 in metadata. */
#include "base/document.h"

#include <stdio.h>

#include "base/hl7v2.h"
#include "tests/unit/unit.h"

#define OID_64 "2.16.840.1.113883.3.441.1.50.300011.51.1234567890.1234567890.123"

static const struct {
    const char *id;
    bool is_legal;
} unique_ids[] = {
    {"", false},
    {"^", false},
    {"2.999^", false},
    {"^12345", false},
    {"28A334FE-9348-4AE5-A48C-6174F3D766A4", false}, /* a UUID is no OID */
    {"urn:oid:2.999.1", false},
    {"2.999.01", false},
    {"2.16.840.1.113883.3.441^2ff573b6ddd84d8ab49fe9b4b3d600da", false}, /* 32 characters */
    {"2.999^12345678901234567", false},
    {"2.999^a^b", false},
    {"2.999^ padded", false},
    {"2.999^line\nbreak", false},
    {"2.999^\xFF", false},
    {OID_64 "4", false},
    {OID_64 "4^1", false},
    {"2.999.1", true},
    {OID_64, true},
    {OID_64 "^1234567890123456", true},
    {"2.999^1234567890123456", true},
    {"1.1.1.1.1.1.1.1.1^Test CCDA", true}, /* a space inside is a character like others */
    {"2.999^\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
     "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9",
     true}, /* 16 characters, 32 bytes */
};

static void
unique_ids_are_judged(void)
{
    for (size_t i = 0; i < ARRAY_LEN(unique_ids); i++) {
        const bool is_legal = document_unique_id_is_legal(span_of_cstr(unique_ids[i].id));

        if (is_legal != unique_ids[i].is_legal) {
            printf("\n    '%s': wanted %d\n", unique_ids[i].id, unique_ids[i].is_legal);
        }
        CU_ASSERT(is_legal == unique_ids[i].is_legal);
    }
    CU_ASSERT(!document_unique_id_is_legal(SPAN_EMPTY));
}

static const struct {
    const char *text, *want;
} escapes[] = {
    {"", ""},
    {"Jones", "Jones"},
    {"A&B", "A\\T\\B"},
    {"a|b^c~d\\e", "a\\F\\b\\S\\c\\R\\d\\E\\e"},
    {"two\nlines", "two lines"},
    {"\xC3\xA9^", "\xC3\xA9\\S\\"},
};

static void
delimiters_are_escaped(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    struct span got;

    CU_ASSERT_FATAL(arena != NULL);
    for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
        CHECK_OK(&diag, hl7v2_escape(arena, span_of_cstr(escapes[i].text), &diag, &got));
        CHECK_SPAN(got, escapes[i].want);
    }
    arena_free(arena);
}

/* What is no sequence of the five stays; what was escaped comes back. */
static void
delimiters_come_back(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"plain", "plain"},    {"\\F\\S\\", "|S\\"},   {"O\\T\\N", "O&N"}, {"\\S\\\\R\\", "^~"},
        {"\\E\\F\\", "\\F\\"}, {"\\X41\\", "\\X41\\"}, {"\\T", "\\T"},     {"\\", "\\"},
    };
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    struct span got;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_OK(&diag, hl7v2_unescape(arena, span_of_cstr(rows[i].text), &diag, &got));
        CHECK_SPAN(got, rows[i].want);
    }
    CHECK_OK(&diag, hl7v2_escape(arena, SPAN("a|b^c&d~e\\f"), &diag, &got));
    CHECK_OK(&diag, hl7v2_unescape(arena, got, &diag, &got));
    CHECK_SPAN(got, "a|b^c&d~e\\f");
    arena_free(arena);
}

static const struct unit_test tests[] = {
    /* REQ: META-unique-id */
    {"unique ids are judged", unique_ids_are_judged},
    {"delimiters are escaped", delimiters_are_escaped},
    {"delimiters come back", delimiters_come_back},
};

UNIT_MAIN("document", tests)
