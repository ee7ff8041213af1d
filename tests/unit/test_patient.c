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

static struct status
build(struct arena *arena, struct diag *diag, struct patient *ret_patient)
{
    struct patient p = {0};
    struct person_name name = {.prefix = SPAN("Dr"), .suffix = SPAN("Jr"), .use = SPAN("L")};
    struct address address = {.city = SPAN("Town"), .state = SPAN("OR"), .use = SPAN("HP")};
    TRY(arena_dup(arena, SPAN("Sample"), diag, &name.family));
    TRY(ARENA_PUSH(arena, diag, &name.given, SPAN("Pat")));
    TRY(ARENA_PUSH(arena, diag, &name.given, SPAN("Q")));
    TRY(ARENA_PUSH(arena, diag, &p.names, name));
    TRY(ARENA_PUSH(arena, diag, &address.street, SPAN("1 Road")));
    TRY(arena_dup(arena, SPAN("97001"), diag, &address.postal_code));
    TRY(arena_dup(arena, SPAN("US"), diag, &address.country));
    TRY(ARENA_PUSH(arena, diag, &p.addresses, address));
    TRY(ARENA_PUSH(arena, diag, &p.telecoms, ((struct telecom){SPAN("tel:+1"), SPAN("HP")})));
    TRY(ARENA_PUSH(arena, diag, &p.ids, ((struct ident){SPAN("2.999.1"), SPAN("x"), SPAN("C")})));
    TRY(ARENA_PUSH(arena, diag, &p.ids, ((struct ident){SPAN("2.999.2"), SPAN("y"), SPAN_EMPTY})));
    TRY(arena_dup(arena, SPAN("19700101"), diag, &p.birth_time));
    TRY(arena_dup(arena, SPAN("F"), diag, &p.sex));
    *ret_patient = p;
    return OK;
}

static void
check_copy(const struct patient *p)
{
    CU_ASSERT_EQUAL_FATAL(p->ids.n, 2);
    CHECK_SPAN(p->ids.items[0].authority, "C");
    CHECK_SPAN(p->ids.items[1].root, "2.999.2");
    CHECK_SPAN(p->ids.items[1].extension, "y");
    CHECK_SPAN(p->ids.items[1].authority, "");
    CU_ASSERT_EQUAL_FATAL(p->names.n, 1);
    CHECK_SPAN(p->names.items[0].family, "Sample");
    CU_ASSERT_EQUAL_FATAL(p->names.items[0].given.n, 2);
    CHECK_SPAN(p->names.items[0].given.items[1], "Q");
    CHECK_SPAN(p->names.items[0].prefix, "Dr");
    CHECK_SPAN(p->names.items[0].suffix, "Jr");
    CHECK_SPAN(p->names.items[0].use, "L");
    CHECK_SPAN(p->birth_time, "19700101");
    CHECK_SPAN(p->sex, "F");
    CU_ASSERT_EQUAL_FATAL(p->addresses.n, 1);
    CHECK_SPAN(p->addresses.items[0].street.items[0], "1 Road");
    CHECK_SPAN(p->addresses.items[0].city, "Town");
    CHECK_SPAN(p->addresses.items[0].state, "OR");
    CHECK_SPAN(p->addresses.items[0].postal_code, "97001");
    CHECK_SPAN(p->addresses.items[0].country, "US");
    CHECK_SPAN(p->addresses.items[0].use, "HP");
    CU_ASSERT_EQUAL_FATAL(p->telecoms.n, 1);
    CHECK_SPAN(p->telecoms.items[0].value, "tel:+1");
    CHECK_SPAN(p->telecoms.items[0].use, "HP");
}

/* The copy lives on when the first arena is gone (the sanitizer sees what still points there). */
static struct status
run_copy(struct diag *diag)
{
    struct patient patient = {0};
    struct patient copy = {0};
    struct patient grown = {0};
    struct arena *first = arena_new(ARENA_LIMIT_DEFAULT);
    struct arena *second = arena_new(ARENA_LIMIT_DEFAULT);
    struct status st = first == NULL || second == NULL ? FAIL(diag, ERR_NO_MEMORY, "no arena") : OK;
    st = is_ok(st) ? build(first, diag, &patient) : st;
    st = is_ok(st) ? patient_dup(second, &patient, diag, &copy) : st;
    arena_free(first);
    if (is_ok(st)) {
        check_copy(&copy);
        grown = copy;
        st = ARENA_PUSH(second, diag, &grown.ids, copy.ids.items[0]); /* still a list */
        CU_ASSERT(!is_ok(st) || ident_eq(&grown.ids.items[2], &copy.ids.items[0]));
    }
    arena_free(second);
    return st;
}

static void
test_copy(void)
{
    unit_torture(run_copy);
    struct diag diag;
    struct patient copy;
    const struct patient nobody = {0};
    diag_clear(&diag);
    struct arena *arena = arena_new(0);
    CHECK_OK(&diag, patient_dup(arena, &nobody, &diag, &copy)); /* nothing needs no memory */
    CU_ASSERT_PTR_NULL(copy.sex.p);
    CU_ASSERT_EQUAL(copy.ids.n + copy.ids.capacity, 0);
    arena_free(arena);
}

static const struct unit_test tests[] = {
    {"CX that is refused", test_cx_refused},
    {"ids that CX cannot hold", test_cx_not_writable},
    {"CX that is read", test_cx_read},
    {"equality", test_equality},
    {"deep copy, with every failing allocation", test_copy},
};
UNIT_MAIN("patient", tests)
