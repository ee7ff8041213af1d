/*
 * A partner's question that our sources answer: when there are others than the embedded store, the
 * Responding Gateway is a broker, too, and its work an asking whose targets are the sources. What
 * was decided about the question holds for each of them, and each document is judged under it as
 * the store's are. Called by the steps of iti38.c and iti39.c.
 */
#ifndef TXN_BROKERED_H
#define TXN_BROKERED_H

#include "txn/awaited.h"

struct brokered {
    struct awaited awaited;
    struct asking_order order; /* goal, and what is asked: the caller's */
    struct policy_facts facts;
};

/* Is the question one for more than our own store? */
bool brokered_is_needed(const struct inbound *in);
/* A community behind us that our policy hides from the asker is one that nobody has; of any other,
 * true. */
bool brokered_may_see(const struct inbound *in, struct span community);
/* To a partner, a community that does not answer us is a failure of our own:
 * XDSUnavailableCommunity is an Initiating Gateway's (ITI TF-3 Table 4.2.4.1-2). */
void brokered_own_errors(struct registry_error_list *errors, const char *code);
/* Who asks, from the proven message. Lives as long as <in>, whose release it sets. */
MUST_CHECK struct status brokered_begin(struct inbound *in, struct brokered **ret_brokered);
/* A step, as awaited_ask. */
enum txn_verdict brokered_ask(struct brokered *brokered);

#endif
