/*
 * The id_token of a request for individual access against the configuration. Called on workers;
 * owns nothing.
 */
#include "txn/individual.h"

#define PURPOSE "T-IAS"

bool
individual_is_asking(const struct saml_facts *facts)
{
    const struct span code = facts->purpose.value;

    return span_eq_cstr(facts->purpose.scheme, POLICY_PURPOSE_SYSTEM_TEFCA) &&
           (span_eq_cstr(code, PURPOSE) || span_starts_with(code, SPAN(PURPOSE "-")));
}

struct status
individual_prove(const struct config *config, const struct saml_facts *facts, int64_t now_us,
                 struct arena *arena, struct diag *diag, const struct idtoken_claims **ret_claims)
{
    const struct idtoken_rules rules = {
        .issuers = config->id_token_issuers,
        .issuers_n = config->id_token_issuers_n,
        .community = facts->home_community,
        .now_us = now_us,
        .clock_skew_us = config->clock_skew_us,
        .max_age_us = config->id_token_max_age_us,
    };
    struct idtoken_claims *claims = NULL;

    if (!individual_is_asking(facts) || (facts->id_token.n == 0 && !config->needs_id_token)) {
        *ret_claims = NULL;
        return OK;
    }
    TRY(ARENA_NEW(arena, diag, &claims));
    TRY(idtoken_verify(facts->id_token, &rules, arena, diag, claims));
    *ret_claims = claims;
    return OK;
}
