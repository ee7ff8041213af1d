/*
 * What a stored query asks a document registry. Its parameters are one table: which queries have
 * them, which need them, and how they are read. Called by the answering side, and by the asking
 * side when our own store is among those asked. Pure; everything lives in the arena. Source: ITI
 * TF-2 3.18.4.1.2.3.
 */
#include "txn/stored_query.h"

#include <stddef.h>

/* ---- the queries (ITI TF-2 Table 3.18.4.1.2.4-1) ---- */

struct query_row {
    const char *id;
    const char *name;
    bool is_by_patient;
};

static const struct query_row query_rows[STORE_QUESTION_KINDS] = {
    [STORE_FIND_DOCUMENTS] = {XCA_FIND_DOCUMENTS, "FindDocuments", true},
    [STORE_FIND_BY_REFERENCE_ID] = {"urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492",
                                    "FindDocumentsByReferenceId", true},
    [STORE_FIND_SUBMISSION_SETS] = {"urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9",
                                    "FindSubmissionSets", true},
    [STORE_FIND_FOLDERS] = {"urn:uuid:958f3006-baad-4929-a4de-ff1114824431", "FindFolders", true},
    [STORE_GET_ALL] = {"urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3", "GetAll", true},
    [STORE_GET_DOCUMENTS] = {XCA_GET_DOCUMENTS, "GetDocuments", false},
    [STORE_GET_FOLDERS] = {"urn:uuid:5737b14c-8a1a-4539-b659-e03a34a5e1e4", "GetFolders", false},
    [STORE_GET_ASSOCIATIONS] = {"urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155", "GetAssociations",
                                false},
    [STORE_GET_DOCUMENTS_AND_ASSOCIATIONS] = {"urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a",
                                              "GetDocumentsAndAssociations", false},
    [STORE_GET_SUBMISSION_SETS] = {"urn:uuid:51224314-5390-4169-9b91-b1980040715a",
                                   "GetSubmissionSets", false},
    [STORE_GET_SUBMISSION_SET_AND_CONTENTS] = {"urn:uuid:e8e3cb2c-e39c-46b9-99e4-c12f57260b83",
                                               "GetSubmissionSetAndContents", false},
    [STORE_GET_FOLDER_AND_CONTENTS] = {"urn:uuid:b909a503-523d-4517-8acf-8e5834dfc4c7",
                                       "GetFolderAndContents", false},
    [STORE_GET_FOLDERS_FOR_DOCUMENT] = {"urn:uuid:10cae35a-c7f9-4cf5-b61e-fc3278ffb578",
                                        "GetFoldersForDocument", false},
    [STORE_GET_RELATED_DOCUMENTS] = {"urn:uuid:d90e5407-b356-4d91-a89f-873917b4b0e6",
                                     "GetRelatedDocuments", false},
};

/* ---- their parameters ---- */

enum how {
    HOW_PATIENT,   /* one CX: an ident */
    HOW_ONE,       /* one text: a span */
    HOW_TIME,      /* one DTM: a span */
    HOW_MANY,      /* any of them: a span_list */
    HOW_ALONE,     /* one text: a span_list of one */
    HOW_STATUS,    /* any of those that we know: a span_list */
    HOW_TYPES,     /* the same of object types */
    HOW_CODES,     /* any of them: a code_list */
    HOW_CODES_AND, /* any of each Slot: a code_list_set */
    HOW_MANY_AND   /* the same of texts: a span_list_set */
};

struct param_row {
    const char *name;
    unsigned kinds; /* of the queries that have it */
    enum how how;
    bool is_required;
    size_t at; /* of its member in struct store_question */
};

#define KIND(kind)     (1U << (STORE_##kind))
#define AT(member)     offsetof(struct store_question, member)
#define DOCUMENT_FINDS (KIND(FIND_DOCUMENTS) | KIND(FIND_BY_REFERENCE_ID))
#define CONTENTS       (KIND(GET_SUBMISSION_SET_AND_CONTENTS) | KIND(GET_FOLDER_AND_CONTENTS))

/* clang-format off */
static const struct param_row param_rows[] = {
    {"$XDSDocumentEntryPatientId", DOCUMENT_FINDS, HOW_PATIENT, true, AT(filter.patient_id)},
    {"$XDSSubmissionSetPatientId", KIND(FIND_SUBMISSION_SETS), HOW_PATIENT, true, AT(filter.patient_id)},
    {"$XDSFolderPatientId", KIND(FIND_FOLDERS), HOW_PATIENT, true, AT(filter.patient_id)},
    {"$patientId", KIND(GET_ALL), HOW_PATIENT, true, AT(filter.patient_id)},

    {"$XDSDocumentEntryStatus", DOCUMENT_FINDS | KIND(GET_ALL), HOW_STATUS, true, AT(filter.status)},
    {"$XDSSubmissionSetStatus", KIND(FIND_SUBMISSION_SETS) | KIND(GET_ALL), HOW_STATUS, true, AT(set_status)},
    {"$XDSFolderStatus", KIND(FIND_FOLDERS) | KIND(GET_ALL), HOW_STATUS, true, AT(folder_status)},

    {"$XDSDocumentEntryClassCode", DOCUMENT_FINDS, HOW_CODES, false, AT(filter.class_codes)},
    {"$XDSDocumentEntryTypeCode", DOCUMENT_FINDS, HOW_CODES, false, AT(filter.type_codes)},
    {"$XDSDocumentEntryPracticeSettingCode", DOCUMENT_FINDS, HOW_CODES, false, AT(filter.practice_settings)},
    {"$XDSDocumentEntryHealthcareFacilityTypeCode", DOCUMENT_FINDS, HOW_CODES, false, AT(filter.facility_types)},
    {"$XDSDocumentEntryEventCodeList", DOCUMENT_FINDS, HOW_CODES_AND, false, AT(filter.event_codes)},
    {"$XDSDocumentEntryConfidentialityCode", DOCUMENT_FINDS | KIND(GET_ALL) | CONTENTS, HOW_CODES_AND, false, AT(filter.confidentiality)},
    {"$XDSDocumentEntryFormatCode", DOCUMENT_FINDS | KIND(GET_ALL) | CONTENTS, HOW_CODES, false, AT(filter.format_codes)},
    {"$XDSDocumentEntryAuthorPerson", DOCUMENT_FINDS, HOW_MANY, false, AT(filter.authors)},
    {"$XDSDocumentEntryType", DOCUMENT_FINDS | KIND(GET_ALL) | CONTENTS | KIND(GET_RELATED_DOCUMENTS), HOW_TYPES, false, AT(filter.object_types)},
    {"$XDSDocumentEntryCreationTimeFrom", DOCUMENT_FINDS, HOW_TIME, false, AT(filter.creation_from)},
    {"$XDSDocumentEntryCreationTimeTo", DOCUMENT_FINDS, HOW_TIME, false, AT(filter.creation_to)},
    {"$XDSDocumentEntryServiceStartTimeFrom", DOCUMENT_FINDS, HOW_TIME, false, AT(filter.service_start_from)},
    {"$XDSDocumentEntryServiceStartTimeTo", DOCUMENT_FINDS, HOW_TIME, false, AT(filter.service_start_to)},
    {"$XDSDocumentEntryServiceStopTimeFrom", DOCUMENT_FINDS, HOW_TIME, false, AT(filter.service_stop_from)},
    {"$XDSDocumentEntryServiceStopTimeTo", DOCUMENT_FINDS, HOW_TIME, false, AT(filter.service_stop_to)},
    {"$XDSDocumentEntryReferenceIdList", KIND(FIND_BY_REFERENCE_ID), HOW_MANY_AND, true, AT(reference_ids)},

    {"$XDSSubmissionSetSourceId", KIND(FIND_SUBMISSION_SETS), HOW_MANY, false, AT(source_ids)},
    {"$XDSSubmissionSetSubmissionTimeFrom", KIND(FIND_SUBMISSION_SETS), HOW_TIME, false, AT(submitted_from)},
    {"$XDSSubmissionSetSubmissionTimeTo", KIND(FIND_SUBMISSION_SETS), HOW_TIME, false, AT(submitted_to)},
    {"$XDSSubmissionSetAuthorPerson", KIND(FIND_SUBMISSION_SETS), HOW_ONE, false, AT(set_author)},
    {"$XDSSubmissionSetContentType", KIND(FIND_SUBMISSION_SETS), HOW_CODES, false, AT(content_types)},

    {"$XDSFolderLastUpdateTimeFrom", KIND(FIND_FOLDERS), HOW_TIME, false, AT(updated_from)},
    {"$XDSFolderLastUpdateTimeTo", KIND(FIND_FOLDERS), HOW_TIME, false, AT(updated_to)},
    {"$XDSFolderCodeList", KIND(FIND_FOLDERS), HOW_CODES_AND, false, AT(folder_codes)},

    {"$XDSDocumentEntryEntryUUID", KIND(GET_DOCUMENTS) | KIND(GET_DOCUMENTS_AND_ASSOCIATIONS), HOW_MANY, false, AT(entry_uuids)},
    {"$XDSDocumentEntryUniqueId", KIND(GET_DOCUMENTS) | KIND(GET_DOCUMENTS_AND_ASSOCIATIONS), HOW_MANY, false, AT(unique_ids)},
    {"$XDSDocumentEntryEntryUUID", KIND(GET_FOLDERS_FOR_DOCUMENT) | KIND(GET_RELATED_DOCUMENTS), HOW_ALONE, false, AT(entry_uuids)},
    {"$XDSDocumentEntryUniqueId", KIND(GET_FOLDERS_FOR_DOCUMENT) | KIND(GET_RELATED_DOCUMENTS), HOW_ALONE, false, AT(unique_ids)},
    {"$XDSFolderEntryUUID", KIND(GET_FOLDERS), HOW_MANY, false, AT(entry_uuids)},
    {"$XDSFolderUniqueId", KIND(GET_FOLDERS), HOW_MANY, false, AT(unique_ids)},
    {"$XDSFolderEntryUUID", KIND(GET_FOLDER_AND_CONTENTS), HOW_ALONE, false, AT(entry_uuids)},
    {"$XDSFolderUniqueId", KIND(GET_FOLDER_AND_CONTENTS), HOW_ALONE, false, AT(unique_ids)},
    {"$XDSSubmissionSetEntryUUID", KIND(GET_SUBMISSION_SET_AND_CONTENTS), HOW_ALONE, false, AT(entry_uuids)},
    {"$XDSSubmissionSetUniqueId", KIND(GET_SUBMISSION_SET_AND_CONTENTS), HOW_ALONE, false, AT(unique_ids)},
    {"$uuid", KIND(GET_ASSOCIATIONS) | KIND(GET_SUBMISSION_SETS), HOW_MANY, true, AT(entry_uuids)},
    {"$AssociationTypes", KIND(GET_RELATED_DOCUMENTS), HOW_MANY, true, AT(association_types)},
};
/* clang-format on */

struct reader {
    const struct stored_query *query;
    struct arena *arena;
    struct diag *diag;
    struct stored_question *question;
};

/* ---- values ---- */

/* code^^codingScheme (ITI TF-2 3.18.4.1.2.3.4) */
/* REQ: SQ-codes */
struct status
stored_query_code(struct span text, struct diag *diag, const char *param, struct code *ret_code)
{
    struct span rest = text;
    struct span value = SPAN_EMPTY, empty = SPAN_EMPTY, scheme = SPAN_EMPTY;

    if (!span_split(&rest, '^', &value) || !span_split(&rest, '^', &empty) ||
        !span_split(&rest, '^', &scheme) || value.n == 0 || scheme.n == 0) {
        return FAIL(diag, ERR_MESSAGE_CONTENT, "%s: expected 'code^^codingScheme'", param);
    }
    *ret_code = (struct code){.value = value, .scheme = scheme};
    return OK;
}

static struct status
read_codes(struct reader *reader, const struct query_param *param, const char *name,
           struct code_list *codes)
{
    for (size_t i = 0; i < param->values.n; i++) {
        struct code code;

        TRY(stored_query_code(param->values.items[i], reader->diag, name, &code));
        TRY(ARENA_PUSH(reader->arena, reader->diag, codes, code));
    }
    return OK;
}

/* REQ: SQ-dates */
static bool
is_dtm(struct span text)
{
    uint64_t value;

    return text.n >= 4 && text.n <= 14 && text.n % 2 == 0 && span_to_u64(text, UINT64_MAX, &value);
}

/* REQ: SQ-status-unknown */
static bool
is_status(struct span value)
{
    return span_eq_cstr(value, DOCUMENT_APPROVED) || span_eq_cstr(value, DOCUMENT_DEPRECATED);
}

/* REQ: SQ-entry-type */
static bool
is_type(struct span value)
{
    return span_eq_cstr(value, DOCUMENT_STABLE) || span_eq_cstr(value, DOCUMENT_ON_DEMAND);
}

static struct status
read_known(struct reader *reader, const char *name, bool (*is_known)(struct span),
           struct span_list *known)
{
    struct span_list values;

    TRY(query_param_many(reader->query, name, false, reader->diag, &values));
    for (size_t i = 0; i < values.n; i++) {
        if (is_known(values.items[i])) {
            TRY(ARENA_PUSH(reader->arena, reader->diag, known, values.items[i]));
        }
    }
    return OK;
}

/* ---- one parameter ---- */

static struct status
read_patient(struct reader *reader, const char *name, struct ident *id)
{
    struct span cx;

    TRY(query_param_one(reader->query, name, false, reader->diag, &cx));
    if (cx.n == 0) {
        return OK;
    }
    if (!is_ok(ident_read_cx(cx, reader->diag, id))) {
        diag_prefix(reader->diag, "%s", name);
        return (struct status){reader->diag->code};
    }
    reader->question->patient = cx;
    return OK;
}

static struct status
read_time(struct reader *reader, const char *name, struct span *time)
{
    TRY(query_param_one(reader->query, name, false, reader->diag, time));
    if (time->n > 0 && !is_dtm(*time)) {
        return FAIL(reader->diag, ERR_MESSAGE_CONTENT, "%s: expected YYYY[MM[DD[hh[mm[ss]]]]]",
                    name);
    }
    return OK;
}

static struct status
read_alone(struct reader *reader, const char *name, struct span_list *list)
{
    struct span value;

    TRY(query_param_one(reader->query, name, false, reader->diag, &value));
    return value.n == 0 ? OK : ARENA_PUSH(reader->arena, reader->diag, list, value);
}

/* REQ: SQ-repeated-refused */
static struct status
read_code_list(struct reader *reader, const char *name, struct code_list *codes)
{
    struct query_param param = {.name = span_of_cstr(name)};

    TRY(query_param_many(reader->query, name, false, reader->diag, &param.values));
    return read_codes(reader, &param, name, codes);
}

/* A Slot that is given again restricts further. */
/* REQ: SQ-find-by-reference-id */
static struct status
read_slots(struct reader *reader, const struct param_row *row, void *member)
{
    for (size_t i = 0; i < reader->query->params.n; i++) {
        const struct query_param *param = &reader->query->params.items[i];

        if (!span_eq_cstr(param->name, row->name) || param->values.n == 0) {
            continue;
        }
        if (row->how == HOW_MANY_AND) {
            struct span_list_set *set = member;

            TRY(ARENA_PUSH(reader->arena, reader->diag, set, param->values));
        } else {
            struct code_list_set *set = member;
            struct code_list codes = {0};

            TRY(read_codes(reader, param, row->name, &codes));
            TRY(ARENA_PUSH(reader->arena, reader->diag, set, codes));
        }
    }
    return OK;
}

static struct status
read_values(struct reader *reader, const struct param_row *row, void *member)
{
    switch (row->how) {
    case HOW_PATIENT:
        return read_patient(reader, row->name, member);
    case HOW_ONE:
        return query_param_one(reader->query, row->name, false, reader->diag, member);
    case HOW_TIME:
        return read_time(reader, row->name, member);
    case HOW_MANY:
        return query_param_many(reader->query, row->name, false, reader->diag, member);
    case HOW_ALONE:
        return read_alone(reader, row->name, member);
    case HOW_STATUS:
        return read_known(reader, row->name, is_status, member);
    case HOW_TYPES:
        return read_known(reader, row->name, is_type, member);
    case HOW_CODES:
        return read_code_list(reader, row->name, member);
    case HOW_CODES_AND:
    case HOW_MANY_AND:
        break;
    }
    return read_slots(reader, row, member);
}

/* REQ: SQ-missing-parameter */
static bool
is_absent(const struct param_row *row, const void *member)
{
    switch (row->how) {
    case HOW_PATIENT:
        return ((const struct ident *)member)->root.n == 0;
    case HOW_ONE:
    case HOW_TIME:
        return ((const struct span *)member)->n == 0;
    case HOW_MANY:
    case HOW_ALONE:
    case HOW_STATUS:
    case HOW_TYPES:
        return ((const struct span_list *)member)->n == 0;
    case HOW_CODES:
        return ((const struct code_list *)member)->n == 0;
    case HOW_CODES_AND:
        return ((const struct code_list_set *)member)->n == 0;
    case HOW_MANY_AND:
        break;
    }
    return ((const struct span_list_set *)member)->n == 0;
}

static struct status
read_param(struct reader *reader, const struct param_row *row)
{
    struct stored_question *question = reader->question;
    void *member = (char *)&question->asks + row->at;

    question->param = row->name;
    TRY(read_values(reader, row, member));
    if (row->is_required && is_absent(row, member)) {
        return FAIL(reader->diag, ERR_QUERY_PARAM_MISSING,
                    "%s needs %s, with a value that this parameter may have", question->name,
                    row->name);
    }
    question->param = NULL;
    return OK;
}

/* ---- the query ---- */

/* What is asked for by id has exactly one kind of ids. */
/* REQ: SQ-parameter-number, SQ-get-documents, SQ-get-related-documents */
static struct status
check_ids(struct reader *reader, unsigned kind)
{
    struct stored_question *question = reader->question;
    const struct param_row *row = NULL;

    if (question->is_by_patient) {
        return OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(param_rows) && row == NULL; i++) {
        if ((param_rows[i].kinds & kind) != 0 && param_rows[i].at == AT(entry_uuids)) {
            row = &param_rows[i];
        }
    }
    if (question->asks.entry_uuids.n > 0 && question->asks.unique_ids.n > 0) {
        question->param = row->name;
        return FAIL(reader->diag, ERR_QUERY_PARAM_NUMBER,
                    "%s takes %s or the uniqueId, and both are given", question->name, row->name);
    }
    if (question->asks.entry_uuids.n == 0 && question->asks.unique_ids.n == 0) {
        question->param = row->name;
        return FAIL(reader->diag, ERR_QUERY_PARAM_MISSING,
                    "%s needs %s or the uniqueId, and neither is given", question->name, row->name);
    }
    return OK;
}

/* REQ: SQ-unknown-query */
static struct status
find_query(struct reader *reader)
{
    struct stored_question *question = reader->question;

    for (size_t i = 0; i < ARRAY_LEN(query_rows); i++) {
        if (span_eq_cstr(reader->query->id, query_rows[i].id)) {
            question->asks.kind = (enum store_question_kind)i;
            question->name = query_rows[i].name;
            question->is_by_patient = query_rows[i].is_by_patient;
            return OK;
        }
    }
    return FAIL(reader->diag, ERR_UNKNOWN_QUERY,
                "'%.*s' is none of the stored queries of ITI TF-2 Table 3.18.4.1.2.4-1",
                SPAN_PRINT(span_slice(reader->query->id, 0, 80)));
}

/* REQ: SQ-unknown-parameter, SQ-find-documents, SQ-find-submission-sets, SQ-find-folders */
/* REQ: SQ-get-all, SQ-on-demand, SQ-get-folders, SQ-get-associations,
 * SQ-get-documents-and-associations */
/* REQ: SQ-get-submission-sets, SQ-get-submission-set-and-contents, SQ-get-folder-and-contents */
/* REQ: SQ-get-folders-for-document */
struct status
stored_query_question(const struct stored_query *query, struct arena *arena, struct diag *diag,
                      struct stored_question *question)
{
    struct reader reader = {query, arena, diag, question};
    unsigned kind;

    *question = (struct stored_question){.name = NULL};
    TRY(find_query(&reader));
    kind = 1U << question->asks.kind;
    for (size_t i = 0; i < ARRAY_LEN(param_rows); i++) {
        if ((param_rows[i].kinds & kind) != 0) {
            TRY(read_param(&reader, &param_rows[i]));
        }
    }
    return check_ids(&reader, kind);
}
