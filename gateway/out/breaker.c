/*
 * A partner that fails several times in a row is left alone for a while: questions to it fail at
 * once instead of costing their askers the whole time. Then one is let through (half-open): when it
 * gets an answer all go again, else the pause is twice as long, with jitter, so that nodes that
 * lost the same partner do not come back together. The state belongs to the partner's id and
 * outlives configurations. Engine's thread only; what out_health reads is written under the
 * engine's lock.
 */
#include <inttypes.h>
#include <stdio.h>

#include "out/parts.h"

static int64_t
now_us(const struct transfer *transfer)
{
    return clock_mono_us(transfer->engine->clock);
}

/* xorshift64: only jitter. */
static uint64_t
next_random(struct health *health)
{
    uint64_t x = health->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    health->random = x;
    return x;
}

static struct status
refuse(const struct transfer *transfer, int64_t left_us, struct diag *diag)
{
    const struct out_health *facts = &transfer->pool->health->facts;
    if (facts->breaker == OUT_BREAKER_HALF_OPEN) {
        return FAIL(diag, ERR_PARTNER_OPEN,
                    "partner '%s' failed %u times in a row (%s); one question is trying it now",
                    transfer->request.partner->id, facts->failures, err_name(facts->last_error));
    }
    return FAIL(diag, ERR_PARTNER_OPEN,
                "partner '%s' failed %u times in a row (%s); it is asked again in %" PRId64 " ms",
                transfer->request.partner->id, facts->failures, err_name(facts->last_error),
                (left_us + US_PER_MS - 1) / US_PER_MS);
}

struct status
breaker_admit(struct transfer *transfer, bool claims, struct diag *diag)
{
    struct health *health = transfer->pool->health;
    if (transfer->request.is_probe || health->facts.breaker == OUT_BREAKER_CLOSED) {
        return OK;
    }
    const int64_t left_us = health->retry_at_us - now_us(transfer);
    if (health->facts.breaker == OUT_BREAKER_HALF_OPEN || left_us > 0) {
        return refuse(transfer, left_us, diag);
    }
    if (claims) {
        transfer->is_trial = true;
        (void)pthread_mutex_lock(&transfer->engine->lock);
        health->facts.breaker = OUT_BREAKER_HALF_OPEN;
        (void)pthread_mutex_unlock(&transfer->engine->lock);
    }
    return OK;
}

/* ---- what became of it ---- */

enum outcome {
    OUTCOME_NONE, /* says nothing about the partner */
    OUTCOME_GOOD, /* it is there, whatever it answered */
    OUTCOME_BAD
};

/* The end of a time that was too short to begin with is not the partner's fault. */
static bool
had_time(const struct transfer *transfer)
{
    return transfer->turn == TURN_HELD &&
           now_us(transfer) - transfer->turn_us >= transfer_timeout_us(transfer) / 4;
}

static enum outcome
judge(const struct transfer *transfer, const struct out_answer *answer)
{
    switch (answer->error) {
    case ERR_NONE:
    case ERR_PARTNER_ANSWER:
    case ERR_TOO_MANY_RESULTS:
        return OUTCOME_GOOD;
    case ERR_PARTNER_UNREACHABLE:
    case ERR_PARTNER_TLS:
        return answer->is_stale ? OUTCOME_NONE : OUTCOME_BAD;
    case ERR_PARTNER_TIMEOUT:
        return had_time(transfer) ? OUTCOME_BAD : OUTCOME_NONE;
    default:
        return OUTCOME_NONE;
    }
}

static void
close_breaker(struct transfer *transfer)
{
    struct out_health *facts = &transfer->pool->health->facts;
    if (facts->breaker != OUT_BREAKER_CLOSED) {
        LOG_EVENT(LOG_LEVEL_INFO, "partner-back", LOG_ID("partner", transfer->request.partner->id));
    }
    facts->breaker = OUT_BREAKER_CLOSED;
    facts->failures = 0;
}

static void
open_breaker(struct transfer *transfer, int64_t pause_us)
{
    struct health *health = transfer->pool->health;
    const struct partner_limits *limits = &transfer->request.partner->limits;
    if (pause_us > limits->longest_pause_us) {
        pause_us = limits->longest_pause_us;
    }
    const int64_t quarter_us = pause_us / 4;
    const int64_t jitter_us =
        (int64_t)(next_random(health) % (uint64_t)(2 * quarter_us + 1)) - quarter_us;
    health->pause_us = pause_us;
    health->retry_at_us = now_us(transfer) + pause_us + jitter_us;
    health->facts.breaker = OUT_BREAKER_OPEN;
    LOG_EVENT(LOG_LEVEL_WARNING, "partner-left-alone",
              LOG_ID("partner", transfer->request.partner->id),
              LOG_INT("failures", (int64_t)health->facts.failures),
              LOG_INT("ms", (pause_us + jitter_us) / US_PER_MS),
              LOG_ID("error", err_name(health->facts.last_error)),
              LOG_ID("detail", health->facts.last_detail));
}

/* A trial that says nothing (withdrawn, say): the next one may try. */
static void
end_trial(struct transfer *transfer)
{
    struct health *health = transfer->pool->health;
    if (transfer->is_trial && health->facts.breaker == OUT_BREAKER_HALF_OPEN) {
        health->facts.breaker = OUT_BREAKER_OPEN;
        health->retry_at_us = now_us(transfer);
    }
}

static void
note_bad(struct transfer *transfer)
{
    struct health *health = transfer->pool->health;
    health->facts.failures++;
    if (transfer->is_trial && health->facts.breaker == OUT_BREAKER_HALF_OPEN) {
        open_breaker(transfer, health->pause_us * 2);
    } else if (health->facts.breaker == OUT_BREAKER_CLOSED &&
               health->facts.failures >= transfer->request.partner->limits.failures) {
        open_breaker(transfer, transfer->request.partner->limits.pause_us);
    }
}

/* Answers to questions from before it opened count as well. A probe that was good makes the next
 * question the trial: it has shown a handshake, not an answer. */
void
breaker_note_end(struct transfer *transfer, const struct out_answer *answer)
{
    struct health *health = transfer->pool->health;
    const enum outcome outcome = judge(transfer, answer);
    if (transfer->request.is_probe) {
        if (outcome == OUTCOME_GOOD && health->facts.breaker == OUT_BREAKER_OPEN) {
            health->retry_at_us = now_us(transfer);
        }
    } else if (outcome == OUTCOME_GOOD) {
        close_breaker(transfer);
    } else if (outcome == OUTCOME_BAD) {
        health->facts.failed++;
        health->facts.failed_us = clock_wall_us(transfer->engine->clock);
        health->facts.last_error = answer->error;
        (void)snprintf(health->facts.last_detail, sizeof(health->facts.last_detail), "%s",
                       answer->detail);
        note_bad(transfer);
    } else {
        end_trial(transfer);
    }
}
