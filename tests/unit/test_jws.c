/*
 * JWK Sets and compact JWS: what must be refused and by which name, then the published vectors of
 * RFC 7515 appendix A.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "soap/jws.h"
#include "tests/unit/jwt_kit.h"
#include "tests/unit/unit.h"

static struct arena *arena;
static struct jwks *keys; /* "r" RSA, "e" EC */

#define PAYLOAD "{\"iss\":\"https://idp.example\"}"

/* ---- JWK Sets ---- */

#define RFC_N                                                                                      \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4" \
    "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re" \
    "xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX" \
    "FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RFC_X     "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define RFC_Y     "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define RSA(more) "{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"AQAB\"" more "}"
#define EC(more)                                                                                   \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC_X "\",\"y\":\"" RFC_Y "\"" more "}"
#define SET(content) "{\"keys\":[" content "]}"
#define N_1024                                                                                     \
    "xn4ui6XvgFbgRaq_G9kyO_Tv0VEPHRiQtn1kXOrWZjE5CYuLrbPLUl8SZ0ZpLkJaOrSv9BgOz65KQP_8pxhwDS2nDQaA" \
    "irdpBwOxeueYLqmWauLmHHqY208WKoG86fGjmpApqMgaoL3cIfa92vC0x-SJx2ycQFaJMlsQN5dUBBM"

static void
test_sets_refused(void)
{
    static const struct {
        const char *json, *why; /* part of the text */
    } rows[] = {
        {"", "malformed"},
        {"[]", "expected a JSON object"},
        {"{}", "expected {\"keys\": [...]}"},
        {"{\"keys\":{}}", "expected {\"keys\": [...]}"},
        {SET(""), "none of 0 keys"},
        {SET("1"), "key 1: expected a JSON object"},
        {SET("{}"), "key 1: 'kty' is missing"},
        {SET("{\"kty\":1}"), "key 1: 'kty' must be text"},
        {SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}"), "none of 1 keys"},
        {SET("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}"), "none of 1 keys"},
        {SET("{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}"), "'k' is a part of a private or symmetric"},
        {SET(RSA(",\"d\":\"AA\"")), "'d' is a part of a private or symmetric key"},
        {SET(RSA(",\"use\":\"enc\"")), "none of 1 keys"},
        {SET(RSA(",\"alg\":\"RS512\"")), "none of 1 keys"},
        {SET(RSA(",\"alg\":\"HS256\"")), "none of 1 keys"},
        {SET(RSA(",\"alg\":\"ES256\"")), "none of 1 keys"},
        {SET(EC(",\"alg\":\"RS256\"")), "none of 1 keys"},
        {SET(RSA(",\"key_ops\":[\"encrypt\"]")), "none of 1 keys"},
        {SET(RSA(",\"kid\":\"\"")), "key 1: 'kid' must be text"},
        {SET(RSA(",\"kid\":7")), "key 1: 'kid' must be text"},
        {SET(RSA(",\"n\":\"AQ\"")), "a JSON name is there twice"},
        {SET(RSA(",\"kid\":\"a\\u0000b\"")), "malformed"},
        {SET(RSA("")) "x", "malformed"},
        {SET("{\"kty\":\"RSA\",\"n\":\"" RFC_N "\"}"), "key 1: 'e' must be base64url"},
        {SET("{\"kty\":\"RSA\",\"n\":\"" RFC_N "==\",\"e\":\"AQAB\"}"), "'n' must be base64url"},
        {SET("{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"AQ\"}"), "not an RSA key"},
        {SET("{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"Ag\"}"), "not an RSA key"},
        {SET("{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"AAEAAQ\"}"), "not an RSA key"},
        {SET("{\"kty\":\"RSA\",\"n\":\"AAAA" RFC_N "\",\"e\":\"AQAB\"}"), "not an RSA key"},
        {SET("{\"kty\":\"RSA\",\"n\":\"" N_1024 "\",\"e\":\"AQAB\"}"),
         "key 1: RSA key of 1024 bits"},
        {SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC_X "\",\"y\":\"" RFC_X "\"}"),
         "not a valid EC key"},
        {SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"" RFC_Y "\"}"),
         "'x' and 'y' must have 32 bytes"},
        {SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC_X "\",\"y\":\"AQ\"}"),
         "'x' and 'y' must have 32 bytes"},
        {SET(RSA(",\"kid\":\"a\"") "," EC("")), "needs a 'kid' for each"},
        {SET(RSA(",\"kid\":\"a\"") "," EC(",\"kid\":\"a\"")), "the same 'kid'"},
        {"{\"keys\":[[[[[[[[1]]]]]]]]}", "JSON of depth 9"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag = {0};
        struct jwks *set = NULL;

        CHECK_ERR(&diag, ERR_CREDENTIAL, jwks_read(span_of_cstr(rows[i].json), &diag, &set));
        if (set != NULL || strstr(diag.text, rows[i].why) == NULL) {
            printf("\n      %s\n      wanted '%s', got '%s'\n", rows[i].json, rows[i].why,
                   diag.text);
            CU_FAIL("another reason");
        }
        jwks_free(set);
    }
}

static void
test_sets(void)
{
    static const struct {
        const char *json;
        size_t n;
    } rows[] = {
        {SET(RSA("")), 1},
        {SET(RSA(",\"use\":\"sig\",\"alg\":\"RS256\",\"x5c\":[\"!\"],\"key_ops\":[\"verify\"]")),
         1},
        {SET(RSA(",\"kid\":\"a\"") "," EC(",\"kid\":\"b\"")), 2},
        {SET(RSA(",\"kid\":\"a\"") "," EC(",\"kid\":\"a\",\"use\":\"enc\"")), 1},
        {SET("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"}," EC("")), 1},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag = {0};
        struct jwks *set = NULL;

        if (CHECK_OK(&diag, jwks_read(span_of_cstr(rows[i].json), &diag, &set))) {
            CU_ASSERT(set->n == rows[i].n);
        }
        jwks_free(set);
    }
}

static void
test_find(void)
{
    CU_ASSERT_FATAL(keys != NULL);
    CU_ASSERT(jwks_find(keys, JWK_RS256, SPAN("r")) == &keys->keys[0]);
    CU_ASSERT(jwks_find(keys, JWK_ES256, SPAN("e")) == &keys->keys[1]);
    CU_ASSERT(jwks_find(keys, JWK_ES256, SPAN("r")) == NULL);
    CU_ASSERT(jwks_find(keys, JWK_RS256, SPAN("e")) == NULL);
    CU_ASSERT(jwks_find(keys, JWK_RS256, SPAN("R")) == NULL);
    CU_ASSERT(jwks_find(keys, JWK_RS256, SPAN("")) == NULL);
    CU_ASSERT(jwks_find(keys, JWK_RS256, SPAN("r ")) == NULL);
}

static void
test_file(void)
{
    struct diag diag = {0};
    struct jwks *set = NULL;
    char path[4200];

    (void)snprintf(path, sizeof(path), "%s/missing.json", unit_temp_dir());
    CHECK_ERR(&diag, ERR_IO, jwks_load(path, &diag, &set));
    diag_clear(&diag);
    (void)snprintf(path, sizeof(path), "%s/keys.json", unit_temp_dir());
    FILE *file = fopen(path, "w");

    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT(fputs("{", file) >= 0 && fclose(file) == 0);
    CHECK_ERR(&diag, ERR_CREDENTIAL, jwks_load(path, &diag, &set));
    CU_ASSERT(strstr(diag.text, path) == diag.text);
    diag_clear(&diag);
    file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT(fputs(SET(RSA("")), file) >= 0 && fclose(file) == 0);
    CHECK_OK(&diag, jwks_load(path, &diag, &set));
    jwks_free(set);
}

/* ---- tokens ---- */

static struct status
verify(struct span text, const struct jwks *set, struct diag *diag, struct span *ret_payload)
{
    struct jws jws;

    diag_clear(diag);
    TRY(jws_read(text, arena, diag, &jws));
    return jws_verify(&jws, set, arena, diag, ret_payload);
}

static void
check(const char *what, struct span text, enum err want)
{
    struct diag diag;
    struct span payload = SPAN("untouched");

    if (!CHECK_ERR(&diag, want, verify(text, keys, &diag, &payload))) {
        printf("      for %s\n", what);
    }
    if (want != ERR_NONE) {
        CHECK_SPAN(payload, "untouched");
    }
}

static void
test_headers_refused(void)
{
    static const struct {
        const char *header;
        enum err want;
    } rows[] = {
        {"{\"kid\":\"r\"}", ERR_JWS_ALGORITHM},
        {"{\"alg\":\"none\"}", ERR_JWS_ALGORITHM},
        {"{\"alg\":\"None\",\"kid\":\"r\"}", ERR_JWS_ALGORITHM},
        {"{\"alg\":\"HS256\",\"kid\":\"r\"}", ERR_JWS_ALGORITHM},
        {"{\"alg\":\"RS384\",\"kid\":\"r\"}", ERR_JWS_ALGORITHM},
        {"{\"alg\":\"RS512\",\"kid\":\"r\"}", ERR_JWS_ALGORITHM},
        {"{\"alg\":\"PS256\",\"kid\":\"r\"}", ERR_JWS_ALGORITHM},
        {"{\"alg\":\"rs256\",\"kid\":\"r\"}", ERR_JWS_ALGORITHM},
        {"{\"alg\":\"RS256 \",\"kid\":\"r\"}", ERR_JWS_ALGORITHM},
        {"{\"alg\":null,\"kid\":\"r\"}", ERR_JWS_ALGORITHM},
        {"{\"alg\":[\"RS256\"],\"kid\":\"r\"}", ERR_JWS_STRUCTURE},
        {"{\"alg\":\"ES256\",\"kid\":\"r\"}", ERR_JWS_KEY},
        {"{\"alg\":\"RS256\"}", ERR_JWS_KEY},
        {"{\"alg\":\"RS256\",\"kid\":\"unknown\"}", ERR_JWS_KEY},
        {"{\"alg\":\"RS256\",\"kid\":\"../../etc/passwd\"}", ERR_JWS_KEY},
        {"{\"alg\":\"RS256\",\"kid\":\"r\",\"jku\":\"https://evil.example\"}", ERR_JWS_KEY},
        {"{\"alg\":\"RS256\",\"kid\":\"r\",\"x5u\":\"https://evil.example\"}", ERR_JWS_KEY},
        {"{\"alg\":\"RS256\",\"kid\":\"r\",\"x5c\":[]}", ERR_JWS_KEY},
        {"{\"alg\":\"RS256\",\"kid\":\"r\",\"jwk\":{\"kty\":\"RSA\"}}", ERR_JWS_KEY},
        {"{\"alg\":\"RS256\",\"kid\":\"r\",\"jwk\":null}", ERR_JWS_KEY},
        {"{\"alg\":\"RS256\",\"kid\":\"r\",\"crit\":[\"exp\"]}", ERR_JWS_STRUCTURE},
        {"{\"alg\":\"RS256\",\"kid\":\"r\",\"b64\":false}", ERR_JWS_STRUCTURE},
        {"{\"alg\":\"RS256\",\"kid\":\"r\",\"alg\":\"none\"}", ERR_JWS_STRUCTURE},
        {"{\"alg\":\"RS256\",\"kid\":\"e\",\"kid\":\"r\"}", ERR_JWS_STRUCTURE},
        {"{\"alg\":\"RS256\",\"kid\":\"\"}", ERR_JWS_STRUCTURE},
        {"{\"alg\":\"RS256\",\"kid\":1}", ERR_JWS_STRUCTURE},
        {"{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":{}}", ERR_JWS_STRUCTURE},
        {"{\"alg\":\"RS256\",\"kid\":\"r\"}{}", ERR_JWS_STRUCTURE},
        {"{\"alg\":\"RS256\",\"kid\":\"r\",}", ERR_JWS_STRUCTURE},
        {"[\"alg\",\"RS256\"]", ERR_JWS_STRUCTURE},
        {"{\"alg\":\"RS256\",\"kid\":\"r\",\"a\":[[[[[[[[1]]]]]]]]}", ERR_JWS_STRUCTURE},
        {"{\"alg\":\"RS256\",\"kid\":\"\xC3\"}", ERR_JWS_STRUCTURE},
        {"", ERR_JWS_STRUCTURE},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check(rows[i].header, jwt_make(rows[i].header, PAYLOAD, JWT_RSA, arena), rows[i].want);
    }
}

#define RS "{\"alg\":\"RS256\",\"kid\":\"r\"}"
#define ES "{\"alg\":\"ES256\",\"kid\":\"e\"}"

/* Another key, another algorithm's key, no signature at all. */
static void
test_signatures_refused(void)
{
    const struct span pem = jwt_pem(JWT_RSA, arena);
    char zero[64] = "";
    char many[257] = "";

    memset(zero, 0, sizeof(zero));
    memset(many, 0x7f, sizeof(many));
    check("another RSA key", jwt_make(RS, PAYLOAD, JWT_RSA_OTHER, arena), ERR_JWS_INVALID);
    check("an EC signature for RS256", jwt_make(RS, PAYLOAD, JWT_EC, arena), ERR_JWS_INVALID);
    check("an RSA signature for ES256", jwt_make(ES, PAYLOAD, JWT_RSA, arena), ERR_JWS_INVALID);
    check("no signature", jwt_join(RS, PAYLOAD, SPAN_EMPTY, arena), ERR_JWS_STRUCTURE);
    check("none, no signature", jwt_join("{\"alg\":\"none\"}", PAYLOAD, SPAN_EMPTY, arena),
          ERR_JWS_ALGORITHM);
    check("HS256 with the public key",
          jwt_make_hmac("{\"alg\":\"HS256\",\"kid\":\"r\"}", PAYLOAD, pem, arena),
          ERR_JWS_ALGORITHM);
    check("HMAC bytes as RS256", jwt_make_hmac(RS, PAYLOAD, pem, arena), ERR_JWS_INVALID);
    check("a byte more", jwt_join(RS, PAYLOAD, span_of(many, 257), arena), ERR_JWS_INVALID);
    check("some bytes", jwt_join(RS, PAYLOAD, span_of(many, 256), arena), ERR_JWS_INVALID);
    check("r and s are 0", jwt_join(ES, PAYLOAD, span_of(zero, sizeof(zero)), arena),
          ERR_JWS_INVALID);
    memset(many, 0xff, sizeof(many));
    check("r and s too great", jwt_join(ES, PAYLOAD, span_of(many, 64), arena), ERR_JWS_INVALID);
    check("65 bytes", jwt_join(ES, PAYLOAD, span_of(many, 65), arena), ERR_JWS_INVALID);
    check("more than the modulus", jwt_join(RS, PAYLOAD, span_of(many, 256), arena),
          ERR_JWS_INVALID);
}

/* An RSA signature has the length of its key: said before any arithmetic. */
static void
test_length(void)
{
    static const size_t lengths[] = {1, 255, 257};
    char bytes[257];
    struct diag diag;
    struct span payload;

    memset(bytes, 1, sizeof(bytes));
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        const struct span text = jwt_join(RS, PAYLOAD, span_of(bytes, lengths[i]), arena);

        CHECK_ERR(&diag, ERR_JWS_INVALID, verify(text, keys, &diag, &payload));
        CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "the length of the key"));
    }
}

/* The order of the curve itself, 0 and all else on one side, with a good number on the other. */
static void
test_ranges(void)
{
    static const unsigned char order[32] = {
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
        0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    };

    for (size_t side = 0; side < 2; side++) {
        for (int kind = 0; kind < 3; kind++) {
            unsigned char bytes[64];
            struct diag diag;
            struct span payload;

            memset(bytes, 1, sizeof(bytes));
            memcpy(bytes + 32 * side, order, 32);
            bytes[32 * side + 31] = (unsigned char)(0x51 - kind / 2); /* order - 1 is in range */
            if (kind == 1) {
                memset(bytes + 32 * side, 0, 32);
            }
            CHECK_ERR(&diag, ERR_JWS_INVALID,
                      verify(jwt_join(ES, PAYLOAD, span_of((const char *)bytes, 64), arena), keys,
                             &diag, &payload));
            CU_ASSERT((strstr(diag.text, "outside of the curve's order") != NULL) == (kind < 2));
        }
    }
}

/* Every other spelling of a good token. */
static void
test_spellings_refused(void)
{
    const struct span good = jwt_make(RS, PAYLOAD, JWT_RSA, arena);
    const char *const changed[] = {
        "%s.", ".%s", "%s=", " %s", "%s\n", "%s.e30", "%s%%", "%s+", "A%s", "%s==",
    };
    struct diag diag = {0};

    check("the good one", good, ERR_NONE);
    for (size_t i = 0; i < ARRAY_LEN(changed); i++) {
        char text[4096];

        /* the formats are the rows above */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(text, sizeof(text), changed[i], good.p);
#pragma GCC diagnostic pop
        check(changed[i], span_of_cstr(text), ERR_JWS_STRUCTURE);
    }
    check("nothing", SPAN_EMPTY, ERR_JWS_STRUCTURE);
    check("dots", SPAN(".."), ERR_JWS_STRUCTURE);
    check("a NUL at the end", span_of(good.p, good.n + 1), ERR_JWS_STRUCTURE);
    struct span copy;

    CHECK_OK(&diag, arena_dup(arena, good, &diag, &copy));
    char *const last = (char *)copy.p + copy.n - 1; /* 256 bytes end with two free bits... */

    *last = *last == 'A' ? 'B' : *last == 'Q' ? 'R' : *last == 'g' ? 'h' : 'x';
    check("set bits after the last byte", copy, ERR_JWS_STRUCTURE);
}

/* <json> with blanks before its end, so that it is <bytes> long. */
static const char *
padded(const char *json, size_t bytes)
{
    const struct span text = span_of_cstr(json);
    struct diag diag;
    struct span made = SPAN("");

    diag_clear(&diag);
    CHECK_OK(&diag, arena_printf(arena, &diag, &made, "%.*s%*s}", (int)(text.n - 1), text.p,
                                 (int)(bytes - text.n), ""));
    CU_ASSERT(made.n == bytes);
    return made.p;
}

/* Genuine tokens, so that nothing but their length can refuse them. */
static void
test_token_lengths(void)
{
    check("a header of 2048 characters", jwt_make(padded(RS, 1536), PAYLOAD, JWT_RSA, arena),
          ERR_NONE);
    check("a longer header", jwt_make(padded(RS, 1537), PAYLOAD, JWT_RSA, arena),
          ERR_JWS_STRUCTURE);
    check("a token of 16384 characters", jwt_make(RS, padded(PAYLOAD, 12004), JWT_RSA, arena),
          ERR_NONE);
    check("a longer token", jwt_make(RS, padded(PAYLOAD, 12005), JWT_RSA, arena),
          ERR_JWS_STRUCTURE);
}

/* One byte changed anywhere: never accepted. */
static void
test_every_byte(void)
{
    static const char *const headers[] = {RS, ES};

    for (size_t k = 0; k < ARRAY_LEN(headers); k++) {
        const struct span good = jwt_make(headers[k], PAYLOAD, k == 0 ? JWT_RSA : JWT_EC, arena);
        char text[4096];
        size_t accepted = 0;

        CU_ASSERT_FATAL(good.n < sizeof(text));
        for (size_t i = 0; i < good.n; i++) {
            struct arena *const own = arena;
            struct diag diag;
            struct span payload;

            arena = arena_new(ARENA_LIMIT_DEFAULT);
            memcpy(text, good.p, good.n);
            text[i] = text[i] == 'A' ? 'B' : 'A';
            accepted += is_ok(verify(span_of(text, good.n), keys, &diag, &payload)) ? 1 : 0;
            arena_free(arena);
            arena = own;
        }
        CU_ASSERT(accepted == 0);
    }
}

static void
test_accepted(void)
{
    static const char *const headers[] = {
        RS,
        "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"r\",\"x5t\":\"AA\",\"other\":{\"a\":[1]}}",
        " { \"alg\" : \"RS256\" , \"kid\" : \"r\" } ",
    };
    struct diag diag;
    struct span payload;

    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        if (CHECK_OK(&diag, verify(jwt_make(headers[i], PAYLOAD, JWT_RSA, arena), keys, &diag,
                                   &payload))) {
            CHECK_SPAN(payload, PAYLOAD);
        }
    }
    for (size_t i = 0; i < 300; i++) { /* r and s with leading zeros come up, too */
        CHECK_OK(&diag, verify(jwt_make(ES, PAYLOAD, JWT_EC, arena), keys, &diag, &payload));
    }
    CHECK_SPAN(payload, PAYLOAD);
}

/* RFC 7515 appendices A.2 and A.3. */
static void
test_vectors(void)
{
#define RFC_PAYLOAD                                                                                \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "fQ"
    static const struct {
        const char *set, *token;
    } rows[] = {
        {SET(RSA("")),
         "eyJhbGciOiJSUzI1NiJ9." RFC_PAYLOAD
         ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8"
         "W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvk"
         "SjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCn"
         "vWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
        {SET(EC("")),
         "eyJhbGciOiJFUzI1NiJ9." RFC_PAYLOAD
         ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag = {0};
        struct jwks *set = NULL;
        struct span payload = SPAN_EMPTY;

        CHECK_OK(&diag, jwks_read(span_of_cstr(rows[i].set), &diag, &set));
        CHECK_OK(&diag, verify(span_of_cstr(rows[i].token), set, &diag, &payload));
        CHECK_SPAN(payload, "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
                            "\"http://example.com/is_root\":true}");
        jwks_free(set);
    }
}

/* ---- memory ---- */

static struct status
read_all(struct diag *diag)
{
    struct jwks *set = NULL;
    struct arena *own = arena_new(ARENA_LIMIT_DEFAULT);
    struct jws jws;
    struct span payload;

    if (own == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no arena");
    }
    struct status st = jwks_read(SPAN(SET(RSA(",\"kid\":\"r\""))), diag, &set);

    if (is_ok(st)) {
        st = jws_read(SPAN("eyJhbGciOiJSUzI1NiIsImtpZCI6InIifQ.e30.e30"), own, diag, &jws);
    }
    if (is_ok(st)) {
        st = jws_verify(&jws, set, own, diag, &payload);
        if (st.code == ERR_JWS_INVALID) {
            diag_clear(diag);
            st = OK;
        }
    }
    jwks_free(set);
    arena_free(own);
    return st;
}

static void
test_torture(void)
{
    unit_torture(read_all);
}

static void
test_begin(void)
{
    struct diag diag = {0};
    const struct span rsa = jwt_jwk(JWT_RSA, "r", "", arena);
    const struct span ec = jwt_jwk(JWT_EC, "e", "", arena);

    CHECK_OK(&diag, jwks_read(jwt_set(rsa, ec, arena), &diag, &keys));
    CU_ASSERT_FATAL(keys != NULL);
}

static const struct unit_test tests[] = {
    {"keys are made", test_begin},
    {"key sets refused", test_sets_refused},
    {"headers refused", test_headers_refused},
    {"signatures refused", test_signatures_refused},
    {"lengths of RSA signatures", test_length},
    {"numbers out of range", test_ranges},
    {"other spellings refused", test_spellings_refused},
    {"lengths of tokens", test_token_lengths},
    {"no byte may change", test_every_byte},
    {"key sets", test_sets},
    {"keys by kid and algorithm", test_find},
    {"key files", test_file},
    {"good tokens", test_accepted},
    {"RFC 7515 A.2 and A.3", test_vectors},
    {"every allocation fails once", test_torture},
};

int
main(void)
{
    jwt_init();
    arena = arena_new(ARENA_LIMIT_DEFAULT);
    const int rc = unit_main("jws", tests, ARRAY_LEN(tests));

    jwks_free(keys);
    arena_free(arena);
    jwt_done();
    return rc;
}
