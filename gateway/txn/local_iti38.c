/*
 * ITI-38 Cross Gateway Query and ITI-18 Registry Stored Query of a local system: the query is
 * passed on as it came to every community that is asked, and the answers are merged. Steps of
 * local.c, on workers. Source: ITI TF-2 3.38, 3.18.
 *
 * A query by ids says in its home attribute whose ids they are. Without it, ITI-38 is refused. A
 * consumer of ITI-18 may leave it out for what belongs to its own community (ITI
 * TF-2 3.18.4.1.2.3.8 asks for it only where it is known): our own community is asked, and when it
 * has nothing of that name, the home is what was missing: XDSMissingHomeCommunityId, not an empty
 * Success, because the ids may well be another community's.
 */
#include "base/ids.h"
#include "txn/local.h"
#include "txn/registry_answer.h"

/* $targetCommunityIdList: whom this gateway is to ask; it is for us and is not passed on. */
#define TARGETS "$targetCommunityIdList"

struct work {
    struct stored_query query;
    struct stored_question question;
    bool is_homeless; /* ITI-18 by ids, without a home */
};

/* ---- whom ---- */

static struct status
add_target(struct local *local, struct span home)
{
    struct txn *txn = &local->in.txn;
    struct span oid;

    if (!home_community_oid(home, &oid)) {
        return FAIL(&txn->diag, ERR_UNKNOWN_COMMUNITY, "'%.*s' is no homeCommunityId (urn:oid:OID)",
                    SPAN_PRINT(span_slice(home, 0, OID_TEXT)));
    }
    TRY(local_check_community(local, oid, &txn->diag));
    return ARENA_PUSH(txn->arena, &txn->diag, &local->order.to, oid);
}

/* The query without the list. */
/* REQ: ITI38-target-communities */
static struct status
take_targets(struct local *local, struct work *work)
{
    struct txn *txn = &local->in.txn;
    struct query_param_list kept = {0};

    for (size_t i = 0; i < work->query.params.n; i++) {
        const struct query_param *param = &work->query.params.items[i];

        if (!span_eq_cstr(param->name, TARGETS)) {
            TRY(ARENA_PUSH(txn->arena, &txn->diag, &kept, *param));
            continue;
        }
        for (size_t v = 0; v < param->values.n; v++) {
            TRY(add_target(local, param->values.items[v]));
        }
    }
    work->query.params = kept;
    return OK;
}

/* ITI TF-2 3.38.4.1.3: required when no patient id is given. */
/* REQ: ITI38-home-required */
static struct status
find_targets(struct local *local, struct work *work)
{
    const struct span own = span_of_cstr(local->in.node->config->community);
    struct txn *txn = &local->in.txn;

    if (work->query.home.n > 0) {
        return add_target(local, work->query.home);
    }
    if (work->question.is_by_patient || local->order.to.n > 0) {
        return OK;
    }
    if (local->in.proof.transaction != SOAP_ITI_18) {
        return FAIL(&txn->diag, ERR_MISSING_COMMUNITY, "%s needs the AdhocQuery's home attribute",
                    work->question.name);
    }
    work->is_homeless = true;
    return ARENA_PUSH(txn->arena, &txn->diag, &local->order.to, own);
}

/* ---- the question ---- */

static struct status
read_question(struct local *local, struct work *work)
{
    struct inbound *in = &local->in;
    struct txn *txn = &in->txn;

    TRY(stored_query_read(in->proof.message, txn->arena, &txn->diag, &work->query));
    in->work = work; /* what a refusal names */
    in->event.query_id = work->query.id;
    in->event.query = work->query.query_xml;
    TRY(take_targets(local, work));
    TRY(stored_query_question(&work->query, txn->arena, &txn->diag, &work->question));
    if (work->question.is_by_patient) {
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &in->event.patients, work->question.patient));
    }
    return find_targets(local, work);
}

/* REQ: ITI18-local */
static enum txn_verdict
read_query(struct inbound *in)
{
    struct local *local = (struct local *)in;
    struct txn *txn = &in->txn;
    struct work *work;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &work));
    TXN_TRY(read_question(local, work));
    local->order.goal = ASKING_QUERY;
    local->order.query = &work->query;
    local->order.patient_id = work->question.asks.filter.patient_id;
    return TXN_DONE;
}

/* ---- the answer ---- */

static bool
is_nothing(const struct query_answer *answer)
{
    const struct registry_objects *objects = &answer->objects;

    return answer->status == REGISTRY_SUCCESS && objects->documents.n == 0 &&
           objects->submission_sets.n == 0 && objects->folders.n == 0 &&
           objects->associations.n == 0 && objects->others.n == 0 && answer->refs.n == 0;
}

static enum txn_verdict
write_answer(struct inbound *in)
{
    struct local *local = (struct local *)in;
    const struct work *work = in->work;
    struct txn *txn = &in->txn;
    struct query_answer answer;

    TXN_TRY(merge_query(asking_merged(local->awaited.asking), &txn->diag, &answer));
    if (work->is_homeless && is_nothing(&answer)) {
        (void)FAIL(&txn->diag, ERR_MISSING_COMMUNITY,
                   "%s has no home attribute, and our own community has none of its ids",
                   work->question.name);
        return TXN_FAILED;
    }
    TXN_TRY(registry_answer_shape(in, &work->query, &work->question, &answer));
    TXN_TRY(local_note_shortfall(local, answer.status == REGISTRY_FAILURE, NULL));
    TXN_TRY(query_answer_write(&answer, txn->arena, &in->payload, &txn->diag));
    return TXN_DONE;
}

static struct status
refuse(struct inbound *in, enum err code)
{
    const struct work *work = in->work;

    return registry_answer_refuse(in, code, work == NULL ? NULL : &work->question);
}

const struct responder local_iti38 = {AUDIT_ITI_38, read_query, NULL, write_answer, refuse};
const struct responder local_iti18 = {AUDIT_ITI_18, read_query, NULL, write_answer, refuse};
