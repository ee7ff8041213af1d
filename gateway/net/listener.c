/*
 * Listening sockets: numeric IPv4 and IPv6 addresses and unix: paths. Opened and closed by
 * server.c; accepts on the first loop's thread and hands each connection to a loop in turn. A
 * single accepting socket, not SO_REUSEPORT: with that a second gateway started by mistake would
 * silently share the port.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/parts.h"

#define BACKLOG        1024
#define ACCEPTS_A_WAKE 64 /* then the other events of the loop have their turn */
#define RESTART_US     (100 * US_PER_MS)
#define UNIX_PREFIX    "unix:"
#define ADMIN_SPARE    16 /* connections above the limit: who looks at a full node must get in */

/* A new connection on its way to its loop. */
struct arrival {
    struct letter letter; /* first member */
    struct loop *loop;
    enum net_listener kind;
    int fd;
    char peer_address[PEER_ADDRESS_MAX];
};

const char *const net_listener_names[NET_LISTENERS] = {
    [NET_NETWORK] = "network", [NET_LOCAL] = "local", [NET_ADMIN] = "admin"};

/* ---- opening ---- */

static bool
is_loopback(const union socket_address *address)
{
    if (address->any.sa_family == AF_INET) {
        return ntohl(address->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    if (address->any.sa_family == AF_INET6) {
        return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
    }
    return true; /* unix */
}

static struct status
read_unix_path(const char *path, const char *text, struct diag *diag,
               union socket_address *ret_address, socklen_t *ret_n)
{
    const size_t n = strlen(path);
    union socket_address address = {.local = {.sun_family = AF_UNIX}};
    if (n == 0 || n >= sizeof(address.local.sun_path)) {
        return FAIL(diag, ERR_CONFIG, "%s: expected a path of 1 to %zu bytes, got %zu", text,
                    sizeof(address.local.sun_path) - 1, n);
    }
    memcpy(address.local.sun_path, path, n + 1);
    *ret_address = address;
    *ret_n = (socklen_t)sizeof(address.local);
    return OK;
}

struct status
socket_address_read(const struct config_address *config, struct diag *diag,
                    union socket_address *ret_address, socklen_t *ret_n)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found = NULL;
    char port[8];
    if (span_starts_with(span_of_cstr(config->host), SPAN(UNIX_PREFIX))) {
        return read_unix_path(config->host + sizeof(UNIX_PREFIX) - 1, config->text, diag,
                              ret_address, ret_n);
    }
    (void)snprintf(port, sizeof(port), "%" PRIu16, config->port);
    const int error = getaddrinfo(config->host, port, &hints, &found);
    if (error != 0) {
        return FAIL(diag, ERR_CONFIG, "%s: expected a numeric address or unix:/path, got '%s'",
                    config->text, config->host);
    }
    assert(found->ai_addrlen <= sizeof(*ret_address));
    memcpy(ret_address, found->ai_addr, found->ai_addrlen);
    *ret_n = found->ai_addrlen;
    freeaddrinfo(found);
    return OK;
}

/* A socket file that nobody listens on is a leftover of a gateway that was killed. */
static void
remove_leftover(const union socket_address *address, socklen_t n)
{
    struct stat info;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, &address->any, n) != 0 && errno == ECONNREFUSED &&
        lstat(address->local.sun_path, &info) == 0 && S_ISSOCK(info.st_mode)) {
        (void)unlink(address->local.sun_path);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

/* The operator's user alone may connect: on Linux the mode of the socket becomes the file's. */
static int
prepare_socket(int fd, const union socket_address *address, socklen_t n)
{
    const int on = 1, off = 0;
    if (address->any.sa_family == AF_UNIX) {
        remove_leftover(address, n);
        return fchmod(fd, S_IRUSR | S_IWUSR);
    }
    if (address->any.sa_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0) {
        return -1;
    }
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
}

static struct status
bind_socket(struct listener *listener, const union socket_address *address, socklen_t n,
            struct diag *diag)
{
    const int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return FAIL(diag, ERR_IO, "no socket for %s: %s", listener->address,
                    strerrordesc_np(errno));
    }
    listener->fd = fd;
    if (prepare_socket(fd, address, n) != 0 || bind(fd, &address->any, n) != 0 ||
        listen(fd, BACKLOG) != 0) {
        return FAIL(diag, ERR_IO, "cannot listen on %s: %s", listener->address,
                    strerrordesc_np(errno));
    }
    if (address->any.sa_family == AF_UNIX) {
        listener->unix_path = mem_strdup(address->local.sun_path);
        if (listener->unix_path == NULL) {
            (void)unlink(address->local.sun_path);
            return FAIL(diag, ERR_NO_MEMORY, "no memory for %s", listener->address);
        }
    }
    return OK;
}

/* A descriptor of our own for a socket that listens already. */
static struct status
take_socket(struct listener *listener, int fd, struct diag *diag)
{
    listener->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (listener->fd < 0 || fcntl(listener->fd, F_SETFL, O_NONBLOCK) != 0) {
        return FAIL(diag, ERR_IO, "cannot take the socket of %s: %s", listener->address,
                    strerrordesc_np(errno));
    }
    return OK;
}

static struct status
learn_port(struct listener *listener, struct diag *diag)
{
    union socket_address bound = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t n = sizeof(bound);
    if (getsockname(listener->fd, &bound.any, &n) != 0) {
        return FAIL(diag, ERR_IO, "%s: %s", listener->address, strerrordesc_np(errno));
    }
    if (bound.any.sa_family == AF_INET) {
        listener->port = ntohs(bound.v4.sin_port);
    } else if (bound.any.sa_family == AF_INET6) {
        listener->port = ntohs(bound.v6.sin6_port);
    }
    return OK;
}

struct status
listener_check(const struct config_listener *config, struct diag *diag)
{
    union socket_address address;
    socklen_t n = 0;
    TRY(socket_address_read(&config->address, diag, &address, &n));
    if (config->credential == NULL && !is_loopback(&address)) {
        return FAIL(diag, ERR_CONFIG,
                    "%s: expected TLS, or a loopback or unix: address; others could reach it",
                    config->address.text);
    }
    if (config->credential != NULL && config->trust == NULL) {
        return FAIL(diag, ERR_CONFIG, "%s: expected a trust store for client certificates",
                    config->address.text);
    }
    return OK;
}

static struct status
get_socket(struct listener *listener, const struct net_options *options,
           const struct config_address *config, struct listener *from, struct diag *diag)
{
    union socket_address address;
    socklen_t n = 0;
    const int inherited = inherited_find(options, listener->kind);
    TRY(socket_address_read(config, diag, &address, &n));
    if (inherited >= 0) {
        TRY(take_socket(listener, inherited, diag));
    } else if (from != NULL) {
        TRY(take_socket(listener, from->fd, diag));
    } else {
        TRY(bind_socket(listener, &address, n, diag));
    }
    return learn_port(listener, diag);
}

static void on_accept(evutil_socket_t fd, short what, void *arg);
static void on_restart(evutil_socket_t fd, short what, void *arg);

static struct status
make_events(struct listener *listener, struct diag *diag)
{
    struct event_base *base = listener->server->loops[0].base;
    listener->event = event_new(base, listener->fd, EV_READ | EV_PERSIST, on_accept, listener);
    listener->restart = evtimer_new(base, on_restart, listener);
    if (listener->event == NULL || listener->restart == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no events for a listener");
    }
    return OK;
}

struct status
listener_open(struct net_server *server, enum net_listener kind, const struct net_options *options,
              struct listener *from, struct diag *diag, struct listener **ret_listener)
{
    const struct config_listener *listeners[NET_LISTENERS];
    struct listener *listener = mem_alloc(sizeof(*listener));
    terms_listeners(options->config, listeners);
    const struct config_address *config = &listeners[kind]->address;
    if (listener == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a listener");
    }
    *listener = (struct listener){.server = server, .kind = kind, .fd = -1};
    (void)snprintf(listener->address, sizeof(listener->address), "%s", config->text);
    struct status st = get_socket(listener, options, config, from, diag);
    if (is_ok(st)) {
        st = make_events(listener, diag);
    }
    if (!is_ok(st)) {
        listener_free(listener);
        return st;
    }
    *ret_listener = listener;
    return OK;
}

/* ---- accepting ---- */

static bool
is_unix(const char *peer_address)
{
    return strcmp(peer_address, "unix") == 0;
}

void
listener_release(struct net_server *server, const char *peer_address)
{
    (void)atomic_fetch_sub(&server->connections_n, 1);
    if (!is_unix(peer_address)) {
        quota_give(server->addresses, peer_address);
    }
}

static void
deliver_arrival(struct letter *letter)
{
    struct arrival *arrival = (struct arrival *)letter;
    if (arrival->loop->is_stopping) {
        (void)close(arrival->fd);
        listener_release(arrival->loop->server, arrival->peer_address);
    } else {
        connection_open(arrival->loop, arrival->kind, arrival->fd, arrival->peer_address);
    }
    mem_free(arrival);
}

/* Without port; an IPv4 peer of an IPv6 socket as IPv4. */
static void
print_peer(const union socket_address *address, char ret_text[PEER_ADDRESS_MAX])
{
    static const char mapped[] = "::ffff:";
    char text[PEER_ADDRESS_MAX] = "unix";
    if (address->any.sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &address->v4.sin_addr, text, sizeof(text));
    } else if (address->any.sa_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &address->v6.sin6_addr, text, sizeof(text));
    }
    const bool is_mapped =
        address->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr);
    const size_t skip = is_mapped ? sizeof(mapped) - 1 : 0;
    memcpy(ret_text, text + skip, sizeof(text) - skip);
}

static void
refuse(const struct listener *listener, int fd, const char *peer_address, enum err code,
       const char *why)
{
    const struct net_options *options = &listener->server->loops[0].terms->options;
    struct diag diag;
    diag_clear(&diag);
    const struct status st = FAIL(&diag, code, "%s", why);
    (void)st;
    if (options->on_refused != NULL) {
        options->on_refused(options->handler_arg, peer_address, &diag);
    }
    (void)close(fd);
}

/* Counted for the server and its address; given back with listener_release. */
static bool
take_place(const struct listener *listener, int fd, const char *peer_address)
{
    struct net_server *server = listener->server;
    const struct net_options *options = &server->loops[0].terms->options;
    const size_t spare = listener->kind == NET_ADMIN ? ADMIN_SPARE : 0;
    if (atomic_fetch_add(&server->connections_n, 1) >= options->connections_max + spare) {
        refuse(listener, fd, peer_address, ERR_LIMIT_CONNECTIONS,
               "as many connections as are allowed are open already");
    } else if (!is_unix(peer_address) &&
               !quota_take(server->addresses, peer_address, options->connections_per_address)) {
        refuse(listener, fd, peer_address, ERR_LIMIT_CONNECTIONS,
               "as many connections as are allowed are open already from this address");
    } else {
        return true;
    }
    (void)atomic_fetch_sub(&server->connections_n, 1);
    return false;
}

static void
hand_over(struct listener *listener, int fd, const union socket_address *address)
{
    struct net_server *server = listener->server;
    struct loop *loop = &server->loops[server->next_loop++ % server->loops_n];
    char peer_address[PEER_ADDRESS_MAX];
    print_peer(address, peer_address);
    if (!take_place(listener, fd, peer_address)) {
        return;
    }
    struct arrival *arrival = mem_alloc(sizeof(*arrival));
    if (arrival == NULL) {
        refuse(listener, fd, peer_address, ERR_NO_MEMORY, "no memory for a connection");
        listener_release(server, peer_address);
        return;
    }
    *arrival = (struct arrival){{NULL, deliver_arrival}, loop, listener->kind, fd, ""};
    memcpy(arrival->peer_address, peer_address, sizeof(peer_address));
    if (!mailbox_post(loop->mailbox, &arrival->letter)) {
        deliver_arrival(&arrival->letter); /* that loop has ended: this one is about to */
    }
}

/* The process has no descriptor or memory for more: the socket would stay readable, and the loop
 * would spin. */
static void
pause_accepting(struct listener *listener)
{
    const struct timeval later = net_timeval(RESTART_US);
    if (event_add(listener->restart, &later) == 0) {
        (void)event_del(listener->event);
    }
}

static void
on_restart(evutil_socket_t fd, short what, void *arg)
{
    struct listener *listener = arg;
    (void)fd;
    (void)what;
    (void)event_add(listener->event, NULL);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
    struct listener *listener = arg;
    (void)what;
    for (int i = 0; i < ACCEPTS_A_WAKE; i++) {
        union socket_address address = {.any = {.sa_family = AF_UNIX}};
        socklen_t n = sizeof(address);
        const int accepted = accept4(fd, &address.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted >= 0) {
            hand_over(listener, accepted, &address);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(listener);
            return;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } /* else: that one connection has gone again (accept(2)) */
    }
}

void
listener_start(struct listener *listener)
{
    if (event_add(listener->event, NULL) != 0) {
        pause_accepting(listener); /* no memory: tries again */
    }
}

void
listener_accept_waiting(struct listener *listener)
{
    on_accept(listener->fd, EV_READ, listener);
}

void
listener_stop(struct listener *listener)
{
    if (listener->fd >= 0) {
        (void)event_del(listener->event);
        (void)event_del(listener->restart);
        (void)close(listener->fd);
        listener->fd = -1;
    }
    if (listener->unix_path != NULL) {
        (void)unlink(listener->unix_path);
        mem_free(listener->unix_path);
        listener->unix_path = NULL; /* once: the name may be another gateway's soon */
    }
}

void
listener_free(struct listener *listener)
{
    if (listener == NULL) {
        return;
    }
    if (listener->event != NULL) {
        event_free(listener->event);
    }
    if (listener->restart != NULL) {
        event_free(listener->restart);
    }
    if (listener->fd >= 0) { /* it was never started, or its loop ended by itself */
        (void)close(listener->fd);
    }
    if (listener->unix_path != NULL) {
        (void)unlink(listener->unix_path);
    }
    mem_free(listener->unix_path);
    mem_free(listener);
}
