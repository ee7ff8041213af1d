/*
 * ITI-41 Provide and Register Document Set-b of a local system: into our own store, or, when the
 * submission is for another community, to that partner as ITI-80, whose answer is given back. It is
 * the asking of one leg. Steps of local.c, on workers. Source: ITI TF-2 3.41; XCDR.
 */
#include "base/ids.h"
#include "txn/iti80.h"
#include "txn/local.h"

struct work {
    struct provide_request request;
    struct registry_error_list errors; /* of the answer */
};

static void
release_request(void *request)
{
    provide_request_done(request);
}

/* ---- the submission ---- */

/* REQ: ITI80-send */
static struct status
choose_community(struct local *local, struct work *work)
{
    struct txn *txn = &local->in.txn;
    struct span community = SPAN_EMPTY;

    TRY(provide_community(local->in.node->config, &work->request, txn->arena, &txn->diag,
                          &work->errors, &community));
    if (community.n == 0) {
        community = span_of_cstr(local->in.node->config->community);
    }
    if (!provide_may_go(local->in.node->config, community)) {
        TRY(provide_add_error(txn->arena, &txn->diag, &work->errors, SPAN("XDSUnknownCommunity"),
                              SPAN("the community is neither ours nor a partner's"),
                              span_slice(community, 0, OID_TEXT)));
    }
    return ARENA_PUSH(txn->arena, &txn->diag, &local->order.to, community);
}

static enum txn_verdict
read_submission(struct inbound *in)
{
    struct local *local = (struct local *)in;
    struct txn *txn = &in->txn;
    struct work *work;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &work));
    in->work = work;
    TXN_TRY(provide_request_read(in->proof.message, txn->arena, &txn->diag, &work->request));
    TXN_TRY(arena_defer(txn->arena, release_request, &work->request, &txn->diag));
    TXN_TRY(provide_note(&work->request, txn->arena, &txn->diag, &in->event));
    TXN_TRY(provide_check(&work->request, txn->arena, &txn->diag, &work->errors));
    TXN_TRY(choose_community(local, work));
    if (provide_has_failed(&work->errors)) {
        TXN_TRY(provide_refuse(&work->errors, &txn->diag));
    }
    local->order.goal = ASKING_PROVIDE;
    local->order.provide = &work->request;
    return TXN_DONE;
}

/* ---- the answer ---- */

/* What the leg's other side said; when it said nothing that helps, what we know. */
static struct status
take_errors(struct local *local, struct work *work, const struct leg *leg)
{
    struct txn *txn = &local->in.txn;
    const bool has_answered = leg->state == LEG_ANSWERED;
    struct span location;

    for (size_t i = 0; has_answered && i < leg->errors.n; i++) {
        struct registry_error error = leg->errors.items[i];

        TRY(arena_dup(txn->arena, error.code, &txn->diag, &error.code));
        TRY(arena_dup(txn->arena, error.context, &txn->diag, &error.context));
        TRY(arena_dup(txn->arena, error.location, &txn->diag, &error.location));
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &work->errors, error));
    }
    if (provide_has_failed(&work->errors) || (has_answered && leg->status == REGISTRY_SUCCESS)) {
        return OK;
    }
    TRY(arena_printf(txn->arena, &txn->diag, &location, "urn:oid:%.*s",
                     SPAN_PRINT(leg->community)));
    return provide_add_error(txn->arena, &txn->diag, &work->errors,
                             has_answered ? SPAN("XDSRepositoryError")
                                          : provide_error_code(leg->diag.code),
                             span_of_cstr(err_public_text(leg->diag.code)), location);
}

static enum txn_verdict
write_answer(struct inbound *in)
{
    struct local *local = (struct local *)in;
    struct work *work = in->work;
    const struct leg_list *legs = &local->awaited.asking->legs[ASKING_PROVIDE];

    TXN_TRY(take_errors(local, work, &legs->items[0]));
    TXN_TRY(local_note_shortfall(local, true, NULL));
    TXN_TRY(provide_write_answer(&work->errors, &in->payload, &in->txn.diag));
    return TXN_DONE;
}

static struct status
refuse(struct inbound *in, enum err code)
{
    const struct work *work = in->work;

    if (code == ERR_SUBMISSION) {
        return provide_write_answer(&work->errors, &in->payload, &in->txn.diag);
    }
    return iti80_responder.refuse(in, code);
}

const struct responder local_iti41 = {AUDIT_ITI_41, read_submission, NULL, write_answer, refuse};
