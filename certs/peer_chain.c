/*
 * Verifies the chain of a connection that is open, with the store and the parameters of another TLS
 * context than the one that it was made with. Called by net/ after a reload, on a loop's thread.
 */
#include "certs/peer_chain.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "certs/trust.h"

static struct status
fail(struct diag *diag, const char *why)
{
    return FAIL(diag, ERR_TLS,
                "expected a client certificate that chains to our anchors as they are now, got: %s",
                why);
}

static struct status
verify(X509_STORE_CTX *verifier, X509 *leaf, SSL *ssl, SSL_CTX *context, struct diag *diag)
{
    STACK_OF(X509) *sent = SSL_get_peer_cert_chain(ssl);

    if (X509_STORE_CTX_init(verifier, SSL_CTX_get_cert_store(context), leaf, sent) != 1 ||
        X509_STORE_CTX_set_default(verifier, "ssl_client") != 1) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to verify a certificate");
    }
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(verifier);

    /* as a handshake does: the context's own parameters come over the store's */
    X509_VERIFY_PARAM_set_auth_level(param, SSL_CTX_get_security_level(context));
    if (X509_VERIFY_PARAM_set1(param, SSL_CTX_get0_param(context)) != 1) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to verify a certificate");
    }
    if (trust_judge(verifier) != 1) {
        return fail(diag, trust_verdict_text(X509_STORE_CTX_get_error(verifier)));
    }
    return OK;
}

struct status
peer_chain_verify(SSL *ssl, SSL_CTX *context, struct diag *diag)
{
    X509 *leaf = ssl == NULL ? NULL : SSL_get0_peer_certificate(ssl);
    X509_STORE_CTX *verifier = X509_STORE_CTX_new();
    struct status st;

    if (leaf == NULL || context == NULL) {
        st = fail(diag, "no certificate");
    } else if (verifier == NULL) {
        st = FAIL(diag, ERR_NO_MEMORY, "no memory to verify a certificate");
    } else {
        st = verify(verifier, leaf, ssl, context, diag);
    }
    X509_STORE_CTX_free(verifier);
    ERR_clear_error();
    return st;
}
