/*
 * Is the individual of an id_token the person whom a query describes? Pure functions over folded
 * text; called after idtoken_verify. Names agree by the rules of the store's matching
 * (base/person_match.h), so that nobody can be found whom the token does not describe.
 */
#include "base/person_match.h"
#include "base/text.h"
#include "soap/idtoken.h"

#define ZIP_DIGITS 5 /* of the ZIP code before its four digits for a part of a street */

static struct status
differs(const char *what, struct diag *diag)
{
    return FAIL(diag, ERR_IDTOKEN_CONTRADICTION, "the query and the id_token differ in the %s",
                what);
}

static struct status
lacks(const char *what, struct diag *diag)
{
    return FAIL(diag, ERR_IDTOKEN_CONTRADICTION,
                "the query lacks %s, which the id_token has: nothing says that it asks for the "
                "same individual",
                what);
}

/* ---- names ---- */

static struct status
compare_name(const struct folded_name *token, const struct folded_name *asked, struct diag *diag)
{
    if (!span_eq(asked->family, token->family)) {
        return differs("family name", diag);
    }
    if (span_eq(asked->all_given, token->all_given)) {
        return OK; /* "Anne-Marie" and "Anne Marie", too */
    }
    if (!span_eq(asked->given.items[0], token->given.items[0])) {
        return differs("given name", diag);
    }
    return folded_further_agree(asked, token) ? OK : differs("further given name", diag);
}

/* Every name: the store would find somebody by any of them. A name without one of its parts finds
 * nobody. */
static struct status
compare_names(const struct patient *token, const struct patient *query, struct arena *arena,
              struct diag *diag)
{
    struct folded_name of_token;
    size_t compared = 0;

    TRY(folded_name_make(&token->names.items[0], arena, diag, &of_token));
    for (size_t i = 0; i < query->names.n; i++) {
        struct folded_name asked;

        TRY(folded_name_make(&query->names.items[i], arena, diag, &asked));
        if (asked.family.n > 0 && asked.given.n > 0) {
            TRY(compare_name(&of_token, &asked, diag));
            compared++;
        }
    }
    return compared > 0 ? OK : lacks("a name with family and given part", diag);
}

/* ---- addresses ---- */

static bool
is_digits(struct span text)
{
    uint64_t ignored;

    return span_to_u64(text, UINT64_MAX, &ignored);
}

/* 02139 and 02139-4307 are no contradiction. */
static bool
postal_codes_agree(struct span a, struct span b)
{
    const bool is_zip = is_digits(a) && is_digits(b) && (a.n == ZIP_DIGITS || b.n == ZIP_DIGITS) &&
                        (a.n == ZIP_DIGITS + 4 || b.n == ZIP_DIGITS + 4);

    return span_eq(a, b) ||
           (is_zip && span_eq(span_slice(a, 0, ZIP_DIGITS), span_slice(b, 0, ZIP_DIGITS)));
}

static struct status
join(const struct span_list *texts, struct arena *arena, struct diag *diag, struct span *ret_joined)
{
    struct span joined = SPAN_EMPTY;

    for (size_t i = 0; i < texts->n; i++) {
        TRY(arena_printf(arena, diag, &joined, "%.*s%.*s", SPAN_PRINT(joined),
                         SPAN_PRINT(texts->items[i])));
    }
    *ret_joined = joined;
    return OK;
}

struct folded_address {
    struct span street, city, state, postal_code;
};

static struct status
fold_address(const struct address *address, struct arena *arena, struct diag *diag,
             struct folded_address *ret_folded)
{
    struct folded_address folded;
    struct span street;

    TRY(join(&address->street, arena, diag, &street));
    TRY(text_fold(arena, street, diag, &folded.street));
    TRY(text_fold(arena, address->city, diag, &folded.city));
    TRY(text_fold(arena, address->state, diag, &folded.state));
    TRY(text_fold(arena, address->postal_code, diag, &folded.postal_code));
    *ret_folded = folded;
    return OK;
}

/* What contradicts, or NULL. */
static const char *
find_difference(const struct folded_address *a, const struct folded_address *b)
{
    const struct {
        struct span a, b;
        const char *what;
    } parts[] = {{a->city, b->city, "address (city)"},
                 {a->state, b->state, "address (state)"},
                 {a->street, b->street, "address (street)"}};

    if (a->postal_code.n > 0 && b->postal_code.n > 0 &&
        !postal_codes_agree(a->postal_code, b->postal_code)) {
        return "address (postal code)";
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].a.n > 0 && parts[i].b.n > 0 && !span_eq(parts[i].a, parts[i].b)) {
            return parts[i].what;
        }
    }
    return NULL;
}

/* The difference from the current address is named when no address of the token agrees. */
static struct status
compare_address(const struct patient *token, const struct address *asked, struct arena *arena,
                struct diag *diag)
{
    const char *difference = NULL;
    struct folded_address of_query;

    TRY(fold_address(asked, arena, diag, &of_query));
    for (size_t i = 0; i < token->addresses.n; i++) {
        struct folded_address of_token;
        const char *found;

        TRY(fold_address(&token->addresses.items[i], arena, diag, &of_token));
        found = find_difference(&of_token, &of_query);
        if (found == NULL) {
            return OK;
        }
        difference = difference == NULL ? found : difference;
    }
    return difference == NULL ? OK : differs(difference, diag);
}

/* ---- all of it ---- */

static struct status
compare_birth_date(const struct patient *token, const struct patient *query, struct diag *diag)
{
    const struct span asked = span_slice(query->birth_time, 0, 8);

    if (asked.n < 8) {
        return lacks("a full birth date", diag);
    }
    return span_eq(asked, token->birth_time) ? OK : differs("birth date", diag);
}

static bool
is_binary(struct span sex)
{
    return span_eq_nocase(sex, SPAN("F")) || span_eq_nocase(sex, SPAN("M"));
}

struct status
idtoken_compare(const struct idtoken_claims *claims, const struct patient *query,
                struct arena *arena, struct diag *diag)
{
    const struct patient *const token = &claims->patient;

    TRY(compare_names(token, query, arena, diag));
    TRY(compare_birth_date(token, query, diag));
    if (is_binary(token->sex) && is_binary(query->sex) && !span_eq_nocase(token->sex, query->sex)) {
        return differs("sex", diag);
    }
    for (size_t i = 0; i < query->addresses.n; i++) {
        TRY(compare_address(token, &query->addresses.items[i], arena, diag));
    }
    return OK;
}
