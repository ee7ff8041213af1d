/*
 * FindDocuments, GetDocuments and retrieval in the SQLite engine. Called within the read
 * transaction of one store call, on its thread. The lists of a query travel as JSON parameters, so
 * that every statement is a fixed text.
 */
#include "store/sqlite_files.h"

#include <string.h>

#include "base/digest.h"
#include "base/ids.h"
#include "base/jsonw.h"

#define JSON_BYTES ((size_t)1024 * 1024) /* a query is bounded by its message; this is above it */

/* ---- lists as JSON ---- */

static void
write_texts(struct jsonw *w, const struct span_list *texts)
{
    jsonw_array(w);
    for (size_t i = 0; i < texts->n; i++) {
        jsonw_string(w, texts->items[i]);
    }
    jsonw_close(w);
}

/* [["code","scheme"],...] */
static void
write_codes(struct jsonw *w, const struct code_list *codes)
{
    jsonw_array(w);
    for (size_t i = 0; i < codes->n; i++) {
        jsonw_array(w);
        jsonw_string(w, codes->items[i].value);
        jsonw_string(w, codes->items[i].scheme);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void
write_code_sets(struct jsonw *w, const struct code_list_set *sets)
{
    jsonw_array(w);
    for (size_t i = 0; i < sets->n; i++) {
        if (sets->items[i].n > 0) { /* a slot without values does not restrict */
            write_codes(w, &sets->items[i]);
        }
    }
    jsonw_close(w);
}

/* Each list of a query, written into one buffer: *ret_texts are valid once all are written. */
struct json_lists {
    struct buf buf;
    struct diag *diag;
    size_t ends[16];
    size_t n;
};

static void
json_lists_done(struct json_lists *lists)
{
    buf_done(&lists->buf);
}

#define ADD_LIST(lists, write, list)                                                               \
    do {                                                                                           \
        struct jsonw w_;                                                                           \
        jsonw_init(&w_, &(lists)->buf, false, (lists)->diag);                                      \
        write(&w_, (list));                                                                        \
        TRY(jsonw_finish(&w_));                                                                    \
        (lists)->ends[(lists)->n++] = (lists)->buf.n;                                              \
    } while (0)

static struct span
list_text(const struct json_lists *lists, size_t n)
{
    const size_t from = n == 0 ? 0 : lists->ends[n - 1];

    return span_of(lists->buf.p + from, lists->ends[n] - from);
}

/* ---- FindDocuments ---- */

/* Does the document have one of the codes in JSON parameter ?n (empty: no restriction)? */
#define HAS_CODE(n, kind)                                                                          \
    " AND (?" n " = '[]' OR EXISTS (SELECT 1 FROM json_each(?" n ") AS want"                       \
    " JOIN document_codes AS c ON c.document = d.id AND c.kind = " kind                            \
    " AND c.code = want.value ->> 0"                                                               \
    " AND (want.value ->> 1 = '' OR c.scheme = want.value ->> 1)))"

/* One of each list in ?n: a repeated slot is AND, its values are OR (ITI TF-2 3.18.4.1.2.3.5). */
#define HAS_CODE_OF_EACH(n, kind)                                                                  \
    " AND NOT EXISTS (SELECT 1 FROM json_each(?" n ") AS slot WHERE NOT EXISTS ("                  \
    "SELECT 1 FROM json_each(slot.value) AS want"                                                  \
    " JOIN document_codes AS c ON c.document = d.id AND c.kind = " kind                            \
    " AND c.code = want.value ->> 0"                                                               \
    " AND (want.value ->> 1 = '' OR c.scheme = want.value ->> 1)))"

/* From <= t < To; entries without the time are not excluded. */
#define IN_RANGE(column, from, to)                                                                 \
    " AND (d." column " = '' OR ((?" from " = '' OR d." column " >= ?" from ")"                    \
    " AND (?" to " = '' OR d." column " < ?" to ")))"

/* clang-format off */
static const char find_sql[] =
    "SELECT " SQLITE_ENTRY_COLUMNS " FROM documents AS d JOIN patients AS p ON p.id = d.patient"
    " WHERE p.public_id = ?1"
    " AND d.status IN (SELECT value FROM json_each(?2))"
    " AND d.object_type IN (SELECT value FROM json_each(?3))"
    HAS_CODE("4", "1") HAS_CODE("5", "2") HAS_CODE("6", "3") HAS_CODE("7", "4") HAS_CODE("8", "5")
    HAS_CODE_OF_EACH("9", "6") HAS_CODE_OF_EACH("10", "7")
    " AND (?11 = '[]' OR EXISTS (SELECT 1 FROM json_each(?11) AS want"
    "  JOIN document_authors AS a ON a.document = d.id AND a.person LIKE want.value))"
    IN_RANGE("creation_key", "12", "13")
    IN_RANGE("service_start_key", "14", "15")
    IN_RANGE("service_stop_key", "16", "17")
    " ORDER BY d.creation_key, d.id";
/* clang-format on */
_Static_assert(SQLITE_CODE_CLASS == 1 && SQLITE_CODE_TYPE == 2 && SQLITE_CODE_FORMAT == 3 &&
                   SQLITE_CODE_FACILITY == 4 && SQLITE_CODE_PRACTICE == 5 &&
                   SQLITE_CODE_CONFIDENTIALITY == 6 && SQLITE_CODE_EVENT == 7,
               "find_sql spells the kinds as numbers");

/* Parameters 2 to 11, in their order. */
static struct status
write_filter(const struct store_filter *filter, struct json_lists *lists)
{
    struct span stable = SPAN(DOCUMENT_STABLE);
    const struct span_list only_stable = {&stable, 1, 1};

    ADD_LIST(lists, write_texts, &filter->status);
    ADD_LIST(lists, write_texts, filter->object_types.n > 0 ? &filter->object_types : &only_stable);
    ADD_LIST(lists, write_codes, &filter->class_codes);
    ADD_LIST(lists, write_codes, &filter->type_codes);
    ADD_LIST(lists, write_codes, &filter->format_codes);
    ADD_LIST(lists, write_codes, &filter->facility_types);
    ADD_LIST(lists, write_codes, &filter->practice_settings);
    ADD_LIST(lists, write_code_sets, &filter->confidentiality);
    ADD_LIST(lists, write_code_sets, &filter->event_codes);
    ADD_LIST(lists, write_texts, &filter->authors);
    return OK;
}

#define TIMES_N 6
struct time_keys {
    char keys[TIMES_N][15];
};

static struct status
write_times(const struct store_filter *filter, struct diag *diag, struct time_keys *ret_keys)
{
    const struct {
        const char *name;
        struct span dtm;
    } times[TIMES_N] = {
        {"CreationTimeFrom", filter->creation_from},
        {"CreationTimeTo", filter->creation_to},
        {"ServiceStartTimeFrom", filter->service_start_from},
        {"ServiceStartTimeTo", filter->service_start_to},
        {"ServiceStopTimeFrom", filter->service_stop_from},
        {"ServiceStopTimeTo", filter->service_stop_to},
    };

    for (size_t i = 0; i < TIMES_N; i++) {
        if (!sqlite_dtm_key(times[i].dtm, ret_keys->keys[i])) {
            return FAIL(diag, ERR_MESSAGE_CONTENT, "%s is not a DTM (YYYY[MM[DD[hh[mm[ss]]]]])",
                        times[i].name);
        }
    }
    return OK;
}

static struct status
read_all(struct sqlite_store *store, struct db_conn *conn, struct db_query *query,
         struct arena *arena, struct diag *diag, struct document_list *documents)
{
    bool has_row = false;

    for (;;) {
        struct document_entry entry;
        int64_t row = 0;

        TRY(db_step(query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(sqlite_entry_read(store, query, arena, diag, &row, &entry));
        TRY(sqlite_entry_complete(conn, row, arena, diag, &entry));
        TRY(ARENA_PUSH(arena, diag, documents, entry));
    }
}

struct status
sqlite_find_documents(struct sqlite_store *store, struct db_conn *conn,
                      const struct store_filter *filter, struct arena *arena, struct diag *diag,
                      struct document_list *ret_documents)
{
    CLEANUP(json_lists_done) struct json_lists lists = {.diag = diag};
    CLEANUP(db_end) struct db_query query = {0};
    struct document_list documents = {0};
    struct time_keys times;

    buf_init(&lists.buf, JSON_BYTES);
    TRY(write_times(filter, diag, &times));
    TRY(write_filter(filter, &lists));
    if (!span_eq_cstr(filter->patient_id.root, store->patient_authority)) {
        *ret_documents = documents; /* an id that we never gave out */
        return OK;
    }
    db_prepare(conn, find_sql, &query);
    db_text(&query, filter->patient_id.extension);
    for (size_t i = 0; i < lists.n; i++) {
        db_text(&query, list_text(&lists, i));
    }
    for (size_t i = 0; i < TIMES_N; i++) {
        db_text(&query, span_of_cstr(times.keys[i]));
    }
    TRY(read_all(store, conn, &query, arena, diag, &documents));
    *ret_documents = documents;
    return OK;
}

/* ---- GetDocuments ---- */

struct status
sqlite_get_documents(struct sqlite_store *store, struct db_conn *conn,
                     const struct span_list *entry_uuids, const struct span_list *unique_ids,
                     struct arena *arena, struct diag *diag, struct document_list *ret_documents)
{
    CLEANUP(json_lists_done) struct json_lists lists = {.diag = diag};
    CLEANUP(db_end) struct db_query query = {0};
    struct document_list documents = {0};

    buf_init(&lists.buf, JSON_BYTES);
    if (entry_uuids->n > 0) {
        ADD_LIST(&lists, write_texts, entry_uuids);
        db_prepare(conn,
                   "SELECT " SQLITE_ENTRY_COLUMNS " FROM documents AS d"
                   " JOIN patients AS p ON p.id = d.patient"
                   " WHERE d.entry_uuid IN (SELECT value FROM json_each(?1)) ORDER BY d.id",
                   &query);
    } else {
        ADD_LIST(&lists, write_texts, unique_ids);
        db_prepare(conn,
                   "SELECT " SQLITE_ENTRY_COLUMNS " FROM documents AS d"
                   " JOIN patients AS p ON p.id = d.patient"
                   " WHERE d.unique_id IN (SELECT value FROM json_each(?1)) ORDER BY d.id",
                   &query);
    }
    db_text(&query, list_text(&lists, 0));
    TRY(read_all(store, conn, &query, arena, diag, &documents));
    *ret_documents = documents;
    return OK;
}

/* ---- retrieval ---- */

/* What went in comes out, or nothing: a disk that changes a document must not go unnoticed. */
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

struct status
sqlite_retrieve(struct sqlite_store *store, struct db_conn *conn, const struct document_ref *ref,
                struct arena *arena, struct diag *diag, struct document_entry *ret_entry,
                struct body *ret_body)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct document_entry entry;
    int64_t row = 0;
    bool has_row = false;

    TRY(check_place(store, ref, diag));
    db_prepare(
        conn,
        "SELECT " SQLITE_ENTRY_COLUMNS
        ", b.bytes, d.sha256, b.document IS NOT NULL FROM documents AS d"
        " JOIN patients AS p ON p.id = d.patient LEFT JOIN contents AS b ON b.document = d.id"
        " WHERE d.unique_id = ?",
        &query);
    db_text(&query, ref->unique_id);
    TRY(db_step(&query, diag, &has_row));
    if (!has_row) {
        return FAIL(diag, ERR_UNKNOWN_DOCUMENT, "no document with uniqueId '%.*s' is here",
                    SPAN_PRINT(ref->unique_id));
    }
    TRY(sqlite_entry_read(store, &query, arena, diag, &row, &entry));
    TRY(sqlite_entry_complete(conn, row, arena, diag, &entry));
    TRY(read_bytes(store, &query, entry.size, diag, ret_body));
    *ret_entry = entry;
    return OK;
}
