/*
 * The inside of a journal: shared by journal.c (appending), link.c (into the chain), commit.c (the
 * journal thread) and recovery.c (opening), and by tests that want small segments. Nobody else
 * includes this.
 */
#ifndef AUDIT_JOURNAL_STATE_H
#define AUDIT_JOURNAL_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "audit/cipher.h"
#include "audit/gather.h"
#include "audit/journal.h"
#include "audit/segment.h"

struct journal_sizes {
    uint64_t segment_bytes;
    size_t queue_bytes; /* what may wait for the disk; as much again is being written */
    size_t ahead_bytes; /* zeros that are written ahead of the records (commit.c); 0: none */
    bool prepares;      /* the next segment's file is made ahead (prepare.c) */
};
#define JOURNAL_SIZES_NODE                                                                         \
    ((struct journal_sizes){16 * 1024 * 1024, 64 * 1024 * 1024, 128 * 1024, true})
#define JOURNAL_SIZES_COMMAND ((struct journal_sizes){256 * 1024, 16 * 1024 * 1024, 0, false})

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
    struct journal_key key; /* with <cipher> only */
    struct cipher *cipher;  /* used under <linking>; NULL: events are written in the clear */
    pthread_t thread;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t work;   /* something is queued, or the journal closes */
    struct buf queue;      /* packed records that are not linked yet */
    size_t queue_records;  /* in it */
    size_t queue_bytes;    /* in it, and of those that were linked already and wait */
    struct journal_tickets waiting;
    struct gather gather;           /* when it is written */
    struct journal_tickets writing; /* of the batch that is being written */
    uint64_t next_sequence;
    _Atomic uint64_t durable; /* last sequence that an fdatasync covered; read without the lock */
    atomic_bool is_closing;   /* set under the lock; read without it by whoever writes zeros */
    bool is_failed;           /* for ever */
    int64_t busy_since_us;    /* mono: a batch is being written; 0: none */
    struct diag failure;
    struct journal_rules rules;
    bool is_short;                  /* the reserve was given up, or cannot be made */
    bool has_reserve;               /* its file is there */
    bool is_over_limit;             /* of the disk */
    struct journal_missing missing; /* of this process */
    uint64_t noted;                 /* missing.n that the note beside the segments says */
    int64_t missing_said_us;        /* mono; in the log */
    uint64_t missing_unsaid;        /* since then */
    bool has_preparer;              /* <preparer> runs */
    bool is_prepared;               /* the file of the next segment is there (prepare.c) */
    bool is_prepare_due;            /* it will be needed */
    pthread_t preparer;
    pthread_cond_t prepare; /* it is due, or the journal closes */
    bool has_watch;         /* <watch> runs */
    pthread_t watch;        /* releases tickets that wait for too long (late.c) */
    pthread_cond_t watched; /* the rules changed, or the journal closes */

    struct journal_missing before; /* by earlier processes; fixed while open */

    pthread_mutex_t linking; /* guards what follows; taken before <mutex>, or only tried (link.c) */
    struct buf row;          /* packed records that are being linked; else empty */
    struct buf linked;       /* what goes to the segment next */
    uint64_t linked_end;     /* where that ends there */
    uint8_t previous[SHA256_BYTES]; /* of its last record */
    bool has_link_failed;
    struct diag link_failure;

    /* the journal thread's own; the segment's head is read under <linking>, too */
    int64_t tended_us; /* mono: when it last looked after what follows from the rules */
    struct buf batch;
    struct segment segment;
    uint64_t offset;      /* where the next batch goes */
    uint64_t ahead;       /* up to there the segment was written, with records or zeros */
    uint64_t prepared_in; /* first sequence of the segment in which the next one was asked for */
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
/* Makes the segment whose first record is <first>, with room for a record of <need> bytes, and
 * writes there from now on; the one before was finished. <is_replacing>: it was empty. */
MUST_CHECK struct status journal_next_segment(struct journal *journal, uint64_t first, size_t need,
                                              bool is_replacing, struct diag *diag);
/* What a payload of this type takes beyond its text. */
static inline size_t
journal_extra(const struct journal *journal, uint32_t type)
{
    return journal->cipher != NULL && record_is_encrypted(type) ? CIPHER_EXTRA_BYTES : 0;
}

/* ---- link.c ---- */

/* Under the lock, by whoever appends, before its own record is queued. True: it is to call
 * journal_link_ahead when it has let go of the lock. */
bool journal_begin_linking(struct journal *journal);
void journal_link_ahead(struct journal *journal);
/* The journal thread: takes what is queued under both locks ... */
void journal_take_queue(struct journal *journal);
/* ... and, under <linking>, links it; <linked> is then what the segment gets next. Fills and makes
 * segments on the way. Needs no memory. */
MUST_CHECK struct status journal_link_all(struct journal *journal, struct diag *diag);
/* All of <run> behind what was written. */
MUST_CHECK struct status journal_write_run(struct journal *journal, struct span run,
                                           struct diag *diag);
/* Empty again, and wiped. For buffers that were only appended to. */
void journal_clear(struct buf *buf);

/* ---- prepare.c ---- */

/* Starts the thread that prepares files, if this journal wants any. */
MUST_CHECK struct status journal_start_preparing(struct journal *journal, struct diag *diag);
void journal_end_preparing(struct journal *journal); /* at closing */
/* The journal thread, after each batch: once a part of its segment is used, the next one is due. */
void journal_prepare_next(struct journal *journal);
/* A file for a segment of <size> bytes is there, and is the caller's now. */
bool journal_take_prepared(struct journal *journal, uint64_t size);

/* ---- guard.c: what follows from the rules ---- */

/* Under the lock. Is there something for journal_tend? */
bool journal_needs_tending(const struct journal *journal);
/* The journal thread, without the lock: the reserve, the note of what is missing. */
void journal_tend(struct journal *journal);
#define JOURNAL_TEND_US US_PER_S /* between two tries */
/* Under the lock: the journal goes on without <n> records. */
void journal_add_missing(struct journal *journal, uint64_t n);
/* Without the lock: the log hears of one of them, not too often. */
void journal_say_missing(struct journal *journal, const struct audit_event *event);
/* Under the lock, when the journal fails: what was queued is missing, if nobody waits for it. */
void journal_count_lost(struct journal *journal);
/* What an earlier process noted. At opening. */
void journal_read_note(struct journal *journal);
/* On a failure that is the disk's being full: the segment out of the reserve, if there is one. */
bool journal_give_up_reserve(struct journal *journal);

/* ---- late.c ---- */

/* Under the lock: starts the thread that wakes whoever waits for too long. */
MUST_CHECK struct status journal_watch(struct journal *journal, struct diag *diag);
/* At closing; nobody waits any more. */
void journal_unwatch(struct journal *journal);
void journal_wake_all(struct journal_tickets tickets); /* without the lock */

MUST_CHECK struct status journal_start_thread(pthread_t *thread, void *(*run)(void *arg),
                                              struct journal *journal, struct diag *diag);
/* The journal thread; <arg>: the journal. Ends when it closes and nothing is queued. */
void *journal_run(void *arg);

#endif
