/*
 * The cache of decoded certificates: the same object for the same bytes, bounded, shared by
 * threads, and never a certificate for bytes that are none. With ISTHMUS_MEASURE set it prints what
 * it saves.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "certs/cache.h"
#include "odd_chain.h"
#include "unit.h"

#define LEAVES 64

static struct {
    unsigned char *der[LEAVES];
    int n[LEAVES];
} leaves;

static struct span
der_of(size_t i)
{
    return span_of((const char *)leaves.der[i], (size_t)leaves.n[i]);
}

static void
test_make_leaves(void)
{
    static const struct odd levels[] = {{.name = "Root"}, {.san = "DNS:leaf.example"}};
    const int64_t now_us = clock_wall_us(clock_system());

    for (size_t i = 0; i < LEAVES; i++) {
        struct odd_chain chain;

        odd_chain_make(levels, 2, 0, now_us, &chain);
        leaves.n[i] = i2d_X509(chain.x509[1], &leaves.der[i]);
        CU_ASSERT_FATAL(leaves.n[i] > 0);
        odd_chain_done(&chain);
    }
}

static struct certificate *
get(struct certificate_cache *cache, size_t i)
{
    struct diag diag = {0};
    struct certificate *certificate = NULL;

    CHECK_OK(&diag, certificate_cache_get(cache, der_of(i), &diag, &certificate));
    CU_ASSERT_FATAL(certificate != NULL);
    return certificate;
}

static void
test_same(void)
{
    struct certificate_cache *cache = certificate_cache_new(100);
    struct certificate_cache_counts counts;
    struct diag diag = {0};
    char digest[SHA256_HEX];

    CU_ASSERT_FATAL(cache != NULL);
    struct certificate *first = get(cache, 0), *again = get(cache, 0), *other = get(cache, 1);

    CU_ASSERT(first == again && first != other);
    CHECK_OK(&diag, digest_sha256_hex(der_of(1), &diag, digest));
    CU_ASSERT_STRING_EQUAL(other->sha256, digest);
    certificate_cache_count(cache, &counts);
    CU_ASSERT(counts.hits == 1 && counts.misses == 2 && counts.held == 2);
    /* a reference outlives the cache */
    certificate_cache_free(cache);
    CU_ASSERT(certificate_names(first, SPAN("leaf.example")));
    certificate_free(first);
    certificate_free(again);
    certificate_free(other);
}

/* Damaged bytes are refused every time, beside a good one that is held. */
static void
test_refused(void)
{
    struct certificate_cache *cache = certificate_cache_new(100);
    struct certificate_cache_counts counts;
    struct certificate *none = NULL;
    char longer[8192];

    CU_ASSERT_FATAL(cache != NULL);
    certificate_free(get(cache, 0));
    memcpy(longer, leaves.der[0], (size_t)leaves.n[0]);
    longer[leaves.n[0]] = 0;
    const struct span wrong[] = {
        span_slice(der_of(0), 0, 10),
        span_slice(der_of(0), 0, (size_t)leaves.n[0] - 1),
        span_of(longer, (size_t)leaves.n[0] + 1),
        SPAN_EMPTY,
        SPAN("no certificate"),
    };

    for (size_t i = 0; i < 2 * ARRAY_LEN(wrong); i++) {
        struct diag diag = {0};

        CHECK_ERR(&diag, ERR_CREDENTIAL, certificate_cache_get(cache, wrong[i / 2], &diag, &none));
        CU_ASSERT(none == NULL);
    }
    certificate_cache_count(cache, &counts);
    CU_ASSERT(counts.held == 1);
    certificate_cache_free(cache);
}

/* One set of eight: the ninth pushes out the one that was used longest ago. */
static void
test_bounded(void)
{
    struct certificate_cache *cache = certificate_cache_new(8);
    struct certificate_cache_counts before, after;

    CU_ASSERT_FATAL(cache != NULL);
    for (size_t i = 0; i < 8; i++) {
        certificate_free(get(cache, i));
    }
    certificate_free(get(cache, 0)); /* now 1 is the oldest */
    certificate_free(get(cache, 8));
    certificate_cache_count(cache, &before);
    CU_ASSERT(before.held == 8);
    certificate_free(get(cache, 0));
    certificate_cache_count(cache, &after);
    CU_ASSERT(after.hits == before.hits + 1);
    certificate_free(get(cache, 1));
    certificate_cache_count(cache, &after);
    CU_ASSERT(after.misses == before.misses + 1);
    for (size_t i = 0; i < LEAVES; i++) {
        certificate_free(get(cache, i));
    }
    certificate_cache_count(cache, &after);
    CU_ASSERT(after.held == 8);
    certificate_cache_free(cache);
}

static void
test_no_cache(void)
{
    struct certificate *one = get(NULL, 0), *two = get(NULL, 0);

    CU_ASSERT(one != two && strcmp(one->sha256, two->sha256) == 0);
    certificate_free(one);
    certificate_free(two);
    CU_ASSERT(certificate_cache_shared() != NULL &&
              certificate_cache_shared() == certificate_cache_shared());
}

static struct status
run_without_memory(struct diag *diag)
{
    struct certificate_cache *cache = certificate_cache_new(8);
    struct certificate *certificate = NULL;

    if (cache == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a cache");
    }
    const struct status st = certificate_cache_get(cache, der_of(0), diag, &certificate);

    certificate_free(certificate);
    certificate_cache_free(cache);
    return st;
}

static void
test_no_memory(void)
{
    unit_torture(run_without_memory);
}

/* ---- threads ---- */

#define THREADS 4
#define ROUNDS  400

static struct certificate_cache *shared;

static void *
use(void *arg)
{
    size_t wrong = 0;

    (void)arg;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct diag diag = {0};
        struct certificate *certificate = NULL;
        char digest[SHA256_HEX];
        const size_t which = (i * 7) % 24;

        if (!is_ok(certificate_cache_get(shared, der_of(which), &diag, &certificate)) ||
            !is_ok(digest_sha256_hex(der_of(which), &diag, digest)) ||
            strcmp(certificate->sha256, digest) != 0) {
            wrong++;
        }
        certificate_free(certificate);
    }
    return wrong == 0 ? NULL : &shared;
}

static void
test_threads(void)
{
    pthread_t threads[THREADS];

    shared = certificate_cache_new(16); /* fewer than are asked for: they push each other out */
    CU_ASSERT_FATAL(shared != NULL);
    for (size_t i = 0; i < THREADS; i++) {
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, use, NULL) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *result = &shared;

        CU_ASSERT(pthread_join(threads[i], &result) == 0 && result == NULL);
    }
    certificate_cache_free(shared);
}

/* ---- what it saves ---- */

static double
microseconds_each(struct certificate_cache *cache)
{
    const size_t rounds = 2000;
    const int64_t start_us = clock_mono_us(clock_system());

    for (size_t i = 0; i < rounds; i++) {
        certificate_free(get(cache, i % 8));
    }
    return (double)(clock_mono_us(clock_system()) - start_us) / (double)rounds;
}

static void
test_measure(void)
{
    if (getenv("ISTHMUS_MEASURE") == NULL) {
        return;
    }
    struct certificate_cache *cache = certificate_cache_new(1024);
    const double decoded = microseconds_each(NULL), cached = microseconds_each(cache);

    printf("\n    decoded each time %.1f us, from the cache %.2f us: %.0f times\n", decoded, cached,
           decoded / cached);
    certificate_cache_free(cache);
}

static void
test_free_leaves(void)
{
    for (size_t i = 0; i < LEAVES; i++) {
        OPENSSL_free(leaves.der[i]);
    }
    odd_keys_done();
}

static const struct unit_test tests[] = {
    {"make certificates", test_make_leaves},
    {"what is no certificate", test_refused},
    {"the same object for the same bytes", test_same},
    {"bounded", test_bounded},
    {"without a cache", test_no_cache},
    {"without memory", test_no_memory},
    {"threads", test_threads},
    {"what it saves", test_measure},
    {"free certificates", test_free_leaves},
};

UNIT_MAIN("certs cache", tests)
