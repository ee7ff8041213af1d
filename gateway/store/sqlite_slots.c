/*
 * Authors, and slots that are kept as they came, of DocumentEntries, SubmissionSets, Folders and
 * Associations. Called within the transaction of one store call, on its thread. The arena owns what
 * is read.
 */
#include "store/sqlite.h"

#include <stddef.h>

/* ---- slots ---- */

/* Where an author's values after the first are; the order is in the file: never change it. */
static const size_t more_members[] = {
    offsetof(struct author, more_institutions), offsetof(struct author, more_roles),
    offsetof(struct author, more_specialties), offsetof(struct author, more_telecoms)};

static struct span_list *
more_of(struct author *author, size_t n)
{
    return (struct span_list *)((char *)author + more_members[n]);
}

static bool
have_more(const struct author_list *authors)
{
    for (size_t i = 0; i < authors->n; i++) {
        for (size_t k = 0; k < ARRAY_LEN(more_members); k++) {
            if (more_of(&authors->items[i], k)->n > 0) {
                return true;
            }
        }
    }
    return false;
}

bool
sqlite_slots_are_there(const struct sqlite_slots *slots)
{
    return (slots->extra != NULL && slots->extra->n > 0) ||
           (slots->authors != NULL && have_more(slots->authors)) ||
           (slots->recipients != NULL && slots->recipients->n > 0) ||
           (slots->xml != NULL && slots->xml->n > 0);
}

/* Where the values of one slot are: the object, whose of it, and the slot's place there. */
struct place {
    struct span entry_uuid;
    enum sqlite_slot_kind kind;
    size_t owner, position;
};

static struct status
insert_values(struct db_conn *conn, const struct place *place, struct span name,
              const struct span_list *values, struct diag *diag)
{
    for (size_t i = 0; i < values->n; i++) {
        CLEANUP(db_end) struct db_query query = {0};

        db_prepare(conn,
                   "INSERT INTO object_slots (entry_uuid, kind, owner, position, item, name, value)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?)",
                   &query);
        db_text(&query, place->entry_uuid);
        db_int(&query, place->kind);
        db_int(&query, (int64_t)place->owner);
        db_int(&query, (int64_t)place->position);
        db_int(&query, (int64_t)i);
        db_text(&query, name);
        db_text(&query, values->items[i]);
        TRY(db_run(&query, diag));
    }
    return OK;
}

/* REQ: ITI41-extra-metadata */
struct status
sqlite_slots_insert(struct db_conn *conn, struct span entry_uuid, const struct sqlite_slots *slots,
                    struct diag *diag)
{
    struct place extra = {entry_uuid, SQLITE_SLOT_EXTRA, 0, 0};
    const struct place recipients = {entry_uuid, SQLITE_SLOT_RECIPIENT, 0, 0};

    for (size_t i = 0; slots->extra != NULL && i < slots->extra->n; i++) {
        extra.position = i;
        TRY(insert_values(conn, &extra, slots->extra->items[i].name, &slots->extra->items[i].values,
                          diag));
    }
    if (slots->recipients != NULL) {
        TRY(insert_values(conn, &recipients, SPAN_EMPTY, slots->recipients, diag));
    }
    for (size_t i = 0; slots->authors != NULL && i < slots->authors->n; i++) {
        for (size_t k = 0; k < ARRAY_LEN(more_members); k++) {
            const struct place more = {entry_uuid, SQLITE_SLOT_AUTHOR, i, k};

            TRY(insert_values(conn, &more, SPAN_EMPTY, more_of(&slots->authors->items[i], k),
                              diag));
        }
    }
    return slots->xml == NULL || slots->xml->n == 0
               ? OK
               : sqlite_text_insert(conn, entry_uuid, slots->patient_id, *slots->xml, diag);
}

/* Values of one slot follow each other; the first has item 0. */
static struct status
take_value(struct extra_slot_list *list, bool is_first, const struct extra_slot *slot,
           struct span value, struct arena *arena, struct diag *diag)
{
    if (is_first) {
        TRY(ARENA_PUSH(arena, diag, list, *slot));
    }
    return list->n == 0 ? OK : ARENA_PUSH(arena, diag, &list->items[list->n - 1].values, value);
}

static struct status
take_row(const struct db_query *query, const struct sqlite_slots *slots, struct arena *arena,
         struct diag *diag)
{
    const int64_t kind = db_column_int(query, 0);
    const uint64_t owner = (uint64_t)db_column_int(query, 1);
    const uint64_t position = (uint64_t)db_column_int(query, 5);
    const bool is_first = db_column_int(query, 2) == 0;
    struct extra_slot slot = {0};
    struct span value = SPAN_EMPTY;

    TRY(db_column_text(query, 3, arena, diag, &slot.name));
    TRY(db_column_text(query, 4, arena, diag, &value));
    if (kind == SQLITE_SLOT_EXTRA && slots->extra != NULL) {
        return take_value(slots->extra, is_first, &slot, value, arena, diag);
    }
    if (kind == SQLITE_SLOT_RECIPIENT && slots->recipients != NULL) {
        return ARENA_PUSH(arena, diag, slots->recipients, value);
    }
    if (kind == SQLITE_SLOT_AUTHOR && slots->authors != NULL && owner < slots->authors->n &&
        position < ARRAY_LEN(more_members)) {
        return ARENA_PUSH(arena, diag, more_of(&slots->authors->items[owner], position), value);
    }
    return FAIL(diag, ERR_STORE, "a slot in the store belongs to nothing");
}

static struct status
read_slots(struct db_conn *conn, struct span entry_uuid, struct arena *arena, struct diag *diag,
           const struct sqlite_slots *slots)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(
        conn,
        "SELECT kind, owner, item, name, value, position FROM object_slots WHERE entry_uuid = ?"
        " ORDER BY kind, owner, position, item",
        &query);
    db_text(&query, entry_uuid);
    for (;;) {
        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(take_row(&query, slots, arena, diag));
    }
}

struct status
sqlite_slots_read(struct db_conn *conn, struct span entry_uuid, struct arena *arena,
                  struct diag *diag, const struct sqlite_slots *slots)
{
    TRY(read_slots(conn, entry_uuid, arena, diag, slots));
    return slots->xml == NULL
               ? OK
               : sqlite_text_read(conn, entry_uuid, slots->patient_id, arena, diag, slots->xml);
}

/* ---- authors ---- */

struct status
sqlite_authors_insert(struct db_conn *conn, const char *sql, int64_t row,
                      const struct author_list *authors, struct diag *diag)
{
    for (size_t i = 0; i < authors->n; i++) {
        CLEANUP(db_end) struct db_query query = {0};
        const struct author *author = &authors->items[i];

        db_prepare(conn, sql, &query);
        db_int(&query, row);
        db_int(&query, (int64_t)i);
        db_text(&query, author->person);
        db_text(&query, author->institution);
        db_text(&query, author->role);
        db_text(&query, author->specialty);
        db_text(&query, author->telecom);
        TRY(db_run(&query, diag));
    }
    return OK;
}

struct status
sqlite_authors_read(struct db_conn *conn, const char *sql, int64_t row, struct arena *arena,
                    struct diag *diag, struct author_list *authors)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn, sql, &query);
    db_int(&query, row);
    for (;;) {
        struct author author = {0};
        struct span *const texts[] = {&author.person, &author.institution, &author.role,
                                      &author.specialty, &author.telecom};

        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
            TRY(db_column_text(&query, (int)i, arena, diag, texts[i]));
        }
        TRY(ARENA_PUSH(arena, diag, authors, author));
    }
}

/* ---- codes ---- */

struct status
sqlite_code_read(const struct db_query *query, int first, struct arena *arena, struct diag *diag,
                 struct code *ret_code)
{
    struct code code = {0};

    TRY(db_column_text(query, first, arena, diag, &code.value));
    TRY(db_column_text(query, first + 1, arena, diag, &code.scheme));
    TRY(db_column_text(query, first + 2, arena, diag, &code.display));
    *ret_code = code;
    return OK;
}
