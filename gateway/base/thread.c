/*
 * Threads, locks and waits with the attributes that a server wants. Called by whoever starts a
 * thread or waits with an end; owns nothing, and is as thread-safe as pthreads is.
 */
#include "base/thread.h"

#include <signal.h>
#include <time.h>

#include "base/clock.h"

int
thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(thread, NULL, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

void
thread_lock_init(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    (void)pthread_mutexattr_init(&attributes);
    (void)pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
    (void)pthread_mutex_init(lock, &attributes);
    (void)pthread_mutexattr_destroy(&attributes);
}

void
thread_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

bool
thread_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_us)
{
    const struct timespec until = {
        .tv_sec = (time_t)(until_us / US_PER_S),
        .tv_nsec = (long)(until_us % US_PER_S) * 1000,
    };
    return pthread_cond_timedwait(cond, lock, &until) == 0;
}

bool
thread_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t us)
{
    return thread_wait_until(cond, lock, clock_mono_us(clock_system()) + us);
}
