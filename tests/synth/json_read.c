/*
 * jansson for the comparer. Called by truth_read.c and compare.c.
 */
#include "tests/synth/json_read.h"

struct status
json_file_open(struct json_file *file, const char *path, struct arena *arena, struct diag *diag)
{
    json_error_t error;

    *file = (struct json_file){.path = path, .arena = arena, .diag = diag};
    file->root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (file->root == NULL) {
        return FAIL(diag, ERR_IO, "%s:%d:%d: %s", path, error.line, error.column, error.text);
    }
    if (!json_is_object(file->root)) {
        return FAIL(diag, ERR_MESSAGE_CONTENT, "%s: expected a JSON object", path);
    }
    return OK;
}

void
json_file_done(struct json_file *file)
{
    json_decref(file->root);
    file->root = NULL;
}

struct status
json_take_text(const struct json_file *file, const json_t *object, const char *key, bool or_empty,
               struct span *ret_text)
{
    const json_t *value = json_object_get(object, key);

    if ((value == NULL || json_is_null(value)) && or_empty) {
        *ret_text = SPAN_EMPTY;
        return OK;
    }
    if (!json_is_string(value)) {
        return FAIL(file->diag, ERR_MESSAGE_CONTENT, "%s: '%s' must be a text", file->path, key);
    }
    return arena_dup(file->arena, span_of(json_string_value(value), json_string_length(value)),
                     file->diag, ret_text);
}

struct status
json_take_number(const struct json_file *file, const json_t *object, const char *key,
                 uint64_t *ret_number)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return FAIL(file->diag, ERR_MESSAGE_CONTENT, "%s: '%s' must be a whole number, 0 or more",
                    file->path, key);
    }
    *ret_number = (uint64_t)json_integer_value(value);
    return OK;
}

struct status
json_take_array(const struct json_file *file, const json_t *object, const char *key,
                json_t **ret_array)
{
    json_t *value = json_object_get(object, key);

    if (!json_is_array(value)) {
        return FAIL(file->diag, ERR_MESSAGE_CONTENT, "%s: '%s' must be a list", file->path, key);
    }
    *ret_array = value;
    return OK;
}
