/*
 * TLS contexts for both directions. Called while the configuration loads (listener) and per
 * outbound connection (libcurl's callback), on any thread. Everything that decides security is set
 * here, one call each, so that neither OpenSSL's defaults nor the system's openssl.cnf can soften
 * it.
 */
#include "certs/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "certs/openssl_error.h"
#include "certs/tls_session.h"

/* ITI TF-2 3.19.6.2.3: the four RSA suites; the ECDSA ones are the same for P-256 and P-384 keys.
 */
#define SUITES_TLS12                                                                               \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256"
/* For servers of yesterday, of TLS 1.2 still: without DHE, because they choose it with groups that
 * are too small, and with what has no forward secrecy or no AEAD at the end. */
#define SUITES_LEGACY                                                                              \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"                                           \
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"                                           \
    "ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"     \
    "AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-SHA256:AES128-SHA256:AES256-SHA:AES128-SHA"
#define SUITES_TLS13 "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256"
#define GROUPS       "X25519:P-256:P-384"
#define SIGNATURES                                                                                 \
    "ECDSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"                      \
    "RSA+SHA256:RSA+SHA384:RSA+SHA512"
#define SECURITY_LEVEL 2
#define CHAIN_MAX      6

static struct status
tls_fail(struct diag *diag, const char *what)
{
    return FAIL(diag, ERR_CRYPTO, "TLS context: %s: %s", what, openssl_error_take());
}

/* First of all: what follows is judged by the level. */
static struct status
set_protocol(SSL_CTX *context, struct diag *diag)
{
    SSL_CTX_set_security_level(context, SECURITY_LEVEL);
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) != 1) {
        return tls_fail(diag, "protocol versions");
    }
    if (SSL_CTX_set_cipher_list(context, SUITES_TLS12) != 1 ||
        SSL_CTX_set_ciphersuites(context, SUITES_TLS13) != 1) {
        return tls_fail(diag, "cipher suites");
    }
    if (SSL_CTX_set1_groups_list(context, GROUPS) != 1) {
        return tls_fail(diag, "groups");
    }
    if (SSL_CTX_set1_sigalgs_list(context, SIGNATURES) != 1 ||
        SSL_CTX_set1_client_sigalgs_list(context, SIGNATURES) != 1) {
        return tls_fail(diag, "signature algorithms");
    }
    return OK;
}

static void
set_options(SSL_CTX *context)
{
    SSL_CTX_clear_options(context, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION |
                                       SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_NO_DHE_KEX |
                                       SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_early_data(context, 0);
    SSL_CTX_set_recv_max_early_data(context, 0);
    /* Our chain is the credential's; OpenSSL would complete it from the partners' anchors. */
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
}

static int
judge(X509_STORE_CTX *context, void *arg)
{
    (void)arg;
    return trust_judge(context);
}

static struct status
set_credential(SSL_CTX *context, const struct credential *credential, struct diag *diag)
{
    if (SSL_CTX_use_certificate(context, credential->leaf->x509) != 1 ||
        SSL_CTX_use_PrivateKey(context, credential->key) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        return tls_fail(diag, "credential");
    }
    if (SSL_CTX_clear_chain_certs(context) != 1) {
        return tls_fail(diag, "chain");
    }
    for (size_t i = 0; i < credential->chain_n; i++) {
        if (SSL_CTX_add1_chain_cert(context, credential->chain[i]) != 1) {
            return tls_fail(diag, "chain");
        }
    }
    return OK;
}

static void
set_trust(SSL_CTX *context, const struct trust *trust, int mode)
{
    SSL_CTX_set1_cert_store(context, trust_store(trust));
    SSL_CTX_set_verify(context, mode, NULL);
    SSL_CTX_set_verify_depth(context, CHAIN_MAX);
    SSL_CTX_set_cert_verify_callback(context, judge, NULL);
}

/* The anchors' names, so that a partner with several certificates can choose. */
static struct status
set_client_authorities(SSL_CTX *context, const struct trust *trust, struct diag *diag)
{
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(trust_store(trust));

    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *anchor = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

        if (anchor != NULL && SSL_CTX_add_client_CA(context, anchor) != 1) {
            return tls_fail(diag, "client authorities");
        }
    }
    return OK;
}

static struct status
prepare(SSL_CTX *context, const struct credential *credential, const struct trust *trust, int mode,
        struct diag *diag)
{
    ERR_clear_error();
    TRY(set_protocol(context, diag));
    set_options(context);
    TRY(set_credential(context, credential, diag));
    set_trust(context, trust, mode);
    return OK;
}

static struct status
prepare_server(SSL_CTX *context, const struct credential *credential, const struct trust *trust,
               uint64_t generation, struct diag *diag)
{
    TRY(prepare(context, credential, trust, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                diag));
    if (SSL_CTX_set_dh_auto(context, 1) != 1) {
        return tls_fail(diag, "DHE");
    }
    TRY(tls_session_prepare(context, generation, diag));
    return set_client_authorities(context, trust, diag);
}

struct status
tls_server_context(const struct credential *credential, const struct trust *trust,
                   uint64_t generation, struct diag *diag, SSL_CTX **ret_context)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (context == NULL) {
        return tls_fail(diag, "no context");
    }
    const struct status st = prepare_server(context, credential, trust, generation, diag);

    if (!is_ok(st)) {
        SSL_CTX_free(context);
        return st;
    }
    *ret_context = context;
    return OK;
}

struct status
tls_client_context_prepare(SSL_CTX *context, const struct credential *credential,
                           const struct trust *trust, bool allows_legacy, struct diag *diag)
{
    TRY(prepare(context, credential, trust, SSL_VERIFY_PEER, diag));
    if (allows_legacy) {
        SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT);
    }
    return OK;
}

struct status
tls_client_context_allow_suites(SSL_CTX *context, struct diag *diag)
{
    return SSL_CTX_set_cipher_list(context, SUITES_LEGACY) == 1
               ? OK
               : tls_fail(diag, "legacy cipher suites");
}

struct status
tls_start_library(struct diag *diag)
{
    /* Whoever comes first decides for the process: a later wish to read the file has no effect. */
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1) {
        return tls_fail(diag, "OpenSSL does not start");
    }
    return OK;
}
