/*
 * isolation: do partners that misbehave hurt the others? Runs with and without questions to them
 * take turns; the healthy partners get the same questions in both. Then some questions go to
 * everybody at once: their answers must name every partner that failed, by the deadline.
 */
#include "tests/bench/load_broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/bench/partner.h"

#define EVERYBODY 3 /* questions to all partners, at the end */

struct isolation {
    struct load *load;
    struct questions questions;
    struct drive *drive;
    struct meter_list healthy_us;           /* of the current run */
    struct meter_list medians[2], tails[2]; /* of each run: without, with */
    struct meter_list errors, everybody_us; /* of questions to everybody */
    size_t refused;                         /* answers of the hostile: with an error entry */
    size_t healthy_n[2];
};

static size_t
count_errors(struct span body)
{
    static const char mark[] = "RegistryError ";
    size_t n = 0;
    for (size_t at = span_find(body, span_of_cstr(mark)); at != SPAN_MISSING;
         at = span_find(body, span_of_cstr(mark))) {
        n++;
        body = span_slice(body, at + sizeof(mark) - 1, SIZE_MAX);
    }
    return n;
}

/* The number behind the first community that the request names. */
static size_t
partner_of(struct span request)
{
    static const char mark[] = "home=\"urn:oid:" PARTNER_OID_ROOT ".";
    const size_t at = span_find(request, span_of_cstr(mark));
    return at == SPAN_MISSING ? 0 : strtoul(request.p + at + sizeof(mark) - 1, NULL, 10);
}

static bool
judge(void *arg, struct span request, struct span head, struct span body, double latency_us)
{
    struct isolation *const isolation = (struct isolation *)arg;
    const size_t partner = partner_of(request);
    const size_t errors = count_errors(body);
    if (!span_starts_with(head, SPAN("HTTP/1.1 200 "))) {
        return false;
    }
    if (partner == 0) { /* everybody */
        meter_list_add(&isolation->errors, (double)errors);
        meter_list_add(&isolation->everybody_us, latency_us);
        return true;
    }
    if (partner > isolation->load->partners) {
        isolation->refused += errors == 1;
        return errors == 1;
    }
    meter_list_add(&isolation->healthy_us, latency_us);
    return errors == 0;
}

static bool
next_question(void *arg, struct span *ret_request)
{
    struct isolation *const isolation = arg;
    return questions_next(&isolation->questions, ret_request);
}

static struct status
ask(struct isolation *isolation, size_t n, double rate, struct diag *diag)
{
    struct drive_result result = {0};
    isolation->questions.left = n;
    const struct drive_work work = {
        .next = next_question, .arg = isolation, .judge = judge, .rate = rate};
    drive_run(isolation->drive, &work, &result);
    if (result.failed > 0) {
        (void)FAIL(diag, ERR_PARTNER_ANSWER, "%zu of %zu questions failed; the first: %s",
                   result.failed, n, result.why);
    }
    drive_result_done(&result);
    return (struct status){diag->code};
}

/* <with>: the hostile are asked as often as each of the healthy, so these get no fewer questions.
 */
static struct status
run_once(struct isolation *isolation, bool with, struct diag *diag)
{
    const struct load *const load = isolation->load;
    const size_t partners = load->partners + (with ? load->hostile : 0);
    const double share = (double)partners / (double)load->partners;
    isolation->questions.partners = partners;
    TRY(ask(isolation, (size_t)((double)load->count * share), load->rate * share, diag));
    isolation->healthy_n[with] += isolation->healthy_us.n;
    meter_list_add(&isolation->medians[with], meter_percentile(&isolation->healthy_us, 0.5));
    meter_list_add(&isolation->tails[with], meter_percentile(&isolation->healthy_us, 0.99));
    meter_list_done(&isolation->healthy_us);
    return OK;
}

static struct status
measure(struct isolation *isolation, struct diag *diag)
{
    const struct load *const load = isolation->load;
    isolation->questions.targets = 1;
    for (size_t i = 0; i < load->rounds; i++) {
        TRY(run_once(isolation, false, diag));
        TRY(run_once(isolation, true, diag));
    }
    isolation->questions.targets = load->partners + load->hostile;
    return ask(isolation, EVERYBODY, 1, diag);
}

static void
show(struct isolation *isolation, const struct meter_process *before,
     const struct meter_process *after)
{
    const struct load *const load = isolation->load;
    const struct {
        const char *text;
        struct meter_list *lists;
    } rows[] = {{"healthy partners, median, with the hostile", isolation->medians},
                {"healthy partners, 99th percentile, with them", isolation->tails}};
    char name[LOAD_NAME_MAX];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        meter_row(&(struct meter_row){.name = load_row_name(load, rows[i].text, name),
                                      .value = meter_percentile(&rows[i].lists[1], 0.5) / 1000,
                                      .unit = "ms",
                                      .floor = meter_percentile(&rows[i].lists[0], 0.5) / 1000,
                                      .n = isolation->healthy_n[1]});
    }
    broker_row(load, "hostile partners, answers with one error entry", (double)isolation->refused,
               "", isolation->refused);
    broker_row(load, "question to everybody, error entries, at least",
               meter_percentile(&isolation->errors, 0), "", EVERYBODY);
    broker_row(load, "question to everybody, slowest answer",
               meter_percentile(&isolation->everybody_us, 1) / 1000, "ms", EVERYBODY);
    broker_row(load, "threads more than before", (double)(after->threads - before->threads), "", 1);
    broker_row(load, "descriptors more than before",
               (double)(after->descriptors - before->descriptors), "", 1);
    broker_row(load, "memory more than before",
               (double)(after->rss_bytes - before->rss_bytes) / 1048576, "MB", 1);
}

static struct status
isolate(struct isolation *isolation, struct diag *diag)
{
    struct load *const load = isolation->load;
    struct meter_process before, after;
    TRY(questions_init(&isolation->questions, load, load->partners + load->hostile, diag));
    TRY(broker_connect(load, load->connections, diag, &isolation->drive));
    TRY(run_once(isolation, true, diag)); /* warms up */
    for (size_t i = 0; i < ARRAY_LEN(isolation->medians); i++) {
        meter_list_done(&isolation->medians[i]);
        meter_list_done(&isolation->tails[i]);
        isolation->healthy_n[i] = 0;
    }
    isolation->refused = 0;
    TRY(meter_process_read(load->nodes[0].pid, diag, &before));
    TRY(measure(isolation, diag));
    TRY(meter_process_read(load->nodes[0].pid, diag, &after));
    show(isolation, &before, &after);
    return OK;
}

struct status
load_isolation(struct load *load, struct diag *diag)
{
    struct isolation isolation = {.load = load};
    const struct status st = isolate(&isolation, diag);
    drive_free(isolation.drive);
    questions_done(&isolation.questions);
    meter_list_done(&isolation.healthy_us);
    for (size_t i = 0; i < ARRAY_LEN(isolation.medians); i++) {
        meter_list_done(&isolation.medians[i]);
        meter_list_done(&isolation.tails[i]);
    }
    meter_list_done(&isolation.errors);
    meter_list_done(&isolation.everybody_us);
    return st;
}
