/*
 * The Responding Gateway asked for documents (ITI-39), by partners whose rules or proofs do not
 * suffice, too: which error for which document, what is withheld, and what the record names.
 */
#include <string.h>

#include "base/mem.h"
#include "scene_kit.h"

static struct scene scene;  /* large; one at a time */
static struct arena *arena; /* of the scene */

static struct place *
green(void)
{
    return scene_place(&scene, "green");
}

static struct retrieve_answer
retrieve(const struct document_ref *refs, size_t n)
{
    static struct scene_reply reply;
    struct document_ref_list list = {0};
    struct retrieve_answer answer;
    struct diag diag = {0};

    for (size_t i = 0; i < n; i++) {
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &list, refs[i]));
    }
    kit_send_retrieve(&scene, &list, &reply);
    kit_read_retrieve_answer(&reply, arena, &answer);
    return answer;
}

static struct document_ref
ref_of(const struct scene_stored *stored)
{
    return (struct document_ref){SPAN(GREEN), span_of_cstr(green()->config->repository),
                                 span_of_cstr(stored->unique_id)};
}

static void
test_a_withheld_document_is_retrieved_like_an_unknown_one(void)
{
    struct scene_stored restricted;
    struct document_ref refs[2];
    struct retrieve_answer answer;

    arena = kit_open_green(&scene);
    restricted = kit_add(green(), "Isabella", "R", "<ClinicalDocument>r</ClinicalDocument>");
    refs[0] = ref_of(&restricted);
    refs[1] = refs[0];
    refs[1].unique_id = SPAN("2.999.404");
    answer = retrieve(refs, 2);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(answer.documents.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 2);
    CHECK_SPAN(answer.errors.items[0].code, "XDSDocumentUniqueIdError");
    CU_ASSERT(span_eq(answer.errors.items[0].code, answer.errors.items[1].code));
    CU_ASSERT(span_eq(answer.errors.items[0].context, answer.errors.items[1].context));
    CHECK_SPAN(answer.errors.items[1].location, GREEN " 2.999.404");
    CU_ASSERT_EQUAL(scene_event(green(), 0)->type, AUDIT_ITI_39);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->outcome, AUDIT_SERIOUS);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->documents_n, 2);
    /* our own record says why */
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green(), 0)->reason, "withheld"));
    kit_close_green(&scene, arena);
}

static void
test_retrieve_names_what_is_wrong_with_each_document(void)
{
    struct scene_stored stored;
    struct document_ref refs[5];
    struct retrieve_answer answer;
    static const char *const want[] = {"XDSMissingHomeCommunityId", "XDSUnknownCommunity",
                                       "XDSUnknownRepositoryId", "XDSDocumentUniqueIdError"};

    arena = kit_open_green(&scene);
    stored = kit_add(green(), "Isabella", "N", "<ClinicalDocument>n</ClinicalDocument>");
    for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
        refs[i] = ref_of(&stored);
    }
    refs[0].home = SPAN_EMPTY;
    refs[1].home = SPAN("urn:oid:2.999.3");
    refs[2].repository = SPAN("2.999.3.2");
    refs[3].unique_id = SPAN("../../etc/passwd");
    answer = retrieve(refs, ARRAY_LEN(refs));
    CU_ASSERT_EQUAL(answer.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 4);
    for (size_t i = 0; i < 4; i++) {
        CHECK_SPAN(answer.errors.items[i].code, want[i]);
    }
    CU_ASSERT_EQUAL_FATAL(answer.documents.n, 1);
    CHECK_SPAN(answer.documents.items[0].ref.home, GREEN);
    CHECK_SPAN(answer.documents.items[0].ref.unique_id, stored.unique_id);
    retrieve_answer_done(&answer);
    /* success and failure apart */
    CU_ASSERT_EQUAL(scene_event(green(), 1)->outcome, AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(scene_event(green(), 1)->documents_n, 1);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->outcome, AUDIT_SERIOUS);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->documents_n, 4);
    CU_ASSERT_EQUAL(scene_event(green(), 1)->patients_n, 0); /* ITI TF-2 3.43.5: not the exporter */
    kit_close_green(&scene, arena);
}

/* A request of 20 KB must not make us hold a document a hundred times. */
static void
test_a_document_asked_for_often_is_given_once(void)
{
    struct scene_stored stored;
    struct document_ref refs[100];
    struct retrieve_answer answer;

    arena = kit_open_green(&scene);
    stored = kit_add(green(), "Isabella", "N", "<ClinicalDocument>n</ClinicalDocument>");
    for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
        refs[i] = ref_of(&stored);
    }
    answer = retrieve(refs, ARRAY_LEN(refs));
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.documents.n, 1);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->documents_n, 1);
    retrieve_answer_done(&answer);
    kit_close_green(&scene, arena);
}

/* ---- policy ---- */

/* Two records make one answer durable: with the first alone nothing leaves. */
static void
test_documents_that_do_not_fit_are_errors_of_their_own(void)
{
    struct scene_stored stored[3];
    struct document_ref refs[3];
    struct retrieve_answer answer;
    size_t limit;

    arena = kit_open_green(&scene);
    stored[0] = kit_add(green(), "Isabella", "N", "<ClinicalDocument>first</ClinicalDocument>");
    stored[1] = kit_add(green(), "Isabella", "N", "<ClinicalDocument>2</ClinicalDocument>");
    stored[2] = kit_add(green(), "Isabella", "N", "<ClinicalDocument>third</ClinicalDocument>");
    for (size_t i = 0; i < 3; i++) {
        refs[i] = ref_of(&stored[i]);
    }
    limit = green()->config->documents_limit;
    ((struct config *)green()->config)->documents_limit = 80; /* 42 and 38 bytes */
    answer = retrieve(refs, 3);
    ((struct config *)green()->config)->documents_limit = limit;
    CU_ASSERT_EQUAL(answer.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL(answer.documents.n, 2);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].code, "XDSRepositoryOutOfResources");
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green(), 0)->reason, "limits.documents"));
    retrieve_answer_done(&answer);
    kit_close_green(&scene, arena);
}

static void
test_each_record_of_an_answer_must_be_durable(void)
{
    static struct scene_reply reply;
    struct scene_stored stored;
    struct document_ref refs[2];
    const struct document_ref_list list = {refs, 2, 2};

    arena = kit_open_green(&scene);
    stored = kit_add(green(), "Isabella", "N", "<ClinicalDocument>n</ClinicalDocument>");
    refs[0] = ref_of(&stored);
    refs[1] = refs[0];
    refs[1].unique_id = SPAN("2.999.404");
    green()->sink.refused_at = 2;
    kit_send_retrieve(&scene, &list, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 503);
    CU_ASSERT_PTR_NULL(strstr(reply.text, "ClinicalDocument"));
    green()->sink.refused_at = 0;
    kit_send_retrieve(&scene, &list, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "ClinicalDocument"));
    kit_close_green(&scene, arena);
}

/* Denied inside the protocol; the record names which documents were asked for. */
static void
test_a_denied_purpose_is_recorded_with_what_was_asked(void)
{
    struct scene_stored stored;
    struct retrieve_answer answer;
    struct document_ref ref;

    arena = kit_open_green(&scene);
    stored = kit_add(green(), "Isabella", "N", "<ClinicalDocument>n</ClinicalDocument>");
    ref = ref_of(&stored);
    kit_set_policy(green(), NULL);
    answer = retrieve(&ref, 1);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].code, "XDSRepositoryError");
    CHECK_SPAN(answer.errors.items[0].location, GREEN);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->type, AUDIT_ITI_39);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->documents_n, 1);
    kit_restore_policy(green());
    answer = retrieve(&ref, 1);
    CU_ASSERT_EQUAL(answer.documents.n, 1);
    retrieve_answer_done(&answer);
    kit_close_green(&scene, arena);
}

/* ---- bearer ---- */

static void
test_bearer_is_for_partners_whose_file_says_so(void)
{
    struct kit_request request = {.transaction = SOAP_ITI_39, .is_bearer = true};
    static struct scene_reply reply;
    struct scene_stored stored;
    struct document_ref refs[1];
    const struct document_ref_list list = {refs, 1, 1};
    struct partner *red;
    struct diag diag = {0};
    struct buf payload;

    arena = kit_open_green(&scene);
    stored = kit_add(green(), "Isabella", "N", "<ClinicalDocument>n</ClinicalDocument>");
    refs[0] = ref_of(&stored);
    buf_init(&payload, (size_t)64 * 1024);
    CHECK_OK(&diag, retrieve_query_write(&list, arena, &payload, &diag));
    request.payload = buf_span(&payload);
    kit_send(&scene, &request, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 500);
    CU_ASSERT_PTR_NULL(strstr(reply.text, "ClinicalDocument"));
    CU_ASSERT_EQUAL(scene_event(green(), 0)->type, AUDIT_AUTHENTICATION_FAILURE);
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green(), 0)->reason, "SAML_CONFIRMATION"));
    red = (struct partner *)config_partner_of_community(green()->config, SPAN("2.999.1"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(red);
    red->may_use_bearer = true;
    kit_send(&scene, &request, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->type, AUDIT_ITI_39);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->outcome, AUDIT_SUCCESS);
    buf_done(&payload);
    kit_close_green(&scene, arena);
}

static const struct unit_test tests[] = {
    /* REQ: ITI39-partial-success */
    {"documents that do not fit are errors of their own",
     test_documents_that_do_not_fit_are_errors_of_their_own},
    /* REQ: ITI39-document-unknown */
    {"a withheld document is retrieved like an unknown one",
     test_a_withheld_document_is_retrieved_like_an_unknown_one},
    /* REQ: ITI39-home-required, ITI39-home-unknown, ITI39-repository-unknown */
    /* REQ: ITI39-error-location, ITI20-split */
    {"retrieve names what is wrong with each document",
     test_retrieve_names_what_is_wrong_with_each_document},
    /* REQ: ITI39-order */
    {"a document asked for often is given once", test_a_document_asked_for_often_is_given_once},
    /* REQ: ITI20-before-leaving */
    {"each record of an answer must be durable", test_each_record_of_an_answer_must_be_durable},
    {"a denied purpose is recorded with what was asked",
     test_a_denied_purpose_is_recorded_with_what_was_asked},
    {"bearer is for partners whose file says so", test_bearer_is_for_partners_whose_file_says_so},
};
UNIT_MAIN("scenario-retrieve", tests)
