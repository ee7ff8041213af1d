/*
 * Who is who, by the rules that the project states for its first matcher: the truth's side of the
 * comparison. Written from those words alone; no code of the product's matcher is used.
 *
 *   - birth dates are equal in their first eight digits (a date with fewer matches nothing);
 *   - sexes are equal where both sides give one;
 *   - some name of one and some name of the other have the same family name and the same first
 *     given name, folded; further given names and initials do not contradict, and may be absent;
 *   - no believable identifier contradicts: in one assigning authority both have ids, and none in
 *     common. An id is not believable when people who differ by the rules above carry it.
 *   - two candidates are ambiguous, never a guess.
 */
#ifndef SYNTH_RULES_H
#define SYNTH_RULES_H

#include "base/arena.h"

#define RULES_GIVEN_MAX 4
#define RULES_NAMES_MAX 8
#define RULES_IDS_MAX   16

struct rules_name {
    struct span family;
    struct span given[RULES_GIVEN_MAX]; /* first, then further names or initials */
    size_t given_n;
};

struct rules_id {
    struct span root, extension;
};

/* What one document (or one question) says about its patient. */
struct rules_subject {
    struct rules_name names[RULES_NAMES_MAX];
    size_t names_n;
    struct span birth; /* digits as written; time and zone may follow */
    struct span sex;   /* M, F, UN; empty when not said */
    struct rules_id ids[RULES_IDS_MAX];
    size_t ids_n;
};

/* Folds every name in place; call it once per subject before the functions below. */
MUST_CHECK struct status rules_prepare(struct arena *arena, struct rules_subject *subject,
                                       struct diag *diag);

/* Birth date, sex and names alone. */
bool rules_agree(const struct rules_subject *a, const struct rules_subject *b);

/* Gives each of the <n> subjects of one community the number of its person (the lowest index of its
 * group). *ret_is_clear is false when the rules do not settle it: a group has two members that do
 * not go together by themselves. */
MUST_CHECK struct status rules_group(struct arena *arena, const struct rules_subject *subjects,
                                     size_t n, struct diag *diag, size_t *ret_persons,
                                     bool *ret_is_clear);

enum rules_answer { RULES_NO_MATCH, RULES_MATCH, RULES_AMBIGUOUS };
const char *rules_answer_name(enum rules_answer answer); /* "no-match", "match", "ambiguous" */

/* The answer of a community whose documents' subjects belong to <persons>; *ret_person is set with
 * RULES_MATCH. */
enum rules_answer rules_ask(const struct rules_subject *question,
                            const struct rules_subject *subjects, const size_t *persons, size_t n,
                            size_t *ret_person);

#endif
