/*
 * What one destination still has to get: batches read behind its cursor, what was sent and is not
 * known to be there yet (the window), and the cursor. Internal to shipping (ship.c).
 *
 * Owner and thread: the shipping thread.
 */
#ifndef AUDIT_SHIP_QUEUE_H
#define AUDIT_SHIP_QUEUE_H

#include "audit/ship.h"

#define SHIP_BATCH_RECORDS 64

/* The last record of a chain in one go of sending. */
struct ship_sent {
    struct ship_mark mark;
    int64_t sent_us;      /* mono */
    uint64_t until_bytes; /* sent on the wire up to its end */
    uint64_t records;
};

struct ship_queue {
    const struct ship_options *options;
    const char *own_chain;         /* of options->journal; NULL: none */
    struct journal_reader *reader; /* NULL: to be opened at the cursor */
    struct ship_cursor proven;     /* what the file says, or will */
    struct ship_cursor sent;       /* the highest that was ever sent */
    bool is_changed;               /* the file does not say it yet */
    /* the batch: records from <first> on are to be sent */
    struct arena *arena;
    struct ship_record records[SHIP_BATCH_RECORDS];
    struct audit_event events[SHIP_BATCH_RECORDS];
    struct ship_mark marks[SHIP_BATCH_RECORDS];
    size_t first, n;
    bool is_at_end; /* the journal had no more when it was last asked */
    /* the window, oldest first */
    struct ship_sent *window;
    size_t window_first, window_n, window_capacity;
    /* what is counted */
    uint64_t own_read; /* of own_chain: read, or known to be nothing to send */
    uint64_t foreign;  /* records of other chains that were not read, when last looked */
    uint64_t delivered, resent, unreadable;
};

/* Loads the cursor; marks of chains that were replaced are dropped. When the cursor cannot be read
 * everything is to be sent, and *ret_doubt says why. */
MUST_CHECK struct status ship_queue_open(struct ship_queue *queue,
                                         const struct ship_options *options, struct diag *diag,
                                         struct diag *ret_doubt);
void ship_queue_close(struct ship_queue *queue);

/* Reads a batch unless there is one. A failure (damage of a chain is said once) does not take away
 * what was read before it; the next call goes on with the other chains. */
MUST_CHECK struct status ship_queue_fill(struct ship_queue *queue, struct diag *diag);
static inline size_t
ship_queue_left(const struct ship_queue *queue)
{
    return queue->n - queue->first;
}

/* The first <n> of the batch were sent; <bytes>: what has been sent on the wire so far.
 * <is_proven>: they are there. Else they join the window. */
MUST_CHECK struct status ship_queue_sent(struct ship_queue *queue, size_t n, uint64_t bytes,
                                         bool is_proven, struct diag *diag);
/* What is old enough, and has enough behind it, counts as being there. */
MUST_CHECK struct status ship_queue_age(struct ship_queue *queue, uint64_t bytes,
                                        struct diag *diag);
/* Everything that was sent is there. */
MUST_CHECK struct status ship_queue_prove(struct ship_queue *queue, struct diag *diag);
/* The connection broke: what is in the window is to be sent again. */
void ship_queue_rewind(struct ship_queue *queue);
/* Writes the cursor's file when it has changed. */
MUST_CHECK struct status ship_queue_save(struct ship_queue *queue, struct diag *diag);

uint64_t ship_queue_unproven(const struct ship_queue *queue); /* records */
uint64_t ship_queue_waiting(const struct ship_queue *queue);  /* records that were not sent */
/* Looks at the chains of other writers, for ship_queue_waiting. Costs reading their last segments.
 */
void ship_queue_count_foreign(struct ship_queue *queue);

#endif
