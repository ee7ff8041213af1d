/* Large bodies on the wire: requests and answers above the threshold wait in the spool, cost no
 * memory that is counted, and are refused by name when the spool is full. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "tests/unit/out_fixture.h"

#define KB        ((size_t)1024)
#define THRESHOLD (64 * KB)
#define LARGE     (600 * KB)

static struct spool *
make_spool(uint64_t limit)
{
    char path[512];
    struct spool *spool = NULL;
    struct diag diag = {0};
    (void)snprintf(path, sizeof(path), "%s/spool", unit_temp_dir());
    CU_ASSERT_FATAL(CHECK_OK(&diag, spool_new(path, limit, THRESHOLD, &diag, &spool)));
    return spool;
}

static bool
has_pattern(const struct body *body, const char *filler, size_t n)
{
    char bytes[1000];
    const size_t period = strlen(filler);
    struct diag diag = {0};
    size_t got = 0, wrong = 0;
    for (uint64_t at = 0; at < body->size; at += got) {
        if (!CHECK_OK(&diag, body_read(body, at, bytes, sizeof(bytes), &diag, &got))) {
            return false;
        }
        for (size_t i = 0; i < got; i++) {
            wrong += bytes[i] != filler[(at + i) % period] ? 1 : 0;
        }
    }
    return body->size == n && wrong == 0;
}

/* ---- requests ---- */

static void
send_large(struct client *client, size_t n)
{
    char head[200];
    const int head_n = snprintf(head, sizeof(head),
                                "POST /xcpd HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", n);
    CU_ASSERT(client_send(client, span_of(head, (size_t)head_n)));
    char digits[1000];
    for (size_t i = 0; i < sizeof(digits); i++) {
        digits[i] = (char)('0' + i % 10);
    }
    for (size_t left = n; left > 0;) {
        const size_t piece = left < sizeof(digits) ? left : sizeof(digits);
        CU_ASSERT_FATAL(client_send(client, span_of(digits, piece)));
        left -= piece;
    }
}

/* The answer may be here before the server has let go of the request's body. */
static bool
is_freed(struct spool *spool)
{
    for (unsigned looks = 0; spool_used(spool) > 0 && unit_wait(&looks);) {
    }
    return spool_used(spool) == 0;
}

static void
test_requests(void)
{
    static const struct {
        size_t n;
        enum body_kind want;
    } rows[] = {{1000, BODY_MEMORY}, {65530, BODY_MEMORY}, {65540, BODY_FILE}, {600000, BODY_FILE}};
    struct rig rig;
    struct client client;
    struct spool *spool = make_spool(100 * KB * KB);
    rig_init(&rig);
    rig.config.body_limit = 1000000;
    rig.options.spool = spool;
    rig.holds = true;
    CU_ASSERT_FATAL(rig_start(&rig) && rig_connect(&rig, &client));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct client_answer answer;
        send_large(&client, rows[i].n);
        struct net_request *request = rig_take(&rig);
        CU_ASSERT_PTR_NOT_NULL_FATAL(request);
        CU_ASSERT_EQUAL(request->body.kind, rows[i].want);
        CU_ASSERT(has_pattern(&request->body, "0123456789", rows[i].n));
        CU_ASSERT((spool_used(spool) > 0) == (rows[i].want == BODY_FILE));
        rig_answer(request, 200, "ok");
        CU_ASSERT(client_read(&client, &answer));
        client_answer_done(&answer);
        CU_ASSERT(is_freed(spool));
    }
    client_close(&client);
    rig_done(&rig);
    spool_unref(spool);
}

static void
test_requests_refused(void)
{
    struct rig rig;
    struct client client;
    struct client_answer answer;
    struct spool *spool = make_spool(100 * KB);
    rig_init(&rig);
    rig.config.body_limit = 1000000;
    rig.options.spool = spool;
    CU_ASSERT_FATAL(rig_start(&rig) && rig_connect(&rig, &client));
    char head[] = "POST /xcpd HTTP/1.1\r\nHost: x\r\nContent-Length: 150000\r\n\r\n";
    CU_ASSERT(client_send(&client, span_of(head, sizeof(head) - 1)));
    char piece[1000];
    memset(piece, 'x', sizeof(piece));
    for (int i = 0; i < 150; i++) {
        (void)client_send(&client, span_of(piece, sizeof(piece))); /* it may be closed by then */
    }
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_SPOOL_FULL));
    CU_ASSERT(client_read(&client, &answer) && strstr(answer.head, " 503 ") != NULL);
    client_answer_done(&answer);
    client_close(&client);
    CU_ASSERT_EQUAL(rig.handled, 0);
    CU_ASSERT_EQUAL(spool_used(spool), 0);
    rig_done(&rig);
    spool_unref(spool);
}

/* ---- answers ---- */

struct exchange {
    size_t answer_limit;
    struct spool *spool;
    struct budget *budget;
};

static void
ask(struct calls *calls, const struct exchange *exchange)
{
    struct out_request request;
    out_request_init(&request);
    request.partner = &calls->config->partners[0];
    request.url = request.partner->query_url;
    (void)snprintf(request.content_type, sizeof(request.content_type), "text/plain");
    request.deadline_us = INT64_MAX;
    request.answer_limit = exchange->answer_limit;
    request.spool = exchange->spool;
    request.budget = exchange->budget;
    request_say(&request, "question");
    const size_t n = calls->n;
    calls->out->submit(calls->out, &request, calls_keep, calls);
    CU_ASSERT(calls_wait(calls, n + 1));
}

static void
test_answers(void)
{
    struct peer peer;
    struct calls calls;
    struct budget budget;
    struct spool *spool = make_spool(100 * KB * KB);
    struct spool *small = make_spool(300 * KB);
    CU_ASSERT_FATAL(peer_start(&peer, PEER_ANSWERS, fixture_pki()->server, fixture_pki()->trust,
                               TLS1_3_VERSION));
    peer.answer =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        "96000\r\n"; /* chunked, so that its length is a surprise: 600 KB */
    peer.filler = "0123456789abcdef";
    peer.filler_n = LARGE / 16;
    const struct out_partner partner = {"127.0.0.1", peer.port,
                                        "identity: san, names: [server.example]", PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    budget_init(&budget, 100 * KB, 1); /* less than the answer, more than the threshold */
    const struct {
        struct exchange exchange;
        enum err want;
        const char *said;
    } rows[] = {
        {{10 * LARGE, NULL, &budget}, ERR_TOO_MANY_RESULTS, "limits.answers"},
        {{10 * LARGE, small, &budget}, ERR_SPOOL_FULL, "spool.limit"},
        {{LARGE / 2, spool, &budget}, ERR_PARTNER_ANSWER, "at most 307200 bytes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ask(&calls, &rows[i].exchange);
        CU_ASSERT_EQUAL(calls.answers[i].error, rows[i].want);
        CU_ASSERT_PTR_NOT_NULL(strstr(calls.answers[i].detail, rows[i].said));
        CU_ASSERT_EQUAL(atomic_load(&budget.taken), 0);
        CU_ASSERT(spool_used(spool) == 0 && spool_used(small) == 0);
    }
    calls_done(&calls);
    peer_stop(&peer);
    spool_unref(spool);
    spool_unref(small);
}

static void
test_answer_in_file(void)
{
    struct peer peer;
    struct calls calls;
    struct budget budget;
    struct spool *spool = make_spool(100 * KB * KB);
    CU_ASSERT_FATAL(peer_start(&peer, PEER_ANSWERS, fixture_pki()->server, fixture_pki()->trust,
                               TLS1_3_VERSION));
    peer.answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 614400\r\n\r\n";
    peer.filler = "0123456789abcdef";
    peer.filler_n = LARGE / 16;
    const struct out_partner partner = {"127.0.0.1", peer.port,
                                        "identity: san, names: [server.example]", PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    budget_init(&budget, 100 * KB, 1);
    for (size_t i = 0; i < 3; i++) { /* also over a kept connection */
        ask(&calls, &(struct exchange){LARGE, spool, &budget});
        CU_ASSERT_EQUAL(calls.answers[i].error, ERR_NONE);
        CU_ASSERT_EQUAL(calls.answers[i].held, 0);
        CU_ASSERT_EQUAL(calls.answers[i].body.kind, BODY_FILE);
        CU_ASSERT(has_pattern(&calls.answers[i].body, peer.filler, LARGE));
        CU_ASSERT_EQUAL(atomic_load(&budget.taken), 0);
        CU_ASSERT_EQUAL(spool_used(spool), (i + 1) * LARGE);
    }
    calls_done(&calls);
    CU_ASSERT_EQUAL(spool_used(spool), 0);
    peer_stop(&peer);
    spool_unref(spool);
}

static const struct unit_test tests[] = {
    {"answers that are refused", test_answers},
    {"requests that are refused", test_requests_refused},
    {"requests in memory and in files", test_requests},
    {"answers in files", test_answer_in_file},
};

UNIT_MAIN("large_exchange", tests)
