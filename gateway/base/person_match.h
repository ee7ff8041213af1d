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
    struct span family_spelled;    /* umlauts and the like written out: "mueller" of Mueller's other
                                      spelling with two dots; equal to family when there are none */
    struct span_list family_parts; /* of a family name of several words: "smith", "jones"; particles
                                      ("van der", "de la") left out; one word: itself */
    struct span_list given;        /* words, in order; empty ones left out */
    struct span first_spelled;     /* of given.items[0], as family_spelled */
    struct span all_given;         /* the same in one: "annemarie" */
};

/* In <arena>. "Mary Ann" is two given names, in whatever way a system packed them into elements. A
 * part that says nothing is empty; a name without family or given part cannot be compared. Letters
 * that are no accent but are written without one elsewhere (Danish o with a stroke, Polish l) are
 * folded to what they are written as. */
MUST_CHECK struct status folded_name_make(const struct person_name *name, struct arena *arena,
                                          struct diag *diag, struct folded_name *ret_folded);
/* The same family name, in one of its spellings. */
bool folded_families_agree(const struct folded_name *a, const struct folded_name *b);
/* All words of the shorter family name are in the longer one: Smith and Smith-Jones, Garcia Lopez
 * and Lopez Garcia. Not when they agree. */
bool folded_family_is_part(const struct folded_name *a, const struct folded_name *b);
/* Equal, or one is an initial with which the other begins. */
bool folded_words_agree(struct span a, struct span b);
/* Do the further given names (after the first) of the one with fewer all occur, in order, in the
 * other's? Symmetric; the first ones and the families are not looked at. */
bool folded_further_agree(const struct folded_name *a, const struct folded_name *b);

#endif
