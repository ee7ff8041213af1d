/*
 * The Responding Gateway asked for documents (ITI-39), by partners whose rules or proofs do not
 * suffice, too: which error for which document, what is withheld, and what the record names.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "scene_kit.h"
#include "store/registry.h"

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
    char own[128];
    const char *const location[] = {own, own, own, GREEN " ../../etc/passwd"};

    arena = kit_open_green(&scene);
    stored = kit_add(green(), "Isabella", "N", "<ClinicalDocument>n</ClinicalDocument>");
    for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
        refs[i] = ref_of(&stored);
    }
    snprintf(own, sizeof(own), GREEN " %s", stored.unique_id);
    refs[0].home = SPAN_EMPTY;
    refs[1].home = SPAN("urn:oid:2.999.3");
    refs[2].repository = SPAN("2.999.3.2");
    refs[3].unique_id = SPAN("../../etc/passwd");
    answer = retrieve(refs, ARRAY_LEN(refs));
    CU_ASSERT_EQUAL(answer.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 4);
    for (size_t i = 0; i < 4; i++) {
        CHECK_SPAN(answer.errors.items[i].code, want[i]);
        CHECK_SPAN(answer.errors.items[i].location, location[i]);
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
    /* ours to account for; the AuditMessage leaves it out (ITI TF-2 3.43.5: not the exporter) */
    CU_ASSERT_EQUAL(scene_event(green(), 1)->patients_n, 1);
    CU_ASSERT_STRING_EQUAL(scene_event(green(), 1)->patient, stored.patient_id);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->patients_n, 0);
    CU_ASSERT(scene_event(green(), 1)->user[0] == '<'); /* no alias, then user@issuer */
    CU_ASSERT_PTR_NOT_NULL(strchr(scene_event(green(), 1)->user, '@'));
    kit_close_green(&scene, arena);
}

/* writes.error_location: the community alone, and the document's name where people read. */
static void
test_a_partner_may_have_short_locations(void)
{
    struct scene_stored stored;
    struct partner *red;
    struct retrieve_answer answer;
    struct document_ref ref;

    arena = kit_open_green(&scene);
    stored = kit_add(green(), "Isabella", "N", "<ClinicalDocument>n</ClinicalDocument>");
    ref = ref_of(&stored);
    ref.unique_id = SPAN("2.999.404");
    red = (struct partner *)config_partner_of_community(green()->config, SPAN("2.999.1"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(red);
    answer = retrieve(&ref, 1);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].location, GREEN " 2.999.404");
    CU_ASSERT(!span_ends_with(answer.errors.items[0].context, SPAN(" 2.999.404")));
    red->wants_short_location = true;
    answer = retrieve(&ref, 1);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].location, GREEN);
    CU_ASSERT(span_ends_with(answer.errors.items[0].context, SPAN(": 2.999.404")));
    kit_set_policy(green(), NULL); /* an error about no document has no more to say */
    answer = retrieve(&ref, 1);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].location, GREEN);
    kit_restore_policy(green());
    red->wants_short_location = false;
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

static struct document_entry
made_entry(const char *type, const char *id, const char *unique_id, const char *patient_id)
{
    static struct code normal[1];
    const struct code summary = {SPAN("34133-9"), SPAN("2.16.840.1.113883.6.1"), SPAN("Summary")};

    normal[0] = (struct code){SPAN("N"), SPAN("2.16.840.1.113883.5.25"), SPAN("normal")};
    return (struct document_entry){.entry_uuid = span_of_cstr(id),
                                   .unique_id = span_of_cstr(unique_id),
                                   .patient_id = span_of_cstr(patient_id),
                                   .mime_type = SPAN("text/plain"),
                                   .object_type = span_of_cstr(type),
                                   .status = SPAN(DOCUMENT_APPROVED),
                                   .creation_time = SPAN("20260102030405"),
                                   .language = SPAN("en-US"),
                                   .source_patient_id = SPAN("7^^^&2.999.88&ISO"),
                                   .class_code = summary,
                                   .type_code = summary,
                                   .format_code = DOCUMENT_ANY_FORMAT,
                                   .facility_type = DOCUMENT_ANY_FACILITY,
                                   .practice_setting = DOCUMENT_ANY_PRACTICE,
                                   .confidentiality = {normal, 1, 1}};
}

/* green has an on-demand document 2.999.70.1, and a snapshot of it, 2.999.70.2. */
static void
submit_snapshot(const char *patient_id, struct body *content)
{
    struct author author[1] = {{.person = SPAN("^Example^Ada")}};
    struct document_entry entries[] = {
        made_entry(DOCUMENT_ON_DEMAND, "demand", "2.999.70.1", patient_id),
        made_entry(DOCUMENT_STABLE, "snapshot", "2.999.70.2", patient_id)};
    struct submission_set set = {.entry_uuid = SPAN("set"),
                                 .unique_id = SPAN("2.999.70.3"),
                                 .source_id = SPAN("2.999.88"),
                                 .patient_id = span_of_cstr(patient_id),
                                 .submission_time = SPAN("20260102030405"),
                                 .status = SPAN(DOCUMENT_APPROVED),
                                 .content_type = {SPAN("c"), SPAN("2.999.5"), SPAN("content")},
                                 .authors = {author, 1, 1}};
    struct association associations[] = {{.entry_uuid = SPAN("a1"),
                                          .type = SPAN(ASSOCIATION_HAS_MEMBER),
                                          .source = SPAN("set"),
                                          .target = SPAN("demand"),
                                          .submission_set_status = SPAN("Original")},
                                         {.entry_uuid = SPAN("a2"),
                                          .type = SPAN(ASSOCIATION_HAS_MEMBER),
                                          .source = SPAN("set"),
                                          .target = SPAN("snapshot"),
                                          .submission_set_status = SPAN("Original")},
                                         {.entry_uuid = SPAN("a3"),
                                          .type = SPAN(ASSOCIATION_SNAPSHOT),
                                          .source = SPAN("snapshot"),
                                          .target = SPAN("demand")}};
    entries[0].creation_time = SPAN_EMPTY; /* it is made when it is asked for */
    const struct registry_objects objects = {
        .documents = {entries, 2, 2},
        .submission_sets = {&set, 1, 1},
        .associations = {associations, ARRAY_LEN(associations), ARRAY_LEN(associations)}};
    const struct submitted_document document = {SPAN("snapshot"), content};
    const struct store_submission submission = {.objects = &objects,
                                                .documents = &document,
                                                .documents_n = 1,
                                                .patients = STORE_PATIENTS_KNOWN};
    struct store_submitted submitted = {0};
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    CHECK_OK(&diag,
             store_submit(green()->store, &submission, NULL, arena, &diag, &answer, &submitted));
    for (size_t i = 0; i < submitted.errors.n; i++) {
        printf("      %.*s: %.*s\n", SPAN_PRINT(submitted.errors.items[i].code),
               SPAN_PRINT(submitted.errors.items[i].context));
    }
    CU_ASSERT_EQUAL_FATAL(submitted.errors.n, 0);
}

/* ITI TF-2 3.43.4.2.2: under the name that was asked for, and with the snapshot's own. */
static void
test_an_on_demand_document_comes_as_its_snapshot(void)
{
    struct scene_stored stored;
    struct document_ref refs[2];
    struct retrieve_answer answer;
    struct body content;
    struct buf bytes;
    struct diag diag = {0};

    arena = kit_open_green(&scene);
    stored = kit_add(green(), "Isabella", "N", "<ClinicalDocument>n</ClinicalDocument>");
    buf_init(&bytes, 100);
    CHECK_OK(&diag, buf_append(&bytes, SPAN("as of today"), &diag));
    body_from_buf(&content, &bytes);
    submit_snapshot(stored.patient_id, &content);
    refs[0] = refs[1] = ref_of(&stored);
    refs[0].unique_id = SPAN("2.999.70.1");
    refs[1].unique_id = SPAN("2.999.70.2");
    answer = retrieve(refs, 2);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(answer.documents.n, 2);
    CHECK_SPAN(answer.documents.items[0].ref.unique_id, "2.999.70.1");
    CHECK_SPAN(answer.documents.items[0].new_unique_id, "2.999.70.2");
    CU_ASSERT(span_eq(answer.documents.items[0].new_repository, refs[0].repository));
    CHECK_SPAN(answer.documents.items[1].ref.unique_id, "2.999.70.2");
    CHECK_SPAN(answer.documents.items[1].new_unique_id, ""); /* a stable one has its own name */
    CHECK_SPAN(answer.documents.items[1].new_repository, "");
    retrieve_answer_done(&answer);
    body_done(&content);
    kit_close_green(&scene, arena);
}

static const struct unit_test tests[] = {
    /* REQ: ITI39-on-demand, ITI39-snapshot */
    {"an on-demand document comes as its snapshot",
     test_an_on_demand_document_comes_as_its_snapshot},
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
    {"a partner may have short locations", test_a_partner_may_have_short_locations},
    /* REQ: ITI39-order */
    {"a document asked for often is given once", test_a_document_asked_for_often_is_given_once},
    /* REQ: ITI20-before-leaving */
    {"each record of an answer must be durable", test_each_record_of_an_answer_must_be_durable},
    {"a denied purpose is recorded with what was asked",
     test_a_denied_purpose_is_recorded_with_what_was_asked},
    {"bearer is for partners whose file says so", test_bearer_is_for_partners_whose_file_says_so},
};
UNIT_MAIN("scenario-retrieve", tests)
