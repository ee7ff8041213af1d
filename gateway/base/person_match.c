/*
 * The rules by which names of people agree (see the header). Pure; called by the store's matching
 * and by the check of id_tokens. The caller's arena owns the folded texts; comparing allocates
 * nothing.
 */
#include "base/person_match.h"

#include <string.h>

#include "base/text.h"

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next word of *text; false when there is none. */
static bool
next_word(struct span *text, struct span *ret_word)
{
    size_t n = 0;

    *text = span_trim(*text);
    while (n < text->n && !is_space(text->p[n])) {
        n++;
    }
    return n > 0 && span_take(text, n, ret_word);
}

/* ---- letters ---- */

/* UTF-8 of a letter, what it is written as where there is no such letter, and what it is spelled
 * as. Accents that Unicode takes apart need no row for <plain>: folding drops them. */
struct letter {
    const char *utf8, *plain, *spelled;
};
/* clang-format off */
static const struct letter letters[] = {
    {"\xC3\x84", "A", "Ae"}, {"\xC3\xA4", "a", "ae"}, {"\xC3\x96", "O", "Oe"},
    {"\xC3\xB6", "o", "oe"}, {"\xC3\x9C", "U", "Ue"}, {"\xC3\xBC", "u", "ue"},
    {"A\xCC\x88", "A", "Ae"}, {"a\xCC\x88", "a", "ae"}, {"O\xCC\x88", "O", "Oe"},
    {"o\xCC\x88", "o", "oe"}, {"U\xCC\x88", "U", "Ue"}, {"u\xCC\x88", "u", "ue"},
    {"\xC3\x98", "O", "Oe"}, {"\xC3\xB8", "o", "oe"}, {"\xC3\x85", "A", "Aa"},
    {"\xC3\xA5", "a", "aa"}, {"\xC3\x86", "Ae", "Ae"}, {"\xC3\xA6", "ae", "ae"},
    {"\xC5\x92", "Oe", "Oe"}, {"\xC5\x93", "oe", "oe"}, {"\xC5\x81", "L", "L"},
    {"\xC5\x82", "l", "l"}, {"\xC4\x90", "D", "D"}, {"\xC4\x91", "d", "d"},
    {"\xC3\x90", "D", "D"}, {"\xC3\xB0", "d", "d"}, {"\xC3\x9E", "Th", "Th"},
    {"\xC3\xBE", "th", "th"}, {"\xC4\xB1", "i", "i"}, {"\xC4\xB0", "I", "I"},
};
/* clang-format on */

static const struct letter *
letter_at(struct span text)
{
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (span_starts_with(text, span_of_cstr(letters[i].utf8))) {
            return &letters[i];
        }
    }
    return NULL;
}

/* Folded, with such letters written as <is_spelled> says. */
static struct status
fold(struct span text, bool is_spelled, struct arena *arena, struct diag *diag,
     struct span *ret_folded)
{
    void *written = NULL;
    size_t n = 0;

    TRY(arena_alloc(arena, text.n + 1, diag,
                    &written)); /* no row is shorter than what it becomes */
    while (text.n > 0) {
        const struct letter *letter = letter_at(text);
        const struct span as = letter == NULL ? span_slice(text, 0, 1)
                               : is_spelled   ? span_of_cstr(letter->spelled)
                                              : span_of_cstr(letter->plain);
        const size_t taken = letter == NULL ? 1 : strlen(letter->utf8);

        memcpy((char *)written + n, as.p, as.n);
        n += as.n;
        text = span_slice(text, taken, text.n);
    }
    return text_fold(arena, span_of(written, n), diag, ret_folded);
}

static bool
is_ascii(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* Both spellings; one folding serves for plain ASCII, as nearly always. */
static struct status
fold_both(struct span text, struct arena *arena, struct diag *diag, struct span *ret_folded,
          struct span *ret_spelled)
{
    struct span folded, spelled;

    if (is_ascii(text)) {
        TRY(text_fold(arena, text, diag, &folded));
        *ret_folded = *ret_spelled = folded;
        return OK;
    }
    TRY(fold(text, false, arena, diag, &folded));
    TRY(fold(text, true, arena, diag, &spelled));
    *ret_folded = folded;
    *ret_spelled = spelled;
    return OK;
}

/* ---- words ---- */

static struct status
add_given(struct span text, struct arena *arena, struct diag *diag, struct folded_name *folded)
{
    struct span word, plain, spelled;

    while (next_word(&text, &word)) {
        TRY(fold_both(word, arena, diag, &plain, &spelled));
        if (plain.n > 0) {
            if (folded->given.n == 0) {
                folded->first_spelled = spelled;
            }
            TRY(ARENA_PUSH(arena, diag, &folded->given, plain));
        }
    }
    return OK;
}

static bool
is_particle(struct span word)
{
    static const char *const particles[] = {
        "de",  "del", "della", "di",  "da",  "das", "do", "dos", "du",  "la", "las",  "le", "los",
        "lo",  "van", "von",   "der", "den", "ter", "te", "ten", "y",   "e",  "i",    "al", "el",
        "bin", "ibn", "ben",   "bar", "abu", "af",  "av", "zu",  "zum", "st", "saint"};

    for (size_t i = 0; i < ARRAY_LEN(particles); i++) {
        if (span_eq_cstr(word, particles[i])) {
            return true;
        }
    }
    return false;
}

/* The words of a family name, divided by white space and hyphens. */
static struct status
add_family_parts(struct span family, struct arena *arena, struct diag *diag,
                 struct folded_name *folded)
{
    struct span word, part, plain, spelled;

    while (next_word(&family, &word)) {
        while (span_split(&word, '-', &part)) {
            TRY(fold_both(part, arena, diag, &plain, &spelled));
            if (plain.n > 1 && !is_particle(plain)) {
                TRY(ARENA_PUSH(arena, diag, &folded->family_parts, plain));
            }
        }
    }
    return folded->family_parts.n > 0 || folded->family.n == 0
               ? OK
               : ARENA_PUSH(arena, diag, &folded->family_parts, folded->family);
}

static struct status
join_words(const struct span_list *words, struct arena *arena, struct diag *diag,
           struct span *ret_joined)
{
    void *joined = NULL;
    size_t n = 0;

    for (size_t i = 0; i < words->n; i++) {
        n += words->items[i].n;
    }
    TRY(arena_alloc(arena, n + 1, diag, &joined));
    n = 0;
    for (size_t i = 0; i < words->n; i++) {
        memcpy((char *)joined + n, words->items[i].p, words->items[i].n);
        n += words->items[i].n;
    }
    *ret_joined = span_of(joined, n);
    return OK;
}

struct status
folded_name_make(const struct person_name *name, struct arena *arena, struct diag *diag,
                 struct folded_name *ret_folded)
{
    struct folded_name folded = {.family = SPAN_EMPTY};

    TRY(fold_both(name->family, arena, diag, &folded.family, &folded.family_spelled));
    TRY(add_family_parts(name->family, arena, diag, &folded));
    for (size_t i = 0; i < name->given.n; i++) {
        TRY(add_given(name->given.items[i], arena, diag, &folded));
    }
    TRY(join_words(&folded.given, arena, diag, &folded.all_given));
    *ret_folded = folded;
    return OK;
}

/* One letter of UTF-8: the bytes after the first begin with binary 10. */
static bool
is_initial(struct span word)
{
    size_t n = 1;

    while (n < word.n && ((unsigned char)word.p[n] & 0xC0U) == 0x80U) {
        n++;
    }
    return n == word.n;
}

bool
folded_families_agree(const struct folded_name *a, const struct folded_name *b)
{
    return span_eq(a->family, b->family) || span_eq(a->family, b->family_spelled) ||
           span_eq(a->family_spelled, b->family);
}

static bool
has_part(const struct span_list *parts, struct span part)
{
    for (size_t i = 0; i < parts->n; i++) {
        if (span_eq(parts->items[i], part)) {
            return true;
        }
    }
    return false;
}

bool
folded_family_is_part(const struct folded_name *a, const struct folded_name *b)
{
    const bool is_a_shorter = a->family_parts.n <= b->family_parts.n;
    const struct span_list *few = is_a_shorter ? &a->family_parts : &b->family_parts;
    const struct span_list *many = is_a_shorter ? &b->family_parts : &a->family_parts;

    for (size_t i = 0; i < few->n; i++) {
        if (!has_part(many, few->items[i])) {
            return false;
        }
    }
    return few->n > 0 && !folded_families_agree(a, b);
}

bool
folded_words_agree(struct span a, struct span b)
{
    return span_eq(a, b) || (is_initial(a) && span_starts_with(b, a)) ||
           (is_initial(b) && span_starts_with(a, b));
}

bool
folded_further_agree(const struct folded_name *a, const struct folded_name *b)
{
    const struct span_list *few = a->given.n <= b->given.n ? &a->given : &b->given;
    const struct span_list *many = a->given.n <= b->given.n ? &b->given : &a->given;
    size_t at = 1;

    for (size_t i = 1; i < few->n; i++) {
        while (at < many->n && !folded_words_agree(few->items[i], many->items[at])) {
            at++;
        }
        if (at == many->n) {
            return false;
        }
        at++;
    }
    return true;
}
