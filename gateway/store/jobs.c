/*
 * The one entrance to the queue of owed answers and to the questions that wait for theirs: what no
 * engine needs to repeat, then the engine's part. Called by the transactions and by whoever starts
 * a node. Owns nothing.
 */
#include "store/jobs.h"

#include <assert.h>

#include "base/mem.h"
#include "store/pending.h"
#include "store/store_engine.h"

struct status
jobs_put(struct store *store, const struct job *job, size_t most, int64_t lease_us,
         struct park *park, struct diag *diag, enum answer *ret_answer, int64_t *ret_id)
{
    STORE_VISIT(store);

    assert(job->partner.n > 0 && job->message_id.n > 0);
    if (job->body.n > JOB_BODY_MAX) {
        return FAIL(diag, ERR_LIMIT_BODY,
                    "a question that is to be answered later has %zu bytes; at most %zu are kept",
                    job->body.n, JOB_BODY_MAX);
    }
    return store->engine->jobs->put(store, job, most, lease_us, park, diag, ret_answer, ret_id);
}

struct status
jobs_take(struct store *store, int64_t now_us, int64_t lease_us, size_t most, struct arena *arena,
          struct diag *diag, struct job_list *ret_jobs)
{
    STORE_VISIT(store);

    return store->engine->jobs->take(store, now_us, lease_us, most, arena, diag, ret_jobs);
}

struct status
jobs_read(struct store *store, int64_t id, struct arena *arena, struct diag *diag,
          struct job *ret_job, bool *ret_is_there)
{
    STORE_VISIT(store);

    return store->engine->jobs->read(store, id, arena, diag, ret_job, ret_is_there);
}

struct status
jobs_done(struct store *store, int64_t id, struct park *park, struct diag *diag,
          enum answer *ret_answer)
{
    STORE_VISIT(store);

    return store->engine->jobs->done(store, id, park, diag, ret_answer);
}

struct status
jobs_retry(struct store *store, int64_t id, int64_t due_us, struct park *park, struct diag *diag,
           enum answer *ret_answer)
{
    STORE_VISIT(store);

    return store->engine->jobs->retry(store, id, due_us, park, diag, ret_answer);
}

struct status
jobs_start(struct store *store, struct diag *diag)
{
    STORE_VISIT(store);

    return store->engine->jobs->start(store, diag);
}

struct status
jobs_count(struct store *store, struct span partner, struct diag *diag,
           struct job_counts *ret_counts)
{
    STORE_VISIT(store);

    return store->engine->jobs->count(store, partner, diag, ret_counts);
}

/* ---- questions of ours ---- */

struct status
pending_put(struct store *store, const struct pending *questions, size_t n, struct park *park,
            struct diag *diag, enum answer *ret_answer)
{
    STORE_VISIT(store);

    return store->engine->pending->put(store, questions, n, park, diag, ret_answer);
}

struct status
pending_find(struct store *store, struct span message_id, struct span partner, int64_t now_us,
             struct arena *arena, struct park *park, struct diag *diag, enum answer *ret_answer,
             struct pending *ret_pending)
{
    STORE_VISIT(store);

    return store->engine->pending->find(store, message_id, partner, now_us, arena, park, diag,
                                        ret_answer, ret_pending);
}

struct status
pending_take(struct store *store, const struct pending_answer *answer, struct park *park,
             struct diag *diag, enum answer *ret_answer, bool *ret_is_copy)
{
    STORE_VISIT(store);

    if (answer->body->size > PENDING_ANSWER_MAX) {
        return FAIL(diag, ERR_LIMIT_BODY,
                    "an answer that came later has %zu bytes; at most %zu are kept",
                    (size_t)answer->body->size, PENDING_ANSWER_MAX);
    }
    return store->engine->pending->take(store, answer, park, diag, ret_answer, ret_is_copy);
}

struct status
pending_fetch(struct store *store, struct span message_id, struct arena *arena, struct diag *diag,
              struct buf *answer, struct pending *ret_pending)
{
    STORE_VISIT(store);

    return store->engine->pending->fetch(store, message_id, arena, diag, answer, ret_pending);
}

struct status
pending_claim(struct store *store, struct span message_id, struct park *park, struct diag *diag,
              enum answer *ret_answer)
{
    STORE_VISIT(store);

    return store->engine->pending->claim(store, message_id, park, diag, ret_answer);
}

struct status
pending_drop(struct store *store, const struct span *message_ids, size_t n, struct park *park,
             struct diag *diag, enum answer *ret_answer)
{
    STORE_VISIT(store);

    return store->engine->pending->drop(store, message_ids, n, park, diag, ret_answer);
}

struct status
pending_list(struct store *store, int64_t now_us, struct arena *arena, struct diag *diag,
             struct pending_list *ret_list)
{
    STORE_VISIT(store);

    return store->engine->pending->list(store, now_us, arena, diag, ret_list);
}

struct status
pending_expire(struct store *store, int64_t now_us, struct diag *diag, uint64_t *ret_unanswered)
{
    STORE_VISIT(store);

    return store->engine->pending->expire(store, now_us, diag, ret_unanswered);
}

struct status
pending_count(struct store *store, struct span partner, struct diag *diag, uint64_t *ret_waiting)
{
    STORE_VISIT(store);

    return store->engine->pending->count(store, partner, diag, ret_waiting);
}
