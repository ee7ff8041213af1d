/*
 * The replay memory's table: entries in chunks that never move, found through linear hashing, and
 * ordered by expiry in one leftist heap for each owner. Called by replay_memory.c under its lock.
 * The table owns all of it.
 *
 * An entry is in its owner's heap from put to pop. One that is replaced leaves its bucket at once
 * and its heap when its time comes: leftist heaps give up only what is first.
 */
#include "store/replay_table.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"

#define CHUNK_ENTRIES 1024  /* 64 KB */
#define CHUNK_BUCKETS 16384 /* 64 KB */
#define OWNERS_A_CALL 16    /* that replay_table_forget looks at */
#define HASHED_WORDS  4     /* of a digest: 128 bits */
#define MERGE_MOST    64    /* steps of a merge: two right spines of at most 32 each */

/* Slot 0 is nobody's: it ends lists and heaps. */
struct entry {
    uint8_t digest[SHA256_BYTES];
    int64_t until_us;
    uint32_t next; /* in its bucket, or in the list of free ones */
    uint32_t left, right;
    uint32_t owner;
    uint32_t place; /* 0: not in a bucket */
    uint32_t rank;  /* length of the way to the right */
};

struct owner {
    uint8_t id[REPLAY_OWNER_BYTES];
    uint32_t first; /* root of its heap */
    size_t keys;    /* in buckets */
};

/* Memory in pieces of one size, so that growing never copies what is there. */
struct chunks {
    void **items;
    size_t n, capacity;
};

struct replay_table {
    replay_gone_fn *gone;
    void *arg;
    struct chunks entries, buckets;
    uint32_t slots;     /* ever used, slot 0 included */
    uint32_t free_slot; /* list */
    size_t free_n;
    size_t keys;
    uint32_t buckets_n, split, mask; /* buckets_n == mask + 1 + split */
    uint64_t secret[HASHED_WORDS + 2];
    struct owner *owners;
    uint32_t *by_id; /* numbers of owners, in the order of their ids */
    size_t owners_n, owners_capacity;
    size_t turn; /* whose expired keys go next */
};

/* ---- memory ---- */

static struct status
no_memory(struct diag *diag)
{
    return FAIL(diag, ERR_NO_MEMORY, "no memory for the replay memory");
}

static struct status
chunks_add(struct chunks *chunks, size_t bytes, struct diag *diag)
{
    if (chunks->n == chunks->capacity) {
        const size_t capacity = chunks->capacity == 0 ? 16 : 2 * chunks->capacity;
        void **items = mem_resize(chunks->items, capacity * sizeof(*items));

        if (items == NULL) {
            return no_memory(diag);
        }
        chunks->items = items;
        chunks->capacity = capacity;
    }
    void *chunk = mem_alloc(bytes);

    if (chunk == NULL) {
        return no_memory(diag);
    }
    chunks->items[chunks->n++] = chunk;
    return OK;
}

static void
chunks_free(struct chunks *chunks)
{
    for (size_t i = 0; i < chunks->n; i++) {
        mem_free(chunks->items[i]);
    }
    mem_free(chunks->items);
}

static struct entry *
entry_at(const struct replay_table *table, uint32_t slot)
{
    struct entry *chunk = table->entries.items[slot / CHUNK_ENTRIES];

    return &chunk[slot % CHUNK_ENTRIES];
}

static uint32_t *
bucket_at(const struct replay_table *table, uint32_t bucket)
{
    uint32_t *chunk = table->buckets.items[bucket / CHUNK_BUCKETS];

    return &chunk[bucket % CHUNK_BUCKETS];
}

struct status
replay_table_new(replay_gone_fn *gone, void *arg, struct diag *diag,
                 struct replay_table **ret_table)
{
    struct replay_table *table = mem_alloc(sizeof(*table));

    if (table == NULL) {
        return no_memory(diag);
    }
    table->gone = gone;
    table->arg = arg;
    table->slots = 1;
    table->buckets_n = 1;
    struct status st = chunks_add(&table->entries, CHUNK_ENTRIES * sizeof(struct entry), diag);

    if (is_ok(st)) {
        st = chunks_add(&table->buckets, CHUNK_BUCKETS * sizeof(uint32_t), diag);
    }
    if (is_ok(st) &&
        getrandom(table->secret, sizeof(table->secret), 0) != (ssize_t)sizeof(table->secret)) {
        st = FAIL(diag, ERR_INTERNAL, "the kernel has no random bytes for the replay memory");
    }
    if (!is_ok(st)) {
        replay_table_free(table);
        return st;
    }
    *ret_table = table;
    return OK;
}

void
replay_table_free(struct replay_table *table)
{
    if (table != NULL) {
        chunks_free(&table->entries);
        chunks_free(&table->buckets);
        mem_free(table->owners);
        mem_free(table->by_id);
        mem_free(table);
    }
}

/* ---- owners ---- */

/* Where in by_id the id is, or would be. */
static size_t
find_owner(const struct replay_table *table, const uint8_t id[REPLAY_OWNER_BYTES], bool *ret_is)
{
    size_t low = 0, high = table->owners_n;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = memcmp(table->owners[table->by_id[middle]].id, id, REPLAY_OWNER_BYTES);

        if (order == 0) {
            *ret_is = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret_is = false;
    return low;
}

static struct status
grow_owners(struct replay_table *table, struct diag *diag)
{
    const size_t capacity = table->owners_capacity == 0 ? 16 : 2 * table->owners_capacity;
    struct owner *owners = mem_resize(table->owners, capacity * sizeof(*owners));

    if (owners == NULL) {
        return no_memory(diag);
    }
    table->owners = owners;
    uint32_t *by_id = mem_resize(table->by_id, capacity * sizeof(*by_id));

    if (by_id == NULL) {
        return no_memory(diag);
    }
    table->by_id = by_id;
    table->owners_capacity = capacity;
    return OK;
}

struct status
replay_table_owner(struct replay_table *table, const uint8_t id[REPLAY_OWNER_BYTES],
                   struct diag *diag, uint32_t *ret_owner)
{
    bool is_there = false;
    const size_t at = find_owner(table, id, &is_there);

    if (!is_there) {
        if (table->owners_n == table->owners_capacity) {
            TRY(grow_owners(table, diag));
        }
        struct owner *owner = &table->owners[table->owners_n];

        *owner = (struct owner){.first = 0};
        memcpy(owner->id, id, REPLAY_OWNER_BYTES);
        memmove(&table->by_id[at + 1], &table->by_id[at],
                (table->owners_n - at) * sizeof(*table->by_id));
        table->by_id[at] = (uint32_t)table->owners_n++;
    }
    *ret_owner = table->by_id[at];
    return OK;
}

size_t
replay_table_count(const struct replay_table *table)
{
    return table->keys;
}

size_t
replay_table_owner_count(const struct replay_table *table, uint32_t owner)
{
    return table->owners[owner].keys;
}

/* ---- buckets ---- */

/* Multilinear hashing: whoever does not know the secret finds no two keys that meet more often than
 * chance has it. */
static uint32_t
hash(const struct replay_table *table, uint32_t owner, const uint8_t digest[SHA256_BYTES])
{
    uint32_t words[HASHED_WORDS];
    uint64_t sum = table->secret[0] + table->secret[1] * owner;

    memcpy(words, digest, sizeof(words));
    for (size_t i = 0; i < HASHED_WORDS; i++) {
        sum += table->secret[2 + i] * words[i];
    }
    return (uint32_t)(sum >> 32);
}

/* Buckets before <split> are divided already. */
static uint32_t *
bucket_of(const struct replay_table *table, uint32_t owner, const uint8_t digest[SHA256_BYTES])
{
    const uint32_t number = hash(table, owner, digest);
    const uint32_t low = number & table->mask;

    return bucket_at(table, low < table->split ? number & (2 * table->mask + 1) : low);
}

/* The link that leads to the key, or the last one of its bucket. */
static uint32_t *
find_link(const struct replay_table *table, uint32_t owner, const uint8_t digest[SHA256_BYTES])
{
    uint32_t *link = bucket_of(table, owner, digest);

    while (*link != 0) {
        struct entry *entry = entry_at(table, *link);

        if (entry->owner == owner && memcmp(entry->digest, digest, SHA256_BYTES) == 0) {
            break;
        }
        link = &entry->next;
    }
    return link;
}

bool
replay_table_find(const struct replay_table *table, uint32_t owner,
                  const uint8_t digest[SHA256_BYTES], int64_t *ret_until_us)
{
    const uint32_t slot = *find_link(table, owner, digest);

    if (slot == 0) {
        return false;
    }
    *ret_until_us = entry_at(table, slot)->until_us;
    return true;
}

/* One bucket's keys go to it and to a new one. */
static void
split_bucket(struct replay_table *table)
{
    uint32_t slot = *bucket_at(table, table->split);

    *bucket_at(table, table->split) = 0;
    table->buckets_n++;
    table->split++;
    if (table->split > table->mask) {
        table->mask = 2 * table->mask + 1;
        table->split = 0;
    }
    while (slot != 0) {
        struct entry *entry = entry_at(table, slot);
        uint32_t *bucket = bucket_of(table, entry->owner, entry->digest);
        const uint32_t next = entry->next;

        entry->next = *bucket;
        *bucket = slot;
        slot = next;
    }
}

/* Out of its bucket: nobody finds it any more. */
static void
detach(struct replay_table *table, uint32_t *link)
{
    struct entry *entry = entry_at(table, *link);
    const uint32_t place = entry->place;

    *link = entry->next;
    entry->next = 0;
    entry->place = 0;
    table->owners[entry->owner].keys--;
    table->keys--;
    table->gone(table->arg, place);
}

/* ---- heaps ---- */

static uint32_t
rank_of(const struct replay_table *table, uint32_t slot)
{
    return slot == 0 ? 0 : entry_at(table, slot)->rank;
}

static bool
is_sooner(const struct replay_table *table, uint32_t a, uint32_t b)
{
    return entry_at(table, a)->until_us <= entry_at(table, b)->until_us;
}

/* Down both right spines, the sooner key first, then up again, the shorter way to the right. A
 * spine has at most log2(n + 1) entries. */
static uint32_t
merge(struct replay_table *table, uint32_t a, uint32_t b)
{
    uint32_t path[MERGE_MOST];
    size_t n = 0;

    while (a != 0 && b != 0) {
        const bool is_a = is_sooner(table, a, b);
        uint32_t *from = is_a ? &a : &b;

        assert(n < MERGE_MOST);
        path[n++] = *from;
        *from = entry_at(table, *from)->right;
    }
    uint32_t root = a == 0 ? b : a;

    while (n > 0) {
        struct entry *entry = entry_at(table, path[--n]);

        entry->right = root;
        if (rank_of(table, entry->left) < rank_of(table, entry->right)) {
            entry->right = entry->left;
            entry->left = root;
        }
        entry->rank = rank_of(table, entry->right) + 1;
        root = path[n];
    }
    return root;
}

/* The owner's first key goes; was it one that could be found? */
static bool
pop(struct replay_table *table, struct owner *owner)
{
    const uint32_t slot = owner->first;
    struct entry *entry = entry_at(table, slot);
    const bool is_key = entry->place != 0;

    owner->first = merge(table, entry->left, entry->right);
    if (is_key) {
        detach(table, find_link(table, entry->owner, entry->digest));
    }
    entry->next = table->free_slot;
    table->free_slot = slot;
    table->free_n++;
    return is_key;
}

/* ---- putting and removing ---- */

struct status
replay_table_reserve(struct replay_table *table, size_t n, struct diag *diag)
{
    while (table->free_n + table->entries.n * CHUNK_ENTRIES - table->slots < n) {
        if (table->slots > UINT32_MAX - 2 * CHUNK_ENTRIES) {
            return FAIL(diag, ERR_STORE, "the replay memory is full: %u keys", table->slots);
        }
        TRY(chunks_add(&table->entries, CHUNK_ENTRIES * sizeof(struct entry), diag));
    }
    while (table->buckets.n * CHUNK_BUCKETS - table->buckets_n < n) {
        TRY(chunks_add(&table->buckets, CHUNK_BUCKETS * sizeof(uint32_t), diag));
    }
    return OK;
}

static uint32_t
take_slot(struct replay_table *table)
{
    const uint32_t slot = table->free_slot;

    if (slot == 0) {
        assert(table->slots < table->entries.n * CHUNK_ENTRIES);
        return table->slots++;
    }
    table->free_slot = entry_at(table, slot)->next;
    table->free_n--;
    return slot;
}

void
replay_table_put(struct replay_table *table, uint32_t owner, const uint8_t digest[SHA256_BYTES],
                 int64_t until_us, uint32_t place)
{
    uint32_t *link = find_link(table, owner, digest);

    assert(place != 0);
    if (*link != 0) {
        detach(table, link);
    }
    const uint32_t slot = take_slot(table);
    struct entry *entry = entry_at(table, slot);
    uint32_t *bucket = bucket_of(table, owner, digest);

    *entry = (struct entry){
        .until_us = until_us, .next = *bucket, .owner = owner, .place = place, .rank = 1};
    memcpy(entry->digest, digest, SHA256_BYTES);
    *bucket = slot;
    table->owners[owner].first = merge(table, table->owners[owner].first, slot);
    table->owners[owner].keys++;
    table->keys++;
    if (table->keys > table->buckets_n) {
        split_bucket(table);
    }
}

void
replay_table_forget(struct replay_table *table, int64_t now_us, size_t most)
{
    size_t left = most;

    for (size_t i = 0; i < OWNERS_A_CALL && i < table->owners_n; i++) {
        struct owner *owner = &table->owners[table->turn % table->owners_n];

        while (owner->first != 0 && entry_at(table, owner->first)->until_us <= now_us) {
            if (left == 0) {
                return; /* it is this owner's turn again */
            }
            left--;
            (void)pop(table, owner);
        }
        table->turn = (table->turn + 1) % table->owners_n;
    }
}

size_t
replay_table_evict(struct replay_table *table, uint32_t owner, int64_t now_us, size_t most)
{
    struct owner *from = &table->owners[owner];
    size_t evicted = 0;

    for (size_t i = 0; i < most && from->first != 0;) {
        const bool is_expired = entry_at(table, from->first)->until_us <= now_us;
        const bool is_key = pop(table, from);

        i += is_key ? 1 : 0;
        evicted += is_key && !is_expired ? 1 : 0;
    }
    return evicted;
}

/* ---- walking ---- */

bool
replay_table_next(const struct replay_table *table, uint32_t last_place, uint32_t *cursor,
                  size_t *steps, struct replay_seen *ret_seen)
{
    while (*steps > 0 && *cursor + 1 < table->slots) {
        const struct entry *entry = entry_at(table, ++*cursor);

        --*steps;
        if (entry->place != 0 && entry->place <= last_place) {
            *ret_seen = (struct replay_seen){*cursor, entry->digest, table->owners[entry->owner].id,
                                             entry->until_us};
            return true;
        }
    }
    return false;
}

void
replay_table_move(struct replay_table *table, uint32_t slot, uint32_t place)
{
    struct entry *entry = entry_at(table, slot);
    const uint32_t left = entry->place;

    assert(left != 0 && place != 0);
    entry->place = place;
    table->gone(table->arg, left);
}
