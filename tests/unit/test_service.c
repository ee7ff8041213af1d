/*
 * What the service manager and the node say to each other: a real receiver behind a path and behind
 * an abstract name, the watchdog's variables, sockets that are passed on. Each case sets the
 * environment and the descriptors of a service, and clears them again.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/service.h"
#include "tests/unit/unit.h"

/* ---- NOTIFY_SOCKET ---- */

static int
make_receiver(const char *name)
{
    const struct timeval wait = {UNIT_PATIENCE_S, 0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t n = strlen(name);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(n < sizeof(address.sun_path));
    memcpy(address.sun_path, name, n);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    const socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    CU_ASSERT_FATAL(fd >= 0 && bind(fd, (const struct sockaddr *)&address, length) == 0);
    CU_ASSERT_FATAL(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0);
    return fd;
}

static bool
receives(int fd, const char *wanted)
{
    char text[2048] = "";
    const ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
    if (n < 0 || strcmp(text, wanted) != 0) {
        printf("\n    wanted '%s', got '%s'", wanted, text);
        return false;
    }
    return true;
}

static void
test_tell(void)
{
    char path[200], abstract[200];
    (void)snprintf(path, sizeof(path), "%s/notify", unit_temp_dir());
    (void)snprintf(abstract, sizeof(abstract), "@isthmus-test-%ld", (long)getpid());
    const char *const names[] = {path, abstract};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct service service;
        struct diag diag = {.code = ERR_NONE};
        const int fd = make_receiver(names[i]);
        CU_ASSERT(setenv("NOTIFY_SOCKET", names[i], 1) == 0);
        CU_ASSERT_FATAL(CHECK_OK(&diag, service_open(&service, &diag)));
        service_tell(&service, "READY=1\nSTATUS=%d partners", 3);
        CU_ASSERT(receives(fd, "READY=1\nSTATUS=3 partners"));
        service_tell(&service, "WATCHDOG=1");
        CU_ASSERT(receives(fd, "WATCHDOG=1"));
        (void)close(fd);
        (void)unlink(names[i]);
        service_tell(&service, "STOPPING=1"); /* nobody listens: nothing happens */
        service_close(&service);
    }
    CU_ASSERT(unsetenv("NOTIFY_SOCKET") == 0);
}

/* A manager that does not read is not waited for. */
static void
test_full_manager(void)
{
    char path[200];
    struct service service;
    struct diag diag = {.code = ERR_NONE};
    (void)snprintf(path, sizeof(path), "%s/full", unit_temp_dir());
    const int fd = make_receiver(path);
    CU_ASSERT(setenv("NOTIFY_SOCKET", path, 1) == 0);
    CU_ASSERT_FATAL(CHECK_OK(&diag, service_open(&service, &diag)));
    (void)alarm(UNIT_PATIENCE_S);
    for (int i = 0; i < 10000; i++) {
        service_tell(&service, "STATUS=%d", i);
    }
    (void)alarm(0);
    CU_ASSERT(receives(fd, "STATUS=0"));
    service_close(&service);
    (void)close(fd);
    CU_ASSERT(unsetenv("NOTIFY_SOCKET") == 0);
}

static void
test_nobody(void)
{
    struct service service;
    struct diag diag = {.code = ERR_NONE};
    CU_ASSERT_FATAL(CHECK_OK(&diag, service_open(&service, &diag)));
    CU_ASSERT(service.manager_n == 0 && service.watchdog_us == 0 && service.inherited_n == 0);
    service_tell(&service, "READY=1");
    service_close(&service);
    service_close(&service);
}

/* ---- numbers ---- */

/* Our own process id in place of "PID". */
static void
set_environment(const char *name, const char *value)
{
    char pid[24];
    (void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    if (value == NULL) {
        (void)unsetenv(name);
    } else {
        CU_ASSERT(setenv(name, strcmp(value, "PID") == 0 ? pid : value, 1) == 0);
    }
}

static void
clear_environment(void)
{
    static const char *const names[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                        "LISTEN_FDS",    "LISTEN_PID",    "LISTEN_FDNAMES"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)unsetenv(names[i]);
    }
}

static void
test_watchdog(void)
{
    static const struct {
        const char *us, *pid;
        int64_t want;
    } rows[] = {
        {"30000000", NULL, 30 * US_PER_S},
        {"30000000", "PID", 30 * US_PER_S},
        {"30000000", "1", 0},
        {NULL, "PID", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct service service;
        struct diag diag = {.code = ERR_NONE};
        set_environment("WATCHDOG_USEC", rows[i].us);
        set_environment("WATCHDOG_PID", rows[i].pid);
        CU_ASSERT_FATAL(CHECK_OK(&diag, service_open(&service, &diag)));
        CU_ASSERT_EQUAL(service.watchdog_us, rows[i].want);
        service_close(&service);
    }
    clear_environment();
}

static void
test_mistakes(void)
{
    static const struct {
        const char *name, *value, *text;
    } rows[] = {
        {"NOTIFY_SOCKET", "relative", "expected a path or '@'"},
        {"NOTIFY_SOCKET", "/", "expected a path or '@'"},
        {"NOTIFY_SOCKET", "vsock:2:1234", "expected a path or '@'"},
        {"WATCHDOG_USEC", "soon", "expected microseconds"},
        {"WATCHDOG_USEC", "0", "expected microseconds"},
        {"WATCHDOG_USEC", "-1", "expected microseconds"},
        {"WATCHDOG_PID", "me", "expected a process id"},
        {"LISTEN_PID", "me", "expected a process id"},
        {"LISTEN_FDS", "9", "expected a number of sockets"},
        {"LISTEN_FDS", "-1", "expected a number of sockets"},
        {"LISTEN_FDS", "8", "inherited socket 'unknown' (descriptor "}, /* there are not so many */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct service service;
        struct diag diag = {.code = ERR_NONE};
        set_environment("LISTEN_PID", "PID");
        set_environment(rows[i].name, rows[i].value);
        CHECK_ERR(&diag, ERR_CONFIG, service_open(&service, &diag));
        if (strstr(diag.text, rows[i].text) == NULL) {
            printf("\n    wanted '%s' in: %s", rows[i].text, diag.text);
            CU_FAIL("another text");
        }
        clear_environment();
    }
}

/* ---- sockets ---- */

/* Descriptors from 3 on must be ours to give away: CUnit holds none. */
static bool
make_sockets(int n)
{
    for (int i = 0; i < n; i++) {
        const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (fd != 3 + i && (dup2(fd, 3 + i) != 3 + i || close(fd) != 0)) {
            return false;
        }
    }
    return true;
}

static void
test_sockets(void)
{
    static const struct {
        const char *n, *pid, *names;
        size_t want;
        const char *want_names[3];
    } rows[] = {
        {"3", "PID", "network:local:admin", 3, {"network", "local", "admin"}},
        {"2", "PID", "isthmus.socket", 2, {"isthmus.socket", "unknown", NULL}},
        {"2", "PID", "a:b:c", 2, {"a", "b", NULL}},
        {"1", "PID", NULL, 1, {"unknown", NULL, NULL}},
        {"1", "1", "network", 0, {NULL, NULL, NULL}}, /* another process's */
        {"1", NULL, "network", 0, {NULL, NULL, NULL}},
        {NULL, "PID", "network", 0, {NULL, NULL, NULL}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct service service;
        struct diag diag = {.code = ERR_NONE};
        CU_ASSERT_FATAL(make_sockets(3));
        set_environment("LISTEN_FDS", rows[i].n);
        set_environment("LISTEN_PID", rows[i].pid);
        set_environment("LISTEN_FDNAMES", rows[i].names);
        CU_ASSERT_FATAL(CHECK_OK(&diag, service_open(&service, &diag)));
        CU_ASSERT_FATAL(service.inherited_n == rows[i].want);
        for (size_t j = 0; j < rows[i].want; j++) {
            CU_ASSERT_EQUAL(service.inherited[j].fd, 3 + (int)j);
            CU_ASSERT_STRING_EQUAL(service.inherited[j].name, rows[i].want_names[j]);
            CU_ASSERT((fcntl(3 + (int)j, F_GETFD) & FD_CLOEXEC) != 0);
        }
        CU_ASSERT_PTR_NULL(getenv("LISTEN_FDS")); /* no child takes them for its own */
        service_close(&service);
        for (int fd = 3; fd < 3 + (int)rows[i].want; fd++) {
            CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), -1);
        }
        for (int fd = 3 + (int)rows[i].want; fd < 6; fd++) {
            (void)close(fd);
        }
        clear_environment();
    }
}

static const struct unit_test tests[] = {
    {"told behind a path and an abstract name", test_tell},
    {"a manager that does not read", test_full_manager},
    {"nobody to tell", test_nobody},
    {"watchdog", test_watchdog},
    {"mistakes", test_mistakes},
    {"sockets", test_sockets},
};

int
main(void)
{
    clear_environment();
    return unit_main("service", tests, ARRAY_LEN(tests));
}
