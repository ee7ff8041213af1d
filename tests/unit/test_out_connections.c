/*
 * The outbound engine's connections, time and end: what is kept and for whom, deadlines, partners
 * that cannot be reached, stopping, no memory.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "certs/issue.h"
#include "tests/unit/out_fixture.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 6\r\n\r\nanswer"
#define SAN       "identity: san, names: [server.example]"

static int64_t
now_us(void)
{
    return clock_mono_us(clock_system());
}

/* ---- connections ---- */

/* Kept for the next question to the same partner, never for another one behind the same host and
 * port. */
static void
test_pools(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(peer_start(&peer, PEER_ANSWERS, fixture_pki()->server, fixture_pki()->trust,
                               TLS1_3_VERSION));
    peer.answer = OK_ANSWER;
    const struct out_partner partners[] = {
        {"127.0.0.1", peer.port, SAN, PATIENT, NULL},
        {"127.0.0.1", peer.port, "identity: san, names: [localhost]", PATIENT, NULL},
        {"127.0.0.1", peer.port, "identity: san, names: [blue.example]", PATIENT, NULL},
    };
    CU_ASSERT_FATAL(calls_start(&calls, partners, 3));
    for (int round = 0; round < 3; round++) {
        CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 200, "answer"));
        CU_ASSERT(call_is_answer(calls_exchange(&calls, 1, "question"), 200, "answer"));
    }
    CU_ASSERT_EQUAL(atomic_load(&peer.connections), 2);
    CU_ASSERT_EQUAL(atomic_load(&peer.requests), 6);
    /* a kept connection to this very server is no way around the third one's record */
    CU_ASSERT(calls_expect(&calls, 2, ERR_PARTNER_TLS, "blue.example"));
    CU_ASSERT_EQUAL(atomic_load(&peer.requests), 6);
    calls_done(&calls);
    peer_stop(&peer);
}

/* A kept connection that the partner has closed meanwhile is no failure, unless it closes just when
 * the request goes: then the asker is told, and may ask again. */
static void
test_kept_connection_closed(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(peer_start(&peer, PEER_ANSWERS_ONCE, fixture_pki()->server,
                               fixture_pki()->trust, TLS1_3_VERSION));
    peer.answer = OK_ANSWER;
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    for (int i = 0; i < 4; i++) {
        const struct out_answer *answer = calls_exchange(&calls, 0, "question");
        CU_ASSERT(answer->is_stale || call_is_answer(answer, 200, "answer"));
        CU_ASSERT(!answer->is_stale || i % 2 == 0); /* after a pause it is known before */
        if (i % 2 == 0) {
            CU_ASSERT(peer_wait_closed(&peer));
        }
    }
    calls_done(&calls);
    peer_stop(&peer);
}

static void
ask_fresh(struct calls *calls, bool is_fresh)
{
    struct out_request request;
    out_request_init(&request);
    request.partner = &calls->config->partners[0];
    request.url = request.partner->query_url;
    (void)snprintf(request.content_type, sizeof(request.content_type), "text/plain");
    request.deadline_us = INT64_MAX;
    request.answer_limit = 1024;
    request.is_fresh = is_fresh;
    request_say(&request, "question");
    calls->out->submit(calls->out, &request, calls_keep, calls);
}

/* The partner reads a request on a kept connection and closes: the same bytes are not sent again.
 */
static void
test_no_request_is_sent_twice(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(peer_start(&peer, PEER_READS_SECOND, fixture_pki()->server,
                               fixture_pki()->trust, TLS1_3_VERSION));
    peer.answer = OK_ANSWER;
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 200, "answer"));
    const struct out_answer *stale = calls_exchange(&calls, 0, "question");
    CU_ASSERT_EQUAL(stale->error, ERR_PARTNER_UNREACHABLE);
    CU_ASSERT(stale->is_stale);
    CU_ASSERT_PTR_NOT_NULL(strstr(stale->detail, "closed before an answer"));
    CU_ASSERT_EQUAL(atomic_load(&peer.requests), 2);
    ask_fresh(&calls, false); /* curl's spare connection, or a new one: the first on it */
    CU_ASSERT(calls_wait(&calls, 3));
    const size_t connections = atomic_load(&peer.connections);
    ask_fresh(&calls, true); /* a kept one is there, and not taken */
    CU_ASSERT(calls_wait(&calls, 4));
    CU_ASSERT(call_is_answer(&calls.answers[3], 200, "answer"));
    CU_ASSERT_FALSE(calls.answers[3].is_stale);
    CU_ASSERT_EQUAL(atomic_load(&peer.connections), connections + 1);
    calls_done(&calls);
    peer_stop(&peer);
}

/* Two answers of one question that do not fit together: the one within its share comes. */
static void
test_budget(void)
{
    struct peer peer;
    struct calls calls;
    struct budget budget;
    uint64_t other = 0;
    CU_ASSERT_FATAL(peer_start(&peer, PEER_ANSWERS, fixture_pki()->server, fixture_pki()->trust,
                               TLS1_3_VERSION));
    peer.answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5000\r\n\r\n";
    peer.filler = "0123456789";
    peer.filler_n = 500;
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    budget_init(&budget, 8000, 2); /* a share is 2000, 4000 for both */
    CU_ASSERT(budget_take(&budget, &other, 3500));
    for (int i = 0; i < 2; i++) {
        struct out_request request;
        out_request_init(&request);
        request.partner = &calls.config->partners[0];
        request.url = request.partner->query_url;
        (void)snprintf(request.content_type, sizeof(request.content_type), "text/plain");
        request.deadline_us = INT64_MAX;
        request.answer_limit = 10000;
        request.budget = &budget;
        request_say(&request, "question");
        calls.out->submit(calls.out, &request, calls_keep, &calls);
        CU_ASSERT(calls_wait(&calls, (size_t)i + 1));
        if (i == 0) {
            CU_ASSERT_EQUAL(calls.answers[0].error, ERR_TOO_MANY_RESULTS);
            CU_ASSERT_PTR_NOT_NULL(strstr(calls.answers[0].detail, "limits.answers"));
            CU_ASSERT_EQUAL(atomic_load(&budget.taken), 1500); /* only the other's */
            budget_give(&budget, &other);
        }
    }
    CU_ASSERT_EQUAL(calls.answers[1].error, ERR_NONE);
    CU_ASSERT_EQUAL(calls.answers[1].held, 5000);
    CU_ASSERT_EQUAL(atomic_load(&budget.taken), 3000);
    calls_done(&calls);
    peer_stop(&peer);
}

#define PARALLEL 50

static void
test_parallel(void)
{
    struct rig rig;
    struct calls calls;
    bool has_come[PARALLEL] = {false};
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    const struct out_partner partner = {"127.0.0.1", net_port(rig.server, NET_NETWORK), SAN,
                                        PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    for (int i = 0; i < PARALLEL; i++) {
        char question[16];
        (void)snprintf(question, sizeof(question), "%d", i);
        calls_ask(&calls, 0, NULL, question, INT64_MAX);
    }
    CU_ASSERT(calls_wait(&calls, PARALLEL));
    for (size_t i = 0; i < calls.n; i++) {
        const struct span answer = buf_span(&calls.answers[i].body.memory);
        uint64_t number = PARALLEL;
        CU_ASSERT_EQUAL(calls.answers[i].error, ERR_NONE);
        if (span_to_u64(answer, PARALLEL - 1, &number)) {
            CU_ASSERT_FALSE(has_come[number]);
            has_come[number] = true;
        }
    }
    CU_ASSERT_EQUAL(rig.handled, PARALLEL);
    calls_done(&calls);
    rig_done(&rig);
}

/* ---- no connection, no time ---- */

static void
test_unreachable(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(peer_start(&peer, PEER_SILENT, fixture_pki()->server, fixture_pki()->trust,
                               TLS1_3_VERSION));
    const uint16_t port = peer.port;
    peer_stop(&peer); /* nobody listens there any more */
    const struct out_partner partner = {"127.0.0.1", port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_UNREACHABLE, "check host and port"));
    CU_ASSERT_PTR_NOT_NULL(strstr(calls.answers[0].detail, "'p0'"));
    /* and never anything but https */
    calls_ask(&calls, 0, "http://127.0.0.1/", "question", INT64_MAX);
    calls_ask(&calls, 0, "file:///etc/passwd", "question", INT64_MAX);
    calls_ask(&calls, 0, "https://me:secret@127.0.0.1/", "question", INT64_MAX);
    CU_ASSERT(calls_wait(&calls, 4));
    for (size_t i = 1; i < calls.n; i++) {
        CU_ASSERT_EQUAL(calls.answers[i].error, ERR_PARTNER_UNREACHABLE);
        CU_ASSERT_PTR_NOT_NULL(strstr(calls.answers[i].detail, "correct the URL"));
        CU_ASSERT_PTR_NULL(strstr(calls.answers[i].detail, "secret"));
    }
    calls_done(&calls);
}

static X509 *
read_ca(EVP_PKEY **ret_key)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/ca/ca.pem", unit_temp_dir());
    BIO *bio = BIO_new_file(path, "r");
    X509 *const ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    (void)snprintf(path, sizeof(path), "%s/ca/ca.key", unit_temp_dir());
    bio = BIO_new_file(path, "r");
    *ret_key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    CU_ASSERT_FATAL(ca != NULL && *ret_key != NULL);
    return ca;
}

/* The right name and chain, and more names than we keep: which of them count would be a guess. */
static void
test_certificate_of_many_names(void)
{
    static char names[CERTIFICATE_SANS_MAX + 1][16];
    const char *hosts[CERTIFICATE_SANS_MAX + 1] = {"server.example"};
    const struct issue_request request = {
        .kind = ISSUE_TLS,
        .organization = "Example",
        .common_name = "server.example",
        .hosts = hosts,
        .hosts_n = ARRAY_LEN(hosts),
        .not_before_us = clock_wall_us(clock_system()) - US_PER_S,
        .not_after_us = clock_wall_us(clock_system()) + 3600 * US_PER_S,
        .digest = "SHA256",
    };
    struct certificate leaf = *fixture_pki()->server->leaf;
    struct credential credential = {.leaf = &leaf};
    EVP_PKEY *ca_key = NULL;
    X509 *const ca = read_ca(&ca_key);
    struct diag diag = {.code = ERR_NONE};
    struct peer peer;
    struct calls calls;
    for (size_t i = 1; i < ARRAY_LEN(hosts); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%zu.example", i);
        hosts[i] = names[i];
    }
    CHECK_OK(&diag, issue_key("ec:P-256", &diag, &credential.key));
    CHECK_OK(&diag, issue_certificate(&request, credential.key, ca, ca_key, &diag, &leaf.x509));
    CU_ASSERT_FATAL(
        peer_start(&peer, PEER_ANSWERS, &credential, fixture_pki()->trust, TLS1_3_VERSION));
    peer.answer = OK_ANSWER;
    const struct out_partner partners[] = {{"127.0.0.1", peer.port, SAN, PATIENT, NULL}};
    CU_ASSERT_FATAL(calls_start(&calls, partners, 1));
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_TLS, "cannot be used"));
    CU_ASSERT_EQUAL(peer.requests, 0);
    calls_done(&calls);
    peer_stop(&peer);
    X509_free(leaf.x509);
    EVP_PKEY_free(credential.key);
    X509_free(ca);
    EVP_PKEY_free(ca_key);
}

/* A name that nobody answers for: the others go on. */
static void
test_dead_name(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(peer_start(&peer, PEER_ANSWERS, fixture_pki()->server, fixture_pki()->trust,
                               TLS1_3_VERSION));
    peer.answer = OK_ANSWER;
    const struct out_partner partners[] = {
        {"nowhere.invalid", 443, "identity: san, names: [nowhere.invalid]", "1s", NULL},
        {"127.0.0.1", peer.port, SAN, PATIENT, NULL},
    };
    CU_ASSERT_FATAL(calls_start(&calls, partners, 2));
    calls_ask(&calls, 0, NULL, "question", INT64_MAX);
    calls_ask(&calls, 1, NULL, "question", INT64_MAX);
    CU_ASSERT(calls_wait(&calls, 2));
    size_t good = 0;
    for (size_t i = 0; i < calls.n; i++) {
        good += calls.answers[i].error == ERR_NONE;
        CU_ASSERT(calls.answers[i].error == ERR_NONE ||
                  calls.answers[i].error == ERR_PARTNER_UNREACHABLE ||
                  calls.answers[i].error == ERR_PARTNER_TIMEOUT);
    }
    CU_ASSERT_EQUAL(good, 1);
    calls_done(&calls);
    peer_stop(&peer);
}

static void
check_timeout(enum peer_manner manner, const char *answer, const char *said)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(
        peer_start(&peer, manner, fixture_pki()->server, fixture_pki()->trust, TLS1_3_VERSION));
    peer.answer = answer;
    /* long enough for a handshake on a slow machine, when what is missing comes after it */
    const char *const timeout = manner == PEER_SILENT_TCP ? "1s" : "6s";
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, timeout, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_TIMEOUT, said));
    calls_done(&calls);
    peer_stop(&peer);
}

static void
test_timeouts(void)
{
    check_timeout(PEER_SILENT_TCP, "", "no end of the TLS handshake");
    check_timeout(PEER_SILENT, "", "no answer");
    check_timeout(PEER_ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
                  "a part of an answer");
}

/* The transaction's deadline counts when it comes first; past, nobody is asked. */
static void
test_deadlines(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(peer_start(&peer, PEER_SILENT, fixture_pki()->server, fixture_pki()->trust,
                               TLS1_3_VERSION));
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    const int64_t start_us = now_us();
    calls_ask(&calls, 0, NULL, "question", start_us - 1);
    CU_ASSERT(calls_wait(&calls, 1));
    CU_ASSERT_EQUAL(calls.answers[0].error, ERR_PARTNER_TIMEOUT);
    CU_ASSERT_EQUAL(atomic_load(&peer.connections), 0);
    /* asked before, and with the partner's own time: it still waits when the other has ended */
    struct out_health health = {.waiting = 0};
    calls_ask(&calls, 0, NULL, "question", INT64_MAX);
    calls_ask(&calls, 0, NULL, "question", start_us + 300 * US_PER_MS);
    CU_ASSERT(calls_wait(&calls, 2));
    CU_ASSERT_EQUAL(calls.answers[1].error, ERR_PARTNER_TIMEOUT);
    CU_ASSERT(out_health(calls.out, "p0", &health));
    CU_ASSERT_EQUAL(health.in_flight, 1);
    calls_done(&calls);
    peer_stop(&peer);
}

#define TOO_MANY        100
#define CONNECTIONS     64 /* of a partner, unless it says otherwise */
#define PARTNER_TIME_US (6 * US_PER_S)

/* More questions than connections: those that wait for one have no more time than the others. */
static void
test_more_than_connections(void)
{
    struct peer peer;
    struct calls calls;
    int64_t first_us = INT64_MAX;
    struct out_health health = {.waiting = 0};
    CU_ASSERT_FATAL(peer_start(&peer, PEER_SILENT, fixture_pki()->server, fixture_pki()->trust,
                               TLS1_3_VERSION));
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, "6s", NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    for (int i = 0; i < TOO_MANY; i++) {
        calls_ask(&calls, 0, NULL, "question", INT64_MAX);
    }
    for (unsigned looks = 0; health.waiting != TOO_MANY - CONNECTIONS && unit_wait(&looks);) {
        CU_ASSERT(out_health(calls.out, "p0", &health));
    }
    CU_ASSERT_EQUAL(health.in_flight, CONNECTIONS);
    CU_ASSERT(calls_wait(&calls, TOO_MANY));
    for (size_t i = 0; i < calls.n; i++) {
        CU_ASSERT_EQUAL(calls.answers[i].error, ERR_PARTNER_TIMEOUT);
        if (calls.answers[i].elapsed_us < first_us) {
            first_us = calls.answers[i].elapsed_us;
        }
    }
    for (size_t i = 0; i < calls.n; i++) { /* not its own after another's */
        CU_ASSERT(calls.answers[i].elapsed_us < first_us + PARTNER_TIME_US);
    }
    calls_done(&calls);
    peer_stop(&peer);
}

/* ---- the end ---- */

static void
test_stop_in_flight(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(peer_start(&peer, PEER_SILENT, fixture_pki()->server, fixture_pki()->trust,
                               TLS1_3_VERSION));
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    for (int i = 0; i < 10; i++) {
        calls_ask(&calls, 0, NULL, "question", INT64_MAX);
        (void)usleep(i < 5 ? 10000 : 0);
    }
    out_stop(calls.out);
    calls.out = NULL;
    CU_ASSERT_EQUAL(calls.n, 10);
    for (size_t i = 0; i < calls.n; i++) {
        CU_ASSERT_EQUAL(calls.answers[i].error, ERR_SHUTTING_DOWN);
    }
    calls_done(&calls);
    peer_stop(&peer);
}

static const struct config *torture_config;

static struct status
start_and_stop(struct diag *diag)
{
    struct out *out = NULL;
    TRY(out_start(torture_config, clock_system(), diag, &out));
    out_stop(out);
    return OK;
}

static void
test_no_memory(void)
{
    struct calls calls;
    const struct out_partner partner = {"127.0.0.1", 9, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    torture_config = calls.config;
    unit_torture(start_and_stop);
    /* a request that cannot be taken is answered all the same, at once */
    struct out_request request;
    out_request_init(&request);
    request.partner = &calls.config->partners[0];
    request.url = request.partner->query_url;
    request.answer_limit = 1;
    mem_fail_after(0);
    calls.out->submit(calls.out, &request, calls_keep, &calls);
    mem_fail_after(UINT64_MAX);
    CU_ASSERT_EQUAL(calls.n, 1);
    CU_ASSERT_EQUAL(calls.answers[0].error, ERR_NO_MEMORY);
    calls_done(&calls);
}

static const struct unit_test tests[] = {
    {"unreachable", test_unreachable},
    {"a certificate of many names", test_certificate_of_many_names},
    {"dead name", test_dead_name},
    {"timeouts", test_timeouts},
    {"deadlines", test_deadlines},
    {"more than connections", test_more_than_connections},
    {"stop in flight", test_stop_in_flight},
    {"no memory", test_no_memory},
    {"a pool per partner", test_pools},
    {"kept connection closed", test_kept_connection_closed},
    {"no request is sent twice", test_no_request_is_sent_twice},
    {"budget", test_budget},
    {"50 in parallel", test_parallel},
};

int
main(void)
{
    const int status = unit_main("out connections", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
