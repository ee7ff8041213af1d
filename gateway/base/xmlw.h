/*
 * Writes XML into a buffer: the only way in which we make any. Text is escaped here, so no caller
 * concatenates. Output is compact (no indentation), UTF-8, and canonical where that costs nothing
 * (double quotes, <a></a> for empty elements), so that what we sign needs no rewriting.
 *
 * Failures (limit, nesting, bytes that XML 1.0 forbids) are sticky: write everything, then ask
 * xmlw_finish once. Thread: one at a time. Names and prefixes are literals of the program.
 */
#ifndef BASE_XMLW_H
#define BASE_XMLW_H

#include "base/buf.h"

#define XMLW_DEPTH_MAX 64

/* Who is told the parts of a document instead of their being written: another form of the same
 * content needs no second program that knows it. Names and values are the caller's, valid during
 * the call. Raw XML cannot be told. */
struct xmlw_sink {
    struct status (*start)(struct xmlw_sink *sink, const char *name, struct diag *diag);
    struct status (*attr)(struct xmlw_sink *sink, const char *name, struct span value,
                          struct diag *diag);
    /* may come in several pieces */
    struct status (*text)(struct xmlw_sink *sink, struct span text, struct diag *diag);
    struct status (*end)(struct xmlw_sink *sink, struct diag *diag);
};

struct xmlw {
    struct buf *out;        /* NULL with a sink */
    struct xmlw_sink *sink; /* NULL: bytes are written */
    struct diag *diag;
    struct status status;
    const char *open[XMLW_DEPTH_MAX];
    size_t depth;
    bool is_tag_open; /* "<name ..." written, ">" not yet */
    /* NULL, or what stands before each element's name that has no prefix of its own; set it before
     * the first element, which has to declare it. */
    const char *prefix;
};

void xmlw_init(struct xmlw *w, struct buf *out, struct diag *diag);
void xmlw_init_sink(struct xmlw *w, struct xmlw_sink *sink, struct diag *diag);
void xmlw_declaration(struct xmlw *w); /* <?xml version="1.0" encoding="UTF-8"?> */
void xmlw_start(struct xmlw *w, const char *qname);
void xmlw_end(struct xmlw *w);
void xmlw_attr(struct xmlw *w, const char *qname, struct span value); /* after xmlw_start only */
void xmlw_attr_cstr(struct xmlw *w, const char *qname, const char *value);
void xmlw_text(struct xmlw *w, struct span text);
void xmlw_text_cstr(struct xmlw *w, const char *text);
void xmlw_element(struct xmlw *w, const char *qname, struct span text); /* start, text, end */
/* Bytes that are well-formed XML already (a signed assertion, a copied subtree). */
void xmlw_raw(struct xmlw *w, struct span xml);
/* The first failure, or ERR_INTERNAL when an element is still open. */
MUST_CHECK struct status xmlw_finish(struct xmlw *w);

#endif
