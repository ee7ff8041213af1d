/*
 * The legs of one round of an asking, merged into the one answer that its asker gets (ITI TF-2
 * 3.38.4.1.3, 3.39.4.1.3, 3.55.4.2.3; ITI TF-3 4.2.4.2). A leg is added when it is over, in any
 * order; the answer depends on what came and on the plan, never on what came first. Pure: no I/O,
 * no clock. Everything lives in the arena of merge_new; texts are borrowed from the legs, which
 * must not move. Thread: one at a time.
 *
 * Common to ITI-38 and ITI-39:
 *
 * Status: no error is Success; errors beside at least one community that answered (if only that it
 * has nothing) PartialSuccess; else Failure, with no content. Warnings change nothing.
 *
 * Errors come in the order of the plan. Those of a partner are passed on, with its community in
 * front of <location> when it is not there; XDSUnknownPatientId is not passed on: that community
 * has nothing. What came that could not be used (another community's name) is a warning; an entry
 * without homeCommunityId is XDSMissingHomeCommunityId. Our detail texts stay in log and record.
 *
 * Who was not waited for because enough had come is a warning XDSUnavailableCommunity.
 */
#ifndef TXN_MERGE_H
#define TXN_MERGE_H

#include "soap/xca.h"
#include "soap/xcpd.h"

struct leg;
struct merge;

/* <legs>: the <n> of a plan, of one transaction. ERR_NO_MEMORY, ERR_LIMIT_ARENA. */
MUST_CHECK struct status merge_new(struct arena *arena, enum soap_transaction transaction,
                                   struct leg *legs, size_t n, struct diag *diag,
                                   struct merge **ret_merge);
/* Leg <at> of the plan is over, however it ended; each once. */
void merge_add(struct merge *merge, size_t at);

/* What there is so far. */
struct merge_progress {
    size_t legs;     /* of the plan */
    size_t over;     /* of them, ended */
    size_t answered; /* of them, with an answer that can be used, if only "nothing" */
    size_t items;    /* entries, sets, folders, references, documents or matches in them */
};
struct merge_progress merge_progress(const struct merge *merge);

/* The answers below may be asked for at any time; a leg that is not over counts as one that did not
 * answer in time. ERR_NO_MEMORY, ERR_LIMIT_ARENA. */

/* ITI-38, ITI-18. Each object has a home, but for those that nobody here knows. What is there twice
 * (the same home, entryUUID and uniqueId; of a document, the repository, too; of an association,
 * what it joins; of an unknown object, every byte; of a reference, home and id) is given once. A
 * community that did not answer is one error of that community. */
MUST_CHECK struct status merge_query(struct merge *merge, struct diag *diag,
                                     struct query_answer *ret_answer);
/* What errors about documents have for a location: ITI-39 names the community there, too (ITI
 * TF-2 3.39.4.2, which does not say how), ITI-43 does not (3.43.4.2.2). */
enum merge_location {
    MERGE_LOCATION_FULL,    /* "urn:oid:COMMUNITY UNIQUEID" */
    MERGE_LOCATION_DOCUMENT /* "UNIQUEID"; what is about no document: "urn:oid:COMMUNITY" */
};
/* ITI-39, ITI-43: documents in the order of <asked>, each once; for each that did not come one
 * error. What no leg asked for is XDSUnknownCommunity. Takes the documents' bytes from the legs:
 * retrieve_answer_done. */
MUST_CHECK struct status merge_retrieve(struct merge *merge, const struct document_ref_list *asked,
                                        enum merge_location location, struct diag *diag,
                                        struct retrieve_answer *ret_answer);
/* ITI-55: at most one match for each community: several candidates are decided by their degree of
 * match, or not at all, and then the community counts as ambiguous. XCPD_ERROR only when nobody
 * answered. <ret_errors> (its location: the community) says who did not; there is no place for them
 * in the answer but an acknowledgementDetail. */
MUST_CHECK struct status merge_discovery(struct merge *merge, struct diag *diag,
                                         struct xcpd_answer *ret_answer,
                                         struct registry_error_list *ret_errors);

/* ITI-47: every match of every community, in the order of the plan; of one community each patient
 * once. Else as merge_discovery; XCPD_AMBIGUOUS is no answer here, and is XCPD_NONE. */
MUST_CHECK struct status merge_people(struct merge *merge, struct diag *diag,
                                      struct xcpd_answer *ret_answer,
                                      struct registry_error_list *ret_errors);

#endif
