/*
 * What our readers find in a sample message, a line for each fact, in the words of
 * tests/samples/make-facts, which finds them with another XML library and XPath.
 */
#ifndef SAMPLE_FACTS_H
#define SAMPLE_FACTS_H

#include "base/arena.h"
#include "base/buf.h"

/* Reads <file> (its whole content) as what it is, and appends its facts; or "refused: NAME" when
 * our reader of that kind of message refuses it, or no transaction takes it. <query_id>: of the
 * question that an answer of XCPD or PDQ must answer, "root:extension". */
void sample_facts(struct span file, struct span query_id, struct arena *arena, struct buf *out);
/* Of the assertions in it, wherever they stand. */
void sample_assertions(struct span file, struct arena *arena, struct buf *out);
/* Of an AuditMessage. */
void sample_audit(struct span file, struct arena *arena, struct buf *out);
/* Appends "key: value\n", with one blank for each run of white space and none at the end. */
void sample_fact(struct buf *out, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
