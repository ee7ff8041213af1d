/*
 * Waiting with an end: what a thread that may block (a sender of audit records) waits with. Every
 * operation has a deadline, and a stop that comes meanwhile shortens it at once.
 *
 * Owner: who runs the thread; it sets deadline_us before each operation. Thread: that one;
 * out_wait_stop is for any other.
 */
#ifndef OUT_WAIT_H
#define OUT_WAIT_H

#include <stdatomic.h>

#include "base/clock.h"
#include "base/diag.h"

struct out_wait {
    const struct clock *clock;
    int stop_fd;             /* readable once the stop has begun */
    _Atomic int64_t stop_us; /* mono: no operation lasts longer; INT64_MAX before the stop */
    int64_t deadline_us;     /* mono: of the operation that is under way */
};

/* ERR_IO: no descriptor left. */
MUST_CHECK struct status out_wait_init(struct out_wait *wait, const struct clock *clock,
                                       struct diag *diag);
void out_wait_done(struct out_wait *wait);
/* Any thread. From now on nothing lasts beyond <until_us> (mono). */
void out_wait_stop(struct out_wait *wait, int64_t until_us);
bool out_wait_is_stopping(const struct out_wait *wait); /* any thread */

/* Until the deadline or the end of the stop; never negative. */
int64_t out_wait_left_us(const struct out_wait *wait);
/* Until <fd> has one of <events> (poll's; an error or a hang-up counts as well).
 * ERR_PARTNER_TIMEOUT at the deadline, ERR_SHUTTING_DOWN at the end of a stop. */
MUST_CHECK struct status out_wait_for(const struct out_wait *wait, int fd, short events,
                                      struct diag *diag);
/* Until the deadline, but no longer than a stop lets it: it ends when one begins, or when <fd>
 * (-1: none) can be read. True: <fd> can be read. */
bool out_wait_idle(const struct out_wait *wait, int fd);

#endif
