/*
 * What is allowed. Every disclosure passes policy_decide: a pure function from facts (proven ones
 * only: saml_facts come from a verified view) to a verdict with obligations. Default deny: no rule,
 * no disclosure. Rules come from YAML files (policies/ *.yaml; the format is in
 * policies/README.md), are loaded once, and are immutable. Thread: any.
 */
#ifndef POLICIES_POLICY_H
#define POLICIES_POLICY_H

#include "base/patient.h" /* struct span_list */

struct policy; /* all rules of a configuration, in order */

/* What is asked: who, why, for what. Absent facts are empty spans, and never match a rule that
 * names a value. */
struct policy_facts {
    struct span transaction;     /* "ITI-55", "ITI-38", "ITI-39" */
    struct span direction;       /* "inbound": a partner asks us; "outbound": we ask a partner */
    struct span partner;         /* id of the partner record */
    struct span community;       /* homeCommunityId that asks, bare OID */
    struct span purpose;         /* purpose of use: code */
    struct span purpose_system;  /* ... and code system OID */
    struct span role;            /* role code */
    struct span confidentiality; /* of one DocumentEntry, when a document is in question */
};

enum policy_verdict { POLICY_DENY, POLICY_PERMIT };

struct policy_decision {
    enum policy_verdict verdict;
    const char *rule;   /* name of the rule that decided; "default" when none matched */
    const char *reason; /* of that rule, for audit and `isthmus policy explain`; never NULL */
    /* Obligations: what a permitted answer must leave out. */
    const char *const *withhold_confidentiality; /* codes; documents that carry one are left out */
    size_t withhold_n;
};

/* Adds a file's rules. All errors of the file are reported through <report> as
 * file:line:column and text (see base/yaml.h); ERR_POLICY_SYNTAX when there was one. */
struct yaml_report;
struct policy *policy_new(void);
MUST_CHECK struct status policy_load(struct policy *policy, const char *path,
                                     struct yaml_report *report, struct diag *diag);
void policy_free(struct policy *policy);

/* Never fails: whatever is not permitted is denied. */
struct policy_decision policy_decide(const struct policy *policy, const struct policy_facts *facts);

#endif
