/*
 * For the differential check of the RegRep codec: every fact of a message as one line of text, once
 * as gSOAP read it and once as a plain walk over the libxml2 tree reads it. Equal texts: gSOAP read
 * what the tree says.
 */
#ifndef REGREP_DUMP_H
#define REGREP_DUMP_H

#include "base/arena.h"
#include "base/buf.h"
#include "soap/xml.h"

#define DUMP_MAX ((size_t)8 * 1024 * 1024)

MUST_CHECK struct status dump_by_gsoap(const xmlNode *payload, struct arena *arena,
                                       struct diag *diag, struct buf *out);
void dump_by_walk(const xmlNode *payload, struct buf *out);

#endif
