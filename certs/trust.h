/*
 * A trust store: the anchors of one purpose (`trust.partners`, for one) and their revocation lists.
 * Immutable after loading; owner: the configuration. Chain building and validity are OpenSSL's;
 * which partner a proven certificate speaks for is decided by the configuration
 * (config_partner_of_peer). Thread: any may verify.
 */
#ifndef CERTS_TRUST_H
#define CERTS_TRUST_H

#include "certs/certificate.h"

struct trust;

/* Anchors: PEM file with CA certificates (roots or intermediates) or partners' own certificates
 * (direct comparison, ITI TF-2 3.19). <crl_path> may be NULL; with one, every
 * certificate of a chain must have a current CRL there (fail closed). ERR_IO, ERR_CREDENTIAL. */
MUST_CHECK struct status trust_load(const char *anchors_path, const char *crl_path,
                                    struct diag *diag, struct trust **ret_trust);
/* As trust_load; on failure *ret_culprit says which of the two files is to be changed. */
enum trust_file { TRUST_FILE_ANCHORS, TRUST_FILE_CRL };
MUST_CHECK struct status trust_load_files(const char *anchors_path, const char *crl_path,
                                          struct diag *diag, enum trust_file *ret_culprit,
                                          struct trust **ret_trust);
void trust_free(struct trust *trust);
X509_STORE *trust_store(const struct trust *trust); /* borrowed */
size_t trust_anchors(const struct trust *trust);    /* how many */
/* When the first revocation list ends (from then on nobody is trusted); INT64_MAX without one. */
int64_t trust_crl_next_update_us(const struct trust *trust);

/* Chain, validity at <now_us>, CRL, key size, digest of signatures (SHA-1 refused) for any purpose
 * (signing certificates). ERR_SIG_NO_TRUST says which check failed at which certificate. */
MUST_CHECK struct status trust_verify(const struct trust *trust,
                                      const struct certificate *certificate, int64_t now_us,
                                      struct diag *diag);

#endif
