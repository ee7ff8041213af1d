/*
 * Verification: does the journal hold what was written, and can it be shown? Walks every chain from
 * its first record: lengths, CRCs, sequences, hashes; the signed statements in it; that a chain
 * which begins later does so because a signed removal says so; and, against checkpoints that were
 * kept elsewhere, that nothing was cut off or replaced. Says exactly where it breaks. Needs no key
 * of an encrypted journal.
 *
 * Takes no lock; may run while journals write. Thread: the caller's.
 */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include "audit/journal.h"
#include "audit/statement.h"

/* Checkpoints that were kept elsewhere. Owner: the caller. */
struct verify_list {
    struct checkpoint *items;
    size_t n, capacity;
};
MUST_CHECK struct status verify_list_add(struct verify_list *list, const struct checkpoint *item,
                                         struct diag *diag);
/* Adds the checkpoints that stand in a file, in whatever form: what `isthmus audit verify --json`
 * printed, records as JSON, AuditMessages, AuditEvents. Those whose signature the judge does not
 * accept are ignored and counted. ERR_IO; ERR_JOURNAL: there is no other in it. */
MUST_CHECK struct status verify_list_read(const char *path, const struct statement_judge *judge,
                                          struct verify_list *list, struct diag *diag,
                                          size_t *ret_ignored);
void verify_list_done(struct verify_list *list);

struct verify_rules {
    struct statement_judge judge; /* check NULL: nobody can judge signatures */
    /* Are checkpoints wanted (audit.checkpoints)? Then more records, or older ones, behind the last
     * checkpoint than these limits allow are a problem. 0: none are wanted. */
    int64_t uncovered_us;
    uint64_t uncovered_records;
    const struct verify_list *against; /* NULL: none */
};

/* What verification of one chain found. */
struct journal_chain_report {
    const char *chain;
    uint64_t records;
    uint64_t first, last; /* sequences; 0 when there is no record */
    int64_t first_time_us, last_time_us;
    char last_hash[SHA256_HEX];
    bool is_torn;        /* bytes follow the last record: being written, or cut at the next start */
    uint64_t removed_by; /* the record that says why the chain begins later; 0: it does not */
    uint64_t checkpoints;      /* signed ones in the chain, all of them good */
    struct checkpoint covered; /* the last of them; sequence 0: none */
    struct span statement;     /* the payload of its record */
    uint64_t uncovered;        /* events behind it, but for those that tell of checkpoints */
    uint64_t compared;         /* checkpoints kept elsewhere that fit */
    const char *problem;       /* NULL: whole */
};
typedef void (*journal_report)(void *arg, const struct journal_chain_report *report);
/* ERR_JOURNAL when a folder cannot be read; damage is in the reports only. A chain of
 * <rules>->against that is not there is reported, too. */
MUST_CHECK struct status journal_verify(const struct journal_place *place,
                                        const struct verify_rules *rules, journal_report visit,
                                        void *arg, struct diag *diag);

/* The same for an archive (retention.h): each segment with the signed statement beside it; gaps are
 * fine. One report for each segment; <chain> is then "chain/first". */
MUST_CHECK struct status journal_verify_archive(const char *dir,
                                                const struct statement_judge *judge,
                                                journal_report visit, void *arg, struct diag *diag);

#endif
