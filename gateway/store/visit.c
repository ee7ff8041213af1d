/*
 * Who is in the store, and since when: so that somebody outside sees a call that does not come back
 * from a disk. Called by store.c and replay.c on the threads of the calls; nobody waits here.
 */
#include "base/clock.h"
#include "store/store_engine.h"

struct store_visit
store_visit_begin(struct store *store)
{
    const int64_t now_us = clock_mono_us(clock_system());

    for (size_t i = 0; i < STORE_VISITS; i++) {
        int64_t nobody = 0;

        if (atomic_load_explicit(&store->visits[i], memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong(&store->visits[i], &nobody, now_us)) {
            return (struct store_visit){&store->visits[i]};
        }
    }
    return (struct store_visit){NULL}; /* so many are here that one more is not looked at */
}

void
store_visit_end(struct store_visit *visit)
{
    if (visit->since_us != NULL) {
        atomic_store(visit->since_us, 0);
    }
}

int64_t
store_busy_us(const struct store *store)
{
    const int64_t now_us = clock_mono_us(clock_system());
    int64_t longest_us = 0;

    for (size_t i = 0; i < STORE_VISITS; i++) {
        const int64_t since_us = store->visits[i];

        if (since_us != 0 && now_us - since_us > longest_us) {
            longest_us = now_us - since_us;
        }
    }
    return longest_us;
}
