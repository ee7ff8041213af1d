/*
 * ITI-56 Patient Location Query: what is refused, the samples of another system, and that what is
 * written is valid by XCPD_PLQ.xsd and comes back.
 */
#include <stdio.h>

#include "soap/plq.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

#define PLQ_SCHEMA "ihe/schema/hl7v3/schema/IHE/XCPD_PLQ.xsd"
#define REQUEST(x)                                                                                 \
    "<PatientLocationQueryRequest xmlns='urn:ihe:iti:xcpd:2009'>" x "</"                           \
    "PatientLocationQueryRequest>"
#define RESPONSE(x)                                                                                \
    "<PatientLocationQueryResponse xmlns='urn:ihe:iti:xcpd:2009'>" x                               \
    "</PatientLocationQueryResponse>"
#define PATIENT     "<RequestedPatientId root='2.999.3' extension='1'/>"
#define LOCATION(x) "<PatientLocationResponse>" x "</PatientLocationResponse>"
#define HOME(x)     "<HomeCommunityId>" x "</HomeCommunityId>"
#define THERE       "<CorrespondingPatientId root='2.999.4' extension='2'/>"

static const struct ident asked = {.root = {"2.999.3", 7}, .extension = {"1", 1}};

static void
test_refused(void)
{
    static const char *const requests[] = {
        "<x/>",
        "<PatientLocationQueryRequest/>",
        RESPONSE(""),
        REQUEST(""),
        REQUEST(PATIENT PATIENT),
        REQUEST("<RequestedPatientId root='2.999.3'/>"),
        REQUEST("<RequestedPatientId extension='1'/>"),
        REQUEST("<RequestedPatientId nullFlavor='UNK' root='2.999.3' extension='1'/>"),
    };
    static const char *const responses[] = {
        "<x/>",
        REQUEST(PATIENT),
        RESPONSE(LOCATION("")),
        RESPONSE(LOCATION(THERE PATIENT)),
        RESPONSE(LOCATION(HOME("urn:oid:home") THERE PATIENT)),
        RESPONSE(LOCATION(HOME("") THERE PATIENT)),
        RESPONSE(LOCATION(HOME("2.999.2") HOME("2.999.2") THERE PATIENT)),
        RESPONSE(LOCATION(HOME("2.999.2") PATIENT)),
        RESPONSE(LOCATION(HOME("2.999.2") THERE)),
        RESPONSE(LOCATION(HOME("2.999.2") THERE "<RequestedPatientId root='2.999.3' "
                                                "extension='2'/>")),
        RESPONSE(LOCATION(HOME("2.999.2") THERE PATIENT) LOCATION("")),
    };
    for (size_t i = 0; i < ARRAY_LEN(requests) + ARRAY_LEN(responses); i++) {
        const bool is_request = i < ARRAY_LEN(requests);
        const char *const xml = is_request ? requests[i] : responses[i - ARRAY_LEN(requests)];
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct ident patient;
        struct plq_location_list locations = {.n = 77};
        diag_clear(&diag);
        CHECK_OK(&diag, support_message(span_of_cstr(xml), arena, &diag, &message));
        const enum err want = is_request ? ERR_MESSAGE_CONTENT : ERR_PARTNER_ANSWER;
        if (!CHECK_ERR(&diag, want,
                       is_request ? plq_query_read(message, arena, &diag, &patient)
                                  : plq_answer_read(message, &asked, arena, &diag, &locations))) {
            printf("      %s\n", xml);
        }
        CU_ASSERT_EQUAL(locations.n, 77);
        arena_free(arena);
    }
}

static void
test_samples(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct message *message = NULL;
    struct ident patient;
    struct plq_location_list locations;
    diag_clear(&diag);
    if (support_sample("ihe/samples/ipf/iti56__iti56-sample-request.xml", arena, &message) &&
        CHECK_OK(&diag, plq_query_read(message, arena, &diag, &patient))) {
        CHECK_SPAN(patient.root, "1.2.840.114350.1.13.99997.2.3412");
        CHECK_SPAN(patient.extension, "38273N237");
        if (support_sample("ihe/samples/ipf/iti56__iti56-sample-response.xml", arena, &message) &&
            CHECK_OK(&diag, plq_answer_read(message, &patient, arena, &diag, &locations))) {
            CU_ASSERT_EQUAL_FATAL(locations.n, 2);
            CHECK_SPAN(locations.items[0].home, "1.2.333495.30291");
            CHECK_SPAN(locations.items[0].patient.root, "1.2.840.114350.1.13.99997.12");
            CHECK_SPAN(locations.items[1].home, "1.555.324.1.2.3");
            CHECK_SPAN(locations.items[1].patient.extension, "7382931");
        }
    }
    arena_free(arena);
}

static void
test_round_trip(void)
{
    struct plq_location items[] = {
        {.home = SPAN("2.999.2"), .patient = {.root = SPAN("2.999.4"), .extension = SPAN("<2&>")}},
        {.home = SPAN("2.999.5"), .patient = {.root = SPAN("2.999.6"), .extension = SPAN("3")}},
    };
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf out;
    struct message *message = NULL;
    struct ident patient;
    diag_clear(&diag);
    buf_init(&out, 100000);
    CHECK_OK(&diag, plq_query_write(&asked, &out, &diag));
    support_check_schema(PLQ_SCHEMA, buf_span(&out));
    CHECK_OK(&diag, support_message(buf_span(&out), arena, &diag, &message));
    CHECK_OK(&diag, plq_query_read(message, arena, &diag, &patient));
    CU_ASSERT(ident_eq(&patient, &asked));
    for (size_t n = 0; n <= ARRAY_LEN(items); n++) {
        const struct plq_location_list locations = {items, n, n};
        struct plq_location_list got = {.n = 77};
        buf_reset(&out);
        CHECK_OK(&diag, plq_answer_write(&asked, &locations, &out, &diag));
        if (n > 0) { /* the schema has no empty response */
            support_check_schema(PLQ_SCHEMA, buf_span(&out));
        }
        CHECK_OK(&diag, support_message(buf_span(&out), arena, &diag, &message));
        CHECK_OK(&diag, plq_answer_read(message, &asked, arena, &diag, &got));
        CU_ASSERT_EQUAL_FATAL(got.n, n);
        for (size_t i = 0; i < n; i++) {
            CU_ASSERT(span_eq(got.items[i].home, items[i].home));
            CU_ASSERT(ident_eq(&got.items[i].patient, &items[i].patient));
        }
    }
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_MESSAGE_CONTENT,
              plq_query_write(&(struct ident){.root = SPAN("2.999")}, &out, &diag));
    buf_done(&out);
    arena_free(arena);
}

static const struct unit_test tests[] = {
    {"what is refused", test_refused},
    {"messages of another system", test_samples},
    /* REQ: ITI56-query, ITI56-answer */
    {"questions and answers come back", test_round_trip},
};
UNIT_MAIN("plq", tests)
