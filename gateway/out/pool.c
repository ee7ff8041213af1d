/*
 * The connections to one partner: a curl multi handle of its own, driven by the engine's event
 * base. Of its own, because curl may use a kept connection for any request to the same host and
 * port with the same settings, and which partner's record proved the server is none of them.
 * Engine's thread only.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include <event2/event_struct.h>

#include "base/mem.h"
#include "out/parts.h"

/*
 * A socket that curl wants watched. Until its handshake is done curl (7.88) may close it before it
 * says that nobody need watch it any more; by then its number may be another socket's: one of
 * another thread, whose number epoll must not be told of, or the next one of this pool, which curl
 * then takes for watched already. So until then epoll is told of a number of our own for the same
 * socket, its twin, and each socket that this pool opens has its watch from the start.
 */
struct watch {
    LIST_ENTRY(watch) link;
    struct pool *pool;
    struct event event;
    curl_socket_t socket;          /* curl's number */
    int twin;                      /* -1: curl tells before it closes this one */
    const struct transfer *opener; /* while there is a twin */
    short events;                  /* 0: curl does not want it watched yet */
};

/* What curl has finished. The handles are gone from the multi handle when done is called. */
static void
collect(struct pool *pool)
{
    int left = 0;
    CURLMsg *message = NULL;
    while ((message = curl_multi_info_read(pool->multi, &left)) != NULL) {
        char *transfer = NULL;
        const CURLcode code = message->data.result;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) == CURLE_OK) {
            transfer_finish((struct transfer *)(void *)transfer, code);
        }
    }
}

static struct transfer *
any_of(const struct pool *pool)
{
    struct transfer *transfer = pool->engine->transfers;
    while (transfer != NULL && (transfer->pool != pool || transfer->easy == NULL)) {
        transfer = transfer->next;
    }
    return transfer;
}

/* The multi handle itself failed (no memory): everything in it fails, and a new one is made next
 * time. Each end may change the list of transfers, so it is read from its start. */
static void
give_up(struct pool *pool, CURLMcode code)
{
    struct transfer *transfer = NULL;
    pool->is_broken = true;
    while ((transfer = any_of(pool)) != NULL) {
        transfer_fail(transfer, ERR_NO_MEMORY, curl_multi_strerror(code));
    }
    pool_close(pool);
    pool->is_broken = false;
}

static bool
is_connecting(const struct transfer *transfer)
{
    const struct watch *watch = LIST_FIRST(&transfer->pool->watches);
    while (watch != NULL && watch->opener != transfer) {
        watch = LIST_NEXT(watch, link);
    }
    return watch != NULL;
}

/* An address did not answer: curl has closed its socket, and takes the next address when it is
 * called next, for which it sees no reason until all time is over. Going on after a pause is one.
 */
static void
urge(struct pool *pool)
{
    struct transfer *transfer = pool->has_lost ? pool->engine->transfers : NULL;
    pool->has_lost = false;
    for (; transfer != NULL; transfer = transfer->next) {
        if (transfer->pool == pool && transfer->easy != NULL && !transfer->is_secured &&
            !transfer->is_lingering && !is_connecting(transfer) &&
            curl_easy_pause(transfer->easy, CURLPAUSE_RECV) == CURLE_OK) {
            (void)curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
        }
    }
}

static void
act(struct pool *pool, curl_socket_t fd, int what)
{
    int running = 0;
    const CURLMcode code = curl_multi_socket_action(pool->multi, fd, what, &running);
    if (code == CURLM_OK) {
        collect(pool);
        urge(pool);
    } else {
        give_up(pool, code);
    }
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
    const struct watch *watch = arg;
    (void)fd;
    act(watch->pool, watch->socket,
        ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
            ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* ---- sockets ---- */

static int
number_of(const struct watch *watch)
{
    return watch->twin >= 0 ? watch->twin : watch->socket;
}

static void
unwatch(struct watch *watch)
{
    if (watch->events != 0) {
        (void)event_del(&watch->event);
        watch->events = 0;
    }
}

static bool
watch_for(struct watch *watch, short events)
{
    unwatch(watch);
    if (event_assign(&watch->event, watch->pool->engine->base, number_of(watch), events, on_socket,
                     watch) != 0 ||
        event_add(&watch->event, NULL) != 0) {
        return false;
    }
    watch->events = events;
    return true;
}

static void
close_twin(struct watch *watch)
{
    if (watch->twin >= 0) {
        (void)close(watch->twin);
        watch->twin = -1;
        watch->pool->twins--;
    }
    watch->opener = NULL;
}

static void
free_watch(struct watch *watch)
{
    unwatch(watch);
    close_twin(watch);
    LIST_REMOVE(watch, link);
    mem_free(watch);
}

static struct watch *
find_watch(struct pool *pool, curl_socket_t fd)
{
    struct watch *watch = LIST_FIRST(&pool->watches);
    while (watch != NULL && watch->socket != fd) {
        watch = LIST_NEXT(watch, link);
    }
    return watch;
}

static struct watch *
add_watch(struct pool *pool, curl_socket_t fd)
{
    struct watch *watch = mem_alloc(sizeof(*watch));
    if (watch != NULL) {
        watch->pool = pool;
        watch->socket = fd;
        watch->twin = -1;
        LIST_INSERT_HEAD(&pool->watches, watch, link);
    }
    return watch;
}

/* Those that curl opened for a transfer, closed, and never wanted watched. */
static void
forget_opened(struct pool *pool, const struct transfer *opener)
{
    struct watch *next = pool->twins == 0 ? NULL : LIST_FIRST(&pool->watches);
    while (next != NULL) {
        struct watch *watch = next;
        next = LIST_NEXT(watch, link);
        if (watch->opener == opener) {
            free_watch(watch);
        }
    }
}

/* A watch that is there has this number from a socket that curl has closed and says nothing of: it
 * goes over to the new one, for which curl will not ask again. Takes <twin>. */
static bool
note_opened(struct pool *pool, const struct transfer *opener, curl_socket_t fd, int twin)
{
    struct watch *watch = find_watch(pool, fd);
    const short events = watch == NULL ? 0 : watch->events;
    if (watch == NULL) {
        watch = add_watch(pool, fd);
    } else {
        unwatch(watch);
        close_twin(watch);
    }
    if (watch == NULL) {
        (void)close(twin);
        return false;
    }
    watch->twin = twin;
    watch->opener = opener;
    pool->twins++;
    return events == 0 || watch_for(watch, events);
}

curl_socket_t
pool_open_socket(struct transfer *transfer, const struct curl_sockaddr *address)
{
    const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    const int twin = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (twin >= 0 && note_opened(transfer->pool, transfer, fd, twin)) {
        return fd;
    }
    const struct status st =
        FAIL(&transfer->diag, ERR_PARTNER_UNREACHABLE,
             "partner '%s': no connection could be opened: %s; has this node too few descriptors "
             "(LimitNOFILE=)?",
             transfer->request.partner->id, strerrordesc_np(errno));
    (void)st;
    if (fd >= 0) {
        (void)close(fd);
    }
    return CURL_SOCKET_BAD;
}

static int
port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {.any.sa_family = AF_UNSPEC};
    socklen_t n = sizeof(address);
    if (getsockname(fd, &address.any, &n) != 0) {
        return -1;
    }
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* Its connection is up: curl says when it closes it. */
static bool
settle(struct watch *watch)
{
    const short events = watch->events;
    if (events == 0) { /* curl asks when it wants it watched */
        free_watch(watch);
        return true;
    }
    unwatch(watch);
    close_twin(watch);
    return watch_for(watch, events);
}

bool
pool_note_secured(struct pool *pool, const struct transfer *opener, int local_port)
{
    struct watch *watch = pool->twins == 0 ? NULL : LIST_FIRST(&pool->watches);
    for (; watch != NULL; watch = LIST_NEXT(watch, link)) {
        if (watch->opener == opener && port_of(watch->twin) == local_port) {
            return settle(watch);
        }
    }
    return true; /* a kept connection */
}

/* curl says which events it wants of a socket. -1 makes every call on the multi handle fail. */
static int
watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct pool *pool = arg;
    struct watch *watch = socket_arg;
    const short events = (short)(EV_PERSIST | (what != CURL_POLL_OUT ? EV_READ : 0) |
                                 (what != CURL_POLL_IN ? EV_WRITE : 0));
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            pool->has_lost = pool->has_lost || watch->twin >= 0;
            free_watch(watch);
            (void)curl_multi_assign(pool->multi, fd, NULL);
        }
        return 0;
    }
    if (watch == NULL) {
        watch = pool->twins == 0 ? NULL : find_watch(pool, fd);
        watch = watch == NULL ? add_watch(pool, fd) : watch;
        if (watch == NULL || curl_multi_assign(pool->multi, fd, watch) != CURLM_OK) {
            return -1;
        }
    }
    return watch_for(watch, events) ? 0 : -1;
}

static int
set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct pool *pool = arg;
    const struct timeval left = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    (void)multi;
    if (timeout_ms < 0) {
        (void)event_del(pool->timer);
        return 0;
    }
    return event_add(pool->timer, &left) == 0 ? 0 : -1;
}

/* turn.c sees to it that no more are used at once; as many are kept for later. */
static bool
set_options(struct pool *pool)
{
    const long connections = (long)pool->partner->limits.connections;
    return curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, watch_socket) == CURLM_OK &&
           curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool) == CURLM_OK &&
           curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
           curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool) == CURLM_OK &&
           curl_multi_setopt(pool->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) == CURLM_OK &&
           curl_multi_setopt(pool->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections) ==
               CURLM_OK &&
           curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, connections) == CURLM_OK;
}

static struct status
open_pool(struct pool *pool, struct diag *diag)
{
    if (pool->is_broken) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for connections to partner '%s'",
                    pool->partner->id);
    }
    if (pool->multi != NULL) {
        return OK;
    }
    pool->timer = evtimer_new(pool->engine->base, on_timer, pool);
    pool->multi = pool->timer == NULL ? NULL : curl_multi_init();
    if (pool->multi == NULL || !set_options(pool)) {
        pool_close(pool);
        return FAIL(diag, ERR_NO_MEMORY, "no memory for connections to partner '%s'",
                    pool->partner->id);
    }
    return OK;
}

struct status
pool_add(struct pool *pool, struct transfer *transfer, struct diag *diag)
{
    TRY(open_pool(pool, diag));
    const CURLMcode code = curl_multi_add_handle(pool->multi, transfer->easy);
    if (code != CURLM_OK) {
        return FAIL(diag, ERR_NO_MEMORY, "cannot start an exchange with partner '%s': %s",
                    pool->partner->id, curl_multi_strerror(code));
    }
    return OK;
}

void
pool_remove(struct pool *pool, struct transfer *transfer)
{
    if (pool->multi != NULL && transfer->easy != NULL) {
        (void)curl_multi_remove_handle(pool->multi, transfer->easy);
        forget_opened(pool, transfer);
    }
}

void
pool_close(struct pool *pool)
{
    if (pool->multi != NULL) {
        (void)curl_multi_cleanup(pool->multi); /* says goodbye, and calls watch_socket to forget */
        pool->multi = NULL;
    }
    while (!LIST_EMPTY(&pool->watches)) {
        free_watch(LIST_FIRST(&pool->watches));
    }
    if (pool->timer != NULL) {
        event_free(pool->timer);
        pool->timer = NULL;
    }
}
