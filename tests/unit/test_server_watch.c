/*
 * net_watch with real sockets: who goes while the handler works is noticed at once, however he
 * goes; what is no going is not taken for one; and after the answer nobody is called any more.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "tests/unit/net_fixture.h"

#define QUIET_US (150 * US_PER_MS) /* long enough for something that must not happen */

static int64_t
cpu_us(void)
{
    struct timespec used;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return used.tv_sec * US_PER_S + used.tv_nsec / 1000;
}

/* Soon: who spins never comes to it. */
static bool
becomes_quiet(void)
{
    for (int i = 0; i < 20; i++) {
        const int64_t before_us = cpu_us();
        (void)usleep(QUIET_US);
        if (cpu_us() - before_us < QUIET_US / 3) {
            return true;
        }
    }
    return false;
}

/* ---- a handler's view ---- */

struct asker {
    struct net_request *request;
    atomic_int gone; /* how often we were told */
    bool answers;    /* from within */
    bool drops;
};

static void
note_gone(void *arg)
{
    struct asker *asker = arg;
    (void)atomic_fetch_add(&asker->gone, 1);
    if (asker->drops) {
        net_drop(asker->request);
    } else if (asker->answers) {
        rig_answer(asker->request, 200, "late");
    }
}

static bool
wait_gone(struct asker *asker)
{
    for (unsigned looks = 0; asker->gone == 0 && unit_wait(&looks);) {
    }
    return asker->gone == 1;
}

/* A client whose request the handler keeps, watched. */
static void
start(struct rig *rig, struct client *client, struct asker *asker)
{
    rig_init(rig);
    rig->holds = true;
    CU_ASSERT_FATAL(rig_start(rig));
    CU_ASSERT_FATAL(rig_connect(rig, client));
    CU_ASSERT(client_send(client, SPAN(POST_ABC)));
    *asker = (struct asker){.request = rig_take(rig)};
    CU_ASSERT_PTR_NOT_NULL_FATAL(asker->request);
}

/* ---- goes ---- */

static void
close_it(struct client *client)
{
    client_close(client);
}

static void
say_goodbye(struct client *client)
{
    (void)SSL_shutdown(client->ssl);
    client_close(client);
}

static void
end_its_side(struct client *client)
{
    (void)shutdown(client->fd, SHUT_WR);
}

/* With the next request behind it, of which nothing is read. */
static void
pipeline_and_reset(struct client *client)
{
    CU_ASSERT(client_send(client, SPAN(POST_ABC)));
    (void)usleep(20000);
    client_reset(client);
}

static const struct {
    const char *name;
    void (*go)(struct client *client);
} ways[] = {
    {"closes", close_it},
    {"closes with close_notify", say_goodbye},
    {"resets", client_reset},
    {"half-closes", end_its_side},
    {"pipelines and resets", pipeline_and_reset},
};

/* Told once, also when the watch begins after the end; nothing spins until the answer. */
static void
check_goes(size_t way, bool is_late)
{
    struct rig rig;
    struct client client;
    struct asker asker;
    start(&rig, &client, &asker);
    if (is_late) {
        ways[way].go(&client);
        (void)usleep(20000);
        net_watch(asker.request, note_gone, &asker);
    } else {
        net_watch(asker.request, note_gone, &asker);
        (void)usleep(20000);
        CU_ASSERT_EQUAL(asker.gone, 0);
        ways[way].go(&client);
    }
    if (!wait_gone(&asker)) {
        printf("\n    '%s' was not noticed (late: %d)", ways[way].name, is_late);
        CU_FAIL("a peer that went is not noticed");
    }
    CU_ASSERT(becomes_quiet());
    CU_ASSERT_STRING_EQUAL(asker.request->path, "/x"); /* it is still ours, peer included */
    CU_ASSERT_PTR_NOT_NULL(asker.request->peer->subject);
    rig_answer(asker.request, 200, "late");
    if (ways[way].go == end_its_side) { /* it may still want the answer */
        CU_ASSERT(client_exchange(&client, "", 200, "late"));
        CU_ASSERT(client_is_at_end(&client));
        client_close(&client);
    }
    rig_done(&rig);
    CU_ASSERT_EQUAL(asker.gone, 1);
}

static void
test_goes(void)
{
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        check_goes(i, false);
        check_goes(i, true);
    }
}

/* on_gone itself gives the request back. */
static void
test_answers_itself(void)
{
    for (int i = 0; i < 2; i++) {
        struct rig rig;
        struct client client;
        struct asker asker;
        start(&rig, &client, &asker);
        asker.answers = i == 0;
        asker.drops = i == 1;
        net_watch(asker.request, note_gone, &asker);
        client_reset(&client);
        CU_ASSERT(wait_gone(&asker));
        rig_done(&rig);
    }
}

/* ---- does not go ---- */

/* Bytes of the next request are no end; and the connection goes on as if nobody had watched. */
static void
test_pipelined(void)
{
    struct rig rig;
    struct client client;
    struct asker asker, next;
    start(&rig, &client, &asker);
    net_watch(asker.request, note_gone, &asker);
    CU_ASSERT(client_send(&client, SPAN(POST_ABC POST_ABC)));
    (void)usleep(QUIET_US);
    CU_ASSERT_EQUAL(asker.gone, 0);
    rig_answer(asker.request, 200, "one");
    CU_ASSERT(client_exchange(&client, "", 200, "one"));
    next = (struct asker){.request = rig_take(&rig)};
    CU_ASSERT_PTR_NOT_NULL_FATAL(next.request);
    net_watch(next.request, note_gone, &next);
    rig_answer(next.request, 200, "two");
    CU_ASSERT(client_exchange(&client, "", 200, "two"));
    struct net_request *third = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(third);
    rig.holds = false;
    rig_answer(third, 200, "three");
    CU_ASSERT(client_exchange(&client, "", 200, "three"));
    CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc"));
    client_close(&client);
    rig_done(&rig);
    CU_ASSERT_EQUAL(asker.gone, 0);
    CU_ASSERT_EQUAL(next.gone, 0);
}

/* Answered before: who goes then is nobody's business. */
static void
test_answered_first(void)
{
    struct rig rig;
    struct client client;
    struct asker asker;
    start(&rig, &client, &asker);
    net_watch(asker.request, note_gone, &asker);
    rig_answer(asker.request, 200, "in time");
    CU_ASSERT(client_exchange(&client, "", 200, "in time"));
    client_reset(&client);
    (void)usleep(QUIET_US);
    rig_done(&rig);
    CU_ASSERT_EQUAL(asker.gone, 0);
}

static void
test_unix(void)
{
    struct rig rig;
    struct client clients[2];
    struct asker askers[2];
    char path[256];
    rig_init(&rig);
    rig.holds = true;
    rig.config.network = (struct config_listener){.is_set = true};
    (void)snprintf(path, sizeof(path), "%s/watch.sock", unit_temp_dir());
    rig.config.network.address.host = path;
    char host[300], text[300];
    (void)snprintf(host, sizeof(host), "unix:%s", path);
    (void)snprintf(text, sizeof(text), "unix:%s", path);
    rig.config.network.address.host = host;
    rig.config.network.address.text = text;
    CU_ASSERT_FATAL(rig_start(&rig));
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_FATAL(client_open_unix(&clients[i], path));
        CU_ASSERT(client_send(&clients[i], SPAN(POST_ABC)));
        askers[i] = (struct asker){.request = rig_take(&rig)};
        CU_ASSERT_PTR_NOT_NULL_FATAL(askers[i].request);
        net_watch(askers[i].request, note_gone, &askers[i]);
    }
    (void)shutdown(clients[0].fd, SHUT_WR);
    client_close(&clients[1]);
    CU_ASSERT(wait_gone(&askers[0]) && wait_gone(&askers[1]));
    for (int i = 0; i < 2; i++) {
        rig_answer(askers[i].request, 200, "late");
    }
    CU_ASSERT(client_exchange(&clients[0], "", 200, "late"));
    client_close(&clients[0]);
    rig_done(&rig);
}

/* ---- the server goes ---- */

/* The deadline of net_stop cuts the connection: whoever works for it may stop; a watch that begins
 * only then is told at once. */
static void
test_stop(void)
{
    struct rig rig;
    struct client client;
    struct asker asker, late;
    start(&rig, &client, &asker);
    struct client other;
    CU_ASSERT_FATAL(rig_connect(&rig, &other));
    CU_ASSERT(client_send(&other, SPAN(POST_ABC)));
    late = (struct asker){.request = rig_take(&rig), .drops = true};
    CU_ASSERT_PTR_NOT_NULL_FATAL(late.request);
    net_watch(asker.request, note_gone, &asker);
    net_stop(rig.server, clock_mono_us(clock_system()) + 50 * US_PER_MS);
    CU_ASSERT_EQUAL(asker.gone, 1);
    net_watch(late.request, note_gone, &late);
    CU_ASSERT_EQUAL(late.gone, 1);
    rig_answer(asker.request, 200, "too late");
    client_close(&client);
    client_close(&other);
    rig_done(&rig);
}

/* ---- races ---- */

#define RACES 200

struct race {
    struct asker asker;
    atomic_bool is_answered;
    atomic_int after; /* calls when the answer had returned */
};

static void
note_race(void *arg)
{
    struct race *race = arg;
    if (race->is_answered) {
        (void)atomic_fetch_add(&race->after, 1);
    }
    (void)atomic_fetch_add(&race->asker.gone, 1);
}

static void *
answer_race(void *arg)
{
    struct race *race = arg;
    rig_answer(race->asker.request, 200, "now");
    race->is_answered = true;
    return NULL;
}

/* The answer comes from another thread while the peer goes. */
static void
test_race(void)
{
    struct rig rig;
    static struct race races[RACES];
    int told = 0;
    memset(races, 0, sizeof(races));
    rig_init(&rig);
    rig.holds = true;
    CU_ASSERT_FATAL(rig_start(&rig));
    for (size_t i = 0; i < RACES; i++) {
        struct client client;
        pthread_t thread;
        struct race *race = &races[i];
        CU_ASSERT_FATAL(rig_connect(&rig, &client));
        CU_ASSERT(client_send(&client, SPAN(POST_ABC)));
        race->asker.request = rig_take(&rig);
        CU_ASSERT_PTR_NOT_NULL_FATAL(race->asker.request);
        net_watch(race->asker.request, note_race, race);
        if (i % 2 == 0) {
            (void)usleep((useconds_t)(i % 7) * 20);
            client_reset(&client);
            CU_ASSERT_FATAL(pthread_create(&thread, NULL, answer_race, race) == 0);
        } else {
            CU_ASSERT_FATAL(pthread_create(&thread, NULL, answer_race, race) == 0);
            (void)usleep((useconds_t)(i % 7) * 20);
            client_reset(&client);
        }
        (void)pthread_join(thread, NULL);
    }
    rig_done(&rig);
    for (size_t i = 0; i < RACES; i++) {
        CU_ASSERT_EQUAL(races[i].after, 0);
        CU_ASSERT(races[i].asker.gone <= 1);
        told += races[i].asker.gone;
    }
    printf("(%d of %d told) ", told, RACES);
}

static const struct unit_test tests[] = {
    {"every way of going", test_goes},
    {"on_gone gives the request back", test_answers_itself},
    {"pipelined bytes are no going", test_pipelined},
    {"answered before he goes", test_answered_first},
    {"unix: sockets", test_unix},
    {"the server stops", test_stop},
    {"answers while peers go", test_race},
};

int
main(void)
{
    const int status = unit_main("server watch", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
