/*
 * A stored query (ITI-18, ITI-38) as a document registry is asked it: its parameters, typed and
 * judged. Pure; everything lives in the arena. Thread: whoever owns that. Source: ITI
 * TF-2 3.18.4.1.2.3.
 *
 * Parameters that the query does not have are passed over, and so are those without values: an
 * empty list is none. Of $...Status and $...Type, values that we do not know are passed over, too;
 * when no status is left, the parameter is missing (ITI TF-2 3.18.4.1.2.3.6), when no type is left,
 * it is as if none had been given.
 */
#ifndef TXN_STORED_QUERY_H
#define TXN_STORED_QUERY_H

#include "soap/xca.h"
#include "store/registry.h"

struct stored_question {
    struct store_question asks; /* its spans are the query's */
    const char *name;           /* "FindDocuments"; NULL: not one of ours */
    bool is_by_patient;         /* else by ids, which only the home says whose they are */
    struct span patient;        /* CX as it came */
    const char *param;          /* on failure: the parameter that is wrong; NULL: it is not one's */
};

/* ERR_UNKNOWN_QUERY; ERR_QUERY_PARAM_MISSING; ERR_QUERY_PARAM_NUMBER: several values for one, a
 * Slot twice whose values are not ANDed, both entryUUIDs and uniqueIds; ERR_MESSAGE_CONTENT: a
 * patient id that is no CX, a code without scheme, a time that is no DTM. On failure <question>
 * holds what was read so far, for the record. */
MUST_CHECK struct status stored_query_question(const struct stored_query *query,
                                               struct arena *arena, struct diag *diag,
                                               struct stored_question *question);
/* code^^codingScheme; <param>: for the complaint. ERR_MESSAGE_CONTENT. */
MUST_CHECK struct status stored_query_code(struct span text, struct diag *diag, const char *param,
                                           struct code *ret_code);

#endif
