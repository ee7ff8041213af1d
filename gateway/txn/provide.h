/*
 * What ITI-41 and ITI-80 have in common on every side: a submission's structure, whom it is for,
 * what the record says of it, its way into our own store, and the answer. A submission is taken
 * whole or not at all (ITI TF-3 4.2.4.2). Pure but for provide_store; texts live in the arenas that
 * are given. Thread: the transaction's worker.
 */
#ifndef TXN_PROVIDE_H
#define TXN_PROVIDE_H

#include "audit/event.h"
#include "config/config.h"
#include "soap/xdr.h"
#include "store/registry.h"

/* Errors whose texts go back to the sender: codes are IHE's, the context is in our words and names
 * ids of the submission only. */

/* Not exactly one SubmissionSet; XDSMissingDocument, XDSMissingDocumentMetadata. */
MUST_CHECK struct status provide_check(const struct provide_request *request, struct arena *arena,
                                       struct diag *diag, struct registry_error_list *errors);
/* What a submission for our own store may not say: UnavailableRecipient when the node has none that
 * is asked for documents (`sources:`); XDSUnknownCommunity for an object with the home
 * of another community, XDSUnknownRepositoryId for one with the repository of somebody else. */
MUST_CHECK struct status provide_check_own(const struct config *config,
                                           const struct provide_request *request,
                                           struct arena *arena, struct diag *diag,
                                           struct registry_error_list *errors);
/* What only a system of ours may do: put something into a folder that is stored already
 * (PartialFolderContentNotProcessed), change metadata (XDSRepositoryMetadataError). What a
 * community may replace is the store's to say, which knows who sent a document (store/registry.h).
 */
MUST_CHECK struct status provide_check_foreign(const struct provide_request *request,
                                               struct arena *arena, struct diag *diag,
                                               struct registry_error_list *errors);

/* Whom it is for (bare OID). A target community that is named counts; else what `recipients:` of
 * the configuration says of every intendedRecipient; empty: nobody is named, or there is no such
 * table. UnknownRecipient: one is not listed, or they belong to several communities, to which a
 * submission cannot go all or nothing. XDSUnknownCommunity: the name is no homeCommunityId. */
MUST_CHECK struct status provide_community(const struct config *config,
                                           const struct provide_request *request,
                                           struct arena *arena, struct diag *diag,
                                           struct registry_error_list *errors,
                                           struct span *ret_community);

/* Is it the community (bare OID) of our store, or a partner's? A source's registry of ours is not
 * written to. */
bool provide_may_go(const struct config *config, struct span community);

/* The one SubmissionSet; NULL before provide_check. */
const struct submission_set *provide_set(const struct provide_request *request);
/* Patient, SubmissionSet and documents. */
MUST_CHECK struct status provide_note(const struct provide_request *request, struct arena *arena,
                                      struct diag *diag, struct audit_event *event);
/* store_submit; patients that we do not know are taken with limited metadata (XDR, ITI TF-3
 * 4.2.1.1, Table 4.3.1-1) only. <sender>: the community (bare OID) that sends it; NULL: a system of
 * ours. ANSWER_LATER: call again. Errors have a repository's codes. */
MUST_CHECK struct status provide_store(struct store *store, const struct provide_request *request,
                                       const struct span *sender, struct park *park,
                                       struct arena *arena, struct diag *diag,
                                       enum answer *ret_answer, struct registry_error_list *errors);

/* Is there one that is no warning? */
bool provide_has_failed(const struct registry_error_list *errors);
/* Success, with warnings at most, or Failure. */
MUST_CHECK struct status provide_write_answer(const struct registry_error_list *errors,
                                              struct buf *out, struct diag *diag);
/* ERR_SUBMISSION with the codes, for log and record; the errors are the sender's to read. */
struct status provide_refuse(const struct registry_error_list *errors, struct diag *diag);
/* The errorCode of a failure of ours, or of the partner whom a submission is for: then
 * UnavailableRecipient. */
struct span provide_error_code(enum err code);
MUST_CHECK struct status provide_add_error(struct arena *arena, struct diag *diag,
                                           struct registry_error_list *errors, struct span code,
                                           struct span context, struct span location);

#endif
