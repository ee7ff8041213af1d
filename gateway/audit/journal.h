/*
 * The journal: the audit records' system of record. Append-only segments in one folder per writer;
 * every record carries length, CRC-32C, sequence, and the SHA-256 of the record before. One thread
 * writes: whoever appends hands it bytes and is woken when the group commit (write + fdatasync) has
 * made them durable. A failed write or fdatasync is never retried: the journal is failed from then
 * on, every append answers ERR_JOURNAL, and the node refuses work.
 */
#ifndef AUDIT_JOURNAL_H
#define AUDIT_JOURNAL_H

#include "audit/event.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/park.h"

struct journal;

/* Opens <dir>/<chain> for writing (made when missing), verifies and recovers its last segment (a
 * torn tail is cut and said in <diag>'s text only when it is an error), starts the journal thread.
 * One writer per chain: a lock held by another process is ERR_JOURNAL. */
MUST_CHECK struct status journal_open(const char *dir, const char *chain, const struct clock *clock,
                                      struct diag *diag, struct journal **ret_journal);
/* The first chain of "<prefix>-0", "<prefix>-1"... that no process holds: for short-lived commands.
 */
MUST_CHECK struct status journal_open_free(const char *dir, const char *prefix,
                                           const struct clock *clock, struct diag *diag,
                                           struct journal **ret_journal);
void journal_close(struct journal *journal); /* commits what is queued; NULL is fine */

/* A claim on durability. Lives in the caller until the park was woken. */
struct journal_ticket {
    uint64_t sequence;
    struct park *park;
    struct journal_ticket *next; /* the journal's */
};
/* Encode and queue one record. Always ANSWER_LATER through <park> on success: when woken, ask
 * journal_ticket_status. */
MUST_CHECK struct status journal_append(struct journal *journal, const struct audit_event *event,
                                        struct park *park, struct diag *diag,
                                        struct journal_ticket *ret_ticket);
/* After the wake: OK when the record is durable, else ERR_JOURNAL (the journal failed). */
MUST_CHECK struct status journal_ticket_status(struct journal *journal,
                                               const struct journal_ticket *ticket,
                                               struct diag *diag);
/* Append and wait, for program entry points (start, stop, commands) only; never in a transaction.
 */
MUST_CHECK struct status journal_append_wait(struct journal *journal,
                                             const struct audit_event *event, struct diag *diag);
bool journal_is_healthy(struct journal *journal);

/* ---- reading: `isthmus audit`, tests ---- */
struct journal_record {
    const char *chain;
    uint64_t sequence;
    int64_t time_us;
    char hash[SHA256_HEX]; /* of this record */
    struct span payload;   /* valid during the callback */
};
/* Calls <visit> for every record of every chain under <dir>, in order of time within and across
 * chains (stable), until it returns false. Verifies as it reads: ERR_JOURNAL says chain, segment,
 * offset and what does not fit; a torn tail of a live chain is not an error. */
typedef bool (*journal_visit)(void *arg, const struct journal_record *record);
MUST_CHECK struct status journal_read(const char *dir, journal_visit visit, void *arg,
                                      struct diag *diag);

#endif
