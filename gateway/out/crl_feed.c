/*
 * The feed of revocation lists: a record per URL with the time of its next fetch. See crl_feed.h
 * for threads. Records are counted: the feed holds one reference, a fetch under way another.
 */
#include "out/crl_feed.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "certs/crl_held.h"
#include "out/fetch.h"

#define RETRY_US     (60 * US_PER_S)
#define TIMEOUT_US   (60 * US_PER_S)
#define URLS_MAX     64
#define WAIT_STEP_NS (20 * 1000 * 1000L)

struct url {
    struct crl_feed *feed;
    char *text;
    const char **hosts; /* copied */
    size_t hosts_n;
    struct trust *trust; /* a reference: what the list must fit */
    int64_t refresh_us;
    /* under the lock */
    size_t references;
    int64_t due_us; /* mono */
    bool is_asked, has_ended;
};

struct crl_feed {
    struct trust_fetch *fetch;
    const struct clock *clock;
    struct url *urls[URLS_MAX];
    size_t n;
    pthread_mutex_t lock;
    bool has_new; /* under the lock */
};

/* ---- records ---- */

static void
free_url(struct url *url)
{
    if (url != NULL) {
        for (size_t i = 0; i < url->hosts_n; i++) {
            mem_free((char *)url->hosts[i]);
        }
        mem_free((void *)url->hosts);
        trust_free(url->trust);
        mem_free(url->text);
        mem_free(url);
    }
}

static void
drop_url(struct crl_feed *feed, struct url *url)
{
    (void)pthread_mutex_lock(&feed->lock);
    const bool is_last = --url->references == 0;
    (void)pthread_mutex_unlock(&feed->lock);
    if (is_last) {
        free_url(url);
    }
}

static struct url *
new_url(struct crl_feed *feed, const char *text, const struct config_trust *trust)
{
    struct url *url = mem_alloc(sizeof(*url));

    if (url == NULL) {
        return NULL;
    }
    const struct fetch_hosts *hosts = &trust->status.hosts;

    *url = (struct url){.feed = feed, .references = 1, .refresh_us = trust->crl_refresh_us};
    url->trust = trust_ref(trust->trust);
    url->text = mem_strdup(text);
    url->hosts = mem_alloc(hosts->n * sizeof(*url->hosts));
    for (; url->hosts != NULL && url->hosts_n < hosts->n; url->hosts_n++) {
        url->hosts[url->hosts_n] = mem_strdup(hosts->items[url->hosts_n]);
        if (url->hosts[url->hosts_n] == NULL) {
            break;
        }
    }
    if (url->text == NULL || url->hosts_n < hosts->n) {
        free_url(url);
        return NULL;
    }
    return url;
}

/* ---- answers, on the fetcher's thread ---- */

/* Would the trust take it? Everything that loading refuses is refused here, before it is held. */
static struct status
try_list(const struct url *url, struct span bytes, struct diag *diag)
{
    struct trust *trial = NULL;

    TRY(trust_refresh(url->trust, &bytes, 1, diag, &trial));
    trust_free(trial);
    return OK;
}

static struct status
take_list(struct url *url, struct fetch_answer *answer, struct diag *diag, bool *ret_is_new)
{
    if (answer->error != ERR_NONE) {
        return FAIL(diag, answer->error, "%s", answer->detail);
    }
    TRY(try_list(url, buf_span(&answer->body), diag));
    return crl_held_put(url->text, &answer->body, clock_wall_us(url->feed->clock), diag,
                        ret_is_new);
}

static void
on_fetched(void *arg, struct fetch_answer *answer)
{
    struct url *url = arg;
    struct crl_feed *feed = url->feed;
    struct diag diag = {.code = ERR_NONE};
    bool is_new = false;
    const struct status st = take_list(url, answer, &diag, &is_new);

    buf_done(&answer->body);
    if (!is_ok(st) && st.code != ERR_SHUTTING_DOWN) {
        LOG_EVENT(LOG_LEVEL_WARNING, "crl-fetch-failed", LOG_ID("url", url->text), LOG_DIAG(&diag));
    } else if (is_new) {
        LOG_EVENT(LOG_LEVEL_INFO, "crl-fetched", LOG_ID("url", url->text));
    }
    (void)pthread_mutex_lock(&feed->lock);
    url->is_asked = false;
    url->has_ended = true;
    url->due_us = clock_mono_us(feed->clock) +
                  (is_ok(st) || url->refresh_us < RETRY_US ? url->refresh_us : RETRY_US);
    feed->has_new = feed->has_new || is_new;
    (void)pthread_mutex_unlock(&feed->lock);
    drop_url(feed, url);
}

/* ---- the owner's thread ---- */

static bool
take_due(struct crl_feed *feed, struct url *url)
{
    (void)pthread_mutex_lock(&feed->lock);
    const bool is_due = !url->is_asked && clock_mono_us(feed->clock) >= url->due_us;

    url->is_asked = url->is_asked || is_due;
    url->references += is_due ? 1 : 0;
    (void)pthread_mutex_unlock(&feed->lock);
    return is_due;
}

bool
crl_feed_tick(struct crl_feed *feed)
{
    for (size_t i = 0; i < feed->n; i++) {
        struct url *url = feed->urls[i];

        if (take_due(feed, url)) {
            const struct fetch_request request = {.url = url->text,
                                                  .hosts = {url->hosts, url->hosts_n},
                                                  .limit_bytes = FETCH_CRL_MAX,
                                                  .timeout_us = TIMEOUT_US};
            feed->fetch->start(feed->fetch, &request, on_fetched, url);
        }
    }
    (void)pthread_mutex_lock(&feed->lock);
    const bool has_new = feed->has_new;

    feed->has_new = false;
    (void)pthread_mutex_unlock(&feed->lock);
    return has_new;
}

static bool
is_busy(struct crl_feed *feed)
{
    bool is_any = false;

    (void)pthread_mutex_lock(&feed->lock);
    for (size_t i = 0; i < feed->n; i++) {
        is_any = is_any || !feed->urls[i]->has_ended;
    }
    (void)pthread_mutex_unlock(&feed->lock);
    return is_any;
}

bool
crl_feed_wait(struct crl_feed *feed, int64_t timeout_us)
{
    const int64_t until_us = clock_mono_us(feed->clock) + timeout_us;
    const struct timespec step = {0, WAIT_STEP_NS};
    const bool has_new = crl_feed_tick(feed);

    while (is_busy(feed) && clock_mono_us(feed->clock) < until_us) {
        (void)nanosleep(&step, NULL);
    }
    return crl_feed_tick(feed) || has_new;
}

/* The time of a URL that was there before goes on; one that is being fetched is fetched again. */
static void
inherit(struct crl_feed *feed, struct url *url)
{
    (void)pthread_mutex_lock(&feed->lock);
    for (size_t i = 0; i < feed->n; i++) {
        const struct url *before = feed->urls[i];

        if (strcmp(before->text, url->text) == 0 && before->has_ended) {
            url->due_us = before->is_asked ? 0 : before->due_us;
            url->has_ended = true;
        }
    }
    (void)pthread_mutex_unlock(&feed->lock);
}

static struct status
make_urls(struct crl_feed *feed, const struct config *config, struct diag *diag,
          struct url *ret_urls[URLS_MAX], size_t *ret_n)
{
    for (size_t i = 0; i < config->trusts_n; i++) {
        const struct config_trust *trust = &config->trusts[i];

        for (size_t k = 0; k < trust->crl_urls.n; k++) {
            if (*ret_n == URLS_MAX) {
                return FAIL(diag, ERR_CONFIG, "more than %d 'crl_urls' in all", URLS_MAX);
            }
            struct url *url = new_url(feed, trust->crl_urls.items[k], trust);

            if (url == NULL) {
                return FAIL(diag, ERR_NO_MEMORY, "no memory for the feed of revocation lists");
            }
            inherit(feed, url);
            ret_urls[(*ret_n)++] = url;
        }
    }
    return OK;
}

static void
drop_urls(struct crl_feed *feed, struct url *const *urls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        drop_url(feed, urls[i]);
    }
}

struct status
crl_feed_configure(struct crl_feed *feed, const struct config *config, struct diag *diag)
{
    struct url *urls[URLS_MAX];
    size_t n = 0;
    const struct status st = make_urls(feed, config, diag, urls, &n);

    if (!is_ok(st)) {
        drop_urls(feed, urls, n);
        return st;
    }
    drop_urls(feed, feed->urls, feed->n);
    memcpy(feed->urls, urls, n * sizeof(urls[0]));
    feed->n = n;
    return OK;
}

struct status
crl_feed_new(struct trust_fetch *fetch, const struct clock *clock, struct diag *diag,
             struct crl_feed **ret_feed)
{
    struct crl_feed *feed = mem_alloc(sizeof(*feed));

    if (feed == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the feed of revocation lists");
    }
    feed->fetch = fetch;
    feed->clock = clock;
    (void)pthread_mutex_init(&feed->lock, NULL);
    *ret_feed = feed;
    return OK;
}

void
crl_feed_free(struct crl_feed *feed)
{
    if (feed != NULL) {
        drop_urls(feed, feed->urls, feed->n);
        (void)pthread_mutex_destroy(&feed->lock);
        mem_free(feed);
    }
}

static struct status
fetch_once(struct trust_fetch *fetch, const struct config *config, const struct clock *clock,
           int64_t timeout_us, struct diag *diag, bool *ret_has_new)
{
    struct crl_feed *feed = NULL;

    TRY(crl_feed_new(fetch, clock, diag, &feed));
    const struct status st = crl_feed_configure(feed, config, diag);

    *ret_has_new = is_ok(st) && crl_feed_wait(feed, timeout_us);
    fetcher_stop(fetch);
    crl_feed_free(feed);
    return st;
}

bool
crl_feed_once(const struct config *config, const struct clock *clock, int64_t timeout_us)
{
    struct trust_fetch *fetch = NULL;
    struct diag diag = {.code = ERR_NONE};
    bool has_new = false;

    if (!is_ok(fetcher_start(&diag, &fetch)) ||
        !is_ok(fetch_once(fetch, config, clock, timeout_us, &diag, &has_new))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "crl-feed-failed", LOG_DIAG(&diag));
    }
    fetcher_free(fetch);
    return has_new;
}
