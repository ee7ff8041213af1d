/*
 * Credentials, trust, TLS contexts and the development PKI, with real certificates. Handshakes run
 * in memory over BIO pairs: every refusal is named by OpenSSL's own reason.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "certs/devpki.h"
#include "certs/issue.h"
#include "certs/tls.h"
#include "unit.h"

#define DAY_US  (INT64_C(86400) * US_PER_S)
#define YEAR_US (365 * DAY_US)

/* One network, made once: red (RSA) and blue (P-256) under one authority, green under another. */
static struct {
    char dir[256];
    int64_t now_us;
    struct credential *red, *blue, *green, *gone, *expired, *red_signing;
    struct trust *trust;       /* the authority, with its revocation list */
    struct trust *plain_trust; /* ... without */
    struct trust *other_trust; /* the other authority */
    EVP_PKEY *ca_key;
    X509 *ca;
} world;

static const char *
path_of(const char *name)
{
    static char paths[8][512];
    static size_t next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", world.dir, name);
    return path;
}

static struct credential *
load_node(const char *node, const char *name, int64_t now_us)
{
    struct diag diag = {0};
    struct credential *credential = NULL;
    char certificate[512], key[512];

    snprintf(certificate, sizeof(certificate), "%s/%s/%s.pem", world.dir, node, name);
    snprintf(key, sizeof(key), "%s/%s/%s.key", world.dir, node, name);
    CHECK_OK(&diag, credential_load(certificate, key, now_us, &diag, &credential));
    return credential;
}

static void
make_node(const char *node, const char *ca, enum devpki_key key, int64_t now_us)
{
    struct diag diag = {0};
    char host[64], dir[512], ca_dir[512];
    const struct devpki_node maker = {
        .name = node, .host = host, .address = "127.0.0.1", .key = key};

    snprintf(host, sizeof(host), "%s.example", node);
    snprintf(dir, sizeof(dir), "%s/%s", world.dir, node);
    snprintf(ca_dir, sizeof(ca_dir), "%s/%s", world.dir, ca);
    CHECK_OK(&diag, devpki_make_node(dir, ca_dir, &maker, now_us, &diag));
}

static void
read_ca(void)
{
    BIO *bio = BIO_new_file(path_of("ca/ca.key"), "r");

    CU_ASSERT_FATAL(bio != NULL);
    world.ca_key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    bio = BIO_new_file(path_of("ca/ca.pem"), "r");
    CU_ASSERT_FATAL(bio != NULL);
    world.ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    CU_ASSERT_FATAL(world.ca != NULL && world.ca_key != NULL);
}

static void
test_make_world(void)
{
    struct diag diag = {0};

    snprintf(world.dir, sizeof(world.dir), "%s", unit_temp_dir());
    world.now_us = clock_wall_us(clock_system());
    CHECK_OK(&diag, devpki_make_ca(path_of("ca"), "N\xc3\xb8rth HIE", world.now_us, &diag));
    CHECK_OK(&diag, devpki_make_ca(path_of("other-ca"), "Elsewhere", world.now_us, &diag));
    make_node("red", "ca", DEVPKI_RSA_2048, world.now_us);
    make_node("blue", "ca", DEVPKI_P256, world.now_us);
    make_node("gone", "ca", DEVPKI_P256, world.now_us);
    make_node("expired", "ca", DEVPKI_P256, world.now_us - 3 * YEAR_US);
    make_node("green", "other-ca", DEVPKI_P256, world.now_us);
    CHECK_OK(&diag, devpki_revoke(path_of("ca"), path_of("gone/node.pem"), world.now_us, &diag));
    CHECK_OK(&diag, devpki_revoke(path_of("ca"), path_of("gone/signing.pem"), world.now_us, &diag));

    world.red = load_node("red", "node", world.now_us);
    world.red_signing = load_node("red", "signing", world.now_us);
    world.blue = load_node("blue", "node", world.now_us);
    world.green = load_node("green", "node", world.now_us);
    world.gone = load_node("gone", "node", world.now_us);
    world.expired = load_node("expired", "node", world.now_us - 3 * YEAR_US);
    CHECK_OK(&diag, trust_load(path_of("ca/ca.pem"), path_of("ca/crl.pem"), &diag, &world.trust));
    CHECK_OK(&diag, trust_load(path_of("ca/ca.pem"), NULL, &diag, &world.plain_trust));
    CHECK_OK(&diag, trust_load(path_of("other-ca/ca.pem"), path_of("other-ca/crl.pem"), &diag,
                               &world.other_trust));
    read_ca();
}

static void
test_free_world(void)
{
    credential_free(world.red);
    credential_free(world.red_signing);
    credential_free(world.blue);
    credential_free(world.green);
    credential_free(world.gone);
    credential_free(world.expired);
    trust_free(world.trust);
    trust_free(world.plain_trust);
    trust_free(world.other_trust);
    EVP_PKEY_free(world.ca_key);
    X509_free(world.ca);
    credential_free(NULL);
    trust_free(NULL);
    certificate_free(NULL);
}

/* ---- handshakes ---- */

struct handshake {
    bool is_done;      /* both sides finished and one byte went each way */
    int server_reason; /* SSL_R_... of the server's failure, 0 when none */
    int client_reason;
    long server_verdict; /* X509_V_... about the client's certificate */
    long client_verdict; /* ... about the server's */
    const char *version;
    char suite[64];
    bool has_ticket;
};

/* One try to get on with the handshake; false when it failed for good. */
static bool
step(SSL *ssl, int *ret_reason)
{
    char byte;

    ERR_clear_error();
    const int n = SSL_is_init_finished(ssl) ? SSL_read(ssl, &byte, 1) : SSL_do_handshake(ssl);
    const int error = SSL_get_error(ssl, n);

    if (n == 1 || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        return true;
    }
    if (*ret_reason == 0) {
        *ret_reason = ERR_GET_REASON(ERR_peek_error());
    }
    return false;
}

static void
run_handshake(SSL *client, SSL *server, struct handshake *result)
{
    /* A failed side still lets the other read its alert. */
    for (int i = 0; i < 40; i++) {
        const bool client_goes = step(client, &result->client_reason);
        const bool server_goes = step(server, &result->server_reason);

        if (!client_goes && !server_goes) {
            break;
        }
    }
    char byte = 'x';

    result->is_done = SSL_is_init_finished(client) && SSL_is_init_finished(server) &&
                      SSL_write(client, &byte, 1) == 1 && SSL_read(server, &byte, 1) == 1 &&
                      SSL_write(server, &byte, 1) == 1 && SSL_read(client, &byte, 1) == 1;
}

static struct handshake
shake(SSL_CTX *client_context, SSL_CTX *server_context)
{
    struct handshake result = {0};
    SSL *client = SSL_new(client_context);
    SSL *server = SSL_new(server_context);
    BIO *client_bio = NULL, *server_bio = NULL;

    CU_ASSERT_FATAL(client != NULL && server != NULL);
    CU_ASSERT_FATAL(BIO_new_bio_pair(&client_bio, 65536, &server_bio, 65536) == 1);
    SSL_set_bio(client, client_bio, client_bio);
    SSL_set_bio(server, server_bio, server_bio);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    run_handshake(client, server, &result);
    result.server_verdict = SSL_get_verify_result(server);
    result.client_verdict = SSL_get_verify_result(client);
    result.version = SSL_get_version(client);
    snprintf(result.suite, sizeof(result.suite), "%s", SSL_get_cipher_name(client));
    result.has_ticket = SSL_SESSION_has_ticket(SSL_get_session(client)) == 1;
    SSL_free(client);
    SSL_free(server);
    ERR_clear_error();
    return result;
}

static SSL_CTX *
server_context(const struct credential *credential)
{
    struct diag diag = {0};
    SSL_CTX *context = NULL;

    CHECK_OK(&diag, tls_server_context(credential, world.trust, &diag, &context));
    CU_ASSERT_FATAL(context != NULL);
    return context;
}

static SSL_CTX *
client_context(const struct credential *credential, const struct trust *trust)
{
    struct diag diag = {0};
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    CU_ASSERT_FATAL(context != NULL);
    CHECK_OK(&diag, tls_client_context_prepare(context, credential, trust, &diag));
    return context;
}

/* A client that is as lax as OpenSSL can be: it offers what our own never would. */
static SSL_CTX *
lax_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    CU_ASSERT_FATAL(context != NULL);
    SSL_CTX_set_security_level(context, 0);
    CU_ASSERT(SSL_CTX_set_min_proto_version(context, TLS1_VERSION) == 1);
    return context;
}

static void
test_good_handshakes(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    static const char *const names[] = {"TLSv1.2", "TLSv1.3"};
    const struct credential *const credentials[] = {world.red, world.blue};

    for (size_t v = 0; v < 2; v++) {
        for (size_t s = 0; s < 2; s++) {
            for (size_t c = 0; c < 2; c++) {
                SSL_CTX *server = server_context(credentials[s]);
                SSL_CTX *client = client_context(credentials[c], world.trust);

                SSL_CTX_set_max_proto_version(client, versions[v]);
                const struct handshake result = shake(client, server);

                CU_ASSERT(result.is_done);
                CHECK_SPAN(span_of_cstr(result.version), names[v]);
                CU_ASSERT(result.server_verdict == X509_V_OK);
                CU_ASSERT(result.client_verdict == X509_V_OK);
                CU_ASSERT(!result.has_ticket);
                SSL_CTX_free(client);
                SSL_CTX_free(server);
            }
        }
    }
}

/* ITI TF-2 3.19: these four must work, so must the curves' counterparts. */
static void
test_suites(void)
{
    static const struct {
        const char *suite;
        bool is_red;
    } suites[] = {
        {"DHE-RSA-AES128-GCM-SHA256", true},      {"DHE-RSA-AES256-GCM-SHA384", true},
        {"ECDHE-RSA-AES128-GCM-SHA256", true},    {"ECDHE-RSA-AES256-GCM-SHA384", true},
        {"ECDHE-ECDSA-AES128-GCM-SHA256", false}, {"ECDHE-ECDSA-AES256-GCM-SHA384", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        SSL_CTX *server = server_context(suites[i].is_red ? world.red : world.blue);
        SSL_CTX *client = client_context(world.red, world.trust);

        SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
        CU_ASSERT(SSL_CTX_set_cipher_list(client, suites[i].suite) == 1);
        const struct handshake result = shake(client, server);

        CU_ASSERT(result.is_done);
        CHECK_SPAN(span_of_cstr(result.suite), suites[i].suite);
        SSL_CTX_free(client);
        SSL_CTX_free(server);
    }
}

/* What a lax client may offer, and the server's reason to refuse it. */
static void
test_refused_protocols(void)
{
    static const struct {
        int most;
        const char *suites;
        const char *signatures;
        int reason;
    } offers[] = {
        {TLS1_VERSION, "ALL:@SECLEVEL=0", NULL, SSL_R_UNSUPPORTED_PROTOCOL},
        {TLS1_1_VERSION, "ALL:@SECLEVEL=0", NULL, SSL_R_UNSUPPORTED_PROTOCOL},
        {TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA", NULL, SSL_R_NO_SHARED_CIPHER},
        {TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA256", NULL, SSL_R_NO_SHARED_CIPHER},
        {TLS1_2_VERSION, "AES128-GCM-SHA256", NULL, SSL_R_NO_SHARED_CIPHER},
        {TLS1_2_VERSION, "aNULL:@SECLEVEL=0", NULL, SSL_R_NO_SHARED_CIPHER},
        {TLS1_2_VERSION, "ALL:@SECLEVEL=0", "RSA+SHA1:ECDSA+SHA1",
         SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS},
    };

    for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
        SSL_CTX *server = server_context(world.red);
        SSL_CTX *client = lax_context();

        SSL_CTX_set_max_proto_version(client, offers[i].most);
        CU_ASSERT(SSL_CTX_set_cipher_list(client, offers[i].suites) == 1);
        if (offers[i].signatures != NULL) {
            CU_ASSERT(SSL_CTX_set1_sigalgs_list(client, offers[i].signatures) == 1);
        }
        const struct handshake result = shake(client, server);

        CU_ASSERT(!result.is_done);
        if (result.server_reason != offers[i].reason) {
            fprintf(stderr, "offer %zu: wanted reason %d, got %d\n", i, offers[i].reason,
                    result.server_reason);
            CU_FAIL("another reason");
        }
        SSL_CTX_free(client);
        SSL_CTX_free(server);
    }
}

static void
test_no_client_certificate(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        SSL_CTX *server = server_context(world.red);
        SSL_CTX *client = lax_context();

        SSL_CTX_set_max_proto_version(client, versions[i]);
        const struct handshake result = shake(client, server);

        CU_ASSERT(!result.is_done);
        CU_ASSERT(result.server_reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE);
        SSL_CTX_free(client);
        SSL_CTX_free(server);
    }
}

/* A certificate that the authority should never have issued, as a client's. */
static X509 *
issue_odd(const char *key_type, enum issue_kind kind, const char *digest, int64_t from_us,
          int64_t until_us, EVP_PKEY **ret_key)
{
    static const char *const hosts[] = {"odd.example"};
    struct diag diag = {0};
    X509 *x509 = NULL;
    const struct issue_request request = {.kind = kind,
                                          .organization = "Odd",
                                          .common_name = "odd",
                                          .hosts = hosts,
                                          .hosts_n = 1,
                                          .not_before_us = from_us,
                                          .not_after_us = until_us,
                                          .digest = digest};

    CHECK_OK(&diag, issue_key(key_type, &diag, ret_key));
    CHECK_OK(&diag, issue_certificate(&request, *ret_key, world.ca, world.ca_key, &diag, &x509));
    CU_ASSERT_FATAL(x509 != NULL);
    return x509;
}

static void
check_client_refused(SSL_CTX *client, const char *what, long verdict)
{
    SSL_CTX *server = server_context(world.red);
    const struct handshake result = shake(client, server);

    CU_ASSERT(!result.is_done);
    if (result.server_verdict != verdict) {
        fprintf(stderr, "%s: wanted '%s', got '%s'\n", what, X509_verify_cert_error_string(verdict),
                X509_verify_cert_error_string(result.server_verdict));
        CU_FAIL("another verdict");
    }
    SSL_CTX_free(server);
}

static void
test_refused_clients(void)
{
    const struct {
        const char *what;
        const struct credential *credential;
        long verdict;
    } clients[] = {
        {"another authority's", world.green, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
        {"revoked", world.gone, X509_V_ERR_CERT_REVOKED},
        {"expired", world.expired, X509_V_ERR_CERT_HAS_EXPIRED},
    };

    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        SSL_CTX *client = client_context(clients[i].credential, world.trust);

        check_client_refused(client, clients[i].what, clients[i].verdict);
        SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
        check_client_refused(client, clients[i].what, clients[i].verdict);
        SSL_CTX_free(client);
    }
}

static void
test_refused_odd_clients(void)
{
    static const struct {
        const char *key, *digest;
        long verdict;
    } odds[] = {
        {"rsa:1024", "SHA256", X509_V_ERR_EE_KEY_TOO_SMALL},
        {"ec:P-256", "SHA1", X509_V_ERR_CA_MD_TOO_WEAK},
    };

    for (size_t i = 0; i < ARRAY_LEN(odds); i++) {
        EVP_PKEY *key = NULL;
        X509 *x509 = issue_odd(odds[i].key, ISSUE_TLS, odds[i].digest, world.now_us - DAY_US,
                               world.now_us + DAY_US, &key);
        SSL_CTX *client = lax_context();

        CU_ASSERT(SSL_CTX_use_certificate(client, x509) == 1);
        CU_ASSERT(SSL_CTX_use_PrivateKey(client, key) == 1);
        check_client_refused(client, odds[i].key, odds[i].verdict);
        SSL_CTX_free(client);
        X509_free(x509);
        EVP_PKEY_free(key);
    }
}

/* The client judges the server by its own trust. */
static void
test_refused_servers(void)
{
    const struct {
        const struct credential *server;
        const struct trust *trust;
        long verdict;
    } servers[] = {
        {world.red, world.other_trust, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
        {world.gone, world.trust, X509_V_ERR_CERT_REVOKED},
        {world.expired, world.trust, X509_V_ERR_CERT_HAS_EXPIRED},
    };

    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        SSL_CTX *server = server_context(servers[i].server);
        SSL_CTX *client = client_context(world.blue, servers[i].trust);
        const struct handshake result = shake(client, server);

        CU_ASSERT(!result.is_done);
        if (result.client_verdict != servers[i].verdict) {
            fprintf(stderr, "server %zu: wanted '%s', got '%s'\n", i,
                    X509_verify_cert_error_string(servers[i].verdict),
                    X509_verify_cert_error_string(result.client_verdict));
            CU_FAIL("another verdict");
        }
        SSL_CTX_free(client);
        SSL_CTX_free(server);
    }
}

static void
test_context_settings(void)
{
    SSL_CTX *server = server_context(world.red);
    const uint64_t options = SSL_CTX_get_options(server);

    CU_ASSERT((options & SSL_OP_NO_RENEGOTIATION) != 0);
    CU_ASSERT((options & SSL_OP_NO_COMPRESSION) != 0);
    CU_ASSERT((options & SSL_OP_NO_TICKET) != 0);
    CU_ASSERT((options & SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION) == 0);
    CU_ASSERT((options & SSL_OP_LEGACY_SERVER_CONNECT) == 0);
    CU_ASSERT(SSL_CTX_get_security_level(server) == 2);
    CU_ASSERT(SSL_CTX_get_max_early_data(server) == 0);
    CU_ASSERT(SSL_CTX_get_num_tickets(server) == 0);
    CU_ASSERT(SSL_CTX_get_session_cache_mode(server) == SSL_SESS_CACHE_OFF);
    CU_ASSERT(sk_X509_NAME_num(SSL_CTX_get_client_CA_list(server)) == 1);
    SSL_CTX_free(server);
}

/* ---- credentials ---- */

static void
write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT(fputs(text, file) >= 0);
    CU_ASSERT(fclose(file) == 0);
    CU_ASSERT(chmod(path, mode) == 0);
}

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
    write_file(path_of("no.pem"), "just text\n", 0600);
    write_file(path_of("empty.pem"), "", 0600);
    write_file(path_of("damaged.pem"),
               "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0600);
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

static struct certificate *
load_certificate(const char *name)
{
    struct diag diag = {0};
    struct certificate *certificate = NULL;

    CHECK_OK(&diag, certificate_from_file(path_of(name), &diag, &certificate));
    CU_ASSERT_FATAL(certificate != NULL);
    return certificate;
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

/* ---- the development PKI ---- */

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
    {"refused protocols", test_refused_protocols},
    {"no client certificate", test_no_client_certificate},
    {"refused clients", test_refused_clients},
    {"refused odd clients", test_refused_odd_clients},
    {"refused servers", test_refused_servers},
    {"good handshakes", test_good_handshakes},
    {"suites", test_suites},
    {"context settings", test_context_settings},
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
    {"devpki files", test_devpki_files},
    {"devpki certificates", test_devpki_certificates},
    {"devpki refusals", test_devpki_refusals},
    {"devpki revoke", test_devpki_revoke},
    {"no memory", test_no_memory},
    {"free the network's certificates", test_free_world},
};

UNIT_MAIN("certs", tests)
