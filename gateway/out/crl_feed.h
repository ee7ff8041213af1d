/*
 * Fetches revocation lists (`trust.NAME.crl_urls`), each URL in its own time, into
 * certs/crl_held.h, from where each loading of the configuration takes them. Thread: everything
 * here is one thread's (the one that starts and reloads); the answers come on the fetcher's.
 */
#ifndef OUT_CRL_FEED_H
#define OUT_CRL_FEED_H

#include "certs/fetch.h"
#include "config/config.h"

struct crl_feed;

/* <fetch> is stopped before the feed is freed. */
MUST_CHECK struct status crl_feed_new(struct trust_fetch *fetch, const struct clock *clock,
                                      struct diag *diag, struct crl_feed **ret_feed);
void crl_feed_free(struct crl_feed *feed);
/* The URLs of this configuration; those that it had already keep their time. ERR_NO_MEMORY: as
 * before. */
MUST_CHECK struct status crl_feed_configure(struct crl_feed *feed, const struct config *config,
                                            struct diag *diag);
/* From a timer, every second to every minute: starts what is due. A list counts when the trust that
 * wants it could be made with it. True: a new one has come since the last call, so the
 * configuration is to be loaded anew. What fails is logged
 * ("crl-fetch-failed") and tried again after a minute. */
bool crl_feed_tick(struct crl_feed *feed);
/* At the start: ticks until every URL has been fetched once, in vain or not, or <timeout_us> are
 * over. The result is crl_feed_tick's. */
bool crl_feed_wait(struct crl_feed *feed, int64_t timeout_us);
/* The whole of it once, with a fetcher of its own, for a program that starts: true when a list has
 * come that is new. What fails is logged. */
bool crl_feed_once(const struct config *config, const struct clock *clock, int64_t timeout_us);

#endif
