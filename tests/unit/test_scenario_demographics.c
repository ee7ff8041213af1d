/*
 * ITI-47 of a local system: who is found by which parameters, domains, partners, and what our
 * policy has to say. Fake clock, partners in the same process, no sockets.
 */
#include <stdio.h>

#include "people_kit.h"

/* ---- what is refused ---- */

static void
test_what_cannot_be_searched_for_is_refused(void)
{
    static const struct {
        struct question question;
        enum err cause;
    } rows[] = {
        {{.family = "Jones", .receiver = "2.999.404"}, ERR_UNKNOWN_COMMUNITY},
        {{.family = "*ones"}, ERR_MESSAGE_CONTENT},
        {{.family = "J", .use = "SRCH"}, ERR_MESSAGE_CONTENT},
        {{.family = "J*"}, ERR_MESSAGE_CONTENT},
    };

    people_open();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        people_send_question(&rows[i].question);
        people_check_refused(rows[i].cause, "INTERR");
    }
    CU_ASSERT_EQUAL(people.scene.questions_n, 0);
    people_send_payload(SOAP_ITI_47, SPAN("<PRPA_IN201305UV02 xmlns='urn:hl7-org:v3'/>"));
    CU_ASSERT_EQUAL(people.reply.cause, ERR_MESSAGE_CONTENT);
    CU_ASSERT_EQUAL(people.reply.http_status, 500); /* a fault: there is nothing to answer to */
    people_close();
}

static void
test_our_policy_decides(void)
{
    static const char rules[] =
        "rules:\n"
        "  - {name: others, effect: permit, reason: r, direction: local, transactions: [ITI-47],\n"
        "     partners: any, purposes: any, systems: [lab]}\n"
        "  - {name: one, effect: permit, reason: r, direction: local, transactions: [ITI-55],\n"
        "     partners: any, purposes: any}\n";
    const struct question question = {.family = "Jones"};

    people_open();
    kit_set_policy(people_red(), rules);
    people_send_question(&question);
    people_check_refused(ERR_POLICY_DENIED, "INTERR");
    CU_ASSERT_EQUAL(span_find(buf_span(&people.whole), SPAN("m-1")), SPAN_MISSING);
    people.ehr->name = "lab";
    people_send_question(&question);
    CU_ASSERT_EQUAL(people_read_answer("7").matches.n, 5);
    people.ehr->name = "ehr";
    kit_restore_policy(people_red());
    people_close();
}

/* ---- what is found ---- */

static void
test_everything_that_is_asked_for_holds(void)
{
    static const struct {
        struct question question;
        size_t found;
    } rows[] = {
        {{.family = "Nobody"}, 0},
        {{.family = "Jones"}, 5}, /* and Isabella */
        {{.family = "JONES"}, 5},
        {{.family = "Jone"}, 0},
        {{.family = "Jone", .use = "SRCH"}, 5},
        {{.family = "Jone*"}, 5},
        {{.family = "Now", .use = "SRCH"}, 1}, /* a part of a double name */
        {{.family = "Nowak"}, 1},
        {{.family = "Smith-Nowak"}, 1},
        {{.family = "Nowak-Smith", .given = "Eve"}, 1},
        {{.family = "Jones", .given = "Bert"}, 1},
        {{.family = "Jones", .given = "Be"}, 0},
        {{.family = "Jones", .given = "Be", .use = "SRCH"}, 1},
        {{.family = "Jones", .given = "Maria"}, 0}, /* it is the second */
        {{.family = "Jones", .given = "Anna"}, 1},
        {{.family = "Jones", .given = "B"}, 1}, /* an initial */
        {{.family = "Jones", .sex = "F"}, 3},
        {{.family = "Jones", .sex = "UN"}, 0},
        {{.family = "Jones", .birth = "19810203"}, 1},
        {{.family = "Jones", .birth = "19810204"}, 0},
        {{.family = "Jones", .birth = "1981"}, 1},
        {{.birth = "19810203"}, 1},
        {{.birth = "19000101"}, 0}, /* nobody's */
        {{.id_root = PEOPLE_MRN, .id = "m-3"}, 1},
        {{.id_root = PEOPLE_MRN, .id = "m-3", .family = "Jones"}, 1},
        {{.id_root = PEOPLE_MRN, .id = "m-3", .family = "Smith"}, 0},
        {{.id_root = PEOPLE_MRN, .id = "m-9"}, 0},
        {{.id_root = PEOPLE_OTHER, .id = "m-3"}, 0},
        {{.telecom = "tel:+1-555-0104"}, 1},
        {{.telecom = "tel:+1-555-0199"}, 0},
        {{.family = "Jones", .city = "Springfield"}, 2},
        {{.city = "springfield"}, 3},
        {{.given = "Eve"}, 1}, /* few are known: everybody is looked at */
    };

    people_open();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        people_send_question(&rows[i].question);
        const struct xcpd_answer answer = people_read_answer("7");

        if (answer.matches.n != rows[i].found) {
            printf("\n    row %zu: %zu found, wanted %zu", i, answer.matches.n, rows[i].found);
            CU_FAIL("another number of people");
        }
        CU_ASSERT_EQUAL(answer.result, rows[i].found > 0 ? XCPD_MATCH : XCPD_NONE);
        CU_ASSERT_EQUAL(scene_event(people_red(), 0)->type, AUDIT_ITI_47);
        CU_ASSERT_EQUAL(scene_event(people_red(), 0)->patients_n, rows[i].found);
    }
    CU_ASSERT_EQUAL(people.scene.questions_n, 0); /* nothing left for partners */
    people_close();
}

static void
test_an_answer_says_who_it_is(void)
{
    const struct question question = {.id_root = PEOPLE_MRN, .id = "m-5"};

    people_open();
    people_send_question(&question);
    const struct xcpd_answer answer = people_read_answer("7");

    CU_ASSERT_EQUAL_FATAL(answer.matches.n, 1);
    const struct xcpd_match *match = &answer.matches.items[0];

    CHECK_SPAN(match->home, "2.999.1");
    CU_ASSERT_EQUAL(match->own_ids, 1);
    CU_ASSERT_EQUAL_FATAL(match->patient.ids.n, 2);
    CHECK_SPAN(match->patient.ids.items[0].root, people_red()->config->patient_authority);
    CHECK_SPAN(match->patient.ids.items[1].root, PEOPLE_MRN);
    CHECK_SPAN(match->patient.ids.items[1].extension, "m-5");
    CHECK_SPAN(match->patient.names.items[0].family, "Smith-Nowak");
    CHECK_SPAN(match->patient.birth_time, "19840506");
    CU_ASSERT(answer.quantities.is_known && answer.quantities.total == 1 &&
              answer.quantities.remaining == 0);
    people_close();
}

static void
test_a_store_that_answers_later(void)
{
    const struct question question = {.family = "Jones", .domain = PEOPLE_MRN};

    people_open();
    kit_slow_store(people_red());
    people_send_question(&question);
    kit_wake_store_all(people_red());
    CU_ASSERT_EQUAL(people_read_answer("7").matches.n, 4); /* and Isabella, who has no id there */
    CU_ASSERT_EQUAL(people_read_answer("7").quantities.total, 5);
    people_close();
}

/* ---- domains ---- */

static void
test_domains_restrict_the_ids(void)
{
    const struct question known = {.family = "Nowak", .domain = PEOPLE_MRN};
    const struct question without = {.family = "Jones", .given = "Isabella", .domain = PEOPLE_MRN};
    const struct question unknown = {.family = "Jones", .domain = PEOPLE_OTHER};
    struct xcpd_answer answer;

    people_open();
    people_send_question(&known);
    answer = people_read_answer("7");
    CU_ASSERT_EQUAL_FATAL(answer.matches.n, 1);
    CU_ASSERT_EQUAL_FATAL(answer.matches.items[0].patient.ids.n, 1);
    CHECK_SPAN(answer.matches.items[0].patient.ids.items[0].extension, "m-5");
    CU_ASSERT_EQUAL(answer.matches.items[0].missing_domains.n, 0);
    /* she is given, without an id, and the domain is named as one without */
    people_send_question(&without);
    CU_ASSERT_EQUAL(people.reply.http_status, 200);
    CU_ASSERT_NOT_EQUAL(
        span_find(buf_span(&people.whole), SPAN("<resultTotalQuantity value=\"1\">")),
        SPAN_MISSING);
    CU_ASSERT_NOT_EQUAL(span_find(buf_span(&people.whole), SPAN("<patient classCode=\"PAT\">"
                                                                "<id nullFlavor=\"NA\">")),
                        SPAN_MISSING);
    CU_ASSERT_NOT_EQUAL(span_find(buf_span(&people.whole), SPAN("Isabella")), SPAN_MISSING);
    CU_ASSERT_EQUAL(
        span_find(buf_span(&people.whole), span_of_cstr(people_red()->config->patient_authority)),
        SPAN_MISSING);
    people_send_question(&unknown);
    people_check_refused(ERR_UNKNOWN_DOMAIN, "204");
    CU_ASSERT_NOT_EQUAL(span_find(buf_span(&people.whole), SPAN("otherIDsScopingOrganization[1]")),
                        SPAN_MISSING);
    people_close();
}

/* ---- partners ---- */

static void
test_partners_are_asked_where_the_system_may(void)
{
    static const struct {
        struct question question;
        bool is_asked;
    } rows[] = {
        {{.family = "Jones", .given = "Isabella"}, false},
        {{.family = "Jones", .birth = "19470501"}, false},
        {{.family = "Jones", .given = "Isabella", .birth = "1947"}, false},
        {{.family = "Jones", .given = "Isa*", .birth = "19470501"}, false},
        {{.family = "Jones", .given = "Isabella", .use = "SRCH", .birth = "19470501"}, false},
        {{.family = "Jones", .given = "Isabella", .birth = "19470501"}, true},
    };

    people_open();
    people_send_question(&rows[ARRAY_LEN(rows) - 1].question);
    CU_ASSERT_EQUAL(people.scene.questions_n, 0);
    CU_ASSERT_EQUAL(people_read_answer("7").matches.n, 1);
    people.ehr->asks_partners_47 = true;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        scene_forget(&people.scene);
        people_send_question(&rows[i].question);
        CU_ASSERT_EQUAL(people.scene.questions_n, rows[i].is_asked ? 2 : 0);
        scene_deliver_all(&people.scene, NULL);
    }
    const struct xcpd_answer answer = people_read_answer("7");

    CU_ASSERT_EQUAL_FATAL(answer.matches.n, 3);
    for (size_t i = 0; i < 3; i++) {
        static const char *const homes[] = {"2.999.1", "2.999.3", "2.999.2"};
        const struct xcpd_match *match = &answer.matches.items[i];

        CHECK_SPAN(match->home, homes[i]);
        CU_ASSERT(span_starts_with(match->patient.ids.items[0].root, span_of_cstr(homes[i])));
    }
    /* a partner that fails is missing, and the record says so */
    scene_forget(&people.scene);
    people_send_question(&rows[ARRAY_LEN(rows) - 1].question);
    scene_fail(&people.scene, kit_question_to(&people.scene, "blue"), ERR_PARTNER_UNREACHABLE);
    scene_deliver_all(&people.scene, NULL);
    CU_ASSERT_EQUAL(people_read_answer("7").matches.n, 2);
    CU_ASSERT_EQUAL(
        scene_count_events(people_red(), AUDIT_ITI_47, AUDIT_RESPONDING, AUDIT_OUTCOME, false), 1);
    CU_ASSERT_EQUAL(
        scene_count_events(people_red(), AUDIT_ITI_47, AUDIT_RESPONDING, AUDIT_OUTCOME, true), 1);
    people_close();
}

static const struct unit_test tests[] = {
    {"what cannot be searched for is refused", test_what_cannot_be_searched_for_is_refused},
    {"our policy decides", test_our_policy_decides},
    /* REQ: ITI47-matches, ITI47-parameters-used */
    {"everything that is asked for holds", test_everything_that_is_asked_for_holds},
    {"an answer says who it is", test_an_answer_says_who_it_is},
    {"a store that answers later", test_a_store_that_answers_later},
    /* REQ: ITI47-domains, ITI47-unknown-domain */
    {"domains restrict the ids", test_domains_restrict_the_ids},
    /* REQ: ITI47-partners, ITI47-communities */
    {"partners are asked where the system may", test_partners_are_asked_where_the_system_may},
};
UNIT_MAIN("scenario-demographics", tests)
