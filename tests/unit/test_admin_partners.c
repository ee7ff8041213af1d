/*
 * What /metrics says of partners while it changes: the breaker's states and the queue's depth, over
 * a real outbound engine and a real server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "admin/admin.h"
#include "audit/journal.h"
#include "base/metrics.h"
#include "tests/unit/out_fixture.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 6\r\n\r\nanswer"
#define SAN       "identity: san, names: [server.example]"
#define SECOND    "identity: san, names: [localhost]"
#define FAILURES  3

static struct peer peer;
static struct calls calls;
static struct admin_view view;
static struct journal *journal;

static void
set_up(enum peer_manner manner)
{
    struct diag diag = {.code = ERR_NONE};
    CU_ASSERT_FATAL(
        peer_start(&peer, manner, fixture_pki()->server, fixture_pki()->trust, TLS1_3_VERSION));
    peer.answer = OK_ANSWER;
    const struct out_partner partners[] = {
        {"127.0.0.1", peer.port, SAN, PATIENT,
         "limits: {connections: 2, requests: 20, failures: 3, pause: 10m, longest_pause: 10m}\n"},
        {"127.0.0.1", peer.port, SECOND, PATIENT, NULL},
    };
    CU_ASSERT_FATAL(calls_start(&calls, partners, ARRAY_LEN(partners)));
    CU_ASSERT_FATAL(CHECK_OK(&diag, journal_open(JOURNAL_AT(calls.config->journal_dir), "node",
                                                 clock_system(), &diag, &journal)));
    view = (struct admin_view){
        .config = calls.config,
        .clock = clock_system(),
        .journal = journal,
        .out = calls.out,
    };
    CU_ASSERT_FATAL(CHECK_OK(&diag, runner_new(clock_system(), 0, &diag, &view.runner)));
}

static void
tear_down(void)
{
    runner_free(view.runner);
    journal_close(journal);
    calls_done(&calls);
    peer_stop(&peer);
    metrics_done();
}

/* ---- a sample of the page ---- */

/* isthmus_partner_<what>{partner="<id>"}; -1: the page has none. */
static long
sample(const char *what, const char *id)
{
    struct admin_answer answer;
    char line[128];
    long value = -1;
    const int n = snprintf(line, sizeof(line), "\nisthmus_partner_%s{partner=\"%s\"} ", what, id);
    admin_answer(&view, SPAN("/metrics"), SPAN(""), &answer);
    const struct span content = buf_span(&answer.content);
    const char *const at = memmem(content.p, content.n, line, (size_t)n);
    CU_ASSERT_EQUAL(answer.http_status, 200);
    if (at != NULL) { /* the page ends with a line's end, where the number ends at the latest */
        value = strtol(at + n, NULL, 10);
    }
    buf_done(&answer.content);
    return value;
}

/* The page is asked until it says so; for what happens on the engine's thread. */
static bool
comes_to(const char *what, const char *id, long want)
{
    long value = -1;
    unsigned looks = 0;
    do {
        value = sample(what, id);
        if (value == want) {
            return true;
        }
    } while (unit_wait(&looks));
    printf("\n    %s of %s: wanted %ld, got %ld", what, id, want, value);
    return false;
}

static void
submit(size_t partner, uint64_t ticket, bool is_probe)
{
    struct out_request request;
    out_request_init(&request);
    request.partner = &calls.config->partners[partner];
    request.url = request.partner->query_url;
    (void)snprintf(request.content_type, sizeof(request.content_type), "text/plain");
    request.deadline_us = INT64_MAX;
    request.answer_limit = 1024;
    request.ticket = ticket;
    request.is_probe = is_probe;
    request_say(&request, is_probe ? "" : "question");
    calls.out->submit(calls.out, &request, calls_keep, &calls);
}

static void
ask(size_t partner, uint64_t ticket)
{
    submit(partner, ticket, false);
}

/* Ends the pause of the first partner's breaker, the <n>th to be answered in all: the next question
 * is the trial. */
static void
probe(size_t n)
{
    submit(0, out_next_ticket(), true);
    CU_ASSERT_FATAL(calls_wait(&calls, n));
    CU_ASSERT_EQUAL(calls.answers[n - 1].error, ERR_NONE);
}

/* ---- what changes ---- */

static void
test_queue_depth(void)
{
    uint64_t tickets[6];
    set_up(PEER_SILENT);
    CU_ASSERT(comes_to("waiting", "p0", 0) && comes_to("in_flight", "p0", 0));
    for (size_t i = 0; i < ARRAY_LEN(tickets); i++) {
        tickets[i] = out_next_ticket();
        ask(0, tickets[i]);
        CU_ASSERT(comes_to("waiting", "p0", i < 2 ? 0 : (long)i - 1));
        CU_ASSERT(comes_to("in_flight", "p0", i < 2 ? (long)i + 1 : 2));
    }
    ask(1, out_next_ticket());
    CU_ASSERT(comes_to("in_flight", "p1", 1) && comes_to("waiting", "p1", 0));
    calls.out->cancel(calls.out, tickets[5]); /* it waited */
    CU_ASSERT(comes_to("waiting", "p0", 3) && comes_to("in_flight", "p0", 2));
    calls.out->cancel(calls.out, tickets[0]); /* it was on its way: the next one goes */
    CU_ASSERT(comes_to("waiting", "p0", 2) && comes_to("in_flight", "p0", 2));
    for (size_t i = 1; i < 5; i++) {
        calls.out->cancel(calls.out, tickets[i]);
    }
    CU_ASSERT(comes_to("waiting", "p0", 0) && comes_to("in_flight", "p0", 0));
    CU_ASSERT(comes_to("in_flight", "p1", 1));
    CU_ASSERT(calls_wait(&calls, ARRAY_LEN(tickets)));
    tear_down();
}

static void
test_breaker_states(void)
{
    const uint64_t trial = out_next_ticket();
    set_up(PEER_SILENT);
    CU_ASSERT(comes_to("breaker", "p0", OUT_BREAKER_CLOSED));
    atomic_store(&peer.is_closing, true);
    for (size_t i = 1; i <= FAILURES; i++) {
        CU_ASSERT_EQUAL(sample("breaker", "p0"), OUT_BREAKER_CLOSED);
        ask(0, out_next_ticket());
        CU_ASSERT(calls_wait(&calls, i));
        CU_ASSERT_EQUAL(sample("failed_total", "p0"), (long)i);
    }
    CU_ASSERT_EQUAL(sample("breaker", "p0"), OUT_BREAKER_OPEN);
    CU_ASSERT_EQUAL(sample("breaker", "p1"), OUT_BREAKER_CLOSED);
    ask(0, out_next_ticket());
    CU_ASSERT(calls_wait(&calls, FAILURES + 1));
    CU_ASSERT_EQUAL(calls.answers[FAILURES].error, ERR_PARTNER_OPEN);
    CU_ASSERT_EQUAL(sample("turned_away_total", "p0"), 1);
    atomic_store(&peer.is_closing, false);
    probe(FAILURES + 2);
    CU_ASSERT_EQUAL(sample("breaker", "p0"), OUT_BREAKER_OPEN);
    ask(0, trial);
    CU_ASSERT(comes_to("breaker", "p0", OUT_BREAKER_HALF_OPEN));
    CU_ASSERT(comes_to("in_flight", "p0", 1));
    calls.out->cancel(calls.out, trial);
    CU_ASSERT(comes_to("breaker", "p0", OUT_BREAKER_OPEN));
    CU_ASSERT(calls_wait(&calls, FAILURES + 3));
    CU_ASSERT_EQUAL(sample("answered_total", "p0"), 0);
    tear_down();
}

/* Open, and back: one good answer closes it. */
static void
test_breaker_closes(void)
{
    set_up(PEER_ANSWERS);
    atomic_store(&peer.is_closing, true);
    for (size_t i = 1; i <= FAILURES; i++) {
        ask(0, out_next_ticket());
        CU_ASSERT(calls_wait(&calls, i));
    }
    CU_ASSERT_EQUAL(sample("breaker", "p0"), OUT_BREAKER_OPEN);
    atomic_store(&peer.is_closing, false);
    probe(FAILURES + 1);
    ask(0, out_next_ticket());
    CU_ASSERT(calls_wait(&calls, FAILURES + 2));
    CU_ASSERT(call_is_answer(&calls.answers[FAILURES + 1], 200, "answer"));
    CU_ASSERT_EQUAL(sample("breaker", "p0"), OUT_BREAKER_CLOSED);
    CU_ASSERT_EQUAL(sample("answered_total", "p0"), 1);
    tear_down();
}

static const struct unit_test tests[] = {
    {"depth of a queue", test_queue_depth},
    {"states of a breaker", test_breaker_states},
    {"a breaker that closes", test_breaker_closes},
};

int
main(void)
{
    const int status = unit_main("admin_partners", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
