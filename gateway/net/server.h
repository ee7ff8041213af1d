/*
 * The network side: loop threads (libevent) that own listeners, TLS handshakes, HTTP framing,
 * limits and writes. A complete request becomes a struct net_request and goes to the handler, on
 * the loop thread; the handler must not block. The answer may come from any thread, at any time, or
 * never (the peer may have gone: then it is dropped). One request of a connection is in flight at a
 * time; pipelined ones wait in the socket.
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

/* A request with everything that the transport proved. Owns its bytes. Owner: the handler; given
 * back with net_answer or net_drop, exactly once. */
struct net_request {
    enum net_listener listener;
    enum http1_method method;
    char *path;
    char *content_type; /* "" when absent */
    char *peer_address; /* numeric */
    struct body body;
    const struct certificate
        *peer;   /* TLS client certificate, verified against the listener's trust; NULL on
                    plain listeners. Lives until answer or drop. */
    uint64_t id; /* of the exchange, for the log */
};

typedef void (*net_handler)(void *arg, struct net_request *request);

struct net_options {
    const struct config *config;
    const struct clock *clock;
    int loop_threads;
    size_t head_limit;
    int64_t handshake_timeout_us, head_timeout_us, idle_timeout_us, body_stall_us;
    size_t connections_max;
    net_handler handler;
    void *handler_arg;
    /* TLS failures and refused requests, for log and audit: called on the loop thread. */
    void (*on_refused)(void *arg, const char *peer_address, const struct diag *diag);
};
void net_options_default(struct net_options *options, const struct config *config);

/* Binds every configured listener and starts the loops. ERR_IO names address and reason. */
MUST_CHECK struct status net_start(const struct net_options *options, struct diag *diag,
                                   struct net_server **ret_server);
/* The port that a listener was bound to (configured port 0 picks one): for tests and the log. */
uint16_t net_port(const struct net_server *server, enum net_listener listener);
/* Stop accepting; let exchanges in flight finish until <deadline_us> (mono), then close. */
void net_stop(struct net_server *server, int64_t deadline_us);
void net_free(struct net_server *server);

/* Any thread. Takes request and body (moved out). Extra headers are none: status, Content-Type,
 * length. */
void net_answer(struct net_request *request, int status, const char *content_type,
                struct body *body);
void net_drop(struct net_request *request); /* close the connection without an answer */

#endif
