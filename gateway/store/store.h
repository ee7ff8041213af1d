/*
 * The store: patient index, registry (DocumentEntries) and repository (bytes) of the local
 * community, one interface with engines behind it (SQLite now). Results are copied into the
 * caller's arena. Patient ids that leave (in entries, in match results) are the gateway's own,
 * opaque and random; ids of sources follow in match results only, and only believable ones.
 *
 * Waiting: a call that must ask a server takes the caller's park and may say ANSWER_LATER
 * (base/park.h); the caller then repeats the same call after the wake. SQLite always answers now,
 * on the caller's thread, with a connection that is this call's alone. Thread: any.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/body.h"
#include "base/clock.h"
#include "base/document.h"
#include "base/park.h"
#include "store/match.h"

struct store;

struct store_options {
    const char *path;              /* SQLite file; made when missing */
    const char *community;         /* own homeCommunityId, bare OID */
    const char *patient_authority; /* assigning authority of the ids that we give out */
    const char *repository;        /* repositoryUniqueId */
    bool is_read_only;
    const struct clock *clock;
};
/* Makes the file and its tables when they are missing. ERR_STORE: not a store, one of a newer
 * program, or one that was made for another community, authority or repository (the ids in it were
 * given out under those). */
MUST_CHECK struct status store_open(const struct store_options *options, struct diag *diag,
                                    struct store **ret_store);
void store_close(struct store *store); /* NULL is fine */
/* How long the call that is longest in the store has been there; 0: none is. Takes no lock. */
int64_t store_busy_us(const struct store *store);

/* ---- import ---- */
enum store_put { STORE_PUT_NEW, STORE_PUT_KNOWN /* the same bytes are stored already */ };
/* Stores one document, its DocumentEntry and its patient in one transaction: all or nothing.
 * <entry>: metadata from the document; unique_id is the header's id when it is legal for XDS, else
 * empty; entry_uuid, home, repository, patient_id, source_patient_id, hash, size, status,
 * object_type (stable) are the store's to set. ERR_DOCUMENT names what XDS requires and is missing.
 * The patient is joined to the one known person whom the rules of store/match.h find; when there is
 * none, or several fit, it is a new one. Ids that people carry whom the rules call different become
 * unreliable, also where they are stored already. */
struct store_document {
    const struct patient *patient;
    const struct document_entry *entry;
    struct span header_id; /* id of the document's header, root or root^extension; may be empty */
    struct span bytes;
    const struct body *content; /* instead of <bytes>, which is not looked at then */
};
struct store_put_result {
    enum store_put kind;
    struct span unique_id;  /* as registered */
    struct span patient_id; /* CX, of the gateway's own authority */
    bool is_new_patient;
    bool is_unique_id_made; /* the header's id could not serve */
};
MUST_CHECK struct status store_put_document(struct store *store,
                                            const struct store_document *document,
                                            struct arena *arena, struct diag *diag,
                                            struct store_put_result *ret_result);

/* ---- patient discovery ---- */
/* AMBIGUOUS: several agree, or one does not quite (match.h, match_decide). */
enum store_match { STORE_MATCH_NONE, STORE_MATCH_ONE, STORE_MATCH_AMBIGUOUS };
struct store_candidate {
    struct patient patient; /* as below */
    int degree;
};
struct store_candidate_list {
    struct store_candidate *items;
    size_t n, capacity;
};
#define STORE_CANDIDATES_MAX 16
struct store_match_result {
    enum store_match kind;
    struct patient patient; /* STORE_MATCH_ONE: ids[0] is the gateway's own patient id; believable
                               ids follow */
    int degree;             /* STORE_MATCH_ONE: how well the rule agrees, 1 to 100 */
    bool is_plain;          /* STORE_MATCH_ONE: match_rule_is_plain */
    const char *rule;       /* the rule that decided, for the audit's and tests' explanation */
    const char *rule_name;
    unsigned hints; /* STORE_MATCH_AMBIGUOUS: what would help: 1 << enum match_hint; 0: nothing */
    /* STORE_MATCH_AMBIGUOUS, several agree: these do. Empty when they are more than
     * STORE_CANDIDATES_MAX. */
    struct store_candidate_list candidates;
};
MUST_CHECK struct status store_match_patient(struct store *store, const struct patient *query,
                                             struct park *park, struct arena *arena,
                                             struct diag *diag, enum answer *ret_answer,
                                             struct store_match_result *ret_result);
/* ---- people searched for (ITI-47; store/search.h says what holds) ---- */
struct store_people {
    struct patient *items; /* in the order in which they became known; ids as in match results */
    size_t n, capacity;
};
/* Looked at are those with the family name, an id or the birth date that is asked for; a question
 * without any of these is ERR_LIMIT_RESULTS unless few people are known at all, and so is one that
 * finds more than <most>. ERR_MESSAGE_CONTENT: what search_prepare refuses. */
#define STORE_PEOPLE_MAX ((size_t)1000)
MUST_CHECK struct status store_find_people(struct store *store, const struct patient *asked,
                                           size_t most, struct park *park, struct arena *arena,
                                           struct diag *diag, enum answer *ret_answer,
                                           struct store_people *ret_people);
/* Is this an id that we gave out? */
MUST_CHECK struct status store_knows_patient(struct store *store, const struct ident *id,
                                             struct park *park, struct diag *diag,
                                             enum answer *ret_answer, bool *ret_known);

/* ---- people of suppliers ---- */
/* A person whom a supplier of demographics (ITI-47) knows, and whom the caller's rules let be the
 * one who is asked for. */
struct store_person {
    const struct patient *patient; /* ids: the supplier's own first */
    size_t own_ids;
};
enum store_learned {
    STORE_LEARNED_PERSON,       /* as one who was known, or as somebody new */
    STORE_LEARNED_NOT,          /* no birth date, name or id of the supplier's that can be used */
    STORE_LEARNED_CONTRADICTION /* one of its own ids is that of somebody who is another by the
                                   rules of store/match.h: nothing was changed */
};
/* The person is joined to the index as that of store_put_document, and then has an id of ours like
 * everybody. Ids under our own authority are left out: nobody else gives them out. All or nothing.
 */
MUST_CHECK struct status store_learn_person(struct store *store, const struct store_person *person,
                                            struct park *park, struct arena *arena,
                                            struct diag *diag, enum answer *ret_answer,
                                            enum store_learned *ret_learned);

/* ---- registry ---- */
/* FindDocuments (ITI TF-2 3.18.4.1.2.3.7.1): empty lists do not restrict. Times are DTM, From <= t
 * < To; ERR_MESSAGE_CONTENT when one is no DTM. A filter's code without a scheme matches the code
 * in any scheme. */
struct code_list_set { /* AND of ORs: a repeated slot */
    struct code_list *items;
    size_t n, capacity;
};
struct store_filter {
    struct ident patient_id;       /* required */
    struct span_list status;       /* required: at least one */
    struct span_list object_types; /* empty: stable only */
    struct code_list class_codes, type_codes, practice_settings, facility_types, format_codes;
    struct code_list_set event_codes, confidentiality;
    struct span_list authors; /* LIKE patterns over authorPerson, OR */
    struct span creation_from, creation_to, service_start_from, service_start_to, service_stop_from,
        service_stop_to;
};
MUST_CHECK struct status store_find_documents(struct store *store,
                                              const struct store_filter *filter, struct park *park,
                                              struct arena *arena, struct diag *diag,
                                              enum answer *ret_answer,
                                              struct document_list *ret_documents);
/* GetDocuments: by entryUUID or by uniqueId, whichever list is not empty. Unknown ones are simply
 * absent. */
MUST_CHECK struct status store_get_documents(struct store *store,
                                             const struct span_list *entry_uuids,
                                             const struct span_list *unique_ids, struct park *park,
                                             struct arena *arena, struct diag *diag,
                                             enum answer *ret_answer,
                                             struct document_list *ret_documents);

/* ---- repository ---- */
/* One document's bytes (owned by the caller: body_done) and the entry that they belong to: of an
 * on-demand entry its latest snapshot's, whose uniqueId is another than the ref's and is the
 * NewDocumentUniqueId; without a snapshot it is an unknown document. ERR_UNKNOWN_COMMUNITY (a
 * home that is not ours), ERR_UNKNOWN_REPOSITORY, ERR_UNKNOWN_DOCUMENT; ERR_STORE when the bytes
 * are no longer the ones that were put. */
MUST_CHECK struct status store_retrieve(struct store *store, const struct document_ref *ref,
                                        struct park *park, struct arena *arena, struct diag *diag,
                                        enum answer *ret_answer, struct document_entry *ret_entry,
                                        struct body *ret_body);

/* ---- overview, for `isthmus import` and tests ---- */
struct store_counts {
    uint64_t patients, documents, unreliable_ids;
};
MUST_CHECK struct status store_count(struct store *store, struct diag *diag,
                                     struct store_counts *ret_counts);

#endif
