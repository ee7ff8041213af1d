/*
 * Reverse queries (ITI TF-2 3.55.4.1.2.4, 3.55.4.1.3): a community that asks us about a patient may
 * say that it can be asked about the same one, by an id of its own (authorOrPerformer). When we
 * find the patient, and the question may be kept (CorrelationTimeToLive) and we keep answers
 * (discovery: remember), that id is kept as though the community had answered; and who asks for
 * documents by our id of the patient reaches such communities by theirs.
 *
 * Threads: steps, on workers. What is kept is the store's (store/correlation.h).
 */
#ifndef TXN_ASKED_BACK_H
#define TXN_ASKED_BACK_H

#include "soap/xcpd.h"
#include "txn/asking.h"
#include "txn/inbound.h"

/* ---- asked: a part of iti55.c's work ---- */

/* <ours> was found for <query>, which may be kept for <kept_us> (0: not at all). WAIT: run again.
 * Never FAILED: that it could not be kept is no reason not to answer, and is logged. */
enum txn_verdict asked_back_learn(struct inbound *in, const struct xcpd_query *query,
                                  const struct patient *ours, int64_t kept_us);

/* ---- asking ---- */

/* The id of our own authority by which the order knows the patient; NULL: none. */
const struct ident *asked_back_own_id(const struct asking *asking);
/* Under which what <community> said, when it asked us about our patient <own>, is kept. */
MUST_CHECK struct status asked_back_key(const struct ident *own, struct span community,
                                        struct diag *diag, struct correlation_key *ret_key);
/* Before the plan of a query by an id of ours: who knows the patient by another id
 * (asking->elsewhere). A step; what the store cannot tell is logged, and everybody is asked by the
 * order's id. */
enum txn_verdict asked_back_step(struct txn *txn);
/* When asking->elsewhere has anybody: legs to <community> of <partner>, one for each id by which it
 * knows the patient; by the order's id only when the order names it. */
MUST_CHECK struct status asked_back_plan(struct asking *asking, const struct partner *partner,
                                         struct span community);

#endif
