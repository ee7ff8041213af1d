/*
 * The second time: a question whose kept connection turned out to be closed, or that a partner who
 * is to be asked several times did not answer, is asked once more,
 * with a MessageID, a signature and an audit record of its own, because the receiver may have read
 * the first and accepts no message twice. Part of asking.c's take step, on a worker.
 */
#include "txn/asking.h"

/* Did the partner not get to an answer? A fault is one, and so is SOAP of any other kind. */
static bool
is_no_answer(const struct leg *leg, const struct out_answer *answer)
{
    switch (answer->error) {
    case ERR_PARTNER_UNREACHABLE:
    case ERR_PARTNER_TIMEOUT:
        return true;
    case ERR_NONE:
        return (answer->body.size == 0 || answer->http_status > 500) &&
               !leg_may_say_nothing(leg, answer);
    default:
        return false;
    }
}

static bool
may_ask_again(const struct leg *leg, const struct out_answer *answer)
{
    return (answer->is_stale && !leg->is_again) ||
           (leg->attempts + 1 < leg->partner->limits.attempts && is_no_answer(leg, answer));
}

bool
asking_note_stale(struct asking *asking, struct leg *leg, const struct out_answer *answer)
{
    if (!may_ask_again(leg, answer) || leg->transaction == SOAP_ITI_80 || leg->later != NULL ||
        asking_is_over(asking) != LEG_NOT_ABANDONED) {
        return false;
    }
    leg->elapsed_us = answer->elapsed_us;
    leg->held = answer->held;
    budget_give(fanout_budget(asking->fanout), &leg->held);
    if (answer->error != ERR_NONE) {
        leg_fail(leg, answer->error, answer->detail);
    } else {
        leg->state = LEG_FAILED;
        (void)FAIL(&leg->diag, ERR_PARTNER_HTTP, "%s answered HTTP %d %s; it is asked again",
                   leg->partner->id, answer->http_status,
                   answer->body.size == 0 ? "with an empty body" : "instead of SOAP");
    }
    leg->attempts += answer->is_stale ? 0 : 1;
    leg->state = LEG_AGAIN;
    asking->again_n++;
    return true;
}

static struct status
record(struct asking *asking, struct leg *leg)
{
    struct audit_event events[LEG_OUTCOMES_MAX];
    char uuid[UUID_TEXT];
    size_t n = 0;

    TRY(leg_outcomes(asking, leg, events, &n));
    for (size_t i = 0; i < n; i++) {
        TRY(records_append(&asking->records, asking->node, &asking->txn, &events[i]));
    }
    diag_clear(&leg->diag);
    leg->is_again = true;
    leg_renew_id(leg, uuid);
    return records_append(&asking->records, asking->node, &asking->txn, &leg->event);
}

static struct status
record_all(struct asking *asking)
{
    struct leg_list *legs = &asking->legs[asking->round];

    TRY(records_reserve(&asking->records, asking->txn.arena,
                        asking->again_n * (LEG_OUTCOMES_MAX + 1), &asking->txn.diag));
    for (size_t i = 0; i < legs->n; i++) {
        if (legs->items[i].state == LEG_AGAIN) {
            TRY(record(asking, &legs->items[i]));
        }
    }
    asking->is_recording_again = true;
    return OK;
}

static void
send_all(struct asking *asking)
{
    struct leg_list *legs = &asking->legs[asking->round];
    const enum leg_abandoned over = asking_is_over(asking);

    asking->again_n = 0;
    for (size_t i = 0; i < legs->n; i++) {
        if (legs->items[i].state != LEG_AGAIN) {
            continue;
        }
        if (over != LEG_NOT_ABANDONED) {
            asking_abandon(asking, i, over);
        } else if (!is_ok(asking_submit(asking, i))) {
            legs->items[i].state = LEG_FAILED;
            asking_note_over(asking, i);
        }
    }
}

enum txn_verdict
asking_ask_again(struct asking *asking)
{
    if (asking->again_n == 0) {
        return TXN_DONE;
    }
    if (!asking->is_recording_again) {
        TXN_TRY(record_all(asking));
    }
    if (txn_is_due(&asking->txn)) {
        return TXN_WAIT;
    }
    TXN_TRY(records_settle(&asking->records, asking->node, &asking->txn));
    asking->records_n += (unsigned)(asking->records.n + asking->records.more.n);
    asking->is_recording_again = false;
    send_all(asking);
    return TXN_DONE;
}
