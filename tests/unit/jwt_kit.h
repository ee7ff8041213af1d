/*
 * What the tests of signed tokens share: keys made on the spot, JWK Sets of them, and a signer that
 * makes any token, wrong ones included.
 */
#ifndef JWT_KIT_H
#define JWT_KIT_H

#include <openssl/types.h>

#include "base/arena.h"
#include "certs/jwks.h"

/* ---- keys: live until jwt_done ---- */
enum jwt_who { JWT_RSA, JWT_RSA_OTHER, JWT_EC, JWT_WHO_COUNT };
void jwt_init(void);
void jwt_done(void);
EVP_PKEY *jwt_key(enum jwt_who who);

struct span jwt_base64url(struct span bytes, struct arena *arena);
/* {"kty":...,"kid":<kid>,...}: the public key of <who>; <kid> NULL: none; <more>: further members
 * (",\"use\":\"sig\"") or "". */
struct span jwt_jwk(enum jwt_who who, const char *kid, const char *more, struct arena *arena);
/* {"keys":[...]} of one or two JWKs. */
struct span jwt_set(struct span first, struct span second, struct arena *arena);

/* header.payload.signature: RS256 or ES256 by the kind of key. */
struct span jwt_make(const char *header, const char *payload, enum jwt_who who,
                     struct arena *arena);
/* The same with any bytes as the signature. */
struct span jwt_join(const char *header, const char *payload, struct span signature,
                     struct arena *arena);
/* HS256 with any key. */
struct span jwt_make_hmac(const char *header, const char *payload, struct span key,
                          struct arena *arena);
/* The public key as PEM (what a confused verifier takes as an HMAC key). */
struct span jwt_pem(enum jwt_who who, struct arena *arena);

#endif
