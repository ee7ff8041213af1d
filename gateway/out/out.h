/*
 * Outbound exchanges: one HTTPS POST to one partner, many at once, on a loop thread of its own
 * (libevent and curl's multi socket interface). No redirects, no environment proxies, https only,
 * answers capped; the server's certificate must chain to the partners' anchors AND be one that the
 * partner's record lists. That is proven in the handshake, before a byte of the request is sent.
 *
 * Connections are kept and used again, but never for another partner, even behind one host and
 * port. No request is sent twice: curl would send one once more whose kept connection turns out to
 * be closed, but the receiver may have read it, and would take the same signature for a replay. The
 * answer says so (is_stale), and whoever asked may sign anew.
 *
 * The engine is a function table so that scenario tests can put a scripted one in its place.
 */
#ifndef OUT_OUT_H
#define OUT_OUT_H

#include "base/body.h"
#include "base/budget.h"
#include "base/clock.h"
#include "base/spool.h"
#include "config/config.h"

#define OUT_CONTENT_TYPE_MAX 512 /* bytes, NUL included */

/* What is asked. Owner: the caller until submit, then the engine. */
struct out_request {
    /* The configuration that <partner> belongs to: submit takes a reference. NULL: the engine's
     * newest one. One that the engine does not know is taken as well, unless its trust wants OCSP
     * (ERR_CONFIG): out_reload comes first. */
    const struct config *config;
    const struct partner *partner; /* TLS identity and pool */
    const char *url;               /* borrowed from the partner's record */
    char content_type[OUT_CONTENT_TYPE_MAX];
    /* What is in files stays there, and leaves piece by piece. Its memory is given back once it has
     * been sent. */
    struct body body;
    /* mono. The partner's own timeout counts as well, from its turn on: it may wait before, when
     * many questions are on their way to that partner. INT64_MAX: only that timeout, from the
     * submit on. */
    int64_t deadline_us;
    int64_t timeout_us;  /* in place of the partner's own; 0: that */
    size_t answer_limit; /* bytes */
    bool is_fresh;       /* never on a kept connection */
    /* What the answers of one question may hold together; NULL: each its limit. Lives until done.
     */
    struct budget *budget;
    uint64_t ticket; /* from out_next_ticket: it can be cancelled by it; 0: it cannot */
    /* No question: connect, shake hands, prove the partner, and see whether it takes our
     * certificate. The answer has http_status 0, and <tls>. Body and type are not looked at; the
     * breaker does not keep it back. */
    bool is_probe;
    struct spool *spool; /* where a large answer goes; NULL: memory only. Lives until done. */
};

/* What the handshake agreed on. */
struct out_tls {
    char version[16];     /* "TLSv1.3"; "" when there was no handshake on this exchange */
    char suite[64];       /* "TLS_AES_256_GCM_SHA384" */
    int64_t expires_us;   /* wall: the server certificate's end */
    int64_t handshake_us; /* from the first step (name) to the end of the handshake */
};

/* What came. Owner: the callback's arg; body moved out or body_done by whoever takes it. */
struct out_answer {
    /* ERR_NONE: any HTTP status with a whole body is an answer. Else ERR_PARTNER_UNREACHABLE (name,
     * connection), _TLS, _TIMEOUT, _ANSWER (over a limit, or not HTTP), _BUSY (too many wait for
     * it), _OPEN (its breaker: it failed several times, and is not asked for a while),
     * ERR_TOO_MANY_RESULTS (over the budget), ERR_SPOOL_FULL, ERR_IO (the spool), ERR_CANCELLED,
     * ERR_SHUTTING_DOWN, ERR_NO_MEMORY, ERR_CRYPTO (our credential), ERR_CONFIG; then there is no
     * body. */
    enum err error;
    /* The error is that a kept connection was closed before a byte of an answer: nobody knows
     * whether the request was read. It may be asked again, signed anew, with is_fresh. */
    bool is_stale;
    uint64_t held; /* bytes that the answer took from the budget: its taker gives them back */
    char detail[DIAG_TEXT_MAX]; /* what was expected, what came, what to do: for log and audit */
    int http_status;
    char content_type[OUT_CONTENT_TYPE_MAX];
    struct body body;
    char peer_address[64]; /* numeric; "" when there was no connection */
    int64_t elapsed_us;
    struct out_tls tls;
};

/* Called exactly once per submit, on the engine's thread; must not block. *answer is moved out or
 * released by the callee. Only when the engine cannot take the request at all (ERR_NO_MEMORY,
 * ERR_SHUTTING_DOWN) it is called by submit itself. */
typedef void (*out_done)(void *arg, struct out_answer *answer);

struct out {
    /* Any thread, <done> included. Takes request->body and the request's values (moved). Never
     * fails: failures arrive through done. */
    void (*submit)(struct out *out, struct out_request *request, out_done done, void *arg);
    /* Any thread. The question with this ticket is given up, wherever it is: its done is called
     * with ERR_CANCELLED, unless it has ended or is ending now. Unknown tickets (0 too) are
     * ignored.
     */
    void (*cancel)(struct out *out, uint64_t ticket);
};

uint64_t out_next_ticket(void); /* never the same twice in a process, never 0; any thread */

/* The real engine. Keeps a reference to <config>. Ignores SIGPIPE for the process. ERR_CONFIG:
 * there are partners, but nothing to prove ourselves or them with. */
MUST_CHECK struct status out_start(const struct config *config, const struct clock *clock,
                                   struct diag *diag, struct out **ret_out);
/* Answers what is in flight with ERR_SHUTTING_DOWN, joins the thread, frees. No submit may follow;
 * never from the engine's thread. NULL is fine. */
void out_stop(struct out *out);

/* Another configuration for what comes from now on; exchanges in flight keep theirs, and its
 * connections close when the last of them has ended. Pools belong to a partner and a configuration;
 * health belongs to a partner's id and stays. After a failure nothing has changed. Not from two
 * threads at once; never from the engine's. ERR_CONFIG as out_start, ERR_NO_MEMORY,
 * ERR_SHUTTING_DOWN. */
MUST_CHECK struct status out_reload(struct out *out, const struct config *config,
                                    struct diag *diag);

/* Asks the engine's thread for a sign of life when it does not owe one; how long it has owed it
 * since an earlier call. Any one thread, before out_stop. */
int64_t out_silence_us(struct out *out);

/* How it goes with a partner, over all configurations of this engine. */
enum out_breaker {
    OUT_BREAKER_CLOSED,   /* it is asked */
    OUT_BREAKER_OPEN,     /* it failed several times in a row: nobody asks it for a while */
    OUT_BREAKER_HALF_OPEN /* one question is on its way to see */
};

struct out_health {
    enum out_breaker breaker;
    int64_t retry_us;  /* open: until it is asked again */
    unsigned failures; /* in a row: name, connection, handshake, time */
    size_t in_flight;  /* questions on their way */
    size_t waiting;    /* and those that wait for their turn */
    /* since the start of the engine, or since the partner is in its configuration */
    uint64_t asked;    /* have had their turn, probes not counted */
    uint64_t answered; /* with an HTTP answer, whatever it says */
    uint64_t failed;   /* without, for a reason that counts for the breaker */
    uint64_t cancelled;
    uint64_t refused; /* without a turn: busy or open */
    uint64_t stale;   /* on a kept connection that was closed */
    /* of answers: from the turn to the end of the answer; 0 without one */
    int64_t latency_us;             /* smoothed */
    int64_t p50_us, p90_us, p99_us; /* of the last thousand or two, to a fifth */
    int64_t answered_us, failed_us; /* wall: the last one; 0: none */
    enum err last_error;
    char last_detail[DIAG_TEXT_MAX];
};
/* Of a partner that the engine's configuration has, or that is still in use; else false. Any
 * thread. */
bool out_health(struct out *out, const char *partner_id, struct out_health *ret_health);

/* Nothing to send yet. Whoever does not submit it owes body_done(&request->body). */
void out_request_init(struct out_request *request);
void out_answer_done(struct out_answer *answer);

#endif
