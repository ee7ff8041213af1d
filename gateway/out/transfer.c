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

#define HEAD_MAX ((size_t)64 * 1024) /* bytes of an answer's status line and headers */

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

size_t
transfer_take_head(char *bytes, size_t size, size_t n, void *arg)
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
int
transfer_note_secured(void *arg, char *peer, char *local, int peer_port, int local_port)
{
    struct transfer *transfer = arg;
    (void)peer;
    (void)local;
    (void)peer_port;
    if (transfer->is_secured) {
        note_stale(transfer);
        return CURL_PREREQFUNC_ABORT;
    }
    if (!pool_note_secured(transfer->pool, transfer, local_port)) {
        const struct status st =
            FAIL(&transfer->diag, ERR_NO_MEMORY, "no memory for a connection to partner '%s'",
                 transfer->request.partner->id);
        (void)st;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->is_connected = transfer->is_secured = true;
    return CURL_PREREQFUNC_OK;
}

/* Only what is in memory counts against what the answers of a question may hold together. */
static bool
has_room(struct transfer *transfer, size_t n)
{
    struct budget *budget = transfer->request.budget;
    if (budget == NULL || !sink_keeps(&transfer->answer, n) ||
        budget_take(budget, &transfer->held, n)) {
        return true;
    }
    const struct status st = FAIL(
        &transfer->diag, ERR_TOO_MANY_RESULTS,
        "partner '%s': its answer does not fit beside those of the others (%llu bytes had come); "
        "ask fewer communities at a time, or raise limits.answers",
        transfer->request.partner->id, (unsigned long long)transfer->answer.size);
    (void)st;
    return false;
}

size_t
transfer_take_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct transfer *transfer = arg;
    struct diag diag = {.code = ERR_NONE};
    if (!has_room(transfer, size * n)) {
        return 0;
    }
    const struct status st = sink_append(&transfer->answer, span_of(bytes, size * n), &diag);
    if (is_ok(st)) {
        if (transfer->request.budget != NULL && sink_has_file(&transfer->answer)) {
            budget_give(transfer->request.budget, &transfer->held);
        }
        return size * n;
    }
    const struct status failed =
        st.code == ERR_LIMIT_BUFFER
            ? FAIL(&transfer->diag, ERR_PARTNER_ANSWER,
                   "partner '%s': expected an answer of at most %zu bytes: %s",
                   transfer->request.partner->id, transfer->request.answer_limit, diag.text)
            : FAIL(&transfer->diag, st.code, "partner '%s': its answer cannot be kept: %s",
                   transfer->request.partner->id, diag.text);
    (void)failed;
    return 0;
}

/* A question that has been sent is never sent again (transfer_note_secured): its bytes need no
 * memory, and no room in the spool, while the partner thinks. */
int
transfer_note_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    struct transfer *transfer = arg;
    struct body *body = &transfer->request.body;
    (void)down_total;
    (void)down;
    (void)up_total;
    if (body->size > 0 && up >= (curl_off_t)body->size && transfer->is_secured) {
        body_done(body);
    }
    return 0;
}

/* What is in files is read when curl wants it: a request of any size needs this buffer only. */
size_t
transfer_give_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct transfer *transfer = arg;
    struct diag diag = {.code = ERR_NONE};
    size_t given = 0;
    const struct status st =
        body_read(&transfer->request.body, transfer->given, bytes, size * n, &diag, &given);
    if (!is_ok(st)) {
        const struct status failed =
            FAIL(&transfer->diag, st.code, "partner '%s': the request cannot be read: %s",
                 transfer->request.partner->id, diag.text);
        (void)failed;
        return CURL_READFUNC_ABORT;
    }
    transfer->given += given;
    return given;
}

/* curl goes back to the start only to send the request once more: transfer_note_secured sees to it
 * that it does not leave. */
int
transfer_rewind_body(void *arg, curl_off_t offset, int origin)
{
    struct transfer *transfer = arg;
    if (origin != SEEK_SET || offset < 0) {
        return CURL_SEEKFUNC_CANTSEEK;
    }
    transfer->given = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* ---- time ---- */

int64_t
transfer_left_us(const struct transfer *transfer)
{
    return transfer->end_us - clock_mono_us(transfer->engine->clock);
}

bool
transfer_wait(struct transfer *transfer, event_callback_fn late)
{
    const int64_t left_us = transfer_left_us(transfer);
    const struct timeval left = {left_us / US_PER_S, left_us % US_PER_S};
    if (left_us <= 0) {
        return false;
    }
    transfer->has_timer =
        event_assign(&transfer->timer, transfer->engine->base, -1, 0, late, transfer) == 0 &&
        event_add(&transfer->timer, &left) == 0;
    return transfer->has_timer;
}

void
transfer_go_on(struct transfer *transfer)
{
    if (transfer->has_timer) {
        (void)event_del(&transfer->timer);
        transfer->has_timer = false;
    }
}

/* ---- the end ---- */

void
transfer_disconnect(struct transfer *transfer)
{
    peer_check_forget(transfer);
    if (transfer->easy != NULL) {
        pool_remove(transfer->pool, transfer);
        curl_easy_cleanup(transfer->easy);
        curl_slist_free_all(transfer->headers);
        curl_slist_free_all(transfer->pins);
    }
    transfer->easy = NULL;
    transfer->headers = transfer->pins = NULL;
}

static void
unlink_transfer(struct transfer *transfer)
{
    if (transfer->previous != NULL) {
        transfer->previous->next = transfer->next;
    } else {
        transfer->engine->transfers = transfer->next;
    }
    if (transfer->next != NULL) {
        transfer->next->previous = transfer->previous;
    }
}

static void
leave_era(struct transfer *transfer)
{
    struct engine *engine = transfer->engine;
    if (transfer->pool != NULL && --transfer->pool->era->transfers == 0 &&
        transfer->pool->era != engine->eras) {
        event_active(engine->sweep_event, EV_TIMEOUT, 0); /* not now: its pool may be at work */
    }
}

static void
release(struct transfer *transfer)
{
    unlink_transfer(transfer);
    transfer_go_on(transfer);
    names_leave(transfer);
    transfer_disconnect(transfer);
    if (transfer->pool != NULL) {
        turn_leave(transfer);
    }
    body_done(&transfer->request.body);
    sink_done(&transfer->answer);
    tickets_remove(transfer->engine, transfer);
    const bool may_go = server_status_release(transfer);
    leave_era(transfer);
    config_unref(transfer->config);
    if (may_go) {
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
    answer->tls = transfer->tls;
    answer->elapsed_us = clock_mono_us(transfer->engine->clock) - transfer->start_us;
    body_init(&answer->body);
    if (transfer->easy == NULL) {
        return;
    }
    if (transfer->request.partner->proxy_url == NULL && /* else it is the proxy's */
        curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &address) == CURLE_OK) {
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
    if (transfer->pool != NULL) {
        health_note_end(transfer, answer);
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
    if (transfer->request.is_probe) {
        answer->http_status = 0;
        return OK;
    }
    TRY(check_whole(transfer, answer->http_status, diag));
    TRY(take_content_type(transfer, diag, answer));
    return sink_finish(&transfer->answer, diag, &answer->body);
}

void
transfer_finish(struct transfer *transfer, CURLcode code)
{
    struct out_answer answer = {.error = ERR_NONE};
    if (server_status_park(transfer) || (code == CURLE_OK && probe_linger(transfer))) {
        return;
    }
    fill_facts(transfer, &answer);
    const bool is_good = code == CURLE_OK && is_ok(take_answer(transfer, &transfer->diag, &answer));
    if (!is_good) {
        if (!transfer->is_connected) {
            names_doubt(transfer);
        }
        explain_failure(transfer, code, &answer);
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
connect_it(struct transfer *transfer, struct diag *diag)
{
    const struct partner *partner = transfer->request.partner;
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for an exchange with '%s'", partner->id);
    }
    TRY(names_pin(transfer, diag));
    const CURLcode code = options_set(transfer);
    if (code != CURLE_OK) {
        return FAIL(diag, code == CURLE_OUT_OF_MEMORY ? ERR_NO_MEMORY : ERR_INTERNAL,
                    "an exchange with '%s' cannot be prepared: %s", partner->id,
                    curl_easy_strerror(code));
    }
    return pool_add(transfer->pool, transfer, diag);
}

void
transfer_connect(struct transfer *transfer)
{
    struct diag diag = {.code = ERR_NONE};
    if (!is_ok(connect_it(transfer, &diag))) {
        transfer_fail(transfer, diag.code, diag.text);
    }
}

static void
resolve_and_connect(struct transfer *transfer)
{
    struct diag diag = {.code = ERR_NONE};
    bool is_here = false;
    if (!is_ok(names_resolve(transfer, &diag, &is_here))) {
        transfer_fail(transfer, diag.code, diag.text);
    } else if (is_here) {
        transfer_connect(transfer);
    }
}

void
transfer_again(struct transfer *transfer)
{
    sink_done(&transfer->answer);
    sink_init(&transfer->answer, transfer->request.spool, transfer->request.answer_limit);
    transfer->is_connected = transfer->is_secured = false;
    transfer->given = 0;
    transfer->head = (struct answer_head){.bytes = 0};
    transfer->diag = (struct diag){.code = ERR_NONE};
    transfer->curl_text[0] = '\0';
    resolve_and_connect(transfer);
}

int64_t
transfer_timeout_us(const struct transfer *transfer)
{
    const struct out_request *request = &transfer->request;
    return request->timeout_us > 0 ? request->timeout_us : request->partner->timeout_us;
}

/* The partner's own timeout counts from its turn on; without a deadline from the submit. */
static int64_t
end_of(const struct transfer *transfer, int64_t from_us)
{
    const struct out_request *request = &transfer->request;
    if (request->deadline_us == INT64_MAX) {
        return transfer->start_us + transfer_timeout_us(transfer);
    }
    const int64_t end_us = from_us + transfer_timeout_us(transfer);
    return request->deadline_us < end_us ? request->deadline_us : end_us;
}

void
transfer_begin(struct transfer *transfer)
{
    transfer->turn_us = clock_mono_us(transfer->engine->clock);
    transfer->end_us = end_of(transfer, transfer->turn_us);
    health_note_start(transfer);
    resolve_and_connect(transfer);
}

static struct status
join_era(struct transfer *transfer, struct diag *diag)
{
    const struct config *config = transfer->config;
    struct era *era = NULL;
    TRY(era_of(transfer->engine, config, diag, &era));
    transfer->pool = &era->pools[transfer->request.partner - config->partners];
    era->transfers++;
    return OK;
}

static struct status
start(struct transfer *transfer, struct diag *diag)
{
    if (transfer->engine->is_stopping) {
        return FAIL(diag, ERR_SHUTTING_DOWN, "this node is stopping");
    }
    if (tickets_is_cancelled(transfer)) {
        return FAIL(diag, ERR_CANCELLED, "the question was withdrawn");
    }
    if (transfer_left_us(transfer) <= 0) {
        return FAIL(diag, ERR_PARTNER_TIMEOUT,
                    "the time of the transaction had ended before the partner was asked");
    }
    TRY(join_era(transfer, diag));
    return turn_take(transfer, diag);
}

void
transfer_start(struct transfer *transfer)
{
    const struct out_request *request = &transfer->request;
    struct diag diag = {.code = ERR_NONE};
    link_transfer(transfer);
    sink_init(&transfer->answer, request->spool, request->answer_limit);
    transfer->end_us = request->deadline_us == INT64_MAX
                           ? transfer->start_us + transfer_timeout_us(transfer)
                           : request->deadline_us;
    if (!is_ok(start(transfer, &diag))) {
        transfer_fail(transfer, diag.code, diag.text);
    } else if (transfer->turn == TURN_HELD) {
        transfer_begin(transfer);
    }
}
