/*
 * The queue of owed answers as a table. Each call is one transaction on the caller's thread; a
 * commit is synced, so that what was put is there after the end of the machine. Called through
 * jobs.c.
 */
#include "store/jobs.h"
#include "store/sqlite.h"

static struct status
count_waiting(struct db_conn *conn, struct span partner, struct diag *diag,
              struct job_counts *ret_counts)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn,
               "SELECT count(*), ifnull(min(created_us), 0) FROM jobs"
               " WHERE ?1 = '' OR partner = ?1",
               &query);
    db_text(&query, partner);
    TRY(db_step(&query, diag, &has_row));
    *ret_counts = (struct job_counts){0};
    if (has_row) {
        ret_counts->waiting = (uint64_t)db_column_int(&query, 0);
        ret_counts->oldest_us = db_column_int(&query, 1);
    }
    return OK;
}

static struct status
check_room(struct db_conn *conn, const struct job *job, size_t most, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;
    struct job_counts counts;

    db_prepare(conn, "SELECT 1 FROM jobs WHERE partner = ? AND message_id = ?", &query);
    db_text(&query, job->partner);
    db_text(&query, job->message_id);
    TRY(db_step(&query, diag, &has_row));
    if (has_row) {
        return FAIL(diag, ERR_REPLAY,
                    "the question of '%.*s' with this wsa:MessageID waits for "
                    "its answer already",
                    SPAN_PRINT(job->partner));
    }
    TRY(count_waiting(conn, job->partner, diag, &counts));
    if (counts.waiting >= most) {
        return FAIL(diag, ERR_LIMIT_QUEUE,
                    "%zu answers to partner '%.*s' are waiting, which is the most (replies.queue "
                    "of its file)",
                    most, SPAN_PRINT(job->partner));
    }
    return OK;
}

static struct status
insert(struct db_conn *conn, const struct job *job, int64_t lease_us, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn,
               "INSERT INTO jobs (kind, partner, message_id, path, content_type, body,"
               " peer_address, created_us, due_us, expires_us, attempts, lease_us)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
               &query);
    db_int(&query, job->kind);
    db_text(&query, job->partner);
    db_text(&query, job->message_id);
    db_text(&query, job->path);
    db_text(&query, job->content_type);
    db_blob(&query, job->body);
    db_text(&query, job->peer_address);
    db_int(&query, job->created_us);
    db_int(&query, job->due_us);
    db_int(&query, job->expires_us);
    db_int(&query, lease_us);
    return db_run(&query, diag);
}

static struct status
put_inside(struct db_conn *conn, const struct job *job, size_t most, int64_t lease_us,
           struct diag *diag, int64_t *ret_id)
{
    TRY(check_room(conn, job, most, diag));
    TRY(insert(conn, job, lease_us, diag));
    *ret_id = db_last_row_id(conn);
    return OK;
}

static struct status
put(struct store *store, const struct job *job, size_t most, int64_t lease_us, struct park *park,
    struct diag *diag, enum answer *ret_answer, int64_t *ret_id)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    int64_t id = 0;

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_write(conn, diag));
    TRY(db_finish(conn, put_inside(conn, job, most, lease_us, diag, &id), diag));
    *ret_id = id;
    *ret_answer = ANSWER_NOW;
    return OK;
}

/* ---- reading ---- */

#define JOB_COLUMNS                                                                                \
    "id, kind, partner, message_id, path, content_type, peer_address, created_us, due_us, "        \
    "expires_us, attempts"
#define JOB_COLUMNS_N 11

static struct status
read_row(const struct db_query *query, struct arena *arena, struct diag *diag, struct job *ret_job)
{
    struct job job = {
        .id = db_column_int(query, 0),
        .kind = (enum job_kind)db_column_int(query, 1),
        .created_us = db_column_int(query, 7),
        .due_us = db_column_int(query, 8),
        .expires_us = db_column_int(query, 9),
        .attempts = (unsigned)db_column_int(query, 10),
    };

    TRY(db_column_text(query, 2, arena, diag, &job.partner));
    TRY(db_column_text(query, 3, arena, diag, &job.message_id));
    TRY(db_column_text(query, 4, arena, diag, &job.path));
    TRY(db_column_text(query, 5, arena, diag, &job.content_type));
    TRY(db_column_text(query, 6, arena, diag, &job.peer_address));
    *ret_job = job;
    return OK;
}

static struct status
list_due(struct db_conn *conn, int64_t now_us, size_t most, struct arena *arena, struct diag *diag,
         struct job_list *jobs)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn,
               "SELECT " JOB_COLUMNS " FROM jobs WHERE due_us <= ?1 AND lease_us <= ?1"
               " ORDER BY due_us, id LIMIT ?2",
               &query);
    db_int(&query, now_us);
    db_int(&query, (int64_t)most);
    TRY(db_step(&query, diag, &has_row));
    while (has_row) {
        struct job job;

        TRY(read_row(&query, arena, diag, &job));
        TRY(ARENA_PUSH(arena, diag, jobs, job));
        TRY(db_step(&query, diag, &has_row));
    }
    return OK;
}

static struct status
lease(struct db_conn *conn, int64_t id, int64_t lease_us, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn, "UPDATE jobs SET lease_us = ? WHERE id = ?", &query);
    db_int(&query, lease_us);
    db_int(&query, id);
    return db_run(&query, diag);
}

static struct status
take_inside(struct db_conn *conn, int64_t now_us, int64_t lease_us, size_t most,
            struct arena *arena, struct diag *diag, struct job_list *jobs)
{
    TRY(list_due(conn, now_us, most, arena, diag, jobs));
    for (size_t i = 0; i < jobs->n; i++) {
        TRY(lease(conn, jobs->items[i].id, lease_us, diag));
    }
    return OK;
}

/* Is there one? Without a write: the usual look of a node that owes nothing. */
static struct status
is_one_due(struct db_conn *conn, int64_t now_us, struct diag *diag, bool *ret_is)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn, "SELECT 1 FROM jobs WHERE due_us <= ?1 AND lease_us <= ?1 LIMIT 1", &query);
    db_int(&query, now_us);
    return db_step(&query, diag, ret_is);
}

static struct status
take(struct store *store, int64_t now_us, int64_t lease_us, size_t most, struct arena *arena,
     struct diag *diag, struct job_list *ret_jobs)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    struct job_list jobs = {0};
    bool is_due = false;

    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(is_one_due(conn, now_us, diag, &is_due));
    if (is_due) {
        TRY(db_begin_write(conn, diag));
        TRY(db_finish(conn, take_inside(conn, now_us, lease_us, most, arena, diag, &jobs), diag));
    }
    *ret_jobs = jobs;
    return OK;
}

static struct status
read_job(struct store *store, int64_t id, struct arena *arena, struct diag *diag,
         struct job *ret_job, bool *ret_is_there)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    CLEANUP(db_end) struct db_query query = {0};
    struct job job = {0};
    struct span body;
    bool has_row = false;

    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    db_prepare(conn, "SELECT " JOB_COLUMNS ", body FROM jobs WHERE id = ?", &query);
    db_int(&query, id);
    TRY(db_step(&query, diag, &has_row));
    if (has_row) {
        TRY(read_row(&query, arena, diag, &job));
        TRY(db_column_blob(&query, JOB_COLUMNS_N, diag, &body));
        TRY(arena_dup(arena, body, diag, &job.body));
        *ret_job = job;
    }
    *ret_is_there = has_row;
    return OK;
}

/* ---- the end of a lease ---- */

static struct status
done(struct store *store, int64_t id, struct park *park, struct diag *diag, enum answer *ret_answer)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    CLEANUP(db_end) struct db_query query = {0};

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_write(conn, diag));
    db_prepare(conn, "DELETE FROM jobs WHERE id = ?", &query);
    db_int(&query, id);
    const struct status st = db_run(&query, diag);

    db_end(&query);
    TRY(db_finish(conn, st, diag));
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
retry(struct store *store, int64_t id, int64_t due_us, struct park *park, struct diag *diag,
      enum answer *ret_answer)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    CLEANUP(db_end) struct db_query query = {0};

    (void)park;
    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_write(conn, diag));
    db_prepare(conn,
               "UPDATE jobs SET due_us = ?, lease_us = 0, attempts = attempts + 1 WHERE id = ?",
               &query);
    db_int(&query, due_us);
    db_int(&query, id);
    const struct status st = db_run(&query, diag);

    db_end(&query);
    TRY(db_finish(conn, st, diag));
    *ret_answer = ANSWER_NOW;
    return OK;
}

static struct status
start(struct store *store, struct diag *diag)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;
    CLEANUP(db_end) struct db_query query = {0};

    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    TRY(db_begin_write(conn, diag));
    db_prepare(conn, "UPDATE jobs SET lease_us = 0 WHERE lease_us > 0", &query);
    const struct status st = db_run(&query, diag);

    db_end(&query);
    return db_finish(conn, st, diag);
}

static struct status
count(struct store *store, struct span partner, struct diag *diag, struct job_counts *ret_counts)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;

    TRY(db_take(sqlite_of(store)->db, diag, &conn));
    return count_waiting(conn, partner, diag, ret_counts);
}

const struct jobs_engine sqlite_jobs = {
    .put = put,
    .take = take,
    .read = read_job,
    .done = done,
    .retry = retry,
    .start = start,
    .count = count,
};
