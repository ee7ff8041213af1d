/*
 * Runs the handshakes of tls_shake.h.
 */
#include "tls_shake.h"

#include <stdio.h>

#include <openssl/err.h>

#include "certs/tls.h"
#include "unit.h"

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

struct handshake
tls_shake_again(SSL_CTX *client_context, SSL_CTX *server_context, SSL_SESSION *session)
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
    if (session != NULL) {
        CU_ASSERT(SSL_set_session(client, session) == 1);
    }
    run_handshake(client, server, &result);
    result.server_verdict = SSL_get_verify_result(server);
    result.client_verdict = SSL_get_verify_result(client);
    result.version = SSL_get_version(client);
    snprintf(result.suite, sizeof(result.suite), "%s", SSL_get_cipher_name(client));
    result.has_ticket = SSL_SESSION_has_ticket(SSL_get_session(client)) == 1;
    result.is_resumed = SSL_session_reused(server) == 1;
    result.session = SSL_get1_session(client);
    /* A connection that is closed in order leaves its session good. */
    (void)SSL_shutdown(client);
    (void)SSL_shutdown(server);
    SSL_free(client);
    SSL_free(server);
    ERR_clear_error();
    return result;
}

struct handshake
tls_shake(SSL_CTX *client_context, SSL_CTX *server_context)
{
    struct handshake result = tls_shake_again(client_context, server_context, NULL);

    SSL_SESSION_free(result.session);
    result.session = NULL;
    return result;
}

SSL_CTX *
tls_shake_server(const struct credential *credential, const struct trust *trust,
                 uint64_t generation)
{
    struct diag diag = {0};
    SSL_CTX *context = NULL;

    CHECK_OK(&diag, tls_server_context(credential, trust, generation, &diag, &context));
    CU_ASSERT_FATAL(context != NULL);
    return context;
}

SSL_CTX *
tls_shake_client(const struct credential *credential, const struct trust *trust)
{
    struct diag diag = {0};
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    CU_ASSERT_FATAL(context != NULL);
    CHECK_OK(&diag, tls_client_context_prepare(context, credential, trust, false, &diag));
    return context;
}

SSL_CTX *
tls_shake_lax(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    CU_ASSERT_FATAL(context != NULL);
    SSL_CTX_set_security_level(context, 0);
    CU_ASSERT(SSL_CTX_set_min_proto_version(context, TLS1_VERSION) == 1);
    return context;
}
