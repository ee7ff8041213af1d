/*
 * Questions of ours that wait for their answers, and those answers, as a table. Each call is one
 * transaction on the caller's thread; commits are synced. Called through jobs.c.
 */
#include "store/pending.h"
#include "store/sqlite.h"

static struct status
insert(struct db_conn *conn, const struct pending *pending, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn,
               "INSERT INTO pending (kind, message_id, transaction_name, partner, url, community,"
               " asker, query_root, query_extension, created_us, expires_us, answered_us,"
               " question, content_type, answer)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, '', x'')",
               &query);
    db_int(&query, pending->kind);
    db_text(&query, pending->message_id);
    db_text(&query, pending->transaction);
    db_text(&query, pending->partner);
    db_text(&query, pending->url);
    db_text(&query, pending->community);
    db_text(&query, pending->user);
    db_text(&query, pending->query_id.root);
    db_text(&query, pending->query_id.extension);
    db_int(&query, pending->created_us);
    db_int(&query, pending->expires_us);
    db_blob(&query, pending->question);
    return db_run(&query, diag);
}

static struct status
insert_all(struct db_conn *conn, const struct pending *questions, size_t n, struct diag *diag)
{
    for (size_t i = 0; i < n; i++) {
        TRY(insert(conn, &questions[i], diag));
    }
    return OK;
}

static struct status
put(struct store *store, const struct pending *questions, size_t n, struct park *park,
    struct diag *diag, enum answer *ret_answer)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_write(conn, diag));
    TRY(db_finish(conn, insert_all(conn, questions, n, diag), diag));
    *ret_answer = ANSWER_NOW;
    return OK;
}

/* ---- reading ---- */

#define PENDING_COLUMNS                                                                            \
    "kind, message_id, transaction_name, partner, url, community, asker, query_root, "             \
    "query_extension, created_us, expires_us, answered_us, "                                       \
    "answered_us <> 0 AND length(answer) = 0"
#define PENDING_COLUMNS_N 13

static struct status
read_row(const struct db_query *query, struct arena *arena, struct diag *diag,
         struct pending *ret_pending)
{
    struct pending pending = {
        .kind = (enum pending_kind)db_column_int(query, 0),
        .created_us = db_column_int(query, 9),
        .expires_us = db_column_int(query, 10),
        .answered_us = db_column_int(query, 11),
        .is_fetched = db_column_int(query, 12) != 0,
    };

    TRY(db_column_text(query, 1, arena, diag, &pending.message_id));
    TRY(db_column_text(query, 2, arena, diag, &pending.transaction));
    TRY(db_column_text(query, 3, arena, diag, &pending.partner));
    TRY(db_column_text(query, 4, arena, diag, &pending.url));
    TRY(db_column_text(query, 5, arena, diag, &pending.community));
    TRY(db_column_text(query, 6, arena, diag, &pending.user));
    TRY(db_column_text(query, 7, arena, diag, &pending.query_id.root));
    TRY(db_column_text(query, 8, arena, diag, &pending.query_id.extension));
    *ret_pending = pending;
    return OK;
}

static struct status
refuse(struct span message_id, struct diag *diag, const char *why)
{
    return FAIL(diag, ERR_NOT_AWAITED, "an answer to message '%.*s' is not awaited: %s",
                SPAN_PRINT(span_slice(message_id, 0, 60)), why);
}

/* One that has been answered is found, too, to its end. */
static struct status
find_asked(struct db_conn *conn, struct span message_id, struct span partner, int64_t now_us,
           struct arena *arena, struct diag *diag, struct pending *ret_pending)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn, "SELECT " PENDING_COLUMNS " FROM pending WHERE message_id = ?", &query);
    db_text(&query, message_id);
    TRY(db_step(&query, diag, &has_row));
    if (!has_row) {
        return refuse(message_id, diag, "no question of ours with it waits for an answer");
    }
    TRY(read_row(&query, arena, diag, ret_pending));
    if (!span_eq(ret_pending->partner, partner)) {
        return refuse(message_id, diag, "the question was asked of another partner");
    }
    return ret_pending->expires_us <= now_us
               ? refuse(message_id, diag, "the time for its answer is over")
               : OK;
}

static struct status
find(struct store *store, struct span message_id, struct span partner, int64_t now_us,
     struct arena *arena, struct park *park, struct diag *diag, enum answer *ret_answer,
     struct pending *ret_pending)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    struct pending pending = {0};

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(find_asked(conn, message_id, partner, now_us, arena, diag, &pending));
    *ret_pending = pending;
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
fetch(struct store *store, struct span message_id, struct arena *arena, struct diag *diag,
      struct buf *answer, struct pending *ret_pending)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    CLEANUP(db_end) struct db_query query = {0};
    struct pending pending = {0};
    struct span bytes;
    bool has_row = false;

    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    db_prepare(conn,
               "SELECT " PENDING_COLUMNS ", content_type, question, answer FROM pending"
               " WHERE message_id = ?",
               &query);
    db_text(&query, message_id);
    TRY(db_step(&query, diag, &has_row));
    if (!has_row) {
        return FAIL(diag, ERR_NOT_FOUND, "there is no question '%.*s' whose answer comes later",
                    SPAN_PRINT(span_slice(message_id, 0, 60)));
    }
    TRY(read_row(&query, arena, diag, &pending));
    TRY(db_column_text(&query, PENDING_COLUMNS_N, arena, diag, &pending.content_type));
    TRY(db_column_blob(&query, PENDING_COLUMNS_N + 1, diag, &bytes));
    TRY(arena_dup(arena, bytes, diag, &pending.question));
    if (answer != NULL) {
        TRY(db_column_blob(&query, PENDING_COLUMNS_N + 2, diag, &bytes));
        TRY(buf_append(answer, bytes, diag));
    }
    *ret_pending = pending;
    return OK;
}

static struct status
list(struct store *store, int64_t now_us, struct arena *arena, struct diag *diag,
     struct pending_list *ret_list)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    CLEANUP(db_end) struct db_query query = {0};
    struct pending_list found = {0};
    bool has_row = false;

    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    db_prepare(conn,
               "SELECT " PENDING_COLUMNS " FROM pending WHERE expires_us > ?"
               " AND (answered_us = 0 OR length(answer) > 0) ORDER BY created_us, id LIMIT ?",
               &query);
    db_int(&query, now_us);
    db_int(&query, (int64_t)PENDING_LIST_MAX);
    TRY(db_step(&query, diag, &has_row));
    while (has_row) {
        struct pending pending;

        TRY(read_row(&query, arena, diag, &pending));
        TRY(ARENA_PUSH(arena, diag, &found, pending));
        TRY(db_step(&query, diag, &has_row));
    }
    *ret_list = found;
    return OK;
}

/* ---- answers ---- */

static struct status
take_inside(struct db_conn *conn, const struct pending_answer *answer, struct span bytes,
            struct arena *arena, struct diag *diag, bool *ret_is_copy)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct pending pending;

    TRY(find_asked(conn, answer->message_id, answer->partner, answer->now_us, arena, diag,
                   &pending));
    *ret_is_copy = pending.answered_us != 0;
    if (*ret_is_copy) {
        return OK;
    }
    db_prepare(conn,
               "UPDATE pending SET answered_us = ?, expires_us = ?, content_type = ?, answer = ?"
               " WHERE message_id = ?",
               &query);
    db_int(&query, answer->now_us);
    db_int(&query, answer->keep_us);
    db_text(&query, answer->content_type);
    db_blob(&query, bytes);
    db_text(&query, answer->message_id);
    return db_run(&query, diag);
}

static struct status
take_bytes(struct sqlite_store *store, const struct pending_answer *answer, struct span bytes,
           struct arena *arena, struct diag *diag, bool *ret_is_copy)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;

    TRY(db_take(store->db, diag, &conn));
    TRY(db_begin_write(conn, diag));
    return db_finish(conn, take_inside(conn, answer, bytes, arena, diag, ret_is_copy), diag);
}

static struct status
take(struct store *store, const struct pending_answer *answer, struct park *park, struct diag *diag,
     enum answer *ret_answer, bool *ret_is_copy)
{
    CLEANUP(buf_done) struct buf scratch;
    struct arena *arena;
    struct status st;
    struct span bytes;

    (void)park;
    buf_init_secret(&scratch, PENDING_ANSWER_MAX);
    TRY(body_span(answer->body, &scratch, diag, &bytes));
    arena = arena_new(ARENA_LIMIT_DEFAULT);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory for an answer that came later");
    }
    st = take_bytes(sqlite_of(store), answer, bytes, arena, diag, ret_is_copy);
    arena_free(arena);
    *ret_answer = ANSWER_NOW;
    return st;
}

/* What was asked and answered goes; that it was answered stays for a while. */
static struct status
let_go(struct db_conn *conn, struct span message_id, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn,
               "UPDATE pending SET question = x'', content_type = '', answer = x'',"
               " expires_us = min(expires_us, answered_us + ?2)"
               " WHERE message_id = ?1 AND answered_us <> 0 AND length(answer) > 0",
               &query);
    db_text(&query, message_id);
    db_int(&query, PENDING_KNOWN_US);
    return db_run(&query, diag);
}

static struct status
delete_all(struct db_conn *conn, const struct span *message_ids, size_t n, struct diag *diag)
{
    for (size_t i = 0; i < n; i++) {
        CLEANUP(db_end) struct db_query query = {0};

        db_prepare(conn, "DELETE FROM pending WHERE message_id = ? AND answered_us = 0", &query);
        db_text(&query, message_ids[i]);
        TRY(db_run(&query, diag));
        TRY(let_go(conn, message_ids[i], diag));
    }
    return OK;
}

static struct status
claim_inside(struct db_conn *conn, struct span message_id, struct diag *diag)
{
    CLEANUP(db_end) struct db_query changes = {0};
    bool has_row = false;

    TRY(let_go(conn, message_id, diag));
    db_prepare(conn, "SELECT changes()", &changes);
    TRY(db_step(&changes, diag, &has_row));
    return has_row && db_column_int(&changes, 0) == 1
               ? OK
               : FAIL(diag, ERR_NOT_FOUND,
                      "the answer to message '%.*s' is not there any more: it was collected, or "
                      "its time is over",
                      SPAN_PRINT(span_slice(message_id, 0, 60)));
}

static struct status
claim(struct store *store, struct span message_id, struct park *park, struct diag *diag,
      enum answer *ret_answer)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_write(conn, diag));
    TRY(db_finish(conn, claim_inside(conn, message_id, diag), diag));
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
drop(struct store *store, const struct span *message_ids, size_t n, struct park *park,
     struct diag *diag, enum answer *ret_answer)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_write(conn, diag));
    TRY(db_finish(conn, delete_all(conn, message_ids, n, diag), diag));
    *ret_answer = ANSWER_NOW;
    return OK;
}

/* ---- time ---- */

static struct status
count_over(struct db_conn *conn, int64_t now_us, struct diag *diag, uint64_t *ret_rows,
           uint64_t *ret_unanswered)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn,
               "SELECT count(*), ifnull(sum(answered_us = 0), 0) FROM pending"
               " WHERE expires_us <= ?",
               &query);
    db_int(&query, now_us);
    TRY(db_step(&query, diag, &has_row));
    *ret_rows = has_row ? (uint64_t)db_column_int(&query, 0) : 0;
    *ret_unanswered = has_row ? (uint64_t)db_column_int(&query, 1) : 0;
    return OK;
}

static struct status
expire(struct store *store, int64_t now_us, struct diag *diag, uint64_t *ret_unanswered)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    CLEANUP(db_end) struct db_query query = {0};
    uint64_t rows = 0, unanswered = 0;

    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(count_over(conn, now_us, diag, &rows, &unanswered));
    if (rows > 0) {
        TRY(db_begin_write(conn, diag));
        db_prepare(conn, "DELETE FROM pending WHERE expires_us <= ?", &query);
        db_int(&query, now_us);
        const struct status st = db_run(&query, diag);

        db_end(&query);
        TRY(db_finish(conn, st, diag));
    }
    *ret_unanswered = unanswered;
    return OK;
}

static struct status
count(struct store *store, struct span partner, struct diag *diag, uint64_t *ret_waiting)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    db_prepare(conn,
               "SELECT count(*) FROM pending WHERE answered_us = 0 AND (?1 = '' OR partner = ?1)",
               &query);
    db_text(&query, partner);
    TRY(db_step(&query, diag, &has_row));
    *ret_waiting = has_row ? (uint64_t)db_column_int(&query, 0) : 0;
    return OK;
}

const struct pending_engine sqlite_pending = {
    .put = put,
    .find = find,
    .take = take,
    .fetch = fetch,
    .claim = claim,
    .drop = drop,
    .list = list,
    .expire = expire,
    .count = count,
};
