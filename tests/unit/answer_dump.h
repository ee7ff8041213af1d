/*
 * Every fact of a query answer as text, to compare what two ways of reading made of one message.
 */
#ifndef ANSWER_DUMP_H
#define ANSWER_DUMP_H

#include "soap/xca.h"

#define ANSWER_DUMP_MAX ((size_t)64 * 1024 * 1024)

/* <has_texts>: each object's <xml>, and those that have nothing else. */
void objects_dump(const struct registry_objects *objects, bool has_texts, struct buf *out);
void answer_dump(const struct query_answer *answer, struct buf *out);
/* Reads <envelope> as one tree, and in pieces; writes the facts or the error's name of each. True
 * when both are the same. <ret_code>: of the tree. */
bool answer_read_twice(struct span envelope, struct buf *tree, struct buf *pieces,
                       enum err *ret_code);

#endif
