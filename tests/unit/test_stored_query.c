/*
 * The parameters of every stored query: what is refused and with which code and parameter, and what
 * a query that is right asks the store. Queries are read from messages as partners write them.
 */
#include <stdio.h>
#include <string.h>

#include "soap_support.h"
#include "txn/stored_query.h"
#include "unit.h"

#define FIND_DOCUMENTS     "14d4debf-8f97-4251-9a74-a90016b0af0d"
#define FIND_BY_REFERENCE  "12941a89-e02e-4be5-967c-ce4bfc8fe492"
#define FIND_SETS          "f26abbcb-ac74-4422-8a30-edb644bbc1a9"
#define FIND_FOLDERS       "958f3006-baad-4929-a4de-ff1114824431"
#define GET_ALL            "10b545ea-725c-446d-9b95-8aeb444eddf3"
#define GET_DOCUMENTS      "5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
#define GET_FOLDERS        "5737b14c-8a1a-4539-b659-e03a34a5e1e4"
#define GET_ASSOCIATIONS   "a7ae438b-4bc2-4642-93e9-be891f7bb155"
#define GET_WITH           "bab9529a-4a10-40b3-a01f-f68a615d247a"
#define GET_SETS           "51224314-5390-4169-9b91-b1980040715a"
#define GET_SET_CONTENTS   "e8e3cb2c-e39c-46b9-99e4-c12f57260b83"
#define GET_FOLDER_CONTENT "b909a503-523d-4517-8acf-8e5834dfc4c7"
#define GET_FOLDERS_FOR    "10cae35a-c7f9-4cf5-b61e-fc3278ffb578"
#define GET_RELATED        "d90e5407-b356-4d91-a89f-873917b4b0e6"

#define SLOT(name, value)                                                                          \
    "<r:Slot name='" name "'><r:ValueList><r:Value>" value "</r:Value></r:ValueList></r:Slot>"
#define APPROVED   "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
#define DEPRECATED "('urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated')"
#define PATIENT    "'42^^^&amp;2.999.1.2&amp;ISO'"

#define DE "$XDSDocumentEntry"
#define SS "$XDSSubmissionSet"
#define FO "$XDSFolder"

#define FIND_PATIENT SLOT(DE "PatientId", PATIENT)
#define FIND_RIGHT   FIND_PATIENT SLOT(DE "Status", APPROVED)

/* ---- reading ---- */

static struct arena *arena;

/* <slots> as the Slots of that query's message. */
static struct status
read_question(const char *id, const char *slots, struct diag *diag,
              struct stored_question *question)
{
    static char payload[16384];
    struct message *message;
    struct stored_query query;

    (void)snprintf(payload, sizeof(payload),
                   "<q:AdhocQueryRequest xmlns:q='urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0' "
                   "xmlns:r='urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0'><q:ResponseOption "
                   "returnComposedObjects='true' returnType='LeafClass'/><r:AdhocQuery "
                   "id='urn:uuid:%s'>%s</r:AdhocQuery></q:AdhocQueryRequest>",
                   id, slots);
    TRY(support_message(span_of_cstr(payload), arena, diag, &message));
    TRY(stored_query_read(message, arena, diag, &query));
    return stored_query_question(&query, arena, diag, question);
}

/* ---- refusals ---- */

static const struct {
    const char *id, *slots;
    enum err want;
    const char *param; /* NULL: none is named */
} mistakes[] = {
    {"00000000-8f97-4251-9a74-a90016b0af0d", FIND_RIGHT, ERR_UNKNOWN_QUERY, NULL},
    /* for several patients: another transaction (ITI-51) */
    {"3d1bdb10-39a2-11de-89c2-2f44d94eaa9f", FIND_RIGHT, ERR_UNKNOWN_QUERY, NULL},
    /* what is required */
    {FIND_DOCUMENTS, "", ERR_QUERY_PARAM_MISSING, DE "PatientId"},
    {FIND_DOCUMENTS, SLOT(DE "Status", APPROVED), ERR_QUERY_PARAM_MISSING, DE "PatientId"},
    {FIND_DOCUMENTS, FIND_PATIENT, ERR_QUERY_PARAM_MISSING, DE "Status"},
    {FIND_DOCUMENTS, FIND_PATIENT "<r:Slot name='" DE "Status'><r:ValueList/></r:Slot>",
     ERR_QUERY_PARAM_MISSING, DE "Status"},
    {FIND_DOCUMENTS, FIND_PATIENT SLOT(DE "Status", "('urn:x:Withdrawn')"), ERR_QUERY_PARAM_MISSING,
     DE "Status"},
    {FIND_BY_REFERENCE, FIND_RIGHT, ERR_QUERY_PARAM_MISSING, DE "ReferenceIdList"},
    {FIND_SETS, SLOT(SS "Status", APPROVED), ERR_QUERY_PARAM_MISSING, SS "PatientId"},
    {FIND_SETS, SLOT(SS "PatientId", PATIENT), ERR_QUERY_PARAM_MISSING, SS "Status"},
    {FIND_SETS, FIND_RIGHT, ERR_QUERY_PARAM_MISSING, SS "PatientId"},
    {FIND_FOLDERS, SLOT(FO "PatientId", PATIENT), ERR_QUERY_PARAM_MISSING, FO "Status"},
    {FIND_FOLDERS, SLOT(FO "Status", APPROVED), ERR_QUERY_PARAM_MISSING, FO "PatientId"},
    {GET_ALL, SLOT(DE "Status", APPROVED) SLOT(SS "Status", APPROVED) SLOT(FO "Status", APPROVED),
     ERR_QUERY_PARAM_MISSING, "$patientId"},
    {GET_ALL, SLOT("$patientId", PATIENT) SLOT(SS "Status", APPROVED) SLOT(FO "Status", APPROVED),
     ERR_QUERY_PARAM_MISSING, DE "Status"},
    {GET_ALL, SLOT("$patientId", PATIENT) SLOT(DE "Status", APPROVED) SLOT(FO "Status", APPROVED),
     ERR_QUERY_PARAM_MISSING, SS "Status"},
    {GET_ALL, SLOT("$patientId", PATIENT) SLOT(DE "Status", APPROVED) SLOT(SS "Status", APPROVED),
     ERR_QUERY_PARAM_MISSING, FO "Status"},
    {GET_DOCUMENTS, "", ERR_QUERY_PARAM_MISSING, DE "EntryUUID"},
    {GET_FOLDERS, "", ERR_QUERY_PARAM_MISSING, FO "EntryUUID"},
    {GET_FOLDERS, SLOT(DE "EntryUUID", "('a')"), ERR_QUERY_PARAM_MISSING, FO "EntryUUID"},
    {GET_ASSOCIATIONS, "", ERR_QUERY_PARAM_MISSING, "$uuid"},
    {GET_ASSOCIATIONS, SLOT(DE "EntryUUID", "('a')"), ERR_QUERY_PARAM_MISSING, "$uuid"},
    {GET_WITH, "", ERR_QUERY_PARAM_MISSING, DE "EntryUUID"},
    {GET_SETS, SLOT("$uuid", "()"), ERR_QUERY_PARAM_MISSING, "$uuid"},
    {GET_SET_CONTENTS, "", ERR_QUERY_PARAM_MISSING, SS "EntryUUID"},
    {GET_FOLDER_CONTENT, "", ERR_QUERY_PARAM_MISSING, FO "EntryUUID"},
    {GET_FOLDERS_FOR, "", ERR_QUERY_PARAM_MISSING, DE "EntryUUID"},
    {GET_RELATED, SLOT(DE "EntryUUID", "'a'"), ERR_QUERY_PARAM_MISSING, "$AssociationTypes"},
    {GET_RELATED, SLOT("$AssociationTypes", "('a')"), ERR_QUERY_PARAM_MISSING, DE "EntryUUID"},
    /* how many there may be */
    {FIND_DOCUMENTS,
     FIND_RIGHT SLOT(DE "CreationTimeFrom", "2020") SLOT(DE "CreationTimeFrom", "2021"),
     ERR_QUERY_PARAM_NUMBER, DE "CreationTimeFrom"},
    {FIND_DOCUMENTS,
     SLOT(DE "PatientId", "(" PATIENT ",'43^^^&amp;2.999.1.2&amp;ISO')")
         SLOT(DE "Status", APPROVED),
     ERR_QUERY_PARAM_NUMBER, DE "PatientId"},
    {FIND_DOCUMENTS, FIND_RIGHT FIND_PATIENT, ERR_QUERY_PARAM_NUMBER, DE "PatientId"},
    {FIND_DOCUMENTS, FIND_RIGHT SLOT(DE "Status", DEPRECATED), ERR_QUERY_PARAM_NUMBER, DE "Status"},
    {FIND_DOCUMENTS, FIND_RIGHT SLOT(DE "ClassCode", "('a^^b')") SLOT(DE "ClassCode", "('c^^d')"),
     ERR_QUERY_PARAM_NUMBER, DE "ClassCode"},
    {FIND_SETS,
     SLOT(SS "PatientId", PATIENT) SLOT(SS "Status", APPROVED) SLOT(SS "AuthorPerson", "('a','b')"),
     ERR_QUERY_PARAM_NUMBER, SS "AuthorPerson"},
    {GET_DOCUMENTS, SLOT(DE "EntryUUID", "('a')") SLOT(DE "UniqueId", "('b')"),
     ERR_QUERY_PARAM_NUMBER, DE "EntryUUID"},
    {GET_FOLDERS, SLOT(FO "EntryUUID", "('a')") SLOT(FO "UniqueId", "('b')"),
     ERR_QUERY_PARAM_NUMBER, FO "EntryUUID"},
    {GET_WITH, SLOT(DE "EntryUUID", "('a')") SLOT(DE "UniqueId", "('b')"), ERR_QUERY_PARAM_NUMBER,
     DE "EntryUUID"},
    {GET_SET_CONTENTS, SLOT(SS "EntryUUID", "('a','b')"), ERR_QUERY_PARAM_NUMBER, SS "EntryUUID"},
    {GET_SET_CONTENTS, SLOT(SS "EntryUUID", "'a'") SLOT(SS "UniqueId", "'b'"),
     ERR_QUERY_PARAM_NUMBER, SS "EntryUUID"},
    {GET_FOLDER_CONTENT, SLOT(FO "UniqueId", "('a','b')"), ERR_QUERY_PARAM_NUMBER, FO "UniqueId"},
    {GET_FOLDERS_FOR, SLOT(DE "UniqueId", "('a','b')"), ERR_QUERY_PARAM_NUMBER, DE "UniqueId"},
    {GET_RELATED, SLOT("$AssociationTypes", "('a')") SLOT(DE "EntryUUID", "('a','b')"),
     ERR_QUERY_PARAM_NUMBER, DE "EntryUUID"},
    /* what they may be */
    {FIND_DOCUMENTS, SLOT(DE "PatientId", "'42'") SLOT(DE "Status", APPROVED), ERR_MESSAGE_CONTENT,
     DE "PatientId"},
    {FIND_DOCUMENTS, FIND_RIGHT SLOT(DE "ClassCode", "('11488-4')"), ERR_MESSAGE_CONTENT,
     DE "ClassCode"},
    {FIND_DOCUMENTS, FIND_RIGHT SLOT(DE "EventCodeList", "('a^^')"), ERR_MESSAGE_CONTENT,
     DE "EventCodeList"},
    {FIND_DOCUMENTS, FIND_RIGHT SLOT(DE "ServiceStopTimeTo", "20201"), ERR_MESSAGE_CONTENT,
     DE "ServiceStopTimeTo"},
    {FIND_DOCUMENTS, FIND_RIGHT SLOT(DE "ServiceStartTimeFrom", "'soon'"), ERR_MESSAGE_CONTENT,
     DE "ServiceStartTimeFrom"},
    {FIND_SETS,
     SLOT(SS "PatientId", PATIENT) SLOT(SS "Status", APPROVED)
         SLOT(SS "SubmissionTimeFrom", "2020010203040506"),
     ERR_MESSAGE_CONTENT, SS "SubmissionTimeFrom"},
    {FIND_FOLDERS,
     SLOT(FO "PatientId", PATIENT) SLOT(FO "Status", APPROVED) SLOT(FO "CodeList", "('x')"),
     ERR_MESSAGE_CONTENT, FO "CodeList"},
};

static void
test_what_is_wrong_is_named(void)
{
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        struct stored_question question = {.name = NULL};
        struct diag diag = {0};

        arena = arena_new(ARENA_LIMIT_DEFAULT);
        if (!CHECK_ERR(&diag, mistakes[i].want,
                       read_question(mistakes[i].id, mistakes[i].slots, &diag, &question)) ||
            (question.param == NULL) != (mistakes[i].param == NULL) ||
            (question.param != NULL && strcmp(question.param, mistakes[i].param) != 0)) {
            printf("\n    case %zu: wanted %s, got %s: %s", i, mistakes[i].param, question.param,
                   diag.text);
            CU_FAIL("another complaint");
        }
        CU_ASSERT_PTR_NULL(strstr(diag.text, "42^")); /* no patient in a text for the log */
        arena_free(arena);
    }
}

/* ---- what is right ---- */

static void
test_find_documents_has_every_parameter(void)
{
    struct stored_question question;
    struct diag diag = {0};

    arena = arena_new(ARENA_LIMIT_DEFAULT);
    CHECK_OK(
        &diag,
        read_question(
            FIND_DOCUMENTS,
            FIND_PATIENT SLOT(DE "Status", "('urn:x:Other','" DOCUMENT_APPROVED
                                           "')") SLOT(DE "ClassCode", "('a^^1','b^^2')")
                SLOT(DE "TypeCode", "('c^^3')") SLOT(DE "PracticeSettingCode", "('d^^4')") SLOT(
                    DE "HealthcareFacilityTypeCode", "('e^^5')") SLOT(DE "FormatCode", "('f^^6')")
                    SLOT(DE "EventCodeList", "('g^^7','h^^7')") SLOT(DE "EventCodeList", "('i^^8')")
                        SLOT(DE "ConfidentialityCode", "('N^^9')") SLOT(DE "ConfidentialityCode",
                                                                        "('R^^9')")
                            SLOT(DE "AuthorPerson", "('Jones%','%Smith%')") SLOT(
                                DE "CreationTimeFrom", "2020") SLOT(DE "CreationTimeTo", "202101")
                                SLOT(DE "ServiceStartTimeFrom", "20200102") SLOT(
                                    DE "ServiceStartTimeTo",
                                    "2020010203") SLOT(DE "ServiceStopTimeFrom", "202001020304")
                                    SLOT(DE "ServiceStopTimeTo", "20200102030405") SLOT(
                                        DE "Type", "('" DOCUMENT_ON_DEMAND "','urn:uuid:0')")
                                        SLOT("$homegrown", "'passed over'") SLOT("$uuid", "('a')"),
            &diag, &question));
    const struct store_filter *filter = &question.asks.filter;
    CU_ASSERT_EQUAL(question.asks.kind, STORE_FIND_DOCUMENTS);
    CU_ASSERT(question.is_by_patient && question.param == NULL);
    CU_ASSERT_STRING_EQUAL(question.name, "FindDocuments");
    CHECK_SPAN(question.patient, "42^^^&2.999.1.2&ISO");
    CHECK_SPAN(filter->patient_id.extension, "42");
    CU_ASSERT_EQUAL_FATAL(filter->status.n, 1); /* what is no status of ours is passed over */
    CHECK_SPAN(filter->status.items[0], DOCUMENT_APPROVED);
    CU_ASSERT_EQUAL_FATAL(filter->class_codes.n, 2);
    CHECK_SPAN(filter->class_codes.items[1].value, "b");
    CHECK_SPAN(filter->class_codes.items[1].scheme, "2");
    CU_ASSERT_EQUAL(filter->type_codes.n, 1);
    CHECK_SPAN(filter->practice_settings.items[0].value, "d");
    CHECK_SPAN(filter->facility_types.items[0].value, "e");
    CHECK_SPAN(filter->format_codes.items[0].value, "f");
    CU_ASSERT_EQUAL_FATAL(filter->event_codes.n, 2);
    CU_ASSERT_EQUAL(filter->event_codes.items[0].n, 2);
    CHECK_SPAN(filter->event_codes.items[1].items[0].value, "i");
    CU_ASSERT_EQUAL(filter->confidentiality.n, 2);
    CU_ASSERT_EQUAL_FATAL(filter->authors.n, 2);
    CHECK_SPAN(filter->authors.items[1], "%Smith%");
    CHECK_SPAN(filter->creation_from, "2020");
    CHECK_SPAN(filter->creation_to, "202101");
    CHECK_SPAN(filter->service_start_from, "20200102");
    CHECK_SPAN(filter->service_start_to, "2020010203");
    CHECK_SPAN(filter->service_stop_from, "202001020304");
    CHECK_SPAN(filter->service_stop_to, "20200102030405");
    CU_ASSERT_EQUAL_FATAL(filter->object_types.n, 1);
    CHECK_SPAN(filter->object_types.items[0], DOCUMENT_ON_DEMAND);
    CU_ASSERT_EQUAL(question.asks.entry_uuids.n, 0); /* $uuid is another query's */
    arena_free(arena);
}

static void
test_values_may_be_spread_and_lists_may_be_empty(void)
{
    struct stored_question question;
    struct diag diag = {0};

    arena = arena_new(ARENA_LIMIT_DEFAULT);
    CHECK_OK(&diag, read_question(
                        FIND_BY_REFERENCE,
                        FIND_PATIENT
                        "<r:Slot name='" DE "Status'><r:ValueList><r:Value>" APPROVED
                        "</r:Value><r:Value>" DEPRECATED "</r:Value></r:ValueList></r:Slot>"
                        "<r:Slot name='" DE "ClassCode'><r:ValueList/></r:Slot>"
                        "<r:Slot name='" DE
                        "EventCodeList'><r:ValueList/></r:Slot>" SLOT(DE "Type", "('urn:uuid:0')")
                            SLOT(DE "ReferenceIdList", "('a^^^^urn:x','b^^^^urn:x')")
                                SLOT(DE "ReferenceIdList", "('O''Neil^^^^urn:x')"),
                        &diag, &question));
    CU_ASSERT_EQUAL(question.asks.kind, STORE_FIND_BY_REFERENCE_ID);
    CU_ASSERT_EQUAL(question.asks.filter.status.n, 2);
    CU_ASSERT_EQUAL(question.asks.filter.class_codes.n, 0);
    CU_ASSERT_EQUAL(question.asks.filter.event_codes.n, 0); /* not a set that nothing is in */
    CU_ASSERT_EQUAL(question.asks.filter.object_types.n, 0);
    CU_ASSERT_EQUAL_FATAL(question.asks.reference_ids.n, 2);
    CU_ASSERT_EQUAL(question.asks.reference_ids.items[0].n, 2);
    CHECK_SPAN(question.asks.reference_ids.items[1].items[0], "O'Neil^^^^urn:x");
    arena_free(arena);
}

static void
test_sets_folders_and_all(void)
{
    struct stored_question question;
    struct diag diag = {0};

    arena = arena_new(ARENA_LIMIT_DEFAULT);
    CHECK_OK(&diag, read_question(FIND_SETS,
                                  SLOT(SS "PatientId", PATIENT) SLOT(SS "Status", APPROVED)
                                      SLOT(SS "SourceId", "('2.999.1','2.999.2')")
                                          SLOT(SS "SubmissionTimeFrom", "2020")
                                              SLOT(SS "SubmissionTimeTo", "2021")
                                                  SLOT(SS "AuthorPerson", "'J%'")
                                                      SLOT(SS "ContentType", "('a^^1','b^^1')"),
                                  &diag, &question));
    CU_ASSERT_EQUAL(question.asks.kind, STORE_FIND_SUBMISSION_SETS);
    CHECK_SPAN(question.asks.filter.patient_id.root, "2.999.1.2");
    CU_ASSERT_EQUAL(question.asks.set_status.n, 1);
    CU_ASSERT_EQUAL(question.asks.source_ids.n, 2);
    CHECK_SPAN(question.asks.submitted_from, "2020");
    CHECK_SPAN(question.asks.submitted_to, "2021");
    CHECK_SPAN(question.asks.set_author, "J%");
    CU_ASSERT_EQUAL(question.asks.content_types.n, 2);
    CHECK_OK(&diag, read_question(FIND_FOLDERS,
                                  SLOT(FO "PatientId", PATIENT) SLOT(FO "Status", APPROVED)
                                      SLOT(FO "LastUpdateTimeFrom", "2020")
                                          SLOT(FO "LastUpdateTimeTo", "2021")
                                              SLOT(FO "CodeList", "('a^^1')")
                                                  SLOT(FO "CodeList", "('b^^1','c^^1')"),
                                  &diag, &question));
    CU_ASSERT_EQUAL(question.asks.kind, STORE_FIND_FOLDERS);
    CU_ASSERT_EQUAL(question.asks.folder_status.n, 1);
    CHECK_SPAN(question.asks.updated_from, "2020");
    CHECK_SPAN(question.asks.updated_to, "2021");
    CU_ASSERT_EQUAL_FATAL(question.asks.folder_codes.n, 2);
    CU_ASSERT_EQUAL(question.asks.folder_codes.items[1].n, 2);
    CHECK_OK(&diag, read_question(GET_ALL,
                                  SLOT("$patientId", PATIENT) SLOT(DE "Status", APPROVED)
                                      SLOT(SS "Status", DEPRECATED) SLOT(FO "Status", APPROVED)
                                          SLOT(DE "FormatCode", "('a^^1')")
                                              SLOT(DE "ConfidentialityCode", "('N^^1')")
                                                  SLOT(DE "Type", "('" DOCUMENT_STABLE "')"),
                                  &diag, &question));
    CU_ASSERT_EQUAL(question.asks.kind, STORE_GET_ALL);
    CU_ASSERT(question.is_by_patient);
    CHECK_SPAN(question.asks.filter.status.items[0], DOCUMENT_APPROVED);
    CHECK_SPAN(question.asks.set_status.items[0], DOCUMENT_DEPRECATED);
    CU_ASSERT_EQUAL(question.asks.folder_status.n, 1);
    CU_ASSERT_EQUAL(question.asks.filter.format_codes.n, 1);
    CU_ASSERT_EQUAL(question.asks.filter.confidentiality.n, 1);
    CU_ASSERT_EQUAL(question.asks.filter.object_types.n, 1);
    arena_free(arena);
}

static void
test_what_is_asked_by_ids(void)
{
    static const struct {
        const char *id, *slots;
        enum store_question_kind kind;
        size_t uuids, unique_ids;
    } rows[] = {
        {GET_DOCUMENTS, SLOT(DE "EntryUUID", "('a','b')"), STORE_GET_DOCUMENTS, 2, 0},
        {GET_DOCUMENTS, SLOT(DE "UniqueId", "('1.2')"), STORE_GET_DOCUMENTS, 0, 1},
        {GET_FOLDERS, SLOT(FO "UniqueId", "('a','b','c')"), STORE_GET_FOLDERS, 0, 3},
        {GET_ASSOCIATIONS, SLOT("$uuid", "('a','b')"), STORE_GET_ASSOCIATIONS, 2, 0},
        {GET_WITH, SLOT(DE "EntryUUID", "('a')"), STORE_GET_DOCUMENTS_AND_ASSOCIATIONS, 1, 0},
        {GET_SETS, SLOT("$uuid", "('a')"), STORE_GET_SUBMISSION_SETS, 1, 0},
        {GET_SET_CONTENTS, SLOT(SS "EntryUUID", "('a')") SLOT(DE "FormatCode", "('f^^1')"),
         STORE_GET_SUBMISSION_SET_AND_CONTENTS, 1, 0},
        {GET_FOLDER_CONTENT, SLOT(FO "UniqueId", "'a'"), STORE_GET_FOLDER_AND_CONTENTS, 0, 1},
        {GET_FOLDERS_FOR, SLOT(DE "EntryUUID", "'a'"), STORE_GET_FOLDERS_FOR_DOCUMENT, 1, 0},
        {GET_RELATED, SLOT(DE "UniqueId", "'a'") SLOT("$AssociationTypes", "('x','y')"),
         STORE_GET_RELATED_DOCUMENTS, 0, 1},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stored_question question;
        struct diag diag = {0};

        arena = arena_new(ARENA_LIMIT_DEFAULT);
        CHECK_OK(&diag, read_question(rows[i].id, rows[i].slots, &diag, &question));
        CU_ASSERT_EQUAL(question.asks.kind, rows[i].kind);
        CU_ASSERT(!question.is_by_patient);
        CU_ASSERT_EQUAL(question.asks.entry_uuids.n, rows[i].uuids);
        CU_ASSERT_EQUAL(question.asks.unique_ids.n, rows[i].unique_ids);
        CU_ASSERT_EQUAL(question.asks.association_types.n,
                        rows[i].kind == STORE_GET_RELATED_DOCUMENTS ? 2 : 0);
        CU_ASSERT_EQUAL(question.asks.filter.format_codes.n,
                        rows[i].kind == STORE_GET_SUBMISSION_SET_AND_CONTENTS ? 1 : 0);
        arena_free(arena);
    }
}

static const struct unit_test tests[] = {
    /* REQ: SQ-repeated-refused, SQ-missing-parameter, SQ-parameter-number, SQ-unknown-query */
    /* REQ: SQ-status-unknown */
    {"what is wrong is named", test_what_is_wrong_is_named},
    /* REQ: SQ-find-documents, SQ-status-unknown, SQ-entry-type */
    {"FindDocuments has every parameter", test_find_documents_has_every_parameter},
    /* REQ: SQ-values-list */
    {"values may be spread, and lists may be empty",
     test_values_may_be_spread_and_lists_may_be_empty},
    {"sets, folders and all", test_sets_folders_and_all},
    /* REQ: SQ-parameter-number */
    {"what is asked by ids", test_what_is_asked_by_ids},
};
UNIT_MAIN("stored queries", tests)
