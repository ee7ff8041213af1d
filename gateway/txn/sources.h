/*
 * External sources among those whom an asking asks (asking.h): document registries and repositories
 * of this node's own communities, asked with ITI-18 and ITI-43 (ITI TF-2 3.18, 3.43). Called by the
 * rounds and legs of an asking, on the thread that has it.
 *
 * A registry knows nothing of communities, and knows patients by ids of its own. So it is asked
 * with its own ids, which the patient index of our store has, and what it answers gets the source's
 * community as home and the id that was asked with. What our policy withholds of a source is as
 * though it were not there, as with our own store; so a document that is asked for by name is first
 * looked up, because its confidentiality stands in its metadata.
 */
#ifndef TXN_SOURCES_H
#define TXN_SOURCES_H

#include "txn/asking.h"

#define SOURCE_IDS_MAX ((size_t)4) /* ids of one patient that one source is asked with */
#define SOURCE_OWNERS_MAX                                                                          \
    ((size_t)64) /* patients whose ids are exchanged in the answers of a round */
#define SOURCE_NAMES_MAX ((size_t)100) /* documents that one question looks up */
#define SOURCE_ALONE_MAX ((size_t)32)  /* documents that are asked for one by one */

/* Is one of the documents a source's? */
bool sources_are_named(const struct config *config, const struct document_ref_list *documents);

/* ---- plans ---- */

/* A leg to each source that the order wants, and for each id of the patient that it knows one. An
 * empty id: the question is by other ids. <patient> may be NULL. */
MUST_CHECK struct status sources_plan_query(struct asking *asking, const struct ident *id,
                                            const struct patient *patient);
/* The metadata of the documents of sources that are to be retrieved by name. */
MUST_CHECK struct status sources_plan_metadata(struct asking *asking);
/* After that round: NULL when the document may be asked for, else <why> not. */
const struct diag *sources_judge(const struct asking *asking, const struct document_ref *ref,
                                 const struct config_source *source, struct diag *why);

/* ---- what a source's answer to a stored query may show (source_judge.c) ----
 *
 * A registry knows nothing of our rules, and its answer names documents without their metadata: by
 * Associations, as members of SubmissionSets and Folders, by having been found through them. So two
 * rounds follow a query that can do so: who is a member of what was found (GetAssociations), and
 * the metadata of every document that is named (GetDocuments). Then the same holds as of our own
 * store (own_query.h). A source that does not answer these gives nothing: its leg fails. */

/* Does this order need them? FindDocuments, FindDocumentsByReferenceId and GetDocuments do not. */
bool sources_must_judge(const struct config *config, const struct asking_order *order);
struct source_lookup {
    struct span query_id;
    const char *param;
    struct span_list ids;
};
MUST_CHECK struct status sources_plan_members(struct asking *asking);
MUST_CHECK struct status sources_plan_documents(struct asking *asking);
/* The query that a leg with a lookup asks, as leg_kind.ask. */
MUST_CHECK struct status source_ask_lookup(struct asking *asking, struct leg *leg);
/* After both: takes out of the answers what may not be shown. */
enum txn_verdict sources_step_withhold(struct txn *txn);

/* ---- steps: patient ids ---- */

/* Before a plan: by which ids our patient index knows those who are to be asked about. */
enum txn_verdict sources_step_patients(struct txn *txn);
/* When all answers are here: patients that were not asked for by id get ours in them. */
enum txn_verdict sources_step_owners(struct txn *txn);

/* ---- legs ---- */

const char *source_url(const struct leg *leg);
/* With which transaction it is asked a stored query. */
enum soap_transaction source_query(const struct config_source *source);
/* As leg_kind.ask: ITI-18 and ITI-43. */
MUST_CHECK struct status source_ask(struct asking *asking, struct leg *leg);
MUST_CHECK struct status source_ask_documents(struct asking *asking, struct leg *leg);
/* The source's home (none where it is ours) and patient id in the place of the asker's. */
MUST_CHECK struct status source_address(struct asking *asking, struct leg *leg,
                                        struct stored_query *query);
/* The leg's patient id in the place of the query's. */
MUST_CHECK struct status leg_put_patient(struct asking *asking, struct leg *leg,
                                         struct stored_query *query);
/* How its answer is read, homes and patient ids exchanged also in the texts of objects; in
 * leg->reading. */
MUST_CHECK struct status source_reading(struct leg *leg, const struct query_reading **ret_reading);
/* What a registry answered, in place, as ours: homes, patient ids; without what is in repositories
 * that the source does not have (dropped and counted), what is another patient's (the same), and
 * what our policy withholds. */
MUST_CHECK struct status source_adopt(struct asking *asking, struct leg *leg,
                                      struct registry_objects *objects);

#endif
