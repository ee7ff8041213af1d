/*
 * Where is a patient known (ITI-56)? Both sides: green is asked by red, with messages of the test's
 * and with those of a node. What partners told green goes further by a rule that names them, and
 * what green tells red is shown and not used by itself.
 */
#include <string.h>

#include "people_kit.h"
#include "soap/plq.h"

#define HOUR_US ((int64_t)3600 * US_PER_S)

/* Every rule but those of `learned_from`. */
#define RULES                                                                                      \
    "rules:\n"                                                                                     \
    "  - {name: ask, effect: permit, reason: r, direction: [local, outbound, inbound],\n"          \
    "     transactions: [ITI-55, ITI-45, ITI-56], partners: any, purposes: any}\n"

static const char tells_blue[] =
    RULES "  - {name: tell, effect: permit, reason: r, transactions: [ITI-56],\n"
          "     partners: [red], purposes: any, learned_from: [blue]}\n";
static const char tells_all[] =
    RULES "  - {name: tell, effect: permit, reason: r, transactions: [ITI-45, ITI-56],\n"
          "     partners: any, purposes: any, learned_from: any}\n";

/* ---- ITI-56: green is asked by red ---- */

static struct place *
green(void)
{
    return scene_place(&people.scene, "green");
}

static struct ident known_to_green;

/* Green knows Isabella; blue told green of her, and red did. */
static void
open_located(const char *rules)
{
    struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct store_match_result found;
    enum answer answer = ANSWER_NOW;
    struct diag diag = {0};

    people_open();
    people_discovery("green")->remember_us = 2 * HOUR_US;
    CHECK_OK(&diag, store_match_patient(green()->store, &order.who, NULL, people.arena, &diag,
                                        &answer, &found));
    CU_ASSERT_EQUAL_FATAL(found.kind, STORE_MATCH_ONE);
    known_to_green = found.patient.ids.items[0];

    people_learn(green()->store, &known_to_green, "blue", "2.999.3", "2.999.3.1", "b-1", HOUR_US);
    people_learn(green()->store, &known_to_green, "red", "2.999.1", "2.999.1.1", "r-1", HOUR_US);
    kit_set_policy(green(), rules);
    scene_forget(&people.scene);
}

static void
close_located(void)
{
    kit_restore_policy(green());
    people_close();
}

static void
send_location_query(const struct ident *patient, const char *purpose)
{
    struct kit_request request = {.transaction = SOAP_ITI_56, .purpose = purpose};
    struct diag diag = {0};
    struct buf payload;

    buf_init(&payload, (size_t)64 * 1024);
    CHECK_OK(&diag, plq_query_write(patient, &payload, &diag));
    request.payload = buf_span(&payload);
    kit_send(&people.scene, &request, &people.reply);
    people.reply.whole = &people.whole;
    buf_done(&payload);
}

static struct plq_location_list
read_locations(const struct ident *patient)
{
    const struct message_limits limits = message_limits_answer();
    struct plq_location_list locations = {0};
    struct message *message = NULL;
    struct diag diag = {0};

    CU_ASSERT_EQUAL(people.reply.http_status, 200);
    CHECK_OK(&diag, message_read(span_of(people.reply.text, people.reply.n),
                                 span_of_cstr(people.reply.content_type), &limits, people.arena,
                                 &diag, &message));
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);

    CHECK_OK(&diag, plq_answer_read(message, patient, people.arena, &diag, &locations));
    CU_ASSERT_EQUAL(scene_event(green(), 0)->type, AUDIT_ITI_56);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->outcome, AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->patients_n, 1);
    return locations;
}

static void
test_without_a_rule_no_location_is_told(void)
{
    static const char no_rule[] =
        "rules:\n"
        "  - {name: ask, effect: permit, reason: r, transactions: [ITI-55], partners: any,\n"
        "     purposes: any}\n";

    open_located(no_rule);
    send_location_query(&known_to_green, NULL);
    CU_ASSERT_EQUAL(people.reply.cause, ERR_POLICY_DENIED);
    CU_ASSERT_EQUAL(people.reply.http_status, 500); /* a fault: the answer has no place for it */
    CU_ASSERT_EQUAL(scene_event(green(), 0)->outcome, AUDIT_SERIOUS);
    close_located();
    /* to ask is not to be told */
    open_located(RULES);
    send_location_query(&known_to_green, NULL);
    CU_ASSERT_EQUAL(read_locations(&known_to_green).n, 1); /* here */
    close_located();
}

static void
test_locations_are_told_by_the_rules(void)
{
    struct plq_location_list locations;
    struct ident other;

    open_located(tells_blue);
    send_location_query(&known_to_green, NULL);
    locations = read_locations(&known_to_green);
    CU_ASSERT_EQUAL_FATAL(locations.n, 2);
    CHECK_SPAN(locations.items[0].home, "2.999.2");
    CU_ASSERT(ident_eq(&locations.items[0].patient, &known_to_green));
    CHECK_SPAN(locations.items[1].home, "2.999.3");
    CHECK_SPAN(locations.items[1].patient.extension, "b-1");
    other = known_to_green;
    other.extension = SPAN("guessed");
    send_location_query(&other, NULL);
    CU_ASSERT_EQUAL(read_locations(&other).n, 0);
    fake_clock_advance(&people.scene.clock, HOUR_US);
    send_location_query(&known_to_green, NULL);
    CU_ASSERT_EQUAL(read_locations(&known_to_green).n, 1);
    close_located();
}

/* Only by the id that we gave out: others' numbers may be guessed. */
static void
test_a_hospital_number_locates_nobody(void)
{
    const struct ident mrn = {SPAN(PEOPLE_MRN), SPAN("m-4"), SPAN_EMPTY};

    open_located(tells_all);
    people_learn(green()->store, &mrn, "blue", "2.999.3", "2.999.3.1", "b-4", HOUR_US);
    send_location_query(&mrn, NULL);
    CU_ASSERT_EQUAL(read_locations(&mrn).n, 0);
    close_located();
}

/* The custodian of an answer to ITI-55 says whether ITI-56 is answered. */
static void
test_the_custodian_says_what_is_offered(void)
{
    static const char no_rule[] =
        "rules:\n"
        "  - {name: ask, effect: permit, reason: r, transactions: [ITI-55], partners: any,\n"
        "     purposes: any}\n";
    static const struct {
        const char *rules;
        bool is_offered;
    } rows[] = {{no_rule, false}, {RULES, true}};
    struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct asking *asking = NULL;
        const struct leg *leg;

        open_located(rows[i].rules);
        scene_ask(people_red(), &order, &asking);
        scene_deliver_all(&people.scene, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        leg = kit_leg_of(asking, 0, "green");
        CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
        CU_ASSERT_EQUAL_FATAL(leg->matches.n, 1);
        CU_ASSERT_EQUAL(leg->matches.items[0].is_health_data_locator, rows[i].is_offered);
        asking_free(asking);
        close_located();
    }
}

/* ---- we ask (ITI-56) ---- */

/* Red asks green about <patient>; <from> of the answer is <to> (NULL: as it is). */
static struct asking *
locate(const struct ident *patient, const char *from, const char *to)
{
    struct asking_order order = scene_order(ASKING_LOCATE, ISABELLA);
    struct span green_home = SPAN("2.999.2");
    struct asking *asking = NULL;

    order.patient_id = *patient;
    order.to = (struct span_list){&green_home, 1, 1};
    scene_ask(people_red(), &order, &asking);
    if (from != NULL) {
        scene_deliver_forged(&people.scene, kit_question_to(&people.scene, "green"), from, to);
    }
    scene_deliver_all(&people.scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL_FATAL(asking->legs[ASKING_ROUND_LOCATE].n, 1); /* nobody but green */
    return asking;
}

static void
test_a_partner_says_where(void)
{
    const struct leg *leg;
    struct asking *asking;
    struct ident other;

    open_located(tells_blue);
    kit_set_policy(people_red(), RULES);
    asking = locate(&known_to_green, NULL, NULL);
    leg = &asking->legs[ASKING_ROUND_LOCATE].items[0];
    CU_ASSERT_EQUAL(leg->state, LEG_ANSWERED);
    CU_ASSERT_EQUAL_FATAL(leg->matches.n, 2);
    CHECK_SPAN(leg->matches.items[0].home, "2.999.2");
    CHECK_SPAN(leg->matches.items[1].home, "2.999.3");
    CHECK_SPAN(leg->matches.items[1].patient.ids.items[0].extension, "b-1");
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    for (size_t i = 0; i < 2; i++) { /* intent and outcome */
        CU_ASSERT_EQUAL(scene_event(people_red(), i)->type, AUDIT_ITI_56);
        CU_ASSERT_EQUAL(scene_event(people_red(), i)->patients_n, 1);
    }
    asking_free(asking);
    other = known_to_green;
    other.extension = SPAN("guessed");
    asking = locate(&other, NULL, NULL);
    leg = &asking->legs[ASKING_ROUND_LOCATE].items[0];
    CU_ASSERT(leg->state == LEG_ANSWERED && leg->matches.n == 0 && leg->result == XCPD_NONE);
    asking_free(asking);
    kit_restore_policy(people_red());
    close_located();
}

/* Nothing leaves without a rule; and what is about somebody else is no answer. */
static void
test_what_is_no_location_is_not_used(void)
{
    const struct leg *leg;
    struct asking *asking;

    open_located(tells_blue);
    kit_set_policy(people_red(), "rules:\n"
                                 "  - {name: ask, effect: permit, reason: r,\n"
                                 "     transactions: [ITI-55], partners: any, purposes: any}\n");
    asking = locate(&known_to_green, NULL, NULL);
    leg = &asking->legs[ASKING_ROUND_LOCATE].items[0];
    CU_ASSERT_EQUAL(leg->state, LEG_DENIED);
    CU_ASSERT_EQUAL(leg->diag.code, ERR_POLICY_DENIED);
    CU_ASSERT_EQUAL(people.scene.questions_n, 0);
    asking_free(asking);
    kit_restore_policy(people_red());
    kit_set_policy(people_red(), RULES);
    asking = locate(&known_to_green, "b-1", "");
    leg = &asking->legs[ASKING_ROUND_LOCATE].items[0];
    CU_ASSERT_EQUAL(leg->state, LEG_FAILED);
    CU_ASSERT_EQUAL(leg->diag.code, ERR_PARTNER_ANSWER);
    CU_ASSERT_EQUAL(leg->matches.n, 0);
    asking_free(asking);
    kit_restore_policy(people_red());
    close_located();
}

static const struct unit_test tests[] = {
    /* REQ: ITI56-asked */
    {"what is no location is not used", test_what_is_no_location_is_not_used},
    {"a partner says where a patient is known", test_a_partner_says_where},
    /* REQ: ITI56-told-by-policy */
    {"without a rule no location is told", test_without_a_rule_no_location_is_told},
    /* REQ: ITI56-answered */
    {"locations are told by the rules", test_locations_are_told_by_the_rules},
    {"a hospital number locates nobody", test_a_hospital_number_locates_nobody},
    /* REQ: ITI56-offered */
    {"the custodian says what is offered", test_the_custodian_says_what_is_offered},
};
UNIT_MAIN("scenario-located", tests)
