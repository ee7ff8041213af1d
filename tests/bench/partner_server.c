/*
 * Connections of simulated partners: a request is read to its end, a timer waits for as long as the
 * distribution says, the answer goes out with the ids of its request. Large documents are fed by
 * the write callback from one block that all share. Called by partner.c's loop.
 */
#include "tests/bench/partner_server.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/mem.h"

#define REQUEST_MAX  ((size_t)4 * 1024 * 1024)
#define HEAD_ROOM    ((size_t)4096)
#define BLOCK        ((size_t)65536)
#define OUTPUT_LOW   ((size_t)131072)
#define ANSWER_LIMIT ((size_t)64 * 1024 * 1024)

struct partner_port {
    struct simulation *simulation;
    size_t number;
    enum mode mode;
    int fd;
    SSL_CTX *tls;
    struct event *accepting;
    bool is_made[SOAP_TRANSACTION_COUNT];
    struct partner_answer answers[SOAP_TRANSACTION_COUNT];
};

/* One connection. */
struct guest {
    struct partner_port *port;
    struct bufferevent *stream;
    struct event *timer;
    struct buf request; /* body of the request that is being answered */
    struct buf reply;   /* head and body, or what stands before a large document */
    struct span after;  /* what stands behind it */
    uint64_t left;      /* of the document */
    size_t sent;        /* MODE_SLOW */
    bool is_answering;
};

static char block[BLOCK];

static void
guest_free(struct guest *guest)
{
    if (guest->timer != NULL) {
        event_free(guest->timer);
    }
    if (guest->stream != NULL) {
        bufferevent_free(guest->stream);
    }
    buf_done(&guest->request);
    buf_done(&guest->reply);
    mem_free(guest);
}

/* ---- answers ---- */

/* The text of wsa:MessageID, whatever its prefix and attributes. */
static struct span
message_id_of(struct span request)
{
    const size_t at = span_find(request, SPAN("MessageID"));
    const struct span rest = span_slice(request, at == SPAN_MISSING ? request.n : at, SIZE_MAX);
    const size_t open = span_find_char(rest, '>');
    const struct span text = span_slice(rest, open == SPAN_MISSING ? rest.n : open + 1, SIZE_MAX);
    return span_slice(text, 0, span_find_char(text, '<'));
}

static struct status
write_reply(struct guest *guest, const struct partner_answer *answer, struct span relates_to,
            struct diag *diag)
{
    static uint64_t counter;
    char message_id[PARTNER_MESSAGE_ID + 1];
    if (relates_to.n != PARTNER_MESSAGE_ID) {
        return FAIL(diag, ERR_MESSAGE_CONTENT, "a MessageID of %zu bytes", relates_to.n);
    }
    (void)snprintf(message_id, sizeof(message_id), "urn:uuid:00000000-0000-4000-8000-%012llx",
                   (unsigned long long)++counter);
    TRY(buf_printf(
        &guest->reply, diag, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %llu\r\n\r\n",
        answer->content_type,
        (unsigned long long)(answer->before.n + answer->document_bytes + answer->after.n)));
    const size_t body_at = guest->reply.n;
    TRY(buf_append(&guest->reply, answer->before, diag));
    memcpy(guest->reply.p + body_at + answer->relates_at, relates_to.p, PARTNER_MESSAGE_ID);
    memcpy(guest->reply.p + body_at + answer->message_at, message_id, PARTNER_MESSAGE_ID);
    guest->left = answer->document_bytes;
    guest->after = answer->after;
    return OK;
}

static struct status
write_discovery(struct guest *guest, struct span content_type, struct diag *diag)
{
    CLEANUP(buf_done) struct buf body;
    buf_init(&body, ANSWER_LIMIT);
    TRY(partner_discovery(guest->port->number, buf_span(&guest->request), content_type, &body,
                          diag));
    TRY(buf_printf(&guest->reply, diag,
                   "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml; charset=UTF-8\r\n"
                   "Content-Length: %zu\r\n\r\n",
                   body.n));
    return buf_append(&guest->reply, buf_span(&body), diag);
}

/* Before anything else is done with it: it has come. */
static void
note_question(const struct simulation *simulation, struct span message_id)
{
    char line[256];
    const int n = snprintf(line, sizeof(line), "%.*s\n", SPAN_PRINT(message_id));
    if (simulation->questions_fd != -1 && n > 0 && n < (int)sizeof(line) &&
        write(simulation->questions_fd, line, (size_t)n) != n) {
        fprintf(stderr, "partner: a question could not be noted: %s\n", strerror(errno));
        abort();
    }
}

static struct status
prepare_reply(struct guest *guest, struct span path, struct span content_type, struct diag *diag)
{
    struct partner_port *const port = guest->port;
    enum soap_transaction transaction = SOAP_ITI_55;
    if (span_eq_cstr(path, "/xca/query")) {
        transaction = SOAP_ITI_38;
    } else if (span_eq_cstr(path, "/xca/retrieve")) {
        transaction = SOAP_ITI_39;
    }
    note_question(port->simulation, message_id_of(buf_span(&guest->request)));
    buf_init(&guest->reply, ANSWER_LIMIT);
    if (transaction == SOAP_ITI_55) {
        return write_discovery(guest, content_type, diag);
    }
    if (!port->is_made[transaction]) {
        TRY(partner_answer_make(port->number, transaction, &port->simulation->terms,
                                port->simulation->arena, diag, &port->answers[transaction]));
        port->is_made[transaction] = true;
    }
    return write_reply(guest, &port->answers[transaction], message_id_of(buf_span(&guest->request)),
                       diag);
}

/* ---- sending ---- */

static void
reset(struct guest *guest)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(bufferevent_getfd(guest->stream), SOL_SOCKET, SO_LINGER, &at_once,
                     sizeof(at_once));
    guest_free(guest);
}

/* The rest of a large document, as fast as it goes out. */
static void
feed(struct guest *guest)
{
    struct evbuffer *const output = bufferevent_get_output(guest->stream);
    while (guest->left > 0 && evbuffer_get_length(output) < OUTPUT_LOW) {
        const size_t n = guest->left < BLOCK ? (size_t)guest->left : BLOCK;
        (void)evbuffer_add_reference(output, block, n, NULL, NULL);
        guest->left -= n;
        if (guest->left == 0) {
            (void)evbuffer_add(output, guest->after.p, guest->after.n);
            guest->after = SPAN_EMPTY;
        }
    }
}

static void
again_in(struct guest *guest, int64_t us)
{
    const struct timeval time = {.tv_sec = us / US_PER_S, .tv_usec = us % US_PER_S};
    (void)event_add(guest->timer, &time);
}

static void
send_reply(struct guest *guest)
{
    (void)bufferevent_write(guest->stream, guest->reply.p, guest->reply.n);
    buf_done(&guest->reply);
    buf_done(&guest->request);
    guest->is_answering = false;
    feed(guest);
}

static void
misbehave(struct guest *guest)
{
    const struct span reply = buf_span(&guest->reply);
    switch (guest->port->mode) {
    case MODE_SLOW:
        (void)bufferevent_write(guest->stream, reply.p + guest->sent % reply.n, 1);
        guest->sent++;
        again_in(guest, US_PER_S);
        return;
    case MODE_ENDLESS:
        if (guest->sent++ == 0) {
            static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml; "
                                       "charset=UTF-8\r\nContent-Length: 1000000000000\r\n\r\n";
            (void)bufferevent_write(guest->stream, head, sizeof(head) - 1);
        }
        guest->left = UINT64_C(1000000000000);
        feed(guest);
        return;
    case MODE_RESET:
        if (guest->sent++ == 0) {
            (void)bufferevent_write(guest->stream, reply.p, reply.n / 2);
            again_in(guest, 20000);
        } else {
            reset(guest);
        }
        return;
    case MODE_GOOD:
    case MODE_SILENT:
    case MODE_EXPIRED:
    case MODE_DROP:
        break;
    }
    send_reply(guest);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    misbehave(arg);
}

/* ---- requests ---- */

static struct span
header_of(struct span head, const char *name)
{
    struct span line;
    while (span_split(&head, '\n', &line)) {
        const struct span key = span_slice(line, 0, span_find_char(line, ':'));
        if (span_eq_nocase(key, span_of_cstr(name))) {
            return span_trim(span_slice(line, key.n + 1, SIZE_MAX));
        }
    }
    return SPAN_EMPTY;
}

/* False: not all of the request is there. */
static bool
take_request(struct guest *guest, struct span *ret_path, struct span *ret_content_type,
             char head[HEAD_ROOM], struct diag *diag)
{
    struct evbuffer *const input = bufferevent_get_input(guest->stream);
    const size_t have = evbuffer_get_length(input);
    const ev_ssize_t n = evbuffer_copyout(input, head, have < HEAD_ROOM ? have : HEAD_ROOM);
    const size_t end = n < 0 ? SPAN_MISSING : span_find(span_of(head, (size_t)n), SPAN("\r\n\r\n"));
    uint64_t length = 0;
    char *room = NULL;
    if (end == SPAN_MISSING) {
        return false;
    }
    const struct span seen = span_of(head, end);
    if (!span_to_u64(header_of(seen, "Content-Length"), REQUEST_MAX, &length) ||
        have < end + 4 + length) {
        return false;
    }
    buf_init(&guest->request, REQUEST_MAX);
    (void)evbuffer_drain(input, end + 4);
    if (!is_ok(buf_reserve(&guest->request, (size_t)length, diag, &room))) {
        return false;
    }
    guest->request.n = (size_t)evbuffer_remove(input, room, (size_t)length);
    const struct span rest = span_slice(seen, strlen("POST "), SIZE_MAX);
    *ret_path = span_slice(rest, 0, span_find_char(rest, ' '));
    *ret_content_type = header_of(seen, "Content-Type");
    return true;
}

static void
on_read(struct bufferevent *stream, void *arg)
{
    struct guest *const guest = arg;
    struct diag diag = {.code = ERR_NONE};
    struct span path, content_type;
    char head[HEAD_ROOM];
    (void)stream;
    if (guest->is_answering || !take_request(guest, &path, &content_type, head, &diag)) {
        return;
    }
    guest->is_answering = true;
    guest->sent = 0;
    if (!is_ok(prepare_reply(guest, path, content_type, &diag))) {
        fprintf(stderr, "partner %zu: %s\n", guest->port->number, diag.text);
        guest_free(guest);
        return;
    }
    const int64_t wait_us = latency_draw(&guest->port->simulation->latency);
    if (wait_us > 0) {
        again_in(guest, wait_us);
    } else {
        misbehave(guest);
    }
}

static void
on_write(struct bufferevent *stream, void *arg)
{
    struct guest *const guest = arg;
    (void)stream;
    feed(guest);
}

static void
on_event(struct bufferevent *stream, short what, void *arg)
{
    (void)stream;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) {
        guest_free(arg);
    }
}

static void
on_accept(evutil_socket_t listener, short what, void *arg)
{
    struct partner_port *const port = arg;
    const int on = 1;
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    (void)what;
    if (fd < 0 || port->mode == MODE_SILENT) {
        return; /* stays open, and nobody looks at it */
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct guest *const guest = mem_alloc(sizeof(*guest));
    SSL *const ssl = guest == NULL ? NULL : SSL_new(port->tls);
    if (ssl == NULL) {
        (void)close(fd);
        mem_free(guest);
        return;
    }
    guest->port = port;
    guest->timer = evtimer_new(port->simulation->base, on_timer, guest);
    guest->stream = bufferevent_openssl_socket_new(
        port->simulation->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (guest->timer == NULL || guest->stream == NULL) {
        guest_free(guest);
        return;
    }
    bufferevent_setcb(guest->stream, on_read, on_write, on_event, guest);
    bufferevent_setwatermark(guest->stream, EV_WRITE, OUTPUT_LOW / 2, 0);
    (void)bufferevent_enable(guest->stream, EV_READ | EV_WRITE);
}

/* ---- ports ---- */

static struct status
make_context(struct partner_port *port, const struct partner_plan *plan, struct diag *diag)
{
    char name[PARTNER_NAME_MAX];
    char paths[3][PATH_MAX];
    partner_name(port->number, name);
    (void)snprintf(paths[0], PATH_MAX, "%s/%s%s.pem", plan->sim_dir, name,
                   port->mode == MODE_EXPIRED ? "-expired" : "");
    (void)snprintf(paths[1], PATH_MAX, "%s/%s.key", plan->sim_dir, name);
    (void)snprintf(paths[2], PATH_MAX, "%s/ca.pem", plan->ca_dir);
    port->tls = SSL_CTX_new(TLS_server_method());
    if (port->tls == NULL || SSL_CTX_set_min_proto_version(port->tls, TLS1_2_VERSION) != 1 ||
        SSL_CTX_use_certificate_file(port->tls, paths[0], SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(port->tls, paths[1], SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_load_verify_file(port->tls, paths[2]) != 1) {
        return FAIL(diag, ERR_CRYPTO, "the credential of %s in %s", name, plan->sim_dir);
    }
    SSL_CTX_set_verify(port->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    (void)SSL_CTX_set_num_tickets(port->tls, 0);
    (void)SSL_CTX_set_mode(port->tls, SSL_MODE_RELEASE_BUFFERS);
    return OK;
}

/* Nobody takes connections, and the queue is full: the kernel drops every further SYN. */
static void
fill_backlog(const struct sockaddr_in *address)
{
    for (int i = 0; i < 4; i++) {
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd >= 0) {
            (void)connect(fd, (const struct sockaddr *)address, sizeof(*address));
        }
    }
}

static struct status
open_port(struct partner_port *port, uint16_t number, struct diag *diag)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(number),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    port->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (port->fd < 0 || setsockopt(port->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(port->fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(port->fd, port->mode == MODE_DROP ? 0 : 4096) != 0) {
        return FAIL(diag, ERR_IO, "port %u: %s", number, strerror(errno));
    }
    if (port->mode == MODE_DROP) {
        fill_backlog(&address);
        return OK;
    }
    port->accepting =
        event_new(port->simulation->base, port->fd, EV_READ | EV_PERSIST, on_accept, port);
    return port->accepting != NULL && event_add(port->accepting, NULL) == 0
               ? OK
               : FAIL(diag, ERR_NO_MEMORY, "no event for port %u", number);
}

struct status
partner_listen(struct simulation *simulation, const struct partner_plan *plan, struct diag *diag)
{
    struct partner_port *const ports = mem_alloc(plan->count * sizeof(*ports));
    if (ports == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of %zu partners", plan->count);
    }
    memset(block, 'x', sizeof(block));
    for (size_t i = 0; i < plan->count; i++) {
        ports[i].simulation = simulation;
        ports[i].number = i + 1;
        ports[i].mode = simulation->modes[i + 1];
        TRY(make_context(&ports[i], plan, diag));
        TRY(open_port(&ports[i], (uint16_t)(plan->first_port + i), diag));
    }
    return OK;
}
