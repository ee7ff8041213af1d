/*
 * The beginning of a connection: accepted, waiting for the first bytes of its handshake, then for
 * its turn, then TLS or plain HTTP. Everything runs on the loop's thread; connection.c goes on.
 */
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/bufferevent_ssl.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "net/connection.h"

#define UNSENT_BYTES (128 * 1024) /* of an answer, in the kernel; it would take megabytes */

static const struct net_options *
options_of(const struct connection *connection)
{
    return &connection->loop->terms->options;
}

/* ---- the stream ---- */

static struct bufferevent *
make_stream(const struct connection *connection)
{
    struct event_base *base = connection->loop->base;
    SSL_CTX *context = connection->loop->terms->contexts[connection->kind];
    if (context == NULL) {
        return bufferevent_socket_new(base, connection->fd, STREAM_OPTIONS);
    }
    SSL *ssl = SSL_new(context);
    if (ssl == NULL) {
        return NULL;
    }
    /* libevent moves bytes that it has tried to write, and does not expect partial writes */
    (void)SSL_set_mode(ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_clear_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
    struct bufferevent *stream = bufferevent_openssl_socket_new(
        base, connection->fd, ssl, BUFFEREVENT_SSL_ACCEPTING, STREAM_OPTIONS);
    if (stream == NULL) {
        SSL_free(ssl);
    }
    return stream;
}

/* By the terms of now: a reload may have come since it was accepted. */
static bool
open_stream(struct connection *connection)
{
    const struct terms *terms = connection->loop->terms;
    if (!terms->is_set[connection->kind]) {
        return false;
    }
    connection->generation = terms->generation;
    connection->has_tls = terms->contexts[connection->kind] != NULL;
    connection->stream = make_stream(connection);
    if (connection->stream == NULL) {
        return false;
    }
    connection->fd = -1;
    connection_hook(connection);
    if (connection->has_tls) {
        connection->state = CONNECTION_HANDSHAKE; /* its time runs already */
    } else {
        connection_await_request(connection);
    }
    return true;
}

/* ---- waiting for a turn ---- */

/* A signature of ours costs more than everything else that one event makes us do. In a flood of
 * handshakes each turn of the loop begins a few, in order, and those who are known go on. Whoever
 * is silent costs no TLS session and keeps nobody waiting. */
#define HELLOS_A_TURN 4

static void
plan_turn(struct loop *loop)
{
    static const struct timeval now = {0, 0};
    if (!TAILQ_EMPTY(&loop->hellos) && evtimer_pending(loop->hello_event, NULL) == 0) {
        (void)event_add(loop->hello_event, &now); /* after the events that are there */
    }
}

static void
on_hello(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;
    (void)fd;
    (void)what;
    connection->is_greeting = true;
    TAILQ_INSERT_TAIL(&connection->loop->hellos, connection, hello);
    plan_turn(connection->loop);
}

void
connections_greet(struct loop *loop)
{
    for (int i = 0; i < HELLOS_A_TURN && !TAILQ_EMPTY(&loop->hellos); i++) {
        struct connection *connection = TAILQ_FIRST(&loop->hellos);
        TAILQ_REMOVE(&loop->hellos, connection, hello);
        connection->is_greeting = false;
        event_free(connection->hello_event);
        connection->hello_event = NULL;
        if (!open_stream(connection)) {
            connection_close(connection);
        }
    }
    plan_turn(loop);
}

static bool
await_hello(struct connection *connection)
{
    connection->state = CONNECTION_HELLO;
    connection->hello_event =
        event_new(connection->loop->base, connection->fd, EV_READ, on_hello, connection);
    connection_set_timer(connection, options_of(connection)->handshake_timeout_us);
    return connection->hello_event != NULL && event_add(connection->hello_event, NULL) == 0;
}

/* ---- a new one ---- */

static void
link_connection(struct connection *connection)
{
    struct loop *loop = connection->loop;
    connection->next = loop->connections;
    if (connection->next != NULL) {
        connection->next->previous = connection;
    }
    loop->connections = connection;
}

static struct connection *
make_connection(struct loop *loop, enum net_listener kind, int fd, const char *peer_address)
{
    struct connection *connection = mem_alloc(sizeof(*connection));
    if (connection == NULL) {
        return NULL;
    }
    *connection = (struct connection){
        .loop = loop,
        .kind = kind,
        .fd = fd,
        .generation = loop->terms->generation,
        .opened_us = clock_mono_us(loop->server->clock),
    };
    (void)snprintf(connection->peer_address, sizeof(connection->peer_address), "%s", peer_address);
    sink_init(&connection->body, NULL, loop->terms->body_limit);
    body_init(&connection->answer);
    link_connection(connection);
    return connection;
}

void
connection_open(struct loop *loop, enum net_listener kind, int fd, const char *peer_address)
{
    const int on = 1, unsent = UNSENT_BYTES;
    struct connection *connection = make_connection(loop, kind, fd, peer_address);
    if (connection == NULL) {
        (void)close(fd);
        listener_release(loop->server, peer_address);
        return;
    }
    /* An answer's last piece must not wait for the peer's delayed ACK; not for unix: sockets. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
    const bool is_open =
        connection_make_timer(connection) &&
        (loop->terms->contexts[kind] == NULL ? open_stream(connection) : await_hello(connection));
    if (!is_open || evtimer_pending(connection->timer, NULL) == 0) { /* it could stay for ever */
        connection_close(connection);
    }
}
