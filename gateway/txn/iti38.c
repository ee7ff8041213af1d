/*
 * ITI-38 Cross Gateway Query, both sides: FindDocuments and GetDocuments over the embedded store,
 * and the FindDocuments that we ask. Runs on workers; everything lives in the transaction's arena.
 * Source: ITI TF-2 3.38 and 3.18.
 */
#include "txn/iti38.h"

#include "txn/inbound.h"
#include "txn/iti38_query.h"

struct iti38_work {
    struct stored_query query;
    struct iti38_question question;
    bool is_patient_known;
    struct document_list found;
};

/* ---- Responding Gateway: parameters ---- */

static struct status
check_home(struct inbound *in, const struct iti38_work *work)
{
    struct diag *diag = &in->txn.diag;
    struct span oid;

    if (work->query.home.n == 0) {
        /* ITI TF-2 3.38.4.1.3: required when no patient id is given */
        return work->question.is_find ? OK
                                      : FAIL(diag, ERR_MISSING_COMMUNITY,
                                             "GetDocuments needs the AdhocQuery's home attribute");
    }
    if (!home_community_oid(work->query.home, &oid) ||
        !span_eq_cstr(oid, in->node->config->community)) {
        return FAIL(diag, ERR_UNKNOWN_COMMUNITY, "the query is for '%.*s', this community is '%s'",
                    SPAN_PRINT(work->query.home), in->node->config->community);
    }
    return OK;
}

static struct status
read_question(struct inbound *in, struct iti38_work *work)
{
    struct txn *txn = &in->txn;
    const struct status st =
        iti38_question_read(&work->query, txn->arena, &txn->diag, &work->question);

    if (work->question.patient.n > 0) {
        struct diag ignored = {0}; /* the first failure counts */

        TRY(ARENA_PUSH(txn->arena, is_ok(st) ? &txn->diag : &ignored, &in->event.patients,
                       work->question.patient));
    }
    return st;
}

static enum txn_verdict
read_query(struct inbound *in)
{
    struct txn *txn = &in->txn;
    struct iti38_work *work;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &work));
    TXN_TRY(stored_query_read(in->proof.message, txn->arena, &txn->diag, &work->query));
    in->work = work;
    in->event.query_id = work->query.id;
    in->event.query = work->query.query_xml;
    TXN_TRY(read_question(in, work));
    TXN_TRY(check_home(in, work));
    return TXN_DONE;
}

/* ---- Responding Gateway: work ---- */

static struct status
ask_store(struct inbound *in, struct iti38_work *work, enum answer *ret_answer)
{
    struct txn *txn = &in->txn;
    struct store *store = in->node->store;

    if (!work->question.is_find) {
        return store_get_documents(store, &work->question.entry_uuids, &work->question.unique_ids,
                                   &txn->park, txn->arena, &txn->diag, ret_answer, &work->found);
    }
    TRY(inbound_check_own(in, &work->question.filter.patient_id, &txn->diag));
    if (!work->is_patient_known) {
        TRY(store_knows_patient(store, &work->question.filter.patient_id, &txn->park, &txn->diag,
                                ret_answer, &work->is_patient_known));
        if (*ret_answer == ANSWER_LATER) {
            return OK;
        }
        if (!work->is_patient_known) {
            return FAIL(&txn->diag, ERR_UNKNOWN_PATIENT, "the id was not given out by this node");
        }
    }
    return store_find_documents(store, &work->question.filter, &txn->park, txn->arena, &txn->diag,
                                ret_answer, &work->found);
}

static enum txn_verdict
find_documents(struct inbound *in)
{
    struct txn *txn = &in->txn;
    const enum txn_verdict verdict = txn_may_ask(txn);
    enum answer answer = ANSWER_NOW;
    struct status st;

    if (verdict != TXN_DONE) {
        return verdict;
    }
    txn_expect(txn);
    st = ask_store(in, in->work, &answer);
    return txn_settle(txn, st, answer);
}

/* Whose documents the answer names: once each. */
static struct status
note_patient(struct inbound *in, struct span patient_id)
{
    struct span_list *patients = &in->outcomes[0].patients;

    for (size_t i = 0; i < patients->n; i++) {
        if (span_eq(patients->items[i], patient_id)) {
            return OK;
        }
    }
    return ARENA_PUSH(in->txn.arena, &in->txn.diag, patients, patient_id);
}

static struct status
add_found(struct inbound *in, const struct iti38_work *work, struct query_answer *answer)
{
    struct txn *txn = &in->txn;

    for (size_t i = 0; i < work->found.n; i++) {
        const struct document_entry *entry = &work->found.items[i];

        if (!inbound_may_disclose(in, entry)) {
            continue;
        }
        if (!work->question.is_find) {
            TRY(note_patient(in, entry->patient_id));
        }
        if (work->query.wants_leaf_class) {
            TRY(ARENA_PUSH(txn->arena, &txn->diag, &answer->objects.documents, *entry));
        } else {
            const struct document_ref ref = {.home = entry->home, .unique_id = entry->entry_uuid};

            TRY(ARENA_PUSH(txn->arena, &txn->diag, &answer->refs, ref));
        }
    }
    return OK;
}

static enum txn_verdict
write_answer(struct inbound *in)
{
    struct txn *txn = &in->txn;
    const struct iti38_work *work = in->work;
    struct query_answer answer = {.status = REGISTRY_SUCCESS};

    TXN_TRY(add_found(in, work, &answer));
    if (work->query.wants_leaf_class && in->outcomes[0].patients.n > 1) {
        (void)FAIL(&txn->diag, ERR_NOT_SINGLE_PATIENT,
                   "the documents belong to several patients; ask with ObjectRef or one by one");
        return TXN_FAILED;
    }
    TXN_TRY(query_answer_write(&answer, txn->arena, &in->payload, &txn->diag));
    return TXN_DONE;
}

static struct status
refuse(struct inbound *in, enum err code)
{
    struct txn *txn = &in->txn;
    struct query_answer answer = {.status = REGISTRY_FAILURE};
    struct registry_error error = {
        .code =
            span_of_cstr(err_ihe_code(code)[0] == '\0' ? "XDSRegistryError" : err_ihe_code(code)),
        .context = span_of_cstr(err_public_text(code)),
    };

    /* ITI TF-2 3.38.4.1.3: location names the community that the error comes from */
    TRY(arena_printf(txn->arena, &txn->diag, &error.location, "urn:oid:%s",
                     in->node->config->community));
    TRY(ARENA_PUSH(txn->arena, &txn->diag, &answer.errors, error));
    return query_answer_write(&answer, txn->arena, &in->payload, &txn->diag);
}

const struct responder iti38_responder = {AUDIT_ITI_38, read_query, find_documents, write_answer,
                                          refuse};

/* ---- Initiating Gateway ---- */

static struct status
add_param(struct asking *asking, struct leg *leg, struct stored_query *query, const char *name,
          bool is_multiple, const struct span_list *values)
{
    const struct query_param param = {
        .name = span_of_cstr(name), .is_multiple = is_multiple, .values = *values};

    return ARENA_PUSH(asking->txn.arena, &leg->diag, &query->params, param);
}

/* Somebody else's query, as it came, but for the community that this leg asks. Metadata is asked
 * for also where references will do: what is merged, and what our policy judges, are entries. */
static struct status
pass_on(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    struct stored_query query = *asking->order.query;

    query.wants_leaf_class = true;
    TRY(arena_printf(txn->arena, &leg->diag, &query.home, "urn:oid:%.*s",
                     SPAN_PRINT(leg->community)));
    leg->event.query_id = query.id;
    return stored_query_write(&query, txn->arena, &leg->payload, &leg->diag, &leg->event.query);
}

struct status
iti38_ask(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    struct diag *diag = &leg->diag;
    struct stored_query query = {.id = SPAN(XCA_FIND_DOCUMENTS), .wants_leaf_class = true};
    const struct span_list *patient = &leg->event.patients;
    struct span_list status = {0};

    if (asking->order.query != NULL) {
        return pass_on(asking, leg);
    }
    TRY(arena_printf(txn->arena, diag, &query.home, "urn:oid:%.*s", SPAN_PRINT(leg->community)));
    TRY(ARENA_PUSH(txn->arena, diag, &status, SPAN(DOCUMENT_APPROVED)));
    TRY(add_param(asking, leg, &query, "$XDSDocumentEntryPatientId", false, patient));
    TRY(add_param(asking, leg, &query, "$XDSDocumentEntryStatus", true, &status));
    if (asking->order.types.n > 0) {
        TRY(add_param(asking, leg, &query, "$XDSDocumentEntryTypeCode", true,
                      &asking->order.types));
    }
    leg->event.query_id = query.id;
    return stored_query_write(&query, txn->arena, &leg->payload, diag, &leg->event.query);
}

/* Are all errors that the community does not know the patient id? Then it has no documents, and
 * that is an answer (ITI TF-2 3.38.4.1.3: such errors are not passed on). */
static bool
is_unknown_patient(const struct registry_error_list *errors)
{
    bool is_unknown = false;

    for (size_t i = 0; i < errors->n; i++) {
        if (errors->items[i].is_warning) {
            continue;
        }
        if (!span_eq_cstr(errors->items[i].code, "XDSUnknownPatientId")) {
            return false;
        }
        is_unknown = true;
    }
    return is_unknown;
}

static bool
has_error(const struct registry_error_list *errors)
{
    for (size_t i = 0; i < errors->n; i++) {
        if (!errors->items[i].is_warning) {
            return true;
        }
    }
    return false;
}

/* The status decides what the documents are worth (ITI TF-3 4.2.4.2): with Failure there are none,
 * with anything between Failure and Success there should be more. */
static struct status
check_status(struct leg *leg, const struct query_answer *answer)
{
    struct span code;

    leg->status = answer->status;
    leg->errors = answer->errors;
    if (answer->status == REGISTRY_FAILURE && is_unknown_patient(&answer->errors)) {
        return OK;
    }
    if (answer->status == REGISTRY_SUCCESS && !has_error(&answer->errors)) {
        return OK;
    }
    TRY(leg_first_error(leg, &code));
    if (answer->status == REGISTRY_FAILURE) {
        return FAIL(&leg->diag, ERR_PARTNER_REFUSED, "%s answered Failure: %.*s", leg->partner->id,
                    SPAN_PRINT(code));
    }
    leg->status = REGISTRY_PARTIAL_SUCCESS;
    (void)FAIL(&leg->diag, ERR_PARTNER_REFUSED, "%s answered in part only: %.*s", leg->partner->id,
               SPAN_PRINT(code));
    return OK;
}

/* An entry that can be asked for: of a community that the partner speaks for, with both ids. */
static struct status
take_entry(struct asking *asking, struct leg *leg, const struct document_entry *entry)
{
    struct document_entry taken = *entry;
    bool may_take = false;
    struct span oid;

    if (entry->home.n == 0) { /* ITI TF-2 3.38.4.1.3: to be told to who asked */
        leg->dropped_homeless++;
        leg->first_homeless = leg->dropped_homeless == 1 ? entry->entry_uuid : leg->first_homeless;
    }
    if (!leg_may_name(asking, leg, entry->home) || !home_community_oid(entry->home, &oid)) {
        return OK;
    }
    if (entry->unique_id.n == 0 || entry->repository.n == 0 || entry->entry_uuid.n == 0) {
        leg_drop(asking, leg, "named a document without uniqueId, repositoryUniqueId or id");
        return OK;
    }
    TRY(leg_take_repository(asking, leg, entry->repository, oid, &may_take));
    if (!may_take) {
        return OK;
    }
    TRY(arena_printf(leg->arena, &leg->diag, &taken.home, "urn:oid:%.*s", SPAN_PRINT(oid)));
    return ARENA_PUSH(leg->arena, &leg->diag, &leg->documents, taken);
}

struct status
iti38_answer(struct asking *asking, struct leg *leg, const struct message *message)
{
    struct query_answer answer = {0};

    TRY(query_answer_read(message, leg->arena, &leg->diag, &answer));
    TRY(check_status(leg, &answer));
    if (answer.status == REGISTRY_FAILURE) {
        return OK;
    }
    for (size_t i = 0; i < answer.objects.documents.n; i++) {
        TRY(take_entry(asking, leg, &answer.objects.documents.items[i]));
    }
    if (answer.refs.n > 0) {
        leg_drop(asking, leg, "gave an ObjectRef where metadata (LeafClass) was asked for");
    }
    return OK;
}

static struct status
make_filter(struct asking *asking, struct leg *leg, struct store_filter *filter)
{
    TRY(ARENA_PUSH(leg->arena, &leg->diag, &filter->status, SPAN(DOCUMENT_APPROVED)));
    for (size_t i = 0; i < asking->order.types.n; i++) {
        struct code code;

        TRY(iti38_read_code(asking->order.types.items[i], &leg->diag, "--type", &code));
        TRY(ARENA_PUSH(leg->arena, &leg->diag, &filter->type_codes, code));
    }
    return OK;
}

static struct status
find_own(struct asking *asking, struct leg *leg, enum answer *ret_answer,
         struct document_list *found)
{
    struct txn *txn = &asking->txn;
    struct iti38_question question = {.is_find = true, .filter.patient_id = leg->patient_id};

    TRY(asking->order.query == NULL
            ? make_filter(asking, leg, &question.filter)
            : iti38_question_read(asking->order.query, leg->arena, &leg->diag, &question));
    if (!question.is_find) {
        return store_get_documents(asking->node->store, &question.entry_uuids, &question.unique_ids,
                                   &txn->park, leg->arena, &leg->diag, ret_answer, found);
    }
    return store_find_documents(asking->node->store, &question.filter, &txn->park, leg->arena,
                                &leg->diag, ret_answer, found);
}

struct status
iti38_ask_store(struct asking *asking, struct leg *leg, enum answer *ret_answer)
{
    struct document_list found = {0};

    TRY(find_own(asking, leg, ret_answer, &found));
    for (size_t i = 0; *ret_answer == ANSWER_NOW && i < found.n; i++) {
        if (leg_may_disclose(asking, leg, &found.items[i].confidentiality)) {
            TRY(ARENA_PUSH(leg->arena, &leg->diag, &leg->documents, found.items[i]));
        }
    }
    return OK;
}
