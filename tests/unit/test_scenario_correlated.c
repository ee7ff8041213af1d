/*
 * By which other ids is a patient known (ITI-45, of a local system), and where (ITI-56, of a
 * partner)? What our index knows, what partners told us while they allowed it, and who may be told
 * what: nothing that a partner told goes further without a rule that names it.
 */
#include <stdio.h>
#include <string.h>

#include "people_kit.h"
#include "soap/pix.h"
#include "soap/plq.h"
#include "store/correlation.h"

#define HOUR_US ((int64_t)3600 * US_PER_S)

/* Every rule but those of `learned_from`. */
#define RULES                                                                                      \
    "rules:\n"                                                                                     \
    "  - {name: ask, effect: permit, reason: r, direction: [local, outbound, inbound],\n"          \
    "     transactions: [ITI-55, ITI-45, ITI-56], partners: any, purposes: any}\n"

static const char tells_green[] =
    RULES "  - {name: tell, effect: permit, reason: r, transactions: [ITI-45, ITI-56],\n"
          "     partners: any, purposes: any, learned_from: [green]}\n";
static const char tells_all[] =
    RULES "  - {name: tell, effect: permit, reason: r, transactions: [ITI-45, ITI-56],\n"
          "     partners: any, purposes: any, learned_from: any}\n";
static const char tells_lab[] =
    RULES "  - {name: tell, effect: permit, reason: r, transactions: [ITI-45],\n"
          "     partners: any, purposes: any, learned_from: any, systems: [lab]}\n";
static const char tells_not_blue[] =
    RULES "  - {name: tell, effect: permit, reason: r, transactions: [ITI-45],\n"
          "     partners: any, purposes: any, learned_from: any}\n"
          "  - {name: not, effect: deny, reason: r, learned_from: [blue]}\n";

/* ---- the patients ---- */

static struct ident own; /* Dora's id of our own authority */

static struct config_discovery *
discovery_of(const char *place)
{
    return &((struct config *)scene_place(&people.scene, place)->config)->discovery;
}

/* As though partners had been asked for Dora by <local>. */
static void
learn(const struct ident *local, const char *partner, const char *community, const char *root,
      const char *extension, int64_t for_us)
{
    const int64_t now_us = clock_wall_us(&people.scene.clock.clock);
    struct ident ids[1] = {{span_of_cstr(root), span_of_cstr(extension), SPAN_EMPTY}};
    struct correlation_match matches[1] = {
        {.community = span_of_cstr(community), .patient = {.ids = {ids, 1, 1}}, .degree = 90}};
    struct correlation correlation = {
        .key = {.local = *local, .asked = span_of_cstr(community)},
        .partner = span_of_cstr(partner),
        .matches = {matches, 1, 1},
        .learned_us = now_us,
        .until_us = now_us + for_us,
    };
    enum answer answer = ANSWER_NOW;
    struct diag diag = {0};

    memset(correlation.key.question, 'a', SHA256_HEX - 1);
    CHECK_OK(&diag, store_learn_correlations(people_red()->node.store, &correlation, 1, NULL, &diag,
                                             &answer));
}

static void
find_own(void)
{
    const struct question question = {.id_root = PEOPLE_MRN, .id = "m-4"};
    struct xcpd_answer answer;

    people_send_question(&question);
    answer = people_read_answer("7");
    CU_ASSERT_EQUAL_FATAL(answer.matches.n, 1);
    own = answer.matches.items[0].patient.ids.items[0];
}

/* Green told of Dora under her hospital number, blue under our id of her. */
static void
open_known(void)
{
    const struct ident mrn = {SPAN(PEOPLE_MRN), SPAN("m-4"), SPAN_EMPTY};

    people_open();
    discovery_of("red")->remember_us = 2 * HOUR_US;
    find_own();
    learn(&mrn, "green", "2.999.2", "2.999.2.1", "g-4", HOUR_US);
    learn(&own, "blue", "2.999.3", "2.999.3.1", "b-4", 3 * HOUR_US);
    scene_forget(&people.scene);
}

/* ---- ITI-45 ---- */

static void
send_pix(const char *root, const char *extension, const char *const *sources, size_t sources_n)
{
    struct hl7_domain domains[2] = {{.element = 1, .value = 1}, {.element = 2, .value = 1}};
    struct pix_query query = {
        .id = {.root = SPAN(PEOPLE_QUERY), .extension = SPAN("message")},
        .query_id = {.root = SPAN(PEOPLE_QUERY), .extension = SPAN("7")},
        .sender_home = SPAN("2.999.1"),
        .receiver_home = SPAN("2.999.1"),
        .creation_us = clock_wall_us(&people.scene.clock.clock),
        .patient = {span_of_cstr(root), span_of_cstr(extension), SPAN_EMPTY},
        .sources = {domains, sources_n, 2},
    };
    struct diag diag = {0};
    struct span query_xml;
    struct buf payload;

    for (size_t i = 0; i < sources_n; i++) {
        domains[i].root = span_of_cstr(sources[i]);
    }
    buf_init(&payload, (size_t)64 * 1024);
    CHECK_OK(&diag, pix_query_write(&query, people.arena, &payload, &diag, &query_xml));
    people_send_payload(SOAP_ITI_45, buf_span(&payload));
    buf_done(&payload);
}

static struct pix_answer
read_pix(const char *root, const char *extension)
{
    const struct pix_query query = {
        .query_id = {.root = SPAN(PEOPLE_QUERY), .extension = SPAN("7")},
        .patient = {span_of_cstr(root), span_of_cstr(extension), SPAN_EMPTY},
    };
    struct pix_answer answer = {.result = PIX_ERROR};
    struct diag diag = {0};

    CHECK_OK(&diag, pix_answer_read(people_read_message(), &query, people.arena, &diag, &answer));
    CU_ASSERT_EQUAL(scene_event(people_red(), 0)->type, AUDIT_ITI_45);
    CU_ASSERT_EQUAL(people.scene.questions_n, 0); /* nobody was asked */
    return answer;
}

/* The ids of Dora, asked about by her hospital number; "": none. */
static void
check_ids(const char *wanted)
{
    char got[512] = "";
    struct pix_answer answer;

    send_pix(PEOPLE_MRN, "m-4", NULL, 0);
    answer = read_pix(PEOPLE_MRN, "m-4");
    CU_ASSERT_EQUAL(answer.result, wanted[0] == '\0' ? PIX_NONE : PIX_FOUND);
    for (size_t i = 0; i < answer.ids.n; i++) {
        const struct ident *id = &answer.ids.items[i];
        const size_t n = strlen(got);

        (void)snprintf(got + n, sizeof(got) - n, "%s%.*s", i == 0 ? "" : " ",
                       SPAN_PRINT(ident_eq(id, &own) ? SPAN("own") : id->extension));
    }
    if (strcmp(got, wanted) != 0) {
        printf("\n    wanted '%s', got '%s'", wanted, got);
        CU_FAIL("other ids");
    }
    CU_ASSERT_EQUAL(scene_event(people_red(), 0)->outcome, AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(scene_event(people_red(), 0)->patients_n, 1 + answer.ids.n);
}

static void
test_what_nobody_knows_is_named(void)
{
    static const char *const sources[] = {PEOPLE_MRN, PEOPLE_OTHER};
    static const struct {
        const char *root, *extension;
    } unknown[] = {
        {PEOPLE_MRN, "m-9"}, {PEOPLE_OTHER, "m-4"}, {"2.999.1.1", "m-4"}, {"2.999.2.1", "g-4"}};
    struct pix_answer answer;

    open_known();
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        send_pix(unknown[i].root, unknown[i].extension, NULL, 0);
        answer = read_pix(unknown[i].root, unknown[i].extension);
        CU_ASSERT_EQUAL(people.reply.cause, ERR_UNKNOWN_PATIENT);
        CU_ASSERT_EQUAL(answer.result, PIX_UNKNOWN_PATIENT);
        CU_ASSERT_EQUAL(answer.ids.n, 0);
    }
    send_pix(PEOPLE_MRN, "m-4", sources, 2);
    answer = read_pix(PEOPLE_MRN, "m-4");
    CU_ASSERT_EQUAL(people.reply.cause, ERR_UNKNOWN_DOMAIN);
    CU_ASSERT_EQUAL(answer.result, PIX_UNKNOWN_SOURCE);
    CU_ASSERT_EQUAL_FATAL(answer.details.n, 1);
    CHECK_SPAN(answer.details.items[0].code.value, "204");
    CU_ASSERT_NOT_EQUAL(span_find(answer.details.items[0].location, SPAN("dataSource[2]")),
                        SPAN_MISSING);
    people_send_payload(SOAP_ITI_45, SPAN("<PRPA_IN201309UV02 xmlns='urn:hl7-org:v3'/>"));
    CU_ASSERT_EQUAL(people.reply.http_status, 500);
    CU_ASSERT_EQUAL(people.reply.cause, ERR_MESSAGE_CONTENT);
    people_close();
}

static void
test_what_partners_told_goes_by_the_rules(void)
{
    open_known();
    check_ids("own"); /* the shipped rules tell nothing of partners */
    kit_set_policy(people_red(), RULES);
    check_ids("own");
    kit_restore_policy(people_red());
    kit_set_policy(people_red(), tells_green);
    check_ids("own g-4");
    kit_restore_policy(people_red());
    kit_set_policy(people_red(), tells_not_blue);
    check_ids("own g-4");
    kit_restore_policy(people_red());
    kit_set_policy(people_red(), tells_lab);
    check_ids("own");
    people.ehr->name = "lab";
    check_ids("own g-4 b-4");
    people.ehr->name = "ehr";
    kit_restore_policy(people_red());
    kit_set_policy(people_red(), NULL);
    send_pix(PEOPLE_MRN, "m-4", NULL, 0);
    CU_ASSERT_EQUAL(read_pix(PEOPLE_MRN, "m-4").result, PIX_ERROR);
    CU_ASSERT_EQUAL(people.reply.cause, ERR_POLICY_DENIED);
    kit_restore_policy(people_red());
    people_close();
}

static void
test_what_partners_told_ends_in_time(void)
{
    open_known();
    kit_set_policy(people_red(), tells_all);
    kit_slow_store(people_red());
    send_pix(PEOPLE_MRN, "m-4", NULL, 0);
    kit_wake_store_all(people_red());
    CU_ASSERT_EQUAL(read_pix(PEOPLE_MRN, "m-4").ids.n, 3);
    people_red()->node.store = people_red()->store;
    check_ids("own g-4 b-4");
    fake_clock_advance(&people.scene.clock, HOUR_US); /* as green allowed */
    check_ids("own b-4");
    discovery_of("red")->remember_us = HOUR_US; /* lowered: counts at once */
    check_ids("own");
    discovery_of("red")->remember_us = 2 * HOUR_US;
    check_ids("own b-4");
    fake_clock_advance(&people.scene.clock, HOUR_US); /* as we configured */
    check_ids("own");
    kit_restore_policy(people_red());
    people_close();
}

/* A partner whose file has lost the community is not believed any more. */
static void
test_what_a_former_partner_told_is_not_given(void)
{
    static const char *const elsewhere[] = {"2.999.3.9"};
    struct partner *blue;

    open_known();
    kit_set_policy(people_red(), tells_all);
    blue = (struct partner *)config_partner_of_community(people_red()->config, SPAN("2.999.3"));
    const struct config_strings before = blue->communities;

    blue->communities = (struct config_strings){elsewhere, 1};
    check_ids("own g-4");
    blue->communities = before;
    check_ids("own g-4 b-4");
    kit_restore_policy(people_red());
    people_close();
}

static void
test_wanted_domains_restrict(void)
{
    static const char *const green[] = {"2.999.2.1"};
    static const char *const two[] = {"2.999.2.1", "2.999.3.1"};
    static const char *const mrn[] = {PEOPLE_MRN};

    open_known();
    kit_set_policy(people_red(), tells_all);
    send_pix(PEOPLE_MRN, "m-4", green, 1);
    CU_ASSERT_EQUAL(read_pix(PEOPLE_MRN, "m-4").ids.n, 1);
    send_pix(PEOPLE_MRN, "m-4", two, 2);
    CU_ASSERT_EQUAL(read_pix(PEOPLE_MRN, "m-4").ids.n, 2);
    send_pix(PEOPLE_MRN, "m-4", mrn, 1); /* only the one that was asked about */
    CU_ASSERT_EQUAL(read_pix(PEOPLE_MRN, "m-4").result, PIX_NONE);
    send_pix(PEOPLE_MRN, "m-1", green, 1);
    CU_ASSERT_EQUAL(read_pix(PEOPLE_MRN, "m-1").result, PIX_NONE);
    kit_restore_policy(people_red());
    people_close();
}

/* What a partner answers to a question with the id is what is told then. */
static void
test_a_discovery_is_what_is_known(void)
{
    struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct ident ids[1] = {{SPAN("2.999.1.99"), SPAN("local-1"), SPAN_EMPTY}};
    struct asking *asking = NULL;
    struct pix_answer answer;

    people_open();
    discovery_of("green")->time_to_live_us = HOUR_US;
    discovery_of("red")->remember_us = 2 * HOUR_US;
    send_pix("2.999.1.99", "local-1", NULL, 0);
    CU_ASSERT_EQUAL(read_pix("2.999.1.99", "local-1").result, PIX_UNKNOWN_PATIENT);
    order.who.ids = (struct ident_list){ids, 1, 1};
    scene_ask(people_red(), &order, &asking);
    scene_deliver_all(&people.scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    asking_free(asking);
    scene_forget(&people.scene);
    kit_set_policy(people_red(), tells_all);
    send_pix("2.999.1.99", "local-1", NULL, 0);
    answer = read_pix("2.999.1.99", "local-1");
    CU_ASSERT_EQUAL_FATAL(answer.ids.n, 1); /* blue allowed nothing */
    CHECK_SPAN(answer.ids.items[0].root, "2.999.2.1");
    kit_restore_policy(people_red());
    send_pix("2.999.1.99", "local-1", NULL, 0);
    CU_ASSERT_EQUAL(read_pix("2.999.1.99", "local-1").result, PIX_NONE);
    people_close();
}

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
    discovery_of("green")->remember_us = 2 * HOUR_US;
    CHECK_OK(&diag, store_match_patient(green()->store, &order.who, NULL, people.arena, &diag,
                                        &answer, &found));
    CU_ASSERT_EQUAL_FATAL(found.kind, STORE_MATCH_ONE);
    known_to_green = found.patient.ids.items[0];

    struct place *const red = people_red();
    struct store *const store = red->node.store;

    red->node.store = green()->store; /* learn() is about red */
    learn(&known_to_green, "blue", "2.999.3", "2.999.3.1", "b-1", HOUR_US);
    learn(&known_to_green, "red", "2.999.1", "2.999.1.1", "r-1", HOUR_US);
    red->node.store = store;
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
    static const char tells_blue[] =
        RULES "  - {name: tell, effect: permit, reason: r, transactions: [ITI-56],\n"
              "     partners: [red], purposes: any, learned_from: [blue]}\n";
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
    struct place *const red = people_red();

    open_located(tells_all);
    struct store *const store = red->node.store;

    red->node.store = green()->store;
    learn(&mrn, "blue", "2.999.3", "2.999.3.1", "b-4", HOUR_US);
    red->node.store = store;
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

static const struct unit_test tests[] = {
    /* REQ: ITI45-unknown-answered */
    {"what nobody knows is named", test_what_nobody_knows_is_named},
    /* REQ: ITI45-answered, ITI45-told-by-policy */
    {"what partners told goes by the rules", test_what_partners_told_goes_by_the_rules},
    /* REQ: ITI45-no-longer-than-allowed */
    {"what partners told ends in time", test_what_partners_told_ends_in_time},
    {"what a former partner told is not given", test_what_a_former_partner_told_is_not_given},
    {"wanted domains restrict", test_wanted_domains_restrict},
    {"a discovery is what is known", test_a_discovery_is_what_is_known},
    /* REQ: ITI56-told-by-policy */
    {"without a rule no location is told", test_without_a_rule_no_location_is_told},
    /* REQ: ITI56-answered */
    {"locations are told by the rules", test_locations_are_told_by_the_rules},
    {"a hospital number locates nobody", test_a_hospital_number_locates_nobody},
    /* REQ: ITI56-offered */
    {"the custodian says what is offered", test_the_custodian_says_what_is_offered},
};
UNIT_MAIN("scenario-correlated", tests)
