/*
 * Inside the partner simulator: the ports of all partners and what happens on them. One thread.
 */
#ifndef BENCH_PARTNER_SERVER_H
#define BENCH_PARTNER_SERVER_H

#include <event2/event.h>
#include <openssl/types.h>

#include "tests/bench/partner.h"

#define PARTNERS_MAX ((size_t)1000)

enum latency_kind { LATENCY_FIXED, LATENCY_LOGNORMAL };
struct latency {
    enum latency_kind kind;
    int64_t median_us, most_us;
    double sigma; /* of the logarithm */
};
int64_t latency_draw(const struct latency *latency);

enum mode {
    MODE_GOOD,
    MODE_SILENT,  /* accepts, and says nothing, not even in the handshake */
    MODE_SLOW,    /* one byte of its answer a second */
    MODE_ENDLESS, /* an answer that does not end */
    MODE_RESET,   /* in the middle of the answer */
    MODE_EXPIRED, /* its certificate */
    MODE_DROP     /* connections are neither taken nor refused */
};

struct simulation {
    struct event_base *base;
    struct arena *arena; /* for good */
    struct partner_terms terms;
    struct latency latency;
    enum mode modes[PARTNERS_MAX + 1]; /* from 1 */
    int questions_fd;                  /* MessageIDs of what came, one a line; -1: nobody asks */
};

/* Listens for all partners of the plan. */
MUST_CHECK struct status partner_listen(struct simulation *simulation,
                                        const struct partner_plan *plan, struct diag *diag);

#endif
