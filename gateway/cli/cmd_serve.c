/*
 * isthmus serve: the node in the foreground. Puts the parts together (store, journal, runner,
 * network), turns requests into transactions, and on SIGTERM or SIGINT drains. The main thread only
 * waits for signals.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "net/server.h"
#include "store/replay.h"
#include "txn/inbound.h"

#define DRAIN_US (10 * US_PER_S)

struct serve {
    const struct config *config;
    struct store *store;
    struct journal *journal;
    struct journal_sink sink;
    struct runner *runner;
    struct net_server *server;
    struct node node;
    bool is_start_recorded; /* then the stop is, too */
    bool is_replay_started; /* then stopped, too */
};

static const char *config_path;
static const struct cli_option rows[] = {
    {"c", "FILE", "the node's configuration", &config_path, NULL, NULL}};

static const struct cli_command command = {
    .name = "serve",
    .usage = "-c FILE",
    .text = "Answers partners (ITI-55, ITI-38, ITI-39) on the network listener until SIGTERM or\n"
            "SIGINT, then finishes what is in flight and stops. Logs to standard error. An answer\n"
            "leaves only when its audit record is durable.\n"
            "Exit codes: 0 stopped by a signal, 1 could not start, 2 usage.",
    .options = rows,
    .options_n = ARRAY_LEN(rows),
};

/* ---- requests ---- */

/* A request on its way: what net/ gave, until the transaction replies. */
static void
reply(void *arg, struct inbound_answer *answer)
{
    struct net_request *request = arg;

    net_answer(request, answer->http_status, answer->content_type, &answer->body);
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

/* Live: this process answers. Ready: it may take work, which it may not when the journal has
 * failed. */
static void
answer_admin(struct serve *serve, struct net_request *request)
{
    if (strcmp(request->path, "/livez") == 0) {
        answer_text(request, 200, "ok\n");
    } else if (strcmp(request->path, "/readyz") != 0) {
        answer_text(request, 404, "this listener serves /livez and /readyz\n");
    } else if (!journal_is_healthy(serve->journal)) {
        answer_text(request, 503, "journal: failed; the node refuses work (see the log)\n");
    } else {
        answer_text(request, 200, "ok\n");
    }
}

static void
take_request(void *arg, struct net_request *request)
{
    struct serve *serve = arg;
    struct diag diag = {0};
    const struct inbound_request in = {
        .path = span_of_cstr(request->path),
        .content_type = span_of_cstr(request->content_type),
        .peer_address = span_of_cstr(request->peer_address),
        .peer = request->peer,
        .body = &request->body,
    };

    if (request->listener == NET_ADMIN) {
        answer_admin(serve, request);
        return;
    }
    if (request->listener == NET_LOCAL) {
        answer_text(request, 404, "this version serves partners only\n");
        return;
    }
    if (request->method != HTTP1_POST) {
        answer_text(request, 405, "POST is required\n");
        return;
    }
    if (!is_ok(inbound_start(&serve->node, &in, reply, request, &diag))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "request-dropped", LOG_DIAG(&diag));
        answer_text(request, 503, "out of resources\n");
    }
}

/* ---- refused before a transaction: TLS and HTTP ---- */

struct refusal {
    struct park park; /* first member */
    struct journal_ticket ticket;
};

static void
free_refusal(struct park *park)
{
    mem_free((struct refusal *)park);
}

/* The record of a refused connection holds nobody up: nothing was disclosed. */
static void
record_refusal(struct serve *serve, const char *peer_address, const struct diag *why)
{
    struct refusal *refusal = mem_alloc(sizeof(*refusal));
    struct diag diag = {0};
    const struct audit_event event = {
        .type = AUDIT_AUTHENTICATION_FAILURE,
        .side = AUDIT_RESPONDING,
        .phase = AUDIT_OUTCOME,
        .outcome = AUDIT_SERIOUS,
        .outcome_text = span_of_cstr(why->text),
        .source_address = span_of_cstr(peer_address),
        .destination_id = span_of_cstr(serve->config->base_url),
    };

    if (refusal == NULL) {
        return;
    }
    refusal->park.wake = free_refusal;
    if (!is_ok(journal_append(serve->journal, &event, &refusal->park, &diag, &refusal->ticket))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-failed", LOG_DIAG(&diag));
        mem_free(refusal);
    }
}

static void
note_refused(void *arg, const char *peer_address, const struct diag *why)
{
    struct serve *serve = arg;

    LOG_EVENT(LOG_LEVEL_WARNING, "connection-refused", LOG_ID("peer", peer_address), LOG_DIAG(why));
    if (err_class(why->code) == ERR_CLASS_SECURITY) {
        record_refusal(serve, peer_address, why);
    }
}

/* ---- start and stop ---- */

static struct status
record_life(struct serve *serve, enum audit_type type, struct diag *diag)
{
    const struct audit_event event = {
        .type = type,
        .side = AUDIT_RESPONDING,
        .phase = AUDIT_OUTCOME,
        .outcome = AUDIT_SUCCESS,
        .source_id = span_of_cstr(serve->config->base_url),
        .community = span_of_cstr(serve->config->community),
    };

    return journal_append_wait(serve->journal, &event, diag);
}

static unsigned
worker_count(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return cores < 1 ? 1 : cores > 32 ? 32 : (unsigned)cores;
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
                  LOG_ID("why", "the machine stopped without warning: messages created before this "
                                "start are refused"));
    }
    return OK;
}

static struct status
start(struct serve *serve, struct diag *diag)
{
    const struct store_options store = {
        .path = serve->config->store_path,
        .community = serve->config->community,
        .patient_authority = serve->config->patient_authority,
        .repository = serve->config->repository,
        .clock = clock_system(),
    };
    struct net_options net;

    TRY(soap_library_init(diag));
    TRY(store_open(&store, diag, &serve->store));
    TRY(start_replay(serve, diag));
    TRY(journal_open(serve->config->journal_dir, "node", clock_system(), diag, &serve->journal));
    TRY(runner_new(clock_system(), worker_count(), diag, &serve->runner));
    journal_sink_init(&serve->sink, serve->journal);
    serve->node = (struct node){.config = serve->config,
                                .clock = clock_system(),
                                .store = serve->store,
                                .audit = &serve->sink.sink,
                                .runner = serve->runner};
    TRY(record_life(serve, AUDIT_NODE_START, diag));
    serve->is_start_recorded = true;
    net_options_default(&net, serve->config);
    net.clock = clock_system();
    net.handler = take_request;
    net.handler_arg = serve;
    net.on_refused = note_refused;
    return net_start(&net, diag, &serve->server);
}

static void
stop(struct serve *serve)
{
    const int64_t deadline_us = clock_mono_us(clock_system()) + DRAIN_US;
    struct diag diag = {0};

    if (serve->server != NULL) {
        net_stop(serve->server, deadline_us);
    }
    if (serve->runner != NULL && !runner_drain(serve->runner, deadline_us)) {
        LOG_EVENT(LOG_LEVEL_WARNING, "drain-incomplete",
                  LOG_INT("transactions", (int64_t)runner_active(serve->runner)));
        /* Their peers have gone, but store and journal still owe them wakes: what those would wake
         * must be there. Both always answer; a disk that does not would hold up the journal's end,
         * too. */
        (void)runner_drain(serve->runner, INT64_MAX);
    }
    if (serve->is_start_recorded && !is_ok(record_life(serve, AUDIT_NODE_STOP, &diag))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-failed", LOG_DIAG(&diag));
    }
    if (serve->is_replay_started && !is_ok(replay_stop(serve->store, &diag))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "replay-not-stopped", LOG_DIAG(&diag));
    }
    net_free(serve->server);
    runner_free(serve->runner);
    journal_close(serve->journal);
    store_close(serve->store);
    config_unref(serve->config);
    soap_library_done();
}

static int
wait_for_signal(const sigset_t *signals)
{
    int signal_number = 0;

    while (sigwait(signals, &signal_number) != 0) {
    }
    return signal_number;
}

int
cmd_serve(int argc, char **argv)
{
    struct serve serve = {0};
    struct diag diag = {0};
    sigset_t signals;
    int exit_code;

    if (!cli_parse_options(&command, argc, argv, &exit_code)) {
        return exit_code;
    }
    serve.config = cli_config(&command, config_path);
    if (serve.config == NULL) {
        return CLI_FAILED;
    }
    log_configure(serve.config->log_level, serve.config->log_format, 2);
    /* Blocked before any thread starts, so that only sigwait sees them. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    exit_code = CLI_FAILED;
    if (is_ok(start(&serve, &diag))) {
        LOG_EVENT(LOG_LEVEL_INFO, "node-ready", LOG_ID("community", serve.config->community),
                  LOG_ID("network", serve.config->network.address.text),
                  LOG_INT("port", net_port(serve.server, NET_NETWORK)),
                  LOG_INT("pid", (int64_t)getpid()));
        LOG_EVENT(LOG_LEVEL_INFO, "node-stopping", LOG_INT("signal", wait_for_signal(&signals)));
        exit_code = CLI_DONE;
    } else {
        cli_error(&command, &diag);
    }
    stop(&serve);
    return exit_code;
}
