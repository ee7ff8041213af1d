/*
 * What /metrics shows: a row for each family that is asked for when somebody looks, then those that
 * base/metrics.h has counted. Called by admin.c; each row's function writes the samples of its
 * family.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/exposition.h"
#include "config.h"
#include "config/config_expiry.h"
#include "store/jobs.h"
#include "store/pending.h"

struct family {
    const char *name;
    enum exposition_type type;
    const char *labels;
    const char *help;
    void (*write)(const struct admin_view *view, struct exposition *w);
};

/* ---- the node ---- */

static void
write_build(const struct admin_view *view, struct exposition *w)
{
    const char *const values[] = {PACKAGE_VERSION, view->config->community};

    exposition_uint(w, values, 1);
}

static void
write_start(const struct admin_view *view, struct exposition *w)
{
    exposition_seconds(w, NULL, view->started_us);
}

/* The first numbers of a line of /proc/self; 0 when it cannot be read. */
static uint64_t
proc_number(const char *path, const char *key)
{
    FILE *file = fopen(path, "re");
    unsigned long long value = 0;
    char line[256];

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            (void)sscanf(line + strlen(key), " %llu", &value);
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return value;
}

static void
write_rss(const struct admin_view *view, struct exposition *w)
{
    (void)view;
    exposition_uint(w, NULL, proc_number("/proc/self/status", "VmRSS:") * 1024);
}

static void
write_threads(const struct admin_view *view, struct exposition *w)
{
    (void)view;
    exposition_uint(w, NULL, proc_number("/proc/self/status", "Threads:"));
}

static void
write_descriptors(const struct admin_view *view, struct exposition *w)
{
    DIR *folder = opendir("/proc/self/fd");
    uint64_t n = 0;

    (void)view;
    while (folder != NULL && readdir(folder) != NULL) {
        n++;
    }
    if (folder != NULL) {
        (void)closedir(folder);
        n -= n > 3 ? 3 : n; /* ".", ".." and the folder's own */
    }
    exposition_uint(w, NULL, n);
}

static void
write_descriptors_max(const struct admin_view *view, struct exposition *w)
{
    const long most = sysconf(_SC_OPEN_MAX);

    (void)view;
    exposition_uint(w, NULL, most < 0 ? 0 : (uint64_t)most);
}

static void
write_cpu(const struct admin_view *view, struct exposition *w)
{
    struct timespec used = {0};

    (void)view;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    exposition_seconds(w, NULL, (int64_t)used.tv_sec * US_PER_S + used.tv_nsec / 1000);
}

/* ---- the clock, the configuration, certificates ---- */

static void
write_clock_sync(const struct admin_view *view, struct exposition *w)
{
    (void)view;
    exposition_uint(w, NULL, admin_read_clock().is_synchronised);
}

static void
write_clock_offset(const struct admin_view *view, struct exposition *w)
{
    (void)view;
    exposition_seconds(w, NULL, admin_read_clock().offset_us);
}

static void
write_generation(const struct admin_view *view, struct exposition *w)
{
    exposition_uint(w, NULL, view->config->generation);
}

static void
write_reload_good(const struct admin_view *view, struct exposition *w)
{
    exposition_uint(w, NULL, !view->is_load_refused);
}

static void
write_reload_time(const struct admin_view *view, struct exposition *w)
{
    exposition_seconds(w, NULL, view->loaded_us);
}

/* ---- answers that leave or come later ---- */

/* 0: there is none. */
static uint64_t
age_s(const struct admin_view *view, int64_t since_us)
{
    const int64_t age_us = clock_wall_us(view->clock) - since_us;

    return since_us == 0 || age_us < 0 ? 0 : (uint64_t)(age_us / US_PER_S);
}

enum later { LATER_OWED, LATER_OLDEST, LATER_AWAITED };

static uint64_t
read_later(const struct admin_view *view, const char *partner, enum later what)
{
    struct job_counts owed = {0};
    struct diag ignored = {0};
    uint64_t awaited = 0;

    if (what == LATER_AWAITED) {
        return is_ok(pending_count(view->store, span_of_cstr(partner), &ignored, &awaited))
                   ? awaited
                   : 0;
    }
    if (!is_ok(jobs_count(view->store, span_of_cstr(partner), &ignored, &owed))) {
        return 0;
    }
    if (what == LATER_OWED) {
        return owed.waiting;
    }
    return age_s(view, owed.oldest_us);
}

static bool
has_later(const struct partner *partner)
{
    return partner->is_asynchronous || partner->is_deferred || partner->replies.asynchronous.n > 0;
}

/* Of partners with whom it was agreed: the others' are always 0. */
static void
write_later(const struct admin_view *view, struct exposition *w, enum later what)
{
    for (size_t i = 0; view->store != NULL && i < view->config->partners_n; i++) {
        const struct partner *partner = &view->config->partners[i];

        if (has_later(partner)) {
            exposition_uint(w, (const char *const[]){partner->id},
                            read_later(view, partner->id, what));
        }
    }
}

static void
write_owed(const struct admin_view *view, struct exposition *w)
{
    write_later(view, w, LATER_OWED);
}

static void
write_oldest(const struct admin_view *view, struct exposition *w)
{
    write_later(view, w, LATER_OLDEST);
}

static void
write_awaited(const struct admin_view *view, struct exposition *w)
{
    write_later(view, w, LATER_AWAITED);
}

struct ends {
    struct exposition *w;
    int64_t now_us;
};

static void
write_end(void *arg, const struct config_expiry *found)
{
    const struct ends *ends = arg;
    const char *const values[] = {found->what, found->name, found->subject};

    if (found->until_us != INT64_MAX) {
        exposition_seconds(ends->w, values, found->until_us - ends->now_us);
    }
}

static void
write_expiry(const struct admin_view *view, struct exposition *w)
{
    struct ends ends = {w, clock_wall_us(view->clock)};

    config_expiry_walk_all(view->config, ends.now_us, write_end, &ends);
}

/* ---- the network side ---- */

static struct net_counts
counts_of(const struct admin_view *view)
{
    struct net_counts counts = {0};

    if (view->server != NULL) {
        net_count(view->server, &counts);
    }
    return counts;
}

static void
write_connections(const struct admin_view *view, struct exposition *w)
{
    exposition_uint(w, NULL, counts_of(view).connections);
}

static void
write_requests(const struct admin_view *view, struct exposition *w)
{
    exposition_uint(w, NULL, counts_of(view).requests);
}

static void
write_requests_total(const struct admin_view *view, struct exposition *w)
{
    exposition_uint(w, NULL, counts_of(view).requests_total);
}

static void
write_held(const struct admin_view *view, struct exposition *w)
{
    exposition_uint(w, NULL, counts_of(view).held_bytes);
}

static void
write_shed(const struct admin_view *view, struct exposition *w)
{
    static const char *const reasons[NET_SHED_REASONS] = {
        [NET_SHED_REQUESTS] = "requests", [NET_SHED_MEMORY] = "memory", [NET_SHED_QUEUE] = "queue"};
    const struct net_counts counts = counts_of(view);

    for (size_t i = 0; i < NET_SHED_REASONS; i++) {
        exposition_uint(w, (const char *const[]){reasons[i]}, counts.shed[i]);
    }
}

/* ---- transactions, the journal, the spool ---- */

static void
write_active(const struct admin_view *view, struct exposition *w)
{
    exposition_uint(w, NULL, runner_active(view->runner));
}

static void
write_lag_records(const struct admin_view *view, struct exposition *w)
{
    exposition_uint(w, NULL, journal_read_lag(view->journal).waiting);
}

static void
write_lag_bytes(const struct admin_view *view, struct exposition *w)
{
    exposition_uint(w, NULL, journal_read_lag(view->journal).queue_bytes);
}

static void
write_records(const struct admin_view *view, struct exposition *w)
{
    exposition_uint(w, NULL, journal_read_lag(view->journal).records);
}

static void
write_journal_health(const struct admin_view *view, struct exposition *w)
{
    exposition_uint(w, NULL, journal_is_healthy(view->journal));
}

/* One sample for each audit repository. */
#define DELIVERY(function, value)                                                                  \
    static void function(const struct admin_view *view, struct exposition *w)                      \
    {                                                                                              \
        struct ship_state states[CONFIG_AUDIT_MAX];                                                \
        const size_t n = view->fleet == NULL ? 0 : fleet_read(view->fleet, states);                \
                                                                                                   \
        for (size_t i = 0; i < n; i++) {                                                           \
            const struct ship_state *state = &states[i];                                           \
            exposition_uint(w, (const char *const[]){state->name}, (value));                       \
        }                                                                                          \
    }

DELIVERY(write_undelivered, state->waiting)
DELIVERY(write_undelivered_age, age_s(view, state->oldest_us))
DELIVERY(write_unproven, state->unproven)
DELIVERY(write_delivery_lost, state->is_alarmed)
DELIVERY(write_delivered, state->delivered)
DELIVERY(write_resent, state->resent)
DELIVERY(write_not_sent, state->refused)
DELIVERY(write_delivery_failures, state->failures)

static void
write_unrecorded(const struct admin_view *view, struct exposition *w)
{
    struct journal_condition now;

    journal_look(view->journal, &now);
    exposition_uint(w, NULL, now.missing.n);
}

static void
write_journal_disk(const struct admin_view *view, struct exposition *w)
{
    struct journal_condition now;

    journal_look(view->journal, &now);
    exposition_uint(w, NULL, now.disk_percent);
}

static void
write_spool(const struct admin_view *view, struct exposition *w)
{
    exposition_uint(w, NULL, view->spool == NULL ? 0 : spool_used(view->spool));
}

/* ---- partners ---- */

/* One sample for each partner whose health is known. */
#define HEALTH(function, write_sample)                                                             \
    static void function(const struct admin_view *view, struct exposition *w)                      \
    {                                                                                              \
        for (size_t i = 0; view->out != NULL && i < view->config->reached_n; i++) {                \
            const char *const values[] = {view->config->partners[i].id};                           \
            struct out_health health;                                                              \
                                                                                                   \
            if (out_health(view->out, values[0], &health)) {                                       \
                write_sample;                                                                      \
            }                                                                                      \
        }                                                                                          \
    }

HEALTH(write_breaker, exposition_uint(w, values, (uint64_t)health.breaker))
HEALTH(write_in_flight, exposition_uint(w, values, health.in_flight))
HEALTH(write_waiting, exposition_uint(w, values, health.waiting))
HEALTH(write_asked, exposition_uint(w, values, health.asked))
HEALTH(write_answered, exposition_uint(w, values, health.answered))
HEALTH(write_failed, exposition_uint(w, values, health.failed))
HEALTH(write_cancelled, exposition_uint(w, values, health.cancelled))
HEALTH(write_turned_away, exposition_uint(w, values, health.refused))
HEALTH(write_latency, exposition_seconds(w, values, health.latency_us))

/* clang-format off */
static const struct family families[] = {
    {"isthmus_build_info", EXPOSITION_GAUGE, "version,community", "Which program this is, and for whom it runs; always 1.", write_build},
    {"process_start_time_seconds", EXPOSITION_GAUGE, "", "When the node started, since 1970-01-01 UTC.", write_start},
    {"process_cpu_seconds_total", EXPOSITION_COUNTER, "", "CPU time of the whole process.", write_cpu},
    {"process_resident_memory_bytes", EXPOSITION_GAUGE, "", "Resident memory.", write_rss},
    {"process_threads", EXPOSITION_GAUGE, "", "Threads; does not grow with load.", write_threads},
    {"process_open_fds", EXPOSITION_GAUGE, "", "Open descriptors.", write_descriptors},
    {"process_max_fds", EXPOSITION_GAUGE, "", "Descriptors that the process may open.", write_descriptors_max},
    {"isthmus_clock_synchronised", EXPOSITION_GAUGE, "", "1 when somebody keeps the machine's clock right (IHE CT).", write_clock_sync},
    {"isthmus_clock_offset_seconds", EXPOSITION_GAUGE, "", "What the kernel still has to correct.", write_clock_offset},
    {"isthmus_config_generation", EXPOSITION_GAUGE, "", "Which configuration is in force: 1, 2, ... since the start.", write_generation},
    {"isthmus_config_last_reload_successful", EXPOSITION_GAUGE, "", "0 when the last reload was refused.", write_reload_good},
    {"isthmus_config_last_reload_time_seconds", EXPOSITION_GAUGE, "", "When the configuration was last loaded, or refused, since 1970-01-01 UTC.", write_reload_time},
    {"isthmus_expiry_seconds", EXPOSITION_GAUGE, "what,name,subject", "Until a certificate or a revocation list of the configuration ends; negative when it is over.", write_expiry},
    {"isthmus_connections", EXPOSITION_GAUGE, "", "Open inbound connections.", write_connections},
    {"isthmus_requests_in_hand", EXPOSITION_GAUGE, "", "Inbound requests from a whole head until the answer is given.", write_requests},
    {"isthmus_requests_total", EXPOSITION_COUNTER, "", "Inbound requests since the start.", write_requests_total},
    {"isthmus_held_bytes", EXPOSITION_GAUGE, "", "Bytes of requests and answers in memory.", write_held},
    {"isthmus_shed_total", EXPOSITION_COUNTER, "reason", "Requests that were refused with 503 because the node had too much in hand.", write_shed},
    {"isthmus_transactions_in_flight", EXPOSITION_GAUGE, "", "Transactions that have started and not ended, parked ones included.", write_active},
    {"isthmus_audit_records_total", EXPOSITION_COUNTER, "", "Records of the node's audit chain.", write_records},
    {"isthmus_audit_waiting_records", EXPOSITION_GAUGE, "", "Audit records that are not durable yet.", write_lag_records},
    {"isthmus_audit_waiting_bytes", EXPOSITION_GAUGE, "", "Bytes of audit records that wait for the disk.", write_lag_bytes},
    {"isthmus_audit_healthy", EXPOSITION_GAUGE, "", "0 when the journal has failed: the node refuses all work, or goes on without records (audit.on_unavailable).", write_journal_health},
    {"isthmus_audit_unrecorded_total", EXPOSITION_COUNTER, "", "Audit records that the node went on without (audit.on_unavailable: degrade).", write_unrecorded},
    {"isthmus_audit_disk_used_percent", EXPOSITION_GAUGE, "", "How full the journal's disk is; 0 when it cannot be asked.", write_journal_disk},
    {"isthmus_audit_spool_records", EXPOSITION_GAUGE, "repository", "Audit records that the repository has not been sent yet.", write_undelivered},
    {"isthmus_audit_oldest_undelivered_seconds", EXPOSITION_GAUGE, "repository", "Age of the first of them; 0: none waits.", write_undelivered_age},
    {"isthmus_audit_unproven_records", EXPOSITION_GAUGE, "repository", "Audit records that were sent, and are sent again if the connection breaks (syslog over TLS).", write_unproven},
    {"isthmus_audit_repository_lost", EXPOSITION_GAUGE, "repository", "1 when nothing got through for longer than its alarm time.", write_delivery_lost},
    {"isthmus_audit_delivered_total", EXPOSITION_COUNTER, "repository", "Audit records sent for the first time since the start.", write_delivered},
    {"isthmus_audit_resent_total", EXPOSITION_COUNTER, "repository", "Audit records sent again.", write_resent},
    {"isthmus_audit_refused_total", EXPOSITION_COUNTER, "repository", "Audit records that cannot be sent in its form: too large for UDP, or refused for good.", write_not_sent},
    {"isthmus_audit_delivery_failures_total", EXPOSITION_COUNTER, "repository", "Connections and sends that failed.", write_delivery_failures},
    {"isthmus_spool_bytes", EXPOSITION_GAUGE, "", "Room that large messages take in the spool.", write_spool},
    {"isthmus_partner_breaker", EXPOSITION_GAUGE, "partner", "0: the partner is asked; 1: it failed and is not asked for a while; 2: one question is on its way to see.", write_breaker},
    {"isthmus_partner_in_flight", EXPOSITION_GAUGE, "partner", "Questions on their way to the partner.", write_in_flight},
    {"isthmus_partner_waiting", EXPOSITION_GAUGE, "partner", "Questions that wait for their turn.", write_waiting},
    {"isthmus_partner_asked_total", EXPOSITION_COUNTER, "partner", "Questions that have had their turn.", write_asked},
    {"isthmus_partner_answered_total", EXPOSITION_COUNTER, "partner", "Of them: answered, whatever the answer says.", write_answered},
    {"isthmus_partner_failed_total", EXPOSITION_COUNTER, "partner", "Of them: failed for name, connection, handshake or time.", write_failed},
    {"isthmus_partner_cancelled_total", EXPOSITION_COUNTER, "partner", "Of them: given up by us.", write_cancelled},
    {"isthmus_partner_turned_away_total", EXPOSITION_COUNTER, "partner", "Questions without a turn: queue full, or breaker open.", write_turned_away},
    {"isthmus_partner_latency_seconds", EXPOSITION_GAUGE, "partner", "Smoothed time of an answer.", write_latency},
    {"isthmus_answers_owed", EXPOSITION_GAUGE, "partner", "Answers to the partner that leave later and have not been taken yet.", write_owed},
    {"isthmus_answers_owed_oldest_seconds", EXPOSITION_GAUGE, "partner", "How long the oldest of them has waited; 0: none waits.", write_oldest},
    {"isthmus_answers_awaited", EXPOSITION_GAUGE, "partner", "Questions to the partner whose answers come later and have not come yet.", write_awaited},
};
/* clang-format on */

const char *
admin_family_name(size_t at)
{
    if (at < ARRAY_LEN(families)) {
        return families[at].name;
    }
    at -= ARRAY_LEN(families);
    return at < METRIC_COUNT ? metric_family((enum metric)at)->name : NULL;
}

/* ---- what was counted ---- */

struct counted {
    struct exposition *w;
    bool is_histogram;
};

static void
write_reading(void *arg, const struct metric_reading *reading)
{
    const struct counted *counted = arg;
    const char *values[METRICS_LABELS_MAX];

    for (size_t i = 0; i < METRICS_LABELS_MAX; i++) {
        values[i] = reading->values[i];
    }
    if (counted->is_histogram) {
        exposition_histogram(counted->w, values, reading);
    } else {
        exposition_uint(counted->w, values, reading->count);
    }
}

struct status
admin_write_metrics(const struct admin_view *view, struct buf *out, struct diag *diag)
{
    struct exposition w;

    exposition_init(&w, out, diag);
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        const struct family *family = &families[i];

        exposition_family(&w, family->name, family->type, family->labels, family->help);
        family->write(view, &w);
    }
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct metric_family *family = metric_family((enum metric)i);
        struct counted counted = {&w, family->is_histogram};

        exposition_family(&w, family->name,
                          family->is_histogram ? EXPOSITION_HISTOGRAM : EXPOSITION_COUNTER,
                          family->labels, family->help);
        metrics_walk((enum metric)i, write_reading, &counted);
    }
    return exposition_finish(&w);
}
