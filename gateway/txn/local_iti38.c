/*
 * ITI-38 Cross Gateway Query of a local system: FindDocuments and GetDocuments, passed on as they
 * came to every community that is asked, and the answers merged. Steps of local.c, on workers.
 * Other stored queries are refused: what they find beside documents could not be passed on.
 * Source: ITI TF-2 3.38, 3.18.
 */
#include "base/ids.h"
#include "txn/iti38_query.h"
#include "txn/local.h"

/* $targetCommunityIdList: whom this gateway is to ask; it is for us and is not passed on. */
#define TARGETS "$targetCommunityIdList"

struct work {
    struct stored_query query;
    struct iti38_question question;
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
static struct status
find_targets(struct local *local, struct work *work)
{
    if (work->query.home.n > 0) {
        return add_target(local, work->query.home);
    }
    if (!work->question.is_find) {
        return FAIL(&local->in.txn.diag, ERR_MISSING_COMMUNITY,
                    "GetDocuments needs the AdhocQuery's home attribute");
    }
    return OK;
}

/* ---- the question ---- */

static struct status
read_question(struct local *local, struct work *work)
{
    struct inbound *in = &local->in;
    struct txn *txn = &in->txn;

    TRY(stored_query_read(in->proof.message, txn->arena, &txn->diag, &work->query));
    in->event.query_id = work->query.id;
    in->event.query = work->query.query_xml;
    TRY(take_targets(local, work));
    TRY(iti38_question_read(&work->query, txn->arena, &txn->diag, &work->question));
    if (work->question.is_find) {
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &in->event.patients, work->question.patient));
    }
    return find_targets(local, work);
}

static enum txn_verdict
read_query(struct inbound *in)
{
    struct local *local = (struct local *)in;
    struct txn *txn = &in->txn;
    struct work *work;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &work));
    in->work = work;
    TXN_TRY(read_question(local, work));
    local->order.goal = ASKING_QUERY;
    local->order.query = &work->query;
    local->order.patient_id = work->question.filter.patient_id;
    return TXN_DONE;
}

/* ---- the answer ---- */

/* Each patient whose documents the answer names, once. */
static struct status
note_patients(struct inbound *in, const struct query_answer *answer)
{
    struct span_list *patients = &in->outcomes[0].patients;

    for (size_t d = 0; d < answer->objects.documents.n; d++) {
        const struct span id = answer->objects.documents.items[d].patient_id;
        size_t at = 0;
        struct span copy;

        while (at < patients->n && !span_eq(patients->items[at], id)) {
            at++;
        }
        if (at == patients->n) {
            TRY(arena_dup(in->txn.arena, id, &in->txn.diag, &copy));
            TRY(ARENA_PUSH(in->txn.arena, &in->txn.diag, patients, copy));
        }
    }
    return OK;
}

/* What was asked for as references is given as references. */
static struct status
make_refs(struct inbound *in, struct query_answer *answer)
{
    for (size_t i = 0; i < answer->objects.documents.n; i++) {
        const struct document_entry *entry = &answer->objects.documents.items[i];
        const struct document_ref ref = {.home = entry->home, .unique_id = entry->entry_uuid};

        TRY(ARENA_PUSH(in->txn.arena, &in->txn.diag, &answer->refs, ref));
    }
    answer->objects.documents = (struct document_list){0};
    return OK;
}

static struct status
finish_answer(struct inbound *in, const struct work *work, struct query_answer *answer)
{
    if (!work->question.is_find) {
        TRY(note_patients(in, answer));
    }
    if (!work->query.wants_leaf_class) {
        return make_refs(in, answer);
    }
    if (!work->question.is_find && in->outcomes[0].patients.n > 1) {
        return FAIL(&in->txn.diag, ERR_NOT_SINGLE_PATIENT,
                    "the documents belong to several patients; ask with ObjectRef or one by one");
    }
    return OK;
}

static enum txn_verdict
write_answer(struct inbound *in)
{
    struct local *local = (struct local *)in;
    struct txn *txn = &in->txn;
    struct query_answer answer;

    TXN_TRY(merge_query(asking_merged(local->asking), &txn->diag, &answer));
    TXN_TRY(finish_answer(in, in->work, &answer));
    TXN_TRY(local_note_shortfall(local, answer.status == REGISTRY_FAILURE, NULL));
    TXN_TRY(query_answer_write(&answer, txn->arena, &in->payload, &txn->diag));
    return TXN_DONE;
}

static struct status
refuse(struct inbound *in, enum err code)
{
    return iti38_responder.refuse(in, code);
}

const struct responder local_iti38 = {AUDIT_ITI_38, read_query, NULL, write_answer, refuse};
