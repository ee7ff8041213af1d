/*
 * A stored query of ITI-38 as our own store is asked it. Source: ITI TF-2 3.18.4.1.2.3.
 */
#ifndef TXN_ITI38_QUERY_H
#define TXN_ITI38_QUERY_H

#include "soap/xca.h"
#include "store/store.h"

struct iti38_question {
    bool is_find; /* FindDocuments, else GetDocuments */
    struct store_filter filter;
    struct span patient; /* CX as it came; GetDocuments: empty */
    struct span_list entry_uuids, unique_ids;
};

/* FindDocuments or GetDocuments with parameters that are right: else ERR_UNKNOWN_QUERY,
 * ERR_QUERY_PARAM_MISSING, ERR_QUERY_PARAM_NUMBER, ERR_MESSAGE_CONTENT. Spans are the query's. On
 * failure <question> holds what was read so far, for the record. */
MUST_CHECK struct status iti38_question_read(const struct stored_query *query, struct arena *arena,
                                             struct diag *diag, struct iti38_question *question);
/* code^^codingScheme; <param>: for the complaint. ERR_MESSAGE_CONTENT. */
MUST_CHECK struct status iti38_read_code(struct span text, struct diag *diag, const char *param,
                                         struct code *ret_code);

#endif
