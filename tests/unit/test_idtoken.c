/*
 * id_tokens: each claim removed, wrong and right; issuers and keys mixed up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tests/unit/idtoken_kit.h"
#include "tests/unit/unit.h"

#define NOW_S (TOKEN_NOW_US / US)
#define US    INT64_C(1000000)

/* ---- claims ---- */

struct claim_row {
    const char *path, *value;
    enum err want;
};

static void
check_rows(const struct claim_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *const payload = token_edit(rows[i].path, rows[i].value);
        struct idtoken_claims claims = {.issuer = SPAN("untouched")};
        struct diag diag;

        if (!CHECK_ERR(&diag, rows[i].want,
                       token_verify(TOKEN_HEADER, payload, JWT_RSA, &diag, &claims))) {
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
        {"aud", "\"urn:oix:2.999.7\"", ERR_IDTOKEN_AUDIENCE},
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
    json_auto_t *root = json_loads(token_good, 0, NULL);
    struct idtoken_claims claims;
    struct diag diag;

    json_object_del(root, "email");
    json_object_del(root, "phone_number");
    char *const payload = json_dumps(root, 0);

    CHECK_ERR(&diag, ERR_IDTOKEN_CLAIM,
              token_verify(TOKEN_HEADER, payload, JWT_RSA, &diag, &claims));
    free(payload);
}

static void
test_facts(void)
{
    char *const payload =
        token_edit("historical_address", "[{\"street_address\":\"2 Old Rd\",\"locality\":\"Salem\","
                                         "\"region\":\"OR\",\"postal_code\":\"97301\"}]");
    struct idtoken_claims claims;
    struct diag diag;

    CHECK_OK(&diag, token_verify(TOKEN_HEADER, payload, JWT_RSA, &diag, &claims));
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
        {TOKEN_HEADER, JWT_RSA, "\"https://idp.example\"", ERR_NONE},
        {"{\"alg\":\"ES256\",\"kid\":\"e\"}", JWT_EC, "\"https://idp.example\"", ERR_NONE},
        {"{\"alg\":\"RS256\",\"kid\":\"o\",\"typ\":\"jwt\"}", JWT_RSA_OTHER,
         "\"https://other.example\"", ERR_NONE},
        /* both issuers have a key "r": each may sign for itself only */
        {TOKEN_HEADER, JWT_RSA_OTHER, "\"https://other.example\"", ERR_NONE},
        {TOKEN_HEADER, JWT_RSA_OTHER, "\"https://idp.example\"", ERR_IDTOKEN_ISSUER},
        {TOKEN_HEADER, JWT_RSA, "\"https://other.example\"", ERR_IDTOKEN_ISSUER},
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
        char *const payload = token_edit("iss", rows[i].issuer);
        struct idtoken_claims claims;
        struct diag diag;

        if (!CHECK_ERR(&diag, rows[i].want,
                       token_verify(rows[i].header, payload, rows[i].who, &diag, &claims))) {
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
    struct idtoken_rules now = token_rules();
    struct idtoken_claims claims;
    struct diag diag;

    for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
        if (!CHECK_ERR(&diag, ERR_JWS_STRUCTURE,
                       token_verify(TOKEN_HEADER, payloads[i], JWT_RSA, &diag, &claims))) {
            printf("      %s\n", payloads[i]);
        }
    }
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_IDTOKEN_MISSING,
              idtoken_verify(SPAN_EMPTY, &now, token_arena, &diag, &claims));
    now.issuers_n = 0;
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_IDTOKEN_ISSUER,
              idtoken_verify(jwt_make(TOKEN_HEADER, token_good, JWT_RSA, token_arena), &now,
                             token_arena, &diag, &claims));
    now = token_rules();
    now.community = SPAN_EMPTY;
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_IDTOKEN_AUDIENCE,
              idtoken_verify(jwt_make(TOKEN_HEADER, token_good, JWT_RSA, token_arena), &now,
                             token_arena, &diag, &claims));
}

/* ---- memory ---- */

static struct span torture_token;

static struct status
verify_all(struct diag *diag)
{
    const struct idtoken_rules now = token_rules();
    struct arena *const own = arena_new(ARENA_LIMIT_DEFAULT);
    struct idtoken_claims claims;

    if (own == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no token_arena");
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
    torture_token = jwt_make(TOKEN_HEADER, token_good, JWT_RSA, token_arena);
    unit_torture(verify_all);
}

static const struct unit_test tests[] = {
    {"keys are made", token_begin},
    {"claims refused", test_claims_refused},
    {"neither email nor telephone", test_no_way_to_reach},
    {"keys and issuers", test_keys},
    {"payloads refused", test_payloads_refused},
    {"claims accepted", test_claims_accepted},
    {"what a token says", test_facts},
    {"every allocation fails once", test_torture},
};

int
main(void)
{
    const int rc = unit_main("idtoken", tests, ARRAY_LEN(tests));

    token_end();
    return rc;
}
