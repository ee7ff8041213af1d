/*
 * The text format of exposition.h. Label values are escaped here, so that whatever an operator
 * calls a partner the page stays readable for a scraper.
 */
#include "admin/exposition.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void
exposition_init(struct exposition *w, struct buf *out, struct diag *diag)
{
    *w = (struct exposition){.out = out, .diag = diag, .status = OK, .name = "", .labels = ""};
}

#define PUT(w, call)                                                                               \
    do {                                                                                           \
        if (is_ok((w)->status)) {                                                                  \
            (w)->status = (call);                                                                  \
        }                                                                                          \
    } while (0)

void
exposition_family(struct exposition *w, const char *name, enum exposition_type type,
                  const char *labels, const char *help)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};

    w->name = name;
    w->labels = labels;
    PUT(w,
        buf_printf(w->out, w->diag, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]));
}

/* Backslash, quote and line feed have a meaning in the format. */
static void
put_value(struct exposition *w, const char *value)
{
    for (const char *p = value; *p != '\0'; p++) {
        if (*p == '\n') {
            PUT(w, buf_append_cstr(w->out, "\\n", w->diag));
            continue;
        }
        if (*p == '\\' || *p == '"') {
            PUT(w, buf_append_char(w->out, '\\', w->diag));
        }
        PUT(w, buf_append_char(w->out, *p, w->diag));
    }
}

/* {a="1",b="2",le="0.5"}; nothing at all without a label. */
static void
put_labels(struct exposition *w, const char *const values[], const char *bound)
{
    struct span rest = span_of_cstr(w->labels), name;
    const char *before = "{";

    for (size_t i = 0; w->labels[0] != '\0' && span_split(&rest, ',', &name); i++) {
        PUT(w, buf_printf(w->out, w->diag, "%s%.*s=\"", before, SPAN_PRINT(name)));
        put_value(w, values[i]);
        PUT(w, buf_append_char(w->out, '"', w->diag));
        before = ",";
    }
    if (bound != NULL) {
        PUT(w, buf_printf(w->out, w->diag, "%sle=\"%s\"", before, bound));
        before = ",";
    }
    if (strcmp(before, ",") == 0) {
        PUT(w, buf_append_char(w->out, '}', w->diag));
    }
}

static void
put_name(struct exposition *w, const char *suffix, const char *const values[], const char *bound)
{
    PUT(w, buf_printf(w->out, w->diag, "%s%s", w->name, suffix));
    put_labels(w, values, bound);
}

void
exposition_uint(struct exposition *w, const char *const values[], uint64_t value)
{
    put_name(w, "", values, NULL);
    PUT(w, buf_printf(w->out, w->diag, " %" PRIu64 "\n", value));
}

static void
put_seconds(struct exposition *w, int64_t us)
{
    const uint64_t size = us < 0 ? (uint64_t)-us : (uint64_t)us;

    PUT(w, buf_printf(w->out, w->diag, " %s%" PRIu64 ".%06" PRIu64 "\n", us < 0 ? "-" : "",
                      size / US_PER_S, size % US_PER_S));
}

void
exposition_seconds(struct exposition *w, const char *const values[], int64_t us)
{
    put_name(w, "", values, NULL);
    put_seconds(w, us);
}

void
exposition_histogram(struct exposition *w, const char *const values[],
                     const struct metric_reading *reading)
{
    uint64_t so_far = 0;

    for (size_t i = 0; i <= METRICS_BOUNDS; i++) {
        char bound[32] = "+Inf";

        if (i < METRICS_BOUNDS) {
            (void)snprintf(bound, sizeof(bound), "%g",
                           (double)metrics_bounds_us[i] / (double)US_PER_S);
        }
        so_far += reading->buckets[i];
        put_name(w, "_bucket", values, bound);
        PUT(w, buf_printf(w->out, w->diag, " %" PRIu64 "\n", so_far));
    }
    put_name(w, "_sum", values, NULL);
    put_seconds(w, (int64_t)reading->sum_us);
    put_name(w, "_count", values, NULL);
    PUT(w, buf_printf(w->out, w->diag, " %" PRIu64 "\n", so_far));
}

struct status
exposition_finish(struct exposition *w)
{
    return w->status;
}
