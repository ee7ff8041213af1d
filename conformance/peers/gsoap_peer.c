/*
 * Questions of the gSOAP client: headers, ITI-38 and ITI-39, and ITI-18 and ITI-43, which are the
 * same messages with other actions, by gSOAP's calls. Called by the cases in gsoap_client.c.
 */
#include "gsoap_peer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wsaapi.h"

#define ANONYMOUS    "http://www.w3.org/2005/08/addressing/anonymous"
#define SECURITY_MAX 65536

/* ---- saying what is wrong ---- */

__attribute__((format(printf, 2, 3))) bool
wrong(struct client *client, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(client->why, sizeof(client->why), format, args);
    va_end(args);
    return false;
}

bool
equal(struct client *client, const char *what, const char *wanted, const char *got)
{
    return got != NULL && strcmp(wanted, got) == 0
               ? true
               : wrong(client, "%s: wanted '%s', got '%s'", what, wanted,
                       got == NULL ? "(nothing)" : got);
}

bool
equal_numbers(struct client *client, const char *what, int wanted, int got)
{
    return wanted == got ? true : wrong(client, "%s: wanted %d, got %d", what, wanted, got);
}

/* ---- questions ---- */

char *
text(struct client *client, const char *format, const char *value)
{
    char room[2048];

    snprintf(room, sizeof(room), format, value);
    return soap_strdup(client->soap, room);
}

/* The next Security header, or NULL when all were sent. */
static char *
next_security(struct client *client)
{
    const char *path = client->security_used < client->options.security_n
                           ? client->options.security[client->security_used++]
                           : NULL;
    FILE *file = path == NULL ? NULL : fopen(path, "rb");
    char *room = file == NULL ? NULL : soap_malloc(client->soap, SECURITY_MAX);
    size_t n = 0;

    if (room != NULL) {
        n = fread(room, 1, SECURITY_MAX - 1, file);
        room[n] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    return n > 0 ? room : NULL;
}

void
ask_as(struct client *client, const struct side *side)
{
    client->side = side;
    client->home = text(client, "urn:oid:%s", side->community);
    client->entries_n = 0;
}

static char *
endpoint_of(struct client *client, const char *path)
{
    return text(client, text(client, "%s%%s", client->side->url), path);
}

static bool
prepare(struct client *client, const char *path, const char *action, bool is_secured)
{
    struct soap *soap = client->soap;

    client->message_id = soap_wsa_rand_uuid(soap);
    soap->header = NULL;
    if (soap_wsa_request(soap, client->message_id, endpoint_of(client, path), action) != SOAP_OK ||
        soap_wsa_add_ReplyTo(soap, ANONYMOUS) != SOAP_OK) {
        return wrong(client, "gSOAP cannot write the addressing header");
    }
    soap->header->__security = NULL;
    if (is_secured && client->side->is_secured) {
        soap->header->__security = next_security(client);
        if (soap->header->__security == NULL) {
            return wrong(client, "no Security header is left; %d are needed", SECURITY_FILES);
        }
    }
    return true;
}

bool
prepare_query(struct client *client)
{
    return prepare(client, client->side->query_path, client->side->query_action, true);
}

bool
prepare_retrieve(struct client *client, bool is_secured)
{
    return prepare(client, client->side->retrieve_path, client->side->retrieve_action, is_secured);
}

static bool
call_failed(struct client *client)
{
    char room[900] = "";

    soap_sprint_fault(client->soap, room, sizeof(room));
    return wrong(client, "the call failed: %s", room);
}

/* What every answer's header says (WS-Addressing 1.0 SOAP binding). */
static bool
check_header(struct client *client, const char *action)
{
    struct SOAP_ENV__Header *header = client->soap->header;

    if (soap_wsa_check(client->soap) != SOAP_OK) {
        return wrong(client, "the answer has no addressing headers");
    }
    if (header->wsa5__RelatesTo == NULL) {
        return wrong(client, "the answer has no RelatesTo");
    }
    return equal(client, "Action", text(client, "%sResponse", action), header->wsa5__Action) &&
           equal(client, "RelatesTo", client->message_id, header->wsa5__RelatesTo->__item);
}

void
set_slot(struct client *client, struct rim__SlotType1 *slot, const char *name, const char *value)
{
    struct soap *soap = client->soap;

    soap_default_rim__SlotType1(soap, slot);
    slot->name = soap_strdup(soap, name);
    slot->ValueList = soap_new_rim__ValueListType(soap, 1);
    slot->ValueList->__size_ValueListType_sequence = 1;
    slot->ValueList->__ValueListType_sequence = soap_new___rim__ValueListType_sequence(soap, 1);
    slot->ValueList->__ValueListType_sequence->Value = soap_strdup(soap, value);
}

bool
query(struct client *client, const char *id, struct rim__SlotType1 *slots, int n, bool is_leaf,
      struct _query__AdhocQueryResponse *ret_answer)
{
    struct soap *soap = client->soap;
    struct _query__AdhocQueryRequest *request = soap_new__query__AdhocQueryRequest(soap, 1);
    const char *action = client->side->query_action;

    request->ResponseOption = soap_new_query__ResponseOptionType(soap, 1);
    request->ResponseOption->returnType = is_leaf ? LeafClass : ObjectRef;
    request->ResponseOption->returnComposedObjects = true_;
    request->rim__AdhocQuery = soap_new_rim__AdhocQueryType(soap, 1);
    request->rim__AdhocQuery->id = soap_strdup(soap, id);
    request->rim__AdhocQuery->home = soap_strdup(soap, client->home);
    request->rim__AdhocQuery->__sizeSlot = n;
    request->rim__AdhocQuery->Slot_ = slots;
    soap_default__query__AdhocQueryResponse(soap, ret_answer);
    if (soap_call___ihe__RespondingGateway_USCORECrossGatewayQuery(
            soap, endpoint_of(client, client->side->query_path), action, request, ret_answer) !=
        SOAP_OK) {
        return call_failed(client);
    }
    return check_header(client, action);
}

bool
find_documents(struct client *client, bool is_leaf, struct _query__AdhocQueryResponse *ret_answer)
{
    struct rim__SlotType1 *slots = soap_new_rim__SlotType1(client->soap, 2);

    set_slot(client, &slots[0], "$XDSDocumentEntryPatientId",
             text(client, "'%s'", client->side->patient));
    set_slot(client, &slots[1], "$XDSDocumentEntryStatus", "('" APPROVED "')");
    return prepare_query(client) && query(client, FIND_DOCUMENTS, slots, 2, is_leaf, ret_answer);
}

bool
retrieve(struct client *client, bool has_known, const char *unknown,
         struct ihe__RetrieveDocumentSetResponseType *ret_answer)
{
    struct soap *soap = client->soap;
    struct ihe__RetrieveDocumentSetRequestType *request =
        soap_new_ihe__RetrieveDocumentSetRequestType(soap, 1);
    const int known_n = has_known ? client->entries_n : 0;
    const int n = known_n + (unknown == NULL ? 0 : 1);

    if (client->entries_n == 0) {
        return wrong(client, "no document is known");
    }
    request->__sizeDocumentRequest = n;
    request->DocumentRequest = soap_new_ihe__DocumentRequestType(soap, n);
    for (int i = 0; i < n; i++) {
        const struct entry *entry = &client->entries[i < known_n ? i : 0];

        request->DocumentRequest[i].HomeCommunityId = soap_strdup(soap, client->home);
        request->DocumentRequest[i].RepositoryUniqueId = soap_strdup(soap, entry->repository);
        request->DocumentRequest[i].DocumentUniqueId =
            soap_strdup(soap, i < known_n ? entry->unique_id : unknown);
    }
    soap_default_ihe__RetrieveDocumentSetResponseType(soap, ret_answer);
    /* MTOM although nothing is attached (ITI TF-2 3.43.5.1) */
    soap_set_mime(soap, NULL, NULL);
    if (soap_call___ihe__RespondingGateway_USCORECrossGatewayRetrieve(
            soap, endpoint_of(client, client->side->retrieve_path), client->side->retrieve_action,
            request, ret_answer) != SOAP_OK) {
        return call_failed(client);
    }
    soap_clr_mime(soap);
    return check_header(client, client->side->retrieve_action);
}
