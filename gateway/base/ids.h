/*
 * Identifiers: UUIDs from the kernel's random source, and the syntax rules of OIDs and
 * homeCommunityIds. Thread: any.
 */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/span.h"

#define UUID_TEXT 37 /* 36 characters and NUL */
#define OID_TEXT                                                                                   \
    65 /* 64 characters and NUL: the longest that XDS allows (ITI TF-3 Table 4.2.3.1.7-2) */
#define OID_URN 73 /* "urn:oid:" before it */

/* A version 4 UUID, lower case. Aborts when the kernel has no random bytes: nothing safe can
 * follow. */
void uuid_new(char ret_uuid[UUID_TEXT]);
/* A version 8 UUID (RFC 9562 5.8) from the first 16 bytes of a digest: same bytes, same UUID. */
void uuid_from_digest(const uint8_t digest[16], char ret_uuid[UUID_TEXT]);
/* 2.25.<UUID as decimal> (ITU-T X.667). <uuid> must be one that uuid_new or uuid_from_digest made.
 */
void oid_from_uuid(const char uuid[UUID_TEXT], char ret_oid[OID_TEXT]);

/* Dotted decimal, first arc 0-2, no leading zeros, at least two arcs, at most 64 characters. */
bool oid_is_valid(struct span oid);
bool uuid_is_valid(struct span uuid); /* 8-4-4-4-12 hexadecimal, any case */
/* Ten digits, the last a check digit: a National Provider Identifier of the United States (ISO/IEC
 * 7812 over "80840" and the ten). */
bool npi_is_valid(struct span text);
/* The OID inside "urn:oid:<OID>" (or a bare OID); false when it is neither or not valid. */
bool home_community_oid(struct span text, struct span *ret_oid);

#endif
