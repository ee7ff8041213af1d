/*
 * Whose turn it is: a partner gets as many questions at a time as its record allows, over all
 * configurations together; others wait in its own queue, first come first served, probes last, and
 * no longer than their time. A queue of one partner delays no other. Engine's thread only; the
 * queue links transfers, which it does not own.
 */
#include <stdio.h>

#include "out/parts.h"

static struct turn_queue *
queue_of(struct transfer *transfer)
{
    struct health *health = transfer->pool->health;
    return transfer->request.is_probe ? &health->probes : &health->questions;
}

static void
push(struct turn_queue *queue, struct transfer *transfer)
{
    transfer->turn = TURN_WAITING;
    transfer->turn_next = NULL;
    transfer->turn_previous = queue->last;
    if (queue->last != NULL) {
        queue->last->turn_next = transfer;
    } else {
        queue->first = transfer;
    }
    queue->last = transfer;
    health_note_waiting(transfer, 1);
}

static void
pull(struct turn_queue *queue, struct transfer *transfer)
{
    if (transfer->turn_previous != NULL) {
        transfer->turn_previous->turn_next = transfer->turn_next;
    } else {
        queue->first = transfer->turn_next;
    }
    if (transfer->turn_next != NULL) {
        transfer->turn_next->turn_previous = transfer->turn_previous;
    } else {
        queue->last = transfer->turn_previous;
    }
    transfer->turn = TURN_NONE;
    health_note_waiting(transfer, -1);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
    struct transfer *transfer = arg;
    const struct out_health *facts = &transfer->pool->health->facts;
    char text[256];
    (void)fd;
    (void)what;
    (void)snprintf(
        text, sizeof(text),
        "partner '%s': its turn did not come within its time; %zu questions are on their "
        "way and %zu wait (limits.connections of its record)",
        transfer->request.partner->id, facts->in_flight, facts->waiting);
    transfer_fail(transfer, ERR_PARTNER_TIMEOUT, text);
}

struct status
turn_take(struct transfer *transfer, struct diag *diag)
{
    const struct health *health = transfer->pool->health;
    const struct partner_limits *limits = &transfer->request.partner->limits;
    const bool is_free = health->facts.in_flight < limits->connections &&
                         health->questions.first == NULL && health->probes.first == NULL;
    TRY(breaker_admit(transfer, is_free, diag));
    if (is_free) {
        transfer->turn = TURN_HELD;
        return OK;
    }
    if (health->facts.in_flight + health->facts.waiting >= limits->requests) {
        return FAIL(diag, ERR_PARTNER_BUSY,
                    "partner '%s': %zu questions are on their way and %zu wait; no more than %zu "
                    "may (limits.requests of its record)",
                    transfer->request.partner->id, health->facts.in_flight, health->facts.waiting,
                    limits->requests);
    }
    if (!transfer_wait(transfer, on_late)) {
        return FAIL(diag, ERR_NO_MEMORY, "no timer for an exchange with '%s'",
                    transfer->request.partner->id);
    }
    push(queue_of(transfer), transfer);
    return OK;
}

static struct transfer *
next_of(struct health *health)
{
    return health->questions.first != NULL ? health->questions.first : health->probes.first;
}

/* Whoever fails at once leaves again inside: one loop serves all, however deep. */
static void
promote(struct health *health)
{
    struct transfer *transfer = NULL;
    if (health->is_promoting) {
        return;
    }
    health->is_promoting = true;
    while ((transfer = next_of(health)) != NULL && !transfer->engine->is_stopping &&
           health->facts.in_flight < transfer->request.partner->limits.connections) {
        struct diag diag = {.code = ERR_NONE};
        pull(queue_of(transfer), transfer);
        transfer_go_on(transfer);
        if (is_ok(breaker_admit(transfer, true, &diag))) {
            transfer->turn = TURN_HELD;
            transfer_begin(transfer);
        } else {
            transfer_fail(transfer, diag.code, diag.text);
        }
    }
    health->is_promoting = false;
}

void
turn_leave(struct transfer *transfer)
{
    if (transfer->turn == TURN_WAITING) {
        pull(queue_of(transfer), transfer);
    }
    transfer->turn = TURN_NONE;
    promote(transfer->pool->health);
}
