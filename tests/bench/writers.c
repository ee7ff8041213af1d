/*
 * Each writer is in one of three places: in the list of those that are ready, with a thread that
 * appends for it, or in the journal, which puts it back into the list. All of them end where they
 * are ready when the time is over, so that none has a record on its way when the journal closes.
 */
#include "tests/bench/writers.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/bench/disk.h"

#define THREADS_MAX 64

struct crew;

struct writer {
    struct park park; /* first member */
    struct journal_ticket ticket;
    struct crew *crew;
    struct writer *next; /* in the list of those that are ready */
    int64_t began_us;    /* 0: it has nothing on its way */
};

struct crew {
    struct journal *journal;
    const struct audit_event *events;
    size_t events_n;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct writer *first, *last; /* ready */
    size_t at_work;              /* neither ready nor done */
    size_t sleeping;             /* threads that nobody has woken */
    size_t next_event;
    bool is_counting, is_over;
    struct diag failure;
    struct writers_result result;
};

/* Under the lock. */
static void
put_ready(struct crew *crew, struct writer *writer)
{
    writer->next = NULL;
    if (crew->first == NULL) {
        crew->first = writer;
    } else {
        crew->last->next = writer;
    }
    crew->last = writer;
}

static void
wake(struct park *park)
{
    struct writer *const writer = (struct writer *)park;
    struct crew *const crew = writer->crew;
    (void)pthread_mutex_lock(&crew->lock);
    put_ready(crew, writer);
    const bool must_signal = crew->sleeping > 0;
    crew->sleeping -= must_signal; /* that one is on its way */
    (void)pthread_mutex_unlock(&crew->lock);
    if (must_signal) {
        (void)pthread_cond_signal(&crew->changed);
    }
}

/* Under the lock. What came of the writer's record, if it had one. */
static void
take_up(struct crew *crew, struct writer *writer)
{
    if (writer->began_us == 0) {
        return;
    }
    struct diag diag = {.code = ERR_NONE};
    const int64_t now_us = meter_now_us();
    if (!is_ok(journal_ticket_status(crew->journal, &writer->ticket, &diag))) {
        crew->failure = diag;
        crew->is_over = true;
    } else if (crew->is_counting) {
        crew->result.records++;
        meter_list_add(&crew->result.wait_us, (double)(now_us - writer->began_us));
    }
    writer->began_us = 0;
}

/* The next writer that may append; NULL: the time is over, and all are back. */
static struct writer *
take_ready(struct crew *crew, const struct audit_event **ret_event)
{
    struct writer *writer = NULL;
    (void)pthread_mutex_lock(&crew->lock);
    for (;;) {
        while (crew->first != NULL && writer == NULL) {
            struct writer *const first = crew->first;
            crew->first = first->next;
            crew->at_work -= first->began_us != 0;
            take_up(crew, first);
            writer = crew->is_over ? NULL : first;
        }
        if (writer != NULL || (crew->is_over && crew->at_work == 0)) {
            break;
        }
        crew->sleeping++;
        (void)pthread_cond_wait(&crew->changed, &crew->lock);
    }
    if (writer != NULL) {
        crew->at_work++;
        *ret_event = &crew->events[crew->next_event++ % crew->events_n];
    } else {
        (void)pthread_cond_broadcast(&crew->changed);
    }
    (void)pthread_mutex_unlock(&crew->lock);
    return writer;
}

static void
note_failure(struct crew *crew, const struct diag *diag)
{
    (void)pthread_mutex_lock(&crew->lock);
    crew->failure = *diag;
    crew->is_over = true;
    crew->at_work--;
    (void)pthread_mutex_unlock(&crew->lock);
}

static void *
run_writers(void *arg)
{
    struct crew *const crew = arg;
    const struct audit_event *event = NULL;
    for (struct writer *writer = take_ready(crew, &event); writer != NULL;
         writer = take_ready(crew, &event)) {
        struct diag diag = {.code = ERR_NONE};
        writer->began_us = meter_now_us();
        if (!is_ok(journal_append(crew->journal, event, &writer->park, &diag, &writer->ticket))) {
            note_failure(crew, &diag);
        }
    }
    return NULL;
}

static void
sleep_us(int64_t us)
{
    (void)usleep((useconds_t)us);
}

/* On the caller's thread, while the others append. */
static void
count_for(struct crew *crew, int64_t warm_us, int64_t time_us)
{
    sleep_us(warm_us);
    (void)pthread_mutex_lock(&crew->lock);
    crew->is_counting = true;
    disk_note_begin();
    (void)pthread_mutex_unlock(&crew->lock);
    const int64_t start_us = meter_now_us();
    const int64_t start_cpu_ns = meter_self_cpu_ns();
    sleep_us(time_us);
    (void)pthread_mutex_lock(&crew->lock);
    crew->is_counting = false;
    disk_note_end();
    crew->result.time_us = meter_now_us() - start_us;
    crew->result.cpu_ns = meter_self_cpu_ns() - start_cpu_ns;
    crew->is_over = true;
    (void)pthread_cond_broadcast(&crew->changed);
    (void)pthread_mutex_unlock(&crew->lock);
}

static struct status
run_crew(struct crew *crew, size_t threads_n, int64_t warm_us, int64_t time_us, struct diag *diag)
{
    pthread_t threads[THREADS_MAX];
    size_t started = 0;
    while (started < threads_n && pthread_create(&threads[started], NULL, run_writers, crew) == 0) {
        started++;
    }
    if (started > 0) {
        count_for(crew, warm_us, time_us);
    }
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    if (started < threads_n) {
        return FAIL(diag, ERR_NO_MEMORY, "%zu of %zu threads of writers", started, threads_n);
    }
    if (crew->failure.code != ERR_NONE) {
        *diag = crew->failure;
        return (struct status){diag->code};
    }
    return OK;
}

struct status
writers_run(struct journal *journal, const struct audit_event *events, size_t events_n, size_t n,
            size_t threads, int64_t warm_us, int64_t time_us, struct diag *diag,
            struct writers_result *ret_result)
{
    struct crew crew = {.journal = journal,
                        .events = events,
                        .events_n = events_n,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .changed = PTHREAD_COND_INITIALIZER};
    struct writer *const writers = mem_alloc(n * sizeof(*writers));
    *ret_result = (struct writers_result){.records = 0};
    if (writers == NULL || threads == 0 || threads > THREADS_MAX) {
        mem_free(writers);
        return FAIL(diag, ERR_NO_MEMORY, "%zu writers on %zu threads", n, threads);
    }
    for (size_t i = 0; i < n; i++) {
        writers[i] = (struct writer){.park = {wake}, .crew = &crew};
        put_ready(&crew, &writers[i]);
    }
    const struct status st = run_crew(&crew, threads, warm_us, time_us, diag);
    *ret_result = crew.result;
    mem_free(writers);
    (void)pthread_cond_destroy(&crew.changed);
    (void)pthread_mutex_destroy(&crew.lock);
    return st;
}

void
writers_result_done(struct writers_result *result)
{
    meter_list_done(&result->wait_us);
}
