/* Threads without signals, and waits that keep to the monotonic clock. */
#include <signal.h>

#include "base/clock.h"
#include "base/thread.h"
#include "tests/unit/unit.h"

#define EARLY_MAX 1000

struct shared {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_waiting, is_set;
};

static void
shared_init(struct shared *shared)
{
    *shared = (struct shared){.is_waiting = false};
    thread_lock_init(&shared->lock);
    thread_cond_init(&shared->changed);
}

static void
shared_done(struct shared *shared)
{
    (void)pthread_cond_destroy(&shared->changed);
    (void)pthread_mutex_destroy(&shared->lock);
}

static int64_t
now_us(void)
{
    return clock_mono_us(clock_system());
}

/* ---- signals ---- */

static void *
read_mask(void *arg)
{
    (void)pthread_sigmask(SIG_SETMASK, NULL, arg);
    return NULL;
}

static void
test_signals(void)
{
    sigset_t own;
    sigset_t theirs;
    pthread_t thread;
    (void)sigemptyset(&theirs);
    CU_ASSERT_FATAL(thread_start(&thread, read_mask, &theirs) == 0);
    (void)pthread_join(thread, NULL);
    CU_ASSERT(sigismember(&theirs, SIGTERM) == 1);
    CU_ASSERT(sigismember(&theirs, SIGHUP) == 1);
    CU_ASSERT(sigismember(&theirs, SIGPIPE) == 1);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &own);
    CU_ASSERT(sigismember(&own, SIGTERM) == 0); /* who started it takes them as before */
}

/* ---- waits ---- */

/* Nobody ever signals: only the clock can end these. */
static void
test_times_are_over(void)
{
    struct shared shared;
    shared_init(&shared);
    (void)pthread_mutex_lock(&shared.lock);
    CU_ASSERT(!thread_wait_until(&shared.changed, &shared.lock, now_us() - US_PER_S));
    CU_ASSERT(!thread_wait_until(&shared.changed, &shared.lock, 0));
    CU_ASSERT(!thread_wait(&shared.changed, &shared.lock, -1));

    const int64_t until_us = now_us() + 20 * US_PER_MS;
    unsigned early = 0; /* woken for no reason: it goes on waiting */
    while (early < EARLY_MAX && thread_wait_until(&shared.changed, &shared.lock, until_us)) {
        early++;
    }
    CU_ASSERT(early < EARLY_MAX);
    (void)pthread_mutex_unlock(&shared.lock);
    shared_done(&shared);
}

static void *
set_when_waited_for(void *arg)
{
    struct shared *shared = arg;
    (void)pthread_mutex_lock(&shared->lock);
    while (!shared->is_waiting) {
        (void)thread_wait(&shared->changed, &shared->lock, UNIT_PATIENCE_S * US_PER_S);
    }
    shared->is_set = true;
    (void)pthread_cond_signal(&shared->changed);
    (void)pthread_mutex_unlock(&shared->lock);
    return NULL;
}

/* The time of day is decades ahead of the monotonic clock: a wait that kept to it would be over at
 * once. */
static void
test_woken(void)
{
    struct shared shared;
    pthread_t thread;
    bool is_early = true;
    shared_init(&shared);
    CU_ASSERT_FATAL(thread_start(&thread, set_when_waited_for, &shared) == 0);
    (void)pthread_mutex_lock(&shared.lock);
    shared.is_waiting = true;
    (void)pthread_cond_signal(&shared.changed);
    const int64_t until_us = now_us() + UNIT_PATIENCE_S * US_PER_S;
    while (!shared.is_set && is_early) {
        is_early = thread_wait_until(&shared.changed, &shared.lock, until_us);
    }
    CU_ASSERT(is_early);
    CU_ASSERT(shared.is_set);
    (void)pthread_mutex_unlock(&shared.lock);
    (void)pthread_join(thread, NULL);
    shared_done(&shared);
}

static const struct unit_test tests[] = {
    {"a thread takes no signals", test_signals},
    {"a wait ends when its time is over", test_times_are_over},
    {"a wait ends when it is woken", test_woken},
};
UNIT_MAIN("thread", tests)
