/*
 * SQLite connections and statements for the store's SQLite engine. Called by sqlite_*.c on the
 * thread of each store call; the pool's lists are under its mutex, everything else belongs to the
 * thread that took the connection. The only file that includes sqlite3.h.
 */
#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/mem.h"

#define STATEMENTS_MAX     160
#define WAL_STEP_MS        10
#define LIKE_PATTERN_BYTES 1024 /* a partner writes these */

struct db {
    char *path;
    bool is_read_only;
    int busy_timeout_ms;
    pthread_mutex_t mutex; /* guards idle and taken */
    struct db_conn *idle;  /* most recently used first */
    size_t taken;
    pthread_mutex_t writer; /* SQLite has one writer: ours queue here instead of polling */
};

struct statement {
    const char *sql; /* literal; compared by address */
    sqlite3_stmt *stmt;
    bool is_used;
};

struct db_conn {
    struct db *db;
    struct db_conn *next;
    sqlite3 *handle;
    struct statement statements[STATEMENTS_MAX];
    size_t n;
    bool is_writing;
};

/* ---- failures ---- */

static enum err
err_of(int result)
{
    switch (result & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_STORE_BUSY;
    case SQLITE_NOMEM:
        return ERR_NO_MEMORY;
    default:
        return ERR_STORE;
    }
}

/* SQLite's texts name tables and columns, never values. */
static struct status
fail(const struct db *db, sqlite3 *handle, int result, const char *what, struct diag *diag)
{
    return FAIL(diag, err_of(result), "%s: %s: %s (SQLite result %d)", db->path, what,
                handle == NULL ? sqlite3_errstr(result) : sqlite3_errmsg(handle), result);
}

/* ---- connections ---- */

static void
close_conn(struct db_conn *conn)
{
    for (size_t i = 0; i < conn->n; i++) {
        (void)sqlite3_finalize(conn->statements[i].stmt);
    }
    const int result = sqlite3_close(conn->handle);

    assert(result == SQLITE_OK); /* a statement was left: our bug */
    (void)result;
    mem_free(conn);
}

static void
set_limits(sqlite3 *handle)
{
    (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    (void)sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    (void)sqlite3_limit(handle, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, LIKE_PATTERN_BYTES);
}

/* The change to WAL wants a new file for itself, and two that open it at once are told "busy"
 * without the timeout's wait (https://www.sqlite.org/wal.html section 4). */
static struct status
use_wal(struct db_conn *conn, struct diag *diag)
{
    struct diag why = {0};
    struct status st = db_script(conn, "PRAGMA journal_mode = WAL", &why);

    for (int waited_ms = 0; st.code == ERR_STORE_BUSY && waited_ms < conn->db->busy_timeout_ms;
         waited_ms += WAL_STEP_MS) {
        (void)sqlite3_sleep(WAL_STEP_MS);
        st = db_script(conn, "PRAGMA journal_mode = WAL", &why);
    }
    if (!is_ok(st)) {
        *diag = why;
    }
    return st;
}

static struct status
set_up(struct db_conn *conn, struct diag *diag)
{
    set_limits(conn->handle);
    (void)sqlite3_extended_result_codes(conn->handle, 1);
    (void)sqlite3_busy_timeout(conn->handle, conn->db->busy_timeout_ms);
    if (!conn->db->is_read_only) {
        TRY(use_wal(conn, diag));
    }
    return db_script(conn, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON", diag);
}

static struct status
open_conn(struct db *db, struct diag *diag, struct db_conn **ret_conn)
{
    const int flags = (db->is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    struct db_conn *conn = mem_alloc(sizeof(*conn));

    if (conn == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a database connection");
    }
    conn->db = db;
    const int result = sqlite3_open_v2(db->path, &conn->handle, flags, NULL);
    struct status st = OK;

    if (result != SQLITE_OK) {
        st = fail(db, conn->handle, result, "cannot be opened", diag);
    } else {
        st = set_up(conn, diag);
    }
    if (!is_ok(st)) {
        close_conn(conn);
        return st;
    }
    *ret_conn = conn;
    return OK;
}

struct status
db_take(struct db *db, struct diag *diag, struct db_conn **ret_conn)
{
    (void)pthread_mutex_lock(&db->mutex);
    struct db_conn *conn = db->idle;

    if (conn != NULL) {
        db->idle = conn->next;
    }
    db->taken++;
    (void)pthread_mutex_unlock(&db->mutex);
    if (conn == NULL) {
        const struct status st = open_conn(db, diag, &conn);

        if (!is_ok(st)) {
            (void)pthread_mutex_lock(&db->mutex);
            db->taken--;
            (void)pthread_mutex_unlock(&db->mutex);
            return st;
        }
    }
    *ret_conn = conn;
    return OK;
}

static void
give(struct db_conn *conn)
{
    struct db *db = conn->db;

    assert(!conn->is_writing && sqlite3_get_autocommit(conn->handle) != 0);
    (void)pthread_mutex_lock(&db->mutex);
    conn->next = db->idle;
    db->idle = conn;
    db->taken--;
    (void)pthread_mutex_unlock(&db->mutex);
}

void
db_give_p(struct db_conn **conn)
{
    if (*conn != NULL) {
        give(*conn);
    }
}

/* ---- the pool ---- */

/* Made by us, so that the database and SQLite's files beside it (which get its mode) are the
 * owner's alone: they hold patient data. */
static struct status
make_file(const char *path, struct diag *diag)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);

    if (fd == -1) {
        return FAIL(diag, ERR_STORE, "%s: the store's file cannot be opened or made: %s", path,
                    strerror(errno));
    }
    (void)close(fd);
    return OK;
}

/* Nobody reads SQLite's account of its memory, and keeping it takes one lock of the whole process
 * for each piece. Refused when SQLite runs already: then it goes on as it was. */
static void
forgo_memory_statistics(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct status
db_open(const struct db_options *options, struct diag *diag, struct db **ret_db)
{
    static pthread_once_t configured = PTHREAD_ONCE_INIT;
    (void)pthread_once(&configured, forgo_memory_statistics);
    assert(sqlite3_threadsafe() != 0);
    if (!options->is_read_only) {
        TRY(make_file(options->path, diag));
    }
    struct db *db = mem_alloc(sizeof(*db));

    if (db == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the store");
    }
    db->path = mem_strdup(options->path);
    db->is_read_only = options->is_read_only;
    db->busy_timeout_ms = options->busy_timeout_ms;
    if (db->path == NULL) {
        mem_free(db);
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the store");
    }
    (void)pthread_mutex_init(&db->mutex, NULL);
    (void)pthread_mutex_init(&db->writer, NULL);
    *ret_db = db;
    return OK;
}

void
db_close(struct db *db)
{
    if (db == NULL) {
        return;
    }
    assert(db->taken == 0);
    while (db->idle != NULL) {
        struct db_conn *conn = db->idle;

        db->idle = conn->next;
        close_conn(conn);
    }
    (void)pthread_mutex_destroy(&db->mutex);
    (void)pthread_mutex_destroy(&db->writer);
    mem_free(db->path);
    mem_free(db);
}

struct status
db_script(struct db_conn *conn, const char *sql, struct diag *diag)
{
    const int result = sqlite3_exec(conn->handle, sql, NULL, NULL, NULL);

    if (result != SQLITE_OK) {
        return fail(conn->db, conn->handle, result, "a statement failed", diag);
    }
    return OK;
}

/* ---- transactions ---- */

/* Kept prepared: each message begins and ends several transactions. */
static struct status
run_kept(struct db_conn *conn, const char *sql, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn, sql, &query);
    return db_run(&query, diag);
}

struct status
db_begin_read(struct db_conn *conn, struct diag *diag)
{
    return run_kept(conn, "BEGIN", diag);
}

struct status
db_begin_write(struct db_conn *conn, struct diag *diag)
{
    if (conn->db->is_read_only) {
        return FAIL(diag, ERR_STORE, "%s: the store was opened for reading only", conn->db->path);
    }
    (void)pthread_mutex_lock(&conn->db->writer);
    const struct status st = run_kept(conn, "BEGIN IMMEDIATE", diag);

    if (!is_ok(st)) {
        (void)pthread_mutex_unlock(&conn->db->writer);
        return st;
    }
    conn->is_writing = true;
    return OK;
}

static void
end_transaction(struct db_conn *conn)
{
    if (sqlite3_get_autocommit(conn->handle) == 0) {
        /* After some failures SQLite has rolled back by itself. */
        (void)sqlite3_exec(conn->handle, "ROLLBACK", NULL, NULL, NULL);
    }
    if (conn->is_writing) {
        conn->is_writing = false;
        (void)pthread_mutex_unlock(&conn->db->writer);
    }
}

struct status
db_finish(struct db_conn *conn, struct status outcome, struct diag *diag)
{
    struct status st = outcome;

    if (is_ok(st)) {
        st = run_kept(conn, "COMMIT", diag);
    }
    end_transaction(conn);
    return st;
}

void
db_undo(struct db_conn *conn)
{
    end_transaction(conn);
}

/* ---- statements ---- */

static struct statement *
find_statement(struct db_conn *conn, const char *sql)
{
    for (size_t i = 0; i < conn->n; i++) {
        if (conn->statements[i].sql == sql) {
            return &conn->statements[i];
        }
    }
    return NULL;
}

void
db_prepare(struct db_conn *conn, const char *sql, struct db_query *ret_query)
{
    struct statement *statement = find_statement(conn, sql);

    *ret_query = (struct db_query){.conn = conn, .result = SQLITE_OK};
    if (statement == NULL) {
        sqlite3_stmt *stmt = NULL;

        assert(conn->n < STATEMENTS_MAX);
        ret_query->result =
            sqlite3_prepare_v3(conn->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
        if (ret_query->result != SQLITE_OK) {
            return;
        }
        statement = &conn->statements[conn->n++];
        *statement = (struct statement){sql, stmt, false};
    }
    assert(!statement->is_used);
    statement->is_used = true;
    ret_query->stmt = statement->stmt;
}

static void
note_result(struct db_query *query, int result)
{
    if (query->result == SQLITE_OK) {
        query->result = result;
    }
}

void
db_text(struct db_query *query, struct span text)
{
    query->bound++;
    if (query->stmt != NULL) {
        note_result(query, sqlite3_bind_text64(query->stmt, query->bound, text.n == 0 ? "" : text.p,
                                               (sqlite3_uint64)text.n, SQLITE_STATIC, SQLITE_UTF8));
    }
}

void
db_blob(struct db_query *query, struct span bytes)
{
    query->bound++;
    if (query->stmt != NULL) {
        note_result(query,
                    sqlite3_bind_blob64(query->stmt, query->bound, bytes.n == 0 ? "" : bytes.p,
                                        (sqlite3_uint64)bytes.n, SQLITE_STATIC));
    }
}

void
db_int(struct db_query *query, int64_t value)
{
    query->bound++;
    if (query->stmt != NULL) {
        note_result(query, sqlite3_bind_int64(query->stmt, query->bound, value));
    }
}

struct status
db_step(struct db_query *query, struct diag *diag, bool *ret_has_row)
{
    if (query->result != SQLITE_OK) {
        return fail(query->conn->db, query->conn->handle, query->result,
                    "a statement could not be prepared", diag);
    }
    const int result = sqlite3_step(query->stmt);

    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        return fail(query->conn->db, query->conn->handle, result, "a statement failed", diag);
    }
    *ret_has_row = result == SQLITE_ROW;
    return OK;
}

struct status
db_run(struct db_query *query, struct diag *diag)
{
    bool has_row = false;

    return db_step(query, diag, &has_row);
}

void
db_end(struct db_query *query)
{
    if (query->stmt == NULL) {
        return;
    }
    (void)sqlite3_reset(query->stmt); /* repeats the step's result, which db_step has told */
    (void)sqlite3_clear_bindings(query->stmt);
    for (size_t i = 0; i < query->conn->n; i++) {
        if (query->conn->statements[i].stmt == query->stmt) {
            query->conn->statements[i].is_used = false;
        }
    }
    query->stmt = NULL;
}

int64_t
db_column_int(const struct db_query *query, int column)
{
    return sqlite3_column_int64(query->stmt, column);
}

struct status
db_column_text(const struct db_query *query, int column, struct arena *arena, struct diag *diag,
               struct span *ret_text)
{
    const void *text = sqlite3_column_text(query->stmt, column);
    const int n = sqlite3_column_bytes(query->stmt, column);

    if (text == NULL) { /* no column of ours may be null */
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a column");
    }
    if (n == 0) {
        *ret_text = SPAN_EMPTY;
        return OK;
    }
    return arena_dup(arena, span_of(text, (size_t)n), diag, ret_text);
}

struct status
db_column_blob(const struct db_query *query, int column, struct diag *diag, struct span *ret_bytes)
{
    const void *bytes = sqlite3_column_blob(query->stmt, column);
    const int n = sqlite3_column_bytes(query->stmt, column);

    if (bytes == NULL && n > 0) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for %d bytes of a column", n);
    }
    *ret_bytes = span_of(bytes, (size_t)n);
    return OK;
}

int64_t
db_last_row_id(const struct db_conn *conn)
{
    return sqlite3_last_insert_rowid(conn->handle);
}

struct status
db_number(struct db_conn *conn, const char *sql, struct diag *diag, int64_t *ret_number)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn, sql, &query);
    TRY(db_step(&query, diag, &has_row));
    *ret_number = has_row ? db_column_int(&query, 0) : 0;
    return OK;
}
