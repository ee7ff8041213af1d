/*
 * ITI-39 Cross Gateway Retrieve and ITI-43 Retrieve Document Set of a local system: each document
 * is asked of the community that its request names, all at once, and given in the order of the
 * request. In ITI-43 a request without HomeCommunityId is for our own community, and its answer has
 * none either; an error's location is the document's uniqueId alone. Steps of local.c, on workers.
 * Source: ITI TF-2 3.39, 3.43.
 */
#include "base/ids.h"
#include "soap/envelope.h"
#include "txn/iti39.h"
#include "txn/local.h"

struct work {
    struct document_ref_list asked;    /* each once, with a homeCommunityId */
    struct document_ref_list homeless; /* without one: ITI-39 */
    struct document_ref_list implied;  /* of <asked>: those whose home is ours by default, ITI-43 */
    struct retrieve_answer answer;
};

static void
release_answer(void *answer)
{
    retrieve_answer_done(answer);
}

/* ---- the question ---- */

static bool
is_iti43(const struct local *local)
{
    return local->in.proof.transaction == SOAP_ITI_43;
}

/* A document of a community that nobody here speaks for is not asked for: the merge says so. */
static struct status
take_asked(struct local *local, struct work *work, const struct document_ref *ref)
{
    struct txn *txn = &local->in.txn;
    struct diag unknown = {0};
    struct span oid;

    TRY(ARENA_PUSH(txn->arena, &txn->diag, &work->asked, *ref));
    if (home_community_oid(ref->home, &oid) && is_ok(local_check_community(local, oid, &unknown))) {
        return ARENA_PUSH(txn->arena, &txn->diag, &local->order.documents, *ref);
    }
    return OK;
}

/* Our own community is meant, unless its home was given for the same document, too. */
static struct status
take_implied(struct local *local, struct work *work, const struct document_ref *ref)
{
    struct txn *txn = &local->in.txn;
    struct document_ref own = *ref;

    TRY(arena_printf(txn->arena, &txn->diag, &own.home, "urn:oid:%s",
                     local->in.node->config->community));
    if (document_ref_is_among(&own, &work->asked)) {
        return OK;
    }
    TRY(ARENA_PUSH(txn->arena, &txn->diag, &work->implied, own));
    return take_asked(local, work, &own);
}

static struct status
take_ref(struct local *local, struct work *work, const struct document_ref *ref)
{
    struct txn *txn = &local->in.txn;

    if (ref->home.n > 0) {
        return take_asked(local, work, ref);
    }
    return is_iti43(local) ? take_implied(local, work, ref)
                           : ARENA_PUSH(txn->arena, &txn->diag, &work->homeless, *ref);
}

static struct status
note_asked(struct local *local, const struct document_ref_list *refs)
{
    struct txn *txn = &local->in.txn;

    for (size_t i = 0; i < refs->n; i++) {
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &local->in.event.documents, refs->items[i]));
    }
    return OK;
}

static struct status
read_refs(struct local *local, struct work *work)
{
    struct txn *txn = &local->in.txn;
    struct document_ref_list refs = {0};

    TRY(retrieve_query_read(local->in.proof.message, txn->arena, &txn->diag, &refs));
    for (size_t i = 0; i < refs.n; i++) {
        if (!document_ref_is_among(&refs.items[i], &work->asked) &&
            !document_ref_is_among(&refs.items[i], &work->homeless)) {
            TRY(take_ref(local, work, &refs.items[i]));
        }
    }
    TRY(note_asked(local, &work->asked));
    TRY(note_asked(local, &work->homeless));
    if (local->order.documents.n > 0) {
        return OK;
    }
    return work->asked.n > 0 ? FAIL(&txn->diag, ERR_UNKNOWN_COMMUNITY,
                                    "no DocumentRequest is for a community of ours or of a partner")
                             : FAIL(&txn->diag, ERR_MISSING_COMMUNITY,
                                    "no DocumentRequest has a HomeCommunityId");
}

/* REQ: ITI43-local */
static enum txn_verdict
read_query(struct inbound *in)
{
    struct local *local = (struct local *)in;
    struct txn *txn = &in->txn;
    struct work *work;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &work));
    TXN_TRY(arena_defer(txn->arena, release_answer, &work->answer, &txn->diag));
    in->work = work;
    local->order.goal = ASKING_RETRIEVE;
    TXN_TRY(read_refs(local, work));
    return TXN_DONE;
}

/* ---- the answer ---- */

static struct status
add_homeless(struct local *local, struct work *work)
{
    struct txn *txn = &local->in.txn;

    for (size_t i = 0; i < work->homeless.n; i++) {
        const struct registry_error error = {
            .code = iti39_error_code(ERR_MISSING_COMMUNITY),
            .context = span_of_cstr(err_public_text(ERR_MISSING_COMMUNITY)),
            .location = work->homeless.items[i].unique_id,
        };

        TRY(ARENA_PUSH(txn->arena, &txn->diag, &work->answer.errors, error));
        if (work->answer.status == REGISTRY_SUCCESS) {
            work->answer.status = REGISTRY_PARTIAL_SUCCESS;
        }
    }
    return OK;
}

static struct span
owner_of(const struct local *local, const struct work *work, const struct document_ref *ref)
{
    for (size_t i = 0; i < work->answer.documents.n; i++) {
        const struct retrieved_document *document = &work->answer.documents.items[i];

        if (document_ref_eq(&document->ref, ref) && document->patient_id.n > 0) {
            return document->patient_id;
        }
    }
    return asking_owner_of(local->awaited.asking, ref);
}

/* Success and failure are separate events (ITI TF-2 3.43.5.1). */
static struct status
note_documents(struct local *local, const struct work *work)
{
    struct inbound *in = &local->in;
    struct txn *txn = &in->txn;
    struct document_ref_list given = {0}, failed = {0}, came = {0};
    struct diag besides = {0};

    for (size_t i = 0; i < work->answer.documents.n; i++) {
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &came, work->answer.documents.items[i].ref));
    }
    for (size_t i = 0; i < in->event.documents.n; i++) {
        const struct document_ref *ref = &in->event.documents.items[i];

        if (document_ref_is_among(ref, &came)) {
            TRY(ARENA_PUSH(txn->arena, &txn->diag, &in->owners, owner_of(local, work, ref)));
        }
        TRY(ARENA_PUSH(txn->arena, &txn->diag, document_ref_is_among(ref, &came) ? &given : &failed,
                       *ref));
    }
    if (failed.n == 0) {
        return OK;
    }
    (void)FAIL(&besides, ERR_UNKNOWN_COMMUNITY,
               "%zu documents are of no community that can be asked", failed.n);
    TRY(local_note_shortfall(local, given.n == 0, &besides));
    in->owners = given.n == 0 ? (struct span_list){0} : in->owners;
    in->outcomes[0].documents = given.n == 0 ? failed : given;
    in->outcomes[in->outcomes_n - 1].documents = failed;
    return OK;
}

/* The merged answer's lists live as long as the asking; its documents are ours to release. */
static struct status
take_merged(struct local *local, struct work *work)
{
    struct txn *txn = &local->in.txn;
    struct retrieve_answer merged;
    struct retrieved_document *documents;
    struct status st;

    TRY(merge_retrieve(asking_merged(local->awaited.asking), &work->asked,
                       is_iti43(local) ? MERGE_LOCATION_DOCUMENT : MERGE_LOCATION_FULL, &txn->diag,
                       &merged));
    st = ARENA_ARRAY(txn->arena, merged.documents.n, &txn->diag, &documents);
    if (!is_ok(st)) {
        retrieve_answer_done(&merged);
        return st;
    }
    for (size_t i = 0; i < merged.documents.n; i++) {
        documents[i] = merged.documents.items[i];
    }
    work->answer = merged;
    work->answer.documents =
        (struct retrieved_list){documents, merged.documents.n, merged.documents.n};
    return OK;
}

/* HomeCommunityId is in an answer if it was in the request (ITI TF-2 3.43.5). */
static void
echo_homes(struct work *work)
{
    for (size_t i = 0; i < work->answer.documents.n; i++) {
        struct document_ref *ref = &work->answer.documents.items[i].ref;

        if (document_ref_is_among(ref, &work->implied)) {
            ref->home = SPAN_EMPTY;
        }
    }
}

static enum txn_verdict
write_answer(struct inbound *in)
{
    struct local *local = (struct local *)in;
    struct txn *txn = &in->txn;
    struct work *work = in->work;

    TXN_TRY(take_merged(local, work));
    TXN_TRY(add_homeless(local, work));
    TXN_TRY(note_documents(local, work));
    echo_homes(work);
    TXN_TRY(retrieve_answer_write(&work->answer, txn->arena, &in->payload, &txn->diag));
    TXN_TRY(iti39_add_parts(in, &work->answer));
    return TXN_DONE;
}

static struct status
refuse(struct inbound *in, enum err code)
{
    return iti39_responder.refuse(in, code);
}

const struct responder local_iti39 = {AUDIT_ITI_39, read_query, NULL, write_answer, refuse};
const struct responder local_iti43 = {AUDIT_ITI_43, read_query, NULL, write_answer, refuse};
