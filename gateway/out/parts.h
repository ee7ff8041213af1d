/*
 * What the files of out/ share; nobody else includes it.
 *
 *   engine.c     thread, mailbox, start and stop
 *   crl_feed.c   fetches revocation lists in their time
 *   fetch.c      the fetcher: plain http for certs/, on a thread of its own
 *   pool.c       one partner: a curl multi handle and the sockets that it watches
 *   boundaries.c what every handle of curl is told: nothing of the environment, no redirects
 *   transfer.c   one exchange: options of curl, bytes in and out, what became of it
 *   peer_check.c the server's certificate against the partner's record
 *   server_status.c is it still good: staples, the status cache, waiting for a responder
 *
 * Thread: everything but out_start, submit, out_stop and the fetcher runs on the
 * engine's thread.
 */
#ifndef OUT_PARTS_H
#define OUT_PARTS_H

#include <pthread.h>

#include <curl/curl.h>
#include <event2/event.h>
#include <openssl/types.h>

#include "base/mailbox.h"
#include "certs/status.h"
#include "out/out.h"

struct engine {
    struct out out; /* first member */
    const struct config *config;
    const struct clock *clock;
    struct event_base *base;
    struct mailbox *mailbox;
    struct event *mail_event;
    pthread_t thread;
    bool has_thread;
    struct letter stop_letter;
    struct pool *pools;        /* one per partner, in the configuration's order */
    struct trust_fetch *fetch; /* NULL, as the next, when the status of servers is not asked */
    struct status_cache *status;
    /* the engine's thread only */
    bool is_stopping;
    struct transfer *transfers; /* in flight, newest first */
};

struct pool {
    struct engine *engine;
    const struct partner *partner;
    CURLM *multi; /* NULL until the first exchange */
    struct event *timer;
};

/* What the header lines of an answer said, of the last one when there were several (1xx). */
struct answer_head {
    size_t bytes; /* of all */
    bool is_whole;
    bool has_length, is_chunked;
};

/* The status of the server's certificate, while it is asked for (server_status.c). */
struct server_wait {
    struct status_question question;
    struct letter letter;
    struct mailbox *mailbox; /* referred to while is_due */
    struct event *timer;
    uint8_t leaf[SHA256_BYTES]; /* which certificate it was asked about */
    int rounds;
    bool is_wanted; /* the handshake was broken off for it */
    bool is_parked; /* nothing is connected until the answer */
    bool is_due;    /* the letter will come */
    bool is_gone;   /* the transfer has ended; the letter frees it */
};

struct transfer {
    struct letter letter; /* first member */
    struct engine *engine;
    struct pool *pool;
    struct transfer *next, *previous;
    struct out_request request;
    out_done done;
    void *arg;
    int64_t start_us; /* mono */
    int64_t allowed_us;
    CURL *easy;
    struct curl_slist *headers;
    struct buf answer;
    bool is_connected, is_secured; /* TCP, TLS: how far it came */
    struct answer_head head;
    bool is_stale;
    uint64_t held;    /* of the request's budget */
    struct diag diag; /* what a callback found; else curl's own text says it */
    char curl_text[CURL_ERROR_SIZE];
    struct server_wait wait;
};

/* engine.c */
/* libcurl and what we note in OpenSSL, once in the process; any thread. Ignores SIGPIPE. */
MUST_CHECK struct status out_start_libraries(struct diag *diag);

/* boundaries.c */
/* Only this protocol ("https"), only HTTP/1.1, and nothing of the environment. */
CURLcode out_set_boundaries(CURL *easy, const char *protocol);
/* In a function that returns a CURLcode and has <easy>. */
#define OUT_SET(option, value)                                                                     \
    do {                                                                                           \
        const CURLcode code_ = curl_easy_setopt(easy, (option), (value));                          \
        if (code_ != CURLE_OK) {                                                                   \
            return code_;                                                                          \
        }                                                                                          \
    } while (0)
/* False: no memory. */
bool out_add_header(struct curl_slist **headers, const char *header);

/* pool.c */
MUST_CHECK struct status pool_add(struct pool *pool, struct transfer *transfer, struct diag *diag);
void pool_remove(struct pool *pool, struct transfer *transfer);
void pool_close(struct pool *pool); /* its connections too; no transfer may be in it */

/* transfer.c */
/* Starts it; a failure is its answer. */
void transfer_start(struct transfer *transfer);
/* Its easy handle is done: gives the answer and frees the transfer. */
void transfer_finish(struct transfer *transfer, CURLcode code);
/* The same for a reason of ours. */
void transfer_fail(struct transfer *transfer, enum err error, const char *why);

/* For server_status.c: what is left of the exchange's time; give the connection up; connect anew.
 */
int64_t transfer_left_us(const struct transfer *transfer);
void transfer_disconnect(struct transfer *transfer);
void transfer_again(struct transfer *transfer);

/* server_status.c */
MUST_CHECK struct status server_status_start(struct engine *engine, struct diag *diag);
void server_status_stop(struct engine *engine); /* the engine's thread has ended */
/* OpenSSL's callback, when chain and record are proven and a staple would have come: 1 goes on. */
int server_status_judge(SSL *ssl, struct transfer *transfer);
/* Its handle is done: true when it was broken off for the status, and is parked now (or has gone on
 * at once: it may be freed). */
bool server_status_park(struct transfer *transfer);
void server_status_go_on(struct transfer *transfer);
/* The transfer ends: true when its memory may go, else the letter that is on its way frees it. */
bool server_status_release(struct transfer *transfer);

/* peer_check.c */
MUST_CHECK struct status peer_check_init(struct diag *diag); /* once in the process */
/* curl's callback before a handshake (CURLOPT_SSL_CTX_FUNCTION). */
CURLcode peer_check_prepare(CURL *easy, void *ssl_context, void *arg);

#endif
