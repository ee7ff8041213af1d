/*
 * Certificates and revocation lists that no authority should make, and their benign twins. Each
 * certificate is described by one struct; what is not said is as it should be.
 */
#ifndef ODD_CHAIN_H
#define ODD_CHAIN_H

#include <openssl/x509.h>

#include "base/clock.h"
#include "certs/certificate.h"

#define ODD_DAY_US     (INT64_C(86400) * US_PER_S)
#define ODD_LEVELS_MAX 24

struct odd {
    const char *key;           /* "ec:P-256" (default), "rsa:2048", "ED25519", "ED448", "pss" */
    const char *name;          /* common name; "" for an empty subject; default by its level */
    const char *basic;         /* basicConstraints; default by its place; "" for none */
    const char *usage;         /* keyUsage; the same */
    const char *extended;      /* extKeyUsage; NULL: none */
    const char *san;           /* subjectAltName; NULL: none */
    const char *constraints;   /* nameConstraints; NULL: none */
    const char *netscape;      /* nsCertType; NULL: none */
    const char *digest;        /* of the signature on it; default "SHA256" */
    int from_days, until_days; /* from now; both 0: valid now */
    bool is_pss;               /* the signature on it is RSA-PSS; the issuer's key must be RSA */
    bool has_key_ids;          /* subject and authority key identifiers */
    bool is_critical_unknown;  /* has a critical extension that nobody knows */
};

/* Keys are made once for each kind and number, and shared. Borrowed. */
EVP_PKEY *odd_key(const char *kind, size_t number);
void odd_keys_done(void);

/* Level 0 is the root (signed by itself); each further one is signed by the one before. */
struct odd_chain {
    X509 *x509[ODD_LEVELS_MAX];
    EVP_PKEY *key[ODD_LEVELS_MAX]; /* borrowed */
    size_t n;
};
void odd_chain_make(const struct odd *levels, size_t n, size_t key_number, int64_t now_us,
                    struct odd_chain *ret_chain);
void odd_chain_done(struct odd_chain *chain);

void odd_write_pem(const char *path, X509 *const *x509, size_t n);
void odd_write_crl(const char *path, X509_CRL *const *crls, size_t n);
void odd_write_crl_der(const char *path, X509_CRL *crl);

#endif
