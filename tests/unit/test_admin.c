/* The admin listener's pages over real parts: a configuration, a journal, a runner. What /metrics
 * says is read by a strict parser of Prometheus' text format. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/exposition.h"
#include "base/metrics.h"
#include "tests/unit/config_world.h"
#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

#define NAME_MAX_BYTES 96

static struct loaded loaded;
static struct admin_view view;
static struct journal *journal;

static void
set_up(void)
{
    struct diag diag = {0};
    if (world.dir[0] == '\0') {
        test_make_world();
        write_main(0, NULL);
        write_blue(0, NULL);
        write_gold(0, NULL);
    }
    load(&loaded);
    CHECK_OK(&loaded.diag, loaded.status);
    FILE *const store = fopen(loaded.config->store_path, "ab");
    CU_ASSERT_FATAL(store != NULL && fclose(store) == 0);
    CHECK_OK(&diag, journal_open(JOURNAL_AT(loaded.config->journal_dir), "node", clock_system(),
                                 &diag, &journal));
    view = (struct admin_view){
        .config = loaded.config,
        .clock = &world.clock.clock,
        .journal = journal,
        .started_us = 1700000000 * US_PER_S + 250000,
        .loaded_us = 1700000001 * US_PER_S,
    };
    CHECK_OK(&diag, runner_new(clock_system(), 0, &diag, &view.runner));
}

static void
tear_down(void)
{
    runner_free(view.runner);
    journal_close(journal);
    unload(&loaded);
    metrics_done();
}

/* ---- a strict reader of the format ---- */

struct page {
    struct span rest;
    char family[NAME_MAX_BYTES]; /* open: its HELP and TYPE have come */
    char type[512];
    size_t families, samples;
    uint64_t bucket; /* the last one of a histogram's series */
};

static bool
is_name(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        const unsigned char c = (unsigned char)text.p[i];
        if (!isalpha(c) && c != '_' && (i == 0 || !isdigit(c))) {
            return false;
        }
    }
    return text.n > 0;
}

/* {a="b",c="d"}: takes it from the front; "le" must be the last. */
static bool
take_labels(struct span *line)
{
    struct span name;
    bool has_le = false;
    if (line->n == 0 || line->p[0] != '{') {
        return true;
    }
    do {
        *line = span_slice(*line, 1, SIZE_MAX);
        if (has_le || !span_split(line, '=', &name) || !is_name(name) || line->n < 2 ||
            line->p[0] != '"') {
            return false;
        }
        has_le = span_eq(name, SPAN("le"));
        size_t at = 1;
        while (at < line->n && line->p[at] != '"') {
            at += line->p[at] == '\\' ? 2 : 1;
        }
        if (at + 1 >= line->n) {
            return false;
        }
        *line = span_slice(*line, at + 1, SIZE_MAX);
    } while (line->p[0] == ',');
    const bool is_closed = line->p[0] == '}';
    *line = span_slice(*line, 1, SIZE_MAX);
    return is_closed;
}

static bool
is_of_family(const struct page *page, struct span name)
{
    static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
    char wanted[NAME_MAX_BYTES + 16];
    if (strcmp(page->type, "histogram") != 0) {
        return span_eq(name, span_of_cstr(page->family));
    }
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        (void)snprintf(wanted, sizeof(wanted), "%s%s", page->family, suffixes[i]);
        if (span_eq(name, span_of_cstr(wanted))) {
            return true;
        }
    }
    return false;
}

static bool
take_sample(struct page *page, struct span line)
{
    size_t n = 0;
    while (n < line.n && line.p[n] != '{' && line.p[n] != ' ') {
        n++;
    }
    const struct span name = span_slice(line, 0, n);
    char number[64];
    char *end = NULL;
    line = span_slice(line, n, SIZE_MAX);
    if (!is_name(name) || !is_of_family(page, name) || !take_labels(&line) || line.n < 2 ||
        line.p[0] != ' ' || line.n > sizeof(number)) {
        return false;
    }
    (void)snprintf(number, sizeof(number), "%.*s", (int)(line.n - 1), line.p + 1);
    (void)strtod(number, &end);
    page->samples++;
    return *end == '\0';
}

static bool
take_comment(struct page *page, struct span line)
{
    char kind[8], name[NAME_MAX_BYTES], text[512];
    char copy[768];
    (void)snprintf(copy, sizeof(copy), "%.*s", SPAN_PRINT(line));
    if (sscanf(copy, "# %7s %95s %511[^\n]", kind, name, text) != 3) {
        return false;
    }
    if (strcmp(kind, "HELP") == 0) {
        (void)snprintf(page->family, sizeof(page->family), "%s", name);
        page->type[0] = '\0';
        page->families++;
        return true;
    }
    (void)snprintf(page->type, sizeof(page->type), "%s", text);
    return strcmp(kind, "TYPE") == 0 && strcmp(name, page->family) == 0 &&
           (strcmp(text, "counter") == 0 || strcmp(text, "gauge") == 0 ||
            strcmp(text, "histogram") == 0);
}

static void
read_page(struct span text, struct page *page)
{
    struct span line;
    *page = (struct page){.rest = text};
    CU_ASSERT(text.n > 0 && text.p[text.n - 1] == '\n');
    while (page->rest.n > 0 && span_split(&page->rest, '\n', &line)) {
        const bool is_good =
            line.n > 0 && (line.p[0] == '#' ? take_comment(page, line) : take_sample(page, line));
        if (!is_good) {
            fprintf(stderr, "no line of the format: %.*s\n", SPAN_PRINT(line));
        }
        CU_ASSERT(is_good);
    }
}

/* ---- the pages ---- */

static struct admin_answer
get(const char *path, const char *query)
{
    struct admin_answer answer;
    admin_answer(&view, span_of_cstr(path), span_of_cstr(query), &answer);
    return answer;
}

static bool
has(const struct admin_answer *answer, const char *text)
{
    const struct span content = buf_span(&answer->content);
    const bool is_there = memmem(content.p, content.n, text, strlen(text)) != NULL;
    if (!is_there) {
        fprintf(stderr, "expected %s in:\n%.*s\n", text, SPAN_PRINT(content));
    }
    return is_there;
}

static void
test_metrics_page(void)
{
    static const char *const values[] = {"ITI-38", "a \"b\"\\c\nd", "responding", "answered"};
    struct page page;
    size_t families = 0;
    set_up();
    metric_observe(METRIC_TRANSACTION, values, 3 * US_PER_S);
    metric_observe(METRIC_TRANSACTION, values, 700);
    metric_count(METRIC_RELOAD, (const char *const[]){"done"});
    struct admin_answer answer = get("/metrics", "");
    CU_ASSERT(answer.http_status == 200);
    CU_ASSERT_STRING_EQUAL(answer.content_type, EXPOSITION_CONTENT_TYPE);
    read_page(buf_span(&answer.content), &page);
    while (admin_family_name(families) != NULL) {
        families++;
    }
    CU_ASSERT(page.families == families && page.samples > families / 2);
    CU_ASSERT(has(&answer, "process_start_time_seconds 1700000000.250000\n"));
    CU_ASSERT(has(&answer, "isthmus_config_reloads_total{outcome=\"done\"} 1\n"));
    CU_ASSERT(has(&answer, "isthmus_transaction_seconds_bucket{transaction=\"ITI-38\",partner=\"a "
                           "\\\"b\\\"\\\\c\\nd\",direction=\"responding\",outcome=\"answered\","
                           "le=\"0.001\"} 1\n"));
    CU_ASSERT(has(&answer, "le=\"5\"} 2\n") && has(&answer, "le=\"+Inf\"} 2\n"));
    CU_ASSERT(has(&answer, "isthmus_transaction_seconds_sum{") && has(&answer, "} 3.000700\n"));
    CU_ASSERT(has(&answer, "isthmus_expiry_seconds{what=\"credential\",name="));
    CU_ASSERT(has(&answer, "isthmus_audit_healthy 1\n"));
    CU_ASSERT(has(&answer, "# TYPE isthmus_clock_offset_seconds gauge\n"
                           "isthmus_clock_offset_seconds "));
    buf_done(&answer.content);
    tear_down();
}

static void
test_health(void)
{
    set_up();
    struct admin_answer answer = get("/livez", "");
    CU_ASSERT(answer.http_status == 200 && has(&answer, "ok\n"));
    buf_done(&answer.content);
    answer = get("/readyz", "");
    CU_ASSERT(answer.http_status == 200 && span_eq(buf_span(&answer.content), SPAN("ok\n")));
    buf_done(&answer.content);
    answer = get("/readyz", "verbose");
    CU_ASSERT(answer.http_status == 200 && has(&answer, "[+] journal: ") &&
              has(&answer, "] clock: ") && has(&answer, "[+] configuration: generation "));
    buf_done(&answer.content);
    view.is_load_refused = true;
    answer = get("/readyz", "verbose");
    CU_ASSERT(answer.http_status == 200 && has(&answer, "[!] configuration: the last reload"));
    buf_done(&answer.content);
    answer = get("/elsewhere", "");
    CU_ASSERT(answer.http_status == 404);
    buf_done(&answer.content);
    tear_down();
}

/* A place that is not there: the reason alone is said, and a verbose page has the rest, too. */
static void
test_not_ready(void)
{
    set_up();
    struct config elsewhere = *loaded.config;
    elsewhere.journal_dir = "/nowhere";
    view.config = &elsewhere;
    struct admin_answer answer = get("/readyz", "");
    CU_ASSERT(answer.http_status == 503);
    CHECK_SPAN(buf_span(&answer.content),
               "[-] journal-disk: /nowhere cannot be looked at; is its file system mounted?\n");
    buf_done(&answer.content);
    answer = get("/readyz", "verbose");
    CU_ASSERT(answer.http_status == 503 && has(&answer, "[-] journal-disk: ") &&
              has(&answer, "[+] journal: ") && has(&answer, "not ready\n"));
    buf_done(&answer.content);
    tear_down();
}

/* While a list is awaited nobody is trusted; an unkept clock counts when the configuration says. */
static void
test_waits(void)
{
    set_up();
    struct config other = *loaded.config;
    struct config_trust trusts[8];
    CU_ASSERT_FATAL(other.trusts_n > 0 && other.trusts_n <= ARRAY_LEN(trusts));
    memcpy(trusts, other.trusts, other.trusts_n * sizeof(trusts[0]));
    trusts[0].awaits_crl = true;
    other.trusts = trusts;
    view.config = &other;
    struct admin_answer answer = get("/readyz", "");
    CU_ASSERT(answer.http_status == 503 && has(&answer, "[-] trust: waits for its first"));
    buf_done(&answer.content);
    trusts[0].awaits_crl = false;
    other.needs_clock = true;
    answer = get("/readyz", "");
    CU_ASSERT(answer.http_status == (admin_read_clock().is_synchronised ? 200 : 503));
    buf_done(&answer.content);
    tear_down();
}

static const struct unit_test tests[] = {
    {"metrics", test_metrics_page},
    {"health", test_health},
    {"not ready", test_not_ready},
    {"what readiness waits for", test_waits},
};
UNIT_MAIN("admin", tests)
