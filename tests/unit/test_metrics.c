/* The registry of metrics: series by their labels, buckets, bounds, threads. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "tests/unit/unit.h"

struct found {
    size_t series;
    uint64_t count; /* of all series */
    struct metric_reading last;
};

static void
note(void *arg, const struct metric_reading *reading)
{
    struct found *found = arg;
    found->series++;
    found->count += reading->count;
    found->last = *reading;
}

static struct found
look(enum metric metric)
{
    struct found found = {0};
    metrics_walk(metric, note, &found);
    return found;
}

static void
test_series(void)
{
    char longest[3 * METRICS_VALUE_MAX];
    metrics_done();
    CU_ASSERT(look(METRIC_REFUSED).series == 0);
    metric_count(METRIC_REFUSED, (const char *const[]){"LIMIT_BODY"});
    metric_count(METRIC_REFUSED, (const char *const[]){"LIMIT_BODY"});
    CU_ASSERT(look(METRIC_REFUSED).series == 1 && look(METRIC_REFUSED).count == 2);
    CU_ASSERT_STRING_EQUAL(look(METRIC_REFUSED).last.values[0], "LIMIT_BODY");
    metric_count(METRIC_REFUSED, (const char *const[]){NULL});
    metric_count(METRIC_REFUSED, (const char *const[]){""});
    CU_ASSERT(look(METRIC_REFUSED).series == 2 && look(METRIC_REFUSED).count == 4);
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    metric_count(METRIC_REFUSED, (const char *const[]){longest});
    CU_ASSERT(look(METRIC_REFUSED).series == 3);
    /* labels do not run into each other */
    metric_count(METRIC_VERIFICATION_FAILURE, (const char *const[]){"ab", "c"});
    metric_count(METRIC_VERIFICATION_FAILURE, (const char *const[]){"a", "bc"});
    CU_ASSERT(look(METRIC_VERIFICATION_FAILURE).series == 2);
    metrics_done();
    CU_ASSERT(look(METRIC_REFUSED).series == 0);
}

static void
test_buckets(void)
{
    static const char *const values[] = {"ITI-38", "blue", "responding", "answered"};
    struct found found;
    metrics_done();
    metric_observe(METRIC_TRANSACTION, values, -5);
    metric_observe(METRIC_TRANSACTION, values, metrics_bounds_us[0]);     /* le: still in it */
    metric_observe(METRIC_TRANSACTION, values, metrics_bounds_us[0] + 1); /* the next one */
    metric_observe(METRIC_TRANSACTION, values, 3600 * US_PER_S);
    found = look(METRIC_TRANSACTION);
    CU_ASSERT(found.series == 1 && found.count == 4);
    CU_ASSERT(found.last.buckets[0] == 2 && found.last.buckets[1] == 1);
    CU_ASSERT(found.last.buckets[METRICS_BOUNDS] == 1);
    CU_ASSERT(found.last.sum_us == (uint64_t)(2 * metrics_bounds_us[0] + 1 + 3600 * US_PER_S));
    for (size_t i = 1; i < METRICS_BOUNDS; i++) {
        CU_ASSERT(metrics_bounds_us[i] > metrics_bounds_us[i - 1]);
    }
    metrics_done();
}

/* However many names there are, memory is bounded and nothing is lost. */
static void
test_bound(void)
{
    char name[32];
    metrics_done();
    for (int i = 0; i < METRICS_SERIES_MAX + 100; i++) {
        (void)snprintf(name, sizeof(name), "reason-%d", i);
        metric_count(METRIC_REFUSED, (const char *const[]){name});
    }
    const struct found found = look(METRIC_REFUSED);
    CU_ASSERT(found.series == METRICS_SERIES_MAX);
    CU_ASSERT(found.count == METRICS_SERIES_MAX + 100);
    metrics_done();
}

#define THREADS 4
#define ROUNDS  20000

static void *
count_much(void *arg)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        metric_count(METRIC_REFUSED, &names[i % 5]);
    }
    return NULL;
}

static void
test_threads(void)
{
    pthread_t threads[THREADS];
    metrics_done();
    for (size_t i = 0; i < THREADS; i++) {
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, count_much, NULL) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    CU_ASSERT(look(METRIC_REFUSED).series == 5);
    CU_ASSERT(look(METRIC_REFUSED).count == (uint64_t)THREADS * ROUNDS);
    metrics_done();
}

static const struct unit_test tests[] = {
    {"series by labels", test_series},
    {"buckets", test_buckets},
    {"a bound on series", test_bound},
    {"several threads", test_threads},
};
UNIT_MAIN("metrics", tests)
