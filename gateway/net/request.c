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

#define CONTINUE       "HTTP/1.1 100 Continue\r\n\r\n"
#define SHED_BYTES_MAX ((uint64_t)256 * 1024) /* of a body that is read and forgotten */

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
        .listener = connection->kind,
        .method = head->method,
        .path = copy_text(head->path),
        .query = copy_text(head->query),
        .content_type = copy_text(head->content_type),
        .peer_address = mem_strdup(connection->peer_address),
        .identity = exchange->identity,
        .peer = connection->peer,
        .id = atomic_fetch_add(&loop->server->requests_n, 1) + 1,
    };
    memcpy(exchange->identity, connection->identity, sizeof(exchange->identity));
    exchange->is_in_quota = connection->is_request_in_quota;
    exchange->is_in_load = connection->is_request_in_load;
    connection->is_request_in_quota = connection->is_request_in_load = false;
    body_init(&exchange->request.body);
    body_init(&exchange->answer);
    connection->exchange = exchange;
    if (exchange->request.path == NULL || exchange->request.query == NULL ||
        exchange->request.content_type == NULL || exchange->request.peer_address == NULL) {
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
    if (request->body.kind != BODY_MEMORY) {
        load_hold(&connection->loop->server->load, &connection->held, 0);
    }
    connection->exchange->held = connection->held;
    connection->held = 0;
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

/* Has the node room for one more? The admin listener is how an operator looks at a node that has
 * not. */
static struct status
check_load(struct connection *connection, const struct http1_head *head, struct diag *diag)
{
    if (connection->kind == NET_ADMIN) {
        return OK;
    }
    const struct status st =
        load_begin(&connection->loop->server->load, options_of(connection),
                   head->is_chunked ? 0 : head->content_length, diag, &connection->retry_after_s);
    connection->is_request_in_load = is_ok(st);
    return st;
}

/* A new handshake would cost more than the little that is left to read: the connection stays. */
static bool
may_read_past(const struct http1_head *head)
{
    return !head->has_body ||
           (!head->is_chunked && !head->wants_continue && head->content_length <= SHED_BYTES_MAX);
}

static void
answer_shed(struct connection *connection)
{
    struct diag ignored = {.code = ERR_NONE};
    struct buf text;
    struct body body;
    connection->sheds = false;
    connection_release_request(connection);
    buf_init(&text, DIAG_TEXT_MAX);
    if (!is_ok(buf_printf(&text, &ignored, "%s\n", err_public_text(ERR_OVERLOAD)))) {
        connection_close(connection);
        return;
    }
    body_from_buf(&body, &text);
    (void)bufferevent_disable(connection->stream, EV_READ);
    answer_start(connection, err_http_status(ERR_OVERLOAD), "text/plain; charset=utf-8", NULL,
                 &body);
}

/* Refused for overload, or for what is wrong with it. True: its body is to be read and forgotten.
 */
static bool
refuse_head(struct connection *connection, struct evbuffer *input, const struct http1_head *head,
            size_t used, const struct diag *diag)
{
    if (diag->code != ERR_OVERLOAD || !may_read_past(head)) {
        connection_refuse(connection, diag);
        return false;
    }
    connection_report(connection, diag);
    (void)evbuffer_drain(input, used);
    if (!head->has_body) {
        answer_shed(connection);
        return false;
    }
    connection->sheds = true;
    start_body(connection, head);
    return true;
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
        st = check_load(connection, head, &diag);
    }
    if (is_ok(st)) {
        st = make_exchange(connection, head, &diag);
    }
    if (!is_ok(st)) {
        return refuse_head(connection, input, head, used, &diag);
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

static struct status
keep_piece(struct connection *connection, struct span data, struct diag *diag)
{
    struct load *load = &connection->loop->server->load;
    const size_t before = connection->held;
    TRY(sink_append(&connection->body, data, diag));
    load_hold(load, &connection->held, connection->body.memory.capacity);
    return connection->held > before && connection->kind != NET_ADMIN
               ? load_check_bytes(load, options_of(connection), diag)
               : OK;
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
    if (data.n > 0 && !connection->sheds) {
        TRY(keep_piece(connection, data, diag));
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
    if (progress == HTTP1_COMPLETE && connection->sheds) {
        answer_shed(connection);
    } else if (progress == HTTP1_COMPLETE) {
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
        case CONNECTION_HELLO:
        case CONNECTION_HANDSHAKE:
        case CONNECTION_PARKED:
        case CONNECTION_HANDLER:
        case CONNECTION_ANSWER:
            goes_on = false;
            break;
        }
    }
}
