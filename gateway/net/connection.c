/*
 * The life of one connection: the end of its TLS handshake, timers, errors, end. Everything runs on
 * the thread of its loop, called by libevent; callbacks are deferred, so none of them runs inside
 * one of our own calls into libevent. opening.c begins it, request.c reads, answer.c writes.
 */
#include "net/connection.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "base/mem.h"

#define LINGER_US  US_PER_S
#define OUTPUT_LOW ((size_t)32 * 1024) /* below it the next piece of an answer is taken */

static const struct net_options *
options_of(const struct connection *connection)
{
    return &connection->loop->terms->options;
}

void
connection_set_timer(struct connection *connection, int64_t us)
{
    const struct timeval left = net_timeval(us);
    (void)event_add(connection->timer, &left); /* replaces the one before */
}

void
connection_clear_timer(struct connection *connection)
{
    (void)event_del(connection->timer);
}

void
connection_start_window(struct connection *connection, int64_t whole_us)
{
    const struct net_options *options = options_of(connection);
    connection->window_start = 0;
    connection->limit_us = clock_mono_us(options->clock) + whole_us;
    connection_set_timer(connection,
                         whole_us < options->body_stall_us ? whole_us : options->body_stall_us);
}

void
connection_release_request(struct connection *connection)
{
    struct net_server *server = connection->loop->server;
    if (connection->is_request_in_quota) {
        connection->is_request_in_quota = false;
        quota_give(server->in_flight, connection->identity);
    }
    if (connection->is_request_in_load) {
        connection->is_request_in_load = false;
        load_end(&server->load);
    }
}

void
connection_report(const struct connection *connection, const struct diag *diag)
{
    const struct net_options *options = options_of(connection);
    if (options->on_refused != NULL) {
        options->on_refused(options->handler_arg, connection->peer_address, diag);
        ERR_clear_error();
    }
}

/* ---- the end ---- */

static void
unlink_connection(struct connection *connection)
{
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        connection->loop->connections = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
}

/* The exchange is the handler's while it has it: it keeps what the request points to. */
static void
part_from_exchange(struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    if (exchange == NULL) {
        return;
    }
    watch_forget(connection);
    if (connection->state == CONNECTION_HANDLER) {
        exchange->connection = NULL;
        exchange->peer = connection->peer;
        connection->peer = NULL;
        watch_tell(exchange);
    } else {
        exchange_release(exchange);
        exchange_free(exchange);
    }
    connection->exchange = NULL;
}

/* close_notify, so that the peer can tell an end from a cut (RFC 8446 6.1). */
static void
say_goodbye(struct connection *connection)
{
    SSL *ssl = bufferevent_openssl_get_ssl(connection->stream);
    if (ssl != NULL && SSL_is_init_finished(ssl) && !connection->is_broken) {
        (void)SSL_shutdown(ssl);
        ERR_clear_error();
    }
}

void
connection_close(struct connection *connection)
{
    struct loop *loop = connection->loop;
    parking_end(connection);
    part_from_exchange(connection);
    connection_release_request(connection);
    load_hold(&loop->server->load, &connection->held, 0);
    if (connection->is_in_quota) {
        quota_give(loop->server->identities, connection->identity);
    }
    unlink_connection(connection);
    if (connection->stream != NULL) {
        say_goodbye(connection);
        bufferevent_free(connection->stream);
    }
    if (connection->is_greeting) {
        TAILQ_REMOVE(&loop->hellos, connection, hello);
    }
    if (connection->hello_event != NULL) {
        event_free(connection->hello_event);
    }
    if (connection->fd >= 0) {
        (void)close(connection->fd);
    }
    if (connection->timer != NULL) {
        event_free(connection->timer);
    }
    certificate_free(connection->peer);
    sink_done(&connection->body);
    body_done(&connection->answer);
    listener_release(loop->server, connection->peer_address);
    mem_free(connection);
    loop_connection_gone(loop);
}

/* Closing with bytes unread would reset the connection, and the peer could lose the answer
 * (RFC 9112 9.6). So: end our side, read and forget for a moment. */
void
connection_linger(struct connection *connection)
{
    if (connection->has_peer_ended) {
        connection_close(connection);
        return;
    }
    connection->state = CONNECTION_LINGER;
    say_goodbye(connection);
    (void)shutdown(bufferevent_getfd(connection->stream), SHUT_WR);
    struct evbuffer *input = bufferevent_get_input(connection->stream);
    (void)evbuffer_drain(input, evbuffer_get_length(input));
    (void)bufferevent_enable(connection->stream, EV_READ);
    connection_set_timer(connection, LINGER_US);
}

void
connection_refuse(struct connection *connection, const struct diag *diag)
{
    struct diag ignored = {.code = ERR_NONE};
    struct buf text;
    struct body body;
    connection_report(connection, diag);
    connection->closes = true;
    (void)bufferevent_disable(connection->stream, EV_READ);
    part_from_exchange(connection);
    connection_release_request(connection);
    sink_done(&connection->body);
    connection->sheds = false;
    buf_init(&text, DIAG_TEXT_MAX);
    if (!is_ok(buf_printf(&text, &ignored, "%s\n", err_public_text(diag->code)))) {
        connection_close(connection);
        return;
    }
    body_from_buf(&body, &text);
    answer_start(connection, err_http_status(diag->code), "text/plain; charset=utf-8",
                 diag->code == ERR_HTTP_METHOD ? "GET, POST" : NULL, &body);
}

void
connection_await_request(struct connection *connection)
{
    connection->state = CONNECTION_IDLE;
    connection_set_timer(connection, options_of(connection)->idle_timeout_us);
    (void)bufferevent_enable(connection->stream, EV_READ);
}

/* Has the peer moved enough since the window began, and is there time left for the whole?
 * <progress> counts its bytes. Then the next window begins. */
static bool
keeps_rate(struct connection *connection, uint64_t progress)
{
    const struct net_options *options = options_of(connection);
    const int64_t left_us = connection->limit_us - clock_mono_us(options->clock);
    const uint64_t window_us = (uint64_t)options->body_stall_us;
    const uint64_t wanted = window_us * options->rate_bytes / (uint64_t)US_PER_S;
    const bool is_fast = progress >= connection->window_start + (wanted < 1 ? 1 : wanted);
    connection->window_start = progress;
    if (!is_fast || left_us <= 0) {
        return false;
    }
    connection_set_timer(connection,
                         left_us < options->body_stall_us ? left_us : options->body_stall_us);
    return true;
}

/* ---- handshake ---- */

static void on_read(struct bufferevent *stream, void *arg);
static void on_write(struct bufferevent *stream, void *arg);
static void on_event(struct bufferevent *stream, short what, void *arg);

static void
report_handshake(struct connection *connection, const char *why)
{
    SSL *ssl = connection->stream == NULL ? NULL : bufferevent_openssl_get_ssl(connection->stream);
    const long verdict = ssl == NULL ? X509_V_OK : SSL_get_verify_result(ssl);
    const char *certificate = verdict == X509_V_OK ? "" : trust_verdict_text(verdict);
    struct diag diag;
    diag_clear(&diag);
    const struct status st =
        FAIL(&diag, ERR_TLS,
             "TLS handshake: expected TLS 1.2 or 1.3 and a client certificate that chains to our "
             "anchors, got: %s%s%s%s",
             why, verdict == X509_V_OK ? "" : " (its certificate: ", certificate,
             verdict == X509_V_OK ? "" : ")");
    (void)st;
    connection_report(connection, &diag);
}

/* TLS is over; plain reading goes on for a moment, because closing with bytes unread would reset
 * the connection, and the alert that tells the peer why could be lost. */
static void
linger_plainly(struct connection *connection)
{
    const int fd = dup(bufferevent_getfd(connection->stream));
    struct bufferevent *plain =
        fd < 0 ? NULL : bufferevent_socket_new(connection->loop->base, fd, STREAM_OPTIONS);
    if (plain == NULL) {
        if (fd >= 0) {
            (void)close(fd);
        }
        connection_close(connection);
        return;
    }
    bufferevent_free(connection->stream);
    connection->stream = plain;
    connection_hook(connection);
    connection_linger(connection);
}

/* libevent keeps the errors of OpenSSL's calls that it made. */
static void
handshake_failed(struct connection *connection)
{
    const unsigned long error = bufferevent_get_openssl_error(connection->stream);
    const char *why = error == 0 ? NULL : ERR_reason_error_string(error);
    report_handshake(connection, why == NULL ? "the end of the connection" : why);
    connection->is_broken = true;
    if (error == 0) {
        connection_close(connection); /* the peer has gone */
    } else {
        linger_plainly(connection);
    }
}

static void
handshake_done(struct connection *connection)
{
    struct diag diag = {.code = ERR_NONE};
    X509 *x509 = SSL_get1_peer_certificate(bufferevent_openssl_get_ssl(connection->stream));
    if (x509 == NULL) {
        /* the listener's context requires one: this is our bug, and must fail closed */
        report_handshake(connection, "no certificate");
        connection_close(connection);
        return;
    }
    const struct status st = certificate_from_x509(x509, &diag, &connection->peer);
    X509_free(x509);
    ERR_clear_error(); /* libevent would take an old error for one of its next call */
    if (!is_ok(st)) {
        connection_report(connection, &diag);
        connection_close(connection);
        return;
    }
    connection_proven(connection);
}

/* ---- events ---- */

static void
on_read(struct bufferevent *stream, void *arg)
{
    (void)stream;
    request_read(arg);
}

static void
on_write(struct bufferevent *stream, void *arg)
{
    (void)stream;
    answer_continue(arg);
}

static void
peer_ended(struct connection *connection, short what)
{
    struct diag diag = {.code = ERR_NONE};
    connection->has_peer_ended = true;
    connection->is_broken = (what & BEV_EVENT_ERROR) != 0;
    const bool is_reading =
        connection->state == CONNECTION_HEAD || connection->state == CONNECTION_BODY;
    if (is_reading) {
        const struct status st =
            FAIL(&diag, ERR_HTTP_TRUNCATED, "the connection ended inside a request's %s",
                 connection->state == CONNECTION_HEAD ? "head" : "body");
        (void)st;
        connection_report(connection, &diag);
    }
    /* A peer may end its side and still wait for the answer. */
    const bool awaits_answer =
        connection->state == CONNECTION_HANDLER || connection->state == CONNECTION_ANSWER;
    if (awaits_answer && !connection->is_broken) {
        connection->closes = true;
    } else {
        connection_close(connection);
    }
}

static void
on_event(struct bufferevent *stream, short what, void *arg)
{
    struct connection *connection = arg;
    (void)stream;
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        handshake_done(connection);
    } else if (connection->state == CONNECTION_HANDSHAKE) {
        handshake_failed(connection);
    } else {
        peer_ended(connection, what);
    }
}

static void
refuse_slow(struct connection *connection, const char *what, int64_t limit_us)
{
    struct diag diag = {.code = ERR_NONE};
    const struct status st = FAIL(&diag, ERR_LIMIT_TIME, "%s: slower than %lld ms allow", what,
                                  (long long)(limit_us / US_PER_MS));
    (void)st;
    connection_refuse(connection, &diag);
}

/* The status line is out: all that is left is to cut. */
static void
report_slow_reader(struct connection *connection)
{
    struct diag diag = {.code = ERR_NONE};
    const struct status st =
        FAIL(&diag, ERR_LIMIT_TIME, "the answer was taken too slowly: %llu of %llu bytes; cut off",
             (unsigned long long)answer_progress(connection),
             (unsigned long long)connection->answer.size);
    (void)st;
    connection_report(connection, &diag);
}

static void
report_status_late(struct connection *connection)
{
    struct diag diag = {.code = ERR_NONE};
    const struct status st =
        FAIL(&diag, ERR_PEER_STATUS, "the status of certificate '%s' was not known within %lld ms",
             connection->peer->subject,
             (long long)(options_of(connection)->status_timeout_us / US_PER_MS));
    (void)st;
    connection_report(connection, &diag);
    parking_end(connection);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;
    const struct net_options *options = options_of(connection);
    (void)fd;
    (void)what;
    switch (connection->state) {
    case CONNECTION_HELLO:
    case CONNECTION_HANDSHAKE:
        report_handshake(connection, "no end of the handshake in time");
        connection_close(connection);
        return;
    case CONNECTION_PARKED:
        report_status_late(connection);
        connection_linger(connection);
        return;
    case CONNECTION_HEAD:
        refuse_slow(connection, "head of the request", options->head_timeout_us);
        return;
    case CONNECTION_BODY:
        if (!keeps_rate(connection, connection->body_reader.total)) {
            refuse_slow(connection, "body of the request", options->body_stall_us);
        }
        return;
    case CONNECTION_ANSWER:
        if (!keeps_rate(connection, answer_progress(connection))) {
            report_slow_reader(connection);
            break;
        }
        return;
    case CONNECTION_IDLE:
    case CONNECTION_HANDLER:
    case CONNECTION_LINGER:
        break;
    }
    connection_close(connection);
}

/* ---- what opening.c hooks in ---- */

bool
connection_make_timer(struct connection *connection)
{
    connection->timer = evtimer_new(connection->loop->base, on_timer, connection);
    return connection->timer != NULL;
}

void
connection_hook(struct connection *connection)
{
    bufferevent_setcb(connection->stream, on_read, on_write, on_event, connection);
    bufferevent_setwatermark(connection->stream, EV_WRITE, OUTPUT_LOW, 0);
}

/* ---- all of a loop ---- */

void
connections_stop(struct loop *loop)
{
    struct connection *next = NULL;
    for (struct connection *connection = loop->connections; connection != NULL; connection = next) {
        next = connection->next;
        const bool is_idle = connection->state == CONNECTION_HELLO ||
                             connection->state == CONNECTION_HANDSHAKE ||
                             connection->state == CONNECTION_PARKED ||
                             (connection->state == CONNECTION_IDLE &&
                              evbuffer_get_length(bufferevent_get_input(connection->stream)) == 0);
        if (is_idle) {
            connection_close(connection);
        }
    }
}

void
connections_close(struct loop *loop)
{
    while (loop->connections != NULL) {
        connection_close(loop->connections);
    }
}

#define RECHECKS_A_TURN 16 /* each verifies a chain; then the other events have their turn */

bool
connections_recheck(struct loop *loop)
{
    struct connection *next = NULL;
    size_t n = 0;
    for (struct connection *connection = loop->connections; connection != NULL; connection = next) {
        next = connection->next;
        /* a handshake is judged when it ends */
        const bool is_old = connection->generation != loop->terms->generation &&
                            connection->state != CONNECTION_HELLO &&
                            connection->state != CONNECTION_HANDSHAKE;
        if (is_old && n++ == RECHECKS_A_TURN) {
            return false;
        }
        const bool is_kept = !is_old || connection_recheck(connection);
        (void)is_kept; /* if not, it is gone or about to go: nothing is left to do for it */
    }
    return true;
}
