/*
 * What a service manager and the node tell each other (systemd's protocols, spoken without its
 * library): sd_notify(3) datagrams, sd_listen_fds(3) sockets, sd_watchdog_enabled(3). Without a
 * manager everything here does nothing. Owner: `isthmus serve`; its main thread.
 */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

#include <sys/socket.h>
#include <sys/un.h>

#include "net/server.h"

#define SERVICE_SOCKETS_MAX 8

struct service {
    struct sockaddr_un manager; /* of NOTIFY_SOCKET: a path, or '@' and an abstract name */
    socklen_t manager_n;        /* 0: nobody wants to be told */
    int64_t watchdog_us;        /* the manager restarts us after such a silence; 0: it does not */
    struct net_inherited inherited[SERVICE_SOCKETS_MAX];
    size_t inherited_n;
    char *names; /* of the sockets */
};

/* Reads the environment (and takes LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES out of it, which are for
 * this process only). Before any thread starts. ERR_CONFIG: a variable that is not as its manual
 * says. */
MUST_CHECK struct status service_open(struct service *service, struct diag *diag);
void service_close(struct service *service); /* its sockets, too; {0} is fine */

/* One datagram with the lines of <format>: "READY=1\nSTATUS=..." (sd_notify(3)). A manager that
 * does not take it is not waited for. */
void service_tell(const struct service *service, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
