/*
 * A question and who is known here: every parameter that was asked for counts, and an ambiguous
 * question is told what would help (ITI TF-2 3.55.4.1.2.1, 3.55.4.2.2.6). And an answer and the
 * person that was asked for. Called by the store's engines and by transactions, on their threads.
 * Pure; allocates nothing.
 */
#include <assert.h>

#include "store/match.h"

const char *
match_hint_code(enum match_hint hint)
{
#define MATCH_HINT_ROW(name, code) code,
    static const char *const codes[] = {MATCH_HINTS(MATCH_HINT_ROW)};
#undef MATCH_HINT_ROW
    assert(hint < MATCH_HINT_COUNT);
    return codes[hint];
}

/* ---- one kind of thing on both sides ---- */

/* ABSENT: one side does not say it. */
enum agreement { ABSENT, AGREED, DIFFERED };

static bool
is_among(struct span text, const struct span_list *texts)
{
    for (size_t i = 0; i < texts->n; i++) {
        if (span_eq(texts->items[i], text)) {
            return true;
        }
    }
    return false;
}

static enum agreement
compare_texts(const struct span_list *a, const struct span_list *b)
{
    if (a->n == 0 || b->n == 0) {
        return ABSENT;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (is_among(a->items[i], b)) {
            return AGREED;
        }
    }
    return DIFFERED;
}

/* "Boston" and "Boston, Massachusetts" do not differ. */
static enum agreement
compare_place_names(const struct span_list *a, const struct span_list *b)
{
    if (a->n == 0 || b->n == 0) {
        return ABSENT;
    }
    for (size_t i = 0; i < a->n; i++) {
        for (size_t j = 0; j < b->n; j++) {
            if (span_starts_with(a->items[i], b->items[j]) ||
                span_starts_with(b->items[j], a->items[i])) {
                return AGREED;
            }
        }
    }
    return DIFFERED;
}

static bool
parts_differ(struct span a, struct span b)
{
    return a.n > 0 && b.n > 0 && !span_eq(a, b);
}

/* Nothing of country, state, town that both give differs, and they give one of them both; an equal
 * postal code is enough, however the town is written. */
static enum agreement
compare_place(const struct match_place *a, const struct match_place *b)
{
    const bool has_code = a->postal_code.n > 0 && b->postal_code.n > 0;
    const bool has_town = a->city.n > 0 && b->city.n > 0;
    const bool has_state = a->state.n > 0 && b->state.n > 0;
    const bool has_country = a->country.n > 0 && b->country.n > 0;

    if (has_code && span_eq(a->postal_code, b->postal_code)) {
        return AGREED;
    }
    if (!has_code && !has_town && !has_state && !has_country) {
        return ABSENT;
    }
    return parts_differ(a->country, b->country) || parts_differ(a->state, b->state) ||
                   parts_differ(a->city, b->city) || (has_code && !has_town)
               ? DIFFERED
               : AGREED;
}

static enum agreement
compare_places(const struct match_place_list *a, const struct match_place_list *b)
{
    enum agreement found = ABSENT;

    for (size_t i = 0; i < a->n; i++) {
        for (size_t j = 0; j < b->n; j++) {
            const enum agreement one = compare_place(&a->items[i], &b->items[j]);

            if (one == AGREED) {
                return AGREED;
            }
            found = one == DIFFERED ? DIFFERED : found;
        }
    }
    return found;
}

static enum agreement
compare_care_providers(const struct match_person *a, const struct match_person *b)
{
    if (a->care_providers.n == 0 || b->care_providers.n == 0) {
        return ABSENT;
    }
    for (size_t i = 0; i < a->care_providers.n; i++) {
        for (size_t j = 0; j < b->care_providers.n; j++) {
            if (span_eq(a->care_providers.items[i].root, b->care_providers.items[j].root) &&
                span_eq(a->care_providers.items[i].key, b->care_providers.items[j].key)) {
                return AGREED;
            }
        }
    }
    return DIFFERED;
}

static enum agreement
compare_sexes(const struct match_person *a, const struct match_person *b)
{
    if (a->sex.n == 0 || b->sex.n == 0) {
        return ABSENT;
    }
    return span_eq_nocase(a->sex, b->sex) ? AGREED : DIFFERED;
}

static enum agreement
compare_by_hint(enum match_hint hint, const struct match_person *a, const struct match_person *b)
{
    switch (hint) {
    case MATCH_HINT_SEX:
        return compare_sexes(a, b);
    case MATCH_HINT_ADDRESS:
        return compare_places(&a->addresses, &b->addresses);
    case MATCH_HINT_TELECOM:
        return compare_texts(&a->telecoms, &b->telecoms);
    case MATCH_HINT_BIRTH_PLACE_NAME:
        return compare_place_names(&a->birth_places, &b->birth_places);
    case MATCH_HINT_BIRTH_PLACE_ADDRESS:
        return compare_places(&a->birth_addresses, &b->birth_addresses);
    case MATCH_HINT_MOTHERS_MAIDEN_NAME:
        return compare_texts(&a->mothers_names, &b->mothers_names);
    case MATCH_HINT_COUNT:
        break;
    }
    return ABSENT;
}

static bool
says(enum match_hint hint, const struct match_person *person)
{
    switch (hint) {
    case MATCH_HINT_SEX:
        return person->sex.n > 0;
    case MATCH_HINT_ADDRESS:
        return person->addresses.n > 0;
    case MATCH_HINT_TELECOM:
        return person->telecoms.n > 0;
    case MATCH_HINT_BIRTH_PLACE_NAME:
        return person->birth_places.n > 0;
    case MATCH_HINT_BIRTH_PLACE_ADDRESS:
        return person->birth_addresses.n > 0;
    case MATCH_HINT_MOTHERS_MAIDEN_NAME:
        return person->mothers_names.n > 0;
    case MATCH_HINT_COUNT:
        break;
    }
    return false;
}

/* ---- a question and a candidate ---- */

static bool
is_confirmed(enum match_rule rule)
{
    return rule == MATCH_RULE_AGREES_CONFIRMED || rule == MATCH_RULE_OWN_IDENTIFIER;
}

/* An address or a telecom that was asked for differs from what is known, and the other does not
 * make up for it. */
static bool
is_contact_different(const struct match_person *question, const struct match_person *candidate)
{
    const enum agreement places = compare_places(&question->addresses, &candidate->addresses);
    const enum agreement telecoms = compare_texts(&question->telecoms, &candidate->telecoms);

    return (places == DIFFERED && telecoms != AGREED) || (telecoms == DIFFERED && places == ABSENT);
}

static bool
is_only_identifier(const struct match_person *question)
{
    return question->names.n == 0 && !question->has_placeholder && question->birth_date.n == 0 &&
           question->birth_low[0] == '\0' && question->ids.n > 0;
}

/* REQ: XCPD-parameters-used */
enum match_rule
match_answer(const struct match_person *question, const struct match_person *candidate)
{
    const enum match_rule rule = match_compare(question, candidate);

    if (match_rule_verdict(rule) != MATCH_SAME) {
        return match_rule_verdict(rule) == MATCH_UNKNOWN && is_only_identifier(question)
                   ? MATCH_RULE_ONLY_IDENTIFIER
                   : rule;
    }
    if (compare_texts(&question->mothers_names, &candidate->mothers_names) == DIFFERED) {
        return MATCH_RULE_MOTHERS_MAIDEN_NAME;
    }
    if (compare_place_names(&question->birth_places, &candidate->birth_places) == DIFFERED ||
        compare_places(&question->birth_addresses, &candidate->birth_addresses) == DIFFERED) {
        return MATCH_RULE_BIRTH_PLACE;
    }
    if (compare_care_providers(question, candidate) == DIFFERED) {
        return MATCH_RULE_CARE_PROVIDER;
    }
    return !is_confirmed(rule) && is_contact_different(question, candidate) ? MATCH_RULE_CONTACT
                                                                            : rule;
}

/* ---- what would help ---- */

unsigned
match_hints_between(const struct match_person *question, const struct match_person *a,
                    const struct match_person *b)
{
    unsigned hints = 0;

    for (enum match_hint hint = 0; hint < MATCH_HINT_COUNT; hint++) {
        if (!says(hint, question) && compare_by_hint(hint, a, b) == DIFFERED) {
            hints |= 1U << hint;
        }
    }
    return hints;
}

unsigned
match_hints_for(const struct match_person *question, const struct match_person *candidate,
                enum match_rule rule)
{
    static const enum match_hint confirming[] = {MATCH_HINT_ADDRESS, MATCH_HINT_TELECOM};
    unsigned hints = 0;

    if (rule != MATCH_RULE_CONTACT && rule != MATCH_RULE_FAMILY_NAME_PART &&
        rule != MATCH_RULE_BIRTH_RANGE) {
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(confirming); i++) {
        if (!says(confirming[i], question) && says(confirming[i], candidate)) {
            hints |= 1U << confirming[i];
        }
    }
    return hints;
}

/* Which of two rules that find nobody is nearer to a match. */
static int
nearness(enum match_rule rule, unsigned hints)
{
    return rule == MATCH_RULE_NO_CANDIDATE               ? 0
           : match_rule_verdict(rule) == MATCH_DIFFERENT ? 1
           : hints == 0                                  ? 2
                                                         : 3;
}

struct decider {
    const struct match_person *question, *candidates;
    struct match_decision decision;
    size_t same_n;
};

static void
take_candidate(struct decider *d, size_t at)
{
    struct match_decision *decision = &d->decision;
    const struct match_person *candidate = &d->candidates[at];
    const enum match_rule rule = match_answer(d->question, candidate);
    const unsigned hints = match_hints_for(d->question, candidate, rule);

    if (match_rule_verdict(rule) == MATCH_SAME) {
        *decision = (struct match_decision){.outcome = MATCH_ONE, .rule = rule, .at = at};
        d->same_n++;
    } else if (d->same_n == 0) {
        if (nearness(rule, hints) > nearness(decision->rule, decision->hints)) {
            decision->rule = rule;
        }
        decision->hints |= hints;
        decision->outcome = decision->hints == 0 ? MATCH_NOBODY : MATCH_AMBIGUOUS;
    }
}

static unsigned
hints_among(const struct match_person *question, const struct match_person *candidates, size_t n)
{
    unsigned hints = 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            if (match_rule_verdict(match_answer(question, &candidates[i])) == MATCH_SAME &&
                match_rule_verdict(match_answer(question, &candidates[j])) == MATCH_SAME) {
                hints |= match_hints_between(question, &candidates[i], &candidates[j]);
            }
        }
    }
    return hints;
}

struct match_decision
match_decide(const struct match_person *question, const struct match_person *candidates, size_t n)
{
    struct decider d = {question, candidates, {.rule = MATCH_RULE_NO_CANDIDATE}, 0};

    for (size_t i = 0; i < n; i++) {
        take_candidate(&d, i);
    }
    if (d.same_n > 1) {
        return (struct match_decision){.outcome = MATCH_AMBIGUOUS,
                                       .rule = MATCH_RULE_SEVERAL,
                                       .hints = hints_among(question, candidates, n)};
    }
    return d.decision;
}

/* ---- an answer and the question ---- */

enum match_rule
match_returned(const struct match_person *question, const struct match_person *answer)
{
    return match_compare_demographics(question, answer);
}

bool
match_rule_contradicts(enum match_rule rule)
{
    return match_rule_verdict(rule) == MATCH_DIFFERENT ||
           rule == MATCH_RULE_BIRTH_DATE_MISWRITTEN || rule == MATCH_RULE_FAMILY_NAME_CHANGED ||
           rule == MATCH_RULE_NAMES_EXCHANGED;
}
