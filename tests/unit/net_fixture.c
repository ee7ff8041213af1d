/* See net_fixture.h. Everything fails by returning false, so that a test can go on to its end and
 * leave nothing behind. */
#include "tests/unit/net_fixture.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "certs/devpki.h"
#include "certs/tls.h"

/* ---- certificates ---- */

static struct fixture_pki pki;

static void
path_of(char *path, size_t n, const char *dir, const char *file)
{
    (void)snprintf(path, n, "%s/%s/%s", unit_temp_dir(), dir, file);
}

static struct status
make_node(const char *dir, const char *ca, const char *host, const char *address, int64_t now_us,
          struct diag *diag, struct credential **ret_credential)
{
    const struct devpki_node node = {host, host, address, DEVPKI_P256};
    char node_dir[512], ca_dir[512], certificate[512], key[512];
    path_of(node_dir, sizeof(node_dir), dir, "");
    path_of(ca_dir, sizeof(ca_dir), ca, "");
    path_of(certificate, sizeof(certificate), dir, "node.pem");
    path_of(key, sizeof(key), dir, "node.key");
    TRY(devpki_make_node(node_dir, ca_dir, &node, now_us, diag));
    return credential_load(certificate, key, now_us, diag, ret_credential);
}

static struct status
make_ca(const char *dir, int64_t now_us, struct diag *diag, struct trust **ret_trust)
{
    char ca_dir[512], anchors[512], crl[512];
    path_of(ca_dir, sizeof(ca_dir), dir, "");
    path_of(anchors, sizeof(anchors), dir, "ca.pem");
    path_of(crl, sizeof(crl), dir, "crl.pem");
    TRY(devpki_make_ca(ca_dir, "Example Authority", now_us, diag));
    return trust_load(anchors, crl, diag, ret_trust);
}

static struct status
make_pki(struct diag *diag)
{
    const int64_t now_us = clock_wall_us(clock_system());
    TRY(make_ca("ca", now_us, diag, &pki.trust));
    TRY(make_ca("other-ca", now_us, diag, &pki.stranger_trust));
    TRY(make_node("server", "ca", "server.example", "127.0.0.1", now_us, diag, &pki.server));
    TRY(make_node("client", "ca", "client.example", NULL, now_us, diag, &pki.client));
    return make_node("stranger", "other-ca", "server.example", "127.0.0.1", now_us, diag,
                     &pki.stranger);
}

const struct fixture_pki *
fixture_pki(void)
{
    struct diag diag = {.code = ERR_NONE};
    if (pki.trust == NULL && !CHECK_OK(&diag, make_pki(&diag))) {
        CU_FAIL_FATAL("no certificates for the test");
    }
    return &pki;
}

void
fixture_pki_done(void)
{
    trust_free(pki.trust);
    trust_free(pki.stranger_trust);
    credential_free(pki.server);
    credential_free(pki.client);
    credential_free(pki.stranger);
    memset(&pki, 0, sizeof(pki));
}

/* ---- client ---- */

static bool
client_connect(struct client *client, const struct sockaddr *address, socklen_t n)
{
    const struct timeval wait = {UNIT_PATIENCE_S, 0};
    *client = (struct client){.fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const bool is_connected =
        client->fd >= 0 &&
        setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0 &&
        setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0 &&
        connect(client->fd, address, n) == 0;
    if (!is_connected) {
        client_close(client);
    }
    return is_connected;
}

bool
client_open(struct client *client, const char *host, uint16_t port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *address = NULL;
    char service[8];
    (void)snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(host, service, &hints, &address) != 0) {
        return false;
    }
    const bool is_connected = client_connect(client, address->ai_addr, address->ai_addrlen);
    freeaddrinfo(address);
    return is_connected;
}

bool
client_open_unix(struct client *client, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return client_connect(client, (const struct sockaddr *)&address, sizeof(address));
}

bool
client_start_tls(struct client *client, const struct credential *credential,
                 const struct trust *trust, int version)
{
    struct diag diag = {.code = ERR_NONE};
    client->context = SSL_CTX_new(TLS_client_method());
    bool is_good = client->context != NULL;
    if (is_good && credential != NULL) {
        is_good =
            is_ok(tls_client_context_prepare(client->context, credential, trust, false, &diag));
    } else if (is_good) {
        SSL_CTX_set1_cert_store(client->context, trust_store(trust));
        SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
    }
    is_good = is_good && SSL_CTX_set_max_proto_version(client->context, version) == 1;
    client->ssl = is_good ? SSL_new(client->context) : NULL;
    is_good = client->ssl != NULL && SSL_set_fd(client->ssl, client->fd) == 1 &&
              SSL_connect(client->ssl) == 1;
    ERR_clear_error();
    if (!is_good) {
        client_close(client);
    }
    return is_good;
}

bool
client_send(struct client *client, struct span bytes)
{
    while (bytes.n > 0) {
        const long n = client->ssl != NULL ? SSL_write(client->ssl, bytes.p, (int)bytes.n)
                                           : send(client->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n <= 0) {
            ERR_clear_error();
            return false;
        }
        bytes = span_of(bytes.p + n, bytes.n - (size_t)n);
    }
    return true;
}

long
client_receive(struct client *client, char *to, size_t n)
{
    if (client->fd < 0) {
        return -1;
    }
    if (client->ssl == NULL) {
        return recv(client->fd, to, n, 0);
    }
    const int got = SSL_read(client->ssl, to, (int)n);
    const bool is_end = got <= 0 && SSL_get_error(client->ssl, got) == SSL_ERROR_ZERO_RETURN;
    ERR_clear_error();
    return got > 0 ? got : is_end ? 0 : -1;
}

void
client_close(struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    if (client->fd >= 0) {
        (void)close(client->fd);
    }
    *client = (struct client){.fd = -1};
}

void
client_reset(struct client *client)
{
    const struct linger linger = {1, 0};
    (void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    client_close(client);
}

static bool
read_head(struct client *client, struct client_answer *answer)
{
    for (size_t n = 0; n + 1 < sizeof(answer->head); n++) {
        if (client_receive(client, answer->head + n, 1) != 1) {
            return false;
        }
        if (span_ends_with(span_of(answer->head, n + 1), SPAN("\r\n\r\n"))) {
            return sscanf(answer->head, "HTTP/1.1 %d ", &answer->status) == 1;
        }
    }
    return false;
}

bool
client_read(struct client *client, struct client_answer *ret_answer)
{
    unsigned long long length = 0;
    *ret_answer = (struct client_answer){.status = 0};
    if (!read_head(client, ret_answer)) {
        ret_answer->status = 0;
        return false;
    }
    const char *field = strstr(ret_answer->head, "\r\nContent-Length: ");
    if (field != NULL && sscanf(field, "\r\nContent-Length: %llu", &length) == 1) {
        ret_answer->body = mem_alloc((size_t)length + 1);
    }
    while (ret_answer->body != NULL && ret_answer->body_n < length) {
        const long n = client_receive(client, ret_answer->body + ret_answer->body_n,
                                      (size_t)length - ret_answer->body_n);
        if (n <= 0) {
            return false;
        }
        ret_answer->body_n += (size_t)n;
    }
    return true;
}

void
client_answer_done(struct client_answer *answer)
{
    mem_free(answer->body);
    *answer = (struct client_answer){.status = 0};
}

bool
client_exchange(struct client *client, const char *request, int status, const char *body)
{
    struct client_answer answer = {.status = 0};
    (void)client_send(client, span_of_cstr(request)); /* an early answer may stop us */
    const bool has_come = client_read(client, &answer);
    const bool is_wanted =
        has_come && answer.status == status && (body == NULL || strcmp(answer.body, body) == 0);
    if (!is_wanted) {
        printf("\n    wanted status %d, got %d: %s", status, answer.status,
               answer.body == NULL ? "(no body)" : answer.body);
    }
    client_answer_done(&answer);
    return is_wanted;
}

bool
client_is_at_end(struct client *client)
{
    char c = 0;
    return client_receive(client, &c, 1) == 0;
}

/* ---- server ---- */

static void
echo(struct net_request *request)
{
    struct body body;
    char content_type[128];
    (void)snprintf(content_type, sizeof(content_type), "%s", request->content_type);
    body_move(&body, &request->body);
    net_answer(request, 200, content_type, &body);
}

static void
handle(void *arg, struct net_request *request)
{
    struct rig *rig = arg;
    (void)pthread_mutex_lock(&rig->lock);
    rig->handled++;
    const bool holds = rig->holds && rig->held_n < RIG_HELD_MAX;
    if (holds) {
        rig->held[rig->held_n++] = request;
    }
    (void)pthread_cond_broadcast(&rig->changed);
    (void)pthread_mutex_unlock(&rig->lock);
    if (!holds) {
        echo(request);
    }
}

static void
note_refusal(void *arg, const char *peer_address, const struct diag *diag)
{
    struct rig *rig = arg;
    (void)pthread_mutex_lock(&rig->lock);
    rig->refused_n++;
    rig->refused = diag->code;
    (void)snprintf(rig->refused_text, sizeof(rig->refused_text), "%s", diag->text);
    (void)snprintf(rig->refused_peer, sizeof(rig->refused_peer), "%s", peer_address);
    (void)pthread_cond_broadcast(&rig->changed);
    (void)pthread_mutex_unlock(&rig->lock);
}

static void
note_doubt(void *arg, const char *peer_address, const struct diag *diag)
{
    struct rig *rig = arg;
    (void)peer_address;
    (void)pthread_mutex_lock(&rig->lock);
    rig->doubts_n += diag->code == ERR_PEER_STATUS;
    (void)pthread_mutex_unlock(&rig->lock);
}

void
rig_init(struct rig *rig)
{
    *rig = (struct rig){.server = NULL};
    (void)pthread_mutex_init(&rig->lock, NULL);
    (void)pthread_cond_init(&rig->changed, NULL);
    rig->config.body_limit = 100000;
    config_edge_default(&rig->config.edge);
    rig->config.network = (struct config_listener){
        .is_set = true,
        .address = {.host = "127.0.0.1", .port = 0, .text = "127.0.0.1:0"},
        .credential = fixture_pki()->server,
        .trust = fixture_pki()->trust,
    };
    net_options_default(&rig->options, &rig->config);
    rig->options.handler = handle;
    rig->options.handler_arg = rig;
    rig->options.on_refused = note_refusal;
    rig->options.on_doubt = note_doubt;
}

bool
rig_start(struct rig *rig)
{
    struct diag diag = {.code = ERR_NONE};
    return CHECK_OK(&diag, net_start(&rig->options, &diag, &rig->server));
}

void
rig_done(struct rig *rig)
{
    while (rig->held_n > 0) {
        net_drop(rig->held[--rig->held_n]);
    }
    net_free(rig->server);
    (void)pthread_cond_destroy(&rig->changed);
    (void)pthread_mutex_destroy(&rig->lock);
}

bool
rig_connect(struct rig *rig, struct client *client)
{
    return client_open(client, "127.0.0.1", net_port(rig->server, NET_NETWORK)) &&
           client_start_tls(client, fixture_pki()->client, fixture_pki()->trust, TLS1_3_VERSION);
}

/* With the lock. False when nothing changed in time. */
static bool
wait_change(struct rig *rig, const struct timespec *until)
{
    return pthread_cond_timedwait(&rig->changed, &rig->lock, until) == 0;
}

static struct timespec
wait_end(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += UNIT_PATIENCE_S;
    return now;
}

bool
rig_wait_handled(struct rig *rig, size_t n)
{
    const struct timespec until = wait_end();
    bool is_in_time = true;
    (void)pthread_mutex_lock(&rig->lock);
    while (rig->handled < n && is_in_time) {
        is_in_time = wait_change(rig, &until);
    }
    const bool has_come = rig->handled >= n;
    (void)pthread_mutex_unlock(&rig->lock);
    return has_come;
}

bool
rig_wait_refused(struct rig *rig, size_t n, enum err want)
{
    const struct timespec until = wait_end();
    bool is_in_time = true;
    (void)pthread_mutex_lock(&rig->lock);
    while (rig->refused_n < n && is_in_time) {
        is_in_time = wait_change(rig, &until);
    }
    const bool is_wanted = rig->refused_n == n && rig->refused == want;
    if (!is_wanted) {
        printf("\n    wanted refusal %zu to be %s, got %zu, the last %s: %s", n, err_name(want),
               rig->refused_n, err_name(rig->refused), rig->refused_text);
    }
    (void)pthread_mutex_unlock(&rig->lock);
    return is_wanted;
}

struct net_request *
rig_take(struct rig *rig)
{
    const struct timespec until = wait_end();
    struct net_request *request = NULL;
    bool is_in_time = true;
    (void)pthread_mutex_lock(&rig->lock);
    while (rig->held_n == 0 && is_in_time) {
        is_in_time = wait_change(rig, &until);
    }
    if (rig->held_n > 0) {
        request = rig->held[0];
        rig->held_n--;
        memmove(rig->held, rig->held + 1, rig->held_n * sizeof(rig->held[0]));
    }
    (void)pthread_mutex_unlock(&rig->lock);
    return request;
}

void
rig_answer(struct net_request *request, int status, const char *text)
{
    struct diag diag = {.code = ERR_NONE};
    struct buf buf;
    struct body body;
    buf_init(&buf, 4096);
    (void)CHECK_OK(&diag, buf_append_cstr(&buf, text, &diag));
    body_from_buf(&body, &buf);
    net_answer(request, status, "text/plain", &body);
}

void
rig_check_two(struct rig *rig)
{
    struct client clients[3];
    bool has_room = false;
    unsigned looks = 0;
    CU_ASSERT_FATAL(rig_start(rig));
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_FATAL(rig_connect(rig, &clients[i]));
        CU_ASSERT(client_exchange(&clients[i], POST_ABC, 200, "abc"));
    }
    CU_ASSERT(!rig_connect(rig, &clients[2]));
    CU_ASSERT(rig_wait_refused(rig, 1, ERR_LIMIT_CONNECTIONS));
    client_close(&clients[0]);
    while (!has_room && unit_wait(&looks)) {
        has_room = rig_connect(rig, &clients[0]);
    }
    CU_ASSERT(has_room && client_exchange(&clients[0], POST_ABC, 200, "abc"));
    CU_ASSERT(client_exchange(&clients[1], POST_ABC, 200, "abc"));
    client_close(&clients[0]);
    client_close(&clients[1]);
}
