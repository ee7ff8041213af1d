/*
 * What the transactions of both listeners share: a request's bytes to its message, the answer's
 * envelope, refusals, the records that an answer waits for, and the end. Called by the steps of
 * inbound.c and local.c, on workers. The answer is moved to the replier; the rest lives in the
 * transaction's arena, but for the message, which has an arena of its own so that it can go first.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "soap/envelope.h"
#include "txn/inbound.h"
#include "txn/outbox.h"

#define ENVELOPE_ROOM ((size_t)2048) /* what stands around most payloads */

static struct inbound *
inbound_of(struct txn *txn)
{
    return (struct inbound *)txn;
}

struct status
inbound_refuse_route(struct inbound *in)
{
    return FAIL(&in->txn.diag, ERR_WSA_ACTION, "%s is not answered here",
                soap_transaction(in->proof.transaction)->name);
}

/* ---- the message ---- */

enum txn_verdict
inbound_message(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    in->message_arena = arena_new(ARENA_LIMIT_DEFAULT);
    if (in->message_arena == NULL) {
        (void)FAIL(&txn->diag, ERR_NO_MEMORY, "memory of a message");
        return TXN_FAILED;
    }
    TXN_TRY(proof_message(&in->proof, in->node->config, in->node->spool, in->request.body,
                          in->request.content_type, in->message_arena, &txn->diag));
    TXN_TRY(arena_dup(txn->arena, message_addressing(in->proof.message)->message_id, &txn->diag,
                      &in->event.message_id));
    return TXN_DONE;
}

void
inbound_release_message(struct inbound *in)
{
    arena_free(in->message_arena);
    in->message_arena = NULL;
    in->proof.message = NULL;
    body_done(in->request.body);
    body_init(in->request.body);
}

/* ---- the answer ---- */

struct status
inbound_write(struct inbound *in)
{
    const struct soap_transaction_row *row = soap_transaction(in->proof.transaction);
    struct diag *diag = &in->txn.diag;
    char message_id[sizeof("urn:uuid:") + UUID_TEXT];
    char uuid[UUID_TEXT];
    char *room;
    struct envelope_answer answer = {
        .action = span_of_cstr(row->response_action),
        .relates_to = in->is_reply ? in->answer_id : in->event.message_id,
        .payload = buf_span(&in->payload),
        .request_signature = in->proof.saml.timestamp_signature_sent,
        .now_us = clock_wall_us(in->node->clock),
        .time_to_live_us = in->cause.code == ERR_NONE ? in->may_keep_us : 0,
    };
    CLEANUP(buf_done) struct buf envelope;

    buf_init_secret(&envelope, INBOUND_ANSWER_LIMIT);
    uuid_new(uuid);
    snprintf(message_id, sizeof(message_id), "urn:uuid:%s", uuid);
    answer.message_id = span_of_cstr(message_id);
    TRY(buf_reserve(&envelope, answer.payload.n + ENVELOPE_ROOM, diag,
                    &room)); /* so that it need not grow */
    TRY(envelope_write_answer(&answer, &envelope, diag));
    in->answer.http_status = 200;
    if (!row->is_mtom) {
        snprintf(in->answer.content_type, sizeof(in->answer.content_type), "%s", SOAP_CONTENT_TYPE);
        body_from_buf(&in->answer.body, &envelope);
        return OK;
    }
    return mtom_pack(buf_span(&envelope), in->parts, in->parts_n, answer.action,
                     INBOUND_ANSWER_LIMIT, diag, in->answer.content_type, &in->answer.body);
}

/* ---- refusal ---- */

/* REQ: WS-fault-status */
int
inbound_fault_status(const struct partner *partner, enum err code)
{
    const enum err_fault fault = err_fault(code);
    const bool is_soap12 = partner != NULL && partner->fault_status == PARTNER_FAULT_STATUS_SOAP12;

    if (is_soap12 && err_http_status(code) == 500 && fault != ERR_FAULT_RECEIVER) {
        return 400; /* SOAP 1.2 part 2 Table 20: env:Sender */
    }
    return err_http_status(code);
}

static struct status
refuse_plain(struct inbound *in, enum err code)
{
    struct buf text;

    buf_init(&text, 1024);
    TRY(buf_printf(&text, &in->txn.diag, "%s\n", err_public_text(code)));
    in->answer.http_status = err_http_status(code);
    snprintf(in->answer.content_type, sizeof(in->answer.content_type), "text/plain; charset=UTF-8");
    body_from_buf(&in->answer.body, &text);
    return OK;
}

static struct status
refuse_fault(struct inbound *in, enum err code)
{
    CLEANUP(buf_done) struct buf envelope;

    buf_init(&envelope, (size_t)64 * 1024);
    if (in->proof.message != NULL) {
        TRY(envelope_write_refusal(code, in->proof.message, span_of_cstr(in->txn.id), &envelope,
                                   &in->txn.diag));
    } else { /* it could not be read, or has been given back: its headers were fine then */
        TRY(envelope_write_fault(code, in->event.message_id, span_of_cstr(in->txn.id), &envelope,
                                 &in->txn.diag));
    }
    in->answer.http_status = inbound_fault_status(in->proof.partner, code);
    snprintf(in->answer.content_type, sizeof(in->answer.content_type), "%s", SOAP_CONTENT_TYPE);
    body_from_buf(&in->answer.body, &envelope);
    return OK;
}

/* A proven request that fails for a reason of ours is answered inside the protocol (ITI
 * TF-2 3.55.4.2.3: a SOAP fault is for transport, SOAP and security errors only). */
bool
inbound_is_answered_inside(const struct proof *proof, enum err code)
{
    const enum err_class class = err_class(code);

    return proof->is_proven && class != ERR_CLASS_SECURITY &&
           (class != ERR_CLASS_MESSAGE || err_fault(code) == ERR_FAULT_NONE ||
            code == ERR_MESSAGE_CONTENT);
}

static struct status
refuse(struct inbound *in, enum err code)
{
    buf_reset(&in->payload);
    in->parts_n = 0;
    /* Who wants its answer elsewhere gets faults here, and answers there. */
    if (in->responder != NULL && in->proof.reply_to.n == 0 &&
        inbound_is_answered_inside(&in->proof, code) && is_ok(in->responder->refuse(in, code)) &&
        is_ok(inbound_write(in))) {
        return OK;
    }
    diag_clear(&in->txn.diag);
    return err_fault(code) == ERR_FAULT_PLAIN ? refuse_plain(in, code) : refuse_fault(in, code);
}

/* One record: what was asked for, that it failed, and why. */
static void
note_failure(struct inbound *in)
{
    const enum err code = in->cause.code;
    struct audit_event *outcome = &in->outcomes[0];

    *outcome = in->event;
    in->outcomes_n = 1;
    in->owners = (struct span_list){0};
    if (!in->proof.is_proven || err_class(code) == ERR_CLASS_SECURITY) {
        outcome->type = AUDIT_AUTHENTICATION_FAILURE;
    }
    if (code == ERR_POLICY_DENIED) { /* whoever decided it: a rule for one of many questions, too */
        outcome->policy_verdict = SPAN(AUDIT_VERDICT_DENIED);
    }
    outcome->outcome = records_outcome(code);
    outcome->outcome_text = records_reason(in->txn.arena, &in->cause, SPAN_EMPTY);
}

void
inbound_take_failure(struct inbound *in)
{
    in->cause = in->txn.diag;
    diag_clear(&in->txn.diag);
    note_failure(in);
    body_done(&in->answer.body);
    body_init(&in->answer.body);
}

/* Whatever happens here, the record follows: a refusal that cannot be written is left to
 * inbound_end. */
enum txn_verdict
inbound_refuse(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    if (txn->diag.code == ERR_NONE) {
        return TXN_DONE;
    }
    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    inbound_take_failure(in);
    in->answer.http_status = 0;
    if (!is_ok(refuse(in, in->cause.code))) {
        in->answer.http_status = 0;
    }
    diag_clear(&txn->diag);
    return TXN_DONE;
}

/* ---- record and end ---- */

static struct status
append_outcome(struct inbound *in, const struct audit_event *event, bool is_first)
{
    const struct span_list *owners = is_first && in->owners.n > 0 ? &in->owners : NULL;

    return records_append_documents(&in->records, in->node, &in->txn, event, owners);
}

/* REQ: ITI40-audit, ITI20-emergency */
enum txn_verdict
inbound_record(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    for (size_t i = 0; i < in->outcomes_n; i++) {
        TXN_TRY(append_outcome(in, &in->outcomes[i], i == 0));
    }
    if (in->decision.is_emergency && in->outcomes_n > 0) {
        const struct audit_event emergency = records_emergency(&in->outcomes[0]);

        TXN_TRY(append_outcome(in, &emergency, true));
    }
    return TXN_DONE;
}

enum txn_verdict
inbound_recorded(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    TXN_TRY(records_settle(&in->records, in->node, txn));
    return TXN_DONE;
}

static const char *
action_of(const struct inbound *in)
{
    return in->responder == NULL && !in->is_reply ? "unknown"
                                                  : soap_transaction(in->proof.transaction)->name;
}

static void
log_end(const struct inbound *in)
{
    const struct txn *txn = &in->txn;
    const struct diag *why = in->cause.code != ERR_NONE       ? &in->cause
                             : in->shortfall.code != ERR_NONE ? &in->shortfall
                                                              : NULL;
    const bool is_refused = in->cause.code != ERR_NONE || !in->records.is_durable;
    const int64_t ms = (clock_mono_us(in->node->clock) - txn->started_us) / US_PER_MS;
    const char *action = action_of(in);
    const char *asker = in->event.partner.n == 0 ? "unknown" : in->event.partner.p;

    LOG_EVENT(why == NULL && !is_refused ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "txn-done",
              LOG_ID("txn", txn->id), LOG_ID("action", action), LOG_ID(in->asker_kind, asker),
              LOG_SPAN("peer", in->request.peer_address),
              LOG_ID("verdict", is_refused        ? "refused"
                                : in->is_accepted ? "accepted"
                                                  : "answered"),
              LOG_INT("ms", ms), LOG_DIAG(why));
    if (!in->records.is_durable) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-failed", LOG_ID("txn", txn->id), LOG_DIAG(&txn->diag));
    }
}

/* A span of ours as a C string that is cut to a label's length. */
static void
take_label(struct span text, char ret_label[METRICS_VALUE_MAX])
{
    snprintf(ret_label, METRICS_VALUE_MAX, "%.*s", SPAN_PRINT(text));
}

static void
count_end(const struct inbound *in)
{
    char asker[METRICS_VALUE_MAX];
    const bool is_refused = in->cause.code != ERR_NONE || !in->records.is_durable;
    const char *action = action_of(in);
    const char *direction = in->is_reply                             ? "reply"
                            : strcmp(in->asker_kind, "partner") == 0 ? "responding"
                                                                     : "local";
    const char *outcome = is_refused                       ? "refused"
                          : in->is_accepted                ? "accepted"
                          : in->shortfall.code != ERR_NONE ? "partial"
                                                           : "answered";

    take_label(in->event.partner, asker);
    metric_observe(METRIC_TRANSACTION, (const char *const[]){action, asker, direction, outcome},
                   clock_mono_us(in->node->clock) - in->txn.started_us);
    if (err_class(in->cause.code) == ERR_CLASS_SECURITY) {
        metric_count(METRIC_VERIFICATION_FAILURE,
                     (const char *const[]){asker, err_name(in->cause.code)});
    }
}

/* The one place where an answer leaves: only behind durable records, else a refusal that discloses
 * nothing. */
static void
inbound_end(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);
    struct outbox *outbox = in->is_accepted && in->records.is_durable ? in->node->outbox : NULL;
    const int64_t job_id = in->job_id;

    if (!in->records.is_durable || in->answer.http_status == 0) {
        const enum err code = in->records.is_durable ? ERR_NO_MEMORY : ERR_JOURNAL;

        body_done(&in->answer.body);
        body_init(&in->answer.body);
        if (!is_ok(refuse_plain(in, code))) { /* not even memory for a line of text */
            in->answer.http_status = err_http_status(code);
            in->answer.content_type[0] = '\0';
        }
    }
    in->answer.cause = in->cause.code;
    log_end(in);
    inbound_release_message(in); /* the body is the replier's again */
    count_end(in);
    in->reply(in->reply_arg, &in->answer);
    if (in->release != NULL) {
        in->release(in);
    }
    body_done(&in->answer.body);
    buf_done(&in->payload);
    txn_done(txn);
    mem_free(in);
    if (outbox != NULL) { /* else its lease ends */
        outbox_hurry(outbox, job_id);
    }
}

/* What the record needs is set aside before the partner's bytes can use up the arena. */
static struct status
prepare(struct inbound *in, const struct node *node, const struct inbound_request *request,
        struct diag *diag)
{
    TRY(records_reserve(&in->records, in->txn.arena, INBOUND_RECORDS_MAX, diag));
    return arena_printf(in->txn.arena, diag, &in->event.destination_id, "%s%.*s",
                        node->config->base_url == NULL ? "" : node->config->base_url,
                        SPAN_PRINT(request->path));
}

struct status
inbound_begin(struct inbound *in, const struct txn_table *table, struct node *node,
              const struct inbound_request *request, inbound_reply reply, void *arg,
              struct diag *diag)
{
    struct status st =
        txn_init(&in->txn, table, node->clock, node->config->timeout_us, inbound_end, diag);

    if (!is_ok(st)) {
        return st;
    }
    st = prepare(in, node, request, diag);
    if (!is_ok(st)) {
        txn_done(&in->txn);
        return st;
    }
    in->node = node;
    in->arrived_us = clock_wall_us(node->clock);
    in->request = *request;
    in->reply = reply;
    in->reply_arg = arg;
    in->asker_kind = "partner";
    buf_init_secret(&in->payload, INBOUND_ANSWER_LIMIT);
    body_init(&in->answer.body);
    in->event.type = AUDIT_AUTHENTICATION_FAILURE; /* until the route is known */
    in->event.side = AUDIT_RESPONDING;
    in->event.phase = AUDIT_OUTCOME;
    in->event.transaction_id = span_of_cstr(in->txn.id);
    in->event.source_address = request->peer_address;
    return OK;
}
