/*
 * Objects as they were submitted, and who submitted them. The rows of an object (sqlite_entries.c,
 * sqlite_packages.c, sqlite_associations.c) are what this registry understands and searches; its
 * text has all the rest, so that nothing is lost between a submission and the answers that follow.
 * Called within the transaction of one store call, on its thread.
 */
#include "base/buf.h"
#include "store/sqlite_registry.h"

#define TEXT_MAX ((size_t)64 * 1024 * 1024)

struct status
sqlite_text_insert(struct db_conn *conn, struct span entry_uuid, struct span patient_id,
                   struct span xml, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn, "INSERT INTO object_texts (entry_uuid, patient_id, xml) VALUES (?, ?, ?)",
               &query);
    db_text(&query, entry_uuid);
    db_text(&query, patient_id);
    db_text(&query, xml);
    return db_run(&query, diag);
}

/* A CX in an attribute: of all that XML escapes it has the ampersand only, because our ids are made
 * of UUIDs and OIDs. */
static struct status
escape(struct span cx, struct arena *arena, struct diag *diag, struct span *ret_text)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < cx.n; i++) {
        TRY(cx.p[i] == '&' ? buf_append_cstr(&text, "&amp;", diag)
                           : buf_append_char(&text, cx.p[i], diag));
    }
    return arena_dup(arena, buf_span(&text), diag, ret_text);
}

/* Somebody's record may have become part of another since. */
static struct status
exchange(struct span from, struct span to, struct arena *arena, struct diag *diag, struct span *xml)
{
    CLEANUP(buf_done) struct buf text;
    struct span old, new, rest = *xml;
    size_t at;

    TRY(escape(from, arena, diag, &old));
    TRY(escape(to, arena, diag, &new));
    buf_init_secret(&text, TEXT_MAX);
    while ((at = span_find(rest, old)) != SPAN_MISSING) {
        TRY(buf_append(&text, span_slice(rest, 0, at), diag));
        TRY(buf_append(&text, new, diag));
        rest = span_slice(rest, at + old.n, SIZE_MAX);
    }
    TRY(buf_append(&text, rest, diag));
    return arena_dup(arena, buf_span(&text), diag, xml);
}

struct status
sqlite_text_read(struct db_conn *conn, struct span entry_uuid, struct span patient_id,
                 struct arena *arena, struct diag *diag, struct span *ret_xml)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct span submitted, xml;
    bool has_row = false;

    db_prepare(conn, "SELECT patient_id, xml FROM object_texts WHERE entry_uuid = ?", &query);
    db_text(&query, entry_uuid);
    TRY(db_step(&query, diag, &has_row));
    if (!has_row) {
        return OK;
    }
    TRY(db_column_text(&query, 0, arena, diag, &submitted));
    TRY(db_column_text(&query, 1, arena, diag, &xml));
    if (submitted.n > 0 && !span_eq(submitted, patient_id)) {
        TRY(exchange(submitted, patient_id, arena, diag, &xml));
    }
    *ret_xml = xml;
    return OK;
}

/* ---- senders ---- */

struct status
sqlite_sender_insert(struct db_conn *conn, struct span entry_uuid, struct span community,
                     struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn, "INSERT INTO document_senders (entry_uuid, community) VALUES (?, ?)", &query);
    db_text(&query, entry_uuid);
    db_text(&query, community);
    return db_run(&query, diag);
}

struct status
sqlite_sender_check(struct db_conn *conn, struct span entry_uuid, struct span community,
                    struct diag *diag, bool *ret_is_own)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_other = false;

    db_prepare(conn,
               SQLITE_GOES_WITH " SELECT 1 FROM old WHERE NOT EXISTS (SELECT 1 FROM"
                                " document_senders AS s WHERE s.entry_uuid = old.uuid"
                                " AND s.community = ?2) LIMIT 1",
               &query);
    db_text(&query, entry_uuid);
    db_text(&query, community);
    TRY(db_step(&query, diag, &has_other));
    *ret_is_own = community.n > 0 && !has_other;
    return OK;
}
