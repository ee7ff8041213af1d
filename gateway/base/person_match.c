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

static struct status
add_words(struct span text, struct arena *arena, struct diag *diag, struct span_list *words)
{
    struct span word;

    while (next_word(&text, &word)) {
        TRY(text_fold(arena, word, diag, &word));
        if (word.n > 0) {
            TRY(ARENA_PUSH(arena, diag, words, word));
        }
    }
    return OK;
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

    TRY(text_fold(arena, name->family, diag, &folded.family));
    for (size_t i = 0; i < name->given.n; i++) {
        TRY(add_words(name->given.items[i], arena, diag, &folded.given));
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
