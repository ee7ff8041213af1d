/*
 * One non-blocking connection to a port of this machine, plain or TLS. Thread: one at a time.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <sys/types.h>

#include <openssl/ssl.h>

#include "base/diag.h"
#include "base/span.h"

#define WIRE_LATER  (-1) /* not now: wait for an event */
#define WIRE_BROKEN (-2)

struct wire {
    int fd;   /* -1: closed */
    SSL *ssl; /* NULL: plain */
};

/* Starts to connect. After a failure it must be closed, too. <session> NULL: a full handshake.
 * <app_data>: what SSL_get_app_data gives. */
MUST_CHECK struct status wire_open(struct wire *wire, uint16_t port, SSL_CTX *tls,
                                   SSL_SESSION *session, void *app_data, struct diag *diag);
void wire_close(struct wire *wire); /* politely; a closed one is fine */
/* 1: connected, and shaken hands; WIRE_LATER; WIRE_BROKEN, and *ret_why says why. */
int wire_finish(struct wire *wire, const char **ret_why);
/* Bytes moved, WIRE_LATER or WIRE_BROKEN; reading: 0 at the end. */
ssize_t wire_read(struct wire *wire, char *to, size_t n);
ssize_t wire_write(struct wire *wire, struct span bytes);

#endif
