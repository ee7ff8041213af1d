/*
 * What dsig.c and dsig_sign.c share; nobody else includes this. Thread: whoever owns the tree.
 */
#ifndef SOAP_DSIG_CONTEXT_H
#define SOAP_DSIG_CONTEXT_H

#include <openssl/types.h>

struct _xmlSecDSigCtx; /* xmlsec's */

/* A context that works with <key> (a reference is taken) and no other: with a key set, KeyInfo is
 * not read at all. NULL when it cannot be made. */
struct _xmlSecDSigCtx *dsig_context_new(EVP_PKEY *key);
void dsig_context_free(struct _xmlSecDSigCtx **context); /* for CLEANUP; NULL inside is fine */

#endif
