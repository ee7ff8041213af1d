/*
 * The steps of a partner's request that all IHE transactions share. Started by serve (from net/'s
 * loop threads) and by scenario tests; steps run on workers. What is not about partners is in
 * inbound_answer.c. Everything lives in the transaction's arena.
 */
#include "txn/inbound.h"

#include "base/mem.h"
#include "soap/passed.h"
#include "txn/brokered.h"
#include "txn/callback.h"
#include "txn/disclosure.h"
#include "txn/outbox.h"

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

    if (in->job != NULL) {
        TXN_TRY(errand_peer(in));
    } else {
        TXN_TRY(proof_peer(&in->proof, in->node->config, in->request.peer, &txn->diag));
    }
    in->event.partner = span_of_cstr(in->proof.partner->id);
    return TXN_DONE;
}

static const struct responder *
responder_of(enum soap_transaction transaction)
{
    static const struct responder *const responders[SOAP_TRANSACTION_COUNT] = {
        [SOAP_ITI_55] = &iti55_responder, [SOAP_ITI_38] = &iti38_responder,
        [SOAP_ITI_39] = &iti39_responder, [SOAP_ITI_80] = &iti80_responder,
        [SOAP_ITI_56] = &iti56_responder, [SOAP_ITI_55_DEFERRED] = &iti55_deferred_responder,
    };

    return responders[transaction];
}

static enum txn_verdict
step_route(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    TXN_TRY(proof_route(&in->proof, in->node->config, in->request.path, &txn->diag));
    in->responder = responder_of(in->proof.transaction);
    if (in->responder == NULL) {
        TXN_TRY(inbound_refuse_route(in));
    }
    in->event.type = in->responder->audit_type;
    if (in->proof.reply_to.n > 0) {
        if (in->node->outbox == NULL && in->job == NULL) {
            (void)FAIL(&txn->diag, ERR_WSA_HEADER, "nobody answers later in this process");
            return TXN_FAILED;
        }
        TXN_TRY(arena_dup(txn->arena, in->proof.reply_to, &txn->diag, &in->reply_to));
    }
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
    if (in->reply_to.n > 0) { /* wsa:ReplyTo, where it says something (ITI TF-2 3.55.5.1.2) */
        in->event.source_id = in->reply_to;
    } else {
        TRY(arena_printf(txn->arena, &txn->diag, &in->event.source_id, "urn:oid:%.*s",
                         SPAN_PRINT(in->proof.saml.home_community)));
    }
    return records_user_name(txn->arena, in->proof.saml.name_id_provided, in->proof.saml.name_id,
                             in->proof.saml.issuer, &txn->diag, &in->event.user_name);
}

/* Nothing above this step may be used to decide; nothing below it reads unverified security data.
 */
static enum txn_verdict
step_proof(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    TXN_TRY(proof_security(&in->proof, in->node->config, in->arrived_us, txn->arena, &txn->diag));
    TXN_TRY(saml_keep(&in->proof.saml, txn->arena, &txn->diag));
    TXN_TRY(message_passed(in->proof.message, txn->arena, &txn->diag, &in->passed));
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
    struct inbound *in = inbound_of(txn);

    return in->job != NULL ? TXN_DONE : inbound_replay(in); /* remembered when it came */
}

static enum txn_verdict
step_individual(struct txn *txn)
{
    return inbound_prove_individual(inbound_of(txn));
}

static enum txn_verdict
step_accept(struct txn *txn)
{
    return outbox_accept(inbound_of(txn));
}

static enum txn_verdict
step_own_record(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    return in->is_accepted ? TXN_DONE : inbound_find_own_record(in);
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
    records_note_decision(&in->event, &in->decision);
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

    return disclosure_is_allowed(in->node->config->policy, &facts, &in->decision,
                                 &entry->confidentiality);
}

static enum txn_verdict
step_read(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);
    const enum txn_verdict verdict = in->responder->read(in);

    if (verdict == TXN_DONE && !outbox_is_wanted(in)) { /* else it is kept first */
        inbound_release_message(in);
    }
    return verdict;
}

static enum txn_verdict
step_work(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    return in->is_accepted ? TXN_DONE : in->responder->work(in);
}

/* ---- the answer ---- */

static enum txn_verdict
step_write(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);
    enum txn_verdict verdict;

    if (in->is_accepted) {
        return TXN_DONE;
    }
    in->outcomes[0] = in->event;
    in->outcomes_n = 1;
    verdict = in->responder->write(in);
    if (verdict != TXN_DONE) {
        return verdict;
    }
    TXN_TRY(in->job != NULL ? errand_write(in) : inbound_write(in));
    return TXN_DONE;
}

static enum txn_verdict
step_refuse(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    return in->job != NULL ? errand_refuse(in) : inbound_refuse(txn);
}

static enum txn_verdict
step_record(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    return in->brokered == NULL ? inbound_record(txn) : awaited_record(&in->brokered->awaited);
}

static enum txn_verdict
step_recorded(struct txn *txn)
{
    struct inbound *in = inbound_of(txn);

    return in->brokered == NULL ? inbound_recorded(txn) : awaited_recorded(&in->brokered->awaited);
}

/* ---- what a job does besides ---- */

static enum txn_verdict
step_send(struct txn *txn)
{
    return inbound_of(txn)->job == NULL ? TXN_DONE : errand_send(inbound_of(txn));
}

static enum txn_verdict
step_report(struct txn *txn)
{
    return inbound_of(txn)->job == NULL ? TXN_DONE : errand_report(inbound_of(txn));
}

static enum txn_verdict
step_reported(struct txn *txn)
{
    return inbound_of(txn)->job == NULL ? TXN_DONE : inbound_recorded(txn);
}

static enum txn_verdict
step_settle(struct txn *txn)
{
    return inbound_of(txn)->job == NULL ? TXN_DONE : errand_settle(inbound_of(txn));
}

/* clang-format off */
static const struct txn_step inbound_steps[] = {
    {"peer", step_peer},
    {"message", inbound_message},
    {"route", step_route},
    {"proof", step_proof},
    {"replay", step_replay},
    {"individual", step_individual},
    {"read", step_read},
    {"decide", step_decide},
    {"accept", step_accept},
    {"own-record", step_own_record},
    {"work", step_work},
    {"write", step_write},
    {"refuse", step_refuse},
    {"record", step_record},
    {"recorded", step_recorded},
    {"send", step_send},
    {"report", step_report},
    {"reported", step_reported},
    {"settle", step_settle},
};
/* clang-format on */
#define RECOVERY 12

static const struct txn_table inbound_table = {"inbound", inbound_steps, ARRAY_LEN(inbound_steps),
                                               RECOVERY};

struct status
inbound_begin_job(struct inbound *in, struct node *node, const struct inbound_request *request,
                  void (*on_end)(struct txn *txn), struct diag *diag)
{
    TRY(inbound_begin(in, &inbound_table, node, request, NULL, NULL, diag));
    in->txn.on_end = on_end;
    return OK;
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
    st = inbound_begin(in, callback_is_for(request) ? &callback_table : &inbound_table, node,
                       request, reply, arg, diag);
    if (!is_ok(st)) {
        mem_free(in);
        return st;
    }
    runner_start(node->runner, &in->txn);
    return OK;
}
