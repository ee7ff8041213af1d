/*
 * What is refused before there is a transaction: connections, handshakes, bad HTTP, too much of
 * everything. Logged, and recorded as a security alert when somebody failed to prove who he is
 * (ITI-19; DICOM PS3.15 A.5.3.11). Whoever knocks a thousand times a second must not fill our disk:
 * each kind and each address has a rate, and what is left out is counted and said with the next
 * one. Called by net/ on loop threads; nothing here blocks.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "cli/serve.h"
#include "net/rate.h"

#define ADDRESSES_MAX 1024 /* more addresses than that share by turns */

#define LIMIT_LOG_INTERVAL_US US_PER_S /* one line per kind */
#define OTHER_LOG_BURST       20       /* lines of an address */
#define AUDIT_BURST           10       /* records of an address ... */
#define AUDIT_INTERVAL_US     (6 * US_PER_S)

struct status
refusals_init(struct serve *serve, struct diag *diag)
{
    TRY(rate_new(1, LIMIT_LOG_INTERVAL_US, ADDRESSES_MAX, diag, &serve->limit_log_rate));
    TRY(rate_new(OTHER_LOG_BURST, US_PER_S, ADDRESSES_MAX, diag, &serve->log_rate));
    return rate_new(AUDIT_BURST, AUDIT_INTERVAL_US, ADDRESSES_MAX, diag, &serve->audit_rate);
}

void
refusals_done(struct serve *serve)
{
    rate_free(serve->limit_log_rate);
    rate_free(serve->log_rate);
    rate_free(serve->audit_rate);
}

/* ---- audit ---- */

struct refusal {
    struct park park; /* first member */
    struct journal_ticket ticket;
};

static void
free_refusal(struct park *park)
{
    mem_free((struct refusal *)park);
}

static void
append_record(struct serve *serve, const struct audit_event *event)
{
    struct refusal *refusal = mem_alloc(sizeof(*refusal));
    struct diag diag = {0};

    if (refusal == NULL) {
        return;
    }
    /* it holds nobody up: nothing was disclosed */
    refusal->park.wake = free_refusal;
    if (!is_ok(journal_append(serve->journal, event, &refusal->park, &diag, &refusal->ticket))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-failed", LOG_DIAG(&diag));
        mem_free(refusal);
    }
}

static void
record(struct serve *serve, const char *peer_address, const struct diag *why)
{
    struct generation *generation;
    char text[DIAG_TEXT_MAX + 128];
    uint64_t missed = 0;

    if (!rate_spend(serve->audit_rate, peer_address, clock_mono_us(clock_system()), &missed)) {
        return;
    }
    if (missed > 0) {
        snprintf(text, sizeof(text), "%s: %s (and %" PRIu64 " more of this address before it)",
                 err_name(why->code), why->text, missed);
    } else {
        snprintf(text, sizeof(text), "%s: %s", err_name(why->code), why->text);
    }
    generation = generation_current(serve);
    const char *base_url = generation->node.config->base_url;
    const struct audit_event event = {
        .type = AUDIT_AUTHENTICATION_FAILURE,
        .side = AUDIT_RESPONDING,
        .phase = AUDIT_OUTCOME,
        .outcome = AUDIT_SERIOUS,
        .outcome_text = span_of_cstr(text),
        .source_address = span_of_cstr(peer_address),
        .destination_id = base_url == NULL ? SPAN_EMPTY : span_of_cstr(base_url),
    };

    append_record(serve, &event);
    generation_unref(generation);
}

/* ---- log ---- */

void
refusals_note(void *arg, const char *peer_address, const struct diag *why)
{
    struct serve *serve = arg;
    const bool is_limit = err_class(why->code) == ERR_CLASS_LIMIT;
    struct rate *rate = is_limit ? serve->limit_log_rate : serve->log_rate;
    const char *key = is_limit ? err_name(why->code) : peer_address;
    uint64_t missed = 0;

    metric_count(METRIC_REFUSED, (const char *const[]){err_name(why->code)});
    if (rate_spend(rate, key, clock_mono_us(clock_system()), &missed)) {
        LOG_EVENT(LOG_LEVEL_WARNING, "connection-refused", LOG_ID("peer", peer_address),
                  LOG_INT("unlogged", (int64_t)missed), LOG_DIAG(why));
    }
    if (err_class(why->code) == ERR_CLASS_SECURITY) {
        record(serve, peer_address, why);
    }
}

void
refusals_note_doubt(void *arg, const char *peer_address, const struct diag *why)
{
    struct serve *serve = arg;
    uint64_t missed = 0;

    if (rate_spend(serve->log_rate, peer_address, clock_mono_us(clock_system()), &missed)) {
        LOG_EVENT(LOG_LEVEL_WARNING, "certificate-status-unknown", LOG_ID("peer", peer_address),
                  LOG_INT("unlogged", (int64_t)missed), LOG_DIAG(why));
    }
}
