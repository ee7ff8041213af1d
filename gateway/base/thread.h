/*
 * What pthreads leaves to its users: threads without signals, locks and waits that suit a server.
 * Nothing is owned here; every lock, condition variable and thread is its caller's. Thread: any.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* It takes no signals: those are the main thread's, and none may interrupt a write. 0, or the
 * errno that says why there is no thread. */
int thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg);

/* For a lock that is held for less than what going to sleep and coming back takes: who finds it
 * taken looks a few times before it sleeps. */
void thread_lock_init(pthread_mutex_t *lock);

/* Its waits with an end keep to the monotonic clock, whatever becomes of the time of day: */
void thread_cond_init(pthread_cond_t *cond);
/* <until_us>: of clock_mono_us(clock_system()). False: that time has come; else it was woken, or
 * for no reason. Only after thread_cond_init, and with the lock held. */
bool thread_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_us);
/* The same, <us> from now. */
bool thread_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t us);

#endif
