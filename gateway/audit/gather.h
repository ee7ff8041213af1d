/*
 * When to write what is queued: at once, or a moment later together with what is about to come.
 *
 * Whoever waited for a batch often has the next record soon after it was woken. Without a pause
 * those who wait form two groups that take turns at the disk, each of which waits for the other's
 * sync and then for its own. So the journal thread gives them a moment, a part of what a sync
 * takes, if enough of them came back in such a time before. On a disk that is faster than they
 * are, two groups are better: one works while the other's records are synced.
 *
 * Owner: the journal, under its lock.
 */
#ifndef AUDIT_GATHER_H
#define AUDIT_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gather {
    size_t queued;     /* records that wait to be written */
    size_t next;       /* records of the batch that is being written */
    size_t taken;      /* ... of the one that became durable last: so many were woken */
    size_t expected;   /* so many may be there soon */
    size_t away;       /* so many more, and as many have come as were woken last */
    size_t wake_at;    /* the journal thread wants to hear of it when so many wait */
    int64_t taken_us;  /* mono: when it was taken */
    int64_t ended_us;  /* mono: when it was durable */
    int64_t first_us;  /* after so long the first came, the last time ... */
    int64_t return_us; /* ... and as many as were woken */
    int64_t until_us;  /* mono: then the moment is over */
};

/* One record more. True: the journal thread is to be told. */
bool gather_add(struct gather *gather, int64_t now_us);
/* The journal thread looks at its queue: for how long it should wait for more; 0: not at all,
 * because nothing more is expected or the moment is over (or nothing waits: then it has to be
 * told of the first). It is told when that changes. */
int64_t gather_left_us(struct gather *gather, int64_t now_us);
/* It takes all that is queued. */
void gather_take(struct gather *gather, int64_t now_us);
/* That is durable, and who waited for it is woken now. */
void gather_end(struct gather *gather, int64_t now_us);

#endif
