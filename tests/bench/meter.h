/*
 * What the benchmarks measure with: a process from outside (CPU, memory, threads, descriptors),
 * times and their percentiles, and the rows that are printed. Linux only (/proc). Thread: any, but
 * for the rows: one at a time.
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <sys/types.h>

#include "base/diag.h"

/* The process's whole CPU time so far, threads that have ended included; -1 when it is gone. */
int64_t meter_cpu_ns(pid_t pid);
int64_t meter_self_cpu_ns(void);
int64_t meter_thread_cpu_ns(void);
int64_t meter_now_us(void); /* monotonic */

struct meter_process {
    int64_t rss_bytes, most_rss_bytes;
    int64_t threads;
    int64_t descriptors;
};
/* ERR_IO when there is no such process. */
MUST_CHECK struct status meter_process_read(pid_t pid, struct diag *diag,
                                            struct meter_process *ret_process);

/* A growing list of numbers. Owner: whoever has it; meter_list_done. */
struct meter_list {
    double *items;
    size_t n, capacity;
};
void meter_list_add(struct meter_list *list, double value); /* ends the program without memory */
void meter_list_done(struct meter_list *list);              /* empty again */
/* Sorts the list. <fraction> 0.5 is the median. Of an empty list 0. */
double meter_percentile(struct meter_list *list, double fraction);

/* One row of the report. */
struct meter_row {
    const char *name;
    double value;
    const char *unit;
    double floor; /* same unit; 0: there is none */
    double ratio; /* 0: value / floor */
    size_t n;     /* what was counted: transactions, handshakes, ... */
};
/* JSON lines instead of the table from now on. */
void meter_rows_as_json(bool is_json);
void meter_row(const struct meter_row *row);
/* A row that could not be measured: what was to be measured did not work. */
void meter_row_failed(const char *name, const char *why);
/* 0 when no row has failed, else 1. */
int meter_exit_code(void);

#endif
