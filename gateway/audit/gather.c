/*
 * The journal's decision to wait for a fuller batch. Called by appenders and by the journal thread
 * under the journal's lock; pure arithmetic, nothing is owned.
 */
#include "audit/gather.h"

#define PART          8    /* of what a batch took: the longest moment */
#define MOMENT_MAX_US 1000 /* ... and never more */
#define ENOUGH        4    /* one of so many who were woken */

/* Somebody came; whether it is one of those who were woken does not matter. */
static void
note_return(struct gather *gather, int64_t now_us)
{
    if (gather->away == gather->taken) {
        gather->first_us = now_us - gather->ended_us;
    }
    if (--gather->away == 0) {
        gather->return_us = now_us - gather->ended_us;
    }
}

bool
gather_add(struct gather *gather, int64_t now_us)
{
    if (gather->away > 0) {
        note_return(gather, now_us);
    }
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
    gather->next = gather->queued;
    gather->queued = 0;
    gather->taken_us = now_us;
    gather->wake_at = 0; /* it looks again before it sleeps */
}

/* As they came the last time, evenly from the first to the last. */
static bool
will_enough_come(const struct gather *gather, int64_t moment_us)
{
    return (moment_us - gather->first_us) * ENOUGH >= gather->return_us - gather->first_us;
}

void
gather_end(struct gather *gather, int64_t now_us)
{
    const int64_t part_us = (now_us - gather->taken_us) / PART;
    const int64_t moment_us = part_us < MOMENT_MAX_US ? part_us : MOMENT_MAX_US;
    if (gather->away > 0) { /* they took longer than a whole batch */
        gather->return_us = now_us - gather->ended_us;
        gather->first_us = gather->away == gather->taken ? gather->return_us : gather->first_us;
    }
    gather->taken = gather->next;
    gather->away = gather->taken;
    gather->expected = gather->taken + gather->queued;
    gather->ended_us = now_us;
    gather->until_us = will_enough_come(gather, moment_us) ? now_us + moment_us : now_us;
}
