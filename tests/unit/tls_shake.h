/*
 * Handshakes in memory over a BIO pair, for the tests of TLS contexts. Nothing here fails a test by
 * itself: what came out is for the caller to judge.
 */
#ifndef TLS_SHAKE_H
#define TLS_SHAKE_H

#include <openssl/ssl.h>

#include "certs_world.h"

struct handshake {
    bool is_done;      /* both sides finished and one byte went each way */
    int server_reason; /* SSL_R_... of the server's failure, 0 when none */
    int client_reason;
    long server_verdict; /* X509_V_... about the client's certificate */
    long client_verdict; /* ... about the server's */
    const char *version;
    char suite[64];
    bool has_ticket;
    bool is_resumed;      /* the server's view */
    SSL_SESSION *session; /* what the client may resume; only from tls_shake_again */
};

struct handshake tls_shake(SSL_CTX *client_context, SSL_CTX *server_context);
/* The client offers <session> (may be NULL); the caller frees the result's. */
struct handshake tls_shake_again(SSL_CTX *client_context, SSL_CTX *server_context,
                                 SSL_SESSION *session);

/* Contexts as the product makes them. */
SSL_CTX *tls_shake_server(const struct credential *credential, const struct trust *trust,
                          uint64_t generation);
SSL_CTX *tls_shake_client(const struct credential *credential, const struct trust *trust);
/* A client that is as lax as OpenSSL can be: it offers what our own never would. */
SSL_CTX *tls_shake_lax(void);

#endif
