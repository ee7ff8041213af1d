/*
 * A foreign Initiating Gateway on gSOAP's own stack: its HTTP, TLS, WS-Addressing plugin, SOAP 1.2
 * and MTOM, with a data binding that wsdl2h makes of IHE's WSDLs. It asks a node ITI-38 and ITI-39,
 * and as a local system another node ITI-18 and ITI-43, and checks the answers itself. The Security
 * headers come ready from files, each of which is sent once. One thread; all memory is gSOAP's and
 * lives until the end.
 *
 *   gsoap_client --pem FILE --ca FILE --url URL --community OID --patient CX --expect-documents N
 *                --local-url URL --local-community OID --local-patient CX
 *                --local-expect-documents N SECURITY-FILE...
 *
 * As many Security headers as questions that need one (SECURITY_FILES). Output: "ok ..." and
 * "not ok ..." lines, last "N passed, N failed, N skipped".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "gsoap_peer.h"

#include "wsaapi.h"

#include "RespondingGateway_USCOREBinding_USCORESoap12.nsmap"

#define UNIQUE_ID "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
#define SUCCESS   "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
#define FAILURE   "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"
#define PARTIAL   "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"
#define SHA1_HEX  41

/* ---- answers of ITI-38 ---- */

static const char *
slot_value(const struct rim__ExtrinsicObjectType *object, const char *name)
{
    for (int i = 0; i < object->__sizeSlot; i++) {
        const struct rim__SlotType1 *slot = &object->Slot_[i];

        if (strcmp(slot->name, name) == 0 && slot->ValueList->__size_ValueListType_sequence == 1) {
            return slot->ValueList->__ValueListType_sequence[0].Value;
        }
    }
    return NULL;
}

static const char *
unique_id_of(const struct rim__ExtrinsicObjectType *object)
{
    const struct __rim__ExtrinsicObjectType_sequence *sequence =
        object->__ExtrinsicObjectType_sequence;

    for (int i = 0; sequence != NULL && i < sequence->__sizeExternalIdentifier; i++) {
        const struct rim__ExternalIdentifierType *identifier = &sequence->ExternalIdentifier_[i];

        if (strcmp(identifier->identificationScheme, UNIQUE_ID) == 0) {
            return identifier->value;
        }
    }
    return NULL;
}

static bool
take_entry(struct client *client, const struct rim__ExtrinsicObjectType *object)
{
    const char *size = slot_value(object, "size");
    struct entry entry = {
        .id = object->id,
        .unique_id = unique_id_of(object),
        .repository = slot_value(object, "repositoryUniqueId"),
        .hash = slot_value(object, "hash"),
        .size = size == NULL ? -1 : (int)strtol(size, NULL, 10),
    };

    if (!equal(client, "home of an ExtrinsicObject", client->home, object->home) ||
        !equal(client, "status", APPROVED, object->status)) {
        return false;
    }
    if (entry.unique_id == NULL || entry.repository == NULL || entry.hash == NULL ||
        entry.size <= 0 || client->entries_n == DOCUMENTS_MAX) {
        return wrong(client, "ExtrinsicObject %s lacks uniqueId, repository, hash or size",
                     entry.id);
    }
    client->entries[client->entries_n++] = entry;
    return true;
}

static bool
check_count(struct client *client, const struct _query__AdhocQueryResponse *answer, int wanted)
{
    return equal(client, "status", SUCCESS, answer->status) &&
           equal_numbers(client, "objects", wanted,
                         answer->rim__RegistryObjectList->__size_RegistryObjectListType);
}

static bool
case_find_leaf_class(struct client *client)
{
    struct _query__AdhocQueryResponse answer;

    client->entries_n = 0;
    if (!find_documents(client, true, &answer) ||
        !check_count(client, &answer, client->side->expected)) {
        return false;
    }
    for (int i = 0; i < client->side->expected; i++) {
        const struct __rim__union_RegistryObjectListType *item =
            &answer.rim__RegistryObjectList->__union_RegistryObjectListType[i];

        if (item->__union_RegistryObjectListType !=
            SOAP_UNION__rim__union_RegistryObjectListType_ExtrinsicObject) {
            return wrong(client, "object %d is no ExtrinsicObject", i);
        }
        if (!take_entry(client, item->union_RegistryObjectListType.ExtrinsicObject)) {
            return false;
        }
    }
    return true;
}

static bool
is_known_id(const struct client *client, const char *id)
{
    for (int i = 0; i < client->entries_n; i++) {
        if (strcmp(client->entries[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static bool
case_find_object_refs(struct client *client)
{
    struct _query__AdhocQueryResponse answer;

    if (!find_documents(client, false, &answer) ||
        !check_count(client, &answer, client->side->expected)) {
        return false;
    }
    for (int i = 0; i < client->side->expected; i++) {
        const struct __rim__union_RegistryObjectListType *item =
            &answer.rim__RegistryObjectList->__union_RegistryObjectListType[i];
        const struct rim__ObjectRefType *ref = item->union_RegistryObjectListType.ObjectRef;

        if (item->__union_RegistryObjectListType !=
            SOAP_UNION__rim__union_RegistryObjectListType_ObjectRef) {
            return wrong(client, "object %d is no ObjectRef", i);
        }
        if (!is_known_id(client, ref->id)) {
            return wrong(client, "ObjectRef %s was not among the ExtrinsicObjects", ref->id);
        }
        if (!equal(client, "home of an ObjectRef", client->home, ref->home)) {
            return false;
        }
    }
    return true;
}

static bool
case_get_documents(struct client *client)
{
    struct _query__AdhocQueryResponse answer;
    struct rim__SlotType1 *slot = soap_new_rim__SlotType1(client->soap, 1);

    if (client->entries_n == 0) {
        return wrong(client, "no document is known");
    }
    set_slot(client, slot, "$XDSDocumentEntryEntryUUID",
             text(client, "('%s')", client->entries[0].id));
    if (!prepare_query(client) || !query(client, GET_DOCUMENTS, slot, 1, true, &answer) ||
        !check_count(client, &answer, 1)) {
        return false;
    }
    const struct __rim__union_RegistryObjectListType *item =
        answer.rim__RegistryObjectList->__union_RegistryObjectListType;

    return item->__union_RegistryObjectListType ==
                   SOAP_UNION__rim__union_RegistryObjectListType_ExtrinsicObject
               ? equal(client, "uniqueId", client->entries[0].unique_id,
                       unique_id_of(item->union_RegistryObjectListType.ExtrinsicObject))
               : wrong(client, "the object is no ExtrinsicObject");
}

/* ---- ITI-39 ---- */

static bool
sha1_hex(const unsigned char *bytes, int n, char ret_hex[SHA1_HEX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_n = 0;

    if (n < 0 || EVP_Digest(bytes, (size_t)n, digest, &digest_n, EVP_sha1(), NULL) != 1 ||
        digest_n != 20) {
        return false;
    }
    for (unsigned int i = 0; i < digest_n; i++) {
        snprintf(ret_hex + (size_t)2 * i, 3, "%02x", digest[i]);
    }
    return true;
}

static bool
check_document(struct client *client, const struct entry *entry,
               const struct _ihe__RetrieveDocumentSetResponseType_DocumentResponse *document)
{
    char hash[SHA1_HEX] = "";

    if (!sha1_hex(document->Document.__ptr, document->Document.__size, hash)) {
        return wrong(client, "the bytes of %s cannot be hashed", entry->unique_id);
    }
    return equal(client, "HomeCommunityId", client->home, document->HomeCommunityId) &&
           equal(client, "RepositoryUniqueId", entry->repository, document->RepositoryUniqueId) &&
           equal(client, "DocumentUniqueId", entry->unique_id, document->DocumentUniqueId) &&
           equal_numbers(client, "size in the metadata and of what came", entry->size,
                         document->Document.__size) &&
           equal(client, "hash in the metadata and of what came", entry->hash, hash);
}

static const struct entry *
entry_of(const struct client *client, const char *unique_id)
{
    for (int i = 0; i < client->entries_n; i++) {
        if (strcmp(client->entries[i].unique_id, unique_id) == 0) {
            return &client->entries[i];
        }
    }
    return NULL;
}

static bool
check_documents(struct client *client, const struct ihe__RetrieveDocumentSetResponseType *answer)
{
    const struct __ihe__RetrieveDocumentSetResponseType_sequence *sequence =
        answer->__RetrieveDocumentSetResponseType_sequence;

    if (sequence == NULL) {
        return wrong(client, "no document came");
    }
    if (!equal_numbers(client, "documents", client->entries_n, sequence->__sizeDocumentResponse)) {
        return false;
    }
    for (int i = 0; i < sequence->__sizeDocumentResponse; i++) {
        const struct entry *entry =
            entry_of(client, sequence->DocumentResponse[i].DocumentUniqueId);

        if (entry == NULL) {
            return wrong(client, "document %s came and was not asked for",
                         sequence->DocumentResponse[i].DocumentUniqueId);
        }
        if (!check_document(client, entry, &sequence->DocumentResponse[i])) {
            return false;
        }
    }
    return true;
}

static bool
case_retrieve(struct client *client)
{
    struct ihe__RetrieveDocumentSetResponseType answer;

    return prepare_retrieve(client, true) && retrieve(client, true, NULL, &answer) &&
           equal(client, "status", SUCCESS, answer.rs__RegistryResponse->status) &&
           check_documents(client, &answer);
}

static bool
case_retrieve_partly(struct client *client)
{
    struct ihe__RetrieveDocumentSetResponseType answer;

    if (!prepare_retrieve(client, true) || !retrieve(client, true, "2.999.404", &answer) ||
        !equal(client, "status", PARTIAL, answer.rs__RegistryResponse->status)) {
        return false;
    }
    const struct _rs__RegistryErrorList *errors = answer.rs__RegistryResponse->RegistryErrorList;

    if (errors == NULL || errors->__sizeRegistryError != 1) {
        return wrong(client, "not one RegistryError");
    }
    return equal(client, "errorCode", "XDSDocumentUniqueIdError",
                 errors->RegistryError_[0].errorCode) &&
           check_documents(client, &answer);
}

static bool
case_retrieve_nothing(struct client *client)
{
    struct ihe__RetrieveDocumentSetResponseType answer;

    if (!prepare_retrieve(client, true) || !retrieve(client, false, "2.999.404", &answer) ||
        !equal(client, "status", FAILURE, answer.rs__RegistryResponse->status)) {
        return false;
    }
    return answer.__RetrieveDocumentSetResponseType_sequence == NULL
               ? true
               : wrong(client, "a document came all the same");
}

static bool
case_find_nothing(struct client *client)
{
    struct _query__AdhocQueryResponse answer;
    struct rim__SlotType1 *slot = soap_new_rim__SlotType1(client->soap, 1);

    set_slot(client, slot, "$XDSDocumentEntryUniqueId", "('2.999.404')");
    return prepare_query(client) && query(client, GET_DOCUMENTS, slot, 1, true, &answer) &&
           check_count(client, &answer, 0);
}

/* A query that needs a parameter and does not have it. */
static bool
case_find_without_parameter(struct client *client)
{
    struct _query__AdhocQueryResponse answer;

    if (!prepare_query(client) || !query(client, GET_DOCUMENTS, NULL, 0, true, &answer) ||
        !equal(client, "status", FAILURE, answer.status)) {
        return false;
    }
    const struct _rs__RegistryErrorList *errors = answer.rs__RegistryErrorList;

    return errors != NULL && errors->__sizeRegistryError == 1
               ? equal(client, "errorCode", "XDSStoredQueryMissingParam",
                       errors->RegistryError_[0].errorCode)
               : wrong(client, "not one RegistryError");
}

/* ---- refusals ---- */

static bool
case_no_security(struct client *client)
{
    struct ihe__RetrieveDocumentSetResponseType answer;

    if (!prepare_retrieve(client, false)) {
        return false;
    }
    if (retrieve(client, true, NULL, &answer)) {
        return wrong(client, "an answer to a question without a Security header");
    }
    const char *const *code = soap_faultcode(client->soap);
    const char *const *subcode = soap_faultsubcode(client->soap);

    if (client->soap->fault == NULL || *code == NULL || strstr(*code, "Sender") == NULL) {
        return wrong(client, "no fault of the Sender but: %s", *code == NULL ? "none" : *code);
    }
    return *subcode != NULL && strstr(*subcode, "InvalidSecurity") != NULL
               ? true
               : wrong(client, "subcode %s", *subcode == NULL ? "(none)" : *subcode);
}

static bool
case_security_twice(struct client *client)
{
    struct _query__AdhocQueryResponse answer;

    client->security_used = 0;
    if (find_documents(client, false, &answer)) {
        return wrong(client, "a Security header was believed a second time");
    }
    const char *const *subcode = soap_faultsubcode(client->soap);

    return client->soap->fault != NULL && *subcode != NULL &&
                   strstr(*subcode, "FailedCheck") != NULL
               ? true
               : wrong(client, "subcode %s", *subcode == NULL ? "(none)" : *subcode);
}

struct a_case {
    const char *text;
    bool (*run)(struct client *client);
};

static const struct a_case partner_cases[] = {
    {"gSOAP: ITI-38 asks + ITI-40 asks, success: FindDocuments LeafClass", case_find_leaf_class},
    {"gSOAP: ITI-38 asks, success: FindDocuments ObjectRef", case_find_object_refs},
    {"gSOAP: ITI-38 asks, success: GetDocuments", case_get_documents},
    {"gSOAP: ITI-39 asks, success: over MTOM, hash and size as in the metadata", case_retrieve},
    {"gSOAP: ITI-39 asks, partial: with an unknown document", case_retrieve_partly},
    {"gSOAP: ITI-38 asks, empty: GetDocuments of what is not there", case_find_nothing},
    {"gSOAP: ITI-38 asks, failure: a missing parameter", case_find_without_parameter},
    {"gSOAP: ITI-39 asks, failure: an unknown document", case_retrieve_nothing},
    {"gSOAP: ITI-40 asks, failure: no Security header", case_no_security},
    {"gSOAP: ITI-40 asks, failure: a Security header a second time", case_security_twice},
};
static const struct a_case local_cases[] = {
    {"gSOAP: ITI-18 local, success: FindDocuments LeafClass", case_find_leaf_class},
    {"gSOAP: ITI-18 local, success: FindDocuments ObjectRef", case_find_object_refs},
    {"gSOAP: ITI-18 local, success: GetDocuments", case_get_documents},
    {"gSOAP: ITI-18 local, empty: GetDocuments of what is not there", case_find_nothing},
    {"gSOAP: ITI-18 local, failure: a missing parameter", case_find_without_parameter},
    {"gSOAP: ITI-43 local, success: over MTOM, hash and size as in the metadata", case_retrieve},
    {"gSOAP: ITI-43 local, partial: with an unknown document", case_retrieve_partly},
    {"gSOAP: ITI-43 local, failure: an unknown document", case_retrieve_nothing},
};

/* ---- the program ---- */

static int
run_cases(struct client *client, const struct a_case *cases, size_t n)
{
    int failed = 0;

    for (size_t i = 0; i < n; i++) {
        if (cases[i].run(client)) {
            printf("ok %s\n", cases[i].text);
        } else {
            failed++;
            printf("not ok %s\n    %s\n", cases[i].text, client->why);
        }
    }
    return failed;
}

static int
run_all(struct client *client)
{
    const int partner_n = sizeof(partner_cases) / sizeof(partner_cases[0]);
    const int local_n = sizeof(local_cases) / sizeof(local_cases[0]);
    int failed;

    ask_as(client, &client->options.partner);
    failed = run_cases(client, partner_cases, (size_t)partner_n);
    ask_as(client, &client->options.local);
    failed += run_cases(client, local_cases, (size_t)local_n);
    printf("%d passed, %d failed, 0 skipped\n", partner_n + local_n - failed, failed);
    return failed == 0 ? 0 : 1;
}

static bool
is_complete(const struct side *side)
{
    return side->url != NULL && side->community != NULL && side->patient != NULL &&
           side->expected > 0;
}

static bool
read_options(int argc, char **argv, struct options *options)
{
    struct side *partner = &options->partner, *local = &options->local;
    const char *expected = "", *local_expected = "";
    const struct {
        const char *name;
        const char **value;
    } names[] = {
        {"--pem", &options->pem},
        {"--ca", &options->ca},
        {"--url", &partner->url},
        {"--community", &partner->community},
        {"--patient", &partner->patient},
        {"--expect-documents", &expected},
        {"--local-url", &local->url},
        {"--local-community", &local->community},
        {"--local-patient", &local->patient},
        {"--local-expect-documents", &local_expected},
    };
    int at = 1;

    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        bool is_known = false;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            if (strcmp(argv[at], names[i].name) == 0) {
                *names[i].value = argv[at + 1];
                is_known = true;
            }
        }
        if (!is_known) {
            fprintf(stderr, "gsoap_client: unknown option '%s'\n", argv[at]);
            return false;
        }
    }
    partner->expected = (int)strtol(expected, NULL, 10);
    local->expected = (int)strtol(local_expected, NULL, 10);
    options->security = (const char *const *)argv + at;
    options->security_n = argc - at;
    return options->pem != NULL && options->ca != NULL && is_complete(partner) &&
           is_complete(local) && options->security_n == SECURITY_FILES;
}

int
main(int argc, char **argv)
{
    struct client client = {
        .options.partner = {.query_path = "/xca/query",
                            .query_action = "urn:ihe:iti:2007:CrossGatewayQuery",
                            .retrieve_path = "/xca/retrieve",
                            .retrieve_action = "urn:ihe:iti:2007:CrossGatewayRetrieve",
                            .is_secured = true},
        .options.local = {.query_path = "/registry",
                          .query_action = "urn:ihe:iti:2007:RegistryStoredQuery",
                          .retrieve_path = "/repository",
                          .retrieve_action = "urn:ihe:iti:2007:RetrieveDocumentSet"},
    };

    if (!read_options(argc, argv, &client.options)) {
        fprintf(stderr, "usage: see the head of gsoap_client.c\n");
        return 2;
    }
    soap_ssl_init();
    client.soap = soap_new1(SOAP_ENC_MTOM | SOAP_XML_STRICT | SOAP_IO_KEEPALIVE);
    client.soap->connect_timeout = client.soap->send_timeout = client.soap->recv_timeout = 30;
    soap_register_plugin(client.soap, soap_wsa);
    if (soap_ssl_client_context(client.soap, SOAP_SSL_REQUIRE_SERVER_AUTHENTICATION,
                                client.options.pem, NULL, client.options.ca, NULL,
                                NULL) != SOAP_OK) {
        soap_print_fault(client.soap, stderr);
        return 2;
    }
    const int code = run_all(&client);

    soap_destroy(client.soap);
    soap_end(client.soap);
    soap_free(client.soap);
    return code;
}
