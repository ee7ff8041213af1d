/*
 * Is the server that answered the partner that was asked? OpenSSL proves the chain to the partners'
 * anchors; then the certificate must be one that the partner's record lists, by a name in it
 * (identity: san) or by its fingerprint (identity: certificate). Called by curl and OpenSSL inside
 * the handshake, on the engine's thread: when it says no, the handshake fails with an alert and no
 * byte of the request has been sent.
 *
 * curl's own check of the host name is off: any certificate that our partners' authorities issue
 * for the host of the URL would pass it, another partner's included. The record is stricter.
 */
#include <stdio.h>
#include <time.h>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "certs/certificate.h"
#include "certs/tls.h"
#include "out/parts.h"

static int opener_index = -1; /* of what we note at a context */

struct status
peer_check_init(struct diag *diag)
{
    opener_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    return opener_index >= 0 ? OK : FAIL(diag, ERR_CRYPTO, "OpenSSL has no room for data of ours");
}

/* A handshake belongs to the transfer that opened the connection, which the connection may outlive:
 * then it is NULL. */
static struct transfer *
opener_of(const SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), opener_index);
}

void
peer_check_forget(struct transfer *transfer)
{
    if (transfer->context != NULL) {
        (void)SSL_CTX_set_ex_data(transfer->context, opener_index, NULL);
        SSL_CTX_free(transfer->context);
        transfer->context = NULL;
    }
}

static struct status
check_names(const struct partner *partner, const struct certificate *certificate, struct diag *diag)
{
    for (size_t i = 0; i < partner->tls_names.n; i++) {
        if (certificate_names(certificate, span_of_cstr(partner->tls_names.items[i]))) {
            return OK;
        }
    }
    return FAIL(diag, ERR_PARTNER_TLS,
                "partner '%s': expected a certificate with one of the %zu names of its record "
                "('%s'), got '%s' with %zu names ('%s'); correct its record or ask the partner",
                partner->id, partner->tls_names.n,
                partner->tls_names.n > 0 ? partner->tls_names.items[0] : "", certificate->subject,
                certificate->dns_n, certificate->dns_n > 0 ? certificate->dns[0] : "");
}

static struct status
check_fingerprints(const struct partner *partner, const struct certificate *certificate,
                   struct diag *diag)
{
    const struct span sha256 = span_of_cstr(certificate->sha256);
    for (size_t i = 0; i < partner->tls_sha256.n; i++) {
        if (span_eq_nocase(span_of_cstr(partner->tls_sha256.items[i]), sha256)) {
            return OK;
        }
    }
    return FAIL(diag, ERR_PARTNER_TLS,
                "partner '%s': expected one of the %zu certificates of its record, got '%s' with "
                "SHA-256 %s; has the partner a new one?",
                partner->id, partner->tls_sha256.n, certificate->subject, certificate->sha256);
}

/* A name with a wildcard is taken for all names under it: somebody's who is another partner by its
 * record must not be. */
static struct status
check_owner(const struct config *config, const struct partner *partner,
            const struct certificate *certificate, struct diag *diag)
{
    const struct partner *owner = NULL;
    struct diag ignored = {.code = ERR_NONE};
    if (is_ok(config_partner_of_peer(config, certificate, &ignored, &owner)) && owner != partner) {
        return FAIL(diag, ERR_PARTNER_TLS,
                    "partner '%s': its server showed the certificate '%s', which belongs to "
                    "partner '%s' by the names of that one's record",
                    partner->id, certificate->subject, owner->id);
    }
    return OK;
}

static struct status
check_record(const struct config *config, const struct partner *partner, X509 *x509,
             struct diag *diag)
{
    struct certificate *certificate = NULL;
    struct diag reason = {.code = ERR_NONE};
    if (!is_ok(certificate_from_x509(x509, &reason, &certificate))) {
        return FAIL(diag, ERR_PARTNER_TLS, "partner '%s': its certificate cannot be used: %s",
                    partner->id, reason.text);
    }
    struct status st = partner->identity == PARTNER_IDENTITY_CERTIFICATE
                           ? check_fingerprints(partner, certificate, diag)
                           : check_names(partner, certificate, diag);
    if (is_ok(st)) {
        st = check_owner(config, partner, certificate, diag);
    }
    certificate_free(certificate);
    return st;
}

/* The record pins it in place of a chain: all that its certificate itself must be is in time. */
static struct status
check_dates(const struct partner *partner, X509 *x509, struct diag *diag)
{
    if (X509_cmp_current_time(X509_get0_notBefore(x509)) < 0 &&
        X509_cmp_current_time(X509_get0_notAfter(x509)) > 0) {
        return OK;
    }
    return FAIL(diag, ERR_PARTNER_TLS,
                "partner '%s': expected a certificate that is valid today, the one that its record "
                "pins is not; ask the partner for its new one",
                partner->id);
}

static struct status
check_chain(const struct partner *partner, X509_STORE_CTX *store, struct diag *diag)
{
    if (partner->is_server_pinned) {
        return check_dates(partner, X509_STORE_CTX_get0_cert(store), diag);
    }
    if (trust_judge(store) == 1) {
        return OK;
    }
    return FAIL(diag, ERR_PARTNER_TLS,
                "partner '%s': expected a certificate that chains to our anchors for partners, "
                "got one that does not (at depth %d: %s); is its authority in the trust store, "
                "and are the revocation lists current?",
                partner->id, X509_STORE_CTX_get_error_depth(store),
                trust_verdict_text(X509_STORE_CTX_get_error(store)));
}

static struct status
check_peer(const struct config *config, const struct partner *partner, X509_STORE_CTX *store,
           struct diag *diag)
{
    struct status st = check_chain(partner, store, diag);
    if (!is_ok(st) && !partner->is_server_pinned) {
        return st; /* the store has its own error */
    }
    if (is_ok(st)) {
        st = check_record(config, partner, X509_STORE_CTX_get0_cert(store), diag);
    }
    X509_STORE_CTX_set_error(store, is_ok(st) ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
    return st;
}

/* In place of OpenSSL's verification, which it calls first. 1: the peer is the partner. */
static int
verify(X509_STORE_CTX *store, void *arg)
{
    const struct pool *pool = arg;
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct transfer *transfer = ssl == NULL ? NULL : opener_of(ssl);
    return is_ok(check_peer(pool->era->config, pool->partner, store,
                            transfer == NULL ? NULL : &transfer->diag));
}

/* RFC 8446 6.2: alerts that judge a certificate, by the numbers in OpenSSL's names. */
static bool
is_about_certificate(int alert)
{
    return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
           alert == SSL_AD_UNKNOWN_CA || alert == SSL_AD_ACCESS_DENIED ||
           alert == SSL_AD_CERTIFICATE_REQUIRED;
}

/* The partner judges us as well. In TLS 1.3 it does so when our side of the handshake is done: its
 * refusal comes in place of an answer. */
static void
note_alert(struct transfer *transfer, int value)
{
    const int level = value >> 8, alert = value & 0xFF;
    if (level != SSL3_AL_FATAL) {
        return;
    }
    const struct status st =
        FAIL(&transfer->diag, ERR_PARTNER_TLS, "partner '%s' %s (TLS alert: %s); %s",
             transfer->request.partner->id,
             is_about_certificate(alert) ? "refused our certificate" : "ended the TLS connection",
             SSL_alert_desc_string_long(value),
             is_about_certificate(alert) ? "does it know this node's, and trust its authority?"
                                         : "compare TLS versions and suites with the partner");
    (void)st;
}

/* What was agreed on; messages after the handshake come here as well. */
static void
note_handshake(struct transfer *transfer, const SSL *ssl)
{
    struct out_tls *tls = &transfer->tls;
    const X509 *x509 = SSL_get0_peer_certificate(ssl);
    struct tm until;
    if (tls->version[0] != '\0' || x509 == NULL) {
        return;
    }
    (void)snprintf(tls->version, sizeof(tls->version), "%s", SSL_get_version(ssl));
    (void)snprintf(tls->suite, sizeof(tls->suite), "%s", SSL_get_cipher_name(ssl));
    tls->handshake_us = clock_mono_us(transfer->engine->clock) - transfer->start_us;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(x509), &until) == 1) {
        tls->expires_us = (int64_t)timegm(&until) * US_PER_S;
    }
}

static void
note_event(const SSL *ssl, int where, int value)
{
    struct transfer *transfer = opener_of(ssl);
    if (transfer != NULL && where == SSL_CB_READ_ALERT) {
        note_alert(transfer, value);
    } else if (transfer != NULL && where == SSL_CB_HANDSHAKE_DONE) {
        note_handshake(transfer, ssl);
    }
}

/* After the verification, whether something was stapled or not. */
static int
judge_status(SSL *ssl, void *arg)
{
    (void)arg;
    return server_status_judge(ssl, opener_of(ssl));
}

CURLcode
peer_check_prepare(CURL *easy, void *ssl_context, void *arg)
{
    struct transfer *transfer = arg;
    const struct era *era = transfer->pool->era;
    const struct partner *partner = transfer->pool->partner;
    SSL_CTX *context = ssl_context;
    (void)easy;
    transfer->is_connected = true;
    if (!is_ok(tls_client_context_prepare(context, partner->credential, partner->trust,
                                          partner->may_connect_legacy, &transfer->diag))) {
        return CURLE_SSL_CERTPROBLEM;
    }
    if (partner->has_legacy_suites &&
        !is_ok(tls_client_context_allow_suites(context, &transfer->diag))) {
        return CURLE_SSL_CIPHER;
    }
    peer_check_forget(transfer); /* of an address that did not answer, or a connection before */
    if (SSL_CTX_set_ex_data(context, opener_index, transfer) != 1 || SSL_CTX_up_ref(context) != 1) {
        return CURLE_OUT_OF_MEMORY;
    }
    transfer->context = context;
    if (era->status != NULL && partner->trust == era->config->partner_trust &&
        !partner->is_server_pinned &&
        (SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp) != 1 ||
         SSL_CTX_set_tlsext_status_cb(context, judge_status) != 1)) {
        return CURLE_OUT_OF_MEMORY;
    }
    SSL_CTX_set_info_callback(context, note_event);
    SSL_CTX_set_cert_verify_callback(context, verify, transfer->pool);
    SSL_CTX_set_keylog_callback(context, NULL); /* curl's, which the environment switches on */
    return CURLE_OK;
}
