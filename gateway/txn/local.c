/*
 * The steps of a local system's request that all IHE transactions share. Started by serve (from
 * net/'s loop threads) and by scenario tests; steps run on workers, the news that the peer has gone
 * comes on a loop thread. Everything lives in the transaction's arena, but for the asking, which is
 * a transaction of its own and is freed here.
 */
#include "txn/local.h"

#include "base/mem.h"

static struct local *
local_of(struct txn *txn)
{
    return (struct local *)txn;
}

/* ---- who asks, and what ---- */

static enum txn_verdict
step_peer(struct txn *txn)
{
    struct local *local = local_of(txn);
    struct inbound *in = &local->in;

    TXN_TRY(config_system_of_peer(in->node->config, in->request.peer, &txn->diag, &local->system));
    in->event.partner = span_of_cstr(local->system->name);
    TXN_TRY(arena_printf(txn->arena, &txn->diag, &in->event.source_id, "system:%s",
                         local->system->name));
    return TXN_DONE;
}

static enum txn_verdict
step_route(struct txn *txn)
{
    static const struct responder *const responders[SOAP_TRANSACTION_COUNT] = {
        [SOAP_ITI_55] = &local_iti55,
        [SOAP_ITI_38] = &local_iti38,
        [SOAP_ITI_39] = &local_iti39,
        [SOAP_ITI_18] = &local_iti18,
        [SOAP_ITI_43] = &local_iti43,
        [SOAP_ITI_41] = &local_iti41,
        [SOAP_ITI_47] = &local_iti47,
        [SOAP_ITI_47_CONTINUE] = &local_iti47_continue,
        [SOAP_ITI_47_CANCEL] = &local_iti47_cancel,
        [SOAP_ITI_45] = &local_iti45,
    };
    struct inbound *in = &local_of(txn)->in;

    /* wsa:To is compared only where audiences of the system say how it reaches this listener
     * (local_who.c): else nobody has told us through which names. */
    TXN_TRY(message_local_transaction(in->proof.message, in->request.path, &txn->diag,
                                      &in->proof.transaction));
    in->proof.is_routed = true;
    in->responder = responders[in->proof.transaction];
    if (in->responder == NULL) {
        TXN_TRY(inbound_refuse_route(in));
    }
    in->event.type = in->responder->audit_type;
    return TXN_DONE;
}

static enum txn_verdict
step_read(struct txn *txn)
{
    struct inbound *in = &local_of(txn)->in;
    const enum txn_verdict verdict = in->responder->read(in);

    if (verdict == TXN_DONE) {
        inbound_release_message(in);
    }
    return verdict;
}

struct status
local_check_community(const struct local *local, struct span oid, struct diag *diag)
{
    const struct node *node = local->in.node;

    if (config_is_own_community(node->config, oid) ||
        config_partner_of_community(node->config, oid) != NULL) {
        return OK;
    }
    return FAIL(diag, ERR_UNKNOWN_COMMUNITY, "community '%.*s' is neither ours nor a partner's",
                SPAN_PRINT(oid));
}

static enum txn_verdict
step_work(struct txn *txn)
{
    struct inbound *in = &local_of(txn)->in;

    return in->responder->work == NULL ? TXN_DONE : in->responder->work(in);
}

/* ---- asking ---- */

static void
note_gone(void *arg)
{
    struct local *local = arg;

    awaited_note_gone(&local->awaited);
}

static enum txn_verdict
step_ask(struct txn *txn)
{
    struct local *local = local_of(txn);

    if (local->is_answered) {
        return TXN_DONE;
    }
    return awaited_ask(&local->awaited, &local->order);
}

/* ---- the answer ---- */

struct status
local_note_shortfall(struct local *local, bool is_nothing, const struct diag *besides)
{
    return awaited_note_shortfall(&local->awaited, (int)local->order.goal, is_nothing, besides);
}

static enum txn_verdict
step_write(struct txn *txn)
{
    struct local *local = local_of(txn);
    struct inbound *in = &local->in;
    enum txn_verdict verdict;

    in->outcomes[0] = in->event;
    in->outcomes_n = 1;
    verdict = in->responder->write(in);
    if (verdict == TXN_DONE) {
        TXN_TRY(inbound_write(in));
    }
    return verdict;
}

static enum txn_verdict
step_record(struct txn *txn)
{
    return awaited_record(&local_of(txn)->awaited);
}

static enum txn_verdict
step_recorded(struct txn *txn)
{
    return awaited_recorded(&local_of(txn)->awaited);
}

/* clang-format off */
static const struct txn_step local_steps[] = {
    {"peer", step_peer},
    {"message", inbound_message},
    {"route", step_route},
    {"who", local_who},
    {"replay", local_replay},
    {"read", step_read},
    {"work", step_work},
    {"ask", step_ask},
    {"write", step_write},
    {"refuse", inbound_refuse},
    {"record", step_record},
    {"recorded", step_recorded},
};
/* clang-format on */
#define RECOVERY 9

static const struct txn_table local_table = {"local", local_steps, ARRAY_LEN(local_steps),
                                             RECOVERY};

static void
release(struct inbound *in)
{
    struct local *local = (struct local *)in;

    awaited_done(&local->awaited);
}

struct status
local_start(struct node *node, const struct inbound_request *request, inbound_reply reply,
            void *arg, struct diag *diag)
{
    struct local *local = mem_alloc(sizeof(*local));
    struct status st;

    if (local == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of a new transaction");
    }
    st = inbound_begin(&local->in, &local_table, node, request, reply, arg, diag);
    if (!is_ok(st)) {
        mem_free(local);
        return st;
    }
    awaited_init(&local->awaited, &local->in);
    local->in.asker_kind = "system";
    local->in.release = release;
    if (request->watch != NULL) {
        request->watch(arg, note_gone, local); /* before it runs, so that it cannot have ended */
    }
    runner_start(node->runner, &local->in.txn);
    return OK;
}
