/*
 * Whom a C-CDA document is about, read with libxml2 directly and nothing of the product's reader.
 * Thread: one at a time. The subject's strings live in the arena.
 */
#ifndef SYNTH_CCDA_READ_H
#define SYNTH_CCDA_READ_H

#include "tests/synth/rules.h"

struct ccda_facts {
    struct rules_subject subject; /* names as written, not yet folded */
    struct span confidentiality;
};

/* ERR_DOCUMENT when the bytes are no ClinicalDocument with a patient. */
MUST_CHECK struct status ccda_read(struct span bytes, const char *path, struct arena *arena,
                                   struct diag *diag, struct ccda_facts *ret_facts);

#endif
