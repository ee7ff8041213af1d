/*
 * ITI-80 Cross Gateway Document Provide, both sides. The responder takes a partner's submission
 * into the embedded store, whole or not at all; it hands nothing on to another community. Runs on
 * workers; the documents' bytes are owned by the request and released with the arena. Source: XCDR
 * 3.80 (as ITI TF-2 3.41, with slot homeCommunityId for the target), ITI TF-3 4.2.4.
 */
#include "txn/iti80.h"

#include "base/ids.h"
#include "soap/envelope.h"
#include "txn/inbound.h"

struct iti80_work {
    struct provide_request request;
    bool is_checked;
    struct registry_error_list errors; /* of the answer */
};

static void
release_request(void *request)
{
    provide_request_done(request);
}

/* ---- Responding Gateway ---- */

static enum txn_verdict
read_submission(struct inbound *in)
{
    struct txn *txn = &in->txn;
    struct iti80_work *work;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &work));
    in->work = work;
    TXN_TRY(provide_request_read(in->proof.message, txn->arena, &txn->diag, &work->request));
    TXN_TRY(arena_defer(txn->arena, release_request, &work->request, &txn->diag));
    TXN_TRY(provide_note(&work->request, txn->arena, &txn->diag, &in->event));
    return TXN_DONE;
}

/* A partner's submission is for us, or for nobody here: what is for another partner is not ours to
 * pass on (no transit). */
/* REQ: ITI80-home */
static struct status
check_target(struct inbound *in, struct iti80_work *work)
{
    struct txn *txn = &in->txn;
    const struct config *config = in->node->config;
    struct span community = SPAN_EMPTY;

    TRY(provide_community(config, &work->request, txn->arena, &txn->diag, &work->errors,
                          &community));
    if (community.n == 0 || span_eq_cstr(community, config->community)) {
        return OK;
    }
    return provide_add_error(txn->arena, &txn->diag, &work->errors,
                             work->request.target_home.n > 0 ? SPAN("XDSUnknownCommunity")
                                                             : SPAN("UnknownRecipient"),
                             SPAN("this gateway takes documents for its own community only"),
                             span_slice(community, 0, OID_TEXT));
}

/* An individual (T-IAS) may add to one record only. */
static struct status
check_individual(struct inbound *in, const struct iti80_work *work)
{
    const struct submission_set *set = provide_set(&work->request);

    if (set != NULL && !inbound_may_open(in, set->patient_id)) {
        return FAIL(&in->txn.diag, ERR_IDTOKEN_CONTRADICTION,
                    "the submission is not about the individual of the id_token");
    }
    return OK;
}

static struct status
check_submission(struct inbound *in, struct iti80_work *work)
{
    struct txn *txn = &in->txn;
    const struct provide_request *request = &work->request;

    TRY(check_individual(in, work));
    TRY(check_target(in, work));
    TRY(provide_check(request, txn->arena, &txn->diag, &work->errors));
    TRY(provide_check_own(in->node->config, request, txn->arena, &txn->diag, &work->errors));
    TRY(provide_check_foreign(request, txn->arena, &txn->diag, &work->errors));
    return provide_has_failed(&work->errors) ? provide_refuse(&work->errors, &txn->diag) : OK;
}

/* REQ: ITI80-provide */
static enum txn_verdict
store_submission(struct inbound *in)
{
    struct txn *txn = &in->txn;
    struct iti80_work *work = in->work;
    enum txn_verdict verdict = txn_may_ask(txn);
    enum answer answer = ANSWER_NOW;
    struct status st;

    if (verdict != TXN_DONE) {
        return verdict;
    }
    if (!work->is_checked) {
        work->is_checked = true;
        TXN_TRY(check_submission(in, work));
    }
    txn_expect(txn);
    st = provide_store(in->node->store, &work->request, &in->proof.saml.home_community, &txn->park,
                       txn->arena, &txn->diag, &answer, &work->errors);
    verdict = txn_settle(txn, st, answer);
    if (verdict == TXN_DONE && provide_has_failed(&work->errors)) {
        TXN_TRY(provide_refuse(&work->errors, &txn->diag));
    }
    return verdict;
}

static enum txn_verdict
write_answer(struct inbound *in)
{
    const struct iti80_work *work = in->work;

    TXN_TRY(provide_write_answer(&work->errors, &in->payload, &in->txn.diag));
    return TXN_DONE;
}

static struct status
refuse(struct inbound *in, enum err code)
{
    struct txn *txn = &in->txn;
    const struct iti80_work *work = in->work;
    struct registry_error_list errors = {0};

    if (code == ERR_SUBMISSION) {
        return provide_write_answer(&work->errors, &in->payload, &txn->diag);
    }
    TRY(provide_add_error(txn->arena, &txn->diag, &errors, provide_error_code(code),
                          span_of_cstr(err_public_text(code)), SPAN_EMPTY));
    return provide_write_answer(&errors, &in->payload, &txn->diag);
}

const struct responder iti80_responder = {AUDIT_ITI_80, read_submission, store_submission,
                                          write_answer, refuse};

/* ---- Initiating Gateway ---- */

static struct span
mime_type_of(const struct provide_request *request, const struct provided_document *document)
{
    for (size_t i = 0; document->mime_type.n == 0 && i < request->objects.documents.n; i++) {
        const struct document_entry *entry = &request->objects.documents.items[i];

        if (span_eq(entry->entry_uuid, document->entry_id)) {
            return entry->mime_type;
        }
    }
    return document->mime_type;
}

/* REQ: ITI80-send */
struct status
iti80_ask(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    struct provide_request *request = asking->order.provide;

    TRY(arena_printf(txn->arena, &leg->diag, &request->target_home, "urn:oid:%.*s",
                     SPAN_PRINT(leg->community)));
    TRY(provide_request_write(request, txn->arena, &leg->payload, &leg->diag));
    TRY(ARENA_ARRAY(txn->arena, request->documents.n + 1, &leg->diag, &leg->parts));
    for (size_t i = 0; i < request->documents.n; i++) {
        const struct provided_document *document = &request->documents.items[i];

        leg->parts[i] = (struct mtom_part){document->content_id, mime_type_of(request, document),
                                           &document->body};
    }
    leg->parts_n = request->documents.n;
    return OK;
}

/* A refusal is an answer, and a reason. */
static struct status
note_refusal(struct leg *leg)
{
    struct span code;

    if (leg->status == REGISTRY_SUCCESS) {
        return OK;
    }
    TRY(leg_first_error(leg, &code));
    (void)FAIL(&leg->diag, ERR_PARTNER_REFUSED, "%s refused the submission: %.*s",
               leg->partner == NULL ? "our own store" : leg->partner->id, SPAN_PRINT(code));
    return OK;
}

struct status
iti80_answer(struct asking *asking, struct leg *leg, const struct message *message)
{
    struct registry_response response = {0};

    (void)asking;
    TRY(registry_response_read(message, leg->arena, &leg->diag, &response));
    leg->status = response.status;
    leg->errors = response.errors;
    return note_refusal(leg);
}

struct status
iti80_ask_store(struct asking *asking, struct leg *leg, enum answer *ret_answer)
{
    const struct provide_request *request = asking->order.provide;

    if (leg->errors.n == 0) {
        TRY(provide_check_own(asking->node->config, request, leg->arena, &leg->diag, &leg->errors));
    }
    if (!provide_has_failed(&leg->errors)) {
        TRY(provide_store(asking->node->store, request, NULL, &asking->txn.park, leg->arena,
                          &leg->diag, ret_answer, &leg->errors));
    }
    if (*ret_answer == ANSWER_LATER) {
        return OK;
    }
    leg->status = provide_has_failed(&leg->errors) ? REGISTRY_FAILURE : REGISTRY_SUCCESS;
    return note_refusal(leg);
}
