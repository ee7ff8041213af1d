/*
 * Writes the records of regrep.h with the code that soapcpp2 makes of regrep.gsoap.h (see
 * regrep_gsoap.c). Called by the codecs on any thread. Nothing of gSOAP's memory outlives a call:
 * bytes go to the caller's buffer. Failures while records are made are sticky.
 */
#include "soap/regrep_io.h"

#include <regrepH.h>

/* ---- our records to gSOAP's ---- */

static struct rim__SlotType *
make_slots(struct regrep_writer *w, const struct rim_slot_list *slots)
{
    struct rim__SlotType *to = regrep_room(w, slots->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < slots->n; i++) {
        const struct span_list *values = &slots->items[i].values;
        struct rim__ValueListType *list = regrep_room(w, 1, sizeof(*list));
        char **texts = regrep_room(w, values->n, sizeof(*texts));
        for (size_t k = 0; texts != NULL && k < values->n; k++) {
            texts[k] = regrep_required(w, values->items[k]);
        }
        to[i].name = regrep_required(w, slots->items[i].name);
        to[i].ValueList = list;
        if (list != NULL && texts != NULL) {
            list->__sizeValue = (int)values->n;
            list->Value = texts;
        }
    }
    return to;
}

static struct rim__InternationalStringType *
make_string(struct regrep_writer *w, struct span text)
{
    if (text.n == 0) {
        return NULL;
    }
    struct rim__InternationalStringType *to = regrep_room(w, 1, sizeof(*to));
    struct rim__LocalizedStringType *value = regrep_room(w, 1, sizeof(*value));
    if (to != NULL && value != NULL) {
        value->value = regrep_required(w, text);
        to->__sizeLocalizedString = 1;
        to->LocalizedString = value;
    }
    return to;
}

static struct rim__ClassificationType *
make_classifications(struct regrep_writer *w, const struct rim_classification_list *list)
{
    struct rim__ClassificationType *to = regrep_room(w, list->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < list->n; i++) {
        const struct rim_classification *from = &list->items[i];
        to[i].id = regrep_required(w, from->id);
        to[i].classifiedObject = regrep_required(w, from->object);
        if (from->class_node.n > 0) {
            to[i].classificationNode = regrep_required(w, from->class_node);
        } else {
            to[i].classificationScheme = regrep_required(w, from->scheme);
            to[i].nodeRepresentation = regrep_required(w, from->node);
        }
        to[i].Name = make_string(w, from->name);
        to[i].Slot = make_slots(w, &from->slots);
        to[i].__sizeSlot = (int)from->slots.n;
    }
    return to;
}

static struct rim__ExternalIdentifierType *
make_identifiers(struct regrep_writer *w, const struct rim_identifier_list *list)
{
    struct rim__ExternalIdentifierType *to = regrep_room(w, list->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < list->n; i++) {
        const struct rim_identifier *from = &list->items[i];
        to[i].id = regrep_required(w, from->id);
        to[i].registryObject = regrep_required(w, from->object);
        to[i].identificationScheme = regrep_required(w, from->scheme);
        to[i].value = regrep_required(w, from->value);
        to[i].Name = make_string(w, from->name);
    }
    return to;
}

static struct rim__RegistryObjectType *
make_objects(struct regrep_writer *w, const struct rim_object_list *list)
{
    struct rim__RegistryObjectType *to = regrep_room(w, list->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < list->n; i++) {
        const struct rim_object *from = &list->items[i];
        to[i].id = regrep_required(w, from->id);
        to[i].home = regrep_optional(w, from->home);
        to[i].lid = regrep_optional(w, from->lid);
        to[i].objectType = regrep_optional(w, from->object_type);
        to[i].status = regrep_optional(w, from->status);
        to[i].mimeType = regrep_optional(w, from->mime_type);
        to[i].associationType = regrep_optional(w, from->association_type);
        to[i].sourceObject = regrep_optional(w, from->source);
        to[i].targetObject = regrep_optional(w, from->target);
        to[i].Name = make_string(w, from->name);
        to[i].Description = make_string(w, from->description);
        to[i].Slot = make_slots(w, &from->slots);
        to[i].__sizeSlot = (int)from->slots.n;
        to[i].Classification = make_classifications(w, &from->classifications);
        to[i].__sizeClassification = (int)from->classifications.n;
        to[i].ExternalIdentifier = make_identifiers(w, &from->identifiers);
        to[i].__sizeExternalIdentifier = (int)from->identifiers.n;
    }
    return to;
}

static struct rim__ObjectRefType *
make_refs(struct regrep_writer *w, const struct rim_ref_list *list)
{
    struct rim__ObjectRefType *to = regrep_room(w, list->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < list->n; i++) {
        to[i].id = regrep_required(w, list->items[i].id);
        to[i].home = regrep_optional(w, list->items[i].home);
    }
    return to;
}

static struct rim__RegistryObjectListType *
make_list(struct regrep_writer *w, const struct rim_list *from)
{
    struct rim__RegistryObjectListType *list = regrep_room(w, 1, sizeof(*list));
    if (list != NULL) {
        list->ExtrinsicObject = make_objects(w, &from->documents);
        list->__sizeExtrinsicObject = (int)from->documents.n;
        list->RegistryPackage = make_objects(w, &from->packages);
        list->__sizeRegistryPackage = (int)from->packages.n;
        list->Association = make_objects(w, &from->associations);
        list->__sizeAssociation = (int)from->associations.n;
        list->Classification = make_classifications(w, &from->classifications);
        list->__sizeClassification = (int)from->classifications.n;
        list->ObjectRef = make_refs(w, &from->refs);
        list->__sizeObjectRef = (int)from->refs.n;
    }
    return list;
}

static struct _rs__RegistryErrorList *
make_errors(struct regrep_writer *w, const struct rs_response *response)
{
    const struct rs_error_list *list = &response->errors;
    if (list->n == 0) {
        return NULL;
    }
    struct _rs__RegistryErrorList *to = regrep_room(w, 1, sizeof(*to));
    struct _rs__RegistryError *errors = regrep_room(w, list->n, sizeof(*errors));
    for (size_t i = 0; errors != NULL && i < list->n; i++) {
        errors[i].errorCode = regrep_required(w, list->items[i].code);
        errors[i].codeContext = regrep_required(w, list->items[i].context);
        errors[i].location = regrep_optional(w, list->items[i].location);
        errors[i].severity = regrep_optional(w, list->items[i].severity);
    }
    if (to != NULL && errors != NULL) {
        to->highestSeverity = regrep_optional(w, response->highest_severity);
        to->__sizeRegistryError = (int)list->n;
        to->rs__RegistryError = errors;
    }
    return to;
}

static struct xdsb__DocumentRequestType *
make_requests(struct regrep_writer *w, const struct xdsb_document_list *list)
{
    struct xdsb__DocumentRequestType *to = regrep_room(w, list->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < list->n; i++) {
        to[i].HomeCommunityId = regrep_optional(w, list->items[i].home);
        to[i].RepositoryUniqueId = regrep_required(w, list->items[i].repository);
        to[i].DocumentUniqueId = regrep_required(w, list->items[i].unique_id);
    }
    return to;
}

static struct xdsb__DocumentResponseType *
make_documents(struct regrep_writer *w, const struct xdsb_document_list *list)
{
    struct xdsb__DocumentResponseType *to = regrep_room(w, list->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < list->n; i++) {
        struct xdsb__DocumentType *document = regrep_room(w, 1, sizeof(*document));
        struct xop__IncludeType *include = regrep_room(w, 1, sizeof(*include));
        to[i].HomeCommunityId = regrep_optional(w, list->items[i].home);
        to[i].RepositoryUniqueId = regrep_required(w, list->items[i].repository);
        to[i].DocumentUniqueId = regrep_required(w, list->items[i].unique_id);
        to[i].NewRepositoryUniqueId = regrep_optional(w, list->items[i].new_repository);
        to[i].NewDocumentUniqueId = regrep_optional(w, list->items[i].new_unique_id);
        to[i].mimeType = regrep_required(w, list->items[i].mime_type);
        to[i].Document = document;
        if (document != NULL && include != NULL) {
            include->href = regrep_required(w, list->items[i].href);
            document->xop__Include = include;
        }
    }
    return to;
}

/* ---- the messages ---- */

static void
make_query(struct regrep_writer *w, const struct regrep_query *query,
           struct _query__AdhocQueryRequest *record)
{
    record->ResponseOption = regrep_room(w, 1, sizeof(*record->ResponseOption));
    record->rim__AdhocQuery = regrep_room(w, 1, sizeof(*record->rim__AdhocQuery));
    if (is_ok(w->status)) {
        record->ResponseOption->returnType = regrep_required(w, query->return_type);
        record->ResponseOption->returnComposedObjects = regrep_required(w, SPAN("true"));
        record->rim__AdhocQuery->id = regrep_required(w, query->id);
        record->rim__AdhocQuery->home = regrep_optional(w, query->home);
        record->rim__AdhocQuery->Slot = make_slots(w, &query->slots);
        record->rim__AdhocQuery->__sizeSlot = (int)query->slots.n;
    }
}

static void
make_answer(struct regrep_writer *w, const struct regrep_answer *answer,
            struct _query__AdhocQueryResponse *record)
{
    record->status = regrep_required(w, answer->response.status);
    record->rs__RegistryErrorList = make_errors(w, &answer->response);
    record->rim__RegistryObjectList = make_list(w, &answer->list);
}

static void
make_retrieved(struct regrep_writer *w, const struct xdsb_answer *answer,
               struct _xdsb__RetrieveDocumentSetResponse *record)
{
    struct _rs__RegistryResponse *response = regrep_room(w, 1, sizeof(*response));
    record->rs__RegistryResponse = response;
    if (response != NULL) {
        response->status = regrep_required(w, answer->response.status);
        response->rs__RegistryErrorList = make_errors(w, &answer->response);
    }
    record->DocumentResponse = make_documents(w, &answer->documents);
    record->__sizeDocumentResponse = (int)answer->documents.n;
}

struct status
regrep_write_query(const struct regrep_query *query, struct buf *out, struct diag *diag)
{
    REGREP_WRITE(out, diag, _query__AdhocQueryRequest, "query:AdhocQueryRequest",
                 make_query(&w, query, &record));
}

struct status
regrep_write_answer(const struct regrep_answer *answer, struct buf *out, struct diag *diag)
{
    REGREP_WRITE(out, diag, _query__AdhocQueryResponse, "query:AdhocQueryResponse",
                 make_answer(&w, answer, &record));
}

struct status
regrep_write_retrieve(const struct xdsb_document_list *documents, struct buf *out,
                      struct diag *diag)
{
    REGREP_WRITE(out, diag, _xdsb__RetrieveDocumentSetRequest, "xdsb:RetrieveDocumentSetRequest",
                 record.DocumentRequest = make_requests(&w, documents);
                 record.__sizeDocumentRequest = (int)documents->n);
}

struct status
regrep_write_retrieved(const struct xdsb_answer *answer, struct buf *out, struct diag *diag)
{
    REGREP_WRITE(out, diag, _xdsb__RetrieveDocumentSetResponse, "xdsb:RetrieveDocumentSetResponse",
                 make_retrieved(&w, answer, &record));
}

static struct xdsb__DocumentType *
make_provided(struct regrep_writer *w, const struct xdsb_provided_list *list)
{
    struct xdsb__DocumentType *to = regrep_room(w, list->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < list->n; i++) {
        struct xop__IncludeType *include = regrep_room(w, 1, sizeof(*include));
        to[i].id = regrep_required(w, list->items[i].id);
        to[i].xop__Include = include;
        if (include != NULL) {
            include->href = regrep_required(w, list->items[i].href);
        }
    }
    return to;
}

static void
make_submission(struct regrep_writer *w, const struct xdsb_submission *submission,
                struct _xdsb__ProvideAndRegisterDocumentSetRequest *record)
{
    struct _lcm__SubmitObjectsRequest *submit = regrep_room(w, 1, sizeof(*submit));
    struct rim__SlotListType *slots =
        submission->slots.n == 0 ? NULL : regrep_room(w, 1, sizeof(*slots));
    if (slots != NULL) {
        slots->Slot = make_slots(w, &submission->slots);
        slots->__sizeSlot = (int)submission->slots.n;
    }
    if (submit != NULL) {
        submit->rs__RequestSlotList = slots;
        submit->rim__RegistryObjectList = make_list(w, &submission->list);
    }
    record->lcm__SubmitObjectsRequest = submit;
    record->Document = make_provided(w, &submission->documents);
    record->__sizeDocument = (int)submission->documents.n;
}

struct status
regrep_write_submission(const struct xdsb_submission *submission, struct buf *out,
                        struct diag *diag)
{
    REGREP_WRITE(out, diag, _xdsb__ProvideAndRegisterDocumentSetRequest,
                 "xdsb:ProvideAndRegisterDocumentSetRequest",
                 make_submission(&w, submission, &record));
}

struct status
regrep_write_response(const struct rs_response *response, struct buf *out, struct diag *diag)
{
    REGREP_WRITE(out, diag, _rs__RegistryResponse, "rs:RegistryResponse",
                 record.status = regrep_required(&w, response->status);
                 record.rs__RegistryErrorList = make_errors(&w, response));
}
