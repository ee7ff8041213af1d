/*
 * The deadlines of parked transactions: a binary heap, earliest first. Used by the runner under its
 * lock. A transaction knows its slot, so that it can leave in logarithmic time.
 */
#ifndef TXN_DEADLINES_H
#define TXN_DEADLINES_H

#include "txn/txn.h"

struct deadlines {
    struct txn **slots; /* slots[1] is the earliest */
    size_t n, capacity;
};

/* Room for <n> transactions: where there was room for each that runs, adding never fails. False
 * when out of memory. */
bool deadlines_reserve(struct deadlines *deadlines, size_t n);
/* False when out of memory: the transaction then has no timer and is woken by its answers only. */
bool deadlines_add(struct deadlines *deadlines, struct txn *txn);
void deadlines_remove(struct deadlines *deadlines, struct txn *txn); /* fine when it is not there */
struct txn *deadlines_first(const struct deadlines *deadlines);      /* NULL when empty */
void deadlines_done(struct deadlines *deadlines);

#endif
