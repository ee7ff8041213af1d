/*
 * A table of who waits, by the message that was asked with. One lock; the runner is called under
 * it, so that nobody who was told has gone.
 */
#include "txn/waiting.h"

#include <string.h>

void
waiting_init(struct waiting *waiting)
{
    *waiting = (struct waiting){.buckets = {NULL}};
    pthread_mutex_init(&waiting->lock, NULL);
}

void
waiting_done(struct waiting *waiting)
{
    pthread_mutex_destroy(&waiting->lock);
}

/* FNV-1a. */
static size_t
bucket_of(struct span message_id)
{
    uint32_t hash = UINT32_C(2166136261);

    for (size_t i = 0; i < message_id.n; i++) {
        hash = (hash ^ (uint8_t)message_id.p[i]) * UINT32_C(16777619);
    }
    return hash % WAITING_BUCKETS;
}

void
waiting_add(struct waiting *waiting, struct waiting_entry *entry)
{
    struct waiting_entry **bucket = &waiting->buckets[bucket_of(span_of_cstr(entry->message_id))];

    pthread_mutex_lock(&waiting->lock);
    entry->waiting = waiting;
    entry->is_noted = false;
    entry->next = *bucket;
    *bucket = entry;
    pthread_mutex_unlock(&waiting->lock);
}

void
waiting_remove(struct waiting_entry *entry)
{
    struct waiting *waiting = entry->waiting;

    if (waiting == NULL) {
        return;
    }
    struct waiting_entry **at = &waiting->buckets[bucket_of(span_of_cstr(entry->message_id))];

    pthread_mutex_lock(&waiting->lock);
    while (*at != NULL && *at != entry) {
        at = &(*at)->next;
    }
    if (*at == entry) {
        *at = entry->next;
    }
    entry->waiting = NULL;
    pthread_mutex_unlock(&waiting->lock);
}

void
waiting_note(struct waiting *waiting, struct span message_id)
{
    pthread_mutex_lock(&waiting->lock);
    for (struct waiting_entry *entry = waiting->buckets[bucket_of(message_id)]; entry != NULL;
         entry = entry->next) {
        if (span_eq_cstr(message_id, entry->message_id)) {
            entry->is_noted = true;
            txn_nudge(entry->txn);
        }
    }
    pthread_mutex_unlock(&waiting->lock);
}

void
waiting_note_all(struct waiting *waiting)
{
    pthread_mutex_lock(&waiting->lock);
    for (size_t i = 0; i < WAITING_BUCKETS; i++) {
        for (struct waiting_entry *entry = waiting->buckets[i]; entry != NULL;
             entry = entry->next) {
            entry->is_noted = true;
            txn_nudge(entry->txn);
        }
    }
    pthread_mutex_unlock(&waiting->lock);
}

bool
waiting_take_note(struct waiting_entry *entry)
{
    struct waiting *waiting = entry->waiting;

    if (waiting == NULL) {
        return false;
    }
    pthread_mutex_lock(&waiting->lock);
    const bool is_noted = entry->is_noted;

    entry->is_noted = false;
    pthread_mutex_unlock(&waiting->lock);
    return is_noted;
}
