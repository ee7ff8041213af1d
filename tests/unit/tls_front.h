/*
 * HTTPS servers as some partners run them, on real sockets: without forward secrecy, with
 * Diffie-Hellman groups that are too small, or without secure renegotiation. One request a
 * connection; what they answer is the test's. A thread of its own until tls_front_stop.
 */
#ifndef TLS_FRONT_H
#define TLS_FRONT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum tls_front_kind {
    TLS_FRONT_MODERN,
    TLS_FRONT_NO_FORWARD_SECRECY, /* AES128-SHA and nothing else */
    TLS_FRONT_SMALL_GROUP,        /* prefers DHE with 1024 bits */
    TLS_FRONT_NO_RENEGOTIATION    /* knows no RFC 5746: GnuTLS, where it is on the machine */
};

struct tls_front {
    enum tls_front_kind kind;
    const char *certificate, *key; /* PEM files; the key is RSA */
    void *context;                 /* SSL_CTX, or GnuTLS's credentials */
    int fd;
    uint16_t port;
    pthread_t thread;
    atomic_bool is_stopping;
    pthread_mutex_t lock; /* of these: */
    struct buf answer;    /* HTTP head and all */
    struct buf asked;     /* content of the last request */
    size_t requests;
};
/* False: it cannot run here (no GnuTLS). */
bool tls_front_start(struct tls_front *front, enum tls_front_kind kind, const char *certificate,
                     const char *key);
void tls_front_stop(struct tls_front *front);
/* What the next request gets. */
void tls_front_say(struct tls_front *front, int status, const char *content_type,
                   struct span content);
/* Was the last request's content this? */
bool tls_front_was_asked(struct tls_front *front, struct span content);

#endif
