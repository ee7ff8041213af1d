/*
 * What the files of a trust store share. Internal to certs/.
 */
#ifndef CERTS_TRUST_PARTS_H
#define CERTS_TRUST_PARTS_H

#include <openssl/x509.h>

#include "certs/trust.h"

/* Reads the revocation lists of <bytes> (PEM or DER) into the store; <name> is for errors. */
MUST_CHECK struct status trust_read_crls(X509_STORE *store, struct span bytes, const char *name,
                                         struct diag *diag);
/* When the first issuer's newest list ends, by nextUpdate or <max_age_us> (0: no limit). */
int64_t trust_first_end_us(X509_STORE *store, int64_t max_age_us);

/* Puts our rules about revocation into the store: the age, and that an anchor which is the leaf
 * needs no list. */
MUST_CHECK struct status trust_set_crl_rules(X509_STORE *store, int64_t max_age_us,
                                             struct diag *diag);
/* OpenSSL's time in microseconds; INT64_MIN when absent or unreadable. */
int64_t trust_time_us(const ASN1_TIME *time);

#endif
