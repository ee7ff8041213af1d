/*
 * The evaluator: a table of facts against rules read from text, the shipped files, and what an
 * explanation says.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/yaml.h"
#include "policies/policy.h"
#include "tests/unit/unit.h"

#define RCE   POLICY_PURPOSE_SYSTEM_TEFCA
#define NHIN  "2.16.840.1.113883.3.18.7.1"
#define WRONG "2.16.840.1.113883.3.7204.1.5.2.199"

static const char rules_text[] = "rules:\n"
                                 "  - name: treatment\n"
                                 "    effect: permit\n"
                                 "    reason: treatment is answered\n"
                                 "    direction: inbound\n"
                                 "    transactions: [ITI-55, ITI-38, ITI-39]\n"
                                 "    partners: [blue, green]\n"
                                 "    purposes: [T-TREAT, T-TRTMNT]\n"
                                 "    withhold: {confidentiality: [R, V]}\n"
                                 "  - name: blue-operations\n"
                                 "    effect: permit\n"
                                 "    reason: blue may ask for operations\n"
                                 "    partners: blue\n"
                                 "    communities: 2.999.2\n"
                                 "    purposes: [T-HCO, T-TREAT]\n"
                                 "    roles: [\"112247003\", \"224609002\"]\n"
                                 "    withhold: {confidentiality: [V, L]}\n"
                                 "  - name: old-network\n"
                                 "    effect: permit\n"
                                 "    reason: the older network names it so\n"
                                 "    partners: any\n"
                                 "    purposes: [TREATMENT]\n"
                                 "    purpose_system: 2.16.840.1.113883.3.18.7.1\n"
                                 "  - name: never-discovery-for-green-operations\n"
                                 "    effect: deny\n"
                                 "    reason: green asked too often\n"
                                 "    transactions: ITI-55\n"
                                 "    partners: [green]\n"
                                 "  - name: never-secret\n"
                                 "    effect: deny\n"
                                 "    reason: secret documents stay here\n"
                                 "    confidentiality: [S]\n";

struct decision_case {
    const char *direction, *transaction, *partner, *community, *purpose, *system, *role,
        *confidentiality;
    enum policy_verdict verdict;
    const char *rule;
    const char *withheld; /* codes, each followed by a space */
};

/* clang-format off */
static const struct decision_case decision_cases[] = {
    /* what must be denied */
    {"", "", "", "", "", "", "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "blue", "2.999.2", "T-TREAT", WRONG, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "blue", "2.999.2", "T-TREAT", NHIN, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "blue", "2.999.2", "T-TREAT", "", "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "blue", "2.999.2", "", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "blue", "2.999.2", "t-treat", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "blue", "2.999.2", "T-TREA", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "blue", "2.999.2", "T-TREATX", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "blue", "2.999.2", "REASSURANCE", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "blue", "2.999.2", "TREATMENT", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "", "2.999.2", "T-TREAT", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "red", "2.999.9", "T-TREAT", RCE, "", "", POLICY_DENY, "default", ""},
    {"outbound", "ITI-38", "blue", "2.999.1", "T-TREAT", RCE, "", "", POLICY_DENY, "default", ""},
    {"", "ITI-38", "green", "2.999.3", "T-TREAT", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-80", "green", "2.999.3", "T-TREAT", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "blue", "2.999.2", "T-HCO", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "blue", "2.999.2", "T-HCO", RCE, "999", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "blue", "2.999.22", "T-HCO", RCE, "112247003", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-38", "green", "2.999.2", "T-HCO", RCE, "112247003", "", POLICY_DENY, "default", ""},
    /* deny overrides permit, wherever it stands, and carries no obligation */
    {"inbound", "ITI-55", "green", "2.999.3", "T-TREAT", RCE, "", "", POLICY_DENY,
     "never-discovery-for-green-operations", ""},
    {"inbound", "ITI-38", "blue", "2.999.2", "T-TREAT", RCE, "", "S", POLICY_DENY, "never-secret", ""},
    /* the first of two denials is named */
    {"inbound", "ITI-55", "green", "2.999.3", "T-TREAT", RCE, "", "S", POLICY_DENY,
     "never-discovery-for-green-operations", ""},
    /* what is permitted, and what must be withheld then */
    {"inbound", "ITI-38", "green", "2.999.3", "T-TREAT", RCE, "", "", POLICY_PERMIT, "treatment", "R V "},
    {"inbound", "ITI-39", "green", "2.999.3", "T-TRTMNT", RCE, "", "N", POLICY_PERMIT, "treatment", "R V "},
    {"inbound", "ITI-55", "blue", "2.999.2", "T-TREAT", RCE, "", "", POLICY_PERMIT, "treatment", "R V "},
    /* obligations of all matching permits; the first permit is named */
    {"inbound", "ITI-38", "blue", "2.999.2", "T-TREAT", RCE, "224609002", "", POLICY_PERMIT,
     "treatment", "R V L "},
    {"inbound", "ITI-38", "blue", "2.999.2", "T-HCO", RCE, "112247003", "", POLICY_PERMIT,
     "blue-operations", "V L "},
    {"outbound", "ITI-38", "red", "2.999.1", "TREATMENT", NHIN, "", "", POLICY_PERMIT,
     "old-network", ""},
};
/* clang-format on */

/* A policy from text; the file stays in the test's folder. */
static struct policy *
load_text(const char *text)
{
    struct diag diag = {0};
    struct yaml_report report;
    char path[PATH_MAX];
    struct policy *policy = policy_new();

    (void)snprintf(path, sizeof(path), "%s/rules.yaml", unit_temp_dir());
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(text, 1, strlen(text), file), strlen(text));
    CU_ASSERT_EQUAL(fclose(file), 0);
    yaml_report_init(&report);
    CHECK_OK(&diag, policy_load(policy, path, &report, &diag));
    CHECK_SPAN(buf_span(&report.text), "");
    yaml_report_done(&report);
    return policy;
}

static struct policy *
load_shipped(const char *name)
{
    struct diag diag = {0};
    struct yaml_report report;
    struct span path = SPAN_EMPTY;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct policy *policy = policy_new();

    CHECK_OK(&diag, policy_find_shipped(name, arena, &diag, &path));
    yaml_report_init(&report);
    CHECK_OK(&diag, policy_load(policy, path.p, &report, &diag));
    CHECK_SPAN(buf_span(&report.text), "");
    yaml_report_done(&report);
    arena_free(arena);
    return policy;
}

static struct policy_facts
facts_of(const struct decision_case *row)
{
    return (struct policy_facts){
        .transaction = span_of_cstr(row->transaction),
        .direction = span_of_cstr(row->direction),
        .partner = span_of_cstr(row->partner),
        .community = span_of_cstr(row->community),
        .purpose = span_of_cstr(row->purpose),
        .purpose_system = span_of_cstr(row->system),
        .role = span_of_cstr(row->role),
        .confidentiality = span_of_cstr(row->confidentiality),
    };
}

static void
check_case(const struct policy *policy, const char *table, size_t i,
           const struct decision_case *row)
{
    const struct policy_facts facts = facts_of(row);
    const struct policy_decision decision = policy_decide(policy, &facts);
    char withheld[128] = "";

    for (size_t j = 0; j < decision.withhold_n; j++) {
        (void)snprintf(withheld + strlen(withheld), sizeof(withheld) - strlen(withheld), "%s ",
                       decision.withhold_confidentiality[j]);
    }
    const bool is_good = decision.verdict == row->verdict &&
                         strcmp(decision.rule, row->rule) == 0 &&
                         strcmp(withheld, row->withheld) == 0 && decision.reason[0] != '\0';

    if (!is_good) {
        printf("\n    %s, case %zu: wanted %d by %s withholding '%s', got %d by %s withholding "
               "'%s'\n",
               table, i, row->verdict, row->rule, row->withheld, decision.verdict, decision.rule,
               withheld);
    }
    CU_ASSERT(is_good);
}

static void
test_decisions(void)
{
    struct policy *policy = load_text(rules_text);

    for (size_t i = 0; i < ARRAY_LEN(decision_cases); i++) {
        check_case(policy, "rules", i, &decision_cases[i]);
    }
    policy_free(policy);
}

static void
test_empty_policy_denies(void)
{
    struct policy *policy = policy_new();

    for (size_t i = 0; i < ARRAY_LEN(decision_cases); i++) {
        const struct policy_facts facts = facts_of(&decision_cases[i]);
        const struct policy_decision decision = policy_decide(policy, &facts);

        CU_ASSERT_EQUAL(decision.verdict, POLICY_DENY);
        CU_ASSERT_STRING_EQUAL(decision.rule, "default");
    }
    policy_free(policy);
}

/* clang-format off */
static const struct decision_case tefca_cases[] = {
    {"inbound", "ITI-55", "blue", "2.999.2", "T-IAS", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-55", "blue", "2.999.2", "T-PYMNT", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-55", "blue", "2.999.2", "T-HCO", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-55", "blue", "2.999.2", "T-PH", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-55", "blue", "2.999.2", "T-GOVDTRM", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-55", "blue", "2.999.2", "T-GOVDTRM-SSD", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-55", "blue", "2.999.2", "T-PH-ECR", RCE, "", "", POLICY_DENY, "push-only-purposes", ""},
    {"inbound", "ITI-38", "blue", "2.999.2", "T-PH-ELR", RCE, "", "", POLICY_DENY, "push-only-purposes", ""},
    {"outbound", "ITI-39", "blue", "2.999.1", "T-PH-ELR", RCE, "", "", POLICY_DENY, "push-only-purposes", ""},
    {"inbound", "ITI-55", "blue", "2.999.2", "T-TREAT", WRONG, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-55", "blue", "2.999.2", "REASSURANCE", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-55", "blue", "2.999.2", "TREATMENT", NHIN, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-55", "blue", "2.999.2", "TREATMENT", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-55", "", "", "T-TREAT", "", "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-80", "blue", "2.999.2", "T-TREAT", RCE, "", "", POLICY_PERMIT, "delivery-inbound", ""},
    {"inbound", "ITI-80", "blue", "2.999.2", "T-PH-ECR", RCE, "", "", POLICY_PERMIT, "delivery-inbound", ""},
    {"inbound", "ITI-80", "blue", "2.999.2", "T-IAS", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-41", "blue", "2.999.2", "T-TREAT", RCE, "", "", POLICY_DENY, "default", ""},
    {"local", "ITI-41", "", "2.999.1", "T-TREAT", RCE, "", "", POLICY_PERMIT, "delivery-local", ""},
    {"outbound", "ITI-55", "blue", "2.999.1", "T-IAS", RCE, "", "", POLICY_DENY, "default", ""},
    {"inbound", "ITI-55", "blue", "2.999.2", "T-TREAT", RCE, "", "", POLICY_PERMIT, "treatment-inbound", "R V "},
    {"inbound", "ITI-38", "blue", "2.999.2", "T-TRTMNT", RCE, "", "", POLICY_PERMIT, "treatment-inbound", "R V "},
    {"inbound", "ITI-39", "green", "2.999.3", "T-TREAT", RCE, "", "R", POLICY_PERMIT, "treatment-inbound", "R V "},
    {"outbound", "ITI-55", "blue", "2.999.1", "T-TREAT", RCE, "", "", POLICY_PERMIT, "treatment-outbound", ""},
    {"outbound", "ITI-39", "blue", "2.999.1", "T-TRTMNT", RCE, "", "", POLICY_PERMIT, "treatment-outbound", ""},
};
/* clang-format on */

static void
test_shipped_tefca(void)
{
    struct policy *policy = load_shipped("tefca.yaml");

    for (size_t i = 0; i < ARRAY_LEN(tefca_cases); i++) {
        check_case(policy, "tefca.yaml", i, &tefca_cases[i]);
    }
    policy_free(policy);
}

/* The same verdicts, and nothing withheld. */
static void
test_shipped_demonstration(void)
{
    struct policy *policy = load_shipped("demonstration.yaml");

    for (size_t i = 0; i < ARRAY_LEN(tefca_cases); i++) {
        struct decision_case row = tefca_cases[i];

        row.withheld = "";
        check_case(policy, "demonstration.yaml", i, &row);
    }
    policy_free(policy);
}

static void
test_find_shipped_names_places(void)
{
    struct diag diag = {0};
    struct span path = SPAN_EMPTY;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);

    CHECK_ERR(&diag, ERR_NOT_FOUND, policy_find_shipped("no-such.yaml", arena, &diag, &path));
    CU_ASSERT_EQUAL(path.n, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "policies/no-such.yaml"));
    arena_free(arena);
}

static void
test_withheld_codes(void)
{
    struct policy *policy = load_text(rules_text);
    const struct policy_facts facts = facts_of(&decision_cases[ARRAY_LEN(decision_cases) - 3]);
    const struct policy_decision decision = policy_decide(policy, &facts);

    CU_ASSERT_FALSE(policy_is_withheld(&decision, SPAN("N")));
    CU_ASSERT_FALSE(policy_is_withheld(&decision, SPAN_EMPTY));
    CU_ASSERT_FALSE(policy_is_withheld(&decision, SPAN("RV")));
    CU_ASSERT_TRUE(policy_is_withheld(&decision, SPAN("R")));
    CU_ASSERT_TRUE(policy_is_withheld(&decision, SPAN("V")));
    CU_ASSERT_TRUE(policy_is_withheld(&decision, SPAN("L")));
    policy_free(policy);
}

static void
test_explanation(void)
{
    struct policy *policy = load_text(rules_text);
    const struct decision_case row = {"inbound", "ITI-38", "red", "",   "T-TREAT", WRONG,
                                      "",        "",       0,     NULL, NULL};
    const struct policy_facts facts = facts_of(&row);

    CU_ASSERT_EQUAL_FATAL(policy_rule_count(policy), 5);
    const struct policy_explanation first = policy_explain(policy, 0, &facts);

    CU_ASSERT_STRING_EQUAL(first.rule, "treatment");
    CU_ASSERT_EQUAL(first.line, 2);
    CU_ASSERT_EQUAL(first.effect, POLICY_PERMIT);
    CU_ASSERT_FALSE(first.matches);
    for (size_t i = 0; i < POLICY_CONDITIONS; i++) {
        const bool must_hold =
            i != POLICY_CONDITION_PARTNER && i != POLICY_CONDITION_PURPOSE_SYSTEM;

        CU_ASSERT_EQUAL(first.checks[i].holds, must_hold);
    }
    CU_ASSERT_STRING_EQUAL(first.checks[POLICY_CONDITION_PARTNER].key, "partners");
    CU_ASSERT_EQUAL_FATAL(first.checks[POLICY_CONDITION_PARTNER].wanted_n, 2);
    CU_ASSERT_STRING_EQUAL(first.checks[POLICY_CONDITION_PARTNER].wanted[1].text, "green");
    CHECK_SPAN(first.checks[POLICY_CONDITION_PURPOSE_SYSTEM].fact, WRONG);
    CU_ASSERT_EQUAL(first.checks[POLICY_CONDITION_ROLE].wanted_n, 0);
    policy_free(policy);
}

/* Who asks in another's name is let in by rules that speak of it only; denials need not. */
static void
test_delegation(void)
{
#define DELEGATED(name, effect, rest)                                                              \
    "  - {name: " name ", effect: " effect ", reason: r, " rest "}\n"
    static const char plain[] =
        "rules:\n" DELEGATED("plain", "permit", "partners: any, purposes: any");
    static const char listed[] = "rules:\n" DELEGATED(
        "listed", "permit", "partners: any, purposes: any, delegators: [Organization/7, x]");
    static const char any[] =
        "rules:\n" DELEGATED("any", "permit", "partners: any, purposes: any, delegators: any");
    static const char denied[] =
        "rules:\n" DELEGATED("any", "permit", "partners: any, purposes: any, delegators: any")
            DELEGATED("never", "deny", "transactions: ITI-38");
    static const char denied_one[] =
        "rules:\n" DELEGATED("any", "permit", "partners: any, purposes: any, delegators: any")
            DELEGATED("one", "deny", "delegators: Organization/7");
    static const struct {
        const char *rules, *delegator, *rule;
        enum policy_verdict verdict;
    } rows[] = {
        {plain, "Organization/7", "default", POLICY_DENY},
        {plain, "", "plain", POLICY_PERMIT},
        {listed, "Organization/77", "default", POLICY_DENY},
        {listed, "organization/7", "default", POLICY_DENY},
        {listed, "", "default", POLICY_DENY},
        {listed, "Organization/7", "listed", POLICY_PERMIT},
        {any, "Organization/77", "any", POLICY_PERMIT},
        {any, "", "any", POLICY_PERMIT},
        {denied, "Organization/7", "never", POLICY_DENY},
        {denied_one, "Organization/7", "one", POLICY_DENY},
        {denied_one, "Organization/8", "any", POLICY_PERMIT},
        {denied_one, "", "any", POLICY_PERMIT},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct policy *policy = load_text(rows[i].rules);
        const struct policy_facts facts = {.transaction = SPAN("ITI-38"),
                                           .partner = SPAN("blue"),
                                           .purpose = SPAN("T-TREAT"),
                                           .delegator = span_of_cstr(rows[i].delegator)};
        const struct policy_decision decision = policy_decide(policy, &facts);
        const struct policy_explanation first = policy_explain(policy, 0, &facts);

        CU_ASSERT_EQUAL(decision.verdict, rows[i].verdict);
        CU_ASSERT_STRING_EQUAL(decision.rule, rows[i].rule);
        CU_ASSERT_EQUAL(first.matches, first.checks[POLICY_CONDITION_DELEGATOR].holds);
        policy_free(policy);
    }
}

/* Whatever the order, the same is disclosed. */
static void
test_order_changes_nothing(void)
{
    static const char reversed[] =
        "rules:\n"
        "  - {name: no, effect: deny, reason: no, transactions: ITI-55}\n"
        "  - {name: b, effect: permit, reason: b, partners: any,\n"
        "     purposes: any, withhold: {confidentiality: [V]}}\n"
        "  - {name: a, effect: permit, reason: a, partners: any,\n"
        "     purposes: any, withhold: {confidentiality: [R]}}\n";
    static const struct decision_case rows[] = {
        {"inbound", "ITI-55", "x", "", "P", RCE, "", "", POLICY_DENY, "no", ""},
        {"inbound", "ITI-38", "x", "", "", "", "", "", POLICY_PERMIT, "b", "V R "},
    };
    struct policy *policy = load_text(reversed);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_case(policy, "reversed", i, &rows[i]);
    }
    policy_free(policy);
}

/* Who is let in only because it is an emergency: by every rule that permits it, or by his purpose.
 */
static void
test_emergencies(void)
{
    static const char text[] = "rules:\n"
                               "  - {name: urgent, effect: permit, emergency: yes, reason: r,\n"
                               "     partners: [blue, green], purposes: any}\n"
                               "  - {name: usual, effect: permit, emergency: no, reason: r,\n"
                               "     partners: [green, red], purposes: any}\n"
                               "  - {name: never, effect: deny, reason: r, roles: [\"1\"]}\n";
#define ACT_REASON "2.16.840.1.113883.5.8"
    static const struct {
        const char *partner, *purpose, *system, *role;
        bool is_emergency;
    } cases[] = {
        {"blue", "T-TREAT", RCE, "", true},      {"green", "T-TREAT", RCE, "", false},
        {"red", "T-TREAT", RCE, "", false},      {"nobody", "BTG", ACT_REASON, "", false},
        {"blue", "T-TREAT", RCE, "1", false},    {"red", "BTG", ACT_REASON, "", true},
        {"red", "ETREAT", ACT_REASON, "", true}, {"green", "ERTREAT", ACT_REASON, "", true},
        {"red", "EMERGENCY", NHIN, "", true},    {"red", "EMERGENCY", RCE, "", false},
        {"red", "BTG", "", "", false},           {"red", "BTG", ACT_REASON, "1", false},
    };
    struct policy *policy = load_text(text);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct policy_facts facts = {.partner = span_of_cstr(cases[i].partner),
                                           .purpose = span_of_cstr(cases[i].purpose),
                                           .purpose_system = span_of_cstr(cases[i].system),
                                           .role = span_of_cstr(cases[i].role)};
        if (policy_decide(policy, &facts).is_emergency != cases[i].is_emergency) {
            printf("\n    row %zu", i);
            CU_FAIL("an emergency or not");
        }
    }
    policy_free(policy);
}

static const struct unit_test tests[] = {
    {"decisions", test_decisions},
    {"an empty policy denies", test_empty_policy_denies},
    {"tefca.yaml", test_shipped_tefca},
    {"demonstration.yaml", test_shipped_demonstration},
    {"a shipped file that is not there", test_find_shipped_names_places},
    {"withheld codes", test_withheld_codes},
    {"explanation", test_explanation},
    {"delegation", test_delegation},
    {"emergencies", test_emergencies},
    {"order changes nothing", test_order_changes_nothing},
};

UNIT_MAIN("policy", tests)
