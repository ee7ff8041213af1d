/*
 * Certificates and revocation lists from requests, over OpenSSL's X509 builders. Called by devpki.c
 * and by tests that need certificates which no authority should issue.
 */
#include "certs/issue.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/span.h"
#include "certs/openssl_error.h"

#define SERIAL_BITS 128

static struct status
issue_fail(struct diag *diag, const char *what)
{
    return FAIL(diag, ERR_CRYPTO, "%s: %s", what, openssl_error_take());
}

struct status
issue_key(const char *type, struct diag *diag, EVP_PKEY **ret_key)
{
    const struct span text = span_of_cstr(type);
    uint64_t bits = 0;
    EVP_PKEY *key = NULL;

    if (span_starts_with(text, SPAN("rsa:")) &&
        span_to_u64(span_slice(text, 4, text.n), 16384, &bits)) {
        key = EVP_RSA_gen((unsigned)bits);
    } else if (span_starts_with(text, SPAN("ec:"))) {
        key = EVP_EC_gen(type + 3);
    }
    if (key == NULL) {
        return issue_fail(diag, "making a key");
    }
    *ret_key = key;
    return OK;
}

/* ---- parts of a certificate ---- */

static bool
set_serial(ASN1_INTEGER *serial)
{
    BIGNUM *number = BN_new();
    const bool is_set = number != NULL &&
                        BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
                        !BN_is_zero(number) && BN_to_ASN1_INTEGER(number, serial) != NULL;

    BN_free(number);
    return is_set;
}

static bool
set_time(ASN1_TIME *time, int64_t us)
{
    return ASN1_TIME_adj(time, (time_t)(us / US_PER_S), 0, 0) != NULL;
}

static bool
add_name_part(X509_NAME *name, int nid, const char *text)
{
    return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)text, -1, -1,
                                      0) == 1;
}

static struct status
set_subject(X509 *x509, const struct issue_request *request, struct diag *diag)
{
    X509_NAME *name = X509_get_subject_name(x509);

    if (!add_name_part(name, NID_organizationName, request->organization) ||
        !add_name_part(name, NID_commonName, request->common_name)) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "'%s, %s' cannot be a certificate's subject (1 to 64 characters each): %s",
                    request->organization, request->common_name, openssl_error_take());
    }
    return OK;
}

static bool
add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    const bool is_added = extension != NULL && X509_add_ext(x509, extension, -1) == 1;

    X509_EXTENSION_free(extension);
    return is_added;
}

static GENERAL_NAME *
new_name(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    const int n = inet_pton(AF_INET, host, address) == 1    ? 4
                  : inet_pton(AF_INET6, host, address) == 1 ? 16
                                                            : 0;
    ASN1_STRING *value = n > 0 ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    GENERAL_NAME *name = GENERAL_NAME_new();

    if (name == NULL || value == NULL ||
        ASN1_STRING_set(value, n > 0 ? (const void *)address : host, n > 0 ? n : -1) != 1) {
        ASN1_STRING_free(value);
        GENERAL_NAME_free(name);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, n > 0 ? GEN_IPADD : GEN_DNS, value);
    return name;
}

/* Built from values, not from a text in OpenSSL's notation that a host name could leave. */
static bool
add_hosts(X509 *x509, const struct issue_request *request)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    bool is_good = names != NULL;

    for (size_t i = 0; i < request->hosts_n && is_good; i++) {
        GENERAL_NAME *name = new_name(request->hosts[i]);

        is_good = name != NULL && sk_GENERAL_NAME_push(names, name) > 0;
        if (!is_good) {
            GENERAL_NAME_free(name);
        }
    }
    is_good = is_good && (request->hosts_n == 0 ||
                          X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0) == 1);
    GENERAL_NAMES_free(names);
    return is_good;
}

static bool
add_tls_usage(X509 *x509, X509 *issuer)
{
    /* Only an RSA key can transport another key (RFC 5480 section 3). */
    const char *usage = EVP_PKEY_is_a(X509_get0_pubkey(x509), "RSA")
                            ? "critical,digitalSignature,keyEncipherment"
                            : "critical,digitalSignature";

    return add_extension(x509, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x509, issuer, NID_key_usage, usage) &&
           add_extension(x509, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
}

static bool
add_usage(X509 *x509, X509 *issuer, enum issue_kind kind)
{
    switch (kind) {
    case ISSUE_CA:
        return add_extension(x509, issuer, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
               add_extension(x509, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    case ISSUE_TLS:
        return add_tls_usage(x509, issuer);
    case ISSUE_SIGNING:
        return add_extension(x509, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
               add_extension(x509, issuer, NID_key_usage,
                             "critical,digitalSignature,nonRepudiation");
    }
    return false;
}

/* ---- whole objects ---- */

static struct status
fill(X509 *x509, const struct issue_request *request, EVP_PKEY *key, X509 *issuer,
     EVP_PKEY *issuer_key, struct diag *diag)
{
    X509 *named_issuer = issuer == NULL ? x509 : issuer;

    if (X509_set_version(x509, X509_VERSION_3) != 1 || !set_serial(X509_get_serialNumber(x509)) ||
        !set_time(X509_getm_notBefore(x509), request->not_before_us) ||
        !set_time(X509_getm_notAfter(x509), request->not_after_us) ||
        X509_set_pubkey(x509, key) != 1) {
        return issue_fail(diag, "making a certificate");
    }
    TRY(set_subject(x509, request, diag));
    if (X509_set_issuer_name(x509, X509_get_subject_name(named_issuer)) != 1 ||
        !add_extension(x509, named_issuer, NID_subject_key_identifier, "hash") ||
        !add_extension(x509, named_issuer, NID_authority_key_identifier, "keyid:always") ||
        !add_usage(x509, named_issuer, request->kind) || !add_hosts(x509, request)) {
        return issue_fail(diag, "making a certificate");
    }
    const EVP_MD *digest = EVP_get_digestbyname(request->digest);

    if (digest == NULL || X509_sign(x509, issuer_key, digest) == 0) {
        return issue_fail(diag, "signing a certificate");
    }
    return OK;
}

struct status
issue_certificate(const struct issue_request *request, EVP_PKEY *key, X509 *issuer,
                  EVP_PKEY *issuer_key, struct diag *diag, X509 **ret_x509)
{
    X509 *x509 = X509_new();

    if (x509 == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a certificate");
    }
    const struct status st = fill(x509, request, key, issuer, issuer_key, diag);

    if (!is_ok(st)) {
        X509_free(x509);
        return st;
    }
    *ret_x509 = x509;
    return OK;
}

static bool
copy_revoked(X509_CRL *crl, X509_CRL *previous)
{
    STACK_OF(X509_REVOKED) *list = previous == NULL ? NULL : X509_CRL_get_REVOKED(previous);

    for (int i = 0; i < sk_X509_REVOKED_num(list); i++) {
        X509_REVOKED *copy = X509_REVOKED_dup(sk_X509_REVOKED_value(list, i));

        if (copy == NULL || X509_CRL_add0_revoked(crl, copy) != 1) {
            X509_REVOKED_free(copy);
            return false;
        }
    }
    return true;
}

static bool
add_revoked(X509_CRL *crl, X509 *revoked, int64_t now_us)
{
    X509_REVOKED *known = NULL;

    if (revoked == NULL || X509_CRL_get0_by_cert(crl, &known, revoked) == 1) {
        return true;
    }
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *time = ASN1_TIME_adj(NULL, (time_t)(now_us / US_PER_S), 0, 0);
    const bool is_added =
        entry != NULL && time != NULL &&
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked)) == 1 &&
        X509_REVOKED_set_revocationDate(entry, time) == 1 && X509_CRL_add0_revoked(crl, entry) == 1;

    ASN1_TIME_free(time);
    if (!is_added) {
        X509_REVOKED_free(entry);
    }
    return is_added;
}

/* RFC 5280 5.2.3: each list has a higher number than the one before. */
static bool
set_crl_number(X509_CRL *crl, X509_CRL *previous)
{
    ASN1_INTEGER *number =
        previous == NULL ? NULL : X509_CRL_get_ext_d2i(previous, NID_crl_number, NULL, NULL);
    BIGNUM *value = number == NULL ? BN_new() : ASN1_INTEGER_to_BN(number, NULL);
    ASN1_INTEGER *next =
        value != NULL && BN_add_word(value, 1) == 1 ? BN_to_ASN1_INTEGER(value, NULL) : NULL;
    const bool is_set = next != NULL && X509_CRL_add1_ext_i2d(crl, NID_crl_number, next, 0, 0) == 1;

    ASN1_INTEGER_free(number);
    ASN1_INTEGER_free(next);
    BN_free(value);
    return is_set;
}

static bool
set_authority(X509_CRL *crl, X509 *issuer)
{
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    const bool is_set = extension != NULL && X509_CRL_add_ext(crl, extension, -1) == 1;

    X509_EXTENSION_free(extension);
    return is_set;
}

static bool
set_crl_times(X509_CRL *crl, int64_t now_us, int64_t next_us)
{
    ASN1_TIME *last = ASN1_TIME_adj(NULL, (time_t)(now_us / US_PER_S), 0, 0);
    ASN1_TIME *next = ASN1_TIME_adj(NULL, (time_t)(next_us / US_PER_S), 0, 0);
    const bool is_set = last != NULL && next != NULL && X509_CRL_set1_lastUpdate(crl, last) == 1 &&
                        X509_CRL_set1_nextUpdate(crl, next) == 1;

    ASN1_TIME_free(last);
    ASN1_TIME_free(next);
    return is_set;
}

struct status
issue_crl(X509 *issuer, EVP_PKEY *issuer_key, X509_CRL *previous, X509 *revoked, int64_t now_us,
          int64_t next_us, struct diag *diag, X509_CRL **ret_crl)
{
    X509_CRL *crl = X509_CRL_new();

    if (crl == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a revocation list");
    }
    if (X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) != 1 ||
        !set_crl_times(crl, now_us, next_us) || !copy_revoked(crl, previous) ||
        !add_revoked(crl, revoked, now_us) || !set_authority(crl, issuer) ||
        !set_crl_number(crl, previous) || X509_CRL_sort(crl) != 1 ||
        X509_CRL_sign(crl, issuer_key, EVP_sha256()) == 0) {
        X509_CRL_free(crl);
        return issue_fail(diag, "making a revocation list");
    }
    *ret_crl = crl;
    return OK;
}
