/*
 * What a submission's objects must have by themselves, and the message as a whole: required
 * attributes, legal values, names, one patient, documents and entries that belong together (ITI
 * TF-3 Table 4.3.1-3). Called before anything is stored, without the database.
 *
 * Where the text leaves room: author, serviceStartTime and serviceStopTime are required if known,
 * which nobody here can tell. Times may have any precision. Limited metadata (the label) lifts what
 * XDR's "metadata-limited" does not require; whoever takes only known patients does not take it.
 * SubmissionSetStatus may be absent where the target says it.
 */
#include "store/sqlite_submit.h"

#include <stddef.h>

#include "base/ids.h"

enum need {
    OPTIONAL,
    REQUIRED,
    UNLIMITED, /* required unless the metadata is limited */
    STABLE,    /* the same, of a stable entry; an on-demand entry must not have it */
    NO_DEMAND  /* optional for a stable entry; an on-demand entry must not have it */
};
enum form { TEXT, OID, HOME, DTM, CX, DOCUMENT_ID, HASH, CODE, CODES };

struct rule {
    const char *name;
    size_t offset;
    enum need need;
    enum form form;
};

#define ENTRY(member) offsetof(struct document_entry, member)
static const struct rule entry_rules[] = {
    {"uniqueId", ENTRY(unique_id), REQUIRED, DOCUMENT_ID},
    {"mimeType", ENTRY(mime_type), REQUIRED, TEXT},
    {"patientId", ENTRY(patient_id), UNLIMITED, CX},
    {"sourcePatientId", ENTRY(source_patient_id), UNLIMITED, CX},
    {"creationTime", ENTRY(creation_time), STABLE, DTM},
    {"languageCode", ENTRY(language), UNLIMITED, TEXT},
    {"classCode", ENTRY(class_code), UNLIMITED, CODE},
    {"typeCode", ENTRY(type_code), UNLIMITED, CODE},
    {"formatCode", ENTRY(format_code), UNLIMITED, CODE},
    {"healthcareFacilityTypeCode", ENTRY(facility_type), UNLIMITED, CODE},
    {"practiceSettingCode", ENTRY(practice_setting), UNLIMITED, CODE},
    {"confidentialityCode", ENTRY(confidentiality), UNLIMITED, CODES},
    {"eventCodeList", ENTRY(event_codes), OPTIONAL, CODES},
    {"serviceStartTime", ENTRY(service_start), OPTIONAL, DTM},
    {"serviceStopTime", ENTRY(service_stop), OPTIONAL, DTM},
    {"hash", ENTRY(hash), NO_DEMAND, HASH},
    {"legalAuthenticator", ENTRY(legal_authenticator), NO_DEMAND, TEXT},
    {"homeCommunityId", ENTRY(home), OPTIONAL, HOME},
};

#define SET(member) offsetof(struct submission_set, member)
static const struct rule set_rules[] = {
    {"uniqueId", SET(unique_id), REQUIRED, OID},
    {"sourceId", SET(source_id), REQUIRED, OID},
    {"submissionTime", SET(submission_time), REQUIRED, DTM},
    {"patientId", SET(patient_id), UNLIMITED, CX},
    {"contentTypeCode", SET(content_type), UNLIMITED, CODE},
    {"homeCommunityId", SET(target_home), OPTIONAL, HOME},
};

#define FOLDER(member) offsetof(struct folder, member)
static const struct rule folder_rules[] = {
    {"uniqueId", FOLDER(unique_id), REQUIRED, OID},
    {"title", FOLDER(title), REQUIRED, TEXT},
    {"patientId", FOLDER(patient_id), UNLIMITED, CX},
    {"codeList", FOLDER(codes), UNLIMITED, CODES},
};

/* ---- values ---- */

static bool
is_there(const void *value, enum form form)
{
    return form == CODE    ? ((const struct code *)value)->value.n > 0
           : form == CODES ? ((const struct code_list *)value)->n > 0
                           : ((const struct span *)value)->n > 0;
}

static bool
are_codes_legal(const struct code *codes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (codes[i].value.n == 0 || codes[i].scheme.n == 0) {
            return false;
        }
    }
    return true;
}

/* What a legal value is; NULL when this is one. */
static const char *
find_fault(const void *value, enum form form)
{
    const struct span text =
        form == CODE || form == CODES ? SPAN_EMPTY : *(const struct span *)value;
    const struct code_list *list = value;
    struct diag ignored = {0};
    struct ident id;
    struct span oid;
    uint8_t sha1[20];
    char key[15];

    switch (form) {
    case TEXT:
        return NULL;
    case OID:
        return oid_is_valid(text) ? NULL : "an OID of at most 64 characters";
    case HOME:
        return home_community_oid(text, &oid) ? NULL : "urn:oid: and an OID";
    case DTM:
        return sqlite_dtm_key(text, key) ? NULL : "a DTM (YYYY[MM[DD[hh[mm[ss]]]]])";
    case CX:
        return is_ok(ident_read_cx(text, &ignored, &id)) ? NULL : "CX (id^^^&OID&ISO)";
    case DOCUMENT_ID:
        return document_unique_id_is_legal(text) ? NULL : "an OID, or OID^extension";
    case HASH:
        return hex_decode(text, sha1, sizeof(sha1)) ? NULL : "40 hexadecimal digits (SHA-1)";
    case CODE:
        return are_codes_legal(value, 1) ? NULL : "a code with its codingScheme";
    case CODES:
        return are_codes_legal(list->items, list->n) ? NULL : "codes with their codingSchemes";
    }
    return NULL;
}

/* How the sender finds the object. */
struct subject {
    const char *what;
    struct span id;
    bool is_limited, is_on_demand;
};

static struct status
refuse_value(struct submit *submit, const struct subject *subject, const char *attribute,
             const char *problem, const char *wanted)
{
    return submit_refuse(submit, submit_metadata_code(submit), "%s '%.*s': %s %s%s", subject->what,
                         SPAN_PRINT(subject->id), attribute, problem, wanted);
}

static struct status
check_rule(struct submit *submit, const struct subject *subject, const struct rule *rule,
           const void *object)
{
    const void *value = (const char *)object + rule->offset;
    const bool is_forbidden =
        subject->is_on_demand && (rule->need == STABLE || rule->need == NO_DEMAND);
    const bool is_required = rule->need == REQUIRED ||
                             (!subject->is_limited &&
                              (rule->need == UNLIMITED || (rule->need == STABLE && !is_forbidden)));

    if (!is_there(value, rule->form)) {
        return is_required ? refuse_value(submit, subject, rule->name, "is required", "") : OK;
    }
    if (is_forbidden) {
        return refuse_value(submit, subject, rule->name, "must be absent from an on-demand entry",
                            "");
    }
    const char *wanted = find_fault(value, rule->form);

    return wanted == NULL ? OK : refuse_value(submit, subject, rule->name, "must be ", wanted);
}

/* REQ: ITI41-metadata-error, ITI41-limited-metadata */
static struct status
check_rules(struct submit *submit, const struct subject *subject, const struct rule *rules,
            size_t n, const void *object)
{
    for (size_t i = 0; i < n; i++) {
        TRY(check_rule(submit, subject, &rules[i], object));
    }
    if (subject->is_limited && submit->submission->patients == STORE_PATIENTS_KNOWN) {
        return refuse_value(submit, subject, "limited metadata", "is not taken here", "");
    }
    return OK;
}

/* ---- names ---- */

static bool
is_urn(struct span id)
{
    return span_starts_with(id, SPAN("urn:uuid:"));
}

/* REQ: ITI41-symbolic-ids */
static struct status
add_name(struct submit *submit, const char *what, struct span id, enum submit_kind kind, size_t n,
         struct span *ret_uuid)
{
    struct submit_name name = {id, id, kind, n};

    if (id.n == 0 && kind != SUBMIT_ASSOCIATION) {
        TRY(submit_refuse(submit, submit_metadata_code(submit), "a %s has no entryUUID", what));
    } else if (is_urn(id) && !uuid_is_valid(span_slice(id, 9, SIZE_MAX))) {
        TRY(submit_refuse(submit, submit_metadata_code(submit),
                          "%s '%.*s': entryUUID must be urn:uuid: and a UUID, or a symbolic name",
                          what, SPAN_PRINT(id)));
    } else if (id.n > 0 && submit_find_name(submit, id) != NULL) {
        TRY(submit_refuse(submit, submit_metadata_code(submit),
                          "%s '%.*s': another object of the submission has this entryUUID", what,
                          SPAN_PRINT(id)));
    }
    TRY(is_urn(id) ? submit_uuid(submit, id, &name.uuid)
                   : sqlite_uuid_make(submit->arena, submit->diag, &name.uuid));
    *ret_uuid = name.uuid;
    return ARENA_PUSH(submit->arena, submit->diag, &submit->names, name);
}

static struct status
add_names(struct submit *submit)
{
    const struct registry_objects *given = submit->submission->objects;
    const struct registry_objects *objects = &submit->objects;

    for (size_t i = 0; i < given->submission_sets.n; i++) {
        TRY(add_name(submit, "SubmissionSet", given->submission_sets.items[i].entry_uuid,
                     SUBMIT_SET, i, &objects->submission_sets.items[i].entry_uuid));
    }
    for (size_t i = 0; i < given->documents.n; i++) {
        TRY(add_name(submit, "DocumentEntry", given->documents.items[i].entry_uuid, SUBMIT_DOCUMENT,
                     i, &objects->documents.items[i].entry_uuid));
    }
    for (size_t i = 0; i < given->folders.n; i++) {
        TRY(add_name(submit, "Folder", given->folders.items[i].entry_uuid, SUBMIT_FOLDER, i,
                     &objects->folders.items[i].entry_uuid));
    }
    for (size_t i = 0; i < given->associations.n; i++) {
        TRY(add_name(submit, "Association", given->associations.items[i].entry_uuid,
                     SUBMIT_ASSOCIATION, i, &objects->associations.items[i].entry_uuid));
    }
    return OK;
}

/* ---- uniqueIds, one patient ---- */

struct seen {
    struct span unique_id, patient_id;
    struct subject subject;
};
struct seen_list {
    struct seen *items;
    size_t n, capacity;
};

static struct status
list_seen(struct submit *submit, struct seen_list *seen)
{
    const struct registry_objects *given = submit->submission->objects;

    for (size_t i = 0; i < given->submission_sets.n; i++) {
        const struct submission_set *set = &given->submission_sets.items[i];
        const struct seen one = {
            set->unique_id, set->patient_id, {"SubmissionSet", set->entry_uuid, false, false}};

        TRY(ARENA_PUSH(submit->arena, submit->diag, seen, one));
    }
    for (size_t i = 0; i < given->documents.n; i++) {
        const struct document_entry *entry = &given->documents.items[i];
        const struct seen one = {entry->unique_id,
                                 entry->patient_id,
                                 {"DocumentEntry", entry->entry_uuid, false, false}};

        TRY(ARENA_PUSH(submit->arena, submit->diag, seen, one));
    }
    for (size_t i = 0; i < given->folders.n; i++) {
        const struct folder *folder = &given->folders.items[i];
        const struct seen one = {
            folder->unique_id, folder->patient_id, {"Folder", folder->entry_uuid, false, false}};

        TRY(ARENA_PUSH(submit->arena, submit->diag, seen, one));
    }
    return OK;
}

static bool
is_other_patient(struct span a, struct span b)
{
    struct diag ignored = {0};
    struct ident first, second;

    return is_ok(ident_read_cx(a, &ignored, &first)) &&
           is_ok(ident_read_cx(b, &ignored, &second)) && !ident_eq(&first, &second);
}

/* REQ: ITI41-patient-differs, ITI41-duplicate-id */
static struct status
check_together(struct submit *submit)
{
    struct seen_list seen = {0};

    TRY(list_seen(submit, &seen));
    for (size_t i = 1; i < seen.n; i++) {
        const struct seen *one = &seen.items[i];

        for (size_t k = 0; k < i; k++) {
            if (one->unique_id.n > 0 && span_eq(one->unique_id, seen.items[k].unique_id)) {
                TRY(submit_refuse(submit, SUBMIT_DUPLICATE_IN_MESSAGE,
                                  "%s '%.*s': uniqueId %.*s is another object's of the submission",
                                  one->subject.what, SPAN_PRINT(one->subject.id),
                                  SPAN_PRINT(one->unique_id)));
                break;
            }
        }
        if (is_other_patient(one->patient_id, seen.items[0].patient_id)) {
            TRY(submit_refuse(submit, SUBMIT_OTHER_PATIENT,
                              "%s '%.*s': patientId %.*s is not that of the SubmissionSet",
                              one->subject.what, SPAN_PRINT(one->subject.id),
                              SPAN_PRINT(one->patient_id)));
        }
    }
    return OK;
}

/* ---- documents and entries ---- */

/* REQ: ITI41-missing-metadata */
/* REQ: ITI41-hash-size */
static struct status
take_content(struct submit *submit, const struct submitted_document *document)
{
    const struct submit_name *name = submit_find_name(submit, document->entry_id);

    if (name == NULL || name->kind != SUBMIT_DOCUMENT) {
        return submit_refuse(submit, SUBMIT_MISSING_METADATA,
                             "document '%.*s' has no DocumentEntry in the submission",
                             SPAN_PRINT(document->entry_id));
    }
    if (submit->documents[name->n].body != NULL) {
        return submit_refuse(submit, SUBMIT_REPOSITORY_METADATA,
                             "DocumentEntry '%.*s' has several documents",
                             SPAN_PRINT(document->entry_id));
    }
    submit->documents[name->n].body = document->content;
    return OK;
}

static bool
is_on_demand(const struct document_entry *entry)
{
    return span_eq_cstr(entry->object_type, DOCUMENT_ON_DEMAND);
}

/* REQ: ITI41-missing-document */
static struct status
check_content(struct submit *submit, const struct document_entry *entry, size_t n)
{
    const bool has_content = submit->documents[n].body != NULL;

    if (is_on_demand(entry) && has_content) {
        return submit_refuse(submit, SUBMIT_REPOSITORY_METADATA,
                             "DocumentEntry '%.*s' is on-demand and comes with a document",
                             SPAN_PRINT(entry->entry_uuid));
    }
    return is_on_demand(entry) || has_content
               ? OK
               : submit_refuse(submit, SUBMIT_MISSING_DOCUMENT,
                               "DocumentEntry '%.*s' comes without its document",
                               SPAN_PRINT(entry->entry_uuid));
}

/* ---- kinds of objects ---- */

static struct status
check_entry(struct submit *submit, const struct document_entry *entry, size_t n)
{
    const struct subject subject = {"DocumentEntry", entry->entry_uuid, entry->is_limited,
                                    is_on_demand(entry)};

    TRY(check_rules(submit, &subject, entry_rules, ARRAY_LEN(entry_rules), entry));
    if (entry->object_type.n > 0 && !is_on_demand(entry) &&
        !span_eq_cstr(entry->object_type, DOCUMENT_STABLE)) {
        TRY(refuse_value(submit, &subject, "objectType", "must be ",
                         DOCUMENT_STABLE " (stable) or " DOCUMENT_ON_DEMAND " (on-demand)"));
    }
    if (subject.is_on_demand && entry->has_size) {
        TRY(refuse_value(submit, &subject, "size", "must be absent from an on-demand entry", ""));
    }
    if (entry->repository.n > 0 && !span_eq_cstr(entry->repository, submit->store->repository)) {
        TRY(refuse_value(submit, &subject, "repositoryUniqueId", "must be absent, or ",
                         submit->store->repository));
    }
    return check_content(submit, entry, n);
}

static struct status
check_association(struct submit *submit, const struct association *association)
{
    const struct subject subject = {"Association", association->entry_uuid, false, false};
    const struct {
        const char *name;
        struct span value;
    } required[] = {{"associationType", association->type},
                    {"sourceObject", association->source},
                    {"targetObject", association->target}};

    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        if (required[i].value.n == 0) {
            TRY(refuse_value(submit, &subject, required[i].name, "is required", ""));
        }
    }
    return association->documentation.value.n == 0 || association->documentation.scheme.n > 0
               ? OK
               : refuse_value(submit, &subject, "associationDocumentation", "must be ",
                              "a code with its codingScheme");
}

static struct status
check_set(struct submit *submit, const struct submission_set *set)
{
    const struct subject subject = {"SubmissionSet", set->entry_uuid, set->is_limited, false};

    return check_rules(submit, &subject, set_rules, ARRAY_LEN(set_rules), set);
}

static struct status
check_folder(struct submit *submit, const struct folder *folder)
{
    const struct subject subject = {"Folder", folder->entry_uuid, folder->is_limited, false};

    return check_rules(submit, &subject, folder_rules, ARRAY_LEN(folder_rules), folder);
}

static struct status
check_objects(struct submit *submit)
{
    const struct registry_objects *given = submit->submission->objects;

    for (size_t i = 0; i < given->submission_sets.n; i++) {
        TRY(check_set(submit, &given->submission_sets.items[i]));
    }
    for (size_t i = 0; i < given->documents.n; i++) {
        TRY(check_entry(submit, &given->documents.items[i], i));
    }
    for (size_t i = 0; i < given->folders.n; i++) {
        TRY(check_folder(submit, &given->folders.items[i]));
    }
    for (size_t i = 0; i < given->associations.n; i++) {
        TRY(check_association(submit, &given->associations.items[i]));
    }
    return OK;
}

/* ObjectRefs say only that an id is used: nothing is lost with them. */
static bool
is_object_ref(struct span xml)
{
    struct span name = span_slice(span_trim(xml), 1, 64);
    const size_t colon = span_find_char(name, ':');

    if (colon != SPAN_MISSING && span_find(name, SPAN("ObjectRef")) == colon + 1) {
        name = span_slice(name, colon + 1, SIZE_MAX);
    }
    return span_starts_with(name, SPAN("ObjectRef"));
}

/* REQ: ITI41-extra-metadata */
static struct status
warn_of_others(struct submit *submit)
{
    const struct span_list *others = &submit->submission->objects->others;
    size_t n = 0;

    for (size_t i = 0; i < others->n; i++) {
        n += is_object_ref(others->items[i]) ? 0 : 1;
    }
    if (n == 0) {
        return OK;
    }
    TRY(submit_refuse(submit, SUBMIT_NOT_SAVED,
                      "%zu objects were not saved: they are no SubmissionSet, DocumentEntry, "
                      "Folder or Association",
                      n));
    submit->errors.items[submit->errors.n - 1].is_warning = true;
    return OK;
}

struct status
submit_check(struct submit *submit)
{
    const size_t sets = submit->submission->objects->submission_sets.n;

    TRY(warn_of_others(submit));
    if (sets != 1) {
        TRY(submit_refuse(submit, submit_metadata_code(submit),
                          "a submission has one SubmissionSet, this one has %zu", sets));
    }
    TRY(add_names(submit));
    for (size_t i = 0; i < submit->submission->documents_n; i++) {
        TRY(take_content(submit, &submit->submission->documents[i]));
    }
    TRY(check_objects(submit));
    return check_together(submit);
}
