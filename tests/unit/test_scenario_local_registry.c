/*
 * ITI-18 and ITI-43 of a local system: the node is one registry and one repository in front of our
 * own store and of partners, who are asked with ITI-38 and ITI-39. What a consumer may leave out,
 * what it is answered then, and what is recorded. Fake clock, partners in the same process.
 */
#include <stdio.h>
#include <string.h>

#include "local_kit.h"

#define RED  "urn:oid:2.999.1"
#define BLUE "urn:oid:2.999.3"

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;
static struct arena *arena;
static struct scene_stored of_red, of_green;

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

static void
open_all(void)
{
    arena = arena_new(ARENA_LIMIT_DEFAULT);
    (void)local_kit_open(&scene);
    of_green = kit_add(scene_place(&scene, "green"), "Isabella", "N",
                       "<ClinicalDocument>third of green</ClinicalDocument>");
    of_red = kit_add(red(), "Isabella", "N", "<ClinicalDocument>third of red</ClinicalDocument>");
}

static void
close_all(void)
{
    local_kit_close(&scene);
    arena_free(arena);
}

static struct query_answer
query_answer(void)
{
    struct query_answer answer = {.status = REGISTRY_FAILURE};

    CU_ASSERT_FATAL(reply.is_here);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "urn:ihe:iti:2007:RegistryStoredQueryResponse"));
    kit_read_query_answer(&reply, arena, &answer);
    return answer;
}

/* ---- ITI-18 ---- */

static void
find(const char *patient_id, const char *home)
{
    local_send_registry_find(&scene, patient_id, home, &reply);
    scene_deliver_all(&scene, NULL);
}

static void
get(const char *entry_uuid, const char *home)
{
    struct span ids[1] = {span_of_cstr(entry_uuid)};
    struct query_param params[1] = {
        {SPAN("$XDSDocumentEntryEntryUUID"), {ids, 1, 1}, .is_multiple = true}};
    const struct stored_query query = {
        .id = SPAN(XCA_GET_DOCUMENTS),
        .home = home == NULL ? SPAN_EMPTY : span_of_cstr(home),
        .wants_leaf_class = true,
        .params = {params, 1, 1},
    };

    local_send_registry(&scene, &query, &reply);
    scene_deliver_all(&scene, NULL);
}

static void
check_records(size_t responding, enum audit_type type, enum audit_outcome last)
{
    CU_ASSERT_EQUAL(scene_count_events(red(), type, AUDIT_RESPONDING, AUDIT_OUTCOME, true) +
                        scene_count_events(red(), type, AUDIT_RESPONDING, AUDIT_OUTCOME, false),
                    responding);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->type, type);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->outcome, last);
    CU_ASSERT_STRING_EQUAL(scene_event(red(), 0)->partner, "ehr");
    CU_ASSERT(scene_event(red(), 0)->is_durable);
}

static void
test_a_patient_is_asked_about_everywhere(void)
{
    struct query_answer answer;

    open_all();
    find(of_green.patient_id, NULL);
    CU_ASSERT_EQUAL(scene.questions_n, 2);
    for (size_t i = 0; i < scene.questions_n; i++) { /* partners are asked as ever */
        CU_ASSERT_NOT_EQUAL(span_find(buf_span(&scene.questions[i].body),
                                      SPAN("urn:ihe:iti:2007:CrossGatewayQuery<")),
                            SPAN_MISSING);
    }
    answer = query_answer();
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS); /* blue and red do not know the id */
    CU_ASSERT_EQUAL(answer.errors.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, 3);
    CHECK_SPAN(answer.objects.documents.items[0].home, GREEN);
    check_records(1, AUDIT_ITI_18, AUDIT_SUCCESS);
    CU_ASSERT_STRING_EQUAL(scene_event(red(), 0)->patient, of_green.patient_id);
    CU_ASSERT(scene_event(red(), 0)->query_n > 0);
    scene_forget(&scene);
    find(of_red.patient_id, RED);
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    answer = query_answer();
    CU_ASSERT_EQUAL(answer.objects.documents.n, 2);
    close_all();
}

static void
test_who_does_not_answer_is_an_unavailable_community(void)
{
    const struct registry_error *error;
    struct query_answer answer;
    struct span patient[1], status[1] = {SPAN(DOCUMENT_APPROVED)};
    struct query_param params[2] = {
        {SPAN("$XDSDocumentEntryPatientId"), {patient, 1, 1}, .is_multiple = false},
        {SPAN("$XDSDocumentEntryStatus"), {status, 1, 1}, .is_multiple = true},
    };
    const struct stored_query query = {
        .id = SPAN(XCA_FIND_DOCUMENTS), .wants_leaf_class = true, .params = {params, 2, 2}};

    open_all();
    patient[0] = span_of_cstr(of_green.patient_id);
    local_send_registry(&scene, &query, &reply);
    scene_fail(&scene, kit_question_to(&scene, "blue"), ERR_PARTNER_TLS);
    scene_deliver_all(&scene, NULL);
    answer = query_answer();
    CU_ASSERT_EQUAL(answer.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 3);
    error = local_error_of(&answer.errors, BLUE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CHECK_SPAN(error->code, "XDSUnavailableCommunity");
    check_records(2, AUDIT_ITI_18, AUDIT_SERIOUS); /* two outcomes */
    CU_ASSERT_EQUAL(scene_event(red(), 1)->outcome, AUDIT_SUCCESS);
    close_all();
}

static bool
question_holds(size_t i, const char *text)
{
    return span_find(buf_span(&scene.questions[i].body), span_of_cstr(text)) != SPAN_MISSING;
}

/* Parameters that we do not know, too, with all their values; the home is that of who is asked. */
static void
test_all_that_a_question_says_reaches_everybody(void)
{
    static const char *const homes[2][2] = {{"green", "home=\"urn:oid:2.999.2\""},
                                            {"blue", "home=\"urn:oid:2.999.3\""}};
    struct span patient[1], status[1] = {SPAN(DOCUMENT_APPROVED)};
    struct span codes[2] = {SPAN("34133-9^^2.16.840.1.113883.6.1"), SPAN("11488-4^^2.999.1")};
    struct span odd[3] = {SPAN("one"), SPAN("it's two"), SPAN("<&>")}, number[1] = {SPAN("7")};
    struct query_param params[5] = {
        {SPAN("$XDSDocumentEntryPatientId"), {patient, 1, 1}, .is_multiple = false},
        {SPAN("$XDSDocumentEntryStatus"), {status, 1, 1}, .is_multiple = true},
        {SPAN("$XDSDocumentEntryTypeCode"), {codes, 2, 2}, .is_multiple = true},
        {SPAN("$ExampleOfTomorrow"), {odd, 3, 3}, .is_multiple = true},
        {SPAN("$ExampleOfANumber"), {number, 1, 1}, .is_multiple = false, .is_number = true},
    };
    const struct stored_query query = {.id = SPAN(XCA_FIND_DOCUMENTS), .params = {params, 5, 5}};
    static const char *const said[] = {"$XDSDocumentEntryPatientId",
                                       "$XDSDocumentEntryStatus",
                                       "'34133-9^^2.16.840.1.113883.6.1'",
                                       "'11488-4^^2.999.1'",
                                       "\"$ExampleOfTomorrow\"",
                                       "'one'",
                                       "'it''s two'",
                                       "'&lt;&amp;&gt;'",
                                       "\"$ExampleOfANumber\"",
                                       ">7<"};

    open_all();
    patient[0] = span_of_cstr(of_green.patient_id);
    local_send_registry(&scene, &query, &reply);
    CU_ASSERT_EQUAL_FATAL(scene.questions_n, 2);
    for (size_t i = 0; i < 2; i++) {
        const size_t n = kit_question_to(&scene, homes[i][0]);

        CU_ASSERT(question_holds(n, homes[i][1]));
        CU_ASSERT(!question_holds(n, homes[1 - i][1]));
        for (size_t j = 0; j < ARRAY_LEN(said); j++) {
            if (!question_holds(n, said[j])) {
                printf("%s was not told %s\n", homes[i][0], said[j]);
                CU_FAIL("a question lost something");
            }
        }
    }
    scene_deliver_all(&scene, NULL);
    close_all();
}

/* Also what we know nothing of. */
static void
test_all_that_a_partner_says_of_a_document_reaches_the_consumer(void)
{
    static const char odd[] =
        "<rim:Slot name=\"urn:example:odd\" slotType=\"s\"><rim:ValueList><rim:Value> a&amp;b "
        "</rim:Value><rim:Value>second</rim:Value></rim:ValueList></rim:Slot>";
    char with[512];

    open_all();
    local_send_registry_find(&scene, of_green.patient_id, GREEN, &reply);
    CU_ASSERT_EQUAL_FATAL(scene.questions_n, 1);
    snprintf(with, sizeof(with), "%s<rim:Slot name=\"creationTime\">", odd);
    scene_deliver_forged(&scene, 0, "<rim:Slot name=\"creationTime\">", with);
    CU_ASSERT_EQUAL_FATAL(query_answer().objects.documents.n, 3);
    size_t found = 0;
    for (const char *at = strstr(reply.text, odd); at != NULL; at = strstr(at + 1, odd)) {
        found++;
    }
    CU_ASSERT_EQUAL(found, 3);
    close_all();
}

/* Its community and the object are named, nothing is guessed (ITI TF-2 3.38.4.1.3). */
static void
test_an_object_without_a_home_is_reported(void)
{
    struct query_answer answer;

    open_all();
    local_send_registry_find(&scene, of_green.patient_id, GREEN, &reply);
    scene_deliver_forged(&scene, 0, "home=\"" GREEN "\"", "");
    answer = query_answer();
    CU_ASSERT_EQUAL(answer.objects.documents.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].code, "XDSMissingHomeCommunityId");
    CU_ASSERT(span_find(answer.errors.items[0].location, SPAN(GREEN)) != SPAN_MISSING);
    CU_ASSERT(span_find(answer.errors.items[0].context, SPAN("urn:uuid:")) != SPAN_MISSING);
    close_all();
}

static void
test_ids_without_a_home_are_our_own(void)
{
    struct query_answer answer;

    open_all();
    get(of_red.entry_uuid, NULL);
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    answer = query_answer();
    CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, 1);
    CHECK_SPAN(answer.objects.documents.items[0].home, RED);
    CU_ASSERT_STRING_EQUAL(scene_event(red(), 0)->patient, of_red.patient_id);
    scene_forget(&scene);
    get(of_green.entry_uuid, NULL); /* not ours: the home was missing */
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    answer = query_answer();
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].code, "XDSMissingHomeCommunityId");
    CU_ASSERT_EQUAL(reply.cause, ERR_MISSING_COMMUNITY);
    check_records(1, AUDIT_ITI_18, AUDIT_SERIOUS);
    scene_forget(&scene);
    get(of_green.entry_uuid, RED); /* with our home, it is simply not there */
    answer = query_answer();
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 0);
    scene_forget(&scene);
    get(of_green.entry_uuid, GREEN);
    CU_ASSERT_EQUAL(scene.questions_n, 1);
    answer = query_answer();
    CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, 1);
    CHECK_SPAN(answer.objects.documents.items[0].home, GREEN);
    scene_forget(&scene);
    get(of_green.entry_uuid, "urn:oid:2.999.404");
    answer = query_answer();
    CHECK_SPAN(answer.errors.items[0].code, "XDSUnknownCommunity");
    close_all();
}

/* What our own rules hold back is not there at all, and the home is asked for. */
static void
test_what_is_withheld_is_not_there(void)
{
    static const char *const rules = "rules:\n"
                                     "  - name: no-restricted\n    effect: permit\n"
                                     "    reason: a test\n    direction: local\n    partners: any\n"
                                     "    transactions: [ITI-38]\n"
                                     "    withhold: {confidentiality: [R]}\n"
                                     "    purposes: [T-TREAT]\n";
    const struct scene_stored *hidden;
    struct query_answer answer;

    open_all();
    const struct scene_stored marked =
        kit_add(red(), "Isabella", "R", "<ClinicalDocument>restricted</ClinicalDocument>");
    hidden = &marked;
    get(hidden->entry_uuid, NULL);
    answer = query_answer();
    CU_ASSERT_EQUAL(answer.objects.documents.n, 1);
    kit_set_policy(red(), rules);
    get(hidden->entry_uuid, NULL);
    answer = query_answer();
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CHECK_SPAN(answer.errors.items[0].code, "XDSMissingHomeCommunityId");
    find(of_red.patient_id, RED);
    answer = query_answer();
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 2);
    kit_restore_policy(red());
    close_all();
}

/* ---- ITI-43 ---- */

static struct retrieve_answer
retrieve_answer(void)
{
    struct retrieve_answer answer = {.status = REGISTRY_FAILURE};

    CU_ASSERT_FATAL(reply.is_here);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "urn:ihe:iti:2007:RetrieveDocumentSetResponse"));
    kit_read_retrieve_answer(&reply, arena, &answer);
    return answer;
}

static struct document_ref
ref_to(const char *place, const char *home, const char *unique_id)
{
    return (struct document_ref){span_of_cstr(home),
                                 span_of_cstr(scene_place(&scene, place)->config->repository),
                                 span_of_cstr(unique_id)};
}

static const struct registry_error *
error_at(const struct registry_error_list *errors, const char *location)
{
    for (size_t i = 0; i < errors->n; i++) {
        if (span_eq_cstr(errors->items[i].location, location)) {
            return &errors->items[i];
        }
    }
    return NULL;
}

static void
test_documents_of_all_communities_in_one_request(void)
{
    struct document_ref refs[6];
    struct retrieve_answer answer;

    open_all();
    refs[0] = ref_to("green", GREEN, of_green.unique_id);
    refs[1] = ref_to("red", "", of_red.unique_id);
    refs[2] = ref_to("red", "", "2.999.404.1"); /* not there */
    refs[3] = ref_to("green", GREEN, "2.999.404.2");
    refs[4] = ref_to("green", "urn:oid:2.999.404", "2.999.404.3");
    refs[5] = ref_to("green", "", "2.999.404.4"); /* a repository that is not ours */
    local_send_repository(&scene, refs, 6, &reply);
    CU_ASSERT_EQUAL(scene.questions_n, 1);
    CU_ASSERT_NOT_EQUAL(span_find(buf_span(&scene.questions[0].body),
                                  SPAN("urn:ihe:iti:2007:CrossGatewayRetrieve<")),
                        SPAN_MISSING);
    scene_deliver_all(&scene, NULL);
    answer = retrieve_answer();
    CU_ASSERT_EQUAL(answer.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(answer.documents.n, 2);
    CHECK_SPAN(answer.documents.items[0].ref.home, GREEN);
    CHECK_SPAN(answer.documents.items[1].ref.home, ""); /* as it was asked for */
    CHECK_SPAN(answer.documents.items[1].ref.unique_id, of_red.unique_id);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 4);
    for (size_t i = 2; i < 6; i++) {
        const struct registry_error *error = &answer.errors.items[i - 2];

        CU_ASSERT(span_eq(error->location, refs[i].unique_id)); /* and no community */
        CU_ASSERT(!error->is_warning);
    }
    CHECK_SPAN(error_at(&answer.errors, "2.999.404.1")->code, "XDSDocumentUniqueIdError");
    CHECK_SPAN(error_at(&answer.errors, "2.999.404.2")->code, "XDSDocumentUniqueIdError");
    CHECK_SPAN(error_at(&answer.errors, "2.999.404.3")->code, "XDSUnknownCommunity");
    CHECK_SPAN(error_at(&answer.errors, "2.999.404.4")->code, "XDSUnknownRepositoryId");
    /* green gave one of two: what came and what did not are events of their own */
    CU_ASSERT_EQUAL(scene_count_events(red(), AUDIT_ITI_39, AUDIT_INITIATING, AUDIT_OUTCOME, true),
                    1);
    CU_ASSERT_EQUAL(scene_count_events(red(), AUDIT_ITI_39, AUDIT_INITIATING, AUDIT_OUTCOME, false),
                    1);
    /* and one record a patient: ours is known, green's document is of nobody that we know */
    check_records(3, AUDIT_ITI_43, AUDIT_SERIOUS);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->documents_n, 4);
    CU_ASSERT_EQUAL(scene_event(red(), 1)->documents_n, 1);
    CU_ASSERT_STRING_EQUAL(scene_event(red(), 1)->patient, of_red.patient_id);
    CU_ASSERT_EQUAL(scene_event(red(), 2)->documents_n, 1);
    CU_ASSERT_EQUAL(scene_event(red(), 2)->patients_n, 0);
    retrieve_answer_done(&answer);
    close_all();
}

static void
test_the_same_document_with_and_without_its_home(void)
{
    struct document_ref refs[3];
    struct retrieve_answer answer;

    open_all();
    refs[0] = ref_to("red", RED, of_red.unique_id);
    refs[1] = ref_to("red", "", of_red.unique_id);
    refs[2] = refs[1];
    local_send_repository(&scene, refs, 3, &reply);
    answer = retrieve_answer();
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(answer.documents.n, 1); /* a small request has no large answer */
    CHECK_SPAN(answer.documents.items[0].ref.home, RED);
    check_records(1, AUDIT_ITI_43, AUDIT_SUCCESS);
    retrieve_answer_done(&answer);
    close_all();
}

static void
test_a_community_that_is_away(void)
{
    struct document_ref refs[2];
    struct retrieve_answer answer;

    open_all();
    refs[0] = ref_to("green", GREEN, of_green.unique_id);
    refs[1] = ref_to("green", GREEN, "2.999.404.2");
    local_send_repository(&scene, refs, 2, &reply);
    scene_fail(&scene, 0, ERR_PARTNER_UNREACHABLE);
    answer = retrieve_answer();
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(answer.documents.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 2); /* one for each document */
    CHECK_SPAN(answer.errors.items[0].code, "XDSUnavailableCommunity");
    CHECK_SPAN(answer.errors.items[0].location, of_green.unique_id);
    check_records(1, AUDIT_ITI_43, AUDIT_SERIOUS);
    retrieve_answer_done(&answer);
    close_all();
}

/* ---- the listener ---- */

static void
test_each_action_has_its_path(void)
{
    static const struct {
        enum soap_transaction transaction;
        const char *path;
    } rows[] = {{SOAP_ITI_18, "/repository"}, {SOAP_ITI_43, "/registry"}, {SOAP_ITI_18, "/pdq"}};

    open_all();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct local_request request = {
            .transaction = rows[i].transaction,
            .path = rows[i].path,
            .payload = rows[i].transaction == SOAP_ITI_18
                           ? SPAN("<AdhocQueryRequest "
                                  "xmlns='urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0'/>")
                           : SPAN("<RetrieveDocumentSetRequest xmlns='urn:ihe:iti:xds-b:2007'/>"),
        };

        local_send(&scene, &request, &reply);
        CU_ASSERT_EQUAL(reply.cause, ERR_WSA_ACTION);
        CU_ASSERT_EQUAL(reply.http_status, 500);
    }
    close_all();
}

static const struct unit_test tests[] = {
    /* REQ: ITI18-local */
    {"a patient is asked about everywhere", test_a_patient_is_asked_about_everywhere},
    /* REQ: MERGE-unavailable */
    {"who does not answer is an unavailable community",
     test_who_does_not_answer_is_an_unavailable_community},
    /* REQ: ITI38-parameters-passed, ITI38-home-sent */
    {"all that a question says reaches everybody", test_all_that_a_question_says_reaches_everybody},
    /* REQ: ITI38-lossless */
    {"all that a partner says of a document reaches the consumer",
     test_all_that_a_partner_says_of_a_document_reaches_the_consumer},
    /* REQ: ITI38-missing-home-reported */
    {"an object without a home is reported", test_an_object_without_a_home_is_reported},
    {"ids without a home are our own", test_ids_without_a_home_are_our_own},
    {"what is withheld is not there", test_what_is_withheld_is_not_there},
    /* REQ: ITI39-several, ITI43-local, ITI43-routing, ITI20-split */
    {"documents of all communities in one request",
     test_documents_of_all_communities_in_one_request},
    /* REQ: ITI39-ids-echoed */
    {"the same document with and without its home",
     test_the_same_document_with_and_without_its_home},
    /* REQ: MERGE-unavailable */
    {"a community that is away", test_a_community_that_is_away},
    /* REQ: WS-action-agrees */
    {"each action has its path", test_each_action_has_its_path},
};
UNIT_MAIN("local registry and repository", tests)
