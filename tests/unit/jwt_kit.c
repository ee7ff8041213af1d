/*
 * Keys, JWK Sets and tokens for tests, over OpenSSL only: nothing of the product but its buffers.
 */
#include "tests/unit/jwt_kit.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/digest.h"
#include "tests/unit/unit.h"

static EVP_PKEY *keys[JWT_WHO_COUNT];

void
jwt_init(void)
{
    keys[JWT_RSA] = EVP_RSA_gen(2048);
    keys[JWT_RSA_OTHER] = EVP_RSA_gen(2048);
    keys[JWT_EC] = EVP_EC_gen("P-256");
}

void
jwt_done(void)
{
    for (size_t i = 0; i < JWT_WHO_COUNT; i++) {
        EVP_PKEY_free(keys[i]);
        keys[i] = NULL;
    }
}

EVP_PKEY *
jwt_key(enum jwt_who who)
{
    return keys[who];
}

struct span
jwt_base64url(struct span bytes, struct arena *arena)
{
    struct diag diag = {0};
    struct buf text;
    struct span copy = SPAN_EMPTY;

    buf_init(&text, (size_t)1024 * 1024);
    CHECK_OK(&diag, base64_encode(bytes, &text, &diag));
    while (text.n > 0 && text.p[text.n - 1] == '=') {
        text.n--;
    }
    for (size_t i = 0; i < text.n; i++) {
        text.p[i] = text.p[i] == '+' ? '-' : text.p[i] == '/' ? '_' : text.p[i];
    }
    CHECK_OK(&diag, arena_dup(arena, buf_span(&text), &diag, &copy));
    buf_done(&text);
    return copy;
}

/* A number of the key, big-endian, <size> bytes (0: as many as it needs). */
static struct span
number_of(EVP_PKEY *key, const char *name, size_t size, struct arena *arena)
{
    BIGNUM *number = NULL;
    unsigned char bytes[1024];

    CU_ASSERT_FATAL(EVP_PKEY_get_bn_param(key, name, &number) == 1);
    const size_t n = size == 0 ? (size_t)BN_num_bytes(number) : size;

    CU_ASSERT_FATAL(n <= sizeof(bytes) && BN_bn2binpad(number, bytes, (int)n) == (int)n);
    BN_free(number);
    return jwt_base64url(span_of((const char *)bytes, n), arena);
}

struct span
jwt_jwk(enum jwt_who who, const char *kid, const char *more, struct arena *arena)
{
    struct diag diag = {0};
    struct span text = SPAN_EMPTY;
    char name[300] = "";

    if (kid != NULL) {
        (void)snprintf(name, sizeof(name), "\"kid\":\"%s\",", kid);
    }
    if (who == JWT_EC) {
        const struct span x = number_of(keys[who], OSSL_PKEY_PARAM_EC_PUB_X, 32, arena);
        const struct span y = number_of(keys[who], OSSL_PKEY_PARAM_EC_PUB_Y, 32, arena);

        CHECK_OK(&diag, arena_printf(arena, &diag, &text,
                                     "{%s\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\","
                                     "\"y\":\"%s\"%s}",
                                     name, x.p, y.p, more));
        return text;
    }
    const struct span n = number_of(keys[who], OSSL_PKEY_PARAM_RSA_N, 0, arena);
    const struct span e = number_of(keys[who], OSSL_PKEY_PARAM_RSA_E, 0, arena);

    CHECK_OK(&diag,
             arena_printf(arena, &diag, &text, "{%s\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}",
                          name, n.p, e.p, more));
    return text;
}

struct span
jwt_set(struct span first, struct span second, struct arena *arena)
{
    struct diag diag = {0};
    struct span text = SPAN_EMPTY;

    CHECK_OK(&diag, arena_printf(arena, &diag, &text, "{\"keys\":[%.*s%s%.*s]}", SPAN_PRINT(first),
                                 second.n > 0 ? "," : "", SPAN_PRINT(second)));
    return text;
}

static struct span
signing_input(const char *header, const char *payload, struct arena *arena)
{
    struct diag diag = {0};
    struct span text = SPAN_EMPTY;

    CHECK_OK(&diag, arena_printf(arena, &diag, &text, "%s.%s",
                                 jwt_base64url(span_of_cstr(header), arena).p,
                                 jwt_base64url(span_of_cstr(payload), arena).p));
    return text;
}

struct span
jwt_join(const char *header, const char *payload, struct span signature, struct arena *arena)
{
    struct diag diag = {0};
    struct span text = SPAN_EMPTY;

    CHECK_OK(&diag,
             arena_printf(arena, &diag, &text, "%s.%s", signing_input(header, payload, arena).p,
                          jwt_base64url(signature, arena).p));
    return text;
}

/* r and s from DER to 32 bytes each. */
static size_t
flatten(unsigned char *bytes, size_t n)
{
    const unsigned char *der = bytes;
    ECDSA_SIG *const pair = d2i_ECDSA_SIG(NULL, &der, (long)n);

    CU_ASSERT_FATAL(pair != NULL);
    CU_ASSERT_FATAL(BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, 32) == 32);
    CU_ASSERT_FATAL(BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + 32, 32) == 32);
    ECDSA_SIG_free(pair);
    return 64;
}

struct span
jwt_make(const char *header, const char *payload, enum jwt_who who, struct arena *arena)
{
    const struct span input = signing_input(header, payload, arena);
    EVP_MD_CTX *const context = EVP_MD_CTX_new();
    unsigned char bytes[1024];
    size_t n = sizeof(bytes);

    CU_ASSERT_FATAL(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, keys[who]) == 1);
    CU_ASSERT_FATAL(EVP_DigestSign(context, bytes, &n, (const unsigned char *)input.p, input.n) ==
                    1);
    EVP_MD_CTX_free(context);
    if (who == JWT_EC) {
        n = flatten(bytes, n);
    }
    return jwt_join(header, payload, span_of((const char *)bytes, n), arena);
}

struct span
jwt_make_hmac(const char *header, const char *payload, struct span key, struct arena *arena)
{
    const struct span input = signing_input(header, payload, arena);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    CU_ASSERT_FATAL(HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)input.p, input.n,
                         bytes, &n) != NULL);
    return jwt_join(header, payload, span_of((const char *)bytes, n), arena);
}

struct span
jwt_pem(enum jwt_who who, struct arena *arena)
{
    struct diag diag = {0};
    struct span copy = SPAN_EMPTY;
    char *text = NULL;
    BIO *const bio = BIO_new(BIO_s_mem());

    CU_ASSERT_FATAL(PEM_write_bio_PUBKEY(bio, keys[who]) == 1);
    const long n = BIO_get_mem_data(bio, &text);

    CHECK_OK(&diag, arena_dup(arena, span_of(text, (size_t)n), &diag, &copy));
    BIO_free(bio);
    return copy;
}
