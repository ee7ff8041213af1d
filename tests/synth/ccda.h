/*
 * Writes one synthetic C-CDA document: a US Realm header and sections with narrative and a few
 * coded entries. Everything in it comes from the world and from the document's own seed, so the
 * same world gives the same bytes. Thread: one at a time.
 */
#ifndef SYNTH_CCDA_H
#define SYNTH_CCDA_H

#include "base/xmlw.h"
#include "tests/synth/world.h"

struct ccda_kind {
    const char *code; /* LOINC */
    const char *display;
    const char *title;
    const char *template; /* OID of the C-CDA document template */
};
extern const struct ccda_kind ccda_kinds[];
extern const size_t ccda_kinds_n;

/* Between 8 and 60 KB. */
#define CCDA_LEAST_BYTES ((size_t)8 * 1024)
#define CCDA_MOST_BYTES  ((size_t)60 * 1024)

MUST_CHECK struct status ccda_write(const struct world *world,
                                    const struct world_document *document, struct buf *out,
                                    struct diag *diag);

/* For ccda.c: the sections (ccda_body.c), until about <least_bytes> are written. */
void ccda_write_body(struct xmlw *w, struct random *random, const struct world_document *document,
                     size_t least_bytes);

#endif
