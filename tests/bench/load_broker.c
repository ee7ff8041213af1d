/*
 * Questions to a node's local listener, which asks simulated partners: what the benchmarks of the
 * broker share, and in-flight: thousands of questions that wait for slow partners.
 */
#include "tests/bench/load_broker.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/bench/partner.h"

#define RING          ((size_t)32768)
#define MESSAGE_LIMIT ((size_t)1024 * 1024)
#define LOOK_US       (US_PER_S / 5)
#define BYTES_OF_MB   1048576.0
#define PATIENT       SPAN("7^^^&2.999.100.1.1&ISO")

/* ---- questions ---- */

struct status
questions_init(struct questions *questions, const struct load *load, size_t partners,
               struct diag *diag)
{
    *questions = (struct questions){.load = load,
                                    .partners = partners,
                                    .targets = 1,
                                    .arena = arena_new(ARENA_LIMIT_DEFAULT),
                                    .ring = mem_alloc(RING * sizeof(*questions->ring))};
    if (questions->arena == NULL || questions->ring == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of questions");
    }
    TRY(ARENA_ARRAY(questions->arena, partners, diag, &questions->homes));
    for (size_t i = 0; i < partners; i++) {
        TRY(arena_printf(questions->arena, diag, &questions->homes[i],
                         "urn:oid:" PARTNER_OID_ROOT ".%zu", i + 1));
    }
    return OK;
}

void
questions_done(struct questions *questions)
{
    for (size_t i = 0; questions->ring != NULL && i < RING; i++) {
        buf_done(&questions->ring[i]);
    }
    mem_free(questions->ring);
    arena_free(questions->arena);
}

void
questions_look(struct questions *questions)
{
    struct meter_process now;
    struct meter_process *const most = &questions->most;
    questions->looked_us = meter_now_us();
    if (is_ok(meter_process_read(questions->load->nodes[0].pid, &questions->diag, &now))) {
        most->rss_bytes = now.rss_bytes > most->rss_bytes ? now.rss_bytes : most->rss_bytes;
        most->threads = now.threads > most->threads ? now.threads : most->threads;
        most->descriptors =
            now.descriptors > most->descriptors ? now.descriptors : most->descriptors;
    }
}

bool
questions_next(void *arg, struct span *ret_request)
{
    struct questions *const questions = arg;
    struct buf *const buf = &questions->ring[questions->n % RING];
    if (meter_now_us() > questions->looked_us + LOOK_US) {
        questions_look(questions);
    }
    if (questions->left == 0 || questions->diag.code != ERR_NONE) {
        return false;
    }
    const size_t first = questions->targets == 1 ? questions->n % questions->partners : 0;
    const struct span_list targets = {questions->homes + first, questions->targets,
                                      questions->targets};
    buf_done(buf);
    buf_init(buf, MESSAGE_LIMIT);
    if (!is_ok(request_write_local_query(&targets, PATIENT, buf, &questions->diag))) {
        return false;
    }
    questions->left--;
    questions->n++;
    *ret_request = buf_span(buf);
    return true;
}

struct status
broker_connect(const struct load *load, size_t connections, struct diag *diag,
               struct drive **ret_drive)
{
    const struct drive_options options = {
        .port = load->local_port, .connections = connections, .keep_bytes = LOAD_KEEP_BYTES};
    return drive_open(&options, diag, ret_drive);
}

struct status
broker_run(struct drive *drive, struct questions *questions, size_t n, double rate,
           struct drive_result *result, struct diag *diag)
{
    const size_t failed_before = result->failed;
    questions->left = n;
    const struct drive_work work = {.next = questions_next,
                                    .arg = questions,
                                    .mark = request_wanted_mark(SOAP_ITI_38),
                                    .rate = rate};
    drive_run(drive, &work, result);
    if (questions->diag.code != ERR_NONE) {
        *diag = questions->diag;
        return (struct status){diag->code};
    }
    if (result->failed > failed_before || questions->left > 0) {
        return FAIL(diag, ERR_PARTNER_ANSWER, "%zu of %zu questions failed; the first: %s",
                    result->failed - failed_before, n, result->why);
    }
    return OK;
}

void
broker_row(const struct load *load, const char *text, double value, const char *unit, size_t n)
{
    char name[LOAD_NAME_MAX];
    meter_row(&(struct meter_row){
        .name = load_row_name(load, text, name), .value = value, .unit = unit, .n = n});
}

/* ---- in-flight ---- */

static void
show_in_flight(const struct load *load, const struct questions *questions,
               const struct meter_process *before, const struct meter_process *after,
               struct drive_result *result)
{
    const size_t n = load->count;
    broker_row(load, "answered in full", (double)result->answered, "", n);
    broker_row(load, "memory before", (double)before->rss_bytes / BYTES_OF_MB, "MB", n);
    broker_row(load, "memory at most", (double)after->most_rss_bytes / BYTES_OF_MB, "MB", n);
    broker_row(load, "memory for a waiting question",
               (double)(after->most_rss_bytes - before->rss_bytes) / (double)n / 1024, "KB", n);
    broker_row(load, "threads more than before",
               (double)(questions->most.threads - before->threads), "", n);
    broker_row(load, "descriptors at most", (double)questions->most.descriptors, "", n);
    broker_row(load, "answer later than the partner's, median",
               meter_percentile(&result->latencies_us, 0.5) / 1000 - load->partner_ms, "ms", n);
    broker_row(load, "answer later than the partner's, 99th percentile",
               meter_percentile(&result->latencies_us, 0.99) / 1000 - load->partner_ms, "ms", n);
}

static struct status
in_flight_with(struct load *load, struct questions *questions, struct diag *diag)
{
    const pid_t pid = load->nodes[0].pid;
    struct drive_result result = {0};
    struct meter_process before, after;
    struct drive *drive = NULL;
    TRY(broker_connect(load, load->count, diag, &drive));
    struct status st = meter_process_read(pid, diag, &before);
    if (is_ok(st)) {
        st = broker_run(drive, questions, load->count, load->rate, &result, diag);
    }
    if (is_ok(st)) {
        st = meter_process_read(pid, diag, &after);
    }
    if (is_ok(st)) {
        show_in_flight(load, questions, &before, &after, &result);
    }
    drive_free(drive);
    drive_result_done(&result);
    return st;
}

struct status
load_in_flight(struct load *load, struct diag *diag)
{
    struct questions questions;
    struct status st = questions_init(&questions, load, load->partners, diag);
    if (is_ok(st)) {
        st = in_flight_with(load, &questions, diag);
    }
    questions_done(&questions);
    return st;
}
