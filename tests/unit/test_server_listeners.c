/*
 * Listeners that come, go and move while the server runs, sockets that were open before it
 * (systemd), a stop that is hurried, and a flood of handshakes: with real sockets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "tests/unit/net_fixture.h"

/* ---- addresses ---- */

struct place {
    char host[200];
    char text[240];
    uint16_t port;
};

/* A loopback socket that listens at a port of the kernel's choice. */
static int
listen_somewhere(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&address, n) == 0 &&
                    listen(fd, 100) == 0 && getsockname(fd, (struct sockaddr *)&address, &n) == 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void
at_port(struct place *place, uint16_t port)
{
    *place = (struct place){.host = "127.0.0.1", .port = port};
    (void)snprintf(place->text, sizeof(place->text), "127.0.0.1:%u", port);
}

/* A port that is free now. */
static void
at_free_port(struct place *place)
{
    uint16_t port = 0;
    (void)close(listen_somewhere(&port));
    at_port(place, port);
}

static void
at_path(struct place *place, const char *name)
{
    *place = (struct place){.port = 0};
    (void)snprintf(place->host, sizeof(place->host), "unix:%s/%s", unit_temp_dir(), name);
    (void)snprintf(place->text, sizeof(place->text), "%s", place->host);
}

/* Mutual TLS, or plain. */
static void
set(struct config_listener *listener, const struct place *place, bool has_tls)
{
    *listener = (struct config_listener){
        .is_set = true,
        .address = {.host = place->host, .port = place->port, .text = place->text},
        .credential = has_tls ? fixture_pki()->server : NULL,
        .trust = has_tls ? fixture_pki()->trust : NULL,
    };
}

static bool
reload(struct rig *rig)
{
    struct diag diag = {.code = ERR_NONE};
    rig->config.generation++;
    return CHECK_OK(&diag, net_reload(rig->server, &rig->options, &diag));
}

static void
start_at(struct rig *rig, const struct place *place)
{
    rig_init(rig);
    rig->config.generation = 1;
    set(&rig->config.network, place, true);
    CU_ASSERT_FATAL(rig_start(rig));
}

static bool
is_served_plainly(const struct place *place)
{
    struct client client;
    const bool is_open = place->port != 0 ? client_open(&client, "127.0.0.1", place->port)
                                          : client_open_unix(&client, place->host + 5);
    const bool is = is_open && client_exchange(&client, POST_ABC, 200, "abc");
    if (is_open) {
        client_close(&client);
    }
    return is;
}

static bool
is_served_by_tls(const struct place *place)
{
    struct client client;
    if (!client_open(&client, "127.0.0.1", place->port) ||
        !client_start_tls(&client, fixture_pki()->client, fixture_pki()->trust, TLS1_3_VERSION)) {
        return false;
    }
    const bool is = client_exchange(&client, POST_ABC, 200, "abc");
    client_close(&client);
    return is;
}

static bool
is_open(const struct place *place)
{
    struct client client;
    const bool is = place->port != 0 ? client_open(&client, "127.0.0.1", place->port)
                                     : client_open_unix(&client, place->host + 5);
    if (is) {
        client_close(&client);
    }
    return is;
}

/* ---- come, go, move ---- */

static void
test_come_and_go(void)
{
    struct rig rig;
    struct place network, admin, local;
    struct client idle, stays;
    at_free_port(&network);
    at_free_port(&admin);
    at_path(&local, "local.sock");
    start_at(&rig, &network);
    CU_ASSERT_FATAL(rig_connect(&rig, &stays));
    set(&rig.config.admin, &admin, false);
    set(&rig.config.local, &local, false);
    CU_ASSERT(reload(&rig));
    CU_ASSERT(is_served_plainly(&admin) && is_served_plainly(&local));
    CU_ASSERT_EQUAL(net_port(rig.server, NET_ADMIN), admin.port);
    /* gone again: who is idle there is closed, its socket file is removed */
    CU_ASSERT_FATAL(client_open(&idle, "127.0.0.1", admin.port));
    CU_ASSERT(client_exchange(&idle, POST_ABC, 200, "abc"));
    rig.config.admin.is_set = false;
    rig.config.local.is_set = false;
    CU_ASSERT(reload(&rig));
    CU_ASSERT(client_is_at_end(&idle));
    client_close(&idle);
    CU_ASSERT(!is_open(&admin) && !is_open(&local));
    CU_ASSERT(access(local.host + 5, F_OK) != 0);
    CU_ASSERT_EQUAL(net_port(rig.server, NET_ADMIN), 0);
    CU_ASSERT(client_exchange(&stays, POST_ABC, 200, "abc"));
    client_close(&stays);
    rig_done(&rig);
}

/* To another port: connections stay, also one that is being answered. */
static void
test_moves(void)
{
    struct rig rig;
    struct place first, second;
    struct client idle, waiting;
    at_free_port(&first);
    at_free_port(&second);
    start_at(&rig, &first);
    CU_ASSERT_FATAL(rig_connect(&rig, &idle));
    CU_ASSERT(client_exchange(&idle, POST_ABC, 200, "abc"));
    rig.holds = true;
    CU_ASSERT_FATAL(rig_connect(&rig, &waiting));
    CU_ASSERT(client_send(&waiting, SPAN(POST_ABC)));
    struct net_request *request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    set(&rig.config.network, &second, true);
    CU_ASSERT(reload(&rig));
    rig.holds = false;
    CU_ASSERT_EQUAL(net_port(rig.server, NET_NETWORK), second.port);
    CU_ASSERT(!is_open(&first) && is_served_by_tls(&second));
    rig_answer(request, 200, "held");
    CU_ASSERT(client_exchange(&waiting, "", 200, "held"));
    CU_ASSERT(client_exchange(&idle, POST_ABC, 200, "abc"));
    client_close(&idle);
    client_close(&waiting);
    rig_done(&rig);
}

/* Two change places: neither address is ever closed. */
static void
test_change_places(void)
{
    struct rig rig;
    struct place port, path;
    at_free_port(&port);
    at_path(&path, "swap.sock");
    rig_init(&rig);
    rig.config.generation = 1;
    rig.config.network.is_set = false;
    set(&rig.config.admin, &port, false);
    set(&rig.config.local, &path, false);
    CU_ASSERT_FATAL(rig_start(&rig));
    set(&rig.config.local, &port, false);
    set(&rig.config.admin, &path, false);
    CU_ASSERT(reload(&rig));
    CU_ASSERT(is_served_plainly(&port) && is_served_plainly(&path));
    CU_ASSERT_EQUAL(net_port(rig.server, NET_LOCAL), port.port);
    CU_ASSERT_EQUAL(net_port(rig.server, NET_ADMIN), 0);
    rig_done(&rig);
    CU_ASSERT(access(path.host + 5, F_OK) != 0);
}

/* TLS at the same address: who speaks as before may not go on. */
static void
test_tls_comes_and_goes(void)
{
    struct rig rig;
    struct place place, admin;
    struct client client;
    at_free_port(&place);
    at_free_port(&admin);
    start_at(&rig, &place);
    set(&rig.config.admin, &admin, false);
    CU_ASSERT(reload(&rig));
    CU_ASSERT_FATAL(client_open(&client, "127.0.0.1", admin.port));
    CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc"));
    set(&rig.config.admin, &admin, true);
    CU_ASSERT(reload(&rig));
    CU_ASSERT(client_is_at_end(&client));
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_SHUTTING_DOWN));
    client_close(&client);
    CU_ASSERT(is_served_by_tls(&admin));
    set(&rig.config.admin, &admin, false);
    CU_ASSERT(reload(&rig));
    CU_ASSERT(is_served_plainly(&admin));
    rig_done(&rig);
}

static void
test_refused(void)
{
    struct rig rig;
    struct place place, other, taken;
    struct diag diag = {.code = ERR_NONE};
    uint16_t port = 0;
    const int fd = listen_somewhere(&port);
    const struct place everywhere = {.host = "0.0.0.0", .text = "0.0.0.0:9", .port = 9};
    at_port(&taken, port);
    at_free_port(&place);
    at_free_port(&other);
    start_at(&rig, &place);
    /* one new socket is there already when the other fails */
    set(&rig.config.local, &other, false);
    set(&rig.config.admin, &taken, false);
    CHECK_ERR(&diag, ERR_IO, net_reload(rig.server, &rig.options, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, taken.text));
    CU_ASSERT(!is_open(&other));
    set(&rig.config.admin, &everywhere, false);
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_CONFIG, net_reload(rig.server, &rig.options, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "others could reach it"));
    CU_ASSERT(!is_open(&other) && is_served_by_tls(&place));
    CU_ASSERT_EQUAL(net_port(rig.server, NET_ADMIN), 0);
    /* the failed one was no half of a change: the same again, with a free address, is taken */
    (void)close(fd);
    set(&rig.config.admin, &taken, false);
    CU_ASSERT(reload(&rig));
    CU_ASSERT(is_served_plainly(&other) && is_served_plainly(&taken));
    rig_done(&rig);
}

/* ---- sockets that were there before ---- */

static int
listen_at_path(const struct place *place)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", place->host + 5);
    CU_ASSERT_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                    listen(fd, 10) == 0);
    return fd;
}

/* By name and by address; what waits in one when the server ends is the next server's. */
static void
test_inherited(void)
{
    struct rig rig;
    struct place network, local;
    struct client waiting;
    uint16_t port = 0;
    struct net_inherited inherited[] = {{"network", listen_somewhere(&port)}, {"x.socket", -1}};
    at_port(&network, port);
    at_path(&local, "inherited.sock");
    inherited[1].fd = listen_at_path(&local);
    for (int i = 0; i < 2; i++) {
        rig_init(&rig);
        rig.config.generation = 1;
        set(&rig.config.network, &network, true);
        set(&rig.config.local, &local, false);
        rig.options.inherited = inherited;
        rig.options.inherited_n = 2;
        CU_ASSERT_FATAL(rig_start(&rig));
        if (i == 1) { /* it waited while no server was there */
            CU_ASSERT(client_exchange(&waiting, POST_ABC, 200, "abc"));
            client_close(&waiting);
        }
        CU_ASSERT(is_served_by_tls(&network) && is_served_plainly(&local));
        CU_ASSERT_EQUAL(net_port(rig.server, NET_NETWORK), port);
        CU_ASSERT(reload(&rig));
        CU_ASSERT(is_served_by_tls(&network) && is_served_plainly(&local));
        rig_done(&rig);
        if (i == 0) {
            CU_ASSERT_FATAL(client_open_unix(&waiting, local.host + 5));
        }
    }
    CU_ASSERT(access(local.host + 5, F_OK) == 0); /* not ours to remove */
    (void)close(inherited[0].fd);
    (void)close(inherited[1].fd);
}

/* Another address than the configuration's, twice the same, not a socket, a socket that does not
 * listen; and one that would have to move. */
static void
test_inherited_mistakes(void)
{
    struct rig rig;
    struct place place, other;
    uint16_t port = 0;
    const int fd = listen_somewhere(&port);
    const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int deaf = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    at_port(&place, port);
    at_free_port(&other);
    const struct {
        const struct place *place;
        size_t n;
        struct net_inherited inherited[2];
        const char *text;
    } rows[] = {
        {&other, 1, {{"network", fd}}, "make ListenStream="},
        {&other, 1, {{"isthmus.socket", fd}}, "which is no address of listen.network"},
        {&place, 1, {{"local", fd}}, "listen.local is not configured"},
        {&place, 2, {{"network", fd}, {"again", fd}}, "two inherited sockets"},
        {&place, 1, {{"network", file}}, "Socket operation on non-socket"},
        {&place, 1, {{"network", deaf}}, "stream socket that listens"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag = {.code = ERR_NONE};
        struct net_server *server = NULL;
        rig_init(&rig);
        set(&rig.config.network, rows[i].place, true);
        rig.options.inherited = rows[i].inherited;
        rig.options.inherited_n = rows[i].n;
        CHECK_ERR(&diag, ERR_CONFIG, net_start(&rig.options, &diag, &server));
        if (strstr(diag.text, rows[i].text) == NULL) {
            printf("\n    row %zu: wanted '%s' in: %s", i, rows[i].text, diag.text);
            CU_FAIL("another text");
        }
        rig_done(&rig);
    }
    const struct net_inherited one = {"network", fd};
    struct diag diag = {.code = ERR_NONE};
    rig_init(&rig);
    rig.config.generation = 1;
    set(&rig.config.network, &place, true);
    rig.options.inherited = &one;
    rig.options.inherited_n = 1;
    CU_ASSERT_FATAL(rig_start(&rig));
    set(&rig.config.network, &other, true);
    CHECK_ERR(&diag, ERR_CONFIG, net_reload(rig.server, &rig.options, &diag));
    CU_ASSERT(is_served_by_tls(&place) && !is_open(&other));
    rig_done(&rig);
    (void)close(fd);
    (void)close(file);
    (void)close(deaf);
}

/* ---- hurry ---- */

static void *
hurry_soon(void *arg)
{
    struct rig *rig = arg;
    (void)usleep(100000);
    net_hurry(rig->server);
    net_hurry(rig->server);
    return NULL;
}

/* A stop that would wait for an hour ends at once: else the program is ended. */
static void
test_hurry(void)
{
    for (int i = 0; i < 2; i++) {
        struct rig rig;
        struct client client;
        pthread_t thread;
        rig_init(&rig);
        rig.holds = true;
        CU_ASSERT_FATAL(rig_start(&rig));
        CU_ASSERT_FATAL(rig_connect(&rig, &client));
        CU_ASSERT(client_send(&client, SPAN(POST_ABC)));
        struct net_request *request = rig_take(&rig);
        CU_ASSERT_PTR_NOT_NULL_FATAL(request);
        if (i == 0) {
            CU_ASSERT_FATAL(pthread_create(&thread, NULL, hurry_soon, &rig) == 0);
        } else {
            net_hurry(rig.server);
        }
        net_stop(rig.server, clock_mono_us(clock_system()) + 3600 * US_PER_S);
        if (i == 0) {
            (void)pthread_join(thread, NULL);
        }
        rig_answer(request, 200, "too late");
        client_close(&client);
        rig_done(&rig);
    }
}

/* ---- many handshakes ---- */

#define SILENT 200
#define FLOOD  100

/* The server has not ended it. */
static bool
is_kept(const struct client *client)
{
    char byte = 0;
    return recv(client->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

static void
open_silent(struct rig *rig, struct client silent[SILENT])
{
    for (size_t i = 0; i < SILENT; i++) {
        CU_ASSERT_FATAL(client_open(&silent[i], "127.0.0.1", net_port(rig->server, NET_NETWORK)));
    }
}

/* Clients that say nothing cost a connection, and keep nobody waiting; a hundred first messages at
 * once are begun in turns, and who is known is served meanwhile. */
static void
test_flood(void)
{
    static const char hello[] = "\x16\x03\x01\x40"; /* the beginning of a record */
    struct rig rig;
    static struct client silent[SILENT], flood[FLOOD];
    struct client known, fresh;
    rig_init(&rig);
    rig.options.loop_threads = 1;
    rig.options.handshake_timeout_us = 2 * UNIT_PATIENCE_S * US_PER_S;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &known));
    const uint16_t port = net_port(rig.server, NET_NETWORK);
    open_silent(&rig, silent);
    for (size_t i = 0; i < FLOOD; i++) {
        CU_ASSERT_FATAL(client_open(&flood[i], "127.0.0.1", port));
        CU_ASSERT(client_send(&flood[i], span_of(hello, sizeof(hello) - 1)));
    }
    for (int i = 0; i < 50; i++) {
        CU_ASSERT(client_exchange(&known, POST_ABC, 200, "abc"));
    }
    CU_ASSERT_FATAL(rig_connect(&rig, &fresh));
    CU_ASSERT(client_exchange(&fresh, POST_ABC, 200, "abc"));
    for (size_t i = 0; i < FLOOD; i += 2) {
        client_reset(&flood[i]);
    }
    CU_ASSERT(client_exchange(&fresh, POST_ABC, 200, "abc"));
    client_close(&fresh);
    client_close(&known);
    for (size_t i = 0; i < SILENT; i++) { /* nobody waited for the end of their time */
        CU_ASSERT(is_kept(&silent[i]));
        client_close(&silent[i]);
    }
    for (size_t i = 1; i < FLOOD; i += 2) {
        client_close(&flood[i]);
    }
    rig_done(&rig);
}

/* The time of many who say nothing is over in the end. */
static void
test_flood_ends(void)
{
    struct rig rig;
    static struct client silent[SILENT];
    rig_init(&rig);
    rig.options.loop_threads = 1;
    rig.options.handshake_timeout_us = US_PER_S;
    CU_ASSERT_FATAL(rig_start(&rig));
    open_silent(&rig, silent);
    for (size_t i = 0; i < SILENT; i++) {
        CU_ASSERT(client_is_at_end(&silent[i]));
        client_close(&silent[i]);
    }
    CU_ASSERT(rig_wait_refused(&rig, SILENT, ERR_TLS));
    rig_done(&rig);
}

static const struct unit_test tests[] = {
    {"come and go", test_come_and_go},
    {"to another port", test_moves},
    {"two change places", test_change_places},
    {"TLS comes and goes", test_tls_comes_and_goes},
    {"what is refused changes nothing", test_refused},
    {"inherited sockets", test_inherited},
    {"inherited sockets that do not fit", test_inherited_mistakes},
    {"a stop that is hurried", test_hurry},
    {"many handshakes", test_flood},
    {"many handshakes end", test_flood_ends},
};

int
main(void)
{
    const int status = unit_main("server listeners", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
