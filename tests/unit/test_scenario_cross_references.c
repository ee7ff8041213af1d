/*
 * Managers of cross-references (ITI-45) as sources of ids: green's index knows Isabella by the
 * hospital's id, the registry "far" by another; the manager that the test plays is asked which.
 * Fake clock, no sockets.
 */
#include <string.h>

#include "base/mem.h"
#include "supplier_kit.h"

#define SOURCES "sources:\n" OWN_SOURCE XREF_SOURCE FAR_SOURCE

static const struct given of_far[] = {
    {"2.999.35.1", "2.999.35", "F-1^^^&2.999.78&ISO", NULL, NULL}};
static const char *const right[] = {FAR " F-1"};

static const struct scene_event *
newest(enum audit_type type, enum audit_phase phase)
{
    for (size_t i = 0; scene_event(sources_green(), i) != NULL; i++) {
        const struct scene_event *event = scene_event(sources_green(), i);

        if (event->type == type && event->phase == phase) {
            return event;
        }
    }
    CU_FAIL_FATAL("no such record");
    return NULL;
}

/* Far is asked under F-1 and answers; what green gives. */
static void
check_far(size_t documents)
{
    struct query_answer got;

    CU_ASSERT(sources_was_asked(sources_question("far"), "'F-1^^^&amp;2.999.78&amp;ISO'"));
    sources_answer("far", of_far, 1);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, documents);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sources_find(&got, "2.999.35.1"));
    CHECK_SPAN(sources_find(&got, "2.999.35.1")->patient_id, sources_isabella.patient_id);
}

/* Far has not been asked, and green says that something lacks. */
static void
check_without_far(const char *why)
{
    struct query_answer got = sources_answer_of_green();

    CU_ASSERT_EQUAL(sources_count("far"), 0);
    CU_ASSERT_EQUAL(got.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL(got.errors.n, 1);
    CU_ASSERT_EQUAL(got.objects.documents.n, 3); /* the store's */
    CU_ASSERT(strstr(newest(AUDIT_ITI_18, AUDIT_OUTCOME)->reason, why) != NULL);
}

static void
test_the_registry_is_reached_under_its_own_id(void)
{
    const struct scene_event *event;
    struct pix_query asked;

    sources_open(SOURCES);
    sources_ask_green(NULL);
    CU_ASSERT_EQUAL_FATAL(sources_scene.questions_n, 1); /* far waits for it */
    asked = supplier_asked_ids("xref");
    CHECK_SPAN(asked.patient.root, "2.999.77");
    CHECK_SPAN(asked.patient.extension, "H-1");
    CU_ASSERT_EQUAL_FATAL(asked.sources.n, 1);
    CHECK_SPAN(asked.sources.items[0].root, FAR);
    supplier_give_ids("xref", right, 1);
    check_far(4);
    event = newest(AUDIT_ITI_45, AUDIT_OUTCOME);
    CU_ASSERT_EQUAL(event->outcome, AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(event->patients_n, 2);
    CU_ASSERT_STRING_EQUAL(event->patient, "H-1^^^&2.999.77&ISO");
    CU_ASSERT_EQUAL(
        scene_count_events(sources_green(), AUDIT_ITI_45, AUDIT_INITIATING, AUDIT_INTENT, true), 1);
    sources_close();
}

/* What it said is remembered, and asked anew when the time is over; so is that it has none. */
static void
test_answers_are_remembered_for_a_while(void)
{
    sources_open(SOURCES);
    sources_ask_green(NULL);
    supplier_give_ids("xref", right, 1);
    check_far(4);
    sources_ask_green(NULL);
    CU_ASSERT_EQUAL(sources_count("xref"), 1);
    check_far(4);
    CU_ASSERT(strstr(newest(AUDIT_ITI_45, AUDIT_OUTCOME)->reason, "still good") != NULL);
    fake_clock_advance(&sources_scene.clock, 601 * US_PER_S);
    sources_ask_green(NULL);
    CU_ASSERT_EQUAL(sources_count("xref"), 2);
    supplier_give_ids("xref", NULL, 0);
    CU_ASSERT_EQUAL(sources_answer_of_green().objects.documents.n, 3);
    sources_ask_green(NULL);
    CU_ASSERT_EQUAL(sources_count("xref"), 2);
    CU_ASSERT_EQUAL(sources_answer_of_green().objects.documents.n, 3);
    CU_ASSERT_EQUAL(sources_count("far"), 2);
    sources_close();
}

/* Nobody to be found by the manager is an answer of nothing, not a failure. */
static void
test_no_id_is_an_answer(void)
{
    static const struct pix_answer none[] = {{.result = PIX_NONE}, {.result = PIX_UNKNOWN_PATIENT}};

    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        struct query_answer got;

        sources_open(SOURCES);
        sources_ask_green(NULL);
        supplier_say_ids("xref", &none[i]);
        got = sources_answer_of_green();
        CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
        CU_ASSERT_EQUAL(got.objects.documents.n, 3);
        CU_ASSERT_EQUAL(sources_count("far"), 0);
        CU_ASSERT_EQUAL(newest(AUDIT_ITI_18, AUDIT_OUTCOME)->outcome, AUDIT_SUCCESS);
        sources_close();
    }
}

/* What the manager cannot say costs the registry that needs it, and nobody else. */
static void
test_a_manager_that_fails(void)
{
    static const struct pix_answer refusals[] = {
        {.result = PIX_UNKNOWN_SOURCE, .unknown = {0}, .unknown_n = 1}, {.result = PIX_ERROR}};

    sources_open(SOURCES);
    sources_ask_green(NULL);
    scene_fail(&sources_scene, sources_question("xref"), ERR_PARTNER_TIMEOUT);
    check_without_far("PARTNER_TIMEOUT");
    sources_close();
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        sources_open(SOURCES);
        sources_ask_green(NULL);
        supplier_say_ids("xref", &refusals[i]);
        check_without_far("PARTNER_REFUSED");
        CU_ASSERT_EQUAL(newest(AUDIT_ITI_45, AUDIT_OUTCOME)->outcome, AUDIT_SERIOUS);
        sources_close();
    }
}

/* A silent one has a share of the time, not all of it. */
static void
test_a_silent_manager_leaves_time(void)
{
    struct query_answer got;

    sources_open("sources:\n" OWN_SOURCE XREF_SOURCE FAR_SOURCE HOSPITAL_SOURCE);
    sources_ask_green(NULL);
    CU_ASSERT_EQUAL(sources_count("hospital"), 0);
    fake_clock_advance(&sources_scene.clock, 6 * US_PER_S);
    scene_run(&sources_scene);
    CU_ASSERT_EQUAL_FATAL(sources_count("hospital"), 1);
    sources_answer("hospital", (const struct given[]){ONE_OF_HOSPITAL}, 1);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL(got.objects.documents.n, 4);
    sources_close();
}

/* An id that our index has of somebody else is not used, however the manager got it. */
static void
test_an_id_of_somebody_else_is_not_used(void)
{
    struct span given[1] = {SPAN("Myra")};
    struct person_name name[1] = {{.family = SPAN("Stone"), .given = {given, 1, 1}}};
    struct ident ids[1] = {{.root = SPAN(FAR), .extension = SPAN("F-1")}};
    const struct patient myra = {.names = {name, 1, 1},
                                 .birth_time = SPAN("19500505"),
                                 .sex = SPAN("F"),
                                 .ids = {ids, 1, 1}};
    struct scene_stored stored;

    sources_open(SOURCES);
    scene_add_marked_document(sources_green(), &myra, "N", "<ClinicalDocument>m</ClinicalDocument>",
                              &stored);
    sources_ask_green(NULL);
    supplier_give_ids("xref", right, 1);
    check_without_far("another person's");
    sources_ask_green(NULL); /* nor when it is remembered */
    check_without_far("another person's");
    CU_ASSERT_EQUAL(sources_count("xref"), 1);
    sources_close();
}

#define OTHER_XREF                                                                                 \
    "  - {name: other, engine: pix, url: 'https://other.example/pix', patient_authority: "         \
    "2.999.77}\n"

static void
test_managers_that_disagree(void)
{
    static const char *const wrong[] = {FAR " F-2"};

    sources_open("sources:\n" OWN_SOURCE XREF_SOURCE OTHER_XREF FAR_SOURCE);
    sources_ask_green(NULL);
    supplier_give_ids("xref", right, 1);
    supplier_give_ids("other", wrong, 1);
    check_without_far("different ids");
    sources_close();
    sources_open("sources:\n" OWN_SOURCE XREF_SOURCE OTHER_XREF FAR_SOURCE);
    sources_ask_green(NULL);
    supplier_give_ids("xref", right, 1);
    supplier_give_ids("other", NULL, 0); /* it does not know, and does not contradict */
    check_far(4);
    sources_close();
}

/* Of one domain all ids are used or none. */
static void
test_several_ids_of_one_domain(void)
{
    static const char *const two[] = {FAR " F-1", FAR " F-2", "2.999.79 X-1"};
    static const char *const many[] = {FAR " F-1", FAR " F-2", FAR " F-3", FAR " F-4", FAR " F-5"};

    sources_open(SOURCES);
    sources_ask_green(NULL);
    supplier_give_ids("xref", two, ARRAY_LEN(two));
    CU_ASSERT_EQUAL(sources_count("far"), 2);
    sources_answer("far", of_far, 0);
    fake_clock_advance(&sources_scene.clock, 60 * US_PER_S);
    scene_run(&sources_scene);
    CU_ASSERT(sources_reply.is_here);
    sources_close();
    sources_open(SOURCES);
    sources_ask_green(NULL);
    supplier_give_ids("xref", many, ARRAY_LEN(many));
    check_without_far("TOO_MANY_RESULTS");
    sources_close();
}

/* By an id that nobody has there is nothing to ask with. */
static void
test_without_an_id_of_the_manager(void)
{
    struct query_answer got;

    sources_open("sources:\n" OWN_SOURCE FAR_SOURCE
                 "  - {name: xref, engine: pix, url: 'https://xref.example/pix',"
                 " patient_authority: 2.999.80}\n");
    sources_ask_green(NULL);
    CU_ASSERT_EQUAL(sources_scene.questions_n, 0);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.objects.documents.n, 3);
    sources_close();
}

/* The index takes its time at every step. */
static void
test_a_slow_index(void)
{
    sources_open(SOURCES);
    kit_slow_store(sources_green());
    sources_ask_green(NULL);
    kit_wake_store_all(sources_green());
    supplier_give_ids("xref", right, 1);
    kit_wake_store_all(sources_green());
    CU_ASSERT(sources_was_asked(sources_question("far"), "F-1^^^"));
    sources_answer("far", of_far, 1);
    kit_wake_store_all(sources_green());
    CU_ASSERT_EQUAL(sources_answer_of_green().objects.documents.n, 4);
    sources_green()->node.store = sources_green()->store;
    sources_close();
}

/* Partners answer what they are asked; sources are the test's. */
static void
deliver_to_partners(void)
{
    for (size_t i = 0; i < sources_scene.questions_n; i++) {
        if (!sources_scene.questions[i].is_answered &&
            sources_scene.questions[i].to->source == NULL) {
            scene_deliver(&sources_scene, i);
        }
    }
}

/* Our own people gather: discover, ids, query, retrieve. */
static void
test_gather(void)
{
    static struct asking *asking;
    struct asking_order order;

    sources_open(SOURCES);
    order = scene_order(ASKING_GATHER, ISABELLA);
    scene_ask(sources_green(), &order, &asking);
    deliver_to_partners();
    supplier_give_ids("xref", right, 1);
    CU_ASSERT(sources_was_asked(sources_question("far"), "F-1^^^"));
    sources_answer("far", of_far, 1);
    deliver_to_partners();
    sources_give("far", "2.999.35.1", "2.999.35", "<ClinicalDocument>far</ClinicalDocument>");
    deliver_to_partners();
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "far"), 1);
    asking_free(asking);
    sources_close();
}

static const struct unit_test tests[] = {
    {"a manager that fails", test_a_manager_that_fails},
    {"a silent manager leaves time", test_a_silent_manager_leaves_time},
    /* REQ: ITI45-contradiction */
    {"an id of somebody else is not used", test_an_id_of_somebody_else_is_not_used},
    /* REQ: ITI45-contradiction */
    {"managers that disagree", test_managers_that_disagree},
    {"several ids of one domain", test_several_ids_of_one_domain},
    {"without an id of the manager", test_without_an_id_of_the_manager},
    {"no id is an answer", test_no_id_is_an_answer},
    /* REQ: ITI45-source */
    {"the registry is reached under its own id", test_the_registry_is_reached_under_its_own_id},
    {"answers are remembered for a while", test_answers_are_remembered_for_a_while},
    {"gather", test_gather},
    {"a slow index", test_a_slow_index},
};

UNIT_MAIN("cross-references", tests)
