/*
 * What goes on for a time. reload: the node takes its configuration anew again and again while it
 * is asked. soak: at 70 % of what it can do, does it grow? Requests are signed as they go out, so
 * the asker's key should be on P-256.
 */
#include "tests/bench/load.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define RING              ((size_t)16384) /* requests that may still be on their way */
#define MESSAGE_LIMIT     ((size_t)1024 * 1024)
#define RELOAD_DONE       "reload-done"
#define RELOAD_TIMEOUT_US (20 * US_PER_S)
#define RATE_RELOAD       200.0
#define SOAK_SHARE        0.7
#define SOAK_PROBE        4000 /* requests, to learn what the node can do */
#define SECONDS_MAX       ((size_t)100000)
#define BYTES_OF_MB       1048576.0

/* ---- requests that are signed as they are sent ---- */

struct stream {
    const struct load_node *node;
    enum soap_transaction transaction;
    struct buf *ring;
    uint64_t n;
    atomic_bool is_over;
    int64_t end_us; /* mono; 0: is_over alone */
    /* looked at each second; NULL: nobody */
    struct meter_process *samples;
    size_t samples_n;
    int64_t sampled_us;
    struct diag diag;
};

static struct status
stream_init(struct stream *stream, const struct load_node *node, enum soap_transaction transaction,
            struct diag *diag)
{
    *stream = (struct stream){.node = node,
                              .transaction = transaction,
                              .ring = mem_alloc(RING * sizeof(*stream->ring)),
                              .samples = mem_alloc(SECONDS_MAX * sizeof(*stream->samples))};
    return stream->ring != NULL && stream->samples != NULL
               ? OK
               : FAIL(diag, ERR_NO_MEMORY, "memory of a stream of requests");
}

static void
stream_done(struct stream *stream)
{
    for (size_t i = 0; stream->ring != NULL && i < RING; i++) {
        buf_done(&stream->ring[i]);
    }
    mem_free(stream->ring);
    mem_free(stream->samples);
}

static void
take_sample(struct stream *stream)
{
    const int64_t now_us = meter_now_us();
    if (now_us < stream->sampled_us + US_PER_S || stream->samples_n == SECONDS_MAX) {
        return;
    }
    stream->sampled_us = now_us;
    if (is_ok(meter_process_read(stream->node->pid, &stream->diag,
                                 &stream->samples[stream->samples_n]))) {
        stream->samples_n++;
    }
}

static bool
stream_next(void *arg, struct span *ret_request)
{
    struct stream *const stream = arg;
    struct buf *const buf = &stream->ring[stream->n % RING];
    take_sample(stream);
    if (atomic_load(&stream->is_over) || (stream->end_us > 0 && meter_now_us() >= stream->end_us)) {
        return false;
    }
    buf_done(buf);
    buf_init(buf, MESSAGE_LIMIT);
    if (!is_ok(request_write(&stream->node->asker, stream->transaction, buf, &stream->diag))) {
        return false;
    }
    stream->n++;
    *ret_request = buf_span(buf);
    return true;
}

static struct status
stream_run(struct stream *stream, struct drive *drive, double rate, int64_t limit_us,
           struct drive_result *result, struct diag *diag)
{
    const struct drive_work work = {
        .next = stream_next,
        .arg = stream,
        .mark = request_wanted_mark(stream->transaction),
        .rate = rate,
        .limit_us = limit_us,
    };
    drive_run(drive, &work, result);
    if (stream->diag.code != ERR_NONE) {
        *diag = stream->diag;
        return (struct status){diag->code};
    }
    if (result->failed > 0) {
        return FAIL(diag, ERR_PARTNER_ANSWER, "%zu of %zu requests failed; the first: %s",
                    result->failed, result->failed + result->answered, result->why);
    }
    return OK;
}

/* ---- reload ---- */

/* A thread that sends SIGHUP, waits until the node says that it is done, and so on. */
struct reloader {
    struct stream *stream;
    pid_t pid;
    const char *log_path;
    size_t wanted, done;
    struct meter_list ms;
    struct diag diag;
};

/* How often the node has said so; <at> remembers how far the log was read. */
static size_t
count_done(FILE *log)
{
    char line[4096];
    size_t n = 0;
    clearerr(log);
    while (fgets(line, sizeof(line), log) != NULL) {
        n += strstr(line, RELOAD_DONE) != NULL;
    }
    return n;
}

static bool
reload_once(struct reloader *reloader, FILE *log)
{
    const int64_t started_us = meter_now_us();
    if (kill(reloader->pid, SIGHUP) != 0) {
        (void)FAIL(&reloader->diag, ERR_IO, "SIGHUP: %s", strerror(errno));
        return false;
    }
    while (count_done(log) == 0) {
        if (meter_now_us() > started_us + RELOAD_TIMEOUT_US) {
            (void)FAIL(&reloader->diag, ERR_IO, "reload %zu: no '%s' in the log in time",
                       reloader->done + 1, RELOAD_DONE);
            return false;
        }
        (void)usleep(500);
    }
    meter_list_add(&reloader->ms, (double)(meter_now_us() - started_us) / 1000);
    return true;
}

static void *
reload_all(void *arg)
{
    struct reloader *const reloader = arg;
    FILE *const log = fopen(reloader->log_path, "re");
    if (log == NULL) {
        (void)FAIL(&reloader->diag, ERR_IO, "%s: %s", reloader->log_path, strerror(errno));
    } else {
        (void)count_done(log);
        while (reloader->done < reloader->wanted && reload_once(reloader, log)) {
            reloader->done++;
        }
        (void)fclose(log);
    }
    atomic_store(&reloader->stream->is_over, true);
    return NULL;
}

static void
show_reload(struct load *load, struct reloader *reloader, struct drive_result *result,
            const struct meter_process *before, const struct meter_process *after)
{
    char name[LOAD_NAME_MAX];
    meter_row(&(struct meter_row){.name = load_row_name(load, "one SIGHUP, median", name),
                                  .value = meter_percentile(&reloader->ms, 0.5),
                                  .unit = "ms",
                                  .n = reloader->done});
    meter_row(&(struct meter_row){.name = load_row_name(load, "failed requests", name),
                                  .value = (double)result->failed,
                                  .unit = "",
                                  .n = result->answered});
    meter_row(&(struct meter_row){.name = load_row_name(load, "connections that closed", name),
                                  .value = (double)result->reconnected,
                                  .unit = "",
                                  .n = load->connections});
    meter_row(
        &(struct meter_row){.name = load_row_name(load, "memory more than before", name),
                            .value = (double)(after->rss_bytes - before->rss_bytes) / BYTES_OF_MB,
                            .unit = "MB",
                            .n = reloader->done});
    meter_row(&(struct meter_row){.name = load_row_name(load, "descriptors more", name),
                                  .value = (double)(after->descriptors - before->descriptors),
                                  .unit = "",
                                  .n = reloader->done});
    load_rows_of_latency(load, "meanwhile", result);
}

static struct status
reload_with(struct load *load, struct stream *stream, struct drive *drive, struct diag *diag)
{
    struct drive_result result = {0};
    struct meter_process before, after;
    struct reloader reloader = {.stream = stream,
                                .pid = load->nodes[0].pid,
                                .log_path = load->log_path,
                                .wanted = load->count};
    pthread_t thread;
    stream->end_us = meter_now_us() + US_PER_S; /* warms up */
    TRY(stream_run(stream, drive, RATE_RELOAD, 0, &result, diag));
    drive_result_done(&result);
    stream->end_us = 0;
    TRY(meter_process_read(reloader.pid, diag, &before));
    if (pthread_create(&thread, NULL, reload_all, &reloader) != 0) {
        return FAIL(diag, ERR_NO_MEMORY, "no thread for SIGHUPs");
    }
    struct status st = stream_run(stream, drive, load->rate > 0 ? load->rate : RATE_RELOAD,
                                  INT64_C(3600) * US_PER_S, &result, diag);
    atomic_store(&stream->is_over, true);
    (void)pthread_join(thread, NULL);
    if (is_ok(st) && reloader.diag.code != ERR_NONE) {
        *diag = reloader.diag;
        st = (struct status){diag->code};
    }
    if (is_ok(st)) {
        st = meter_process_read(reloader.pid, diag, &after);
    }
    if (is_ok(st)) {
        show_reload(load, &reloader, &result, &before, &after);
    }
    meter_list_done(&reloader.ms);
    drive_result_done(&result);
    return st;
}

struct status
load_reload(struct load *load, struct diag *diag)
{
    struct stream stream = {.n = 0};
    struct drive *drive = NULL;
    if (load->log_path == NULL) {
        return FAIL(diag, ERR_USAGE, "reload wants --log, the node's log");
    }
    struct status st = stream_init(&stream, &load->nodes[0], SOAP_ITI_55, diag);
    if (is_ok(st)) {
        st = load_connect(&load->nodes[0], load->connections, diag, &drive);
    }
    if (is_ok(st)) {
        st = reload_with(load, &stream, drive, diag);
    }
    drive_free(drive);
    stream_done(&stream);
    return st;
}

/* ---- soak ---- */

/* Least squares through RSS of the last three quarters, MB a minute. */
static double
slope_of(const struct meter_process *samples, size_t n)
{
    double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
    const size_t from = n / 4;
    const double count = (double)(n - from);
    for (size_t i = from; i < n; i++) {
        const double x = (double)(i - from) / 60;
        const double y = (double)samples[i].rss_bytes / BYTES_OF_MB;
        sum_x += x;
        sum_y += y;
        sum_xx += x * x;
        sum_xy += x * y;
    }
    const double below = count * sum_xx - sum_x * sum_x;
    return below > 0 ? (count * sum_xy - sum_x * sum_y) / below : 0;
}

static void
show_soak(struct load *load, const struct stream *stream, double rate, struct drive_result *result)
{
    const size_t n = stream->samples_n;
    const struct meter_process *const first = &stream->samples[n / 4];
    const struct meter_process *const last = &stream->samples[n - 1];
    char name[LOAD_NAME_MAX];
    const struct {
        const char *text;
        double value;
        const char *unit;
    } rows[] = {
        {"rate, 70 % of the most", rate, "/s"},
        {"RSS at a quarter of the time", (double)first->rss_bytes / BYTES_OF_MB, "MB"},
        {"RSS at the end", (double)last->rss_bytes / BYTES_OF_MB, "MB"},
        {"RSS, growth in between", (double)(last->rss_bytes - first->rss_bytes) / BYTES_OF_MB,
         "MB"},
        {"RSS, slope in between", slope_of(stream->samples, n), "MB/min"},
        {"descriptors more", (double)(last->descriptors - first->descriptors), ""},
        {"threads more", (double)(last->threads - first->threads), ""},
        {"failed requests", (double)result->failed, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        meter_row(&(struct meter_row){.name = load_row_name(load, rows[i].text, name),
                                      .value = rows[i].value,
                                      .unit = rows[i].unit,
                                      .n = result->answered});
    }
    load_rows_of_latency(load, "at that rate", result);
}

/* What the node can do, with requests that were signed before. */
static struct status
find_rate(struct load *load, struct drive *drive, struct diag *diag, double *ret_rate)
{
    struct request_pool pool;
    struct drive_result result = {0};
    struct status st =
        request_pool_fill(&pool, &load->nodes[0].asker, SOAP_ITI_55, SOAK_PROBE, diag);
    if (is_ok(st)) {
        st = load_run(drive, &pool, SOAK_PROBE, 0, SOAP_ITI_55, &result, diag);
    }
    *ret_rate = SOAK_SHARE * (double)result.answered * 1e6 / (double)result.wall_us;
    drive_result_done(&result);
    request_pool_done(&pool);
    return st;
}

static struct status
soak_with(struct load *load, struct stream *stream, struct drive *drive, struct diag *diag)
{
    struct drive_result result = {0};
    double rate = load->rate;
    if (rate <= 0) {
        TRY(find_rate(load, drive, diag, &rate));
    }
    stream->end_us = meter_now_us() + load->duration_us;
    struct status st =
        stream_run(stream, drive, rate, load->duration_us + 60 * US_PER_S, &result, diag);
    if (is_ok(st) && stream->samples_n < 4) {
        st = FAIL(diag, ERR_USAGE, "soak wants more than four seconds");
    }
    if (stream->samples_n >= 4 && stream->diag.code == ERR_NONE) {
        show_soak(load, stream, rate, &result); /* what failed is one of the numbers */
    }
    drive_result_done(&result);
    return st;
}

struct status
load_soak(struct load *load, struct diag *diag)
{
    struct stream stream = {.n = 0};
    struct drive *drive = NULL;
    struct status st = stream_init(&stream, &load->nodes[0], SOAP_ITI_55, diag);
    if (is_ok(st)) {
        st = load_connect(&load->nodes[0], load->connections, diag, &drive);
    }
    if (is_ok(st)) {
        st = soak_with(load, &stream, drive, diag);
    }
    drive_free(drive);
    stream_done(&stream);
    return st;
}
