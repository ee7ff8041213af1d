/*
 * Reads JSON files for the comparer: typed members with errors that name the file and the member.
 * Thread: one at a time. Strings live in the arena given, the tree in the document.
 */
#ifndef SYNTH_JSON_READ_H
#define SYNTH_JSON_READ_H

#include <jansson.h>

#include "base/arena.h"

struct json_file {
    const char *path;
    json_t *root;
    struct arena *arena;
    struct diag *diag;
};

MUST_CHECK struct status json_file_open(struct json_file *file, const char *path,
                                        struct arena *arena, struct diag *diag);
void json_file_done(struct json_file *file);

/* The member must be there and have the type; an absent text is an error unless <or_empty>. */
MUST_CHECK struct status json_take_text(const struct json_file *file, const json_t *object,
                                        const char *key, bool or_empty, struct span *ret_text);
MUST_CHECK struct status json_take_number(const struct json_file *file, const json_t *object,
                                          const char *key, uint64_t *ret_number);
MUST_CHECK struct status json_take_array(const struct json_file *file, const json_t *object,
                                         const char *key, json_t **ret_array);

#endif
