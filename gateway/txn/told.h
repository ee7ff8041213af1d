/*
 * What partners told us of patients, and who may be told of it. Called by the answerers of ITI-45
 * and ITI-56, on workers; pure.
 */
#ifndef TXN_TOLD_H
#define TXN_TOLD_H

#include "store/correlation.h"
#include "txn/local.h"

/* May who asks (<facts>, which were permitted) be told this identifier? Only while it may be
 * remembered here (discovery: remember), of a partner that still speaks for the community, and by
 * a rule with `learned_from`. What a manager of cross-references among our sources answered is told
 * to local systems, as long as its source may be remembered. */
bool told_may_be_told(const struct node *node, const struct policy_facts *facts,
                      const struct correlated *one);

#endif
