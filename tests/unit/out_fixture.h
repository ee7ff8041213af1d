/*
 * What the tests of out/ need beside net_fixture.h: an HTTPS server that misbehaves as it is told
 * and counts what it got, a configuration with partners, and answers that can be waited for.
 */
#ifndef OUT_FIXTURE_H
#define OUT_FIXTURE_H

#include <pthread.h>
#include <stdatomic.h>

#include "out/out.h"
#include "tests/unit/net_fixture.h"

/* ---- a server ---- */

enum peer_manner {
    PEER_SILENT_TCP,   /* accepts, and says nothing */
    PEER_SILENT,       /* TLS, reads, never answers */
    PEER_ANSWERS,      /* sends <answer> after each request */
    PEER_ANSWERS_ONCE, /* and closes, without having said so */
    PEER_READS_SECOND  /* answers the first request of a connection, reads another and closes */
};

#define PEER_CONNECTIONS_MAX 256

struct peer {
    enum peer_manner manner;
    const char *answer; /* bytes, head included */
    const char *filler; /* after it, */
    size_t filler_n;    /* so many times */
    SSL_CTX *context;
    int fd;
    uint16_t port;
    pthread_t thread;
    pthread_t workers[PEER_CONNECTIONS_MAX];
    size_t workers_n;
    atomic_bool is_stopping;
    atomic_bool is_closing;                     /* every connection at once, before the handshake */
    atomic_bool is_full;                        /* accepts nobody */
    atomic_size_t connections, requests, bytes; /* bytes: of requests, after TLS */
    atomic_size_t closed;                       /* of the connections */
};
/* On 127.0.0.1, any port. <trust> for client certificates. <version>: the highest TLS version. */
bool peer_start(struct peer *peer, enum peer_manner manner, const struct credential *credential,
                const struct trust *trust, int version);
/* Waits until every connection that it accepted is closed. */
bool peer_wait_closed(const struct peer *peer);
void peer_stop(struct peer *peer);

/* ---- partners ---- */

#define OUT_PARTNERS_MAX 4

struct out_partner {
    const char *host;
    uint16_t port;
    const char *tls;     /* of its YAML file: "identity: san, names: [server.example]" */
    const char *timeout; /* "2s"; PATIENT where the test is not about time */
    const char *more;    /* lines of its file; NULL: it may fail as often as it likes */
};
#define PATIENT "60s" /* below UNIT_PATIENCE_S: what failed says so itself */
/* More of the entry 'trust.partners': ", ocsp: {mode: hard}". */
extern const char *out_fixture_trust;
/* Writes the files and loads them: partners p0, p1, ... in this order. NULL after a failure. */
const struct config *out_fixture_config(const struct out_partner *partners, size_t n);

/* ---- exchanges ---- */

#define CALLS_MAX 128

struct calls {
    struct out *out;
    const struct config *config;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct out_answer answers[CALLS_MAX]; /* in the order in which they came */
    size_t n;
};
bool calls_start(struct calls *calls, const struct out_partner *partners, size_t n);
void calls_done(struct calls *calls); /* stops the engine */
/* POST <body> to the partner's query URL (or <url> unless NULL). */
/* Gives a request this text to send. */
void request_say(struct out_request *request, const char *text);
void calls_ask(struct calls *calls, size_t partner, const char *url, const char *body,
               int64_t deadline_us);
/* The out_done of these; for a submit of the test's own, with the calls as arg. */
void calls_keep(void *arg, struct out_answer *answer);
/* Waits until <n> answers have come in all. */
bool calls_wait(struct calls *calls, size_t n);
/* Ask and wait; the answer is the calls' and lasts until calls_done. */
const struct out_answer *calls_exchange(struct calls *calls, size_t partner, const char *body);
/* The same, and the error that is wanted; says what came instead. */
bool calls_expect(struct calls *calls, size_t partner, enum err want, const char *said);
/* Is it this answer, in memory? */
bool call_is_answer(const struct out_answer *answer, int status, const char *content);

#endif
