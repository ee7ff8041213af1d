/*
 * How slow a peer of the network server may be: each limit on its own, all others a minute away.
 * Which of them ended a connection is told by what was refused, not by a stopwatch.
 */
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "tests/unit/net_fixture.h"

/* A rig with one limit of 300 ms; all others are far away: who waited for one of them has lost his
 * patience before. */
#define SHORT_US (300 * US_PER_MS)
#define LONG_US  (2 * UNIT_PATIENCE_S * US_PER_S)
/* Where the client has something to do before the limit's end. */
#define AMPLE_US (3 * US_PER_S)

static void
short_init(struct rig *rig)
{
    rig_init(rig);
    rig->options.handshake_timeout_us = LONG_US;
    rig->options.head_timeout_us = LONG_US;
    rig->options.idle_timeout_us = LONG_US;
    rig->options.body_stall_us = LONG_US;
    rig->options.rate_bytes = 400;
}

/* Sends <piece> every 20 ms until the server answers or ends, 10 s at most. */
static void
drip(struct client *client, struct span piece)
{
    for (int i = 0; i < 500 && client_send(client, piece); i++) {
        struct timeval none = {0, 20000};
        fd_set readable;
        FD_ZERO(&readable);
        FD_SET(client->fd, &readable);
        if (select(client->fd + 1, &readable, NULL, NULL, &none) != 0) {
            return;
        }
    }
}

static void
check_slow(struct rig *rig, struct span start, struct span piece, const char *says)
{
    struct client client;
    CU_ASSERT_FATAL(rig_start(rig));
    CU_ASSERT_FATAL(rig_connect(rig, &client));
    CU_ASSERT(client_send(&client, start));
    drip(&client, piece);
    CU_ASSERT(client_exchange(&client, "", 408, "request took too long\n"));
    CU_ASSERT(client_is_at_end(&client));
    CU_ASSERT(rig_wait_refused(rig, 1, ERR_LIMIT_TIME));
    CU_ASSERT_PTR_NOT_NULL(strstr(rig->refused_text, says));
    CU_ASSERT_EQUAL(rig->handled, 0);
    client_close(&client);
    rig_done(rig);
}

/* One more byte or header does not give a head more time. */
static void
test_slow_head(void)
{
    static const char says[] = "head of the request: slower than 300 ms";
    struct rig rig;
    short_init(&rig);
    rig.options.head_timeout_us = SHORT_US;
    check_slow(&rig, SPAN("P"), SPAN_EMPTY, says);
    short_init(&rig);
    rig.options.head_timeout_us = SHORT_US;
    check_slow(&rig, SPAN("POST /x HTTP/1.1\r\n" HOST), SPAN("a:\r\n"), says);
}

/* Nothing at all, less than the least rate, and chunks of one byte. */
static void
test_slow_body(void)
{
    static const struct {
        const char *start, *piece;
    } rows[] = {
        {"POST /x HTTP/1.1\r\n" HOST "Content-Length: 90000\r\n\r\n", ""},
        {"POST /x HTTP/1.1\r\n" HOST "Content-Length: 90000\r\n\r\n", "a"},
        {"POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig rig;
        short_init(&rig);
        rig.options.body_stall_us = SHORT_US;
        check_slow(&rig, span_of_cstr(rows[i].start), span_of_cstr(rows[i].piece),
                   "body of the request: slower than 300 ms");
    }
}

/* 2 KB a second for longer than a window is slow, but far more than what is asked for: three pieces
 * in three seconds. */
static void
test_slow_but_allowed(void)
{
    struct rig rig;
    struct client client;
    char piece[41];
    short_init(&rig);
    rig.options.body_stall_us = AMPLE_US;
    rig.options.rate_bytes = 40;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    memset(piece, 'a', 40);
    piece[40] = '\0';
    CU_ASSERT(
        client_send(&client, SPAN("POST /x HTTP/1.1\r\n" HOST "Content-Length: 7000\r\n\r\n")));
    for (int i = 0; i < 174; i++) {
        CU_ASSERT(client_send(&client, span_of(piece, 40)));
        (void)usleep(20000);
    }
    CU_ASSERT(client_exchange(&client, piece, 200, NULL));
    client_close(&client);
    rig_done(&rig);
}

static void
check_silent_end(struct rig *rig, bool has_tls, bool has_request)
{
    struct client client;
    CU_ASSERT_FATAL(rig_start(rig));
    if (has_tls) {
        CU_ASSERT_FATAL(rig_connect(rig, &client));
    } else {
        CU_ASSERT_FATAL(client_open(&client, "127.0.0.1", net_port(rig->server, NET_NETWORK)));
    }
    if (has_request) {
        CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc"));
    }
    CU_ASSERT(client_is_at_end(&client));
    client_close(&client);
}

static void
test_idle(void)
{
    for (int has_request = 0; has_request < 2; has_request++) {
        struct rig rig;
        short_init(&rig);
        rig.options.idle_timeout_us = has_request != 0 ? AMPLE_US : SHORT_US;
        check_silent_end(&rig, true, has_request != 0);
        CU_ASSERT_EQUAL(rig.refused_n, 0);
        rig_done(&rig);
    }
}

static void
test_slow_handshake(void)
{
    struct rig rig;
    short_init(&rig);
    rig.options.handshake_timeout_us = SHORT_US;
    check_silent_end(&rig, false, false);
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_TLS));
    rig_done(&rig);
}

/* The handler may take longer than any of these. */
static void
test_slow_handler(void)
{
    struct rig rig;
    struct client client;
    short_init(&rig);
    rig.options.head_timeout_us = rig.options.idle_timeout_us = AMPLE_US;
    rig.options.body_stall_us = rig.options.handshake_timeout_us = AMPLE_US;
    rig.holds = true;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_send(&client, SPAN(POST_ABC)));
    struct net_request *request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    (void)usleep(AMPLE_US * 5 / 4);
    rig_answer(request, 200, "late");
    CU_ASSERT(client_exchange(&client, "", 200, "late"));
    client_close(&client);
    rig_done(&rig);
}

static void
test_truncated(void)
{
    static const char *const starts[] = {"POST /x HT",
                                         "POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nab"};
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        struct rig rig;
        struct client client;
        rig_init(&rig);
        CU_ASSERT_FATAL(rig_start(&rig));
        CU_ASSERT_FATAL(rig_connect(&rig, &client));
        CU_ASSERT(client_send(&client, span_of_cstr(starts[i])));
        (void)SSL_shutdown(client.ssl);
        CU_ASSERT(rig_wait_refused(&rig, 1, ERR_HTTP_TRUNCATED));
        CU_ASSERT_EQUAL(rig.handled, 0);
        client_close(&client);
        rig_done(&rig);
    }
}

/* Where the status of certificates is asked, a connection lives no longer than an answer does. */
static void
test_life_of_a_proof(void)
{
    static const struct {
        enum status_mode mode;
        int64_t cache_us, life_us;
    } rows[] = {
        {STATUS_HARD, 60 * US_PER_S, 60 * US_PER_S},
        {STATUS_SOFT, 60 * US_PER_S, 60 * US_PER_S},
        {STATUS_HARD, 7200 * US_PER_S, 3600 * US_PER_S},
        {STATUS_OFF, 60 * US_PER_S, 3600 * US_PER_S},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config_trust trust = {.name = "partners", .trust = fixture_pki()->trust};
        struct rig rig;
        rig_init(&rig);
        trust.status.mode = rows[i].mode;
        trust.status.cache_us = rows[i].cache_us;
        rig.config.trusts = &trust;
        rig.config.trusts_n = 1;
        net_options_default(&rig.options, &rig.config);
        CU_ASSERT_EQUAL(rig.options.connection_timeout_us, rows[i].life_us);
        rig_done(&rig);
    }
}

static const struct unit_test tests[] = {
    {"slow head", test_slow_head},
    {"slow body", test_slow_body},
    {"slow but allowed", test_slow_but_allowed},
    {"slow handshake", test_slow_handshake},
    {"slow handler", test_slow_handler},
    {"idle", test_idle},
    {"truncated", test_truncated},
    {"life of a proof", test_life_of_a_proof},
};

int
main(void)
{
    const int status = unit_main("server time", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
