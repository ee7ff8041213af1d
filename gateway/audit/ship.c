/*
 * The shipping thread of one destination: read, connect, send, move the cursor, wait. It owns the
 * sender and the queue (ship_queue.c); whoever started it reads a copy of its state, puts another
 * sender in place, or stops it. Here is the program's end of these failures, so they are logged
 * here, and not too often.
 */
#include "audit/ship.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "audit/ship_queue.h"
#include "audit/ship_refused.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#define LOOK_US    (200 * US_PER_MS) /* how often a journal without news is looked at */
#define COUNT_US   (10 * US_PER_S)   /* how often other processes' chains are counted meanwhile */
#define SAVE_US    (1 * US_PER_S)    /* how often the cursor is written */
#define REMIND_US  (600 * US_PER_S)  /* how often a failure that lasts is logged */
#define FIRST_SEED UINT64_C(0x9E3779B97F4A7C15)

struct ship {
    struct ship_options options;
    char dir[PATH_MAX];
    char name[SHIP_NAME_MAX + 1];
    struct out_wait wait;
    pthread_t thread;
    pthread_mutex_t lock;        /* of the three that follow */
    struct ship_state state;     /* what others see */
    struct ship_sender *pending; /* to be put in place; NULL: none */
    struct ship_limits pending_limits;

    /* the thread's own */
    struct ship_sender *sender;
    struct ship_queue queue;
    struct ship_state now; /* copied to <state> */
    unsigned attempts;     /* that failed, in a row */
    int64_t retry_us;      /* mono: not before */
    int64_t pause_us;      /* the next one */
    int64_t lost_mono_us;  /* since when nothing gets through; 0: it does */
    int64_t reminded_us;   /* mono: when the failure was logged last */
    int64_t saved_us;      /* mono: when the cursor was written */
    int64_t counted_us;    /* mono: when other chains were counted */
    int64_t sent_us;       /* mono: when something was sent last */
    bool is_used;          /* this connection has taken a record */
    bool is_doubted;       /* it answered no farewell: only one that it answers is progress */
    int64_t connected_us;  /* mono */
    uint64_t random;
    char damage[DIAG_TEXT_MAX]; /* of the journal, said last */
};

static int64_t
mono_us(const struct ship *ship)
{
    return clock_mono_us(ship->options.clock);
}

/* ---- what others see ---- */

static void
publish(struct ship *ship)
{
    const struct ship_queue *queue = &ship->queue;
    ship->now.kind = ship->sender->kind;
    ship->now.waiting = ship_queue_waiting(queue);
    ship->now.unproven = ship_queue_unproven(queue);
    ship->now.oldest_us = ship_queue_left(queue) > 0 ? queue->records[queue->first].time_us : 0;
    ship->now.delivered = queue->delivered;
    ship->now.resent = queue->resent;
    (void)pthread_mutex_lock(&ship->lock);
    ship->state = ship->now;
    (void)pthread_mutex_unlock(&ship->lock);
}

void
ship_read_state(struct ship *ship, struct ship_state *ret_state)
{
    (void)pthread_mutex_lock(&ship->lock);
    *ret_state = ship->state;
    (void)pthread_mutex_unlock(&ship->lock);
}

void
ship_refuse(struct ship_sender *sender, const struct ship_record *record, const struct diag *why)
{
    struct ship *ship = sender->ship;
    struct diag diag = {0};
    ship->now.refused++;
    LOG_EVENT(LOG_LEVEL_ERROR, "audit-record-not-sent", LOG_ID("repository", ship->name),
              LOG_ID("chain", record->chain), LOG_INT("sequence", (int64_t)record->sequence),
              LOG_DIAG(why));
    if (!is_ok(ship_refused_note(ship->options.place.dir, ship->name, record,
                                 clock_wall_us(ship->options.clock), why, &diag))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-refusal-not-noted", LOG_ID("repository", ship->name),
                  LOG_DIAG(&diag));
    }
}

/* ---- trouble ---- */

static void
tell_alarm(struct ship *ship, bool is_lost)
{
    ship->now.is_alarmed = is_lost;
    LOG_EVENT(is_lost ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
              is_lost ? "audit-repository-lost" : "audit-repository-back",
              LOG_ID("repository", ship->name),
              LOG_INT("waiting", (int64_t)ship_queue_waiting(&ship->queue)),
              LOG_ID("why", ship->now.why));
    publish(ship);
    if (ship->options.on_alarm != NULL) {
        ship->options.on_alarm(ship->options.alarm_arg, ship->name, is_lost, ship->now.why);
    }
}

/* Something was sent, or there is nothing to send. */
static void
note_progress(struct ship *ship)
{
    if (ship->lost_mono_us != 0 && !ship->now.is_alarmed) {
        LOG_EVENT(LOG_LEVEL_INFO, "audit-delivery-restored", LOG_ID("repository", ship->name),
                  LOG_INT("attempts", (int64_t)ship->attempts));
    }
    ship->lost_mono_us = 0;
    ship->attempts = 0;
    ship->retry_us = 0;
    ship->pause_us = ship->options.limits.pause_us;
    ship->now.lost_us = 0;
    if (ship->now.is_alarmed) {
        tell_alarm(ship, false);
    }
    ship->now.why[0] = '\0';
}

/* xorshift64: only jitter. */
static int64_t
next_pause_us(struct ship *ship)
{
    const int64_t pause_us = ship->pause_us;
    ship->random ^= ship->random << 13;
    ship->random ^= ship->random >> 7;
    ship->random ^= ship->random << 17;
    ship->pause_us = 2 * pause_us < ship->options.limits.longest_pause_us
                         ? 2 * pause_us
                         : ship->options.limits.longest_pause_us;
    return pause_us - (int64_t)(ship->random % (uint64_t)(pause_us / 4 + 1));
}

static void
note_failure(struct ship *ship, const struct diag *why)
{
    const int64_t now_us = mono_us(ship);
    ship->attempts++;
    if (out_wait_is_stopping(&ship->wait)) {
        return; /* it was hurried, and no more is tried */
    }
    ship->now.failures++;
    ship->retry_us = now_us + next_pause_us(ship);
    if (ship->lost_mono_us == 0) {
        ship->lost_mono_us = now_us;
        ship->now.lost_us = clock_wall_us(ship->options.clock);
    }
    (void)snprintf(ship->now.why, sizeof(ship->now.why), "%s: %s", err_name(why->code), why->text);
    if (ship->attempts == 1 || now_us - ship->reminded_us >= REMIND_US) {
        ship->reminded_us = now_us;
        LOG_EVENT(LOG_LEVEL_WARNING, "audit-delivery-failed", LOG_ID("repository", ship->name),
                  LOG_INT("attempts", (int64_t)ship->attempts),
                  LOG_INT("waiting", (int64_t)ship_queue_waiting(&ship->queue)), LOG_DIAG(why));
    }
}

/* The journal's: the folder cannot be read, or a chain is damaged. */
static void
note_damage(struct ship *ship, const struct diag *why)
{
    if (strcmp(ship->damage, why->text) != 0) {
        (void)snprintf(ship->damage, sizeof(ship->damage), "%s", why->text);
        ship->now.damaged++;
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-journal-unreadable", LOG_ID("repository", ship->name),
                  LOG_DIAG(why), LOG_ID("then", "the other chains are sent"));
    }
}

static void
look_for_alarm(struct ship *ship)
{
    if (ship->lost_mono_us != 0 && !ship->now.is_alarmed &&
        mono_us(ship) - ship->lost_mono_us >= ship->options.limits.alarm_us) {
        tell_alarm(ship, true);
    }
}

/* ---- the connection ---- */

static void
allow_time(struct ship *ship)
{
    ship->wait.deadline_us = mono_us(ship) + ship->options.limits.timeout_us;
}

void
ship_allow_time(struct ship_sender *sender)
{
    allow_time(sender->ship);
}

static bool
hang_up(struct ship *ship, bool is_clean)
{
    allow_time(ship);
    ship->now.is_connected = false;
    return ship->sender->close(ship->sender, &ship->wait, is_clean);
}

/* What was under way may not have arrived. */
static void
break_off(struct ship *ship, const struct diag *why)
{
    (void)hang_up(ship, false);
    ship_queue_rewind(&ship->queue);
    note_failure(ship, why);
}

/* The other side has gone. A connection that served, and has nothing under way, may go: the next
 * record makes another. */
static void
lose(struct ship *ship, const struct diag *why)
{
    if (ship->queue.window_n > 0 || !ship->is_used) {
        break_off(ship, why);
    } else {
        (void)hang_up(ship, false);
    }
}

static void
note_memory(struct ship *ship, struct status st, const struct diag *diag)
{
    if (!is_ok(st)) {
        break_off(ship, diag);
    }
}

static void
save(struct ship *ship)
{
    struct diag diag = {0};
    ship->saved_us = mono_us(ship);
    if (!is_ok(ship_queue_save(&ship->queue, &diag))) {
        note_damage(ship, &diag);
    }
}

/* Says farewell: an answer proves that everything arrived. Without one it is sent again: whoever
 * takes connections and reads nothing looks good until then. */
static void
prove_by_farewell(struct ship *ship)
{
    struct diag diag = {0};
    const bool is_answered = hang_up(ship, true);
    if (!is_answered && ship->queue.window_n == 0) {
        return;
    }
    if (!is_answered) {
        ship->is_doubted = true;
        ship_queue_rewind(&ship->queue);
        const struct status st =
            FAIL(&diag, ERR_PARTNER_TIMEOUT,
                 "the repository did not answer the farewell: does it read what it takes?");
        (void)st;
        note_failure(ship, &diag);
        return;
    }
    note_memory(ship, ship_queue_prove(&ship->queue, &diag), &diag);
    if (ship->lost_mono_us != 0) {
        note_progress(ship);
    }
    ship->is_doubted = false;
}

/* What was sent without an answer may be refused a moment later (TLS 1.3 tells us only then that
 * our certificate is not wanted). */
static void
judge_progress(struct ship *ship)
{
    const bool holds =
        ship->sender->has_answers ||
        (!ship->is_doubted && mono_us(ship) - ship->connected_us >= ship->options.limits.settle_us);
    if (ship->lost_mono_us != 0 && ship->now.is_connected && ship->is_used && holds) {
        note_progress(ship);
    }
}

static void
settle(struct ship *ship)
{
    struct diag diag = {0};
    note_memory(ship, ship_queue_age(&ship->queue, ship->sender->sent_bytes, &diag), &diag);
    if (mono_us(ship) - ship->saved_us >= SAVE_US) {
        save(ship);
    }
}

/* ---- sending ---- */

static void
connect_now(struct ship *ship)
{
    struct diag diag = {0};
    allow_time(ship);
    if (is_ok(ship->sender->connect(ship->sender, &ship->wait, &diag))) {
        ship->now.is_connected = true;
        ship->is_used = false;
        ship->connected_us = mono_us(ship);
    } else {
        (void)hang_up(ship, false);
        note_failure(ship, &diag);
    }
}

static struct status
send_batch(struct ship *ship, struct diag *diag)
{
    struct ship_queue *queue = &ship->queue;
    struct ship_sender *sender = ship->sender;
    const size_t left = ship_queue_left(queue);
    size_t taken = 0;
    allow_time(ship);
    const struct status st =
        sender->send(sender, &ship->wait, queue->records + queue->first, left, diag, &taken);
    TRY(ship_queue_sent(queue, taken, sender->sent_bytes, sender->has_answers, diag));
    ship->sent_us = mono_us(ship);
    ship->is_used = ship->is_used || taken > 0;
    return st;
}

static void
send_now(struct ship *ship)
{
    struct diag diag = {0};
    const struct ship_sender *sender = ship->sender;
    if (sender->check != NULL && !is_ok(sender->check(ship->sender, &diag))) {
        lose(ship, &diag);
    } else if (is_ok(send_batch(ship, &diag))) {
        judge_progress(ship);
    } else {
        break_off(ship, &diag);
    }
    settle(ship);
}

/* ---- waiting ---- */

static void
wait_until(struct ship *ship, int64_t until_us)
{
    struct diag diag = {0};
    struct ship_sender *sender = ship->sender;
    const int fd = ship->now.is_connected && sender->check != NULL ? sender->fd(sender) : -1;
    ship->wait.deadline_us = until_us;
    if (out_wait_idle(&ship->wait, fd) && !is_ok(sender->check(sender, &diag))) {
        lose(ship, &diag);
    }
}

/* Nothing to send. */
static void
rest(struct ship *ship)
{
    const int64_t now_us = mono_us(ship);
    if (ship->now.is_connected && ship->queue.window_n > 0 &&
        now_us - ship->sent_us >= ship->options.limits.farewell_us) {
        prove_by_farewell(ship);
    }
    settle(ship);
    judge_progress(ship);
    publish(ship);
    wait_until(ship, now_us + LOOK_US);
}

/* It failed a moment ago. */
static void
sit_out(struct ship *ship)
{
    const int64_t now_us = mono_us(ship);
    const int64_t until_us = now_us + US_PER_S;
    if (ship->counted_us == 0 || now_us - ship->counted_us >= COUNT_US) {
        ship->counted_us = now_us;
        ship_queue_count_foreign(&ship->queue);
    }
    settle(ship);
    publish(ship);
    wait_until(ship, until_us < ship->retry_us ? until_us : ship->retry_us);
}

/* ---- the thread ---- */

static void
take_pending(struct ship *ship)
{
    (void)pthread_mutex_lock(&ship->lock);
    struct ship_sender *next = ship->pending;
    ship->pending = NULL;
    const struct ship_limits limits = ship->pending_limits;
    (void)pthread_mutex_unlock(&ship->lock);
    if (next == NULL) {
        return;
    }
    if (ship->now.is_connected) {
        prove_by_farewell(ship);
        ship_queue_rewind(&ship->queue); /* the batch is the old sender's */
    }
    ship->sender->free(ship->sender);
    ship->sender = next;
    ship->options.limits = limits;
    ship->pause_us = limits.pause_us;
    ship->is_doubted = false;
    ship->retry_us = 0; /* what was mended is tried at once */
}

static void
fill(struct ship *ship)
{
    struct diag diag = {0};
    if (!is_ok(ship_queue_fill(&ship->queue, &diag))) {
        note_damage(ship, &diag);
    }
}

/* False: it is to end. */
static bool
go_on(struct ship *ship)
{
    const bool is_stopping = out_wait_is_stopping(&ship->wait);
    take_pending(ship);
    fill(ship);
    look_for_alarm(ship);
    if (ship_queue_left(&ship->queue) == 0) {
        if (!is_stopping) {
            rest(ship);
        }
        return !is_stopping;
    }
    allow_time(ship); /* what is left is the stop's, not that of the last wait */
    if (is_stopping && (out_wait_left_us(&ship->wait) == 0 || ship->attempts > 0)) {
        return false;
    }
    if (ship->now.is_connected) {
        send_now(ship);
    } else if (mono_us(ship) >= ship->retry_us) {
        connect_now(ship);
    } else {
        sit_out(ship);
        return true;
    }
    publish(ship);
    return true;
}

static void
begin(struct ship *ship)
{
    struct diag diag = {0};
    struct diag doubt = {0};
    const struct status st = ship_queue_open(&ship->queue, &ship->options, &diag, &doubt);
    if (doubt.code != ERR_NONE) {
        LOG_EVENT(LOG_LEVEL_ERROR, "audit-cursor-unreadable", LOG_ID("repository", ship->name),
                  LOG_DIAG(&doubt), LOG_ID("then", "everything is sent again"));
    }
    if (!is_ok(st)) {
        note_damage(ship, &diag);
    }
}

static void *
run(void *arg)
{
    struct ship *ship = arg;
    begin(ship);
    while (go_on(ship)) {
    }
    if (ship->now.is_connected) {
        prove_by_farewell(ship);
    }
    save(ship);
    publish(ship);
    return NULL;
}

/* ---- start and stop ---- */

static struct status
start_thread(struct ship *ship, struct diag *diag)
{
    const int error = thread_start(&ship->thread, run, ship);
    return error == 0 ? OK : FAIL(diag, ERR_IO, "cannot start a shipping thread: error %d", error);
}

static void
release(struct ship *ship)
{
    if (ship->pending != NULL) {
        ship->pending->free(ship->pending);
    }
    ship->sender->free(ship->sender);
    ship_queue_close(&ship->queue);
    out_wait_done(&ship->wait);
    (void)pthread_mutex_destroy(&ship->lock);
    mem_free(ship);
}

static void
prepare(struct ship *ship, const struct ship_options *options, struct ship_sender *sender)
{
    ship->options = *options;
    (void)snprintf(ship->dir, sizeof(ship->dir), "%s", options->place.dir);
    (void)snprintf(ship->name, sizeof(ship->name), "%s", options->name);
    ship->options.place.dir = ship->dir;
    ship->options.name = ship->name;
    ship->sender = sender;
    ship->pause_us = options->limits.pause_us;
    ship->random = FIRST_SEED ^ (uint64_t)clock_mono_us(options->clock);
    ship->now = (struct ship_state){.kind = sender->kind};
    memcpy(ship->now.name, ship->name, sizeof(ship->now.name));
    ship->state = ship->now;
    sender->ship = ship;
    (void)pthread_mutex_init(&ship->lock, NULL);
}

struct status
ship_start(const struct ship_options *options, struct ship_sender *sender, struct diag *diag,
           struct ship **ret_ship)
{
    struct ship *ship = mem_alloc(sizeof(*ship));
    if (ship == NULL) {
        sender->free(sender);
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the audit repository '%s'", options->name);
    }
    prepare(ship, options, sender);
    struct status st = out_wait_init(&ship->wait, options->clock, diag);
    if (is_ok(st)) {
        st = start_thread(ship, diag);
    }
    if (!is_ok(st)) {
        release(ship);
        return st;
    }
    *ret_ship = ship;
    return OK;
}

void
ship_replace(struct ship *ship, struct ship_sender *sender, const struct ship_limits *limits)
{
    sender->ship = ship;
    (void)pthread_mutex_lock(&ship->lock);
    struct ship_sender *before = ship->pending;
    ship->pending = sender;
    ship->pending_limits = *limits;
    (void)pthread_mutex_unlock(&ship->lock);
    if (before != NULL) {
        before->free(before);
    }
}

const char *
ship_name(const struct ship *ship)
{
    return ship->name;
}

void
ship_stop(struct ship *ship, int64_t until_us)
{
    out_wait_stop(&ship->wait, until_us);
}

void
ship_free(struct ship *ship)
{
    if (ship == NULL) {
        return;
    }
    if (!out_wait_is_stopping(&ship->wait)) {
        ship_stop(ship, mono_us(ship));
    }
    (void)pthread_join(ship->thread, NULL);
    release(ship);
}
