/*
 * net_watch: has the peer gone while the handler works? Nothing is read then, so no bufferevent
 * would notice. Each loop has an epoll instance beside libevent's, in which the descriptors of
 * watched connections wait for the peer's end and for nothing else. (libevent's own EV_CLOSED takes
 * a reset for readiness to read and write, wakes nobody by it, and would spin.) Registered by any
 * thread through a letter; everything else runs on the loop's thread.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "net/connection.h"

#define GONE_A_TURN 64 /* then the other events of the loop have their turn */

/* ---- who wants to know ---- */

void
watch_open(struct watch *watch)
{
    pthread_mutexattr_t recursive;
    (void)pthread_mutexattr_init(&recursive);
    (void)pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    (void)pthread_mutex_init(&watch->lock, &recursive);
    (void)pthread_mutexattr_destroy(&recursive);
}

void
watch_close(struct watch *watch)
{
    (void)pthread_mutex_destroy(&watch->lock);
}

void
watch_end(struct watch *watch)
{
    (void)pthread_mutex_lock(&watch->lock);
    watch->on_gone = NULL;
    (void)pthread_mutex_unlock(&watch->lock);
}

void
watch_tell(struct exchange *exchange)
{
    struct watch *watch = &exchange->watch;
    (void)pthread_mutex_lock(&watch->lock);
    void (*const on_gone)(void *arg) = watch->on_gone;
    watch->on_gone = NULL;
    watch->is_telling = true;
    if (on_gone != NULL) {
        on_gone(watch->arg);
    }
    watch->is_telling = false;
    const bool is_orphan = watch->is_orphan;
    (void)pthread_mutex_unlock(&watch->lock);
    if (is_orphan) {
        exchange_free(exchange);
    }
}

bool
watch_adopt(struct watch *watch)
{
    (void)pthread_mutex_lock(&watch->lock);
    watch->is_orphan = watch->is_telling;
    const bool is_adopted = watch->is_orphan;
    (void)pthread_mutex_unlock(&watch->lock);
    return is_adopted;
}

/* ---- the descriptors ---- */

void
watch_forget(struct connection *connection)
{
    if (connection->is_watched) {
        connection->is_watched = false;
        (void)epoll_ctl(connection->loop->watch_fd, EPOLL_CTL_DEL,
                        bufferevent_getfd(connection->stream), NULL);
    }
}

/* A peer that only ended its side may still read an answer. */
static void
peer_went(struct connection *connection, uint32_t what)
{
    struct exchange *exchange = connection->exchange;
    watch_forget(connection);
    connection->closes = true;
    if ((what & (EPOLLERR | EPOLLHUP)) != 0) {
        connection->is_broken = true;
        connection_close(connection); /* tells, too */
    } else {
        watch_tell(exchange);
    }
}

/* One at a time: what is told of one connection must not leave a stale event of another. */
static void
on_watch(evutil_socket_t fd, short what, void *arg)
{
    struct epoll_event event;
    (void)what;
    (void)arg;
    for (int i = 0; i < GONE_A_TURN && epoll_wait(fd, &event, 1, 0) == 1; i++) {
        peer_went(event.data.ptr, event.events);
    }
}

/* Without a place in the epoll the peer's end is noticed when the answer is written. */
static void
start_watching(struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.ptr = connection};
    connection->is_watched = epoll_ctl(connection->loop->watch_fd, EPOLL_CTL_ADD,
                                       bufferevent_getfd(connection->stream), &event) == 0;
}

static void
deliver_watch(struct letter *letter)
{
    struct watch *watch = (struct watch *)((char *)letter - offsetof(struct watch, letter));
    struct exchange *exchange =
        (struct exchange *)((char *)watch - offsetof(struct exchange, watch));
    if (exchange->connection == NULL) {
        watch_tell(exchange);
    } else {
        start_watching(exchange->connection);
    }
}

void
net_watch(struct net_request *request, void (*on_gone)(void *arg), void *arg)
{
    struct exchange *exchange = (struct exchange *)request;
    struct watch *watch = &exchange->watch;
    (void)pthread_mutex_lock(&watch->lock);
    watch->on_gone = on_gone;
    watch->arg = arg;
    (void)pthread_mutex_unlock(&watch->lock);
    watch->letter.deliver = deliver_watch;
    if (!mailbox_post(exchange->mailbox, &watch->letter)) {
        watch_tell(exchange);
    }
}

/* ---- of a loop ---- */

struct status
watch_init(struct loop *loop, struct diag *diag)
{
    loop->watch_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->watch_fd < 0) {
        return FAIL(diag, ERR_IO, "no epoll for watching peers: %s", strerrordesc_np(errno));
    }
    loop->watch_event = event_new(loop->base, loop->watch_fd, EV_READ | EV_PERSIST, on_watch, loop);
    if (loop->watch_event == NULL || event_add(loop->watch_event, NULL) != 0) {
        return FAIL(diag, ERR_NO_MEMORY, "no event for watching peers");
    }
    return OK;
}

void
watch_stop(struct loop *loop)
{
    (void)event_del(loop->watch_event);
}

void
watch_done(struct loop *loop)
{
    if (loop->watch_event != NULL) {
        event_free(loop->watch_event);
    }
    if (loop->watch_fd >= 0) {
        (void)close(loop->watch_fd);
    }
}
