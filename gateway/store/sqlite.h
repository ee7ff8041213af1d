/*
 * The parts of the SQLite engine among themselves: one file each for opening and dispatch
 * (sqlite.c), the schema, patients, documents, searching and the replay memory. Every function runs
 * on the thread of one store call, on the connection that this call has taken. Nobody outside of
 * these files includes this.
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "store/db.h"
#include "store/match.h"
#include "store/store_engine.h"

struct replay_memory;

struct sqlite_store {
    struct store store; /* first member */
    struct db *db;
    char *path; /* of the database */
    char *community, *patient_authority, *repository;
    const struct clock *clock;
    struct replay_memory *replay; /* while a node accepts messages */
};

static inline struct sqlite_store *
sqlite_of(struct store *store)
{
    return (struct sqlite_store *)store;
}

/* ---- sqlite_schema.c ---- */
/* Makes the tables of an empty file, checks the version of one that has them, and that it belongs
 * to this community, patient authority and repository. ERR_STORE says what to do. */
MUST_CHECK struct status sqlite_schema_open(struct sqlite_store *store, struct db_conn *conn,
                                            bool is_read_only, struct diag *diag);

/* ---- sqlite_patients.c ---- */
struct sqlite_patient {
    int64_t row;
    struct span public_id;  /* the extension of the id that we give out */
    struct patient patient; /* ids as they came, without our own */
    bool *is_unreliable;    /* one for each id */
};
MUST_CHECK struct status sqlite_patient_load(struct db_conn *conn, int64_t row, struct arena *arena,
                                             struct diag *diag, struct sqlite_patient *ret_patient);
/* The patient as others may see him: our own id first, then ids that can be believed. (sqlite.c) */
MUST_CHECK struct status sqlite_patient_present(const struct sqlite_store *store,
                                                const struct sqlite_patient *stored,
                                                struct arena *arena, struct diag *diag,
                                                struct patient *ret_patient);
/* Row of the patient with this public id; 0 when there is none. */
MUST_CHECK struct status sqlite_patient_find(struct db_conn *conn, struct span public_id,
                                             struct diag *diag, int64_t *ret_row);

/* Between given names, and between street lines, in one column. */
#define SQLITE_PART_SEPARATOR '\x1f'

/* ---- sqlite_people.c: by what people are found, and what few of their records say ---- */
/* The numbers are in the file: never change. */
enum sqlite_detail_kind {
    SQLITE_DETAIL_MOTHER = 1,         /* family name, given names */
    SQLITE_DETAIL_BIRTH_PLACE = 2,    /* its name */
    SQLITE_DETAIL_BIRTH_ADDRESS = 3,  /* street; city, state, postal code, country */
    SQLITE_DETAIL_CARE_PROVIDER = 4,  /* root, extension */
    SQLITE_DETAIL_DECEASED = 5,       /* 1 or 0, time */
    SQLITE_DETAIL_MULTIPLE_BIRTH = 6, /* 1 or 0, order */
    /* For people: code; code system, display. Programs that know none of them pass over them. */
    SQLITE_DETAIL_MARITAL_STATUS = 7,
    SQLITE_DETAIL_RACE = 8,
    SQLITE_DETAIL_ETHNICITY = 9,
    SQLITE_DETAIL_LANGUAGE = 10
};
/* The keys of the person's names; those that are there already stay. */
MUST_CHECK struct status sqlite_people_add_keys(struct db_conn *conn, int64_t row,
                                                const struct patient *patient, struct arena *arena,
                                                struct diag *diag);
/* The details of <from> that <known> lacks; <known> grows along. */
MUST_CHECK struct status sqlite_people_add_details(struct db_conn *conn, int64_t row,
                                                   const struct patient *from, struct arena *arena,
                                                   struct diag *diag, struct patient *known);
MUST_CHECK struct status sqlite_people_load_details(struct db_conn *conn, int64_t row,
                                                    struct arena *arena, struct diag *diag,
                                                    struct patient *patient);
/* From now on nobody is told from this id alone: two people carry it. */
MUST_CHECK struct status sqlite_people_doubt_id(struct db_conn *conn, struct span root,
                                                struct span key, struct diag *diag);
/* Makes the keys of everybody, and doubts ids that nobody should believe; for schema version 6. */
MUST_CHECK struct status sqlite_people_index(struct db_conn *conn, struct diag *diag);
/* Text parts in one column, between them SQLITE_PART_SEPARATOR. */
MUST_CHECK struct status sqlite_parts_join(const struct span_list *parts, struct arena *arena,
                                           struct diag *diag, struct span *ret_joined);
MUST_CHECK struct status sqlite_parts_split(struct span joined, struct arena *arena,
                                            struct diag *diag, struct span_list *ret_parts);

/* ---- sqlite_correlations.c ---- */
MUST_CHECK struct status sqlite_correlation_learn(struct sqlite_store *store, struct db_conn *conn,
                                                  const struct correlation *correlation,
                                                  struct diag *diag);
MUST_CHECK struct status sqlite_correlation_find(struct sqlite_store *store, struct db_conn *conn,
                                                 const struct correlation_key *key,
                                                 struct arena *arena, struct diag *diag,
                                                 bool *ret_is_known, struct correlation *ret_found);
MUST_CHECK struct status sqlite_correlation_ids(struct sqlite_store *store, struct db_conn *conn,
                                                const struct ident *local, struct arena *arena,
                                                struct diag *diag,
                                                struct correlation_match_list *ret_matches);
MUST_CHECK struct status sqlite_correlation_forget(struct db_conn *conn,
                                                   const struct correlation_forget *what,
                                                   struct diag *diag, uint64_t *ret_forgotten);

/* ---- sqlite_match.c ---- */
/* Who here is <person>, of whom a document speaks? *ret_row is 0 unless exactly one agrees. */
struct sqlite_decision {
    enum match_rule rule;
    int64_t row;
};
MUST_CHECK struct status sqlite_patient_match(struct db_conn *conn, const struct patient *person,
                                              struct arena *arena, struct diag *diag,
                                              struct sqlite_decision *ret_decision);
/* Who here is asked for? <rows>: the candidates whom the decision is about. */
struct sqlite_answer {
    struct match_decision decision;
    int64_t rows[STORE_CANDIDATES_MAX];
    enum match_rule rules[STORE_CANDIDATES_MAX];
    size_t rows_n;
};
MUST_CHECK struct status sqlite_patient_answer(const struct sqlite_store *store,
                                               struct db_conn *conn, const struct patient *question,
                                               struct arena *arena, struct diag *diag,
                                               struct sqlite_answer *ret_answer);
/* One stored patient against <person>; <with_ids>: match_compare, else demographics alone. */
MUST_CHECK struct status sqlite_patient_compare(struct db_conn *conn, int64_t row,
                                                const struct match_person *person, bool with_ids,
                                                struct diag *diag, enum match_rule *ret_rule);

/* For each of the ids of <patient> (of the first MATCH_ITEMS_MAX): is it known to be unreliable? */
MUST_CHECK struct status sqlite_patient_doubts(struct db_conn *conn, const struct patient *patient,
                                               struct arena *arena, struct diag *diag,
                                               bool **ret_is_unreliable);

/* ---- sqlite_search.c ---- */
MUST_CHECK struct status sqlite_search(const struct sqlite_store *store, struct db_conn *conn,
                                       const struct patient *asked, size_t most,
                                       struct arena *arena, struct diag *diag,
                                       struct store_people *ret_people);

/* ---- sqlite_known.c ---- */
MUST_CHECK struct status sqlite_known_patient(struct sqlite_store *store, struct db_conn *conn,
                                              const struct ident *id, struct arena *arena,
                                              struct diag *diag, struct known_patient *ret_known);
MUST_CHECK struct status sqlite_knows_domains(const struct sqlite_store *store,
                                              struct db_conn *conn, const struct span *roots,
                                              size_t n, struct diag *diag, bool *ret_is_known);

/* ---- sqlite_join.c ---- */
/* Joins <person> to the patient whom the decision names, or makes a new one; afterwards marks ids
 * that different people carry. Within a write transaction. */
MUST_CHECK struct status sqlite_patient_put(struct db_conn *conn, const struct patient *person,
                                            const struct sqlite_decision *decision, int64_t now_us,
                                            struct arena *arena, struct diag *diag,
                                            int64_t *ret_row, struct span *ret_public_id);
/* ---- sqlite_documents.c ---- */
/* Before anything is done. ERR_DOCUMENT. */
MUST_CHECK struct status sqlite_document_check(const struct store_document *document,
                                               const struct body *body, struct diag *diag);
/* <content>: what sqlite_content_prepare made of <body>. */
struct sqlite_content;
MUST_CHECK struct status sqlite_document_put(struct sqlite_store *store, struct db_conn *conn,
                                             const struct store_document *document,
                                             const struct body *body,
                                             struct sqlite_content *content, struct arena *arena,
                                             struct diag *diag,
                                             struct store_put_result *ret_result);

/* ---- sqlite_entries.c: DocumentEntries as rows ---- */
/* Writes the entry's row and its child rows. */
struct sqlite_entry_origin {
    int64_t patient;
    struct span sha256; /* of the bytes, 32 bytes */
    bool is_unique_id_made;
    const char *patient_rule; /* why it is this patient's */
    struct span header_id;
    struct span source_patient_id; /* as submitted */
    int64_t now_us;
};
MUST_CHECK struct status sqlite_entry_insert(struct db_conn *conn,
                                             const struct document_entry *entry,
                                             const struct sqlite_entry_origin *origin,
                                             struct diag *diag, int64_t *ret_row);
/* Columns that every query of entries selects first, in the order that sqlite_entry_read wants. */
#define SQLITE_ENTRY_COLUMNS                                                                       \
    "d.id, p.public_id, d.entry_uuid, d.lid, d.unique_id, d.mime_type, d.object_type, d.status, "  \
    "d.availability, d.title, d.comments, d.creation_time, d.service_start, d.service_stop, "      \
    "d.language, d.hash, d.uri, d.legal_authenticator, d.size, d.is_limited, d.has_slots"
#define SQLITE_ENTRY_COLUMNS_N 21
struct sqlite_entry_row {
    int64_t id;
    bool has_slots;
};
MUST_CHECK struct status sqlite_entry_read(const struct sqlite_store *store,
                                           const struct db_query *query, struct arena *arena,
                                           struct diag *diag, struct sqlite_entry_row *ret_row,
                                           struct document_entry *ret_entry);
/* Codes, authors and lists of an entry that sqlite_entry_read has read. */
MUST_CHECK struct status sqlite_entry_complete(struct db_conn *conn,
                                               const struct sqlite_entry_row *row,
                                               struct arena *arena, struct diag *diag,
                                               struct document_entry *entry);
/* Kinds of rows in document_codes and document_texts; the numbers are in the file: never change. */
enum sqlite_code_kind {
    SQLITE_CODE_CLASS = 1,
    SQLITE_CODE_TYPE = 2,
    SQLITE_CODE_FORMAT = 3,
    SQLITE_CODE_FACILITY = 4,
    SQLITE_CODE_PRACTICE = 5,
    SQLITE_CODE_CONFIDENTIALITY = 6,
    SQLITE_CODE_EVENT = 7
};
enum sqlite_text_kind { SQLITE_TEXT_REFERENCE = 1, SQLITE_TEXT_SOURCE_PATIENT = 2 };
/* ---- sqlite_slots.c: authors, and slots as they came, of any object ---- */
/* The numbers are in the file: never change. */
enum sqlite_slot_kind { SQLITE_SLOT_EXTRA = 1, SQLITE_SLOT_AUTHOR = 2, SQLITE_SLOT_RECIPIENT = 3 };
/* What an object has of them; members that it does not have are NULL. */
struct sqlite_slots {
    struct extra_slot_list *extra;
    struct author_list *authors; /* what follows their first values */
    struct span_list *recipients;
    struct span *xml;       /* as it was submitted */
    struct span patient_id; /* CX of ours that the object has now; empty: it has none */
};
bool sqlite_slots_are_there(const struct sqlite_slots *slots);
MUST_CHECK struct status sqlite_slots_insert(struct db_conn *conn, struct span entry_uuid,
                                             const struct sqlite_slots *slots, struct diag *diag);
/* Authors are read before: what follows their first values joins them. */
MUST_CHECK struct status sqlite_slots_read(struct db_conn *conn, struct span entry_uuid,
                                           struct arena *arena, struct diag *diag,
                                           const struct sqlite_slots *slots);
/* ---- sqlite_texts.c: objects as they were submitted, and who submitted them ---- */
MUST_CHECK struct status sqlite_text_insert(struct db_conn *conn, struct span entry_uuid,
                                            struct span patient_id, struct span xml,
                                            struct diag *diag);
/* Empty when there is none. <patient_id> stands in it where the one of its submission stood. */
MUST_CHECK struct status sqlite_text_read(struct db_conn *conn, struct span entry_uuid,
                                          struct span patient_id, struct arena *arena,
                                          struct diag *diag, struct span *ret_xml);
/* <community>: bare OID of the partner who submitted this document. */
MUST_CHECK struct status sqlite_sender_insert(struct db_conn *conn, struct span entry_uuid,
                                              struct span community, struct diag *diag);
/* Did that community submit this document, and all that goes with it when it is deprecated: its
 * transforms and addenda, and theirs? */
MUST_CHECK struct status sqlite_sender_check(struct db_conn *conn, struct span entry_uuid,
                                             struct span community, struct diag *diag,
                                             bool *ret_is_own);

/* <sql>, a literal: inserts owner's row, position and the five first values. */
MUST_CHECK struct status sqlite_authors_insert(struct db_conn *conn, const char *sql, int64_t row,
                                               const struct author_list *authors,
                                               struct diag *diag);
/* <sql>, a literal: selects the five first values of one owner's authors in their order. */
MUST_CHECK struct status sqlite_authors_read(struct db_conn *conn, const char *sql, int64_t row,
                                             struct arena *arena, struct diag *diag,
                                             struct author_list *authors);
/* One code of a package or document: the columns at <first>, <first> + 1, <first> + 2. */
MUST_CHECK struct status sqlite_code_read(const struct db_query *query, int first,
                                          struct arena *arena, struct diag *diag,
                                          struct code *ret_code);
/* A DTM with all 14 digits, missing ones at their start, so that texts compare as times; empty
 * stays empty. False when it is not a DTM. */
bool sqlite_dtm_key(struct span dtm, char ret_key[15]);

/* ---- sqlite_find.c ---- */
/* ERR_LIMIT_RESULTS when there are more than one answer holds. */
#define STORE_RESULTS_MAX 2000
MUST_CHECK struct status sqlite_results_check(size_t n, struct diag *diag);
MUST_CHECK struct status sqlite_find_documents(struct sqlite_store *store, struct db_conn *conn,
                                               const struct store_filter *filter,
                                               const struct span_list_set *reference_ids,
                                               struct arena *arena, struct diag *diag,
                                               struct document_list *ret_documents);
MUST_CHECK struct status sqlite_get_documents(struct sqlite_store *store, struct db_conn *conn,
                                              const struct span_list *entry_uuids,
                                              const struct span_list *unique_ids,
                                              struct arena *arena, struct diag *diag,
                                              struct document_list *ret_documents);
/* Those of <entry_uuids> that pass the filter's object types (none: stable), formats and
 * confidentiality codes; its other members are not looked at. */
MUST_CHECK struct status sqlite_filter_documents(struct sqlite_store *store, struct db_conn *conn,
                                                 const struct span_list *entry_uuids,
                                                 const struct store_filter *filter,
                                                 struct arena *arena, struct diag *diag,
                                                 struct document_list *ret_documents);

/* ---- sqlite_retrieve.c ---- */
MUST_CHECK struct status sqlite_retrieve(struct sqlite_store *store, struct db_conn *conn,
                                         const struct document_ref *ref, struct arena *arena,
                                         struct diag *diag, struct document_entry *ret_entry,
                                         struct body *ret_body);

/* ---- sqlite_jobs.c, sqlite_pending.c ---- */
extern const struct jobs_engine sqlite_jobs;
extern const struct pending_engine sqlite_pending;

/* ---- sqlite_replay.c ---- */
/* Opens store->replay. */
MUST_CHECK struct status sqlite_replay_start(struct sqlite_store *store, struct db_conn *conn,
                                             const char *boot_id, struct diag *diag,
                                             bool *ret_is_lossy);
/* Closes it. */
MUST_CHECK struct status sqlite_replay_stop(struct sqlite_store *store, struct db_conn *conn,
                                            struct diag *diag);
/* Within a write transaction: keys of messages created before now may be lost. */
MUST_CHECK struct status sqlite_replay_note_loss(struct db_conn *conn, int64_t now_us,
                                                 struct diag *diag);

#endif
