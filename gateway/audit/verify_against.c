/*
 * Finds checkpoints that were kept outside of the journal, in the text of whatever kept them: as
 * JSON objects, as JSON in a text, or as base64 (the details of AuditMessages and AuditEvents).
 * Called by `isthmus audit verify --against`, on the program's thread.
 */
#include "audit/verify.h"

#include <string.h>

#include <jansson.h>

#include "base/mem.h"

#define FILE_BYTES_MAX ((size_t)1024 * 1024 * 1024)
#define ARENA_BYTES    ((size_t)16 * 1024 * 1024)
#define OBJECT_BEGINS  "{\"statement\":" /* as statement_encode writes it */
#define BASE64_BEGINS                                                                              \
    "eyJzdGF0ZW1lbnQiO" /* the same in base64, as far as it is the same always                     \
                         */
#define DEPTH_MAX 64

struct against {
    const struct statement_judge *judge;
    struct verify_list *list;
    struct diag *diag;
    size_t found, ignored;
};

static struct status
take(struct against *against, const struct statement *statement, struct diag *diag)
{
    enum statement_kind kind = STATEMENT_CHECKPOINT;
    struct checkpoint checkpoint;
    TRY(statement_kind_of(statement->text, diag, &kind));
    if (kind != STATEMENT_CHECKPOINT) {
        return OK;
    }
    TRY(checkpoint_read(statement->text, diag, &checkpoint));
    if (against->judge->check != NULL) {
        TRY(against->judge->check(against->judge->arg, statement, checkpoint.time_us, diag));
    }
    against->found++;
    return verify_list_add(against->list, &checkpoint, diag);
}

/* What a partner wrote into a message may look like a checkpoint: one that is not signed by us
 * proves nothing, and hides none that is. */
static struct status
forgive(struct against *against, struct status st, const struct diag *why)
{
    if (is_ok(st) || st.code == ERR_NO_MEMORY) {
        return is_ok(st) ? OK : FAIL(against->diag, st.code, "%s", why->text);
    }
    against->ignored++;
    return OK;
}

/* One of the two is there. */
static struct status
take_one(struct against *against, const json_t *object, struct span payload)
{
    struct statement statement;
    struct diag why = {0};
    struct arena *arena = arena_new(ARENA_BYTES);
    if (arena == NULL) {
        return FAIL(against->diag, ERR_NO_MEMORY, "no memory to read a checkpoint");
    }
    struct status st = object != NULL ? statement_from_json(object, arena, &why, &statement)
                                      : statement_decode(payload, arena, &why, &statement);
    if (is_ok(st)) {
        st = take(against, &statement, &why);
    }
    arena_free(arena);
    return forgive(against, st, &why);
}

/* ---- base64 ---- */

static size_t
base64_run(struct span text)
{
    size_t n = 0;
    while (n < text.n &&
           ((text.p[n] >= 'A' && text.p[n] <= 'Z') || (text.p[n] >= 'a' && text.p[n] <= 'z') ||
            (text.p[n] >= '0' && text.p[n] <= '9') || text.p[n] == '+' || text.p[n] == '/' ||
            text.p[n] == '=')) {
        n++;
    }
    return n;
}

static struct status
take_base64(struct against *against, struct span digits)
{
    CLEANUP(buf_done) struct buf bytes;
    buf_init(&bytes, digits.n + 1);
    struct diag why = {0};
    const struct status st = base64_decode(digits, &bytes, &why);
    return is_ok(st) ? take_one(against, NULL, buf_span(&bytes)) : forgive(against, st, &why);
}

static struct status
scan(struct against *against, struct span text)
{
    for (;;) {
        const size_t at = span_find(text, SPAN(BASE64_BEGINS));
        if (at == SPAN_MISSING) {
            return OK;
        }
        text = span_slice(text, at, text.n);
        const size_t n = base64_run(text);
        TRY(take_base64(against, span_slice(text, 0, n)));
        text = span_slice(text, n, text.n);
    }
}

/* ---- JSON ---- */

static struct status
walk_text(struct against *against, const json_t *value)
{
    const struct span text = span_of(json_string_value(value), json_string_length(value));
    return span_starts_with(text, SPAN(OBJECT_BEGINS)) ? take_one(against, NULL, text)
                                                       : scan(against, text);
}

static struct status
walk(struct against *against, const json_t *value, int depth)
{
    const char *key = NULL;
    json_t *member = NULL;
    size_t i = 0;
    if (depth > DEPTH_MAX) {
        return FAIL(against->diag, ERR_JOURNAL, "it is nested deeper than %d levels", DEPTH_MAX);
    }
    if (json_is_string(value)) {
        return walk_text(against, value);
    }
    if (json_is_object(value) && json_object_get(value, "statement") != NULL &&
        json_object_get(value, "signature") != NULL) {
        return take_one(against, value, SPAN_EMPTY);
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        TRY(walk(against, member, depth + 1));
    }
    json_array_foreach(value, i, member)
    {
        TRY(walk(against, member, depth + 1));
    }
    return OK;
}

/* Any number of JSON values, one behind the other or on lines of their own. False: it is none. */
static struct status
walk_all(struct against *against, struct span text, bool *ret_is_json)
{
    size_t at = 0;
    *ret_is_json = true;
    while (span_trim(span_slice(text, at, text.n)).n > 0) {
        json_error_t error;
        json_t *root = json_loadb(text.p + at, text.n - at, JSON_DISABLE_EOF_CHECK, &error);
        if (root == NULL) {
            *ret_is_json = false;
            return OK;
        }
        at += (size_t)error.position;
        const struct status st = walk(against, root, 0);
        json_decref(root);
        TRY(st);
    }
    return OK;
}

struct status
verify_list_read(const char *path, const struct statement_judge *judge, struct verify_list *list,
                 struct diag *diag, size_t *ret_ignored)
{
    struct against against = {judge, list, diag, 0, 0};
    bool is_json = false;
    CLEANUP(buf_done) struct buf text;
    buf_init_secret(&text, FILE_BYTES_MAX);
    TRY(buf_read_file(&text, path, diag));
    struct status st = walk_all(&against, buf_span(&text), &is_json);
    if (is_ok(st) && !is_json) {
        st = scan(&against, buf_span(&text));
    }
    if (is_ok(st) && against.found == 0) {
        st = FAIL(diag, ERR_JOURNAL,
                  "there is no checkpoint in it that this node signed; 'isthmus audit verify "
                  "--json' prints them, and "
                  "the AuditMessages that repositories get carry them");
    }
    if (!is_ok(st)) {
        diag_prefix(diag, "%s", path);
    }
    *ret_ignored = against.ignored;
    return st;
}
