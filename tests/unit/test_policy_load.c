/*
 * Rule files with mistakes: each file gives exactly these errors, at these places, and adds no
 * rule.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/yaml.h"
#include "policies/policy.h"
#include "tests/unit/unit.h"

#define GOOD_HEAD "name: a, effect: permit, reason: r"
#define DENY_HEAD "name: a, effect: deny, reason: r"

struct wrong_file {
    const char *text;
    const char *report; /* each line without the file's name */
};

static const struct wrong_file wrong_files[] = {
    {"", "1:1: error: the file has no 'rules': a list of rules (policies/README.md)\n"},
    {"rule: []\n", "1:1: error: unknown key 'rule'; did you mean 'rules'?\n"
                   "1:1: error: the file has no 'rules': a list of rules (policies/README.md)\n"},
    {"rules:\n", "1:1: error: 'rules' must be a list with at least one rule\n"},
    {"rules: []\n", "1:1: error: 'rules' must be a list with at least one rule\n"},
    {"rules: [text]\n",
     "1:9: error: a rule must be a mapping with 'name', 'effect' and 'reason'\n"},
    {"rules:\n  - {}\n",
     "2:5: error: the rule has no 'name': the audit record names the rule that decided\n"
     "2:5: error: the rule has no 'effect': permit or deny\n"
     "2:5: error: the rule has no 'reason': the audit record carries it\n"},
    {"rules:\n  - {" GOOD_HEAD "}\n",
     "2:5: error: a permit rule must say 'partners': a list, or any to mean every one\n"
     "2:5: error: a permit rule must say 'purposes': a list, or any to mean every one\n"},
    {"rules:\n  - name: a\n    effect: permitt\n    reason: r\n    purpose: [X]\n",
     "5:5: error: unknown key 'purpose'; did you mean 'purposes'?\n"
     "3:13: error: unknown effect 'permitt'; did you mean 'permit'?\n"},
    {"rules:\n  - {name: a, effect: maybe, reason: ' '}\n",
     "2:38: error: 'reason' must be a text: the audit record carries it\n"
     "2:23: error: unknown effect 'maybe'; expected one of: permit, deny\n"},
    {"rules:\n"
     "  - {name: a, effect: deny, reason: r}\n"
     "  - {name: a, effect: deny, reason: r}\n",
     "3:12: error: rule 'a' already stands at FILE:2:12\n"},
    {"rules:\n  - {name: default, effect: deny, reason: r}\n",
     "2:12: error: rule name 'default' is kept for what no rule decides; choose another\n"},
    {"rules:\n  - {name: No Name, effect: deny, reason: r}\n",
     "2:12: error: rule name 'No Name' must be lower-case letters, digits and '-', at most 64\n"},
    {"rules:\n  - {" DENY_HEAD ", direction: inward, transactions: [ITI-55, ITI-83, XCA]}\n",
     "2:51: error: unknown direction 'inward'; expected one of: inbound, outbound, local\n"
     "2:82: error: unknown transaction 'ITI-83'; did you mean 'ITI-43'?\n"
     "2:90: error: unknown transaction 'XCA'; expected one of: ITI-18, ITI-38, "
     "ITI-39, ITI-41, ITI-43, ITI-45, ITI-47, ITI-55, ITI-56, ITI-80\n"},
    {"rules:\n  - {" DENY_HEAD ", communities: [2.999.1, urn:oid:2.999.2, red, 2.09]}\n",
     "2:80: error: 'red' is not an OID; write it as 2.999.1\n"
     "2:85: error: '2.09' is not an OID; write it as 2.999.1\n"},
    {"rules:\n  - {" DENY_HEAD ", purposes: []}\n",
     "2:40: error: 'purposes' lists nothing, so the rule would never match; leave it out or write "
     "any\n"},
    {"rules:\n  - {" DENY_HEAD ", purposes: [any, X, X]}\n",
     "2:51: error: write 'purposes: any', not any inside a list\n"
     "2:59: error: 'X' is listed twice\n"},
    {"rules:\n  - {" DENY_HEAD ", purposes: {code: X}, roles: [[x], '']}\n",
     "2:40: error: 'purposes' must be a list, one value, or the word any\n"
     "2:69: error: 'roles' holds texts only; an empty one never matches\n"
     "2:74: error: 'roles' holds texts only; an empty one never matches\n"},
    {"rules:\n  - {" DENY_HEAD ", purpose_system: 2.999.5}\n",
     "2:56: error: 'purpose_system' needs a list of 'purposes' beside it\n"},
    {"rules:\n  - {" DENY_HEAD ", purposes: any, purpose_system: 2.999.5}\n",
     "2:71: error: 'purpose_system' needs a list of 'purposes' beside it\n"},
    {"rules:\n  - {" DENY_HEAD ", purposes: [X], purpose_system: any}\n",
     "2:71: error: 'purpose_system' cannot be any: a code means nothing without its code system\n"},
    {"rules:\n  - {" DENY_HEAD ", purposes: [X], purpose_system: [2.999.5]}\n",
     "2:55: error: 'purpose_system' is one OID\n"},
    {"rules:\n  - {" GOOD_HEAD ", partners: any, purposes: any, confidentiality: [N]}\n",
     "2:72: error: a permit rule cannot have 'confidentiality': a question has none, so the rule "
     "would never permit one; use 'withhold', or a deny rule\n"},
    {"rules:\n  - {" DENY_HEAD ", emergency: yes}\n",
     "2:51: error: a deny rule lets nobody in, in no emergency either\n"},
    {"rules:\n  - {" GOOD_HEAD ", partners: any, purposes: any, emergency: maybe}\n",
     "2:83: error: 'emergency' must be yes or no\n"},
    {"rules:\n  - {" DENY_HEAD ", withhold: {confidentiality: [R]}}\n",
     "2:40: error: a deny rule has nothing to withhold from\n"},
    {"rules:\n  - {" GOOD_HEAD ", partners: any, purposes: any, withhold: [R]}\n",
     "2:72: error: 'withhold' must be a mapping, as in {confidentiality: [R, V]}\n"},
    {"rules:\n  - {" GOOD_HEAD ", partners: any, purposes: any, withhold: {confidential: [R]}}\n",
     "2:83: error: unknown key 'confidential'; did you mean 'confidentiality'?\n"
     "2:72: error: 'withhold' says nothing; leave it out\n"},
    {"rules:\n  - {" GOOD_HEAD
     ", partners: any, purposes: any, withhold: {confidentiality: any}}\n",
     "2:100: error: 'withhold' needs the codes by name; to disclose nothing, permit nothing\n"},
    {"rules:\n  - {" GOOD_HEAD ", partners: any, purposes: any, withhold: {confidentiality: "
     "[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]}}\n",
     "2:149: error: more than 16 different codes are withheld\n"},
};

static const char *
write_file(const char *text)
{
    static char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/rules.yaml", unit_temp_dir());
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(text, 1, strlen(text), file), strlen(text));
    CU_ASSERT_EQUAL(fclose(file), 0);
    return path;
}

/* <text> with every "<path>:" at a line's start removed, and elsewhere written as FILE. */
static void
without_path(struct span text, const char *path, char *ret_text, size_t size)
{
    size_t used = 0;
    const struct span file = span_of_cstr(path);

    for (size_t i = 0; i < text.n && used + 5 < size;) {
        const bool is_path = span_starts_with(span_slice(text, i, text.n - i), file);

        if (!is_path) {
            ret_text[used++] = text.p[i++];
        } else if (i == 0 || text.p[i - 1] == '\n') {
            i += file.n + 1;
        } else {
            memcpy(ret_text + used, "FILE", 4);
            used += 4;
            i += file.n;
        }
    }
    ret_text[used] = '\0';
}

static void
check_wrong(const struct wrong_file *wrong)
{
    struct diag diag = {0};
    struct yaml_report report;
    struct policy *policy = policy_new();
    const char *path = write_file(wrong->text);
    char got[4096];

    yaml_report_init(&report);
    CHECK_ERR(&diag, ERR_POLICY_SYNTAX, policy_load(policy, path, &report, &diag));
    without_path(buf_span(&report.text), path, got, sizeof(got));
    if (strcmp(got, wrong->report) != 0) {
        printf("\n    file:\n%s\n    wanted:\n%s    got:\n%s", wrong->text, wrong->report, got);
    }
    CU_ASSERT_STRING_EQUAL(got, wrong->report);
    CU_ASSERT_EQUAL(policy_rule_count(policy), 0);
    yaml_report_done(&report);
    policy_free(policy);
}

static void
test_wrong_files(void)
{
    for (size_t i = 0; i < ARRAY_LEN(wrong_files); i++) {
        check_wrong(&wrong_files[i]);
    }
}

static void
test_unreadable_files(void)
{
    struct diag diag = {0};
    struct yaml_report report;
    struct policy *policy = policy_new();

    yaml_report_init(&report);
    CHECK_ERR(&diag, ERR_IO, policy_load(policy, "/nonexistent/rules.yaml", &report, &diag));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_POLICY_SYNTAX,
              policy_load(policy, write_file("rules: [\n"), &report, &diag));
    CU_ASSERT_EQUAL(report.errors, 1);
    CU_ASSERT_EQUAL(policy_rule_count(policy), 0);
    yaml_report_done(&report);
    policy_free(policy);
}

/* A name is unique over all files, and a wrong second file leaves the first one's rules alone. */
static void
test_second_file(void)
{
    static const char good[] =
        "rules:\n"
        "  - {name: one, effect: permit, reason: r, partners: [blue, gren],\n"
        "     purposes: [X]}\n";
    struct diag diag = {0};
    struct yaml_report report;
    struct policy *policy = policy_new();

    yaml_report_init(&report);
    CHECK_OK(&diag, policy_load(policy, write_file(good), &report, &diag));
    CHECK_ERR(&diag, ERR_POLICY_SYNTAX, policy_load(policy, write_file(good), &report, &diag));
    CU_ASSERT_EQUAL(report.errors, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.text.p, "rule 'one' already stands at "));
    CU_ASSERT_EQUAL(policy_rule_count(policy), 1);
    diag_clear(&diag);
    CHECK_OK(&diag,
             policy_load(policy, write_file("rules:\n  - {name: two, effect: deny, reason: r}\n"),
                         &report, &diag));
    CU_ASSERT_EQUAL(policy_rule_count(policy), 2);
    yaml_report_done(&report);
    policy_free(policy);
}

static void
test_unknown_partners(void)
{
    static const char *const ids[] = {"blue", "green"};
    static const char text[] = "rules:\n"
                               "  - {name: one, effect: deny, reason: r, partners: [blue, gren]}\n"
                               "  - {name: two, effect: deny, reason: r, partners: any}\n"
                               "  - {name: three, effect: deny, reason: r, partners: red}\n";
    struct diag diag = {0};
    struct yaml_report report;
    struct policy *policy = policy_new();
    const char *path = write_file(text);
    char got[1024];

    yaml_report_init(&report);
    CHECK_OK(&diag, policy_load(policy, path, &report, &diag));
    CU_ASSERT_EQUAL(policy_check_partners(policy, ids, ARRAY_LEN(ids), &report), 2);
    without_path(buf_span(&report.text), path, got, sizeof(got));
    CU_ASSERT_STRING_EQUAL(
        got, "2:59: error: rule 'one' names partner 'gren', and no partner file has that id\n"
             "4:54: error: rule 'three' names partner 'red', and no partner file has that id\n");
    yaml_report_done(&report);
    policy_free(policy);
}

/* Each allocation fails once: the load says so, adds nothing, and leaks nothing. */
static void
test_no_memory(void)
{
    static const char text[] = "rules:\n"
                               "  - {name: one, effect: permit, reason: r, partners: [blue],\n"
                               "     purposes: [X, Y], withhold: {confidentiality: [R]}}\n";
    const char *path = write_file(text);
    bool is_loaded = false;
    uint64_t n = 0;

    for (; n < 500 && !is_loaded; n++) {
        struct diag diag = {0};
        struct yaml_report report;
        struct policy *policy;

        mem_fail_after(n);
        policy = policy_new();
        yaml_report_init(&report);
        if (policy != NULL) {
            const struct status st = policy_load(policy, path, &report, &diag);

            is_loaded = is_ok(st);
            CU_ASSERT_TRUE(is_loaded || st.code == ERR_NO_MEMORY);
            CU_ASSERT_EQUAL(policy_rule_count(policy), is_loaded ? 1 : 0);
        }
        mem_fail_after(UINT64_MAX);
        yaml_report_done(&report);
        policy_free(policy);
    }
    CU_ASSERT_TRUE(is_loaded);
    CU_ASSERT_TRUE(n > 3);
}

static const struct unit_test tests[] = {
    {"wrong files", test_wrong_files},   {"unreadable files", test_unreadable_files},
    {"a second file", test_second_file}, {"unknown partners", test_unknown_partners},
    {"no memory", test_no_memory},
};

UNIT_MAIN("policy_load", tests)
