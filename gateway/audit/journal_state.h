/*
 * The inside of a journal: shared by journal.c (appending), commit.c (the journal thread) and
 * recovery.c (opening), and by tests that want small segments. Nobody else includes this.
 */
#ifndef AUDIT_JOURNAL_STATE_H
#define AUDIT_JOURNAL_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "audit/journal.h"
#include "audit/segment.h"

struct journal_sizes {
    uint64_t segment_bytes;
    size_t queue_bytes; /* what may wait for the disk; as much again is being written */
    size_t ahead_bytes; /* zeros that are written ahead of the records (commit.c); 0: none */
};
#define JOURNAL_SIZES_NODE    ((struct journal_sizes){16 * 1024 * 1024, 64 * 1024 * 1024, 128 * 1024})
#define JOURNAL_SIZES_COMMAND ((struct journal_sizes){256 * 1024, 16 * 1024 * 1024, 0})

struct journal_tickets {
    struct journal_ticket *first, *last;
};

struct journal {
    /* fixed while open */
    const struct clock *clock;
    struct journal_sizes sizes;
    char chain[JOURNAL_CHAIN_MAX + 1];
    char folder[PATH_MAX];
    int lock_fd;
    int64_t process_id;
    pthread_t thread;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t work;   /* something is queued, or the journal closes */
    struct buf queue;      /* packed records that are not sealed yet */
    struct journal_tickets waiting;
    uint64_t next_sequence;
    _Atomic uint64_t durable; /* last sequence that an fdatasync covered; read without the lock */
    bool is_closing;
    bool is_failed;        /* for ever */
    int64_t busy_since_us; /* mono: a batch is being written; 0: none */
    struct diag failure;

    /* the journal thread's own */
    struct buf batch;
    struct segment segment;
    uint64_t offset; /* where the next record goes */
    uint64_t ahead;  /* up to there the segment was written, with records or zeros */
    uint8_t previous[SHA256_BYTES];
};

MUST_CHECK struct status journal_open_sized(const struct journal_place *place, const char *chain,
                                            const struct clock *clock, struct journal_sizes sizes,
                                            struct diag *diag, struct journal **ret_journal);
/* Takes the chain's lock, making folders as needed; *ret_is_held: somebody else has it (then the
 * status is ERR_JOURNAL). */
MUST_CHECK struct status journal_lock(struct journal *journal, const char *dir, struct diag *diag,
                                      bool *ret_is_held);
/* Verifies the last segment, cuts a torn end, makes everything durable; the journal thread's
 * members and the sequences are set. */
MUST_CHECK struct status journal_recover(struct journal *journal, const struct journal_place *place,
                                         struct diag *diag);
/* The journal thread; <arg>: the journal. Ends when it closes and nothing is queued. */
void *journal_run(void *arg);

#endif
