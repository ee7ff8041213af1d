/*
 * What of the replay memory is in the database: its id, whether a node serves, and since when keys
 * may be lost. The keys are in memory and in files beside the database (replay_memory.h). Called
 * when a node starts and stops, on that thread.
 */
#include "store/sqlite.h"

#include <limits.h>
#include <stdio.h>

#include "base/ids.h"
#include "store/replay_memory.h"

#define META_SERVING "serving"        /* present while a node accepts messages: its boot id */
#define META_LOST    "replay lost us" /* keys of messages created before may be lost */
#define META_MEMORY  "replay memory"  /* UUID of the memory in the folder beside the database */

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

static struct status
make_memory_id(struct db_conn *conn, struct diag *diag, bool *ret_is_new)
{
    char uuid[UUID_TEXT];
    bool is_there = false, is_equal = false;

    uuid_new(uuid);
    TRY(compare_meta(conn, META_MEMORY, span_of_cstr(uuid), diag, &is_there, &is_equal));
    if (!is_there) {
        TRY(put_meta(conn, META_MEMORY, span_of_cstr(uuid), diag));
    }
    *ret_is_new = !is_there;
    return OK;
}

/* The first 16 bytes of the id's digest: as long as what is in the files. */
static struct status
read_memory_id(struct db_conn *conn, struct diag *diag, uint8_t ret_digest[SHA256_BYTES])
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;
    struct span text;

    db_prepare(conn, "SELECT CAST(value AS BLOB) FROM meta WHERE key = '" META_MEMORY "'", &query);
    TRY(db_step(&query, diag, &has_row));
    if (!has_row) {
        return FAIL(diag, ERR_STORE, "the store does not say which replay memory is its own");
    }
    TRY(db_column_blob(&query, 0, diag, &text));
    return digest_sha256(text, diag, ret_digest);
}

/* Did the machine end while a node served? */
static struct status
note_serving(struct db_conn *conn, const char *boot_id, struct diag *diag, bool *ret_is_lossy)
{
    const struct span serving = span_of_cstr(boot_id == NULL ? "" : boot_id);
    bool is_unclean = false, is_same = false;

    TRY(compare_meta(conn, META_SERVING, serving, diag, &is_unclean, &is_same));
    TRY(put_meta(conn, META_SERVING, serving, diag));
    *ret_is_lossy = is_unclean && (!is_same || serving.n == 0);
    return OK;
}

/* Within a write transaction. */
static struct status
start(const struct sqlite_store *store, struct db_conn *conn, struct replay_memory *memory,
      const char *boot_id, struct diag *diag, bool *ret_is_lossy, int64_t *ret_lost_us)
{
    uint8_t id[SHA256_BYTES];
    bool is_new = false, is_machine = false, is_memory = false;

    TRY(note_serving(conn, boot_id, diag, &is_machine));
    TRY(make_memory_id(conn, diag, &is_new));
    TRY(read_memory_id(conn, diag, id));
    TRY(replay_memory_load(memory, id, is_new, diag, &is_memory));
    if (is_machine || is_memory) {
        TRY(sqlite_replay_note_loss(conn, clock_wall_us(store->clock), diag));
    }
    *ret_is_lossy = is_machine || is_memory;
    return read_lost_us(conn, diag, ret_lost_us);
}

static void
close_memory(struct replay_memory **memory)
{
    replay_memory_close(*memory);
}

struct status
sqlite_replay_start(struct sqlite_store *store, struct db_conn *conn, const char *boot_id,
                    struct diag *diag, bool *ret_is_lossy)
{
    CLEANUP(close_memory) struct replay_memory *memory = NULL;
    char folder[PATH_MAX];
    bool is_lossy = false;
    int64_t lost_us = 0;
    const int n = snprintf(folder, sizeof(folder), "%s.replay", store->path);

    if (n < 0 || (size_t)n >= sizeof(folder)) {
        return FAIL(diag, ERR_STORE, "the path of the store's replay memory is too long");
    }
    TRY(replay_memory_open(folder, store->clock, diag, &memory));
    TRY(db_begin_write(conn, diag));
    /* Synced: that keys are lost is known for good before the files that tell it go. */
    TRY(db_finish(conn, start(store, conn, memory, boot_id, diag, &is_lossy, &lost_us), diag));
    TRY(replay_memory_begin(memory, lost_us, diag));
    store->replay = memory;
    memory = NULL;
    *ret_is_lossy = is_lossy;
    return OK;
}

static struct status
forget_serving(struct db_conn *conn, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn, "DELETE FROM meta WHERE key = '" META_SERVING "'", &query);
    return db_run(&query, diag);
}

/* The files first: the row says that they may not be on the disk. */
struct status
sqlite_replay_stop(struct sqlite_store *store, struct db_conn *conn, struct diag *diag)
{
    TRY(replay_memory_sync(store->replay, diag));
    TRY(db_begin_write(conn, diag));
    TRY(db_finish(conn, forget_serving(conn, diag), diag));
    replay_memory_close(store->replay);
    store->replay = NULL;
    return OK;
}
