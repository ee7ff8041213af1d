/*
 * Shares of memory. Called by out/ while an answer comes in, and by the transaction that reads it.
 */
#include "base/budget.h"

void
budget_init(struct budget *budget, uint64_t bytes, size_t holders)
{
    budget->share = holders == 0 ? 0 : bytes / 2 / holders;
    budget->common = bytes - budget->share * holders;
    atomic_init(&budget->taken, 0);
}

static uint64_t
beyond_share(const struct budget *budget, uint64_t held)
{
    return held > budget->share ? held - budget->share : 0;
}

bool
budget_take(struct budget *budget, uint64_t *held, uint64_t n)
{
    uint64_t taken = atomic_load(&budget->taken);
    uint64_t more;

    if (n > UINT64_MAX - *held) {
        return false;
    }
    more = beyond_share(budget, *held + n) - beyond_share(budget, *held);
    do {
        if (more > budget->common - taken) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&budget->taken, &taken, taken + more));
    *held += n;
    return true;
}

void
budget_give_beyond(struct budget *budget, uint64_t *held, uint64_t n)
{
    if (*held > n) {
        atomic_fetch_sub(&budget->taken, beyond_share(budget, *held) - beyond_share(budget, n));
        *held = n;
    }
}

void
budget_give(struct budget *budget, uint64_t *held)
{
    budget_give_beyond(budget, held, 0);
}
