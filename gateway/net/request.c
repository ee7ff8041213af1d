/*
 * From bytes to a request: feeds the parser with what a connection's input buffer holds, collects
 * the body, gives the request to the handler. Called on the loop's thread when bytes came or an
 * answer was finished. Every function that may free the connection says so by its result: false
 * means "stop, and do not touch it".
 */
#include <string.h>

#include <openssl/err.h>

#include "base/mem.h"
#include "net/connection.h"

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

static const struct net_options *
options_of(const struct connection *connection)
{
    return &connection->loop->terms->options;
}

static char *
copy_text(struct span text)
{
    char *copy = mem_alloc(text.n + 1);
    if (copy != NULL && text.n > 0) {
        memcpy(copy, text.p, text.n);
    }
    return copy;
}

/* Takes the request's facts out of the head: its bytes go with the input buffer. */
static struct status
make_exchange(struct connection *connection, const struct http1_head *head, struct diag *diag)
{
    struct loop *loop = connection->loop;
    struct exchange *exchange = mem_alloc(sizeof(*exchange));
    if (exchange == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a request");
    }
    exchange->mailbox = mailbox_ref(loop->mailbox);
    exchange->server = loop->server;
    exchange->connection = connection;
    watch_open(&exchange->watch);
    exchange->request = (struct net_request){
        .listener = connection->listener->kind,
        .method = head->method,
        .path = copy_text(head->path),
        .content_type = copy_text(head->content_type),
        .peer_address = mem_strdup(connection->peer_address),
        .identity = exchange->identity,
        .peer = connection->peer,
        .id = atomic_fetch_add(&loop->server->requests_n, 1) + 1,
    };
    memcpy(exchange->identity, connection->identity, sizeof(exchange->identity));
    body_init(&exchange->request.body);
    body_init(&exchange->answer);
    connection->exchange = exchange;
    if (exchange->request.path == NULL || exchange->request.content_type == NULL ||
        exchange->request.peer_address == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a request");
    }
    return OK;
}

/* The request is complete. It is the handler's from here on, which may have answered already when
 * it returns: the answer waits in the mailbox. */
static void
dispatch(struct connection *connection)
{
    if (!connection_recheck(connection)) {
        return; /* a reload came while it was being read */
    }
    const struct net_options *options = options_of(connection);
    struct net_request *request = &connection->exchange->request;
    struct diag diag = {.code = ERR_NONE};
    if (!is_ok(sink_finish(&connection->body, &diag, &request->body))) {
        connection_refuse(connection, &diag);
        return;
    }
    connection->state = CONNECTION_HANDLER;
    connection_clear_timer(connection);
    (void)bufferevent_disable(connection->stream, EV_READ);
    options->handler(options->handler_arg, request);
    ERR_clear_error(); /* libevent would take what is left there for an error of its next call */
}

static void
start_body(struct connection *connection, const struct http1_head *head)
{
    const int64_t left_us = connection->limit_us - clock_mono_us(options_of(connection)->clock);
    http1_body_init(&connection->body_reader, head, connection->loop->terms->body_limit);
    sink_done(&connection->body);
    sink_init(&connection->body, options_of(connection)->spool,
              connection->loop->terms->body_limit);
    connection->state = CONNECTION_BODY;
    connection_start_window(connection, left_us);
    const bool has_come = evbuffer_get_length(bufferevent_get_input(connection->stream)) > 0;
    const bool is_awaited = head->is_chunked || head->content_length > 0;
    if (head->wants_continue && is_awaited && !has_come) { /* RFC 9110 10.1.1 */
        (void)bufferevent_write(connection->stream, CONTINUE, sizeof(CONTINUE) - 1);
    }
}

/* The parser reads a head from its start each time: only when it could get further. */
static bool
may_be_whole(struct connection *connection, struct evbuffer *input, size_t n)
{
    struct evbuffer_ptr from;
    const size_t seen = connection->head_seen;
    connection->head_seen = n;
    if (n >= options_of(connection)->head_limit || seen >= n) {
        return true;
    }
    if (evbuffer_ptr_set(input, &from, seen, EVBUFFER_PTR_SET) != 0) {
        return true;
    }
    return evbuffer_search(input, "\n", 1, &from).pos >= 0;
}

/* Has its identity room for one more request? Refused before content is read or looked at. */
static struct status
check_numbers(struct connection *connection, struct diag *diag)
{
    struct net_server *server = connection->loop->server;
    const struct net_options *options = options_of(connection);
    if (connection->identity[0] == '\0') {
        return OK;
    }
    const int64_t wait_us =
        rate_wait_us(server->failures, connection->identity, clock_mono_us(options->clock));
    if (wait_us > 0) {
        connection->retry_after_s = (unsigned)(wait_us / US_PER_S) + 1;
        return FAIL(diag, ERR_LIMIT_FAILURES,
                    "'%s' has had %zu requests refused within a minute; the next may come in %u s",
                    connection->identity, options->failures_per_minute, connection->retry_after_s);
    }
    connection->is_request_in_quota =
        quota_take(server->in_flight, connection->identity, options->requests_per_identity);
    if (!connection->is_request_in_quota) {
        return FAIL(diag, ERR_LIMIT_REQUESTS, "'%s' has %zu requests in work, as many as allowed",
                    connection->identity, options->requests_per_identity);
    }
    return OK;
}

static bool
accept_head(struct connection *connection, struct evbuffer *input, const struct http1_head *head,
            size_t used)
{
    struct diag diag = {.code = ERR_NONE};
    const struct net_options *options = options_of(connection);
    const int64_t age_us = clock_mono_us(options->clock) - connection->opened_us;
    connection->closes = head->wants_close || age_us >= options->connection_timeout_us;
    struct status st = check_numbers(connection, &diag);
    if (is_ok(st)) {
        st = make_exchange(connection, head, &diag);
    }
    if (!is_ok(st)) {
        connection_refuse(connection, &diag);
        return false;
    }
    (void)evbuffer_drain(input, used); /* the head's spans end here */
    if (!head->has_body) {
        dispatch(connection);
        return false;
    }
    start_body(connection, head);
    return true;
}

/* True when the body may be read next. */
static bool
read_head(struct connection *connection)
{
    struct evbuffer *input = bufferevent_get_input(connection->stream);
    const struct http1_limits limits = {options_of(connection)->head_limit,
                                        connection->loop->terms->body_limit};
    const size_t n = evbuffer_get_length(input);
    const size_t readable = n < limits.head_bytes ? n : limits.head_bytes;
    enum http1_progress progress = HTTP1_MORE;
    struct diag diag = {.code = ERR_NONE};
    struct http1_head head;
    size_t used = 0;
    if (n == 0 || !may_be_whole(connection, input, n)) {
        return false;
    }
    const char *bytes = (const char *)evbuffer_pullup(input, (ev_ssize_t)readable);
    const struct status st =
        bytes == NULL
            ? FAIL(&diag, ERR_NO_MEMORY, "no memory for the head of a request")
            : http1_read_head(span_of(bytes, readable), &limits, &diag, &progress, &used, &head);
    if (!is_ok(st)) {
        connection_refuse(connection, &diag);
        return false;
    }
    return progress == HTTP1_COMPLETE && accept_head(connection, input, &head, used);
}

static bool
start_head(struct connection *connection)
{
    if (evbuffer_get_length(bufferevent_get_input(connection->stream)) == 0) {
        return false;
    }
    connection->state = CONNECTION_HEAD;
    connection->head_seen = 0;
    connection->retry_after_s = 0;
    connection->limit_us =
        clock_mono_us(options_of(connection)->clock) + options_of(connection)->request_timeout_us;
    connection_set_timer(connection, options_of(connection)->head_timeout_us);
    return true;
}

/* Feeds the first contiguous piece of the input. */
static struct status
feed_piece(struct connection *connection, struct evbuffer *input, struct diag *diag,
           enum http1_progress *ret_progress)
{
    struct evbuffer_iovec piece = {NULL, 0};
    struct span data = SPAN_EMPTY;
    (void)evbuffer_peek(input, -1, NULL, &piece, 1);
    struct span rest = span_of(piece.iov_base, piece.iov_len);
    TRY(http1_body_feed(&connection->body_reader, &rest, diag, ret_progress, &data));
    if (data.n > 0) {
        TRY(sink_append(&connection->body, data, diag));
    }
    (void)evbuffer_drain(input, piece.iov_len - rest.n);
    return OK;
}

/* Never true: after a body comes the handler. */
static bool
read_body(struct connection *connection)
{
    struct evbuffer *input = bufferevent_get_input(connection->stream);
    enum http1_progress progress = HTTP1_MORE;
    struct diag diag = {.code = ERR_NONE};
    do { /* at least once: a body of no bytes is complete before any has come */
        const struct status st = feed_piece(connection, input, &diag, &progress);
        if (!is_ok(st)) {
            connection_refuse(connection, &diag);
            return false;
        }
    } while (progress == HTTP1_MORE && evbuffer_get_length(input) > 0);
    if (progress == HTTP1_COMPLETE) {
        dispatch(connection);
    }
    return false;
}

void
request_read(struct connection *connection)
{
    bool goes_on = true;
    while (goes_on) {
        struct evbuffer *input = bufferevent_get_input(connection->stream);
        switch (connection->state) {
        case CONNECTION_IDLE:
            goes_on = start_head(connection);
            break;
        case CONNECTION_HEAD:
            goes_on = read_head(connection);
            break;
        case CONNECTION_BODY:
            goes_on = read_body(connection);
            break;
        case CONNECTION_LINGER:
            (void)evbuffer_drain(input, evbuffer_get_length(input));
            goes_on = false;
            break;
        case CONNECTION_HANDSHAKE:
        case CONNECTION_PARKED:
        case CONNECTION_HANDLER:
        case CONNECTION_ANSWER:
            goes_on = false;
            break;
        }
    }
}
