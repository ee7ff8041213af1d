/*
 * The numbers of the outbound engine's sockets: libcurl closes a socket whose handshake is not done
 * without a word, and the number is another socket's at once. epoll must not be told of a number
 * that is not the engine's, and the new socket must be watched. The program has an epoll_ctl and a
 * getaddrinfo of its own, which the engine calls instead of the system's; connections are real.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "tests/unit/out_fixture.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 6\r\n\r\nanswer"
#define SAN       "identity: san, names: [server.example]"
#define LOCAL     "addresses: local\nlimits: {failures: 1000}\n"

/* ---- epoll ---- */

static atomic_size_t told, told_wrongly;

/* Counts what the kernel finds wrong: a number that is closed, or not the socket that was added. */
int
epoll_ctl(int epoll_fd, int what, int fd, struct epoll_event *event)
{
    typedef int control(int, int, int, struct epoll_event *);
    static control *_Atomic real;
    if (real == NULL) {
        void *found = dlsym(RTLD_NEXT, "epoll_ctl");
        control *function = NULL;
        memcpy(&function, &found, sizeof(function));
        real = function;
    }
    const int result = real(epoll_fd, what, fd, event);
    const int error = errno;
    (void)atomic_fetch_add(&told, 1);
    if (result != 0 && (error == EBADF || error == ENOENT)) {
        (void)atomic_fetch_add(&told_wrongly, 1);
    }
    errno = error;
    return result;
}

static void
check_told(const char *when)
{
    const size_t wrongly = atomic_exchange(&told_wrongly, 0);
    CU_ASSERT(atomic_exchange(&told, 0) > 0);
    if (wrongly > 0) {
        printf("\n    %s: epoll was told of %zu numbers that were not the engine's", when, wrongly);
        CU_FAIL("see above");
    }
}

/* ---- a name with two addresses ---- */

static struct sockaddr_in addresses[2];
static struct addrinfo entries[2];

int
getaddrinfo(const char *node, const char *port, const struct addrinfo *hints,
            struct addrinfo **ret_list)
{
    static const char *const texts[] = {"127.0.0.2", "127.0.0.1"};
    (void)node;
    (void)port;
    (void)hints;
    for (size_t i = 0; i < 2; i++) {
        addresses[i] = (struct sockaddr_in){.sin_family = AF_INET};
        (void)inet_pton(AF_INET, texts[i], &addresses[i].sin_addr);
        entries[i] = (struct addrinfo){.ai_family = AF_INET,
                                       .ai_addr = (struct sockaddr *)&addresses[i],
                                       .ai_addrlen = sizeof(addresses[i]),
                                       .ai_next = i == 0 ? &entries[1] : NULL};
    }
    *ret_list = &entries[0];
    return 0;
}

void
freeaddrinfo(struct addrinfo *list)
{
    (void)list;
}

/* ---- listeners with no room ---- */

/* A listener that takes no connection more: the kernel drops whoever comes, who tries again after a
 * second. */
struct full {
    int fd, guest;
};

static int
socket_of(const char *address, uint16_t port, struct sockaddr_in *ret_address)
{
    *ret_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    (void)inet_pton(AF_INET, address, &ret_address->sin_addr);
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static bool
fill(struct full *full, const char *address, uint16_t port)
{
    struct sockaddr_in at;
    full->guest = socket_of(address, port, &at);
    return listen(full->fd, 0) == 0 &&
           connect(full->guest, (struct sockaddr *)&at, sizeof(at)) == 0;
}

static bool
full_open(struct full *full, const char *address, uint16_t port)
{
    struct sockaddr_in at;
    full->fd = socket_of(address, port, &at);
    return bind(full->fd, (struct sockaddr *)&at, sizeof(at)) == 0 && fill(full, address, port);
}

static void
full_close(struct full *full)
{
    (void)close(full->guest);
    (void)close(full->fd);
}

/* ---- tests ---- */

static size_t
descriptors(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 1024; fd++) {
        n += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    }
    return n;
}

static bool
start(struct peer *peer, enum peer_manner manner)
{
    const bool is_started =
        peer_start(peer, manner, fixture_pki()->server, fixture_pki()->trust, TLS1_3_VERSION);
    peer->answer = OK_ANSWER;
    return is_started;
}

/* However a handshake ends, epoll hears of the socket while it is open, and nothing is left. */
static void
test_ends(void)
{
    static const struct {
        const char *what, *tls, *timeout;
        enum peer_manner manner;
        bool is_away;
        enum err error;
    } rows[] = {
        {"nobody listens", SAN, PATIENT, PEER_ANSWERS, true, ERR_PARTNER_UNREACHABLE},
        {"silence before the handshake", SAN, "1s", PEER_SILENT_TCP, false, ERR_PARTNER_TIMEOUT},
        {"another's certificate", "identity: san, names: [blue.example]", PATIENT, PEER_ANSWERS,
         false, ERR_PARTNER_TLS},
        {"silence after the handshake", SAN, "2s", PEER_SILENT, false, ERR_PARTNER_TIMEOUT},
        {"an answer", SAN, PATIENT, PEER_ANSWERS, false, ERR_NONE},
        {"an answer and the end", SAN, PATIENT, PEER_ANSWERS_ONCE, false, ERR_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer peer;
        struct calls calls;
        (void)fixture_pki();
        const size_t before = descriptors();
        CU_ASSERT_FATAL(start(&peer, rows[i].manner));
        const uint16_t port = rows[i].is_away ? 1 : peer.port;
        const struct out_partner partner = {"127.0.0.1", port, rows[i].tls, rows[i].timeout, NULL};
        CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
        CU_ASSERT(calls_expect(&calls, 0, rows[i].error, ""));
        if (rows[i].manner == PEER_ANSWERS_ONCE) {
            CU_ASSERT(peer_wait_closed(&peer));
        }
        (void)usleep(200 * 1000); /* what the peer closes is seen */
        CU_ASSERT(calls_expect(&calls, 0, rows[i].error, ""));
        check_told(rows[i].what);
        calls_done(&calls);
        check_told(rows[i].what);
        peer_stop(&peer);
        CU_ASSERT_EQUAL(descriptors(), before);
    }
}

/* Withdrawn in the middle of a handshake. */
static void
test_withdrawn(void)
{
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(start(&peer, PEER_SILENT_TCP));
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    for (size_t i = 0; i < 5; i++) {
        struct out_request request;
        out_request_init(&request);
        request.partner = &calls.config->partners[0];
        request.url = request.partner->query_url;
        request.answer_limit = 1000;
        request.ticket = out_next_ticket();
        const uint64_t ticket = request.ticket;
        request_say(&request, "question");
        calls.out->submit(calls.out, &request, calls_keep, &calls);
        for (unsigned looks = 0; atomic_load(&peer.connections) <= i && unit_wait(&looks);) {
        }
        calls.out->cancel(calls.out, ticket);
        CU_ASSERT(calls_wait(&calls, i + 1));
        CU_ASSERT_EQUAL(calls.answers[i].error, ERR_CANCELLED);
    }
    check_told("withdrawn");
    calls_done(&calls);
    peer_stop(&peer);
}

/* The first address does not answer; curl gives it up for the second, whose socket gets the same
 * number. That one's connection comes up later: it must be seen then, not at the end of all time.
 */
static void
check_second_address(bool is_refused)
{
    struct peer peer;
    struct full first, second;
    struct calls calls;
    CU_ASSERT_FATAL(start(&peer, PEER_ANSWERS));
    atomic_store(&peer.is_full, true);
    (void)usleep(200 * 1000); /* it sleeps now instead of accepting */
    second.fd = peer.fd;
    CU_ASSERT_FATAL(full_open(&first, "127.0.0.2", peer.port));
    CU_ASSERT_FATAL(fill(&second, "127.0.0.1", peer.port));
    const struct out_partner partner = {"two.test", peer.port, SAN, "12s", LOCAL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    calls_ask(&calls, 0, NULL, "question", INT64_MAX);
    if (is_refused) {
        (void)usleep(300 * 1000);
        full_close(&first); /* the next SYN, a second after the first one, is refused */
        (void)usleep(1200 * 1000);
    } else {
        (void)usleep(6300 * 1000); /* half of its time is the first address's */
    }
    CU_ASSERT_EQUAL(calls.n, 0);
    atomic_store(&peer.is_full, false);
    CU_ASSERT(calls_wait(&calls, 1));
    if (!call_is_answer(&calls.answers[0], 200, "answer")) {
        printf("\n    %s: %s", err_name(calls.answers[0].error), calls.answers[0].detail);
        CU_FAIL("see above");
    }
    CU_ASSERT_STRING_EQUAL(calls.answers[0].peer_address, "127.0.0.1");
    check_told("same number");
    calls_done(&calls);
    (void)close(second.guest);
    if (!is_refused) {
        full_close(&first);
    }
    peer_stop(&peer);
}

static void
test_silent_then_second(void)
{
    check_second_address(false);
}

static void
test_refused_then_second(void)
{
    check_second_address(true);
}

/* One descriptor is left, and a connection that is not up takes two: this question fails, the
 * others of the partner do not. */
static void
test_no_descriptors(void)
{
    struct rlimit before, few;
    struct peer peer;
    struct calls calls;
    CU_ASSERT_FATAL(start(&peer, PEER_ANSWERS_ONCE));
    const struct out_partner partner = {"127.0.0.1", peer.port, SAN, PATIENT, NULL};
    CU_ASSERT_FATAL(calls_start(&calls, &partner, 1));
    CU_ASSERT(calls_expect(&calls, 0, ERR_NONE, ""));
    CU_ASSERT(peer_wait_closed(&peer));
    (void)usleep(300 * 1000); /* the peer's end has come and gone */
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    const int next = fcntl(0, F_DUPFD_CLOEXEC, 0);
    CU_ASSERT_FATAL(next >= 0);
    (void)close(next);
    few = before;
    few.rlim_cur = (rlim_t)next; /* the kept connection's will be given back */
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &few), 0);
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_UNREACHABLE, "LimitNOFILE"));
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    CU_ASSERT(calls_expect(&calls, 0, ERR_NONE, ""));
    check_told("no descriptors");
    calls_done(&calls);
    peer_stop(&peer);
}

static const struct unit_test tests[] = {
    {"every end of a connection", test_ends},
    {"withdrawn in the handshake", test_withdrawn},
    {"a second address after a silent one", test_silent_then_second},
    {"a second address after one that refuses", test_refused_then_second},
    {"no descriptors", test_no_descriptors},
};

UNIT_MAIN("out_sockets", tests)
