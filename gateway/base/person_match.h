/*
 * Names of people as they are compared: folded (base/text.h), given names as a list of words. The
 * store's matching and the check of an individual's query against an id_token compare by the same
 * rules, so that nobody is found by one whom the other does not describe. Thread: any.
 */
#ifndef BASE_PERSON_MATCH_H
#define BASE_PERSON_MATCH_H

#include "base/patient.h"

struct folded_name {
    struct span family;
    struct span_list given; /* words, in order; empty ones left out */
    struct span all_given;  /* the same in one: "annemarie" */
};

/* In <arena>. "Mary Ann" is two given names, in whatever way a system packed them into elements. A
 * part that says nothing is empty; a name without family or given part cannot be compared. */
MUST_CHECK struct status folded_name_make(const struct person_name *name, struct arena *arena,
                                          struct diag *diag, struct folded_name *ret_folded);
/* Equal, or one is an initial with which the other begins. */
bool folded_words_agree(struct span a, struct span b);
/* Do the further given names (after the first) of the one with fewer all occur, in order, in the
 * other's? Symmetric; the first ones and the families are not looked at. */
bool folded_further_agree(const struct folded_name *a, const struct folded_name *b);

#endif
