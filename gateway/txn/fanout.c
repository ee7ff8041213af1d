/*
 * The meeting point of a transaction and the answers it waits for. Locks itself; calls the runner
 * only to nudge the transaction, while it is attached.
 */
#include "txn/fanout.h"

#include <assert.h>
#include <pthread.h>

#include "base/mem.h"

struct slot {
    struct fanout *fanout;
    struct slot *next; /* that came after it */
    struct out_answer answer;
    struct out *out; /* that has the question */
    uint64_t ticket; /* of it; 0 when it is not out */
    bool is_here, is_cancelled;
};

struct fanout {
    pthread_mutex_t lock;
    struct txn *txn;   /* NULL after fanout_leave */
    size_t references; /* the transaction, and one per question that is out */
    size_t pending;
    size_t slots_n;
    struct slot *first, *last; /* answers that came, not yet taken */
    struct budget budget;
    struct slot slots[];
};

struct status
fanout_new(struct txn *txn, size_t questions, uint64_t bytes, struct diag *diag,
           struct fanout **ret_fanout)
{
    struct fanout *fanout = mem_alloc(sizeof(*fanout) + questions * sizeof(fanout->slots[0]));

    if (fanout == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory for %zu questions", questions);
    }
    pthread_mutex_init(&fanout->lock, NULL);
    fanout->txn = txn;
    fanout->references = 1;
    fanout->slots_n = questions;
    budget_init(&fanout->budget, bytes, questions);
    for (size_t i = 0; i < questions; i++) {
        fanout->slots[i].fanout = fanout;
    }
    *ret_fanout = fanout;
    return OK;
}

static void
fanout_free(struct fanout *fanout)
{
    for (size_t i = 0; i < fanout->slots_n; i++) {
        if (fanout->slots[i].is_here) {
            out_answer_done(&fanout->slots[i].answer);
        }
    }
    pthread_mutex_destroy(&fanout->lock);
    mem_free(fanout);
}

/* The lock is held, and released here. */
static void
unlock_and_release(struct fanout *fanout)
{
    const bool is_last = --fanout->references == 0;

    pthread_mutex_unlock(&fanout->lock);
    if (is_last) {
        fanout_free(fanout);
    }
}

static void
move_answer(struct out_answer *to, struct out_answer *from)
{
    *to = *from;
    body_init(&to->body);
    body_move(&to->body, &from->body);
}

static void
line_up(struct fanout *fanout, struct slot *slot)
{
    slot->next = NULL;
    if (fanout->last == NULL) {
        fanout->first = slot;
    } else {
        fanout->last->next = slot;
    }
    fanout->last = slot;
}

static void
answer_came(void *arg, struct out_answer *answer)
{
    struct slot *slot = arg;
    struct fanout *fanout = slot->fanout;

    pthread_mutex_lock(&fanout->lock);
    fanout->pending--;
    slot->ticket = 0;
    if (fanout->txn == NULL || slot->is_cancelled) {
        out_answer_done(answer);
    } else {
        move_answer(&slot->answer, answer);
        slot->is_here = true;
        line_up(fanout, slot);
        txn_nudge(fanout->txn);
    }
    unlock_and_release(fanout);
}

void
fanout_submit(struct fanout *fanout, size_t slot, struct out *out, struct out_request *request)
{
    assert(slot < fanout->slots_n);
    request->budget = &fanout->budget;
    request->ticket = out_next_ticket();
    pthread_mutex_lock(&fanout->lock);
    fanout->references++;
    fanout->pending++;
    fanout->slots[slot].out = out;
    fanout->slots[slot].ticket = request->ticket;
    pthread_mutex_unlock(&fanout->lock);
    out->submit(out, request, answer_came, &fanout->slots[slot]);
}

struct budget *
fanout_budget(struct fanout *fanout)
{
    return &fanout->budget;
}

size_t
fanout_pending(struct fanout *fanout)
{
    size_t pending;

    pthread_mutex_lock(&fanout->lock);
    pending = fanout->pending;
    pthread_mutex_unlock(&fanout->lock);
    return pending;
}

bool
fanout_take(struct fanout *fanout, size_t *ret_slot, struct out_answer *ret_answer)
{
    struct slot *slot;

    pthread_mutex_lock(&fanout->lock);
    slot = fanout->first;
    if (slot != NULL) {
        fanout->first = slot->next;
        fanout->last = fanout->first == NULL ? NULL : fanout->last;
        move_answer(ret_answer, &slot->answer);
        slot->is_here = false;
        *ret_slot = (size_t)(slot - fanout->slots);
    }
    pthread_mutex_unlock(&fanout->lock);
    return slot != NULL;
}

void
fanout_cancel(struct fanout *fanout, size_t at)
{
    struct slot *slot = &fanout->slots[at];
    uint64_t ticket;

    assert(at < fanout->slots_n);
    pthread_mutex_lock(&fanout->lock);
    slot->is_cancelled = true;
    ticket = slot->ticket;
    pthread_mutex_unlock(&fanout->lock);
    if (ticket != 0) { /* without the lock: the engine may answer at once */
        slot->out->cancel(slot->out, ticket);
    }
}

void
fanout_leave(struct fanout *fanout)
{
    if (fanout == NULL) {
        return;
    }
    pthread_mutex_lock(&fanout->lock);
    fanout->txn = NULL;
    unlock_and_release(fanout);
}
