/*
 * Names and the addresses that they lead to: for the engine's thread. See names.c.
 */
#ifndef OUT_NAMES_H
#define OUT_NAMES_H

#include <curl/curl.h>

#include "base/clock.h"
#include "base/mailbox.h"

struct names;
struct transfer;

/* Threads start when the first name is asked for. <mailbox>: the engine's. */
MUST_CHECK struct status names_new(struct mailbox *mailbox, const struct clock *clock,
                                   struct diag *diag, struct names **ret_names);
/* After mailbox_close. Waits a second for threads that are asking. NULL is fine. */
void names_free(struct names *names);

/* The addresses of the transfer's server, or of its partner's proxy, into transfer->site. False:
 * later, transfer_connect or transfer_fail will be called. ERR_PARTNER_UNREACHABLE: no address, or
 * none that may be asked. */
MUST_CHECK struct status names_resolve(struct transfer *transfer, struct diag *diag,
                                       bool *ret_is_here);
void names_leave(struct transfer *transfer); /* it does not wait any more */
/* None of its addresses was there: the next one asks anew. */
void names_doubt(const struct transfer *transfer);

/* What curl is told: CURLOPT_RESOLVE in transfer->pins, and its callback before each connection. */
MUST_CHECK struct status names_pin(struct transfer *transfer, struct diag *diag);
curl_socket_t names_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address);

#endif
