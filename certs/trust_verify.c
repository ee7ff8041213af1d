/*
 * Judges certificates: OpenSSL's chain verification, then what it does not ask. Called in
 * handshakes (trust_judge, by tls.c and out/) and by the signature code and the configuration
 * (trust_verify_for), on any thread.
 */
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "certs/openssl_error.h"
#include "certs/trust.h"

#define DOCUMENT_SIGNING "1.3.6.1.5.5.7.3.36" /* RFC 9336 */

const char *
trust_verdict_text(long verdict)
{
    switch (verdict) {
    case TRUST_VERDICT_KEY:
        return "a key that is neither RSA of 2048 to 8192 bits nor EC on P-256 or P-384";
    case TRUST_VERDICT_CRL_AGE:
        return "the revocation list is older than crl_max_age";
    default:
        return X509_verify_cert_error_string(verdict);
    }
}

/* ---- a proven chain ---- */

static int
refuse(X509_STORE_CTX *context, int depth, X509 *at, enum trust_verdict verdict)
{
    X509_STORE_CTX_set_error_depth(context, depth);
    X509_STORE_CTX_set_current_cert(context, at);
    X509_STORE_CTX_set_error(context, (int)verdict);
    return 0;
}

/* The leaf always; of the others all but the anchor, which the operator chose. */
int
trust_judge(X509_STORE_CTX *context)
{
    if (X509_verify_cert(context) != 1) {
        return 0;
    }
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
    const int n = sk_X509_num(chain);

    for (int depth = 0; depth < n; depth++) {
        X509 *x509 = sk_X509_value(chain, depth);

        if (depth > 0 && depth == n - 1) {
            break;
        }
        if (!is_ok(certificate_check_key(X509_get0_pubkey(x509), NULL))) {
            return refuse(context, depth, x509, TRUST_VERDICT_KEY);
        }
    }
    return 1;
}

/* ---- purposes ---- */

static bool
has_usage(const X509 *x509, const char *oid)
{
    EXTENDED_KEY_USAGE *list = X509_get_ext_d2i(x509, NID_ext_key_usage, NULL, NULL);
    bool is_found = false;
    char text[64];

    for (int i = 0; i < sk_ASN1_OBJECT_num(list) && !is_found; i++) {
        OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(list, i), 1);
        is_found = span_eq_cstr(span_of_cstr(text), oid);
    }
    EXTENDED_KEY_USAGE_free(list);
    return is_found;
}

static struct status
check_signing_usage(const struct certificate *certificate, struct diag *diag)
{
    /* UINT32_MAX when the extension is absent: then everything is allowed. */
    const uint32_t usage = X509_get_key_usage(certificate->x509);
    const uint32_t extended = X509_get_extended_key_usage(certificate->x509);

    if ((usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0) {
        return FAIL(diag, ERR_SIG_NO_TRUST, "certificate '%s': its key usage has no signatures",
                    certificate->subject);
    }
    if ((extended & (XKU_SSL_SERVER | XKU_SSL_CLIENT | XKU_SMIME | XKU_ANYEKU)) == 0 &&
        !has_usage(certificate->x509, DOCUMENT_SIGNING)) {
        return FAIL(diag, ERR_SIG_NO_TRUST,
                    "certificate '%s': its extended key usage allows neither TLS, e-mail nor "
                    "document signing",
                    certificate->subject);
    }
    return OK;
}

static bool
set_purpose(X509_STORE_CTX *context, enum trust_purpose purpose)
{
    switch (purpose) {
    case TRUST_PURPOSE_CLIENT:
        return X509_STORE_CTX_set_default(context, "ssl_client") == 1;
    case TRUST_PURPOSE_SERVER:
        return X509_STORE_CTX_set_default(context, "ssl_server") == 1;
    case TRUST_PURPOSE_SIGNING:
        return true; /* no purpose of OpenSSL's fits: check_signing_usage */
    }
    return false;
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
                certificate->subject, trust_verdict_text(error),
                X509_STORE_CTX_get_error_depth(context), name);
}

static struct status
verify_chain(X509_STORE_CTX *context, const struct trust *trust, enum trust_purpose purpose,
             const struct certificate *certificate, STACK_OF(X509) * others, int64_t now_us,
             struct diag *diag)
{
    if (X509_STORE_CTX_init(context, trust_store(trust), certificate->x509, others) != 1 ||
        !set_purpose(context, purpose)) {
        return FAIL(diag, ERR_CRYPTO, "chain verification: %s", openssl_error_take());
    }
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), (time_t)(now_us / US_PER_S));
    return trust_judge(context) == 1 ? OK : untrusted(context, certificate, diag);
}

static struct status
verify_with(const struct trust *trust, enum trust_purpose purpose,
            const struct certificate *certificate, STACK_OF(X509) * others, int64_t now_us,
            struct diag *diag)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();

    if (context == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for verifying a chain");
    }
    const struct status st =
        verify_chain(context, trust, purpose, certificate, others, now_us, diag);

    X509_STORE_CTX_free(context);
    return st;
}

static struct status
check_key(const struct certificate *certificate, struct diag *diag)
{
    struct diag reason = {0};

    if (!is_ok(certificate_check_key(certificate->key, &reason))) {
        return FAIL(diag, ERR_SIG_NO_TRUST, "certificate '%s': %s", certificate->subject,
                    reason.text);
    }
    return OK;
}

struct status
trust_check_signing_form(const struct certificate *certificate, struct diag *diag)
{
    TRY(check_key(certificate, diag));
    return check_signing_usage(certificate, diag);
}

struct status
trust_verify_for(const struct trust *trust, enum trust_purpose purpose,
                 const struct certificate *certificate, X509 *const *others, size_t others_n,
                 int64_t now_us, struct diag *diag)
{
    TRY(check_key(certificate, diag));
    if (purpose == TRUST_PURPOSE_SIGNING) {
        TRY(check_signing_usage(certificate, diag));
    }
    STACK_OF(X509) *stack = others_n == 0 ? NULL : sk_X509_new_null();
    struct status st = OK;

    for (size_t i = 0; i < others_n && is_ok(st); i++) {
        if (stack == NULL || sk_X509_push(stack, others[i]) <= 0) {
            st = FAIL(diag, ERR_NO_MEMORY, "no memory for verifying a chain");
        }
    }
    if (is_ok(st)) {
        st = verify_with(trust, purpose, certificate, stack, now_us, diag);
    }
    sk_X509_free(stack);
    return st;
}

struct status
trust_verify(const struct trust *trust, const struct certificate *certificate, int64_t now_us,
             struct diag *diag)
{
    return trust_verify_for(trust, TRUST_PURPOSE_SIGNING, certificate, NULL, 0, now_us, diag);
}
