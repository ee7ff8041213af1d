/*
 * The parameters of an XCPD question: each one written validly and read back, ranges of birth
 * times, names as alternatives, who may be asked back, the deferred mode, and the header that says
 * how long an answer may be kept.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "soap/envelope.h"
#include "soap/xcpd.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

#define NOW_US (INT64_C(1763807400) * US_PER_S) /* 2025-11-22T10:30:00Z */

/* ---- birth times as others write them ---- */

#define ASKED(birth, rest)                                                                         \
    "<PRPA_IN201305UV02 xmlns='urn:hl7-org:v3'><id root='2.999.1'/><controlActProcess>"            \
    "<queryByParameter><queryId root='2.999.5'/><parameterList><livingSubjectBirthTime>" birth     \
    "</livingSubjectBirthTime><livingSubjectName><value><given>Ann</given><family>Lee</family>"    \
    "</value></livingSubjectName>" rest "</parameterList></queryByParameter></controlActProcess>"  \
    "</PRPA_IN201305UV02>"

static bool
read_question(const char *xml, struct arena *arena, struct xcpd_query *ret_query)
{
    struct diag diag;
    struct message *message = NULL;
    diag_clear(&diag);
    return CHECK_OK(&diag, support_message(span_of_cstr(xml), arena, &diag, &message)) &&
           CHECK_OK(&diag, xcpd_query_read(message, arena, &diag, ret_query));
}

static void
test_birth_times(void)
{
    static const struct {
        const char *xml, *time, *low, *high;
        bool is_low_excluded, is_high_excluded;
    } rows[] = {
        {ASKED("<value value='19700102'/>", ""), "19700102", "", "", false, false},
        {ASKED("<value value='1970'/>", ""), "1970", "", "", false, false},
        {ASKED("<value value='19700102'><low value='1960'/></value>", ""), "19700102", "", "",
         false, false},
        {ASKED("<value><center value='19700102'/></value>", ""), "19700102", "", "", false, false},
        {ASKED("<value><low value='19700102'/><high value='19700102'/></value>", ""), "19700102",
         "", "", false, false},
        {ASKED("<value><low value='197001020800'/><high value='197001022200'/></value>", ""),
         "19700102", "", "", false, false},
        {ASKED("<value><low value='19700102'/><high value='19700102' inclusive='false'/></value>",
               ""),
         "", "19700102", "19700102", false, true},
        {ASKED("<value><low value='19690101'/><high value='19701231'/></value>", ""), "",
         "19690101", "19701231", false, false},
        {ASKED("<value><low value='1969' inclusive='false'/></value>", ""), "", "1969", "", true,
         false},
        {ASKED("<value><low nullFlavor='NI'/><high value='1970'/></value>", ""), "", "", "1970",
         false, false},
        {ASKED("<value><low value='19700601'/><high value='1970'/></value>", ""), "", "19700601",
         "1970", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct xcpd_query query;
        if (read_question(rows[i].xml, arena, &query)) {
            const struct time_range *range = &query.subject.birth_range;
            CHECK_SPAN(query.subject.birth_time, rows[i].time);
            CHECK_SPAN(range->low, rows[i].low);
            CHECK_SPAN(range->high, rows[i].high);
            CU_ASSERT_EQUAL(range->is_low_excluded, rows[i].is_low_excluded);
            CU_ASSERT_EQUAL(range->is_high_excluded, rows[i].is_high_excluded);
        }
        arena_free(arena);
    }
}

/* What may be said several times, inside one parameter or in several. */
static void
test_alternatives(void)
{
    static const char xml[] = ASKED(
        "<value value='19700102'/>",
        "<livingSubjectName><value use='A'><given>Annie</given><family>Li</family></value>"
        "<value nullFlavor='UNK'/></livingSubjectName>"
        "<mothersMaidenName><value><family>May</family></value></mothersMaidenName>"
        "<mothersMaidenName><value><family>Mae</family></value></mothersMaidenName>"
        "<livingSubjectBirthPlaceName><value>Springfield</value></livingSubjectBirthPlaceName>"
        "<livingSubjectBirthPlaceAddress><value><city>Springfield</city></value>"
        "</livingSubjectBirthPlaceAddress>"
        "<livingSubjectId><value root='2.999.3' extension='1'/><value nullFlavor='NA'/>"
        "</livingSubjectId><livingSubjectId><value root='2.999.4' extension='2'/>"
        "</livingSubjectId>"
        "<principalCareProviderId><value root='2.16.840.1.113883.4.6' "
        "extension='1234567893'/></principalCareProviderId>"
        "<patientTelecom><value value='tel:1'/><value value='tel:2'/></patientTelecom>"
        "<patientAddress><value><city>A</city></value><value><city>B</city></value>"
        "</patientAddress>"
        "<livingSubjectAdministrativeGender><value nullFlavor='UNK'/>"
        "</livingSubjectAdministrativeGender>");
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct xcpd_query query;
    if (read_question(xml, arena, &query)) {
        const struct patient *who = &query.subject;
        CU_ASSERT_EQUAL_FATAL(who->names.n, 2);
        CHECK_SPAN(who->names.items[1].family, "Li");
        CHECK_SPAN(who->names.items[1].use, "A");
        CU_ASSERT_EQUAL_FATAL(who->mothers_maiden_names.n, 2);
        CHECK_SPAN(who->mothers_maiden_names.items[1].family, "Mae");
        CU_ASSERT_EQUAL_FATAL(who->birth_place_names.n, 1);
        CHECK_SPAN(who->birth_place_names.items[0], "Springfield");
        CU_ASSERT_EQUAL_FATAL(who->birth_place_addresses.n, 1);
        CHECK_SPAN(who->birth_place_addresses.items[0].city, "Springfield");
        CU_ASSERT_EQUAL(who->ids.n, 2);
        CU_ASSERT_EQUAL_FATAL(who->care_providers.n, 1);
        CHECK_SPAN(who->care_providers.items[0].extension, "1234567893");
        CU_ASSERT_EQUAL(who->telecoms.n, 2);
        CU_ASSERT_EQUAL(who->addresses.n, 2);
        CHECK_SPAN(who->sex, "");
        CU_ASSERT_FALSE(query.is_deferred);
        CU_ASSERT_EQUAL(query.minimum_degree, 0);
    }
    arena_free(arena);
}

/* ---- everything that we can ask ---- */

static struct span given[] = {{"Ann", 3}};
static struct person_name names[] = {
    {.family = {"Lee", 3}, .given = {given, 1, 1}, .use = {"L", 1}},
    {.family = {"Li", 2}, .given = {given, 1, 1}, .use = {"A", 1}},
};
static struct ident ids[] = {{.root = {"2.999.3", 7}, .extension = {"1", 1}},
                             {.root = {"2.999.4", 7}, .extension = {"2", 1}}};
static struct ident providers[] = {
    {.root = {"2.16.840.1.113883.4.6", 21}, .extension = {"1234567893", 10}}};
static struct span places[] = {{"Springfield & Co", 16}};
static struct address addresses[] = {{.city = {"Springfield", 11}, .state = {"IL", 2}}};
static struct telecom telecoms[] = {{.value = {"tel:+1-555-0100", 15}}};
static struct span authorities[] = {{"2.999.4", 7}};

static struct xcpd_query
full_question(void)
{
    return (struct xcpd_query){
        .id = {.root = SPAN("2.999.1"), .extension = SPAN("m1")},
        .query_id = {.root = SPAN("2.999.1.5"), .extension = SPAN("q1")},
        .sender_device = {.root = SPAN("2.999.1.77")},
        .sender_home = SPAN("2.999.1"),
        .receiver_home = SPAN("2.999.2"),
        .creation_us = NOW_US,
        .subject =
            {
                .ids = {ids, 2, 2},
                .names = {names, 2, 2},
                .sex = SPAN("F"),
                .birth_range = {.low = SPAN("19690101"),
                                .high = SPAN("1971"),
                                .is_high_excluded = true},
                .addresses = {addresses, 1, 1},
                .telecoms = {telecoms, 1, 1},
                .mothers_maiden_names = {names, 2, 2},
                .birth_place_names = {places, 1, 1},
                .birth_place_addresses = {addresses, 1, 1},
                .care_providers = {providers, 1, 1},
            },
        .reverse_authorities = {authorities, 1, 1},
        .minimum_degree = 75,
        .match_algorithm = SPAN("exact <first>"),
    };
}

/* Written, validated and read back. */
static bool
round_trip(const struct xcpd_query *query, struct arena *arena, struct xcpd_query *ret_got)
{
    struct diag diag;
    struct buf out;
    struct span asked;
    struct message *message = NULL;
    diag_clear(&diag);
    buf_init(&out, 100000);
    const bool is_read =
        CHECK_OK(&diag, xcpd_query_write(query, arena, &out, &diag, &asked)) &&
        support_read_written(HL7_SCHEMA("PRPA_IN201305UV02"), &out, arena, &message) &&
        CHECK_OK(&diag, xcpd_query_read(message, arena, &diag, ret_got));
    buf_done(&out);
    return is_read;
}

static void
check_everything_comes_back(bool is_prefixed)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct xcpd_query query = full_question();
    struct xcpd_query got;
    query.is_prefixed = is_prefixed;
    if (round_trip(&query, arena, &got)) {
        const struct patient *who = &got.subject;
        CU_ASSERT(ident_eq(&got.sender_device, &query.sender_device));
        CHECK_SPAN(got.sender_home, "2.999.1");
        CHECK_SPAN(who->sex, "F");
        CU_ASSERT_EQUAL_FATAL(who->ids.n, 2);
        CU_ASSERT(ident_eq(&who->ids.items[0], &ids[0]) && ident_eq(&who->ids.items[1], &ids[1]));
        CU_ASSERT_EQUAL_FATAL(who->addresses.n, 1);
        CHECK_SPAN(who->addresses.items[0].state, "IL");
        CU_ASSERT_EQUAL_FATAL(who->telecoms.n, 1);
        CHECK_SPAN(who->telecoms.items[0].value, "tel:+1-555-0100");
        CU_ASSERT_EQUAL_FATAL(who->names.n, 2);
        CHECK_SPAN(who->names.items[1].use, "A");
        CHECK_SPAN(who->birth_time, "");
        CHECK_SPAN(who->birth_range.low, "19690101");
        CHECK_SPAN(who->birth_range.high, "1971");
        CU_ASSERT(who->birth_range.is_high_excluded && !who->birth_range.is_low_excluded);
        CU_ASSERT_EQUAL(who->mothers_maiden_names.n, 2);
        CU_ASSERT_EQUAL_FATAL(who->birth_place_names.n, 1);
        CHECK_SPAN(who->birth_place_names.items[0], "Springfield & Co");
        CU_ASSERT_EQUAL_FATAL(who->birth_place_addresses.n, 1);
        CHECK_SPAN(who->birth_place_addresses.items[0].state, "IL");
        CU_ASSERT_EQUAL_FATAL(who->care_providers.n, 1);
        CU_ASSERT(ident_eq(&who->care_providers.items[0], &providers[0]));
        CU_ASSERT_EQUAL(got.minimum_degree, 75);
        CHECK_SPAN(got.match_algorithm, "exact <first>");
        CU_ASSERT_PTR_NOT_NULL_FATAL(xcpd_query_reverse_id(&got));
        CU_ASSERT(ident_eq(xcpd_query_reverse_id(&got), &ids[1]));
        got.reverse_authorities.n = 0;
        CU_ASSERT_PTR_NULL(xcpd_query_reverse_id(&got));
    }
    arena_free(arena);
}

/* Both forms are the same message. */
static void
test_everything_comes_back(void)
{
    check_everything_comes_back(false);
    check_everything_comes_back(true);
}

static void
test_deferred(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf out;
    struct span asked;
    struct xcpd_query got;
    struct xcpd_query query = full_question();
    diag_clear(&diag);
    buf_init(&out, 100000);
    query.is_deferred = true;
    CHECK_ERR(&diag, ERR_MESSAGE_CONTENT, xcpd_query_write(&query, arena, &out, &diag, &asked));
    buf_done(&out);
    query.respond_to = SPAN("https://a.example/deferred?x=1&y=2");
    if (round_trip(&query, arena, &got)) {
        CU_ASSERT(got.is_deferred);
        CHECK_SPAN(got.respond_to, "https://a.example/deferred?x=1&y=2");
        diag_clear(&diag);
        CHECK_OK(&diag, xcpd_query_check_mode(&got, SOAP_ITI_55_DEFERRED, &diag));
        CHECK_ERR(&diag, ERR_UNSUPPORTED_MODE, xcpd_query_check_mode(&got, SOAP_ITI_55, &diag));
        got.is_deferred = false;
        diag_clear(&diag);
        CHECK_ERR(&diag, ERR_UNSUPPORTED_MODE,
                  xcpd_query_check_mode(&got, SOAP_ITI_55_DEFERRED, &diag));
    }
    arena_free(arena);
}

/* A frame is enough to answer with; what is wrong with the parameters leaves it as it was. */
static void
test_frame_first(void)
{
    static const char xml[] =
        "<PRPA_IN201305UV02 xmlns='urn:hl7-org:v3'><id root='2.999.1' extension='m'/>"
        "<controlActProcess><queryByParameter><queryId root='2.999.5'/><parameterList>"
        "<patientStatusCode/></parameterList></queryByParameter></controlActProcess>"
        "</PRPA_IN201305UV02>";
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct message *message = NULL;
    struct xcpd_query query;
    diag_clear(&diag);
    CHECK_OK(&diag, support_message(SPAN(xml), arena, &diag, &message));
    if (CHECK_OK(&diag, xcpd_query_frame(message, arena, &diag, &query))) {
        const struct xcpd_query before = query;
        CHECK_SPAN(query.id.extension, "m");
        CU_ASSERT(span_find(query.query_xml, SPAN("patientStatusCode")) != SPAN_MISSING);
        CHECK_ERR(&diag, ERR_MESSAGE_CONTENT, xcpd_query_parameters(message, arena, &diag, &query));
        CU_ASSERT_EQUAL(memcmp(&query, &before, sizeof(query)), 0);
    }
    arena_free(arena);
}

/* ---- CorrelationTimeToLive ---- */

static void
test_durations(void)
{
    static const struct {
        const char *text;
        int64_t s; /* -1: refused */
    } rows[] = {
        {"", -1},
        {"P", -1},
        {"PT", -1},
        {"P1", -1},
        {"1D", -1},
        {"P1DT", -1},
        {"-P1D", -1},
        {"P-1D", -1},
        {"P1H", -1},
        {"PT1D", -1},
        {"P1D1Y", -1},
        {"P1D1D", -1},
        {"P1.5D", -1},
        {"PT1.S", -1},
        {"PT.5S", -1},
        {"P101Y", -1},
        {"P99999999999999999999D", -1},
        {"P36501D", -1},
        {"P100YT1S", -1},
        {"P0Y0M7D", 7 * 86400},
        {"P7D", 7 * 86400},
        {"P1M", 28 * 86400},
        {"P1Y", 365 * 86400},
        {"P1DT1H1M1.9S", 86400 + 3600 + 60 + 1},
        {"PT90M", 5400},
        {"P0D", 0},
        {"P100Y", INT64_C(36500) * 86400},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t us = -1;
        const bool is_read = xcpd_duration_read(span_of_cstr(rows[i].text), &us);
        if (is_read != (rows[i].s >= 0) || us != (is_read ? rows[i].s * US_PER_S : -1)) {
            CU_FAIL("a duration is read as something else");
            printf("      '%s': %lld us\n", rows[i].text, (long long)us);
        }
        if (is_read) {
            char text[XCPD_DURATION_MAX];
            int64_t again = -1;
            xcpd_duration_write(us, text);
            CU_ASSERT(xcpd_duration_read(span_of_cstr(text), &again));
            CU_ASSERT_EQUAL(again, us);
        }
    }
}

#define PAYLOAD "<PRPA_IN201305UV02 xmlns='urn:hl7-org:v3'/>"
#define TTL(x)                                                                                     \
    "<t:CorrelationTimeToLive xmlns:t='urn:ihe:iti:xcpd:2009'>" x "</t:CorrelationTimeToLive>"
#define ENVELOPE(header, payload)                                                                  \
    "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Header>" header              \
    "</e:Header><e:Body>" payload "</e:Body></e:Envelope>"

static void
test_time_to_live(void)
{
    static const struct {
        const char *xml;
        int64_t s; /* -1: none */
    } rows[] = {
        {ENVELOPE("", PAYLOAD), -1},
        {ENVELOPE(TTL("soon"), PAYLOAD), -1},
        {ENVELOPE(TTL("P0D"), PAYLOAD), -1},
        {ENVELOPE(TTL("<x/>"), PAYLOAD), -1},
        {ENVELOPE(TTL("P1D") TTL("P7D"), PAYLOAD), -1},
        {ENVELOPE("<CorrelationTimeToLive xmlns='urn:x'>P1D</CorrelationTimeToLive>", PAYLOAD), -1},
        {ENVELOPE(TTL(" P0Y0M7D\n"), PAYLOAD), 7 * 86400},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        int64_t us = -1;
        diag_clear(&diag);
        if (CHECK_OK(&diag, support_envelope(span_of_cstr(rows[i].xml), arena, &diag, &message))) {
            CU_ASSERT_EQUAL(xcpd_time_to_live(message, &us), rows[i].s >= 0);
            CU_ASSERT_EQUAL(us, rows[i].s >= 0 ? rows[i].s * US_PER_S : -1);
        }
        arena_free(arena);
    }
}

/* As we write it, both ways. */
static void
test_time_to_live_written(void)
{
    const struct envelope_request request = {.action = SPAN("urn:a"),
                                             .message_id = SPAN("urn:uuid:1"),
                                             .payload = SPAN(PAYLOAD),
                                             .time_to_live_us = INT64_C(90) * US_PER_S};
    const struct envelope_answer answer = {.action = SPAN("urn:a"),
                                           .payload = SPAN(PAYLOAD),
                                           .time_to_live_us = INT64_C(86400) * US_PER_S};
    for (int i = 0; i < 2; i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct buf out;
        struct message *message = NULL;
        int64_t us = 0;
        diag_clear(&diag);
        buf_init(&out, 100000);
        CHECK_OK(&diag, i == 0 ? envelope_write_request(&request, &out, &diag)
                               : envelope_write_answer(&answer, &out, &diag));
        support_check_schema(SOAP_SCHEMA, buf_span(&out));
        CHECK_OK(&diag, support_envelope(buf_span(&out), arena, &diag, &message));
        CU_ASSERT(xcpd_time_to_live(message, &us));
        CU_ASSERT_EQUAL(us, i == 0 ? request.time_to_live_us : answer.time_to_live_us);
        buf_done(&out);
        arena_free(arena);
    }
}

/* Mandatory, it is understood where ITI-55 asks, and nowhere else. */
static void
test_time_to_live_mandatory(void)
{
    static const struct {
        const char *payload;
        enum err want;
    } rows[] = {
        {"<x/>", ERR_SOAP_MUST_UNDERSTAND},
        {"<PRPA_IN201309UV02 xmlns='urn:hl7-org:v3'/>", ERR_SOAP_MUST_UNDERSTAND},
        {PAYLOAD, ERR_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct span xml;
        diag_clear(&diag);
        CHECK_OK(&diag, arena_printf(arena, &diag, &xml,
                                     ENVELOPE("<t:CorrelationTimeToLive e:mustUnderstand='1' "
                                              "xmlns:t='urn:ihe:iti:xcpd:2009'>P1D"
                                              "</t:CorrelationTimeToLive>",
                                              "%s"),
                                     rows[i].payload));
        CHECK_OK(&diag, support_envelope(xml, arena, &diag, &message));
        CHECK_ERR(&diag, rows[i].want, message_check_headers(message, &diag));
        arena_free(arena);
    }
}

static const struct unit_test tests[] = {
    {"durations", test_durations},
    /* REQ: ITI55-time-to-live */
    {"how long an answer may be kept", test_time_to_live},
    {"how long an answer may be kept, written", test_time_to_live_written},
    {"how long an answer may be kept, mandatory", test_time_to_live_mandatory},
    {"the frame is read first", test_frame_first},
    /* REQ: ITI55-query-birth-time */
    {"birth times and ranges", test_birth_times},
    /* REQ: ITI55-query-names */
    {"alternatives", test_alternatives},
    /* REQ: ITI55-query-parameters, ITI55-query-reverse */
    {"every parameter comes back", test_everything_comes_back},
    /* REQ: ITI55-deferred-request */
    {"the deferred mode", test_deferred},
};
UNIT_MAIN("xcpd_query", tests)
