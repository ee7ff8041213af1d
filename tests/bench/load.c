/*
 * The load generator: `load BENCHMARK OPTION...` asks running nodes and prints rows.
 * tests/bench/run starts the nodes and this. What is shared by the benchmarks is here, each
 * benchmark is in a load_*.c of its own. One thread, but for signing.
 */
#include "tests/bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/mem.h"
#include "certs/crl_held.h"
#include "certs/tls.h"
#include "soap/security.h"

/* ---- one question ---- */

struct keeper {
    struct load_share share; /* first member: load_next's arg */
    struct arena *arena;
    struct load_answer answer;
    struct diag diag;
};

static struct span
header_of(struct span head, const char *name)
{
    struct span line;
    while (span_split(&head, '\n', &line)) {
        const struct span key = span_slice(line, 0, span_find_char(line, ':'));
        if (span_eq_nocase(key, span_of_cstr(name))) {
            return span_trim(span_slice(line, key.n + 1, SIZE_MAX));
        }
    }
    return SPAN_EMPTY;
}

static void
keep_answer(void *arg, struct span head, struct span body)
{
    struct keeper *const keeper = arg;
    if (is_ok(arena_dup(keeper->arena, head, &keeper->diag, &keeper->answer.head)) &&
        is_ok(arena_dup(keeper->arena, body, &keeper->diag, &keeper->answer.body))) {
        keeper->answer.content_type = header_of(keeper->answer.head, "Content-Type");
    }
}

struct status
load_connect(const struct load_node *node, size_t connections, struct diag *diag,
             struct drive **ret_drive)
{
    const struct drive_options options = {.port = node->port,
                                          .tls = node->tls,
                                          .connections = connections,
                                          .keep_bytes = LOAD_KEEP_BYTES,
                                          .timeout_us = load_open_timeout_us(connections)};
    return drive_open(&options, diag, ret_drive);
}

/* A busy machine makes a hundred handshakes a second. */
int64_t
load_open_timeout_us(size_t connections)
{
    return (60 + (int64_t)connections / 30) * US_PER_S;
}

static struct status
ask_with(struct drive *drive, struct request_pool *pool, enum soap_transaction transaction,
         struct keeper *keeper, struct diag *diag)
{
    struct drive_result result = {0};
    keeper->share = (struct load_share){pool, 1};
    const struct drive_work work = {
        .next = load_next,
        .arg = &keeper->share,
        .mark = request_wanted_mark(transaction),
        .on_answer = keep_answer,
        .limit_us = 30 * US_PER_S,
    };
    drive_run(drive, &work, &result);
    const bool is_good = result.answered == 1 && keeper->diag.code == ERR_NONE;
    if (!is_good) {
        (void)FAIL(diag, ERR_PARTNER_ANSWER, "%s: %s", soap_transaction(transaction)->name,
                   result.why);
    }
    drive_result_done(&result);
    return (struct status){diag->code};
}

struct status
load_ask_once(struct load_node *node, enum soap_transaction transaction, struct diag *diag,
              struct load_answer *ret_answer)
{
    struct keeper keeper = {.arena = node->asker.arena};
    struct request_pool pool;
    struct drive *drive = NULL;
    struct status st = request_pool_fill(&pool, &node->asker, transaction, 1, diag);
    if (is_ok(st)) {
        st = load_connect(node, 1, diag, &drive);
    }
    if (is_ok(st)) {
        st = ask_with(drive, &pool, transaction, &keeper, diag);
        *ret_answer = keeper.answer;
    }
    drive_free(drive);
    request_pool_done(&pool);
    return st;
}

static struct status
learn(struct load_node *node, enum soap_transaction transaction, uint64_t most_bytes,
      struct diag *diag)
{
    struct load_answer answer;
    TRY(load_ask_once(node, transaction, diag, &answer));
    return asker_learn(&node->asker, transaction, answer.body, answer.content_type, most_bytes,
                       diag);
}

struct status
load_prepare(struct load_node *node, enum soap_transaction transaction, uint64_t most_bytes,
             struct diag *diag)
{
    if (transaction != SOAP_ITI_55 && node->asker.patient_id.n == 0) {
        TRY(learn(node, SOAP_ITI_55, most_bytes, diag));
    }
    if (transaction == SOAP_ITI_39 && node->asker.wanted_bytes == 0) {
        TRY(learn(node, SOAP_ITI_38, most_bytes, diag));
    }
    return OK;
}

/* ---- many questions ---- */

bool
load_next(void *arg, struct span *ret_request)
{
    struct load_share *const share = arg;
    if (share->left == 0 || share->pool->at == share->pool->n) {
        return false;
    }
    share->left--;
    *ret_request = buf_span(&share->pool->items[share->pool->at++]);
    return true;
}

struct status
load_run(struct drive *drive, struct request_pool *pool, size_t n, double rate,
         enum soap_transaction transaction, struct drive_result *result, struct diag *diag)
{
    struct load_share share = {pool, n};
    const struct drive_work work = {
        .next = load_next,
        .arg = &share,
        .mark = request_wanted_mark(transaction),
        .rate = rate,
    };
    const size_t failed_before = result->failed;
    drive_run(drive, &work, result);
    if (result->failed > failed_before || share.left > 0) {
        return FAIL(diag, ERR_PARTNER_ANSWER, "%zu of %zu requests failed; the first: %s",
                    result->failed - failed_before, n, result->why);
    }
    return OK;
}

/* ---- rows ---- */

const char *
load_row_name(const struct load *load, const char *text, char ret_name[LOAD_NAME_MAX])
{
    (void)snprintf(ret_name, LOAD_NAME_MAX, "%s: %s", load->name, text);
    return ret_name;
}

void
load_rows_of_latency(const struct load *load, const char *label, struct drive_result *result)
{
    static const struct {
        const char *text;
        double fraction;
    } rows[] = {{"latency, median", 0.5}, {"latency, 99th percentile", 0.99}};
    char text[LOAD_NAME_MAX / 2];
    char name[LOAD_NAME_MAX];
    const size_t n = result->latencies_us.n;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        (void)snprintf(text, sizeof(text), "%s, %s", rows[i].text, label);
        meter_row(&(struct meter_row){
            .name = load_row_name(load, text, name),
            .value = meter_percentile(&result->latencies_us, rows[i].fraction) / 1000,
            .unit = "ms",
            .n = n});
    }
}

/* ---- the program ---- */

static const struct {
    const char *name;
    struct status (*run)(struct load *load, struct diag *diag);
} benchmarks[] = {
    {"respond", load_respond},     {"handshake", load_handshake}, {"idle", load_idle},
    {"reload", load_reload},       {"soak", load_soak},           {"fanout", load_fanout},
    {"in-flight", load_in_flight}, {"isolation", load_isolation}, {"large", load_large},
    {"import", load_import},
};

static const struct {
    const char *name;
    enum soap_transaction transaction;
} kinds[] = {{"xcpd", SOAP_ITI_55}, {"query", SOAP_ITI_38}, {"retrieve", SOAP_ITI_39}};

/* ID:PID or ID:PID:LABEL */
static bool
take_node(struct load *load, char *text)
{
    char *const pid = strchr(text, ':');
    char *label = NULL;
    if (pid == NULL || load->nodes_n == LOAD_NODES_MAX) {
        return false;
    }
    *pid = '\0';
    load->nodes[load->nodes_n++] = (struct load_node){
        .id = text,
        .pid = (pid_t)strtol(pid + 1, &label, 10),
        .label = *label == ':' ? label + 1 : text,
    };
    return true;
}

static bool
take_number(size_t *ret_number, const char *text)
{
    uint64_t number;
    if (!span_to_u64(span_of_cstr(text), SIZE_MAX, &number)) {
        return false;
    }
    *ret_number = (size_t)number;
    return true;
}

static bool
take_kind(struct load *load, const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(text, kinds[i].name) == 0) {
            load->transaction = kinds[i].transaction;
            return true;
        }
    }
    return false;
}

static void
take_counts(struct load *load, const char *option, size_t number)
{
    const struct {
        const char *option;
        size_t *count;
    } counts[] = {{"--rounds", &load->rounds},
                  {"--count", &load->count},
                  {"--connections", &load->connections},
                  {"--partners", &load->partners},
                  {"--hostile", &load->hostile}};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        if (strcmp(option, counts[i].option) == 0) {
            *counts[i].count = number;
        }
    }
    load->rate = strcmp(option, "--rate") == 0 ? (double)number : load->rate;
    load->partner_ms = strcmp(option, "--partner-ms") == 0 ? (double)number : load->partner_ms;
    load->local_port = strcmp(option, "--local") == 0 ? (uint16_t)number : load->local_port;
    load->peer_port = strcmp(option, "--peer") == 0 ? (uint16_t)number : load->peer_port;
    load->peer_pid = strcmp(option, "--peer-pid") == 0 ? (pid_t)number : load->peer_pid;
}

static bool
take_option(struct load *load, const char *option, char *value)
{
    size_t number = 0;
    if (strcmp(option, "--config") == 0) {
        load->config_path = value;
        return true;
    }
    if (strcmp(option, "--name") == 0) {
        load->name = value;
        return true;
    }
    if (strcmp(option, "--log") == 0) {
        load->log_path = value;
        return true;
    }
    if (strcmp(option, "--program") == 0) {
        load->program = value;
        return true;
    }
    if (strcmp(option, "--node") == 0) {
        return take_node(load, value);
    }
    if (strcmp(option, "--kind") == 0) {
        return take_kind(load, value);
    }
    if (!take_number(&number, value)) {
        return false;
    }
    take_counts(load, option, number);
    load->duration_us =
        strcmp(option, "--seconds") == 0 ? (int64_t)number * US_PER_S : load->duration_us;
    return true;
}

static struct status
open_node(const struct load *load, struct load_node *node, struct diag *diag)
{
    TRY(asker_open(&node->asker, load->config_path, node->id, diag));
    const struct config *const config = node->asker.config;
    const struct span url = span_of_cstr(node->asker.partner->xcpd_url);
    const struct span rest = span_slice(url, strlen("https://"), SIZE_MAX);
    const size_t colon = span_find_char(rest, ':');
    node->port = colon == SPAN_MISSING ? 443 : (uint16_t)strtoul(rest.p + colon + 1, NULL, 10);
    node->tls = SSL_CTX_new(TLS_client_method());
    if (node->tls == NULL) {
        return FAIL(diag, ERR_CRYPTO, "no TLS context");
    }
    TRY(tls_client_context_prepare(node->tls, config->node, config->partner_trust, false, diag));
    return OK;
}

static void
close_nodes(struct load *load)
{
    for (size_t i = 0; i < load->nodes_n; i++) {
        asker_done(&load->nodes[i].asker);
        SSL_CTX_free(load->nodes[i].tls);
    }
    crl_held_clear();
}

static struct status
run(struct load *load, const char *benchmark, struct diag *diag)
{
    TRY(tls_start_library(diag));
    TRY(soap_library_init(diag));
    for (size_t i = 0; i < load->nodes_n; i++) {
        TRY(open_node(load, &load->nodes[i], diag));
    }
    for (size_t i = 0; i < ARRAY_LEN(benchmarks); i++) {
        if (strcmp(benchmark, benchmarks[i].name) == 0) {
            return benchmarks[i].run(load, diag);
        }
    }
    return FAIL(diag, ERR_USAGE, "no benchmark '%s'", benchmark);
}

static int
usage(void)
{
    (void)fputs(
        "usage: load BENCHMARK --config FILE --node ID:PID[:LABEL] [OPTION VALUE]... [--json]\n"
        "options: name kind=xcpd|query|retrieve rounds count connections rate seconds log\n"
        "of a broker: local=PORT partners hostile partner-ms peer=PORT peer-pid\n",
        stderr);
    return 2;
}

int
main(int argc, char **argv)
{
    struct load load = {.name = argc > 1 ? argv[1] : "",
                        .rounds = 5,
                        .count = 2000,
                        .connections = 16,
                        .duration_us = 10 * US_PER_S,
                        .most_bytes = UINT64_C(66000)};
    struct diag diag = {.code = ERR_NONE};
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            meter_rows_as_json(true);
        } else if (i + 1 >= argc || !take_option(&load, argv[i], argv[i + 1])) {
            return usage();
        } else {
            i++;
        }
    }
    if (argc < 2 || load.config_path == NULL || (load.nodes_n == 0 && load.program == NULL)) {
        return usage();
    }
    if (!is_ok(run(&load, argv[1], &diag))) {
        meter_row_failed(load.name, diag.text);
    }
    close_nodes(&load);
    soap_library_done();
    return meter_exit_code();
}
