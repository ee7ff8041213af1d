/*
 * The store as a document registry: every stored query of ITI TF-2 3.18.4.1.2.3.7, and submissions
 * (ITI TF-3 4.2.1.3, 4.2.2). Waiting, threads and arenas: as in store.h.
 */
#ifndef STORE_REGISTRY_H
#define STORE_REGISTRY_H

#include "base/registry.h"
#include "store/store.h"

/* ---- stored queries ---- */

enum store_question_kind {
    STORE_FIND_DOCUMENTS,
    STORE_FIND_BY_REFERENCE_ID,
    STORE_FIND_SUBMISSION_SETS,
    STORE_FIND_FOLDERS,
    STORE_GET_ALL,
    STORE_GET_DOCUMENTS,
    STORE_GET_FOLDERS,
    STORE_GET_ASSOCIATIONS,
    STORE_GET_DOCUMENTS_AND_ASSOCIATIONS,
    STORE_GET_SUBMISSION_SETS,
    STORE_GET_SUBMISSION_SET_AND_CONTENTS,
    STORE_GET_FOLDER_AND_CONTENTS,
    STORE_GET_FOLDERS_FOR_DOCUMENT,
    STORE_GET_RELATED_DOCUMENTS,
    STORE_QUESTION_KINDS
};

/* What a stored query asks. Members that its kind does not name are not looked at; an empty list
 * does not restrict. */
struct store_question {
    enum store_question_kind kind;
    /* FIND_DOCUMENTS, BY_REFERENCE_ID, GET_ALL; of GET_SUBMISSION_SET_AND_CONTENTS and
     * GET_FOLDER_AND_CONTENTS object_types, format_codes and confidentiality; of GET_RELATED and
     * GET_ALL object_types; patient_id is that of every FIND and GET_ALL */
    struct store_filter filter;
    struct span_list_set reference_ids; /* BY_REFERENCE_ID: AND of ORs */
    /* FIND_SUBMISSION_SETS, GET_ALL (set_status) */
    struct span_list set_status, source_ids;
    struct span submitted_from, submitted_to; /* DTM, From <= t < To */
    struct span set_author;                   /* LIKE */
    struct code_list content_types;
    /* FIND_FOLDERS, GET_ALL (folder_status) */
    struct span_list folder_status;
    struct span updated_from, updated_to; /* DTM */
    struct code_list_set folder_codes;
    /* GET_...: by ids of objects (entryUUIDs; GET_ASSOCIATIONS and GET_SUBMISSION_SETS: of whatever
     * they name) or by uniqueIds, whichever list is not empty */
    struct span_list entry_uuids, unique_ids;
    struct span_list association_types; /* GET_RELATED_DOCUMENTS */
};

/* ERR_LIMIT_RESULTS when there are more objects than one answer holds; ERR_MESSAGE_CONTENT for a
 * time that is no DTM. Each object once, with our home and entryUUIDs; the HasMember associations
 * and submission sets that a query's definition includes are in it. ids that name nothing are
 * simply absent. */
MUST_CHECK struct status store_ask(struct store *store, const struct store_question *question,
                                   struct park *park, struct arena *arena, struct diag *diag,
                                   enum answer *ret_answer, struct registry_objects *ret_objects);

/* A document that a SubmissionSet or Folder has, directly or within a Folder of the set: what a
 * rule needs to know of it, entry_uuid, patient_id and confidentiality. */
struct store_member {
    struct span package; /* entryUUID */
    struct document_entry entry;
};
struct store_member_list {
    struct store_member *items;
    size_t n, capacity;
};
/* Of every package among <entry_uuids>; ids of other objects, and of nothing, have no members.
 * ERR_LIMIT_RESULTS when there are too many. */
MUST_CHECK struct status store_members(struct store *store, const struct span_list *entry_uuids,
                                       struct park *park, struct arena *arena, struct diag *diag,
                                       enum answer *ret_answer,
                                       struct store_member_list *ret_members);

/* ---- submissions ---- */

/* How the patient of a submission is found. */
enum store_patients {
    STORE_PATIENTS_KNOWN, /* patientId is one of ours, or a believable one of a source: else
                             XDSUnknownPatientId */
    STORE_PATIENTS_SOURCE /* limited metadata may bring a patient that we do not know:
                             sourcePatientInfo then says who it is */
};

struct submitted_document {
    struct span entry_id;       /* as the submission names its DocumentEntry (may be symbolic) */
    const struct body *content; /* borrowed */
};
struct store_submission {
    const struct registry_objects *objects; /* exactly one SubmissionSet; ids may be symbolic */
    const struct submitted_document *documents;
    size_t documents_n;
    enum store_patients patients;
    /* Another community sends it: it replaces what it submitted itself, as the same <sender> (bare
     * OID), and nothing else; without a sender it replaces nothing. */
    bool is_foreign;
    struct span sender;
    /* Writes the <xml> of the registered objects, which are those of the submission in the same
     * order and perhaps more, without what may change later (status, lastUpdateTime): what answers
     * begin with, so that nothing is lost of what was submitted. Called once, within the
     * transaction. NULL: the records are all that is kept. */
    struct status (*write_texts)(const struct registry_objects *submitted,
                                 struct registry_objects *registered, struct arena *arena,
                                 struct diag *diag);
};
struct store_submitted {
    struct registry_error_list
        errors;                      /* with an error nothing was stored; warnings only: all was */
    struct registry_objects objects; /* as registered: entryUUIDs, repository, home, patient ids */
};
/* All or nothing, in one transaction. What the metadata or the registry's rules refuse is in
 * ret_submitted->errors with IHE's codes (ITI TF-3 Table 4.2.4.1-2), codeContext in our words;
 * ERR_STORE and its like are failures of ours. */
MUST_CHECK struct status store_submit(struct store *store,
                                      const struct store_submission *submission, struct park *park,
                                      struct arena *arena, struct diag *diag,
                                      enum answer *ret_answer,
                                      struct store_submitted *ret_submitted);

/* ---- patient ids ---- */

/* Every believable id of the patient who has <id> (ours, or a source's), ours first; empty when
 * nobody has it. For asking a source under the id that it knows. */
MUST_CHECK struct status store_patient_ids(struct store *store, const struct ident *id,
                                           struct park *park, struct arena *arena,
                                           struct diag *diag, enum answer *ret_answer,
                                           struct ident_list *ret_ids);

#endif
