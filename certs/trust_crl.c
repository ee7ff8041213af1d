/*
 * Revocation lists: reads them into a store while it is made, and judges their age while chains are
 * verified. Called by trust.c; the rules that are put into the store are called by OpenSSL on the
 * thread that verifies. All that they need lies in the store itself, so it may outlive struct
 * trust.
 */
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "certs/openssl_error.h"
#include "certs/trust_parts.h"

/* ---- reading ---- */

int64_t
trust_time_us(const ASN1_TIME *time)
{
    struct tm parts;

    return time == NULL || ASN1_TIME_to_tm(time, &parts) != 1 ? INT64_MIN
                                                              : (int64_t)timegm(&parts) * US_PER_S;
}

/* OpenSSL's security level judges certificates, not revocation lists. RSA-PSS names its digest in
 * parameters that are judged with the signature's strength. */
static bool
is_weak_digest(const X509_CRL *crl)
{
    const int signature = X509_CRL_get_signature_nid(crl);
    int digest = NID_undef;

    if (signature == NID_rsassaPss || signature == NID_ED25519 || signature == NID_ED448) {
        return false;
    }
    return OBJ_find_sigid_algs(signature, &digest, NULL) != 1 || digest == NID_sha1 ||
           digest == NID_md5;
}

/* A list in an anchor's name that none of this name signed is damage or an attack: beside the true
 * list, a newer forged one would shut everybody out. Issuers below the anchors are not known yet.
 */
static bool
is_forged(X509_STORE *store, X509_CRL *crl)
{
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    bool is_known = false;

    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *anchor = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

        if (anchor == NULL ||
            X509_NAME_cmp(X509_get_subject_name(anchor), X509_CRL_get_issuer(crl)) != 0) {
            continue;
        }
        is_known = true;
        if (X509_CRL_verify(crl, X509_get0_pubkey(anchor)) == 1) {
            return false;
        }
    }
    ERR_clear_error();
    return is_known;
}

static struct status
add_crl(X509_STORE *store, X509_CRL *crl, const char *name, struct diag *diag)
{
    if (is_weak_digest(crl)) {
        return FAIL(diag, ERR_CREDENTIAL, "%s: a revocation list is signed with SHA-1 or weaker",
                    name);
    }
    if (trust_time_us(X509_CRL_get0_nextUpdate(crl)) == INT64_MIN ||
        trust_time_us(X509_CRL_get0_lastUpdate(crl)) == INT64_MIN) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "%s: a revocation list does not say until when it counts (nextUpdate)", name);
    }
    if (is_forged(store, crl)) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "%s: a revocation list has an anchor's name, and another's signature", name);
    }
    if (X509_STORE_add_crl(store, crl) != 1) {
        return FAIL(diag, ERR_CREDENTIAL, "%s: %s", name, openssl_error_take());
    }
    return OK;
}

static struct status
read_der(X509_STORE *store, struct span bytes, const char *name, struct diag *diag)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)bytes.n);

    if (crl == NULL || p != (const unsigned char *)bytes.p + bytes.n) {
        X509_CRL_free(crl);
        return FAIL(diag, ERR_CREDENTIAL, "%s: the revocation list is damaged: %s", name,
                    openssl_error_take());
    }
    const struct status st = add_crl(store, crl, name, diag);

    X509_CRL_free(crl);
    return st;
}

static struct status
read_pem(X509_STORE *store, BIO *bio, const char *name, struct diag *diag)
{
    size_t n = 0;

    for (;; n++) {
        X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);

        if (crl == NULL) {
            break;
        }
        const struct status st =
            n < TRUST_CRLS_MAX
                ? add_crl(store, crl, name, diag)
                : FAIL(diag, ERR_CREDENTIAL, "%s: more than %d lists", name, TRUST_CRLS_MAX);

        X509_CRL_free(crl);
        TRY(st);
    }
    const unsigned long error = ERR_peek_last_error();

    if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
        return FAIL(diag, ERR_CREDENTIAL, "%s: revocation list %zu is damaged: %s", name, n + 1,
                    openssl_error_take());
    }
    ERR_clear_error();
    if (n == 0) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "%s: no revocation list; expected PEM ('-----BEGIN X509 CRL-----') or DER",
                    name);
    }
    return OK;
}

struct status
trust_read_crls(X509_STORE *store, struct span bytes, const char *name, struct diag *diag)
{
    ERR_clear_error();
    if (bytes.n > 0 && (unsigned char)bytes.p[0] == 0x30) { /* an ASN.1 sequence, and no text */
        return read_der(store, bytes, name, diag);
    }
    BIO *bio = BIO_new_mem_buf(bytes.n == 0 ? "" : bytes.p, (int)bytes.n);

    if (bio == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for revocation lists");
    }
    const struct status st = read_pem(store, bio, name, diag);

    BIO_free(bio);
    return st;
}

/* ---- how long they count ---- */

static int64_t
end_of(const X509_CRL *crl, int64_t max_age_us)
{
    const int64_t next_us = trust_time_us(X509_CRL_get0_nextUpdate(crl));
    const int64_t this_us = trust_time_us(X509_CRL_get0_lastUpdate(crl));

    return max_age_us > 0 && this_us + max_age_us < next_us ? this_us + max_age_us : next_us;
}

/* The newest list of an issuer counts; an older one beside it harms nobody. */
static int64_t
last_end_of_issuer(STACK_OF(X509_OBJECT) * objects, const X509_CRL *one, int64_t max_age_us)
{
    int64_t last_us = INT64_MIN;

    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        const X509_CRL *crl = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(objects, i));

        if (crl != NULL && X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_CRL_get_issuer(one)) == 0 &&
            end_of(crl, max_age_us) > last_us) {
            last_us = end_of(crl, max_age_us);
        }
    }
    return last_us;
}

int64_t
trust_first_end_us(X509_STORE *store, int64_t max_age_us)
{
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    int64_t first_us = INT64_MAX;

    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        const X509_CRL *crl = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(objects, i));
        const int64_t end_us =
            crl == NULL ? INT64_MAX : last_end_of_issuer(objects, crl, max_age_us);

        first_us = end_us < first_us ? end_us : first_us;
    }
    return first_us;
}

/* ---- rules in the store ---- */

static pthread_once_t rules_once = PTHREAD_ONCE_INIT;
static int max_age_index = -1; /* of the age in seconds, kept in the pointer itself */
static X509_STORE_CTX_check_crl_fn check_crl_of_openssl;
static X509_STORE_CTX_check_revocation_fn check_revocation_of_openssl;

/* OpenSSL lends its own functions only to a context that is made. */
static void
find_rules(void)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();

    if (context != NULL && X509_STORE_CTX_init(context, NULL, NULL, NULL) == 1) {
        check_crl_of_openssl = X509_STORE_CTX_get_check_crl(context);
        check_revocation_of_openssl = X509_STORE_CTX_get_check_revocation(context);
    }
    X509_STORE_CTX_free(context);
    max_age_index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE, 0, NULL, NULL, NULL, NULL);
}

static int64_t
time_of(X509_STORE_CTX *context)
{
    const X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);

    return (X509_VERIFY_PARAM_get_flags(param) & X509_V_FLAG_USE_CHECK_TIME) != 0
               ? (int64_t)X509_VERIFY_PARAM_get_time(param)
               : (int64_t)time(NULL);
}

static int
check_crl(X509_STORE_CTX *context, X509_CRL *crl)
{
    X509_STORE *store = X509_STORE_CTX_get0_store(context);
    const int64_t max_age_s = (int64_t)(uintptr_t)X509_STORE_get_ex_data(store, max_age_index);
    const int64_t this_s = trust_time_us(X509_CRL_get0_lastUpdate(crl)) / US_PER_S;

    if (max_age_s > 0 && time_of(context) - this_s > max_age_s) {
        X509_STORE_CTX_set_error(context, (int)TRUST_VERDICT_CRL_AGE);
        return 0;
    }
    return check_crl_of_openssl(context, crl);
}

static int
check_revocation(X509_STORE_CTX *context)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);

    /* A self-signed certificate that is an anchor itself: nobody can issue a list for it. */
    if (sk_X509_num(chain) == 1 &&
        (X509_get_extension_flags(sk_X509_value(chain, 0)) & EXFLAG_SS) != 0) {
        return 1;
    }
    return check_revocation_of_openssl(context);
}

struct status
trust_set_crl_rules(X509_STORE *store, int64_t max_age_us, struct diag *diag)
{
    (void)pthread_once(&rules_once, find_rules);
    const uintptr_t max_age_s = (uintptr_t)(max_age_us / US_PER_S);

    if (check_crl_of_openssl == NULL || check_revocation_of_openssl == NULL || max_age_index < 0 ||
        X509_STORE_set_ex_data(store, max_age_index, (void *)max_age_s) != 1) {
        return FAIL(diag, ERR_CRYPTO, "trust store: %s", openssl_error_take());
    }
    X509_STORE_set_check_crl(store, check_crl);
    X509_STORE_set_check_revocation(store, check_revocation);
    return OK;
}
