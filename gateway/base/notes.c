/*
 * Notes in a tree, and the two ways to write them. Called by whoever explains something to people,
 * on that thread; the arena owns the notes.
 */
#include "base/notes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/text.h"

#define KEY_COLUMNS   18
#define INDENT        2
#define PRINTED_MAX   1024
#define FIRST_COLUMNS 12 /* of a row */
#define NEXT_COLUMNS  26

void
notes_init(struct notes *notes, struct arena *arena, bool shows_private, struct diag *diag)
{
    *notes = (struct notes){.arena = arena, .diag = diag, .shows_private = shows_private};
    notes->top.kind = NOTE_OBJECT;
    notes->lost.kind = NOTE_OBJECT;
}

/* ---- making ---- */

static struct note *
add(struct notes *notes, struct note *parent, enum note_kind kind, const char *key)
{
    struct note *note = NULL;

    if (parent == &notes->lost || !is_ok(notes->status)) {
        return &notes->lost;
    }
    notes->status = ARENA_NEW(notes->arena, notes->diag, &note);
    if (!is_ok(notes->status)) {
        return &notes->lost;
    }
    note->kind = kind;
    note->key = key;
    if (parent->last == NULL) {
        parent->first = note;
    } else {
        parent->last->next = note;
    }
    parent->last = note;
    return note;
}

struct note *
note_object(struct notes *notes, struct note *parent, const char *key)
{
    return add(notes, parent, NOTE_OBJECT, key);
}

struct note *
note_list(struct notes *notes, struct note *parent, const char *key)
{
    return add(notes, parent, NOTE_LIST, key);
}

struct note *
note_row(struct notes *notes, struct note *list)
{
    return add(notes, list, NOTE_ROW, NULL);
}

void
note_text(struct notes *notes, struct note *parent, const char *key, struct span text)
{
    if (text.n > 0) {
        add(notes, parent, NOTE_TEXT, key)->text = text;
    }
}

void
note_cstr(struct notes *notes, struct note *parent, const char *key, const char *text)
{
    note_text(notes, parent, key, span_of_cstr(text));
}

void
note_printf(struct notes *notes, struct note *parent, const char *key, const char *format, ...)
{
    char text[PRINTED_MAX];
    struct span copy = SPAN_EMPTY;
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (is_ok(notes->status)) {
        notes->status = arena_dup(notes->arena, span_of_cstr(text), notes->diag, &copy);
    }
    note_text(notes, parent, key, copy);
}

void
note_private(struct notes *notes, struct note *parent, const char *key, struct span text)
{
    size_t n = 0;
    uint32_t c;

    if (notes->shows_private || text.n == 0) {
        note_text(notes, parent, key, text);
        return;
    }
    while (text_take_char(&text, &c)) {
        n++;
    }
    note_printf(notes, parent, key, "[redacted %zu character%s]", n, n == 1 ? "" : "s");
}

void
note_word(struct notes *notes, struct note *parent, const char *key, struct span word)
{
    struct note *const last = parent->last;

    if (last == NULL || last->kind != NOTE_TEXT || strcmp(last->key, key) != 0) {
        note_text(notes, parent, key, word);
    } else if (is_ok(notes->status)) {
        notes->status = arena_printf(notes->arena, notes->diag, &last->text, "%.*s, %.*s",
                                     SPAN_PRINT(last->text), SPAN_PRINT(word));
    }
}

void
note_int(struct notes *notes, struct note *parent, const char *key, int64_t value)
{
    add(notes, parent, NOTE_INT, key)->number = value;
}

void
note_bool(struct notes *notes, struct note *parent, const char *key, bool value)
{
    add(notes, parent, NOTE_BOOL, key)->number = value;
}

/* ---- JSON ---- */

/* Depth is that of our own calls, never of input. */
static void
write_json(struct jsonw *w, const struct note *note, bool is_top)
{
    if (note->key != NULL && !is_top) {
        jsonw_key(w, note->key);
    }
    switch (note->kind) {
    case NOTE_TEXT:
        jsonw_string(w, note->text);
        return;
    case NOTE_INT:
        jsonw_int(w, note->number);
        return;
    case NOTE_BOOL:
        jsonw_bool(w, note->number != 0);
        return;
    case NOTE_LIST:
        jsonw_array(w);
        break;
    case NOTE_OBJECT:
    case NOTE_ROW:
        jsonw_object(w);
        break;
    }
    for (const struct note *child = note->first; child != NULL; child = child->next) {
        write_json(w, child, false);
    }
    jsonw_close(w);
}

struct status
notes_write_json(const struct notes *notes, struct buf *out, struct diag *diag)
{
    struct jsonw w;

    if (!is_ok(notes->status)) {
        return FAIL(diag, notes->status.code, "%s", notes->diag->text);
    }
    jsonw_init(&w, out, true, diag);
    write_json(&w, &notes->top, true);
    return jsonw_finish(&w);
}

/* ---- text ---- */

static struct status
write_key(const char *key, int columns, struct buf *out, struct diag *diag)
{
    char text[64];

    snprintf(text, sizeof(text), "%s", key);
    for (char *c = strchr(text, '_'); c != NULL; c = strchr(c, '_')) {
        *c = ' ';
    }
    return buf_printf(out, diag, "%-*s", columns, text);
}

static struct status
write_value(const struct note *note, struct buf *out, struct diag *diag)
{
    switch (note->kind) {
    case NOTE_TEXT:
        return text_show(note->text, out, diag);
    case NOTE_INT:
        return buf_printf(out, diag, "%" PRId64, note->number);
    case NOTE_BOOL:
        return buf_append_cstr(out, note->number != 0 ? "yes" : "no", diag);
    default:
        return OK;
    }
}

/* Two columns, then the rest with commas; what is no text has its key before it. */
static struct status
write_row(const struct note *row, struct buf *out, struct diag *diag)
{
    size_t column = 0;

    for (const struct note *cell = row->first; cell != NULL; cell = cell->next, column++) {
        const int columns = column == 0 ? FIRST_COLUMNS : column == 1 ? NEXT_COLUMNS : 0;
        const size_t start = out->n;

        TRY(buf_append_cstr(out, column > 2 ? ", " : "", diag));
        if (cell->kind != NOTE_TEXT) {
            TRY(write_key(cell->key, 0, out, diag));
            TRY(buf_append_char(out, ' ', diag));
        }
        TRY(write_value(cell, out, diag));
        if (cell->next != NULL && column < 2) {
            const size_t n = text_columns(span_of(out->p + start, out->n - start));
            const int rest = columns > (int)n ? columns - (int)n : 1;

            TRY(buf_printf(out, diag, "%*s", rest, ""));
        }
    }
    return buf_append_char(out, '\n', diag);
}

static struct status
write_lines(const struct note *parent, int indent, bool is_item, struct buf *out, struct diag *diag)
{
    for (const struct note *note = parent->first; note != NULL; note = note->next) {
        const bool has_mark = is_item && note == parent->first;
        const bool is_plain =
            note->kind == NOTE_TEXT || note->kind == NOTE_INT || note->kind == NOTE_BOOL;

        TRY(buf_printf(out, diag, "%*s", has_mark ? indent - INDENT : indent, ""));
        TRY(buf_append_cstr(out, has_mark ? "- " : "", diag));
        if (note->kind == NOTE_ROW) {
            TRY(write_row(note, out, diag));
            continue;
        }
        if (parent->kind == NOTE_LIST && is_plain) {
            TRY(write_value(note, out, diag));
            TRY(buf_append_char(out, '\n', diag));
            continue;
        }
        if (note->kind == NOTE_OBJECT && parent->kind == NOTE_LIST) {
            out->n -= (size_t)indent; /* its first line brings them again */
            TRY(write_lines(note, indent + INDENT, true, out, diag));
            continue;
        }
        TRY(write_key(note->key, is_plain ? KEY_COLUMNS : 0, out, diag));
        TRY(buf_append_cstr(out, is_plain ? " " : note->first == NULL ? " none" : "", diag));
        TRY(write_value(note, out, diag));
        TRY(buf_append_char(out, '\n', diag));
        TRY(write_lines(note, indent + INDENT, false, out, diag));
    }
    return OK;
}

struct status
notes_write_text(const struct notes *notes, struct buf *out, struct diag *diag)
{
    if (!is_ok(notes->status)) {
        return FAIL(diag, notes->status.code, "%s", notes->diag->text);
    }
    for (const struct note *section = notes->top.first; section != NULL; section = section->next) {
        TRY(buf_append_cstr(out, section == notes->top.first ? "" : "\n", diag));
        TRY(write_key(section->key, 0, out, diag));
        TRY(buf_append_cstr(out, section->first == NULL ? ": none\n" : "\n", diag));
        TRY(write_lines(section, INDENT, false, out, diag));
    }
    return OK;
}
