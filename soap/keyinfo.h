/*
 * ds:KeyInfo: which of the keys that we know it names, and how we write our own. What a KeyInfo
 * brings is never trusted: it is compared with the registered certificates, and that is all.
 * Thread: any.
 */
#ifndef SOAP_KEYINFO_H
#define SOAP_KEYINFO_H

#include "base/xmlw.h"
#include "certs/credential.h"
#include "soap/sigrules.h"

#define KEYINFO_KEYS_MAX 16 /* registered signing certificates of one partner */

/* A set of registered keys: bit i is keys[i]. */
struct key_hint {
    bool is_given; /* it names a key at all, by X509Certificate, RSAKeyValue or ECKeyValue */
    uint32_t keys;
};
/* Several names in one KeyInfo must agree: the set is what all of them name. KeyName, issuer and
 * serial number, subject and token references name nothing here. ERR_SIG_STRUCTURE: a value that
 * cannot be decoded, more than eight certificates, or a child that makes readers fetch, follow or
 * decrypt something. <key_info> NULL: nothing is given. */
MUST_CHECK struct status keyinfo_read(const xmlNode *key_info, struct certificate *const *keys,
                                      size_t keys_n, struct diag *diag, struct key_hint *ret_hint);

/* ds:KeyInfo with KeyValue (RSA; EC as dsig11) and X509Data of the credential's certificate. */
MUST_CHECK struct status keyinfo_write(struct xmlw *w, const struct credential *credential,
                                       struct diag *diag);

#endif
