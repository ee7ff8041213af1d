/*
 * Writes Prometheus' text format 0.0.4: families with HELP and TYPE, samples with labels. Failures
 * are sticky, as in xmlw.h. Owner: the caller; one thread.
 */
#ifndef ADMIN_EXPOSITION_H
#define ADMIN_EXPOSITION_H

#include "base/buf.h"
#include "base/metrics.h"

#define EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum exposition_type { EXPOSITION_COUNTER, EXPOSITION_GAUGE, EXPOSITION_HISTOGRAM };

struct exposition {
    struct buf *out;
    struct diag *diag;
    struct status status;
    const char *name;   /* of the family that is open */
    const char *labels; /* names of its labels, with commas between; "" for none */
};

void exposition_init(struct exposition *w, struct buf *out, struct diag *diag);
void exposition_family(struct exposition *w, const char *name, enum exposition_type type,
                       const char *labels, const char *help);
/* One sample of the open family; <values>: one for each label. */
void exposition_uint(struct exposition *w, const char *const values[], uint64_t value);
/* In seconds with microseconds: 12.000345. */
void exposition_seconds(struct exposition *w, const char *const values[], int64_t us);
/* _bucket (cumulative), _sum and _count. */
void exposition_histogram(struct exposition *w, const char *const values[],
                          const struct metric_reading *reading);
MUST_CHECK struct status exposition_finish(struct exposition *w);

#endif
