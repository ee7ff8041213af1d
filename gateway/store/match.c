/*
 * The rules by which two descriptions are the same person (match.h says them in words). Called by
 * the store's engines when a document is put and when a partner asks for a patient, on the thread
 * of that call. The arena given to match_prepare owns everything; comparing allocates nothing.
 */
#include "store/match.h"

#include <assert.h>

#include "base/text.h"

#define BIRTH_DATE_DIGITS 8

const char *
match_rule_name(enum match_rule rule)
{
#define MATCH_RULE_ROW(name, verdict, text) #name,
    static const char *const names[] = {MATCH_RULES(MATCH_RULE_ROW)};
#undef MATCH_RULE_ROW
    assert(rule < MATCH_RULE_COUNT);
    return names[rule];
}

const char *
match_rule_text(enum match_rule rule)
{
#define MATCH_RULE_ROW(name, verdict, text) text,
    static const char *const texts[] = {MATCH_RULES(MATCH_RULE_ROW)};
#undef MATCH_RULE_ROW
    assert(rule < MATCH_RULE_COUNT);
    return texts[rule];
}

enum match_verdict
match_rule_verdict(enum match_rule rule)
{
#define MATCH_RULE_ROW(name, verdict, text) MATCH_##verdict,
    static const enum match_verdict verdicts[] = {MATCH_RULES(MATCH_RULE_ROW)};
#undef MATCH_RULE_ROW
    assert(rule < MATCH_RULE_COUNT);
    return verdicts[rule];
}

/* ---- preparing ---- */

struct span
match_birth_date(struct span birth_time)
{
    if (birth_time.n < BIRTH_DATE_DIGITS) {
        return SPAN_EMPTY;
    }
    for (size_t i = 0; i < BIRTH_DATE_DIGITS; i++) {
        if (birth_time.p[i] < '0' || birth_time.p[i] > '9') {
            return SPAN_EMPTY;
        }
    }
    return span_slice(birth_time, 0, BIRTH_DATE_DIGITS);
}

struct status
match_id_key(struct span extension, struct arena *arena, struct diag *diag, struct span *ret_key)
{
    struct span key;

    TRY(text_fold(arena, extension, diag, &key));
    *ret_key = key.n > 0 ? key : extension; /* only punctuation, or not UTF-8: as it is */
    return OK;
}

static struct status
prepare_name(const struct person_name *name, struct arena *arena, struct diag *diag,
             struct match_person *person)
{
    struct folded_name folded;

    TRY(folded_name_make(name, arena, diag, &folded));
    if (folded.family.n == 0 || folded.given.n == 0) {
        return OK; /* nothing that could be compared */
    }
    return ARENA_PUSH(arena, diag, &person->names, folded);
}

struct status
match_prepare(const struct patient *patient, const bool *is_unreliable, struct arena *arena,
              struct diag *diag, struct match_person *ret_person)
{
    struct match_person person = {0};

    if (patient->names.n > MATCH_ITEMS_MAX || patient->ids.n > MATCH_ITEMS_MAX) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "a person may have %d names and %d ids; this one has %zu and %zu",
                    MATCH_ITEMS_MAX, MATCH_ITEMS_MAX, patient->names.n, patient->ids.n);
    }
    person.birth_date = match_birth_date(patient->birth_time);
    person.sex = patient->sex;
    for (size_t i = 0; i < patient->names.n; i++) {
        TRY(prepare_name(&patient->names.items[i], arena, diag, &person));
    }
    for (size_t i = 0; i < patient->ids.n; i++) {
        const struct ident *id = &patient->ids.items[i];
        struct match_id prepared = {id->root, SPAN_EMPTY};

        if (id->extension.n == 0 || (is_unreliable != NULL && is_unreliable[i])) {
            continue; /* a bare root names an authority or a document, not a person in it */
        }
        TRY(match_id_key(id->extension, arena, diag, &prepared.key));
        TRY(ARENA_PUSH(arena, diag, &person.ids, prepared));
    }
    *ret_person = person;
    return OK;
}

/* ---- comparing ---- */

static bool
names_equal(const struct folded_name *a, const struct folded_name *b)
{
    return span_eq(a->family, b->family) && span_eq(a->all_given, b->all_given);
}

static bool
has_name(const struct match_person *person, const struct folded_name *name)
{
    for (size_t i = 0; i < person->names.n; i++) {
        if (names_equal(&person->names.items[i], name)) {
            return true;
        }
    }
    return false;
}

/* How far the closest pair of names agrees, and whether any pair contradicts. */
struct name_findings {
    bool is_family, is_initial, is_first, is_contradicted;
};

static void
compare_names(const struct match_person *a, const struct match_person *b,
              const struct folded_name *x, const struct folded_name *y, struct name_findings *found)
{
    if (!span_eq(x->family, y->family)) {
        return;
    }
    found->is_family = true;
    if (span_eq(x->all_given, y->all_given)) {
        found->is_first = true; /* "Anne-Marie" and "Anne Marie" too */
        return;
    }
    if (!span_eq(x->given.items[0], y->given.items[0])) {
        found->is_initial |= folded_words_agree(x->given.items[0], y->given.items[0]);
        return;
    }
    if (folded_further_agree(x, y)) {
        found->is_first = true;
    } else if (!has_name(b, x) && !has_name(a, y)) {
        /* A name that the other side has word for word is not contradicted by a third one. */
        found->is_contradicted = true;
    }
}

static enum match_rule
compare_all_names(const struct match_person *a, const struct match_person *b)
{
    struct name_findings found = {0};

    for (size_t i = 0; i < a->names.n; i++) {
        for (size_t j = 0; j < b->names.n; j++) {
            compare_names(a, b, &a->names.items[i], &b->names.items[j], &found);
        }
    }
    if (a->names.n == 0 || b->names.n == 0) {
        return MATCH_RULE_NO_NAME;
    }
    if (found.is_contradicted) {
        return MATCH_RULE_FURTHER_GIVEN_NAME;
    }
    if (found.is_first) {
        return MATCH_RULE_AGREES;
    }
    if (found.is_initial) {
        return MATCH_RULE_ONLY_INITIAL;
    }
    return found.is_family ? MATCH_RULE_FIRST_GIVEN_NAME : MATCH_RULE_FAMILY_NAME;
}

enum match_rule
match_compare_demographics(const struct match_person *a, const struct match_person *b)
{
    const bool has_dates = a->birth_date.n > 0 && b->birth_date.n > 0;
    const bool has_sexes = a->sex.n > 0 && b->sex.n > 0;
    const enum match_rule names = compare_all_names(a, b);

    /* What proves a difference comes before what is only missing. */
    if (has_dates && !span_eq(a->birth_date, b->birth_date)) {
        return MATCH_RULE_BIRTH_DATE;
    }
    if (has_sexes && !span_eq_nocase(a->sex, b->sex)) {
        return MATCH_RULE_SEX;
    }
    if (match_rule_verdict(names) == MATCH_DIFFERENT) {
        return names;
    }
    if (!has_dates) {
        return MATCH_RULE_NO_BIRTH_DATE;
    }
    if (names != MATCH_RULE_AGREES) {
        return names;
    }
    return has_sexes ? MATCH_RULE_AGREES : MATCH_RULE_AGREES_WITHOUT_SEX;
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
                is_shared |= span_eq(root, b->ids.items[j].root) &&
                             span_eq(a->ids.items[k].key, b->ids.items[j].key);
            }
        }
        if (is_both && !is_shared) {
            return true;
        }
    }
    return false;
}

enum match_rule
match_compare(const struct match_person *a, const struct match_person *b)
{
    const enum match_rule rule = match_compare_demographics(a, b);

    if (match_rule_verdict(rule) != MATCH_DIFFERENT && ids_contradict(a, b)) {
        return MATCH_RULE_IDENTIFIER;
    }
    return rule;
}
