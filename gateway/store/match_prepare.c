/*
 * A person folded for comparing, and what nobody should believe of anybody left out (match.h).
 * Called by the store's engines and by who compares an answer with its question, on the thread of
 * that call. The arena given owns everything that is made.
 */
#include <string.h>

#include "base/text.h"
#include "store/match_parts.h"

#define ZIP_DIGITS 5
#define ZIP_MORE   4
#define LAST_FOUR  4

struct preparer {
    struct arena *arena;
    struct diag *diag;
};

/* ---- names ---- */

static unsigned
generation_of(struct span folded)
{
    static const struct {
        const char *text;
        unsigned generation;
    } generations[] = {{"sr", 1},  {"snr", 1},    {"senior", 1}, {"i", 1},   {"1st", 1}, {"jr", 2},
                       {"jnr", 2}, {"junior", 2}, {"ii", 2},     {"2nd", 2}, {"iii", 3}, {"3rd", 3},
                       {"iv", 4},  {"4th", 4},    {"v", 5},      {"5th", 5}};

    for (size_t i = 0; i < ARRAY_LEN(generations); i++) {
        if (span_eq_cstr(folded, generations[i].text)) {
            return generations[i].generation;
        }
    }
    return 0;
}

/* The last word of <text> when it is such a suffix behind another word: "Smith Jr". One letter may
 * be an initial, so it is none. */
static struct status
take_generation(const struct preparer *p, struct span *text, unsigned *generation)
{
    const struct span trimmed = span_trim(*text);
    size_t at = trimmed.n;
    struct span folded;

    while (at > 0 && trimmed.p[at - 1] != ' ' && trimmed.p[at - 1] != ',') {
        at--;
    }
    TRY(text_fold(p->arena, span_slice(trimmed, at, trimmed.n), p->diag, &folded));
    const unsigned found = folded.n > 1 ? generation_of(folded) : 0;

    if (at > 0 && found > 0) {
        *generation = *generation == 0 ? found : *generation;
        *text = span_trim(span_slice(trimmed, 0, at));
        while (text->n > 0 && text->p[text->n - 1] == ',') {
            text->n--;
        }
    }
    return OK;
}

/* Suffixes of several words: "Jr MD". */
static struct status
read_suffix(const struct preparer *p, struct span suffix, unsigned *generation)
{
    struct span word, folded;

    while (*generation == 0 && suffix.n > 0 && span_split(&suffix, ' ', &word)) {
        TRY(text_fold(p->arena, word, p->diag, &folded));
        *generation = generation_of(folded);
    }
    return OK;
}

/* Names that say that there is none. */
static bool
is_placeholder(const struct folded_name *name)
{
    static const char *const given[] = {
        "baby",      "babyboy",    "babygirl", "boy",    "girl", "newborn", "infant",
        "infantboy", "infantgirl", "male",     "female", "twin", "twina",   "twinb",
        "unknown",   "unk",        "unnamed",  "fnu",    "nfn",  "noname",  "nofirstname",
        "test",      "patient",    "na",       "none"};
    static const char *const family[] = {"unknown",    "unk",  "lnu",     "nln", "noname",
                                         "nolastname", "test", "patient", "none"};
    const struct span first = name->given.items[0];

    return match_is_among(name->all_given, given, ARRAY_LEN(given)) ||
           match_is_among(first, given, ARRAY_LEN(given)) ||
           match_is_among(name->family, family, ARRAY_LEN(family)) ||
           (span_eq_cstr(name->family, "doe") &&
            (span_eq_cstr(first, "john") || span_eq_cstr(first, "jane")));
}

/* HL7 codes, separated by white space. */
static bool
has_use(struct span use, const char *const *codes, size_t n)
{
    struct span code;

    while (use.n > 0 && span_split(&use, ' ', &code)) {
        if (match_is_among(code, codes, n)) {
            return true;
        }
    }
    return false;
}

/* The given names without a suffix at their end, which may be an element of its own. */
static struct status
take_given(const struct preparer *p, const struct span_list *given, unsigned *generation,
           struct span_list *ret_given)
{
    struct span_list taken = {0};

    for (size_t i = 0; i < given->n; i++) {
        struct span word = given->items[i], folded;

        if (i + 1 == given->n) {
            TRY(take_generation(p, &word, generation));
            TRY(text_fold(p->arena, word, p->diag, &folded));
            if (i > 0 && folded.n > 1 && generation_of(folded) > 0) {
                *generation = *generation == 0 ? generation_of(folded) : *generation;
                break;
            }
        }
        TRY(ARENA_PUSH(p->arena, p->diag, &taken, word));
    }
    *ret_given = taken;
    return OK;
}

static struct status
fold_name(const struct preparer *p, const struct person_name *name, struct match_name *ret_name)
{
    struct match_name prepared = {.generation = 0};
    struct person_name plain = *name;

    TRY(read_suffix(p, name->suffix, &prepared.generation));
    TRY(take_generation(p, &plain.family, &prepared.generation));
    TRY(take_given(p, &name->given, &prepared.generation, &plain.given));
    TRY(folded_name_make(&plain, p->arena, p->diag, &prepared.folded));
    *ret_name = prepared;
    return OK;
}

static struct status
prepare_name(const struct preparer *p, const struct person_name *name, struct match_person *person)
{
    static const char *const searched[] = {"SRCH", "SNDX", "PHON", "ASGN"}; /* nobody's own name */
    static const char *const aliases[] = {"P", "A", "R"};
    struct match_name prepared;

    if (has_use(name->use, searched, ARRAY_LEN(searched))) {
        return OK;
    }
    TRY(fold_name(p, name, &prepared));
    prepared.is_alias = has_use(name->use, aliases, ARRAY_LEN(aliases));
    if (prepared.folded.family.n == 0 || prepared.folded.given.n == 0) {
        return OK; /* nothing that could be compared */
    }
    if (is_placeholder(&prepared.folded)) {
        person->has_placeholder = true;
        return OK;
    }
    return ARENA_PUSH(p->arena, p->diag, &person->names, prepared);
}

/* ---- identifiers ---- */

static struct status
prepare_id(const struct preparer *p, const struct ident *id, struct match_person *person)
{
    struct match_id prepared = {.root = id->root};

    if (id->extension.n == 0) {
        return OK; /* a bare root names an authority or a document, not a person in it */
    }
    TRY(match_id_key(id->extension, p->arena, p->diag, &prepared.key));
    if (!match_id_is_believable(id->root, prepared.key)) {
        return OK;
    }
    if (match_id_is_last_four(id->root, prepared.key)) {
        prepared.is_last_four = true;
        prepared.key = span_slice(prepared.key, prepared.key.n - LAST_FOUR, LAST_FOUR);
    }
    return ARENA_PUSH(p->arena, p->diag, &person->ids, prepared);
}

struct status
match_person_own(struct match_person *person, struct span root, struct span extension,
                 struct arena *arena, struct diag *diag)
{
    struct match_id own = {.root = root, .is_own = true};

    TRY(match_id_key(extension, arena, diag, &own.key));
    return ARENA_PUSH(arena, diag, &person->ids, own);
}

static struct status
prepare_care_provider(const struct preparer *p, const struct ident *id, struct match_person *person)
{
    struct match_id prepared = {.root = id->root};

    if (id->extension.n == 0) {
        return OK;
    }
    TRY(match_id_key(id->extension, p->arena, p->diag, &prepared.key));
    if (!match_id_is_believable(prepared.root, prepared.key)) {
        return OK;
    }
    return ARENA_PUSH(p->arena, p->diag, &person->care_providers, prepared);
}

/* ---- where somebody is to be found ---- */

static struct status
fold_street(const struct preparer *p, const struct span_list *street, struct span *ret_folded)
{
    struct span joined = SPAN_EMPTY;

    for (size_t i = 0; i < street->n; i++) {
        TRY(arena_printf(p->arena, p->diag, &joined, "%.*s%.*s", SPAN_PRINT(joined),
                         SPAN_PRINT(street->items[i])));
    }
    return text_fold(p->arena, joined, p->diag, ret_folded);
}

/* 02139-4307 is in 02139. */
static struct span
postal_area(struct span folded)
{
    return folded.n == ZIP_DIGITS + ZIP_MORE && match_are_digits(folded)
               ? span_slice(folded, 0, ZIP_DIGITS)
               : folded;
}

static struct status
prepare_place(const struct preparer *p, const struct address *address,
              struct match_place_list *places)
{
    struct match_place place = {.street = SPAN_EMPTY};

    TRY(fold_street(p, &address->street, &place.street));
    TRY(text_fold(p->arena, address->city, p->diag, &place.city));
    TRY(text_fold(p->arena, address->state, p->diag, &place.state));
    TRY(text_fold(p->arena, address->postal_code, p->diag, &place.postal_code));
    TRY(text_fold(p->arena, address->country, p->diag, &place.country));
    place.postal_code = postal_area(place.postal_code);
    if (place.city.n == 0 && place.state.n == 0 && place.postal_code.n == 0 &&
        place.country.n == 0) {
        return OK; /* a street without a place is nowhere */
    }
    return ARENA_PUSH(p->arena, p->diag, places, place);
}

/* tel:+1-555-555-2003 and (555) 555 2003 are one number; a scheme says nothing about the person. */
static struct status
prepare_telecom(const struct preparer *p, const struct telecom *telecom,
                struct match_person *person)
{
    const size_t colon = span_find_char(telecom->value, ':');
    const struct span value = colon == SPAN_MISSING
                                  ? telecom->value
                                  : span_slice(telecom->value, colon + 1, telecom->value.n);
    const bool is_mail = span_find_char(value, '@') != SPAN_MISSING;
    struct span key;

    TRY(text_fold(p->arena, value, p->diag, &key));
    if (!is_mail && key.n == 11 && match_are_digits(key) && key.p[0] == '1') {
        key = span_slice(key, 1, 10);
    }
    if (!is_mail && (key.n < 7 || !match_are_digits(key) || match_is_one_character(key))) {
        return OK; /* no number, or one that nobody has */
    }
    return key.n == 0 ? OK : ARENA_PUSH(p->arena, p->diag, &person->telecoms, key);
}

static struct status
push_folded(const struct preparer *p, struct span text, struct span_list *list)
{
    struct span folded;

    TRY(text_fold(p->arena, text, p->diag, &folded));
    return folded.n == 0 ? OK : ARENA_PUSH(p->arena, p->diag, list, folded);
}

/* ---- all of it ---- */

static struct status
check_counts(const struct patient *patient, struct diag *diag)
{
    const struct {
        size_t n;
        const char *what;
    } counts[] = {{patient->names.n, "names"},
                  {patient->ids.n, "ids"},
                  {patient->addresses.n, "addresses"},
                  {patient->telecoms.n, "telecoms"},
                  {patient->mothers_maiden_names.n, "mother's maiden names"},
                  {patient->birth_place_names.n, "names of a birth place"},
                  {patient->birth_place_addresses.n, "addresses of a birth place"},
                  {patient->care_providers.n, "care providers"}};

    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        if (counts[i].n > MATCH_ITEMS_MAX) {
            return FAIL(diag, ERR_MESSAGE_CONTENT, "a person may have %d %s; this one has %zu",
                        MATCH_ITEMS_MAX, counts[i].what, counts[i].n);
        }
    }
    return OK;
}

static struct status
prepare_whereabouts(const struct preparer *p, const struct patient *patient,
                    struct match_person *person)
{
    for (size_t i = 0; i < patient->addresses.n; i++) {
        TRY(prepare_place(p, &patient->addresses.items[i], &person->addresses));
    }
    for (size_t i = 0; i < patient->telecoms.n; i++) {
        TRY(prepare_telecom(p, &patient->telecoms.items[i], person));
    }
    for (size_t i = 0; i < patient->care_providers.n; i++) {
        TRY(prepare_care_provider(p, &patient->care_providers.items[i], person));
    }
    return OK;
}

static struct status
prepare_birth(const struct preparer *p, const struct patient *patient, struct match_person *person)
{
    person->birth_order = patient->birth_order;
    for (size_t i = 0; i < patient->mothers_maiden_names.n; i++) {
        TRY(push_folded(p, patient->mothers_maiden_names.items[i].family, &person->mothers_names));
    }
    for (size_t i = 0; i < patient->birth_place_names.n; i++) {
        TRY(push_folded(p, patient->birth_place_names.items[i], &person->birth_places));
    }
    for (size_t i = 0; i < patient->birth_place_addresses.n; i++) {
        TRY(prepare_place(p, &patient->birth_place_addresses.items[i], &person->birth_addresses));
    }
    person->birth_date = match_birth_date(patient->birth_time);
    return OK;
}

bool
match_is_too_much(const struct patient *patient)
{
    struct diag ignored = {0};

    return !is_ok(check_counts(patient, &ignored));
}

struct status
match_prepare(const struct patient *patient, const bool *is_unreliable, struct arena *arena,
              struct diag *diag, struct match_person *ret_person)
{
    const struct preparer p = {arena, diag};
    struct match_person person = {.sex = patient->sex};

    TRY(check_counts(patient, diag));
    for (size_t i = 0; i < patient->names.n; i++) {
        TRY(prepare_name(&p, &patient->names.items[i], &person));
    }
    for (size_t i = 0; i < patient->ids.n; i++) {
        if (is_unreliable == NULL || !is_unreliable[i]) {
            TRY(prepare_id(&p, &patient->ids.items[i], &person));
        }
    }
    TRY(prepare_whereabouts(&p, patient, &person));
    TRY(prepare_birth(&p, patient, &person));
    *ret_person = person;
    return OK;
}

/* A range of one day is a day. */
struct status
match_prepare_question(const struct patient *patient, const bool *is_unreliable,
                       struct arena *arena, struct diag *diag, struct match_person *ret_person)
{
    struct match_person person;

    TRY(match_prepare(patient, is_unreliable, arena, diag, &person));
    if (person.birth_date.n == 0) {
        match_read_range(patient, &person);
    }
    if (person.birth_low[0] != '\0' && strcmp(person.birth_low, person.birth_high) == 0) {
        TRY(arena_dup(arena, match_birth_date(span_of_cstr(person.birth_low)), diag,
                      &person.birth_date));
        person.birth_low[0] = person.birth_high[0] = '\0';
    }
    *ret_person = person;
    return OK;
}

static struct status
push_key(const struct preparer *p, struct span key, struct span_list *keys)
{
    for (size_t i = 0; i < keys->n; i++) {
        if (span_eq(keys->items[i], key)) {
            return OK;
        }
    }
    return ARENA_PUSH(p->arena, p->diag, keys, key);
}

struct status
match_family_keys(const struct match_person *person, struct arena *arena, struct diag *diag,
                  struct span_list *ret_keys)
{
    const struct preparer p = {arena, diag};
    struct span_list keys = {0};

    for (size_t i = 0; i < person->names.n; i++) {
        const struct folded_name *name = &person->names.items[i].folded;

        TRY(push_key(&p, name->family, &keys));
        TRY(push_key(&p, name->family_spelled, &keys));
        for (size_t k = 0; k < name->family_parts.n; k++) {
            TRY(push_key(&p, name->family_parts.items[k], &keys));
        }
    }
    *ret_keys = keys;
    return OK;
}
