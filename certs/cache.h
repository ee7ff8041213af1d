/*
 * Decoded certificates by the SHA-256 of their DER, so that one that comes with every message or
 * connection is decoded once (OpenSSL 3.0 takes some 100 us for it, and does not scale over
 * threads). Being here means nothing: it says what a certificate contains, not whom to believe.
 *
 * Bounded: certificates that nobody knows push out others of their own set only (eight places that
 * the digest chooses), the least recently used first. Thread: any.
 */
#ifndef CERTS_CACHE_H
#define CERTS_CACHE_H

#include "certs/certificate.h"

#define CERTIFICATE_CACHE_DER_MAX ((size_t)16 * 1024) /* longer ones are decoded each time */

struct certificate_cache;

/* Room for <capacity> certificates, rounded up to whole sets; at most some 12 KB each. NULL when
 * there is no memory. */
struct certificate_cache *certificate_cache_new(size_t capacity);
void certificate_cache_free(struct certificate_cache *cache); /* NULL is fine */
/* The process's own, for 1024; NULL when there is no memory. Never freed. */
struct certificate_cache *certificate_cache_shared(void);

/* As certificate_from_der, and the same failures: what is no certificate is not kept. The result is
 * a reference (certificate_free), shared with others: nobody writes to it. <cache> NULL: decodes.
 */
MUST_CHECK struct status certificate_cache_get(struct certificate_cache *cache, struct span der,
                                               struct diag *diag,
                                               struct certificate **ret_certificate);

struct certificate_cache_counts {
    uint64_t hits, misses;
    size_t held;
};
void certificate_cache_count(struct certificate_cache *cache,
                             struct certificate_cache_counts *ret_counts);

#endif
