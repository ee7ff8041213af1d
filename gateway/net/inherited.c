/*
 * Sockets that were listening before this process was: systemd opens them, so that a restart of the
 * node loses no connection. Each must be one of the configuration's listeners; one that nobody
 * would accept from would swallow its clients. Pure questions about descriptors, asked by net_start
 * and net_reload on their caller's thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "net/parts.h"

static bool
is_same_address(const union socket_address *a, const union socket_address *b)
{
    if (a->any.sa_family != b->any.sa_family) {
        return false;
    }
    switch (a->any.sa_family) {
    case AF_INET:
        return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    case AF_INET6:
        return a->v6.sin6_port == b->v6.sin6_port &&
               memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
    default:
        return strncmp(a->local.sun_path, b->local.sun_path, sizeof(a->local.sun_path)) == 0;
    }
}

static void
print_address(const union socket_address *address, char *ret_text, size_t n)
{
    char host[INET6_ADDRSTRLEN] = "";
    switch (address->any.sa_family) {
    case AF_INET:
        (void)inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host));
        (void)snprintf(ret_text, n, "%s:%" PRIu16, host, ntohs(address->v4.sin_port));
        return;
    case AF_INET6:
        (void)inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host));
        (void)snprintf(ret_text, n, "[%s]:%" PRIu16, host, ntohs(address->v6.sin6_port));
        return;
    case AF_UNIX:
        (void)snprintf(ret_text, n, "unix:%.*s", (int)sizeof(address->local.sun_path),
                       address->local.sun_path);
        return;
    default:
        (void)snprintf(ret_text, n, "an address of family %d", address->any.sa_family);
    }
}

/* A stream socket that listens, and where. */
static struct status
look_at(const struct net_inherited *one, struct diag *diag, union socket_address *ret_address)
{
    union socket_address address = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t n = sizeof(address);
    int type = 0, is_listening = 0;
    socklen_t type_n = sizeof(type), listening_n = sizeof(is_listening);
    if (getsockname(one->fd, &address.any, &n) != 0 ||
        getsockopt(one->fd, SOL_SOCKET, SO_TYPE, &type, &type_n) != 0 ||
        getsockopt(one->fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &listening_n) != 0) {
        return FAIL(diag, ERR_CONFIG, "inherited socket '%s' (descriptor %d): %s", one->name,
                    one->fd, strerrordesc_np(errno));
    }
    if (type != SOCK_STREAM || is_listening == 0) {
        return FAIL(diag, ERR_CONFIG,
                    "inherited socket '%s' (descriptor %d): expected a stream socket that listens "
                    "(ListenStream= with Accept=no)",
                    one->name, one->fd);
    }
    *ret_address = address;
    return OK;
}

static struct status
is_at(const struct config_listener *config, const union socket_address *address, struct diag *diag,
      bool *ret_is)
{
    union socket_address wanted;
    socklen_t n = 0;
    bool is = false;
    if (config->is_set) {
        TRY(socket_address_read(&config->address, diag, &wanted, &n));
        is = is_same_address(&wanted, address);
    }
    *ret_is = is;
    return OK;
}

static struct status
check_named(const struct net_inherited *one, enum net_listener kind,
            const struct config_listener *config, const union socket_address *address,
            const char *text, struct diag *diag)
{
    bool is_here = false;
    TRY(is_at(config, address, diag, &is_here));
    return is_here ? OK
                   : FAIL(diag, ERR_CONFIG,
                          "inherited socket '%s' listens on %s, but listen.%s is %s: make "
                          "ListenStream= of the socket unit and the configuration agree",
                          one->name, text, net_listener_names[kind],
                          config->is_set ? config->address.text : "not configured");
}

/* By its name, or else by its address. */
static struct status
find_kind(const struct net_inherited *one, const struct config *config, struct diag *diag,
          enum net_listener *ret_kind)
{
    const struct config_listener *listeners[NET_LISTENERS];
    union socket_address address;
    char text[160];
    TRY(look_at(one, diag, &address));
    terms_listeners(config, listeners);
    print_address(&address, text, sizeof(text));
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        if (strcmp(one->name, net_listener_names[i]) == 0) {
            *ret_kind = (enum net_listener)i;
            return check_named(one, *ret_kind, listeners[i], &address, text, diag);
        }
    }
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        bool is_here = false;
        TRY(is_at(listeners[i], &address, diag, &is_here));
        if (is_here) {
            *ret_kind = (enum net_listener)i;
            return OK;
        }
    }
    return FAIL(diag, ERR_CONFIG,
                "inherited socket '%s' listens on %s, which is no address of listen.network, "
                ".local or .admin: make ListenStream= of the socket unit and the configuration "
                "agree",
                one->name, text);
}

struct status
inherited_check(const struct net_options *options, struct diag *diag)
{
    bool is_taken[NET_LISTENERS] = {false};
    for (size_t i = 0; i < options->inherited_n; i++) {
        enum net_listener kind = NET_NETWORK;
        TRY(find_kind(&options->inherited[i], options->config, diag, &kind));
        if (is_taken[kind]) {
            return FAIL(diag, ERR_CONFIG, "two inherited sockets are for listen.%s: pass one",
                        net_listener_names[kind]);
        }
        is_taken[kind] = true;
    }
    return OK;
}

int
inherited_find(const struct net_options *options, enum net_listener kind)
{
    struct diag ignored = {.code = ERR_NONE};
    for (size_t i = 0; i < options->inherited_n; i++) {
        enum net_listener found = NET_NETWORK;
        if (is_ok(find_kind(&options->inherited[i], options->config, &ignored, &found)) &&
            found == kind) {
            return options->inherited[i].fd;
        }
    }
    return -1;
}
