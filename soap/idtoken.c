/*
 * Verifies id_tokens and reads their claims. Called by the Responding Gateway (txn/idtoken_step.c)
 * on workers; owns nothing, copies what it gives out into the arena. A payload is read only after
 * its signature was verified, so the issuer is found by trying the keys that the header names, and
 * iss must then be the name of that issuer.
 */
#include "soap/idtoken.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/datetime.h"
#include "base/ids.h"
#include "base/text.h"
#include "certs/strict_json.h"
#include "soap/jws.h"

#define LAST_SECOND INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

struct reader {
    const json_t *json;
    const char *within; /* "" or "address." */
    struct arena *arena;
    struct diag *diag;
};

/* ---- single claims ---- */

/* Empty when absent. */
static struct status
read_text(const struct reader *reader, const char *name, struct span *ret_text)
{
    struct span text = SPAN_EMPTY;

    if (!strict_json_text(reader->json, name, IDTOKEN_TEXT_MAX, &text)) {
        return FAIL(reader->diag, ERR_IDTOKEN_CLAIM,
                    "the id_token's claim '%s%s' must be text of 1 to %d bytes", reader->within,
                    name, IDTOKEN_TEXT_MAX);
    }
    return arena_dup(reader->arena, text, reader->diag, ret_text);
}

static struct status
missing(const struct reader *reader, const char *name)
{
    return FAIL(reader->diag, ERR_IDTOKEN_CLAIM, "the id_token lacks the claim '%s%s'",
                reader->within, name);
}

static struct status
need_text(const struct reader *reader, const char *name, struct span *ret_text)
{
    TRY(read_text(reader, name, ret_text));
    return ret_text->n > 0 ? OK : missing(reader, name);
}

/* A text that is compared: one without a letter or digit would equal every other such text. */
static struct status
need_folding_text(const struct reader *reader, const char *name, struct span *ret_text)
{
    struct span folded;

    TRY(need_text(reader, name, ret_text));
    TRY(text_fold(reader->arena, *ret_text, reader->diag, &folded));
    return folded.n > 0
               ? OK
               : FAIL(reader->diag, ERR_IDTOKEN_CLAIM,
                      "the id_token's claim '%s%s' has no letter or digit", reader->within, name);
}

/* NumericDate (RFC 7519 section 2): seconds, perhaps with a fraction, which is dropped. */
static struct status
read_time(const struct reader *reader, const char *name, bool *ret_is_there, int64_t *ret_us)
{
    const json_t *const value = json_object_get(reader->json, name);
    const double seconds = json_number_value(value);

    *ret_is_there = value != NULL;
    if (value == NULL) {
        return OK;
    }
    if (!json_is_number(value) || !(seconds >= 0 && seconds <= (double)LAST_SECOND)) {
        return FAIL(reader->diag, ERR_IDTOKEN_CLAIM,
                    "the id_token's claim '%s' must be a number of seconds since 1970", name);
    }
    *ret_us = (int64_t)seconds * US_PER_S;
    return OK;
}

static struct status
need_time(const struct reader *reader, const char *name, int64_t *ret_us)
{
    bool is_there = false;

    TRY(read_time(reader, name, &is_there, ret_us));
    return is_there ? OK : missing(reader, name);
}

/* ---- times and audience ---- */

static struct status
check_times(const struct reader *reader, const struct idtoken_rules *rules,
            struct idtoken_claims *claims)
{
    int64_t not_before_us = 0;
    bool has_not_before = false;

    TRY(need_time(reader, "exp", &claims->expires_us));
    TRY(need_time(reader, "iat", &claims->issued_us));
    TRY(read_time(reader, "nbf", &has_not_before, &not_before_us));
    if (claims->expires_us <= claims->issued_us) {
        return FAIL(reader->diag, ERR_IDTOKEN_CLAIM, "the id_token ends before it was issued");
    }
    if (rules->now_us >= claims->expires_us + rules->clock_skew_us) {
        return FAIL(reader->diag, ERR_IDTOKEN_TIME, "the id_token has expired %lld s ago",
                    (long long)((rules->now_us - claims->expires_us) / US_PER_S));
    }
    if (claims->issued_us > rules->now_us + rules->clock_skew_us) {
        return FAIL(reader->diag, ERR_IDTOKEN_TIME, "the id_token was issued %lld s in the future",
                    (long long)((claims->issued_us - rules->now_us) / US_PER_S));
    }
    if (has_not_before && not_before_us > rules->now_us + rules->clock_skew_us) {
        return FAIL(reader->diag, ERR_IDTOKEN_TIME, "the id_token is not valid yet (nbf)");
    }
    if (rules->now_us - claims->issued_us > rules->max_age_us + rules->clock_skew_us) {
        return FAIL(reader->diag, ERR_IDTOKEN_TIME,
                    "the id_token was issued %lld s ago; security.id_token_max_age allows %lld s",
                    (long long)((rules->now_us - claims->issued_us) / US_PER_S),
                    (long long)(rules->max_age_us / US_PER_S));
    }
    return OK;
}

/* Is it urn:oid:<community>, letter by letter? */
static bool
is_audience(const json_t *value, struct span community)
{
    const struct span text = json_is_string(value)
                                 ? span_of(json_string_value(value), json_string_length(value))
                                 : SPAN_EMPTY;
    const struct span prefix = SPAN("urn:oid:");

    return span_starts_with(text, prefix) && community.n > 0 &&
           span_eq(span_slice(text, prefix.n, text.n), community);
}

/* RFC 7519 4.1.3: one text or a list of them. */
static struct status
check_audience(const struct reader *reader, const struct idtoken_rules *rules)
{
    const json_t *const value = json_object_get(reader->json, "aud");
    const size_t n = json_is_array(value) ? json_array_size(value) : 1;
    bool is_named = false;

    if (value == NULL) {
        return missing(reader, "aud");
    }
    if (n > IDTOKEN_AUDIENCES_MAX) {
        return FAIL(reader->diag, ERR_IDTOKEN_CLAIM, "the id_token has %zu audiences; at most %d",
                    n, IDTOKEN_AUDIENCES_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *const item = json_is_array(value) ? json_array_get(value, i) : value;

        if (!json_is_string(item)) {
            return FAIL(reader->diag, ERR_IDTOKEN_CLAIM,
                        "the id_token's claim 'aud' must be text or a list of texts");
        }
        is_named |= is_audience(item, rules->community);
    }
    return is_named ? OK
                    : FAIL(reader->diag, ERR_IDTOKEN_AUDIENCE,
                           "the id_token is not for the community that asks, urn:oid:%.*s",
                           SPAN_PRINT(rules->community));
}

/* ---- the individual ---- */

static struct status
read_name(const struct reader *reader, struct patient *patient)
{
    struct person_name name = {.family = SPAN_EMPTY};
    struct span given;
    struct span middle;

    TRY(need_folding_text(reader, "family_name", &name.family));
    TRY(need_folding_text(reader, "given_name", &given));
    TRY(read_text(reader, "middle_name", &middle));
    TRY(ARENA_PUSH(reader->arena, reader->diag, &name.given, given));
    if (middle.n > 0) {
        TRY(ARENA_PUSH(reader->arena, reader->diag, &name.given, middle));
    }
    return ARENA_PUSH(reader->arena, reader->diag, &patient->names, name);
}

/* YYYY-MM-DD and a day of the calendar; OpenID Connect would also allow a year alone, or 0000. */
static struct status
read_birth_date(const struct reader *reader, struct patient *patient)
{
    struct span text;
    struct span digits = SPAN_EMPTY;
    int64_t ignored_us = 0;
    int digits_n = 0;

    TRY(need_text(reader, "birthdate", &text));
    if (text.n == 10 && text.p[4] == '-' && text.p[7] == '-') {
        TRY(arena_printf(reader->arena, reader->diag, &digits, "%.4s%.2s%.2s", text.p, text.p + 5,
                         text.p + 8));
    }
    if (digits.n != 8 || !datetime_read_hl7(digits, &ignored_us, &digits_n) || digits_n != 8) {
        return FAIL(reader->diag, ERR_IDTOKEN_CLAIM,
                    "the id_token's claim 'birthdate' must be a full date, YYYY-MM-DD");
    }
    patient->birth_time = digits;
    return OK;
}

/* OpenID Connect Core 5.1: female, male or what else an issuer defines, which decides nothing. */
static struct status
read_sex(const struct reader *reader, struct patient *patient)
{
    struct span text;

    TRY(read_text(reader, "gender", &text));
    if (span_eq_nocase(text, SPAN("female")) || span_eq_nocase(text, SPAN("f"))) {
        patient->sex = SPAN("F");
    } else if (span_eq_nocase(text, SPAN("male")) || span_eq_nocase(text, SPAN("m"))) {
        patient->sex = SPAN("M");
    }
    return OK;
}

/* The SOP says regionality, OpenID Connect region: both may be there when they agree. */
static struct status
read_state(const struct reader *reader, struct span *ret_state)
{
    struct span region;

    TRY(read_text(reader, "regionality", ret_state));
    TRY(read_text(reader, "region", &region));
    if (ret_state->n == 0) {
        *ret_state = region;
    }
    if (region.n > 0 && !span_eq(region, *ret_state)) {
        return FAIL(reader->diag, ERR_IDTOKEN_CLAIM,
                    "the id_token's claims '%sregionality' and '%sregion' differ", reader->within,
                    reader->within);
    }
    return ret_state->n > 0 ? OK : missing(reader, "regionality");
}

static struct status
add_address(const struct reader *outer, const json_t *json, const char *within,
            struct patient *patient)
{
    const struct reader reader = {json, within, outer->arena, outer->diag};
    struct address address = {.city = SPAN_EMPTY};
    struct span street;

    if (!json_is_object(json)) {
        return FAIL(outer->diag, ERR_IDTOKEN_CLAIM, "the id_token's claim '%.*s' must be an object",
                    SPAN_PRINT(span_slice(span_of_cstr(within), 0,
                                          span_find_char(span_of_cstr(within), '.'))));
    }
    TRY(need_folding_text(&reader, "street_address", &street));
    TRY(need_folding_text(&reader, "locality", &address.city));
    TRY(read_state(&reader, &address.state));
    TRY(need_folding_text(&reader, "postal_code", &address.postal_code));
    TRY(read_text(&reader, "country", &address.country));
    TRY(ARENA_PUSH(outer->arena, outer->diag, &address.street, street));
    return ARENA_PUSH(outer->arena, outer->diag, &patient->addresses, address);
}

/* One object or a list of them. */
static struct status
read_addresses(const struct reader *reader, struct patient *patient)
{
    const json_t *const current = json_object_get(reader->json, "address");
    const json_t *const before = json_object_get(reader->json, "historical_address");
    const size_t n = json_is_array(before) ? json_array_size(before) : before == NULL ? 0 : 1;

    if (current == NULL) {
        return missing(reader, "address");
    }
    if (n >= IDTOKEN_ADDRESSES_MAX) {
        return FAIL(reader->diag, ERR_IDTOKEN_CLAIM, "the id_token has %zu addresses; at most %d",
                    n + 1, IDTOKEN_ADDRESSES_MAX);
    }
    TRY(add_address(reader, current, "address.", patient));
    for (size_t i = 0; i < n; i++) {
        const json_t *const item = json_is_array(before) ? json_array_get(before, i) : before;

        TRY(add_address(reader, item, "historical_address.", patient));
    }
    return OK;
}

static struct status
add_telecom(const struct reader *reader, const char *name, const char *scheme,
            struct patient *patient)
{
    struct telecom telecom = {.value = SPAN_EMPTY};
    struct span text;

    TRY(read_text(reader, name, &text));
    if (text.n == 0) {
        return OK;
    }
    TRY(arena_printf(reader->arena, reader->diag, &telecom.value, "%s:%.*s", scheme,
                     SPAN_PRINT(text)));
    return ARENA_PUSH(reader->arena, reader->diag, &patient->telecoms, telecom);
}

static struct status
read_patient(const struct reader *reader, struct patient *patient)
{
    TRY(read_name(reader, patient));
    TRY(read_birth_date(reader, patient));
    TRY(read_sex(reader, patient));
    TRY(read_addresses(reader, patient));
    TRY(add_telecom(reader, "email", "mailto", patient));
    TRY(add_telecom(reader, "phone_number", "tel", patient));
    return patient->telecoms.n > 0 ? OK : missing(reader, "email' or 'phone_number");
}

/* ---- the issuer ---- */

/* How near a failure came: what the operator should read when every issuer was tried. */
static int
nearness(enum err code)
{
    return code == ERR_IDTOKEN_ISSUER ? 3 : code == ERR_JWS_INVALID ? 2 : 1;
}

/* The verified payload, when this issuer signed it and is named in it. */
static struct status
try_issuer(const struct jws *jws, const struct jwks_issuer *issuer, struct arena *arena,
           struct diag *diag, json_t **ret_payload)
{
    json_auto_t *payload = NULL;
    struct span text = SPAN_EMPTY;
    struct span bytes;

    TRY(jws_verify(jws, issuer->keys, arena, diag, &bytes));
    TRY(strict_json_read(bytes, "the id_token", ERR_JWS_STRUCTURE, diag, &payload));
    if (!strict_json_text(payload, "iss", IDTOKEN_TEXT_MAX, &text) || text.n == 0) {
        return FAIL(diag, ERR_IDTOKEN_CLAIM, "the id_token lacks the claim 'iss'");
    }
    if (!span_eq_cstr(text, issuer->issuer)) {
        return FAIL(diag, ERR_IDTOKEN_ISSUER, "a key of '%s' signed an id_token of '%.*s'",
                    issuer->issuer, SPAN_PRINT(span_slice(text, 0, 100)));
    }
    *ret_payload = json_incref(payload);
    return OK;
}

static struct status
find_issuer(const struct jws *jws, const struct idtoken_rules *rules, struct arena *arena,
            struct diag *diag, json_t **ret_payload)
{
    struct diag nearest = {.code = ERR_NONE};

    if (rules->issuers_n == 0) {
        return FAIL(diag, ERR_IDTOKEN_ISSUER, "no issuer of id_tokens is configured (id_tokens)");
    }
    for (size_t i = 0; i < rules->issuers_n; i++) {
        struct diag why = {.code = ERR_NONE};
        const struct status st = try_issuer(jws, &rules->issuers[i], arena, &why, ret_payload);

        if (is_ok(st)) {
            return OK;
        }
        if (st.code != ERR_JWS_KEY && st.code != ERR_JWS_INVALID && st.code != ERR_IDTOKEN_ISSUER) {
            return FAIL(diag, st.code, "%s", why.text);
        }
        if (nearest.code == ERR_NONE || nearness(st.code) > nearness(nearest.code)) {
            nearest = why;
        }
    }
    return FAIL(diag, nearest.code, "%s", nearest.text);
}

/* Other tokens that the same keys sign (access tokens: at+jwt) must not pass for an id_token:
 * RFC 8725 3.11. */
static struct status
check_type(const struct jws *jws, struct diag *diag)
{
    return jws->type.n == 0 || span_eq_nocase(jws->type, SPAN("JWT"))
               ? OK
               : FAIL(diag, ERR_JWS_STRUCTURE,
                      "the token's typ is '%.*s'; an id_token has JWT or none",
                      SPAN_PRINT(span_slice(jws->type, 0, 40)));
}

struct status
idtoken_verify(struct span text, const struct idtoken_rules *rules, struct arena *arena,
               struct diag *diag, struct idtoken_claims *ret_claims)
{
    struct idtoken_claims claims = {.issuer = SPAN_EMPTY};
    json_auto_t *payload = NULL;
    struct jws jws;

    if (text.n == 0) {
        return FAIL(diag, ERR_IDTOKEN_MISSING,
                    "a request for individual access needs an id_token, and this one has none");
    }
    TRY(jws_read(text, arena, diag, &jws));
    TRY(check_type(&jws, diag));
    TRY(find_issuer(&jws, rules, arena, diag, &payload));
    const struct reader reader = {payload, "", arena, diag};

    TRY(need_text(&reader, "iss", &claims.issuer));
    TRY(check_audience(&reader, rules));
    TRY(check_times(&reader, rules, &claims));
    TRY(need_text(&reader, "jti", &claims.token_id));
    TRY(read_patient(&reader, &claims.patient));
    *ret_claims = claims;
    return OK;
}
