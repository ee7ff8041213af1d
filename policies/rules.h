/*
 * The rules of a policy in memory: shared by policy.c (decides, explains) and policy_load.c
 * (reads). Nobody else includes this. Everything lives in the policy's arena. Thread: one while
 * files are read; any after that.
 */
#ifndef POLICIES_RULES_H
#define POLICIES_RULES_H

#include "policies/policy.h"

struct policy_values {
    struct policy_value *items; /* none: any */
    size_t n, capacity;
};

struct policy_rule {
    const char *name, *reason, *file;
    int line, column;
    enum policy_verdict effect;
    struct policy_values conditions[POLICY_CONDITIONS];
    bool is_for_delegates; /* says something about `delegators`, or denies: holds for whoever asks
                              in another's name, too */
    bool is_for_learned;   /* the same of `learned_from`, and of what a partner told us */
    bool is_emergency;     /* permit rules only: whom it lets in is let in in an emergency */
    struct policy_values withhold; /* confidentiality codes; permit rules only */
};

struct policy_rules {
    struct policy_rule *items;
    size_t n, capacity;
};

struct policy {
    struct arena *arena;
    struct policy_rules rules;
};

/* The key of a condition in a rule file. */
const char *policy_condition_key(enum policy_condition condition);

#endif
