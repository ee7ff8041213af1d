/*
 * What the admin listener serves: /metrics (Prometheus), /livez, /readyz and /readyz?verbose. Reads
 * only; discloses nothing about patients, because nothing that it reads knows one. Who may reach
 * it is the listener's to say (loopback, a unix socket, or TLS with client certificates).
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "audit/fleet.h"
#include "audit/journal.h"
#include "base/spool.h"
#include "net/server.h"
#include "out/out.h"
#include "store/store.h"
#include "txn/txn.h"

/* The node's parts, as they are when somebody looks. Borrowed during a call. */
struct admin_view {
    const struct config *config;
    const struct clock *clock;
    struct journal *journal;
    struct fleet *fleet; /* NULL: no audit repositories */
    struct runner *runner;
    struct out *out;                 /* NULL: this node asks nobody */
    const struct net_server *server; /* NULL: not started yet */
    const struct spool *spool;       /* NULL: large messages stay in memory */
    struct store *store;             /* NULL: no answer is owed or awaited */
    int64_t started_us;              /* wall */
    int64_t loaded_us;               /* wall: when the configuration was last loaded, or refused */
    bool is_load_refused;            /* the last time */
};

/* <query>: behind the '?', or empty. The status is HTTP's. Never blocks on a network; reads
 * /proc/self and asks file systems for their room. Thread: any. */
struct admin_answer {
    int http_status;
    const char *content_type;
    struct buf content; /* the caller's to give back */
};
void admin_answer(const struct admin_view *view, struct span path, struct span query,
                  struct admin_answer *ret_answer);

/* ---- parts (families.c, ready.c) ---- */

/* All families: what admin asks for now, and what base/metrics.h has counted. */
MUST_CHECK struct status admin_write_metrics(const struct admin_view *view, struct buf *out,
                                             struct diag *diag);
/* The name of family <at>, or NULL behind the last one: documentation is tested against it. */
const char *admin_family_name(size_t at);

/* May it take work? *ret_text gets one line for each check ("[+] journal: ..."), or, unless
 * <is_verbose>, for those only that are not well. */
bool admin_is_ready(const struct admin_view *view, bool is_verbose, struct buf *text);

/* Is the machine's clock kept right by somebody (IHE CT, ITI TF-2 3.1)? */
struct admin_clock {
    bool is_synchronised;
    int64_t offset_us;    /* what is still to be corrected */
    int64_t max_error_us; /* as the kernel estimates it */
};
struct admin_clock admin_read_clock(void);

#endif
