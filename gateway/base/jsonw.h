/*
 * Writes JSON into a buffer, compact or indented for people. Failures are sticky, as in xmlw.h.
 * Bytes that are not UTF-8 become U+FFFD, so output is always valid. Thread: one at a time.
 */
#ifndef BASE_JSONW_H
#define BASE_JSONW_H

#include "base/buf.h"

#define JSONW_DEPTH_MAX 32

struct jsonw {
    struct buf *out;
    struct diag *diag;
    struct status status;
    bool is_indented;
    size_t depth;
    bool has_items[JSONW_DEPTH_MAX];
    bool is_object[JSONW_DEPTH_MAX];
    bool is_after_key;
};

void jsonw_init(struct jsonw *w, struct buf *out, bool is_indented, struct diag *diag);
void jsonw_object(struct jsonw *w); /* { */
void jsonw_array(struct jsonw *w);  /* [ */
void jsonw_close(struct jsonw *w);  /* } or ], whichever is open */
void jsonw_key(struct jsonw *w, const char *key);
void jsonw_string(struct jsonw *w, struct span text);
void jsonw_int(struct jsonw *w, int64_t value);
void jsonw_bool(struct jsonw *w, bool value);
/* Key and value in one; an empty text is left out. */
void jsonw_key_text(struct jsonw *w, const char *key, struct span text);
void jsonw_key_int(struct jsonw *w, const char *key, int64_t value);
void jsonw_key_bool(struct jsonw *w, const char *key, bool value);
MUST_CHECK struct status jsonw_finish(struct jsonw *w);

#endif
