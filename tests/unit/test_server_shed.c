/*
 * The node has too much in hand: requests, bytes in memory, work that waits. New requests get 503
 * with Retry-After before anything is kept of them, on a connection that stays; the admin listener
 * is served; and when there is room again everybody is.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "tests/unit/net_fixture.h"

#define BUSY      "the gateway is busy; try again later\n"
#define ADMIN_GET "GET /livez HTTP/1.1\r\n" HOST "\r\n"

/* 503 with Retry-After: <retry_s>; does the connection end with it? */
static bool
is_shed(struct client *client, const char *request, const char *retry_s, bool closes)
{
    struct client_answer answer = {.status = 0};
    char wanted[64];
    (void)snprintf(wanted, sizeof(wanted), "\r\nRetry-After: %s\r\n", retry_s);
    (void)client_send(client, span_of_cstr(request));
    const bool has_come = client_read(client, &answer);
    const bool is_good = has_come && answer.status == 503 && strcmp(answer.body, BUSY) == 0 &&
                         strstr(answer.head, wanted) != NULL &&
                         (strstr(answer.head, "\r\nConnection: close\r\n") != NULL) == closes;
    if (!is_good) {
        printf("\n    expected 503, Retry-After: %s, closes %d, got %s", retry_s, closes,
               answer.head);
    }
    client_answer_done(&answer);
    return is_good && (!closes || client_is_at_end(client));
}

static struct net_counts
counts_of(const struct rig *rig)
{
    struct net_counts counts;
    net_count(rig->server, &counts);
    return counts;
}

/* What is counted goes down when an answer's last byte has left, a little after it has come. */
static bool
wait_nothing_held(const struct rig *rig)
{
    struct net_counts counts = counts_of(rig);
    for (unsigned looks = 0; (counts.requests > 0 || counts.held_bytes > 0) && unit_wait(&looks);) {
        counts = counts_of(rig);
    }
    return counts.requests == 0 && counts.held_bytes == 0;
}

static bool
wait_requests(const struct rig *rig, size_t n)
{
    for (unsigned looks = 0; counts_of(rig).requests != n && unit_wait(&looks);) {
    }
    return counts_of(rig).requests == n;
}

static void
with_admin(struct rig *rig)
{
    rig->config.admin = rig->config.network;
}

/* ---- requests ---- */

static void
test_requests(void)
{
    struct rig rig;
    struct client held[2], client, admin;
    struct net_request *requests[2];
    rig_init(&rig);
    with_admin(&rig);
    rig.holds = true;
    rig.options.requests_max = 2;
    CU_ASSERT_FATAL(rig_start(&rig));
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_FATAL(rig_connect(&rig, &held[i]));
        CU_ASSERT(client_send(&held[i], SPAN(POST_ABC)));
        requests[i] = rig_take(&rig);
        CU_ASSERT_PTR_NOT_NULL_FATAL(requests[i]);
    }
    CU_ASSERT_EQUAL(counts_of(&rig).requests, 2);
    CU_ASSERT(counts_of(&rig).held_bytes >= 6);
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    for (int i = 0; i < 3; i++) { /* the same connection each time, nothing of it is kept */
        CU_ASSERT(is_shed(&client, POST_ABC, "1", false));
    }
    CU_ASSERT(is_shed(&client, "GET /x HTTP/1.1\r\n" HOST "\r\n", "1", false));
    CU_ASSERT_EQUAL(rig.handled, 2);
    CU_ASSERT_EQUAL(counts_of(&rig).shed[NET_SHED_REQUESTS], 4);
    CU_ASSERT(rig_wait_refused(&rig, 4, ERR_OVERLOAD));
    /* whom an operator sends is served */
    CU_ASSERT_FATAL(client_open(&admin, "127.0.0.1", net_port(rig.server, NET_ADMIN)));
    CU_ASSERT_FATAL(
        client_start_tls(&admin, fixture_pki()->client, fixture_pki()->trust, TLS1_3_VERSION));
    CU_ASSERT(client_send(&admin, SPAN(ADMIN_GET)));
    struct net_request *request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    rig_answer(request, 200, "ok\n");
    CU_ASSERT(client_exchange(&admin, "", 200, "ok\n"));
    client_close(&admin);
    /* one goes, one fits */
    rig_answer(requests[0], 200, "first");
    CU_ASSERT(client_exchange(&held[0], "", 200, "first") && wait_requests(&rig, 1));
    CU_ASSERT(client_send(&client, SPAN(POST_ABC)));
    request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    rig_answer(request, 200, "fits");
    CU_ASSERT(client_exchange(&client, "", 200, "fits") && wait_requests(&rig, 1));
    /* a peer that goes does not make room: the work is still there */
    client_reset(&held[1]);
    (void)usleep(50000);
    CU_ASSERT_EQUAL(counts_of(&rig).requests, 1);
    net_drop(requests[1]);
    CU_ASSERT(wait_nothing_held(&rig));
    client_close(&held[0]);
    client_close(&client);
    rig_done(&rig);
}

/* A node that is full of connections can still be looked at. */
static void
test_full_of_connections(void)
{
    struct rig rig;
    struct client client, admin;
    char byte = 0;
    rig_init(&rig);
    with_admin(&rig);
    rig.options.connections_max = 1;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc"));
    CU_ASSERT_FATAL(client_open(&admin, "127.0.0.1", net_port(rig.server, NET_NETWORK)));
    CU_ASSERT(client_receive(&admin, &byte, 1) <= 0);
    client_close(&admin);
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_LIMIT_CONNECTIONS));
    CU_ASSERT_FATAL(client_open(&admin, "127.0.0.1", net_port(rig.server, NET_ADMIN)));
    CU_ASSERT_FATAL(
        client_start_tls(&admin, fixture_pki()->client, fixture_pki()->trust, TLS1_3_VERSION));
    CU_ASSERT(client_exchange(&admin, ADMIN_GET, 200, ""));
    client_close(&admin);
    client_close(&client);
    rig_done(&rig);
}

/* Where reading past a body would cost more than a handshake, or the client waits to be asked for
 * it, the connection ends. */
static void
test_large_bodies(void)
{
    static const char *const rows[] = {
        "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "POST /x HTTP/1.1\r\n" HOST "Content-Length: 300000\r\n\r\nabc",
        "POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n",
    };
    struct rig rig;
    rig_init(&rig);
    rig.config.body_limit = 1000000;
    rig.options.requests_max = 0;
    CU_ASSERT_FATAL(rig_start(&rig));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct client client;
        CU_ASSERT_FATAL(rig_connect(&rig, &client));
        CU_ASSERT(is_shed(&client, rows[i], "1", true));
        client_close(&client);
    }
    CU_ASSERT_EQUAL(rig.handled, 0);
    rig_done(&rig);
}

/* A body that is to be forgotten may not drip in any more than another. */
static void
test_slow_shed(void)
{
    struct rig rig;
    struct client client;
    rig_init(&rig);
    rig.options.requests_max = 0;
    rig.options.body_stall_us = 200 * US_PER_MS;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_exchange(&client, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nab",
                              408, NULL));
    client_close(&client);
    rig_done(&rig);
}

/* ---- memory ---- */

#define HELD ((size_t)40 * 1024)

static void
test_memory(void)
{
    struct rig rig;
    struct client first, second;
    static char body[60 * 1024];
    rig_init(&rig);
    rig.holds = true;
    rig.options.held_bytes_max = HELD;
    CU_ASSERT_FATAL(rig_start(&rig));
    memset(body, 'x', sizeof(body));
    CU_ASSERT_FATAL(rig_connect(&rig, &first));
    CU_ASSERT(
        client_send(&first, SPAN("POST /x HTTP/1.1\r\n" HOST "Content-Length: 20000\r\n\r\n")));
    CU_ASSERT(client_send(&first, span_of(body, 20000)));
    struct net_request *request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    const size_t held = counts_of(&rig).held_bytes;
    CU_ASSERT(held >= 20000 && held <= HELD);
    /* by the length that it says: it is read, and nothing is kept */
    CU_ASSERT_FATAL(rig_connect(&rig, &second));
    CU_ASSERT(
        client_send(&second, SPAN("POST /x HTTP/1.1\r\n" HOST "Content-Length: 30000\r\n\r\n")));
    CU_ASSERT(client_send(&second, span_of(body, 29999)));
    CU_ASSERT_EQUAL(counts_of(&rig).held_bytes, held);
    CU_ASSERT(is_shed(&second, "x", "1", false));
    client_close(&second);
    /* as it grows: in chunks nobody knows how long it gets */
    CU_ASSERT_FATAL(rig_connect(&rig, &second));
    CU_ASSERT(client_send(
        &second, SPAN("POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nf000\r\n")));
    (void)client_send(&second, span_of(body, sizeof(body)));
    CU_ASSERT(is_shed(&second, "", "1", true));
    client_close(&second);
    CU_ASSERT_EQUAL(rig.handled, 1);
    CU_ASSERT(counts_of(&rig).shed[NET_SHED_MEMORY] >= 2);
    rig_answer(request, 200, "first");
    CU_ASSERT(client_exchange(&first, "", 200, "first"));
    CU_ASSERT(wait_nothing_held(&rig));
    client_close(&first);
    rig_done(&rig);
}

/* ---- work that waits ---- */

static _Atomic int64_t lag_us;

static int64_t
lag(void *arg)
{
    (void)arg;
    return lag_us;
}

static void
test_queue(void)
{
    struct rig rig;
    struct client client;
    rig_init(&rig);
    rig.options.lag_us = lag;
    rig.options.lag_max_us = 2 * US_PER_S;
    lag_us = 0;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc"));
    lag_us = 5 * US_PER_S;
    CU_ASSERT(is_shed(&client, POST_ABC, "6", false));
    CU_ASSERT(is_shed(&client, POST_ABC, "6", false));
    lag_us = 2 * US_PER_S;
    CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc"));
    CU_ASSERT_EQUAL(counts_of(&rig).shed[NET_SHED_QUEUE], 2);
    CU_ASSERT_EQUAL(counts_of(&rig).requests_total, 2);
    client_close(&client);
    rig_done(&rig);
}

/* ---- signs of life ---- */

static atomic_bool blocks;

static void
block(void *arg, struct net_request *request)
{
    (void)arg;
    while (blocks) {
        (void)usleep(1000);
    }
    rig_answer(request, 200, "at last");
}

/* Until its silence is within these. */
static bool
comes_to(struct net_server *server, int64_t least_us, int64_t most_us)
{
    unsigned looks = 0;
    int64_t us = net_silence_us(server);
    while ((us < least_us || us > most_us) && unit_wait(&looks)) {
        us = net_silence_us(server);
    }
    return us >= least_us && us <= most_us;
}

/* A loop that does not come back is seen by its silence. */
static void
test_silence(void)
{
    struct rig rig;
    struct client client;
    rig_init(&rig);
    rig.options.handler = block;
    rig.options.loop_threads = 1;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT_EQUAL(net_silence_us(rig.server), 0);
    for (int i = 0; i < 10; i++) { /* who asks seldom does not take that for silence */
        (void)usleep(600000);
        if (net_silence_us(rig.server) == 0) { /* a slow machine may answer late once */
            break;
        }
        CU_ASSERT_NOT_EQUAL(i, 9);
    }
    blocks = true;
    CU_ASSERT(client_send(&client, SPAN(POST_ABC)));
    CU_ASSERT(comes_to(rig.server, 500 * US_PER_MS, INT64_MAX));
    blocks = false;
    CU_ASSERT(client_exchange(&client, "", 200, "at last"));
    CU_ASSERT(comes_to(rig.server, 0, 0));
    client_close(&client);
    rig_done(&rig);
}

static const struct unit_test tests[] = {
    {"too many requests", test_requests},
    {"too many connections", test_full_of_connections},
    {"bodies that are not read past", test_large_bodies},
    {"a shed body that drips in", test_slow_shed},
    {"too much memory", test_memory},
    {"too much waiting", test_queue},
    {"a loop that is silent", test_silence},
};

int
main(void)
{
    const int status = unit_main("server shed", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
