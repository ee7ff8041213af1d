/*
 * The journal's decision to wait for a fuller batch. Called by appenders and by the journal thread
 * under the journal's lock; pure arithmetic, nothing is owned.
 */
#include "audit/gather.h"

#define PART          4    /* of what a batch took: the longest moment */
#define MOMENT_MAX_US 1000 /* ... and never more */

bool
gather_add(struct gather *gather)
{
    return ++gather->queued == gather->wake_at;
}

int64_t
gather_left_us(struct gather *gather, int64_t now_us)
{
    const bool is_worth_it = gather->queued > 0 && gather->queued < gather->expected;
    const int64_t left_us = is_worth_it ? gather->until_us - now_us : 0;
    gather->wake_at = left_us > 0 ? gather->expected : 1;
    return left_us > 0 ? left_us : 0;
}

void
gather_take(struct gather *gather, int64_t now_us)
{
    gather->taken = gather->queued;
    gather->queued = 0;
    gather->taken_us = now_us;
    gather->wake_at = 0; /* it looks again before it sleeps */
}

void
gather_end(struct gather *gather, int64_t now_us)
{
    const int64_t part_us = (now_us - gather->taken_us) / PART;
    gather->expected = gather->taken + gather->queued;
    gather->until_us = now_us + (part_us < MOMENT_MAX_US ? part_us : MOMENT_MAX_US);
}
