/*
 * What the files of `isthmus serve` share; nobody else includes it.
 *
 *   cmd_serve.c       start and stop; requests become transactions
 *   serve_life.c      signals, signs of life, the drain
 *   service.c         systemd's protocols
 *   serve_later.c     answers that leave or come later
 *   serve_reload.c    SIGHUP and changed revocation lists: another configuration while it runs
 *   serve_status.c    who is asked whether a certificate is still good
 *   serve_admin.c     metrics and health, for the admin listener
 *   serve_seal.c      checkpoints of the journal, retention
 *   serve_ship.c      records on their way to audit repositories
 *   serve_refusals.c  what was refused before a transaction: log and audit, not too often
 *
 * Threads: the main thread starts, reloads and stops; requests and refusals come on net/'s loop
 * threads, replies on workers.
 */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "audit/fleet.h"
#include "audit/journal.h"
#include "audit/sealer.h"
#include "cli/cli.h"
#include "cli/journal.h"
#include "cli/service.h"
#include "net/server.h"
#include "out/crl_feed.h"
#include "txn/continued.h"
#include "txn/local.h"
#include "txn/outbox.h"
#include "txn/waiting.h"

/* The node as one configuration makes it. A transaction works with the generation that it started
 * with to its end, and holds a reference so long. */
struct generation {
    atomic_uint references;
    struct node node; /* holds a reference to its configuration */
};

struct serve {
    const char *config_path;
    struct store *store;
    struct spool *spool; /* NULL: large messages stay in memory */
    struct journal *journal;
    struct journal_place place;          /* of the journal; its keys are those of ... */
    const struct config *journal_config; /* ... the first configuration: a reference */
    struct sealer *sealer;
    struct journal_sink sink;
    struct fleet *fleet; /* audit repositories; NULL: not started */
    struct runner *runner;
    struct out *out;            /* one for all generations */
    struct outbox outbox;       /* answers that leave later */
    struct waiting waiting;     /* for answers that come later */
    struct continued continued; /* answers that are given in parts */
    struct net_server *server;
    atomic_bool is_started;                 /* <server> is set: its own loops may read it */
    struct trust_fetch *fetch;              /* NULL: nobody has to be asked */
    struct status_cache *status;            /* the same */
    struct crl_feed *feed;                  /* NULL: no revocation list is to be fetched */
    struct rate *limit_log_rate, *log_rate; /* of refusals: by kind; by address */
    struct rate *audit_rate;                /* by address */
    pthread_mutex_t lock;                   /* of <generation> and <is_settled> */
    struct generation *generation;          /* the current one */
    int64_t started_us;                     /* wall */
    _Atomic int64_t loaded_us; /* wall: of the newest configuration, taken or refused */
    int64_t expiry_logged_us;  /* wall; the main thread's */
    int64_t forgotten_us;      /* mono; the same: when questions that are too old were forgotten */
    struct service service;
    sigset_t signals;               /* SIGHUP, SIGTERM, SIGINT: blocked in every thread */
    _Atomic bool is_reload_refused; /* the last one */
    pthread_t impatience;           /* waits for a second signal */
    bool has_impatience;
    _Atomic bool is_hurried; /* it came */
    bool is_settled;         /* network and runner have nothing left, and are about to go */
    _Atomic bool is_over;    /* nothing is left to be cut short */
    bool is_start_recorded;  /* then the stop is, too */
    bool is_replay_started;  /* then stopped, too */
};

/* cmd_serve.c */
MUST_CHECK struct status generation_new(struct serve *serve, const struct config *config,
                                        struct diag *diag, struct generation **ret_generation);
struct generation *generation_current(struct serve *serve); /* a reference; any thread */
void generation_unref(struct generation *generation);       /* any thread; NULL is fine */
/* What net_start and net_reload get. */
void serve_net_options(struct serve *serve, const struct config *config,
                       struct net_options *ret_options);
/* An event about the node itself, durable when it returns. */
MUST_CHECK struct status serve_record_life(struct serve *serve, enum audit_type type,
                                           enum audit_outcome outcome, const char *text,
                                           struct diag *diag);

/* serve_life.c: opens it, and ends what an earlier process left open in it. */
MUST_CHECK struct status serve_open_journal(struct serve *serve, const struct config *config,
                                            struct diag *diag);

/* serve_later.c: the main thread only. */
void serve_later_init(struct serve *serve); /* before a generation is made */
/* What another process that was killed had to do is to be done by this one. */
MUST_CHECK struct status serve_later_start(struct serve *serve, struct diag *diag);
/* Each second: starts what is due, forgets what is too old. */
void serve_later_look(struct serve *serve);
void serve_later_done(struct serve *serve); /* the runner has ended */

/* serve_seal.c: the journal and the first generation are there. */
MUST_CHECK struct status serve_seal_start(struct serve *serve, struct diag *diag);
void serve_seal_stop(struct serve *serve); /* before the journal and the last generation go */

/* serve_admin.c: a request of the admin listener; a loop's thread. */
void serve_admin(struct serve *serve, struct net_request *request);

/* serve_life.c: the main thread only. */
void serve_block_signals(struct serve *serve); /* before any thread starts */
/* Raises the limit of descriptors as far as it goes; the log says when that is too little. */
void serve_check_descriptors(const struct config *config);
/* For the service manager; <state>: lines before the status, such as "READY=1", or "". */
void serve_tell_status(struct serve *serve, const char *state);
int serve_run(struct serve *serve); /* until a signal ends it: which */
/* From now on a second signal hurries. The monotonic time at which the drain is over. */
int64_t serve_drain_begin(struct serve *serve, const struct config *config);
/* True when no transaction is left; false at the deadline, or when it is hurried. */
MUST_CHECK bool serve_drain_runner(struct serve *serve, int64_t deadline_us);
void serve_drain_settled(struct serve *serve); /* before network and runner are freed */
void serve_drain_end(struct serve *serve);

/* serve_reload.c: the main thread only. Loads the file anew; with a mistake in it, or when it needs
 * a restart, the log says so and everything stays as it is. <why>: for the log. */
void serve_reload(struct serve *serve, const char *why);
/* Reloads when a file of a trust store has changed; says once a day what ends soon. For a timer,
 * and first at the start. */
void serve_look_after(struct serve *serve);

/* serve_status.c: before the network starts or reloads with <config>. */
MUST_CHECK struct status serve_status_configure(struct serve *serve, const struct config *config,
                                                struct diag *diag);
/* For net_options.status; NULL when nobody is to be asked. */
struct peer_status_source *serve_status_source(const struct serve *serve,
                                               const struct config *config);
void serve_status_done(struct serve *serve); /* after the network has ended */

/* serve_ship.c: the main thread only. */
MUST_CHECK struct status serve_ship_start(struct serve *serve, const struct config *config,
                                          struct diag *diag);
void serve_ship_reload(struct serve *serve, const struct config *config);
/* When nothing more is recorded; the journal and a generation are still there. Takes seconds. */
void serve_ship_end(struct serve *serve);

/* serve_refusals.c */
MUST_CHECK struct status refusals_init(struct serve *serve, struct diag *diag);
void refusals_done(struct serve *serve);
/* For net_options.on_refused and on_doubt. */
void refusals_note(void *arg, const char *peer_address, const struct diag *why);
void refusals_note_doubt(void *arg, const char *peer_address, const struct diag *why);

#endif
