/*
 * Sources beside the embedded store: XDS registries and repositories of the node's own, asked with
 * ITI-18 and ITI-43 when a partner or a local system asks the node. Green is the node; the
 * registries are played by the test, which sees what they are asked and says what they answer. Fake
 * clock, no sockets.
 */
#include <string.h>

#include "base/mem.h"
#include "source_kit.h"

/* ---- queries ---- */

/* Each source is asked by the patient id that it knows, and its documents are given with the id
 * that green was asked with; a source of green's own community is not told of communities. */
static void
test_all_sources_answer_as_one(void)
{
    static const struct given of_hospital[] = {ONE_OF_HOSPITAL};
    struct given of_clinic[] = {
        {"2.999.31.1", CLINIC, sources_isabella.patient_id, NULL, CLINIC_HOME}};
    const struct document_entry *entry;
    struct query_answer got;

    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE CLINIC_SOURCE);
    sources_ask_green(NULL);
    CU_ASSERT(!sources_reply.is_here);
    CU_ASSERT_EQUAL_FATAL(sources_scene.questions_n, 2);
    CU_ASSERT_STRING_EQUAL(sources_scene.questions[sources_question("hospital")].url, HOSPITAL_URL);
    CU_ASSERT(sources_was_asked(sources_question("hospital"), "'H-1^^^&amp;2.999.77&amp;ISO'"));
    CU_ASSERT(!sources_was_asked(sources_question("hospital"), "home=") &&
              !sources_was_asked(sources_question("hospital"), "Security"));
    CU_ASSERT(sources_was_asked(sources_question("clinic"), "home=\"" CLINIC_HOME "\""));
    CU_ASSERT(sources_was_asked(sources_question("clinic"), "&amp;2.999.2.1&amp;ISO"));
    CU_ASSERT(sources_was_asked(sources_question("clinic"), "Assertion") &&
              sources_was_asked(sources_question("clinic"), "Dr. Ada"));
    sources_answer("hospital", of_hospital, 1);
    sources_answer("clinic", of_clinic, 1);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.errors.n, 0);
    CU_ASSERT_EQUAL(got.objects.documents.n, 5); /* three are the store's */
    for (size_t i = 0; i < got.objects.documents.n; i++) {
        CHECK_SPAN(got.objects.documents.items[i].patient_id, sources_isabella.patient_id);
    }
    entry = sources_find(&got, "2.999.30.1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    CHECK_SPAN(entry->home, GREEN);
    entry = sources_find(&got, "2.999.31.1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    CHECK_SPAN(entry->home, CLINIC_HOME);
    CU_ASSERT(strstr(sources_reply.text, "H-1") == NULL);
    /* the record: what each source was asked, and what green answered */
    CU_ASSERT_EQUAL(
        scene_count_events(sources_green(), AUDIT_ITI_18, AUDIT_INITIATING, AUDIT_INTENT, true), 2);
    CU_ASSERT_EQUAL(
        scene_count_events(sources_green(), AUDIT_ITI_18, AUDIT_INITIATING, AUDIT_OUTCOME, true),
        2);
    CU_ASSERT_EQUAL(
        scene_count_events(sources_green(), AUDIT_ITI_38, AUDIT_RESPONDING, AUDIT_OUTCOME, true),
        1);
    CU_ASSERT_EQUAL(scene_event(sources_green(), 0)->type, AUDIT_ITI_38);
    sources_close();
}

static void
test_a_source_that_is_down_is_one_error(void)
{
    static const struct given of_hospital[] = {ONE_OF_HOSPITAL};
    const struct registry_error *error;
    struct query_answer got;

    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE CLINIC_SOURCE);
    sources_ask_green(NULL);
    scene_fail(&sources_scene, sources_question("clinic"), ERR_PARTNER_UNREACHABLE);
    sources_answer("hospital", of_hospital, 1);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL(got.objects.documents.n, 4);
    CU_ASSERT_EQUAL_FATAL(got.errors.n, 1);
    error = local_error_of(&got.errors, CLINIC_HOME);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CHECK_SPAN(error->code, "XDSRegistryError");
    CU_ASSERT(!error->is_warning);
    /* success and failure apart */
    CU_ASSERT_EQUAL(
        scene_count_events(sources_green(), AUDIT_ITI_38, AUDIT_RESPONDING, AUDIT_OUTCOME, true),
        1);
    CU_ASSERT_EQUAL(
        scene_count_events(sources_green(), AUDIT_ITI_38, AUDIT_RESPONDING, AUDIT_OUTCOME, false),
        1);
    sources_close();
}

static void
test_what_a_source_may_not_name_is_dropped(void)
{
    const struct given of_hospital[] = {
        ONE_OF_HOSPITAL,
        {"2.999.30.2", "2.999.32", OWN_ID, NULL, NULL},              /* not its repository */
        {"2.999.30.3", HOSPITAL, "H-2^^^&2.999.77&ISO", NULL, NULL}, /* somebody else */
        {"2.999.30.4", HOSPITAL, OWN_ID, NULL, "urn:oid:2.999.3"},   /* blue's community */
        {"2.999.30.5", HOSPITAL, OWN_ID, "R", NULL},                 /* withheld by our rules */
    };
    struct query_answer got;

    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    sources_ask_green(GREEN);
    sources_answer("hospital", of_hospital, ARRAY_LEN(of_hospital));
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.objects.documents.n, 4);
    CU_ASSERT_PTR_NOT_NULL(sources_find(&got, "2.999.30.1"));
    CU_ASSERT_EQUAL_FATAL(got.errors.n, 1);
    CU_ASSERT(got.errors.items[0].is_warning);
    /* three were dropped; the fourth is as though it were not there */
    CU_ASSERT(strstr(scene_event(sources_green(), 2)->reason,
                     "3 items of the answer of hospital") != NULL);
    CU_ASSERT(strstr(sources_reply.text, "2.999.30.5") == NULL);
    sources_close();
}

/* The same document at two sources is given twice: each names the repository that has it. */
static void
test_two_sources_may_have_the_same_document(void)
{
    struct given of_hospital[] = {{"2.999.40.1", HOSPITAL, OWN_ID, NULL, NULL}};
    struct given of_clinic[] = {{"2.999.40.1", CLINIC, sources_isabella.patient_id, NULL, NULL}};
    struct query_answer got;

    sources_open("sources:\n" HOSPITAL_SOURCE CLINIC_SOURCE);
    sources_ask_green(NULL);
    sources_answer("clinic", of_clinic, 1);
    sources_answer("hospital", of_hospital, 1);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, 2); /* the store is no source here */
    CHECK_SPAN(got.objects.documents.items[0].repository, HOSPITAL);
    CHECK_SPAN(got.objects.documents.items[1].repository, CLINIC);
    sources_close();
}

static void
test_a_home_says_which_sources_are_asked(void)
{
    struct given of_clinic[] = {{"2.999.31.1", CLINIC, sources_isabella.patient_id, NULL, NULL}};
    struct query_answer got;

    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE CLINIC_SOURCE);
    sources_ask_green(CLINIC_HOME);
    CU_ASSERT_EQUAL(sources_count("hospital"), 0);
    sources_answer("clinic", of_clinic, 1);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.objects.documents.n, 1);
    sources_ask_green("urn:oid:2.999.3"); /* blue is a partner: green is no way to it */
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL_FATAL(got.errors.n, 1);
    CHECK_SPAN(got.errors.items[0].code, "XDSUnknownCommunity");
    CU_ASSERT_EQUAL(sources_scene.questions_n, 1);
    sources_close();
}

/* A source whose ids of the patient nobody knows has nothing, and is not asked. */
static void
test_a_patient_without_an_id_there_is_not_asked_about(void)
{
    const struct scene_event *event;
    struct query_answer got;

    sources_open("sources:\n" OWN_SOURCE "  - name: far\n"
                 "    registry: {url: 'https://far.example/r'}\n"
                 "    repositories: {2.999.35: 'https://far.example/p'}\n"
                 "    patient_authority: 2.999.78\n");
    sources_ask_green(NULL);
    CU_ASSERT_EQUAL(sources_scene.questions_n, 0);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.errors.n, 0);
    CU_ASSERT_EQUAL(got.objects.documents.n, 3);
    event = scene_event(sources_green(), 1);
    CU_ASSERT_EQUAL(event->type, AUDIT_ITI_18);
    CU_ASSERT_STRING_EQUAL(event->partner, "far");
    CU_ASSERT_EQUAL(event->outcome, AUDIT_SUCCESS);
    CU_ASSERT(strstr(event->reason, "no id of the source's authority") != NULL);
    sources_close();
}

/* Asked by a document's own id, a source answers with its own id of the patient: it becomes ours
 * afterwards. One whom our index does not know keeps it. */
static void
test_a_document_asked_by_its_id_gets_our_patient_id(void)
{
    static const struct given of_hospital[] = {
        ONE_OF_HOSPITAL, {"2.999.30.3", HOSPITAL, "H-9^^^&2.999.77&ISO", NULL, NULL}};
    struct span ids[1] = {SPAN("2.999.30.1")};
    struct query_param params[1] = {
        {.name = SPAN("$XDSDocumentEntryUniqueId"), .values = {ids, 1, 1}, .is_multiple = true}};
    const struct stored_query query = {.id = SPAN(XCA_GET_DOCUMENTS),
                                       .home = SPAN(GREEN),
                                       .wants_leaf_class = true,
                                       .params = {params, 1, 1}};
    struct query_answer got;

    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    kit_send_query(&sources_scene, &query, &sources_reply);
    sources_answer("hospital", of_hospital, 1);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, 1);
    CHECK_SPAN(got.objects.documents.items[0].patient_id, sources_isabella.patient_id);
    CU_ASSERT(strstr(sources_reply.text, "H-1") == NULL);
    CU_ASSERT_STRING_EQUAL(scene_event(sources_green(), 0)->patient, sources_isabella.patient_id);
    kit_send_query(&sources_scene, &query, &sources_reply);
    sources_answer("hospital", &of_hospital[1], 1);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, 1);
    CHECK_SPAN(got.objects.documents.items[0].patient_id, "H-9^^^&2.999.77&ISO");
    sources_close();
}

/* ---- retrieves ---- */

static void
retrieve_of_green(const struct document_ref *refs, size_t n)
{
    struct document_ref_list list = {0};
    struct diag diag = {0};

    for (size_t i = 0; i < n; i++) {
        CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &list, refs[i]));
    }
    kit_send_retrieve(&sources_scene, &list, &sources_reply);
}

/* A document of a source is looked up before it is fetched; what may not be seen, or is nowhere, is
 * one error, and the rest comes in the order of the request. */
static void
test_documents_come_from_where_they_are(void)
{
    const struct given of_hospital[] = {ONE_OF_HOSPITAL,
                                        {"2.999.30.5", HOSPITAL, OWN_ID, "R", NULL}};
    struct given of_clinic[] = {{"2.999.31.1", CLINIC, sources_isabella.patient_id, NULL, NULL}};
    struct retrieve_answer got;

    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE CLINIC_SOURCE);
    const struct document_ref refs[] = {
        {SPAN(CLINIC_HOME), SPAN(CLINIC), SPAN("2.999.31.1")},
        {SPAN(GREEN), SPAN(HOSPITAL), SPAN("2.999.30.5")}, /* withheld */
        {SPAN(GREEN), span_of_cstr(sources_green()->config->repository),
         span_of_cstr(sources_isabella.unique_id)},
        {SPAN(GREEN), SPAN(HOSPITAL), SPAN("2.999.30.1")},
        {SPAN(GREEN), SPAN(HOSPITAL), SPAN("2.999.30.9")},               /* not there */
        {SPAN(GREEN), SPAN(CLINIC), SPAN("2.999.31.1")},                 /* not of that community */
        {SPAN_EMPTY, SPAN(HOSPITAL), SPAN("2.999.30.1")},                /* of none */
        {SPAN("urn:oid:2.999.3"), SPAN("2.999.3.2"), SPAN("2.999.3.7")}, /* blue's */
    };

    retrieve_of_green(refs, ARRAY_LEN(refs));
    CU_ASSERT(!sources_reply.is_here);
    CU_ASSERT_EQUAL_FATAL(sources_scene.questions_n, 2);
    CU_ASSERT(
        sources_was_asked(sources_question("hospital"), "'2.999.30.5','2.999.30.1','2.999.30.9'"));
    sources_answer("hospital", of_hospital, 2);
    sources_answer("clinic", of_clinic, 1);
    CU_ASSERT_EQUAL_FATAL(sources_scene.questions_n, 4);
    CU_ASSERT(!sources_was_asked(sources_question("hospital"), "2.999.30.5"));
    CU_ASSERT(!sources_was_asked(sources_question("hospital"), "HomeCommunityId"));
    CU_ASSERT(sources_was_asked(sources_question("clinic"), "HomeCommunityId"));
    sources_give("hospital", "2.999.30.1", HOSPITAL, "<a>hospital</a>");
    sources_give("clinic", "2.999.31.1", CLINIC, "<a>clinic</a>");
    CU_ASSERT_FATAL(sources_reply.is_here);
    kit_read_retrieve_answer(&sources_reply, sources_arena, &got);
    CU_ASSERT_EQUAL(got.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(got.documents.n, 3);
    CHECK_SPAN(got.documents.items[0].ref.unique_id, "2.999.31.1");
    CHECK_SPAN(got.documents.items[0].ref.home, CLINIC_HOME);
    CHECK_SPAN(buf_span(&got.documents.items[0].body.memory), "<a>clinic</a>");
    CHECK_SPAN(got.documents.items[1].ref.unique_id, sources_isabella.unique_id);
    CHECK_SPAN(got.documents.items[2].ref.unique_id, "2.999.30.1");
    CHECK_SPAN(buf_span(&got.documents.items[2].body.memory), "<a>hospital</a>");
    CU_ASSERT_EQUAL(got.errors.n, 5);
    retrieve_answer_done(&got);
    CU_ASSERT_EQUAL(
        scene_count_events(sources_green(), AUDIT_ITI_43, AUDIT_INITIATING, AUDIT_INTENT, true), 2);
    CU_ASSERT_EQUAL(
        scene_count_events(sources_green(), AUDIT_ITI_39, AUDIT_RESPONDING, AUDIT_OUTCOME, true),
        1);
    CU_ASSERT_EQUAL(
        scene_count_events(sources_green(), AUDIT_ITI_39, AUDIT_RESPONDING, AUDIT_OUTCOME, false),
        1);
    sources_close();
}

static void
test_a_registry_that_is_down_gives_no_document(void)
{
    struct retrieve_answer got;

    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    const struct document_ref refs[] = {
        {SPAN(GREEN), SPAN(HOSPITAL), SPAN("2.999.30.1")},
        {SPAN(GREEN), span_of_cstr(sources_green()->config->repository),
         span_of_cstr(sources_isabella.unique_id)},
    };

    retrieve_of_green(refs, ARRAY_LEN(refs));
    scene_fail(&sources_scene, sources_question("hospital"), ERR_PARTNER_TIMEOUT);
    CU_ASSERT_EQUAL(sources_scene.questions_n, 1); /* its repository is not asked */
    CU_ASSERT_FATAL(sources_reply.is_here);
    kit_read_retrieve_answer(&sources_reply, sources_arena, &got);
    CU_ASSERT_EQUAL(got.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL(got.documents.n, 1);
    CU_ASSERT_EQUAL_FATAL(got.errors.n, 1);
    CHECK_SPAN(got.errors.items[0].code, "XDSRepositoryError");
    CHECK_SPAN(got.errors.items[0].location, GREEN " 2.999.30.1");
    retrieve_answer_done(&got);
    sources_close();
}

/* ---- local systems ---- */

static void
test_a_local_system_asks_sources_and_partners(void)
{
    static const struct given of_hospital[] = {ONE_OF_HOSPITAL};
    static struct config_system system;
    struct config *config;
    struct query_answer got;

    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    config = (struct config *)sources_green()->config;
    system = (struct config_system){.name = "ehr", .asserts = config->asserts};
    config->systems = config->local_system = &system;
    config->systems_n = 1;
    local_send_query_to(&sources_scene, sources_green(), sources_isabella.patient_id, NULL,
                        &sources_reply);
    CU_ASSERT_EQUAL(sources_count("red") + sources_count("blue"), 2);
    sources_answer("hospital", of_hospital, 1);
    scene_deliver_all(&sources_scene, NULL);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_PTR_NOT_NULL(sources_find(&got, "2.999.30.1"));
    CU_ASSERT_EQUAL(got.objects.documents.n, 4);
    sources_close();
}

/* ---- references of several patients ---- */

static const char *const two_ids[] = {"urn:uuid:00000000-0000-4000-8000-00000000000a",
                                      "urn:uuid:00000000-0000-4000-8000-00000000000b"};

static void
ask_for_two(bool wants_leaf_class)
{
    struct span ids[2] = {span_of_cstr(two_ids[0]), span_of_cstr(two_ids[1])};
    struct query_param params[1] = {
        {SPAN("$XDSDocumentEntryEntryUUID"), {ids, 2, 2}, .is_multiple = true}};
    const struct stored_query query = {.id = SPAN(XCA_GET_DOCUMENTS),
                                       .home = SPAN(GREEN),
                                       .wants_leaf_class = wants_leaf_class,
                                       .params = {params, 1, 1}};

    kit_send_query(&sources_scene, &query, &sources_reply);
}

/* The registry answers the question that names this id with its entry. */
static void
answer_with(const char *entry_uuid, const struct given *given)
{
    struct document_entry entry = sources_entry(given, entry_uuid);
    const struct registry_objects objects = {.documents = {&entry, 1, 1}};
    size_t at = SIZE_MAX;

    for (size_t i = 0; i < sources_scene.questions_n; i++) {
        if (sources_was_asked(i, entry_uuid)) {
            CU_ASSERT_EQUAL(at, SIZE_MAX);
            at = i;
        }
    }
    CU_ASSERT_FATAL(at != SIZE_MAX);
    CU_ASSERT(sources_was_asked(at, "returnType=\"LeafClass\""));
    sources_answer_question(at, &objects);
}

/* A registry gives metadata of one patient only, and our rules want metadata: one by one. */
static void
test_references_of_two_patients_are_asked_for_one_by_one(void)
{
    static const struct given ones[] = {
        {"2.999.30.1", HOSPITAL, OWN_ID, NULL, NULL},
        {"2.999.30.2", HOSPITAL, "H-2^^^&2.999.77&ISO", NULL, NULL}};
    struct query_answer got;

    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    ask_for_two(true);
    CU_ASSERT_EQUAL(sources_count("hospital"), 1); /* as it came: its error is the answer */
    CU_ASSERT(sources_was_asked(sources_question("hospital"), two_ids[0]));
    CU_ASSERT(sources_was_asked(sources_question("hospital"), two_ids[1]));
    sources_answer("hospital", NULL, 0);
    sources_close();
    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    ask_for_two(false);
    CU_ASSERT_EQUAL_FATAL(sources_count("hospital"), 2);
    for (size_t i = 0; i < ARRAY_LEN(ones); i++) {
        answer_with(two_ids[i], &ones[i]);
    }
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.errors.n, 0);
    CU_ASSERT_EQUAL(got.objects.documents.n, 0);
    CU_ASSERT_EQUAL_FATAL(got.refs.n, 2);
    for (size_t i = 0; i < got.refs.n; i++) {
        CHECK_SPAN(got.refs.items[i].home, GREEN);
        CHECK_SPAN(got.refs.items[i].unique_id, two_ids[i]);
    }
    sources_close();
}

static const struct unit_test tests[] = {
    {"references of two patients are asked for one by one",
     test_references_of_two_patients_are_asked_for_one_by_one},
    /* REQ: ITI18-source */
    {"all sources answer as one", test_all_sources_answer_as_one},
    /* REQ: MERGE-partial-success */
    {"a source that is down is one error", test_a_source_that_is_down_is_one_error},
    {"what a source may not name is dropped", test_what_a_source_may_not_name_is_dropped},
    {"two sources may have the same document", test_two_sources_may_have_the_same_document},
    {"a home says which sources are asked", test_a_home_says_which_sources_are_asked},
    {"a patient without an id there is not asked about",
     test_a_patient_without_an_id_there_is_not_asked_about},
    {"a document asked by its id gets our patient id",
     test_a_document_asked_by_its_id_gets_our_patient_id},
    /* REQ: ITI43-routing */
    {"documents come from where they are", test_documents_come_from_where_they_are},
    {"a registry that is down gives no document", test_a_registry_that_is_down_gives_no_document},
    {"a local system asks sources and partners", test_a_local_system_asks_sources_and_partners},
};

UNIT_MAIN("sources", tests)
