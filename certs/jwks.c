/*
 * Reads JWK Sets into OpenSSL keys. Called while the configuration loads; the set owns its keys and
 * names. X.509 plays no part: what a JWK says about certificates (x5c, x5u) is not looked at.
 */
#include "certs/jwks.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/digest.h"
#include "base/mem.h"
#include "certs/certificate.h"
#include "certs/openssl_error.h"
#include "certs/strict_json.h"

#define MEMBER_MAX    2048 /* characters: the modulus of RSA-8192 has 1366 */
#define COORDINATE    32   /* bytes, of P-256 */
#define EXPONENT_MAX  8
#define RSA_BYTES_MAX (CERTIFICATE_RSA_BITS_MAX / 8)

struct reader {
    const json_t *json; /* the key */
    size_t number;      /* from 1 */
    struct diag *diag;
};

const char *
jwk_algorithm_name(enum jwk_algorithm algorithm)
{
    return algorithm == JWK_RS256 ? "RS256" : "ES256";
}

/* ---- members ---- */

static struct status
read_text(const struct reader *reader, const char *name, size_t most, struct span *ret_text)
{
    *ret_text = SPAN_EMPTY;
    return strict_json_text(reader->json, name, most, ret_text)
               ? OK
               : FAIL(reader->diag, ERR_CREDENTIAL,
                      "key %zu: '%s' must be text of 1 to %zu characters", reader->number, name,
                      most);
}

/* base64url of 1 to <size> bytes. */
static struct status
read_bytes(const struct reader *reader, const char *name, size_t size, uint8_t *ret_bytes,
           size_t *ret_n)
{
    struct span text;

    TRY(read_text(reader, name, MEMBER_MAX, &text));
    if (!base64url_decode(text, ret_bytes, size, ret_n) || *ret_n == 0) {
        return FAIL(reader->diag, ERR_CREDENTIAL,
                    "key %zu: '%s' must be base64url without padding, of 1 to %zu bytes",
                    reader->number, name, size);
    }
    return OK;
}

/* Is there any of those members? */
static const char *
find_member(const struct reader *reader, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (json_object_get(reader->json, names[i]) != NULL) {
            return names[i];
        }
    }
    return NULL;
}

/* ---- OpenSSL keys ---- */

static void
free_builder(OSSL_PARAM_BLD **builder)
{
    OSSL_PARAM_BLD_free(*builder);
}

static void
free_number(BIGNUM **number)
{
    BN_free(*number);
}

/* OpenSSL checks that a point is on its curve. */
static struct status
make_key(const struct reader *reader, const char *type, OSSL_PARAM_BLD *builder, EVP_PKEY **ret_key)
{
    OSSL_PARAM *const parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *const context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    const bool is_made = parameters != NULL && context != NULL &&
                         EVP_PKEY_fromdata_init(context) == 1 &&
                         EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1;

    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    if (!is_made) {
        return FAIL(reader->diag, ERR_CREDENTIAL, "key %zu: not a valid %s key: %s", reader->number,
                    type, openssl_error_take());
    }
    *ret_key = key;
    return OK;
}

/* RFC 7518 6.3.1: both without leading zero octets. */
static struct status
read_rsa(const struct reader *reader, EVP_PKEY **ret_key)
{
    CLEANUP(free_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    CLEANUP(free_number) BIGNUM *modulus = NULL;
    CLEANUP(free_number) BIGNUM *exponent = NULL;
    uint8_t n_bytes[RSA_BYTES_MAX];
    uint8_t e_bytes[EXPONENT_MAX];
    size_t n_n = 0;
    size_t e_n = 0;

    TRY(read_bytes(reader, "n", sizeof(n_bytes), n_bytes, &n_n));
    TRY(read_bytes(reader, "e", sizeof(e_bytes), e_bytes, &e_n));
    if (n_bytes[0] == 0 || e_bytes[0] == 0 || n_bytes[n_n - 1] % 2 == 0 ||
        e_bytes[e_n - 1] % 2 == 0 || (e_n == 1 && e_bytes[0] < 3)) {
        return FAIL(reader->diag, ERR_CREDENTIAL,
                    "key %zu: not an RSA key: 'n' and 'e' must be odd, without leading zeros, and "
                    "'e' at least 3",
                    reader->number);
    }
    modulus = BN_bin2bn(n_bytes, (int)n_n, NULL);
    exponent = BN_bin2bn(e_bytes, (int)e_n, NULL);
    if (builder == NULL || modulus == NULL || exponent == NULL ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) != 1) {
        return FAIL(reader->diag, ERR_NO_MEMORY, "no memory for a key");
    }
    return make_key(reader, "RSA", builder, ret_key);
}

/* RFC 7518 6.2.1: coordinates have the full length of the field. */
static struct status
read_ec(const struct reader *reader, EVP_PKEY **ret_key)
{
    CLEANUP(free_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    uint8_t point[1 + 2 * COORDINATE] = {4}; /* uncompressed */
    size_t x_n = 0;
    size_t y_n = 0;

    TRY(read_bytes(reader, "x", COORDINATE, point + 1, &x_n));
    TRY(read_bytes(reader, "y", COORDINATE, point + 1 + COORDINATE, &y_n));
    if (x_n != COORDINATE || y_n != COORDINATE) {
        return FAIL(reader->diag, ERR_CREDENTIAL, "key %zu: 'x' and 'y' must have %d bytes each",
                    reader->number, COORDINATE);
    }
    if (builder == NULL ||
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) !=
            1) {
        return FAIL(reader->diag, ERR_NO_MEMORY, "no memory for a key");
    }
    return make_key(reader, "EC", builder, ret_key);
}

/* ---- one key ---- */

/* RFC 7517 4.3: an array of operations; without the member every one is meant. */
static bool
may_verify(const json_t *operations)
{
    size_t i = 0;
    const json_t *operation = NULL;

    json_array_foreach(operations, i, operation)
    {
        if (json_is_string(operation) && strcmp(json_string_value(operation), "verify") == 0) {
            return true;
        }
    }
    return operations == NULL;
}

/* Is the key for us: RFC 7517 section 5 lets a reader leave out the others. */
static struct status
read_purpose(const struct reader *reader, struct jwk *jwk, bool *ret_is_usable)
{
    struct span type;
    struct span curve;
    struct span use;
    struct span algorithm;

    TRY(read_text(reader, "kty", 32, &type));
    TRY(read_text(reader, "crv", 32, &curve));
    TRY(read_text(reader, "use", 32, &use));
    TRY(read_text(reader, "alg", 32, &algorithm));
    if (type.n == 0) {
        return FAIL(reader->diag, ERR_CREDENTIAL, "key %zu: 'kty' is missing", reader->number);
    }
    jwk->algorithm = span_eq_cstr(type, "RSA") ? JWK_RS256 : JWK_ES256;
    *ret_is_usable =
        (span_eq_cstr(type, "RSA") || (span_eq_cstr(type, "EC") && span_eq_cstr(curve, "P-256"))) &&
        (use.n == 0 || span_eq_cstr(use, "sig")) &&
        (algorithm.n == 0 || span_eq_cstr(algorithm, jwk_algorithm_name(jwk->algorithm))) &&
        may_verify(json_object_get(reader->json, "key_ops"));
    return OK;
}

/* What must not lie in a file of public keys, whatever it is for. */
static struct status
refuse_secret(const struct reader *reader)
{
    static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    const char *const secret = find_member(reader, names, ARRAY_LEN(names));

    return secret == NULL ? OK
                          : FAIL(reader->diag, ERR_CREDENTIAL,
                                 "key %zu: '%s' is a part of a private or symmetric key; the file "
                                 "must hold the issuer's public keys only",
                                 reader->number, secret);
}

static struct status
read_kid(const struct reader *reader, struct jwk *jwk)
{
    struct span kid;

    TRY(read_text(reader, "kid", JWKS_KID_MAX, &kid));
    if (kid.n == 0) {
        return OK;
    }
    jwk->kid = mem_alloc(kid.n + 1);
    if (jwk->kid == NULL) {
        return FAIL(reader->diag, ERR_NO_MEMORY, "no memory for a key");
    }
    memcpy(jwk->kid, kid.p, kid.n);
    return OK;
}

static struct status
read_key(const struct reader *reader, struct jwks *jwks)
{
    struct jwk *const jwk = &jwks->keys[jwks->n];
    struct diag why = {0};
    bool is_usable = false;

    if (!json_is_object(reader->json)) {
        return FAIL(reader->diag, ERR_CREDENTIAL, "key %zu: expected a JSON object",
                    reader->number);
    }
    TRY(refuse_secret(reader));
    TRY(read_purpose(reader, jwk, &is_usable));
    if (!is_usable) {
        return OK;
    }
    jwks->n++; /* from here on jwks_free releases what it has */
    TRY(read_kid(reader, jwk));
    TRY(jwk->algorithm == JWK_RS256 ? read_rsa(reader, &jwk->key) : read_ec(reader, &jwk->key));
    if (!is_ok(certificate_check_key(jwk->key, &why))) {
        return FAIL(reader->diag, ERR_CREDENTIAL, "key %zu: %s", reader->number, why.text);
    }
    return OK;
}

/* ---- the set ---- */

/* A token names its key by kid: that must lead to one key. */
static struct status
check_kids(const struct jwks *jwks, struct diag *diag)
{
    for (size_t i = 0; jwks->n > 1 && i < jwks->n; i++) {
        if (jwks->keys[i].kid == NULL) {
            return FAIL(diag, ERR_CREDENTIAL,
                        "a set of %zu usable keys needs a 'kid' for each; one has none", jwks->n);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(jwks->keys[i].kid, jwks->keys[j].kid) == 0) {
                return FAIL(diag, ERR_CREDENTIAL, "two usable keys have the same 'kid'");
            }
        }
    }
    return OK;
}

static struct status
read_set(const json_t *keys, struct diag *diag, struct jwks *jwks)
{
    const size_t n = json_array_size(keys);

    if (!json_is_array(keys) || n > JWKS_KEYS_MAX) {
        return FAIL(diag, ERR_CREDENTIAL, "expected {\"keys\": [...]} with at most %d keys",
                    JWKS_KEYS_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        const struct reader reader = {json_array_get(keys, i), i + 1, diag};

        TRY(read_key(&reader, jwks));
    }
    if (jwks->n == 0) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "none of %zu keys is for RS256 or ES256 signatures (RSA, or EC on P-256)", n);
    }
    return check_kids(jwks, diag);
}

struct status
jwks_read(struct span json, struct diag *diag, struct jwks **ret_jwks)
{
    json_auto_t *root = NULL;

    TRY(strict_json_read(json, "JWK Set", ERR_CREDENTIAL, diag, &root));
    struct jwks *const jwks = mem_alloc(sizeof(*jwks));

    if (jwks == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a JWK Set");
    }
    ERR_clear_error();
    const struct status st = read_set(json_object_get(root, "keys"), diag, jwks);

    if (!is_ok(st)) {
        jwks_free(jwks);
        return st;
    }
    *ret_jwks = jwks;
    return OK;
}

struct status
jwks_load(const char *path, struct diag *diag, struct jwks **ret_jwks)
{
    CLEANUP(buf_done) struct buf json;
    struct diag why = {0};

    buf_init(&json, JWKS_FILE_MAX);
    TRY(buf_read_file(&json, path, diag));
    const struct status st = jwks_read(buf_span(&json), &why, ret_jwks);

    return is_ok(st) ? OK : FAIL(diag, st.code, "%s: %s", path, why.text);
}

void
jwks_free(struct jwks *jwks)
{
    if (jwks == NULL) {
        return;
    }
    for (size_t i = 0; i < jwks->n; i++) {
        mem_free(jwks->keys[i].kid);
        EVP_PKEY_free(jwks->keys[i].key);
    }
    mem_free(jwks);
}

const struct jwk *
jwks_find(const struct jwks *jwks, enum jwk_algorithm algorithm, struct span kid)
{
    for (size_t i = 0; i < jwks->n; i++) {
        const struct jwk *const jwk = &jwks->keys[i];
        const bool is_named =
            kid.n == 0 ? jwks->n == 1 : jwk->kid != NULL && span_eq_cstr(kid, jwk->kid);

        if (is_named) {
            return jwk->algorithm == algorithm ? jwk : NULL;
        }
    }
    return NULL;
}
