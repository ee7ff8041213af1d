/*
 * How many of something each holder has: connections of an address or partner, requests of a
 * partner. Counts only what is held now, so its size is that of what it limits. Thread: any.
 */
#ifndef NET_QUOTA_H
#define NET_QUOTA_H

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

#define QUOTA_KEY_MAX 80 /* bytes, NUL included; longer ones are cut */

struct quota;

MUST_CHECK struct status quota_new(struct diag *diag, struct quota **ret_quota);
void quota_free(struct quota *quota); /* NULL is fine */

/* One more for <key>, unless it has <most> already, or there is no memory to count it: false. */
MUST_CHECK bool quota_take(struct quota *quota, const char *key, size_t most);
void quota_give(struct quota *quota, const char *key); /* what was taken before */

#endif
