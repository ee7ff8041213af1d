/* See arr_kit.h. */
#include "tests/unit/arr_kit.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "certs/tls.h"

#define TICK_MS   20
#define HEAD_MAX  8192
#define BODY_MAX  ((size_t)32 * 1024 * 1024)
#define OUT_MAX   ((size_t)8 * 1024 * 1024)
#define WRONG_MAX ((size_t)65536)

struct call {
    struct arr *arr;
    SSL *ssl;
    char head[HEAD_MAX];
    struct buf body;
    struct buf out; /* what is answered */
    bool is_batch;
    bool ends; /* the connection */
};

/* ---- bytes ---- */

static bool
is_stopping(const struct call *call)
{
    return atomic_load(&call->arr->is_stopping);
}

/* So many bytes at most; 0: the client has gone, or the test stops. */
static size_t
read_some(struct call *call, char *to, size_t n)
{
    while (!is_stopping(call)) {
        const int got = SSL_read(call->ssl, to, (int)n);
        const int error = SSL_get_error(call->ssl, got);
        ERR_clear_error();
        if (got > 0) {
            return (size_t)got;
        }
        if (error != SSL_ERROR_WANT_READ) {
            return 0;
        }
    }
    return 0;
}

static bool
read_head(struct call *call)
{
    for (size_t n = 0; n + 1 < sizeof(call->head); n++) {
        if (read_some(call, call->head + n, 1) == 0) {
            return false;
        }
        call->head[n + 1] = '\0';
        if (n >= 3 && memcmp(call->head + n - 3, "\r\n\r\n", 4) == 0) {
            return true;
        }
    }
    return false;
}

static bool
read_request(struct call *call)
{
    struct diag diag = {0};
    buf_reset(&call->body);
    if (!read_head(call)) {
        return false;
    }
    const char *field = strstr(call->head, "\r\nContent-Length: ");
    const size_t length = field == NULL ? 0 : strtoul(field + 18, NULL, 10);
    while (call->body.n < length) {
        char bytes[16384];
        const size_t left = length - call->body.n;
        const size_t n = read_some(call, bytes, left < sizeof(bytes) ? left : sizeof(bytes));
        if (n == 0 || !is_ok(buf_append(&call->body, span_of(bytes, n), &diag))) {
            return false;
        }
    }
    return true;
}

/* ---- what came ---- */

static void
say_wrong(struct arr *arr, const char *what)
{
    struct diag diag = {0};
    if (!is_ok(buf_printf(&arr->wrong, &diag, "%s\n", what))) {
        abort();
    }
}

static const char *
detail_of(const json_t *entity, size_t i)
{
    const json_t *detail = json_array_get(json_object_get(entity, "detail"), i);
    const char *text = json_string_value(json_object_get(detail, "valueString"));
    return text == NULL ? "?" : text;
}

static void
name_of(const json_t *resource, char name[80])
{
    const json_t *entities = json_object_get(resource, "entity");
    const json_t *record = json_array_get(entities, json_array_size(entities) - 1);
    (void)snprintf(name, 80, "%.48s/%.24s", detail_of(record, 0), detail_of(record, 1));
}

static void
keep(struct arr *arr, const json_t *resource)
{
    char name[80];
    char *text = json_dumps(resource, JSON_COMPACT);
    name_of(resource, name);
    (void)pthread_mutex_lock(&arr->lock);
    for (size_t i = 0; i < arr->n && text != NULL; i++) {
        if (strcmp(arr->order[i], name) == 0) {
            (void)atomic_fetch_add(&arr->copies, 1);
            (void)atomic_fetch_add(&arr->differing, strcmp(arr->texts[i], text) == 0 ? 0 : 1);
            free(text);
            text = NULL;
        }
    }
    if (text != NULL && arr->n < ARR_RECORDS_MAX) {
        arr->order[arr->n] = mem_strdup(name);
        arr->texts[arr->n++] = mem_strdup(text);
    }
    (void)pthread_mutex_unlock(&arr->lock);
    free(text);
    (void)atomic_fetch_add(&arr->taken, 1);
}

static void
note_request(struct call *call)
{
    struct arr *arr = call->arr;
    char line[256];
    (void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(call->head, "\r"), call->head);
    char *version = strstr(line, " HTTP/1.1");
    if (version == NULL) {
        say_wrong(arr, "not HTTP/1.1");
    } else {
        *version = '\0';
    }
    (void)pthread_mutex_lock(&arr->lock);
    const size_t used = strlen(arr->urls);
    (void)snprintf(arr->urls + used, sizeof(arr->urls) - used, "%s%s", used == 0 ? "" : " ", line);
    (void)pthread_mutex_unlock(&arr->lock);
    if (strstr(call->head, "\r\nContent-Type: application/fhir+json") == NULL) {
        say_wrong(arr, "another Content-Type");
    }
}

/* ---- answers ---- */

static void
put(struct call *call, const char *text)
{
    struct diag diag = {0};
    if (!is_ok(buf_append_cstr(&call->out, text, &diag))) {
        abort();
    }
}

/* The next of "201 400 500". */
static int
next_status(const char **statuses)
{
    char *end = NULL;
    const int status = (int)strtol(*statuses, &end, 10);
    *statuses = end;
    return status;
}

static void
answer_entry(struct call *call, const json_t *entry, int status, bool is_first)
{
    char text[160];
    (void)snprintf(text, sizeof(text), "%s{\"response\":{\"status\":\"%d x\"%s}}",
                   is_first ? "" : ",", status,
                   status < 400 ? ""
                                : ",\"outcome\":{\"resourceType\":\"OperationOutcome\",\"issue\":"
                                  "[{\"severity\":\"error\",\"code\":\"invalid\"}]}");
    put(call, text);
    if (status >= 200 && status <= 299) {
        keep(call->arr, json_object_get(entry, "resource"));
    }
}

static void
answer_batch(struct call *call, const json_t *bundle, const char *statuses)
{
    const json_t *entries = json_object_get(bundle, "entry");
    put(call, "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\",\"entry\":[");
    for (size_t i = 0; i < json_array_size(entries); i++) {
        answer_entry(call, json_array_get(entries, i),
                     statuses == NULL ? 201 : next_status(&statuses), i == 0);
    }
    put(call, "]}");
}

static void
send_answer(struct call *call, int status, const char *head, size_t cut)
{
    char lines[1024];
    (void)snprintf(lines, sizeof(lines),
                   "HTTP/1.1 %d x\r\nContent-Type: application/fhir+json\r\n%s"
                   "Content-Length: %zu\r\n\r\n",
                   status, head == NULL ? "" : head, call->out.n);
    (void)SSL_write(call->ssl, lines, (int)strlen(lines));
    const size_t n = cut > 0 && cut < call->out.n ? cut : call->out.n;
    if (n > 0) {
        (void)SSL_write(call->ssl, call->out.p, (int)n);
    }
    ERR_clear_error();
}

static void
take(struct call *call, const json_t *root, const char *statuses)
{
    if (call->is_batch) {
        answer_batch(call, root, statuses);
    } else {
        keep(call->arr, root);
        put(call, "{\"resourceType\":\"OperationOutcome\"}");
    }
}

static void
hang(struct call *call)
{
    char byte = 0;
    (void)atomic_fetch_add(&call->arr->hanging, 1);
    (void)read_some(call, &byte, 1);
    call->ends = true;
}

static void
act(struct call *call, const struct arr_step *step, const json_t *root)
{
    const int good = call->is_batch ? 200 : 201;
    switch (step->manner) {
    case ARR_TAKES:
    case ARR_MIXES:
        take(call, root, step->manner == ARR_MIXES ? step->statuses : NULL);
        send_answer(call, good, NULL, 0);
        return;
    case ARR_SAYS:
        put(call, step->body == NULL ? "" : step->body);
        send_answer(call, step->status, step->head, 0);
        return;
    case ARR_CUTS:
        take(call, root, NULL);
        send_answer(call, good, NULL, 10);
        call->ends = true;
        return;
    case ARR_DROPS:
        take(call, root, NULL);
        call->ends = true;
        return;
    case ARR_HANGS:
        break;
    }
    hang(call);
}

/* ---- the server ---- */

static void
check_resource(struct arr *arr, const json_t *root)
{
    if (root == NULL) {
        say_wrong(arr, "not JSON");
    } else {
        fhir_rules_check(root, &arr->wrong);
    }
}

static void
serve_request(struct call *call)
{
    static const struct arr_step takes = {.manner = ARR_TAKES};
    static const struct arr_step no_batch = {.manner = ARR_SAYS, .status = 404};
    struct arr *arr = call->arr;
    json_t *root = json_loadb(call->body.p == NULL ? "" : call->body.p, call->body.n,
                              JSON_REJECT_DUPLICATES, NULL);
    const char *type = json_string_value(json_object_get(root, "resourceType"));
    call->is_batch = type != NULL && strcmp(type, "Bundle") == 0;
    buf_reset(&call->out);
    note_request(call);
    check_resource(arr, root);
    (void)atomic_fetch_add(&arr->batches, call->is_batch ? 1 : 0);
    const size_t at = atomic_fetch_add(&arr->requests, 1);
    const bool is_refused = call->is_batch && arr->has_no_batch;
    act(call, is_refused ? &no_batch : at < arr->script_n ? &arr->script[at] : &takes, root);
    json_decref(root);
}

static bool
shake_hands(struct call *call)
{
    while (!is_stopping(call)) {
        const int result = SSL_accept(call->ssl);
        const int error = SSL_get_error(call->ssl, result);
        ERR_clear_error();
        if (result == 1 || error != SSL_ERROR_WANT_READ) {
            return result == 1;
        }
    }
    return false;
}

static void
serve(struct arr *arr, int fd)
{
    const struct timeval tick = {0, TICK_MS * 1000};
    struct call call = {.arr = arr};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick));
    buf_init(&call.body, BODY_MAX);
    buf_init(&call.out, OUT_MAX);
    call.ssl = SSL_new(arr->context);
    if (call.ssl != NULL && SSL_set_fd(call.ssl, fd) == 1 && shake_hands(&call)) {
        (void)atomic_fetch_add(&arr->handshakes, 1);
        while (!call.ends && read_request(&call)) {
            serve_request(&call);
        }
    }
    SSL_free(call.ssl);
    (void)close(fd);
    buf_done(&call.body);
    buf_done(&call.out);
}

static void *
run(void *arg)
{
    struct arr *arr = arg;
    while (!atomic_load(&arr->is_stopping)) {
        struct pollfd readable = {.fd = arr->fd, .events = POLLIN};
        if (poll(&readable, 1, TICK_MS) == 1) {
            const int fd = accept4(arr->fd, NULL, NULL, SOCK_CLOEXEC);
            if (fd >= 0) {
                (void)atomic_fetch_add(&arr->connections, 1);
                serve(arr, fd);
            }
        }
    }
    return NULL;
}

static bool
listen_on(struct arr *arr, uint16_t port)
{
    const int on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    socklen_t n = sizeof(address);
    arr->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(arr->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(arr->fd, (struct sockaddr *)&address, n) != 0 || listen(arr->fd, 64) != 0 ||
        getsockname(arr->fd, (struct sockaddr *)&address, &n) != 0) {
        return false;
    }
    arr->port = ntohs(address.sin_port);
    return true;
}

bool
arr_start(struct arr *arr, const struct credential *credential, uint16_t port)
{
    struct diag diag = {0};
    (void)pthread_mutex_init(&arr->lock, NULL);
    atomic_store(&arr->is_stopping, false);
    if (arr->wrong.limit == 0) {
        buf_init(&arr->wrong, WRONG_MAX);
    }
    return CHECK_OK(&diag, tls_server_context(credential, fixture_pki()->trust, 0, &diag,
                                              &arr->context)) &&
           listen_on(arr, port) && pthread_create(&arr->thread, NULL, run, arr) == 0;
}

void
arr_stop(struct arr *arr)
{
    atomic_store(&arr->is_stopping, true);
    (void)pthread_join(arr->thread, NULL);
    (void)close(arr->fd);
    SSL_CTX_free(arr->context);
}

void
arr_done(struct arr *arr)
{
    CHECK_SPAN(buf_span(&arr->wrong), "");
    buf_done(&arr->wrong);
    for (size_t i = 0; i < arr->n; i++) {
        mem_free(arr->order[i]);
        mem_free(arr->texts[i]);
    }
}

const char *
arr_order(struct arr *arr)
{
    static char text[65536];
    size_t used = 0;
    text[0] = '\0';
    (void)pthread_mutex_lock(&arr->lock);
    for (size_t i = 0; i < arr->n && used + 100 < sizeof(text); i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i == 0 ? "" : " ",
                                 arr->order[i]);
    }
    (void)pthread_mutex_unlock(&arr->lock);
    return text;
}

bool
arr_wait_taken(struct arr *arr, size_t n)
{
    unsigned looks = 0;
    while (atomic_load(&arr->taken) - atomic_load(&arr->copies) < n) {
        if (!unit_wait(&looks)) {
            return false;
        }
    }
    return true;
}

bool
arr_wait_requests(struct arr *arr, size_t n)
{
    unsigned looks = 0;
    while (atomic_load(&arr->requests) < n) {
        if (!unit_wait(&looks)) {
            return false;
        }
    }
    return true;
}
