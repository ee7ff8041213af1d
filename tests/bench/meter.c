/*
 * Measures a process from outside and prints rows. CPU time is the kernel's clock of the process
 * (nanoseconds, all threads), memory and threads are /proc/PID/status, descriptors are counted in
 * /proc/PID/fd. Used by every program of tests/bench.
 */
#include "tests/bench/meter.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

#define PATH_ROOM 64

static bool rows_are_json;
static int rows_failed;

/* ---- clocks ---- */

static int64_t
read_clock_ns(clockid_t id)
{
    struct timespec now;
    if (clock_gettime(id, &now) != 0) {
        return -1;
    }
    return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int64_t
meter_cpu_ns(pid_t pid)
{
    clockid_t id;
    return clock_getcpuclockid(pid, &id) == 0 ? read_clock_ns(id) : -1;
}

int64_t
meter_self_cpu_ns(void)
{
    return read_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t
meter_thread_cpu_ns(void)
{
    return read_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

int64_t
meter_now_us(void)
{
    return read_clock_ns(CLOCK_MONOTONIC) / 1000;
}

/* ---- a process ---- */

static int64_t
count_entries(const char *path)
{
    DIR *const folder = opendir(path);
    int64_t n = 0;
    if (folder == NULL) {
        return -1;
    }
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        n += entry->d_name[0] != '.';
    }
    (void)closedir(folder);
    return n;
}

static int64_t
number_behind(const char *text, const char *key)
{
    const char *const at = strstr(text, key);
    return at == NULL ? -1 : strtoll(at + strlen(key), NULL, 10);
}

struct status
meter_process_read(pid_t pid, struct diag *diag, struct meter_process *ret_process)
{
    char path[PATH_ROOM];
    char text[4096];
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *const file = fopen(path, "re");
    if (file == NULL) {
        return FAIL(diag, ERR_IO, "no process %d: %s", (int)pid, strerror(errno));
    }
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    (void)fclose(file);
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    *ret_process = (struct meter_process){
        .rss_bytes = number_behind(text, "VmRSS:") * 1024,
        .most_rss_bytes = number_behind(text, "VmHWM:") * 1024,
        .threads = number_behind(text, "Threads:"),
        .descriptors = count_entries(path),
    };
    return OK;
}

/* ---- numbers ---- */

void
meter_list_add(struct meter_list *list, double value)
{
    if (list->n == list->capacity) {
        const size_t capacity = list->capacity == 0 ? 1024 : list->capacity * 2;
        double *const items = mem_resize(list->items, capacity * sizeof(*items));
        if (items == NULL) {
            (void)fputs("bench: no memory for a list of numbers\n", stderr);
            exit(EXIT_FAILURE);
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->n++] = value;
}

void
meter_list_done(struct meter_list *list)
{
    mem_free(list->items);
    *list = (struct meter_list){0};
}

static int
compare_numbers(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

double
meter_percentile(struct meter_list *list, double fraction)
{
    if (list->n == 0) {
        return 0;
    }
    qsort(list->items, list->n, sizeof(*list->items), compare_numbers);
    const size_t at = (size_t)(fraction * (double)list->n);
    return list->items[at < list->n ? at : list->n - 1];
}

/* ---- rows ---- */

void
meter_rows_as_json(bool is_json)
{
    rows_are_json = is_json;
}

void
meter_row(const struct meter_row *row)
{
    const double ratio = row->ratio > 0 ? row->ratio : row->floor > 0 ? row->value / row->floor : 0;
    if (rows_are_json) {
        printf("{\"name\":\"%s\",\"value\":%.3f,\"unit\":\"%s\",", row->name, row->value,
               row->unit);
        if (row->floor > 0) {
            printf("\"floor\":%.3f,", row->floor);
        } else {
            printf("\"floor\":null,");
        }
        if (ratio > 0) {
            printf("\"ratio\":%.3f,\"n\":%zu}\n", ratio, row->n);
        } else {
            printf("\"ratio\":null,\"n\":%zu}\n", row->n);
        }
    } else {
        printf("ok %-58s %11.2f %-7s", row->name, row->value, row->unit);
        if (row->floor > 0) {
            printf(" %11.2f", row->floor);
        } else {
            printf(" %11s", "");
        }
        if (ratio > 0) {
            printf(" %6.2f", ratio);
        } else {
            printf(" %6s", "");
        }
        printf(" %8zu\n", row->n);
    }
    (void)fflush(stdout);
}

void
meter_row_failed(const char *name, const char *why)
{
    rows_failed++;
    if (rows_are_json) {
        fprintf(stderr, "not ok %s: %s\n", name, why);
    } else {
        printf("not ok %s: %s\n", name, why);
        (void)fflush(stdout);
    }
}

int
meter_exit_code(void)
{
    return rows_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
