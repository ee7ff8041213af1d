/*
 * JSON that comes from elsewhere, read strictly: one object and nothing after it, valid UTF-8,
 * bounded depth, no name twice at any level (RFC 8259 leaves open which of two counts, so two
 * readers could differ). jansson's objects are the caller's to release (json_auto_t). Thread: any.
 */
#ifndef CERTS_STRICT_JSON_H
#define CERTS_STRICT_JSON_H

#include <jansson.h>

#include "base/diag.h"
#include "base/span.h"

#define STRICT_JSON_DEPTH_MAX 8

/* <what> names the text in messages ("the JWS header"); <code> is the error of whatever is wrong.
 * Nothing of the text itself is quoted. The caller bounds the size. */
MUST_CHECK struct status strict_json_read(struct span text, const char *what, enum err code,
                                          struct diag *diag, json_t **ret_object);

/* The text of a member. Absent or null: *ret_text is untouched and true; another kind, empty or
 * longer than <most> bytes: false. The span lives as long as the object. */
bool strict_json_text(const json_t *object, const char *name, size_t most, struct span *ret_text);

#endif
