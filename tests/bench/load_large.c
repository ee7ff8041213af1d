/*
 * large-retrieve: a local system fetches large documents of a partner through the node, TLS on both
 * sides, several at once; beside it nginx passes the same bytes on. Bytes per second of CPU, and
 * what the node's memory grows by.
 */
#include "tests/bench/load_broker.h"

#include <stdio.h>

#include "base/clock.h"
#include "tests/bench/partner.h"

#define LIMIT_US (INT64_C(3600) * US_PER_S)

/* Who passes the documents on. */
struct carrier {
    const char *label;
    pid_t pid;
    uint16_t port;
    bool is_proxy; /* it passes on what the partner wants: its path */
    struct drive *drive;
    struct meter_list mb_per_s;
    uint64_t bytes;
    int64_t cpu_ns;
};

struct fetches {
    struct buf items[64];
    size_t n, at;
};

static bool
next_fetch(void *arg, struct span *ret_request)
{
    struct fetches *const fetches = arg;
    if (fetches->at == fetches->n) {
        return false;
    }
    *ret_request = buf_span(&fetches->items[fetches->at++]);
    return true;
}

static struct status
write_fetch(struct fetches *fetches, bool is_proxy, struct diag *diag)
{
    const struct document_ref wanted = {.home = SPAN("urn:oid:" PARTNER_OID_ROOT ".1"),
                                        .repository = SPAN(PARTNER_OID_ROOT ".1.2"),
                                        .unique_id = SPAN(PARTNER_OID_ROOT ".1.77.1")};
    struct buf *const item = &fetches->items[fetches->n++];
    struct buf request;
    buf_init(item, LOAD_KEEP_BYTES);
    buf_init(&request, LOAD_KEEP_BYTES);
    struct status st = request_write_local_retrieve(&wanted, &request, diag);
    if (is_ok(st) && is_proxy) { /* the same message, for the path of the partner */
        const size_t end = sizeof("POST /repository") - 1;
        st = buf_append(item, SPAN("POST /xca/retrieve"), diag);
        if (is_ok(st)) {
            st = buf_append(item, span_slice(buf_span(&request), end, SIZE_MAX), diag);
        }
    } else if (is_ok(st)) {
        st = buf_append(item, buf_span(&request), diag);
    }
    buf_done(&request);
    return st;
}

static struct status
carry(const struct load *load, struct carrier *carrier, size_t n, struct diag *diag)
{
    static struct fetches fetches;
    struct drive_result result = {0};
    struct status st = OK;
    fetches.n = 0;
    fetches.at = 0;
    while (is_ok(st) && fetches.n < n) {
        st = write_fetch(&fetches, carrier->is_proxy, diag);
    }
    const struct drive_work work = {.next = next_fetch,
                                    .arg = &fetches,
                                    .mark = request_wanted_mark(SOAP_ITI_39),
                                    .limit_us = LIMIT_US};
    const int64_t before_ns = meter_cpu_ns(carrier->pid);
    if (is_ok(st)) {
        drive_run(carrier->drive, &work, &result);
        if (result.answered != n) {
            st = FAIL(diag, ERR_PARTNER_ANSWER, "%s: %zu of %zu fetched; %s", carrier->label,
                      result.answered, n, result.why);
        }
    }
    const int64_t cpu_ns = meter_cpu_ns(carrier->pid) - before_ns;
    if (is_ok(st) && n == load->count) {
        meter_list_add(&carrier->mb_per_s, (double)result.bytes * 1000 / (double)cpu_ns);
        carrier->bytes += result.bytes;
    }
    for (size_t i = 0; i < fetches.n; i++) {
        buf_done(&fetches.items[i]);
    }
    drive_result_done(&result);
    return st;
}

static struct status
open_carrier(const struct load *load, struct carrier *carrier, struct diag *diag)
{
    const struct drive_options options = {.port = carrier->port,
                                          .tls = load->nodes[0].tls,
                                          .connections = load->connections,
                                          .keep_bytes = 65536};
    TRY(drive_open(&options, diag, &carrier->drive));
    return carry(load, carrier, 1, diag); /* warms up */
}

static struct status
measure(struct load *load, struct carrier carriers[2], struct diag *diag)
{
    struct meter_process before, after;
    char name[LOAD_NAME_MAX];
    TRY(open_carrier(load, &carriers[0], diag));
    TRY(open_carrier(load, &carriers[1], diag));
    TRY(meter_process_read(carriers[0].pid, diag, &before));
    for (size_t round = 0; round < load->rounds; round++) {
        TRY(carry(load, &carriers[1], load->count, diag));
        TRY(carry(load, &carriers[0], load->count, diag));
    }
    TRY(meter_process_read(carriers[0].pid, diag, &after));
    meter_row(&(struct meter_row){.name = load_row_name(load, "the node, beside nginx", name),
                                  .value = meter_percentile(&carriers[0].mb_per_s, 0.5),
                                  .unit = "MB/CPUs",
                                  .floor = meter_percentile(&carriers[1].mb_per_s, 0.5),
                                  .n = load->rounds * load->count});
    broker_row(load, "bytes of each document",
               (double)carriers[0].bytes / (double)(load->rounds * load->count) / 1048576, "MB",
               load->count);
    broker_row(load, "memory of the node grows at most by",
               (double)(after.most_rss_bytes - before.rss_bytes) / 1048576, "MB", load->count);
    return OK;
}

struct status
load_large(struct load *load, struct diag *diag)
{
    struct carrier carriers[2] = {
        {.label = "the node", .pid = load->nodes[0].pid, .port = load->local_port},
        {.label = "nginx", .pid = load->peer_pid, .port = load->peer_port, .is_proxy = true},
    };
    if (load->count > ARRAY_LEN(((struct fetches *)NULL)->items)) {
        return FAIL(diag, ERR_USAGE, "at most %zu documents",
                    ARRAY_LEN(((struct fetches *)NULL)->items));
    }
    const struct status st = measure(load, carriers, diag);
    for (size_t i = 0; i < ARRAY_LEN(carriers); i++) {
        drive_free(carriers[i].drive);
        meter_list_done(&carriers[i].mb_per_s);
    }
    return st;
}
