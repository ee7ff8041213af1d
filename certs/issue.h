/*
 * Makes keys, certificates and revocation lists for the development PKI and for tests. Internal to
 * certs/ and tests: nothing here is used while a node serves. Thread: any.
 */
#ifndef CERTS_ISSUE_H
#define CERTS_ISSUE_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/diag.h"

enum issue_kind {
    ISSUE_CA,      /* signs certificates and revocation lists */
    ISSUE_TLS,     /* both ends of a connection: serverAuth and clientAuth */
    ISSUE_SIGNING, /* assertions and Timestamps */
};

struct issue_request {
    enum issue_kind kind;
    const char *organization, *common_name; /* UTF-8, at most 64 characters each */
    const char *const *hosts;               /* SANs: DNS names and addresses */
    size_t hosts_n;
    int64_t not_before_us, not_after_us;
    const char *digest; /* of the signature: "SHA256" */
};

/* "rsa:BITS" or "ec:CURVE". */
MUST_CHECK struct status issue_key(const char *type, struct diag *diag, EVP_PKEY **ret_key);
/* <issuer> NULL: signed by itself, <issuer_key> is <key>. */
MUST_CHECK struct status issue_certificate(const struct issue_request *request, EVP_PKEY *key,
                                           X509 *issuer, EVP_PKEY *issuer_key, struct diag *diag,
                                           X509 **ret_x509);
/* What <previous> (may be NULL) lists, and <revoked> (may be NULL). */
MUST_CHECK struct status issue_crl(X509 *issuer, EVP_PKEY *issuer_key, X509_CRL *previous,
                                   X509 *revoked, int64_t now_us, int64_t next_us,
                                   struct diag *diag, X509_CRL **ret_crl);

#endif
