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
#include "config/config.h"

#define OUT_CONTENT_TYPE_MAX 512 /* bytes, NUL included */

/* What is asked. Owner: the caller until submit, then the engine. */
struct out_request {
    const struct partner *partner; /* TLS identity and pool; the engine's configuration holds it */
    const char *url;               /* borrowed from the partner's record */
    char content_type[OUT_CONTENT_TYPE_MAX];
    struct buf body;
    int64_t deadline_us; /* mono; the partner's own timeout is taken into account by the engine.
                            INT64_MAX: only that one */
    size_t answer_limit; /* bytes */
    bool is_fresh;       /* never on a kept connection */
    /* What the answers of one question may hold together; NULL: each its limit. Lives until done.
     */
    struct budget *budget;
};

/* What came. Owner: the callback's arg; body moved out or body_done by whoever takes it. */
struct out_answer {
    /* ERR_NONE: any HTTP status with a whole body is an answer. Else ERR_PARTNER_UNREACHABLE (name,
     * connection), _TLS, _TIMEOUT, _ANSWER (over a limit, or not HTTP), ERR_TOO_MANY_RESULTS (over
     * the budget), ERR_SHUTTING_DOWN, ERR_NO_MEMORY, ERR_CRYPTO (our credential); then there is no
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
};

/* Called exactly once per submit, on the engine's thread; must not block. *answer is moved out or
 * released by the callee. Only when the engine cannot take the request at all (ERR_NO_MEMORY,
 * ERR_SHUTTING_DOWN) it is called by submit itself. */
typedef void (*out_done)(void *arg, struct out_answer *answer);

struct out {
    /* Any thread, <done> included. Takes request->body and the request's values (moved). Never
     * fails: failures arrive through done. */
    void (*submit)(struct out *out, struct out_request *request, out_done done, void *arg);
};

/* The real engine. Keeps a reference to <config>. Ignores SIGPIPE for the process. ERR_CONFIG:
 * there are partners, but nothing to prove ourselves or them with. */
MUST_CHECK struct status out_start(const struct config *config, const struct clock *clock,
                                   struct diag *diag, struct out **ret_out);
/* Answers what is in flight with ERR_SHUTTING_DOWN, joins the thread, frees. No submit may follow;
 * never from the engine's thread. NULL is fine. */
void out_stop(struct out *out);

/* Its body is wiped when it is released. */
void out_request_init(struct out_request *request, size_t body_limit_bytes);
void out_answer_done(struct out_answer *answer);

#endif
