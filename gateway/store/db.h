/*
 * SQLite behind few calls: a pool of connections, cached prepared statements, transactions. Only
 * the SQLite engine of the store includes this.
 *
 * A connection belongs to one thread from db_take to db_give_p; there are as many as calls ran at
 * the same time, opened when first needed, the most recently used one first. Statements are static
 * texts, prepared once a connection; no SQL is put together at run time. Every connection: WAL,
 * synchronous=FULL (a commit survives power loss), foreign keys, busy timeout, defensive mode.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/arena.h"
#include "base/mem.h"

struct sqlite3_stmt;
struct db;      /* the pool */
struct db_conn; /* one connection */

struct db_options {
    const char *path; /* made when missing, readable by the owner alone */
    bool is_read_only;
    int busy_timeout_ms; /* how long to wait for another process's write */
};
/* ERR_STORE when the file cannot be opened or is no database. */
MUST_CHECK struct status db_open(const struct db_options *options, struct diag *diag,
                                 struct db **ret_db);
void db_close(struct db *db); /* all connections are given back; NULL is fine */

MUST_CHECK struct status db_take(struct db *db, struct diag *diag, struct db_conn **ret_conn);
void db_give_p(struct db_conn **conn); /* gives it back; for CLEANUP; NULL inside is fine */

/* Several statements, never separated: for the schema only. */
MUST_CHECK struct status db_script(struct db_conn *conn, const char *sql, struct diag *diag);

/* ---- transactions ---- */
/* Reads see one state of the database until db_finish. */
MUST_CHECK struct status db_begin_read(struct db_conn *conn, struct diag *diag);
/* Waits for other writers: of this process on a lock, of others up to the busy timeout
 * (ERR_STORE_BUSY). */
MUST_CHECK struct status db_begin_write(struct db_conn *conn, struct diag *diag);
/* Commits when <outcome> is OK, else rolls back; returns <outcome>, or why the commit failed. */
MUST_CHECK struct status db_finish(struct db_conn *conn, struct status outcome, struct diag *diag);
/* Rolls back a transaction that found, without a failure, that it must not be. */
void db_undo(struct db_conn *conn);

/* ---- statements ----
 * CLEANUP(db_end) struct db_query query = {0};   always so: db_end may come before db_prepare
 * db_prepare(conn, "SELECT ...", &query);   <sql> must be a literal: the cache goes by its address
 * db_text(&query, name); ...                parameters in their order
 * TRY(db_step(&query, diag, &has_row));     failures of all calls before come out here
 * db_column_...(&query, 0, ...)             until the next step */
struct db_query {
    struct db_conn *conn;
    struct sqlite3_stmt *stmt; /* NULL when preparing failed */
    int bound;
    int result; /* the first SQLite result that was not good */
};
void db_prepare(struct db_conn *conn, const char *sql, struct db_query *ret_query);
void db_text(struct db_query *query, struct span text); /* bytes must live until db_end */
void db_blob(struct db_query *query, struct span bytes);
void db_int(struct db_query *query, int64_t value);
MUST_CHECK struct status db_step(struct db_query *query, struct diag *diag, bool *ret_has_row);
/* For statements without rows. */
MUST_CHECK struct status db_run(struct db_query *query, struct diag *diag);
void db_end(struct db_query *query); /* resets: the statement may be prepared again */

int64_t db_column_int(const struct db_query *query, int column);
/* A copy in the arena; empty text gives the empty span. */
MUST_CHECK struct status db_column_text(const struct db_query *query, int column,
                                        struct arena *arena, struct diag *diag,
                                        struct span *ret_text);
/* Borrowed until the next step. ERR_NO_MEMORY when SQLite could not load it. */
MUST_CHECK struct status db_column_blob(const struct db_query *query, int column, struct diag *diag,
                                        struct span *ret_bytes);
/* The first column of the first row of <sql>, a literal without parameters; 0: there is none. */
MUST_CHECK struct status db_number(struct db_conn *conn, const char *sql, struct diag *diag,
                                   int64_t *ret_number);
int64_t db_last_row_id(const struct db_conn *conn);

#endif
