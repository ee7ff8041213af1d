/*
 * The network side: loop threads (libevent) that own listeners, TLS handshakes, HTTP framing,
 * limits and writes. A complete request becomes a struct net_request and goes to the handler, on
 * the loop thread; the handler must not block. The answer may come from any thread, at any time,
 * even after net_free: when the connection has gone by then it is dropped. While a handler has a
 * request nothing is read, so a peer that goes is noticed when the answer is written, or by
 * net_watch. One request of a connection is in flight at a time; pipelined ones wait in the socket.
 *
 * Refused requests get one line of text (the public text of their error) and the connection
 * closes. TLS here proves a chain to the listener's trust, no more: which partner a certificate
 * speaks for is decided above (net_options.identify, config_partner_of_peer); here it is a name
 * under which connections, requests and failures are counted.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "base/body.h"
#include "base/clock.h"
#include "base/spool.h"
#include "certs/certificate.h"
#include "certs/status.h"
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
    char *path;           /* not decoded */
    char *query;          /* behind the first '?', not decoded; "" when there is none */
    char *content_type;   /* "" when absent */
    char *peer_address;   /* numeric without port, or "unix" */
    const char *identity; /* whose certificate it is (net_options.identify); "" on plain listeners.
                             Lives until answer or drop. */
    struct body body;     /* may be moved out */
    const struct certificate
        *peer;   /* TLS client certificate, verified against the listener's trust; NULL on
                    plain listeners. Lives until answer or drop. */
    uint64_t id; /* of the exchange, for the log; counts from 1 */
};

typedef void (*net_handler)(void *arg, struct net_request *request);

#define NET_IDENTITY_MAX 80 /* bytes, NUL included */

/* A listening socket that was open before us (systemd's socket activation). Its name may be that of
 * a listener ("network", "local", "admin"); under any other name its address decides. */
struct net_inherited {
    const char *name;
    int fd; /* stays the caller's, open while the server lives */
};

/* Why a request was shed. */
enum net_shed { NET_SHED_REQUESTS, NET_SHED_MEMORY, NET_SHED_QUEUE };
#define NET_SHED_REASONS 3

struct net_options {
    const struct config *config; /* borrowed during net_start and net_reload only */
    const struct clock *clock;
    int loop_threads;
    /* Where large bodies of requests wait; outlives the server. NULL: in memory. */
    struct spool *spool;
    const struct net_inherited *inherited; /* outlives the server */
    size_t inherited_n;
    size_t head_limit; /* bytes */
    /* Times; a peer that is slower is answered 408 where that is possible, and cut off. */
    int64_t handshake_timeout_us;  /* from accept to a finished handshake */
    int64_t status_timeout_us;     /* until the status of the client's certificate is known */
    int64_t head_timeout_us;       /* from the first byte of a head to its last */
    int64_t idle_timeout_us;       /* between requests */
    int64_t body_stall_us;         /* window in which <rate_bytes> must be met */
    size_t rate_bytes;             /* per second; of content, and of an answer that is taken */
    int64_t request_timeout_us;    /* from the first byte of a head to the content's last */
    int64_t answer_timeout_us;     /* from the first byte of an answer to its last */
    int64_t connection_timeout_us; /* an older connection closes after its current answer */
    /* Numbers. Over the first two a connection is closed before the handshake; over the others the
     * answer is 503 with Retry-After, before content is read. All: ERR_LIMIT_... to on_refused. */
    size_t connections_max;         /* a few more of the admin listener */
    size_t connections_per_address; /* not of unix: sockets */
    size_t connections_per_identity;
    size_t requests_per_identity; /* from a whole head until the handler answers */
    size_t failures_per_minute;   /* of net_count_failure, per identity */
    /* Of the whole node; over them 503 with Retry-After, and ERR_OVERLOAD to on_refused, before
     * content is kept. Not for the admin listener. */
    size_t requests_max;   /* from a whole head until the handler answers */
    size_t held_bytes_max; /* of requests and answers in memory */
    int64_t lag_max_us;
    /* How long the oldest work that is ready has waited; any loop's thread, must not block. NULL:
     * not asked. */
    int64_t (*lag_us)(void *arg);

    net_handler handler;
    void *handler_arg; /* of every function here */
    /* Connections and requests that were refused or broke off, for log and audit: called on the
     * loop thread; must not block. */
    void (*on_refused)(void *arg, const char *peer_address, const struct diag *diag);
    /* Accepted, though its certificate's status could not be learned (soft): for the log. As
     * on_refused. */
    void (*on_doubt)(void *arg, const char *peer_address, const struct diag *diag);
    /* Whose certificate is it? Called on the loop thread after a handshake, and again after
     * net_reload; must not block. False: nobody's (the connection is served all the same, under the
     * name that was written: refusing is the handler's to do, but it does not survive a reload).
     * NULL: the identity is the certificate's SHA-256. */
    bool (*identify)(void *arg, const struct certificate *peer,
                     char ret_identity[NET_IDENTITY_MAX]);
    /* The network listener's clients: no request is read before the status of the certificate is
     * known and accepted. NULL: not asked. Outlives the server. */
    struct peer_status_source *status;
};
/* Limits and times of the configuration, and no functions; connections_max fits the process's limit
 * of descriptors. */
void net_options_default(struct net_options *options, const struct config *config);

/* Binds every configured listener that was not inherited, and starts the loops. ERR_IO names
 * address and reason; ERR_CONFIG: no listener, one without TLS that others than this machine could
 * reach, or an inherited socket that is not one of the configuration's addresses. Ignores SIGPIPE
 * for the process. */
MUST_CHECK struct status net_start(const struct net_options *options, struct diag *diag,
                                   struct net_server **ret_server);
/* Another configuration, and other limits, from now on: <options> as for net_start, but the clock,
 * the threads, the inherited sockets and the handler with its arg stay. When it returns every loop
 * has them. After a failure nothing has changed. Listeners may be added, taken away, moved, get or
 * lose TLS: sockets for new addresses are bound first (ERR_IO), those of addresses that stay are
 * kept; ERR_CONFIG as for net_start, and for an inherited one that would move. New handshakes use
 * the new credential and trust. Connections are judged again: chain, and identity as before, and
 * whether their listener is still there and speaks TLS as they do; those that fail are closed,
 * after the answer that they wait for. None of their requests is handled after net_reload has
 * returned. Thread: any but a loop's, one at a time. */
MUST_CHECK struct status net_reload(struct net_server *server, const struct net_options *options,
                                    struct diag *diag);
/* The request failed verification. Over failures_per_minute the next ones of its identity get 503
 * before they are read. What was counted survives net_reload. Any thread, before the answer and
 * before net_free. */
void net_count_failure(const struct net_request *request);
/* What the server has and had; any thread, before net_free. */
struct net_counts {
    size_t connections, requests, held_bytes;
    uint64_t requests_total;         /* that the handler got, or was about to get */
    uint64_t shed[NET_SHED_REASONS]; /* since the start */
};
void net_count(const struct net_server *server, struct net_counts *ret_counts);
/* Asks every loop for a sign of life that does not owe one; how long the slowest of them has owed
 * it since an earlier call. Any one thread, before net_stop. */
int64_t net_silence_us(struct net_server *server);
/* The port that a listener was bound to (configured port 0 picks one): for tests and the log. 0
 * for a unix: listener or one that is not set. */
uint16_t net_port(const struct net_server *server, enum net_listener listener);
/* Stop accepting and close idle connections; let exchanges in flight finish until <deadline_us>
 * (mono), then close. Returns when all loops have ended; later answers are dropped. Never from a
 * loop thread (a handler). */
void net_stop(struct net_server *server, int64_t deadline_us);
/* While net_stop runs, or before it: its deadline is now. Any thread, before net_free. */
void net_hurry(struct net_server *server);
void net_free(struct net_server *server); /* stops at once when still running; NULL is fine */

/* Any thread, also the handler itself. Takes request and body (moved out). Status, Content-Type
 * and length only; <content_type> up to 511 bytes, "" for none. */
void net_answer(struct net_request *request, int status, const char *content_type,
                struct body *body);
void net_drop(struct net_request *request); /* close the connection without an answer */

/* Tell me when nobody waits for the answer any more: <on_gone> is called at most once, on the
 * loop's thread, when the peer ends its side or breaks the connection, or net_stop's deadline cuts
 * it off, while the handler has the request. (Bytes of a next request are no such end. A peer that
 * half-closes counts as gone, but would still get an answer.) Must not block; may answer or drop.
 * Never running or called after net_answer or net_drop has returned (except when those are called
 * by <on_gone> itself): so do not hold a lock that <on_gone> takes when you answer. Once per
 * request, while the handler has it; any thread. When net_stop has ended the loop before, <on_gone>
 * runs inside net_watch. */
void net_watch(struct net_request *request, void (*on_gone)(void *arg), void *arg);

#endif
