/*
 * The one file that sees gSOAP's generated types: reads and writes the records of regrep.h with the
 * code that soapcpp2 makes of regrep.gsoap.h. Called by the xca_*.c files on any thread. Nothing of
 * gSOAP's memory outlives a call: facts are copied to the arena, bytes go to the caller's buffer.
 */
#include <limits.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "soap/regrep.h"
#include "soap/regrep_io.h"

#include <regrepH.h>

#include <regrep.nsmap>

/* ---- gSOAP's records to ours ---- */

static struct status
keep(const struct regrep_reader *reader, const char *text, struct span *ret_text)
{
    if (text == NULL) {
        *ret_text = SPAN_EMPTY;
        return OK;
    }
    return arena_dup(reader->arena, span_of_cstr(text), reader->diag, ret_text);
}

struct kept {
    const char *from;
    struct span *to;
};

static struct status
keep_all(const struct regrep_reader *reader, const struct kept *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        TRY(keep(reader, pairs[i].from, pairs[i].to));
    }
    return OK;
}

/* KEEP(reader, {from, &to}, ...) */
#define KEEP(reader, ...)                                                                          \
    keep_all((reader), (const struct kept[]){__VA_ARGS__},                                         \
             ARRAY_LEN(((const struct kept[]){__VA_ARGS__})))

static struct status
keep_slots(const struct regrep_reader *reader, int n, const struct rim__SlotType *from,
           struct rim_slot_list *ret_slots)
{
    for (int i = 0; i < n; i++) {
        const struct rim__ValueListType *list = from[i].ValueList;
        struct rim_slot slot = {.name = SPAN_EMPTY};
        TRY(keep(reader, from[i].name, &slot.name));
        for (int k = 0; list != NULL && k < list->__sizeValue; k++) {
            struct span value;
            TRY(keep(reader, list->Value[k], &value));
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
    return keep(reader, has_text ? from->LocalizedString[0].value : NULL, ret_text);
}

static struct status
keep_classifications(const struct regrep_reader *reader,
                     const struct rim__ExtrinsicObjectType *from,
                     struct rim_classification_list *ret_list)
{
    for (int i = 0; i < from->__sizeClassification; i++) {
        const struct rim__ClassificationType *c = &from->Classification[i];
        struct rim_classification item = {.id = SPAN_EMPTY};
        TRY(KEEP(reader, {c->id, &item.id}, {c->classificationScheme, &item.scheme},
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
        TRY(KEEP(reader, {e->id, &item.id}, {e->registryObject, &item.object},
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
    TRY(KEEP(reader, {from->id, &object->id}, {from->home, &object->home},
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
        TRY(KEEP(reader, {from->ObjectRef[i].id, &ref.id}, {from->ObjectRef[i].home, &ref.home}));
        TRY(ARENA_PUSH(reader->arena, reader->diag, &answer->refs, ref));
    }
    return OK;
}

static struct status
keep_response(const struct regrep_reader *reader, const char *status,
              const struct _rs__RegistryErrorList *from, struct rs_response *response)
{
    TRY(keep(reader, status, &response->status));
    if (from == NULL) {
        return OK;
    }
    TRY(keep(reader, from->highestSeverity, &response->highest_severity));
    for (int i = 0; i < from->__sizeRegistryError; i++) {
        const struct _rs__RegistryError *e = &from->rs__RegistryError[i];
        struct rs_error item = {.code = SPAN_EMPTY};
        TRY(KEEP(reader, {e->errorCode, &item.code}, {e->codeContext, &item.context},
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
    TRY(KEEP(reader, {from->ResponseOption->returnType, &query->return_type},
             {from->rim__AdhocQuery->id, &query->id}, {from->rim__AdhocQuery->home, &query->home}));
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
        TRY(KEEP(reader, {from[i].HomeCommunityId, &item.home},
                 {from[i].RepositoryUniqueId, &item.repository},
                 {from[i].DocumentUniqueId, &item.unique_id}, {from[i].mimeType, &item.mime_type},
                 {has_include ? document->xop__Include->href : NULL, &item.href}));
        TRY(ARENA_PUSH(reader->arena, reader->diag, ret_list, item));
    }
    return OK;
}

/* ---- our records to gSOAP's: failures are sticky ---- */

struct writer {
    struct regrep_call call;
    struct status status;
};

/* Room for <n> zeroed records that lives until the call ends; NULL when n is 0 or on failure. */
static void *
room(struct writer *w, size_t n, size_t size)
{
    if (!is_ok(w->status) || n == 0) {
        return NULL;
    }
    void *memory = n > INT_MAX / size ? NULL : soap_malloc(w->call.soap, n * size);
    if (memory == NULL) {
        w->status = FAIL(w->call.diag, ERR_NO_MEMORY, "%zu records of a RegRep message", n);
        return NULL;
    }
    memset(memory, 0, n * size);
    return memory;
}

/* gSOAP writes any byte as it is; what XML 1.0 cannot hold must not get there. */
static bool
is_writable(struct span text)
{
    struct span rest = text;
    uint32_t c = 0;
    while (text_take_char(&rest, &c)) {
        const bool is_space = c == '\t' || c == '\n' || c == '\r';
        if (c == TEXT_MALFORMED || (c < ' ' && !is_space) || c == 0xFFFE || c == 0xFFFF) {
            return false;
        }
    }
    return true;
}

static char *
required(struct writer *w, struct span text)
{
    if (is_ok(w->status) && !is_writable(text)) {
        w->status = FAIL(w->call.diag, ERR_MESSAGE_CONTENT,
                         "a value of %zu bytes is not UTF-8 text that XML 1.0 can hold", text.n);
    }
    char *copy = room(w, text.n + 1, 1);
    if (copy != NULL && text.n > 0) {
        memcpy(copy, text.p, text.n);
    }
    return copy;
}

static char *
optional(struct writer *w, struct span text)
{
    return text.n == 0 ? NULL : required(w, text);
}

static struct rim__SlotType *
make_slots(struct writer *w, const struct rim_slot_list *slots)
{
    struct rim__SlotType *to = room(w, slots->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < slots->n; i++) {
        const struct span_list *values = &slots->items[i].values;
        struct rim__ValueListType *list = room(w, 1, sizeof(*list));
        char **texts = room(w, values->n, sizeof(*texts));
        for (size_t k = 0; texts != NULL && k < values->n; k++) {
            texts[k] = required(w, values->items[k]);
        }
        to[i].name = required(w, slots->items[i].name);
        to[i].ValueList = list;
        if (list != NULL && texts != NULL) {
            list->__sizeValue = (int)values->n;
            list->Value = texts;
        }
    }
    return to;
}

static struct rim__InternationalStringType *
make_string(struct writer *w, struct span text)
{
    if (text.n == 0) {
        return NULL;
    }
    struct rim__InternationalStringType *to = room(w, 1, sizeof(*to));
    struct rim__LocalizedStringType *value = room(w, 1, sizeof(*value));
    if (to != NULL && value != NULL) {
        value->value = required(w, text);
        to->__sizeLocalizedString = 1;
        to->LocalizedString = value;
    }
    return to;
}

static struct rim__ClassificationType *
make_classifications(struct writer *w, const struct rim_classification_list *list)
{
    struct rim__ClassificationType *to = room(w, list->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < list->n; i++) {
        const struct rim_classification *from = &list->items[i];
        to[i].id = required(w, from->id);
        to[i].classificationScheme = required(w, from->scheme);
        to[i].classifiedObject = required(w, from->object);
        to[i].nodeRepresentation = required(w, from->node);
        to[i].Name = make_string(w, from->name);
        to[i].Slot = make_slots(w, &from->slots);
        to[i].__sizeSlot = (int)from->slots.n;
    }
    return to;
}

static struct rim__ExternalIdentifierType *
make_identifiers(struct writer *w, const struct rim_identifier_list *list)
{
    struct rim__ExternalIdentifierType *to = room(w, list->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < list->n; i++) {
        const struct rim_identifier *from = &list->items[i];
        to[i].id = required(w, from->id);
        to[i].registryObject = required(w, from->object);
        to[i].identificationScheme = required(w, from->scheme);
        to[i].value = required(w, from->value);
        to[i].Name = make_string(w, from->name);
    }
    return to;
}

static struct rim__ExtrinsicObjectType *
make_objects(struct writer *w, const struct rim_object_list *list)
{
    struct rim__ExtrinsicObjectType *to = room(w, list->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < list->n; i++) {
        const struct rim_object *from = &list->items[i];
        to[i].id = required(w, from->id);
        to[i].home = optional(w, from->home);
        to[i].lid = optional(w, from->lid);
        to[i].objectType = optional(w, from->object_type);
        to[i].status = optional(w, from->status);
        to[i].mimeType = optional(w, from->mime_type);
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
make_refs(struct writer *w, const struct rim_ref_list *list)
{
    struct rim__ObjectRefType *to = room(w, list->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < list->n; i++) {
        to[i].id = required(w, list->items[i].id);
        to[i].home = optional(w, list->items[i].home);
    }
    return to;
}

static struct _rs__RegistryErrorList *
make_errors(struct writer *w, const struct rs_response *response)
{
    const struct rs_error_list *list = &response->errors;
    if (list->n == 0) {
        return NULL;
    }
    struct _rs__RegistryErrorList *to = room(w, 1, sizeof(*to));
    struct _rs__RegistryError *errors = room(w, list->n, sizeof(*errors));
    for (size_t i = 0; errors != NULL && i < list->n; i++) {
        errors[i].errorCode = required(w, list->items[i].code);
        errors[i].codeContext = required(w, list->items[i].context);
        errors[i].location = optional(w, list->items[i].location);
        errors[i].severity = optional(w, list->items[i].severity);
    }
    if (to != NULL && errors != NULL) {
        to->highestSeverity = optional(w, response->highest_severity);
        to->__sizeRegistryError = (int)list->n;
        to->rs__RegistryError = errors;
    }
    return to;
}

static struct xdsb__DocumentRequestType *
make_requests(struct writer *w, const struct xdsb_document_list *list)
{
    struct xdsb__DocumentRequestType *to = room(w, list->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < list->n; i++) {
        to[i].HomeCommunityId = optional(w, list->items[i].home);
        to[i].RepositoryUniqueId = required(w, list->items[i].repository);
        to[i].DocumentUniqueId = required(w, list->items[i].unique_id);
    }
    return to;
}

static struct xdsb__DocumentResponseType *
make_documents(struct writer *w, const struct xdsb_document_list *list)
{
    struct xdsb__DocumentResponseType *to = room(w, list->n, sizeof(*to));
    for (size_t i = 0; to != NULL && i < list->n; i++) {
        struct xdsb__DocumentType *document = room(w, 1, sizeof(*document));
        struct xop__IncludeType *include = room(w, 1, sizeof(*include));
        to[i].HomeCommunityId = optional(w, list->items[i].home);
        to[i].RepositoryUniqueId = required(w, list->items[i].repository);
        to[i].DocumentUniqueId = required(w, list->items[i].unique_id);
        to[i].mimeType = required(w, list->items[i].mime_type);
        to[i].Document = document;
        if (document != NULL && include != NULL) {
            include->href = required(w, list->items[i].href);
            document->xop__Include = include;
        }
    }
    return to;
}

/* ---- the messages ---- */

/* Reads one element of <type> and hands it to <keep_call>, which sees it as <record>. */
#define READ_MESSAGE(reader, xml, type, element, keep_call)                                        \
    struct regrep_call call = {.in = (xml), .diag = (reader)->diag};                               \
    struct type record;                                                                            \
    struct status st = regrep_call_begin(&call);                                                   \
    if (is_ok(st)) {                                                                               \
        soap_default_##type(call.soap, &record);                                                   \
        st = soap_begin_recv(call.soap) != SOAP_OK ||                                              \
                     soap_get_##type(call.soap, &record, (element), NULL) == NULL ||               \
                     soap_end_recv(call.soap) != SOAP_OK                                           \
                 ? regrep_call_read_failed(&call, (reader)->code, (element))                       \
                 : (keep_call);                                                                    \
    }                                                                                              \
    regrep_call_end(&call);                                                                        \
    return st

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
        TRY(KEEP(reader, {request->HomeCommunityId, &item.home},
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
    READ_MESSAGE(reader, xml, _query__AdhocQueryRequest, "query:AdhocQueryRequest",
                 keep_query(reader, &record, ret_query));
}

struct status
regrep_read_answer(const struct regrep_reader *reader, struct span xml,
                   struct regrep_answer *ret_answer)
{
    READ_MESSAGE(reader, xml, _query__AdhocQueryResponse, "query:AdhocQueryResponse",
                 keep_answer(reader, &record, ret_answer));
}

struct status
regrep_read_retrieve(const struct regrep_reader *reader, struct span xml,
                     struct xdsb_document_list *ret_documents)
{
    READ_MESSAGE(reader, xml, _xdsb__RetrieveDocumentSetRequest, "xdsb:RetrieveDocumentSetRequest",
                 keep_requests(reader, &record, ret_documents));
}

struct status
regrep_read_retrieved(const struct regrep_reader *reader, struct span xml,
                      struct xdsb_answer *ret_answer)
{
    READ_MESSAGE(reader, xml, _xdsb__RetrieveDocumentSetResponse,
                 "xdsb:RetrieveDocumentSetResponse", keep_retrieved(reader, &record, ret_answer));
}

/* Writes one element of <type>; <fill> makes its members in <record>, with <w>. */
#define WRITE_MESSAGE(to, to_diag, type, element, fill)                                            \
    struct writer w = {.call = {.out = (to), .diag = (to_diag)}};                                  \
    struct type record;                                                                            \
    w.status = regrep_call_begin(&w.call);                                                         \
    if (is_ok(w.status)) {                                                                         \
        soap_default_##type(w.call.soap, &record);                                                 \
        fill;                                                                                      \
    }                                                                                              \
    if (is_ok(w.status) && (soap_begin_send(w.call.soap) != SOAP_OK ||                             \
                            soap_put_##type(w.call.soap, &record, (element), NULL) != SOAP_OK ||   \
                            soap_end_send(w.call.soap) != SOAP_OK)) {                              \
        w.status = regrep_call_write_failed(&w.call, (element));                                   \
    }                                                                                              \
    regrep_call_end(&w.call);                                                                      \
    return w.status

static void
make_query(struct writer *w, const struct regrep_query *query,
           struct _query__AdhocQueryRequest *record)
{
    record->ResponseOption = room(w, 1, sizeof(*record->ResponseOption));
    record->rim__AdhocQuery = room(w, 1, sizeof(*record->rim__AdhocQuery));
    if (is_ok(w->status)) {
        record->ResponseOption->returnType = required(w, query->return_type);
        record->ResponseOption->returnComposedObjects = required(w, SPAN("true"));
        record->rim__AdhocQuery->id = required(w, query->id);
        record->rim__AdhocQuery->home = optional(w, query->home);
        record->rim__AdhocQuery->Slot = make_slots(w, &query->slots);
        record->rim__AdhocQuery->__sizeSlot = (int)query->slots.n;
    }
}

static void
make_answer(struct writer *w, const struct regrep_answer *answer,
            struct _query__AdhocQueryResponse *record)
{
    struct rim__RegistryObjectListType *list = room(w, 1, sizeof(*list));
    record->status = required(w, answer->response.status);
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
make_retrieved(struct writer *w, const struct xdsb_answer *answer,
               struct _xdsb__RetrieveDocumentSetResponse *record)
{
    struct _rs__RegistryResponse *response = room(w, 1, sizeof(*response));
    record->rs__RegistryResponse = response;
    if (response != NULL) {
        response->status = required(w, answer->response.status);
        response->rs__RegistryErrorList = make_errors(w, &answer->response);
    }
    record->DocumentResponse = make_documents(w, &answer->documents);
    record->__sizeDocumentResponse = (int)answer->documents.n;
}

struct status
regrep_write_query(const struct regrep_query *query, struct buf *out, struct diag *diag)
{
    WRITE_MESSAGE(out, diag, _query__AdhocQueryRequest, "query:AdhocQueryRequest",
                  make_query(&w, query, &record));
}

struct status
regrep_write_answer(const struct regrep_answer *answer, struct buf *out, struct diag *diag)
{
    WRITE_MESSAGE(out, diag, _query__AdhocQueryResponse, "query:AdhocQueryResponse",
                  make_answer(&w, answer, &record));
}

struct status
regrep_write_retrieve(const struct xdsb_document_list *documents, struct buf *out,
                      struct diag *diag)
{
    WRITE_MESSAGE(out, diag, _xdsb__RetrieveDocumentSetRequest, "xdsb:RetrieveDocumentSetRequest",
                  record.DocumentRequest = make_requests(&w, documents);
                  record.__sizeDocumentRequest = (int)documents->n);
}

struct status
regrep_write_retrieved(const struct xdsb_answer *answer, struct buf *out, struct diag *diag)
{
    WRITE_MESSAGE(out, diag, _xdsb__RetrieveDocumentSetResponse, "xdsb:RetrieveDocumentSetResponse",
                  make_retrieved(&w, answer, &record));
}
