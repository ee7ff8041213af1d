/*
 * ITI-55 Cross Gateway Patient Discovery of a local system: who knows this patient? One
 * RegistrationEvent for each community that does, its custodian. Steps of local.c, on workers.
 * Source: ITI TF-2 3.55.
 */
#include "txn/iti55.h"
#include "txn/local.h"

struct work {
    struct xcpd_query query;
};

/* A receiver that is another community is asked alone; our own stands for this gateway, which asks
 * everybody. */
static struct status
find_targets(struct local *local, const struct work *work)
{
    struct txn *txn = &local->in.txn;
    const struct span receiver = work->query.receiver_home;

    if (receiver.n == 0 || span_eq_cstr(receiver, local->in.node->config->community)) {
        return OK;
    }
    TRY(local_check_community(local, receiver, &txn->diag));
    return ARENA_PUSH(txn->arena, &txn->diag, &local->order.to, receiver);
}

static enum txn_verdict
read_query(struct inbound *in)
{
    struct local *local = (struct local *)in;
    struct txn *txn = &in->txn;
    struct work *work;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &work));
    TXN_TRY(xcpd_query_frame(in->proof.message, txn->arena, &txn->diag, &work->query));
    in->work = work;
    TXN_TRY(records_query_id(txn->arena, &work->query.query_id, &txn->diag, &in->event.query_id));
    in->event.query = work->query.query_xml;
    TXN_TRY(xcpd_query_check_mode(&work->query, in->proof.transaction, &txn->diag));
    TXN_TRY(xcpd_query_parameters(in->proof.message, txn->arena, &txn->diag, &work->query));
    local->order.goal = ASKING_DISCOVER;
    local->order.who = work->query.subject;
    TXN_TRY(find_targets(local, work));
    return TXN_DONE;
}

/* Whom the answer names: each community's own id. */
static struct status
note_patients(struct inbound *in, const struct xcpd_answer *answer)
{
    struct txn *txn = &in->txn;

    for (size_t i = 0; i < answer->matches.n; i++) {
        struct diag ignored = {0}; /* an id that CX cannot write is no reason to keep the answer */
        struct span cx;

        if (is_ok(ident_write_cx(txn->arena, &answer->matches.items[i].patient.ids.items[0],
                                 &ignored, &cx))) {
            TRY(ARENA_PUSH(txn->arena, &txn->diag, &in->outcomes[0].patients, cx));
        }
    }
    return OK;
}

static enum txn_verdict
write_answer(struct inbound *in)
{
    struct local *local = (struct local *)in;
    struct txn *txn = &in->txn;
    const struct work *work = in->work;
    struct registry_error_list errors;
    struct xcpd_answer answer;

    TXN_TRY(merge_discovery(asking_merged(local->awaited.asking), &txn->diag, &answer, &errors));
    TXN_TRY(local_note_shortfall(local, answer.result == XCPD_ERROR, NULL));
    TXN_TRY(note_patients(in, &answer));
    TXN_TRY(xcpd_answer_write(&work->query, &answer, span_of_cstr(in->node->config->community),
                              clock_wall_us(in->node->clock), &in->payload, &txn->diag));
    return TXN_DONE;
}

static struct status
refuse(struct inbound *in, enum err code)
{
    const struct work *work = in->work;

    return work == NULL ? FAIL(&in->txn.diag, code, "no query to answer")
                        : iti55_write_error(in, &work->query, code);
}

const struct responder local_iti55 = {AUDIT_ITI_55, read_query, NULL, write_answer, refuse};
