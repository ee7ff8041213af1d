/*
 * The metadata of ITI TF-3 4.2.3 in ebRIM, one table a kind; nothing else knows the names and
 * UUIDs. Called by rim_from.c and rim_to.c; any thread; owns nothing.
 */
#include <stddef.h>
#include <string.h>

#include "soap/rim_record.h"

#define ROWS(table)                                                                                \
    {                                                                                              \
        (table), ARRAY_LEN(table)                                                                  \
    }
#define ONE_OF(type, key, member)                                                                  \
    {                                                                                              \
        (key), offsetof(struct type, member), RIM_ONE, NULL                                        \
    }
#define LIST_OF(type, key, member)                                                                 \
    {                                                                                              \
        (key), offsetof(struct type, member), RIM_LIST, NULL                                       \
    }
#define ID_OF(type, key, member, name)                                                             \
    {                                                                                              \
        (key), offsetof(struct type, member), RIM_ONE, (name)                                      \
    }

/* ---- DocumentEntry (ITI TF-3 4.2.3.2) ---- */

static const struct rim_row document_attributes[] = {
    ONE_OF(document_entry, "id", entry_uuid),
    ONE_OF(document_entry, "lid", lid),
    ONE_OF(document_entry, "home", home),
    ONE_OF(document_entry, "status", status),
    ONE_OF(document_entry, "objectType", object_type),
    ONE_OF(document_entry, "name", title),
    ONE_OF(document_entry, "mimeType", mime_type),
    ONE_OF(document_entry, "description", comments),
};
/* In the order in which they are written. */
static const struct rim_row document_slots[] = {
    ONE_OF(document_entry, "repositoryUniqueId", repository),
    ONE_OF(document_entry, "creationTime", creation_time),
    ONE_OF(document_entry, "serviceStartTime", service_start),
    ONE_OF(document_entry, "serviceStopTime", service_stop),
    ONE_OF(document_entry, "languageCode", language),
    ONE_OF(document_entry, "hash", hash),
    ONE_OF(document_entry, "URI", uri),
    ONE_OF(document_entry, "legalAuthenticator", legal_authenticator),
    ONE_OF(document_entry, "sourcePatientId", source_patient_id),
    LIST_OF(document_entry, "sourcePatientInfo", source_patient_info),
    LIST_OF(document_entry, "urn:ihe:iti:xds:2013:referenceIdList", reference_ids),
    ONE_OF(document_entry, "documentAvailability", availability),
};
static const struct rim_row document_codes[] = {
    ONE_OF(document_entry, "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a", class_code),
    LIST_OF(document_entry, "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f", confidentiality),
    LIST_OF(document_entry, "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4", event_codes),
    ONE_OF(document_entry, "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d", format_code),
    ONE_OF(document_entry, "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", facility_type),
    ONE_OF(document_entry, "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead", practice_setting),
    ONE_OF(document_entry, "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983", type_code),
};
static const struct rim_row document_identifiers[] = {
    ID_OF(document_entry, "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427", patient_id,
          "XDSDocumentEntry.patientId"),
    ID_OF(document_entry, "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab", unique_id,
          "XDSDocumentEntry.uniqueId"),
};
const struct rim_layout rim_document = {
    .kind = RIM_DOCUMENT,
    .what = "DocumentEntry",
    .limited_node = DOCUMENT_ENTRY_LIMITED,
    .author_scheme = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d",
    .attributes = ROWS(document_attributes),
    .slots = ROWS(document_slots),
    .codes = ROWS(document_codes),
    .identifiers = ROWS(document_identifiers),
    .id = offsetof(struct document_entry, entry_uuid),
    .home = offsetof(struct document_entry, home),
    .xml = offsetof(struct document_entry, xml),
    .authors = offsetof(struct document_entry, authors),
    .extra = offsetof(struct document_entry, extra),
    .is_limited = offsetof(struct document_entry, is_limited),
    .size = offsetof(struct document_entry, size),
};

/* ---- SubmissionSet (ITI TF-3 4.2.3.3) ---- */

static const struct rim_row set_attributes[] = {
    ONE_OF(submission_set, "id", entry_uuid), ONE_OF(submission_set, "lid", lid),
    ONE_OF(submission_set, "home", home),     ONE_OF(submission_set, "status", status),
    ONE_OF(submission_set, "name", title),    ONE_OF(submission_set, "description", comments),
};
static const struct rim_row set_slots[] = {
    ONE_OF(submission_set, "submissionTime", submission_time),
    LIST_OF(submission_set, "intendedRecipient", intended_recipients),
    ONE_OF(submission_set, "homeCommunityId", target_home),
};
static const struct rim_row set_codes[] = {
    ONE_OF(submission_set, "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500", content_type),
};
static const struct rim_row set_identifiers[] = {
    ID_OF(submission_set, "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446", patient_id,
          "XDSSubmissionSet.patientId"),
    ID_OF(submission_set, "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832", source_id,
          "XDSSubmissionSet.sourceId"),
    ID_OF(submission_set, "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8", unique_id,
          "XDSSubmissionSet.uniqueId"),
};
const struct rim_layout rim_submission_set = {
    .kind = RIM_PACKAGE,
    .what = "SubmissionSet",
    .object_type = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:RegistryPackage",
    .class_node = SUBMISSION_SET_NODE,
    .limited_node = SUBMISSION_SET_LIMITED,
    .author_scheme = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d",
    .attributes = ROWS(set_attributes),
    .slots = ROWS(set_slots),
    .codes = ROWS(set_codes),
    .identifiers = ROWS(set_identifiers),
    .id = offsetof(struct submission_set, entry_uuid),
    .home = offsetof(struct submission_set, home),
    .xml = offsetof(struct submission_set, xml),
    .authors = offsetof(struct submission_set, authors),
    .extra = offsetof(struct submission_set, extra),
    .is_limited = offsetof(struct submission_set, is_limited),
    .size = RIM_NONE,
};

/* ---- Folder (ITI TF-3 4.2.3.4) ---- */

static const struct rim_row folder_attributes[] = {
    ONE_OF(folder, "id", entry_uuid), ONE_OF(folder, "lid", lid),
    ONE_OF(folder, "home", home),     ONE_OF(folder, "status", status),
    ONE_OF(folder, "name", title),    ONE_OF(folder, "description", comments),
};
static const struct rim_row folder_slots[] = {
    ONE_OF(folder, "lastUpdateTime", last_update),
};
static const struct rim_row folder_codes[] = {
    LIST_OF(folder, "urn:uuid:1ba97051-7806-41a8-a48b-8fce7af683c5", codes),
};
static const struct rim_row folder_identifiers[] = {
    ID_OF(folder, "urn:uuid:f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a", patient_id,
          "XDSFolder.patientId"),
    ID_OF(folder, "urn:uuid:75df8f67-9973-4fbe-a900-df66cefecc5a", unique_id, "XDSFolder.uniqueId"),
};
const struct rim_layout rim_folder = {
    .kind = RIM_PACKAGE,
    .what = "Folder",
    .object_type = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:RegistryPackage",
    .class_node = FOLDER_NODE,
    .limited_node = FOLDER_LIMITED,
    .attributes = ROWS(folder_attributes),
    .slots = ROWS(folder_slots),
    .codes = ROWS(folder_codes),
    .identifiers = ROWS(folder_identifiers),
    .id = offsetof(struct folder, entry_uuid),
    .home = offsetof(struct folder, home),
    .xml = offsetof(struct folder, xml),
    .authors = RIM_NONE,
    .extra = offsetof(struct folder, extra),
    .is_limited = offsetof(struct folder, is_limited),
    .size = RIM_NONE,
};

/* ---- Association (ITI TF-3 4.2.2) ---- */

static const struct rim_row association_attributes[] = {
    ONE_OF(association, "id", entry_uuid),       ONE_OF(association, "home", home),
    ONE_OF(association, "status", status),       ONE_OF(association, "associationType", type),
    ONE_OF(association, "sourceObject", source), ONE_OF(association, "targetObject", target),
};
static const struct rim_row association_slots[] = {
    ONE_OF(association, "SubmissionSetStatus", submission_set_status),
    ONE_OF(association, "PreviousVersion", previous_version),
};
static const struct rim_row association_codes[] = {
    ONE_OF(association, "urn:uuid:abd807a3-4432-4053-87b4-fd82c643d1f3", documentation),
};
const struct rim_layout rim_association = {
    .kind = RIM_ASSOCIATION,
    .what = "Association",
    .object_type = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association",
    .attributes = ROWS(association_attributes),
    .slots = ROWS(association_slots),
    .codes = ROWS(association_codes),
    .identifiers = {NULL, 0},
    .id = offsetof(struct association, entry_uuid),
    .home = offsetof(struct association, home),
    .xml = offsetof(struct association, xml),
    .authors = RIM_NONE,
    .extra = offsetof(struct association, extra),
    .is_limited = RIM_NONE,
    .size = RIM_NONE,
};

/* ---- members ---- */

/* The tables' offsets are of aligned members of the right type: nothing else uses these. */
const void *
rim_member(const void *record, size_t offset)
{
    return (const char *)record + offset;
}

void *
rim_member_of(void *record, size_t offset)
{
    return (char *)record + offset;
}

struct span *
rim_attribute(struct rim_object *object, const char *key)
{
    const struct {
        const char *key;
        struct span *value;
    } rows[] = {
        {"id", &object->id},
        {"home", &object->home},
        {"lid", &object->lid},
        {"status", &object->status},
        {"objectType", &object->object_type},
        {"mimeType", &object->mime_type},
        {"name", &object->name},
        {"description", &object->description},
        {"associationType", &object->association_type},
        {"sourceObject", &object->source},
        {"targetObject", &object->target},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].key, key) == 0) {
            return rows[i].value;
        }
    }
    return NULL;
}

static bool
is_classified(const struct rim_object *object, const char *node)
{
    for (size_t i = 0; i < object->classifications.n; i++) {
        if (span_eq_cstr(span_trim(object->classifications.items[i].class_node), node)) {
            return true;
        }
    }
    return false;
}

static bool
has_identifier_of(const struct rim_object *object, const struct rim_layout *layout)
{
    for (size_t i = 0; i < object->identifiers.n; i++) {
        for (size_t k = 0; k < layout->identifiers.n; k++) {
            if (span_eq_cstr(object->identifiers.items[i].scheme,
                             layout->identifiers.items[k].key)) {
                return true;
            }
        }
    }
    return false;
}

/* REQ: META-submission-set, META-folder */
const struct rim_layout *
rim_package_layout(const struct rim_object *object)
{
    const bool is_set = is_classified(object, SUBMISSION_SET_NODE);
    const bool is_folder = is_classified(object, FOLDER_NODE);
    const bool like_set = has_identifier_of(object, &rim_submission_set);
    const bool like_folder = has_identifier_of(object, &rim_folder);
    if ((is_set || like_set) && (is_folder || like_folder)) {
        return NULL;
    }
    return is_set || like_set ? &rim_submission_set : is_folder || like_folder ? &rim_folder : NULL;
}
