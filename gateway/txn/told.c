/*
 * See told.h.
 */
#include "txn/told.h"

static bool
is_partners(const struct config *config, const struct correlated *one)
{
    for (size_t i = 0; i < config->partners_n; i++) {
        const struct partner *partner = &config->partners[i];

        if (span_eq_cstr(one->partner, partner->id)) {
            return partner_speaks_for(partner, one->community);
        }
    }
    return false;
}

bool
told_may_be_told(const struct node *node, const struct policy_facts *facts,
                 const struct correlated *one)
{
    const int64_t until_us = one->learned_us + node->config->discovery.remember_us;
    struct policy_facts about = *facts;

    about.learned_from = one->partner;
    return until_us > clock_wall_us(node->clock) && is_partners(node->config, one) &&
           policy_decide(node->config->policy, &about).verdict == POLICY_PERMIT;
}
