/*
 * The evaluator: facts in, verdict and obligations out. Called for every question and every
 * document, on any thread, and by `isthmus policy explain`. Pure: reads an immutable policy, writes
 * only its result, allocates nothing and cannot fail.
 */
#include "policies/policy.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "policies/rules.h"

#define POLICY_ARENA_BYTES ((size_t)4 * 1024 * 1024)

struct condition_row {
    const char *key;
    size_t offset; /* of the fact in struct policy_facts */
};

static const struct condition_row condition_rows[POLICY_CONDITIONS] = {
    [POLICY_CONDITION_DIRECTION] = {"direction", offsetof(struct policy_facts, direction)},
    [POLICY_CONDITION_TRANSACTION] = {"transactions", offsetof(struct policy_facts, transaction)},
    [POLICY_CONDITION_PARTNER] = {"partners", offsetof(struct policy_facts, partner)},
    [POLICY_CONDITION_COMMUNITY] = {"communities", offsetof(struct policy_facts, community)},
    [POLICY_CONDITION_ASKED] = {"asked", offsetof(struct policy_facts, asked)},
    [POLICY_CONDITION_PURPOSE] = {"purposes", offsetof(struct policy_facts, purpose)},
    [POLICY_CONDITION_PURPOSE_SYSTEM] = {"purpose_system",
                                         offsetof(struct policy_facts, purpose_system)},
    [POLICY_CONDITION_ROLE] = {"roles", offsetof(struct policy_facts, role)},
    [POLICY_CONDITION_DELEGATOR] = {"delegators", offsetof(struct policy_facts, delegator)},
    [POLICY_CONDITION_SYSTEM] = {"systems", offsetof(struct policy_facts, system)},
    [POLICY_CONDITION_LEARNED_FROM] = {"learned_from", offsetof(struct policy_facts, learned_from)},
    [POLICY_CONDITION_CONFIDENTIALITY] = {"confidentiality",
                                          offsetof(struct policy_facts, confidentiality)},
};

struct policy *
policy_new(void)
{
    struct policy *policy = mem_alloc(sizeof(*policy));

    if (policy == NULL) {
        return NULL;
    }
    policy->arena = arena_new(POLICY_ARENA_BYTES);
    if (policy->arena == NULL) {
        mem_free(policy);
        return NULL;
    }
    return policy;
}

void
policy_free(struct policy *policy)
{
    if (policy == NULL) {
        return;
    }
    arena_free(policy->arena);
    mem_free(policy);
}

const char *
policy_condition_key(enum policy_condition condition)
{
    assert(condition < POLICY_CONDITIONS);
    return condition_rows[condition].key;
}

static struct span
fact_of(const struct policy_facts *facts, size_t condition)
{
    struct span fact;

    memcpy(&fact, (const char *)facts + condition_rows[condition].offset, sizeof(fact));
    return fact;
}

/* An absent fact matches no value: a question that does not say its purpose has none. */
static bool
values_hold(const struct policy_values *values, struct span fact)
{
    if (values->n == 0) {
        return true;
    }
    for (size_t i = 0; i < values->n && fact.n > 0; i++) {
        if (span_eq_cstr(fact, values->items[i].text)) {
            return true;
        }
    }
    return false;
}

/* A rule that was written for partners lets nobody in who asks in another's name, and one that was
 * written for what is ours tells nothing that a partner told us. */
static bool
condition_holds(const struct policy_rule *rule, size_t condition, struct span fact)
{
    if (condition == POLICY_CONDITION_DELEGATOR && fact.n > 0 && !rule->is_for_delegates) {
        return false;
    }
    if (condition == POLICY_CONDITION_LEARNED_FROM && fact.n > 0 && !rule->is_for_learned) {
        return false;
    }
    return values_hold(&rule->conditions[condition], fact);
}

static bool
rule_matches(const struct policy_rule *rule, const struct policy_facts *facts)
{
    for (size_t i = 0; i < POLICY_CONDITIONS; i++) {
        if (!condition_holds(rule, i, fact_of(facts, i))) {
            return false;
        }
    }
    return true;
}

static void
add_obligations(struct policy_decision *decision, const struct policy_rule *rule)
{
    for (size_t i = 0; i < rule->withhold.n; i++) {
        const char *code = rule->withhold.items[i].text;

        if (!policy_is_withheld(decision, span_of_cstr(code))) {
            /* policy_load refuses the rule that would make it one too many. */
            assert(decision->withhold_n < POLICY_WITHHOLD_MAX);
            decision->withhold_confidentiality[decision->withhold_n++] = code;
        }
    }
}

static void
name_rule(struct policy_decision *decision, const struct policy_rule *rule)
{
    decision->verdict = rule->effect;
    decision->rule = rule->name;
    decision->reason = rule->reason;
}

/* "Break the glass" and its like, by code and code system. */
static bool
is_emergency_purpose(const struct policy_facts *facts)
{
    static const char *const purposes[][2] = {
        {"BTG", "2.16.840.1.113883.5.8"},
        {"ETREAT", "2.16.840.1.113883.5.8"},
        {"ERTREAT", "2.16.840.1.113883.5.8"},
        {"EMERGENCY", "2.16.840.1.113883.3.18.7.1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(purposes); i++) {
        if (span_eq_cstr(facts->purpose, purposes[i][0]) &&
            span_eq_cstr(facts->purpose_system, purposes[i][1])) {
            return true;
        }
    }
    return false;
}

struct policy_decision
policy_decide(const struct policy *policy, const struct policy_facts *facts)
{
    struct policy_decision decision = {
        .verdict = POLICY_DENY, .rule = "default", .reason = "no rule permits it"};
    bool is_ordinary = false;

    for (size_t i = 0; i < policy->rules.n; i++) {
        const struct policy_rule *rule = &policy->rules.items[i];

        if (!rule_matches(rule, facts)) {
            continue;
        }
        if (rule->effect == POLICY_DENY) {
            struct policy_decision denied = {0};

            name_rule(&denied, rule);
            return denied;
        }
        if (decision.verdict == POLICY_DENY) {
            name_rule(&decision, rule);
        }
        is_ordinary = is_ordinary || !rule->is_emergency;
        add_obligations(&decision, rule);
    }
    decision.is_emergency =
        decision.verdict == POLICY_PERMIT && (!is_ordinary || is_emergency_purpose(facts));
    return decision;
}

bool
policy_is_withheld(const struct policy_decision *decision, struct span confidentiality)
{
    for (size_t i = 0; i < decision->withhold_n; i++) {
        if (span_eq_cstr(confidentiality, decision->withhold_confidentiality[i])) {
            return true;
        }
    }
    return false;
}

size_t
policy_rule_count(const struct policy *policy)
{
    return policy->rules.n;
}

struct policy_explanation
policy_explain(const struct policy *policy, size_t index, const struct policy_facts *facts)
{
    struct policy_explanation explanation = {0};

    assert(index < policy->rules.n);
    const struct policy_rule *rule = &policy->rules.items[index];

    explanation.rule = rule->name;
    explanation.reason = rule->reason;
    explanation.file = rule->file;
    explanation.line = rule->line;
    explanation.effect = rule->effect;
    explanation.matches = true;
    for (size_t i = 0; i < POLICY_CONDITIONS; i++) {
        struct policy_check *check = &explanation.checks[i];

        check->key = condition_rows[i].key;
        check->wanted = rule->conditions[i].items;
        check->wanted_n = rule->conditions[i].n;
        check->fact = fact_of(facts, i);
        check->holds = condition_holds(rule, i, check->fact);
        explanation.matches = explanation.matches && check->holds;
    }
    return explanation;
}
