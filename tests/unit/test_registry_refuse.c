/*
 * store_submit refuses: each attribute that is missing or malformed, each rule that is broken, by
 * its code and with the object named; no row is made.
 */
#include "tests/unit/registry_kit.h"

#include <stddef.h>

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

static void
no_set(struct kit *k, struct kit_known *known)
{
    (void)known;
    k->objects.submission_sets.n = 0;
}
static void
two_sets(struct kit *k, struct kit_known *known)
{
    struct submission_set second = *kit_set(k);
    struct diag diag = {0};

    (void)known;
    second.entry_uuid = SPAN("second");
    second.unique_id = SPAN("2.999.7.3");
    CHECK_OK(&diag, ARENA_PUSH(k->shelf->arena, &diag, &k->objects.submission_sets, second));
}
static void
no_document(struct kit *k, struct kit_known *known)
{
    (void)known;
    (void)kit_document(k, "d2", "2.999.7.2", NULL);
}
static void
no_entry(struct kit *k, struct kit_known *known)
{
    (void)known;
    k->documents[k->documents_n++] = (struct submitted_document){SPAN("d9"), &k->bodies[0]};
}
static void
document_of_set(struct kit *k, struct kit_known *known)
{
    (void)known;
    k->documents[k->documents_n++] = (struct submitted_document){SPAN("set"), &k->bodies[0]};
}
static void
two_documents(struct kit *k, struct kit_known *known)
{
    (void)known;
    k->documents[k->documents_n++] = (struct submitted_document){SPAN("d1"), &k->bodies[0]};
}
static void
demand_with_document(struct kit *k, struct kit_known *known)
{
    (void)known;
    k->objects.documents.items[0].object_type = SPAN(DOCUMENT_ON_DEMAND);
    k->objects.documents.items[0].creation_time = SPAN_EMPTY;
}
static void
demand_with_time(struct kit *k, struct kit_known *known)
{
    (void)known;
    kit_document(k, "d2", "2.999.7.2", NULL)->object_type = SPAN(DOCUMENT_ON_DEMAND);
}
static void
other_hash(struct kit *k, struct kit_known *known)
{
    (void)known;
    k->objects.documents.items[0].hash = SPAN("da39a3ee5e6b4b0d3255bfef95601890afd80709");
}
static void
other_size(struct kit *k, struct kit_known *known)
{
    (void)known;
    k->objects.documents.items[0].has_size = true;
    k->objects.documents.items[0].size = 4;
}
static void
limited(struct kit *k, struct kit_known *known)
{
    (void)known;
    k->objects.documents.items[0].is_limited = true;
}
static void
unknown_patient(struct kit *k, struct kit_known *known)
{
    (void)known;
    kit_set(k)->patient_id = SPAN("nobody^^^&" FIXTURE_AUTHORITY "&ISO");
    k->objects.documents.items[0].patient_id = kit_set(k)->patient_id;
}
static void
patient_elsewhere(struct kit *k, struct kit_known *known)
{
    (void)known;
    kit_set(k)->patient_id = SPAN("18^^^&2.999.5&ISO");
    k->objects.documents.items[0].patient_id = kit_set(k)->patient_id;
}
static void
two_patients(struct kit *k, struct kit_known *known)
{
    k->objects.documents.items[0].patient_id = known->shelf.bob;
}
static void
folder_of_other(struct kit *k, struct kit_known *known)
{
    kit_folder(k, "f2", "2.999.7.5")->patient_id = known->shelf.bob;
}
static void
twice_in_message(struct kit *k, struct kit_known *known)
{
    (void)known;
    (void)kit_document(k, "d2", "2.999.7.1", "two");
}
static void
set_id_known(struct kit *k, struct kit_known *known)
{
    (void)known;
    kit_set(k)->unique_id = SPAN("2.999.7.10");
}
static void
folder_id_known(struct kit *k, struct kit_known *known)
{
    (void)known;
    (void)kit_folder(k, "f2", "2.999.7.11");
}
static void
document_id_of_folder(struct kit *k, struct kit_known *known)
{
    (void)known;
    k->objects.documents.items[0].unique_id = SPAN("2.999.7.11");
}
static void
document_of_other_size(struct kit *k, struct kit_known *known)
{
    (void)known;
    (void)kit_document(k, "d2", "2.999.7.10", "older");
}
static void
document_of_other_hash(struct kit *k, struct kit_known *known)
{
    (void)known;
    (void)kit_document(k, "d2", "2.999.7.10", "odd");
}
static void
document_of_other_patient(struct kit *k, struct kit_known *known)
{
    (void)known;
    (void)kit_document(k, "d2", "2.999.7.14", "bob's second");
}
static void
uuid_known(struct kit *k, struct kit_known *known)
{
    (void)kit_document(k, known->old, "2.999.7.2", "two");
}
static void
no_member(struct kit *k, struct kit_known *known)
{
    (void)known;
    k->objects.associations.n = 0;
}
static void
folder_no_member(struct kit *k, struct kit_known *known)
{
    (void)known;
    (void)kit_folder(k, "f2", "2.999.7.5");
    k->objects.associations.n--;
}
static void
unresolved(struct kit *k, struct kit_known *known)
{
    (void)known;
    (void)kit_associate(k, ASSOCIATION_APPEND, "d1",
                        "urn:uuid:00000000-0000-4000-8000-000000000000");
}
static void
unresolved_symbol(struct kit *k, struct kit_known *known)
{
    (void)known;
    (void)kit_associate(k, ASSOCIATION_HAS_MEMBER, "set", "d7");
}
static void
unknown_type(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus", "d1",
                        known->old);
}
static void
no_target(struct kit *k, struct kit_known *known)
{
    (void)known;
    (void)kit_associate(k, ASSOCIATION_APPEND, "d1", "");
}
static void
said_reference(struct kit *k, struct kit_known *known)
{
    (void)known;
    k->objects.associations.items[0].submission_set_status = SPAN("Reference");
}
static void
said_original(struct kit *k, struct kit_known *known)
{
    kit_associate(k, ASSOCIATION_HAS_MEMBER, "set", known->old)->submission_set_status =
        SPAN("Original");
}
static void
replace_gone(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_REPLACE, "d1", known->gone);
}
static void
transform_replace_gone(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_TRANSFORM_REPLACE, "d1", known->gone);
}
static void
append_gone(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_APPEND, "d1", known->gone);
}
static void
transform_gone(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_TRANSFORM, "d1", known->gone);
}
static void
member_gone(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_HAS_MEMBER, known->folder, known->gone);
}
static void
reference_gone(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_HAS_MEMBER, "set", known->gone);
}
static void
replace_of_other(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_REPLACE, "d1", known->of_bob);
}
static void
append_of_other(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_APPEND, "d1", known->of_bob);
}
static void
sign_of_other(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_SIGNS, "d1", known->of_bob);
}
static void
folder_takes_other(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_HAS_MEMBER, known->folder, known->of_bob);
}
static void
folder_of_other_takes(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_HAS_MEMBER, known->folder_of_bob, "d1");
}
static void
folder_takes_folder(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_HAS_MEMBER, known->folder, known->folder);
}
static void
document_has_member(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_HAS_MEMBER, "d1", known->old);
}
static void
replace_backwards(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_REPLACE, known->old, "d1");
}
static void
replace_in_message(struct kit *k, struct kit_known *known)
{
    (void)known;
    (void)kit_document(k, "d2", "2.999.7.2", "two");
    (void)kit_associate(k, ASSOCIATION_REPLACE, "d1", "d2");
}
static void
replace_demand(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_REPLACE, "d1", known->demand);
}
static void
replace_folder(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_REPLACE, "d1", known->folder);
}
static void
snapshot_of_stable(struct kit *k, struct kit_known *known)
{
    (void)kit_associate(k, ASSOCIATION_SNAPSHOT, "d1", known->old);
}

static const struct {
    void (*spoil)(struct kit *kit, struct kit_known *known);
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
    {folder_of_other_takes, "XDSPatientIdDoesNotMatch", "the Folder is"},
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
    struct kit_known known;

    kit_open_known(&known);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct kit kit;

        kit_begin(&kit, &known.shelf);
        (void)kit_document(&kit, "d1", "2.999.7.1", "one");
        rules[i].spoil(&kit, &known);
        kit_refused(&kit, rules[i].code, rules[i].context);
    }
    kit_close(&known.shelf);
}

static const struct unit_test tests[] = {
    /* REQ: ITI41-metadata-error */
    {"wrong attributes", wrong_attributes},
    /* REQ: ITI41-all-or-nothing, ITI41-missing-document, ITI41-missing-metadata */
    /* REQ: ITI41-metadata-error, ITI41-unknown-patient, ITI41-patient-differs */
    /* REQ: ITI41-duplicate-id, ITI41-hash-size, ITI41-replace, ITI41-relations */
    {"broken rules", broken_rules},
};

UNIT_MAIN("registry_refuse", tests)
