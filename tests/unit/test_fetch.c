/*
 * The fetcher against a real server: what it must not ask, what it must not take, and what comes
 * back from a good one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "out/fetch.h"
#include "tests/unit/unit.h"
#include "tests/unit/web_kit.h"

static struct trust_fetch *fetch;
static struct web web;

struct caller {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t done_n;
    struct fetch_answer answer;
};

static void
note(void *arg, struct fetch_answer *answer)
{
    struct caller *caller = arg;

    (void)pthread_mutex_lock(&caller->lock);
    caller->done_n++;
    caller->answer = *answer;
    (void)pthread_cond_signal(&caller->changed);
    (void)pthread_mutex_unlock(&caller->lock);
}

static void
caller_init(struct caller *caller)
{
    *caller = (struct caller){.done_n = 0};
    (void)pthread_mutex_init(&caller->lock, NULL);
    (void)pthread_cond_init(&caller->changed, NULL);
}

static bool
caller_wait(struct caller *caller)
{
    struct timespec until;
    int error = 0;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += UNIT_PATIENCE_S;
    (void)pthread_mutex_lock(&caller->lock);
    while (caller->done_n == 0 && error == 0) {
        error = pthread_cond_timedwait(&caller->changed, &caller->lock, &until);
    }
    (void)pthread_mutex_unlock(&caller->lock);
    return caller->done_n == 1;
}

static char here[64]; /* 127.0.0.1:PORT */

/* <url>: %s becomes the server's address and port. */
static struct fetch_request
request_of(const char *path, char url[256])
{
    static const char *hosts[3];

    hosts[0] = "ocsp.example";
    hosts[1] = here;
    snprintf(url, 256, "http://%s%s", here, path);
    return (struct fetch_request){.url = url,
                                  .hosts = {hosts, 2},
                                  .content_type = "application/ocsp-request",
                                  .body = SPAN("question"),
                                  .limit_bytes = 1000,
                                  .timeout_us = 60 * US_PER_S};
}

static bool
expect(const struct fetch_request *request, enum err want, const char *said)
{
    struct caller caller;

    caller_init(&caller);
    fetch->start(fetch, request, note, &caller);
    CU_ASSERT_FATAL(caller_wait(&caller));
    const bool is_wanted = caller.answer.error == want &&
                           (want == ERR_NONE ? span_eq_cstr(buf_span(&caller.answer.body), said)
                                             : strstr(caller.answer.detail, said) != NULL);

    if (!is_wanted) {
        printf("\n    %s: wanted %s '%s', got %s: %s", request->url, err_name(want), said,
               err_name(caller.answer.error), caller.answer.detail);
    }
    CU_ASSERT(want == ERR_NONE || caller.answer.body.n == 0);
    buf_done(&caller.answer.body);
    return is_wanted;
}

static void
echo(void *arg, struct span request, struct buf *out)
{
    struct diag diag = {0};

    (void)arg;
    CHECK_OK(&diag, buf_append(out, request, &diag));
}

static void
test_start(void)
{
    struct diag diag = {0};

    web = (struct web){.manner = WEB_RESPONDS, .respond = echo};
    CU_ASSERT_FATAL(web_start(&web));
    snprintf(here, sizeof(here), "127.0.0.1:%u", web.port);
    CU_ASSERT_FATAL(CHECK_OK(&diag, fetcher_start(&diag, &fetch)));
}

/* Nothing of these may reach any server. */
static void
test_not_asked(void)
{
    static const struct {
        const char *url; /* %u is the server's port */
        const char *said;
    } rows[] = {
        {"http://other.example/", "fetch_hosts"},
        {"http://127.0.0.1/", "fetch_hosts"}, /* another port */
        {"http://127.0.0.2:%u/", "fetch_hosts"},
        {"http://localhost:%u/", "fetch_hosts"},
        {"http://ocsp.example:%u/", "fetch_hosts"},
        {"http://ocsp.example.evil.example/", "fetch_hosts"},
        {"http://[::1]:%u/", "fetch_hosts"},
        {"http://127.0.0.1:%u@other.example/", "without a user"},
        {"http://user:word@127.0.0.1:%u/", "without a user"},
        {"https://127.0.0.1:%u/", "expected http://"},
        {"ftp://127.0.0.1:%u/", "expected http://"},
        {"file:///etc/passwd", "expected"},
        {"gopher://127.0.0.1:%u/x", "expected http://"},
        {"127.0.0.1:%u/", "expected a URL"},
        {"http://other.example\\@127.0.0.1:%u/", "expected"},
        {"http://127.0.0.1:%u /", "expected a URL"},
        {"", "expected a URL"},
    };
    const size_t before = atomic_load(&web.requests);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char url[256], port[8], own[256];
        struct fetch_request request = request_of("/", own);
        const char *mark = strstr(rows[i].url, "%u");

        snprintf(port, sizeof(port), "%u", web.port);
        snprintf(url, sizeof(url), "%.*s%s%s",
                 (int)(mark == NULL ? strlen(rows[i].url) : (size_t)(mark - rows[i].url)),
                 rows[i].url, mark == NULL ? "" : port, mark == NULL ? "" : mark + 2);
        request.url = url;
        CU_ASSERT(expect(&request, ERR_FETCH, rows[i].said));
    }
    CU_ASSERT_EQUAL(atomic_load(&web.requests), before);
}

/* A listed name that resolves to this machine: refused at the connection, unless it says so. */
static void
test_near(void)
{
    char url[256], name[256], own[64];
    const char *hosts[1] = {own};
    struct fetch_request request = request_of("/", url);
    const size_t before = atomic_load(&web.requests);

    request.hosts = (struct fetch_hosts){hosts, 1};
    request.url = name;
    /* libcurl itself resolves names under "localhost" to the loopback addresses (RFC 6761 6.3) */
    snprintf(own, sizeof(own), "ocsp.localhost:%u", web.port);
    snprintf(name, sizeof(name), "http://ocsp.localhost:%u/", web.port);
    CU_ASSERT(expect(&request, ERR_FETCH, "resolves to this machine"));
    CU_ASSERT_EQUAL(atomic_load(&web.requests), before);
    snprintf(own, sizeof(own), "LocalHost:%u", web.port);
    snprintf(name, sizeof(name), "http://localhost:%u/", web.port);
    CU_ASSERT(expect(&request, ERR_NONE, "question"));
}

/* What a server may not do. */
static void
test_not_taken(void)
{
    static const struct {
        enum web_manner manner;
        const char *raw;
        const char *said;
    } rows[] = {
        {WEB_RAW,
         "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
         "status 200, got 302"},
        {WEB_RAW, "HTTP/1.1 500 Oops\r\nContent-Length: 1\r\n\r\nx", "status 200, got 500"},
        {WEB_RAW, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "transfer closed"},
        {WEB_RAW, "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", "Maximum file size"},
        {WEB_RAW, "plain words", "HTTP/0.9"},
        {WEB_RAW, "", "Empty reply"},
        {WEB_FLOODS, NULL, "at most 1000 bytes"},
        {WEB_SILENT, NULL, "timed out"},
        {WEB_DRIPS, NULL, "timed out"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char url[256];
        struct fetch_request request = request_of("/x", url);
        const bool is_late = rows[i].manner == WEB_SILENT || rows[i].manner == WEB_DRIPS;

        request.timeout_us = is_late ? 600 * US_PER_MS : 60 * US_PER_S;
        web.raw = rows[i].raw;
        atomic_store(&web.manner, rows[i].manner);
        CU_ASSERT(expect(&request, ERR_FETCH, rows[i].said));
    }
    atomic_store(&web.manner, WEB_RESPONDS);
}

static void
test_taken(void)
{
    char url[256];
    struct fetch_request request = request_of("/a?b=c", url);

    /* the environment has no say */
    (void)setenv("http_proxy", "http://127.0.0.1:1/", 1);
    (void)setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
    CU_ASSERT(expect(&request, ERR_NONE, "question"));
    (void)unsetenv("http_proxy");
    (void)unsetenv("ALL_PROXY");
    CU_ASSERT(strncmp(web.head, "POST /a?b=c HTTP/1.1\r\n", 22) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(web.head, "Content-Type: application/ocsp-request\r\n"));
    CU_ASSERT_PTR_NULL(strstr(web.head, "Expect:"));
    request.body = SPAN_EMPTY;
    CU_ASSERT(expect(&request, ERR_NONE, ""));
    CU_ASSERT(strncmp(web.head, "GET /a?b=c HTTP/1.1\r\n", 21) == 0);
}

/* Many at once, and the end while they wait. */
static void
test_stop(void)
{
    static struct caller callers[40];
    char url[256];
    struct fetch_request request = request_of("/", url);

    atomic_store(&web.manner, WEB_SILENT);
    request.timeout_us = 60 * US_PER_S;
    for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
        caller_init(&callers[i]);
        fetch->start(fetch, &request, note, &callers[i]);
    }
    fetcher_stop(fetch);
    for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
        CU_ASSERT_EQUAL(callers[i].done_n, 1);
        CU_ASSERT_EQUAL(callers[i].answer.error, ERR_SHUTTING_DOWN);
        buf_done(&callers[i].answer.body);
    }
    CU_ASSERT(expect(&request, ERR_SHUTTING_DOWN, "stopping"));
    fetcher_free(fetch);
    web_stop(&web);
}

/* What is no address of a web server in plain http, to the byte, is asked nowhere. */
static void
what_an_address_may_be(void)
{
    static const struct {
        const char *url;
        const char *host, *port; /* NULL: none */
    } rows[] = {
        {"http://a.example/x", "a.example", "80"},
        {"http://a.example:8080", "a.example", "8080"},
        {"http://a.example?x", "a.example", "80"},
        {"http://[::1]:8080/", "[::1]", "8080"},
        {"https://a.example/", NULL, NULL},
        {"file://a.example/", NULL, NULL},
        {"http://", NULL, NULL},
        {"http:///x", NULL, NULL},
        {"http://a_b/", NULL, NULL},
        {"http://a.example:0/", NULL, NULL},
        {"http://a.example:65536/", NULL, NULL},
        {"http://user@a.example/", NULL, NULL},
        {"http://a.example/@b", NULL, NULL},
        {"http://a.example/x y", NULL, NULL},
        {"http://a.example/\x7f", NULL, NULL},
        {"http://a.example/\\b", NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span host = SPAN_EMPTY, port = SPAN_EMPTY;
        const bool is_good = fetch_url_split(span_of_cstr(rows[i].url), &host, &port);

        if (is_good != (rows[i].host != NULL)) {
            (void)printf("%s: ", rows[i].url);
        }
        CU_ASSERT_EQUAL(is_good, rows[i].host != NULL);
        if (is_good && rows[i].host != NULL) {
            CHECK_SPAN(host, rows[i].host);
            CHECK_SPAN(port, rows[i].port);
        }
    }
}

static const struct unit_test tests[] = {
    {"what an address may be", what_an_address_may_be},
    {"a server and a fetcher", test_start},
    {"what is not asked", test_not_asked},
    {"names that lead back here", test_near},
    {"what is not taken", test_not_taken},
    {"a good answer", test_taken},
    {"the end while many wait", test_stop},
};

UNIT_MAIN("fetch", tests)
