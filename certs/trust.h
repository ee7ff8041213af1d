/*
 * A trust store: the anchors of one purpose (`trust.partners`, for one) and their revocation lists.
 * Chain building and validity are OpenSSL's; which partner a proven certificate speaks for is
 * decided by the configuration (config_partner_of_peer).
 *
 * Immutable: a store never changes once it is made, so any thread may verify with it, without a
 * lock. New lists mean a new store: trust_has_changed says when, trust_refresh makes it, and its
 * owner puts it in the old one's place. Whoever still works with the old one is safe because he
 * holds a reference: the configuration to its stores, a transaction to its configuration, and a TLS
 * context to OpenSSL's half of the store (SSL_CTX_set1_cert_store), which keeps all that a
 * handshake needs. The memory goes with the last reference.
 */
#ifndef CERTS_TRUST_H
#define CERTS_TRUST_H

#include "certs/certificate.h"

#define TRUST_CRL_BYTES_MAX                                                                        \
    ((size_t)64 * 1024 * 1024) /* of one list file, unless it says other                           \
                                */
#define TRUST_CRLS_MAX 256     /* files, and lists in all */

struct trust;

/* What a store is made of. Copied: nothing here need outlive the call. */
struct trust_sources {
    const char *anchors_path;     /* PEM: CA certificates (roots or intermediates), or partners' own
                                     certificates (direct comparison, ITI TF-2 3.19) */
    const char *const *crl_paths; /* each one PEM (any number of lists) or DER (one list) */
    size_t crl_paths_n;
    const struct span *crl_bytes; /* the same, fetched: not read again by trust_refresh */
    size_t crl_bytes_n;
    bool must_have_crl;     /* even when there is none yet: then nobody is trusted */
    size_t crl_bytes_max;   /* of one file or fetched list; 0: TRUST_CRL_BYTES_MAX */
    int64_t crl_max_age_us; /* since its thisUpdate a list counts for so long; 0: to nextUpdate */
};

/* Which of the sources is to be changed when loading fails. */
enum trust_file { TRUST_FILE_ANCHORS, TRUST_FILE_CRL, TRUST_FILE_CRL_BYTES };
struct trust_culprit {
    enum trust_file file;
    size_t index; /* among crl_paths or crl_bytes */
};

/* With a revocation list (or must_have_crl), every certificate of a chain must have a current one
 * of its issuer (fail closed), but for a self-signed certificate that is itself an anchor: to take
 * it out of the file is to revoke it. Refused lists: signed with SHA-1 or weaker, without
 * nextUpdate, too large, and lists in an anchor's name that no anchor of this name signed.
 * ERR_IO, ERR_CREDENTIAL. The result has one reference. */
MUST_CHECK struct status trust_make(const struct trust_sources *sources, struct diag *diag,
                                    struct trust_culprit *ret_culprit, struct trust **ret_trust);
/* As trust_make with one list file or none (NULL). */
MUST_CHECK struct status trust_load(const char *anchors_path, const char *crl_path,
                                    struct diag *diag, struct trust **ret_trust);
/* A new store from the files of <old>, read anew, with these fetched lists. <old> is untouched, and
 * stays in use when this fails. */
MUST_CHECK struct status trust_refresh(const struct trust *old, const struct span *crl_bytes,
                                       size_t crl_bytes_n, struct diag *diag,
                                       struct trust **ret_trust);
/* Has one of its files another size, time or inode than when it was read, or is it gone? Costs one
 * stat a file: for a timer, not for a request. */
bool trust_has_changed(const struct trust *trust);

struct trust *trust_ref(const struct trust *trust);
void trust_free(struct trust *trust); /* gives a reference back; NULL is fine */

X509_STORE *trust_store(const struct trust *trust); /* borrowed */
size_t trust_anchors(const struct trust *trust);    /* how many */
/* Borrowed; for expiry warnings. */
const struct certificate *trust_anchor(const struct trust *trust, size_t index);
/* When the first authority has no current list any more (from then on nobody whom it issued for is
 * trusted), by nextUpdate or by age; INT64_MAX without lists. */
int64_t trust_crl_next_update_us(const struct trust *trust);
bool trust_checks_crl(const struct trust *trust);

/* ---- verification ---- */

enum trust_purpose { TRUST_PURPOSE_CLIENT, TRUST_PURPOSE_SERVER, TRUST_PURPOSE_SIGNING };

/* What OpenSSL has no code for: results of X509_STORE_CTX_get_error and SSL_get_verify_result. */
enum trust_verdict {
    TRUST_VERDICT_KEY = 0x69730001, /* a key that we do not compute with, at some level */
    TRUST_VERDICT_CRL_AGE,          /* the list is older than crl_max_age */
};
/* A verdict in words, OpenSSL's included. A static string. */
const char *trust_verdict_text(long verdict);

/* In place of X509_verify_cert, in handshakes: the same, then our own rules for each level below
 * the anchor. 1: trusted; 0: not, and the context's error says why. The purpose is the context's.
 */
int trust_judge(X509_STORE_CTX *context);

/* Chain, validity at <now_us>, lists, key size and kind, digest of signatures (SHA-1 refused), name
 * constraints and path length at every level, the leaf's key usage and extended key usage for
 * <purpose>. <others>: certificates that may help to build the chain (not trusted), may be NULL.
 * ERR_SIG_NO_TRUST says which check failed at which certificate. */
MUST_CHECK struct status trust_verify_for(const struct trust *trust, enum trust_purpose purpose,
                                          const struct certificate *certificate,
                                          X509 *const *others, size_t others_n, int64_t now_us,
                                          struct diag *diag);
/* What no list and no anchor can mend about a signing certificate: the kind and size of its key,
 * its usage. ERR_SIG_NO_TRUST. trust_verify looks into it, too. */
MUST_CHECK struct status trust_check_signing_form(const struct certificate *certificate,
                                                  struct diag *diag);
/* The same for a signing certificate alone. Its extended key usage, if it has one, must allow some
 * use in a protocol or on documents (TLS, e-mail, document signing): gateways sign with their TLS
 * certificate. */
MUST_CHECK struct status trust_verify(const struct trust *trust,
                                      const struct certificate *certificate, int64_t now_us,
                                      struct diag *diag);

#endif
