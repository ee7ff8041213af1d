/*
 * The blocking HTTPS client (see post.h): one easy handle per request on a multi handle that keeps
 * the connection, and libcurl's poll with the stop's descriptor beside its own. Called by senders
 * of audit records on their threads.
 */
#include "out/post.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "certs/tls.h"
#include "out/parts.h"

#define CONNECT_TIMEOUT_MS 10000L
#define POLL_MS_MAX        60000
#define HEADERS_BYTES_MAX  ((size_t)64 * 1024)
#define RETRY_AFTER_S_MAX  INT64_C(86400)
#define KEEP_IDLE_S        50L
#define KEEP_S             3600L /* a proven server is proven again after an hour at the latest */

struct poster {
    struct poster_options options;
    char server[256];
    char certificate_name[256];
    CURLM *multi; /* NULL: no connection is kept */
    uint64_t sent_bytes;
};

/* One request. */
struct posting {
    struct poster *poster;
    const struct post_request *request;
    struct post_answer *answer;
    struct curl_slist *headers;
    size_t head_bytes;
    char text[CURL_ERROR_SIZE];
    struct diag found; /* by one of our callbacks; else curl's own text says it */
};

/* ---- what curl calls ---- */

static bool
is_address(const char *host)
{
    unsigned char binary[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, binary) == 1 || inet_pton(AF_INET6, host, binary) == 1;
}

/* OpenSSL's own verification compares, so a wrong name fails the handshake with an alert. */
static bool
want_name(SSL_CTX *context, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return is_address(name) ? X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1
                            : X509_VERIFY_PARAM_set1_host(param, name, strlen(name)) == 1;
}

static CURLcode
prepare_tls(CURL *easy, void *ssl_context, void *arg)
{
    struct posting *posting = arg;
    const struct poster *poster = posting->poster;
    SSL_CTX *context = ssl_context;
    (void)easy;
    if (!is_ok(tls_client_context_prepare(context, poster->options.credential,
                                          poster->options.trust, false, &posting->found))) {
        return CURLE_SSL_CERTPROBLEM;
    }
    SSL_CTX_set_keylog_callback(context, NULL); /* curl's, which the environment switches on */
    return want_name(context, poster->certificate_name) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

static size_t
take_head(char *bytes, size_t size, size_t n, void *arg)
{
    struct posting *posting = arg;
    (void)bytes;
    posting->head_bytes += size * n;
    if (posting->head_bytes > HEADERS_BYTES_MAX) {
        const struct status st = FAIL(&posting->found, ERR_PARTNER_ANSWER,
                                      "expected at most %zu bytes of headers from %s, got more",
                                      HEADERS_BYTES_MAX, posting->poster->server);
        (void)st;
        return 0;
    }
    return size * n;
}

static size_t
take_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct posting *posting = arg;
    struct diag diag = {0};
    const struct status st = buf_append(&posting->answer->body, span_of(bytes, size * n), &diag);
    if (is_ok(st)) {
        return size * n;
    }
    const struct status told =
        st.code == ERR_LIMIT_BUFFER
            ? FAIL(&posting->found, ERR_PARTNER_ANSWER,
                   "expected an answer of at most %zu bytes from %s, got more",
                   posting->poster->options.answer_max, posting->poster->server)
            : FAIL(&posting->found, st.code, "%s", diag.text);
    (void)told;
    return 0;
}

/* ---- what curl is told ---- */

static CURLcode
set_headers(CURL *easy, struct posting *posting)
{
    /* without "Expect:" curl would wait a second for 100 Continue before a large body */
    bool has_all = out_add_header(&posting->headers, "Expect:");
    for (size_t i = 0; has_all && i < posting->request->headers_n; i++) {
        has_all = out_add_header(&posting->headers, posting->request->headers[i]);
    }
    if (!has_all) {
        return CURLE_OUT_OF_MEMORY;
    }
    return curl_easy_setopt(easy, CURLOPT_HTTPHEADER, posting->headers);
}

static CURLcode
set_request(CURL *easy, struct posting *posting)
{
    const struct post_request *request = posting->request;
    OUT_SET(CURLOPT_URL, request->url);
    OUT_SET(CURLOPT_PATH_AS_IS, 1L);
    OUT_SET(CURLOPT_POST, 1L);
    OUT_SET(CURLOPT_CUSTOMREQUEST, request->method);
    OUT_SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
    OUT_SET(CURLOPT_POSTFIELDS, request->body.n == 0 ? "" : request->body.p);
    OUT_SET(CURLOPT_HEADERFUNCTION, take_head);
    OUT_SET(CURLOPT_HEADERDATA, posting);
    OUT_SET(CURLOPT_WRITEFUNCTION, take_body);
    OUT_SET(CURLOPT_WRITEDATA, posting);
    OUT_SET(CURLOPT_ERRORBUFFER, posting->text);
    OUT_SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    OUT_SET(CURLOPT_TCP_NODELAY, 1L);
    OUT_SET(CURLOPT_TCP_KEEPALIVE, 1L);
    OUT_SET(CURLOPT_MAXAGE_CONN, KEEP_IDLE_S);
    OUT_SET(CURLOPT_MAXLIFETIME_CONN, KEEP_S);
    return set_headers(easy, posting);
}

static CURLcode
set_options(CURL *easy, struct posting *posting)
{
    CURLcode code = out_set_boundaries(easy, "https");
    code = code != CURLE_OK ? code : out_set_tls(easy, prepare_tls, posting);
    return code != CURLE_OK ? code : set_request(easy, posting);
}

/* ---- the exchange ---- */

static struct status
explain(const struct posting *posting, CURLcode code, struct diag *diag)
{
    const char *text = posting->text[0] != '\0' ? posting->text : curl_easy_strerror(code);
    if (posting->found.code != ERR_NONE) {
        return FAIL(diag, posting->found.code, "%s", posting->found.text);
    }
    return FAIL(diag, explain_error_of(code), "expected an answer from %s, got: %s",
                posting->poster->server, text);
}

static struct status
wait_more(struct poster *poster, const struct out_wait *wait, struct diag *diag)
{
    struct curl_waitfd stop = {.fd = wait->stop_fd, .events = CURL_WAIT_POLLIN};
    const bool is_stopping = out_wait_is_stopping(wait);
    const int64_t left_us = out_wait_left_us(wait);
    const int64_t left_ms = left_us / US_PER_MS + 1;
    if (left_us == 0 && is_stopping) {
        return FAIL(diag, ERR_SHUTTING_DOWN, "the node stops and does not wait for %s",
                    poster->server);
    }
    if (left_us == 0) {
        return FAIL(diag, ERR_PARTNER_TIMEOUT, "expected an answer from %s in time, got none",
                    poster->server);
    }
    /* once the stop has begun its descriptor is readable all the time */
    const CURLMcode code =
        curl_multi_poll(poster->multi, &stop, is_stopping ? 0 : 1,
                        left_ms > POLL_MS_MAX ? POLL_MS_MAX : (int)left_ms, NULL);
    return code == CURLM_OK ? OK
                            : FAIL(diag, ERR_INTERNAL, "libcurl: %s", curl_multi_strerror(code));
}

static struct status
run(struct posting *posting, const struct out_wait *wait, struct diag *diag)
{
    struct poster *poster = posting->poster;
    for (;;) {
        int running = 0;
        int left = 0;
        const CURLMcode code = curl_multi_perform(poster->multi, &running);
        if (code != CURLM_OK) {
            return FAIL(diag, ERR_INTERNAL, "libcurl: %s", curl_multi_strerror(code));
        }
        const CURLMsg *message = curl_multi_info_read(poster->multi, &left);
        if (message != NULL && message->msg == CURLMSG_DONE) {
            return message->data.result == CURLE_OK ? OK
                                                    : explain(posting, message->data.result, diag);
        }
        TRY(wait_more(poster, wait, diag));
    }
}

static void
note_answer(CURL *easy, struct posting *posting)
{
    struct post_answer *answer = posting->answer;
    long status = 0;
    char *type = NULL;
    curl_off_t retry_s = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    (void)curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_s);
    answer->status = (int)status;
    (void)snprintf(answer->type, sizeof(answer->type), "%s", type == NULL ? "" : type);
    answer->retry_after_us =
        (retry_s > RETRY_AFTER_S_MAX ? RETRY_AFTER_S_MAX : (int64_t)retry_s) * US_PER_S;
}

static struct status
exchange(CURL *easy, struct posting *posting, const struct out_wait *wait, struct diag *diag)
{
    struct poster *poster = posting->poster;
    curl_off_t sent = 0;
    const CURLcode code = set_options(easy, posting);
    if (code != CURLE_OK) {
        return explain(posting, code, diag);
    }
    if (curl_multi_add_handle(poster->multi, easy) != CURLM_OK) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a request to %s", poster->server);
    }
    const struct status st = run(posting, wait, diag);
    (void)curl_multi_remove_handle(poster->multi, easy);
    (void)curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    poster->sent_bytes += sent > 0 ? (uint64_t)sent : 0;
    if (is_ok(st)) {
        note_answer(easy, posting);
    }
    return st;
}

static struct status
need_multi(struct poster *poster, struct diag *diag)
{
    if (poster->multi == NULL) {
        poster->multi = curl_multi_init();
    }
    return poster->multi != NULL &&
                   curl_multi_setopt(poster->multi, CURLMOPT_MAXCONNECTS, 1L) == CURLM_OK
               ? OK
               : FAIL(diag, ERR_NO_MEMORY, "no memory for a connection to %s", poster->server);
}

struct status
poster_ask(struct poster *poster, const struct out_wait *wait, const struct post_request *request,
           struct diag *diag, struct post_answer *answer)
{
    struct posting posting = {.poster = poster, .request = request, .answer = answer};
    answer->body.limit = poster->options.answer_max;
    TRY(need_multi(poster, diag));
    CURL *easy = curl_easy_init();
    if (easy == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a request to %s", poster->server);
    }
    const struct status st = exchange(easy, &posting, wait, diag);
    curl_easy_cleanup(easy);
    curl_slist_free_all(posting.headers);
    return st;
}

/* ---- its life ---- */

struct status
poster_open(const struct poster_options *options, struct diag *diag, struct poster **ret_poster)
{
    TRY(out_start_libraries(diag));
    struct poster *poster = mem_alloc(sizeof(*poster));
    if (poster == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a client of %s", options->server);
    }
    poster->options = *options;
    (void)snprintf(poster->server, sizeof(poster->server), "%s", options->server);
    (void)snprintf(poster->certificate_name, sizeof(poster->certificate_name), "%s",
                   options->certificate_name);
    poster->options.server = poster->server;
    poster->options.certificate_name = poster->certificate_name;
    poster->options.config = options->config == NULL ? NULL : config_ref(options->config);
    *ret_poster = poster;
    return OK;
}

void
poster_hang_up(struct poster *poster)
{
    if (poster->multi != NULL) {
        (void)curl_multi_cleanup(poster->multi);
        poster->multi = NULL;
    }
}

void
poster_close(struct poster *poster)
{
    if (poster == NULL) {
        return;
    }
    poster_hang_up(poster);
    config_unref(poster->options.config);
    mem_free(poster);
}

uint64_t
poster_sent_bytes(const struct poster *poster)
{
    return poster->sent_bytes;
}

void
post_answer_init(struct post_answer *answer)
{
    *answer = (struct post_answer){.status = 0};
    buf_init_secret(&answer->body, 0);
}

void
post_answer_done(struct post_answer *answer)
{
    buf_done(&answer->body);
    post_answer_init(answer);
}
