/*
 * The records that a destination refused for good, for an operator: a line each at the end of
 * <journal>/.delivered/<destination>.refused, with the time, chain, sequence and SHA-256 of the
 * record, and why. The records themselves stay in the journal. Nothing of ours reads the file; it
 * may be moved away at any time.
 *
 * Thread: the destination's.
 */
#ifndef AUDIT_SHIP_REFUSED_H
#define AUDIT_SHIP_REFUSED_H

#include "audit/ship.h"

/* Durable when it returns: before the cursor passes the record. ERR_JOURNAL names the file. */
MUST_CHECK struct status ship_refused_note(const char *dir, const char *destination,
                                           const struct ship_record *record, int64_t now_us,
                                           const struct diag *why, struct diag *diag);

#endif
