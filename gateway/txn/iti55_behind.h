/*
 * ITI-55 over participants behind us: what their gateways answered, beside our own match. Called by
 * the step of iti55.c that writes the answer.
 */
#ifndef TXN_ITI55_BEHIND_H
#define TXN_ITI55_BEHIND_H

#include "txn/brokered.h"

/* Adds one match at most for each of their communities, its id and home as they came, and what of
 * it is recorded. Several people of one community of whom none is closest are nobody, or what
 * would tell them apart. in->may_keep_us becomes no longer than they allow; 0 when one of them said
 * nothing. */
MUST_CHECK struct status iti55_add_behind(struct inbound *in, const struct xcpd_query *query,
                                          struct xcpd_answer *answer);

#endif
