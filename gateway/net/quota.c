/*
 * A hash table of counts behind a lock. Taken when a connection is accepted or a request begins,
 * given back when it ends, on any loop's thread; owned by the server.
 */
#include "net/quota.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define BUCKETS 1024

struct entry {
    struct entry *next;
    size_t n;
    char key[QUOTA_KEY_MAX];
};

struct quota {
    pthread_mutex_t lock;
    struct entry *buckets[BUCKETS];
};

struct status
quota_new(struct diag *diag, struct quota **ret_quota)
{
    struct quota *quota = mem_alloc(sizeof(*quota));
    if (quota == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for counting connections");
    }
    (void)pthread_mutex_init(&quota->lock, NULL);
    *ret_quota = quota;
    return OK;
}

void
quota_free(struct quota *quota)
{
    if (quota == NULL) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        while (quota->buckets[i] != NULL) {
            struct entry *entry = quota->buckets[i];
            quota->buckets[i] = entry->next;
            mem_free(entry);
        }
    }
    (void)pthread_mutex_destroy(&quota->lock);
    mem_free(quota);
}

/* FNV-1a: keys are addresses and names that handshakes proved, and a chain is never longer than
 * the number of connections. */
static size_t
bucket_of(const char *key)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < QUOTA_KEY_MAX - 1 && key[i] != '\0'; i++) {
        hash = (hash ^ (unsigned char)key[i]) * UINT64_C(1099511628211);
    }
    return (size_t)(hash % BUCKETS);
}

static struct entry **
find(struct quota *quota, const char *key)
{
    struct entry **at = &quota->buckets[bucket_of(key)];
    while (*at != NULL && strncmp((*at)->key, key, QUOTA_KEY_MAX - 1) != 0) {
        at = &(*at)->next;
    }
    return at;
}

bool
quota_take(struct quota *quota, const char *key, size_t most)
{
    bool has_room = false;
    (void)pthread_mutex_lock(&quota->lock);
    struct entry **at = find(quota, key);
    if (*at == NULL && most > 0) {
        *at = mem_alloc(sizeof(**at)); /* zeroed */
        if (*at != NULL) {
            (void)snprintf((*at)->key, sizeof((*at)->key), "%s", key);
        }
    }
    if (*at != NULL && (*at)->n < most) {
        (*at)->n++;
        has_room = true;
    }
    (void)pthread_mutex_unlock(&quota->lock);
    return has_room;
}

void
quota_give(struct quota *quota, const char *key)
{
    (void)pthread_mutex_lock(&quota->lock);
    struct entry **at = find(quota, key);
    assert(*at != NULL && (*at)->n > 0);
    if (--(*at)->n == 0) {
        struct entry *entry = *at;
        *at = entry->next;
        mem_free(entry);
    }
    (void)pthread_mutex_unlock(&quota->lock);
}
