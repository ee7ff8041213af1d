/*
 * How much of everything the whole node has in hand, and when that is too much. What is refused
 * here is refused before memory or time is spent on it: 503 with Retry-After, so that those who are
 * in work finish. The admin listener is never refused. Thread: any.
 */
#ifndef NET_LOAD_H
#define NET_LOAD_H

#include <stdatomic.h>

#include "net/server.h"

struct load {
    atomic_size_t requests;   /* from a whole head until the handler answers */
    atomic_size_t held_bytes; /* of requests and answers, in memory */
    _Atomic uint64_t shed[NET_SHED_REASONS];
};

/* May a request of <length> bytes begin (0 when that is not known)? OK: it is counted until
 * load_end. ERR_OVERLOAD, counted by its reason; *ret_retry_s is set then. */
MUST_CHECK struct status load_begin(struct load *load, const struct net_options *options,
                                    uint64_t length, struct diag *diag, unsigned *ret_retry_s);
void load_end(struct load *load);
/* *held bytes were counted; from now on it is <now>. */
void load_hold(struct load *load, size_t *held, size_t now);
/* May what is held grow further? ERR_OVERLOAD, counted. */
MUST_CHECK struct status load_check_bytes(struct load *load, const struct net_options *options,
                                          struct diag *diag);

#endif
