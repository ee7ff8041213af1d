/*
 * Text of people: validity, folding for comparison, width, similarity. Called by the matcher, the
 * writers, the log and the command line; any thread. The only file that knows utf8proc.
 */
#include "base/text.h"

#include <string.h>
#include <utf8proc.h>

#define DISTANCE_BYTES_MAX 128
#define WORD_BYTES         sizeof(uint64_t)

bool
text_take_char(struct span *in, uint32_t *ret_char)
{
    utf8proc_int32_t value = -1;
    if (in->n == 0) {
        return false;
    }
    if ((unsigned char)in->p[0] < 0x80) {
        *ret_char = (unsigned char)in->p[0];
        in->p++;
        in->n--;
        return true;
    }
    const size_t most = in->n < 4 ? in->n : 4;
    const utf8proc_ssize_t n =
        utf8proc_iterate((const utf8proc_uint8_t *)in->p, (utf8proc_ssize_t)most, &value);
    const bool is_valid = n > 0 && value >= 0;
    *ret_char = is_valid ? (uint32_t)value : TEXT_MALFORMED;
    const size_t step = is_valid ? (size_t)n : 1;
    in->p += step;
    in->n -= step;
    return true;
}

static bool
has_beyond_ascii(const char *from)
{
    uint64_t word = 0;
    memcpy(&word, from, sizeof(word));
    return (word & UINT64_C(0x8080808080808080)) != 0;
}

/* How many bytes at the front are ASCII, seen eight at a time (documents of megabytes), or all of
 * them: the last eight may have been seen in part before. */
static size_t
ascii_words(struct span text)
{
    const size_t last = text.n < WORD_BYTES ? 0 : text.n - WORD_BYTES;
    size_t n = 0;
    while (n < last && !has_beyond_ascii(text.p + n)) {
        n += WORD_BYTES;
    }
    const bool is_all = text.n >= WORD_BYTES && n >= last && !has_beyond_ascii(text.p + last);
    return is_all ? text.n : n;
}

bool
text_is_utf8(struct span text)
{
    uint32_t c = 0;
    while (text.n > 0) {
        const size_t plain = ascii_words(text);
        text.p += plain;
        text.n -= plain;
        if (text_take_char(&text, &c) && c == TEXT_MALFORMED) {
            return false;
        }
    }
    return true;
}

static bool
is_letter_or_digit(utf8proc_int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
        return true;
    default:
        return false;
    }
}

struct status
text_fold(struct arena *arena, struct span text, struct diag *diag, struct span *ret_folded)
{
    const utf8proc_option_t options = (utf8proc_option_t)(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT |
                                                          UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK);
    utf8proc_int32_t *chars = NULL;
    utf8proc_uint8_t *folded = NULL;
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text.p;
    const utf8proc_ssize_t n_bytes = (utf8proc_ssize_t)text.n;
    const utf8proc_ssize_t need =
        text.n == 0 ? 0 : utf8proc_decompose(bytes, n_bytes, NULL, 0, options);
    if (need <= 0) {
        *ret_folded = SPAN_EMPTY;
        return OK;
    }
    TRY(ARENA_ARRAY(arena, (size_t)need, diag, &chars));
    const utf8proc_ssize_t n = utf8proc_decompose(bytes, n_bytes, chars, need, options);
    TRY(ARENA_ARRAY(arena, (size_t)need * 4 + 1, diag, &folded));
    size_t size = 0;
    for (utf8proc_ssize_t i = 0; i < n && i < need; i++) {
        if (is_letter_or_digit(chars[i])) {
            size += (size_t)utf8proc_encode_char(chars[i], folded + size);
        }
    }
    *ret_folded = size == 0 ? SPAN_EMPTY : span_of((const char *)folded, size);
    return OK;
}

bool
text_is_harmless(uint32_t c)
{
    return c != TEXT_MALFORMED && c >= 0x20 && (c < 0x7F || c > 0x9F) && c != 0x061C &&
           !(c >= 0x200B && c <= 0x200F) && !(c >= 0x2028 && c <= 0x202E) &&
           !(c >= 0x2060 && c <= 0x206F) && c != 0xFEFF && c != 0xAD && c != 0x180E &&
           !(c >= 0xFFF9 && c <= 0xFFFB) && !(c >= 0xE0000 && c <= 0xE007F);
}

struct status
text_show(struct span text, struct buf *out, struct diag *diag)
{
    const char *at = text.p;
    uint32_t c = 0;

    while (text_take_char(&text, &c)) {
        if (c == '\n' || c == '\r' || c == '\t') {
            TRY(buf_append_char(out, ' ', diag));
        } else if (text_is_harmless(c)) {
            TRY(buf_append(out, span_of(at, (size_t)(text.p - at)), diag));
        } else {
            TRY(buf_append_char(out, '?', diag));
        }
        at = text.p;
    }
    return OK;
}

size_t
text_columns(struct span text)
{
    size_t columns = 0;
    uint32_t c = 0;
    while (text_take_char(&text, &c)) {
        /* a malformed byte shows as one replacement character */
        columns += c == TEXT_MALFORMED ? 1 : (size_t)utf8proc_charwidth((utf8proc_int32_t)c);
    }
    return columns;
}

/* Levenshtein's distance, one row of the matrix at a time. */
static size_t
edit_distance(struct span a, struct span b)
{
    size_t row[DISTANCE_BYTES_MAX + 1];
    for (size_t j = 0; j <= b.n; j++) {
        row[j] = j;
    }
    for (size_t i = 0; i < a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.n; j++) {
            const size_t replaced = diagonal + (a.p[i] == b.p[j] ? 0 : 1);
            const size_t shorter = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = replaced < shorter ? replaced : shorter;
        }
    }
    return row[b.n];
}

size_t
text_distance(struct span a, struct span b, size_t most)
{
    const size_t gap = a.n > b.n ? a.n - b.n : b.n - a.n;
    if (gap > most) {
        return most + 1;
    }
    if (a.n > DISTANCE_BYTES_MAX || b.n > DISTANCE_BYTES_MAX) {
        return span_eq(a, b) ? 0 : most + 1; /* nobody mistypes names of that length */
    }
    const size_t distance = edit_distance(a, b);
    return distance > most ? most + 1 : distance;
}
