/*
 * Every stored query asked of a Responding Gateway whose store holds SubmissionSets, Folders and
 * Associations: what is found, what our rules hold back and what goes with it, as metadata and as
 * references, from a store that answers at once and from one that answers later. Fake clock, no
 * sockets.
 */
#include <stdio.h>
#include <string.h>

#include "local_kit.h"
#include "store/registry.h"

#define RED "urn:oid:2.999.1"

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;
static struct arena *arena;

/* What green holds of one patient: documents plain and restricted (confidentiality R) in one
 * SubmissionSet and one Folder. By their symbolic names in the submission, in this order. */
enum object { PLAIN, RESTRICTED, SET, FOLDER, OBJECTS };
static const char *const symbols[OBJECTS] = {"plain", "restricted", "set", "folder"};
static struct span uuids[OBJECTS];
static const char *const unique_ids[OBJECTS] = {"2.999.70.1", "2.999.70.2", "2.999.70.3",
                                                "2.999.70.4"};
static struct span patient_id; /* CX */

static struct place *
green(void)
{
    return scene_place(&scene, "green");
}

/* ---- what green holds ---- */

static struct document_entry
make_entry(enum object which, const char *confidentiality)
{
    static struct code codes[2];
    static struct span info[1], reference[2];
    static struct author author[1];

    info[0] = SPAN("PID-5|Jones^Folder");
    author[0] = (struct author){.person = SPAN("^Example^Ada")};
    reference[PLAIN] = SPAN("ref-0^^^^urn:ihe:iti:xds:2013:accession");
    reference[RESTRICTED] = SPAN("ref-1^^^^urn:ihe:iti:xds:2013:accession");
    codes[which] = (struct code){span_of_cstr(confidentiality), SPAN("2.16.840.1.113883.5.25"),
                                 SPAN("as it says")};
    return (struct document_entry){
        .entry_uuid = span_of_cstr(symbols[which]),
        .unique_id = span_of_cstr(unique_ids[which]),
        .patient_id = patient_id,
        .mime_type = SPAN("text/plain"),
        .object_type = SPAN(DOCUMENT_STABLE),
        .status = SPAN(DOCUMENT_APPROVED),
        .title = SPAN("a title"),
        .creation_time = SPAN("20260102030405"),
        .language = SPAN("en-US"),
        .source_patient_id = SPAN("7^^^&2.999.88&ISO"),
        .source_patient_info = {info, 1, 1},
        .class_code = {SPAN("11488-4"), SPAN("2.16.840.1.113883.6.1"), SPAN("Consult note")},
        .type_code = {SPAN("11488-4"), SPAN("2.16.840.1.113883.6.1"), SPAN("Consult note")},
        .format_code = DOCUMENT_ANY_FORMAT,
        .facility_type = DOCUMENT_ANY_FACILITY,
        .practice_setting = DOCUMENT_ANY_PRACTICE,
        .confidentiality = {&codes[which], 1, 1},
        .authors = {author, 1, 1},
        .reference_ids = {&reference[which], 1, 1},
    };
}

static struct association
member(const char *id, enum object source, enum object target)
{
    return (struct association){
        .entry_uuid = span_of_cstr(id),
        .type = SPAN(ASSOCIATION_HAS_MEMBER),
        .source = span_of_cstr(symbols[source]),
        .target = span_of_cstr(symbols[target]),
        .status = SPAN(DOCUMENT_APPROVED),
        .submission_set_status = source == SET && target != FOLDER ? SPAN("Original") : SPAN_EMPTY};
}

static void
take_uuids(const struct registry_objects *objects)
{
    for (size_t i = 0; i < objects->documents.n; i++) {
        const struct document_entry *entry = &objects->documents.items[i];

        uuids[span_eq_cstr(entry->unique_id, unique_ids[PLAIN]) ? PLAIN : RESTRICTED] =
            entry->entry_uuid;
    }
    CU_ASSERT_EQUAL_FATAL(objects->submission_sets.n, 1);
    CU_ASSERT_EQUAL_FATAL(objects->folders.n, 1);
    uuids[SET] = objects->submission_sets.items[0].entry_uuid;
    uuids[FOLDER] = objects->folders.items[0].entry_uuid;
}

static void
submit(void)
{
    struct author author[1] = {{.person = SPAN("^Example^Ada")}};
    struct code folder_code[1] = {{SPAN("f"), SPAN("2.999.5"), SPAN("a folder")}};
    struct document_entry entries[2] = {make_entry(PLAIN, "N"), make_entry(RESTRICTED, "R")};
    struct submission_set set = {
        .entry_uuid = SPAN("set"),
        .unique_id = span_of_cstr(unique_ids[SET]),
        .source_id = SPAN("2.999.88"),
        .patient_id = patient_id,
        .submission_time = SPAN("20260102030405"),
        .status = SPAN(DOCUMENT_APPROVED),
        .content_type = {SPAN("c"), SPAN("2.999.5"), SPAN("a content")},
        .authors = {author, 1, 1},
    };
    struct folder folder = {
        .entry_uuid = SPAN("folder"),
        .unique_id = span_of_cstr(unique_ids[FOLDER]),
        .patient_id = patient_id,
        .status = SPAN(DOCUMENT_APPROVED),
        .title = SPAN("a folder"),
        .codes = {folder_code, 1, 1},
    };
    struct association associations[] = {
        member("a1", SET, PLAIN),    member("a2", SET, RESTRICTED),    member("a3", SET, FOLDER),
        member("a4", FOLDER, PLAIN), member("a5", FOLDER, RESTRICTED),
    };
    const struct registry_objects objects = {
        .documents = {entries, 2, 2},
        .submission_sets = {&set, 1, 1},
        .folders = {&folder, 1, 1},
        .associations = {associations, ARRAY_LEN(associations), ARRAY_LEN(associations)},
    };
    struct submitted_document documents[2];
    struct body bodies[2];
    struct store_submission submission = {.objects = &objects,
                                          .documents = documents,
                                          .documents_n = 2,
                                          .patients = STORE_PATIENTS_KNOWN};
    struct store_submitted submitted = {0};
    enum answer answer = ANSWER_NOW;
    struct diag diag = {0};

    for (size_t i = 0; i < 2; i++) {
        struct buf bytes;

        buf_init(&bytes, 100);
        CHECK_OK(&diag, buf_append(&bytes, span_of_cstr(unique_ids[i]), &diag));
        body_from_buf(&bodies[i], &bytes);
        documents[i] = (struct submitted_document){span_of_cstr(symbols[i]), &bodies[i]};
    }
    CHECK_OK(&diag,
             store_submit(green()->store, &submission, NULL, arena, &diag, &answer, &submitted));
    for (size_t i = 0; i < submitted.errors.n; i++) {
        printf("\n    %.*s: %.*s", SPAN_PRINT(submitted.errors.items[i].code),
               SPAN_PRINT(submitted.errors.items[i].context));
    }
    CU_ASSERT_EQUAL_FATAL(submitted.errors.n, 0);
    take_uuids(&submitted.objects);
    for (size_t i = 0; i < 2; i++) {
        body_done(&bodies[i]);
    }
}

static void
open_all(void)
{
    struct scene_stored stored;

    arena = arena_new(ARENA_LIMIT_DEFAULT);
    (void)local_kit_open(&scene);
    /* The patient is known by a document of the command line; it is of type text/xml. */
    stored = kit_add(green(), "Folder", "V", "<ClinicalDocument>imported</ClinicalDocument>");
    struct diag diag = {0};

    CHECK_OK(&diag, arena_dup(arena, span_of_cstr(stored.patient_id), &diag, &patient_id));
    submit();
}

static void
close_all(void)
{
    local_kit_close(&scene);
    arena_free(arena);
}

/* Everything is shown to partners and to our own systems; or all but what is marked R or V. */
#define RULES(withhold)                                                                            \
    "rules:\n"                                                                                     \
    "  - name: inbound\n    effect: permit\n    reason: a test\n    direction: inbound\n"          \
    "    transactions: [ITI-38, ITI-39]\n    partners: any\n    purposes: [T-TREAT]\n" withhold    \
    "  - name: local\n    effect: permit\n    reason: a test\n    direction: local\n"              \
    "    transactions: [ITI-38]\n    partners: any\n    purposes: [T-TREAT]\n" withhold
static const char *const permitting = RULES("");
static const char *const withholding = RULES("    withhold: {confidentiality: [R, V]}\n");

/* ---- questions ---- */

#define URN(uuid) "urn:uuid:" uuid

/* A parameter: its name and whose value it has. */
enum value { NONE, PATIENT, APPROVED, UUID, UNIQUE, REFERENCE, OLD_TYPE };

struct param_text {
    const char *name;
    enum value value;
    enum object of;
};

struct counts {
    size_t documents, sets, folders, associations;
};

static const struct row {
    const char *id;
    struct param_text params[4];
    struct counts all, shown; /* without rules, and with R and V withheld */
} rows[] = {
    {XCA_FIND_DOCUMENTS,
     {{"$XDSDocumentEntryPatientId", PATIENT, 0}, {"$XDSDocumentEntryStatus", APPROVED, 0}},
     {3, 0, 0, 0},
     {1, 0, 0, 0}},
    {URN("12941a89-e02e-4be5-967c-ce4bfc8fe492"), /* FindDocumentsByReferenceId */
     {{"$XDSDocumentEntryPatientId", PATIENT, 0},
      {"$XDSDocumentEntryStatus", APPROVED, 0},
      {"$XDSDocumentEntryReferenceIdList", REFERENCE, 0}},
     {1, 0, 0, 0},
     {0, 0, 0, 0}},
    {URN("f26abbcb-ac74-4422-8a30-edb644bbc1a9"), /* FindSubmissionSets */
     {{"$XDSSubmissionSetPatientId", PATIENT, 0}, {"$XDSSubmissionSetStatus", APPROVED, 0}},
     {0, 2, 0, 0},  /* the import made one, too */
     {0, 1, 0, 0}}, /* whose only document is withheld: nor is the set told of */
    {URN("10b545ea-725c-446d-9b95-8aeb444eddf3"), /* GetAll */
     {{"$patientId", PATIENT, 0},
      {"$XDSDocumentEntryStatus", APPROVED, 0},
      {"$XDSSubmissionSetStatus", APPROVED, 0},
      {"$XDSFolderStatus", APPROVED, 0}},
     {3, 2, 1, 6},
     {1, 1, 1, 3}},
    {URN("958f3006-baad-4929-a4de-ff1114824431"), /* FindFolders */
     {{"$XDSFolderPatientId", PATIENT, 0}, {"$XDSFolderStatus", APPROVED, 0}},
     {0, 0, 1, 0},
     {0, 0, 1, 0}},
    {XCA_GET_DOCUMENTS, {{"$XDSDocumentEntryEntryUUID", UUID, RESTRICTED}}, {1, 0, 0, 0}, {0}},
    {XCA_GET_DOCUMENTS, {{"$XDSDocumentEntryUniqueId", UNIQUE, PLAIN}}, {1, 0, 0, 0}, {1, 0, 0, 0}},
    {URN("5737b14c-8a1a-4539-b659-e03a34a5e1e4"), /* GetFolders */
     {{"$XDSFolderEntryUUID", UUID, FOLDER}},
     {0, 0, 1, 0},
     {0, 0, 1, 0}},
    /* GetAssociations: those that name what may not be seen are not there either */
    {URN("a7ae438b-4bc2-4642-93e9-be891f7bb155"),
     {{"$uuid", UUID, SET}},
     {0, 0, 0, 3},
     {0, 0, 0, 2}},
    {URN("a7ae438b-4bc2-4642-93e9-be891f7bb155"), {{"$uuid", UUID, RESTRICTED}}, {0, 0, 0, 2}, {0}},
    {URN("a7ae438b-4bc2-4642-93e9-be891f7bb155"),
     {{"$uuid", UUID, PLAIN}},
     {0, 0, 0, 2},
     {0, 0, 0, 2}},
    {URN("bab9529a-4a10-40b3-a01f-f68a615d247a"), /* GetDocumentsAndAssociations */
     {{"$XDSDocumentEntryUniqueId", UNIQUE, RESTRICTED}},
     {1, 0, 0, 2},
     {0}},
    {URN("bab9529a-4a10-40b3-a01f-f68a615d247a"),
     {{"$XDSDocumentEntryEntryUUID", UUID, PLAIN}},
     {1, 0, 0, 2},
     {1, 0, 0, 2}},
    {URN("51224314-5390-4169-9b91-b1980040715a"), /* GetSubmissionSets */
     {{"$uuid", UUID, RESTRICTED}},
     {0, 1, 0, 1},
     {0}},
    {URN("51224314-5390-4169-9b91-b1980040715a"),
     {{"$uuid", UUID, PLAIN}},
     {0, 1, 0, 1},
     {0, 1, 0, 1}},
    {URN("e8e3cb2c-e39c-46b9-99e4-c12f57260b83"), /* GetSubmissionSetAndContents */
     {{"$XDSSubmissionSetUniqueId", UNIQUE, SET}},
     {2, 1, 1, 3},
     {1, 1, 1, 2}},
    {URN("b909a503-523d-4517-8acf-8e5834dfc4c7"), /* GetFolderAndContents */
     {{"$XDSFolderEntryUUID", UUID, FOLDER}},
     {2, 0, 1, 2},
     {1, 0, 1, 1}},
    {URN("10cae35a-c7f9-4cf5-b61e-fc3278ffb578"), /* GetFoldersForDocument */
     {{"$XDSDocumentEntryEntryUUID", UUID, RESTRICTED}},
     {0, 0, 1, 0},
     {0}},
    {URN("10cae35a-c7f9-4cf5-b61e-fc3278ffb578"),
     {{"$XDSDocumentEntryUniqueId", UNIQUE, PLAIN}},
     {0, 0, 1, 0},
     {0, 0, 1, 0}},
    {URN("d90e5407-b356-4d91-a89f-873917b4b0e6"), /* GetRelatedDocuments: nothing replaces it */
     {{"$XDSDocumentEntryEntryUUID", UUID, PLAIN}, {"$AssociationTypes", OLD_TYPE, 0}},
     {0},
     {0}},
};

static struct span
value_of(const struct param_text *param)
{
    switch (param->value) {
    case PATIENT:
        return patient_id;
    case APPROVED:
        return SPAN(DOCUMENT_APPROVED);
    case UUID:
        return uuids[param->of];
    case UNIQUE:
        return span_of_cstr(unique_ids[param->of]);
    case REFERENCE:
        return SPAN("ref-1^^^^urn:ihe:iti:xds:2013:accession");
    case OLD_TYPE:
        return SPAN(ASSOCIATION_REPLACE);
    case NONE:
        break;
    }
    return SPAN_EMPTY;
}

struct question {
    struct stored_query query;
    struct span values[4];
    struct query_param params[4];
};

static void
make_question(const struct row *row, bool wants_leaf_class, struct question *question)
{
    size_t n = 0;

    *question = (struct question){.query = {.id = span_of_cstr(row->id),
                                            .home = SPAN(GREEN),
                                            .wants_leaf_class = wants_leaf_class}};
    for (; n < ARRAY_LEN(row->params) && row->params[n].value != NONE; n++) {
        question->values[n] = value_of(&row->params[n]);
        question->params[n] = (struct query_param){.name = span_of_cstr(row->params[n].name),
                                                   .values = {&question->values[n], 1, 1},
                                                   .is_multiple = row->params[n].value != PATIENT};
    }
    question->query.params = (struct query_param_list){question->params, n, n};
}

static void
check_homes(const struct registry_objects *objects)
{
    for (size_t i = 0; i < objects->documents.n; i++) {
        CHECK_SPAN(objects->documents.items[i].home, GREEN);
    }
    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        CHECK_SPAN(objects->submission_sets.items[i].home, GREEN);
    }
    for (size_t i = 0; i < objects->folders.n; i++) {
        CHECK_SPAN(objects->folders.items[i].home, GREEN);
    }
}

static void
check_answer(size_t row, bool is_leaf_class, const struct counts *want)
{
    struct query_answer answer = {.status = REGISTRY_FAILURE};
    const struct registry_objects *got = &answer.objects;
    const size_t all = want->documents + want->sets + want->folders + want->associations;

    CU_ASSERT_FATAL(reply.is_here);
    kit_read_query_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    if (is_leaf_class
            ? got->documents.n != want->documents || got->submission_sets.n != want->sets ||
                  got->folders.n != want->folders || got->associations.n != want->associations ||
                  answer.refs.n != 0
            : answer.refs.n != all || got->documents.n != 0) {
        printf(
            "\n    row %zu: got %zu documents, %zu sets, %zu folders, %zu associations, %zu refs",
            row, got->documents.n, got->submission_sets.n, got->folders.n, got->associations.n,
            answer.refs.n);
        CU_FAIL("another number of objects");
    }
    check_homes(got);
    for (size_t i = 0; i < answer.refs.n; i++) {
        CHECK_SPAN(answer.refs.items[i].home, GREEN);
    }
}

/* Whose records were disclosed is in the audit record, also of what was asked for by id. */
static void
check_record(const struct row *row, const struct counts *want)
{
    const bool is_named =
        row->params[0].value == PATIENT || want->documents + want->sets + want->folders > 0;

    CU_ASSERT_STRING_EQUAL(scene_event(green(), 0)->patient, is_named ? patient_id.p : "");
    CU_ASSERT_EQUAL(scene_event(green(), 0)->type, AUDIT_ITI_38);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->outcome, AUDIT_SUCCESS);
}

static void
ask_rows(bool is_leaf_class, const char *rules)
{
    kit_set_policy(green(), rules);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct counts *want = rules == withholding ? &rows[i].shown : &rows[i].all;
        struct question question;

        make_question(&rows[i], is_leaf_class, &question);
        kit_send_query(&scene, &question.query, &reply);
        if (!reply.is_here) {
            kit_wake_store_all(green());
        }
        check_answer(i, is_leaf_class, want);
        check_record(&rows[i], want);
        scene_forget(&scene);
    }
    kit_restore_policy(green());
}

static void
test_every_query_finds_what_there_is(void)
{
    open_all();
    ask_rows(true, permitting);
    ask_rows(false, permitting);
    close_all();
}

static void
test_what_is_withheld_takes_its_associations_along(void)
{
    open_all();
    ask_rows(true, withholding);
    ask_rows(false, withholding);
    close_all();
}

static void
test_a_store_that_answers_later(void)
{
    open_all();
    kit_slow_store(green());
    ask_rows(true, withholding);
    close_all();
}

/* Through red, for a local system: the same objects, once each. */
static void
test_a_local_system_gets_them_through_its_own_gateway(void)
{
    open_all();
    kit_set_policy(green(), withholding);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct question question;

        make_question(&rows[i], true, &question);
        local_send_registry(&scene, &question.query, &reply);
        scene_deliver_all(&scene, NULL);
        check_answer(i, true, &rows[i].shown);
        CU_ASSERT_EQUAL(scene_event(scene_place(&scene, "red"), 0)->type, AUDIT_ITI_18);
        scene_forget(&scene);
    }
    kit_restore_policy(green());
    close_all();
}

/* What says another home than a community of the partner's, whatever kind of object it is, is not
 * taken. */
static void
test_foreign_homes_are_dropped_whatever_they_are_of(void)
{
    const struct row *row = &rows[3]; /* GetAll: all kinds */
    struct query_answer answer = {.status = REGISTRY_FAILURE};
    struct question question;

    open_all();
    make_question(row, true, &question);
    local_send_registry(&scene, &question.query, &reply);
    scene_deliver_forged(&scene, 0, "home=\"" GREEN "\"", "home=\"urn:oid:2.999.3\"");
    CU_ASSERT_FATAL(reply.is_here);
    kit_read_query_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.objects.documents.n + answer.objects.submission_sets.n +
                        answer.objects.folders.n + answer.objects.associations.n,
                    0);
    CU_ASSERT(answer.errors.n > 0);
    close_all();
}

/* ITI TF-2 3.38.4.1.3: the codes, and what codeContext and location say. */
static void
test_refusals_say_why(void)
{
    static const struct {
        const char *id, *home;
        struct param_text params[2];
        const char *code, *context; /* within the codeContext */
    } wrong[] = {
        {URN("5737b14c-8a1a-4539-b659-e03a34a5e1e4"),
         "",
         {{"$XDSFolderEntryUUID", UUID, FOLDER}},
         "XDSMissingHomeCommunityId",
         ""},
        {URN("5737b14c-8a1a-4539-b659-e03a34a5e1e4"),
         RED,
         {{"$XDSFolderEntryUUID", UUID, FOLDER}},
         "XDSUnknownCommunity",
         ""},
        {URN("5737b14c-8a1a-4539-b659-e03a34a5e1e4"),
         GREEN,
         {{NULL, NONE, 0}},
         "XDSStoredQueryMissingParam",
         "$XDSFolderEntryUUID: "},
        {URN("b909a503-523d-4517-8acf-8e5834dfc4c7"),
         GREEN,
         {{"$XDSFolderEntryUUID", UUID, FOLDER}, {"$XDSFolderUniqueId", UNIQUE, FOLDER}},
         "XDSStoredQueryParamNumber",
         "$XDSFolderEntryUUID: "},
        {URN("50d3f5ac-39a2-11de-a1ca-b366239e58df"),
         GREEN,
         {{"$uuid", UUID, SET}},
         "XDSUnknownStoredQuery",
         ""},
    };

    open_all();
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        const struct row row = {.id = wrong[i].id,
                                .params = {wrong[i].params[0], wrong[i].params[1]}};
        struct query_answer answer = {.status = REGISTRY_SUCCESS};
        struct question question;

        make_question(&row, true, &question);
        question.query.home = span_of_cstr(wrong[i].home);
        kit_send_query(&scene, &question.query, &reply);
        kit_read_query_answer(&reply, arena, &answer);
        CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
        CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
        CHECK_SPAN(answer.errors.items[0].code, wrong[i].code);
        CHECK_SPAN(answer.errors.items[0].location, GREEN);
        CU_ASSERT(answer.errors.items[0].context.n > 0);
        CU_ASSERT_NOT_EQUAL(
            span_find(answer.errors.items[0].context, span_of_cstr(wrong[i].context)),
            SPAN_MISSING);
    }
    close_all();
}

static void
test_an_unknown_patient_is_named(void)
{
    static const char *const unknown = "404^^^&2.999.2.1&ISO";
    struct query_answer answer = {.status = REGISTRY_SUCCESS};
    struct question question;

    open_all();
    make_question(&rows[2], true, &question); /* FindSubmissionSets */
    question.values[0] = span_of_cstr(unknown);
    kit_send_query(&scene, &question.query, &reply);
    kit_read_query_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].code, "XDSUnknownPatientId");
    CHECK_SPAN(answer.errors.items[0].context, unknown);
    CU_ASSERT_EQUAL(reply.cause, ERR_UNKNOWN_PATIENT);
    CU_ASSERT_PTR_NULL(strstr(scene_event(green(), 0)->reason, "404")); /* not in our own texts */
    question.query.home = SPAN_EMPTY;
    local_send_registry(&scene, &question.query, &reply);
    scene_deliver_all(&scene, NULL);
    kit_read_query_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS); /* never in an answer of ITI-18 */
    CU_ASSERT_EQUAL(answer.errors.n, 0);
    close_all();
}

static const struct unit_test tests[] = {
    /* REQ: SQ-find-folders, SQ-get-folders, SQ-get-associations */
    /* REQ: SQ-get-documents-and-associations, SQ-get-submission-sets */
    /* REQ: SQ-get-submission-set-and-contents, SQ-get-folder-and-contents */
    /* REQ: SQ-get-folders-for-document, SQ-find-by-reference-id */
    {"every query finds what there is", test_every_query_finds_what_there_is},
    /* REQ: SQ-withheld-packages */
    {"what is withheld takes its associations along",
     test_what_is_withheld_takes_its_associations_along},
    {"a store that answers later", test_a_store_that_answers_later},
    {"a local system gets them through its own gateway",
     test_a_local_system_gets_them_through_its_own_gateway},
    {"foreign homes are dropped, whatever they are of",
     test_foreign_homes_are_dropped_whatever_they_are_of},
    {"refusals say why", test_refusals_say_why},
    {"an unknown patient is named", test_an_unknown_patient_is_named},
};
UNIT_MAIN("stored queries of a Responding Gateway", tests)
