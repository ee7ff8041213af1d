/*
 * What the Body of a captured message says, in short. Called by `isthmus decode`. Read with the
 * codecs of the gateway; what identifies a patient is private, and of documents nothing but type
 * and size is told.
 */
#include "soap/explain_parts.h"
#include "soap/mcci.h"
#include "soap/pdq.h"
#include "soap/pix.h"
#include "soap/plq.h"
#include "soap/xca.h"
#include "soap/xcpd.h"
#include "soap/xdr.h"

/* Parameters whose values say what kind of document is wanted, and not whose. */
static const char *const open_params[] = {
    "$XDSDocumentEntryStatus",
    "$XDSDocumentEntryType",
    "$XDSDocumentEntryClassCode",
    "$XDSDocumentEntryTypeCode",
    "$XDSDocumentEntryFormatCode",
    "$XDSDocumentEntryHealthcareFacilityTypeCode",
    "$XDSDocumentEntryPracticeSettingCode",
    "$XDSDocumentEntryConfidentialityCode",
};

struct teller {
    const struct explanation *explanation;
    struct notes *notes;
    struct note *section;
};

static void
note_problem(const struct teller *teller, struct status st, const struct diag *why)
{
    note_printf(teller->notes, teller->section, "problem", "%s: %s", err_name(st.code), why->text);
}

static void
note_ident(const struct teller *teller, struct note *parent, const char *key,
           const struct ident *id)
{
    struct diag why = {0};
    struct span text = SPAN_EMPTY;

    if (id->root.n > 0 && is_ok(arena_printf(teller->explanation->arena, &why, &text, "%.*s^%.*s",
                                             SPAN_PRINT(id->root), SPAN_PRINT(id->extension)))) {
        note_private(teller->notes, parent, key, text);
    }
}

static void
note_dropped(const struct teller *teller, struct note *parent, size_t n)
{
    if (n > EXPLAIN_LIST_MAX) {
        note_int(teller->notes, parent, "not_listed", (int64_t)(n - EXPLAIN_LIST_MAX));
    }
}

/* ---- ITI-55 ---- */

static void
note_patient(const struct teller *teller, struct note *parent, const struct patient *patient)
{
    struct notes *const notes = teller->notes;

    for (size_t i = 0; i < patient->names.n && i < 1; i++) {
        const struct person_name *const name = &patient->names.items[i];

        note_private(notes, parent, "family", name->family);
        note_private(notes, parent, "given", name->given.n > 0 ? name->given.items[0] : SPAN_EMPTY);
    }
    note_private(notes, parent, "birth_time", patient->birth_time);
    note_private(notes, parent, "sex", patient->sex);
    for (size_t i = 0; i < patient->ids.n && i < 1; i++) {
        note_ident(teller, parent, "id", &patient->ids.items[i]);
    }
    note_int(notes, parent, "names", (int64_t)patient->names.n);
    note_int(notes, parent, "ids", (int64_t)patient->ids.n);
    note_int(notes, parent, "addresses", (int64_t)patient->addresses.n);
    note_int(notes, parent, "telecoms", (int64_t)patient->telecoms.n);
}

static struct status
tell_discovery(const struct teller *teller, struct diag *why)
{
    struct xcpd_query query;

    TRY(xcpd_query_read(teller->explanation->message, teller->explanation->arena, why, &query));
    note_text(teller->notes, teller->section, "sender", query.sender_home);
    note_text(teller->notes, teller->section, "receiver", query.receiver_home);
    note_patient(teller, note_object(teller->notes, teller->section, "asked_for"), &query.subject);
    return OK;
}

static const char *
result_name(enum xcpd_result result)
{
    static const char *const names[] = {[XCPD_MATCH] = "match",
                                        [XCPD_AMBIGUOUS] = "ambiguous: more attributes are needed",
                                        [XCPD_NONE] = "no match",
                                        [XCPD_ERROR] = "error"};

    return names[result];
}

/* The id of the query that is answered, so that the answer can be read without the question. */
static struct ident
answered_query(const struct teller *teller)
{
    const xmlNode *const payload = teller->explanation->message->payload;

    for (const xmlNode *node = payload; node != NULL; node = xml_walk(node, payload)) {
        if (xml_is(node, NS_HL7, "queryId")) {
            return (struct ident){.root = xml_attr_text(node, "root"),
                                  .extension = xml_attr_text(node, "extension")};
        }
    }
    return (struct ident){.root = SPAN_EMPTY};
}

static void
note_match(const struct teller *teller, struct note *list, const struct xcpd_match *match)
{
    struct note *const item = note_object(teller->notes, list, NULL);

    note_text(teller->notes, item, "community", match->home);
    if (match->degree >= 0) {
        note_int(teller->notes, item, "degree", match->degree);
    }
    note_patient(teller, item, &match->patient);
}

static struct status
tell_discovered(const struct teller *teller, struct diag *why)
{
    const struct ident query_id = answered_query(teller);
    struct xcpd_answer answer;

    TRY(xcpd_answer_read(teller->explanation->message, &query_id, teller->explanation->arena, why,
                         &answer));
    note_cstr(teller->notes, teller->section, "result", result_name(answer.result));
    note_int(teller->notes, teller->section, "registration_events", (int64_t)answer.matches.n);
    for (size_t i = 0; i < answer.issues.n && i < EXPLAIN_LIST_MAX; i++) {
        note_word(teller->notes, teller->section, "issues", answer.issues.items[i]);
    }
    note_private(teller->notes, teller->section, "error_text", answer.error_text);
    struct note *const list = note_list(teller->notes, teller->section, "matches");
    for (size_t i = 0; i < answer.matches.n && i < EXPLAIN_LIST_MAX; i++) {
        note_match(teller, list, &answer.matches.items[i]);
    }
    note_dropped(teller, teller->section, answer.matches.n);
    return OK;
}

/* ---- ITI-47, ITI-45, ITI-56 and acknowledgements ---- */

static struct status
tell_demographics(const struct teller *teller, struct diag *why)
{
    struct xcpd_query query;

    TRY(pdq_query_read(teller->explanation->message, teller->explanation->arena, why, &query));
    note_text(teller->notes, teller->section, "sender", query.sender_device.root);
    for (size_t i = 0; i < query.domains.n && i < EXPLAIN_LIST_MAX; i++) {
        note_word(teller->notes, teller->section, "domains", query.domains.items[i].root);
    }
    note_patient(teller, note_object(teller->notes, teller->section, "asked_for"), &query.subject);
    return OK;
}

static struct status
tell_continuation(const struct teller *teller, struct diag *why)
{
    struct pdq_continuation continuation;

    TRY(pdq_continuation_read(teller->explanation->message, teller->explanation->arena, why,
                              &continuation));
    note_cstr(teller->notes, teller->section, "wants",
              continuation.is_cancel ? "the query forgotten" : "the next results");
    note_int(teller->notes, teller->section, "start", (int64_t)continuation.start);
    note_int(teller->notes, teller->section, "quantity", (int64_t)continuation.quantity);
    return OK;
}

static struct status
tell_cross_reference(const struct teller *teller, struct diag *why)
{
    struct pix_query query;

    TRY(pix_query_read(teller->explanation->message, teller->explanation->arena, why, &query));
    note_ident(teller, teller->section, "patient", &query.patient);
    for (size_t i = 0; i < query.sources.n && i < EXPLAIN_LIST_MAX; i++) {
        note_word(teller->notes, teller->section, "domains", query.sources.items[i].root);
    }
    return OK;
}

static struct status
tell_cross_referenced(const struct teller *teller, struct diag *why)
{
    static const char *const names[] = {
        [PIX_FOUND] = "found",
        [PIX_NONE] = "no other id",
        [PIX_UNKNOWN_PATIENT] = "the patient is not known",
        [PIX_UNKNOWN_SOURCE] = "a domain is not known",
        [PIX_ERROR] = "error",
    };
    const struct pix_query query = {.query_id = answered_query(teller)};
    struct pix_answer answer;

    TRY(pix_answer_read(teller->explanation->message, &query, teller->explanation->arena, why,
                        &answer));
    note_cstr(teller->notes, teller->section, "result", names[answer.result]);
    note_int(teller->notes, teller->section, "ids", (int64_t)answer.ids.n);
    return OK;
}

static struct status
tell_location(const struct teller *teller, struct diag *why)
{
    struct ident patient;

    TRY(plq_query_read(teller->explanation->message, teller->explanation->arena, why, &patient));
    note_ident(teller, teller->section, "patient", &patient);
    return OK;
}

static struct status
tell_located(const struct teller *teller, struct diag *why)
{
    const struct message *const message = teller->explanation->message;
    const xmlNode *const first = xml_first(message->payload);
    const xmlNode *const asked = xml_child(first, NS_XCPD, "RequestedPatientId");
    const struct ident patient = {.root = xml_attr_text(asked, "root"),
                                  .extension = xml_attr_text(asked, "extension")};
    struct plq_location_list locations;

    TRY(plq_answer_read(message, &patient, teller->explanation->arena, why, &locations));
    note_int(teller->notes, teller->section, "locations", (int64_t)locations.n);
    for (size_t i = 0; i < locations.n && i < EXPLAIN_LIST_MAX; i++) {
        note_word(teller->notes, teller->section, "communities", locations.items[i].home);
    }
    return OK;
}

static struct status
tell_acknowledgement(const struct teller *teller, struct diag *why)
{
    struct mcci mcci;

    TRY(mcci_read(teller->explanation->message, NULL, teller->explanation->arena, why, &mcci));
    note_text(teller->notes, teller->section, "acknowledgement", mcci.said.type_code);
    for (size_t i = 0; i < mcci.said.details.n && i < EXPLAIN_LIST_MAX; i++) {
        note_word(teller->notes, teller->section, "codes", mcci.said.details.items[i].code.value);
    }
    return OK;
}

/* ---- ITI-38 ---- */

static bool
is_open_param(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(open_params); i++) {
        if (span_eq_cstr(name, open_params[i])) {
            return true;
        }
    }
    return false;
}

static void
note_param(const struct teller *teller, struct note *list, const struct query_param *param)
{
    struct note *const item = note_object(teller->notes, list, NULL);
    const bool is_told = is_open_param(param->name) || teller->notes->shows_private;

    note_text(teller->notes, item, "name", param->name);
    note_int(teller->notes, item, "values", (int64_t)param->values.n);
    for (size_t i = 0; i < param->values.n && i < EXPLAIN_LIST_MAX; i++) {
        if (is_told) {
            note_word(teller->notes, item, "value", param->values.items[i]);
        } else if (i == 0) {
            note_private(teller->notes, item, "value", param->values.items[i]);
        }
    }
}

static struct status
tell_query(const struct teller *teller, struct diag *why)
{
    struct stored_query query;

    TRY(stored_query_read(teller->explanation->message, teller->explanation->arena, why, &query));
    note_printf(teller->notes, teller->section, "query", "%.*s%s", SPAN_PRINT(query.id),
                span_eq(query.id, SPAN(XCA_FIND_DOCUMENTS))  ? " (FindDocuments)"
                : span_eq(query.id, SPAN(XCA_GET_DOCUMENTS)) ? " (GetDocuments)"
                                                             : "");
    note_text(teller->notes, teller->section, "home", query.home);
    note_cstr(teller->notes, teller->section, "return_type",
              query.wants_leaf_class ? "LeafClass" : "ObjectRef");
    struct note *const list = note_list(teller->notes, teller->section, "parameters");
    for (size_t i = 0; i < query.params.n && i < EXPLAIN_LIST_MAX; i++) {
        note_param(teller, list, &query.params.items[i]);
    }
    note_dropped(teller, teller->section, query.params.n);
    return OK;
}

static const char *
status_name(enum registry_status status)
{
    static const char *const names[] = {[REGISTRY_SUCCESS] = "Success",
                                        [REGISTRY_PARTIAL_SUCCESS] = "PartialSuccess",
                                        [REGISTRY_FAILURE] = "Failure"};

    return names[status];
}

static void
note_errors(const struct teller *teller, const struct registry_error_list *errors)
{
    struct note *const list = note_list(teller->notes, teller->section, "errors");

    for (size_t i = 0; i < errors->n && i < EXPLAIN_LIST_MAX; i++) {
        struct note *const item = note_object(teller->notes, list, NULL);

        note_text(teller->notes, item, "code", errors->items[i].code);
        note_cstr(teller->notes, item, "severity",
                  errors->items[i].is_warning ? "warning" : "error");
        note_private(teller->notes, item, "context", errors->items[i].context);
        note_private(teller->notes, item, "location", errors->items[i].location);
    }
    note_dropped(teller, teller->section, errors->n);
}

static void
note_entry(const struct teller *teller, struct note *list, const struct document_entry *entry)
{
    struct note *const item = note_object(teller->notes, list, NULL);

    note_text(teller->notes, item, "home", entry->home);
    note_text(teller->notes, item, "repository", entry->repository);
    note_text(teller->notes, item, "mime_type", entry->mime_type);
    note_text(teller->notes, item, "class_code", entry->class_code.value);
    note_text(teller->notes, item, "type_code", entry->type_code.value);
    note_text(teller->notes, item, "format_code", entry->format_code.value);
    for (size_t i = 0; i < entry->confidentiality.n && i < EXPLAIN_LIST_MAX; i++) {
        note_word(teller->notes, item, "confidentiality", entry->confidentiality.items[i].value);
    }
    if (entry->has_size) {
        note_int(teller->notes, item, "bytes", (int64_t)entry->size);
    }
    note_private(teller->notes, item, "document", entry->unique_id);
    note_private(teller->notes, item, "title", entry->title);
    note_private(teller->notes, item, "patient_id", entry->patient_id);
}

static struct status
tell_found(const struct teller *teller, struct diag *why)
{
    struct query_answer answer;

    TRY(query_answer_read(teller->explanation->message, teller->explanation->arena, why, &answer));
    note_cstr(teller->notes, teller->section, "status", status_name(answer.status));
    note_int(teller->notes, teller->section, "entries", (int64_t)answer.objects.documents.n);
    note_int(teller->notes, teller->section, "references", (int64_t)answer.refs.n);
    note_errors(teller, &answer.errors);
    struct note *const list = note_list(teller->notes, teller->section, "documents");
    for (size_t i = 0; i < answer.objects.documents.n && i < EXPLAIN_LIST_MAX; i++) {
        note_entry(teller, list, &answer.objects.documents.items[i]);
    }
    note_dropped(teller, teller->section, answer.objects.documents.n);
    return OK;
}

/* ---- ITI-39 ---- */

static void
note_ref(const struct teller *teller, struct note *item, const struct document_ref *ref)
{
    note_text(teller->notes, item, "home", ref->home);
    note_text(teller->notes, item, "repository", ref->repository);
    note_private(teller->notes, item, "document", ref->unique_id);
}

static struct status
tell_retrieve(const struct teller *teller, struct diag *why)
{
    struct document_ref_list refs = {0};

    TRY(retrieve_query_read(teller->explanation->message, teller->explanation->arena, why, &refs));
    note_int(teller->notes, teller->section, "wanted", (int64_t)refs.n);
    struct note *const list = note_list(teller->notes, teller->section, "documents");
    for (size_t i = 0; i < refs.n && i < EXPLAIN_LIST_MAX; i++) {
        note_ref(teller, note_object(teller->notes, list, NULL), &refs.items[i]);
    }
    note_dropped(teller, teller->section, refs.n);
    return OK;
}

static struct status
tell_retrieved(const struct teller *teller, struct diag *why)
{
    struct retrieve_answer answer = {0};

    TRY(retrieve_answer_read(teller->explanation->message, teller->explanation->arena, why,
                             &answer));
    note_cstr(teller->notes, teller->section, "status", status_name(answer.status));
    note_int(teller->notes, teller->section, "retrieved", (int64_t)answer.documents.n);
    note_errors(teller, &answer.errors);
    struct note *const list = note_list(teller->notes, teller->section, "documents");
    for (size_t i = 0; i < answer.documents.n && i < EXPLAIN_LIST_MAX; i++) {
        struct note *const item = note_object(teller->notes, list, NULL);

        note_ref(teller, item, &answer.documents.items[i].ref);
        note_text(teller->notes, item, "mime_type", answer.documents.items[i].mime_type);
        note_int(teller->notes, item, "bytes", (int64_t)answer.documents.items[i].body.size);
    }
    note_dropped(teller, teller->section, answer.documents.n);
    retrieve_answer_done(&answer);
    return OK;
}

/* ---- ITI-41, ITI-80 ---- */

static struct status
tell_provide(const struct teller *teller, struct diag *why)
{
    struct provide_request request;

    TRY(provide_request_read(teller->explanation->message, teller->explanation->arena, why,
                             &request));
    const struct {
        const char *name;
        size_t n;
    } counts[] = {
        {"entries", request.objects.documents.n},
        {"submission_sets", request.objects.submission_sets.n},
        {"folders", request.objects.folders.n},
        {"associations", request.objects.associations.n},
        {"documents", request.documents.n},
        {"entries_without_document", request.entries_without_document.n},
        {"documents_without_entry", request.documents_without_entry.n},
    };
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        note_int(teller->notes, teller->section, counts[i].name, (int64_t)counts[i].n);
    }
    note_text(teller->notes, teller->section, "target", request.target_home);
    struct note *const list = note_list(teller->notes, teller->section, "submitted");
    for (size_t i = 0; i < request.objects.documents.n && i < EXPLAIN_LIST_MAX; i++) {
        note_entry(teller, list, &request.objects.documents.items[i]);
    }
    note_dropped(teller, teller->section, request.objects.documents.n);
    provide_request_done(&request);
    return OK;
}

static struct status
tell_registered(const struct teller *teller, struct diag *why)
{
    struct registry_response response;

    TRY(registry_response_read(teller->explanation->message, teller->explanation->arena, why,
                               &response));
    note_cstr(teller->notes, teller->section, "status", status_name(response.status));
    note_errors(teller, &response.errors);
    return OK;
}

/* ---- faults ---- */

/* Our own texts are told; anybody else's may say anything. */
static bool
is_public_text(struct span reason)
{
    for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
        if (span_eq_cstr(reason, err_public_text((enum err)code))) {
            return true;
        }
    }
    return false;
}

static void
tell_fault(const struct teller *teller)
{
    struct span code;
    struct span reason;

    message_fault(teller->explanation->message, &code, &reason);
    note_text(teller->notes, teller->section, "fault_code", code);
    if (is_public_text(reason)) {
        note_text(teller->notes, teller->section, "reason", reason);
    } else {
        note_private(teller->notes, teller->section, "reason", reason);
    }
}

struct status
explain_payload(const struct explanation *explanation, struct notes *notes, struct diag *diag)
{
    static struct status (*const tell[SOAP_TRANSACTION_COUNT][2])(const struct teller *teller,
                                                                  struct diag *why) = {
        [SOAP_ITI_55] = {tell_discovery, tell_discovered},
        [SOAP_ITI_38] = {tell_query, tell_found},
        [SOAP_ITI_39] = {tell_retrieve, tell_retrieved},
        [SOAP_ITI_18] = {tell_query, tell_found},
        [SOAP_ITI_43] = {tell_retrieve, tell_retrieved},
        [SOAP_ITI_41] = {tell_provide, tell_registered},
        [SOAP_ITI_80] = {tell_provide, tell_registered},
        [SOAP_ITI_55_DEFERRED] = {tell_discovery, tell_acknowledgement},
        [SOAP_ITI_55_RESPONSE] = {tell_discovered, tell_acknowledgement},
        [SOAP_ITI_56] = {tell_location, tell_located},
        [SOAP_ITI_47] = {tell_demographics, tell_discovered},
        [SOAP_ITI_47_CONTINUE] = {tell_continuation, tell_discovered},
        [SOAP_ITI_47_CANCEL] = {tell_continuation, tell_acknowledgement},
        [SOAP_ITI_45] = {tell_cross_reference, tell_cross_referenced},
    };
    const struct explain_claims claims = explain_claims(explanation);

    if (explanation->message == NULL || claims.kind == EXPLAIN_UNKNOWN) {
        return OK;
    }
    const struct teller teller = {explanation, notes, note_object(notes, &notes->top, "payload")};
    if (claims.kind == EXPLAIN_FAULT) {
        tell_fault(&teller);
        return OK;
    }
    struct diag why = {0};
    const struct status st =
        tell[claims.transaction][claims.kind == EXPLAIN_ANSWER ? 1 : 0](&teller, &why);
    if (st.code == ERR_NO_MEMORY) {
        return FAIL(diag, st.code, "%s", why.text);
    }
    if (!is_ok(st)) {
        note_problem(&teller, st, &why);
    }
    return OK;
}
