/*
 * What the answers to a stored query have in common, whoever asks and wherever the objects come
 * from: references instead of metadata, whose records they are about, and what a refusal says.
 * Called by the steps of iti38.c and local_iti38.c; everything lives in the transaction's arena.
 */
#ifndef TXN_REGISTRY_ANSWER_H
#define TXN_REGISTRY_ANSWER_H

#include "txn/inbound.h"
#include "txn/stored_query.h"

/* The answer's objects in the form that was asked for, and the patients of what was asked for by id
 * in in->outcomes[0]. ERR_NOT_SINGLE_PATIENT: metadata of several patients (ITI
 * TF-2 3.18.4.1.2.3.8). */
MUST_CHECK struct status registry_answer_shape(struct inbound *in, const struct stored_query *query,
                                               const struct stored_question *question,
                                               struct query_answer *answer);
/* A Failure that says why (ITI TF-3 4.2.4.1): codeContext names the parameter that is wrong, or
 * gives the patient id that is not known. <question> may be NULL: the query could not be read. */
MUST_CHECK struct status registry_answer_refuse(struct inbound *in, enum err code,
                                                const struct stored_question *question);

#endif
