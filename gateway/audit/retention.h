/*
 * Retention: segments that are older than the configuration keeps are taken away, whole ones only,
 * never the last, and only when every destination has got them. Before that a signed statement in
 * the chain says which ones, so that a chain which begins later is told from one that was cut.
 *
 * With an archive they are copied there first (<archive>/<chain>/<first>.seg), each with the signed
 * statement beside it (<first>.json). Thread: the sealer's.
 */
#ifndef AUDIT_RETENTION_H
#define AUDIT_RETENTION_H

#include <limits.h>

#include "audit/journal.h"
#include "audit/statement.h"

#define RETENTION_SEGMENTS_MAX 1000 /* that one statement is about */

struct retention_rules {
    int64_t keep_us;        /* 0: nothing is ever removed */
    char archive[PATH_MAX]; /* "": what is old is deleted */
};
struct retention {
    const struct journal_place *place;
    struct journal *journal; /* of the chain: takes the statement */
    const struct retention_rules *rules;
    const struct statement_signer *signer;
    int64_t now_us; /* wall */
    bool (*is_delivered)(void *arg, const char *chain, uint64_t sequence);
    void *arg;
};
/* What went. */
struct retention_done {
    uint64_t segments;
    uint64_t first, last; /* records */
    uint64_t statement;   /* record of the chain that says so */
};
/* ERR_JOURNAL: damage in what is to go (then nothing goes), or the disk; segments that are removed
 * already are counted. */
MUST_CHECK struct status retention_run(const struct retention *retention, struct diag *diag,
                                       struct retention_done *ret_done);

#endif
