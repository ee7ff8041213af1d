/*
 * Outbound exchanges: one HTTPS POST to one partner, many at once, on a loop thread of its own
 * (libevent and curl's multi socket interface). No redirects, no environment proxies, https only,
 * answers capped; the server's certificate must chain to the partners' anchors AND be one that the
 * partner's record lists.
 *
 * The engine is a function table so that scenario tests can put a scripted one in its place.
 */
#ifndef OUT_OUT_H
#define OUT_OUT_H

#include "base/body.h"
#include "base/clock.h"
#include "config/config.h"

/* What is asked. Owner: the caller until submit, then the engine. */
struct out_request {
    const struct partner *partner; /* TLS identity and pool; the engine's configuration holds it */
    const char *url;               /* borrowed from the partner's record */
    char content_type[512];
    struct buf body;
    int64_t deadline_us; /* mono; the partner's own timeout is taken into account by the engine */
    size_t answer_limit; /* bytes */
};

/* What came. Owner: the callback's arg; body moved out or body_done by whoever takes it. */
struct out_answer {
    enum err error; /* ERR_NONE, or ERR_PARTNER_UNREACHABLE, _TIMEOUT, _TLS, _ANSWER (over the
                       limit), _HTTP is not set here: any HTTP status with a body is an answer */
    char detail[DIAG_TEXT_MAX]; /* why, for log and audit */
    int http_status;
    char content_type[512];
    struct body body;
    char peer_address[64];
    int64_t elapsed_us;
};

/* Called exactly once per submit, on the engine's thread; must not block. *answer is moved out or
 * released by the callee. */
typedef void (*out_done)(void *arg, struct out_answer *answer);

struct out {
    /* Takes request->body and the request's values (moved). Never fails: failures arrive through
     * done. */
    void (*submit)(struct out *out, struct out_request *request, out_done done, void *arg);
};

/* The real engine. Keeps a reference to <config>. */
MUST_CHECK struct status out_start(const struct config *config, const struct clock *clock,
                                   struct diag *diag, struct out **ret_out);
void
out_stop(struct out *out); /* answers what is in flight with ERR_SHUTTING_DOWN, joins the thread */

void out_request_init(struct out_request *request, size_t body_limit_bytes);
void out_answer_done(struct out_answer *answer);

#endif
