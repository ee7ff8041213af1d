/*
 * Binary heap of parked transactions by deadline. Called by runner.c with the runner's lock held.
 */
#include "txn/deadlines.h"

#include "base/mem.h"

static void
place(struct deadlines *deadlines, size_t slot, struct txn *txn)
{
    deadlines->slots[slot] = txn;
    txn->timer_slot = slot;
}

static void
sift_up(struct deadlines *deadlines, size_t slot)
{
    struct txn *txn = deadlines->slots[slot];

    while (slot > 1 && deadlines->slots[slot / 2]->deadline_us > txn->deadline_us) {
        place(deadlines, slot, deadlines->slots[slot / 2]);
        slot /= 2;
    }
    place(deadlines, slot, txn);
}

static void
sift_down(struct deadlines *deadlines, size_t slot)
{
    struct txn *txn = deadlines->slots[slot];

    for (;;) {
        size_t child = slot * 2;

        if (child > deadlines->n) {
            break;
        }
        if (child < deadlines->n &&
            deadlines->slots[child + 1]->deadline_us < deadlines->slots[child]->deadline_us) {
            child++;
        }
        if (deadlines->slots[child]->deadline_us >= txn->deadline_us) {
            break;
        }
        place(deadlines, slot, deadlines->slots[child]);
        slot = child;
    }
    place(deadlines, slot, txn);
}

bool
deadlines_reserve(struct deadlines *deadlines, size_t n)
{
    if (n + 2 > deadlines->capacity) {
        const size_t capacity = deadlines->capacity == 0 ? n + 64 : (n + 2) * 2;
        struct txn **slots = mem_resize(deadlines->slots, capacity * sizeof(*slots));

        if (slots == NULL) {
            return false;
        }
        deadlines->slots = slots;
        deadlines->capacity = capacity;
    }
    return true;
}

bool
deadlines_add(struct deadlines *deadlines, struct txn *txn)
{
    if (!deadlines_reserve(deadlines, deadlines->n)) {
        return false;
    }
    deadlines->n++;
    place(deadlines, deadlines->n, txn);
    sift_up(deadlines, deadlines->n);
    return true;
}

void
deadlines_remove(struct deadlines *deadlines, struct txn *txn)
{
    const size_t slot = txn->timer_slot;
    struct txn *last;

    if (slot == 0) {
        return;
    }
    txn->timer_slot = 0;
    last = deadlines->slots[deadlines->n];
    deadlines->n--;
    if (last == txn) {
        return;
    }
    place(deadlines, slot, last);
    sift_up(deadlines, slot);
    sift_down(deadlines, last->timer_slot);
}

struct txn *
deadlines_first(const struct deadlines *deadlines)
{
    return deadlines->n == 0 ? NULL : deadlines->slots[1];
}

void
deadlines_done(struct deadlines *deadlines)
{
    mem_free(deadlines->slots);
    *deadlines = (struct deadlines){0};
}
