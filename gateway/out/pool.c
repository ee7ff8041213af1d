/*
 * The connections to one partner: a curl multi handle of its own, driven by the engine's event
 * base. Of its own, because curl may use a kept connection for any request to the same host and
 * port with the same settings, and which partner's record proved the server is none of them.
 * Engine's thread only.
 */
#include <event2/event_struct.h>

#include "base/mem.h"
#include "out/parts.h"

/* A socket that curl watches. */
struct watch {
    struct event event;
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

static void
act(struct pool *pool, curl_socket_t fd, int what)
{
    int running = 0;
    const CURLMcode code = curl_multi_socket_action(pool->multi, fd, what, &running);
    if (code == CURLM_OK) {
        collect(pool);
    } else {
        give_up(pool, code);
    }
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
    act(arg, fd,
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

static void
forget_socket(struct pool *pool, curl_socket_t fd, struct watch *watch)
{
    if (watch != NULL) {
        (void)event_del(&watch->event);
        mem_free(watch);
        (void)curl_multi_assign(pool->multi, fd, NULL);
    }
}

static struct watch *
add_watch(struct pool *pool, curl_socket_t fd)
{
    struct watch *watch = mem_alloc(sizeof(*watch));
    if (watch == NULL) {
        return NULL;
    }
    if (curl_multi_assign(pool->multi, fd, watch) != CURLM_OK) {
        mem_free(watch);
        return NULL;
    }
    return watch;
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
        forget_socket(pool, fd, watch);
        return 0;
    }
    const bool is_new = watch == NULL;
    if (is_new) {
        watch = add_watch(pool, fd);
    } else {
        (void)event_del(&watch->event);
    }
    if (watch == NULL ||
        event_assign(&watch->event, pool->engine->base, fd, events, on_socket, pool) != 0 ||
        event_add(&watch->event, NULL) != 0) {
        return -1;
    }
    return 0;
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
    }
}

void
pool_close(struct pool *pool)
{
    if (pool->multi != NULL) {
        (void)curl_multi_cleanup(pool->multi); /* says goodbye, and calls watch_socket to forget */
        pool->multi = NULL;
    }
    if (pool->timer != NULL) {
        event_free(pool->timer);
        pool->timer = NULL;
    }
}
