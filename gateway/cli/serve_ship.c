/*
 * The audit repositories of a serving node: started when the journal is open, changed by a reload,
 * ended when the last record (that it stops) is durable. Main thread, except the alarm: a shipping
 * thread.
 */
#include <stdio.h>

#include "cli/serve.h"

#define FAREWELL_US (4 * US_PER_S) /* of what is left to be sent when the node stops */
#define HURRIED_US  (500 * US_PER_MS)

/* One event when a repository is lost, and one when it is back: never one per attempt, which would
 * fill the journal with what cannot be delivered. */
static void
record_alarm(void *arg, const char *name, bool is_lost, const char *why)
{
    struct serve *serve = arg;
    struct generation *generation = generation_current(serve);
    const struct config *config = generation->node.config;
    struct diag diag = {0};
    char text[DIAG_TEXT_MAX + 256];

    (void)snprintf(text, sizeof(text), "repository '%s'%s%s", name, is_lost ? ": " : "",
                   is_lost ? why : "");
    const struct audit_event event = {
        .type = AUDIT_DELIVERY,
        .side = AUDIT_RESPONDING,
        .phase = AUDIT_OUTCOME,
        .outcome = is_lost ? AUDIT_MINOR : AUDIT_SUCCESS,
        .outcome_text = span_of_cstr(text),
        .source_id = config->base_url == NULL ? SPAN_EMPTY : span_of_cstr(config->base_url),
        .community = span_of_cstr(config->community),
    };

    if (!is_ok(journal_append_wait(serve->journal, &event, &diag))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-failed", LOG_DIAG(&diag));
    }
    generation_unref(generation);
}

struct status
serve_ship_start(struct serve *serve, const struct config *config, struct diag *diag)
{
    const struct fleet_options options = {
        .place = &serve->place,
        .clock = clock_system(),
        .journal = serve->journal,
        .on_alarm = record_alarm,
        .alarm_arg = serve,
    };

    TRY(fleet_new(&options, diag, &serve->fleet));
    return fleet_set(serve->fleet, config, diag);
}

void
serve_ship_reload(struct serve *serve, const struct config *config)
{
    struct diag diag = {0};

    if (!is_ok(fleet_set(serve->fleet, config, &diag))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-repositories-not-changed", LOG_DIAG(&diag),
                  LOG_ID("then", "the others are served; load the configuration again"));
    }
}

void
serve_ship_end(struct serve *serve)
{
    const int64_t grace_us = atomic_load(&serve->is_hurried) ? HURRIED_US : FAREWELL_US;

    if (serve->fleet != NULL) {
        fleet_stop(serve->fleet, clock_mono_us(clock_system()) + grace_us);
        fleet_free(serve->fleet);
        serve->fleet = NULL;
    }
}
