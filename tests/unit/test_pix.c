/*
 * ITI-45 PIX V3 Query: what is refused, the recorded exchange of other systems, the four result
 * cases written validly and read back.
 */
#include <stdio.h>

#include "base/clock.h"
#include "soap/pix.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

#define NOW_US       (INT64_C(1763807400) * US_PER_S) /* 2025-11-22T10:30:00Z */
#define P_ID         "<id root='2.999.1' extension='m1'/>"
#define P_QUERY_ID   "<queryId root='2.999.5' extension='q1'/>"
#define P_PATIENT(x) "<patientIdentifier>" x "</patientIdentifier>"
#define P_GOOD       P_PATIENT("<value root='2.999.3' extension='1'/>")
#define P_SOURCE(x)  "<dataSource><value root='" x "'/></dataSource>"
#define P_ACT(x)     "<controlActProcess><queryByParameter>" x "</queryByParameter></controlActProcess>"
#define P_LIST(x)    "<parameterList>" x "</parameterList>"
#define QUERY(x)     "<PRPA_IN201309UV02 xmlns='urn:hl7-org:v3'>" x "</PRPA_IN201309UV02>"
#define ASKED(x)     QUERY(P_ID P_ACT(P_QUERY_ID P_LIST(x)))

static void
test_questions_refused(void)
{
    static const char *const rows[] = {
        "<x/>",
        "<PRPA_IN201305UV02 xmlns='urn:hl7-org:v3'/>",
        QUERY(""),
        QUERY(P_ID),
        QUERY(P_ACT(P_QUERY_ID P_LIST(P_GOOD))),
        QUERY("<id nullFlavor='NI'/>" P_ACT(P_QUERY_ID P_LIST(P_GOOD))),
        QUERY(P_ID P_ID P_ACT(P_QUERY_ID P_LIST(P_GOOD))),
        QUERY(P_ID P_ACT(P_LIST(P_GOOD))),
        QUERY(P_ID P_ACT("<queryId extension='q'/>" P_LIST(P_GOOD))),
        QUERY(P_ID P_ACT(P_QUERY_ID)),
        QUERY(P_ID P_ACT(P_QUERY_ID P_LIST(P_GOOD)) P_ACT(P_QUERY_ID P_LIST(P_GOOD))),
        ASKED(""),
        ASKED(P_SOURCE("2.999.4")),
        ASKED(P_GOOD P_GOOD),
        ASKED(P_PATIENT("")),
        ASKED(P_PATIENT("<value root='2.999.3'/>")),
        ASKED(P_PATIENT("<value extension='1'/>")),
        ASKED(P_PATIENT("<value nullFlavor='UNK'/>")),
        ASKED(P_PATIENT("<value root='2.999.3' extension='1'/><value root='2.999.3' "
                        "extension='2'/>")),
        ASKED(P_SOURCE("hospital") P_GOOD),
        ASKED(P_SOURCE("") P_GOOD),
        ASKED("<dataSource><value nullFlavor='UNK'/></dataSource>" P_GOOD),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct pix_query query;
        diag_clear(&diag);
        CHECK_OK(&diag, support_message(span_of_cstr(rows[i]), arena, &diag, &message));
        if (!CHECK_ERR(&diag, ERR_MESSAGE_CONTENT, pix_query_read(message, arena, &diag, &query))) {
            printf("      %s\n", rows[i]);
        }
        arena_free(arena);
    }
}

static void
test_recorded(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct message *message = NULL;
    struct pix_query query;
    struct pix_answer answer;
    diag_clear(&diag);
    if (support_sample("ihe/samples/epr-by-example/ITI-45_request_raw.xml", arena, &message) &&
        CHECK_OK(&diag, pix_query_read(message, arena, &diag, &query))) {
        CHECK_SPAN(query.id.extension, "1694523036420");
        CHECK_SPAN(query.query_id.extension, "1694523036421");
        CHECK_SPAN(query.sender_device.root, "1.3.6.1.4.1.21367.2017.2.2.140");
        CHECK_SPAN(query.sender_home, "");
        CHECK_SPAN(query.patient.root, "1.3.6.1.4.1.21367.2017.2.5.103");
        CHECK_SPAN(query.patient.extension, "900010");
        CU_ASSERT_EQUAL_FATAL(query.sources.n, 2);
        CHECK_SPAN(query.sources.items[1].root, "2.16.756.5.30.1.127.3.10.3");
        CU_ASSERT_EQUAL(query.sources.items[1].element, 2);
        CU_ASSERT_EQUAL(query.sources.items[1].value, 1);
        if (support_sample("ihe/samples/epr-by-example/ITI-45_response_raw.xml", arena, &message) &&
            CHECK_OK(&diag, pix_answer_read(message, &query, arena, &diag, &answer))) {
            CU_ASSERT_EQUAL(answer.result, PIX_FOUND);
            CU_ASSERT_EQUAL_FATAL(answer.ids.n, 2);
            CHECK_SPAN(answer.ids.items[0].extension, "7f2e05e6-673e-44b6-8b76-e17ac58ea80f");
            CHECK_SPAN(answer.ids.items[1].root, "2.16.756.5.30.1.127.3.10.3");
            CU_ASSERT_EQUAL(answer.names.n, 0);
            query.query_id.extension = SPAN("another");
            CHECK_ERR(&diag, ERR_PARTNER_ANSWER,
                      pix_answer_read(message, &query, arena, &diag, &answer));
        }
    }
    arena_free(arena);
}

/* ---- our own ---- */

static struct hl7_domain domains[] = {{.root = {"2.999.4", 7}}, {.root = {"2.999.6", 7}}};
static struct ident ids[] = {
    {.root = {"2.999.4", 7}, .extension = {"<4>", 3}},
    {.root = {"2.999.3", 7}, .extension = {"1", 1}}, /* the one that is asked about */
    {.root = {"2.999.6", 7}, .extension = {"6", 1}},
};

static bool
ask(struct arena *arena, struct pix_query *ret_query)
{
    const struct pix_query query = {
        .id = {.root = SPAN("2.999.1"), .extension = SPAN("m1")},
        .query_id = {.root = SPAN("2.999.5"), .extension = SPAN("q1")},
        .sender_home = SPAN("2.999.1"),
        .receiver_home = SPAN("2.999.2"),
        .creation_us = NOW_US,
        .patient = {.root = SPAN("2.999.3"), .extension = SPAN("1")},
        .sources = {domains, 2, 2},
    };
    struct diag diag;
    struct buf out;
    struct span asked;
    struct message *message = NULL;
    diag_clear(&diag);
    buf_init(&out, 100000);
    const bool is_read =
        CHECK_OK(&diag, pix_query_write(&query, arena, &out, &diag, &asked)) &&
        support_read_written(HL7_SCHEMA("PRPA_IN201309UV02"), &out, arena, &message) &&
        CHECK_OK(&diag, pix_query_read(message, arena, &diag, ret_query));
    CU_ASSERT(!is_read || (span_find(buf_span(&out), asked) != SPAN_MISSING &&
                           ident_eq(&ret_query->patient, &query.patient) &&
                           ret_query->sources.n == 2 && ret_query->creation_us == NOW_US));
    buf_done(&out);
    return is_read;
}

static bool
answer_and_read(const struct pix_query *query, const struct pix_answer *answer, struct arena *arena,
                struct pix_answer *ret_got)
{
    struct diag diag;
    struct buf out;
    struct message *message = NULL;
    diag_clear(&diag);
    buf_init(&out, 100000);
    const bool is_read =
        CHECK_OK(&diag, pix_answer_write(query, answer, SPAN("2.999.2"), NOW_US, &out, &diag)) &&
        support_read_written(HL7_SCHEMA("PRPA_IN201310UV02"), &out, arena, &message) &&
        CHECK_OK(&diag, pix_answer_read(message, query, arena, &diag, ret_got));
    CU_ASSERT(span_find(buf_span(&out), query->query_xml) != SPAN_MISSING);
    buf_done(&out);
    return is_read;
}

#define PLACE                                                                                      \
    "/hl7:PRPA_IN201309UV02/hl7:controlActProcess/hl7:queryByParameter/hl7:parameterList/hl7:"

static void
test_cases(void)
{
    static struct hl7_detail internal = {.text = {"database down", 13}};
    static const struct {
        struct pix_answer answer;
        size_t ids, details;
        const char *code, *place; /* of the last detail */
    } rows[] = {
        {{.result = PIX_FOUND, .ids = {ids, 3, 3}}, 2, 0, "", ""},
        {{.result = PIX_NONE}, 0, 0, "", ""},
        {{.result = PIX_UNKNOWN_PATIENT}, 0, 1, "204", PLACE "patientIdentifier[1]/hl7:value[1]"},
        {{.result = PIX_UNKNOWN_SOURCE, .unknown = {1}, .unknown_n = 1},
         0,
         1,
         "204",
         PLACE "dataSource[2]/hl7:value[1]"},
        {{.result = PIX_UNKNOWN_SOURCE, .unknown = {0, 1}, .unknown_n = 2},
         0,
         2,
         "204",
         PLACE "dataSource[2]/hl7:value[1]"},
        {{.result = PIX_ERROR, .details = {&internal, 1, 1}}, 0, 1, "", ""},
        {{.result = PIX_ERROR}, 0, 0, "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct pix_query query;
        struct pix_answer got;
        if (ask(arena, &query) && answer_and_read(&query, &rows[i].answer, arena, &got)) {
            CU_ASSERT_EQUAL(got.result, rows[i].answer.result);
            CU_ASSERT_EQUAL(got.ids.n, rows[i].ids);
            CU_ASSERT_EQUAL_FATAL(got.details.n, rows[i].details);
            if (got.details.n > 0) {
                CHECK_SPAN(got.details.items[got.details.n - 1].code.value, rows[i].code);
                CHECK_SPAN(got.details.items[got.details.n - 1].location, rows[i].place);
            }
        }
        arena_free(arena);
    }
}

static void
test_not_written(void)
{
    static const struct pix_answer rows[] = {
        {.result = PIX_FOUND},
        {.result = PIX_FOUND, .ids = {ids + 1, 1, 1}},
        {.result = PIX_UNKNOWN_SOURCE},
        {.result = PIX_UNKNOWN_SOURCE, .unknown = {2}, .unknown_n = 1},
    };
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf out;
    struct span asked;
    struct pix_query query;
    buf_init(&out, 100000);
    if (ask(arena, &query)) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            diag_clear(&diag);
            CHECK_ERR(&diag, ERR_INTERNAL,
                      pix_answer_write(&query, &rows[i], SPAN("2.999.2"), NOW_US, &out, &diag));
        }
        query.patient.extension = SPAN_EMPTY;
        diag_clear(&diag);
        CHECK_ERR(&diag, ERR_MESSAGE_CONTENT, pix_query_write(&query, arena, &out, &diag, &asked));
    }
    buf_done(&out);
    arena_free(arena);
}

#define ANSWER(act)                                                                                \
    "<PRPA_IN201310UV02 xmlns='urn:hl7-org:v3'><id root='2.999.2'/><acknowledgement>"              \
    "<typeCode code='AA'/></acknowledgement><controlActProcess>" act                               \
    "</controlActProcess></PRPA_IN201310UV02>"
#define A_ACK "<queryAck><queryId root='2.999.5' extension='q1'/></queryAck>"
#define EVENT(patient)                                                                             \
    "<subject><registrationEvent><subject1><patient>" patient                                      \
    "</patient></subject1></registrationEvent></subject>"

/* What is asked about is not its own cross-reference, and each id counts once. */
static void
test_answers_of_others(void)
{
    static const struct {
        const char *xml;
        enum err want;
        enum pix_result result;
        size_t ids;
    } rows[] = {
        {"<x/>", ERR_PARTNER_ANSWER, PIX_NONE, 0},
        {ANSWER(""), ERR_PARTNER_ANSWER, PIX_NONE, 0},
        {ANSWER(EVENT("") EVENT("") A_ACK), ERR_PARTNER_ANSWER, PIX_NONE, 0},
        {ANSWER(A_ACK A_ACK), ERR_PARTNER_ANSWER, PIX_NONE, 0},
        {ANSWER(A_ACK), ERR_NONE, PIX_NONE, 0},
        {ANSWER(EVENT("<id nullFlavor='NA'/>") A_ACK), ERR_NONE, PIX_NONE, 0},
        {ANSWER(EVENT("<id root='2.999.3' extension='1'/>") A_ACK), ERR_NONE, PIX_NONE, 0},
        {ANSWER(EVENT("<id root='2.999.3' extension='1'/><id root='2.999.4' extension='4'/>"
                      "<patientPerson><name nullFlavor='NA'/><asOtherIDs>"
                      "<id root='2.999.4' extension='4'/><id root='2.999.4' extension='5'/>"
                      "</asOtherIDs></patientPerson>") A_ACK),
         ERR_NONE, PIX_FOUND, 2},
    };
    const struct pix_query query = {.query_id = {.root = SPAN("2.999.5"), .extension = SPAN("q1")},
                                    .patient = {.root = SPAN("2.999.3"), .extension = SPAN("1")}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct pix_answer answer;
        diag_clear(&diag);
        CHECK_OK(&diag, support_message(span_of_cstr(rows[i].xml), arena, &diag, &message));
        if (CHECK_ERR(&diag, rows[i].want,
                      pix_answer_read(message, &query, arena, &diag, &answer)) &&
            rows[i].want == ERR_NONE) {
            CU_ASSERT_EQUAL(answer.result, rows[i].result);
            CU_ASSERT_EQUAL(answer.ids.n, rows[i].ids);
        }
        arena_free(arena);
    }
}

static const struct unit_test tests[] = {
    {"questions that are refused", test_questions_refused},
    {"what is not written", test_not_written},
    {"answers of others", test_answers_of_others},
    /* REQ: ITI45-query */
    {"a recorded exchange", test_recorded},
    /* REQ: ITI45-answer, ITI45-unknown */
    {"the result cases", test_cases},
};
UNIT_MAIN("pix", tests)
