/*
 * A syslog collector of the test's own: TLS with client certificates (RFC 5425 frames) or UDP, on
 * a real socket and a thread of its own, that can be made to fail as collectors do.
 */
#ifndef COLLECTOR_KIT_H
#define COLLECTOR_KIT_H

#include <pthread.h>
#include <stdatomic.h>

#include <openssl/ssl.h>

#include "base/buf.h"

#define COLLECTOR_MESSAGES_MAX 4096

struct collector {
    SSL_CTX *context;       /* NULL: UDP. The test's; not freed here */
    atomic_int reset_after; /* messages, then the connection is reset; -1: never */
    atomic_bool is_stalled; /* takes connections and reads nothing */
    atomic_bool is_rude;    /* answers no farewell: drops the connection instead (reset) */
    uint16_t port;          /* 0: any; then which */
    /* what came */
    atomic_uint messages, connections, farewells, bad_frames, refused;
    /* its own */
    int fd, wake_fds[2];
    pthread_t thread;
    atomic_bool is_stopping;
    pthread_mutex_t lock; /* of <texts> */
    struct span texts[COLLECTOR_MESSAGES_MAX];
    struct buf rest;
};

/* Fill in context, port and what it shall do before. */
void collector_start(struct collector *collector);
/* As kill -9: open connections are reset. What came stays, and it may be started again. */
void collector_stop(struct collector *collector);
void collector_done(struct collector *collector); /* forgets what came; stopped */
bool collector_wait(struct collector *collector, unsigned messages);
/* Borrowed until collector_done. */
struct span collector_message(struct collector *collector, unsigned index);

#endif
