/*
 * Says in the log what ends soon. Called by `isthmus serve` at its start and
 * once a day. Thread: any.
 */
#ifndef CLI_EXPIRY_LOG_H
#define CLI_EXPIRY_LOG_H

#include "config/config.h"

/* One line "certificate-expiry" or "crl-expiry" for each: a warning, an error from 7 days on. */
void expiry_log(const struct config *config, int64_t now_us);
/* One warning "signing-certificate-withheld" for each signing certificate of a partner that is
 * revoked or has no chain. Part of expiry_log, and for each reload. */
void expiry_log_withheld(const struct config *config);

#endif
