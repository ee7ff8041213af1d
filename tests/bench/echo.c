/*
 * A minimal TLS server: the cheapest that can be made of the same loop, the same TLS context and
 * the same kernel. Forked by load.c; one thread.
 */
#include "tests/bench/echo.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#define HEAD_ROOM ((size_t)2048)

struct server {
    struct event_base *base;
    SSL_CTX *tls;
    struct span answer;
    int fd;
};

/* Bytes of head and body; 0: not known yet. */
static size_t
request_size(struct evbuffer *input)
{
    char head[HEAD_ROOM];
    const size_t have = evbuffer_get_length(input);
    const size_t n = have < sizeof(head) ? have : sizeof(head);
    uint64_t length = 0;
    if (evbuffer_copyout(input, head, n) != (ev_ssize_t)n) {
        return 0;
    }
    const struct span seen = span_of(head, n);
    const size_t end = span_find(seen, SPAN("\r\n\r\n"));
    const size_t at = span_find(seen, SPAN("Content-Length: "));
    if (end == SPAN_MISSING || at == SPAN_MISSING) {
        return 0;
    }
    const struct span rest = span_slice(seen, at + strlen("Content-Length: "), SIZE_MAX);
    (void)span_to_u64(span_slice(rest, 0, span_find_char(rest, '\r')), UINT32_MAX, &length);
    return end + 4 + (size_t)length;
}

static void
on_read(struct bufferevent *stream, void *arg)
{
    const struct server *const server = arg;
    struct evbuffer *const input = bufferevent_get_input(stream);
    const size_t size = request_size(input);
    if (size > 0 && evbuffer_get_length(input) >= size) {
        (void)evbuffer_drain(input, size);
        (void)bufferevent_write(stream, server->answer.p, server->answer.n);
    }
}

static void
on_event(struct bufferevent *stream, short what, void *arg)
{
    (void)arg;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) {
        bufferevent_free(stream);
    }
}

static void
on_accept(evutil_socket_t listener, short what, void *arg)
{
    struct server *const server = arg;
    const int on = 1;
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    (void)what;
    if (fd < 0) {
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    SSL *const ssl = SSL_new(server->tls);
    struct bufferevent *const stream = bufferevent_openssl_socket_new(
        server->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (stream == NULL) {
        (void)close(fd);
        SSL_free(ssl);
        return;
    }
    bufferevent_setcb(stream, on_read, NULL, on_event, server);
    (void)bufferevent_enable(stream, EV_READ | EV_WRITE);
}

static void
run(struct server *server)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)signal(SIGPIPE, SIG_IGN);
    server->base = event_base_new();
    struct event *const accepting =
        server->base == NULL
            ? NULL
            : event_new(server->base, server->fd, EV_READ | EV_PERSIST, on_accept, server);
    if (accepting != NULL && event_add(accepting, NULL) == 0) {
        (void)event_base_dispatch(server->base);
    }
    _exit(EXIT_FAILURE);
}

static int
listen_anywhere(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, n) == 0 && listen(fd, 1024) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &n) == 0) {
        *ret_port = ntohs(address.sin_port);
        return fd;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return -1;
}

struct status
echo_start(SSL_CTX *tls, struct span answer, struct diag *diag, struct echo *ret_echo)
{
    uint16_t port = 0;
    struct server server = {.tls = tls, .answer = answer, .fd = listen_anywhere(&port)};
    if (server.fd < 0) {
        return FAIL(diag, ERR_IO, "the echo's listener: %s", strerror(errno));
    }
    const pid_t pid = fork();
    if (pid == 0) {
        run(&server);
    }
    (void)close(server.fd);
    if (pid < 0) {
        return FAIL(diag, ERR_IO, "no process for the echo: %s", strerror(errno));
    }
    *ret_echo = (struct echo){.pid = pid, .port = port};
    return OK;
}

void
echo_stop(struct echo *echo)
{
    if (echo->pid > 0) {
        (void)kill(echo->pid, SIGTERM);
        (void)waitpid(echo->pid, NULL, 0);
        echo->pid = 0;
    }
}
