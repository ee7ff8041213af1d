/*
 * Credentials, trust stores and certificates, with real files: what is refused and why, and what is
 * read.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/mem.h"
#include "certs_world.h"
#include "unit.h"

/* ---- credentials ---- */

static void
write_pair(const char *name, X509 *x509, EVP_PKEY *key, const EVP_CIPHER *cipher)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s.pem", world.dir, name);
    BIO *bio = BIO_new_file(path, "w");

    CU_ASSERT_FATAL(bio != NULL);
    CU_ASSERT(PEM_write_bio_X509(bio, x509) == 1);
    BIO_free(bio);
    snprintf(path, sizeof(path), "%s/%s.key", world.dir, name);
    bio = BIO_new_file(path, "w");
    CU_ASSERT_FATAL(bio != NULL);
    CU_ASSERT(PEM_write_bio_PrivateKey(bio, key, cipher, (const unsigned char *)"secret", 6, NULL,
                                       NULL) == 1);
    BIO_free(bio);
    CU_ASSERT(chmod(path, 0600) == 0);
}

static void
make_odd_files(void)
{
    static const struct {
        const char *name, *key;
        bool is_encrypted;
    } odds[] = {
        {"weak", "rsa:1024", false},
        {"curve", "ec:secp256k1", false},
        {"p521", "ec:P-521", false},
        {"locked", "ec:P-256", true},
    };

    for (size_t i = 0; i < ARRAY_LEN(odds); i++) {
        EVP_PKEY *key = NULL;
        X509 *x509 = issue_odd(odds[i].key, ISSUE_TLS, "SHA256", world.now_us - DAY_US,
                               world.now_us + DAY_US, &key);

        write_pair(odds[i].name, x509, key, odds[i].is_encrypted ? EVP_aes_256_cbc() : NULL);
        X509_free(x509);
        EVP_PKEY_free(key);
    }
    write_file("no.pem", "just text\n", 0600);
    write_file("empty.pem", "", 0600);
    write_file("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
               0600);
}

static void
test_refused_credentials(void)
{
    static const struct {
        const char *certificate, *key;
        enum err code;
        const char *text; /* part of the diag */
    } files[] = {
        {"red/node.pem", "blue/node.key", ERR_CREDENTIAL, "does not belong to the certificate"},
        {"red/node.pem", "red/signing.key", ERR_CREDENTIAL, "does not belong to the certificate"},
        {"missing.pem", "red/node.key", ERR_IO, "missing.pem"},
        {"red/node.pem", "missing.key", ERR_IO, "missing.key"},
        {"red/node.pem", "red", ERR_CREDENTIAL, "not a regular file"},
        {"no.pem", "red/node.key", ERR_CREDENTIAL, "no certificate; expected PEM"},
        {"empty.pem", "red/node.key", ERR_CREDENTIAL, "no certificate; expected PEM"},
        {"damaged.pem", "red/node.key", ERR_CREDENTIAL, "certificate 1 is damaged"},
        {"red/node.pem", "no.pem", ERR_CREDENTIAL, "no private key in PEM form"},
        {"red/node.pem", "empty.pem", ERR_CREDENTIAL, "no private key in PEM form"},
        {"expired/node.pem", "expired/node.key", ERR_CREDENTIAL, "the certificate expired at"},
        {"weak.pem", "weak.key", ERR_CREDENTIAL, "RSA key of 1024 bits; expected 2048 to 8192"},
        {"curve.pem", "curve.key", ERR_CREDENTIAL, "EC key on curve secp256k1"},
        {"p521.pem", "p521.key", ERR_CREDENTIAL, "EC key on curve secp521r1"},
        {"locked.pem", "locked.key", ERR_CREDENTIAL, "the key is encrypted"},
    };

    make_odd_files();
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct diag diag = {0};
        struct credential *credential = NULL;

        CHECK_ERR(&diag, files[i].code,
                  credential_load(path_of(files[i].certificate), path_of(files[i].key),
                                  world.now_us, &diag, &credential));
        CU_ASSERT(credential == NULL);
        if (strstr(diag.text, files[i].text) == NULL) {
            fprintf(stderr, "wanted '%s' in '%s'\n", files[i].text, diag.text);
            CU_FAIL("another text");
        }
    }
}

static void
test_credential_not_yet_valid(void)
{
    struct diag diag = {0};
    struct credential *credential = NULL;

    CHECK_ERR(&diag, ERR_CREDENTIAL,
              credential_load(path_of("red/node.pem"), path_of("red/node.key"),
                              world.now_us - DAY_US, &diag, &credential));
    CU_ASSERT(strstr(diag.text, "valid only from") != NULL);
}

/* The mode decides, also for root, who may read anything. */
static void
test_key_modes(void)
{
    static const mode_t refused[] = {0640, 0604, 0610, 0601, 0660, 0777, 0620};
    static const mode_t fine[] = {0600, 0400};

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct diag diag = {0};
        struct credential *credential = NULL;

        CU_ASSERT(chmod(path_of("red/node.key"), refused[i]) == 0);
        CHECK_ERR(&diag, ERR_CREDENTIAL,
                  credential_load(path_of("red/node.pem"), path_of("red/node.key"), world.now_us,
                                  &diag, &credential));
        CU_ASSERT(strstr(diag.text, "lets others use this private key; run chmod 600") != NULL);
    }
    for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
        CU_ASSERT(chmod(path_of("red/node.key"), fine[i]) == 0);
        credential_free(load_node("red", "node", world.now_us));
    }
    CU_ASSERT(chmod(path_of("red/node.key"), 0600) == 0);
}

static void
append_file(FILE *to, const char *path)
{
    char text[8192];
    FILE *from = fopen(path, "r");

    CU_ASSERT_FATAL(from != NULL);
    const size_t n = fread(text, 1, sizeof(text), from);

    CU_ASSERT(fwrite(text, 1, n, to) == n);
    CU_ASSERT(fclose(from) == 0);
}

static void
test_chains(void)
{
    static const struct {
        const char *files[3];
        enum err code;
        size_t chain_n;
    } chains[] = {
        {{"red/node.pem", "ca/ca.pem"}, ERR_NONE, 1},
        {{"red/node.pem", "other-ca/ca.pem"}, ERR_CREDENTIAL, 0},
        {{"ca/ca.pem", "red/node.pem"}, ERR_CREDENTIAL, 0},
        {{"red/node.pem", "red/node.pem"}, ERR_CREDENTIAL, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(chains); i++) {
        struct diag diag = {0};
        struct credential *credential = NULL;
        FILE *file = fopen(path_of("chain.pem"), "w");

        CU_ASSERT_FATAL(file != NULL);
        for (size_t k = 0; chains[i].files[k] != NULL; k++) {
            append_file(file, path_of(chains[i].files[k]));
        }
        CU_ASSERT(fclose(file) == 0);
        CHECK_ERR(&diag, chains[i].code,
                  credential_load(path_of("chain.pem"), path_of("red/node.key"), world.now_us,
                                  &diag, &credential));
        CU_ASSERT((credential == NULL ? 0 : credential->chain_n) == chains[i].chain_n);
        credential_free(credential);
    }
}

/* ---- trust ---- */

static void
test_refused_trust(void)
{
    static const struct {
        const char *anchors, *crl;
        enum err code;
    } files[] = {
        {"missing.pem", NULL, ERR_IO},         {"ca/ca.pem", "missing.pem", ERR_IO},
        {"no.pem", NULL, ERR_CREDENTIAL},      {"ca/ca.pem", "no.pem", ERR_CREDENTIAL},
        {"damaged.pem", NULL, ERR_CREDENTIAL}, {"ca/ca.pem", "ca/ca.pem", ERR_CREDENTIAL},
        {"ca/crl.pem", NULL, ERR_CREDENTIAL},
    };

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct diag diag = {0};
        struct trust *trust = NULL;

        CHECK_ERR(&diag, files[i].code,
                  trust_load(path_of(files[i].anchors),
                             files[i].crl == NULL ? NULL : path_of(files[i].crl), &diag, &trust));
        CU_ASSERT(trust == NULL);
    }
}

static void
test_trust_verify(void)
{
    const struct {
        const char *name;
        const struct trust *trust;
        int64_t now_us;
        enum err code;
        const char *text;
    } rows[] = {
        {"red/signing.pem", world.trust, world.now_us, ERR_NONE, ""},
        {"blue/signing.pem", world.trust, world.now_us, ERR_NONE, ""},
        {"gone/signing.pem", world.plain_trust, world.now_us, ERR_NONE, ""},
        {"gone/signing.pem", world.trust, world.now_us, ERR_SIG_NO_TRUST, "certificate revoked"},
        {"green/signing.pem", world.trust, world.now_us, ERR_SIG_NO_TRUST,
         "unable to get local issuer certificate"},
        {"red/signing.pem", world.other_trust, world.now_us, ERR_SIG_NO_TRUST,
         "unable to get local issuer certificate"},
        {"expired/signing.pem", world.trust, world.now_us, ERR_SIG_NO_TRUST,
         "certificate has expired"},
        {"red/signing.pem", world.plain_trust, world.now_us + 3 * YEAR_US, ERR_SIG_NO_TRUST,
         "certificate has expired"},
        {"red/signing.pem", world.plain_trust, world.now_us - DAY_US, ERR_SIG_NO_TRUST,
         "not yet valid"},
        {"red/signing.pem", world.trust, world.now_us + 3 * YEAR_US, ERR_SIG_NO_TRUST,
         "has expired"},
        {"ca/ca.pem", world.trust, world.now_us, ERR_SIG_NO_TRUST, "no signatures"},
        {"weak.pem", world.trust, world.now_us, ERR_SIG_NO_TRUST, "RSA key of 1024 bits"},
        {"curve.pem", world.trust, world.now_us, ERR_SIG_NO_TRUST, "curve secp256k1"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag = {0};
        struct certificate *certificate = load_certificate(rows[i].name);

        CHECK_ERR(&diag, rows[i].code,
                  trust_verify(rows[i].trust, certificate, rows[i].now_us, &diag));
        if (strstr(diag.text, rows[i].text) == NULL) {
            fprintf(stderr, "wanted '%s' in '%s'\n", rows[i].text, diag.text);
            CU_FAIL("another text");
        }
        certificate_free(certificate);
    }
}

/* Certificates that need a special maker: SHA-1, and one that outlives the revocation list. */
static void
test_trust_odd(void)
{
    struct diag diag = {0};
    EVP_PKEY *key = NULL;
    struct certificate *certificate = NULL;
    X509 *x509 = issue_odd("ec:P-256", ISSUE_SIGNING, "SHA1", world.now_us - DAY_US,
                           world.now_us + DAY_US, &key);

    CHECK_OK(&diag, certificate_from_x509(x509, &diag, &certificate));
    CHECK_ERR(&diag, ERR_SIG_NO_TRUST, trust_verify(world.trust, certificate, world.now_us, &diag));
    CU_ASSERT(strstr(diag.text, "digest algorithm too weak") != NULL);
    certificate_free(certificate);
    X509_free(x509);
    EVP_PKEY_free(key);

    diag_clear(&diag);
    x509 = issue_odd("ec:P-384", ISSUE_SIGNING, "SHA384", world.now_us - DAY_US,
                     world.now_us + 9 * YEAR_US, &key);
    CHECK_OK(&diag, certificate_from_x509(x509, &diag, &certificate));
    CHECK_OK(&diag, trust_verify(world.trust, certificate, world.now_us, &diag));
    const int64_t late_us = trust_crl_next_update_us(world.trust) + DAY_US;

    CHECK_OK(&diag, trust_verify(world.plain_trust, certificate, late_us, &diag));
    CHECK_ERR(&diag, ERR_SIG_NO_TRUST, trust_verify(world.trust, certificate, late_us, &diag));
    CU_ASSERT(strstr(diag.text, "CRL has expired") != NULL);
    certificate_free(certificate);
    X509_free(x509);
    EVP_PKEY_free(key);
}

/* A list of another authority is no list for ours: fail closed. */
static void
test_missing_crl(void)
{
    struct diag diag = {0};
    struct trust *trust = NULL;
    struct certificate *certificate = load_certificate("red/signing.pem");

    CHECK_OK(&diag, trust_load(path_of("ca/ca.pem"), path_of("other-ca/crl.pem"), &diag, &trust));
    CHECK_ERR(&diag, ERR_SIG_NO_TRUST, trust_verify(trust, certificate, world.now_us, &diag));
    CU_ASSERT(strstr(diag.text, "unable to get certificate CRL") != NULL);
    CU_ASSERT(trust_anchors(trust) == 1);
    CU_ASSERT(trust_crl_next_update_us(world.plain_trust) == INT64_MAX);
    trust_free(trust);
    certificate_free(certificate);
}

/* Direct comparison: a partner's own certificate may be the anchor, and trusts nobody else. */
static void
test_leaf_anchor(void)
{
    struct diag diag = {0};
    struct trust *trust = NULL;
    struct certificate *red = load_certificate("red/signing.pem");
    struct certificate *blue = load_certificate("blue/signing.pem");

    CHECK_OK(&diag, trust_load(path_of("red/signing.pem"), NULL, &diag, &trust));
    CHECK_OK(&diag, trust_verify(trust, red, world.now_us, &diag));
    CHECK_ERR(&diag, ERR_SIG_NO_TRUST, trust_verify(trust, blue, world.now_us, &diag));
    trust_free(trust);
    certificate_free(red);
    certificate_free(blue);
}

/* ---- certificates ---- */

static void
test_der(void)
{
    struct diag diag = {0};
    struct certificate *certificate = NULL;
    unsigned char *der = NULL;
    char longer[8192];
    const int n = i2d_X509(world.ca, &der);

    CU_ASSERT_FATAL(n > 0 && (size_t)n < sizeof(longer) - 1);
    CHECK_OK(&diag, certificate_from_der(span_of((char *)der, (size_t)n), &diag, &certificate));
    CHECK_SPAN(span_of_cstr(certificate->subject), "CN=Development CA,O=N\xc3\xb8rth HIE");
    CU_ASSERT(strlen(certificate->sha256) == 64);
    CU_ASSERT(certificate->not_before_us < world.now_us);
    CU_ASSERT(certificate->not_after_us > world.now_us + 9 * YEAR_US);
    certificate_free(certificate);

    memcpy(longer, der, (size_t)n);
    longer[n] = 0;
    CHECK_ERR(&diag, ERR_CREDENTIAL,
              certificate_from_der(span_of(longer, (size_t)n + 1), &diag, &certificate));
    for (int cut = 0; cut < n; cut += 7) {
        diag_clear(&diag);
        CHECK_ERR(&diag, ERR_CREDENTIAL,
                  certificate_from_der(span_of((char *)der, (size_t)cut), &diag, &certificate));
    }
    OPENSSL_free(der);
}

static void
test_names(void)
{
    static const char *const hosts[] = {"*.blue.example", "WWW.Red.Example", "10.0.0.7", "::1"};
    static const struct {
        const char *host;
        bool is_named;
    } rows[] = {
        {"www.red.example", true},
        {"WWW.RED.EXAMPLE", true},
        {"red.example", false},
        {"a.blue.example", true},
        {"blue.example", false},
        {"a.b.blue.example", false},
        {"*.blue.example", false},
        {".blue.example", false},
        {"10.0.0.7", true},
        {"10.0.0.8", false},
        {"::1", true},
        {"0:0:0:0:0:0:0:1", true},
        {"names", false},
        {"", false},
        {"www.red.example ", false},
        {"www.red.example.", false},
    };
    struct diag diag = {0};
    struct certificate *certificate = NULL;
    EVP_PKEY *key = NULL;
    X509 *x509 = NULL;
    const struct issue_request request = {.kind = ISSUE_TLS,
                                          .organization = "Names, Inc.",
                                          .common_name = "names",
                                          .hosts = hosts,
                                          .hosts_n = ARRAY_LEN(hosts),
                                          .not_before_us = world.now_us,
                                          .not_after_us = world.now_us + DAY_US,
                                          .digest = "SHA256"};

    CHECK_OK(&diag, issue_key("ec:P-256", &diag, &key));
    CHECK_OK(&diag, issue_certificate(&request, key, NULL, key, &diag, &x509));
    CHECK_OK(&diag, certificate_from_x509(x509, &diag, &certificate));
    CHECK_SPAN(span_of_cstr(certificate->subject), "CN=names,O=Names\\, Inc.");
    CU_ASSERT_FATAL(certificate->dns_n == 4);
    CHECK_SPAN(span_of_cstr(certificate->dns[0]), "*.blue.example");
    CHECK_SPAN(span_of_cstr(certificate->dns[1]), "www.red.example");
    CHECK_SPAN(span_of_cstr(certificate->dns[2]), "10.0.0.7");
    CHECK_SPAN(span_of_cstr(certificate->dns[3]), "::1");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (certificate_names(certificate, span_of_cstr(rows[i].host)) != rows[i].is_named) {
            fprintf(stderr, "host '%s'\n", rows[i].host);
            CU_FAIL("another answer");
        }
    }
    CU_ASSERT(!certificate_names(certificate, SPAN("www.red.example\0")));
    certificate_free(certificate);
    X509_free(x509);
    EVP_PKEY_free(key);
}

/* Every allocation of ours that fails is a clean failure, never a leak (with sanitizers). */
static void
test_no_memory(void)
{
    bool is_loaded = false;

    for (uint64_t n = 0; n < 200 && !is_loaded; n++) {
        struct diag diag = {0};
        struct credential *credential = NULL;

        mem_fail_after(n);
        is_loaded = is_ok(credential_load(path_of("red/node.pem"), path_of("red/node.key"),
                                          world.now_us, &diag, &credential));
        mem_fail_after(UINT64_MAX);
        CU_ASSERT(is_loaded || diag.code == ERR_NO_MEMORY);
        credential_free(credential);
    }
    CU_ASSERT(is_loaded);
}

static const struct unit_test tests[] = {
    {"make the network's certificates", test_make_world},
    {"refused credentials", test_refused_credentials},
    {"credential not yet valid", test_credential_not_yet_valid},
    {"key modes", test_key_modes},
    {"chains", test_chains},
    {"refused trust", test_refused_trust},
    {"trust verify", test_trust_verify},
    {"trust odd", test_trust_odd},
    {"missing crl", test_missing_crl},
    {"leaf anchor", test_leaf_anchor},
    {"der", test_der},
    {"names", test_names},
    {"no memory", test_no_memory},
    {"free the network's certificates", test_free_world},
};

UNIT_MAIN("certs", tests)
