/* CX identifiers and deep copies of patients. */
#include <stdio.h>
#include <string.h>

#include "base/patient.h"
#include "tests/unit/unit.h"

#define ROOT_64 "2.99912345678901234567890123456789012345678901234567890123456789"

static void
test_cx_refused(void)
{
    static const char *const texts[] = {
        "",
        "id",
        "id^^^",
        "id^^^&2.999.1",
        "id^^^&2.999.1&",
        "id^^^&2.999.1&iso",
        "id^^^&2.999.1&ISO ",
        "id^^^&2.999.1&DNS",
        "^^^&2.999.1&ISO",
        "id^^&2.999.1&ISO",
        "id^^^^&2.999.1&ISO",
        "id^^^2.999.1&ISO",
        "id^^^&&ISO",
        "id^^^&3.999.1&ISO",
        "id^^^&2.999.01&ISO",
        "id^^^&urn:oid:2.999.1&ISO",
        "i\\T\\d^^^&2.999.1&ISO", /* an HL7 escape */
        "i&d^^^&2.999.1&ISO",
        "a~id^^^&2.999.1&ISO",
        "i\nd^^^&2.999.1&ISO",
        "id^^^&2.999.1&ISO~id^^^&2.999.1&ISO",
        "id^^^&2.999.1&ISO^x~id^^^&2.999.1&ISO",
        "id^^^&" ROOT_64 "1&ISO",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct diag diag;
        struct ident id = {SPAN("old"), SPAN("old"), SPAN("old")};
        diag_clear(&diag);
        if (!CHECK_ERR(&diag, ERR_MESSAGE_CONTENT,
                       ident_read_cx(span_of_cstr(texts[i]), &diag, &id))) {
            printf("      for '%s'\n", texts[i]);
        }
        CHECK_SPAN(id.extension, "old");
    }
}

static void
test_cx_not_writable(void)
{
    static const struct {
        const char *root, *extension;
    } cases[] = {
        {"2.999.1", ""},    {"2.999.1", "a^b"},  {"2.999.1", "a&b"}, {"2.999.1", "a|b"},
        {"2.999.1", "a~b"}, {"2.999.1", "a\\b"}, {"2.999.1", "a\n"}, {"", "a"},
        {"2.999.", "a"},    {"x", "a"},
    };
    struct diag diag;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct ident id = {span_of_cstr(cases[i].root), span_of_cstr(cases[i].extension),
                                 SPAN_EMPTY};
        struct span cx = SPAN("old");
        diag_clear(&diag);
        CHECK_ERR(&diag, ERR_MESSAGE_CONTENT, ident_write_cx(arena, &id, &diag, &cx));
        CHECK_SPAN(cx, "old");
    }
    const struct ident private = {SPAN("2.999.1"), SPAN("MRN-4711^"), SPAN_EMPTY};
    struct span cx;
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_MESSAGE_CONTENT, ident_write_cx(arena, &private, &diag, &cx));
    CU_ASSERT(strstr(diag.text, "4711") == NULL); /* a patient's id is not for the log */
    arena_free(arena);
}

static void
test_cx_read(void)
{
    static const struct {
        const char *text, *root, *extension, *authority;
    } cases[] = {
        {"P-1^^^&2.999.1&ISO", "2.999.1", "P-1", ""},
        {"P 1/x^^^&" ROOT_64 "&ISO", ROOT_64, "P 1/x", ""},
        {"P-1^^^Clinic&2.999.1&ISO", "2.999.1", "P-1", "Clinic"},
        {"P-1^^^&2.999.1&ISO^urn:ihe:iti:xds:2013:uniqueId", "2.999.1", "P-1", ""}, /* CXi */
    };
    struct diag diag;
    diag_clear(&diag);
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ident id;
        struct ident again;
        struct span cx;
        CHECK_OK(&diag, ident_read_cx(span_of_cstr(cases[i].text), &diag, &id));
        CHECK_SPAN(id.root, cases[i].root);
        CHECK_SPAN(id.extension, cases[i].extension);
        CHECK_SPAN(id.authority, cases[i].authority);
        CHECK_OK(&diag, ident_write_cx(arena, &id, &diag, &cx));
        CHECK_OK(&diag, ident_read_cx(cx, &diag, &again));
        CU_ASSERT(ident_eq(&id, &again));
    }
    const struct ident id = {SPAN("2.999.1"), SPAN("P-1"), SPAN("Clinic")};
    struct span cx;
    CHECK_OK(&diag, ident_write_cx(arena, &id, &diag, &cx));
    CHECK_SPAN(cx, "P-1^^^&2.999.1&ISO");
    arena_free(arena);
}

static void
test_equality(void)
{
    const struct ident a = {SPAN("2.999.1"), SPAN("x"), SPAN("Clinic")};
    const struct ident other_root = {SPAN("2.999.2"), SPAN("x"), SPAN("Clinic")};
    const struct ident other_case = {SPAN("2.999.1"), SPAN("X"), SPAN("Clinic")};
    const struct ident no_extension = {SPAN("2.999.1"), SPAN_EMPTY, SPAN("Clinic")};
    const struct ident other_name = {SPAN("2.999.1"), SPAN("x"), SPAN_EMPTY};
    CU_ASSERT(!ident_eq(&a, &other_root));
    CU_ASSERT(!ident_eq(&a, &other_case));
    CU_ASSERT(!ident_eq(&a, &no_extension));
    CU_ASSERT(ident_eq(&a, &other_name));
    CU_ASSERT(ident_eq(&no_extension, &no_extension));
}

static const struct unit_test tests[] = {
    {"CX that is refused", test_cx_refused},
    {"ids that CX cannot hold", test_cx_not_writable},
    {"CX that is read", test_cx_read},
    {"equality", test_equality},
};
UNIT_MAIN("patient", tests)
