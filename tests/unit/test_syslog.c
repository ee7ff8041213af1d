/*
 * Lines to syslog collectors on real sockets: frames and datagrams as they arrive, certificates
 * that are refused, collectors that stall, reset and are not there; the messages themselves; and
 * the whole of it: every record arrives, whatever a collector does, and copies are equal.
 */
#include "out/syslog.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/ship_syslog.h"
#include "certs/tls.h"
#include "config_world.h"
#include "tests/unit/collector_kit.h"
#include "tests/unit/ship_kit.h"
#include "unit.h"

/* ---- certificates and contexts ---- */

static struct credential *red;  /* ours */
static struct credential *blue; /* the collector's */
static struct credential *green;
static struct trust *trust;
static struct trust *other_trust;
static SSL_CTX *good;    /* a collector that trusts us */
static SSL_CTX *foreign; /* one whose certificate we do not trust */
static SSL_CTX *strict;  /* one that does not trust us */

static struct credential *
load_credential(const char *node)
{
    struct credential *credential = NULL;
    struct diag diag = {0};
    char certificate[300];
    char key[300];
    (void)snprintf(certificate, sizeof(certificate), "%s/%s/node.pem", world.dir, node);
    (void)snprintf(key, sizeof(key), "%s/%s/node.key", world.dir, node);
    CHECK_OK(&diag, credential_load(certificate, key, world.now_us, &diag, &credential));
    return credential;
}

static struct trust *
load_trust(const char *ca)
{
    struct trust *loaded = NULL;
    struct diag diag = {0};
    CHECK_OK(&diag, trust_load(path_of(ca), NULL, &diag, &loaded));
    return loaded;
}

static SSL_CTX *
make_server(const struct credential *credential, const struct trust *clients)
{
    SSL_CTX *context = NULL;
    struct diag diag = {0};
    CHECK_OK(&diag, tls_server_context(credential, clients, 0, &diag, &context));
    return context;
}

static void
test_make_all(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    test_make_world();
    red = load_credential("red");
    blue = load_credential("blue");
    green = load_credential("green");
    trust = load_trust("ca/ca.pem");
    other_trust = load_trust("other-ca/ca.pem");
    good = make_server(blue, trust);
    foreign = make_server(green, trust);
    strict = make_server(blue, other_trust);
}

static void
test_free_all(void)
{
    SSL_CTX_free(good);
    SSL_CTX_free(foreign);
    SSL_CTX_free(strict);
    trust_free(trust);
    trust_free(other_trust);
    credential_free(red);
    credential_free(blue);
    credential_free(green);
}

/* ---- a line of the test's ---- */

struct call {
    struct collector collector;
    struct out_wait wait;
    struct syslog_line *line;
};

/* The one at a time; large. */
static struct call call;

static void
start(SSL_CTX *context)
{
    struct diag diag = {0};
    memset(&call, 0, sizeof(call));
    call.collector.context = context;
    atomic_store(&call.collector.reset_after, -1);
    collector_start(&call.collector);
    CHECK_OK(&diag, out_wait_init(&call.wait, clock_system(), &diag));
    call.wait.deadline_us = clock_mono_us(clock_system()) + UNIT_PATIENCE_S * US_PER_S;
}

static void
make_line(const char *host, const char *name, bool is_udp)
{
    struct diag diag = {0};
    const struct syslog_target target = {host, call.collector.port, is_udp ? NULL : trust, red,
                                         name};
    CHECK_OK(&diag, syslog_line_new(&target, &diag, &call.line));
}

static void
finish(void)
{
    syslog_line_free(call.line);
    out_wait_done(&call.wait);
    collector_stop(&call.collector);
    collector_done(&call.collector);
}

static struct status
send_text(const char *text, struct diag *diag)
{
    TRY(syslog_line_send(call.line, &call.wait, span_of_cstr(text), diag));
    return syslog_line_flush(call.line, &call.wait, diag);
}

/* ---- refusals ---- */

static void
check_open_refused(SSL_CTX *context, const char *host, const char *name, enum err want,
                   const char *says)
{
    struct diag diag = {0};
    start(context);
    make_line(host, name, false);
    CHECK_ERR(&diag, want, syslog_line_open(call.line, &call.wait, &diag));
    if (strstr(diag.text, says) == NULL) {
        printf("  '%s' does not say '%s'\n", diag.text, says);
        CU_FAIL("another text");
    }
    CU_ASSERT_EQUAL(syslog_line_fd(call.line), -1);
    finish();
}

static void
test_certificates_refused(void)
{
    check_open_refused(good, "127.0.0.1", "red.example", ERR_PARTNER_TLS, "not for 'red.example'");
    check_open_refused(good, "127.0.0.1", "127.0.0.1", ERR_PARTNER_TLS, "not for '127.0.0.1'");
    check_open_refused(good, "127.0.0.1", "example", ERR_PARTNER_TLS, "not for 'example'");
    check_open_refused(foreign, "127.0.0.1", "green.example", ERR_PARTNER_TLS, "is not trusted");
}

/* Our certificate: TLS 1.3 says so after the handshake, 1.2 in it. */
static void
test_we_are_refused(void)
{
    struct diag diag = {0};
    unsigned looks = 0;
    start(strict);
    make_line("127.0.0.1", "blue.example", false);
    struct status st = syslog_line_open(call.line, &call.wait, &diag);
    while (is_ok(st) && unit_wait(&looks)) {
        st = syslog_line_check(call.line, &diag);
    }
    CU_ASSERT(st.code == ERR_PARTNER_TLS || st.code == ERR_PARTNER_UNREACHABLE);
    CU_ASSERT_EQUAL(atomic_load(&call.collector.messages), 0);
    finish();
}

static void
test_nobody_there(void)
{
    struct diag diag = {0};
    char host[300];
    start(good);
    collector_stop(&call.collector);
    make_line("127.0.0.1", "blue.example", false);
    CHECK_ERR(&diag, ERR_PARTNER_UNREACHABLE, syslog_line_open(call.line, &call.wait, &diag));
    syslog_line_free(call.line);
    memset(host, 'a', sizeof(host));
    host[sizeof(host) - 1] = '\0';
    diag_clear(&diag);
    make_line(host, "blue.example", false);
    CHECK_ERR(&diag, ERR_PARTNER_UNREACHABLE, syslog_line_open(call.line, &call.wait, &diag));
    collector_start(&call.collector);
    finish();
}

/* It takes the connection and says nothing: the deadline ends it, and so does a stop. */
static void
test_handshake_stalls(void)
{
    struct diag diag = {0};
    start(good);
    collector_stop(&call.collector);
    atomic_store(&call.collector.is_stalled, true); /* before it can answer anything */
    collector_start(&call.collector);
    make_line("127.0.0.1", "blue.example", false);
    call.wait.deadline_us = clock_mono_us(clock_system()) + 50 * US_PER_MS;
    CHECK_ERR(&diag, ERR_PARTNER_TIMEOUT, syslog_line_open(call.line, &call.wait, &diag));
    diag_clear(&diag);
    call.wait.deadline_us = INT64_MAX;
    out_wait_stop(&call.wait, clock_mono_us(clock_system()));
    CHECK_ERR(&diag, ERR_SHUTTING_DOWN, syslog_line_open(call.line, &call.wait, &diag));
    finish();
}

/* ---- over TLS ---- */

static void
test_frames(void)
{
    static const char *const texts[] = {"one", "2 two", "\xC3\xA4 \n <a/>", " ", "10 0123456789"};
    struct diag diag = {0};
    start(good);
    make_line("localhost", "localhost", false);
    CHECK_OK(&diag, syslog_line_open(call.line, &call.wait, &diag));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CHECK_OK(&diag, syslog_line_send(call.line, &call.wait, span_of_cstr(texts[i]), &diag));
    }
    CHECK_OK(&diag, syslog_line_check(call.line, &diag));
    CU_ASSERT_TRUE(syslog_line_close(call.line, &call.wait, true)); /* sends what is queued */
    CU_ASSERT_EQUAL_FATAL(atomic_load(&call.collector.messages), ARRAY_LEN(texts));
    for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
        CHECK_SPAN(collector_message(&call.collector, i), texts[i]);
    }
    CU_ASSERT_EQUAL(atomic_load(&call.collector.bad_frames), 0);
    CU_ASSERT_EQUAL(syslog_line_bytes(call.line), 5 + 7 + 11 + 3 + 16);
    finish();
}

static void
test_large_message(void)
{
    struct diag diag = {0};
    struct buf large;
    char *room = NULL;
    const size_t n = (size_t)3 * 1024 * 1024;
    start(good);
    buf_init(&large, n + 1);
    CHECK_OK(&diag, buf_reserve(&large, n, &diag, &room));
    memset(room, 'x', n);
    large.n = n;
    make_line("127.0.0.1", "blue.example", false);
    CHECK_OK(&diag, syslog_line_open(call.line, &call.wait, &diag));
    CHECK_OK(&diag, syslog_line_send(call.line, &call.wait, buf_span(&large), &diag));
    CHECK_OK(&diag, send_text("behind it", &diag));
    CU_ASSERT_TRUE(collector_wait(&call.collector, 2));
    CU_ASSERT_TRUE(span_eq(collector_message(&call.collector, 0), buf_span(&large)));
    CHECK_SPAN(collector_message(&call.collector, 1), "behind it");
    buf_done(&large);
    finish();
}

/* The collector's connection is reset while nothing is sent. */
static void
test_reset_is_seen(void)
{
    struct diag diag = {0};
    struct status st = OK;
    unsigned looks = 0;
    start(good);
    atomic_store(&call.collector.reset_after, 1);
    make_line("127.0.0.1", "blue.example", false);
    CHECK_OK(&diag, syslog_line_open(call.line, &call.wait, &diag));
    CHECK_OK(&diag, send_text("one", &diag));
    while (is_ok(st) && unit_wait(&looks)) {
        st = syslog_line_check(call.line, &diag);
    }
    CHECK_ERR(&diag, ERR_PARTNER_UNREACHABLE, st);
    CU_ASSERT_FALSE(syslog_line_close(call.line, &call.wait, true));
    diag_clear(&diag);
    CHECK_OK(&diag, syslog_line_open(call.line, &call.wait, &diag)); /* once more */
    CHECK_OK(&diag, send_text("two", &diag));
    CU_ASSERT_TRUE(collector_wait(&call.collector, 2));
    finish();
}

/* It reads no more: what the sockets do not take waits until the deadline. */
static void
test_send_stalls(void)
{
    struct diag diag = {0};
    struct status st = OK;
    start(good);
    make_line("127.0.0.1", "blue.example", false);
    CHECK_OK(&diag, syslog_line_open(call.line, &call.wait, &diag));
    CHECK_OK(&diag, send_text("one", &diag));
    CU_ASSERT_TRUE(collector_wait(&call.collector, 1));
    atomic_store(&call.collector.is_stalled, true);
    call.wait.deadline_us = clock_mono_us(clock_system()) + 200 * US_PER_MS;
    for (int i = 0; i < 4000 && is_ok(st); i++) { /* 256 MB: more than any socket holds */
        st = syslog_line_send(call.line, &call.wait, kit_padding((size_t)64 * 1024), &diag);
    }
    CHECK_ERR(&diag, ERR_PARTNER_TIMEOUT, st);
    CU_ASSERT_FALSE(syslog_line_close(call.line, &call.wait, true));
    finish();
}

static void
test_farewell_needs_an_answer(void)
{
    struct diag diag = {0};
    start(good);
    atomic_store(&call.collector.is_rude, true);
    make_line("127.0.0.1", "blue.example", false);
    CHECK_OK(&diag, syslog_line_open(call.line, &call.wait, &diag));
    CHECK_OK(&diag, send_text("one", &diag));
    CU_ASSERT_TRUE(collector_wait(&call.collector, 1));
    CU_ASSERT_FALSE(syslog_line_close(call.line, &call.wait, true));
    finish();
}

/* ---- over UDP ---- */

static void
test_datagrams(void)
{
    struct diag diag = {0};
    struct buf large;
    char *room = NULL;
    start(NULL);
    buf_init(&large, SYSLOG_DATAGRAM_MAX + 1);
    CHECK_OK(&diag, buf_reserve(&large, SYSLOG_DATAGRAM_MAX + 1, &diag, &room));
    memset(room, 'x', SYSLOG_DATAGRAM_MAX + 1);
    large.n = SYSLOG_DATAGRAM_MAX + 1;
    make_line("127.0.0.1", NULL, true);
    CHECK_OK(&diag, syslog_line_open(call.line, &call.wait, &diag));
    CHECK_ERR(&diag, ERR_LIMIT_BUFFER,
              syslog_line_send(call.line, &call.wait, buf_span(&large), &diag));
    diag_clear(&diag);
    large.n = SYSLOG_DATAGRAM_MAX;
    CHECK_OK(&diag, syslog_line_send(call.line, &call.wait, buf_span(&large), &diag));
    CHECK_OK(&diag, send_text("one", &diag));
    CU_ASSERT_TRUE(collector_wait(&call.collector, 2));
    CU_ASSERT_EQUAL(collector_message(&call.collector, 0).n, SYSLOG_DATAGRAM_MAX);
    CHECK_SPAN(collector_message(&call.collector, 1), "one");
    CU_ASSERT_TRUE(syslog_line_close(call.line, &call.wait, true));
    buf_done(&large);
    finish();
}

/* The machine says that nobody listens: with the next look, and it is no silence. */
static void
test_no_datagrams_there(void)
{
    struct diag diag = {0};
    struct status st = OK;
    unsigned looks = 0;
    start(NULL);
    collector_stop(&call.collector);
    make_line("127.0.0.1", NULL, true);
    CHECK_OK(&diag, syslog_line_open(call.line, &call.wait, &diag));
    CHECK_OK(&diag, send_text("one", &diag));
    while (is_ok(st) && unit_wait(&looks)) {
        st = syslog_line_check(call.line, &diag);
    }
    CHECK_ERR(&diag, ERR_PARTNER_UNREACHABLE, st);
    collector_start(&call.collector);
    finish();
}

/* ---- messages ---- */

static void
test_message(void)
{
    const struct audit_source source = {"Red HIE", "2.999.1"};
    struct audit_event event = {.type = AUDIT_NODE_START,
                                .side = AUDIT_RESPONDING,
                                .phase = AUDIT_OUTCOME,
                                .outcome = AUDIT_SUCCESS,
                                .time_us = INT64_C(1795343400250000),
                                .process_id = 7};
    const struct ship_record record = {.chain = "node", .sequence = 42, .event = &event};
    struct diag diag = {0};
    struct buf first;
    struct buf second;
    buf_init(&first, 65536);
    buf_init(&second, 65536);
    CHECK_OK(&diag, ship_syslog_write(&record, &source, "gw1", &first, &diag));
    CU_ASSERT_TRUE(span_starts_with(
        buf_span(&first), SPAN("<85>1 2026-11-22T10:30:00.250Z gw1 isthmus node-42 IHE+RFC-3881 - "
                               "<?xml version=\"1.0\" encoding=\"UTF-8\"?><AuditMessage")));
    CU_ASSERT_TRUE(span_ends_with(buf_span(&first), SPAN("</AuditMessage>")));
    CU_ASSERT_EQUAL(span_find_char(buf_span(&first), '\n'), SPAN_MISSING);
    CHECK_OK(&diag, ship_syslog_write(&record, &source, "gw1", &second, &diag));
    CU_ASSERT_TRUE(span_eq(buf_span(&first), buf_span(&second)));
    buf_reset(&second);
    event.outcome = AUDIT_MINOR;
    CHECK_OK(&diag, ship_syslog_write(&record, &source, "-", &second, &diag));
    CU_ASSERT_TRUE(span_starts_with(buf_span(&second), SPAN("<84>1 2026-11-22T10:30:00.250Z - ")));
    buf_done(&first);
    buf_done(&second);
}

/* ---- the whole ---- */

#define RECORDS 300

struct seen {
    bool has[RECORDS + 1];
    unsigned missing, unequal;
};

/* The number behind "serve-". */
static uint64_t
number_of(struct span message)
{
    static const struct span mark = {" isthmus serve-", sizeof(" isthmus serve-") - 1};
    const size_t at = span_find(message, mark);
    struct span rest = span_slice(message, at + mark.n, message.n);
    struct span number;
    uint64_t value = 0;
    return at != SPAN_MISSING && span_split(&rest, ' ', &number) &&
                   span_to_u64(number, RECORDS, &value)
               ? value
               : 0;
}

/* Everything is there, and copies are equal. */
static void
judge(struct collector *collector, struct seen *seen)
{
    static unsigned first[RECORDS + 1];
    memset(seen, 0, sizeof(*seen));
    for (unsigned i = 0; i < atomic_load(&collector->messages); i++) {
        const struct span message = collector_message(collector, i);
        const uint64_t number = number_of(message);
        if (seen->has[number] && !span_eq(message, collector_message(collector, first[number]))) {
            seen->unequal++;
        }
        if (!seen->has[number]) {
            first[number] = i;
        }
        seen->has[number] = true;
    }
    CU_ASSERT_FALSE(seen->has[0]); /* no message without one */
    for (unsigned i = 1; i <= RECORDS; i++) {
        seen->missing += !seen->has[i];
    }
}

static const struct config *
load_config(bool is_udp, uint16_t port)
{
    struct loaded loaded;
    char line[512];
    (void)snprintf(line, sizeof(line),
                   "audit: {journal: var/audit, repositories: [{%s: '127.0.0.1:%u', name: arr%s}]}",
                   is_udp ? "syslog-udp" : "syslog-tls", (unsigned)port,
                   is_udp ? "" : ", trust: partners, certificate_name: blue.example");
    write_blue(0, NULL);
    write_gold(0, NULL);
    write_main(15, line);
    load(&loaded);
    CHECK_OK(&loaded.diag, loaded.status);
    CU_ASSERT_PTR_NOT_NULL_FATAL(loaded.config);
    const struct config *config = config_ref(loaded.config);
    unload(&loaded);
    return config;
}

struct whole {
    const struct config *config;
    struct journal *journal;
    struct ship_options options;
    struct ship *ship;
};

static void
start_whole(struct whole *whole, const char *folder, bool is_udp)
{
    struct ship_sender *sender = NULL;
    struct diag diag = {0};
    const char *dir = kit_folder(folder);
    whole->config = load_config(is_udp, call.collector.port);
    whole->journal = kit_open(dir, KIT_SIZES);
    whole->options = kit_ship_options(dir, whole->journal);
    CHECK_OK(&diag,
             ship_syslog_new(whole->config, whole->config->audit_repositories, &diag, &sender));
    whole->ship = kit_ship(&whole->options, sender);
}

static void
end_whole(struct whole *whole)
{
    kit_ship_end(whole->ship);
    journal_close(whole->journal);
    config_unref(whole->config);
    finish();
}

/* Each third of the records meets another misfortune. */
static void
test_nothing_is_lost(void)
{
    struct whole whole;
    struct seen seen;
    unsigned looks = 0;
    start(good);
    start_whole(&whole, "syslog-tls", false);
    atomic_store(&call.collector.reset_after, 40); /* resets in the middle */
    kit_fill(whole.journal, 1, 100);
    CU_ASSERT_TRUE(collector_wait(&call.collector, 100));
    collector_stop(&call.collector); /* killed, and back at the same port */
    kit_fill(whole.journal, 101, 200);
    collector_start(&call.collector);
    atomic_store(&call.collector.reset_after, 150);
    kit_fill(whole.journal, 201, RECORDS);
    do {
        judge(&call.collector, &seen);
    } while (seen.missing > 0 && unit_wait(&looks));
    CU_ASSERT_EQUAL(seen.missing, 0);
    CU_ASSERT_EQUAL(seen.unequal, 0);
    CU_ASSERT_EQUAL(atomic_load(&call.collector.bad_frames), 0);
    kit_ship_end(whole.ship); /* its farewell is answered: */
    struct ship_sender *sender = NULL;
    struct diag diag = {0};
    const unsigned before = atomic_load(&call.collector.messages);
    CHECK_OK(&diag,
             ship_syslog_new(whole.config, whole.config->audit_repositories, &diag, &sender));
    whole.ship = kit_ship(&whole.options, sender);
    kit_fill(whole.journal, RECORDS + 1, RECORDS + 1);
    CU_ASSERT_TRUE(collector_wait(&call.collector, before + 1));
    end_whole(&whole);
}

static void
test_datagrams_whole(void)
{
    struct whole whole;
    struct seen seen;
    start(NULL);
    start_whole(&whole, "syslog-udp", true);
    kit_fill(whole.journal, 1, RECORDS);
    CU_ASSERT_TRUE(collector_wait(&call.collector, RECORDS));
    judge(&call.collector, &seen);
    CU_ASSERT_EQUAL(seen.missing, 0);
    end_whole(&whole);
}

/* A record that no datagram holds: said, counted, and the next ones go on. */
static void
test_too_large_for_udp(void)
{
    struct whole whole;
    struct diag diag = {0};
    struct ship_state state;
    start(NULL);
    start_whole(&whole, "syslog-large", true);
    CHECK_OK(&diag, kit_append_wait(whole.journal, 1, 10, &diag));
    CHECK_OK(&diag, kit_append_wait(whole.journal, 2, (size_t)60 * 1024, &diag));
    CHECK_OK(&diag, kit_append_wait(whole.journal, 3, 10, &diag));
    CU_ASSERT_TRUE(collector_wait(&call.collector, 2));
    CU_ASSERT_EQUAL(number_of(collector_message(&call.collector, 1)), 3);
    unsigned looks = 0;
    do {
        ship_read_state(whole.ship, &state);
    } while (state.delivered < 3 && unit_wait(&looks));
    CU_ASSERT_EQUAL(state.refused, 1);
    end_whole(&whole);
}

static const struct unit_test tests[] = {
    {"make files and certificates", test_make_all},
    {"certificates that are refused", test_certificates_refused},
    {"we are refused", test_we_are_refused},
    {"nobody there", test_nobody_there},
    {"a handshake that stalls", test_handshake_stalls},
    /* REQ: ITI20-syslog */
    {"frames", test_frames},
    {"a large message", test_large_message},
    {"a reset is seen", test_reset_is_seen},
    {"sending stalls", test_send_stalls},
    {"a farewell needs an answer", test_farewell_needs_an_answer},
    {"datagrams", test_datagrams},
    {"no datagrams there", test_no_datagrams_there},
    /* REQ: ITI20-syslog */
    {"a message", test_message},
    {"nothing is lost over TLS", test_nothing_is_lost},
    {"datagrams, the whole", test_datagrams_whole},
    {"too large for UDP", test_too_large_for_udp},
    {"free", test_free_all},
};

UNIT_MAIN("syslog", tests)
