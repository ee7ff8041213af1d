/*
 * Are two descriptions the same person? Deterministic and conservative: no weights, no guesses, and
 * every decision names its rule. A wrong match is far worse than a missed one.
 *
 * Two people are the same when all of this holds:
 *   - their birth dates (the first eight digits of the birth time, a day that exists) are equal;
 *   - where both give a sex, it is equal;
 *   - some name of one and some name of the other have the same family name and the same first
 *     given name, folded (case, accents and punctuation do not count; base/person_match.h), and no
 *     further given name contradicts: further names and initials may be absent on one side, an
 *     initial agrees with a name that it begins, the order counts; and no Jr, Sr, III contradicts;
 *   - no believable identifier contradicts: where both have believable ids of one assigning
 *     authority, they share one. An equal id alone never makes two people the same.
 * Three kinds of weaker agreement count only with a confirmation, which the rule's text names: a
 * family name that is part of the other's, one that is another while all else is equal (marriage),
 * given and family name exchanged, and a birth date of which a question knows a range only.
 * Whatever lacks what a rule needs is the same as nobody, and is not proven to be different either.
 * No list of nicknames is consulted: who is called Bill is found as William when his record says
 * both.
 *
 * Pure functions over prepared persons; the arena of match_prepare owns what they point to.
 * Thread: any.
 */
#ifndef STORE_MATCH_H
#define STORE_MATCH_H

#include "base/person_match.h"

enum match_verdict { MATCH_SAME, MATCH_DIFFERENT, MATCH_UNKNOWN };

/* Every decision names its rule. MATCH_RULES(X) expands X(name, verdict, degree, text); <degree>:
 * what queryMatchObservation says of a match by this rule, 0 for what is none. */
/* clang-format off */
#define MATCH_RULES(X) \
    X(AGREES_CONFIRMED,     SAME, 100, "birth date, sex, family name and first given name agree, and an identifier, a telecom or a street address does, too") \
    X(OWN_IDENTIFIER,       SAME, 100, "the id is one that was given out here, and nothing contradicts it") \
    X(AGREES,               SAME,  95, "birth date, sex, family name and first given name agree") \
    X(AGREES_OTHER_SPELLING, SAME, 90, "the birth date agrees, the sex does not differ, the name agrees in another spelling of its letters") \
    X(AGREES_BY_ALIAS,      SAME,  85, "the birth date agrees, the sex does not differ, the name is a pseudonym of record") \
    X(AGREES_WITHOUT_SEX,   SAME,  85, "birth date, family name and first given name agree; only one side or none gives a sex") \
    X(FAMILY_NAME_PART_CONFIRMED, SAME, 80, "one family name is part of the other; an identifier, a telecom or a street address agrees") \
    X(FAMILY_NAME_CHANGED_CONFIRMED, SAME, 80, "the family name differs; birth date, sex, first given name and an identifier agree") \
    X(NAMES_EXCHANGED_CONFIRMED, SAME, 80, "given and family name are exchanged; birth date, sex and an identifier agree") \
    X(BIRTH_RANGE_CONFIRMED, SAME, 80, "the birth date is in the range that was asked for; an identifier, a telecom or a street address agrees") \
    X(BIRTH_DATE,           DIFFERENT, 0, "the birth date differs") \
    X(SEX,                  DIFFERENT, 0, "the sex differs") \
    X(FAMILY_NAME,          DIFFERENT, 0, "no family name agrees") \
    X(FIRST_GIVEN_NAME,     DIFFERENT, 0, "the first given name differs") \
    X(FURTHER_GIVEN_NAME,   DIFFERENT, 0, "a further given name or initial contradicts") \
    X(GENERATION,           DIFFERENT, 0, "the suffixes name different generations (Jr, Sr, III)") \
    X(BIRTH_ORDER,          DIFFERENT, 0, "the order of birth among twins differs") \
    X(IDENTIFIER,           DIFFERENT, 0, "the identifiers of one assigning authority contradict") \
    X(NO_BIRTH_DATE,        UNKNOWN, 0, "a birth date of eight digits, of a day that exists, is missing") \
    X(NO_NAME,              UNKNOWN, 0, "a name with family and given part is missing") \
    X(PLACEHOLDER_NAME,     UNKNOWN, 0, "the only names are placeholders (a newborn without a name, an unknown person)") \
    X(ONLY_INITIAL,         UNKNOWN, 0, "the first given name is only an initial on one side") \
    X(BIRTH_DATE_MISWRITTEN, UNKNOWN, 0, "the birth dates differ by one digit, or by day and month exchanged") \
    X(SEX_UNDIFFERENTIATED, UNKNOWN, 0, "one side says that the sex is undifferentiated") \
    X(FAMILY_NAME_PART,     UNKNOWN, 0, "one family name is part of the other, and nothing confirms it") \
    X(FAMILY_NAME_CHANGED,  UNKNOWN, 0, "only the family name differs, and no identifier confirms it") \
    X(NAMES_EXCHANGED,      UNKNOWN, 0, "given and family name are exchanged, and no identifier confirms it") \
    X(BIRTH_RANGE,          UNKNOWN, 0, "the birth date is in the range that was asked for, and nothing confirms it") \
    X(CONTACT,              UNKNOWN, 0, "of the addresses and telecoms that were asked for none is known here, though others are") \
    X(MOTHERS_MAIDEN_NAME,  UNKNOWN, 0, "the mother's maiden name differs") \
    X(BIRTH_PLACE,          UNKNOWN, 0, "the place of birth differs") \
    X(CARE_PROVIDER,        UNKNOWN, 0, "the principal care provider that was asked for is not among those known here") \
    X(ONLY_IDENTIFIER,      UNKNOWN, 0, "an identifier of somebody else's authority alone finds nobody") \
    X(NO_CANDIDATE,         UNKNOWN, 0, "nobody here has this birth date and family name") \
    X(SEVERAL,              UNKNOWN, 0, "several people agree: ambiguous")
/* clang-format on */
#define MATCH_RULE_ROW(name, verdict, degree, text) MATCH_RULE_##name,
enum match_rule { MATCH_RULES(MATCH_RULE_ROW) MATCH_RULE_COUNT };
#undef MATCH_RULE_ROW

const char *match_rule_name(enum match_rule rule); /* "FIRST_GIVEN_NAME" */
const char *match_rule_text(enum match_rule rule);
enum match_verdict match_rule_verdict(enum match_rule rule);
int match_rule_degree(enum match_rule rule);
/* Does the rule hold by name, birth date and sex alone, without what anybody may claim (an
 * identifier, a telephone number) making up for a difference? */
bool match_rule_is_plain(enum match_rule rule);

/* ---- a person folded for comparing ---- */

struct match_id {
    struct span root;
    struct span key;   /* match_id_key of the extension */
    bool is_last_four; /* the last four digits of a social security number */
    bool is_own;       /* given out here: match_person_own */
};
struct match_name {
    struct folded_name folded;
    unsigned generation; /* 1 Sr, 2 Jr or II, 3 III, ...; 0 when not said */
    bool is_alias;       /* a pseudonym, an artist's or a religious name */
};
/* Where somebody lives or was born; parts that were not given are empty. */
struct match_place {
    struct span street, city, state, postal_code, country;
};
struct match_place_list {
    struct match_place *items;
    size_t n, capacity;
};
struct match_person {
    struct span birth_date;           /* eight digits, or empty */
    char birth_low[9], birth_high[9]; /* of a question's range, both days included; empty: none */
    struct span sex;                  /* empty: not given */
    struct {
        struct match_name *items;
        size_t n, capacity;
    } names;              /* only those with family and given parts, no placeholders */
    bool has_placeholder; /* a name was left out as such */
    struct {
        struct match_id *items;
        size_t n, capacity;
    } ids;                /* only believable ones with an extension */
    unsigned birth_order; /* among twins; 0: not said */
    struct match_place_list addresses, birth_addresses;
    struct span_list telecoms, mothers_names, birth_places;
    struct {
        struct match_id *items;
        size_t n, capacity;
    } care_providers;
};

/* More of any kind than this is no person's description: ERR_MESSAGE_CONTENT. It bounds the cost
 * of a comparison. */
#define MATCH_ITEMS_MAX 64
bool match_is_too_much(const struct patient *patient);

/* <is_unreliable>: one bool for each of patient->ids, NULL when all are believable. What nobody
 * should believe of anybody is left out in any case: dates like 1900-01-01 and of days that do not
 * exist, names like "Baby Girl" and "Unknown", numbers like 999-99-9999 and 0000000. */
MUST_CHECK struct status match_prepare(const struct patient *patient, const bool *is_unreliable,
                                       struct arena *arena, struct diag *diag,
                                       struct match_person *ret_person);
/* The same, of whom somebody asks for: with a range of birth times, also that of a birth time of
 * less than eight digits ("1947"). A range of one day is a day. */
MUST_CHECK struct status match_prepare_question(const struct patient *patient,
                                                const bool *is_unreliable, struct arena *arena,
                                                struct diag *diag, struct match_person *ret_person);
/* <extension> of our own authority <root> is the stored person's. */
MUST_CHECK struct status match_person_own(struct match_person *person, struct span root,
                                          struct span extension, struct arena *arena,
                                          struct diag *diag);

/* The first eight digits of a birth time when they are the day of somebody's birth, or empty. */
struct span match_birth_date(struct span birth_time);
/* The spelling in which extensions are compared: letters and digits only, case folded, so that
 * 111-00-2330 and 111002330 are one number. */
MUST_CHECK struct status match_id_key(struct span extension, struct arena *arena, struct diag *diag,
                                      struct span *ret_key);
/* Could <key> of <root> be anybody's? Not: one digit or letter repeated, UNKNOWN, numbers of social
 * security that are printed on forms and cards. */
bool match_id_is_believable(struct span root, struct span key);
/* The keys by which a person with these names may be found: family names in their spellings, and
 * their parts. Each once. */
MUST_CHECK struct status match_family_keys(const struct match_person *person, struct arena *arena,
                                           struct diag *diag, struct span_list *ret_keys);

/* ---- comparing ---- */

/* The verdict is the rule's. Symmetric, but for a range of birth dates, which only a question has.
 */
enum match_rule match_compare(const struct match_person *a, const struct match_person *b);
/* The same without looking at identifiers: who shares an id and is DIFFERENT here proves that the
 * id cannot be believed. */
enum match_rule match_compare_demographics(const struct match_person *a,
                                           const struct match_person *b);

/* ---- a question, and who is known here (ITI TF-2 3.55.4.1.2.1) ---- */

/* As match_compare; and every parameter that was asked for counts: what the candidate has otherwise
 * keeps him from being the answer (CONTACT, MOTHERS_MAIDEN_NAME, BIRTH_PLACE, CARE_PROVIDER). An
 * address or telecom that differs may be an old one: a shared identifier outweighs it. */
enum match_rule match_answer(const struct match_person *question,
                             const struct match_person *candidate);

/* What a question may be asked to say, too. MATCH_HINTS(X) expands X(name, code of ITI TF-2
 * 3.55.4.2.2.6). */
/* clang-format off */
#define MATCH_HINTS(X) \
    X(SEX,                 "LivingSubjectAdministrativeGenderRequested") \
    X(ADDRESS,             "PatientAddressRequested") \
    X(TELECOM,             "PatientTelecomRequested") \
    X(BIRTH_PLACE_NAME,    "LivingSubjectBirthPlaceNameRequested") \
    X(BIRTH_PLACE_ADDRESS, "LivingSubjectBirthPlaceAddressRequested") \
    X(MOTHERS_MAIDEN_NAME, "MothersMaidenNameRequested")
/* clang-format on */
#define MATCH_HINT_ROW(name, code) MATCH_HINT_##name,
enum match_hint { MATCH_HINTS(MATCH_HINT_ROW) MATCH_HINT_COUNT };
#undef MATCH_HINT_ROW
const char *match_hint_code(enum match_hint hint);

/* Which of what the question does not say would tell the two candidates apart: they both have it,
 * and have it differently. A set: 1 << enum match_hint. */
unsigned match_hints_between(const struct match_person *question, const struct match_person *a,
                             const struct match_person *b);
/* Which of what the question does not say would confirm the candidate, whom <rule> left unknown:
 * what he has. Empty for rules that no such answer could change. */
unsigned match_hints_for(const struct match_person *question, const struct match_person *candidate,
                         enum match_rule rule);

enum match_outcome { MATCH_NOBODY, MATCH_ONE, MATCH_AMBIGUOUS };
struct match_decision {
    enum match_outcome outcome;
    enum match_rule rule; /* of nobody: that of the nearest candidate */
    size_t at;            /* MATCH_ONE: which candidate */
    unsigned hints;       /* MATCH_AMBIGUOUS: what would help, if anything would */
};
/* One candidate who is the same is the answer; several are ambiguous, however well one of them
 * agrees. With none, those whom an address or a telecom would confirm are ambiguous, too. */
struct match_decision match_decide(const struct match_person *question,
                                   const struct match_person *candidates, size_t n);

/* ---- an answer, and who was asked for ---- */

/* What a community returns for the person that was asked for: by which rule it is the same, or not.
 * Identifiers are not looked at: the answer has its own. */
enum match_rule match_returned(const struct match_person *question,
                               const struct match_person *answer);
/* Does it contradict the question, so that it must not be used without somebody's look at it? All
 * rules that tell people apart do, and BIRTH_DATE_MISWRITTEN, FAMILY_NAME_CHANGED, NAMES_EXCHANGED.
 * What says less than the question does not. */
bool match_rule_contradicts(enum match_rule rule);

#endif
