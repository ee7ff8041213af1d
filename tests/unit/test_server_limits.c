/*
 * What the network server allows: size, number and memory; and that it holds what it promises at
 * that size. (Time: test_server_time.c.)
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "tests/unit/net_fixture.h"

/* libevent's memory: through our own door, so that a test can close it, and counted. */
static atomic_size_t event_bytes, event_bytes_most;

static void
count(void *p, bool is_taken)
{
    const size_t n = p == NULL ? 0 : malloc_usable_size(p);
    const size_t now =
        is_taken ? atomic_fetch_add(&event_bytes, n) + n : atomic_fetch_sub(&event_bytes, n) - n;
    if (now > atomic_load(&event_bytes_most)) {
        atomic_store(&event_bytes_most, now); /* about right is enough */
    }
}

static void *
counted_alloc(size_t n)
{
    void *p = mem_alloc(n);
    count(p, true);
    return p;
}

static void
counted_free(void *p)
{
    count(p, false);
    mem_free(p);
}

static void *
counted_resize(void *p, size_t n)
{
    count(p, false);
    void *resized = mem_resize(p, n);
    count(resized == NULL ? p : resized, true);
    return resized;
}

/* A rig with one limit of 300 ms; all others are far away. */
static void
short_init(struct rig *rig)
{
    rig_init(rig);
    rig->options.handshake_timeout_us = 60 * US_PER_S;
    rig->options.head_timeout_us = 60 * US_PER_S;
    rig->options.idle_timeout_us = 60 * US_PER_S;
    rig->options.body_stall_us = 60 * US_PER_S;
}

#define SHORT_US (300 * US_PER_MS)

/* ---- size ---- */

#define LARGE ((size_t)20 * 1024 * 1024)

static char
large_byte(size_t i)
{
    return (char)('a' + i % 23 + (i >> 16) % 3);
}

static bool
make_large_file(int *ret_fd)
{
    char path[512];
    char *bytes = mem_alloc(LARGE);
    (void)snprintf(path, sizeof(path), "%s/large", unit_temp_dir());
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (size_t i = 0; bytes != NULL && i < LARGE; i++) {
        bytes[i] = large_byte(i);
    }
    size_t written = 0;
    while (fd >= 0 && bytes != NULL && written < LARGE) {
        const ssize_t n = write(fd, bytes + written, LARGE - written);
        if (n <= 0) {
            break;
        }
        written += (size_t)n;
    }
    mem_free(bytes);
    *ret_fd = fd;
    return written == LARGE;
}

static bool
is_large(const struct client_answer *answer)
{
    bool is_equal = answer->body_n == LARGE;
    for (size_t i = 0; is_equal && i < LARGE; i++) {
        is_equal = answer->body[i] == large_byte(i);
    }
    return is_equal;
}

/* From a file, piece by piece and never all of it in memory; then the connection goes on. */
static void
test_large_answer(void)
{
    struct rig rig;
    struct client client;
    struct body body;
    struct client_answer answer;
    struct diag diag = {.code = ERR_NONE};
    int fd = -1;
    rig_init(&rig);
    rig.holds = true;
    CU_ASSERT_FATAL(rig_start(&rig) && make_large_file(&fd));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_send(&client, SPAN(POST_ABC)));
    struct net_request *request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    CHECK_OK(&diag, body_from_fd(&body, fd, &diag));
    atomic_store(&event_bytes_most, 0);
    net_answer(request, 200, "", &body);
    (void)usleep(200000); /* the reader is slower than the writer */
    CU_ASSERT(client_read(&client, &answer));
    CU_ASSERT(is_large(&answer));
    CU_ASSERT(atomic_load(&event_bytes_most) < 1000000);
    CU_ASSERT_PTR_NULL(strstr(answer.head, "Content-Type"));
    client_answer_done(&answer);
    rig.holds = false;
    CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc"));
    client_close(&client);
    rig_done(&rig);
}

/* A reader that stops reading is cut off, and the body is given back. */
static void
test_reader_stops(void)
{
    struct rig rig;
    struct client client;
    struct body body;
    struct diag diag = {.code = ERR_NONE};
    char piece[4096];
    int fd = -1;
    short_init(&rig);
    rig.options.body_stall_us = SHORT_US;
    rig.holds = true;
    CU_ASSERT_FATAL(rig_start(&rig) && make_large_file(&fd));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_send(&client, SPAN(POST_ABC)));
    struct net_request *request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    CHECK_OK(&diag, body_from_fd(&body, fd, &diag));
    net_answer(request, 200, "", &body);
    for (unsigned looks = 0; fcntl(fd, F_GETFD) >= 0 && unit_wait(&looks);) {
    } /* the descriptor closes with the connection */
    CU_ASSERT(fcntl(fd, F_GETFD) < 0);
    size_t got = 0;
    for (long n = 1; n > 0; got += n > 0 ? (size_t)n : 0) {
        n = client_receive(&client, piece, sizeof(piece));
    }
    CU_ASSERT(got < LARGE);
    client_close(&client);
    rig_done(&rig);
}

static void
test_body_at_limit(void)
{
    struct rig rig;
    struct client client;
    struct client_answer answer;
    char *body = mem_alloc(100001);
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig) && body != NULL);
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    memset(body, 'x', 100000);
    CU_ASSERT(
        client_send(&client, SPAN("POST /x HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n")));
    CU_ASSERT(client_send(&client, span_of(body, 100000)));
    CU_ASSERT(client_read(&client, &answer));
    CU_ASSERT_EQUAL(answer.status, 200);
    CU_ASSERT_EQUAL(answer.body_n, 100000);
    client_answer_done(&answer);
    mem_free(body);
    client_close(&client);
    rig_done(&rig);
}

/* The sender of a body that is too large hears so, though it had sent much that nobody read. */
static void
test_body_over_limit(void)
{
    struct rig rig;
    struct client client;
    char *body = mem_alloc(1000001);
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig) && body != NULL);
    for (int i = 0; i < 10; i++) {
        CU_ASSERT_FATAL(rig_connect(&rig, &client));
        memset(body, 'x', 1000000);
        CU_ASSERT(client_send(&client, SPAN("POST /x HTTP/1.1\r\n" HOST
                                            "Transfer-Encoding: chunked\r\n\r\n100\r\n")));
        CU_ASSERT(client_send(&client, span_of(body, 256)));
        CU_ASSERT(client_send(&client, SPAN("\r\nF4140\r\n")));
        CU_ASSERT(client_exchange(&client, body, 413, "request body too large\n"));
        CU_ASSERT(client_is_at_end(&client));
        CU_ASSERT(client_send(&client, span_of(body, 1000))); /* read past: no reset */
        (void)usleep(10000);
        CU_ASSERT(client_send(&client, span_of(body, 1000)));
        client_close(&client);
    }
    CU_ASSERT_EQUAL(rig.handled, 0);
    mem_free(body);
    rig_done(&rig);
}

static void
test_head_over_limit(void)
{
    struct rig rig;
    struct client client;
    char head[2048];
    rig_init(&rig);
    rig.options.head_limit = 1024;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    memset(head, 'x', sizeof(head));
    memcpy(head, "POST /x HTTP/1.1\r\nX: ", 21);
    head[sizeof(head) - 1] = '\0';
    CU_ASSERT(client_exchange(&client, head, 431, "request header too large\n"));
    CU_ASSERT(client_is_at_end(&client));
    client_close(&client);
    rig_done(&rig);
}

/* ---- number ---- */

#define MANY 200

static void
test_many(void)
{
    struct rig rig;
    struct client *clients = mem_alloc(MANY * sizeof(*clients));
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig) && clients != NULL);
    for (size_t i = 0; i < MANY; i++) {
        CU_ASSERT_FATAL(rig_connect(&rig, &clients[i]));
    }
    for (int round = 0; round < 3; round++) {
        char request[128];
        for (size_t i = 0; i < MANY; i++) {
            const int n = snprintf(request, sizeof(request),
                                   "POST /x HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\n%06zu", i);
            CU_ASSERT(client_send(&clients[i], span_of(request, (size_t)n)));
        }
        for (size_t i = 0; i < MANY; i++) {
            (void)snprintf(request, sizeof(request), "%06zu", i);
            CU_ASSERT(client_exchange(&clients[i], "", 200, request));
        }
    }
    for (size_t i = 0; i < MANY; i++) {
        client_close(&clients[i]);
    }
    CU_ASSERT_EQUAL(rig.handled, 3 * MANY);
    CU_ASSERT_EQUAL(rig.refused_n, 0);
    mem_free(clients);
    rig_done(&rig);
}

static void
test_connection_cap(void)
{
    struct rig rig;
    rig_init(&rig);
    rig.options.connections_max = 2;
    rig_check_two(&rig);
    rig_done(&rig);
}

static long
cpu_us(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

/* Nothing is used for half a second, soon: who spins never comes to it. */
static bool
becomes_quiet(void)
{
    for (int i = 0; i < 20; i++) {
        const long before_us = cpu_us();
        (void)usleep(500000);
        if (cpu_us() - before_us < 50000) {
            return true;
        }
    }
    return false;
}

/* Without descriptors the server waits for one, and does not spin meanwhile. */
static void
test_no_descriptors(void)
{
    struct rig rig;
    struct client client;
    struct rlimit before, none;
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig) && getrlimit(RLIMIT_NOFILE, &before) == 0);
    const int fd = dup(0);
    none = (struct rlimit){(rlim_t)fd + 1, before.rlim_max}; /* room for the client's socket */
    (void)close(fd);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &none), 0);
    const bool is_open = client_open(&client, "127.0.0.1", net_port(rig.server, NET_NETWORK));
    CU_ASSERT(is_open);
    CU_ASSERT(becomes_quiet());
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    CU_ASSERT(is_open && client_start_tls(&client, fixture_pki()->client, fixture_pki()->trust,
                                          TLS1_3_VERSION));
    CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc"));
    client_close(&client);
    rig_done(&rig);
}

/* ---- memory ---- */

/* libevent asks the same door, so its failures are tried as well. */
static struct status
start_and_stop(struct diag *diag)
{
    struct rig rig;
    rig_init(&rig);
    rig.config.network.credential = NULL; /* OpenSSL's own memory does not come from that door */
    rig.config.network.trust = NULL;
    const struct status st = net_start(&rig.options, diag, &rig.server);
    rig_done(&rig);
    return st;
}

static void
test_no_memory_to_start(void)
{
    (void)fixture_pki();
    unit_torture(start_and_stop);
}

/* While it serves: connections may be lost, the server must not be. */
static void
test_no_memory_to_serve(void)
{
    struct rig rig;
    struct client client;
    rig_init(&rig);
    rig.config.network.credential = NULL;
    rig.options.loop_threads = 1;
    CU_ASSERT_FATAL(rig_start(&rig));
    const uint16_t port = net_port(rig.server, NET_NETWORK);
    for (uint64_t n = 0; n < 60; n++) {
        struct client_answer answer = {.status = 0};
        CU_ASSERT_FATAL(client_open(&client, "127.0.0.1", port));
        mem_fail_after(n);
        (void)client_send(&client, SPAN(POST_ABC));
        const struct timeval wait = {0, 50000};
        fd_set readable;
        FD_ZERO(&readable);
        FD_SET(client.fd, &readable);
        struct timeval left = wait;
        (void)select(client.fd + 1, &readable, NULL, NULL, &left);
        mem_fail_after(UINT64_MAX);
        client_close(&client);
        client_answer_done(&answer);
    }
    CU_ASSERT_FATAL(client_open(&client, "127.0.0.1", port));
    CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc"));
    client_close(&client);
    rig_done(&rig);
}

static const struct unit_test tests[] = {
    {"body over the limit", test_body_over_limit},
    {"body at the limit", test_body_at_limit},
    {"head over the limit", test_head_over_limit},
    {"large answer", test_large_answer},
    {"reader stops", test_reader_stops},
    {"no memory to start", test_no_memory_to_start},
    {"no memory to serve", test_no_memory_to_serve},
    {"no descriptors", test_no_descriptors},
    {"connection cap", test_connection_cap},
    {"200 connections", test_many},
};

int
main(void)
{
    event_set_mem_functions(counted_alloc, counted_resize, counted_free);
    const int status = unit_main("server limits", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
