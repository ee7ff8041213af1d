/*
 * Reads the records of regrep.h with the code that soapcpp2 makes of regrep.gsoap.h; no other file
 * than this one and regrep_gsoap_write.c sees gSOAP's generated types. Called by the codecs on any
 * thread. Nothing of gSOAP's memory outlives a call: facts are copied to the arena.
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
keep_classifications(const struct regrep_reader *reader, int n,
                     const struct rim__ClassificationType *from,
                     struct rim_classification_list *ret_list)
{
    for (int i = 0; i < n; i++) {
        const struct rim__ClassificationType *c = &from[i];
        struct rim_classification item = {.id = SPAN_EMPTY};
        TRY(REGREP_KEEP(reader, {c->id, &item.id}, {c->classificationScheme, &item.scheme},
                        {c->classifiedObject, &item.object}, {c->nodeRepresentation, &item.node},
                        {c->classificationNode, &item.class_node}));
        TRY(keep_string(reader, c->Name, &item.name));
        TRY(keep_slots(reader, c->__sizeSlot, c->Slot, &item.slots));
        TRY(ARENA_PUSH(reader->arena, reader->diag, ret_list, item));
    }
    return OK;
}

static struct status
keep_identifiers(const struct regrep_reader *reader, const struct rim__RegistryObjectType *from,
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
keep_object(const struct regrep_reader *reader, const struct rim__RegistryObjectType *from,
            struct rim_object *object)
{
    TRY(REGREP_KEEP(reader, {from->id, &object->id}, {from->home, &object->home},
                    {from->lid, &object->lid}, {from->objectType, &object->object_type},
                    {from->status, &object->status}, {from->mimeType, &object->mime_type},
                    {from->associationType, &object->association_type},
                    {from->sourceObject, &object->source}, {from->targetObject, &object->target}));
    TRY(keep_string(reader, from->Name, &object->name));
    TRY(keep_string(reader, from->Description, &object->description));
    TRY(keep_slots(reader, from->__sizeSlot, from->Slot, &object->slots));
    TRY(keep_classifications(reader, from->__sizeClassification, from->Classification,
                             &object->classifications));
    return keep_identifiers(reader, from, &object->identifiers);
}

static struct status
keep_objects(const struct regrep_reader *reader, int n, const struct rim__RegistryObjectType *from,
             struct rim_object_list *ret_list)
{
    for (int i = 0; i < n; i++) {
        struct rim_object object = {.id = SPAN_EMPTY};
        TRY(keep_object(reader, &from[i], &object));
        TRY(ARENA_PUSH(reader->arena, reader->diag, ret_list, object));
    }
    return OK;
}

static struct status
keep_list(const struct regrep_reader *reader, const struct rim__RegistryObjectListType *from,
          struct rim_list *list)
{
    TRY(keep_objects(reader, from->__sizeExtrinsicObject, from->ExtrinsicObject, &list->documents));
    TRY(keep_objects(reader, from->__sizeRegistryPackage, from->RegistryPackage, &list->packages));
    TRY(keep_objects(reader, from->__sizeAssociation, from->Association, &list->associations));
    TRY(keep_classifications(reader, from->__sizeClassification, from->Classification,
                             &list->classifications));
    for (int i = 0; i < from->__sizeObjectRef; i++) {
        struct rim_ref ref = {.id = SPAN_EMPTY};
        TRY(REGREP_KEEP(reader, {from->ObjectRef[i].id, &ref.id},
                        {from->ObjectRef[i].home, &ref.home}));
        TRY(ARENA_PUSH(reader->arena, reader->diag, &list->refs, ref));
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
                        {from[i].NewRepositoryUniqueId, &item.new_repository},
                        {from[i].NewDocumentUniqueId, &item.new_unique_id},
                        {from[i].mimeType, &item.mime_type},
                        {has_include ? document->xop__Include->href : NULL, &item.href}));
        TRY(ARENA_PUSH(reader->arena, reader->diag, ret_list, item));
    }
    return OK;
}

/* ---- the messages ---- */

static struct status
keep_answer(const struct regrep_reader *reader, const struct _query__AdhocQueryResponse *from,
            struct regrep_answer *answer)
{
    TRY(keep_response(reader, from->status, from->rs__RegistryErrorList, &answer->response));
    return from->rim__RegistryObjectList == NULL
               ? OK
               : keep_list(reader, from->rim__RegistryObjectList, &answer->list);
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

/* A Document without content is an empty one: IHEXDSB.xsd allows it. */
static struct status
keep_submission(const struct regrep_reader *reader,
                const struct _xdsb__ProvideAndRegisterDocumentSetRequest *from,
                struct xdsb_submission *submission)
{
    const struct _lcm__SubmitObjectsRequest *submit = from->lcm__SubmitObjectsRequest;
    if (submit == NULL || submit->rim__RegistryObjectList == NULL) {
        return FAIL(reader->diag, reader->code, "ProvideAndRegisterDocumentSetRequest has no %s",
                    submit == NULL ? "SubmitObjectsRequest" : "RegistryObjectList");
    }
    if (submit->rs__RequestSlotList != NULL) {
        TRY(keep_slots(reader, submit->rs__RequestSlotList->__sizeSlot,
                       submit->rs__RequestSlotList->Slot, &submission->slots));
    }
    TRY(keep_list(reader, submit->rim__RegistryObjectList, &submission->list));
    for (int i = 0; i < from->__sizeDocument; i++) {
        const struct xdsb__DocumentType *document = &from->Document[i];
        const bool has_include = document->xop__Include != NULL;
        struct xdsb_provided item = {.id = SPAN_EMPTY};
        TRY(REGREP_KEEP(reader, {document->id, &item.id},
                        {has_include ? document->xop__Include->href : NULL, &item.href}));
        TRY(ARENA_PUSH(reader->arena, reader->diag, &submission->documents, item));
    }
    return OK;
}

struct status
regrep_read_submission(const struct regrep_reader *reader, struct span xml,
                       struct xdsb_submission *ret_submission)
{
    REGREP_READ(reader, xml, _xdsb__ProvideAndRegisterDocumentSetRequest,
                "xdsb:ProvideAndRegisterDocumentSetRequest",
                keep_submission(reader, &record, ret_submission));
}

struct status
regrep_read_response(const struct regrep_reader *reader, struct span xml,
                     struct rs_response *ret_response)
{
    REGREP_READ(reader, xml, _rs__RegistryResponse, "rs:RegistryResponse",
                keep_response(reader, record.status, record.rs__RegistryErrorList, ret_response));
}
