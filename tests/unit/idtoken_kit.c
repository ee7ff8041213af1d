/*
 * Makes the tokens and issuers of idtoken_kit.h.
 */
#include "tests/unit/idtoken_kit.h"

#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "tests/unit/unit.h"

const char token_good[] =
    "{\"iss\":\"https://idp.example\",\"aud\":\"urn:oid:2.999.7\",\"iat\":1799999900,"
    "\"exp\":1800000500,\"jti\":\"t-1\",\"sub\":\"s\",\"given_name\":\"Isabella\","
    "\"family_name\":\"Jones\",\"birthdate\":\"1947-05-01\",\"gender\":\"female\","
    "\"address\":{\"street_address\":\"1357 Amber Dr.\\nApt 4\",\"locality\":\"Beaverton\","
    "\"regionality\":\"OR\",\"postal_code\":\"97006\",\"country\":\"US\"},"
    "\"email\":\"i@mail.example\",\"phone_number\":\"+15555550100\",\"unknown\":{\"a\":[1]}}";

struct arena *token_arena;
static struct jwks *keys, *other;
static struct jwks_issuer issuers[2];

void
token_begin(void)
{
    struct diag diag = {0};

    jwt_init();
    token_arena = arena_new((size_t)256 * 1024 * 1024);
    const struct span rsa = jwt_jwk(JWT_RSA, "r", "", token_arena);
    const struct span ec = jwt_jwk(JWT_EC, "e", "", token_arena);
    const struct span rsa_other = jwt_jwk(JWT_RSA_OTHER, "r", "", token_arena);
    const struct span only_other = jwt_jwk(JWT_RSA_OTHER, "o", "", token_arena);

    CHECK_OK(&diag, jwks_read(jwt_set(rsa, ec, token_arena), &diag, &keys));
    CHECK_OK(&diag, jwks_read(jwt_set(only_other, rsa_other, token_arena), &diag, &other));
    CU_ASSERT_FATAL(keys != NULL && other != NULL);
    issuers[0] = (struct jwks_issuer){"https://idp.example", keys};
    issuers[1] = (struct jwks_issuer){"https://other.example", other};
}

void
token_end(void)
{
    jwks_free(keys);
    jwks_free(other);
    arena_free(token_arena);
    jwt_done();
}

struct idtoken_rules
token_rules(void)
{
    return (struct idtoken_rules){
        .issuers = issuers,
        .issuers_n = ARRAY_LEN(issuers),
        .community = SPAN("2.999.7"),
        .now_us = TOKEN_NOW_US,
        .clock_skew_us = INT64_C(60) * 1000000,
        .max_age_us = INT64_C(3600) * 1000000,
    };
}

char *
token_edit(const char *path, const char *value)
{
    json_auto_t *root = json_loads(token_good, 0, NULL);
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

struct status
token_verify(const char *header, const char *payload, enum jwt_who who, struct diag *diag,
             struct idtoken_claims *ret_claims)
{
    const struct idtoken_rules now = token_rules();

    diag_clear(diag);
    return idtoken_verify(jwt_make(header, payload, who, token_arena), &now, token_arena, diag,
                          ret_claims);
}

const char *
token_for_red(int64_t now_us, const char *path, const char *value)
{
    const int64_t now_s = now_us / US_PER_S;
    char *const text = token_edit(path, value);
    struct diag diag = {0};
    struct span now = SPAN_EMPTY;
    static const char times[] = "\"iat\":1799999900,\"exp\":1800000500";
    static const char audience[] = "urn:oid:2.999.7";
    const char *const at_times = strstr(text, times);
    const char *const at_audience = strstr(text, audience);

    CU_ASSERT_FATAL(at_audience != NULL || strcmp(path, "aud") == 0);
    CU_ASSERT_FATAL(at_times != NULL && (at_audience == NULL || at_audience < at_times));
    const char *const before = at_audience == NULL ? at_times : at_audience;
    const char *const after = at_audience == NULL ? at_times : at_audience + strlen(audience);

    CHECK_OK(&diag,
             arena_printf(token_arena, &diag, &now, "%.*s%s%.*s\"iat\":%lld,\"exp\":%lld%s",
                          (int)(before - text), text, at_audience == NULL ? "" : "urn:oid:2.999.1",
                          (int)(at_times - after), after, (long long)now_s - 10,
                          (long long)now_s + 300, at_times + strlen(times)));
    free(text);
    return now.p;
}
