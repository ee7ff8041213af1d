/*
 * The public keys of an issuer of id_tokens, from a JWK Set file (RFC 7517) that the operator put
 * there. Keys are never fetched and never taken from a token. Loaded with the configuration, which
 * owns the set; immutable. Thread: any may read.
 */
#ifndef CERTS_JWKS_H
#define CERTS_JWKS_H

#include <openssl/types.h>

#include "base/buf.h"

#define JWKS_FILE_MAX ((size_t)256 * 1024)
#define JWKS_KEYS_MAX 64
#define JWKS_KID_MAX  256 /* bytes */

/* The only algorithms: RSASSA-PKCS1-v1_5 with SHA-256, ECDSA on P-256 with SHA-256 (RFC 7518 3.1).
 * A key has one; the header of a token cannot choose another for it. */
enum jwk_algorithm { JWK_RS256, JWK_ES256 };
const char *jwk_algorithm_name(enum jwk_algorithm algorithm);

struct jwk {
    char *kid; /* NULL: none */
    enum jwk_algorithm algorithm;
    EVP_PKEY *key; /* RSA of 2048 to 8192 bits, or EC on P-256 */
};

struct jwks {
    struct jwk keys[JWKS_KEYS_MAX];
    size_t n;
};

/* An issuer as the configuration lists it. */
struct jwks_issuer {
    const char *issuer; /* https URL, compared as it is with the claim iss */
    const struct jwks *keys;
};

/* Left out: keys of another type or curve, for encryption, or of another algorithm. Refused
 * (ERR_CREDENTIAL, with the number of the key): a set without a usable key, private and symmetric
 * keys, weak or malformed ones, two usable keys of one kid, several of which one has no kid. */
MUST_CHECK struct status jwks_read(struct span json, struct diag *diag, struct jwks **ret_jwks);
/* The same from a file: ERR_IO, ERR_LIMIT_BUFFER, ERR_CREDENTIAL. */
MUST_CHECK struct status jwks_load(const char *path, struct diag *diag, struct jwks **ret_jwks);
void jwks_free(struct jwks *jwks); /* NULL is fine */

/* The key of that kid and algorithm, or NULL. Without kid (empty): the only key of a set that has
 * one. */
const struct jwk *jwks_find(const struct jwks *jwks, enum jwk_algorithm algorithm, struct span kid);

#endif
