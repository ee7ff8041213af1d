/*
 * net_start, net_stop and net_free: puts listeners and loops together and takes them apart again.
 * Called by the program's entry (one thread); the parts then live on their own threads.
 */
#include "net/server.h"

#include <assert.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/machine.h"
#include "base/mem.h"
#include "net/connection.h"

#define FAILURE_KEYS_MAX 4096
#define LOOPS_MAX        8

/* Half of the descriptors: the rest is for partners, the store and the journal. */
static size_t
connections_that_fit(size_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / 2 >= wanted) {
        return wanted;
    }
    return limit.rlim_cur < 2 ? 1 : (size_t)limit.rlim_cur / 2;
}

/* The status of a client's certificate is asked at the handshake only: then no connection may be
 * older than an answer may be. */
static int64_t
connection_life_us(const struct config *config)
{
    const struct config_trust *trust = config_trust_of(config, config->network.trust);
    const bool is_asked = trust != NULL && trust->status.mode != STATUS_OFF;

    return is_asked && trust->status.cache_us < config->edge.connection_us
               ? trust->status.cache_us
               : config->edge.connection_us;
}

/* A loop's work is small beside that of a worker: one a core, and never many. */
static int
loops_that_pay(void)
{
    const unsigned cores = machine_cores();
    return cores < LOOPS_MAX ? (int)cores : LOOPS_MAX;
}

void
net_options_default(struct net_options *options, const struct config *config)
{
    *options = (struct net_options){
        .config = config,
        .clock = clock_system(),
        .loop_threads = loops_that_pay(),
        .head_limit = (size_t)16 * 1024,
        .handshake_timeout_us = config->edge.handshake_us,
        .status_timeout_us = config->edge.status_us,
        .head_timeout_us = config->edge.head_us,
        .idle_timeout_us = config->edge.idle_us,
        .body_stall_us = 10 * US_PER_S,
        .rate_bytes = config->edge.rate_bytes,
        .request_timeout_us = config->edge.request_us,
        .answer_timeout_us = config->edge.answer_us,
        .connection_timeout_us = connection_life_us(config),
        .connections_max = connections_that_fit(config->edge.connections),
        .connections_per_address = config->edge.connections_per_address,
        .connections_per_identity = config->edge.connections_per_partner,
        .requests_per_identity = config->edge.requests_per_partner,
        .failures_per_minute = config->edge.failures_per_minute,
        .requests_max = config->edge.requests,
        .held_bytes_max = config->edge.held_bytes,
        .lag_max_us = config->edge.queue_us,
    };
}

static void
free_parts(struct net_server *server)
{
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        listener_free(server->listeners[i]);
    }
    for (size_t i = 0; i < server->loops_n; i++) {
        loop_done(&server->loops[i]);
    }
    terms_unref(server->terms);
    quota_free(server->addresses);
    quota_free(server->identities);
    quota_free(server->in_flight);
    rate_free(server->failures);
    mem_free(server->loops);
    mem_free(server);
}

static struct status
make_loops(struct net_server *server, struct diag *diag)
{
    const int wanted = server->terms->options.loop_threads;
    const size_t n = wanted < 1 ? 1 : (size_t)wanted;
    server->loops = mem_alloc(n * sizeof(*server->loops));
    if (server->loops == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for %zu network loops", n);
    }
    server->loops_n = n;
    for (size_t i = 0; i < n; i++) {
        TRY(loop_init(&server->loops[i], server, diag));
        loop_take_terms(&server->loops[i], terms_ref(server->terms));
    }
    return OK;
}

static struct status
make_counters(struct net_server *server, const struct net_options *options, struct diag *diag)
{
    TRY(quota_new(diag, &server->addresses));
    TRY(quota_new(diag, &server->identities));
    TRY(quota_new(diag, &server->in_flight));
    return rate_new(options->failures_per_minute,
                    60 * US_PER_S / (int64_t)options->failures_per_minute, FAILURE_KEYS_MAX, diag,
                    &server->failures);
}

static struct status
start_parts(struct net_server *server, const struct net_options *options, struct diag *diag)
{
    struct listener_change change = {{NULL}};
    TRY(make_counters(server, options, diag));
    TRY(terms_new(options, 1, diag, &server->terms));
    TRY(make_loops(server, diag));
    TRY(listeners_prepare(server, options, diag, &change));
    listeners_commit(server, &change);
    /* the first one last: it accepts, and gives connections to the others */
    for (size_t i = server->loops_n; i > 0; i--) {
        TRY(loop_start(&server->loops[i - 1], diag));
    }
    return OK;
}

/* What goes wrong in libevent comes back as results; its own words would go to standard error. */
static void
discard_message(int severity, const char *message)
{
    (void)severity;
    (void)message;
}

struct status
net_start(const struct net_options *options, struct diag *diag, struct net_server **ret_server)
{
    assert(options->handler != NULL && options->connections_max > 0 && options->head_limit > 0);
    struct net_server *server = mem_alloc(sizeof(*server));
    if (server == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the network server");
    }
    /* A peer that has gone is an error of that write, not the end of the program. */
    (void)signal(SIGPIPE, SIG_IGN);
    event_set_log_callback(discard_message);
    server->clock = options->clock;
    const struct status st = start_parts(server, options, diag);
    if (!is_ok(st)) {
        net_free(server);
        return st;
    }
    *ret_server = server;
    return OK;
}

void
net_count_failure(const struct net_request *request)
{
    struct net_server *server = ((const struct exchange *)request)->server;
    if (request->identity[0] != '\0') {
        (void)rate_spend(server->failures, request->identity, clock_mono_us(server->clock), NULL);
    }
}

void
net_count(const struct net_server *server, struct net_counts *ret_counts)
{
    *ret_counts = (struct net_counts){
        .connections = atomic_load(&server->connections_n),
        .requests = atomic_load(&server->load.requests),
        .held_bytes = atomic_load(&server->load.held_bytes),
        .requests_total = atomic_load(&server->requests_n),
    };
    for (size_t i = 0; i < NET_SHED_REASONS; i++) {
        ret_counts->shed[i] = atomic_load(&server->load.shed[i]);
    }
}

int64_t
net_silence_us(struct net_server *server)
{
    int64_t longest_us = 0;
    for (size_t i = 0; i < server->loops_n; i++) {
        const int64_t us = loop_silence_us(&server->loops[i]);
        longest_us = us > longest_us ? us : longest_us;
    }
    return longest_us;
}

uint16_t
net_port(const struct net_server *server, enum net_listener listener)
{
    return server->ports[listener];
}

void
net_stop(struct net_server *server, int64_t deadline_us)
{
    if (server->is_stopped) {
        return;
    }
    server->is_stopped = true;
    for (size_t i = 0; i < server->loops_n; i++) {
        loop_stop(&server->loops[i], deadline_us);
    }
    for (size_t i = 0; i < server->loops_n; i++) {
        loop_join(&server->loops[i]);
    }
}

void
net_hurry(struct net_server *server)
{
    if (atomic_exchange(&server->is_hurried, true)) {
        return;
    }
    for (size_t i = 0; i < server->loops_n; i++) {
        loop_hurry(&server->loops[i]);
    }
}

void
net_free(struct net_server *server)
{
    if (server != NULL) {
        net_stop(server, clock_mono_us(server->clock));
        free_parts(server);
    }
}
