/*
 * A small plain-http server for tests: answers as the test says, or misbehaves. One thread, one
 * connection after the other, on 127.0.0.1.
 */
#ifndef WEB_KIT_H
#define WEB_KIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"

enum web_manner {
    WEB_RESPONDS, /* 200 with what <respond> writes */
    WEB_RAW,      /* <raw> as it is, then the end of the connection */
    WEB_SILENT,   /* reads, says nothing */
    WEB_DRIPS,    /* a byte of an endless answer each 20 ms */
    WEB_FLOODS,   /* an endless answer without a length, as fast as it can */
};

struct web {
    _Atomic enum web_manner manner;
    const char *raw;
    void (*respond)(void *arg, struct span request, struct buf *out);
    void *arg;
    char head[2048]; /* of the newest request */
    int fd;
    uint16_t port;
    pthread_t thread;
    atomic_bool is_stopping;
    atomic_size_t requests;
};
bool web_start(struct web *web); /* the members above <head> are set before */
void web_stop(struct web *web);

#endif
