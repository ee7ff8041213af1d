/*
 * net_reload with real clients: what it refuses, that it drops nobody who stays, and that nobody
 * comes back who may not: neither on an open connection nor by resuming a session.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "certs/tls.h"
#include "tests/unit/net_fixture.h"

/* The rig's configuration, as loading it anew would number it. */
static bool
reload(struct rig *rig)
{
    struct diag diag = {.code = ERR_NONE};
    rig->config.generation++;
    return CHECK_OK(&diag, net_reload(rig->server, &rig->options, &diag));
}

static void
start(struct rig *rig)
{
    rig_init(rig);
    rig->config.generation = 1;
}

/* ---- whose connection it is: the test takes the partner out ---- */

static _Atomic bool is_listed;
static _Atomic bool is_others; /* the certificate is in another partner's record */

static bool
identify(void *arg, const struct certificate *peer, char ret_identity[NET_IDENTITY_MAX])
{
    (void)arg;
    (void)snprintf(ret_identity, NET_IDENTITY_MAX, "%s",
                   !is_listed  ? peer->sha256
                   : is_others ? "red"
                               : "blue");
    return is_listed;
}

/* ---- refused ---- */

/* What goes wrong: see test_server_listeners for sockets. Nothing has changed after it. */
static void
test_refused(void)
{
    struct diag diag = {.code = ERR_NONE};
    struct rig rig;
    struct client client;
    start(&rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    const struct config good = rig.config;

    rig.config.network.is_set = false;
    CHECK_ERR(&diag, ERR_CONFIG, net_reload(rig.server, &rig.options, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "no listener is configured"));
    rig.config = good;
    rig.config.network.trust = NULL;
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_CONFIG, net_reload(rig.server, &rig.options, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "expected a trust store"));
    rig.config = good;
    for (uint64_t i = 0; i < 2; i++) { /* our own two allocations */
        diag_clear(&diag);
        mem_fail_once(i);
        CHECK_ERR(&diag, ERR_NO_MEMORY, net_reload(rig.server, &rig.options, &diag));
        mem_fail_after(UINT64_MAX);
    }
    /* nothing has changed */
    CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc"));
    client_close(&client);
    rig_done(&rig);
}

/* ---- connections ---- */

/* One connection that has been answered, one inside a request, and one with two requests, of which
 * the first is taken. */
static struct net_request *
start_three(struct rig *rig, struct client *idle, struct client *half, struct client *waiting)
{
    static const char begun[] = "POST /x HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nab";
    start(rig);
    is_listed = true;
    rig->options.identify = identify;
    CU_ASSERT_FATAL(rig_start(rig));
    CU_ASSERT_FATAL(rig_connect(rig, idle));
    CU_ASSERT(client_exchange(idle, POST_ABC, 200, "abc"));
    CU_ASSERT_FATAL(rig_connect(rig, half));
    CU_ASSERT(client_send(half, span_of_cstr(begun)));
    rig->holds = true;
    CU_ASSERT_FATAL(rig_connect(rig, waiting));
    CU_ASSERT(client_send(waiting, SPAN(POST_ABC POST_ABC)));
    struct net_request *request = rig_take(rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    return request;
}

/* Idle, half read, pipelined, being answered: all go on, with the new limits. */
static void
test_stays(void)
{
    struct rig rig;
    struct client idle, half, waiting;
    struct net_request *request = start_three(&rig, &idle, &half, &waiting);
    rig.config.body_limit = 5;
    CU_ASSERT(reload(&rig));
    rig_answer(request, 200, "old");
    CU_ASSERT(client_exchange(&waiting, "", 200, "old"));
    request = rig_take(&rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    rig_answer(request, 200, "new");
    CU_ASSERT(client_exchange(&waiting, "", 200, "new"));
    rig.holds = false;
    CU_ASSERT(client_exchange(&half, "cd", 200, "abcd"));
    CU_ASSERT(client_exchange(&idle, POST_ABC, 200, "abc"));
    CU_ASSERT(client_exchange(&idle, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\nabcdef",
                              413, NULL));
    client_close(&idle);
    client_close(&half);
    client_close(&waiting);
    rig_done(&rig);
}

/* The partner is no longer listed: what it waits for is answered, then every connection ends. */
static void
test_goes(void)
{
    struct rig rig;
    struct client idle, half, waiting;
    struct net_request *request = start_three(&rig, &idle, &half, &waiting);
    const size_t handled = rig.handled;
    is_listed = false;
    CU_ASSERT(reload(&rig));
    CU_ASSERT(client_is_at_end(&idle));
    (void)client_send(&half, SPAN("cd"));
    char byte = 0;
    CU_ASSERT(client_receive(&half, &byte, 1) <= 0);
    rig_answer(request, 200, "old");
    CU_ASSERT(client_exchange(&waiting, "", 200, "old"));
    CU_ASSERT(client_is_at_end(&waiting)); /* not the second one */
    CU_ASSERT(rig_wait_refused(&rig, 3, ERR_PEER_UNKNOWN));
    CU_ASSERT_EQUAL(rig.handled, handled);
    client_close(&idle);
    client_close(&half);
    client_close(&waiting);
    rig_done(&rig);
}

/* Its certificate is another partner's now: what it has proven was as the old one. */
static void
test_changes_hands(void)
{
    struct rig rig;
    struct client client;
    start(&rig);
    is_listed = true;
    rig.options.identify = identify;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc"));
    is_others = true;
    CU_ASSERT(reload(&rig));
    CU_ASSERT(client_is_at_end(&client));
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_PEER_UNKNOWN));
    client_close(&client);
    rig_done(&rig);
    is_others = false;
}

/* Nobody's certificate before and after: a reload ends what nobody vouches for. */
static void
test_was_never_listed(void)
{
    struct rig rig;
    struct client client;
    start(&rig);
    is_listed = false;
    rig.options.identify = identify;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc")); /* whoever handles it refuses */
    CU_ASSERT(reload(&rig));
    CU_ASSERT(client_is_at_end(&client));
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_PEER_UNKNOWN));
    client_close(&client);
    rig_done(&rig);
}

/* Its certificate is no longer trusted. */
static void
test_trust_goes(void)
{
    struct rig rig;
    struct client idle, other;
    start(&rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &idle));
    CU_ASSERT(client_exchange(&idle, POST_ABC, 200, "abc"));
    rig.config.network.trust = fixture_pki()->stranger_trust;
    CU_ASSERT(reload(&rig));
    CU_ASSERT(client_is_at_end(&idle));
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_TLS));
    CU_ASSERT_PTR_NOT_NULL(strstr(rig.refused_text, "as they are now"));
    client_close(&idle);
    if (rig_connect(&rig, &other)) { /* TLS 1.3's client learns it when it reads */
        (void)client_send(&other, SPAN(POST_ABC));
        char byte = 0;
        CU_ASSERT(client_receive(&other, &byte, 1) <= 0);
    }
    CU_ASSERT(rig_wait_refused(&rig, 2, ERR_TLS));
    client_close(&other);
    CU_ASSERT_EQUAL(rig.handled, 1);
    rig_done(&rig);
}

/* A handshake that began before is judged by what holds when it ends. */
static void
test_handshake_across(void)
{
    struct rig rig;
    struct client client;
    start(&rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(client_open(&client, "127.0.0.1", net_port(rig.server, NET_NETWORK)));
    (void)usleep(200000); /* it is accepted, and has the old context */
    rig.config.network.trust = fixture_pki()->stranger_trust;
    CU_ASSERT(reload(&rig));
    if (client_start_tls(&client, fixture_pki()->client, fixture_pki()->trust, TLS1_3_VERSION)) {
        (void)client_send(&client, SPAN(POST_ABC));
        char byte = 0;
        CU_ASSERT(client_receive(&client, &byte, 1) <= 0);
    }
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_TLS));
    CU_ASSERT_EQUAL(rig.handled, 0);
    client_close(&client);
    rig_done(&rig);
}

/* More connections than one turn of a loop judges. */
static void
test_many_go(void)
{
    struct rig rig;
    static struct client clients[100];
    start(&rig);
    is_listed = true;
    rig.options.identify = identify;
    CU_ASSERT_FATAL(rig_start(&rig));
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        CU_ASSERT_FATAL(rig_connect(&rig, &clients[i]));
        CU_ASSERT(client_exchange(&clients[i], POST_ABC, 200, "abc"));
    }
    CU_ASSERT(reload(&rig));
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        CU_ASSERT(client_exchange(&clients[i], POST_ABC, 200, "abc"));
    }
    is_listed = false;
    CU_ASSERT(reload(&rig));
    for (size_t i = ARRAY_LEN(clients); i > 0; i--) { /* the loop judges them in this order, too */
        (void)client_send(&clients[ARRAY_LEN(clients) - i], SPAN(POST_ABC));
    }
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        char byte = 0;
        CU_ASSERT(client_receive(&clients[i], &byte, 1) <= 0);
        client_close(&clients[i]);
    }
    CU_ASSERT_EQUAL(rig.handled, 2 * ARRAY_LEN(clients));
    rig_done(&rig);
}

/* ---- sessions ---- */

/* Connects with <session> (may be NULL), exchanges once, and gives the newest session back. */
static bool
visit_listener(struct rig *rig, enum net_listener listener, int version, SSL_SESSION *session,
               bool *ret_was_resumed, SSL_SESSION **ret_session)
{
    struct diag diag = {.code = ERR_NONE};
    struct client client;
    if (!client_open(&client, "127.0.0.1", net_port(rig->server, listener))) {
        return false;
    }
    client.context = SSL_CTX_new(TLS_client_method());
    bool is_good = client.context != NULL &&
                   is_ok(tls_client_context_prepare(client.context, fixture_pki()->client,
                                                    fixture_pki()->trust, false, &diag)) &&
                   SSL_CTX_set_max_proto_version(client.context, version) == 1;
    if (is_good) { /* ours resumes nothing; a partner's client may */
        SSL_CTX_clear_options(client.context, SSL_OP_NO_TICKET);
        (void)SSL_CTX_set_session_cache_mode(client.context, SSL_SESS_CACHE_CLIENT);
        client.ssl = SSL_new(client.context);
        is_good = client.ssl != NULL && SSL_set_fd(client.ssl, client.fd) == 1 &&
                  (session == NULL || SSL_set_session(client.ssl, session) == 1) &&
                  SSL_connect(client.ssl) == 1;
    }
    if (is_good) {
        struct client_answer answer = {.status = 0};
        *ret_was_resumed = SSL_session_reused(client.ssl) == 1;
        is_good = client_send(&client, SPAN(POST_ABC)) && client_read(&client, &answer) &&
                  answer.status == 200;
        client_answer_done(&answer);
        if (ret_session != NULL) {
            /* a copy: the session goes with its context */
            *ret_session = SSL_SESSION_dup(SSL_get_session(client.ssl));
        }
        (void)SSL_shutdown(client.ssl);
    }
    ERR_clear_error();
    client_close(&client);
    return is_good;
}

static bool
visit(struct rig *rig, int version, SSL_SESSION *session, bool *ret_was_resumed,
      SSL_SESSION **ret_session)
{
    return visit_listener(rig, NET_NETWORK, version, session, ret_was_resumed, ret_session);
}

/* What one listener's trust proved must not open another one. */
static void
check_other_listener(int version)
{
    struct rig rig;
    SSL_SESSION *session = NULL;
    bool was_resumed = true;
    start(&rig);
    rig.config.admin = rig.config.network;
    rig.config.network.trust = fixture_pki()->stranger_trust;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT(visit_listener(&rig, NET_ADMIN, version, NULL, &was_resumed, &session));
    CU_ASSERT_PTR_NOT_NULL_FATAL(session);
    CU_ASSERT(visit_listener(&rig, NET_ADMIN, version, session, &was_resumed, NULL) && was_resumed);
    CU_ASSERT(!visit(&rig, version, session, &was_resumed, NULL));
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_TLS));
    CU_ASSERT_EQUAL(rig.handled, 2);
    SSL_SESSION_free(session);
    rig_done(&rig);
}

static void
test_other_listener(void)
{
    check_other_listener(TLS1_3_VERSION);
    check_other_listener(TLS1_2_VERSION);
}

static void
check_resumption(int version)
{
    struct rig rig;
    SSL_SESSION *session = NULL, *newer = NULL;
    bool was_resumed = true;
    start(&rig);
    is_listed = true;
    rig.options.identify = identify;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT(visit(&rig, version, NULL, &was_resumed, &session) && !was_resumed);
    CU_ASSERT_PTR_NOT_NULL_FATAL(session);
    CU_ASSERT(visit(&rig, version, session, &was_resumed, NULL) && was_resumed);
    /* who stays is served: after a full handshake */
    CU_ASSERT(reload(&rig));
    CU_ASSERT(visit(&rig, version, session, &was_resumed, &newer) && !was_resumed);
    CU_ASSERT(visit(&rig, version, newer, &was_resumed, NULL) && was_resumed);
    /* who is no longer trusted does not come back by his session */
    const size_t handled = rig.handled;
    rig.config.network.trust = fixture_pki()->stranger_trust;
    CU_ASSERT(reload(&rig));
    CU_ASSERT(!visit(&rig, version, session, &was_resumed, NULL));
    CU_ASSERT(!visit(&rig, version, newer, &was_resumed, NULL));
    CU_ASSERT(!visit(&rig, version, NULL, &was_resumed, NULL));
    (void)pthread_mutex_lock(&rig.lock); /* the last refusal may still be on its way */
    CU_ASSERT_EQUAL(rig.refused, ERR_TLS);
    (void)pthread_mutex_unlock(&rig.lock);
    CU_ASSERT_EQUAL(rig.handled, handled);
    SSL_SESSION_free(session);
    SSL_SESSION_free(newer);
    rig_done(&rig);
}

static void
test_resumption(void)
{
    check_resumption(TLS1_3_VERSION);
    check_resumption(TLS1_2_VERSION);
}

/* ---- under load ---- */

#define LOAD_THREADS 4
#define RELOADS      50

struct load {
    struct rig *rig;
    pthread_t thread;
    _Atomic bool ends;
    _Atomic size_t sent;
    size_t failed;
};

static size_t
sent_by(const struct load loads[LOAD_THREADS])
{
    size_t sent = 0;
    for (size_t i = 0; i < LOAD_THREADS; i++) {
        sent += loads[i].sent;
    }
    return sent;
}

/* Keeps a connection for some requests, then opens another. */
static void *
load(void *arg)
{
    struct load *self = arg;
    while (!self->ends) {
        struct client client;
        if (!rig_connect(self->rig, &client)) {
            self->failed++;
            continue;
        }
        for (int i = 0; i < 10 && !self->ends; i++) {
            self->sent++;
            if (!client_exchange(&client, POST_ABC, 200, "abc")) {
                self->failed++;
                break;
            }
        }
        client_close(&client);
    }
    return NULL;
}

static void
test_under_load(void)
{
    struct rig rig;
    struct load loads[LOAD_THREADS];
    int reloads = 0;
    unsigned looks = 0;
    start(&rig);
    is_listed = true;
    rig.options.identify = identify;
    CU_ASSERT_FATAL(rig_start(&rig));
    for (size_t i = 0; i < LOAD_THREADS; i++) {
        loads[i] = (struct load){.rig = &rig};
        CU_ASSERT_FATAL(pthread_create(&loads[i].thread, NULL, load, &loads[i]) == 0);
    }
    for (; (reloads < RELOADS || sent_by(loads) <= RELOADS) && unit_wait(&looks); reloads++) {
        CU_ASSERT(reload(&rig));
    }
    for (size_t i = 0; i < LOAD_THREADS; i++) {
        loads[i].ends = true;
        (void)pthread_join(loads[i].thread, NULL);
        CU_ASSERT_EQUAL(loads[i].failed, 0);
    }
    const size_t sent = sent_by(loads);
    printf("(%d reloads, %zu requests) ", reloads, sent);
    CU_ASSERT(reloads >= RELOADS && sent > RELOADS);
    CU_ASSERT_EQUAL(rig.handled, sent);
    CU_ASSERT_EQUAL(rig.refused_n, 0);
    rig_done(&rig);
}

static const struct unit_test tests[] = {
    {"what is refused", test_refused},
    {"who stays is served", test_stays},
    {"who is not listed any more goes", test_goes},
    {"whose certificate changes hands goes", test_changes_hands},
    {"who was never listed goes", test_was_never_listed},
    {"who is not trusted any more goes", test_trust_goes},
    {"a handshake across a reload", test_handshake_across},
    {"a hundred connections", test_many_go},
    {"sessions", test_resumption},
    {"sessions of another listener", test_other_listener},
    {"50 reloads under load", test_under_load},
};

int
main(void)
{
    const int status = unit_main("server reload", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
