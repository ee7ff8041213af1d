/*
 * respond-*: the CPU that a node spends on one transaction, beside the floor of the same rounds: a
 * TLS echo of the same sizes, libxml2's parse of the request, and the arithmetic of its two
 * signatures. Several nodes take turns, so that one worker and two can be compared.
 */
#include "tests/bench/load.h"

#include <stdio.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "certs/tls.h"
#include "tests/bench/echo.h"
#include "tests/bench/floor.h"

#define WARM_UP  400
#define SLICE_NS INT64_C(60000000)

/* What one node showed. */
struct seen {
    struct request_pool pool;
    struct drive *drive;
    struct drive_result result;
    struct meter_list cpu_us, ratios; /* one each round */
};

struct respond {
    struct load *load;
    struct seen seen[LOAD_NODES_MAX];
    SSL_CTX *echo_tls;
    struct echo echo;
    struct drive *echo_drive;
    struct drive_result echo_result;
    struct floor floor;
    struct meter_list echo_us, parse_us, verify_us, floor_us;
};

/* ---- preparation ---- */

static struct status
start_echo(struct respond *respond, struct diag *diag)
{
    struct load *const load = respond->load;
    struct load_node *const node = &load->nodes[0];
    const struct config *const config = node->asker.config;
    struct load_answer answer;
    struct buf bytes;
    TRY(load_ask_once(node, load->transaction, diag, &answer));
    TRY(tls_server_context(config->node, config->partner_trust, config->generation, diag,
                           &respond->echo_tls));
    buf_init(&bytes, LOAD_KEEP_BYTES);
    TRY(buf_append(&bytes, answer.head, diag));
    TRY(buf_append(&bytes, answer.body, diag));
    struct span kept;
    const struct status st = arena_dup(node->asker.arena, buf_span(&bytes), diag, &kept);
    buf_done(&bytes);
    TRY(st);
    TRY(echo_start(respond->echo_tls, kept, diag, &respond->echo));
    struct load_node echo = *node;
    echo.port = respond->echo.port;
    return load_connect(&echo, load->connections, diag, &respond->echo_drive);
}

static struct status
prepare(struct respond *respond, struct diag *diag)
{
    struct load *const load = respond->load;
    const size_t n = WARM_UP + load->rounds * load->count;
    for (size_t i = 0; i < load->nodes_n; i++) {
        struct load_node *const node = &load->nodes[i];
        struct seen *const seen = &respond->seen[i];
        TRY(load_prepare(node, load->transaction, load->most_bytes, diag));
        TRY(request_pool_fill(&seen->pool, &node->asker, load->transaction, n, diag));
        TRY(load_connect(node, load->connections, diag, &seen->drive));
        TRY(load_run(seen->drive, &seen->pool, WARM_UP, 0, load->transaction, &seen->result, diag));
        drive_result_done(&seen->result);
    }
    TRY(start_echo(respond, diag));
    return floor_init(&respond->floor, buf_span(&respond->seen[0].pool.items[0]),
                      load->nodes[0].asker.config->signing->key, diag);
}

/* ---- a round ---- */

static bool
run_parse(void *arg)
{
    const struct floor *const floor = arg;
    return floor_parse(floor);
}

static bool
run_verify(void *arg)
{
    return floor_verify(arg);
}

/* The echo reads requests that a node has had: it looks at nothing. */
static struct status
measure_floor(struct respond *respond, struct diag *diag, double *ret_us)
{
    const struct load *const load = respond->load;
    struct request_pool again = respond->seen[0].pool;
    again.at = 0;
    const int64_t before_ns = meter_cpu_ns(respond->echo.pid);
    TRY(load_run(respond->echo_drive, &again, load->count, 0, load->transaction,
                 &respond->echo_result, diag));
    const double echo_us =
        (double)(meter_cpu_ns(respond->echo.pid) - before_ns) / (double)load->count / 1000;
    const double parse_us = floor_time_us(run_parse, &respond->floor, SLICE_NS);
    const double verify_us = floor_time_us(run_verify, &respond->floor, SLICE_NS);
    if (parse_us < 0 || verify_us < 0) {
        return FAIL(diag, ERR_CRYPTO, "the floor's parse or verification failed");
    }
    meter_list_add(&respond->echo_us, echo_us);
    meter_list_add(&respond->parse_us, parse_us);
    meter_list_add(&respond->verify_us, verify_us);
    *ret_us = echo_us + parse_us + verify_us;
    meter_list_add(&respond->floor_us, *ret_us);
    return OK;
}

static struct status
measure_node(const struct load *load, const struct load_node *node, struct seen *seen,
             double floor_us, struct diag *diag)
{
    const int64_t before_ns = meter_cpu_ns(node->pid);
    TRY(load_run(seen->drive, &seen->pool, load->count, 0, load->transaction, &seen->result, diag));
    const double us = (double)(meter_cpu_ns(node->pid) - before_ns) / (double)load->count / 1000;
    meter_list_add(&seen->cpu_us, us);
    meter_list_add(&seen->ratios, us / floor_us);
    return OK;
}

static struct status
measure(struct respond *respond, struct diag *diag)
{
    const struct load *const load = respond->load;
    for (size_t round = 0; round < load->rounds; round++) {
        double floor_us = 0;
        TRY(measure_floor(respond, diag, &floor_us));
        for (size_t i = 0; i < load->nodes_n; i++) {
            TRY(measure_node(load, &load->nodes[i], &respond->seen[i], floor_us, diag));
        }
    }
    return OK;
}

/* ---- rows ---- */

static void
show_floor(struct respond *respond)
{
    struct {
        const char *text;
        struct meter_list *list;
    } rows[] = {
        {"floor, TLS echo of the same sizes", &respond->echo_us},
        {"floor, libxml2 parses the request", &respond->parse_us},
        {"floor, two digests, two verifications", &respond->verify_us},
        {"floor, sum", &respond->floor_us},
    };
    char name[LOAD_NAME_MAX];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        meter_row(&(struct meter_row){.name = load_row_name(respond->load, rows[i].text, name),
                                      .value = meter_percentile(rows[i].list, 0.5),
                                      .unit = "us",
                                      .n = respond->load->rounds});
    }
}

static void
show_node(struct respond *respond, size_t i)
{
    const struct load *const load = respond->load;
    struct seen *const seen = &respond->seen[i];
    const char *const label = load->nodes[i].label;
    char text[LOAD_NAME_MAX / 2];
    char name[LOAD_NAME_MAX];
    (void)snprintf(text, sizeof(text), "CPU of the node, %s", label);
    meter_row(&(struct meter_row){.name = load_row_name(load, text, name),
                                  .value = meter_percentile(&seen->cpu_us, 0.5),
                                  .unit = "us",
                                  .floor = meter_percentile(&respond->floor_us, 0.5),
                                  .ratio = meter_percentile(&seen->ratios, 0.5),
                                  .n = seen->result.answered});
    (void)snprintf(text, sizeof(text), "throughput, %s", label);
    meter_row(&(struct meter_row){.name = load_row_name(load, text, name),
                                  .value = (double)seen->result.answered * 1e6 /
                                           (double)seen->result.wall_us,
                                  .unit = "/s",
                                  .n = seen->result.answered});
    load_rows_of_latency(load, label, &seen->result);
}

static void
show(struct respond *respond)
{
    const struct load *const load = respond->load;
    char text[LOAD_NAME_MAX / 2];
    char name[LOAD_NAME_MAX];
    show_floor(respond);
    for (size_t i = 0; i < load->nodes_n; i++) {
        show_node(respond, i);
    }
    for (size_t i = 1; i < load->nodes_n; i++) {
        (void)snprintf(text, sizeof(text), "CPU with %s beside %s", load->nodes[i].label,
                       load->nodes[0].label);
        meter_row(&(struct meter_row){.name = load_row_name(load, text, name),
                                      .value = meter_percentile(&respond->seen[i].cpu_us, 0.5),
                                      .unit = "us",
                                      .floor = meter_percentile(&respond->seen[0].cpu_us, 0.5),
                                      .n = respond->seen[i].result.answered});
    }
}

static void
finish(struct respond *respond)
{
    drive_free(respond->echo_drive);
    echo_stop(&respond->echo);
    SSL_CTX_free(respond->echo_tls);
    drive_result_done(&respond->echo_result);
    floor_done(&respond->floor);
    meter_list_done(&respond->echo_us);
    meter_list_done(&respond->parse_us);
    meter_list_done(&respond->verify_us);
    meter_list_done(&respond->floor_us);
    for (size_t i = 0; i < respond->load->nodes_n; i++) {
        struct seen *const seen = &respond->seen[i];
        drive_free(seen->drive);
        drive_result_done(&seen->result);
        request_pool_done(&seen->pool);
        meter_list_done(&seen->cpu_us);
        meter_list_done(&seen->ratios);
    }
}

struct status
load_respond(struct load *load, struct diag *diag)
{
    struct respond respond = {.load = load};
    struct status st = prepare(&respond, diag);
    if (is_ok(st)) {
        st = measure(&respond, diag);
    }
    if (is_ok(st)) {
        show(&respond);
    }
    finish(&respond);
    return st;
}
