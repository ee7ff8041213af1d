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
#include "odd_chain.h"
#include "tls_shake.h"
#include "unit.h"

static SSL_CTX *
server_context(const struct credential *credential)
{
    return tls_shake_server(credential, world.trust, 0);
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
                SSL_CTX *client = tls_shake_client(credentials[c], world.trust);

                SSL_CTX_set_max_proto_version(client, versions[v]);
                const struct handshake result = tls_shake(client, server);

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
        SSL_CTX *client = tls_shake_client(world.red, world.trust);

        SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
        CU_ASSERT(SSL_CTX_set_cipher_list(client, suites[i].suite) == 1);
        const struct handshake result = tls_shake(client, server);

        CU_ASSERT(result.is_done);
        CHECK_SPAN(span_of_cstr(result.suite), suites[i].suite);
        SSL_CTX_free(client);
        SSL_CTX_free(server);
    }
}

static void
test_suites_tls13(void)
{
    static const char *const suites[] = {"TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"};

    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        SSL_CTX *server = server_context(world.red);
        SSL_CTX *client = tls_shake_client(world.blue, world.trust);

        CU_ASSERT(SSL_CTX_set_ciphersuites(client, suites[i]) == 1);
        const struct handshake result = tls_shake(client, server);

        CU_ASSERT(result.is_done);
        CHECK_SPAN(span_of_cstr(result.version), "TLSv1.3");
        CHECK_SPAN(span_of_cstr(result.suite), suites[i]);
        SSL_CTX_free(client);
        SSL_CTX_free(server);
    }
}

/* DHE's parameters are chosen for our key: at least as strong as level 2 wants (2048 bits). */
static void
test_groups(void)
{
    static const struct {
        const char *groups;
        bool is_served;
    } offers[] = {
        {"X25519", true}, {"P-256", true}, {"P-384", true}, {"P-521", false}, {"X448", false},
    };
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    for (size_t i = 0; i < 2 * ARRAY_LEN(offers); i++) {
        SSL_CTX *server = server_context(world.red);
        SSL_CTX *client = tls_shake_client(world.red, world.trust);

        SSL_CTX_set_max_proto_version(client, versions[i % 2]);
        CU_ASSERT(SSL_CTX_set_cipher_list(client, "ECDHE-RSA-AES128-GCM-SHA256") == 1);
        CU_ASSERT(SSL_CTX_set1_groups_list(client, offers[i / 2].groups) == 1);
        CU_ASSERT(tls_shake(client, server).is_done == offers[i / 2].is_served);
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
        SSL_CTX *client = tls_shake_lax();

        SSL_CTX_set_max_proto_version(client, offers[i].most);
        CU_ASSERT(SSL_CTX_set_cipher_list(client, offers[i].suites) == 1);
        if (offers[i].signatures != NULL) {
            CU_ASSERT(SSL_CTX_set1_sigalgs_list(client, offers[i].signatures) == 1);
        }
        const struct handshake result = tls_shake(client, server);

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

/* OpenSSL would serve all of them. */
static void
test_refused_suites_tls13(void)
{
    static const char *const suites[] = {"TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
                                         "TLS_AES_128_CCM_8_SHA256"};

    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        SSL_CTX *server = server_context(world.red);
        SSL_CTX *client = tls_shake_client(world.blue, world.trust);

        CU_ASSERT(SSL_CTX_set_min_proto_version(client, TLS1_3_VERSION) == 1);
        CU_ASSERT(SSL_CTX_set_ciphersuites(client, suites[i]) == 1);
        const struct handshake result = tls_shake(client, server);

        CU_ASSERT(!result.is_done);
        CU_ASSERT_EQUAL(result.server_reason, SSL_R_NO_SHARED_CIPHER);
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
        SSL_CTX *client = tls_shake_lax();

        SSL_CTX_set_max_proto_version(client, versions[i]);
        const struct handshake result = tls_shake(client, server);

        CU_ASSERT(!result.is_done);
        CU_ASSERT(result.server_reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE);
        SSL_CTX_free(client);
        SSL_CTX_free(server);
    }
}

/* Keys that we do not compute with: whatever a lax client sends, no connection comes of it. */
static void
test_refused_keys(void)
{
    static const struct {
        const char *key;
        bool is_served;
    } keys[] = {{"ec:P-521", false}, {"ec:secp256k1", false}, {"ED25519", false},
                {"ED448", false},    {"ec:P-384", true},      {"rsa:3072", true}};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct odd levels[] = {{.name = "Root"}, {.key = keys[i].key}};
        struct odd_chain chain;
        struct diag diag = {0};
        struct trust *trust = NULL;

        odd_chain_make(levels, 2, 0, world.now_us, &chain);
        odd_write_pem(path_of("odd.pem"), chain.x509, 1);
        CHECK_OK(&diag, trust_load(path_of("odd.pem"), NULL, &diag, &trust));
        SSL_CTX *server = tls_shake_server(world.red, trust, 0);
        SSL_CTX *client = tls_shake_lax();

        CU_ASSERT(SSL_CTX_use_certificate(client, chain.x509[1]) == 1);
        CU_ASSERT(SSL_CTX_use_PrivateKey(client, chain.key[1]) == 1);
        CU_ASSERT(tls_shake(client, server).is_done == keys[i].is_served);
        SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
        CU_ASSERT(tls_shake(client, server).is_done == keys[i].is_served);
        SSL_CTX_free(client);
        SSL_CTX_free(server);
        trust_free(trust);
        odd_chain_done(&chain);
    }
    odd_keys_done();
}

/* The same between leaf and anchor, where no handshake would notice: nothing is signed with that
 * key in it. */
static void
test_refused_keys_above(void)
{
    static const struct {
        const char *key;
        long verdict;
    } keys[] = {{"ec:P-521", TRUST_VERDICT_KEY},
                {"ED25519", TRUST_VERDICT_KEY},
                {"ec:P-384", X509_V_OK},
                {"rsa:2048", X509_V_OK}};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct odd levels[] = {
            {.name = "Root"}, {.name = "Between", .key = keys[i].key}, {.key = "rsa:2048"}};
        struct odd_chain chain;
        struct diag diag = {0};
        struct trust *trust = NULL;

        odd_chain_make(levels, 3, 0, world.now_us, &chain);
        odd_write_pem(path_of("odd.pem"), chain.x509, 1);
        CHECK_OK(&diag, trust_load(path_of("odd.pem"), NULL, &diag, &trust));
        SSL_CTX *server = tls_shake_server(world.red, trust, 0);
        SSL_CTX *client = tls_shake_lax();

        CU_ASSERT(SSL_CTX_use_certificate(client, chain.x509[2]) == 1);
        CU_ASSERT(SSL_CTX_use_PrivateKey(client, chain.key[2]) == 1);
        CU_ASSERT(SSL_CTX_add1_chain_cert(client, chain.x509[1]) == 1);
        const struct handshake result = tls_shake(client, server);

        CU_ASSERT_EQUAL(result.server_verdict, keys[i].verdict);
        CU_ASSERT_EQUAL(result.is_done, keys[i].verdict == X509_V_OK);
        SSL_CTX_free(client);
        SSL_CTX_free(server);
        trust_free(trust);
        odd_chain_done(&chain);
    }
    odd_keys_done();
}

static void
check_client_refused(SSL_CTX *client, const char *what, long verdict)
{
    SSL_CTX *server = server_context(world.red);
    const struct handshake result = tls_shake(client, server);

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
        SSL_CTX *client = tls_shake_client(clients[i].credential, world.trust);

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
        SSL_CTX *client = tls_shake_lax();

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
        SSL_CTX *client = tls_shake_client(world.blue, servers[i].trust);
        const struct handshake result = tls_shake(client, server);

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

static void
test_legacy(void)
{
    struct diag diag = {0};
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());

    CU_ASSERT_FATAL(client != NULL);
    CHECK_OK(&diag, tls_client_context_prepare(client, world.red, world.trust, true, &diag));
    CU_ASSERT((SSL_CTX_get_options(client) & SSL_OP_LEGACY_SERVER_CONNECT) != 0);
    CU_ASSERT((SSL_CTX_get_options(client) & SSL_OP_NO_RENEGOTIATION) != 0);
    CHECK_OK(&diag, tls_client_context_prepare(client, world.red, world.trust, false, &diag));
    CU_ASSERT((SSL_CTX_get_options(client) & SSL_OP_LEGACY_SERVER_CONNECT) == 0);
    SSL_CTX_free(client);
}

static const struct unit_test tests[] = {
    {"make the network's certificates", test_make_world},
    {"refused protocols", test_refused_protocols},
    {"refused suites of TLS 1.3", test_refused_suites_tls13},
    {"no client certificate", test_no_client_certificate},
    {"refused clients", test_refused_clients},
    {"refused odd clients", test_refused_odd_clients},
    {"refused keys", test_refused_keys},
    {"refused keys above the leaf", test_refused_keys_above},
    {"refused servers", test_refused_servers},
    {"good handshakes", test_good_handshakes},
    {"suites", test_suites},
    {"suites of TLS 1.3", test_suites_tls13},
    {"groups", test_groups},
    {"legacy servers only by name", test_legacy},
    {"context settings", test_context_settings},
    {"free the network's certificates", test_free_world},
};

UNIT_MAIN("tls", tests)
