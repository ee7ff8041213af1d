/*
 * Session resumption of a listener, bound to a generation of trust. Internal to certs/; the promise
 * is in tls.h.
 */
#ifndef CERTS_TLS_SESSION_H
#define CERTS_TLS_SESSION_H

#include <stdint.h>

#include <openssl/types.h>

#include "base/diag.h"

/* <generation> 0: no resumption. The context has its options already. ERR_CRYPTO. */
MUST_CHECK struct status tls_session_prepare(SSL_CTX *context, uint64_t generation,
                                             struct diag *diag);

#endif
