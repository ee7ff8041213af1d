/*
 * Judges the client certificate of a TLS connection again, long after its handshake: when trust or
 * revocation lists were loaded anew, connections that are open must be held to them, too.
 */
#ifndef CERTS_PEER_CHAIN_H
#define CERTS_PEER_CHAIN_H

#include <openssl/types.h>

#include "base/diag.h"

/* Does the peer's certificate, with the intermediates that it sent, chain to the trust of <context>
 * (tls_server_context) now, by the rules of its handshakes? ERR_TLS says which check failed at
 * which certificate. A resumed session has no intermediates: a chain that needs them fails, and the
 * peer connects anew. Thread: the connection's. */
MUST_CHECK struct status peer_chain_verify(SSL *ssl, SSL_CTX *context, struct diag *diag);

#endif
