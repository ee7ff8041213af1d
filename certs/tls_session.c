/*
 * Sessions that partners may resume. Called by tls.c for each listener's context; the callback runs
 * in handshakes, on their thread. The only state is one random secret of the process, made once:
 * every context of a generation derives the same keys from it, and a restart forgets them.
 */
#include "certs/tls_session.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "certs/openssl_error.h"
#include "certs/tls.h"

#define SECRET_BYTES   32
#define CACHE_SESSIONS 4096 /* TLS 1.2 ids; tickets are with the partner */
#define TICKETS        2

/* As OpenSSL lays them out: 16 bytes name, 32 bytes HMAC key, 32 bytes AES key. */
#define TICKET_KEY_BYTES 80
#define PART_BYTES       32 /* what one derivation gives */

static pthread_once_t secret_once = PTHREAD_ONCE_INIT;
static unsigned char secret[SECRET_BYTES];
static bool has_secret;

static void
make_secret(void)
{
    has_secret = RAND_priv_bytes(secret, sizeof(secret)) == 1;
}

/* HMAC-SHA-256 of the label, its number and the generation under the process's secret. */
static bool
derive(const char *label, int number, uint64_t generation, unsigned char ret_part[PART_BYTES])
{
    char text[96];
    unsigned n = 0;
    const int text_n =
        snprintf(text, sizeof(text), "isthmus %s %d %" PRIu64, label, number, generation);

    return has_secret && text_n > 0 && (size_t)text_n < sizeof(text) &&
           HMAC(EVP_sha256(), secret, sizeof(secret), (const unsigned char *)text, (size_t)text_n,
                ret_part, &n) != NULL &&
           n == PART_BYTES;
}

static bool
set_ticket_keys(SSL_CTX *context, uint64_t generation)
{
    unsigned char parts[3 * PART_BYTES];
    bool is_set = derive("ticket", 0, generation, parts) &&
                  derive("ticket", 1, generation, parts + PART_BYTES) &&
                  derive("ticket", 2, generation, parts + 2 * PART_BYTES);

    is_set = is_set && SSL_CTX_set_tlsext_ticket_keys(context, parts, TICKET_KEY_BYTES) == 1;
    mem_wipe(parts, sizeof(parts));
    return is_set;
}

static bool
set_context_id(SSL_CTX *context, uint64_t generation)
{
    unsigned char id[PART_BYTES];

    return derive("sessions", 0, generation, id) &&
           SSL_CTX_set_session_id_context(context, id, SSL_MAX_SID_CTX_LENGTH) == 1;
}

/* A ticket proves what was proven when it was given out. Its time is short, but the certificate's
 * may be over before. */
static SSL_TICKET_RETURN
judge_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t name_n,
             SSL_TICKET_STATUS status, void *arg)
{
    (void)ssl;
    (void)name;
    (void)name_n;
    (void)arg;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    const X509 *peer = SSL_SESSION_get0_peer(session);

    if (peer == NULL || X509_cmp_current_time(X509_get0_notAfter(peer)) <= 0) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

static bool
forbid(SSL_CTX *context)
{
    static const unsigned char id[] = "isthmus"; /* OpenSSL wants one where clients are verified */

    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    return SSL_CTX_set_num_tickets(context, 0) == 1 &&
           SSL_CTX_set_session_id_context(context, id, sizeof(id) - 1) == 1;
}

static bool
allow(SSL_CTX *context, uint64_t generation)
{
    SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(context, CACHE_SESSIONS);
    SSL_CTX_set_timeout(context, TLS_SESSION_LIFE_S);
    return set_context_id(context, generation) && set_ticket_keys(context, generation) &&
           SSL_CTX_set_num_tickets(context, TICKETS) == 1 &&
           SSL_CTX_set_session_ticket_cb(context, NULL, judge_ticket, NULL) == 1;
}

struct status
tls_session_prepare(SSL_CTX *context, uint64_t generation, struct diag *diag)
{
    (void)pthread_once(&secret_once, make_secret);
    if (!(generation == 0 ? forbid(context) : allow(context, generation))) {
        return FAIL(diag, ERR_CRYPTO, "TLS context: sessions: %s", openssl_error_take());
    }
    return OK;
}
