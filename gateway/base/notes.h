/*
 * What is said about something, as a tree of notes. Text for people and JSON are written from the
 * same tree, so that both say the same. A note may be private: then only its length is told, unless
 * whoever made the notes was asked for more; what is not told is not kept in the tree. Failures (no
 * memory) are sticky, as in jsonw.h. Everything lives in the arena; spans that are given must, too,
 * or live longer. Keys are literals. Thread: one at a time.
 */
#ifndef BASE_NOTES_H
#define BASE_NOTES_H

#include "base/arena.h"
#include "base/buf.h"

#define NOTES_DEPTH_MAX 24

enum note_kind { NOTE_TEXT, NOTE_INT, NOTE_BOOL, NOTE_OBJECT, NOTE_LIST, NOTE_ROW };

struct note {
    enum note_kind kind;
    const char *key; /* NULL in a list */
    struct span text;
    int64_t number; /* NOTE_INT, NOTE_BOOL */
    struct note *first, *last, *next;
};

struct notes {
    struct arena *arena;
    struct diag *diag;
    struct status status;
    bool shows_private;
    struct note top;
    struct note lost; /* where notes go that could not be made */
};

/* <notes> must not move after this. */
void notes_init(struct notes *notes, struct arena *arena, bool shows_private, struct diag *diag);

/* Never NULL. <parent> is an object or a list (then <key> is NULL). A row is an object whose text
 * is one line. */
struct note *note_object(struct notes *notes, struct note *parent, const char *key);
struct note *note_list(struct notes *notes, struct note *parent, const char *key);
struct note *note_row(struct notes *notes, struct note *list);

void note_text(struct notes *notes, struct note *parent, const char *key,
               struct span text); /* an empty text is left out */
void note_cstr(struct notes *notes, struct note *parent, const char *key, const char *text);
void note_printf(struct notes *notes, struct note *parent, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The text, or "[redacted 9 characters]". */
void note_private(struct notes *notes, struct note *parent, const char *key, struct span text);
/* Several words under one key: "a, b". */
void note_word(struct notes *notes, struct note *parent, const char *key, struct span word);
void note_int(struct notes *notes, struct note *parent, const char *key, int64_t value);
void note_bool(struct notes *notes, struct note *parent, const char *key, bool value);

/* Members of <top> become sections, and their members one line each. */
MUST_CHECK struct status notes_write_text(const struct notes *notes, struct buf *out,
                                          struct diag *diag);
MUST_CHECK struct status notes_write_json(const struct notes *notes, struct buf *out,
                                          struct diag *diag);

#endif
