/*
 * A partner behind a proxy: CONNECT, and our TLS inside. The proxy is a small one of this file; the
 * partner is a real server.
 */
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "tests/unit/out_fixture.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 6\r\n\r\nanswer"
#define SAN       "identity: san, names: [server.example]"

/* ---- a proxy: one connection after the other ---- */

struct proxy {
    int fd;
    uint16_t port, to; /* where it leads, whatever it was asked for */
    const char *answer;
    bool is_silent;
    pthread_t thread;
    atomic_bool is_stopping;
    atomic_size_t connections;
    char head[2048]; /* of the last CONNECT */
};

static int
connect_to(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool
pass_on(int from, int to)
{
    char bytes[16384];
    const ssize_t n = recv(from, bytes, sizeof(bytes), 0);
    return n > 0 && send(to, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

static void
relay(struct proxy *proxy, int near)
{
    const int far = connect_to(proxy->to);
    bool goes_on = far >= 0;
    while (goes_on && !atomic_load(&proxy->is_stopping)) {
        struct pollfd fds[] = {{.fd = near, .events = POLLIN}, {.fd = far, .events = POLLIN}};
        if (poll(fds, 2, 50) > 0) {
            goes_on = (fds[0].revents == 0 || pass_on(near, far)) &&
                      (fds[1].revents == 0 || pass_on(far, near));
        }
    }
    (void)close(far);
}

static void
serve(struct proxy *proxy, int fd)
{
    const struct timeval wait = {5, 0};
    size_t n = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    while (n + 1 < sizeof(proxy->head) && recv(fd, proxy->head + n, 1, 0) == 1) {
        proxy->head[++n] = '\0';
        if (span_ends_with(span_of(proxy->head, n), SPAN("\r\n\r\n"))) {
            break;
        }
    }
    while (proxy->is_silent && !atomic_load(&proxy->is_stopping)) {
        (void)usleep(20000);
    }
    (void)send(fd, proxy->answer, strlen(proxy->answer), MSG_NOSIGNAL);
    if (strstr(proxy->answer, " 200 ") != NULL) {
        relay(proxy, fd);
    }
}

static void *
run(void *arg)
{
    struct proxy *proxy = arg;
    while (!atomic_load(&proxy->is_stopping)) {
        struct pollfd readable = {.fd = proxy->fd, .events = POLLIN};
        const int fd =
            poll(&readable, 1, 50) == 1 ? accept4(proxy->fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0) {
            (void)atomic_fetch_add(&proxy->connections, 1);
            serve(proxy, fd);
            (void)close(fd);
        }
    }
    return NULL;
}

static bool
start_proxy(struct proxy *proxy, uint16_t to)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    *proxy = (struct proxy){.to = to, .answer = "HTTP/1.1 200 Connection established\r\n\r\n"};
    proxy->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(proxy->fd, (struct sockaddr *)&address, n) != 0 || listen(proxy->fd, 16) != 0 ||
        getsockname(proxy->fd, (struct sockaddr *)&address, &n) != 0) {
        return false;
    }
    proxy->port = ntohs(address.sin_port);
    return pthread_create(&proxy->thread, NULL, run, proxy) == 0;
}

static void
stop_proxy(struct proxy *proxy)
{
    atomic_store(&proxy->is_stopping, true);
    (void)pthread_join(proxy->thread, NULL);
    (void)close(proxy->fd);
}

struct scene {
    struct peer peer;
    struct proxy proxy;
    struct calls calls;
};

static void
open_scene(struct scene *scene, const char *tls, const char *timeout)
{
    static char more[256];
    CU_ASSERT_FATAL(peer_start(&scene->peer, PEER_ANSWERS, fixture_pki()->server,
                               fixture_pki()->trust, TLS1_3_VERSION));
    scene->peer.answer = OK_ANSWER;
    CU_ASSERT_FATAL(start_proxy(&scene->proxy, scene->peer.port));
    (void)snprintf(more, sizeof(more), "proxy: http://127.0.0.1:%u\nlimits: {failures: 1000}\n",
                   scene->proxy.port);
    /* a name that no name service knows: it is the proxy's to find */
    const struct out_partner partner = {"partner.invalid", 8443, tls, timeout, more};
    CU_ASSERT_FATAL(calls_start(&scene->calls, &partner, 1));
}

static void
close_scene(struct scene *scene)
{
    calls_done(&scene->calls);
    stop_proxy(&scene->proxy);
    peer_stop(&scene->peer);
}

/* ---- tests ---- */

static void
test_tunnel(void)
{
    struct scene scene;
    open_scene(&scene, SAN, PATIENT);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT(call_is_answer(calls_exchange(&scene.calls, 0, "question"), 200, "answer"));
    }
    CU_ASSERT_EQUAL(atomic_load(&scene.proxy.connections), 1);
    CU_ASSERT_EQUAL(atomic_load(&scene.peer.requests), 3);
    CU_ASSERT_STRING_EQUAL(scene.calls.answers[0].peer_address,
                           ""); /* it is the proxy that knows */
    CU_ASSERT_STRING_EQUAL(scene.calls.answers[0].tls.version, "TLSv1.3");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(scene.proxy.head,
               "CONNECT partner.invalid:8443 HTTP/1.1\r\nHost: partner.invalid:8443\r\n"));
    CU_ASSERT_PTR_NULL(strstr(scene.proxy.head, "Content-Type")); /* that is the partner's */
    CU_ASSERT_PTR_NULL(strstr(scene.proxy.head, "question"));
    close_scene(&scene);
}

/* What the proxy leads to must be the partner all the same. */
static void
test_identity(void)
{
    struct scene scene;
    open_scene(&scene, "identity: san, names: [blue.example]", PATIENT);
    CU_ASSERT(calls_expect(&scene.calls, 0, ERR_PARTNER_TLS, "blue.example"));
    CU_ASSERT_EQUAL(atomic_load(&scene.peer.bytes), 0);
    close_scene(&scene);
}

static void
test_proxy_fails(void)
{
    static const struct {
        const char *answer;
        enum err want;
        const char *said;
    } rows[] = {
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", ERR_PARTNER_UNREACHABLE,
         "the proxy answered 403"},
        {"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n"
         "Content-Length: 0\r\n\r\n",
         ERR_PARTNER_UNREACHABLE, "the proxy answered 407"},
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
         ERR_PARTNER_UNREACHABLE, "the proxy answered 302"},
        {"", ERR_PARTNER_UNREACHABLE, ""},
        {"SSH-2.0-x\r\n", ERR_PARTNER_UNREACHABLE, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scene scene;
        open_scene(&scene, SAN, PATIENT);
        scene.proxy.answer = rows[i].answer;
        if (!calls_expect(&scene.calls, 0, rows[i].want, rows[i].said)) {
            printf("\n    in row %zu", i);
            CU_FAIL("another result");
        }
        CU_ASSERT_FALSE(scene.calls.answers[0].is_stale);
        CU_ASSERT_EQUAL(atomic_load(&scene.peer.connections), 0);
        close_scene(&scene);
    }
}

static void
test_proxy_away(void)
{
    struct scene scene;
    open_scene(&scene, SAN, "400ms");
    scene.proxy.is_silent = true;
    CU_ASSERT(calls_expect(&scene.calls, 0, ERR_PARTNER_TIMEOUT, ""));
    stop_proxy(&scene.proxy);
    CU_ASSERT(calls_expect(&scene.calls, 0, ERR_PARTNER_UNREACHABLE, "proxy"));
    calls_done(&scene.calls);
    peer_stop(&scene.peer);
}

static const struct unit_test tests[] = {
    {"tunnel", test_tunnel},
    {"identity", test_identity},
    {"a proxy that refuses", test_proxy_fails},
    {"a proxy that is not there", test_proxy_away},
};

int
main(void)
{
    (void)setenv("https_proxy", "http://127.0.0.1:1", 1);
    (void)setenv("no_proxy", "*", 1);
    const int status = unit_main("out proxy", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
