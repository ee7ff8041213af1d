/*
 * TLS contexts: ITI-19 (TLS 1.2 floor by BCP 195, TLS 1.3), mutual authentication, no
 * renegotiation, no compression, no early data. Protocol versions, suites, groups and security
 * level are set here; the system's openssl.cnf is not relied on, and not even read once
 * tls_start_library has run. Contexts are immutable and shared by threads.
 */
#ifndef CERTS_TLS_H
#define CERTS_TLS_H

#include "certs/credential.h"
#include "certs/trust.h"

/* How long a session may be resumed before everything is proven anew. */
#define TLS_SESSION_LIFE_S 600

/* First of all in main, before any library starts OpenSSL: OPENSSL_CONF and the system's
 * openssl.cnf are left unread, for libcurl and xmlsec as well. ERR_CRYPTO. */
MUST_CHECK struct status tls_start_library(struct diag *diag);

/* Listener: requires a client certificate that chains to <trust> (purpose client).
 *
 * A partner may resume a session (TLS 1.2 ids and tickets, TLS 1.3 tickets) within one <generation>
 * of trust (config's) only: ticket keys and the session context are derived from it and from a
 * secret of this process, so a context of another generation cannot read the ticket and makes the
 * full handshake, in which the partner's certificate is judged by the trust of that generation. A
 * session whose certificate has expired meanwhile is not resumed either. 0: no resumption. */
MUST_CHECK struct status tls_server_context(const struct credential *credential,
                                            const struct trust *trust, uint64_t generation,
                                            struct diag *diag, SSL_CTX **ret_context);

/* Outbound: presents <credential>, requires a server certificate that chains to <trust>. Prepares a
 * context that somebody else made (libcurl's, in its SSL_CTX callback) or one of SSL_CTX_new. Whose
 * certificate it is, is the caller's to check (out/peer_check.c). <allows_legacy>: a server that
 * does not know secure renegotiation (RFC 5746) is talked to, for a partner that is named for it;
 * renegotiation itself stays off. Nothing is resumed. */
MUST_CHECK struct status tls_client_context_prepare(SSL_CTX *context,
                                                    const struct credential *credential,
                                                    const struct trust *trust, bool allows_legacy,
                                                    struct diag *diag);
/* After it, for a partner that is named for it: suites of TLS 1.2 without forward secrecy or AEAD
 * as well, but none with DHE, whose groups such servers choose too small. */
MUST_CHECK struct status tls_client_context_allow_suites(SSL_CTX *context, struct diag *diag);

#endif
