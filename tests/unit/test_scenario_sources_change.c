/*
 * Sources that a reload adds or removes, a gathering over them, and what an individual's own access
 * opens there. Fake clock, no sockets; the registries are played by the test.
 */
#include <stdio.h>
#include <string.h>

#include "source_kit.h"
#include "tests/unit/idtoken_kit.h"

#define RULE(direction, purposes)                                                                  \
    "  - name: " direction "\n    effect: permit\n    reason: a test\n    direction: " direction   \
    "\n    partners: any\n    purposes: [" purposes "]\n"
#define LESS_R "    withhold: {confidentiality: [R]}\n"

static void
ask_for(const char *home, const char *repository, const char *unique_id)
{
    struct document_ref ref = {span_of_cstr(home), span_of_cstr(repository),
                               span_of_cstr(unique_id)};

    kit_send_retrieve(&sources_scene, &(struct document_ref_list){&ref, 1, 1}, &sources_reply);
}

/* ---- reload ---- */

static void
check_refused(const char *home, const char *repository, const char *unique_id, const char *code)
{
    const size_t questions = sources_scene.questions_n;
    struct retrieve_answer got;

    ask_for(home, repository, unique_id);
    CU_ASSERT_EQUAL(sources_scene.questions_n, questions);
    CU_ASSERT_FATAL(sources_reply.is_here);
    kit_read_retrieve_answer(&sources_reply, sources_arena, &got);
    CU_ASSERT_EQUAL(got.documents.n, 0);
    CU_ASSERT_EQUAL_FATAL(got.errors.n, 1);
    CHECK_SPAN(got.errors.items[0].code, code);
    retrieve_answer_done(&got);
}

static void
test_a_reload_adds_and_removes_sources(void)
{
    static const struct given of_hospital[] = {ONE_OF_HOSPITAL};
    struct given of_clinic[] = {{"2.999.31.1", CLINIC, sources_isabella.patient_id, NULL, NULL}};
    struct query_answer got;

    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    sources_ask_green(NULL);
    sources_answer("hospital", of_hospital, 1);
    got = sources_answer_of_green();
    CU_ASSERT_PTR_NOT_NULL(sources_find(&got, "2.999.30.1"));
    check_refused(CLINIC_HOME, CLINIC, "2.999.31.1", "XDSUnknownCommunity");

    sources_change("sources:\n" OWN_SOURCE CLINIC_SOURCE); /* one goes, one comes */
    sources_ask_green(NULL);
    CU_ASSERT_EQUAL(sources_count("hospital"), 1);
    sources_answer("clinic", of_clinic, 1);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_PTR_NULL(sources_find(&got, "2.999.30.1"));
    CU_ASSERT_PTR_NOT_NULL(sources_find(&got, "2.999.31.1"));
    check_refused(GREEN, HOSPITAL, "2.999.30.1", "XDSUnknownRepositoryId");

    sources_change("sources:\n" OWN_SOURCE); /* the store alone */
    sources_ask_green(CLINIC_HOME);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_FAILURE);
    CHECK_SPAN(got.errors.items[0].code, "XDSUnknownCommunity");
    check_refused(CLINIC_HOME, CLINIC, "2.999.31.1", "XDSUnknownCommunity");
    check_refused(GREEN, HOSPITAL, "2.999.30.1", "XDSUnknownRepositoryId");
    sources_ask_green(NULL);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.objects.documents.n, 3);
    CU_ASSERT_EQUAL(sources_scene.questions_n, 2);
    sources_close();
}

/* What has begun ends with the sources that it began with: between the look into the registry and
 * the document a reload takes the source away. */
static void
test_what_has_begun_keeps_its_sources(void)
{
    static const struct given of_hospital[] = {ONE_OF_HOSPITAL};
    static struct config_system system;
    static struct place older;
    struct document_ref ref = {SPAN(GREEN), SPAN(HOSPITAL), SPAN("2.999.30.1")};
    struct local_request request = {.transaction = SOAP_ITI_43, .to = &older};
    struct retrieve_answer got;
    struct config *config;
    struct diag diag = {0};
    struct buf payload;

    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    config = (struct config *)(uintptr_t)sources_green()->config;
    system = (struct config_system){.name = "ehr", .asserts = config->asserts};
    config->systems = config->local_system = &system;
    config->systems_n = 1;
    older = *sources_green(); /* the same store, journal and engine */
    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, retrieve_query_write(&(struct document_ref_list){&ref, 1, 1}, sources_arena,
                                         &payload, &diag));
    request.payload = buf_span(&payload);
    local_send(&sources_scene, &request, &sources_reply);
    buf_done(&payload);
    CU_ASSERT_EQUAL(sources_count("hospital"), 1);
    sources_change("sources:\n" OWN_SOURCE);
    sources_answer("hospital", of_hospital, 1);
    sources_give("hospital", "2.999.30.1", HOSPITAL, "<a>hospital</a>");
    CU_ASSERT_FATAL(sources_reply.is_here);
    kit_read_retrieve_answer(&sources_reply, sources_arena, &got);
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.documents.n, 1);
    retrieve_answer_done(&got);
    check_refused(GREEN, HOSPITAL, "2.999.30.1", "XDSUnknownRepositoryId");
    sources_close();
}

/* ---- gather ---- */

/* Discovered in green's own store, the patient is asked about with each source's own id; what the
 * rules withhold is neither listed nor fetched. */
static void
test_a_gathering_takes_what_sources_have(void)
{
    static const struct given of_hospital[] = {
        ONE_OF_HOSPITAL,
        {"2.999.30.3", HOSPITAL, "H-2^^^&2.999.77&ISO", NULL, NULL}, /* somebody else's */
        {"2.999.30.5", HOSPITAL, OWN_ID, "R", NULL}};
    struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct span own = SPAN("2.999.2");
    struct asking *asking = NULL;
    const struct leg *leg;

    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    kit_set_policy(sources_green(),
                   "rules:\n" RULE("outbound", "T-TREAT") LESS_R RULE("local", "T-TREAT") LESS_R);
    order.to = (struct span_list){&own, 1, 1};
    scene_ask(sources_green(), &order, &asking);
    CU_ASSERT(sources_was_asked(sources_question("hospital"), "H-1"));
    sources_answer("hospital", of_hospital, ARRAY_LEN(of_hospital));
    CU_ASSERT_PTR_NULL(asking);
    CU_ASSERT_EQUAL_FATAL(sources_count("hospital"), 2);
    CU_ASSERT(!sources_was_asked(sources_question("hospital"), "2.999.30.5"));
    CU_ASSERT(!sources_was_asked(sources_question("hospital"), "2.999.30.3"));
    sources_give("hospital", "2.999.30.1", HOSPITAL, "<a>hospital</a>");
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(sources_count("hospital"), 2);
    leg = kit_leg_of(asking, 1, "hospital");
    CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
    CU_ASSERT_EQUAL_FATAL(leg->objects.documents.n, 1);
    CHECK_SPAN(leg->objects.documents.items[0].patient_id, sources_isabella.patient_id);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "hospital"), 1);
    CU_ASSERT_EQUAL(asking->documents.n, 4); /* three are the store's */
    CU_ASSERT_EQUAL(
        scene_count_events(sources_green(), AUDIT_ITI_43, AUDIT_INITIATING, AUDIT_OUTCOME, true),
        1);
    asking_free(asking);
    kit_restore_policy(sources_green());
    sources_close();
}

/* ---- individuals ---- */

#define OTHERS_ID "H-9^^^&2.999.77&ISO" /* somebody of the hospital's */

static struct jwks_issuer issuer;

/* Isabella's application asks through red from here on. */
static void
open_individual(void)
{
    struct config *config;
    struct diag diag = {0};
    struct jwks *keys = NULL;
    const char *payload;

    sources_open("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    kit_set_policy(sources_green(), "rules:\n" RULE("inbound", "T-IAS"));
    config = (struct config *)(uintptr_t)sources_green()->config;
    CHECK_OK(&diag, jwks_read(jwt_set(jwt_jwk(JWT_RSA, "r", "", token_arena),
                                      jwt_jwk(JWT_EC, "e", "", token_arena), token_arena),
                              &diag, &keys));
    issuer = (struct jwks_issuer){"https://idp.example", keys};
    config->id_token_issuers = &issuer;
    config->id_token_issuers_n = 1;
    payload = token_for_red(clock_wall_us(&sources_scene.clock.clock), "", NULL);
    kit_set_purpose("T-IAS", jwt_make(TOKEN_HEADER, payload, JWT_RSA, token_arena));
}

static void
close_individual(void)
{
    kit_set_purpose(NULL, SPAN_EMPTY);
    jwks_free((struct jwks *)(uintptr_t)issuer.keys);
    kit_restore_policy(sources_green());
    sources_close();
}

static void
test_an_individual_finds_the_own_record_only(void)
{
    static const struct given has[] = {ONE_OF_HOSPITAL,
                                       {"2.999.30.9", HOSPITAL, OTHERS_ID, NULL, NULL}};
    struct span ids[2] = {SPAN("2.999.30.1"), SPAN("2.999.30.9")};
    struct query_param params[1] = {
        {.name = SPAN("$XDSDocumentEntryUniqueId"), .values = {ids, 2, 2}, .is_multiple = true}};
    const struct stored_query by_name = {.id = SPAN(XCA_GET_DOCUMENTS),
                                         .home = SPAN(GREEN),
                                         .wants_leaf_class = true,
                                         .params = {params, 1, 1}};
    struct query_answer got;

    open_individual();
    sources_ask_green(NULL); /* by the own id */
    sources_answer("hospital", has, 1);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_PTR_NOT_NULL(sources_find(&got, "2.999.30.1"));
    kit_send_query(&sources_scene, &by_name, &sources_reply);
    sources_answer("hospital", has, 2);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, 1);
    CHECK_SPAN(got.objects.documents.items[0].unique_id, "2.999.30.1");
    CU_ASSERT_PTR_NULL(strstr(sources_reply.text, "2.999.30.9"));
    CU_ASSERT_PTR_NULL(strstr(sources_reply.text, "H-9"));
    close_individual();
}

/* Another's id in the question is a contradiction, and no source hears of it. */
static void
test_an_individual_may_not_name_another(void)
{
    const size_t before = sizeof(sources_isabella.patient_id);
    const struct scene_stored isabella = sources_isabella;
    struct scene_stored myra;
    struct query_answer got;

    open_individual();
    myra = kit_add(sources_green(), "Myra", "N", "<ClinicalDocument>m</ClinicalDocument>");
    (void)snprintf(sources_isabella.patient_id, before, "%s", myra.patient_id);
    sources_ask_green(NULL);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(got.objects.documents.n, 0);
    CU_ASSERT_EQUAL(sources_scene.questions_n, 0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(scene_event(sources_green(), 0)->reason, "IDTOKEN_CONTRADICTION"));
    sources_isabella = isabella;
    close_individual();
}

/* Another's document is as though it were not there, and its bytes are not fetched. */
static void
test_an_individual_is_given_own_documents_only(void)
{
    static const struct given others[] = {{"2.999.30.9", HOSPITAL, OTHERS_ID, NULL, NULL}};
    static const struct given own[] = {ONE_OF_HOSPITAL};
    char said[2][256];

    open_individual();
    for (size_t has = 0; has < 2; has++) { /* it is not there, it is another's */
        struct retrieve_answer got;

        ask_for(GREEN, HOSPITAL, "2.999.30.9");
        const size_t asked = sources_count("hospital");
        sources_answer("hospital", others, has);
        CU_ASSERT_EQUAL(sources_count("hospital"), asked);
        CU_ASSERT_FATAL(sources_reply.is_here);
        kit_read_retrieve_answer(&sources_reply, sources_arena, &got);
        CU_ASSERT_EQUAL(got.documents.n, 0);
        CU_ASSERT_EQUAL_FATAL(got.errors.n, 1);
        (void)snprintf(
            said[has], sizeof(said[has]), "%.*s|%.*s|%.*s", SPAN_PRINT(got.errors.items[0].code),
            SPAN_PRINT(got.errors.items[0].context), SPAN_PRINT(got.errors.items[0].location));
        retrieve_answer_done(&got);
    }
    CU_ASSERT_STRING_EQUAL(said[0], said[1]);
    CU_ASSERT(strncmp(said[0], "XDSDocumentUniqueIdError|", 25) == 0);
    struct retrieve_answer got;
    ask_for(GREEN, HOSPITAL, "2.999.30.1");
    sources_answer("hospital", own, 1);
    sources_give("hospital", "2.999.30.1", HOSPITAL, "<a>own</a>");
    kit_read_retrieve_answer(&sources_reply, sources_arena, &got);
    CU_ASSERT_EQUAL(got.documents.n, 1);
    retrieve_answer_done(&got);
    close_individual();
}

static const struct unit_test tests[] = {
    /* REQ: ITI18-source */
    {"a reload adds and removes sources", test_a_reload_adds_and_removes_sources},
    {"what has begun keeps its sources", test_what_has_begun_keeps_its_sources},
    {"a gathering takes what sources have", test_a_gathering_takes_what_sources_have},
    {"keys are made", token_begin},
    {"an individual finds the own record only", test_an_individual_finds_the_own_record_only},
    {"an individual may not name another", test_an_individual_may_not_name_another},
    {"an individual is given own documents only", test_an_individual_is_given_own_documents_only},
};

int
main(void)
{
    const int rc = unit_main("changed sources", tests, ARRAY_LEN(tests));

    token_end();
    return rc;
}
