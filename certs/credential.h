/*
 * A credential: our own certificate chain with its private key. Loaded with the configuration,
 * which owns it; immutable. RSA of 2048 to 8192 bits or EC P-256/P-384 only. Thread: any may read.
 */
#ifndef CERTS_CREDENTIAL_H
#define CERTS_CREDENTIAL_H

#include "certs/certificate.h"

struct credential {
    struct certificate *leaf;
    EVP_PKEY *key; /* the private key; matches leaf */
    X509 **chain;  /* intermediates, leaf's issuer first; may be empty */
    size_t chain_n;
};

/* Certificate file: leaf first, then intermediates. Refuses (ERR_CREDENTIAL): a key that others
 * than its owner may read (mode & 077), one that does not match the certificate, weak keys, an
 * expired leaf. */
MUST_CHECK struct status credential_load(const char *certificate_path, const char *key_path,
                                         int64_t now_us, struct diag *diag,
                                         struct credential **ret_credential);
/* As credential_load; on failure *ret_culprit says which of the two files is to be changed. */
enum credential_file { CREDENTIAL_FILE_CERTIFICATE, CREDENTIAL_FILE_KEY };
MUST_CHECK struct status credential_load_files(const char *certificate_path, const char *key_path,
                                               int64_t now_us, struct diag *diag,
                                               enum credential_file *ret_culprit,
                                               struct credential **ret_credential);
void credential_free(struct credential *credential);

#endif
