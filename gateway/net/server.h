/*
 * The network side: loop threads (libevent) that own listeners, TLS handshakes, HTTP framing,
 * limits and writes. A complete request becomes a struct net_request and goes to the handler, on
 * the loop thread; the handler must not block. The answer may come from any thread, at any time,
 * even after net_free: when the connection has gone by then it is dropped. (While a handler has a
 * request nothing is read, so a peer that goes is noticed when the answer is written.) One request
 * of a connection is in flight at a time; pipelined ones wait in the socket.
 *
 * Refused requests get one line of text (the public text of their error) and the connection
 * closes. TLS here proves a chain to the listener's trust, no more: which partner a certificate
 * speaks for is decided above (config_partner_of_peer).
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "base/body.h"
#include "base/clock.h"
#include "certs/certificate.h"
#include "config/config.h"
#include "net/http1.h"

struct net_server;

enum net_listener { NET_NETWORK, NET_LOCAL, NET_ADMIN };
#define NET_LISTENERS 3

/* A request with everything that the transport proved. Owns its bytes. Owner: the handler; given
 * back with net_answer or net_drop, exactly once. */
struct net_request {
    enum net_listener listener;
    enum http1_method method;
    char *path;         /* not decoded */
    char *content_type; /* "" when absent */
    char *peer_address; /* numeric without port, or "unix" */
    struct body body;   /* may be moved out */
    const struct certificate
        *peer;   /* TLS client certificate, verified against the listener's trust; NULL on
                    plain listeners. Lives until answer or drop. */
    uint64_t id; /* of the exchange, for the log; counts from 1 */
};

typedef void (*net_handler)(void *arg, struct net_request *request);

/* A peer that sends content, or takes an answer, slower than this is cut off. */
#define NET_RATE_MIN 1024 /* bytes per second, over body_stall_us */

struct net_options {
    const struct config *config; /* borrowed during net_start only */
    const struct clock *clock;
    int loop_threads;
    size_t head_limit;            /* bytes */
    int64_t handshake_timeout_us; /* from accept to a finished handshake */
    int64_t head_timeout_us;      /* from the first byte of a head to its last */
    int64_t idle_timeout_us;      /* between requests */
    int64_t body_stall_us;        /* window in which NET_RATE_MIN must be met */
    size_t connections_max;       /* more are closed at once (ERR_LIMIT_CONNECTIONS) */
    net_handler handler;
    void *handler_arg; /* of both functions */
    /* Connections and requests that were refused or broke off, for log and audit: called on the
     * loop thread; must not block. */
    void (*on_refused)(void *arg, const char *peer_address, const struct diag *diag);
};
/* All but the handler and on_refused; connections_max fits the process's limit of descriptors. */
void net_options_default(struct net_options *options, const struct config *config);

/* Binds every configured listener and starts the loops. ERR_IO names address and reason;
 * ERR_CONFIG: no listener, or one without TLS that others than this machine could reach. Ignores
 * SIGPIPE for the process. */
MUST_CHECK struct status net_start(const struct net_options *options, struct diag *diag,
                                   struct net_server **ret_server);
/* The port that a listener was bound to (configured port 0 picks one): for tests and the log. 0
 * for a unix: listener or one that is not set. */
uint16_t net_port(const struct net_server *server, enum net_listener listener);
/* Stop accepting and close idle connections; let exchanges in flight finish until <deadline_us>
 * (mono), then close. Returns when all loops have ended; later answers are dropped. Never from a
 * loop thread (a handler). */
void net_stop(struct net_server *server, int64_t deadline_us);
void net_free(struct net_server *server); /* stops at once when still running; NULL is fine */

/* Any thread, also the handler itself. Takes request and body (moved out). Status, Content-Type
 * and length only; <content_type> up to 511 bytes, "" for none. */
void net_answer(struct net_request *request, int status, const char *content_type,
                struct body *body);
void net_drop(struct net_request *request); /* close the connection without an answer */

#endif
