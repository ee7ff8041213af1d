/*
 * A fan-out: many questions out at once, answers taken as they come. It is a heap object of its
 * own, counted by the transaction and by every question that is still out: a late answer meets the
 * fan-out, never a transaction that has ended. Submit and take: the transaction's worker; answers
 * arrive on the outbound loop.
 */
#ifndef TXN_FANOUT_H
#define TXN_FANOUT_H

#include "out/out.h"
#include "txn/txn.h"

struct fanout;

/* ERR_NO_MEMORY. <txn> is nudged when an answer has come. <bytes>: what the answers may hold
 * together, those that come late included. */
MUST_CHECK struct status fanout_new(struct txn *txn, size_t questions, uint64_t bytes,
                                    struct diag *diag, struct fanout **ret_fanout);
/* Lives until fanout_leave. */
struct budget *fanout_budget(struct fanout *fanout);
/* Question <slot> leaves; request is moved, and gets the budget. A slot whose answer was taken may
 * be used again. */
void fanout_submit(struct fanout *fanout, size_t slot, struct out *out,
                   struct out_request *request);
/* How many are still out. */
size_t fanout_pending(struct fanout *fanout);
/* Move the next answer out, in the order in which they came; false when none is here. */
bool fanout_take(struct fanout *fanout, size_t *ret_slot, struct out_answer *ret_answer);
/* The question of <slot> is given up: the engine lets go of it, and its answer, if one comes, is
 * dropped. Fine when its answer is here. */
void fanout_cancel(struct fanout *fanout, size_t slot);
/* The transaction leaves: answers that come later are dropped. NULL is fine. */
void fanout_leave(struct fanout *fanout);

#endif
