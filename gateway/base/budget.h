/*
 * Memory that several holders share without one of them being able to take it from the others: half
 * of it is split into equal shares, one for each holder; what a holder wants beyond its share comes
 * from the other half, first come first served. Together they never hold more than the whole.
 *
 * Owner: whoever made it; it outlives its holders. Thread: any may take and give; each holder's own
 * count belongs to one thread at a time.
 */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget {
    uint64_t share;
    uint64_t common;        /* bytes beyond shares, for all holders */
    _Atomic uint64_t taken; /* of <common> */
};

void budget_init(struct budget *budget, uint64_t bytes, size_t holders);
/* <n> more for the holder that has *held (which grows by them); false, and nothing changed, when
 * there is no room. */
bool budget_take(struct budget *budget, uint64_t *held, uint64_t n);
void budget_give(struct budget *budget, uint64_t *held); /* all that it holds */
/* What it holds beyond <n>. */
void budget_give_beyond(struct budget *budget, uint64_t *held, uint64_t n);

#endif
