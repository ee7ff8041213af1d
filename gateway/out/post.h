/*
 * A blocking HTTPS client for one server of the operator's own choice (an audit repository): one
 * request at a time, over a connection that is kept, on the caller's thread. Partners are asked
 * through out.h.
 *
 * Mutual TLS as for partners (certs/tls.h); the server's certificate must chain to <trust> and have
 * the name that is expected among its own (RFC 6125: subjectAltName only). No redirects, no
 * proxies, no cookies, answers capped.
 *
 * Owner: the caller. Thread: one at a time.
 */
#ifndef OUT_POST_H
#define OUT_POST_H

#include "base/buf.h"
#include "config/config.h"
#include "out/wait.h"

#define POST_TYPE_MAX 128 /* bytes of an answer's Content-Type, NUL included */

struct poster;

struct poster_options {
    const char *server;           /* what errors call it; copied */
    const char *certificate_name; /* host name or address that its certificate must have; copied */
    const struct credential *credential;
    const struct trust *trust;
    /* Whom these two belong to: a reference is kept. NULL: they outlive the poster. */
    const struct config *config;
    size_t answer_max; /* bytes */
};
/* ERR_NO_MEMORY, ERR_INTERNAL (libcurl). Nothing is connected yet. */
MUST_CHECK struct status poster_open(const struct poster_options *options, struct diag *diag,
                                     struct poster **ret_poster);
void poster_hang_up(struct poster *poster); /* closes the connection; the next request makes one */
void poster_close(struct poster *poster);   /* NULL is fine */
uint64_t poster_sent_bytes(const struct poster *poster); /* of bodies */

struct post_request {
    const char *method; /* "POST", "PUT" */
    const char *url;
    const char *const *headers; /* "Name: value" */
    size_t headers_n;
    struct span body;
};
struct post_answer {
    int status;
    char type[POST_TYPE_MAX];
    struct buf body;        /* secret; post_answer_done */
    int64_t retry_after_us; /* what the server asks for (RFC 9110 10.2.3); 0: nothing */
};
void post_answer_init(struct post_answer *answer);
void post_answer_done(struct post_answer *answer);

/* OK: any HTTP status, with its whole body. Else ERR_PARTNER_UNREACHABLE, _TLS, _TIMEOUT (the
 * wait's deadline), _ANSWER (larger than answer_max, not HTTP), ERR_SHUTTING_DOWN, ERR_NO_MEMORY;
 * whether the request was read is not known then. A kept connection that turns out to be closed
 * before any byte of an answer is replaced, and the request sent once more. */
MUST_CHECK struct status poster_ask(struct poster *poster, const struct out_wait *wait,
                                    const struct post_request *request, struct diag *diag,
                                    struct post_answer *answer);

#endif
