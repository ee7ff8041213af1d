/*
 * The steps of an inbound transaction that all IHE transactions share. Started by serve (from
 * net/'s loop threads) and by scenario tests; steps run on workers. Everything lives in the
 * transaction's arena but the answer, which is moved to the replier.
 */
#include "txn/inbound.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "soap/envelope.h"
#include "txn/binding.h"
#include "txn/disclosure.h"

static struct inbound *
inbound_of(struct txn *txn)
{
    return (struct inbound *)txn;
}

/* ---- proof ---- */

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

    TXN_TRY(proof_message(&in->proof, in->node->config, in->request.body, in->request.content_type,
                          txn->arena, &txn->diag));
    in->event.message_id = message_addressing(in->proof.message)->message_id;
    return TXN_DONE;
}

static const struct responder *
responder_of(enum soap_transaction transaction)
{
    static const struct responder *const responders[SOAP_TRANSACTION_COUNT] = {
        [SOAP_ITI_55] = &iti55_responder,
        [SOAP_ITI_38] = &iti38_responder,
        [SOAP_ITI_39] = &iti39_responder,
    };

    return responders[transaction];
}

static enum txn_verdict
step_route(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    TXN_TRY(proof_route(&in->proof, in->node->config, in->request.path, &txn->diag));
    in->responder = responder_of(in->proof.transaction);
    in->event.type = in->responder->audit_type;
    return TXN_DONE;
}

static struct status
note_asker(struct inbound *in)
{
    struct txn *txn = &in->txn;

    in->event.role = in->proof.saml.role;
    in->event.purpose = in->proof.saml.purpose;
    in->event.organization = in->proof.saml.organization;
    in->event.delegator = in->proof.saml.delegator;
    in->event.community = in->proof.saml.home_community;
    in->event.user_id = in->proof.saml.subject_id;
    TRY(arena_printf(txn->arena, &txn->diag, &in->event.source_id, "urn:oid:%.*s",
                     SPAN_PRINT(in->proof.saml.home_community)));
    return records_user_name(txn->arena, in->proof.saml.name_id_provided, in->proof.saml.name_id,
                             in->proof.saml.issuer, &txn->diag, &in->event.user_name);
}

/* Nothing above this step may be used to decide; nothing below it reads unverified security data.
 */
static enum txn_verdict
step_proof(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    TXN_TRY(proof_security(&in->proof, in->node->config, clock_wall_us(in->node->clock), txn->arena,
                           &txn->diag));
    if (in->proof.saml.has_sha1) {
        LOG_EVENT(LOG_LEVEL_WARNING, "sha1-accepted", LOG_ID("txn", txn->id),
                  LOG_ID("partner", in->proof.partner->id),
                  LOG_ID("why",
                         "sha1_until in the partner's file is not over; SHA-1 signatures can "
                         "be forged"));
    }
    TXN_TRY(note_asker(in));
    return TXN_DONE;
}

static enum txn_verdict
step_replay(struct txn *txn)
{
    return inbound_replay(inbound_of(txn));
}

static enum txn_verdict
step_individual(struct txn *txn)
{
    return inbound_prove_individual(inbound_of(txn));
}

static enum txn_verdict
step_own_record(struct txn *txn)
{
    return inbound_find_own_record(inbound_of(txn));
}

/* ---- decision and work ---- */

struct policy_facts
inbound_policy_facts(const struct inbound *in)
{
    return (struct policy_facts){
        .transaction = span_of_cstr(soap_transaction(in->proof.transaction)->name),
        .direction = SPAN("inbound"),
        .partner = span_of_cstr(in->proof.partner->id),
        .community = in->proof.saml.home_community,
        .purpose = in->proof.saml.purpose.value,
        .purpose_system = in->proof.saml.purpose.scheme,
        .role = in->proof.saml.role.value,
        .delegator = in->proof.saml.delegator,
    };
}

static enum txn_verdict
step_decide(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);
    const struct policy_facts facts = inbound_policy_facts(in);

    in->decision = policy_decide(in->node->config->policy, &facts);
    in->event.policy_rule = span_of_cstr(in->decision.rule);
    if (in->decision.verdict != POLICY_PERMIT) {
        (void)FAIL(&txn->diag, ERR_POLICY_DENIED, "rule '%s': %s", in->decision.rule,
                   in->decision.reason);
        return TXN_FAILED;
    }
    return TXN_DONE;
}

bool
inbound_may_disclose(const struct inbound *in, const struct document_entry *entry)
{
    const struct policy_facts facts = inbound_policy_facts(in);

    return inbound_may_open(in, entry->patient_id) &&
           disclosure_is_allowed(in->node->config->policy, &facts, &in->decision,
                                 &entry->confidentiality);
}

static enum txn_verdict
step_read(struct txn *txn)
{
    return inbound_of(txn)->responder->read(inbound_of(txn));
}

static enum txn_verdict
step_work(struct txn *txn)
{
    return inbound_of(txn)->responder->work(inbound_of(txn));
}

/* ---- the answer ---- */

static struct status
write_answer(struct inbound *in)
{
    const struct soap_transaction_row *row = soap_transaction(in->proof.transaction);
    struct diag *diag = &in->txn.diag;
    char message_id[sizeof("urn:uuid:") + UUID_TEXT];
    char uuid[UUID_TEXT];
    struct envelope_answer answer = {
        .action = span_of_cstr(row->response_action),
        .relates_to = message_addressing(in->proof.message)->message_id,
        .payload = buf_span(&in->payload),
        .request_signature = in->proof.saml.timestamp_signature_sent,
        .now_us = clock_wall_us(in->node->clock),
    };
    CLEANUP(buf_done) struct buf envelope;

    buf_init_secret(&envelope, INBOUND_ANSWER_LIMIT);
    uuid_new(uuid);
    snprintf(message_id, sizeof(message_id), "urn:uuid:%s", uuid);
    answer.message_id = span_of_cstr(message_id);
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

static enum txn_verdict
step_write(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);
    enum txn_verdict verdict;

    in->outcomes[0] = in->event;
    in->outcomes_n = 1;
    verdict = in->responder->write(in);
    if (verdict != TXN_DONE) {
        return verdict;
    }
    TXN_TRY(write_answer(in));
    return TXN_DONE;
}

/* ---- refusal ---- */

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
    TRY(envelope_write_refusal(code, in->proof.message, span_of_cstr(in->txn.id), &envelope,
                               &in->txn.diag));
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
    if (inbound_is_answered_inside(&in->proof, code) && is_ok(in->responder->refuse(in, code)) &&
        is_ok(write_answer(in))) {
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
    if (!in->proof.is_proven || err_class(code) == ERR_CLASS_SECURITY) {
        outcome->type = AUDIT_AUTHENTICATION_FAILURE;
    }
    outcome->outcome = records_outcome(code);
    outcome->outcome_text = records_reason(in->txn.arena, &in->cause, SPAN_EMPTY);
}

/* Whatever happens here, the record follows: a refusal that cannot be written is left to
 * inbound_end. */
static enum txn_verdict
step_refuse(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    if (txn->diag.code == ERR_NONE) {
        return TXN_DONE;
    }
    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    in->cause = txn->diag;
    diag_clear(&txn->diag);
    note_failure(in);
    body_done(&in->answer.body);
    body_init(&in->answer.body);
    in->answer.http_status = 0;
    if (!is_ok(refuse(in, in->cause.code))) {
        in->answer.http_status = 0;
    }
    diag_clear(&txn->diag);
    return TXN_DONE;
}

/* ---- record and end ---- */

static enum txn_verdict
step_record(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    for (size_t i = 0; i < in->outcomes_n; i++) {
        TXN_TRY(records_append(&in->records, in->node, txn, &in->outcomes[i]));
    }
    return TXN_DONE;
}

static enum txn_verdict
step_recorded(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    TXN_TRY(records_settle(&in->records, in->node, txn));
    return TXN_DONE;
}

/* clang-format off */
static const struct txn_step inbound_steps[] = {
    {"peer", step_peer},
    {"message", step_message},
    {"route", step_route},
    {"proof", step_proof},
    {"replay", step_replay},
    {"individual", step_individual},
    {"read", step_read},
    {"decide", step_decide},
    {"own-record", step_own_record},
    {"work", step_work},
    {"write", step_write},
    {"refuse", step_refuse},
    {"record", step_record},
    {"recorded", step_recorded},
};
/* clang-format on */
#define RECOVERY 11

static const struct txn_table inbound_table = {"inbound", inbound_steps, ARRAY_LEN(inbound_steps),
                                               RECOVERY};

static void
log_end(const struct inbound *in)
{
    const struct txn *txn = &in->txn;
    const struct diag *why = in->cause.code != ERR_NONE       ? &in->cause
                             : in->shortfall.code != ERR_NONE ? &in->shortfall
                                                              : NULL;
    const bool is_refused = in->cause.code != ERR_NONE || !in->records.is_durable;
    const int64_t ms = (clock_mono_us(in->node->clock) - txn->started_us) / US_PER_MS;
    const char *action =
        in->responder == NULL ? "unknown" : soap_transaction(in->proof.transaction)->name;
    const char *partner = in->proof.partner == NULL ? "unknown" : in->proof.partner->id;

    LOG_EVENT(why == NULL && !is_refused ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "txn-done",
              LOG_ID("txn", txn->id), LOG_ID("action", action), LOG_ID("partner", partner),
              LOG_SPAN("peer", in->request.peer_address),
              LOG_ID("verdict", is_refused ? "refused" : "answered"), LOG_INT("ms", ms),
              LOG_DIAG(why));
    if (!in->records.is_durable) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-failed", LOG_ID("txn", txn->id), LOG_DIAG(&txn->diag));
    }
}

/* The one place where an answer leaves: only behind durable records, else a refusal that discloses
 * nothing. */
static void
inbound_end(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

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
    in->reply(in->reply_arg, &in->answer);
    body_done(&in->answer.body);
    buf_done(&in->payload);
    txn_done(txn);
    mem_free(in);
}

/* What the record needs is set aside before the partner's bytes can use up the arena. */
static struct status
prepare(struct inbound *in, const struct node *node, const struct inbound_request *request,
        struct diag *diag)
{
    TRY(records_reserve(&in->records, in->txn.arena, INBOUND_OUTCOMES_MAX, diag));
    return arena_printf(in->txn.arena, diag, &in->event.destination_id, "%s%.*s",
                        node->config->base_url, SPAN_PRINT(request->path));
}

struct status
inbound_start(struct node *node, const struct inbound_request *request, inbound_reply reply,
              void *arg, struct diag *diag)
{
    struct inbound *in = mem_alloc(sizeof(*in));
    struct status st;

    if (in == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of a new transaction");
    }
    st = txn_init(&in->txn, &inbound_table, node->clock, node->config->timeout_us, inbound_end,
                  diag);
    if (!is_ok(st)) {
        mem_free(in);
        return st;
    }
    st = prepare(in, node, request, diag);
    if (!is_ok(st)) {
        txn_done(&in->txn);
        mem_free(in);
        return st;
    }
    in->node = node;
    in->request = *request;
    in->reply = reply;
    in->reply_arg = arg;
    buf_init_secret(&in->payload, INBOUND_ANSWER_LIMIT);
    body_init(&in->answer.body);
    in->event.type = AUDIT_AUTHENTICATION_FAILURE; /* until the route is known */
    in->event.side = AUDIT_RESPONDING;
    in->event.phase = AUDIT_OUTCOME;
    in->event.transaction_id = span_of_cstr(in->txn.id);
    in->event.source_address = request->peer_address;
    runner_start(node->runner, &in->txn);
    return OK;
}
