/*
 * Names to addresses for threads that may block (the engine has names.c). The system's resolver
 * cannot be interrupted, so it runs on a thread of its own; who waits may leave before it is back.
 *
 * Thread: any.
 */
#ifndef OUT_LOOKUP_H
#define OUT_LOOKUP_H

#include <sys/socket.h>

#include "out/wait.h"

#define LOOKUP_ADDRESSES_MAX 8

struct lookup_address {
    struct sockaddr_storage address;
    socklen_t n;
    int family;
};

struct lookup_addresses {
    struct lookup_address items[LOOKUP_ADDRESSES_MAX];
    size_t n; /* at least 1 */
};

/* <host>: a name or a numeric address (then nobody is asked). ERR_PARTNER_UNREACHABLE: it has no
 * address; ERR_PARTNER_TIMEOUT, ERR_SHUTTING_DOWN, ERR_NO_MEMORY, ERR_IO. */
MUST_CHECK struct status lookup_host(const char *host, uint16_t port, const struct out_wait *wait,
                                     struct diag *diag, struct lookup_addresses *ret_addresses);

#endif
