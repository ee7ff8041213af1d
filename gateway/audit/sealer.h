/*
 * The sealer: one thread of a node that signs checkpoints into the journal's chains and takes away
 * what is older than the configuration wants to keep. Nobody waits for it, and the journal never
 * fails because of it: what goes wrong is logged, counted, and tried again a minute later.
 *
 * Once a second it reads its own chain on. A checkpoint is due after so many records or so much
 * time, if there is anything new; at the end of a segment; when it starts (over what an earlier
 * process left), and when it stops. Chains of commands get theirs when nobody writes them.
 */
#ifndef AUDIT_SEALER_H
#define AUDIT_SEALER_H

#include "audit/journal.h"
#include "audit/retention.h"
#include "audit/statement.h"

#define SEALER_EVERY_US   (60 * US_PER_S)
#define SEALER_RECORDS    10000
#define SEALER_PAUSE_US   (60 * US_PER_S)   /* after a failure */
#define SEALER_RETAIN_US  (3600 * US_PER_S) /* how often old segments are looked for */
#define SEALER_INTENTS_US (3600 * US_PER_S) /* a command's question lasts no longer */

/* What the configuration says now. */
struct sealer_settings {
    bool is_on;
    int64_t every_us;
    uint64_t records;
    struct retention_rules retention;
    char source_id[256]; /* of its events: the node's URL, */
    char community[128]; /* and its community, bare OID */
};
/* Who runs the sealer. All are called on its thread, and on that of sealer_stop. */
struct sealer_owner {
    void *arg;
    void (*read)(void *arg, struct sealer_settings *ret_settings);
    struct statement_signer signer;
    /* Has every destination got this chain up to that record? */
    bool (*is_delivered)(void *arg, const char *chain, uint64_t sequence);
};

struct sealer;
/* Place, journal and clock outlive it; the owner is copied. ERR_NO_MEMORY. */
MUST_CHECK struct status sealer_new(const struct journal_place *place, struct journal *journal,
                                    const struct clock *clock, const struct sealer_owner *owner,
                                    struct diag *diag, struct sealer **ret_sealer);
MUST_CHECK struct status sealer_start(struct sealer *sealer, struct diag *diag);
/* One look, for the thread and for tests without one. */
void sealer_look(struct sealer *sealer);
/* Ends the thread if there is one, signs what is new, frees. To be called when nobody appends any
 * more, before the journal is closed. NULL is fine. */
void sealer_stop(struct sealer *sealer);

/* How it goes. Any thread. */
struct sealer_state {
    bool is_on;
    uint64_t checkpoints, failures; /* since it started */
    uint64_t uncovered;             /* records of its own chain behind the last one */
    int64_t last_us;                /* wall, of the last one; 0: none yet */
    uint64_t removed, archived;     /* segments */
    char why[DIAG_TEXT_MAX];        /* the last failure; "" when the last try went well */
};
void sealer_read_state(struct sealer *sealer, struct sealer_state *ret_state);

#endif
