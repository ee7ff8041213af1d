/*
 * What is allowed. Every disclosure passes policy_decide: a pure function from facts (proven ones
 * only: saml_facts come from a verified view) to a verdict with obligations. Default deny: no rule,
 * no disclosure. Deny overrides permit. Rules come from YAML files (policies/ *.yaml; the language
 * is in policies/README.md), are loaded once, and are immutable. Thread: any may decide; loading is
 * one thread's.
 *
 * The order of rules and files never changes what is disclosed. It only chooses which of several
 * matching rules is named: the first deny, else the first permit.
 */
#ifndef POLICIES_POLICY_H
#define POLICIES_POLICY_H

#include "base/patient.h" /* struct span_list */

struct policy; /* all rules of a configuration, in order */
struct yaml_report;

/* The code system of TEFCA's exchange purposes (SOP Exchange Purposes 5.1, Table 1): what a rule's
 * `purposes` mean unless it names another `purpose_system`. */
#define POLICY_PURPOSE_SYSTEM_TEFCA "2.16.840.1.113883.3.7204.1.5.2.1"
/* Distinct codes that all rules of a policy together may withhold. */
#define POLICY_WITHHOLD_MAX 16

/* What is asked: who, why, for what. Absent facts are empty spans, and never match a rule that
 * names a value. Comparison is exact, byte by byte. Who asks in another's name is permitted only by
 * rules that have the condition `delegators`, be it `any`; what a partner told us is told to others
 * only by rules that have the condition `learned_from`. */
struct policy_facts {
    struct span transaction; /* "ITI-55", "ITI-38" ... */
    struct span direction;   /* "inbound": a partner asks us; "outbound": we ask a partner; "local":
                                our own commands and systems read our own store (no partner) */
    struct span partner;     /* id of the partner record */
    struct span community;   /* homeCommunityId that asks, bare OID */
    struct span asked;       /* homeCommunityId of a participant behind us, when the question goes
                                there, or an answer names it */
    struct span purpose;     /* purpose of use: code */
    struct span purpose_system;  /* ... and code system OID */
    struct span role;            /* role code */
    struct span delegator;       /* in whose name (QueryAuthGrantor); absent: in the asker's own */
    struct span system;          /* direction local: which local system asks, by its entry's name */
    struct span learned_from;    /* of one identifier that a partner told us: that partner's id */
    struct span confidentiality; /* of one DocumentEntry, when a document is in question */
};

enum policy_verdict { POLICY_DENY, POLICY_PERMIT };

struct policy_decision {
    enum policy_verdict verdict;
    const char *rule;   /* name of the rule that decided; "default" when none matched */
    const char *reason; /* of that rule, for audit and `isthmus policy explain`; never NULL */
    /* Obligations: what a permitted answer must leave out; of all permit rules that matched, so
     * one rule never relaxes another. Codes; documents that carry one are left out. */
    const char *withhold_confidentiality[POLICY_WITHHOLD_MAX];
    size_t withhold_n;
    /* Permitted only because it is an emergency: each rule that permits it is marked so, or the
     * purpose says so (HL7 BTG, ETREAT, ERTREAT; NHIN EMERGENCY). Its use must be on record as one.
     */
    bool is_emergency;
};

struct policy *policy_new(void); /* NULL when out of memory */
/* Adds a file's rules. All errors of the file are reported through <report> as file:line:column and
 * text (see base/yaml.h); ERR_POLICY_SYNTAX when there was one, and then none of its rules is
 * added. ERR_IO when the file cannot be read. */
MUST_CHECK struct status policy_load(struct policy *policy, const char *path,
                                     struct yaml_report *report, struct diag *diag);
/* Reports every partner id in a rule (partners, learned_from) that is not among <ids>: a misspelt
 * one would leave a hole in a deny rule. For the configuration, once all partners are read. Returns
 * how many there were. */
size_t policy_check_partners(const struct policy *policy, const char *const *ids, size_t n,
                             struct yaml_report *report);
void policy_free(struct policy *policy); /* NULL is fine */

/* Never fails: whatever is not permitted is denied. Strings in the decision live as long as the
 * policy. */
struct policy_decision policy_decide(const struct policy *policy, const struct policy_facts *facts);
/* Whether an obligation of the decision leaves out a document that carries this code. */
bool policy_is_withheld(const struct policy_decision *decision, struct span confidentiality);

/* A rule's conditions, in the order in which they are explained. */
enum policy_condition {
    POLICY_CONDITION_DIRECTION,
    POLICY_CONDITION_TRANSACTION,
    POLICY_CONDITION_PARTNER,
    POLICY_CONDITION_COMMUNITY,
    POLICY_CONDITION_ASKED,
    POLICY_CONDITION_PURPOSE,
    POLICY_CONDITION_PURPOSE_SYSTEM,
    POLICY_CONDITION_ROLE,
    POLICY_CONDITION_DELEGATOR,
    POLICY_CONDITION_SYSTEM,
    POLICY_CONDITION_LEARNED_FROM,
    POLICY_CONDITION_CONFIDENTIALITY,
    POLICY_CONDITIONS
};

struct policy_value {
    const char *text;
    int line, column; /* in the rule's file */
};

/* One condition of a rule against the facts. */
struct policy_check {
    const char *key;                   /* as the rule file calls it: "purposes" */
    const struct policy_value *wanted; /* NULL with wanted_n == 0: any */
    size_t wanted_n;
    struct span fact;
    bool holds;
};

struct policy_explanation {
    const char *rule, *reason, *file;
    int line;
    enum policy_verdict effect;
    bool matches; /* every check holds */
    struct policy_check checks[POLICY_CONDITIONS];
};

size_t policy_rule_count(const struct policy *policy);
/* Why rule <index> (from 0, in order; a smaller number than policy_rule_count) applies or not. */
struct policy_explanation policy_explain(const struct policy *policy, size_t index,
                                         const struct policy_facts *facts);

/* Where the policy file <name> that comes with Isthmus is: beside an installed program
 * (<prefix>/share/isthmus/policies), in the source tree of a program that runs where it was built,
 * or in the folder chosen at configure time. ERR_NOT_FOUND names all places. */
MUST_CHECK struct status policy_find_shipped(const char *name, struct arena *arena,
                                             struct diag *diag, struct span *ret_path);

#endif
