/*
 * TLS contexts: ITI-19 (TLS 1.2 floor by BCP 195, TLS 1.3), mutual authentication, no
 * renegotiation, no compression, no early data. Protocol versions, suites and security level are
 * set here; the system's openssl.cnf is not relied on. Contexts are immutable and shared by
 * threads.
 */
#ifndef CERTS_TLS_H
#define CERTS_TLS_H

#include "certs/credential.h"
#include "certs/trust.h"

/* Listener: requires a client certificate that chains to <trust> (purpose client). */
MUST_CHECK struct status tls_server_context(const struct credential *credential,
                                            const struct trust *trust, struct diag *diag,
                                            SSL_CTX **ret_context);
/* Outbound: presents <credential>, requires a server certificate that chains to <trust>. Prepares a
 * context that somebody else made (libcurl's, in its SSL_CTX callback) or one of SSL_CTX_new. Whose
 * certificate it is, is the caller's to check (out/peer_check.c). */
MUST_CHECK struct status tls_client_context_prepare(SSL_CTX *context,
                                                    const struct credential *credential,
                                                    const struct trust *trust, struct diag *diag);

#endif
