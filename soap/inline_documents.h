/*
 * Documents that a partner's answer holds inline, as base64 in the text of Document elements
 * instead of parts of their own (XOP 1.0 is not everybody's): decoded into bodies before the
 * message is parsed, so that they may be larger than what a parser can take. Inside soap/ only;
 * answers only, whose Body no signature of ours has to cover.
 */
#ifndef SOAP_INLINE_DOCUMENTS_H
#define SOAP_INLINE_DOCUMENTS_H

#include "base/arena.h"
#include "base/body.h"
#include "base/ids.h"

struct spool;

#define INLINE_LEAST                                                                               \
    ((size_t)64 * 1024) /* characters of text; shorter ones stay where they are                    \
                         */

struct inline_documents {
    char token[UUID_TEXT]; /* begins each stand-in; nobody could know it */
    struct body *items;
    size_t n, capacity;
};

/* Copies <xml> to <out>, in which each long base64 text of a Document element is replaced by a
 * stand-in; what it stood for goes to <documents> (bodies of the arena; in the spool above its
 * threshold). Well-formedness is the parser's to judge. ERR_LIMIT_BUFFER: what remains is above the
 * limit of <out>. ERR_PARTNER_ANSWER: a text that began as base64 and goes on as something else.
 * ERR_SPOOL_FULL, ERR_IO. */
MUST_CHECK struct status inline_documents_move(const struct body *xml, struct spool *spool,
                                               struct arena *arena, struct diag *diag,
                                               struct buf *out, struct inline_documents *documents);
/* The document that <text> is the stand-in of; NULL when it is none. */
const struct body *inline_documents_find(const struct inline_documents *documents,
                                         struct span text);

#endif
