/*
 * What the files of out/ share; nobody else includes it.
 *
 *   engine.c     thread, mailbox, start, reload and stop
 *   era.c        one configuration: its partners' pools, as long as it is in use
 *   tickets.c    questions that can be withdrawn
 *   health.c     how it goes with a partner
 *   breaker.c    a partner that fails again and again is left alone for a while
 *   turn.c       how many questions a partner gets at a time, and whose turn is next
 *   crl_feed.c   fetches revocation lists in their time
 *   fetch.c      the fetcher: plain http for certs/, on a thread of its own
 *   pool.c       one partner: a curl multi handle and the sockets that it watches
 *   names.c      names become addresses, judged and held
 *   address.c    what kind of address it is
 *   boundaries.c what every handle of curl is told: nothing of the environment, no redirects
 *   post.c       a blocking client for one server, on its caller's thread
 *   transfer.c   one exchange: bytes in and out, from start to done
 *   options.c    what curl is told about it
 *   explain.c    why it failed
 *   probe.c      an exchange without a question
 *   peer_check.c the server's certificate against the partner's record
 *   server_status.c is it still good: staples, the status cache, waiting for a responder
 *
 * Thread: everything but out_start, out_reload, out_health, out_silence_us, submit, cancel,
 * out_stop and the fetcher runs on the engine's thread.
 */
#ifndef OUT_PARTS_H
#define OUT_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include <curl/curl.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/types.h>

#include "base/mailbox.h"
#include "certs/status.h"
#include "out/names.h"
#include "out/out.h"

#define TICKET_BUCKETS 4096

struct engine {
    struct out out; /* first member */
    const struct clock *clock;
    struct event_base *base;
    struct mailbox *mailbox;
    struct event *mail_event, *sweep_event;
    pthread_t thread;
    bool has_thread;
    struct letter stop_letter, cancel_letter, pulse_letter;
    atomic_bool is_pulse_out;  /* the letter is on its way */
    int64_t pulse_asked_us;    /* mono: since when; of who asks */
    struct trust_fetch *fetch; /* as the next: NULL until a configuration wants OCSP; written by */
    struct status_cache *status; /* out_start and out_reload, under the lock, and never unset */
    pthread_mutex_t lock;        /* for what follows */
    const struct config *newest; /* a reference */
    struct transfer *tickets[TICKET_BUCKETS];
    struct transfer *cancelled; /* told to end; not yet seen by the engine's thread */
    bool is_cancel_posted;
    struct health *healths;
    /* the engine's thread only */
    bool is_stopping;
    struct names *names;
    struct transfer *transfers; /* in flight, newest first */
    struct era *eras;           /* the newest configuration's first */
};

/* One configuration: as long as it is the newest, or an exchange is in flight that uses it. */
struct era {
    struct letter letter; /* first member: from out_reload to the engine's thread */
    struct era *next;
    struct engine *engine;
    const struct config *config; /* a reference */
    struct status_cache *status; /* the engine's; NULL when the status of servers is not asked */
    struct pool *pools;          /* one per partner, in the configuration's order */
    size_t transfers;
};

struct pool {
    struct era *era;
    struct engine *engine;
    const struct partner *partner;
    struct health *health; /* a reference */
    CURLM *multi;          /* NULL until the first exchange */
    struct event *timer;
    bool is_broken;             /* its multi handle has failed and is being given up */
    LIST_HEAD(, watch) watches; /* pool.c: sockets that curl watches, or is about to */
    size_t twins;               /* of them: with a number of ours */
    bool has_lost;              /* a socket went before its handshake was done */
};

/* ---- addresses ---- */

struct ip {
    bool is_v6;
    uint8_t bytes[16]; /* 4 of them for version 4 */
};

/* In this order: whoever may go further may go nearer. */
enum reach {
    REACH_PUBLIC,
    REACH_PRIVATE, /* private networks */
    REACH_LOCAL,   /* this machine */
    REACH_NEVER    /* link-local, multicast, unspecified, not given out */
};

#define IPS_MAX     8
#define IP_TEXT_MAX 64
#define HOST_MAX    253 /* bytes of a host */

/* Where a transfer connects to: its URL's host, or the partner's proxy. */
struct site {
    char host[HOST_MAX + 1]; /* lower case */
    char port[8];
    bool is_numeric; /* the host is an address */
    bool is_literal; /* so it is, or localhost: the operator wrote it and means it */
    struct ip ips[IPS_MAX];
    size_t ips_n;
};

/* ---- turns ---- */

enum turn {
    TURN_NONE,
    TURN_WAITING, /* in the partner's queue */
    TURN_HELD     /* one of its connections is for it */
};

struct turn_queue {
    struct transfer *first, *last;
};

#define LATENCY_BUCKETS 96
#define HEALTH_ID_MAX   40 /* config/ allows 32 */

/* A partner, by its id. */
struct health {
    struct health *next;
    char id[HEALTH_ID_MAX];
    size_t references; /* pools; this and <facts> under the engine's lock */
    struct out_health facts;
    /* the engine's thread only */
    struct turn_queue questions, probes; /* that wait */
    bool is_promoting;
    int64_t retry_at_us; /* mono; open: when one is let through */
    int64_t pause_us;    /* the current one, without its jitter */
    uint64_t random;
    unsigned retry_tenths; /* what is left for asking again, in tenths of a question */
    uint32_t latencies[LATENCY_BUCKETS], latencies_n;
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
    struct mailbox *mailbox;    /* referred to while is_due */
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
    const struct config *config; /* a reference */
    struct pool *pool;           /* NULL until it has reached the engine's thread */
    struct transfer *next, *previous;
    struct out_request request;
    out_done done;
    void *arg;
    int64_t start_us; /* mono */
    int64_t end_us;   /* mono: of its time; while it waits for its turn, the asker's deadline */
    enum turn turn;
    struct transfer *turn_next, *turn_previous;
    int64_t turn_us;    /* mono: when it got its turn */
    bool is_trial;      /* the one that the partner's breaker lets through */
    struct event timer; /* while nothing else keeps its time; see transfer_wait */
    bool has_timer;
    struct site site;
    struct name *name; /* that it waits for */
    struct transfer *name_next, *name_previous;
    CURL *easy;
    struct curl_slist *headers, *pins;
    SSL_CTX *context; /* of the connection that it opened: a reference */
    struct sink answer;
    uint64_t given;                /* bytes of a body that is not in memory, to curl */
    bool is_connected, is_secured; /* TCP, TLS: how far it came */
    bool is_lingering;             /* a probe whose handshake is done */
    struct answer_head head;
    bool is_stale;
    uint64_t held; /* of the request's budget */
    struct out_tls tls;
    struct diag diag; /* what a callback found; else curl's own text says it */
    char curl_text[CURL_ERROR_SIZE];
    struct server_wait wait;
    /* under the engine's lock */
    struct transfer *ticket_next, *cancelled_next;
    bool is_cancelled;
};

/* engine.c */
/* libcurl and what we note in OpenSSL, once in the process; any thread. Ignores SIGPIPE. */
MUST_CHECK struct status out_start_libraries(struct diag *diag);

/* boundaries.c */
/* Only this protocol ("https"), only HTTP/1.1, and nothing of the environment. */
CURLcode out_set_boundaries(CURL *easy, const char *protocol);
/* Trust, and whose certificate it is, are <prepare>'s, which curl calls with its SSL_CTX: curl's
 * own lists of authorities stay unread and its look at the host's name is off (partners are known
 * by their records, others by OpenSSL's check). No session is resumed: a resumed one would skip the
 * check. */
CURLcode out_set_tls(CURL *easy, curl_ssl_ctx_callback prepare, void *arg);
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

/* address.c */
enum reach ip_reach(const struct ip *ip);
const char *reach_name(enum reach reach); /* "this machine" */
/* False: of another family. */
bool ip_of_socket_address(const void *address, size_t n, int family, struct ip *ret_ip);
bool ip_read(const char *text, struct ip *ret_ip);              /* as in a URL; false: a name */
void ip_write(const struct ip *ip, char ret_text[IP_TEXT_MAX]); /* version 6 in brackets */

/* tickets.c */
/* Any thread. */
void tickets_cancel(struct out *out, uint64_t ticket);
/* The engine's lock is held. */
void tickets_add(struct engine *engine, struct transfer *transfer);
/* Before the transfer is freed; any thread. */
void tickets_remove(struct engine *engine, struct transfer *transfer);
/* Engine's thread: the letter; was it told to end before it started? */
void tickets_deliver(struct letter *letter);
bool tickets_is_cancelled(struct transfer *transfer);

/* era.c */
/* Any thread. ERR_CONFIG: nothing to prove ourselves or the partners with. */
MUST_CHECK struct status era_new(struct engine *engine, const struct config *config,
                                 struct diag *diag, struct era **ret_era);
void era_free(struct era *era); /* its connections too; NULL is fine */
/* Engine's thread: the one of a configuration, made when it is not there. */
MUST_CHECK struct status era_of(struct engine *engine, const struct config *config,
                                struct diag *diag, struct era **ret_era);
void era_deliver(struct letter *letter); /* it becomes the newest */
/* Closes what is neither the newest nor in use; from the event base only. */
void era_sweep(struct engine *engine);

/* health.c */
/* The one of a partner's id, with a reference more; NULL: no memory. Any thread, with the engine's
 * lock. */
struct health *health_ref(struct engine *engine, const char *partner_id);
void health_unref(struct engine *engine, struct health *health); /* the same; NULL is fine */
/* What follows: engine's thread. */
void health_note_waiting(struct transfer *transfer, int by);
void health_note_start(struct transfer *transfer);
/* Takes note of what became of it, whether it had its turn or not. Withdraws is_stale when so many
 * were asked again that once more would be too much. */
void health_note_end(struct transfer *transfer, struct out_answer *answer);

/* breaker.c */
/* ERR_PARTNER_OPEN: not now. <claims>: if it is the one that is let through, it goes now. Probes
 * always may. */
MUST_CHECK struct status breaker_admit(struct transfer *transfer, bool claims, struct diag *diag);
/* The engine's lock is held. */
void breaker_note_end(struct transfer *transfer, const struct out_answer *answer);

/* turn.c */
/* Its turn has come (TURN_HELD), or it waits for it (transfer_begin will be called).
 * ERR_PARTNER_BUSY, ERR_PARTNER_OPEN. */
MUST_CHECK struct status turn_take(struct transfer *transfer, struct diag *diag);
/* It ends; whoever waits is next. */
void turn_leave(struct transfer *transfer);

/* pool.c */
MUST_CHECK struct status pool_add(struct pool *pool, struct transfer *transfer, struct diag *diag);
void pool_remove(struct pool *pool, struct transfer *transfer);
/* A socket for the transfer, not yet connected; CURL_SOCKET_BAD: diag says why. */
curl_socket_t pool_open_socket(struct transfer *transfer, const struct curl_sockaddr *address);
/* Its connection from this port is up: handshake done, or kept. False: no memory. */
bool pool_note_secured(struct pool *pool, const struct transfer *opener, int local_port);
void pool_close(struct pool *pool); /* its connections too; no transfer may be in it */

/* transfer.c */
/* Starts it; a failure is its answer. */
void transfer_start(struct transfer *transfer);
/* Its easy handle is done: gives the answer and frees the transfer. */
void transfer_finish(struct transfer *transfer, CURLcode code);
/* The same for a reason of ours. */
void transfer_fail(struct transfer *transfer, enum err error, const char *why);

/* How long it may take: the request's own time, else its partner's. */
int64_t transfer_timeout_us(const struct transfer *transfer);
/* Its turn has come: connects; a failure is its answer. */
void transfer_begin(struct transfer *transfer);
/* Its addresses are known. */
void transfer_connect(struct transfer *transfer);
/* curl's callbacks. */
size_t transfer_take_head(char *bytes, size_t size, size_t n, void *arg);
size_t transfer_take_body(char *bytes, size_t size, size_t n, void *arg);
size_t transfer_give_body(char *bytes, size_t size, size_t n, void *arg);
int transfer_rewind_body(void *arg, curl_off_t offset, int origin);
int transfer_note_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                           curl_off_t up);
int transfer_note_secured(void *arg, char *peer, char *local, int peer_port, int local_port);

/* What is left of the exchange's time. */
int64_t transfer_left_us(const struct transfer *transfer);
/* Nothing is connected, or nobody reads: <late> at the end of its time, unless transfer_go_on.
 * False: there is no time left. */
bool transfer_wait(struct transfer *transfer, event_callback_fn late);
void transfer_go_on(struct transfer *transfer);
/* For server_status.c: give the connection up; connect anew. */
void transfer_disconnect(struct transfer *transfer);
void transfer_again(struct transfer *transfer);

/* options.c */
/* All that curl is told about an exchange. */
CURLcode options_set(struct transfer *transfer);

/* explain.c */
/* Why curl ended it so: error, detail and is_stale of the answer. */
void explain_failure(struct transfer *transfer, CURLcode code, struct out_answer *answer);
enum err explain_error_of(CURLcode code);

/* probe.c */
/* Its handshake is done: true when it waits for the partner's opinion about our certificate. */
bool probe_linger(struct transfer *transfer);

/* server_status.c */
/* Makes or configures the engine's cache when <config> wants it; for out_start and out_reload. */
MUST_CHECK struct status server_status_configure(struct engine *engine, const struct config *config,
                                                 struct diag *diag);
bool server_status_is_wanted(const struct config *config);
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
/* The transfer ends or connects anew: its connection must not think of it any more. */
void peer_check_forget(struct transfer *transfer);
/* curl's callback before a handshake (CURLOPT_SSL_CTX_FUNCTION). */
CURLcode peer_check_prepare(CURL *easy, void *ssl_context, void *arg);

#endif
