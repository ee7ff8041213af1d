/*
 * Waiting on one descriptor beside the stop's. Called by blocking senders on their own threads; the
 * stop comes from another one, through an eventfd that stays readable.
 */
#include "out/wait.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SLICE_MS_MAX 60000

struct status
out_wait_init(struct out_wait *wait, const struct clock *clock, struct diag *diag)
{
    *wait = (struct out_wait){.clock = clock, .deadline_us = INT64_MAX};
    atomic_init(&wait->stop_us, INT64_MAX);
    wait->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wait->stop_fd == -1) {
        return FAIL(diag, ERR_IO, "no descriptor to stop a thread by: error %d", errno);
    }
    return OK;
}

void
out_wait_done(struct out_wait *wait)
{
    if (wait->stop_fd != -1) {
        (void)close(wait->stop_fd);
        wait->stop_fd = -1;
    }
}

void
out_wait_stop(struct out_wait *wait, int64_t until_us)
{
    const uint64_t one = 1;
    atomic_store(&wait->stop_us, until_us);
    /* A counter that is full is readable as well. */
    (void)!write(wait->stop_fd, &one, sizeof(one));
}

bool
out_wait_is_stopping(const struct out_wait *wait)
{
    return atomic_load(&wait->stop_us) != INT64_MAX;
}

int64_t
out_wait_left_us(const struct out_wait *wait)
{
    const int64_t stop_us = atomic_load(&wait->stop_us);
    const int64_t end_us = stop_us < wait->deadline_us ? stop_us : wait->deadline_us;
    const int64_t left_us = end_us - clock_mono_us(wait->clock);
    return left_us < 0 ? 0 : left_us;
}

static int
slice_ms(int64_t left_us)
{
    return left_us / US_PER_MS >= SLICE_MS_MAX ? SLICE_MS_MAX : (int)(left_us / US_PER_MS) + 1;
}

/* Before the stop it is watched, too; afterwards it would be readable all the time. */
static nfds_t
watch(const struct out_wait *wait, int fd, short events, struct pollfd ret_fds[2])
{
    ret_fds[0] = (struct pollfd){.fd = fd, .events = events};
    ret_fds[1] = (struct pollfd){.fd = wait->stop_fd, .events = POLLIN};
    return out_wait_is_stopping(wait) ? 1 : 2;
}

struct status
out_wait_for(const struct out_wait *wait, int fd, short events, struct diag *diag)
{
    for (;;) {
        struct pollfd fds[2];
        const nfds_t n = watch(wait, fd, events, fds);
        const int64_t left_us = out_wait_left_us(wait);
        if (poll(fds, n, left_us == 0 ? 0 : slice_ms(left_us)) == -1 && errno != EINTR) {
            return FAIL(diag, ERR_IO, "poll: error %d", errno);
        }
        if (fds[0].revents != 0) {
            return OK;
        }
        if (left_us == 0) {
            return out_wait_is_stopping(wait)
                       ? FAIL(diag, ERR_SHUTTING_DOWN, "the node stops and does not wait longer")
                       : FAIL(diag, ERR_PARTNER_TIMEOUT, "no progress within the time allowed");
        }
    }
}

bool
out_wait_idle(const struct out_wait *wait, int fd)
{
    struct pollfd fds[2];
    int64_t left_us = out_wait_left_us(wait);
    while (left_us > 0 && !out_wait_is_stopping(wait)) {
        (void)watch(wait, fd, POLLIN, fds);
        if (poll(fds, 2, slice_ms(left_us)) > 0) {
            return fds[0].revents != 0;
        }
        left_us = out_wait_left_us(wait);
    }
    return false;
}
