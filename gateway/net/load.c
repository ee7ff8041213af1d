/*
 * Counters of the whole node and the verdict on them. Owned by the server; used by connections on
 * their loops' threads.
 */
#include "net/load.h"

#define LENGTH_COUNTED ((uint64_t)1024 * 1024) /* more of a body than this may go to a file */

static struct status
shed(struct load *load, enum net_shed reason, const char *what, uint64_t is, uint64_t most,
     struct diag *diag)
{
    (void)atomic_fetch_add(&load->shed[reason], 1);
    return FAIL(diag, ERR_OVERLOAD, "the node has %llu %s, and the limit is %llu: shed",
                (unsigned long long)is, what, (unsigned long long)most);
}

/* The oldest of those who are ready waits so long for a worker: another would wait longer. */
static struct status
check_lag(struct load *load, const struct net_options *options, struct diag *diag,
          unsigned *ret_retry_s)
{
    const int64_t lag_us = options->lag_us == NULL ? 0 : options->lag_us(options->handler_arg);
    if (lag_us <= options->lag_max_us) {
        return OK;
    }
    *ret_retry_s = (unsigned)(lag_us / US_PER_S) + 1;
    return shed(load, NET_SHED_QUEUE, "ms of waiting for a worker", (uint64_t)(lag_us / US_PER_MS),
                (uint64_t)(options->lag_max_us / US_PER_MS), diag);
}

static struct status
check_room(struct load *load, const struct net_options *options, uint64_t length, struct diag *diag)
{
    const size_t held = atomic_load(&load->held_bytes);
    const uint64_t counted = length < LENGTH_COUNTED ? length : LENGTH_COUNTED;
    return held + counted <= options->held_bytes_max
               ? OK
               : shed(load, NET_SHED_MEMORY, "bytes of messages in memory", held,
                      options->held_bytes_max, diag);
}

struct status
load_begin(struct load *load, const struct net_options *options, uint64_t length, struct diag *diag,
           unsigned *ret_retry_s)
{
    const size_t before = atomic_fetch_add(&load->requests, 1);
    struct status st = OK;
    *ret_retry_s = 1;
    if (before >= options->requests_max) {
        st = shed(load, NET_SHED_REQUESTS, "requests in hand", before, options->requests_max, diag);
    }
    if (is_ok(st)) {
        st = check_lag(load, options, diag, ret_retry_s);
    }
    if (is_ok(st)) {
        st = check_room(load, options, length, diag);
    }
    if (!is_ok(st)) {
        load_end(load);
    }
    return st;
}

void
load_end(struct load *load)
{
    (void)atomic_fetch_sub(&load->requests, 1);
}

void
load_hold(struct load *load, size_t *held, size_t now)
{
    if (now > *held) {
        (void)atomic_fetch_add(&load->held_bytes, now - *held);
    } else if (now < *held) {
        (void)atomic_fetch_sub(&load->held_bytes, *held - now);
    }
    *held = now;
}

struct status
load_check_bytes(struct load *load, const struct net_options *options, struct diag *diag)
{
    return check_room(load, options, 0, diag);
}
