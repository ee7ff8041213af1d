/*
 * What a transaction needs of the node around it. Every member can be a scripted one in scenario
 * tests: a fake clock, an outbound engine that answers from a script, an audit sink that delays
 * durability. Lives longer than any transaction. Thread: any may read.
 */
#ifndef TXN_NODE_H
#define TXN_NODE_H

#include "audit/journal.h"
#include "base/spool.h"
#include "config/config.h"
#include "out/out.h"
#include "store/store.h"
#include "txn/txn.h"

/* Where audit events become durable: the journal, or a test's own. Contracts as in audit/journal.h.
 */
struct audit_sink {
    struct status (*append)(struct audit_sink *sink, const struct audit_event *event,
                            struct park *park, struct diag *diag,
                            struct journal_ticket *ret_ticket);
    struct status (*check)(struct audit_sink *sink, const struct journal_ticket *ticket,
                           struct diag *diag);
};

struct journal_sink {
    struct audit_sink sink; /* first member */
    struct journal *journal;
};
void journal_sink_init(struct journal_sink *sink, struct journal *journal);

struct continued;
struct outbox;
struct waiting;

struct node {
    const struct config *config;
    const struct clock *clock;
    struct store *store;
    struct audit_sink *audit;
    struct out *out;     /* NULL: this process asks nobody */
    struct spool *spool; /* where large messages wait; NULL: in memory */
    struct runner *runner;
    struct outbox *outbox;       /* answers that leave later (outbox.h); NULL: none is owed here */
    struct continued *continued; /* answers of ITI-47 in parts; NULL: whole answers only */
    struct waiting *waiting;     /* for answers that come later (waiting.h); NULL: nobody waits */
};

#endif
