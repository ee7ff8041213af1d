/*
 * The sealer's thread: when a checkpoint is due, which chains want one, when retention looks. It
 * shares with the journal what any caller of it shares, and with its owner the callbacks.
 */
#include "audit/sealer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/journal_state.h"
#include "audit/seal.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/thread.h"

#define LOOK_US (1 * US_PER_S)

/* Another chain of the folder: its last segment as it was after our last visit. */
struct visited {
    char chain[JOURNAL_CHAIN_MAX + 1];
    int64_t changed_ns;
    off_t size;
};

struct sealer {
    /* fixed */
    const struct journal_place *place;
    struct journal *journal;
    const struct clock *clock;
    struct sealer_owner owner;
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t woken;
    bool is_stopping;
    struct sealer_state state;

    /* the thread's own */
    struct sealer_settings settings;
    struct seal *seal; /* of the own chain; NULL: to be opened */
    bool was_signed;   /* since it was opened */
    int64_t signed_us; /* mono, of the last checkpoint */
    int64_t pause_us;  /* mono: nothing is tried before; 0: no failure */
    int64_t others_us; /* mono: when the other chains are looked at */
    int64_t retain_us; /* mono: when old segments are looked for */
    struct visited *visited;
    size_t visited_n, visited_capacity;
};

/* ---- telling ---- */

static void
count(const char *outcome)
{
    metric_count(METRIC_CHECKPOINT, (const char *const[]){outcome});
}

static void
set_failure(struct sealer *sealer, const char *why)
{
    (void)pthread_mutex_lock(&sealer->mutex);
    (void)snprintf(sealer->state.why, sizeof(sealer->state.why), "%s", why);
    sealer->state.failures += why[0] == '\0' ? 0 : 1;
    (void)pthread_mutex_unlock(&sealer->mutex);
}

static void
failed(struct sealer *sealer, const char *event, const char *chain, const struct diag *diag)
{
    LOG_EVENT(LOG_LEVEL_ERROR, event, LOG_ID("chain", chain), LOG_DIAG(diag),
              LOG_INT("again_s", SEALER_PAUSE_US / US_PER_S));
    count("failed");
    set_failure(sealer, diag->text);
    sealer->pause_us = clock_mono_us(sealer->clock) + SEALER_PAUSE_US;
}

static void
show_uncovered(struct sealer *sealer)
{
    (void)pthread_mutex_lock(&sealer->mutex);
    sealer->state.is_on = sealer->settings.is_on;
    sealer->state.uncovered = sealer->seal == NULL ? 0 : seal_uncovered(sealer->seal);
    (void)pthread_mutex_unlock(&sealer->mutex);
}

void
sealer_read_state(struct sealer *sealer, struct sealer_state *ret_state)
{
    (void)pthread_mutex_lock(&sealer->mutex);
    *ret_state = sealer->state;
    (void)pthread_mutex_unlock(&sealer->mutex);
}

/* The event goes to the repositories: so what is signed is held outside of the journal, too. */
static void
append_event(struct sealer *sealer, struct audit_event *event, const char *chain, uint64_t sequence)
{
    char subject[JOURNAL_CHAIN_MAX + 24];
    struct diag diag = {0};
    (void)snprintf(subject, sizeof(subject), "%s/%" PRIu64, chain, sequence);
    event->side = AUDIT_RESPONDING;
    event->phase = AUDIT_OUTCOME;
    event->source_id = span_of_cstr(sealer->settings.source_id);
    event->community = span_of_cstr(sealer->settings.community);
    event->subject = span_of_cstr(subject);
    if (!is_ok(journal_append_wait(sealer->journal, event, &diag))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-failed", LOG_DIAG(&diag));
    }
}

static void
tell_checkpoint(struct sealer *sealer, const struct seal_told *told)
{
    char hash[SHA256_HEX];
    hex_encode(told->checkpoint->hash, SHA256_BYTES, hash);
    struct audit_detail details[] = {
        {SPAN("hash"), span_of_cstr(hash)},
        {SPAN("checkpoint"), told->payload},
    };
    struct audit_event event = {.type = AUDIT_CHECKPOINT,
                                .details = {details, ARRAY_LEN(details), ARRAY_LEN(details)}};
    append_event(sealer, &event, told->checkpoint->chain, told->checkpoint->sequence);
}

static void
tell_removal(struct sealer *sealer, const char *chain, const struct retention_done *done)
{
    char first[24];
    char last[24];
    char statement[24];
    (void)snprintf(first, sizeof(first), "%" PRIu64, done->first);
    (void)snprintf(last, sizeof(last), "%" PRIu64, done->last);
    (void)snprintf(statement, sizeof(statement), "%" PRIu64, done->statement);
    struct audit_detail details[] = {
        {SPAN("first"), span_of_cstr(first)},
        {SPAN("last"), span_of_cstr(last)},
        {SPAN("statement"), span_of_cstr(statement)},
    };
    struct audit_event event = {.type = AUDIT_RETENTION,
                                .details = {details, ARRAY_LEN(details), ARRAY_LEN(details)}};
    append_event(sealer, &event, chain, done->last);
}

/* A checkpoint of any chain is durable. */
static void
told(void *arg, const struct seal_told *told)
{
    struct sealer *sealer = arg;
    count("signed");
    (void)pthread_mutex_lock(&sealer->mutex);
    sealer->state.checkpoints++;
    sealer->state.last_us = told->checkpoint->time_us;
    sealer->state.why[0] = '\0';
    (void)pthread_mutex_unlock(&sealer->mutex);
    tell_checkpoint(sealer, told);
}

/* ---- one chain ---- */

static struct status
open_seal(struct sealer *sealer, struct journal *journal, struct diag *diag, struct seal **ret_seal)
{
    const struct seal_options options = {
        .clock = sealer->clock, .signer = sealer->owner.signer, .tell = told, .arg = sealer};
    return seal_open(sealer->place, journal, &options, diag, ret_seal);
}

static struct status
retain(struct sealer *sealer, struct journal *journal, struct diag *diag)
{
    struct retention_done done;
    const struct retention retention = {
        .place = sealer->place,
        .journal = journal,
        .rules = &sealer->settings.retention,
        .signer = &sealer->owner.signer,
        .now_us = clock_wall_us(sealer->clock),
        .is_delivered = sealer->owner.is_delivered,
        .arg = sealer->owner.arg,
    };
    const struct status st = retention_run(&retention, diag, &done);
    if (done.segments > 0) {
        const bool is_archived = sealer->settings.retention.archive[0] != '\0';
        LOG_EVENT(LOG_LEVEL_INFO, is_archived ? "audit-archived" : "audit-removed",
                  LOG_ID("chain", journal_chain(journal)),
                  LOG_INT("segments", (int64_t)done.segments),
                  LOG_INT("first", (int64_t)done.first), LOG_INT("last", (int64_t)done.last));
        (void)pthread_mutex_lock(&sealer->mutex);
        *(is_archived ? &sealer->state.archived : &sealer->state.removed) += done.segments;
        (void)pthread_mutex_unlock(&sealer->mutex);
        tell_removal(sealer, journal_chain(journal), &done);
    }
    return st;
}

/* ---- the own chain ---- */

static bool
is_due(const struct sealer *sealer, int64_t now_us)
{
    const uint64_t n = seal_uncovered(sealer->seal);
    return n > 0 && (!sealer->was_signed || n >= sealer->settings.records ||
                     now_us - sealer->signed_us >= sealer->settings.every_us);
}

static struct status
look_at_own(struct sealer *sealer, bool is_last, struct diag *diag)
{
    const int64_t now_us = clock_mono_us(sealer->clock);
    if (sealer->seal == NULL) {
        TRY(open_seal(sealer, sealer->journal, diag, &sealer->seal));
    }
    TRY(seal_follow(sealer->seal, diag));
    if (is_last || is_due(sealer, now_us)) {
        TRY(seal_sign(sealer->seal, diag));
        sealer->signed_us = now_us;
        sealer->was_signed = true;
    }
    return OK;
}

static void
seal_own(struct sealer *sealer, bool is_last)
{
    struct diag diag = {0};
    if (is_ok(look_at_own(sealer, is_last, &diag))) {
        return;
    }
    failed(sealer, "checkpoint-failed", journal_chain(sealer->journal), &diag);
    if (sealer->seal != NULL && seal_is_lost(sealer->seal)) {
        seal_close(sealer->seal);
        sealer->seal = NULL;
    }
}

/* ---- the chains of commands ---- */

/* As it is now; false: it has no segment. */
static bool
look_at(const struct sealer *sealer, const char *chain, struct visited *ret_now)
{
    char folder[PATH_MAX];
    char path[PATH_MAX];
    char name[SEGMENT_NAME_BYTES];
    struct diag ignored = {0};
    struct segment_list list;
    struct stat info;
    if (!is_ok(journal_path(folder, sealer->place->dir, chain, &ignored)) ||
        !is_ok(segment_list_read(folder, &ignored, &list))) {
        return false;
    }
    (void)snprintf(name, sizeof(name), "%020" PRIu64 ".seg",
                   list.n == 0 ? 0 : list.items[list.n - 1]);
    const bool is_there =
        list.n > 0 && is_ok(journal_path(path, folder, name, &ignored)) && stat(path, &info) == 0;
    segment_list_done(&list);
    if (is_there) {
        (void)snprintf(ret_now->chain, sizeof(ret_now->chain), "%s", chain);
        ret_now->changed_ns =
            (int64_t)info.st_mtim.tv_sec * 1000000000 + (int64_t)info.st_mtim.tv_nsec;
        ret_now->size = info.st_size;
    }
    return is_there;
}

static struct visited *
find_visited(const struct sealer *sealer, const char *chain)
{
    for (size_t i = 0; i < sealer->visited_n; i++) {
        if (strcmp(sealer->visited[i].chain, chain) == 0) {
            return &sealer->visited[i];
        }
    }
    return NULL;
}

static struct status
remember(struct sealer *sealer, const struct visited *now, struct diag *diag)
{
    struct visited *before = find_visited(sealer, now->chain);
    if (before != NULL) {
        *before = *now;
        return OK;
    }
    if (sealer->visited_n == sealer->visited_capacity) {
        const size_t wanted = sealer->visited_capacity == 0 ? 16 : sealer->visited_capacity * 2;
        struct visited *visited = mem_resize(sealer->visited, wanted * sizeof(*visited));
        if (visited == NULL) {
            return FAIL(diag, ERR_NO_MEMORY, "no memory for %zu chains", wanted);
        }
        sealer->visited = visited;
        sealer->visited_capacity = wanted;
    }
    sealer->visited[sealer->visited_n++] = *now;
    return OK;
}

/* What a killed command left open ends first, so that the checkpoint covers it. */
static struct status
seal_idle(struct sealer *sealer, struct journal *journal, bool may_retain, struct diag *diag)
{
    struct seal *seal = NULL;
    size_t ended = 0;
    TRY(journal_end_intents(journal, sealer->place, SEALER_INTENTS_US, diag, &ended));
    TRY(open_seal(sealer, journal, diag, &seal));
    struct status st = seal_follow(seal, diag);
    if (is_ok(st)) {
        st = seal_sign(seal, diag);
    }
    seal_close(seal);
    TRY(st);
    return may_retain ? retain(sealer, journal, diag) : OK;
}

static struct status
visit(struct sealer *sealer, const char *chain, bool may_retain, struct diag *diag)
{
    struct journal *journal = NULL;
    struct visited now;
    bool is_held = false;
    const struct status opened =
        journal_open_idle(sealer->place, chain, sealer->clock, diag, &is_held, &journal);
    if (is_held) {
        diag_clear(diag);
        return OK; /* its command is at work: next time */
    }
    TRY(opened);
    const struct status st = seal_idle(sealer, journal, may_retain, diag);
    journal_close(journal);
    /* Not tried again while nothing changes, also when it failed: it was said. */
    if (look_at(sealer, chain, &now)) {
        TRY(remember(sealer, &now, diag));
    }
    return st;
}

struct round {
    struct sealer *sealer;
    bool may_retain;
};

static struct status
look_at_other(void *arg, const char *chain)
{
    const struct round *round = arg;
    struct sealer *sealer = round->sealer;
    struct visited now;
    struct diag diag = {0};
    if (strcmp(chain, journal_chain(sealer->journal)) == 0 || !look_at(sealer, chain, &now)) {
        return OK;
    }
    const struct visited *before = find_visited(sealer, chain);
    if (!round->may_retain && before != NULL && before->changed_ns == now.changed_ns &&
        before->size == now.size) {
        return OK;
    }
    if (!is_ok(visit(sealer, chain, round->may_retain, &diag))) {
        failed(sealer, "checkpoint-failed", chain, &diag);
    }
    return OK; /* the others have theirs */
}

static void
look_at_others(struct sealer *sealer, bool may_retain)
{
    struct diag diag = {0};
    struct round round = {sealer, may_retain};
    if (!is_ok(journal_chains(sealer->place, look_at_other, &round, &diag))) {
        failed(sealer, "checkpoint-failed", "", &diag);
    }
}

/* ---- the thread ---- */

static void
look_at_old(struct sealer *sealer)
{
    struct diag diag = {0};
    if (!is_ok(retain(sealer, sealer->journal, &diag))) {
        failed(sealer, "retention-failed", journal_chain(sealer->journal), &diag);
    }
}

void
sealer_look(struct sealer *sealer)
{
    const int64_t now_us = clock_mono_us(sealer->clock);
    sealer->owner.read(sealer->owner.arg, &sealer->settings);
    if (!sealer->settings.is_on) { /* what stands in the chain is read when it is switched on */
        seal_close(sealer->seal);
        sealer->seal = NULL;
    } else if (now_us >= sealer->pause_us) {
        const bool may_retain = now_us >= sealer->retain_us;
        sealer->pause_us = 0;
        seal_own(sealer, false);
        if (may_retain || now_us >= sealer->others_us) {
            sealer->others_us = now_us + sealer->settings.every_us;
            look_at_others(sealer, may_retain);
        }
        if (may_retain) {
            sealer->retain_us = now_us + SEALER_RETAIN_US;
            look_at_old(sealer);
        }
        if (sealer->pause_us == 0) {
            set_failure(sealer, "");
        }
    }
    show_uncovered(sealer);
}

/* Until the next look; false: the end. */
static bool
wait(struct sealer *sealer)
{
    const int64_t until_us = clock_mono_us(clock_system()) + LOOK_US;
    (void)pthread_mutex_lock(&sealer->mutex);
    bool is_early = true;
    while (!sealer->is_stopping && is_early) {
        is_early = thread_wait_until(&sealer->woken, &sealer->mutex, until_us);
    }
    const bool goes_on = !sealer->is_stopping;
    (void)pthread_mutex_unlock(&sealer->mutex);
    return goes_on;
}

static void *
run(void *arg)
{
    struct sealer *sealer = arg;
    do {
        sealer_look(sealer);
    } while (wait(sealer));
    return NULL;
}

struct status
sealer_new(const struct journal_place *place, struct journal *journal, const struct clock *clock,
           const struct sealer_owner *owner, struct diag *diag, struct sealer **ret_sealer)
{
    struct sealer *sealer = mem_alloc(sizeof(*sealer));
    if (sealer == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the audit's sealer");
    }
    sealer->place = place;
    sealer->journal = journal;
    sealer->clock = clock;
    sealer->owner = *owner;
    (void)pthread_mutex_init(&sealer->mutex, NULL);
    thread_cond_init(&sealer->woken);
    *ret_sealer = sealer;
    return OK;
}

struct status
sealer_start(struct sealer *sealer, struct diag *diag)
{
    const int error = thread_start(&sealer->thread, run, sealer);
    if (error != 0) {
        return FAIL(diag, ERR_NO_MEMORY, "cannot start the thread of checkpoints: error %d", error);
    }
    sealer->has_thread = true;
    return OK;
}

static void
stop_thread(struct sealer *sealer)
{
    (void)pthread_mutex_lock(&sealer->mutex);
    sealer->is_stopping = true;
    (void)pthread_cond_signal(&sealer->woken);
    (void)pthread_mutex_unlock(&sealer->mutex);
    if (sealer->has_thread) {
        (void)pthread_join(sealer->thread, NULL);
    }
}

void
sealer_stop(struct sealer *sealer)
{
    if (sealer == NULL) {
        return;
    }
    stop_thread(sealer);
    sealer->owner.read(sealer->owner.arg, &sealer->settings);
    if (sealer->settings.is_on && journal_is_healthy(sealer->journal)) {
        seal_own(sealer, true);
    }
    seal_close(sealer->seal);
    mem_free(sealer->visited);
    (void)pthread_cond_destroy(&sealer->woken);
    (void)pthread_mutex_destroy(&sealer->mutex);
    mem_free(sealer);
}
