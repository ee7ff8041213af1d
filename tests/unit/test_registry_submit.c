/*
 * store_submit: what is stored, and what becomes of what was there; patients, and what is warned
 * of. What is refused: test_registry_refuse.c.
 */
#include "base/ids.h"
#include "tests/unit/registry_kit.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* ---- what is stored ---- */

static struct registry_objects
ask(struct shelf *shelf, enum store_question_kind kind, const char *uuid)
{
    struct span id = span_of_cstr(uuid);
    const struct store_question question = {.kind = kind, .entry_uuids = {&id, 1, 1}};
    struct registry_objects objects = {.documents = {0}};
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    CHECK_OK(&diag,
             store_ask(shelf->store, &question, NULL, shelf->arena, &diag, &answer, &objects));
    return objects;
}

static bool
is_deprecated(struct shelf *shelf, const char *uuid)
{
    const struct registry_objects objects = ask(shelf, STORE_GET_DOCUMENTS, uuid);

    CU_ASSERT_FATAL(objects.documents.n == 1);
    return span_eq_cstr(objects.documents.items[0].status, DOCUMENT_DEPRECATED);
}

static bool
is_uuid(struct span id)
{
    return span_starts_with(id, SPAN("urn:uuid:")) && uuid_is_valid(span_slice(id, 9, SIZE_MAX));
}

/* The objects of a submission were "d1", "f1" and the like. */
static void
check_names(const struct registry_objects *found)
{
    CU_ASSERT(is_uuid(found->submission_sets.items[0].entry_uuid));
    CU_ASSERT(is_uuid(found->documents.items[0].entry_uuid));
    CU_ASSERT(is_uuid(found->folders.items[0].entry_uuid));
    for (size_t i = 0; i < found->associations.n; i++) {
        CU_ASSERT(is_uuid(found->associations.items[i].entry_uuid));
        CU_ASSERT(is_uuid(found->associations.items[i].source));
        CU_ASSERT(is_uuid(found->associations.items[i].target));
    }
}

/* Everything that a submission says is in the registry; what is the registry's is set. */
/* REQ: ITI41-provide, ITI41-hash-size, ITI41-symbolic-ids, ITI41-extra-metadata */
static void
all_of_it_is_kept(void)
{
    struct shelf shelf;
    struct kit kit;
    struct diag diag = {0};
    const struct extra_slot slot = {SPAN("urn:example:slot"), {0}};

    kit_open(&shelf);
    kit_begin(&kit, &shelf);
    struct submission_set *set = kit_set(&kit);
    CHECK_OK(&diag, ARENA_PUSH(shelf.arena, &diag, &set->intended_recipients,
                               SPAN("Clinic^^^^^^^^^2.999.5|^Welby^Marcus")));
    CHECK_OK(&diag, ARENA_PUSH(shelf.arena, &diag, &set->authors.items[0].more_roles,
                               SPAN("second role")));
    set->target_home = SPAN("urn:oid:2.999.1");
    set->comments = SPAN("said");
    struct document_entry *entry = kit_document(&kit, "d1", "2.999.7.1^x", "one");
    CHECK_OK(&diag, ARENA_PUSH(shelf.arena, &diag, &entry->extra, slot));
    CHECK_OK(&diag, ARENA_PUSH(shelf.arena, &diag, &entry->extra.items[0].values, SPAN("v1")));
    CHECK_OK(&diag, ARENA_PUSH(shelf.arena, &diag, &entry->extra.items[0].values, SPAN("v2")));
    CHECK_OK(&diag, ARENA_PUSH(shelf.arena, &diag, &entry->source_patient_info,
                               SPAN("PID-3|17^^^&2.999.5&ISO")));
    CHECK_OK(&diag,
             ARENA_PUSH(shelf.arena, &diag, &entry->source_patient_info, SPAN("PID-5|Jones^Ann")));
    entry->availability = SPAN("urn:ihe:iti:2010:DocumentAvailability:Online");
    entry->status = SPAN(DOCUMENT_DEPRECATED);
    (void)kit_folder(&kit, "f1", "2.999.7.2");
    (void)kit_associate(&kit, ASSOCIATION_HAS_MEMBER, "f1", "d1");
    const struct registry_objects stored = kit_store(&kit);
    CU_ASSERT_FATAL(stored.documents.n == 1 && stored.folders.n == 1);
    const struct registry_objects found = ask(&shelf, STORE_GET_SUBMISSION_SET_AND_CONTENTS,
                                              stored.submission_sets.items[0].entry_uuid.p);

    CU_ASSERT_FATAL(found.submission_sets.n == 1 && found.documents.n == 1 && found.folders.n == 1);
    check_names(&found);
    CU_ASSERT_EQUAL(found.associations.n, 2); /* nobody said that the set has the third */
    const struct submission_set *got = &found.submission_sets.items[0];
    CHECK_SPAN(got->patient_id, shelf.ann.p);
    CHECK_SPAN(got->comments, "said");
    CHECK_SPAN(got->target_home, "urn:oid:2.999.1");
    CHECK_SPAN(got->home, "urn:oid:" FIXTURE_COMMUNITY);
    CHECK_SPAN(got->submission_time, "20260102030405");
    CHECK_SPAN(got->content_type.value, "a");
    CU_ASSERT_FATAL(got->intended_recipients.n == 1 && got->authors.n == 1);
    CHECK_SPAN(got->intended_recipients.items[0], "Clinic^^^^^^^^^2.999.5|^Welby^Marcus");
    CU_ASSERT_FATAL(got->authors.items[0].more_roles.n == 1);
    CHECK_SPAN(got->authors.items[0].more_roles.items[0], "second role");
    const struct document_entry *document = &found.documents.items[0];
    CHECK_SPAN(document->unique_id, "2.999.7.1^x");
    CHECK_SPAN(document->status, DOCUMENT_APPROVED);
    CHECK_SPAN(document->availability, "urn:ihe:iti:2010:DocumentAvailability:Online");
    CHECK_SPAN(document->hash, "fe05bcdcdc4928012781a5f1a2a77cbb5398e106");
    CHECK_SPAN(document->repository, FIXTURE_REPOSITORY);
    CU_ASSERT(document->has_size && document->size == 3);
    CU_ASSERT(span_eq(document->lid, document->entry_uuid));
    CU_ASSERT(span_eq(document->source_patient_id, shelf.ann)); /* no id of a source goes out */
    CU_ASSERT_FATAL(document->extra.n == 1 && document->extra.items[0].values.n == 2);
    CHECK_SPAN(document->extra.items[0].name, "urn:example:slot");
    CHECK_SPAN(document->extra.items[0].values.items[1], "v2");
    CU_ASSERT_FATAL(document->source_patient_info.n == 1);
    CHECK_SPAN(document->source_patient_info.items[0], "PID-5|Jones^Ann");
    CHECK_SPAN(found.folders.items[0].title, "A folder");
    CU_ASSERT(found.folders.items[0].last_update.n == 14);
    kit_expect_bytes(&shelf, "2.999.7.1^x", "2.999.7.1^x", "one");
    kit_close(&shelf);
}

/* RPLC: the old entry goes, with its transforms and addenda and theirs; its folders keep up. */
/* REQ: ITI41-replace, ITI41-relations */
static void
what_is_replaced_goes(void)
{
    struct kit_known known;
    struct kit kit;
    const char *transform, *addendum;

    kit_open_known(&known);
    kit_begin(&kit, &known.shelf);
    (void)kit_document(&kit, "d", "2.999.7.20", "transformed");
    (void)kit_associate(&kit, ASSOCIATION_TRANSFORM, "d", known.old);
    transform = kit_store(&kit).documents.items[0].entry_uuid.p;
    kit_begin(&kit, &known.shelf);
    (void)kit_document(&kit, "d", "2.999.7.21", "appended");
    (void)kit_associate(&kit, ASSOCIATION_APPEND, "d", transform);
    addendum = kit_store(&kit).documents.items[0].entry_uuid.p;
    CU_ASSERT(!is_deprecated(&known.shelf, known.old) && !is_deprecated(&known.shelf, addendum));
    kit_sql(known.shelf.path, "UPDATE packages SET time = '2000', time_key = '20000101000000'");

    kit_begin(&kit, &known.shelf);
    (void)kit_document(&kit, "d", "2.999.7.22", "new");
    (void)kit_associate(&kit, ASSOCIATION_REPLACE, "d", known.old);
    const struct registry_objects stored = kit_store(&kit);
    const char *new = stored.documents.items[0].entry_uuid.p;

    CU_ASSERT(is_deprecated(&known.shelf, known.old));
    CU_ASSERT(is_deprecated(&known.shelf, transform) && is_deprecated(&known.shelf, addendum));
    CU_ASSERT(!is_deprecated(&known.shelf, new) && !is_deprecated(&known.shelf, known.of_bob));
    const struct registry_objects folders = ask(&known.shelf, STORE_GET_FOLDERS_FOR_DOCUMENT, new);
    CU_ASSERT_FATAL(folders.folders.n == 1);
    CHECK_SPAN(folders.folders.items[0].entry_uuid, known.folder);
    CU_ASSERT(folders.folders.items[0].last_update.n == 14);
    CU_ASSERT(stored.associations.n == 3);
    kit_close(&known.shelf);
}

/* The same document again: another entry, the bytes kept once. */
static void
the_same_again(void)
{
    struct shelf shelf;

    kit_open(&shelf);
    const char *first = kit_put(&shelf, "2.999.7.1", "one");
    const char *second = kit_put(&shelf, "2.999.7.1", "one");

    CU_ASSERT(strcmp(first, second) != 0);
    CU_ASSERT_EQUAL(
        kit_number(&shelf, "SELECT count(*) FROM documents WHERE unique_id = '2.999.7.1'"), 2);
    CU_ASSERT_EQUAL(kit_number(&shelf, "SELECT count(*) FROM contents"), 3);
    kit_expect_bytes(&shelf, "2.999.7.1", "2.999.7.1", "one");
    (void)kit_put(&shelf, "2.999.7.2", "one"); /* another document of the same bytes */
    CU_ASSERT_EQUAL(kit_number(&shelf, "SELECT count(*) FROM contents"), 3);
    kit_expect_bytes(&shelf, "2.999.7.2", "2.999.7.2", "one");
    kit_close(&shelf);
}

/* A member by reference may be another patient's; a folder takes what is registered. */
static void
what_is_registered_joins(void)
{
    struct kit_known known;
    struct kit kit;

    kit_open_known(&known);
    kit_begin(&kit, &known.shelf);
    (void)kit_associate(&kit, ASSOCIATION_HAS_MEMBER, "set", known.of_bob);
    (void)kit_associate(&kit, ASSOCIATION_HAS_MEMBER, "set", known.old);
    struct registry_objects stored = kit_store(&kit);
    CHECK_SPAN(stored.associations.items[0].submission_set_status, "Reference");
    kit_begin(&kit, &known.shelf);
    (void)kit_document(&kit, "d", "2.999.7.20", "another");
    kit_associate(&kit, ASSOCIATION_HAS_MEMBER, known.folder, "d")->entry_uuid = SPAN("in folder");
    (void)kit_associate(&kit, ASSOCIATION_HAS_MEMBER, "set", "in folder");
    (void)kit_associate(&kit, ASSOCIATION_SIGNS, "d", known.gone);
    stored = kit_store(&kit);
    CU_ASSERT_EQUAL(ask(&known.shelf, STORE_GET_FOLDER_AND_CONTENTS, known.folder).documents.n, 2);
    kit_close(&known.shelf);
}

/* An on-demand entry gives its latest snapshot, under that one's uniqueId. */
static void
on_demand(void)
{
    struct kit_known known;
    const struct document_ref ref = {SPAN_EMPTY, SPAN(FIXTURE_REPOSITORY), SPAN("2.999.7.90")};
    struct document_entry entry = {0};
    enum answer answer = ANSWER_LATER;
    struct body body;
    struct diag diag = {0};
    static const char *const snapshots[] = {"2.999.7.91", "2.999.7.92"};

    kit_open_known(&known);
    CHECK_ERR(&diag, ERR_UNKNOWN_DOCUMENT,
              store_retrieve(known.shelf.store, &ref, NULL, known.shelf.arena, &diag, &answer,
                             &entry, &body));
    for (size_t i = 0; i < ARRAY_LEN(snapshots); i++) {
        struct kit kit;

        kit_begin(&kit, &known.shelf);
        kit_document(&kit, "d", snapshots[i], snapshots[i])->creation_time =
            kit_span(&known.shelf, "202%zu", i);
        (void)kit_associate(&kit, ASSOCIATION_SNAPSHOT, "d", known.demand);
        (void)kit_store(&kit);
        kit_expect_bytes(&known.shelf, "2.999.7.90", snapshots[i], snapshots[i]);
    }
    const struct registry_objects found = ask(&known.shelf, STORE_GET_DOCUMENTS, known.demand);
    CU_ASSERT_FATAL(found.documents.n == 1);
    CU_ASSERT(!found.documents.items[0].has_size && found.documents.items[0].hash.n == 0);
    kit_close(&known.shelf);
}

/* ---- patients ---- */

/* A submission of limited metadata for somebody whom PID fields describe. */
static void
begin_limited(struct kit *kit, struct shelf *shelf, const char *cx, const char *const fields[4])
{
    struct diag diag = {0};

    kit_begin(kit, shelf);
    kit->patients = STORE_PATIENTS_SOURCE;
    kit_set(kit)->is_limited = true;
    kit_set(kit)->patient_id = span_of_cstr(cx);
    kit_set(kit)->content_type = (struct code){0};
    struct document_entry *entry =
        kit_document(kit, "d1", kit_span(shelf, "%.*s.1", SPAN_PRINT(kit_set(kit)->unique_id)).p,
                     kit_set(kit)->unique_id.p);
    entry->is_limited = true;
    entry->patient_id = SPAN_EMPTY;
    entry->source_patient_id = SPAN_EMPTY;
    entry->class_code = entry->type_code = entry->practice_setting = (struct code){0};
    entry->confidentiality = (struct code_list){0};
    entry->creation_time = SPAN_EMPTY;
    for (size_t i = 0; i < 4 && fields[i] != NULL; i++) {
        CHECK_OK(&diag, ARENA_PUSH(shelf->arena, &diag, &entry->source_patient_info,
                                   span_of_cstr(fields[i])));
    }
}

static void
limited_metadata(void)
{
    static const char *const ann[4] = {"PID-5|JONES^ann^^^Mrs", "PID-7|19470501", "PID-8|F", NULL};
    static const char *const stranger[4] = {"PID-5|O\\T\\Neill&x^Eve^Q R^^", "PID-7|1990",
                                            "PID-8|U", NULL};
    static const char *const nobody[4] = {NULL, NULL, NULL, NULL};
    struct shelf shelf;
    struct kit kit;

    kit_open(&shelf);
    begin_limited(&kit, &shelf, "", nobody);
    kit_refused(&kit, "XDSRepositoryMetadataError", "nothing says whose");
    begin_limited(&kit, &shelf, "99^^^&2.999.55&ISO", ann);
    kit_set(&kit)->is_limited = false; /* the label is missing */
    kit_set(&kit)->content_type = kit.objects.documents.items[0].format_code;
    kit_refused(&kit, "XDSUnknownPatientId", "99^^^&");
    begin_limited(&kit, &shelf, "", ann);
    kit_set(&kit)->is_limited = false;
    kit_refused(&kit, "XDSRepositoryMetadataError", "'set': patientId is required");
    begin_limited(&kit, &shelf, "", ann);
    kit.objects.documents.items[0].is_limited = false;
    kit_refused(&kit, "XDSRepositoryMetadataError", "'d1': classCode is required");

    const long patients = kit_number(&shelf, "SELECT count(*) FROM patients");
    begin_limited(&kit, &shelf, "99^^^&2.999.55&ISO", ann); /* described: ann */
    struct registry_objects stored = kit_store(&kit);
    CU_ASSERT(span_eq(stored.documents.items[0].patient_id, shelf.ann));
    begin_limited(&kit, &shelf, "99^^^&2.999.55&ISO", nobody); /* the id is hers now */
    CU_ASSERT(span_eq(kit_store(&kit).submission_sets.items[0].patient_id, shelf.ann));
    CU_ASSERT_EQUAL(kit_number(&shelf, "SELECT count(*) FROM patients"), patients);
    begin_limited(&kit, &shelf, "7^^^&2.999.55&ISO", stranger); /* not even the person stays */
    (void)kit_associate(&kit, ASSOCIATION_HAS_MEMBER, "set", "nothing");
    kit_refused(&kit, "UnresolvedReferenceException", "'nothing'");
    begin_limited(&kit, &shelf, "7^^^&2.999.55&ISO", stranger);
    stored = kit_store(&kit);
    CU_ASSERT_EQUAL(kit_number(&shelf, "SELECT count(*) FROM patients"), patients + 1);
    CU_ASSERT_EQUAL(kit_number(&shelf, "SELECT count(*) FROM names WHERE family = 'O&Neill'"
                                       " AND given = 'Eve' || char(31) || 'Q' || char(31) || 'R'"),
                    1);
    const struct registry_objects found =
        ask(&shelf, STORE_GET_DOCUMENTS, stored.documents.items[0].entry_uuid.p);
    CU_ASSERT_FATAL(found.documents.n == 1);
    CU_ASSERT(found.documents.items[0].is_limited);
    CU_ASSERT(found.documents.items[0].class_code.value.n == 0);
    CHECK_SPAN(found.documents.items[0].format_code.value, "f");
    kit_close(&shelf);
}

static void
ids_of_a_patient(void)
{
    struct shelf shelf;
    const struct ident strangers[] = {{SPAN("2.999.5"), SPAN("18"), SPAN_EMPTY},
                                      {SPAN("2.999.5"), SPAN(""), SPAN_EMPTY},
                                      {SPAN(FIXTURE_AUTHORITY), SPAN("17"), SPAN_EMPTY},
                                      {SPAN("2.999.6"), SPAN("17"), SPAN_EMPTY}};
    struct ident_list ids = {0};
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    kit_open(&shelf);
    for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
        CHECK_OK(&diag, store_patient_ids(shelf.store, &strangers[i], NULL, shelf.arena, &diag,
                                          &answer, &ids));
        CU_ASSERT_EQUAL(ids.n, 0);
    }
    const struct ident *const known[] = {&shelf.ann_id, &shelf.ann_source};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        CHECK_OK(&diag,
                 store_patient_ids(shelf.store, known[i], NULL, shelf.arena, &diag, &answer, &ids));
        CU_ASSERT_FATAL(ids.n == 2);
        CU_ASSERT(ident_eq(&ids.items[0], &shelf.ann_id));
        CU_ASSERT(ident_eq(&ids.items[1], &shelf.ann_source));
    }
    /* another person carries the id, however spelled: nobody believes it any more */
    const struct patient eve =
        fixture_patient(shelf.arena, "Other,Eve", "19800101", "F", "2.999.5:1-7");
    (void)fixture_put(shelf.store, shelf.arena, &eve, "eve's");
    CHECK_OK(&diag, store_patient_ids(shelf.store, &shelf.ann_source, NULL, shelf.arena, &diag,
                                      &answer, &ids));
    CU_ASSERT_EQUAL(ids.n, 0);
    CHECK_OK(&diag, store_patient_ids(shelf.store, &shelf.ann_id, NULL, shelf.arena, &diag, &answer,
                                      &ids));
    CU_ASSERT_EQUAL(ids.n, 1);
    kit_close(&shelf);
}

/* The patient may be named by a source's id. */
static void
an_id_of_a_source(void)
{
    struct shelf shelf;
    struct kit kit;

    kit_open(&shelf);
    kit_begin(&kit, &shelf);
    kit_set(&kit)->patient_id = SPAN("17^^^&2.999.5&ISO");
    kit_document(&kit, "d1", "2.999.7.1", "one")->patient_id = SPAN("17^^^&2.999.5&ISO");
    const struct registry_objects stored = kit_store(&kit);
    CU_ASSERT(span_eq(stored.documents.items[0].patient_id, shelf.ann));
    kit_close(&shelf);
}

/* ---- what is neither ---- */

static void
others_are_warned_of(void)
{
    static const struct {
        const char *xml;
        size_t want;
    } rows[] = {{"<rim:ObjectRef id=\"urn:uuid:1\"/>", 0},
                {"<ObjectRef id='x'/>", 0},
                {"<rim:Service id='x'/>", 1},
                {"<rim:Service a='ObjectRef'/>", 1}};
    struct shelf shelf;

    kit_open(&shelf);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct kit kit;
        struct span xml = span_of_cstr(rows[i].xml);

        kit_begin(&kit, &shelf);
        kit.objects.others = (struct span_list){&xml, 1, 1};
        const struct store_submitted submitted = kit_submit(&kit);
        CU_ASSERT_EQUAL(submitted.errors.n, rows[i].want);
        CU_ASSERT_EQUAL(submitted.objects.submission_sets.n, 1);
        if (submitted.errors.n > 0) {
            CHECK_SPAN(submitted.errors.items[0].code, "XDSExtraMetadataNotSaved");
            CU_ASSERT(submitted.errors.items[0].is_warning);
        }
    }
    kit_close(&shelf);
}

static const struct unit_test tests[] = {
    /* REQ: ITI41-limited-metadata */
    {"limited metadata", limited_metadata},
    {"ids of a patient", ids_of_a_patient},
    {"an id of a source", an_id_of_a_source},
    /* REQ: ITI41-provide, ITI41-symbolic-ids */
    {"all of it is kept", all_of_it_is_kept},
    /* REQ: ITI41-replace, ITI41-relations */
    {"what is replaced goes", what_is_replaced_goes},
    {"the same again", the_same_again},
    {"what is registered joins", what_is_registered_joins},
    {"on-demand entries", on_demand},
    /* REQ: ITI41-extra-metadata */
    {"others are warned of", others_are_warned_of},
};

UNIT_MAIN("registry_submit", tests)
