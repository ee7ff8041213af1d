/*
 * Reads the numbers of public keys. Called when a certificate is decoded; one heap block a key,
 * owned by the caller.
 */
#include "certs/key_numbers.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "base/mem.h"

#define EC_POINT_BYTES_MAX 133 /* uncompressed, P-521 */

static void
free_bn(BIGNUM **bn)
{
    BN_free(*bn);
}

static struct status
make(const EVP_PKEY *key, size_t n, struct diag *diag, struct key_numbers **ret_numbers)
{
    struct key_numbers *const numbers = mem_alloc(sizeof(*numbers) + n);
    if (numbers == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a key of %zu bytes", n);
    }
    numbers->type = EVP_PKEY_get_id(key);
    numbers->bits = EVP_PKEY_get_bits(key);
    *ret_numbers = numbers;
    return OK;
}

static struct status
read_rsa(const EVP_PKEY *key, struct diag *diag, struct key_numbers **ret_numbers)
{
    CLEANUP(free_bn) BIGNUM *modulus = NULL;
    CLEANUP(free_bn) BIGNUM *exponent = NULL;
    struct key_numbers *numbers = NULL;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) != 1 ||
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) {
        ERR_clear_error();
        return FAIL(diag, ERR_CREDENTIAL, "the numbers of an RSA key cannot be read");
    }
    const size_t first = (size_t)BN_num_bytes(modulus);
    const size_t second = (size_t)BN_num_bytes(exponent);
    TRY(make(key, first + second, diag, &numbers));
    (void)BN_bn2bin(modulus, (unsigned char *)numbers->bytes);
    (void)BN_bn2bin(exponent, (unsigned char *)numbers->bytes + first);
    numbers->first = span_of(numbers->bytes, first);
    numbers->second = span_of(numbers->bytes + first, second);
    *ret_numbers = numbers;
    return OK;
}

static struct status
read_ec(const EVP_PKEY *key, struct diag *diag, struct key_numbers **ret_numbers)
{
    unsigned char point[EC_POINT_BYTES_MAX];
    size_t n = 0;
    struct key_numbers *numbers = NULL;
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n) !=
            1 ||
        n == 0 || point[0] != POINT_CONVERSION_UNCOMPRESSED) {
        ERR_clear_error();
        n = 0;
    }
    TRY(make(key, n, diag, &numbers));
    memcpy(numbers->bytes, point, n);
    numbers->first = span_of(numbers->bytes, n);
    *ret_numbers = numbers;
    return OK;
}

struct status
key_numbers_new(const EVP_PKEY *key, struct diag *diag, struct key_numbers **ret_numbers)
{
    if (key_is_rsa(key)) {
        return read_rsa(key, diag, ret_numbers);
    }
    if (key_is_ec(key)) {
        return read_ec(key, diag, ret_numbers);
    }
    *ret_numbers = NULL;
    return OK;
}

void
key_numbers_free(struct key_numbers *numbers)
{
    mem_free(numbers);
}

static struct span
without_zeros(struct span number)
{
    while (number.n > 0 && number.p[0] == '\0') {
        number = span_slice(number, 1, number.n);
    }
    return number;
}

bool
key_numbers_are(const struct key_numbers *numbers, struct span first, struct span second)
{
    return span_eq(numbers->first, without_zeros(first)) &&
           span_eq(numbers->second, without_zeros(second));
}
