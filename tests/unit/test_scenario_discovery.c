/*
 * ITI-55 as a partner asks it, through real messages: the five result cases with their codes (ITI
 * TF-2 3.55.4.2.3), what is done when several people agree, and how close a match the asker wants.
 */
#include <stdio.h>
#include <string.h>

#include "scene_kit.h"
#include "store/store_engine.h"

#define QUERY_ID   "2.999.1.98"
#define ADAM       "Everyman", "Adam", "19621022", "M"
#define BOB        "Brown", "Bob", "19500101", "M"
#define NOBODY     "Nemo", "Nora", "19470501", "F"
#define AUTHORITY  "2.999.5"
#define CODES_MOST 4

static struct scene scene;       /* large; one at a time */
static struct scene_reply reply; /* large */
static struct arena *arena;

static struct place *
green(void)
{
    return scene_place(&scene, "green");
}

/* ---- people ---- */

struct someone {
    const char *family, *given, *birth_date, *sex, *id, *city, *mother;
};

static void
add_someone(const struct someone *who)
{
    struct asking_order order =
        scene_order(ASKING_DISCOVER, who->family, who->given, who->birth_date, who->sex);
    const struct ident id = {SPAN(AUTHORITY), span_of_cstr(who->id), SPAN_EMPTY};
    struct address address = {.state = SPAN("OR")};
    struct person_name mother = {.family = SPAN_EMPTY};
    struct scene_stored stored;
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &order.who.ids, id));
    if (who->city != NULL) {
        address.city = span_of_cstr(who->city);
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &order.who.addresses, address));
    }
    if (who->mother != NULL) {
        mother.family = span_of_cstr(who->mother);
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &order.who.mothers_maiden_names, mother));
    }
    scene_add_marked_document(green(), &order.who, "N", who->id, &stored);
}

/* Two Adams who differ in address and mother, and two Bobs who differ in nothing but our partner's
 * numbers. */
static void
open_all(enum config_several several)
{
    static const struct someone people[] = {
        {ADAM, "26604", "Portland", "White"},
        {ADAM, "26620", "Salem", "Black"},
        {BOB, "1", NULL, NULL},
        {BOB, "2", NULL, NULL},
    };

    arena = kit_open_green(&scene);
    ((struct config *)green()->config)->discovery.several = several;
    for (size_t i = 0; i < ARRAY_LEN(people); i++) {
        add_someone(&people[i]);
    }
}

static struct xcpd_query
question(const char *family, const char *given, const char *birth_date, const char *sex)
{
    return (struct xcpd_query){
        .id = {.root = SPAN("2.999.1.99"), .extension = SPAN("m1")},
        .query_id = {.root = SPAN(QUERY_ID), .extension = SPAN("1")},
        .sender_home = SPAN("2.999.1"),
        .receiver_home = SPAN("2.999.2"),
        .creation_us = clock_wall_us(&scene.clock.clock),
        .subject = scene_order(ASKING_DISCOVER, family, given, birth_date, sex).who,
    };
}

static struct xcpd_answer
send(const struct xcpd_query *query)
{
    const struct message_limits limits = message_limits_answer();
    struct kit_request request = {.transaction = SOAP_ITI_55};
    struct xcpd_answer answer = {.result = XCPD_ERROR};
    struct message *message = NULL;
    struct diag diag = {0};
    struct buf payload;
    struct span query_xml;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, xcpd_query_write(query, arena, &payload, &diag, &query_xml));
    request.payload = buf_span(&payload);
    kit_send(&scene, &request, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    if (CHECK_OK(&diag, message_read(span_of(reply.text, reply.n), span_of_cstr(reply.content_type),
                                     &limits, arena, &diag, &message))) {
        CHECK_OK(&diag, xcpd_answer_read(message, &query->query_id, arena, &diag, &answer));
    }
    buf_done(&payload);
    return answer;
}

static bool
says(const char *text)
{
    return strstr(reply.text, text) != NULL;
}

/* ---- the cases ---- */

/* Each case is told by acknowledgement, queryResponseCode, events and reasonOf together. */
static void
check_case(const char *acknowledgement, const char *response, size_t events)
{
    char text[100];
    size_t n = 0;

    (void)snprintf(text, sizeof(text), "<typeCode code=\"%s\">", acknowledgement);
    CU_ASSERT(says(text));
    (void)snprintf(text, sizeof(text), "<queryResponseCode code=\"%s\">", response);
    CU_ASSERT(says(text));
    for (const char *at = reply.text; (at = strstr(at, "<registrationEvent ")) != NULL; at++) {
        n++;
    }
    CU_ASSERT_EQUAL(n, events);
    CU_ASSERT(says("<queryId root=\"" QUERY_ID "\" extension=\"1\">"));
    CU_ASSERT(!says("Quantity")); /* result...Quantity shall not be there (3.55.4.2.2.4) */
}

static void
test_one_or_nobody(void)
{
    struct xcpd_query query;
    struct xcpd_answer answer;

    open_all(CONFIG_SEVERAL_ASK);
    query = question(NOBODY);
    answer = send(&query);
    check_case("AA", "NF", 0);
    CU_ASSERT_EQUAL(answer.result, XCPD_NONE);
    CU_ASSERT(!says("<reasonOf "));
    query = question(ISABELLA);
    answer = send(&query);
    check_case("AA", "OK", 1);
    CU_ASSERT(!says("<reasonOf "));
    CU_ASSERT_EQUAL_FATAL(answer.matches.n, 1);
    CU_ASSERT_EQUAL(answer.matches.items[0].degree, 95);
    CHECK_SPAN(answer.matches.items[0].home, "2.999.2");
    CU_ASSERT_EQUAL(answer.matches.items[0].patient.ids.n, 1);
    kit_close_green(&scene, arena);
}

/* What a record says for people goes with the match; religion does not even get there. */
static void
test_what_is_known_goes_with_the_match(void)
{
    struct code white = {SPAN("2106-3"), SPAN("2.16.840.1.113883.6.238"), SPAN("White")};
    struct code english = {.value = SPAN("eng")};
    struct asking_order order = scene_order(ASKING_DISCOVER, NOBODY);
    struct scene_stored stored;
    struct xcpd_query query;
    struct xcpd_answer answer;

    open_all(CONFIG_SEVERAL_ASK);
    order.who.races = order.who.ethnicities = (struct code_list){&white, 1, 1};
    order.who.languages = (struct code_list){&english, 1, 1};
    order.who.religion = white;
    order.who.deceased = PATIENT_YES;
    order.who.deceased_time = SPAN("20200105");
    order.who.birth_order = 2;
    order.who.multiple_birth = PATIENT_YES;
    scene_add_marked_document(green(), &order.who, "N", "nora", &stored);
    query = question(NOBODY);
    answer = send(&query);
    CU_ASSERT_EQUAL_FATAL(answer.matches.n, 1);
    const struct patient *got = &answer.matches.items[0].patient;
    CU_ASSERT_EQUAL_FATAL(got->races.n, 1);
    CHECK_SPAN(got->races.items[0].value, "2106-3");
    CHECK_SPAN(got->races.items[0].display, "White");
    CU_ASSERT_EQUAL(got->ethnicities.n, 1);
    CU_ASSERT_EQUAL_FATAL(got->languages.n, 1);
    CHECK_SPAN(got->languages.items[0].value, "eng");
    CU_ASSERT(got->deceased == PATIENT_YES && got->multiple_birth == PATIENT_YES);
    CHECK_SPAN(got->deceased_time, "20200105");
    CU_ASSERT_EQUAL(got->birth_order, 2);
    CHECK_SPAN(got->religion.value, "");
    kit_close_green(&scene, arena);
}

static const struct several_row {
    enum config_several several;
    const char *family, *given, *birth_date, *sex, *city;
    const char *response;
    size_t events;
    const char *codes[CODES_MOST]; /* that are asked for, and no others */
} several_rows[] = {
    {CONFIG_SEVERAL_NONE, ADAM, NULL, "NF", 0, {NULL}},
    {CONFIG_SEVERAL_NONE, ADAM, "Salem", "OK", 1, {NULL}},
    {CONFIG_SEVERAL_ASK, ADAM, NULL, "OK", 0, {XCPD_ASK_ADDRESS, XCPD_ASK_MAIDEN_NAME, NULL}},
    {CONFIG_SEVERAL_ASK, ADAM, "Salem", "OK", 1, {NULL}},
    {CONFIG_SEVERAL_ASK, ADAM, "Bend", "NF", 0, {NULL}},
    /* Nothing that could be asked for tells the Bobs apart: to ask for more would be a promise that
     * cannot be kept, and there is no other code for "nobody to give" (3.55.4.2.3, case 4). */
    {CONFIG_SEVERAL_ASK, BOB, NULL, "NF", 0, {NULL}},
    {CONFIG_SEVERAL_LIST, ADAM, NULL, "OK", 2, {NULL}},
    {CONFIG_SEVERAL_LIST, ADAM, "Salem", "OK", 1, {NULL}},
    {CONFIG_SEVERAL_LIST, BOB, NULL, "OK", 2, {NULL}},
    {CONFIG_SEVERAL_LIST, NOBODY, NULL, "NF", 0, {NULL}},
};

static void
check_codes(const struct xcpd_answer *answer, const struct several_row *row)
{
    size_t n = 0;

    while (row->codes[n] != NULL) {
        bool is_there = false;

        for (size_t i = 0; i < answer->issues.n; i++) {
            is_there |= span_eq_cstr(answer->issues.items[i], row->codes[n]);
        }
        CU_ASSERT(is_there);
        n++;
    }
    CU_ASSERT_EQUAL(answer->issues.n, n);
    CU_ASSERT_EQUAL(says("<triggerFor typeCode=\"TRIG\">"), n > 0);
    CU_ASSERT_EQUAL(says("codeSystem=\"1.3.6.1.4.1.19376.1.2.27.1\""), n > 0);
    CU_ASSERT(!says("<mitigatedBy "));
}

/* REQ: ITI55-result-cases, ITI55-hints */
static void
test_several_are_answered_as_configured(void)
{
    for (size_t i = 0; i < ARRAY_LEN(several_rows); i++) {
        const struct several_row *row = &several_rows[i];
        const unsigned before = CU_get_number_of_failures();
        struct address address = {.state = SPAN("OR")};
        struct xcpd_query query;
        struct xcpd_answer answer;
        struct diag diag = {0};

        open_all(row->several);
        query = question(row->family, row->given, row->birth_date, row->sex);
        if (row->city != NULL) {
            address.city = span_of_cstr(row->city);
            CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &query.subject.addresses, address));
        }
        answer = send(&query);
        check_case("AA", row->response, row->events);
        CU_ASSERT_EQUAL(answer.matches.n, row->events);
        check_codes(&answer, row);
        for (size_t m = 0; m < answer.matches.n;
             m++) { /* whose they are, and no number of theirs */
            const struct ident_list *ids = &answer.matches.items[m].patient.ids;

            CU_ASSERT_EQUAL_FATAL(ids->n, 1);
            CU_ASSERT(!span_eq_cstr(ids->items[0].root, AUTHORITY));
            CU_ASSERT(m == 0 ||
                      !ident_eq(&ids->items[0], &answer.matches.items[0].patient.ids.items[0]));
        }
        CU_ASSERT_EQUAL(scene_event(green(), 0)->patients_n, row->events);
        if (CU_get_number_of_failures() != before) {
            printf("      row %zu\n", i);
        }
        kit_close_green(&scene, arena);
    }
}

/* REQ: ITI55-minimum-degree */
static void
test_who_is_not_close_enough_is_not_given(void)
{
    static const struct {
        enum config_several several;
        const char *family, *given, *birth_date, *sex;
        unsigned degree;
        size_t events;
    } rows[] = {
        {CONFIG_SEVERAL_ASK, ISABELLA, 96, 0},  {CONFIG_SEVERAL_ASK, ISABELLA, 95, 1},
        {CONFIG_SEVERAL_ASK, ISABELLA, 1, 1},   {CONFIG_SEVERAL_ASK, ISABELLA, 100, 0},
        {CONFIG_SEVERAL_LIST, ADAM, 96, 0},     {CONFIG_SEVERAL_LIST, ADAM, 95, 2},
        {CONFIG_SEVERAL_LIST, ISABELLA, 96, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct xcpd_query query;
        struct xcpd_answer answer;

        open_all(rows[i].several);
        query = question(rows[i].family, rows[i].given, rows[i].birth_date, rows[i].sex);
        query.minimum_degree = rows[i].degree;
        query.match_algorithm = SPAN("any"); /* may be passed over, and is */
        answer = send(&query);
        check_case("AA", rows[i].events > 0 ? "OK" : "NF", rows[i].events);
        CU_ASSERT_EQUAL(answer.matches.n, rows[i].events);
        CU_ASSERT_EQUAL(scene_event(green(), 0)->patients_n, rows[i].events);
        kit_close_green(&scene, arena);
    }
}

/* ---- what cannot be processed ---- */

struct failing_store {
    struct store store; /* first member */
    struct store *inner;
    enum err code;
};
static struct failing_store failing;

static struct status
fail_match(struct store *store, const struct patient *query, struct park *park, struct arena *area,
           struct diag *diag, enum answer *ret_answer, struct store_match_result *ret_result)
{
    (void)store;
    (void)query;
    (void)park;
    (void)area;
    (void)ret_answer;
    (void)ret_result;
    return FAIL(diag, failing.code, "the test's store");
}

static struct status
pass_remember(struct store *store, const struct replay_message *message, struct park *park,
              struct diag *diag, enum answer *ret_answer, struct replay_result *ret_result)
{
    (void)store;
    return replay_remember(failing.inner, message, park, diag, ret_answer, ret_result);
}

/* REQ: ITI55-result-cases, ITI55-answer-issues */
static void
test_what_cannot_be_processed_says_why(void)
{
    static const struct store_engine engine = {
        .name = "failing", .match_patient = fail_match, .remember = pass_remember};
    static const struct {
        enum err code; /* of the store; ERR_POLICY_DENIED: of our rules */
        const char *why;
    } rows[] = {
        {ERR_STORE, XCPD_WHY_INTERNAL},
        {ERR_STORE_BUSY, XCPD_WHY_BUSY},
        {ERR_POLICY_DENIED, XCPD_WHY_NOT_AVAILABLE},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct xcpd_query query;
        struct xcpd_answer answer;

        open_all(CONFIG_SEVERAL_ASK);
        failing = (struct failing_store){{.engine = &engine}, green()->store, rows[i].code};
        if (rows[i].code == ERR_POLICY_DENIED) {
            kit_set_policy(green(), NULL);
        } else {
            green()->node.store = &failing.store;
        }
        query = question(ISABELLA);
        answer = send(&query);
        check_case("AE", "AE", 0);
        CU_ASSERT_EQUAL(reply.cause, rows[i].code);
        CU_ASSERT_EQUAL(answer.result, XCPD_ERROR);
        CU_ASSERT_EQUAL_FATAL(answer.issues.n, 1);
        CHECK_SPAN(answer.issues.items[0], rows[i].why);
        CU_ASSERT(says("<mitigatedBy typeCode=\"MITGT\">"));
        CU_ASSERT(says("codeSystem=\"1.3.6.1.4.1.19376.1.2.27.3\""));
        CU_ASSERT(!says("<triggerFor "));
        CU_ASSERT_EQUAL(scene_event(green(), 0)->patients_n, 0);
        if (rows[i].code == ERR_POLICY_DENIED) {
            kit_restore_policy(green());
        }
        green()->node.store = green()->store;
        kit_close_green(&scene, arena);
    }
}

/* ---- the asker, when several come ---- */

/* Green lists two Adams; red guesses none of them, and asks for nobody's documents. */
static void
test_several_candidates_are_not_guessed(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ADAM);
    struct asking *asking = NULL;

    open_all(CONFIG_SEVERAL_LIST);
    scene_ask(scene_place(&scene, "red"), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 2);
    CU_ASSERT_PTR_NULL(kit_leg_of(asking, 1, "green"));
    asking_free(asking);
    kit_close_green(&scene, arena);
}

static const struct unit_test tests[] = {
    {"one or nobody", test_one_or_nobody},
    /* REQ: ITI55-answer-demographics */
    {"what is known goes with the match", test_what_is_known_goes_with_the_match},
    {"several are answered as configured", test_several_are_answered_as_configured},
    {"who is not close enough is not given", test_who_is_not_close_enough_is_not_given},
    {"what cannot be processed says why", test_what_cannot_be_processed_says_why},
    {"several candidates are not guessed", test_several_candidates_are_not_guessed},
};

UNIT_MAIN("scenario-discovery", tests)
