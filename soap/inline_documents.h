/*
 * Documents that a message holds inline, as base64 in the text of Document elements instead of
 * parts of their own (XOP 1.0 is not everybody's): decoded into bodies before the message is
 * parsed, so that they may be larger than what a parser can take. Inside soap/ only. The tree has
 * stand-ins then, which no signature is over: sigverify.h takes signatures over the Timestamp and
 * the assertion alone, and refuses one that covers the Body by that name, whatever its size. A
 * request is nevertheless only treated so when it cannot be parsed as it is.
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
 * limit of <out>. <code>: a text that began as base64 and goes on as something else.
 * ERR_SPOOL_FULL, ERR_IO. */
MUST_CHECK struct status inline_documents_move(const struct body *xml, enum err code,
                                               struct spool *spool, struct arena *arena,
                                               struct diag *diag, struct buf *out,
                                               struct inline_documents *documents);
/* The same, looking at so many bytes at a time: for tests, which show that it makes no difference.
 */
MUST_CHECK struct status inline_documents_move_window(const struct body *xml, size_t window,
                                                      enum err code, struct spool *spool,
                                                      struct arena *arena, struct diag *diag,
                                                      struct buf *out,
                                                      struct inline_documents *documents);
/* The document that <text> is the stand-in of; NULL when it is none. */
const struct body *inline_documents_find(const struct inline_documents *documents,
                                         struct span text);

#endif
