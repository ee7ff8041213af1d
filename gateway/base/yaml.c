/*
 * Reads YAML files over libfyaml's events and builds a tree of our own in the caller's arena.
 * Called by the configuration and the policies while they load, on one thread. libfyaml is trusted
 * with syntax only: it turns bytes that are not UTF-8 into empty values, stops at a NUL, merges
 * nothing, and types nothing, so encoding, control characters, anchors, aliases, tags, keys and
 * depth are judged here. The parser and the file's bytes live as long as one call of
 * yaml_read_file.
 */
#include "base/yaml.h"

#include <libfyaml.h>

#include "base/text.h"

#define YAML_FILE_MAX  ((size_t)1024 * 1024)
#define YAML_DEPTH_MAX 32

struct reader {
    struct fy_diag *fy_diag;
    struct fy_parser *parser;
    struct fy_event *event; /* the current one; owned by the reader */
    struct arena *arena;
    struct yaml_report *report;
    struct diag *diag;
    const char *file;
    int line, column; /* of the last event that had a place */
};

static void complain(const struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* At the current event. */
static void
complain(const struct reader *reader, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    yaml_report_vadd(reader->report, reader->file, reader->line, reader->column, format, arguments);
    va_end(arguments);
}

/* ---- bytes ---- */

static bool
is_allowed_control(unsigned char c)
{
    return c == '\n' || c == '\r' || c == '\t';
}

/* The length of the UTF-8 sequence at <p>, or 0. */
static size_t
utf8_step(struct span rest)
{
    for (size_t n = 1; n <= 4 && n <= rest.n; n++) {
        if (text_is_utf8(span_of(rest.p, n))) {
            return n;
        }
    }
    return 0;
}

/* libfyaml would read on after these bytes as if nothing had been there. */
static struct status
check_bytes(const struct reader *reader, struct span text)
{
    int line = 1, column = 1;

    for (size_t i = 0; i < text.n;) {
        const unsigned char c = (unsigned char)text.p[i];
        const size_t step = c < 0x80 ? 1 : utf8_step(span_of(text.p + i, text.n - i));

        if (step == 0) {
            yaml_report_add(reader->report, reader->file, line, column,
                            "byte 0x%02x is not UTF-8; save the file as UTF-8", c);
            return FAIL(reader->diag, ERR_CONFIG_SYNTAX, "%s: not UTF-8", reader->file);
        }
        if ((c < 0x20 && !is_allowed_control(c)) || c == 0x7f) {
            yaml_report_add(reader->report, reader->file, line, column,
                            "control character 0x%02x is not allowed", c);
            return FAIL(reader->diag, ERR_CONFIG_SYNTAX, "%s: control character", reader->file);
        }
        column = c == '\n' ? 1 : column + 1;
        line += c == '\n' ? 1 : 0;
        i += step;
    }
    return OK;
}

/* ---- events ---- */

static struct status
syntax_error(struct reader *reader)
{
    void *iterator = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(reader->fy_diag, &iterator);

    if (error == NULL) {
        complain(reader, "this is not YAML 1.2");
        return FAIL(reader->diag, ERR_CONFIG_SYNTAX, "%s:%d: not YAML 1.2", reader->file,
                    reader->line);
    }
    yaml_report_add(reader->report, reader->file, error->line, error->column, "YAML syntax: %s",
                    error->msg);
    return FAIL(reader->diag, ERR_CONFIG_SYNTAX, "%s:%d:%d: YAML syntax: %s", reader->file,
                error->line, error->column, error->msg);
}

static void
release_event(struct reader *reader)
{
    if (reader->event != NULL) {
        fy_parser_event_free(reader->parser, reader->event);
        reader->event = NULL;
    }
}

/* The mark of a quoted scalar lies behind its quote, that of an alias behind its star. */
static int
sign_columns(struct fy_event *event)
{
    if (event->type == FYET_ALIAS) {
        return 1;
    }
    if (event->type != FYET_SCALAR || event->scalar.value == NULL) {
        return 0;
    }
    const enum fy_scalar_style style = fy_token_scalar_style(event->scalar.value);

    return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED ? 1 : 0;
}

static struct status
next_event(struct reader *reader)
{
    release_event(reader);
    reader->event = fy_parser_parse(reader->parser);
    if (reader->event == NULL) {
        return syntax_error(reader);
    }
    const struct fy_mark *mark = fy_event_start_mark(reader->event);

    if (mark != NULL) {
        reader->line = mark->line + 1;
        reader->column = mark->column + 1 - sign_columns(reader->event);
    }
    return OK;
}

/* ---- nodes ---- */

static struct status read_node(struct reader *reader, int depth, struct yaml_node **ret_node);

static struct status
new_node(struct reader *reader, enum yaml_kind kind, struct yaml_node **ret_node)
{
    struct yaml_node *node = NULL;

    TRY(ARENA_NEW(reader->arena, reader->diag, &node));
    node->kind = kind;
    node->file = reader->file;
    node->line = reader->line;
    node->column = reader->column;
    *ret_node = node;
    return OK;
}

static struct span
token_text(struct fy_token *token)
{
    size_t n = 0;
    const char *text = token == NULL ? NULL : fy_token_get_text(token, &n);

    return text == NULL ? SPAN_EMPTY : span_of(text, n);
}

static void
check_properties(struct reader *reader, struct yaml_node *node)
{
    struct fy_token *anchor = fy_event_get_anchor_token(reader->event);
    struct fy_token *tag = fy_event_get_tag_token(reader->event);

    if (anchor != NULL) {
        complain(reader, "anchor '&%.*s' is not allowed; write each value where it is used",
                 SPAN_PRINT(token_text(anchor)));
    }
    if (tag != NULL) {
        complain(reader, "a tag is not allowed; remove the '!' before this value");
    }
    if (anchor != NULL || tag != NULL) {
        node->is_refused = true;
    }
}

static struct status
read_scalar(struct reader *reader, struct yaml_node **ret_node)
{
    const struct span text = token_text(reader->event->scalar.value);
    struct yaml_node *node = NULL;

    TRY(new_node(reader, YAML_SCALAR, &node));
    TRY(arena_dup(reader->arena, text, reader->diag, &node->scalar));
    check_properties(reader, node);
    for (size_t i = 0; i < text.n && !node->is_refused; i++) {
        const unsigned char c = (unsigned char)text.p[i];

        if ((c < 0x20 && !is_allowed_control(c)) || c == 0x7f) {
            complain(reader, "control character 0x%02x is not allowed", c);
            node->is_refused = true;
        }
    }
    *ret_node = node;
    return OK;
}

static struct status
read_alias(struct reader *reader, struct yaml_node **ret_node)
{
    TRY(new_node(reader, YAML_SCALAR, ret_node));
    complain(reader, "alias '*%.*s' is not allowed; write each value where it is used",
             SPAN_PRINT(token_text(reader->event->alias.anchor)));
    (*ret_node)->is_refused = true;
    return OK;
}

static struct status
read_sequence(struct reader *reader, int depth, struct yaml_node **ret_node)
{
    struct yaml_node *node = NULL;

    TRY(new_node(reader, YAML_SEQUENCE, &node));
    check_properties(reader, node);
    struct yaml_node **end = &node->children;

    for (;;) {
        TRY(next_event(reader));
        if (reader->event->type == FYET_SEQUENCE_END) {
            *ret_node = node;
            return OK;
        }
        TRY(read_node(reader, depth + 1, end));
        end = &(*end)->next;
    }
}

static const struct yaml_node *
find_child(const struct yaml_node *mapping, struct span key)
{
    for (const struct yaml_node *child = mapping->children; child != NULL; child = child->next) {
        if (span_eq(child->key, key)) {
            return child;
        }
    }
    return NULL;
}

/* Is this value kept? Keys that are no text or that came before are said and left out. */
static bool
check_key(const struct reader *reader, const struct yaml_node *mapping, const struct yaml_node *key)
{
    if (key->is_refused) {
        return false;
    }
    if (key->kind != YAML_SCALAR || key->scalar.n == 0) {
        yaml_error(reader->report, key, "a key must be text");
        return false;
    }
    const struct yaml_node *first = find_child(mapping, key->scalar);

    if (first != NULL) {
        yaml_error(reader->report, key, "'%.*s' is already set at %s:%d:%d",
                   SPAN_PRINT(key->scalar), first->file, first->key_line, first->key_column);
        return false;
    }
    return true;
}

/* A collection stands where its key stands, and so does a value that was left out ("key:"). */
static void
place_value(struct yaml_node *value, const struct yaml_node *key, bool has_place)
{
    value->key = key->scalar;
    value->key_line = key->line;
    value->key_column = key->column;
    if (value->kind != YAML_SCALAR || !has_place) {
        value->line = key->line;
        value->column = key->column;
    }
}

static struct status
read_mapping(struct reader *reader, int depth, struct yaml_node **ret_node)
{
    struct yaml_node *node = NULL;

    TRY(new_node(reader, YAML_MAPPING, &node));
    check_properties(reader, node);
    struct yaml_node **end = &node->children;

    for (;;) {
        struct yaml_node *key = NULL, *value = NULL;

        TRY(next_event(reader));
        if (reader->event->type == FYET_MAPPING_END) {
            *ret_node = node;
            return OK;
        }
        TRY(read_node(reader, depth + 1, &key));
        const bool is_kept = check_key(reader, node, key);

        TRY(next_event(reader));
        const bool has_place = fy_event_start_mark(reader->event) != NULL;

        TRY(read_node(reader, depth + 1, &value));
        place_value(value, key, has_place);
        if (is_kept) {
            *end = value;
            end = &value->next;
        }
    }
}

/* The node that starts with the current event. */
static struct status
read_node(struct reader *reader, int depth, struct yaml_node **ret_node)
{
    if (depth > YAML_DEPTH_MAX) {
        complain(reader, "nested deeper than %d levels", YAML_DEPTH_MAX);
        return FAIL(reader->diag, ERR_CONFIG_SYNTAX, "%s:%d: nested deeper than %d levels",
                    reader->file, reader->line, YAML_DEPTH_MAX);
    }
    switch (reader->event->type) {
    case FYET_SCALAR:
        return read_scalar(reader, ret_node);
    case FYET_ALIAS:
        return read_alias(reader, ret_node);
    case FYET_SEQUENCE_START:
        return read_sequence(reader, depth, ret_node);
    case FYET_MAPPING_START:
        return read_mapping(reader, depth, ret_node);
    default:
        return syntax_error(reader);
    }
}

/* ---- files ---- */

static struct status
empty_root(struct reader *reader, struct yaml_node **ret_root)
{
    reader->line = 1;
    reader->column = 1;
    return new_node(reader, YAML_MAPPING, ret_root);
}

/* After the document's start. A document of nothing but comments is an empty mapping. */
static struct status
read_document(struct reader *reader, struct yaml_node **ret_root)
{
    struct yaml_node *root = NULL;

    TRY(next_event(reader));
    TRY(read_node(reader, 0, &root));
    if (root->kind == YAML_SCALAR && root->scalar.n == 0 && !root->is_refused) {
        TRY(empty_root(reader, &root));
    }
    if (root->kind != YAML_MAPPING) {
        yaml_error(reader->report, root, "expected 'key: value' pairs");
        return FAIL(reader->diag, ERR_CONFIG_SYNTAX, "%s:%d: expected 'key: value' pairs",
                    reader->file, root->line);
    }
    TRY(next_event(reader)); /* the document's end */
    *ret_root = root;
    return OK;
}

static struct status
read_stream(struct reader *reader, struct yaml_node **ret_root)
{
    struct yaml_node *root = NULL;

    TRY(next_event(reader)); /* the stream's start */
    TRY(next_event(reader));
    if (reader->event->type == FYET_STREAM_END) {
        return empty_root(reader, ret_root);
    }
    TRY(read_document(reader, &root));
    TRY(next_event(reader));
    if (reader->event->type != FYET_STREAM_END) {
        TRY(next_event(reader)); /* the first thing in it: the start may have no place */
        complain(reader, "a second document; one file holds one document");
    }
    *ret_root = root;
    return OK;
}

static struct status
open_parser(struct reader *reader, struct span text)
{
    const struct fy_diag_cfg diag_cfg = {.level = FYET_ERROR};

    reader->fy_diag = fy_diag_create(&diag_cfg);
    if (reader->fy_diag == NULL) {
        return FAIL(reader->diag, ERR_NO_MEMORY, "libfyaml: no memory");
    }
    fy_diag_set_collect_errors(reader->fy_diag, true);
    /* Sloppy: a closing bracket may stand at the start of a line, as in JSON. */
    const struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_ALLOW_DUPLICATE_KEYS |
                                              FYPCF_JSON_NONE | FYPCF_DEFAULT_VERSION_1_2 |
                                              FYPCF_SLOPPY_FLOW_INDENTATION,
                                     .diag = reader->fy_diag};

    reader->parser = fy_parser_create(&cfg);
    if (reader->parser == NULL || fy_parser_set_string(reader->parser, text.p, text.n) != 0) {
        return FAIL(reader->diag, ERR_NO_MEMORY, "libfyaml: no memory");
    }
    return OK;
}

static void
close_parser(struct reader *reader)
{
    release_event(reader);
    if (reader->parser != NULL) {
        fy_parser_destroy(reader->parser);
    }
    if (reader->fy_diag != NULL) {
        fy_diag_destroy(reader->fy_diag);
    }
}

static struct status
read_text(struct reader *reader, struct span text, struct yaml_node **ret_root)
{
    TRY(check_bytes(reader, text));
    if (text.n == 0) {
        return empty_root(reader, ret_root);
    }
    struct status st = open_parser(reader, text);

    if (is_ok(st)) {
        st = read_stream(reader, ret_root);
    }
    close_parser(reader);
    return st;
}

struct status
yaml_read_text(const char *name, struct span text, struct arena *arena, struct yaml_report *report,
               struct diag *diag, struct yaml_node **ret_root)
{
    struct reader reader = {
        .arena = arena, .report = report, .diag = diag, .file = name, .line = 1, .column = 1};

    return read_text(&reader, text, ret_root);
}

struct status
yaml_read_file(const char *path, struct arena *arena, struct yaml_report *report, struct diag *diag,
               struct yaml_node **ret_root)
{
    struct reader reader = {.arena = arena, .report = report, .diag = diag, .line = 1, .column = 1};
    struct span file;
    struct buf text;

    TRY(arena_dup(arena, span_of_cstr(path), diag, &file));
    reader.file = file.p;
    buf_init(&text, YAML_FILE_MAX);
    struct status st = buf_read_file(&text, path, diag);

    if (is_ok(st)) {
        st = read_text(&reader, buf_span(&text), ret_root);
    }
    buf_done(&text);
    return st;
}
