/* See out_fixture.h. */
#include "tests/unit/out_fixture.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "certs/devpki.h"
#include "certs/tls.h"

#define TICK_MS 50 /* how often a thread looks whether it must stop */

/* ---- a server ---- */

struct visit {
    struct peer *peer;
    int fd;
    SSL *ssl;
};

static bool
is_stopping(const struct visit *visit)
{
    return atomic_load(&visit->peer->is_stopping);
}

/* One byte more, or false at the end; waits as long as the peer lives. */
static bool
read_byte(struct visit *visit, char *ret_byte)
{
    while (!is_stopping(visit)) {
        const int n = SSL_read(visit->ssl, ret_byte, 1);
        const int error = SSL_get_error(visit->ssl, n);
        ERR_clear_error();
        if (n == 1) {
            (void)atomic_fetch_add(&visit->peer->bytes, 1);
            return true;
        }
        if (error != SSL_ERROR_WANT_READ) {
            return false;
        }
    }
    return false;
}

static bool
read_request(struct visit *visit)
{
    char head[4096] = "";
    char byte = 0;
    unsigned long length = 0;
    for (size_t n = 0; !span_ends_with(span_of(head, n), SPAN("\r\n\r\n")); n++) {
        if (n + 1 == sizeof(head) || !read_byte(visit, &head[n])) {
            return false;
        }
    }
    const char *field = strstr(head, "\r\nContent-Length: ");
    if (field != NULL) {
        length = strtoul(field + 18, NULL, 10);
    }
    while (length > 0 && read_byte(visit, &byte)) {
        length--;
    }
    return length == 0;
}

static void
send_answer(struct visit *visit)
{
    const struct peer *peer = visit->peer;
    const size_t n = strlen(peer->answer);
    int sent = n == 0 ? 1 : SSL_write(visit->ssl, peer->answer, (int)n);
    for (size_t left = peer->filler_n; left > 0 && sent > 0;) { /* as records of a usual size */
        char record[16 * 1024] = "";
        size_t used = 0;
        while (left > 0 && used + strlen(peer->filler) < sizeof(record)) {
            memcpy(record + used, peer->filler, strlen(peer->filler));
            used += strlen(peer->filler);
            left--;
        }
        sent = SSL_write(visit->ssl, record, (int)used);
    }
    ERR_clear_error();
}

static bool
shake_hands(struct visit *visit)
{
    while (!is_stopping(visit)) {
        const int result = SSL_accept(visit->ssl);
        const int error = SSL_get_error(visit->ssl, result);
        ERR_clear_error();
        if (result == 1 || error != SSL_ERROR_WANT_READ) {
            return result == 1;
        }
    }
    return false;
}

/* Lets the alert reach the client: closing with bytes unread would reset the connection. */
static void
linger(const struct visit *visit)
{
    char bytes[4096];
    (void)shutdown(visit->fd, SHUT_WR);
    while (!is_stopping(visit) && recv(visit->fd, bytes, sizeof(bytes), 0) != 0) {
    }
}

static void
serve(struct visit *visit)
{
    struct peer *peer = visit->peer;
    char byte = 0;
    while (peer->manner == PEER_SILENT_TCP && !is_stopping(visit)) {
        (void)usleep(TICK_MS * 1000);
    }
    if (peer->manner == PEER_SILENT_TCP) {
        return;
    }
    if (!shake_hands(visit)) {
        linger(visit);
        return;
    }
    while (peer->manner == PEER_SILENT && read_byte(visit, &byte)) {
    }
    for (int i = 0; peer->manner != PEER_SILENT && read_request(visit); i++) {
        (void)atomic_fetch_add(&peer->requests, 1);
        if (peer->manner == PEER_READS_SECOND && i > 0) {
            return;
        }
        send_answer(visit);
        if (peer->manner == PEER_ANSWERS_ONCE) {
            return;
        }
    }
}

static void *
run_visit(void *arg)
{
    struct visit *visit = arg;
    const struct timeval tick = {0, TICK_MS * 1000};
    (void)setsockopt(visit->fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick));
    visit->ssl = SSL_new(visit->peer->context);
    if (visit->ssl != NULL && SSL_set_fd(visit->ssl, visit->fd) == 1) {
        serve(visit);
    }
    SSL_free(visit->ssl);
    (void)close(visit->fd);
    (void)atomic_fetch_add(&visit->peer->closed, 1);
    mem_free(visit);
    return NULL;
}

static void
welcome(struct peer *peer, int fd)
{
    struct visit *visit = mem_alloc(sizeof(*visit));
    if (visit == NULL || peer->workers_n == PEER_CONNECTIONS_MAX) {
        mem_free(visit);
        (void)close(fd);
        return;
    }
    (void)atomic_fetch_add(&peer->connections, 1);
    if (atomic_load(&peer->is_closing)) {
        mem_free(visit);
        (void)close(fd);
        return;
    }
    *visit = (struct visit){peer, fd, NULL};
    if (pthread_create(&peer->workers[peer->workers_n], NULL, run_visit, visit) == 0) {
        peer->workers_n++;
    }
}

static void *
run_peer(void *arg)
{
    struct peer *peer = arg;
    while (!atomic_load(&peer->is_stopping)) {
        struct pollfd readable = {.fd = peer->fd, .events = POLLIN};
        if (atomic_load(&peer->is_full)) {
            (void)usleep(TICK_MS * 1000);
        } else if (poll(&readable, 1, TICK_MS) == 1) {
            const int fd = accept4(peer->fd, NULL, NULL, SOCK_CLOEXEC);
            if (fd >= 0) {
                welcome(peer, fd);
            }
        }
    }
    return NULL;
}

static bool
listen_anywhere(struct peer *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(peer->fd, (struct sockaddr *)&address, n) != 0 || listen(peer->fd, 256) != 0 ||
        getsockname(peer->fd, (struct sockaddr *)&address, &n) != 0) {
        return false;
    }
    peer->port = ntohs(address.sin_port);
    return true;
}

bool
peer_start(struct peer *peer, enum peer_manner manner, const struct credential *credential,
           const struct trust *trust, int version)
{
    struct diag diag = {.code = ERR_NONE};
    *peer = (struct peer){.manner = manner, .answer = ""};
    return CHECK_OK(&diag, tls_server_context(credential, trust, 0, &diag, &peer->context)) &&
           SSL_CTX_set_max_proto_version(peer->context, version) == 1 && listen_anywhere(peer) &&
           pthread_create(&peer->thread, NULL, run_peer, peer) == 0;
}

bool
peer_wait_closed(const struct peer *peer)
{
    for (unsigned looks = 0;
         atomic_load(&peer->closed) < atomic_load(&peer->connections) && unit_wait(&looks);) {
    }
    return atomic_load(&peer->closed) == atomic_load(&peer->connections);
}

void
peer_stop(struct peer *peer)
{
    atomic_store(&peer->is_stopping, true);
    (void)pthread_join(peer->thread, NULL);
    for (size_t i = 0; i < peer->workers_n; i++) {
        (void)pthread_join(peer->workers[i], NULL);
    }
    (void)close(peer->fd);
    SSL_CTX_free(peer->context);
}

/* ---- partners ---- */

const char *out_fixture_trust = "";

static FILE *
open_file(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", unit_temp_dir(), name);
    return fopen(path, "we");
}

/* Each partner has a signing certificate of its own; made once. */
static bool
make_partner_pki(size_t index)
{
    char dir[512], ca[512], name[32];
    struct stat info;
    struct diag diag = {.code = ERR_NONE};
    (void)snprintf(name, sizeof(name), "p%zu", index);
    (void)snprintf(dir, sizeof(dir), "%s/%s", unit_temp_dir(), name);
    (void)snprintf(ca, sizeof(ca), "%s/ca", unit_temp_dir());
    const struct devpki_node node = {name, NULL, NULL, DEVPKI_P256};
    return stat(dir, &info) == 0 ||
           CHECK_OK(&diag, devpki_make_node(dir, ca, &node, clock_wall_us(clock_system()), &diag));
}

static bool
write_partner(size_t index, const struct out_partner *partner)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "p%zu.yaml", index);
    FILE *file = make_partner_pki(index) ? open_file(name) : NULL;
    if (file == NULL) {
        return false;
    }
    (void)fprintf(file,
                  "id: p%zu\ncommunities: [2.999.%zu]\nendpoints: {query: \"https://%s:%u/q\"}\n"
                  "tls: {%s}\nsigning: {certificates: [p%zu/signing.pem]}\ntimeout: %s\n%s",
                  index, index + 10, partner->host, partner->port, partner->tls, index,
                  partner->timeout,
                  partner->more == NULL ? "limits: {failures: 1000}\n" : partner->more);
    return fclose(file) == 0;
}

static bool
write_main(size_t n)
{
    FILE *file = open_file("isthmus.yaml");
    FILE *policy = open_file("policy.yaml");
    if (file == NULL || policy == NULL) {
        return false;
    }
    (void)fprintf(file,
                  "community: {id: 2.999.1, name: Red HIE}\n"
                  "listen: {local: {address: 127.0.0.1:8080}}\n"
                  "credentials:\n"
                  "  node: {certificate: client/node.pem, key: client/node.key}\n"
                  "  signing: {certificate: client/signing.pem, key: client/signing.key}\n"
                  "trust: {partners: {anchors: ca/ca.pem, crl: ca/crl.pem%s}}\n"
                  "store: {path: isthmus.db}\naudit: {journal: audit, repositories: []}\n"
                  "policies: [policy.yaml]\npartners: [",
                  out_fixture_trust);
    for (size_t i = 0; i < n; i++) {
        (void)fprintf(file, "%sp%zu.yaml", i == 0 ? "" : ", ", i);
    }
    (void)fprintf(file, "]\n");
    (void)fprintf(policy, "rules:\n  - {name: all, effect: permit, reason: treatment, "
                          "partners: [p0], purposes: [T-TREAT]}\n");
    return fclose(file) == 0 && fclose(policy) == 0;
}

const struct config *
out_fixture_config(const struct out_partner *partners, size_t n)
{
    char path[512];
    struct diag diag = {.code = ERR_NONE};
    struct yaml_report report;
    const struct config *config = NULL;
    bool is_written = write_main(n);
    for (size_t i = 0; i < n; i++) {
        is_written = is_written && write_partner(i, &partners[i]);
    }
    (void)snprintf(path, sizeof(path), "%s/isthmus.yaml", unit_temp_dir());
    yaml_report_init(&report);
    if (is_written &&
        !CHECK_OK(&diag, config_load(path, clock_system(), &report, &diag, &config))) {
        printf("%.*s", SPAN_PRINT(buf_span(&report.text)));
    }
    yaml_report_done(&report);
    return config;
}

/* ---- exchanges ---- */

bool
calls_start(struct calls *calls, const struct out_partner *partners, size_t n)
{
    struct diag diag = {.code = ERR_NONE};
    *calls = (struct calls){.out = NULL};
    (void)fixture_pki();
    (void)pthread_mutex_init(&calls->lock, NULL);
    (void)pthread_cond_init(&calls->changed, NULL);
    calls->config = out_fixture_config(partners, n);
    return calls->config != NULL &&
           CHECK_OK(&diag, out_start(calls->config, clock_system(), &diag, &calls->out));
}

void
calls_done(struct calls *calls)
{
    out_stop(calls->out);
    config_unref(calls->config);
    for (size_t i = 0; i < calls->n; i++) {
        out_answer_done(&calls->answers[i]);
    }
    (void)pthread_cond_destroy(&calls->changed);
    (void)pthread_mutex_destroy(&calls->lock);
}

void
calls_keep(void *arg, struct out_answer *answer)
{
    struct calls *calls = arg;
    (void)pthread_mutex_lock(&calls->lock);
    if (calls->n < CALLS_MAX) {
        struct out_answer *kept = &calls->answers[calls->n++];
        *kept = *answer;
        body_move(&kept->body, &answer->body);
    }
    out_answer_done(answer);
    (void)pthread_cond_broadcast(&calls->changed);
    (void)pthread_mutex_unlock(&calls->lock);
}

void
request_say(struct out_request *request, const char *text)
{
    struct diag diag = {.code = ERR_NONE};
    struct buf bytes;
    buf_init_secret(&bytes, strlen(text));
    CHECK_OK(&diag, buf_append_cstr(&bytes, text, &diag));
    body_done(&request->body);
    body_from_buf(&request->body, &bytes);
}

void
calls_ask(struct calls *calls, size_t partner, const char *url, const char *body,
          int64_t deadline_us)
{
    struct out_request request;
    out_request_init(&request);
    request.partner = &calls->config->partners[partner];
    request.url = url == NULL ? request.partner->query_url : url;
    request.deadline_us = deadline_us;
    request.answer_limit = 100000;
    (void)snprintf(request.content_type, sizeof(request.content_type), "application/soap+xml");
    request_say(&request, body);
    calls->out->submit(calls->out, &request, calls_keep, calls);
}

bool
calls_wait(struct calls *calls, size_t n)
{
    struct timespec until;
    int error = 0;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += UNIT_PATIENCE_S;
    (void)pthread_mutex_lock(&calls->lock);
    while (calls->n < n && error == 0) {
        error = pthread_cond_timedwait(&calls->changed, &calls->lock, &until);
    }
    const bool has_come = calls->n >= n;
    (void)pthread_mutex_unlock(&calls->lock);
    return has_come;
}

const struct out_answer *
calls_exchange(struct calls *calls, size_t partner, const char *body)
{
    static const struct out_answer none = {.error = ERR_INTERNAL, .detail = "no answer came"};
    const size_t before = calls->n;
    calls_ask(calls, partner, NULL, body, INT64_MAX);
    return calls_wait(calls, before + 1) ? &calls->answers[before] : &none;
}

bool
calls_expect(struct calls *calls, size_t partner, enum err want, const char *said)
{
    const struct out_answer *answer = calls_exchange(calls, partner, "question");
    const bool is_wanted = answer->error == want && strstr(answer->detail, said) != NULL;
    if (!is_wanted) {
        printf("\n    wanted %s with '%s', got %s: %s", err_name(want), said,
               err_name(answer->error), answer->detail);
    }
    return is_wanted;
}

bool
call_is_answer(const struct out_answer *answer, int status, const char *content)
{
    struct diag diag = {.code = ERR_NONE};
    struct span span = SPAN_EMPTY;
    (void)CHECK_OK(&diag, body_span(&answer->body, NULL, &diag, &span));
    return answer->error == ERR_NONE && answer->http_status == status &&
           span_eq_cstr(span, content);
}
