/*
 * What the files of net/ share; nobody else includes it.
 *
 *   server.c      net_start, net_stop: puts the parts together
 *   listener.c    sockets that accept; gives each connection to a loop
 *   loop.c        a thread with an event base and a mailbox
 *   connection.c  life of a connection: handshake, timers, end
 *   request.c     bytes in -> struct net_request -> handler
 *   parked.c      between handshake and first request: whose certificate, and is it still good
 *   answer.c      struct body -> bytes out; answers that come from other threads
 *   watch.c       has the peer gone while the handler works?
 *   terms.c       what a configuration says, for connections; net_reload
 *   quota.c       how many connections and requests somebody has
 *   rate.c        how often something may happen
 *
 * Threads: every libevent call on a base is made by that base's own thread (or before it starts and
 * after it has ended), so libevent needs no locks of its own. Other threads only post letters.
 */
#ifndef NET_PARTS_H
#define NET_PARTS_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <openssl/types.h>

#include "base/mailbox.h"
#include "net/quota.h"
#include "net/rate.h"
#include "net/server.h"

#define PEER_ADDRESS_MAX INET6_ADDRSTRLEN

/* What a configuration says, for connections: limits and TLS contexts of one generation. Immutable;
 * each loop holds a reference to the current ones, so that no lock is needed to use them. */
struct terms {
    atomic_uint references;
    uint64_t generation; /* from 1; one more with each reload */
    struct net_options options;
    size_t body_limit;
    SSL_CTX *contexts[NET_LISTENERS]; /* NULL: plain, or not set */
};

/* Belongs to the server; its event to the first loop. Constant once the loops run, but for the
 * accepting itself. */
struct listener {
    struct net_server *server;
    enum net_listener kind;
    int fd; /* -1: not set, or closed */
    bool has_tls;
    char address[128]; /* as configured */
    uint16_t port;
    char *unix_path;       /* removed at the end when it is ours */
    struct event *event;   /* accepting */
    struct event *restart; /* accepts again after the process ran out of descriptors */
};

struct loop {
    struct net_server *server;
    struct event_base *base;
    struct mailbox *mailbox;
    struct event *mail_event;
    struct event *deadline_event; /* of stopping */
    pthread_t thread;
    bool has_thread;
    struct letter stop_letter;
    int64_t stop_deadline_us;    /* written before the letter is posted */
    struct event *recheck_event; /* goes through the connections after a reload */
    int watch_fd;                /* an epoll of its own: of peers that must not go unnoticed */
    struct event *watch_event;
    /* this loop's thread only (and server.c's before the thread runs) */
    bool is_stopping;
    struct terms *terms;            /* a reference */
    struct connection *connections; /* newest first */
};

struct net_server {
    const struct clock *clock;
    struct terms *terms;                              /* the newest; of who calls net_reload */
    struct quota *addresses, *identities, *in_flight; /* connections, connections, requests */
    struct rate *failures;                            /* by identity */
    struct listener listeners[NET_LISTENERS];
    struct loop *loops;
    size_t loops_n;
    size_t next_loop; /* first loop's thread only: who gets the next connection */
    bool is_stopped;
    atomic_size_t connections_n;
    _Atomic uint64_t requests_n;
};

/* terms.c */
MUST_CHECK struct status terms_new(const struct net_options *options, uint64_t generation,
                                   struct diag *diag, struct terms **ret_terms);
struct terms *terms_ref(struct terms *terms);
void terms_unref(struct terms *terms); /* NULL is fine */
/* In the order of enum net_listener. */
void terms_listeners(const struct config *config,
                     const struct config_listener *ret_listeners[NET_LISTENERS]);
/* Takes the reference; the loop's thread, or before it runs. */
void loop_take_terms(struct loop *loop, struct terms *terms);

/* listener.c */
MUST_CHECK struct status listener_open(struct listener *listener,
                                       const struct config_listener *config, struct diag *diag);
/* Would this configuration need another socket? ERR_CONFIG. */
MUST_CHECK struct status listener_check_same(const struct listener *listener,
                                             const struct config_listener *config,
                                             struct diag *diag);
/* A connection that was accepted is over, or was never opened. */
void listener_release(const struct listener *listener, const char *peer_address);
/* On the first loop, before its thread runs. */
MUST_CHECK struct status listener_start(struct listener *listener, struct event_base *base,
                                        struct diag *diag);
void listener_stop(struct listener *listener); /* the first loop's thread; accepts no more */
void listener_done(struct listener *listener);

/* loop.c */
MUST_CHECK struct status loop_init(struct loop *loop, struct net_server *server, struct diag *diag);
MUST_CHECK struct status loop_start(struct loop *loop, struct diag *diag);
void loop_stop(struct loop *loop, int64_t deadline_us); /* any other thread; does not wait */
void loop_join(struct loop *loop);
void loop_done(struct loop *loop);            /* after loop_join */
void loop_connection_gone(struct loop *loop); /* its thread: ends the loop after the last one */

/* watch.c: of loop_init and loop_done. */
MUST_CHECK struct status watch_init(struct loop *loop, struct diag *diag);
void watch_stop(struct loop *loop); /* its thread, before it ends */
void watch_done(struct loop *loop);

/* connection.c. Takes the descriptor in any case; the loop's thread. */
void connection_open(struct loop *loop, const struct listener *listener, int fd,
                     const char *peer_address);
void connections_stop(struct loop *loop);  /* close the idle ones; the others finish */
void connections_close(struct loop *loop); /* all, now */
/* Judges connections of older terms again, a few at a time; true when none is left. */
bool connections_recheck(struct loop *loop);

/* A duration for libevent; never zero. */
struct timeval net_timeval(int64_t us);

#endif
