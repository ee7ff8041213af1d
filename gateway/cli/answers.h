/*
 * What an asking command shows: one row per community (who matched, who failed and why, how long it
 * took) and one per document; as JSON (the index that `gather` writes) and as a table for people.
 * Thread: the program's main thread.
 */
#ifndef CLI_ANSWERS_H
#define CLI_ANSWERS_H

#include "base/jsonw.h"
#include "txn/asking.h"

struct answer_row {
    struct span community; /* bare OID */
    const char *partner;   /* id; "" for our own store */
    const char *name;
    const char *status;     /* match, no-match, ambiguous, quarantined, deferred, answered, failed,
                               denied */
    const char *collect;    /* by which an answer that comes later is collected; else NULL */
    struct span patient_id; /* CX, or empty */
    struct span error;  /* the first of any round: why it failed, or what is lacking; or empty */
    size_t documents;   /* that came; of a query: that were found */
    bool is_remembered; /* not asked: its answer to the same question is still good */
    int64_t elapsed_us; /* of all rounds */
};
struct answer_rows {
    struct answer_row *items;
    size_t n, capacity;
};

struct answers {
    struct asking *asking;
    struct answer_rows rows;
    size_t documents, duplicates;
    unsigned matches;
    unsigned failed_partners; /* communities of which any round failed, or brought not all */
    /* Where document i was written, relative to the output folder; NULL: documents were not
     * written. */
    const char *const *files;
};

MUST_CHECK struct status answers_collect(struct asking *asking, struct diag *diag,
                                         struct answers *ret_answers);
MUST_CHECK struct status answers_write_json(const struct answers *answers, struct buf *out,
                                            struct diag *diag);
/* The table, a line per community and a line per document. */
MUST_CHECK struct status answers_write_text(const struct answers *answers, struct buf *out,
                                            struct diag *diag);
/* Makes <dir>, before anybody is asked: ERR_IO when that cannot be done, or when the documents of
 * an earlier answer (perhaps of somebody else) are in it. */
MUST_CHECK struct status answers_prepare_folder(const char *dir, struct diag *diag);
/* Writes every document below <dir> under names that contain nothing from the wire
 * (documents/<community>/<number>-<digest>.<type>); then index.json and index.txt. */
MUST_CHECK struct status answers_write_folder(struct answers *answers, const char *dir,
                                              struct diag *diag);

#endif
