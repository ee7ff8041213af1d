/*
 * What happens, counted where it happens: counters and histograms that any layer adds to in one
 * call, without a lock. What can be asked for when somebody looks (connections, queues, health) is
 * not here: admin/ asks for it then.
 *
 * A family is a row of METRICS; a series is a family with values of its labels. Label values come
 * from our own tables and from the configuration (ids of partners and local systems), never from a
 * message: so series are few, and no patient is in them. Past METRICS_SERIES_MAX series of a family
 * all further ones count as one whose label values are "other".
 *
 * The registry belongs to the process, as the log does. Thread: any.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METRICS_SERIES_MAX 4096
#define METRICS_LABELS_MAX 4
#define METRICS_VALUE_MAX  64 /* bytes of a label's value, NUL included; longer ones are cut */

/* X(name, exposed name, is it a histogram of seconds, labels, what it says) */
/* clang-format off */
#define METRICS(X) \
    X(TRANSACTION, "isthmus_transaction_seconds", true, "transaction,partner,direction,outcome", \
      "From the whole request to the answer (responding, local), or from the question to its partner until the answer is read (initiating).") \
    X(VERIFICATION_FAILURE, "isthmus_verification_failures_total", false, "partner,reason", \
      "Messages that did not prove what they claim, by the name of the check.") \
    X(LATER, "isthmus_answers_later_total", false, "partner,outcome", \
      "Answers that are messages of their own: accepted (to be given later), delivered, retried, given-up; or received.") \
    X(REFUSED, "isthmus_connections_refused_total", false, "reason", \
      "Connections and requests that were refused before there was a transaction.") \
    X(CHECKPOINT, "isthmus_audit_checkpoints_total", false, "outcome", \
      "Checkpoints of the audit's chains: signed or failed.") \
    X(RELOAD, "isthmus_config_reloads_total", false, "outcome", \
      "Configurations that were loaded while the node runs: done or refused.")
/* clang-format on */

#define METRICS_ENUM(name, exposed, histogram, labels, help) METRIC_##name,
enum metric { METRICS(METRICS_ENUM) METRIC_COUNT };
#undef METRICS_ENUM

struct metric_family {
    const char *name;
    bool is_histogram;
    const char *labels; /* names with commas between */
    const char *help;
};
const struct metric_family *metric_family(enum metric metric);

/* Upper bounds of the buckets, in microseconds; the last one has none and is not listed. */
#define METRICS_BOUNDS 16
extern const int64_t metrics_bounds_us[METRICS_BOUNDS];

/* <values>: one for each label of the family, in its order; NULL and "" are written as "none". */
void metric_count(enum metric metric, const char *const values[]);
/* Of a histogram; a negative time counts as 0. */
void metric_observe(enum metric metric, const char *const values[], int64_t us);

/* What one series has come to. Buckets are not cumulative here; they add up to <count>. */
struct metric_reading {
    char values[METRICS_LABELS_MAX][METRICS_VALUE_MAX];
    uint64_t count;
    uint64_t sum_us;
    uint64_t buckets[METRICS_BOUNDS + 1];
};
typedef void metric_visit(void *arg, const struct metric_reading *reading);
void metrics_walk(enum metric metric, metric_visit *visit, void *arg);

/* Everything back to nothing, memory included: for tests and the end of a process. No other thread
 * may count. */
void metrics_done(void);

#endif
