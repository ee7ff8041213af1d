/*
 * Fetches over plain http for certs/, with curl's multi interface on one thread. start is called on
 * any thread and hands a job over; everything else runs on the fetcher's thread, which owns the
 * jobs until their done has been called.
 */
#include "out/fetch.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"
#include "out/parts.h"

#define CONNECTIONS_MAX 16L
#define HEAD_MAX        ((size_t)16 * 1024)
#define IDLE_MS         60000
#define URL_MAX         2048

struct fetcher {
    struct trust_fetch fetch; /* first member */
    CURLM *multi;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    /* under the lock */
    struct job *arrived;
    bool is_stopping;
    /* the thread's */
    struct job *jobs;
};

struct job {
    struct job *next;
    fetch_done done;
    void *arg;
    CURL *easy;
    struct curl_slist *headers;
    struct buf request, answer;
    size_t head_bytes;
    bool may_be_near; /* the list has the address itself */
    char url[URL_MAX];
    int64_t timeout_us;
    struct diag diag; /* what a callback found */
    char curl_text[CURL_ERROR_SIZE];
};

/* ---- what may be asked ---- */

static bool
is_numeric(const char *host)
{
    struct in_addr address;

    return host[0] == '[' || inet_pton(AF_INET, host, &address) == 1;
}

/* As curl itself reads the URL, so that nothing is listed under one name and asked at another. */
static struct status
check_parts(struct job *job, CURLU *url, const struct fetch_hosts *hosts, struct diag *diag)
{
    char *scheme = NULL, *host = NULL, *port = NULL, *user = NULL;
    struct status st = OK;

    if (curl_url_set(url, CURLUPART_URL, job->url, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
        st = FAIL(diag, ERR_FETCH, "expected a URL such as http://host/path");
    } else if (strcmp(scheme, "http") != 0 ||
               curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK) {
        st = FAIL(diag, ERR_FETCH, "expected http:// without a user, got %s%s", scheme,
                  user == NULL ? "" : " with one");
    } else if (!fetch_host_is_listed(hosts, span_of_cstr(host), span_of_cstr(port))) {
        st = FAIL(diag, ERR_FETCH, "host %s, port %s is not in 'fetch_hosts' of the trust", host,
                  port);
    } else {
        job->may_be_near = is_numeric(host) || strcmp(host, "localhost") == 0;
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(user);
    return st;
}

static struct status
check_url(struct job *job, const struct fetch_hosts *hosts, struct diag *diag)
{
    CURLU *url = curl_url();

    if (url == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a URL");
    }
    const struct status st = check_parts(job, url, hosts, diag);

    curl_url_cleanup(url);
    return st;
}

/* Addresses that a name must not lead to: this machine, its link, multicast. */
static bool
is_near(const struct curl_sockaddr *address)
{
    struct ip ip;

    /* struct sockaddr is shorter; curl keeps the whole address there */
    return !ip_of_socket_address((const char *)address + offsetof(struct curl_sockaddr, addr),
                                 address->addrlen, address->family, &ip) ||
           ip_reach(&ip) >= REACH_LOCAL;
}

static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct job *job = arg;

    (void)purpose;
    if (!job->may_be_near && is_near(address)) {
        const struct status st =
            FAIL(&job->diag, ERR_FETCH,
                 "its host resolves to this machine or its link; if that is meant, list the "
                 "address itself in 'fetch_hosts'");
        (void)st;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- what comes ---- */

static size_t
take_head(char *bytes, size_t size, size_t n, void *arg)
{
    struct job *job = arg;

    (void)bytes;
    job->head_bytes += size * n;
    if (job->head_bytes > HEAD_MAX) {
        const struct status st =
            FAIL(&job->diag, ERR_FETCH, "expected at most %zu bytes of headers", HEAD_MAX);
        (void)st;
        return 0;
    }
    return size * n;
}

static size_t
take_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct job *job = arg;
    struct diag diag = {.code = ERR_NONE};
    const struct status st = buf_append(&job->answer, span_of(bytes, size * n), &diag);

    if (is_ok(st)) {
        return size * n;
    }
    const struct status failed =
        st.code == ERR_LIMIT_BUFFER
            ? FAIL(&job->diag, ERR_FETCH, "expected at most %zu bytes, got more", job->answer.limit)
            : FAIL(&job->diag, st.code, "%s", diag.text);
    (void)failed;
    return 0;
}

/* ---- what curl is told ---- */

static CURLcode
set_limits(CURL *easy, struct job *job)
{
    const long timeout_ms = (long)((job->timeout_us + US_PER_MS - 1) / US_PER_MS);

    OUT_SET(CURLOPT_FRESH_CONNECT, 1L);
    OUT_SET(CURLOPT_FORBID_REUSE, 1L);
    OUT_SET(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    OUT_SET(CURLOPT_TIMEOUT_MS, timeout_ms > 0 ? timeout_ms : 1L);
    OUT_SET(CURLOPT_CONNECTTIMEOUT_MS, timeout_ms > 0 ? timeout_ms : 1L);
    OUT_SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)job->answer.limit);
    OUT_SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    OUT_SET(CURLOPT_OPENSOCKETDATA, job);
    return CURLE_OK;
}

static CURLcode
set_exchange(CURL *easy, struct job *job)
{
    OUT_SET(CURLOPT_URL, job->url);
    if (job->headers != NULL) {
        OUT_SET(CURLOPT_POST, 1L);
        OUT_SET(CURLOPT_POSTFIELDS, job->request.n == 0 ? "" : job->request.p);
        OUT_SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->request.n);
        OUT_SET(CURLOPT_HTTPHEADER, job->headers);
    }
    OUT_SET(CURLOPT_HEADERFUNCTION, take_head);
    OUT_SET(CURLOPT_HEADERDATA, job);
    OUT_SET(CURLOPT_WRITEFUNCTION, take_body);
    OUT_SET(CURLOPT_WRITEDATA, job);
    OUT_SET(CURLOPT_ERRORBUFFER, job->curl_text);
    OUT_SET(CURLOPT_PRIVATE, job);
    return CURLE_OK;
}

/* ---- jobs ---- */

static void
free_job(struct job *job)
{
    curl_easy_cleanup(job->easy);
    curl_slist_free_all(job->headers);
    buf_done(&job->request);
    buf_done(&job->answer);
    mem_free(job);
}

static void
finish(struct job *job, enum err error, const char *why)
{
    struct fetch_answer answer = {.error = error};

    buf_init(&answer.body, job->answer.limit);
    if (error == ERR_NONE) {
        buf_move(&answer.body, &job->answer);
    } else {
        (void)snprintf(answer.detail, sizeof(answer.detail), "fetching '%.200s': %s", job->url,
                       why);
    }
    const fetch_done done = job->done;
    void *arg = job->arg;

    free_job(job);
    done(arg, &answer);
}

static struct status
fill(struct job *job, const struct fetch_request *request, struct diag *diag)
{
    char content_type[128];

    if (strlen(request->url) >= sizeof(job->url)) {
        return FAIL(diag, ERR_FETCH, "expected a URL below %d bytes", URL_MAX);
    }
    (void)snprintf(job->url, sizeof(job->url), "%s", request->url);
    TRY(check_url(job, &request->hosts, diag));
    if (request->body.p != NULL) {
        (void)snprintf(content_type, sizeof(content_type), "Content-Type: %s",
                       request->content_type);
        if (!out_add_header(&job->headers, content_type) ||
            !out_add_header(&job->headers, "Expect:")) {
            return FAIL(diag, ERR_NO_MEMORY, "no memory for a fetch");
        }
        TRY(buf_append(&job->request, request->body, diag));
    }
    job->easy = curl_easy_init();
    if (job->easy == NULL || out_set_boundaries(job->easy, "http") != CURLE_OK ||
        set_limits(job->easy, job) != CURLE_OK || set_exchange(job->easy, job) != CURLE_OK) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a fetch");
    }
    return OK;
}

static bool
hand_over(struct fetcher *fetcher, struct job *job)
{
    (void)pthread_mutex_lock(&fetcher->lock);
    const bool is_taken = !fetcher->is_stopping;

    if (is_taken) {
        job->next = fetcher->arrived;
        fetcher->arrived = job;
        (void)curl_multi_wakeup(fetcher->multi);
    }
    (void)pthread_mutex_unlock(&fetcher->lock);
    return is_taken;
}

static void
start(struct trust_fetch *self, const struct fetch_request *request, fetch_done done, void *arg)
{
    struct fetcher *fetcher = (struct fetcher *)self;
    struct job *job = mem_alloc(sizeof(*job));
    struct diag diag = {.code = ERR_NONE};

    if (job == NULL) {
        struct fetch_answer answer = {.error = ERR_NO_MEMORY, .detail = "no memory for a fetch"};

        buf_init(&answer.body, request->limit_bytes);
        done(arg, &answer);
        return;
    }
    job->done = done;
    job->arg = arg;
    job->timeout_us = request->timeout_us;
    buf_init(&job->request, request->body.n);
    buf_init(&job->answer, request->limit_bytes);
    if (!is_ok(fill(job, request, &diag))) {
        finish(job, diag.code, diag.text);
    } else if (!hand_over(fetcher, job)) {
        finish(job, ERR_SHUTTING_DOWN, "this node is stopping");
    }
}

/* ---- the thread ---- */

static void
unlink_job(struct fetcher *fetcher, const struct job *job)
{
    struct job **link = &fetcher->jobs;

    while (*link != job) {
        link = &(*link)->next;
    }
    *link = job->next;
}

static void
conclude(struct job *job, CURLcode code)
{
    long status = 0;
    char text[64];

    (void)curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
    if (job->diag.code != ERR_NONE) {
        finish(job, job->diag.code, job->diag.text);
    } else if (code != CURLE_OK) {
        finish(job, ERR_FETCH,
               job->curl_text[0] != '\0' ? job->curl_text : curl_easy_strerror(code));
    } else if (status != 200) {
        (void)snprintf(text, sizeof(text), "expected HTTP status 200, got %ld", status);
        finish(job, ERR_FETCH, text);
    } else {
        finish(job, ERR_NONE, "");
    }
}

static void
collect(struct fetcher *fetcher)
{
    int left = 0;
    CURLMsg *message = NULL;

    while ((message = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
        char *private = NULL;
        const CURLcode code = message->data.result;

        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private) == CURLE_OK) {
            struct job *job = (struct job *)(void *)private;

            (void)curl_multi_remove_handle(fetcher->multi, job->easy);
            unlink_job(fetcher, job);
            conclude(job, code);
        }
    }
}

/* True: the fetcher is to go on. */
static bool
take_arrived(struct fetcher *fetcher)
{
    (void)pthread_mutex_lock(&fetcher->lock);
    struct job *arrived = fetcher->arrived;
    const bool goes_on = !fetcher->is_stopping;

    fetcher->arrived = NULL;
    (void)pthread_mutex_unlock(&fetcher->lock);
    while (arrived != NULL) {
        struct job *job = arrived;

        arrived = job->next;
        if (curl_multi_add_handle(fetcher->multi, job->easy) == CURLM_OK) {
            job->next = fetcher->jobs;
            fetcher->jobs = job;
        } else {
            finish(job, ERR_NO_MEMORY, "no memory for a fetch");
        }
    }
    return goes_on;
}

static void *
run(void *arg)
{
    struct fetcher *fetcher = arg;
    int running = 0;

    while (take_arrived(fetcher)) {
        (void)curl_multi_perform(fetcher->multi, &running);
        collect(fetcher);
        (void)curl_multi_poll(fetcher->multi, NULL, 0, IDLE_MS, NULL);
    }
    while (fetcher->jobs != NULL) {
        struct job *job = fetcher->jobs;

        fetcher->jobs = job->next;
        (void)curl_multi_remove_handle(fetcher->multi, job->easy);
        finish(job, ERR_SHUTTING_DOWN, "this node is stopping");
    }
    return NULL;
}

/* ---- start and stop ---- */

static struct status
start_thread(struct fetcher *fetcher, struct diag *diag)
{
    const int error = thread_start(&fetcher->thread, run, fetcher);

    if (error != 0) {
        return FAIL(diag, ERR_IO, "no thread for the fetcher: %s", strerrordesc_np(error));
    }
    fetcher->has_thread = true;
    return OK;
}

static struct status
open_fetcher(struct fetcher *fetcher, struct diag *diag)
{
    TRY(out_start_libraries(diag));
    fetcher->multi = curl_multi_init();
    if (fetcher->multi == NULL ||
        curl_multi_setopt(fetcher->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) != CURLM_OK ||
        curl_multi_setopt(fetcher->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX) !=
            CURLM_OK) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the fetcher");
    }
    return start_thread(fetcher, diag);
}

struct status
fetcher_start(struct diag *diag, struct trust_fetch **ret_fetch)
{
    struct fetcher *fetcher = mem_alloc(sizeof(*fetcher));

    if (fetcher == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the fetcher");
    }
    fetcher->fetch.start = start;
    (void)pthread_mutex_init(&fetcher->lock, NULL);
    const struct status st = open_fetcher(fetcher, diag);

    if (!is_ok(st)) {
        fetcher_free(&fetcher->fetch);
        return st;
    }
    *ret_fetch = &fetcher->fetch;
    return OK;
}

void
fetcher_stop(struct trust_fetch *fetch)
{
    struct fetcher *fetcher = (struct fetcher *)fetch;

    if (fetcher == NULL || !fetcher->has_thread) {
        return;
    }
    (void)pthread_mutex_lock(&fetcher->lock);
    fetcher->is_stopping = true;
    (void)curl_multi_wakeup(fetcher->multi);
    (void)pthread_mutex_unlock(&fetcher->lock);
    (void)pthread_join(fetcher->thread, NULL);
    fetcher->has_thread = false;
}

void
fetcher_free(struct trust_fetch *fetch)
{
    struct fetcher *fetcher = (struct fetcher *)fetch;

    if (fetcher == NULL) {
        return;
    }
    fetcher_stop(fetch);
    if (fetcher->multi != NULL) {
        (void)curl_multi_cleanup(fetcher->multi);
    }
    (void)pthread_mutex_destroy(&fetcher->lock);
    mem_free(fetcher);
}
