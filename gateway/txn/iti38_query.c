/*
 * What a stored query of ITI-38 asks a document registry: its parameters, typed and judged. Called
 * by the answering side, and by the asking side when our own store is among those asked. Pure;
 * everything lives in the arena. Source: ITI TF-2 3.18.4.1.2.3.
 */
#include "txn/iti38_query.h"

#include <string.h>

struct reader {
    const struct stored_query *query;
    struct arena *arena;
    struct diag *diag;
    struct iti38_question *question;
};

/* code^^codingScheme (ITI TF-2 3.18.4.1.2.3.4) */
struct status
iti38_read_code(struct span text, struct diag *diag, const char *param, struct code *ret_code)
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

        TRY(iti38_read_code(param->values.items[i], reader->diag, name, &code));
        TRY(ARENA_PUSH(reader->arena, reader->diag, codes, code));
    }
    return OK;
}

/* A coded parameter, OR of its values; repeated slots of the two that may repeat are ANDed. */
static struct status
read_coded_params(struct reader *reader)
{
    struct store_filter *filter = &reader->question->filter;
    const struct {
        const char *name;
        struct code_list *codes;
        struct code_list_set *set;
    } rows[] = {
        {"$XDSDocumentEntryClassCode", &filter->class_codes, NULL},
        {"$XDSDocumentEntryTypeCode", &filter->type_codes, NULL},
        {"$XDSDocumentEntryPracticeSettingCode", &filter->practice_settings, NULL},
        {"$XDSDocumentEntryHealthcareFacilityTypeCode", &filter->facility_types, NULL},
        {"$XDSDocumentEntryFormatCode", &filter->format_codes, NULL},
        {"$XDSDocumentEntryEventCodeList", NULL, &filter->event_codes},
        {"$XDSDocumentEntryConfidentialityCode", NULL, &filter->confidentiality},
    };

    for (size_t i = 0; i < reader->query->params.n; i++) {
        const struct query_param *param = &reader->query->params.items[i];

        for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
            struct code_list codes = {0};

            if (!span_eq_cstr(param->name, rows[r].name)) {
                continue;
            }
            TRY(read_codes(reader, param, rows[r].name, &codes));
            if (rows[r].set != NULL) {
                TRY(ARENA_PUSH(reader->arena, reader->diag, rows[r].set, codes));
            } else if (rows[r].codes->n > 0) {
                return FAIL(reader->diag, ERR_QUERY_PARAM_NUMBER,
                            "%s is given twice; expected once", rows[r].name);
            } else {
                *rows[r].codes = codes;
            }
        }
    }
    return OK;
}

static bool
is_dtm(struct span text)
{
    uint64_t value;

    return text.n >= 4 && text.n <= 14 && text.n % 2 == 0 && span_to_u64(text, UINT64_MAX, &value);
}

static struct status
read_times(struct reader *reader)
{
    struct store_filter *filter = &reader->question->filter;
    const struct {
        const char *name;
        struct span *time;
    } rows[] = {
        {"$XDSDocumentEntryCreationTimeFrom", &filter->creation_from},
        {"$XDSDocumentEntryCreationTimeTo", &filter->creation_to},
        {"$XDSDocumentEntryServiceStartTimeFrom", &filter->service_start_from},
        {"$XDSDocumentEntryServiceStartTimeTo", &filter->service_start_to},
        {"$XDSDocumentEntryServiceStopTimeFrom", &filter->service_stop_from},
        {"$XDSDocumentEntryServiceStopTimeTo", &filter->service_stop_to},
    };

    for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
        TRY(query_param_one(reader->query, rows[r].name, false, reader->diag, rows[r].time));
        if (rows[r].time->n > 0 && !is_dtm(*rows[r].time)) {
            return FAIL(reader->diag, ERR_MESSAGE_CONTENT, "%s: expected YYYY[MM[DD[hh[mm[ss]]]]]",
                        rows[r].name);
        }
    }
    return OK;
}

/* Values that are no status are ignored; one must be left (ITI TF-2 3.18.4.1.2.3.6). */
static struct status
read_status(struct reader *reader)
{
    struct diag *diag = reader->diag;
    struct span_list values;

    TRY(query_param_many(reader->query, "$XDSDocumentEntryStatus", true, diag, &values));
    for (size_t i = 0; i < values.n; i++) {
        if (span_eq_cstr(values.items[i], DOCUMENT_APPROVED) ||
            span_eq_cstr(values.items[i], DOCUMENT_DEPRECATED)) {
            TRY(ARENA_PUSH(reader->arena, diag, &reader->question->filter.status, values.items[i]));
        }
    }
    if (reader->question->filter.status.n == 0) {
        return FAIL(diag, ERR_QUERY_PARAM_MISSING,
                    "$XDSDocumentEntryStatus has no value that is a status of documents");
    }
    return OK;
}

static struct status
read_find(struct reader *reader)
{
    struct diag *diag = reader->diag;
    struct span cx;

    TRY(query_param_one(reader->query, "$XDSDocumentEntryPatientId", true, diag, &cx));
    TRY(ident_read_cx(cx, diag, &reader->question->filter.patient_id));
    reader->question->patient = cx;
    TRY(read_status(reader));
    TRY(query_param_many(reader->query, "$XDSDocumentEntryType", false, diag,
                         &reader->question->filter.object_types));
    TRY(query_param_many(reader->query, "$XDSDocumentEntryAuthorPerson", false, diag,
                         &reader->question->filter.authors));
    TRY(read_coded_params(reader));
    return read_times(reader);
}

static struct status
read_get(struct reader *reader)
{
    struct diag *diag = reader->diag;

    TRY(query_param_many(reader->query, "$XDSDocumentEntryEntryUUID", false, diag,
                         &reader->question->entry_uuids));
    TRY(query_param_many(reader->query, "$XDSDocumentEntryUniqueId", false, diag,
                         &reader->question->unique_ids));
    if (reader->question->entry_uuids.n > 0 && reader->question->unique_ids.n > 0) {
        return FAIL(
            diag, ERR_QUERY_PARAM_NUMBER,
            "GetDocuments takes $XDSDocumentEntryEntryUUID or $XDSDocumentEntryUniqueId, not both");
    }
    if (reader->question->entry_uuids.n == 0 && reader->question->unique_ids.n == 0) {
        return FAIL(diag, ERR_QUERY_PARAM_MISSING,
                    "GetDocuments needs $XDSDocumentEntryEntryUUID or $XDSDocumentEntryUniqueId");
    }
    return OK;
}

struct status
iti38_question_read(const struct stored_query *query, struct arena *arena, struct diag *diag,
                    struct iti38_question *question)
{
    struct reader reader = {query, arena, diag, question};

    *question = (struct iti38_question){.is_find = span_eq_cstr(query->id, XCA_FIND_DOCUMENTS)};
    if (!question->is_find && !span_eq_cstr(query->id, XCA_GET_DOCUMENTS)) {
        return FAIL(diag, ERR_UNKNOWN_QUERY,
                    "stored query '%.*s'; this node answers FindDocuments and GetDocuments",
                    SPAN_PRINT(query->id));
    }
    return question->is_find ? read_find(&reader) : read_get(&reader);
}
