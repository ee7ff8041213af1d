/*
 * What the files of net/ share; nobody else includes it.
 *
 *   server.c      net_start, net_stop: puts the parts together
 *   listener.c    sockets that accept; gives each connection to a loop
 *   inherited.c   sockets that were open before we were (systemd)
 *   loop.c        a thread with an event base and a mailbox
 *   opening.c     a new connection: waits for its first bytes, and for its turn
 *   connection.c  life of a connection: handshake, timers, end
 *   request.c     bytes in -> struct net_request -> handler
 *   parked.c      between handshake and first request: whose certificate, and is it still good
 *   answer.c      struct body -> bytes out; answers that come from other threads
 *   record.c      the whole of a small answer as one TLS record, at once
 *   watch.c       has the peer gone while the handler works?
 *   terms.c       what a configuration says, for connections; net_reload
 *   load.c        how much the whole node has in hand
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
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <openssl/types.h>

#include "base/mailbox.h"
#include "net/load.h"
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
    bool is_set[NET_LISTENERS];
    SSL_CTX *contexts[NET_LISTENERS]; /* NULL: plain, or not set */
};

/* A socket that accepts. Belongs to the server; its events to the first loop. Whether its
 * connections speak TLS is in the terms of the loop that gets them. */
struct listener {
    struct net_server *server;
    enum net_listener kind;
    int fd;            /* -1: closed */
    char address[128]; /* as configured */
    uint16_t port;
    char *unix_path;       /* removed at the end; NULL when it is not ours */
    struct event *event;   /* accepting */
    struct event *restart; /* accepts again after the process ran out of descriptors */
};

#define RECORD_BYTES ((size_t)16 * 1024) /* most that a TLS record holds (RFC 8446 5.1) */

struct loop {
    struct net_server *server;
    struct event_base *base;
    struct mailbox *mailbox;
    struct event *mail_event;
    struct event *deadline_event; /* of stopping */
    pthread_t thread;
    bool has_thread;
    struct letter stop_letter, hurry_letter;
    struct letter pulse_letter;
    atomic_bool is_pulse_out;    /* the letter is on its way */
    int64_t pulse_asked_us;      /* mono: since when; of who asks */
    int64_t stop_deadline_us;    /* written before the letter is posted */
    struct event *recheck_event; /* goes through the connections after a reload */
    int watch_fd;                /* an epoll of its own: of peers that must not go unnoticed */
    struct event *watch_event;
    /* this loop's thread only (and server.c's before the thread runs) */
    bool is_stopping, is_hurried;
    struct terms *terms;             /* a reference */
    struct connection *connections;  /* newest first */
    TAILQ_HEAD(, connection) hellos; /* the first bytes of a handshake have come */
    struct event *hello_event;       /* a turn of theirs */
    char record[RECORD_BYTES];       /* record.c: an answer while it is written; zeros between */
};

struct net_server {
    const struct clock *clock;
    struct terms *terms;                              /* the newest; of who calls net_reload */
    struct quota *addresses, *identities, *in_flight; /* connections, connections, requests */
    struct rate *failures;                            /* by identity */
    struct load load;
    struct listener *listeners[NET_LISTENERS]; /* NULL: not set; the first loop's */
    _Atomic uint16_t ports[NET_LISTENERS];     /* of them */
    struct loop *loops;
    size_t loops_n;
    size_t next_loop; /* first loop's thread only: who gets the next connection */
    bool is_stopped;
    atomic_bool is_hurried;
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
/* reload.c: the first loop takes other listeners; see there. */
struct listener_change {
    struct listener *now[NET_LISTENERS]; /* NULL: none */
};
/* Opens what is new beside what is there; on failure nothing is left open. */
MUST_CHECK struct status listeners_prepare(struct net_server *server,
                                           const struct net_options *options, struct diag *diag,
                                           struct listener_change *ret_change);
void listeners_abandon(struct net_server *server, struct listener_change *change);
void listeners_commit(struct net_server *server, struct listener_change *change);
/* Takes the reference; the loop's thread, or before it runs. */
void loop_take_terms(struct loop *loop, struct terms *terms);

extern const char *const net_listener_names[NET_LISTENERS]; /* as in the configuration */

/* listener.c. Bound and listening; accepts nothing yet. The socket is <from>'s (another listener at
 * the same address, that is about to go), or an inherited one, or new. */
MUST_CHECK struct status listener_open(struct net_server *server, enum net_listener kind,
                                       const struct net_options *options, struct listener *from,
                                       struct diag *diag, struct listener **ret_listener);
/* ERR_CONFIG: others than this machine could reach it without TLS, or it believes nobody. */
MUST_CHECK struct status listener_check(const struct config_listener *config, struct diag *diag);
/* The first loop's thread, or before it runs. */
void listener_start(struct listener *listener);
/* Those whom closing would reset. (Not at the end of the process: an inherited socket stays, and
 * they wait for the next one.) */
void listener_accept_waiting(struct listener *listener);
void listener_stop(struct listener *listener);
void listener_free(struct listener *listener); /* after listener_stop, or never started; NULL */
/* A connection that was accepted is over, or was never opened. */
void listener_release(struct net_server *server, const char *peer_address);

/* inherited.c */
/* Is every inherited socket one of this configuration's? ERR_CONFIG says which is not. */
MUST_CHECK struct status inherited_check(const struct net_options *options, struct diag *diag);
/* The one for <kind>; -1: none. After inherited_check. */
int inherited_find(const struct net_options *options, enum net_listener kind);

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};
MUST_CHECK struct status socket_address_read(const struct config_address *config, struct diag *diag,
                                             union socket_address *ret_address, socklen_t *ret_n);

/* loop.c */
MUST_CHECK struct status loop_init(struct loop *loop, struct net_server *server, struct diag *diag);
MUST_CHECK struct status loop_start(struct loop *loop, struct diag *diag);
void loop_stop(struct loop *loop, int64_t deadline_us); /* any other thread; does not wait */
/* Any one other thread: how long it has owed a sign of life; asks for one when it owes none. */
int64_t loop_silence_us(struct loop *loop);
void loop_hurry(struct loop *loop); /* any other thread, once: the deadline is now */
void loop_join(struct loop *loop);
void loop_done(struct loop *loop);            /* after loop_join */
void loop_connection_gone(struct loop *loop); /* its thread: ends the loop after the last one */

/* watch.c: of loop_init and loop_done. */
MUST_CHECK struct status watch_init(struct loop *loop, struct diag *diag);
void watch_stop(struct loop *loop); /* its thread, before it ends */
void watch_done(struct loop *loop);

/* opening.c. Takes the descriptor in any case; the loop's thread. */
void connection_open(struct loop *loop, enum net_listener kind, int fd, const char *peer_address);
void connections_greet(struct loop *loop); /* some of those whose first bytes have come */
/* connection.c */
void connections_stop(struct loop *loop);  /* close the idle ones; the others finish */
void connections_close(struct loop *loop); /* all, now */
/* Judges connections of older terms again, a few at a time; true when none is left. */
bool connections_recheck(struct loop *loop);

/* A duration for libevent; never zero. */
struct timeval net_timeval(int64_t us);

#endif
