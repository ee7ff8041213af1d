/*
 * See tls_front.h. GnuTLS is opened while the test runs, as nothing else here needs it: OpenSSL's
 * servers cannot leave RFC 5746 out.
 */
#include "tls_front.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "unit.h"

#define TICK_MS     50
#define BYTES_MAX   ((size_t)4 * 1024 * 1024)
#define PEM         1 /* GNUTLS_X509_FMT_PEM */
#define SERVER      1 /* GNUTLS_SERVER */
#define CERTIFICATE 1 /* GNUTLS_CRD_CERTIFICATE */
#define PRIORITY    "NORMAL:-VERS-ALL:+VERS-TLS1.2:%DISABLE_SAFE_RENEGOTIATION"

/* ---- GnuTLS ---- */

static struct {
    int (*init)(void **session, unsigned flags);
    void (*deinit)(void *session);
    int (*allocate)(void **credentials);
    void (*free)(void *credentials);
    int (*set_files)(void *credentials, const char *certificate, const char *key, int format);
    int (*set_priority)(void *session, const char *priorities, const char **error);
    int (*set_credentials)(void *session, int type, void *credentials);
    void (*set_fds)(void *session, int in, int out);
    int (*handshake)(void *session);
    ssize_t (*receive)(void *session, void *bytes, size_t n);
    ssize_t (*send)(void *session, const void *bytes, size_t n);
} gnutls;

static bool
load_function(void *library, const char *name, void *ret_function)
{
    void *symbol = dlsym(library, name);

    memcpy(ret_function, &symbol, sizeof(symbol));
    return symbol != NULL;
}

static bool
load_gnutls(void)
{
    void *library = dlopen("libgnutls.so.30", RTLD_NOW | RTLD_LOCAL);

    return library != NULL && load_function(library, "gnutls_init", &gnutls.init) &&
           load_function(library, "gnutls_deinit", &gnutls.deinit) &&
           load_function(library, "gnutls_certificate_allocate_credentials", &gnutls.allocate) &&
           load_function(library, "gnutls_certificate_free_credentials", &gnutls.free) &&
           load_function(library, "gnutls_certificate_set_x509_key_file", &gnutls.set_files) &&
           load_function(library, "gnutls_priority_set_direct", &gnutls.set_priority) &&
           load_function(library, "gnutls_credentials_set", &gnutls.set_credentials) &&
           load_function(library, "gnutls_transport_set_int2", &gnutls.set_fds) &&
           load_function(library, "gnutls_handshake", &gnutls.handshake) &&
           load_function(library, "gnutls_record_recv", &gnutls.receive) &&
           load_function(library, "gnutls_record_send", &gnutls.send);
}

/* ---- one connection ---- */

struct visit {
    struct tls_front *front;
    SSL *ssl;      /* or */
    void *session; /* of GnuTLS */
};

static int
take(struct visit *visit, char *bytes, size_t n)
{
    return visit->ssl != NULL ? SSL_read(visit->ssl, bytes, (int)n)
                              : (int)gnutls.receive(visit->session, bytes, n);
}

static void
give(struct visit *visit, struct span bytes)
{
    while (bytes.n > 0) {
        const size_t n = bytes.n < 16384 ? bytes.n : 16384;
        const int sent = visit->ssl != NULL ? SSL_write(visit->ssl, bytes.p, (int)n)
                                            : (int)gnutls.send(visit->session, bytes.p, n);

        if (sent <= 0) {
            return;
        }
        bytes = span_slice(bytes, (size_t)sent, bytes.n);
    }
}

/* Head and content, as far as they come. */
static bool
read_request(struct visit *visit, struct buf *request, size_t *ret_head)
{
    struct diag diag = {0};
    char bytes[4096];

    for (;;) {
        const struct span have = buf_span(request);
        const size_t end = span_find(have, SPAN("\r\n\r\n"));
        const size_t length = span_find(have, SPAN("Content-Length: "));
        int n;

        if (end != SPAN_MISSING && length < end &&
            have.n >= end + 4 + strtoul(have.p + length + 16, NULL, 10)) {
            *ret_head = end + 4;
            return true;
        }
        n = take(visit, bytes, sizeof(bytes));
        if (n <= 0 || !is_ok(buf_append(request, span_of(bytes, (size_t)n), &diag))) {
            return false;
        }
    }
}

static void
serve(struct visit *visit)
{
    struct tls_front *front = visit->front;
    struct diag diag = {0};
    struct buf request;
    size_t head = 0;

    buf_init(&request, BYTES_MAX);
    if (read_request(visit, &request, &head)) {
        (void)pthread_mutex_lock(&front->lock);
        front->requests++;
        buf_reset(&front->asked);
        (void)buf_append(&front->asked, span_slice(buf_span(&request), head, request.n), &diag)
            .code;
        give(visit, buf_span(&front->answer));
        (void)pthread_mutex_unlock(&front->lock);
    }
    buf_done(&request);
}

static void
visit_openssl(struct tls_front *front, int fd)
{
    struct visit visit = {.front = front, .ssl = SSL_new(front->context)};

    if (visit.ssl != NULL && SSL_set_fd(visit.ssl, fd) == 1 && SSL_accept(visit.ssl) == 1) {
        serve(&visit);
        (void)SSL_shutdown(visit.ssl);
    }
    ERR_clear_error();
    SSL_free(visit.ssl);
}

static void
visit_gnutls(struct tls_front *front, int fd)
{
    struct visit visit = {.front = front};

    if (gnutls.init(&visit.session, SERVER) != 0) {
        return;
    }
    if (gnutls.set_priority(visit.session, PRIORITY, NULL) == 0 &&
        gnutls.set_credentials(visit.session, CERTIFICATE, front->context) == 0) {
        gnutls.set_fds(visit.session, fd, fd);
        if (gnutls.handshake(visit.session) == 0) {
            serve(&visit);
        }
    }
    gnutls.deinit(visit.session);
}

/* Lets alerts and answers arrive: closing with bytes unread would reset the connection. */
static void
linger(int fd)
{
    char bytes[4096];

    (void)shutdown(fd, SHUT_WR);
    while (recv(fd, bytes, sizeof(bytes), 0) > 0) {
    }
    (void)close(fd);
}

static void *
run(void *arg)
{
    struct tls_front *front = arg;
    const struct timeval patience = {UNIT_PATIENCE_S, 0};

    while (!atomic_load(&front->is_stopping)) {
        struct pollfd readable = {.fd = front->fd, .events = POLLIN};
        int fd;

        if (poll(&readable, 1, TICK_MS) != 1) {
            continue;
        }
        fd = accept4(front->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            continue;
        }
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        if (front->kind == TLS_FRONT_NO_RENEGOTIATION) {
            visit_gnutls(front, fd);
        } else {
            visit_openssl(front, fd);
        }
        linger(fd);
    }
    return NULL;
}

/* ---- contexts ---- */

static bool
set_small_group(SSL_CTX *context)
{
    char group[] = "dh_1024_160"; /* RFC 5114 2.1 */
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "DHX", NULL);
    EVP_PKEY *key = NULL;
    const bool is_made = maker != NULL && EVP_PKEY_keygen_init(maker) == 1 &&
                         EVP_PKEY_CTX_set_params(maker, params) == 1 &&
                         EVP_PKEY_generate(maker, &key) == 1 &&
                         SSL_CTX_set0_tmp_dh_pkey(context, key) == 1;

    EVP_PKEY_CTX_free(maker);
    return is_made;
}

static bool
make_openssl(struct tls_front *front)
{
    static const char *const suites[] = {
        [TLS_FRONT_MODERN] = "ECDHE-RSA-AES128-GCM-SHA256",
        [TLS_FRONT_NO_FORWARD_SECRECY] = "AES128-SHA",
        [TLS_FRONT_SMALL_GROUP] = "DHE-RSA-AES128-GCM-SHA256:AES128-SHA",
    };
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    front->context = context;
    if (context == NULL) {
        return false;
    }
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    return SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, suites[front->kind]) == 1 &&
           SSL_CTX_use_certificate_chain_file(context, front->certificate) == 1 &&
           SSL_CTX_use_PrivateKey_file(context, front->key, SSL_FILETYPE_PEM) == 1 &&
           (front->kind != TLS_FRONT_SMALL_GROUP || set_small_group(context));
}

static bool
make_gnutls(struct tls_front *front)
{
    return gnutls.allocate(&front->context) == 0 &&
           gnutls.set_files(front->context, front->certificate, front->key, PEM) == 0;
}

static bool
listen_anywhere(struct tls_front *front)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);

    front->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(front->fd, (struct sockaddr *)&address, n) != 0 || listen(front->fd, 16) != 0 ||
        getsockname(front->fd, (struct sockaddr *)&address, &n) != 0) {
        return false;
    }
    front->port = ntohs(address.sin_port);
    return true;
}

bool
tls_front_start(struct tls_front *front, enum tls_front_kind kind, const char *certificate,
                const char *key)
{
    *front = (struct tls_front){.kind = kind, .certificate = certificate, .key = key};
    if (kind == TLS_FRONT_NO_RENEGOTIATION && !load_gnutls()) {
        unit_not_run("no libgnutls.so.30, which can leave RFC 5746 out");
        return false;
    }
    buf_init(&front->answer, BYTES_MAX);
    buf_init(&front->asked, BYTES_MAX);
    (void)pthread_mutex_init(&front->lock, NULL);
    CU_ASSERT_FATAL(kind == TLS_FRONT_NO_RENEGOTIATION ? make_gnutls(front) : make_openssl(front));
    CU_ASSERT_FATAL(listen_anywhere(front));
    CU_ASSERT_FATAL(pthread_create(&front->thread, NULL, run, front) == 0);
    return true;
}

void
tls_front_stop(struct tls_front *front)
{
    atomic_store(&front->is_stopping, true);
    (void)pthread_join(front->thread, NULL);
    (void)close(front->fd);
    if (front->kind == TLS_FRONT_NO_RENEGOTIATION) {
        gnutls.free(front->context);
    } else {
        SSL_CTX_free(front->context);
    }
    buf_done(&front->answer);
    buf_done(&front->asked);
    (void)pthread_mutex_destroy(&front->lock);
}

void
tls_front_say(struct tls_front *front, int status, const char *content_type, struct span content)
{
    struct diag diag = {0};

    (void)pthread_mutex_lock(&front->lock);
    buf_reset(&front->answer);
    CHECK_OK(&diag, buf_printf(&front->answer, &diag,
                               "HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                               "Connection: close\r\n\r\n",
                               status, content_type, content.n));
    CHECK_OK(&diag, buf_append(&front->answer, content, &diag));
    (void)pthread_mutex_unlock(&front->lock);
}

bool
tls_front_was_asked(struct tls_front *front, struct span content)
{
    bool is_same;

    (void)pthread_mutex_lock(&front->lock);
    is_same = span_eq(buf_span(&front->asked), content);
    (void)pthread_mutex_unlock(&front->lock);
    return is_same;
}
