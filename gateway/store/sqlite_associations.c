/*
 * Associations as rows: written by submissions and imports, found by what they connect. Called
 * within the transaction of one store call, on its thread.
 */
#include "store/sqlite_lists.h"
#include "store/sqlite_registry.h"

/* ---- writing ---- */

struct status
sqlite_association_insert(struct db_conn *conn, const struct association *association,
                          int64_t now_us, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct association copy = *association; /* reading and writing share a description */
    const struct sqlite_slots slots = {.extra = &copy.extra, .xml = &copy.xml};
    const struct span texts[] = {association->entry_uuid,
                                 association->type,
                                 association->source,
                                 association->target,
                                 association->status,
                                 association->submission_set_status,
                                 association->previous_version,
                                 association->documentation.value,
                                 association->documentation.scheme,
                                 association->documentation.display};

    db_prepare(conn,
               "INSERT INTO associations (entry_uuid, type, source, target, status,"
               " submission_set_status, previous_version, code, scheme, display, has_slots,"
               " added_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               &query);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        db_text(&query, texts[i]);
    }
    db_int(&query, sqlite_slots_are_there(&slots));
    db_int(&query, now_us);
    TRY(db_run(&query, diag));
    return sqlite_slots_insert(conn, association->entry_uuid, &slots, diag);
}

/* ---- reading ---- */

#define ASSOCIATION_COLUMNS                                                                        \
    "a.entry_uuid, a.type, a.source, a.target, a.status, a.submission_set_status,"                 \
    " a.previous_version, a.code, a.scheme, a.display, a.has_slots"

static struct status
read_association(const struct sqlite_store *store, struct db_conn *conn,
                 const struct db_query *query, struct arena *arena, struct diag *diag,
                 struct association *ret_association)
{
    struct association a = {0};
    struct span *const texts[] = {&a.entry_uuid,      &a.type,   &a.source,
                                  &a.target,          &a.status, &a.submission_set_status,
                                  &a.previous_version};
    const struct sqlite_slots slots = {.extra = &a.extra, .xml = &a.xml};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        TRY(db_column_text(query, (int)i, arena, diag, texts[i]));
    }
    TRY(sqlite_code_read(query, (int)ARRAY_LEN(texts), arena, diag, &a.documentation));
    TRY(arena_printf(arena, diag, &a.home, "urn:oid:%s", store->community));
    if (db_column_int(query, (int)ARRAY_LEN(texts) + 3) != 0) {
        TRY(sqlite_slots_read(conn, a.entry_uuid, arena, diag, &slots));
    }
    *ret_association = a;
    return OK;
}

#define OF_TYPE " AND (?2 = '[]' OR a.type IN (SELECT value FROM json_each(?2))) ORDER BY a.id"

static void
prepare(struct db_conn *conn, enum sqlite_end end, struct db_query *query)
{
    switch (end) {
    case SQLITE_END_SELF:
        db_prepare(conn,
                   "SELECT " ASSOCIATION_COLUMNS " FROM associations AS a"
                   " WHERE a.entry_uuid IN (SELECT value FROM json_each(?1))" OF_TYPE,
                   query);
        return;
    case SQLITE_END_SOURCE:
        db_prepare(conn,
                   "SELECT " ASSOCIATION_COLUMNS " FROM associations AS a"
                   " WHERE a.source IN (SELECT value FROM json_each(?1))" OF_TYPE,
                   query);
        return;
    case SQLITE_END_TARGET:
        db_prepare(conn,
                   "SELECT " ASSOCIATION_COLUMNS " FROM associations AS a"
                   " WHERE a.target IN (SELECT value FROM json_each(?1))" OF_TYPE,
                   query);
        return;
    case SQLITE_END_EITHER:
        db_prepare(conn,
                   "SELECT " ASSOCIATION_COLUMNS " FROM associations AS a WHERE a.id IN ("
                   " SELECT id FROM associations WHERE source IN (SELECT value FROM json_each(?1))"
                   " UNION"
                   " SELECT id FROM associations WHERE target IN (SELECT value FROM "
                   "json_each(?1)))" OF_TYPE,
                   query);
        return;
    }
}

struct status
sqlite_get_associations(struct sqlite_store *store, struct db_conn *conn, enum sqlite_end end,
                        const struct span_list *uuids, const struct span_list *types,
                        struct arena *arena, struct diag *diag,
                        struct association_list *associations)
{
    CLEANUP(sqlite_lists_done) struct sqlite_lists lists;
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    sqlite_lists_init(&lists);
    if (uuids->n == 0) {
        return OK;
    }
    TRY(sqlite_lists_texts(&lists, uuids, diag));
    TRY(sqlite_lists_texts(&lists, types, diag));
    prepare(conn, end, &query);
    db_text(&query, sqlite_lists_text(&lists, 0));
    db_text(&query, sqlite_lists_text(&lists, 1));
    for (;;) {
        struct association association;

        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(sqlite_results_check(associations->n + 1, diag));
        TRY(read_association(store, conn, &query, arena, diag, &association));
        TRY(ARENA_PUSH(arena, diag, associations, association));
    }
}
