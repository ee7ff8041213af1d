/*
 * Who in this process waits for answers that come as messages of their own: the answer itself is
 * put into the store (store/pending.h) by whoever takes it; here the one who waits for it is told
 * to look. An entry lies in its owner's memory. Thread: any.
 */
#ifndef TXN_WAITING_H
#define TXN_WAITING_H

#include <pthread.h>

#include "txn/txn.h"

#define WAITING_BUCKETS 256

struct waiting;

struct waiting_entry {
    const char *message_id;  /* of the question; borrowed until waiting_remove */
    struct txn *txn;         /* is nudged */
    struct waiting *waiting; /* NULL: it is in none */
    struct waiting_entry *next;
    bool is_noted;
};

struct waiting {
    pthread_mutex_t lock;
    struct waiting_entry *buckets[WAITING_BUCKETS];
};

void waiting_init(struct waiting *waiting);
void waiting_done(struct waiting *waiting); /* nobody is in it */

/* <entry>: message_id and txn are set. */
void waiting_add(struct waiting *waiting, struct waiting_entry *entry);
/* Nobody is told any more. One that is in none is fine. */
void waiting_remove(struct waiting_entry *entry);
/* The answer to this message is in the store. */
void waiting_note(struct waiting *waiting, struct span message_id);
/* Some may be: another process takes the answers. */
void waiting_note_all(struct waiting *waiting);
/* Was it noted since the last call? */
bool waiting_take_note(struct waiting_entry *entry);

#endif
