/* The log: no peer forges a line, JSON is always JSON, a line is one write. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/datetime.h"
#include "base/log.h"
#include "tests/unit/unit.h"

static char output[256 * 1024];
static int ends[2];

static void
begin(enum log_level least, enum log_format format)
{
    CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
    log_configure(least, format, ends[1]);
}

/* What was written since begin, as text. */
static struct span
end(void)
{
    size_t n = 0;
    ssize_t got = 0;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, STDERR_FILENO);
    (void)close(ends[1]);
    while ((got = read(ends[0], output + n, sizeof(output) - n)) > 0) {
        n += (size_t)got;
    }
    (void)close(ends[0]);
    return span_of(output, n);
}

/* Without the time, which is checked for its form only. */
static struct span
without_time(struct span line)
{
    int64_t us = 0;
    CU_ASSERT(datetime_read_xs(span_slice(line, 0, 24), &us));
    return span_slice(line, 24, line.n);
}

static const struct {
    struct span value;
    const char *text, *json;
} values[] = {
    {{"", 0}, "\"\"", ""},
    {{"plain-1,2:3=4", 13}, "plain-1,2:3=4", "plain-1,2:3=4"},
    {{"two words", 9}, "\"two words\"", "two words"},
    {{"a\nerror b", 9}, "\"a\\u000aerror b\"", "a\nerror b"},
    {{"\r\n\t\x1b[0m", 7}, "\"\\u000d\\u000a\\u0009\\u001b[0m\"", "\r\n\t\x1b[0m"},
    {{"\x7f", 1}, "\"\\u007f\"", "\x7f"},
    {{"\"\\", 2}, "\"\\\"\\\\\"", "\"\\"},
    {{"\xC2\x85\xE2\x80\xA8", 5}, "\"\\u0085\\u2028\"", "\xC2\x85\xE2\x80\xA8"},
    {{"\xE2\x80\xAE", 3}, "\"\\u202e\"", "\xE2\x80\xAE"}, /* right-to-left override */
    {{"\xFF\xC3(", 3}, "\"\\xff\\xc3(\"", "\xEF\xBF\xBD\xEF\xBF\xBD("},
    {{"\xC3\xA9", 2}, "\xC3\xA9", "\xC3\xA9"},
    {{"%n%s", 4}, "%n%s", "%n%s"},
};

static void
test_forged_text(void)
{
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        char want[256];
        begin(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
        LOG_EVENT(LOG_LEVEL_INFO, "txn-done", LOG_SPAN("peer", values[i].value), LOG_INT("ms", 41));
        (void)snprintf(want, sizeof(want), " info txn-done peer=%s ms=41\n", values[i].text);
        CHECK_SPAN(without_time(end()), want);
    }
}

static void
test_forged_json(void)
{
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        begin(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
        LOG_EVENT(LOG_LEVEL_WARNING, "txn-done", LOG_SPAN("peer", values[i].value),
                  LOG_INT("ms", -41));
        const struct span line = end();
        CU_ASSERT_EQUAL(span_find_char(line, '\n'), line.n - 1);
        json_t *json = json_loadb(line.p, line.n, 0, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(json);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json, "peer")), values[i].json);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json, "level")), "warning");
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json, "event")), "txn-done");
        CU_ASSERT_EQUAL(json_integer_value(json_object_get(json, "ms")), -41);
        int64_t us = 0;
        CU_ASSERT(
            datetime_read_xs(span_of_cstr(json_string_value(json_object_get(json, "time"))), &us));
        CU_ASSERT_EQUAL(json_object_size(json), 5);
        json_decref(json);
    }
}

/* A megabyte as a name: the value is cut, and the fields after it are still there. */
static void
test_long_values(void)
{
    static char name[1024 * 1024];
    memset(name, '"', sizeof(name));
    for (int form = 0; form <= 1; form++) {
        begin(LOG_LEVEL_INFO, form == 1 ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
        LOG_EVENT(LOG_LEVEL_INFO, "long", LOG_SPAN("a", span_of(name, sizeof(name))),
                  LOG_SPAN("b", span_of(name, sizeof(name))), LOG_INT("last", 7));
        const struct span line = end();
        CU_ASSERT(line.n <= PIPE_BUF);
        CU_ASSERT(span_find(line, SPAN("...\"")) != SPAN_MISSING);
        CU_ASSERT(span_ends_with(line, form == 1 ? SPAN(",\"last\":7}\n") : SPAN(" last=7\n")));
    }
}

static void
test_too_many_fields(void)
{
    static char value[500];
    struct log_field fields[20];
    memset(value, 'v', sizeof(value));
    for (size_t i = 0; i + 1 < ARRAY_LEN(fields); i++) {
        fields[i] = LOG_SPAN("f", span_of(value, sizeof(value)));
    }
    fields[ARRAY_LEN(fields) - 1] = LOG_INT("last", 7);
    begin(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    log_write(LOG_LEVEL_INFO, "many", fields, ARRAY_LEN(fields));
    const struct span line = end();
    CU_ASSERT(line.n <= PIPE_BUF);
    json_t *json = json_loadb(line.p, line.n, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    CU_ASSERT(json_is_true(json_object_get(json, "cut")));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json, "last")), 7);
    json_decref(json);
    begin(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    log_write(LOG_LEVEL_INFO, "many", fields, ARRAY_LEN(fields));
    CU_ASSERT(span_ends_with(end(), SPAN(" last=7 cut=true\n")));
}

static void
test_levels(void)
{
    begin(LOG_LEVEL_WARNING, LOG_FORMAT_TEXT);
    LOG_EVENT(LOG_LEVEL_INFO, "below", LOG_INT("n", 1));
    log_write(LOG_LEVEL_ERROR, "above", NULL, 0);
    CHECK_SPAN(without_time(end()), " error above\n");
}

static void
test_diag_field(void)
{
    struct diag diag;
    struct diag none;
    diag_clear(&diag);
    diag_clear(&none);
    (void)diag_fail(&diag, ERR_SIG_WRAPPED, "../../gateway/soap/sigverify.c", 12, "covers \"%s\"",
                    "other");
    begin(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    LOG_EVENT(LOG_LEVEL_ERROR, "txn-done", LOG_ID("txn", "t1"), LOG_ID("peer", NULL),
              LOG_DIAG(&diag), LOG_DIAG(&none), LOG_INT("ms", 1));
    CHECK_SPAN(without_time(end()),
               " error txn-done txn=t1 peer=\"\" error=SIG_WRAPPED detail=\"covers \\\"other\\\"\" "
               "at=soap/sigverify.c:12 ms=1\n");
}

static void
test_errno_survives(void)
{
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, -1); /* nowhere to write */
    errno = ENOSPC;
    LOG_EVENT(LOG_LEVEL_ERROR, "lost", LOG_INT("n", 1));
    CU_ASSERT_EQUAL(errno, ENOSPC);
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, STDERR_FILENO);
}

#define LINES_EACH 100

static void *
write_lines(void *argument)
{
    static const char long_value[] = "0123456789012345678901234567890123456789";
    for (int i = 0; i < LINES_EACH; i++) {
        LOG_EVENT(LOG_LEVEL_INFO, "line", LOG_ID("who", argument), LOG_ID("value", long_value));
    }
    return NULL;
}

/* Lines of several threads into one pipe never mix. */
static void
test_threads(void)
{
    static char who[] = {'a', '\0', 'b', '\0', 'c', '\0'};
    pthread_t threads[3];
    size_t lines = 0;
    struct span line;
    begin(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, write_lines, &who[2 * i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
    }
    struct span all = end();
    while (span_split(&all, '\n', &line) && line.n > 0) {
        lines++;
        CU_ASSERT_EQUAL(line.n, 24 + strlen(" info line who=a value=") + 40);
        CU_ASSERT(span_ends_with(line, SPAN("0123456789")));
    }
    CU_ASSERT_EQUAL(lines, ARRAY_LEN(threads) * LINES_EACH);
}

static const struct unit_test tests[] = {
    {"forged values, text", test_forged_text},
    {"forged values, JSON", test_forged_json},
    {"values of a megabyte", test_long_values},
    {"more fields than fit", test_too_many_fields},
    {"levels", test_levels},
    {"a diag as a field", test_diag_field},
    {"errno survives", test_errno_survives},
    {"threads", test_threads},
};
UNIT_MAIN("log", tests)
