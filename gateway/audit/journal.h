/*
 * The journal: the audit records' system of record. Append-only segments in one folder per writer;
 * every record carries length, CRC-32C, sequence, and the SHA-256 of the record before. One thread
 * writes: whoever appends hands it bytes and is woken when the group commit (pwrite + fdatasync)
 * has made them durable. A failed write or fdatasync is never retried: the journal is failed from
 * then on, every append answers ERR_JOURNAL, and the node refuses work. README.md has the format
 * and the promises.
 */
#ifndef AUDIT_JOURNAL_H
#define AUDIT_JOURNAL_H

#include "audit/event.h"
#include "audit/place.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/park.h"

struct journal;

/* Opens <place>/<chain> for writing (both made when missing), verifies and recovers its last
 * segment, starts the journal thread. A torn end, which no append was ever told to be durable, is
 * cut silently; damage is ERR_JOURNAL and says where and what to do. One writer per chain: a lock
 * held by another process (or journal) is ERR_JOURNAL. <chain>: letters, digits, '-', '_', '.'. */
MUST_CHECK struct status journal_open(const struct journal_place *place, const char *chain,
                                      const struct clock *clock, struct diag *diag,
                                      struct journal **ret_journal);
/* The first chain of "<prefix>-0", "<prefix>-1"... that nobody holds, with small segments: for
 * short-lived commands. */
MUST_CHECK struct status journal_open_free(const struct journal_place *place, const char *prefix,
                                           const struct clock *clock, struct diag *diag,
                                           struct journal **ret_journal);
/* Another process's chain, with small segments, if nobody writes it now: *ret_is_held, and then the
 * status is ERR_JOURNAL. */
MUST_CHECK struct status journal_open_idle(const struct journal_place *place, const char *chain,
                                           const struct clock *clock, struct diag *diag,
                                           bool *ret_is_held, struct journal **ret_journal);
/* What an earlier process began and did not live to end: each intent of this chain without an
 * outcome gets one, durable when this returns, that says it is unknown. To be called behind the
 * opening, before anything is appended. Intents that were written more than <window_us> before the
 * chain's last record had ended: no question lasts longer. <place>: as it was opened. */
MUST_CHECK struct status journal_end_intents(struct journal *journal,
                                             const struct journal_place *place, int64_t window_us,
                                             struct diag *diag, size_t *ret_n);
/* Commits what is queued, wakes, cuts the segment to its content. Nobody may append any more. NULL
 * is fine. */
void journal_close(struct journal *journal);
const char *journal_chain(const struct journal *journal);

/* What happens when the disk is slow, full or broken. Without rules: nobody goes on without a
 * record, waits have no end, and the disk's room is not looked at. */
struct journal_rules {
    bool is_degrading;           /* go on without records, and count them; else refuse */
    bool keeps_reserve;          /* room for what is in flight when the disk is full (reserve.c) */
    int64_t wait_us;             /* so long a ticket waits for the disk; 0: for ever */
    unsigned disk_limit_percent; /* of the journal's disk; 0: not looked at */
};
/* Any time, any thread. ERR_JOURNAL: no thread for it. */
MUST_CHECK struct status journal_set_rules(struct journal *journal,
                                           const struct journal_rules *rules, struct diag *diag);

/* A claim on durability. Lives in the caller until the park was woken. */
struct journal_ticket {
    uint64_t sequence; /* 0: the journal goes on without this record */
    struct park *park;
    int64_t since_us; /* mono; the journal's, as what follows */
    bool is_late;
    struct journal_ticket *next; /* the journal's */
};
/* Encode and queue one record. Thread: any. OK: the answer comes later, <park> is woken exactly
 * once (maybe before this returns), in order of sequence; then ask journal_ticket_status. Failure:
 * nothing was queued and no wake comes; ERR_JOURNAL when the journal has failed, or more waits for
 * the disk than it may hold, or <event> is an intent and only the reserve is left; by its rules it
 * goes on without the record instead: OK. */
MUST_CHECK struct status journal_append(struct journal *journal, const struct audit_event *event,
                                        struct park *park, struct diag *diag,
                                        struct journal_ticket *ret_ticket);
/* After the wake: OK when the record is durable, or when the journal goes on without it
 * (journal_rules); else ERR_JOURNAL: it failed, or the disk took too long, and then the record
 * stays queued and becomes durable when the disk has come back. */
MUST_CHECK struct status journal_ticket_status(struct journal *journal,
                                               const struct journal_ticket *ticket,
                                               struct diag *diag);
/* Append and wait, for program entry points (start, stop, commands) only; never in a transaction.
 */
MUST_CHECK struct status journal_append_wait(struct journal *journal,
                                             const struct audit_event *event, struct diag *diag);
/* Append the payload of a signed statement (statement.h) and wait. For the sealer's thread. */
MUST_CHECK struct status journal_append_statement(struct journal *journal, struct span payload,
                                                  struct diag *diag, uint64_t *ret_sequence);
bool journal_is_healthy(struct journal *journal);

/* Records that should have been written and were not. */
struct journal_missing {
    uint64_t n;                /* at most so many: of a batch that failed some may be there */
    int64_t first_us, last_us; /* wall */
};
/* What earlier processes of this chain went on without, as far as they could note it. */
bool journal_missing_before(const struct journal *journal, struct journal_missing *ret_missing);
/* It is recorded now (AUDIT_RECORDS_MISSING), and need not be remembered. */
MUST_CHECK struct status journal_forget_missing(struct journal *journal, struct diag *diag);

#define JOURNAL_LIMIT_GAP 2 /* points below the limit at which the disk is well again */

/* How it is. Asks the file system for its room when there is a limit. Any thread. */
struct journal_condition {
    struct journal_rules rules;
    bool is_failed;
    bool is_stalled;                /* the disk has been at one batch for longer than wait_us ... */
    int64_t busy_us;                /* ... namely so long; 0: there is none */
    bool is_short;                  /* the disk is full, and there is no reserve left */
    bool is_over_limit;             /* from the limit up until it is 2 points below */
    unsigned disk_percent;          /* used, as df says; 0: not known */
    struct journal_missing missing; /* of this process */
};
void journal_look(struct journal *journal, struct journal_condition *ret_condition);
/* May something new begin? Not when it could not be recorded, or only at the cost of what is in
 * flight. A failed journal refuses by itself. Any thread; asks nobody. */
bool journal_takes_work(struct journal *journal);
/* How far durability is behind. Any thread. */
struct journal_lag {
    uint64_t records;   /* that were appended since the journal was opened and all before it */
    uint64_t waiting;   /* of them: not durable yet */
    size_t queue_bytes; /* that wait for the disk */
    size_t queue_max;   /* more than that is refused */
};
struct journal_lag journal_read_lag(struct journal *journal);
/* The last sequence of its chain that is durable: for whoever gives records away. Any thread; takes
 * no lock. */
uint64_t journal_durable(const struct journal *journal);
/* How long the disk has been at the batch that is being written; 0: none is. Thread: any. */
int64_t journal_busy_us(struct journal *journal);

/* ---- reading: `isthmus audit`, tests ----
 * Readers take no lock and may run while journals write. They verify as they read: ERR_JOURNAL says
 * chain, segment, offset and what does not fit. A torn end is not an error. */
struct journal_record {
    const char *chain;
    uint64_t sequence;
    int64_t time_us;       /* wall, when it was queued */
    char hash[SHA256_HEX]; /* of this record */
    struct span payload;   /* an event's JSON; valid until the next record is read */
};
typedef bool (*journal_visit)(void *arg, const struct journal_record *record);
/* Calls <visit> for every record of every chain at <place>, until it returns false: each chain in
 * its own order, the chains merged by time (then by name). Records of a type that this version does
 * not know are verified and left out. */
MUST_CHECK struct status journal_read(const struct journal_place *place, journal_visit visit,
                                      void *arg, struct diag *diag);
/* The same for the records of one chain, from sequence <from> on (0: the first that is there). */
MUST_CHECK struct status journal_read_chain(const struct journal_place *place, const char *chain,
                                            uint64_t from, journal_visit visit, void *arg,
                                            struct diag *diag);
/* The names of the chains that are there now, in order. */
MUST_CHECK struct status journal_chains(const struct journal_place *place,
                                        struct status (*visit)(void *arg, const char *chain),
                                        void *arg, struct diag *diag);
/* One record; ERR_NOT_FOUND. */
MUST_CHECK struct status journal_find(const struct journal_place *place, const char *chain,
                                      uint64_t sequence, journal_visit visit, void *arg,
                                      struct diag *diag);

/* The same as a cursor, for whoever follows. Owner: the caller; one thread. */
struct journal_reader;
/* <last>: begin with the last so many records of each chain; UINT64_MAX: with the first. */
MUST_CHECK struct status journal_reader_open(const struct journal_place *place, uint64_t last,
                                             struct diag *diag, struct journal_reader **ret_reader);
/* What a reader is to give of each chain; asked on the reader's thread. */
struct journal_scope {
    /* The first sequence; asked once for each chain, when it is found. */
    uint64_t (*from)(void *arg, const char *chain);
    /* The last one that may be given now; asked each time. */
    uint64_t (*until)(void *arg, const char *chain);
    void *arg;
};
/* <scope> is copied. */
MUST_CHECK struct status journal_reader_open_scoped(const struct journal_place *place,
                                                    const struct journal_scope *scope,
                                                    struct diag *diag,
                                                    struct journal_reader **ret_reader);
/* Makes durable what was read of that chain and is not known to be: for records of a writer in
 * another process, before they are given away. ERR_JOURNAL, ERR_NOT_FOUND. */
MUST_CHECK struct status journal_reader_sync(struct journal_reader *reader, const char *chain,
                                             struct diag *diag);
/* *ret_has false: nothing more now; ask again later (new chains are found then). ERR_JOURNAL is
 * said once per damaged chain; asking again goes on with the others. */
MUST_CHECK struct status journal_reader_next(struct journal_reader *reader, struct diag *diag,
                                             bool *ret_has, struct journal_record *ret_record);
void journal_reader_close(struct journal_reader *reader); /* NULL is fine */

#endif
