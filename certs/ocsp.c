/*
 * OCSP over OpenSSL's codec. Called by status_cache.c (answers that were fetched or stapled), on
 * any thread. OpenSSL decodes and computes; who may sign, what an answer is about and when it holds
 * is decided here, step by step, since OCSP_basic_verify also accepts responders that are merely
 * trusted somewhere.
 */
#include "certs/ocsp.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "certs/openssl_error.h"
#include "certs/trust.h"

/* ---- the question ---- */

static void
free_request(OCSP_REQUEST **request)
{
    OCSP_REQUEST_free(*request);
}

static OCSP_REQUEST *
new_request(const struct ocsp_subject *subject)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    /* SHA-1 only names the certificate here, and is the one digest that every responder knows (RFC
     * 5019 2.1.1); what comes back is compared with the certificate itself. */
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), subject->certificate, subject->issuer);
    const bool is_added =
        request != NULL && id != NULL && OCSP_request_add0_id(request, id) != NULL;

    if (!is_added) {
        OCSP_CERTID_free(id);
    }
    if (!is_added || OCSP_request_add1_nonce(request, NULL, -1) != 1) {
        OCSP_REQUEST_free(request);
        return NULL;
    }
    return request;
}

struct status
ocsp_write_request(const struct ocsp_subject *subject, struct buf *out, struct diag *diag)
{
    CLEANUP(free_request) OCSP_REQUEST *request = new_request(subject);
    unsigned char *der = NULL;
    const int n = request == NULL ? -1 : i2d_OCSP_REQUEST(request, &der);

    if (n <= 0) {
        return FAIL(diag, ERR_CRYPTO, "OCSP request: %s", openssl_error_take());
    }
    const struct status st = buf_append(out, span_of((const char *)der, (size_t)n), diag);

    OPENSSL_free(der);
    return st;
}

static bool
copy_url(const ACCESS_DESCRIPTION *access, char ret_url[OCSP_URL_MAX])
{
    int type = 0;
    const ASN1_STRING *value = OBJ_obj2nid(access->method) == NID_ad_OCSP
                                   ? GENERAL_NAME_get0_value(access->location, &type)
                                   : NULL;

    if (value == NULL || type != GEN_URI) {
        return false;
    }
    const struct span url =
        span_of((const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));

    if (!span_eq_nocase(span_slice(url, 0, 7), SPAN("http://")) || url.n >= OCSP_URL_MAX ||
        memchr(url.p, '\0', url.n) != NULL) {
        return false;
    }
    memcpy(ret_url, url.p, url.n);
    ret_url[url.n] = '\0';
    return true;
}

bool
ocsp_responder_of(X509 *certificate, char ret_url[OCSP_URL_MAX])
{
    AUTHORITY_INFO_ACCESS *list = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
    bool is_found = false;

    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(list) && !is_found; i++) {
        is_found = copy_url(sk_ACCESS_DESCRIPTION_value(list, i), ret_url);
    }
    AUTHORITY_INFO_ACCESS_free(list);
    return is_found;
}

/* ---- the signer ---- */

/* SHA-2 with RSA or ECDSA: what we compute with elsewhere, too. */
static struct status
check_algorithm(const OCSP_BASICRESP *basic, struct diag *diag)
{
    const int signature = OBJ_obj2nid(OCSP_resp_get0_tbs_sigalg(basic)->algorithm);
    int digest = NID_undef, key = NID_undef;

    if (OBJ_find_sigid_algs(signature, &digest, &key) != 1 ||
        (digest != NID_sha256 && digest != NID_sha384 && digest != NID_sha512)) {
        return FAIL(diag, ERR_OCSP,
                    "OCSP response: expected a signature with SHA-256, SHA-384 or SHA-512, got %s",
                    OBJ_nid2sn(signature) == NULL ? "an unknown one" : OBJ_nid2sn(signature));
    }
    return OK;
}

static struct status
check_key(X509 *signer, struct diag *diag)
{
    struct diag reason = {0};
    const EVP_PKEY *key = X509_get0_pubkey(signer);

    if (key == NULL || !is_ok(certificate_check_key(key, &reason))) {
        return FAIL(diag, ERR_OCSP, "OCSP response: its signer has a key that is not used here: %s",
                    key == NULL ? "unknown" : reason.text);
    }
    return OK;
}

static struct status
check_chain(X509 *responder, const struct ocsp_subject *subject, const struct ocsp_rules *rules,
            X509_STORE_CTX *context, STACK_OF(X509) * issuers, struct diag *diag)
{
    if (sk_X509_push(issuers, subject->issuer) <= 0 ||
        X509_STORE_CTX_init(context, rules->store, responder, issuers) != 1) {
        return FAIL(diag, ERR_CRYPTO, "OCSP responder: %s", openssl_error_take());
    }
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context),
                               (time_t)(rules->now_us / US_PER_S));
    if (trust_judge(context) != 1) {
        ERR_clear_error();
        return FAIL(diag, ERR_OCSP, "OCSP response: its responder's certificate is not good: %s",
                    trust_verdict_text(X509_STORE_CTX_get_error(context)));
    }
    return OK;
}

/* Validity, strength, and the revocation lists that the store may have. */
static struct status
check_responder_chain(X509 *responder, const struct ocsp_subject *subject,
                      const struct ocsp_rules *rules, struct diag *diag)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *issuers = sk_X509_new_null();
    const struct status st = context == NULL || issuers == NULL
                                 ? FAIL(diag, ERR_NO_MEMORY, "no memory for verifying a responder")
                                 : check_chain(responder, subject, rules, context, issuers, diag);

    sk_X509_free(issuers);
    X509_STORE_CTX_free(context);
    return st;
}

/* RFC 6960 4.2.2.2: issued directly by the authority that issued the certificate in question. */
static struct status
check_delegated(X509 *responder, const struct ocsp_subject *subject, const struct ocsp_rules *rules,
                struct diag *diag)
{
    const uint32_t flags = X509_get_extension_flags(responder);

    if (X509_check_issued(subject->issuer, responder) != X509_V_OK ||
        X509_verify(responder, X509_get0_pubkey(subject->issuer)) != 1) {
        ERR_clear_error();
        return FAIL(diag, ERR_OCSP,
                    "OCSP response: signed by a responder that the certificate's issuer did not "
                    "certify");
    }
    if ((flags & EXFLAG_XKUSAGE) == 0 ||
        (X509_get_extended_key_usage(responder) & XKU_OCSP_SIGN) == 0) {
        return FAIL(diag, ERR_OCSP,
                    "OCSP response: its responder's certificate has no extended key usage "
                    "OCSPSigning");
    }
    if ((X509_get_key_usage(responder) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0) {
        return FAIL(diag, ERR_OCSP,
                    "OCSP response: its responder's certificate may not sign (key usage)");
    }
    return check_responder_chain(responder, subject, rules, diag);
}

static struct status
verify_signature(OCSP_BASICRESP *basic, STACK_OF(X509) * signers, struct diag *diag)
{
    if (OCSP_basic_verify(basic, signers, NULL, OCSP_NOVERIFY | OCSP_NOINTERN) != 1) {
        ERR_clear_error();
        return FAIL(diag, ERR_OCSP, "OCSP response: its signature is wrong");
    }
    return OK;
}

static struct status
check_signer_in(OCSP_BASICRESP *basic, const struct ocsp_subject *subject,
                const struct ocsp_rules *rules, STACK_OF(X509) * signers, struct diag *diag)
{
    X509 *signer = NULL;

    /* The issuer first: an answer that names it needs no certificate in it. */
    if (sk_X509_push(signers, subject->issuer) <= 0) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for verifying an OCSP response");
    }
    if (OCSP_resp_get0_signer(basic, &signer, signers) != 1) {
        ERR_clear_error();
        return FAIL(diag, ERR_OCSP,
                    "OCSP response: neither the certificate's issuer nor a certificate in it is "
                    "its signer");
    }
    TRY(check_key(signer, diag));
    if (signer != subject->issuer) {
        TRY(check_delegated(signer, subject, rules, diag));
        (void)sk_X509_set(signers, 0, signer);
    }
    return verify_signature(basic, signers, diag);
}

static struct status
check_signer(OCSP_BASICRESP *basic, const struct ocsp_subject *subject,
             const struct ocsp_rules *rules, struct diag *diag)
{
    TRY(check_algorithm(basic, diag));
    STACK_OF(X509) *signers = sk_X509_new_null();
    const struct status st =
        signers == NULL ? FAIL(diag, ERR_NO_MEMORY, "no memory for verifying an OCSP response")
                        : check_signer_in(basic, subject, rules, signers, diag);

    sk_X509_free(signers);
    return st;
}

/* ---- what it says ---- */

static bool
read_time(const ASN1_GENERALIZEDTIME *time, int64_t *ret_us)
{
    struct tm parts;

    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1) {
        return false;
    }
    *ret_us = (int64_t)timegm(&parts) * US_PER_S;
    return true;
}

/* The entry's digest is the responder's choice; the certificate is hashed with the same. */
static bool
is_about(const OCSP_SINGLERESP *single, const struct ocsp_subject *subject)
{
    static const int digests[] = {NID_sha1, NID_sha256, NID_sha384, NID_sha512};
    OCSP_CERTID *theirs = (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single);
    ASN1_OBJECT *algorithm = NULL;
    bool is_same = false;

    if (OCSP_id_get0_info(NULL, &algorithm, NULL, NULL, theirs) != 1) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(digests) && !is_same; i++) {
        if (OBJ_obj2nid(algorithm) == digests[i]) {
            OCSP_CERTID *ours = OCSP_cert_to_id(EVP_get_digestbynid(digests[i]),
                                                subject->certificate, subject->issuer);

            is_same = ours != NULL && OCSP_id_cmp(ours, theirs) == 0;
            OCSP_CERTID_free(ours);
        }
    }
    return is_same;
}

struct validity {
    int64_t this_us, next_us;
};

static struct status
read_validity(const ASN1_GENERALIZEDTIME *this_update, const ASN1_GENERALIZEDTIME *next_update,
              const struct ocsp_rules *rules, struct diag *diag, struct validity *ret_validity)
{
    struct validity validity = {0};

    if (!read_time(this_update, &validity.this_us)) {
        return FAIL(diag, ERR_OCSP, "OCSP response: thisUpdate is no time");
    }
    /* Without nextUpdate newer information is always there (RFC 6960 4.2.2.1): hold it no longer
     * than our own limit. */
    validity.next_us = validity.this_us + rules->max_age_us;
    if (next_update != NULL) {
        int64_t next_us = 0;

        if (!read_time(next_update, &next_us) || next_us < validity.this_us) {
            return FAIL(diag, ERR_OCSP, "OCSP response: nextUpdate is no time after thisUpdate");
        }
        validity.next_us = next_us < validity.next_us ? next_us : validity.next_us;
    }
    *ret_validity = validity;
    return OK;
}

static struct status
check_times(const struct validity *validity, const struct ocsp_rules *rules, struct diag *diag)
{
    const int64_t early_us = validity->this_us - rules->now_us;
    const int64_t late_us = rules->now_us - validity->next_us;

    if (early_us > rules->skew_us) {
        return FAIL(diag, ERR_OCSP, "OCSP response: not yet valid; thisUpdate is %lld s ahead",
                    (long long)(early_us / US_PER_S));
    }
    if (rules->now_us - validity->this_us > rules->max_age_us + rules->skew_us) {
        return FAIL(diag, ERR_OCSP,
                    "OCSP response: too old; thisUpdate is %lld s ago, at most %lld are allowed "
                    "(max_age)",
                    (long long)((rules->now_us - validity->this_us) / US_PER_S),
                    (long long)(rules->max_age_us / US_PER_S));
    }
    if (late_us > rules->skew_us) {
        return FAIL(diag, ERR_OCSP, "OCSP response: expired; nextUpdate was %lld s ago",
                    (long long)(late_us / US_PER_S));
    }
    return OK;
}

static struct status
read_single(OCSP_SINGLERESP *single, const struct ocsp_rules *rules, struct diag *diag,
            struct ocsp_result *ret_result)
{
    ASN1_GENERALIZEDTIME *this_update = NULL, *next_update = NULL, *revoked = NULL;
    int reason = -1;
    const int status =
        OCSP_single_get0_status(single, &reason, &revoked, &this_update, &next_update);
    struct validity validity = {0};

    if (OCSP_SINGLERESP_get_ext_by_critical(single, 1, -1) >= 0) {
        return FAIL(diag, ERR_OCSP, "OCSP response: a critical extension that is not known here");
    }
    TRY(read_validity(this_update, next_update, rules, diag, &validity));
    TRY(check_times(&validity, rules, diag));
    struct ocsp_result result = {
        .verdict = status == V_OCSP_CERTSTATUS_GOOD      ? STATUS_GOOD
                   : status == V_OCSP_CERTSTATUS_REVOKED ? STATUS_REVOKED
                                                         : STATUS_UNKNOWN,
        .this_us = validity.this_us,
        .until_us = validity.next_us,
        .reason = reason < 0 ? "" : OCSP_crl_reason_str(reason),
    };

    if (result.verdict == STATUS_REVOKED && !read_time(revoked, &result.revoked_us)) {
        return FAIL(diag, ERR_OCSP, "OCSP response: revocationTime is no time");
    }
    *ret_result = result;
    return OK;
}

/* All entries about the certificate; of several the worst counts. */
static struct status
read_status(OCSP_BASICRESP *basic, const struct ocsp_subject *subject,
            const struct ocsp_rules *rules, struct diag *diag, struct ocsp_result *ret_result)
{
    struct ocsp_result worst = {.verdict = STATUS_GOOD};
    const int n = OCSP_resp_count(basic);
    int about_n = 0;

    for (int i = 0; i < n; i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        struct ocsp_result result = {0};

        if (!is_about(single, subject)) {
            continue;
        }
        TRY(read_single(single, rules, diag, &result));
        if (about_n == 0 || result.verdict == STATUS_REVOKED ||
            (result.verdict == STATUS_UNKNOWN && worst.verdict == STATUS_GOOD)) {
            worst = result;
        }
        about_n++;
    }
    ERR_clear_error();
    if (about_n == 0) {
        return FAIL(diag, ERR_OCSP,
                    "OCSP response: about %d other certificates, not about the one in question", n);
    }
    *ret_result = worst;
    return OK;
}

static struct status
check_nonce(OCSP_BASICRESP *basic, struct span request_der, struct diag *diag)
{
    const unsigned char *p = (const unsigned char *)request_der.p;
    CLEANUP(free_request)
    OCSP_REQUEST *request =
        request_der.n == 0 ? NULL : d2i_OCSP_REQUEST(NULL, &p, (long)request_der.n);

    if (request_der.n == 0) {
        return OK; /* stapled: answers nobody's question */
    }
    if (request == NULL) {
        return FAIL(diag, ERR_INTERNAL, "our own OCSP request cannot be read");
    }
    /* -1: the answer has none, which responders that prepare their answers do (RFC 5019 2.2). */
    if (OCSP_check_nonce(request, basic) == 0) {
        return FAIL(diag, ERR_OCSP, "OCSP response: its nonce is not the one that was sent");
    }
    return OK;
}

static struct status
judge_basic(OCSP_BASICRESP *basic, const struct ocsp_subject *subject,
            const struct ocsp_rules *rules, struct span request, struct diag *diag,
            struct ocsp_result *ret_result)
{
    int64_t produced_us = 0;

    /* Nothing of it is believed before its signature. */
    TRY(check_signer(basic, subject, rules, diag));
    if (OCSP_BASICRESP_get_ext_by_critical(basic, 1, -1) >= 0) {
        return FAIL(diag, ERR_OCSP, "OCSP response: a critical extension that is not known here");
    }
    if (!read_time(OCSP_resp_get0_produced_at(basic), &produced_us) ||
        produced_us - rules->now_us > rules->skew_us) {
        return FAIL(diag, ERR_OCSP, "OCSP response: producedAt is no time, or ahead of ours");
    }
    TRY(check_nonce(basic, request, diag));
    return read_status(basic, subject, rules, diag, ret_result);
}

static struct status
judge_response(OCSP_RESPONSE *response, const struct ocsp_subject *subject,
               const struct ocsp_rules *rules, struct span request, struct diag *diag,
               struct ocsp_result *ret_result)
{
    const int outcome = OCSP_response_status(response);

    if (outcome != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        return FAIL(diag, ERR_OCSP, "OCSP response: the responder answered '%s'",
                    OCSP_response_status_str(outcome));
    }
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);

    if (basic == NULL) {
        return FAIL(diag, ERR_OCSP, "OCSP response: expected a basic response, got another: %s",
                    openssl_error_take());
    }
    const struct status st = judge_basic(basic, subject, rules, request, diag, ret_result);

    OCSP_BASICRESP_free(basic);
    return st;
}

struct status
ocsp_judge(const struct ocsp_subject *subject, const struct ocsp_rules *rules, struct span request,
           struct span response, struct diag *diag, struct ocsp_result *ret_result)
{
    const unsigned char *p = (const unsigned char *)response.p;

    ERR_clear_error();
    if (response.n == 0 || response.n > FETCH_OCSP_MAX) {
        return FAIL(diag, ERR_OCSP, "OCSP response: expected 1 to %zu bytes, got %zu",
                    FETCH_OCSP_MAX, response.n);
    }
    OCSP_RESPONSE *decoded = d2i_OCSP_RESPONSE(NULL, &p, (long)response.n);

    if (decoded == NULL) {
        return FAIL(diag, ERR_OCSP, "OCSP response: not one: %s", openssl_error_take());
    }
    const struct status st =
        p != (const unsigned char *)response.p + response.n
            ? FAIL(diag, ERR_OCSP, "OCSP response: more bytes behind it")
            : judge_response(decoded, subject, rules, request, diag, ret_result);

    OCSP_RESPONSE_free(decoded);
    return st;
}
