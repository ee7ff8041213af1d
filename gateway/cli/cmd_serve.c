/*
 * isthmus serve: the node in the foreground. Puts the parts together (store, journal, runner,
 * network), turns requests into transactions, on SIGHUP takes another configuration, and on SIGTERM
 * or SIGINT drains. The main thread only waits for signals.
 */
#include "cli/serve.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "certs/crl_held.h"
#include "store/replay.h"

#define WORKERS_MAX 32
#define ANSWER_US   (2 * US_PER_S) /* of the drain, for the answers of what is cut off */

static const char *config_path, *workers_text;
static const struct cli_option rows[] = {
    {"c", "FILE", "the node's configuration", &config_path, NULL, NULL},
    {"workers", "N", "threads that run transactions (default: one a core)", &workers_text, NULL,
     NULL}};

static const struct cli_command command = {
    .name = "serve",
    .usage = "-c FILE [--workers N]",
    .text =
        "Answers partners (ITI-55, ITI-38, ITI-39, ITI-80) on the network listener, and asks them "
        "for\n"
        "local systems on the local listener, until SIGTERM or SIGINT; then finishes what is in\n"
        "flight and stops. Logs to standard error. An answer leaves only when its audit record is\n"
        "durable. SIGHUP loads the configuration anew: what is in flight keeps the old one; with\n"
        "a mistake in it, the old one stays.\n"
        "A second signal cuts the finishing short. systemd is told (notify, watchdog), and its\n"
        "sockets are taken.\n"
        "Exit codes: 0 stopped by a signal, 1 could not start, 2 usage.",
    .options = rows,
    .options_n = ARRAY_LEN(rows),
};

/* ---- the node of one configuration ---- */

struct status
generation_new(struct serve *serve, const struct config *config, struct diag *diag,
               struct generation **ret_generation)
{
    struct generation *generation = mem_alloc(sizeof(*generation));

    if (generation == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a configuration");
    }
    atomic_init(&generation->references, 1);
    generation->node = (struct node){.config = config_ref(config),
                                     .clock = clock_system(),
                                     .store = serve->store,
                                     .spool = serve->spool,
                                     .audit = &serve->sink.sink,
                                     .out = serve->out,
                                     .runner = serve->runner,
                                     .outbox = &serve->outbox,
                                     .waiting = &serve->waiting,
                                     .continued = &serve->continued};
    *ret_generation = generation;
    return OK;
}

struct generation *
generation_current(struct serve *serve)
{
    pthread_mutex_lock(&serve->lock);
    struct generation *generation = serve->generation;

    atomic_fetch_add(&generation->references, 1);
    pthread_mutex_unlock(&serve->lock);
    return generation;
}

void
generation_unref(struct generation *generation)
{
    if (generation != NULL && atomic_fetch_sub(&generation->references, 1) == 1) {
        config_unref(generation->node.config);
        mem_free(generation);
    }
}

/* ---- requests ---- */

/* A request on its way: what net/ gave, until the transaction replies. */
struct asked {
    struct net_request *request;
    struct generation *generation; /* a reference: the transaction's node */
};

static void
reply(void *arg, struct inbound_answer *answer)
{
    struct asked *asked = arg;

    if (err_class(answer->cause) == ERR_CLASS_SECURITY) {
        net_count_failure(asked->request);
    }
    net_answer(asked->request, answer->http_status, answer->content_type, &answer->body);
    generation_unref(asked->generation);
    mem_free(asked);
}

static void
answer_text(struct net_request *request, int status, const char *text)
{
    struct diag diag = {0};
    struct body body;
    struct buf content;

    buf_init(&content, 256);
    body_init(&body);
    if (is_ok(buf_append_cstr(&content, text, &diag))) {
        body_from_buf(&body, &content);
    }
    net_answer(request, status, "text/plain; charset=UTF-8", &body);
}

static void
watch(void *arg, void (*on_gone)(void *arg), void *gone_arg)
{
    net_watch(((struct asked *)arg)->request, on_gone, gone_arg);
}

static void
start_transaction(struct serve *serve, struct net_request *request)
{
    const bool is_local = request->listener == NET_LOCAL;
    const struct inbound_request in = {
        .path = span_of_cstr(request->path),
        .content_type = span_of_cstr(request->content_type),
        .peer_address = span_of_cstr(request->peer_address),
        .peer = request->peer,
        .body = &request->body,
        .watch = is_local ? watch : NULL,
    };
    struct asked *asked = mem_alloc(sizeof(*asked));
    struct diag diag = {0};
    struct status st;

    if (asked == NULL) {
        answer_text(request, 503, "out of resources\n");
        return;
    }
    *asked = (struct asked){request, generation_current(serve)};
    st = (is_local ? local_start : inbound_start)(&asked->generation->node, &in, reply, asked,
                                                  &diag);
    if (!is_ok(st)) {
        LOG_EVENT(LOG_LEVEL_ERROR, "request-dropped", LOG_DIAG(&diag));
        answer_text(request, 503, "out of resources\n");
        generation_unref(asked->generation);
        mem_free(asked);
    }
}

static void
take_request(void *arg, struct net_request *request)
{
    struct serve *serve = arg;

    if (request->listener == NET_ADMIN) {
        serve_admin(serve, request);
        return;
    }
    if (request->method != HTTP1_POST) {
        answer_text(request, 405, "POST is required\n");
        return;
    }
    if (!journal_takes_work(serve->journal)) {
        answer_text(request, err_http_status(ERR_JOURNAL), "audit is not available\n");
        return;
    }
    start_transaction(serve, request);
}

/* A partner, a local system, or nobody: whose requests the transaction refuses with a record of it.
 * One certificate is never both: config_claim. */
static bool
identify(void *arg, const struct certificate *peer, char ret_identity[NET_IDENTITY_MAX])
{
    struct generation *generation = generation_current(arg);
    const struct config *config = generation->node.config;
    const struct partner *partner = NULL;
    const struct config_system *system = NULL;
    struct diag diag = {0};
    const char *label = NULL;

    if (is_ok(config_partner_of_peer(config, peer, &diag, &partner))) {
        label = partner->id;
    } else if (is_ok(config_system_of_peer(config, peer, &diag, &system))) {
        label = system->name;
    }
    snprintf(ret_identity, NET_IDENTITY_MAX, "%s", label == NULL ? peer->sha256 : label);
    generation_unref(generation);
    return label != NULL;
}

static int64_t
lag_us(void *arg)
{
    return runner_lag_us(((struct serve *)arg)->runner);
}

void
serve_net_options(struct serve *serve, const struct config *config, struct net_options *ret_options)
{
    net_options_default(ret_options, config);
    ret_options->clock = clock_system();
    ret_options->handler = take_request;
    ret_options->handler_arg = serve;
    ret_options->spool = serve->spool;
    ret_options->on_refused = refusals_note;
    ret_options->identify = identify;
    ret_options->on_doubt = refusals_note_doubt;
    ret_options->lag_us = lag_us;
    ret_options->inherited = serve->service.inherited;
    ret_options->inherited_n = serve->service.inherited_n;
    ret_options->status = serve_status_source(serve, config);
}

/* ---- start and stop ---- */

struct status
serve_record_life(struct serve *serve, enum audit_type type, enum audit_outcome outcome,
                  const char *text, struct diag *diag)
{
    const struct config *config = serve->generation->node.config;
    const struct audit_event event = {
        .type = type,
        .side = AUDIT_RESPONDING,
        .phase = AUDIT_OUTCOME,
        .outcome = outcome,
        .outcome_text = span_of_cstr(text),
        .source_id = config->base_url == NULL ? SPAN_EMPTY : span_of_cstr(config->base_url),
        .community = span_of_cstr(config->community),
    };

    return journal_append_wait(serve->journal, &event, diag);
}

static unsigned workers_wanted; /* 0: one a core */

static unsigned
worker_count(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (workers_wanted > 0) {
        return workers_wanted;
    }
    return cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (unsigned)cores;
}

static bool
take_workers(void)
{
    uint64_t n = 0;

    if (workers_text == NULL) {
        return true;
    }
    if (!span_to_u64(span_of_cstr(workers_text), WORKERS_MAX, &n) || n == 0) {
        cli_complain(&command, "--workers %s: expected a number from 1 to %d", workers_text,
                     WORKERS_MAX);
        return false;
    }
    workers_wanted = (unsigned)n;
    return true;
}

/* What came before and is not remembered must not be accepted: see store/replay.h. */
static struct status
start_replay(struct serve *serve, struct diag *diag)
{
    char boot_id[REPLAY_BOOT_ID_MAX];
    bool is_lossy = false;

    TRY(replay_start(serve->store, replay_boot_id(boot_id) ? boot_id : NULL, diag, &is_lossy));
    serve->is_replay_started = true;
    if (is_lossy) {
        LOG_EVENT(LOG_LEVEL_WARNING, "replay-lossy",
                  LOG_ID("why",
                         "the machine stopped without warning, or files of the replay memory "
                         "are damaged or missing: messages created before this start are "
                         "refused"));
    }
    return OK;
}

/* A place that nobody chose may be unfit: then the node says so and does without. */
static struct status
start_spool(struct serve *serve, const struct config *config, struct diag *diag)
{
    struct diag why = {0};
    const struct status st = config_open_spool(config, &why, &serve->spool);

    if (is_ok(st)) {
        return OK;
    }
    if (!config->spool.is_default) {
        return FAIL(diag, st.code, "%s", why.text);
    }
    LOG_EVENT(LOG_LEVEL_WARNING, "no-spool", LOG_DIAG(&why),
              LOG_ID("then", "large messages stay in memory; set spool.path"));
    return OK;
}

static struct status
start(struct serve *serve, const struct config *config, struct diag *diag)
{
    const struct store_options store = {
        .path = config->store_path,
        .community = config->community,
        .patient_authority = config->patient_authority,
        .repository = config->repository,
        .clock = clock_system(),
    };
    struct net_options net;

    serve->started_us = clock_wall_us(clock_system());
    serve->loaded_us = serve->started_us;
    TRY(soap_library_init(diag));
    TRY(store_open(&store, diag, &serve->store));
    TRY(start_spool(serve, config, diag));
    TRY(start_replay(serve, diag));
    TRY(serve_later_start(serve, diag));
    TRY(serve_open_journal(serve, config, diag));
    TRY(runner_new(clock_system(), worker_count(), diag, &serve->runner));
    journal_sink_init(&serve->sink, serve->journal);
    TRY(refusals_init(serve, diag));
    TRY(out_start(config, clock_system(), diag, &serve->out));
    TRY(generation_new(serve, config, diag, &serve->generation));
    TRY(serve_seal_start(serve, diag));
    TRY(serve_record_life(serve, AUDIT_NODE_START, AUDIT_SUCCESS, "", diag));
    serve->is_start_recorded = true;
    TRY(serve_ship_start(serve, config, diag));
    TRY(serve_status_configure(serve, config, diag));
    serve_net_options(serve, config, &net);
    TRY(net_start(&net, diag, &serve->server));
    atomic_store(&serve->is_started, true);
    return OK;
}

/* A quarter of a short drain is for answers, too. */
static int64_t
cut_off_us(int64_t deadline_us)
{
    const int64_t quarter_us = (deadline_us - clock_mono_us(clock_system())) / 4;

    return deadline_us - (quarter_us < ANSWER_US ? quarter_us : ANSWER_US);
}

static void
stop(struct serve *serve, const struct config *config)
{
    const struct generation *last = serve->generation;
    const int64_t deadline_us = serve_drain_begin(serve, last == NULL ? config : last->node.config);
    struct diag diag = {0};

    outbox_close(&serve->outbox);
    if (serve->runner != NULL) {
        /* Who still waits for partners then gets what has come, while it can be sent. */
        runner_end_at(serve->runner, cut_off_us(deadline_us));
    }
    if (serve->server != NULL) {
        net_stop(serve->server, deadline_us);
    }
    if (serve->runner != NULL && !serve_drain_runner(serve, deadline_us)) {
        LOG_EVENT(LOG_LEVEL_WARNING, "drain-incomplete",
                  LOG_INT("transactions", (int64_t)runner_active(serve->runner)));
        /* Their peers have gone, but store and journal still owe them wakes: what those would wake
         * must be there. Both always answer; a disk that does not would hold up the journal's end,
         * too. */
        (void)runner_drain(serve->runner, INT64_MAX);
    }
    serve_drain_settled(serve);
    if (serve->is_start_recorded &&
        !is_ok(serve_record_life(serve, AUDIT_NODE_STOP, AUDIT_SUCCESS, "", &diag))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-failed", LOG_DIAG(&diag));
    }
    if (serve->is_replay_started && !is_ok(replay_stop(serve->store, &diag))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "replay-not-stopped", LOG_DIAG(&diag));
    }
    net_free(serve->server);
    serve_status_done(serve);
    runner_free(serve->runner);
    serve_later_done(serve);
    out_stop(serve->out); /* nobody asks any more */
    serve_seal_stop(serve);
    serve_ship_end(serve); /* the last checkpoint leaves, too */
    journal_close(serve->journal);
    config_unref(serve->journal_config);
    store_close(serve->store);
    spool_unref(serve->spool);
    generation_unref(serve->generation);
    refusals_done(serve);
    soap_library_done();
    serve_drain_end(serve);
}

int
cmd_serve(int argc, char **argv)
{
    struct serve serve = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const struct config *config;
    struct diag diag = {0};
    int exit_code;

    if (!cli_parse_options(&command, argc, argv, &exit_code)) {
        return exit_code;
    }
    if (!take_workers()) {
        return CLI_USAGE;
    }
    config = cli_config_online(&command, config_path);
    if (config == NULL) {
        return CLI_FAILED;
    }
    serve.config_path = config_path;
    serve_later_init(&serve);
    log_configure(config->log_level, config->log_format, 2);
    serve_block_signals(&serve); /* before any thread starts, so that only this one gets them */
    serve_check_descriptors(config);
    exit_code = CLI_FAILED;
    if (is_ok(service_open(&serve.service, &diag)) && is_ok(start(&serve, config, &diag))) {
        LOG_EVENT(LOG_LEVEL_INFO, "node-ready", LOG_ID("community", config->community),
                  LOG_ID("network", config->network.address.text),
                  LOG_INT("port", net_port(serve.server, NET_NETWORK)),
                  LOG_INT("pid", (int64_t)getpid()));
        serve_look_after(&serve);
        serve_tell_status(&serve, "READY=1");
        LOG_EVENT(LOG_LEVEL_INFO, "node-stopping", LOG_INT("signal", serve_run(&serve)));
        exit_code = CLI_DONE;
    } else {
        cli_error(&command, &diag);
    }
    stop(&serve, config);
    service_close(&serve.service);
    config_unref(config);
    crl_held_clear();
    return exit_code;
}
