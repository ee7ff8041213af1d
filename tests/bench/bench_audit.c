/*
 * audit-append: records a second and the wait they add, beside the disk alone at the same time
 * (disk.h). The events are those of a real node's journal, appended again. Each round is a journal
 * of its own for each number of writers.
 *
 * It makes its folders below the one that it is told, and removes them.
 */
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/journal_keys.h"
#include "base/mem.h"
#include "tests/bench/disk.h"
#include "tests/bench/writers.h"

#define EVENTS_MAX   4096
#define ROW_NAME_MAX 96
#define COUNTS_MAX   8
#define WARM_US      (100 * US_PER_MS)
#define ARENA_BYTES  ((size_t)64 * 1024 * 1024)

struct options {
    const char *events_dir, *work_dir;
    size_t rounds, threads;
    int64_t time_us;
    int64_t sync_us; /* the disk takes at least so long; 0: it is as it is */
    struct journal_key key;
    struct journal_keys keys; /* none: nothing is encrypted */
    size_t counts[COUNTS_MAX];
    size_t counts_n;
};

/* ---- events ---- */

struct events {
    struct arena *arena;
    struct audit_event items[EVENTS_MAX];
    size_t n;
    size_t bytes; /* of their payloads */
    struct diag *diag;
    struct status st;
};

static bool
keep_event(void *arg, const struct journal_record *record)
{
    struct events *const events = arg;
    struct span payload;
    events->st = arena_dup(events->arena, record->payload, events->diag, &payload);
    if (is_ok(events->st)) {
        events->st =
            audit_event_decode(payload, events->arena, events->diag, &events->items[events->n]);
    }
    if (!is_ok(events->st)) {
        return false;
    }
    events->items[events->n].time_us = 0; /* stamped anew */
    events->items[events->n].process_id = 0;
    events->bytes += payload.n;
    return ++events->n < EVENTS_MAX;
}

static struct status
read_events(struct events *events, const char *dir, struct diag *diag)
{
    events->diag = diag;
    events->st = OK;
    TRY(journal_read(JOURNAL_AT(dir), keep_event, events, diag));
    TRY(events->st);
    return events->n > 0 ? OK : FAIL(diag, ERR_NOT_FOUND, "no record in the journal %s", dir);
}

/* ---- rounds ---- */

/* For each number of writers, one of each for a round. */
struct series {
    struct meter_list rate, floor_rate, rate_ratio;
    struct meter_list wait_us, sync_us, wait_ratio; /* means */
    struct meter_list late_us;                      /* 99th percentiles */
    struct meter_list batch, cpu_us;
    /* Beside the same with nothing synced: what is left of its rate, and by how much longer the
     * waits are. */
    struct meter_list free_rate, free_ratio, added_us, added_ratio;
    size_t records;
};

static int
remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static double
mean_of(const struct meter_list *list)
{
    double sum = 0;
    for (size_t i = 0; i < list->n; i++) {
        sum += list->items[i];
    }
    return list->n == 0 ? 0 : sum / (double)list->n;
}

static double
rate_of(const struct writers_result *result)
{
    return (double)result->records * 1e6 / (double)result->time_us;
}

static void
note_round(struct series *series, struct writers_result *result)
{
    const double records = (double)result->records;
    const double batch = records / (double)result->disk.syncs;
    const double sync_us = result->disk.floor_us / (double)result->disk.samples;
    const double rate = rate_of(result);
    const double floor_rate = batch * 1e6 / sync_us;
    const double wait_us = mean_of(&result->wait_us);
    meter_list_add(&series->rate, rate);
    meter_list_add(&series->floor_rate, floor_rate);
    meter_list_add(&series->rate_ratio, rate / floor_rate);
    meter_list_add(&series->wait_us, wait_us);
    meter_list_add(&series->sync_us, sync_us);
    meter_list_add(&series->wait_ratio, wait_us / sync_us);
    meter_list_add(&series->late_us, meter_percentile(&result->wait_us, 0.99));
    meter_list_add(&series->batch, batch);
    meter_list_add(&series->cpu_us, (double)result->cpu_ns / 1000 / records);
    series->records += result->records;
}

static double
last_of(const struct meter_list *list)
{
    return list->items[list->n - 1];
}

/* Of the same round, with nothing synced. */
static void
note_free(struct series *series, const struct writers_result *result)
{
    const double added_us = last_of(&series->wait_us) - mean_of(&result->wait_us);
    meter_list_add(&series->free_rate, rate_of(result));
    meter_list_add(&series->free_ratio, last_of(&series->rate) / rate_of(result));
    meter_list_add(&series->added_us, added_us);
    meter_list_add(&series->added_ratio, added_us / last_of(&series->sync_us));
}

static struct status
run_journal(const struct options *options, const struct events *events, size_t writers,
            const char *dir, struct diag *diag, struct writers_result *ret_result)
{
    struct disk_floor floor;
    struct writers_work work = {
        .events = events->items,
        .events_n = events->n,
        .floor = &floor,
        .threads = (unsigned)(writers < options->threads ? writers : options->threads),
        .warm_us = WARM_US,
        .time_us = options->time_us,
    };
    const struct journal_place place = {dir, options->keys.n > 0 ? &options->keys : NULL};
    TRY(journal_open(&place, "node", clock_system(), diag, &work.journal));
    struct status st = disk_floor_open(&floor, options->work_dir, diag);
    if (is_ok(st)) {
        st = writers_run(&work, writers, diag, ret_result);
    }
    disk_floor_close(&floor);
    journal_close(work.journal);
    return st;
}

/* In a journal that is made for it. */
static struct status
run_once(const struct options *options, const struct events *events, size_t writers,
         struct diag *diag, struct writers_result *ret_result)
{
    char dir[PATH_MAX];
    (void)snprintf(dir, sizeof(dir), "%s/journal", options->work_dir);
    struct status st = run_journal(options, events, writers, dir, diag, ret_result);
    if (is_ok(st) && ret_result->records == 0) {
        st = FAIL(diag, ERR_IO, "%zu writers: no record became durable in %lld ms", writers,
                  (long long)(options->time_us / US_PER_MS));
    }
    (void)nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    return st;
}

static struct status
run_synced(const struct options *options, const struct events *events, size_t writers,
           struct series *series, struct diag *diag)
{
    struct writers_result result = {.records = 0};
    struct status st = run_once(options, events, writers, diag, &result);
    if (is_ok(st) && result.disk.samples == 0) {
        st = FAIL(diag, ERR_IO, "%zu writers: too few syncs to compare the disk with", writers);
    }
    if (is_ok(st)) {
        note_round(series, &result);
    }
    writers_result_done(&result);
    return st;
}

/* What the processors alone allow. */
static struct status
run_free(const struct options *options, const struct events *events, size_t writers,
         struct series *series, struct diag *diag)
{
    struct writers_result result = {.records = 0};
    disk_skip_syncs(true);
    const struct status st = run_once(options, events, writers, diag, &result);
    disk_skip_syncs(false);
    if (is_ok(st)) {
        note_free(series, &result);
    }
    writers_result_done(&result);
    return st;
}

/* ---- rows ---- */

static void
show(const struct options *options, const char *text, size_t writers, double value,
     const char *unit, double floor, double ratio, size_t n)
{
    char name[ROW_NAME_MAX];
    char disk[32] = "";
    if (options->sync_us > 0) {
        (void)snprintf(disk, sizeof(disk), ", %lld us a sync", (long long)options->sync_us);
    }
    (void)snprintf(name, sizeof(name), "audit-append%s%s: %s, %zu writer%s", disk,
                   options->keys.n > 0 ? ", encrypted" : "", text, writers,
                   writers == 1 ? "" : "s");
    meter_row(&(struct meter_row){
        .name = name, .value = value, .unit = unit, .floor = floor, .ratio = ratio, .n = n});
}

static double
median(struct meter_list *list)
{
    return meter_percentile(list, 0.5);
}

static void
show_series(const struct options *options, struct series *series, size_t writers)
{
    const size_t n = series->records;
    show(options, "records", writers, median(&series->rate), "/s", median(&series->floor_rate),
         median(&series->rate_ratio), n);
    show(options, "records beside nothing synced", writers, median(&series->rate), "/s",
         median(&series->free_rate), median(&series->free_ratio), n);
    show(options, "wait added by syncs, mean, one sync", writers, median(&series->added_us) / 1000,
         "ms", median(&series->sync_us) / 1000, median(&series->added_ratio), n);
    show(options, "wait, mean, one sync", writers, median(&series->wait_us) / 1000, "ms",
         median(&series->sync_us) / 1000, median(&series->wait_ratio), n);
    show(options, "wait, 99th percentile", writers, median(&series->late_us) / 1000, "ms", 0, 0, n);
    show(options, "records of a sync", writers, median(&series->batch), "", 0, 0, n);
    show(options, "CPU of a record", writers, median(&series->cpu_us), "us", 0, 0, n);
}

static void
series_done(struct series *series)
{
    struct meter_list *const lists[] = {
        &series->rate,        &series->floor_rate, &series->rate_ratio, &series->wait_us,
        &series->sync_us,     &series->wait_ratio, &series->late_us,    &series->batch,
        &series->cpu_us,      &series->free_rate,  &series->free_ratio, &series->added_us,
        &series->added_ratio,
    };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        meter_list_done(lists[i]);
    }
}

static struct status
run_rounds(const struct options *options, const struct events *events, struct series *series,
           struct diag *diag)
{
    for (size_t round = 0; round < options->rounds; round++) {
        for (size_t i = 0; i < options->counts_n; i++) {
            TRY(run_synced(options, events, options->counts[i], &series[i], diag));
            TRY(run_free(options, events, options->counts[i], &series[i], diag));
        }
    }
    meter_row(&(struct meter_row){.name = "audit-append: bytes of a record's event",
                                  .value = (double)events->bytes / (double)events->n,
                                  .unit = "B",
                                  .n = events->n});
    for (size_t i = 0; i < options->counts_n; i++) {
        show_series(options, &series[i], options->counts[i]);
    }
    return OK;
}

static struct status
run(const struct options *options, struct diag *diag)
{
    static struct series series[COUNTS_MAX];
    struct events *const events = mem_alloc(sizeof(*events));
    if (events == NULL || (events->arena = arena_new(ARENA_BYTES)) == NULL) {
        mem_free(events);
        return FAIL(diag, ERR_NO_MEMORY, "memory of the events");
    }
    struct status st = read_events(events, options->events_dir, diag);
    if (is_ok(st)) {
        st = run_rounds(options, events, series, diag);
    }
    for (size_t i = 0; i < options->counts_n; i++) {
        series_done(&series[i]);
    }
    arena_free(events->arena);
    mem_free(events);
    return st;
}

/* ---- the program ---- */

static bool
take_number(const char *text, uint64_t most, uint64_t *ret_number)
{
    return span_to_u64(span_of_cstr(text), most, ret_number) && *ret_number > 0;
}

static bool
take_option(struct options *options, const char *option, const char *value)
{
    uint64_t number = 0;
    if (strcmp(option, "--events") == 0) {
        options->events_dir = value;
        return true;
    }
    if (strcmp(option, "--work") == 0) {
        options->work_dir = value;
        return true;
    }
    if (!take_number(value, WRITERS_MAX * 1000, &number)) {
        return false;
    }
    if (strcmp(option, "--writers") == 0 && number <= WRITERS_MAX &&
        options->counts_n < COUNTS_MAX) {
        options->counts[options->counts_n++] = (size_t)number;
        return true;
    }
    options->rounds = strcmp(option, "--rounds") == 0 ? (size_t)number : options->rounds;
    options->threads = strcmp(option, "--threads") == 0 ? (size_t)number : options->threads;
    options->time_us = strcmp(option, "--ms") == 0 ? (int64_t)number * US_PER_MS : options->time_us;
    options->sync_us = strcmp(option, "--sync-us") == 0 ? (int64_t)number : options->sync_us;
    return strcmp(option, "--rounds") == 0 || strcmp(option, "--threads") == 0 ||
           strcmp(option, "--ms") == 0 || strcmp(option, "--sync-us") == 0;
}

/* Which one it is matters to nobody here. */
static struct status
make_key(struct options *options, struct diag *diag)
{
    char text[2 * JOURNAL_KEY_BYTES];
    memset(text, '7', sizeof(text));
    TRY(journal_key_read(span_of(text, sizeof(text)), diag, &options->key));
    options->keys = (struct journal_keys){&options->key, 1, true};
    return OK;
}

static int
usage(void)
{
    (void)fputs("usage: bench_audit --events JOURNAL --work FOLDER [--writers N]... [--threads N] "
                "[--rounds N] [--ms N] [--sync-us N] [--encrypt] [--json]\n",
                stderr);
    return 2;
}

int
main(int argc, char **argv)
{
    struct options options = {.rounds = 5, .threads = 2, .time_us = 2 * US_PER_S};
    struct diag diag = {.code = ERR_NONE};
    bool must_encrypt = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            meter_rows_as_json(true);
        } else if (strcmp(argv[i], "--encrypt") == 0) {
            must_encrypt = true;
        } else if (i + 1 >= argc || !take_option(&options, argv[i], argv[i + 1])) {
            return usage();
        } else {
            i++;
        }
    }
    if (options.events_dir == NULL || options.work_dir == NULL || options.counts_n == 0) {
        return usage();
    }
    disk_slow_down(options.sync_us);
    if (!is_ok(must_encrypt ? make_key(&options, &diag) : OK) || !is_ok(run(&options, &diag))) {
        meter_row_failed("audit-append", diag.text);
    }
    return meter_exit_code();
}
