/*
 * What tests of shipping share: a sender that does as the test says and remembers what it was
 * given, and a ship over a folder of the test's. Thread: the test's, unless it says so.
 */
#ifndef SHIP_KIT_H
#define SHIP_KIT_H

#include <pthread.h>
#include <stdatomic.h>

#include "audit/ship.h"
#include "tests/unit/journal_kit.h"

/* What the scripted repository does. */
struct kit_sender {
    struct ship_sender sender; /* first member */
    atomic_uint connects, closes, farewells, frees;
    atomic_uint taken;        /* records, each time counted */
    atomic_int fail_connects; /* so many of the next fail */
    atomic_int fail_after;    /* sends: after so many records the connection breaks; -1: never */
    atomic_bool is_gone;      /* check fails */
    atomic_bool is_dropping;  /* is gone after each send */
    atomic_bool is_stalled;   /* send waits until the deadline or the stop */
    atomic_bool is_deaf;      /* does not answer farewells */
    pthread_mutex_t lock;
    char text[32768]; /* under the lock: "chain/sequence chain/sequence ..." */
};
void kit_sender_init(struct kit_sender *kit, bool has_answers);
/* A copy of the text, in a static buffer. */
const char *kit_sender_text(struct kit_sender *kit);
/* Waits; false when it did not come. */
bool kit_sender_wait(struct kit_sender *kit, unsigned taken);

#define KIT_LIMITS                                                                                 \
    ((struct ship_limits){3600 * US_PER_S, UINT64_C(1) << 40, 3600 * US_PER_S, 0, 3600 * US_PER_S, \
                          60 * US_PER_S, 1 * US_PER_MS, 2 * US_PER_MS})
struct ship_options kit_ship_options(const char *dir, struct journal *journal);
struct ship *kit_ship(const struct ship_options *options, struct ship_sender *sender);
/* Lets it send what is there, and ends it. */
void kit_ship_end(struct ship *ship);
/* Ends it as a kill would leave things, but for the cursor: no time is left. */
void kit_ship_cut(struct ship *ship);

#endif
