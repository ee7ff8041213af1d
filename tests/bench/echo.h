/*
 * The floor of a server's network side: on libevent's loop and TLS as the gateway's, but it reads a
 * request to its end, looks at nothing, and gives every time the same bytes. A process of its own,
 * so that its CPU time can be told apart.
 */
#ifndef BENCH_ECHO_H
#define BENCH_ECHO_H

#include <sys/types.h>

#include <openssl/types.h>

#include "base/diag.h"
#include "base/span.h"

struct echo {
    pid_t pid;
    uint16_t port; /* of 127.0.0.1 */
};

/* <answer>: head and body. The process ends with echo_stop, or with its parent. */
MUST_CHECK struct status echo_start(SSL_CTX *tls, struct span answer, struct diag *diag,
                                    struct echo *ret_echo);
void echo_stop(struct echo *echo);

#endif
