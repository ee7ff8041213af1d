/*
 * Whose turn it is with a partner, and when a partner is left alone: queues, the breaker, asking
 * again, health. Real servers throughout.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "tests/unit/out_fixture.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 6\r\n\r\nanswer"
#define SAN       "identity: san, names: [server.example]"
#define SECOND    "identity: san, names: [localhost]"

static int64_t
now_us(void)
{
    return clock_mono_us(clock_system());
}

static bool
start_peer(struct peer *peer, enum peer_manner manner)
{
    const bool is_started =
        peer_start(peer, manner, fixture_pki()->server, fixture_pki()->trust, TLS1_3_VERSION);
    peer->answer = OK_ANSWER;
    return is_started;
}

static struct out_health
health_of(const struct calls *calls, const char *id)
{
    struct out_health health = {.last_error = ERR_INTERNAL};
    CU_ASSERT(out_health(calls->out, id, &health));
    return health;
}

static bool
wait_for_waiting(const struct calls *calls, size_t in_flight, size_t waiting)
{
    struct out_health health = {.waiting = 0};
    unsigned looks = 0;
    do {
        health = health_of(calls, "p0");
        if (health.in_flight == in_flight && health.waiting == waiting) {
            return true;
        }
    } while (unit_wait(&looks));
    printf("\n    %zu in flight and %zu waiting", health.in_flight, health.waiting);
    return false;
}

struct question {
    const char *body;
    uint64_t ticket;
    int64_t deadline_us; /* 0: none */
    bool is_probe, is_fresh;
};

static void
ask(struct calls *calls, size_t partner, struct question question)
{
    struct out_request request;
    out_request_init(&request);
    request.partner = &calls->config->partners[partner];
    request.url = request.partner->query_url;
    (void)snprintf(request.content_type, sizeof(request.content_type), "text/plain");
    request.deadline_us = question.deadline_us == 0 ? INT64_MAX : question.deadline_us;
    request.answer_limit = 1024;
    request.ticket = question.ticket;
    request.is_probe = question.is_probe;
    request.is_fresh = question.is_fresh;
    request_say(&request, question.body);
    calls->out->submit(calls->out, &request, calls_keep, calls);
}

#define ASK(calls, partner, ...) ask((calls), (partner), (struct question){__VA_ARGS__})

/* ---- queues ---- */

/* First come first served, a probe last although it came first, and no two at a time. */
static void
test_order(void)
{
    static const char *const bodies[] = {"a", "b", "c", "d", "e"};
    struct rig rig;
    struct calls calls;
    rig_init(&rig);
    rig.holds = true;
    CU_ASSERT_FATAL(rig_start(&rig));
    const struct out_partner partner = {.host = "127.0.0.1",
                                        .port = net_port(rig.server, NET_NETWORK),
                                        .tls = SAN,
                                        .timeout = PATIENT,
                                        .more = "limits: {connections: 1}\n"};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    ASK(&calls, 0, .body = "first");
    CU_ASSERT(rig_wait_handled(&rig, 1));
    ASK(&calls, 0, .body = "", .is_probe = true);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        ASK(&calls, 0, .body = bodies[i]);
    }
    CU_ASSERT(wait_for_waiting(&calls, 1, 6));
    CU_ASSERT_EQUAL(rig.handled, 1);
    rig.holds = false;
    struct net_request *request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    rig_answer(request, 200, "first");
    CU_ASSERT(calls_wait(&calls, 7));
    CU_ASSERT(call_is_answer(&calls.answers[0], 200, "first"));
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        CU_ASSERT(call_is_answer(&calls.answers[i + 1], 200, bodies[i]));
    }
    CU_ASSERT(call_is_answer(&calls.answers[6], 0, ""));
    CU_ASSERT_STRING_EQUAL(calls.answers[6].tls.version, "TLSv1.3");
    calls_done(&calls);
    rig_done(&rig);
}

/* A peer counts a connection when it takes it, which may be later than the question left. */
static void
check_connections(struct peer *peer, size_t wanted)
{
    for (unsigned looks = 0; atomic_load(&peer->connections) < wanted && unit_wait(&looks);) {
    }
    CU_ASSERT_EQUAL(atomic_load(&peer->connections), wanted);
}

/* What is one too many fails at once; what waits has no more time than it brought. */
static void
test_bound(void)
{
    struct peer peer;
    struct calls calls;
    uint64_t tickets[4];
    CU_ASSERT_FATAL(start_peer(&peer, PEER_SILENT));
    const struct out_partner partner = {.host = "127.0.0.1",
                                        .port = peer.port,
                                        .tls = SAN,
                                        .timeout = PATIENT,
                                        .more = "limits: {connections: 2, requests: 5}\n"};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    for (size_t i = 0; i < ARRAY_LEN(tickets); i++) {
        tickets[i] = out_next_ticket();
        ASK(&calls, 0, .body = "question", .ticket = tickets[i]);
    }
    ASK(&calls, 0, .body = "question", .deadline_us = now_us() + 5 * US_PER_S);
    CU_ASSERT(wait_for_waiting(&calls, 2, 3));
    ASK(&calls, 0, .body = "question");
    ASK(&calls, 0, .body = "", .is_probe = true);
    CU_ASSERT(calls_wait(&calls, 2)); /* before the time of any other is over */
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(calls.answers[i].error, ERR_PARTNER_BUSY);
        CU_ASSERT_PTR_NOT_NULL(strstr(calls.answers[i].detail, "limits.requests"));
    }
    CU_ASSERT(calls_wait(&calls, 3));
    CU_ASSERT_EQUAL(calls.answers[2].error, ERR_PARTNER_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(calls.answers[2].detail, "its turn did not come"));
    check_connections(&peer, 2);
    CU_ASSERT_EQUAL(calls.n, 3); /* the others still have their time */
    for (size_t i = 0; i < ARRAY_LEN(tickets); i++) {
        calls.out->cancel(calls.out, tickets[i]);
    }
    CU_ASSERT(calls_wait(&calls, 7));
    CU_ASSERT_EQUAL(health_of(&calls, "p0").refused, 2);
    CU_ASSERT(wait_for_waiting(&calls, 0, 0));
    calls_done(&calls);
    peer_stop(&peer);
}

static void
test_cancel_waiting(void)
{
    struct peer peer;
    struct calls calls;
    const uint64_t first = out_next_ticket(), second = out_next_ticket(), third = out_next_ticket();
    CU_ASSERT_FATAL(start_peer(&peer, PEER_SILENT));
    const struct out_partner partner = {.host = "127.0.0.1",
                                        .port = peer.port,
                                        .tls = SAN,
                                        .timeout = PATIENT,
                                        .more = "limits: {connections: 1}\n"};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    ASK(&calls, 0, .body = "question", .ticket = first);
    ASK(&calls, 0, .body = "question", .ticket = second);
    ASK(&calls, 0, .body = "question", .ticket = third);
    CU_ASSERT(wait_for_waiting(&calls, 1, 2));
    calls.out->cancel(calls.out, second);
    CU_ASSERT(calls_wait(&calls, 1) && wait_for_waiting(&calls, 1, 1));
    check_connections(&peer, 1);
    calls.out->cancel(calls.out, first); /* the place is the third one's */
    CU_ASSERT(calls_wait(&calls, 2) && wait_for_waiting(&calls, 1, 0));
    calls.out->cancel(calls.out, third);
    CU_ASSERT(calls_wait(&calls, 3) && wait_for_waiting(&calls, 0, 0));
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(calls.answers[i].error, ERR_CANCELLED);
    }
    calls_done(&calls);
    peer_stop(&peer);
}

/* A partner that never answers, with a full queue: another one's questions do not notice. */
static void
test_isolation(void)
{
    struct peer silent, good;
    struct calls calls;
    CU_ASSERT_FATAL(start_peer(&silent, PEER_SILENT));
    CU_ASSERT_FATAL(start_peer(&good, PEER_ANSWERS));
    const struct out_partner partners[] = {{.host = "127.0.0.1",
                                            .port = silent.port,
                                            .tls = SAN,
                                            .timeout = PATIENT,
                                            .more = "limits: {connections: 2, requests: 50}\n"},
                                           {.host = "127.0.0.1",
                                            .port = good.port,
                                            .tls = SECOND,
                                            .timeout = PATIENT,
                                            .more = "limits: {connections: 2, requests: 50}\n"}};
    CU_ASSERT_FATAL(calls_start(&calls, partners, 2));
    for (int i = 0; i < 50; i++) {
        ASK(&calls, 0, .body = "question");
    }
    CU_ASSERT(wait_for_waiting(&calls, 2, 48));
    for (int i = 0; i < 20; i++) {
        CU_ASSERT(call_is_answer(calls_exchange(&calls, 1, "question"), 200, "answer"));
    }
    CU_ASSERT(wait_for_waiting(&calls, 2, 48)); /* as before */
    calls_done(&calls);
    peer_stop(&silent);
    peer_stop(&good);
}

/* ---- the breaker ---- */

#define BREAKER          "limits: {failures: 3, pause: 2s, longest_pause: 4s}\n"
#define BREAKER_PAUSE_US (2 * US_PER_S) /* a quarter more or less */
/* No machine is so slow that such a pause ends by itself; a good probe ends it. */
#define LONG_BREAKER  "limits: {failures: 3, pause: 5m, longest_pause: 20m}\n"
#define LONG_PAUSE_US (300 * US_PER_S)

/* Of its pause, what is left since <start_us>, before which it did not begin. */
static void
check_pause(const struct out_health *health, int64_t pause_us, int64_t start_us)
{
    CU_ASSERT(health->retry_us > pause_us * 3 / 4 - (now_us() - start_us));
    CU_ASSERT(health->retry_us <= pause_us * 5 / 4);
}

static void
probe(struct calls *calls)
{
    const size_t before = calls->n;
    ASK(calls, 0, .body = "", .is_probe = true);
    CU_ASSERT_FATAL(calls_wait(calls, before + 1));
    CU_ASSERT_EQUAL(calls->answers[before].error, ERR_NONE);
    CU_ASSERT_EQUAL(health_of(calls, "p0").breaker, OUT_BREAKER_OPEN);
    CU_ASSERT_EQUAL(health_of(calls, "p0").retry_us, 0);
}

/* Three failures, and it is left alone; then one at a time, until it is back. */
static void
test_breaker(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(start_peer(&peer, PEER_ANSWERS));
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, LONG_BREAKER};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 200, "answer"));
    atomic_store(&peer.is_closing, true);
    int64_t start_us = now_us();
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(health_of(&calls, "p0").breaker, OUT_BREAKER_CLOSED);
        CU_ASSERT_EQUAL(health_of(&calls, "p0").failures, i);
        ASK(&calls, 0, .body = "question", .is_fresh = true);
        CU_ASSERT(calls_wait(&calls, 2 + i));
        CU_ASSERT(calls.answers[1 + i].error == ERR_PARTNER_TLS ||
                  calls.answers[1 + i].error == ERR_PARTNER_UNREACHABLE);
    }
    struct out_health health = health_of(&calls, "p0");
    CU_ASSERT_EQUAL(health.breaker, OUT_BREAKER_OPEN);
    check_pause(&health, LONG_PAUSE_US, start_us);
    CU_ASSERT_EQUAL(health.last_error, calls.answers[3].error);
    CU_ASSERT_STRING_EQUAL(health.last_detail, calls.answers[3].detail);
    const size_t connections = atomic_load(&peer.connections);
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_OPEN, "failed 3 times in a row"));
    CU_ASSERT_PTR_NOT_NULL(strstr(calls.answers[4].detail, "asked again in"));
    CU_ASSERT_EQUAL(atomic_load(&peer.connections), connections);
    /* half-open: one goes and fails, the pause doubles */
    atomic_store(&peer.is_closing, false);
    probe(&calls);
    atomic_store(&peer.is_closing, true);
    start_us = now_us();
    ASK(&calls, 0, .body = "question", .is_fresh = true);
    CU_ASSERT(calls_wait(&calls, 7));
    CU_ASSERT_NOT_EQUAL(calls.answers[6].error, ERR_PARTNER_OPEN);
    health = health_of(&calls, "p0");
    CU_ASSERT_EQUAL(health.breaker, OUT_BREAKER_OPEN);
    check_pause(&health, 2 * LONG_PAUSE_US, start_us);
    CU_ASSERT(atomic_load(&peer.connections) > connections + 1); /* the probe, and the trial */
    /* and back */
    atomic_store(&peer.is_closing, false);
    probe(&calls);
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 200, "answer"));
    health = health_of(&calls, "p0");
    CU_ASSERT_EQUAL(health.breaker, OUT_BREAKER_CLOSED);
    CU_ASSERT_EQUAL(health.failures, 0);
    CU_ASSERT_EQUAL(health.failed, 4);
    CU_ASSERT_EQUAL(health.refused, 1);
    CU_ASSERT_EQUAL(health.answered, 2);
    calls_done(&calls);
    peer_stop(&peer);
}

static void
open_breaker(struct calls *calls, struct peer *peer)
{
    atomic_store(&peer->is_closing, true);
    const size_t before = calls->n;
    for (size_t i = 0; i < 3; i++) {
        ASK(calls, 0, .body = "question", .is_fresh = true);
        CU_ASSERT(calls_wait(calls, before + i + 1));
    }
    CU_ASSERT_EQUAL(health_of(calls, "p0").breaker, OUT_BREAKER_OPEN);
    atomic_store(&peer->is_closing, false);
}

/* While one question tries, the others fail at once; if it is withdrawn, the next one may try. */
static void
test_half_open(void)
{
    struct peer peer;
    struct calls calls;
    const uint64_t ticket = out_next_ticket();
    CU_ASSERT_FATAL(start_peer(&peer, PEER_SILENT));
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, BREAKER};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    open_breaker(&calls, &peer);
    (void)usleep(BREAKER_PAUSE_US * 5 / 4 + 50000);
    ASK(&calls, 0, .body = "trial", .ticket = ticket);
    CU_ASSERT(wait_for_waiting(&calls, 1, 0));
    CU_ASSERT_EQUAL(health_of(&calls, "p0").breaker, OUT_BREAKER_HALF_OPEN);
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_OPEN, "trying it now"));
    calls.out->cancel(calls.out, ticket);
    CU_ASSERT(calls_wait(&calls, 5));
    CU_ASSERT_EQUAL(calls.answers[4].error, ERR_CANCELLED);
    CU_ASSERT_EQUAL(health_of(&calls, "p0").breaker, OUT_BREAKER_OPEN);
    CU_ASSERT_EQUAL(health_of(&calls, "p0").failures, 3);
    ASK(&calls, 0, .body = "trial");
    CU_ASSERT(wait_for_waiting(&calls, 1, 0));
    calls_done(&calls);
    peer_stop(&peer);
}

/* Those that wait for their turn when it opens fail with it. A probe goes nevertheless; when it is
 * good, the next question may try at once. */
static void
test_open_with_queue(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(start_peer(&peer, PEER_SILENT));
    const struct out_partner partner = {
        "127.0.0.1", peer.port, SAN, "2s",
        "limits: {connections: 1, requests: 50, failures: 2, pause: 10m, longest_pause: 10m}\n"};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    ASK(&calls, 0, .body = "question");
    for (int i = 0; i < 19; i++) {
        ASK(&calls, 0, .body = "question", .deadline_us = now_us() + 60 * US_PER_S);
    }
    CU_ASSERT(calls_wait(&calls, 20));
    size_t open = 0;
    for (size_t i = 0; i < 20; i++) {
        open += calls.answers[i].error == ERR_PARTNER_OPEN;
    }
    CU_ASSERT_EQUAL(open, 18);
    CU_ASSERT_EQUAL(health_of(&calls, "p0").failures, 2);
    CU_ASSERT(health_of(&calls, "p0").retry_us > 40 * US_PER_S);
    ASK(&calls, 0, .body = "", .is_probe = true);
    CU_ASSERT(calls_wait(&calls, 21));
    CU_ASSERT_EQUAL(calls.answers[20].error, ERR_NONE);
    CU_ASSERT_EQUAL(health_of(&calls, "p0").breaker, OUT_BREAKER_OPEN);
    CU_ASSERT_EQUAL(health_of(&calls, "p0").retry_us, 0);
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_TIMEOUT, "no answer"));
    CU_ASSERT(health_of(&calls, "p0").retry_us > 40 * US_PER_S);
    calls_done(&calls);
    peer_stop(&peer);
}

/* A time that was too short says nothing about the partner; nor does an answer that cannot be used,
 * but for the fact that it came. */
static void
test_what_counts(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(start_peer(&peer, PEER_ANSWERS_ONCE));
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, BREAKER};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    peer.answer = "";
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_UNREACHABLE, ""));
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_UNREACHABLE, ""));
    CU_ASSERT_EQUAL(health_of(&calls, "p0").failures, 2);
    ASK(&calls, 0, .body = "question", .deadline_us = now_us() - 1);
    CU_ASSERT(calls_wait(&calls, 3));
    CU_ASSERT_EQUAL(calls.answers[2].error, ERR_PARTNER_TIMEOUT);
    CU_ASSERT_EQUAL(health_of(&calls, "p0").failures, 2);
    peer.answer = "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n";
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_UNREACHABLE, ""));
    CU_ASSERT_EQUAL(health_of(&calls, "p0").breaker, OUT_BREAKER_OPEN);
    calls_done(&calls);
    peer_stop(&peer);

    CU_ASSERT_FATAL(start_peer(&peer, PEER_SILENT));
    const struct out_partner other = {"127.0.0.1", peer.port, SAN, PATIENT, BREAKER};
    CU_ASSERT_FATAL(calls_start(&calls, &other, 1));
    for (size_t i = 0; i < 5; i++) {
        ASK(&calls, 0, .body = "question", .deadline_us = now_us() + 100 * US_PER_MS);
        CU_ASSERT(calls_wait(&calls, i + 1));
        CU_ASSERT_EQUAL(calls.answers[i].error, ERR_PARTNER_TIMEOUT);
    }
    CU_ASSERT_EQUAL(health_of(&calls, "p0").failures, 0);
    calls_done(&calls);
    peer_stop(&peer);
}

#define JITTER_PARTNERS 2
#define JITTER_ROUNDS   12
#define PAUSE_US        (60 * US_PER_S)

/* Opens the breaker of a partner that has no connection, and reads its pause. A good probe before
 * the next round makes a question the trial at once. */
static int64_t
open_and_read_pause(struct calls *calls, struct peer *peer, size_t partner, bool is_open)
{
    char id[16];
    size_t asked = calls->n;
    (void)snprintf(id, sizeof(id), "p%zu", partner);
    if (is_open) {
        ASK(calls, partner, .body = "", .is_probe = true);
        CU_ASSERT(calls_wait(calls, ++asked));
        CU_ASSERT_EQUAL(health_of(calls, id).retry_us, 0);
    }
    atomic_store(&peer->is_closing, true);
    const int64_t start_us = now_us();
    ASK(calls, partner, .body = "question", .is_fresh = true);
    CU_ASSERT(calls_wait(calls, ++asked));
    atomic_store(&peer->is_closing, false);
    const struct out_health health = health_of(calls, id);
    CU_ASSERT_EQUAL(health.breaker, OUT_BREAKER_OPEN);
    CU_ASSERT(health.retry_us > PAUSE_US * 3 / 4 - (now_us() - start_us));
    CU_ASSERT(health.retry_us <= PAUSE_US * 5 / 4);
    return health.retry_us;
}

/* A quarter more or less, all over that range, and two partners are not in step. */
static void
test_pauses_differ(void)
{
#define ONE_MINUTE "limits: {failures: 1, pause: 1m, longest_pause: 1m}\n"
    struct peer peer;
    struct calls calls;
    int64_t pauses[JITTER_PARTNERS];
    size_t below = 0, above = 0, apart = 0;
    CU_ASSERT_FATAL(start_peer(&peer, PEER_ANSWERS));
    const struct out_partner partners[JITTER_PARTNERS] = {
        {"127.0.0.1", peer.port, SAN, PATIENT, ONE_MINUTE},
        {"127.0.0.1", peer.port, SECOND, PATIENT, ONE_MINUTE},
    };
    CU_ASSERT_FATAL(calls_start(&calls, partners, JITTER_PARTNERS));
    for (size_t round = 0; round < JITTER_ROUNDS; round++) {
        for (size_t i = 0; i < JITTER_PARTNERS; i++) {
            pauses[i] = open_and_read_pause(&calls, &peer, i, round > 0);
            below += pauses[i] < PAUSE_US - 2 * US_PER_S;
            above += pauses[i] > PAUSE_US + 2 * US_PER_S;
        }
        apart += llabs(pauses[0] - pauses[1]) > US_PER_S;
    }
    CU_ASSERT(below > 0 && above > 0);
    CU_ASSERT(apart >= 3);
    calls_done(&calls);
    peer_stop(&peer);
}

/* ---- asking again, health ---- */

/* A partner that closes every kept connection under a question: a few may be asked again, then not
 * every one any more. */
static void
test_retry_budget(void)
{
    struct peer peer;
    struct calls calls;
    size_t stale = 0, closed = 0;
    CU_ASSERT_FATAL(start_peer(&peer, PEER_READS_SECOND));
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    for (int i = 0; i < 60; i++) {
        const struct out_answer *answer = calls_exchange(&calls, 0, "question");
        closed += answer->error == ERR_PARTNER_UNREACHABLE;
        stale += answer->is_stale;
        CU_ASSERT(!answer->is_stale || answer->error == ERR_PARTNER_UNREACHABLE);
        CU_ASSERT(answer->error == ERR_NONE || answer->is_stale ||
                  strstr(answer->detail, "not now") != NULL);
    }
    CU_ASSERT(closed >= 20);
    CU_ASSERT(stale >= 10 && stale <= 10 + 60 / 10);
    CU_ASSERT_EQUAL(health_of(&calls, "p0").stale, closed);
    calls_done(&calls);
    peer_stop(&peer);
}

static void
test_health(void)
{
    struct rig rig;
    struct calls calls;
    struct out_health health;
    rig_init(&rig);
    rig.holds = true;
    CU_ASSERT_FATAL(rig_start(&rig));
    const struct out_partner partner = {"127.0.0.1", net_port(rig.server, NET_NETWORK), SAN,
                                        PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    CU_ASSERT_FALSE(out_health(calls.out, "p1", &health));
    health = health_of(&calls, "p0");
    CU_ASSERT(health.asked == 0 && health.p50_us == 0 && health.latency_us == 0);
    int64_t quick_us = 0, slow_us = 0; /* the longest of the first nine, and of all: as we see it */
    for (size_t i = 1; i <= 10; i++) {
        const int64_t start_us = now_us();
        quick_us = slow_us;
        ASK(&calls, 0, .body = "question");
        struct net_request *request = rig_take(&rig);
        CU_ASSERT_PTR_NOT_NULL_FATAL(request);
        (void)usleep(i == 10 ? 400000 : 40000);
        rig_answer(request, 200, "answer");
        CU_ASSERT(calls_wait(&calls, i));
        slow_us = now_us() - start_us > slow_us ? now_us() - start_us : slow_us;
    }
    health = health_of(&calls, "p0");
    CU_ASSERT_EQUAL(health.asked, 10);
    CU_ASSERT_EQUAL(health.answered, 10);
    CU_ASSERT(health.p50_us > 30 * US_PER_MS && health.p50_us < 2 * quick_us);
    CU_ASSERT(health.p99_us > 300 * US_PER_MS && health.p99_us < 2 * slow_us);
    CU_ASSERT(health.p90_us >= health.p50_us && health.p90_us <= health.p99_us);
    CU_ASSERT(health.latency_us > 40 * US_PER_MS && health.latency_us <= slow_us);
    CU_ASSERT(clock_wall_us(clock_system()) - health.answered_us < 60 * US_PER_S);
    calls_done(&calls);
    rig_done(&rig);
}

static const struct unit_test tests[] = {
    {"order", test_order},
    {"bound", test_bound},
    {"cancel while waiting", test_cancel_waiting},
    {"isolation", test_isolation},
    {"breaker", test_breaker},
    {"half open", test_half_open},
    {"open with a queue", test_open_with_queue},
    {"what counts", test_what_counts},
    {"pauses differ", test_pauses_differ},
    {"retry budget", test_retry_budget},
    {"health", test_health},
};

int
main(void)
{
    const int status = unit_main("out turns", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
