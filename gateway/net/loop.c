/*
 * One loop: an event base, a thread that runs it, and a mailbox through which other threads reach
 * it. Made and joined by server.c; everything else here runs on the loop's own thread.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"
#include "net/parts.h"

struct timeval
net_timeval(int64_t us)
{
    const int64_t at_least_1 = us < 1 ? 1 : us;
    return (struct timeval){.tv_sec = (time_t)(at_least_1 / US_PER_S),
                            .tv_usec = (suseconds_t)(at_least_1 % US_PER_S)};
}

static void
on_mail(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;
    (void)fd;
    (void)what;
    mailbox_deliver(loop->mailbox);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;
    (void)fd;
    (void)what;
    connections_close(loop);
    (void)event_base_loopbreak(loop->base);
}

void
loop_connection_gone(struct loop *loop)
{
    if (loop->is_stopping && loop->connections == NULL) {
        (void)event_base_loopbreak(loop->base);
    }
}

static void
deliver_stop(struct letter *letter)
{
    struct loop *loop = (struct loop *)((char *)letter - offsetof(struct loop, stop_letter));
    const int64_t now_us = clock_mono_us(loop->server->clock);
    const struct timeval left = net_timeval(loop->stop_deadline_us - now_us);
    loop->is_stopping = true;
    if (loop == &loop->server->loops[0]) {
        for (size_t i = 0; i < NET_LISTENERS; i++) {
            if (loop->server->listeners[i] != NULL) {
                listener_stop(loop->server->listeners[i]);
            }
        }
    }
    connections_stop(loop);
    if (loop->connections == NULL || loop->stop_deadline_us <= now_us || loop->is_hurried ||
        event_add(loop->deadline_event, &left) != 0) {
        on_deadline(-1, 0, loop);
    }
}

static void
deliver_hurry(struct letter *letter)
{
    struct loop *loop = (struct loop *)((char *)letter - offsetof(struct loop, hurry_letter));
    if (loop->is_stopping) {
        on_deadline(-1, 0, loop);
    } else {
        loop->is_hurried = true;
    }
}

static void
deliver_pulse(struct letter *letter)
{
    struct loop *loop = (struct loop *)((char *)letter - offsetof(struct loop, pulse_letter));
    loop->is_pulse_out = false;
}

static void
on_hello(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    connections_greet(arg);
}

static void
on_recheck(evutil_socket_t fd, short what, void *arg)
{
    const struct timeval soon = net_timeval(0);
    struct loop *loop = arg;
    (void)fd;
    (void)what;
    if (!connections_recheck(loop)) {
        (void)event_add(loop->recheck_event, &soon);
    }
}

void
loop_take_terms(struct loop *loop, struct terms *terms)
{
    terms_unref(loop->terms);
    loop->terms = terms;
    on_recheck(-1, 0, loop);
}

struct status
loop_init(struct loop *loop, struct net_server *server, struct diag *diag)
{
    loop->server = server;
    loop->stop_letter.deliver = deliver_stop;
    loop->hurry_letter.deliver = deliver_hurry;
    loop->pulse_letter.deliver = deliver_pulse;
    loop->watch_fd = -1;
    TRY(mailbox_new(diag, &loop->mailbox));
    loop->base = event_base_new();
    if (loop->base == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no event base");
    }
    loop->mail_event =
        event_new(loop->base, mailbox_fd(loop->mailbox), EV_READ | EV_PERSIST, on_mail, loop);
    loop->deadline_event = evtimer_new(loop->base, on_deadline, loop);
    loop->recheck_event = evtimer_new(loop->base, on_recheck, loop);
    loop->hello_event = evtimer_new(loop->base, on_hello, loop);
    TAILQ_INIT(&loop->hellos);
    if (loop->mail_event == NULL || loop->deadline_event == NULL || loop->recheck_event == NULL ||
        loop->hello_event == NULL || event_add(loop->mail_event, NULL) != 0) {
        return FAIL(diag, ERR_NO_MEMORY, "no events for a loop");
    }
    return watch_init(loop, diag);
}

/* What libevent still has to do for freed connections: it frees their streams on a later round. */
static void
finish_base(struct loop *loop)
{
    for (int round = 0; round < 8; round++) {
        (void)event_base_loop(loop->base, EVLOOP_NONBLOCK);
    }
}

static void *
run(void *arg)
{
    struct loop *loop = arg;
    (void)event_base_dispatch(loop->base);
    loop->is_stopping = true; /* also when the base failed by itself */
    connections_close(loop);
    mailbox_close(loop->mailbox);
    (void)event_del(loop->mail_event);
    (void)event_del(loop->deadline_event);
    (void)event_del(loop->recheck_event);
    (void)event_del(loop->hello_event);
    watch_stop(loop);
    finish_base(loop);
    return NULL;
}

struct status
loop_start(struct loop *loop, struct diag *diag)
{
    const int error = thread_start(&loop->thread, run, loop);
    if (error != 0) {
        return FAIL(diag, ERR_IO, "no thread for a network loop: %s", strerrordesc_np(error));
    }
    loop->has_thread = true;
    return OK;
}

void
loop_stop(struct loop *loop, int64_t deadline_us)
{
    loop->stop_deadline_us = deadline_us;
    if (loop->has_thread) {
        const bool is_running = mailbox_post(loop->mailbox, &loop->stop_letter);
        (void)is_running; /* if not, it has ended already */
    }
}

int64_t
loop_silence_us(struct loop *loop)
{
    const int64_t now_us = clock_mono_us(loop->server->clock);
    if (loop->is_pulse_out) {
        return now_us - loop->pulse_asked_us;
    }
    loop->pulse_asked_us = now_us;
    loop->is_pulse_out = true;
    const bool is_running = mailbox_post(loop->mailbox, &loop->pulse_letter);
    (void)is_running; /* if not, it has ended: it never answers */
    return 0;
}

void
loop_hurry(struct loop *loop)
{
    const bool is_running = mailbox_post(loop->mailbox, &loop->hurry_letter);
    (void)is_running; /* if not, it has ended already */
}

void
loop_join(struct loop *loop)
{
    if (loop->has_thread) {
        (void)pthread_join(loop->thread, NULL);
        loop->has_thread = false;
    }
}

void
loop_done(struct loop *loop)
{
    if (loop->mail_event != NULL) {
        event_free(loop->mail_event);
    }
    if (loop->deadline_event != NULL) {
        event_free(loop->deadline_event);
    }
    if (loop->recheck_event != NULL) {
        event_free(loop->recheck_event);
    }
    if (loop->hello_event != NULL) {
        event_free(loop->hello_event);
    }
    watch_done(loop);
    if (loop->base != NULL) {
        event_base_free(loop->base);
    }
    mailbox_unref(loop->mailbox);
    terms_unref(loop->terms);
}
