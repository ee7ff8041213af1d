/*
 * How it goes with a partner, by its id, over all configurations: what is in flight, what came of
 * it, how long it took. Objects are found and counted under the engine's lock, by any thread;
 * written by the engine's thread (under the lock, too: out_health reads).
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "out/parts.h"

#define ID_MAX 64

struct health {
    struct health *next;
    char id[ID_MAX];
    size_t references; /* pools */
    struct out_health facts;
};

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

bool
out_health(struct out *out, const char *partner_id, struct out_health *ret_health)
{
    struct engine *engine = (struct engine *)out;
    (void)pthread_mutex_lock(&engine->lock);
    const struct health *health = find(engine, partner_id);
    if (health != NULL) {
        *ret_health = health->facts;
    }
    (void)pthread_mutex_unlock(&engine->lock);
    return health != NULL;
}

/* ---- what happens ---- */

void
health_note_start(struct transfer *transfer)
{
    struct engine *engine = transfer->engine;
    struct out_health *facts = &transfer->pool->health->facts;
    (void)pthread_mutex_lock(&engine->lock);
    facts->in_flight++;
    facts->asked += transfer->request.is_probe ? 0 : 1;
    (void)pthread_mutex_unlock(&engine->lock);
}

/* Failures that say something about the partner, not about us or the asker. */
static bool
counts(const struct out_answer *answer)
{
    return !answer->is_stale &&
           (answer->error == ERR_PARTNER_UNREACHABLE || answer->error == ERR_PARTNER_TLS ||
            answer->error == ERR_PARTNER_TIMEOUT);
}

void
health_note_end(struct transfer *transfer, const struct out_answer *answer)
{
    struct engine *engine = transfer->engine;
    struct out_health *facts = &transfer->pool->health->facts;
    const int64_t now_us = clock_wall_us(engine->clock);
    (void)pthread_mutex_lock(&engine->lock);
    facts->in_flight--;
    facts->stale += answer->is_stale ? 1 : 0;
    facts->cancelled += answer->error == ERR_CANCELLED ? 1 : 0;
    if (answer->error == ERR_NONE) {
        facts->failures = 0;
        facts->answered += transfer->request.is_probe ? 0 : 1;
        facts->answered_us = now_us;
    } else if (counts(answer)) {
        facts->failures++;
        facts->failed++;
        facts->failed_us = now_us;
        facts->last_error = answer->error;
        (void)snprintf(facts->last_detail, sizeof(facts->last_detail), "%s", answer->detail);
    }
    (void)pthread_mutex_unlock(&engine->lock);
}
