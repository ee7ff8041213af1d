/*
 * What must not come twice: keys with the time until which they are remembered. Called within the
 * write transaction of store_remember_once, on its thread.
 */
#include "store/sqlite.h"

#include "base/digest.h"

#define FORGET_MAX 64 /* expired keys that one call removes: more than come in, so that they go */

static struct status
forget_expired(struct db_conn *conn, int64_t now_us, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn,
               "DELETE FROM replays WHERE key IN"
               " (SELECT key FROM replays WHERE until_us <= ? ORDER BY until_us LIMIT ?)",
               &query);
    db_int(&query, now_us);
    db_int(&query, FORGET_MAX);
    return db_run(&query, diag);
}

struct status
sqlite_remember_once(struct db_conn *conn, struct span key, int64_t until_us, int64_t now_us,
                     struct diag *diag, bool *ret_is_new)
{
    CLEANUP(db_end) struct db_query query = {0};
    uint8_t digest[SHA256_BYTES]; /* of one length, whatever a partner sends */

    TRY(digest_sha256(key, diag, digest));
    TRY(forget_expired(conn, now_us, diag));
    /* A key that has expired but was not removed yet may come again. */
    db_prepare(conn,
               "INSERT INTO replays (key, until_us) VALUES (?1, ?2) ON CONFLICT (key)"
               " DO UPDATE SET until_us = excluded.until_us WHERE until_us <= ?3 RETURNING 1",
               &query);
    db_blob(&query, span_of((const char *)digest, SHA256_BYTES));
    db_int(&query, until_us);
    db_int(&query, now_us);
    return db_step(&query, diag, ret_is_new);
}
