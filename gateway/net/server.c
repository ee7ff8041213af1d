/*
 * net_start, net_stop and net_free: puts listeners and loops together and takes them apart again.
 * Called by the program's entry (one thread); the parts then live on their own threads.
 */
#include "net/server.h"

#include <assert.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "net/parts.h"

#define CONNECTIONS_MAX 10000

/* Half of the descriptors: the rest is for partners, the store and the journal. */
static size_t
connections_that_fit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / 2 >= CONNECTIONS_MAX) {
        return CONNECTIONS_MAX;
    }
    return limit.rlim_cur < 2 ? 1 : (size_t)limit.rlim_cur / 2;
}

void
net_options_default(struct net_options *options, const struct config *config)
{
    *options = (struct net_options){
        .config = config,
        .clock = clock_system(),
        .loop_threads = 2,
        .head_limit = (size_t)16 * 1024,
        .handshake_timeout_us = 10 * US_PER_S,
        .head_timeout_us = 10 * US_PER_S,
        .idle_timeout_us = 60 * US_PER_S,
        .body_stall_us = 10 * US_PER_S,
        .connections_max = connections_that_fit(),
    };
}

static void
free_parts(struct net_server *server)
{
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        listener_done(&server->listeners[i]);
    }
    for (size_t i = 0; i < server->loops_n; i++) {
        loop_done(&server->loops[i]);
    }
    mem_free(server->loops);
    mem_free(server);
}

static struct status
open_listeners(struct net_server *server, const struct config *config, struct diag *diag)
{
    const struct config_listener *const configured[NET_LISTENERS] = {[NET_NETWORK] =
                                                                         &config->network,
                                                                     [NET_LOCAL] = &config->local,
                                                                     [NET_ADMIN] = &config->admin};
    size_t n = 0;
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        if (configured[i]->is_set) {
            TRY(listener_open(&server->listeners[i], configured[i], diag));
            n++;
        }
    }
    if (n == 0) {
        return FAIL(diag, ERR_CONFIG, "no listener is configured: expected at least one");
    }
    return OK;
}

static struct status
make_loops(struct net_server *server, struct diag *diag)
{
    const size_t n = server->options.loop_threads < 1 ? 1 : (size_t)server->options.loop_threads;
    server->loops = mem_alloc(n * sizeof(*server->loops));
    if (server->loops == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for %zu network loops", n);
    }
    server->loops_n = n;
    for (size_t i = 0; i < n; i++) {
        TRY(loop_init(&server->loops[i], server, diag));
    }
    return OK;
}

static struct status
start_parts(struct net_server *server, const struct config *config, struct diag *diag)
{
    TRY(make_loops(server, diag));
    TRY(open_listeners(server, config, diag));
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        if (server->listeners[i].fd >= 0) {
            TRY(listener_start(&server->listeners[i], server->loops[0].base, diag));
        }
    }
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
    server->options = *options;
    server->options.config = NULL;
    server->body_limit = options->config->body_limit;
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        server->listeners[i] =
            (struct listener){.server = server, .kind = (enum net_listener)i, .fd = -1};
    }
    const struct status st = start_parts(server, options->config, diag);
    if (!is_ok(st)) {
        net_free(server);
        return st;
    }
    *ret_server = server;
    return OK;
}

uint16_t
net_port(const struct net_server *server, enum net_listener listener)
{
    return server->listeners[listener].port;
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
net_free(struct net_server *server)
{
    if (server != NULL) {
        net_stop(server, clock_mono_us(server->options.clock));
        free_parts(server);
    }
}
