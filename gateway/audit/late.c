/*
 * Waits that have an end: a thread of the journal's own wakes whoever has waited for the disk for
 * longer than the rules say. The record stays where it is; only the ticket is taken out of the
 * list, so that its owner may go. Called by journal_set_rules and journal_close; the thread exists
 * as long as there is a limit to be kept, and looks a few times in that time.
 */
#include "audit/journal_state.h"
#include "base/thread.h"

#define LOOKS_A_WAIT 4
#define LOOK_LEAST   (5 * US_PER_MS)
#define LOOK_MOST    (1 * US_PER_S)
#define WAKE_MAX     16

/* ---- tickets ---- */

/* As many of the first as can be woken at once; the tickets are their callers' after that. */
static struct journal_ticket *
wake_some(struct journal_ticket *ticket)
{
    struct park *parks[WAKE_MAX];
    void (*const wake_all)(struct park *const *, size_t) = ticket->park->wake_all;
    size_t n = 0;
    while (ticket != NULL && n < WAKE_MAX && ticket->park->wake_all == wake_all) {
        parks[n++] = ticket->park;
        ticket = ticket->next;
    }
    if (wake_all != NULL) {
        wake_all(parks, n);
    } else {
        for (size_t i = 0; i < n; i++) {
            park_wake(parks[i]);
        }
    }
    return ticket;
}

void
journal_wake_all(struct journal_tickets tickets)
{
    struct journal_ticket *ticket = tickets.first;
    while (ticket != NULL) {
        ticket = wake_some(ticket);
    }
}

static void
push(struct journal_tickets *tickets, struct journal_ticket *ticket)
{
    ticket->next = NULL;
    if (tickets->first == NULL) {
        tickets->first = ticket;
    } else {
        tickets->last->next = ticket;
    }
    tickets->last = ticket;
}

/* The oldest come first. <is_all>: those, too, that have not waited long yet. */
static void
take_late(struct journal_tickets *from, int64_t before_us, bool is_all, struct journal_tickets *to)
{
    while (from->first != NULL && (is_all || from->first->since_us < before_us)) {
        struct journal_ticket *ticket = from->first;
        from->first = ticket->next;
        ticket->is_late = true;
        push(to, ticket);
    }
}

/* Under the lock. When the disk has been at one batch for so long, whoever came later need not
 * wait as long again. */
static struct journal_tickets
take_all_late(struct journal *journal)
{
    struct journal_tickets late = {NULL, NULL};
    const int64_t wait_us = journal->rules.wait_us;
    const int64_t before_us = clock_mono_us(journal->clock) - wait_us;
    const bool is_stalled = journal->busy_since_us != 0 && journal->busy_since_us < before_us;
    if (wait_us > 0) {
        take_late(&journal->writing, before_us, is_stalled, &late);
        take_late(&journal->waiting, before_us, is_stalled, &late);
    }
    return late;
}

/* ---- the thread ---- */

static int64_t
look_us(const struct journal *journal)
{
    const int64_t us = journal->rules.wait_us / LOOKS_A_WAIT;
    return us < LOOK_LEAST ? LOOK_LEAST : us > LOOK_MOST ? LOOK_MOST : us;
}

static void *
run(void *arg)
{
    struct journal *journal = arg;
    (void)pthread_mutex_lock(&journal->mutex);
    while (!journal->is_closing) {
        const struct journal_tickets late = take_all_late(journal);
        if (late.first != NULL) {
            (void)pthread_mutex_unlock(&journal->mutex);
            journal_wake_all(late);
            (void)pthread_mutex_lock(&journal->mutex);
        } else {
            (void)thread_wait(&journal->watched, &journal->mutex, look_us(journal));
        }
    }
    (void)pthread_mutex_unlock(&journal->mutex);
    return NULL;
}

struct status
journal_watch(struct journal *journal, struct diag *diag)
{
    if (journal->has_watch) {
        (void)pthread_cond_signal(&journal->watched);
        return OK;
    }
    TRY(journal_start_thread(&journal->watch, run, journal, diag));
    journal->has_watch = true;
    return OK;
}

void
journal_unwatch(struct journal *journal)
{
    if (journal->has_watch) {
        (void)pthread_cond_signal(&journal->watched);
        (void)pthread_join(journal->watch, NULL);
    }
}
