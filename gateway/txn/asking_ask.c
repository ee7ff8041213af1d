/*
 * The middle of a round: questions leave, our own store is asked, answers are taken as they come,
 * until all are here or nobody waits any more (the deadline, the asker has gone, enough have
 * answered). Steps of asking.c's table, on workers. Signing and reading take their time: a step
 * that has had its turn lets others run.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "txn/suppliers.h"

bool
leg_will_leave(const struct leg *leg)
{
    return leg->state == LEG_PLANNED && leg->partner != NULL && leg->collected == NULL;
}

/* ---- giving up ---- */

static bool
is_enough(const struct asking *asking)
{
    const struct config_enough *enough = &asking->order.enough;
    const struct merge_progress progress = merge_progress(asking->merge);

    if (rounds_transaction(asking) == SOAP_ITI_39 || rounds_transaction(asking) == SOAP_ITI_80 ||
        asking->round == ASKING_ROUND_IDS) {
        return false;
    }
    return (enough->answers > 0 && progress.answered >= enough->answers) ||
           (enough->percent > 0 && progress.answered * 100 >= progress.legs * enough->percent);
}

enum leg_abandoned
asking_is_over(const struct asking *asking)
{
    if (atomic_load(&asking->is_cancelled)) {
        return LEG_ABANDONED_CANCELLED;
    }
    if (txn_is_overdue(&asking->txn)) {
        return LEG_ABANDONED_DEADLINE;
    }
    return is_enough(asking) ? LEG_ABANDONED_ENOUGH : LEG_NOT_ABANDONED;
}

void
asking_abandon(struct asking *asking, size_t at, enum leg_abandoned why)
{
    static const struct {
        enum err code;
        const char *text;
    } reasons[] = {
        [LEG_ABANDONED_DEADLINE] = {ERR_PARTNER_TIMEOUT,
                                    "no answer before the deadline; abandoned"},
        [LEG_ABANDONED_CANCELLED] = {ERR_CANCELLED, "abandoned: who asked has gone"},
        [LEG_ABANDONED_ENOUGH] = {ERR_CANCELLED, "abandoned: enough others have answered"},
    };
    struct leg *leg = &asking_legs(asking)->items[at];

    leg->is_awaited = asking->order.is_collectable && leg->later != NULL &&
                      leg->state == LEG_ASKED && why == LEG_ABANDONED_DEADLINE;

    if (leg->state == LEG_ASKED) {
        fanout_cancel(asking->fanout, at);
        asking->out_n--;
        leg->elapsed_us = clock_mono_us(asking->node->clock) - leg->asked_us;
    }
    asking_forget_later(leg);
    buf_done(&leg->payload);
    leg->abandoned = why;
    leg_fail(leg, reasons[why].code,
             leg->is_awaited ? "no answer before the deadline; it is still awaited"
                             : reasons[why].text);
    asking_note_over(asking, at);
}

static void
abandon_rest(struct asking *asking, enum leg_abandoned why)
{
    const struct leg_list *legs = asking_legs(asking);

    for (size_t i = 0; asking->out_n > 0 && i < legs->n; i++) {
        if (legs->items[i].state == LEG_ASKED) {
            asking_abandon(asking, i, why);
        }
    }
}

/* ---- ask ---- */

struct asking_timestamps {
    struct signed_timestamp *items;
    size_t n, capacity;
};

static int
compare_endpoints(const void *a, const void *b)
{
    const struct leg *one = *(struct leg *const *)a, *other = *(struct leg *const *)b;
    const int order = strcmp(one->url, other->url);

    return order != 0 ? order : one < other ? -1 : one > other ? 1 : 0;
}

/* Which of the round's Timestamps a leg gets: receivers remember a Timestamp's signature, so none
 * goes to one endpoint twice. */
static struct status
take_turns(struct asking *asking)
{
    struct txn *txn = &asking->txn;
    const struct leg_list *legs = asking_legs(asking);
    struct leg **sorted;
    size_t n = 0;

    TRY(ARENA_ARRAY(txn->arena, legs->n + 1, &txn->diag, &sorted));
    for (size_t i = 0; i < legs->n; i++) {
        if (leg_will_leave(&legs->items[i])) {
            sorted[n++] = &legs->items[i];
        }
    }
    qsort(sorted, n, sizeof(sorted[0]), compare_endpoints);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(sorted[i]->url, sorted[i - 1]->url) == 0) {
            sorted[i]->turn = sorted[i - 1]->turn + 1;
        }
    }
    return ARENA_ARRAY(txn->arena, DIALECT_DIGEST_COUNT, &txn->diag, &asking->timestamps);
}

static struct status
timestamp_for(struct asking *asking, enum dialect_digest digest,
              struct asking_timestamps *timestamps, size_t turn, struct diag *diag,
              const struct signed_timestamp **ret_timestamp)
{
    struct txn *txn = &asking->txn;

    while (timestamps->n <= turn) {
        struct signed_timestamp timestamp;

        TRY(timestamp_sign(asking->node->config->signing, digest,
                           clock_wall_us(asking->node->clock), leg_lifetime_us(asking), txn->arena,
                           diag, &timestamp));
        TRY(ARENA_PUSH(txn->arena, diag, timestamps, timestamp));
    }
    *ret_timestamp = &timestamps->items[turn];
    return OK;
}

struct status
asking_submit(struct asking *asking, size_t at)
{
    struct asking_timestamps fresh = {0};
    struct leg *leg = &asking_legs(asking)->items[at];
    const enum dialect_digest digest = leg_style(asking, leg).digest;
    const struct signed_timestamp *timestamp = NULL;
    struct out_request request;

    if (!leg_has_security(leg)) {
        /* none to sign */
    } else if (asking->timestamps == NULL) {
        TRY(timestamp_for(asking, digest, &fresh, 0, &leg->diag, &timestamp));
    } else {
        TRY(timestamp_for(asking, digest, &asking->timestamps[digest], leg->turn, &leg->diag,
                          &timestamp));
    }
    TRY(leg_write(asking, leg, timestamp, &request));
    leg->state = LEG_ASKED;
    asking->out_n++;
    leg->asked_us = clock_mono_us(asking->node->clock);
    fanout_submit(asking->fanout, at, asking->node->out, &request);
    return OK;
}

static void
ask_one(struct asking *asking, size_t at)
{
    struct leg *leg = &asking_legs(asking)->items[at];

    if (!leg_will_leave(leg)) {
        return;
    }
    if (atomic_load(&asking->is_cancelled)) {
        asking_abandon(asking, at, LEG_ABANDONED_CANCELLED);
    } else if (!is_ok(asking_submit(asking, at))) {
        leg->state = LEG_FAILED;
        asking_note_over(asking, at);
    }
}

enum txn_verdict
asking_step_ask(struct txn *txn)
{
    const int64_t since_us = clock_mono_us(runner_clock(txn->runner));
    struct asking *asking = asking_of(txn);

    assert(asking->records.is_durable);
    if (asking->next == 0) {
        TXN_TRY(take_turns(asking));
    }
    while (asking->next < asking_legs(asking)->n) {
        ask_one(asking, asking->next++);
        if (txn_is_turn_over(txn, since_us)) {
            return TXN_YIELD;
        }
    }
    asking->next = 0;
    asking->timestamps = NULL;
    return TXN_DONE;
}

enum txn_verdict
asking_step_own(struct txn *txn)
{
    struct asking *asking = asking_of(txn);
    struct leg_list *legs = asking_legs(asking);

    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    const bool is_later = suppliers_are_asked(asking); /* when they have answered */

    for (size_t i = 0; i < legs->n; i++) {
        struct leg *leg = &legs->items[i];

        if (leg->state == LEG_PLANNED && leg->collected != NULL) {
            asking_collect(asking, leg);
            asking_note_over(asking, i);
        }
        if (leg->partner != NULL || leg->state != LEG_PLANNED || is_later) {
            continue;
        }
        if (atomic_load(&asking->is_cancelled)) {
            asking_abandon(asking, i, LEG_ABANDONED_CANCELLED);
        } else if (leg_ask_store(asking, leg) == ANSWER_LATER) {
            return TXN_WAIT;
        } else {
            asking_note_over(asking, i);
        }
    }
    return TXN_DONE;
}

/* ---- take ---- */

static void
take_answer(struct asking *asking, size_t at, struct out_answer *answer)
{
    struct leg *leg = &asking_legs(asking)->items[at];

    if (leg->later != NULL && leg->state != LEG_ASKED) { /* its answer was faster than its 202 */
        out_answer_done(answer);
        return;
    }
    assert(leg->state == LEG_ASKED);
    if (asking_note_accepted(leg, answer)) {
        out_answer_done(answer);
        return;
    }
    asking_forget_later(leg);
    asking->out_n--;
    if (asking_note_stale(asking, leg, answer)) {
        out_answer_done(answer);
        return;
    }
    leg_take_answer(asking, leg, answer);
    asking_note_over(asking, at);
}

/* What has come, unless who asked has gone; false when there is more and the turn is over. */
static bool
take_answers(struct asking *asking)
{
    const int64_t since_us = clock_mono_us(asking->node->clock);
    struct out_answer answer;
    size_t at;

    while (!atomic_load(&asking->is_cancelled) && fanout_take(asking->fanout, &at, &answer)) {
        take_answer(asking, at, &answer);
        if (txn_is_turn_over(&asking->txn, since_us)) {
            return false;
        }
    }
    return atomic_load(&asking->is_cancelled) || asking_take_later(asking, since_us);
}

static struct status
end_round(struct asking *asking)
{
    const struct leg_list *legs = asking_legs(asking);

    for (size_t i = 0; i < legs->n; i++) {
        asking->held += legs->items[i].held;
    }
    fanout_leave(asking->fanout);
    asking->fanout = NULL;
    return legs_settle(asking);
}

enum txn_verdict
asking_step_take(struct txn *txn)
{
    struct asking *asking = asking_of(txn);
    enum txn_verdict verdict = asking_ask_again(asking);
    enum leg_abandoned over;

    if (verdict != TXN_DONE) {
        return verdict;
    }
    if (!take_answers(asking)) {
        return TXN_YIELD;
    }
    over = asking_is_over(asking);
    if (over != LEG_NOT_ABANDONED) {
        abandon_rest(asking, over);
    }
    verdict = asking_ask_again(asking);
    if (verdict != TXN_DONE || asking->out_n > 0) {
        return verdict == TXN_FAILED ? TXN_FAILED : TXN_WAIT;
    }
    TXN_TRY(end_round(asking));
    return asking_end_later(asking);
}
