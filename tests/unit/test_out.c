/*
 * The outbound engine against real TLS servers: who is believed, what is sent to whom, and what
 * becomes of every way in which a partner can fail.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "certs/devpki.h"
#include "tests/unit/out_fixture.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 6\r\n\r\nanswer"
#define SAN       "identity: san, names: [server.example]"
#define WRONG_SAN "identity: san, names: [blue.example, client.example]"

/* ---- who is believed ---- */

struct belief {
    const char *name;
    bool is_stranger; /* the server's certificate is another authority's */
    int version;
    const char *tls; /* of the partner's record; NULL: pinned to the fixture's certificate */
    enum err want;
    const char *said;
};

static const struct belief beliefs[] = {
    {"another authority", true, TLS1_3_VERSION, SAN, ERR_PARTNER_TLS, "anchors"},
    {"another authority, 1.2", true, TLS1_2_VERSION, SAN, ERR_PARTNER_TLS, "anchors"},
    {"another authority, pinned", true, TLS1_3_VERSION, NULL, ERR_PARTNER_TLS, "anchors"},
    {"another partner's name", false, TLS1_3_VERSION, WRONG_SAN, ERR_PARTNER_TLS, "blue.example"},
    {"another partner's name, 1.2", false, TLS1_2_VERSION, WRONG_SAN, ERR_PARTNER_TLS,
     "server.example"},
    {"another certificate pinned", false, TLS1_3_VERSION,
     "identity: certificate, sha256: "
     "[0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef]",
     ERR_PARTNER_TLS, "SHA-256"},
    {"the right name", false, TLS1_3_VERSION, SAN, ERR_NONE, ""},
    {"the right name, 1.2", false, TLS1_2_VERSION, SAN, ERR_NONE, ""},
    {"one of several names", false, TLS1_3_VERSION,
     "identity: san, names: [blue.example, server.example]", ERR_NONE, ""},
    {"pinned", false, TLS1_3_VERSION, NULL, ERR_NONE, ""},
};

static void
check_belief(const struct belief *belief)
{
    const struct fixture_pki *pki = fixture_pki();
    char pinned[128];
    struct peer peer;
    struct calls calls;
    (void)snprintf(pinned, sizeof(pinned), "identity: certificate, sha256: [%s]",
                   (belief->is_stranger ? pki->stranger : pki->server)->leaf->sha256);
    CU_ASSERT_FATAL(peer_start(&peer, PEER_ANSWERS,
                               belief->is_stranger ? pki->stranger : pki->server, pki->trust,
                               belief->version));
    peer.answer = OK_ANSWER;
    const struct out_partner partner = {"127.0.0.1", peer.port,
                                        belief->tls == NULL ? pinned : belief->tls, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    if (!calls_expect(&calls, 0, belief->want, belief->said)) {
        printf("\n    in '%s'", belief->name);
        CU_FAIL("another verdict");
    }
    /* what counts: nothing of the question reached a server that is not the partner */
    CU_ASSERT_EQUAL(atomic_load(&peer.bytes) == 0, belief->want != ERR_NONE);
    CU_ASSERT_EQUAL(atomic_load(&peer.connections), 1);
    calls_done(&calls);
    peer_stop(&peer);
}

static void
test_beliefs(void)
{
    for (size_t i = 0; i < ARRAY_LEN(beliefs); i++) {
        check_belief(&beliefs[i]);
    }
}

static struct credential *
make_wildcard(void)
{
    const struct devpki_node node = {"wild", "*.server.example", NULL, DEVPKI_P256};
    const int64_t now_us = clock_wall_us(clock_system());
    struct credential *credential = NULL;
    struct diag diag = {.code = ERR_NONE};
    char dir[512], ca[512], certificate[600], key[600];
    (void)fixture_pki();
    (void)snprintf(dir, sizeof(dir), "%s/wild", unit_temp_dir());
    (void)snprintf(ca, sizeof(ca), "%s/ca", unit_temp_dir());
    (void)snprintf(certificate, sizeof(certificate), "%s/node.pem", dir);
    (void)snprintf(key, sizeof(key), "%s/node.key", dir);
    CHECK_OK(&diag, devpki_make_node(dir, ca, &node, now_us, &diag));
    CHECK_OK(&diag, credential_load(certificate, key, now_us, &diag, &credential));
    CU_ASSERT_FATAL(credential != NULL);
    return credential;
}

/* A wildcard stands for every name under it, but not for another partner's when the certificate is
 * one by which somebody else is known. */
static void
test_wildcard_of_another(void)
{
    static const struct {
        const char *second; /* names of the other partner */
        size_t asked;
        enum err want;
        const char *said;
    } rows[] = {
        {"['*.server.example', b.server.example]", 0, ERR_PARTNER_TLS, "belongs to partner 'p1'"},
        {"['*.server.example', b.server.example]", 1, ERR_NONE, ""},
        {"[b.server.example]", 0, ERR_NONE, ""},
        {"[b.server.example]", 1, ERR_NONE, ""},
    };
    struct credential *wildcard = make_wildcard();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char second[128];
        struct peer peer;
        struct calls calls;
        (void)snprintf(second, sizeof(second), "identity: san, names: %s", rows[i].second);
        CU_ASSERT_FATAL(
            peer_start(&peer, PEER_ANSWERS, wildcard, fixture_pki()->trust, TLS1_3_VERSION));
        peer.answer = OK_ANSWER;
        const struct out_partner partners[] = {
            {"127.0.0.1", peer.port, "identity: san, names: [a.server.example]", PATIENT, NULL},
            {"127.0.0.1", peer.port, second, PATIENT, NULL},
        };
        CU_ASSERT_FATAL(calls_start(&calls, partners, 2));
        CU_ASSERT(calls_expect(&calls, rows[i].asked, rows[i].want, rows[i].said));
        CU_ASSERT_EQUAL(atomic_load(&peer.bytes) == 0, rows[i].want != ERR_NONE);
        calls_done(&calls);
        peer_stop(&peer);
    }
    credential_free(wildcard);
}

/* The partner does not believe us: it says so in the handshake (1.2) or instead of an answer. */
static void
test_our_certificate_refused(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct peer peer;
        struct calls calls;
        CU_ASSERT_FATAL(peer_start(&peer, PEER_ANSWERS, fixture_pki()->server,
                                   fixture_pki()->stranger_trust, versions[i]));
        const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
        CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
        CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_TLS, "refused our certificate"));
        calls_done(&calls);
        peer_stop(&peer);
    }
}

/* Our own listener says so in a way that arrives. */
static void
test_our_listener_refuses(void)
{
    struct rig rig;
    struct calls calls;
    rig_init(&rig);
    rig.config.network.trust = fixture_pki()->stranger_trust;
    CU_ASSERT_FATAL(rig_start(&rig));
    const struct out_partner partner = {"127.0.0.1", net_port(rig.server, NET_NETWORK), SAN,
                                        PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    for (size_t i = 1; i <= 10; i++) {
        CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_TLS, "refused our certificate"));
        CU_ASSERT(rig_wait_refused(&rig, i, ERR_TLS));
    }
    calls_done(&calls);
    rig_done(&rig);
}

/* ---- exchanges ---- */

/* Through our own listener: what is asked comes back, on one connection. */
static void
test_success(void)
{
    struct rig rig;
    struct calls calls;
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    const struct out_partner partner = {"127.0.0.1", net_port(rig.server, NET_NETWORK), SAN,
                                        PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    const int64_t start_us = clock_mono_us(clock_system());
    const struct out_answer *answer = calls_exchange(&calls, 0, "a question");
    const int64_t took_us = clock_mono_us(clock_system()) - start_us;
    CU_ASSERT(call_is_answer(answer, 200, "a question"));
    CU_ASSERT_STRING_EQUAL(answer->content_type, "application/soap+xml");
    CU_ASSERT_STRING_EQUAL(answer->peer_address, "127.0.0.1");
    CU_ASSERT_STRING_EQUAL(answer->detail, "");
    CU_ASSERT(answer->elapsed_us > 0 && answer->elapsed_us <= took_us);
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, ""), 200, ""));
    rig.holds = true;
    calls_ask(&calls, 0, NULL, "kept", INT64_MAX);
    struct net_request *request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    CU_ASSERT_STRING_EQUAL(request->path, "/q");
    CU_ASSERT_STRING_EQUAL(request->content_type, "application/soap+xml");
    CU_ASSERT_STRING_EQUAL(request->peer->sha256, fixture_pki()->client->leaf->sha256);
    rig_answer(request, 500, "a fault"); /* an answer like any other */
    CU_ASSERT(calls_wait(&calls, 3) && call_is_answer(&calls.answers[2], 500, "a fault"));
    calls_done(&calls);
    rig_done(&rig);
}

#define TEN  "xxxxxxxxxx"
#define HEAD "HTTP/1.1 200 OK\r\n"

static const struct {
    const char *name;
    const char *answer, *filler;
    size_t filler_n;
    enum peer_manner manner;
    enum err want;
    const char *said;
} answers[] = {
    {"no answer", "", "", 0, PEER_ANSWERS_ONCE, ERR_PARTNER_UNREACHABLE, "without an answer"},
    {"half a head", HEAD "Content-", "", 0, PEER_ANSWERS_ONCE, ERR_PARTNER_UNREACHABLE,
     "inside the head"},
    {"half a head, whole lines", HEAD "Content-Length: 0\r\n", "", 0, PEER_ANSWERS_ONCE,
     ERR_PARTNER_UNREACHABLE, "inside the head"},
    {"only a 100", "HTTP/1.1 100 Continue\r\n\r\n", "", 0, PEER_ANSWERS_ONCE,
     ERR_PARTNER_UNREACHABLE, ""},
    {"half a body", HEAD "Content-Length: 100\r\n\r\nabc", "", 0, PEER_ANSWERS_ONCE,
     ERR_PARTNER_UNREACHABLE, "inside its answer"},
    {"half a chunk", HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nabc", "", 0, PEER_ANSWERS_ONCE,
     ERR_PARTNER_UNREACHABLE, "inside its answer"},
    {"no last chunk", HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "", 0,
     PEER_ANSWERS_ONCE, ERR_PARTNER_UNREACHABLE, "inside its answer"},
    {"ended by the connection", HEAD "Connection: close\r\n\r\nabc", "", 0, PEER_ANSWERS_ONCE,
     ERR_PARTNER_ANSWER, "neither"},
    {"length and chunks",
     HEAD "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "", 0,
     PEER_ANSWERS, ERR_PARTNER_ANSWER, "both"},
    {"not HTTP", "220 mail.example ready\r\n", "", 0, PEER_ANSWERS_ONCE, ERR_PARTNER_ANSWER,
     "only HTTP/1.1"},
    {"length above the limit", HEAD "Content-Length: 100001\r\n\r\n", TEN, 10001, PEER_ANSWERS,
     ERR_PARTNER_ANSWER, "larger than this node accepts"},
    {"no length, above the limit", HEAD "Connection: close\r\n\r\n", TEN, 10001, PEER_ANSWERS_ONCE,
     ERR_PARTNER_ANSWER, "at most 100000 bytes"},
    {"chunks above the limit", HEAD "Transfer-Encoding: chunked\r\n\r\n", "A\r\n" TEN "\r\n", 10001,
     PEER_ANSWERS, ERR_PARTNER_ANSWER, "at most 100000 bytes"},
    {"headers above the limit", HEAD, "X: " TEN TEN TEN TEN TEN "\r\n", 1200, PEER_ANSWERS,
     ERR_PARTNER_ANSWER, "bytes of headers"},
    {"interim answers without end", "", "HTTP/1.1 100 Continue\r\n\r\n", 3000, PEER_ANSWERS,
     ERR_PARTNER_ANSWER, "bytes of headers"},
    {"header without end", HEAD "X: ", TEN, 20000, PEER_ANSWERS, ERR_PARTNER_ANSWER, "header line"},
    {"chunks that are none", HEAD "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "", 0, PEER_ANSWERS,
     ERR_PARTNER_UNREACHABLE, ""},
};

static void
test_bad_answers(void)
{
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct peer peer;
        struct calls calls;
        CU_ASSERT_FATAL(peer_start(&peer, answers[i].manner, fixture_pki()->server,
                                   fixture_pki()->trust, TLS1_3_VERSION));
        peer.answer = answers[i].answer;
        peer.filler = answers[i].filler;
        peer.filler_n = answers[i].filler_n;
        const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
        CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
        if (!calls_expect(&calls, 0, answers[i].want, answers[i].said)) {
            printf("\n    in '%s'", answers[i].name);
            CU_FAIL("another error");
        }
        CU_ASSERT_EQUAL(calls.answers[0].body.size, 0);
        calls_done(&calls);
        peer_stop(&peer);
    }
}

/* Every form that HTTP/1.1 gives an answer; twice, because the connection is kept. */
static void
test_good_answers(void)
{
    static const struct {
        const char *answer, *body;
        int status;
    } rows[] = {
        {HEAD "Content-Length: 3\r\n\r\nabc", "abc", 200},
        {HEAD "content-length:3\r\nX-Empty:\r\n\r\nabc", "abc", 200},
        {HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc", 200},
        {HEAD "transfer-encoding: Chunked\r\n\r\n3;name=value\r\nabc\r\n0\r\nT: u\r\n\r\n", "abc",
         200},
        {"HTTP/1.1 100 Continue\r\n\r\n" HEAD "Content-Length: 3\r\n\r\nabc", "abc", 200},
        {"HTTP/1.1 500 Fault\r\nContent-Length: 1\r\n\r\nf", "f", 500},
        {"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", "", 202},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer peer;
        struct calls calls;
        CU_ASSERT_FATAL(peer_start(&peer, PEER_ANSWERS, fixture_pki()->server, fixture_pki()->trust,
                                   TLS1_3_VERSION));
        peer.answer = rows[i].answer;
        const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
        CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
        for (int time = 0; time < 2; time++) {
            const struct out_answer *answer = calls_exchange(&calls, 0, "question");
            if (!call_is_answer(answer, rows[i].status, rows[i].body)) {
                printf("\n    row %zu: HTTP %d, %s", i, answer->http_status, answer->detail);
                CU_FAIL("another answer");
            }
        }
        CU_ASSERT_EQUAL(atomic_load(&peer.connections), 1);
        calls_done(&calls);
        peer_stop(&peer);
    }
}

static void
test_long_content_type(void)
{
    struct peer peer;
    struct calls calls;
    char answer[1024];
    CU_ASSERT_FATAL(peer_start(&peer, PEER_ANSWERS, fixture_pki()->server, fixture_pki()->trust,
                               TLS1_3_VERSION));
    (void)snprintf(answer, sizeof(answer),
                   "HTTP/1.1 200 OK\r\nContent-Type: a/%0509d\r\nContent-Length: 0\r\n\r\n", 0);
    peer.answer = answer;
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    CU_ASSERT(calls_expect(&calls, 0, ERR_NONE, ""));
    (void)snprintf(answer, sizeof(answer),
                   "HTTP/1.1 200 OK\r\nContent-Type: a/%0510d\r\nContent-Length: 0\r\n\r\n", 0);
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_ANSWER, "Content-Type"));
    calls_done(&calls);
    peer_stop(&peer);
}

/* A redirect is an answer; where it points to is never asked. */
static void
test_redirect(void)
{
    struct peer peer, target;
    struct calls calls;
    char answer[256];
    CU_ASSERT_FATAL(peer_start(&peer, PEER_ANSWERS, fixture_pki()->server, fixture_pki()->trust,
                               TLS1_3_VERSION));
    CU_ASSERT_FATAL(peer_start(&target, PEER_ANSWERS, fixture_pki()->server, fixture_pki()->trust,
                               TLS1_3_VERSION));
    (void)snprintf(answer, sizeof(answer),
                   "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://127.0.0.1:%u/q\r\n"
                   "Content-Length: 5\r\n\r\nmoved",
                   target.port);
    peer.answer = answer;
    target.answer = OK_ANSWER;
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 307, "moved"));
    CU_ASSERT_EQUAL(atomic_load(&target.connections), 0);
    calls_done(&calls);
    peer_stop(&peer);
    peer_stop(&target);
}

/* The environment redirects nothing and learns no keys; its variables were set by main. */
static void
test_environment(void)
{
    struct peer peer;
    struct calls calls;
    struct stat info;
    CU_ASSERT_FATAL(peer_start(&peer, PEER_ANSWERS, fixture_pki()->server, fixture_pki()->trust,
                               TLS1_3_VERSION));
    peer.answer = OK_ANSWER;
    const struct out_partner partner = {"localhost", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 200, "answer"));
    calls_done(&calls);
    peer_stop(&peer);
    CU_ASSERT_PTR_NOT_NULL_FATAL(getenv("SSLKEYLOGFILE"));
    CU_ASSERT(stat(getenv("SSLKEYLOGFILE"), &info) != 0 || info.st_size == 0);
}

static const struct unit_test tests[] = {
    {"who is believed", test_beliefs},
    {"a wildcard of another partner", test_wildcard_of_another},
    {"our certificate refused", test_our_certificate_refused},
    {"our listener refuses", test_our_listener_refuses},
    {"bad answers", test_bad_answers},
    {"good answers", test_good_answers},
    {"long content type", test_long_content_type},
    {"redirect", test_redirect},
    {"environment", test_environment},
    {"success", test_success},
};

int
main(void)
{
    char key_log[512];
    /* before the first thread: curl reads them when it likes */
    (void)setenv("https_proxy", "http://127.0.0.1:1", 1);
    (void)setenv("HTTPS_PROXY", "http://127.0.0.1:1", 1);
    (void)setenv("ALL_PROXY", "socks5://127.0.0.1:1", 1);
    (void)snprintf(key_log, sizeof(key_log), "%s/keys", unit_temp_dir());
    (void)setenv("SSLKEYLOGFILE", key_log, 1);
    const int status = unit_main("out", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
