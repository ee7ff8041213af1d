/*
 * Gateways of participants behind us, asked when a partner asks us: discovery, routing by home, one
 * answer of several communities, failures, and what our policy hides.
 */
#include <stdio.h>
#include <string.h>

#include "behind_kit.h"
#include "txn/behind.h"

/* ---- ITI-55 ---- */

/* REQ: DOWN-discovery, DOWN-ids-unchanged, DOWN-one-match */
static void
test_discovery_reaches_participants(void)
{
    static const char *const communities[] = {"2.999.2", "2.999.3", "2.999.4"};
    const struct scene_event *event;
    struct asking *asking;
    size_t question;

    behind_open(BEHIND_BOTH);
    asking = behind_discover(NULL);
    CU_ASSERT_EQUAL(behind_leg(asking)->state, LEG_ANSWERED);
    CU_ASSERT_EQUAL(behind_leg(asking)->diag.code, ERR_NONE);
    CU_ASSERT_EQUAL(behind_leg(asking)->matches.n, 3);
    for (size_t i = 0; i < ARRAY_LEN(communities); i++) {
        const struct xcpd_match *match = behind_match(asking, communities[i]);
        char cx[128];
        struct diag diag = {0};
        struct span written = SPAN_EMPTY;

        CU_ASSERT_PTR_NOT_NULL_FATAL(match);
        CHECK_OK(&diag,
                 ident_write_cx(behind_arena, &match->patient.ids.items[0], &diag, &written));
        snprintf(cx, sizeof(cx), "%s", behind_isabella[i + 1].patient_id);
        CHECK_SPAN(written, cx);
    }
    asking_free(asking);
    /* what a participant is asked: by us, for the asker's purpose and user, and where it has been
     */
    question = kit_question_to(&behind_scene, "blue");
    CU_ASSERT_FATAL(question != SIZE_MAX);
    CU_ASSERT(behind_question_has(question, "Dr. Ada Example"));
    CU_ASSERT(behind_question_has(question, "T-TREAT"));
    CU_ASSERT(behind_question_has(question, ">2.999.1 2.999.2</down:Passed>"));
    CU_ASSERT(!behind_question_has(kit_question_to(&behind_scene, "green"), "Passed"));
    event = scene_event(behind_place("blue"), 0);
    CU_ASSERT_STRING_EQUAL(event->partner, "green");
    CU_ASSERT_STRING_EQUAL(event->purpose, "T-TREAT");
    CU_ASSERT_STRING_EQUAL(event->community, "2.999.2");
    /* the record: each participant's question, and the one answer */
    CU_ASSERT_EQUAL(scene_count_events(behind_place("green"), AUDIT_ITI_55, AUDIT_INITIATING,
                                       AUDIT_INTENT, true),
                    2);
    CU_ASSERT_EQUAL(scene_count_events(behind_place("green"), AUDIT_ITI_55, AUDIT_INITIATING,
                                       AUDIT_OUTCOME, true),
                    2);
    CU_ASSERT_EQUAL(scene_count_events(behind_place("green"), AUDIT_ITI_55, AUDIT_RESPONDING,
                                       AUDIT_OUTCOME, true),
                    1);
    CU_ASSERT_EQUAL(scene_event(behind_place("green"), 0)->patients_n, 3);
    behind_close();
}

/* Where the configuration says so, a participant hears of the asker's community, if it lists that
 * as one for which the QHIN speaks. */
/* REQ: DOWN-asserts */
static void
test_the_asker_may_be_named(void)
{
    struct asking *asking;

    behind_open("sources:\n" BEHIND_OWN BEHIND_BLUE BEHIND_GATEWAY("gold", "8444", "[2.999.4]",
                                                                   "    asserts_home: asker\n"));
    behind_change_partner("gold", "green", "[2.999.2]", "[2.999.2, 2.999.1]");
    behind_reload("gold");
    asking = behind_discover(NULL);
    CU_ASSERT_EQUAL(behind_leg(asking)->matches.n, 3);
    asking_free(asking);
    CU_ASSERT_STRING_EQUAL(scene_event(behind_place("gold"), 0)->community, "2.999.1");
    CU_ASSERT_STRING_EQUAL(scene_event(behind_place("blue"), 0)->community, "2.999.2");
    behind_close();
}

/* REQ: DOWN-partial */
static void
test_a_silent_participant_costs_itself(void)
{
    struct asking *asking;

    behind_open(BEHIND_BOTH);
    asking = behind_discover("gold");
    CU_ASSERT_EQUAL(behind_leg(asking)->state, LEG_ANSWERED);
    CU_ASSERT_EQUAL(behind_leg(asking)->matches.n, 2);
    CU_ASSERT_PTR_NOT_NULL(behind_match(asking, "2.999.3"));
    CU_ASSERT_EQUAL(behind_leg(asking)->kept_us, 0); /* somebody is missing */
    asking_free(asking);
    CU_ASSERT_EQUAL(scene_count_events(behind_place("green"), AUDIT_ITI_55, AUDIT_RESPONDING,
                                       AUDIT_OUTCOME, true),
                    1);
    CU_ASSERT_EQUAL(scene_count_events(behind_place("green"), AUDIT_ITI_55, AUDIT_RESPONDING,
                                       AUDIT_OUTCOME, false),
                    1);
    behind_close();
}

/* Somebody else than was asked for is not given, and the record says so. */
/* REQ: DOWN-returned-compared */
static void
test_a_contradicting_candidate_is_quarantined(void)
{
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    static struct asking *asking;
    size_t question;

    behind_open("sources:\n" BEHIND_OWN BEHIND_BLUE);
    asking = NULL;
    scene_ask(behind_place("red"), &order, &asking);
    behind_deliver("blue");
    question = kit_question_to(&behind_scene, "blue");
    scene_deliver_forged(&behind_scene, question, "birthTime value=\"19470501\"",
                         "birthTime value=\"19620501\"");
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(behind_leg(asking)->matches.n, 1);
    CU_ASSERT_PTR_NULL(behind_match(asking, "2.999.3"));
    asking_free(asking);
    CU_ASSERT_EQUAL(scene_count_events(behind_place("green"), AUDIT_ITI_55, AUDIT_RESPONDING,
                                       AUDIT_OUTCOME, false),
                    1);
    behind_close();
}

/* Green knows nobody and a participant is silent: that nobody knows her is not green's to say. */
/* REQ: DOWN-partial */
static void
test_nobody_is_not_said_for_the_silent(void)
{
    struct asking_order order = scene_order(ASKING_DISCOVER, "Nobody", "Noel", "19470501", "F");
    static struct asking *asking;

    behind_open(BEHIND_BOTH);
    asking = NULL;
    scene_ask(behind_place("red"), &order, &asking);
    behind_deliver("gold");
    scene_fail(&behind_scene, kit_question_to(&behind_scene, "gold"), ERR_PARTNER_UNREACHABLE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(behind_leg(asking)->state, LEG_FAILED);
    CU_ASSERT(strstr(behind_leg(asking)->diag.text, "AnswerNotAvailable") != NULL);
    asking_free(asking);
    behind_close();
}

/* ---- ITI-38 ---- */

static const char *
status_text(const struct query_answer *got)
{
    return got->errors.n == 0 ? "" : got->errors.items[0].code.p;
}

static void
check_failed(const struct query_answer *got, const char *code)
{
    CU_ASSERT_EQUAL(got->status, REGISTRY_FAILURE);
    CU_ASSERT_STRING_EQUAL(status_text(got), code);
}

/* REQ: DOWN-query-routing */
static void
test_a_home_is_asked_alone(void)
{
    struct query_answer got;

    behind_open(BEHIND_BOTH);
    got = behind_find(behind_isabella[2].patient_id, BEHIND_BLUE_HOME);
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, 1);
    CHECK_SPAN(got.objects.documents.items[0].home, BEHIND_BLUE_HOME);
    CHECK_SPAN(got.objects.documents.items[0].unique_id, behind_isabella[2].unique_id);
    CHECK_SPAN(got.objects.documents.items[0].patient_id, behind_isabella[2].patient_id);
    CHECK_SPAN(got.objects.documents.items[0].repository, "2.999.3.2");
    CU_ASSERT_EQUAL(behind_count("blue"), 1);
    CU_ASSERT_EQUAL(behind_count("gold"), 0);
    CU_ASSERT(behind_question_has(kit_question_to(&behind_scene, "blue"),
                                  "home=\"" BEHIND_BLUE_HOME "\""));
    got = behind_find(behind_isabella[1].patient_id, GREEN); /* ours: no participant is asked */
    CU_ASSERT_EQUAL(got.objects.documents.n, 1);
    got = behind_find(behind_isabella[3].patient_id, "urn:oid:2.999.9");
    check_failed(&got, "XDSUnknownCommunity");
    CU_ASSERT_EQUAL(behind_scene.questions_n, 1);
    behind_close();
}

/* REQ: DOWN-query-routing, DOWN-unknown-patient */
static void
test_without_home_those_who_know_the_id_answer(void)
{
    struct query_answer got;

    behind_open(BEHIND_BOTH);
    got = behind_find(behind_isabella[3].patient_id, NULL);
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.errors.n, 0);
    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, 1);
    CHECK_SPAN(got.objects.documents.items[0].home, BEHIND_GOLD_HOME);
    CU_ASSERT(behind_count("blue") == 1 && behind_count("gold") == 1);
    got = behind_find(behind_isabella[1].patient_id, NULL); /* an id of green's own */
    CU_ASSERT_EQUAL(got.objects.documents.n, 1);
    CU_ASSERT_EQUAL(behind_scene.questions_n, 2);
    got = behind_find("P-9^^^&2.999.88&ISO", NULL);
    check_failed(&got, "XDSUnknownPatientId");
    CU_ASSERT_EQUAL(behind_scene.questions_n, 4);
    behind_close();
}

/* A participant's authority is known: only its ids go to it. */
static void
test_an_authority_says_who_is_asked(void)
{
    struct query_answer got;

    behind_open(
        "sources:\n" BEHIND_OWN BEHIND_GATEWAY("blue", "8443", "[2.999.3]",
                                               "    patient_authority: 2.999.3.1\n")
            BEHIND_GATEWAY("gold", "8444", "[2.999.4]", "    patient_authority: 2.999.4.1\n"));
    got = behind_find(behind_isabella[3].patient_id, NULL);
    CU_ASSERT_EQUAL(got.objects.documents.n, 1);
    CU_ASSERT(behind_count("blue") == 0 && behind_count("gold") == 1);
    behind_close();
}

#define PERMIT                                                                                     \
    "rules:\n  - {name: all, effect: permit, reason: r, direction: inbound, "                      \
    "transactions: [ITI-55, ITI-38, ITI-39], partners: any, purposes: [T-TREAT]"
static const char lenient[] = PERMIT "}\n";
static const char strict[] = PERMIT ", withhold: {confidentiality: [R]}}\n";

/* REQ: DOWN-policy-withholds */
static void
test_our_policy_withholds_documents(void)
{
    struct scene_stored hidden;
    struct query_answer got;

    behind_open(BEHIND_BOTH);
    hidden =
        kit_add(behind_place("blue"), "Isabella", "R", "<ClinicalDocument>r</ClinicalDocument>");
    kit_set_policy(behind_place("blue"), lenient);
    kit_set_policy(behind_place("green"), strict);
    got = behind_find(behind_isabella[2].patient_id, BEHIND_BLUE_HOME);
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.errors.n, 0);
    CU_ASSERT_EQUAL(got.objects.documents.n, 1);
    CU_ASSERT(strstr(behind_reply.text, hidden.unique_id) == NULL);
    kit_restore_policy(behind_place("blue"));
    kit_restore_policy(behind_place("green"));
    behind_close();
}

/* ---- ITI-39 ---- */

static void
retrieve(const struct document_ref *refs, size_t n, struct retrieve_answer *ret_answer)
{
    struct document_ref_list list = {0};
    struct diag diag = {0};

    for (size_t i = 0; i < n; i++) {
        CHECK_OK(&diag, ARENA_PUSH(behind_arena, &diag, &list, refs[i]));
    }
    kit_send_retrieve(&behind_scene, &list, &behind_reply);
    behind_deliver(NULL);
    CU_ASSERT_FATAL(behind_reply.is_here);
    kit_read_retrieve_answer(&behind_reply, behind_arena, ret_answer);
}

/* REQ: DOWN-retrieve-routing */
static void
test_a_retrieve_is_split_by_home(void)
{
    struct retrieve_answer got;
    struct scene_stored hidden;

    behind_open(BEHIND_BOTH);
    hidden =
        kit_add(behind_place("blue"), "Isabella", "R", "<ClinicalDocument>r</ClinicalDocument>");
    kit_set_policy(behind_place("blue"), lenient);
    kit_set_policy(behind_place("green"), strict);
    const struct document_ref refs[] = {
        {SPAN(BEHIND_GOLD_HOME), SPAN("2.999.4.2"), span_of_cstr(behind_isabella[3].unique_id)},
        {SPAN(BEHIND_BLUE_HOME), SPAN("2.999.3.2"), span_of_cstr(hidden.unique_id)}, /* withheld */
        {SPAN(GREEN), SPAN("2.999.2.2"), span_of_cstr(behind_isabella[1].unique_id)},
        {SPAN(BEHIND_BLUE_HOME), SPAN("2.999.3.2"), span_of_cstr(behind_isabella[2].unique_id)},
        {SPAN("urn:oid:2.999.9"), SPAN("2.999.9.2"), SPAN("2.999.9.7")}, /* nobody's */
    };

    retrieve(refs, ARRAY_LEN(refs), &got);
    CU_ASSERT_EQUAL(got.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(got.documents.n, 3);
    CHECK_SPAN(got.documents.items[0].ref.home, BEHIND_GOLD_HOME);
    CHECK_SPAN(buf_span(&got.documents.items[0].body.memory),
               "<ClinicalDocument>gold</ClinicalDocument>");
    CHECK_SPAN(got.documents.items[1].ref.home, GREEN);
    CHECK_SPAN(got.documents.items[2].ref.home, BEHIND_BLUE_HOME);
    CHECK_SPAN(buf_span(&got.documents.items[2].body.memory),
               "<ClinicalDocument>blue</ClinicalDocument>");
    CU_ASSERT_EQUAL_FATAL(got.errors.n, 2);
    for (size_t i = 0; i < got.errors.n; i++) {
        const struct registry_error *error = &got.errors.items[i];

        if (span_eq_cstr(error->code, "XDSUnknownCommunity")) {
            CHECK_SPAN(error->location, "urn:oid:2.999.9 2.999.9.7");
        } else {
            CHECK_SPAN(error->code, "XDSDocumentUniqueIdError");
            CU_ASSERT(span_starts_with(error->location, SPAN(BEHIND_BLUE_HOME " ")));
        }
    }
    retrieve_answer_done(&got);
    /* each was looked up, then asked for what may be given */
    CU_ASSERT(behind_count("blue") == 2 && behind_count("gold") == 2);
    CU_ASSERT(!behind_question_has(kit_question_to(&behind_scene, "blue"), hidden.unique_id));
    kit_restore_policy(behind_place("blue"));
    kit_restore_policy(behind_place("green"));
    behind_close();
}

/* ---- what our policy hides ---- */

static const char hiding[] = PERMIT
    "}\n  - {name: hide, effect: deny, reason: r, direction: inbound, transactions: [ITI-55, "
    "ITI-38, ITI-39], partners: [red], asked: [2.999.3], purposes: any}\n";

/* Blue is as though it were not there: in the answer, in errors, letter by letter. */
/* REQ: DOWN-policy-hides */
static void
test_a_hidden_community_is_unknown(void)
{
    char hidden[sizeof(behind_reply.text)];
    struct retrieve_answer documents;
    struct query_answer got;
    struct asking *asking;

    behind_open(BEHIND_BOTH);
    kit_set_policy(behind_place("green"), hiding);
    asking = behind_discover(NULL);
    CU_ASSERT_EQUAL(behind_leg(asking)->matches.n, 2);
    CU_ASSERT_EQUAL(behind_leg(asking)->diag.code, ERR_NONE);
    CU_ASSERT_PTR_NULL(behind_match(asking, "2.999.3"));
    asking_free(asking);
    got = behind_find(behind_isabella[2].patient_id, BEHIND_BLUE_HOME);
    CU_ASSERT_STRING_EQUAL(status_text(&got), "XDSUnknownCommunity");
    snprintf(hidden, sizeof(hidden), "%s", strstr(behind_reply.text, "RegistryErrorList"));
    got = behind_find(behind_isabella[2].patient_id, "urn:oid:2.999.9");
    CU_ASSERT_STRING_EQUAL(hidden, strstr(behind_reply.text, "RegistryErrorList"));
    const struct document_ref refs[] = {
        {SPAN(BEHIND_BLUE_HOME), SPAN("2.999.3.2"), span_of_cstr(behind_isabella[2].unique_id)},
    };
    retrieve(refs, 1, &documents);
    CU_ASSERT_EQUAL(documents.documents.n, 0);
    CU_ASSERT_EQUAL_FATAL(documents.errors.n, 1);
    CHECK_SPAN(documents.errors.items[0].code, "XDSUnknownCommunity");
    retrieve_answer_done(&documents);
    CU_ASSERT_EQUAL(behind_count("blue"), 0);
    kit_restore_policy(behind_place("green"));
    behind_close();
}

/* ---- circles ---- */

/* A SOAP header of green's own making, as a gateway that passed the question on would have it. */
static struct span
add_passed(const void *arg, struct span envelope, struct arena *arena)
{
    const size_t at = span_find(envelope, SPAN("</env:Header>"));
    struct diag diag = {0};
    struct span edited = SPAN_EMPTY;

    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    CHECK_OK(&diag, arena_printf(arena, &diag, &edited,
                                 "%.*s<p:Passed xmlns:p=\"urn:isthmus:passed:1\">%s</p:Passed>%.*s",
                                 (int)at, envelope.p, (const char *)arg, (int)(envelope.n - at),
                                 envelope.p + at));
    return edited;
}

static struct query_answer
find_passed(const char *passed)
{
    struct span patient[1] = {span_of_cstr(behind_isabella[2].patient_id)};
    struct span status[1] = {SPAN(DOCUMENT_APPROVED)};
    struct query_param params[2] = {
        {.name = SPAN("$XDSDocumentEntryPatientId"), .values = {patient, 1, 1}},
        {.name = SPAN("$XDSDocumentEntryStatus"), .values = {status, 1, 1}, .is_multiple = true},
    };
    const struct stored_query query = {.id = SPAN(XCA_FIND_DOCUMENTS),
                                       .home = SPAN(BEHIND_BLUE_HOME),
                                       .wants_leaf_class = true,
                                       .params = {params, 2, 2}};
    struct kit_request request = {
        .transaction = SOAP_ITI_38, .edit = add_passed, .edit_arg = passed};
    struct query_answer got;
    struct diag diag = {0};
    struct span query_xml;
    struct buf payload;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, stored_query_write(&query, behind_arena, &payload, &diag, &query_xml));
    request.payload = buf_span(&payload);
    kit_send(&behind_scene, &request, &behind_reply);
    buf_done(&payload);
    behind_deliver(NULL);
    CU_ASSERT_FATAL(behind_reply.is_here);
    kit_read_query_answer(&behind_reply, behind_arena, &got);
    return got;
}

/* REQ: DOWN-no-circle */
static void
test_a_question_does_not_go_round(void)
{
    static const char *const circles[] = {
        "2.999.1 2.999.2",                     /* it has passed us */
        "2.999.3",                             /* it comes from blue */
        "2.9 2.9 2.9 2.9 2.9 2.9 2.9 2.9 2.9", /* it has passed too many */
    };
    struct query_answer got;

    behind_open(BEHIND_BOTH);
    for (size_t i = 0; i < ARRAY_LEN(circles); i++) {
        got = find_passed(circles[i]);
        CU_ASSERT_EQUAL(got.status, REGISTRY_FAILURE);
        CU_ASSERT_STRING_EQUAL(status_text(&got), "XDSUnknownCommunity");
        CU_ASSERT_EQUAL(behind_scene.questions_n, 0);
    }
    got = find_passed("2.999.7 no-oid");
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.objects.documents.n, 1);
    CU_ASSERT(behind_question_has(0, ">2.999.7 2.999.1 2.999.2</down:Passed>"));
    behind_close();
}

/* Green asks blue, blue asks gold, and green is behind gold. */
/* REQ: DOWN-no-circle */
static void
test_a_ring_ends(void)
{
    struct asking *asking;

    behind_open("sources:\n" BEHIND_OWN BEHIND_BLUE);
    behind_write_sources("blue", NULL, "sources:\n" BEHIND_OWN BEHIND_GOLD);
    behind_reload("blue");
    behind_remove_partner("gold", "green");
    behind_add_partner("gold", "blue");
    behind_write_sources("gold", NULL,
                         "sources:\n" BEHIND_OWN BEHIND_GATEWAY("green", "8442", "[2.999.2]", ""));
    behind_reload("gold");
    asking = behind_discover(NULL);
    CU_ASSERT(behind_count("blue") == 1 && behind_count("gold") == 1);
    CU_ASSERT_EQUAL(behind_count("green"), 1); /* red's */
    CU_ASSERT_EQUAL(behind_leg(asking)->matches.n, 2);
    CU_ASSERT_PTR_NOT_NULL(behind_match(asking, "2.999.3"));
    CU_ASSERT_PTR_NULL(behind_match(asking, "2.999.4")); /* green does not know it of blue */
    asking_free(asking);
    behind_close();
}

/* A participant that is a local system as well: its own questions do not come back to it. */
/* REQ: DOWN-no-circle */
static void
test_an_asker_is_not_asked(void)
{
    static const char *const names[] = {"blue.localhost"};
    static struct config_system system;
    struct config *config;
    struct query_answer got;

    behind_open("sources:\n" BEHIND_OWN BEHIND_GOLD BEHIND_GATEWAY(
        "blue", "8443", "[2.999.3]", "    tls: {names: [blue.localhost]}\n"));
    config = (struct config *)behind_place("green")->config;
    system = (struct config_system){
        .name = "blue-ehr", .asserts = config->asserts, .certificate_names = {names, 1}};
    config->systems = config->local_system = &system;
    config->systems_n = 1;
    local_send_query_to(&behind_scene, behind_place("green"), behind_isabella[3].patient_id, NULL,
                        &behind_reply);
    behind_deliver(NULL);
    CU_ASSERT_FATAL(behind_reply.is_here);
    kit_read_query_answer(&behind_reply, behind_arena, &got);
    CU_ASSERT_EQUAL(got.objects.documents.n, 1);
    CU_ASSERT(behind_count("gold") == 1 && behind_count("blue") == 0 && behind_count("red") == 1);
    local_send_query_to(&behind_scene, behind_place("green"), behind_isabella[2].patient_id,
                        BEHIND_BLUE_HOME, &behind_reply);
    behind_deliver(NULL);
    kit_read_query_answer(&behind_reply, behind_arena, &got);
    CU_ASSERT_STRING_EQUAL(status_text(&got), "XDSUnknownCommunity");
    CU_ASSERT_EQUAL(behind_count("blue"), 0);
    behind_close();
}

/* ---- the rest ---- */

/* What is found through what is withheld is looked up at the participant, by ITI-38. */
/* REQ: DOWN-policy-withholds */
static void
test_other_queries_are_judged(void)
{
    struct span patient[1] = {span_of_cstr("")};
    struct span status[1] = {SPAN(DOCUMENT_APPROVED)};
    struct query_param params[4] = {
        {.name = SPAN("$patientId"), .values = {patient, 1, 1}},
        {.name = SPAN("$XDSDocumentEntryStatus"), .values = {status, 1, 1}, .is_multiple = true},
        {.name = SPAN("$XDSSubmissionSetStatus"), .values = {status, 1, 1}, .is_multiple = true},
        {.name = SPAN("$XDSFolderStatus"), .values = {status, 1, 1}, .is_multiple = true},
    };
    const struct stored_query query = {.id = SPAN("urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3"),
                                       .home = SPAN(BEHIND_BLUE_HOME),
                                       .wants_leaf_class = true,
                                       .params = {params, 4, 4}};
    struct scene_stored hidden;
    struct query_answer got;

    behind_open(BEHIND_BOTH);
    hidden =
        kit_add(behind_place("blue"), "Isabella", "R", "<ClinicalDocument>r</ClinicalDocument>");
    kit_set_policy(behind_place("blue"), lenient);
    kit_set_policy(behind_place("green"), strict);
    patient[0] = span_of_cstr(behind_isabella[2].patient_id);
    kit_send_query(&behind_scene, &query, &behind_reply);
    behind_deliver(NULL);
    CU_ASSERT_FATAL(behind_reply.is_here);
    kit_read_query_answer(&behind_reply, behind_arena, &got);
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.objects.documents.n, 1);
    CU_ASSERT(strstr(behind_reply.text, hidden.entry_uuid) == NULL);
    CU_ASSERT_EQUAL(behind_count("gold"), 0);
    for (size_t i = 0; i < behind_scene.questions_n; i++) {
        CU_ASSERT(behind_question_has(i, soap_transaction(SOAP_ITI_38)->request_action));
    }
    kit_restore_policy(behind_place("blue"));
    kit_restore_policy(behind_place("green"));
    behind_close();
}

static size_t
matches_now(void)
{
    struct asking *asking = behind_discover(NULL);
    const size_t n = behind_leg(asking)->matches.n;

    asking_free(asking);
    return n;
}

static void
test_reload_adds_and_removes_a_participant(void)
{
    static const char none[] = "sources:\n" BEHIND_OWN;
    static const char one[] = "sources:\n" BEHIND_OWN BEHIND_BLUE;

    behind_open(none);
    CU_ASSERT_EQUAL(matches_now(), 1);
    behind_write_sources("green", none, one);
    behind_reload("green");
    CU_ASSERT_EQUAL(matches_now(), 2);
    behind_write_sources("green", one, BEHIND_BOTH);
    behind_reload("green");
    CU_ASSERT_EQUAL(matches_now(), 3);
    behind_write_sources("green", BEHIND_BOTH, none);
    behind_reload("green");
    CU_ASSERT_EQUAL(matches_now(), 1);
    behind_close();
}

static const struct unit_test tests[] = {
    {"discovery reaches participants", test_discovery_reaches_participants},
    {"the asker may be named", test_the_asker_may_be_named},
    {"a silent participant costs itself", test_a_silent_participant_costs_itself},
    {"a contradicting candidate is quarantined", test_a_contradicting_candidate_is_quarantined},
    {"nobody is not said for the silent", test_nobody_is_not_said_for_the_silent},
    {"a home is asked alone", test_a_home_is_asked_alone},
    {"without home those who know the id answer", test_without_home_those_who_know_the_id_answer},
    {"an authority says who is asked", test_an_authority_says_who_is_asked},
    {"our policy withholds documents", test_our_policy_withholds_documents},
    {"a retrieve is split by home", test_a_retrieve_is_split_by_home},
    {"a hidden community is unknown", test_a_hidden_community_is_unknown},
    {"a question does not go round", test_a_question_does_not_go_round},
    {"a ring ends", test_a_ring_ends},
    {"an asker is not asked", test_an_asker_is_not_asked},
    {"other queries are judged", test_other_queries_are_judged},
    {"a reload adds and removes a participant", test_reload_adds_and_removes_a_participant},
};

UNIT_MAIN("behind", tests)
