/*
 * What must not come twice: keys with the time until which they are remembered, counted for each
 * partner. Called within the write transaction of one store call, on its thread; a failure rolls
 * everything back.
 */
#include "store/sqlite.h"

#include <stdio.h>

#include "base/datetime.h"
#include "base/digest.h"

#define FORGET_MAX 64 /* expired keys that one call removes: more than come in, so that they go */

#define META_SERVING "serving"        /* present while a node accepts messages: its boot id */
#define META_LOST    "replay lost us" /* keys of messages created before may be lost */

/* ---- numbers and texts of meta ---- */

static struct status
put_meta(struct db_conn *conn, const char *key, struct span value, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn,
               "INSERT INTO meta (key, value) VALUES (?, ?)"
               " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
               &query);
    db_text(&query, span_of_cstr(key));
    db_text(&query, value);
    return db_run(&query, diag);
}

/* Is the row there, and is its value <value>? */
static struct status
compare_meta(struct db_conn *conn, const char *key, struct span value, struct diag *diag,
             bool *ret_is_there, bool *ret_is_equal)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn, "SELECT value = ? FROM meta WHERE key = ?", &query);
    db_text(&query, value);
    db_text(&query, span_of_cstr(key));
    TRY(db_step(&query, diag, &has_row));
    *ret_is_there = has_row;
    *ret_is_equal = has_row && db_column_int(&query, 0) != 0;
    return OK;
}

/* 0: nothing was ever lost. */
static struct status
read_lost_us(struct db_conn *conn, struct diag *diag, int64_t *ret_lost_us)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = '" META_LOST "'", &query);
    TRY(db_step(&query, diag, &has_row));
    *ret_lost_us = has_row ? db_column_int(&query, 0) : 0;
    return OK;
}

struct status
sqlite_replay_note_loss(struct db_conn *conn, int64_t now_us, struct diag *diag)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%lld", (long long)now_us);
    return put_meta(conn, META_LOST, span_of_cstr(text), diag);
}

/* ---- start and stop ---- */

struct status
sqlite_replay_start(struct db_conn *conn, const char *boot_id, int64_t now_us, struct diag *diag,
                    bool *ret_is_lossy)
{
    const struct span serving = span_of_cstr(boot_id == NULL ? "" : boot_id);
    bool is_unclean = false, is_same = false;

    TRY(compare_meta(conn, META_SERVING, serving, diag, &is_unclean, &is_same));
    *ret_is_lossy = is_unclean && (!is_same || serving.n == 0);
    if (*ret_is_lossy) {
        TRY(sqlite_replay_note_loss(conn, now_us, diag));
    }
    return put_meta(conn, META_SERVING, serving, diag);
}

struct status
sqlite_replay_stop(struct db_conn *conn, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn, "DELETE FROM meta WHERE key = '" META_SERVING "'", &query);
    return db_run(&query, diag);
}

/* ---- remembering ---- */

struct owner {
    int64_t row;
    int64_t keys; /* that are remembered for it */
};

static struct status
find_owner(struct db_conn *conn, const char *partner, struct diag *diag, struct owner *ret_owner)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn,
               "INSERT INTO replay_partners (name, keys) VALUES (?, 0)"
               " ON CONFLICT (name) DO UPDATE SET keys = keys RETURNING id, keys",
               &query);
    db_text(&query, span_of_cstr(partner));
    TRY(db_step(&query, diag, &has_row));
    if (!has_row) {
        return FAIL(diag, ERR_STORE, "the replay memory has no room for partner '%s'", partner);
    }
    *ret_owner = (struct owner){db_column_int(&query, 0), db_column_int(&query, 1)};
    return OK;
}

/* Anybody's: a partner that is silent for good must not keep its keys. */
static struct status
forget_expired(struct db_conn *conn, int64_t now_us, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn,
               "DELETE FROM replays WHERE (partner, key) IN"
               " (SELECT partner, key FROM replays WHERE until_us <= ? ORDER BY until_us LIMIT ?)",
               &query);
    db_int(&query, now_us);
    db_int(&query, FORGET_MAX);
    return db_run(&query, diag);
}

/* Of one length, whatever a partner sends. */
struct digests {
    uint8_t items[REPLAY_KEYS_MAX][SHA256_BYTES]; /* those beyond keys_n repeat the first */
};

static struct span
digest_at(const struct digests *digests, size_t i)
{
    return span_of((const char *)digests->items[i], SHA256_BYTES);
}

static struct status
digest_keys(const struct replay_message *message, struct diag *diag, struct digests *ret_digests)
{
    uint8_t bytes[1 + SHA256_BYTES];

    for (size_t i = 0; i < REPLAY_KEYS_MAX; i++) {
        const struct replay_key *key = &message->keys[i < message->keys_n ? i : 0];

        bytes[0] = (uint8_t)key->kind;
        TRY(digest_sha256(key->value, diag, bytes + 1));
        TRY(digest_sha256(span_of((const char *)bytes, sizeof(bytes)), diag,
                          ret_digests->items[i]));
    }
    return OK;
}

static struct status
insert_key(struct db_conn *conn, int64_t owner, struct span digest, int64_t until_us,
           int64_t now_us, struct diag *diag, bool *ret_is_new)
{
    CLEANUP(db_end) struct db_query query = {0};

    /* A key that has expired but was not removed yet may come again. */
    db_prepare(conn,
               "INSERT INTO replays (partner, key, until_us) VALUES (?1, ?2, ?3)"
               " ON CONFLICT (partner, key)"
               " DO UPDATE SET until_us = excluded.until_us WHERE until_us <= ?4 RETURNING 1",
               &query);
    db_int(&query, owner);
    db_blob(&query, digest);
    db_int(&query, until_us);
    db_int(&query, now_us);
    return db_step(&query, diag, ret_is_new);
}

/* A partner that has more than it may loses its own, never those that came just now: the oldest
 * message must not make room for itself. */
static struct status
evict(struct db_conn *conn, const struct owner *owner, const struct replay_message *message,
      const struct digests *digests, struct diag *diag, size_t *ret_evicted)
{
    CLEANUP(db_end) struct db_query query = {0};
    const int64_t too_many = owner->keys - (int64_t)message->keys_max;

    if (too_many <= 0) {
        *ret_evicted = 0;
        return OK;
    }
    db_prepare(conn,
               "DELETE FROM replays WHERE partner = ?1 AND key IN"
               " (SELECT key FROM replays WHERE partner = ?1 AND key NOT IN (?2, ?3, ?4)"
               "  ORDER BY until_us LIMIT ?5)",
               &query);
    db_int(&query, owner->row);
    for (size_t i = 0; i < REPLAY_KEYS_MAX; i++) {
        db_blob(&query, digest_at(digests, i));
    }
    db_int(&query, too_many);
    TRY(db_run(&query, diag));
    *ret_evicted = (size_t)too_many;
    return OK;
}

static struct status
check_loss(struct db_conn *conn, const struct replay_message *message, struct diag *diag)
{
    int64_t lost_us = 0;
    char text[DATETIME_MAX];

    TRY(read_lost_us(conn, diag, &lost_us));
    if (message->created_us >= lost_us + message->skew_us || lost_us == 0) {
        return OK;
    }
    datetime_write_xs(lost_us, text);
    return FAIL(diag, ERR_REPLAY,
                "partner '%s': the message was created before this node started at %s after its "
                "machine had stopped without warning, so that nobody knows whether it came before; "
                "it must be sent anew",
                message->partner, text);
}

/* It waited for us, and its keys would be forgotten at once: a second copy that waited beside it
 * would pass, too. */
static struct status
check_in_time(const struct replay_message *message, int64_t now_us, struct diag *diag)
{
    for (size_t i = 0; i < message->keys_n; i++) {
        if (message->keys[i].until_us <= now_us) {
            return FAIL(diag, ERR_REPLAY,
                        "partner '%s': the time of its message ended while it waited for the "
                        "replay memory; it must be sent anew",
                        message->partner);
        }
    }
    return OK;
}

struct status
sqlite_remember(struct db_conn *conn, const struct replay_message *message, int64_t now_us,
                struct diag *diag, struct replay_result *ret_result)
{
    struct digests digests;
    struct owner owner = {0};

    TRY(check_in_time(message, now_us, diag));
    TRY(check_loss(conn, message, diag));
    TRY(digest_keys(message, diag, &digests));
    TRY(forget_expired(conn, now_us, diag));
    TRY(find_owner(conn, message->partner, diag, &owner));
    for (size_t i = 0; i < message->keys_n; i++) {
        bool is_new = false;

        TRY(insert_key(conn, owner.row, digest_at(&digests, i), message->keys[i].until_us, now_us,
                       diag, &is_new));
        if (!is_new) {
            return FAIL(diag, ERR_REPLAY, "partner '%s' sent its %s a second time",
                        message->partner, replay_kind_name(message->keys[i].kind));
        }
    }
    owner.keys += (int64_t)message->keys_n;
    return evict(conn, &owner, message, &digests, diag, &ret_result->evicted);
}
