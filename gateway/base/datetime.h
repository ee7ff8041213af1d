/*
 * The three ways in which health messages write time, from and to microseconds since 1970 UTC.
 * Readers are total: any bytes give a time or false, never a crash (a pre-authentication surface).
 * Thread: any.
 *
 *   xs:dateTime  2026-11-22T10:30:00.250Z    WS-Security, SAML, AuditMessage (UTC; a zone is read)
 *   HL7 TS       20261122103000.250+0100     HL7 v3, C-CDA (zone optional: UTC then)
 *   DTM          20261122103000              XDS metadata, always UTC, shorter = less precise
 */
#ifndef BASE_DATETIME_H
#define BASE_DATETIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define DATETIME_MAX 40 /* bytes that any of the writers below needs, NUL included */

/* Years 1 to 9999; seconds up to 60 (a leap second reads as the next second); at most nine digits
 * of fraction. A zone (Z or +hh:mm) is required: WS-Security 1.1 section 10 and SAML core 1.3.3
 * want UTC. White space around it, the hour 24 and what a zone moves out of those years are
 * refused. */
bool datetime_read_xs(struct span text, int64_t *ret_us);
/* YYYY[MM[DD[HH[MM[SS[.f]]]]]][+ZZzz]; missing parts read as their start. *ret_digits (may be NULL)
 * is how many digits of YYYYMMDDHHMMSS were there. */
bool datetime_read_hl7(struct span text, int64_t *ret_us, int *ret_digits);
/* HL7 TS to DTM in UTC with the precision that the TS has (4, 6, 8, 10, 12 or 14 digits; a zone
 * moves only times with hours). False when it is not a TS. */
bool datetime_hl7_to_dtm(struct span text, char ret_dtm[15]);

void datetime_write_xs(int64_t us, char ret_text[DATETIME_MAX]);  /* with milliseconds and Z */
void datetime_write_hl7(int64_t us, char ret_text[DATETIME_MAX]); /* YYYYMMDDHHMMSS+0000 */
void datetime_write_dtm(int64_t us, char ret_text[DATETIME_MAX]); /* YYYYMMDDHHMMSS */

#endif
