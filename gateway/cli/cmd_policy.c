/*
 * isthmus policy explain: what the rules decide about one question, and why each rule applies or
 * not. Asks the same evaluator that every transaction asks; discloses nothing and writes nothing.
 * Runs on the program's main thread.
 */
#include <string.h>

#include "base/ids.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "config/config.h"

#define OUTPUT_MAX ((size_t)4 * 1024 * 1024)

static struct policy_arguments {
    const char *config_path, *direction, *transaction, *partner_id, *community, *asked, *purpose,
        *purpose_system, *role, *delegator, *system, *learned_from, *confidentiality;
    bool is_json;
} given;

static const struct cli_option options[] = {
    {"c", "FILE", "the configuration", &given.config_path, NULL, NULL},
    {"transaction", "ITI-NN", "ITI-55, ITI-38, ITI-47, ...", &given.transaction, NULL, NULL},
    {"partner", "ID", "the other side: the id in its partner file", &given.partner_id, NULL, NULL},
    {"purpose", "CODE", "purpose of use, e.g. T-TREAT", &given.purpose, NULL, NULL},
    {"purpose-system", "OID", "its code system (default: TEFCA's exchange purposes)",
     &given.purpose_system, NULL, NULL},
    {"direction", "WAY", "inbound: the partner asks us (default); outbound: we ask it",
     &given.direction, NULL, NULL},
    {"community", "OID", "who asks (default: the partner's first community, or ours)",
     &given.community, NULL, NULL},
    {"asked", "OID", "community of a participant behind us that is asked", &given.asked, NULL,
     NULL},
    {"role", "CODE", "role of the user who asks", &given.role, NULL, NULL},
    {"on-behalf-of", "NAME", "in whose name it is asked (QueryAuthGrantor)", &given.delegator, NULL,
     NULL},
    {"system", "NAME", "direction local: the local system that asks", &given.system, NULL, NULL},
    {"learned-from", "ID", "of an identifier that this partner told us", &given.learned_from, NULL,
     NULL},
    {"confidentiality", "CODE", "of a document in question", &given.confidentiality, NULL, NULL},
    {"json", NULL, "for programs", NULL, NULL, &given.is_json},
};

static const struct cli_command command = {
    .name = "policy",
    .usage = "explain -c FILE --transaction ITI-NN --partner ID --purpose CODE [options]",
    .text = "Prints the verdict about a question with these facts, the rule that decided, its "
            "reason,\nwhat a permitted answer must leave out, and for each rule why it applies or "
            "not.\nA fact that is not given is absent, as in a message that does not carry it.\n"
            "Exit codes: 0 explained, whatever the verdict; 1 the configuration has errors; 2 "
            "usage.",
    .options = options,
    .options_n = ARRAY_LEN(options),
};

/* One of <names>, or a complaint. */
static bool
is_one_of(const char *option, const char *value, const char *const *names, size_t n)
{
    char list[128];

    for (size_t i = 0; i < n; i++) {
        if (strcmp(value, names[i]) == 0) {
            return true;
        }
    }
    yaml_list_names(names, n, list, sizeof(list));
    cli_complain(&command, "--%s is '%s'; expected one of: %s", option, value, list);
    return false;
}

static bool
is_oid(const char *option, const char **value)
{
    struct span oid;

    if (*value == NULL) {
        return true;
    }
    if (!home_community_oid(span_of_cstr(*value), &oid)) {
        cli_complain(&command, "--%s is '%s'; expected an OID such as 2.999.1", option, *value);
        return false;
    }
    *value = oid.p; /* after an optional urn:oid: */
    return true;
}

static bool
is_usable(const struct cli_values *rest)
{
    static const char *const directions[] = {"inbound", "outbound", "local"};
    static const char *const transactions[] = {"ITI-18", "ITI-38", "ITI-39", "ITI-41",
                                               "ITI-43", "ITI-55", "ITI-80"};
    static const char *const actions[] = {"explain"};
    const struct {
        const char *name, *value;
    } required[] = {{"transaction", given.transaction},
                    {"partner", given.partner_id},
                    {"purpose", given.purpose}};

    if (rest->n != 1) {
        cli_complain(&command, "say what to do: isthmus policy explain");
        return false;
    }
    if (!is_one_of("policy", rest->items[0], actions, ARRAY_LEN(actions))) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        if (required[i].value == NULL) {
            cli_complain(&command, "--%s is missing", required[i].name);
            return false;
        }
    }
    return is_one_of("transaction", given.transaction, transactions, ARRAY_LEN(transactions)) &&
           is_one_of("direction", given.direction, directions, ARRAY_LEN(directions)) &&
           is_oid("community", &given.community) && is_oid("asked", &given.asked) &&
           is_oid("purpose-system", &given.purpose_system);
}

static const struct partner *
find_partner(const struct config *config)
{
    for (size_t i = 0; i < config->partners_n; i++) {
        if (strcmp(config->partners[i].id, given.partner_id) == 0) {
            return &config->partners[i];
        }
    }
    cli_complain(&command, "no partner has the id '%s'; isthmus partners -c %s lists them",
                 given.partner_id, given.config_path);
    return NULL;
}

static struct policy_facts
gather_facts(const struct config *config, const struct partner *partner)
{
    const bool is_inbound = strcmp(given.direction, "inbound") == 0;
    const char *asking = is_inbound && partner->communities.n > 0 ? partner->communities.items[0]
                                                                  : config->community;

    return (struct policy_facts){
        .transaction = span_of_cstr(given.transaction),
        .direction = span_of_cstr(given.direction),
        .partner = span_of_cstr(partner->id),
        .community = span_of_cstr(given.community != NULL ? given.community : asking),
        .asked = span_of_cstr(given.asked),
        .purpose = span_of_cstr(given.purpose),
        .purpose_system = span_of_cstr(given.purpose_system != NULL ? given.purpose_system
                                                                    : POLICY_PURPOSE_SYSTEM_TEFCA),
        .role = span_of_cstr(given.role),
        .delegator = span_of_cstr(given.delegator),
        .system = span_of_cstr(given.system),
        .learned_from = span_of_cstr(given.learned_from),
        .confidentiality = span_of_cstr(given.confidentiality),
    };
}

static const char *
verdict_name(enum policy_verdict verdict)
{
    return verdict == POLICY_PERMIT ? "permit" : "deny";
}

/* ---- for people ---- */

static void
print_check(const struct policy_check *check)
{
    printf("        %s: ", check->key);
    if (check->fact.n > 0 && check->wanted_n == 0) {
        printf("%.*s, and the rule says nothing of it", SPAN_PRINT(check->fact));
    } else if (check->fact.n == 0) {
        printf("not said;");
    } else {
        printf("%.*s is not among", SPAN_PRINT(check->fact));
    }
    for (size_t i = 0; i < check->wanted_n; i++) {
        printf("%s%s", i == 0 ? (check->fact.n == 0 ? " the rule wants " : " ") : ", ",
               check->wanted[i].text);
    }
    putchar('\n');
}

static void
print_rule(const struct policy_explanation *rule, const struct policy_decision *decision)
{
    const bool decides = strcmp(rule->rule, decision->rule) == 0;

    printf("%s %-6s %s (%s:%d): %s\n", decides ? "->" : "  ", verdict_name(rule->effect),
           rule->rule, rule->file, rule->line, rule->matches ? "applies" : "does not apply");
    for (size_t i = 0; i < POLICY_CONDITIONS; i++) {
        if (!rule->checks[i].holds) {
            print_check(&rule->checks[i]);
        }
    }
}

static void
print_text(const struct policy *policy, const struct policy_facts *facts,
           const struct policy_decision *decision)
{
    printf("verdict   %s\nrule      %s\nreason    %s\nwithhold  ", verdict_name(decision->verdict),
           decision->rule, decision->reason);
    if (decision->withhold_n == 0) {
        printf("nothing");
    }
    for (size_t i = 0; i < decision->withhold_n; i++) {
        printf("%s%s", i == 0 ? "documents with confidentiality " : ", ",
               decision->withhold_confidentiality[i]);
    }
    if (decision->is_emergency) {
        printf("\nemergency yes: each use is on record as one");
    }
    printf("\n\nrules, in order (-> decided):\n");
    for (size_t i = 0; i < policy_rule_count(policy); i++) {
        const struct policy_explanation rule = policy_explain(policy, i, facts);

        print_rule(&rule, decision);
    }
}

/* ---- for programs ---- */

static void
write_check(struct jsonw *w, const struct policy_check *check)
{
    jsonw_object(w);
    jsonw_key_text(w, "condition", span_of_cstr(check->key));
    jsonw_key(w, "wanted");
    jsonw_array(w);
    for (size_t i = 0; i < check->wanted_n; i++) {
        jsonw_string(w, span_of_cstr(check->wanted[i].text));
    }
    jsonw_close(w);
    jsonw_key_text(w, "got", check->fact);
    jsonw_close(w);
}

static void
write_rule(struct jsonw *w, const struct policy_explanation *rule,
           const struct policy_decision *decision)
{
    jsonw_object(w);
    jsonw_key_text(w, "name", span_of_cstr(rule->rule));
    jsonw_key_text(w, "effect", span_of_cstr(verdict_name(rule->effect)));
    jsonw_key_text(w, "file", span_of_cstr(rule->file));
    jsonw_key_int(w, "line", rule->line);
    jsonw_key_bool(w, "applies", rule->matches);
    jsonw_key_bool(w, "decides", strcmp(rule->rule, decision->rule) == 0);
    jsonw_key(w, "failed");
    jsonw_array(w);
    for (size_t i = 0; i < POLICY_CONDITIONS; i++) {
        if (!rule->checks[i].holds) {
            write_check(w, &rule->checks[i]);
        }
    }
    jsonw_close(w);
    jsonw_close(w);
}

static void
write_facts(struct jsonw *w, const struct policy_facts *facts)
{
    jsonw_key(w, "facts");
    jsonw_object(w);
    jsonw_key_text(w, "direction", facts->direction);
    jsonw_key_text(w, "transaction", facts->transaction);
    jsonw_key_text(w, "partner", facts->partner);
    jsonw_key_text(w, "community", facts->community);
    jsonw_key_text(w, "asked", facts->asked);
    jsonw_key_text(w, "purpose", facts->purpose);
    jsonw_key_text(w, "purpose_system", facts->purpose_system);
    jsonw_key_text(w, "role", facts->role);
    jsonw_key_text(w, "delegator", facts->delegator);
    jsonw_key_text(w, "system", facts->system);
    jsonw_key_text(w, "learned_from", facts->learned_from);
    jsonw_key_text(w, "confidentiality", facts->confidentiality);
    jsonw_close(w);
}

static bool
print_json(const struct policy *policy, const struct policy_facts *facts,
           const struct policy_decision *decision)
{
    struct diag diag = {0};
    struct jsonw w;
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, OUTPUT_MAX);
    jsonw_init(&w, &text, true, &diag);
    jsonw_object(&w);
    jsonw_key_text(&w, "verdict", span_of_cstr(verdict_name(decision->verdict)));
    jsonw_key_text(&w, "rule", span_of_cstr(decision->rule));
    jsonw_key_text(&w, "reason", span_of_cstr(decision->reason));
    jsonw_key_bool(&w, "emergency", decision->is_emergency);
    jsonw_key(&w, "withhold");
    jsonw_object(&w);
    jsonw_key(&w, "confidentiality");
    jsonw_array(&w);
    for (size_t i = 0; i < decision->withhold_n; i++) {
        jsonw_string(&w, span_of_cstr(decision->withhold_confidentiality[i]));
    }
    jsonw_close(&w);
    jsonw_close(&w);
    write_facts(&w, facts);
    jsonw_key(&w, "rules");
    jsonw_array(&w);
    for (size_t i = 0; i < policy_rule_count(policy); i++) {
        const struct policy_explanation rule = policy_explain(policy, i, facts);

        write_rule(&w, &rule, decision);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    return show_json(&command, &w, &text, &diag);
}

static int
explain(const struct config *config, const struct partner *partner)
{
    const struct policy_facts facts = gather_facts(config, partner);
    const struct policy_decision decision = policy_decide(config->policy, &facts);

    if (given.is_json) {
        return print_json(config->policy, &facts, &decision) ? CLI_DONE : CLI_FAILED;
    }
    print_text(config->policy, &facts, &decision);
    return CLI_DONE;
}

int
cmd_policy(int argc, char **argv)
{
    struct cli_values rest = {0};
    int exit_code = CLI_FAILED;

    given = (struct policy_arguments){.direction = "inbound"};
    if (!cli_parse(&command, argc, argv, &rest, &exit_code)) {
        return exit_code;
    }
    if (!is_usable(&rest)) {
        return CLI_USAGE;
    }
    const struct config *config = cli_config(&command, given.config_path);

    if (config == NULL) {
        return CLI_FAILED;
    }
    const struct partner *partner = find_partner(config);

    exit_code = partner != NULL ? explain(config, partner) : CLI_FAILED;
    config_unref(config);
    return exit_code;
}
