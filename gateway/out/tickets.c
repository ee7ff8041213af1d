/*
 * Questions that can be withdrawn: which ticket belongs to which exchange. Whoever asks or
 * withdraws is on any thread; the engine's lock covers the table. An exchange is ended by the
 * engine's thread alone: cancel only marks it and posts a letter. Nothing is allocated.
 */
#include <stdatomic.h>

#include "out/parts.h"

uint64_t
out_next_ticket(void)
{
    static atomic_uint_least64_t last;
    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

static struct transfer **
bucket_of(struct engine *engine, uint64_t ticket)
{
    return &engine->tickets[ticket % TICKET_BUCKETS];
}

void
tickets_add(struct engine *engine, struct transfer *transfer)
{
    if (transfer->request.ticket != 0) {
        struct transfer **bucket = bucket_of(engine, transfer->request.ticket);
        transfer->ticket_next = *bucket;
        *bucket = transfer;
    }
}

void
tickets_remove(struct engine *engine, struct transfer *transfer)
{
    if (transfer->request.ticket == 0) {
        return;
    }
    (void)pthread_mutex_lock(&engine->lock);
    struct transfer **link = bucket_of(engine, transfer->request.ticket);
    while (*link != NULL && *link != transfer) {
        link = &(*link)->ticket_next;
    }
    if (*link != NULL) {
        *link = transfer->ticket_next;
    }
    link = &engine->cancelled;
    while (*link != NULL && *link != transfer) {
        link = &(*link)->cancelled_next;
    }
    if (*link != NULL) {
        *link = transfer->cancelled_next;
    }
    (void)pthread_mutex_unlock(&engine->lock);
}

void
tickets_cancel(struct out *out, uint64_t ticket)
{
    struct engine *engine = (struct engine *)out;
    (void)pthread_mutex_lock(&engine->lock);
    struct transfer *transfer = *bucket_of(engine, ticket);
    while (transfer != NULL && transfer->request.ticket != ticket) {
        transfer = transfer->ticket_next;
    }
    if (ticket != 0 && transfer != NULL && !transfer->is_cancelled) {
        transfer->is_cancelled = true;
        transfer->cancelled_next = engine->cancelled;
        engine->cancelled = transfer;
        if (!engine->is_cancel_posted) {
            /* closed: the engine has ended, and with it every exchange */
            engine->is_cancel_posted = mailbox_post(engine->mailbox, &engine->cancel_letter);
        }
    }
    (void)pthread_mutex_unlock(&engine->lock);
}

bool
tickets_is_cancelled(struct transfer *transfer)
{
    struct engine *engine = transfer->engine;
    if (transfer->request.ticket == 0) {
        return false;
    }
    (void)pthread_mutex_lock(&engine->lock);
    const bool is_cancelled = transfer->is_cancelled;
    (void)pthread_mutex_unlock(&engine->lock);
    return is_cancelled;
}

static struct transfer *
take_cancelled(struct engine *engine)
{
    (void)pthread_mutex_lock(&engine->lock);
    struct transfer *transfer = engine->cancelled;
    if (transfer != NULL) {
        engine->cancelled = transfer->cancelled_next;
    } else {
        engine->is_cancel_posted = false;
    }
    (void)pthread_mutex_unlock(&engine->lock);
    return transfer;
}

void
tickets_deliver(struct letter *letter)
{
    struct engine *engine =
        (struct engine *)((char *)letter - offsetof(struct engine, cancel_letter));
    struct transfer *transfer = NULL;
    while ((transfer = take_cancelled(engine)) != NULL) {
        if (transfer->pool != NULL) {
            transfer_fail(transfer, ERR_CANCELLED, "the question was withdrawn");
        }
        /* else its letter is still on the way: transfer_start looks */
    }
}
