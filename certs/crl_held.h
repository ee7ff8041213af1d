/*
 * Revocation lists that were fetched, by their URL, for the whole process: put here by the feed
 * (out/crl_feed.h), taken by each loading of the configuration. In memory only: after a restart
 * nobody is trusted until they have come again. Any thread.
 */
#ifndef CERTS_CRL_HELD_H
#define CERTS_CRL_HELD_H

#include "base/buf.h"

/* One list file as it came (PEM or DER). Immutable, counted. */
struct crl_held;

/* The newest of <url>, with a reference; NULL when none has come. */
const struct crl_held *crl_held_take(const char *url);
struct span crl_held_bytes(const struct crl_held *held);
void crl_held_drop(const struct crl_held *held); /* gives the reference back; NULL is fine */

/* Takes the bytes (<content> becomes empty). *ret_is_new: they differ from those that were held.
 * ERR_NO_MEMORY; ERR_CREDENTIAL: not a revocation list, one that has ended at <now_us>, or an older
 * one (thisUpdate) or another issuer's than the held one: what travels in plain http could be
 * replayed. Its signature is the trust's to judge (trust_make). */
MUST_CHECK struct status crl_held_put(const char *url, struct buf *content, int64_t now_us,
                                      struct diag *diag, bool *ret_is_new);
/* At the end of the process, and between tests: forgets everything. */
void crl_held_clear(void);

#endif
