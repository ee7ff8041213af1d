/*
 * Answers that leave or come later, as a serving node looks after them. Main thread; the work is
 * the runner's.
 */
#include "cli/serve.h"
#include "store/jobs.h"
#include "store/pending.h"

#define FORGET_US (60 * US_PER_S) /* how often questions whose time is over are looked for */

static struct node *
take_node(void *arg)
{
    return &generation_current(arg)->node;
}

static void
give_node(void *arg, struct node *node)
{
    (void)arg;
    generation_unref((struct generation *)((char *)node - offsetof(struct generation, node)));
}

void
serve_later_init(struct serve *serve)
{
    outbox_init(&serve->outbox, take_node, give_node, serve);
    waiting_init(&serve->waiting);
    continued_init(&serve->continued);
}

struct status
serve_later_start(struct serve *serve, struct diag *diag)
{
    return jobs_start(serve->store, diag);
}

static void
forget(struct serve *serve)
{
    struct diag diag = {0};
    uint64_t unanswered = 0;

    if (!is_ok(pending_expire(serve->store, clock_wall_us(clock_system()), &diag, &unanswered))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "questions-not-forgotten", LOG_DIAG(&diag));
    } else if (unanswered > 0) {
        LOG_EVENT(LOG_LEVEL_WARNING, "questions-unanswered", LOG_INT("n", (int64_t)unanswered));
    }
}

void
serve_later_look(struct serve *serve)
{
    const int64_t now_us = clock_mono_us(clock_system());

    outbox_look(&serve->outbox);
    if (now_us - serve->forgotten_us >= FORGET_US) {
        serve->forgotten_us = now_us;
        forget(serve);
    }
}

void
serve_later_done(struct serve *serve)
{
    outbox_done(&serve->outbox);
    waiting_done(&serve->waiting);
    continued_done(&serve->continued);
}
