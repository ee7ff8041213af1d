/*
 * JSON Web Signatures in compact form (RFC 7515), as far as id_tokens need them: RS256 and ES256,
 * keys of the operator's files only. The payload can be had from jws_verify only, so nobody reads
 * what is not signed. Pure; everything lives in the arena. Thread: any.
 */
#ifndef SOAP_JWS_H
#define SOAP_JWS_H

#include "base/arena.h"
#include "certs/jwks.h"

#define JWS_TEXT_MAX   ((size_t)16 * 1024) /* characters of a token */
#define JWS_HEADER_MAX ((size_t)2 * 1024)  /* characters of its first part */

/* What the header says, unverified: enough to look for the key. */
struct jws {
    enum jwk_algorithm algorithm;
    struct span kid;  /* empty: none */
    struct span type; /* typ; empty: none */
    struct span signing_input;
    struct span payload; /* encoded */
    struct span signature;
};

/* Three parts of strict base64url, a JSON header. Refused: ERR_JWS_STRUCTURE (form, limits, names
 * that are there twice, crit and b64, since no extension is understood), ERR_JWS_ALGORITHM (by
 * name: none, HMAC and all but RS256 and ES256), ERR_JWS_KEY (a header that brings a key or says
 * where to fetch one: jwk, jku, x5u, x5c). Unknown members are ignored (RFC 7515 section 4). */
MUST_CHECK struct status jws_read(struct span text, struct arena *arena, struct diag *diag,
                                  struct jws *ret_jws);

/* The decoded payload, when the key of <keys> that the header names signed it. ERR_JWS_KEY: no such
 * key; ERR_JWS_INVALID: its signature does not verify. */
MUST_CHECK struct status jws_verify(const struct jws *jws, const struct jwks *keys,
                                    struct arena *arena, struct diag *diag,
                                    struct span *ret_payload);

#endif
