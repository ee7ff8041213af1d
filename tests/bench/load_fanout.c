/*
 * broker-fanout-N: one question to N partners. CPU of the broker beside the sum of N + 1
 * signatures, N exchanges of the same bytes over libcurl's kept connections, and N parses of the
 * answer, each measured alone in the same rounds; and how much later than the slowest partner's the
 * answer comes, at half of what the broker can do.
 */
#include "tests/bench/load_broker.h"

#include <stdio.h>

#include <curl/curl.h>
#include <libxml/parser.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "certs/tls.h"
#include "soap/envelope.h"
#include "tests/bench/floor.h"

#define SLICE_NS  INT64_C(100000000)
#define EXCHANGES 40 /* a round */
#define WARM_UP   20

struct fanout {
    struct load *load;
    struct questions questions;
    struct drive *drive;
    struct drive_result closed, half;
    struct floor floor;
    struct buf request; /* as the broker sends it: head and body */
    CURL *curl;
    struct curl_slist *headers;
    struct buf answer; /* body of the partner's */
    struct meter_list cpu_us, ratios, floor_us, sign_us, curl_us, parse_us;
};

/* ---- the floor ---- */

static size_t
take_answer(char *bytes, size_t size, size_t n, void *arg)
{
    struct diag diag = {.code = ERR_NONE};
    struct fanout *const fanout = arg;
    return is_ok(buf_append(&fanout->answer, span_of(bytes, size * n), &diag)) ? size * n : 0;
}

static CURLcode
prepare_tls(CURL *curl, void *context, void *arg)
{
    const struct fanout *const fanout = arg;
    const struct config *const config = fanout->load->nodes[0].asker.config;
    struct diag diag = {.code = ERR_NONE};
    (void)curl;
    return is_ok(tls_client_context_prepare(context, config->node, config->partner_trust, false,
                                            &diag))
               ? CURLE_OK
               : CURLE_SSL_CERTPROBLEM;
}

static struct status
prepare_curl(struct fanout *fanout, struct diag *diag)
{
    const struct span all = buf_span(&fanout->request);
    const size_t end = span_find(all, SPAN("\r\n\r\n")) + 4;
    const struct span body = span_slice(all, end, SIZE_MAX);
    fanout->headers =
        curl_slist_append(fanout->headers, "Content-Type: " SOAP_CONTENT_TYPE
                                           "; action=\"urn:ihe:iti:2007:CrossGatewayQuery\"");
    fanout->headers = curl_slist_append(fanout->headers, "Expect:");
    fanout->curl = curl_easy_init();
    if (fanout->curl == NULL || fanout->headers == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no curl");
    }
    (void)curl_easy_setopt(fanout->curl, CURLOPT_URL,
                           fanout->load->nodes[0].asker.partner->query_url);
    (void)curl_easy_setopt(fanout->curl, CURLOPT_POSTFIELDS, body.p);
    (void)curl_easy_setopt(fanout->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    (void)curl_easy_setopt(fanout->curl, CURLOPT_HTTPHEADER, fanout->headers);
    (void)curl_easy_setopt(fanout->curl, CURLOPT_SSL_VERIFYHOST, 0L);
    (void)curl_easy_setopt(fanout->curl, CURLOPT_SSL_CTX_FUNCTION, prepare_tls);
    (void)curl_easy_setopt(fanout->curl, CURLOPT_SSL_CTX_DATA, fanout);
    (void)curl_easy_setopt(fanout->curl, CURLOPT_WRITEFUNCTION, take_answer);
    (void)curl_easy_setopt(fanout->curl, CURLOPT_WRITEDATA, fanout);
    (void)curl_easy_setopt(fanout->curl, CURLOPT_TIMEOUT, 30L);
    return OK;
}

static struct status
exchange(struct fanout *fanout, struct diag *diag)
{
    long status = 0;
    buf_reset(&fanout->answer);
    const CURLcode code = curl_easy_perform(fanout->curl);
    (void)curl_easy_getinfo(fanout->curl, CURLINFO_RESPONSE_CODE, &status);
    return code == CURLE_OK && status == 200
               ? OK
               : FAIL(diag, ERR_PARTNER_ANSWER, "the floor's exchange: %s, HTTP %ld",
                      curl_easy_strerror(code), status);
}

static bool
run_sign(void *arg)
{
    return floor_sign(arg);
}

static bool
run_parse(void *arg)
{
    const struct buf *const answer = arg;
    xmlDoc *const doc = xmlReadMemory(answer->p, (int)answer->n, NULL, NULL, XML_PARSE_NONET);
    xmlFreeDoc(doc);
    return doc != NULL;
}

static struct status
measure_floor(struct fanout *fanout, struct diag *diag, double *ret_us)
{
    const double n = (double)fanout->load->partners;
    const int64_t before_ns = meter_thread_cpu_ns();
    for (int i = 0; i < EXCHANGES; i++) {
        TRY(exchange(fanout, diag));
    }
    const double curl_us = (double)(meter_thread_cpu_ns() - before_ns) / EXCHANGES / 1000;
    const double sign_us = floor_time_us(run_sign, &fanout->floor, SLICE_NS);
    const double parse_us = floor_time_us(run_parse, &fanout->answer, SLICE_NS);
    if (sign_us < 0 || parse_us < 0) {
        return FAIL(diag, ERR_CRYPTO, "the floor's signature or parse failed");
    }
    meter_list_add(&fanout->sign_us, sign_us);
    meter_list_add(&fanout->curl_us, curl_us);
    meter_list_add(&fanout->parse_us, parse_us);
    *ret_us = (n + 1) * sign_us + n * (curl_us + parse_us);
    meter_list_add(&fanout->floor_us, *ret_us);
    return OK;
}

/* ---- rounds ---- */

static struct status
prepare(struct fanout *fanout, struct diag *diag)
{
    struct load *const load = fanout->load;
    struct load_node *const node = &load->nodes[0];
    struct drive_result ignored = {0};
    node->asker.patient_id = SPAN("7^^^&2.999.100.1.1&ISO");
    buf_init(&fanout->request, LOAD_KEEP_BYTES);
    buf_init(&fanout->answer, LOAD_KEEP_BYTES);
    TRY(questions_init(&fanout->questions, load, load->partners, diag));
    fanout->questions.targets = load->partners;
    TRY(request_write(&node->asker, SOAP_ITI_38, &fanout->request, diag));
    TRY(floor_init(&fanout->floor, buf_span(&fanout->request), node->asker.config->signing->key,
                   diag));
    TRY(prepare_curl(fanout, diag));
    TRY(exchange(fanout, diag));
    TRY(broker_connect(load, load->connections, diag, &fanout->drive));
    TRY(broker_run(fanout->drive, &fanout->questions, WARM_UP, 0, &ignored, diag));
    drive_result_done(&ignored);
    return OK;
}

static struct status
measure(struct fanout *fanout, struct diag *diag)
{
    struct load *const load = fanout->load;
    const pid_t pid = load->nodes[0].pid;
    for (size_t round = 0; round < load->rounds; round++) {
        double floor_us = 0;
        TRY(measure_floor(fanout, diag, &floor_us));
        const int64_t before_ns = meter_cpu_ns(pid);
        TRY(broker_run(fanout->drive, &fanout->questions, load->count, 0, &fanout->closed, diag));
        const double us = (double)(meter_cpu_ns(pid) - before_ns) / (double)load->count / 1000;
        meter_list_add(&fanout->cpu_us, us);
        meter_list_add(&fanout->ratios, us / floor_us);
    }
    const double most = (double)fanout->closed.answered * 1e6 / (double)fanout->closed.wall_us;
    return broker_run(fanout->drive, &fanout->questions, load->count * load->rounds, most / 2,
                      &fanout->half, diag);
}

/* ---- rows ---- */

static void
show(struct fanout *fanout)
{
    struct load *const load = fanout->load;
    char name[LOAD_NAME_MAX];
    const size_t n = fanout->closed.answered;
    struct meter_list *const late = &fanout->half.latencies_us;
    broker_row(load, "floor, one signature", meter_percentile(&fanout->sign_us, 0.5), "us",
               load->rounds);
    broker_row(load, "floor, one exchange over libcurl", meter_percentile(&fanout->curl_us, 0.5),
               "us", load->rounds);
    broker_row(load, "floor, one parse of the answer", meter_percentile(&fanout->parse_us, 0.5),
               "us", load->rounds);
    meter_row(&(struct meter_row){.name = load_row_name(load, "CPU of the broker", name),
                                  .value = meter_percentile(&fanout->cpu_us, 0.5),
                                  .unit = "us",
                                  .floor = meter_percentile(&fanout->floor_us, 0.5),
                                  .ratio = meter_percentile(&fanout->ratios, 0.5),
                                  .n = n});
    broker_row(load, "throughput", (double)n * 1e6 / (double)fanout->closed.wall_us, "/s", n);
    broker_row(load, "later than the partners at half load, median",
               meter_percentile(late, 0.5) / 1000 - load->partner_ms, "ms", late->n);
    broker_row(load, "later than the partners at half load, 99th percentile",
               meter_percentile(late, 0.99) / 1000 - load->partner_ms, "ms", late->n);
}

static void
finish(struct fanout *fanout)
{
    struct meter_list *const lists[] = {&fanout->cpu_us,  &fanout->ratios,  &fanout->floor_us,
                                        &fanout->sign_us, &fanout->curl_us, &fanout->parse_us};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        meter_list_done(lists[i]);
    }
    drive_free(fanout->drive);
    questions_done(&fanout->questions);
    floor_done(&fanout->floor);
    curl_easy_cleanup(fanout->curl);
    curl_slist_free_all(fanout->headers);
    buf_done(&fanout->request);
    buf_done(&fanout->answer);
    drive_result_done(&fanout->closed);
    drive_result_done(&fanout->half);
}

struct status
load_fanout(struct load *load, struct diag *diag)
{
    struct fanout fanout = {.load = load};
    struct status st = prepare(&fanout, diag);
    if (is_ok(st)) {
        st = measure(&fanout, diag);
    }
    if (is_ok(st)) {
        show(&fanout);
    }
    finish(&fanout);
    return st;
}
