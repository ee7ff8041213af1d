/*
 * May one document be disclosed under a decision that was made before it was known? Asked for each
 * document that leaves our store, whoever asks: a partner, or our own commands.
 */
#ifndef TXN_DISCLOSURE_H
#define TXN_DISCLOSURE_H

#include "base/document.h"
#include "policies/policy.h"

/* <decision> is what <facts> (without confidentiality) led to. False when an obligation withholds
 * one of the codes, or when the rules deny a document that carries it. Thread: any. */
bool disclosure_is_allowed(const struct policy *policy, const struct policy_facts *facts,
                           const struct policy_decision *decision,
                           const struct code_list *confidentiality);

#endif
