/*
 * The tables of the SQLite engine and their version. Called once when a store is opened, on that
 * thread. A file is made, or brought to this version, in one transaction; one of another program,
 * of a newer version or of another community is refused, never touched.
 */
#include "store/sqlite.h"
#include "store/sqlite_tables.h"

#define APPLICATION_ID 0x49535448 /* "ISTH", in the file's header */
#define SCHEMA_VERSION 8

/* Absent text is '' everywhere: no column is null. Times end in _us: microseconds since 1970 UTC.
 * given and street hold their parts separated by U+001F. */
static const char schema[] =
    "CREATE TABLE meta ("
    "  key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"

    /* public_id: opaque and random, the only id of a person that partners get */
    "CREATE TABLE patients ("
    "  id INTEGER PRIMARY KEY,"
    "  public_id TEXT NOT NULL UNIQUE,"
    "  birth_time TEXT NOT NULL,"
    "  birth_date TEXT NOT NULL,"
    "  sex TEXT NOT NULL,"
    "  added_us INTEGER NOT NULL,"
    "  has_details INTEGER NOT NULL DEFAULT 0) STRICT;"

    "CREATE TABLE names ("
    "  patient INTEGER NOT NULL REFERENCES patients (id),"
    "  position INTEGER NOT NULL,"
    "  family TEXT NOT NULL, given TEXT NOT NULL, prefix TEXT NOT NULL, suffix TEXT NOT NULL,"
    "  use TEXT NOT NULL,"
    "  PRIMARY KEY (patient, position)) STRICT, WITHOUT ROWID;"

    /* unreliable: different people carry it; the same for all rows of (root, extension_key) */
    "CREATE TABLE identifiers ("
    "  patient INTEGER NOT NULL REFERENCES patients (id),"
    "  position INTEGER NOT NULL,"
    "  root TEXT NOT NULL, extension TEXT NOT NULL, authority TEXT NOT NULL,"
    "  extension_key TEXT NOT NULL, unreliable INTEGER NOT NULL,"
    "  PRIMARY KEY (patient, position)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX identifiers_key ON identifiers (root, extension_key, patient);"

    "CREATE TABLE addresses ("
    "  patient INTEGER NOT NULL REFERENCES patients (id),"
    "  position INTEGER NOT NULL,"
    "  street TEXT NOT NULL, city TEXT NOT NULL, state TEXT NOT NULL,"
    "  postal_code TEXT NOT NULL, country TEXT NOT NULL, use TEXT NOT NULL,"
    "  PRIMARY KEY (patient, position)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE telecoms ("
    "  patient INTEGER NOT NULL REFERENCES patients (id),"
    "  position INTEGER NOT NULL,"
    "  value TEXT NOT NULL, use TEXT NOT NULL,"
    "  PRIMARY KEY (patient, position)) STRICT, WITHOUT ROWID;";

/* Of documents, after the registry's. */
static const char document_schema[] =
    "CREATE TABLE document_codes ("
    "  document INTEGER NOT NULL REFERENCES documents (id),"
    "  kind INTEGER NOT NULL, position INTEGER NOT NULL,"
    "  code TEXT NOT NULL, scheme TEXT NOT NULL, display TEXT NOT NULL,"
    "  PRIMARY KEY (document, kind, position)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE document_authors ("
    "  document INTEGER NOT NULL REFERENCES documents (id),"
    "  position INTEGER NOT NULL,"
    "  person TEXT NOT NULL, institution TEXT NOT NULL, role TEXT NOT NULL,"
    "  specialty TEXT NOT NULL, telecom TEXT NOT NULL,"
    "  PRIMARY KEY (document, position)) STRICT, WITHOUT ROWID;"

    /* reference ids and source patient info: enum sqlite_text_kind */
    "CREATE TABLE document_texts ("
    "  document INTEGER NOT NULL REFERENCES documents (id),"
    "  kind INTEGER NOT NULL, position INTEGER NOT NULL,"
    "  value TEXT NOT NULL,"
    "  PRIMARY KEY (document, kind, position)) STRICT, WITHOUT ROWID;"

    /* apart from the metadata, so that a search never reads past documents; a document without a
     * row here is a file (sqlite_files.c) */
    "CREATE TABLE contents ("
    "  document INTEGER PRIMARY KEY REFERENCES documents (id),"
    "  bytes BLOB NOT NULL) STRICT;";

#define SCRIPTS_MAX 8
static const char *const new_store[SCRIPTS_MAX] = {
    schema,
    SQLITE_PEOPLE_TABLES,
    SQLITE_DOCUMENTS_TABLE("documents") SQLITE_DOCUMENTS_INDEXES,
    document_schema,
    SQLITE_REGISTRY_TABLES,
    SQLITE_TEXT_TABLES,
    SQLITE_JOBS_TABLES,
    "PRAGMA application_id = 1230197832;" /* APPLICATION_ID */
    "PRAGMA user_version = 8"};           /* SCHEMA_VERSION */

/* Until version 3 the replay memory was in tables (version 1 had one of them). It is in files now:
 * keys that still count are given up, and noted as lost. Since version 3 documents may be files. */
static const char to_version_4[] = "DROP TABLE replays;"
                                   "DROP TABLE IF EXISTS replay_partners;"
                                   "PRAGMA user_version = 4";

static const char *const to_version_5[SCRIPTS_MAX] = {
    SQLITE_DOCUMENTS_REBUILT, SQLITE_REGISTRY_TABLES "PRAGMA user_version = 5"};

/* People are found by their keys, which are made for all who are there. */
static const char to_version_6[] =
    SQLITE_PEOPLE_TABLES "ALTER TABLE patients ADD COLUMN has_details INTEGER NOT NULL DEFAULT 0;"
                         "DROP INDEX IF EXISTS patients_birth_date;"
                         "DROP INDEX IF EXISTS names_family_key;"
                         "ALTER TABLE names DROP COLUMN family_key;"
                         "PRAGMA user_version = 6";

/* What older programs registered has no text. */
static const char to_version_7[] = SQLITE_TEXT_TABLES "PRAGMA user_version = 7";

/* Answers that come later. */
static const char to_version_8[] =
    SQLITE_JOBS_TABLES "PRAGMA user_version = 8"; /* SCHEMA_VERSION */

static struct status
run_scripts(struct db_conn *conn, const char *const scripts[SCRIPTS_MAX], struct diag *diag)
{
    for (size_t i = 0; i < SCRIPTS_MAX && scripts[i] != NULL; i++) {
        TRY(db_script(conn, scripts[i], diag));
    }
    return OK;
}

static struct status
set_meta(struct db_conn *conn, const char *key, const char *value, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn, "INSERT INTO meta (key, value) VALUES (?, ?)", &query);
    db_text(&query, span_of_cstr(key));
    db_text(&query, span_of_cstr(value));
    return db_run(&query, diag);
}

/* The ids in the file were given out under this name: under another they would be unknown to
 * everyone, or another community's patients would be given out as ours. */
static struct status
check_meta(struct db_conn *conn, const char *key, const char *value, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false, is_same = false;

    db_prepare(conn, "SELECT value = ? FROM meta WHERE key = ?", &query);
    db_text(&query, span_of_cstr(value));
    db_text(&query, span_of_cstr(key));
    TRY(db_step(&query, diag, &has_row));
    is_same = has_row && db_column_int(&query, 0) != 0;
    if (!is_same) {
        return FAIL(diag, ERR_STORE,
                    "the store was made for another %s than '%s'; set the configuration back, or "
                    "import into a new store file",
                    key, value);
    }
    return OK;
}

struct meta {
    const char *key, *value;
};
#define META_N 3

static void
list_meta(const struct sqlite_store *store, struct meta ret_meta[META_N])
{
    ret_meta[0] = (struct meta){"community", store->community};
    ret_meta[1] = (struct meta){"patient authority", store->patient_authority};
    ret_meta[2] = (struct meta){"repository", store->repository};
}

/* Within a write transaction, so that two processes cannot both make the tables. */
static struct status
make_schema(const struct sqlite_store *store, struct db_conn *conn, struct diag *diag)
{
    struct meta meta[META_N];
    int64_t version = 0, tables = 0;

    TRY(db_number(conn, "PRAGMA user_version", diag, &version));
    TRY(db_number(conn, "SELECT count(*) FROM sqlite_schema", diag, &tables));
    if (version != 0 || tables != 0) {
        return OK; /* another process was faster, or it is not ours: the check follows */
    }
    TRY(run_scripts(conn, new_store, diag));
    list_meta(store, meta);
    for (size_t i = 0; i < META_N; i++) {
        TRY(set_meta(conn, meta[i].key, meta[i].value, diag));
    }
    return OK;
}

/* Keys that nobody could send any more are no loss. */
static struct status
note_given_up(const struct sqlite_store *store, struct db_conn *conn, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};
    const int64_t now_us = clock_wall_us(store->clock);
    bool has_row = false;

    db_prepare(conn, "SELECT 1 FROM replays WHERE until_us > ? LIMIT 1", &query);
    db_int(&query, now_us);
    TRY(db_step(&query, diag, &has_row));
    return has_row ? sqlite_replay_note_loss(conn, now_us, diag) : OK;
}

/* A store of an older program; what is not ours is left to the check that follows. */
static struct status
bring_up(const struct sqlite_store *store, struct db_conn *conn, struct diag *diag)
{
    int64_t version = 0, application = 0, dangling = 0;

    TRY(db_number(conn, "PRAGMA application_id", diag, &application));
    TRY(db_number(conn, "PRAGMA user_version", diag, &version));
    if (application != APPLICATION_ID || version < 1 || version >= SCHEMA_VERSION) {
        return OK;
    }
    if (version < 4) {
        TRY(note_given_up(store, conn, diag));
        TRY(db_script(conn, to_version_4, diag));
    }
    if (version < 5) {
        TRY(run_scripts(conn, to_version_5, diag));
    }
    if (version < 6) {
        TRY(db_script(conn, to_version_6, diag));
        TRY(sqlite_people_index(conn, diag));
    }
    if (version < 7) {
        TRY(db_script(conn, to_version_7, diag));
    }
    TRY(db_script(conn, to_version_8, diag));
    TRY(db_number(conn, "SELECT count(*) FROM pragma_foreign_key_check", diag, &dangling));
    return dangling == 0
               ? OK
               : FAIL(diag, ERR_STORE,
                      "%lld rows of the store refer to rows that are not there; restore the store "
                      "from a backup",
                      (long long)dangling);
}

/* Tables that others refer to are made anew: foreign keys are checked at the end, not meanwhile. */
static struct status
bring_up_at_once(const struct sqlite_store *store, struct db_conn *conn, struct diag *diag)
{
    TRY(db_script(conn, "PRAGMA foreign_keys = OFF", diag));
    TRY(db_begin_write(conn, diag));
    TRY(db_finish(conn, bring_up(store, conn, diag), diag));
    return db_script(conn, "PRAGMA foreign_keys = ON", diag);
}

static struct status
check_schema(const struct sqlite_store *store, struct db_conn *conn, struct diag *diag)
{
    struct meta meta[META_N];
    int64_t version = 0, application = 0;

    TRY(db_number(conn, "PRAGMA application_id", diag, &application));
    TRY(db_number(conn, "PRAGMA user_version", diag, &version));
    if (application != APPLICATION_ID) {
        return FAIL(diag, ERR_STORE,
                    "the file is a database of another program, not a store of this gateway; name "
                    "another file in store: path");
    }
    if (version != SCHEMA_VERSION) {
        return FAIL(diag, ERR_STORE,
                    "the store has schema version %d, this program knows version %d; use the "
                    "program that made it",
                    (int)version, SCHEMA_VERSION);
    }
    list_meta(store, meta);
    for (size_t i = 0; i < META_N; i++) {
        TRY(check_meta(conn, meta[i].key, meta[i].value, diag));
    }
    return OK;
}

struct status
sqlite_schema_open(struct sqlite_store *store, struct db_conn *conn, bool is_read_only,
                   struct diag *diag)
{
    int64_t version = 0;

    TRY(db_number(conn, "PRAGMA user_version", diag, &version));
    if (version == 0 && !is_read_only) {
        TRY(db_begin_write(conn, diag));
        TRY(db_finish(conn, make_schema(store, conn, diag), diag));
    } else if (version < SCHEMA_VERSION && !is_read_only) {
        TRY(bring_up_at_once(store, conn, diag));
    }
    TRY(db_begin_read(conn, diag));
    return db_finish(conn, check_schema(store, conn, diag), diag);
}
