/*
 * The individual of an id_token against the person of a query, field by field.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tests/unit/idtoken_kit.h"
#include "tests/unit/unit.h"

/* A query in short: texts that are NULL are absent; given words are separate elements at '|'. */
struct query_row {
    const char *family, *given, *birth_time, *sex;
    const char *street, *city, *state, *postal_code;
    const char *why; /* part of the text; NULL: no contradiction */
};

static struct span
text_of(const char *text)
{
    return text == NULL ? SPAN_EMPTY : span_of_cstr(text);
}

static void
add_query_name(struct patient *query, const char *family, const char *given)
{
    struct person_name name = {.family = text_of(family)};
    struct span rest = text_of(given);
    struct span part;
    struct diag diag = {0};

    while (given != NULL && span_split(&rest, '|', &part)) {
        CHECK_OK(&diag, ARENA_PUSH(token_arena, &diag, &name.given, part));
    }
    CHECK_OK(&diag, ARENA_PUSH(token_arena, &diag, &query->names, name));
}

static void
add_query_address(struct patient *query, const struct query_row *row)
{
    struct address address = {.city = text_of(row->city),
                              .state = text_of(row->state),
                              .postal_code = text_of(row->postal_code)};
    struct span rest = text_of(row->street);
    struct span part;
    struct diag diag = {0};

    while (row->street != NULL && span_split(&rest, '|', &part)) {
        CHECK_OK(&diag, ARENA_PUSH(token_arena, &diag, &address.street, part));
    }
    CHECK_OK(&diag, ARENA_PUSH(token_arena, &diag, &query->addresses, address));
}

static struct patient
query_of(const struct query_row *row)
{
    struct patient query = {.birth_time = text_of(row->birth_time), .sex = text_of(row->sex)};

    add_query_name(&query, row->family, row->given);
    if (row->street != NULL || row->city != NULL || row->state != NULL ||
        row->postal_code != NULL) {
        add_query_address(&query, row);
    }
    return query;
}

static void
check_compare(const struct idtoken_claims *claims, const struct patient *query, const char *why,
              size_t row)
{
    struct diag diag = {0};
    const struct status st = idtoken_compare(claims, query, token_arena, &diag);

    if (!CHECK_ERR(&diag, why == NULL ? ERR_NONE : ERR_IDTOKEN_CONTRADICTION, st) ||
        (why != NULL && strstr(diag.text, why) == NULL)) {
        printf("      row %zu: wanted '%s', got '%s'\n", row, why == NULL ? "" : why, diag.text);
        CU_FAIL("another reason");
    }
    CU_ASSERT(strstr(diag.text, "Jones") == NULL && strstr(diag.text, "1947") == NULL);
}

static void
claims_of(const char *path, const char *value, struct idtoken_claims *claims)
{
    char *const payload = token_edit(path, value);
    struct diag diag;

    CHECK_OK(&diag, token_verify(TOKEN_HEADER, payload, JWT_RSA, &diag, claims));
    free(payload);
}

#define ISA     "Jones", "Isabella", "19470501", "F"
#define HOME    "1357 Amber Dr|Apt. 4", "beaverton", "or", "97006"
#define NOWHERE NULL, NULL, NULL, NULL

static void
test_contradictions(void)
{
    static const struct query_row rows[] = {
        {"Smith", "Isabella", "19470501", "F", NOWHERE, "family name"},
        {"Jone", "Isabella", "19470501", "F", NOWHERE, "family name"},
        {"Jones-Smith", "Isabella", "19470501", "F", NOWHERE, "family name"},
        {"Jones", "Myra", "19470501", "F", NOWHERE, "given name"},
        {"Jones", "Isa", "19470501", "F", NOWHERE, "given name"},
        {"Jones", "I", "19470501", "F", NOWHERE, "given name"},
        {"Jones", "Ann|Isabella", "19470501", "F", NOWHERE, "given name"},
        {"Jones", "Isabella", "19470502", "F", NOWHERE, "birth date"},
        {"Jones", "Isabella", "19470510", "F", NOWHERE, "birth date"},
        {"Jones", "Isabella", "1947", "F", NOWHERE, "lacks a full birth date"},
        {"Jones", "Isabella", "194705", "F", NOWHERE, "lacks a full birth date"},
        {"Jones", "Isabella", NULL, "F", NOWHERE, "lacks a full birth date"},
        {"Jones", "Isabella", "19470501", "M", NOWHERE, "sex"},
        {"Jones", NULL, "19470501", "F", NOWHERE, "lacks a name"},
        {NULL, "Isabella", "19470501", "F", NOWHERE, "lacks a name"},
        {"-", "Isabella", "19470501", "F", NOWHERE, "lacks a name"},
        {ISA, "1357 Amber Dr|Apt. 5", NULL, NULL, NULL, "address (street)"},
        {ISA, "1357 Amber Dr|Apt. 4", "Salem", NULL, NULL, "address (city)"},
        {ISA, NULL, NULL, "WA", NULL, "address (state)"},
        {ISA, NULL, NULL, NULL, "97007", "address (postal code)"},
        {ISA, NULL, NULL, NULL, "9700", "address (postal code)"},
        {ISA, NULL, NULL, NULL, "970061", "address (postal code)"},
        {ISA, NULL, NULL, NULL, "97007-1234", "address (postal code)"},
    };
    struct idtoken_claims claims;

    claims_of("", NULL, &claims);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct patient query = query_of(&rows[i]);

        check_compare(&claims, &query, rows[i].why, i);
    }
    const struct patient nobody = {.birth_time = SPAN("19470501")};

    check_compare(&claims, &nobody, "lacks a name", 100);
}

static void
test_agreements(void)
{
    static const struct query_row rows[] = {
        {ISA, NOWHERE, NULL},
        {ISA, HOME, NULL},
        {"JONES", "isabella", "19470501083000+0100", "f", HOME, NULL},
        {"J\xC3\xB3nes", "Isab\xC3\xA9lla", "19470501", NULL, NOWHERE, NULL},
        {"Jones", "Isabella|Ann", "19470501", "UN", NOWHERE, NULL},
        {ISA, NULL, NULL, NULL, "97006-1234", NULL},
        {ISA, NULL, "Beaverton", NULL, NULL, NULL},
    };
    struct idtoken_claims claims;

    claims_of("", NULL, &claims);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct patient query = query_of(&rows[i]);

        check_compare(&claims, &query, rows[i].why, i);
    }
}

/* The token has further names; the query may leave them out or shorten them. */
static void
test_further_names(void)
{
    static const struct query_row rows[] = {
        {"Jones", "Isabella", "19470501", NULL, NOWHERE, NULL},
        {"Jones", "Isabella|Anne", "19470501", NULL, NOWHERE, NULL},
        {"Jones", "Isabella Anne|M", "19470501", NULL, NOWHERE, NULL},
        {"Jones", "Isabella|Marie", "19470501", NULL, NOWHERE, NULL},
        {"Jones", "IsabellaAnne|Marie", "19470501", NULL, NOWHERE, NULL},
        {"Jones", "Isabella|Zoe", "19470501", NULL, NOWHERE, "further given name"},
        {"Jones", "Isabella|Marie|Anne", "19470501", NULL, NOWHERE, "further given name"},
        {"Jones", "Anne|Marie", "19470501", NULL, NOWHERE, "given name"},
    };
    struct idtoken_claims claims;
    char *payload = token_edit("middle_name", "\"Marie\"");
    struct diag diag;

    json_auto_t *root = json_loads(payload, 0, NULL);

    free(payload);
    json_object_set_new(root, "given_name", json_string("Isabella Anne"));
    payload = json_dumps(root, 0);
    CHECK_OK(&diag, token_verify(TOKEN_HEADER, payload, JWT_RSA, &diag, &claims));
    free(payload);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct patient query = query_of(&rows[i]);

        check_compare(&claims, &query, rows[i].why, i);
    }
}

/* One good name or address does not carry a second one. */
static void
test_several(void)
{
    static const struct query_row home = {ISA, HOME, NULL};
    static const struct query_row old = {ISA, "2 Old Rd", "Salem", "OR", "97301", NULL};
    static const struct query_row mixed = {ISA, "2 Old Rd", "Beaverton", "OR", "97006", NULL};
    struct idtoken_claims claims;
    struct patient query;

    claims_of("", NULL, &claims);
    query = query_of(&home);
    add_query_name(&query, "Smith", "Myra");
    check_compare(&claims, &query, "family name", 0);
    query = query_of(&home);
    add_query_name(&query, "Jones", NULL); /* finds nobody */
    check_compare(&claims, &query, NULL, 1);
    query = query_of(&home);
    add_query_address(&query, &old);
    check_compare(&claims, &query, "address (postal code)", 2);
    claims_of("historical_address",
              "{\"street_address\":\"2 Old Rd\",\"locality\":\"Salem\",\"regionality\":\"OR\","
              "\"postal_code\":\"97301\"}",
              &claims);
    check_compare(&claims, &query, NULL, 3);
    query = query_of(&mixed);
    check_compare(&claims, &query, "address (street)", 4);
    claims_of("gender", "\"other\"", &claims);
    query = query_of(&home);
    check_compare(&claims, &query, NULL, 5);
}

static const struct unit_test tests[] = {
    {"keys are made", token_begin},
    {"contradictions", test_contradictions},
    {"several names and addresses", test_several},
    {"further given names", test_further_names},
    {"agreements", test_agreements},
};

int
main(void)
{
    const int rc = unit_main("idtoken compare", tests, ARRAY_LEN(tests));

    token_end();
    return rc;
}
