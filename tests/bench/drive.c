/*
 * Connections and their exchanges, edge-triggered: each event moves one connection as far as it
 * goes. Called by load.c on its main thread. A request that is due waits for an idle connection,
 * and that wait is part of its latency.
 */
#include "tests/bench/drive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/bench/wire.h"

#define OPENING_MAX        64 /* handshakes at a time */
#define EVENTS_MAX         256
#define OPEN_TIMEOUT_US    (60 * US_PER_S)
#define RUN_LIMIT_US       (600 * US_PER_S)
#define PIECE              ((size_t)16 * 1024)
#define WHY_MAX            400
#define ANSWER_LENGTH_NONE UINT64_MAX

enum seat_state { SEAT_CLOSED, SEAT_OPENING, SEAT_IDLE, SEAT_ASKING };

struct seat {
    struct wire wire;
    enum seat_state state;
    struct span request, unsent;
    int64_t due_us;
    struct buf in;     /* head and body, up to keep_bytes */
    size_t head_bytes; /* 0: not complete yet */
    uint64_t body_bytes, got_bytes;
    struct seat *next_idle;
};

struct drive {
    struct drive_options options;
    int epoll_fd;
    struct seat *seats;
    struct seat *idle, **idle_end; /* the longest idle first */
    size_t opening, open, asking, resumed;
    SSL_SESSION *session; /* that new connections offer */
    struct diag diag;     /* of the first connection that could not be opened */
    /* of a run; NULL between runs */
    const struct drive_work *work;
    struct drive_result *result;
};

static void seat_advance(struct drive *drive, struct seat *seat);

/* ---- opening and closing ---- */

/* The first that comes is offered from then on. */
static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct drive *const drive = SSL_get_app_data(ssl);
    if (drive->options.may_resume && drive->session == NULL) {
        drive->session = SSL_SESSION_dup(session);
    }
    return 0;
}

static void
seat_close(struct drive *drive, struct seat *seat)
{
    if (seat->state == SEAT_CLOSED) {
        return;
    }
    drive->opening -= seat->state == SEAT_OPENING;
    drive->open -= seat->state != SEAT_OPENING;
    wire_close(&seat->wire);
    buf_done(&seat->in);
    seat->state = SEAT_CLOSED;
}

static struct status
seat_open(struct drive *drive, struct seat *seat)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = seat};
    seat->state = SEAT_OPENING;
    drive->opening++;
    TRY(wire_open(&seat->wire, drive->options.port, drive->options.tls,
                  drive->options.may_resume ? drive->session : NULL, drive, &drive->diag));
    if (epoll_ctl(drive->epoll_fd, EPOLL_CTL_ADD, seat->wire.fd, &event) != 0) {
        return FAIL(&drive->diag, ERR_IO, "epoll: %s", strerror(errno));
    }
    return OK;
}

/* Another connection in place of one that has gone. */
static void
seat_renew(struct drive *drive, struct seat *seat)
{
    seat_close(drive, seat);
    if (!is_ok(seat_open(drive, seat))) {
        seat_close(drive, seat);
    }
}

static void
opening_failed(struct drive *drive, struct seat *seat, const char *why)
{
    const struct status st =
        FAIL(&drive->diag, ERR_IO, "connection to port %u: %s", drive->options.port, why);
    (void)st;
    seat_close(drive, seat);
}

static void
become_idle(struct drive *drive, struct seat *seat)
{
    seat->state = SEAT_IDLE;
    seat->next_idle = NULL;
    *drive->idle_end = seat;
    drive->idle_end = &seat->next_idle;
}

static void
finish_opening(struct drive *drive, struct seat *seat)
{
    const char *why = NULL;
    const int n = wire_finish(&seat->wire, &why);
    if (n == WIRE_BROKEN) {
        opening_failed(drive, seat, why);
    } else if (n == 1) {
        drive->resumed += seat->wire.ssl != NULL && SSL_session_reused(seat->wire.ssl) == 1;
        drive->opening--;
        drive->open++;
        become_idle(drive, seat);
    }
}

/* ---- exchanges ---- */

static void
unlink_idle(struct drive *drive, const struct seat *seat)
{
    for (struct seat **at = &drive->idle; *at != NULL; at = &(*at)->next_idle) {
        if (*at == seat) {
            *at = seat->next_idle;
            drive->idle_end = *at == NULL ? at : drive->idle_end;
            return;
        }
    }
}

static void
note_failure(struct drive *drive, const char *why)
{
    struct drive_result *const result = drive->result;
    if (result->failed++ == 0) {
        (void)snprintf(result->why, sizeof(result->why), "%s", why);
    }
}

static void
exchange_broken(struct drive *drive, struct seat *seat, const char *why)
{
    note_failure(drive, why);
    drive->asking--;
    seat_renew(drive, seat);
}

/* Does the answer count? */
static bool
judge_answer(struct drive *drive, struct seat *seat, struct span head, struct span body)
{
    const struct drive_work *const work = drive->work;
    const double latency_us = (double)(meter_now_us() - seat->due_us);
    if (work->judge != NULL) {
        return work->judge(work->arg, seat->request, head, body, latency_us);
    }
    if (!span_starts_with(head, SPAN("HTTP/1.1 200 ")) ||
        (work->mark.n > 0 && span_find(body, work->mark) == SPAN_MISSING)) {
        return false;
    }
    meter_list_add(&drive->result->latencies_us, latency_us);
    if (work->on_answer != NULL) {
        work->on_answer(work->arg, head, body);
    }
    return true;
}

static void
exchange_done(struct drive *drive, struct seat *seat)
{
    struct drive_result *const result = drive->result;
    const struct span all = buf_span(&seat->in);
    const struct span head = span_slice(all, 0, seat->head_bytes);
    const struct span body = span_slice(all, seat->head_bytes, SIZE_MAX);
    const bool closes = span_find(head, SPAN("\r\nConnection: close")) != SPAN_MISSING;
    drive->asking--;
    if (judge_answer(drive, seat, head, body)) {
        result->answered++;
        result->bytes += seat->body_bytes;
    } else {
        const size_t at = span_find(body, SPAN("RegistryError "));
        char why[WHY_MAX];
        (void)snprintf(why, sizeof(why), "answered %.*s ... %.*s",
                       SPAN_PRINT(span_slice(head, 0, 12)),
                       SPAN_PRINT(span_slice(body, at == SPAN_MISSING ? 0 : at, 300)));
        note_failure(drive, why);
    }
    buf_done(&seat->in);
    seat->head_bytes = 0;
    if (closes) {
        result->reconnected++;
        seat_renew(drive, seat);
        return;
    }
    become_idle(drive, seat);
}

static uint64_t
content_length(struct span head)
{
    uint64_t n = 0;
    struct span line;
    while (span_split(&head, '\n', &line)) {
        const struct span name = span_slice(line, 0, span_find_char(line, ':'));
        if (span_eq_nocase(name, SPAN("Content-Length")) &&
            span_to_u64(span_trim(span_slice(line, name.n + 1, SIZE_MAX)), UINT64_MAX / 2, &n)) {
            return n;
        }
    }
    return ANSWER_LENGTH_NONE;
}

/* False: the exchange is over. */
static bool
take_bytes(struct drive *drive, struct seat *seat, struct span bytes)
{
    struct diag diag = {.code = ERR_NONE};
    const size_t room = seat->in.limit - seat->in.n;
    seat->got_bytes += bytes.n;
    if (!is_ok(buf_append(&seat->in, span_slice(bytes, 0, room), &diag))) {
        exchange_broken(drive, seat, "no memory for an answer");
        return false;
    }
    if (seat->head_bytes == 0) {
        const size_t end = span_find(buf_span(&seat->in), SPAN("\r\n\r\n"));
        if (end == SPAN_MISSING) {
            return true;
        }
        seat->head_bytes = end + 4;
        seat->body_bytes = content_length(span_slice(buf_span(&seat->in), 0, end));
        if (seat->body_bytes == ANSWER_LENGTH_NONE) {
            exchange_broken(drive, seat, "an answer without Content-Length");
            return false;
        }
    }
    if (seat->got_bytes < seat->head_bytes + seat->body_bytes) {
        return true;
    }
    exchange_done(drive, seat);
    return false;
}

static void
send_more(struct drive *drive, struct seat *seat)
{
    while (seat->unsent.n > 0) {
        const ssize_t n = wire_write(&seat->wire, seat->unsent);
        if (n == WIRE_LATER) {
            return;
        }
        if (n <= 0) {
            exchange_broken(drive, seat, "the connection ended inside the request");
            return;
        }
        seat->unsent = span_slice(seat->unsent, (size_t)n, SIZE_MAX);
    }
}

static void
read_more(struct drive *drive, struct seat *seat)
{
    char piece[PIECE];
    while (seat->state == SEAT_ASKING) {
        const ssize_t n = wire_read(&seat->wire, piece, sizeof(piece));
        if (n == WIRE_LATER) {
            return;
        }
        if (n <= 0) {
            exchange_broken(drive, seat, "the connection ended before the whole answer");
            return;
        }
        if (!take_bytes(drive, seat, span_of(piece, (size_t)n))) {
            return;
        }
    }
}

/* Tickets of TLS, or the end. */
static void
look_at_idle(struct drive *drive, struct seat *seat)
{
    char piece[PIECE];
    const ssize_t n = wire_read(&seat->wire, piece, sizeof(piece));
    if (n == WIRE_LATER) {
        return;
    }
    unlink_idle(drive, seat);
    if (drive->result != NULL) {
        drive->result->reconnected++;
        seat_renew(drive, seat);
    } else {
        seat_close(drive, seat);
    }
}

static void
seat_advance(struct drive *drive, struct seat *seat)
{
    if (seat->state == SEAT_OPENING) {
        finish_opening(drive, seat);
    }
    if (seat->state == SEAT_IDLE) {
        look_at_idle(drive, seat);
    }
    if (seat->state == SEAT_ASKING) {
        send_more(drive, seat);
        read_more(drive, seat);
    }
}

static bool
wait_events(struct drive *drive, int timeout_ms)
{
    struct epoll_event events[EVENTS_MAX];
    const int n = epoll_wait(drive->epoll_fd, events, EVENTS_MAX, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct seat *const seat = events[i].data.ptr;
        seat_advance(drive, seat);
    }
    return n > 0;
}

/* ---- all connections ---- */

static struct status
open_all(struct drive *drive, struct diag *diag)
{
    const int64_t timeout_us =
        drive->options.timeout_us > 0 ? drive->options.timeout_us : OPEN_TIMEOUT_US;
    const int64_t deadline_us = meter_now_us() + timeout_us;
    size_t started = 0;
    while (drive->open < drive->options.connections && drive->diag.code == ERR_NONE) {
        while (started < drive->options.connections && drive->opening < OPENING_MAX &&
               drive->diag.code == ERR_NONE) {
            const struct status st = seat_open(drive, &drive->seats[started++]);
            (void)st; /* it is in the diag */
        }
        (void)wait_events(drive, 100);
        if (meter_now_us() > deadline_us) {
            (void)FAIL(&drive->diag, ERR_IO, "only %zu of %zu connections opened in time",
                       drive->open, drive->options.connections);
        }
    }
    if (drive->diag.code != ERR_NONE) {
        *diag = drive->diag;
    }
    return (struct status){drive->diag.code};
}

struct status
drive_open(const struct drive_options *options, struct diag *diag, struct drive **ret_drive)
{
    struct drive *const drive = mem_alloc(sizeof(*drive));
    if (drive == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of a drive");
    }
    drive->options = *options;
    drive->idle_end = &drive->idle;
    drive->seats = mem_alloc(options->connections * sizeof(*drive->seats));
    drive->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (drive->seats == NULL || drive->epoll_fd < 0) {
        drive_free(drive);
        return FAIL(diag, ERR_NO_MEMORY, "memory of %zu connections", options->connections);
    }
    if (options->tls != NULL && options->may_resume) {
        SSL_CTX_set_session_cache_mode(options->tls,
                                       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(options->tls, keep_session);
    }
    const struct status st = open_all(drive, diag);
    if (!is_ok(st)) {
        drive_free(drive);
        return st;
    }
    *ret_drive = drive;
    return OK;
}

static void
close_all(struct drive *drive)
{
    for (size_t i = 0; i < drive->options.connections; i++) {
        seat_close(drive, &drive->seats[i]);
    }
    drive->idle = NULL;
    drive->idle_end = &drive->idle;
}

struct status
drive_reopen(struct drive *drive, struct diag *diag)
{
    close_all(drive);
    drive->resumed = 0;
    return open_all(drive, diag);
}

void
drive_free(struct drive *drive)
{
    if (drive == NULL) {
        return;
    }
    if (drive->seats != NULL) {
        close_all(drive);
    }
    if (drive->epoll_fd >= 0) {
        (void)close(drive->epoll_fd);
    }
    SSL_SESSION_free(drive->session);
    mem_free(drive->seats);
    mem_free(drive);
}

size_t
drive_resumed(const struct drive *drive)
{
    return drive->resumed;
}

/* ---- a run ---- */

static void
start_exchange(struct drive *drive, struct span request, int64_t due_us)
{
    struct seat *const seat = drive->idle;
    unlink_idle(drive, seat);
    seat->state = SEAT_ASKING;
    seat->request = request;
    seat->unsent = request;
    seat->due_us = due_us;
    seat->head_bytes = 0;
    seat->got_bytes = 0;
    buf_init(&seat->in, drive->options.keep_bytes);
    drive->asking++;
    seat_advance(drive, seat);
}

static void
give_up(struct drive *drive)
{
    for (size_t i = 0; i < drive->options.connections; i++) {
        if (drive->seats[i].state == SEAT_ASKING) {
            exchange_broken(drive, &drive->seats[i], "no answer in time");
        }
    }
}

/* How long to wait for events: until the next request is due. */
static int
wait_ms(const struct drive *drive, bool has_more, int64_t due_us)
{
    const int64_t left_us = due_us - meter_now_us();
    if (!has_more || drive->work->rate <= 0 || drive->idle == NULL) {
        return 50;
    }
    return left_us <= 0 ? 0 : left_us > 50000 ? 50 : (int)((left_us + 999) / 1000);
}

static bool
may_start(const struct drive *drive)
{
    const size_t most = drive->work->asking_max;
    return drive->idle != NULL && (most == 0 || drive->asking < most);
}

void
drive_run(struct drive *drive, const struct drive_work *work, struct drive_result *result)
{
    const int64_t started_us = meter_now_us();
    const int64_t end_us = started_us + (work->limit_us > 0 ? work->limit_us : RUN_LIMIT_US);
    const double step_us = work->rate > 0 ? 1e6 / work->rate : 0;
    struct span request;
    uint64_t number = 0;
    bool has_more = true;
    drive->work = work;
    drive->result = result;
    while (has_more || drive->asking > 0) {
        const int64_t now_us = meter_now_us();
        int64_t due_us = work->rate > 0 ? started_us + (int64_t)((double)number * step_us) : now_us;
        if (now_us > end_us) {
            give_up(drive);
            break;
        }
        while (has_more && may_start(drive) && due_us <= now_us) {
            has_more = work->next(work->arg, &request);
            if (has_more) {
                start_exchange(drive, request, due_us);
                number++;
                due_us = work->rate > 0 ? started_us + (int64_t)((double)number * step_us) : now_us;
            }
        }
        if (drive->open + drive->opening == 0) {
            note_failure(drive, "no connection is left");
            break;
        }
        (void)wait_events(drive, wait_ms(drive, has_more, due_us));
    }
    result->wall_us += meter_now_us() - started_us;
    drive->work = NULL;
    drive->result = NULL;
}

void
drive_result_done(struct drive_result *result)
{
    meter_list_done(&result->latencies_us);
    *result = (struct drive_result){0};
}
