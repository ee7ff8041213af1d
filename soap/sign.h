/*
 * Makes one XML signature over bytes that are in exclusive canonical form already, because our
 * writer (base/xmlw.h) wrote them so: digest, SignedInfo, EVP. No tree, no canonicaliser: what
 * costs is the key's arithmetic. Thread: any.
 */
#ifndef SOAP_SIGN_H
#define SOAP_SIGN_H

#include "base/dialect.h"
#include "base/xmlw.h"
#include "certs/credential.h"

struct sign_order {
    const struct credential *signer; /* RSA, or EC on P-256 or P-384 */
    enum dialect_digest digest;      /* EC: with P-384 at least SHA-384, and never SHA-512 */
    struct span id;                  /* of the element that is signed */
    bool is_enveloped;               /* the signature will stand inside of it */
};
/* <before> and <after> are the element's canonical form, one behind the other, without the
 * signature. Appends ds:SignedInfo with its namespace, and the base64 of SignatureValue. ERR_CRYPTO
 * when the key cannot sign. */
MUST_CHECK struct status sign_canonical(const struct sign_order *order, struct span before,
                                        struct span after, struct buf *info, struct buf *value,
                                        struct diag *diag);

#endif
