/*
 * Takes questions in whose answers leave later, and starts the jobs that answer them. Owns no job:
 * they are the store's, leased while they run; a lease that was lost with its process ends by
 * itself. Threads: see outbox.h.
 */
#include "txn/outbox.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "txn/iti55.h"

#define PAUSE_FIRST_US (10 * US_PER_S)
#define PAUSE_MOST_US  (INT64_C(3600) * US_PER_S)
#define LEASE_SPARE_US (60 * US_PER_S) /* beyond the time that making and sending may take */
#define LOOK_ARENA     ((size_t)1024 * 1024)

int64_t
outbox_pause_us(unsigned attempts)
{
    int64_t pause_us = PAUSE_FIRST_US;

    for (unsigned i = 1; i < attempts && pause_us < PAUSE_MOST_US; i++) {
        pause_us *= 2;
    }
    return pause_us < PAUSE_MOST_US ? pause_us : PAUSE_MOST_US;
}

void
outbox_init(struct outbox *outbox, struct node *(*take_node)(void *arg),
            void (*give_node)(void *arg, struct node *node), void *arg)
{
    *outbox = (struct outbox){.take_node = take_node, .give_node = give_node, .arg = arg};
    pthread_mutex_init(&outbox->lock, NULL);
}

void
outbox_close(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    outbox->is_closed = true;
    pthread_mutex_unlock(&outbox->lock);
}

void
outbox_done(struct outbox *outbox)
{
    pthread_mutex_destroy(&outbox->lock);
}

/* Until when whoever works on a job has it: the answer is made and sent in that time. */
static int64_t
lease_us(const struct node *node)
{
    int64_t longest_us = node->config->timeout_us;

    for (size_t i = 0; i < node->config->partners_n; i++) {
        const int64_t timeout_us = node->config->partners[i].timeout_us;

        longest_us = timeout_us > longest_us ? timeout_us : longest_us;
    }
    return clock_wall_us(node->clock) + node->config->timeout_us + longest_us + LEASE_SPARE_US;
}

/* ---- taking questions in ---- */

bool
outbox_is_wanted(const struct inbound *in)
{
    return in->reply_to.n > 0 && in->job == NULL;
}

static struct status
check_age(struct inbound *in)
{
    const struct job *job = in->job;

    if (clock_wall_us(in->node->clock) < job->expires_us) {
        return OK;
    }
    return FAIL(&in->txn.diag, ERR_PARTNER_TIMEOUT,
                "the answer could not be delivered to '%.*s' in %lld s (%u attempts): given up",
                SPAN_PRINT(in->reply_to),
                (long long)((job->expires_us - job->created_us) / US_PER_S), job->attempts);
}

static struct status
put(struct inbound *in, enum answer *ret_answer)
{
    CLEANUP(buf_done) struct buf scratch;
    const struct partner *partner = in->proof.partner;
    struct txn *txn = &in->txn;
    struct job job = {
        .kind = in->proof.transaction == SOAP_ITI_55_DEFERRED ? JOB_DEFERRED : JOB_ASYNCHRONOUS,
        .partner = span_of_cstr(partner->id),
        .message_id = in->event.message_id,
        .path = in->request.path,
        .content_type = in->request.content_type,
        .peer_address = in->request.peer_address,
        .created_us = in->arrived_us,
        .due_us = in->arrived_us,
        .expires_us = in->arrived_us + partner->replies.age_us,
    };

    buf_init_secret(&scratch, JOB_BODY_MAX);
    TRY(body_span(in->request.body, &scratch, &txn->diag, &job.body));
    return jobs_put(in->node->store, &job, partner->replies.queue, lease_us(in->node), &txn->park,
                    &txn->diag, ret_answer, &in->job_id);
}

static struct status
note_accepted(struct inbound *in)
{
    in->outcomes[0] = in->event;
    in->outcomes_n = 1;
    in->is_accepted = true;
    if (in->proof.transaction == SOAP_ITI_55_DEFERRED) {
        TRY(iti55_write_accepted(in));
        TRY(inbound_write(in));
    } else { /* WS-Addressing 1.0: nothing is said on this connection */
        in->answer.http_status = 202;
        in->answer.content_type[0] = '\0';
    }
    return arena_printf(in->txn.arena, &in->txn.diag, &in->outcomes[0].outcome_text,
                        "accepted: the answer goes to %.*s later", SPAN_PRINT(in->reply_to));
}

/* REQ: WS-async-accepted */
enum txn_verdict
outbox_accept(struct inbound *in)
{
    struct txn *txn = &in->txn;
    enum answer answer = ANSWER_NOW;
    enum txn_verdict verdict;

    if (in->job != NULL) {
        TXN_TRY(check_age(in));
        return TXN_DONE;
    }
    if (!outbox_is_wanted(in)) {
        return TXN_DONE;
    }
    verdict = txn_may_ask(txn);
    if (verdict != TXN_DONE) {
        return verdict;
    }
    txn_expect(txn);
    verdict = txn_settle(txn, put(in, &answer), answer);
    if (verdict == TXN_DONE) {
        inbound_release_message(in);
        TXN_TRY(note_accepted(in));
        metric_count(METRIC_LATER, (const char *const[]){in->proof.partner->id, "accepted"});
    }
    return verdict;
}

/* ---- starting jobs ---- */

static bool
take_room(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    const bool is_room = !outbox->is_closed && outbox->running < OUTBOX_RUNNING_MAX;

    outbox->running += is_room ? 1 : 0;
    pthread_mutex_unlock(&outbox->lock);
    return is_room;
}

static void
give_room(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    outbox->running--;
    pthread_mutex_unlock(&outbox->lock);
}

static void
start_one(struct outbox *outbox, int64_t job_id)
{
    struct node *node = outbox->take_node(outbox->arg);
    struct diag diag = {0};
    bool has_started = false;

    if (!is_ok(errand_start(outbox, node, job_id, &diag, &has_started))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "answer-not-started", LOG_INT("job", job_id), LOG_DIAG(&diag));
    }
    if (!has_started) {
        outbox->give_node(outbox->arg, node);
        give_room(outbox);
    }
}

void
outbox_hurry(struct outbox *outbox, int64_t job_id)
{
    if (take_room(outbox)) {
        start_one(outbox, job_id);
    } /* else its lease ends, and a look finds it */
}

static struct status
list_due(struct outbox *outbox, struct node *node, struct arena *arena, struct diag *diag,
         struct job_list *ret_jobs)
{
    pthread_mutex_lock(&outbox->lock);
    const size_t room = outbox->is_closed ? 0 : OUTBOX_RUNNING_MAX - outbox->running;

    pthread_mutex_unlock(&outbox->lock);
    if (room == 0) {
        return OK;
    }
    return jobs_take(node->store, clock_wall_us(node->clock), lease_us(node), room, arena, diag,
                     ret_jobs);
}

void
outbox_look(struct outbox *outbox)
{
    struct arena *arena = arena_new(LOOK_ARENA);
    struct node *node = outbox->take_node(outbox->arg);
    struct job_list jobs = {0};
    struct diag diag = {0};

    if (arena != NULL && !is_ok(list_due(outbox, node, arena, &diag, &jobs))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "answers-not-listed", LOG_DIAG(&diag));
    }
    outbox->give_node(outbox->arg, node);
    for (size_t i = 0; i < jobs.n; i++) {
        outbox_hurry(outbox, jobs.items[i].id);
    }
    arena_free(arena);
}
