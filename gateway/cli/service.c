/*
 * systemd's protocols in their documented form: environment variables, datagrams of lines, sockets
 * from descriptor 3 on. Called by serve's main thread. The library libsystemd would bring others
 * with it that nobody here needs.
 */
#include "cli/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define FIRST_SOCKET 3 /* sd_listen_fds(3) */
#define TEXT_MAX     1024

/* Is the number that a variable holds (a process id) ours? Absent: as it was sent to whoever reads
 * it. */
static struct status
is_for_us(const char *name, bool when_absent, struct diag *diag, bool *ret_is)
{
    const char *text = getenv(name);
    uint64_t pid = 0;

    if (text == NULL) {
        *ret_is = when_absent;
        return OK;
    }
    if (!span_to_u64(span_of_cstr(text), INT32_MAX, &pid)) {
        return FAIL(diag, ERR_CONFIG, "environment variable %s: expected a process id, got '%s'",
                    name, text);
    }
    *ret_is = pid == (uint64_t)getpid();
    return OK;
}

/* ---- NOTIFY_SOCKET ---- */

static struct status
read_manager(struct service *service, struct diag *diag)
{
    const char *text = getenv("NOTIFY_SOCKET");
    const size_t n = text == NULL ? 0 : strlen(text);
    struct sockaddr_un *manager = &service->manager;

    if (n == 0) {
        return OK;
    }
    if ((text[0] != '/' && text[0] != '@') || n < 2 || n >= sizeof(manager->sun_path)) {
        return FAIL(diag, ERR_CONFIG,
                    "environment variable NOTIFY_SOCKET: expected a path or '@' and a name, of 2 "
                    "to %zu bytes, got '%s'",
                    sizeof(manager->sun_path) - 1, text);
    }
    manager->sun_family = AF_UNIX;
    memcpy(manager->sun_path, text, n);
    if (text[0] == '@') {
        manager->sun_path[0] = '\0'; /* an abstract name is as long as the address says */
    }
    service->manager_n =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (text[0] == '/' ? 1U : 0U));
    return OK;
}

void
service_tell(const struct service *service, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;

    if (service->manager_n == 0) {
        return;
    }
    va_start(arguments, format);
    const int n = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && n > 0) {
        const size_t length = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;

        (void)sendto(fd, text, length, MSG_NOSIGNAL, (const struct sockaddr *)&service->manager,
                     service->manager_n);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

/* ---- WATCHDOG_USEC ---- */

static struct status
read_watchdog(struct service *service, struct diag *diag)
{
    const char *text = getenv("WATCHDOG_USEC");
    bool is_ours = false;
    uint64_t us = 0;

    TRY(is_for_us("WATCHDOG_PID", true, diag, &is_ours));
    if (text == NULL || !is_ours) {
        return OK;
    }
    if (!span_to_u64(span_of_cstr(text), INT64_MAX, &us) || us == 0) {
        return FAIL(diag, ERR_CONFIG,
                    "environment variable WATCHDOG_USEC: expected microseconds, got '%s'", text);
    }
    service->watchdog_us = (int64_t)us;
    return OK;
}

/* ---- LISTEN_FDS ---- */

static struct status
take_socket(struct service *service, int fd, const char *name, struct diag *diag)
{
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return FAIL(diag, ERR_CONFIG, "inherited socket '%s' (descriptor %d): %s", name, fd,
                    strerrordesc_np(errno));
    }
    service->inherited[service->inherited_n++] = (struct net_inherited){.name = name, .fd = fd};
    return OK;
}

/* Cuts the next name off the front of *names. */
static const char *
next_name(char **names)
{
    char *name = *names;
    char *colon = name == NULL ? NULL : strchr(name, ':');

    *names = colon == NULL ? NULL : colon + 1;
    if (colon != NULL) {
        *colon = '\0';
    }
    return name == NULL ? "unknown" : name; /* sd_listen_fds_with_names(3) */
}

static struct status
read_sockets(struct service *service, struct diag *diag)
{
    const char *text = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");
    bool is_ours = false;
    uint64_t n = 0;

    TRY(is_for_us("LISTEN_PID", false, diag, &is_ours));
    if (text == NULL || !is_ours) {
        return OK;
    }
    if (!span_to_u64(span_of_cstr(text), SERVICE_SOCKETS_MAX, &n)) {
        return FAIL(diag, ERR_CONFIG,
                    "environment variable LISTEN_FDS: expected a number of sockets up to %d, got "
                    "'%s'",
                    SERVICE_SOCKETS_MAX, text);
    }
    service->names = names == NULL ? NULL : mem_strdup(names);
    if (names != NULL && service->names == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the names of inherited sockets");
    }
    char *rest = service->names;

    for (uint64_t i = 0; i < n; i++) {
        TRY(take_socket(service, FIRST_SOCKET + (int)i, next_name(&rest), diag));
    }
    return OK;
}

struct status
service_open(struct service *service, struct diag *diag)
{
    *service = (struct service){.manager_n = 0};
    struct status st = read_manager(service, diag);

    if (is_ok(st)) {
        st = read_watchdog(service, diag);
    }
    if (is_ok(st)) {
        st = read_sockets(service, diag);
    }
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    if (!is_ok(st)) {
        service_close(service);
    }
    return st;
}

void
service_close(struct service *service)
{
    for (size_t i = 0; i < service->inherited_n; i++) {
        (void)close(service->inherited[i].fd);
    }
    mem_free(service->names);
    *service = (struct service){.manager_n = 0};
}
