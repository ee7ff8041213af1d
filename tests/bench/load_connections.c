/*
 * handshake: what a full and a resumed mutual-TLS handshake cost the node, beside the minimal
 * server of echo.c with the same context. idle: what ten thousand connections hold that have asked
 * once and say nothing more.
 */
#include "tests/bench/load.h"

#include <stdio.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "certs/tls.h"
#include "tests/bench/echo.h"

#define SETTLE_US   300000
#define WARM_UP     400
#define IDLE_ASKING 16 /* at a time, so that nothing but the connections themselves piles up */

/* ---- handshake ---- */

struct shaker {
    const char *label;
    pid_t pid;
    struct drive *drive;
    bool resumes;
    struct meter_list us;
};

static struct status
shake_once(struct shaker *shaker, size_t count, bool counts, struct diag *diag)
{
    const int64_t before_ns = meter_cpu_ns(shaker->pid);
    TRY(drive_reopen(shaker->drive, diag));
    (void)usleep(SETTLE_US);
    const double us = (double)(meter_cpu_ns(shaker->pid) - before_ns) / (double)count / 1000;
    if (counts && shaker->resumes != (drive_resumed(shaker->drive) == count)) {
        return FAIL(diag, ERR_TLS, "%s: %zu of %zu connections resumed a session", shaker->label,
                    drive_resumed(shaker->drive), count);
    }
    if (counts) {
        meter_list_add(&shaker->us, us);
    }
    return OK;
}

static struct status
shake_all(struct load *load, struct shaker *shakers, size_t n, struct diag *diag)
{
    char name[LOAD_NAME_MAX];
    for (size_t round = 0; round <= load->rounds; round++) {
        for (size_t i = 0; i < n; i++) {
            TRY(shake_once(&shakers[i], load->connections, round > 0, diag));
        }
    }
    for (size_t i = 0; i < n; i += 2) {
        meter_row(&(struct meter_row){.name = load_row_name(load, shakers[i].label, name),
                                      .value = meter_percentile(&shakers[i].us, 0.5),
                                      .unit = "us",
                                      .floor = meter_percentile(&shakers[i + 1].us, 0.5),
                                      .n = load->rounds * load->connections});
    }
    return OK;
}

static struct status
open_shakers(const struct load *load, uint16_t echo_port, struct shaker *shakers, size_t n,
             struct diag *diag)
{
    for (size_t i = 0; i < n; i++) {
        const struct drive_options options = {
            .port = i % 2 == 0 ? load->nodes[0].port : echo_port,
            .tls = load->nodes[0].tls,
            .connections = load->connections,
            .keep_bytes = LOAD_KEEP_BYTES,
            .may_resume = shakers[i].resumes,
        };
        TRY(drive_open(&options, diag, &shakers[i].drive));
    }
    return OK;
}

static struct status
handshake_with(struct load *load, const struct echo *echo, struct diag *diag)
{
    const pid_t node = load->nodes[0].pid;
    struct shaker shakers[] = {
        {.label = "full, CPU of the node", .pid = node},
        {.label = "full, echo", .pid = echo->pid},
        {.label = "resumed, CPU of the node", .pid = node, .resumes = true},
        {.label = "resumed, echo", .pid = echo->pid, .resumes = true},
    };
    struct status st = open_shakers(load, echo->port, shakers, ARRAY_LEN(shakers), diag);
    if (is_ok(st)) {
        st = shake_all(load, shakers, ARRAY_LEN(shakers), diag);
    }
    for (size_t i = 0; i < ARRAY_LEN(shakers); i++) {
        drive_free(shakers[i].drive);
        meter_list_done(&shakers[i].us);
    }
    return st;
}

struct status
load_handshake(struct load *load, struct diag *diag)
{
    const struct config *const config = load->nodes[0].asker.config;
    SSL_CTX *tls = NULL;
    struct echo echo = {.pid = 0};
    TRY(tls_server_context(config->node, config->partner_trust, config->generation, diag, &tls));
    struct status st =
        echo_start(tls, SPAN("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), diag, &echo);
    if (is_ok(st)) {
        st = handshake_with(load, &echo, diag);
    }
    echo_stop(&echo);
    SSL_CTX_free(tls);
    return st;
}

/* ---- idle connections ---- */

/* As many requests as connections, each on another one. */
static struct status
ask_each_once(struct drive *drive, struct request_pool *pool, size_t n, struct diag *diag)
{
    struct load_share share = {pool, n};
    struct drive_result result = {0};
    const struct drive_work work = {.next = load_next,
                                    .arg = &share,
                                    .mark = request_wanted_mark(SOAP_ITI_55),
                                    .asking_max = IDLE_ASKING};
    drive_run(drive, &work, &result);
    const bool is_good = result.answered == n && result.reconnected == 0;
    if (!is_good) {
        (void)FAIL(diag, ERR_PARTNER_ANSWER,
                   "%zu of %zu answered, %zu failed (%s), %zu connections closed", result.answered,
                   n, result.failed, result.why, result.reconnected);
    }
    drive_result_done(&result);
    return (struct status){diag->code};
}

static void
show_idle(const struct load *load, const struct meter_process *before,
          const struct meter_process *after)
{
    char name[LOAD_NAME_MAX];
    const size_t n = load->connections;
    meter_row(&(struct meter_row){
        .name = load_row_name(load, "memory of the node per connection", name),
        .value = (double)(after->rss_bytes - before->rss_bytes) / (double)n / 1024,
        .unit = "KB",
        .n = n});
    meter_row(&(struct meter_row){.name = load_row_name(load, "memory of the node", name),
                                  .value = (double)after->rss_bytes / 1048576,
                                  .unit = "MB",
                                  .n = n});
    meter_row(&(struct meter_row){.name = load_row_name(load, "threads more than before", name),
                                  .value = (double)(after->threads - before->threads),
                                  .unit = "",
                                  .n = n});
    meter_row(&(struct meter_row){.name = load_row_name(load, "descriptors more", name),
                                  .value = (double)(after->descriptors - before->descriptors),
                                  .unit = "",
                                  .n = n});
}

static struct status
idle_with(struct load *load, struct request_pool *pool, struct diag *diag)
{
    struct load_node *const node = &load->nodes[0];
    struct meter_process before, after;
    struct drive *few = NULL;
    struct drive *many = NULL;
    struct drive_result ignored = {0};
    TRY(load_connect(node, IDLE_ASKING, diag, &few));
    struct status st = load_run(few, pool, WARM_UP, 0, SOAP_ITI_55, &ignored, diag);
    drive_result_done(&ignored);
    drive_free(few);
    TRY(st);
    (void)usleep(SETTLE_US);
    TRY(meter_process_read(node->pid, diag, &before));
    TRY(load_connect(node, load->connections, diag, &many));
    st = ask_each_once(many, pool, load->connections, diag);
    (void)usleep(SETTLE_US);
    if (is_ok(st)) {
        st = meter_process_read(node->pid, diag, &after);
    }
    if (is_ok(st)) {
        show_idle(load, &before, &after);
    }
    drive_free(many);
    return st;
}

struct status
load_idle(struct load *load, struct diag *diag)
{
    struct request_pool pool;
    struct status st = request_pool_fill(&pool, &load->nodes[0].asker, SOAP_ITI_55,
                                         WARM_UP + load->connections, diag);
    if (is_ok(st)) {
        st = idle_with(load, &pool, diag);
    }
    request_pool_done(&pool);
    return st;
}
