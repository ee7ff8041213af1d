/*
 * One exchange from its start to its answer: what curl is told, what it hands over, and how its
 * results become ours. Engine's thread only. The transfer owns the request and the answer so far;
 * done gets the answer and the transfer is freed.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "out/parts.h"

#define HEAD_MAX           ((size_t)64 * 1024) /* bytes of an answer's status line and headers */
#define CONNECT_TIMEOUT_MS 10000L
#define DAY_MS             (INT64_C(24) * 3600 * 1000)
#define KEEP_IDLE_S        50L   /* less than our own listeners keep an idle connection */
#define KEEP_S             3600L /* a proven server is proven again after an hour at the latest */

/* ---- what curl hands over ---- */

static bool
is_header(struct span line, struct span name)
{
    return line.n > name.n && line.p[name.n] == ':' &&
           span_eq_nocase(span_slice(line, 0, name.n), name);
}

/* curl calls this once per line; a status line starts a head, an empty line ends it. */
static void
note_line(struct answer_head *head, struct span line)
{
    if (span_starts_with(line, SPAN("HTTP/"))) {
        head->is_whole = head->has_length = head->is_chunked = false;
    }
    head->is_whole = head->is_whole || span_trim(line).n == 0;
    head->has_length = head->has_length || is_header(line, SPAN("Content-Length"));
    head->is_chunked = head->is_chunked || is_header(line, SPAN("Transfer-Encoding"));
}

static size_t
take_head(char *bytes, size_t size, size_t n, void *arg)
{
    struct transfer *transfer = arg;
    transfer->head.bytes += size * n;
    if (transfer->head.bytes > HEAD_MAX) {
        const struct status st =
            FAIL(&transfer->diag, ERR_PARTNER_ANSWER,
                 "partner '%s': expected at most %zu bytes of headers, got more",
                 transfer->request.partner->id, HEAD_MAX);
        (void)st;
        return 0;
    }
    note_line(&transfer->head, span_of(bytes, size * n));
    return size * n;
}

static void
note_stale(struct transfer *transfer)
{
    const struct status st =
        FAIL(&transfer->diag, ERR_PARTNER_UNREACHABLE,
             "partner '%s': the kept connection was closed before an answer; ask again",
             transfer->request.partner->id);
    (void)st;
    transfer->is_stale = true;
}

/* The connection is proven, new or kept; the request goes next. If it has gone before, curl wants
 * to send the same bytes again: never. */
static int
note_secured(void *arg, char *peer, char *local, int peer_port, int local_port)
{
    struct transfer *transfer = arg;
    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    if (transfer->is_secured) {
        note_stale(transfer);
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->is_connected = transfer->is_secured = true;
    return CURL_PREREQFUNC_OK;
}

static bool
has_room(struct transfer *transfer, size_t n)
{
    struct budget *budget = transfer->request.budget;
    if (budget == NULL || budget_take(budget, &transfer->held, n)) {
        return true;
    }
    const struct status st = FAIL(
        &transfer->diag, ERR_TOO_MANY_RESULTS,
        "partner '%s': its answer does not fit beside those of the others (%zu bytes had come); "
        "ask fewer communities at a time, or raise limits.answers",
        transfer->request.partner->id, transfer->answer.n);
    (void)st;
    return false;
}

static size_t
take_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct transfer *transfer = arg;
    struct diag diag = {.code = ERR_NONE};
    if (!has_room(transfer, size * n)) {
        return 0;
    }
    const struct status st = buf_append(&transfer->answer, span_of(bytes, size * n), &diag);
    if (is_ok(st)) {
        return size * n;
    }
    const enum err error = st.code == ERR_LIMIT_BUFFER ? ERR_PARTNER_ANSWER : st.code;
    const struct status failed =
        FAIL(&transfer->diag, error, "partner '%s': expected an answer of at most %zu bytes: %s",
             transfer->request.partner->id, transfer->request.answer_limit, diag.text);
    (void)failed;
    return 0;
}

/* ---- what curl is told ---- */

static CURLcode
set_headers(struct transfer *transfer)
{
    char content_type[OUT_CONTENT_TYPE_MAX + 32];
    (void)snprintf(content_type, sizeof(content_type), "Content-Type: %s",
                   transfer->request.content_type);
    /* without "Expect:" curl would wait a second for 100 Continue before a large body */
    if (!out_add_header(&transfer->headers, content_type) ||
        !out_add_header(&transfer->headers, "Expect:")) {
        return CURLE_OUT_OF_MEMORY;
    }
    return curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

/* Trust is peer_check.c's: curl's own lists of authorities stay unread, and no session is resumed,
 * since a resumed one would skip the check. */
static CURLcode
set_tls(CURL *easy, struct transfer *transfer)
{
    OUT_SET(CURLOPT_SSL_CTX_FUNCTION, peer_check_prepare);
    OUT_SET(CURLOPT_SSL_CTX_DATA, transfer);
    OUT_SET(CURLOPT_SSL_VERIFYPEER, 1L);
    OUT_SET(CURLOPT_SSL_VERIFYHOST, 0L); /* peer_check.c says why */
    OUT_SET(CURLOPT_CAINFO, NULL);
    OUT_SET(CURLOPT_CAPATH, NULL);
    OUT_SET(CURLOPT_CA_CACHE_TIMEOUT, 0L);
    OUT_SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    OUT_SET(CURLOPT_SSL_ENABLE_ALPN, 0L);
    return CURLE_OK;
}

/* Its status is known at the handshake only: then no connection is older than an answer may be. */
static long
keep_s(const struct engine *engine)
{
    const struct config_trust *trust =
        config_trust_of(engine->config, engine->config->partner_trust);
    const int64_t cache_s = trust == NULL ? KEEP_S : trust->status.cache_us / US_PER_S;
    return engine->status != NULL && cache_s < KEEP_S ? (long)cache_s : KEEP_S;
}

int64_t
transfer_left_us(const struct transfer *transfer)
{
    return transfer->allowed_us - (clock_mono_us(transfer->engine->clock) - transfer->start_us);
}

static CURLcode
set_limits(CURL *easy, const struct transfer *transfer)
{
    const int64_t ms = (transfer_left_us(transfer) + US_PER_MS - 1) / US_PER_MS;
    const long timeout_ms = (long)(ms > DAY_MS ? DAY_MS : ms < 1 ? 1 : ms);
    OUT_SET(CURLOPT_TIMEOUT_MS, timeout_ms);
    OUT_SET(CURLOPT_CONNECTTIMEOUT_MS,
            timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS);
    OUT_SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)transfer->request.answer_limit);
    OUT_SET(CURLOPT_FRESH_CONNECT, transfer->request.is_fresh ? 1L : 0L);
    OUT_SET(CURLOPT_TCP_NODELAY, 1L);
    OUT_SET(CURLOPT_TCP_KEEPALIVE, 1L);
    OUT_SET(CURLOPT_MAXAGE_CONN, KEEP_IDLE_S);
    OUT_SET(CURLOPT_MAXLIFETIME_CONN, keep_s(transfer->engine));
    return CURLE_OK;
}

static CURLcode
set_exchange(CURL *easy, struct transfer *transfer)
{
    const struct buf *body = &transfer->request.body;
    OUT_SET(CURLOPT_URL, transfer->request.url);
    OUT_SET(CURLOPT_PATH_AS_IS, 1L);
    OUT_SET(CURLOPT_POST, 1L);
    OUT_SET(CURLOPT_POSTFIELDS, body->n == 0 ? "" : body->p);
    OUT_SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->n);
    OUT_SET(CURLOPT_HEADERFUNCTION, take_head);
    OUT_SET(CURLOPT_HEADERDATA, transfer);
    OUT_SET(CURLOPT_PREREQFUNCTION, note_secured);
    OUT_SET(CURLOPT_PREREQDATA, transfer);
    OUT_SET(CURLOPT_WRITEFUNCTION, take_body);
    OUT_SET(CURLOPT_WRITEDATA, transfer);
    OUT_SET(CURLOPT_ERRORBUFFER, transfer->curl_text);
    OUT_SET(CURLOPT_PRIVATE, transfer);
    return set_headers(transfer);
}

static CURLcode
set_options(struct transfer *transfer)
{
    CURLcode code = out_set_boundaries(transfer->easy, "https");
    code = code != CURLE_OK ? code : set_tls(transfer->easy, transfer);
    code = code != CURLE_OK ? code : set_limits(transfer->easy, transfer);
    return code != CURLE_OK ? code : set_exchange(transfer->easy, transfer);
}

/* ---- the end ---- */

void
transfer_disconnect(struct transfer *transfer)
{
    pool_remove(transfer->pool, transfer);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    transfer->easy = NULL;
    transfer->headers = NULL;
}

static void
release(struct transfer *transfer)
{
    if (transfer->previous != NULL) {
        transfer->previous->next = transfer->next;
    } else {
        transfer->engine->transfers = transfer->next;
    }
    if (transfer->next != NULL) {
        transfer->next->previous = transfer->previous;
    }
    transfer_disconnect(transfer);
    buf_done(&transfer->request.body);
    buf_done(&transfer->answer);
    if (server_status_release(transfer)) {
        mem_free(transfer);
    }
}

static void
copy_text(char *to, size_t size, const char *from)
{
    (void)snprintf(to, size, "%s", from == NULL ? "" : from);
}

/* Everything that is of interest also when it failed. */
static void
fill_facts(const struct transfer *transfer, struct out_answer *answer)
{
    const char *address = NULL;
    long status = 0;
    answer->elapsed_us = clock_mono_us(transfer->engine->clock) - transfer->start_us;
    body_init(&answer->body);
    if (transfer->easy == NULL) {
        return;
    }
    if (curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &address) == CURLE_OK) {
        copy_text(answer->peer_address, sizeof(answer->peer_address), address);
    }
    if (curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK) {
        answer->http_status = (int)status;
    }
}

static void
give(struct transfer *transfer, struct out_answer *answer)
{
    const out_done done = transfer->done;
    void *arg = transfer->arg;
    if (answer->error == ERR_NONE) {
        answer->held = transfer->held;
    } else if (transfer->request.budget != NULL) {
        budget_give(transfer->request.budget, &transfer->held);
    }
    release(transfer);
    done(arg, answer);
}

void
transfer_fail(struct transfer *transfer, enum err error, const char *why)
{
    struct out_answer answer = {.error = error};
    fill_facts(transfer, &answer);
    copy_text(answer.detail, sizeof(answer.detail), why);
    give(transfer, &answer);
}

/* A URL that we may repeat: whatever else stands in a record may hold a password. */
static const char *
shown_url(const struct out_request *request)
{
    const bool is_plain =
        strncmp(request->url, "https://", 8) == 0 && strchr(request->url, '@') == NULL;
    return is_plain ? request->url : "the URL of its record";
}

static const char *
stage_of(const struct transfer *transfer)
{
    if (transfer->head.bytes > 0) {
        return "a part of an answer";
    }
    if (transfer->is_secured) {
        return "no answer";
    }
    return transfer->is_connected ? "no end of the TLS handshake" : "no connection";
}

#define CORRECT_URL "correct the URL in its record"
/* A server that refuses our certificate and closes at once can lose its own alert on the way. */
#define CUT                                                                                        \
    "the partner closed the connection; ask again, and if it always does, see whether it refuses " \
    "our certificate (its log)"

static const struct {
    CURLcode code;
    enum err error;
    const char *advice;
} failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERR_PARTNER_UNREACHABLE,
     "check the host in its record and this machine's name service"},
    {CURLE_COULDNT_CONNECT, ERR_PARTNER_UNREACHABLE,
     "check host and port in its record and the firewalls on the way"},
    {CURLE_SSL_CONNECT_ERROR, ERR_PARTNER_TLS,
     "compare TLS versions and suites with the partner, and whether it trusts our certificate"},
    {CURLE_PEER_FAILED_VERIFICATION, ERR_PARTNER_TLS, "check the partner's certificate"},
    {CURLE_SSL_CERTPROBLEM, ERR_PARTNER_TLS, "check the credential of this node"},
    {CURLE_SSL_CIPHER, ERR_PARTNER_TLS, "the partner offers no suite of ours"},
    {CURLE_SEND_ERROR, ERR_PARTNER_UNREACHABLE, CUT},
    {CURLE_RECV_ERROR, ERR_PARTNER_UNREACHABLE, CUT},
    {CURLE_GOT_NOTHING, ERR_PARTNER_UNREACHABLE,
     "the partner closed the connection without an answer; its log may say why"},
    {CURLE_PARTIAL_FILE, ERR_PARTNER_UNREACHABLE,
     "the partner closed the connection inside its answer; ask again"},
    {CURLE_FILESIZE_EXCEEDED, ERR_PARTNER_ANSWER, "its answer is larger than this node accepts"},
    {CURLE_WEIRD_SERVER_REPLY, ERR_PARTNER_ANSWER, "is this a web service?"},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_PARTNER_ANSWER, "only HTTP/1.1 over https is spoken here"},
    {CURLE_BAD_CONTENT_ENCODING, ERR_PARTNER_ANSWER, "the answer is damaged"},
    {CURLE_URL_MALFORMAT, ERR_PARTNER_UNREACHABLE, CORRECT_URL},
    {CURLE_LOGIN_DENIED, ERR_PARTNER_UNREACHABLE, CORRECT_URL},
    {CURLE_OUT_OF_MEMORY, ERR_NO_MEMORY, "this node has no memory left"},
};

static void
describe(const struct transfer *transfer, CURLcode code, struct diag *diag)
{
    const struct out_request *request = &transfer->request;
    const char *text =
        transfer->curl_text[0] != '\0' ? transfer->curl_text : curl_easy_strerror(code);
    enum err error = ERR_PARTNER_UNREACHABLE;
    const char *advice = "ask the partner";
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        if (failures[i].code == code) {
            error = failures[i].error;
            advice = failures[i].advice;
        }
    }
    if (code == CURLE_UNSUPPORTED_PROTOCOL && !transfer->is_connected) {
        error = ERR_PARTNER_UNREACHABLE; /* the URL's protocol, not the answer's */
        advice = CORRECT_URL;
    } else if (code == CURLE_OUT_OF_MEMORY && transfer->is_secured && !transfer->head.is_whole) {
        error = ERR_PARTNER_ANSWER; /* so curl calls a header line above its limit of 100 KB */
        advice = "a header line of its answer is too long, or this node has no memory left";
    }
    const struct status st =
        FAIL(diag, error, "partner '%s': expected an answer from %s, got: %s; %s",
             request->partner->id, shown_url(request), text, advice);
    (void)st;
}

/* A kept connection that failed before a byte of an answer, where curl did not try again. */
static bool
is_cut_early(const struct transfer *transfer, CURLcode code)
{
    long opened = 1;
    return (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING) &&
           transfer->diag.code == ERR_NONE && transfer->head.bytes == 0 &&
           curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &opened) == CURLE_OK &&
           opened == 0;
}

/* The first that failed says why: one of our callbacks, the clock, or curl. */
static void
explain(struct transfer *transfer, CURLcode code, struct out_answer *answer)
{
    struct diag diag = transfer->diag;
    if (diag.code == ERR_NONE && code == CURLE_OPERATION_TIMEDOUT) {
        const struct status st =
            FAIL(&diag, ERR_PARTNER_TIMEOUT,
                 "partner '%s': expected an answer from %s within %" PRId64 " ms, got %s",
                 transfer->request.partner->id, shown_url(&transfer->request),
                 transfer->allowed_us / US_PER_MS, stage_of(transfer));
        (void)st;
    } else if (diag.code == ERR_NONE) {
        describe(transfer, code, &diag);
    }
    answer->error = diag.code;
    answer->is_stale = transfer->is_stale || is_cut_early(transfer, code);
    copy_text(answer->detail, sizeof(answer->detail), diag.text);
}

static struct status
take_content_type(const struct transfer *transfer, struct diag *diag, struct out_answer *answer)
{
    char *content_type = NULL;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &content_type);
    if (content_type != NULL && strlen(content_type) >= sizeof(answer->content_type)) {
        return FAIL(diag, ERR_PARTNER_ANSWER,
                    "partner '%s': expected a Content-Type below %zu bytes, got %zu",
                    transfer->request.partner->id, sizeof(answer->content_type),
                    strlen(content_type));
    }
    copy_text(answer->content_type, sizeof(answer->content_type), content_type);
    return OK;
}

/* The library takes the end of a connection for the end of an answer, at any place and without
 * TLS's own end (close_notify), so that whoever is on the way could cut an answer unseen. Hence
 * every answer must say how long it is. */
static struct status
check_whole(const struct transfer *transfer, int status, struct diag *diag)
{
    const struct answer_head *head = &transfer->head;
    const char *id = transfer->request.partner->id;
    if (!head->is_whole) {
        return FAIL(diag, ERR_PARTNER_UNREACHABLE,
                    "partner '%s': the connection ended inside the head of its answer; ask again",
                    id);
    }
    if (head->has_length == head->is_chunked && status != 204) {
        return FAIL(
            diag, ERR_PARTNER_ANSWER,
            "partner '%s': expected an answer with either Content-Length or chunks, got %s; "
            "its end could not be known",
            id, head->has_length ? "both" : "neither");
    }
    return OK;
}

static struct status
take_answer(struct transfer *transfer, struct diag *diag, struct out_answer *answer)
{
    TRY(check_whole(transfer, answer->http_status, diag));
    TRY(take_content_type(transfer, diag, answer));
    body_from_buf(&answer->body, &transfer->answer);
    return OK;
}

void
transfer_finish(struct transfer *transfer, CURLcode code)
{
    struct out_answer answer = {.error = ERR_NONE};
    if (server_status_park(transfer)) {
        return;
    }
    fill_facts(transfer, &answer);
    const bool is_good = code == CURLE_OK && is_ok(take_answer(transfer, &transfer->diag, &answer));
    if (!is_good) {
        explain(transfer, code, &answer);
    }
    give(transfer, &answer);
}

/* ---- the start ---- */

static void
link_transfer(struct transfer *transfer)
{
    struct engine *engine = transfer->engine;
    transfer->next = engine->transfers;
    if (transfer->next != NULL) {
        transfer->next->previous = transfer;
    }
    engine->transfers = transfer;
}

static struct status
start(struct transfer *transfer, struct diag *diag)
{
    const struct partner *partner = transfer->request.partner;
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for an exchange with '%s'", partner->id);
    }
    const CURLcode code = set_options(transfer);
    if (code != CURLE_OK) {
        return FAIL(diag, code == CURLE_OUT_OF_MEMORY ? ERR_NO_MEMORY : ERR_INTERNAL,
                    "an exchange with '%s' cannot be prepared: %s", partner->id,
                    curl_easy_strerror(code));
    }
    return pool_add(transfer->pool, transfer, diag);
}

void
transfer_again(struct transfer *transfer)
{
    struct diag diag = {.code = ERR_NONE};
    buf_reset(&transfer->answer);
    transfer->is_connected = transfer->is_secured = false;
    transfer->head = (struct answer_head){.bytes = 0};
    transfer->diag = diag;
    transfer->curl_text[0] = '\0';
    if (!is_ok(start(transfer, &diag))) {
        transfer_fail(transfer, diag.code, diag.text);
    }
}

void
transfer_start(struct transfer *transfer)
{
    const struct out_request *request = &transfer->request;
    const int64_t left_us = request->deadline_us - transfer->start_us;
    struct diag diag = {.code = ERR_NONE};
    link_transfer(transfer);
    buf_init_secret(&transfer->answer, request->answer_limit);
    transfer->allowed_us =
        left_us < request->partner->timeout_us ? left_us : request->partner->timeout_us;
    if (transfer->engine->is_stopping) {
        transfer_fail(transfer, ERR_SHUTTING_DOWN, "this node is stopping");
    } else if (transfer->allowed_us <= 0) {
        transfer_fail(transfer, ERR_PARTNER_TIMEOUT,
                      "the time of the transaction had ended before the partner was asked");
    } else if (!is_ok(start(transfer, &diag))) {
        transfer_fail(transfer, diag.code, diag.text);
    }
}
