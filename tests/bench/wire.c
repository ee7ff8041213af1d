/*
 * Sockets of the load generator. Called by drive.c.
 */
#include "tests/bench/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

static ssize_t
ssl_result(SSL *ssl, int n)
{
    if (n > 0) {
        return n;
    }
    const int why = SSL_get_error(ssl, n);
    ERR_clear_error();
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        return WIRE_LATER;
    }
    return why == SSL_ERROR_ZERO_RETURN ? 0 : WIRE_BROKEN;
}

static ssize_t
socket_result(ssize_t n)
{
    return n >= 0 ? n : errno == EAGAIN ? WIRE_LATER : WIRE_BROKEN;
}

ssize_t
wire_read(struct wire *wire, char *to, size_t n)
{
    if (wire->ssl == NULL) {
        return socket_result(recv(wire->fd, to, n, 0));
    }
    return ssl_result(wire->ssl, SSL_read(wire->ssl, to, (int)n));
}

ssize_t
wire_write(struct wire *wire, struct span bytes)
{
    if (wire->ssl == NULL) {
        return socket_result(send(wire->fd, bytes.p, bytes.n, MSG_NOSIGNAL));
    }
    return ssl_result(wire->ssl, SSL_write(wire->ssl, bytes.p, (int)bytes.n));
}

static struct status
open_ssl(struct wire *wire, SSL_CTX *tls, SSL_SESSION *session, void *app_data, struct diag *diag)
{
    wire->ssl = SSL_new(tls);
    if (wire->ssl == NULL || SSL_set_fd(wire->ssl, wire->fd) != 1) {
        return FAIL(diag, ERR_CRYPTO, "no SSL");
    }
    SSL_set_app_data(wire->ssl, app_data);
    SSL_set_connect_state(wire->ssl);
    if (session != NULL) { /* a copy: OpenSSL gives a session up with a connection that had it */
        SSL_SESSION *const copy = SSL_SESSION_dup(session);
        (void)SSL_set_session(wire->ssl, copy);
        SSL_SESSION_free(copy);
    }
    return OK;
}

struct status
wire_open(struct wire *wire, uint16_t port, SSL_CTX *tls, SSL_SESSION *session, void *app_data,
          struct diag *diag)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    wire->ssl = NULL;
    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (wire->fd < 0) {
        return FAIL(diag, ERR_IO, "socket: %s", strerror(errno));
    }
    (void)setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(wire->fd, (const struct sockaddr *)&address, sizeof(address)) != 0 &&
        errno != EINPROGRESS) {
        return FAIL(diag, ERR_IO, "connecting to port %u: %s", port, strerror(errno));
    }
    return tls == NULL ? OK : open_ssl(wire, tls, session, app_data, diag);
}

void
wire_close(struct wire *wire)
{
    if (wire->ssl != NULL) {
        (void)SSL_shutdown(wire->ssl);
        ERR_clear_error();
        SSL_free(wire->ssl);
    }
    if (wire->fd >= 0) {
        (void)close(wire->fd);
    }
    *wire = (struct wire){.fd = -1};
}

static int
finish_plain(struct wire *wire, const char **ret_why)
{
    struct sockaddr_in peer;
    socklen_t peer_n = sizeof(peer);
    int error = 0;
    socklen_t n = sizeof(error);
    (void)getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &error, &n);
    if (error != 0) {
        *ret_why = strerror(error);
        return WIRE_BROKEN;
    }
    return getpeername(wire->fd, (struct sockaddr *)&peer, &peer_n) == 0 ? 1 : WIRE_LATER;
}

int
wire_finish(struct wire *wire, const char **ret_why)
{
    if (wire->ssl == NULL) {
        return finish_plain(wire, ret_why);
    }
    const int n = SSL_do_handshake(wire->ssl);
    if (n == 1) {
        return 1;
    }
    const unsigned long error = ERR_peek_error();
    if (ssl_result(wire->ssl, n) == WIRE_LATER) {
        return WIRE_LATER;
    }
    *ret_why = ERR_reason_error_string(error);
    if (*ret_why == NULL) {
        *ret_why = "the handshake was broken off";
    }
    return WIRE_BROKEN;
}
