/*
 * An OCSP responder's workshop for tests: answers as an authority or an attacker would make them,
 * and certificates that the development PKI does not issue. Real signatures throughout.
 */
#ifndef OCSP_KIT_H
#define OCSP_KIT_H

#include <openssl/ocsp.h>

#include "base/buf.h"
#include "base/clock.h"
#include "certs/certificate.h"

#define HOUR_S INT64_C(3600)

struct ocsp_answer {
    X509 *about, *issuer; /* whose status */
    X509 *signer;         /* its certificate goes into the answer unless <is_bare> */
    EVP_PKEY *signer_key;
    int status;             /* V_OCSP_CERTSTATUS_... */
    int64_t this_s, next_s; /* seconds from now; next 0: none */
    const char *digest;     /* of the signature; NULL: SHA256 */
    const char *id_digest;  /* of the certificate's id; NULL: SHA1 */
    bool is_bare;           /* without the signer's certificate */
    bool is_by_key;         /* the responder is named by its key */
    bool has_nonce;         /* the request's */
    bool has_wrong_nonce;   /* another */
    bool is_damaged;        /* one bit of the signature is turned */
    bool has_critical;      /* a critical extension that nobody knows */
    bool has_critical_entry;
    bool is_also_revoked; /* a second entry about it says revoked */
};
/* Appends the DER. <request>: what was asked, for the nonce; may be empty. */
bool ocsp_make(const struct ocsp_answer *answer, struct span request, struct buf *out);
/* One without content: OCSP_RESPONSE_STATUS_TRYLATER and the like. */
bool ocsp_make_error(int outcome, struct buf *out);

struct odd_certificate {
    const char *key;     /* of issue_key; NULL: ec:P-256 */
    const char *name;    /* common name */
    const char *usage;   /* extendedKeyUsage: "OCSPSigning"; NULL: none */
    const char *url;     /* of its OCSP responder; NULL: none */
    const char *feature; /* TLS feature: "status_request" */
    const char *host;    /* SAN; NULL: none */
    bool is_ca;
    int64_t from_us, until_us;
};
/* Issued by <issuer>, or by itself (NULL). NULL after a failure; the caller owns both. */
X509 *odd_issue(const struct odd_certificate *odd, X509 *issuer, EVP_PKEY *issuer_key,
                EVP_PKEY **ret_key);

#endif
