/*
 * The decision about one document. Called by the transactions that give documents or metadata out;
 * pure.
 */
#include "txn/disclosure.h"

bool
disclosure_is_allowed(const struct policy *policy, const struct policy_facts *facts,
                      const struct policy_decision *decision,
                      const struct code_list *confidentiality)
{
    struct policy_facts of_document = *facts;

    for (size_t i = 0; i < confidentiality->n; i++) {
        struct policy_decision second;

        of_document.confidentiality = confidentiality->items[i].value;
        second = policy_decide(policy, &of_document);
        if (second.verdict != POLICY_PERMIT ||
            policy_is_withheld(decision, of_document.confidentiality) ||
            policy_is_withheld(&second, of_document.confidentiality)) {
            return false;
        }
    }
    return true;
}
