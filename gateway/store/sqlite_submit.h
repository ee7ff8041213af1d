/*
 * A submission on its way into the SQLite engine, among the files that judge and store it:
 *
 *   sqlite_submit_check.c      each object by itself, and the message (no database)
 *   sqlite_submit_refer.c      what the associations connect, against the registry
 *   sqlite_submit_patient.c    whose it is
 *   sqlite_submit.c            the order of all, contents, rows
 *
 * One store call owns it; everything in it lives in that call's arena but the contents' files. What
 * the metadata does wrong is an error in the list, never a failure; the functions go on after one,
 * so that the sender learns of all at once.
 */
#ifndef STORE_SQLITE_SUBMIT_H
#define STORE_SQLITE_SUBMIT_H

#include "store/sqlite_files.h"
#include "store/sqlite_registry.h"

/* The codes of ITI TF-3 Table 4.2.4.1-2 that a submission can meet. */
#define SUBMIT_REGISTRY_METADATA    "XDSRegistryMetadataError"
#define SUBMIT_REPOSITORY_METADATA  "XDSRepositoryMetadataError"
#define SUBMIT_MISSING_DOCUMENT     "XDSMissingDocument"
#define SUBMIT_MISSING_METADATA     "XDSMissingDocumentMetadata"
#define SUBMIT_UNKNOWN_PATIENT      "XDSUnknownPatientId"
#define SUBMIT_OTHER_PATIENT        "XDSPatientIdDoesNotMatch"
#define SUBMIT_DUPLICATE_REGISTERED "XDSDuplicateUniqueIdInRegistry"
#define SUBMIT_DUPLICATE_IN_MESSAGE "XDSRepositoryDuplicateUniqueIdInMessage"
#define SUBMIT_OTHER_HASH           "XDSNonIdenticalHash"
#define SUBMIT_OTHER_SIZE           "XDSNonIdenticalSize"
#define SUBMIT_DEPRECATED           "XDSRegistryDeprecatedDocumentError"
#define SUBMIT_UNRESOLVED           "UnresolvedReferenceException"
#define SUBMIT_NOT_SAVED            "XDSExtraMetadataNotSaved"
#define SUBMIT_NOT_REPLACED         "PartialReplaceContentNotProcessed"

/* One document of the message: its entry and its bytes. */
struct submit_document {
    const struct body *body; /* NULL: on-demand, or an error */
    struct sqlite_content content;
    bool is_prepared; /* content is to be finished */
    bool is_known;    /* the same bytes are stored already */
};

/* How the message names an object, and its UUID here. */
struct submit_name {
    struct span submitted, uuid;
    enum submit_kind {
        SUBMIT_NOTHING,
        SUBMIT_DOCUMENT,
        SUBMIT_SET,
        SUBMIT_FOLDER,
        SUBMIT_ASSOCIATION
    } kind;
    size_t n; /* which of its kind */
};
struct submit_name_list {
    struct submit_name *items;
    size_t n, capacity;
};

struct submit {
    struct sqlite_store *store;
    const struct store_submission *submission;
    struct registry_objects objects;   /* as they are to be registered: copies, with our ids */
    struct submit_document *documents; /* one for each entry */
    struct submit_name_list names;
    struct registry_error_list errors;
    int64_t now_us;
    int64_t patient;        /* row */
    struct span patient_id; /* CX of ours */
    const char *patient_rule;
    struct span_list source_patient_ids; /* of each entry, as submitted */
    struct arena *arena;
    struct diag *diag;
};

/* ---- sqlite_submit.c ---- */
/* Notes an error; more than a hundred are not kept. */
MUST_CHECK struct status submit_refuse(struct submit *submit, const char *code, const char *format,
                                       ...) __attribute__((format(printf, 3, 4)));
bool submit_is_refused(const struct submit *submit);
/* XDSRegistryMetadataError; a Document Recipient, who takes patients of the source, says
 * XDSRepositoryMetadataError (ITI TF-3 Table 4.2.4.1-2). */
const char *submit_metadata_code(const struct submit *submit);
const struct submit_name *submit_find_name(const struct submit *submit, struct span submitted);

/* ---- sqlite_submit_check.c ---- */
MUST_CHECK struct status submit_check(struct submit *submit);

/* ---- sqlite_submit_patient.c ---- */
/* Whose id is it: ours, or one of a source that can be believed and one person has? 0: nobody's. */
MUST_CHECK struct status sqlite_patient_of_id(const struct sqlite_store *store,
                                              struct db_conn *conn, const struct ident *id,
                                              struct arena *arena, struct diag *diag,
                                              int64_t *ret_row);
MUST_CHECK struct status submit_find_patient(struct submit *submit, struct db_conn *conn);
/* Fields of sourcePatientInfo (ITI TF-3 4.2.3.2.23) as a person. */
MUST_CHECK struct status submit_read_person(const struct span_list *fields, struct arena *arena,
                                            struct diag *diag, struct patient *ret_person);

/* ---- sqlite_submit_refer.c ---- */
/* Ends of all associations become UUIDs; what the rules forbid is refused. */
MUST_CHECK struct status submit_refer(struct submit *submit, struct db_conn *conn);
/* A UUID is the same in capitals (RFC 9562 4): it is registered, and looked for, in small letters,
 * or two objects could have one. */
MUST_CHECK struct status submit_uuid(struct submit *submit, struct span id, struct span *ret_uuid);
/* After that: replaced entries are deprecated, what replaces them joins their folders. */
MUST_CHECK struct status submit_replace(struct submit *submit, struct db_conn *conn);

MUST_CHECK struct status sqlite_submit(struct sqlite_store *store,
                                       const struct store_submission *submission,
                                       struct arena *arena, struct diag *diag,
                                       struct store_submitted *ret_submitted);

#endif
