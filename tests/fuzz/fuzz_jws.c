/*
 * Signed tokens. Without one of the issuer's keys nothing may be accepted; a genuine token that was
 * changed is refused or says what it said; and what a signed payload says is what is read.
 *
 * Input: one byte that chooses, then: a token; changes of a genuine token (three bytes each: where,
 * what); a payload that is signed here; a header that is signed here; a JWK Set.
 */
#include <string.h>

#include <jansson.h>

#include "fuzz/fuzz.h"
#include "soap/jws.h"
#include "unit/idtoken_kit.h"

enum choice { FOREIGN, CHANGED, PAYLOAD, HEADER, KEYS, CHOICES };

static struct span genuine;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    token_begin();
    genuine = jwt_make("{\"alg\":\"ES256\",\"kid\":\"e\"}", token_good, JWT_EC, token_arena);
    return 0;
}

/* A copy with a NUL, as the kit takes texts; what stands behind a NUL is cut. */
static const char *
text_of(struct span input, struct arena *arena)
{
    struct diag diag = {0};
    struct span copy = SPAN_EMPTY;
    FUZZ_MUST(is_ok(arena_dup(arena, input, &diag, &copy)), "%s", diag.text);
    return copy.p == NULL ? "" : copy.p;
}

static bool
verify(struct span token, struct arena *arena, struct idtoken_claims *ret_claims)
{
    const struct idtoken_rules rules = token_rules();
    struct diag diag = {0};
    const struct status st = idtoken_verify(token, &rules, arena, &diag, ret_claims);
    fuzz_check_refusal(st, &diag);
    return is_ok(st);
}

static void
check_changed(struct span changes, struct arena *arena)
{
    struct diag diag = {0};
    struct span token = SPAN_EMPTY;
    struct idtoken_claims claims;
    FUZZ_MUST(is_ok(arena_dup(arena, genuine, &diag, &token)), "%s", diag.text);
    while (changes.n >= 3) {
        const size_t at = fuzz_take_u16(&changes) % token.n;
        ((char *)token.p)[at] = (char)fuzz_take_u8(&changes);
    }
    const bool is_same = span_eq(token, genuine);
    FUZZ_MUST(verify(token, arena, &claims) == is_same,
              "changed and accepted, or refused as it is");
}

/* The JSON library of the product, but with our own way to the members. */
static void
check_payload(const char *payload, struct arena *arena)
{
    struct idtoken_claims claims;
    const struct span token = jwt_make("{\"alg\":\"ES256\",\"kid\":\"e\"}", payload, JWT_EC, arena);
    if (!verify(token, arena, &claims)) {
        FUZZ_MUST(strcmp(payload, token_good) != 0, "the genuine payload is refused");
        return;
    }
    json_auto_t *root = json_loads(payload, 0, NULL);
    FUZZ_MUST(root != NULL && claims.patient.names.n == 1, "no JSON, or no name");
    const struct {
        const char *name;
        struct span value;
    } rows[] = {
        {"iss", claims.issuer},
        {"jti", claims.token_id},
        {"family_name", claims.patient.names.items[0].family},
        {"given_name", claims.patient.names.items[0].given.items[0]},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *const text = json_string_value(json_object_get(root, rows[i].name));
        FUZZ_MUST(text != NULL && rows[i].value.n > 0, "%s is not there", rows[i].name);
        FUZZ_MUST(span_find(span_of_cstr(text), rows[i].value) != SPAN_MISSING,
                  "%s was read as '%.*s'", rows[i].name, SPAN_PRINT(rows[i].value));
    }
    FUZZ_MUST(claims.patient.birth_time.n == 8 && claims.expires_us > claims.issued_us,
              "no birth date, or over before it began");
}

static void
check_header(const char *header, struct arena *arena)
{
    const struct span token = jwt_make(header, token_good, JWT_EC, arena);
    struct idtoken_claims claims;
    if (verify(token, arena, &claims)) {
        json_auto_t *root = json_loads(header, 0, NULL);
        const char *const name = json_string_value(json_object_get(root, "alg"));
        FUZZ_MUST(name != NULL && strcmp(name, "ES256") == 0, "accepted as %s",
                  name == NULL ? "nothing" : name);
        FUZZ_MUST(json_object_get(root, "jwk") == NULL && json_object_get(root, "jku") == NULL &&
                      json_object_get(root, "crit") == NULL,
                  "a header that brings its own rules");
    }
}

static void
check_keys(struct span json)
{
    struct diag diag = {0};
    struct jwks *keys = NULL;
    const struct status st = jwks_read(json, &diag, &keys);
    fuzz_check_refusal(st, &diag);
    if (is_ok(st)) {
        FUZZ_MUST(keys->n > 0 && keys->n <= JWKS_KEYS_MAX, "%zu keys", keys->n);
        for (size_t i = 0; i < keys->n; i++) {
            const struct span kid = span_of_cstr(keys->keys[i].kid);
            FUZZ_MUST(jwks_find(keys, keys->keys[i].algorithm, kid) == &keys->keys[i],
                      "key %zu is not found", i);
        }
        jwks_free(keys);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct span input = span_of((const char *)bytes, n);
    const enum choice choice = (enum choice)(fuzz_take_u8(&input) % CHOICES);
    struct arena *const arena = fuzz_arena();
    struct idtoken_claims claims;
    switch (choice) {
    case FOREIGN:
        FUZZ_MUST(!verify(input, arena, &claims), "accepted without a key");
        break;
    case CHANGED:
        check_changed(input, arena);
        break;
    case PAYLOAD:
        check_payload(text_of(input, arena), arena);
        break;
    case HEADER:
        check_header(text_of(input, arena), arena);
        break;
    default:
        check_keys(input);
        break;
    }
    arena_free(arena);
    return 0;
}
