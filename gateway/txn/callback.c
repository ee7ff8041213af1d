/*
 * See callback.h. Everything lives in the transaction's arena; the answer's bytes go to the store
 * as they came, and are read by whoever asked.
 */
#include "txn/callback.h"

#include "base/mem.h"
#include "base/metrics.h"
#include "soap/mcci.h"
#include "soap/xcpd.h"
#include "store/pending.h"
#include "txn/waiting.h"

struct callback {
    struct span relates_to; /* MessageID of our question */
    struct pending question;
    struct ident id; /* of the answer to a deferred question, which is acknowledged */
    bool is_copy;    /* the question has been answered: the sender does not know that we have it */
};

static const enum audit_type audit_types[SOAP_TRANSACTION_COUNT] = {
    [SOAP_ITI_55] = AUDIT_ITI_55,
    [SOAP_ITI_38] = AUDIT_ITI_38,
    [SOAP_ITI_39] = AUDIT_ITI_39,
    [SOAP_ITI_55_RESPONSE] = AUDIT_ITI_55,
};

static struct inbound *
inbound_of(struct txn *txn)
{
    return (struct inbound *)txn;
}

bool
callback_is_for(const struct inbound_request *request)
{
    return span_eq_cstr(request->path, SOAP_REPLY_PATH);
}

static enum txn_verdict
step_peer(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    TXN_TRY(proof_peer(&in->proof, in->node->config, in->request.peer, &txn->diag));
    in->event.partner = span_of_cstr(in->proof.partner->id);
    return TXN_DONE;
}

static enum txn_verdict
step_message(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    in->message_arena = arena_new(ARENA_LIMIT_DEFAULT);
    if (in->message_arena == NULL) {
        (void)FAIL(&txn->diag, ERR_NO_MEMORY, "memory of a message");
        return TXN_FAILED;
    }
    TXN_TRY(proof_reply_message(&in->proof, in->node->spool, in->request.body,
                                in->request.content_type, in->message_arena, &txn->diag));
    TXN_TRY(arena_dup(txn->arena, message_addressing(in->proof.message)->message_id, &txn->diag,
                      &in->event.message_id));
    return TXN_DONE;
}

static enum txn_verdict
step_route(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);
    struct callback *callback;
    struct span relates_to;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &callback));
    TXN_TRY(
        proof_reply_route(&in->proof, in->node->config, in->request.path, &txn->diag, &relates_to));
    TXN_TRY(arena_dup(txn->arena, relates_to, &txn->diag, &callback->relates_to));
    in->work = callback;
    in->event.side = AUDIT_INITIATING;
    if (in->proof.transaction != SOAP_TRANSACTION_COUNT) { /* a fault does not say */
        in->event.type = audit_types[in->proof.transaction];
    }
    return TXN_DONE;
}

static enum txn_verdict
step_proof(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    TXN_TRY(proof_security(&in->proof, in->node->config, in->arrived_us, txn->arena, &txn->diag));
    TXN_TRY(saml_keep(&in->proof.saml, txn->arena, &txn->diag));
    in->event.organization = in->proof.saml.organization;
    in->event.community = in->proof.saml.home_community;
    in->event.role = in->proof.saml.role;
    in->event.purpose = in->proof.saml.purpose;
    TXN_TRY(records_user_name(txn->arena, in->proof.saml.name_id_provided, in->proof.saml.name_id,
                              in->proof.saml.issuer, &txn->diag, &in->event.user_name));
    return TXN_DONE;
}

static enum txn_verdict
step_replay(struct txn *txn)
{
    return inbound_replay(inbound_of(txn));
}

/* ---- whose answer it is ---- */

static bool
transaction_of(struct span name, enum soap_transaction *ret_transaction)
{
    for (enum soap_transaction i = 0; i < SOAP_TRANSACTION_COUNT; i++) {
        if (soap_may_reply_later(i) && span_eq_cstr(name, soap_transaction(i)->name)) {
            *ret_transaction = i;
            return true;
        }
    }
    return false;
}

/* A fault answers whatever was asked; anything else must be an answer to that, in its mode. */
static struct status
check_kind(struct inbound *in, const struct callback *callback)
{
    const enum soap_transaction answers = in->proof.transaction;
    const bool is_deferred = callback->question.kind == PENDING_DEFERRED;
    enum soap_transaction asked = SOAP_TRANSACTION_COUNT;

    if (is_deferred) {
        asked = SOAP_ITI_55_RESPONSE;
    } else if (!transaction_of(callback->question.transaction, &asked)) {
        asked = SOAP_TRANSACTION_COUNT;
    }
    if (asked == SOAP_TRANSACTION_COUNT ||
        (answers != SOAP_TRANSACTION_COUNT && answers != asked)) {
        return FAIL(&in->txn.diag, ERR_NOT_AWAITED,
                    "the answer relates to %s question of %.*s, and is one of another transaction "
                    "or mode",
                    is_deferred ? "a deferred" : "a", SPAN_PRINT(callback->question.transaction));
    }
    in->proof.transaction = asked;
    in->is_reply = true;
    return OK;
}

/* It is acknowledged by its id; whether it is one to that query is judged when it is read. */
static struct status
read_deferred(struct inbound *in, struct callback *callback)
{
    struct ident id;

    if (in->proof.transaction != SOAP_ITI_55_RESPONSE || message_is_fault(in->proof.message)) {
        return OK;
    }
    TRY(xcpd_answer_id(in->proof.message, in->message_arena, &in->txn.diag, &id));
    TRY(arena_dup(in->txn.arena, id.root, &in->txn.diag, &callback->id.root));
    return arena_dup(in->txn.arena, id.extension, &in->txn.diag, &callback->id.extension);
}

/* The record is of our question, for our user: what the answer's assertion says of people is about
 * the other side. */
static struct status
note_found(struct inbound *in, const struct callback *callback)
{
    struct audit_event *event = &in->event;

    event->type = audit_types[in->proof.transaction];
    in->answer_id = event->message_id;
    event->message_id = callback->relates_to;
    event->user_id = callback->question.user;
    event->user_name = event->organization = SPAN_EMPTY;
    event->role = (struct code){.value = SPAN_EMPTY};
    event->query_id = callback->relates_to;
    event->source_id = event->destination_id; /* who asked: we */
    event->destination_id = callback->question.url;
    event->source_address = SPAN_EMPTY;
    event->destination_address = in->request.peer_address;
    in->outcomes[0] = *event;
    in->outcomes[0].outcome_text =
        callback->is_copy ? SPAN("the answer had come before: this one is acknowledged, not used")
                          : SPAN("the answer came as a message of its own");
    in->outcomes_n = 1;
    if (callback->question.query_id.root.n == 0) {
        return OK;
    }
    return records_query_id(in->txn.arena, &callback->question.query_id, &in->txn.diag,
                            &in->outcomes[0].query_id);
}

/* REQ: WS-async-awaited */
static enum txn_verdict
step_find(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);
    struct callback *callback = in->work;
    enum txn_verdict verdict = txn_may_ask(txn);
    enum answer answer = ANSWER_NOW;
    struct status st;

    if (verdict != TXN_DONE) {
        return verdict;
    }
    txn_expect(txn);
    st = pending_find(in->node->store, callback->relates_to, span_of_cstr(in->proof.partner->id),
                      clock_wall_us(in->node->clock), txn->arena, &txn->park, &txn->diag, &answer,
                      &callback->question);
    verdict = txn_settle(txn, st, answer);
    if (verdict == TXN_DONE) {
        callback->is_copy = callback->question.answered_us != 0;
        TXN_TRY(check_kind(in, callback));
        TXN_TRY(read_deferred(in, callback));
        TXN_TRY(note_found(in, callback));
    }
    return verdict;
}

/* ---- it is kept ---- */

static struct status
keep(struct inbound *in, struct callback *callback, enum answer *ret_answer)
{
    const int64_t now_us = clock_wall_us(in->node->clock);
    const struct pending_answer answer = {
        .message_id = callback->relates_to,
        .partner = span_of_cstr(in->proof.partner->id),
        .content_type = in->request.content_type,
        .body = in->request.body,
        .now_us = now_us,
        .keep_us = now_us + in->proof.partner->replies.age_us,
    };

    return pending_take(in->node->store, &answer, &in->txn.park, &in->txn.diag, ret_answer,
                        &callback->is_copy);
}

/* An asynchronous answer is answered with nothing; a deferred one is acknowledged. */
static struct status
write_taken(struct inbound *in, const struct callback *callback)
{
    const struct mcci mcci = {
        .sender_home = span_of_cstr(in->node->config->community),
        .receiver_home = in->proof.saml.home_community,
        .creation_us = clock_wall_us(in->node->clock),
        .said = {.type_code = SPAN(MCCI_ACCEPT), .target = callback->id},
    };

    if (callback->id.root.n == 0) {
        in->answer.http_status = 202;
        in->answer.content_type[0] = '\0';
        return OK;
    }
    TRY(mcci_write(&mcci, &in->payload, &in->txn.diag));
    return inbound_write(in);
}

static void
acknowledge(struct inbound *in, const struct callback *callback)
{
    if (!is_ok(write_taken(in, callback))) { /* it is taken all the same */
        diag_clear(&in->txn.diag);
        in->answer.http_status = 202;
    }
    metric_count(METRIC_LATER, (const char *const[]){in->proof.partner->id,
                                                     callback->is_copy ? "repeated" : "received"});
}

/* Delivery is at least once: who sends an answer again has not heard that it was taken. It hears it
 * now, and the first answer stays. */
/* REQ: WS-async-repeated */
static enum txn_verdict
step_keep(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);
    struct callback *callback = in->work;
    enum answer answer = ANSWER_NOW;
    enum txn_verdict verdict;

    if (in->cause.code != ERR_NONE) {
        return TXN_DONE;
    }
    if (callback->is_copy) {
        acknowledge(in, callback);
        return TXN_DONE;
    }
    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    txn_expect(txn);
    verdict = txn_settle(txn, keep(in, callback, &answer), answer);
    if (verdict == TXN_FAILED) { /* its time has just ended, or the store fails: it comes again */
        in->cause = txn->diag;
    } else if (verdict == TXN_DONE) {
        acknowledge(in, callback);
        if (in->node->waiting != NULL) {
            waiting_note(in->node->waiting, callback->relates_to);
        }
    }
    return verdict;
}

/* clang-format off */
static const struct txn_step callback_steps[] = {
    {"peer", step_peer},
    {"message", step_message},
    {"route", step_route},
    {"proof", step_proof},
    {"replay", step_replay},
    {"find", step_find},
    {"refuse", inbound_refuse},
    {"record", inbound_record},
    {"recorded", inbound_recorded},
    {"keep", step_keep},
};
/* clang-format on */
#define RECOVERY 6

const struct txn_table callback_table = {"callback", callback_steps, ARRAY_LEN(callback_steps),
                                         RECOVERY};
