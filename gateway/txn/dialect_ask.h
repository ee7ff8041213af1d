/*
 * What a partner's dialect changes in our questions for documents (ITI-38, ITI-39): keys of
 * `writes` in its file. Used by the legs of an asking, on workers.
 */
#ifndef TXN_DIALECT_ASK_H
#define TXN_DIALECT_ASK_H

#include "soap/xca.h"
#include "txn/asking.h"

/* date_range: a FindDocuments without any range of times gets one that leaves nothing out, 1900 to
 * tomorrow. document_id: uniqueIds are named as the partner wants them. <query>'s own lists are
 * not written to. */
MUST_CHECK struct status dialect_adapt_query(struct asking *asking, struct leg *leg,
                                             struct stored_query *query);
/* Is the document that came the one that was asked for? Spelling apart where the dialect has two.
 */
bool dialect_is_same_id(const struct leg *leg, struct span asked, struct span came);

#endif
