/*
 * Is the server's certificate still good? Judged inside the handshake, before a byte of the
 * question is sent: the answer that the server stapled, else what the status cache holds. What is
 * not known yet cannot be waited for inside a handshake: it fails, the transfer is parked until the
 * responder has answered (within its time), and connects again with the answer at hand.
 *
 * Engine's thread only, but for tell: the cache calls it on any thread. The transfer owns its
 * question; when it ends while the answer is already on its way, its memory waits for the letter.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "certs/ocsp.h"
#include "config/config.h"
#include "out/fetch.h"
#include "out/parts.h"

/* Servers behind one name may have several certificates, each asked about once. */
#define ROUNDS_MAX 3
#define LATE                                                                                       \
    "the status of the partner's certificate was not known within the time of the exchange; is "   \
    "its OCSP responder slow?"
#define FEATURE_STATUS_REQ 5 /* RFC 7633: status_request in the TLS feature extension */

/* ---- the answer that comes later ---- */

static void
free_transfer(struct transfer *transfer)
{
    mem_free(transfer);
}

static struct transfer *
transfer_of_letter(struct letter *letter)
{
    return (struct transfer *)((char *)letter - offsetof(struct transfer, wait.letter));
}

/* On the engine's thread. */
static void
take_answer(struct letter *letter)
{
    struct transfer *transfer = transfer_of_letter(letter);
    transfer->wait.is_due = false;
    if (transfer->wait.is_gone) {
        free_transfer(transfer);
    } else if (transfer->wait.is_parked) {
        server_status_go_on(transfer);
    }
}

/* On any thread. From the post on the transfer is the engine's thread's. */
static void
tell(struct status_question *question)
{
    struct transfer *transfer =
        (struct transfer *)((char *)question - offsetof(struct transfer, wait.question));
    struct mailbox *mailbox = transfer->wait.mailbox;
    if (!mailbox_post(mailbox, &transfer->wait.letter)) {
        free_transfer(transfer); /* the engine has ended, and with it the transfer */
    }
    mailbox_unref(mailbox);
}

bool
server_status_release(struct transfer *transfer)
{
    struct server_wait *wait = &transfer->wait;
    if (wait->is_due) {
        struct peer_status_source *source = status_cache_source(transfer->pool->era->status);
        if (source->cancel(source, &wait->question)) {
            wait->is_due = false;
            mailbox_unref(wait->mailbox);
        }
    }
    wait->is_gone = true;
    return !wait->is_due;
}

/* ---- parked ---- */

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
    struct transfer *transfer = arg;
    (void)fd;
    (void)what;
    transfer_fail(transfer, ERR_PARTNER_TIMEOUT, LATE);
}

void
server_status_go_on(struct transfer *transfer)
{
    struct server_wait *wait = &transfer->wait;
    char text[DIAG_TEXT_MAX + 128];
    wait->is_parked = false;
    transfer_go_on(transfer);
    if (!wait->question.answer.is_accepted) {
        (void)snprintf(text, sizeof(text), "partner '%s': %s", transfer->request.partner->id,
                       wait->question.answer.detail);
        transfer_fail(transfer, ERR_PARTNER_TLS, text);
        return;
    }
    transfer_again(transfer);
}

bool
server_status_park(struct transfer *transfer)
{
    struct server_wait *wait = &transfer->wait;
    if (!wait->is_wanted) {
        return false;
    }
    wait->is_wanted = false;
    if (!transfer_wait(transfer, on_late)) {
        const struct status st = FAIL(&transfer->diag, ERR_PARTNER_TIMEOUT, LATE);
        (void)st;
        return false;
    }
    wait->is_parked = true;
    transfer_disconnect(transfer);
    if (!wait->is_due) {
        server_status_go_on(transfer);
    }
    return true;
}

/* ---- in the handshake ---- */

/* RFC 7633: the certificate itself says that its server always staples. */
static bool
must_staple(X509 *leaf)
{
    TLS_FEATURE *features = X509_get_ext_d2i(leaf, NID_tlsfeature, NULL, NULL);
    bool is_found = false;
    for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++) {
        is_found =
            is_found || ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == FEATURE_STATUS_REQ;
    }
    TLS_FEATURE_free(features);
    return is_found;
}

/* True: what was stapled is believed (it may say "revoked"). */
static bool
take_staple(struct transfer *transfer, SSL *ssl, STACK_OF(X509) * chain)
{
    const unsigned char *der = NULL;
    const long n = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
    struct diag diag = {.code = ERR_NONE};
    if (n <= 0 || der == NULL) {
        return false;
    }
    const struct span staple = span_of((const char *)der, (size_t)n);
    if (is_ok(status_cache_take_staple(transfer->pool->era->status, chain, staple, &diag))) {
        return true;
    }
    LOG_EVENT(LOG_LEVEL_WARNING, "staple-refused", LOG_ID("partner", transfer->request.partner->id),
              LOG_DIAG(&diag));
    return false;
}

static bool
refuse(struct transfer *transfer, const char *why)
{
    const struct status st = FAIL(&transfer->diag, ERR_PARTNER_TLS, "partner '%s': %s",
                                  transfer->request.partner->id, why);
    (void)st;
    return false;
}

static bool
accept_answer(struct transfer *transfer, const struct status_answer *answer)
{
    if (answer->detail[0] != '\0') {
        LOG_EVENT(LOG_LEVEL_WARNING, "certificate-status-unknown",
                  LOG_ID("partner", transfer->request.partner->id),
                  LOG_ID("detail", answer->detail));
    }
    return true;
}

/* The answer came for this very certificate a moment ago, and cannot be held (its end is now). */
static bool
was_accepted(const struct server_wait *wait, const uint8_t leaf[SHA256_BYTES])
{
    return wait->rounds > 0 && wait->question.answer.is_accepted &&
           memcmp(wait->leaf, leaf, SHA256_BYTES) == 0;
}

/* True: go on with the handshake. */
static bool
judge(struct transfer *transfer, STACK_OF(X509) * chain)
{
    struct server_wait *wait = &transfer->wait;
    struct peer_status_source *source = status_cache_source(transfer->pool->era->status);
    uint8_t leaf[SHA256_BYTES];
    unsigned n = 0;
    if (X509_digest(sk_X509_value(chain, 0), EVP_sha256(), leaf, &n) != 1 || wait->is_due) {
        return refuse(transfer, "its certificate's status cannot be asked for");
    }
    const bool was_good = was_accepted(wait, leaf);
    memcpy(wait->leaf, leaf, sizeof(leaf));
    wait->question.done = tell;
    wait->letter.deliver = take_answer;
    wait->mailbox = mailbox_ref(transfer->engine->mailbox);
    wait->is_due = true; /* before check: the answer may come inside */
    if (source->check(source, NULL, chain, &wait->question) == ANSWER_NOW) {
        wait->is_due = false;
        mailbox_unref(wait->mailbox);
        return wait->question.answer.is_accepted ? accept_answer(transfer, &wait->question.answer)
                                                 : refuse(transfer, wait->question.answer.detail);
    }
    if (was_good && source->cancel(source, &wait->question)) {
        wait->is_due = false;
        mailbox_unref(wait->mailbox);
        return true;
    }
    if (++wait->rounds > ROUNDS_MAX) {
        return refuse(transfer, "it shows another certificate at each connection");
    }
    wait->is_wanted = true;
    return false;
}

int
server_status_judge(SSL *ssl, struct transfer *transfer)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    if (transfer == NULL || sk_X509_num(chain) < 1) {
        return 0;
    }
    const bool is_stapled = take_staple(transfer, ssl, chain);
    if (!is_stapled && must_staple(sk_X509_value(chain, 0))) {
        return refuse(transfer, "its certificate demands a stapled OCSP answer, and none that can "
                                "be believed came")
                   ? 1
                   : 0;
    }
    return judge(transfer, chain) ? 1 : 0;
}

/* ---- of the engine ---- */

bool
server_status_is_wanted(const struct config *config)
{
    const struct config_trust *trust = config_trust_of(config, config->partner_trust);
    return trust != NULL && trust->status.mode != STATUS_OFF;
}

struct status
server_status_configure(struct engine *engine, const struct config *config, struct diag *diag)
{
    struct status_cache *status = NULL;
    if (!server_status_is_wanted(config)) {
        return OK;
    }
    if (engine->fetch == NULL) {
        TRY(fetcher_start(diag, &engine->fetch));
    }
    const struct config_trust *trust = config_trust_of(config, config->partner_trust);
    const struct status_options options = {.settings = trust->status,
                                           .trust = trust->trust,
                                           .skew_us = config->clock_skew_us,
                                           .clock = engine->clock,
                                           .fetch = engine->fetch};
    if (engine->status != NULL) {
        return status_cache_configure(engine->status, &options, diag);
    }
    TRY(status_cache_new(&options, diag, &status));
    (void)pthread_mutex_lock(&engine->lock);
    engine->status = status;
    (void)pthread_mutex_unlock(&engine->lock);
    return OK;
}

void
server_status_stop(struct engine *engine)
{
    fetcher_stop(engine->fetch);
    status_cache_free(engine->status);
    fetcher_free(engine->fetch);
}
