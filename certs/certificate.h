/*
 * One decoded X.509 certificate and the facts that the rest of the program asks of it, so that
 * nobody decodes certificates on a hot path. Immutable after loading; counted by reference, the
 * first is that of whoever loaded it (configuration, handshake, cache). Thread: any may read.
 */
#ifndef CERTS_CERTIFICATE_H
#define CERTS_CERTIFICATE_H

#include <stdatomic.h>

#include "base/digest.h"
#include "base/patient.h" /* struct span_list */
#include "certs/key_numbers.h"

#define CERTIFICATE_SANS_MAX     256
#define CERTIFICATE_LIST_MAX     256
#define CERTIFICATE_RSA_BITS_MIN 2048
#define CERTIFICATE_RSA_BITS_MAX 8192 /* what a peer may make us compute with */

struct certificate {
    X509 *x509;
    EVP_PKEY *key;                   /* the public key; owned by this object */
    struct key_numbers *numbers;     /* the same; NULL when it is neither RSA nor EC */
    char sha256[SHA256_HEX];         /* of the DER, lower case */
    char *subject;                   /* RFC 2253 text, UTF-8 */
    char *dns[CERTIFICATE_SANS_MAX]; /* subjectAltName dNSName, lower case; IP addresses as text */
    size_t dns_n;
    int64_t not_before_us, not_after_us; /* wall time */
    atomic_uint references;              /* one for whoever loaded it */
};

/* Takes a reference to <x509>. ERR_CREDENTIAL when it has no usable key. */
MUST_CHECK struct status certificate_from_x509(X509 *x509, struct diag *diag,
                                               struct certificate **ret_certificate);
/* From DER. ERR_CREDENTIAL when the bytes are not exactly one certificate. */
MUST_CHECK struct status certificate_from_der(struct span der, struct diag *diag,
                                              struct certificate **ret_certificate);
/* The first certificate of a PEM file. ERR_IO, ERR_CREDENTIAL. */
MUST_CHECK struct status certificate_from_file(const char *path, struct diag *diag,
                                               struct certificate **ret_certificate);
/* Its DER, appended. */
MUST_CHECK struct status certificate_write_der(const struct certificate *certificate,
                                               struct buf *out, struct diag *diag);
struct certificate *certificate_ref(struct certificate *certificate);
void certificate_free(struct certificate *certificate); /* gives a reference back; NULL is fine */
/* Does <host> (DNS name or IP text, no wildcard of its own) match one of its SANs (RFC 6125)? */
bool certificate_names(const struct certificate *certificate, struct span host);

/* Is this a key that we compute with: RSA of 2048 to 8192 bits, EC on P-256 or P-384?
 * ERR_CREDENTIAL says what it is instead. */
MUST_CHECK struct status certificate_check_key(const EVP_PKEY *key, struct diag *diag);

/* The SHA-256 of the key itself, lower case: equal for all certificates of one key, however they
 * write it. ERR_CREDENTIAL when it is neither RSA nor EC. */
MUST_CHECK struct status certificate_key_sha256(const struct certificate *certificate,
                                                struct diag *diag, char ret_hex[SHA256_HEX]);

/* All certificates of a PEM file, in its order; each is owned by the list. */
struct certificate_list {
    struct certificate *items[CERTIFICATE_LIST_MAX];
    size_t n;
};
/* At least one; a damaged one is refused. ERR_IO, ERR_CREDENTIAL. */
MUST_CHECK struct status certificate_list_from_file(const char *path, struct diag *diag,
                                                    struct certificate_list *ret_list);
void certificate_list_done(struct certificate_list *list);

#endif
