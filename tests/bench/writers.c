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
    const struct writers_work *work;

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
    const int64_t now_us = disk_clock_us();
    if (!is_ok(journal_ticket_status(crew->work->journal, &writer->ticket, &diag))) {
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
        *ret_event = &crew->work->events[crew->next_event++ % crew->work->events_n];
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
        writer->began_us = disk_clock_us();
        if (!is_ok(journal_append(crew->work->journal, event, &writer->park, &diag,
                                  &writer->ticket))) {
            note_failure(crew, &diag);
        }
    }
    return NULL;
}

static void
hold(void *arg)
{
    (void)pthread_mutex_lock(&((struct crew *)arg)->lock);
}

static void
release(void *arg)
{
    (void)pthread_mutex_unlock(&((struct crew *)arg)->lock);
}

static void
set_counting(struct crew *crew, bool is_counting)
{
    (void)pthread_mutex_lock(&crew->lock);
    crew->is_counting = is_counting;
    (void)pthread_mutex_unlock(&crew->lock);
}

/* On the caller's thread, while the others append. */
static struct status
count(struct crew *crew, struct diag *diag)
{
    const struct disk_others others = {hold, release, crew};
    (void)usleep((useconds_t)crew->work->warm_us);
    disk_note_begin(crew->work->floor, &others);
    set_counting(crew, true);
    const int64_t start_us = disk_clock_us();
    const int64_t start_cpu_ns = meter_self_cpu_ns();
    (void)usleep((useconds_t)crew->work->time_us);
    set_counting(crew, false);
    crew->result.time_us = disk_clock_us() - start_us;
    crew->result.cpu_ns = meter_self_cpu_ns() - start_cpu_ns;
    return disk_note_end(diag, &crew->result.disk);
}

static void
end_all(struct crew *crew)
{
    (void)pthread_mutex_lock(&crew->lock);
    crew->is_over = true;
    (void)pthread_cond_broadcast(&crew->changed);
    (void)pthread_mutex_unlock(&crew->lock);
}

static struct status
run_crew(struct crew *crew, struct diag *diag)
{
    pthread_t threads[THREADS_MAX];
    const size_t wanted = crew->work->threads;
    size_t started = 0;
    while (started < wanted && pthread_create(&threads[started], NULL, run_writers, crew) == 0) {
        started++;
    }
    struct status st = started == wanted ? count(crew, diag)
                                         : FAIL(diag, ERR_NO_MEMORY,
                                                "%zu of %zu threads of writers", started, wanted);
    end_all(crew);
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    if (is_ok(st) && crew->failure.code != ERR_NONE) {
        *diag = crew->failure;
        st = (struct status){diag->code};
    }
    return st;
}

struct status
writers_run(const struct writers_work *work, size_t n, struct diag *diag,
            struct writers_result *ret_result)
{
    struct crew crew = {
        .work = work, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct writer *const writers = mem_alloc(n * sizeof(*writers));
    *ret_result = (struct writers_result){.records = 0};
    if (writers == NULL || work->threads == 0 || work->threads > THREADS_MAX) {
        mem_free(writers);
        return FAIL(diag, ERR_NO_MEMORY, "%zu writers on %zu threads", n, work->threads);
    }
    for (size_t i = 0; i < n; i++) {
        writers[i] = (struct writer){.park = {wake}, .crew = &crew};
        put_ready(&crew, &writers[i]);
    }
    const struct status st = run_crew(&crew, diag);
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
