/*
 * Questions whose answers come as messages of their own: they are noted in the store before they
 * leave (so that an answer is taken whatever becomes of this process), HTTP 202 is no answer, and
 * who takes the answer tells us to fetch it. Part of asking.c's steps, on workers; the deadline is
 * the round's, and a question that was given up is not awaited any more.
 */
#include <stdio.h>

#include "base/mem.h"
#include "store/pending.h"
#include "txn/asking.h"
#include "txn/waiting.h"

bool
asking_is_answered_later(const struct asking *asking, const struct leg *leg)
{
    const struct node *node = asking->node;

    if (leg->transaction == SOAP_ITI_55_DEFERRED) {
        return leg_will_leave(leg);
    }
    return leg_will_leave(leg) && leg->partner->source == NULL && leg->partner->is_asynchronous &&
           soap_may_reply_later(leg->transaction) && node->waiting != NULL && node->store != NULL &&
           node->config->base_url != NULL;
}

/* ---- before they leave ---- */

static void
forget(void *entry)
{
    waiting_remove(entry);
}

/* The asking is told when the answer has come; of a deferred one nobody here waits. */
static struct status
wait_for(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;

    TRY(ARENA_NEW(txn->arena, &txn->diag, &leg->later));
    leg->later->message_id = leg->message_id;
    leg->later->txn = txn;
    TRY(arena_defer(txn->arena, forget, leg->later, &txn->diag));
    return arena_printf(txn->arena, &txn->diag, &leg->reply_to, "%s%s",
                        asking->node->config->base_url, SOAP_REPLY_PATH);
}

static struct status
note_leg(struct asking *asking, struct leg *leg, struct pending *question)
{
    const struct clock *clock = asking->node->clock;
    struct txn *txn = &asking->txn;
    const int64_t now_us = clock_wall_us(clock);
    const bool is_deferred = leg->transaction == SOAP_ITI_55_DEFERRED;
    const int64_t left_us = is_deferred || asking->order.is_collectable
                                ? leg->partner->replies.age_us
                                : txn->deadline_us - clock_mono_us(clock);

    if (!is_deferred) {
        TRY(wait_for(asking, leg));
    }
    *question = (struct pending){
        .kind = is_deferred ? PENDING_DEFERRED : PENDING_ASYNCHRONOUS,
        .message_id = span_of_cstr(leg->message_id),
        .transaction = span_of_cstr(soap_transaction(leg->transaction)->name),
        .partner = span_of_cstr(leg->partner->id),
        .url = span_of_cstr(leg->url),
        .community = leg->community,
        .user = span_of_cstr(asking->order.user),
        .query_id = leg->query_id,
        .question = buf_span(&leg->payload),
        .created_us = now_us,
        .expires_us = now_us + left_us,
    };
    return OK;
}

/* What of the round is asked so; made once. */
static struct status
list_questions(struct asking *asking)
{
    struct leg_list *legs = asking_legs(asking);
    struct txn *txn = &asking->txn;

    asking->later_n = 0;
    for (size_t i = 0; i < legs->n; i++) {
        asking->later_n += asking_is_answered_later(asking, &legs->items[i]) ? 1 : 0;
    }
    if (asking->later_n == 0) {
        return OK;
    }
    TRY(ARENA_ARRAY(txn->arena, asking->later_n, &txn->diag, &asking->later));
    for (size_t i = 0, n = 0; i < legs->n; i++) {
        if (asking_is_answered_later(asking, &legs->items[i])) {
            TRY(note_leg(asking, &legs->items[i], &asking->later[n++]));
        }
    }
    return OK;
}

enum txn_verdict
asking_step_expect(struct txn *txn)
{
    struct asking *asking = (struct asking *)txn;
    struct leg_list *legs = asking_legs(asking);
    enum answer answer = ANSWER_NOW;
    enum txn_verdict verdict;

    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    if (!asking->is_expecting) {
        TXN_TRY(list_questions(asking));
        asking->is_expecting = true;
    }
    if (asking->later_n == 0) {
        asking->is_expecting = false;
        return TXN_DONE;
    }
    txn_expect(txn);
    verdict = txn_settle(txn,
                         pending_put(asking->node->store, asking->later, asking->later_n,
                                     &txn->park, &txn->diag, &answer),
                         answer);
    if (verdict == TXN_DONE) {
        asking->is_expecting = false;
        for (size_t i = 0; i < legs->n; i++) {
            if (legs->items[i].later != NULL) {
                waiting_add(asking->node->waiting, legs->items[i].later);
            }
        }
    }
    return verdict;
}

/* ---- answers ---- */

bool
asking_note_accepted(struct leg *leg, const struct out_answer *answer)
{
    return leg->later != NULL && answer->error == ERR_NONE && answer->http_status == 202 &&
           answer->body.size == 0;
}

void
asking_forget_later(struct leg *leg)
{
    if (leg->later != NULL) {
        waiting_remove(leg->later);
    }
}

size_t
leg_kept_limit(const struct asking *asking, const struct leg *leg)
{
    const size_t limit =
        leg_is_retrieve(leg) ? asking->node->config->documents_limit : LEG_TREE_LIMIT;

    return limit < PENDING_ANSWER_MAX ? limit : PENDING_ANSWER_MAX;
}

/* As though it had come on the connection; false: it is not there. */
static bool
fetch(struct asking *asking, struct leg *leg, struct out_answer *ret_answer)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    struct pending question = {.answered_us = 0};
    struct buf bytes;
    bool is_here;

    buf_init_secret(&bytes, leg_kept_limit(asking, leg));
    is_here = arena != NULL &&
              is_ok(pending_fetch(asking->node->store, span_of_cstr(leg->message_id), arena, &diag,
                                  &bytes, &question)) &&
              question.answered_us != 0;
    if (is_here) {
        *ret_answer = (struct out_answer){
            .http_status = 200, /* a fault is told by what it is */
            .elapsed_us = clock_mono_us(asking->node->clock) - leg->asked_us,
        };
        snprintf(ret_answer->content_type, sizeof(ret_answer->content_type), "%.*s",
                 SPAN_PRINT(question.content_type));
        body_from_buf(&ret_answer->body, &bytes);
    } else {
        buf_done(&bytes);
    }
    arena_free(arena);
    return is_here;
}

bool
asking_take_later(struct asking *asking, int64_t since_us)
{
    struct leg_list *legs = asking_legs(asking);
    struct out_answer answer;

    for (size_t i = 0; asking->later_n > 0 && i < legs->n; i++) {
        struct leg *leg = &legs->items[i];

        if (leg->later == NULL || leg->state != LEG_ASKED || !waiting_take_note(leg->later) ||
            !fetch(asking, leg, &answer)) {
            continue;
        }
        asking_forget_later(leg);
        fanout_cancel(asking->fanout, i); /* its 202 may be on its way still */
        asking->out_n--;
        leg_take_answer(asking, leg, &answer);
        asking_note_over(asking, i);
        if (txn_is_turn_over(&asking->txn, since_us)) {
            return false;
        }
    }
    return true;
}

/* A deferred question may have been read though nothing came back. */
static bool
is_dropped(const struct leg *leg)
{
    if (leg->transaction == SOAP_ITI_55_DEFERRED) {
        return !leg->is_owed && leg->diag.code != ERR_PARTNER_TIMEOUT &&
               leg->diag.code != ERR_PARTNER_UNREACHABLE;
    }
    return leg->later != NULL && !leg->is_awaited;
}

/* Nobody awaits an answer of this round any more. What cannot be dropped now goes when its time is
 * over. */
enum txn_verdict
asking_end_later(struct asking *asking)
{
    struct leg_list *legs = asking_legs(asking);
    struct txn *txn = &asking->txn;
    struct diag ignored = {0};
    enum answer answer = ANSWER_NOW;
    struct span *ids = NULL;
    size_t n = 0;

    if (asking->later_n == 0) {
        return TXN_DONE;
    }
    for (size_t i = 0; i < legs->n; i++) {
        asking_forget_later(&legs->items[i]);
    }
    TXN_TRY(ARENA_ARRAY(txn->arena, legs->n, &txn->diag, &ids));
    for (size_t i = 0; i < legs->n; i++) {
        if (is_dropped(&legs->items[i])) {
            ids[n++] = span_of_cstr(legs->items[i].message_id);
        }
    }
    txn_expect(txn);
    if (!is_ok(pending_drop(asking->node->store, ids, n, &txn->park, &ignored, &answer)) ||
        answer == ANSWER_NOW) {
        txn_unexpect(txn);
    }
    asking->later_n = 0;
    return TXN_DONE;
}
