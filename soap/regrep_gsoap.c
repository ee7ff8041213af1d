/*
 * The one file that sees gSOAP's generated types: reads and writes the records of regrep.h with the
 * code that soapcpp2 makes of regrep.gsoap.h. Called by the xca_*.c files on any thread. Nothing of
 * gSOAP's memory outlives a call: facts are copied to the arena, bytes go to the caller's buffer.
 */
#include "soap/regrep_io.h"

#include <regrepH.h>

#include <regrep.nsmap>

/* ---- gSOAP's records to ours ---- */

static struct status
keep_slots(const struct regrep_reader *reader, int n, const struct rim__SlotType *from,
           struct rim_slot_list *ret_slots)
{
    for (int i = 0; i < n; i++) {
        const struct rim__ValueListType *list = from[i].ValueList;
        struct rim_slot slot = {.name = SPAN_EMPTY};
        TRY(regrep_keep(reader, from[i].name, &slot.name));
        for (int k = 0; list != NULL && k < list->__sizeValue; k++) {
            struct span value;
            TRY(regrep_keep(reader, list->Value[k], &value));
            TRY(ARENA_PUSH(reader->arena, reader->diag, &slot.values, value));
        }
        TRY(ARENA_PUSH(reader->arena, reader->diag, ret_slots, slot));
    }
    return OK;
}

static struct status
keep_string(const struct regrep_reader *reader, const struct rim__InternationalStringType *from,
            struct span *ret_text)
{
    const bool has_text = from != NULL && from->__sizeLocalizedString > 0;
    return regrep_keep(reader, has_text ? from->LocalizedString[0].value : NULL, ret_text);
}

static struct status
keep_classifications(const struct regrep_reader *reader,
                     const struct rim__ExtrinsicObjectType *from,
                     struct rim_classification_list *ret_list)
{
    for (int i = 0; i < from->__sizeClassification; i++) {
        const struct rim__ClassificationType *c = &from->Classification[i];
        struct rim_classification item = {.id = SPAN_EMPTY};
        TRY(REGREP_KEEP(reader, {c->id, &item.id}, {c->classificationScheme, &item.scheme},
                        {c->classifiedObject, &item.object}, {c->nodeRepresentation, &item.node}));
        TRY(keep_string(reader, c->Name, &item.name));
        TRY(keep_slots(reader, c->__sizeSlot, c->Slot, &item.slots));
        TRY(ARENA_PUSH(reader->arena, reader->diag, ret_list, item));
    }
    return OK;
}

static struct status
keep_identifiers(const struct regrep_reader *reader, const struct rim__ExtrinsicObjectType *from,
                 struct rim_identifier_list *ret_list)
{
    for (int i = 0; i < from->__sizeExternalIdentifier; i++) {
        const struct rim__ExternalIdentifierType *e = &from->ExternalIdentifier[i];
        struct rim_identifier item = {.id = SPAN_EMPTY};
        TRY(REGREP_KEEP(reader, {e->id, &item.id}, {e->registryObject, &item.object},
                        {e->identificationScheme, &item.scheme}, {e->value, &item.value}));
        TRY(keep_string(reader, e->Name, &item.name));
        TRY(ARENA_PUSH(reader->arena, reader->diag, ret_list, item));
    }
    return OK;
}

static struct status
keep_object(const struct regrep_reader *reader, const struct rim__ExtrinsicObjectType *from,
            struct rim_object *object)
{
    TRY(REGREP_KEEP(reader, {from->id, &object->id}, {from->home, &object->home},
                    {from->lid, &object->lid}, {from->objectType, &object->object_type},
                    {from->status, &object->status}, {from->mimeType, &object->mime_type}));
    TRY(keep_string(reader, from->Name, &object->name));
    TRY(keep_string(reader, from->Description, &object->description));
    TRY(keep_slots(reader, from->__sizeSlot, from->Slot, &object->slots));
    TRY(keep_classifications(reader, from, &object->classifications));
    return keep_identifiers(reader, from, &object->identifiers);
}

static struct status
keep_objects(const struct regrep_reader *reader, const struct rim__RegistryObjectListType *from,
             struct regrep_answer *answer)
{
    for (int i = 0; i < from->__sizeExtrinsicObject; i++) {
        struct rim_object object = {.id = SPAN_EMPTY};
        TRY(keep_object(reader, &from->ExtrinsicObject[i], &object));
        TRY(ARENA_PUSH(reader->arena, reader->diag, &answer->objects, object));
    }
    for (int i = 0; i < from->__sizeObjectRef; i++) {
        struct rim_ref ref = {.id = SPAN_EMPTY};
        TRY(REGREP_KEEP(reader, {from->ObjectRef[i].id, &ref.id},
                        {from->ObjectRef[i].home, &ref.home}));
        TRY(ARENA_PUSH(reader->arena, reader->diag, &answer->refs, ref));
    }
    return OK;
}

static struct status
keep_response(const struct regrep_reader *reader, const char *status,
              const struct _rs__RegistryErrorList *from, struct rs_response *response)
{
    TRY(regrep_keep(reader, status, &response->status));
    if (from == NULL) {
        return OK;
    }
    TRY(regrep_keep(reader, from->highestSeverity, &response->highest_severity));
    for (int i = 0; i < from->__sizeRegistryError; i++) {
        const struct _rs__RegistryError *e = &from->rs__RegistryError[i];
        struct rs_error item = {.code = SPAN_EMPTY};
        TRY(REGREP_KEEP(reader, {e->errorCode, &item.code}, {e->codeContext, &item.context},
                        {e->location, &item.location}, {e->severity, &item.severity}));
        TRY(ARENA_PUSH(reader->arena, reader->diag, &response->errors, item));
    }
    return OK;
}

static struct status
keep_query(const struct regrep_reader *reader, const struct _query__AdhocQueryRequest *from,
           struct regrep_query *query)
{
    if (from->ResponseOption == NULL || from->rim__AdhocQuery == NULL) {
        return FAIL(reader->diag, reader->code, "AdhocQueryRequest has no %s",
                    from->ResponseOption == NULL ? "ResponseOption" : "AdhocQuery");
    }
    TRY(REGREP_KEEP(reader, {from->ResponseOption->returnType, &query->return_type},
                    {from->rim__AdhocQuery->id, &query->id},
                    {from->rim__AdhocQuery->home, &query->home}));
    return keep_slots(reader, from->rim__AdhocQuery->__sizeSlot, from->rim__AdhocQuery->Slot,
                      &query->slots);
}

static struct status
keep_documents(const struct regrep_reader *reader, int n,
               const struct xdsb__DocumentResponseType *from, struct xdsb_document_list *ret_list)
{
    for (int i = 0; i < n; i++) {
        const struct xdsb__DocumentType *document = from[i].Document;
        const bool has_include = document != NULL && document->xop__Include != NULL;
        struct xdsb_document item = {.home = SPAN_EMPTY};
        TRY(REGREP_KEEP(reader, {from[i].HomeCommunityId, &item.home},
                        {from[i].RepositoryUniqueId, &item.repository},
                        {from[i].DocumentUniqueId, &item.unique_id},
                        {from[i].mimeType, &item.mime_type},
                        {has_include ? document->xop__Include->href : NULL, &item.href}));
        TRY(ARENA_PUSH(reader->arena, reader->diag, ret_list, item));
    }
    return OK;
}

/* ---- our records to gSOAP's: failures are sticky ---- */

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
        to[i].classificationScheme = regrep_required(w, from->scheme);
        to[i].classifiedObject = regrep_required(w, from->object);
        to[i].nodeRepresentation = regrep_required(w, from->node);
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

static struct rim__ExtrinsicObjectType *
make_objects(struct regrep_writer *w, const struct rim_object_list *list)
{
    struct rim__ExtrinsicObjectType *to = regrep_room(w, list->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < list->n; i++) {
        const struct rim_object *from = &list->items[i];
        to[i].id = regrep_required(w, from->id);
        to[i].home = regrep_optional(w, from->home);
        to[i].lid = regrep_optional(w, from->lid);
        to[i].objectType = regrep_optional(w, from->object_type);
        to[i].status = regrep_optional(w, from->status);
        to[i].mimeType = regrep_optional(w, from->mime_type);
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

static struct status
keep_answer(const struct regrep_reader *reader, const struct _query__AdhocQueryResponse *from,
            struct regrep_answer *answer)
{
    TRY(keep_response(reader, from->status, from->rs__RegistryErrorList, &answer->response));
    return from->rim__RegistryObjectList == NULL
               ? OK
               : keep_objects(reader, from->rim__RegistryObjectList, answer);
}

static struct status
keep_requests(const struct regrep_reader *reader,
              const struct _xdsb__RetrieveDocumentSetRequest *from,
              struct xdsb_document_list *ret_list)
{
    for (int i = 0; i < from->__sizeDocumentRequest; i++) {
        const struct xdsb__DocumentRequestType *request = &from->DocumentRequest[i];
        struct xdsb_document item = {.home = SPAN_EMPTY};
        TRY(REGREP_KEEP(reader, {request->HomeCommunityId, &item.home},
                        {request->RepositoryUniqueId, &item.repository},
                        {request->DocumentUniqueId, &item.unique_id}));
        TRY(ARENA_PUSH(reader->arena, reader->diag, ret_list, item));
    }
    return OK;
}

static struct status
keep_retrieved(const struct regrep_reader *reader,
               const struct _xdsb__RetrieveDocumentSetResponse *from, struct xdsb_answer *answer)
{
    const struct _rs__RegistryResponse *response = from->rs__RegistryResponse;
    if (response == NULL) {
        return FAIL(reader->diag, reader->code,
                    "RetrieveDocumentSetResponse has no RegistryResponse");
    }
    TRY(keep_response(reader, response->status, response->rs__RegistryErrorList,
                      &answer->response));
    return keep_documents(reader, from->__sizeDocumentResponse, from->DocumentResponse,
                          &answer->documents);
}

struct status
regrep_read_query(const struct regrep_reader *reader, struct span xml,
                  struct regrep_query *ret_query)
{
    REGREP_READ(reader, xml, _query__AdhocQueryRequest, "query:AdhocQueryRequest",
                keep_query(reader, &record, ret_query));
}

struct status
regrep_read_answer(const struct regrep_reader *reader, struct span xml,
                   struct regrep_answer *ret_answer)
{
    REGREP_READ(reader, xml, _query__AdhocQueryResponse, "query:AdhocQueryResponse",
                keep_answer(reader, &record, ret_answer));
}

struct status
regrep_read_retrieve(const struct regrep_reader *reader, struct span xml,
                     struct xdsb_document_list *ret_documents)
{
    REGREP_READ(reader, xml, _xdsb__RetrieveDocumentSetRequest, "xdsb:RetrieveDocumentSetRequest",
                keep_requests(reader, &record, ret_documents));
}

struct status
regrep_read_retrieved(const struct regrep_reader *reader, struct span xml,
                      struct xdsb_answer *ret_answer)
{
    REGREP_READ(reader, xml, _xdsb__RetrieveDocumentSetResponse, "xdsb:RetrieveDocumentSetResponse",
                keep_retrieved(reader, &record, ret_answer));
}

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
    struct rim__RegistryObjectListType *list = regrep_room(w, 1, sizeof(*list));
    record->status = regrep_required(w, answer->response.status);
    record->rs__RegistryErrorList = make_errors(w, &answer->response);
    record->rim__RegistryObjectList = list;
    if (list != NULL) {
        list->ExtrinsicObject = make_objects(w, &answer->objects);
        list->__sizeExtrinsicObject = (int)answer->objects.n;
        list->ObjectRef = make_refs(w, &answer->refs);
        list->__sizeObjectRef = (int)answer->refs.n;
    }
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
