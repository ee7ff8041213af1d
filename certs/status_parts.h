/*
 * What the files of the status cache share; nobody else includes it.
 *
 *   status_cache.c  questions, asks, staples
 *   status_held.c   what is held: settings, and entries by certificate and by last use
 *
 * Every function here is called under the cache's lock, but profile_new.
 */
#ifndef CERTS_STATUS_PARTS_H
#define CERTS_STATUS_PARTS_H

#include <pthread.h>

#include "certs/ocsp.h"
#include "certs/trust.h"

#define STATUS_BUCKETS 1024

/* Settings at one time; shared by the asks of that time. */
struct status_profile {
    size_t references; /* under the cache's lock */
    struct status_settings settings;
    int64_t skew_us;
    X509_STORE *store;
};

struct status_entry {
    uint8_t leaf[SHA256_BYTES], issuer[SHA256_BYTES];
    struct status_entry *in_bucket;
    struct status_entry *newer, *older; /* by last use */
    bool is_asked;                      /* an ask is under way; then it stays */
    enum status_verdict verdict;
    int64_t until_us, refresh_us; /* wall; 0: nothing is held */
    int64_t revoked_this_us;      /* thisUpdate of the answer that said "revoked"; 0: none did */
    char detail[DIAG_TEXT_MAX];
    struct status_question *waiting;
};

struct status_cache {
    struct peer_status_source source; /* first member */
    const struct clock *clock;
    struct trust_fetch *fetch;
    pthread_mutex_t lock;
    /* under the lock */
    size_t references; /* the owner's and one per ask */
    bool is_closed;
    struct status_profile *profile;
    struct status_entry *buckets[STATUS_BUCKETS];
    struct status_entry *newest, *oldest;
    size_t entries_n, asked_n;
};

/* With one reference; NULL when out of memory. */
struct status_profile *status_profile_new(const struct status_options *options);
void status_profile_drop(struct status_profile *profile);

bool status_digest(X509 *x509, uint8_t ret_digest[SHA256_BYTES]);
/* The entry of this certificate, or NULL; <issuer> NULL: of any issuer. */
struct status_entry *status_find(struct status_cache *cache, const uint8_t *leaf,
                                 const uint8_t *issuer);
/* The entry of this certificate, made when there is none. NULL when out of memory. */
struct status_entry *status_take(struct status_cache *cache, const struct ocsp_subject *subject);
void status_remove(struct status_cache *cache, struct status_entry *entry);
/* Hold an answer, no longer than the settings say. */
void status_hold(struct status_cache *cache, struct status_entry *entry,
                 const struct ocsp_result *result, const char *detail);
/* Does it say less than a revocation that is known, or come from before it? Old answers are signed
 * and still current, and whoever is between us and the responder can give us one: it must not undo
 * what came later. */
bool status_is_outdated(const struct status_entry *entry, const struct ocsp_result *result);
/* There was no answer: what is known of a revocation stays, else it is unknown, until <until_us>.
 */
void status_hold_failure(struct status_entry *entry, int64_t until_us, const char *detail);

#endif
