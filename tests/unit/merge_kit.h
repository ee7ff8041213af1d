/*
 * Legs of an asking as texts, and their merge in every order, for the tests of merge.h.
 */
#ifndef MERGE_KIT_H
#define MERGE_KIT_H

#include "txn/asking.h"
#include "unit.h"

#define LEGS_MAX  5
#define ITEMS_MAX 5

/* A document "HOME REPOSITORY UNIQUE UUID", a match "HOME ROOT EXTENSION DEGREE", an error "CODE
 * LOCATION CONTEXT" or "!CODE ..." for a warning; "-" is nothing. */
struct leg_text {
    const char *community;
    enum leg_state state;
    enum err failure; /* diag.code */
    enum registry_status status;
    const char *errors[ITEMS_MAX];
    const char *items[ITEMS_MAX];
    const char *refs[ITEMS_MAX]; /* asked for: "HOME REPOSITORY UNIQUE" */
    unsigned dropped, homeless;
    enum leg_abandoned abandoned;
    enum xcpd_result result;
    bool is_own;
};

struct world {
    struct arena *arena;
    struct leg legs[LEGS_MAX];
    size_t n;
};

/* "HOME REPOSITORY UNIQUE" */
struct document_ref ref_of(struct span *rest);
/* Up to the first text without a community. */
void merge_kit_world(struct world *world, enum soap_transaction transaction,
                     const struct leg_text *texts);

struct text {
    char bytes[4096];
    size_t n;
};
void say(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_errors(struct text *text, const struct registry_error_list *errors);

/* The legs end in every order; each time the answer is asked for and told: always <want>. */
typedef void (*say_answer)(struct text *text, struct merge *merge);
void merge_kit_check(enum soap_transaction transaction, const struct leg_text *texts,
                     say_answer say_it, const char *want);

#endif
