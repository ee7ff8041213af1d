/*
 * The process's fetched revocation lists: a short list of URLs under a lock, each with its newest
 * bytes. Called by the feed (fetcher's thread) and by whoever loads a configuration. Bytes are
 * shared by count, since lists may be large.
 */
#include "certs/crl_held.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/mem.h"

struct crl_held {
    atomic_size_t references;
    struct buf content;
};

struct place {
    struct place *next;
    char *url;
    struct crl_held *held;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct place *places; /* under the lock */

/* Under the lock. */
static struct place *
find_place(const char *url)
{
    struct place *place = places;

    while (place != NULL && strcmp(place->url, url) != 0) {
        place = place->next;
    }
    return place;
}

static struct place *
make_place(const char *url)
{
    struct place *place = mem_alloc(sizeof(*place));
    char *copy = mem_strdup(url);

    if (place == NULL || copy == NULL) {
        mem_free(place);
        mem_free(copy);
        return NULL;
    }
    *place = (struct place){.next = places, .url = copy};
    places = place;
    return place;
}

/* ---- taking ---- */

const struct crl_held *
crl_held_take(const char *url)
{
    (void)pthread_mutex_lock(&lock);
    const struct place *place = find_place(url);
    struct crl_held *held = place == NULL ? NULL : place->held;

    if (held != NULL) {
        (void)atomic_fetch_add(&held->references, 1);
    }
    (void)pthread_mutex_unlock(&lock);
    return held;
}

struct span
crl_held_bytes(const struct crl_held *held)
{
    return buf_span(&held->content);
}

void
crl_held_drop(const struct crl_held *held)
{
    struct crl_held *own = (struct crl_held *)held;

    if (own != NULL && atomic_fetch_sub(&own->references, 1) == 1) {
        buf_done(&own->content);
        mem_free(own);
    }
}

/* ---- putting ---- */

/* The first list of the bytes, PEM or DER; NULL when there is none. */
static X509_CRL *
first_list(struct span bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    BIO *bio = bytes.n == 0 ? NULL : BIO_new_mem_buf(bytes.p, (int)bytes.n);
    X509_CRL *crl = bio == NULL ? NULL : PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);

    if (crl == NULL && bytes.n > 0) {
        crl = d2i_X509_CRL(NULL, &p, (long)bytes.n);
    }
    BIO_free(bio);
    ERR_clear_error();
    return crl;
}

static bool
is_before(const ASN1_TIME *time, const ASN1_TIME *than)
{
    int days = 0, seconds = 0;

    return ASN1_TIME_diff(&days, &seconds, time, than) == 1 && (days > 0 || seconds > 0);
}

/* <before>: what is held; NULL when nothing is. */
static struct status
compare(const X509_CRL *crl, const X509_CRL *before, int64_t now_us, struct diag *diag)
{
    const ASN1_TIME *end = crl == NULL ? NULL : X509_CRL_get0_nextUpdate(crl);
    time_t now = (time_t)(now_us / US_PER_S);

    if (crl == NULL) {
        return FAIL(diag, ERR_CREDENTIAL, "expected a revocation list, PEM or DER, got none");
    }
    if (end == NULL || X509_cmp_time(end, &now) < 0) {
        return FAIL(diag, ERR_CREDENTIAL, "a revocation list that has ended (nextUpdate)");
    }
    if (before == NULL) {
        return OK;
    }
    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_CRL_get_issuer(before)) != 0) {
        return FAIL(diag, ERR_CREDENTIAL, "another authority's revocation list than before");
    }
    if (is_before(X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_lastUpdate(before))) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "an older revocation list (thisUpdate) than the one that is held");
    }
    return OK;
}

/* Under the lock. */
static struct status
check_list(const struct place *place, struct span bytes, int64_t now_us, struct diag *diag)
{
    X509_CRL *crl = first_list(bytes);
    X509_CRL *before =
        place == NULL || place->held == NULL ? NULL : first_list(buf_span(&place->held->content));
    const struct status st = compare(crl, before, now_us, diag);

    X509_CRL_free(crl);
    X509_CRL_free(before);
    return st;
}

/* Under the lock. */
static struct status
put(const char *url, struct buf *content, int64_t now_us, struct diag *diag, bool *ret_is_new)
{
    struct place *place = find_place(url);

    if (place != NULL && place->held != NULL &&
        span_eq(buf_span(content), buf_span(&place->held->content))) {
        *ret_is_new = false;
        return OK;
    }
    TRY(check_list(place, buf_span(content), now_us, diag));
    struct crl_held *held = mem_alloc(sizeof(*held));

    place = place == NULL ? make_place(url) : place;
    if (held == NULL || place == NULL) {
        mem_free(held);
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a revocation list");
    }
    atomic_init(&held->references, 1);
    buf_init(&held->content, content->limit);
    buf_move(&held->content, content);
    crl_held_drop(place->held);
    place->held = held;
    *ret_is_new = true;
    return OK;
}

struct status
crl_held_put(const char *url, struct buf *content, int64_t now_us, struct diag *diag,
             bool *ret_is_new)
{
    (void)pthread_mutex_lock(&lock);
    const struct status st = put(url, content, now_us, diag, ret_is_new);

    (void)pthread_mutex_unlock(&lock);
    return st;
}

void
crl_held_clear(void)
{
    (void)pthread_mutex_lock(&lock);
    while (places != NULL) {
        struct place *place = places;

        places = place->next;
        crl_held_drop(place->held);
        mem_free(place->url);
        mem_free(place);
    }
    (void)pthread_mutex_unlock(&lock);
}
