/*
 * What our own commands ask: whom, about what, what our rules and our own store make of it, what is
 * recorded; and transactions that must wait for their store.
 */
#include <string.h>

#include "base/mem.h"
#include "scene_kit.h"

static struct scene scene; /* large; one at a time */

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

static struct place *
green(void)
{
    return scene_place(&scene, "green");
}

static struct ident
ident_of(const struct scene_stored *stored)
{
    struct ident id = {SPAN_EMPTY, SPAN_EMPTY, SPAN_EMPTY};
    struct diag diag = {0};

    CHECK_OK(&diag, ident_read_cx(span_of_cstr(stored->patient_id), &diag, &id));
    return id;
}

static struct document_ref
ref_of(const struct place *place, const struct scene_stored *stored)
{
    return (struct document_ref){place == red() ? SPAN("urn:oid:2.999.1") : SPAN(GREEN),
                                 span_of_cstr(place->config->repository),
                                 span_of_cstr(stored->unique_id)};
}

static struct asking_order
retrieve_order(struct document_ref *refs, size_t n)
{
    struct asking_order order = scene_order(ASKING_RETRIEVE, ISABELLA);

    order.documents = (struct document_ref_list){refs, n, n};
    return order;
}

/* ---- our own store ---- */

static void
test_a_missing_document_of_our_own_does_not_hide_the_others(void)
{
    struct scene_stored first, last;
    struct document_ref refs[3];
    struct asking_order order;
    struct asking *asking;

    kit_open_three(&scene);
    first = kit_add(red(), "Isabella", "N", "<ClinicalDocument>first</ClinicalDocument>");
    last = kit_add(red(), "Isabella", "N", "<ClinicalDocument>last</ClinicalDocument>");
    refs[0] = ref_of(red(), &first);
    refs[1] = refs[0];
    refs[1].unique_id = SPAN("2.999.404");
    refs[2] = ref_of(red(), &last);
    order = retrieve_order(refs, 3);
    scene_ask(red(), &order, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->documents.n, 2);
    CU_ASSERT_EQUAL(asking_failed(asking), 1); /* and it is said that one is missing */
    CU_ASSERT_PTR_NOT_NULL(strstr(asking->legs[2].items[0].diag.text, "2 of 3"));
    CU_ASSERT_EQUAL(scene_event(red(), 1)->type, AUDIT_LOCAL_ACCESS);
    CU_ASSERT_EQUAL(scene_event(red(), 1)->outcome, AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(scene_event(red(), 1)->documents_n, 2);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->outcome, AUDIT_SERIOUS);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->documents_n, 1);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_our_own_rules_hold_for_our_own_store(void)
{
    static const char *const rules =
        "rules:\n"
        "  - name: all\n    effect: permit\n    reason: a test\n    direction: outbound\n"
        "    transactions: [ITI-55, ITI-38, ITI-39]\n    partners: any\n    purposes: [T-TREAT]\n"
        "  - name: own\n    effect: permit\n    reason: a test\n    direction: local\n"
        "    transactions: [ITI-55, ITI-38, ITI-39]\n    partners: any\n    purposes: [T-TREAT]\n"
        "    withhold: {confidentiality: [V]}\n";
    struct asking_order order = scene_order(ASKING_QUERY, ISABELLA);
    struct scene_stored normal, secret;
    struct document_ref refs[2];
    struct span to[1] = {SPAN("2.999.1")};
    struct asking *asking;

    kit_open_three(&scene);
    normal = kit_add(red(), "Isabella", "N", "<ClinicalDocument>n</ClinicalDocument>");
    secret = kit_add(red(), "Isabella", "V", "<ClinicalDocument>v</ClinicalDocument>");
    order.to = (struct span_list){to, 1, 1};
    order.patient_id = ident_of(&normal);
    scene_ask(red(), &order, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->legs[1].items[0].objects.documents.n, 3);
    CU_ASSERT_STRING_EQUAL(scene_event(red(), 0)->patient, normal.patient_id);
    asking_free(asking);
    kit_set_policy(red(), rules);
    scene_ask(red(), &order, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->legs[1].items[0].objects.documents.n, 2);
    asking_free(asking);
    refs[0] = ref_of(red(), &normal);
    refs[1] = ref_of(red(), &secret);
    order = retrieve_order(refs, 2);
    scene_ask(red(), &order, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL_FATAL(asking->documents.n, 1);
    CU_ASSERT(span_eq_cstr(asking->documents.items[0].ref.unique_id, normal.unique_id));
    asking_free(asking);
    kit_restore_policy(red());
    scene_close(&scene);
}

/* ---- whom ---- */

static void
test_an_unknown_community_is_refused_at_once(void)
{
    struct scene_stored own;
    struct document_ref refs[2];
    struct asking_order order;
    struct diag diag = {0};
    struct asking *asking = NULL;

    kit_open_three(&scene);
    own = kit_add(red(), "Isabella", "N", "<ClinicalDocument>own</ClinicalDocument>");
    refs[0] = ref_of(red(), &own);
    refs[1] = refs[0];
    refs[1].home = SPAN("urn:oid:2.999.404");
    for (int i = 0; i < 2; i++) { /* in either order */
        const struct document_ref other = refs[0];

        order = retrieve_order(refs, 2);
        CHECK_ERR(&diag, ERR_USAGE, asking_start(&red()->node, &order, NULL, &asking, &diag));
        CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "2.999.404"));
        diag_clear(&diag);
        refs[0] = refs[1];
        refs[1] = other;
    }
    CU_ASSERT_EQUAL(red()->sink.n, 0);
    refs[0].home = SPAN("green");
    order = retrieve_order(refs, 1);
    CHECK_ERR(&diag, ERR_USAGE, asking_start(&red()->node, &order, NULL, &asking, &diag));
    diag_clear(&diag);
    refs[0] = ref_of(red(), &own);
    red()->node.store = NULL; /* a process without a store of its own */
    CHECK_ERR(&diag, ERR_USAGE, asking_start(&red()->node, &order, NULL, &asking, &diag));
    scene_close(&scene);
}

static struct partner *
partner_of_red(const char *community)
{
    return (struct partner *)config_partner_of_community(red()->config, span_of_cstr(community));
}

static void
test_a_partner_without_the_endpoint_is_asked_only_by_name(void)
{
    struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct span to[1] = {SPAN("2.999.2")};
    struct asking *asking;

    kit_open_three(&scene);
    partner_of_red("2.999.2")->xcpd_url = NULL;
    scene_ask(red(), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    CU_ASSERT_EQUAL(asking->legs[0].n, 2); /* ourselves and blue */
    asking_free(asking);
    order.to = (struct span_list){to, 1, 1};
    scene_ask(red(), &order, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking_failed(asking), 1);
    CU_ASSERT_EQUAL(asking_answered(asking), 0);
    CU_ASSERT_EQUAL(asking->legs[0].items[0].diag.code, ERR_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(asking->legs[0].items[0].diag.text, "green.yaml"));
    CU_ASSERT_EQUAL(scene_event(red(), 0)->outcome, AUDIT_SERIOUS);
    asking_free(asking);
    scene_close(&scene);
}

/* A discovery reaches all that a partner speaks for; a query is about one community (its home). */
static void
test_each_community_of_a_partner_is_queried(void)
{
    static const char *const communities[] = {"2.999.2", "2.999.2.77", "2.999.2.78"};
    struct asking_order order = scene_order(ASKING_QUERY, ISABELLA);
    struct span to[2] = {SPAN("2.999.2"), SPAN("2.999.2.77")};
    struct config_strings own;
    struct partner *partner;
    struct asking *asking;

    kit_open_three(&scene);
    partner = partner_of_red("2.999.2");
    own = partner->communities;
    partner->communities = (struct config_strings){communities, 3};
    order.to = (struct span_list){to, 2, 2};
    order.patient_id = (struct ident){SPAN("2.999.2.1"), SPAN("404"), SPAN_EMPTY};
    scene_ask(red(), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL_FATAL(asking->legs[1].n, 2);
    CHECK_SPAN(asking->legs[1].items[0].community, "2.999.2");
    CHECK_SPAN(asking->legs[1].items[1].community, "2.999.2.77");
    /* the same endpoint twice: neither message is taken for a replay */
    CU_ASSERT_EQUAL(asking->legs[1].items[0].status, REGISTRY_FAILURE);
    CU_ASSERT_PTR_NOT_NULL(strstr(asking->legs[1].items[1].diag.text, "XDSUnknownCommunity"));
    asking_free(asking);
    order.goal = ASKING_DISCOVER;
    scene_ask(red(), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->legs[0].n, 1);
    asking_free(asking);
    partner->communities = own;
    scene_close(&scene);
}

static void
test_our_own_community_may_be_asked_alone(void)
{
    struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct span to[1] = {SPAN("2.999.1")};
    struct asking *asking;

    kit_open_three(&scene);
    order.to = (struct span_list){to, 1, 1};
    scene_ask(red(), &order, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    CU_ASSERT_EQUAL(asking->documents.n, 1);
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    asking_free(asking);
    scene_close(&scene);
}

/* ---- what leaves ---- */

static void
test_a_question_that_cannot_be_written_costs_one_leg(void)
{
    static char huge[5 * 1024 * 1024];
    struct scene_stored stored;
    struct document_ref refs[2];
    struct asking_order order;
    struct asking *asking;

    kit_open_three(&scene);
    memset(huge, '7', sizeof(huge));
    stored = kit_add(green(), "Isabella", "N", "<ClinicalDocument>n</ClinicalDocument>");
    refs[0] = (struct document_ref){SPAN("urn:oid:2.999.3"), SPAN("2.999.3.2"),
                                    span_of(huge, sizeof(huge))};
    refs[1] = ref_of(green(), &stored);
    order = retrieve_order(refs, 2);
    scene_ask(red(), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->txn.diag.code, ERR_NONE);
    CU_ASSERT_EQUAL(asking->documents.n, 1);
    CU_ASSERT_EQUAL(asking->legs[2].items[0].state, LEG_FAILED);
    CU_ASSERT_EQUAL(asking->legs[2].items[0].diag.code, ERR_LIMIT_BUFFER);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_many_documents_are_asked_for_in_several_questions(void)
{
    static char names[300][24];
    static struct document_ref refs[600];
    struct asking_order order;
    struct asking *asking;

    kit_open_three(&scene);
    for (size_t i = 0; i < ARRAY_LEN(refs); i++) { /* each one twice */
        char *name = names[i % ARRAY_LEN(names)];

        snprintf(name, sizeof(names[0]), "2.999.404.%zu", i % ARRAY_LEN(names));
        refs[i] = (struct document_ref){SPAN(GREEN), SPAN("2.999.2.2"), span_of_cstr(name)};
    }
    order = retrieve_order(refs, ARRAY_LEN(refs));
    scene_ask(red(), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(scene.questions_n, 2);
    CU_ASSERT_EQUAL_FATAL(asking->legs[2].n, 2);
    CU_ASSERT_EQUAL(asking->legs[2].items[0].refs.n + asking->legs[2].items[1].refs.n, 300);
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(asking->legs[2].items[i].diag.code, ERR_PARTNER_REFUSED);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(asking->legs[2].items[i].diag.text, "XDSDocumentUniqueIdError"));
    }
    asking_free(asking);
    scene_close(&scene);
}

/* What our rules keep back is recorded once, with what would have been asked, and of whom. */
static void
test_a_denied_question_is_recorded_whole(void)
{
    struct asking_order order = scene_order(ASKING_QUERY, ISABELLA);
    struct span to[1] = {SPAN("2.999.2")};
    const struct scene_event *event;
    struct asking *asking;

    kit_open_three(&scene);
    order.purpose = "T-PYMNT";
    order.to = (struct span_list){to, 1, 1};
    order.patient_id = (struct ident){SPAN("2.999.2.1"), SPAN("404"), SPAN_EMPTY};
    scene_ask(red(), &order, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    CU_ASSERT_EQUAL_FATAL(red()->sink.n, 1);
    event = scene_event(red(), 0);
    CU_ASSERT_EQUAL(event->type, AUDIT_ITI_38);
    CU_ASSERT_EQUAL(event->outcome, AUDIT_SERIOUS);
    CU_ASSERT_STRING_EQUAL(event->destination, "https://127.0.0.1:8442/xca/query");
    CU_ASSERT_STRING_EQUAL(event->patient, "404^^^&2.999.2.1&ISO");
    CU_ASSERT(event->query_n > 0);
    asking_free(asking);
    /* the code system belongs to the purpose */
    order.purpose = "T-TREAT";
    order.purpose_system = "2.16.840.1.113883.3.7204.1.5.2.199";
    scene_ask(red(), &order, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->legs[1].items[0].state, LEG_DENIED);
    asking_free(asking);
    scene_close(&scene);
}

/* ---- waiting for the store ---- */

static void
test_transactions_wait_for_a_slow_store(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct asking *asking;

    kit_open_three(&scene);
    kit_slow_store(red());
    kit_slow_store(green());
    scene_ask(red(), &order, &asking);
    for (int i = 0; i < 20 && asking == NULL; i++) {
        scene_deliver_all(&scene, "green"); /* blue is not slow */
        for (size_t q = 0; q < scene.questions_n; q++) {
            if (!scene.questions[q].is_answered) {
                scene_deliver(&scene, q);
                kit_wake_store_all(green());
            }
        }
        kit_wake_store_all(red());
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    CU_ASSERT_EQUAL(asking->documents.n, 4);
    asking_free(asking);
    scene_close(&scene);
}

/* Past the deadline an inbound request is refused, but not before the store has given up its park;
 * and it is never asked twice at a time. */
static void
test_the_deadline_waits_for_the_store(void)
{
    static struct scene_reply reply;
    struct scene_stored stored;
    struct document_ref refs[2];
    const struct document_ref_list list = {refs, 2, 2};

    for (int wakes = 0; wakes < 4; wakes++) {
        kit_open_three(&scene);
        stored = kit_add(green(), "Isabella", "N", "<ClinicalDocument>n</ClinicalDocument>");
        refs[0] = ref_of(green(), &stored);
        refs[1] = refs[0];
        refs[1].unique_id = SPAN("2.999.404");
        kit_slow_store(green());
        kit_send_retrieve(&scene, &list, &reply);
        for (int i = 0; i < wakes; i++) {
            CU_ASSERT(kit_wake_store(green()));
        }
        CU_ASSERT_EQUAL(reply.is_here, wakes == 3); /* one for replay, one per document */
        fake_clock_advance(&scene.clock, 3600 * US_PER_S);
        scene_run(&scene);
        CU_ASSERT_EQUAL(reply.is_here, wakes == 3);
        kit_wake_store_all(green());
        CU_ASSERT(reply.is_here);
        CU_ASSERT_EQUAL(strstr(reply.text, "ClinicalDocument") != NULL, wakes >= 2);
        CU_ASSERT_EQUAL(scene_event(green(), 0)->outcome, AUDIT_SERIOUS);
        CU_ASSERT_EQUAL(strstr(scene_event(green(), 0)->reason, "DEADLINE") != NULL, wakes < 3);
        scene_close(&scene);
    }
}

/* Our own store's leg holds its transaction; partners' answers are taken all the same. */
static void
test_our_own_slow_store_is_waited_for(void)
{
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct asking *asking;

    kit_open_three(&scene);
    kit_slow_store(red());
    scene_ask(red(), &order, &asking);
    scene_deliver_all(&scene, NULL);
    fake_clock_advance(&scene.clock, 3600 * US_PER_S);
    scene_run(&scene);
    CU_ASSERT_PTR_NULL(asking);
    kit_wake_store_all(red());
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    CU_ASSERT_EQUAL(asking_answered(asking), 3);
    asking_free(asking);
    scene_close(&scene);
}

/* Two people whom the question does not tell apart: no guess, and what would help. */
static void
test_people_who_cannot_be_told_apart_are_not_guessed(void)
{
    static const char *const wanted[] = {"LivingSubjectAdministrativeGenderRequested"};
    struct asking_order order = scene_order(ASKING_DISCOVER, "Ray", "Robin", "19800229", "");
    struct span to[1] = {SPAN("2.999.2")};
    struct asking *asking;

    kit_open_three(&scene);
    scene_add_document(green(), "Ray", "Robin", "19800229", "M",
                       "<ClinicalDocument>m</ClinicalDocument>");
    scene_add_document(green(), "Ray", "Robin", "19800229", "F",
                       "<ClinicalDocument>f</ClinicalDocument>");
    order.to = (struct span_list){to, 1, 1};
    scene_ask(scene_place(&scene, "red"), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL_FATAL(asking->legs[0].n, 1);
    CU_ASSERT_EQUAL(asking->legs[0].items[0].state, LEG_ANSWERED);
    CU_ASSERT_EQUAL(asking->legs[0].items[0].result, XCPD_AMBIGUOUS);
    CU_ASSERT_EQUAL(asking->legs[0].items[0].matches.n, 0);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->patients_n, 0);
    asking_free(asking);
    {
        /* the same question once more, to see the answer itself */
        static struct scene_reply reply;

        scene_ask(scene_place(&scene, "red"), &order, &asking);
        scene_send(&scene, green(), scene_place(&scene, "red")->config->node->leaf, "/xcpd",
                   scene.questions[1].content_type, buf_span(&scene.questions[1].body), &reply);
        for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
            CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, wanted[i]));
        }
        CU_ASSERT_PTR_NULL(strstr(reply.text, "registrationEvent"));
        scene_fail(&scene, 1, ERR_PARTNER_TIMEOUT);
        asking_free(asking);
    }
    order.who.sex = SPAN("F");
    scene_ask(scene_place(&scene, "red"), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->legs[0].items[0].matches.n, 1);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->patients_n, 1);
    asking_free(asking);
    scene_close(&scene);
}

static const struct unit_test tests[] = {
    {"a missing document of our own does not hide the others",
     test_a_missing_document_of_our_own_does_not_hide_the_others},
    {"our own rules hold for our own store", test_our_own_rules_hold_for_our_own_store},
    {"an unknown community is refused at once", test_an_unknown_community_is_refused_at_once},
    {"a partner without the endpoint is asked only by name",
     test_a_partner_without_the_endpoint_is_asked_only_by_name},
    {"each community of a partner is queried", test_each_community_of_a_partner_is_queried},
    {"our own community may be asked alone", test_our_own_community_may_be_asked_alone},
    {"a question that cannot be written costs one leg",
     test_a_question_that_cannot_be_written_costs_one_leg},
    /* REQ: ITI39-split */
    {"many documents are asked for in several questions",
     test_many_documents_are_asked_for_in_several_questions},
    {"a denied question is recorded whole", test_a_denied_question_is_recorded_whole},
    {"people who cannot be told apart are not guessed",
     test_people_who_cannot_be_told_apart_are_not_guessed},
    {"transactions wait for a slow store", test_transactions_wait_for_a_slow_store},
    {"the deadline waits for the store", test_the_deadline_waits_for_the_store},
    {"our own slow store is waited for", test_our_own_slow_store_is_waited_for},
};
UNIT_MAIN("scenario-asking", tests)
