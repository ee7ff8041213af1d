/*
 * The Responding Gateway asked which documents it has (ITI-38), and for patients that it cannot
 * tell apart (ITI-55): which error for which mistake, what is withheld, and what the record names.
 */
#include <string.h>

#include "base/mem.h"
#include "scene_kit.h"
#include "txn/inbound.h"

#define APPROVED "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"

static struct scene scene;  /* large; one at a time */
static struct arena *arena; /* of the scene */

static struct place *
green(void)
{
    return scene_place(&scene, "green");
}

/* ---- building queries ---- */

static void
add_param(struct stored_query *query, const char *name, const char *first, const char *second)
{
    struct query_param param = {.name = span_of_cstr(name), .is_multiple = true};
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &param.values, span_of_cstr(first)));
    if (second != NULL) {
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &param.values, span_of_cstr(second)));
    }
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &query->params, param));
}

static struct stored_query
find_query(const char *patient_id, bool wants_leaf_class)
{
    struct stored_query query = {
        .id = SPAN(XCA_FIND_DOCUMENTS), .home = SPAN(GREEN), .wants_leaf_class = wants_leaf_class};

    add_param(&query, "$XDSDocumentEntryPatientId", patient_id, NULL);
    add_param(&query, "$XDSDocumentEntryStatus", APPROVED, NULL);
    return query;
}

static struct stored_query
get_query(const char *param, const char *first, const char *second, bool wants_leaf_class)
{
    struct stored_query query = {
        .id = SPAN(XCA_GET_DOCUMENTS), .home = SPAN(GREEN), .wants_leaf_class = wants_leaf_class};

    add_param(&query, param, first, second);
    return query;
}

#define BY_UUID      "$XDSDocumentEntryEntryUUID"
#define BY_UNIQUE_ID "$XDSDocumentEntryUniqueId"

static struct query_answer
ask(const struct stored_query *query)
{
    static struct scene_reply reply;
    struct query_answer answer;

    kit_send_query(&scene, query, &reply);
    kit_read_query_answer(&reply, arena, &answer);
    return answer;
}

/* ---- ITI-38 ---- */

static void
test_what_is_found_is_named_with_its_community(void)
{
    struct scene_stored stored;
    struct stored_query query;
    struct query_answer answer;

    arena = kit_open_green(&scene);
    stored = kit_add(green(), "Isabella", "N", "<ClinicalDocument>third</ClinicalDocument>");
    query = find_query(stored.patient_id, true);
    answer = ask(&query);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.errors.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, 3);
    for (size_t i = 0; i < answer.objects.documents.n; i++) {
        CHECK_SPAN(answer.objects.documents.items[i].home, GREEN);
        CHECK_SPAN(answer.objects.documents.items[i].patient_id, stored.patient_id);
    }
    CU_ASSERT_STRING_EQUAL(scene_event(green(), 0)->patient, stored.patient_id);
    CU_ASSERT(scene_event(green(), 0)->query_n > 0);
    CU_ASSERT_STRING_EQUAL(scene_event(green(), 0)->community, "2.999.1");

    query = find_query(stored.patient_id, false);
    query.home = SPAN_EMPTY; /* a patient id is there: home may be absent */
    answer = ask(&query);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.refs.n, 3);
    CHECK_SPAN(answer.refs.items[0].home, GREEN);
    kit_close_green(&scene, arena);
}

static void
test_documents_are_found_by_either_name(void)
{
    struct scene_stored stored;
    struct stored_query query;
    struct query_answer answer;

    arena = kit_open_green(&scene);
    stored = kit_add(green(), "Isabella", "N", "<ClinicalDocument>third</ClinicalDocument>");
    for (int i = 0; i < 4; i++) {
        const bool wants_leaf_class = i % 2 == 0;

        query = get_query(i < 2 ? BY_UUID : BY_UNIQUE_ID,
                          i < 2 ? stored.entry_uuid : stored.unique_id, NULL, wants_leaf_class);
        answer = ask(&query);
        CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
        CU_ASSERT_EQUAL(answer.objects.documents.n, wants_leaf_class ? 1 : 0);
        CU_ASSERT_EQUAL(answer.refs.n, wants_leaf_class ? 0 : 1);
        if (wants_leaf_class && answer.objects.documents.n == 1) {
            CHECK_SPAN(answer.objects.documents.items[0].unique_id, stored.unique_id);
            CHECK_SPAN(answer.objects.documents.items[0].home, GREEN);
        } else if (answer.refs.n == 1) {
            CHECK_SPAN(answer.refs.items[0].unique_id, stored.entry_uuid);
            CHECK_SPAN(answer.refs.items[0].home, GREEN);
        }
        /* the patient is named in the record, whatever form the answer has */
        CU_ASSERT_STRING_EQUAL(scene_event(green(), 0)->patient, stored.patient_id);
        CU_ASSERT_EQUAL(scene_event(green(), 0)->outcome, AUDIT_SUCCESS);
    }
    query = get_query(BY_UNIQUE_ID, "2.999.404", NULL, true); /* unknown ones are simply absent */
    answer = ask(&query);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 0);
    kit_close_green(&scene, arena);
}

static void
test_several_patients_are_never_mixed(void)
{
    struct scene_stored isabella, myra;
    struct stored_query query;
    struct query_answer answer;

    arena = kit_open_green(&scene);
    isabella = kit_add(green(), "Isabella", "N", "<ClinicalDocument>i</ClinicalDocument>");
    myra = kit_add(green(), "Myra", "N", "<ClinicalDocument>m</ClinicalDocument>");
    CU_ASSERT_STRING_NOT_EQUAL(isabella.patient_id, myra.patient_id);
    query = get_query(BY_UUID, isabella.entry_uuid, myra.entry_uuid, true);
    answer = ask(&query);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].code, "XDSResultNotSinglePatient");
    CU_ASSERT_EQUAL(scene_event(green(), 0)->patients_n, 0); /* nothing was disclosed */

    query = get_query(BY_UUID, isabella.entry_uuid, myra.entry_uuid, false);
    answer = ask(&query);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.refs.n, 2);
    for (size_t i = 0; i < 2; i++) { /* one record a patient */
        const char *const whose[] = {myra.patient_id, isabella.patient_id};

        CU_ASSERT_EQUAL(scene_event(green(), i)->type, AUDIT_ITI_38);
        CU_ASSERT_EQUAL(scene_event(green(), i)->patients_n, 1);
        CU_ASSERT_STRING_EQUAL(scene_event(green(), i)->patient, whose[i]);
    }
    kit_close_green(&scene, arena);
}

/* What a query may lack or have too much of: each mistake on a query that is right otherwise. */
enum mistake {
    NO_HOME,
    GET_WITHOUT_HOME,
    HOME_OF_BLUE,
    GET_FROM_BLUE,
    UNKNOWN_QUERY,
    NO_PATIENT,
    PATIENT_TWICE,
    TWO_PATIENTS,
    NOT_A_PATIENT_ID,
    UNKNOWN_PATIENT,
    NO_STATUS,
    UNKNOWN_STATUS,
    STATUS_TWICE,
    NEITHER_NAME,
    BOTH_NAMES,
    NOT_A_CODE,
    CODES_TWICE,
    NOT_A_TIME,
    TWO_TIMES
};

static struct stored_query
mistaken(enum mistake mistake, const struct scene_stored *stored)
{
    const bool is_get = mistake == GET_WITHOUT_HOME || mistake == GET_FROM_BLUE ||
                        mistake == NEITHER_NAME || mistake == BOTH_NAMES;
    struct stored_query query = is_get ? get_query(BY_UUID, stored->entry_uuid, NULL, true)
                                       : find_query(stored->patient_id, true);
    struct query_param *params = query.params.items;

    switch (mistake) {
    case NO_HOME:
    case GET_WITHOUT_HOME:
        query.home = SPAN_EMPTY;
        break;
    case HOME_OF_BLUE:
    case GET_FROM_BLUE:
        query.home = SPAN("urn:oid:2.999.3");
        break;
    case UNKNOWN_QUERY:
        query.id = SPAN("urn:uuid:00000000-0000-4000-8000-000000000000");
        break;
    case NO_PATIENT:
        params[0].name = SPAN("$XDSDocumentEntryPatientld");
        break;
    case PATIENT_TWICE:
        add_param(&query, "$XDSDocumentEntryPatientId", stored->patient_id, NULL);
        break;
    case TWO_PATIENTS:
        params[0].values.n = 0;
        add_param(&query, "$XDSDocumentEntryPatientId", stored->patient_id, stored->patient_id);
        break;
    case NOT_A_PATIENT_ID:
        params[0].values.items[0] = SPAN("Isabella");
        break;
    case UNKNOWN_PATIENT:
        params[0].values.items[0] = SPAN("404^^^&2.999.2.1&ISO");
        break;
    case NO_STATUS:
        query.params.n = 1;
        break;
    case UNKNOWN_STATUS:
        params[1].values.items[0] = SPAN("urn:oasis:names:tc:ebxml-regrep:StatusType:Aproved");
        break;
    case STATUS_TWICE:
        add_param(&query, "$XDSDocumentEntryStatus", APPROVED, NULL);
        break;
    case NEITHER_NAME:
        query.params.n = 0;
        break;
    case BOTH_NAMES:
        add_param(&query, BY_UNIQUE_ID, stored->unique_id, NULL);
        break;
    case NOT_A_CODE:
        add_param(&query, "$XDSDocumentEntryTypeCode", "34133-9", NULL);
        break;
    case CODES_TWICE:
        add_param(&query, "$XDSDocumentEntryTypeCode", "34133-9^^2.16.840.1.113883.6.1", NULL);
        add_param(&query, "$XDSDocumentEntryTypeCode", "11506-3^^2.16.840.1.113883.6.1", NULL);
        break;
    case NOT_A_TIME:
        add_param(&query, "$XDSDocumentEntryCreationTimeFrom", "20261301", NULL);
        break;
    case TWO_TIMES:
        add_param(&query, "$XDSDocumentEntryCreationTimeFrom", "2026", "2027");
        break;
    }
    return query;
}

static void
test_each_mistake_has_its_error(void)
{
    static const struct {
        enum mistake mistake;
        const char *want, *record; /* IHE's code, ours */
        bool names_patient;        /* the record says whose documents were asked for */
    } rows[] = {
        {GET_WITHOUT_HOME, "XDSMissingHomeCommunityId", "MISSING_COMMUNITY", false},
        {HOME_OF_BLUE, "XDSUnknownCommunity", "UNKNOWN_COMMUNITY", true},
        {GET_FROM_BLUE, "XDSUnknownCommunity", "UNKNOWN_COMMUNITY", false},
        {UNKNOWN_QUERY, "XDSUnknownStoredQuery", "UNKNOWN_QUERY", false},
        {NO_PATIENT, "XDSStoredQueryMissingParam", "QUERY_PARAM_MISSING", false},
        {PATIENT_TWICE, "XDSStoredQueryParamNumber", "QUERY_PARAM_NUMBER", false},
        {TWO_PATIENTS, "XDSStoredQueryParamNumber", "QUERY_PARAM_NUMBER", false},
        {NOT_A_PATIENT_ID, "XDSRegistryError", "MESSAGE_CONTENT", false},
        {UNKNOWN_PATIENT, "XDSUnknownPatientId", "UNKNOWN_PATIENT", true},
        {NO_STATUS, "XDSStoredQueryMissingParam", "QUERY_PARAM_MISSING", true},
        {UNKNOWN_STATUS, "XDSStoredQueryMissingParam", "QUERY_PARAM_MISSING", true},
        {STATUS_TWICE, "XDSStoredQueryParamNumber", "QUERY_PARAM_NUMBER", true},
        {NEITHER_NAME, "XDSStoredQueryMissingParam", "QUERY_PARAM_MISSING", false},
        {BOTH_NAMES, "XDSStoredQueryParamNumber", "QUERY_PARAM_NUMBER", false},
        {NOT_A_CODE, "XDSRegistryError", "MESSAGE_CONTENT", true},
        {CODES_TWICE, "XDSStoredQueryParamNumber", "QUERY_PARAM_NUMBER", true},
        {NOT_A_TIME, "XDSRegistryError", "MESSAGE_CONTENT", true},
        {TWO_TIMES, "XDSStoredQueryParamNumber", "QUERY_PARAM_NUMBER", true},
    };
    struct scene_stored stored;
    struct stored_query query;
    struct query_answer answer;

    arena = kit_open_green(&scene);
    stored = kit_add(green(), "Isabella", "N", "<ClinicalDocument>third</ClinicalDocument>");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct scene_event *event;
        const size_t before = green()->sink.n;

        query = mistaken(rows[i].mistake, &stored);
        answer = ask(&query);
        event = scene_event(green(), 0);
        CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
        CU_ASSERT_EQUAL(answer.objects.documents.n, 0);
        CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
        CHECK_SPAN(answer.errors.items[0].code, rows[i].want);
        CHECK_SPAN(answer.errors.items[0].location, GREEN);
        CU_ASSERT_EQUAL(green()->sink.n, before + 1); /* one record per failure */
        CU_ASSERT_EQUAL(event->type, AUDIT_ITI_38);
        CU_ASSERT_EQUAL(event->outcome, AUDIT_SERIOUS);
        CU_ASSERT(event->query_n > 0);
        if (strncmp(event->reason, rows[i].record, strlen(rows[i].record)) != 0 ||
            (event->patients_n == 1) != rows[i].names_patient) {
            printf("\n    row %zu: the record says %s and names %zu patients\n", i, event->reason,
                   event->patients_n);
            CU_FAIL("another record was expected");
        }
    }
    query = mistaken(NO_HOME, &stored); /* no mistake: the benign twin */
    answer = ask(&query);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 3);
    kit_close_green(&scene, arena);
}

/* ---- withheld ---- */

static void
test_a_withheld_document_does_not_exist_for_partners(void)
{
    struct scene_stored normal, restricted, other;
    struct stored_query query;
    struct query_answer answer;

    arena = kit_open_green(&scene);
    normal = kit_add(green(), "Isabella", "N", "<ClinicalDocument>n</ClinicalDocument>");
    restricted = kit_add(green(), "Isabella", "R", "<ClinicalDocument>r</ClinicalDocument>");
    other = kit_add(green(), "Myra", "V", "<ClinicalDocument>v</ClinicalDocument>");
    query = find_query(normal.patient_id, true);
    CU_ASSERT_EQUAL(ask(&query).objects.documents.n, 3);
    query = find_query(normal.patient_id, false);
    CU_ASSERT_EQUAL(ask(&query).refs.n, 3);
    for (int i = 0; i < 4; i++) {
        query = get_query(i < 2 ? BY_UUID : BY_UNIQUE_ID,
                          i < 2 ? restricted.entry_uuid : restricted.unique_id, NULL, i % 2 == 0);
        answer = ask(&query);
        CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
        CU_ASSERT_EQUAL(answer.objects.documents.n + answer.refs.n, 0);
        CU_ASSERT_EQUAL(scene_event(green(), 0)->patients_n, 0);
    }
    /* nor does it show by an error that its patient is another one */
    query = get_query(BY_UUID, normal.entry_uuid, other.entry_uuid, true);
    answer = ask(&query);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 1);
    kit_close_green(&scene, arena);
}

/* Denied inside the protocol; the record names whose documents were asked for. */
static void
test_a_denied_purpose_is_recorded_with_the_patient(void)
{
    struct scene_stored stored;
    struct stored_query query;
    struct query_answer answer;

    arena = kit_open_green(&scene);
    stored = kit_add(green(), "Isabella", "N", "<ClinicalDocument>n</ClinicalDocument>");
    query = find_query(stored.patient_id, true);
    kit_set_policy(green(), NULL);
    answer = ask(&query);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].code, "XDSRegistryError");
    CU_ASSERT_EQUAL(scene_event(green(), 0)->type, AUDIT_ITI_38);
    CU_ASSERT_STRING_EQUAL(scene_event(green(), 0)->patient, stored.patient_id);
    kit_restore_policy(green());
    answer = ask(&query);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 3);
    kit_close_green(&scene, arena);
}

/* More at once than we take is said inside the protocol; what is no ITI-38 at all is a fault. */
static void
test_what_is_said_where(void)
{
    static const char with_include[] =
        "<q:AdhocQueryRequest xmlns:q=\"urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0\" "
        "xmlns=\"urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0\"><q:ResponseOption "
        "returnType=\"LeafClass\"/><AdhocQuery id=\"" XCA_FIND_DOCUMENTS "\" home=\"" GREEN
        "\"><Slot name=\"$XDSDocumentEntryPatientId\"><ValueList><Value><i:Include "
        "xmlns:i=\"http://www.w3.org/2004/08/xop/include\" href=\"cid:a\"/></Value></ValueList>"
        "</Slot></AdhocQuery></q:AdhocQueryRequest>";
    const struct kit_request request = {.transaction = SOAP_ITI_38, .payload = SPAN(with_include)};
    static struct scene_reply reply;
    struct stored_query query;
    struct query_answer answer;

    arena = kit_open_green(&scene);
    query = find_query("1^^^&2.999.2.1&ISO", true);
    while (query.params.n <= XCA_PARAMS_MAX) {
        add_param(&query, "$x", "1", NULL);
    }
    answer = ask(&query);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].code, "XDSRegistryOutOfResources");
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green(), 0)->reason, "LIMIT_ITEMS"));
    kit_send(&scene, &request, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 400);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "Fault>"));
    CU_ASSERT_PTR_NULL(strstr(reply.text, "RegistryError"));
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green(), 0)->reason, "XOP"));
    kit_close_green(&scene, arena);
}

/* 500 for every fault, or what SOAP 1.2 says, by the partner's file. */
static void
test_faults_have_the_status_that_is_wanted(void)
{
    static const struct {
        enum err code;
        int otherwise, soap12;
    } rows[] = {
        {ERR_WSA_ACTION, 500, 400}, {ERR_SIG_INVALID, 500, 400}, {ERR_SOAP_VERSION, 500, 400},
        {ERR_INTERNAL, 500, 500},   {ERR_JOURNAL, 503, 503},     {ERR_XOP, 400, 400},
    };
    /* an answer that relates to no question: a fault of the sender */
    const struct kit_request request = {.transaction = SOAP_ITI_55_RESPONSE,
                                        .payload =
                                            SPAN("<PRPA_IN201306UV02 xmlns='urn:hl7-org:v3'/>")};
    static struct scene_reply reply;
    struct partner *record;

    arena = kit_open_green(&scene);
    record = (struct partner *)config_partner_of_community(green()->config, SPAN("2.999.1"));
    for (int i = 0; i < 2; i++) {
        record->fault_status = i == 0 ? PARTNER_FAULT_STATUS_500 : PARTNER_FAULT_STATUS_SOAP12;
        for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
            CU_ASSERT_EQUAL(inbound_fault_status(record, rows[r].code),
                            i == 0 ? rows[r].otherwise : rows[r].soap12);
            CU_ASSERT_EQUAL(inbound_fault_status(NULL, rows[r].code), rows[r].otherwise);
        }
        kit_send(&scene, &request, &reply);
        CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "Fault>"));
        CU_ASSERT_EQUAL(reply.http_status, i == 0 ? 500 : 400);
    }
    kit_close_green(&scene, arena);
}

static const struct unit_test tests[] = {
    {"what is said where", test_what_is_said_where},
    /* REQ: WS-fault-status */
    {"faults have the status that is wanted", test_faults_have_the_status_that_is_wanted},
    /* REQ: ITI38-home-required, ITI38-home-unknown, ITI38-unknown-patient, SQ-missing-parameter */
    /* REQ: SQ-parameter-number, SQ-unknown-query, SQ-get-documents, ITI38-error-location */
    {"each mistake has its error", test_each_mistake_has_its_error},
    /* REQ: ITI38-find-documents, SQ-single-patient */
    {"several patients are never mixed", test_several_patients_are_never_mixed},
    {"a withheld document does not exist for partners",
     test_a_withheld_document_does_not_exist_for_partners},
    {"a denied purpose is recorded with the patient",
     test_a_denied_purpose_is_recorded_with_the_patient},
    /* REQ: ITI38-home-on-results */
    {"what is found is named with its community", test_what_is_found_is_named_with_its_community},
    /* REQ: ITI38-get-documents */
    {"documents are found by either name", test_documents_are_found_by_either_name},
};
UNIT_MAIN("scenario-query", tests)
