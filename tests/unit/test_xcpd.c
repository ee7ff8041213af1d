/*
 * XCPD written: what is refused, and that what is written is valid by the NE2008 schemas and read
 * back as it was meant, hostile text included. What others write is in test_xcpd_read.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "soap/xcpd.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

#define NOW_US (INT64_C(1763807400) * US_PER_S) /* 2025-11-22T10:30:00Z */

/* A person with everything, and with text that XML has to escape. */
struct person {
    struct ident ids[3];
    struct person_name names[2];
    struct span given[3];
    struct address addresses[2];
    struct span street[2];
    struct telecom telecoms[2];
};

static void
fill_patient(struct person *p, struct patient *ret_patient)
{
    *p = (struct person){
        .ids = {{.root = SPAN("2.999.1.9"), .extension = SPAN("P<&>\"'1")},
                {.root = SPAN("2.16.840.1.113883.4.1"), .extension = SPAN("000000001")},
                {.root = SPAN("2.999.4"),
                 .extension = SPAN("x"),
                 .authority = SPAN("Clinic & Co")}},
        .given = {SPAN("Zo\xc3\xab"), SPAN("Q."),
                  SPAN("Mar\xc3\xad"
                       "a")},
        .street = {SPAN("1 <Main> St"), SPAN("Apt. 2")},
        .telecoms = {{.value = SPAN("tel:+1-555-0100;ext=2"), .use = SPAN("HP")},
                     {.value = SPAN("mailto:a&b@example.org"), .use = SPAN("no such use")}},
    };
    p->names[0] = (struct person_name){.family = SPAN("N\xc3\xba\xc3\xb1"
                                                      "ez-Ib\xc3\xa1rra O'Brien"),
                                       .given = {.items = p->given, .n = 2},
                                       .prefix = SPAN("Dr."),
                                       .suffix = SPAN("Jr."),
                                       .use = SPAN("L")};
    p->names[1] = (struct person_name){.family = SPAN("\xe6\x9d\x8e"),
                                       .given = {.items = p->given + 2, .n = 1},
                                       .use = SPAN("SRCH")};
    p->addresses[0] = (struct address){.street = {.items = p->street, .n = 2},
                                       .city = SPAN("Springfield"),
                                       .state = SPAN("IL"),
                                       .postal_code = SPAN("62701"),
                                       .country = SPAN("US"),
                                       .use = SPAN("HP PUB")};
    p->addresses[1] = (struct address){.city = SPAN("Shelbyville"), .use = SPAN("HP XX")};
    *ret_patient = (struct patient){
        .ids = {.items = p->ids, .n = 3},
        .names = {.items = p->names, .n = 2},
        .birth_time = SPAN("19700102"),
        .sex = SPAN("F"),
        .addresses = {.items = p->addresses, .n = 2},
        .telecoms = {.items = p->telecoms, .n = 2},
    };
}

static void
check_name(const struct person_name *got, const struct person_name *want)
{
    CU_ASSERT(span_eq(got->family, want->family));
    CU_ASSERT(span_eq(got->prefix, want->prefix));
    CU_ASSERT(span_eq(got->suffix, want->suffix));
    CU_ASSERT_EQUAL_FATAL(got->given.n, want->given.n);
    for (size_t i = 0; i < want->given.n; i++) {
        CU_ASSERT(span_eq(got->given.items[i], want->given.items[i]));
    }
}

static void
check_patient(const struct patient *got, const struct patient *want)
{
    CU_ASSERT(span_eq(got->birth_time, want->birth_time));
    CU_ASSERT(span_eq(got->sex, want->sex));
    CU_ASSERT_EQUAL_FATAL(got->ids.n, want->ids.n);
    for (size_t i = 0; i < want->ids.n; i++) {
        CU_ASSERT(ident_eq(&got->ids.items[i], &want->ids.items[i]));
        CU_ASSERT(span_eq(got->ids.items[i].authority, want->ids.items[i].authority));
    }
    CU_ASSERT_EQUAL_FATAL(got->names.n, want->names.n);
    for (size_t i = 0; i < want->names.n; i++) {
        check_name(&got->names.items[i], &want->names.items[i]);
    }
    CHECK_SPAN(got->names.items[0].use, "L");
    CHECK_SPAN(got->names.items[1].use, ""); /* SRCH must not be written */
    CU_ASSERT_EQUAL_FATAL(got->addresses.n, want->addresses.n);
    for (size_t i = 0; i < want->addresses.n; i++) {
        const struct address *a = &got->addresses.items[i];
        const struct address *b = &want->addresses.items[i];
        CU_ASSERT_EQUAL_FATAL(a->street.n, b->street.n);
        for (size_t k = 0; k < b->street.n; k++) {
            CU_ASSERT(span_eq(a->street.items[k], b->street.items[k]));
        }
        CU_ASSERT(span_eq(a->city, b->city));
        CU_ASSERT(span_eq(a->state, b->state));
        CU_ASSERT(span_eq(a->postal_code, b->postal_code));
        CU_ASSERT(span_eq(a->country, b->country));
    }
    CHECK_SPAN(got->addresses.items[0].use, "HP PUB");
    CHECK_SPAN(got->addresses.items[1].use, "");
    CU_ASSERT_EQUAL_FATAL(got->telecoms.n, want->telecoms.n);
    for (size_t i = 0; i < want->telecoms.n; i++) {
        CU_ASSERT(span_eq(got->telecoms.items[i].value, want->telecoms.items[i].value));
    }
}

static struct xcpd_query
full_query(struct person *person)
{
    struct xcpd_query query = {
        .id = {.root = SPAN("2.999.1"), .extension = SPAN("m1")},
        .query_id = {.root = SPAN("2.999.1.5"), .extension = SPAN("q1")},
        .sender_home = SPAN("2.999.1"),
        .receiver_home = SPAN("2.999.2"),
        .creation_us = NOW_US,
    };
    fill_patient(person, &query.subject);
    query.subject.mothers_maiden_names = (struct name_list){.items = person->names + 1, .n = 1};
    return query;
}

static void
test_question_round_trip(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf out;
    struct person person;
    struct span asked = SPAN_EMPTY;
    struct message *message = NULL;
    struct xcpd_query got;
    const struct xcpd_query query = full_query(&person);
    diag_clear(&diag);
    buf_init(&out, 100000);
    CHECK_OK(&diag, xcpd_query_write(&query, arena, &out, &diag, &asked));
    support_check_schema(HL7_SCHEMA("PRPA_IN201305UV02"), buf_span(&out));
    CU_ASSERT(span_find(buf_span(&out), asked) != SPAN_MISSING);
    CU_ASSERT(span_starts_with(asked, SPAN("<queryByParameter xmlns=\"urn:hl7-org:v3\">")));
    CHECK_OK(&diag, support_message(buf_span(&out), arena, &diag, &message));
    if (CHECK_OK(&diag, xcpd_query_read(message, arena, &diag, &got))) {
        CU_ASSERT(ident_eq(&got.id, &query.id));
        CU_ASSERT(ident_eq(&got.query_id, &query.query_id));
        CHECK_SPAN(got.sender_home, "2.999.1");
        CHECK_SPAN(got.receiver_home, "2.999.2");
        CU_ASSERT_EQUAL(got.creation_us, NOW_US);
        check_patient(&got.subject, &query.subject);
        CU_ASSERT_EQUAL_FATAL(got.subject.mothers_maiden_names.n, 1);
        check_name(&got.subject.mothers_maiden_names.items[0], &person.names[1]);
        CU_ASSERT(span_find(got.query_xml, SPAN("livingSubjectName")) != SPAN_MISSING);
    }
    buf_done(&out);
    arena_free(arena);
}

static void
check_holds(const struct buf *out, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (span_find(buf_span(out), span_of_cstr(texts[i])) == SPAN_MISSING) {
            CU_FAIL("a text that the profile wants is missing");
            printf("      %s\n", texts[i]);
        }
    }
}

static const char *const in_question[] = {
    "<semanticsText>LivingSubject.administrativeGender</semanticsText>",
    "<semanticsText>LivingSubject.birthTime</semanticsText>",
    "<semanticsText>LivingSubject.id</semanticsText>",
    "<semanticsText>LivingSubject.name</semanticsText>",
    "<semanticsText>Person.MothersMaidenName</semanticsText>",
    "<semanticsText>Patient.addr</semanticsText>",
    "<semanticsText>Patient.telecom</semanticsText>",
    "<semanticsText>LivingSubject.BirthPlace.Addr</semanticsText>",
    "<semanticsText>LivingSubject.BirthPlace.Place.Name</semanticsText>",
    "<semanticsText>AssignedProvider.id</semanticsText>",
    "<semanticsText>MinimumDegreeMatch</semanticsText>",
    "<semanticsText>MatchAlgorithm</semanticsText>",
    "<interactionId root=\"2.16.840.1.113883.1.6\" extension=\"PRPA_IN201305UV02\">",
    "<code code=\"PRPA_TE201305UV02\" codeSystem=\"2.16.840.1.113883.1.6\">",
    "<acceptAckCode code=\"AL\">",
    "<responseModalityCode code=\"R\">",
    "<responsePriorityCode code=\"I\">",
};

/* What no schema checks: ITI TF-2 3.55.4.1.2 and 3.55.4.2.2, not the codec's own constants. */
static void
test_texts_of_the_profile(void)
{
    static const char *const in_match[] = {
        "<interactionId root=\"2.16.840.1.113883.1.6\" extension=\"PRPA_IN201306UV02\">",
        "<code code=\"PRPA_TE201306UV02\" codeSystem=\"2.16.840.1.113883.1.6\">",
        "<acceptAckCode code=\"NE\">",
        "<code code=\"NotHealthDataLocator\" codeSystem=\"1.3.6.1.4.1.19376.1.2.27.2\">",
        "<code code=\"IHE_PDQ\">",
        "<queryResponseCode code=\"OK\">",
        "<typeCode code=\"AA\">",
    };
    static const char *const in_ambiguous[] = {
        "codeSystem=\"1.3.6.1.4.1.19376.1.2.27.1\"",
        ("<code code=\"_ActAdministrativeDetectedIssueManagementCode\" "
         "codeSystem=\"2.16.840.1.113883.5.4\">"),
        "<queryResponseCode code=\"OK\">",
    };
    static const char *const in_error[] = {"codeSystem=\"1.3.6.1.4.1.19376.1.2.27.3\"",
                                           "<queryResponseCode code=\"AE\">",
                                           "<typeCode code=\"AE\">"};
    static const char *const in_none[] = {"<queryResponseCode code=\"NF\">",
                                          "<typeCode code=\"AA\">"};
    struct person person;
    struct xcpd_match match = {.degree = 50};
    struct span issues[] = {SPAN("PatientAddressRequested")};
    fill_patient(&person, &match.patient);
    const struct {
        struct xcpd_answer answer;
        const char *const *texts;
        size_t n;
    } rows[] = {
        {{.result = XCPD_MATCH, .matches = {.items = &match, .n = 1}},
         in_match,
         ARRAY_LEN(in_match)},
        {{.result = XCPD_AMBIGUOUS, .issues = {.items = issues, .n = 1}},
         in_ambiguous,
         ARRAY_LEN(in_ambiguous)},
        {{.result = XCPD_ERROR}, in_error, ARRAY_LEN(in_error)},
        {{.result = XCPD_NONE}, in_none, ARRAY_LEN(in_none)},
    };
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf out;
    struct span asked = SPAN_EMPTY;
    struct span place = SPAN("Springfield");
    struct ident provider = {.root = SPAN("2.16.840.1.113883.4.6"), .extension = SPAN("1")};
    struct xcpd_query query = full_query(&person);
    query.subject.birth_place_names = (struct span_list){&place, 1, 1};
    query.subject.birth_place_addresses = query.subject.addresses;
    query.subject.care_providers = (struct ident_list){&provider, 1, 1};
    query.minimum_degree = 75;
    query.match_algorithm = SPAN("any");
    diag_clear(&diag);
    buf_init(&out, 100000);
    CHECK_OK(&diag, xcpd_query_write(&query, arena, &out, &diag, &asked));
    check_holds(&out, in_question, ARRAY_LEN(in_question));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_reset(&out);
        CHECK_OK(&diag,
                 xcpd_answer_write(&query, &rows[i].answer, SPAN("2.999.2"), NOW_US, &out, &diag));
        check_holds(&out, rows[i].texts, rows[i].n);
    }
    buf_done(&out);
    arena_free(arena);
}

/* The least that may be asked: an id; or a name and a birth time. */
static void
test_small_questions(void)
{
    struct person person;
    for (int i = 0; i < 2; i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct buf out;
        struct span asked = SPAN_EMPTY;
        struct message *message = NULL;
        struct xcpd_query got;
        struct xcpd_query query = full_query(&person);
        const struct patient all = query.subject;
        query.subject = i == 0 ? (struct patient){.ids = all.ids}
                               : (struct patient){.names = all.names, .birth_time = all.birth_time};
        query.receiver_home = SPAN_EMPTY;
        diag_clear(&diag);
        buf_init(&out, 100000);
        CHECK_OK(&diag, xcpd_query_write(&query, arena, &out, &diag, &asked));
        support_check_schema(HL7_SCHEMA("PRPA_IN201305UV02"), buf_span(&out));
        CHECK_OK(&diag, support_message(buf_span(&out), arena, &diag, &message));
        CHECK_OK(&diag, xcpd_query_read(message, arena, &diag, &got));
        CHECK_SPAN(got.receiver_home, "");
        buf_done(&out);
        arena_free(arena);
    }
}

static void
test_questions_not_written(void)
{
    struct person person;
    const struct xcpd_query good = full_query(&person);
    struct xcpd_query rows[5] = {good, good, good, good, good};
    rows[0].sender_home = SPAN_EMPTY;
    rows[1].subject = (struct patient){.names = good.subject.names};
    rows[2].subject = (struct patient){.birth_time = good.subject.birth_time};
    rows[3].subject.sex = SPAN("F\x01");
    rows[4].query_id.extension = SPAN("\xff");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct buf out;
        struct span asked = SPAN("untouched");
        diag_clear(&diag);
        buf_init(&out, 100000);
        CHECK_ERR(&diag, ERR_MESSAGE_CONTENT,
                  xcpd_query_write(&rows[i], arena, &out, &diag, &asked));
        CHECK_SPAN(asked, "untouched");
        buf_done(&out);
        arena_free(arena);
    }
}

/* Writes <answer> to the question that <arena> holds, validates it and reads it back. */
static void
check_answer(struct xcpd_answer *answer, struct arena *arena, struct xcpd_answer *ret_got)
{
    struct diag diag;
    struct buf out;
    struct person person;
    struct span asked = SPAN_EMPTY;
    struct message *message = NULL;
    struct xcpd_query query;
    const struct xcpd_query sent = full_query(&person);
    diag_clear(&diag);
    buf_init(&out, 200000);
    CHECK_OK(&diag, xcpd_query_write(&sent, arena, &out, &diag, &asked));
    CHECK_OK(&diag, support_message(buf_span(&out), arena, &diag, &message));
    CHECK_OK(&diag, xcpd_query_read(message, arena, &diag, &query));
    buf_reset(&out);
    CHECK_OK(&diag, xcpd_answer_write(&query, answer, SPAN("2.999.2"), NOW_US, &out, &diag));
    support_check_schema(HL7_SCHEMA("PRPA_IN201306UV02"), buf_span(&out));
    CU_ASSERT(span_find(buf_span(&out), query.query_xml) != SPAN_MISSING);
    CHECK_OK(&diag, support_message(buf_span(&out), arena, &diag, &message));
    CHECK_OK(&diag, xcpd_answer_read(message, &sent.query_id, arena, &diag, ret_got));
    const xmlNode *payload = message_payload(message);
    const xmlNode *target = xml_child(xml_child(payload, "urn:hl7-org:v3", "acknowledgement"),
                                      "urn:hl7-org:v3", "targetMessage");
    CHECK_SPAN(xml_attr_text(xml_first(target), "extension"), "m1");
    buf_done(&out);
}

static void
test_answer_with_matches(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct person person;
    struct xcpd_answer got = {.result = XCPD_NONE};
    struct xcpd_match matches[3] = {{.degree = 100}, {.degree = -1, .home = SPAN("2.999.33")}};
    struct ident only = {.root = SPAN("2.999.2.1")};
    fill_patient(&person, &matches[0].patient);
    fill_patient(&person, &matches[1].patient);
    matches[2] = (struct xcpd_match){.degree = 0, .home = SPAN("2.999.34")};
    matches[2].patient.ids = (struct ident_list){.items = &only, .n = 1};
    struct xcpd_answer answer = {.result = XCPD_MATCH, .matches = {.items = matches, .n = 3}};
    check_answer(&answer, arena, &got);
    CU_ASSERT_EQUAL(got.result, XCPD_MATCH);
    CU_ASSERT_EQUAL_FATAL(got.matches.n, 3);
    check_patient(&got.matches.items[0].patient, &matches[0].patient);
    CHECK_SPAN(got.matches.items[0].home, "2.999.2");
    CU_ASSERT_EQUAL(got.matches.items[0].degree, 100);
    CHECK_SPAN(got.matches.items[1].home, "2.999.33");
    CU_ASSERT_EQUAL(got.matches.items[1].degree, -1);
    CHECK_SPAN(got.matches.items[2].home, "2.999.34");
    CHECK_SPAN(got.matches.items[2].patient.ids.items[0].root, "2.999.2.1");
    CU_ASSERT_EQUAL(got.matches.items[2].patient.names.n, 0);
    arena_free(arena);
}

static void
test_answers_without_match(void)
{
    struct span requested[] = {SPAN("PatientAddressRequested"), SPAN("PatientTelecomRequested")};
    struct span busy[] = {SPAN("ResponderBusy")};
    struct {
        struct xcpd_answer answer;
        size_t issues;
        const char *first, *text;
    } rows[] = {
        {{.result = XCPD_NONE}, 0, "", ""},
        {{.result = XCPD_AMBIGUOUS, .issues = {.items = requested, .n = 2}},
         2,
         "PatientAddressRequested",
         ""},
        {{.result = XCPD_AMBIGUOUS}, 0, "", ""},
        {{.result = XCPD_ERROR}, 1, "InternalError", ""},
        {{.result = XCPD_ERROR, .issues = {.items = busy, .n = 1}, .error_text = SPAN("a <b>")},
         1,
         "ResponderBusy",
         "a <b>"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct xcpd_answer got = {.result = XCPD_MATCH};
        check_answer(&rows[i].answer, arena, &got);
        CU_ASSERT_EQUAL(got.result, rows[i].answer.result);
        CU_ASSERT_EQUAL(got.matches.n, 0);
        CU_ASSERT_EQUAL(got.issues.n, rows[i].issues);
        CHECK_SPAN(got.issues.n == 0 ? SPAN_EMPTY : got.issues.items[0], rows[i].first);
        CHECK_SPAN(got.error_text, rows[i].text);
        arena_free(arena);
    }
}

static void
test_answers_not_written(void)
{
    struct xcpd_match match = {.degree = 1};
    const struct xcpd_answer none = {.result = XCPD_MATCH};
    const struct xcpd_answer no_id = {.result = XCPD_MATCH, .matches = {.items = &match, .n = 1}};
    const struct xcpd_query query = {.query_xml = SPAN("<q/>")};
    struct diag diag;
    struct buf out;
    buf_init(&out, 100000);
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_INTERNAL,
              xcpd_answer_write(&query, &none, SPAN("2.999.2"), NOW_US, &out, &diag));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_INTERNAL,
              xcpd_answer_write(&query, &no_id, SPAN("2.999.2"), NOW_US, &out, &diag));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_INTERNAL,
              xcpd_answer_write(&query, &none, SPAN_EMPTY, NOW_US, &out, &diag));
    buf_done(&out);
}

static const struct unit_test tests[] = {
    {"questions that are not written", test_questions_not_written},
    {"answers that are not written", test_answers_not_written},
    {"a question with everything comes back", test_question_round_trip},
    /* REQ: ITI55-codes, ITI55-answer-issues */
    {"codes and texts of the profile", test_texts_of_the_profile},
    {"the smallest questions", test_small_questions},
    {"an answer with matches comes back", test_answer_with_matches},
    /* REQ: ITI55-result-cases, ITI55-answer-issues */
    {"answers without a match", test_answers_without_match},
};
UNIT_MAIN("xcpd", tests)
