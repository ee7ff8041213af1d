/*
 * Answers: net_answer and net_drop post them from any thread to the connection's loop; there the
 * body is written piece by piece, as fast as the peer takes it, so that its size never is the size
 * of our memory. All but net_answer, net_drop and exchange_free run on the loop's thread.
 */
#include <assert.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/mem.h"
#include "net/connection.h"

#define PIECE_BYTES ((size_t)32 * 1024)
#define OUTPUT_HIGH ((size_t)64 * 1024) /* no more of an answer waits in memory */
#define HEAD_BYTES  2048                /* of an answer */

static const struct net_options *
options_of(const struct connection *connection)
{
    return &connection->loop->terms->options;
}

/* ---- from other threads ---- */

void
exchange_free(struct exchange *exchange)
{
    if (exchange == NULL) {
        return;
    }
    mem_free(exchange->request.path);
    mem_free(exchange->request.query);
    mem_free(exchange->request.content_type);
    mem_free(exchange->request.peer_address);
    body_done(&exchange->request.body);
    body_done(&exchange->answer);
    watch_close(&exchange->watch);
    certificate_free(exchange->peer);
    mailbox_unref(exchange->mailbox);
    mem_free(exchange);
}

/* Not in exchange_free: a late answer may come when the server is gone. */
void
exchange_release(struct exchange *exchange)
{
    struct net_server *server = exchange->server;
    load_hold(&server->load, &exchange->held, 0);
    if (exchange->is_in_load) {
        exchange->is_in_load = false;
        load_end(&server->load);
    }
    if (exchange->is_in_quota) {
        exchange->is_in_quota = false;
        quota_give(server->in_flight, exchange->identity);
    }
}

/* RFC 9110 15.5.6: a handler that refuses a GET offers POST, and the other way round. */
static const char *
allowed_methods(const struct exchange *exchange)
{
    if (exchange->status != 405) {
        return NULL;
    }
    return exchange->request.method == HTTP1_GET ? "POST" : "GET";
}

static void answer_begin(struct connection *connection, int status, const char *content_type,
                         const char *allow, struct body *body, bool may_end);

static void
deliver(struct letter *letter)
{
    struct exchange *exchange =
        (struct exchange *)((char *)letter - offsetof(struct exchange, letter));
    struct connection *connection = exchange->connection;
    exchange_release(exchange);
    if (connection != NULL) {
        assert(connection->exchange == exchange && connection->state == CONNECTION_HANDLER);
        connection->exchange = NULL;
        watch_forget(connection);
        if (exchange->status == 0) {
            connection_close(connection);
        } else {
            answer_begin(connection, exchange->status, exchange->content_type,
                         allowed_methods(exchange), &exchange->answer, true);
        }
    }
    exchange_free(exchange);
}

static void
post_back(struct exchange *exchange)
{
    watch_end(&exchange->watch);
    exchange->letter.deliver = deliver;
    if (!mailbox_post(exchange->mailbox, &exchange->letter) && !watch_adopt(&exchange->watch)) {
        exchange_free(exchange); /* the loop has ended, and the connection before it */
    }
}

void
net_answer(struct net_request *request, int status, const char *content_type, struct body *body)
{
    struct exchange *exchange = (struct exchange *)request;
    const size_t n = strlen(content_type);
    assert(status >= 200 && status <= 599 && n < sizeof(exchange->content_type));
    memcpy(exchange->content_type, content_type, n + 1);
    exchange->status = status;
    body_move(&exchange->answer, body);
    post_back(exchange);
}

void
net_drop(struct net_request *request)
{
    struct exchange *exchange = (struct exchange *)request;
    exchange->status = 0;
    post_back(exchange);
}

/* ---- on the loop ---- */

static struct status
take_piece(struct connection *connection, struct evbuffer *output, struct diag *diag)
{
    struct evbuffer_iovec room;
    size_t n = 0;
    if (evbuffer_reserve_space(output, (ev_ssize_t)PIECE_BYTES, &room, 1) != 1) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a piece of an answer");
    }
    TRY(body_read(&connection->answer, connection->answer_taken, room.iov_base,
                  room.iov_len < PIECE_BYTES ? room.iov_len : PIECE_BYTES, diag, &n));
    room.iov_len = n;
    if (evbuffer_commit_space(output, &room, 1) != 0) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a piece of an answer");
    }
    connection->answer_taken += n;
    connection->output_total += n;
    return OK;
}

static void
finish(struct connection *connection)
{
    body_done(&connection->answer);
    load_hold(&connection->loop->server->load, &connection->held, 0);
    if (connection->closes) {
        connection_linger(connection);
        return;
    }
    connection_await_request(connection);
    request_read(connection); /* pipelined bytes may be there already: no event tells of them */
}

static void
cut(struct connection *connection, const struct diag *diag)
{
    connection_report(connection, diag);
    connection_close(connection);
}

/* What the kernel has taken is not what the peer has taken: it buffers megabytes for a slow reader,
 * and then for a long time takes nothing, however steadily the peer reads. */
uint64_t
answer_progress(const struct connection *connection)
{
    const uint64_t given =
        connection->output_total - evbuffer_get_length(bufferevent_get_output(connection->stream));
    int unacknowledged = 0;
    if (ioctl(bufferevent_getfd(connection->stream), SIOCOUTQ, &unacknowledged) != 0 ||
        unacknowledged < 0) {
        return given;
    }
    return given > (uint64_t)unacknowledged ? given - (uint64_t)unacknowledged : 0;
}

void
answer_continue(struct connection *connection)
{
    struct evbuffer *output = bufferevent_get_output(connection->stream);
    struct diag diag = {.code = ERR_NONE};
    if (connection->state != CONNECTION_ANSWER) {
        return; /* "100 Continue" went out */
    }
    while (connection->answer_taken < connection->answer.size &&
           evbuffer_get_length(output) < OUTPUT_HIGH) {
        if (!is_ok(take_piece(connection, output, &diag))) {
            cut(connection, &diag); /* the length is promised: all that is left */
            return;
        }
    }
    if (connection->answer_taken == connection->answer.size && evbuffer_get_length(output) == 0) {
        finish(connection);
    }
}

/* Every 503 says when to come back; a limit may know better than a second. */
static unsigned
retry_after_s(const struct connection *connection)
{
    return connection->retry_after_s > 0 ? connection->retry_after_s : 1;
}

/* From here on its time runs and its bytes count. */
static void
go_piecewise(struct connection *connection)
{
    load_hold(&connection->loop->server->load, &connection->held,
              connection->answer.kind == BODY_MEMORY ? connection->answer.memory.capacity
                                                     : body_memory(&connection->answer));
    connection_start_window(connection, options_of(connection)->answer_timeout_us);
}

static struct status
write_head(struct connection *connection, struct span head, struct diag *diag)
{
    if (bufferevent_write(connection->stream, head.p, head.n) != 0) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the head of an answer");
    }
    connection->output_total += head.n;
    return OK;
}

/* <may_end>: the answer may be over when this returns. Not where a request is being read: one that
 * is pipelined behind it would be read inside of that, and so on. */
static void
write_answer(struct connection *connection, struct span head, bool may_end)
{
    const enum record_verdict verdict = may_end ? record_write(connection, head) : RECORD_NOT_FIT;
    struct diag diag = {.code = ERR_NONE};
    struct status st = OK;
    switch (verdict) {
    case RECORD_WRITTEN:
        finish(connection);
        return;
    case RECORD_WAITS:
        break;
    case RECORD_NOT_FIT:
        st = write_head(connection, head, &diag);
        break;
    case RECORD_LOST:
        st = FAIL(&diag, ERR_NO_MEMORY, "no memory for an answer that the kernel has no room for");
        break;
    }
    if (!is_ok(st)) {
        cut(connection, &diag);
        return;
    }
    go_piecewise(connection);
    answer_continue(connection);
}

static void
answer_begin(struct connection *connection, int status, const char *content_type, const char *allow,
             struct body *body, bool may_end)
{
    struct diag diag = {.code = ERR_NONE};
    CLEANUP(buf_done) struct buf head;
    buf_init(&head, HEAD_BYTES);
    connection->closes = connection->closes || connection->loop->is_stopping;
    connection->state = CONNECTION_ANSWER;
    connection->answer_taken = 0;
    connection->output_total = evbuffer_get_length(bufferevent_get_output(connection->stream));
    body_move(&connection->answer, body);
    const struct http1_answer answer = {
        .status = status,
        .content_type = content_type,
        .content_length = connection->answer.size,
        .allow = allow,
        .retry_after_s = status == 503 ? retry_after_s(connection) : 0,
        .closes = connection->closes,
        .now_us = clock_wall_us(options_of(connection)->clock),
    };
    if (!is_ok(http1_write_answer(&answer, &head, &diag))) {
        cut(connection, &diag);
        return;
    }
    write_answer(connection, buf_span(&head), may_end);
}

void
answer_start(struct connection *connection, int status, const char *content_type, const char *allow,
             struct body *body)
{
    answer_begin(connection, status, content_type, allow, body, false);
}
