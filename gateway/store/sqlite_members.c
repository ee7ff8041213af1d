/*
 * Which documents SubmissionSets and Folders have, for whoever decides whether a package may be
 * shown. Called within the read transaction of one store call, on its thread; the arena owns what
 * is read.
 */
#include "store/sqlite_lists.h"
#include "store/sqlite_registry.h"

#define MEMBERS_MAX 20000

/* A row for each confidentiality code of a document; one without a code has one row. */
static const char members_sql[] =
    "WITH RECURSIVE m(package, member) AS (SELECT value, value FROM json_each(?1)"
    " UNION SELECT m.package, a.target FROM m JOIN associations AS a ON a.source = m.member"
    " AND a.type = '" ASSOCIATION_HAS_MEMBER "')"
    " SELECT m.package, d.entry_uuid, p.public_id, c.code, c.scheme, c.display"
    " FROM m JOIN documents AS d ON d.entry_uuid = m.member AND m.member <> m.package"
    " JOIN patients AS p ON p.id = d.patient"
    " LEFT JOIN document_codes AS c ON c.document = d.id AND c.kind = 6"
    " ORDER BY m.package, d.id, c.position";
_Static_assert(SQLITE_CODE_CONFIDENTIALITY == 6, "members_sql spells the kind as a number");

static struct status
add_member(const struct sqlite_store *store, const struct db_query *query, struct arena *arena,
           struct diag *diag, struct store_member_list *members)
{
    struct ident patient = {span_of_cstr(store->patient_authority), SPAN_EMPTY, SPAN_EMPTY};
    struct store_member member = {0};
    const struct store_member *last = members->n == 0 ? NULL : &members->items[members->n - 1];

    TRY(db_column_text(query, 0, arena, diag, &member.package));
    TRY(db_column_text(query, 1, arena, diag, &member.entry.entry_uuid));
    if (last != NULL && span_eq(last->package, member.package) &&
        span_eq(last->entry.entry_uuid, member.entry.entry_uuid)) {
        return OK; /* another code of it */
    }
    TRY(db_column_text(query, 2, arena, diag, &patient.extension));
    TRY(ident_write_cx(arena, &patient, diag, &member.entry.patient_id));
    return ARENA_PUSH(arena, diag, members, member);
}

static struct status
add_code(const struct db_query *query, struct arena *arena, struct diag *diag,
         struct store_member *member)
{
    struct code code;

    TRY(sqlite_code_read(query, 3, arena, diag, &code));
    return code.value.n == 0 ? OK : ARENA_PUSH(arena, diag, &member->entry.confidentiality, code);
}

struct status
sqlite_members(struct sqlite_store *store, struct db_conn *conn,
               const struct span_list *entry_uuids, struct arena *arena, struct diag *diag,
               struct store_member_list *members)
{
    CLEANUP(sqlite_lists_done) struct sqlite_lists lists;
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    sqlite_lists_init(&lists);
    TRY(sqlite_lists_texts(&lists, entry_uuids, diag));
    db_prepare(conn, members_sql, &query);
    db_text(&query, sqlite_lists_text(&lists, 0));
    for (;;) {
        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(add_member(store, &query, arena, diag, members));
        if (members->n > MEMBERS_MAX) {
            return FAIL(diag, ERR_LIMIT_RESULTS,
                        "the packages of one answer have more than %d documents; ask for fewer",
                        MEMBERS_MAX);
        }
        TRY(add_code(&query, arena, diag, &members->items[members->n - 1]));
    }
}
