/*
 * Readiness: may this node take work? A check that fails makes it not ready; one that only warns is
 * written and changes nothing. Called for /readyz; each check is one row.
 */
#include <stdarg.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include "admin/admin.h"
#include "base/datetime.h"

#define ROOM_MIN    (UINT64_C(16) * 1024 * 1024)  /* bytes: below it the node is not ready */
#define ROOM_LITTLE (UINT64_C(256) * 1024 * 1024) /* below it a warning */

/* ALARM: it takes work, and whoever asks whether it does is told this, too. */
enum verdict { VERDICT_GOOD, VERDICT_WARNING, VERDICT_ALARM, VERDICT_FAILED };

struct finding {
    enum verdict verdict;
    char text[256]; /* what is expected, what is there, what to do */
};

static void note(struct finding *finding, enum verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
note(struct finding *finding, enum verdict verdict, const char *format, ...)
{
    va_list args;

    finding->verdict = verdict;
    va_start(args, format);
    (void)vsnprintf(finding->text, sizeof(finding->text), format, args);
    va_end(args);
}

/* ---- the checks ---- */

static void
note_degraded(const struct journal_condition *now, struct finding *finding)
{
    char since[DATETIME_MAX] = "now";

    if (now->missing.n > 0) {
        datetime_write_xs(now->missing.first_us, since);
    }
    note(finding, VERDICT_ALARM, "audit: degraded since %s (%llu records missing): %s", since,
         (unsigned long long)now->missing.n,
         now->is_failed ? "a write failed; mend the disk, restart"
                        : "the disk was too slow for the load");
}

static void
check_journal(const struct admin_view *view, struct finding *finding)
{
    const struct journal_lag lag = journal_read_lag(view->journal);
    struct journal_condition now;

    journal_look(view->journal, &now);
    if (now.rules.is_degrading && (now.is_failed || now.missing.n > 0)) {
        note_degraded(&now, finding);
    } else if (now.is_failed) {
        note(finding, VERDICT_FAILED,
             "a write failed, so nothing can be recorded and nothing is answered; see the log "
             "(journal-failed), mend the disk, restart");
    } else if (now.is_short) {
        note(finding, now.rules.is_degrading ? VERDICT_ALARM : VERDICT_FAILED,
             "its disk is full: what is left is for questions that were asked already, and "
             "nothing new is taken; give it room");
    } else if (now.is_stalled) {
        note(finding, now.rules.is_degrading ? VERDICT_ALARM : VERDICT_FAILED,
             "its disk has been at one write for %lld ms, and nobody waits longer than %lld ms "
             "(audit.wait)",
             (long long)(now.busy_us / US_PER_MS), (long long)(now.rules.wait_us / US_PER_MS));
    } else if (lag.queue_bytes > lag.queue_max / 2) {
        note(finding, VERDICT_WARNING, "%zu of at most %zu bytes wait for the disk",
             lag.queue_bytes, lag.queue_max);
    } else {
        note(finding, VERDICT_GOOD, "%llu records wait for the disk",
             (unsigned long long)lag.waiting);
    }
}

/* Repositories that are gone keep nobody from working: the journal has it all. */
static void
check_delivery(const struct admin_view *view, struct finding *finding)
{
    struct ship_state states[CONFIG_AUDIT_MAX];
    const size_t n = view->fleet == NULL ? 0 : fleet_read(view->fleet, states);

    for (size_t i = 0; i < n; i++) {
        if (states[i].is_alarmed) {
            note(finding, VERDICT_WARNING, "'%s' is lost, %llu records wait for it: %s",
                 states[i].name, (unsigned long long)states[i].waiting, states[i].why);
            return;
        }
    }
    note(finding, VERDICT_GOOD, "%zu repositories", n);
}

static void
check_room(const char *path, struct finding *finding)
{
    struct statvfs fs;

    if (statvfs(path, &fs) != 0) {
        note(finding, VERDICT_FAILED, "%s cannot be looked at; is its file system mounted?", path);
        return;
    }
    const uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;

    note(finding,
         room < ROOM_MIN      ? VERDICT_FAILED
         : room < ROOM_LITTLE ? VERDICT_WARNING
                              : VERDICT_GOOD,
         "%s: %llu MB free", path, (unsigned long long)(room / (1024 * 1024)));
}

static void
check_disk(const struct admin_view *view, struct finding *finding)
{
    struct journal_condition now;

    check_room(view->config->journal_dir, finding);
    journal_look(view->journal, &now);
    if (now.is_over_limit && finding->verdict != VERDICT_FAILED) {
        note(finding, VERDICT_FAILED,
             "%s: %u%% used, and the limit is %u%% (audit.disk_limit); ready again below %u%%",
             view->config->journal_dir, now.disk_percent, now.rules.disk_limit_percent,
             now.rules.disk_limit_percent - JOURNAL_LIMIT_GAP);
    }
}

static void
check_store(const struct admin_view *view, struct finding *finding)
{
    check_room(view->config->store_path, finding);
}

static void
check_trust(const struct admin_view *view, struct finding *finding)
{
    const int64_t now_us = clock_wall_us(view->clock);

    if (config_awaits_crl(view->config)) {
        note(finding, VERDICT_FAILED,
             "waits for its first revocation list: until it has come no partner is trusted");
        return;
    }
    for (size_t i = 0; i < view->config->trusts_n; i++) {
        const struct config_trust *entry = &view->config->trusts[i];

        if (trust_crl_next_update_us(entry->trust) < now_us) {
            note(finding, VERDICT_FAILED,
                 "trust '%s': a revocation list is too old, so nobody is trusted; put a new one in "
                 "its place",
                 entry->name);
            return;
        }
    }
    note(finding, VERDICT_GOOD, "no revocation list is too old");
}

struct admin_clock
admin_read_clock(void)
{
    struct timex now = {.modes = 0};
    const int state = adjtimex(&now);
    const int64_t offset = (int64_t)now.offset;

    return (struct admin_clock){
        .is_synchronised = state != -1 && state != TIME_ERROR && (now.status & STA_UNSYNC) == 0,
        .offset_us = (now.status & STA_NANO) != 0 ? offset / 1000 : offset,
        .max_error_us = (int64_t)now.maxerror,
    };
}

static void
check_clock(const struct admin_view *view, struct finding *finding)
{
    const struct admin_clock now = admin_read_clock();

    if (now.is_synchronised) {
        note(finding, VERDICT_GOOD, "synchronised, %lld us to correct", (long long)now.offset_us);
        return;
    }
    note(finding, view->config->needs_clock ? VERDICT_FAILED : VERDICT_WARNING,
         "nobody keeps this machine's clock (IHE CT wants NTP): messages of partners may look too "
         "old or too new; start chrony or systemd-timesyncd");
}

static void
check_configuration(const struct admin_view *view, struct finding *finding)
{
    if (view->is_load_refused) {
        note(finding, VERDICT_WARNING,
             "the last reload was refused; generation %llu goes on; see the log "
             "(configuration-mistake)",
             (unsigned long long)view->config->generation);
    } else {
        note(finding, VERDICT_GOOD, "generation %llu",
             (unsigned long long)view->config->generation);
    }
}

/* A partner that cannot be reached is its own trouble: the node answers others. */
static void
check_partners(const struct admin_view *view, struct finding *finding)
{
    size_t open = 0;

    for (size_t i = 0; view->out != NULL && i < view->config->reached_n; i++) {
        struct out_health health;

        open += out_health(view->out, view->config->partners[i].id, &health) &&
                health.breaker == OUT_BREAKER_OPEN;
    }
    note(finding, open == 0 ? VERDICT_GOOD : VERDICT_WARNING,
         "%zu of %zu are not asked for a while, because they failed", open,
         view->config->reached_n);
}

static const struct {
    const char *name;
    void (*run)(const struct admin_view *view, struct finding *finding);
} checks[] = {
    {"configuration", check_configuration},
    {"journal", check_journal},
    {"journal-disk", check_disk},
    {"audit-delivery", check_delivery},
    {"store-disk", check_store},
    {"trust", check_trust},
    {"clock", check_clock},
    {"partners", check_partners},
};

bool
admin_is_ready(const struct admin_view *view, bool is_verbose, struct buf *text)
{
    static const char *const marks[] = {"[+]", "[!]", "[!]", "[-]"};
    struct diag diag = {0};
    bool is_ready = true;

    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        struct finding finding;

        checks[i].run(view, &finding);
        is_ready &= finding.verdict != VERDICT_FAILED;
        if (is_verbose || finding.verdict >= VERDICT_ALARM) {
            is_ready &= is_ok(buf_printf(text, &diag, "%s %s: %s\n", marks[finding.verdict],
                                         checks[i].name, finding.text));
        }
    }
    return is_ready;
}
