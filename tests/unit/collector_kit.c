/* See collector_kit.h. */
#include "tests/unit/collector_kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/unit.h"

#define FRAME_MAX ((size_t)16 * 1024 * 1024)

/* ---- what came ---- */

static void
keep(struct collector *collector, struct span message)
{
    const unsigned at = atomic_load(&collector->messages);
    char *copy = mem_alloc(message.n + 1);
    if (copy == NULL || at >= COLLECTOR_MESSAGES_MAX) {
        abort();
    }
    memcpy(copy, message.p, message.n);
    (void)pthread_mutex_lock(&collector->lock);
    collector->texts[at] = span_of(copy, message.n);
    (void)pthread_mutex_unlock(&collector->lock);
    atomic_store(&collector->messages, at + 1);
}

struct span
collector_message(struct collector *collector, unsigned index)
{
    (void)pthread_mutex_lock(&collector->lock);
    const struct span text = index < COLLECTOR_MESSAGES_MAX ? collector->texts[index] : SPAN_EMPTY;
    (void)pthread_mutex_unlock(&collector->lock);
    return text;
}

bool
collector_wait(struct collector *collector, unsigned messages)
{
    unsigned looks = 0;
    while (atomic_load(&collector->messages) < messages) {
        if (!unit_wait(&looks)) {
            return false;
        }
    }
    return true;
}

/* ---- frames ---- */

/* "MSG-LEN SP MSG"; false: there is no whole one. */
static bool
take_frame(struct collector *collector, struct span *in, struct span *ret_message)
{
    struct span rest = *in;
    struct span count;
    uint64_t n = 0;
    if (span_find_char(rest, ' ') == SPAN_MISSING) {
        return false;
    }
    (void)span_split(&rest, ' ', &count);
    if (!span_to_u64(count, FRAME_MAX, &n) || n == 0 || count.p[0] == '0') {
        atomic_fetch_add(&collector->bad_frames, 1);
        *in = SPAN_EMPTY;
        return false;
    }
    if (!span_take(&rest, (size_t)n, ret_message)) {
        return false;
    }
    *in = rest;
    return true;
}

/* False: the script says that it ends here. */
static bool
take_bytes(struct collector *collector, struct span bytes)
{
    struct diag diag = {0};
    struct span message;
    if (!is_ok(buf_append(&collector->rest, bytes, &diag))) {
        abort();
    }
    struct span in = buf_span(&collector->rest);
    while (take_frame(collector, &in, &message)) {
        keep(collector, message);
        if (atomic_load(&collector->reset_after) > 0 &&
            atomic_fetch_sub(&collector->reset_after, 1) == 1) {
            return false;
        }
    }
    memmove(collector->rest.p, in.p == NULL ? collector->rest.p : in.p, in.n);
    collector->rest.n = in.n;
    return true;
}

/* ---- connections ---- */

/* Until <fd> can be read; false when it is to stop. */
static bool
wait_readable(struct collector *collector, int fd)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN},
                            {.fd = collector->wake_fds[0], .events = POLLIN}};
    while (!atomic_load(&collector->is_stopping)) {
        if (atomic_load(&collector->is_stalled)) {
            (void)poll(&fds[1], 1, 10);
        } else if (poll(fds, 2, 1000) > 0 && fds[0].revents != 0) {
            return true;
        }
    }
    return false;
}

static bool
shake_hands(struct collector *collector, SSL *ssl, int fd)
{
    for (;;) {
        const int result = SSL_accept(ssl);
        if (result == 1) {
            return true;
        }
        if (SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ) {
            atomic_fetch_add(&collector->refused, 1);
            return false;
        }
        if (!wait_readable(collector, fd)) {
            return false;
        }
    }
}

/* True: the other side said farewell. */
static bool
read_all(struct collector *collector, SSL *ssl, int fd)
{
    char bytes[16384];
    for (;;) {
        const int n = SSL_read(ssl, bytes, sizeof(bytes));
        if (n > 0) {
            if (!take_bytes(collector, span_of(bytes, (size_t)n))) {
                return false;
            }
            continue;
        }
        const int error = SSL_get_error(ssl, n);
        if (error == SSL_ERROR_ZERO_RETURN) {
            return true;
        }
        if (error != SSL_ERROR_WANT_READ || !wait_readable(collector, fd)) {
            return false;
        }
    }
}

static void
reset_at_close(int fd)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void
serve(struct collector *collector, int fd)
{
    SSL *ssl = SSL_new(collector->context);
    bool is_farewell = false;
    buf_reset(&collector->rest);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        abort();
    }
    if (shake_hands(collector, ssl, fd)) {
        atomic_fetch_add(&collector->connections, 1);
        is_farewell = read_all(collector, ssl, fd);
    }
    if (is_farewell && !atomic_load(&collector->is_rude)) {
        (void)SSL_shutdown(ssl);
        atomic_fetch_add(&collector->farewells, 1);
    } else if (atomic_load(&collector->refused) == 0) {
        reset_at_close(fd);
    }
    SSL_free(ssl);
    (void)close(fd);
}

static void
read_datagrams(struct collector *collector)
{
    static char bytes[65536];
    const ssize_t n = recv(collector->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n >= 0) {
        keep(collector, span_of(bytes, (size_t)n));
    }
}

static void *
run(void *arg)
{
    struct collector *collector = arg;
    while (wait_readable(collector, collector->fd)) {
        if (collector->context == NULL) {
            read_datagrams(collector);
            continue;
        }
        const int fd = accept4(collector->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd != -1) {
            serve(collector, fd);
        }
    }
    return NULL;
}

/* ---- start and stop ---- */

void
collector_start(struct collector *collector)
{
    const int on = 1;
    const bool is_udp = collector->context == NULL;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(collector->port)};
    socklen_t n = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    collector->fd = socket(AF_INET, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    (void)setsockopt(collector->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(collector->fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        (!is_udp && listen(collector->fd, 16) != 0) ||
        getsockname(collector->fd, (struct sockaddr *)&address, &n) != 0 ||
        pipe(collector->wake_fds) != 0) {
        perror("collector");
        abort();
    }
    collector->port = ntohs(address.sin_port);
    if (atomic_load(&collector->messages) == 0) {
        (void)pthread_mutex_init(&collector->lock, NULL);
        buf_init(&collector->rest, 2 * FRAME_MAX);
    }
    atomic_store(&collector->is_stopping, false);
    if (pthread_create(&collector->thread, NULL, run, collector) != 0) {
        abort();
    }
}

void
collector_stop(struct collector *collector)
{
    atomic_store(&collector->is_stopping, true);
    (void)!write(collector->wake_fds[1], "x", 1);
    (void)pthread_join(collector->thread, NULL);
    (void)close(collector->fd);
    (void)close(collector->wake_fds[0]);
    (void)close(collector->wake_fds[1]);
}

void
collector_done(struct collector *collector)
{
    for (unsigned i = 0; i < atomic_load(&collector->messages); i++) {
        mem_free((void *)(uintptr_t)collector->texts[i].p);
    }
    buf_done(&collector->rest);
    (void)pthread_mutex_destroy(&collector->lock);
    memset(collector, 0, sizeof(*collector));
}
