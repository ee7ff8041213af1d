/*
 * Names: where they may lead, how long an answer is held, what happens when it changes, and that a
 * name service that does not answer delays nobody else. The program has a getaddrinfo of its own,
 * which the engine calls instead of the system's; connections are real.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "out/parts.h"
#include "tests/unit/out_fixture.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 6\r\n\r\nanswer"
#define SAN       "identity: san, names: [server.example]"
#define SECOND    "identity: san, names: [localhost]"
#define LOCAL     "addresses: local\nlimits: {failures: 1000}\n"

/* ---- a name service ---- */

static struct {
    pthread_mutex_t lock;
    const char *addresses; /* of every host below .test: "127.0.0.1 ::1"; "": none */
    int error;
    bool is_held; /* does not answer for hosts below slow.test */
    size_t asked, answered;
} service = {.lock = PTHREAD_MUTEX_INITIALIZER, .addresses = ""};

static void
set_service(const char *addresses, int error, bool is_held)
{
    (void)pthread_mutex_lock(&service.lock);
    service.addresses = addresses;
    service.error = error;
    service.is_held = is_held;
    service.asked = 0;
    service.answered = 0;
    (void)pthread_mutex_unlock(&service.lock);
}

static bool
is_held(const char *node)
{
    (void)pthread_mutex_lock(&service.lock);
    const bool is = service.is_held && strstr(node, "slow.test") != NULL;
    (void)pthread_mutex_unlock(&service.lock);
    return is;
}

static void
release(void)
{
    (void)pthread_mutex_lock(&service.lock);
    service.is_held = false;
    (void)pthread_mutex_unlock(&service.lock);
}

static size_t
times_asked(void)
{
    (void)pthread_mutex_lock(&service.lock);
    const size_t asked = service.asked;
    (void)pthread_mutex_unlock(&service.lock);
    return asked;
}

static size_t
times_answered(void)
{
    (void)pthread_mutex_lock(&service.lock);
    const size_t answered = service.answered;
    (void)pthread_mutex_unlock(&service.lock);
    return answered;
}

static bool
wait_answered(size_t n)
{
    for (unsigned looks = 0; times_answered() < n && unit_wait(&looks);) {
    }
    return times_answered() == n;
}

struct entry {
    struct addrinfo info; /* first member */
    struct sockaddr_storage address;
};

static struct entry *
make_entry(const char *text)
{
    char bracketed[80];
    struct ip ip;
    struct entry *entry = calloc(1, sizeof(*entry));
    (void)snprintf(bracketed, sizeof(bracketed), strchr(text, ':') == NULL ? "%s" : "[%s]", text);
    if (entry == NULL || !ip_read(bracketed, &ip)) {
        free(entry);
        return NULL;
    }
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    memcpy(&v4.sin_addr, ip.bytes, 4);
    memcpy(&v6.sin6_addr, ip.bytes, 16);
    entry->info.ai_family = ip.is_v6 ? AF_INET6 : AF_INET;
    entry->info.ai_addrlen = ip.is_v6 ? sizeof(v6) : sizeof(v4);
    memcpy(&entry->address, ip.is_v6 ? (void *)&v6 : (void *)&v4, entry->info.ai_addrlen);
    entry->info.ai_addr = (struct sockaddr *)&entry->address;
    return entry;
}

int
getaddrinfo(const char *node, const char *port, const struct addrinfo *hints,
            struct addrinfo **ret_list)
{
    char text[256];
    struct addrinfo **end = ret_list;
    (void)port;
    (void)hints;
    (void)pthread_mutex_lock(&service.lock);
    service.asked++;
    const int error = service.error;
    (void)snprintf(text, sizeof(text), "%s",
                   strstr(node, ".test") == NULL ? "127.0.0.1" : service.addresses);
    (void)pthread_mutex_unlock(&service.lock);
    while (is_held(node)) {
        (void)usleep(1000);
    }
    (void)pthread_mutex_lock(&service.lock);
    service.answered++;
    (void)pthread_mutex_unlock(&service.lock);
    *ret_list = NULL;
    struct span rest = span_of_cstr(text), word;
    while (error == 0 && span_split(&rest, ' ', &word)) {
        char one[64];
        (void)snprintf(one, sizeof(one), "%.*s", SPAN_PRINT(word));
        struct entry *entry = make_entry(one);
        if (entry != NULL) {
            *end = &entry->info;
            end = &entry->info.ai_next;
        }
    }
    if (error == 0 && rest.n > 0) {
        char one[64];
        (void)snprintf(one, sizeof(one), "%.*s", SPAN_PRINT(rest));
        struct entry *entry = make_entry(one);
        if (entry != NULL) {
            *end = &entry->info;
        }
    }
    return error != 0 ? error : *ret_list == NULL ? EAI_NONAME : 0;
}

void
freeaddrinfo(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}

/* The <n>th answer, and its way to the engine: until then nobody asks again. */
static void
let_it_arrive(size_t n)
{
    CU_ASSERT(wait_answered(n));
    (void)usleep(100000);
    CU_ASSERT_EQUAL(times_asked(), n);
}

/* ---- a clock that can jump ---- */

static _Atomic int64_t jump_us;

static int64_t
wall(const struct clock *clock)
{
    (void)clock;
    return clock_wall_us(clock_system());
}

static int64_t
mono(const struct clock *clock)
{
    (void)clock;
    return clock_mono_us(clock_system()) + atomic_load(&jump_us);
}

static const struct clock jumping = {wall, mono};

static bool
start_peer(struct peer *peer)
{
    const bool is_started =
        peer_start(peer, PEER_ANSWERS, fixture_pki()->server, fixture_pki()->trust, TLS1_3_VERSION);
    peer->answer = OK_ANSWER;
    return is_started;
}

static bool
start_calls(struct calls *calls, const struct out_partner *partners, size_t n)
{
    struct diag diag = {0};
    if (!calls_start(calls, partners, n)) {
        return false;
    }
    out_stop(calls->out); /* with the system's clock */
    calls->out = NULL;
    return CHECK_OK(&diag, out_start(calls->config, &jumping, &diag, &calls->out));
}

/* ---- kinds of addresses ---- */

static void
test_reach(void)
{
    static const struct {
        const char *address;
        enum reach reach;
    } rows[] = {
        {"0.0.0.0", REACH_NEVER},
        {"0.1.2.3", REACH_NEVER},
        {"169.254.169.254", REACH_NEVER},
        {"192.0.0.8", REACH_NEVER},
        {"224.0.0.1", REACH_NEVER},
        {"239.255.255.255", REACH_NEVER},
        {"240.0.0.1", REACH_NEVER},
        {"255.255.255.255", REACH_NEVER},
        {"[::]", REACH_NEVER},
        {"[fe80::1]", REACH_NEVER},
        {"[febf::1]", REACH_NEVER},
        {"[fec0::1]", REACH_NEVER},
        {"[ff02::1]", REACH_NEVER},
        {"[::127.0.0.1]", REACH_NEVER},
        {"[::ffff:169.254.169.254]", REACH_NEVER},
        {"[64:ff9b::a9fe:a9fe]", REACH_NEVER},
        {"[2002:a9fe:a9fe::1]", REACH_NEVER},
        {"[2001:0:4136:e378:8000:63bf:3fff:fdd2]", REACH_NEVER},
        {"[4000::1]", REACH_NEVER},
        {"127.0.0.1", REACH_LOCAL},
        {"127.255.255.254", REACH_LOCAL},
        {"[::1]", REACH_LOCAL},
        {"[::ffff:127.0.0.1]", REACH_LOCAL},
        {"[64:ff9b::7f00:1]", REACH_LOCAL},
        {"10.0.0.1", REACH_PRIVATE},
        {"100.64.0.1", REACH_PRIVATE},
        {"172.16.0.1", REACH_PRIVATE},
        {"172.31.255.255", REACH_PRIVATE},
        {"192.168.1.1", REACH_PRIVATE},
        {"198.18.0.1", REACH_PRIVATE},
        {"[fc00::1]", REACH_PRIVATE},
        {"[fdff::1]", REACH_PRIVATE},
        {"[::ffff:10.0.0.1]", REACH_PRIVATE},
        {"1.1.1.1", REACH_PUBLIC},
        {"100.63.255.255", REACH_PUBLIC},
        {"100.128.0.1", REACH_PUBLIC},
        {"126.255.255.255", REACH_PUBLIC},
        {"172.15.255.255", REACH_PUBLIC},
        {"172.32.0.1", REACH_PUBLIC},
        {"223.255.255.255", REACH_PUBLIC},
        {"[2001:db8::1]", REACH_PUBLIC},
        {"[2606:4700::1111]", REACH_PUBLIC},
        {"[64:ff9b::101:101]", REACH_PUBLIC},
    };
    static const char *const names[] = {"",          "localhost", "1.2.3",     "1.2.3.4.5", "[]",
                                        "[1.2.3.4]", "[::1",      "256.1.1.1", "0x7f.1",    "::1"};
    struct ip ip;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[IP_TEXT_MAX];
        CU_ASSERT_FATAL(ip_read(rows[i].address, &ip));
        if (ip_reach(&ip) != rows[i].reach) {
            printf("\n    %s: %s", rows[i].address, reach_name(ip_reach(&ip)));
            CU_FAIL("another kind");
        }
        ip_write(&ip, text);
        CU_ASSERT(rows[i].address[0] != '[' ? strcmp(text, rows[i].address) == 0 : text[0] == '[');
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CU_ASSERT_FALSE(ip_read(names[i], &ip));
    }
}

/* ---- where names may lead ---- */

static void
test_forbidden(void)
{
    static const struct {
        const char *addresses, *more, *host;
        enum err want;
        const char *said;
    } rows[] = {
        {"", "", "a.test", ERR_PARTNER_UNREACHABLE, "has no address"},
        {"127.0.0.1", "", "a.test", ERR_PARTNER_UNREACHABLE, "'addresses: local'"},
        {"127.0.0.1", "addresses: private\n", "a.test", ERR_PARTNER_UNREACHABLE,
         "'addresses: local'"},
        {"::1", "addresses: private\n", "a.test", ERR_PARTNER_UNREACHABLE, "this machine"},
        {"10.1.2.3", "", "a.test", ERR_PARTNER_UNREACHABLE, "'addresses: private'"},
        {"192.168.1.1 127.0.0.1", "", "a.test", ERR_PARTNER_UNREACHABLE, "192.168.1.1"},
        {"169.254.169.254", "addresses: local\n", "a.test", ERR_PARTNER_UNREACHABLE,
         "where no partner can be"},
        {"0.0.0.0", "addresses: local\n", "a.test", ERR_PARTNER_UNREACHABLE,
         "where no partner can be"},
        {"224.0.0.1 ::", "addresses: local\n", "a.test", ERR_PARTNER_UNREACHABLE, "multicast"},
        {"", "addresses: local\n", "0.0.0.0", ERR_PARTNER_UNREACHABLE, "where no partner can be"},
        {"169.254.1.1 127.0.0.1", "addresses: local\n", "a.test", ERR_NONE, ""},
        {"127.0.0.1", "addresses: local\n", "A.Test", ERR_NONE, ""},
        {"", "", "127.0.0.1", ERR_NONE, ""},
        {"", "", "localhost", ERR_NONE, ""},
        {"", "", "2130706433", ERR_NONE, ""}, /* curl's reading of 127.0.0.1, and so ours */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer peer;
        struct calls calls;
        CU_ASSERT_FATAL(start_peer(&peer));
        const struct out_partner partner = {rows[i].host, peer.port, SAN, PATIENT, rows[i].more};
        CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
        set_service(rows[i].addresses, 0, false);
        if (!calls_expect(&calls, 0, rows[i].want, rows[i].said)) {
            printf("\n    in row %zu", i);
            CU_FAIL("another result");
        }
        CU_ASSERT_EQUAL(atomic_load(&peer.connections), rows[i].want == ERR_NONE ? 1 : 0);
        CU_ASSERT(times_asked() <= 1); /* and never by curl */
        calls_done(&calls);
        peer_stop(&peer);
    }
}

/* The first that answers counts: nobody listens at 127.0.0.2 and 127.0.0.3. */
static void
test_several(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(start_peer(&peer));
    const struct out_partner partner = {"a.test", peer.port, SAN, PATIENT, LOCAL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    set_service("127.0.0.2 127.0.0.3 127.0.0.1", 0, false);
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 200, "answer"));
    CU_ASSERT_STRING_EQUAL(calls.answers[0].peer_address, "127.0.0.1");
    calls_done(&calls);
    peer_stop(&peer);
}

/* ---- time ---- */

static void
test_held(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(start_peer(&peer));
    const struct out_partner partner = {"a.test", peer.port, SAN, PATIENT, LOCAL};
    CU_ASSERT_FATAL(start_calls(&calls, &partner, 1));
    set_service("127.0.0.1", 0, false);
    for (int i = 0; i < 5; i++) {
        CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 200, "answer"));
    }
    CU_ASSERT_EQUAL(times_asked(), 1);
    /* after a minute it is asked anew, beside the question */
    atomic_fetch_add(&jump_us, 61 * US_PER_S);
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 200, "answer"));
    let_it_arrive(2);
    /* a name service that fails changes nothing for ten minutes */
    set_service("", EAI_AGAIN, false);
    for (size_t i = 0; i < 9; i++) {
        atomic_fetch_add(&jump_us, 61 * US_PER_S);
        CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 200, "answer"));
        let_it_arrive(i + 1);
    }
    atomic_fetch_add(&jump_us, 120 * US_PER_S);
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_UNREACHABLE, "has no address"));
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_UNREACHABLE, "has no address"));
    CU_ASSERT_EQUAL(times_asked(), 10); /* a failure is held, too, for a moment */
    set_service("127.0.0.1", 0, false);
    atomic_fetch_add(&jump_us, 6 * US_PER_S);
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 200, "answer"));
    calls_done(&calls);
    peer_stop(&peer);
}

/* The second answer is another one: nothing is sent to where it leads, and no kept address saves
 * it.
 */
static void
test_rebinding(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(start_peer(&peer));
    const struct out_partner partner = {"a.test", peer.port, SAN, PATIENT, LOCAL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    set_service("127.0.0.1", 0, false);
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 200, "answer"));
    peer_stop(&peer);
    set_service("169.254.169.254", 0, false);
    /* nobody is there any more: the name is asked for anew, and judged */
    const struct out_answer *answer = calls_exchange(&calls, 0, "question");
    CU_ASSERT_EQUAL(answer->error, ERR_PARTNER_UNREACHABLE);
    if (answer->is_stale) { /* the kept connection's end was not known yet */
        answer = calls_exchange(&calls, 0, "question");
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(answer->detail, "check host and port"));
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_UNREACHABLE, "where no partner can be"));
    CU_ASSERT_STRING_EQUAL(calls.answers[calls.n - 1].peer_address, "");
    CU_ASSERT_EQUAL(times_asked(), 1);
    calls_done(&calls);
}

/* ---- a name service that takes its time ---- */

static void
test_slow(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(start_peer(&peer));
    const struct out_partner partners[] = {
        {"a.slow.test", peer.port, SAN, PATIENT, LOCAL},
        {"b.test", peer.port, SECOND, PATIENT, LOCAL},
    };
    CU_ASSERT_FATAL(calls_start(&calls, partners, 2));
    set_service("127.0.0.1", 0, true);
    const int64_t deadline_us = clock_mono_us(clock_system()) + 5 * US_PER_S;
    calls_ask(&calls, 0, NULL, "question", deadline_us);
    calls_ask(&calls, 0, NULL, "question", deadline_us);
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 1, "question"), 200, "answer")); /* first */
    CU_ASSERT(calls_wait(&calls, 3));
    CU_ASSERT_EQUAL(times_answered(), 1); /* and before the name service has spoken */
    for (size_t i = 1; i < 3; i++) {
        CU_ASSERT_EQUAL(calls.answers[i].error, ERR_PARTNER_TIMEOUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(calls.answers[i].detail, "name service"));
    }
    CU_ASSERT_EQUAL(times_asked(), 2); /* one name is asked for once */
    release();
    CU_ASSERT(wait_answered(2));
    CU_ASSERT(call_is_answer(calls_exchange(&calls, 0, "question"), 200, "answer"));
    calls_done(&calls);
    peer_stop(&peer);
}

static void
test_end_while_asking(void)
{
    struct calls calls;
    struct out_request request;
    const struct out_partner partner = {"a.slow.test", 9, SAN, PATIENT, LOCAL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    set_service("127.0.0.1", 0, true);
    out_request_init(&request);
    request.partner = &calls.config->partners[0];
    request.url = request.partner->query_url;
    request.deadline_us = INT64_MAX;
    request.answer_limit = 16;
    request.ticket = out_next_ticket();
    const uint64_t ticket = request.ticket;
    request_say(&request, "x");
    calls.out->submit(calls.out, &request, calls_keep, &calls);
    calls_ask(&calls, 0, NULL, "question", INT64_MAX);
    for (unsigned looks = 0; times_asked() == 0 && unit_wait(&looks);) {
    }
    calls.out->cancel(calls.out, ticket);
    CU_ASSERT(calls_wait(&calls, 1));
    CU_ASSERT_EQUAL(calls.answers[0].error, ERR_CANCELLED);
    out_stop(calls.out); /* does not wait for the name service for ever */
    calls.out = NULL;
    CU_ASSERT_EQUAL(times_answered(), 0);
    CU_ASSERT_EQUAL(calls.n, 2);
    CU_ASSERT_EQUAL(calls.answers[1].error, ERR_SHUTTING_DOWN);
    calls_done(&calls);
    release();
    CU_ASSERT(wait_answered(1));
    (void)usleep(100000); /* the thread that was left behind ends, and frees what it has */
}

static const struct unit_test tests[] = {
    {"kinds of addresses", test_reach},
    {"where names may lead", test_forbidden},
    {"several addresses", test_several},
    {"held for a while", test_held},
    {"rebinding", test_rebinding},
    {"a slow name service", test_slow},
    {"the end while it is asked", test_end_while_asking},
};

int
main(void)
{
    const int status = unit_main("out names", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
