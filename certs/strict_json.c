/*
 * The strict JSON reader of keys (certs/jwks.c) and of tokens (soap/jws.c, soap/idtoken.c). jansson
 * reads; what it would let pass is refused here before or by its flags. Owns nothing.
 */
#include "certs/strict_json.h"

/* Depth of brackets outside of strings; jansson's own limit of 2048 is more recursion than a text
 * of strangers gets. */
static size_t
depth_of(struct span text)
{
    size_t depth = 0;
    size_t deepest = 0;
    bool is_string = false;

    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];

        if (is_string) {
            i += c == '\\' ? 1 : 0;
            is_string = c != '"';
        } else if (c == '"') {
            is_string = true;
        } else if (c == '{' || c == '[') {
            deepest = ++depth > deepest ? depth : deepest;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

struct status
strict_json_read(struct span text, const char *what, enum err code, struct diag *diag,
                 json_t **ret_object)
{
    json_error_t why;
    const size_t depth = depth_of(text);

    if (depth > STRICT_JSON_DEPTH_MAX) {
        return FAIL(diag, code, "%s: JSON of depth %zu; at most %d is read", what, depth,
                    STRICT_JSON_DEPTH_MAX);
    }
    json_t *const object =
        json_loadb(text.n == 0 ? "" : text.p, text.n, JSON_REJECT_DUPLICATES, &why);

    if (object == NULL && json_error_code(&why) == json_error_out_of_memory) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for %s", what);
    }
    if (object == NULL) { /* why.text may quote the text */
        return FAIL(diag, code, "%s: %s at byte %d of %zu", what,
                    json_error_code(&why) == json_error_duplicate_key
                        ? "a JSON name is there twice"
                        : "expected one JSON object in UTF-8, but it is malformed",
                    why.position, text.n);
    }
    if (!json_is_object(object)) {
        json_decref(object);
        return FAIL(diag, code, "%s: expected a JSON object, got something else", what);
    }
    *ret_object = object;
    return OK;
}

bool
strict_json_text(const json_t *object, const char *name, size_t most, struct span *ret_text)
{
    const json_t *const value = json_object_get(object, name);

    if (value == NULL || json_is_null(value)) {
        return true;
    }
    if (!json_is_string(value) || json_string_length(value) == 0 ||
        json_string_length(value) > most) {
        return false;
    }
    *ret_text = span_of(json_string_value(value), json_string_length(value));
    return true;
}
