/*
 * The rules by which two descriptions are the same person (match.h says them in words). Called by
 * the store's engines when a document is put and when a partner asks for a patient, on the thread
 * of that call. Comparing allocates nothing.
 */
#include "store/match.h"

#include <assert.h>

const char *
match_rule_name(enum match_rule rule)
{
#define MATCH_RULE_ROW(name, verdict, degree, text) #name,
    static const char *const names[] = {MATCH_RULES(MATCH_RULE_ROW)};
#undef MATCH_RULE_ROW
    assert(rule < MATCH_RULE_COUNT);
    return names[rule];
}

const char *
match_rule_text(enum match_rule rule)
{
#define MATCH_RULE_ROW(name, verdict, degree, text) text,
    static const char *const texts[] = {MATCH_RULES(MATCH_RULE_ROW)};
#undef MATCH_RULE_ROW
    assert(rule < MATCH_RULE_COUNT);
    return texts[rule];
}

enum match_verdict
match_rule_verdict(enum match_rule rule)
{
#define MATCH_RULE_ROW(name, verdict, degree, text) MATCH_##verdict,
    static const enum match_verdict verdicts[] = {MATCH_RULES(MATCH_RULE_ROW)};
#undef MATCH_RULE_ROW
    assert(rule < MATCH_RULE_COUNT);
    return verdicts[rule];
}

int
match_rule_degree(enum match_rule rule)
{
#define MATCH_RULE_ROW(name, verdict, degree, text) degree,
    static const int degrees[] = {MATCH_RULES(MATCH_RULE_ROW)};
#undef MATCH_RULE_ROW
    assert(rule < MATCH_RULE_COUNT);
    return degrees[rule];
}

bool
match_rule_is_plain(enum match_rule rule)
{
    return rule == MATCH_RULE_AGREES || rule == MATCH_RULE_AGREES_CONFIRMED ||
           rule == MATCH_RULE_AGREES_WITHOUT_SEX;
}

/* ---- names ---- */

static bool
names_equal(const struct folded_name *a, const struct folded_name *b)
{
    return span_eq(a->family, b->family) && span_eq(a->all_given, b->all_given);
}

static bool
has_name(const struct match_person *person, const struct folded_name *name)
{
    for (size_t i = 0; i < person->names.n; i++) {
        if (names_equal(&person->names.items[i].folded, name)) {
            return true;
        }
    }
    return false;
}

/* How two given parts agree, whatever the family names do. */
enum given_finding { GIVEN_EQUAL, GIVEN_SPELLED, GIVEN_INITIAL, GIVEN_CONTRADICTED, GIVEN_OTHER };

static enum given_finding
compare_given(const struct folded_name *x, const struct folded_name *y)
{
    const struct span first = x->given.items[0], other = y->given.items[0];

    if (span_eq(x->all_given, y->all_given)) {
        return GIVEN_EQUAL; /* "Anne-Marie" and "Anne Marie" too */
    }
    if (span_eq(first, other)) {
        return folded_further_agree(x, y) ? GIVEN_EQUAL : GIVEN_CONTRADICTED;
    }
    if (span_eq(x->first_spelled, other) || span_eq(first, y->first_spelled)) {
        return folded_further_agree(x, y) ? GIVEN_SPELLED : GIVEN_CONTRADICTED;
    }
    return folded_words_agree(first, other) ? GIVEN_INITIAL : GIVEN_OTHER;
}

/* How far the closest pair of names agrees, and whether any pair contradicts. */
struct name_findings {
    bool is_equal, is_spelled, is_alias, is_part, is_exchanged, is_initial; /* family and given */
    bool is_family, is_given;                                               /* of any pair, alone */
    bool is_contradicted, is_other_generation;
};

static bool
generations_differ(const struct match_name *a, const struct match_name *b)
{
    return a->generation > 0 && b->generation > 0 && a->generation != b->generation;
}

static void
note_family(const struct match_person *a, const struct match_person *b, const struct match_name *x,
            const struct match_name *y, struct name_findings *found)
{
    const enum given_finding given = compare_given(&x->folded, &y->folded);
    const bool is_exact = span_eq(x->folded.family, y->folded.family) && given == GIVEN_EQUAL;

    found->is_family = true;
    if (given == GIVEN_CONTRADICTED) {
        /* A name that the other side has word for word is not contradicted by a third one. */
        found->is_contradicted |= !has_name(b, &x->folded) && !has_name(a, &y->folded);
    } else if (given == GIVEN_EQUAL || given == GIVEN_SPELLED) {
        found->is_other_generation |= generations_differ(x, y);
        found->is_alias |= x->is_alias || y->is_alias;
        found->is_equal |= is_exact && !x->is_alias && !y->is_alias;
        found->is_spelled |= !is_exact && !x->is_alias && !y->is_alias;
    } else if (given == GIVEN_INITIAL) {
        found->is_initial = true;
    }
}

static void
note_other_family(const struct match_name *x, const struct match_name *y,
                  struct name_findings *found)
{
    const bool is_given = compare_given(&x->folded, &y->folded) == GIVEN_EQUAL;

    found->is_given |= is_given;
    found->is_part |=
        is_given && !generations_differ(x, y) && folded_family_is_part(&x->folded, &y->folded);
    found->is_exchanged |= span_eq(x->folded.family, y->folded.all_given) &&
                           span_eq(y->folded.family, x->folded.all_given);
}

static struct name_findings
find_names(const struct match_person *a, const struct match_person *b)
{
    struct name_findings found = {0};

    for (size_t i = 0; i < a->names.n; i++) {
        for (size_t j = 0; j < b->names.n; j++) {
            const struct match_name *x = &a->names.items[i], *y = &b->names.items[j];

            if (folded_families_agree(&x->folded, &y->folded)) {
                note_family(a, b, x, y, &found);
            } else {
                note_other_family(x, y, &found);
            }
        }
    }
    return found;
}

/* The rule about names alone; AGREES when nothing is to be said against them. */
static enum match_rule
compare_names(const struct match_person *a, const struct match_person *b)
{
    const struct name_findings found = find_names(a, b);
    const struct {
        bool holds;
        enum match_rule rule;
    } rules[] = {
        {a->names.n == 0 && a->has_placeholder, MATCH_RULE_PLACEHOLDER_NAME},
        {b->names.n == 0 && b->has_placeholder, MATCH_RULE_PLACEHOLDER_NAME},
        {a->names.n == 0 || b->names.n == 0, MATCH_RULE_NO_NAME},
        {found.is_contradicted, MATCH_RULE_FURTHER_GIVEN_NAME},
        {found.is_other_generation, MATCH_RULE_GENERATION},
        {found.is_equal, MATCH_RULE_AGREES},
        {found.is_spelled, MATCH_RULE_AGREES_OTHER_SPELLING},
        {found.is_alias, MATCH_RULE_AGREES_BY_ALIAS},
        {found.is_part, MATCH_RULE_FAMILY_NAME_PART},
        {found.is_exchanged, MATCH_RULE_NAMES_EXCHANGED},
        {found.is_initial, MATCH_RULE_ONLY_INITIAL},
        {found.is_family, MATCH_RULE_FIRST_GIVEN_NAME},
        {found.is_given, MATCH_RULE_FAMILY_NAME_CHANGED},
    };

    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (rules[i].holds) {
            return rules[i].rule;
        }
    }
    return MATCH_RULE_FAMILY_NAME;
}

/* ---- birth dates ---- */

static struct span
day_and_month_exchanged(struct span date, char exchanged[9])
{
    for (size_t i = 0; i < 4; i++) {
        exchanged[i] = date.p[i];
    }
    exchanged[4] = date.p[6];
    exchanged[5] = date.p[7];
    exchanged[6] = date.p[4];
    exchanged[7] = date.p[5];
    exchanged[8] = '\0';
    return span_of(exchanged, 8);
}

/* One digit differs, or two neighbours are exchanged, or day and month are. */
static bool
is_miswritten(struct span a, struct span b)
{
    char exchanged[9];
    size_t differing = 0, first = 0;

    for (size_t i = 0; i < a.n; i++) {
        if (a.p[i] != b.p[i]) {
            first = differing == 0 ? i : first;
            differing++;
        }
    }
    return differing == 1 ||
           (differing == 2 && first + 1 < a.n && a.p[first] == b.p[first + 1] &&
            a.p[first + 1] == b.p[first]) ||
           span_eq(day_and_month_exchanged(a, exchanged), b);
}

enum date_finding { DATE_MISSING, DATE_EQUAL, DATE_IN_RANGE, DATE_MISWRITTEN, DATE_OTHER };

static enum date_finding
compare_range(const struct match_person *question, const struct match_person *person)
{
    const struct span low = span_of_cstr(question->birth_low);
    const struct span high = span_of_cstr(question->birth_high);

    if (low.n == 0 || person->birth_date.n == 0) {
        return DATE_MISSING;
    }
    return span_compare(low, person->birth_date) <= 0 && span_compare(person->birth_date, high) <= 0
               ? DATE_IN_RANGE
               : DATE_OTHER;
}

static enum date_finding
compare_dates(const struct match_person *a, const struct match_person *b)
{
    if (a->birth_date.n == 0) {
        return compare_range(a, b);
    }
    if (b->birth_date.n == 0) {
        return compare_range(b, a);
    }
    if (span_eq(a->birth_date, b->birth_date)) {
        return DATE_EQUAL;
    }
    return is_miswritten(a->birth_date, b->birth_date) ? DATE_MISWRITTEN : DATE_OTHER;
}

/* ---- all that is no identifier ---- */

enum sex_finding { SEX_MISSING, SEX_EQUAL, SEX_UNDIFFERENTIATED, SEX_OTHER };

static enum sex_finding
compare_sexes(struct span a, struct span b)
{
    if (a.n == 0 || b.n == 0) {
        return SEX_MISSING;
    }
    if (span_eq_nocase(a, b)) {
        return SEX_EQUAL;
    }
    return span_eq_nocase(a, SPAN("UN")) || span_eq_nocase(b, SPAN("UN")) ? SEX_UNDIFFERENTIATED
                                                                          : SEX_OTHER;
}

/* What proves a difference comes before what is only missing. A family name may change, but who
 * says so must agree in all the rest. */
static bool
find_difference(enum match_rule names, enum date_finding dates, enum sex_finding sexes,
                enum match_rule *ret_rule)
{
    const bool may_be_married =
        names == MATCH_RULE_FAMILY_NAME_CHANGED && dates == DATE_EQUAL && sexes == SEX_EQUAL;
    const bool do_names_agree = match_rule_verdict(names) == MATCH_SAME;

    if (dates == DATE_OTHER || (dates == DATE_MISWRITTEN && !do_names_agree)) {
        *ret_rule = MATCH_RULE_BIRTH_DATE;
    } else if (sexes == SEX_OTHER) {
        *ret_rule = MATCH_RULE_SEX;
    } else if (match_rule_verdict(names) == MATCH_DIFFERENT) {
        *ret_rule = names;
    } else if (names == MATCH_RULE_FAMILY_NAME_CHANGED && !may_be_married) {
        *ret_rule = MATCH_RULE_FAMILY_NAME;
    } else {
        return false;
    }
    return true;
}

enum match_rule
match_compare_demographics(const struct match_person *a, const struct match_person *b)
{
    const enum date_finding dates = compare_dates(a, b);
    const enum sex_finding sexes = compare_sexes(a->sex, b->sex);
    const enum match_rule names = compare_names(a, b);
    enum match_rule rule;

    if (find_difference(names, dates, sexes, &rule)) {
        return rule;
    }
    if (a->birth_order > 0 && b->birth_order > 0 && a->birth_order != b->birth_order) {
        return MATCH_RULE_BIRTH_ORDER;
    }
    if (dates == DATE_MISSING) {
        return MATCH_RULE_NO_BIRTH_DATE;
    }
    if (dates == DATE_MISWRITTEN) {
        return MATCH_RULE_BIRTH_DATE_MISWRITTEN;
    }
    if (sexes == SEX_UNDIFFERENTIATED) {
        return MATCH_RULE_SEX_UNDIFFERENTIATED;
    }
    if (dates == DATE_IN_RANGE) { /* nothing makes up for two weaknesses */
        return match_rule_verdict(names) == MATCH_SAME ? MATCH_RULE_BIRTH_RANGE
                                                       : MATCH_RULE_NO_BIRTH_DATE;
    }
    if (match_rule_verdict(names) != MATCH_SAME) {
        return names;
    }
    return names == MATCH_RULE_AGREES && sexes == SEX_MISSING ? MATCH_RULE_AGREES_WITHOUT_SEX
                                                              : names;
}

/* ---- identifiers ---- */

static bool
ids_agree(const struct match_id *a, const struct match_id *b)
{
    if (!span_eq(a->root, b->root)) {
        return false;
    }
    return a->is_last_four == b->is_last_four
               ? span_eq(a->key, b->key)
               : span_ends_with(a->key, b->key) || span_ends_with(b->key, a->key);
}

/* Both have ids in one authority and share none. */
static bool
ids_contradict(const struct match_person *a, const struct match_person *b)
{
    for (size_t i = 0; i < a->ids.n; i++) {
        const struct span root = a->ids.items[i].root;
        bool is_both = false, is_shared = false;

        for (size_t j = 0; j < b->ids.n; j++) {
            is_both |= span_eq(root, b->ids.items[j].root);
        }
        for (size_t k = 0; is_both && k < a->ids.n; k++) {
            for (size_t j = 0; span_eq(root, a->ids.items[k].root) && j < b->ids.n; j++) {
                is_shared |= ids_agree(&a->ids.items[k], &b->ids.items[j]);
            }
        }
        if (is_both && !is_shared) {
            return true;
        }
    }
    return false;
}

struct id_findings {
    bool is_whole, is_own, is_last_four;
};

static struct id_findings
find_shared_ids(const struct match_person *a, const struct match_person *b)
{
    struct id_findings found = {0};

    for (size_t i = 0; i < a->ids.n; i++) {
        for (size_t j = 0; j < b->ids.n; j++) {
            const struct match_id *x = &a->ids.items[i], *y = &b->ids.items[j];

            if (ids_agree(x, y)) {
                const bool is_part = x->is_last_four || y->is_last_four;

                found.is_last_four |= is_part;
                found.is_whole |= !is_part;
                found.is_own |= x->is_own || y->is_own;
            }
        }
    }
    return found;
}

/* ---- confirmations ---- */

static bool
has_text(const struct span_list *texts, struct span text)
{
    for (size_t i = 0; i < texts->n; i++) {
        if (span_eq(texts->items[i], text)) {
            return true;
        }
    }
    return false;
}

static bool
is_telecom_shared(const struct match_person *a, const struct match_person *b)
{
    for (size_t i = 0; i < a->telecoms.n; i++) {
        if (has_text(&b->telecoms, a->telecoms.items[i])) {
            return true;
        }
    }
    return false;
}

/* The same house: street, and postal code or city and state. */
static bool
is_same_house(const struct match_place *a, const struct match_place *b)
{
    const bool is_code = a->postal_code.n > 0 && span_eq(a->postal_code, b->postal_code);
    const bool is_town =
        a->city.n > 0 && a->state.n > 0 && span_eq(a->city, b->city) && span_eq(a->state, b->state);

    return a->street.n > 0 && span_eq(a->street, b->street) && (is_code || is_town);
}

static bool
is_house_shared(const struct match_person *a, const struct match_person *b)
{
    for (size_t i = 0; i < a->addresses.n; i++) {
        for (size_t j = 0; j < b->addresses.n; j++) {
            if (is_same_house(&a->addresses.items[i], &b->addresses.items[j])) {
                return true;
            }
        }
    }
    return false;
}

/* A household shares its address and telephone: they confirm who has the given name, too. A name
 * that differs wholly takes an identifier. */
static enum match_rule
confirm(enum match_rule rule, const struct match_person *a, const struct match_person *b)
{
    const struct id_findings ids = find_shared_ids(a, b);
    const bool is_any = ids.is_whole || is_telecom_shared(a, b) || is_house_shared(a, b);
    const bool is_sex_given = a->sex.n > 0 && b->sex.n > 0;

    switch (rule) {
    case MATCH_RULE_AGREES:
        return is_any || ids.is_last_four ? MATCH_RULE_AGREES_CONFIRMED : rule;
    case MATCH_RULE_FAMILY_NAME_PART:
        return is_any ? MATCH_RULE_FAMILY_NAME_PART_CONFIRMED : rule;
    case MATCH_RULE_BIRTH_RANGE:
        return is_any ? MATCH_RULE_BIRTH_RANGE_CONFIRMED : rule;
    case MATCH_RULE_FAMILY_NAME_CHANGED:
        return ids.is_whole ? MATCH_RULE_FAMILY_NAME_CHANGED_CONFIRMED : rule;
    case MATCH_RULE_NAMES_EXCHANGED:
        return ids.is_whole && is_sex_given ? MATCH_RULE_NAMES_EXCHANGED_CONFIRMED : rule;
    case MATCH_RULE_NO_NAME:
    case MATCH_RULE_NO_BIRTH_DATE:
    case MATCH_RULE_ONLY_INITIAL:
        return ids.is_own ? MATCH_RULE_OWN_IDENTIFIER : rule;
    default:
        return rule;
    }
}

enum match_rule
match_compare(const struct match_person *a, const struct match_person *b)
{
    const enum match_rule rule = match_compare_demographics(a, b);

    if (match_rule_verdict(rule) == MATCH_DIFFERENT) {
        return rule;
    }
    return ids_contradict(a, b) ? MATCH_RULE_IDENTIFIER : confirm(rule, a, b);
}
