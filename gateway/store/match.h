/*
 * Are two descriptions the same person? Deterministic and conservative: no weights, no guesses.
 *
 * Two people are the same when all of this holds:
 *   - their birth dates (the first eight digits of the birth time) are equal;
 *   - where both give a sex, it is equal;
 *   - some name of one and some name of the other have the same family name and the same first
 *     given name, folded (case, accents and punctuation do not count; base/text.h), and no further
 *     given name contradicts: further names and initials may be absent on one side, an initial
 *     agrees with a name that it begins, the order counts;
 *   - no believable identifier contradicts: where both have believable ids of one assigning
 *     authority, they share one. An equal id alone never makes two people the same.
 * Whatever lacks what a rule needs (no full birth date, no name with both parts) is the same as
 * nobody, and is not proven to be different either.
 *
 * Pure functions over prepared persons; the arena of match_prepare owns what they point to.
 * Thread: any.
 */
#ifndef STORE_MATCH_H
#define STORE_MATCH_H

#include "base/person_match.h"

enum match_verdict { MATCH_SAME, MATCH_DIFFERENT, MATCH_UNKNOWN };

/* Every decision names its rule. MATCH_RULES(X) expands X(name, verdict, text). */
/* clang-format off */
#define MATCH_RULES(X) \
    X(AGREES,             SAME,      "birth date, sex, family name and first given name agree") \
    X(AGREES_WITHOUT_SEX, SAME,      "birth date, family name and first given name agree; only one side or none gives a sex") \
    X(BIRTH_DATE,         DIFFERENT, "the birth date differs") \
    X(SEX,                DIFFERENT, "the sex differs") \
    X(FAMILY_NAME,        DIFFERENT, "no family name agrees") \
    X(FIRST_GIVEN_NAME,   DIFFERENT, "the first given name differs") \
    X(FURTHER_GIVEN_NAME, DIFFERENT, "a further given name or initial contradicts") \
    X(IDENTIFIER,         DIFFERENT, "the identifiers of one assigning authority contradict") \
    X(NO_BIRTH_DATE,      UNKNOWN,   "a birth date of eight digits is missing") \
    X(NO_NAME,            UNKNOWN,   "a name with family and given part is missing") \
    X(ONLY_INITIAL,       UNKNOWN,   "the first given name is only an initial on one side") \
    X(NO_CANDIDATE,       UNKNOWN,   "nobody here has this birth date and family name") \
    X(SEVERAL,            UNKNOWN,   "several people agree: ambiguous")
/* clang-format on */
#define MATCH_RULE_ROW(name, verdict, text) MATCH_RULE_##name,
enum match_rule { MATCH_RULES(MATCH_RULE_ROW) MATCH_RULE_COUNT };
#undef MATCH_RULE_ROW

const char *match_rule_name(enum match_rule rule); /* "FIRST_GIVEN_NAME" */
const char *match_rule_text(enum match_rule rule);
enum match_verdict match_rule_verdict(enum match_rule rule);

/* A person folded for comparing. */
struct match_id {
    struct span root;
    struct span key; /* match_id_key of the extension */
};
struct match_person {
    struct span birth_date; /* eight digits, or empty */
    struct span sex;        /* empty: not given */
    struct {
        struct folded_name *items;
        size_t n, capacity;
    } names; /* only those with family and given parts */
    struct {
        struct match_id *items;
        size_t n, capacity;
    } ids; /* only believable ones with an extension */
};

/* More names or ids than this is no person's description: ERR_MESSAGE_CONTENT. It bounds the cost
 * of a comparison. */
#define MATCH_ITEMS_MAX 64

/* <is_unreliable>: one bool for each of patient->ids, NULL when all are believable. */
MUST_CHECK struct status match_prepare(const struct patient *patient, const bool *is_unreliable,
                                       struct arena *arena, struct diag *diag,
                                       struct match_person *ret_person);

/* The verdict is the rule's. Symmetric. */
enum match_rule match_compare(const struct match_person *a, const struct match_person *b);
/* The same without looking at identifiers: who shares an id and is DIFFERENT here proves that the
 * id cannot be believed. */
enum match_rule match_compare_demographics(const struct match_person *a,
                                           const struct match_person *b);

/* The first eight digits of a birth time, or empty. */
struct span match_birth_date(struct span birth_time);
/* The spelling in which extensions are compared: letters and digits only, case folded, so that
 * 111-00-2330 and 111002330 are one number. */
MUST_CHECK struct status match_id_key(struct span extension, struct arena *arena, struct diag *diag,
                                      struct span *ret_key);

#endif
