/*
 * By which other ids is a patient known (ITI-45, of a local system)? What our index knows, what
 * partners told us while they allowed it, and who may be told what: nothing that a partner told
 * goes further without a rule that names it.
 */
#include <stdio.h>
#include <string.h>

#include "people_kit.h"
#include "soap/pix.h"

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
    people_discovery("red")->remember_us = 2 * HOUR_US;
    find_own();
    people_learn(people_red()->node.store, &mrn, "green", "2.999.2", "2.999.2.1", "g-4", HOUR_US);
    people_learn(people_red()->node.store, &own, "blue", "2.999.3", "2.999.3.1", "b-4",
                 3 * HOUR_US);
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
    people_discovery("red")->remember_us = HOUR_US; /* lowered: counts at once */
    check_ids("own");
    people_discovery("red")->remember_us = 2 * HOUR_US;
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
    people_discovery("green")->time_to_live_us = HOUR_US;
    people_discovery("red")->remember_us = 2 * HOUR_US;
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
};
UNIT_MAIN("scenario-correlated", tests)
