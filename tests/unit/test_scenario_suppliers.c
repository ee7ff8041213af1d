/*
 * Suppliers of demographics (ITI-47) as sources of people: green asks the one that the test plays
 * when a partner or green's own operator seeks somebody, and answers by its own rules and with its
 * own ids. Fake clock, no sockets.
 */
#include <string.h>

#include "base/mem.h"
#include "store/registry.h"
#include "supplier_kit.h"

#define SOURCES  "sources:\n" OWN_SOURCE MPI_SOURCE
#define GREEN_ID "2.999.2.1" /* authority of the ids that green gives out */

static const struct supplied otto = {"M-7", OTTO, "H-7", NULL};

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

/* Red asks for Otto; the supplier says that; green's answer. */
static struct xcpd_answer
ask_for_otto(const struct supplied *people, size_t n, unsigned left)
{
    supplier_discover(OTTO, &sources_reply);
    CU_ASSERT(!sources_reply.is_here);
    supplier_answer("mpi", people, n, left);
    return supplier_discovered(&sources_reply);
}

static uint64_t
count_patients(void)
{
    struct store_counts counts = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, store_count(sources_green()->store, &diag, &counts));
    return counts.patients;
}

/* ---- a partner asks ---- */

/* The supplier is asked by name and birth date; whom it knows gets an id of ours, the same each
 * time, and no other id leaves. */
static void
test_a_person_of_the_supplier_is_found(void)
{
    const struct scene_event *event;
    struct xcpd_answer answer;
    struct xcpd_query asked;
    struct span first;

    sources_open(SOURCES);
    supplier_discover(OTTO, &sources_reply);
    CU_ASSERT_EQUAL_FATAL(sources_scene.questions_n, 1);
    asked = supplier_asked("mpi");
    CU_ASSERT_EQUAL(asked.subject.names.n, 1);
    CHECK_SPAN(asked.subject.names.items[0].family, "Berg");
    CHECK_SPAN(asked.subject.birth_time, "19600202");
    CU_ASSERT(asked.subject.ids.n == 0 && asked.subject.sex.n == 0);
    CU_ASSERT_EQUAL(asked.initial_quantity, 64);
    supplier_answer("mpi", &otto, 1, 0);
    answer = supplier_discovered(&sources_reply);
    CU_ASSERT_EQUAL(answer.result, XCPD_MATCH);
    CU_ASSERT_EQUAL_FATAL(answer.matches.n, 1);
    CU_ASSERT_EQUAL(answer.matches.items[0].patient.ids.n, 1);
    CHECK_SPAN(answer.matches.items[0].patient.ids.items[0].root, GREEN_ID);
    first = answer.matches.items[0].patient.ids.items[0].extension;
    CU_ASSERT(strstr(sources_reply.text, "M-7") == NULL &&
              strstr(sources_reply.text, "H-7") == NULL);
    event = newest(AUDIT_ITI_47, AUDIT_OUTCOME);
    CU_ASSERT_EQUAL(event->outcome, AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(event->side, AUDIT_INITIATING);
    CU_ASSERT_STRING_EQUAL(event->partner, "mpi");
    CU_ASSERT_STRING_EQUAL(event->patient, "M-7^^^&2.999.50&ISO");
    CU_ASSERT(event->query_n > 0);
    CU_ASSERT_EQUAL(newest(AUDIT_ITI_55, AUDIT_OUTCOME)->outcome, AUDIT_SUCCESS);
    answer = ask_for_otto(&otto, 1, 0);
    CU_ASSERT_EQUAL_FATAL(answer.matches.n, 1);
    CU_ASSERT(span_eq(answer.matches.items[0].patient.ids.items[0].extension, first));
    sources_close();
}

/* The id that green gave out leads to the registry, under the registry's own id. */
static void
test_the_id_that_was_given_leads_to_the_registry(void)
{
    static const struct given of_hospital[] = {
        {"2.999.30.7", HOSPITAL, "H-7^^^&2.999.77&ISO", NULL, NULL}};
    struct xcpd_answer answer;
    struct query_answer got;
    struct diag diag = {0};
    struct span cx;

    sources_open(SOURCES HOSPITAL_SOURCE);
    answer = ask_for_otto(&otto, 1, 0);
    CU_ASSERT_EQUAL_FATAL(answer.matches.n, 1);
    CHECK_OK(&diag, ident_write_cx(sources_arena, &answer.matches.items[0].patient.ids.items[0],
                                   &diag, &cx));
    snprintf(sources_isabella.patient_id, sizeof(sources_isabella.patient_id), "%.*s",
             SPAN_PRINT(cx));
    sources_ask_green(NULL);
    CU_ASSERT(sources_was_asked(sources_question("hospital"), "'H-7^^^&amp;2.999.77&amp;ISO'"));
    sources_answer("hospital", of_hospital, 1);
    got = sources_answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, 1);
    CHECK_SPAN(got.objects.documents.items[0].patient_id, sources_isabella.patient_id);
    sources_close();
}

/* What a supplier says is held against the question by our rules, whatever degree it gives. */
static void
test_who_is_another_is_not_believed(void)
{
    static const struct supplied others[] = {
        {"M-8", "Berg", "Otto", "19600203", "M", NULL, NULL},
        {"M-9", "Berg", "Oskar", "19600202", "M", NULL, NULL},
        {"M-10", "Berg", "Otto", "19600202", "F", NULL, NULL},
    };
    const struct scene_event *event;
    struct xcpd_answer answer;
    uint64_t before;

    sources_open(SOURCES);
    before = count_patients();
    answer = ask_for_otto(others, ARRAY_LEN(others), 0);
    CU_ASSERT_EQUAL(answer.result, XCPD_NONE);
    CU_ASSERT_EQUAL(answer.matches.n, 0);
    CU_ASSERT_EQUAL(count_patients(), before);
    event = newest(AUDIT_ITI_47, AUDIT_OUTCOME);
    CU_ASSERT_EQUAL(event->outcome, AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(event->patients_n, 3);
    CU_ASSERT(strstr(event->reason, "3 of the people given are not the one") != NULL);
    CU_ASSERT(strstr(event->reason, "Berg") == NULL);
    sources_close();
}

/* One who is the same beside some who are not is the answer. */
static void
test_the_one_among_others_is_found(void)
{
    static const struct supplied people[] = {{"M-8", "Berg", "Otto", "19600203", "M", NULL, NULL},
                                             {"M-7", OTTO, "H-7", NULL}};
    struct xcpd_answer answer;

    sources_open(SOURCES);
    answer = ask_for_otto(people, ARRAY_LEN(people), 0);
    CU_ASSERT_EQUAL(answer.result, XCPD_MATCH);
    CU_ASSERT_EQUAL(answer.matches.n, 1);
    sources_close();
}

/* Two who fit are as two of the store: nobody, and what would tell them apart. */
static void
test_two_who_fit_are_ambiguous(void)
{
    static const struct supplied people[] = {{"M-7", OTTO, NULL, "Bonn"},
                                             {"M-8", OTTO, NULL, "Kiel"}};
    struct xcpd_answer answer;

    sources_open(SOURCES);
    answer = ask_for_otto(people, ARRAY_LEN(people), 0);
    CU_ASSERT_EQUAL(answer.result, XCPD_AMBIGUOUS);
    CU_ASSERT_EQUAL(answer.matches.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.issues.n, 1);
    CHECK_SPAN(answer.issues.items[0], XCPD_ASK_ADDRESS);
    sources_close();
}

/* Whom the store knows already is the same person, who has the supplier's ids from then on. */
static void
test_a_known_person_is_joined(void)
{
    static const struct supplied isabella = {"M-1", ISABELLA, NULL, NULL};
    struct ident_list ids = {0};
    struct xcpd_answer answer;
    enum answer when;
    struct diag diag = {0};
    uint64_t before;

    sources_open(SOURCES);
    before = count_patients();
    supplier_discover(ISABELLA, &sources_reply);
    supplier_answer("mpi", &isabella, 1, 0);
    answer = supplier_discovered(&sources_reply);
    CU_ASSERT_EQUAL_FATAL(answer.matches.n, 1);
    CU_ASSERT_EQUAL(count_patients(), before);
    CHECK_OK(&diag, store_patient_ids(sources_green()->store,
                                      &(struct ident){.root = SPAN(MPI), .extension = SPAN("M-1")},
                                      NULL, sources_arena, &diag, &when, &ids));
    CU_ASSERT_FATAL(ids.n > 0);
    CU_ASSERT(
        span_eq(ids.items[0].extension, answer.matches.items[0].patient.ids.items[0].extension));
    sources_close();
}

/* An id of the supplier's that is somebody else's here: nobody is learned, nothing changes. */
static void
test_an_id_of_somebody_else_is_a_contradiction(void)
{
    static const struct supplied robbed = {"M-7", "Kant", "Emma", "19700303", "F", NULL, NULL};
    const struct scene_event *event;
    struct xcpd_answer answer;
    uint64_t before;

    sources_open(SOURCES);
    answer = ask_for_otto(&otto, 1, 0);
    CU_ASSERT_EQUAL(answer.matches.n, 1);
    before = count_patients();
    supplier_discover("Kant", "Emma", "19700303", "F", &sources_reply);
    supplier_answer("mpi", &robbed, 1, 0);
    answer = supplier_discovered(&sources_reply);
    CU_ASSERT_EQUAL(answer.result, XCPD_ERROR); /* not: nobody */
    CU_ASSERT_EQUAL(answer.matches.n, 0);
    CU_ASSERT_EQUAL(count_patients(), before);
    event = newest(AUDIT_ITI_47, AUDIT_OUTCOME);
    CU_ASSERT_EQUAL(event->outcome, AUDIT_MINOR);
    CU_ASSERT(strstr(event->reason, "another person's") != NULL);
    CU_ASSERT(strstr(event->reason, "Kant") == NULL && strstr(event->reason, "M-7") == NULL);
    answer = ask_for_otto(&otto, 1, 0); /* his id can still be believed */
    CU_ASSERT_EQUAL(answer.matches.n, 1);
    sources_close();
}

/* ---- no answer, or none that can be used ---- */

/* "Nobody" is not said when the supplier has not said so. */
static void
test_a_silent_supplier_is_no_nobody(void)
{
    struct xcpd_answer answer;

    sources_open(SOURCES);
    supplier_discover(OTTO, &sources_reply);
    scene_fail(&sources_scene, sources_question("mpi"), ERR_PARTNER_TIMEOUT);
    answer = supplier_discovered(&sources_reply);
    CU_ASSERT_EQUAL(answer.result, XCPD_ERROR);
    CU_ASSERT_EQUAL_FATAL(answer.issues.n, 1);
    CHECK_SPAN(answer.issues.items[0], XCPD_WHY_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(newest(AUDIT_ITI_47, AUDIT_OUTCOME)->outcome, AUDIT_SERIOUS);
    CU_ASSERT_NOT_EQUAL(newest(AUDIT_ITI_55, AUDIT_OUTCOME)->outcome, AUDIT_SUCCESS);
    sources_close();
}

/* Never answered at all: the deadline ends it. */
static void
test_the_deadline_ends_the_wait(void)
{
    struct xcpd_answer answer;

    sources_open(SOURCES);
    supplier_discover(OTTO, &sources_reply);
    fake_clock_advance(&sources_scene.clock, 60 * US_PER_S);
    scene_run(&sources_scene);
    answer = supplier_discovered(&sources_reply);
    CU_ASSERT_EQUAL(answer.result, XCPD_ERROR);
    sources_close();
}

/* Whom the store itself knows is found though the supplier is silent; the record says what lacks.
 */
static void
test_the_store_answers_without_the_supplier(void)
{
    struct xcpd_answer answer;

    sources_open(SOURCES);
    supplier_discover(ISABELLA, &sources_reply);
    scene_fail(&sources_scene, sources_question("mpi"), ERR_PARTNER_UNREACHABLE);
    answer = supplier_discovered(&sources_reply);
    CU_ASSERT_EQUAL(answer.result, XCPD_MATCH);
    CU_ASSERT_EQUAL(answer.matches.n, 1);
    CU_ASSERT(strstr(newest(AUDIT_ITI_55, AUDIT_OUTCOME)->reason, "PARTNER_UNREACHABLE") != NULL);
    sources_close();
}

static const struct {
    const char *what;
    unsigned left;
    bool is_refusal;
    const char *reason;
} useless[] = {
    {"more than it gives", 3, false, "TOO_MANY_RESULTS"},
    {"an error", 0, true, "PARTNER_REFUSED"},
};

static void
test_useless_answers(void)
{
    for (size_t i = 0; i < ARRAY_LEN(useless); i++) {
        const struct scene_event *event;
        struct xcpd_answer answer;
        uint64_t before;

        sources_open(SOURCES);
        before = count_patients();
        supplier_discover(OTTO, &sources_reply);
        if (useless[i].is_refusal) {
            supplier_refuse("mpi");
        } else {
            supplier_answer("mpi", &otto, 1, useless[i].left);
        }
        answer = supplier_discovered(&sources_reply);
        CU_ASSERT_EQUAL(answer.result, XCPD_ERROR);
        CU_ASSERT_EQUAL(count_patients(), before);
        event = newest(AUDIT_ITI_47, AUDIT_OUTCOME);
        CU_ASSERT_EQUAL(event->outcome, AUDIT_SERIOUS);
        CU_ASSERT(strstr(event->reason, useless[i].reason) != NULL);
        sources_close();
    }
}

/* ---- by an id, or not at all ---- */

static void
test_a_question_of_ids_alone(void)
{
    struct ident id = {.root = SPAN(MPI), .extension = SPAN("M-7")};
    struct patient who = {.ids = {&id, 1, 1}};
    struct xcpd_answer answer;
    struct xcpd_query asked;

    sources_open(SOURCES);
    supplier_discover_patient(&who, &sources_reply);
    asked = supplier_asked("mpi");
    CU_ASSERT_EQUAL_FATAL(asked.subject.ids.n, 1);
    CHECK_SPAN(asked.subject.ids.items[0].extension, "M-7");
    supplier_answer("mpi", &otto, 1, 0);
    answer = supplier_discovered(&sources_reply); /* an id of somebody else's finds nobody here */
    CU_ASSERT_EQUAL(answer.result, XCPD_NONE);
    id.root = SPAN("2.999.51"); /* not the supplier's */
    supplier_discover_patient(&who, &sources_reply);
    CU_ASSERT_EQUAL(sources_count("mpi"), 1);
    answer = supplier_discovered(&sources_reply);
    CU_ASSERT_EQUAL(answer.result, XCPD_NONE);
    CU_ASSERT(strstr(newest(AUDIT_ITI_47, AUDIT_OUTCOME)->reason, "not asked") != NULL);
    sources_close();
}

/* ---- our own people ask ---- */

static struct asking *asking;

static void
test_our_own_discovery_asks_it_too(void)
{
    struct asking_order order;
    const struct leg *own = NULL;

    sources_open(SOURCES);
    order = scene_order(ASKING_DISCOVER, OTTO);
    scene_ask(sources_green(), &order, &asking);
    CU_ASSERT_EQUAL(sources_count("mpi"), 1);
    CU_ASSERT_EQUAL(sources_count("red"), 1);
    supplier_answer("mpi", &otto, 1, 0);
    scene_deliver_all(&sources_scene, "mpi");
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    for (size_t i = 0; i < asking->legs[0].n; i++) {
        if (asking->legs[0].items[i].partner == NULL) {
            own = &asking->legs[0].items[i];
        }
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(own);
    CU_ASSERT_EQUAL(own->state, LEG_ANSWERED);
    CU_ASSERT_EQUAL(own->matches.n, 1);
    asking_free(asking);
    sources_close();
}

/* ---- where things go wrong ---- */

/* The index takes its time at every step: whoever waits is parked, and goes on where he was. */
static void
test_a_slow_index(void)
{
    static const struct supplied people[] = {{"M-8", "Berg", "Otto", "19600203", "M", NULL, NULL},
                                             {"M-7", OTTO, "H-7", NULL}};
    struct xcpd_answer answer;

    sources_open(SOURCES);
    kit_slow_store(sources_green());
    supplier_discover(OTTO, &sources_reply);
    kit_wake_store_all(sources_green());
    supplier_answer("mpi", people, ARRAY_LEN(people), 0);
    CU_ASSERT(!sources_reply.is_here);
    kit_wake_store_all(sources_green());
    answer = supplier_discovered(&sources_reply);
    CU_ASSERT_EQUAL(answer.result, XCPD_MATCH);
    CU_ASSERT_EQUAL(answer.matches.n, 1);
    sources_green()->node.store = sources_green()->store;
    sources_close();
}

/* Memory fails at each point of a whole discovery: an answer comes all the same, and "nobody" is
 * said only when the supplier has been heard. */
static void
test_memory_fails(void)
{
    bool is_found = false;

    sources_open(SOURCES);
    for (uint64_t n = 0; n < 20000 && !is_found; n += 7) {
        size_t i;

        sources_scene.allocations_left = n;
        supplier_discover(OTTO, &sources_reply);
        i = kit_question_to(&sources_scene, "mpi");
        if (i != SIZE_MAX && !sources_scene.questions[i].is_answered) {
            supplier_answer("mpi", &otto, 1, 0);
        }
        scene_run(&sources_scene);
        sources_scene.allocations_left = UINT64_MAX;
        CU_ASSERT_FATAL(sources_reply.is_here);
        if (sources_reply.http_status == 200) {
            const struct xcpd_answer answer = supplier_discovered(&sources_reply);

            CU_ASSERT(answer.result == XCPD_MATCH || answer.result == XCPD_ERROR);
            is_found = answer.result == XCPD_MATCH;
        }
        CU_ASSERT(count_patients() <= 4);
        scene_forget(&sources_scene);
    }
    CU_ASSERT(is_found);
    sources_close();
}

static const struct unit_test tests[] = {
    /* REQ: ITI47-rules */
    {"who is another is not believed", test_who_is_another_is_not_believed},
    {"two who fit are ambiguous", test_two_who_fit_are_ambiguous},
    {"an id of somebody else is a contradiction", test_an_id_of_somebody_else_is_a_contradiction},
    /* REQ: ITI47-silent */
    {"a silent supplier is no nobody", test_a_silent_supplier_is_no_nobody},
    {"the deadline ends the wait", test_the_deadline_ends_the_wait},
    /* REQ: ITI47-too-many */
    {"useless answers", test_useless_answers},
    {"a question of ids alone", test_a_question_of_ids_alone},
    /* REQ: ITI47-source */
    {"a person of the supplier is found", test_a_person_of_the_supplier_is_found},
    {"the id that was given leads to the registry",
     test_the_id_that_was_given_leads_to_the_registry},
    {"the one among others is found", test_the_one_among_others_is_found},
    {"a known person is joined", test_a_known_person_is_joined},
    {"the store answers without the supplier", test_the_store_answers_without_the_supplier},
    {"our own discovery asks it, too", test_our_own_discovery_asks_it_too},
    {"a slow index", test_a_slow_index},
    {"memory fails", test_memory_fails},
};

UNIT_MAIN("suppliers", tests)
