/*
 * What no implementation can go below, in one thread and in memory: libxml2's parse of a message,
 * and OpenSSL's digests and signatures over the bytes that are signed in it, already in canonical
 * form, with contexts that are used again. Thread: one at a time for a floor.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <openssl/types.h>

#include "base/diag.h"
#include "base/span.h"

#define FLOOR_SIGNATURE_MAX ((size_t)512)

struct floor {
    struct span xml;          /* the envelope */
    struct span assertion[2]; /* canonical: before and behind its signature */
    struct span timestamp;
    struct span infos[2]; /* SignedInfo of assertion and Timestamp */
    uint8_t values[2][FLOOR_SIGNATURE_MAX];
    size_t value_bytes[2];
    EVP_MD *digest;
    EVP_MD_CTX *digesting;
    EVP_PKEY_CTX *signing, *verifying;
};

/* <message>: an envelope that our writer made, MTOM around it or not; it must outlive the floor.
 * <key> is the key that signed it. Ends with floor_done, whatever came. ERR_CRYPTO, or
 * ERR_MESSAGE_CONTENT when what is signed is not found. */
MUST_CHECK struct status floor_init(struct floor *floor, struct span message, EVP_PKEY *key,
                                    struct diag *diag);
void floor_done(struct floor *floor);

/* Each is false when it did not work. */
bool floor_parse(const struct floor *floor);
bool floor_verify(struct floor *floor); /* two digests, two signatures */
bool floor_sign(struct floor *floor);   /* one digest, one signature */

/* The time of one call, in microseconds of this thread's CPU, over about <slice_ns>; below 0 when
 * it did not work. */
double floor_time_us(bool (*run)(void *arg), void *arg, int64_t slice_ns);

#endif
