/*
 * store_submit: every refusal by its code, with nothing stored; then what is stored, and what
 * becomes of what was there.
 */
#include "tests/unit/registry_kit.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define METADATA "XDSRegistryMetadataError"

/* ---- required attributes and legal values ---- */

enum object { ENTRY, SET, FOLDER };
enum change { GONE, TO, CODE_GONE, CODE_BARE, CODES_GONE };

/* One attribute of one object becomes wrong; the error names the object and the attribute. */
static const struct {
    enum object object;
    size_t offset;
    enum change change;
    const char *value, *attribute;
} wrong[] = {
#define E(member) ENTRY, offsetof(struct document_entry, member)
#define S(member) SET, offsetof(struct submission_set, member)
#define F(member) FOLDER, offsetof(struct folder, member)
    {E(unique_id), GONE, "", "'d1': uniqueId is required"},
    {E(unique_id), TO, "2.999.a", "'d1': uniqueId must be"},
    {E(mime_type), GONE, "", "'d1': mimeType is required"},
    {E(patient_id), GONE, "", "'d1': patientId is required"},
    {E(patient_id), TO, "17", "'d1': patientId must be CX"},
    {E(source_patient_id), GONE, "", "'d1': sourcePatientId is required"},
    {E(source_patient_id), TO, "17^^^2.999", "'d1': sourcePatientId must be CX"},
    {E(creation_time), GONE, "", "'d1': creationTime is required"},
    {E(creation_time), TO, "2026-01-02", "'d1': creationTime must be a DTM"},
    {E(creation_time), TO, "20261301", "'d1': creationTime must be a DTM"},
    {E(service_start), TO, "202", "'d1': serviceStartTime must be a DTM"},
    {E(service_stop), TO, "x", "'d1': serviceStopTime must be a DTM"},
    {E(language), GONE, "", "'d1': languageCode is required"},
    {E(class_code), CODE_GONE, "", "'d1': classCode is required"},
    {E(class_code), CODE_BARE, "", "'d1': classCode must be a code with its codingScheme"},
    {E(type_code), CODE_GONE, "", "'d1': typeCode is required"},
    {E(format_code), CODE_GONE, "", "'d1': formatCode is required"},
    {E(facility_type), CODE_GONE, "", "'d1': healthcareFacilityTypeCode is required"},
    {E(practice_setting), CODE_GONE, "", "'d1': practiceSettingCode is required"},
    {E(confidentiality), CODES_GONE, "", "'d1': confidentialityCode is required"},
    {E(hash), TO, "da39a3ee", "'d1': hash must be 40 hexadecimal"},
    {E(object_type), TO, "urn:uuid:1", "'d1': objectType must be"},
    {E(repository), TO, "2.999.1.3", "'d1': repositoryUniqueId must be"},
    {E(home), TO, "2.999.x", "'d1': homeCommunityId must be"},
    {E(entry_uuid), TO, "urn:uuid:1", "'urn:uuid:1': entryUUID must be"},
    {E(entry_uuid), TO, "set", "'set': another object"},
    {S(unique_id), GONE, "", "'set': uniqueId is required"},
    {S(unique_id), TO, "2.999^1", "'set': uniqueId must be an OID"},
    {S(source_id), GONE, "", "'set': sourceId is required"},
    {S(source_id), TO, "urn:oid:2.999", "'set': sourceId must be an OID"},
    {S(submission_time), GONE, "", "'set': submissionTime is required"},
    {S(submission_time), TO, "now", "'set': submissionTime must be a DTM"},
    {S(patient_id), GONE, "", "'set': patientId is required"},
    {S(content_type), CODE_GONE, "", "'set': contentTypeCode is required"},
    {F(unique_id), GONE, "", "'f1': uniqueId is required"},
    {F(unique_id), TO, "x", "'f1': uniqueId must be"},
    {F(title), GONE, "", "'f1': title is required"},
    {F(patient_id), GONE, "", "'f1': patientId is required"},
    {F(codes), CODES_GONE, "", "'f1': codeList is required"},
#undef E
#undef S
#undef F
};

static void
change_member(void *member, enum change change, const char *value)
{
    switch (change) {
    case GONE:
    case TO:
        *(struct span *)member = span_of_cstr(value);
        return;
    case CODE_GONE:
        *(struct code *)member = (struct code){0};
        return;
    case CODE_BARE:
        ((struct code *)member)->scheme = SPAN_EMPTY;
        return;
    case CODES_GONE:
        *(struct code_list *)member = (struct code_list){0};
        return;
    }
}

static void
wrong_attributes(void)
{
    struct shelf shelf;

    kit_open(&shelf);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct kit kit;

        kit_begin(&kit, &shelf);
        struct document_entry *entry = kit_document(&kit, "d1", "2.999.7.1", "one");
        struct folder *folder = kit_folder(&kit, "f1", "2.999.7.2");
        char *object = wrong[i].object == ENTRY ? (char *)entry
                       : wrong[i].object == SET ? (char *)kit_set(&kit)
                                                : (char *)folder;

        change_member(object + wrong[i].offset, wrong[i].change, wrong[i].value);
        kit_refused(&kit, METADATA, wrong[i].attribute);
    }
    kit_close(&shelf);
}

/* ---- rules ---- */

struct known {
    struct shelf shelf;
    const char *old, *gone; /* entryUUIDs: in force, deprecated */
    const char *demand;     /* on-demand */
    const char *folder;     /* of ann's, with <old> */
    const char *of_bob;
};

static const char *
put_demand(struct shelf *shelf)
{
    struct kit kit;

    kit_begin(&kit, shelf);
    struct document_entry *entry = kit_document(&kit, "od", "2.999.7.90", NULL);
    entry->object_type = SPAN(DOCUMENT_ON_DEMAND);
    entry->creation_time = SPAN_EMPTY;
    return kit_store(&kit).documents.items[0].entry_uuid.p;
}

static void
open_known(struct known *known)
{
    struct shelf *shelf = &known->shelf;
    struct registry_objects objects;
    struct kit kit;

    kit_open(shelf);
    kit_begin(&kit, shelf);
    (void)kit_document(&kit, "d", "2.999.7.10", "old");
    (void)kit_folder(&kit, "f", "2.999.7.11");
    (void)kit_associate(&kit, ASSOCIATION_HAS_MEMBER, "f", "d");
    objects = kit_store(&kit);
    known->old = objects.documents.items[0].entry_uuid.p;
    known->folder = objects.folders.items[0].entry_uuid.p;
    known->gone = kit_put(shelf, "2.999.7.12", "gone");
    kit_begin(&kit, shelf);
    (void)kit_document(&kit, "d", "2.999.7.13", "after");
    (void)kit_associate(&kit, ASSOCIATION_REPLACE, "d", known->gone);
    (void)kit_store(&kit);
    known->demand = put_demand(shelf);
    kit_begin(&kit, shelf);
    kit_set(&kit)->patient_id = shelf->bob;
    kit_document(&kit, "d", "2.999.7.14", "bob's second")->patient_id = shelf->bob;
    known->of_bob = kit_store(&kit).documents.items[0].entry_uuid.p;
}

static void
no_set(struct kit *k, struct known *known)
{
    (void)known;
    k->objects.submission_sets.n = 0;
}
static void
two_sets(struct kit *k, struct known *known)
{
    struct submission_set second = *kit_set(k);
    struct diag diag = {0};

    (void)known;
    second.entry_uuid = SPAN("second");
    second.unique_id = SPAN("2.999.7.3");
    CHECK_OK(&diag, ARENA_PUSH(k->shelf->arena, &diag, &k->objects.submission_sets, second));
}
static void
no_document(struct kit *k, struct known *known)
{
    (void)known;
    (void)kit_document(k, "d2", "2.999.7.2", NULL);
}
static void
no_entry(struct kit *k, struct known *known)
{
    (void)known;
    k->documents[k->documents_n++] = (struct submitted_document){SPAN("d9"), &k->bodies[0]};
}
static void
document_of_set(struct kit *k, struct known *known)
{
    (void)known;
    k->documents[k->documents_n++] = (struct submitted_document){SPAN("set"), &k->bodies[0]};
}
static void
two_documents(struct kit *k, struct known *known)
{
    (void)known;
    k->documents[k->documents_n++] = (struct submitted_document){SPAN("d1"), &k->bodies[0]};
}
static void
demand_with_document(struct kit *k, struct known *known)
{
    (void)known;
    k->objects.documents.items[0].object_type = SPAN(DOCUMENT_ON_DEMAND);
    k->objects.documents.items[0].creation_time = SPAN_EMPTY;
}
static void
demand_with_time(struct kit *k, struct known *known)
{
    (void)known;
    kit_document(k, "d2", "2.999.7.2", NULL)->object_type = SPAN(DOCUMENT_ON_DEMAND);
}
static void
other_hash(struct kit *k, struct known *known)
{
    (void)known;
    k->objects.documents.items[0].hash = SPAN("da39a3ee5e6b4b0d3255bfef95601890afd80709");
}
static void
other_size(struct kit *k, struct known *known)
{
    (void)known;
    k->objects.documents.items[0].has_size = true;
    k->objects.documents.items[0].size = 4;
}
static void
limited(struct kit *k, struct known *known)
{
    (void)known;
    k->objects.documents.items[0].is_limited = true;
}
static void
unknown_patient(struct kit *k, struct known *known)
{
    (void)known;
    kit_set(k)->patient_id = SPAN("nobody^^^&" FIXTURE_AUTHORITY "&ISO");
    k->objects.documents.items[0].patient_id = kit_set(k)->patient_id;
}
static void
patient_elsewhere(struct kit *k, struct known *known)
{
    (void)known;
    kit_set(k)->patient_id = SPAN("18^^^&2.999.5&ISO");
    k->objects.documents.items[0].patient_id = kit_set(k)->patient_id;
}
static void
two_patients(struct kit *k, struct known *known)
{
    k->objects.documents.items[0].patient_id = known->shelf.bob;
}
static void
folder_of_other(struct kit *k, struct known *known)
{
    kit_folder(k, "f2", "2.999.7.5")->patient_id = known->shelf.bob;
}
static void
twice_in_message(struct kit *k, struct known *known)
{
    (void)known;
    (void)kit_document(k, "d2", "2.999.7.1", "two");
}
static void
set_id_known(struct kit *k, struct known *known)
{
    (void)known;
    kit_set(k)->unique_id = SPAN("2.999.7.10");
}
static void
folder_id_known(struct kit *k, struct known *known)
{
    (void)known;
    (void)kit_folder(k, "f2", "2.999.7.11");
}
static void
document_id_of_folder(struct kit *k, struct known *known)
{
    (void)known;
    k->objects.documents.items[0].unique_id = SPAN("2.999.7.11");
}
static void
document_of_other_size(struct kit *k, struct known *known)
{
    (void)known;
    (void)kit_document(k, "d2", "2.999.7.10", "older");
}
static void
document_of_other_hash(struct kit *k, struct known *known)
{
    (void)known;
    (void)kit_document(k, "d2", "2.999.7.10", "odd");
}
static void
document_of_other_patient(struct kit *k, struct known *known)
{
    (void)known;
    (void)kit_document(k, "d2", "2.999.7.14", "bob's second");
}
static void
uuid_known(struct kit *k, struct known *known)
{
    (void)kit_document(k, known->old, "2.999.7.2", "two");
}
static void
no_member(struct kit *k, struct known *known)
{
    (void)known;
    k->objects.associations.n = 0;
}
static void
folder_no_member(struct kit *k, struct known *known)
{
    (void)known;
    (void)kit_folder(k, "f2", "2.999.7.5");
    k->objects.associations.n--;
}
static void
unresolved(struct kit *k, struct known *known)
{
    (void)known;
    (void)kit_associate(k, ASSOCIATION_APPEND, "d1",
                        "urn:uuid:00000000-0000-4000-8000-000000000000");
}
static void
unresolved_symbol(struct kit *k, struct known *known)
{
    (void)known;
    (void)kit_associate(k, ASSOCIATION_HAS_MEMBER, "set", "d7");
}
static void
unknown_type(struct kit *k, struct known *known)
{
    (void)kit_associate(k, "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus", "d1",
                        known->old);
}
static void
no_target(struct kit *k, struct known *known)
{
    (void)known;
    (void)kit_associate(k, ASSOCIATION_APPEND, "d1", "");
}
static void
said_reference(struct kit *k, struct known *known)
{
    (void)known;
    k->objects.associations.items[0].submission_set_status = SPAN("Reference");
}
static void
said_original(struct kit *k, struct known *known)
{
    kit_associate(k, ASSOCIATION_HAS_MEMBER, "set", known->old)->submission_set_status =
        SPAN("Original");
}
static void
replace_gone(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_REPLACE, "d1", known->gone);
}
static void
transform_replace_gone(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_TRANSFORM_REPLACE, "d1", known->gone);
}
static void
append_gone(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_APPEND, "d1", known->gone);
}
static void
transform_gone(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_TRANSFORM, "d1", known->gone);
}
static void
member_gone(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_HAS_MEMBER, known->folder, known->gone);
}
static void
reference_gone(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_HAS_MEMBER, "set", known->gone);
}
static void
replace_of_other(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_REPLACE, "d1", known->of_bob);
}
static void
append_of_other(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_APPEND, "d1", known->of_bob);
}
static void
sign_of_other(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_SIGNS, "d1", known->of_bob);
}
static void
folder_takes_other(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_HAS_MEMBER, known->folder, known->of_bob);
}
static void
folder_takes_folder(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_HAS_MEMBER, known->folder, known->folder);
}
static void
document_has_member(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_HAS_MEMBER, "d1", known->old);
}
static void
replace_backwards(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_REPLACE, known->old, "d1");
}
static void
replace_in_message(struct kit *k, struct known *known)
{
    (void)known;
    (void)kit_document(k, "d2", "2.999.7.2", "two");
    (void)kit_associate(k, ASSOCIATION_REPLACE, "d1", "d2");
}
static void
replace_demand(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_REPLACE, "d1", known->demand);
}
static void
replace_folder(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_REPLACE, "d1", known->folder);
}
static void
snapshot_of_stable(struct kit *k, struct known *known)
{
    (void)kit_associate(k, ASSOCIATION_SNAPSHOT, "d1", known->old);
}

static const struct {
    void (*spoil)(struct kit *kit, struct known *known);
    const char *code, *context;
} rules[] = {
    {no_set, METADATA, "this one has 0"},
    {two_sets, METADATA, "this one has 2"},
    {no_document, "XDSMissingDocument", "'d2'"},
    {no_entry, "XDSMissingDocumentMetadata", "'d9'"},
    {document_of_set, "XDSMissingDocumentMetadata", "'set'"},
    {two_documents, "XDSRepositoryMetadataError", "'d1' has several"},
    {demand_with_document, "XDSRepositoryMetadataError", "'d1' is on-demand"},
    {demand_with_time, METADATA, "creationTime must be absent"},
    {other_hash, "XDSNonIdenticalHash", "'d1', uniqueId 2.999.7.1"},
    {other_size, "XDSNonIdenticalSize", "'d1', uniqueId 2.999.7.1"},
    {limited, METADATA, "'d1': limited metadata"},
    {unknown_patient, "XDSUnknownPatientId", "nobody^^^&"},
    {patient_elsewhere, "XDSUnknownPatientId", "18^^^&"},
    {two_patients, "XDSPatientIdDoesNotMatch", "'d1'"},
    {folder_of_other, "XDSPatientIdDoesNotMatch", "'f2'"},
    {twice_in_message, "XDSRepositoryDuplicateUniqueIdInMessage", "2.999.7.1"},
    {set_id_known, "XDSDuplicateUniqueIdInRegistry", "2.999.7.10"},
    {folder_id_known, "XDSDuplicateUniqueIdInRegistry", "2.999.7.11"},
    {document_id_of_folder, "XDSDuplicateUniqueIdInRegistry", "2.999.7.11"},
    {document_of_other_size, "XDSNonIdenticalSize", "2.999.7.10"},
    {document_of_other_hash, "XDSNonIdenticalHash", "2.999.7.10"},
    {document_of_other_patient, "XDSDuplicateUniqueIdInRegistry", "2.999.7.14"},
    {uuid_known, METADATA, "is registered already"},
    {no_member, METADATA, "'d1' is no member"},
    {folder_no_member, METADATA, "'f2' is no member"},
    {unresolved, "UnresolvedReferenceException", "urn:uuid:00000000"},
    {unresolved_symbol, "UnresolvedReferenceException", "'d7'"},
    {unknown_type, METADATA, "not supported"},
    {no_target, METADATA, "targetObject is required"},
    {said_reference, METADATA, "is Original"},
    {said_original, METADATA, "is Reference"},
    {replace_gone, "XDSRegistryDeprecatedDocumentError", "RPLC"},
    {transform_replace_gone, "XDSRegistryDeprecatedDocumentError", "XFRM_RPLC"},
    {append_gone, "XDSRegistryDeprecatedDocumentError", "APND"},
    {transform_gone, "XDSRegistryDeprecatedDocumentError", "XFRM"},
    {member_gone, "XDSRegistryDeprecatedDocumentError", "HasMember"},
    {reference_gone, "XDSRegistryDeprecatedDocumentError", "HasMember"},
    {replace_of_other, "XDSPatientIdDoesNotMatch", "RPLC"},
    {append_of_other, "XDSPatientIdDoesNotMatch", "APND"},
    {sign_of_other, "XDSPatientIdDoesNotMatch", "signs"},
    {folder_takes_other, "XDSPatientIdDoesNotMatch", "HasMember"},
    {folder_takes_folder, METADATA, "members of a Folder"},
    {document_has_member, METADATA, "the source must be"},
    {replace_backwards, METADATA, "it must go from a document of the submission"},
    {replace_in_message, METADATA, "must be registered before"},
    {replace_demand, METADATA, "does not replace an on-demand"},
    {replace_folder, METADATA, "to a document"},
    {snapshot_of_stable, METADATA, "a snapshot is"},
};

static void
broken_rules(void)
{
    struct known known;

    open_known(&known);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct kit kit;

        kit_begin(&kit, &known.shelf);
        (void)kit_document(&kit, "d1", "2.999.7.1", "one");
        rules[i].spoil(&kit, &known);
        kit_refused(&kit, rules[i].code, rules[i].context);
    }
    kit_close(&known.shelf);
}

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

/* Everything that a submission says is in the registry; what is the registry's is set. */
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
static void
what_is_replaced_goes(void)
{
    struct known known;
    struct kit kit;
    const char *transform, *addendum;

    open_known(&known);
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
    struct known known;
    struct kit kit;

    open_known(&known);
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
    struct known known;
    const struct document_ref ref = {SPAN_EMPTY, SPAN(FIXTURE_REPOSITORY), SPAN("2.999.7.90")};
    struct document_entry entry = {0};
    enum answer answer = ANSWER_LATER;
    struct body body;
    struct diag diag = {0};
    static const char *const snapshots[] = {"2.999.7.91", "2.999.7.92"};

    open_known(&known);
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
    /* another person carries the id: nobody believes it any more */
    const struct patient eve =
        fixture_patient(shelf.arena, "Other,Eve", "19800101", "F", "2.999.5:17");
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
    {"wrong attributes", wrong_attributes},
    {"broken rules", broken_rules},
    {"limited metadata", limited_metadata},
    {"ids of a patient", ids_of_a_patient},
    {"an id of a source", an_id_of_a_source},
    {"all of it is kept", all_of_it_is_kept},
    {"what is replaced goes", what_is_replaced_goes},
    {"the same again", the_same_again},
    {"what is registered joins", what_is_registered_joins},
    {"on-demand entries", on_demand},
    {"others are warned of", others_are_warned_of},
};

UNIT_MAIN("registry_submit", tests)
