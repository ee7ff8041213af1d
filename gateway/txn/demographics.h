/*
 * What the first part and every further part of an answer to ITI-47 share. Called by
 * local_iti47.c and local_iti47_continue.c, on workers; everything lives in the transaction's
 * arena.
 */
#ifndef TXN_DEMOGRAPHICS_H
#define TXN_DEMOGRAPHICS_H

#include "soap/pdq.h"
#include "txn/continued.h"
#include "txn/local.h"

/* A question, or what is known of it when its next part is asked for: only what the answer names.
 */
struct demographics {
    struct xcpd_query query;
    const bool *is_known; /* of each of query.domains; NULL: not asked yet */
    struct pdq_continuation continuation;
};

/* Under which an answer in parts is kept: the system, its user, the queryId. */
struct continued_key demographics_key(const struct local *local, const struct ident *query_id);

/* The patients of <part> as the answer, to in->payload, and in the record. <total> of them there
 * are in all; part->next of these have been given with this part. */
MUST_CHECK struct status demographics_write(struct inbound *in, const struct demographics *asked,
                                            const struct continued_query *part, size_t total);
/* AE with why (ITI TF-2 3.47.4.2.3): unknown domains, an unknown queryId, whatever <code> says. A
 * responder's refuse. */
MUST_CHECK struct status demographics_refuse(struct inbound *in, enum err code);

#endif
