/*
 * The fetcher: the program's only plain-http requests (OCSP, revocation lists), on a thread of its
 * own. Fills struct trust_fetch of certs/fetch.h and keeps what that header promises.
 *
 * A request goes out only when its URL is http://, has no user, and its host and port are listed;
 * an address that a name resolves to (at the connection, so no second look-up can differ) must not
 * be this machine, its link, or many machines at once, unless the list has the address itself (or
 * "localhost"). No redirect, proxy, cookie or kept connection.
 */
#ifndef OUT_FETCH_H
#define OUT_FETCH_H

#include "certs/fetch.h"

/* ERR_NO_MEMORY, ERR_IO (no thread), ERR_INTERNAL (libcurl). */
MUST_CHECK struct status fetcher_start(struct diag *diag, struct trust_fetch **ret_fetch);
/* Answers what is in flight with ERR_SHUTTING_DOWN (as every later start is answered), joins the
 * thread. The table stays valid for such late calls until fetcher_free. NULL is fine for both. */
void fetcher_stop(struct trust_fetch *fetch);
void fetcher_free(struct trust_fetch *fetch);

#endif
