/*
 * The profile engine: verifies the one shape of signature that partners send, without xmlsec. One
 * Reference, exclusive c14n, SHA-2, RSA (PKCS #1 v1.5) or ECDSA: the canonical bytes go from the
 * tree straight into the digest, and OpenSSL computes with contexts that the thread keeps. Signing
 * (sign.c) uses such contexts, too.
 *
 * It never says "wrong" by guess. Where xmlsec might read a signature in another way, or where
 * anything is not known here, it says so, and dsig.c asks xmlsec. Called by dsig.c; thread: whoever
 * owns the tree.
 */
#ifndef SOAP_PROFILE_H
#define SOAP_PROFILE_H

#include "soap/dsig.h"

enum profile_verdict { PROFILE_NOT_MINE, PROFILE_WRONG, PROFILE_RIGHT };
MUST_CHECK enum profile_verdict profile_verify(const struct dsig_job *job);
/* Signs <bytes> with a context that the thread keeps for <key>; <digest> is OpenSSL's name of it,
 * *n the room, then the length of the value (ECDSA: DER). False, and nothing said, for what is not
 * known here (SHA-1, keys of tokens), before profile_library_init, and when OpenSSL does not sign:
 * the caller signs without. */
MUST_CHECK bool profile_sign(EVP_PKEY *key, const char *digest, struct span bytes,
                             uint8_t *ret_value, size_t *n);

/* Part of dsig_library_init and dsig_library_done. The latter gives back what the calling thread
 * keeps; other threads give theirs back when they end. */
MUST_CHECK struct status profile_library_init(struct diag *diag);
void profile_library_done(void);

#endif
