/*
 * The registry of metrics.h: for each family an open-addressed table of pointers to series. A
 * series is found without a lock (slots only ever go from empty to full); a new one is put in under
 * the one mutex. Called from every thread; series live until metrics_done.
 */
#include "base/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define SLOTS       ((size_t)8192) /* twice METRICS_SERIES_MAX: probes stay short */
#define OTHER_VALUE "other"
#define NONE_VALUE  "none"

#define FAMILY(name, exposed, histogram, labels, help)                                             \
    [METRIC_##name] = {exposed, histogram, labels, help},
static const struct metric_family families[METRIC_COUNT] = {METRICS(FAMILY)};
#undef FAMILY

const int64_t metrics_bounds_us[METRICS_BOUNDS] = {
    1 * US_PER_MS,   2500,           5 * US_PER_MS,    10 * US_PER_MS,
    25 * US_PER_MS,  50 * US_PER_MS, 100 * US_PER_MS,  250 * US_PER_MS,
    500 * US_PER_MS, 1 * US_PER_S,   2500 * US_PER_MS, 5 * US_PER_S,
    10 * US_PER_S,   30 * US_PER_S,  60 * US_PER_S,    120 * US_PER_S};

struct series {
    char values[METRICS_LABELS_MAX][METRICS_VALUE_MAX];
    _Atomic uint64_t count;
    _Atomic uint64_t sum_us;
    _Atomic uint64_t buckets[METRICS_BOUNDS + 1];
};

struct table {
    _Atomic(struct series *) slots[SLOTS];
    size_t series_n; /* the mutex's */
};

static struct table tables[METRIC_COUNT];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

const struct metric_family *
metric_family(enum metric metric)
{
    return &families[metric];
}

static size_t
labels_of(enum metric metric)
{
    size_t n = 1;

    for (const char *p = families[metric].labels; *p != '\0'; p++) {
        n += *p == ',';
    }
    return n;
}

/* ---- series ---- */

/* The values as they are kept: cut, and never empty. */
static void
take_values(struct series *key, enum metric metric, const char *const values[])
{
    memset(key, 0, sizeof(*key));
    for (size_t i = 0; i < labels_of(metric); i++) {
        const char *value = values[i] == NULL || values[i][0] == '\0' ? NONE_VALUE : values[i];

        (void)snprintf(key->values[i], METRICS_VALUE_MAX, "%.*s", METRICS_VALUE_MAX - 1, value);
    }
}

/* FNV-1a over the values' texts. */
static size_t
slot_of(const struct series *key)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < METRICS_LABELS_MAX; i++) {
        for (const char *p = key->values[i]; *p != '\0'; p++) {
            hash = (hash ^ (uint8_t)*p) * UINT64_C(1099511628211);
        }
        hash = (hash ^ 0xff) * UINT64_C(1099511628211);
    }
    return (size_t)(hash % SLOTS);
}

static bool
is_same(const struct series *a, const struct series *b)
{
    for (size_t i = 0; i < METRICS_LABELS_MAX; i++) {
        if (strcmp(a->values[i], b->values[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* The series, or NULL with the empty slot where it would be. There is always one:
 * METRICS_SERIES_MAX is less than SLOTS. */
static struct series *
find(struct table *table, const struct series *key, size_t *ret_slot)
{
    for (size_t at = slot_of(key);; at = (at + 1) % SLOTS) {
        struct series *series = atomic_load_explicit(&table->slots[at], memory_order_acquire);

        if (series == NULL || is_same(series, key)) {
            *ret_slot = at;
            return series;
        }
    }
}

/* Under the mutex: somebody else may have put it in meanwhile. NULL: no memory. */
static struct series *
insert(enum metric metric, struct series *key)
{
    static const char *const other[METRICS_LABELS_MAX] = {OTHER_VALUE, OTHER_VALUE, OTHER_VALUE,
                                                          OTHER_VALUE};
    struct table *table = &tables[metric];
    size_t slot;
    struct series *series = find(table, key, &slot);

    if (series == NULL && table->series_n + 1 >= METRICS_SERIES_MAX) {
        take_values(key, metric, other);
        series = find(table, key, &slot);
    }
    if (series != NULL) {
        return series;
    }
    series = mem_alloc(sizeof(*series));
    if (series != NULL) {
        memcpy(series->values, key->values, sizeof(series->values));
        table->series_n++;
        atomic_store_explicit(&table->slots[slot], series, memory_order_release);
    }
    return series;
}

static struct series *
series_of(enum metric metric, const char *const values[])
{
    struct series key;
    size_t slot;

    take_values(&key, metric, values);
    struct series *series = find(&tables[metric], &key, &slot);

    if (series == NULL) {
        pthread_mutex_lock(&mutex);
        series = insert(metric, &key);
        pthread_mutex_unlock(&mutex);
    }
    return series;
}

/* ---- counting ---- */

static void
add(_Atomic uint64_t *to, uint64_t n)
{
    (void)atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

void
metric_count(enum metric metric, const char *const values[])
{
    struct series *series = series_of(metric, values);

    if (series != NULL) { /* else no memory: the event itself matters more */
        add(&series->count, 1);
    }
}

void
metric_observe(enum metric metric, const char *const values[], int64_t us)
{
    struct series *series = series_of(metric, values);
    size_t at = 0;

    if (series == NULL) {
        return;
    }
    while (at < METRICS_BOUNDS && us > metrics_bounds_us[at]) {
        at++;
    }
    add(&series->buckets[at], 1);
    add(&series->sum_us, us < 0 ? 0 : (uint64_t)us);
    add(&series->count, 1);
}

/* ---- reading ---- */

void
metrics_walk(enum metric metric, metric_visit *visit, void *arg)
{
    for (size_t at = 0; at < SLOTS; at++) {
        const struct series *series =
            atomic_load_explicit(&tables[metric].slots[at], memory_order_acquire);
        struct metric_reading reading;

        if (series == NULL) {
            continue;
        }
        memcpy(reading.values, series->values, sizeof(reading.values));
        reading.sum_us = atomic_load(&series->sum_us);
        reading.count = atomic_load(&series->count);
        if (families[metric].is_histogram) {
            reading.count = 0; /* so that buckets and count agree while others count */
        }
        for (size_t i = 0; i <= METRICS_BOUNDS; i++) {
            reading.buckets[i] = atomic_load(&series->buckets[i]);
            reading.count += reading.buckets[i];
        }
        visit(arg, &reading);
    }
}

void
metrics_done(void)
{
    for (size_t metric = 0; metric < METRIC_COUNT; metric++) {
        for (size_t at = 0; at < SLOTS; at++) {
            mem_free(atomic_exchange(&tables[metric].slots[at], NULL));
        }
        tables[metric].series_n = 0;
    }
}
