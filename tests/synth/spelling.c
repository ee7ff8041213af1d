/*
 * Letters of ISO 8859-1 with their bases and marks, and the writings made from them. Called by the
 * generator and by the rules of the truth.
 */
#include "tests/synth/spelling.h"

#include "base/buf.h"

#define NAME_MAX_BYTES 1024
#define SHARP_S        0xdf

struct letter {
    uint32_t code; /* capital; the small letter is 0x20 higher */
    char base;
    uint32_t mark;
};

/* clang-format off */
static const struct letter letters[] = {
    {0xc0, 'A', 0x300}, {0xc1, 'A', 0x301}, {0xc2, 'A', 0x302}, {0xc3, 'A', 0x303},
    {0xc4, 'A', 0x308}, {0xc5, 'A', 0x30a}, {0xc7, 'C', 0x327}, {0xc8, 'E', 0x300},
    {0xc9, 'E', 0x301}, {0xca, 'E', 0x302}, {0xcb, 'E', 0x308}, {0xcc, 'I', 0x300},
    {0xcd, 'I', 0x301}, {0xce, 'I', 0x302}, {0xcf, 'I', 0x308}, {0xd1, 'N', 0x303},
    {0xd2, 'O', 0x300}, {0xd3, 'O', 0x301}, {0xd4, 'O', 0x302}, {0xd5, 'O', 0x303},
    {0xd6, 'O', 0x308}, {0xd9, 'U', 0x300}, {0xda, 'U', 0x301}, {0xdb, 'U', 0x302},
    {0xdc, 'U', 0x308}, {0xdd, 'Y', 0x301},
};
/* clang-format on */

/* The next character; a byte that starts none is taken as itself. */
static uint32_t
take_character(struct span *in)
{
    const unsigned char first = (unsigned char)in->p[0];
    const size_t n = first < 0xc0 ? 1 : (first < 0xe0 ? 2 : (first < 0xf0 ? 3 : 4));
    uint32_t code = n == 1 ? first : first & (0xffu >> (n + 1));

    for (size_t i = 1; i < n && i < in->n; i++) {
        code = (code << 6) | ((unsigned char)in->p[i] & 0x3f);
    }
    *in = span_slice(*in, n, in->n);
    return code;
}

static struct status
put_character(struct buf *out, uint32_t code, struct diag *diag)
{
    char bytes[4];
    size_t n = 0;

    if (code < 0x80) {
        bytes[n++] = (char)code;
    } else if (code < 0x800) {
        bytes[n++] = (char)(0xc0 | (code >> 6));
        bytes[n++] = (char)(0x80 | (code & 0x3f));
    } else {
        if (code < 0x10000) {
            bytes[n++] = (char)(0xe0 | (code >> 12));
        } else {
            bytes[n++] = (char)(0xf0 | (code >> 18));
            bytes[n++] = (char)(0x80 | ((code >> 12) & 0x3f));
        }
        bytes[n++] = (char)(0x80 | ((code >> 6) & 0x3f));
        bytes[n++] = (char)(0x80 | (code & 0x3f));
    }
    return buf_append(out, span_of(bytes, n), diag);
}

static const struct letter *
letter_of(uint32_t code)
{
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (code == letters[i].code || code == letters[i].code + 0x20) {
            return &letters[i];
        }
    }
    return NULL;
}

static uint32_t
base_of(const struct letter *letter, uint32_t code)
{
    return (uint32_t)(unsigned char)letter->base + (code == letter->code ? 0 : 0x20);
}

static bool
is_joint(uint32_t code)
{
    return code == '-' || code == '\'' || code == 0x2019;
}

static struct status
write_upper(struct buf *out, uint32_t code, struct diag *diag)
{
    if (code == SHARP_S) {
        return buf_append_cstr(out, "SS", diag);
    }
    if ((code >= 'a' && code <= 'z') || (letter_of(code) != NULL && code >= 0xe0)) {
        return put_character(out, code - 0x20, diag);
    }
    return put_character(out, code, diag);
}

static struct status
write_character(struct buf *out, uint32_t code, enum spelling spelling, struct diag *diag)
{
    const struct letter *letter = letter_of(code);

    if (spelling == SPELLING_UPPER) {
        return write_upper(out, code, diag);
    }
    if (spelling == SPELLING_SPACED && is_joint(code)) {
        return buf_append_char(out, ' ', diag);
    }
    if (spelling == SPELLING_JOINED && is_joint(code)) {
        return OK;
    }
    if (spelling == SPELLING_ASCII && letter != NULL) {
        return put_character(out, base_of(letter, code), diag);
    }
    if (spelling == SPELLING_DECOMPOSED && letter != NULL) {
        TRY(put_character(out, base_of(letter, code), diag));
        return put_character(out, letter->mark, diag);
    }
    return put_character(out, code, diag);
}

static struct status
keep(struct arena *arena, struct buf *text, struct status written, struct diag *diag,
     struct span *ret_text)
{
    const struct status kept =
        is_ok(written) ? arena_dup(arena, buf_span(text), diag, ret_text) : written;

    buf_done(text);
    return kept;
}

struct status
spelling_write(struct arena *arena, struct span name, enum spelling spelling, struct diag *diag,
               struct span *ret_text)
{
    struct buf out;
    struct status written = OK;

    buf_init(&out, NAME_MAX_BYTES);
    while (name.n > 0 && is_ok(written)) {
        written = write_character(&out, take_character(&name), spelling, diag);
    }
    return keep(arena, &out, written, diag, ret_text);
}

static bool
is_dropped(uint32_t code)
{
    const bool is_ascii_letter_or_digit = (code >= 'a' && code <= 'z') ||
                                          (code >= 'A' && code <= 'Z') ||
                                          (code >= '0' && code <= '9');

    if (code < 0x80) {
        return !is_ascii_letter_or_digit;
    }
    return code < 0xc0 || (code >= 0x300 && code <= 0x36f) || (code >= 0x2000 && code <= 0x206f);
}

static struct status
fold_character(struct buf *out, uint32_t code, struct diag *diag)
{
    const struct letter *letter = letter_of(code);

    if (is_dropped(code)) {
        return OK;
    }
    if (code == SHARP_S) {
        return buf_append_cstr(out, "ss", diag);
    }
    if (letter != NULL) {
        code = (uint32_t)(unsigned char)letter->base;
    }
    return put_character(out, code >= 'A' && code <= 'Z' ? code + 0x20 : code, diag);
}

struct status
spelling_fold(struct arena *arena, struct span name, struct diag *diag, struct span *ret_folded)
{
    struct buf out;
    struct status written = OK;

    buf_init(&out, NAME_MAX_BYTES);
    while (name.n > 0 && is_ok(written)) {
        written = fold_character(&out, take_character(&name), diag);
    }
    return keep(arena, &out, written, diag, ret_folded);
}
