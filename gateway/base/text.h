/*
 * Text as people write it: folding for comparison (utf8proc lives in text.c only) and safe display.
 * Thread: any.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/arena.h"
#include "base/buf.h"

/* The form in which names are compared: NFKD, marks removed, case folded, everything but letters
 * and digits removed ("Núñez-Ibarra" -> "nunezibarra", "O'Brien" -> "obrien", sharp s -> ss). Bytes
 * that are not UTF-8 give the empty span (which equals nothing: callers must treat empty as
 * absent). */
MUST_CHECK struct status text_fold(struct arena *arena, struct span text, struct diag *diag,
                                   struct span *ret_folded);
/* Strict: no surrogates, no overlong forms, nothing above U+10FFFF. */
bool text_is_utf8(struct span text);
/* Take one character from the front; false at the end. A byte that is not UTF-8 is taken alone and
 * given as TEXT_MALFORMED. */
#define TEXT_MALFORMED UINT32_MAX
bool text_take_char(struct span *in, uint32_t *ret_char);
/* May the character be shown as it is? Not: control characters (those above U+007F begin escape
 * sequences, too), ends of lines, what turns the direction of writing, what is invisible. */
bool text_is_harmless(uint32_t c);
/* Appends what came from elsewhere for people to read: ends of lines and tabs become a blank, what
 * is not harmless '?'. One line of text stays one line. */
MUST_CHECK struct status text_show(struct span text, struct buf *out, struct diag *diag);
/* How many columns of a terminal the text takes; control characters count as none. */
size_t text_columns(struct span text);
/* Edit distance, at most <most> + 1 (for "did you mean"). */
size_t text_distance(struct span a, struct span b, size_t most);

#endif
