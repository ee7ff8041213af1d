/*
 * The status of certificates: held answers, and questions to responders. Called by connections of
 * both directions on their loop threads (check, cancel, staples) and by the fetcher's thread
 * (answers). Everything is under one lock, which is never held while a fetch is started, an answer
 * is judged or a question is answered.
 *
 * Ownership: the cache owns its entries; a question waits in its entry's list and holds a reference
 * to its chain meanwhile; an ask (one fetch) holds the cache, its profile and its two certificates.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "base/mem.h"
#include "certs/status_parts.h"

#define FAILURE_HOLD_US (10 * US_PER_S)
#define REQUEST_MAX     ((size_t)4096)
#define HELD_CHAIN_MAX  8 /* authorities may certify each other in a circle */

struct ask {
    struct ask *next;
    struct status_cache *cache;
    struct status_profile *profile;
    struct status_entry *entry;
    struct ocsp_subject subject; /* referred to */
    bool is_leaf;
    struct buf request;
};

/* What is to be done when the lock is released. */
struct work {
    struct ask *asks;
    struct status_question *answered;
};

/* ---- questions ---- */

static void
settle(const struct status_profile *profile, struct status_question *question,
       enum status_verdict verdict, const char *detail)
{
    const enum status_mode mode = profile->settings.mode;

    question->answer.verdict = verdict;
    question->answer.is_accepted = verdict == STATUS_GOOD || mode == STATUS_OFF ||
                                   (verdict == STATUS_UNKNOWN && mode == STATUS_SOFT);
    (void)snprintf(question->answer.detail, sizeof(question->answer.detail), "%s", detail);
    question->asked = NULL;
    sk_X509_pop_free(question->chain, X509_free);
    question->chain = NULL;
}

/* Under the lock. False: it cannot be asked (no memory, too many). */
static bool
add_ask(struct status_cache *cache, struct status_entry *entry, const struct ocsp_subject *subject,
        bool is_leaf, struct work *work)
{
    struct ask *ask = cache->asked_n < STATUS_ASKED_MAX ? mem_alloc(sizeof(*ask)) : NULL;

    if (ask == NULL) {
        return false;
    }
    *ask = (struct ask){.next = work->asks,
                        .cache = cache,
                        .profile = cache->profile,
                        .entry = entry,
                        .subject = *subject,
                        .is_leaf = is_leaf};
    X509_up_ref(subject->certificate);
    X509_up_ref(subject->issuer);
    buf_init(&ask->request, REQUEST_MAX);
    cache->references++;
    cache->asked_n++;
    cache->profile->references++;
    entry->is_asked = true;
    work->asks = ask;
    return true;
}

static bool
is_asked_about(STACK_OF(X509) * chain, int at)
{
    char url[OCSP_URL_MAX];

    return at == 0 || ocsp_responder_of(sk_X509_value(chain, at), url);
}

/* Under the lock: from question->at on, until an answer is known or must be waited for. */
static enum answer
proceed(struct status_cache *cache, struct status_question *question, struct work *work)
{
    const int64_t now_us = clock_wall_us(cache->clock);

    for (; question->at + 1 < sk_X509_num(question->chain); question->at++) {
        const struct ocsp_subject subject = {sk_X509_value(question->chain, question->at),
                                             sk_X509_value(question->chain, question->at + 1)};

        if (!is_asked_about(question->chain, question->at)) {
            continue;
        }
        struct status_entry *entry = status_take(cache, &subject);
        const bool is_held = entry != NULL && now_us < entry->until_us;

        if (entry != NULL && !entry->is_asked && (!is_held || now_us >= entry->refresh_us) &&
            !add_ask(cache, entry, &subject, question->at == 0, work) && !is_held) {
            entry = NULL;
        }
        if (entry == NULL) {
            settle(cache->profile, question, STATUS_UNKNOWN,
                   "certificate status: too many questions at once, or no memory");
            return ANSWER_NOW;
        }
        if (!is_held) {
            question->asked = entry;
            question->next = entry->waiting;
            entry->waiting = question;
            return ANSWER_LATER;
        }
        if (entry->verdict != STATUS_GOOD) {
            settle(cache->profile, question, entry->verdict, entry->detail);
            return ANSWER_NOW;
        }
    }
    settle(cache->profile, question, STATUS_GOOD, "");
    return ANSWER_NOW;
}

/* ---- asks ---- */

static void ask_start(struct ask *ask);

static void
release_cache(struct status_cache *cache)
{
    (void)pthread_mutex_lock(&cache->lock);
    const bool is_last = --cache->references == 0;
    (void)pthread_mutex_unlock(&cache->lock);
    if (!is_last) {
        return;
    }
    while (cache->newest != NULL) {
        status_remove(cache, cache->newest);
    }
    status_profile_drop(cache->profile);
    (void)pthread_mutex_destroy(&cache->lock);
    mem_free(cache);
}

/* Without the lock. */
static void
do_work(struct work *work)
{
    while (work->asks != NULL) {
        struct ask *ask = work->asks;

        work->asks = ask->next;
        ask_start(ask);
    }
    while (work->answered != NULL) {
        struct status_question *question = work->answered;

        work->answered = question->next;
        question->done(question);
    }
}

/* Under the lock: everybody who waited for the entry has its answer, or goes on up the chain. */
static void
answer_waiting(struct status_cache *cache, struct status_entry *entry, enum status_verdict verdict,
               const char *detail, struct work *work)
{
    struct status_question *question = entry->waiting;

    entry->waiting = NULL;
    while (question != NULL) {
        struct status_question *next = question->next;
        enum answer when = ANSWER_NOW;

        if (verdict == STATUS_GOOD) {
            question->at++;
            when = proceed(cache, question, work);
        } else {
            settle(cache->profile, question, verdict, detail);
        }
        if (when == ANSWER_NOW) {
            question->next = work->answered;
            work->answered = question;
        }
        question = next;
    }
}

static void
free_ask(struct ask *ask)
{
    X509_free(ask->subject.certificate);
    X509_free(ask->subject.issuer);
    buf_done(&ask->request);
    release_cache(ask->cache);
    mem_free(ask);
}

/* The end of an ask: an answer, or NULL and why there is none that counts. */
static void
ask_finish(struct ask *ask, const struct ocsp_result *result, const char *detail)
{
    struct status_cache *cache = ask->cache;
    struct status_entry *entry = ask->entry;
    const int64_t now_us = clock_wall_us(cache->clock);
    struct work work = {NULL, NULL};

    (void)pthread_mutex_lock(&cache->lock);
    entry->is_asked = false;
    cache->asked_n--;
    if (result != NULL && !status_is_outdated(entry, result)) {
        status_hold(cache, entry, result, detail);
    } else if (now_us < entry->until_us) {
        entry->refresh_us = now_us + FAILURE_HOLD_US; /* what is held still counts */
    } else {
        status_hold_failure(entry, now_us + FAILURE_HOLD_US, detail);
    }
    answer_waiting(cache, entry, entry->verdict, entry->detail, &work);
    status_profile_drop(ask->profile);
    (void)pthread_mutex_unlock(&cache->lock);
    do_work(&work);
    free_ask(ask);
}

static void
write_date(int64_t us, char *ret_text, size_t size)
{
    const time_t s = (time_t)(us / US_PER_S);
    struct tm parts;

    if (gmtime_r(&s, &parts) == NULL ||
        strftime(ret_text, size, "%Y-%m-%d %H:%M UTC", &parts) == 0) {
        (void)snprintf(ret_text, size, "an unknown date");
    }
}

/* "" for good. */
static void
describe(const struct ocsp_result *result, X509 *certificate, char *ret_detail, size_t size)
{
    char name[256] = "", date[64];

    (void)X509_NAME_oneline(X509_get_subject_name(certificate), name, sizeof(name));
    ret_detail[0] = '\0';
    if (result->verdict == STATUS_REVOKED) {
        write_date(result->revoked_us, date, sizeof(date));
        (void)snprintf(ret_detail, size, "certificate '%s': revoked on %s%s%s (OCSP)", name, date,
                       result->reason[0] == '\0' ? "" : ", ", result->reason);
    } else if (result->verdict == STATUS_UNKNOWN) {
        (void)snprintf(ret_detail, size,
                       "certificate '%s': its OCSP responder does not know it (status unknown)",
                       name);
    }
}

static struct status
judge(const struct status_profile *profile, const struct clock *clock,
      const struct ocsp_subject *subject, struct span request, struct span response,
      struct diag *diag, struct ocsp_result *ret_result)
{
    const struct ocsp_rules rules = {.now_us = clock_wall_us(clock),
                                     .skew_us = profile->skew_us,
                                     .max_age_us = profile->settings.max_age_us,
                                     .store = profile->store};

    return ocsp_judge(subject, &rules, request, response, diag, ret_result);
}

static void
ask_fail(struct ask *ask, const char *why)
{
    char name[256] = "", detail[DIAG_TEXT_MAX];

    (void)X509_NAME_oneline(X509_get_subject_name(ask->subject.certificate), name, sizeof(name));
    (void)snprintf(detail, sizeof(detail), "certificate '%s': status unknown: %s", name, why);
    ask_finish(ask, NULL, detail);
}

static void
on_fetched(void *arg, struct fetch_answer *answer)
{
    struct ask *ask = arg;
    struct diag diag = {0};
    struct ocsp_result result = {0};
    char detail[DIAG_TEXT_MAX];
    const bool is_believed =
        answer->error == ERR_NONE &&
        is_ok(judge(ask->profile, ask->cache->clock, &ask->subject, buf_span(&ask->request),
                    buf_span(&answer->body), &diag, &result));

    if (is_believed) {
        describe(&result, ask->subject.certificate, detail, sizeof(detail));
    } else {
        (void)snprintf(detail, sizeof(detail), "%s",
                       answer->error == ERR_NONE ? diag.text : answer->detail);
    }
    buf_done(&answer->body);
    if (is_believed) {
        ask_finish(ask, &result, detail);
    } else {
        ask_fail(ask, detail);
    }
}

/* Without the lock. */
static void
ask_start(struct ask *ask)
{
    const struct status_settings *settings = &ask->profile->settings;
    struct diag diag = {0};
    char own[OCSP_URL_MAX] = "";
    const char *url = ask->is_leaf ? settings->responder : NULL;

    if (url == NULL) {
        url = ocsp_responder_of(ask->subject.certificate, own) ? own : NULL;
    }
    if (url == NULL) {
        ask_fail(ask, "it names no OCSP responder; set 'responder' in the trust's 'ocsp'");
        return;
    }
    if (!is_ok(ocsp_write_request(&ask->subject, &ask->request, &diag))) {
        ask_fail(ask, diag.text);
        return;
    }
    const struct fetch_request request = {.url = url,
                                          .hosts = settings->hosts,
                                          .content_type = "application/ocsp-request",
                                          .body = buf_span(&ask->request),
                                          .limit_bytes = FETCH_OCSP_MAX,
                                          .timeout_us = settings->timeout_us};

    ask->cache->fetch->start(ask->cache->fetch, &request, on_fetched, ask);
}

/* ---- the interface ---- */

/* A resumed session has no chain: what is held answers, or the chain is built anew. */
static STACK_OF(X509) * build_chain(X509_STORE *store, X509 *leaf, int64_t now_us)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *chain = NULL;

    if (context != NULL && X509_STORE_CTX_init(context, store, leaf, NULL) == 1) {
        X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), (time_t)(now_us / US_PER_S));
        if (trust_judge(context) == 1) {
            chain = X509_STORE_CTX_get1_chain(context);
        }
    }
    X509_STORE_CTX_free(context);
    ERR_clear_error();
    return chain;
}

/* Under the lock. What is held of the leaf and of all above it that were asked about: each is the
 * issuer of the one below. The first that is not good, else the leaf's; NULL: not all is known. */
static const struct status_entry *
find_held(struct status_cache *cache, const uint8_t leaf_digest[SHA256_BYTES])
{
    const int64_t now_us = clock_wall_us(cache->clock);
    const struct status_entry *const leaf = status_find(cache, leaf_digest, NULL);
    const struct status_entry *entry = leaf;

    for (int depth = 0; entry != NULL; depth++) {
        if (depth == HELD_CHAIN_MAX || now_us >= entry->until_us) {
            return NULL;
        }
        if (entry->verdict != STATUS_GOOD) {
            return entry;
        }
        entry = status_find(cache, entry->issuer, NULL);
    }
    return leaf;
}

/* Under the lock. True: the question is answered. */
static bool
answer_without_chain(struct status_cache *cache, const struct certificate *peer,
                     struct status_question *question)
{
    uint8_t leaf[SHA256_BYTES];
    const struct status_entry *entry =
        status_digest(peer->x509, leaf) ? find_held(cache, leaf) : NULL;

    if (entry != NULL) {
        settle(cache->profile, question, entry->verdict, entry->detail);
        return true;
    }
    question->chain = build_chain(cache->profile->store, peer->x509, clock_wall_us(cache->clock));
    if (question->chain == NULL) {
        settle(cache->profile, question, STATUS_UNKNOWN,
               "certificate status: a resumed session without a chain; the partner must connect "
               "with a full handshake");
    }
    return question->chain == NULL;
}

/* Under the lock. */
static enum answer
check_locked(struct status_cache *cache, const struct certificate *peer, STACK_OF(X509) * chain,
             struct status_question *question, struct work *work)
{
    if (cache->is_closed || cache->profile->settings.mode == STATUS_OFF) {
        settle(cache->profile, question, STATUS_UNKNOWN, "");
        return ANSWER_NOW;
    }
    if (chain == NULL) {
        if (answer_without_chain(cache, peer, question)) {
            return ANSWER_NOW;
        }
    } else {
        question->chain = X509_chain_up_ref(chain);
    }
    if (question->chain == NULL) {
        settle(cache->profile, question, STATUS_UNKNOWN, "certificate status: no memory");
        return ANSWER_NOW;
    }
    return proceed(cache, question, work);
}

static enum answer
check(struct peer_status_source *self, const struct certificate *peer, STACK_OF(X509) * chain,
      struct status_question *question)
{
    struct status_cache *cache = (struct status_cache *)self;
    struct work work = {NULL, NULL};

    question->next = NULL;
    question->asked = NULL;
    question->chain = NULL;
    question->at = 0;
    (void)pthread_mutex_lock(&cache->lock);
    const enum answer answer = check_locked(cache, peer, chain, question, &work);
    (void)pthread_mutex_unlock(&cache->lock);
    do_work(&work);
    return answer;
}

static bool
cancel(struct peer_status_source *self, struct status_question *question)
{
    struct status_cache *cache = (struct status_cache *)self;

    (void)pthread_mutex_lock(&cache->lock);
    struct status_entry *entry = question->asked;

    if (entry != NULL) {
        struct status_question **link = &entry->waiting;

        while (*link != question) {
            link = &(*link)->next;
        }
        *link = question->next;
        question->asked = NULL;
        sk_X509_pop_free(question->chain, X509_free);
        question->chain = NULL;
    }
    (void)pthread_mutex_unlock(&cache->lock);
    return entry != NULL;
}

struct status
status_cache_take_staple(struct status_cache *cache, STACK_OF(X509) * chain, struct span staple,
                         struct diag *diag)
{
    struct ocsp_result result = {0};
    char detail[DIAG_TEXT_MAX];

    if (sk_X509_num(chain) < 2) {
        return OK; /* an anchor: nothing is asked about it */
    }
    const struct ocsp_subject subject = {sk_X509_value(chain, 0), sk_X509_value(chain, 1)};

    (void)pthread_mutex_lock(&cache->lock);
    struct status_profile *profile = cache->profile;

    profile->references++;
    (void)pthread_mutex_unlock(&cache->lock);
    const struct status st =
        judge(profile, cache->clock, &subject, SPAN_EMPTY, staple, diag, &result);

    if (is_ok(st)) {
        describe(&result, subject.certificate, detail, sizeof(detail));
    }
    (void)pthread_mutex_lock(&cache->lock);
    struct status_entry *entry = is_ok(st) ? status_take(cache, &subject) : NULL;
    const bool is_revoked = entry != NULL && entry->verdict == STATUS_REVOKED &&
                            clock_wall_us(cache->clock) < entry->until_us;

    if (entry != NULL && !is_revoked && !status_is_outdated(entry, &result)) {
        status_hold(cache, entry, &result, detail);
    }
    status_profile_drop(profile);
    (void)pthread_mutex_unlock(&cache->lock);
    return st;
}

struct peer_status_source *
status_cache_source(struct status_cache *cache)
{
    return &cache->source;
}

struct status
status_cache_new(const struct status_options *options, struct diag *diag,
                 struct status_cache **ret_cache)
{
    struct status_cache *cache = mem_alloc(sizeof(*cache));
    struct status_profile *profile = status_profile_new(options);

    if (cache == NULL || profile == NULL) {
        mem_free(cache);
        if (profile != NULL) {
            status_profile_drop(profile);
        }
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the status of certificates");
    }
    cache->source = (struct peer_status_source){check, cancel};
    cache->clock = options->clock;
    cache->fetch = options->fetch;
    cache->references = 1;
    cache->profile = profile;
    (void)pthread_mutex_init(&cache->lock, NULL);
    *ret_cache = cache;
    return OK;
}

struct status
status_cache_configure(struct status_cache *cache, const struct status_options *options,
                       struct diag *diag)
{
    struct status_profile *profile = status_profile_new(options);

    if (profile == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the status of certificates");
    }
    (void)pthread_mutex_lock(&cache->lock);
    struct status_profile *before = cache->profile;

    cache->profile = profile;
    status_profile_drop(before);
    (void)pthread_mutex_unlock(&cache->lock);
    return OK;
}

void
status_cache_free(struct status_cache *cache)
{
    struct work work = {NULL, NULL};

    if (cache == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&cache->lock);
    cache->is_closed = true;
    for (struct status_entry *entry = cache->newest; entry != NULL; entry = entry->older) {
        answer_waiting(cache, entry, STATUS_UNKNOWN, "this node is stopping", &work);
    }
    for (struct status_question *each = work.answered; each != NULL; each = each->next) {
        each->answer.is_accepted = false;
    }
    (void)pthread_mutex_unlock(&cache->lock);
    do_work(&work);
    release_cache(cache);
}
