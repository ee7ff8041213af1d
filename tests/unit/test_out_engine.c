/*
 * The outbound engine's own part: withdrawn questions, another configuration while it works,
 * probes, health. Real servers throughout.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "tests/unit/out_fixture.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 6\r\n\r\nanswer"
#define SAN       "identity: san, names: [server.example]"

static bool
start_peer(struct peer *peer, enum peer_manner manner)
{
    const bool is_started =
        peer_start(peer, manner, fixture_pki()->server, fixture_pki()->trust, TLS1_3_VERSION);
    peer->answer = OK_ANSWER;
    return is_started;
}

/* A question, with a ticket when it is not 0. */
static void
ask(struct calls *calls, const struct config *config, size_t partner, uint64_t ticket,
    bool is_probe)
{
    struct out_request request;
    out_request_init(&request);
    request.config = config;
    request.partner = &(config == NULL ? calls->config : config)->partners[partner];
    request.url = request.partner->query_url;
    (void)snprintf(request.content_type, sizeof(request.content_type), "text/plain");
    request.deadline_us = INT64_MAX;
    request.answer_limit = 1024;
    request.ticket = ticket;
    request.is_probe = is_probe;
    request_say(&request, "question");
    calls->out->submit(calls->out, &request, calls_keep, calls);
}

static bool
wait_for(const atomic_size_t *counter, size_t n)
{
    for (unsigned looks = 0; atomic_load(counter) < n && unit_wait(&looks);) {
    }
    return atomic_load(counter) >= n;
}

/* ---- withdrawn ---- */

static void
test_cancel_unknown(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(start_peer(&peer, PEER_ANSWERS));
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    const uint64_t ticket = out_next_ticket();
    CU_ASSERT(ticket != 0 && out_next_ticket() != ticket);
    calls.out->cancel(calls.out, 0);
    calls.out->cancel(calls.out, ticket); /* not asked yet: the ticket is unknown */
    ask(&calls, NULL, 0, ticket, false);
    CU_ASSERT(calls_wait(&calls, 1) && call_is_answer(&calls.answers[0], 200, "answer"));
    calls.out->cancel(calls.out, ticket); /* it has ended */
    ask(&calls, NULL, 0, 0, false);
    calls.out->cancel(calls.out, 0); /* not this one: it has no ticket */
    CU_ASSERT(calls_wait(&calls, 2) && call_is_answer(&calls.answers[1], 200, "answer"));
    calls_done(&calls);
    peer_stop(&peer);
}

/* Wherever the question is, it ends at once, and once. */
static void
check_cancel(enum peer_manner manner, const char *answer)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(start_peer(&peer, manner));
    peer.answer = answer;
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    const uint64_t ticket = out_next_ticket();
    ask(&calls, NULL, 0, ticket, false);
    CU_ASSERT(wait_for(&peer.connections, 1));
    if (manner == PEER_ANSWERS) {
        CU_ASSERT(wait_for(&peer.requests, 1));
        (void)usleep(50000); /* the part of its answer arrives */
    }
    calls.out->cancel(calls.out, ticket);
    calls.out->cancel(calls.out, ticket);
    CU_ASSERT(calls_wait(&calls, 1));
    CU_ASSERT_EQUAL(calls.answers[0].error, ERR_CANCELLED);
    struct out_health health;
    CU_ASSERT(out_health(calls.out, "p0", &health));
    CU_ASSERT_EQUAL(health.cancelled, 1);
    CU_ASSERT_EQUAL(health.failures, 0);
    CU_ASSERT_EQUAL(health.in_flight, 0);
    calls_done(&calls);
    CU_ASSERT_EQUAL(calls.n, 1);
    peer_stop(&peer);
}

static void
test_cancel(void)
{
    check_cancel(PEER_SILENT_TCP, "");
    check_cancel(PEER_SILENT, "");
    check_cancel(PEER_ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
}

/* Before the engine has seen it, and from several threads at once: done comes exactly once. */
#define RACES 100

static atomic_size_t ends, cancelled;

static void
count_end(void *arg, struct out_answer *answer)
{
    (void)arg;
    atomic_fetch_add(&ends, 1);
    atomic_fetch_add(&cancelled, answer->error == ERR_CANCELLED ? 1 : 0);
    out_answer_done(answer);
}

static void *
cancel_all(void *arg)
{
    struct calls *calls = arg;
    const uint64_t last = out_next_ticket();
    for (uint64_t ticket = last > RACES ? last - RACES : 1; ticket < last + RACES; ticket++) {
        calls->out->cancel(calls->out, ticket);
    }
    return NULL;
}

static void
test_cancel_races(void)
{
    struct peer peer;
    struct calls calls;
    pthread_t threads[2];
    CU_ASSERT_FATAL(start_peer(&peer, PEER_ANSWERS));
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    atomic_store(&ends, 0);
    atomic_store(&cancelled, 0);
    for (size_t i = 0; i < RACES; i++) {
        struct out_request request;
        out_request_init(&request);
        request.partner = &calls.config->partners[0];
        request.url = request.partner->query_url;
        request.deadline_us = INT64_MAX;
        request.answer_limit = 100;
        request.ticket = out_next_ticket();
        const uint64_t ticket = request.ticket;
        calls.out->submit(calls.out, &request, count_end, NULL);
        if (i % 3 == 0) {
            calls.out->cancel(calls.out, ticket);
        }
        for (size_t t = 0; i == RACES / 2 && t < ARRAY_LEN(threads); t++) {
            CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[t], NULL, cancel_all, &calls), 0);
        }
    }
    for (size_t t = 0; t < ARRAY_LEN(threads); t++) {
        (void)pthread_join(threads[t], NULL);
    }
    CU_ASSERT(wait_for(&ends, RACES));
    calls_done(&calls);
    CU_ASSERT_EQUAL(atomic_load(&ends), RACES);
    CU_ASSERT(atomic_load(&cancelled) > 0);
    peer_stop(&peer);
}

/* ---- another configuration ---- */

/* What is in flight keeps its configuration and ends as it would have; what comes then has the new
 * one, over a connection of its own. Health goes on. */
static void
test_reload(void)
{
    struct rig rig;
    struct calls calls;
    struct peer gone;
    struct diag diag = {0};
    struct out_health health;
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(start_peer(&gone, PEER_ANSWERS));
    const uint16_t port = net_port(rig.server, NET_NETWORK);
    const struct out_partner before[] = {
        {"127.0.0.1", port, SAN, PATIENT, NULL},
        {"127.0.0.1", gone.port, "identity: san, names: [localhost]", PATIENT, NULL}};
    CU_ASSERT_FATAL(calls_start(&calls, before, 2));
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "one"), 200, "one"));
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 1, "other"), 200, "answer"));
    rig.holds = true;
    ask(&calls, calls.config, 0, 0, false);
    struct net_request *request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    rig.holds = false;

    const struct config *after = out_fixture_config(before, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(after);
    CHECK_OK(&diag, out_reload(calls.out, after, &diag));
    ask(&calls, after, 0, 0, false);
    CU_ASSERT(calls_wait(&calls, 3) && call_is_answer(&calls.answers[2], 200, "question"));
    CU_ASSERT(out_health(calls.out, "p0", &health));
    CU_ASSERT_EQUAL(health.asked, 3);
    CU_ASSERT_EQUAL(health.answered, 2);
    CU_ASSERT_EQUAL(health.in_flight, 1);
    CU_ASSERT(out_health(calls.out, "p1", &health)); /* its pool is there while p0's is used */
    rig_answer(request, 200, "late");
    CU_ASSERT(calls_wait(&calls, 4) && call_is_answer(&calls.answers[3], 200, "late"));
    for (unsigned looks = 0; out_health(calls.out, "p1", &health) && unit_wait(&looks);) {
    }
    CU_ASSERT_FALSE(out_health(calls.out, "p1", &health)); /* the old configuration has gone */
    CU_ASSERT(out_health(calls.out, "p0", &health));
    CU_ASSERT_EQUAL(health.in_flight, 0);
    CU_ASSERT_EQUAL(health.answered, 3);
    /* a question that still has the old one is taken, too */
    ask(&calls, calls.config, 1, 0, false);
    CU_ASSERT(calls_wait(&calls, 5) && call_is_answer(&calls.answers[4], 200, "answer"));
    CU_ASSERT_EQUAL(atomic_load(&gone.connections), 2); /* the kept one was closed */
    calls_done(&calls);
    config_unref(after);
    rig_done(&rig);
    peer_stop(&gone);
}

static struct calls *torture_calls;

static struct status
reload_again(struct diag *diag)
{
    return out_reload(torture_calls->out, torture_calls->config, diag);
}

static void
test_reload_no_memory(void)
{
    struct peer peer;
    struct calls calls;
    struct out_health health;
    CU_ASSERT_FATAL(start_peer(&peer, PEER_ANSWERS));
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    torture_calls = &calls;
    unit_torture(reload_again);
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 200, "answer"));
    CU_ASSERT(out_health(calls.out, "p0", &health));
    CU_ASSERT_FALSE(out_health(calls.out, "p1", &health));
    calls_done(&calls);
    peer_stop(&peer);
}

/* ---- probes ---- */

static void
check_probe(int version, bool is_believed, const char *tls, enum err want, const char *said)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(peer_start(&peer, PEER_ANSWERS, fixture_pki()->server,
                               is_believed ? fixture_pki()->trust : fixture_pki()->stranger_trust,
                               version));
    peer.answer = OK_ANSWER;
    const struct out_partner partner = {"127.0.0.1", peer.port, tls, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    /* with TLS 1.3 the refusal comes behind our handshake, where a probe listens for half a second:
     * a peer on a slow machine may speak later, but not each time */
    const struct out_answer *answer = NULL;
    for (size_t i = 0; i < 20 && (answer == NULL || answer->error != want); i++) {
        ask(&calls, NULL, 0, 0, true);
        CU_ASSERT_FATAL(calls_wait(&calls, i + 1));
        answer = &calls.answers[i];
    }
    CU_ASSERT_EQUAL(answer->error, want);
    CU_ASSERT_PTR_NOT_NULL(strstr(answer->detail, said));
    if (want == ERR_NONE) {
        CU_ASSERT_EQUAL(answer->http_status, 0);
        CU_ASSERT_STRING_EQUAL(answer->peer_address, "127.0.0.1");
        CU_ASSERT_STRING_EQUAL(answer->tls.version,
                               version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2");
        CU_ASSERT_PTR_NOT_NULL(strstr(answer->tls.suite, "AES"));
        CU_ASSERT_EQUAL(answer->tls.expires_us, fixture_pki()->server->leaf->not_after_us);
        CU_ASSERT(answer->tls.handshake_us > 0);
    }
    CU_ASSERT_EQUAL(atomic_load(&peer.bytes), 0); /* no question */
    calls_done(&calls);
    peer_stop(&peer);
}

static void
test_probe(void)
{
    check_probe(TLS1_3_VERSION, true, "identity: san, names: [blue.example]", ERR_PARTNER_TLS,
                "blue.example");
    check_probe(TLS1_3_VERSION, false, SAN, ERR_PARTNER_TLS, "refused our certificate");
    check_probe(TLS1_2_VERSION, false, SAN, ERR_PARTNER_TLS, "refused our certificate");
    check_probe(TLS1_3_VERSION, true, SAN, ERR_NONE, "");
    check_probe(TLS1_2_VERSION, true, SAN, ERR_NONE, "");
}

/* Our own listener refuses so that it is heard; and a question after a probe is an own exchange. */
static void
test_probe_listener(void)
{
    struct rig rig;
    struct calls calls;
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    const struct out_partner partner = {"127.0.0.1", net_port(rig.server, NET_NETWORK), SAN,
                                        PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    for (size_t i = 1; i <= 3; i++) {
        ask(&calls, NULL, 0, 0, true);
        CU_ASSERT(calls_wait(&calls, i));
        CU_ASSERT_EQUAL(calls.answers[i - 1].error, ERR_NONE);
    }
    CU_ASSERT_EQUAL(rig.handled, 0);
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 200, "question"));
    calls_done(&calls);
    rig_done(&rig);
}

static void
test_probe_ends(void)
{
    static const enum peer_manner manners[] = {PEER_SILENT_TCP, PEER_SILENT};
    for (size_t i = 0; i < ARRAY_LEN(manners); i++) {
        struct peer peer;
        struct calls calls;
        CU_ASSERT_FATAL(start_peer(&peer, manners[i]));
        const struct out_partner partner = {"127.0.0.1", peer.port, SAN,
                                            manners[i] == PEER_SILENT ? PATIENT : "1s", NULL};
        CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
        const uint64_t ticket = out_next_ticket();
        ask(&calls, NULL, 0, ticket, true);
        CU_ASSERT(wait_for(&peer.connections, 1));
        (void)usleep(100000); /* the second lingers now */
        calls.out->cancel(calls.out, ticket);
        CU_ASSERT(calls_wait(&calls, 1));
        ask(&calls, NULL, 0, 0, true);
        CU_ASSERT(calls_wait(&calls, 2));
        CU_ASSERT_EQUAL(calls.answers[1].error,
                        manners[i] == PEER_SILENT ? ERR_NONE : ERR_PARTNER_TIMEOUT);
        calls_done(&calls);
        peer_stop(&peer);
    }
}

/* ---- signs of life ---- */

static atomic_bool blocks;

/* No done may do this. */
static void
block(void *arg, struct out_answer *answer)
{
    while (atomic_load(&blocks)) {
        (void)usleep(1000);
    }
    calls_keep(arg, answer);
}

/* Until its silence is within these. */
static bool
comes_to(struct out *out, int64_t least_us, int64_t most_us)
{
    unsigned looks = 0;
    int64_t us = out_silence_us(out);
    while ((us < least_us || us > most_us) && unit_wait(&looks)) {
        us = out_silence_us(out);
    }
    return us >= least_us && us <= most_us;
}

/* A thread that does not come back is seen by its silence, and one that is seldom asked is not. */
static void
test_silence(void)
{
    struct peer peer;
    struct calls calls;
    struct out_request request;
    CU_ASSERT_FATAL(start_peer(&peer, PEER_ANSWERS));
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    CU_ASSERT_EQUAL(out_silence_us(calls.out), 0);
    for (int i = 0; i < 10; i++) { /* on a slow machine it may answer late once */
        (void)usleep(500000);
        if (out_silence_us(calls.out) == 0) {
            break;
        }
        CU_ASSERT_NOT_EQUAL(i, 9);
    }
    atomic_store(&blocks, true);
    out_request_init(&request);
    request.partner = &calls.config->partners[0];
    request.url = request.partner->query_url;
    request.answer_limit = 1024;
    request_say(&request, "question");
    calls.out->submit(calls.out, &request, block, &calls);
    CU_ASSERT(wait_for(&peer.requests, 1));
    CU_ASSERT(comes_to(calls.out, 400 * US_PER_MS, INT64_MAX));
    atomic_store(&blocks, false);
    CU_ASSERT(calls_wait(&calls, 1));
    CU_ASSERT(comes_to(calls.out, 0, 0));
    calls_done(&calls);
    peer_stop(&peer);
}

static const struct unit_test tests[] = {
    {"signs of life", test_silence},
    {"cancel unknown tickets", test_cancel_unknown},
    {"cancel", test_cancel},
    {"cancel races", test_cancel_races},
    {"reload", test_reload},
    {"reload without memory", test_reload_no_memory},
    {"probe", test_probe},
    {"probe of our listener", test_probe_listener},
    {"end of a probe", test_probe_ends},
};

int
main(void)
{
    const int status = unit_main("out engine", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
