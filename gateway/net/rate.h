/*
 * How often something may happen for each key: a token bucket per key, in a table of fixed size.
 * For what is refused again and again: failures of a partner, records and log lines of an address.
 * When the table is full the key that was quiet for the longest time makes room. Thread: any.
 */
#ifndef NET_RATE_H
#define NET_RATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

#define RATE_KEY_MAX 80 /* bytes, NUL included; longer ones are cut */

struct rate;

/* <burst> at once, then one more every <interval_us>; <keys_max> keys are remembered. */
MUST_CHECK struct status rate_new(size_t burst, int64_t interval_us, size_t keys_max,
                                  struct diag *diag, struct rate **ret_rate);
void rate_free(struct rate *rate); /* NULL is fine */

/* Other numbers from now on; what was spent stays spent, by number. */
void rate_set(struct rate *rate, size_t burst, int64_t interval_us, int64_t now_us);

/* Spends one; <key> is not empty. False when there was none left: that is counted, and the next one
 * that is allowed gets the count in *ret_missed (set in either case; NULL is fine). <now_us> is
 * monotonic. */
bool rate_spend(struct rate *rate, const char *key, int64_t now_us, uint64_t *ret_missed);
/* Microseconds until one is there; 0: now. Spends nothing. */
int64_t rate_wait_us(struct rate *rate, const char *key, int64_t now_us);

#endif
