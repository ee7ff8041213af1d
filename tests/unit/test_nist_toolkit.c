/*
 * The messages of NIST's XDS Toolkit for gateways (ihe/testkit/nist-toolkit of the test data), sent
 * to our node, and the assertions of their test plans: as a Responding Gateway (green, asked by a
 * partner) and as an Initiating Gateway (red, asked by a local system with ITI-18 and ITI-43). The
 * toolkit's placeholders get what our stores hold. 15815 is 12311 with another home and without
 * one.
 */
#include <string.h>

#include "local_kit.h"
#include "soap_support.h"

#define TOOLKIT "ihe/testkit/nist-toolkit/"
#define TESTS   TOOLKIT "xca-tests/"

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;
static struct arena *arena;
static struct scene_stored documents[2]; /* of one patient, at green: all that there are */
static const char *const bytes[2] = {"<ClinicalDocument>one</ClinicalDocument>",
                                     "<ClinicalDocument>two</ClinicalDocument>"};

static void
open_all(void)
{
    struct place *green;

    arena = arena_new(ARENA_LIMIT_DEFAULT);
    (void)local_kit_open(&scene);
    green = scene_place(&scene, "green");
    for (size_t i = 0; i < 2; i++) {
        documents[i] = kit_add(green, "Nist", "N", bytes[i]);
    }
    CU_ASSERT_STRING_EQUAL(documents[0].patient_id, documents[1].patient_id);
}

static void
close_all(void)
{
    local_kit_close(&scene);
    arena_free(arena);
}

/* The toolkit's message with our ids in it; false when the data is not here. */
static bool
read_payload(const char *file, const char *home, struct span *ret_payload)
{
    const struct {
        const char *mark, *value;
    } values[] = {
        {"$home$", home},
        {"\"$home\"", "\"" GREEN "\""}, /* as 12307 spells it */
        {"$repositoryuid$", scene_place(&scene, "green")->config->repository},
        {"$docuid$", documents[0].unique_id},
        {"$docuid1$", documents[0].unique_id},
        {"$docuid2$", documents[1].unique_id},
        {"$doc_uuid_1$", documents[0].entry_uuid},
        {"$doc_uuid_2$", documents[1].entry_uuid},
        {"$doc_uuid$", documents[0].entry_uuid},
        {"$rt0$", "LeafClass"},
    };
    const struct span patient =
        support_replace(arena, span_of_cstr(documents[0].patient_id), "&", "&amp;");
    char patient_id[160];

    if (!support_data(file, arena, ret_payload)) {
        return false;
    }
    CU_ASSERT_FATAL(patient.n < sizeof(patient_id));
    memcpy(patient_id, patient.p, patient.n);
    patient_id[patient.n] = '\0';
    *ret_payload = support_replace(arena, *ret_payload, "$patient_id$", patient_id);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        *ret_payload = support_replace(arena, *ret_payload, values[i].mark, values[i].value);
    }
    *ret_payload = span_trim(*ret_payload);
    return true;
}

/* As a partner to the Responding Gateway. */
static bool
ask_responder(enum soap_transaction transaction, const char *file, const char *home)
{
    struct kit_request request = {.transaction = transaction};

    if (!read_payload(file, home, &request.payload)) {
        return false;
    }
    kit_send(&scene, &request, &reply);
    CU_ASSERT_FATAL(reply.is_here);
    return true;
}

/* As a local system to the Initiating Gateway, which may ask its partners. */
static bool
ask_initiator(enum soap_transaction transaction, const char *file, const char *home)
{
    struct local_request request = {.transaction = transaction};

    if (!read_payload(file, home, &request.payload)) {
        return false;
    }
    local_send(&scene, &request, &reply);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_FATAL(reply.is_here);
    return true;
}

typedef bool (*ask)(enum soap_transaction transaction, const char *file, const char *home);

/* ---- queries ---- */

static const struct query_case {
    const char *responder, *initiator; /* files; NULL: the toolkit has none */
    size_t documents, refs;
} query_cases[] = {
    {TESTS "12309__finddocs__query.xml", TESTS "12306__finddocs__query.xml", 0, 2},
    {TESTS "12310__finddocs__query.xml", TESTS "12300__finddocs__query.xml", 2, 0},
    {TESTS "12311__getdocs__query.xml", NULL, 2, 0},
    {NULL, TESTS "12307__getdocs__query.xml", 2, 0},
    {TESTS "15808__SingleDocumentFindDocuments__query.xml",
     TESTS "15808__SingleDocumentFindDocuments__query.xml", 2, 0},
    {TESTS "15808__SingleDocumentGetDocuments__query.xml",
     TESTS "15808__SingleDocumentGetDocuments__query.xml", 1, 0},
    {TESTS "15808__TwoDocumentsFindDocuments__query.xml",
     TESTS "15808__TwoDocumentsFindDocuments__query.xml", 2, 0},
};

static void
check_query(const struct query_case *row)
{
    struct query_answer answer = {.status = REGISTRY_FAILURE};

    kit_read_query_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.errors.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, row->documents);
    CU_ASSERT_EQUAL_FATAL(answer.refs.n, row->refs);
    for (size_t i = 0; i < row->documents; i++) {
        const struct document_entry *entry = &answer.objects.documents.items[i];

        CHECK_SPAN(entry->home, GREEN);
        CHECK_SPAN(entry->status, DOCUMENT_APPROVED);
        CHECK_SPAN(entry->mime_type, "text/xml");
        CHECK_SPAN(entry->patient_id, documents[0].patient_id);
        CU_ASSERT(span_eq_cstr(entry->unique_id, documents[0].unique_id) ||
                  span_eq_cstr(entry->unique_id, documents[1].unique_id));
    }
    for (size_t i = 0; i < row->refs; i++) {
        CHECK_SPAN(answer.refs.items[i].home, GREEN);
    }
}

static void
test_queries(void)
{
    open_all();
    for (size_t i = 0; i < ARRAY_LEN(query_cases); i++) {
        const struct query_case *row = &query_cases[i];

        if (row->responder != NULL && ask_responder(SOAP_ITI_38, row->responder, GREEN)) {
            check_query(row);
        }
        if (row->initiator != NULL && ask_initiator(SOAP_ITI_18, row->initiator, GREEN)) {
            check_query(row);
        }
        scene_forget(&scene);
    }
    close_all();
}

static void
check_failure(const char *code)
{
    struct query_answer answer = {.status = REGISTRY_SUCCESS};

    kit_read_query_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(answer.objects.documents.n + answer.refs.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].code, code);
    CHECK_SPAN(answer.errors.items[0].location, GREEN);
}

/* 15815 */
static void
test_unknown_and_missing_community(void)
{
    struct kit_request request = {.transaction = SOAP_ITI_38};

    open_all();
    if (ask_responder(SOAP_ITI_38, TESTS "12311__getdocs__query.xml", "urn:oid:2.999.404")) {
        check_failure("XDSUnknownCommunity");
        CU_ASSERT(read_payload(TESTS "12311__getdocs__query.xml", GREEN, &request.payload));
        request.payload = support_replace(arena, request.payload, " home=\"" GREEN "\"", "");
        kit_send(&scene, &request, &reply);
        check_failure("XDSMissingHomeCommunityId");
    }
    close_all();
}

/* 15814: one Responding Gateway fails, the other answers. */
static void
test_one_gateway_fails(void)
{
    struct local_request request = {.transaction = SOAP_ITI_18};
    struct query_answer answer = {.status = REGISTRY_FAILURE};

    open_all();
    if (read_payload(TESTS "15814__XDSRegistryError__query.xml", GREEN, &request.payload)) {
        local_send(&scene, &request, &reply);
        scene_deliver_forged(&scene, kit_question_to(&scene, "blue"), "XDSUnknownPatientId",
                             "XDSRegistryError");
        scene_deliver_all(&scene, NULL);
        CU_ASSERT_FATAL(reply.is_here);
        kit_read_query_answer(&reply, arena, &answer);
        CU_ASSERT_EQUAL(answer.status, REGISTRY_PARTIAL_SUCCESS);
        CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
        CHECK_SPAN(answer.errors.items[0].code, "XDSRegistryError");
        CU_ASSERT_EQUAL(answer.objects.documents.n, 2);
    }
    close_all();
}

/* ---- retrieves ---- */

static const struct {
    ask ask;
    enum soap_transaction transaction;
    const char *file;
    size_t documents;
} retrieve_cases[] = {
    {ask_responder, SOAP_ITI_39, TESTS "12312__correct__query1.xml", 1},
    {ask_responder, SOAP_ITI_39, TESTS "12312__correct__query2.xml", 1},
    {ask_responder, SOAP_ITI_39, TESTS "12313__retrieve_two__query.xml", 2},
    {ask_responder, SOAP_ITI_39, TESTS "15813__RetrieveOne__retrieve.xml", 1},
    {ask_responder, SOAP_ITI_39, TESTS "15813__RetrieveTwo__retrieve.xml", 2},
    {ask_initiator, SOAP_ITI_43, TESTS "12308__retrieve_one__retrieve.xml", 1},
    {ask_initiator, SOAP_ITI_43, TESTS "12308__retrieve_two__retrieve.xml", 2},
    {ask_initiator, SOAP_ITI_43, TESTS "15809__OneDocRetrieve__retrieve.xml", 1},
    {ask_initiator, SOAP_ITI_43, TESTS "15809__TwoDocRetrieve__retrieve.xml", 2},
    {ask_initiator, SOAP_ITI_43, TESTS "15810__RG1Retrieve__retrieve.xml", 1},
};

static void
check_documents(size_t n)
{
    struct retrieve_answer answer;

    kit_read_retrieve_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.errors.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.documents.n, n);
    for (size_t i = 0; i < n; i++) {
        const struct retrieved_document *document = &answer.documents.items[i];
        struct diag diag = {0};
        char text[100];
        size_t length = 0;

        CHECK_SPAN(document->ref.home, GREEN);
        CHECK_SPAN(document->ref.repository, scene_place(&scene, "green")->config->repository);
        CHECK_SPAN(document->ref.unique_id, documents[i].unique_id);
        CHECK_SPAN(document->mime_type, "text/xml");
        CHECK_OK(&diag, body_read(&document->body, 0, text, sizeof(text), &diag, &length));
        CHECK_SPAN(span_of(text, length), bytes[i]);
    }
    retrieve_answer_done(&answer);
}

static void
test_retrieves(void)
{
    open_all();
    for (size_t i = 0; i < ARRAY_LEN(retrieve_cases); i++) {
        if (retrieve_cases[i].ask(retrieve_cases[i].transaction, retrieve_cases[i].file, GREEN)) {
            check_documents(retrieve_cases[i].documents);
        }
        scene_forget(&scene);
    }
    close_all();
}

/* 12312 missing_home */
static void
test_retrieve_without_home(void)
{
    struct retrieve_answer answer;

    open_all();
    if (ask_responder(SOAP_ITI_39, TESTS "12312__missing_home__query.xml", GREEN)) {
        kit_read_retrieve_answer(&reply, arena, &answer);
        CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
        CU_ASSERT_EQUAL(answer.documents.n, 0);
        CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
        CHECK_SPAN(answer.errors.items[0].code, "XDSMissingHomeCommunityId");
        retrieve_answer_done(&answer);
    }
    close_all();
}

static const struct unit_test tests[] = {
    {"12300 12306 12307 12309 12310 12311 15808 15811: queries", test_queries},
    {"15815: unknown and missing community", test_unknown_and_missing_community},
    {"15814: one gateway fails", test_one_gateway_fails},
    {"12308 12312 12313 15809 15810 15813: retrieves", test_retrieves},
    {"12312: retrieve without home", test_retrieve_without_home},
};
UNIT_MAIN("NIST's toolkit", tests)
