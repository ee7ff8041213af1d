/*
 * How it goes with a partner, by its id, over all configurations: what is in flight, what came of
 * it, how long it took. Objects are found and counted under the engine's lock, by any thread;
 * written by the engine's thread (under the lock, too: out_health reads).
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "out/parts.h"

#define LATENCIES_MAX   2048 /* then all count half */
#define LATENCY_UNIT_US 256
#define RETRY_TENTHS    100 /* at most ten are asked again at once, and one of ten in the long run */

/* ---- latency ---- */

/* Four buckets for each doubling: 256 us, then 320, 384, 448, 512, 640, ... */
static size_t
bucket_of(int64_t us)
{
    const uint64_t units = (uint64_t)us / LATENCY_UNIT_US + 1;
    const int octave = 63 - __builtin_clzll(units);
    const uint64_t quarter = octave >= 2 ? units >> (octave - 2) & 3 : units << (2 - octave) & 3;
    const size_t bucket = (size_t)octave * 4 + (size_t)quarter;
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* The middle of a bucket. */
static int64_t
bucket_us(size_t bucket)
{
    const int64_t octave_us = (INT64_C(1) << (bucket / 4)) * LATENCY_UNIT_US;
    return octave_us + octave_us * (int64_t)(2 * (bucket % 4) + 1) / 8;
}

static void
note_latency(struct health *health, int64_t us)
{
    struct out_health *facts = &health->facts;
    facts->latency_us =
        facts->latency_us == 0 ? us : facts->latency_us + (us - facts->latency_us) / 8;
    health->latencies[bucket_of(us)]++;
    if (++health->latencies_n < LATENCIES_MAX) {
        return;
    }
    health->latencies_n = 0;
    for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
        health->latencies[i] /= 2;
        health->latencies_n += health->latencies[i];
    }
}

static int64_t
percentile(const struct health *health, unsigned percent)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
        seen += health->latencies[i];
        if (seen > 0 && seen * 100 >= (uint64_t)health->latencies_n * percent) {
            return bucket_us(i);
        }
    }
    return 0;
}

/* ---- objects ---- */

static struct health *
find(struct engine *engine, const char *partner_id)
{
    struct health *health = engine->healths;
    while (health != NULL && strcmp(health->id, partner_id) != 0) {
        health = health->next;
    }
    return health;
}

struct health *
health_ref(struct engine *engine, const char *partner_id)
{
    struct health *health = find(engine, partner_id);
    if (health == NULL) {
        health = mem_alloc(sizeof(*health));
        if (health == NULL) {
            return NULL;
        }
        (void)snprintf(health->id, sizeof(health->id), "%s", partner_id);
        health->random = (uint64_t)clock_wall_us(engine->clock) ^ (uint64_t)(uintptr_t)health;
        health->retry_tenths = RETRY_TENTHS;
        health->next = engine->healths;
        engine->healths = health;
    }
    health->references++;
    return health;
}

void
health_unref(struct engine *engine, struct health *health)
{
    if (health == NULL || --health->references > 0) {
        return;
    }
    struct health **link = &engine->healths;
    while (*link != health) {
        link = &(*link)->next;
    }
    *link = health->next;
    mem_free(health);
}

static void
read_health(const struct engine *engine, const struct health *health, struct out_health *ret_health)
{
    const int64_t left_us = health->retry_at_us - clock_mono_us(engine->clock);
    *ret_health = health->facts;
    ret_health->retry_us = health->facts.breaker == OUT_BREAKER_OPEN && left_us > 0 ? left_us : 0;
    ret_health->p50_us = percentile(health, 50);
    ret_health->p90_us = percentile(health, 90);
    ret_health->p99_us = percentile(health, 99);
}

bool
out_health(struct out *out, const char *partner_id, struct out_health *ret_health)
{
    struct engine *engine = (struct engine *)out;
    (void)pthread_mutex_lock(&engine->lock);
    const struct health *health = find(engine, partner_id);
    if (health != NULL) {
        read_health(engine, health, ret_health);
    }
    (void)pthread_mutex_unlock(&engine->lock);
    return health != NULL;
}

/* ---- what happens ---- */

void
health_note_waiting(struct transfer *transfer, int by)
{
    struct engine *engine = transfer->engine;
    (void)pthread_mutex_lock(&engine->lock);
    transfer->pool->health->facts.waiting += (size_t)by;
    (void)pthread_mutex_unlock(&engine->lock);
}

void
health_note_start(struct transfer *transfer)
{
    struct engine *engine = transfer->engine;
    struct health *health = transfer->pool->health;
    (void)pthread_mutex_lock(&engine->lock);
    health->facts.in_flight++;
    health->facts.asked += transfer->request.is_probe ? 0 : 1;
    if (health->retry_tenths < RETRY_TENTHS) {
        health->retry_tenths++;
    }
    (void)pthread_mutex_unlock(&engine->lock);
}

/* Asking again helps against a connection that was closed, and hurts a partner that is drowning. */
static void
spend_retry(struct health *health, struct out_answer *answer)
{
    const size_t n = strlen(answer->detail);
    health->facts.stale++;
    if (health->retry_tenths >= 10) {
        health->retry_tenths -= 10;
        return;
    }
    answer->is_stale = false;
    (void)snprintf(answer->detail + n, sizeof(answer->detail) - n, "; not now: it closed too many");
}

void
health_note_end(struct transfer *transfer, struct out_answer *answer)
{
    struct engine *engine = transfer->engine;
    struct health *health = transfer->pool->health;
    (void)pthread_mutex_lock(&engine->lock);
    health->facts.in_flight -= transfer->turn == TURN_HELD ? 1 : 0;
    health->facts.cancelled += answer->error == ERR_CANCELLED ? 1 : 0;
    health->facts.refused +=
        answer->error == ERR_PARTNER_BUSY || answer->error == ERR_PARTNER_OPEN ? 1 : 0;
    breaker_note_end(transfer, answer);
    if (answer->is_stale) {
        spend_retry(health, answer);
    }
    if (answer->error == ERR_NONE && !transfer->request.is_probe) {
        health->facts.answered++;
        health->facts.answered_us = clock_wall_us(engine->clock);
        note_latency(health, clock_mono_us(engine->clock) - transfer->turn_us);
    }
    (void)pthread_mutex_unlock(&engine->lock);
}
