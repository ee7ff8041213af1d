/*
 * The replay memory: what one partner's messages may not bring twice. It is the store's, so it
 * outlives reloads and restarts, and nodes that share a store share it: nothing that decides is
 * held by the process. Waiting: as in store.h. Thread: any.
 *
 * What is promised. A key that was remembered is known until its time is over, whatever becomes of
 * the message, of the process (kill -9 included) and of other partners' messages. Two exceptions,
 * both bounded and both reported:
 *
 *  - a partner that sends more than <keys_max> messages within their life pushes out its own keys,
 *    those that expire first (ret_result->evicted counts them); nobody else's;
 *
 *  - keys are committed without a sync of the disk each, so the end of the machine may lose some.
 *    replay_start finds out: after an end of the machine without replay_stop, what was created
 *    before this start is refused.
 */
#ifndef STORE_REPLAY_H
#define STORE_REPLAY_H

#include "store/store.h"

enum replay_kind { REPLAY_MESSAGE_ID, REPLAY_TIMESTAMP, REPLAY_ASSERTION };
const char *replay_kind_name(enum replay_kind kind); /* "wsa:MessageID", ... */

#define REPLAY_KEYS_MAX 3 /* of one message */

struct replay_key {
    enum replay_kind kind;
    struct span value; /* any bytes, any length */
    int64_t until_us;  /* wall: no message can be accepted with it afterwards */
};

struct replay_message {
    const char *partner; /* its id */
    struct replay_key keys[REPLAY_KEYS_MAX];
    size_t keys_n;
    int64_t created_us; /* wall, by the sender's clock */
    int64_t skew_us;    /* by which that clock may be ahead */
    size_t keys_max;    /* remembered for this partner; at least REPLAY_KEYS_MAX */
};

struct replay_result {
    size_t evicted; /* keys of this partner that went before their time */
};

/* Remembers all keys of a message, or none. ERR_REPLAY: one was known, keys were lost since the
 * message was created, or the time of a key is over already; <diag> says which. ERR_STORE,
 * ERR_STORE_BUSY: it must not be accepted either. */
MUST_CHECK struct status replay_remember(struct store *store, const struct replay_message *message,
                                         struct park *park, struct diag *diag,
                                         enum answer *ret_answer, struct replay_result *ret_result);

/* A node begins to accept messages. <boot_id>: what tells one run of the machine from the next
 * (replay_boot_id); NULL when nobody knows, then every end without replay_stop counts as the
 * machine's. *ret_is_lossy: keys may have been lost. */
MUST_CHECK struct status replay_start(struct store *store, const char *boot_id, struct diag *diag,
                                      bool *ret_is_lossy);
/* It accepts no more: what is remembered is on the disk. */
MUST_CHECK struct status replay_stop(struct store *store, struct diag *diag);

#define REPLAY_BOOT_ID_MAX 64
/* The kernel's name for this run of the machine; false when it has none. */
bool replay_boot_id(char ret_id[REPLAY_BOOT_ID_MAX]);

#endif
