/*
 * How much of the network server one address or one identity may have at a time, how long a whole
 * request or answer may take, and how often verification may fail: each on its own, with real
 * clients. And the two counters behind it (net/quota.h, net/rate.h).
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "net/quota.h"
#include "net/rate.h"
#include "tests/unit/net_fixture.h"

#define SHORT_US (300 * US_PER_MS)

static int64_t
now_us(void)
{
    return clock_mono_us(clock_system());
}

/* ---- counters ---- */

static void
test_quota(void)
{
    struct quota *quota = NULL;
    struct diag diag = {.code = ERR_NONE};
    char key[32];
    CU_ASSERT_FATAL(CHECK_OK(&diag, quota_new(&diag, &quota)));
    CU_ASSERT(!quota_take(quota, "a", 0));
    CU_ASSERT(quota_take(quota, "a", 2) && quota_take(quota, "a", 2));
    CU_ASSERT(!quota_take(quota, "a", 2));
    CU_ASSERT(quota_take(quota, "a", 3)); /* more is allowed now */
    CU_ASSERT(quota_take(quota, "b", 1)); /* others have their own */
    quota_give(quota, "a");
    CU_ASSERT(!quota_take(quota, "a", 2));
    quota_give(quota, "a");
    CU_ASSERT(quota_take(quota, "a", 2));
    for (int i = 0; i < 5000; i++) { /* far more than there are buckets */
        (void)snprintf(key, sizeof(key), "10.0.%d.%d", i / 256, i % 256);
        CU_ASSERT(quota_take(quota, key, 1));
        CU_ASSERT(!quota_take(quota, key, 1));
    }
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(key, sizeof(key), "10.0.%d.%d", i / 256, i % 256);
        quota_give(quota, key);
        CU_ASSERT(quota_take(quota, key, 1));
    }
    mem_fail_after(0);
    CU_ASSERT(!quota_take(quota, "no memory", 1));
    mem_fail_after(UINT64_MAX);
    quota_free(quota);
}

static void
test_rate(void)
{
    struct rate *rate = NULL;
    struct diag diag = {.code = ERR_NONE};
    uint64_t missed = 0;
    CU_ASSERT_FATAL(CHECK_OK(&diag, rate_new(2, 1000, 2, &diag, &rate)));
    CU_ASSERT_EQUAL(rate_wait_us(rate, "a", 5), 0);
    CU_ASSERT(rate_spend(rate, "a", 5, &missed) && missed == 0);
    CU_ASSERT(rate_spend(rate, "a", 5, &missed) && missed == 0);
    CU_ASSERT(!rate_spend(rate, "a", 5, &missed) && missed == 1);
    CU_ASSERT(!rate_spend(rate, "a", 1004, &missed) && missed == 2);
    CU_ASSERT_EQUAL(rate_wait_us(rate, "a", 1004), 1);
    CU_ASSERT(rate_spend(rate, "b", 1004, NULL)); /* others have their own */
    CU_ASSERT_EQUAL(rate_wait_us(rate, "a", 1005), 0);
    CU_ASSERT(rate_spend(rate, "a", 1005, &missed) && missed == 2); /* says what was left out */
    CU_ASSERT(!rate_spend(rate, "a", 1006, &missed) && missed == 1);
    /* no more than the burst is saved up */
    CU_ASSERT(rate_spend(rate, "a", 100000, &missed) && missed == 1);
    CU_ASSERT(rate_spend(rate, "a", 100000, NULL));
    CU_ASSERT(!rate_spend(rate, "a", 100000, NULL));
    /* a third key takes the place of the one that was quiet for longest: b */
    CU_ASSERT(rate_spend(rate, "c", 100001, NULL));
    CU_ASSERT(!rate_spend(rate, "a", 100002, NULL));
    /* two are owed, whatever the interval */
    rate_set(rate, 3, 20, 100003);
    CU_ASSERT(rate_spend(rate, "a", 100003, NULL));
    CU_ASSERT(!rate_spend(rate, "a", 100003, NULL));
    CU_ASSERT(rate_spend(rate, "a", 100023, NULL));
    rate_set(rate, 2, 1000, 100023);
    CU_ASSERT(!rate_spend(rate, "a", 100023, NULL));
    CU_ASSERT_EQUAL(rate_wait_us(rate, "a", 100023), 2000);
    rate_free(rate);
}

/* ---- connections ---- */

static void
test_per_address(void)
{
    struct rig rig;
    rig_init(&rig);
    rig.options.connections_per_address = 2;
    rig_check_two(&rig);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig.refused_text, "from this address"));
    CU_ASSERT_STRING_EQUAL(rig.refused_peer, "127.0.0.1");
    rig_done(&rig);
}

/* Does the answer say when to come back? */
static bool
check_503(struct client *client, const char *request, const char *text)
{
    struct client_answer answer = {.status = 0};
    (void)client_send(client, span_of_cstr(request));
    const bool has_come = client_read(client, &answer);
    const bool is_good = has_come && answer.status == 503 && strcmp(answer.body, text) == 0 &&
                         strstr(answer.head, "\r\nRetry-After: ") != NULL &&
                         strstr(answer.head, "\r\nConnection: close\r\n") != NULL;
    if (!is_good) {
        printf("\n    expected 503, Retry-After and '%s', got %s", text, answer.head);
    }
    client_answer_done(&answer);
    return is_good && client_is_at_end(client);
}

static bool
identify_all_as_blue(void *arg, const struct certificate *peer, char ret_identity[NET_IDENTITY_MAX])
{
    (void)arg;
    (void)peer;
    (void)snprintf(ret_identity, NET_IDENTITY_MAX, "blue");
    return true;
}

static void
test_per_identity(void)
{
    struct rig rig;
    struct client clients[3];
    rig_init(&rig);
    rig.options.connections_per_identity = 2;
    rig.options.identify = identify_all_as_blue;
    CU_ASSERT_FATAL(rig_start(&rig));
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_FATAL(rig_connect(&rig, &clients[i]));
        CU_ASSERT(client_exchange(&clients[i], POST_ABC, 200, "abc"));
    }
    CU_ASSERT_FATAL(rig_connect(&rig, &clients[2]));
    CU_ASSERT(check_503(&clients[2], "", "too many connections\n"));
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_LIMIT_CONNECTIONS));
    CU_ASSERT_PTR_NOT_NULL(strstr(rig.refused_text, "'blue' has 2 connections"));
    client_close(&clients[2]);
    CU_ASSERT_EQUAL(rig.handled, 2);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT(client_exchange(&clients[i], POST_ABC, 200, "abc"));
        client_close(&clients[i]);
    }
    rig_done(&rig);
}

/* ---- requests ---- */

/* The handler has one; the second is refused while its content has not even come; when the first is
 * answered there is room again. */
static void
test_requests(void)
{
    struct rig rig;
    struct client first, second;
    rig_init(&rig);
    rig.holds = true;
    rig.options.requests_per_identity = 1;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &first));
    CU_ASSERT(client_send(&first, SPAN(POST_ABC)));
    struct net_request *request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    CU_ASSERT_STRING_EQUAL(request->identity, fixture_pki()->client->leaf->sha256);
    CU_ASSERT_FATAL(rig_connect(&rig, &second));
    CU_ASSERT(check_503(&second, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 90000\r\n\r\n",
                        "too many requests at a time\n"));
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_LIMIT_REQUESTS));
    client_close(&second);
    rig_answer(request, 200, "first");
    CU_ASSERT(client_exchange(&first, "", 200, "first"));
    rig.holds = false;
    CU_ASSERT_FATAL(rig_connect(&rig, &second));
    for (int i = 0; i < 3; i++) { /* given back each time, refused requests included */
        CU_ASSERT(client_exchange(&second, POST_ABC, 200, "abc"));
    }
    CU_ASSERT(client_exchange(
        &second, "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, NULL));
    client_close(&second);
    CU_ASSERT(client_exchange(&first, POST_ABC, 200, "abc"));
    client_close(&first);
    rig_done(&rig);
}

/* A request that is being read counts, too, and no more when its client goes away. */
static void
test_requests_being_read(void)
{
    struct rig rig;
    struct client first, second;
    bool has_room = false;
    unsigned looks = 0;
    rig_init(&rig);
    rig.options.requests_per_identity = 1;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &first));
    CU_ASSERT(client_send(&first, SPAN("POST /x HTTP/1.1\r\n" HOST "Content-Length: 9\r\n"
                                       "Expect: 100-continue\r\n\r\n")));
    char byte = 0;
    CU_ASSERT(client_receive(&first, &byte, 1) == 1); /* the head has arrived */
    CU_ASSERT_FATAL(rig_connect(&rig, &second));
    CU_ASSERT(check_503(&second, POST_ABC, "too many requests at a time\n"));
    client_close(&second);
    client_reset(&first);
    while (!has_room && unit_wait(&looks)) {
        struct client_answer answer = {.status = 0};
        CU_ASSERT_FATAL(rig_connect(&rig, &second));
        (void)client_send(&second, SPAN(POST_ABC));
        has_room = client_read(&second, &answer) && answer.status == 200;
        client_answer_done(&answer);
        client_close(&second);
    }
    CU_ASSERT(has_room);
    rig_done(&rig);
}

/* ---- failures ---- */

static void
fail_once(struct rig *rig, struct client *client)
{
    CU_ASSERT(client_send(client, SPAN(POST_ABC)));
    struct net_request *request = rig_take(rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    net_count_failure(request);
    rig_answer(request, 500, "refused");
    CU_ASSERT(client_exchange(client, "", 500, "refused"));
}

static void
test_failures(void)
{
    struct rig rig;
    struct client client;
    rig_init(&rig);
    rig.holds = true;
    rig.options.failures_per_minute = 3;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    for (int i = 0; i < 3; i++) {
        fail_once(&rig, &client);
    }
    const size_t handled = rig.handled;
    CU_ASSERT(check_503(&client, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 90000\r\n\r\n",
                        "too many refused requests; try again later\n"));
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_LIMIT_FAILURES));
    client_close(&client);
    CU_ASSERT_EQUAL(rig.handled, handled);
    /* a reload forgets none of it */
    struct diag diag = {.code = ERR_NONE};
    CU_ASSERT(CHECK_OK(&diag, net_reload(rig.server, &rig.options, &diag)));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(check_503(&client, POST_ABC, "too many refused requests; try again later\n"));
    client_close(&client);
    rig.holds = false;
    rig.options.failures_per_minute = 4; /* of which three are used up */
    CU_ASSERT(CHECK_OK(&diag, net_reload(rig.server, &rig.options, &diag)));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc"));
    client_close(&client);
    rig_done(&rig);
}

/* Failures of one are not another's. */
static bool
identify_by_order(void *arg, const struct certificate *peer, char ret_identity[NET_IDENTITY_MAX])
{
    struct rig *rig = arg;
    (void)peer;
    (void)snprintf(ret_identity, NET_IDENTITY_MAX, rig->handled == 0 ? "blue" : "green");
    return true;
}

static void
test_failures_of_another(void)
{
    struct rig rig;
    struct client blue, green;
    rig_init(&rig);
    rig.holds = true;
    rig.options.failures_per_minute = 1;
    rig.options.identify = identify_by_order;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &blue));
    fail_once(&rig, &blue);
    rig.holds = false;
    CU_ASSERT_FATAL(rig_connect(&rig, &green));
    CU_ASSERT(client_exchange(&green, POST_ABC, 200, "abc"));
    CU_ASSERT(check_503(&blue, POST_ABC, "too many refused requests; try again later\n"));
    client_close(&blue);
    client_close(&green);
    rig_done(&rig);
}

/* ---- the whole time ---- */

/* Fast enough in every window, but not done in time. */
static void
test_request_time(void)
{
    struct rig rig;
    struct client client;
    char piece[512];
    rig_init(&rig);
    rig.options.body_stall_us = 100 * US_PER_MS;
    rig.options.request_timeout_us = 2 * SHORT_US;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    memset(piece, 'a', sizeof(piece));
    const int64_t start_us = now_us();
    CU_ASSERT(
        client_send(&client, SPAN("POST /x HTTP/1.1\r\n" HOST "Content-Length: 99999\r\n\r\n")));
    while (now_us() - start_us < 2 * SHORT_US + 200 * US_PER_MS &&
           client_send(&client, span_of(piece, sizeof(piece)))) {
        (void)usleep(20000);
    }
    CU_ASSERT(client_exchange(&client, "", 408, "request took too long\n"));
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_LIMIT_TIME));
    CU_ASSERT_EQUAL(rig.handled, 0);
    client_close(&client);
    rig_done(&rig);
}

#define ANSWER_BYTES ((size_t)8 * 1024 * 1024)

static struct net_request *
ask_for_much(struct rig *rig, struct client *client)
{
    const int small = 128 * 1024; /* loopback's segments are 64 KB: no less than two of them */
    CU_ASSERT_FATAL(client_open(client, "127.0.0.1", net_port(rig->server, NET_NETWORK)));
    (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    CU_ASSERT_FATAL(
        client_start_tls(client, fixture_pki()->client, fixture_pki()->trust, TLS1_3_VERSION));
    CU_ASSERT(client_send(client, SPAN(POST_ABC)));
    return rig_take(rig);
}

static void
answer_much(struct net_request *request)
{
    struct diag diag = {.code = ERR_NONE};
    struct buf buf;
    struct body body;
    char *room = NULL;
    buf_init(&buf, ANSWER_BYTES);
    CU_ASSERT_FATAL(is_ok(buf_reserve(&buf, ANSWER_BYTES, &diag, &room)));
    memset(room, 'x', ANSWER_BYTES);
    buf.n += ANSWER_BYTES;
    body_from_buf(&body, &buf);
    net_answer(request, 200, "", &body);
}

static bool
was_refused(struct rig *rig)
{
    (void)pthread_mutex_lock(&rig->lock);
    const bool was = rig->refused_n > 0;
    (void)pthread_mutex_unlock(&rig->lock);
    return was;
}

/* A reader that is fast enough in every window, but would take far too long. */
static void
test_answer_time(void)
{
    struct rig rig;
    struct client client;
    char bytes[4096];
    rig_init(&rig);
    rig.holds = true;
    rig.options.body_stall_us = 500 * US_PER_MS;
    rig.options.answer_timeout_us = 3 * SHORT_US;
    CU_ASSERT_FATAL(rig_start(&rig));
    struct net_request *request = ask_for_much(&rig, &client);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    answer_much(request);
    for (unsigned looks = 0; !was_refused(&rig) && unit_wait(&looks);) {
        CU_ASSERT(client_receive(&client, bytes, sizeof(bytes)) > 0);
    }
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_LIMIT_TIME));
    CU_ASSERT_PTR_NOT_NULL(strstr(rig.refused_text, "taken too slowly"));
    client_close(&client);
    rig_done(&rig);
}

/* About 100 KB a second is slow, and enough: while one reads so, another is served at once. */
static void
test_slow_reader_is_served(void)
{
    struct rig rig;
    struct client slow, other;
    static char bytes[20 * 1024];
    size_t got = 0;
    rig_init(&rig);
    rig.holds = true;
    rig.options.loop_threads = 1;
    rig.options.body_stall_us = 4 * US_PER_S; /* as good as no machine stands still so long */
    rig.options.rate_bytes = 5 * 1024;
    CU_ASSERT_FATAL(rig_start(&rig));
    struct net_request *request = ask_for_much(&rig, &slow);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    answer_much(request);
    rig.holds = false;
    CU_ASSERT_FATAL(rig_connect(&rig, &other));
    for (int i = 0; i < 60; i++) { /* 9 s: two windows */
        const long some = client_receive(&slow, bytes, sizeof(bytes));
        got += some > 0 ? (size_t)some : 0;
        CU_ASSERT(client_exchange(&other, POST_ABC, 200, "abc")); /* the slow one reads on later */
        (void)usleep(150000);
    }
    CU_ASSERT(got < 2 * 1024 * 1024); /* it was slow */
    long n = 1;
    while (n > 0 && got < ANSWER_BYTES) {
        n = client_receive(&slow, bytes, sizeof(bytes));
        got += n > 0 ? (size_t)n : 0;
    }
    CU_ASSERT(got >= ANSWER_BYTES); /* and the head */
    CU_ASSERT_EQUAL(rig.refused_n, 0);
    client_close(&slow);
    client_close(&other);
    rig_done(&rig);
}

/* ---- answers that are one TLS record, and a kernel that has no room for it ---- */

enum { SMALL_ANSWERS = 60, SMALL_BYTES = 15000 };

static size_t
handled_by(struct rig *rig)
{
    (void)pthread_mutex_lock(&rig->lock);
    const size_t n = rig->handled;
    (void)pthread_mutex_unlock(&rig->lock);
    return n;
}

static void
answer_with(struct net_request *request, const char *text)
{
    struct diag diag = {.code = ERR_NONE};
    struct buf buf;
    struct body body;
    buf_init(&buf, 64 * 1024);
    CHECK_OK(&diag, buf_append_cstr(&buf, text, &diag));
    body_from_buf(&body, &buf);
    net_answer(request, 200, "text/plain", &body);
}

static void
write_small(char text[SMALL_BYTES + 1], size_t number)
{
    memset(text, 'a' + (int)(number % 26), SMALL_BYTES);
    text[SMALL_BYTES] = '\0';
}

static void *
answer_each(void *arg)
{
    static char text[SMALL_BYTES + 1];
    struct rig *const rig = arg;
    for (size_t i = 0; i < SMALL_ANSWERS; i++) {
        struct net_request *const request = rig_take(rig);
        if (request == NULL) {
            break;
        }
        write_small(text, i);
        answer_with(request, text);
    }
    return NULL;
}

static void
test_small_answers_wait(void)
{
    static char want[SMALL_BYTES + 1];
    struct rig rig;
    struct client client;
    pthread_t answering;
    rig_init(&rig);
    rig.holds = true;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT_EQUAL_FATAL(pthread_create(&answering, NULL, answer_each, &rig), 0);
    for (size_t i = 0; i < SMALL_ANSWERS; i++) {
        CU_ASSERT(client_send(&client, SPAN(POST_ABC)));
    }
    (void)usleep(SHORT_US);
    CU_ASSERT(handled_by(&rig) < SMALL_ANSWERS); /* one waits for the kernel */
    for (size_t i = 0; i < SMALL_ANSWERS; i++) {
        struct client_answer answer;
        CU_ASSERT_FATAL(client_read(&client, &answer));
        write_small(want, i);
        CU_ASSERT_EQUAL(answer.body_n, SMALL_BYTES);
        CU_ASSERT_STRING_EQUAL(answer.body, want);
        client_answer_done(&answer);
    }
    (void)pthread_join(answering, NULL);
    CU_ASSERT_EQUAL(rig.refused_n, 0);
    client_close(&client);
    rig_done(&rig);
}

/* An old connection ends with its next answer, so that its peer proves itself again. */
static void
test_connection_time(void)
{
    struct rig rig;
    struct client client;
    rig_init(&rig);
    rig.options.connection_timeout_us = 2 * US_PER_S;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    bool is_last = false;
    for (unsigned looks = 0; !is_last && unit_wait(&looks);) {
        struct client_answer answer;
        CU_ASSERT(client_send(&client, SPAN(POST_ABC)));
        CU_ASSERT_FATAL(
            client_read(&client, &answer)); /* an answer's end is not the middle of it */
        CU_ASSERT_STRING_EQUAL(answer.body, "abc");
        is_last = strstr(answer.head, "\r\nConnection: close\r\n") != NULL;
        client_answer_done(&answer);
    }
    CU_ASSERT(is_last && client_is_at_end(&client));
    client_close(&client);
    rig_done(&rig);
}

static const struct unit_test tests[] = {
    {"quota", test_quota},
    {"rate", test_rate},
    {"connections of an address", test_per_address},
    {"connections of an identity", test_per_identity},
    {"requests of an identity", test_requests},
    {"requests that are being read", test_requests_being_read},
    {"failures of an identity", test_failures},
    {"failures of another identity", test_failures_of_another},
    {"whole time of a request", test_request_time},
    {"whole time of an answer", test_answer_time},
    {"a slow reader is served", test_slow_reader_is_served},
    {"answers of one record wait for the kernel", test_small_answers_wait},
    {"age of a connection", test_connection_time},
};

int
main(void)
{
    const int status = unit_main("server caps", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
