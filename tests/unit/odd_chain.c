/*
 * Makes the certificates of odd_chain.h with OpenSSL's builders.
 */
#include "odd_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "unit.h"

/* ---- keys ---- */

#define KEYS_MAX 64

static struct known_key {
    char kind[32];
    size_t number;
    EVP_PKEY *key;
} known_keys[KEYS_MAX];
static size_t known_keys_n;

static EVP_PKEY *
make_pss_key(void)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *key = NULL;

    CU_ASSERT_FATAL(context != NULL && EVP_PKEY_keygen_init(context) == 1);
    CU_ASSERT(EVP_PKEY_generate(context, &key) == 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *
make_key(const char *kind)
{
    if (strncmp(kind, "rsa:", 4) == 0) {
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)strtoul(kind + 4, NULL, 10));
    }
    if (strcmp(kind, "pss") == 0) {
        return make_pss_key();
    }
    return strncmp(kind, "ec:", 3) == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind + 3)
                                        : EVP_PKEY_Q_keygen(NULL, NULL, kind);
}

EVP_PKEY *
odd_key(const char *kind, size_t number)
{
    for (size_t i = 0; i < known_keys_n; i++) {
        if (known_keys[i].number == number && strcmp(known_keys[i].kind, kind) == 0) {
            return known_keys[i].key;
        }
    }
    CU_ASSERT_FATAL(known_keys_n < KEYS_MAX);
    struct known_key *known = &known_keys[known_keys_n];

    snprintf(known->kind, sizeof(known->kind), "%s", kind);
    known->number = number;
    known->key = make_key(kind);
    CU_ASSERT_FATAL(known->key != NULL);
    known_keys_n++;
    return known->key;
}

void
odd_keys_done(void)
{
    for (size_t i = 0; i < known_keys_n; i++) {
        EVP_PKEY_free(known_keys[i].key);
    }
    known_keys_n = 0;
}

/* ---- certificates ---- */

static void
add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    if (value == NULL || value[0] == '\0') {
        return;
    }
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);

    CU_ASSERT_FATAL(extension != NULL);
    CU_ASSERT(X509_add_ext(x509, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static void
add_unknown(X509 *x509)
{
    ASN1_OBJECT *object = OBJ_txt2obj("2.999.77", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension = NULL;

    CU_ASSERT_FATAL(object != NULL && value != NULL);
    CU_ASSERT(ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\x00", 2) == 1);
    extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
    CU_ASSERT(X509_add_ext(x509, extension, -1) == 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
}

static void
sign(X509 *x509, const struct odd *odd, EVP_PKEY *key)
{
    const bool is_edwards = EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
    const EVP_MD *digest =
        is_edwards ? NULL : EVP_get_digestbyname(odd->digest == NULL ? "SHA256" : odd->digest);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_context = NULL;

    CU_ASSERT_FATAL(context != NULL);
    CU_ASSERT_FATAL(EVP_DigestSignInit(context, &key_context, digest, NULL, key) == 1);
    if (odd->is_pss) {
        CU_ASSERT(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1);
        CU_ASSERT(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) == 1);
    }
    CU_ASSERT(X509_sign_ctx(x509, context) > 0);
    EVP_MD_CTX_free(context);
}

static void
set_name(X509 *x509, const struct odd *odd, size_t level)
{
    X509_NAME *name = X509_get_subject_name(x509);
    char text[32];

    snprintf(text, sizeof(text), "level %zu", level);
    const char *common = odd->name == NULL ? text : odd->name;

    if (common[0] != '\0') {
        CU_ASSERT(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                             (const unsigned char *)common, -1, -1, 0) == 1);
    }
}

static const char *
or_else(const char *text, const char *otherwise)
{
    return text == NULL ? otherwise : text;
}

static X509 *
make_certificate(const struct odd *odd, size_t level, bool is_leaf, EVP_PKEY *key, X509 *above,
                 EVP_PKEY *above_key, int64_t now_us)
{
    static long serial = 1000;
    const bool is_now = odd->from_days == 0 && odd->until_days == 0;
    const time_t now_s = (time_t)(now_us / US_PER_S);
    X509 *x509 = X509_new();
    X509 *issuer = above == NULL ? x509 : above;

    CU_ASSERT_FATAL(x509 != NULL);
    CU_ASSERT(X509_set_version(x509, X509_VERSION_3) == 1);
    CU_ASSERT(ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++) == 1);
    CU_ASSERT(X509_time_adj_ex(X509_getm_notBefore(x509), is_now ? -10 : odd->from_days, 0,
                               (time_t *)(uintptr_t)&now_s) != NULL);
    CU_ASSERT(X509_time_adj_ex(X509_getm_notAfter(x509), is_now ? 100 : odd->until_days, 0,
                               (time_t *)(uintptr_t)&now_s) != NULL);
    CU_ASSERT(X509_set_pubkey(x509, key) == 1);
    set_name(x509, odd, level);
    CU_ASSERT(X509_set_issuer_name(x509, X509_get_subject_name(issuer)) == 1);
    add_extension(x509, issuer, NID_basic_constraints,
                  or_else(odd->basic, is_leaf ? "critical,CA:FALSE" : "critical,CA:TRUE"));
    add_extension(x509, issuer, NID_key_usage,
                  or_else(odd->usage,
                          is_leaf ? "critical,digitalSignature" : "critical,keyCertSign,cRLSign"));
    add_extension(x509, issuer, NID_ext_key_usage, odd->extended);
    add_extension(x509, issuer, NID_subject_alt_name, odd->san);
    add_extension(x509, issuer, NID_name_constraints, odd->constraints);
    add_extension(x509, issuer, NID_netscape_cert_type, odd->netscape);
    if (odd->has_key_ids) {
        add_extension(x509, issuer, NID_subject_key_identifier, "hash");
        add_extension(x509, issuer, NID_authority_key_identifier, "keyid:always");
    }
    if (odd->is_critical_unknown) {
        add_unknown(x509);
    }
    sign(x509, odd, above == NULL ? key : above_key);
    return x509;
}

void
odd_chain_make(const struct odd *levels, size_t n, size_t key_number, int64_t now_us,
               struct odd_chain *ret_chain)
{
    *ret_chain = (struct odd_chain){.n = n};
    CU_ASSERT_FATAL(n <= ODD_LEVELS_MAX);
    for (size_t i = 0; i < n; i++) {
        const char *kind = levels[i].key == NULL ? "ec:P-256" : levels[i].key;
        const bool is_leaf = i > 0 && i == n - 1;

        ret_chain->key[i] = odd_key(kind, i + 100 * key_number);
        ret_chain->x509[i] = make_certificate(&levels[i], i, is_leaf, ret_chain->key[i],
                                              i == 0 ? NULL : ret_chain->x509[i - 1],
                                              i == 0 ? NULL : ret_chain->key[i - 1], now_us);
    }
}

void
odd_chain_done(struct odd_chain *chain)
{
    for (size_t i = 0; i < chain->n; i++) {
        X509_free(chain->x509[i]);
    }
    chain->n = 0;
}

/* ---- files ---- */

static BIO *
open_file(const char *path)
{
    BIO *bio = BIO_new_file(path, "w");

    CU_ASSERT_FATAL(bio != NULL);
    return bio;
}

void
odd_write_pem(const char *path, X509 *const *x509, size_t n)
{
    BIO *bio = open_file(path);

    for (size_t i = 0; i < n; i++) {
        CU_ASSERT(PEM_write_bio_X509(bio, x509[i]) == 1);
    }
    BIO_free(bio);
}

void
odd_write_crl(const char *path, X509_CRL *const *crls, size_t n)
{
    BIO *bio = open_file(path);

    for (size_t i = 0; i < n; i++) {
        CU_ASSERT(PEM_write_bio_X509_CRL(bio, crls[i]) == 1);
    }
    BIO_free(bio);
}

void
odd_write_crl_der(const char *path, X509_CRL *crl)
{
    BIO *bio = open_file(path);

    CU_ASSERT(i2d_X509_CRL_bio(bio, crl) == 1);
    BIO_free(bio);
}
