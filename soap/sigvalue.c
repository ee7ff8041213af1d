/*
 * Normal form of signature values. Called by sigverify.c after a signature turned out valid; owns
 * nothing.
 */
#include "soap/sigvalue.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/digest.h"
#include "base/mem.h"
#include "certs/key_numbers.h"
#include "soap/xml.h"

#define VALUE_BYTES_MAX ((size_t)2048) /* RSA-16384 */

static void
free_bn(BIGNUM **bn)
{
    BN_free(*bn);
}

/* s becomes the smaller of s and n - s. */
static bool
lower_s(EVP_PKEY *key, uint8_t *bytes, size_t half)
{
    CLEANUP(free_bn) BIGNUM *order = NULL;
    CLEANUP(free_bn) BIGNUM *s = BN_bin2bn(bytes + half, (int)half, NULL);
    CLEANUP(free_bn) BIGNUM *other = BN_new();
    if (s == NULL || other == NULL ||
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_ORDER, &order) != 1 ||
        BN_sub(other, order, s) != 1) {
        return false;
    }
    return BN_is_negative(other) ||
           BN_bn2binpad(BN_cmp(other, s) < 0 ? other : s, bytes + half, (int)half) == (int)half;
}

struct status
sig_value_normalise(struct span value, EVP_PKEY *key, struct arena *arena, struct diag *diag,
                    struct span *ret_value)
{
    CLEANUP(buf_done) struct buf bytes;
    CLEANUP(buf_done) struct buf text;
    struct diag why;
    diag_clear(&why);
    buf_init(&bytes, VALUE_BYTES_MAX);
    buf_init(&text, 2 * VALUE_BYTES_MAX);
    const bool is_ec = key_is_ec(key);
    const size_t size = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
    const struct status st = base64_decode(value, &bytes, &why);
    if (st.code == ERR_NO_MEMORY) {
        return FAIL(diag, ERR_NO_MEMORY, "%s", why.text);
    }
    if (!is_ok(st) || bytes.n != (is_ec ? 2 * size : size)) {
        return FAIL(diag, ERR_SIG_INVALID, "SignatureValue: base64 of %zu bytes is expected",
                    is_ec ? 2 * size : size);
    }
    if (is_ec && !lower_s(key, (uint8_t *)bytes.p, size)) {
        return FAIL(diag, ERR_CRYPTO, "SignatureValue: the order of the curve cannot be read");
    }
    TRY(base64_encode(buf_span(&bytes), &text, diag));
    return arena_dup(arena, buf_span(&text), diag, ret_value);
}

struct status
sig_value_compact(struct span value, struct arena *arena, struct diag *diag, struct span *ret_value)
{
    char *copy = NULL;
    size_t n = 0;
    TRY(arena_alloc(arena, value.n + 1, diag, (void **)&copy));
    for (size_t i = 0; i < value.n; i++) {
        const char c = value.p[i];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            copy[n++] = c;
        }
    }
    *ret_value = span_of(copy, n);
    return OK;
}
