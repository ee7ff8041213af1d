/*
 * How one name is written in several ways, and when two writings are the same name. Written for the
 * generator and the truth alone, from the words ("case, accents and punctuation folded");
 * the product's folding (base/text.h, utf8proc) is not used, so a mistake there shows. Knows the
 * letters of ISO 8859-1; others are kept as they are. Results live in the arena.
 */
#ifndef SYNTH_SPELLING_H
#define SYNTH_SPELLING_H

#include "base/arena.h"

enum spelling {
    SPELLING_PLAIN,      /* as given */
    SPELLING_UPPER,      /* capitals, accents kept */
    SPELLING_ASCII,      /* without accents */
    SPELLING_DECOMPOSED, /* each accent as a combining mark (Unicode NFD) */
    SPELLING_SPACED,     /* hyphens and apostrophes as spaces */
    SPELLING_JOINED      /* hyphens and apostrophes left out */
};

MUST_CHECK struct status spelling_write(struct arena *arena, struct span name,
                                        enum spelling spelling, struct diag *diag,
                                        struct span *ret_text);
/* The form in which names are compared: small letters and digits, nothing else. */
MUST_CHECK struct status spelling_fold(struct arena *arena, struct span name, struct diag *diag,
                                       struct span *ret_folded);

#endif
