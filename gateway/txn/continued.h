/*
 * Answers of ITI-47 that are given in parts: what is left of each, until the system that asked
 * fetches the next ones (QUQI_IN000003UV01, ITI TF-2 3.47.4.3), cancels, or lets the time pass.
 *
 * A part is for who asked: the same local system, the same user, the same queryId. Nobody else is
 * told that there is one. One system has at most as many open queries as the configuration says
 * (the oldest goes when another comes), all systems together at most so many bytes.
 *
 * Owner: whoever serves; it outlives the transactions. What was disclosed was decided and asked for
 * when the query came; each part that leaves is recorded by its own transaction. Thread: any.
 */
#ifndef TXN_CONTINUED_H
#define TXN_CONTINUED_H

#include <pthread.h>

#include "base/clock.h"
#include "base/patient.h"

struct continued_entry;

struct continued {
    pthread_mutex_t lock;
    struct continued_entry *entries; /* the newest first */
    size_t bytes;
};
void continued_init(struct continued *continued);
void continued_done(struct continued *continued);

/* Whose it is. */
struct continued_key {
    struct span system, user;
    struct ident query_id;
};
struct continued_limits {
    size_t each;  /* open queries of one system */
    size_t bytes; /* of all */
    int64_t time_us;
};
/* A patient of the answer: as it is written, and for the record (CX; may be empty). */
struct continued_item {
    struct span written, patient;
};
struct continued_item_list {
    struct continued_item *items;
    size_t n, capacity;
};
struct continued_query {
    struct span query_xml; /* for the echo */
    struct continued_item_list items;
    size_t next; /* how many have been given */
    size_t quantity;
};

/* Keeps a copy; another of the same key is replaced. ERR_LIMIT_QUEUE: no room; ERR_NO_MEMORY. */
MUST_CHECK struct status continued_keep(struct continued *continued,
                                        const struct continued_key *key,
                                        const struct continued_query *query,
                                        const struct continued_limits *limits, int64_t now_us,
                                        struct diag *diag);
/* The part from <start> (from 1; 0: where the last one ended) of <quantity> (0: as many as before),
 * copied to <arena>: items, and in ret_query->next how many of all have been given with these.
 * ret_total: of all. ERR_UNKNOWN_CONTINUATION: nobody asked so, or it is too late. */
MUST_CHECK struct status continued_take(struct continued *continued,
                                        const struct continued_key *key, size_t start,
                                        size_t quantity, int64_t now_us, struct arena *arena,
                                        struct diag *diag, struct continued_query *ret_query,
                                        size_t *ret_total);
/* Forgets it. ERR_UNKNOWN_CONTINUATION. */
MUST_CHECK struct status continued_cancel(struct continued *continued,
                                          const struct continued_key *key, int64_t now_us,
                                          struct diag *diag);
/* Forgets what is past its time (mono). */
void continued_expire(struct continued *continued, int64_t now_us);

#endif
