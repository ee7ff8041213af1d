/*
 * XCPD read: what is refused, which of the five cases an answer is, and the messages of other
 * systems with what is known of them.
 */
#include <stdio.h>
#include <string.h>

#include "soap/xcpd.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

/* ---- questions that are refused ---- */

#define Q_ID       "<id root='2.999.1' extension='m1'/>"
#define Q_SENDER   "<sender><device><id root='2.999.1'/></device></sender>"
#define Q_QUERY_ID "<queryId root='2.999.1.5' extension='q1'/>"
#define Q_NAME                                                                                     \
    "<livingSubjectName><value><given>Ann</given><family>Lee</family></value></livingSubjectName>"
#define Q_BIRTH         "<livingSubjectBirthTime><value value='19700102'/></livingSubjectBirthTime>"
#define Q_LIST(x)       "<parameterList>" x "</parameterList>"
#define Q_ACT(x)        "<controlActProcess><queryByParameter>" x "</queryByParameter></controlActProcess>"
#define QUESTION(x)     "<PRPA_IN201305UV02 xmlns='urn:hl7-org:v3'>" x "</PRPA_IN201305UV02>"
#define GOOD_LIST       Q_LIST(Q_NAME Q_BIRTH)
#define WITH_LIST(x)    QUESTION(Q_ID Q_SENDER Q_ACT(Q_QUERY_ID Q_LIST(x)))
#define WITH_CONTROL(x) QUESTION(Q_ID Q_SENDER Q_ACT(Q_QUERY_ID x GOOD_LIST))
#define Q_RANGE(x)      "<livingSubjectBirthTime><value>" x "</value></livingSubjectBirthTime>"
#define SENDER_HOME(x)                                                                             \
    "<sender><device><asAgent><representedOrganization>" x                                         \
    "</representedOrganization></asAgent></device></sender>"

static const struct {
    const char *xml;
    enum err want;
} questions[] = {
    {"<x/>", ERR_MESSAGE_CONTENT},
    {"<PRPA_IN201305UV02/>", ERR_MESSAGE_CONTENT},
    {"<PRPA_IN201306UV02 xmlns='urn:hl7-org:v3'/>", ERR_MESSAGE_CONTENT},
    {QUESTION(""), ERR_MESSAGE_CONTENT},
    {QUESTION(Q_ID), ERR_MESSAGE_CONTENT},
    {QUESTION(Q_ID "<controlActProcess/>"), ERR_MESSAGE_CONTENT},
    {QUESTION(Q_ID Q_ACT("")), ERR_MESSAGE_CONTENT},
    {QUESTION(Q_ID Q_ACT(Q_QUERY_ID)), ERR_MESSAGE_CONTENT},
    {QUESTION(Q_ID Q_ACT("<queryId nullFlavor='UNK' root='2.999.1'/>" GOOD_LIST)),
     ERR_MESSAGE_CONTENT},
    {QUESTION("<id nullFlavor='UNK'/>" Q_ACT(Q_QUERY_ID GOOD_LIST)), ERR_MESSAGE_CONTENT},
    {QUESTION(Q_ID Q_ID Q_ACT(Q_QUERY_ID GOOD_LIST)), ERR_MESSAGE_CONTENT},
    {QUESTION(Q_ID Q_ACT(Q_QUERY_ID GOOD_LIST) Q_ACT(Q_QUERY_ID GOOD_LIST)), ERR_MESSAGE_CONTENT},
    {QUESTION(Q_ID Q_ACT(Q_QUERY_ID Q_QUERY_ID GOOD_LIST)), ERR_MESSAGE_CONTENT},
    {QUESTION(Q_ID Q_ACT(Q_QUERY_ID GOOD_LIST GOOD_LIST)), ERR_MESSAGE_CONTENT},
    {QUESTION(Q_ID Q_SENDER Q_SENDER Q_ACT(Q_QUERY_ID GOOD_LIST)), ERR_MESSAGE_CONTENT},
    {QUESTION(Q_ID SENDER_HOME("<id root='not an oid'/>") Q_ACT(Q_QUERY_ID GOOD_LIST)),
     ERR_MESSAGE_CONTENT},
    {QUESTION(Q_ID SENDER_HOME("<id root='2.999.1'/><id root='2.999.2'/>")
                  Q_ACT(Q_QUERY_ID GOOD_LIST)),
     ERR_MESSAGE_CONTENT},
    {QUESTION(Q_ID Q_ACT(Q_QUERY_ID "<responsePriorityCode code='D'/>" GOOD_LIST)),
     ERR_MESSAGE_CONTENT},
    /* too little to ask about */
    {WITH_LIST(""), ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_NAME), ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_BIRTH), ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_NAME "<livingSubjectBirthTime><value nullFlavor='UNK'/></livingSubjectBirthTime>"),
     ERR_MESSAGE_CONTENT},
    /* ranges that are none */
    {WITH_LIST(Q_NAME Q_RANGE("<low value='19701231'/><high value='19700101'/>")),
     ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_NAME Q_RANGE("<low value='1971'/><high value='19701231'/>")), ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_NAME Q_RANGE("<low value='19700101'/><width value='1' unit='a'/>")),
     ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_NAME Q_RANGE("<low value='January'/>")), ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_NAME Q_RANGE("<low nullFlavor='NI'/>")), ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_NAME Q_RANGE("")), ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_NAME "<livingSubjectBirthTime><value value='19700102'/><value value='19700103'/>"
                      "</livingSubjectBirthTime>"),
     ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_NAME Q_BIRTH "<livingSubjectAdministrativeGender><value code='F'/>"
                              "<value code='M'/></livingSubjectAdministrativeGender>"),
     ERR_MESSAGE_CONTENT},
    /* what is not part of the transaction */
    {WITH_LIST(Q_NAME Q_BIRTH "<patientStatusCode><value code='active'/></patientStatusCode>"),
     ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_NAME Q_BIRTH "<livingSubjectDeceasedTime><value value='2020'/>"
                              "</livingSubjectDeceasedTime>"),
     ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_NAME Q_BIRTH "<otherIDsScopingOrganization><value root='2.999.3'/>"
                              "</otherIDsScopingOrganization>"),
     ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_NAME Q_BIRTH "<principalCareProvisionId><value root='2.999.3'/>"
                              "</principalCareProvisionId>"),
     ERR_MESSAGE_CONTENT},
    {WITH_CONTROL("<modifyCode code='U'/>"), ERR_MESSAGE_CONTENT},
    {WITH_CONTROL("<responseElementGroupId root='2.999'/>"), ERR_MESSAGE_CONTENT},
    {WITH_CONTROL("<executionAndDeliveryTime value='20300101'/>"), ERR_MESSAGE_CONTENT},
    {WITH_CONTROL("<sortControl><sequenceNumber value='1'/></sortControl>"), ERR_MESSAGE_CONTENT},
    {WITH_CONTROL("<matchCriterionList><id root='2.999'/></matchCriterionList>"),
     ERR_MESSAGE_CONTENT},
    {WITH_CONTROL("<matchCriterionList><matchWeight><value value='1'/></matchWeight>"
                  "</matchCriterionList>"),
     ERR_MESSAGE_CONTENT},
    {WITH_CONTROL("<matchCriterionList><minimumDegreeMatch><value value='101'/>"
                  "</minimumDegreeMatch></matchCriterionList>"),
     ERR_MESSAGE_CONTENT},
    {WITH_CONTROL("<matchCriterionList/><matchCriterionList/>"), ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_BIRTH "<livingSubjectName><value use='L SRCH'><family>Le*</family></value>"
                       "</livingSubjectName>"),
     ERR_MESSAGE_CONTENT},
    {QUESTION(Q_ID "<controlActProcess><authorOrPerformer><assignedDevice><id root='x y'/>"
                   "</assignedDevice></authorOrPerformer><queryByParameter>" Q_QUERY_ID GOOD_LIST
                   "</queryByParameter></controlActProcess>"),
     ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_BIRTH "<livingSubjectName><value nullFlavor='NA'/></livingSubjectName>"),
     ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_BIRTH "<livingSubjectName><value><family> </family></value></livingSubjectName>"),
     ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_BIRTH "<livingSubjectName><value>Ann Lee</value></livingSubjectName>"),
     ERR_MESSAGE_CONTENT},
    {WITH_LIST("<livingSubjectId><value nullFlavor='UNK'/></livingSubjectId>"),
     ERR_MESSAGE_CONTENT},
    /* what cannot be read */
    {WITH_LIST(Q_NAME "<livingSubjectBirthTime><value value='2 Jan 1970'/>"
                      "</livingSubjectBirthTime>"),
     ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_NAME Q_BIRTH Q_BIRTH), ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_BIRTH "<livingSubjectName><value><family>Le<!-- -->e</family></value>"
                       "</livingSubjectName>"),
     ERR_MESSAGE_CONTENT},
    {WITH_LIST(Q_BIRTH "<livingSubjectName><value><family><b>Lee</b></family></value>"
                       "</livingSubjectName>"),
     ERR_MESSAGE_CONTENT},
};

static void
test_questions_refused(void)
{
    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct xcpd_query query;
        memset(&query, 0x5A, sizeof(query));
        const struct xcpd_query before = query;
        diag_clear(&diag);
        CHECK_OK(&diag, support_message(span_of_cstr(questions[i].xml), arena, &diag, &message));
        if (message != NULL &&
            !CHECK_ERR(&diag, questions[i].want, xcpd_query_read(message, arena, &diag, &query))) {
            printf("      %s\n", questions[i].xml);
        }
        CU_ASSERT_EQUAL(memcmp(&query, &before, sizeof(query)), 0);
        arena_free(arena);
    }
}

/* ---- answers that are refused ---- */

#define A_ACK(code)  "<acknowledgement><typeCode code='" code "'/></acknowledgement>"
#define A_QACK(code) "<queryAck>" Q_QUERY_ID "<queryResponseCode code='" code "'/></queryAck>"
#define A_EVENT(patient, rest)                                                                     \
    "<subject><registrationEvent><subject1><patient>" patient "</patient></subject1>" rest         \
    "</registrationEvent></subject>"
#define A_PATIENT "<id root='2.999.7' extension='p1'/>"
#define ANSWER(ack, act)                                                                           \
    "<PRPA_IN201306UV02 xmlns='urn:hl7-org:v3'>" ack "<controlActProcess>" act                     \
    "</controlActProcess></PRPA_IN201306UV02>"
#define A_HOME(id) "<custodian><assignedEntity>" id "</assignedEntity></custodian>"

static const struct {
    const char *xml;
} answers[] = {
    {"<x/>"},
    {"<PRPA_IN201306UV02/>"},
    {"<PRPA_IN201305UV02 xmlns='urn:hl7-org:v3'/>"},
    {ANSWER("", A_QACK("OK"))},
    {ANSWER(A_ACK("AA") A_ACK("AA"), A_QACK("OK"))},
    {ANSWER(A_ACK("AA"), "")},
    {ANSWER(A_ACK("AA"), "<queryAck/>")},
    {ANSWER(A_ACK("AA"), "<queryAck><queryId root='2.999.1.5' extension='q2'/>"
                         "<queryResponseCode code='OK'/></queryAck>")},
    {ANSWER(A_ACK("AE"), "<queryAck><queryId root='2.999.1.5'/>"
                         "<queryResponseCode code='AE'/></queryAck>")},
    {ANSWER(A_ACK("AA"), A_QACK("OK") A_QACK("OK"))},
    {ANSWER(A_ACK("AA"), A_EVENT("", "") A_QACK("OK"))},
    {ANSWER(A_ACK("AA"), A_EVENT("<id nullFlavor='NA'/>", "") A_QACK("OK"))},
    {ANSWER(A_ACK("AA"), "<subject><registrationEvent/></subject>" A_QACK("OK"))},
    {ANSWER(A_ACK("AA"), A_EVENT(A_PATIENT, A_HOME("<id root='home'/>")) A_QACK("OK"))},
};

static struct status
read_answer(const char *xml, struct arena *arena, struct diag *diag, struct xcpd_answer *ret_answer)
{
    const struct ident query_id = {.root = SPAN("2.999.1.5"), .extension = SPAN("q1")};
    struct message *message = NULL;
    diag_clear(diag);
    if (!CHECK_OK(diag, support_message(span_of_cstr(xml), arena, diag, &message))) {
        return (struct status){ERR_INTERNAL};
    }
    return xcpd_answer_read(message, &query_id, arena, diag, ret_answer);
}

static void
test_answers_refused(void)
{
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct xcpd_answer answer;
        if (!CHECK_ERR(&diag, ERR_PARTNER_ANSWER,
                       read_answer(answers[i].xml, arena, &diag, &answer))) {
            printf("      %s\n", answers[i].xml);
        }
        arena_free(arena);
    }
}

/* The five cases as partners write them. */
static void
test_answers_decided(void)
{
    static const struct {
        const char *xml;
        enum xcpd_result want;
        size_t matches, issues;
        const char *text;
    } rows[] = {
        {ANSWER(A_ACK("AA"), A_EVENT(A_PATIENT, "") A_QACK("OK")), XCPD_MATCH, 1, 0, ""},
        {ANSWER(A_ACK("CA"), A_EVENT(A_PATIENT, "") A_EVENT(A_PATIENT, "") A_QACK("OK")),
         XCPD_MATCH, 2, 0, ""},
        /* one of two without an id */
        {ANSWER(A_ACK("AA"), A_EVENT(A_PATIENT, "") A_EVENT("", "") A_QACK("OK")), XCPD_MATCH, 1, 0,
         ""},
        /* a birth time that is none does not cost the match */
        {ANSWER(A_ACK("AA"), A_EVENT(A_PATIENT "<patientPerson><birthTime value='none'/>"
                                               "</patientPerson>",
                                     "") A_QACK("OK")),
         XCPD_MATCH, 1, 0, ""},
        {ANSWER(A_ACK("AA"), A_QACK("NF")), XCPD_NONE, 0, 0, ""},
        {ANSWER(A_ACK("AA"), A_QACK("OK")), XCPD_NONE, 0, 0, ""},
        {ANSWER(A_ACK("AA"),
                "<reasonOf><detectedIssueEvent><triggerFor><actOrderRequired>"
                "<code code='PatientAddressRequested'/></actOrderRequired></triggerFor><triggerFor>"
                "<actOrderRequired><code code='PatientTelecomRequested'/></actOrderRequired>"
                "</triggerFor></detectedIssueEvent></reasonOf>" A_QACK("OK")),
         XCPD_AMBIGUOUS, 0, 2, ""},
        {ANSWER(A_ACK("AA"), "<reasonOf><detectedIssueEvent/></reasonOf>" A_QACK("OK")),
         XCPD_AMBIGUOUS, 0, 0, ""},
        {ANSWER(A_ACK("AA"), "<reasonOf><detectedIssueEvent><mitigatedBy><detectedIssueManagement>"
                             "<code code='ResponderBusy'/></detectedIssueManagement></mitigatedBy>"
                             "</detectedIssueEvent></reasonOf>" A_QACK("NF")),
         XCPD_ERROR, 0, 1, ""},
        {ANSWER(A_ACK("AE"), A_EVENT(A_PATIENT, "") A_QACK("OK")), XCPD_ERROR, 0, 0, ""},
        {ANSWER(A_ACK("AA"), A_QACK("AE")), XCPD_ERROR, 0, 0, ""},
        {ANSWER(A_ACK("AA"), A_QACK("QE")), XCPD_ERROR, 0, 0, ""},
        {ANSWER("<acknowledgement><typeCode code='AE'/><acknowledgementDetail><text> no such\n"
                "</text></acknowledgementDetail></acknowledgement>",
                ""),
         XCPD_ERROR, 0, 0, "no such"},
        {ANSWER("<acknowledgement><typeCode code='AR'/><acknowledgementDetail><code code='NS250' "
                "displayName='Unsupported'/></acknowledgementDetail></acknowledgement>",
                ""),
         XCPD_ERROR, 0, 0, "Unsupported"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct xcpd_answer answer;
        if (CHECK_OK(&diag, read_answer(rows[i].xml, arena, &diag, &answer))) {
            CU_ASSERT_EQUAL(answer.result, rows[i].want);
            CU_ASSERT_EQUAL(answer.matches.n, rows[i].matches);
            CU_ASSERT_EQUAL(answer.issues.n, rows[i].issues);
            CHECK_SPAN(answer.error_text, rows[i].text);
        }
        arena_free(arena);
    }
}

/* ---- messages of other systems ---- */

/* Names of a patient as "given given family|given family", for comparing. */
static struct span
names_of(const struct patient *patient, struct arena *arena)
{
    struct diag diag;
    struct span text = SPAN_EMPTY;
    diag_clear(&diag);
    for (size_t i = 0; i < patient->names.n; i++) {
        const struct person_name *name = &patient->names.items[i];
        CHECK_OK(&diag,
                 arena_printf(arena, &diag, &text, "%.*s%s", SPAN_PRINT(text), i > 0 ? "|" : ""));
        for (size_t k = 0; k < name->given.n; k++) {
            CHECK_OK(&diag, arena_printf(arena, &diag, &text, "%.*s%.*s+", SPAN_PRINT(text),
                                         SPAN_PRINT(name->given.items[k])));
        }
        CHECK_OK(&diag, arena_printf(arena, &diag, &text, "%.*s%.*s", SPAN_PRINT(text),
                                     SPAN_PRINT(name->family)));
    }
    return text;
}

static struct span
ids_of(const struct patient *patient, struct arena *arena)
{
    struct diag diag;
    struct span text = SPAN_EMPTY;
    diag_clear(&diag);
    for (size_t i = 0; i < patient->ids.n; i++) {
        const struct ident *id = &patient->ids.items[i];
        CHECK_OK(&diag,
                 arena_printf(arena, &diag, &text, "%.*s%s%.*s:%.*s", SPAN_PRINT(text),
                              i > 0 ? "|" : "", SPAN_PRINT(id->root), SPAN_PRINT(id->extension)));
    }
    return text;
}

#define IPF_IDS "1.2.840.114350.1.13.99997.2.3412:1234|2.16.840.1.113883.4.1:58910"

static void
test_sample_questions(void)
{
    static const struct {
        const char *file, *id, *query_id, *sender, *receiver, *names, *birth, *sex, *ids;
        size_t addresses;
        enum err want;
    } rows[] = {
        {"ihe/samples/ipf/iti55__iti55-sample-request.xml", "35423", "18204", "1.2.3.928.955", "",
         "Jimmy+Jones", "19630805", "M", IPF_IDS, 0, ERR_NONE},
        {"ihe/samples/ipf-hl7v3/iti55/iti55-sample-request.xml", "35423", "18204", "1.2.3.928.955",
         "", "Jimmy+Jones", "19630805", "M", IPF_IDS, 0, ERR_NONE},
        /* ITI-47's domains are not part of ITI-55 */
        {"ihe/samples/ipf/iti47__01_PDQQuery1.xml", "", "", "", "", "", "", "", "", 0,
         ERR_MESSAGE_CONTENT},
        {"ihe/samples/sds-ehdsi/xcpd__request.xml", "3122391072", "",
         "2.16.470.1.100.1.2.1000.990.1", "1.2.208", "", "", "", "1.2.208.176.1.2:0410009234", 1,
         ERR_NONE},
        {"ihe/samples/epr-by-example/ITI-47_request_raw.xml", "", "", "", "", "", "", "", "", 0,
         ERR_MESSAGE_CONTENT},
        {"ihe/samples/ipf/iti55__iti55-sample-request-deferred.xml", "35423", "18204",
         "1.2.3.928.955", "", "Jimmy+Jones", "19630805", "M", IPF_IDS, 0, ERR_NONE},
        {"ihe/samples/ipf-hl7v3/iti55/iti55-sample-request-deferred.xml", "35423", "18204",
         "1.2.3.928.955", "", "Jimmy+Jones", "19630805", "M", IPF_IDS, 0, ERR_NONE},
        /* another message */
        {"ihe/samples/ipf/xsd__prpa-valid.xml", "", "", "", "", "", "", "", "", 0,
         ERR_MESSAGE_CONTENT},
        {"ihe/samples/epr-by-example/ITI-45_request_raw.xml", "", "", "", "", "", "", "", "", 0,
         ERR_MESSAGE_CONTENT},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct xcpd_query query;
        diag_clear(&diag);
        if (support_sample(rows[i].file, arena, &message) &&
            CHECK_ERR(&diag, rows[i].want, xcpd_query_read(message, arena, &diag, &query)) &&
            rows[i].want == ERR_NONE) {
            CHECK_SPAN(query.id.extension, rows[i].id);
            CHECK_SPAN(query.query_id.extension, rows[i].query_id);
            CHECK_SPAN(query.sender_home, rows[i].sender);
            CHECK_SPAN(query.receiver_home, rows[i].receiver);
            CHECK_SPAN(names_of(&query.subject, arena), rows[i].names);
            CHECK_SPAN(ids_of(&query.subject, arena), rows[i].ids);
            CHECK_SPAN(query.subject.birth_time, rows[i].birth);
            CHECK_SPAN(query.subject.sex, rows[i].sex);
            CU_ASSERT_EQUAL(query.subject.addresses.n, rows[i].addresses);
        }
        arena_free(arena);
    }
}

#define IPF_QUERY  "1.2.840.114350.1.13.28.1.18.5.999", "18204"
#define IPF_OTHERS "|1.2.840.114350.1.13.99997.2.3412:38273D433|2.16.840.1.113883.4.1:999-88-6345"

static void
test_sample_answers(void)
{
    static const struct {
        const char *file, *query_root, *query_extension;
        enum xcpd_result want;
        size_t matches;
        const char *ids, *names, *birth, *sex, *home; /* of the first match */
        int degree;
    } rows[] = {
        {"ihe/samples/ipf/iti55__iti55-sample-response.xml", IPF_QUERY, XCPD_MATCH, 2,
         "1.2.840.114350.1.13.99998.8734:34827K410" IPF_OTHERS, "James+Jones", "19630804", "M",
         "1.2.840.114350.1.13.99998.8734", 92},
        {"ihe/samples/ipf-hl7v3/iti55/iti55-sample-response.xml", IPF_QUERY, XCPD_MATCH, 2,
         "1.2.840.114350.1.13.99998.8734:34827K410" IPF_OTHERS, "James+Jones", "19630804", "M",
         "1.2.840.114350.1.13.99998.8734", 92},
        {"ihe/samples/ipf/iti47__03_PDQQueryEmptyResponse.xml", IPF_QUERY, XCPD_NONE, 0, "", "", "",
         "", "", -1},
        {"ihe/samples/epr-by-example/ITI-47_response_raw.xml", "1.2.840.114350.1.13.28.1.18.5.999",
         "16944356511831", XCPD_MATCH, 1,
         "1.3.6.1.4.1.21367.2017.2.5.93:25f98b34-0e01-48b7-a06c-f706eb4c485f"
         "|2.16.756.5.30.1.127.3.10.3:761337610411353650",
         "Dylan Jose+Dell", "19890622", "F", "1.3.6.1.4.1.12559.11.20.1", 100},
        {"ihe/samples/ipf/validation__type-nons-good.xml", "1.8.7.6.5.4.3.2.1.1",
         "5c9d27fb-4988-412c-b1d5-c19275065840", XCPD_MATCH, 1,
         "1.3.6.1.4.1.21367.2017.2.5.45:75cdb42a-7da9-4843-afd5-e3db80aba2a9",
         "Dave Mathew Sarita+URBANKOVA", "19910529", "M", "1.3.6.1.4.1.21367.2017.2.6.19", 100},
        {"ihe/samples/ipf/validation__type-ns-good.xml", "1.8.7.6.5.4.3.2.1.1",
         "5c9d27fb-4988-412c-b1d5-c19275065840", XCPD_MATCH, 1,
         "1.3.6.1.4.1.21367.2017.2.5.45:75cdb42a-7da9-4843-afd5-e3db80aba2a9",
         "Dave Mathew Sarita+URBANKOVA", "19910529", "M", "1.3.6.1.4.1.21367.2017.2.6.19", 100},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        struct xcpd_answer answer;
        const struct ident id = {.root = span_of_cstr(rows[i].query_root),
                                 .extension = span_of_cstr(rows[i].query_extension)};
        const struct ident other = {.root = SPAN("2.999")};
        diag_clear(&diag);
        if (support_sample(rows[i].file, arena, &message) &&
            CHECK_OK(&diag, xcpd_answer_read(message, &id, arena, &diag, &answer))) {
            CU_ASSERT_EQUAL(answer.result, rows[i].want);
            CU_ASSERT_EQUAL(answer.matches.n, rows[i].matches);
            if (answer.matches.n > 0) {
                const struct xcpd_match *match = &answer.matches.items[0];
                CHECK_SPAN(ids_of(&match->patient, arena), rows[i].ids);
                CHECK_SPAN(names_of(&match->patient, arena), rows[i].names);
                CHECK_SPAN(match->patient.birth_time, rows[i].birth);
                CHECK_SPAN(match->patient.sex, rows[i].sex);
                CHECK_SPAN(match->home, rows[i].home);
                CU_ASSERT_EQUAL(match->degree, rows[i].degree);
            }
            CHECK_ERR(&diag, ERR_PARTNER_ANSWER,
                      xcpd_answer_read(message, &other, arena, &diag, &answer));
        }
        arena_free(arena);
    }
}

static const struct unit_test tests[] = {
    /* REQ: ITI55-query-absent, ITI55-query-names, ITI55-query-birth-time */
    {"questions that are refused", test_questions_refused},
    {"answers that are refused", test_answers_refused},
    /* REQ: ITI55-result-cases */
    {"answers: which case it is", test_answers_decided},
    {"questions of other systems", test_sample_questions},
    {"answers of other systems", test_sample_answers},
};
UNIT_MAIN("xcpd_read", tests)
