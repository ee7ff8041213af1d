/*
 * Trust stores over OpenSSL's X509_STORE, and the verification of signing certificates. Loaded with
 * the configuration; read by handshakes (through tls.c) and by the signature code on any thread:
 * the store's content never changes after loading.
 */
#include "certs/trust.h"

#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "certs/openssl_error.h"

#define CRL_FILE_MAX ((size_t)64 * 1024 * 1024)
#define CHAIN_MAX    6
/* OpenSSL's level 2: at least 112 bits, so RSA from 2048 bits and no SHA-1 or MD5 in a chain. */
#define SECURITY_LEVEL 2

struct trust {
    X509_STORE *store;
    size_t anchors_n;
    int64_t crl_next_update_us;
};

static int64_t
asn1_time_us(const ASN1_TIME *time)
{
    struct tm parts;

    return time == NULL || ASN1_TIME_to_tm(time, &parts) != 1 ? INT64_MIN
                                                              : (int64_t)timegm(&parts) * US_PER_S;
}

/* ---- loading ---- */

static struct status
load_anchors(struct trust *trust, const char *path, struct diag *diag)
{
    struct certificate_list list = {0};
    struct status st = OK;

    TRY(certificate_list_from_file(path, diag, &list));
    for (size_t i = 0; i < list.n && is_ok(st); i++) {
        if (X509_STORE_add_cert(trust->store, list.items[i]->x509) != 1) {
            st = FAIL(diag, ERR_CREDENTIAL, "%s: certificate %zu: %s", path, i + 1,
                      openssl_error_take());
        }
    }
    trust->anchors_n = list.n;
    certificate_list_done(&list);
    return st;
}

/* OpenSSL's security level judges certificates, not revocation lists. */
static bool
is_weak_digest(const X509_CRL *crl)
{
    int digest = NID_undef;

    return OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &digest, NULL) != 1 ||
           digest == NID_sha1 || digest == NID_md5;
}

static struct status
add_crl(struct trust *trust, X509_CRL *crl, const char *path, struct diag *diag)
{
    if (is_weak_digest(crl)) {
        return FAIL(diag, ERR_CREDENTIAL, "%s: a revocation list is signed with SHA-1 or weaker",
                    path);
    }
    if (X509_STORE_add_crl(trust->store, crl) != 1) {
        return FAIL(diag, ERR_CREDENTIAL, "%s: %s", path, openssl_error_take());
    }
    const int64_t next_update_us = asn1_time_us(X509_CRL_get0_nextUpdate(crl));

    if (next_update_us < trust->crl_next_update_us) {
        trust->crl_next_update_us = next_update_us;
    }
    return OK;
}

static struct status
read_crls(struct trust *trust, BIO *bio, const char *path, struct diag *diag)
{
    size_t n = 0;

    for (;; n++) {
        X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);

        if (crl == NULL) {
            break;
        }
        const struct status st = add_crl(trust, crl, path, diag);

        X509_CRL_free(crl);
        TRY(st);
    }
    const unsigned long error = ERR_peek_last_error();

    if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
        return FAIL(diag, ERR_CREDENTIAL, "%s: revocation list %zu is damaged: %s", path, n + 1,
                    openssl_error_take());
    }
    ERR_clear_error();
    if (n == 0) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "%s: no revocation list; expected PEM ('-----BEGIN X509 CRL-----')", path);
    }
    return OK;
}

static struct status
load_crls(struct trust *trust, const char *path, struct diag *diag)
{
    struct buf text;

    ERR_clear_error();
    buf_init(&text, CRL_FILE_MAX);
    struct status st = buf_read_file(&text, path, diag);

    if (is_ok(st)) {
        BIO *bio = BIO_new_mem_buf(text.n == 0 ? "" : text.p, (int)text.n);

        st = bio == NULL ? FAIL(diag, ERR_NO_MEMORY, "no memory for revocation lists")
                         : read_crls(trust, bio, path, diag);
        BIO_free(bio);
    }
    buf_done(&text);
    return st;
}

static struct status
load(struct trust *trust, const char *anchors_path, const char *crl_path, struct diag *diag,
     enum trust_file *ret_culprit)
{
    *ret_culprit = TRUST_FILE_ANCHORS;
    trust->store = X509_STORE_new();
    if (trust->store == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a trust store");
    }
    X509_VERIFY_PARAM *param = X509_STORE_get0_param(trust->store);

    /* Partial chain: an anchor need not be self-signed, and a partner's own certificate may be one
     * (direct comparison, ITI TF-2 3.19). */
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST;

    if (crl_path != NULL) {
        flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    }
    if (X509_VERIFY_PARAM_set_flags(param, flags) != 1) {
        return FAIL(diag, ERR_CRYPTO, "trust store: %s", openssl_error_take());
    }
    X509_VERIFY_PARAM_set_depth(param, CHAIN_MAX);
    X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
    TRY(load_anchors(trust, anchors_path, diag));
    *ret_culprit = TRUST_FILE_CRL;
    return crl_path == NULL ? OK : load_crls(trust, crl_path, diag);
}

struct status
trust_load_files(const char *anchors_path, const char *crl_path, struct diag *diag,
                 enum trust_file *ret_culprit, struct trust **ret_trust)
{
    struct trust *trust = mem_alloc(sizeof(*trust));

    if (trust == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a trust store");
    }
    trust->crl_next_update_us = INT64_MAX;
    const struct status st = load(trust, anchors_path, crl_path, diag, ret_culprit);

    if (!is_ok(st)) {
        trust_free(trust);
        return st;
    }
    *ret_trust = trust;
    return OK;
}

struct status
trust_load(const char *anchors_path, const char *crl_path, struct diag *diag,
           struct trust **ret_trust)
{
    enum trust_file culprit;

    return trust_load_files(anchors_path, crl_path, diag, &culprit, ret_trust);
}

void
trust_free(struct trust *trust)
{
    if (trust != NULL) {
        X509_STORE_free(trust->store);
        mem_free(trust);
    }
}

X509_STORE *
trust_store(const struct trust *trust)
{
    return trust->store;
}

size_t
trust_anchors(const struct trust *trust)
{
    return trust->anchors_n;
}

int64_t
trust_crl_next_update_us(const struct trust *trust)
{
    return trust->crl_next_update_us;
}

/* ---- verification ---- */

static struct status
untrusted(X509_STORE_CTX *context, const struct certificate *certificate, struct diag *diag)
{
    const int error = X509_STORE_CTX_get_error(context);
    X509 *at = X509_STORE_CTX_get_current_cert(context);
    char name[256] = "";

    if (at != NULL) {
        X509_NAME_oneline(X509_get_subject_name(at), name, sizeof(name));
    }
    ERR_clear_error();
    return FAIL(diag, ERR_SIG_NO_TRUST, "certificate '%s': %s (at depth %d: %s)",
                certificate->subject, X509_verify_cert_error_string(error),
                X509_STORE_CTX_get_error_depth(context), name);
}

static struct status
verify_chain(const struct trust *trust, const struct certificate *certificate, int64_t now_us,
             X509_STORE_CTX *context, struct diag *diag)
{
    if (X509_STORE_CTX_init(context, trust->store, certificate->x509, NULL) != 1) {
        return FAIL(diag, ERR_CRYPTO, "chain verification: %s", openssl_error_take());
    }
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), (time_t)(now_us / US_PER_S));
    if (X509_verify_cert(context) != 1) {
        return untrusted(context, certificate, diag);
    }
    return OK;
}

struct status
trust_verify(const struct trust *trust, const struct certificate *certificate, int64_t now_us,
             struct diag *diag)
{
    /* UINT32_MAX when there is no keyUsage: then everything is allowed. */
    const uint32_t usage = X509_get_key_usage(certificate->x509);
    struct diag reason = {0};

    if (!is_ok(certificate_check_key(certificate->key, &reason))) {
        return FAIL(diag, ERR_SIG_NO_TRUST, "certificate '%s': %s", certificate->subject,
                    reason.text);
    }
    if ((usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0) {
        return FAIL(diag, ERR_SIG_NO_TRUST, "certificate '%s': its key usage has no signatures",
                    certificate->subject);
    }
    X509_STORE_CTX *context = X509_STORE_CTX_new();

    if (context == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for verifying a chain");
    }
    const struct status st = verify_chain(trust, certificate, now_us, context, diag);

    X509_STORE_CTX_free(context);
    return st;
}
