/*
 * Encryption at rest: AES-256-GCM over the payload of each event's record, in place. Every segment
 * has a key of its own, derived (HKDF-SHA-256) from the master key, 32 random bytes that stand in
 * the segment's head, and the chain's name. What a record says of itself (length, type, sequence,
 * times, the hash of the record before) is authenticated with it. Hash and CRC are computed
 * afterwards, over what stands in the file: whoever verifies a chain needs no key.
 *
 * An encrypted payload: nonce, ciphertext, tag. The nonce is a random number, drawn when a process
 * begins to write into a segment, with the sequence mixed in: a record that a crash tore is written
 * again under the same sequence and key, and must not get the same nonce.
 *
 * Owner: whoever made it. Thread: one at a time.
 */
#ifndef AUDIT_CIPHER_H
#define AUDIT_CIPHER_H

#include "audit/record.h"
#include "base/journal_keys.h"

#define CIPHER_NONCE_BYTES 12
#define CIPHER_TAG_BYTES   16
#define CIPHER_EXTRA_BYTES (CIPHER_NONCE_BYTES + CIPHER_TAG_BYTES) /* of a payload */

struct cipher;
MUST_CHECK struct status cipher_new(struct diag *diag, struct cipher **ret_cipher);
void cipher_free(struct cipher *cipher); /* NULL is fine */
/* For the records of one segment from now on. ERR_CRYPTO. */
MUST_CHECK struct status cipher_start(struct cipher *cipher, const struct journal_key *key,
                                      const uint8_t salt[SEGMENT_SALT_BYTES], const char *chain,
                                      struct diag *diag);
/* <record>: <n> bytes, its head complete but for the CRC, its payload with room for the nonce
 * before the text and for the tag behind it. */
MUST_CHECK struct status cipher_seal(struct cipher *cipher, char *record, size_t n,
                                     struct diag *diag);
/* Decrypts in place; *ret_text is in <record>. ERR_JOURNAL: another key, or changed by somebody who
 * could make the chain fit again. */
MUST_CHECK struct status cipher_open(struct cipher *cipher, char *record, size_t n,
                                     struct diag *diag, struct span *ret_text);

#endif
