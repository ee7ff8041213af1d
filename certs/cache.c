/*
 * A set-associative table under a few locks. Called per message and per handshake, on any thread.
 * Certificates are decoded outside of the locks; two threads that meet the same new one both decode
 * it, and the second one's result is given up.
 */
#include "certs/cache.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"

#define WAYS          8
#define LOCKS         16
#define SHARED_ROOM   1024
#define CAPACITY_MOST ((size_t)1 << 20)

struct place {
    uint8_t digest[SHA256_BYTES];
    struct certificate *certificate; /* a reference; NULL: free */
    uint64_t used_at;                /* by the lock's counter */
};

struct stripe {
    pthread_mutex_t lock;
    uint64_t now, hits, misses;
    size_t held;
};

struct certificate_cache {
    struct stripe stripes[LOCKS]; /* of set i: i % LOCKS */
    size_t sets_n;
    struct place places[]; /* sets_n * WAYS */
};

/* ---- life ---- */

struct certificate_cache *
certificate_cache_new(size_t capacity)
{
    const size_t most = capacity > CAPACITY_MOST ? CAPACITY_MOST : capacity;
    const size_t sets_n = most < WAYS ? 1 : (most + WAYS - 1) / WAYS;
    struct certificate_cache *cache =
        mem_alloc(sizeof(*cache) + sets_n * WAYS * sizeof(struct place));

    if (cache == NULL) {
        return NULL;
    }
    cache->sets_n = sets_n;
    for (size_t i = 0; i < LOCKS; i++) {
        (void)pthread_mutex_init(&cache->stripes[i].lock, NULL);
    }
    return cache;
}

void
certificate_cache_free(struct certificate_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (size_t i = 0; i < cache->sets_n * WAYS; i++) {
        certificate_free(cache->places[i].certificate);
    }
    for (size_t i = 0; i < LOCKS; i++) {
        (void)pthread_mutex_destroy(&cache->stripes[i].lock);
    }
    mem_free(cache);
}

static pthread_once_t shared_once = PTHREAD_ONCE_INIT;
static struct certificate_cache *shared;

static void
make_shared(void)
{
    shared = certificate_cache_new(SHARED_ROOM);
}

struct certificate_cache *
certificate_cache_shared(void)
{
    (void)pthread_once(&shared_once, make_shared);
    return shared;
}

/* ---- sets ---- */

struct set {
    struct stripe *stripe;
    struct place *places; /* WAYS */
};

/* The digest is the peer's to choose only by trying: its first bytes are as good as any. */
static struct set
set_of(struct certificate_cache *cache, const uint8_t digest[SHA256_BYTES])
{
    uint64_t number = 0;

    memcpy(&number, digest, sizeof(number));
    const size_t i = (size_t)(number % cache->sets_n);

    return (struct set){.stripe = &cache->stripes[i % LOCKS], .places = &cache->places[i * WAYS]};
}

/* Under the lock; NULL when it is not there. */
static struct place *
find(const struct set *set, const uint8_t digest[SHA256_BYTES])
{
    for (size_t i = 0; i < WAYS; i++) {
        struct place *place = &set->places[i];

        if (place->certificate != NULL && memcmp(place->digest, digest, SHA256_BYTES) == 0) {
            place->used_at = ++set->stripe->now;
            return place;
        }
    }
    return NULL;
}

/* Under the lock: a free place, or the one that was used longest ago. */
static struct place *
choose(const struct set *set)
{
    struct place *oldest = &set->places[0];

    for (size_t i = 0; i < WAYS; i++) {
        if (set->places[i].certificate == NULL) {
            return &set->places[i];
        }
        if (set->places[i].used_at < oldest->used_at) {
            oldest = &set->places[i];
        }
    }
    return oldest;
}

static struct certificate *
look_up(const struct set *set, const uint8_t digest[SHA256_BYTES])
{
    struct certificate *found = NULL;

    pthread_mutex_lock(&set->stripe->lock);
    const struct place *place = find(set, digest);

    if (place != NULL) {
        found = certificate_ref(place->certificate);
        set->stripe->hits++;
    } else {
        set->stripe->misses++;
    }
    pthread_mutex_unlock(&set->stripe->lock);
    return found;
}

static void
keep(const struct set *set, const uint8_t digest[SHA256_BYTES], struct certificate *certificate)
{
    struct certificate *pushed_out = NULL;

    pthread_mutex_lock(&set->stripe->lock);
    if (find(set, digest) == NULL) {
        struct place *place = choose(set);

        pushed_out = place->certificate;
        set->stripe->held += pushed_out == NULL ? 1 : 0;
        memcpy(place->digest, digest, SHA256_BYTES);
        place->certificate = certificate_ref(certificate);
        place->used_at = ++set->stripe->now;
    }
    pthread_mutex_unlock(&set->stripe->lock);
    certificate_free(pushed_out);
}

struct status
certificate_cache_get(struct certificate_cache *cache, struct span der, struct diag *diag,
                      struct certificate **ret_certificate)
{
    uint8_t digest[SHA256_BYTES];

    if (cache == NULL || der.n == 0 || der.n > CERTIFICATE_CACHE_DER_MAX) {
        return certificate_from_der(der, diag, ret_certificate);
    }
    TRY(digest_sha256(der, diag, digest));
    const struct set set = set_of(cache, digest);
    struct certificate *certificate = look_up(&set, digest);

    if (certificate == NULL) {
        TRY(certificate_from_der(der, diag, &certificate));
        keep(&set, digest, certificate);
    }
    *ret_certificate = certificate;
    return OK;
}

void
certificate_cache_count(struct certificate_cache *cache,
                        struct certificate_cache_counts *ret_counts)
{
    struct certificate_cache_counts counts = {0};

    for (size_t i = 0; i < LOCKS; i++) {
        struct stripe *stripe = &cache->stripes[i];

        pthread_mutex_lock(&stripe->lock);
        counts.hits += stripe->hits;
        counts.misses += stripe->misses;
        counts.held += stripe->held;
        pthread_mutex_unlock(&stripe->lock);
    }
    *ret_counts = counts;
}
