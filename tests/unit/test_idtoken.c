/*
 * id_tokens: each claim removed, wrong and right; issuers and keys mixed up; and the comparison of
 * an individual with a query, field by field.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "soap/idtoken.h"
#include "tests/unit/jwt_kit.h"
#include "tests/unit/unit.h"

#define NOW_S  INT64_C(1800000000)
#define US     INT64_C(1000000)
#define HEADER "{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"JWT\"}"

static const char good[] =
    "{\"iss\":\"https://idp.example\",\"aud\":\"urn:oid:2.999.7\",\"iat\":1799999900,"
    "\"exp\":1800000500,\"jti\":\"t-1\",\"sub\":\"s\",\"given_name\":\"Isabella\","
    "\"family_name\":\"Jones\",\"birthdate\":\"1947-05-01\",\"gender\":\"female\","
    "\"address\":{\"street_address\":\"1357 Amber Dr.\\nApt 4\",\"locality\":\"Beaverton\","
    "\"regionality\":\"OR\",\"postal_code\":\"97006\",\"country\":\"US\"},"
    "\"email\":\"i@mail.example\",\"phone_number\":\"+15555550100\",\"unknown\":{\"a\":[1]}}";

static struct arena *arena;
static struct jwks *keys;  /* of https://idp.example: "r", "e" */
static struct jwks *other; /* of https://other.example: "o", and "r" with another key */

static struct jwks_issuer issuers[2];

static struct idtoken_rules
rules(void)
{
    return (struct idtoken_rules){
        .issuers = issuers,
        .issuers_n = ARRAY_LEN(issuers),
        .community = SPAN("2.999.7"),
        .now_us = NOW_S * US,
        .clock_skew_us = 60 * US,
        .max_age_us = 3600 * US,
    };
}

/* The good payload with one member (dots lead inside) set to a JSON text, or removed (NULL). */
static char *
edit(const char *path, const char *value)
{
    json_auto_t *root = json_loads(good, 0, NULL);
    json_t *at = root;
    const char *name = path;
    const char *dot;

    CU_ASSERT_FATAL(root != NULL);
    while ((dot = strchr(name, '.')) != NULL) {
        at = json_object_getn(at, name, (size_t)(dot - name));
        name = dot + 1;
    }
    if (*name != '\0' && value == NULL) {
        CU_ASSERT(json_object_del(at, name) == 0);
    } else if (*name != '\0') {
        json_t *const item = json_loads(value, JSON_DECODE_ANY, NULL);

        CU_ASSERT_FATAL(item != NULL);
        CU_ASSERT(json_object_set_new(at, name, item) == 0);
    }
    return json_dumps(root, JSON_COMPACT);
}

static struct status
verify_payload(const char *header, const char *payload, enum jwt_who who, struct diag *diag,
               struct idtoken_claims *ret_claims)
{
    const struct idtoken_rules now = rules();

    diag_clear(diag);
    return idtoken_verify(jwt_make(header, payload, who, arena), &now, arena, diag, ret_claims);
}

/* ---- claims ---- */

struct claim_row {
    const char *path, *value;
    enum err want;
};

static void
check_rows(const struct claim_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *const payload = edit(rows[i].path, rows[i].value);
        struct idtoken_claims claims = {.issuer = SPAN("untouched")};
        struct diag diag;

        if (!CHECK_ERR(&diag, rows[i].want,
                       verify_payload(HEADER, payload, JWT_RSA, &diag, &claims))) {
            printf("      %s = %s\n", rows[i].path, rows[i].value == NULL ? "-" : rows[i].value);
        }
        if (rows[i].want != ERR_NONE) {
            CHECK_SPAN(claims.issuer, "untouched");
        }
        /* what is said names the claim, never the person */
        CU_ASSERT(strstr(diag.text, "Isabella") == NULL && strstr(diag.text, "Amber") == NULL);
        free(payload);
    }
}

static void
test_claims_refused(void)
{
    static const struct claim_row rows[] = {
        {"iss", NULL, ERR_IDTOKEN_CLAIM},
        {"iss", "1", ERR_IDTOKEN_CLAIM},
        {"iss", "\"https://idp.example/\"", ERR_IDTOKEN_ISSUER},
        {"iss", "\"https://other.example\"", ERR_IDTOKEN_ISSUER},
        {"iss", "\"https://IDP.example\"", ERR_IDTOKEN_ISSUER},
        {"aud", NULL, ERR_IDTOKEN_CLAIM},
        {"aud", "7", ERR_IDTOKEN_CLAIM},
        {"aud", "[]", ERR_IDTOKEN_AUDIENCE},
        {"aud", "[\"urn:oid:2.999.7\",7]", ERR_IDTOKEN_CLAIM},
        {"aud", "[[\"urn:oid:2.999.7\"]]", ERR_IDTOKEN_CLAIM},
        {"aud", "{\"urn:oid:2.999.7\":1}", ERR_IDTOKEN_CLAIM},
        {"aud", "\"\"", ERR_IDTOKEN_AUDIENCE},
        {"aud", "\"2.999.7\"", ERR_IDTOKEN_AUDIENCE},
        {"aud", "\"urn:oid:2.999.71\"", ERR_IDTOKEN_AUDIENCE},
        {"aud", "\"urn:oid:2.999\"", ERR_IDTOKEN_AUDIENCE},
        {"aud", "\"urn:oid:\"", ERR_IDTOKEN_AUDIENCE},
        {"aud", "\"urn:oid:2.999.7 \"", ERR_IDTOKEN_AUDIENCE},
        {"aud", "[\"urn:oid:2.999.1\",\"urn:oid:2.999.2\"]", ERR_IDTOKEN_AUDIENCE},
        {"aud",
         "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\","
         "\"14\",\"15\",\"16\",\"urn:oid:2.999.7\"]",
         ERR_IDTOKEN_CLAIM},
        {"exp", NULL, ERR_IDTOKEN_CLAIM},
        {"exp", "\"1800000500\"", ERR_IDTOKEN_CLAIM},
        {"exp", "null", ERR_IDTOKEN_CLAIM},
        {"exp", "-1", ERR_IDTOKEN_CLAIM},
        {"exp", "1e300", ERR_IDTOKEN_CLAIM},
        {"exp", "253402300800", ERR_IDTOKEN_CLAIM},
        {"exp", "9223372036854775807", ERR_IDTOKEN_CLAIM},
        {"exp", "1799999900", ERR_IDTOKEN_CLAIM},
        {"exp", "1799999940", ERR_IDTOKEN_TIME},
        {"iat", NULL, ERR_IDTOKEN_CLAIM},
        {"iat", "true", ERR_IDTOKEN_CLAIM},
        {"iat", "1800000061", ERR_IDTOKEN_TIME},
        {"iat", "1799996339", ERR_IDTOKEN_TIME},
        {"iat", "0", ERR_IDTOKEN_TIME},
        {"nbf", "1800000061", ERR_IDTOKEN_TIME},
        {"nbf", "\"now\"", ERR_IDTOKEN_CLAIM},
        {"jti", NULL, ERR_IDTOKEN_CLAIM},
        {"jti", "\"\"", ERR_IDTOKEN_CLAIM},
        {"jti", "5", ERR_IDTOKEN_CLAIM},
        {"given_name", NULL, ERR_IDTOKEN_CLAIM},
        {"given_name", "\"\"", ERR_IDTOKEN_CLAIM},
        {"given_name", "\" - \"", ERR_IDTOKEN_CLAIM},
        {"given_name", "[\"Isabella\"]", ERR_IDTOKEN_CLAIM},
        {"family_name", NULL, ERR_IDTOKEN_CLAIM},
        {"family_name", "\"'\"", ERR_IDTOKEN_CLAIM},
        {"middle_name", "1", ERR_IDTOKEN_CLAIM},
        {"birthdate", NULL, ERR_IDTOKEN_CLAIM},
        {"birthdate", "\"1947\"", ERR_IDTOKEN_CLAIM},
        {"birthdate", "\"0000-05-01\"", ERR_IDTOKEN_CLAIM},
        {"birthdate", "\"19470501\"", ERR_IDTOKEN_CLAIM},
        {"birthdate", "\"1947-13-01\"", ERR_IDTOKEN_CLAIM},
        {"birthdate", "\"1947-02-29\"", ERR_IDTOKEN_CLAIM},
        {"birthdate", "\"1947-05-1\"", ERR_IDTOKEN_CLAIM},
        {"birthdate", "\"1947-05-+1\"", ERR_IDTOKEN_CLAIM},
        {"birthdate", "\"01-05-1947\"", ERR_IDTOKEN_CLAIM},
        {"birthdate", "\"1947-05-01T00:00:00Z\"", ERR_IDTOKEN_CLAIM},
        {"gender", "2", ERR_IDTOKEN_CLAIM},
        {"address", NULL, ERR_IDTOKEN_CLAIM},
        {"address", "\"1357 Amber Dr\"", ERR_IDTOKEN_CLAIM},
        {"address.street_address", NULL, ERR_IDTOKEN_CLAIM},
        {"address.locality", NULL, ERR_IDTOKEN_CLAIM},
        {"address.regionality", NULL, ERR_IDTOKEN_CLAIM},
        {"address.region", "\"WA\"", ERR_IDTOKEN_CLAIM},
        {"address.postal_code", NULL, ERR_IDTOKEN_CLAIM},
        {"address.postal_code", "97006", ERR_IDTOKEN_CLAIM},
        {"historical_address", "null", ERR_IDTOKEN_CLAIM},
        {"historical_address", "{\"locality\":\"Salem\"}", ERR_IDTOKEN_CLAIM},
        {"historical_address", "[1,2,3,4,5,6,7,8]", ERR_IDTOKEN_CLAIM},
        {"email", "[]", ERR_IDTOKEN_CLAIM},
    };

    check_rows(rows, ARRAY_LEN(rows));
}

static void
test_claims_accepted(void)
{
    static const struct claim_row rows[] = {
        {"", NULL, ERR_NONE},
        {"aud", "[\"x\",\"urn:oid:2.999.7\"]", ERR_NONE},
        {"exp", "1799999941", ERR_NONE}, /* within the skew */
        {"exp", "253402300799", ERR_NONE},
        {"exp", "1800000500.75", ERR_NONE},
        {"iat", "1800000060", ERR_NONE},
        {"iat", "1799996340", ERR_NONE},
        {"nbf", "1800000060", ERR_NONE},
        {"sub", NULL, ERR_NONE},
        {"gender", NULL, ERR_NONE},
        {"gender", "\"other\"", ERR_NONE},
        {"email", NULL, ERR_NONE},
        {"phone_number", NULL, ERR_NONE},
        {"address.country", NULL, ERR_NONE},
        {"address.region", "\"OR\"", ERR_NONE},
        {"historical_address", "[]", ERR_NONE},
        {"urn:claim:of:another:network", "{\"deep\":[{}]}", ERR_NONE},
        {"birthdate", "\"1948-02-29\"", ERR_NONE},
    };

    check_rows(rows, ARRAY_LEN(rows));
}

static void
test_no_way_to_reach(void)
{
    json_auto_t *root = json_loads(good, 0, NULL);
    struct idtoken_claims claims;
    struct diag diag;

    json_object_del(root, "email");
    json_object_del(root, "phone_number");
    char *const payload = json_dumps(root, 0);

    CHECK_ERR(&diag, ERR_IDTOKEN_CLAIM, verify_payload(HEADER, payload, JWT_RSA, &diag, &claims));
    free(payload);
}

static void
test_facts(void)
{
    char *const payload =
        edit("historical_address", "[{\"street_address\":\"2 Old Rd\",\"locality\":\"Salem\","
                                   "\"region\":\"OR\",\"postal_code\":\"97301\"}]");
    struct idtoken_claims claims;
    struct diag diag;

    CHECK_OK(&diag, verify_payload(HEADER, payload, JWT_RSA, &diag, &claims));
    free(payload);
    CHECK_SPAN(claims.issuer, "https://idp.example");
    CHECK_SPAN(claims.token_id, "t-1");
    CU_ASSERT(claims.issued_us == (NOW_S - 100) * US && claims.expires_us == (NOW_S + 500) * US);
    const struct patient *const who = &claims.patient;

    CU_ASSERT_FATAL(who->names.n == 1 && who->addresses.n == 2 && who->telecoms.n == 2);
    CHECK_SPAN(who->names.items[0].family, "Jones");
    CU_ASSERT_FATAL(who->names.items[0].given.n == 1);
    CHECK_SPAN(who->names.items[0].given.items[0], "Isabella");
    CHECK_SPAN(who->birth_time, "19470501");
    CHECK_SPAN(who->sex, "F");
    CHECK_SPAN(who->addresses.items[0].state, "OR");
    CHECK_SPAN(who->addresses.items[1].city, "Salem");
    CHECK_SPAN(who->addresses.items[1].state, "OR");
    CHECK_SPAN(who->telecoms.items[0].value, "mailto:i@mail.example");
    CHECK_SPAN(who->telecoms.items[1].value, "tel:+15555550100");
}

/* ---- keys and issuers ---- */

static void
test_keys(void)
{
    static const struct {
        const char *header;
        enum jwt_who who;
        const char *issuer;
        enum err want;
    } rows[] = {
        {HEADER, JWT_RSA, "\"https://idp.example\"", ERR_NONE},
        {"{\"alg\":\"ES256\",\"kid\":\"e\"}", JWT_EC, "\"https://idp.example\"", ERR_NONE},
        {"{\"alg\":\"RS256\",\"kid\":\"o\",\"typ\":\"jwt\"}", JWT_RSA_OTHER,
         "\"https://other.example\"", ERR_NONE},
        /* both issuers have a key "r": each may sign for itself only */
        {HEADER, JWT_RSA_OTHER, "\"https://other.example\"", ERR_NONE},
        {HEADER, JWT_RSA_OTHER, "\"https://idp.example\"", ERR_IDTOKEN_ISSUER},
        {HEADER, JWT_RSA, "\"https://other.example\"", ERR_IDTOKEN_ISSUER},
        {"{\"alg\":\"RS256\",\"kid\":\"o\"}", JWT_RSA_OTHER, "\"https://idp.example\"",
         ERR_IDTOKEN_ISSUER},
        {"{\"alg\":\"RS256\",\"kid\":\"o\"}", JWT_RSA, "\"https://idp.example\"", ERR_JWS_INVALID},
        {"{\"alg\":\"RS256\",\"kid\":\"e\"}", JWT_RSA, "\"https://idp.example\"", ERR_JWS_KEY},
        {"{\"alg\":\"RS256\",\"kid\":\"x\"}", JWT_RSA, "\"https://idp.example\"", ERR_JWS_KEY},
        {"{\"alg\":\"RS256\"}", JWT_RSA, "\"https://idp.example\"", ERR_JWS_KEY},
        {"{\"alg\":\"none\",\"kid\":\"r\"}", JWT_RSA, "\"https://idp.example\"", ERR_JWS_ALGORITHM},
        {"{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"at+jwt\"}", JWT_RSA, "\"https://idp.example\"",
         ERR_JWS_STRUCTURE},
        {"{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"logout+jwt\"}", JWT_RSA,
         "\"https://idp.example\"", ERR_JWS_STRUCTURE},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *const payload = edit("iss", rows[i].issuer);
        struct idtoken_claims claims;
        struct diag diag;

        if (!CHECK_ERR(&diag, rows[i].want,
                       verify_payload(rows[i].header, payload, rows[i].who, &diag, &claims))) {
            printf("      row %zu: %s\n", i, rows[i].header);
        }
        free(payload);
    }
}

static void
test_payloads_refused(void)
{
    static const char *const payloads[] = {
        "[]",
        "1",
        "{",
        "{\"iss\":\"https://idp.example\",\"iss\":\"https://idp.example\"}",
        "{\"iss\":\"https://idp.example\",\"aud\":{\"a\":1,\"a\":2}}",
        "{\"a\":[[[[[[[[1]]]]]]]]}",
        "{\"iss\":\"https://idp.example\\u0000\"}",
        "{\"iss\":\"\xFF\"}",
    };
    struct idtoken_rules now = rules();
    struct idtoken_claims claims;
    struct diag diag;

    for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
        if (!CHECK_ERR(&diag, ERR_JWS_STRUCTURE,
                       verify_payload(HEADER, payloads[i], JWT_RSA, &diag, &claims))) {
            printf("      %s\n", payloads[i]);
        }
    }
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_IDTOKEN_MISSING, idtoken_verify(SPAN_EMPTY, &now, arena, &diag, &claims));
    now.issuers_n = 0;
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_IDTOKEN_ISSUER,
              idtoken_verify(jwt_make(HEADER, good, JWT_RSA, arena), &now, arena, &diag, &claims));
    now = rules();
    now.community = SPAN_EMPTY;
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_IDTOKEN_AUDIENCE,
              idtoken_verify(jwt_make(HEADER, good, JWT_RSA, arena), &now, arena, &diag, &claims));
}

/* ---- comparison ---- */

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
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &name.given, part));
    }
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &query->names, name));
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
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &address.street, part));
    }
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &query->addresses, address));
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
    const struct status st = idtoken_compare(claims, query, arena, &diag);

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
    char *const payload = edit(path, value);
    struct diag diag;

    CHECK_OK(&diag, verify_payload(HEADER, payload, JWT_RSA, &diag, claims));
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
    char *payload = edit("middle_name", "\"Marie\"");
    struct diag diag;

    json_auto_t *root = json_loads(payload, 0, NULL);

    free(payload);
    json_object_set_new(root, "given_name", json_string("Isabella Anne"));
    payload = json_dumps(root, 0);
    CHECK_OK(&diag, verify_payload(HEADER, payload, JWT_RSA, &diag, &claims));
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

/* ---- memory ---- */

static struct span torture_token;

static struct status
verify_all(struct diag *diag)
{
    const struct idtoken_rules now = rules();
    struct arena *const own = arena_new(ARENA_LIMIT_DEFAULT);
    struct idtoken_claims claims;

    if (own == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no arena");
    }
    struct status st = idtoken_verify(torture_token, &now, own, diag, &claims);

    if (is_ok(st)) {
        st = idtoken_compare(&claims, &claims.patient, own, diag);
    }
    arena_free(own);
    return st;
}

static void
test_torture(void)
{
    torture_token = jwt_make(HEADER, good, JWT_RSA, arena);
    unit_torture(verify_all);
}

static void
test_begin(void)
{
    struct diag diag = {0};
    const struct span rsa = jwt_jwk(JWT_RSA, "r", "", arena);
    const struct span ec = jwt_jwk(JWT_EC, "e", "", arena);
    const struct span rsa_other = jwt_jwk(JWT_RSA_OTHER, "r", "", arena);
    const struct span only_other = jwt_jwk(JWT_RSA_OTHER, "o", "", arena);

    CHECK_OK(&diag, jwks_read(jwt_set(rsa, ec, arena), &diag, &keys));
    CHECK_OK(&diag, jwks_read(jwt_set(only_other, rsa_other, arena), &diag, &other));
    CU_ASSERT_FATAL(keys != NULL && other != NULL);
    issuers[0] = (struct jwks_issuer){"https://idp.example", keys};
    issuers[1] = (struct jwks_issuer){"https://other.example", other};
}

static const struct unit_test tests[] = {
    {"keys are made", test_begin},
    {"claims refused", test_claims_refused},
    {"neither email nor telephone", test_no_way_to_reach},
    {"keys and issuers", test_keys},
    {"payloads refused", test_payloads_refused},
    {"contradictions", test_contradictions},
    {"several names and addresses", test_several},
    {"further given names", test_further_names},
    {"claims accepted", test_claims_accepted},
    {"what a token says", test_facts},
    {"agreements", test_agreements},
    {"every allocation fails once", test_torture},
};

int
main(void)
{
    jwt_init();
    arena = arena_new((size_t)256 * 1024 * 1024);
    const int rc = unit_main("idtoken", tests, ARRAY_LEN(tests));

    jwks_free(keys);
    jwks_free(other);
    arena_free(arena);
    jwt_done();
    return rc;
}
