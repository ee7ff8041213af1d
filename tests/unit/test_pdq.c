/*
 * ITI-47 PDQ V3: where it differs from ITI-55: what is refused, recorded messages, domains that a
 * patient has no id in, parts of a result and their continuation.
 */
#include <stdio.h>

#include "base/clock.h"
#include "soap/pdq.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

#define NOW_US (INT64_C(1763807400) * US_PER_S) /* 2025-11-22T10:30:00Z */

#define ASKED(control, list)                                                                       \
    "<PRPA_IN201305UV02 xmlns='urn:hl7-org:v3'><id root='2.999.1'/><controlActProcess>"            \
    "<queryByParameter><queryId root='2.999.5'/>" control "<parameterList>" list                   \
    "</parameterList></queryByParameter></controlActProcess></PRPA_IN201305UV02>"
#define NAME(use) "<livingSubjectName><value" use "><family>Le</family></value></livingSubjectName>"
#define DOMAIN(x) "<otherIDsScopingOrganization>" x "</otherIDsScopingOrganization>"

static void
test_questions(void)
{
    static const struct {
        const char *xml;
        enum err want;
    } rows[] = {
        {ASKED("", ""), ERR_MESSAGE_CONTENT},
        {ASKED("", DOMAIN("<value root='2.999.3'/>")), ERR_MESSAGE_CONTENT},
        {ASKED("", NAME("") DOMAIN("<value root='hospital'/>")), ERR_MESSAGE_CONTENT},
        {ASKED("", NAME("") DOMAIN("<value nullFlavor='UNK'/>")), ERR_MESSAGE_CONTENT},
        {ASKED("<initialQuantity value='0'/>", NAME("")), ERR_MESSAGE_CONTENT},
        {ASKED("<initialQuantity value='-1'/>", NAME("")), ERR_MESSAGE_CONTENT},
        {ASKED("<initialQuantity value='many'/>", NAME("")), ERR_MESSAGE_CONTENT},
        {ASKED("", NAME("") "<patientStatusCode/>"), ERR_MESSAGE_CONTENT},
        {ASKED("", NAME("") "<livingSubjectDeceasedTime/>"), ERR_MESSAGE_CONTENT},
        {ASKED("<sortControl/>", NAME("")), ERR_MESSAGE_CONTENT},
        /* ITI-47 has no deferred mode */
        {ASKED("<responsePriorityCode code='D'/>", NAME("")), ERR_MESSAGE_CONTENT},
        {ASKED("", NAME("")), ERR_NONE},
        {ASKED("", NAME(" use='SRCH'")), ERR_NONE},
        {ASKED("<initialQuantity value='5'/>", NAME("") DOMAIN("<value root='2.999.3'/>")),
         ERR_NONE},
        {ASKED("", "<patientTelecom><value value='tel:1'/></patientTelecom>"), ERR_NONE},
        {ASKED("", "<livingSubjectBirthTime><value><low value='1970'/></value>"
                   "</livingSubjectBirthTime>"),
         ERR_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct xcpd_query query;
        diag_clear(&diag);
        CHECK_OK(&diag, support_message(span_of_cstr(rows[i].xml), arena, &diag, &message));
        if (!CHECK_ERR(&diag, rows[i].want, pdq_query_read(message, arena, &diag, &query))) {
            printf("      %s\n", rows[i].xml);
        }
        arena_free(arena);
    }
}

static void
test_sample_questions(void)
{
    static const struct {
        const char *file, *family, *birth, *id, *device, *last_domain;
        size_t domains;
        unsigned quantity, last_element;
    } rows[] = {
        {"ihe/samples/ipf/iti47__01_PDQQuery1.xml", "Jones", "19630804", "1234",
         "1.2.840.114350.1.13.999.567", "1.2.840.114350.1.13.99998.8734", 3, 2, 3},
        {"ihe/samples/ipf-hl7v3/iti47/01_PDQQuery1.xml", "Jones", "19630804", "1234",
         "1.2.840.114350.1.13.999.567", "1.2.840.114350.1.13.99998.8734", 3, 2, 3},
        {"ihe/samples/epr-by-example/ITI-47_request_raw.xml", "", "",
         "08242eb8-dd47-4298-8d2f-25d60114f137", "1.2.3.4", "2.16.756.5.30.1.127.3.10.3", 2, 0, 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct xcpd_query query;
        diag_clear(&diag);
        if (support_sample(rows[i].file, arena, &message) &&
            CHECK_OK(&diag, pdq_query_read(message, arena, &diag, &query))) {
            const struct patient *who = &query.subject;
            CHECK_SPAN(who->names.n > 0 ? who->names.items[0].family : SPAN_EMPTY, rows[i].family);
            CHECK_SPAN(who->birth_time, rows[i].birth);
            CU_ASSERT_EQUAL_FATAL(who->ids.n, 1);
            CHECK_SPAN(who->ids.items[0].extension, rows[i].id);
            CHECK_SPAN(query.sender_device.root, rows[i].device);
            CU_ASSERT_EQUAL(query.initial_quantity, rows[i].quantity);
            CU_ASSERT_EQUAL_FATAL(query.domains.n, rows[i].domains);
            CHECK_SPAN(query.domains.items[query.domains.n - 1].root, rows[i].last_domain);
            CU_ASSERT_EQUAL(query.domains.items[query.domains.n - 1].element, rows[i].last_element);
        }
        arena_free(arena);
    }
}

static void
test_sample_answers(void)
{
    static const struct {
        const char *file, *query_root, *query_extension;
        enum xcpd_result result;
        size_t matches, own_ids;
        bool has_total;
        unsigned total, current, remaining;
    } rows[] = {
        {"ihe/samples/ipf/iti47__02_PDQQuery1Response.xml", "1.2.840.114350.1.13.28.1.18.5.999",
         "18204", XCPD_MATCH, 7, 1, true, 5, 2, 3},
        {"ihe/samples/ipf-hl7v3/iti47/02_PDQQuery1Response.xml",
         "1.2.840.114350.1.13.28.1.18.5.999", "18204", XCPD_MATCH, 7, 1, true, 5, 2, 3},
        {"ihe/samples/ipf/iti47__03_PDQQueryEmptyResponse.xml", "1.2.840.114350.1.13.28.1.18.5.999",
         "18204", XCPD_NONE, 0, 0, true, 0, 0, 0},
        {"ihe/samples/epr-by-example/ITI-47_response_raw.xml", "1.2.840.114350.1.13.28.1.18.5.999",
         "16944356511831", XCPD_MATCH, 1, 2, true, 1, 1, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct xcpd_answer answer;
        const struct ident id = {.root = span_of_cstr(rows[i].query_root),
                                 .extension = span_of_cstr(rows[i].query_extension)};
        diag_clear(&diag);
        if (support_sample(rows[i].file, arena, &message) &&
            CHECK_OK(&diag, pdq_answer_read(message, &id, arena, &diag, &answer))) {
            CU_ASSERT_EQUAL(answer.result, rows[i].result);
            CU_ASSERT_EQUAL(answer.matches.n, rows[i].matches);
            CU_ASSERT_EQUAL(answer.matches.n > 0 ? answer.matches.items[0].own_ids : 0,
                            rows[i].own_ids);
            CU_ASSERT_EQUAL(answer.quantities.is_known, rows[i].has_total);
            CU_ASSERT_EQUAL(answer.quantities.total, rows[i].total);
            CU_ASSERT_EQUAL(answer.quantities.current, rows[i].current);
            CU_ASSERT_EQUAL(answer.quantities.remaining, rows[i].remaining);
        }
        arena_free(arena);
    }
}

/* ---- our own ---- */

static struct hl7_domain domains[] = {{.root = {"2.999.4", 7}}, {.root = {"2.999.6", 7}}};
static struct person_name names[] = {{.family = {"Le", 2}, .use = {"SRCH", 4}}};
static struct ident ids[] = {{.root = {"2.999.4", 7}, .extension = {"1", 1}},
                             {.root = {"2.999.4", 7}, .extension = {"2", 1}},
                             {.root = {"2.999.8", 7}, .extension = {"3", 1}}};
static struct span missing[] = {{"2.999.6", 7}};

static bool
ask(struct arena *arena, struct xcpd_query *ret_query)
{
    const struct xcpd_query query = {
        .id = {.root = SPAN("2.999.1"), .extension = SPAN("m1")},
        .query_id = {.root = SPAN("2.999.5"), .extension = SPAN("q1")},
        .sender_device = {.root = SPAN("2.999.77")},
        .creation_us = NOW_US,
        .subject = {.names = {names, 1, 1}},
        .domains = {domains, 2, 2},
        .initial_quantity = 3,
    };
    struct diag diag;
    struct buf out;
    struct span asked;
    struct message *message = NULL;
    diag_clear(&diag);
    buf_init(&out, 100000);
    const bool is_read =
        CHECK_OK(&diag, pdq_query_write(&query, arena, &out, &diag, &asked)) &&
        support_read_written(HL7_SCHEMA("PRPA_IN201305UV02"), &out, arena, &message) &&
        CHECK_OK(&diag, pdq_query_read(message, arena, &diag, ret_query));
    buf_done(&out);
    return is_read;
}

static bool
answer_and_read(const struct xcpd_query *query, const struct xcpd_answer *answer,
                struct arena *arena, struct xcpd_answer *ret_got)
{
    struct diag diag;
    struct buf out;
    struct message *message = NULL;
    diag_clear(&diag);
    buf_init(&out, 100000);
    const bool is_read =
        CHECK_OK(&diag, pdq_answer_write(query, answer, SPAN("2.999.2"), NOW_US, &out, &diag)) &&
        support_read_written(HL7_SCHEMA("PRPA_IN201306UV02"), &out, arena, &message) &&
        CHECK_OK(&diag, pdq_answer_read(message, &query->query_id, arena, &diag, ret_got));
    buf_done(&out);
    return is_read;
}

static void
test_round_trip(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct xcpd_query query;
    struct xcpd_answer got;
    struct xcpd_match match = {.patient = {.ids = {ids, 3, 3}},
                               .degree = 80,
                               .own_ids = 2,
                               .missing_domains = {missing, 1, 1}};
    const struct xcpd_answer answer = {
        .result = XCPD_MATCH,
        .matches = {&match, 1, 1},
        .quantities = {.is_known = true, .total = 9, .current = 1, .remaining = 8}};
    if (ask(arena, &query) && answer_and_read(&query, &answer, arena, &got)) {
        CHECK_SPAN(query.subject.names.items[0].use, "SRCH");
        CU_ASSERT_EQUAL(query.initial_quantity, 3);
        CU_ASSERT_EQUAL(query.domains.n, 2);
        CU_ASSERT_EQUAL_FATAL(got.matches.n, 1);
        CU_ASSERT_EQUAL(got.matches.items[0].own_ids, 2);
        CU_ASSERT_EQUAL(got.matches.items[0].patient.ids.n, 3);
        CU_ASSERT_EQUAL_FATAL(got.matches.items[0].missing_domains.n, 1);
        CHECK_SPAN(got.matches.items[0].missing_domains.items[0], "2.999.6");
        CU_ASSERT(got.quantities.is_known);
        CU_ASSERT_EQUAL(got.quantities.total, 9);
        CU_ASSERT_EQUAL(got.quantities.current, 1);
        CU_ASSERT_EQUAL(got.quantities.remaining, 8);
    }
    arena_free(arena);
}

static void
test_unknown_domain(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct xcpd_query query;
    struct xcpd_answer got;
    struct xcpd_answer answer = {.result = XCPD_ERROR};
    struct hl7_detail detail;
    diag_clear(&diag);
    if (ask(arena, &query) &&
        CHECK_OK(&diag, pdq_unknown_domain(&query.domains.items[1], arena, &diag, &detail))) {
        answer.details = (struct hl7_detail_list){&detail, 1, 1};
        if (answer_and_read(&query, &answer, arena, &got)) {
            CU_ASSERT_EQUAL(got.result, XCPD_ERROR);
            CU_ASSERT_EQUAL_FATAL(got.details.n, 1);
            CHECK_SPAN(got.details.items[0].code.value, "204");
            CHECK_SPAN(got.details.items[0].location,
                       "/hl7:PRPA_IN201305UV02/hl7:controlActProcess/hl7:queryByParameter/"
                       "hl7:parameterList/hl7:otherIDsScopingOrganization[2]/hl7:value[1]");
        }
        struct buf out;
        buf_init(&out, 100000);
        answer.result = XCPD_AMBIGUOUS;
        CHECK_ERR(&diag, ERR_INTERNAL,
                  pdq_answer_write(&query, &answer, SPAN("2.999.2"), NOW_US, &out, &diag));
        buf_done(&out);
    }
    arena_free(arena);
}

/* ---- continuation ---- */

#define CONTINUE(element, x)                                                                       \
    "<" element " xmlns='urn:hl7-org:v3'><id root='2.999.1'/><controlActProcess>" x                \
    "</controlActProcess></" element ">"
#define MORE(x) CONTINUE("QUQI_IN000003UV01", "<queryContinuation>" x "</queryContinuation>")
#define CANCEL(x)                                                                                  \
    CONTINUE("QUQI_IN000003UV01_Cancel", "<queryContinuation>" x "</queryContinuation>")
#define C_ID   "<queryId root='2.999.5' extension='q1'/>"
#define C_WAIT "<statusCode code='waitContinuedQueryResponse'/>"

static void
test_continuations_refused(void)
{
    static const char *const rows[] = {
        "<x/>",
        CONTINUE("QUQI_IN000003UV01_Continue", ""),
        CONTINUE("QUQI_IN000003UV01", ""),
        MORE(""),
        MORE(C_WAIT),
        MORE(C_ID),
        MORE(C_ID C_ID C_WAIT),
        MORE("<queryId nullFlavor='NI'/>" C_WAIT),
        MORE(C_ID "<statusCode code='aborted'/>"),
        CANCEL(C_ID C_WAIT),
        MORE(C_ID C_WAIT "<continuationQuantity value='0'/>"),
        MORE(C_ID C_WAIT "<startResultNumber value='x'/>"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct pdq_continuation continuation;
        diag_clear(&diag);
        CHECK_OK(&diag, support_message(span_of_cstr(rows[i]), arena, &diag, &message));
        if (!CHECK_ERR(&diag, ERR_MESSAGE_CONTENT,
                       pdq_continuation_read(message, arena, &diag, &continuation))) {
            printf("      %s\n", rows[i]);
        }
        arena_free(arena);
    }
}

static void
test_continuations(void)
{
    for (int i = 0; i < 2; i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct buf out;
        struct message *message = NULL;
        struct pdq_continuation got;
        const struct pdq_continuation sent = {
            .id = {.root = SPAN("2.999.1"), .extension = SPAN("m2")},
            .query_id = {.root = SPAN("2.999.5"), .extension = SPAN("q1")},
            .sender_home = SPAN("2.999.1"),
            .receiver_home = SPAN("2.999.2"),
            .creation_us = NOW_US,
            .is_cancel = i == 1,
            .start = i == 1 ? 0 : 4,
            .quantity = i == 1 ? 0 : 10,
        };
        diag_clear(&diag);
        buf_init(&out, 100000);
        CHECK_OK(&diag, pdq_continuation_write(&sent, &out, &diag));
        support_check_schema(HL7_SCHEMA("QUQI_IN000003UV01"), buf_span(&out));
        CHECK_OK(&diag, support_message(buf_span(&out), arena, &diag, &message));
        if (CHECK_OK(&diag, pdq_continuation_read(message, arena, &diag, &got))) {
            CU_ASSERT(ident_eq(&got.query_id, &sent.query_id));
            CU_ASSERT(ident_eq(&got.id, &sent.id));
            CHECK_SPAN(got.sender_home, "2.999.1");
            CU_ASSERT_EQUAL(got.is_cancel, sent.is_cancel);
            CU_ASSERT_EQUAL(got.start, sent.start);
            CU_ASSERT_EQUAL(got.quantity, sent.quantity);
        }
        buf_done(&out);
        arena_free(arena);
    }
}

static const struct unit_test tests[] = {
    {"questions", test_questions},
    {"continuations that are refused", test_continuations_refused},
    /* REQ: ITI47-query */
    {"questions of other systems", test_sample_questions},
    /* REQ: ITI47-answer */
    {"answers of other systems", test_sample_answers},
    /* REQ: ITI47-query, ITI47-answer */
    {"a question and an answer come back", test_round_trip},
    /* REQ: ITI47-unknown-domain */
    {"a domain that nobody knows", test_unknown_domain},
    /* REQ: ITI47-continuation */
    {"continuations come back", test_continuations},
};
UNIT_MAIN("pdq", tests)
