/*
 * The search index of audit records, in a SQLite file of its own beside the journal. Called by
 * `isthmus audit`, on its thread. Each way to look for records that has an index of its own (a
 * patient, a document, time alone) is one statement; the other conditions are checked on its rows.
 */
#include "store/audit_index.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/db.h"

#define APPLICATION_ID 0x49534149 /* "ISAI", in the file's header */
#define INDEX_VERSION  1
#define BUSY_MS        20000

static const char schema[] =
    "CREATE TABLE positions ("
    "  chain TEXT PRIMARY KEY, sequence INTEGER NOT NULL, hash TEXT NOT NULL)"
    "  STRICT, WITHOUT ROWID;"
    "CREATE TABLE records ("
    "  id INTEGER PRIMARY KEY,"
    "  chain TEXT NOT NULL, sequence INTEGER NOT NULL, time_us INTEGER NOT NULL,"
    "  type TEXT NOT NULL, phase TEXT NOT NULL, outcome INTEGER NOT NULL,"
    "  user_name TEXT NOT NULL, user_id TEXT NOT NULL, organization TEXT NOT NULL,"
    "  partner TEXT NOT NULL, community TEXT NOT NULL, purpose TEXT NOT NULL,"
    "  UNIQUE (chain, sequence)) STRICT;"
    "CREATE INDEX records_time ON records (time_us);"
    "CREATE TABLE patients ("
    "  patient TEXT NOT NULL, record INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,"
    "  PRIMARY KEY (patient, record)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX patients_record ON patients (record);"
    "CREATE TABLE documents ("
    "  document TEXT NOT NULL, record INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,"
    "  PRIMARY KEY (document, record)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX documents_record ON documents (record);";

static const char remove_all[] = "DROP TABLE IF EXISTS documents; DROP TABLE IF EXISTS patients;"
                                 "DROP TABLE IF EXISTS records; DROP TABLE IF EXISTS positions;";

struct audit_index {
    struct db *db;
    struct db_conn *conn;
};

/* ---- the file ---- */

static struct status
make_tables(struct db_conn *conn, struct diag *diag)
{
    char version[96];

    (void)snprintf(version, sizeof(version),
                   "PRAGMA application_id = %d; PRAGMA user_version = %d;", APPLICATION_ID,
                   INDEX_VERSION);
    TRY(db_script(conn, remove_all, diag));
    TRY(db_script(conn, schema, diag));
    return db_script(conn, version, diag);
}

static struct status
prepare_file(struct db_conn *conn, const char *path, struct diag *diag)
{
    int64_t application = 0, version = 0;

    TRY(db_number(conn, "PRAGMA application_id", diag, &application));
    TRY(db_number(conn, "PRAGMA user_version", diag, &version));
    if (application != 0 && application != APPLICATION_ID) {
        return FAIL(diag, ERR_STORE, "%s is a database of another program; move it away", path);
    }
    return version == INDEX_VERSION ? OK : make_tables(conn, diag);
}

static struct status
open_file(struct audit_index *index, const char *path, struct diag *diag)
{
    const struct db_options options = {.path = path, .busy_timeout_ms = BUSY_MS};

    TRY(db_open(&options, diag, &index->db));
    TRY(db_take(index->db, diag, &index->conn));
    TRY(db_begin_write(index->conn, diag)); /* two may make it at once */
    return db_finish(index->conn, prepare_file(index->conn, path, diag), diag);
}

struct status
audit_index_open(const char *path, struct diag *diag, struct audit_index **ret_index)
{
    struct audit_index *index = mem_alloc(sizeof(*index));

    if (index == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the index of the journal");
    }
    const struct status st = open_file(index, path, diag);
    if (!is_ok(st)) {
        audit_index_close(index);
        return st;
    }
    *ret_index = index;
    return OK;
}

void
audit_index_close(struct audit_index *index)
{
    if (index == NULL) {
        return;
    }
    db_give_p(&index->conn);
    db_close(index->db);
    mem_free(index);
}

/* ---- positions ---- */

struct status
audit_index_position(struct audit_index *index, const char *chain, struct diag *diag,
                     struct audit_index_position *ret_position)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct audit_index_position position = {0};
    struct span hash = SPAN_EMPTY;
    bool has_row = false;

    db_prepare(index->conn, "SELECT sequence, hash FROM positions WHERE chain = ?", &query);
    db_text(&query, span_of_cstr(chain));
    TRY(db_step(&query, diag, &has_row));
    if (has_row) {
        position.sequence = (uint64_t)db_column_int(&query, 0);
        TRY(db_column_blob(&query, 1, diag, &hash));
        (void)snprintf(position.hash, sizeof(position.hash), "%.*s", SPAN_PRINT(hash));
    }
    *ret_position = position;
    return OK;
}

static struct status
set_position(struct audit_index *index, const char *chain,
             const struct audit_index_position *position, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(index->conn,
               "INSERT INTO positions (chain, sequence, hash) VALUES (?, ?, ?)"
               " ON CONFLICT (chain) DO UPDATE SET sequence = excluded.sequence,"
               " hash = excluded.hash",
               &query);
    db_text(&query, span_of_cstr(chain));
    db_int(&query, (int64_t)position->sequence);
    db_text(&query, span_of_cstr(position->hash));
    return db_run(&query, diag);
}

static struct status
remove_chain(struct audit_index *index, const char *sql, const char *chain, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(index->conn, sql, &query);
    db_text(&query, span_of_cstr(chain));
    return db_run(&query, diag);
}

struct status
audit_index_forget(struct audit_index *index, const char *chain, struct diag *diag)
{
    TRY(db_begin_write(index->conn, diag));
    struct status st =
        remove_chain(index, "DELETE FROM records WHERE chain = ?", chain, diag); /* cascades */
    if (is_ok(st)) {
        st = remove_chain(index, "DELETE FROM positions WHERE chain = ?", chain, diag);
    }
    return db_finish(index->conn, st, diag);
}

/* ---- adding ---- */

struct status
audit_index_begin(struct audit_index *index, struct diag *diag)
{
    return db_begin_write(index->conn, diag);
}

static struct status
add_link(struct audit_index *index, const char *sql, struct span value, int64_t record,
         struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(index->conn, sql, &query);
    db_text(&query, value);
    db_int(&query, record);
    return db_run(&query, diag);
}

static struct status
add_record(struct audit_index *index, const struct audit_index_row *row, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(index->conn,
               "INSERT OR REPLACE INTO records (chain, sequence, time_us, type, phase, outcome,"
               " user_name, user_id, organization, partner, community, purpose)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               &query);
    db_text(&query, span_of_cstr(row->chain));
    db_int(&query, (int64_t)row->sequence);
    db_int(&query, row->time_us);
    db_text(&query, span_of_cstr(row->type));
    db_text(&query, span_of_cstr(row->phase));
    db_int(&query, row->outcome);
    db_text(&query, row->user_name);
    db_text(&query, row->user_id);
    db_text(&query, row->organization);
    db_text(&query, row->partner);
    db_text(&query, row->community);
    db_text(&query, row->purpose);
    return db_run(&query, diag);
}

struct status
audit_index_add(struct audit_index *index, const struct audit_index_row *row, struct diag *diag)
{
    TRY(add_record(index, row, diag));
    const int64_t record = db_last_row_id(index->conn);
    for (size_t i = 0; i < row->patients->n; i++) {
        TRY(add_link(index, "INSERT OR IGNORE INTO patients (patient, record) VALUES (?, ?)",
                     row->patients->items[i], record, diag));
    }
    for (size_t i = 0; i < row->documents->n; i++) {
        TRY(add_link(index, "INSERT OR IGNORE INTO documents (document, record) VALUES (?, ?)",
                     row->documents->items[i].unique_id, record, diag));
    }
    return OK;
}

struct status
audit_index_end(struct audit_index *index, const char *chain,
                const struct audit_index_position *position, struct status outcome,
                struct diag *diag)
{
    struct status st = outcome;

    if (is_ok(st)) {
        st = set_position(index, chain, position, diag);
    }
    return db_finish(index->conn, st, diag);
}

/* ---- finding ---- */

/* What every statement checks on its rows; a parameter that is '' (or -1) holds for all. */
#define CONDITIONS                                                                                 \
    " r.time_us >= ?2 AND r.time_us < ?3"                                                          \
    " AND (?4 = '' OR instr(lower(r.user_name), lower(?4)) > 0"                                    \
    "      OR instr(lower(r.user_id), lower(?4)) > 0)"                                             \
    " AND (?5 = '' OR instr(lower(r.organization), lower(?5)) > 0)"                                \
    " AND (?6 = '' OR r.partner = ?6 OR r.community = ?6)"                                         \
    " AND (?7 = '' OR r.purpose = ?7) AND (?8 = '' OR r.type = ?8)"                                \
    " AND (?9 = '' OR r.phase = ?9) AND (?10 < 0 OR r.outcome = ?10)"                              \
    " AND (?11 = '' OR EXISTS (SELECT 1 FROM documents d WHERE d.record = r.id"                    \
    "      AND d.document = ?11))"                                                                 \
    " ORDER BY r.time_us DESC, r.id DESC LIMIT ?12"

static const char find_of_patient[] =
    "SELECT r.chain, r.sequence FROM patients p JOIN records r ON r.id = p.record"
    " WHERE (p.patient = ?1 OR (p.patient >= ?1 || '&' AND p.patient < ?1 || '''')) AND" CONDITIONS;
static const char find_of_document[] =
    "SELECT r.chain, r.sequence FROM documents x JOIN records r ON r.id = x.record"
    " WHERE x.document = ?11 AND ?1 = '' AND" CONDITIONS;
static const char find_by_time[] = "SELECT r.chain, r.sequence FROM records r"
                                   " WHERE ?1 = '' AND" CONDITIONS;

static const char *
statement_of(const struct audit_index_query *wanted)
{
    if (wanted->patient.n > 0) {
        return find_of_patient;
    }
    return wanted->document.n > 0 ? find_of_document : find_by_time;
}

static void
bind_query(struct db_query *query, const struct audit_index_query *wanted)
{
    db_text(query, wanted->patient);
    db_int(query, wanted->since_us);
    db_int(query, wanted->until_us);
    db_text(query, wanted->user);
    db_text(query, wanted->organization);
    db_text(query, wanted->partner);
    db_text(query, wanted->purpose);
    db_text(query, wanted->type);
    db_text(query, wanted->phase);
    db_int(query, wanted->outcome);
    db_text(query, wanted->document);
    db_int(query, (int64_t)wanted->limit + 1);
}

static struct status
read_place(const struct db_query *query, struct arena *arena, struct diag *diag,
           struct audit_index_places *places)
{
    struct audit_index_place place = {0};
    struct span chain = SPAN_EMPTY;

    TRY(db_column_blob(query, 0, diag, &chain));
    (void)snprintf(place.chain, sizeof(place.chain), "%.*s", SPAN_PRINT(chain));
    place.sequence = (uint64_t)db_column_int(query, 1);
    return ARENA_PUSH(arena, diag, places, place);
}

/* The newest came first. */
static void
turn_round(struct audit_index_places *places)
{
    for (size_t i = 0, j = places->n; i + 1 < j; i++, j--) {
        const struct audit_index_place first = places->items[i];
        places->items[i] = places->items[j - 1];
        places->items[j - 1] = first;
    }
}

struct status
audit_index_find(struct audit_index *index, const struct audit_index_query *wanted,
                 struct arena *arena, struct diag *diag, struct audit_index_places *ret_places,
                 bool *ret_is_cut)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct audit_index_places places = {0};
    bool has_row = true;

    db_prepare(index->conn, statement_of(wanted), &query);
    bind_query(&query, wanted);
    for (;;) {
        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            break;
        }
        TRY(read_place(&query, arena, diag, &places));
    }
    *ret_is_cut = places.n > wanted->limit;
    places.n = *ret_is_cut ? wanted->limit : places.n;
    turn_round(&places);
    *ret_places = places;
    return OK;
}
