/*
 * Another configuration while the node runs: on SIGHUP, and when a file of a trust store has
 * changed. First everything that can fail, then the swap: transactions that have started keep the
 * old one, those that start now get the new one, net/ judges the open connections by it. Main
 * thread only.
 */
#include <stdio.h>
#include <string.h>

#include "base/metrics.h"
#include "cli/expiry_log.h"
#include "cli/serve.h"
#include "config/config_changes.h"

#define EXPIRY_LOG_US (INT64_C(86400) * US_PER_S)

/* ---- what is said ---- */

/* The reasons in one text for the audit record; the log gets each on a line of its own. */
struct story {
    char text[2048];
    size_t n;
    size_t changes;
};

static void
tell(void *arg, const char *what)
{
    struct story *story = arg;
    const int n = snprintf(story->text + story->n, sizeof(story->text) - story->n, "%s%s",
                           story->n > 0 ? "; " : "", what);

    story->changes++;
    LOG_EVENT(LOG_LEVEL_INFO, "configuration-changed", LOG_ID("what", what));
    if (n > 0 && (size_t)n < sizeof(story->text) - story->n) {
        story->n += (size_t)n;
    } else {
        story->text[story->n] = '\0'; /* the log has the rest */
    }
}

static void
record(struct serve *serve, enum audit_outcome outcome, const char *text)
{
    struct diag diag = {0};

    if (!is_ok(serve_record_life(serve, AUDIT_CONFIGURATION_CHANGED, outcome, text, &diag))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-failed", LOG_DIAG(&diag));
    }
}

/* One line per mistake, each with file:line:column. */
static void
log_mistakes(const struct yaml_report *report)
{
    struct span rest = buf_span(&report->text);
    struct span line;

    while (span_split(&rest, '\n', &line)) {
        if (line.n > 0) {
            LOG_EVENT(LOG_LEVEL_ERROR, "configuration-mistake", LOG_SPAN("at", line));
        }
    }
    if (rest.n > 0) {
        LOG_EVENT(LOG_LEVEL_ERROR, "configuration-mistake", LOG_SPAN("at", rest));
    }
}

static void
refuse(struct serve *serve, const char *why, const struct diag *diag)
{
    LOG_EVENT(LOG_LEVEL_ERROR, "reload-refused", LOG_ID("why", why), LOG_DIAG(diag));
    record(serve, AUDIT_MINOR, diag->text);
}

/* ---- what is done ---- */

static struct status
load(const struct serve *serve, struct diag *diag, const struct config **ret_config)
{
    struct yaml_report report;

    yaml_report_init(&report);
    const struct status st =
        config_load(serve->config_path, clock_system(), &report, diag, ret_config);

    if (!is_ok(st)) {
        log_mistakes(&report);
    }
    yaml_report_done(&report);
    return st;
}

static void
set_generation(struct serve *serve, struct generation *generation)
{
    pthread_mutex_lock(&serve->lock);
    serve->generation = generation;
    pthread_mutex_unlock(&serve->lock);
}

/* New transactions first: a connection that net/ judges by the new configuration must not start one
 * by the old. */
static struct status
swap(struct serve *serve, const struct config *config, struct diag *diag)
{
    struct generation *old = serve->generation;
    struct generation *generation = NULL;
    struct net_options options;

    TRY(config_may_replace(old->node.config, config, diag));
    TRY(generation_new(serve, config, diag, &generation));
    struct status st = serve_status_configure(serve, config, diag);

    if (is_ok(st)) {
        st = out_reload(serve->out, config, diag);
    }
    if (is_ok(st)) {
        serve_net_options(serve, config, &options);
        set_generation(serve, generation);
        st = net_reload(serve->server, &options, diag);
    }
    if (!is_ok(st)) {
        struct diag ignored = {0}; /* no memory, once more: then the new settings stay */

        (void)serve_status_configure(serve, old->node.config, &ignored).code;
        (void)out_reload(serve->out, old->node.config, &ignored).code;
        set_generation(serve, old);
        old = generation;
    }
    generation_unref(old);
    return st;
}

static void
take_rules(struct serve *serve, const struct config *config)
{
    struct diag diag = {0};

    if (!is_ok(cli_journal_rules(serve->journal, config, true, &diag))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-waits-unbounded", LOG_DIAG(&diag));
    }
}

void
serve_reload(struct serve *serve, const char *why)
{
    struct generation *old = generation_current(serve);
    struct story story = {.n = 0};
    struct diag diag = {0};
    const struct config *config = NULL;

    service_tell(&serve->service, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading: %s",
                 (long long)clock_mono_us(clock_system()), why);
    struct status st = load(serve, &diag, &config);

    if (is_ok(st)) {
        st = swap(serve, config, &diag);
    }
    if (is_ok(st)) {
        log_configure(config->log_level, config->log_format, 2);
        take_rules(serve, config);
        serve_check_descriptors(config);
        serve_ship_reload(serve, config);
        config_changes(old->node.config, config, tell, &story);
        expiry_log_withheld(config);
        LOG_EVENT(LOG_LEVEL_INFO, "reload-done", LOG_ID("why", why),
                  LOG_INT("generation", (int64_t)config->generation),
                  LOG_INT("partners", (int64_t)config->partners_n),
                  LOG_INT("changes", (int64_t)story.changes));
        record(serve, AUDIT_SUCCESS, story.n > 0 ? story.text : "nothing has changed");
    } else {
        refuse(serve, why, &diag);
    }
    serve->is_reload_refused = !is_ok(st);
    serve->loaded_us = clock_wall_us(clock_system());
    metric_count(METRIC_RELOAD, (const char *const[]){is_ok(st) ? "done" : "refused"});
    serve_tell_status(serve, "READY=1");
    config_unref(config);
    generation_unref(old);
}

void
serve_look_after(struct serve *serve)
{
    if (serve->feed != NULL && crl_feed_tick(serve->feed)) {
        serve_reload(serve, "a new revocation list has been fetched");
    } else if (config_trust_has_changed(serve->generation->node.config)) {
        serve_reload(serve, "a file of a trust store has changed");
    }
    const int64_t now_us = clock_wall_us(clock_system());

    if (now_us - serve->expiry_logged_us >= EXPIRY_LOG_US) {
        serve->expiry_logged_us = now_us;
        expiry_log(serve->generation->node.config, now_us);
    }
}
