/*
 * See told.h.
 */
#include "txn/told.h"

static bool
is_partners(const struct config *config, const struct correlated *one)
{
    const struct partner *partner = config_partner_of_id(config, one->partner);

    return partner != NULL && partner_speaks_for(partner, one->community);
}

/* What a manager of our own cross-references answered is ours. */
static const struct config_source *
source_of(const struct config *config, const struct correlated *one)
{
    for (size_t i = 0; i < config->sources_n; i++) {
        if (config->sources[i].engine == CONFIG_ENGINE_PIX &&
            span_eq_cstr(one->partner, config->sources[i].partner->id)) {
            return &config->sources[i];
        }
    }
    return NULL;
}

bool
told_may_be_told(const struct node *node, const struct policy_facts *facts,
                 const struct correlated *one)
{
    const struct config_source *source = source_of(node->config, one);
    const int64_t remember_us =
        source == NULL ? node->config->discovery.remember_us : source->remember_us;
    const bool is_in_time = one->learned_us + remember_us > clock_wall_us(node->clock);
    struct policy_facts about = *facts;

    if (source != NULL) {
        return is_in_time && span_eq_cstr(facts->direction, "local");
    }
    about.learned_from = one->partner;
    return is_in_time && is_partners(node->config, one) &&
           policy_decide(node->config->policy, &about).verdict == POLICY_PERMIT;
}
