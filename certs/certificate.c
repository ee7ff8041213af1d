/*
 * Decodes X.509 certificates once and keeps what the program asks of them. Called while the
 * configuration loads, after a TLS handshake, and by the signature code when it meets a
 * certificate. Owns a reference to the X509 and copies of all texts; OpenSSL's lazy caches are
 * filled here, so that reading is free of locks.
 */
#include "certs/certificate.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "certs/openssl_error.h"

#define CERTIFICATE_FILE_MAX ((size_t)1024 * 1024)
#define HOST_MAX             256
#define KEY_TEXT_MAX         ((size_t)16 * 1024) /* two numbers in hexadecimal */

static void
free_bio(BIO **bio)
{
    BIO_free(*bio);
}

/* ---- facts ---- */

static bool
read_time(const ASN1_TIME *time, int64_t *ret_us)
{
    struct tm parts;

    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1) {
        return false;
    }
    *ret_us = (int64_t)timegm(&parts) * US_PER_S;
    return true;
}

static struct status
read_subject(struct certificate *certificate, struct diag *diag)
{
    CLEANUP(free_bio) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;

    /* UTF-8 as it is, not as \C3\A9: the text is compared with SAML Issuer values. */
    if (bio == NULL || X509_NAME_print_ex(bio, X509_get_subject_name(certificate->x509), 0,
                                          XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) {
        return FAIL(diag, ERR_CREDENTIAL, "certificate's subject cannot be read: %s",
                    openssl_error_take());
    }
    const long n = BIO_get_mem_data(bio, &text);

    certificate->subject = mem_alloc((size_t)n + 1);
    if (certificate->subject == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a certificate");
    }
    if (n > 0) {
        memcpy(certificate->subject, text, (size_t)n);
    }
    return OK;
}

static struct status
add_name(struct certificate *certificate, const char *text, size_t n, struct diag *diag)
{
    if (certificate->dns_n == CERTIFICATE_SANS_MAX) {
        return FAIL(diag, ERR_CREDENTIAL, "certificate has more than %d subject alternative names",
                    CERTIFICATE_SANS_MAX);
    }
    char *copy = mem_alloc(n + 1);

    if (copy == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a certificate");
    }
    for (size_t i = 0; i < n; i++) {
        copy[i] = (char)tolower((unsigned char)text[i]);
    }
    certificate->dns[certificate->dns_n++] = copy;
    return OK;
}

/* A name with a NUL or a blank in it is no DNS name: it is left out and so equals nothing. */
static bool
is_plain_name(const unsigned char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] <= 0x20 || text[i] >= 0x7f) {
            return false;
        }
    }
    return n > 0 && n < HOST_MAX;
}

static struct status
add_general_name(struct certificate *certificate, const GENERAL_NAME *name, struct diag *diag)
{
    int type = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    char address[INET6_ADDRSTRLEN];

    if (type != GEN_DNS && type != GEN_IPADD) {
        return OK;
    }
    const unsigned char *bytes = ASN1_STRING_get0_data(value);
    const size_t n = (size_t)ASN1_STRING_length(value);

    if (type == GEN_DNS) {
        return is_plain_name(bytes, n) ? add_name(certificate, (const char *)bytes, n, diag) : OK;
    }
    if (n != 4 && n != 16) {
        return OK;
    }
    if (inet_ntop(n == 4 ? AF_INET : AF_INET6, bytes, address, sizeof(address)) == NULL) {
        return FAIL(diag, ERR_INTERNAL, "an address of %zu bytes has no text", n);
    }
    return add_name(certificate, address, strlen(address), diag);
}

static struct status
read_names(struct certificate *certificate, struct diag *diag)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate->x509, NID_subject_alt_name, NULL, NULL);
    struct status st = OK;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && is_ok(st); i++) {
        st = add_general_name(certificate, sk_GENERAL_NAME_value(names, i), diag);
    }
    GENERAL_NAMES_free(names);
    return st;
}

static struct status
read_digest(struct certificate *certificate, struct diag *diag)
{
    unsigned char *der = NULL;
    const int n = i2d_X509(certificate->x509, &der);

    if (n <= 0) {
        return FAIL(diag, ERR_CREDENTIAL, "certificate cannot be encoded: %s",
                    openssl_error_take());
    }
    const struct status st =
        digest_sha256_hex(span_of((const char *)der, (size_t)n), diag, certificate->sha256);

    OPENSSL_free(der);
    return st;
}

static struct status
read_facts(struct certificate *certificate, struct diag *diag)
{
    X509 *x509 = certificate->x509;

    certificate->key = X509_get_pubkey(x509);
    if (certificate->key == NULL) {
        return FAIL(diag, ERR_CREDENTIAL, "certificate has no usable key: %s",
                    openssl_error_take());
    }
    if (!read_time(X509_get0_notBefore(x509), &certificate->not_before_us) ||
        !read_time(X509_get0_notAfter(x509), &certificate->not_after_us)) {
        return FAIL(diag, ERR_CREDENTIAL, "certificate's validity cannot be read");
    }
    /* Fills OpenSSL's cache of extensions; invalid ones show in EXFLAG_INVALID. */
    if (X509_check_purpose(x509, -1, 0) != 1 || (X509_get_extension_flags(x509) & EXFLAG_INVALID)) {
        return FAIL(diag, ERR_CREDENTIAL, "certificate has malformed extensions");
    }
    TRY(key_numbers_new(certificate->key, diag, &certificate->numbers));
    TRY(read_digest(certificate, diag));
    TRY(read_subject(certificate, diag));
    return read_names(certificate, diag);
}

struct status
certificate_from_x509(X509 *x509, struct diag *diag, struct certificate **ret_certificate)
{
    struct certificate *certificate = mem_alloc(sizeof(*certificate));

    if (certificate == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a certificate");
    }
    ERR_clear_error();
    atomic_init(&certificate->references, 1);
    X509_up_ref(x509);
    certificate->x509 = x509;
    const struct status st = read_facts(certificate, diag);

    if (!is_ok(st)) {
        certificate_free(certificate);
        return st;
    }
    *ret_certificate = certificate;
    return OK;
}

struct status
certificate_from_der(struct span der, struct diag *diag, struct certificate **ret_certificate)
{
    const unsigned char *p = (const unsigned char *)der.p;

    ERR_clear_error();
    if (der.n == 0 || der.n > CERTIFICATE_FILE_MAX) {
        return FAIL(diag, ERR_CREDENTIAL, "expected a certificate of 1 to %zu bytes, got %zu",
                    CERTIFICATE_FILE_MAX, der.n);
    }
    X509 *x509 = d2i_X509(NULL, &p, (long)der.n);

    if (x509 == NULL) {
        return FAIL(diag, ERR_CREDENTIAL, "not a certificate: %s", openssl_error_take());
    }
    struct status st = OK;

    if (p != (const unsigned char *)der.p + der.n) {
        st =
            FAIL(diag, ERR_CREDENTIAL, "expected the bytes of one certificate, got more behind it");
    } else {
        st = certificate_from_x509(x509, diag, ret_certificate);
    }
    X509_free(x509);
    return st;
}

struct status
certificate_from_file(const char *path, struct diag *diag, struct certificate **ret_certificate)
{
    struct certificate_list list = {0};

    TRY(certificate_list_from_file(path, diag, &list));
    *ret_certificate = list.items[0];
    list.items[0] = NULL;
    certificate_list_done(&list);
    return OK;
}

struct status
certificate_write_der(const struct certificate *certificate, struct buf *out, struct diag *diag)
{
    char *room = NULL;
    const int n = i2d_X509(certificate->x509, NULL);
    if (n <= 0) {
        return FAIL(diag, ERR_CREDENTIAL, "certificate '%s' cannot be written as DER",
                    certificate->subject);
    }
    TRY(buf_reserve(out, (size_t)n, diag, &room));
    unsigned char *to = (unsigned char *)room;
    (void)i2d_X509(certificate->x509, &to);
    out->n += (size_t)n;
    return OK;
}

struct certificate *
certificate_ref(struct certificate *certificate)
{
    (void)atomic_fetch_add_explicit(&certificate->references, 1, memory_order_relaxed);
    return certificate;
}

void
certificate_free(struct certificate *certificate)
{
    if (certificate == NULL ||
        atomic_fetch_sub_explicit(&certificate->references, 1, memory_order_acq_rel) > 1) {
        return;
    }
    for (size_t i = 0; i < certificate->dns_n; i++) {
        mem_free(certificate->dns[i]);
    }
    mem_free(certificate->subject);
    key_numbers_free(certificate->numbers);
    EVP_PKEY_free(certificate->key);
    X509_free(certificate->x509);
    mem_free(certificate);
}

/* ---- lists ---- */

static struct status
append(struct certificate_list *list, X509 *x509, struct diag *diag)
{
    if (list->n == ARRAY_LEN(list->items)) {
        return FAIL(diag, ERR_CREDENTIAL, "more than %zu certificates in one file",
                    ARRAY_LEN(list->items));
    }
    TRY(certificate_from_x509(x509, diag, &list->items[list->n]));
    list->n++;
    return OK;
}

static struct status
read_pem(BIO *bio, struct diag *diag, struct certificate_list *list)
{
    for (;;) {
        X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);

        if (x509 == NULL) {
            break;
        }
        const struct status st = append(list, x509, diag);

        X509_free(x509);
        TRY(st);
    }
    /* The end of the file is "no start line"; anything else is damage in the file. */
    const unsigned long error = ERR_peek_last_error();

    if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
        return FAIL(diag, ERR_CREDENTIAL, "certificate %zu is damaged: %s", list->n + 1,
                    openssl_error_take());
    }
    ERR_clear_error();
    if (list->n == 0) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "no certificate; expected PEM ('-----BEGIN CERTIFICATE-----')");
    }
    return OK;
}

struct status
certificate_list_from_file(const char *path, struct diag *diag, struct certificate_list *ret_list)
{
    struct certificate_list list = {0};
    struct buf text;

    ERR_clear_error();
    buf_init(&text, CERTIFICATE_FILE_MAX);
    struct status st = buf_read_file(&text, path, diag);

    if (is_ok(st)) {
        CLEANUP(free_bio) BIO *bio = BIO_new_mem_buf(text.n == 0 ? "" : text.p, (int)text.n);

        st = bio == NULL ? FAIL(diag, ERR_NO_MEMORY, "no memory for a certificate")
                         : read_pem(bio, diag, &list);
        if (!is_ok(st)) {
            diag_prefix(diag, "%s", path);
        }
    }
    buf_done(&text);
    if (!is_ok(st)) {
        certificate_list_done(&list);
        return st;
    }
    *ret_list = list;
    return OK;
}

void
certificate_list_done(struct certificate_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        certificate_free(list->items[i]);
    }
    list->n = 0;
}

/* ---- questions ---- */

static struct status
check_rsa(const EVP_PKEY *key, struct diag *diag)
{
    const int bits = EVP_PKEY_get_bits(key);

    if (bits < CERTIFICATE_RSA_BITS_MIN || bits > CERTIFICATE_RSA_BITS_MAX) {
        return FAIL(diag, ERR_CREDENTIAL, "RSA key of %d bits; expected %d to %d", bits,
                    CERTIFICATE_RSA_BITS_MIN, CERTIFICATE_RSA_BITS_MAX);
    }
    return OK;
}

static struct status
check_ec(const EVP_PKEY *key, struct diag *diag)
{
    char curve[64] = "unnamed";

    if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof(curve),
                                       NULL) != 1 ||
        (strcmp(curve, "prime256v1") != 0 && strcmp(curve, "secp384r1") != 0)) {
        ERR_clear_error();
        return FAIL(diag, ERR_CREDENTIAL, "EC key on curve %s; expected P-256 or P-384", curve);
    }
    return OK;
}

struct status
certificate_check_key(const EVP_PKEY *key, struct diag *diag)
{
    if (EVP_PKEY_is_a(key, "RSA")) {
        return check_rsa(key, diag);
    }
    if (EVP_PKEY_is_a(key, "EC")) {
        return check_ec(key, diag);
    }
    const char *type = EVP_PKEY_get0_type_name(key);

    return FAIL(diag, ERR_CREDENTIAL, "key of type %s; expected RSA or EC",
                type == NULL ? "unknown" : type);
}

bool
certificate_names(const struct certificate *certificate, struct span host)
{
    char text[HOST_MAX];
    unsigned char address[sizeof(struct in6_addr)];

    if (!is_plain_name((const unsigned char *)host.p, host.n) ||
        span_find_char(host, '*') != SPAN_MISSING || host.p[0] == '.') {
        return false;
    }
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    if (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1) {
        return X509_check_ip_asc(certificate->x509, text, 0) == 1;
    }
    return X509_check_host(certificate->x509, text, host.n,
                           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                           NULL) == 1;
}

/* ---- one key in several certificates ---- */

static bool
append_number(const EVP_PKEY *key, const char *name, struct buf *out, struct diag *diag)
{
    BIGNUM *number = NULL;
    char *text = EVP_PKEY_get_bn_param(key, name, &number) == 1 ? BN_bn2hex(number) : NULL;
    const bool is_done = text != NULL && is_ok(buf_append_cstr(out, text, diag)) &&
                         is_ok(buf_append_char(out, ' ', diag));

    OPENSSL_free(text);
    BN_free(number);
    return is_done;
}

/* Numbers, not DER: a point on a curve may be written in several ways. */
struct status
certificate_key_sha256(const struct certificate *certificate, struct diag *diag,
                       char ret_hex[SHA256_HEX])
{
    const EVP_PKEY *key = certificate->key;
    const bool is_rsa = EVP_PKEY_is_a(key, "RSA") != 0;
    const char *const first = is_rsa ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_EC_PUB_X;
    const char *const second = is_rsa ? OSSL_PKEY_PARAM_RSA_E : OSSL_PKEY_PARAM_EC_PUB_Y;
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, KEY_TEXT_MAX);
    if ((!is_rsa && !EVP_PKEY_is_a(key, "EC")) || !append_number(key, first, &text, diag) ||
        !append_number(key, second, &text, diag)) {
        ERR_clear_error();
        return FAIL(diag, ERR_CREDENTIAL, "certificate '%s': its key is neither RSA nor EC",
                    certificate->subject);
    }
    return digest_sha256_hex(buf_span(&text), diag, ret_hex);
}
