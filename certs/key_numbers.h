/*
 * A public key as numbers, read from OpenSSL once: comparing keys, and asking of what kind they
 * are, then needs no provider, no lock and no allocation. Immutable. Thread: any may read.
 */
#ifndef CERTS_KEY_NUMBERS_H
#define CERTS_KEY_NUMBERS_H

#include <openssl/evp.h>

#include "base/diag.h"
#include "base/span.h"

struct key_numbers {
    int type; /* EVP_PKEY_RSA, EVP_PKEY_EC */
    int bits;
    /* RSA: modulus and exponent, big-endian, without zeros in front. EC: the point, uncompressed
     * (empty when the key has another form), and nothing. */
    struct span first, second;
    char bytes[];
};

/* NULL in *ret_numbers for a key of another kind. ERR_CREDENTIAL, ERR_NO_MEMORY. */
MUST_CHECK struct status key_numbers_new(const EVP_PKEY *key, struct diag *diag,
                                         struct key_numbers **ret_numbers);
void key_numbers_free(struct key_numbers *numbers); /* NULL is fine */

/* Equal numbers, whatever zeros stand in front of <first> and <second>. */
bool key_numbers_are(const struct key_numbers *numbers, struct span first, struct span second);

/* EVP_PKEY_is_a looks names up under a lock; the id is in the key. */
static inline bool
key_is_rsa(const EVP_PKEY *key)
{
    return EVP_PKEY_get_id(key) == EVP_PKEY_RSA;
}

static inline bool
key_is_ec(const EVP_PKEY *key)
{
    return EVP_PKEY_get_id(key) == EVP_PKEY_EC;
}

#endif
