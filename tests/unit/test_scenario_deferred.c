/*
 * ITI-55 as its specification refuses it: the deferred mode where it is not offered, parameters
 * that are not part of the question, and transactions that nobody answers yet.
 */
#include <string.h>

#include "base/err_table.h"
#include "scene_kit.h"

static struct scene scene;       /* large; one at a time */
static struct scene_reply reply; /* large */

static struct xcpd_query
question(void)
{
    const struct asking_order who = scene_order(ASKING_DISCOVER, ISABELLA);

    return (struct xcpd_query){
        .id = {.root = SPAN("2.999.1.99"), .extension = SPAN("m1")},
        .query_id = {.root = SPAN("2.999.1.98"), .extension = SPAN("1")},
        .sender_home = SPAN("2.999.1"),
        .receiver_home = SPAN("2.999.2"),
        .creation_us = clock_wall_us(&scene.clock.clock),
        .subject = who.who,
    };
}

/* Sends <query> by the actions of <transaction>, with <from> in its text become <to>. */
static void
send(const struct xcpd_query *query, enum soap_transaction transaction, const char *from,
     const char *to)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct kit_request request = {.transaction = transaction};
    struct diag diag = {0};
    struct buf payload;
    struct span query_xml;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, xcpd_query_write(query, arena, &payload, &diag, &query_xml));
    request.payload = buf_span(&payload);
    if (from != NULL) {
        const size_t at = span_find(request.payload, span_of_cstr(from));

        CU_ASSERT_FATAL(at != SPAN_MISSING);
        CHECK_OK(&diag,
                 arena_printf(arena, &diag, &request.payload, "%.*s%s%.*s", (int)at, payload.p, to,
                              (int)(payload.n - at - strlen(from)), payload.p + at + strlen(from)));
    }
    kit_send(&scene, &request, &reply);
    buf_done(&payload);
    arena_free(arena);
}

/* Answered inside the protocol: it says these, is recorded as a failure, and names nobody. */
static void
check_refused(enum err cause, const char *const *texts, size_t n)
{
    const struct scene_event *const event = scene_event(scene_place(&scene, "green"), 0);

    CU_ASSERT_EQUAL(reply.http_status, 200);
    CU_ASSERT_EQUAL(reply.cause, cause);
    for (size_t i = 0; i < n; i++) {
        if (strstr(reply.text, texts[i]) == NULL) {
            CU_FAIL("a text is missing");
            printf("      %s\n%s\n", texts[i], reply.text);
        }
    }
    CU_ASSERT_PTR_NULL(strstr(reply.text, "registrationEvent"));
    CU_ASSERT_FATAL(event != NULL);
    CU_ASSERT_EQUAL(event->type, AUDIT_ITI_55);
    CU_ASSERT_NOT_EQUAL(event->outcome, AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(event->patients_n, 0);
    CU_ASSERT(event->query_n > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(event->reason, err_name(cause)));
}

static void
test_deferred_is_refused(void)
{
    static const char *const texts[] = {
        "<wsa:Action env:mustUnderstand=\"1\">urn:hl7-org:v3:MCCI_IN000002UV01</wsa:Action>",
        "<MCCI_IN000002UV01 ",
        "<typeCode code=\"AE\">",
        "<targetMessage><id root=\"2.999.1.99\" extension=\"m1\">",
        ("<acknowledgementDetail typeCode=\"E\"><code code=\"NS250\" "
         "codeSystem=\"2.16.840.1.113883.5.1100\" displayName=\"Unsupported processing mode\">"),
        "wsa:RelatesTo",
    };
    struct arena *const arena = kit_open_green(&scene);
    struct xcpd_query query = question();

    query.is_deferred = true;
    query.respond_to = SPAN("https://elsewhere.example/deferred");
    send(&query, SOAP_ITI_55_DEFERRED, NULL, NULL);
    check_refused(ERR_UNSUPPORTED_MODE, texts, ARRAY_LEN(texts));
    /* by whichever half it says so */
    query.is_deferred = false;
    send(&query, SOAP_ITI_55_DEFERRED, NULL, NULL);
    check_refused(ERR_UNSUPPORTED_MODE, texts, ARRAY_LEN(texts));
    kit_close_green(&scene, arena);
}

static void
test_deferred_for_another_reason(void)
{
    static const char *const texts[] = {"<MCCI_IN000002UV01 ", "<typeCode code=\"AE\">", "INTERR",
                                        "the homeCommunityId is not served here"};
    struct arena *const arena = kit_open_green(&scene);
    struct xcpd_query query = question();

    query.receiver_home = SPAN("2.999.77");
    send(&query, SOAP_ITI_55_DEFERRED, NULL, NULL);
    check_refused(ERR_UNKNOWN_COMMUNITY, texts, ARRAY_LEN(texts));
    /* whose question it is not is a matter of proof */
    query = question();
    query.sender_home = SPAN("2.999.77");
    send(&query, SOAP_ITI_55_DEFERRED, NULL, NULL);
    CU_ASSERT_EQUAL(reply.cause, ERR_PEER_BINDING);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, ERR_SECURITY_TEXT));
    /* nothing to relate an acknowledgement to */
    query = question();
    send(&query, SOAP_ITI_55_DEFERRED, "<queryId ", "<queryId nullFlavor=\"NI\" ");
    CU_ASSERT_EQUAL(reply.http_status, 500);
    kit_close_green(&scene, arena);
}

static void
test_priority_and_action_disagree(void)
{
    static const char *const texts[] = {"<PRPA_IN201306UV02 ", "<typeCode code=\"AE\">", "NS250",
                                        "<queryResponseCode code=\"AE\">", "AnswerNotAvailable"};
    struct arena *const arena = kit_open_green(&scene);
    struct xcpd_query query = question();

    query.is_deferred = true;
    query.respond_to = SPAN("https://elsewhere.example/deferred");
    send(&query, SOAP_ITI_55, NULL, NULL);
    check_refused(ERR_UNSUPPORTED_MODE, texts, ARRAY_LEN(texts));
    kit_close_green(&scene, arena);
}

static void
test_parameters_are_refused_inside(void)
{
    static const char *const texts[] = {"<PRPA_IN201306UV02 ", "<typeCode code=\"AE\">",
                                        "<queryResponseCode code=\"AE\">", "AnswerNotAvailable",
                                        "the message content is invalid"};
    static const struct {
        const char *from, *to;
    } rows[] = {
        {"<parameterList>", "<sortControl/><parameterList>"},
        {"</parameterList>", "<patientStatusCode/></parameterList>"},
        {"value=\"19470501\"", "value=\"May 1947\""},
        {"<livingSubjectBirthTime>", "<livingSubjectBirthTime/><livingSubjectBirthTime>"},
        {"<value><given>", "<value use=\"SRCH\"><given>"},
    };
    struct arena *const arena = kit_open_green(&scene);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct xcpd_query query = question();

        send(&query, SOAP_ITI_55, rows[i].from, rows[i].to);
        check_refused(ERR_MESSAGE_CONTENT, texts, ARRAY_LEN(texts));
    }
    kit_close_green(&scene, arena);
}

static void
test_answers_to_nothing(void)
{
    struct arena *const arena = kit_open_green(&scene);
    const struct kit_request request = {.transaction = SOAP_ITI_55_RESPONSE,
                                        .payload =
                                            SPAN("<PRPA_IN201306UV02 xmlns='urn:hl7-org:v3'/>")};

    kit_send(&scene, &request, &reply);
    CU_ASSERT_EQUAL(reply.cause, ERR_WSA_HEADER);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "InvalidAddressingHeader"));
    kit_close_green(&scene, arena);
}

/* Green's answer says so on the way, and red knows; what it says without sense, says nothing. */
static void
test_how_long_an_answer_may_be_kept(void)
{
    static const struct {
        const char *header;
        int64_t s;
    } rows[] = {
        {"</env:Header>", 0},
        {"<t:CorrelationTimeToLive xmlns:t=\"urn:ihe:iti:xcpd:2009\">soon"
         "</t:CorrelationTimeToLive></env:Header>",
         0},
        {"<t:CorrelationTimeToLive xmlns:t=\"urn:ihe:iti:xcpd:2009\">P0Y0M7D"
         "</t:CorrelationTimeToLive></env:Header>",
         INT64_C(7) * 86400},
    };
    struct arena *const arena = kit_open_green(&scene);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
        struct asking *asking = NULL;

        scene_ask(scene_place(&scene, "red"), &order, &asking);
        scene_deliver_forged(&scene, kit_question_to(&scene, "green"), "</env:Header>",
                             rows[i].header);
        scene_deliver_all(&scene, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        const struct leg *const leg = kit_leg_of(asking, 0, "green");
        CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
        CU_ASSERT_EQUAL(leg->result, XCPD_MATCH);
        CU_ASSERT_EQUAL(leg->kept_us, rows[i].s * US_PER_S);
        asking_free(asking);
    }
    kit_close_green(&scene, arena);
}

/* As green's configuration says, and never with a refusal. */
static void
test_how_long_our_answer_may_be_kept(void)
{
    const int64_t week_us = INT64_C(7) * 86400 * US_PER_S;
    struct arena *const arena = kit_open_green(&scene);
    const struct xcpd_query query = question();
    struct config *const config = (struct config *)scene_place(&scene, "green")->config;

    send(&query, SOAP_ITI_55, NULL, NULL);
    CU_ASSERT_PTR_NULL(strstr(reply.text, "CorrelationTimeToLive"));
    config->discovery.time_to_live_us = week_us;
    send(&query, SOAP_ITI_55, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, ">P7D</xcpd:CorrelationTimeToLive>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "registrationEvent"));
    send(&query, SOAP_ITI_55, "</parameterList>", "<patientStatusCode/></parameterList>");
    CU_ASSERT_EQUAL(reply.cause, ERR_MESSAGE_CONTENT);
    CU_ASSERT_PTR_NULL(strstr(reply.text, "CorrelationTimeToLive"));
    config->discovery.time_to_live_us = 0;
    kit_close_green(&scene, arena);
}

static const struct unit_test tests[] = {
    {"priority and action disagree", test_priority_and_action_disagree},
    /* REQ: ITI55-query-absent, ITI55-result-cases */
    {"parameters are refused inside the protocol", test_parameters_are_refused_inside},
    /* REQ: ITI55-time-to-live */
    {"how long an answer may be kept", test_how_long_an_answer_may_be_kept},
    /* REQ: ITI55-time-to-live */
    {"how long our answer may be kept", test_how_long_our_answer_may_be_kept},
    /* REQ: ITI55-deferred-refused */
    {"a deferred answer is refused", test_deferred_is_refused},
    {"a deferred question is refused for another reason", test_deferred_for_another_reason},
    {"an answer that relates to no question", test_answers_to_nothing},
};
UNIT_MAIN("scenario-deferred", tests)
