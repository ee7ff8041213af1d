/*
 * Signatures over plain bytes, beside those of XML: what the audit's statements carry. As OpenSSL
 * writes them, so that `openssl dgst -verify` checks them too: RSA with PKCS #1 v1.5, ECDSA as DER,
 * both over SHA-256. Thread: any.
 */
#ifndef CERTS_BYTES_H
#define CERTS_BYTES_H

#include "certs/credential.h"

#define BYTES_SIGNATURE_MAX ((size_t)1024) /* RSA-8192 */

/* "RSA-SHA256" or "ECDSA-SHA256": what a key signs with. */
const char *bytes_algorithm(const EVP_PKEY *key);
/* Appends the signature. ERR_CREDENTIAL when the key, or its token, does not work. */
MUST_CHECK struct status bytes_sign(const struct credential *credential, struct span bytes,
                                    struct buf *out, struct diag *diag);
/* ERR_SIG_INVALID when it is not a signature over these bytes with the certificate's key. */
MUST_CHECK struct status bytes_check(const struct certificate *certificate, struct span bytes,
                                     struct span signature, struct diag *diag);

#endif
