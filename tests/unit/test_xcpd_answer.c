/*
 * XCPD answers with everything that a person can say, written validly and read back; every code
 * of a detectedIssueEvent; what an acknowledgement adds; several communities in one answer.
 */
#include <stdio.h>

#include "base/clock.h"
#include "soap/xcpd.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

#define NOW_US (INT64_C(1763807400) * US_PER_S) /* 2025-11-22T10:30:00Z */
#define SSN    "2.16.840.1.113883.4.1"

static const struct xcpd_query question = {
    .id = {.root = {"2.999.1", 7}, .extension = {"m1", 2}},
    .query_id = {.root = {"2.999.1.5", 9}, .extension = {"q1", 2}},
    .sender_device = {.root = {"2.999.1.77", 10}, .extension = {"d", 1}},
    .sender_home = {"2.999.1", 7},
    .query_xml = {"<queryByParameter xmlns=\"urn:hl7-org:v3\"><queryId root=\"2.999.1.5\" "
                  "extension=\"q1\"/><statusCode code=\"new\"/><parameterList/></queryByParameter>",
                  0},
};

static struct span given[] = {{"Ann", 3}};
static struct person_name names[] = {
    {.family = {"Lee", 3}, .given = {given, 1, 1}, .use = {"L", 1}},
    {.family = {"May", 3}, .use = {"P", 1}},
};
static struct ident ids[] = {
    {.root = {"2.999.2.9", 9}, .extension = {"P1", 2}},
    {.root = {SSN, 21}, .extension = {"000000001", 9}},
    {.root = {"2.999.4", 7}, .extension = {"x", 1}},
};
static struct id_scope scopes[] = {
    {.id = 2, .organization = {"2.999.44", 8}, .class_code = {"EMP", 3}}};
static struct span places[] = {{"Springfield & Co", 16}};
static struct address addresses[] = {{.city = {"Springfield", 11}, .state = {"IL", 2}}};
static struct code races[] = {
    {.value = {"2106-3", 6}, .scheme = {"2.16.840.1.113883.6.238", 23}, .display = {"White", 5}},
    {.value = {"2054-5", 6}, .scheme = {"no oid", 6}},
};
static struct code ethnicities[] = {{.value = {"2186-5", 6}, .scheme = {"2.999", 5}}};
static struct code languages[] = {{.value = {"en-US", 5}}};

static struct patient
full_patient(void)
{
    return (struct patient){
        .ids = {ids, 3, 3},
        .names = {names, 1, 1},
        .birth_time = SPAN("194705010800+0000"),
        .sex = SPAN("UN"),
        .mothers_maiden_names = {names + 1, 1, 1},
        .birth_place_names = {places, 1, 1},
        .birth_place_addresses = {addresses, 1, 1},
        .scopes = {scopes, 1, 1},
        .deceased = PATIENT_YES,
        .deceased_time = SPAN("20240229"),
        .multiple_birth = PATIENT_YES,
        .birth_order = 2,
        .marital_status = {.value = SPAN("M"), .scheme = SPAN("2.16.840.1.113883.5.2")},
        .religion = {.value = SPAN("1013"), .scheme = SPAN("2.16.840.1.113883.5.1076")},
        .races = {races, 2, 2},
        .ethnicities = {ethnicities, 1, 1},
        .languages = {languages, 1, 1},
    };
}

/* Written, validated and read back. */
static bool
round_trip(const struct xcpd_answer *answer, struct arena *arena, struct xcpd_answer *ret_got)
{
    struct xcpd_query query = question;
    struct diag diag;
    struct buf out;
    struct message *message = NULL;
    query.query_xml = span_of_cstr(question.query_xml.p);
    diag_clear(&diag);
    buf_init(&out, 200000);
    const bool is_read =
        CHECK_OK(&diag, xcpd_answer_write(&query, answer, SPAN("2.999.2"), NOW_US, &out, &diag)) &&
        support_read_written(HL7_SCHEMA("PRPA_IN201306UV02"), &out, arena, &message) &&
        CHECK_OK(&diag, xcpd_answer_read(message, &query.query_id, arena, &diag, ret_got));
    if (is_read) {
        const xmlNode *receiver = xml_child(message_payload(message), "urn:hl7-org:v3", "receiver");
        const xmlNode *device = xml_child(receiver, "urn:hl7-org:v3", "device");
        CHECK_SPAN(xml_attr_text(xml_first(device), "root"), "2.999.1.77");
    }
    buf_done(&out);
    return is_read;
}

static void
check_person(const struct patient *got)
{
    CU_ASSERT_EQUAL_FATAL(got->ids.n, 3);
    CHECK_SPAN(got->ids.items[2].root, "2.999.4");
    CU_ASSERT_EQUAL_FATAL(got->scopes.n, 1);
    CU_ASSERT_EQUAL(got->scopes.items[0].id, 2);
    CHECK_SPAN(got->scopes.items[0].organization, "2.999.44");
    CHECK_SPAN(got->scopes.items[0].class_code, "EMP");
    CHECK_SPAN(got->birth_time, "194705010800+0000");
    CHECK_SPAN(got->sex, "UN");
    CU_ASSERT_EQUAL_FATAL(got->mothers_maiden_names.n, 1);
    CHECK_SPAN(got->mothers_maiden_names.items[0].family, "May");
    CU_ASSERT_EQUAL_FATAL(got->birth_place_names.n, 1);
    CHECK_SPAN(got->birth_place_names.items[0], "Springfield & Co");
    CU_ASSERT_EQUAL_FATAL(got->birth_place_addresses.n, 1);
    CHECK_SPAN(got->birth_place_addresses.items[0].state, "IL");
    CU_ASSERT_EQUAL(got->deceased, PATIENT_YES);
    CHECK_SPAN(got->deceased_time, "20240229");
    CU_ASSERT_EQUAL(got->multiple_birth, PATIENT_YES);
    CU_ASSERT_EQUAL(got->birth_order, 2);
}

static void
check_codes(const struct patient *got)
{
    CHECK_SPAN(got->marital_status.value, "M");
    CHECK_SPAN(got->marital_status.scheme, "2.16.840.1.113883.5.2");
    CHECK_SPAN(got->religion.value, "1013");
    CU_ASSERT_EQUAL_FATAL(got->races.n, 2);
    CHECK_SPAN(got->races.items[0].value, "2106-3");
    CHECK_SPAN(got->races.items[0].display, "White");
    CHECK_SPAN(got->races.items[1].value, "2054-5");
    CHECK_SPAN(got->races.items[1].scheme, ""); /* what is no OID is not written */
    CU_ASSERT_EQUAL_FATAL(got->ethnicities.n, 1);
    CHECK_SPAN(got->ethnicities.items[0].value, "2186-5");
    CU_ASSERT_EQUAL_FATAL(got->languages.n, 1);
    CHECK_SPAN(got->languages.items[0].value, "en-US");
}

static void
test_whole_person(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct xcpd_answer got;
    struct xcpd_match match = {.patient = full_patient(),
                               .degree = 93,
                               .is_health_data_locator = true,
                               .provider = {.root = SPAN("2.999.2.5"), .extension = SPAN("c")},
                               .provider_name = SPAN("Clinic <&> Co")};
    const struct xcpd_answer answer = {.result = XCPD_MATCH, .matches = {&match, 1, 1}};
    if (round_trip(&answer, arena, &got)) {
        CU_ASSERT_EQUAL_FATAL(got.matches.n, 1);
        const struct xcpd_match *read = &got.matches.items[0];
        CHECK_SPAN(read->home, "2.999.2");
        CU_ASSERT_EQUAL(read->own_ids, 1);
        CU_ASSERT_EQUAL(read->degree, 93);
        CU_ASSERT(read->is_health_data_locator);
        CHECK_SPAN(read->provider.root, "2.999.2.5");
        CHECK_SPAN(read->provider.extension, "c");
        CHECK_SPAN(read->provider_name, "Clinic <&> Co");
        check_person(&read->patient);
        check_codes(&read->patient);
    }
    arena_free(arena);
}

static void
test_several_communities(void)
{
    static const char *const homes[] = {"2.999.2", "2.999.33", "2.999.34"};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct xcpd_answer got;
    struct xcpd_match matches[3] = {
        {.patient = full_patient(), .degree = 100},
        {.patient = full_patient(), .degree = -1, .home = SPAN("2.999.33")},
        {.patient = {.ids = {ids, 1, 1}}, .degree = 0, .home = SPAN("2.999.34")},
    };
    const struct xcpd_answer answer = {.result = XCPD_MATCH, .matches = {matches, 3, 3}};
    if (round_trip(&answer, arena, &got)) {
        CU_ASSERT_EQUAL_FATAL(got.matches.n, 3);
        for (size_t i = 0; i < 3; i++) {
            CHECK_SPAN(got.matches.items[i].home, homes[i]);
            CU_ASSERT_EQUAL(got.matches.items[i].degree, matches[i].degree);
            CU_ASSERT_FALSE(got.matches.items[i].is_health_data_locator);
            CHECK_SPAN(got.matches.items[i].provider.root, homes[i]);
        }
        CU_ASSERT_EQUAL(got.matches.items[2].patient.deceased, PATIENT_UNSAID);
    }
    arena_free(arena);
}

static void
test_every_issue(void)
{
    static const struct {
        enum xcpd_result result;
        const char *code;
    } rows[] = {
        {XCPD_AMBIGUOUS, XCPD_ASK_SEX},
        {XCPD_AMBIGUOUS, XCPD_ASK_ADDRESS},
        {XCPD_AMBIGUOUS, XCPD_ASK_TELECOM},
        {XCPD_AMBIGUOUS, XCPD_ASK_BIRTH_PLACE_NAME},
        {XCPD_AMBIGUOUS, XCPD_ASK_BIRTH_PLACE_ADDRESS},
        {XCPD_AMBIGUOUS, XCPD_ASK_MAIDEN_NAME},
        {XCPD_ERROR, XCPD_WHY_BUSY},
        {XCPD_ERROR, XCPD_WHY_NOT_AVAILABLE},
        {XCPD_ERROR, XCPD_WHY_INTERNAL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct span code = span_of_cstr(rows[i].code);
        struct xcpd_answer got;
        const struct xcpd_answer answer = {.result = rows[i].result, .issues = {&code, 1, 1}};
        if (round_trip(&answer, arena, &got)) {
            CU_ASSERT_EQUAL(got.result, rows[i].result);
            CU_ASSERT_EQUAL_FATAL(got.issues.n, 1);
            CHECK_SPAN(got.issues.items[0], rows[i].code);
        }
        arena_free(arena);
    }
}

static void
test_details(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct hl7_detail detail = {.code = {.value = SPAN("204"), .display = SPAN("Unknown")},
                                .location = SPAN("/hl7:x[1]")};
    struct xcpd_answer got;
    const struct xcpd_answer answer = {
        .result = XCPD_ERROR, .error_text = SPAN("a <b>"), .details = {&detail, 1, 1}};
    if (round_trip(&answer, arena, &got)) {
        CHECK_SPAN(got.error_text, "a <b>");
        CU_ASSERT_EQUAL_FATAL(got.details.n, 2);
        CHECK_SPAN(got.details.items[1].code.value, "204");
        CHECK_SPAN(got.details.items[1].location, "/hl7:x[1]");
        CU_ASSERT_FALSE(got.quantities.is_known);
    }
    arena_free(arena);
}

static const struct unit_test tests[] = {
    /* REQ: ITI55-answer-demographics */
    {"everything that a person can say", test_whole_person},
    /* REQ: ITI55-answer-event, ITI55-answer-custodian */
    {"several communities", test_several_communities},
    /* REQ: ITI55-answer-issues */
    {"every code of an issue", test_every_issue},
    {"details of an acknowledgement", test_details},
};
UNIT_MAIN("xcpd_answer", tests)
