/*
 * What the status cache holds: settings (shared by the asks of their time) and entries, found by
 * the digests of certificate and issuer, kept in the order of their last use. Called by
 * status_cache.c under its lock. The cache owns the entries; profiles are counted.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "certs/status_parts.h"

/* ---- profiles ---- */

static void
free_profile(struct status_profile *profile)
{
    for (size_t i = 0; i < profile->settings.hosts.n; i++) {
        mem_free((char *)profile->settings.hosts.items[i]);
    }
    mem_free((void *)profile->settings.hosts.items);
    mem_free((char *)profile->settings.responder);
    X509_STORE_free(profile->store);
    mem_free(profile);
}

/* Under the lock. */
void
status_profile_drop(struct status_profile *profile)
{
    if (--profile->references == 0) {
        free_profile(profile);
    }
}

static bool
copy_settings(const struct status_settings *from, struct status_settings *to)
{
    const char **hosts = mem_alloc((from->hosts.n + 1) * sizeof(*hosts));

    *to = *from;
    to->hosts = (struct fetch_hosts){hosts, 0};
    to->responder = from->responder == NULL ? NULL : mem_strdup(from->responder);
    if (hosts == NULL || (from->responder != NULL && to->responder == NULL)) {
        return false;
    }
    for (; to->hosts.n < from->hosts.n; to->hosts.n++) {
        hosts[to->hosts.n] = mem_strdup(from->hosts.items[to->hosts.n]);
        if (hosts[to->hosts.n] == NULL) {
            return false;
        }
    }
    return true;
}

struct status_profile *
status_profile_new(const struct status_options *options)
{
    struct status_profile *profile = mem_alloc(sizeof(*profile));

    if (profile == NULL) {
        return NULL;
    }
    profile->references = 1;
    profile->skew_us = options->skew_us;
    if (!copy_settings(&options->settings, &profile->settings)) {
        free_profile(profile);
        return NULL;
    }
    profile->store = trust_store(options->trust);
    X509_STORE_up_ref(profile->store);
    return profile;
}

/* ---- entries (all under the lock) ---- */

bool
status_digest(X509 *x509, uint8_t ret_digest[SHA256_BYTES])
{
    unsigned n = 0;

    return X509_digest(x509, EVP_sha256(), ret_digest, &n) == 1 && n == SHA256_BYTES;
}

static struct status_entry **
bucket_of(struct status_cache *cache, const uint8_t leaf[SHA256_BYTES])
{
    return &cache->buckets[((size_t)leaf[0] << 8 | leaf[1]) % STATUS_BUCKETS];
}

static void
unlink_use(struct status_cache *cache, struct status_entry *entry)
{
    *(entry->newer == NULL ? &cache->newest : &entry->newer->older) = entry->older;
    *(entry->older == NULL ? &cache->oldest : &entry->older->newer) = entry->newer;
}

static void
link_newest(struct status_cache *cache, struct status_entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest == NULL ? &cache->oldest : &cache->newest->newer) = entry;
    cache->newest = entry;
}

void
status_remove(struct status_cache *cache, struct status_entry *entry)
{
    struct status_entry **link = bucket_of(cache, entry->leaf);

    while (*link != entry) {
        link = &(*link)->in_bucket;
    }
    *link = entry->in_bucket;
    unlink_use(cache, entry);
    cache->entries_n--;
    mem_free(entry);
}

/* <issuer> NULL: any. */
struct status_entry *
status_find(struct status_cache *cache, const uint8_t *leaf, const uint8_t *issuer)
{
    struct status_entry *entry = *bucket_of(cache, leaf);

    while (entry != NULL &&
           (memcmp(entry->leaf, leaf, SHA256_BYTES) != 0 ||
            (issuer != NULL && memcmp(entry->issuer, issuer, SHA256_BYTES) != 0))) {
        entry = entry->in_bucket;
    }
    if (entry != NULL) {
        unlink_use(cache, entry);
        link_newest(cache, entry);
    }
    return entry;
}

/* Those that are asked about stay: there are at most STATUS_ASKED_MAX, so another one is found. */
static void
make_room(struct status_cache *cache)
{
    struct status_entry *entry = cache->oldest;

    while (entry != NULL && entry->is_asked) {
        entry = entry->newer;
    }
    assert(entry != NULL);
    status_remove(cache, entry);
}

/* NULL when out of memory. */
struct status_entry *
status_take(struct status_cache *cache, const struct ocsp_subject *subject)
{
    uint8_t leaf[SHA256_BYTES], issuer[SHA256_BYTES];

    if (!status_digest(subject->certificate, leaf) || !status_digest(subject->issuer, issuer)) {
        return NULL;
    }
    struct status_entry *entry = status_find(cache, leaf, issuer);

    if (entry != NULL) {
        return entry;
    }
    entry = mem_alloc(sizeof(*entry));
    if (entry == NULL) {
        return NULL;
    }
    if (cache->entries_n == STATUS_ENTRIES_MAX) {
        make_room(cache);
    }
    memcpy(entry->leaf, leaf, sizeof(leaf));
    memcpy(entry->issuer, issuer, sizeof(issuer));
    entry->in_bucket = *bucket_of(cache, leaf);
    *bucket_of(cache, leaf) = entry;
    link_newest(cache, entry);
    cache->entries_n++;
    return entry;
}

/* Three quarters of its time after it came an answer is asked for anew. */
void
status_hold(struct status_cache *cache, struct status_entry *entry,
            const struct ocsp_result *result, const char *detail)
{
    const int64_t now_us = clock_wall_us(cache->clock);
    const int64_t most_us = now_us + cache->profile->settings.cache_us;

    entry->verdict = result->verdict;
    entry->revoked_this_us = result->verdict == STATUS_REVOKED ? result->this_us : 0;
    entry->until_us = result->until_us < most_us ? result->until_us : most_us;
    entry->refresh_us = now_us + (entry->until_us - now_us) / 4 * 3;
    (void)snprintf(entry->detail, sizeof(entry->detail), "%s", detail);
}

bool
status_is_outdated(const struct status_entry *entry, const struct ocsp_result *result)
{
    return entry->revoked_this_us != 0 && result->verdict != STATUS_REVOKED &&
           (result->verdict == STATUS_UNKNOWN || result->this_us <= entry->revoked_this_us);
}

void
status_hold_failure(struct status_entry *entry, int64_t until_us, const char *detail)
{
    entry->until_us = entry->refresh_us = until_us;
    if (entry->revoked_this_us == 0) {
        entry->verdict = STATUS_UNKNOWN;
        (void)snprintf(entry->detail, sizeof(entry->detail), "%s", detail);
    }
}
