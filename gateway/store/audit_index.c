/*
 * The search index of audit records, in a SQLite file of its own beside the journal: the file, how
 * far it knows the journal, and what is added. audit_index_find.c asks it. Called by `isthmus
 * audit`, on its thread.
 *
 * A file beside it is locked by whoever uses the index, shared, and alone by whoever takes it away.
 */
#include "store/audit_index_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define APPLICATION_ID 0x49534149 /* "ISAI", in the file's header */
#define INDEX_VERSION  2
#define BUSY_MS        20000
#define LOCK_STEP_MS   20

#define SQLITE_HEADER_BYTES 100 /* https://www.sqlite.org/fileformat.html 1.3 */
#define SQLITE_MAGIC        "SQLite format 3"
#define SQLITE_ID_AT        68

static const char schema[] =
    "CREATE TABLE positions ("
    "  chain TEXT PRIMARY KEY, sequence INTEGER NOT NULL, hash TEXT NOT NULL)"
    "  STRICT, WITHOUT ROWID;"
    "CREATE TABLE records ("
    "  id INTEGER PRIMARY KEY,"
    "  chain TEXT NOT NULL, sequence INTEGER NOT NULL, time_us INTEGER NOT NULL,"
    "  type TEXT NOT NULL, phase TEXT NOT NULL, outcome INTEGER NOT NULL,"
    "  user TEXT NOT NULL, organization TEXT NOT NULL,"
    "  partner TEXT NOT NULL, community TEXT NOT NULL, purpose TEXT NOT NULL,"
    "  rule TEXT NOT NULL, message TEXT NOT NULL, transaction_id TEXT NOT NULL,"
    "  UNIQUE (chain, sequence)) STRICT;"
    "CREATE INDEX records_time ON records (time_us, chain, sequence);"
    "CREATE INDEX records_message ON records (message) WHERE message <> '';"
    "CREATE INDEX records_transaction ON records (transaction_id) WHERE transaction_id <> '';"
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

/* ---- the lock beside the file ---- */

static struct status
wait_for_lock(int fd, const char *path, int how, struct diag *diag)
{
    const struct timespec step = {0, LOCK_STEP_MS * 1000000L};

    for (int waited_ms = 0; flock(fd, how | LOCK_NB) != 0; waited_ms += LOCK_STEP_MS) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return FAIL(diag, ERR_STORE, "%s cannot be locked: error %d", path, errno);
        }
        if (waited_ms >= BUSY_MS) {
            return FAIL(diag, ERR_STORE_BUSY, "%s is being used by other processes; try again",
                        path);
        }
        (void)nanosleep(&step, NULL);
    }
    return OK;
}

/* Closing the descriptor gives the lock back. */
static struct status
take_lock(const char *index_path, int how, struct diag *diag, int *ret_fd)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s-lock", index_path) >= PATH_MAX) {
        return FAIL(diag, ERR_STORE, "the path of the index is too long");
    }
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd == -1) {
        return FAIL(diag, ERR_STORE,
                    "%s cannot be made: error %d; the index of the journal stands "
                    "in its folder, which must be writable",
                    path, errno);
    }
    const struct status st = wait_for_lock(fd, path, how, diag);
    if (!is_ok(st)) {
        (void)close(fd);
        return st;
    }
    *ret_fd = fd;
    return OK;
}

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
    index->lock = -1;
    struct status st = take_lock(path, LOCK_SH, diag, &index->lock);
    if (is_ok(st)) {
        st = open_file(index, path, diag);
    }
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
    if (index->lock != -1) {
        (void)close(index->lock);
    }
    mem_free(index);
}

/* ---- taking it away ---- */

enum held { HELD_NOTHING, HELD_INDEX, HELD_OTHER };

static enum held
what_is_there(const char *path)
{
    unsigned char header[SQLITE_HEADER_BYTES] = {0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd == -1) {
        return errno == ENOENT ? HELD_NOTHING : HELD_OTHER;
    }
    const ssize_t n = read(fd, header, sizeof(header));
    (void)close(fd);
    const unsigned char *const id = header + SQLITE_ID_AT;
    const bool is_ours =
        n == SQLITE_HEADER_BYTES && memcmp(header, SQLITE_MAGIC, sizeof(SQLITE_MAGIC)) == 0 &&
        ((uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3]) ==
            APPLICATION_ID;
    return is_ours || n == 0 ? HELD_INDEX : HELD_OTHER;
}

static struct status
remove_files(const char *path, struct diag *diag)
{
    static const char *const behind[] = {"", "-wal", "-shm"};

    if (what_is_there(path) == HELD_OTHER) {
        return FAIL(diag, ERR_STORE, "%s is no index of a journal; move it away", path);
    }
    for (size_t i = 0; i < ARRAY_LEN(behind); i++) {
        char file[PATH_MAX];

        (void)snprintf(file, sizeof(file), "%s%s", path, behind[i]);
        if (unlink(file) != 0 && errno != ENOENT) {
            return FAIL(diag, ERR_STORE, "%s cannot be removed: error %d", file, errno);
        }
    }
    return OK;
}

struct status
audit_index_remove(const char *path, struct diag *diag)
{
    int lock = -1;

    TRY(take_lock(path, LOCK_EX, diag, &lock));
    const struct status st = remove_files(path, diag);
    (void)close(lock);
    return st;
}

static struct status
check_file(const char *path, struct diag *diag, bool *ret_is_whole)
{
    const struct db_options options = {.path = path, .busy_timeout_ms = BUSY_MS};
    struct db *db = NULL;
    struct db_conn *conn = NULL;
    struct span verdict = SPAN_EMPTY;
    bool has_row = false;

    TRY(db_open(&options, diag, &db));
    struct status st = db_take(db, diag, &conn);
    if (is_ok(st)) {
        CLEANUP(db_end) struct db_query query = {0};
        db_prepare(conn, "PRAGMA quick_check(1)", &query);
        st = db_step(&query, diag, &has_row);
        st = is_ok(st) && has_row ? db_column_blob(&query, 0, diag, &verdict) : st;
        *ret_is_whole = is_ok(st) && span_eq_cstr(verdict, "ok");
    }
    db_give_p(&conn);
    db_close(db);
    return st;
}

struct status
audit_index_remove_damaged(const char *path, struct diag *diag, bool *ret_is_removed)
{
    int lock = -1;
    bool is_whole = false;
    struct diag why = {0};

    TRY(take_lock(path, LOCK_EX, diag, &lock));
    const bool is_index = what_is_there(path) == HELD_INDEX;
    struct status st = is_index ? check_file(path, &why, &is_whole) : OK;
    const bool is_damaged = is_index && (st.code == ERR_STORE || (is_ok(st) && !is_whole));

    if (is_damaged) {
        st = remove_files(path, diag);
    } else if (!is_ok(st)) {
        st = FAIL(diag, st.code, "%s", why.text);
    }
    (void)close(lock);
    TRY(st);
    *ret_is_removed = is_damaged;
    return OK;
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
               " user, organization, partner, community, purpose, rule, message, transaction_id)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               &query);
    db_text(&query, span_of_cstr(row->chain));
    db_int(&query, (int64_t)row->sequence);
    db_int(&query, row->time_us);
    db_text(&query, span_of_cstr(row->type));
    db_text(&query, span_of_cstr(row->phase));
    db_int(&query, row->outcome);
    db_text(&query, row->user);
    db_text(&query, row->organization);
    db_text(&query, row->partner);
    db_text(&query, row->community);
    db_text(&query, row->purpose);
    db_text(&query, row->rule);
    db_text(&query, row->message);
    db_text(&query, row->transaction);
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
