/*
 * The development PKI: what its files and certificates are, and what it refuses.
 */
#include <string.h>
#include <sys/stat.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/devpki.h"
#include "certs_world.h"
#include "unit.h"

static mode_t
mode_of(const char *name)
{
    struct stat facts;

    CU_ASSERT_FATAL(stat(path_of(name), &facts) == 0);
    return facts.st_mode & 07777;
}

static void
test_devpki_files(void)
{
    static const char *const keys[] = {"ca/ca.key", "red/node.key", "red/signing.key",
                                       "red/audit.key"};
    static const char *const certificates[] = {"ca/ca.pem",    "ca/crl.pem",   "red/ca.pem",
                                               "red/crl.pem",  "red/node.pem", "red/signing.pem",
                                               "red/audit.pem"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        CU_ASSERT(mode_of(keys[i]) == 0600);
    }
    for (size_t i = 0; i < ARRAY_LEN(certificates); i++) {
        CU_ASSERT(mode_of(certificates[i]) == 0644);
    }
    CU_ASSERT(mode_of("ca") == 0700);
}

static void
test_devpki_certificates(void)
{
    struct certificate *node = load_certificate("red/node.pem");
    struct certificate *signing = load_certificate("red/signing.pem");
    struct certificate *audit = load_certificate("red/audit.pem");

    CHECK_SPAN(span_of_cstr(node->subject), "CN=node,O=red");
    CHECK_SPAN(span_of_cstr(signing->subject), "CN=signing,O=red");
    CU_ASSERT(node->dns_n == 3);
    CU_ASSERT(certificate_names(node, SPAN("red.example")));
    CU_ASSERT(certificate_names(node, SPAN("localhost")));
    CU_ASSERT(certificate_names(node, SPAN("127.0.0.1")));
    CU_ASSERT(signing->dns_n == 0);
    CU_ASSERT(X509_get_extended_key_usage(node->x509) == (XKU_SSL_SERVER | XKU_SSL_CLIENT));
    CU_ASSERT((X509_get_key_usage(signing->x509) & KU_DIGITAL_SIGNATURE) != 0);
    CU_ASSERT((X509_get_key_usage(signing->x509) & KU_KEY_CERT_SIGN) == 0);
    CU_ASSERT(node->not_before_us <= world.now_us - 299 * US_PER_S);
    CU_ASSERT(node->not_after_us <= world.now_us + 731 * DAY_US);
    CU_ASSERT(strcmp(node->sha256, audit->sha256) != 0);
    CU_ASSERT(ASN1_INTEGER_cmp(X509_get0_serialNumber(node->x509),
                               X509_get0_serialNumber(audit->x509)) != 0);
    /* 128 random bits: fewer than 12 bytes would be one chance in four billion */
    CU_ASSERT(ASN1_STRING_length(X509_get0_serialNumber(node->x509)) >= 12);
    certificate_free(node);
    certificate_free(signing);
    certificate_free(audit);
}

static void
test_devpki_refusals(void)
{
    struct diag diag = {0};
    const struct devpki_node node = {.name = "red", .key = DEVPKI_P256};
    const struct devpki_node long_name = {
        .name = "a name that is longer than the sixty-four characters that X.520 allows",
        .key = DEVPKI_P256};

    CHECK_ERR(&diag, ERR_CREDENTIAL, devpki_make_ca(path_of("ca"), "x", world.now_us, &diag));
    CU_ASSERT(strstr(diag.text, "exists already") != NULL);
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_CREDENTIAL,
              devpki_make_node(path_of("red"), path_of("ca"), &node, world.now_us, &diag));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_CREDENTIAL,
              devpki_make_node(path_of("long"), path_of("ca"), &long_name, world.now_us, &diag));
    CU_ASSERT(strstr(diag.text, "1 to 64 characters") != NULL);
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_IO,
              devpki_make_node(path_of("new"), path_of("no-ca"), &node, world.now_us, &diag));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_CREDENTIAL,
              devpki_revoke(path_of("ca"), path_of("green/node.pem"), world.now_us, &diag));
    CU_ASSERT(strstr(diag.text, "was not issued by") != NULL);
}

/* Revoking twice lists once; every list has a higher number. */
static void
test_devpki_revoke(void)
{
    struct diag diag = {0};

    CHECK_OK(&diag, devpki_revoke(path_of("ca"), path_of("gone/node.pem"), world.now_us, &diag));
    BIO *bio = BIO_new_file(path_of("ca/crl.pem"), "r");

    CU_ASSERT_FATAL(bio != NULL);
    X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);

    BIO_free(bio);
    CU_ASSERT_FATAL(crl != NULL);
    CU_ASSERT(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)) == 2);
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);

    CU_ASSERT(ASN1_INTEGER_get(number) == 4);
    ASN1_INTEGER_free(number);
    X509_CRL_free(crl);
}

static const struct unit_test tests[] = {
    {"make the network's certificates", test_make_world},
    {"devpki files", test_devpki_files},
    {"devpki certificates", test_devpki_certificates},
    {"devpki refusals", test_devpki_refusals},
    {"devpki revoke", test_devpki_revoke},
    {"free the network's certificates", test_free_world},
};

UNIT_MAIN("devpki", tests)
