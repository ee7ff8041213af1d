/*
 * An asking (asking.h) that a transaction of a listener waits for: a local system's question, or a
 * partner's that is asked of our sources. Both are transactions of their own; while the asking
 * runs, the other is parked. Steps run on workers, the news that the peer has gone comes on a loop
 * thread.
 */
#ifndef TXN_AWAITED_H
#define TXN_AWAITED_H

#include <pthread.h>

#include "txn/asking.h"
#include "txn/inbound.h"

struct awaited {
    struct inbound *in; /* who waits */
    bool has_asked;
    pthread_mutex_t lock;  /* of the rest: the peer goes on another thread */
    struct asking *asking; /* made, running, or ended */
    bool is_ended;         /* it has */
    bool is_gone;          /* the peer has */
};

void awaited_init(struct awaited *awaited, struct inbound *in);
/* After the end of <in>'s last step. */
void awaited_done(struct awaited *awaited);
/* A step: asks, and waits for the end. FAILED: nothing could be asked. <order> as in asking_new. */
enum txn_verdict awaited_ask(struct awaited *awaited, const struct asking_order *order);
/* Steps: the outcomes of the questions to the communities, and with them that of the question to
 * us; then all are durable. */
enum txn_verdict awaited_record(struct awaited *awaited);
enum txn_verdict awaited_recorded(struct awaited *awaited);
/* The peer has gone: nobody waits for the answer any more. Any thread. */
void awaited_note_gone(struct awaited *awaited);

/* What the record and the log say when the answer lacks something: the reason of the first leg of
 * <round> that failed, else <besides> (NULL: then it lacks nothing). <is_nothing>: the answer is a
 * failure altogether; else the failure is a second outcome. */
MUST_CHECK struct status awaited_note_shortfall(struct awaited *awaited, int round, bool is_nothing,
                                                const struct diag *besides);

#endif
