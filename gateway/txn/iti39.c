/*
 * ITI-39 Cross Gateway Retrieve, both sides. The responder asks the store document by document,
 * answers what it may and gives one error per document that it may not. Runs on workers; document
 * bytes are owned by the answer and released with the arena. Source: ITI TF-2 3.39 and 3.43.
 */
#include "txn/iti39.h"

#include <stdio.h>

#include "soap/envelope.h"
#include "txn/inbound.h"

struct iti39_work {
    struct document_ref_list refs;
    size_t at;
    struct retrieve_answer answer;
    struct document_ref_list failed;
};

static void
release_answer(void *answer)
{
    retrieve_answer_done(answer);
}

/* ---- Responding Gateway ---- */

static enum txn_verdict
read_query(struct inbound *in)
{
    struct txn *txn = &in->txn;
    struct iti39_work *work;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &work));
    TXN_TRY(retrieve_query_read(in->message, txn->arena, &txn->diag, &work->refs));
    TXN_TRY(arena_defer(txn->arena, release_answer, &work->answer, &txn->diag));
    in->work = work;
    return TXN_DONE;
}

static struct status
check_home(struct inbound *in, const struct document_ref *ref, struct diag *diag)
{
    struct span oid;

    if (ref->home.n == 0) {
        return FAIL(diag, ERR_MISSING_COMMUNITY, "the DocumentRequest has no HomeCommunityId");
    }
    if (!home_community_oid(ref->home, &oid) || !span_eq_cstr(oid, in->node->config->community)) {
        return FAIL(diag, ERR_UNKNOWN_COMMUNITY, "the DocumentRequest is for '%.*s', not '%s'",
                    SPAN_PRINT(ref->home), in->node->config->community);
    }
    return OK;
}

static struct status
fetch(struct inbound *in, const struct document_ref *ref, struct diag *diag,
      enum answer *ret_answer, struct retrieved_document *ret_document)
{
    struct document_entry entry = {0};

    TRY(check_home(in, ref, diag));
    TRY(store_retrieve(in->node->store, ref, &in->txn.park, in->txn.arena, diag, ret_answer, &entry,
                       &ret_document->body));
    if (*ret_answer == ANSWER_LATER) {
        return OK;
    }
    if (!inbound_may_disclose(in, &entry.confidentiality)) {
        body_done(&ret_document->body);
        return FAIL(diag, ERR_UNKNOWN_DOCUMENT, "withheld: rule '%s'", in->decision.rule);
    }
    ret_document->ref = *ref;
    ret_document->mime_type = entry.mime_type;
    return OK;
}

/* ITI TF-2 3.43.4.2.2 and 3.39.4.2: one error per document, its location the document and the
 * community. */
static struct status
add_error(struct inbound *in, struct iti39_work *work, const struct document_ref *ref,
          enum err code)
{
    struct txn *txn = &in->txn;
    struct registry_error error = {
        .code =
            span_of_cstr(err_ihe_code(code)[0] == '\0' ? "XDSRepositoryError" : err_ihe_code(code)),
        .context = span_of_cstr(err_public_text(code)),
    };

    if (span_eq_cstr(error.code, "XDSRegistryError")) {
        error.code = SPAN("XDSRepositoryError");
    }
    TRY(arena_printf(txn->arena, &txn->diag, &error.location, "urn:oid:%s %.*s",
                     in->node->config->community, SPAN_PRINT(ref->unique_id)));
    TRY(ARENA_PUSH(txn->arena, &txn->diag, &work->answer.errors, error));
    return ARENA_PUSH(txn->arena, &txn->diag, &work->failed, *ref);
}

static enum txn_verdict
fetch_next(struct inbound *in, struct iti39_work *work)
{
    struct txn *txn = &in->txn;
    const struct document_ref *ref = &work->refs.items[work->at];
    struct retrieved_document document = {0};
    struct diag why = {0};
    enum answer answer = ANSWER_NOW;
    struct status st;

    body_init(&document.body);
    txn_expect(txn);
    st = fetch(in, ref, &why, &answer, &document);
    if (is_ok(st) && answer == ANSWER_LATER) {
        return TXN_WAIT;
    }
    txn_unexpect(txn);
    work->at++;
    if (!is_ok(st)) {
        TXN_TRY(add_error(in, work, ref, st.code));
        return TXN_DONE;
    }
    if (!is_ok(ARENA_PUSH(txn->arena, &txn->diag, &work->answer.documents, document))) {
        body_done(&document.body);
        return TXN_FAILED;
    }
    return TXN_DONE;
}

static enum txn_verdict
fetch_all(struct inbound *in)
{
    struct iti39_work *work = in->work;

    while (work->at < work->refs.n) {
        const enum txn_verdict verdict = fetch_next(in, work);

        if (verdict != TXN_DONE) {
            return verdict;
        }
    }
    return TXN_DONE;
}

static struct status
add_parts(struct inbound *in, const struct iti39_work *work)
{
    struct txn *txn = &in->txn;
    struct mtom_part *parts;

    TRY(ARENA_ARRAY(txn->arena, work->answer.documents.n + 1, &txn->diag, &parts));
    for (size_t i = 0; i < work->answer.documents.n; i++) {
        const struct retrieved_document *document = &work->answer.documents.items[i];

        parts[i] = (struct mtom_part){document->content_id, document->mime_type, &document->body};
    }
    in->parts = parts;
    in->parts_n = work->answer.documents.n;
    return OK;
}

/* Success and failure are separate events (ITI TF-2 3.43.5.1). */
static struct status
note_documents(struct inbound *in, const struct iti39_work *work)
{
    struct txn *txn = &in->txn;

    in->failure = in->event;
    for (size_t i = 0; i < work->answer.documents.n; i++) {
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &in->event.documents,
                       work->answer.documents.items[i].ref));
    }
    in->failure.documents = work->failed;
    in->failure.outcome = AUDIT_SERIOUS;
    in->failure.outcome_text = SPAN("documents not available or not disclosed");
    if (work->answer.documents.n == 0) {
        in->event = in->failure;
        return OK;
    }
    in->is_partial = work->failed.n > 0;
    return OK;
}

static enum txn_verdict
write_answer(struct inbound *in)
{
    struct txn *txn = &in->txn;
    struct iti39_work *work = in->work;

    work->answer.status = work->failed.n == 0             ? REGISTRY_SUCCESS
                          : work->answer.documents.n == 0 ? REGISTRY_FAILURE
                                                          : REGISTRY_PARTIAL_SUCCESS;
    TXN_TRY(retrieve_answer_write(&work->answer, txn->arena, &in->payload, &txn->diag));
    TXN_TRY(add_parts(in, work));
    TXN_TRY(note_documents(in, work));
    return TXN_DONE;
}

static struct status
refuse(struct inbound *in, enum err code)
{
    struct txn *txn = &in->txn;
    struct iti39_work work = {.answer = {.status = REGISTRY_FAILURE}};
    const struct document_ref none = {0};

    TRY(add_error(in, &work, &none, code));
    return retrieve_answer_write(&work.answer, txn->arena, &in->payload, &txn->diag);
}

const struct responder iti39_responder = {AUDIT_ITI_39, read_query, fetch_all, write_answer,
                                          refuse};

/* ---- Initiating Gateway ---- */

struct status
iti39_ask(struct asking *asking, struct leg *leg)
{
    leg->event.documents = leg->refs;
    return retrieve_query_write(&leg->refs, asking->txn.arena, &leg->payload, &asking->txn.diag);
}

static bool
was_asked(const struct leg *leg, const struct document_ref *ref)
{
    for (size_t i = 0; i < leg->refs.n; i++) {
        const struct document_ref *asked = &leg->refs.items[i];

        if (span_eq(asked->unique_id, ref->unique_id) &&
            span_eq(asked->repository, ref->repository)) {
            return true;
        }
    }
    return false;
}

struct status
iti39_answer(struct asking *asking, struct leg *leg, const struct message *message)
{
    struct txn *txn = &asking->txn;
    struct retrieve_answer *answer;

    TRY(ARENA_NEW(txn->arena, &leg->diag, &answer));
    TRY(retrieve_answer_read(message, txn->arena, &leg->diag, answer));
    TRY(arena_defer(txn->arena, release_answer, answer, &leg->diag));
    leg->status = answer->status;
    leg->errors = answer->errors;
    for (size_t i = 0; i < answer->documents.n; i++) {
        struct retrieved_document *document = &answer->documents.items[i];

        if (!was_asked(leg, &document->ref)) {
            leg->dropped++;
            continue;
        }
        TRY(ARENA_PUSH(txn->arena, &leg->diag, &leg->retrieved, *document));
        body_init(&document->body); /* moved: the leg's now */
    }
    if (leg->retrieved.n == 0) {
        return FAIL(&leg->diag, ERR_PARTNER_REFUSED,
                    "the community gave none of %zu documents: %.*s", leg->refs.n,
                    SPAN_PRINT(answer->errors.n > 0 ? answer->errors.items[0].code
                                                    : SPAN("no RegistryError given")));
    }
    return OK;
}

struct status
iti39_ask_store(struct asking *asking, struct leg *leg, enum answer *ret_answer)
{
    struct txn *txn = &asking->txn;

    while (leg->at < leg->refs.n) {
        struct retrieved_document document = {.ref = leg->refs.items[leg->at]};
        struct document_entry entry = {0};

        body_init(&document.body);
        TRY(store_retrieve(asking->node->store, &document.ref, &txn->park, txn->arena, &leg->diag,
                           ret_answer, &entry, &document.body));
        if (*ret_answer == ANSWER_LATER) {
            return OK;
        }
        leg->at++;
        document.mime_type = entry.mime_type;
        if (!is_ok(ARENA_PUSH(txn->arena, &leg->diag, &leg->retrieved, document))) {
            body_done(&document.body);
            return (struct status){leg->diag.code};
        }
    }
    return OK;
}
