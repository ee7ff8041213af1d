/*
 * Retrieval in the SQLite engine: the bytes of a documentUniqueId. Called within the read
 * transaction of one store call, on its thread.
 */
#include "store/sqlite_files.h"

#include <string.h>

#include "base/digest.h"
#include "base/ids.h"
#include "base/registry.h"

/* What went in comes out, or nothing: a disk that changes a document must not go unnoticed. */
/* REQ: META-hash */
static struct status
check_bytes(struct span bytes, struct span sha256, struct diag *diag)
{
    uint8_t digest[SHA256_BYTES];

    TRY(digest_sha256(bytes, diag, digest));
    if (!span_eq(sha256, span_of((const char *)digest, SHA256_BYTES))) {
        return FAIL(diag, ERR_STORE,
                    "the stored bytes of a document have changed (%zu bytes, other SHA-256); "
                    "restore the store's file from a backup",
                    bytes.n);
    }
    return OK;
}

static struct status
read_bytes(const struct sqlite_store *store, const struct db_query *query, uint64_t size,
           struct diag *diag, struct body *ret_body)
{
    CLEANUP(buf_done) struct buf copy = {0};
    struct span bytes, sha256;
    const bool is_in_row = db_column_int(query, SQLITE_ENTRY_COLUMNS_N + 2) != 0;

    TRY(db_column_blob(query, SQLITE_ENTRY_COLUMNS_N, diag, &bytes));
    TRY(db_column_blob(query, SQLITE_ENTRY_COLUMNS_N + 1, diag, &sha256));
    if (!is_in_row) {
        if (sha256.n != SHA256_BYTES) {
            return FAIL(diag, ERR_STORE, "a document's SHA-256 has %zu bytes", sha256.n);
        }
        return sqlite_content_open(store, (const uint8_t *)sha256.p, size, diag, ret_body);
    }
    TRY(check_bytes(bytes, sha256, diag));
    buf_init(&copy, bytes.n);
    TRY(buf_append(&copy, bytes, diag));
    body_from_buf(ret_body, &copy);
    return OK;
}

/* REQ: ITI39-repository-unknown */
static struct status
check_place(const struct sqlite_store *store, const struct document_ref *ref, struct diag *diag)
{
    struct span home = SPAN_EMPTY;

    if (ref->home.n > 0 &&
        (!home_community_oid(ref->home, &home) || !span_eq_cstr(home, store->community))) {
        return FAIL(diag, ERR_UNKNOWN_COMMUNITY, "the document is asked of another community");
    }
    if (!span_eq_cstr(ref->repository, store->repository)) {
        return FAIL(diag, ERR_UNKNOWN_REPOSITORY, "expected repository %s, got '%.*s'",
                    store->repository, SPAN_PRINT(ref->repository));
    }
    return OK;
}

/* Of several entries with the id, the one in force, the latest of them. An on-demand entry has no
 * bytes of its own: what is given is its latest snapshot, a stable entry whose uniqueId is the
 * NewDocumentUniqueId (ITI TF-2 3.43.4.2.3). */
static const char chosen_sql[] =
    "SELECT " SQLITE_ENTRY_COLUMNS ", b.bytes, d.sha256, b.document IS NOT NULL"
    " FROM documents AS d JOIN patients AS p ON p.id = d.patient"
    /* the same bytes are kept once, with the first entry that has them */
    " LEFT JOIN contents AS b ON b.document ="
    "  (SELECT min(f.id) FROM documents AS f WHERE f.sha256 = d.sha256)"
    " WHERE d.id = (SELECT id FROM ("
    "  SELECT s.id, 0 AS is_snapshot, s.status, s.creation_key FROM documents AS s"
    "  WHERE s.unique_id = ?1 AND length(s.sha256) > 0"
    "  UNION ALL"
    "  SELECT s.id, 1, s.status, s.creation_key FROM documents AS o"
    "  JOIN associations AS a ON a.target = o.entry_uuid AND a.type = '" ASSOCIATION_SNAPSHOT "'"
    "  JOIN documents AS s ON s.entry_uuid = a.source AND length(s.sha256) > 0"
    "  WHERE o.unique_id = ?1 AND o.object_type = '" DOCUMENT_ON_DEMAND "')"
    " ORDER BY is_snapshot, status = '" DOCUMENT_APPROVED "' DESC, creation_key DESC, id DESC"
    " LIMIT 1)";

/* REQ: ITI39-document-unknown */
struct status
sqlite_retrieve(struct sqlite_store *store, struct db_conn *conn, const struct document_ref *ref,
                struct arena *arena, struct diag *diag, struct document_entry *ret_entry,
                struct body *ret_body)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct sqlite_entry_row row;
    struct document_entry entry;
    bool has_row = false;

    TRY(check_place(store, ref, diag));
    db_prepare(conn, chosen_sql, &query);
    db_text(&query, ref->unique_id);
    TRY(db_step(&query, diag, &has_row));
    if (!has_row) {
        return FAIL(diag, ERR_UNKNOWN_DOCUMENT, "no document with uniqueId '%.*s' is here",
                    SPAN_PRINT(ref->unique_id));
    }
    TRY(sqlite_entry_read(store, &query, arena, diag, &row, &entry));
    TRY(sqlite_entry_complete(conn, &row, arena, diag, &entry));
    TRY(read_bytes(store, &query, entry.size, diag, ret_body));
    *ret_entry = entry;
    return OK;
}
