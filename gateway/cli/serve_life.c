/*
 * The life of a serving node between its start and its end: signals, signs of life for the service
 * manager, and the drain. Main thread, except the impatience: a thread that waits for a second
 * signal while the main thread drains.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cli/serve.h"

#define TICK_US         (1 * US_PER_S)   /* how often what is due later is looked for */
#define LOOK_AFTER_US   (60 * US_PER_S)  /* how often files of trust stores are looked at */
#define SILENCE_US      (30 * US_PER_S)  /* of a part: said in the log, without a watchdog */
#define LAST_WORDS_US   (5 * US_PER_S)   /* from the second signal to the hard end */
#define INTENT_SPARE_US (300 * US_PER_S) /* clocks that were set while it ran */
#define STOP_SPARE_US   (15 * US_PER_S)  /* what the end takes beyond the drain */

/* ---- descriptors ---- */

/* Each connection in may become one to a partner; net/ uses half of what there is. */
static uint64_t
descriptors_wanted(const struct config *config)
{
    return 2 * (uint64_t)config->edge.connections;
}

void
serve_check_descriptors(const struct config *config)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    if (limit.rlim_cur < limit.rlim_max) {
        const struct rlimit raised = {limit.rlim_max, limit.rlim_max};

        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
            limit = raised;
        } /* else: a filter forbids it; what there is decides */
    }
    if (limit.rlim_cur < descriptors_wanted(config)) {
        LOG_EVENT(LOG_LEVEL_WARNING, "descriptors-too-few", LOG_INT("has", (int64_t)limit.rlim_cur),
                  LOG_INT("wants", (int64_t)descriptors_wanted(config)),
                  LOG_ID("what", "limits.connections needs two each (in and out): raise "
                                 "LimitNOFILE= or lower limits.connections"));
    }
}

/* ---- the journal ---- */

/* No question of this node waits longer. */
static int64_t
longest_question_us(const struct config *config)
{
    int64_t longest_us = config->timeout_us;

    for (size_t i = 0; i < config->partners_n; i++) {
        longest_us = config->partners[i].timeout_us > longest_us ? config->partners[i].timeout_us
                                                                 : longest_us;
    }
    return longest_us;
}

struct status
serve_open_journal(struct serve *serve, const struct config *config, struct diag *diag)
{
    size_t ended = 0;
    uint64_t missing = 0;

    serve->journal_config = config_ref(config);
    serve->place = cli_journal_place(config);
    TRY(journal_open(&serve->place, "node", clock_system(), diag, &serve->journal));
    TRY(journal_end_intents(serve->journal, &serve->place,
                            longest_question_us(config) + INTENT_SPARE_US, diag, &ended));
    TRY(cli_journal_missing(serve->journal, config, diag, &missing));
    TRY(cli_journal_rules(serve->journal, config, true, diag));
    if (missing > 0) {
        LOG_EVENT(LOG_LEVEL_WARNING, "audit-records-missing", LOG_INT("records", (int64_t)missing),
                  LOG_ID("why", "the last process went on without them (audit.on_unavailable: "
                                "degrade)"));
    }
    if (ended > 0) {
        LOG_EVENT(LOG_LEVEL_WARNING, "outcomes-unknown", LOG_INT("questions", (int64_t)ended),
                  LOG_ID("why", "the node was killed while it asked; isthmus audit tail shows "
                                "which"));
    }
    return OK;
}

/* ---- what the service manager hears ---- */

void
serve_tell_status(struct serve *serve, const char *state)
{
    const struct config *config = serve->generation->node.config;
    struct net_counts counts;

    net_count(serve->server, &counts);
    service_tell(&serve->service,
                 "%s%sSTATUS=%s; %zu partners; %zu connections, %zu requests in work, %" PRIu64
                 " since the start, %" PRIu64 " shed; journal %s",
                 state, state[0] == '\0' ? "" : "\n",
                 serve->is_reload_refused ? "the last reload was refused (see the log)" : "serving",
                 config->partners_n, counts.connections, counts.requests, counts.requests_total,
                 counts.shed[NET_SHED_REQUESTS] + counts.shed[NET_SHED_MEMORY] +
                     counts.shed[NET_SHED_QUEUE],
                 journal_is_healthy(serve->journal) ? "healthy" : "failed");
}

/* Which part has been silent for longer than <limit_us>; NULL: none. */
static const char *
silent_part(struct serve *serve, int64_t limit_us, int64_t *ret_us)
{
    const struct {
        const char *name;
        int64_t us;
    } parts[] = {
        {"network", net_silence_us(serve->server)},   {"outbound", out_silence_us(serve->out)},
        {"store", store_busy_us(serve->store)},       {"workers", runner_busy_us(serve->runner)},
        {"journal", journal_busy_us(serve->journal)},
    };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].us > limit_us) {
            *ret_us = parts[i].us;
            return parts[i].name;
        }
    }
    return NULL;
}

/* The manager hears of us only while every part is at work: who restarts a node that hangs must be
 * told by what hangs, not by a timer beside it. */
static void
show_life(struct serve *serve)
{
    const int64_t limit_us =
        serve->service.watchdog_us > 0 ? serve->service.watchdog_us : SILENCE_US;
    int64_t us = 0;
    const char *part = silent_part(serve, limit_us, &us);

    if (part != NULL) {
        LOG_EVENT(LOG_LEVEL_ERROR, "part-silent", LOG_ID("part", part),
                  LOG_INT("ms", us / US_PER_MS));
    } else if (serve->service.watchdog_us > 0) {
        service_tell(&serve->service, "WATCHDOG=1");
    }
}

/* ---- signals ---- */

static void
block_signals(sigset_t *ret_signals)
{
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGHUP);
    sigaddset(ret_signals, SIGTERM);
    sigaddset(ret_signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
}

void
serve_block_signals(struct serve *serve)
{
    block_signals(&serve->signals);
}

/* Three signs of life in the time that the manager waits for one. */
static int64_t
life_us(const struct serve *serve)
{
    const int64_t third_us = serve->service.watchdog_us / 3;

    return third_us > 0 && third_us < LOOK_AFTER_US ? third_us : LOOK_AFTER_US;
}

static int
wait_signal(const sigset_t *signals, int64_t us)
{
    const struct timespec wait = {.tv_sec = (time_t)(us / US_PER_S),
                                  .tv_nsec = (long)(us % US_PER_S) * 1000};

    return sigtimedwait(signals, NULL, &wait);
}

int
serve_run(struct serve *serve)
{
    int64_t looked_us = clock_mono_us(clock_system()), shown_us = looked_us;
    const int64_t tick_us = life_us(serve) < TICK_US ? life_us(serve) : TICK_US;

    (void)net_silence_us(serve->server); /* asks for the first sign of life */
    for (;;) {
        const int signal_number = wait_signal(&serve->signals, tick_us);
        const int64_t now_us = clock_mono_us(clock_system());

        if (signal_number == SIGHUP) {
            serve_reload(serve, "SIGHUP");
        } else if (signal_number > 0) {
            return signal_number;
        }
        serve_later_look(serve);
        if (signal_number == SIGHUP || now_us - shown_us >= life_us(serve)) {
            shown_us = now_us;
            show_life(serve);
        }
        if (now_us - looked_us >= LOOK_AFTER_US) {
            looked_us = now_us;
            serve_look_after(serve);
            serve_tell_status(serve, "");
        }
    }
}

/* ---- the drain ---- */

static void
cut_off(struct serve *serve)
{
    pthread_mutex_lock(&serve->lock);
    if (!serve->is_settled && serve->runner != NULL) {
        runner_end_at(serve->runner, clock_mono_us(clock_system()));
    }
    if (!serve->is_settled && serve->server != NULL) {
        net_hurry(serve->server);
    }
    pthread_mutex_unlock(&serve->lock);
}

/* A second signal: what is in flight is cut off now, and when that does not help the process ends
 * as it is. The journal's recovery then records what is unknown. */
static void *
be_impatient(void *arg)
{
    struct serve *serve = arg;
    int64_t end_us = INT64_MAX;

    while (!serve->is_over) {
        const int signal_number = wait_signal(&serve->signals, 50 * US_PER_MS);

        if ((signal_number == SIGTERM || signal_number == SIGINT) && !serve->is_hurried) {
            LOG_EVENT(LOG_LEVEL_WARNING, "node-stopping-at-once", LOG_INT("signal", signal_number));
            end_us = clock_mono_us(clock_system()) + LAST_WORDS_US;
            serve->is_hurried = true;
            cut_off(serve);
        }
        if (clock_mono_us(clock_system()) > end_us && !serve->is_over) {
            LOG_EVENT(LOG_LEVEL_ERROR, "node-stopped-hard",
                      LOG_ID("why", "a second signal came, and the work in flight did not end"));
            _exit(CLI_FAILED);
        }
    }
    return NULL;
}

int64_t
serve_drain_begin(struct serve *serve, const struct config *config)
{
    const int64_t drain_us = config->edge.drain_us;

    service_tell(&serve->service,
                 "STOPPING=1\nSTATUS=draining for at most %" PRId64
                 " s\nEXTEND_TIMEOUT_USEC=%" PRId64,
                 drain_us / US_PER_S, drain_us + STOP_SPARE_US);
    serve->has_impatience =
        pthread_create(&serve->impatience, NULL, be_impatient, serve) == 0; /* else: patience */
    return clock_mono_us(clock_system()) + drain_us;
}

bool
serve_drain_runner(struct serve *serve, int64_t deadline_us)
{
    bool is_quiet = false;
    int64_t now_us = clock_mono_us(clock_system());

    do {
        const int64_t slice_us = now_us + 100 * US_PER_MS;

        is_quiet = runner_drain(serve->runner, slice_us < deadline_us ? slice_us : deadline_us);
        now_us = clock_mono_us(clock_system());
    } while (!is_quiet && now_us < deadline_us && !serve->is_hurried);
    return is_quiet;
}

void
serve_drain_settled(struct serve *serve)
{
    pthread_mutex_lock(&serve->lock);
    serve->is_settled = true;
    pthread_mutex_unlock(&serve->lock);
}

void
serve_drain_end(struct serve *serve)
{
    serve->is_over = true;
    if (serve->has_impatience) {
        (void)pthread_join(serve->impatience, NULL);
    }
}
