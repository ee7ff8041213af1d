/*
 * DocumentEntries as rows: one row of documents, child rows for codes, authors and lists. Called
 * within the transaction of one store call, on its thread. The arena owns what is read.
 */
#include "store/sqlite.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/datetime.h"

#define DTM_DIGITS 14

/* The text members in the order of SQLITE_ENTRY_COLUMNS, after the row's and the patient's id. */
static const size_t text_members[] = {
    offsetof(struct document_entry, entry_uuid),
    offsetof(struct document_entry, lid),
    offsetof(struct document_entry, unique_id),
    offsetof(struct document_entry, mime_type),
    offsetof(struct document_entry, object_type),
    offsetof(struct document_entry, status),
    offsetof(struct document_entry, availability),
    offsetof(struct document_entry, title),
    offsetof(struct document_entry, comments),
    offsetof(struct document_entry, creation_time),
    offsetof(struct document_entry, service_start),
    offsetof(struct document_entry, service_stop),
    offsetof(struct document_entry, language),
    offsetof(struct document_entry, hash),
    offsetof(struct document_entry, uri),
    offsetof(struct document_entry, legal_authenticator),
};
#define TEXT_COLUMN_FIRST 2
#define SIZE_COLUMN       (SQLITE_ENTRY_COLUMNS_N - 3)
#define LIMITED_COLUMN    (SQLITE_ENTRY_COLUMNS_N - 2)
#define SLOTS_COLUMN      (SQLITE_ENTRY_COLUMNS_N - 1)
_Static_assert(ARRAY_LEN(text_members) == SIZE_COLUMN - TEXT_COLUMN_FIRST,
               "SQLITE_ENTRY_COLUMNS and text_members name the same columns");

static const struct {
    enum sqlite_code_kind kind;
    size_t member;
} single_codes[] = {
    {SQLITE_CODE_CLASS, offsetof(struct document_entry, class_code)},
    {SQLITE_CODE_TYPE, offsetof(struct document_entry, type_code)},
    {SQLITE_CODE_FORMAT, offsetof(struct document_entry, format_code)},
    {SQLITE_CODE_FACILITY, offsetof(struct document_entry, facility_type)},
    {SQLITE_CODE_PRACTICE, offsetof(struct document_entry, practice_setting)},
};

bool
sqlite_dtm_key(struct span dtm, char ret_key[DTM_DIGITS + 1])
{
    static const char start[] = "00010101000000"; /* of the first year: month and day begin at 1 */
    int64_t time_us = 0;

    if (dtm.n == 0) {
        ret_key[0] = '\0';
        return true;
    }
    if (dtm.n < 4 || dtm.n > DTM_DIGITS || dtm.n % 2 != 0 ||
        !datetime_read_hl7(dtm, &time_us, NULL)) {
        return false;
    }
    memcpy(ret_key, start, sizeof(start));
    memcpy(ret_key, dtm.p, dtm.n);
    return true;
}

/* ---- writing ---- */

/* Limited metadata lacks codes: a code that is absent has no row. */
static struct status
insert_code(struct db_conn *conn, int64_t row, enum sqlite_code_kind kind, size_t position,
            const struct code *code, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    if (code->value.n == 0) {
        return OK;
    }
    db_prepare(conn,
               "INSERT INTO document_codes (document, kind, position, code, scheme, display)"
               " VALUES (?, ?, ?, ?, ?, ?)",
               &query);
    db_int(&query, row);
    db_int(&query, kind);
    db_int(&query, (int64_t)position);
    db_text(&query, code->value);
    db_text(&query, code->scheme);
    db_text(&query, code->display);
    return db_run(&query, diag);
}

static struct status
insert_codes(struct db_conn *conn, int64_t row, const struct document_entry *entry,
             struct diag *diag)
{
    for (size_t i = 0; i < ARRAY_LEN(single_codes); i++) {
        const struct code *code =
            (const struct code *)((const char *)entry + single_codes[i].member);

        TRY(insert_code(conn, row, single_codes[i].kind, 0, code, diag));
    }
    for (size_t i = 0; i < entry->confidentiality.n; i++) {
        TRY(insert_code(conn, row, SQLITE_CODE_CONFIDENTIALITY, i, &entry->confidentiality.items[i],
                        diag));
    }
    for (size_t i = 0; i < entry->event_codes.n; i++) {
        TRY(insert_code(conn, row, SQLITE_CODE_EVENT, i, &entry->event_codes.items[i], diag));
    }
    return OK;
}

static struct status
insert_texts(struct db_conn *conn, int64_t row, enum sqlite_text_kind kind,
             const struct span_list *texts, struct diag *diag)
{
    for (size_t i = 0; i < texts->n; i++) {
        CLEANUP(db_end) struct db_query query = {0};

        db_prepare(conn,
                   "INSERT INTO document_texts (document, kind, position, value)"
                   " VALUES (?, ?, ?, ?)",
                   &query);
        db_int(&query, row);
        db_int(&query, kind);
        db_int(&query, (int64_t)i);
        db_text(&query, texts->items[i]);
        TRY(db_run(&query, diag));
    }
    return OK;
}

static struct status
insert_row(struct db_conn *conn, const struct document_entry *entry,
           const struct sqlite_entry_origin *origin, bool has_slots, struct diag *diag,
           int64_t *ret_row)
{
    CLEANUP(db_end) struct db_query query = {0};
    char creation[DTM_DIGITS + 1], start[DTM_DIGITS + 1], stop[DTM_DIGITS + 1];

    if (!sqlite_dtm_key(entry->creation_time, creation) ||
        !sqlite_dtm_key(entry->service_start, start) ||
        !sqlite_dtm_key(entry->service_stop, stop)) {
        return FAIL(
            diag, ERR_DOCUMENT,
            "creation, service start and stop times must be DTM (YYYY[MM[DD[hh[mm[ss]]]]])");
    }
    db_prepare(conn,
               "INSERT INTO documents (entry_uuid, lid, unique_id, mime_type, object_type, status,"
               " availability, title, comments, creation_time, service_start, service_stop,"
               " language, hash, uri, legal_authenticator, size, is_limited, has_slots, patient,"
               " sha256, is_unique_id_made, header_id, source_patient_id, patient_rule, added_us,"
               " creation_key, service_start_key, service_stop_key)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
               " ?, ?, ?, ?, ?)",
               &query);
    for (size_t i = 0; i < ARRAY_LEN(text_members); i++) {
        db_text(&query, *(const struct span *)((const char *)entry + text_members[i]));
    }
    db_int(&query, entry->has_size ? (int64_t)entry->size : -1);
    db_int(&query, entry->is_limited);
    db_int(&query, has_slots);
    db_int(&query, origin->patient);
    db_blob(&query, origin->sha256);
    db_int(&query, origin->is_unique_id_made);
    db_text(&query, origin->header_id);
    db_text(&query, origin->source_patient_id);
    db_text(&query, span_of_cstr(origin->patient_rule));
    db_int(&query, origin->now_us);
    db_text(&query, span_of_cstr(creation));
    db_text(&query, span_of_cstr(start));
    db_text(&query, span_of_cstr(stop));
    TRY(db_run(&query, diag));
    *ret_row = db_last_row_id(conn);
    return OK;
}

struct status
sqlite_entry_insert(struct db_conn *conn, const struct document_entry *entry,
                    const struct sqlite_entry_origin *origin, struct diag *diag, int64_t *ret_row)
{
    struct document_entry copy = *entry; /* reading and writing share a description */
    const struct sqlite_slots slots = {.extra = &copy.extra,
                                       .authors = &copy.authors,
                                       .xml = &copy.xml,
                                       .patient_id = copy.patient_id};
    const bool has_slots = sqlite_slots_are_there(&slots);
    int64_t row = 0;

    TRY(insert_row(conn, entry, origin, has_slots, diag, &row));
    TRY(insert_codes(conn, row, entry, diag));
    TRY(sqlite_authors_insert(conn,
                              "INSERT INTO document_authors (document, position, person,"
                              " institution, role, specialty, telecom) VALUES (?, ?, ?, ?, ?, ?, "
                              "?)",
                              row, &entry->authors, diag));
    TRY(insert_texts(conn, row, SQLITE_TEXT_REFERENCE, &entry->reference_ids, diag));
    TRY(insert_texts(conn, row, SQLITE_TEXT_SOURCE_PATIENT, &entry->source_patient_info, diag));
    if (has_slots) {
        TRY(sqlite_slots_insert(conn, entry->entry_uuid, &slots, diag));
    }
    *ret_row = row;
    return OK;
}

/* ---- reading ---- */

struct status
sqlite_entry_read(const struct sqlite_store *store, const struct db_query *query,
                  struct arena *arena, struct diag *diag, struct sqlite_entry_row *ret_row,
                  struct document_entry *ret_entry)
{
    const int64_t size = db_column_int(query, SIZE_COLUMN);
    struct document_entry entry = {0};
    struct ident patient = {span_of_cstr(store->patient_authority), SPAN_EMPTY, SPAN_EMPTY};

    TRY(db_column_text(query, 1, arena, diag, &patient.extension));
    for (size_t i = 0; i < ARRAY_LEN(text_members); i++) {
        TRY(db_column_text(query, TEXT_COLUMN_FIRST + (int)i, arena, diag,
                           (struct span *)((char *)&entry + text_members[i])));
    }
    entry.has_size = size >= 0;
    entry.size = entry.has_size ? (uint64_t)size : 0;
    entry.is_limited = db_column_int(query, LIMITED_COLUMN) != 0;
    TRY(ident_write_cx(arena, &patient, diag, &entry.patient_id));
    /* The only id of a person that leaves: the ids of the document's source stay in the document.
     */
    entry.source_patient_id = entry.patient_id;
    TRY(arena_printf(arena, diag, &entry.home, "urn:oid:%s", store->community));
    TRY(arena_dup(arena, span_of_cstr(store->repository), diag, &entry.repository));
    *ret_row =
        (struct sqlite_entry_row){db_column_int(query, 0), db_column_int(query, SLOTS_COLUMN) != 0};
    *ret_entry = entry;
    return OK;
}

/* ---- the rows that belong to an entry ---- */

/* Takes one row of the query into the entry. */
typedef struct status (*take_row)(const struct db_query *query, struct arena *arena,
                                  struct diag *diag, struct document_entry *entry);

/* <sql>, a literal, selects the rows of one document in their order. */
static struct status
read_rows(struct db_conn *conn, const char *sql, int64_t document, take_row take,
          struct arena *arena, struct diag *diag, struct document_entry *entry)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn, sql, &query);
    db_int(&query, document);
    for (;;) {
        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(take(&query, arena, diag, entry));
    }
}

static struct status
take_code(const struct db_query *query, struct arena *arena, struct diag *diag,
          struct document_entry *entry)
{
    const int64_t kind = db_column_int(query, 0);
    struct code code = {0};

    TRY(sqlite_code_read(query, 1, arena, diag, &code));
    for (size_t i = 0; i < ARRAY_LEN(single_codes); i++) {
        if (kind == single_codes[i].kind) {
            *(struct code *)((char *)entry + single_codes[i].member) = code;
            return OK;
        }
    }
    return ARENA_PUSH(
        arena, diag,
        kind == SQLITE_CODE_CONFIDENTIALITY ? &entry->confidentiality : &entry->event_codes, code);
}

static struct status
take_text(const struct db_query *query, struct arena *arena, struct diag *diag,
          struct document_entry *entry)
{
    struct span_list *list = db_column_int(query, 0) == SQLITE_TEXT_REFERENCE
                                 ? &entry->reference_ids
                                 : &entry->source_patient_info;
    struct span text = SPAN_EMPTY;

    TRY(db_column_text(query, 1, arena, diag, &text));
    return ARENA_PUSH(arena, diag, list, text);
}

/* REQ: ITI38-home-on-results, ITI38-home-accepted */
struct status
sqlite_entry_complete(struct db_conn *conn, const struct sqlite_entry_row *row, struct arena *arena,
                      struct diag *diag, struct document_entry *entry)
{
    const struct sqlite_slots slots = {.extra = &entry->extra,
                                       .authors = &entry->authors,
                                       .xml = &entry->xml,
                                       .patient_id = entry->patient_id};

    TRY(read_rows(conn,
                  "SELECT kind, code, scheme, display FROM document_codes WHERE document = ?"
                  " ORDER BY kind, position",
                  row->id, take_code, arena, diag, entry));
    TRY(sqlite_authors_read(conn,
                            "SELECT person, institution, role, specialty, telecom"
                            " FROM document_authors WHERE document = ? ORDER BY position",
                            row->id, arena, diag, &entry->authors));
    TRY(read_rows(
        conn, "SELECT kind, value FROM document_texts WHERE document = ? ORDER BY kind, position",
        row->id, take_text, arena, diag, entry));
    return row->has_slots ? sqlite_slots_read(conn, entry->entry_uuid, arena, diag, &slots) : OK;
}
