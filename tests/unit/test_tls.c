/*
 * TLS contexts: handshakes in memory over BIO pairs, with real certificates. Every refusal is named
 * by OpenSSL's own reason.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "certs/tls.h"
#include "certs_world.h"
#include "unit.h"

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
    {"free the network's certificates", test_free_world},
};

UNIT_MAIN("tls", tests)
