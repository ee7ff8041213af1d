/*
 * A credential: our own certificate chain with its private key. Loaded with the configuration,
 * which owns it; immutable. RSA of 2048 to 8192 bits or EC P-256/P-384 only. Thread: any may read.
 */
#ifndef CERTS_CREDENTIAL_H
#define CERTS_CREDENTIAL_H

#include "certs/certificate.h"

struct credential {
    struct certificate *leaf;
    EVP_PKEY *key; /* the private key, or a handle to one in a token; matches leaf */
    X509 **chain;  /* intermediates, leaf's issuer first; may be empty */
    size_t chain_n;
};

/* Where a credential comes from. Borrowed during the call. */
struct credential_sources {
    const char *certificate_path; /* PEM: leaf first, then intermediates */
    const char *key;             /* path of a PEM file (PKCS#8 or traditional, encrypted or not), or
                                    "pkcs11:..." (RFC 7512): the key stays in its token */
    const char *passphrase_path; /* file whose first line opens the key (a token: its PIN); NULL */
    const char *passphrase_env;  /* ... or the name of an environment variable; NULL */
    const char *pkcs11_module;   /* shared object of the token's maker; with "pkcs11:" only */
};

/* What is to be changed when loading fails. */
enum credential_file {
    CREDENTIAL_FILE_CERTIFICATE,
    CREDENTIAL_FILE_KEY,
    CREDENTIAL_FILE_PASSPHRASE,
    CREDENTIAL_FILE_MODULE
};

/* Refuses (ERR_CREDENTIAL): a key, passphrase or PIN file that others than its owner may use
 * (mode & 077), a key that does not match the certificate, weak keys, an expired leaf, a wrong
 * passphrase, a passphrase for a key that is not encrypted. Our copies of passphrases and PINs are
 * wiped before it returns. ERR_IO. Thread: one at a time for keys in tokens. */
MUST_CHECK struct status credential_make(const struct credential_sources *sources, int64_t now_us,
                                         struct diag *diag, enum credential_file *ret_culprit,
                                         struct credential **ret_credential);
/* As credential_make, from a certificate and a key in the clear. */
MUST_CHECK struct status credential_load(const char *certificate_path, const char *key_path,
                                         int64_t now_us, struct diag *diag,
                                         struct credential **ret_credential);
/* When the first intermediate of its chain ends (wall time); INT64_MAX without any. */
int64_t credential_chain_end_us(const struct credential *credential);
void credential_free(struct credential *credential);

#endif
