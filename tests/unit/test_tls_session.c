/*
 * Resumption: within a generation of trust a partner resumes, in another one it does not, and one
 * that is no longer trusted cannot come back with its ticket.
 */
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "certs_world.h"
#include "tls_shake.h"
#include "unit.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* A client that keeps its sessions, as partners' clients do; ours keeps none. */
static SSL_CTX *
keeping_client(const struct credential *credential, int version, bool has_tickets)
{
    SSL_CTX *client = tls_shake_client(credential, world.trust);

    SSL_CTX_set_min_proto_version(client, version);
    SSL_CTX_set_max_proto_version(client, version);
    if (has_tickets) {
        SSL_CTX_clear_options(client, SSL_OP_NO_TICKET);
    }
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT);
    return client;
}

/* What a first connection leaves the client to resume. */
static SSL_SESSION *
first_session(SSL_CTX *client, SSL_CTX *server)
{
    const struct handshake first = tls_shake_again(client, server, NULL);

    CU_ASSERT(first.is_done && !first.is_resumed);
    CU_ASSERT_FATAL(first.session != NULL);
    return first.session;
}

static void
check_again(SSL_CTX *client, SSL_CTX *server, SSL_SESSION *session, bool is_done, bool is_resumed)
{
    const struct handshake again = tls_shake_again(client, server, session);

    CU_ASSERT(again.is_done == is_done);
    CU_ASSERT(again.is_resumed == is_resumed);
    SSL_SESSION_free(again.session);
}

/* The same context, another of the same generation, and one of the next. */
static void
test_generations(void)
{
    for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
        SSL_CTX *client = keeping_client(world.blue, versions[v], true);
        SSL_CTX *server = tls_shake_server(world.red, world.trust, 7);
        SSL_CTX *sibling = tls_shake_server(world.red, world.trust, 7);
        SSL_CTX *next = tls_shake_server(world.red, world.trust, 8);
        SSL_SESSION *session = first_session(client, server);

        check_again(client, next, session, true, false);
        check_again(client, server, session, true, true);
        SSL_SESSION_free(session);
        session = first_session(client, server); /* OpenSSL's client uses a ticket of 1.3 once */
        check_again(client, sibling, session, true, true);
        SSL_SESSION_free(session);
        SSL_CTX_free(client);
        SSL_CTX_free(server);
        SSL_CTX_free(sibling);
        SSL_CTX_free(next);
    }
}

/* TLS 1.2 without tickets: the id is known to the context that gave it, and to no other. */
static void
test_session_ids(void)
{
    SSL_CTX *client = keeping_client(world.blue, TLS1_2_VERSION, false);
    SSL_CTX *server = tls_shake_server(world.red, world.trust, 7);
    SSL_CTX *next = tls_shake_server(world.red, world.trust, 8);
    SSL_SESSION *session = first_session(client, server);

    CU_ASSERT(SSL_SESSION_has_ticket(session) == 0);
    check_again(client, next, session, true, false);
    check_again(client, server, session, true, true);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    SSL_CTX_free(next);
}

static void
test_no_generation(void)
{
    for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
        SSL_CTX *client = keeping_client(world.blue, versions[v], true);
        SSL_CTX *server = tls_shake_server(world.red, world.trust, 0);
        const struct handshake first = tls_shake_again(client, server, NULL);

        CU_ASSERT(first.is_done && !first.has_ticket);
        if (first.session != NULL) {
            check_again(client, server, first.session, true, false);
        }
        SSL_SESSION_free(first.session);
        SSL_CTX_free(client);
        SSL_CTX_free(server);
    }
}

/* 'gone' was served before its certificate came on the list. */
static void
test_no_longer_trusted(void)
{
    for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
        SSL_CTX *client = keeping_client(world.gone, versions[v], true);
        SSL_CTX *before = tls_shake_server(world.red, world.plain_trust, 7);
        SSL_CTX *after = tls_shake_server(world.red, world.trust, 8);
        SSL_SESSION *session = first_session(client, before);

        check_again(client, before, session, true, true);
        const struct handshake again = tls_shake_again(client, after, session);

        CU_ASSERT(!again.is_done && !again.is_resumed);
        CU_ASSERT(again.server_verdict == X509_V_ERR_CERT_REVOKED);
        SSL_SESSION_free(again.session);
        SSL_SESSION_free(session);
        SSL_CTX_free(client);
        SSL_CTX_free(before);
        SSL_CTX_free(after);
    }
}

/* Resumes a session of a certificate that lives <life_us>, and tries again when it has ended. False
 * when the machine was so slow that it had ended before. */
static bool
check_expired_meanwhile(int version, int64_t life_us)
{
    struct diag diag = {0};
    EVP_PKEY *key = NULL;
    const int64_t now_us = clock_wall_us(clock_system());
    const int64_t until_us = now_us + life_us;
    X509 *x509 = issue_odd("ec:P-256", ISSUE_TLS, "SHA256", now_us - DAY_US, until_us, &key);
    struct certificate *leaf = NULL;
    struct credential brief = {.key = key};

    CHECK_OK(&diag, certificate_from_x509(x509, &diag, &leaf));
    brief.leaf = leaf;
    SSL_CTX *client = keeping_client(&brief, version, true);
    SSL_CTX *server = tls_shake_server(world.red, world.trust, 7);
    struct handshake first = tls_shake_again(client, server, NULL);
    struct handshake again = tls_shake_again(client, server, first.session);
    const bool is_in_time = clock_wall_us(clock_system()) < until_us - US_PER_S;

    if (is_in_time) {
        CU_ASSERT(first.is_done && !first.is_resumed && again.is_done && again.is_resumed);
        SSL_SESSION_free(again.session);
        while (clock_wall_us(clock_system()) < until_us + US_PER_S) {
            (void)usleep(100000);
        }
        again = tls_shake_again(client, server, first.session);
        CU_ASSERT(!again.is_done && !again.is_resumed);
        CU_ASSERT(again.server_verdict == X509_V_ERR_CERT_HAS_EXPIRED);
    }
    SSL_SESSION_free(again.session);
    SSL_SESSION_free(first.session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    certificate_free(leaf);
    X509_free(x509);
    EVP_PKEY_free(key);
    return is_in_time;
}

/* A certificate that ends before the ticket does: the next handshake is a full one, and refused. */
static void
test_expired_meanwhile(void)
{
    for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
        int64_t life_us = 5 * US_PER_S;

        while (!check_expired_meanwhile(versions[v], life_us)) {
            CU_ASSERT_FATAL(life_us < UNIT_PATIENCE_S * US_PER_S);
            life_us *= 3;
        }
    }
}

static const struct unit_test tests[] = {
    {"make the network's certificates", test_make_world},
    {"generations", test_generations},
    {"session ids of TLS 1.2", test_session_ids},
    {"no generation, no resumption", test_no_generation},
    {"a peer that is no longer trusted", test_no_longer_trusted},
    {"a certificate that expired meanwhile", test_expired_meanwhile},
    {"free the network's certificates", test_free_world},
};

UNIT_MAIN("tls sessions", tests)
