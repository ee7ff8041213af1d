/*
 * The Online Certificate Status Protocol, RFC 6960: the bytes of a question about one certificate,
 * and what an answer proves. Pure: no network, no cache, no clock. Thread: any.
 */
#ifndef CERTS_OCSP_H
#define CERTS_OCSP_H

#include "certs/status.h"

#define OCSP_URL_MAX 512

/* Whose status: a certificate and the one that issued it, both of a proven chain. Borrowed. */
struct ocsp_subject {
    X509 *certificate, *issuer;
};

struct ocsp_rules {
    int64_t now_us;     /* wall */
    int64_t skew_us;    /* how far the responder's clock may differ */
    int64_t max_age_us; /* an answer whose thisUpdate is older is refused, nextUpdate or not */
    X509_STORE *store;  /* a delegated responder must chain to it, revocation lists included */
};

struct ocsp_result {
    enum status_verdict verdict;
    int64_t this_us;  /* wall: when that was so, by the responder's clock (thisUpdate) */
    int64_t until_us; /* wall: the answer holds until then (nextUpdate, or thisUpdate + max_age) */
    int64_t revoked_us;
    const char *reason; /* of a revocation, static; "" when none is given */
};

/* Appends the DER of a question with a fresh nonce. ERR_CRYPTO, ERR_LIMIT_BUFFER. */
MUST_CHECK struct status ocsp_write_request(const struct ocsp_subject *subject, struct buf *out,
                                            struct diag *diag);

/* Believes <response> only when it is exactly one DER OCSPResponse of at most FETCH_OCSP_MAX bytes
 * that is successful, is about this certificate of this issuer, is current, holds no critical
 * extension, is signed with SHA-2 by the issuer itself or by a responder whose certificate this
 * very issuer signed for OCSP (extendedKeyUsage id-kp-OCSPSigning, RFC 6960 4.2.2.2), valid, and
 * not revoked by the store's lists. <request>: the DER that was asked; its nonce and the answer's
 * must agree when the answer has one. Empty when nothing was asked (a stapled answer). Everything
 * else is ERR_OCSP with the reason. */
MUST_CHECK struct status ocsp_judge(const struct ocsp_subject *subject,
                                    const struct ocsp_rules *rules, struct span request,
                                    struct span response, struct diag *diag,
                                    struct ocsp_result *ret_result);

/* The first http URL of an OCSP responder in the certificate (authorityInfoAccess); false when
 * there is none. */
bool ocsp_responder_of(X509 *certificate, char ret_url[OCSP_URL_MAX]);

#endif
