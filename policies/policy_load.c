/*
 * Reads rule files into a policy. Called by config/ when a configuration is read, on one thread.
 * Every mistake of a file is reported at its place and reading goes on, so an operator sees all of
 * them; a file with a mistake adds no rule. Strings and rules live in the policy's arena.
 */
#include <string.h>

#include "base/ids.h"
#include "base/yaml.h"
#include "policies/rules.h"

#define RULE_NAME_MAX 64

struct loader {
    struct policy *policy;
    struct yaml_report *report;
    struct diag *diag;
    struct policy_rules added; /* of this file */
};

static const char *const rule_keys[] = {
    "name",     "effect",      "reason",  "direction",    "transactions",
    "partners", "communities", "asked",   "purposes",     "purpose_system",
    "roles",    "delegators",  "systems", "learned_from", "confidentiality",
    "withhold", "emergency",
};
static const char *const direction_names[] = {"inbound", "outbound", "local"};
/* What asks or is asked for policy_decide; a new transaction adds its row. */
static const char *const transaction_names[] = {"ITI-18", "ITI-38", "ITI-39", "ITI-41", "ITI-43",
                                                "ITI-45", "ITI-47", "ITI-55", "ITI-56", "ITI-80"};
static const char *const effect_names[] = {"permit", "deny"};

static void
report_unknown(struct loader *loader, const struct yaml_node *at, const char *what,
               const char *const *names, size_t n)
{
    const char *nearest = yaml_nearest(at->scalar, names, n);
    char list[128];

    if (nearest != NULL) {
        yaml_error(loader->report, at, "unknown %s '%.*s'; did you mean '%s'?", what,
                   SPAN_PRINT(at->scalar), nearest);
    } else {
        yaml_list_names(names, n, list, sizeof(list));
        yaml_error(loader->report, at, "unknown %s '%.*s'; expected one of: %s", what,
                   SPAN_PRINT(at->scalar), list);
    }
}

static bool
is_among(struct span value, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq_cstr(value, names[i])) {
            return true;
        }
    }
    return false;
}

/* A scalar that must be there and not be empty; NULL (and reported) when it is not. */
static struct yaml_node *
required_text(struct loader *loader, struct yaml_node *rule, const char *key, const char *why)
{
    struct yaml_node *node = yaml_get(rule, key);

    if (node == NULL) {
        yaml_error(loader->report, rule, "the rule has no '%s': %s", key, why);
        return NULL;
    }
    if (node->kind != YAML_SCALAR || span_trim(node->scalar).n == 0) {
        yaml_error(loader->report, node, "'%s' must be a text: %s", key, why);
        return NULL;
    }
    return node;
}

static struct status
dup_text(struct loader *loader, struct span text, const char **ret_text)
{
    struct span copy;

    TRY(arena_dup(loader->policy->arena, text, loader->diag, &copy));
    *ret_text = copy.p;
    return OK;
}

static struct status
push_value(struct loader *loader, struct policy_values *values, const struct yaml_node *at,
           struct span text)
{
    struct policy_value value = {.line = at->line, .column = at->column};

    for (size_t i = 0; i < values->n; i++) {
        if (span_eq_cstr(text, values->items[i].text)) {
            yaml_error(loader->report, at, "'%.*s' is listed twice", SPAN_PRINT(text));
            return OK;
        }
    }
    TRY(dup_text(loader, text, &value.text));
    return ARENA_PUSH(loader->policy->arena, loader->diag, values, value);
}

static struct status
read_value(struct loader *loader, enum policy_condition condition, const struct yaml_node *node,
           struct policy_values *values)
{
    struct span text = node->scalar;

    if (node->kind != YAML_SCALAR || text.n == 0) {
        yaml_error(loader->report, node, "'%s' holds texts only; an empty one never matches",
                   policy_condition_key(condition));
        return OK;
    }
    switch (condition) {
    case POLICY_CONDITION_DIRECTION:
        if (!is_among(text, direction_names, ARRAY_LEN(direction_names))) {
            report_unknown(loader, node, "direction", direction_names, ARRAY_LEN(direction_names));
        }
        break;
    case POLICY_CONDITION_TRANSACTION:
        if (!is_among(text, transaction_names, ARRAY_LEN(transaction_names))) {
            report_unknown(loader, node, "transaction", transaction_names,
                           ARRAY_LEN(transaction_names));
        }
        break;
    case POLICY_CONDITION_COMMUNITY:
    case POLICY_CONDITION_ASKED:
    case POLICY_CONDITION_PURPOSE_SYSTEM:
        if (!home_community_oid(text, &text)) {
            yaml_error(loader->report, node, "'%.*s' is not an OID; write it as 2.999.1",
                       SPAN_PRINT(text));
        }
        break;
    case POLICY_CONDITION_PARTNER:
    case POLICY_CONDITION_PURPOSE:
    case POLICY_CONDITION_ROLE:
    case POLICY_CONDITION_DELEGATOR:
    case POLICY_CONDITION_SYSTEM:
    case POLICY_CONDITION_LEARNED_FROM:
    case POLICY_CONDITION_CONFIDENTIALITY:
    case POLICY_CONDITIONS:
        break;
    }
    return push_value(loader, values, node, text);
}

/* A list, one text for a list of one, or the word any (which leaves <values> empty). */
static struct status
read_condition(struct loader *loader, enum policy_condition condition, struct yaml_node *node,
               struct policy_values *values)
{
    const char *key = policy_condition_key(condition);

    if (node == NULL || (node->kind == YAML_SCALAR && span_eq_cstr(node->scalar, "any"))) {
        return OK;
    }
    if (node->kind == YAML_SCALAR) {
        return read_value(loader, condition, node, values);
    }
    if (node->kind == YAML_MAPPING) {
        yaml_error(loader->report, node, "'%s' must be a list, one value, or the word any", key);
        return OK;
    }
    if (node->children == NULL) {
        yaml_error(loader->report, node,
                   "'%s' lists nothing, so the rule would never match; leave it out or write any",
                   key);
    }
    for (struct yaml_node *item = node->children; item != NULL; item = item->next) {
        if (item->kind == YAML_SCALAR && span_eq_cstr(item->scalar, "any")) {
            yaml_error(loader->report, item, "write '%s: any', not any inside a list", key);
        } else {
            TRY(read_value(loader, condition, item, values));
        }
    }
    return OK;
}

static struct status
read_purpose_system(struct loader *loader, struct yaml_node *node, struct policy_rule *rule)
{
    struct policy_values *system = &rule->conditions[POLICY_CONDITION_PURPOSE_SYSTEM];
    const bool has_purposes = rule->conditions[POLICY_CONDITION_PURPOSE].n > 0;

    if (node == NULL && has_purposes) {
        const struct policy_value tefca = {
            .text = POLICY_PURPOSE_SYSTEM_TEFCA, .line = rule->line, .column = rule->column};

        return ARENA_PUSH(loader->policy->arena, loader->diag, system, tefca);
    }
    if (node == NULL) {
        return OK;
    }
    if (node->kind != YAML_SCALAR) {
        yaml_error(loader->report, node, "'purpose_system' is one OID");
        return OK;
    }
    if (span_eq_cstr(node->scalar, "any")) {
        yaml_error(loader->report, node,
                   "'purpose_system' cannot be any: a code means nothing without its code system");
        return OK;
    }
    if (!has_purposes) {
        yaml_error(loader->report, node, "'purpose_system' needs a list of 'purposes' beside it");
        return OK;
    }
    return read_value(loader, POLICY_CONDITION_PURPOSE_SYSTEM, node, system);
}

static struct status
read_conditions(struct loader *loader, struct yaml_node *node, struct policy_rule *rule)
{
    for (size_t i = 0; i < POLICY_CONDITIONS; i++) {
        const enum policy_condition condition = (enum policy_condition)i;
        struct yaml_node *value = yaml_get(node, policy_condition_key(condition));

        if (condition == POLICY_CONDITION_PURPOSE_SYSTEM) {
            TRY(read_purpose_system(loader, value, rule));
        } else {
            TRY(read_condition(loader, condition, value, &rule->conditions[i]));
        }
    }
    return OK;
}

/* Nobody may be let in by leaving a line out: a permit rule says for whom and for what. */
static void
check_permit(struct loader *loader, struct yaml_node *node, const struct policy_rule *rule)
{
    static const char *const must_say[] = {"partners", "purposes"};
    struct yaml_node *confidentiality = yaml_get(node, "confidentiality");

    if (rule->effect != POLICY_PERMIT) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(must_say); i++) {
        if (yaml_get(node, must_say[i]) == NULL) {
            yaml_error(loader->report, node,
                       "a permit rule must say '%s': a list, or any to mean every one",
                       must_say[i]);
        }
    }
    if (confidentiality != NULL) {
        yaml_error(loader->report, confidentiality,
                   "a permit rule cannot have 'confidentiality': a question has none, so the rule "
                   "would never permit one; use 'withhold', or a deny rule");
    }
}

static struct status
read_withhold(struct loader *loader, struct yaml_node *node, struct policy_rule *rule)
{
    static const char *const keys[] = {"confidentiality"};
    struct yaml_node *codes;

    if (node == NULL) {
        return OK;
    }
    if (rule->effect == POLICY_DENY) {
        yaml_error(loader->report, node, "a deny rule has nothing to withhold from");
        return OK;
    }
    if (node->kind != YAML_MAPPING) {
        yaml_error(loader->report, node,
                   "'withhold' must be a mapping, as in {confidentiality: [R, V]}");
        return OK;
    }
    yaml_check_keys(loader->report, node, keys, ARRAY_LEN(keys));
    codes = yaml_get(node, "confidentiality");
    if (codes == NULL) {
        yaml_error(loader->report, node, "'withhold' says nothing; leave it out");
        return OK;
    }
    if (codes->kind == YAML_SCALAR && span_eq_cstr(codes->scalar, "any")) {
        yaml_error(loader->report, codes,
                   "'withhold' needs the codes by name; to disclose nothing, permit nothing");
        return OK;
    }
    return read_condition(loader, POLICY_CONDITION_CONFIDENTIALITY, codes, &rule->withhold);
}

static void
read_emergency(struct loader *loader, struct yaml_node *node, struct policy_rule *rule)
{
    const bool is_scalar = node != NULL && node->kind == YAML_SCALAR;

    if (node == NULL) {
        return;
    }
    if (!is_scalar || !(span_eq_cstr(node->scalar, "yes") || span_eq_cstr(node->scalar, "no"))) {
        yaml_error(loader->report, node, "'emergency' must be yes or no");
    } else if (rule->effect == POLICY_DENY) {
        yaml_error(loader->report, node, "a deny rule lets nobody in, in no emergency either");
    } else {
        rule->is_emergency = span_eq_cstr(node->scalar, "yes");
    }
}

static const struct policy_rule *
rule_named(const struct policy_rules *rules, struct span name)
{
    for (size_t i = 0; i < rules->n; i++) {
        if (rules->items[i].name != NULL && span_eq_cstr(name, rules->items[i].name)) {
            return &rules->items[i];
        }
    }
    return NULL;
}

static bool
is_rule_name(struct span name)
{
    for (size_t i = 0; i < name.n; i++) {
        const char c = name.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return false;
        }
    }
    return name.n <= RULE_NAME_MAX;
}

static struct status
read_name(struct loader *loader, struct yaml_node *node, struct policy_rule *rule)
{
    const struct yaml_node *name =
        required_text(loader, node, "name", "the audit record names the rule that decided");
    const struct policy_rule *other;

    if (name == NULL) {
        return OK;
    }
    if (!is_rule_name(name->scalar)) {
        yaml_error(loader->report, name,
                   "rule name '%.*s' must be lower-case letters, digits and '-', at most %d",
                   SPAN_PRINT(name->scalar), RULE_NAME_MAX);
        return OK;
    }
    if (span_eq_cstr(name->scalar, "default")) {
        yaml_error(loader->report, name,
                   "rule name 'default' is kept for what no rule decides; choose another");
        return OK;
    }
    other = rule_named(&loader->policy->rules, name->scalar);
    if (other == NULL) {
        other = rule_named(&loader->added, name->scalar);
    }
    if (other != NULL) {
        yaml_error(loader->report, name, "rule '%s' already stands at %s:%d:%d", other->name,
                   other->file, other->line, other->column);
        return OK;
    }
    rule->line = name->line;
    rule->column = name->column;
    return dup_text(loader, name->scalar, &rule->name);
}

static struct status
read_effect(struct loader *loader, struct yaml_node *node, struct policy_rule *rule,
            bool *ret_is_known)
{
    const struct yaml_node *effect = required_text(loader, node, "effect", "permit or deny");
    const struct yaml_node *reason =
        required_text(loader, node, "reason", "the audit record carries it");

    *ret_is_known = false;
    if (effect != NULL && !is_among(effect->scalar, effect_names, ARRAY_LEN(effect_names))) {
        report_unknown(loader, effect, "effect", effect_names, ARRAY_LEN(effect_names));
    } else if (effect != NULL) {
        rule->effect = span_eq_cstr(effect->scalar, "permit") ? POLICY_PERMIT : POLICY_DENY;
        *ret_is_known = true;
    }
    return reason == NULL ? OK : dup_text(loader, reason->scalar, &rule->reason);
}

static struct status
read_rule(struct loader *loader, struct yaml_node *node)
{
    struct policy_rule rule = {.line = node->line, .column = node->column};
    struct yaml_node *withhold;
    bool is_effect_known;

    if (node->kind != YAML_MAPPING) {
        yaml_error(loader->report, node,
                   "a rule must be a mapping with 'name', 'effect' and 'reason'");
        return OK;
    }
    yaml_check_keys(loader->report, node, rule_keys, ARRAY_LEN(rule_keys));
    TRY(dup_text(loader, span_of_cstr(node->file), &rule.file));
    TRY(read_name(loader, node, &rule));
    TRY(read_effect(loader, node, &rule, &is_effect_known));
    TRY(read_conditions(loader, node, &rule));
    rule.is_for_delegates = rule.effect == POLICY_DENY || yaml_get(node, "delegators") != NULL;
    rule.is_for_learned = rule.effect == POLICY_DENY || yaml_get(node, "learned_from") != NULL;
    withhold = yaml_get(node, "withhold");
    if (is_effect_known) {
        check_permit(loader, node, &rule);
        TRY(read_withhold(loader, withhold, &rule));
        read_emergency(loader, yaml_get(node, "emergency"), &rule);
    }
    return ARENA_PUSH(loader->policy->arena, loader->diag, &loader->added, rule);
}

static struct status
read_rules(struct loader *loader, struct yaml_node *root)
{
    static const char *const keys[] = {"rules"};
    struct yaml_node *rules = yaml_get(root, "rules");

    yaml_check_keys(loader->report, root, keys, ARRAY_LEN(keys));
    if (rules == NULL) {
        yaml_error(loader->report, root,
                   "the file has no 'rules': a list of rules (policies/README.md)");
        return OK;
    }
    if (rules->kind != YAML_SEQUENCE || rules->children == NULL) {
        yaml_error(loader->report, rules, "'rules' must be a list with at least one rule");
        return OK;
    }
    for (struct yaml_node *rule = rules->children; rule != NULL; rule = rule->next) {
        TRY(read_rule(loader, rule));
    }
    return OK;
}

/* Counts the distinct codes that <rules> withhold; past the maximum, reports where. */
static void
count_withheld(struct loader *loader, const struct policy_rules *rules, struct policy_decision *all)
{
    for (size_t i = 0; i < rules->n; i++) {
        const struct policy_rule *rule = &rules->items[i];

        for (size_t j = 0; j < rule->withhold.n; j++) {
            const struct policy_value *code = &rule->withhold.items[j];

            if (policy_is_withheld(all, span_of_cstr(code->text))) {
                continue;
            }
            if (all->withhold_n == POLICY_WITHHOLD_MAX) {
                yaml_report_add(loader->report, rule->file, code->line, code->column,
                                "more than %d different codes are withheld", POLICY_WITHHOLD_MAX);
                return;
            }
            all->withhold_confidentiality[all->withhold_n++] = code->text;
        }
    }
}

static struct status
add_rules(struct loader *loader)
{
    for (size_t i = 0; i < loader->added.n; i++) {
        TRY(ARENA_PUSH(loader->policy->arena, loader->diag, &loader->policy->rules,
                       loader->added.items[i]));
    }
    return OK;
}

struct status
policy_load(struct policy *policy, const char *path, struct yaml_report *report, struct diag *diag)
{
    struct loader loader = {.policy = policy, .report = report, .diag = diag};
    const int errors_before = report->errors;
    struct policy_decision withheld = {0};
    struct yaml_node *root;

    const struct status read = yaml_read_file(path, policy->arena, report, diag, &root);

    if (read.code == ERR_CONFIG_SYNTAX) {
        diag_clear(diag);
        return FAIL(diag, ERR_POLICY_SYNTAX, "%s: not YAML that can be read", path);
    }
    TRY(read);
    TRY(read_rules(&loader, root));
    count_withheld(&loader, &policy->rules, &withheld);
    count_withheld(&loader, &loader.added, &withheld);
    if (report->errors > errors_before) {
        return FAIL(diag, ERR_POLICY_SYNTAX, "%s: %d error(s)", path,
                    report->errors - errors_before);
    }
    return add_rules(&loader);
}

static size_t
check_ids(const struct policy_rule *rule, enum policy_condition condition, const char *const *ids,
          size_t n, struct yaml_report *report)
{
    const struct policy_values *partners = &rule->conditions[condition];
    size_t unknown = 0;

    for (size_t j = 0; j < partners->n; j++) {
        const struct policy_value *value = &partners->items[j];

        if (!is_among(span_of_cstr(value->text), ids, n)) {
            yaml_report_add(report, rule->file, value->line, value->column,
                            "rule '%s' names partner '%s', and no partner file has that id",
                            rule->name, value->text);
            unknown++;
        }
    }
    return unknown;
}

size_t
policy_check_partners(const struct policy *policy, const char *const *ids, size_t n,
                      struct yaml_report *report)
{
    size_t unknown = 0;

    for (size_t i = 0; i < policy->rules.n; i++) {
        const struct policy_rule *rule = &policy->rules.items[i];

        unknown += check_ids(rule, POLICY_CONDITION_PARTNER, ids, n, report);
        unknown += check_ids(rule, POLICY_CONDITION_LEARNED_FROM, ids, n, report);
    }
    return unknown;
}
