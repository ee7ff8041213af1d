/*
 * Answers that leave later: a partner's question that wants its answer at an address of its own
 * (registered in its record) is proven and decided as any other, made durable as a job of the store
 * (store/jobs.h), audited, and answered with HTTP 202. Then the job runs: the question goes through
 * the same steps once more, as of the time when it came, and its answer leaves as a message of
 * ours, signed anew for each attempt, until it is taken, refused for good, or too old.
 *
 * So nothing of an answer is kept, and what a partner may no longer have when its answer leaves, it
 * does not get: its record, the policy and the documents are those of then.
 *
 * Threads: outbox_look belongs to whoever has the clock (serve's main thread, a test); outbox_hurry
 * is any thread's; the work is done by the runner's.
 */
#ifndef TXN_OUTBOX_H
#define TXN_OUTBOX_H

#include <pthread.h>

#include "store/jobs.h"
#include "txn/inbound.h"

#define OUTBOX_RUNNING_MAX 32 /* jobs at a time */

struct outbox {
    /* The node as it is now, which lives until it is given back. */
    struct node *(*take_node)(void *arg);
    void (*give_node)(void *arg, struct node *node);
    void *arg;
    pthread_mutex_t lock; /* of the rest */
    size_t running;
    bool is_closed;
};

void outbox_init(struct outbox *outbox, struct node *(*take_node)(void *arg),
                 void (*give_node)(void *arg, struct node *node), void *arg);
/* Starts what is due, as far as there is room; each second or so. What it cannot do now is done at
 * a later look. */
void outbox_look(struct outbox *outbox);
/* The job that the caller holds the lease of is started at once, if there is room. */
void outbox_hurry(struct outbox *outbox, int64_t job_id);
/* No job starts any more; those that run end with the runner. */
void outbox_close(struct outbox *outbox);
void outbox_done(struct outbox *outbox); /* none runs any more */

/* How long after the <attempts>th failure the next attempt comes, without its jitter (a quarter):
 * 10 s, doubled each time, at most an hour. */
int64_t outbox_pause_us(unsigned attempts);

/* ---- steps of inbound.c for questions whose answers leave later ---- */

/* Is its answer to leave later? Then <accept> keeps the question, and the rest is the job's. */
bool outbox_is_wanted(const struct inbound *in);
/* Accepts: the job is durable. ERR_LIMIT_QUEUE. Of a job that runs: ERR_PARTNER_TIMEOUT when it is
 * too old. */
enum txn_verdict outbox_accept(struct inbound *in);

/* ---- of a job that runs (errand.c) ---- */

struct errand;

MUST_CHECK struct status errand_start(struct outbox *outbox, struct node *node, int64_t job_id,
                                      struct diag *diag, bool *ret_has_started);
/* Its partner, by the record of now. */
MUST_CHECK struct status errand_peer(struct inbound *in);
/* in->payload to the message that leaves. */
MUST_CHECK struct status errand_write(struct inbound *in);
enum txn_verdict errand_refuse(struct inbound *in);
enum txn_verdict errand_send(struct inbound *in);   /* and waits for what the partner says */
enum txn_verdict errand_report(struct inbound *in); /* the record of one that was refused */
enum txn_verdict errand_settle(struct inbound *in); /* the job is done, or has a later time */

#endif
