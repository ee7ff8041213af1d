/*
 * The network server over real sockets and real mutual TLS: what it refuses, what it passes on, and
 * answers that come from other threads, late or never.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "tests/unit/net_fixture.h"

#define POST_XCPD                                                                                  \
    "POST /xcpd HTTP/1.1\r\n" HOST "Content-Type: application/soap+xml\r\n"                        \
    "Content-Length: 3\r\n\r\nabc"
#define POST_SLOW "POST /slow HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na"

/* ---- who may connect ---- */

/* The handshake fails, nothing reaches the handler, and the log gets peer and reason. */
static void
check_stranger(const char *name, const struct credential *credential, int version,
               const char *reason)
{
    struct rig rig;
    struct client client;
    char byte = 0;
    rig_init(&rig);
    if (rig_start(&rig) && client_open(&client, "127.0.0.1", net_port(rig.server, NET_NETWORK))) {
        if (client_start_tls(&client, credential, fixture_pki()->trust, version)) {
            (void)client_send(&client, SPAN(POST_XCPD));
            CU_ASSERT(client_receive(&client, &byte, 1) <= 0);
        }
        CU_ASSERT(rig_wait_refused(&rig, 1, ERR_TLS));
        if (strstr(rig.refused_text, reason) == NULL) {
            printf("\n    %s: expected '%s' in: %s", name, reason, rig.refused_text);
            CU_FAIL("the reason is not said");
        }
        CU_ASSERT_STRING_EQUAL(rig.refused_peer, "127.0.0.1");
        CU_ASSERT_EQUAL(rig.handled, 0);
        client_close(&client);
    }
    rig_done(&rig);
}

static void
test_strangers(void)
{
    const struct fixture_pki *pki = fixture_pki();
    check_stranger("another authority", pki->stranger, TLS1_3_VERSION, "certificate verify failed");
    check_stranger("another authority", pki->stranger, TLS1_3_VERSION, "unable to get");
    check_stranger("another authority, 1.2", pki->stranger, TLS1_2_VERSION, "its certificate:");
    check_stranger("no certificate", NULL, TLS1_3_VERSION, "did not return a certificate");
    check_stranger("no certificate, 1.2", NULL, TLS1_2_VERSION, "did not return a certificate");
}

static void
test_no_tls_on_tls_port(void)
{
    struct rig rig;
    struct client client;
    rig_init(&rig);
    if (rig_start(&rig) && client_open(&client, "127.0.0.1", net_port(rig.server, NET_NETWORK))) {
        char bytes[64];
        CU_ASSERT(client_send(&client, SPAN(POST_XCPD)));
        CU_ASSERT(rig_wait_refused(&rig, 1, ERR_TLS));
        /* a TLS alert or nothing, never HTTP */
        const long n = client_receive(&client, bytes, sizeof(bytes));
        CU_ASSERT(n <= 0 || bytes[0] == 21);
        client_close(&client);
    }
    CU_ASSERT_EQUAL(rig.handled, 0);
    rig_done(&rig);
}

/* ---- what the handler gets ---- */

static void
check_request(struct rig *rig, const char *path, const char *content)
{
    struct net_request *request = rig_take(rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    CU_ASSERT_EQUAL(request->listener, NET_NETWORK);
    CU_ASSERT_EQUAL(request->method, HTTP1_POST);
    CU_ASSERT_STRING_EQUAL(request->path, path);
    CU_ASSERT_STRING_EQUAL(request->peer_address, "127.0.0.1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(request->peer);
    CU_ASSERT_STRING_EQUAL(request->peer->sha256, fixture_pki()->client->leaf->sha256);
    CU_ASSERT_EQUAL(request->body.kind, BODY_MEMORY);
    CHECK_SPAN(buf_span(&request->body.memory), content);
    CU_ASSERT_EQUAL(request->id, rig->handled);
    rig_answer(request, 200, content);
}

static void
test_keep_alive(void)
{
    struct rig rig;
    struct client client;
    rig_init(&rig);
    rig.holds = true;
    CU_ASSERT_FATAL(rig_start(&rig));
    if (rig_connect(&rig, &client)) {
        struct client_answer answer;
        for (int i = 0; i < 3; i++) {
            CU_ASSERT(client_send(&client, SPAN(POST_XCPD)));
            check_request(&rig, "/xcpd", "abc");
            CU_ASSERT(client_read(&client, &answer));
            CU_ASSERT_EQUAL(answer.status, 200);
            CU_ASSERT_PTR_NOT_NULL(strstr(answer.head, "\r\nDate: "));
            CU_ASSERT_PTR_NOT_NULL(strstr(answer.head, "\r\nContent-Type: text/plain\r\n"));
            CU_ASSERT_PTR_NULL(strstr(answer.head, "Connection: close"));
            client_answer_done(&answer);
        }
        client_close(&client);
    } else {
        CU_FAIL("no connection");
    }
    CU_ASSERT_EQUAL(rig.refused_n, 0);
    rig_done(&rig);
}

static const struct {
    const char *name;
    const char *request;
    int status;
    const char *body;
    bool stays_open;
} exchanges[] = {
    {"length", POST_XCPD, 200, "abc", true},
    {"chunks",
     "POST /x HTTP/1.1\r\n" HOST
     "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: u\r\n\r\n",
     200, "abcde", true},
    {"empty body", "POST /x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200, "", true},
    {"empty chunked body",
     "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "", true},
    {"no body", "GET /health HTTP/1.1\r\n" HOST "\r\n", 200, "", true},
    {"close", "GET /health HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 200, "", false},
    {"syntax", "POST /x HTTP/1.1\r\n\r\n", 400, "malformed HTTP request\n", false},
    {"smuggling",
     "POST /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, "malformed HTTP request\n", false},
    {"bad chunk",
     "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", 400,
     "malformed HTTP request\n", false},
    {"method", "PUT /x HTTP/1.1\r\n" HOST "\r\n", 405, "method not allowed\n", false},
    {"coding", "POST /x HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\n\r\n", 415,
     "unsupported media type\n", false},
    {"length above limit", "POST /x HTTP/1.1\r\n" HOST "Content-Length: 100001\r\n\r\nabc", 413,
     "request body too large\n", false},
    {"chunk above limit",
     "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n186A1\r\nabc", 413,
     "request body too large\n", false},
};

static void
test_exchanges(void)
{
    struct rig rig;
    size_t refused = 0;
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    for (size_t i = 0; i < ARRAY_LEN(exchanges); i++) {
        struct client client;
        CU_ASSERT_FATAL(rig_connect(&rig, &client));
        bool is_good =
            client_exchange(&client, exchanges[i].request, exchanges[i].status, exchanges[i].body);
        if (exchanges[i].stays_open) {
            is_good = is_good && client_exchange(&client, POST_XCPD, 200, "abc");
        } else {
            is_good = is_good && client_is_at_end(&client);
        }
        refused += exchanges[i].status != 200;
        if (!is_good) {
            printf("\n    in '%s'", exchanges[i].name);
        }
        CU_ASSERT(is_good);
        client_close(&client);
    }
    CU_ASSERT_EQUAL(rig.refused_n, refused);
    rig_done(&rig);
}

/* After an error nothing of the connection is believed: the second request must not be handled. */
static void
test_pipelined_after_error(void)
{
    struct rig rig;
    struct client client;
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_exchange(&client, "POST /x HTTP/1.1\r\nBad Header: 1\r\n\r\n" POST_XCPD, 400,
                              "malformed HTTP request\n"));
    CU_ASSERT(client_is_at_end(&client));
    client_close(&client);
    CU_ASSERT_EQUAL(rig.handled, 0);
    rig_done(&rig);
}

/* Pipelined requests are handled one by one, answered in order. */
static void
test_pipelined(void)
{
    struct rig rig;
    struct client client;
    rig_init(&rig);
    rig.holds = true;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_send(&client, SPAN(POST_XCPD POST_ABC POST_ABC)));
    for (size_t i = 1; i <= 3; i++) {
        struct client_answer answer;
        char text[16];
        struct net_request *request = rig_take(&rig);
        CU_ASSERT_PTR_NOT_NULL_FATAL(request);
        CU_ASSERT_EQUAL(rig.handled, i); /* the next one waits */
        (void)snprintf(text, sizeof(text), "answer %zu", i);
        rig_answer(request, 200, text);
        CU_ASSERT(client_read(&client, &answer));
        CU_ASSERT_STRING_EQUAL(answer.body, text);
        client_answer_done(&answer);
    }
    client_close(&client);
    rig_done(&rig);
}

static void
test_expect_continue(void)
{
    struct rig rig;
    struct client client;
    char line[25];
    size_t n = 0;
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_send(&client, SPAN("POST /x HTTP/1.1\r\n" HOST
                                        "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")));
    while (n < sizeof(line)) {
        const long got = client_receive(&client, line + n, sizeof(line) - n);
        CU_ASSERT_FATAL(got > 0);
        n += (size_t)got;
    }
    CHECK_SPAN(span_of(line, n), "HTTP/1.1 100 Continue\r\n\r\n");
    CU_ASSERT(client_exchange(&client, "abc", 200, "abc"));
    /* a body that must not be sent is refused before it is */
    CU_ASSERT(client_exchange(&client,
                              "POST /x HTTP/1.1\r\n" HOST
                              "Expect: 100-continue\r\nContent-Length: 200000\r\n\r\n",
                              413, NULL));
    client_close(&client);
    rig_done(&rig);
}

static void
check_allow(struct rig *rig, const char *request, const char *allow)
{
    struct client client;
    struct client_answer answer;
    CU_ASSERT_FATAL(rig_connect(rig, &client));
    CU_ASSERT(client_send(&client, span_of_cstr(request)));
    struct net_request *held = rig_take(rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(held);
    rig_answer(held, 405, "");
    CU_ASSERT(client_read(&client, &answer));
    CU_ASSERT_PTR_NOT_NULL(strstr(answer.head, allow));
    client_answer_done(&answer);
    client_close(&client);
}

static void
test_allow(void)
{
    struct rig rig;
    rig_init(&rig);
    rig.holds = true;
    CU_ASSERT_FATAL(rig_start(&rig));
    check_allow(&rig, POST_XCPD, "\r\nAllow: GET\r\n");
    check_allow(&rig, "GET /x HTTP/1.1\r\n" HOST "\r\n", "\r\nAllow: POST\r\n");
    rig_done(&rig);
}

/* ---- answers that come late, or when nobody waits ---- */

/* A connection is gone when a new one of the same rig has been answered on every loop. */
static void
let_loops_pass(struct rig *rig)
{
    for (int i = 0; i < 2 * rig->options.loop_threads; i++) {
        struct client client;
        if (rig_connect(rig, &client)) {
            CU_ASSERT(client_exchange(&client, POST_XCPD, 200, "abc"));
            client_close(&client);
        }
    }
}

static void
test_answer_after_client_has_gone(void)
{
    struct rig rig;
    struct client client;
    rig_init(&rig);
    rig.holds = true;
    CU_ASSERT_FATAL(rig_start(&rig));
    for (int i = 0; i < 20; i++) {
        CU_ASSERT_FATAL(rig_connect(&rig, &client));
        CU_ASSERT(client_send(&client, SPAN(POST_SLOW)));
        struct net_request *request = rig_take(&rig);
        CU_ASSERT_PTR_NOT_NULL_FATAL(request);
        client_reset(&client);
        if (i % 2 == 0) {
            (void)usleep(5000); /* sometimes before, sometimes after the loop knows */
        }
        CU_ASSERT_STRING_EQUAL(request->peer->sha256, fixture_pki()->client->leaf->sha256);
        rig_answer(request, 200, "nobody reads this");
    }
    rig.holds = false;
    let_loops_pass(&rig);
    rig_done(&rig);
}

static void
test_drop(void)
{
    struct rig rig;
    struct client client;
    rig_init(&rig);
    rig.holds = true;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_send(&client, SPAN(POST_XCPD)));
    struct net_request *request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    net_drop(request);
    CU_ASSERT(client_is_at_end(&client));
    client_close(&client);
    rig_done(&rig);
}

/* ---- stopping ---- */

struct late_answer {
    struct net_request *request;
    struct client *idle;
};

/* When the idle connection has ended, the stop has begun. */
static void *
answer_late(void *arg)
{
    const struct late_answer *late = arg;
    const bool is_at_end = client_is_at_end(late->idle);
    rig_answer(late->request, 200, is_at_end ? "in time" : "the idle one goes on");
    return NULL;
}

/* Idle connections close at once; the one in flight gets its answer, and hears that it was the
 * last. */
static void
test_stop_drains(void)
{
    struct rig rig;
    struct client idle, busy;
    struct client_answer answer;
    pthread_t thread;
    rig_init(&rig);
    rig.options.loop_threads = 1; /* the loop that ended the idle one knows of the stop */
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &idle));
    CU_ASSERT(client_exchange(&idle, POST_XCPD, 200, "abc"));
    rig.holds = true;
    CU_ASSERT_FATAL(rig_connect(&rig, &busy));
    CU_ASSERT(client_send(&busy, SPAN(POST_XCPD)));
    struct late_answer late = {rig_take(&rig), &idle};
    CU_ASSERT_PTR_NOT_NULL_FATAL(late.request);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, answer_late, &late), 0);
    net_stop(rig.server, clock_mono_us(clock_system()) + 60 * US_PER_S);
    CU_ASSERT(client_read(&busy, &answer));
    CU_ASSERT_STRING_EQUAL(answer.body, "in time");
    CU_ASSERT_PTR_NOT_NULL(strstr(answer.head, "\r\nConnection: close\r\n"));
    CU_ASSERT(client_is_at_end(&busy));
    (void)pthread_join(thread, NULL);
    client_answer_done(&answer);
    client_close(&idle);
    client_close(&busy);
    rig_done(&rig);
}

/* At the deadline everything is closed; the handler's requests stay valid, also after net_free. */
static void
test_stop_at_deadline(void)
{
    struct rig rig;
    struct client busy, reading;
    rig_init(&rig);
    rig.holds = true;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &busy));
    CU_ASSERT_FATAL(rig_connect(&rig, &reading));
    CU_ASSERT(client_send(&busy, SPAN(POST_XCPD)));
    CU_ASSERT(client_send(&reading, SPAN("POST /x HTTP/1.1\r\n" HOST)));
    struct net_request *request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    net_stop(rig.server, clock_mono_us(clock_system()) + 200 * US_PER_MS); /* comes back */
    CU_ASSERT(client_is_at_end(&busy));
    client_close(&busy);
    client_close(&reading);
    rig_done(&rig);
    CU_ASSERT_STRING_EQUAL(request->path, "/xcpd");
    CU_ASSERT_STRING_EQUAL(request->peer->sha256, fixture_pki()->client->leaf->sha256);
    rig_answer(request, 200, "too late");
}

/* ---- other listeners ---- */

static void
test_ipv6_and_plain(void)
{
    struct rig rig;
    struct client client;
    rig_init(&rig);
    rig.config.network.address.host = "::1";
    rig.config.local = (struct config_listener){
        .is_set = true, .address = {.host = "127.0.0.1", .text = "127.0.0.1:0"}};
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(client_open(&client, "::1", net_port(rig.server, NET_NETWORK)));
    CU_ASSERT(
        client_start_tls(&client, fixture_pki()->client, fixture_pki()->trust, TLS1_2_VERSION));
    CU_ASSERT(client_exchange(&client, POST_XCPD, 200, "abc"));
    client_close(&client);
    rig.holds = true;
    CU_ASSERT_FATAL(client_open(&client, "127.0.0.1", net_port(rig.server, NET_LOCAL)));
    CU_ASSERT(client_send(&client, SPAN(POST_XCPD)));
    struct net_request *request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    CU_ASSERT_EQUAL(request->listener, NET_LOCAL);
    CU_ASSERT_PTR_NULL(request->peer);
    /* a peer that has ended its own side still gets the answer */
    CU_ASSERT_EQUAL(shutdown(client.fd, SHUT_WR), 0);
    rig_answer(request, 200, "local");
    CU_ASSERT(client_exchange(&client, "", 200, "local"));
    client_close(&client);
    rig_done(&rig);
}

static void
test_unix_socket(void)
{
    struct rig rig, second;
    struct client client;
    struct diag diag = {.code = ERR_NONE};
    struct stat info;
    char host[512];
    (void)snprintf(host, sizeof(host), "unix:%s/admin.sock", unit_temp_dir());
    rig_init(&rig);
    rig.config.admin =
        (struct config_listener){.is_set = true, .address = {.host = host, .text = host}};
    second = rig;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_EQUAL(stat(host + 5, &info), 0);
    CU_ASSERT_EQUAL(info.st_mode & 07777, 0600);
    CU_ASSERT_FATAL(client_open_unix(&client, host + 5));
    CU_ASSERT(client_exchange(&client, "GET /x HTTP/1.1\r\n" HOST "\r\n", 200, ""));
    client_close(&client);
    /* in use: said, and the one that uses it is left alone */
    second.options.config = &second.config;
    CHECK_ERR(&diag, ERR_IO, net_start(&second.options, &diag, &second.server));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "admin.sock"));
    CU_ASSERT_FATAL(client_open_unix(&client, host + 5));
    CU_ASSERT(client_exchange(&client, "GET /x HTTP/1.1\r\n" HOST "\r\n", 200, ""));
    client_close(&client);
    rig_done(&rig);
    CU_ASSERT_NOT_EQUAL(stat(host + 5, &info), 0);
}

/* What a killed gateway leaves behind must not keep the next one from starting. */
static void
test_unix_leftover(void)
{
    struct rig rig;
    char host[512];
    (void)snprintf(host, sizeof(host), "unix:%s/left.sock", unit_temp_dir());
    rig_init(&rig);
    rig.config.network =
        (struct config_listener){.is_set = true, .address = {.host = host, .text = host}};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CU_ASSERT_FATAL(strlen(host + 5) < sizeof(address.sun_path));
    memcpy(address.sun_path, host + 5, strlen(host + 5));
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(fd);
    CU_ASSERT(rig_start(&rig));
    rig_done(&rig);
}

/* ---- starting ---- */

static const struct {
    enum err want;
    const char *host;
    bool has_tls;
    const char *said;
} starts[] = {
    {ERR_CONFIG, "localhost", true, "numeric address"},
    {ERR_CONFIG, "127.0.0.1.2", true, "numeric address"},
    {ERR_CONFIG, "unix:", false, "path"},
    {ERR_CONFIG, "0.0.0.0", false, "expected TLS"},
    {ERR_CONFIG, "::", false, "expected TLS"},
    {ERR_IO, "192.0.2.1", true, "cannot listen"}, /* not an address of this machine */
    {ERR_IO, "unix:/nonexistent/folder/socket", false, "cannot listen"},
};

static void
test_starts(void)
{
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        struct rig rig;
        struct diag diag = {.code = ERR_NONE};
        rig_init(&rig);
        rig.config.network.address.host = starts[i].host;
        rig.config.network.address.text = starts[i].host;
        if (!starts[i].has_tls) {
            rig.config.network.credential = NULL;
        }
        CHECK_ERR(&diag, starts[i].want, net_start(&rig.options, &diag, &rig.server));
        CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, starts[i].said));
        CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, starts[i].host));
        rig_done(&rig);
    }
}

static void
test_start_without_listener_or_port(void)
{
    struct rig rig, second;
    struct diag diag = {.code = ERR_NONE};
    struct sigaction pipe_action;
    rig_init(&rig);
    rig_init(&second);
    (void)signal(SIGPIPE, SIG_DFL);
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_EQUAL(sigaction(SIGPIPE, NULL, &pipe_action), 0);
    CU_ASSERT(pipe_action.sa_handler == SIG_IGN); /* a peer that goes must not end the program */
    second.config.network.address.port = net_port(rig.server, NET_NETWORK);
    CHECK_ERR(&diag, ERR_IO, net_start(&second.options, &diag, &second.server));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "already in use"));
    diag_clear(&diag);
    second.config.network.is_set = false;
    CHECK_ERR(&diag, ERR_CONFIG, net_start(&second.options, &diag, &second.server));
    rig_done(&rig);
    rig_done(&second);
}

static const struct unit_test tests[] = {
    {"strangers", test_strangers},
    {"no TLS on the TLS port", test_no_tls_on_tls_port},
    {"exchanges", test_exchanges},
    {"pipelined after an error", test_pipelined_after_error},
    {"keep-alive", test_keep_alive},
    {"pipelined", test_pipelined},
    {"expect: 100-continue", test_expect_continue},
    {"allow", test_allow},
    {"answer after the client has gone", test_answer_after_client_has_gone},
    {"drop", test_drop},
    {"stop drains", test_stop_drains},
    {"stop at the deadline", test_stop_at_deadline},
    {"IPv6, plain, half-closed", test_ipv6_and_plain},
    {"unix socket", test_unix_socket},
    {"unix socket left behind", test_unix_leftover},
    {"wrong addresses", test_starts},
    {"no listener, port in use", test_start_without_listener_or_port},
};

int
main(void)
{
    const int status = unit_main("server", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
