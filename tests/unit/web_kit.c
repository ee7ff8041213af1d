/* See web_kit.h. */
#include "tests/unit/web_kit.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_MS 20

static bool
is_readable(const struct web *web, int fd)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};

    while (!atomic_load(&web->is_stopping)) {
        if (poll(&readable, 1, TICK_MS) == 1) {
            return true;
        }
    }
    return false;
}

static bool
say(int fd, const char *bytes, size_t n)
{
    return send(fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* Head into web->head, body into <body>. */
static bool
read_request(struct web *web, int fd, struct buf *body)
{
    struct diag diag = {0};
    size_t n = 0;
    char byte;

    while (n + 1 < sizeof(web->head) && !span_ends_with(span_of(web->head, n), SPAN("\r\n\r\n"))) {
        if (!is_readable(web, fd) || recv(fd, &web->head[n], 1, 0) != 1) {
            return false;
        }
        n++;
    }
    web->head[n] = '\0';
    const char *field = strstr(web->head, "\r\nContent-Length: ");
    const unsigned long length = field == NULL ? 0 : strtoul(field + 18, NULL, 10);

    while (body->n < length) {
        if (!is_readable(web, fd) || recv(fd, &byte, 1, 0) != 1 ||
            !is_ok(buf_append_char(body, byte, &diag))) {
            return false;
        }
    }
    return true;
}

static void
respond(struct web *web, int fd, struct span request)
{
    struct diag diag = {0};
    struct buf body;
    char head[256];

    buf_init(&body, (size_t)16 * 1024 * 1024);
    web->respond(web->arg, request, &body);
    const int n = snprintf(head, sizeof(head),
                           "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n"
                           "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                           body.n);

    if (say(fd, head, (size_t)n) && body.n > 0) {
        (void)say(fd, body.p, body.n);
    }
    buf_done(&body);
    (void)diag;
}

static void
pour(struct web *web, int fd, useconds_t pause_us)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n\r\n", filler[4096];

    if (!say(fd, head, sizeof(head) - 1)) {
        return;
    }
    while (!atomic_load(&web->is_stopping) && say(fd, filler, pause_us > 0 ? 1 : sizeof(filler))) {
        (void)usleep(pause_us);
    }
}

static void
serve(struct web *web, int fd)
{
    struct buf body;
    char byte;

    buf_init(&body, (size_t)1024 * 1024);
    if (read_request(web, fd, &body)) {
        (void)atomic_fetch_add(&web->requests, 1);
        switch (atomic_load(&web->manner)) {
        case WEB_RESPONDS:
            respond(web, fd, buf_span(&body));
            break;
        case WEB_RAW:
            (void)say(fd, web->raw, strlen(web->raw));
            break;
        case WEB_SILENT:
            while (is_readable(web, fd) && recv(fd, &byte, 1, 0) == 1) {
            }
            break;
        case WEB_DRIPS:
            pour(web, fd, TICK_MS * 1000);
            break;
        case WEB_FLOODS:
            pour(web, fd, 0);
            break;
        }
    }
    buf_done(&body);
}

static void *
run(void *arg)
{
    struct web *web = arg;

    while (is_readable(web, web->fd)) {
        const int fd = accept4(web->fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0) {
            serve(web, fd);
            (void)close(fd);
        }
    }
    return NULL;
}

bool
web_start(struct web *web)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);

    atomic_store(&web->is_stopping, false);
    web->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(web->fd, (struct sockaddr *)&address, n) != 0 || listen(web->fd, 64) != 0 ||
        getsockname(web->fd, (struct sockaddr *)&address, &n) != 0) {
        return false;
    }
    web->port = ntohs(address.sin_port);
    return pthread_create(&web->thread, NULL, run, web) == 0;
}

void
web_stop(struct web *web)
{
    atomic_store(&web->is_stopping, true);
    (void)pthread_join(web->thread, NULL);
    (void)close(web->fd);
}
