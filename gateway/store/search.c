/*
 * See search.h. Called by the store's engines on the thread of their call; allocates in the
 * caller's arena only.
 */
#include "store/search.h"

/* ---- preparing ---- */

struct preparer {
    struct arena *arena;
    struct diag *diag;
};

/* Without the '*' at its end. */
static struct status
take_part(const struct preparer *p, struct span *part, bool *is_prefix)
{
    struct span text = span_trim(*part);

    if (span_ends_with(text, SPAN("*"))) {
        text = span_trim(span_slice(text, 0, text.n - 1));
        *is_prefix = true;
    }
    if (span_find(text, SPAN("*")) != SPAN_MISSING) {
        return FAIL(p->diag, ERR_MESSAGE_CONTENT,
                    "a name has a '*' that is not at its end; names are searched for by how they "
                    "begin");
    }
    *part = text;
    return OK;
}

static struct status
check_pattern(const struct preparer *p, struct span folded)
{
    return folded.n > 0 && folded.n < SEARCH_PATTERN_LEAST
               ? FAIL(p->diag, ERR_MESSAGE_CONTENT,
                      "a name is searched for by %zu letters; a pattern needs %d", folded.n,
                      SEARCH_PATTERN_LEAST)
               : OK;
}

static bool
is_pattern(struct span use)
{
    struct span word;

    while (span_split(&use, ' ', &word)) {
        if (span_eq_cstr(word, "SRCH")) {
            return true;
        }
    }
    return false;
}

static struct status
prepare_name(const struct preparer *p, const struct person_name *asked, struct search *search)
{
    struct person_name plain = *asked;
    struct search_name name = {.is_family_prefix = is_pattern(asked->use),
                               .is_given_prefix = is_pattern(asked->use)};

    plain.given = (struct span_list){0};
    TRY(take_part(p, &plain.family, &name.is_family_prefix));
    for (size_t i = 0; i < asked->given.n; i++) {
        struct span given = asked->given.items[i];

        TRY(take_part(p, &given, &name.is_given_prefix));
        TRY(ARENA_PUSH(p->arena, p->diag, &plain.given, given));
    }
    TRY(folded_name_make(&plain, p->arena, p->diag, &name.folded));
    if (name.is_family_prefix) {
        TRY(check_pattern(p, name.folded.family));
    }
    if (name.folded.family.n == 0 && name.folded.given.n == 0) {
        return OK; /* letters that fold to nothing: nobody is called so */
    }
    return ARENA_PUSH(p->arena, p->diag, &search->names, name);
}

struct status
search_prepare(const struct patient *asked, const bool *is_unreliable, struct arena *arena,
               struct diag *diag, struct search *ret_search)
{
    const struct preparer p = {arena, diag};
    struct search search = {.asked = asked};
    struct patient nameless = *asked;

    nameless.names = (struct name_list){0};
    TRY(match_prepare_question(&nameless, is_unreliable, arena, diag, &search.person));
    for (size_t i = 0; i < asked->names.n; i++) {
        TRY(prepare_name(&p, &asked->names.items[i], &search));
    }
    *ret_search = search;
    return OK;
}

/* ---- holding ---- */

static bool
family_holds(const struct search_name *asked, const struct folded_name *has)
{
    if (asked->folded.family.n == 0) {
        return true;
    }
    if (!asked->is_family_prefix) {
        return folded_families_agree(&asked->folded, has) ||
               folded_family_is_part(&asked->folded, has);
    }
    if (span_starts_with(has->family, asked->folded.family) ||
        span_starts_with(has->family_spelled, asked->folded.family)) {
        return true;
    }
    for (size_t i = 0; i < has->family_parts.n; i++) {
        if (span_starts_with(has->family_parts.items[i], asked->folded.family)) {
            return true;
        }
    }
    return false;
}

static bool
given_holds(const struct search_name *asked, const struct folded_name *has)
{
    const struct span_list *words = &asked->folded.given;

    if (words->n == 0) {
        return true;
    }
    if (words->n > has->given.n) {
        return false;
    }
    for (size_t i = 0; i < words->n; i++) {
        if (!(asked->is_given_prefix ? span_starts_with(has->given.items[i], words->items[i])
                                     : folded_words_agree(words->items[i], has->given.items[i]))) {
            return false;
        }
    }
    return true;
}

static bool
names_hold(const struct search *search, const struct match_person *person)
{
    for (size_t i = 0; i < search->names.n; i++) {
        for (size_t k = 0; k < person->names.n; k++) {
            const struct folded_name *has = &person->names.items[k].folded;

            if (family_holds(&search->names.items[i], has) &&
                given_holds(&search->names.items[i], has)) {
                return true;
            }
        }
    }
    return search->asked->names.n == 0;
}

static bool
is_same_id(const struct match_id *asked, const struct match_id *has)
{
    if (!span_eq(asked->root, has->root)) {
        return false;
    }
    return asked->is_last_four
               ? span_ends_with(has->key, span_slice(asked->key, asked->key.n - 4, asked->key.n))
               : span_eq(asked->key, has->key);
}

static bool
shares_id(const struct match_id *asked, size_t asked_n, const struct match_id *has, size_t has_n)
{
    for (size_t i = 0; i < asked_n; i++) {
        for (size_t k = 0; k < has_n; k++) {
            if (is_same_id(&asked[i], &has[k])) {
                return true;
            }
        }
    }
    return false;
}

static bool
birth_holds(const struct search *search, const struct match_person *person)
{
    const struct patient *asked = search->asked;
    const struct match_person *who = &search->person;
    const bool is_asked =
        asked->birth_time.n > 0 || asked->birth_range.low.n > 0 || asked->birth_range.high.n > 0;

    if (!is_asked) {
        return true;
    }
    if (who->birth_date.n > 0) {
        return span_eq(who->birth_date, person->birth_date);
    }
    return who->birth_low[0] != '\0' && person->birth_date.n > 0 &&
           span_compare(person->birth_date, span_of_cstr(who->birth_low)) >= 0 &&
           span_compare(person->birth_date, span_of_cstr(who->birth_high)) <= 0;
}

static bool
part_holds(struct span asked, struct span has)
{
    return asked.n == 0 || span_eq(asked, has);
}

static bool
place_holds(const struct match_place_list *asked, size_t asked_n,
            const struct match_place_list *has)
{
    for (size_t i = 0; i < asked->n; i++) {
        const struct match_place *a = &asked->items[i];

        for (size_t k = 0; k < has->n; k++) {
            const struct match_place *h = &has->items[k];

            if (part_holds(a->street, h->street) && part_holds(a->city, h->city) &&
                part_holds(a->state, h->state) && part_holds(a->postal_code, h->postal_code) &&
                part_holds(a->country, h->country)) {
                return true;
            }
        }
    }
    return asked_n == 0;
}

static bool
text_holds(const struct span_list *asked, size_t asked_n, const struct span_list *has)
{
    for (size_t i = 0; i < asked->n; i++) {
        for (size_t k = 0; k < has->n; k++) {
            if (span_eq(asked->items[i], has->items[k])) {
                return true;
            }
        }
    }
    return asked_n == 0;
}

/* REQ: ITI47-parameters-used */
bool
search_holds(const struct search *search, const struct match_person *person)
{
    const struct patient *asked = search->asked;
    const struct match_person *who = &search->person;

    return names_hold(search, person) && birth_holds(search, person) &&
           (asked->ids.n == 0 ||
            shares_id(who->ids.items, who->ids.n, person->ids.items, person->ids.n)) &&
           (asked->sex.n == 0 || span_eq_nocase(asked->sex, person->sex)) &&
           place_holds(&who->addresses, asked->addresses.n, &person->addresses) &&
           text_holds(&who->telecoms, asked->telecoms.n, &person->telecoms) &&
           text_holds(&who->mothers_names, asked->mothers_maiden_names.n, &person->mothers_names) &&
           text_holds(&who->birth_places, asked->birth_place_names.n, &person->birth_places) &&
           place_holds(&who->birth_addresses, asked->birth_place_addresses.n,
                       &person->birth_addresses) &&
           (asked->care_providers.n == 0 ||
            shares_id(who->care_providers.items, who->care_providers.n,
                      person->care_providers.items, person->care_providers.n));
}
