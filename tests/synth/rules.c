/*
 * The stated matching rules over a handful of subjects: simple loops, no index. Called by the
 * generator (to check that its people are what they were made to be) and by `synth popular`.
 */
#include "tests/synth/rules.h"

#include "tests/synth/spelling.h"

#define BIRTH_DIGITS 8

struct status
rules_prepare(struct arena *arena, struct rules_subject *subject, struct diag *diag)
{
    for (size_t i = 0; i < subject->names_n; i++) {
        struct rules_name *name = &subject->names[i];

        TRY(spelling_fold(arena, name->family, diag, &name->family));
        for (size_t j = 0; j < name->given_n; j++) {
            TRY(spelling_fold(arena, name->given[j], diag, &name->given[j]));
        }
    }
    return OK;
}

/* A further given name, or its initial. */
static bool
further_agrees(struct span a, struct span b)
{
    if (a.n == 0 || b.n == 0) {
        return true;
    }
    if (a.n == 1 || b.n == 1) {
        return a.p[0] == b.p[0];
    }
    return span_eq(a, b);
}

static bool
names_agree(const struct rules_name *a, const struct rules_name *b)
{
    if (a->family.n == 0 || !span_eq(a->family, b->family)) {
        return false;
    }
    if (a->given_n == 0 || b->given_n == 0 || a->given[0].n == 0 ||
        !span_eq(a->given[0], b->given[0])) {
        return false;
    }
    for (size_t i = 1; i < a->given_n && i < b->given_n; i++) {
        if (!further_agrees(a->given[i], b->given[i])) {
            return false;
        }
    }
    return true;
}

static bool
has_birth_date(const struct rules_subject *subject)
{
    for (size_t i = 0; i < BIRTH_DIGITS; i++) {
        if (i >= subject->birth.n || subject->birth.p[i] < '0' || subject->birth.p[i] > '9') {
            return false;
        }
    }
    return true;
}

bool
rules_agree(const struct rules_subject *a, const struct rules_subject *b)
{
    if (!has_birth_date(a) || !has_birth_date(b) ||
        !span_eq(span_slice(a->birth, 0, BIRTH_DIGITS), span_slice(b->birth, 0, BIRTH_DIGITS))) {
        return false;
    }
    if (a->sex.n > 0 && b->sex.n > 0 && !span_eq(a->sex, b->sex)) {
        return false;
    }
    for (size_t i = 0; i < a->names_n; i++) {
        for (size_t j = 0; j < b->names_n; j++) {
            if (names_agree(&a->names[i], &b->names[j])) {
                return true;
            }
        }
    }
    return false;
}

static bool
same_id(const struct rules_id *a, const struct rules_id *b)
{
    return span_eq(a->root, b->root) && span_eq(a->extension, b->extension);
}

static bool
carries(const struct rules_subject *subject, const struct rules_id *id)
{
    for (size_t i = 0; i < subject->ids_n; i++) {
        if (same_id(&subject->ids[i], id)) {
            return true;
        }
    }
    return false;
}

static bool
is_believable(const struct rules_subject *subjects, size_t n, const struct rules_id *id)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n && carries(&subjects[i], id); j++) {
            if (carries(&subjects[j], id) && !rules_agree(&subjects[i], &subjects[j])) {
                return false;
            }
        }
    }
    return true;
}

/* The subject with only those ids that can be believed. */
static struct rules_subject
believed(const struct rules_subject *subjects, size_t n, size_t which)
{
    struct rules_subject subject = subjects[which];

    subject.ids_n = 0;
    for (size_t i = 0; i < subjects[which].ids_n; i++) {
        if (is_believable(subjects, n, &subjects[which].ids[i])) {
            subject.ids[subject.ids_n++] = subjects[which].ids[i];
        }
    }
    return subject;
}

static bool
authority_contradicts(const struct rules_subject *a, const struct rules_subject *b,
                      struct span root)
{
    bool is_in_b = false;

    for (size_t i = 0; i < b->ids_n; i++) {
        is_in_b = is_in_b || span_eq(b->ids[i].root, root);
    }
    for (size_t i = 0; i < a->ids_n && is_in_b; i++) {
        if (span_eq(a->ids[i].root, root) && carries(b, &a->ids[i])) {
            return false;
        }
    }
    return is_in_b;
}

static bool
are_same_person(const struct rules_subject *a, const struct rules_subject *b)
{
    if (!rules_agree(a, b)) {
        return false;
    }
    for (size_t i = 0; i < a->ids_n; i++) {
        if (authority_contradicts(a, b, a->ids[i].root)) {
            return false;
        }
    }
    return true;
}

static void
join(size_t *persons, size_t n, size_t a, size_t b)
{
    const size_t from = a < b ? b : a;
    const size_t to = a < b ? a : b;

    for (size_t i = 0; i < n; i++) {
        if (persons[i] == from) {
            persons[i] = to;
        }
    }
}

struct status
rules_group(struct arena *arena, const struct rules_subject *subjects, size_t n, struct diag *diag,
            size_t *ret_persons, bool *ret_is_clear)
{
    struct rules_subject *checked = NULL;

    TRY(ARENA_ARRAY(arena, n, diag, &checked));
    for (size_t i = 0; i < n; i++) {
        checked[i] = believed(subjects, n, i);
        ret_persons[i] = i;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            if (are_same_person(&checked[i], &checked[j])) {
                join(ret_persons, n, ret_persons[i], ret_persons[j]);
            }
        }
    }
    *ret_is_clear = true;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            if (ret_persons[i] == ret_persons[j] && !are_same_person(&checked[i], &checked[j])) {
                *ret_is_clear = false;
            }
        }
    }
    return OK;
}

const char *
rules_answer_name(enum rules_answer answer)
{
    switch (answer) {
    case RULES_MATCH:
        return "match";
    case RULES_AMBIGUOUS:
        return "ambiguous";
    case RULES_NO_MATCH:
        break;
    }
    return "no-match";
}

enum rules_answer
rules_ask(const struct rules_subject *question, const struct rules_subject *subjects,
          const size_t *persons, size_t n, size_t *ret_person)
{
    enum rules_answer answer = RULES_NO_MATCH;

    for (size_t i = 0; i < n; i++) {
        if (!rules_agree(question, &subjects[i])) {
            continue;
        }
        if (answer == RULES_NO_MATCH) {
            answer = RULES_MATCH;
            *ret_person = persons[i];
        } else if (persons[i] != *ret_person) {
            return RULES_AMBIGUOUS;
        }
    }
    return answer;
}
