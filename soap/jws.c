/*
 * Reads and verifies compact JWS over OpenSSL's EVP. Called by soap/idtoken.c on workers; owns
 * nothing, copies what it gives out into the arena. The header decides nothing but which of the
 * operator's keys is tried: each key has its one algorithm.
 */
#include "soap/jws.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/digest.h"
#include "certs/strict_json.h"

#define ES256_BYTES 64 /* r and s of 32 bytes each: RFC 7518 3.4 */

/* ---- parts ---- */

static struct status
decode_part(struct span text, const char *what, struct arena *arena, struct diag *diag,
            struct span *ret_bytes)
{
    char *bytes = NULL;
    size_t n = 0;

    TRY(ARENA_ARRAY(arena, BASE64URL_ROOM(text.n), diag, &bytes));
    if (!base64url_decode(text, (uint8_t *)bytes, BASE64URL_ROOM(text.n), &n) || n == 0) {
        return FAIL(diag, ERR_JWS_STRUCTURE,
                    "the token's %s (%zu characters) is not base64url without padding, white space "
                    "or stray bits",
                    what, text.n);
    }
    *ret_bytes = span_of(bytes, n);
    return OK;
}

/* header.payload.signature; five parts would be encrypted. */
static struct status
split(struct span text, struct diag *diag, struct span ret_parts[3])
{
    struct span rest = text;
    size_t n = 0;
    struct span part;

    if (text.n > JWS_TEXT_MAX) {
        return FAIL(diag, ERR_JWS_STRUCTURE, "the token has %zu characters; at most %zu are read",
                    text.n, JWS_TEXT_MAX);
    }
    while (span_split(&rest, '.', &part)) {
        if (n < 3) {
            ret_parts[n] = part;
        }
        n++;
    }
    if (n != 3) {
        return FAIL(diag, ERR_JWS_STRUCTURE,
                    "a signed token has three parts with '.' between them, this one has %zu", n);
    }
    if (ret_parts[0].n > JWS_HEADER_MAX) {
        return FAIL(diag, ERR_JWS_STRUCTURE,
                    "the token's header has %zu characters; at most %zu are read", ret_parts[0].n,
                    JWS_HEADER_MAX);
    }
    return OK;
}

/* ---- header ---- */

static struct status
refuse_members(const json_t *header, struct diag *diag)
{
    static const char *const keys[] = {"jwk", "jku", "x5u", "x5c"};
    static const char *const extensions[] = {"crit", "b64"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (json_object_get(header, keys[i]) != NULL) {
            return FAIL(diag, ERR_JWS_KEY,
                        "the token's header brings a key or its address ('%s'); only the keys of "
                        "id_tokens in the configuration count",
                        keys[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(extensions); i++) {
        if (json_object_get(header, extensions[i]) != NULL) {
            return FAIL(diag, ERR_JWS_STRUCTURE,
                        "the token's header demands an extension ('%s'); none is supported",
                        extensions[i]);
        }
    }
    return OK;
}

/* A name in a message of ours: what an attacker wrote is cut and shown harmless by diag. */
static struct status
read_algorithm(struct span name, struct diag *diag, enum jwk_algorithm *ret_algorithm)
{
    if (span_eq_cstr(name, "RS256")) {
        *ret_algorithm = JWK_RS256;
        return OK;
    }
    if (span_eq_cstr(name, "ES256")) {
        *ret_algorithm = JWK_ES256;
        return OK;
    }
    return FAIL(diag, ERR_JWS_ALGORITHM,
                "the token's algorithm is '%.*s'; only RS256 and ES256 are accepted",
                SPAN_PRINT(span_slice(name, 0, 20)));
}

static struct status
read_text(const json_t *header, const char *name, size_t most, struct arena *arena,
          struct diag *diag, struct span *ret_text)
{
    struct span text = SPAN_EMPTY;

    if (!strict_json_text(header, name, most, &text)) {
        return FAIL(diag, ERR_JWS_STRUCTURE,
                    "the token's header: '%s' must be text of 1 to %zu bytes", name, most);
    }
    return arena_dup(arena, text, diag, ret_text);
}

static struct status
read_header(struct span bytes, struct arena *arena, struct diag *diag, struct jws *jws)
{
    json_auto_t *header = NULL;
    struct span algorithm;

    TRY(strict_json_read(bytes, "the token's header", ERR_JWS_STRUCTURE, diag, &header));
    TRY(read_text(header, "alg", 32, arena, diag, &algorithm));
    TRY(read_algorithm(algorithm, diag, &jws->algorithm));
    TRY(refuse_members(header, diag));
    TRY(read_text(header, "kid", JWKS_KID_MAX, arena, diag, &jws->kid));
    return read_text(header, "typ", 64, arena, diag, &jws->type);
}

struct status
jws_read(struct span text, struct arena *arena, struct diag *diag, struct jws *ret_jws)
{
    struct jws jws = {.payload = SPAN_EMPTY};
    struct span parts[3];
    struct span header;

    TRY(split(text, diag, parts));
    TRY(decode_part(parts[0], "header", arena, diag, &header));
    TRY(read_header(header, arena, diag, &jws));
    TRY(decode_part(parts[2], "signature", arena, diag, &jws.signature));
    jws.signing_input = span_slice(text, 0, parts[0].n + 1 + parts[1].n);
    jws.payload = parts[1];
    *ret_jws = jws;
    return OK;
}

/* ---- signature ---- */

static struct status
invalid(const struct jws *jws, const char *why, struct diag *diag)
{
    ERR_clear_error();
    return FAIL(diag, ERR_JWS_INVALID, "the token's %s signature %s",
                jwk_algorithm_name(jws->algorithm), why);
}

/* FIPS 186-4 6.4.2: from 1 to less than the order of the curve. */
static bool
is_in_range(const unsigned char number[ES256_BYTES / 2])
{
    static const unsigned char order[ES256_BYTES / 2] = {
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
        0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    };
    static const unsigned char zero[ES256_BYTES / 2];

    return memcmp(number, zero, sizeof(zero)) > 0 && memcmp(number, order, sizeof(order)) < 0;
}

/* r and s as OpenSSL wants them, in DER. */
static struct status
write_es256(const struct jws *jws, struct arena *arena, struct diag *diag, struct span *ret_der)
{
    const unsigned char *const bytes = (const unsigned char *)jws->signature.p;
    unsigned char *der = NULL;

    if (jws->signature.n != ES256_BYTES) {
        return invalid(jws, "is not 64 bytes long", diag);
    }
    if (!is_in_range(bytes) || !is_in_range(bytes + ES256_BYTES / 2)) {
        return invalid(jws, "has a number outside of the curve's order", diag);
    }
    ECDSA_SIG *const pair = ECDSA_SIG_new();
    BIGNUM *const r = BN_bin2bn(bytes, ES256_BYTES / 2, NULL);
    BIGNUM *const s = BN_bin2bn(bytes + ES256_BYTES / 2, ES256_BYTES / 2, NULL);
    const bool is_set = pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1;
    const int n = is_set ? i2d_ECDSA_SIG(pair, &der) : -1;

    if (!is_set) {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(pair);
    const struct status st =
        n <= 0 ? FAIL(diag, ERR_NO_MEMORY, "no memory for a signature")
               : arena_dup(arena, span_of((const char *)der, (size_t)n), diag, ret_der);

    OPENSSL_free(der);
    return st;
}

static struct status
check_signature(const struct jws *jws, const struct jwk *jwk, struct arena *arena,
                struct diag *diag)
{
    struct span value = jws->signature;

    if (jws->algorithm == JWK_ES256) {
        TRY(write_es256(jws, arena, diag, &value));
    } else if (value.n != (size_t)EVP_PKEY_get_size(jwk->key)) {
        return invalid(jws, "does not have the length of the key", diag);
    }
    EVP_MD_CTX *const context = EVP_MD_CTX_new();

    if (context == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a signature");
    }
    const bool is_signed =
        EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, jwk->key, NULL) == 1 &&
        EVP_DigestVerify(context, (const unsigned char *)value.p, value.n,
                         (const unsigned char *)jws->signing_input.p, jws->signing_input.n) == 1;

    EVP_MD_CTX_free(context);
    return is_signed ? OK : invalid(jws, "does not verify with the issuer's key", diag);
}

struct status
jws_verify(const struct jws *jws, const struct jwks *keys, struct arena *arena, struct diag *diag,
           struct span *ret_payload)
{
    const struct jwk *const jwk = jwks_find(keys, jws->algorithm, jws->kid);

    if (jwk == NULL && jws->kid.n == 0) {
        return FAIL(diag, ERR_JWS_KEY,
                    "the token names no key (kid), and the issuer has %zu; or its only key is not "
                    "for %s",
                    keys->n, jwk_algorithm_name(jws->algorithm));
    }
    if (jwk == NULL) {
        return FAIL(diag, ERR_JWS_KEY, "the issuer has no %s key with the kid '%.*s'",
                    jwk_algorithm_name(jws->algorithm), SPAN_PRINT(span_slice(jws->kid, 0, 80)));
    }
    TRY(check_signature(jws, jwk, arena, diag));
    return decode_part(jws->payload, "payload", arena, diag, ret_payload);
}
