/*
 * Answers that came as messages of their own when nobody waited for them (any more): who asked, or
 * a later command of the same user, reads them here, held against what was asked, which lies with
 * them in the store (store/pending.h). Nothing is used before the record of the collection is
 * durable, and an answer is given out once. Steps of asking.c's rounds, on workers.
 */
#include <stdio.h>

#include "base/mem.h"
#include "soap/envelope.h"
#include "soap/xcpd.h"
#include "store/pending.h"
#include "txn/asking.h"
#include "txn/stored_query.h"

#define QUESTION_MAX ((size_t)8 * 1024 * 1024)

/* ---- may it be collected, here and by this user? ---- */

static const char *
command_for(struct span transaction)
{
    return span_eq_cstr(transaction, "ITI-38")   ? "query"
           : span_eq_cstr(transaction, "ITI-39") ? "retrieve"
                                                 : "discover";
}

/* The user's name is not told: whoever asked knows it. */
static struct status
check_question(struct asking *asking, const struct pending *question, const struct partner *partner)
{
    struct diag *diag = &asking->txn.diag;
    const struct span id = span_slice(asking->order.collect, 0, 60);
    const char *wanted = soap_transaction(rounds_transaction(asking))->name;

    if (partner == NULL) {
        return FAIL(diag, ERR_NOT_FOUND,
                    "the question '%.*s' was asked of a partner that is not in the configuration",
                    SPAN_PRINT(id));
    }
    if (!span_eq_cstr(question->transaction, wanted)) {
        return FAIL(diag, ERR_USAGE, "the question '%.*s' is %.*s: isthmus %s --collect",
                    SPAN_PRINT(id), SPAN_PRINT(question->transaction),
                    command_for(question->transaction));
    }
    if (!span_eq_cstr(question->user, asking->order.user)) {
        return FAIL(diag, ERR_POLICY_DENIED,
                    "the question '%.*s' was asked by another user: only who asked may collect its "
                    "answer (--user)",
                    SPAN_PRINT(id));
    }
    if (question->is_fetched) {
        return FAIL(diag, ERR_NOT_FOUND, "the answer to '%.*s' has been collected already",
                    SPAN_PRINT(id));
    }
    return question->answered_us == 0
               ? FAIL(diag, ERR_PARTNER_TIMEOUT, "%s has not answered yet; ask again later",
                      partner->id)
               : OK;
}

/* ---- what was asked ---- */

static struct status
read_message(struct asking *asking, const struct pending *question, const struct leg *leg,
             struct message **ret_message)
{
    CLEANUP(buf_done) struct buf envelope;
    const struct message_limits limits = message_limits_request(QUESTION_MAX);
    const struct envelope_request parts = {
        .action = span_of_cstr(soap_transaction(rounds_transaction(asking))->request_action),
        .message_id = question->message_id,
        .to = span_of_cstr(leg_url(leg->partner, leg->transaction)),
        .payload = question->question,
    };
    struct txn *txn = &asking->txn;

    buf_init_secret(&envelope, QUESTION_MAX);
    TRY(envelope_write_request(&parts, &envelope, &txn->diag));
    return message_read(buf_span(&envelope), SPAN(SOAP_CONTENT_TYPE), &limits, txn->arena,
                        &txn->diag, ret_message);
}

static struct status
read_discovery(struct asking *asking, const struct message *message)
{
    struct xcpd_query query;

    TRY(xcpd_query_read(message, asking->txn.arena, &asking->txn.diag, &query));
    asking->order.who = query.subject;
    return OK;
}

/* Whose documents, when the query says it. */
static struct status
read_query(struct asking *asking, const struct message *message, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    struct stored_question asked = {.patient = SPAN_EMPTY};
    struct stored_query *query;

    TRY(ARENA_NEW(txn->arena, &txn->diag, &query));
    TRY(stored_query_read(message, txn->arena, &txn->diag, query));
    TRY(stored_query_question(query, txn->arena, &txn->diag, &asked));
    asking->order.query = query;
    leg->patient_id = asked.asks.filter.patient_id;
    return OK;
}

static struct status
read_asked(struct asking *asking, const struct pending *question, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    struct message *message;

    TRY(read_message(asking, question, leg, &message));
    switch (leg->transaction) {
    case SOAP_ITI_38:
        return read_query(asking, message, leg);
    case SOAP_ITI_39:
        return retrieve_query_read(message, txn->arena, &txn->diag, &leg->refs);
    default:
        return read_discovery(asking, message);
    }
}

struct status
asking_plan_collect(struct asking *asking)
{
    struct txn *txn = &asking->txn;
    struct pending *question;
    const struct partner *partner;
    struct leg *leg;

    TRY(ARENA_NEW(txn->arena, &txn->diag, &question));
    TRY(pending_fetch(asking->node->store, asking->order.collect, txn->arena, &txn->diag, NULL,
                      question));
    partner = config_partner_of_id(asking->node->config, question->partner);
    TRY(check_question(asking, question, partner));
    TRY(asking_add_leg(asking, rounds_transaction(asking), partner, question->community, &leg));
    TRY(read_asked(asking, question, leg));
    leg->collected = question;
    leg->query_id = question->query_id;
    snprintf(leg->message_id, sizeof(leg->message_id), "%.*s", SPAN_PRINT(question->message_id));
    return OK;
}

/* ---- the answer ---- */

static struct status
fetch(struct asking *asking, struct leg *leg, struct buf *bytes)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct pending again;
    struct status st;

    if (arena == NULL) {
        return FAIL(&leg->diag, ERR_NO_MEMORY, "memory for an answer");
    }
    st = pending_fetch(asking->node->store, leg->collected->message_id, arena, &leg->diag, bytes,
                       &again);
    arena_free(arena);
    if (is_ok(st) && bytes->n == 0) {
        return FAIL(&leg->diag, ERR_NOT_FOUND, "the answer has been collected already");
    }
    if (st.code == ERR_LIMIT_BUFFER) {
        diag_prefix(&leg->diag, "the answer of %s is longer than limits.documents allows",
                    leg->partner->id);
    }
    return st;
}

void
asking_collect(struct asking *asking, struct leg *leg)
{
    struct out_answer answer = {.http_status = 200};
    struct buf bytes;

    buf_init_secret(&bytes, leg_kept_limit(asking, leg));
    leg->asked_us = clock_mono_us(asking->node->clock);
    if (!is_ok(fetch(asking, leg, &bytes))) {
        buf_done(&bytes);
        leg->state = LEG_FAILED;
        return;
    }
    snprintf(answer.content_type, sizeof(answer.content_type), "%.*s",
             SPAN_PRINT(leg->collected->content_type));
    body_from_buf(&answer.body, &bytes);
    leg_take_answer(asking, leg, &answer);
}

/* REQ: WS-async-collected */
enum txn_verdict
asking_step_claim(struct txn *txn)
{
    struct asking *asking = (struct asking *)txn;
    const struct leg_list *legs = &asking->legs[asking->round];
    enum answer answer = ANSWER_NOW;
    struct status st;

    if (asking->order.collect.n == 0 || legs->n == 0 || legs->items[0].state != LEG_ANSWERED) {
        return TXN_DONE;
    }
    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    txn_expect(txn);
    st = pending_claim(asking->node->store, asking->order.collect, &txn->park, &txn->diag, &answer);
    return txn_settle(txn, st, answer);
}
