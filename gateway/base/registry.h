/*
 * What a document registry holds beside DocumentEntries: SubmissionSets, Folders, Associations
 * (ITI TF-3 4.2.1, 4.2.3), and the errors that registries and repositories answer with (ITI TF-3
 * 4.2.4). Codecs, store and merge share it. Spans and arrays live in one arena; nothing here owns
 * memory. Empty span = absent. Thread: whoever owns the arena.
 *
 * <xml>, where it is set, is the object as its registry wrote it, complete in itself (every
 * namespace that it uses is declared in it): whoever passes an object on writes that text, and the
 * other members are what we understood of it.
 */
#ifndef BASE_REGISTRY_H
#define BASE_REGISTRY_H

#include "base/document.h"

#define SUBMISSION_SET_NODE    "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
#define FOLDER_NODE            "urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2"
#define SUBMISSION_SET_LIMITED "urn:uuid:5003a9db-8d8d-49e6-bf0c-990e34ac7707"
#define FOLDER_LIMITED         "urn:uuid:2c144a76-29a9-4b7c-af54-b25409fe7d03"
#define DOCUMENT_ENTRY_LIMITED "urn:uuid:ab9b591b-83ab-4d03-8f5d-f93b1fb92e85"

#define ASSOCIATION_HAS_MEMBER        "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
#define ASSOCIATION_REPLACE           "urn:ihe:iti:2007:AssociationType:RPLC"
#define ASSOCIATION_TRANSFORM         "urn:ihe:iti:2007:AssociationType:XFRM"
#define ASSOCIATION_APPEND            "urn:ihe:iti:2007:AssociationType:APND"
#define ASSOCIATION_TRANSFORM_REPLACE "urn:ihe:iti:2007:AssociationType:XFRM_RPLC"
#define ASSOCIATION_SIGNS             "urn:ihe:iti:2007:AssociationType:signs"
#define ASSOCIATION_SNAPSHOT          "urn:ihe:iti:2010:AssociationType:IsSnapshotOf"

struct submission_set {
    struct span entry_uuid, lid, unique_id, home;
    struct span source_id;       /* bare OID */
    struct span patient_id;      /* CX */
    struct span submission_time; /* DTM */
    struct span status;
    struct span title, comments;
    struct code content_type;
    struct author_list authors;
    struct span_list intended_recipients; /* XON|XCN|XTN */
    struct span target_home;              /* slot homeCommunityId: whom ITI-80 is for */
    bool is_limited;                      /* limited metadata */
    struct extra_slot_list extra;
    struct span xml;
};
struct submission_set_list {
    struct submission_set *items;
    size_t n, capacity;
};

struct folder {
    struct span entry_uuid, lid, unique_id, home;
    struct span patient_id;  /* CX */
    struct span last_update; /* DTM */
    struct span status;
    struct span title, comments;
    struct code_list codes;
    bool is_limited;
    struct extra_slot_list extra;
    struct span xml;
};
struct folder_list {
    struct folder *items;
    size_t n, capacity;
};

struct association {
    struct span entry_uuid, home;
    struct span type; /* ASSOCIATION_... */
    struct span source, target;
    struct span status;
    struct span submission_set_status; /* of HasMember to a DocumentEntry: Original, Reference */
    struct span previous_version;      /* of HasMember that updates metadata */
    struct code documentation;         /* associationDocumentation */
    struct extra_slot_list extra;
    struct span xml;
};
struct association_list {
    struct association *items;
    size_t n, capacity;
};

/* What a query finds, or a submission brings. */
struct registry_objects {
    struct document_list documents;
    struct submission_set_list submission_sets;
    struct folder_list folders;
    struct association_list associations;
    struct span_list others; /* passed on only: <xml> of what is none of these */
    /* Of submissions: <xml> of Classifications that stand beside their objects, which have what
     * these say. */
    struct span_list classifications;
};

struct registry_error {
    struct span code; /* XDSUnknownPatientId ... */
    struct span context;
    struct span location;
    bool is_warning;
};
struct registry_error_list {
    struct registry_error *items;
    size_t n, capacity;
};

#endif
