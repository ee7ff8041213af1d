/*
 * Token buckets kept as one time each: the moment at which the bucket would be full again. Used by
 * the server (failures of partners) and by whoever logs and records what was refused; any thread.
 */
#include "net/rate.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

struct bucket {
    char key[RATE_KEY_MAX]; /* "": free */
    uint64_t hash;          /* of the key: who asks before each request must not compare texts */
    int64_t full_at_us;
    int64_t used_us;
    uint64_t missed;
};

struct rate {
    pthread_mutex_t lock;
    int64_t interval_us;
    int64_t depth_us; /* of a whole bucket */
    size_t keys_max;
    size_t used; /* buckets that have ever had a key: the first ones */
    struct bucket *buckets;
};

static void
set(struct rate *rate, size_t burst, int64_t interval_us)
{
    assert(burst > 0 && interval_us > 0);
    rate->interval_us = interval_us;
    rate->depth_us = (int64_t)burst * interval_us;
}

struct status
rate_new(size_t burst, int64_t interval_us, size_t keys_max, struct diag *diag,
         struct rate **ret_rate)
{
    struct rate *rate = mem_alloc(sizeof(*rate));
    struct bucket *buckets = mem_alloc(keys_max * sizeof(*buckets));
    if (rate == NULL || buckets == NULL) {
        mem_free(rate);
        mem_free(buckets);
        return FAIL(diag, ERR_NO_MEMORY, "no memory for rates of %zu keys", keys_max);
    }
    (void)pthread_mutex_init(&rate->lock, NULL);
    rate->keys_max = keys_max;
    rate->buckets = buckets;
    set(rate, burst, interval_us);
    *ret_rate = rate;
    return OK;
}

void
rate_free(struct rate *rate)
{
    if (rate != NULL) {
        (void)pthread_mutex_destroy(&rate->lock);
        mem_free(rate->buckets);
        mem_free(rate);
    }
}

void
rate_set(struct rate *rate, size_t burst, int64_t interval_us, int64_t now_us)
{
    (void)pthread_mutex_lock(&rate->lock);
    for (size_t i = 0; i < rate->used; i++) {
        struct bucket *bucket = &rate->buckets[i];
        if (bucket->full_at_us > now_us) {
            const int64_t owed_us = bucket->full_at_us - now_us;
            const int64_t owed = (owed_us + rate->interval_us - 1) / rate->interval_us;
            bucket->full_at_us = now_us + owed * interval_us;
        }
    }
    set(rate, burst, interval_us);
    (void)pthread_mutex_unlock(&rate->lock);
}

/* FNV-1a over what is kept of the key. */
static uint64_t
hash_of(const char *key)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < RATE_KEY_MAX - 1 && key[i] != '\0'; i++) {
        hash = (hash ^ (uint8_t)key[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

/* NULL when the key is not there. */
static struct bucket *
find(struct rate *rate, const char *key)
{
    const uint64_t hash = rate->used == 0 ? 0 : hash_of(key);
    for (size_t i = 0; i < rate->used; i++) {
        struct bucket *bucket = &rate->buckets[i];
        if (bucket->hash == hash && strncmp(bucket->key, key, RATE_KEY_MAX - 1) == 0) {
            return bucket;
        }
    }
    return NULL;
}

static struct bucket *
make_room(struct rate *rate, const char *key)
{
    struct bucket *oldest = &rate->buckets[0];
    if (rate->used < rate->keys_max) {
        oldest = &rate->buckets[rate->used++];
    }
    for (size_t i = 0; i < rate->used && oldest->key[0] != '\0'; i++) {
        struct bucket *bucket = &rate->buckets[i];
        if (bucket->used_us < oldest->used_us) {
            oldest = bucket;
        }
    }
    *oldest = (struct bucket){.hash = hash_of(key), .full_at_us = INT64_MIN};
    (void)snprintf(oldest->key, sizeof(oldest->key), "%s", key);
    return oldest;
}

/* How long until <bucket> has one, when it is not full before <now_us>. */
static int64_t
wait_of(const struct rate *rate, const struct bucket *bucket, int64_t now_us)
{
    if (bucket->full_at_us <= now_us) {
        return 0; /* also a bucket that was never used, from whose time nothing can be taken */
    }
    const int64_t one_at_us = bucket->full_at_us - rate->depth_us + rate->interval_us;
    return one_at_us <= now_us ? 0 : one_at_us - now_us;
}

bool
rate_spend(struct rate *rate, const char *key, int64_t now_us, uint64_t *ret_missed)
{
    uint64_t missed = 0;
    assert(key[0] != '\0');
    (void)pthread_mutex_lock(&rate->lock);
    struct bucket *bucket = find(rate, key);
    if (bucket == NULL) {
        bucket = make_room(rate, key);
    }
    const bool is_allowed = wait_of(rate, bucket, now_us) == 0;
    bucket->used_us = now_us;
    if (is_allowed) {
        const int64_t from_us = bucket->full_at_us > now_us ? bucket->full_at_us : now_us;
        bucket->full_at_us = from_us + rate->interval_us;
        missed = bucket->missed;
        bucket->missed = 0;
    } else {
        missed = ++bucket->missed;
    }
    (void)pthread_mutex_unlock(&rate->lock);
    if (ret_missed != NULL) {
        *ret_missed = missed;
    }
    return is_allowed;
}

int64_t
rate_wait_us(struct rate *rate, const char *key, int64_t now_us)
{
    (void)pthread_mutex_lock(&rate->lock);
    const struct bucket *bucket = find(rate, key);
    const int64_t wait_us = bucket == NULL ? 0 : wait_of(rate, bucket, now_us);
    (void)pthread_mutex_unlock(&rate->lock);
    return wait_us;
}
