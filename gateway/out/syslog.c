/*
 * Sockets and TLS of a line to a syslog collector. Called by the shipping thread of its audit
 * repository (audit/ship_syslog.c), which owns the line. The socket does not block; every wait is
 * out_wait's.
 */
#include "out/syslog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "certs/openssl_error.h"
#include "certs/tls.h"
#include "out/lookup.h"

#define QUEUE_BYTES     ((size_t)64 * 1024) /* of frames that go out together */
#define FRAME_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define COUNT_MAX       24 /* "65507 " */
#define KEEP_IDLE_S     20 /* then a silent peer is asked, */
#define KEEP_EVERY_S    5  /* so often, */
#define KEEP_TIMES      3
#define UNANSWERED_MS                                                                              \
    20000 /* what its machine does not acknowledge in this time breaks the line                    \
           */
#define BURST_BYTES    ((size_t)16 * 1024) /* of datagrams; then the collector gets time to read */
#define BURST_PAUSE_US (4 * US_PER_MS)

struct syslog_line {
    struct syslog_target target;
    SSL_CTX *context; /* NULL: UDP */
    SSL *ssl;         /* NULL: not open */
    int fd;           /* -1: not open */
    struct buf queue;
    uint64_t bytes;
    size_t burst;  /* UDP: bytes since the last pause */
    unsigned turn; /* of its addresses: which is tried first */
};

/* ---- what went wrong ---- */

static struct status
unreachable(const struct syslog_line *line, const char *what, int error, struct diag *diag)
{
    char text[64] = "";
    const char *why = strerror_r(error, text, sizeof(text)); /* GNU's: not always <text> */
    return FAIL(diag, ERR_PARTNER_UNREACHABLE, "%s, port %u: %s: %s", line->target.host,
                (unsigned)line->target.port, what, why);
}

static struct status
not_secured(const struct syslog_line *line, const char *what, struct diag *diag)
{
    const long verdict = SSL_get_verify_result(line->ssl);
    const char *reason = openssl_error_take();
    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        return FAIL(diag, ERR_PARTNER_TLS,
                    "%s, port %u: its certificate is not for '%s'; correct the address, or set "
                    "certificate_name",
                    line->target.host, (unsigned)line->target.port, line->target.certificate_name);
    }
    if (verdict != X509_V_OK) {
        return FAIL(diag, ERR_PARTNER_TLS,
                    "%s, port %u: its certificate is not trusted: %s; compare with the trust that "
                    "is named for it",
                    line->target.host, (unsigned)line->target.port, trust_verdict_text(verdict));
    }
    return FAIL(diag, ERR_PARTNER_TLS,
                "%s, port %u: %s: %s; does it speak TLS 1.2 there, and trust our certificate?",
                line->target.host, (unsigned)line->target.port, what, reason);
}

/* What SSL_get_error says after an operation that did not succeed: OK means try again. */
static struct status
ssl_wait(struct syslog_line *line, const struct out_wait *wait, int result, const char *what,
         struct diag *diag)
{
    const int error = errno;
    switch (SSL_get_error(line->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return out_wait_for(wait, line->fd, POLLIN, diag);
    case SSL_ERROR_WANT_WRITE:
        return out_wait_for(wait, line->fd, POLLOUT, diag);
    case SSL_ERROR_ZERO_RETURN:
        return unreachable(line, what, ECONNRESET, diag);
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        return unreachable(line, what, error == 0 ? ECONNRESET : error, diag);
    default:
        return not_secured(line, what, diag);
    }
}

/* ---- new and free ---- */

static struct status
make_context(struct syslog_line *line, struct diag *diag)
{
    line->context = SSL_CTX_new(TLS_client_method());
    if (line->context == NULL) {
        return FAIL(diag, ERR_CRYPTO, "no TLS context: %s", openssl_error_take());
    }
    return tls_client_context_prepare(line->context, line->target.credential, line->target.trust,
                                      false, diag);
}

struct status
syslog_line_new(const struct syslog_target *target, struct diag *diag,
                struct syslog_line **ret_line)
{
    struct syslog_line *line = mem_alloc(sizeof(*line));
    if (line == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a line to %s", target->host);
    }
    line->target = *target;
    line->fd = -1;
    buf_init_secret(&line->queue, FRAME_BYTES_MAX);
    const struct status st = target->trust == NULL ? OK : make_context(line, diag);
    if (!is_ok(st)) {
        syslog_line_free(line);
        return st;
    }
    *ret_line = line;
    return OK;
}

static void
shut(struct syslog_line *line)
{
    SSL_free(line->ssl);
    line->ssl = NULL;
    if (line->fd != -1) {
        (void)close(line->fd);
        line->fd = -1;
    }
    buf_reset(&line->queue);
}

void
syslog_line_free(struct syslog_line *line)
{
    if (line != NULL) {
        shut(line);
        SSL_CTX_free(line->context);
        buf_done(&line->queue);
        mem_free(line);
    }
}

/* ---- open ---- */

/* A peer whose machine has gone says nothing: without these a line would look good for hours. */
static void
watch_peer(int fd)
{
    const int on = 1;
    const int idle_s = KEEP_IDLE_S;
    const int every_s = KEEP_EVERY_S;
    const int times = KEEP_TIMES;
    const unsigned unanswered_ms = UNANSWERED_MS;
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof(every_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof(times));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof(unanswered_ms));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static struct status
await_connection(struct syslog_line *line, const struct out_wait *wait, struct diag *diag)
{
    int error = 0;
    socklen_t n = sizeof(error);
    TRY(out_wait_for(wait, line->fd, POLLOUT, diag));
    if (getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0 || error != 0) {
        return unreachable(line, "no connection", error == 0 ? errno : error, diag);
    }
    return OK;
}

static struct status
connect_to(struct syslog_line *line, const struct lookup_address *address,
           const struct out_wait *wait, struct diag *diag)
{
    const bool is_udp = line->context == NULL;
    line->fd = socket(address->family,
                      (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (line->fd == -1) {
        return unreachable(line, "no socket", errno, diag);
    }
    if (!is_udp) {
        watch_peer(line->fd);
    }
    if (connect(line->fd, (const struct sockaddr *)&address->address, address->n) == 0) {
        return OK;
    }
    return errno == EINPROGRESS ? await_connection(line, wait, diag)
                                : unreachable(line, "no connection", errno, diag);
}

/* All addresses of its name, each time beginning with the next: one that swallows everything must
 * not hide the others. */
static struct status
connect_any(struct syslog_line *line, const struct out_wait *wait, struct diag *diag)
{
    struct lookup_addresses addresses;
    struct status st = OK;
    TRY(lookup_host(line->target.host, line->target.port, wait, diag, &addresses));
    const unsigned first = line->turn++;
    for (size_t i = 0; i < addresses.n; i++) {
        struct diag why = {0};
        st = connect_to(line, &addresses.items[(first + i) % addresses.n], wait, &why);
        if (is_ok(st)) {
            return OK;
        }
        shut(line);
        if (i + 1 == addresses.n || st.code == ERR_SHUTTING_DOWN ||
            st.code == ERR_PARTNER_TIMEOUT) {
            return FAIL(diag, st.code, "%s", why.text);
        }
    }
    return st;
}

/* The name that its certificate must carry (RFC 6125: subjectAltName only). */
static bool
expect_name(const struct syslog_line *line)
{
    const char *name = line->target.certificate_name;
    X509_VERIFY_PARAM *rules = SSL_get0_param(line->ssl);
    unsigned char bytes[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1) {
        return X509_VERIFY_PARAM_set1_ip_asc(rules, name) == 1;
    }
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(rules, name, 0) == 1 &&
           SSL_set_tlsext_host_name(line->ssl, name) == 1;
}

static struct status
shake_hands(struct syslog_line *line, const struct out_wait *wait, struct diag *diag)
{
    int result = 0;
    ERR_clear_error();
    line->ssl = SSL_new(line->context);
    if (line->ssl == NULL || SSL_set_fd(line->ssl, line->fd) != 1 || !expect_name(line)) {
        return FAIL(diag, ERR_CRYPTO, "no TLS connection: %s", openssl_error_take());
    }
    while ((result = SSL_connect(line->ssl)) != 1) {
        TRY(ssl_wait(line, wait, result, "the TLS handshake failed", diag));
    }
    return OK;
}

struct status
syslog_line_open(struct syslog_line *line, const struct out_wait *wait, struct diag *diag)
{
    shut(line);
    struct status st = connect_any(line, wait, diag);
    if (is_ok(st) && line->context != NULL) {
        st = shake_hands(line, wait, diag);
    }
    if (!is_ok(st)) {
        shut(line);
    }
    return st;
}

/* ---- send ---- */

struct status
syslog_line_flush(struct syslog_line *line, const struct out_wait *wait, struct diag *diag)
{
    size_t done = 0;
    if (line->context == NULL) {
        return OK;
    }
    while (done < line->queue.n) {
        ERR_clear_error();
        errno = 0;
        const int result = SSL_write(line->ssl, line->queue.p + done, (int)(line->queue.n - done));
        if (result > 0) {
            done += (size_t)result;
            line->bytes += (uint64_t)result;
        } else {
            TRY(ssl_wait(line, wait, result, "the connection broke", diag));
        }
    }
    buf_reset(&line->queue);
    return OK;
}

/* "MSG-LEN SP SYSLOG-MSG" (RFC 5425 4.3). */
static struct status
send_frame(struct syslog_line *line, const struct out_wait *wait, struct span message,
           struct diag *diag)
{
    TRY(buf_printf(&line->queue, diag, "%zu ", message.n));
    TRY(buf_append(&line->queue, message, diag));
    return line->queue.n >= QUEUE_BYTES ? syslog_line_flush(line, wait, diag) : OK;
}

/* Nobody answers, so nobody says that it is too fast. */
static void
pace(struct syslog_line *line, const struct out_wait *wait, size_t n)
{
    line->burst += n;
    if (line->burst >= BURST_BYTES) {
        struct out_wait pause = {.clock = wait->clock, .stop_fd = -1};
        line->burst = 0;
        atomic_init(&pause.stop_us, INT64_MAX);
        pause.deadline_us = clock_mono_us(wait->clock) + BURST_PAUSE_US;
        (void)out_wait_idle(&pause, -1);
    }
}

static struct status
send_datagram(struct syslog_line *line, const struct out_wait *wait, struct span message,
              struct diag *diag)
{
    if (message.n > SYSLOG_DATAGRAM_MAX) {
        return FAIL(diag, ERR_LIMIT_BUFFER,
                    "a message of %zu bytes does not fit into a datagram (%d); use syslog-tls",
                    message.n, SYSLOG_DATAGRAM_MAX);
    }
    while (send(line->fd, message.p, message.n, MSG_NOSIGNAL) == -1) {
        if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
            return unreachable(line, "a datagram was not taken", errno, diag);
        }
        TRY(out_wait_for(wait, line->fd, POLLOUT, diag));
    }
    line->bytes += message.n;
    pace(line, wait, message.n);
    return OK;
}

struct status
syslog_line_send(struct syslog_line *line, const struct out_wait *wait, struct span message,
                 struct diag *diag)
{
    return line->context == NULL ? send_datagram(line, wait, message, diag)
                                 : send_frame(line, wait, message, diag);
}

uint64_t
syslog_line_bytes(const struct syslog_line *line)
{
    return line->bytes;
}

/* ---- is it there ---- */

int
syslog_line_fd(const struct syslog_line *line)
{
    return line->fd;
}

/* An ICMP message about an earlier datagram shows as an error here. */
static struct status
check_socket(struct syslog_line *line, struct diag *diag)
{
    char ignored[64];
    const ssize_t n = recv(line->fd, ignored, sizeof(ignored), MSG_DONTWAIT);
    return n >= 0 || errno == EAGAIN || errno == EINTR
               ? OK
               : unreachable(line, "nobody takes datagrams there", errno, diag);
}

struct status
syslog_line_check(struct syslog_line *line, struct diag *diag)
{
    char ignored[256];
    int result = 0;
    if (line->context == NULL) {
        return check_socket(line, diag);
    }
    do {
        ERR_clear_error();
        errno = 0;
        result = SSL_read(line->ssl, ignored, sizeof(ignored));
    } while (result > 0);
    const int error = errno;
    switch (SSL_get_error(line->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return OK;
    case SSL_ERROR_ZERO_RETURN:
        return FAIL(diag, ERR_PARTNER_UNREACHABLE, "%s, port %u: it closed the connection",
                    line->target.host, (unsigned)line->target.port);
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        return unreachable(line, "the connection broke", error == 0 ? ECONNRESET : error, diag);
    default:
        return not_secured(line, "the connection broke", diag);
    }
}

/* ---- close ---- */

/* Until the collector ends its side, too: it has read ours to the end then. One that had something
 * left to read resets the connection instead. */
static bool
await_end(struct syslog_line *line, const struct out_wait *wait)
{
    struct diag ignored = {0};
    char bytes[256];
    for (;;) {
        const ssize_t n = recv(line->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n == 0) {
            return true;
        }
        if (n == -1 && errno != EAGAIN && errno != EINTR) {
            return false;
        }
        if (n == -1 && !is_ok(out_wait_for(wait, line->fd, POLLIN, &ignored))) {
            return false;
        }
    }
}

static bool
say_farewell(struct syslog_line *line, const struct out_wait *wait)
{
    struct diag ignored = {0};
    int result = 0;
    if (!is_ok(syslog_line_flush(line, wait, &ignored)) ||
        !is_ok(syslog_line_check(line, &ignored))) {
        return false;
    }
    ERR_clear_error();
    while ((result = SSL_shutdown(line->ssl)) < 0) {
        if (!is_ok(ssl_wait(line, wait, result, "the farewell failed", &ignored))) {
            return false;
        }
    }
    return shutdown(line->fd, SHUT_WR) == 0 && await_end(line, wait);
}

bool
syslog_line_close(struct syslog_line *line, const struct out_wait *wait, bool is_clean)
{
    struct diag ignored = {0};
    bool is_answered = false;
    if (is_clean && line->context == NULL) {
        is_answered = is_ok(check_socket(line, &ignored)); /* nothing more can be known */
    } else if (is_clean && line->ssl != NULL) {
        is_answered = say_farewell(line, wait);
    }
    shut(line);
    return is_answered;
}
