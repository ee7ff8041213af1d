/*
 * By what people are found: the keys of their names; and doubting ids that nobody should believe.
 * Called within the transaction of one store call, on its thread.
 */
#include "store/sqlite.h"

#include <string.h>

/* ---- parts ---- */

struct status
sqlite_parts_join(const struct span_list *parts, struct arena *arena, struct diag *diag,
                  struct span *ret_joined)
{
    void *joined = NULL;
    size_t n = 0;

    for (size_t i = 0; i < parts->n; i++) {
        n += parts->items[i].n + 1;
    }
    TRY(arena_alloc(arena, n + 1, diag, &joined));
    char *to = joined;

    for (size_t i = 0; i < parts->n; i++) {
        if (i > 0) {
            *to++ = SQLITE_PART_SEPARATOR;
        }
        if (parts->items[i].n > 0) {
            memcpy(to, parts->items[i].p, parts->items[i].n);
            to += parts->items[i].n;
        }
    }
    *ret_joined = span_of(joined, (size_t)(to - (char *)joined));
    return OK;
}

struct status
sqlite_parts_split(struct span joined, struct arena *arena, struct diag *diag,
                   struct span_list *ret_parts)
{
    struct span_list parts = {0};
    struct span part;

    while (joined.n > 0 && span_split(&joined, SQLITE_PART_SEPARATOR, &part)) {
        TRY(ARENA_PUSH(arena, diag, &parts, part));
    }
    *ret_parts = parts;
    return OK;
}

/* ---- keys ---- */

static struct status
insert_key(struct db_conn *conn, int64_t row, struct span key, struct span birth_date,
           struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn,
               "INSERT OR IGNORE INTO person_keys (key, birth_date, patient) VALUES (?, ?, ?)",
               &query);
    db_text(&query, key);
    db_text(&query, birth_date);
    db_int(&query, row);
    return db_run(&query, diag);
}

/* Who has no birth date that can be believed is found by no key. */
struct status
sqlite_people_add_keys(struct db_conn *conn, int64_t row, const struct patient *patient,
                       struct arena *arena, struct diag *diag)
{
    struct match_person person;
    struct span_list keys;

    TRY(match_prepare(patient, NULL, arena, diag, &person));
    if (person.birth_date.n == 0) {
        return OK;
    }
    TRY(match_family_keys(&person, arena, diag, &keys));
    for (size_t i = 0; i < keys.n; i++) {
        TRY(insert_key(conn, row, keys.items[i], person.birth_date, diag));
    }
    return OK;
}

static struct status
index_one(struct db_conn *conn, int64_t row, struct diag *diag)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct sqlite_patient stored;
    struct status st;

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a patient");
    }
    st = sqlite_patient_load(conn, row, arena, diag, &stored);
    if (is_ok(st)) {
        st = sqlite_people_add_keys(conn, row, &stored.patient, arena, diag);
    }
    arena_free(arena);
    return st;
}

struct status
sqlite_people_doubt_id(struct db_conn *conn, struct span root, struct span key, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn, "UPDATE identifiers SET unreliable = 1 WHERE root = ? AND extension_key = ?",
               &query);
    db_text(&query, root);
    db_text(&query, key);
    return db_run(&query, diag);
}

struct id_list {
    struct ident *items;
    size_t n, capacity;
};

/* Collected first: the table is not changed while it is read. */
static struct status
list_doubtful(struct db_conn *conn, struct arena *arena, struct diag *diag, struct id_list *ids)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn,
               "SELECT DISTINCT root, extension_key FROM identifiers"
               " WHERE unreliable = 0 AND extension <> ''",
               &query);
    for (;;) {
        struct ident id = {0};
        struct span root, key;

        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(db_column_blob(&query, 0, diag, &root));
        TRY(db_column_blob(&query, 1, diag, &key));
        if (!match_id_is_believable(root, key)) {
            TRY(arena_dup(arena, root, diag, &id.root));
            TRY(arena_dup(arena, key, diag, &id.extension));
            TRY(ARENA_PUSH(arena, diag, ids, id));
        }
    }
}

static struct status
doubt_ids(struct db_conn *conn, struct diag *diag)
{
    struct arena *arena = arena_new((size_t)256 * 1024 * 1024);
    struct id_list ids = {0};
    struct status st;

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for identifiers");
    }
    st = list_doubtful(conn, arena, diag, &ids);
    for (size_t i = 0; is_ok(st) && i < ids.n; i++) {
        st = sqlite_people_doubt_id(conn, ids.items[i].root, ids.items[i].extension, diag);
    }
    arena_free(arena);
    return st;
}

static struct status
next_row(struct db_conn *conn, int64_t after, struct diag *diag, int64_t *ret_row)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn, "SELECT id FROM patients WHERE id > ? ORDER BY id LIMIT 1", &query);
    db_int(&query, after);
    TRY(db_step(&query, diag, &has_row));
    *ret_row = has_row ? db_column_int(&query, 0) : 0;
    return OK;
}

struct status
sqlite_people_index(struct db_conn *conn, struct diag *diag)
{
    int64_t row = 0;

    for (;;) {
        TRY(next_row(conn, row, diag, &row));
        if (row == 0) {
            return doubt_ids(conn, diag);
        }
        TRY(index_one(conn, row, diag));
    }
}
